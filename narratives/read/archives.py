"""Unpack a zip archive into a folder, safely whatever it holds."""

from __future__ import annotations

import lzma
import re
import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from narratives.model import ReadError, Rejected, SkippedInput
from narratives.read.encoding import is_locked
from narratives.read.formats import describe_skip

ARCHIVE_SUFFIX = ".zip"
MAX_MEMBERS = 5_000
MAX_DEPTH = 12
MAX_UNPACKED = 300_000_000  # bytes of all files of an archive together
MAX_RATIO = 100  # text shrinks to a third or a tenth when compressed; only a zip bomb reaches a hundredth
HARMLESS_BYTES = 20_000_000  # bytes that may be unpacked at any ratio
_MAX_NAME_BYTES = 120  # in UTF-8, so that any file system accepts it
_UNSAFE = re.compile(r"[^\w .,()+=@#&'-]")
_DRIVE_LETTER = re.compile(r"[A-Za-z]:")
_PACKED_SUFFIXES = (".zip", ".gz", ".tgz", ".tar", ".bz2", ".xz", ".7z", ".rar", ".zst")
_BLOCK_BYTES = 1 << 16
_UNPACK_ERRORS = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, RuntimeError)


@dataclass(slots=True)
class UnpackedArchive:
    """What became of the members of an archive, by their names in it: refused or skipped, each with the reason."""

    refused: list[Rejected] = field(default_factory=list)
    skipped: list[SkippedInput] = field(default_factory=list)


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


def unpack_archive(folder: Path, packed: BinaryIO, size: int, formats: Collection[str]) -> UnpackedArchive:
    """Unpack the members with one of the extensions `formats` into a folder; return what became of the others.

    `size` is that of the archive in bytes. Members keep their folders, under safe names. Raises ReadError if the
    archive as a whole is damaged or too large; the folder may then hold some of its files.
    """
    limit = min(MAX_UNPACKED, max(HARMLESS_BYTES, MAX_RATIO * size))
    result = UnpackedArchive()
    try:
        with zipfile.ZipFile(packed) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            if len(members) > MAX_MEMBERS:
                raise ReadError(
                    "a zip archive of fewer files", f"{len(members):,}; the limit is {MAX_MEMBERS:,}", "Split it."
                )
            _unpack_members(archive, members, folder, limit, formats, result)
    except _UNPACK_ERRORS as error:
        raise ReadError(
            "a zip archive", f"not a valid zip archive ({error})", "Create or download it again."
        ) from error
    if not result.refused and not any(folder.iterdir()):
        accepted = " ".join(sorted(formats))
        raise ReadError(f"files of an accepted type ({accepted})", "no file of an accepted type", "Add some.")
    return result


def _unpack_members(
    archive: zipfile.ZipFile,
    members: Sequence[zipfile.ZipInfo],
    folder: Path,
    limit: int,
    formats: Collection[str],
    result: UnpackedArchive,
) -> None:
    names: set[str] = set()
    remaining = limit
    for member in members:
        shown = _clean_name(member.filename)
        parts = [part for part in member.filename.replace("\\", "/").split("/") if part != "."]
        if reason := next(filter(None, map(describe_skip, parts)), ""):
            result.skipped.append(SkippedInput(shown, reason))
            continue
        if reason := _describe_member_refusal(member, parts, formats):
            result.refused.append(Rejected(shown, 0, reason))
            continue
        target = Path(*map(make_safe_name, parts))
        if str(target).casefold() in names:
            result.refused.append(Rejected(shown, 0, "another file in the archive has the same name"))
            continue
        names.add(str(target).casefold())
        try:
            remaining -= _unpack_member(archive, member, folder / target, remaining)
        except (FileExistsError, NotADirectoryError):
            result.refused.append(Rejected(shown, 0, "one of its folders has the name of another file"))
        except _UNPACK_ERRORS as error:
            (folder / target).unlink(missing_ok=True)
            result.refused.append(Rejected(shown, 0, f"cannot be unpacked ({error})"))
        if remaining < 0:
            got = f"it is larger than {limit // 1_000_000} MB when unpacked"
            raise ReadError("a zip archive of moderate size", got, "Unpack it yourself if you trust it.")


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
    if is_locked(member):
        return "it is encrypted; create the archive without a password"
    return describe_suffix_refusal(parts[-1], formats)


def describe_suffix_refusal(name: str, formats: Collection[str]) -> str:
    """Return why a file with this name is not accepted, empty if it is."""
    extension = Path(name.lower()).suffix
    if extension in formats:
        return ""
    if extension in _PACKED_SUFFIXES:
        return "it is an archive or compressed file; unpack it first, or put its files into one zip"
    accepted = f"{' '.join(sorted(formats))} and {ARCHIVE_SUFFIX}"
    return f"extension {_clean_name(extension) or '(none)'} is not accepted; accepted are {accepted}"


def _clean_name(name: str) -> str:
    """Return a name without control characters, at most 200 characters long."""
    return "".join(c if c.isprintable() else "\ufffd" for c in name)[:200]
