"""Writing so that a kill at any moment leaves either the old file or the new one, never half of one."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

from narratives.model import QualityMetrics, SpotCheck, StoreError
from narratives.model.snapshot import InputRecord, SnapshotManifest
from narratives.store.queries import NOT_REJECTED

# Device and number of a file: another one under the same name has another. None where there is no file.
Identity: TypeAlias = tuple[int, int] | None


def identify(path: Path) -> Identity:
    """What tells a file from another that takes its place while somebody has it open."""
    try:
        state = path.stat()
    except FileNotFoundError:
        return None
    return state.st_dev, state.st_ino


@contextmanager
def open_atomically(path: Path) -> Iterator[BinaryIO]:
    """Open a file beside `path` for writing; it takes the place of `path` once the block ends well."""
    beside = path.with_name(f".tmp-{os.getpid()}-{path.name}")
    try:
        with beside.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        move_durably(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def write_atomically(path: Path, data: bytes) -> None:
    """Put `data` in the place of whatever `path` holds."""
    with open_atomically(path) as file:
        file.write(data)


def move_durably(source: Path, target: Path) -> None:
    """Rename within a folder's file system, and make the rename itself durable."""
    source.replace(target)
    sync_to_disk(target.parent)


def sync_to_disk(path: Path) -> None:
    """Force a file's or folder's content to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def compute_sha256(path: Path) -> str:
    """Hex digest of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


MANIFEST_FILE = "manifest.json"
INPUTS_FILE = "inputs.json"


def save_snapshot_manifest(folder: Path, manifest: SnapshotManifest) -> None:
    """Write the manifest of a snapshot's folder atomically."""
    write_atomically(folder / MANIFEST_FILE, _encoded(asdict(manifest)))


def load_snapshot_manifest(folder: Path) -> SnapshotManifest:
    """Read the manifest of a snapshot's folder. Raises StoreError where there is no sound one."""
    path = folder / MANIFEST_FILE
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        return SnapshotManifest(inputs=_parse_records(fields.pop("inputs")), **fields)
    except FileNotFoundError as error:
        raise StoreError(f"a snapshot in {folder}", "none", "Run `build` to make one.") from error
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise StoreError(f"a manifest in {path}", f"{type(error).__name__}: {error}", remedy(folder)) from error


def remedy(folder: Path) -> str:
    """What to do about a damaged snapshot."""
    return f"`build` makes the current snapshot anew; of an older one delete {folder}."


def save_input_records(store: Path, inputs: Sequence[InputRecord]) -> None:
    """Write the list of the inputs that the store holds, atomically."""
    write_atomically(store / INPUTS_FILE, _encoded([asdict(record) for record in inputs]))


def load_input_records(store: Path) -> tuple[InputRecord, ...] | None:
    """The inputs that the store holds, None where the list was never written.

    Raises StoreError where the list is damaged: going on without it would drop inputs without a word.
    """
    path = store / INPUTS_FILE
    try:
        return _parse_records(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        hint = f"Delete {path}: the list is then taken from the newest snapshot."
        raise StoreError(f"a list of inputs in {path}", f"{type(error).__name__}: {error}", hint) from error


def _encoded(value: object) -> bytes:
    """JSON in UTF-8; a path whose name is no UTF-8 as escapes, which are read back as they were."""
    text = json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True, default=str)
    return (text + "\n").encode("utf-8", "backslashreplace")


def _parse_records(rows: Sequence[dict[str, Any]]) -> tuple[InputRecord, ...]:
    return tuple(InputRecord(**{**record, "path": Path(record["path"])}) for record in rows)


QUALITY_FILE = "quality.json"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Measured quality with the caveat that goes wherever a figure of it is shown.

    `codebook` (digest) and `model` say what was measured where the file stands on its own; they are empty
    in a snapshot, whose manifest says it.
    """

    rows: tuple[QualityMetrics, ...]
    caveat: str
    codebook: str = ""
    model: str = ""


def write_evaluation(path: Path, evaluation: Evaluation) -> None:
    """Write JSON atomically: one object, measures rounded to 4 digits, null for what is undefined."""
    content = {
        "caveat": evaluation.caveat,
        "codebook": evaluation.codebook,
        "model": evaluation.model,
        "quality": [{key: _to_json_value(value) for key, value in asdict(row).items()} for row in evaluation.rows],
    }
    write_atomically(path, (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode())


def read_evaluation(path: Path) -> Evaluation | None:
    """What the file holds, None where there is no file. Raises StoreError where it is damaged."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return Evaluation(
            rows=tuple(_parse_quality(line) for line in content["quality"]),
            caveat=str(content["caveat"]),
            codebook=str(content["codebook"]),
            model=str(content["model"]),
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        got = f"{type(error).__name__}: {error}"
        raise StoreError(f"an evaluation in {path}", got, "Delete it and run `evaluate` again.") from error


def is_same_matching(evaluation: Evaluation, parameters: Mapping[str, str]) -> bool:
    """Whether published figures are of the matching that a snapshot's parameters tell.

    They are of one codebook and model without any decisions: where these teach the matcher, it is another.
    """
    measured = {"codebook": evaluation.codebook, "model": evaluation.model, "decisions": ""}
    return all(parameters.get(key, "") == value for key, value in measured.items())


def _to_json_value(value: object) -> object:
    if isinstance(value, float):
        return None if math.isnan(value) else round(value, 4)
    return value


def _parse_quality(line: Mapping[str, Any]) -> QualityMetrics:
    fields: dict[str, Any] = {key: math.nan if value is None else value for key, value in line.items()}
    return QualityMetrics(**fields)


SPOT_CHECKS_FILE = "spotcheck.json"

# Every pair that may be drawn: original statement paragraphs assigned to a narrative of the codebook.
SPOT_CHECK_POOL = f"""
    SELECT n.narrative_id, n.name AS narrative, n.definition, p.paragraph_id, p.date, p.speaker, p.text
    FROM snap.assignments a
    JOIN snap.narratives n USING (narrative_id)
    JOIN snap.paragraphs p ON p.paragraph_id = a.paragraph_id
    WHERE {NOT_REJECTED} AND n.origin = 'codebook' AND p.statement AND p.duplicate_of = ''
    ORDER BY n.position, p.paragraph_id
"""


@dataclass(frozen=True, slots=True)
class SpotChecks:
    """What spot checks of one snapshot found; `caveat` goes wherever a figure of them is shown."""

    rows: tuple[SpotCheck, ...]
    caveat: str


def write_spot_checks(path: Path, found: SpotChecks) -> None:
    """Write JSON atomically: one object."""
    content = {"caveat": found.caveat, "spot_checks": [asdict(row) for row in found.rows]}
    write_atomically(path, (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode())


def read_spot_checks(path: Path) -> SpotChecks | None:
    """What the file holds, None where there is no file. Raises StoreError where it is damaged."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        rows = tuple(SpotCheck(**row) for row in content["spot_checks"])
        if any(not 0 <= row.advancing <= row.judged or not row.judged for row in rows):
            raise ValueError("counts that cannot be")
        return SpotChecks(rows, str(content["caveat"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        got = f"{type(error).__name__}: {error}"
        hint = "Delete it and run `spotcheck take` again."
        raise StoreError(f"spot checks in {path}", got, hint) from error
