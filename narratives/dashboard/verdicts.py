"""Confirming and rejecting an assignment where it stands, for reviewers."""

from __future__ import annotations

from collections.abc import Collection

import streamlit as st

from narratives.dashboard import cached_queries, roles, shell
from narratives.dashboard.cached_queries import Handle
from narratives.model import LabelledText, StoreError, Verdict
from narratives.store.queries import map as map_queries

REASON = "decided where it stands"


def draw_verdict_buttons(handle: Handle, paragraph_id: str, narrative_id: str, status: str, key: str) -> None:
    """Draw the buttons that confirm and reject one assignment; nothing for viewers and earlier snapshots."""
    if not shell.may_decide():
        return
    choices: tuple[tuple[str, Verdict, str, str], ...] = (
        ("Confirm", "accepted", ":material/check:", "confirmed"),
        ("Reject", "rejected", ":material/close:", "rejected"),
    )
    with st.container(horizontal=True):
        for label, verdict, icon, done in choices:
            name = f"{key}-{verdict}-{paragraph_id}-{narrative_id}"
            if status != done and st.button(label, key=name, icon=icon, type="tertiary"):
                record_verdict(handle, paragraph_id, narrative_id, verdict)
                st.rerun()  # the whole page, not only an open document


def draw_adding(handle: Handle, paragraph_id: str, present: Collection[str]) -> None:
    """Draw the list of narratives that can be added to a statement paragraph; nothing for viewers."""
    if not shell.may_decide():
        return
    names = get_codebook_names(handle.built, present)
    chosen = st.selectbox(
        "Add a narrative that it advances",
        list(names),
        index=None,
        format_func=names.__getitem__,
        placeholder="None",
        key=f"add-{paragraph_id}-{len(present)}",
    )
    if chosen:
        record_verdict(handle, paragraph_id, str(chosen), "accepted")
        st.rerun()


def record_verdict(handle: Handle, paragraph_id: str, narrative_id: str, verdict: Verdict) -> None:
    """Record the verdict in the decisions log; the text is that of the snapshot, not of the page."""
    with shell.show_errors():
        user = roles.require("reviewer")
        snapshot = cached_queries.get_snapshot(handle.built)
        rows = map_queries.query_paragraphs_by_id(snapshot, [paragraph_id])
        known = cached_queries.get_narrative_names(handle.built)
        if rows.empty or narrative_id not in known:
            got = f"{paragraph_id!r} and {narrative_id!r}"
            raise StoreError("a paragraph and a narrative of this snapshot", got, "Reload the page.")
        row = rows.iloc[0]
        text = LabelledText(0, str(row["text"]), str(row["document_id"]), {narrative_id: verdict})
        cached_queries.get_log(handle).add([text], user.name, REASON)


def get_codebook_names(handle: Handle, without: Collection[str]) -> dict[str, str]:
    """Return the names of the codebook's narratives by id, in codebook order, without some of them."""
    rows = cached_queries.load_options(handle).narratives
    named = zip(rows["narrative_id"], rows["name"], rows["origin"], strict=True)
    return {str(key): str(name) for key, name, origin in named if origin == "codebook" and key not in without}
