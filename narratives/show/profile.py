"""The second part of the page on speakers: one of them over time, and two side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pandas as pd
import streamlit as st

from narratives.show import (
    controls,
    data,
    panel,
    periods,
    profile_charts,
    speakers_charts,
    speakers_data,
    words,
)
from narratives.show.colours import PALETTE
from narratives.show.frame import View
from narratives.show.speakers import TABLE
from narratives.store.speakers_queries import Of

MOST_SMALL, MOST_OUTLETS, MOST_TOLD = 6, 8, 6
_OVER_TIME = {
    "period": st.column_config.TextColumn("Period"),
    **{key: column for key, column in TABLE.items() if key != "speaker"},
    "base_reason": st.column_config.TextColumn("No share because"),
}


def choose(key: str, label: str, names: Sequence[str], default: str, help: str = "") -> str:
    """Draw a box with one of these speakers in it; in the address as `key`."""
    return controls.box(label, key, {name: name for name in names}, default, help)


def chosen_one(view: View, names: Sequence[str]) -> str:
    """Whose profile is shown: by default the filter's first, else the one with most text in the snapshot."""
    usual = [name for name, _ in data.options(view.handle).speakers if name in set(names)]
    wanted = [name for name in view.slice.speakers if name in set(names)]
    return choose("profile", "Speaker to look at", names, [*wanted, *usual][0])


def profile(view: View, speaker: str) -> None:
    """Who the speaker is, in whose words and where we have the text, and the narratives over time."""
    mine = View(view.handle, replace(view.slice, speakers=(speaker,)))
    st.header(words.literal(speaker), anchor=False)
    found = speakers_data.amounts(mine.handle, mine.slice, "speaker").iloc[0]
    span = f", from {_day(found['first'])} to {_day(found['last'])}" if found["first"] else ""
    st.text(
        f"{words.count(int(found['paragraphs']), 'statement paragraph')} in "
        f"{words.count(int(found['documents']), 'document')}{span}. {roles(mine, speaker)}"
    )
    base = speakers_data.least(view.handle)
    enough = not speakers_data.too_little(int(found["paragraphs"]), int(found["documents"]), base)
    _over_time(mine, speaker, enough)
    _where_and_how(mine, speaker)


def roles(view: View, speaker: str) -> str:
    """The speaker's roles by date as the list of speakers has them, in a sentence."""
    table = speakers_data.roles(view.handle, speaker)
    if table.empty:
        return "The list of speakers names no role."
    said = []
    spans = table.astype("str").groupby(["start_day", "end_day"], sort=False)["title"].agg(" / ".join)
    for (start, end), titles in zip(spans.index, spans, strict=True):
        when = f"{_day(start)} to {_day(end)}" if start and end else ""
        when = when or (f"since {_day(start)}" if start else f"to {_day(end)}" if end else "dates not given")
        said.append(f"{titles} ({when})")
    return f"Roles: {'; '.join(said)}."


def _over_time(view: View, speaker: str, enough: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        measure = controls.measure()
        length = controls.period(
            "Auto chooses the shortest period that the amount of this speaker's text supports."
        )
    by = speakers_data.granularity(view.handle, view.slice) if length == "auto" else length
    s = replace(view.slice, by=by)
    rows = speakers_data.over_time(view.handle, s)
    hits = rows.groupby("narrative_id", sort=False)["paragraphs"].sum()
    most = hits[hits > 0].sort_values(ascending=False, kind="stable").head(MOST_SMALL).index.tolist()
    if not most:
        st.info(
            "No dated paragraph of this speaker advances any of these narratives.", icon=":material/info:"
        )
        return
    of_each = {key: rows[rows["narrative_id"] == key] for key in most}
    shown = pd.concat(of_each.values())
    labels = periods.between(shown["period"].min(), shown["period"].max())
    top = profile_charts.top_of(shown, measure)
    colours = data.colours(view.handle)
    summaries = {key: profile_charts.summary(found) for key, found in of_each.items()}
    base, totals = speakers_data.least(view.handle).period, data.totals(view.handle, s)
    placed = int(rows.drop_duplicates("period")["total_paragraphs"].sum())
    first, last = labels[0][:4], labels[-1][:4]
    what = "Share of" if measure == "share" else "Number among"
    how = [
        f"{what} {words.denominator(s, placed, first, last)}, by {periods.NOUN[by]}.",
        "The bars are 95 % intervals." if measure == "share" else "",
        f"A hollow mark, with the count, stands where there are fewer than {base.documents} documents or "
        f"fewer than {base.expected:g} paragraphs would be expected: too little for a share."
        if measure == "share" and (shown["base_reason"] != "").any()
        else "",
        f"The {len(most)} narratives that most paragraphs advance, on one scale." if len(most) > 1 else "",
        words.undated(totals.undated, s),
    ]

    def figures() -> panel.Figures:
        return [
            (
                f"profile-{key}",
                profile_charts.over_time(found, speaker, colours[key], labels, measure, top, enough),
                summaries[key],
            )
            for key, found in of_each.items()
        ]

    drawn = panel.Panel(
        key="profile",
        title="Over time",
        how=" ".join(filter(None, how)),
        summary=" ".join(summaries.values()),
        table=shown,
        slice=s,
        columns=_OVER_TIME,
        extra={"by": s.by},
    )
    panel.show(view, drawn, figures, least_width=228)


def _where_and_how(view: View, speaker: str) -> None:
    """In whose words, and by which outlets, the speaker's paragraphs came."""
    parts = []
    fields: tuple[tuple[Of, int], ...] = (("voice", len(words.VOICES)), ("outlet", MOST_OUTLETS))
    for field, most in fields:
        found = speakers_data.amounts(view.handle, view.slice, field)
        shown = found.head(most)
        label = [
            words.VOICES.get(value, value) if field == "voice" else value or words.NOBODY
            for value in shown[field]
        ]
        share = shown["paragraphs"] / found["paragraphs"].sum()
        part = shown.rename(columns={field: "value"}).assign(
            field=field, label=label, share=share, speaker=speaker
        )
        parts.append((part, len(found)))
    rows = pd.concat([part for part, _ in parts], ignore_index=True)
    more = parts[1][1] - len(parts[1][0])
    summary = "; ".join(f"{row.label}: {row.paragraphs:,}" for row in rows.itertuples()) + "."
    drawn = panel.Panel(
        key="voices",
        title="Voices and outlets",
        how=f"Statement paragraphs by voice, then by outlet, and their share of all of this speaker's; "
        f"{words.copies(view.slice)}. {words.VOICE_HELP}"
        + (f" {words.count(more, 'outlet')} with fewer paragraphs are not shown." if more > 0 else ""),
        summary=summary,
        table=rows,
        slice=view.slice,
        columns={
            "field": st.column_config.TextColumn("By"),
            "label": st.column_config.TextColumn("Voice or outlet"),
            **{key: TABLE[key] for key in ("paragraphs", "documents", "share")},
        },
    )
    panel.show(
        view, drawn, lambda: [("voices-chart", speakers_charts.where_and_how(rows, PALETTE[0]), summary)]
    )


def _day(iso: str) -> str:
    day = date.fromisoformat(iso)
    return f"{day.day} {day:%b %Y}"
