"""The first step of a build: which inputs the store holds from now on. Composes `read` and the ledger."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from narratives import read
from narratives.model import Progress, RawDocument, ReadError, Rejected, StoreError, UsageError
from narratives.store import InputRecord, Store

STAYS = "What the store holds of it stays; --remove takes it out."


@dataclass(frozen=True, slots=True)
class Intake:
    """What the arguments meant. `ledger` is all that the store holds after it, sorted by source path.

    named, readable, skipped  files meant; those with at least one document; those read by an earlier build
    rejected                  what the arguments could not give, with reasons
    """

    ledger: tuple[InputRecord, ...]
    named: tuple[InputRecord, ...]
    readable: int
    skipped: int
    rejected: tuple[Rejected, ...]


@dataclass(frozen=True, slots=True)
class _Kept:
    """What the ledger has of one input; `whole` is whether reading it came to its end."""

    readable: bool
    rejected: tuple[Rejected, ...]
    whole: bool


def take_in(
    store: Store,
    inputs: Sequence[str],
    remove: Sequence[str],
    columns: Mapping[str, str],
    held: Sequence[InputRecord],
    progress: Progress,
) -> Intake:
    """Read what is new or changed among the inputs into the store's ledger.

    A file is known by its absolute path: where its hash has changed, its new rows replace the old ones,
    unless it has become unreadable: then it is told, and the old rows stay. A file that was never readable
    is held too, with its reason, until it is mended or removed. Arguments
    that mean no file, and faults of a manifest, are told but not held. Raises UsageError when `remove` names
    nothing that the store holds.
    """
    ledger = _without({record.path: record for record in held}, remove)
    files, refused = read.discover(inputs)
    named, rejected = _hold_refusals(store, refused)
    readable = skipped = 0
    for done, file in enumerate(files):
        progress("reading", done, len(files))
        try:
            key = read.fingerprint(file, columns)
            kept = _kept(store, key)
            # What broke off half-way may have been a passing fault of the disk: it is read again.
            if kept is None or not kept.whole:
                store.put_input(key, read.read_unchanged(file, columns, key))
                kept = _kept(store, key)
            else:
                skipped += 1
        except ReadError as error:
            fault = Rejected(file.source_path, 0, str(error))
            named += _hold_refusals(store, [fault])[0]
            rejected.append(fault)
            continue
        assert kept is not None  # it was just put there
        record = InputRecord(file.path.resolve(), file.source_path, key, dict(columns), dict(file.manifest))
        before = ledger.get(record.path)
        if not kept.readable and before is not None and _has_documents(store, before):
            rejected += [Rejected(file.source_path, r.row, f"{r.reason} {STAYS}") for r in kept.rejected]
            named.append(before)
            continue
        named.append(record)
        readable += kept.readable
        rejected += [Rejected(file.source_path, r.row, r.reason) for r in kept.rejected]
    progress("reading", len(files), len(files))
    ledger |= {record.path: record for record in named}
    return Intake(
        ledger=tuple(sorted(ledger.values(), key=lambda r: (r.source_path, str(r.path)))),
        named=tuple(named),
        readable=readable,
        skipped=skipped,
        rejected=tuple(sorted(rejected, key=lambda r: (r.source_path, r.row, r.reason))),
    )


def _has_documents(store: Store, record: InputRecord) -> bool:
    kept = _kept(store, record.hash)
    return kept is not None and kept.readable


def _kept(store: Store, key: str) -> _Kept | None:
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
    return _Kept(readable, tuple(rejected), all(r.row for r in rejected))


def _hold_refusals(store: Store, refused: Sequence[Rejected]) -> tuple[list[InputRecord], list[Rejected]]:
    """Records for the refusals of whole files that are there, and all the refusals, to be told."""
    by_path: dict[str, list[Rejected]] = defaultdict(list)
    for item in refused:
        if not item.row and Path(item.source_path).is_file():
            by_path[item.source_path].append(item)
    records = []
    for source_path, items in by_path.items():
        if Path(source_path).name == read.MANIFEST:
            continue
        terms = [[item.source_path, item.reason] for item in items]
        key = hashlib.sha256(json.dumps(terms).encode()).hexdigest()
        store.put_input(key, items)
        records.append(InputRecord(Path(source_path).resolve(), source_path, key))
    return records, list(refused)


def _without(ledger: dict[Path, InputRecord], remove: Sequence[str]) -> dict[Path, InputRecord]:
    """The ledger less what `remove` means: a path from here, or one as `status` lists it."""
    for typed in remove:
        target = Path(typed).resolve()
        kept = {
            path: record
            for path, record in ledger.items()
            if not path.is_relative_to(target) and record.source_path != typed
        }
        if len(kept) == len(ledger):
            raise UsageError(
                "--remove with a path that the store holds", repr(typed), "`status` lists what it holds."
            )
        ledger = kept
    return ledger
