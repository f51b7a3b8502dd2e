"""manifest.csv: what is known of the files beside it that they do not say themselves."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from os.path import normpath, realpath
from pathlib import Path

from narratives.model import InputFile, ReadError, Rejected, UnusedColumns
from narratives.read.encoding import open_text
from narratives.read.formats import TABLE_EXTENSIONS, as_read_error, check_format, get_format, make_read_error
from narratives.read.tables import find_delimiter, iterate_csv_rows, make_csv_record, unwrap_row
from narratives.read.tables.rows import match, refuse, replace_unstorable, unused

MANIFEST_CSV = "manifest.csv"
MANIFEST_FIELDS = ("date", "outlet", "title", "url", "speaker")
COLUMNS = ("path", *MANIFEST_FIELDS)


@dataclass(frozen=True, slots=True)
class FolderManifest:
    """The rows of one manifest.csv by the path they describe (relative to its folder, `/` between parts).

    `unused` are its columns that say nothing we take.
    """

    rows: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    rejected: tuple[Rejected, ...] = ()
    unused: tuple[str, ...] = ()


def load_manifest(folder: Path, source: str) -> FolderManifest:
    """Read `folder`/manifest.csv if there is one; `rejected`, under `source`, is what is wrong with it."""
    path = folder / MANIFEST_CSV
    if not path.is_file():
        return FolderManifest()
    rows: dict[str, dict[str, str]] = {}
    rejected: list[Rejected] = []
    left: tuple[str, ...] = ()
    try:
        with as_read_error(path), open_text(path, newline="", guess=True) as lines:
            records = iterate_csv_rows(lines, find_delimiter(path, COLUMNS))
            header = [name.strip() for name in unwrap_row(next(records, []))]
            names = _locate(header)
            left = unused(header, names)
            for number, cells in enumerate(records, 1):
                try:
                    record = make_csv_record(cells, header)
                    name, said = _parse_row({f: record[column] for f, column in names.items()}, folder, rows)
                except ReadError as error:
                    rejected.append(refuse(source, number, error))
                else:
                    rows[name] = said
    except ReadError as error:
        rejected.append(refuse(source, 0, error))
    return FolderManifest(rows, tuple(rejected), left)


def _locate(header: list[str]) -> dict[str, str]:
    """Which column of a manifest holds which field."""
    names = match(header, {name: name for name in COLUMNS})
    if "path" not in names:
        hint = f"Write the header {','.join(COLUMNS)}."
        raise ReadError("a column `path`", f"the columns {', '.join(header) or '(none)'}", hint)
    return names


def _parse_row(record: Mapping[str, str], folder: Path, known: Mapping[str, object]) -> tuple[str, dict[str, str]]:
    """The file that a row describes and what it says of it, empty cells left out."""
    given = record["path"].strip()
    name = Path(normpath(given)).as_posix()
    if Path(given).is_absolute() or name.split("/")[0] == "..":
        hint = "Give the path relative to the manifest's folder."
        raise ReadError("a path inside the manifest's folder", repr(given), hint)
    if not given or not (folder / name).is_file():
        raise ReadError("the path of a file", f"{given!r}, which is not there", "Correct or remove the row.")
    if name in known:
        raise ReadError("one row a file", f"a second one for {given!r}", "Remove one of them.")
    said = {f: replace_unstorable(record[f]).strip() for f in MANIFEST_FIELDS if record.get(f, "").strip()}
    if "url" in said and get_format(Path(name)) in TABLE_EXTENSIONS:
        hint = "Leave the url empty here and give it row by row in the table."
        raise ReadError("no url for a table, whose rows are many documents", repr(said["url"]), hint)
    return name, said


_UNPRINTABLE = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\ud800-\\udfff]")
_GLOB_CHARACTERS = re.compile(r"[*?\[]")
_NON_INPUT_STEMS = ("readme", "license", "licence")


@dataclass(frozen=True, slots=True)
class Survey:
    """What the inputs mean.

    files    to read, sorted by source_path and each once
    refused  by its place, what is there and is not taken in: files, links, folders, rows of a manifest
    absent   arguments that mean nothing that is there
    unused   columns of manifests that say nothing we take
    """

    files: tuple[InputFile, ...]
    refused: Mapping[Path, tuple[Rejected, ...]]
    absent: tuple[Rejected, ...]
    unused: tuple[UnusedColumns, ...]
    _folders: frozenset[Path]
    _places: frozenset[Path]

    @property
    def rejected(self) -> list[Rejected]:
        """All that is not taken in, sorted."""
        every = [*self.absent, *chain.from_iterable(self.refused.values())]
        return sorted(every, key=lambda r: (r.source_path, r.row, r.reason))

    def has_seen(self, place: Path) -> bool:
        """Whether the search would have met what lies at this place, if anything does."""
        return place in self._places or any(folder in self._folders for folder in place.parents)


def survey(inputs: Sequence[str]) -> Survey:
    """Find the files to read, and what cannot be.

    Folders are read with all below them, globs as the shell would expand them. `source_path` is the path as
    typed, joined with the way below it, normalised and `printable`. README, LICENSE, Markdown, manifest.csv
    and hidden files are passed over. A manifest.csv speaks for the files of its folder and of those below it;
    manifests are looked for from each file up to the folder that was typed (for a file: its own folder); the
    nearest that names the file counts. Raises nothing.
    """
    search = _InputSearch()
    for typed in inputs:
        search.add(typed)
    return search.result()


def find_inputs(inputs: Sequence[str]) -> tuple[list[InputFile], list[Rejected]]:
    """The files of a `survey`, and all that it cannot take in."""
    surveyed = survey(inputs)
    return list(surveyed.files), surveyed.rejected


def place_of(path: Path) -> Path:
    """Where something lies: absolute, and of a link the link itself and not what it leads to."""
    if path.name in ("", ".."):
        return path.resolve()
    # Unlike `resolve` it raises nothing where a link leads to itself.
    return Path(realpath(path.parent)) / path.name


def printable(path: Path) -> str:
    """A path as text, with bytes that are no UTF-8, and control characters, as `\\xff`.

    Old archives unpack to such names. Two files never share one, save where somebody wrote such a code.
    """
    return _UNPRINTABLE.sub(lambda match: _code(ord(match[0])), path.as_posix())


def _code(character: int) -> str:
    # Python keeps a byte that is no UTF-8 as half of a surrogate pair, 0xDC00 above the byte.
    byte = character - 0xDC00 if 0xDC80 <= character <= 0xDCFF else character
    return f"\\x{byte:02x}" if byte <= 0xFF else f"\\u{byte:04x}"


class _InputSearch:
    """The state of one survey: what was met, and each folder's manifest read once."""

    def __init__(self) -> None:
        self._files: dict[Path, InputFile] = {}
        self._refused: dict[Path, set[Rejected]] = defaultdict(set)
        self._absent: set[Rejected] = set()
        self._manifests: dict[Path, FolderManifest] = {}
        self._folders: set[Path] = set()
        self._places: set[Path] = set()
        # Counts files and faults met, those met before included: a word that meets none is itself a fault.
        self._met = 0

    def result(self) -> Survey:
        """What was met, in order."""
        manifests = {place_of(folder / MANIFEST_CSV): found for folder, found in self._manifests.items()}
        return Survey(
            files=tuple(sorted(self._files.values(), key=lambda file: file.source_path)),
            refused={
                place: tuple(sorted(items, key=lambda r: (r.source_path, r.row, r.reason)))
                for place, items in sorted(self._refused.items())
            },
            absent=tuple(sorted(self._absent, key=lambda r: (r.source_path, r.reason))),
            unused=tuple(
                UnusedColumns(printable(folder / MANIFEST_CSV), found.unused)
                for folder, found in sorted(self._manifests.items())
                if found.unused
            ),
            _folders=frozenset(self._folders),
            _places=frozenset({*self._places, *manifests}),
        )

    def add(self, typed: str) -> None:
        before, path = self._met, Path(typed)
        try:
            self._places.add(place_of(path))
            if not typed:
                raise ValueError("nothing was typed")
            if path.exists() or path.is_symlink() or not _GLOB_CHARACTERS.search(typed):
                self._add_found(path, path if path.is_dir() else path.parent)
            else:
                self._add_glob(typed)
        # pathlib's word for a pattern that it cannot take, and for NUL characters.
        except ValueError as error:
            self._miss(path, ReadError("a path or a pattern", f"{typed!r}: {error}", "Correct it."))
        except OSError as error:
            self._miss(path, make_read_error(error))
        if before == self._met:
            hint = "Name a folder or a file of a format that is read."
            self._miss(path, ReadError("something to read", "nothing that is input", hint))

    def _add_glob(self, pattern: str) -> None:
        parts = Path(pattern).parts
        fixed = next(i for i, part in enumerate(parts) if _GLOB_CHARACTERS.search(part))
        root = Path(*parts[:fixed])
        for path in sorted(root.glob(str(Path(*parts[fixed:])))):
            if not _is_ignored(path.relative_to(root)):
                self._add_found(path, root)

    def _add_found(self, path: Path, root: Path) -> None:
        if path.is_dir():
            for below in self._walk(path):
                self._add_file(below, root)
        elif not _is_ignored(Path(path.name)):
            self._add_file(path, root)

    def _walk(self, folder: Path) -> Iterator[Path]:
        self._folders.add(folder.resolve())

        def failed(error: OSError) -> None:
            self._reject(Path(error.filename), make_read_error(error))

        for base, folders, names in os.walk(folder, onerror=failed):
            here = Path(base)
            self._manifest(here)
            for name in sorted(folders):
                if not _is_ignored(Path(name)) and (here / name).is_symlink():
                    hint = "Name its target as an input of its own."
                    self._reject(here / name, ReadError("a folder", "a link to one", hint))
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            yield from (here / name for name in sorted(names) if not _is_ignored(Path(name)))

    def _add_file(self, path: Path, root: Path) -> None:
        self._met += 1
        try:
            _check_readable(path)
        except ReadError as error:
            (self._reject if os.path.lexists(path) else self._miss)(path, error)
            return
        key = path.resolve()
        if key not in self._files:
            self._files[key] = InputFile(path, _format_source_path(path), self._manifest_row(path, root))

    def _manifest_row(self, path: Path, root: Path) -> dict[str, str]:
        for folder in path.parents:
            rows = self._manifest(folder).rows
            name = path.relative_to(folder).as_posix()
            if name in rows:
                return dict(rows[name])
            if folder == root:
                break
        return {}

    def _manifest(self, folder: Path) -> FolderManifest:
        if folder not in self._manifests:
            path = folder / MANIFEST_CSV
            self._manifests[folder] = load_manifest(folder, _format_source_path(path))
            if self._manifests[folder].rejected:
                self._refused[place_of(path)].update(self._manifests[folder].rejected)
        return self._manifests[folder]

    def _reject(self, path: Path, error: ReadError) -> None:
        """Refuse what is there."""
        self._met += 1
        self._refused[place_of(path)].add(refuse(_format_source_path(path), 0, error))

    def _miss(self, path: Path, error: ReadError) -> None:
        """Say of an argument that nothing there is meant by it."""
        self._met += 1
        self._absent.add(refuse(_format_source_path(path), 0, error))


def _check_readable(path: Path) -> None:
    try:
        if not path.exists():
            got = "a link to nothing" if path.is_symlink() else "nothing of that name"
            raise ReadError("a file or folder", got, "Check the path.")
        check_format(path)
        if not path.is_file():
            raise ReadError("a regular file", "a device or pipe", "Save its content to a file.")
        with path.open("rb"):
            pass
    except OSError as error:
        raise make_read_error(error) from error


def _is_ignored(path: Path) -> bool:
    name = path.name.lower()
    hidden = any(part.startswith(".") and part != ".." for part in path.parts)
    return hidden or name == MANIFEST_CSV or name.endswith(".md") or name.split(".")[0] in _NON_INPUT_STEMS


def _format_source_path(path: Path) -> str:
    return printable(Path(normpath(path)))
