"""Manifests as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from narratives.model import StoreError
from narratives.store.files import write_atomically
from narratives.store.records import InputRecord, Manifest

NAME = "manifest.json"


def save(folder: Path, manifest: Manifest) -> None:
    """Write the manifest of a snapshot's folder atomically."""
    text = json.dumps(asdict(manifest), ensure_ascii=False, indent=1, sort_keys=True, default=str)
    write_atomically(folder / NAME, (text + "\n").encode())


def load(folder: Path) -> Manifest:
    """Read the manifest of a snapshot's folder. Raises StoreError where there is no sound one."""
    path = folder / NAME
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        inputs = tuple(
            InputRecord(**{**record, "path": Path(record["path"])}) for record in fields.pop("inputs")
        )
        return Manifest(inputs=inputs, **fields)
    except FileNotFoundError as error:
        raise StoreError(f"a snapshot in {folder}", "none", "Run `build` to make one.") from error
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        got, todo = f"{type(error).__name__}: {error}", f"Delete {folder} and build again."
        raise StoreError(f"a manifest in {path}", got, todo) from error
