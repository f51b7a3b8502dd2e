"""Charts of speakers: a frame in, a plain Plotly figure out. Pure.

Frames have the columns speaker, narrative_id, narrative, paragraphs, total_paragraphs, documents, share,
share_low, share_high and base_reason, as `speakers_data` makes them; shares are NaN below the base.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from narratives.show import words
from narratives.show.axes import SMALL, layout, names_axis
from narratives.show.charts import Figure
from narratives.show.colours import rgba
from narratives.show.marks import Trace, records, wrapped

# Classes of shares: none, then up to each of these, then more. They are the same whatever is filtered, so
# that a colour always means the same share.
EDGES = (0.01, 0.03, 0.10, 0.30)
CLASSES = ("0", "≤ 1", "≤ 3", "≤ 10", "≤ 30", "> 30 %")
# One hue from the page's own ground to full: in order for every kind of sight, and in grey. Plotly writes
# #444 on the bright and white on the dark ones: every step bears its numbers.
LIGHT = ("#f3f1ec", "#c9deea", "#8fbdd6", "#2f7aa8", "#1c5b82", "#0c2f47")
DARK = ("#1e2329", "#1f4157", "#28648a", "#3778a0", "#86bfdd", "#d8edf8")
ROW = 34  # pixels
FEW = 8  # speakers, up to which a column is wide enough for two lines of a name, even on a phone


def heatmap(frame: pd.DataFrame, dark: bool) -> Figure:
    """Narratives by speakers, both in the order of the frame: colour and number are the share in percent.

    A heatmap's cells cannot be chosen by a click, so an unseen mark stands in the middle of each.
    """
    speakers = list(dict.fromkeys(frame["speaker"]))
    names = dict(zip(frame["narrative_id"], frame["narrative"], strict=True))
    table = frame.pivot(index="narrative_id", columns="speaker", values="share")
    share = table.loc[list(names), speakers].to_numpy(np.float64)
    classes = np.where(share > 0, 1 + np.searchsorted(EDGES, share, side="left"), 0).astype(float)
    colours = DARK if dark else LIGHT
    steps = [(i / len(colours), c) for i, c in enumerate(colours)]
    ends = [((i + 1) / len(colours), c) for i, c in enumerate(colours)]
    cells: Trace = {
        "type": "heatmap",
        "z": classes.tolist(),
        "text": [[f"{one * 100:.1f}" if one > 0 else "0" for one in row] for row in share],
        "texttemplate": "%{text}",
        "hoverinfo": "skip",
        "zmin": -0.5,
        "zmax": len(colours) - 0.5,
        "colorscale": [list(step) for pair in zip(steps, ends, strict=True) for step in pair],
        "xgap": 1,
        "ygap": 1,
        "colorbar": {
            "orientation": "h",
            "thickness": 10,
            "len": 1,
            "x": 0.5,
            "y": 0,
            "yanchor": "top",
            "ypad": 8,
            "outlinewidth": 0,
            "tickvals": list(range(len(CLASSES))),
            "ticktext": list(CLASSES),
            "tickangle": 0,
            "tickfont": {"size": SMALL},
        },
    }
    row_of = {key: i for i, key in enumerate(names)}
    column_of = {name: i for i, name in enumerate(speakers)}
    rows = records(frame)
    targets: Trace = {
        "type": "scatter",
        "mode": "markers",
        "x": [column_of[record["speaker"]] for record in rows],
        "y": [row_of[record["narrative_id"]] for record in rows],
        "marker": {"symbol": "square", "size": 20, "opacity": 0},
        "selected": {"marker": {"opacity": 0}},
        "unselected": {"marker": {"opacity": 0}},
        "customdata": [target(record) for record in rows],
        "hovertemplate": [hover(record) for record in rows],
        "showlegend": False,
    }
    drawn = layout(ROW * len(names) + 150, {"l": 8, "r": 8, "t": 8, "b": 44})
    drawn["hoverdistance"] = -1  # the nearest mark counts wherever in its cell one points
    drawn["xaxis"] = {
        **names_axis([wrapped(name, *((14, 2) if len(speakers) <= FEW else (24, 1))) for name in speakers]),
        "side": "top",
        "autotickangles": [0, -90],
        "range": [-0.5, len(speakers) - 0.5],
    }
    drawn["yaxis"] = {
        **names_axis([wrapped(name, 19, 2) for name in names.values()]),
        "range": [len(names) - 0.5, -0.5],
    }
    return {"data": [cells, targets], "layout": drawn}


def where_and_how(frame: pd.DataFrame, colour: str) -> Figure:
    """Bars of a speaker's paragraphs by voice and by outlet.

    `frame` has field ("voice" or "outlet"), value, label, paragraphs and share, voices first. An empty row
    parts the two.
    """
    at: list[int] = []
    for i, field in enumerate(frame["field"]):
        parted = i > 0 and field != frame["field"].iloc[i - 1]
        at.append((at[-1] + 1 + parted) if at else 0)
    rows = records(frame)
    bars: Trace = {
        "type": "bar",
        "orientation": "h",
        "x": [int(record["paragraphs"]) for record in rows],
        "y": at,
        "width": 0.62,
        "marker": {"color": rgba(colour, 0.75)},
        "customdata": [{"speaker": record["speaker"], record["field"]: record["value"]} for record in rows],
        "hovertemplate": [
            f"<b>{wrapped(record['label'], 40, 2)}</b>"
            f"<br>{words.count(int(record['paragraphs']), 'statement paragraph')}"
            f"<br>in {words.count(int(record['documents']), 'document')}<extra></extra>"
            for record in rows
        ],
        "showlegend": False,
    }
    drawn = layout(26 * (at[-1] + 1) + 20, {"l": 8, "r": 92, "t": 6, "b": 6})
    drawn["annotations"] = [
        {
            "text": f"{int(record['paragraphs']):,} · {words.percent(record['share'])}",
            "x": int(record["paragraphs"]),
            "y": place,
            "xanchor": "left",
            "xshift": 3,
            "showarrow": False,
            "font": {"size": SMALL},
        }
        for record, place in zip(rows, at, strict=True)
    ]
    drawn["xaxis"] = {"visible": False, "fixedrange": True, "rangemode": "tozero"}
    drawn["yaxis"] = {
        **names_axis([wrapped(record["label"], 24, 1) for record in rows]),
        "tickvals": at,
        "range": [at[-1] + 0.6, -0.6],
        "showgrid": False,
    }
    return {"data": [bars], "layout": drawn}


def target(record: Mapping[str, Any]) -> dict[str, str]:
    """What a click on a speaker's narrative leads to."""
    return {"speaker": record["speaker"], "narrative": record["narrative_id"]}


def hover(record: Mapping[str, Any]) -> str:
    """A speaker's narrative in a few lines: share, interval, counts, or why there is no share."""
    hits, total = int(record["paragraphs"]), int(record["total_paragraphs"])
    share = record["share"]
    limits = (
        f"<br>95 % interval {record['share_low'] * 100:.1f}–{words.percent(record['share_high'])}"
        if share == share
        else f"<br>No share: {record['base_reason']}"
    )
    return (
        f"<b>{wrapped(record['speaker'], 40, 2)}</b><br>{wrapped(record['narrative'], 40, 2)}: "
        f"{words.percent(share)}{limits}"
        f"<br>{hits:,} of {words.count(total, 'statement paragraph')}"
        f"<br>in {words.count(int(record['documents']), 'document')}<extra></extra>"
    )
