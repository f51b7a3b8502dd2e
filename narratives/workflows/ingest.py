"""The first step of a build: which inputs the store holds from now on. Composes `read` and the ledger."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from narratives import read
from narratives.model import (
    InputRecord,
    Progress,
    RawDocument,
    ReadError,
    Rejected,
    StoreError,
    UnusedColumns,
    UsageError,
)
from narratives.store import Store

KEPT_NOTE = "What the store holds of it stays; --remove takes it out."


@dataclass(frozen=True, slots=True)
class IngestResult:
    """What the arguments meant. `ledger` is all that the store holds after it, sorted by source path.

    named, readable, skipped  files meant; those with at least one document; those read by an earlier build
    rejected                  what the arguments could not give, with reasons
    absent                    those of `rejected` that mean nothing that is there, and are not held
    unused                    columns of the files meant, and of their manifests, that hold none of our fields
    """

    ledger: tuple[InputRecord, ...]
    named: tuple[InputRecord, ...]
    readable: int
    skipped: int
    rejected: tuple[Rejected, ...]
    absent: tuple[Rejected, ...]
    unused: tuple[UnusedColumns, ...]


@dataclass(frozen=True, slots=True)
class _StoredInput:
    """What the ledger has of one input; `whole` is whether reading it came to its end."""

    readable: bool
    rejected: tuple[Rejected, ...]
    whole: bool


def ingest(
    store: Store,
    inputs: Sequence[str],
    remove: Sequence[str],
    columns: Mapping[str, str],
    held: Sequence[InputRecord],
    progress: Progress,
) -> IngestResult:
    """Read what is new or changed among the inputs into the store's ledger.

    A file is known by its absolute path: where its hash has changed, its new rows replace the old ones,
    unless it has become unreadable: then that is told and held, and the old rows stay. What was never
    readable is held too, with its reason, until it is mended or removed: files, links, rows of a manifest.
    Arguments that mean nothing that is there are told but not held. Raises UsageError when `remove` names
    nothing that the store holds.
    """
    ledger = _remove_inputs({record.path: record for record in held}, remove)
    surveyed = read.survey(inputs)
    named: dict[Path, InputRecord] = {}
    rejected, unused = list(surveyed.absent), list(surveyed.unused)

    def refuse(place: Path, items: Sequence[Rejected]) -> None:
        named[place], reasons = _hold(store, ledger.get(place), place, items)
        rejected.extend(reasons)

    for place, items in surveyed.refused.items():
        refuse(place, items)
    readable = skipped = 0
    for done, file in enumerate(surveyed.files):
        progress("reading", done, len(surveyed.files))
        path = file.path.resolve()
        try:
            key = read.compute_fingerprint(file, columns)
            kept = _load_stored_input(store, key)
            # What broke off half-way may have been a passing fault of the disk: it is read again.
            if kept is None or not kept.whole:
                store.put_input(key, read.read_file_verified(file, columns, key))
                kept = _load_stored_input(store, key)
            else:
                skipped += 1
        except ReadError as error:
            refuse(path, [Rejected(file.source_path, 0, str(error))])
            continue
        assert kept is not None  # it was just put there
        faults = [replace(r, source_path=file.source_path) for r in kept.rejected]
        if not kept.readable and _has_documents(store, ledger.get(path)):
            refuse(path, faults)
            continue
        named[path] = InputRecord(path, file.source_path, key, dict(columns), dict(file.manifest))
        readable += kept.readable
        rejected += faults
        # Of a table that is rejected the reason tells the columns.
        if kept.readable and (left := read.find_unused(file, columns)):
            unused.append(UnusedColumns(file.source_path, left))
    progress("reading", len(surveyed.files), len(surveyed.files))
    mended = {
        place
        for place, record in ledger.items()
        if place not in named and surveyed.has_seen(place) and not _has_documents(store, record)
    }
    ledger = {place: record for place, record in ledger.items() if place not in mended} | named
    return IngestResult(
        ledger=tuple(sorted(ledger.values(), key=lambda r: (r.source_path, str(r.path)))),
        named=tuple(named.values()),
        readable=readable,
        skipped=skipped,
        rejected=tuple(sorted(rejected, key=lambda r: (r.source_path, r.row, r.reason))),
        absent=surveyed.absent,
        unused=tuple(sorted(unused, key=lambda u: u.source_path)),
    )


def _hold(
    store: Store, before: InputRecord | None, place: Path, items: Sequence[Rejected]
) -> tuple[InputRecord, list[Rejected]]:
    """A record for what was refused, and the reasons to tell; documents read from it before stay."""
    stays = before if before and _has_documents(store, before) else None
    reasons = [replace(r, reason=f"{r.reason} {KEPT_NOTE}") for r in items] if stays else list(items)
    terms = [[r.source_path, r.row, r.reason] for r in reasons]
    key = hashlib.sha256(json.dumps(terms).encode()).hexdigest()
    store.put_input(key, reasons)
    if stays:
        return replace(stays, refusals=key), reasons
    return InputRecord(place, items[0].source_path, key), reasons


def _has_documents(store: Store, record: InputRecord | None) -> bool:
    kept = _load_stored_input(store, record.hash) if record else None
    return kept is not None and kept.readable


def _load_stored_input(store: Store, key: str) -> _StoredInput | None:
    """What the ledger has under this hash; None where it has nothing, or nothing that can be read back."""
    if not store.has_input(key):
        return None
    readable, rejected = False, []
    try:
        for row in store.get_input(key):
            readable = readable or isinstance(row, RawDocument)
            if isinstance(row, Rejected):
                rejected.append(row)
    except StoreError:
        return None
    return _StoredInput(readable, tuple(rejected), all(r.row for r in rejected))


def _remove_inputs(ledger: dict[Path, InputRecord], remove: Sequence[str]) -> dict[Path, InputRecord]:
    """The ledger less what `remove` means: a path from here, or one as `status` lists it."""
    for typed in remove:
        # A link that was refused is removed itself, and not what it leads to.
        place, target = read.get_place(Path(typed)), Path(typed).resolve()
        meant = {p for p, record in ledger.items() if p.is_relative_to(place) or record.source_path == typed}
        meant = meant or {p for p in ledger if p.is_relative_to(target)}
        if not meant:
            raise UsageError("--remove with a path that the store holds", repr(typed), "`status` lists what it holds.")
        ledger = {path: record for path, record in ledger.items() if path not in meant}
    return ledger
