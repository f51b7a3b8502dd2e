"""Read the TOML files that people write: codebook, speakers and events; write a codebook."""

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
from typing import TypeVar

import tomlkit

from narratives.model import Codebook, ConfigError, Event, Narrative, Role, Speaker
from narratives.read.characters import clean_characters
from narratives.read.rows import replace_unstorable

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


def clean_written(text: str) -> str:
    """Return the text without spaces around it, and without characters that nobody sees or that cannot be stored."""
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


def _quote(value: object) -> str:
    try:
        return repr(value)
    except ValueError:  # Python writes no number that long; TOML allows one in hexadecimal digits
        return "a number of thousands of digits"


def _is_float(value: float) -> bool:
    """Return whether a number is not NaN, and no integer that is too large for a float."""
    try:
        return not math.isnan(value)
    except OverflowError:
        return False


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
            raise self.make_error(f"text as `{key}`", _quote(value), "Put it in quotation marks.")
        text = clean_written(value)
        if needed and not text:
            raise self.make_missing_error(key)
        if text and pattern and not pattern.fullmatch(text):
            raise self.make_error(f"{meant} as `{key}`", _quote(value), "Correct it.")
        return text

    def take_texts(
        self, key: str, needed: bool = False, pattern: re.Pattern[str] | None = None, meant: str = "strings"
    ) -> tuple[str, ...]:
        value = self._values.pop(key, [])
        if not isinstance(value, list):
            raise self.make_error(f"a list as `{key}`", _quote(value), "Put it in square brackets.")
        texts = [clean_written(item) if isinstance(item, str) else "" for item in value]
        for item, text in zip(value, texts, strict=True):
            if not text or (pattern and not pattern.fullmatch(text)):
                raise self.make_error(f"a list of {meant} as `{key}`", f"{_quote(item)} in it", "Correct or remove it.")
        if needed and not value:
            raise self.make_missing_error(key)
        return tuple(texts)

    def take_number(self, key: str) -> float | None:
        value = self._values.pop(key, None)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not _is_float(value):
            raise self.make_error(f"a number as `{key}`", _quote(value), "Correct it or leave it out.")
        return float(value)

    def take_day(self, key: str) -> date | None:
        value = self._values.pop(key, None)
        if value is None:
            return None
        if not isinstance(value, date) or isinstance(value, datetime):
            hint = "Write it as 2016-11-10, without quotation marks."
            raise self.make_error(f"a full date as `{key}`", _quote(value), hint)
        return value

    def take_tables(self, key: str) -> list[_TomlTable]:
        value = self._values.pop(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.make_error(f"a list of tables as `{key}`", _quote(value), "Write {title = ...} entries.")
        return [_TomlTable(item, f"{self._where}, {key} {number}") for number, item in enumerate(value, 1)]

    def parse_with(self, parse: Callable[[_TomlTable], _Entry]) -> _Entry:
        """Parse the table, and reject unknown keys: a misspelt key would otherwise be ignored silently."""
        entry = parse(self)
        if self._values:
            raise self.make_error("only known keys", ", ".join(sorted(self._values)), "Correct or remove them.")
        return entry


def _read_bytes(path: Path) -> bytes:
    with convert_os_errors(path):
        return path.read_bytes()


def _parse_entries(
    content: bytes, where: str, kind: str, label: str, parse: Callable[[_TomlTable], _Entry]
) -> tuple[_Entry, ...]:
    """Parse the `[[kind]]` tables of a file; `label` is the key that names a table."""
    try:
        data = tomllib.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:  # also for too many digits, and for lists nested too deeply
        raise ConfigError(f"TOML in UTF-8 in {where}", str(error), "Correct the file there.") from error
    tables = data.get(kind)
    others = sorted(set(data) - {kind})
    if others or not isinstance(tables, list) or not tables:
        got = f"also {', '.join(others)}" if others else "none"
        raise ConfigError(f"one or more [[{kind}]] tables and nothing else in {where}", got, "Correct the file.")
    entries = []
    for number, table in enumerate(tables, 1):
        if not isinstance(table, dict):
            raise ConfigError(f"[[{kind}]] tables in {where}", _quote(table), "Correct the file.")
        entries.append(_TomlTable(table, f"{where}, {kind} {_quote(table.get(label, number))}").parse_with(parse))
    return tuple(entries)


def _check_unique(where: str, what: str, values: list[str]) -> None:
    repeated = sorted(value for value, times in Counter(values).items() if times > 1)
    if repeated:
        raise ConfigError(f"each {what} only once in {where}", f"{', '.join(repeated)} twice", "Rename or remove one.")


@contextmanager
def convert_os_errors(path: Path) -> Iterator[None]:
    """Convert a failure to open or read a file into a ConfigError."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError(f"a readable file {path}", reason, "Check the path and the permissions.") from error
