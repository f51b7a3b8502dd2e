"""Forms that correct the date, outlet or speaker of a paragraph in its document, for reviewers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import streamlit as st

from narratives.dashboard import cached_queries, roles, shell
from narratives.dashboard.cached_queries import Handle
from narratives.model import Edit, EditKind, UsageError, compute_text_key
from narratives.render import phrases
from narratives.workflows.corrections import parse_correction

_FORM = "correct"


def draw_corrections(handle: Handle, document: Mapping[Any, Any], row: Mapping[Any, Any]) -> None:
    """Draw what was corrected since the build, and a form for more; nothing for viewers and earlier snapshots."""
    if not shell.may_decide():
        return
    subjects = _list_subjects(document, row)
    log, known = cached_queries.get_log(handle), cached_queries.get_manifest(handle.built).edited
    for kind, subject in subjects.items():
        edit = log.current_edits(kind).get(subject)
        if edit and edit.edit_id > known:
            made = ", ".join(f"{name} {value or '(none)'}" for name, value in json.loads(edit.value).items())
            shell.draw_note(f"Corrected by {edit.who}, waits for a build: {made}.")
    with st.expander("Correct date, outlet or speaker"), st.form(_FORM, border=False):
        st.text_input("Date", document["date"], key=f"{_FORM}-date", help="2018, 2018-05 or 2018-05-31.")
        st.text_input("Outlet", document["outlet"], key=f"{_FORM}-outlet")
        st.text_input("Speaker of this paragraph", row["speaker"], key=f"{_FORM}-speaker")
        if row["speaker"]:
            st.text_input(
                f"Everywhere, {phrases.escape_markdown(row['speaker'])} is",
                row["speaker"],
                key=f"{_FORM}-name",
                help="To merge two spellings of a name, write the one that stays.",
            )
        st.text_input("Why", key=f"{_FORM}-why")
        if st.form_submit_button("Save the correction"):
            _save(handle, document, row)
            st.rerun()  # the whole page, not only the open document


def _list_subjects(document: Mapping[Any, Any], row: Mapping[Any, Any]) -> dict[EditKind, str]:
    key = str(document["document_id"])
    subjects: dict[EditKind, str] = {"document": key, "speaker": f"{key}/{compute_text_key(row['text'])}"}
    return {**subjects, "person": str(row["speaker"])} if row["speaker"] else subjects


def _save(handle: Handle, document: Mapping[Any, Any], row: Mapping[Any, Any]) -> None:
    """Save the fields that differ from the snapshot."""
    with shell.show_errors():
        user = roles.require("reviewer")
        given = {
            name: str(st.session_state.get(f"{_FORM}-{name}", "")).strip()
            for name in ("date", "outlet", "speaker", "name", "why")
        }
        changed: dict[EditKind, dict[str, str]] = {
            "document": {name: given[name] for name in ("date", "outlet") if given[name] != document[name]},
            "speaker": {"speaker": given["speaker"]} if given["speaker"] != row["speaker"] else {},
            "person": {"name": given["name"]} if row["speaker"] and given["name"] != row["speaker"] else {},
        }
        subjects, log = _list_subjects(document, row), cached_queries.get_log(handle)
        edits = [(kind, json.dumps(fields, ensure_ascii=False)) for kind, fields in changed.items() if fields]
        for kind, value in edits:
            if parse_correction(Edit(0, "", "", "", kind, subjects[kind], value)) is None:
                hint = "Write a date as 2018, 2018-05 or 2018-05-31, and a name that is not empty."
                raise UsageError(f"a {kind} that a build can use", value, hint)
        for kind, value in edits:
            log.edit(kind, subjects[kind], value, user.name, given["why"])
