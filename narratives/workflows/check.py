"""Check a store, and mend what is damaged from what is whole."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from narratives import embed
from narratives.model import Progress, StoreError, no_progress
from narratives.model.text import Encoder
from narratives.store import Store, integrity
from narratives.store.checks import Damage, find_damage
from narratives.store.files import MANIFEST_FILE
from narratives.store.snapshot_reader import DATABASE_FILE
from narratives.workflows.build import BuildRequest, build
from narratives.workflows.codebook import find_codebook
from narratives.workflows.ingest import mend_rows


@dataclass(frozen=True, slots=True)
class CheckReport:
    """The result of a check: what was damaged, what a repair did, and what is damaged still."""

    damage: tuple[Damage, ...]
    notes: tuple[str, ...] = ()
    remaining: tuple[Damage, ...] = ()


def check(store: Store) -> CheckReport:
    """Check every file of a store and change nothing. Raises DiskError if a file may not be read."""
    damage = tuple(find_damage(store))
    return CheckReport(damage, remaining=damage)


def repair(store: Store, progress: Progress = no_progress, encoder: Encoder | None = None) -> CheckReport:
    """Check a store and mend what is damaged; what nothing can mend is moved to `damaged/`, and a note says so.

    Small files are taken from their copies, the decisions log from its whole entries, and stored rows from their
    sources. Vectors are encoded again, and the current snapshot is built again if its settings are known; otherwise a
    note says what to do. `encoder` replaces the model of the snapshot. Raises StoreBusyError while a build is running.
    """
    with store.lock():
        damage = tuple(find_damage(store))
        notes = [*store.mend(), *store.mend_log(), *store.mend_exchanged()]
        left = find_damage(store)
        notes += [_give_up(store, broken) for broken in left if broken.is_lost]
        try:
            notes += mend_rows(store, store.load_inputs())
        except StoreError as error:
            notes.append(f"Not mended: {error}")
    if any(not broken.is_lost for broken in left):
        notes += _build_again(store, progress, encoder)
    return CheckReport(damage, tuple(notes), tuple(find_damage(store)))


def _give_up(store: Store, broken: Damage) -> str:
    """Move something that nothing can mend to `damaged/`, with all of a snapshot; return a note if it was there."""
    path = store.path / broken.place
    parts = Path(broken.place).parts
    if parts[0] == "snapshots" and path.name in (DATABASE_FILE, MANIFEST_FILE):
        path = path.parent
    if not path.exists():
        store.forget(path)
        return f"{broken.place} is lost ({broken.problem}): {broken.remedy}."
    moved = integrity.set_aside(store.path, path)
    store.forget(path)
    return f"{path.relative_to(store.path)} cannot be mended ({broken.problem}) and is now {moved}: {broken.remedy}."


def _build_again(store: Store, progress: Progress, encoder: Encoder | None) -> list[str]:
    """Build the current snapshot again, with its vectors, if the result is sure to be the same."""
    hint = "Run `build` with the options of the last build, which makes the rest again"
    try:
        current = store.current()
        if current is None:
            return []
        manifest = store.manifest(current)
        threshold = manifest.parameters.get("threshold")
        request = BuildRequest(
            inputs=(),
            store=store.path,
            codebook=find_codebook(store.path),
            model="" if manifest.model == embed.BUNDLED_NAME else manifest.model,
            variant=manifest.variant,
            threshold=float(threshold) if threshold else None,
            expected=manifest.fingerprint,
        )
        report = build(request, progress, encoder)
    except StoreError as error:
        return [f"{hint}: {error}"]
    return [
        *report.notes,
        f"The snapshot {report.snapshot} and its vectors are complete; {report.encoded} texts encoded.",
    ]
