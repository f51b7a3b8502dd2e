"""What a worker does with a table, without a cluster."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest

from narratives import __version__, read
from narratives.model import EncoderError, InputFile, TextPart, UsageError
from narratives.store import Store
from narratives.workflows.engines import stages
from tests.helpers.fakes import FakeEncoder, vector

TEXT = "One side spoke. The other side answered. Then both went home."


def test_a_worker_of_another_version_is_refused():
    with pytest.raises(UsageError, match="on the workers of the cluster"):
        stages.EncodeTexts("0.0.0", FakeEncoder())


def test_the_vectors_of_a_text_and_its_parts_come_in_the_order_of_the_spans():
    spans = [0, 15, *stages.WHOLE]
    table = pa.Table.from_pylist([{"key": "a", "content": TEXT.encode(), "spans": spans}], stages.TEXTS)
    [row] = stages.EncodeTexts(__version__, FakeEncoder())(table).to_pylist()
    rows = np.frombuffer(row["vectors"], "<f4").reshape(2, -1)
    assert (rows == [vector(TextPart(TEXT, 0, 15)), vector(TEXT)]).all()


def test_texts_keep_lone_surrogates():
    assert stages.to_text(stages.to_bytes("broken \ud83d text")) == "broken \ud83d text"


def test_known_outputs_are_not_computed_again():
    classifier = FakeEncoder()
    outputs = stages.KnownOutputs(classifier, {"known": vector("something else").tobytes(), "new": None})
    rows = outputs(["new", "known", "new"])
    assert (rows == [vector("new"), vector("something else"), vector("new")]).all()
    assert classifier.encoded == ["new"] and outputs.new == {"new": vector("new").tobytes()}


def test_a_file_that_is_gone_or_changed_is_left_to_the_build(tmp_path):
    names = ("kept.txt", "changed.txt", "gone.txt")
    for name in names:
        (tmp_path / name).write_text(f"The talks on {name} were useful for both of the sides.", "utf-8")
    files = [InputFile(tmp_path / name, name) for name in names]
    keys = [read.compute_fingerprint(file, {}) for file in files]
    (tmp_path / "changed.txt").write_text("The talks were useless for both of the sides.", "utf-8")
    (tmp_path / "gone.txt").unlink()
    items = [
        {"key": key, "path": str(file.path).encode(), "source": b"x", "manifest": json.dumps({})}
        for key, file in zip(keys, files, strict=True)
    ]
    [row] = stages.ReadFiles(__version__, {})(pa.Table.from_pylist(items, stages.FILES)).to_pylist()
    store = Store(tmp_path / "store")
    (tmp_path / "store").mkdir()
    store.put_input_file(row["key"], row["content"])
    assert row["key"] == keys[0] and [one.source_path for one in store.get_input(keys[0])] == ["x"]


def test_errors_keep_what_they_say_on_their_way_from_a_worker():
    load, arguments = EncoderError("one thing", "another", "Do this.").__reduce__()
    assert str(load(*arguments)) == "Expected one thing; got another. Do this."
