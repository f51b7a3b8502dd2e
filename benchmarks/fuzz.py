"""Fuzz the parsers of files, links, decisions and word lists, guided by the coverage of the code.

    python -m benchmarks.fuzz TARGET --seconds 600 [--corpus FOLDER] [--files FOLDER] [--findings FOLDER]
    python -m benchmarks.fuzz TARGET --input FILE...

A target is a group of parsers (`TARGETS`). It is called with inputs of up to 64 kB, which atheris changes so that they
reach more of the code of `narratives`. The first byte of an input selects a format, the rest is the content. Where a
change would only damage the container, the content is one part of a sound container, such as the text of a Word file.
The inputs to start from are in `fuzz_seeds.toml`. `--files` adds those of a folder by their extensions, such as those
that `pytest tests/unit/read --basetemp FOLDER -o tmp_path_retention_policy=all` leaves. `--corpus` keeps the inputs
that reached new code. `--input` runs single inputs again.

A finding is an error other than the project's own (`NarrativesError`), a broken promise (an assertion here), an input
that takes more than 5 seconds of the processor, or one that ends the process. `read_file` turns every error into a
reason for the user, so an error that only a mistake in the project's own code makes (`MISTAKES`) counts as well, and so
does a table whose rest was not read. Findings are listed by place in the code, and their inputs are in `--findings`.

atheris (3.0.0) is no requirement of the project. Install it in an environment of its own, with the requirements.
"""

from __future__ import annotations

import argparse
import faulthandler
import hashlib
import io
import json
import logging
import os
import re
import sys
import tempfile
import time
import tomllib
import traceback
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import asdict
from functools import cache, partial
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple, get_args
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from narratives.model import EvidenceQuery, InputFile, Rejected

ROOT = Path(__file__).resolve().parent.parent
MAX_BYTES = 65_536  # of one input
MAX_UNPACKED = 1_000_000  # of a seed that is an archive
MAX_SECONDS = 5.0  # of the processor, for one input
MAX_MEMORY = 3000  # MiB of the process, after which libFuzzer ends it and keeps the input
HANG_SECONDS = 120  # of the clock, after which the process ends and prints where it was
# What no damaged file should make the project's own code raise, whatever the user is then told.
MISTAKES = (ArithmeticError, AssertionError, AttributeError, LookupError, NameError, TypeError)
TEXT = "The ministry regards the accusations as unfounded, said Maria Orlova. “We asked for proof,” she added."
SEEDS = tomllib.loads(Path(__file__).with_name("fuzz_seeds.toml").read_text("utf-8").replace("{TEXT}", TEXT))
FUZZED_PART = re.compile(r"document|footnotes|styles|core|sheet|workbook\.xml$|content\.xml$")
Runner = Callable[[bytes], None]


def pack_zip(parts: Mapping[str, bytes | str]) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as package:
        for name, content in parts.items():
            package.writestr(name, content)
    return sink.getvalue()


def pack_part(parts: Mapping[str, bytes | str], name: str, content: bytes) -> bytes:
    """A sound package in which the content is one part."""
    return pack_zip({**parts, name: content})


def pack_member(content: bytes) -> bytes:
    """A zip archive with a file whose name is the first line of the content, without NUL, and one beside it."""
    name, _, rest = content.partition(b"\n")
    return pack_zip({name[:200].replace(b"\0", b"").decode("utf-8", "replace") or "a.txt": rest, "b.txt": TEXT})


def pack_stream(content: bytes) -> bytes:
    """A PDF of two pages with this content stream."""
    from tests.helpers.pdf import make_pdf

    return make_pdf([content.decode("cp1252", "ignore")] * 2)


def pack_rows(content: bytes) -> bytes:
    """A Parquet file of the rows in JSON; other content stays as it is."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = io.BytesIO()
    try:
        pq.write_table(pa.Table.from_pylist(json.loads(content)), sink)
    except Exception:  # noqa: BLE001 -- pyarrow raises many kinds of errors, and none of them is a finding
        return content
    return sink.getvalue()


# How the contents are packed that are no files by themselves, and the names of these files.
PACKS: Mapping[str, tuple[str, Callable[[bytes], bytes]]] = {
    "stream": ("a.pdf", pack_stream),
    "member": ("a.zip", pack_member),
    "packed manifest": ("a.zip", partial(pack_part, {"a.txt": TEXT, "b/c.html": TEXT}, "manifest.csv")),
    "a.parquet": ("a.parquet", pack_rows),
}


class Format(NamedTuple):
    """The name of a file, contents to start from, how a content becomes the file, and which part it is."""

    name: str
    seeds: Sequence[bytes]
    pack: Callable[[bytes], bytes] = bytes
    part: str = ""


def load_formats(target: str) -> list[Format]:
    """Load the formats of a target with their seeds."""
    formats = []
    for name, listed in SEEDS["files"][target].items():
        shown, pack = PACKS.get(name, (name, bytes))
        formats.append(Format(shown, [one.encode() for one in listed], pack))
    for name, parts in SEEDS["packages"].items() if target == "documents" else ():
        formats.append(Format(name, [pack_zip(parts)]))
        for part in filter(FUZZED_PART.search, parts):
            formats.append(Format(name, [parts[part].encode()], partial(pack_part, parts, part), part))
    whole = {"documents": Format("a.pdf", [pack_stream(b"")]), "archives": Format("a.zip", [pack_member(b"")])}
    return [*formats, whole[target]] if target in whole else formats


def run_files(formats: Sequence[Format], folder: Path) -> Runner:
    """Survey, read and parse a file as a build does, and check what every build relies on."""
    from narratives import parse, read
    from narratives.model import RawDocument, Rejected

    roster = parse.Roster(read.load_speakers(ROOT / "data" / "speakers.toml"))

    def check(files: Sequence[InputFile], columns: Mapping[str, str]) -> None:
        raws: list[RawDocument] = []
        for file in files:
            read.compute_fingerprint(file, columns)
            items = list(read.read_file(file, columns))
            assert items, "a file without a document or a reason"
            rejected = [item for item in items if isinstance(item, Rejected)]
            check_reasons(rejected)
            is_text = file.path.suffix != ".parquet" and b"\0" not in file.path.read_bytes()
            assert not is_text or not any("Rows up to" in item.reason for item in rejected), rejected[-1].reason
            raws += [item for item in items if isinstance(item, RawDocument)]
            assert all(note.isprintable() for note in read.find_notes(file, columns)), "a note that is not printable"
            read.find_unused(file, columns)
        order = parse.DateOrder()
        for raw in raws:
            order = parse.add_to_date_order(order, raw)
        documents = [parse.parse_lasting(raw, roster, order)[0] for raw in raws]
        parse.find_copies(documents)
        parse.find_boilerplate(documents)
        for document in documents:
            # A snapshot stores neither lone surrogates nor NUL characters.
            json.dumps(asdict(document), ensure_ascii=False).encode()
            assert "\0" not in "".join(p.text + p.speaker for p in document.paragraphs), "a NUL character"
            any(parse.is_statement(p, frozenset({"en"})) for p in document.paragraphs)

    def run(data: bytes) -> None:
        form = formats[data[0] % len(formats)]
        path = folder / form.name
        path.write_bytes(form.pack(data[1:]))
        with read.survey([str(path)]) as surveyed:
            check_reasons([*surveyed.absent, *(item for items in surveyed.refused.values() for item in items)])
            check(surveyed.files, {"text": "body", "speaker": "from"} if data[0] >= 128 else {})

    return run


def check_reasons(rejected: Sequence[Rejected]) -> None:
    for item in rejected:
        assert item.reason.isprintable() and len(item.reason) < 4000, f"a reason like {item.reason[:80]!r}"


class Address:
    """The parameters of a URL, with the methods of `st.query_params` that are used."""

    def from_dict(self, values: Mapping[str, list[str]]) -> None:
        self._values = dict(values)

    def get(self, key: str, default: str | None = None) -> str | None:
        return self._values[key][-1] if self._values.get(key) else default

    def get_all(self, key: str) -> list[str]:
        return list(self._values.get(key, []))

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)


class Screen(SimpleNamespace):
    """A stand-in for `streamlit` that draws nothing."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return lambda *args, **kwargs: nullcontext()

    def columns(self, spec: int | Sequence[int], **_: object) -> list[Any]:
        return [nullcontext()] * (spec if isinstance(spec, int) else len(spec))


def run_links(_: Sequence[Format], folder: Path) -> Runner:
    """Read the filters of a link, of a command, or the headers of a request; query a small store with them."""
    from benchmarks.crash_rounds import WordEncoder, write_inputs
    from narratives.dashboard import cached_queries, controls, navigation, server
    from narratives.dashboard.views import evidence
    from narratives.model import EvidenceQuery, Slice
    from narratives.render import phrases
    from narratives.store import open_snapshot
    from narratives.workflows.build import BuildRequest, build

    build(BuildRequest((write_inputs(folder, "a.jsonl", 0, 12),), folder / "store"), encoder=WordEncoder())
    snapshot = open_snapshot(folder / "store")
    options = snapshot.options()
    names = {"speaker": options.speakers, "outlet": options.outlets, "narrative": [("x", 1), ("y", 1)]}
    shown = {key: {name: name or "nobody" for name, _ in listed} for key, listed in names.items()}
    view: Any = SimpleNamespace(handle=None, slice=Slice())
    screen = Screen(session_state={}, query_params=Address())
    for module in (controls, navigation, evidence):
        vars(module).update(st=screen, get_script_run_ctx=lambda: None)
    vars(cached_queries).update(load_topic_names=lambda handle, ids: {})

    def read_link() -> tuple[Slice, evidence.EvidenceSettings, int]:
        controls.begin_run()
        for key, listed in shown.items():
            controls.draw_multiselect(key, key, listed, "", most=3)
        controls.draw_multiselect("Voice", "voice", phrases.VOICE_LABELS, "")
        for key in ("from", "to"):
            navigation._draw_date_select(key, key, options.years, "")
        controls.draw_selectbox("Copies", "copies", phrases.COPIES_LABELS)
        settings, number = evidence.draw_controls(view), controls.draw_page_numbers("page", 9)
        controls.update_url()
        return navigation.read_filters(), settings, number

    @cache  # most changes of a link do not change the query
    def query(asked: EvidenceQuery) -> None:
        s = asked.slice
        total = snapshot.count_paragraphs(asked)
        assert len(snapshot.paragraphs(asked, 10)) == min(total, 10), "other paragraphs than counted"
        phrases.describe_search(asked.text), phrases.describe_scope(s), phrases.describe_filters(s, {})

    def run_link(text: str) -> None:
        screen.session_state.clear()
        screen.query_params.from_dict(parse_qs(text, keep_blank_values=True, max_num_fields=1000))
        s, settings, number = read_link()
        screen.session_state.clear()
        assert read_link() == (s, settings, number), "another page after a reload"
        query(settings.build_query(s, None))

    def run_command(text: str) -> None:
        speaker, outlet, first, last, words = (text.split("\n", 4) + [""] * 5)[:5]
        query(EvidenceQuery(Slice((speaker,), (outlet,), date_from=first, date_to=last), words))

    def run_headers(text: str) -> None:
        host, origin, *allowed = [*text.split("\n"), ""]
        server.is_host_allowed(host, allowed)
        server.is_origin_allowed(origin, host, allowed)

    kinds = (run_link, run_command, run_headers)
    return lambda data: kinds[data[0] % 3](data[1:].decode("utf-8", "replace"))


def run_imports(formats: Sequence[Format], folder: Path) -> Runner:
    """Import decisions, verdicts, a codebook, speakers or events; keep and export the decisions."""
    from narratives import read
    from narratives.model import LabelledText, Rejected
    from narratives.store import DecisionLog
    from narratives.store.decisions import DecisionFormat
    from narratives.workflows.annotate import parse_verdict

    loaders = {"spotcheck.csv": read.read_judgements, "speakers.toml": read.load_speakers}

    def import_labels(path: Path) -> None:
        rows = list(read.read_labels(path, ["x", "y"], {"x": "X", "y": "Y"}))
        check_reasons([row for row in rows if isinstance(row, Rejected)])
        texts = [row for row in rows if isinstance(row, LabelledText)]
        log = DecisionLog(folder / "decisions.sqlite")
        for text in texts:
            log.add([text], text.who or "Ann", "import")
        for form in get_args(DecisionFormat):
            log.export(folder / "out.json", form)
        log.path.unlink(missing_ok=True)

    def run(data: bytes) -> None:
        form = formats[data[0] % len(formats)]
        path = folder / form.name
        path.write_bytes(data[1:])
        if form.name in ("labels.jsonl", "tasks.json"):
            import_labels(path)
        elif form.name == "codebook.toml":
            codebook = read.load_codebook(path)
            again = read.parse_codebook(read.dump_codebook(codebook).encode(), "")
            assert again.narratives == codebook.narratives, "other narratives after an export"
        elif form.name == "answer.txt":
            parse_verdict(data[1:].decode("utf-8", "replace"))
        else:
            list(loaders.get(form.name, read.load_events)(path))

    return run


TARGETS: Mapping[str, Callable[[Sequence[Format], Path], Runner]] = {
    **dict.fromkeys(("texts", "pages", "tables", "documents", "archives"), run_files),
    **{"links": run_links, "imports": run_imports},
}


def _is_own(frame: traceback.FrameSummary) -> bool:
    return str(ROOT / "narratives") in frame.filename or frame.filename == __file__


class Examiner(logging.Handler):
    """Runs inputs, and keeps findings by place in the code. The readers log the errors that they turn into reasons."""

    def __init__(self, target: str, findings: Path) -> None:
        from narratives.model import NarrativesError

        super().__init__(logging.DEBUG)
        self.runs, self.found = 0, Counter[str]()
        self._mistake: BaseException | None = None
        self._folder = tempfile.TemporaryDirectory()
        self._run = TARGETS[target](load_formats(target), Path(self._folder.name))
        self._target, self._findings, self._expected = target, findings, NarrativesError
        logging.basicConfig(level=logging.CRITICAL)
        readers = logging.getLogger("narratives.read.formats")
        readers.setLevel(logging.DEBUG)
        readers.handlers, readers.propagate = [self], False
        findings.mkdir(parents=True, exist_ok=True)
        self.started = time.monotonic()

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, MISTAKES) or type(error) is ValueError:
            frames = [one for one in traceback.extract_tb(error.__traceback__) if Path(one.filename).exists()]
            self._mistake = error if _is_own(frames[-1]) else None

    def examine(self, data: bytes) -> None:
        """Run one input. It is kept in the folder of findings while it runs, as the process may end."""
        (self._findings / f"{self._target}-current").write_bytes(data)
        self._mistake = None
        faulthandler.dump_traceback_later(HANG_SECONDS, exit=True)
        error, taken = self._time(data)
        if taken > MAX_SECONDS:
            error, taken = self._time(data)  # without what is loaded once
        faulthandler.cancel_dump_traceback_later()
        self.runs += 1
        if error := error or self._mistake:
            own = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_own(frame)]
            where = f"{Path(own[-1].filename).relative_to(ROOT)}:{own[-1].lineno}" if own else "elsewhere"
            self._keep(f"{type(error).__name__} in {where}", data, "".join(traceback.format_exception(error)))
        if taken > MAX_SECONDS:
            self._keep(f"slow, first byte {data[0]}", data, f"{taken:.1f} s")

    def _time(self, data: bytes) -> tuple[BaseException | None, float]:
        started = time.process_time()
        error: BaseException | None = None
        try:
            self._run(data)
        except self._expected:
            pass
        except BaseException as raised:  # noqa: BLE001 -- any other error is a finding, also a panic of Rust
            error = raised
        return error, time.process_time() - started

    def _keep(self, what: str, data: bytes, details: str) -> None:
        self.found[what] += 1
        if self.found[what] <= 3:
            name = f"{self._target}-{re.sub('[^A-Za-z0-9]+', '-', what)}-{hashlib.sha256(data).hexdigest()[:8]}"
            (self._findings / name).write_bytes(data)
            (self._findings / f"{name}.txt").write_text(f"{what}\n{details}", "utf-8", "replace")
            print(f"FINDING {what}: {details.strip().splitlines()[-1][:300]}", flush=True)

    def end(self) -> int:
        """Print the figures; return the exit status."""
        (self._findings / f"{self._target}-current").unlink(missing_ok=True)
        seconds, busy = time.monotonic() - self.started, time.process_time()
        print(f"{self._target}: {seconds:.0f} s, {busy:.0f} of the processor, {self.runs:,} inputs")
        print(*(f"{number:>9,}  {what}" for what, number in sorted(self.found.items())), sep="\n", flush=True)
        self._folder.cleanup()
        return int(bool(self.found))


def write_seeds(target: str, corpus: Path, files: Path | None) -> None:
    """Write the inputs to start from into the corpus: the seeds of each format, and files with its extension."""
    corpus.mkdir(parents=True, exist_ok=True)
    for number, form in enumerate(load_formats(target)):
        seeds = list(form.seeds)
        for path in filter(Path.is_file, files.rglob(f"*{Path(form.name).suffix}") if files else ()):
            with suppress(OSError, zipfile.BadZipFile, KeyError, RuntimeError):  # also if it is encrypted
                seeds.append(zipfile.ZipFile(path).read(form.part) if form.part else path.read_bytes())
        for seed in (seed for seed in seeds if len(seed) < MAX_BYTES and measure_unpacked(seed) < MAX_UNPACKED):
            (corpus / f"{number}-{hashlib.sha256(seed).hexdigest()[:16]}").write_bytes(bytes([number]) + seed)


def measure_unpacked(data: bytes) -> int:
    """Return the bytes of all members of a zip archive; 0 for other data."""
    with suppress(zipfile.BadZipFile, ValueError, NotImplementedError):
        return sum(member.file_size for member in zipfile.ZipFile(io.BytesIO(data)).infolist())
    return 0


def fuzz(target: str, seconds: float, corpus: Path, files: Path | None, findings: Path) -> None:
    """Fuzz for so many seconds, and end the process."""
    import atheris

    with atheris.instrument_imports(include=["narratives"]):
        examiner = Examiner(target, findings)

        def run(data: bytes) -> None:
            examiner.examine(data or b"\0")
            if time.monotonic() - examiner.started > seconds:
                os._exit(examiner.end())  # libFuzzer does not return, nor does it let Python end

        write_seeds(target, corpus, files)
        tokens = corpus.with_name(f"{target}.dict")
        words = ("".join(f"\\x{byte:02x}" for byte in token.encode()) for token in SEEDS["tokens"])
        tokens.write_text("".join(f'"{word}"\n' for word in words))
        # The limit of time is the examiner's; that of atheris uses a signal that the readers use as well.
        limits = [f"-max_len={MAX_BYTES}", "-timeout=1000000", f"-rss_limit_mb={MAX_MEMORY}", f"-dict={tokens}"]
        atheris.Setup([sys.argv[0], *limits, f"-artifact_prefix={findings}/", str(corpus)], run)
        atheris.Fuzz()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--corpus", type=Path, help="folder that keeps the inputs which reached new code")
    parser.add_argument("--files", type=Path, help="folder of files to start from, besides the seeds")
    parser.add_argument("--findings", type=Path, default=Path("fuzz-findings"))
    parser.add_argument("--input", type=Path, nargs="+", default=[], help="run only these inputs")
    options = parser.parse_args()
    if not options.input:
        corpus = options.corpus or Path(tempfile.mkdtemp())
        fuzz(options.target, options.seconds, corpus / options.target, options.files, options.findings)
    examiner = Examiner(options.target, options.findings)
    for path in options.input:
        examiner.examine(path.read_bytes())
    sys.exit(examiner.end())


if __name__ == "__main__":
    main()
