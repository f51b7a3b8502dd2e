"""What a person typed to the files that it means: files, folders, globs, and the manifests beside them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from os.path import normpath
from pathlib import Path

from narratives.model import InputFile, ReadError, Rejected
from narratives.read.formats import check_format, unreadable
from narratives.read.manifest import NAME, FolderManifest, load_manifest
from narratives.read.rows import clean

_MAGIC = re.compile(r"[*?\[]")
_EVIDENTLY_NO_INPUT = ("readme", "license", "licence")


def discover(inputs: Sequence[str]) -> tuple[list[InputFile], list[Rejected]]:
    """The files to read, sorted by source_path and each once, and what cannot be.

    Folders are read with all below them, globs as the shell would expand them. `source_path` is the path as
    typed, joined with the way below it and normalised. README, LICENSE, Markdown, manifest.csv and hidden
    files are passed over. A manifest.csv speaks for the files of its folder and of those below it; manifests
    are looked for from each file up to the folder that was typed (for a file: its own folder); the nearest
    that names the file counts. Raises nothing.
    """
    search = _Search()
    for typed in inputs:
        search.add(typed)
    files = sorted(search.files.values(), key=lambda file: file.source_path)
    return files, sorted(search.rejected, key=lambda r: (r.source_path, r.row, r.reason))


class _Search:
    """The state of one discovery: what was found, and each folder's manifest read once."""

    def __init__(self) -> None:
        self.files: dict[Path, InputFile] = {}
        self.rejected: set[Rejected] = set()
        self._manifests: dict[Path, FolderManifest] = {}
        # Counts files and faults met, those met before included: a word that meets none is itself a fault.
        self._met = 0

    def add(self, typed: str) -> None:
        before, path = self._met, Path(typed)
        try:
            if not typed:
                raise ValueError("nothing was typed")
            if path.exists() or path.is_symlink() or not _MAGIC.search(typed):
                self._add_found(path, path if path.is_dir() else path.parent)
            else:
                self._add_glob(typed)
        # pathlib's word for a pattern that it cannot take, and for NUL characters.
        except ValueError as error:
            self._reject(path, ReadError("a path or a pattern", f"{typed!r}: {error}", "Correct it."))
        except OSError as error:
            self._reject(path, unreadable(error))
        if before == self._met:
            todo = "Name a folder or a file of a format that is read."
            self._reject(path, ReadError("something to read", "nothing that is input", todo))

    def _add_glob(self, pattern: str) -> None:
        parts = Path(pattern).parts
        fixed = next(i for i, part in enumerate(parts) if _MAGIC.search(part))
        root = Path(*parts[:fixed])
        for path in sorted(root.glob(str(Path(*parts[fixed:])))):
            if not _is_passed_over(path.relative_to(root)):
                self._add_found(path, root)

    def _add_found(self, path: Path, root: Path) -> None:
        if path.is_dir():
            for below in self._walk(path):
                self._add_file(below, root)
        elif not _is_passed_over(Path(path.name)):
            self._add_file(path, root)

    def _walk(self, folder: Path) -> Iterator[Path]:
        def failed(error: OSError) -> None:
            self._reject(Path(error.filename), unreadable(error))

        for base, folders, names in os.walk(folder, onerror=failed):
            here = Path(base)
            self._manifest(here)
            for name in sorted(folders):
                if not _is_passed_over(Path(name)) and (here / name).is_symlink():
                    todo = "Name its target as an input of its own."
                    self._reject(here / name, ReadError("a folder", "a link to one", todo))
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            yield from (here / name for name in sorted(names) if not _is_passed_over(Path(name)))

    def _add_file(self, path: Path, root: Path) -> None:
        self._met += 1
        try:
            _check_readable(path)
        except ReadError as error:
            self._reject(path, error)
            return
        key = path.resolve()
        if key not in self.files:
            self.files[key] = InputFile(path, _source(path), self._manifest_row(path, root))

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
            self._manifests[folder] = load_manifest(folder, str(folder))
            self.rejected.update(self._manifests[folder].rejected)
        return self._manifests[folder]

    def _reject(self, path: Path, error: ReadError) -> None:
        self._met += 1
        self.rejected.add(Rejected(_source(path), 0, str(error)))


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
        raise unreadable(error) from error


def _is_passed_over(path: Path) -> bool:
    name = path.name.lower()
    hidden = any(part.startswith(".") and part != ".." for part in path.parts)
    return hidden or name == NAME or name.endswith(".md") or name.split(".")[0] in _EVIDENTLY_NO_INPUT


def _source(path: Path) -> str:
    # A file name may hold bytes that are no text, which could not be stored.
    return clean(Path(normpath(path)).as_posix())
