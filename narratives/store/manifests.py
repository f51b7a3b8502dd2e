"""Manifests as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from narratives.model import StoreError
from narratives.store.files import write_atomically
from narratives.store.records import InputRecord, Manifest

NAME = "manifest.json"
HELD = "inputs.json"


def save(folder: Path, manifest: Manifest) -> None:
    """Write the manifest of a snapshot's folder atomically."""
    write_atomically(folder / NAME, _encoded(asdict(manifest)))


def load(folder: Path) -> Manifest:
    """Read the manifest of a snapshot's folder. Raises StoreError where there is no sound one."""
    path = folder / NAME
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        return Manifest(inputs=_records(fields.pop("inputs")), **fields)
    except FileNotFoundError as error:
        raise StoreError(f"a snapshot in {folder}", "none", "Run `build` to make one.") from error
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise StoreError(
            f"a manifest in {path}", f"{type(error).__name__}: {error}", remedy(folder)
        ) from error


def remedy(folder: Path) -> str:
    """What to do about a damaged snapshot."""
    return f"`build` makes the current snapshot anew; of an older one delete {folder}."


def save_held(store: Path, inputs: Sequence[InputRecord]) -> None:
    """Write the list of the inputs that the store holds, atomically."""
    write_atomically(store / HELD, _encoded([asdict(record) for record in inputs]))


def load_held(store: Path) -> tuple[InputRecord, ...] | None:
    """The inputs that the store holds, None where the list was never written.

    Raises StoreError where the list is damaged: going on without it would drop inputs without a word.
    """
    path = store / HELD
    try:
        return _records(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        todo = f"Delete {path}: the list is then taken from the newest snapshot."
        raise StoreError(f"a list of inputs in {path}", f"{type(error).__name__}: {error}", todo) from error


def _encoded(value: object) -> bytes:
    """JSON in UTF-8; a path whose name is no UTF-8 as escapes, which are read back as they were."""
    text = json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True, default=str)
    return (text + "\n").encode("utf-8", "backslashreplace")


def _records(rows: Sequence[dict[str, Any]]) -> tuple[InputRecord, ...]:
    return tuple(InputRecord(**{**record, "path": Path(record["path"])}) for record in rows)
