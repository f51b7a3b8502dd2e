"""Damage of every file of a store: `check` names it, and a build or a repair gives back what there was, or says not."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from narratives.cli import main
from narratives.model import BuildReport, LabelledText, SpotCheck, StoreBusyError, StoreError
from narratives.store import DecisionLog, SpotChecks, Store, files
from narratives.store.checks import Damage, find_damage
from narratives.store.store import CACHE_FOLDER
from narratives.workflows.build import BuildRequest, build
from narratives.workflows.check import check, repair
from narratives.workflows.uploads import UNUSED_LIFETIME, save_upload
from tests.helpers.fakes import FakeEncoder, use_encoder
from tests.helpers.spreadsheets import pack
from tests.integration.builds.test_build import CLAIMS, rows, small_codebook, tables, write

TEXT = f"A note\n\n{CLAIMS[0]}\n"


@dataclass(frozen=True)
class Kept:
    """A store with two snapshots and a file of every kind, and its exports."""

    store: Path
    folder: Path
    whole: Path
    first: str
    second: str
    exports: dict[str, str]

    def build(self, *inputs: str, **more: object) -> BuildReport:
        request = BuildRequest(inputs, self.store, self.folder / "codebook.toml")
        return build(replace(request, **more), encoder=FakeEncoder())

    def repair(self) -> tuple[str, tuple[Damage, ...]]:
        report = repair(Store(self.store), encoder=FakeEncoder())
        return "\n".join(report.notes), report.remaining

    def is_as_before(self) -> bool:
        """Whether the store gives the same exports; the same bytes give the same ones."""
        database = Path("snapshots", self.second, "snapshot.duckdb")
        same = (self.store / database).read_bytes() == (self.whole / database).read_bytes()
        log, before = (DecisionLog(folder / "decisions.sqlite") for folder in (self.store, self.whole))
        decided = log.history() == before.history() and log.edits() == before.edits()
        return decided and Store(self.store).current() == self.second and (same or tables(self.store) == self.exports)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    folder = tmp_path_factory.mktemp("made")
    small_codebook(folder)
    write(folder / "a.jsonl", rows(0, 8))
    write(folder / "b.jsonl", rows(8, 12))
    (folder / "in").mkdir()
    (folder / "in" / "broken.csv").write_text("a,b\n1,2\n")
    (folder / "in" / "README.md").write_text("About these texts.")
    (folder / "in" / "dead.txt").symlink_to("gone.txt")
    path = folder / "store"
    kept = Kept(path, folder, folder / "whole", "", "", {})
    first = kept.build(str(folder / "a.jsonl")).snapshot
    log = DecisionLog(path / "decisions.sqlite")
    log.add([LabelledText(1, CLAIMS[0], "doc-1", {"bases": "accepted"})], "ann", "test")
    log.edit("note", "bases", '"a note"', "ann", "test")
    upload = save_upload(path, "texts.zip", pack({"n.txt": TEXT, "m.txt": f"{TEXT}Again."}), {".txt"})
    second = kept.build(str(folder / "b.jsonl"), str(folder / "in"), str(upload.path)).snapshot
    Store(path).put_quality(second, [], "by hand")
    Store(path).put_spot_checks(second, SpotChecks((SpotCheck("bases", 3, 2),), "by hand"))
    files.write_summed(path / "classifier.safetensors", b"the trained layers")
    kept.build()
    shutil.copytree(path, kept.whole)
    assert check(Store(path)).damage == ()
    return replace(kept, first=first, second=second, exports=tables(path))


@pytest.fixture
def kept(made: Kept) -> Kept:
    shutil.rmtree(made.store)
    shutil.copytree(made.whole, made.store)
    return made


def rows_file(kept: Kept, name: str) -> Path:
    [record] = [r for r in Store(kept.store).load_inputs() if r.source_path.endswith(name)]
    return kept.store / "inputs" / f"{record.hash}.jsonl.gz"


# --- silently wrong ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("content", "has_copy"),
    [("", True), ("[]", False), ("{}", True), ('{"inputs": []}', False), ('{"inputs": [{"path": 1}]}', True)],
)
def test_an_emptied_list_of_inputs_drops_no_document(kept: Kept, content: str, has_copy: bool) -> None:
    (kept.store / "inputs.json").write_text(content)
    if not has_copy:
        (kept.store / "copies" / "inputs.json").unlink()
    assert "inputs.json" in {d.place for d in find_damage(Store(kept.store))}
    report = kept.build()
    assert any("inputs.json was damaged" in note for note in report.notes)
    assert kept.is_as_before() and check(Store(kept.store)).damage == ()
    assert list((kept.store / "damaged").iterdir())


def test_without_its_list_of_inputs_a_store_deletes_no_upload(kept: Kept) -> None:
    [upload] = (p for p in (kept.store / "uploads").iterdir() if p.is_dir())
    long_ago = time.time() - UNUSED_LIFETIME - 60
    os.utime(upload, (long_ago, long_ago))
    for content in (None, "[]", "{"):
        (kept.store / "inputs.json").unlink()
        if content:
            (kept.store / "inputs.json").write_text(content)
        save_upload(kept.store, "other.txt", f"{content}".encode(), {".txt"})
        assert sorted(p.name for p in upload.iterdir()) == ["m.txt", "n.txt"]
        (kept.store / "inputs.json").touch()
    shutil.rmtree(kept.store / "snapshots")
    (kept.store / "inputs.json").unlink()
    save_upload(kept.store, "third.txt", b"x", {".txt"})
    assert upload.exists(), "there is neither a list nor a snapshot, but there are rows"


def test_the_list_of_inputs_is_never_said_to_be_deleted_by_hand(kept: Kept) -> None:
    (kept.store / "inputs.json").write_text("{")
    with pytest.raises(StoreError, match="check --repair") as caught:
        Store(kept.store).load_inputs()
    assert "Delete" not in str(caught.value)


def test_status_names_what_is_damaged(kept: Kept, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["status", "--store", str(kept.store)]
    assert main(arguments) == 0 and "intact" in capsys.readouterr().out
    rows_file(kept, "a.jsonl").write_bytes(b"")
    (kept.store / "decisions.sqlite").write_bytes(b"garbage" * 500)
    (kept.store / "inputs.json").write_text("[]")
    assert main(arguments) == 1
    out = capsys.readouterr().out
    assert "DAMAGED" in out and "intact" not in out
    for name in ("inputs/", "decisions.sqlite", "inputs.json"):
        assert name in out
    (kept.store / "CURRENT").write_text("nonsense")
    assert main(arguments) == 1


class Killed(BaseException):
    """The process ends here."""


def test_a_removal_that_was_killed_before_the_pointer_can_be_repeated(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.replace

    def die(source: object, target: object) -> None:
        if Path(str(target)) == kept.store / "CURRENT":
            raise Killed
        real(source, target)  # type: ignore[call-overload]

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", die)
        with pytest.raises(Killed):
            kept.build(remove=(str(kept.folder / "b.jsonl"),))
    assert Store(kept.store).current() == kept.second
    report = kept.build(remove=(str(kept.folder / "b.jsonl"),))
    assert report.counts is not None and report.counts.documents == 10 and not report.notes
    with pytest.raises(StoreError.__mro__[1], match="path that the store holds"):
        kept.build(remove=(str(kept.folder / "b.jsonl"),))


# --- no way out by itself ---------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["CURRENT", ".lock", "inputs.json", "decisions.sqlite"])
def test_a_folder_in_the_place_of_a_file_is_moved_away(kept: Kept, name: str) -> None:
    path = kept.store / name
    path.unlink(missing_ok=True)
    (path / "inner").mkdir(parents=True)
    kept.repair()
    kept.build(str(kept.folder / "a.jsonl"))
    assert path.is_file() and kept.is_as_before() and check(Store(kept.store)).damage == ()
    [moved] = (kept.store / "damaged").glob(f"{name}-1")
    assert (moved / "inner").is_dir()


OTHER_ROWS = gzip.compress(b'{"is": "Input", "hash": "' + b"0" * 64 + b'"}\n', mtime=0)


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.jsonl", b""), ("n.txt", OTHER_ROWS), ("broken.csv", b"no gzip"), ("README.md", OTHER_ROWS), ("dead.txt", b"")],
)
def test_damaged_rows_are_made_again_from_what_is_whole(kept: Kept, name: str, content: bytes) -> None:
    path = rows_file(kept, name)
    before = path.read_bytes()
    path.write_bytes(content)
    write(kept.folder / "c.jsonl", rows(12, 13))
    report = kept.build(str(kept.folder / "c.jsonl"))
    assert any(name in note and "made again" in note for note in report.notes)
    assert path.read_bytes() == before and report.counts is not None and report.counts.documents == 15


def test_rows_whose_source_has_changed_end_in_words(kept: Kept) -> None:
    rows_file(kept, "b.jsonl").write_bytes(b"cut")
    source = kept.folder / "b.jsonl"
    content = source.read_bytes()
    try:
        source.write_bytes(content[: len(content) // 2])
        with pytest.raises(StoreError, match=r"b\.jsonl.*restore a backup.*--remove"):
            kept.build(str(kept.folder / "in"), codebook=kept.folder / "codebook.toml", threshold=0.4)
        notes, remaining = kept.repair()
        assert "Not mended" in notes and len(remaining) == 1
        assert Store(kept.store).current() == kept.second, "what is shown stays"
        report = kept.build(remove=(str(source),))
        assert report.counts is not None and report.counts.documents == 10
    finally:
        source.write_bytes(content)


@pytest.mark.parametrize("change", [{"inputs": 1}, {"counts": []}, {"parameters": {"model": 1}}])
def test_a_manifest_with_wrong_types_is_damage_and_mended(
    kept: Kept, change: dict[str, object], capsys: pytest.CaptureFixture[str]
) -> None:
    path = kept.store / "snapshots" / kept.second / "manifest.json"
    fields = {key: value for key, value in json.loads(path.read_text()).items() if key != files.CHECKSUM}
    path.write_text(json.dumps({**fields, **change}))
    assert main(["status", "--store", str(kept.store)]) == 1
    (kept.store / "copies" / "snapshots" / kept.second / "manifest.json").unlink()
    kept.build()
    assert kept.is_as_before() and check(Store(kept.store)).damage == ()


# --- the decisions log ------------------------------------------------------------------------------------
def test_a_log_with_a_changed_entry_keeps_the_others(kept: Kept) -> None:
    log = DecisionLog(kept.store / "decisions.sqlite")
    for number in range(3):
        log.add([LabelledText(1, f"text {number}", "d", {"bases": "rejected"})], "ben", "later")
    path = kept.store / "decisions.sqlite"
    content = path.read_bytes()
    assert content.count(b"text 1") == 1
    path.write_bytes(content.replace(b"text 1", b"tent 1"))
    [damage] = find_damage(Store(kept.store))
    assert damage.place == "decisions.sqlite" and "checksum" in damage.problem
    with pytest.raises(StoreError, match="check --repair"):
        kept.build()
    notes, remaining = kept.repair()
    assert "1 entries that it is known to have had are lost" in notes and not remaining
    assert [d.text for d in log.history()] == [CLAIMS[0], "text 0", "text 2"]
    assert [d.decision_id for d in log.history()] == [1, 2, 4] and len(log.edits()) == 1
    log.add([LabelledText(1, "text 4", "d", {"bases": "rejected"})], "ben", "later")
    assert check(Store(kept.store)).damage == ()


@pytest.mark.parametrize("damage", [lambda p: p.write_bytes(b"x" * 9000), lambda p: p.write_bytes(b""), Path.unlink])
@pytest.mark.parametrize("has_copy", [True, False])
def test_a_lost_log_comes_back_from_its_copy_or_its_loss_is_said(
    kept: Kept, damage: Callable[[Path], object], has_copy: bool
) -> None:
    path = kept.store / "decisions.sqlite"
    damage(path)
    if not has_copy:
        (kept.store / "copies" / "decisions.sqlite").unlink()
        if not path.exists() or not path.read_bytes():
            return  # nothing is left that shows that there was a log
    with pytest.raises(StoreError, match="check --repair"):
        kept.build()
    notes, remaining = kept.repair()
    assert not remaining and ("There was no copy" in notes) == (not has_copy)
    assert len(DecisionLog(path).history()) == int(has_copy)
    if has_copy:
        assert kept.build().unchanged and kept.is_as_before()


def test_the_second_of_two_builds_says_who_holds_the_lock(kept: Kept) -> None:
    with Store(kept.store).lock(), pytest.raises(StoreBusyError, match=rf"process {os.getpid()} on .* since 20"):
        kept.build()


# --- every file, every damage -----------------------------------------------------------------------------
def cut(path: Path, other: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path, other: Path) -> None:
    path.write_bytes(b"")


def flip(path: Path, other: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 0x20
    path.write_bytes(content)


def zero(path: Path, other: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def swap(path: Path, other: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(other.read_bytes())
    other.write_bytes(content)


def remove(path: Path, other: Path) -> None:
    path.unlink()


def replace_by_folder(path: Path, other: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGES = (cut, empty, flip, zero, swap, remove, replace_by_folder)


def list_files(store: Path) -> Iterator[Path]:
    """Every file that a store keeps, without those of a running process and without the cache."""
    for path in sorted(store.rglob("*")):
        if (
            path.is_file()
            and path.parent.name != CACHE_FOLDER
            and path.name not in (".lock", "decisions.sqlite-shm", "decisions.sqlite-wal")
        ):
            yield path.relative_to(store)


def find_other(name: Path, names: list[Path]) -> Path:
    """The file to swap with: the next one of the same kind, or else any other."""
    alike = [n for n in names if n != name and n.suffix == name.suffix and n.parts[0] == name.parts[0]]
    return (alike or [n for n in names if n != name])[0]


def same_bytes(first: Path, second: Path) -> bool:
    return first.is_file() and second.is_file() and first.read_bytes() == second.read_bytes()


# One case of eight, as all of them take minutes. NARRATIVES_DAMAGE_STEP=1 tries every file with every damage.
CHECKSUMS = (files.SUMS_SUFFIX, "sums.u32")
STEP = int(os.environ.get("NARRATIVES_DAMAGE_STEP", "8"))


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda d: d.__name__)
def test_whatever_is_damaged_is_named_and_mended_or_said_to_be_lost(
    kept: Kept, damage: Callable[[Path, Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    use_encoder(monkeypatch, FakeEncoder())
    names = list(list_files(kept.store))
    assert len(names) > 30
    wrong = []
    for name in names[DAMAGES.index(damage) % STEP :: STEP]:
        shutil.rmtree(kept.store)
        shutil.copytree(kept.whole, kept.store)
        other = find_other(name, names)
        before = (kept.store / name).read_bytes()
        damage(kept.store / name, kept.store / other)
        if (kept.store / name).is_file() and (kept.store / name).read_bytes() == before:
            continue
        report = repair(Store(kept.store), encoder=FakeEncoder())
        notes = "\n".join(report.notes)
        says_lost = "cannot be mended" in notes or "is lost" in notes
        is_mended = bool(report.damage and notes and not report.remaining and kept.is_as_before())
        is_spare = name.parts[0] == "copies" or name.name.endswith(CHECKSUMS)
        if not report.damage and (is_spare or name.name == "decisions.sqlite"):
            # Missing copies and checksums are made again, as in a store of an older version, which had none. SQLite has
            # bytes that are not used.
            is_mended = kept.is_as_before()
        # Of snapshots whose files were exchanged, an older one may come back though it could not be made again.
        places = (name, other)
        is_back = all(same_bytes(kept.store / place, kept.whole / place) for place in places)
        is_said = says_lost == any(d.is_lost for d in report.damage) or (is_back and not says_lost)
        if not (is_mended and is_said):
            wrong.append(f"{name}: {report.damage}\n{notes}\n{report.remaining}")
    assert not wrong, "\n\n".join(wrong)
