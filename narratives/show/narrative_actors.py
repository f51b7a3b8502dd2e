"""Panels of one narrative's page: who advances it, who was first, and what stands beside it."""

from __future__ import annotations

import streamlit as st

from narratives.show import data, narrative_data, navigation, panel, words
from narratives.show import narrative_charts as rows_charts
from narratives.show import narrative_words as said
from narratives.show.frame import View
from narratives.show.marks import records
from narratives.show.narrative import About
from narratives.show.narrative_texts import link
from narratives.show.prevalence_panels import TABLE
from narratives.store.narrative_queries import Actor

MOST_ACTORS, MOST_COMPANY, MOST_NEAR = 12, 15, 3
_SHARES = ("share", "share_low", "share_high")
_COUNT = st.column_config.NumberColumn
_VOICES = {voice: _COUNT(name.capitalize(), format="localized") for voice, name in words.VOICES.items()}
_NOUN: dict[Actor, str] = {"speaker": "speaker", "outlet": "outlet"}


def actors(view: View, about: About, actor: Actor) -> None:
    """Who advances it, by voice; for outlets only where there are several."""
    rows = narrative_data.actors(view.handle, about.slice, about.id, actor)
    noun = _NOUN[actor]
    if actor == "outlet" and len(rows) == 1:
        st.caption(
            words.literal(f"All of it stands in one outlet: {rows['outlet'].iloc[0] or words.NOBODY}.")
        )
        return
    first = rows.head(MOST_ACTORS)
    voices = [voice for voice in words.VOICES if f"{voice}_voice" in rows]
    # How much of it is in which voice.
    by_voice = ", ".join(f"{words.VOICES[voice]} {int(rows[voice + '_voice'].sum()):,}" for voice in voices)
    named = [f"{row[actor] or words.NOBODY} {row['paragraphs']:,}" for row in records(first)]
    summary = f"Paragraphs by {noun}: {', '.join(named)}. By voice: {by_voice}."
    drawn = panel.Panel(
        key=f"narrative-{actor}s",
        title="Who advances it" if actor == "speaker" else "Which outlets",
        how=f"Paragraphs that advance it, by {noun} and voice ({by_voice}). At the end of a bar: how many, "
        f"and their share of all statement paragraphs of that {noun} in this slice, where there "
        f"are {about.base.documents} documents or more and {said.expected(about.base)} or more expected. "
        "To be quoted or retold is not to say it oneself, and those who speak more are longer in this list.",
        summary=summary,
        table=rows[
            [
                actor,
                *(f"{voice}_voice" for voice in voices),
                "paragraphs",
                "total_paragraphs",
                *_SHARES,
                "base_reason",
            ]
        ],
        slice=about.own,
        columns={
            actor: st.column_config.TextColumn(noun.capitalize()),
            **{f"{voice}_voice": _VOICES[voice] for voice in voices},
            **{key: TABLE[key] for key in ("paragraphs", "total_paragraphs", *_SHARES)},
            "base_reason": st.column_config.TextColumn("Why no share"),
        },
        link={navigation.ABOUT: about.id},
    )
    key = f"narrative-{actor}s"
    panel.show(view, drawn, lambda: [(key, rows_charts.actors(first, actor, about.id), summary)])
    if len(rows) > len(first):
        st.caption(f"The first {len(first)} of {words.count(len(rows), noun)}; the table has them all.")


def firsts(view: View, about: About, actor: Actor) -> None:
    """Who used it first and who followed, as far as the collected texts show; outlets only where several."""
    rows = narrative_data.firsts(view.handle, about.slice, about.id, actor)
    rows = rows[rows["actor"] != ""] if actor == "speaker" else rows
    dated = rows[rows["first"] != ""]
    if dated.empty or (actor == "outlet" and len(dated) == 1):
        return
    first = dated.head(MOST_ACTORS)
    coarse = int(rows["not_to_the_day"].sum())
    undated = f" {words.count(coarse, 'paragraph')} without an exact day left out." if coarse else ""
    since = narrative_data.earliest(view.handle, about.slice)
    summary = said.followed(dated)
    key = f"narrative-first-{actor}s"
    drawn = panel.Panel(
        key=key,
        title="First use, and who followed" if actor == "speaker" else "First use by outlet",
        how=f"{summary} {said.coverage(since)}{undated}",
        summary=summary,
        table=dated.drop(columns=["narrative_id"]),
        slice=about.own,
        columns={
            "actor": st.column_config.TextColumn(_NOUN[actor].capitalize()),
            "first": st.column_config.TextColumn("First use"),
            "days_after": _COUNT("Days after the first of all", format="localized"),
            "kth": st.column_config.TextColumn("Third use"),
            "uses": _COUNT("Paragraphs", format="localized"),
            "covered_from": st.column_config.TextColumn("Texts since"),
            "covered_before": st.column_config.CheckboxColumn("Covered before the first of all"),
        },
        link={navigation.ABOUT: about.id},
    )
    colour = narrative_data.colour(view.handle, about.id)
    panel.show(view, drawn, lambda: [(key, rows_charts.firsts(first, actor, about.id, colour), summary)])
    if len(dated) > len(first):
        st.caption(
            f"The first {len(first)} of {words.count(len(dated), _NOUN[actor])}; the table has them all."
        )


def company(view: View, about: About) -> None:
    """Which of the codebook's narratives stand in the same documents, against chance; those near to it."""
    rows = narrative_data.together(view.handle, about.slice, about.id)
    enough = rows[rows["base_ok"]].head(MOST_COMPANY)
    rare = rows[~rows["base_ok"] & (rows["both"] > 0)]
    documents = int(rows["total"].max()) if len(rows) else 0
    summary = " ".join(said.company(row) for row in records(enough))
    if enough.empty:
        st.subheader("What stands beside it", anchor=False)
        st.text(
            "No other narrative of the codebook stands in enough of the same documents to compare with "
            "chance."
        )
    else:
        drawn = panel.Panel(
            key="narrative-company",
            title="What stands beside it",
            how="How many times as often as by chance the codebook's other narratives stand in a document "
            f"that advances this one; {words.count(documents, 'document')} in this slice. Those with fewer "
            f"than {about.base.expected:g} documents with both, found or expected, are left out. One in "
            "twenty looks different by chance alone, and long documents hold more of everything. A click "
            "opens the paragraphs of both.",
            summary=summary,
            table=rows.drop(columns=["narrative_id", "base_ok"]),
            slice=about.own,
            columns={
                "narrative": TABLE["narrative"],
                "both": _COUNT("Documents with both", format="localized"),
                "b": _COUNT("With the other", format="localized"),
                "a": _COUNT("With this one", format="localized"),
                "lift": _COUNT("Times chance", format="%.2f"),
                "lift_low": _COUNT("95 % from", format="%.2f"),
                "lift_high": _COUNT("to", format="%.2f"),
                "shared": _COUNT("Paragraphs with both", format="localized"),
                "base_reason": st.column_config.TextColumn("Why none"),
            },
            extra={"unit": "document"},
            link={navigation.ABOUT: about.id},
        )
        figure = "narrative-company"
        panel.show(view, drawn, lambda: [(figure, rows_charts.company(enough, about.id), summary)])
    if len(rare):
        found = [f"{row['narrative']} ({row['both']})" for row in records(rare)]
        st.caption(words.literal(f"In too few documents to compare: {words.listing(found, 8)}."))
    shared = rows[rows["shared"] > 0].sort_values("shared", ascending=False, kind="stable")
    if len(shared):
        found = [f"{row['narrative']} ({row['shared']})" for row in records(shared)]
        st.caption(words.literal(f"In the very same paragraph: {words.listing(found, 6)}."))
    names = data.names(view.handle)
    for key in about.card.near[:MOST_NEAR]:
        link(view, f"Discovered, nearest to this one: {names[key]}", key)
