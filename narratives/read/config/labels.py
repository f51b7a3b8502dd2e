"""Read the labels and judgements that people write or export from other programs."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO

from narratives.model import ConfigError, Judgement, LabelledText, ReadError, Rejected, Verdict, compute_text_key
from narratives.read.config import clean_written, convert_os_errors
from narratives.read.rows import parse_json, replace_unstorable
from narratives.read.rows.delimited import open_csv
from narratives.read.tables import make_csv_record

_VERDICT_LISTS: dict[Verdict, str] = {"accepted": "labels", "undecided": "disputed", "rejected": "rejected"}
_BAD_ROW_HINT = "Correct that row or leave it out."
_NO_NAMES: Mapping[str, str] = MappingProxyType({})


def read_labels(
    path: Path, narrative_ids: Sequence[str], names: Mapping[str, str] = _NO_NAMES
) -> Iterator[LabelledText | Rejected]:
    """Read the rows of a JSONL file `{text, labels, disputed}`, in file order; a bad row as `Rejected`.

    Also reads doccano's JSONL (`label` instead of `labels`) and Label Studio's JSON (a list of tasks with `choices`;
    one row for each annotation). These may contain the `names` of narratives, by id, instead of ids.

    Narratives in `labels` are accepted and those in `disputed` undecided. Those in `rejected` are rejected, or
    all others of `narrative_ids` if a row has no such list. `document` is the document of the paragraph;
    without it, the document is the `id` up to its last hyphen (`speech7` for `speech7-12`). `weight` is the number
    of paragraphs of a corpus that the row stands for. Raises ConfigError if the file cannot be read.
    """
    ids = {name: key for key, name in names.items()}
    with convert_os_errors(path), path.open("rb") as file:
        tasks = _read_tasks(file, path) if file.read(256).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[") else None
        file.seek(0)
        for row, item in enumerate(file if tasks is None else tasks, 1):
            if not item or (isinstance(item, bytes) and not item.strip()):
                continue
            try:
                if isinstance(item, bytes):
                    yield _parse_label_row(_parse_label_line(item, ids), row, narrative_ids)
                else:
                    for value in _convert_task(item, ids):
                        yield _parse_label_row(value, row, narrative_ids)
            except ReadError as error:
                yield Rejected(str(path), row, str(error))


def _parse_label_line(line: bytes, ids: Mapping[str, str]) -> dict[str, object]:
    try:
        value = parse_json(line.decode("utf-8-sig"), "a JSON object on each line")
    except UnicodeDecodeError as error:
        raise ReadError("UTF-8", str(error), _BAD_ROW_HINT) from error
    if not isinstance(value, dict):
        raise ReadError("a JSON object on each line", type(value).__name__, _BAD_ROW_HINT)
    if "label" in value and "labels" not in value:  # doccano
        given = value["label"]
        return {**value, "id": "", "labels": _replace_names([given] if isinstance(given, str) else given, ids)}
    return value


def _read_tasks(file: BinaryIO, path: Path) -> list[object]:
    file.seek(0)
    try:
        tasks = parse_json(file.read().decode("utf-8-sig"), f"a JSON list of tasks in {path}")
    except (ReadError, UnicodeDecodeError) as error:
        raise ConfigError(f"a JSON list of tasks in {path}", str(error), "Export it again as JSON.") from error
    return tasks if isinstance(tasks, list) else []


def _convert_task(task: object, ids: Mapping[str, str]) -> Iterator[dict[str, object]]:
    """Convert a task of Label Studio to a row for each of its annotations that was not cancelled.

    Choices of a control named `disputed` or `rejected` are those; of any other, they are accepted.
    """
    data = task.get("data") if isinstance(task, dict) else None
    if not isinstance(task, dict) or not isinstance(data, dict):
        raise ReadError("a task with `data`", repr(task)[:80], _BAD_ROW_HINT)
    annotations = [one for one in _take_objects(task, "annotations") if not one.get("was_cancelled")]
    if not annotations:
        raise ReadError("an annotation", "none", "Annotate the task, or leave it out.")
    for annotation in annotations:
        named: dict[str, object] = {"labels": []}
        for result in _take_objects(annotation, "result"):
            if result.get("type") == "choices":
                name = result.get("from_name") if result.get("from_name") in ("disputed", "rejected") else "labels"
                value = result.get("value")
                named[str(name)] = _replace_names(value.get("choices") if isinstance(value, dict) else None, ids)
        by = annotation.get("completed_by")
        who = by.get("email") if isinstance(by, dict) else f"user {by}" if by is not None else ""
        yield {"text": data.get("text"), "document": data.get("document"), "who": who or "", **named}


def _take_objects(value: Mapping[str, object], name: str) -> list[Mapping[str, object]]:
    """Return the objects of a list in a task, empty if it is missing; raises ReadError for anything else."""
    items = value.get(name) or []
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise ReadError(f"a list of objects as `{name}`", repr(items)[:80], _BAD_ROW_HINT)
    return items


def _replace_names(labels: object, ids: Mapping[str, str]) -> object:
    """Replace the names of narratives by their ids."""
    if not isinstance(labels, list):
        return labels
    return [ids.get(label, label) if isinstance(label, str) else label for label in labels]


def _parse_label_row(value: Mapping[str, object], row: int, narrative_ids: Sequence[str]) -> LabelledText:
    given = value.get("text")
    text = clean_written(given) if isinstance(given, str) else ""
    if not text:
        raise ReadError("a text as `text`", repr(given)[:80], _BAD_ROW_HINT)
    if "labels" not in value:
        raise ReadError("a list as `labels`, empty if the text advances no narrative", "none", _BAD_ROW_HINT)
    named = {verdict: _parse_narrative_ids(value, name, narrative_ids) for verdict, name in _VERDICT_LISTS.items()}
    repeated = sorted(key for key in narrative_ids if sum(key in keys for keys in named.values()) > 1)
    if repeated:
        raise ReadError("each narrative under one verdict", f"{', '.join(repeated)} under two", _BAD_ROW_HINT)
    if "rejected" not in value:
        named["rejected"] = set(narrative_ids) - named["accepted"] - named["undecided"]
    verdicts = {key: verdict for verdict, keys in named.items() for key in keys}
    weight = value.get("weight")
    if weight is not None and (
        isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight <= sys.float_info.max
    ):
        raise ReadError("a number of 0 or more as `weight`", repr(weight)[:80], _BAD_ROW_HINT)
    document = _parse_document_id(value, text)
    who = replace_unstorable(str(value.get("who") or ""))
    return LabelledText(row, text, document, dict(sorted(verdicts.items())), weight, who)


def _parse_narrative_ids(value: Mapping[str, object], name: str, narrative_ids: Sequence[str]) -> set[str]:
    codes = value.get(name, [])
    if not isinstance(codes, list) or not all(isinstance(code, str) for code in codes):
        raise ReadError(f"a list of narrative ids as `{name}`", repr(codes)[:80], _BAD_ROW_HINT)
    unknown = sorted(set(codes) - set(narrative_ids))
    if unknown:
        hint = "Correct the row, or select its codebook with --codebook."
        raise ReadError(f"narratives of the codebook as `{name}`", ", ".join(unknown), hint)
    return set(codes)


def _parse_document_id(value: Mapping[str, object], text: str) -> str:
    for name in ("document", "id"):
        given = value.get(name)
        if given is None or given == "":
            continue
        if not isinstance(given, str) or not given.strip():
            raise ReadError(f"text as `{name}`", repr(given)[:80], _BAD_ROW_HINT)
        key = replace_unstorable(given).strip()
        return key if name == "document" else key.rpartition("-")[0] or key
    return compute_text_key(text)


JUDGEMENT_COLUMNS = ("snapshot", "paragraph_id", "narrative_id", "verdict")
JUDGEMENT_ANSWERS: dict[str, bool | None] = {"yes": True, "no": False, "unsure": None}


def read_judgements(path: Path) -> Iterator[Judgement | Rejected]:
    """Read the rows with a verdict, in file order; a bad row as `Rejected`. Other rows are skipped.

    Only JUDGEMENT_COLUMNS are used. Cells may be separated by commas, semicolons, tabs or bars, because
    spreadsheets of different languages save different ones. Raises ConfigError if the file cannot be read or
    lacks one of these columns.
    """
    try:
        with convert_os_errors(path), open_csv(path, JUDGEMENT_COLUMNS) as (header, rows):
            if any(header.count(name) != 1 for name in JUDGEMENT_COLUMNS):
                expected = f"the columns {', '.join(JUDGEMENT_COLUMNS)}, each once, in {path}"
                got = ", ".join(header) or "an empty file"
                raise ConfigError(expected, got, "Use a file from `spotcheck draw`.")
            for number, cells in enumerate(rows, 1):
                try:
                    record = make_csv_record(cells, header)
                    if record["verdict"].strip():
                        yield _parse_judgement(record, number)
                except ReadError as error:
                    yield Rejected(str(path), number, str(error))
    except (ReadError, UnicodeDecodeError) as error:
        got = error.got if isinstance(error, ReadError) else str(error)
        raise ConfigError(f"CSV in {path}", got, "Save the file as CSV in UTF-8.") from error


def _parse_judgement(record: dict[str, str], row: int) -> Judgement:
    snapshot, paragraph, narrative = (record[name].strip() for name in JUDGEMENT_COLUMNS[:3])
    answer = record["verdict"].strip().casefold()
    if answer not in JUDGEMENT_ANSWERS:
        where = f"verdict on {paragraph} and {narrative}"
        raise ReadError(f"one of {', '.join(JUDGEMENT_ANSWERS)} as {where}", repr(answer[:40]), "Correct that cell.")
    return Judgement(row, snapshot, paragraph, narrative, JUDGEMENT_ANSWERS[answer])
