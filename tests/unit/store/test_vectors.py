"""The vector file: whatever is appended, torn, damaged or interrupted, no text gets another text's vector."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from narratives.model import StoreError
from narratives.store import Store, vectors
from narratives.store.vectors import RepairResult, find_problems, make_folder_name
from tests.helpers.vector_files import DIMENSION, Killed, killed_after, opened, vectors_of


@pytest.mark.parametrize("writes", [0, 1, 2, 3])
def test_a_kill_after_a_loss_gives_no_old_text_a_new_vector(tmp_path: Path, writes: int) -> None:
    kept = opened(tmp_path)
    kept.append(["one", "two"], vectors_of(["one", "two"]))
    with (tmp_path / "v" / "vectors.f32").open("r+b") as file:
        file.truncate(4 * DIMENSION)  # "two" has a key and no vector, as in a copy that was cut short
    with killed_after(writes, 4 * DIMENSION):
        opened(tmp_path).append(["three"], vectors_of(["three"]))
    assert opened(tmp_path).missing(["one", "two", "three"]) == ["two", "three"]
    assert np.array_equal(opened(tmp_path).get(["one"]), vectors_of(["one"]))


def test_a_kill_between_vectors_and_keys_leaves_no_trace(tmp_path: Path) -> None:
    kept = opened(tmp_path)
    kept.append(["one", "two"], vectors_of(["one", "two"]))
    with (tmp_path / "v" / "vectors.f32").open("ab") as file:
        file.write(vectors_of(["lost"]).tobytes())
    again = opened(tmp_path)
    assert len(again) == 2 and again.missing(["lost", "one"]) == ["lost"]
    again.append(["three"], vectors_of(["three"]))
    assert np.array_equal(opened(tmp_path).get(["three", "one"]), vectors_of(["three", "one"]))


def test_missing_names_each_text_once_in_order(tmp_path: Path) -> None:
    kept = opened(tmp_path)
    kept.append(["b"], vectors_of(["b"]))
    assert kept.missing(["c", "b", "a", "c"]) == ["c", "a"]
    assert kept.missing([]) == []


def test_a_text_keeps_its_first_vector(tmp_path: Path) -> None:
    kept = opened(tmp_path)
    first = np.ones((2, DIMENSION), np.float32)
    first[1] = 2
    kept.append(["same", "same"], first)
    kept.append(["same"], np.zeros((1, DIMENSION), np.float32))
    assert len(kept) == 1
    assert kept.get(["same", "same"]).tolist() == [[1, 1, 1], [1, 1, 1]]


def test_a_second_reader_sees_what_was_appended_after_it_opened_only_when_reopened(tmp_path: Path) -> None:
    writer, reader = opened(tmp_path), opened(tmp_path)
    writer.append(["a"], vectors_of(["a"]))
    assert reader.missing(["a"]) == ["a"]
    assert opened(tmp_path).missing(["a"]) == []


def test_an_append_takes_up_what_another_appended_meanwhile(tmp_path: Path) -> None:
    first, second = opened(tmp_path), opened(tmp_path)
    first.append(["a"], vectors_of(["a"]))
    second.append(["b", "a"], vectors_of(["b", "a"]))
    assert np.array_equal(opened(tmp_path).get(["a", "b"]), vectors_of(["a", "b"]))


def test_what_lacks_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="1 of 1 texts without"):
        opened(tmp_path).get(["a"])
    assert opened(tmp_path).get([]).shape == (0, DIMENSION)


@pytest.mark.parametrize("wrong", [np.zeros((1, 4)), np.zeros((2, 3)), np.full((1, 3), np.nan)])
def test_vectors_that_do_not_fit_are_refused(tmp_path: Path, wrong: np.ndarray) -> None:
    kept = opened(tmp_path)
    with pytest.raises(ValueError, match="expected"):
        kept.append(["a"], wrong.astype(np.float32))
    assert kept.missing(["a"]) == ["a"]


def test_a_store_holds_each_model_and_variant_apart(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert store.variant("tiny") is None
    store.vectors("tiny", "bf16", DIMENSION).append(["a"], vectors_of(["a"]))
    assert store.variant("tiny") == "bf16"
    assert store.variant("other") is None
    assert store.vectors("tiny", "fp32", DIMENSION).missing(["a"]) == ["a"]
    assert store.vectors("tiny", "bf16", DIMENSION).missing(["a"]) == []
    with pytest.raises(StoreError, match="another --store"):
        store.vectors("tiny", "bf16", DIMENSION + 1)


def test_models_of_one_name_in_two_places_do_not_meet() -> None:
    names = {make_folder_name(model, "fp32") for model in ("tiny", "/a/tiny", "/b/tiny", "x/tiny", "..", "a b", "a-b")}
    assert len(names) == 7
    assert all("/" not in name and not name.startswith(".") for name in names)


def test_a_damaged_description_is_told(tmp_path: Path) -> None:
    opened(tmp_path).append(["a"], vectors_of(["a"]))
    (tmp_path / "v" / "meta.json").write_text("{")
    with pytest.raises(StoreError, match=r"meta\.json"):
        opened(tmp_path)


# --- damage ----------------------------------------------------------------------------------------------
MANY = [f"text number {number}" for number in range(40)]
ROW = 4 * DIMENSION


def change(path: Path, name: str, edit: Callable[[bytearray], object]) -> None:
    """Edit the bytes of one of the files."""
    data = bytearray((path / "v" / name).read_bytes())
    edit(data)
    (path / "v" / name).write_bytes(data)


def flip(at: int) -> Callable[[bytearray], None]:
    def edit(data: bytearray) -> None:
        data[at] ^= 1

    return edit


def put(start: int, new: bytes) -> Callable[[bytearray], None]:
    def edit(data: bytearray) -> None:
        data[start : start + len(new)] = new

    return edit


def shift(width: int) -> Callable[[bytearray], None]:
    def edit(data: bytearray) -> None:
        data[width:] = data[:-width]

    return edit


DAMAGE = {
    "one bit of a vector": ("vectors.f32", flip(7 * ROW + 2), 1),
    "a zeroed stretch of vectors": ("vectors.f32", put(5 * ROW + 4, bytes(3 * ROW)), 4),
    "vectors shifted by one row": ("vectors.f32", shift(ROW), 39),
    "vectors that are no numbers": ("vectors.f32", put(0, b"\xff" * ROW), 1),
    "one bit of a key": ("keys.bin", flip(16 * 9), 1),
    "a zeroed stretch of keys": ("keys.bin", put(16 * 9, bytes(40)), 3),
    "keys shifted by one row": ("keys.bin", shift(16), 39),
    "a zeroed stretch of checksums": ("sums.u32", put(8, bytes(12)), 3),
    "vectors cut short": ("vectors.f32", lambda data: data.__delitem__(slice(-ROW - 1, None)), 2),
}


@pytest.fixture
def many(tmp_path: Path) -> Path:
    opened(tmp_path).append(MANY[:25], vectors_of(MANY[:25]))
    opened(tmp_path).append(MANY[25:], vectors_of(MANY[25:]))
    return tmp_path


@pytest.mark.parametrize(("name", "edit", "rows"), DAMAGE.values(), ids=DAMAGE)
def test_damage_is_counted_taken_out_of_use_and_replaced(many: Path, name, edit, rows) -> None:
    change(many, name, edit)
    kept = opened(many)
    assert len(kept.find_damaged()) + kept.count_lost() == rows
    [problem] = find_problems(many / "v")
    assert f"{rows} of the 40 vectors" in problem and "encodes their texts again" in problem

    assert kept.repair() == RepairResult(rows, 0)
    assert find_problems(many / "v") == []
    lacking = kept.missing(MANY)
    assert rows - 1 <= len(lacking) <= rows
    left = [text for text in MANY if text not in lacking]
    assert np.array_equal(kept.get(left), vectors_of(left))
    kept.append(lacking, vectors_of(lacking))
    assert np.array_equal(opened(many).get(MANY), vectors_of(MANY))
    assert opened(many).repair() == RepairResult(0, 0) and find_problems(many / "v") == []


@pytest.mark.parametrize(
    "edit", [put(5 * ROW, bytes(2 * ROW)), put(5 * ROW, b"\xff" * 2 * ROW), put(5 * ROW, b"\x7f" * 2 * ROW)]
)
@pytest.mark.parametrize("first", ["mend", "append"])
def test_a_file_without_checksums_is_read_its_rows_looked_at_and_given_some(many: Path, edit, first) -> None:
    (many / "v" / "sums.u32").unlink()
    assert find_problems(many / "v") == [] and opened(many).missing(MANY) == []
    change(many, "vectors.f32", edit)
    kept = opened(many)
    assert kept.find_damaged().tolist() == [5, 6]
    if first == "append":
        kept.append(["new"], vectors_of(["new"]))
        assert kept.find_damaged().tolist() == [5, 6] and kept.repair() == RepairResult(2, 0)
    else:
        assert kept.repair() == RepairResult(2, 40)
    assert kept.missing(MANY) == MANY[5:7]
    change(many, "keys.bin", shift(16))
    assert len(opened(many).find_damaged()) > 35  # it has checksums now


def test_checking_by_blocks_finds_the_same(many: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    change(many, "vectors.f32", put(5 * ROW + 4, bytes(3 * ROW)))
    monkeypatch.setattr(vectors, "BLOCK_ROWS", 7)
    assert opened(many).find_damaged().tolist() == [5, 6, 7, 8]
    assert opened(many).find_damaged(np.array([30, 8, 2, 8])).tolist() == [8]


def test_a_mending_that_is_killed_is_finished_by_the_next(many: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (many / "v" / "sums.u32").unlink()
    change(many, "vectors.f32", put(5 * ROW, bytes(2 * ROW)))
    steps = 0
    for name in ("sync_to_disk", "_write_at"):
        real = getattr(vectors, name)

        def killed(*arguments, real=real) -> None:
            nonlocal steps
            real(*arguments)
            steps += 1
            raise Killed

        monkeypatch.setattr(vectors, name, killed)
        with pytest.raises(Killed):
            opened(many).repair()
        monkeypatch.setattr(vectors, name, real)
    assert steps == 2
    assert opened(many).repair() == RepairResult(0, 0)
    assert opened(many).missing(MANY) == MANY[5:7]


def test_a_reader_of_an_older_state_names_what_was_taken_out_of_use_or_cut(many: Path) -> None:
    reader = opened(many)
    rows = reader.rows(MANY)
    change(many, "vectors.f32", put(5 * ROW, bytes(ROW)))
    opened(many).repair()
    assert reader.find_damaged(rows).tolist() == [5] and len(opened(many).find_damaged()) == 0
    change(many, "vectors.f32", lambda data: data.__delitem__(slice(ROW, None)))
    with pytest.raises(StoreError, match="Run `build`"):
        reader.find_damaged(rows)


def test_vectors_of_many_batches_are_found_in_any_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "MANY_RECENT", 3)
    monkeypatch.setattr(vectors, "BLOCK_ROWS", 4)
    kept, texts = opened(tmp_path), [f"text {number}" for number in range(20)]
    for first in range(0, len(texts), 2):
        batch = texts[first : first + 2]
        kept.append(batch, vectors_of(batch))
        assert kept.missing(texts) == texts[first + 2 :]
    asked = [*reversed(texts), *texts[::3]]
    assert np.array_equal(kept.get(asked), vectors_of(asked))


def test_many_rows_stay_in_the_file_until_they_are_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = opened(tmp_path)
    kept.append(["a", "b", "c", "d"], vectors_of(["a", "b", "c", "d"]))
    rows = kept.rows(["d", "b", "c", "d"])
    whole = kept.load(rows)
    assert isinstance(whole, np.ndarray)
    monkeypatch.setattr(vectors, "LOADED_CELLS", 0)
    left = kept.load(rows)
    assert not isinstance(left, np.ndarray) and left.shape == whole.shape and len(left) == 4
    for asked in (slice(None), slice(1, 3), [2, 0, 2], np.array([3, 1]), [], slice(4, 9)):
        assert np.array_equal(left[asked], whole[asked])
    assert np.array_equal(left[1], whole[1]) and left[1].shape == (DIMENSION,)
