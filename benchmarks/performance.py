"""Run the benchmarks of speed and write docs/performance.md.

    make bench                                       # everything; some hours
    python -m benchmarks.performance [NAME ...]      # these sections; the others stay as they are

A section has a heading, a text and the output of its commands, which run one after another in a new folder. Stop other
programs first: most figures are times. Sections need the folder of reference material, ../shared, except where the text
says otherwise.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import subprocess
import sys
import tempfile
import textwrap
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "performance.md"
KREMLIN = ROOT.parent / "shared" / "corpora" / "kremlin_en_2016_2020.jsonl.gz"
PEERS = ROOT / ".venv-peers" / "bin" / "python"  # see benchmarks/requirements.txt
PACKAGES = (
    "torch",
    "openvino",
    "sentence-transformers",
    "numpy",
    "duckdb",
    "streamlit",
    "scikit-network",
    "openTSNE",
    "pyarrow",
)

INTRODUCTION = """\
# Performance

How fast the program is, and how much memory it takes. `make bench` writes this page; a section that has not been run
is not on it. Times depend on the machine, so compare only figures of one section. The section *Limits* is written by
hand.
"""
# Of each section: the heading, the text, and the commands. `{work}` is a new folder, `{kremlin}` the Kremlin set.
SECTIONS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "build": (
        "A build of the Kremlin set",
        "Processor seconds of each stage: of a first build of 99 % of the documents, of one that adds the other 1 %, "
        "of one after a date was corrected, and of one with nothing to do.",
        ("-m benchmarks.incremental {work}/build {kremlin}",),
    ),
    "bertopic": (
        "A whole build against BERTopic",
        "The same paragraphs and model, each with its own encoding. Needs the environment of "
        "benchmarks/requirements.txt.",
        ("-m benchmarks.whole_build {work}/build {kremlin}",),
    ),
    "growth": (
        "Growth with the number of paragraphs",
        "Processor seconds of a first build of 30,000 and of 100,000 paragraphs, made from the Kremlin set in the same "
        "way. Hashed words stand for the model, so that all stages but the encoding have their usual work; no "
        "classifier takes part.",
        (
            "-m benchmarks.large_corpus {work}/30.jsonl.gz --paragraphs 30000",
            "-m benchmarks.incremental {work}/30 {work}/30.jsonl.gz --words --first",
            "-m benchmarks.large_corpus {work}/100.jsonl.gz --paragraphs 100000",
            "-m benchmarks.incremental {work}/100 {work}/100.jsonl.gz --words --first",
        ),
    ),
    "pages": (
        "Pages and searches on a million paragraphs",
        "The store is made from one of the Kremlin set (`benchmarks/large_store.py`), which NARRATIVES_BENCH_STORE "
        "names. Each page is opened with filters that nobody chose before; times are those of its queries.",
        ("-m benchmarks.large_store {store} {work}/large", "-m benchmarks.page_queries {work}/large --slices 10"),
    ),
    "redraws": (
        "The dashboard in a browser",
        "A store of the Kremlin set (NARRATIVES_BENCH_STORE), one viewer, each change of a filter to a slice that "
        "nobody chose before. The browser runs on the same machine.",
        ("-m benchmarks.dashboard_speed {store} --changes 10 --starts 5",),
    ),
    "previews": (
        "Previews of edited narratives",
        "A store of the Kremlin set (NARRATIVES_BENCH_STORE). Each edit adds or removes one exemplar.",
        ("-m benchmarks.previews {store}",),
    ),
    "load": (
        "Many viewers at once",
        "A store of the Kremlin set (NARRATIVES_BENCH_STORE), 20 and 50 sessions that each change a filter or a page "
        "every second: one server process, and two of them behind nginx. The sessions run on the same machine.",
        (
            "-m benchmarks.load {store} --sessions 20 --seconds 60",
            "-m benchmarks.load {store} --sessions 20 --seconds 60 --processes 2",
            "-m benchmarks.load {store} --sessions 50 --seconds 30",
            "-m benchmarks.load {store} --sessions 50 --seconds 30 --processes 2",
        ),
    ),
    "soak": (
        "Memory over time",
        "One server process, 20 sessions for 18 minutes, and another snapshot every minute. The store is one of the "
        "Kremlin set with two snapshots (NARRATIVES_BENCH_STORE).",
        ("-m benchmarks.load {store} --sessions 20 --seconds 1080 --swap 60 --warm 180",),
    ),
    "ray": (
        "Workers of a Ray cluster",
        "Seconds of the stages that workers do, on this machine.",
        ("-m benchmarks.ray_engine --documents 150",),
    ),
    "peers": (
        "Against other methods",
        "The same vectors and labels, see `benchmarks/peers.py`. Needs the environment of benchmarks/requirements.txt.",
        ("-m benchmarks.peers",),
    ),
}


def describe_machine() -> str:
    """The processor, memory, system and versions, in a sentence each."""
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in PACKAGES)
    cores = f"{len(os.sched_getaffinity(0))} cores ({model[1] if model else platform.processor()})"
    return f"{cores}, {memory:.0f} GiB of memory, Python {platform.python_version()}, {versions}."


def run_section(name: str) -> str:
    """Run the commands of a section and return its text; a command that fails ends everything."""
    heading, text, commands = SECTIONS[name]
    lines = []
    with tempfile.TemporaryDirectory() as work:
        for command in commands:
            store = os.environ.get("NARRATIVES_BENCH_STORE", "")
            if "{store}" in command and not store:
                raise SystemExit("expected NARRATIVES_BENCH_STORE to name a store of the Kremlin set")
            filled = command.format(work=work, kremlin=KREMLIN, store=store)
            python = str(PEERS) if name in ("peers", "bertopic") else sys.executable
            print(f"{name}: {command}", flush=True)
            done = subprocess.run([python, *filled.split()], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
            shown = command.format(work="FOLDER", kremlin="KREMLIN", store="STORE").removeprefix("-m ")
            if printed := done.stdout.replace(work, "FOLDER").strip():
                lines += [f"$ python -m {shown}", printed, ""]
    day = datetime.now(UTC).date().isoformat()
    output = "\n".join(lines).strip()
    about = "\n\n".join(textwrap.fill(part, 118) for part in (text, f"{describe_machine()} {day}."))
    return f"## {heading}\n\n{about}\n\n```\n{output}\n```\n"


def main() -> None:
    """Run the sections and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("names", nargs="*", choices=[[], *SECTIONS], default=[])
    chosen = parser.parse_args().names or list(SECTIONS)
    for name in chosen:
        section = run_section(name)
        parts = split_page(TARGET.read_text(encoding="utf-8") if TARGET.exists() else "")
        parts[SECTIONS[name][0]] = section
        order = [heading for heading, _, _ in SECTIONS.values() if heading in parts]
        order += [heading for heading in parts if heading not in order]
        TARGET.write_text(INTRODUCTION + "\n" + "\n".join(parts[heading] for heading in order), encoding="utf-8")


def split_page(page: str) -> dict[str, str]:
    """The sections of a page by heading."""
    found = re.split(r"^(?=## )", page, flags=re.MULTILINE)[1:]
    return {part.partition("\n")[0].removeprefix("## "): part.rstrip() + "\n" for part in found}


if __name__ == "__main__":
    main()
