"""The archive of fetched pages: files, their records, and a manifest.csv with their addresses."""

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

from narratives.fetch.records import FetchedPage, FetchError, ListedPage, PageChange
from narratives.model import ReadError

MANIFEST_CSV = "manifest.csv"
REQUIRED_COLUMNS = ("path", "url")
MANIFEST_HEADER = (*REQUIRED_COLUMNS, "listed_date", "listed_outlet", "listed_title")


class ArchiveManifest:
    """The manifest.csv of one host's folder: a row for each page, with its address and what the source said of it.

    `build` takes the addresses from it, and date, outlet and title where a page does not state them. Columns and
    cells that people add are kept. Raises ReadError if the file exists but lacks the columns `path` and `url`.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / MANIFEST_CSV
        self._columns: list[str] = list(MANIFEST_HEADER)
        self._known: dict[str, list[str]] = {}
        self._is_changed = False
        if self._path.exists():
            self._drop_missing()
        else:
            self._append(MANIFEST_HEADER)

    def add(self, name: str, entry: ListedPage) -> None:
        """Add a file, or fill the empty cells of its row; `save` writes the cells that were filled."""
        values = {
            "path": name,
            "url": entry.url,
            "listed_date": entry.published,
            "listed_outlet": entry.outlet,
            "listed_title": entry.title,
        }
        row = [values.get(column, "") for column in self._columns]
        known = self._known.get(name)
        if known is None:
            self._append(row)
            self._known[name] = row
            return
        filled = [old or new for old, new in zip(known, row, strict=True)]
        self._is_changed = self._is_changed or filled != known
        self._known[name] = filled

    def save(self) -> None:
        """Write the cells that were filled."""
        if self._is_changed:
            write_atomically(self._path, b"".join(map(_format_csv_row, [self._columns, *self._known.values()])))
            self._is_changed = False

    def _drop_missing(self) -> None:
        """Remove rows whose files do not exist, including a row that was only partly written; add missing columns."""
        try:
            text = self._path.read_text("utf-8-sig")
            table = [row for row in csv.reader(io.StringIO(text, newline="")) if row]
        except (UnicodeError, csv.Error) as error:
            raise ReadError("a CSV file in UTF-8", f"{self._path} ({error})", "Correct or delete it.") from error
        header, *rows = table or [list(MANIFEST_HEADER)]
        if not set(REQUIRED_COLUMNS) <= set(header):
            hint = "Add the columns, or fetch into another folder."
            raise ReadError(f"the columns {', '.join(REQUIRED_COLUMNS)} in {self._path}", ", ".join(header), hint)
        path = header.index("path")
        kept = [row for row in rows if len(row) == len(header) and (self._path.parent / row[path]).is_file()]
        added = [column for column in MANIFEST_HEADER if column not in header]
        self._columns = [*header, *added]
        self._known = {row[path]: [*row, *("" for _ in added)] for row in kept}
        self._is_changed = bool(added) or len(kept) < len(rows) or not text.endswith("\n")
        self.save()

    def _append(self, row: Sequence[str]) -> None:
        # A single write: if the process is killed, the row is there completely or not at all.
        handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            os.write(handle, _format_csv_row(row))
        finally:
            os.close(handle)


def _format_csv_row(row: Sequence[str]) -> bytes:
    sink = io.StringIO(newline="")
    csv.writer(sink, lineterminator="\n").writerow(row)
    return sink.getvalue().encode()


_XML_TYPES = ("text/xml", "application/xml", "application/rss+xml", "application/rdf+xml", "application/atom+xml")
EXTENSIONS = {
    **dict.fromkeys(("text/html", "application/xhtml+xml"), ".html"),
    **dict.fromkeys(_XML_TYPES, ".xml"),
    "application/pdf": ".pdf",
    "text/plain": ".txt",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
}
# Types that carry no information: the content decides.
_GENERIC_TYPES = ("", "application/octet-stream", "binary/octet-stream")
_NON_SLUG = re.compile(r"[^a-z0-9]+")
MAX_SLUG_LENGTH = 40
HASH_LENGTH = 16
TEMPORARY_PREFIX = ".tmp-"


@dataclass(frozen=True, slots=True)
class PageRecord:
    """How an archived page was fetched. Times are UTC; `path` is relative to the host's folder."""

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
        """The headers that request the page only if it has changed."""
        sent = {name.lower(): value for name, value in self.headers}
        asked = {"If-None-Match": sent.get("etag", ""), "If-Modified-Since": sent.get("last-modified", "")}
        return {name: value for name, value in asked.items() if value}


class Archive:
    """The archive of pages. Files are written atomically; only one process may use it at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._manifests: dict[Path, ArchiveManifest] = {}

    def find(self, url: str) -> PageRecord | None:
        """Return the record of a page if its file exists and is complete, else None."""
        path = self._get_record_path(url)
        try:
            values: dict[str, Any] = json.loads(path.read_bytes())
            record = PageRecord(**{**values, "headers": tuple((name, value) for name, value in values["headers"])})
            body = (path.parent.parent / record.path).read_bytes()
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None
        # If the process is killed between the two writes, a new page is left under an old record.
        return record if hashlib.sha256(body).hexdigest() == record.sha256 else None

    def keep(self, page: FetchedPage, entry: ListedPage, known: PageRecord | None, now: str) -> PageChange:
        """Write a page in place of its earlier version; raises FetchError if its type is not supported."""
        record_path = self._get_record_path(page.url)
        folder = record_path.parent.parent
        digest = hashlib.sha256(page.body).hexdigest()
        name = record_path.stem + choose_extension(page)
        is_same = known is not None and known.sha256 == digest and known.path == name
        record_path.parent.mkdir(parents=True, exist_ok=True)
        # The manifest first: without its address the page would be read as a different document.
        self._get_manifest(folder).add(name, replace(entry, url=page.url))
        if not is_same:
            write_atomically(folder / name, page.body)
        fetched_at = known.fetched_at if known and is_same else now
        record = PageRecord(page.url, page.final_url, name, page.status, page.headers, digest, fetched_at, now)
        _write_record(record_path, record)
        if known is not None and known.path != name:
            (folder / known.path).unlink(missing_ok=True)
        return "unchanged" if is_same else "changed" if known else "new"

    def touch(self, known: PageRecord, entry: ListedPage, now: str) -> None:
        """Record that the server reported a page as unchanged."""
        self.list_page(known, entry)
        _write_record(self._get_record_path(known.url), replace(known, checked_at=now))

    def list_page(self, known: PageRecord, entry: ListedPage) -> None:
        """Record in the manifest what the source says of a page."""
        folder = self._get_record_path(known.url).parent.parent
        self._get_manifest(folder).add(known.path, replace(entry, url=known.url))

    def close(self) -> None:
        """Write what the manifests have not written yet."""
        for manifest in self._manifests.values():
            manifest.save()

    def _get_record_path(self, url: str) -> Path:
        parts = urlsplit(url)
        host = parts.netloc.replace("[", "").replace("]", "").replace(":", "_")
        slug = _NON_SLUG.sub("-", parts.path.lower().removesuffix(".html"))
        slug = slug[-MAX_SLUG_LENGTH:].strip("-") or "index"
        name = f"{slug}-{hashlib.sha256(url.encode()).hexdigest()[:HASH_LENGTH]}"
        return self._folder / host / ".headers" / f"{name}.json"

    def _get_manifest(self, folder: Path) -> ArchiveManifest:
        if folder not in self._manifests:
            for left in (*folder.glob(f"{TEMPORARY_PREFIX}*"), *folder.glob(f".headers/{TEMPORARY_PREFIX}*")):
                left.unlink()
            self._manifests[folder] = ArchiveManifest(folder)
        return self._manifests[folder]


def check_type(page: FetchedPage) -> None:
    """Raise FetchError if the headers of an answer state an unsupported type."""
    media = get_media_type(page)
    if media not in EXTENSIONS and media not in _GENERIC_TYPES:
        known = ", ".join(sorted({extension[1:] for extension in EXTENSIONS.values()}))
        raise FetchError(f"a page or document ({known})", media, "Leave it out.")


def get_media_type(page: FetchedPage) -> str:
    """Return the media type of an answer, without parameters such as the charset."""
    return page.get_header("Content-Type").partition(";")[0].strip().lower()


def choose_extension(page: FetchedPage) -> str:
    """Choose the file extension of a page, from its content if its type carries no information."""
    known = EXTENSIONS.get(get_media_type(page))
    if known:
        return known
    head = page.body[:1024].lstrip().lower()
    if head.startswith(b"%pdf-"):
        return ".pdf"
    if b"<html" in head or head.startswith(b"<!doctype html"):
        return ".html"
    raise FetchError("a page or document", f"content of an unknown type ({page.body[:20]!r})", "Leave it out.")


def write_atomically(path: Path, data: bytes) -> None:
    """Write `data` to `path` completely or not at all; raises ReadError if the disk is full."""
    temporary = path.with_name(f"{TEMPORARY_PREFIX}{path.name}")
    try:
        # No fsync: a page that a power cut damages fails its checksum and is fetched again.
        temporary.write_bytes(data)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        hint = "Free some space, or name another folder with --into."
        raise ReadError("a folder to write to", f"{path}: {error.strerror}", hint) from error


def _write_record(path: Path, record: PageRecord) -> None:
    write_atomically(path, json.dumps(asdict(record), ensure_ascii=False, indent=1).encode())
