"""The last part of the page on speakers: two of them side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
import streamlit as st

from narratives.show import frame, pair_charts, panel, speakers_data, words
from narratives.show.frame import View
from narratives.show.profile import choose
from narratives.show.speakers import TABLE

MOST_TOLD = 6


def compare(view: View, speaker: str, names: Sequence[str]) -> None:
    """The speaker beside another: shares of every narrative, and by how much they differ."""
    st.header("Two speakers compared", anchor=False)
    others = [name for name in names if name != speaker]
    if not others:
        st.text("The filters leave no second speaker to compare with.")
        return
    other = choose("with", f"Compare {words.literal(speaker)} with", others, others[0])
    pair = (speaker, other)
    rows = speakers_data.of_pair(view.handle, view.slice, pair)
    table = speakers_data.differences(rows, pair)
    order = {key: i for i, key in enumerate(table["narrative_id"])}
    drawn_rows = rows.sort_values("narrative_id", key=lambda keys: keys.map(order), kind="stable")
    first = rows.drop_duplicates("speaker")
    columns = (first["speaker"], first["total_paragraphs"], first["documents"], first["base_reason"])
    amounts = {name: (int(n), int(d), str(why)) for name, n, d, why in zip(*columns, strict=True)}
    lacking = [f"{name} has {amounts[name][2]}: no share is shown." for name in pair if amounts[name][2]]
    each = " and ".join(
        f"{words.count(amounts[name][0], 'statement paragraph')} by {name} in "
        f"{words.count(amounts[name][1], 'document')}"
        for name in pair
    )
    s = replace(view.slice, speakers=pair)
    span = words.years(s)
    said = told(table, pair)
    drawn = panel.Panel(
        key="pair",
        title="Side by side",
        how=f"Share of {each}{f', dated {span}' if span else ''}; {words.copies(s)}. Bars are 95 % "
        "intervals, cut where they leave the chart; the narrative with the largest share comes first. "
        + " ".join(lacking),
        summary=" ".join(said),
        table=table,
        slice=s,
        columns=_pair_columns(pair),
    )
    panel.show(
        view,
        drawn,
        lambda: [("pair-chart", pair_charts.dumbbell(drawn_rows, pair), " ".join(said))],
    )
    st.text("\n".join(said))
    if not lacking:
        frame.note(
            "Differences are in percentage points with 95 % intervals (square-and-add of the two shares'). "
            f"With {words.count(len(table), 'narrative')}, about one interval in twenty misses the true "
            "difference by chance. A difference says nothing about why: speakers have different offices and "
            "occasions, and the texts collected of them differ."
        )


def told(table: pd.DataFrame, pair: tuple[str, str]) -> list[str]:
    """Where the two differ, largest difference first, in words. Pure."""
    known = table[table["difference"].notna()]
    if known.empty:
        return ["There is not enough text of both for a difference."]
    apart = known[(known["difference_low"] > 0) | (known["difference_high"] < 0)]
    order = apart["difference"].abs().sort_values(ascending=False, kind="stable").index
    measures = ["difference", "difference_low", "difference_high", "share_1", "share_2"]
    largest = apart.loc[order].head(MOST_TOLD)
    lines = [
        f"{name}: {pair[0]} {words.percent(mine)}, {pair[1]} {words.percent(theirs)}; differs by "
        f"{_points(gap)} points (95 % {_points(low)} to {_points(high)})."
        for name, (gap, low, high, mine, theirs) in zip(
            largest["narrative"], largest[measures].to_numpy(), strict=True
        )
    ]
    same = len(known) - len(apart)
    more = len(apart) - len(lines)
    if more > 0:
        lines.append(f"{words.count(more, 'further narrative')} differ by less; the table has them.")
    if same:
        of = "the other " if len(apart) else "all " if same > 1 else ""
        lines.append(
            f"For {of}{words.count(same, 'narrative')} the interval of the difference holds 0: the texts do "
            "not tell the two apart."
        )
    return lines


def _points(share: float) -> str:
    return f"{share * 100:+.1f}".replace("-", "−")


def _pair_columns(pair: Sequence[str]) -> dict[str, object]:
    """Columns of the table of two; numbered rather than named, since names may be long."""
    columns: dict[str, object] = {"narrative": TABLE["narrative"]}
    for n, name in enumerate(pair, 1):
        shown = {"paragraphs": "count", "total_paragraphs": "of", "share": "share"}
        for key, label in shown.items():
            form = "percent" if key == "share" else "localized"
            columns[f"{key}_{n}"] = st.column_config.NumberColumn(f"{name}: {label}", format=form)
    for key, label in (("", "Difference"), ("_low", "95 % from"), ("_high", "to")):
        columns[f"difference{key}"] = st.column_config.NumberColumn(label, format="percent")
    return columns
