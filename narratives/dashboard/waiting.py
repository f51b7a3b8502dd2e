"""What was decided since the snapshot was built, what of it needs a build, and the build itself, in the sidebar."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from narratives.dashboard import cached_queries, roles, shell
from narratives.dashboard.builds import describe_progress, get_job_registry, make_build_command
from narratives.render import phrases

JOB_NAME = "the texts of the store"
_REFRESH_SECONDS = 1.0


def draw_waiting() -> None:
    """Draw the number of decisions and corrections since the build, and for editors a button to build."""
    if shell.is_store_empty() or shell.get_pinned_snapshot_id():
        return
    handle = shell.get_view().handle
    manifest = cached_queries.get_manifest(handle.built)
    decisions, edits = cached_queries.get_log(handle).count_since(manifest.decided, manifest.edited)
    job = get_job_registry().get(Path(handle.store))
    if not (decisions or edits or job):
        return
    with st.sidebar:
        if text := describe_waiting(decisions, edits):
            st.caption(text)
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
