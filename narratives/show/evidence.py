"""The parts of the evidence page."""

from __future__ import annotations

import hashlib
import textwrap
from dataclasses import dataclass
from math import ceil

import pandas as pd
import streamlit as st

from narratives.model import Slice
from narratives.show import address, data, frame, words
from narratives.show.frame import View

PAGE_SIZE, ROW_HEIGHT, EXCERPT = 100, 66, 160
WHAT = "statement paragraph"
ONLY_UNCOVERED = "Only what no narrative covers"


@dataclass(frozen=True, slots=True)
class Asked:
    """What this page's own controls say."""

    text: str
    unassigned: bool


def controls() -> Asked:
    """Draw the search and the switch to what no narrative covers; both in the URL."""
    address.one("text")
    address.flag("unassigned")
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    with left:
        text = st.text_input(
            "Search in the text",
            key="text",
            icon=":material/search:",
            placeholder='words, or "an exact phrase"',
            help="All words must occur, in any order and any case.",
            max_chars=200,
        )
    with right:
        unassigned = st.toggle(ONLY_UNCOVERED, key="unassigned")
    return Asked((text or "").strip(), bool(unassigned))


def counted(view: View, asked: Asked, found: int) -> str:
    """How many paragraphs are shown, and of what."""
    names = data.names(view.handle)
    chosen = [names.get(key, key) for key in view.slice.narratives]
    verb = "advances" if found == 1 else "advance"
    advancing = f" that {verb} {words.listing(chosen, link='or')}" if chosen else ""
    if asked.unassigned:
        advancing = f" that {verb} no narrative"
    searched = f"{',' if advancing else ''} with “{asked.text}” in the text" if asked.text else ""
    span = words.years(view.slice)
    who = words.who(view.slice) + (f" dated {span}" if span else "")
    return (
        f"{words.count(found, 'statement paragraph')}{who}{advancing}{searched}; {words.copies(view.slice)}."
    )


def nothing(view: View, asked: Asked) -> None:
    """The empty state: what the search, the switch and each filter leave out."""

    def count(s: Slice, text: str = asked.text, unassigned: bool = asked.unassigned) -> int:
        return data.count_paragraphs(view.handle, s, text, unassigned)

    hints = []
    if asked.text:
        found = words.count(count(view.slice, text=""), WHAT)
        hints.append(f"Without the search for “{asked.text}”: {found}.")
    if asked.unassigned:
        found = words.count(count(view.slice, unassigned=False), WHAT)
        hints.append(f"Without “{ONLY_UNCOVERED.lower()}”: {found}.")
    frame.nothing(view, view.slice, count, WHAT, hints)


def paging(found: int) -> int:
    """Draw page numbers where one page is not enough; returns the offset of the page's first row."""
    pages = max(1, ceil(found / PAGE_SIZE))
    if pages == 1:
        return 0
    address.number("page", pages)
    page = st.pagination(pages, key="page")
    first = (page - 1) * PAGE_SIZE
    st.caption(f"Rows {first + 1:,} to {min(first + PAGE_SIZE, found):,} of {found:,}.")
    return first


def table(rows: pd.DataFrame, key: str) -> None:
    """One page of paragraphs; the chosen one stands in full below. `key` tells one table from another."""
    shown = rows.assign(
        url=rows["url"].where(rows["url"].str.match(r"https?://"), ""),
        voice=rows["voice"].map(words.VOICES).fillna(rows["voice"]),
        sure=["" if score != score else f"{score:.2f}" for score in rows["score"].astype("float64")],
        excerpt=rows["text"].map(lambda text: textwrap.shorten(text, EXCERPT, placeholder=" …")),
    )
    columns = {
        "date": st.column_config.TextColumn("Date", width=84),
        "speaker": st.column_config.TextColumn("Speaker", width=112),
        "excerpt": st.column_config.TextColumn("Paragraph", width=400),
        "narratives": st.column_config.TextColumn("Narratives", width=150),
        "sure": st.column_config.TextColumn("Score", width=56, help="How sure the match is, 0 to 1."),
        "url": st.column_config.LinkColumn("Source", display_text=r"https?://(?:www\.)?([^/]+)", width=116),
        "outlet": st.column_config.TextColumn("Outlet", width=110),
        "voice": st.column_config.TextColumn("Voice", width=110),
    }
    event = st.dataframe(
        shown,
        column_config=columns,
        column_order=list(columns),
        hide_index=True,
        row_height=ROW_HEIGHT,
        height=min(ROW_HEIGHT * 9, ROW_HEIGHT * len(shown)) + 38,
        on_select="rerun",
        selection_mode="single-row",
        key=f"rows-{hashlib.sha256(key.encode()).hexdigest()[:12]}",
    )
    chosen = event.selection.rows
    if chosen:
        _whole(shown.iloc[chosen[0]])


def _whole(row: pd.Series) -> None:
    """One paragraph in full. Texts come from anywhere: they are shown letter by letter, never as markup."""
    with st.container(border=True):
        said = " · ".join(
            part for part in (row["date"] or "undated", row["speaker"], row["voice"], row["outlet"]) if part
        )
        frame.note(said)
        if row["title"]:
            st.markdown(f"**{words.literal(row['title'])}**")
        st.text(row["text"])
        if row["narratives"]:
            frame.note(f"Advances: {row['narratives']} (score {row['score']:.3f})")
        if row["text_kind"] == "paraphrase":
            st.caption("A paraphrase, not the words of the source.")
        if row["url"]:
            st.link_button("Open the source", row["url"], icon=":material/open_in_new:")
