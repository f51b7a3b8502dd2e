"""Measured quality as a file: beside a snapshot's manifest, outside its content hash, or on its own."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from narratives.model import Quality, StoreError
from narratives.store.files import write_atomically

NAME = "quality.json"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Measured quality with the caveat that goes wherever a figure of it is shown.

    `codebook` (digest) and `model` say what was measured where the file stands on its own; they are empty
    in a snapshot, whose manifest says it.
    """

    rows: tuple[Quality, ...]
    caveat: str
    codebook: str = ""
    model: str = ""


def write_evaluation(path: Path, evaluation: Evaluation) -> None:
    """Write JSON atomically: one object, measures rounded to 4 digits, null for what is undefined."""
    content = {
        "caveat": evaluation.caveat,
        "codebook": evaluation.codebook,
        "model": evaluation.model,
        "quality": [{key: _plain(value) for key, value in asdict(row).items()} for row in evaluation.rows],
    }
    write_atomically(path, (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode())


def read_evaluation(path: Path) -> Evaluation | None:
    """What the file holds, None where there is no file. Raises StoreError where it is damaged."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return Evaluation(
            rows=tuple(_row(line) for line in content["quality"]),
            caveat=str(content["caveat"]),
            codebook=str(content["codebook"]),
            model=str(content["model"]),
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        got = f"{type(error).__name__}: {error}"
        raise StoreError(f"an evaluation in {path}", got, "Delete it and run `evaluate` again.") from error


def fits(evaluation: Evaluation, parameters: Mapping[str, str]) -> bool:
    """Whether published figures are of the matching that a snapshot's parameters tell.

    They are of one codebook and model without any decisions: where these teach the matcher, it is another.
    """
    measured = {"codebook": evaluation.codebook, "model": evaluation.model, "decisions": ""}
    return all(parameters.get(key, "") == value for key, value in measured.items())


def _plain(value: object) -> object:
    if isinstance(value, float):
        return None if math.isnan(value) else round(value, 4)
    return value


def _row(line: Mapping[str, Any]) -> Quality:
    fields: dict[str, Any] = {key: math.nan if value is None else value for key, value in line.items()}
    return Quality(**fields)
