"""The TOML files that people write: the codebook, the speakers, the events."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

from narratives.model import Codebook, ConfigError, Event, Narrative, Role, Speaker

_ID = re.compile(r"[a-z0-9_]+")
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_URL = re.compile(r"https?://[^\s/]+\.[^\s]+")


def load_codebook(path: Path) -> Codebook:
    """The narratives of a codebook file, in its order; raises ConfigError naming the file and the narrative.

    `[[narrative]]` tables with id, name, definition, exemplars and optionally includes, excludes, contrasts,
    cues, parent, colour (`#rrggbb`), threshold and replaces (earlier ids).
    """
    data, digest = _load(path)
    narratives = tuple(_narrative(table) for table in _tables(data, path, "narrative", "id"))
    _once(path, "narrative id", [n.id for n in narratives])
    _once(path, "narrative name", [n.name for n in narratives])
    parents = {n.id: n.parent for n in narratives}
    for start in parents:
        seen, here = {start}, parents[start]
        while here:
            if here not in parents or here in seen:
                got = f"{here!r}, " + ("a circle" if here in seen else "which is not in the codebook")
                where = f"{path}, narrative {start!r}"
                raise ConfigError(f"another narrative as parent ({where})", got, "Correct `parent`.")
            seen.add(here)
            here = parents[here]
    return Codebook(narratives, digest, str(path))


def load_speakers(path: Path) -> tuple[Speaker, ...]:
    """The roster, in the file's order; raises ConfigError naming the file and the speaker.

    `[[speaker]]` tables with name and optionally aliases, affiliation and roles, each role being
    `{title, from, to}` with whole dates, either end open. No name or alias may stand for two speakers.
    """
    data, _ = _load(path)
    speakers = tuple(_speaker(table) for table in _tables(data, path, "speaker", "name"))
    _once(path, "name or alias", [known.casefold() for s in speakers for known in (s.name, *s.aliases)])
    return speakers


def load_events(path: Path) -> tuple[Event, ...]:
    """The events, by date; raises ConfigError naming the file and the event.

    `[[event]]` tables with date, name, source (a web address) and optionally narratives (ids of a codebook).
    """
    data, _ = _load(path)
    events = [_event(table) for table in _tables(data, path, "event", "name")]
    _once(path, "event", [f"{e.date} {e.name}" for e in events])
    return tuple(sorted(events, key=lambda event: (event.date, event.name)))


def _narrative(table: _Table) -> Narrative:
    narrative = Narrative(
        id=table.text("id", needed=True, pattern=_ID, meant="small letters, digits and _"),
        name=table.text("name", needed=True),
        definition=table.text("definition", needed=True),
        includes=table.texts("includes"),
        excludes=table.texts("excludes"),
        exemplars=table.texts("exemplars", needed=True),
        contrasts=table.texts("contrasts"),
        cues=table.texts("cues"),
        parent=table.text("parent"),
        colour=table.text("colour", pattern=_COLOUR, meant="a colour such as #1f77b4"),
        threshold=table.number("threshold"),
        replaces=table.texts("replaces", pattern=_ID, meant="ids of earlier narratives"),
    )
    table.end()
    return narrative


def _speaker(table: _Table) -> Speaker:
    speaker = Speaker(
        name=table.text("name", needed=True),
        aliases=table.texts("aliases"),
        roles=tuple(_role(role) for role in table.tables("roles")),
        affiliation=table.text("affiliation"),
    )
    table.end()
    return speaker


def _role(table: _Table) -> Role:
    role = Role(table.text("title", needed=True), table.day("from"), table.day("to"))
    if role.start and role.end and role.end < role.start:
        raise table.error("`from` before `to`", f"{role.start} to {role.end}", "Correct the dates.")
    table.end()
    return role


def _event(table: _Table) -> Event:
    day = table.day("date")
    if day is None:
        raise table.missing("date")
    event = Event(
        date=day,
        name=table.text("name", needed=True),
        source=table.text("source", needed=True, pattern=_URL, meant="a web address"),
        narratives=table.texts("narratives", pattern=_ID, meant="narrative ids"),
    )
    table.end()
    return event


class _Table:
    """One TOML table, its keys taken one by one; `where` names file and entry in every complaint."""

    def __init__(self, values: dict[str, object], where: str) -> None:
        self._values = dict(values)
        self._where = where

    def error(self, expected: str, got: str, todo: str) -> ConfigError:
        return ConfigError(f"{expected} ({self._where})", got, todo)

    def missing(self, key: str) -> ConfigError:
        return self.error(f"`{key}`", "nothing", f"Fill in `{key}`.")

    def text(
        self, key: str, needed: bool = False, pattern: re.Pattern[str] | None = None, meant: str = ""
    ) -> str:
        value = self._values.pop(key, "")
        if not isinstance(value, str):
            raise self.error(f"text as `{key}`", repr(value), "Put it in quotation marks.")
        if needed and not value.strip():
            raise self.missing(key)
        if value and pattern and not pattern.fullmatch(value):
            raise self.error(f"{meant} as `{key}`", repr(value), "Correct it.")
        return value.strip()

    def texts(
        self, key: str, needed: bool = False, pattern: re.Pattern[str] | None = None, meant: str = "strings"
    ) -> tuple[str, ...]:
        value = self._values.pop(key, [])
        if not isinstance(value, list):
            raise self.error(f"a list as `{key}`", repr(value), "Put it in square brackets.")
        for item in value:
            if not isinstance(item, str) or not item.strip() or (pattern and not pattern.fullmatch(item)):
                raise self.error(f"a list of {meant} as `{key}`", f"{item!r} in it", "Correct or remove it.")
        if needed and not value:
            raise self.missing(key)
        return tuple(item.strip() for item in value)

    def number(self, key: str) -> float | None:
        value = self._values.pop(key, None)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
            raise self.error(f"a number as `{key}`", repr(value), "Correct it or leave it out.")
        return float(value)

    def day(self, key: str) -> date | None:
        value = self._values.pop(key, None)
        if value is None:
            return None
        if not isinstance(value, date) or isinstance(value, datetime):
            todo = "Write it as 2016-11-10, without quotation marks."
            raise self.error(f"a whole date as `{key}`", repr(value), todo)
        return value

    def tables(self, key: str) -> list[_Table]:
        value = self._values.pop(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.error(f"a list of tables as `{key}`", repr(value), "Write {title = ...} entries.")
        return [_Table(item, f"{self._where}, {key} {number}") for number, item in enumerate(value, 1)]

    def end(self) -> None:
        """Refuse what no one asked for: a misspelt key would otherwise be lost without a word."""
        if self._values:
            raise self.error("known keys only", ", ".join(sorted(self._values)), "Correct or remove them.")


def _load(path: Path) -> tuple[dict[str, object], str]:
    try:
        content = path.read_bytes()
        return tomllib.loads(content.decode("utf-8-sig")), hashlib.sha256(content).hexdigest()
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError(f"a readable file {path}", reason, "Check the path and your rights.") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"TOML in UTF-8 in {path}", str(error), "Correct the file there.") from error


def _tables(data: dict[str, object], path: Path, kind: str, label: str) -> Iterator[_Table]:
    entries = data.get(kind)
    others = sorted(set(data) - {kind})
    if others or not isinstance(entries, list) or not entries:
        got = f"also {', '.join(others)}" if others else "none"
        raise ConfigError(f"[[{kind}]] tables only, at least one, in {path}", got, "Correct the file.")
    for number, entry in enumerate(entries, 1):
        if not isinstance(entry, dict):
            raise ConfigError(f"[[{kind}]] tables in {path}", repr(entry), "Correct the file.")
        yield _Table(entry, f"{path}, {kind} {entry.get(label, number)!r}")


def _once(path: Path, what: str, values: list[str]) -> None:
    twice = sorted({value for value in values if values.count(value) > 1})
    if twice:
        raise ConfigError(f"each {what} once in {path}", f"{', '.join(twice)} twice", "Rename or remove one.")
