"""The rows of every input as they were read, stored by the hash of the input, and uploads.

A rebuild uses these rows and does not read the sources again.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import lzma
import re
import shutil
import stat
import tempfile
import time
import unicodedata
import zipfile
import zlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import cast

from narratives.model import RawDocument, RawParagraph, Rejected, StoreError
from narratives.store.files import load_input_records, move_durably, open_atomically, write_atomically

_HASH = re.compile(r"[0-9a-f]{16,64}")


def make_rows_path(folder: Path, key: str) -> Path:
    """Return the path of the rows of the input with this hash. Raises StoreError if the hash is not valid."""
    if not _HASH.fullmatch(key):
        raise StoreError("the hash of an input in lower-case hex", repr(key), "Build again from the sources.")
    return folder / f"{key}.jsonl.gz"


def write_rows(folder: Path, key: str, rows: Iterable[RawDocument | Rejected]) -> None:
    """Write rows one by one. The same rows give the same bytes, and a failure leaves no file."""
    path = make_rows_path(folder, key)
    folder.mkdir(parents=True, exist_ok=True)
    with open_atomically(path) as file, gzip.GzipFile("", "wb", 6, file, mtime=0) as packed:
        for row in rows:
            # ASCII escapes keep even lone surrogates, which some sources contain.
            packed.write(json.dumps({"is": type(row).__name__, **asdict(row)}).encode("ascii") + b"\n")


def read_rows(folder: Path, key: str) -> Iterator[RawDocument | Rejected]:
    """Yield the rows of an input in their order. Raises StoreError if they are missing or damaged."""
    path = make_rows_path(folder, key)
    hint = "Build again from the sources. Inputs that are missing in the store are read again."
    try:
        with gzip.open(path, "rb") as file:
            for line in file:
                yield _parse_row(json.loads(line))
    except FileNotFoundError as error:
        raise StoreError(f"the rows of an input at {path}", "no such file", hint) from error
    except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError) as error:
        raise StoreError(f"the rows of an input at {path}", f"{type(error).__name__}: {error}", hint) from error


def _parse_row(fields: dict[str, object]) -> RawDocument | Rejected:
    if fields.pop("is") == "Rejected":
        return Rejected(**fields)  # type: ignore[arg-type]
    paragraphs = tuple(RawParagraph(**paragraph) for paragraph in fields.pop("paragraphs"))  # type: ignore[attr-defined]
    lists = {name: tuple(cast(list[str], fields.pop(name, []))) for name in ("from_manifest", "date_lines")}
    return RawDocument(paragraphs=paragraphs, **lists, **fields)  # type: ignore[arg-type]


UPLOADS_FOLDER = "uploads"
ARCHIVE_SUFFIX = ".zip"
MANIFEST_NAME = "manifest.csv"
MAX_MEMBERS = 5_000
MAX_DEPTH = 12
MAX_UNPACKED = 300_000_000  # bytes of all files of an archive together
MAX_RATIO = 100  # text shrinks to a third or a tenth when compressed; only a zip bomb reaches a hundredth
HARMLESS_BYTES = 20_000_000  # bytes that may be unpacked at any ratio
UNUSED_LIFETIME = 7 * 24 * 3600.0  # seconds after which an upload that no build has used is removed
_MAX_NAME_BYTES = 120  # in UTF-8, so that any file system accepts it
_UNSAFE = re.compile(r"[^\w .,()+=@#&'-]")
_UPLOAD_PREFIX = re.compile(rf"^.*/{UPLOADS_FOLDER}/[0-9a-f]{{16}}/")
_DRIVE_LETTER = re.compile(r"[A-Za-z]:")
_PACKED_SUFFIXES = (".zip", ".gz", ".tgz", ".tar", ".bz2", ".xz", ".7z", ".rar", ".zst")
_BLOCK_BYTES = 1 << 16
_UNPACK_ERRORS = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, RuntimeError)


@dataclass(frozen=True, slots=True)
class Upload:
    """The result of one upload.

    `path` is the file, or the folder of an archive: the input for a build. `files` are the stored files. `refused`
    lists the other files by their uploaded names, with reasons.
    """

    name: str
    path: Path
    files: tuple[Path, ...]
    refused: tuple[Rejected, ...]


def save_upload(store: Path, name: str, data: bytes, formats: Collection[str]) -> Upload:
    """Store an upload in the store at `store`; the same content under the same name is stored once.

    `formats` are the accepted extensions (`.csv`), in addition to `.zip`, whose members must have one of them.
    A refusal is not an error: the result contains it. Raises StoreError if the store cannot be written to.
    """
    safe = make_safe_name(name)
    folder = store / UPLOADS_FOLDER / hashlib.sha256(data).hexdigest()[:16]
    try:
        _remove_unused(store, time.time() - UNUSED_LIFETIME)
        if Path(safe).suffix.lower() == ARCHIVE_SUFFIX:
            return _save_archive(safe, folder, data, formats)
        if refusal := _describe_suffix_refusal(safe, formats) or _describe_useless_file(safe, data):
            return Upload(safe, folder / safe, (), (Rejected(safe, 0, refusal),))
        if not (folder / safe).exists():
            folder.mkdir(parents=True, exist_ok=True)
            write_atomically(folder / safe, data)
        folder.touch()
    except OSError as error:
        hint = "Free disk space, or get permission to write there."
        raise StoreError(f"a folder to write to at {store / UPLOADS_FOLDER}", str(error), hint) from error
    return Upload(safe, folder / safe, (folder / safe,), ())


def make_safe_name(name: str) -> str:
    """Return the last part of a file's name, safe for any file system, shell or page.

    Letters of any script, digits, plain punctuation and the extension are kept. If nothing is left, the name is
    `upload`.
    """
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    cleaned = _UNSAFE.sub("_", last).strip(" .")
    stem, suffix = Path(cleaned).stem, Path(cleaned).suffix[:12]
    stem = stem.lstrip("-. ") or "upload"
    most = _MAX_NAME_BYTES - len(suffix.encode())
    return stem.encode()[:most].decode(errors="ignore").rstrip(" .") + suffix


def format_source_path(source_path: str) -> str:
    """Return a path as users know it: an upload by its original name, anything else unchanged."""
    return _UPLOAD_PREFIX.sub("", source_path)


def _save_archive(name: str, folder: Path, data: bytes, formats: Collection[str]) -> Upload:
    """Unpack into a temporary folder, then move it: the target is either complete or absent."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=".tmp-", dir=folder.parent))
    try:
        try:
            refused = _unpack_archive(beside, data, formats)
        except _UNPACK_ERRORS as error:
            refused = [("", f"not a valid zip archive ({error})")]
        except _ArchiveRefusedError as error:
            shutil.rmtree(beside)
            refused = [("", str(error))]
        kept = sorted(p.relative_to(beside) for p in beside.rglob("*") if p.is_file())
        if not kept and not refused:
            refused = [("", f"it has no file of an accepted type: {' '.join(sorted(formats))}")]
        if kept and not folder.exists():
            beside.chmod(0o755)
            move_durably(beside, folder)
        if kept:
            folder.touch()
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    rejected = tuple(Rejected(f"{name}/{member}" if member else name, 0, reason) for member, reason in refused)
    return Upload(name, folder, tuple(folder / path for path in kept), rejected)


class _ArchiveRefusedError(Exception):
    """The archive as a whole is refused."""


def _unpack_archive(folder: Path, data: bytes, formats: Collection[str]) -> list[tuple[str, str]]:
    """Unpack the accepted members; return the others with reasons.

    Raises _ArchiveRefusedError or one of _UNPACK_ERRORS if the archive as a whole is refused or damaged.
    """
    limit = min(MAX_UNPACKED, max(HARMLESS_BYTES, MAX_RATIO * len(data)))
    refused: list[tuple[str, str]] = []
    names: set[str] = set()
    remaining = limit
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [member for member in archive.infolist() if not member.is_dir()]
        if len(members) > MAX_MEMBERS:
            raise _ArchiveRefusedError(f"it has {len(members):,} files; the limit is {MAX_MEMBERS:,}")
        for member in members:
            shown = _clean_name(member.filename)
            parts = [part for part in member.filename.replace("\\", "/").split("/") if part != "."]
            if _is_ignored(parts):
                continue
            if reason := _describe_member_refusal(member, parts, formats):
                refused.append((shown, reason))
                continue
            target = Path(*map(make_safe_name, parts))
            if str(target).casefold() in names:
                refused.append((shown, "another file in the archive has the same name"))
                continue
            names.add(str(target).casefold())
            try:
                remaining -= _unpack_member(archive, member, folder / target, remaining)
            except (FileExistsError, NotADirectoryError):
                refused.append((shown, "one of its folders has the name of another file"))
            except _UNPACK_ERRORS as error:
                (folder / target).unlink(missing_ok=True)
                refused.append((shown, f"cannot be unpacked ({error})"))
            if remaining < 0:
                raise _ArchiveRefusedError(f"it is larger than {limit // 1_000_000} MB when unpacked")
    return refused


def _unpack_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path, most: int) -> int:
    """Unpack one member, whatever size it claims, and stop above `most` bytes; return the number of bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    done = 0
    with archive.open(member) as packed, path.open("xb") as file:
        while done <= most and (block := packed.read(_BLOCK_BYTES)):
            file.write(block)
            done += len(block)
    return done


def _describe_member_refusal(member: zipfile.ZipInfo, parts: Sequence[str], formats: Collection[str]) -> str:
    """Return why a member is refused, empty if it is accepted."""
    if "" in parts or _DRIVE_LETTER.match(parts[0]) or ".." in parts:
        return "its path points outside the archive"
    if len(parts) > MAX_DEPTH:
        return f"it is more than {MAX_DEPTH} folders deep"
    mode = member.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        return "it is a link or device, not a regular file"
    if member.flag_bits & 1:
        return "it is encrypted; create the archive without a password"
    return _describe_suffix_refusal(parts[-1], formats)


def _describe_suffix_refusal(name: str, formats: Collection[str]) -> str:
    extension = Path(name.lower()).suffix
    if extension in formats:
        return ""
    if extension in _PACKED_SUFFIXES:
        return "it is an archive or compressed file; unpack it first, or put its files into one zip"
    accepted = f"{' '.join(sorted(formats))} and {ARCHIVE_SUFFIX}"
    return f"extension {_clean_name(extension) or '(none)'} is not accepted; accepted are {accepted}"


def _describe_useless_file(name: str, data: bytes) -> str:
    """Return why a file is useless when it is uploaded alone, empty if it is useful."""
    if name.lower() == MANIFEST_NAME:
        return "it describes other files; put it into one zip with them"
    return "" if data else "the file is empty"


def _is_ignored(parts: Sequence[str]) -> bool:
    """Return whether a file is hidden, a note, or added by the archive program: clearly not an input."""
    hidden = any(part.startswith(".") and part not in (".", "..") for part in parts)
    return hidden or "__MACOSX" in parts or parts[-1].lower().endswith(".md")


def _clean_name(name: str) -> str:
    """Return a name without control characters, at most 200 characters long."""
    return "".join(c if c.isprintable() else "\ufffd" for c in name)[:200]


def _remove_unused(store: Path, before: float) -> None:
    """Remove uploads older than that time that no build has used, and incomplete ones."""
    root = (store / UPLOADS_FOLDER).resolve()
    records = load_input_records(store) or ()
    used = {record.path.relative_to(root).parts[0] for record in records if record.path.is_relative_to(root)}
    for folder in root.glob("*"):
        if folder.name not in used and folder.stat().st_mtime < before:
            shutil.rmtree(folder, ignore_errors=True)
