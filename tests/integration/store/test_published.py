"""Stores in object storage: what is published, what readers get, and what goes wrong; on a real server of S3."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from narratives.cli import main
from narratives.model import LabelledText, StoreError, UsageError
from narratives.model.snapshot import InputRecord
from narratives.store import EXPORT_TABLES, DecisionLog, Store, open_snapshot
from narratives.store.files import SpotChecks
from narratives.store.published import Follower, cache, contents, fetch_published, objects, parse_address, publish
from narratives.store.queries.evidence import query_statement_texts
from narratives.workflows.search import open_index
from tests.conftest import ROOT
from tests.helpers.factory import content
from tests.helpers.loopback import isolated
from tests.helpers.object_storage import ADDRESS, Bucket, ask_server, connect, serve_objects
from tests.helpers.vector_files import DIMENSION, vectors_of

PLACE = parse_address(ADDRESS)
PREFIX = "one/reports"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with serve_objects() as endpoint:
        yield endpoint


@pytest.fixture(autouse=True)
def connected(server, tmp_path, monkeypatch) -> None:
    connect(monkeypatch, server, tmp_path)
    monkeypatch.setenv(cache.CACHE_VARIABLE, str(tmp_path / "cache"))


@pytest.fixture
def bucket(server) -> Bucket:
    ask_server(server, "reset")
    made = Bucket(server)
    made.make()
    return made


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """A store with all that one has: vectors, also of other texts, decisions, uploads and the paths of its inputs."""
    made = Store(tmp_path_factory.mktemp("published") / "reports")
    record = InputRecord(Path("/home/anna/secret/talks.txt"), "talks.txt", "a" * 64, {"text": "body"}, {"title": "t"})
    made.write_snapshot(replace(content(), inputs=(record,)))
    add_vectors(made)
    labelled = LabelledText(1, "A text.", "d", {"wwii_memory": "accepted"})
    DecisionLog(made.path / "decisions.sqlite").add([labelled], "anna@example.org", "")
    (made.path / "uploads" / "x").mkdir(parents=True)
    (made.path / "uploads" / "x" / "talks.txt").write_text("uploaded")
    return made.path


@pytest.fixture
def store(built, tmp_path) -> Store:
    return Store(shutil.copytree(built, tmp_path / "reports"))


def add_vectors(store: Store) -> None:
    with closing(open_snapshot(store.path)) as snapshot:
        texts = query_statement_texts(snapshot)["text"].drop_duplicates().tolist()
    texts = ["a text of an earlier snapshot", *texts]
    store.vectors("tiny", "fp32", DIMENSION).append(texts, vectors_of(texts))


def change(store: Store) -> str:
    """Make another snapshot the current one."""
    snapshot_id = store.write_snapshot(replace(content(), assignments=content().assignments[:3]))
    add_vectors(store)
    return snapshot_id


@pytest.fixture
def sent(monkeypatch) -> list[str]:
    """The names of the objects that the product writes, in order."""
    names: list[str] = []
    write = objects.ObjectStore.write

    def noted(self: objects.ObjectStore, name: str, data: bytes) -> None:
        write(self, name, data)
        names.append(name)

    monkeypatch.setattr(objects.ObjectStore, "write", noted)
    return names


@pytest.fixture
def small_chunks(monkeypatch) -> None:
    monkeypatch.setattr(contents, "CHUNK_BYTES", 200_000)


def run(*arguments: str) -> None:
    assert main(list(arguments)) == 0, arguments


def export_all(place: str, folder: Path) -> dict[str, bytes]:
    folder.mkdir()
    for table in EXPORT_TABLES:
        run("export", table, "--store", place, "--out", str(folder / f"{table}.csv"))
    run("export", "paragraphs", "--store", place, "--out", str(folder / "paragraphs.parquet"))
    run("brief", "--store", place, "--out", str(folder / "brief.html"))
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_exports_and_brief_are_those_of_the_local_store(store, bucket, tmp_path, capsys):
    run("publish", ADDRESS, "--store", str(store.path), "--progress", "none")
    assert f"published {ADDRESS}" in capsys.readouterr().out
    published = export_all(ADDRESS, tmp_path / "published")
    assert published == export_all(str(store.path), tmp_path / "local")
    assert len(published) == len(EXPORT_TABLES) + 2


def test_status_checks_the_copy(store, bucket, capsys):
    publish(store, PLACE)
    run("status", "--store", ADDRESS)
    shown = capsys.readouterr().out
    assert f"store     {ADDRESS}" in shown and "intact" in shown and str(store.current()) in shown
    assert "/home/anna" not in shown


def test_search_by_meaning_works_on_the_copy(store, bucket):
    publish(store, PLACE)
    copy = fetch_published(PLACE, with_vectors=True)
    with closing(open_snapshot(store.path)) as ours, closing(open_snapshot(copy)) as theirs:
        local, fetched = open_index(store.path, ours), open_index(copy, theirs)
    vector = vectors_of(["any"])[0]
    assert fetched.paragraph_ids == local.paragraph_ids
    similar = [index.vectors.similarities(index.rows, vector) for index in (local, fetched)]
    assert np.array_equal(*similar)
    assert len(fetched.vectors) == len(local.vectors) - 1, "of the snapshot's statements only"


def test_nothing_that_is_private_to_the_store_is_published(store, bucket):
    publish(store, PLACE)
    copy = fetch_published(PLACE, with_vectors=True)
    kept = {str(path.relative_to(copy)) for path in copy.rglob("*") if path.is_file()}
    snapshot = f"snapshots/{store.current()}"
    assert kept == {
        *("CURRENT", "published.json", f"{snapshot}/snapshot.duckdb", f"{snapshot}/manifest.json"),
        *(f"vectors/tiny-fp32/{name}" for name in ("meta.json", "keys.bin", "sums.u32", "vectors.f32")),
    }
    everything = b"".join(bucket.read(name) for name in bucket.names())
    for secret in (b"anna", b"/home", b"uploaded", b"A text.", str(store.path).encode()):
        assert secret not in everything
    [record] = Store(copy).manifest(store.current()).inputs
    assert (record.source_path, record.path, record.manifest) == ("talks.txt", Path("talks.txt"), {})


def test_a_store_without_vectors_is_published_without_them(tmp_path, bucket, capsys):
    store = Store(tmp_path / "reports")
    store.write_snapshot(content())
    run("publish", ADDRESS, "--store", str(store.path), "--progress", "json")
    shown = capsys.readouterr()
    assert "no vectors" in shown.out and '"stage": "publishing"' in shown.err
    assert not (fetch_published(PLACE, with_vectors=True) / "vectors").exists()


def test_damage_is_not_published(store, bucket):
    path = store.path / "vectors" / "tiny-fp32" / "vectors.f32"
    whole = path.read_bytes()
    path.write_bytes(whole[:-4] + b"abcd")
    with pytest.raises(StoreError, match="1 damaged ones"):
        publish(store, PLACE)
    path.write_bytes(whole[: -4 * DIMENSION])
    with pytest.raises(StoreError, match="1 missing"):
        publish(store, PLACE)
    path.write_bytes(whole)
    database = store.snapshot_path(store.current()) / "snapshot.duckdb"
    database.write_bytes(database.read_bytes()[:-1] + b"x")
    with pytest.raises(StoreError):
        publish(store, PLACE)
    with pytest.raises(StoreError, match="none yet"):
        publish(Store(store.path / "empty"), PLACE)
    assert not bucket.names()


def test_only_what_is_new_is_sent_and_fetched(store, bucket, sent, small_chunks, monkeypatch):
    first = publish(store, PLACE)
    assert 0 < first.sent <= first.total and sent[-2:] == [f"published/{store.current()}", "CURRENT"]
    copy = fetch_published(PLACE, with_vectors=True)
    sent.clear()
    assert publish(store, PLACE).sent == 0
    assert sent == [f"published/{store.current()}", "CURRENT"]

    sent.clear()
    store.put_spot_checks(store.current(), SpotChecks((), "a caveat"))
    publish(store, PLACE)
    assert len(sent) == 4, "the spot checks, the list and the pointers"
    fetched: list[str] = []
    read = objects.ObjectStore.read
    monkeypatch.setattr(
        objects.ObjectStore, "read", lambda self, name, most: fetched.append(name) or read(self, name, most)
    )
    renewed = fetch_published(PLACE, with_vectors=True)
    assert fetched == ["CURRENT", *reversed(sent[:2])]
    with closing(open_snapshot(renewed)) as new, closing(open_snapshot(copy)) as old:
        assert new.spot_checks() == SpotChecks((), "a caveat") and old.spot_checks() is None
    fetched.clear()
    assert fetch_published(PLACE) == renewed
    assert fetched == ["CURRENT"]


def test_a_stopped_publication_continues_and_readers_see_the_old_snapshot(
    store, bucket, sent, small_chunks, monkeypatch
):
    before = publish(store, PLACE)
    after = change(store)
    sent.clear()
    write = objects.ObjectStore.write

    def stop(self: objects.ObjectStore, name: str, data: bytes) -> None:
        if len(sent) == 5 or name == "CURRENT":
            raise KeyboardInterrupt
        write(self, name, data)

    for _ in range(2):  # once between the chunks, once before the pointer
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(objects.ObjectStore, "write", stop)
            publish(store, PLACE)
        assert Store(fetch_published(PLACE)).current() == before.manifest.snapshot_id
        done = list(sent)
        sent.append("")
    publish(store, PLACE)
    assert Store(fetch_published(PLACE)).current() == after
    assert len(done) > 6 and len(set(sent) - {""}) == len([*filter(None, sent)]) - 1, "only the pointer twice"


def test_a_killed_process_leaves_the_old_snapshot(store, bucket, tmp_path):
    """The process ends while the first chunk is on its way, as it would without power."""
    before = publish(store, PLACE).manifest.snapshot_id
    change(store)
    code = (
        "import os, sys; from pathlib import Path; from narratives.store import Store\n"
        "from narratives.store.published import objects, parse_address, publish\n"
        "def die(self, name, data):\n"
        "    stream = self._system.open_output_stream(self._locate(name)); stream.write(data[:-1]); os._exit(9)\n"
        "objects.ObjectStore.write = die\n"
        f"publish(Store(Path({str(store.path)!r})), parse_address({ADDRESS!r}))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 9
    assert Store(fetch_published(PLACE)).current() == before


def test_an_earlier_snapshot_is_still_there(store, bucket, tmp_path, capsys):
    earlier = publish(store, PLACE).manifest.snapshot_id
    run("export", "assignments", "--store", str(store.path), "--out", str(tmp_path / "a.csv"))
    change(store)
    publish(store, PLACE)
    run("export", "assignments", "--store", ADDRESS, "--as-of", earlier, "--out", str(tmp_path / "b.csv"))
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    assert main(["export", "assignments", "--store", ADDRESS, "--as-of", "0" * 12]) == 1
    assert "snapshot 000000000000" in capsys.readouterr().err
    assert main(["export", "assignments", "--store", ADDRESS, "--as-of", "../../x"]) == 1


def test_a_damaged_object_is_refused_and_named(store, bucket):
    publish(store, PLACE)
    largest = max(bucket.names(), key=lambda name: len(bucket.read(name)))
    whole = bucket.read(largest)
    for damaged in (whole[:-1] + bytes([whole[-1] ^ 1]), whole + b"x", whole[:-1], b""):
        bucket.write(largest, damaged)
        with pytest.raises(StoreError, match=largest.removeprefix(f"{PREFIX}/")):
            fetch_published(PLACE)
    bucket.remove(largest)
    with pytest.raises(StoreError, match="no such object"):
        fetch_published(PLACE)
    publish(store, PLACE)
    assert Store(fetch_published(PLACE)).current() == store.current()


def test_a_damaged_copy_is_fetched_again(store, bucket, small_chunks, tmp_path):
    publish(store, PLACE)
    copy = fetch_published(PLACE, with_vectors=True)
    whole = {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}
    for damage in (lambda data: data[:-2] + b"\0\1", lambda data: data + b"x", lambda data: b"", None):
        for path, data in whole.items():
            path.write_bytes(damage(data)) if damage else path.unlink()
        assert fetch_published(PLACE, with_vectors=True) == copy
        assert {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()} == whole
    assert not list((tmp_path / "cache").rglob(".tmp-*"))


def test_an_interrupted_fetch_continues(store, bucket, small_chunks, monkeypatch):
    publish(store, PLACE)
    fetched: list[str] = []
    read = objects.ObjectStore.read

    def stop(self: objects.ObjectStore, name: str, most: int) -> bytes | None:
        if len(fetched) == 6:
            raise KeyboardInterrupt
        fetched.append(name)
        return read(self, name, most)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(objects.ObjectStore, "read", stop)
        fetch_published(PLACE)
    first = set(fetched[2:])
    monkeypatch.setattr(
        objects.ObjectStore, "read", lambda self, name, most: fetched.append(name) or read(self, name, most)
    )
    fetch_published(PLACE)
    assert first and not first & set(fetched[6:])


def test_several_may_fetch_at_once(store, bucket):
    publish(store, PLACE)
    places: list[Path] = []
    threads = [
        threading.Thread(target=lambda: places.append(fetch_published(PLACE, with_vectors=True))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(places) == 4 and len(set(places)) == 1


def test_old_copies_are_removed(store, bucket, monkeypatch):
    monkeypatch.setattr(cache, "KEPT_SNAPSHOTS", 2)
    copies = []
    for kept in range(1, 4):
        store.write_snapshot(replace(content(), assignments=content().assignments[:kept]))
        add_vectors(store)
        publish(store, PLACE)
        copies.append(fetch_published(PLACE))
        os.utime(copies[-1].parent, (kept, kept))
    fetch_published(PLACE)
    assert [path.exists() for path in copies] == [False, True, True]


@pytest.mark.parametrize(
    "pointer",
    [
        b"../../x",
        b"",
        b"\xff\xfe",
        b"../../../x12 " + b"0" * 64,
        b"0123456789ab ../../" + b"0" * 58,
        b"0123456789ab " + b"0" * 64 + b"\nmore",
        b"0123456789ab\n" * 100_000,
    ],
)
def test_a_pointer_that_is_none_is_refused(bucket, pointer):
    bucket.write(f"{PREFIX}/CURRENT", pointer)
    with pytest.raises(StoreError, match="a snapshot id and a SHA-256"):
        fetch_published(PLACE)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("path", "../../../../outside"),
        ("path", "/tmp/outside"),
        ("path", "snapshots/0123456789ab/../../../outside"),
        ("path", "snapshots/../snapshot.duckdb"),
        ("path", "vectors/../meta.json"),
        ("path", "vectors/./meta.json"),
        ("path", "vectors/x/y/meta.json"),
        ("path", "decisions.sqlite"),
        ("path", "snapshots/0123456789ab/pinned"),
        ("path", 3),
        ("chunks", ["../../CURRENT"]),
        ("chunks", [3]),
        ("chunks", []),
        ("size", -1),
        ("size", True),
        ("size", "7"),
        ("size", 1 << 60),
    ],
)
def test_a_list_that_leads_elsewhere_is_refused(bucket, tmp_path, field, value):
    """Whoever may write to the bucket must not be able to write anywhere else through a reader."""
    snapshot_id = "0123456789ab"
    chunk = contents.compute_sha256(b"x")
    named = [f"snapshots/{snapshot_id}/{name}" for name in ("snapshot.duckdb", "manifest.json", "quality.json")]
    rows = [{"path": path, "size": 1, "chunks": [chunk]} for path in named]
    rows[2][field] = value
    data = json.dumps({"version": 1, "snapshot_id": snapshot_id, "files": rows}).encode()
    bucket.write(f"{PREFIX}/objects/{chunk}", b"x")
    bucket.write(f"{PREFIX}/objects/{contents.compute_sha256(data)}", data)
    bucket.write(f"{PREFIX}/CURRENT", f"{snapshot_id} {contents.compute_sha256(data)}\n".encode())
    with pytest.raises(StoreError, match="a list of the files"):
        fetch_published(PLACE)
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and path.name != ".lock"]


def test_what_is_missing_is_named(store, bucket, server, capsys):
    assert main(["status", "--store", ADDRESS]) == 1
    assert f"Expected a published snapshot at {ADDRESS}; got no CURRENT there" in capsys.readouterr().err
    for arguments in (
        ["publish", "s3://no-such-bucket/x", "--store", str(store.path)],
        ["status", "--store", "s3://no-such-bucket/x"],
    ):
        assert main([*arguments]) == 1
        shown = capsys.readouterr().err
        assert "bucket" in shown and server in shown and "correct its name" in shown.lower()


def test_keys_that_the_server_does_not_know(store, bucket, server, capsys):
    publish(store, PLACE)
    ask_server(server, "reset-auth", b"0")
    try:
        for arguments in (["publish", ADDRESS, "--store", str(store.path)], ["status", "--store", ADDRESS]):
            assert main(arguments) == 1
            assert "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY" in capsys.readouterr().err
    finally:
        ask_server(server, "reset-auth", b"1000000000")


def test_the_permission_to_write_may_be_missing(store, monkeypatch):
    message = (
        "When uploading key 'x': AWS Error ACCESS_DENIED during PutObject operation: Access Denied (Request ID: 1)"
    )
    error = objects.ObjectStore(PLACE)._make_error("to write x", message)
    assert error.got.startswith("ACCESS_DENIED during PutObject operation: Access Denied (from")
    assert "permissions" in error.hint


def test_a_server_that_is_gone(store, bucket, monkeypatch, capsys):
    monkeypatch.setattr(objects, "ATTEMPTS", 1)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    for arguments in (["publish", ADDRESS, "--store", str(store.path)], ["status", "--store", ADDRESS]):
        assert main(arguments) == 1
        assert "http://127.0.0.1:9). Check the network and AWS_ENDPOINT_URL" in capsys.readouterr().err


def test_a_process_that_runs_follows_what_is_published(store, bucket, monkeypatch):
    now = 0.0
    monkeypatch.setattr(objects, "ATTEMPTS", 1)
    with serve_objects() as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        publish(store, PLACE)
        follower = Follower(PLACE, every=60, clock=lambda: now)
        first = follower.locate()
        earlier = store.current()
        change(store)
        publish(store, PLACE)
        now = 59.0
        assert follower.locate() == first and follower._thread is None
        now = 60.0
        assert follower.locate() == first, "the request that notices it does not wait"
        follower._thread.join()
        assert Store(follower.locate()).current() == store.current()
        assert follower.locate(earlier) == first and not follower.problem
        with pytest.raises(StoreError):
            follower.locate("0" * 12)
    now = 120.0
    follower.locate()
    follower._thread.join()
    assert Store(follower.locate()).current() == store.current()
    assert follower.problem
    # A process that starts now shows the copy as well.
    late = Follower(PLACE)
    assert Store(late.locate()).current() == store.current() and late.problem
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    empty = Follower(PLACE, clock=lambda: now)
    for _ in range(2):
        with pytest.raises(StoreError, match="NETWORK_CONNECTION"):
            empty.locate()


@pytest.mark.parametrize(
    "arguments",
    [
        ["build", "x"],
        ["review", "export", "x.jsonl"],
        ["codebook", "export", "x.toml"],
        ["spotcheck", "draw", "x.csv"],
        ["evaluate", "--gold", "x"],
        ["train"],
        ["annotate", "--endpoint", "http://127.0.0.1:9", "--model", "m"],
        ["check", "--repair"],
        ["rollback"],
        ["prune"],
        ["backup", "x.zip"],
        ["restore", "x.zip"],
        ["publish", ADDRESS],
    ],
)
def test_commands_that_need_a_folder_refuse(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        main([*arguments, "--store", ADDRESS])
    assert stopped.value.code == 2
    assert "A published store is read-only" in capsys.readouterr().err


def test_the_dashboard_is_given_the_address(monkeypatch):
    given: list[dict[str, str]] = []
    monkeypatch.setattr(os, "execve", lambda program, arguments, environment: given.append(environment))
    with pytest.raises(TypeError):  # a real call never returns
        main(["dashboard", "--store", f"{ADDRESS}/"])
    assert given[0]["NARRATIVES_STORE"] == ADDRESS


def test_the_copy_cannot_be_changed(store, bucket):
    publish(store, PLACE)
    copy = Store(fetch_published(PLACE))
    with pytest.raises(StoreError, match="copy of a published one"), copy.lock():
        pass
    assert main(["prune", "--store", str(copy.path)]) == 1


@pytest.mark.parametrize(
    "text",
    [
        *("s3://", "s3:///x", "s3://b", "s3://bucket/../x", "s3://bucket/a//b", "s3://bucket/./x", "s3://bucket/a?b"),
        *("s3://bucket/a\nb", "s3://bucket/a\\b", "http://bucket/x", "s3://key:secret@bucket/x", "s3://.bucket/x"),
    ],
)
def test_what_is_no_address(text):
    with pytest.raises(UsageError) as caught:
        parse_address(text)
    assert "secret" not in str(caught.value)


def test_addresses():
    assert str(parse_address("S3://bucket/")) == "s3://bucket" and parse_address("s3://bucket").name == "bucket"
    assert parse_address("s3://bucket/a/Berichte 2026/").name == "Berichte-2026"


def test_settings_come_from_the_environment_and_the_files_of_aws(tmp_path):
    read = objects.read_connection
    file = tmp_path / "config"
    file.write_text(
        "[default]\nregion = eu-west-3\n[profile a]\nregion=eu-north-1\nendpoint_url = http://a:1\nca_bundle=/a.pem\n"
        "[profile b]\nservices = b\n[services b]\ns3 =\n  endpoint_url = http://b:2\n",
        encoding="utf-8",
    )
    base = {"AWS_CONFIG_FILE": str(file)}
    assert read(base) == objects.Connection("", "eu-west-3", "")
    assert read({**base, "AWS_PROFILE": "a"}) == objects.Connection("http://a:1", "eu-north-1", "/a.pem")
    assert read({**base, "AWS_PROFILE": "b"}).endpoint == "http://b:2"
    assert read({**base, "AWS_PROFILE": "none"}) == objects.Connection("", "", "")
    named = {**base, "AWS_PROFILE": "a", "AWS_ENDPOINT_URL": "http://c", "AWS_REGION": "x", "AWS_CA_BUNDLE": "/c"}
    assert read(named) == objects.Connection("http://c", "x", "/c")
    assert read({**named, "AWS_ENDPOINT_URL_S3": "http://d"}).endpoint == "http://d"
    assert read({**named, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}).endpoint == ""
    file.write_bytes(b"[unclosed\n")
    with pytest.raises(StoreError, match="AWS settings"):
        read(base)


@pytest.mark.parametrize("endpoint", ["localhost:9000", "ftp://x", "http://x/path", "http://k:s@x", "http://"])
def test_an_endpoint_that_is_no_server(monkeypatch, endpoint):
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    with pytest.raises(UsageError, match="an endpoint such as"):
        objects.ObjectStore(PLACE)


def test_no_other_machine_is_contacted(tmp_path):
    """Nothing but the endpoint that was named, even without credentials and a region: no metadata service, no name."""
    code = f"from narratives.cli import main; main(['status', '--store', '{ADDRESS}'])"
    command = isolated(tmp_path / "sent", sys.executable, "-c", code)
    if not command:
        pytest.skip("this user may not make a network namespace, or `unshare` or `ip` is missing")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    named = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env={**environment, **named}, capture_output=True, text=True)
    assert "NETWORK_CONNECTION" in done.stderr, done.stderr
    assert not (tmp_path / "sent").read_text()
