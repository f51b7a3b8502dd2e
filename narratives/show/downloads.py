"""Files of what a page shows; filters, snapshot and caveat stand in every row, so that none is orphaned."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import pandas as pd
import pyarrow as pa

from narratives.model import Slice
from narratives.show import words
from narratives.store import Manifest, to_csv, write, written

# Columns of the pages' files, and what `written` calls them.
_FILTERS = {
    "filter_speaker": "speakers",
    "filter_outlet": "outlets",
    "filter_narrative": "narratives",
    "filter_voice": "voices",
    "filter_from": "date_from",
    "filter_to": "date_to",
    "filter_copies": "copies",
}


def paragraphs(
    frame: pd.DataFrame, s: Slice, manifest: Manifest, extra: Mapping[str, str], suffix: str
) -> bytes:
    """The evidence, one row a paragraph, as `.csv` (UTF-8 with BOM, formulas neutralised), `.jsonl` or
    `.parquet`: the same rows and columns in each. `extra` are the page's own controls.

    There may be 30,000 rows, so each says the caveat in short; Parquet also holds it once in full. With
    `filter_unassigned` rows are chosen without regard to the narrative filter, so none is named then.
    """
    s = replace(s, narratives=()) if extra.get("filter_unassigned") == "yes" else s
    context = _context(s, manifest)
    caveat = f"{manifest.notice}. {words.SHORT_CAVEAT}" if manifest.notice else words.SHORT_CAVEAT
    table = pa.Table.from_pandas(
        frame.assign(**extra, **{**context, "caveat": caveat}), preserve_index=False
    ).replace_schema_metadata(None)
    file = io.BytesIO()
    write(table, suffix, file, bom=True, about={**extra, **context})
    return file.getvalue()


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


def file_name(what: str, snapshot_id: str, suffix: str = ".csv") -> str:
    """The same with its ending."""
    return f"{stem(what, snapshot_id)}{suffix}"


def _context(s: Slice, manifest: Manifest) -> dict[str, str]:
    """The columns that say what a file is a slice of."""
    filters = written(s)
    return {
        **{column: filters[name] for column, name in _FILTERS.items()},
        "snapshot": manifest.snapshot_id,
        "caveat": f"{manifest.notice}. {words.CAVEAT}" if manifest.notice else words.CAVEAT,
    }
