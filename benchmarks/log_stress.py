"""Many processes write to one decisions log, while a build runs and while writers are killed.

`python -m benchmarks.log_stress STORE` lets 8 processes write 1,000 decisions each into a copy of the store while it is
built, and then kills a writer at random moments, 50 times.
"""

from __future__ import annotations

import argparse
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from narratives.model import LabelledText
from narratives.store import DECISIONS_FILE, DecisionLog

WRITERS, DECISIONS, ROUNDS = 8, 1000, 50


def write(path: Path, who: str, number: int) -> None:
    """Write decisions one by one, and print the text of each as soon as it is acknowledged."""
    log = DecisionLog(path)
    for at in range(number):
        text = f"Text {at} of {who}."
        log.add([LabelledText(at, text, f"d-{who}", {"narrative": "accepted"})], who, "")
        print(text, flush=True)


def start_writer(path: Path, who: str, number: int) -> subprocess.Popen[str]:
    """Start a process that writes."""
    command = [sys.executable, "-m", "benchmarks.log_stress", "--write", str(path), "--who", who]
    return subprocess.Popen([*command, "--number", str(number)], stdout=subprocess.PIPE, text=True)


def run_writers(path: Path, writers: int, number: int) -> None:
    """Let `writers` processes write `number` decisions each, all at once."""
    running = [start_writer(path, f"w{at}", number) for at in range(writers)]
    for process in running:
        process.communicate()


def check_log(log: DecisionLog, writers: int, number: int) -> list[str]:
    """Return what is wrong: a missing decision, one that is there twice, or one out of its writer's order."""
    problems = []
    history = log.history()
    for at in range(writers):
        texts = [d.text for d in history if d.who == f"w{at}"]
        if texts != [f"Text {n} of w{at}." for n in range(number)]:
            problems.append(f"w{at}: {len(texts)} decisions, {len(set(texts))} different, or in another order")
    twice = [key for key, count in Counter(d.decision_id for d in history).items() if count > 1]
    return problems + [f"id {key} twice" for key in twice]


def kill_writers(folder: Path, rounds: int) -> int:
    """Kill a writer at a random moment, `rounds` times; return the number of acknowledged decisions that were lost."""
    lost, choose = 0, random.Random(0)
    for at in range(rounds):
        path = folder / f"killed-{at}.sqlite"
        process = start_writer(path, "w0", 100_000)
        assert process.stdout is not None
        said = [process.stdout.readline()]
        time.sleep(choose.random() * 0.5)
        process.kill()
        said += process.stdout.readlines()
        process.wait()
        kept = {d.text for d in DecisionLog(path).history()}
        lost += sum(line.rstrip("\n") not in kept for line in said if line.endswith("\n"))
    return lost


def main() -> None:
    """Run both tests on a copy of the store that is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store", type=Path, nargs="?")
    parser.add_argument("--write", type=Path)
    parser.add_argument("--who", default="w0")
    parser.add_argument("--number", type=int, default=DECISIONS)
    options = parser.parse_args()
    if options.write:
        write(options.write, options.who, options.number)
        return
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder, "store")
        shutil.copytree(options.store, store)
        started = time.monotonic()
        DecisionLog(store / DECISIONS_FILE).edit(
            "person", "Nobody", '{"name": "No one"}', "stress", "so that it builds"
        )
        command = [sys.executable, "-m", "narratives", "build", "--store", str(store), "--progress", "none"]
        building = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        run_writers(store / DECISIONS_FILE, WRITERS, DECISIONS)
        written = time.monotonic() - started
        status = building.wait()
        problems = check_log(DecisionLog(store / DECISIONS_FILE), WRITERS, DECISIONS)
        print(f"{WRITERS} writers, {WRITERS * DECISIONS:,} decisions in {written:.0f} s; build ended with {status}")
        print("\n".join(problems) or "all there, in order, none twice")
        print(f"{ROUNDS} kills: {kill_writers(Path(folder), ROUNDS)} acknowledged decisions lost")


if __name__ == "__main__":
    main()
