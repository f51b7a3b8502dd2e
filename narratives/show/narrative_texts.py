"""The texts on one narrative's page: its definition, and paragraphs that advance it, letter by letter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd
import streamlit as st

from narratives.model import Slice
from narratives.show import data, frame, narrative_data, navigation, words
from narratives.show import narrative_words as said
from narratives.show.frame import View
from narratives.show.marks import records
from narratives.store.narrative_queries import Card

_FIRST = 3  # exemplars shown before the rest


def definition(view: View, card: Card) -> None:
    """What the narrative says: the codebook's words, or what a discovered candidate consists of."""
    names = data.names(view.handle)
    st.header(words.literal(names[card.narrative_id]), anchor=False)
    if card.origin == "discovered":
        _candidate(view, card, names)
        return
    st.markdown(words.literal(card.definition))
    with st.container(border=True):
        if not card.complete:
            st.caption(
                "This snapshot was built before includes, excludes and exemplars were kept with it; the next "
                "build will show them."
            )
        if card.includes or card.excludes:
            left, right = st.columns(2, gap="medium")
            _bullets(left, "Includes", card.includes)
            _bullets(right, "Excludes", card.excludes)
        _bullets(st, "Statements that advance it, such as", card.exemplars[:_FIRST])
        rest = len(card.exemplars) - _FIRST
        if rest > 0:
            with st.expander(f"{rest} more, and the cues"):
                _bullets(st, "", card.exemplars[_FIRST:])
                frame.note(f"Cues, strong evidence by themselves: {', '.join(card.phrases)}.")
        elif card.phrases:
            frame.note(f"Cues, strong evidence by themselves: {', '.join(card.phrases)}.")
        if card.exemplars:
            st.caption(
                "All wording here is the codebook's, written for it and not quoted from anybody; that a "
                "statement stands here says nothing about its truth."
            )


def _candidate(view: View, card: Card, names: Mapping[str, str]) -> None:
    """A discovered candidate: nobody has defined it; its name is a clause that others come near to."""
    st.markdown(
        "Discovered: nobody has defined it. Its name is a clause from one of the texts, to which paragraphs "
        "of several documents come near, and which no narrative of the codebook explains."
    )
    with st.container(border=True):
        frame.note(f"Distinctive phrases: {', '.join(card.phrases)}.")
        if card.nearest in names:
            link(view, f"Nearest in the codebook: {names[card.nearest]}", card.nearest)
        central = narrative_data.central(view.handle, card.narrative_id)["text"]
        _bullets(st, "Most central paragraphs", list(central))


def _bullets(place: object, title: str, texts: Sequence[str]) -> None:
    if len(texts):
        lines = [f"- {words.literal(' '.join(text.split()))}" for text in texts]
        place.markdown((f"**{title}**\n\n" if title else "") + "\n".join(lines))  # type: ignore[attr-defined]


def link(view: View, label: str, about: str) -> None:
    """A button that shows another narrative on this page."""
    st.button(
        words.literal(label),
        key=f"to-{about}",
        type="tertiary",
        icon=":material/arrow_forward:",
        on_click=navigation.turn_to,
        args=(navigation.NARRATIVE, view.slice),
        kwargs={navigation.ABOUT: about},
    )


def paragraphs(rows: pd.DataFrame, own: Slice, key: str) -> None:
    """Paragraphs in full with what decided, and a way to each of them in the evidence."""
    for number, row in enumerate(records(rows)):
        with st.container(border=True):
            parts = (said.day(row["date"]) or "undated", row["speaker"], words.VOICES.get(row["voice"], ""))
            top = " · ".join(filter(None, [*parts, row["outlet"], f"score {row['score']:.2f}"]))
            with st.container(horizontal=True, vertical_alignment="center"):
                st.caption(words.literal(top), width="stretch")
                st.button(
                    "Evidence",
                    key=f"{key}-{number}",
                    type="tertiary",
                    icon=":material/article:",
                    help="Show it among the paragraphs of its day",
                    on_click=navigation.show_evidence,
                    args=(_of(row, own),),
                )
            st.markdown(said.marked(row["text"], row["sentence"]))
            if row["exemplar"]:
                st.caption(f"Nearest exemplar of the codebook: {words.literal(row['exemplar'])}")


def _of(row: Mapping[str, str], s: Slice) -> Slice:
    """The slice of one paragraph's day, speaker and outlet."""
    s = replace(s, speakers=(row["speaker"],), outlets=(row["outlet"],))
    return replace(s, date_from=row["date"], date_to=row["date"]) if row["date"] else s
