"""The manifest.csv of one host's folder, through which `build` learns the address of each page."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from narratives.fetch.records import FetchedPage, FetchError, PageChange
from narratives.model import ReadError

MANIFEST_CSV = "manifest.csv"
MANIFEST_HEADER = ("path", "url")


class ArchiveManifest:
    """Rows of `path,url`, one appended for each new page; what people add to the file stays.

    Raises ReadError where the file is there but lacks these columns.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / MANIFEST_CSV
        self._columns: list[str] = list(MANIFEST_HEADER)
        self._known: set[str] = set()
        if self._path.exists():
            self._mend()
        else:
            self._append(MANIFEST_HEADER)

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
        header, *rows = table or [list(MANIFEST_HEADER)]
        if not set(MANIFEST_HEADER) <= set(header):
            hint = f"Add the columns, or fetch into another folder than {self._path.parent}."
            raise ReadError(f"the columns {', '.join(MANIFEST_HEADER)}", ", ".join(header), hint)
        place = header.index("path")
        kept = [row for row in rows if len(row) == len(header) and (self._path.parent / row[place]).is_file()]
        self._columns, self._known = header, {row[place] for row in kept}
        if len(kept) < len(rows) or not text.endswith("\n"):
            beside = self._path.with_name(f".tmp-{MANIFEST_CSV}")
            beside.write_bytes(b"".join(map(_format_csv_row, [header, *kept])))
            beside.replace(self._path)

    def _append(self, row: Sequence[str]) -> None:
        # One write at the end of the file: a kill of the process leaves all of it or nothing.
        handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            os.write(handle, _format_csv_row(row))
        finally:
            os.close(handle)


def _format_csv_row(row: Sequence[str]) -> bytes:
    sink = io.StringIO(newline="")
    csv.writer(sink, lineterminator="\n").writerow(row)
    return sink.getvalue().encode()


EXTENSIONS = {
    "text/html": ".html",
    "application/xhtml+xml": ".html",
    "application/pdf": ".pdf",
    "application/xml": ".xml",
    "text/xml": ".xml",
    "application/rss+xml": ".xml",
    "application/rdf+xml": ".xml",
    "application/atom+xml": ".xml",
    "text/plain": ".txt",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
}
# Types that say nothing: the content decides.
_GENERIC_TYPES = ("", "application/octet-stream", "binary/octet-stream")
_NON_SLUG = re.compile(r"[^a-z0-9]+")
MAX_SLUG_LENGTH = 40
HASH_LENGTH = 16
TEMPORARY_PREFIX = ".tmp-"


@dataclass(frozen=True, slots=True)
class PageRecord:
    """How a page in the archive was fetched; times are UTC. `path` is relative to the host's folder."""

    url: str
    final_url: str
    path: str
    status: int
    headers: tuple[tuple[str, str], ...]
    sha256: str
    fetched_at: str
    checked_at: str

    @property
    def validators(self) -> dict[str, str]:
        """The headers of a request for the page only if it has changed."""
        sent = {name.lower(): value for name, value in self.headers}
        asked = {"If-None-Match": sent.get("etag", ""), "If-Modified-Since": sent.get("last-modified", "")}
        return {name: value for name, value in asked.items() if value}


class Archive:
    """Keeps pages. Every file is written beside its place and then moved there; one process at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ledgers: dict[Path, ArchiveManifest] = {}

    def find(self, url: str) -> PageRecord | None:
        """The record of a page, if the page is there and whole."""
        path = self._sidecar(url)
        try:
            said: dict[str, Any] = json.loads(path.read_bytes())
            record = PageRecord(**{**said, "headers": tuple((name, value) for name, value in said["headers"])})
            body = (path.parent.parent / record.path).read_bytes()
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None
        # A kill between the two writes leaves a new page under an old record.
        return record if hashlib.sha256(body).hexdigest() == record.sha256 else None

    def keep(self, page: FetchedPage, known: PageRecord | None, now: str) -> PageChange:
        """Put a page in place of what was known of it; raises FetchError where its type is not kept."""
        sidecar = self._sidecar(page.url)
        folder = sidecar.parent.parent
        digest = hashlib.sha256(page.body).hexdigest()
        name = sidecar.stem + choose_extension(page)
        is_same = known is not None and known.sha256 == digest and known.path == name
        sidecar.parent.mkdir(parents=True, exist_ok=True)
        # The manifest first: a page without its address would be read as another document, unnoticed.
        self._ledger(folder).add(name, page.url)
        if not is_same:
            write_atomically(folder / name, page.body)
        fetched_at = known.fetched_at if known and is_same else now
        record = PageRecord(
            page.url, page.final_url, name, page.status, page.headers, digest, fetched_at, checked_at=now
        )
        write_atomically(sidecar, _format_record(record))
        if known is not None and known.path != name:
            (folder / known.path).unlink(missing_ok=True)
        return "unchanged" if is_same else "changed" if known else "new"

    def touch(self, known: PageRecord, now: str) -> None:
        """Note that the server says a page is still what it was."""
        sidecar = self._sidecar(known.url)
        self._ledger(sidecar.parent.parent).add(known.path, known.url)
        write_atomically(sidecar, _format_record(replace(known, checked_at=now)))

    def _sidecar(self, url: str) -> Path:
        parts = urlsplit(url)
        host = parts.netloc.replace("[", "").replace("]", "").replace(":", "_")
        slug = _NON_SLUG.sub("-", parts.path.lower().removesuffix(".html"))
        slug = slug[-MAX_SLUG_LENGTH:].strip("-") or "index"
        name = f"{slug}-{hashlib.sha256(url.encode()).hexdigest()[:HASH_LENGTH]}"
        return self._folder / host / ".headers" / f"{name}.json"

    def _ledger(self, folder: Path) -> ArchiveManifest:
        if folder not in self._ledgers:
            for left in (*folder.glob(f"{TEMPORARY_PREFIX}*"), *folder.glob(f".headers/{TEMPORARY_PREFIX}*")):
                left.unlink()
            self._ledgers[folder] = ArchiveManifest(folder)
        return self._ledgers[folder]


def check_type(page: FetchedPage) -> None:
    """Raise FetchError where the head of an answer says that it is of no type that is kept."""
    media = get_media_type(page)
    if media not in EXTENSIONS and media not in _GENERIC_TYPES:
        known = ", ".join(sorted({extension[1:] for extension in EXTENSIONS.values()}))
        raise FetchError(f"a page or document ({known})", media, "Leave it out.")


def get_media_type(page: FetchedPage) -> str:
    """The media type of an answer, without parameters such as the charset."""
    return page.header("Content-Type").partition(";")[0].strip().lower()


def choose_extension(page: FetchedPage) -> str:
    """The extension that a page is kept under; its content decides where the type says nothing."""
    known = EXTENSIONS.get(get_media_type(page))
    if known:
        return known
    head = page.body[:1024].lstrip().lower()
    if head.startswith(b"%pdf-"):
        return ".pdf"
    if b"<html" in head or head.startswith(b"<!doctype html"):
        return ".html"
    raise FetchError("a page or document", f"content of no stated type ({page.body[:20]!r})", "Leave it out.")


def write_atomically(path: Path, data: bytes) -> None:
    """Put `data` in the place of whatever `path` holds, whole or not at all; ReadError on a full disk."""
    beside = path.with_name(f"{TEMPORARY_PREFIX}{path.name}")
    try:
        # Not forced to the disk: what a power cut damages fails its checksum and is fetched again.
        beside.write_bytes(data)
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise ReadError("a folder to write to", f"{path}: {error.strerror}", "Make room or name another.") from error


def _format_record(record: PageRecord) -> bytes:
    return json.dumps(asdict(record), ensure_ascii=False, indent=1).encode()
