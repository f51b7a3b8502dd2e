"""Read JSON in the shapes in which people have it: lines, lists, wrapped lists, and exports of Telegram and Twitter."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from itertools import islice
from typing import cast

from narratives.model import InputFile, RawDocument, ReadError, Rejected
from narratives.read.encoding import LimitedLines, LongLineError, has_undecoded_bytes, open_text
from narratives.read.posts import PostReader, add_context
from narratives.read.rows import (
    CONTENT_FIELDS,
    get_field_columns,
    make_rejected,
    match_columns,
    parse_json,
    row_to_document,
)
from narratives.read.rows.columns import describe_map_hint

MAX_JSON_CHARACTERS = 200_000_000  # of a file that is one JSON value, which must be in memory as a whole
HEAD_ROWS = 50  # whose keys are the columns
MAX_DEPTH = 4  # levels of objects that become columns (`user.name`), and at which a wrapped list is looked for
CACHED_SHAPES = 64  # sets of keys whose columns are cached
# What the object around a list may say of all its documents, where they do not say it themselves.
INHERITED_FIELDS = ("outlet", "title", "date", "speaker", "language", "source_ref", "text_kind")
_TWITTER_ARCHIVE = re.compile(r"\s*window\.YTD\.[\w.]{1,60}\s*=\s*")
JsonObject = Mapping[str, object]
Row = tuple[int, JsonObject | ReadError]


def read_json(file: InputFile, columns: Mapping[str, str]) -> Iterator[RawDocument | Rejected]:
    """Read one document from each object; `row` is the line, or the place in the list, from 1.

    Each object has its own keys. Those of objects inside it count as columns: `user.name`. A mapped column that
    an object lacks has no effect on it.
    """
    wanted = get_field_columns(columns)
    posts = PostReader()

    @lru_cache(maxsize=CACHED_SHAPES)
    def locate_keys(keys: tuple[str, ...]) -> Mapping[str, str]:
        found = match_columns(keys, wanted)
        return found | match_columns(keys, {field: field for field in columns if field not in found})

    for number, item in _iterate_rows(file, columns):
        try:
            if isinstance(item, ReadError):
                raise item
            flat = flatten(posts.read(item))
            names = locate_keys(tuple(flat))
            if not any(field in names for field in CONTENT_FIELDS):
                _reject_without_text(tuple(flat), names)
            yield row_to_document({field: flat[name] for field, name in names.items()}, file, number)
        except ReadError as error:
            yield make_rejected(file.source_path, number, error)


def _reject_without_text(keys: tuple[str, ...], names: Mapping[str, str]) -> None:
    """Raise ReadError if keys that hold no text by their names may hold it under another."""
    hint = describe_map_hint(keys, names)
    if ":" in hint:
        raise ReadError("a key `text` or `paragraphs`", f"the keys {', '.join(keys)}", hint)


def list_json_columns(file: InputFile, columns: Mapping[str, str]) -> list[tuple[str, ...]]:
    """List the keys of the first objects: each shape of rows once."""
    shapes: dict[tuple[str, ...], None] = {}
    posts = PostReader()
    for _, item in islice(_iterate_rows(file, columns), HEAD_ROWS):
        with suppress(ReadError):  # reported by read_json
            if not isinstance(item, ReadError):
                shapes[tuple(flatten(posts.read(item)))] = None
    return list(shapes)


def flatten(value: JsonObject) -> dict[str, object]:
    """Return the values of an object by name; those of objects inside it by `outer.inner`. Lists stay lists."""
    flat: dict[str, object] = {}

    def add(prefix: str, inner: JsonObject, depth: int) -> None:
        for key, item in inner.items():
            if isinstance(item, dict) and depth < MAX_DEPTH:
                add(f"{prefix}{key}.", item, depth + 1)
                if f"{prefix}{key}" not in CONTENT_FIELDS:  # an object is no text, which is then reported
                    continue
            flat.setdefault(f"{prefix}{key}", item)

    add("", value, 1)
    return flat


def _iterate_rows(file: InputFile, columns: Mapping[str, str]) -> Iterator[Row]:
    """Iterate over the objects of a file with their numbers. What is no object is a ReadError."""
    if _has_lines(file):
        yield from _iterate_lines(file)
        return
    with open_text(file.path) as opened:
        text = opened.read(MAX_JSON_CHARACTERS + 1)
    if len(text) > MAX_JSON_CHARACTERS:
        hint = "Split it, or write each object on a line of its own (.jsonl)."
        raise ReadError(f"JSON of up to {MAX_JSON_CHARACTERS // 1_000_000} million characters", "more", hint)
    if has_undecoded_bytes(text):
        raise ReadError("JSON in UTF-8", "other bytes", "Save the file as UTF-8.")
    if start := _TWITTER_ARCHIVE.match(text):
        text = text[start.end() :].rstrip().rstrip(";")
    value = parse_json(text, "a JSON list of objects, or one object on each line")
    for number, item in enumerate(_find_rows(value, columns), 1):
        if isinstance(item, dict):
            yield number, item
        else:
            expected = "one JSON object for each document"
            yield number, ReadError(expected, json.dumps(item)[:60], 'Write {"text": …} for each of them.')


def _has_lines(file: InputFile) -> bool:
    """Return whether each line of a file is meant to be one object, even if some lines are faulty."""
    lines: list[str] = []
    with open_text(file.path) as opened, suppress(LongLineError):
        lines += islice((line for line in LimitedLines(opened) if line.strip()), 3)
    if not lines:
        return True
    is_one_value = file.path.name.lower().removesuffix(".gz").endswith((".json", ".js"))
    if lines[0].lstrip().startswith("[") or (is_one_value and not lines[0].lstrip().startswith("{")):
        return False
    if _is_object(lines[0]):
        return len(lines) > 1
    # A faulty first line, or the first line of an object over many lines.
    return all(map(_is_object, lines[1:])) if len(lines) > 1 else not lines[0].lstrip().startswith("{")


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _iterate_lines(file: InputFile) -> Iterator[Row]:
    with open_text(file.path) as opened:
        lines = LimitedLines(opened)
        while True:
            try:
                line = next(lines)
            except StopIteration:
                return
            except LongLineError as error:
                yield lines.number, error
                continue
            if line.strip():
                yield lines.number, _parse_line(line)


def _parse_line(line: str) -> JsonObject | ReadError:
    expected = "one JSON object on the line"
    if has_undecoded_bytes(line):
        return ReadError("a line in UTF-8", "other bytes", "Save the file as UTF-8.")
    try:
        value = parse_json(line, expected)
    except ReadError as error:
        return error
    if not isinstance(value, dict):
        return ReadError(expected, f"a {type(value).__name__}", "Write each document as one object on one line.")
    return value


def _find_rows(value: object, columns: Mapping[str, str]) -> Sequence[object]:
    """Find the list of documents in a JSON value: itself, wrapped in objects, or a table as pandas writes it.

    An object without such a list is one document. Raises ReadError if there are several lists.
    """
    if isinstance(value, list):
        return value
    if not isinstance(value, dict):
        raise ReadError("a list of objects", f"a {type(value).__name__}", "Write a list with one object per document.")
    if (table := _read_pandas_table(value)) is not None:
        return table
    if _has_text(value, columns) or not (lists := _find_lists(value)):
        return [value]
    if len(lists) > 1:
        lists = {path: rows for path, rows in lists.items() if _holds_texts(rows, columns)} or lists
    if len(lists) > 1:
        hint = "Save the list of documents as a file of its own, or one object on each line (.jsonl)."
        raise ReadError("one list of documents", f"the lists {', '.join(lists)}", hint)
    path, rows = next(iter(lists.items()))
    shared = {field: value[field] for field in INHERITED_FIELDS if isinstance(value.get(field), str | int)}
    return [{**shared, **row} if isinstance(row, dict) else row for row in add_context(value, path, rows)]


def _find_lists(value: JsonObject) -> dict[str, list[object]]:
    """Return the lists of objects at the lowest depth at which there is one, by their paths."""
    level: list[tuple[str, JsonObject]] = [("", value)]
    for _ in range(MAX_DEPTH):
        items = [(f"{path}{key}", item) for path, inner in level for key, item in inner.items()]
        lists = {
            path: item for path, item in items if isinstance(item, list) and any(isinstance(i, dict) for i in item)
        }
        if lists:
            return lists
        level = [(f"{path}.", item) for path, item in items if isinstance(item, dict)]
    return {}


def _has_text(row: JsonObject, columns: Mapping[str, str]) -> bool:
    return bool({"text", "paragraphs"} & match_columns(tuple(flatten(row)), get_field_columns(columns)).keys())


def _holds_texts(rows: Sequence[object], columns: Mapping[str, str]) -> bool:
    return any(isinstance(row, dict) and _has_text(row, columns) for row in rows[:HEAD_ROWS])


def _read_pandas_table(value: JsonObject) -> list[object] | None:
    """Return the rows of what `DataFrame.to_json` writes (by column, by row, or split); None for anything else."""
    if {"columns", "data"} <= value.keys() and isinstance(value["columns"], list) and isinstance(value["data"], list):
        names = [str(name) for name in value["columns"]]
        if all(isinstance(row, list) and len(row) == len(names) for row in value["data"]):
            return [dict(zip(names, cast(list[object], row), strict=True)) for row in value["data"]]
    inner = list(value.values())
    if len(inner) < 2 or not all(isinstance(item, dict) and item for item in inner):
        return None
    objects = cast(list[JsonObject], inner)
    if any(objects[0].keys() != item.keys() for item in objects):
        return None
    if all(key.isdecimal() for key in objects[0]):
        return [{name: column[key] for name, column in zip(value, objects, strict=True)} for key in objects[0]]
    return list(objects) if all(key.isdecimal() for key in value) else None
