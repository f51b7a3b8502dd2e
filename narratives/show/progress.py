"""The state of a build that was started from the Sources page: how far it is, and how it ended."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import pandas as pd
import streamlit as st

from narratives.show import data, downloads, words
from narratives.show.jobs import NOTHING_READ, STOPPED, Job, jobs
from narratives.store import to_csv
from narratives.store.uploads import shown_path

SCROLL = "show-progress"  # in the session's state: bring the panel into view, once
_EVERY = 1.0  # seconds between two looks at a running build
# The button that starts a build stands at the end of a form that may be several screens long.
_TO_TOP = "<script>document.querySelector('[data-testid=stMain]')?.scrollTo({top: 0})</script>"


def panel(store: Path) -> None:
    """Draw the store's job: its progress while it runs, its report once it has ended."""
    job = jobs().of(store)
    if job is None:
        return
    if st.session_state.pop(SCROLL, False):
        st.html(_TO_TOP, unsafe_allow_javascript=True)
    if job.status() is None:
        _running(str(store))
    else:
        with st.container(border=True):
            _ended(store, job, job.status() or 0)


@st.fragment(run_every=_EVERY)
def _running(store: str) -> None:
    job = jobs().of(Path(store))
    if job is None or job.status() is not None:
        st.rerun()
    with st.container(border=True):
        st.subheader("Building", anchor=False)
        st.text(words.listing(job.names))
        stage, done, total = job.progress
        if job.waiting:
            stage, done, total = "Another build is at work in the same store; waiting for it", 0, 0
        counted = f": {done:,} of {total:,}" if total else ""
        st.progress(min(1.0, done / total) if total else 0.0, f"{stage[:1].upper()}{stage[1:]}{counted}")
        st.caption("You may leave or close this page: the build goes on, and this panel is here again.")
        if job.stopping:
            st.text("Stopping; this takes some seconds.")
        else:
            st.button("Cancel", on_click=job.stop, icon=":material/stop_circle:", key="cancel-build")


def _ended(store: Path, job: Job, status: int) -> None:
    if status == STOPPED:
        st.subheader("Build stopped", anchor=False)
        st.text(
            "Nothing is lost: the pages show the same snapshot as before, the files are kept, and going on "
            "takes up where it was."
        )
    elif status == 0:
        unchanged = all(report.get("unchanged") for report in job.reports)
        st.subheader("Nothing new in these files" if unchanged else "New snapshot", anchor=False)
        _counts(store, job)
    elif status == NOTHING_READ and job.reports:
        st.subheader("Nothing could be read", anchor=False)
    else:
        st.subheader("The build failed", anchor=False)
        st.text(job.said or f"It ended with status {status} and said nothing.")
    _notes(job)
    _rejected(job)
    _unused(job)
    with st.container(horizontal=True):
        if status == STOPPED or not job.reports:
            label = "Go on with the build" if status == STOPPED else "Try again"
            st.button(label, on_click=job.resume, type="primary", key="resume-build")
        leave = "Add more texts" if status == 0 else "Leave it"
        st.button(leave, on_click=jobs().dismiss, args=(store,), key="dismiss-build")


def _counts(store: Path, job: Job) -> None:
    """What the job's builds did, in words; the last one's snapshot is the one to see."""
    last: dict[str, Any] = job.reports[-1]
    counts: dict[str, int] = last.get("counts") or {}
    encoded, reused = (sum(int(r.get(k, 0)) for r in job.reports) for k in ("encoded", "reused"))  # type: ignore[call-overload]
    st.text(
        f"{words.count(int(counts.get('documents', 0)), 'document')} and "
        f"{words.count(int(counts.get('statements', 0)), 'statement paragraph')} are in the store now; "
        f"{words.count(encoded, 'text')} encoded, {reused:,} known already."
    )
    snapshot = str(last.get("snapshot", ""))
    st.text(f"Snapshot {snapshot}, built from {words.listing(job.names)}.")
    if data.store_path().resolve() != store.resolve():
        st.caption(f"This dashboard shows another store, because {data.ENVIRONMENT} names it.")


def _unused(job: Job) -> None:
    """The columns that nothing was read from."""
    for one in (one for report in job.reports for one in report.get("unused", [])):  # type: ignore[attr-defined]
        st.text(f"Columns not used in {shown_path(one['source_path'])}: {words.listing(one['columns'])}")


def _notes(job: Job) -> None:
    """What the builds found damaged in the store, and what they did about it."""
    for note in dict.fromkeys(note for report in job.reports for note in report.get("notes", [])):  # type: ignore[attr-defined]
        st.text(note)


def _rejected(job: Job) -> None:
    rows = [row for report in job.reports for row in report.get("rejected", [])]  # type: ignore[attr-defined]
    if not rows:
        return
    found = pd.DataFrame(rows)[["source_path", "row", "reason"]]
    found["source_path"] = found["source_path"].map(shown_path)
    st.text(
        f"{words.count(len(found), 'row or file') if len(found) == 1 else f'{len(found):,} rows or files'} "
        "rejected:"
    )
    columns = {
        "source_path": st.column_config.TextColumn("File", width="medium"),
        "row": st.column_config.NumberColumn("Row", width="small", help="0 is the whole file."),
        "reason": st.column_config.TextColumn("Reason", width="large"),
    }
    height: Literal["content"] | int = "content" if len(found) <= 6 else 248
    st.dataframe(found, column_config=columns, hide_index=True, height=height, key="job-rejected")
    st.download_button(
        "Rejected (CSV)",
        lambda: to_csv(found, bom=True),
        downloads.file_name("rejected-upload", "new"),
        "text/csv",
        on_click="ignore",
        type="tertiary",
        icon=":material/download:",
        key="csv-job-rejected",
    )
