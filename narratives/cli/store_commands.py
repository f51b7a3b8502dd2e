"""The commands about a store as a whole: status, check, rollback, prune, backup, restore and publish."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from narratives import read
from narratives.cli.output import echo, print_table, show_progress
from narratives.model import StoreError
from narratives.model.errors import EXIT_NOTHING_READ
from narratives.model.snapshot import SnapshotManifest
from narratives.render.phrases import format_timestamp
from narratives.store import Store, maintenance
from narratives.store.checks import Damage, find_damage
from narratives.store.published import Address, fetch_published, publish
from narratives.workflows.check import check, repair


def find_folder(place: Path | Address, as_of: str = "") -> Path:
    """Return the folder of a store. A published one is fetched first: its current snapshot, or that named `as_of`."""
    if isinstance(place, Path):
        return place
    with show_progress("bar" if sys.stderr.isatty() else "none") as progress:
        return fetch_published(place, as_of, progress=progress)


def run_status(options: argparse.Namespace) -> int:
    """Print what the store holds. Return 1 if anything in it is damaged."""
    store = Store(find_folder(options.store))
    echo(f"store     {options.store}")
    if store.is_published:
        echo(f"copy      {store.path}")
    damage = find_damage(store)
    current: str | None = None
    manifest: SnapshotManifest | None = None
    with suppress(StoreError):  # `damage` names it
        current = store.current()
        manifest = store.manifest(current) if current else None
    if current is None and not damage:
        echo("snapshot  none yet: run `narratives build INPUT...`")
        return 0
    echo(f"snapshot  {current or 'unknown'}, built {format_timestamp(manifest.built_at) if manifest else 'unknown'}")
    echo(f"state     {'intact' if not damage else 'DAMAGED'}")
    _print_damage(damage, "          ")
    if manifest:
        _print_manifest(manifest)
    for older in store.snapshots():
        if older.snapshot_id != current:
            echo(f"as of     {older.snapshot_id}, built {format_timestamp(older.built_at)}")
    for name, size in maintenance.measure_sizes(store.path).items():
        echo(f"size      {size / 1e6:>9,.1f} MB  {name}")
    return EXIT_NOTHING_READ if damage else 0


def _print_manifest(manifest: SnapshotManifest) -> None:
    if manifest.notice:
        echo(f"notice    {manifest.notice}")
    echo(f"model     {manifest.model} ({manifest.variant})")
    if "classifier" in manifest.parameters:
        echo(f"matching  {manifest.parameters['classifier']}")
    print_table({name.replace("_", " "): count for name, count in manifest.counts.items()})
    skipped = [record for record in manifest.inputs if record.skipped]
    echo(f"inputs    {len(manifest.inputs) - len(skipped)}")
    for record in manifest.inputs:
        if not record.skipped:
            echo(f"          {record.source_path}  ({read.make_printable(record.path)})")
    if skipped:
        echo(f"skipped   {len(skipped)}")
    for record in skipped:
        echo(f"          {record.source_path}: {record.skipped}")


def _print_damage(damage: Sequence[Damage], indent: str = "") -> None:
    for broken in damage:
        echo(f"{indent}{broken.place}: {broken.problem} ({broken.remedy})")


def run_check(options: argparse.Namespace) -> int:
    """Check every file of a store, and mend it with --repair. Return 1 if anything is damaged at the end."""
    store = Store(options.store)
    if not options.repair:
        report = check(store)
        _print_damage(report.damage)
        echo(f"{len(report.damage)} damaged" if report.damage else f"{options.store} is intact")
        return EXIT_NOTHING_READ if report.damage else 0
    with show_progress(options.progress) as progress:
        report = repair(store, progress)
    _print_damage(report.damage)
    for note in report.notes:
        echo(f"  note: {note}")
    if report.remaining:
        echo(f"{len(report.remaining)} still damaged:")
        _print_damage(report.remaining)
    else:
        echo(f"{options.store} is intact")
    return EXIT_NOTHING_READ if report.remaining else 0


def run_rollback(options: argparse.Namespace) -> int:
    """Make an earlier snapshot the current one."""
    manifest = maintenance.rollback(Store(options.store), options.snapshot)
    echo(f"snapshot  {manifest.snapshot_id}, built {format_timestamp(manifest.built_at)}, is the current one")
    echo("The next build starts from its inputs. Decisions and the codebook are as they were.")
    return 0


def run_prune(options: argparse.Namespace) -> int:
    """Remove old snapshots."""
    store = Store(options.store)
    before = sum(maintenance.measure_sizes(store.path).values())
    removed = maintenance.prune(store, options.keep, options.older_than, options.pin, options.dry_run)
    for manifest in removed:
        built = format_timestamp(manifest.built_at)
        echo(f"{'would remove' if options.dry_run else 'removed'}   {manifest.snapshot_id}, built {built}")
    freed = before - sum(maintenance.measure_sizes(store.path).values())
    echo(f"{len(removed)} snapshots; {max(0, freed) / 1e6:,.1f} MB freed")
    return 0


def run_backup(options: argparse.Namespace) -> int:
    """Write a store to one file. What is damaged in it is named, and is damaged in the backup as well."""
    store = Store(options.store)
    _print_damage(find_damage(store), "damaged: ")
    echo(f"{options.file}: {maintenance.backup(store, options.file) / 1e6:,.1f} MB")
    return 0


def run_restore(options: argparse.Namespace) -> int:
    """Make a store of a backup, and check it. Return 1 if something in it is damaged."""
    number = maintenance.restore(options.file, options.store)
    damage = find_damage(Store(options.store))
    _print_damage(damage)
    echo(f"{number} files restored to {options.store}, {len(damage)} damaged")
    return EXIT_NOTHING_READ if damage else 0


def run_publish(options: argparse.Namespace) -> int:
    """Copy the current snapshot of a store to object storage."""
    with show_progress(options.progress) as progress:
        report = publish(Store(options.store), options.target, progress)
    manifest = report.manifest
    echo(f"snapshot  {manifest.snapshot_id}, built {format_timestamp(manifest.built_at)}")
    echo(f"sent      {report.sent / 1e6:,.1f} of {report.total / 1e6:,.1f} MB; the rest was there already")
    if not report.has_vectors:
        echo("note      The store has no vectors of this snapshot, so the search by meaning will not work.")
    echo(f"published {options.target}")
    return 0
