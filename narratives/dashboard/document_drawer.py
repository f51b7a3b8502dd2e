"""A paragraph in its document: the text around it, and why it was matched with a narrative.

Texts and names are untrusted. They are shown literally, never as markup.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from html import escape
from itertools import groupby
from typing import Any

import pandas as pd
import streamlit as st

from narratives.dashboard import cached_queries, chart_panel, controls, corrections, shell, verdicts
from narratives.dashboard.shell import View
from narratives.model import MIN_STATEMENT_WORDS
from narratives.model.printable import remove_controls
from narratives.render import colours, phrases
from narratives.store.queries import evidence as evidence_queries

PARAGRAPH_PARAMETER = "open"  # the URL parameter with the id of the open paragraph
WHOLE_DOCUMENT_KEY = "whole-document"
CONTEXT_PARAGRAPHS = 4  # paragraphs before and after it that are shown at first
MAX_LISTED_COPIES = 5  # copies that are named one by one

Row = Mapping[Any, Any]  # a row of a frame, by column

_STYLE = """<style>
.chips { display: flex; flex-wrap: wrap; gap: .3rem; }
.chips > div { border: 1px solid; border-left-width: .6rem; border-radius: .3rem; padding: .05rem .5rem; }
.chips span { font-size: .85rem; }
.st-key-this-paragraph { border-left-width: .3rem; border-left-color: currentColor; }
</style>"""


@dataclass(frozen=True, slots=True)
class DrawerContent:
    """One document of the snapshot: its row, its paragraphs in order, and their matches with narratives."""

    about: pd.Series
    paragraphs: pd.DataFrame
    verdicts: pd.DataFrame


def open_paragraph(paragraph_id: str | None) -> None:
    """Open a paragraph, or close the drawer for None; at first only the paragraphs near it are shown."""
    st.session_state[PARAGRAPH_PARAMETER] = paragraph_id
    st.session_state[WHOLE_DOCUMENT_KEY] = False


def draw_drawer(view: View) -> None:
    """Show the paragraph of the URL or of the chosen row, in a drawer beside the page."""
    controls.bind_text(PARAGRAPH_PARAMETER, controls.LONGEST_ID)
    chosen = st.session_state.get(PARAGRAPH_PARAMETER)
    if not chosen:
        return
    if _load_content(view.handle, chosen) is None:
        st.warning("The paragraph in this link is not in this snapshot:")
        shell.draw_text(chosen)
        open_paragraph(None)
        return
    close = partial(open_paragraph, None)
    show = st.dialog("A paragraph in its document", width="medium", position="right", on_dismiss=close)
    show(_draw_content)(view)


@st.cache_data(max_entries=20, ttl=cached_queries.CACHE_SECONDS, show_spinner=False)
def _load_content(handle: cached_queries.Handle, paragraph_id: str) -> DrawerContent | None:
    snapshot = cached_queries.get_snapshot(handle)
    rows = evidence_queries.query_document(snapshot, paragraph_id)
    if rows.empty:
        return None
    about = rows.iloc[0]
    key = str(about["document_id"])
    return DrawerContent(
        about, evidence_queries.query_passages(snapshot, key), evidence_queries.query_assignments(snapshot, key)
    )


_load_copies = cached_queries.cache_query(evidence_queries.query_copies)


def _draw_content(view: View) -> None:
    """Draw the drawer's content, which reruns without the page while it is open."""
    with shell.show_errors():
        chosen = str(st.session_state.get(PARAGRAPH_PARAMETER) or "")
        document = _load_content(view.handle, chosen)
        if document is None:
            return
        st.html(_STYLE)
        rows = document.paragraphs
        at = int((rows["paragraph_id"] == chosen).to_numpy().argmax())
        _draw_heading(view, document)
        _draw_chosen_paragraph(view, document, rows.iloc[at].to_dict())
        st.markdown("#### The document")
        _draw_narratives(document)
        first, last = max(0, at - CONTEXT_PARAGRAPHS), min(len(rows), at + CONTEXT_PARAGRAPHS + 1)
        if first > 0 or last < len(rows):
            label = f"Show all {phrases.format_count(len(rows), 'paragraph')}"
            if st.toggle(label, key=WHOLE_DOCUMENT_KEY):
                first, last = 0, len(rows)
        _draw_omitted_count(first, "before")
        _draw_paragraphs(document, rows.iloc[first:last], chosen)
        _draw_omitted_count(len(rows) - last, "after")


def _draw_heading(view: View, document: DrawerContent) -> None:
    about = document.about
    st.markdown(f"**{phrases.escape_markdown(about['title'] or 'Untitled')}**")
    with st.container(horizontal=True, vertical_alignment="center"):
        paraphrased = about["text_kind"] == "paraphrase"
        kind = "a paraphrase, not the words of the source" if paraphrased else ""
        parts = [about["date"] or "undated", about["outlet"], kind]
        shell.draw_note(" · ".join(part for part in parts if part))
        if str(about["url"]).startswith(("http://", "https://")):
            st.link_button("Open the source", about["url"], icon=":material/open_in_new:", type="tertiary")
        chart_panel.draw_link_menu(view, "paragraph")


def _draw_narratives(document: DrawerContent) -> None:
    """Draw the narratives that the document advances, each with the number of its paragraphs."""
    live = document.verdicts[document.verdicts["status"] != "rejected"]
    if live.empty:
        return
    counted = live.groupby("narrative_id", sort=False)["paragraph_id"].nunique()
    once = live.drop_duplicates("narrative_id").sort_values("rank")
    names = once["narrative"] + " × " + once["narrative_id"].map(counted).astype(str)
    st.html(build_chips_html(once.assign(narrative=names)))


def _draw_omitted_count(number: int, where: str) -> None:
    if number:
        st.caption(f"… {phrases.format_count(number, 'paragraph')} {where}")


def _draw_paragraphs(document: DrawerContent, rows: pd.DataFrame, chosen: str) -> None:
    """Draw paragraphs that advance a narrative each in a box, and the text between them together."""
    live = document.verdicts[document.verdicts["status"] != "rejected"]
    matches = {str(key): group for key, group in live.groupby("paragraph_id")}

    def get_group(row: Row) -> tuple[str, str, str]:
        key = row["paragraph_id"]
        return (key if key == chosen or key in matches else "", row["kind"], describe_speaker(row))

    last_speaker = ""
    for (alone, kind, speaker), group in groupby(rows.to_dict("records"), key=get_group):
        texts = [row["text"] for row in group]
        heads = kind in ("title", "heading")
        if speaker != last_speaker and not heads:
            shell.draw_note(speaker)
            last_speaker = speaker
        if alone:
            _draw_marked_paragraph(alone, texts[0], matches.get(alone), alone == chosen)
        elif heads:
            st.markdown("\n\n".join(f"**{phrases.escape_markdown(text)}**" for text in texts))
        else:
            shell.draw_text("\n\n".join(texts))


def _draw_marked_paragraph(paragraph_id: str, text: str, matches: pd.DataFrame | None, chosen: bool) -> None:
    """Draw the open paragraph, or another that advances a narrative with a button to open it."""
    with st.container(border=True, key="this-paragraph" if chosen else f"marked-{paragraph_id}"):
        if chosen:
            st.caption("This paragraph")
        if matches is not None:
            st.html(build_chips_html(matches))
        shell.draw_text(text)
        if not chosen:
            _draw_open_button(paragraph_id, "Why it was matched")


def _draw_chosen_paragraph(view: View, document: DrawerContent, row: Row) -> None:
    """Draw the open paragraph, how its speaker is known, and why it was matched."""
    shell.draw_note(describe_speaker(row))
    shell.draw_text(row["text"])
    if row["speaker_method"]:
        shell.draw_note(f"Speaker identified by: {row['speaker_method']}.")
    if row["quoted_person"]:
        shell.draw_note(f"Quotes {row['quoted_person']}.")
    _draw_copies(view, row)
    matches = document.verdicts[document.verdicts["paragraph_id"] == row["paragraph_id"]]
    if matches.empty:
        st.caption(explain_exclusion(row) or "Advances no narrative.")
    for _, verdict in matches.iterrows():
        _draw_match(view, verdict)
    if row["statement"]:
        verdicts.draw_adding(view.handle, str(row["paragraph_id"]), {str(key) for key in matches["narrative_id"]})
    corrections.draw_corrections(view.handle, document.about.to_dict(), row)


def _draw_copies(view: View, row: Row) -> None:
    """Draw buttons that open the original of a copy, or the copies of an original."""
    if row["duplicate_of"]:
        st.caption("This is a copy. It repeats an earlier paragraph, exactly or nearly.")
        _draw_open_button(str(row["duplicate_of"]), "Open the original")
        return
    copies = _load_copies(view.handle, str(row["paragraph_id"]))
    if copies.empty:
        return
    st.caption(f"Repeated, exactly or nearly, by {phrases.format_count(len(copies), 'later paragraph')}.")
    for copy in copies.head(MAX_LISTED_COPIES).to_dict("records"):
        where = " · ".join(part for part in (copy["date"] or "undated", copy["outlet"]) if part)
        _draw_open_button(str(copy["paragraph_id"]), f"Open the copy: {phrases.escape_markdown(where)}")


def _draw_open_button(paragraph_id: str, label: str) -> None:
    if st.button(label, key=f"open-{paragraph_id}", type="tertiary", icon=":material/arrow_forward:"):
        open_paragraph(paragraph_id)
        st.rerun()


def _draw_match(view: View, verdict: pd.Series) -> None:
    """Draw why the paragraph was matched with one narrative."""
    with st.container(border=True):
        st.html(build_chips_html(verdict.to_frame().T))
        needed = phrases.describe_score(float(verdict["score"]), float(verdict["threshold"]))
        shell.draw_note(phrases.make_sentence(f"{needed}; {phrases.STATUS_PHRASES[verdict['status']]}"))
        if verdict["sentence"]:
            st.caption("The matching passage")
            shell.draw_text(verdict["sentence"])
        if verdict["exemplar"]:
            st.caption("The most similar statement of the codebook")
            shell.draw_text(verdict["exemplar"])
        elif verdict["origin"] == "discovered":
            st.caption("A discovered narrative. The whole paragraph is similar to its claim.")
        if verdict["origin"] == "codebook":
            status, ids = str(verdict["status"]), (str(verdict["paragraph_id"]), str(verdict["narrative_id"]))
            verdicts.draw_verdict_buttons(view.handle, *ids, status, "drawer")


def explain_exclusion(row: Row) -> str:
    """Explain why a paragraph is no statement paragraph and is not counted; empty if it is one. Pure."""
    if row["statement"]:
        return ""
    if row["voice"] == "question" or row["kind"] == "question":
        reason = "a question"
    elif row["kind"] != "body":
        reason = f"a {row['kind']}"
    elif row["words"] < MIN_STATEMENT_WORDS:
        reason = f"shorter than {MIN_STATEMENT_WORDS} words"
    else:
        reason = "a courtesy, a recurring line, or in a language that the model does not read"
    return f"Not counted: {reason}."


def describe_speaker(row: Row) -> str:
    """Describe speaker and voice. Pure."""
    if row["kind"] == "question":
        return f"{row['speaker']} · question" if row["speaker"] else "Question"
    voice = phrases.VOICE_LABELS.get(str(row["voice"]), str(row["voice"]))
    return f"{row['speaker']} · {voice}" if row["speaker"] else phrases.make_sentence(voice).rstrip(".")


def build_chips_html(narratives: pd.DataFrame) -> str:
    """Return the names of narratives as HTML, each with a border in its colour; names are escaped. Pure."""
    items = (
        f'<div role="listitem" style="border-color:{colours.resolve_colour(str(row["colour"]), int(row["rank"]))}">'
        f"<span>{escape(remove_controls(str(row['narrative'])))}</span></div>"
        for row in narratives.to_dict("records")
    )
    return f'<div class="chips" role="list">{"".join(items)}</div>'
