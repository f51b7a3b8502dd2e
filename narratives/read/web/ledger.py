"""The manifest.csv of one host's folder, through which `build` learns the address of each page."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from pathlib import Path

from narratives.model import ReadError

NAME = "manifest.csv"
HEADER = ("path", "url")


class Ledger:
    """Rows of `path,url`, one appended for each new page; what people add to the file stays.

    Raises ReadError where the file is there but lacks these columns.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._columns: list[str] = list(HEADER)
        self._known: set[str] = set()
        if self._path.exists():
            self._mend()
        else:
            self._append(HEADER)

    def add(self, name: str, url: str) -> None:
        """Name a file and its address, unless the manifest names it already."""
        if name not in self._known:
            said = {"path": name, "url": url}
            self._append([said.get(column, "") for column in self._columns])
            self._known.add(name)

    def _mend(self) -> None:
        """Take out rows of files that are not there, among them one that a kill cut off."""
        try:
            text = self._path.read_text("utf-8-sig")
            table = [row for row in csv.reader(io.StringIO(text, newline="")) if row]
        except (UnicodeError, csv.Error) as error:
            raise ReadError("a CSV file in UTF-8", f"{self._path} ({error})", "Mend or remove it.") from error
        header, *rows = table or [list(HEADER)]
        if not set(HEADER) <= set(header):
            todo = f"Add the columns, or fetch into another folder than {self._path.parent}."
            raise ReadError(f"the columns {', '.join(HEADER)}", ", ".join(header), todo)
        place = header.index("path")
        kept = [row for row in rows if len(row) == len(header) and (self._path.parent / row[place]).is_file()]
        self._columns, self._known = header, {row[place] for row in kept}
        if len(kept) < len(rows) or not text.endswith("\n"):
            beside = self._path.with_name(f".tmp-{NAME}")
            beside.write_bytes(b"".join(map(_csv, [header, *kept])))
            beside.replace(self._path)

    def _append(self, row: Sequence[str]) -> None:
        # One write at the end of the file: a kill of the process leaves all of it or nothing.
        handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            os.write(handle, _csv(row))
        finally:
            os.close(handle)


def _csv(row: Sequence[str]) -> bytes:
    sink = io.StringIO(newline="")
    csv.writer(sink, lineterminator="\n").writerow(row)
    return sink.getvalue().encode()
