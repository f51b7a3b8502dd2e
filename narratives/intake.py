"""The first step of a build: which inputs the store holds from now on. Composes `read` and the ledger."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from narratives import read
from narratives.model import InputFile, Progress, RawDocument, ReadError, Rejected, UsageError
from narratives.store import InputRecord, Store


@dataclass(frozen=True, slots=True)
class Intake:
    """What the arguments meant. `ledger` is all that the store holds after it, sorted by source path.

    named, readable, skipped  files meant; those with at least one document; those read by an earlier build
    missing                   arguments that mean nothing on this disk: reported, but no part of the store
    """

    ledger: tuple[InputRecord, ...]
    named: tuple[InputRecord, ...]
    readable: int
    skipped: int
    missing: tuple[Rejected, ...]


def take_in(
    store: Store,
    inputs: Sequence[str],
    remove: Sequence[str],
    columns: Mapping[str, str],
    held: Sequence[InputRecord],
    progress: Progress,
) -> Intake:
    """Read what is new or changed among the inputs into the store's ledger.

    A file is known by its absolute path: where its hash has changed, its new rows replace the old ones. A
    file that is refused as a whole is held too, with its reason, until it is mended or removed. Raises
    UsageError when `remove` names nothing that the store holds.
    """
    ledger = _without({record.path: record for record in held}, remove)
    files, refused = read.discover(inputs)
    named, missing = _refusals(store, refused)
    skipped = 0
    for done, file in enumerate(files):
        progress("reading", done, len(files))
        try:
            key = read.fingerprint(file, columns)
        except ReadError as error:
            more, gone = _refusals(store, [Rejected(file.source_path, 0, str(error))])
            named, missing = named + more, missing + gone
            continue
        if store.has_input(key):
            skipped += 1
        else:
            store.put_input(key, read.read_file(file, columns))
        named.append(_record(file, key, columns))
    progress("reading", len(files), len(files))
    ledger |= {record.path: record for record in named}
    return Intake(
        ledger=tuple(sorted(ledger.values(), key=lambda r: (r.source_path, str(r.path)))),
        named=tuple(named),
        readable=sum(any(isinstance(row, RawDocument) for row in store.get_input(r.hash)) for r in named),
        skipped=skipped,
        missing=tuple(missing),
    )


def _record(file: InputFile, key: str, columns: Mapping[str, str]) -> InputRecord:
    return InputRecord(file.path.resolve(), file.source_path, key, dict(columns), dict(file.manifest))


def _refusals(store: Store, refused: Sequence[Rejected]) -> tuple[list[InputRecord], list[Rejected]]:
    """Hold the refusals of files that exist; those of arguments that name nothing are only reported."""
    by_path: dict[str, list[Rejected]] = defaultdict(list)
    for item in refused:
        by_path[item.source_path].append(item)
    records, missing = [], []
    for source_path, items in by_path.items():
        if not Path(source_path).is_file():
            missing += items
            continue
        terms = [[item.source_path, item.row, item.reason] for item in items]
        key = hashlib.sha256(json.dumps(terms).encode()).hexdigest()
        store.put_input(key, items)
        records.append(InputRecord(Path(source_path).resolve(), source_path, key))
    return records, missing


def _without(ledger: dict[Path, InputRecord], remove: Sequence[str]) -> dict[Path, InputRecord]:
    for typed in remove:
        target = Path(typed).resolve()
        kept = {path: record for path, record in ledger.items() if not path.is_relative_to(target)}
        if len(kept) == len(ledger):
            raise UsageError(
                "--remove with a path that the store holds", repr(typed), "`status` lists what it holds."
            )
        ledger = kept
    return ledger
