"""Atomic writes and the JSON files of a store. If a write is interrupted, the old file stays intact.

Every JSON file contains a checksum of its content, which is verified whenever it is read. Files of older versions have
none and are read without it.
"""

from __future__ import annotations

import errno
import hashlib
import json
import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias, TypeVar

from narratives.model import DiskError, InputRecord, QualityMetrics, SnapshotManifest, SpotCheck, StoreError
from narratives.model.snapshot import Calibration, CalibrationBin, ThresholdQuality

# Device and inode number of a file; None if there is no file.
Identity: TypeAlias = tuple[int, int] | None


def identify(path: Path) -> Identity:
    """Return what distinguishes a file from one that replaces it under the same name."""
    try:
        state = path.stat()
    except FileNotFoundError:
        return None
    return state.st_dev, state.st_ino


def describe_state(path: Path) -> str:
    """Return a text that changes whenever the content of a file does; empty if there is none."""
    try:
        state = path.stat()
    except FileNotFoundError:
        return ""
    return f"{state.st_ino}-{state.st_mtime_ns}-{state.st_size}"


# Of the names of files and folders that are being written; what a killed process left of them is removed.
TEMP_PREFIX = ".tmp-"
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)


def make_disk_error(error: OSError, place: Path | str) -> DiskError:
    """Make the error to raise when the system refuses to read or write at `place`, or at the file that it names."""
    where = error.filename2 or error.filename or place
    where = os.fsdecode(where) if isinstance(where, str | bytes) else place
    if error.errno in _FULL:
        hint = "Free disk space, then run the same command again. The current snapshot is unchanged."
        return DiskError(f"space on the disk to write {where}", error.strerror or str(error), hint)
    hint = "Check the disk and the path, then run the same command again."
    if error.errno in _FORBIDDEN:
        hint = "Give this user permission for it, or name another place."
    return DiskError(f"to read or write {where}", error.strerror or str(error), hint)


def get_place_beside(path: Path) -> Path:
    """Return the place where this process writes what will become `path`."""
    return path.with_name(f"{TEMP_PREFIX}{os.getpid()}-{path.name}")


@contextmanager
def replace_atomically(path: Path) -> Iterator[Path]:
    """Give the place of a temporary file, which replaces `path` when the block ends without an error."""
    beside = get_place_beside(path)
    try:
        yield beside
        sync_to_disk(beside)
        move_durably(beside, path)
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def open_atomically(path: Path) -> Iterator[BinaryIO]:
    """Open a temporary file for writing; it replaces `path` when the block ends without an error."""
    with replace_atomically(path) as beside, beside.open("wb") as file:
        yield file


@contextmanager
def open_named_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file that a person named for writing. Raises StoreError for a place in a store, whose files it would hurt.

    A file is replaced when the block ends without an error, and a link leads to its file. Devices and pipes are
    written to.
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        with path.open("wb") as file:
            yield file
        return
    target = path.resolve()
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if store := next((folder for folder in target.parents if _is_store(folder)), None):
        raise StoreError("to write to a place outside the store", f"{path}, in the store {store}", "Name another file.")
    with open_atomically(target) as file:
        yield file


def _is_store(folder: Path) -> bool:
    return (folder / CURRENT_FILE).exists() and (folder / "snapshots").is_dir()


def write_named_file(path: Path, content: bytes) -> None:
    """Write a file that a person named, as `open_named_file` does. Raises StoreError if it cannot be written."""
    try:
        with open_named_file(path) as file:
            file.write(content)
    except OSError as error:
        reason = error.strerror or str(error)
        raise StoreError(f"to write {path}", reason, "Name another file, or make its folder writable.") from error


def write_atomically(path: Path, data: bytes) -> None:
    """Replace the content of `path` with `data`."""
    with open_atomically(path) as file:
        file.write(data)


def move_durably(source: Path, target: Path) -> None:
    """Rename within one file system, and force the rename to the disk."""
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
    """Compute the hex digest of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


T = TypeVar("T")

CURRENT_FILE = "CURRENT"
MANIFEST_FILE = "manifest.json"
INPUTS_FILE = "inputs.json"
CODEBOOK_FILE = "codebook.toml"
CLASSIFIER_FILE = "classifier.safetensors"
PUBLISHED_FILE = "published.json"  # only in the copy of a published store: the list of its files


CHECKSUM = "sha256"  # the key of a JSON file's checksum


def write_json(path: Path, content: Mapping[str, object], sort_keys: bool = False) -> None:
    """Write JSON in UTF-8 atomically, with its checksum; a path whose name is not UTF-8 is written with escapes."""
    plain = json.loads(json.dumps(content, default=str))
    text = json.dumps({**plain, CHECKSUM: _compute_checksum(plain)}, ensure_ascii=False, indent=1, sort_keys=sort_keys)
    write_atomically(path, (text + "\n").encode("utf-8", "backslashreplace"))


def _compute_checksum(plain: Mapping[str, object]) -> str:
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def parse_checked_json(data: bytes, is_summed: bool = False) -> dict[str, Any] | list[Any]:
    """Return the JSON in `data` without its checksum. Raises ValueError if it is no JSON or does not match it.

    With `is_summed`, an object without a checksum does not match either.
    """
    value: dict[str, Any] | list[Any] = json.loads(data)
    if isinstance(value, dict) and (CHECKSUM in value or is_summed):
        stated = value.pop(CHECKSUM, None)
        if stated != _compute_checksum(value):
            raise ValueError("content that does not match its checksum")
    return value


def _read_json(path: Path, parse: Callable[[Any], T], kind: str, hint: str, is_summed: bool = False) -> T | None:
    """Return the parsed content, None if there is no file. Raises StoreError if the file is damaged."""
    try:
        return parse(parse_checked_json(path.read_bytes(), is_summed))
    except FileNotFoundError:
        return None
    except PermissionError as error:
        raise make_disk_error(error, path) from error
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise StoreError(f"{kind} in {path}", f"{type(error).__name__}: {error}", hint) from error


SUMS_SUFFIX = ".sums.json"
SUMS_DAMAGED = "its checksums are damaged"


def get_sums_path(path: Path) -> Path:
    """Return the file with the checksums of a file or folder."""
    return path.with_name(path.name + SUMS_SUFFIX)


def write_summed(path: Path, data: bytes) -> None:
    """Replace the content of `path`, and keep its checksum in the file beside it.

    A process that is killed meanwhile leaves the old or the new content; until the end, the checksums allow both.
    """
    new = (path.name, hashlib.sha256(data).hexdigest())
    before = [(path.name, compute_sha256(path))] if path.is_file() else []
    write_sums(path, [new, *before])
    write_atomically(path, data)
    write_sums(path, [new])


def write_sums(path: Path, sums: Iterable[tuple[str, str]]) -> None:
    """Write the checksums (name, sha256) of a file, or of the files in a folder, beside it."""
    write_json(get_sums_path(path), {"sums": [list(pair) for pair in sums]})


def read_sums(path: Path) -> list[tuple[str, str]] | None:
    """Return the checksums beside a file or folder, None if there are none. Raises StoreError if they are damaged."""

    def parse(content: Mapping[str, Any]) -> list[tuple[str, str]]:
        return [(str(name), str(sha256)) for name, sha256 in content["sums"]]

    return _read_json(get_sums_path(path), parse, "checksums", "Run `check --repair`.", is_summed=True)


def find_sums_problem(path: Path) -> str:
    """Return what is wrong with a file that `write_summed` wrote; empty if it is whole or was never summed."""
    try:
        sums = read_sums(path)
    except DiskError:
        raise
    except StoreError:
        return SUMS_DAMAGED
    if path.is_dir():
        return "a folder in its place"
    if sums is None or not path.exists():
        return "" if sums is None else "no such file"
    return "" if (path.name, compute_sha256(path)) in sums else "content that does not match its checksum"


def save_snapshot_manifest(folder: Path, manifest: SnapshotManifest) -> None:
    """Write the manifest of a snapshot's folder atomically."""
    write_json(folder / MANIFEST_FILE, asdict(manifest), sort_keys=True)


def load_snapshot_manifest(folder: Path) -> SnapshotManifest:
    """Read the manifest of a snapshot's folder. Raises StoreError if it is missing or damaged."""
    manifest = _read_json(folder / MANIFEST_FILE, _parse_manifest, "a manifest", format_damage_hint(folder))
    if manifest is None:
        raise StoreError(f"a snapshot in {folder}", "none", "Run `build` to make one.")
    return manifest


def format_damage_hint(folder: Path) -> str:
    """Return what to do about a damaged snapshot."""
    return (
        f"If {folder.name} is the current snapshot, run `build` to make it again. If it is an older one, run "
        "`check --repair`."
    )


def save_input_records(store: Path, inputs: Sequence[InputRecord]) -> None:
    """Write the list of the inputs that the store holds, atomically."""
    write_json(store / INPUTS_FILE, {"inputs": [asdict(record) for record in inputs]}, sort_keys=True)


def load_input_records(store: Path) -> tuple[InputRecord, ...] | None:
    """Return the inputs that the store holds, None if the list was never written.

    Raises StoreError if the list is damaged: without it, a build would silently drop inputs.
    """
    hint = "Run `build` or `check --repair`. The list is then taken from its copy or from a snapshot."
    return _read_json(store / INPUTS_FILE, _parse_list, "a list of inputs", hint, is_summed=True)


def _parse_list(content: list[dict[str, Any]] | dict[str, Any]) -> tuple[InputRecord, ...]:
    if not isinstance(content, list):
        return _parse_records(content["inputs"])
    # An older version wrote a list without a checksum. An empty one is not credible: nothing shows that it is whole.
    if not content:
        raise ValueError("an empty list without a checksum")
    return _parse_records(content)


def _parse_manifest(fields: dict[str, Any]) -> SnapshotManifest:
    manifest = SnapshotManifest(inputs=_parse_records(fields.pop("inputs")), **fields)
    texts = ("snapshot_id", "built_at", "fingerprint", "model", "variant", "notice", "predecessor")
    maps = ("versions", "parameters", "counts", "checksums", "sizes")
    _check_types(manifest, {**dict.fromkeys(texts, str), **dict.fromkeys(maps, dict), "decided": int, "edited": int})
    counted, named = (manifest.counts, manifest.sizes), (manifest.versions, manifest.parameters, manifest.checksums)
    if not all(isinstance(value, int) for values in counted for value in values.values()):
        raise TypeError("a count or size that is no whole number")
    if not all(isinstance(value, str) for values in named for value in values.values()):
        raise TypeError("a version, parameter or checksum that is no text")
    return manifest


def _parse_records(rows: Sequence[dict[str, Any]]) -> tuple[InputRecord, ...]:
    records = tuple(InputRecord(**{**record, "path": Path(record["path"])}) for record in rows)
    texts = dict.fromkeys(("source_path", "hash", "refusals", "skipped"), str)
    for record in records:
        _check_types(record, {**texts, "columns": dict, "manifest": dict})
    return records


def _check_types(record: object, types: Mapping[str, type]) -> None:
    """Raise TypeError if a field is of another type: no part of the program checks it later."""
    for name, expected in types.items():
        value = getattr(record, name)
        if not isinstance(value, expected) or isinstance(value, bool):
            raise TypeError(f"{name} is of the type {type(value).__name__}, not {expected.__name__}")


QUALITY_FILE = "quality.json"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Measured quality, with the caveat to show beside every figure.

    `rows` are the figures on all labelled texts. If these have weights, `corpus` are the figures of the whole corpus
    that they were drawn from (its last row is pooled over the narratives), and `calibration` says how far the scores
    are probabilities there. `codebook` (digest), `model` and `classifier` name what was measured if the file is
    published on its own. Inside a snapshot they are empty, since its manifest names them.
    """

    rows: tuple[QualityMetrics, ...]
    caveat: str
    codebook: str = ""
    model: str = ""
    classifier: str = ""
    corpus: tuple[QualityMetrics, ...] = ()
    calibration: Calibration | None = None

    @property
    def shown(self) -> tuple[QualityMetrics, ...]:
        """The figures to show beside the charts: those of the whole corpus if they were measured."""
        return self.corpus or self.rows


def write_evaluation(path: Path, evaluation: Evaluation) -> None:
    """Write one JSON object atomically. Measures have 4 digits; undefined ones are null."""
    content: dict[str, object] = {
        "caveat": evaluation.caveat,
        "codebook": evaluation.codebook,
        "model": evaluation.model,
        "classifier": evaluation.classifier,
        "quality": [_to_json_object(row) for row in evaluation.rows],
        "corpus": [_to_json_object(row) for row in evaluation.corpus],
        "calibration": None,
    }
    if calibration := evaluation.calibration:
        bins = [_to_json_object(part) for part in calibration.bins]
        limits = {key: _to_json_value(getattr(calibration, key)) for key in ("ratio", "ratio_low", "ratio_high")}
        thresholds = [_to_json_object(part) for part in calibration.thresholds]
        content["calibration"] = {**limits, "bins": bins, "thresholds": thresholds}
    write_json(path, content)


def read_evaluation(path: Path) -> Evaluation | None:
    """Return the content of the file, None if there is no file. Raises StoreError if it is damaged."""
    return _read_json(path, _parse_evaluation, "an evaluation", "Delete it and run `evaluate` again.")


def _parse_evaluation(content: Mapping[str, Any]) -> Evaluation:
    rows = tuple(_parse_quality(line) for line in content["quality"])
    corpus = tuple(_parse_quality(line) for line in content.get("corpus", ()))  # older files lack it
    caveat, codebook, model = (str(content[key]) for key in ("caveat", "codebook", "model"))
    calibration = None
    if limits := content.get("calibration"):
        bins = tuple(CalibrationBin(**part) for part in limits["bins"])
        ratio, low, high = (_parse_number(limits[key]) for key in ("ratio", "ratio_low", "ratio_high"))
        thresholds = (
            ThresholdQuality(**{key: _parse_number(value) for key, value in part.items()})
            for part in limits.get("thresholds", ())
        )
        calibration = Calibration(bins, ratio, low, high, tuple(thresholds))
    return Evaluation(rows, caveat, codebook, model, str(content.get("classifier", "")), corpus, calibration)


def select_valid_figures(evaluation: Evaluation, parameters: Mapping[str, str]) -> Evaluation | None:
    """Return the published figures that apply to a matcher, None if there are none.

    They apply to the same codebook, model and classifier with nothing learned from decisions. With another threshold,
    only the calibration does: the scores are the same, the assignments are not.
    """
    names = {"codebook": evaluation.codebook, "model": evaluation.model, "classifier": evaluation.classifier}
    if any(parameters.get(key, "") != value for key, value in {**names, "decisions": ""}.items()):
        return None
    valid = replace(evaluation, codebook="", model="", classifier="")
    if not parameters.get("threshold"):
        return valid
    return replace(valid, rows=(), corpus=()) if valid.calibration else None


def _parse_number(value: float | None) -> float:
    return math.nan if value is None else value


def _to_json_object(row: QualityMetrics | CalibrationBin | ThresholdQuality) -> dict[str, object]:
    return {key: _to_json_value(value) for key, value in asdict(row).items()}


def _to_json_value(value: object) -> object:
    if isinstance(value, float):
        return None if math.isnan(value) else round(value, 4)
    return value


def _parse_quality(line: Mapping[str, Any]) -> QualityMetrics:
    fields: dict[str, Any] = {key: _parse_number(value) for key, value in line.items()}
    return QualityMetrics(**fields)


SPOT_CHECKS_FILE = "spotcheck.json"


@dataclass(frozen=True, slots=True)
class SpotChecks:
    """The results of spot checks of one snapshot; `caveat` is shown beside every figure of them."""

    rows: tuple[SpotCheck, ...]
    caveat: str


def write_spot_checks(path: Path, checks: SpotChecks) -> None:
    """Write one JSON object atomically."""
    write_json(path, {"caveat": checks.caveat, "spot_checks": [asdict(row) for row in checks.rows]})


def read_spot_checks(path: Path) -> SpotChecks | None:
    """Return the content of the file, None if there is no file. Raises StoreError if it is damaged."""
    return _read_json(path, _parse_spot_checks, "spot checks", "Delete it and run `spotcheck take` again.")


def _parse_spot_checks(content: Mapping[str, Any]) -> SpotChecks:
    rows = tuple(SpotCheck(**row) for row in content["spot_checks"])
    counts = [pair for row in rows for pair in ((row.advancing, row.judged), (row.others_advancing, row.others))]
    if any(not 0 <= advancing <= judged for advancing, judged in counts) or not all(row.judged for row in rows):
        raise ValueError("impossible counts")
    return SpotChecks(rows, str(content["caveat"]))
