"""CSV of what a page shows; filters, snapshot and caveat stand in every row, so that no file is orphaned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import pandas as pd

from narratives.model import Slice
from narratives.show import words
from narratives.store import Manifest, to_csv


def prevalence_csv(frame: pd.DataFrame, s: Slice, manifest: Manifest, denominator: str) -> bytes:
    """The charts' numbers, one row a period and narrative, as UTF-8 with BOM; formulas are neutralised."""
    columns = ["period", "narrative_id", "narrative", "origin", "paragraphs", "total_paragraphs"]
    shown = frame[[*columns, "share", "share_low", "share_high"]]
    extra = {"unit": s.unit, "by": s.by, "denominator": denominator, **_context(s, manifest)}
    return to_csv(shown.assign(**extra), bom=True)


def paragraphs_csv(frame: pd.DataFrame, s: Slice, manifest: Manifest, search: str, unassigned: bool) -> bytes:
    """The evidence, one row a paragraph, as UTF-8 with BOM; formulas are neutralised.

    What no narrative covers is chosen without regard to the narrative filter, so none is named then.
    """
    s = replace(s, narratives=()) if unassigned else s
    extra = {"filter_text": search, "filter_unassigned": "yes" if unassigned else "no"}
    return to_csv(frame.assign(**extra, **_context(s, manifest)), bom=True)


def table_csv(
    frame: pd.DataFrame,
    s: Slice,
    manifest: Manifest,
    denominator: str,
    extra: Mapping[str, str] = MappingProxyType({}),
) -> bytes:
    """The numbers of a chart, as UTF-8 with BOM; formulas are neutralised. `extra` are further columns."""
    context = {"denominator": denominator, "unit": s.unit, **extra, **_context(s, manifest)}
    return to_csv(frame.assign(**context), bom=True)


def stem(what: str, snapshot_id: str) -> str:
    """What a browser should save it as, without the ending."""
    return f"narratives-{what}-{snapshot_id}"


def file_name(what: str, snapshot_id: str) -> str:
    """The same for CSV."""
    return f"{stem(what, snapshot_id)}.csv"


def _context(s: Slice, manifest: Manifest) -> dict[str, str]:
    """The columns that say what a file is a slice of."""
    return {
        "filter_speaker": "; ".join(name or words.NOBODY for name in s.speakers),
        "filter_outlet": "; ".join(name or words.NOBODY for name in s.outlets),
        "filter_narrative": "; ".join(s.narratives),
        "filter_voice": "; ".join(s.voices),
        "filter_from": s.date_from,
        "filter_to": s.date_to,
        "filter_copies": s.copies,
        "snapshot": manifest.snapshot_id,
        "caveat": f"{manifest.notice}. {words.CAVEAT}" if manifest.notice else words.CAVEAT,
    }
