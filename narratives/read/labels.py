"""Labelled paragraphs: what people, or other annotators, say that a text advances."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from narratives.model import ConfigError, LabelledText, ReadError, Rejected, Verdict, text_key
from narratives.read.rows import clean, json_value

_TODO = "Correct that row or leave it out."


def read_labels(path: Path, narrative_ids: Sequence[str]) -> Iterator[LabelledText | Rejected]:
    """The rows of a JSONL file `{text, labels, disputed}`, in its order; a bad one as `Rejected`.

    Narratives in `labels` are accepted, those in `disputed` undecided, all others of `narrative_ids`
    rejected; where a row has `rejected`, only those are. `document` tells which document a paragraph is of;
    without it an `id` does, up to its last hyphen (`speech7-12` is of `speech7`). Raises ConfigError where
    the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            for row, line in enumerate(file, 1):
                if not line.strip():
                    continue
                try:
                    yield _labelled(line, row, narrative_ids)
                except ReadError as error:
                    yield Rejected(str(path), row, str(error))
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError(f"a readable file {path}", reason, "Check the path and your rights.") from error


def _labelled(line: bytes, row: int, narrative_ids: Sequence[str]) -> LabelledText:
    try:
        value = json_value(line.decode("utf-8-sig"), "a JSON object on each line")
    except UnicodeDecodeError as error:
        raise ReadError("UTF-8", str(error), _TODO) from error
    if not isinstance(value, dict):
        raise ReadError("a JSON object on each line", type(value).__name__, _TODO)
    text = value.get("text")
    if not isinstance(text, str) or not text.strip():
        raise ReadError("a text as `text`", repr(text)[:80], _TODO)
    if "labels" not in value:
        raise ReadError("`labels`, a list, empty where it advances nothing", "none", _TODO)
    text = clean(text)
    named: dict[Verdict, set[str]] = {
        "accepted": _codes(value, "labels", narrative_ids),
        "undecided": _codes(value, "disputed", narrative_ids),
        "rejected": _codes(value, "rejected", narrative_ids),
    }
    both = sorted(key for key in narrative_ids if sum(key in of for of in named.values()) > 1)
    if both:
        raise ReadError("each narrative under one verdict", f"{', '.join(both)} under two", _TODO)
    if "rejected" not in value:
        named["rejected"] = set(narrative_ids) - named["accepted"] - named["undecided"]
    verdict_of = {key: verdict for verdict, keys in named.items() for key in keys}
    return LabelledText(row, text, _document(value, text), dict(sorted(verdict_of.items())))


def _codes(value: dict[str, object], name: str, narrative_ids: Sequence[str]) -> set[str]:
    codes = value.get(name, [])
    if not isinstance(codes, list) or not all(isinstance(code, str) for code in codes):
        raise ReadError(f"a list of narrative ids as `{name}`", repr(codes)[:80], _TODO)
    unknown = sorted(set(codes) - set(narrative_ids))
    if unknown:
        todo = "Correct the row, or name the codebook that it is of with --codebook."
        raise ReadError(f"narratives of the codebook as `{name}`", ", ".join(unknown), todo)
    return set(codes)


def _document(value: dict[str, object], text: str) -> str:
    for name in ("document", "id"):
        given = value.get(name)
        if given is None or given == "":
            continue
        if not isinstance(given, str) or not given.strip():
            raise ReadError(f"text as `{name}`", repr(given)[:80], _TODO)
        key = clean(given).strip()
        return key if name == "document" else key.rpartition("-")[0] or key
    return text_key(text)
