"""What is written as a table is read as it was; and no bytes raise."""

from __future__ import annotations

import csv
import io
import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from narratives.model import RawDocument, RawParagraph
from narratives.read.characters import clean_characters
from narratives.read.rows.cells import clean_text, clean_value
from tests.helpers.reading import read, read_parquet

# Without control characters: a file that is full of them is taken for binary.
chars = st.characters(exclude_categories=("Cs", "Cc"), include_characters="\t\n\r")
# What stands for nothing, and HTML, is cleaned: tests/unit/read/test_cells.py.
meta = (
    st.text(chars, max_size=12)
    .map(lambda value: clean_characters(value).strip())
    .filter(lambda value: clean_value(value) == value)
)
body = st.text(chars, max_size=60).map(clean_characters).filter(lambda text: text.strip() and clean_text(text) == text)
plain = st.fixed_dictionaries({"id": meta, "title": meta, "outlet": meta, "date": meta, "speaker": meta})
paragraph = st.builds(
    lambda text, name, ref, said: RawParagraph(text, name, ref, labelled=said and bool(name)),
    body, meta, meta, st.booleans(),
)  # fmt: skip
content = st.one_of(
    st.fixed_dictionaries({"text": body}),
    st.fixed_dictionaries({"paragraphs": st.lists(paragraph, min_size=1, max_size=3).map(tuple)}),
)
documents = st.lists(st.builds(lambda a, b: {**a, **b}, plain, content), min_size=1, max_size=4)
quick = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
NAMES = ("id", "title", "outlet", "date", "speaker", "text", "paragraphs")


def as_rows(given_documents):
    return [
        {name: [as_item(p) for p in value] if name == "paragraphs" else value for name, value in document.items()}
        for document in given_documents
    ]


def as_item(p):
    said = {"speaker_label_in_source": p.labelled}
    return {"text": p.text, "speaker": p.speaker, "source_ref": p.source_ref, **said}


def expected(given_documents, name):
    return [RawDocument(name, row=row, **document) for row, document in enumerate(given_documents, 1)]


@quick
@given(documents)
def test_round_trip_jsonl(tmp_path, written):
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in as_rows(written))
    assert read(tmp_path, lines, "a.jsonl") == expected(written, "a.jsonl")


@quick
@given(documents)
def test_round_trip_csv(tmp_path, written):
    sink = io.StringIO(newline="")
    table = csv.DictWriter(sink, NAMES)
    table.writeheader()
    for row in as_rows(written):
        if "paragraphs" in row:
            row["paragraphs"] = json.dumps(row["paragraphs"], ensure_ascii=False)
        table.writerow(row)
    assert read(tmp_path, sink.getvalue(), "a.csv") == expected(written, "a.csv")


@quick
@given(documents)
def test_round_trip_parquet(tmp_path, written):
    rows = as_rows(written)
    found = read_parquet(tmp_path, {name: [row.get(name) for row in rows] for name in NAMES})
    assert found == expected(written, "a.parquet")


@quick
@given(st.binary(max_size=300), st.sampled_from(["a.txt", "a.jsonl", "a.csv", "a.parquet", "a.csv.gz"]))
def test_no_bytes_raise(tmp_path, content, name):
    assert read(tmp_path, content, name)
