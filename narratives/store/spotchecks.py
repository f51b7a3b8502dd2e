"""Spot checks: what can be drawn for one, and what came of it, as a file beside a snapshot's manifest."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from narratives.model import SpotCheck, StoreError
from narratives.store.files import write_atomically
from narratives.store.slices import LIVE

NAME = "spotcheck.json"

# Every pair that may be drawn: original statement paragraphs assigned to a narrative of the codebook.
DRAWABLE = f"""
    SELECT n.narrative_id, n.name AS narrative, n.definition, p.paragraph_id, p.date, p.speaker, p.text
    FROM snap.assignments a
    JOIN snap.narratives n USING (narrative_id)
    JOIN snap.paragraphs p ON p.paragraph_id = a.paragraph_id
    WHERE {LIVE} AND n.origin = 'codebook' AND p.statement AND p.duplicate_of = ''
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
        todo = "Delete it and run `spotcheck take` again."
        raise StoreError(f"spot checks in {path}", got, todo) from error
