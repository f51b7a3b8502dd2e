"""Find the files to read among the inputs, with the rows of manifest.csv that describe them."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import chain
from os.path import normpath, realpath
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from types import TracebackType
from urllib.parse import quote

from narratives.model import InputFile, ReadError, Rejected, SkippedInput, UnusedColumns
from narratives.model.printable import escape_controls
from narratives.read.archives import ARCHIVE_SUFFIX, unpack_archive
from narratives.read.formats import (
    READERS,
    STREAMED,
    check_format,
    convert_errors,
    describe_skip,
    get_format,
    make_read_error,
)
from narratives.read.rows import find_unmatched, make_rejected, match_columns, replace_unstorable
from narratives.read.rows.cells import clean_value
from narratives.read.rows.delimited import open_csv
from narratives.read.tables import make_csv_record

MANIFEST_CSV = "manifest.csv"
OVERRIDING_FIELDS = ("date", "outlet", "title", "url", "speaker")
# What a feed or sitemap says of a page, which counts where the page says nothing or less.
LISTED_FIELDS = ("listed_date", "listed_outlet", "listed_title")
MANIFEST_FIELDS = (*OVERRIDING_FIELDS, *LISTED_FIELDS)
COLUMNS = ("path", *MANIFEST_FIELDS)


@dataclass(frozen=True, slots=True)
class FolderManifest:
    """The rows of one manifest.csv by the path that they describe (relative to its folder, with `/`)."""

    rows: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    rejected: tuple[Rejected, ...] = ()
    unused: tuple[str, ...] = ()


def load_manifest(folder: Path, source: str) -> FolderManifest:
    """Read `folder`/manifest.csv if it exists; its errors are in `rejected`, under the path `source`."""
    path = folder / MANIFEST_CSV
    if not path.is_file():
        return FolderManifest()
    rows: dict[str, dict[str, str]] = {}
    rejected: list[Rejected] = []
    unused: tuple[str, ...] = ()
    try:
        with convert_errors(path), open_csv(path, COLUMNS) as (header, records):
            names = match_columns(header, {name: name for name in COLUMNS})
            if "path" not in names:
                got = f"the columns {', '.join(header) or '(none)'}"
                raise ReadError("a column `path`", got, f"Write the header path,{','.join(OVERRIDING_FIELDS)}.")
            unused = find_unmatched(header, names)
            for number, cells in enumerate(records, 1):
                try:
                    record = make_csv_record(cells, header)
                    name, values = _parse_row({f: record[column] for f, column in names.items()}, folder, rows)
                except ReadError as error:
                    rejected.append(make_rejected(source, number, error))
                else:
                    rows[name] = values
    except ReadError as error:
        rejected.append(make_rejected(source, 0, error))
    return FolderManifest(rows, tuple(rejected), unused)


def _parse_row(record: Mapping[str, str], folder: Path, known: Mapping[str, object]) -> tuple[str, dict[str, str]]:
    """Return the path that a row describes, and its other values without empty cells."""
    given = record["path"].strip()
    name = Path(normpath(given)).as_posix()
    if Path(given).is_absolute() or name.split("/")[0] == "..":
        hint = "Write the path relative to the folder of the manifest."
        raise ReadError("a path inside the manifest's folder", repr(given), hint)
    if not given or not (folder / name).is_file():
        raise ReadError("the path of a file", f"{given!r}, which does not exist", "Correct or remove the row.")
    if name in known:
        raise ReadError("one row for each file", f"a second row for {given!r}", "Remove one of them.")
    cleaned = {f: clean_value(replace_unstorable(record.get(f, ""))) for f in MANIFEST_FIELDS}
    values = {f: value for f, value in cleaned.items() if value}
    if "url" in values and get_format(Path(name)) in STREAMED:
        hint = "Leave the url empty here, and add a url to each row of a table."
        raise ReadError("no url for a file that contains many documents", repr(values["url"]), hint)
    return name, values


_GLOB_CHARACTERS = re.compile(r"[*?\[]")
OBJECTS = "s3://"  # the start of an address in object storage
_OBJECTS_PART = OBJECTS.removesuffix("//")  # the first part of its path
# Copies the objects at an address into a folder. Returns the address that the folder stands for, and what it could not
# copy, by the names of objects. Raises ReadError if there is nothing, or if the storage cannot be reached.
Download = Callable[[str, Path], tuple[str, Sequence[Rejected]]]


@dataclass(frozen=True, slots=True)
class Survey:
    """The result of the search for inputs. Leaving its `with` block removes the unpacked members of archives.

    files    files to read, sorted by source_path, each once
    refused  by path, what exists and is not read: files, links, folders, rows of a manifest
    skipped  by path, what is clearly no text, such as a README
    absent   arguments that do not exist
    unused   columns of manifests that are not used
    archives paths of the archives whose members are among the files
    """

    files: tuple[InputFile, ...]
    refused: Mapping[Path, tuple[Rejected, ...]]
    skipped: Mapping[Path, SkippedInput]
    absent: tuple[Rejected, ...]
    unused: tuple[UnusedColumns, ...]
    archives: frozenset[Path]
    _folders: frozenset[Path]
    _places: frozenset[Path]
    _unpacked: ExitStack

    def __enter__(self) -> Survey:
        """Return the survey."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove the unpacked members of archives."""
        self._unpacked.close()

    @property
    def rejected(self) -> list[Rejected]:
        """Everything that is not read, sorted."""
        return _sort_rejected([*self.absent, *chain.from_iterable(self.refused.values())])

    def has_seen(self, place: Path) -> bool:
        """Return whether the search covered this path, even if nothing exists there."""
        return place in self._places or any(folder in self._folders for folder in place.parents)


def survey(inputs: Sequence[str], download: Download | None = None) -> Survey:
    """Find the files to read, and what cannot be read. Raises nothing.

    Folders and zip archives are searched with their subfolders, and globs are expanded as in a shell. README,
    LICENSE and hidden files are skipped, and listed as such. `source_path` starts with the path as typed,
    normalised and made printable. A manifest.csv describes the files of its folder and subfolders. If several
    list a file, the nearest applies. Manifests above the folder that was typed are not read. With `download`, an
    address such as s3://bucket/folder stands for a folder as well.
    """
    search = _InputSearch(download)
    for typed in inputs:
        search.add(typed)
    return search.build_survey()


def find_inputs(inputs: Sequence[str]) -> tuple[list[InputFile], list[Rejected]]:
    """Return the files of a `survey`, and everything that it rejects."""
    surveyed = survey(inputs)
    return list(surveyed.files), surveyed.rejected


def get_place(path: Path) -> Path:
    """Return the absolute path; for a link, the path of the link and not of its target; for an object, its address."""
    if is_in_object_storage(path):
        return path
    if path.name in ("", ".."):
        return path.resolve()
    # Unlike `resolve`, this does not fail for a link to itself.
    return Path(realpath(path.parent)) / path.name


def make_path(typed: str) -> Path:
    """Return the path of an input as somebody typed it; that of an address without credentials, which nothing shows."""
    if not typed.lower().startswith(OBJECTS):
        return Path(typed)
    bucket, slash, prefix = typed[len(OBJECTS) :].partition("/")
    return Path(OBJECTS + bucket.rpartition("@")[2] + slash + prefix)


def _make_safe_path(name: str) -> str:
    """Return the path of a member by its name; one that would lead elsewhere is quoted, and so a single part."""
    path = PurePosixPath(name)
    is_plain = path.as_posix() == name and not path.is_absolute() and ".." not in path.parts
    return name if is_plain else quote(name, safe="", errors="surrogatepass")


def is_in_object_storage(path: Path) -> bool:
    """Return whether a path is that of an address in object storage."""
    return path.parts[:1] == (_OBJECTS_PART,)


def make_printable(path: Path) -> str:
    r"""Convert a path to text, with `\xff` for control characters and bytes that are not UTF-8.

    Such names come from old archives. Characters that change the direction of writing are escaped as well.
    """
    return escape_controls(path.as_posix(), kept="")


class _InputSearch:
    """The state of one survey. The manifest of each folder is read once."""

    def __init__(self, download: Download | None = None) -> None:
        self._download = download
        self._files: dict[Path, InputFile] = {}
        self._refused: dict[Path, set[Rejected]] = defaultdict(set)
        self._skipped: dict[Path, SkippedInput] = {}
        self._absent: set[Rejected] = set()
        self._manifests: dict[Path, FolderManifest] = {}
        self._folders: set[Path] = set()
        self._archives: set[Path] = set()
        self._places: set[Path] = set()
        self._unpacked = ExitStack()
        # The number of files and errors, including repetitions. An argument that adds none is itself an error.
        self._count = 0

    def build_survey(self) -> Survey:
        """Return the survey, in order."""
        manifests = {get_place(folder / MANIFEST_CSV) for folder in self._manifests}
        return Survey(
            files=tuple(sorted(self._files.values(), key=lambda file: file.source_path)),
            refused={place: tuple(_sort_rejected(items)) for place, items in sorted(self._refused.items())},
            skipped=dict(sorted(self._skipped.items())),
            absent=tuple(_sort_rejected(self._absent)),
            unused=tuple(
                UnusedColumns(make_printable(folder / MANIFEST_CSV), manifest.unused)
                for folder, manifest in sorted(self._manifests.items())
                if manifest.unused
            ),
            archives=frozenset(self._archives),
            _folders=frozenset({*self._folders, *self._archives}),
            _places=frozenset({*self._places, *manifests}),
            _unpacked=self._unpacked,
        )

    def add(self, typed: str) -> None:
        """Search one argument."""
        before, path = self._count, make_path(typed)
        try:
            self._places.add(get_place(path))
            if not typed:
                raise ValueError("an empty argument")
            if self._download and is_in_object_storage(path):
                self._add_objects(typed, path, self._download)
            elif path.exists() or path.is_symlink() or not _GLOB_CHARACTERS.search(typed):
                self._add_path(path, path if path.is_dir() else path.parent)
            else:
                self._add_glob(typed)
        except ValueError as error:  # also from pathlib, for an invalid pattern and for NUL characters
            self._reject_missing(path, ReadError("a path or a pattern", f"{typed!r}: {error}", "Correct it."))
        except ReadError as error:
            self._reject_missing(path, error)
        except OSError as error:
            self._reject_missing(path, make_read_error(error))
        if before == self._count:
            hint = "Use a folder, or a file of a supported format."
            self._reject_missing(path, ReadError("files to read", "no file of a supported format", hint))

    def _add_glob(self, pattern: str) -> None:
        parts = Path(pattern).parts
        fixed = next(i for i, part in enumerate(parts) if _GLOB_CHARACTERS.search(part))
        root = Path(*parts[:fixed])
        for path in sorted(root.glob(str(Path(*parts[fixed:])))):
            # As in a shell, a pattern does not mean what is in a hidden folder.
            if not any(part.startswith(".") for part in path.relative_to(root).parts):
                self._add_path(path, root)

    def _add_path(self, path: Path, root: Path) -> None:
        if path.is_dir():
            for below in self._walk(path):
                self._add_file(below, root)
        elif not self._skip(path):
            self._add_file(path, root)

    def _skip(self, path: Path) -> bool:
        """Skip a file or folder that is clearly no text, and note why; a manifest is used, and not a text either."""
        if path.name.lower() == MANIFEST_CSV:
            return True
        if reason := describe_skip(path.name):
            self._skipped[get_place(path)] = SkippedInput(format_source_path(path), reason)
        return reason != ""

    def _walk(self, folder: Path) -> Iterator[Path]:
        self._folders.add(folder.resolve())

        def reject_folder(error: OSError) -> None:
            self._reject(Path(error.filename), make_read_error(error))

        for base, folders, names in os.walk(folder, onerror=reject_folder):
            here = Path(base)
            self._load_manifest(here)
            folders[:] = sorted(name for name in folders if not self._skip(here / name))
            for name in folders:
                if (here / name).is_symlink():
                    error = ReadError("a folder", "a link to a folder", "Add its target as a separate input.")
                    self._reject(here / name, error)
            yield from (here / name for name in sorted(names) if not self._skip(here / name))

    def _add_file(self, path: Path, root: Path) -> None:
        self._count += 1
        try:
            _check_readable(path)
            if path.suffix.lower() == ARCHIVE_SUFFIX:
                self._add_archive(path)
                return
        except ReadError as error:
            (self._reject if os.path.lexists(path) else self._reject_missing)(path, error)
            return
        key = path.resolve()
        if key not in self._files:
            self._files[key] = InputFile(path, format_source_path(path), self._find_manifest_row(path, root))

    def _add_archive(self, path: Path) -> None:
        """Search the members of an archive as those of a folder with the name of the archive."""
        place = get_place(path)
        if place in self._archives:
            return
        folder = Path(self._unpacked.enter_context(TemporaryDirectory(prefix="narratives-")))
        with convert_errors(path), path.open("rb") as packed:
            unpacked = unpack_archive(folder, packed, path.stat().st_size, READERS)
        self._add_unpacked(folder, path, unpacked.refused)
        for skipped in unpacked.skipped:
            shown = format_source_path(path / skipped.source_path)
            self._skipped[place / skipped.source_path] = SkippedInput(shown, skipped.reason)
        self._archives.add(place)

    def _add_objects(self, typed: str, path: Path, download: Download) -> None:
        """Search the copies of objects as the files of a folder that has their address."""
        folder = Path(self._unpacked.enter_context(TemporaryDirectory(prefix="narratives-")))
        address, refused = download(typed, folder)
        self._folders.add(path)
        self._add_unpacked(folder, make_path(address), refused, is_whole=make_path(address) == path)

    def _add_unpacked(self, folder: Path, path: Path, refused: Sequence[Rejected], is_whole: bool = True) -> None:
        """Search a temporary folder with what the archive or address `path` holds, except for what was `refused`.

        If the folder does not hold the `is_whole` of it, its manifest may list what is not there.
        """
        inner, place = _InputSearch(), get_place(path)
        inner._add_path(folder, folder)
        if not is_whole:
            inner._refused.pop(get_place(folder / MANIFEST_CSV), None)
        self._unpacked.push(inner._unpacked.pop_all())
        self._count += inner._count + len(refused)
        for member in refused:
            name = _make_safe_path(member.source_path)
            self._refused[place / name].add(replace(member, source_path=format_source_path(path / name)))

        def relocate(below: Path, to: Path) -> Path:
            return to / below.relative_to(folder.resolve())

        for below, file in inner._files.items():
            target, shown = relocate(below, place), format_source_path(relocate(below, path))
            self._files.setdefault(target, replace(file, source_path=shown, place=target))
        for below, items in inner._refused.items():
            shown = format_source_path(relocate(below, path))
            self._refused[relocate(below, place)].update(replace(item, source_path=shown) for item in items)
        for below, skipped in inner._skipped.items():
            shown = format_source_path(relocate(below, path))
            self._skipped[relocate(below, place)] = replace(skipped, source_path=shown)
        for base, manifest in inner._manifests.items():
            if manifest.unused:
                self._manifests[relocate(base.resolve(), path)] = FolderManifest(unused=manifest.unused)
        self._archives.update(relocate(archive, place) for archive in inner._archives)

    def _find_manifest_row(self, path: Path, root: Path) -> dict[str, str]:
        for folder in path.parents:
            rows = self._load_manifest(folder).rows
            name = path.relative_to(folder).as_posix()
            if name in rows:
                return dict(rows[name])
            if folder == root:
                break
        return {}

    def _load_manifest(self, folder: Path) -> FolderManifest:
        if folder not in self._manifests:
            path = folder / MANIFEST_CSV
            self._manifests[folder] = load_manifest(folder, format_source_path(path))
            if self._manifests[folder].rejected:
                self._refused[get_place(path)].update(self._manifests[folder].rejected)
        return self._manifests[folder]

    def _reject(self, path: Path, error: ReadError) -> None:
        """Reject something that exists."""
        self._count += 1
        self._refused[get_place(path)].add(make_rejected(format_source_path(path), 0, error))

    def _reject_missing(self, path: Path, error: ReadError) -> None:
        """Reject an argument that does not exist."""
        self._count += 1
        self._absent.add(make_rejected(format_source_path(path), 0, error))


def _sort_rejected(rejected: Iterable[Rejected]) -> list[Rejected]:
    return sorted(rejected, key=lambda one: (one.source_path, one.row, one.reason))


def _check_readable(path: Path) -> None:
    try:
        if not path.exists():
            got = "a broken link" if path.is_symlink() else "a path that does not exist"
            raise ReadError("a file or folder", got, "Check the path.")
        if path.suffix.lower() != ARCHIVE_SUFFIX:
            check_format(path)
        if not path.is_file():
            raise ReadError("a regular file", "a device or pipe", "Save its content to a file.")
        with path.open("rb"):
            pass
    except OSError as error:
        raise make_read_error(error) from error


def format_source_path(path: Path) -> str:
    """Return a path as it is shown: normalised and printable; that of an object as its address."""
    shown = make_printable(Path(normpath(path)))
    return OBJECTS + shown.partition("/")[2] if is_in_object_storage(path) else shown
