"""One speaker's narratives over time: a small chart each, with what is too little for a share. Pure.

Frames have period, narrative_id, narrative, paragraphs, total_paragraphs, documents, share, share_low,
share_high and base_reason, a row a period; shares are NaN below the base.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from narratives.show import axes, periods, words
from narratives.show.charts import Figure
from narratives.show.colours import FAINT, GREY, rgba
from narratives.show.marks import FEW, Measure, Trace, records, wrapped

_LEFT, _HEIGHT = 36, 190


def top_of(frame: pd.DataFrame, measure: Measure) -> float:
    """The top of the common scale: every point is inside, and most intervals."""
    if measure == "count":
        return max(1.0, float(frame["paragraphs"].max())) * 1.15
    high, most = frame["share_high"].quantile(0.9), frame["share"].max()
    return min(1.0, 1.05 * max(float(high), float(most))) if most == most else 0.1


def over_time(
    rows: pd.DataFrame,
    speaker: str,
    colour: str,
    labels: Sequence[str],
    measure: Measure,
    top: float,
    enough: bool,
) -> Figure:
    """One narrative of one speaker: a dot with its 95 % interval a period, or a bar where counts are asked.

    Periods too thin for a share have a hollow mark on the ground line; `labels` are all periods of the axis.
    `enough` says whether there is enough text for a share over all periods, which then stands above.
    """
    entries = records(rows)
    hits, total = (
        sum(int(record[name]) for record in entries) for name in ("paragraphs", "total_paragraphs")
    )
    drawn = (
        [_bars(entries, colour)] if measure == "count" else [*_thin(entries), *_line(entries, colour, labels)]
    )
    for trace in drawn:
        trace["customdata"] = [{"speaker": speaker, **found} for found in trace["customdata"]]
    start, end = periods.bounds(labels[0])[0], periods.bounds(labels[-1])[1]
    years = sorted({label[:4] for label in labels})
    marks = years if len(years) > 1 else list(labels)
    marks = marks[:: -(-len(marks) // 6)]
    above = words.count(hits, "paragraph")
    if enough and total:
        above = f"{words.percent(hits / total)} · {above}"
    return {
        "data": drawn,
        "layout": {
            **axes.layout(_HEIGHT, {"l": _LEFT, "r": 10, "t": 58, "b": 22}),
            "xaxis": {
                "type": "date",
                "range": [start.isoformat(), end.isoformat()],
                "tickvals": [periods.middle(label).isoformat() for label in marks],
                "ticktext": [periods.in_words(label) for label in marks],
                "showgrid": False,
                "zeroline": False,
                "fixedrange": True,
                "tickfont": {"size": 11},
            },
            "yaxis": {
                "range": [-0.03 * top, top],
                "tickformat": ",d" if measure == "count" else ".0%" if top > 0.04 else ".1%",
                "nticks": 4,
                "showticklabels": measure == "count" or bool(rows["share"].notna().any()),
                "dtick": 1 if measure == "count" and top < 5 else None,
                "gridcolor": FAINT,
                "zeroline": True,
                "zerolinecolor": FAINT,
                "fixedrange": True,
                "tickfont": {"size": 11},
            },
            "annotations": [
                {
                    "text": f"<b>{wrapped(str(rows['narrative'].iloc[0]), 30, 2)}</b><br>{above}",
                    "font": {"size": 13},
                    "align": "left",
                    "showarrow": False,
                    **{"x": 0, "xref": "paper", "xanchor": "left", "xshift": -_LEFT},
                    **{"y": 1, "yref": "paper", "yanchor": "top", "yshift": 56},
                }
            ],
        },
    }


def summary(rows: pd.DataFrame) -> str:
    """A chart in a sentence, for those who cannot see it."""
    name, shown = rows["narrative"].iloc[0], rows[rows["share"].notna()]
    hits, total = int(rows["paragraphs"].sum()), int(rows["total_paragraphs"].sum())
    found = f"{name}: {hits:,} of {words.count(total, 'statement paragraph')}"
    if shown.empty:
        return f"{found}; no period has enough text for a share."
    ranked = shown.sort_values(["share", "period"])
    low, high = ranked.iloc[0], ranked.iloc[-1]
    return (
        f"{found}; {words.percent(low['share'])} in {periods.in_words(low['period'])} at the lowest, "
        f"{words.percent(high['share'])} in {periods.in_words(high['period'])} at the highest."
    )


def _line(records: Sequence[Mapping[str, Any]], colour: str, labels: Sequence[str]) -> list[Trace]:
    """Dots with intervals; a thin line joins neighbours, and breaks where a period has no share."""
    found = {record["period"]: record for record in records if record["share"] == record["share"]}
    shown = [found.get(label) for label in labels]
    return [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "x": [periods.middle(label).isoformat() for label in labels],
            "y": [one["share"] if one else None for one in shown],
            "connectgaps": False,
            "line": {"color": rgba(colour, 0.55), "width": 1.5},
            "marker": {"color": colour, "size": 7 if len(labels) <= FEW else 5},
            "error_y": {
                "type": "data",
                "symmetric": False,
                "array": [one["share_high"] - one["share"] if one else None for one in shown],
                "arrayminus": [one["share"] - one["share_low"] if one else None for one in shown],
                "color": rgba(colour, 0.4),
                "thickness": 3 if len(labels) <= FEW else 2,
                "width": 0,
            },
            "customdata": [
                {"narrative": one["narrative_id"], "period": label} if one else {}
                for one, label in zip(shown, labels, strict=True)
            ],
            "hovertemplate": [_hover(one) if one else "" for one in shown],
            "showlegend": False,
        }
    ]


def _thin(records: Sequence[Mapping[str, Any]]) -> list[Trace]:
    """Hollow marks for the periods that have text, but too little for a share."""
    thin = [record for record in records if record["share"] != record["share"]]
    if not thin:
        return []
    few = len(records) <= FEW
    return [
        {
            "type": "scatter",
            "mode": "markers+text" if few else "markers",
            "x": [periods.middle(record["period"]).isoformat() for record in thin],
            "y": [0] * len(thin),
            "text": [f"{int(record['paragraphs']):,}" for record in thin],
            "textposition": "top center",
            "textfont": {"size": 11},
            "cliponaxis": False,
            "marker": {"color": GREY, "symbol": "circle-open", "size": 6},
            "customdata": [
                {"narrative": record["narrative_id"], "period": record["period"]} for record in thin
            ],
            "hovertemplate": [_hover(record) for record in thin],
            "showlegend": False,
        }
    ]


def _bars(records: Sequence[Mapping[str, Any]], colour: str) -> Trace:
    days = [periods.bounds(record["period"]) for record in records]
    return {
        "type": "bar",
        "x": [periods.middle(record["period"]).isoformat() for record in records],
        "y": [int(record["paragraphs"]) for record in records],
        "width": [0.72 * 86_400_000 * ((end - start).days + 1) for start, end in days],
        "marker": {"color": rgba(colour, 0.75)},
        "customdata": [
            {"narrative": record["narrative_id"], "period": record["period"]} for record in records
        ],
        "hovertemplate": [_hover(record) for record in records],
        "showlegend": False,
    }


def _hover(record: Mapping[str, Any]) -> str:
    hits, total = int(record["paragraphs"]), int(record["total_paragraphs"])
    said = (
        f": {words.percent(record['share'])}"
        f"<br>95 % interval {record['share_low'] * 100:.1f}–{words.percent(record['share_high'])}"
        if record["share"] == record["share"]
        else f"<br>No share: {record['base_reason']}"
    )
    return (
        f"<b>{wrapped(str(record['narrative']), 40, 2)}</b><br>{periods.in_words(record['period'])}{said}"
        f"<br>{hits:,} of {words.count(total, 'statement paragraph')}"
        f"<br>in {words.count(int(record['documents']), 'document')}<extra></extra>"
    )
