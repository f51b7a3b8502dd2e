"""manifest.csv: what is known of the files beside it that they do not say themselves."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from os.path import normpath
from pathlib import Path

from narratives.model import ReadError, Rejected
from narratives.read.delimited import csv_record, csv_rows, find_delimiter
from narratives.read.encoding import open_text
from narratives.read.formats import TABLES, format_of, unreadable
from narratives.read.rows import clean

NAME = "manifest.csv"
FIELDS = ("date", "outlet", "title", "url", "speaker")


@dataclass(frozen=True, slots=True)
class FolderManifest:
    """The rows of one manifest.csv by the path they describe (relative to its folder, `/` between parts)."""

    rows: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    rejected: tuple[Rejected, ...] = ()


def load_manifest(folder: Path, source_folder: str) -> FolderManifest:
    """Read `folder`/manifest.csv if there is one; what is wrong with it comes as `rejected`."""
    path = folder / NAME
    source = normpath(f"{source_folder}/{NAME}")
    if not path.is_file():
        return FolderManifest()
    rows: dict[str, dict[str, str]] = {}
    rejected: list[Rejected] = []
    try:
        for number, record in _records(path):
            try:
                name, said = _entry(record, folder, rows)
            except ReadError as error:
                rejected.append(Rejected(source, number, str(error)))
            else:
                rows[name] = said
    except ReadError as error:
        rejected.append(Rejected(source, 0, str(error)))
    except (OSError, EOFError, zlib.error, UnicodeError) as error:
        rejected.append(Rejected(source, 0, str(unreadable(error))))
    return FolderManifest(rows, tuple(rejected))


def _records(path: Path) -> Iterator[tuple[int, dict[str, str] | ReadError]]:
    delimiter = find_delimiter(path, ["path", *FIELDS])
    with open_text(path, newline="", guess=True) as lines:
        rows = csv_rows(lines, delimiter)
        first = next(rows, [])
        if isinstance(first, ReadError):
            raise first
        header = [name.strip() for name in first]
        if "path" not in header:
            todo = f"Write the header path,{','.join(FIELDS)}."
            raise ReadError("a column `path`", f"the columns {', '.join(header) or '(none)'}", todo)
        for number, cells in enumerate(rows, 1):
            try:
                yield number, csv_record(cells, header)
            except ReadError as error:
                yield number, error


def _entry(
    record: dict[str, str] | ReadError, folder: Path, known: Mapping[str, object]
) -> tuple[str, dict[str, str]]:
    """The file that a row describes and what it says of it, empty cells left out."""
    if isinstance(record, ReadError):
        raise record
    given = record["path"].strip()
    name = Path(normpath(given)).as_posix()
    if Path(given).is_absolute() or name.split("/")[0] == "..":
        todo = "Give the path relative to the manifest's folder."
        raise ReadError("a path inside the manifest's folder", repr(given), todo)
    if not given or not (folder / name).is_file():
        raise ReadError("the path of a file", f"{given!r}, which is not there", "Correct or remove the row.")
    if name in known:
        raise ReadError("one row a file", f"a second one for {given!r}", "Remove one of them.")
    said = {f: clean(record[f]).strip() for f in FIELDS if record.get(f, "").strip()}
    if "url" in said and format_of(Path(name)) in TABLES:
        todo = "Leave the url empty here and give it row by row in the table."
        raise ReadError("no url for a table, whose rows are many documents", repr(said["url"]), todo)
    return name, said
