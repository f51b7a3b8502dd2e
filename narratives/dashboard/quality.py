"""How well the matching agrees with reference labels, shown below the charts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from narratives.dashboard import cached_queries
from narratives.dashboard.cached_queries import Handle
from narratives.dashboard.shell import View
from narratives.measure import compute_precision
from narratives.model import QualityMetrics, SpotCheck
from narratives.render import phrases
from narratives.render.phrases import CORRECTION_METHODS

MEAN_LABEL, POOLED_LABEL = "Mean of the narratives", "All narratives together"
NOT_MEASURED = (
    "Matching quality: not measured for this snapshot. To measure it with labelled paragraphs in a file F, run "
    "`narratives evaluate --gold F`."
)
HOW_TO_READ = (
    "Precision: the share of matched paragraphs that advance the narrative according to the reference labels. "
    "Recall: the share of paragraphs that advance it that were matched. F1 combines the two; 1 is perfect. In "
    "brackets: the 95 % interval, from resampling documents. Labelled: the number of reference paragraphs that "
    "advance the narrative; if there are few, the figures are uncertain. Precision here, if shown: the share of "
    "correct assignments in a random sample of this snapshot that people checked."
)


def load_quality(handle: Handle) -> dict[str, QualityMetrics]:
    """Return the measured quality by narrative id, the mean under the empty id; empty if not measured."""
    evaluation = cached_queries.load_evaluation(handle)
    return {row.narrative_id: row for row in evaluation.shown} if evaluation else {}


def draw_quality_line(view: View, metrics: Mapping[str, QualityMetrics]) -> None:
    """Draw the mean quality of the matching and the labels it was measured with, or that it is unknown."""
    if checked := describe_spot_checks(view):
        st.caption(checked)
    if "" not in metrics:
        st.caption(NOT_MEASURED)
        return
    evaluation = cached_queries.load_evaluation(view.handle)
    pooled = bool(evaluation and evaluation.corpus)
    st.caption(f"{phrases.describe_agreement(metrics[''], pooled)} {describe_caveat(view)}")


def describe_caveat(view: View) -> str:
    """Return, as Markdown, the caveat that belongs to the measured quality."""
    evaluation = cached_queries.load_evaluation(view.handle)
    return phrases.escape_markdown(phrases.make_sentence(evaluation.caveat if evaluation else ""))


def draw_quality_details(view: View, metrics: Mapping[str, QualityMetrics]) -> None:
    """Draw a table of every narrative's quality, and how to read it."""
    if not metrics:
        return
    with st.expander("Measured quality of the matching"):
        st.caption(HOW_TO_READ)
        draw_quality_table(view, list(metrics.values()))


def draw_quality_table(view: View, rows: Sequence[QualityMetrics]) -> None:
    """Draw the quality of these narratives as a table, with the results of spot checks."""
    names, checks = cached_queries.get_narrative_names(view.handle), cached_queries.load_spot_checks(view.handle)
    evaluation = cached_queries.load_evaluation(view.handle)
    whole = POOLED_LABEL if evaluation and evaluation.corpus else MEAN_LABEL
    st.dataframe(build_quality_table(rows, names, checks, whole), hide_index=True, height="content")


def describe_spot_checks(view: View, narrative_id: str = "") -> str:
    """Describe the spot checks of one narrative, or of all, as Markdown; empty if there were none."""
    checks = cached_queries.load_checks(view.handle)
    rows = [row for row in checks.rows if narrative_id in ("", row.narrative_id)] if checks else []
    if not checks or not rows:
        return ""
    return f"Spot check: {phrases.escape_markdown(f'{format_spot_checks(rows)}. {checks.caveat}')}"


def describe_correction(handle: Handle, frame: pd.DataFrame) -> str:
    """Describe how the corrected shares of the frame were computed; empty if there are none."""
    methods = frame.loc[frame["corrected"].notna(), "correction"].unique()
    if not len(methods):
        return ""
    checks = cached_queries.load_checks(handle)
    description = "; ".join(CORRECTION_METHODS[method] for method in sorted(methods))
    return f"{phrases.make_sentence(description)} {checks.caveat if checks else ''}".strip()


def format_spot_checks(rows: Sequence[SpotCheck]) -> str:
    """Describe how many sampled assignments are correct, for one narrative or as a mean of several."""
    judged, advancing = sum(row.judged for row in rows), sum(row.advancing for row in rows)
    if len(rows) == 1:
        counts = f"{advancing:,} of {judged:,} randomly drawn assignments are correct"
        return f"{counts}; precision here: {_format_precision(rows[0])}"
    mean = sum(row.advancing / row.judged for row in rows) / len(rows)
    return (
        f"precision here, mean of {len(rows)} narratives: {mean:.2f} ({advancing:,} of {judged:,} "
        "assignments, drawn at random for each narrative, are correct)"
    )


def _format_precision(check: SpotCheck | None) -> str:
    return phrases.format_with_limits(*compute_precision(check)) if check else "–"


def build_quality_table(
    rows: Sequence[QualityMetrics],
    names: Mapping[str, str],
    checks: Mapping[str, SpotCheck] | None = None,
    whole: str = MEAN_LABEL,
) -> pd.DataFrame:
    """Return the columns Narrative, F1, Precision, Recall and Labelled; the whole first, then by name. Pure.

    With spot checks there is also a column Precision here.
    """
    ordered = sorted(rows, key=lambda row: (row.narrative_id != "", names.get(row.narrative_id, "")))
    return pd.DataFrame(
        {
            "Narrative": [names.get(r.narrative_id, r.narrative_id) or whole for r in ordered],
            "F1": [phrases.format_with_limits(r.f1, r.f1_low, r.f1_high) for r in ordered],
            "Precision": [phrases.format_with_limits(r.precision, r.precision_low, r.precision_high) for r in ordered],
            "Recall": [phrases.format_with_limits(r.recall, r.recall_low, r.recall_high) for r in ordered],
            "Labelled": [r.support for r in ordered],
            **({"Precision here": [_format_precision(checks.get(r.narrative_id)) for r in ordered]} if checks else {}),
        }
    )
