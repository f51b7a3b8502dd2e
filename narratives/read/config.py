"""Read the files that people write: codebook, speakers and events (TOML), labels and judgements; write a codebook."""

from __future__ import annotations

import hashlib
import math
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO, TypeVar

import tomlkit

from narratives.model import (
    Codebook,
    ConfigError,
    Event,
    Judgement,
    LabelledText,
    Narrative,
    ReadError,
    Rejected,
    Role,
    Speaker,
    Verdict,
    compute_text_key,
)
from narratives.read.characters import clean_characters
from narratives.read.rows import parse_json, replace_unstorable
from narratives.read.rows.delimited import open_csv
from narratives.read.tables import make_csv_record

_Entry = TypeVar("_Entry")
_ID_PATTERN = re.compile(r"[a-z0-9_]+")
_COLOUR_PATTERN = re.compile(r"#[0-9a-fA-F]{6}")
_URL_PATTERN = re.compile(r"https?://[^\s/]+\.[^\s]+")
NARRATIVE_KEYS = tuple(Narrative.__dataclass_fields__)


def load_codebook(path: Path) -> Codebook:
    """Load the narratives of a codebook, in file order; raises ConfigError with file and narrative.

    The file has `[[narrative]]` tables with id, name, definition, exemplars and optionally includes, excludes,
    contrasts, cues, parent, colour (`#rrggbb`), threshold and replaces (earlier ids).
    """
    return parse_codebook(_read_bytes(path), str(path))


def parse_codebook(content: bytes, where: str) -> Codebook:
    """Make a codebook of the content of a file; `where` names it in errors. Otherwise as `load_codebook`."""
    narratives = _parse_entries(content, where, "narrative", "id", _parse_narrative)
    check_narratives(narratives, where)
    return Codebook(narratives, hashlib.sha256(content).hexdigest(), where)


def check_narratives(narratives: Sequence[Narrative], where: str) -> None:
    """Check that ids and names are unique and that parents exist; raises ConfigError, which names `where`."""
    _check_unique(where, "narrative id", [n.id for n in narratives])
    _check_unique(where, "narrative name", [n.name for n in narratives])
    parents = {n.id: n.parent for n in narratives}
    for start in parents:
        seen, parent = {start}, parents[start]
        while parent:
            if parent not in parents or parent in seen:
                reason = "which is circular" if parent in seen else "which is not in the codebook"
                expected = f"another narrative as parent ({where}, narrative {start!r})"
                raise ConfigError(expected, f"{parent!r}, {reason}", "Correct `parent`.")
            seen.add(parent)
            parent = parents[parent]


def parse_narrative(values: Mapping[str, object], where: str) -> Narrative:
    """Make a narrative of the keys of its TOML table; raises ConfigError, which names `where`."""
    return _TomlTable(dict(values), where).parse_with(_parse_narrative)


def dump_codebook(codebook: Codebook) -> str:
    """Return the codebook as the text of a TOML file that `load_codebook` reads.

    Keys are in a fixed order, and each item of a list is on its own line, so that a difference shows what changed.
    """
    document = tomlkit.document()
    tables = tomlkit.aot()
    for narrative in codebook.narratives:
        table = tomlkit.table()
        for key in NARRATIVE_KEYS:
            value = getattr(narrative, key)
            if isinstance(value, tuple) and value:
                items = tomlkit.array()
                items.extend(value)
                table.add(key, items.multiline(True))
            elif value not in ("", (), None):
                table.add(key, value)
        tables.append(table)
    document.add("narrative", tables)
    return tomlkit.dumps(document)


def load_speakers(path: Path) -> tuple[Speaker, ...]:
    """Load the roster of speakers, in file order; raises ConfigError with file and speaker.

    The file has `[[speaker]]` tables with name and optionally aliases, affiliation and roles. A role is
    `{title, from, to}` with full dates, both optional. No name or alias may belong to two speakers.
    """
    speakers = _parse_entries(_read_bytes(path), str(path), "speaker", "name", _parse_speaker)
    _check_unique(str(path), "name or alias", [name.casefold() for s in speakers for name in (s.name, *s.aliases)])
    return speakers


def load_events(path: Path) -> tuple[Event, ...]:
    """Load the events, in order of date; raises ConfigError with file and event.

    The file has `[[event]]` tables with date, name, source (a web address) and optionally narratives (their ids).
    """
    events = _parse_entries(_read_bytes(path), str(path), "event", "name", _parse_event)
    _check_unique(str(path), "event", [f"{event.date} {event.name}" for event in events])
    return tuple(sorted(events, key=lambda event: (event.date, event.name)))


def _clean_text(text: str) -> str:
    return clean_characters(replace_unstorable(text)).strip()


def _parse_narrative(table: _TomlTable) -> Narrative:
    return Narrative(
        id=table.take_text("id", needed=True, pattern=_ID_PATTERN, meant="small letters, digits and _"),
        name=table.take_text("name", needed=True),
        definition=table.take_text("definition", needed=True),
        includes=table.take_texts("includes"),
        excludes=table.take_texts("excludes"),
        exemplars=table.take_texts("exemplars", needed=True),
        contrasts=table.take_texts("contrasts"),
        cues=table.take_texts("cues"),
        parent=table.take_text("parent"),
        colour=table.take_text("colour", pattern=_COLOUR_PATTERN, meant="a colour such as #1f77b4"),
        threshold=table.take_number("threshold"),
        replaces=table.take_texts("replaces", pattern=_ID_PATTERN, meant="ids of earlier narratives"),
    )


def _parse_speaker(table: _TomlTable) -> Speaker:
    return Speaker(
        name=table.take_text("name", needed=True),
        aliases=table.take_texts("aliases"),
        roles=tuple(role.parse_with(_parse_role) for role in table.take_tables("roles")),
        affiliation=table.take_text("affiliation"),
    )


def _parse_role(table: _TomlTable) -> Role:
    role = Role(table.take_text("title", needed=True), table.take_day("from"), table.take_day("to"))
    if role.start and role.end and role.end < role.start:
        raise table.make_error("`from` before `to`", f"{role.start} to {role.end}", "Correct the dates.")
    return role


def _parse_event(table: _TomlTable) -> Event:
    day = table.take_day("date")
    if day is None:
        raise table.make_missing_error("date")
    return Event(
        date=day,
        name=table.take_text("name", needed=True),
        source=table.take_text("source", needed=True, pattern=_URL_PATTERN, meant="a web address"),
        narratives=table.take_texts("narratives", pattern=_ID_PATTERN, meant="narrative ids"),
    )


class _TomlTable:
    """One TOML table whose keys are taken one by one; `where` names file and entry in errors."""

    def __init__(self, values: dict[str, object], where: str) -> None:
        self._values = dict(values)
        self._where = where

    def make_error(self, expected: str, got: str, hint: str) -> ConfigError:
        return ConfigError(f"{expected} ({self._where})", got, hint)

    def make_missing_error(self, key: str) -> ConfigError:
        return self.make_error(f"`{key}`", "nothing", f"Fill in `{key}`.")

    def take_text(self, key: str, needed: bool = False, pattern: re.Pattern[str] | None = None, meant: str = "") -> str:
        value = self._values.pop(key, "")
        if not isinstance(value, str):
            raise self.make_error(f"text as `{key}`", repr(value), "Put it in quotation marks.")
        text = _clean_text(value)
        if needed and not text:
            raise self.make_missing_error(key)
        if text and pattern and not pattern.fullmatch(text):
            raise self.make_error(f"{meant} as `{key}`", repr(value), "Correct it.")
        return text

    def take_texts(
        self, key: str, needed: bool = False, pattern: re.Pattern[str] | None = None, meant: str = "strings"
    ) -> tuple[str, ...]:
        value = self._values.pop(key, [])
        if not isinstance(value, list):
            raise self.make_error(f"a list as `{key}`", repr(value), "Put it in square brackets.")
        texts = [_clean_text(item) if isinstance(item, str) else "" for item in value]
        for item, text in zip(value, texts, strict=True):
            if not text or (pattern and not pattern.fullmatch(text)):
                raise self.make_error(f"a list of {meant} as `{key}`", f"{item!r} in it", "Correct or remove it.")
        if needed and not value:
            raise self.make_missing_error(key)
        return tuple(texts)

    def take_number(self, key: str) -> float | None:
        value = self._values.pop(key, None)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
            raise self.make_error(f"a number as `{key}`", repr(value), "Correct it or leave it out.")
        return float(value)

    def take_day(self, key: str) -> date | None:
        value = self._values.pop(key, None)
        if value is None:
            return None
        if not isinstance(value, date) or isinstance(value, datetime):
            hint = "Write it as 2016-11-10, without quotation marks."
            raise self.make_error(f"a full date as `{key}`", repr(value), hint)
        return value

    def take_tables(self, key: str) -> list[_TomlTable]:
        value = self._values.pop(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.make_error(f"a list of tables as `{key}`", repr(value), "Write {title = ...} entries.")
        return [_TomlTable(item, f"{self._where}, {key} {number}") for number, item in enumerate(value, 1)]

    def parse_with(self, parse: Callable[[_TomlTable], _Entry]) -> _Entry:
        """Parse the table, and reject unknown keys: a misspelt key would otherwise be ignored silently."""
        entry = parse(self)
        if self._values:
            raise self.make_error("only known keys", ", ".join(sorted(self._values)), "Correct or remove them.")
        return entry


def _read_bytes(path: Path) -> bytes:
    with _convert_os_errors(path):
        return path.read_bytes()


def _parse_entries(
    content: bytes, where: str, kind: str, label: str, parse: Callable[[_TomlTable], _Entry]
) -> tuple[_Entry, ...]:
    """Parse the `[[kind]]` tables of a file; `label` is the key that names a table."""
    try:
        data = tomllib.loads(content.decode("utf-8-sig"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"TOML in UTF-8 in {where}", str(error), "Correct the file there.") from error
    tables = data.get(kind)
    others = sorted(set(data) - {kind})
    if others or not isinstance(tables, list) or not tables:
        got = f"also {', '.join(others)}" if others else "none"
        raise ConfigError(f"one or more [[{kind}]] tables and nothing else in {where}", got, "Correct the file.")
    entries = []
    for number, table in enumerate(tables, 1):
        if not isinstance(table, dict):
            raise ConfigError(f"[[{kind}]] tables in {where}", repr(table), "Correct the file.")
        entries.append(_TomlTable(table, f"{where}, {kind} {table.get(label, number)!r}").parse_with(parse))
    return tuple(entries)


def _check_unique(where: str, what: str, values: list[str]) -> None:
    repeated = sorted(value for value, times in Counter(values).items() if times > 1)
    if repeated:
        raise ConfigError(f"each {what} only once in {where}", f"{', '.join(repeated)} twice", "Rename or remove one.")


@contextmanager
def _convert_os_errors(path: Path) -> Iterator[None]:
    """Convert a failure to open or read a file into a ConfigError."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError(f"a readable file {path}", reason, "Check the path and the permissions.") from error


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
    with _convert_os_errors(path), path.open("rb") as file:
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
    annotations = [
        one for one in task.get("annotations") or () if isinstance(one, dict) and not one.get("was_cancelled")
    ]
    if not annotations:
        raise ReadError("an annotation", "none", "Annotate the task, or leave it out.")
    for annotation in annotations:
        named: dict[str, object] = {"labels": []}
        for result in annotation.get("result") or ():
            if isinstance(result, dict) and result.get("type") == "choices":
                name = result.get("from_name") if result.get("from_name") in ("disputed", "rejected") else "labels"
                named[str(name)] = _replace_names((result.get("value") or {}).get("choices"), ids)
        by = annotation.get("completed_by")
        who = by.get("email") if isinstance(by, dict) else f"user {by}" if by is not None else ""
        yield {"text": data.get("text"), "document": data.get("document"), "who": who or "", **named}


def _replace_names(labels: object, ids: Mapping[str, str]) -> object:
    """Replace the names of narratives by their ids."""
    if not isinstance(labels, list):
        return labels
    return [ids.get(label, label) if isinstance(label, str) else label for label in labels]


def _parse_label_row(value: Mapping[str, object], row: int, narrative_ids: Sequence[str]) -> LabelledText:
    text = value.get("text")
    if not isinstance(text, str) or not text.strip():
        raise ReadError("a text as `text`", repr(text)[:80], _BAD_ROW_HINT)
    if "labels" not in value:
        raise ReadError("a list as `labels`, empty if the text advances no narrative", "none", _BAD_ROW_HINT)
    text = clean_characters(replace_unstorable(text))
    named = {verdict: _parse_narrative_ids(value, name, narrative_ids) for verdict, name in _VERDICT_LISTS.items()}
    repeated = sorted(key for key in narrative_ids if sum(key in keys for keys in named.values()) > 1)
    if repeated:
        raise ReadError("each narrative under one verdict", f"{', '.join(repeated)} under two", _BAD_ROW_HINT)
    if "rejected" not in value:
        named["rejected"] = set(narrative_ids) - named["accepted"] - named["undecided"]
    verdicts = {key: verdict for verdict, keys in named.items() for key in keys}
    weight = value.get("weight")
    if weight is not None and (
        isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight < math.inf
    ):
        raise ReadError("a number of 0 or more as `weight`", repr(weight)[:80], _BAD_ROW_HINT)
    document = _parse_document_id(value, text)
    return LabelledText(row, text, document, dict(sorted(verdicts.items())), weight, str(value.get("who") or ""))


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
        with _convert_os_errors(path), open_csv(path, JUDGEMENT_COLUMNS) as (header, rows):
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
