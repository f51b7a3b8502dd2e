"""The rows of every input as they were read, kept by the input's hash, so that a rebuild reads no source."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

from narratives.model import RawDocument, RawParagraph, Rejected, StoreError
from narratives.store.files import replacing

_HASH = re.compile(r"[0-9a-f]{16,64}")


def path_of(folder: Path, key: str) -> Path:
    """Where the rows of the input with this hash lie. Raises StoreError where the hash is none."""
    if not _HASH.fullmatch(key):
        raise StoreError("the hash of an input in lower-case hex", repr(key), "Build again from the sources.")
    return folder / f"{key}.jsonl.gz"


def put(folder: Path, key: str, rows: Iterable[RawDocument | Rejected]) -> None:
    """Write rows as they come; the same rows give the same bytes, and a failure leaves nothing behind."""
    path = path_of(folder, key)
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file, gzip.GzipFile("", "wb", 6, file, mtime=0) as packed:
        for row in rows:
            # ASCII escapes keep even lone surrogates, which some sources hold.
            packed.write(json.dumps({"is": type(row).__name__, **asdict(row)}).encode("ascii") + b"\n")


def get(folder: Path, key: str) -> Iterator[RawDocument | Rejected]:
    """Yield the rows of an input in their order. Raises StoreError where they are missing or damaged."""
    path = path_of(folder, key)
    todo = "Build again from the sources; they are read anew where the ledger lacks them."
    try:
        with gzip.open(path, "rb") as file:
            for line in file:
                yield _row(json.loads(line))
    except FileNotFoundError as error:
        raise StoreError(f"the rows of an input at {path}", "no such file", todo) from error
    except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"the rows of an input at {path}", f"{type(error).__name__}: {error}", todo
        ) from error


def _row(fields: dict[str, object]) -> RawDocument | Rejected:
    if fields.pop("is") == "Rejected":
        return Rejected(**fields)  # type: ignore[arg-type]
    paragraphs = tuple(RawParagraph(**paragraph) for paragraph in fields.pop("paragraphs"))  # type: ignore[attr-defined]
    manifest = tuple(fields.pop("from_manifest"))  # type: ignore[var-annotated, arg-type]
    return RawDocument(paragraphs=paragraphs, from_manifest=manifest, **fields)  # type: ignore[arg-type]
