"""How well the matching agrees with reference labels, beside the charts that rest on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from narratives.dashboard import cached_queries
from narratives.dashboard.shell import View
from narratives.measure import compute_precision
from narratives.model import QualityMetrics, SpotCheck
from narratives.render import phrases
from narratives.render.narrative_phrases import CORRECTION_METHODS

MEAN_LABEL = "Mean of the narratives"
NOT_MEASURED = (
    "Matching quality: not measured for this snapshot. With labelled paragraphs in F, run "
    "`python -m narratives evaluate --gold F`."
)
HOW_TO_READ = (
    "Precision: of the paragraphs matched, how many the reference labels say advance it. Recall: of those "
    "that advance it, how many were matched. F1 combines the two; 1 is perfect. In brackets the 95 % "
    "interval, from drawing documents anew. Labelled: reference paragraphs that advance it; where they are "
    "few, the figures say little. Precision here, where it stands: of the assignments of this snapshot that "
    "were drawn at random and judged, how many hold."
)


def load_quality(view: View) -> dict[str, QualityMetrics]:
    """Measured quality by narrative id, the mean under the empty id; empty where nothing was measured."""
    rows = cached_queries.get_snapshot(view.handle).quality() or ()
    return {row.narrative_id: row for row in rows}


def draw_quality_line(view: View, found: Mapping[str, QualityMetrics]) -> None:
    """Below the charts: how good the matching is on average and by which labels, or that nobody knows."""
    if checked := describe_spot_checks(view):
        st.caption(checked)
    if "" not in found:
        st.caption(NOT_MEASURED)
        return
    caveat = phrases.make_sentence(cached_queries.get_snapshot(view.handle).quality_caveat())
    st.caption(f"{phrases.describe_agreement(found[''])} {phrases.escape_markdown(caveat)}")


def draw_quality_details(view: View, found: Mapping[str, QualityMetrics]) -> None:
    """The measures of every narrative in a table, and how to read them."""
    if not found:
        return
    with st.expander("Measured quality of the matching"):
        st.caption(HOW_TO_READ)
        draw_quality_table(view, list(found.values()))


def draw_quality_table(view: View, rows: Sequence[QualityMetrics]) -> None:
    """The measures of these narratives as a table, with what spot checks found of them."""
    shown = build_quality_table(
        rows, cached_queries.get_narrative_names(view.handle), cached_queries.load_spot_checks(view.handle)
    )
    st.dataframe(shown, hide_index=True, height="content")


def describe_spot_checks(view: View, narrative_id: str = "") -> str:
    """What spot checks found of one narrative, or of all, as Markdown; empty where there were none."""
    found = cached_queries.get_snapshot(view.handle).spot_checks()
    rows = [row for row in found.rows if narrative_id in ("", row.narrative_id)] if found else []
    if not found or not rows:
        return ""
    return f"Spot check: {phrases.escape_markdown(f'{format_spot_checks(rows)}. {found.caveat}')}"


def describe_correction(view: View, frame: pd.DataFrame) -> str:
    """How the corrected shares of the frame were come by, as sentences; empty where there are none."""
    methods = frame.loc[frame["corrected"].notna(), "correction"].unique()
    if not len(methods):
        return ""
    found = cached_queries.get_snapshot(view.handle).spot_checks()
    said = "; ".join(CORRECTION_METHODS[method] for method in sorted(methods))
    return f"{phrases.make_sentence(said)} {found.caveat if found else ''}".strip()


def format_spot_checks(rows: Sequence[SpotCheck]) -> str:
    """Of how many drawn assignments how many hold, and what share: of one narrative, or their mean."""
    judged, advancing = sum(row.judged for row in rows), sum(row.advancing for row in rows)
    if len(rows) == 1:
        said = f"of {judged:,} assignments drawn at random here {advancing:,} hold"
        return f"{said}; precision here: {_format_precision(rows[0])}"
    mean = sum(row.advancing / row.judged for row in rows) / len(rows)
    return (
        f"precision here, mean of {len(rows)} narratives: {mean:.2f} ({advancing:,} of {judged:,} "
        "assignments, drawn at random narrative by narrative, hold)"
    )


def _format_precision(check: SpotCheck | None) -> str:
    return phrases.format_with_limits(*compute_precision(check)) if check else "–"


def build_quality_table(
    rows: Sequence[QualityMetrics], names: Mapping[str, str], checks: Mapping[str, SpotCheck] | None = None
) -> pd.DataFrame:
    """Columns Narrative, F1, Precision, Recall and Labelled; the mean first, then by name. Pure.

    With spot checks a column Precision here as well.
    """
    ordered = sorted(rows, key=lambda row: (row.narrative_id != "", names.get(row.narrative_id, "")))
    return pd.DataFrame(
        {
            "Narrative": [names.get(r.narrative_id, r.narrative_id) or MEAN_LABEL for r in ordered],
            "F1": [phrases.format_with_limits(r.f1, r.f1_low, r.f1_high) for r in ordered],
            "Precision": [phrases.format_with_limits(r.precision, r.precision_low, r.precision_high) for r in ordered],
            "Recall": [phrases.format_with_limits(r.recall, r.recall_low, r.recall_high) for r in ordered],
            "Labelled": [r.support for r in ordered],
            **({"Precision here": [_format_precision(checks.get(r.narrative_id)) for r in ordered]} if checks else {}),
        }
    )
