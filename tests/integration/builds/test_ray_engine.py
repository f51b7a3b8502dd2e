"""`build --engine ray`: the bytes of a local build, whatever happens to a worker or to the build itself.

`benchmarks/ray_engine.py` compares exports with the real model, which takes longer.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from zipfile import ZipFile

import pytest

from narratives import embed, parse, read
from narratives.cli import main
from narratives.model import EncoderError, UsageError
from narratives.model.snapshot import BuildReport
from narratives.resources import SAMPLE_FOLDER
from narratives.store import Store
from narratives.workflows.build import BuildRequest, build
from narratives.workflows.engines import cluster, ray_engine
from narratives.workflows.engines.engine import EngineName, open_engine
from tests.conftest import ROOT
from tests.helpers.determinism_builds import exports
from tests.helpers.fakes import DIMENSION, FakeEncoder
from tests.helpers.loopback import isolated
from tests.helpers.ray_builds import WatchedEncoder, read_log, share_little_work

# Ray reads its settings when it is imported, so that is left to the product.
pytestmark = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="the package ray is not installed")

DOCUMENTS = 12


@pytest.fixture(scope="module", autouse=True)
def two_workers() -> Iterator[None]:
    """One cluster for all tests, which is given even the least work."""
    kept = dict(ray_engine.LEAST_ITEMS), dict(ray_engine.BLOCK_BYTES)
    share_little_work()
    with cluster.open_cluster(2):
        yield
    ray_engine.LEAST_ITEMS.update(kept[0])
    ray_engine.BLOCK_BYTES.update(kept[1])


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with tables, a text, an archive, a manifest, and files that cannot be read."""
    folder = tmp_path_factory.mktemp("texts")
    lines = [line for path in sorted(SAMPLE_FOLDER.glob("2*.jsonl")) for line in path.read_text("utf-8").splitlines()]
    rows = [json.loads(line) for line in lines[:DOCUMENTS]]
    for row in rows:
        for part in row["paragraphs"]:
            part["text"] += " So it was said."  # the vectors of the sample ship with the program
    for start in range(0, DOCUMENTS, 4):
        part = "".join(json.dumps(row) + "\n" for row in rows[start : start + 4])
        (folder / f"part{start}.jsonl").write_text(part, "utf-8")
    (folder / "copy.jsonl").write_text(json.dumps({**rows[0], "id": "a copy of it", "url": ""}), "utf-8")
    text = "Talks\n\nMinsk, 05/06/2018\n\nThe minister said that the talks had been useful for both countries.\n"
    (folder / "talks.txt").write_text(text, "utf-8")
    (folder / "manifest.csv").write_text("path,speaker\ntalks.txt,Sergey Lavrov\n", "utf-8")
    with ZipFile(folder / "more.zip", "w") as packed:
        packed.writestr("inside.txt", text.replace("useful", "long"))
    (folder / "damaged.jsonl").write_text('{"text": ', "utf-8")
    (folder / "empty.txt").touch()
    return folder


def run(texts: Path, store: Path, engine: EngineName, encoder: FakeEncoder | None) -> BuildReport:
    """Build and export; the report without its time."""
    report = build(BuildRequest((str(texts),), store, engine=engine), encoder=encoder)
    exports(store, store.with_suffix(".exports"))
    return replace(report, seconds=0)


def read_exports(store: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(store.with_suffix(".exports").iterdir())}


def count_vectors(store: Path) -> int:
    return len(Store(store).vectors("fake", "fp32", DIMENSION))


@pytest.fixture(scope="module")
def local(texts: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, BuildReport]:
    store = tmp_path_factory.mktemp("local") / "store"
    return store, run(texts, store, "local", FakeEncoder())


@pytest.fixture
def no_work_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process may read only what workers cannot, and parse nothing."""
    read_verified = read.read_file_verified

    def read_unseen(file, *arguments):
        assert file.place or file.path.name == "empty.txt" or file.path.suffix != ".jsonl", file.path
        return read_verified(file, *arguments)

    def parse_here(*_: object) -> None:
        raise AssertionError("a document was parsed in this process")

    monkeypatch.setattr(read, "read_file_verified", read_unseen)
    monkeypatch.setattr(parse, "parse_lasting", parse_here)


def test_the_result_is_that_of_a_local_build(texts, local, tmp_path, no_work_here):
    store, encoder = tmp_path / "store", FakeEncoder()
    report = run(texts, store, "ray", encoder)
    assert report == local[1]
    assert read_exports(store) == read_exports(local[0]) and report.rejected
    assert encoder.encoded == []  # the workers have copies of it
    assert count_vectors(store) == count_vectors(local[0])
    assert not (store / "cache" / "shards").exists()
    for path in (local[0] / "inputs").iterdir():
        assert (store / "inputs" / path.name).read_bytes() == path.read_bytes()


def test_a_second_build_gives_the_workers_only_what_is_new(texts, local, tmp_path):
    store, log = tmp_path / "store", tmp_path / "log"
    shutil.copytree(local[0], store)
    (tmp_path / "new.txt").write_text("The two sides have agreed on a new plan for the coming year.\n", "utf-8")
    report = build(BuildRequest((str(tmp_path / "new.txt"),), store, engine="ray"), encoder=WatchedEncoder(log))
    assert report.encoded == 1 and len(read_log(log)) == 1
    assert build(BuildRequest((), store, engine="ray"), encoder=WatchedEncoder(log)).unchanged
    assert len(read_log(log)) == 1


def test_a_killed_worker_costs_nothing(texts, local, tmp_path):
    store, log = tmp_path / "store", tmp_path / "log"
    report = run(texts, store, "ray", WatchedEncoder(log, dies_at="talks had been long"))
    died = int(log.with_suffix(".died").read_text("utf-8"))
    assert died != os.getpid() and not Path(f"/proc/{died}").exists()
    assert report == local[1] and read_exports(store) == read_exports(local[0])
    assert count_vectors(store) == count_vectors(local[0])


def test_an_error_of_a_worker_is_that_of_the_build(texts, local, tmp_path):
    """What was done before stays, and the next build does only the rest."""
    store, log = tmp_path / "store", tmp_path / "log"
    with pytest.raises(EncoderError, match="a text without this word; got talks had been long"):
        run(texts, store, "ray", WatchedEncoder(log, fails_at="talks had been long"))
    before = read_log(log)
    assert run(texts, store, "ray", WatchedEncoder(log)).snapshot == local[1].snapshot
    assert read_exports(store) == read_exports(local[0])
    again = read_log(log)[len(before) :]
    assert len(set(before) & set(again)) < len(before) / 2  # what was on its way to the build


def test_a_killed_build_continues(texts, local, tmp_path):
    """Also: Ray ends with the build, and nothing is sent to another machine."""
    store, log = tmp_path / "store", tmp_path / "log"
    command = [sys.executable, "-m", "tests.helpers.ray_builds", str(texts), str(store), str(log)]
    short = Path(tempfile.mkdtemp(dir="/tmp"))
    try:
        environment = {**os.environ, "TMPDIR": str(short)}
        first = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 120
        while len(read_log(log)) < 60 and first.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        first.kill()
        assert first.wait() == -signal.SIGKILL
        before = read_log(log)
        while processes := find_processes(str(short)):
            assert time.monotonic() < deadline, processes
            time.sleep(0.2)
        sent = tmp_path / "sent"
        subprocess.run(isolated(sent, *command) or command, cwd=ROOT, env=environment, check=True)
        assert not sent.exists() or not sent.read_text("utf-8")
    finally:
        shutil.rmtree(short)
    exports(store, store.with_suffix(".exports"))
    assert read_exports(store) == read_exports(local[0])
    assert count_vectors(store) == count_vectors(local[0])
    # What was on its way to the build when it was killed is done again.
    repeated = sum(number - 1 for number in Counter(read_log(log)).values())
    assert repeated < len(before) / 2


def find_processes(word: str) -> list[str]:
    """The commands of the running processes in which a word stands."""
    commands = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_text("utf-8", "replace").replace("\0", " ")
        except OSError:  # it has ended
            continue
        if word in command:
            commands.append(command)
    return commands


def test_a_started_cluster_is_reached_from_this_machine_only():
    import ray

    assert {node["NodeManagerAddress"] for node in ray.nodes()} == {"127.0.0.1"}
    assert os.environ["RAY_AUTH_MODE"] == "token" and len(os.environ["RAY_AUTH_TOKEN"]) == 64


def test_without_ray_the_command_says_how_to_install_it(texts, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(ray_engine.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"pip install 'narrative-tracker\[ray\]'"):
        open_engine("ray", Store(tmp_path / "store"))
    assert main(["build", str(texts), "--store", str(tmp_path / "store"), "--engine", "ray"]) == 2
    assert "narrative-tracker[ray]" in capsys.readouterr().err


def test_the_encoder_of_another_model_is_refused():
    """A worker of another machine may have other files."""
    encoder = embed.load_encoder()
    load, arguments = encoder.__reduce__()
    assert load(*arguments).name == encoder.name
    with pytest.raises(EncoderError, match="instead of another"):
        load(arguments[0], "another", *arguments[2:])
