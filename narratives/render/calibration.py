"""How far scores are probabilities, and what thresholds do: diagrams, their tables and summaries in words. Pure."""

from __future__ import annotations

import math

import pandas as pd

from narratives.model.snapshot import Calibration
from narratives.render import phrases
from narratives.render.colours import GREY, PALETTE
from narratives.render.traces import (
    Figure,
    build_error_bars,
    build_layout,
    build_value_axis,
    build_vertical_line,
    to_records,
)

TITLE = "How far the scores are probabilities"
READING = (
    "Each point is a group of labelled pairs of a paragraph and a narrative with similar scores: right, their mean "
    "score; up, the share that advances the narrative according to the labels, with its 95 % interval. If the scores "
    "were exactly probabilities, all points would be on the dashed line. Labelled paragraphs count as often as the "
    "paragraphs of the corpus that they stand for, and were scored by a classifier that did not see their document."
)


def build_calibration_table(calibration: Calibration) -> pd.DataFrame:
    """Return one row for each group of pairs: score, share, share_low, share_high, pairs and weight."""
    columns = ["score", "share", "share_low", "share_high", "pairs", "weight"]
    return pd.DataFrame([[getattr(part, name) for name in columns] for part in calibration.bins], columns=columns)


def build_reliability_diagram(calibration: Calibration) -> Figure:
    """Draw the share that is confirmed against the score, with the line on which both are equal."""
    rows = to_records(build_calibration_table(calibration))
    line = {
        "type": "scatter",
        "mode": "lines",
        "x": [0, 1],
        "y": [0, 1],
        "line": {"color": GREY, "width": 1, "dash": "dash"},
        "hoverinfo": "skip",
    }
    points = {
        "type": "scatter",
        "mode": "lines+markers",
        "x": [row["score"] for row in rows],
        "y": [row["share"] for row in rows],
        "error_y": build_error_bars(rows, "share", PALETTE[0], 1.5, 3),
        "marker": {"color": PALETTE[0], "size": 9},
        "line": {"color": PALETTE[0], "width": 1.5},
        "hovertext": [
            f"<b>Score {phrases.format_percent(row['score'])}</b><br>{phrases.format_limits(row, 'share')} advance it"
            f"<br>{phrases.format_count(int(row['pairs']), 'labelled pair')}"
            for row in rows
        ],
        "hoverinfo": "text",
    }
    axes = {
        "xaxis": {**build_value_axis(0, 1, "share"), "title": {"text": "Mean score"}},
        "yaxis": {**build_value_axis(0, 1, "share"), "title": {"text": "Share that advances"}},
    }
    layout = build_layout(360, {"l": 60, "r": 20, "t": 10, "b": 50})
    return {"data": [line, points], "layout": {**layout, **axes}}


def describe_calibration(calibration: Calibration) -> str:
    """Describe the calibration errors, and how the expected number of paragraphs compares with the labels."""
    ratio = phrases.format_with_limits(calibration.ratio, calibration.ratio_low, calibration.ratio_high)
    above = phrases.format_with_limits(calibration.compute_error(0.1), math.nan, math.nan)
    return (
        f"Mean distance of score and share (calibration error): {calibration.compute_error():.3f} over all pairs, "
        f"{above} over pairs with a score above 0.1. Pairs that the labels confirm for each pair that the scores "
        f"predict: {ratio}."
    )


THRESHOLD_TITLE = "What another threshold would do"
THRESHOLD_READING = (
    "A paragraph is assigned to a narrative if its score reaches the threshold, the same for all narratives here. "
    "Precision: the share of assigned pairs that advance the narrative. Recall: the share of the pairs that advance it "
    "that are assigned. Both are for the whole corpus that the labelled paragraphs were drawn from. The vertical line "
    "is the threshold of most narratives in this snapshot. Choose another with `build --threshold`, or for one "
    "narrative with `threshold` in the codebook: a higher one for fewer errors, a lower one to miss less."
)


def build_threshold_table(calibration: Calibration) -> pd.DataFrame:
    """Return one row for each threshold: precision and recall with their limits."""
    measures = [f"{name}{limit}" for name in ("precision", "recall") for limit in ("", "_low", "_high")]
    columns = ["threshold", *measures]
    return pd.DataFrame([[getattr(part, name) for name in columns] for part in calibration.thresholds], columns=columns)


def build_threshold_chart(calibration: Calibration, threshold: float) -> Figure:
    """Draw precision and recall by threshold, with their intervals and a line at the `threshold` in use."""
    table = build_threshold_table(calibration)
    traces = []
    for name, colour, symbol in (("precision", PALETTE[0], "circle"), ("recall", PALETTE[1], "diamond")):
        rows = to_records(table.dropna(subset=[name, f"{name}_low"]))  # nothing may reach a high threshold
        trace = {
            "type": "scatter",
            "mode": "lines+markers",
            "name": name.capitalize(),
            "x": [row["threshold"] for row in rows],
            "y": [row[name] for row in rows],
            "error_y": build_error_bars(rows, name, colour, 1, 2),
            "marker": {"color": colour, "size": 7, "symbol": symbol},
            "line": {"color": colour, "width": 1.5},
            "hovertext": [
                f"<b>Threshold {row['threshold']:.2f}</b><br>{name.capitalize()} {phrases.format_limits(row, name)}"
                for row in rows
            ],
            "hoverinfo": "text",
        }
        traces.append(trace)
    axes = {
        "xaxis": {**build_value_axis(0, 1, "share"), "tickformat": ".1f", "title": {"text": "Threshold"}},
        "yaxis": {**build_value_axis(0, 1, "share"), "title": {"text": "Precision, recall"}},
    }
    layout = build_layout(360, {"l": 60, "r": 20, "t": 30, "b": 50})
    legend = {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"}
    lines = [build_vertical_line(threshold, GREY, "dash")]
    return {"data": traces, "layout": {**layout, **axes, "showlegend": True, "legend": legend, "shapes": lines}}


def describe_threshold(calibration: Calibration, threshold: float) -> str:
    """Describe precision and recall at the threshold in use, by the nearest one that was measured."""
    part = min(calibration.thresholds, key=lambda one: (abs(one.threshold - threshold), one.threshold))
    precision, recall = (
        phrases.format_with_limits(*(getattr(part, f"{name}{limit}") for limit in ("", "_low", "_high")))
        for name in ("precision", "recall")
    )
    return (
        f"The threshold of most narratives is {threshold:.2f}. At {part.threshold:.2f}, over all narratives, precision "
        f"is {precision} and recall {recall}."
    )
