"""Damage and kills: a build tells what was damaged, makes it anew, and ends where a whole store would."""

from __future__ import annotations

import multiprocessing
import os
import random
import re
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from narratives.cli import main
from narratives.dashboard import cached_queries
from narratives.model import BuildReport, QualityMetrics, SnapshotContent, SpotCheck, StoreError
from narratives.store import Snapshot, SpotChecks, Store, open_snapshot
from narratives.store.queries import map as map_queries
from narratives.store.snapshot_reader import DATABASE_FILE
from narratives.workflows import search
from narratives.workflows.build import BuildRequest, build
from narratives.workflows.evaluate import EvaluationRequest, evaluate_matching
from tests.helpers.factory import content, document, verify_snapshot
from tests.helpers.fakes import DIMENSION, FakeEncoder, use_encoder
from tests.integration.builds.test_build import rows, small_codebook, write

PERFECT = QualityMetrics("", 3, *[1.0] * 12)
CHECKS = SpotChecks((SpotCheck("bases", 3, 2),), "by hand")
ROW = 4 * DIMENSION


@dataclass(frozen=True)
class Made:
    """A store with one snapshot, what to build next, and the snapshot that this gives where all is whole."""

    folder: Path
    first: str
    second: str

    @property
    def store(self) -> Path:
        return self.folder / "store"

    def build(self, *names: str, encoder: FakeEncoder | None = None) -> BuildReport:
        inputs = tuple(str(self.folder / name) for name in names)
        request = BuildRequest(inputs, self.store, self.folder / "codebook.toml")
        return build(request, encoder=encoder or FakeEncoder())

    @property
    def vectors(self) -> Path:
        [folder] = (self.store / "vectors").iterdir()
        return folder

    @property
    def database(self) -> Path:
        return self.store / "snapshots" / self.first / DATABASE_FILE

    @property
    def statements(self) -> list[str]:
        return [p["text"] for row in rows(0, 12) for p in row["paragraphs"]]  # type: ignore[attr-defined]


@pytest.fixture
def encoder() -> FakeEncoder:
    return FakeEncoder()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Built once, never changed: inputs are known by their paths, so copies of the store go on with them."""
    folder = tmp_path_factory.mktemp("built")
    small_codebook(folder)
    write(folder / "a.jsonl", rows(0, 12))
    write(folder / "b.jsonl", rows(12, 16))
    made = Made(folder, "", "")
    first = made.build("a.jsonl").snapshot
    shutil.copytree(folder / "store", folder / "kept")
    second = made.build("b.jsonl").snapshot
    return Made(folder, first, second)


@pytest.fixture
def made(built: Made) -> Made:
    """The store as it was after the first build."""
    shutil.rmtree(built.store)
    shutil.copytree(built.folder / "kept", built.store)
    return built


def status(made: Made, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    capsys.readouterr()
    return main(["status", "--store", str(made.store)]), capsys.readouterr().out


# --- vectors ---------------------------------------------------------------------------------------------
def zero_vectors(folder: Path) -> None:
    with (folder / "vectors.f32").open("r+b") as file:
        file.seek(10 * ROW)
        file.write(bytes(60 * ROW))


def shift_keys(folder: Path) -> None:
    keys = (folder / "keys.bin").read_bytes()
    (folder / "keys.bin").write_bytes(keys[-16:] + keys[:-16])


def forget_checksums(folder: Path) -> None:
    """As in a store of an older version, damaged before this one came to it."""
    (folder / "sums.u32").unlink(missing_ok=True)
    zero_vectors(folder)


@pytest.mark.parametrize("damage", [zero_vectors, shift_keys, forget_checksums])
def test_damaged_vectors_are_told_and_the_next_build_gives_what_it_would_have_given(
    made: Made, damage: Callable[[Path], None], capsys: pytest.CaptureFixture[str]
) -> None:
    assert status(made, capsys)[0] == 0
    damage(made.vectors)
    code, out = status(made, capsys)
    assert code == 1 and "intact" not in out and "vectors" in out and "damaged" in out
    report = made.build("b.jsonl")
    assert report.snapshot == made.second
    assert any("vectors were damaged" in note for note in report.notes) and report.encoded
    code, out = status(made, capsys)
    assert code == 0 and "intact" in out


@pytest.mark.parametrize("damage", [zero_vectors, shift_keys])
def test_a_build_of_nothing_new_encodes_what_was_damaged_and_keeps_the_snapshot(
    made: Made,
    encoder: FakeEncoder,
    damage: Callable[[Path], None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    use_encoder(monkeypatch, encoder)
    vectors = Store(made.store).open_existing_vectors("fake", "fp32")
    before = vectors.get(made.statements)
    damage(made.vectors)
    assert main(["build", "--store", str(made.store), "--codebook", str(made.folder / "codebook.toml")]) == 0
    printed = capsys.readouterr().out
    assert "vectors were damaged" in printed and f"{made.first} (unchanged" in printed
    assert encoder.encoded and Store(made.store).current() == made.first
    assert np.array_equal(Store(made.store).open_existing_vectors("fake", "fp32").get(made.statements), before)
    encoder.encoded.clear()
    assert made.build("a.jsonl", encoder=encoder).unchanged and not encoder.encoded


def test_stopped_while_encoding_what_was_damaged_the_next_build_goes_on(
    made: Made, capsys: pytest.CaptureFixture[str]
) -> None:
    zero_vectors(made.vectors)
    with pytest.raises(KeyboardInterrupt):
        made.build("a.jsonl", encoder=FakeEncoder(stop_after=16))
    assert "have no vector" in status(made, capsys)[1]
    report = made.build("a.jsonl")
    assert report.unchanged and 0 < report.encoded < 60
    assert status(made, capsys)[0] == 0


def test_vectors_that_were_lost_are_encoded_again_though_nothing_is_new(made: Made) -> None:
    shutil.rmtree(made.vectors)
    report = made.build("a.jsonl")
    assert report.unchanged and report.snapshot == made.first
    assert search.open_index(made.store, open_snapshot(made.store)).paragraph_ids.to_pylist()


def test_a_store_without_checksums_gets_them_from_the_next_build(
    made: Made, capsys: pytest.CaptureFixture[str]
) -> None:
    (made.vectors / "sums.u32").unlink()
    assert status(made, capsys)[0] == 0
    report = made.build("a.jsonl")
    assert report.unchanged and report.notes == () and report.encoded == 0
    shift_keys(made.vectors)
    assert status(made, capsys)[0] == 1


def test_an_evaluation_uses_no_damaged_vector(made: Made, encoder: FakeEncoder) -> None:
    gold = made.folder / "gold.jsonl"
    write(gold, [{"text": text, "labels": ["bases"]} for text in made.statements[:20]])
    request = EvaluationRequest(gold, made.store, made.folder / "codebook.toml")
    whole = evaluate_matching(request, encoder=encoder).evaluation
    zero_vectors(made.vectors)
    encoder.encoded.clear()
    assert repr(evaluate_matching(request, encoder=encoder).evaluation) == repr(whole)
    assert encoder.encoded


def test_search_by_meaning_names_damage_also_where_it_comes_after_the_first_search(
    made: Made, encoder: FakeEncoder
) -> None:
    index = search.open_index(made.store, open_snapshot(made.store))
    before = search.search_index(index, encoder, made.statements[0])
    assert before
    zero_vectors(made.vectors)
    for _ in range(2):
        with pytest.raises(StoreError, match=r"damaged.*Run `build`"):
            search.search_index(index, encoder, made.statements[0])
        with pytest.raises(StoreError, match=r"damaged.*Run `build`"):
            search.open_index(made.store, open_snapshot(made.store))
    made.build("a.jsonl")
    with pytest.raises(StoreError, match="damaged"):  # its rows are out of use
        search.search_index(index, encoder, made.statements[0])
    again = search.open_index(made.store, open_snapshot(made.store))
    assert search.search_index(again, encoder, made.statements[0]) == before


# --- a damaged snapshot ----------------------------------------------------------------------------------
Read = Callable[[Snapshot], object]


def damage_page(path: Path, read: Read) -> None:
    """Damage the current snapshot where it still opens, but `read` fails."""
    file = Store(path).snapshot_path(Store(path).current() or "") / DATABASE_FILE
    whole = file.read_bytes()
    for at in range(3 << 12, len(whole), 1 << 14):
        file.write_bytes(whole[:at] + b"\xff" * 64 + whole[at + 64 :])
        try:
            with closing(open_snapshot(path)) as snapshot:
                if is_unreadable(snapshot, read):
                    return
        except StoreError:
            continue  # told when it is opened
    raise AssertionError("no page of the kind")


def is_unreadable(snapshot: Snapshot, read: Read) -> bool:
    try:
        read(snapshot)
    except StoreError:
        return True
    return False


def read_texts(snapshot: Snapshot) -> object:
    return snapshot.frame("SELECT * FROM snap.paragraphs")


def larger() -> SnapshotContent:
    """So much that the tables of a snapshot lie in pages of their own."""
    chance = random.Random(0)
    text = "The same words in every paragraph."
    documents = []
    for number in range(100):
        key = f"{chance.getrandbits(64):016x}"
        made, _ = document(number, "2016", "An Outlet", "A title", [("", "outlet", text, {})] * 40)
        renamed = [replace(p, document_id=key, paragraph_id=f"{chance.getrandbits(64):016x}") for p in made.paragraphs]
        documents.append(replace(made, document_id=key, paragraphs=tuple(renamed)))
    ids = [p.paragraph_id for d in documents for p in d.paragraphs if p.kind == "body"]
    return replace(
        content(),
        documents=documents,
        statements=set(ids),
        assignments=[],
        copies={},
        clusters=[replace(content().clusters[0], members=tuple(ids), representatives=(ids[0],))],
        layout={key: (chance.random(), chance.random()) for key in ids},
    )


@pytest.mark.parametrize("read", [Snapshot.make_previous, map_queries.query_positions])
def test_whatever_of_the_snapshot_before_cannot_be_read_it_is_as_if_there_had_been_none(made: Made, read: Read) -> None:
    shutil.rmtree(made.store)
    Store(made.store).write_snapshot(larger())
    damage_page(made.store, read)
    report = made.build("a.jsonl")
    assert report.snapshot == made.first and Store(made.store).manifest(made.first).predecessor == ""
    assert any("without a previous snapshot" in note for note in report.notes)


def test_a_snapshot_whose_pages_are_damaged_is_built_anew_and_that_is_told(
    made: Made, capsys: pytest.CaptureFixture[str]
) -> None:
    damage_page(made.store, read_texts)
    assert status(made, capsys)[0] == 1
    report = made.build("b.jsonl")
    assert report.counts is not None and report.counts.documents == 16
    assert any("current snapshot is damaged" in note and DATABASE_FILE in note for note in report.notes)
    assert verify_snapshot(made.store, report.snapshot) == []
    code, said = status(made, capsys)
    assert code == 1 and made.first in said and report.snapshot in said  # the damaged one is still there


def test_the_same_snapshot_takes_the_place_of_the_damaged_one_with_all_that_was_measured(made: Made) -> None:
    store = Store(made.store)
    store.put_quality(made.first, [PERFECT], "by hand")
    store.put_spot_checks(made.first, CHECKS)
    damage_page(made.store, read_texts)
    report = made.build("a.jsonl")
    assert not report.unchanged and report.snapshot == made.first == store.current()
    assert verify_snapshot(made.store, made.first) == []
    with store.lock():  # sweeps what builds leave
        pass
    assert [path.name for path in (made.store / "snapshots").iterdir()] == [made.first]
    snapshot = open_snapshot(made.store)
    assert snapshot.evaluation().shown == (PERFECT,) and snapshot.quality_caveat() == "by hand"
    assert snapshot.spot_checks() == CHECKS


def test_measures_that_are_damaged_too_do_not_stop_it(made: Made) -> None:
    for name in ("quality.json", "spotcheck.json"):
        (made.database.with_name(name)).write_text("{")
    damage_page(made.store, read_texts)
    assert made.build("a.jsonl").snapshot == made.first
    snapshot = open_snapshot(made.store)
    assert snapshot.evaluation() is None and snapshot.spot_checks() is None


def test_what_was_measured_goes_on_from_a_damaged_snapshot_to_another(made: Made) -> None:
    Store(made.store).put_quality(made.first, [PERFECT], "by hand")
    damage_page(made.store, read_texts)
    report = made.build("b.jsonl")
    assert report.snapshot != made.first and Store(made.store).quality(report.snapshot) == (PERFECT,)


def test_a_dashboard_that_has_the_damaged_one_open_shows_the_whole_one(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(cached_queries.STORE_VARIABLE, str(made.store))
    damage_page(made.store, read_texts)
    opened = cached_queries.get_snapshot(cached_queries.find_snapshot())
    assert is_unreadable(opened, read_texts) and not opened.is_replaced()
    made.build("a.jsonl")
    assert opened.is_replaced()
    handle = cached_queries.find_snapshot()
    assert handle.snapshot_id == made.first and cached_queries.get_snapshot(handle) is not opened
    assert not is_unreadable(cached_queries.get_snapshot(handle), read_texts)
    assert cached_queries.get_snapshot(handle) is cached_queries.get_snapshot(cached_queries.find_snapshot())


@pytest.mark.parametrize(
    ("pattern", "instead"),
    [
        (r'"documents":', '"documents_":'),
        (r'"checksums": \{.*?\}', '"checksums": {}'),
        (r'"sizes": \{.*?\}', '"sizes": {}'),
        (r'"parameters": \{', '"parameters": [{'),
    ],
)
def test_a_manifest_that_no_build_wrote_counts_as_damage(made: Made, pattern: str, instead: str) -> None:
    manifest = made.database.with_name("manifest.json")
    text, changed = re.subn(pattern, instead, manifest.read_text("utf-8"), flags=re.DOTALL)
    assert changed == 1
    manifest.write_text(text, "utf-8")
    report = made.build("a.jsonl")
    assert report.snapshot == made.first and len(report.notes) == 1
    assert verify_snapshot(made.store, made.first) == [] and made.build("a.jsonl").unchanged


# --- killed ----------------------------------------------------------------------------------------------
class Killed(BaseException):
    """The process ends here."""


@contextmanager
def killed_at(step: int, end: Callable[[], None]) -> Iterator[None]:
    """End the process as snapshot (1), inputs (2) or pointer (3) take their places, or right after (4)."""
    real, steps = os.replace, 0

    def replace(source: object, target: object) -> None:
        nonlocal steps
        path = Path(str(target))
        is_copy = "copies" in path.parts
        counts = not is_copy and (path.parent.name == "snapshots" or path.name in ("inputs.json", "CURRENT"))
        steps += counts
        if counts and steps == step:
            end()
        real(source, target)  # type: ignore[call-overload]
        if path.name == "CURRENT" and not is_copy and step == 4:
            end()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "replace", replace)
        yield


def raise_killed() -> None:
    raise Killed


@pytest.mark.parametrize("step", [1, 2, 3, 4])
def test_killed_at_any_step_of_the_swap_the_next_build_ends_the_same(made: Made, step: int) -> None:
    store = Store(made.store)
    store.put_quality(made.first, [PERFECT], "by hand")
    with killed_at(step, raise_killed), pytest.raises(Killed):
        made.build("b.jsonl")
    assert store.current() == (made.second if step == 4 else made.first)
    assert store.quality(store.current() or "") == (PERFECT,)
    report = made.build("b.jsonl")
    assert report.snapshot == made.second == store.current() and report.notes == () and report.encoded == 0
    assert store.quality(made.second) == (PERFECT,) and verify_snapshot(made.store, made.second) == []


def test_a_quality_that_an_older_version_s_kill_took_is_supplied_though_nothing_is_new(made: Made) -> None:
    store = Store(made.store)
    store.put_quality(made.first, [PERFECT], "by hand")
    made.build("b.jsonl")
    (made.store / "snapshots" / made.second / "quality.json").unlink()
    report = made.build("b.jsonl")
    assert report.unchanged and report.snapshot == made.second
    assert store.quality(made.second) == (PERFECT,)


# Children of the fork server start in milliseconds, and without any thread of this process.
processes = multiprocessing.get_context("forkserver")


def _build_and_die(made: Made) -> None:
    with killed_at(4, lambda: os.kill(os.getpid(), signal.SIGKILL)):
        made.build("b.jsonl")


def test_killed_by_the_system_right_after_the_pointer_nothing_is_lost(made: Made) -> None:
    store = Store(made.store)
    store.put_quality(made.first, [PERFECT], "by hand")
    victim = processes.Process(target=_build_and_die, args=(made,))
    victim.start()
    victim.join()
    assert victim.exitcode == -signal.SIGKILL
    assert store.current() == made.second and store.quality(made.second) == (PERFECT,)
    report = made.build("b.jsonl")
    assert report.unchanged and report.notes == () and verify_snapshot(made.store, made.second) == []
