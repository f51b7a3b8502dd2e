"""Convert one row of a table to one raw document: the fields, and their allowed values."""

from __future__ import annotations

import json
import math
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time
from typing import Any, cast

from narratives.model import InputFile, RawDocument, RawParagraph, ReadError, Rejected, TextKind
from narratives.read.rows.cells import clean_text, clean_value
from narratives.read.rows.columns import describe_map_hint

CONTENT_FIELDS = ("text", "paragraphs")
METADATA_FIELDS = ("id", "url", "outlet", "title", "date", "speaker", "language", "source_ref", "text_kind", "lead")
DOCUMENT_FIELDS = CONTENT_FIELDS + METADATA_FIELDS
MAX_NAME = 80  # characters of a column name in messages
MAX_REASON = 1000  # characters of the reason for a rejection
TEXT_KINDS = ("verbatim", "paraphrase")
# NUL and lone surrogates, which JSON can contain, can be neither stored nor hashed.
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def fold(name: str) -> str:
    """Return a column name in the form for comparison: without case, and with single spaces between words."""
    return " ".join(name.split()).casefold()


def match_columns(names: Sequence[str], wanted: Mapping[str, str]) -> dict[str, str]:
    """Return the column among `names` for each field that has one; `wanted` maps a field to the name of its column.

    An exact match takes precedence over a match without case. Raises ReadError if several columns remain.
    """
    columns: dict[str, list[str]] = defaultdict(list)
    for name in names:
        columns[fold(name)].append(name)
    matched = {}
    for field, name in wanted.items():
        candidates = columns.get(fold(name), [])
        chosen = [column for column in candidates if column == name] or candidates
        if len(chosen) > 1:
            got = f"{chosen[0]} twice" if len({*chosen}) == 1 else " and ".join(dict.fromkeys(chosen))
            raise ReadError(f"one column for `{field}`", got, "Rename or remove all except one of them.")
        if chosen:
            matched[field] = chosen[0]
    return matched


def find_unmatched(names: Sequence[str], matched: Mapping[str, str]) -> tuple[str, ...]:
    """Return the legible names of the columns that match no field, in order; columns without a name are omitted."""
    return tuple(dict.fromkeys(make_legible(n, MAX_NAME) for n in names if n.strip() and n not in matched.values()))


def get_field_columns(columns: Mapping[str, str]) -> dict[str, str]:
    """Return the column name of each field: that in `columns`, or else the name of the field."""
    return {field: columns.get(field, field) for field in DOCUMENT_FIELDS}


def map_columns(names: Sequence[str], columns: Mapping[str, str]) -> dict[str, str]:
    """Return the column of a table for each document field; `columns` has those that the user has mapped.

    Raises ReadError if a mapped column is missing, if several columns match one field, or if no column has
    the text.
    """
    got = f"the columns {', '.join(names) or '(none)'}"
    located = match_columns(names, get_field_columns(columns))
    missing = [f"{field}={column}" for field, column in columns.items() if field not in located]
    if missing:
        raise ReadError(f"the columns named in --map {' '.join(missing)}", got, "Correct --map.")
    if not any(field in located for field in CONTENT_FIELDS):
        raise ReadError("a column `text` or `paragraphs`", got, describe_map_hint(names, located))
    return located


def row_to_document(cells: Mapping[str, object], file: InputFile, row: int) -> RawDocument:
    """Convert the cells of one row, by field, to a raw document; a manifest overrides the row.

    Paragraphs take precedence over a text. An empty list of paragraphs with a title is a page without text,
    and a valid document. Raises ReadError if a field has an invalid value.
    """
    given = _parse_list(cells.get("paragraphs"))
    paragraphs = _parse_paragraphs(given or [])
    text = "" if paragraphs else clean_text(_check_text(cells.get("text"), "text"))
    metadata = {name: _format_metadata(cells.get(name), name) for name in METADATA_FIELDS}
    is_bare_page = given is not None and metadata["title"]
    if not paragraphs and not text.strip() and not is_bare_page:
        got = cells.get("text")
        got = f"only {got.strip()!r:.40}" if isinstance(got, str) and got.strip() else "neither"
        raise ReadError("a text or paragraphs", got, "Fill in one of them, or remove the row.")
    kind = metadata.pop("text_kind") or "verbatim"
    if kind not in TEXT_KINDS:
        raise ReadError(f"text_kind {' or '.join(TEXT_KINDS)}", repr(kind), "Correct it or leave it empty.")
    document = RawDocument(file.source_path, row, text, paragraphs, text_kind=cast(TextKind, kind))
    return apply_manifest(_set_fields(document, metadata), file)


def make_document(
    values: Mapping[str, object],
    file: InputFile,
    row: int,
    columns: Mapping[str, str],
    paragraphs: Sequence[RawParagraph] = (),
) -> RawDocument:
    """Make a document from what a file that is no table says about it, by our fields and by other names.

    `columns` maps our fields to those names, such as `speaker` to `byline`; a name that is absent has no effect.
    `paragraphs` replace the text. Raises ReadError as `row_to_document` does.
    """
    mapped = {field: values[name] for field, name in columns.items() if values.get(name)}
    text = "\n\n".join(p.text for p in paragraphs) or values.get("text")
    document = row_to_document({**values, "text": text, **mapped}, file, row)
    return replace(document, text="", paragraphs=tuple(paragraphs)) if paragraphs and "text" not in mapped else document


def apply_manifest(document: RawDocument, file: InputFile) -> RawDocument:
    """Return the document with the values of its manifest.csv row, and the names of the fields that these override.

    What a feed or sitemap says of a page (`listed_date`, `listed_outlet`, `listed_title`) overrides nothing.
    """
    values = {name: value for name, value in file.manifest.items() if value}
    listed_title = values.pop("listed_title", "")
    document = _set_fields(document, {"title": document.title or listed_title, **values})
    return replace(document, from_manifest=tuple(sorted(values.keys() & set(METADATA_FIELDS))))


def _set_fields(document: RawDocument, values: Mapping[str, str]) -> RawDocument:
    return replace(document, **cast(dict[str, Any], values))


def parse_json(text: str, what: str) -> object:
    """Parse JSON; raises ReadError if the text is not valid JSON."""
    try:
        return cast(object, json.loads(text))
    except (ValueError, RecursionError) as error:
        raise ReadError(what, f"invalid JSON ({error})", "Correct it or leave it out.") from error


def _parse_list(value: object) -> list[object] | None:
    """Return the list in a cell, which may be JSON; None for an empty cell."""
    if isinstance(value, str):
        value = parse_json(value, "paragraphs as a JSON list") if value.strip() else None
    if value is not None and not isinstance(value, list):
        raise ReadError("paragraphs as a list", _describe_type(value), "Write a list of strings or objects.")
    return value


def _parse_paragraphs(items: list[object]) -> tuple[RawParagraph, ...]:
    paragraphs = (_parse_paragraph(item, position) for position, item in enumerate(items, 1))
    return tuple(p for p in paragraphs if p.text.strip())


def _parse_paragraph(item: object, position: int) -> RawParagraph:
    if isinstance(item, str):
        return RawParagraph(clean_text(replace_unstorable(item)))
    if not isinstance(item, dict) or not isinstance(item.get("text"), str):
        got = f"{_describe_type(item)} as paragraph {position}"
        raise ReadError("strings or objects with a `text` as paragraphs", got, "Correct that paragraph.")
    where = f"paragraph {position}"
    speaker = _format_metadata(item.get("speaker"), f"speaker of {where}")
    labelled = item.get("speaker_label_in_source")
    if labelled is not None and not isinstance(labelled, bool):
        got = f"{_describe_type(labelled)} as speaker_label_in_source of {where}"
        raise ReadError("true or false", got, "Correct it or leave it out.")
    return RawParagraph(
        clean_text(replace_unstorable(item["text"])),
        speaker,
        _format_metadata(item.get("source_ref"), f"source_ref of {where}"),
        # Unless this field says otherwise, the source names the speaker.
        labelled=bool(speaker) and labelled is not False,
    )


def _check_text(value: object, name: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ReadError(f"a string as `{name}`", _describe_type(value), "Write text, or map another column.")
    return replace_unstorable(value)


def _format_metadata(value: object, name: str) -> str:
    """Format a metadata value as text: whole numbers without a decimal point, days without a time."""
    if isinstance(value, date):
        is_day = isinstance(value, datetime) and value.time() == time()
        return value.isoformat()[:10] if is_day else value.isoformat()
    if isinstance(value, float):
        # A column of numbers with gaps has NaN in the gaps.
        if math.isnan(value):
            return ""
        return str(int(value)) if value.is_integer() else str(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if value is None or isinstance(value, str):
        return clean_value(_check_text(value, name))
    raise ReadError(f"text, a number or a date as `{name}`", _describe_type(value), "Correct or remove it.")


def replace_unstorable(text: str) -> str:
    """Replace every character that cannot be stored by U+FFFD."""
    return _UNSTORABLE.sub("\ufffd", text)


def make_rejected(source_path: str, row: int, error: ReadError) -> Rejected:
    """Make a Rejected from an error, with a legible reason even if it quotes a damaged file."""
    return Rejected(source_path, row, make_legible(str(error), MAX_REASON))


def make_legible(text: str, most: int) -> str:
    """Return the text on one line, without unprintable characters, cut off at `most` characters."""
    line = "".join(c if c.isprintable() else "\ufffd" for c in " ".join(text.split()))
    return line if len(line) <= most else f"{line[:most]}…"


def _describe_type(value: object) -> str:
    if value is None:
        return "nothing"
    names = {dict: "an object", list: "a list", str: "a string", bool: "a truth value", int: "a number"}
    return names.get(type(value), f"a value of type {type(value).__name__}")
