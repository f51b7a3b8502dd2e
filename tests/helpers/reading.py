"""What the tests of reading share: content in, what is read out."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from narratives.model import InputFile
from narratives.read import read_file


def sources(files):
    return [file.source_path for file in files]


def put(path: Path, text: str = "A text.") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def read(tmp_path, content, name, columns=None, manifest=None):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(read_file(InputFile(path, name, manifest or {}), columns or {}))


def read_json(tmp_path, *rows, **options):
    lines = "\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows)
    return read(tmp_path, lines, "a.jsonl", **options)


def write_parquet(columns):
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()


def read_parquet(tmp_path, columns, **options):
    return read(tmp_path, write_parquet(columns), "a.parquet", **options)


def rows_of(items, kind):
    return [item.row for item in items if isinstance(item, kind)]
