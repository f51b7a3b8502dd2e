"""Shards keep what workers have done; what cannot be read counts as not done."""

from __future__ import annotations

import pyarrow as pa

from narratives.workflows.engines.shards import Shards, split_blocks

SCHEMA = pa.schema({"key": pa.string(), "content": pa.binary()})


def table(*keys: str) -> pa.Table:
    return pa.table({"key": list(keys), "content": [key.encode() * 100 for key in keys]}, SCHEMA)


def test_what_is_written_is_loaded(tmp_path):
    shards = Shards(tmp_path / "reading")
    assert list(shards.load()) == []
    shards.add(table("a", "b"))
    shards.add(table("c"))
    shards.add(table("c"))
    assert sorted(key for one in Shards(tmp_path / "reading").load() for key in one["key"].to_pylist()) == [*"abc"]
    shards.remove()
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_shard_counts_as_not_done(tmp_path):
    shards = Shards(tmp_path)
    shards.add(table("a", "b"))
    shards.add(table("c"))
    for path in tmp_path.iterdir():
        whole = path.read_bytes()
        for damage in (b"", whole[: len(whole) // 2], whole[:20] + bytes([whole[20] ^ 1]) + whole[21:]):
            path.write_bytes(damage)
            assert len(list(shards.load())) == 1
            assert not path.exists()
            path.write_bytes(whole)
    assert len(list(shards.load())) == 2


def test_a_block_is_never_empty_and_never_too_heavy():
    rows = [{"key": name, "content": b"x" * size} for name, size in zip("abcde", (3, 3, 9, 1, 1), strict=True)]
    blocks = list(split_blocks(iter(rows), SCHEMA, 6, lambda row: len(row["content"])))
    assert [block["key"].to_pylist() for block in blocks] == [["a", "b"], ["c"], ["d", "e"]]
    assert list(split_blocks([], SCHEMA, 6, len)) == []
