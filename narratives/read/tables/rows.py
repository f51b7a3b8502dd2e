"""One row of a table to one raw document: which fields there are, and what each may hold."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time
from typing import cast

from narratives.model import InputFile, RawDocument, RawParagraph, ReadError, Rejected, TextKind

CONTENT_FIELDS = ("text", "paragraphs")
METADATA_FIELDS = (
    "id",
    "url",
    "outlet",
    "title",
    "date",
    "speaker",
    "language",
    "source_ref",
    "text_kind",
    "lead",
)
DOCUMENT_FIELDS = CONTENT_FIELDS + METADATA_FIELDS
MAX_NAME = 80  # characters of a column that is told
MAX_REASON = 1000  # characters of the reason for a refusal
TEXT_KINDS = ("verbatim", "paraphrase")
# NUL and halves of surrogate pairs (JSON can write both) can be stored and hashed nowhere.
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def fold(name: str) -> str:
    """A column's name as it is compared: without regard to case and to white space around it."""
    return name.strip().casefold()


def match(names: Sequence[str], wanted: Mapping[str, str]) -> dict[str, str]:
    """Which of the columns `names` holds which field, by field; fields without a column are left out.

    `wanted` maps a field to the name of its column. A column that is written exactly so goes before one that
    differs in case. Raises ReadError where that leaves several.
    """
    columns: dict[str, list[str]] = {}
    for name in names:
        columns.setdefault(fold(name), []).append(name)
    matched = {}
    for field, name in wanted.items():
        alike = columns.get(fold(name), [])
        chosen = [column for column in alike if column == name] or alike
        if len(chosen) > 1:
            got = f"{chosen[0]} twice" if len({*chosen}) == 1 else " and ".join(dict.fromkeys(chosen))
            raise ReadError(f"one column for `{field}`", got, "Rename or remove all but one of them.")
        if chosen:
            matched[field] = chosen[0]
    return matched


def unused(names: Sequence[str], matched: Mapping[str, str]) -> tuple[str, ...]:
    """The columns that hold no field, in their order and fit to be shown; nameless ones are left out."""
    return tuple(dict.fromkeys(legible(n, MAX_NAME) for n in names if n.strip() and n not in matched.values()))


def wanted_columns(columns: Mapping[str, str]) -> dict[str, str]:
    """The name of the column that is to hold each field: that which `columns` gives, else the field's own."""
    return {field: columns.get(field, field) for field in DOCUMENT_FIELDS}


def map_columns(names: Sequence[str], columns: Mapping[str, str]) -> dict[str, str]:
    """Which column of a table holds which of our fields, as `match` finds them; the others are left aside.

    `columns` maps our field to their column. Raises ReadError where a column that it names is missing,
    several may be meant, or none holds the text.
    """
    came = f"the columns {', '.join(names) or '(none)'}"
    located = match(names, wanted_columns(columns))
    missing = [f"{field}={column}" for field, column in columns.items() if field not in located]
    if missing:
        raise ReadError(f"the columns that --map {' '.join(missing)} names", came, "Correct the --map.")
    if not any(field in located for field in CONTENT_FIELDS):
        hint = "Say which column holds the text with --map text=COLUMN."
        raise ReadError("a column `text` or `paragraphs`", came, hint)
    return located


def row_to_document(cells: Mapping[str, object], file: InputFile, row: int) -> RawDocument:
    """The raw document of one row, `cells` being keyed by our fields; a manifest overrides the row.

    Where a row has both paragraphs and text, the paragraphs are taken. A list of paragraphs that is there but
    empty, beside a title, is a page without text, and a document. Raises ReadError where a field holds what
    it cannot.
    """
    given = _parse_list(cells.get("paragraphs"))
    paragraphs = _parse_paragraphs(given or [])
    text = "" if paragraphs else _check_text(cells.get("text"), "text")
    values = {name: _format_metadata(cells.get(name), name) for name in METADATA_FIELDS}
    is_bare_page = given is not None and values["title"]
    if not paragraphs and not text.strip() and not is_bare_page:
        raise ReadError("a text or paragraphs", "neither", "Fill one of them or leave the row out.")
    kind = values["text_kind"] or "verbatim"
    if kind not in TEXT_KINDS:
        raise ReadError(f"text_kind {' or '.join(TEXT_KINDS)}", repr(kind), "Correct it or leave it empty.")
    document = RawDocument(
        source_path=file.source_path,
        row=row,
        text=text,
        paragraphs=paragraphs,
        id=values["id"],
        url=values["url"],
        outlet=values["outlet"],
        title=values["title"],
        date=values["date"],
        speaker=values["speaker"],
        language=values["language"],
        source_ref=values["source_ref"],
        text_kind=cast(TextKind, kind),
        lead=values["lead"],
    )
    return apply_manifest(document, file)


def apply_manifest(document: RawDocument, file: InputFile) -> RawDocument:
    """The document with what a manifest.csv says of its file, and the names of those fields."""
    said = {name: value for name, value in file.manifest.items() if value}
    return replace(
        document,
        date=said.get("date", document.date),
        outlet=said.get("outlet", document.outlet),
        title=said.get("title", document.title),
        url=said.get("url", document.url),
        speaker=said.get("speaker", document.speaker),
        from_manifest=tuple(sorted(said)),
    )


def parse_json(text: str, what: str) -> object:
    """The value that a piece of JSON holds; raises ReadError where it is not JSON."""
    try:
        return cast(object, json.loads(text))
    except (ValueError, RecursionError) as error:
        raise ReadError(what, f"invalid JSON ({error})", "Correct it or leave it out.") from error


def _parse_list(value: object) -> list[object] | None:
    """The list that a cell holds, as such or as JSON; None for an empty cell."""
    if isinstance(value, str):
        value = parse_json(value, "paragraphs as a JSON list") if value.strip() else None
    if value is not None and not isinstance(value, list):
        raise ReadError("paragraphs as a list", _describe_type(value), "Give a list of strings or objects.")
    return value


def _parse_paragraphs(items: list[object]) -> tuple[RawParagraph, ...]:
    paragraphs = (_parse_paragraph(item, position) for position, item in enumerate(items, 1))
    return tuple(p for p in paragraphs if p.text.strip())


def _parse_paragraph(item: object, position: int) -> RawParagraph:
    if isinstance(item, str):
        return RawParagraph(replace_unstorable(item))
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
        replace_unstorable(item["text"]),
        speaker,
        _format_metadata(item.get("source_ref"), f"source_ref of {where}"),
        # A row that does not tell label from guess gives labels.
        labelled=bool(speaker) and labelled is not False,
    )


def _check_text(value: object, name: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ReadError(f"a string as `{name}`", _describe_type(value), "Give text, or map another column to it.")
    return replace_unstorable(value)


def _format_metadata(value: object, name: str) -> str:
    """A metadata value as trimmed text: whole numbers without a point, days without a clock."""
    if isinstance(value, datetime) and value.time() == time():
        value = value.date()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        # A table of numbers with gaps holds NaN in the gaps.
        if value != value:
            return ""
        return str(int(value)) if value.is_integer() else str(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if value is None or isinstance(value, str):
        return _check_text(value, name).strip()
    raise ReadError(f"text, a number or a date as `{name}`", _describe_type(value), "Correct or remove it.")


def replace_unstorable(text: str) -> str:
    """The text with every character that cannot be stored replaced by U+FFFD."""
    return _UNSTORABLE.sub("\ufffd", text)


def refuse(source_path: str, row: int, error: ReadError) -> Rejected:
    """What is not taken in, with the reason, whatever this may quote of a broken file."""
    return Rejected(source_path, row, legible(str(error), MAX_REASON))


def legible(text: str, most: int) -> str:
    """The text on one line, without what cannot be shown, cut off at `most` characters."""
    line = "".join(c if c.isprintable() else "\ufffd" for c in " ".join(text.split()))
    return line if len(line) <= most else f"{line[:most]}…"


def _describe_type(value: object) -> str:
    if value is None:
        return "nothing"
    names = {dict: "an object", list: "a list", str: "a string", bool: "a truth value", int: "a number"}
    return names.get(type(value), f"a value of type {type(value).__name__}")
