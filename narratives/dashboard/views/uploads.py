"""The state of a build that was started from the Sources page: how far it is, and how it ended."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import streamlit as st

from narratives.dashboard import cached_queries
from narratives.dashboard.builds import (
    EXIT_NOTHING_READ,
    EXIT_STOPPED,
    ROOT,
    BuildJob,
    get_job_registry,
    make_build_command,
)
from narratives.dashboard.components import chart_panel
from narratives.model import ReadError, Rejected
from narratives.render import phrases
from narratives.store import frame_to_csv
from narratives.store.inputs import ARCHIVE_SUFFIX, MANIFEST_NAME, Upload, format_source_path, save_upload
from narratives.workflows import preview

SCROLL_KEY = "show-progress"  # in the session's state: bring the panel into view, once
_REFRESH_SECONDS = 1.0  # seconds between two looks at a running build
# The button that starts a build stands at the end of a form that may be several screens long.
_SCROLL_SCRIPT = "<script>document.querySelector('[data-testid=stMain]')?.scrollTo({top: 0})</script>"


def draw_job(store: Path) -> None:
    """Draw the store's job: its progress while it runs, its report once it has ended."""
    job = get_job_registry().of(store)
    if job is None:
        return
    if st.session_state.pop(SCROLL_KEY, False):
        st.html(_SCROLL_SCRIPT, unsafe_allow_javascript=True)
    if job.status() is None:
        _draw_running_job(str(store))
    else:
        with st.container(border=True):
            _draw_ended_job(store, job, job.status() or 0)


@st.fragment(run_every=_REFRESH_SECONDS)
def _draw_running_job(store: str) -> None:
    job = get_job_registry().of(Path(store))
    if job is None or job.status() is not None:
        st.rerun()
    with st.container(border=True):
        st.subheader("Building", anchor=False)
        st.text(phrases.format_list(job.names))
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


def _draw_ended_job(store: Path, job: BuildJob, status: int) -> None:
    if status == EXIT_STOPPED:
        st.subheader("Build stopped", anchor=False)
        st.text(
            "Nothing is lost: the pages show the same snapshot as before, the files are kept, and going on "
            "takes up where it was."
        )
    elif status == 0:
        unchanged = all(report.get("unchanged") for report in job.reports)
        st.subheader("Nothing new in these files" if unchanged else "New snapshot", anchor=False)
        _draw_counts(store, job)
    elif status == EXIT_NOTHING_READ and job.reports:
        st.subheader("Nothing could be read", anchor=False)
    else:
        st.subheader("The build failed", anchor=False)
        st.text(job.said or f"It ended with status {status} and said nothing.")
    _notes(job)
    _draw_rejected(job)
    _unused(job)
    with st.container(horizontal=True):
        if status == EXIT_STOPPED or not job.reports:
            label = "Go on with the build" if status == EXIT_STOPPED else "Try again"
            st.button(label, on_click=job.resume, type="primary", key="resume-build")
        leave = "Add more texts" if status == 0 else "Leave it"
        st.button(leave, on_click=get_job_registry().dismiss, args=(store,), key="dismiss-build")


def _draw_counts(store: Path, job: BuildJob) -> None:
    """What the job's builds did, in words; the last one's snapshot is the one to see."""
    last: dict[str, Any] = job.reports[-1]
    counts: dict[str, int] = last.get("counts") or {}
    encoded, reused = (sum(int(r.get(k, 0)) for r in job.reports) for k in ("encoded", "reused"))  # type: ignore[call-overload]
    st.text(
        f"{phrases.format_count(int(counts.get('documents', 0)), 'document')} and "
        f"{phrases.format_count(int(counts.get('statements', 0)), 'statement paragraph')} are in the store now; "
        f"{phrases.format_count(encoded, 'text')} encoded, {reused:,} known already."
    )
    snapshot = str(last.get("snapshot", ""))
    st.text(f"Snapshot {snapshot}, built from {phrases.format_list(job.names)}.")
    if cached_queries.find_store_path().resolve() != store.resolve():
        st.caption(f"This dashboard shows another store, because {cached_queries.STORE_VARIABLE} names it.")


def _unused(job: BuildJob) -> None:
    """The columns that nothing was read from."""
    for one in (one for report in job.reports for one in report.get("unused", [])):  # type: ignore[attr-defined]
        st.text(f"Columns not used in {format_source_path(one['source_path'])}: {phrases.format_list(one['columns'])}")


def _notes(job: BuildJob) -> None:
    """What the builds found damaged in the store, and what they did about it."""
    for note in dict.fromkeys(note for report in job.reports for note in report.get("notes", [])):  # type: ignore[attr-defined]
        st.text(note)


def _draw_rejected(job: BuildJob) -> None:
    rows = [row for report in job.reports for row in report.get("rejected", [])]  # type: ignore[attr-defined]
    if not rows:
        return
    found = pd.DataFrame(rows)[["source_path", "row", "reason"]]
    found["source_path"] = found["source_path"].map(format_source_path)
    st.text(
        f"{phrases.format_count(len(found), 'row or file') if len(found) == 1 else f'{len(found):,} rows or files'} "
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
        lambda: frame_to_csv(found, bom=True),
        chart_panel.build_file_name("rejected-upload", "new"),
        "text/csv",
        on_click="ignore",
        type="tertiary",
        icon=":material/download:",
        key="csv-job-rejected",
    )


READ_ONLY_VARIABLE = "NARRATIVES_READ_ONLY"
MAX_TABLE_GROUPS = 6  # kinds of tables whose columns are asked for; further ones go by their names
_FIELD_LABELS = {
    "text": "Text (needed)",
    "date": "Date",
    "speaker": "Speaker",
    "outlet": "Outlet",
    "title": "Title",
    "url": "Address (URL)",
    "id": "Id",
}
_NO_COLUMN = ""


@dataclass(frozen=True, slots=True)
class TableGroup:
    """Tables of the same columns: they share one column map."""

    columns: tuple[str, ...]
    files: tuple[Path, ...]

    @property
    def key(self) -> str:
        """A short name for the widgets of this kind."""
        return hashlib.sha256("\n".join(self.columns).encode()).hexdigest()[:10]


def is_read_only() -> bool:
    """Whether the environment forbids adding texts from the dashboard."""
    return os.environ.get(READ_ONLY_VARIABLE, "0").strip().lower() not in ("", "0", "no", "false")


def get_target_store() -> Path:
    """The store that uploads go to: the one shown, but the own one where that is the sample."""
    shown = cached_queries.find_store_path()
    return cached_queries.OWN_STORE if shown.resolve() == cached_queries.SAMPLE_STORE.resolve() else shown


def draw_uploads(opened: bool = False) -> None:
    """Draw the state of a build that was started here, or else the way to start one, closed or `opened`."""
    if is_read_only():
        return
    store = get_target_store()
    if get_job_registry().of(store) is not None:
        draw_job(store)
        return
    with st.expander("Add texts: CSV, JSONL, HTML, text or zip files", icon=":material/upload_file:", expanded=opened):
        _draw_form(store)


@st.fragment
def _draw_form(store: Path) -> None:
    if store.resolve() != cached_queries.find_store_path().resolve():
        st.info(
            "What you see is the sample. Your texts go into a store of your own (`./store`), which the "
            "dashboard then shows instead; the two never mix.",
            icon=":material/info:",
        )
    turn = st.session_state.setdefault("upload-turn", 0)
    files = st.file_uploader(
        "Files",
        type=[extension.lstrip(".") for extension in (*preview.FORMATS, ARCHIVE_SUFFIX)],
        accept_multiple_files=True,
        key=f"upload-{turn}",
        help="Rows of CSV and JSONL are documents; an HTML or text file is one document. A zip may hold any "
        "of these, and a manifest.csv that says what they are.",
    )
    st.caption("Files are kept in the store, on the machine that serves this page, and go nowhere else.")
    uploads = [_save_upload(store, file.file_id, file.name, file.getvalue()) for file in files]
    _draw_refused([refusal for upload in uploads for refusal in upload.refused])
    kept = [upload for upload in uploads if upload.files]
    if not kept:
        return
    kinds = _group_tables(kept)
    maps = {kind: _draw_column_map(kind) for kind in kinds[:MAX_TABLE_GROUPS]}
    maps |= {kind: _build_column_map(preview.propose_columns(kind.columns)) for kind in kinds[MAX_TABLE_GROUPS:]}
    if len(kinds) > MAX_TABLE_GROUPS:
        further = phrases.format_count(len(kinds) - MAX_TABLE_GROUPS, "further kind")
        st.caption(f"{further} of table: columns are taken by their names.")
    number = sum(len(upload.files) for upload in kept)
    if st.button(f"Build with {phrases.format_count(number, 'file')}", type="primary", icon=":material/play_arrow:"):
        of_file = {file: terms for kind, terms in maps.items() for file in kind.files}
        commands = [make_build_command(store, typed, terms) for terms, typed in plan_builds(kept, of_file)]
        get_job_registry().start(store, commands, [upload.name for upload in kept])
        st.session_state["upload-turn"] = turn + 1
        st.session_state[SCROLL_KEY] = True
        st.rerun()


def plan_builds(
    uploads: Sequence[Upload], maps: Mapping[Path, tuple[tuple[str, str], ...]]
) -> list[tuple[tuple[tuple[str, str], ...], list[str]]]:
    """What to build with which column map: one build a map, files without a table in the first.

    An archive whose tables agree goes in as a folder, so that its manifest speaks for its files; one whose
    tables do not goes in file by file. Pure but for resolving paths.
    """
    found: dict[tuple[tuple[str, str], ...], list[str]] = {}
    plain: list[str] = []
    for upload in uploads:
        own = {maps[file] for file in upload.files if file in maps}
        if len(own) <= 1:
            (found.setdefault(own.pop(), []) if own else plain).append(_format_path(upload.path))
            continue
        for file in upload.files:
            if file in maps:
                found.setdefault(maps[file], []).append(_format_path(file))
            elif file.name.lower() != MANIFEST_NAME:
                plain.append(_format_path(file))
    if plain:
        first = next(iter(found), ())
        found[first] = [*plain, *found.get(first, [])]
    return list(found.items())


def _format_path(path: Path) -> str:
    """A path as a build from the project's folder is given it."""
    whole = path.resolve()
    return str(whole.relative_to(ROOT) if whole.is_relative_to(ROOT) else whole)


def _save_upload(store: Path, file_id: str, name: str, content: bytes) -> Upload:
    """The upload, saved once a session however often the page is drawn."""
    known: dict[str, Upload] = st.session_state.setdefault("uploads", {})
    if file_id not in known or not known[file_id].path.exists():
        known[file_id] = save_upload(store, name, content, preview.FORMATS)
    return known[file_id]


def _group_tables(uploads: Sequence[Upload]) -> list[TableGroup]:
    """The tables among the uploads by their columns, in their order; what has none is told by the build."""
    found: dict[tuple[str, ...], list[Path]] = {}
    for upload in uploads:
        for file in upload.files:
            if file.suffix.lower() in preview.TABLE_FORMATS and file.name.lower() != MANIFEST_NAME:
                try:
                    found.setdefault(preview.read_columns(file), []).append(file)
                except ReadError as error:
                    st.text(f"{file.name}: expected {error.expected}; got {error.got}. {error.hint}")
    return [TableGroup(columns, tuple(files)) for columns, files in found.items()]


def _draw_column_map(kind: TableGroup) -> tuple[tuple[str, str], ...]:
    """Ask which column is what, and show the first rows as they will be read."""
    with st.container(border=True):
        named = phrases.format_list([file.name for file in kind.files])
        st.markdown(f"**{phrases.escape_markdown(named)}**")
        st.caption("Which column is what? Proposed by name; the rows below show what comes of it.")
        proposed = preview.propose_columns(kind.columns)
        grid = st.grid("auto", min_column_width=150, gap="small")
        chosen: dict[str, str] = {}
        for field in preview.FIELDS:
            # A column of our own name is taken for what it says: it cannot be left aside, only replaced.
            options = list(
                dict.fromkeys(([] if preview.holds_own(kind.columns, field) else [_NO_COLUMN]) + list(kind.columns))
            )
            chosen[field] = grid.selectbox(
                _FIELD_LABELS[field],
                options,
                index=options.index(proposed.get(field, _NO_COLUMN)),
                format_func=lambda column: column or "(none)",
                key=f"map-{kind.key}-{field}",
            )
        terms = _build_column_map(chosen)
        _draw_preview(kind.files[0], terms)
    return terms


def _build_column_map(chosen: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((ours, theirs) for ours, theirs in chosen.items() if theirs and theirs != ours)


def _draw_preview(file: Path, terms: tuple[tuple[str, str], ...]) -> None:
    found = preview.preview_file(file, dict(terms))
    if found.rows:
        shown = pd.DataFrame(
            {
                "Row": [row.row for row in found.rows],
                "Date": [row.date or f"none: {row.date_source}" for row in found.rows],
                "Speaker": [row.speaker for row in found.rows],
                "Outlet": [row.outlet for row in found.rows],
                "Title": [row.title for row in found.rows],
                "Text": [row.text for row in found.rows],
            }
        )
        st.dataframe(shown, hide_index=True, height="content")
    whole = "" if found.complete else f"first {found.looked_at:,} "
    rejected = len(found.rejected)
    st.caption(
        f"Of the {whole}{'row' if found.looked_at == 1 else 'rows'}, "
        f"{found.looked_at - rejected:,} can be read and {rejected:,} cannot."
    )
    _draw_refused(found.rejected)


def _draw_refused(refused: Sequence[Rejected]) -> None:
    """What is not taken, with the reasons."""
    if not refused:
        return
    st.warning(
        f"Not taken: {phrases.format_count(len(refused), 'file or row') if len(refused) == 1 else len(refused)}"
        + (" files or rows." if len(refused) > 1 else "."),
        icon=":material/warning:",
    )
    shown = pd.DataFrame(
        {
            "File": [item.source_path for item in refused],
            "Row": [item.row or None for item in refused],
            "Reason": [item.reason for item in refused],
        }
    )
    st.dataframe(
        shown,
        hide_index=True,
        height=248 if len(shown) > 6 else "content",
        column_config={"Reason": {"width": "large"}},
    )
