"""manifest.csv: what is known of the files beside it that they do not say themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from os.path import normpath
from pathlib import Path

from narratives.model import ReadError, Rejected
from narratives.read.delimited import csv_record, csv_rows, find_delimiter, take
from narratives.read.encoding import open_text
from narratives.read.formats import TABLES, as_read_error, format_of
from narratives.read.rows import clean, match, refuse, unused

NAME = "manifest.csv"
FIELDS = ("date", "outlet", "title", "url", "speaker")
COLUMNS = ("path", *FIELDS)


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
    path = folder / NAME
    if not path.is_file():
        return FolderManifest()
    rows: dict[str, dict[str, str]] = {}
    rejected: list[Rejected] = []
    left: tuple[str, ...] = ()
    try:
        with as_read_error(path), open_text(path, newline="", guess=True) as lines:
            records = csv_rows(lines, find_delimiter(path, COLUMNS))
            header = [name.strip() for name in take(next(records, []))]
            names = _locate(header)
            left = unused(header, names)
            for number, cells in enumerate(records, 1):
                try:
                    record = csv_record(cells, header)
                    name, said = _entry({f: record[column] for f, column in names.items()}, folder, rows)
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
        todo = f"Write the header {','.join(COLUMNS)}."
        raise ReadError("a column `path`", f"the columns {', '.join(header) or '(none)'}", todo)
    return names


def _entry(
    record: Mapping[str, str], folder: Path, known: Mapping[str, object]
) -> tuple[str, dict[str, str]]:
    """The file that a row describes and what it says of it, empty cells left out."""
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
