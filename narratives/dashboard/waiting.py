"""What was decided since the snapshot was built, what of it needs a build, and the build itself, in the sidebar."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from narratives.dashboard import cached_queries, roles, shell
from narratives.dashboard.builds import describe_progress, get_job_registry, make_build_command
from narratives.render import phrases

JOB_NAME = "the texts of the store"
_LINE_KEY = "waiting-line"  # the place of the numbers in the sidebar
_REFRESH_SECONDS = 1.0


def draw_waiting() -> None:
    """Draw the number of decisions and corrections since the build, and for editors a button to build."""
    st.session_state.pop(_LINE_KEY, None)
    if shell.is_store_empty() or shell.get_pinned_snapshot_id():
        return
    handle = shell.get_view().handle
    text, job = _count_waiting(handle), get_job_registry().get(Path(handle.store))
    if not (text or job):
        return
    with st.sidebar:
        if text:
            st.session_state[_LINE_KEY] = st.empty()
            st.session_state[_LINE_KEY].caption(text)
        if job is not None and job.names == (JOB_NAME,):
            if job.status() is None:
                _draw_progress(handle.store)
            elif job.status():
                _draw_failure(handle.store, job.messages)
            else:
                get_job_registry().dismiss(Path(handle.store))
        elif job is None and roles.get_user().may("editor"):
            st.button(
                "Build now", on_click=_start_build, args=(handle.store,), icon=":material/play_arrow:", key="build-now"
            )


def refresh_waiting(view: shell.View) -> None:
    """Count again, from a part of a page that is drawn alone; the first decision draws the page, with the button."""
    if shell.get_pinned_snapshot_id():
        return
    text, line = _count_waiting(view.handle), st.session_state.get(_LINE_KEY)
    if line is not None:
        line.caption(text)
    elif text:
        st.rerun()


def _count_waiting(handle: cached_queries.Handle) -> str:
    return describe_waiting(*cached_queries.count_since_build(handle))


def _draw_failure(store: str, messages: str) -> None:
    """Say that the build failed; why, and the button to forget it, are for those who may build."""
    if not roles.get_user().may("editor"):
        st.text("The build failed.")
        return
    st.text(f"The build failed. {shell.hide_folders(messages)}")
    st.button("Dismiss", on_click=_dismiss_build, args=(store,), key="forget-build")


def _dismiss_build(store: str) -> None:
    """Forget a build that failed (a button's callback)."""
    with shell.show_errors():
        roles.require("editor")
        get_job_registry().dismiss(Path(store))


def describe_waiting(decisions: int, edits: int) -> str:
    """Describe what happened since the build, and what a build is needed for. Pure."""
    parts = []
    if decisions:
        verb, them = ("counts", "it") if decisions == 1 else ("count", "them")
        counted = phrases.format_count(decisions, "decision")
        parts.append(f"{counted} since this snapshot {verb} already. A build also lets the matching learn from {them}.")
    if edits:
        counted = phrases.format_count(edits, "correction")
        parts.append(f"{counted} {'waits' if edits == 1 else 'wait'} for a build.")
    return " ".join(parts)


def _start_build(store: str) -> None:
    """Build again from what the store holds (a button's callback)."""
    with shell.show_errors():
        roles.require("editor")
        get_job_registry().start(Path(store), [make_build_command(Path(store), (), ())], [JOB_NAME])


@st.fragment(run_every=_REFRESH_SECONDS)
def _draw_progress(store: str) -> None:
    job = get_job_registry().get(Path(store))
    if job is None or job.status() is not None:
        st.rerun()
    part, stage = describe_progress(job, "waiting for another build")
    st.progress(part, f"Building. {stage}")
