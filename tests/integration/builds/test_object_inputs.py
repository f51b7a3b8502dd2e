"""Inputs in object storage, on a real server of S3: they are read as the same files in a folder would be."""

from __future__ import annotations

import errno
import gzip
import importlib.util
import io
import json
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen
from zipfile import ZipFile

import pytest

from narratives import read
from narratives.model import InputFile, RawDocument, Rejected, StoreError
from narratives.model.snapshot import BuildReport
from narratives.store import Store, open_snapshot
from narratives.store.inputs import load_input_records
from narratives.store.published import ObjectStore
from narratives.workflows.build import BuildRequest, build
from narratives.workflows.engines.engine import EngineName
from tests.helpers.determinism_builds import exports
from tests.helpers.fakes import FakeEncoder
from tests.helpers.object_storage import ADDRESS, BUCKET, Bucket, ask_server, connect, serve_objects

PREFIX = ADDRESS.removeprefix(f"s3://{BUCKET}/")
TOP = ("README.md", "damaged.jsonl", "gas.txt", "packed.jsonl.gz", "picture.png")
TALKS = "Talks\n\nMinsk, 5 June 2018\n\nThe minister said that the talks on {} had been useful for both countries.\n"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with serve_objects() as endpoint:
        yield endpoint


@pytest.fixture
def bucket(server, tmp_path, monkeypatch) -> Bucket:
    connect(monkeypatch, server, tmp_path)
    ask_server(server, "reset")
    made = Bucket(server)
    made.make()
    return made


@pytest.fixture
def texts(tmp_path: Path, bucket: Bucket) -> Path:
    """A folder with texts, a table, an archive, a manifest and files that are not read; the bucket has the same."""
    folder = tmp_path / "texts"
    packed = io.BytesIO()
    with ZipFile(packed, "w") as archive:
        archive.writestr("inside.txt", TALKS.format("trade"))
    row = {"id": "row", "date": "2019-02-03", "text": "The president said that both sides wanted peace in the region."}
    contents = {
        "gas.txt": TALKS.format("gas").encode(),
        "2019/table.jsonl": json.dumps(row).encode(),
        "2019/more.zip": packed.getvalue(),
        "manifest.csv": b"path,speaker\ngas.txt,Sergey Lavrov\n",
        "README.md": b"About these texts",
        "picture.png": b"no text",
        "damaged.jsonl": b'{"text": ',
        "packed.jsonl.gz": gzip.compress(json.dumps({**row, "id": "packed", "text": row["text"].upper()}).encode()),
    }
    for name, data in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
        bucket.write(f"{PREFIX}/{name}", data)
    return folder


def run(place: str, store: Path, engine: EngineName = "local", remove: tuple[str, ...] = ()) -> BuildReport:
    return build(BuildRequest((place,) if place else (), store, engine=engine, remove=remove), encoder=FakeEncoder())


def list_sources(store: Path) -> list[str]:
    return [record.source_path for record in load_input_records(store) or ()]


def read_exports(store: Path, folder: Path) -> dict[str, str]:
    """The exports of a store, with the paths of its inputs below `texts`, on which the id of the snapshot depends."""
    exports(store, folder)
    contents = {path.name: path.read_text("utf-8").replace(ADDRESS, "texts") for path in sorted(folder.iterdir())}
    return {name: content.replace(Store(store).current() or "", "the snapshot") for name, content in contents.items()}


def test_objects_give_what_files_give(texts, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    local, remote = run("texts", tmp_path / "local"), run(ADDRESS, tmp_path / "remote")
    assert list_sources(tmp_path / "remote") == [
        f"{ADDRESS}/{name}" for name in ("2019/more.zip/inside.txt", "2019/table.jsonl", *TOP)
    ]
    assert read_exports(tmp_path / "remote", tmp_path / "b") == read_exports(tmp_path / "local", tmp_path / "a")
    assert [(one.source_path.replace(ADDRESS, "texts"), one.row, one.reason) for one in remote.rejected] == [
        (one.source_path, one.row, one.reason) for one in local.rejected
    ]
    assert len(local.rejected) == 2 and run(ADDRESS, tmp_path / "remote").unchanged


def test_the_address_of_one_object_is_an_input_and_can_be_removed(texts, tmp_path):
    store = tmp_path / "store"
    run(f"{ADDRESS}/gas.txt", store)
    assert list_sources(store) == [f"{ADDRESS}/gas.txt"]
    run(f"{ADDRESS}/2019/", store)
    assert len(list_sources(store)) == 3
    run("", store, remove=(f"{ADDRESS}/2019".replace("s3:", "S3:"),))
    assert list_sources(store) == [f"{ADDRESS}/gas.txt"]


def test_names_that_no_file_can_have_are_refused(texts, bucket, tmp_path):
    bucket.write(f"{PREFIX}/{'x' * 300}.txt", b"too long")
    bucket.write(f"{PREFIX}/gas.txt/below.txt", b"below the name of a file")
    rejected = run(ADDRESS, tmp_path / "store").rejected
    reasons = {one.source_path.removeprefix(ADDRESS)[:10]: one.reason for one in rejected}
    assert "File name too long" in reasons["/xxxxxxxxx"] and "File exists" in reasons["/gas.txt/b"]


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        (f"s3://{BUCKET}/nothing", "Expected objects at s3://narratives-test/nothing; got none"),
        ("s3://no-such-bucket/x", "NO_SUCH_BUCKET|none"),
        ("s3://user:secret@bucket/x", "Set AWS_ACCESS_KEY_ID"),
    ],
)
def test_what_is_not_there_is_rejected_and_the_rest_is_built(texts, tmp_path, place, reason):
    request = BuildRequest((place, str(texts / "gas.txt")), tmp_path / "store")
    [rejected] = build(request, encoder=FakeEncoder()).rejected
    assert re.search(reason, rejected.reason) and "secret" not in rejected.reason
    assert list_sources(tmp_path / "store") == [str(texts / "gas.txt")]


def test_documents_stay_while_the_storage_cannot_be_reached(texts, tmp_path, monkeypatch):
    store = tmp_path / "store"
    run(ADDRESS, store)
    before = list_sources(store)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    report = run(ADDRESS, store)
    assert "Check the network and AWS_ENDPOINT_URL" in report.rejected[0].reason
    assert list_sources(store) == before


def count_documents(store: Path) -> int:
    with closing(open_snapshot(store)) as snapshot:
        return int(snapshot.frame("SELECT count(*) FROM snap.documents WHERE status = 'read'").iloc[0, 0])


FULL = OSError(errno.ENOSPC, "No space left on device")


def fail_to_copy(monkeypatch: pytest.MonkeyPatch, failing: str, error: Exception, part: bytes = b"") -> None:
    """Let the copy of one object end in an error, after a part of it."""
    download = ObjectStore.download

    def copy(self: ObjectStore, name: str, path: Path) -> None:
        if name == failing:
            path.write_bytes(part)
            raise error
        download(self, name, path)

    monkeypatch.setattr(ObjectStore, "download", copy)


def test_a_copy_that_breaks_off_is_not_read(texts, tmp_path, monkeypatch):
    store = tmp_path / "store"
    run(ADDRESS, store)
    before = count_documents(store)
    part = b"The beginning of it, and no more than that, was copied before the disk was full."
    fail_to_copy(monkeypatch, "gas.txt", FULL, part)
    report = run(ADDRESS, store)
    assert any("No space left on device" in one.reason for one in report.rejected)
    assert count_documents(store) == before


def test_a_manifest_that_cannot_be_copied_leaves_everything_as_it_was(texts, tmp_path, monkeypatch):
    store = tmp_path / "store"
    run(ADDRESS, store)
    before = load_input_records(store)
    fail_to_copy(monkeypatch, "manifest.csv", FULL)
    [rejected] = run(ADDRESS, store).rejected
    assert rejected.source_path == ADDRESS and "a copy of manifest.csv" in rejected.reason
    assert load_input_records(store) == before


def test_one_object_that_the_storage_refuses_is_rejected_alone(texts, tmp_path, monkeypatch):
    fail_to_copy(monkeypatch, "gas.txt", StoreError("to read gas.txt", "INVALID_OBJECT_STATE", "Restore it."))
    report = run(ADDRESS, tmp_path / "store")
    assert any("INVALID_OBJECT_STATE" in one.reason for one in report.rejected) and report.counts
    assert f"{ADDRESS}/2019/table.jsonl" in list_sources(tmp_path / "store")


def test_a_name_that_leads_elsewhere_is_not_the_place_of_another_input(texts, server, tmp_path):
    store, local = tmp_path / "store", texts / "gas.txt"
    run(str(local), store)
    put = Request(f"{server}/{BUCKET}/odd/{local}", b"two slashes in its name", method="PUT")
    urlopen(put).close()  # the library of the other tests refuses such names
    run(f"s3://{BUCKET}/odd", store)
    records = {record.path: record for record in load_input_records(store) or ()}
    assert records[local].source_path == str(local) and not records[local].refusals
    assert len(records) == 2 and all(path == local or path.parts[:2] == ("s3:", BUCKET) for path in records)


def test_one_object_keeps_the_values_of_its_manifest_and_forgets_no_other(texts, tmp_path):
    store = tmp_path / "store"
    run(ADDRESS, store)
    before = load_input_records(store)
    report = run(f"{ADDRESS}/gas.txt", store)
    assert load_input_records(store) == before and report.rejected == ()


def test_objects_below_the_name_of_another_are_not_passed_over(texts, bucket, tmp_path):
    bucket.write("both.txt", TALKS.format("fish").encode())
    bucket.write("both.txt/more.txt", TALKS.format("corn").encode())
    report = run(f"s3://{BUCKET}/both.txt", tmp_path / "store")
    assert list_sources(tmp_path / "store") == [f"s3://{BUCKET}/both.txt", f"s3://{BUCKET}/both.txt/more.txt"]
    assert [one.source_path for one in report.rejected] == [f"s3://{BUCKET}/both.txt/more.txt"]


def test_credentials_in_an_address_are_shown_nowhere(texts, tmp_path):
    report = run("S3://key:secret@bucket/x", tmp_path / "store")
    assert report.rejected and "secret" not in repr(report)


@pytest.mark.parametrize("name", ["gas.txt", "2019/more.zip/inside.txt", "# 50 %/odd?.txt"])
def test_the_rows_of_any_object_can_be_made_again(texts, bucket, tmp_path, name):
    bucket.write(f"{PREFIX}/# 50 %/odd?.txt", TALKS.format("the weather").encode())
    store = tmp_path / "store"
    run(ADDRESS, store)
    [record] = [one for one in load_input_records(store) or () if one.source_path == f"{ADDRESS}/{name}"]
    (store / "inputs" / f"{record.hash}.jsonl.gz").write_bytes(b"")
    (tmp_path / "other.txt").write_text(TALKS.format("coal"), "utf-8")
    notes = run(str(tmp_path / "other.txt"), store).notes
    assert any(name in note and "made again" in note for note in notes)


@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="the package ray is not installed")
def test_the_workers_of_a_cluster_read_objects_themselves(texts, tmp_path, monkeypatch):
    from narratives.workflows.engines import cluster, ray_engine

    local = run(ADDRESS, tmp_path / "local")
    monkeypatch.setattr(ray_engine, "LEAST_ITEMS", dict.fromkeys(ray_engine.LEAST_ITEMS, 1))
    read_verified, read_here = read.read_file_verified, []

    def note_and_read(file: InputFile, *rest: Any) -> Iterator[RawDocument | Rejected]:
        read_here.append(file.source_path)
        return read_verified(file, *rest)

    monkeypatch.setattr(read, "read_file_verified", note_and_read)
    with cluster.open_cluster(1):
        remote = run(ADDRESS, tmp_path / "ray", "ray")
    assert read_here == []
    assert read_exports(tmp_path / "ray", tmp_path / "b") == read_exports(tmp_path / "local", tmp_path / "a")
    assert remote.rejected == local.rejected
