"""Adding texts on the Sources page: the upload form, and the progress and result of the build."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import pandas as pd
import streamlit as st

from narratives.dashboard import cached_queries, chart_panel, roles, shell, tables
from narratives.dashboard.builds import BuildJob, describe_progress, get_job_registry, make_build_command
from narratives.model import ReadError, Rejected, SkippedInput
from narratives.model.errors import EXIT_NOTHING_READ, EXIT_STOPPED
from narratives.render import phrases
from narratives.store import frame_to_csv
from narratives.store.inputs import format_source_path
from narratives.workflows import preview
from narratives.workflows.uploads import ARCHIVE_SUFFIX, MANIFEST_NAME, Upload, describe_count_refusal, save_upload

SCROLL_KEY = "show-progress"  # in the session's state: scroll to the progress once
_REFRESH_SECONDS = 1.0
# The button that starts a build is at the end of a form that may be several screens long.
_SCROLL_SCRIPT = "<script>document.querySelector('[data-testid=stMain]')?.scrollTo({top: 0})</script>"


def _draw_job(store: Path, job: BuildJob) -> None:
    """Draw the store's job: the progress while it runs, then the report."""
    if st.session_state.pop(SCROLL_KEY, False):
        st.html(_SCROLL_SCRIPT, unsafe_allow_javascript=True)
    if job.status() is None:
        _draw_running_job(str(store))
    else:
        with st.container(border=True):
            _draw_ended_job(store, job, job.status() or 0)


@st.fragment(run_every=_REFRESH_SECONDS)
def _draw_running_job(store: str) -> None:
    job = get_job_registry().get(Path(store))
    if job is None or job.status() is not None:
        st.rerun()
    with st.container(border=True):
        st.subheader("Building", anchor=False)
        st.text(phrases.format_list(job.names))
        st.progress(*describe_progress(job, "Another build is using this store; waiting for it to finish"))
        st.caption(
            "You can leave or close this page. The build continues, and this panel shows its progress when you return."
        )
        if job.stopping:
            st.text("Stopping. This takes a few seconds.")
        else:
            st.button(
                "Cancel", on_click=_change_job, args=(job.stop,), icon=":material/stop_circle:", key="cancel-build"
            )


def _draw_ended_job(store: Path, job: BuildJob, status: int) -> None:
    if status == EXIT_STOPPED:
        st.subheader("Build stopped", anchor=False)
        st.text(
            "Nothing is lost. The pages show the same snapshot as before, and the files are kept. The build can "
            "continue where it stopped."
        )
    elif status == 0:
        unchanged = all(report.get("unchanged") for report in job.reports)
        st.subheader("Nothing new in these files" if unchanged else "New snapshot", anchor=False)
        _draw_counts(store, job)
    elif status == EXIT_NOTHING_READ and job.reports:
        st.subheader("Nothing could be read", anchor=False)
    else:
        st.subheader("The build failed", anchor=False)
        st.text(shell.hide_folders(job.messages) or f"The build ended with status {status} and gave no reason.")
    _draw_notes(job)
    _draw_rejected(job)
    _draw_skipped([SkippedInput(**item) for report in job.reports for item in report.get("skipped", [])])
    _draw_unused_columns(job)
    with st.container(horizontal=True):
        if status == EXIT_STOPPED or not job.reports:
            label = "Continue the build" if status == EXIT_STOPPED else "Try again"
            st.button(label, on_click=_change_job, args=(job.resume,), type="primary", key="resume-build")
        leave = "Add more texts" if status == 0 else "Dismiss"
        dismiss = partial(get_job_registry().dismiss, store)
        st.button(leave, on_click=_change_job, args=(dismiss,), key="dismiss-build")


def _change_job(change: Callable[[], None]) -> None:
    """Change a job (a button's callback)."""
    with shell.show_errors():
        roles.require("editor")
        change()


def _draw_counts(store: Path, job: BuildJob) -> None:
    """Draw what the builds added; the pages show the snapshot of the last one."""
    last = job.reports[-1]
    counts: dict[str, int] = last.get("counts") or {}
    encoded, reused = (sum(int(r.get(k, 0)) for r in job.reports) for k in ("encoded", "reused"))
    st.text(
        f"{phrases.format_count(int(counts.get('documents', 0)), 'document')} and "
        f"{phrases.format_count(int(counts.get('statements', 0)), 'statement paragraph')} are in the store now. "
        f"{phrases.format_count(encoded, 'text')} encoded, {reused:,} reused."
    )
    snapshot = str(last.get("snapshot", ""))
    st.text(f"Snapshot {snapshot}, built from {phrases.format_list(job.names)}.")
    if cached_queries.find_store_path().resolve() != store.resolve():
        st.caption(f"This dashboard shows another store, the one set in {cached_queries.STORE_VARIABLE}.")


def _draw_notes(job: BuildJob) -> None:
    """List what was damaged in the store and how the builds repaired it."""
    for note in dict.fromkeys(note for report in job.reports for note in report.get("notes", [])):
        st.text(shell.hide_folders(note))


def _draw_unused_columns(job: BuildJob) -> None:
    for table in (table for report in job.reports for table in report.get("unused", [])):
        path = format_source_path(table["source_path"])
        st.text(f"Columns not used in {path}: {phrases.format_list(table['columns'])}")


def _draw_rejected(job: BuildJob) -> None:
    rows = [row for report in job.reports for row in report.get("rejected", [])]
    if not rows:
        return
    frame = pd.DataFrame(rows)[["source_path", "row", "reason"]]
    frame["source_path"] = frame["source_path"].map(format_source_path)
    frame["reason"] = frame["reason"].map(shell.hide_folders)
    st.text(f"{_count_rejected(len(frame))} rejected:")
    st.dataframe(
        tables.clean_frame(frame),
        column_config=tables.REJECTED_COLUMNS,
        hide_index=True,
        height=tables.get_height(len(frame), 6),
        key="job-rejected",
    )
    file_name = chart_panel.build_file_name("rejected-upload", "new")
    tables.draw_csv_button("Rejected (CSV)", lambda: frame_to_csv(frame), file_name, "csv-job-rejected")


def _draw_skipped(skipped: Sequence[SkippedInput]) -> None:
    """Name what is clearly no text and was therefore not read."""
    if skipped:
        named = [f"{format_source_path(item.source_path)} ({item.reason})" for item in skipped]
        st.text(f"Skipped: {phrases.format_list(named, most=20)}")


def _count_rejected(number: int) -> str:
    return "1 row or file" if number == 1 else f"{number:,} rows or files"


MAX_TABLE_GROUPS = 6  # groups of tables with a form for their columns; for the others the column names decide
_FIELD_LABELS = {
    "text": "Text (required)",
    "date": "Date",
    "speaker": "Speaker",
    "outlet": "Outlet",
    "title": "Title",
    "url": "URL",
    "id": "ID",
}
_NO_COLUMN = ""
ColumnMap = tuple[tuple[str, str], ...]  # pairs of (field, column)


@dataclass(frozen=True, slots=True)
class TableGroup:
    """Tables with the same columns, which share one column map."""

    columns: tuple[str, ...]
    files: tuple[Path, ...]

    @property
    def key(self) -> str:
        """A short name for the widgets of this group."""
        return hashlib.sha256("\n".join(self.columns).encode()).hexdigest()[:10]


def get_target_store() -> Path:
    """Return the store for uploads: the store that is shown, or the user's own if that is the sample."""
    shown = cached_queries.find_store_path()
    return cached_queries.OWN_STORE if shown.resolve() == cached_queries.SAMPLE_STORE.resolve() else shown


def draw_uploads(opened: bool = False) -> None:
    """Draw the state of the build started here, or else the upload form, closed or `opened`; for editors only."""
    if not roles.get_user().may("editor"):
        return
    store = get_target_store()
    if (job := get_job_registry().get(store)) is not None:
        _draw_job(store, job)
        return
    with st.expander(
        "Add texts: tables, documents, pages, feeds, mails or zip files", icon=":material/upload_file:", expanded=opened
    ):
        _draw_form(store)


@st.fragment
def _draw_form(store: Path) -> None:
    if store.resolve() != cached_queries.find_store_path().resolve():
        st.info(
            "The dashboard shows the sample. Your texts go into a separate store (`./store`), which the "
            "dashboard then shows instead. The two never mix.",
            icon=":material/info:",
        )
    turn = st.session_state.setdefault("upload-turn", 0)
    files = st.file_uploader(
        "Files",
        type=[extension.lstrip(".") for extension in (*preview.FORMATS, ARCHIVE_SUFFIX)],
        accept_multiple_files=True,
        key=f"upload-{turn}",
        help="Each row of a table, entry of a feed, mail of a mailbox, or article of a Nexis, Factiva or ProQuest "
        "export is a document. Any other file is one document. A zip file can contain any of these, and a "
        "manifest.csv that describes them.",
    )
    st.caption("Files stay in the store, on the machine that serves this page. They are not sent anywhere else.")
    if refusal := describe_count_refusal(len(files)):
        st.warning(refusal, icon=":material/warning:")
        return
    uploads = [_save_upload(store, file.file_id, file.name, file.getvalue()) for file in files]
    _draw_refused([row for upload in uploads for row in upload.refused])
    _draw_skipped([item for upload in uploads for item in upload.skipped])
    kept = [upload for upload in uploads if upload.files]
    if not kept:
        return
    groups = _group_tables(kept)
    maps = {group: _draw_column_map(group) for group in groups[:MAX_TABLE_GROUPS]}
    maps |= {group: _build_column_map(_propose(group)) for group in groups[MAX_TABLE_GROUPS:]}
    if len(groups) > MAX_TABLE_GROUPS:
        further = phrases.format_count(len(groups) - MAX_TABLE_GROUPS, "further group")
        st.caption(f"{further} of tables: their column names decide how they are read.")
    number = sum(len(upload.files) for upload in kept)
    use_names = any(preview.has_name_date(file) for upload in kept for file in upload.files) and st.checkbox(
        "Use the dates in file names",
        key=f"date-from-name-{turn}",
        help="A date in a name, such as 2018-05-15 talks.txt, counts where the text states none or only part of it.",
    )
    if st.button(f"Build with {phrases.format_count(number, 'file')}", type="primary", icon=":material/play_arrow:"):
        roles.require("editor")
        file_maps = {file: column_map for group, column_map in maps.items() for file in group.files}
        plans = plan_builds(kept, file_maps)
        commands = [make_build_command(store, paths, columns, use_names) for columns, paths in plans]
        get_job_registry().start(store, commands, [upload.name for upload in kept])
        st.session_state["upload-turn"] = turn + 1
        st.session_state[SCROLL_KEY] = True
        st.rerun()


def plan_builds(uploads: Sequence[Upload], maps: Mapping[Path, ColumnMap]) -> list[tuple[ColumnMap, list[str]]]:
    """Return what to build with which column map: one build per map, files without a table in the first.

    An archive whose tables have the same map is one input, a folder, so that its manifest describes its files.
    Otherwise each of its files is an input. Pure except for resolving paths.
    """
    inputs: dict[ColumnMap, list[str]] = {}
    plain: list[str] = []
    for upload in uploads:
        own = {maps[file] for file in upload.files if file in maps}
        if len(own) <= 1:
            (inputs.setdefault(own.pop(), []) if own else plain).append(_format_path(upload.path))
            continue
        for file in upload.files:
            if file in maps:
                inputs.setdefault(maps[file], []).append(_format_path(file))
            elif file.name.lower() != MANIFEST_NAME:
                plain.append(_format_path(file))
    if plain:
        first = next(iter(inputs), ())
        inputs[first] = [*plain, *inputs.get(first, [])]
    return list(inputs.items())


def _format_path(path: Path) -> str:
    """Return the path relative to the dashboard's working folder, in which builds run, if it is inside."""
    absolute, folder = path.resolve(), Path.cwd().resolve()
    return str(absolute.relative_to(folder) if absolute.is_relative_to(folder) else absolute)


def _save_upload(store: Path, file_id: str, name: str, content: bytes) -> Upload:
    """Return the upload, saved once per session however often the page is drawn."""
    roles.require("editor")
    known: dict[str, Upload] = st.session_state.setdefault("uploads", {})
    if file_id not in known or not known[file_id].path.exists():
        known[file_id] = save_upload(store, name, content, preview.FORMATS)
    return known[file_id]


def _group_tables(uploads: Sequence[Upload]) -> list[TableGroup]:
    """Return the tables of the uploads, grouped by their columns; show why a table cannot be read."""
    groups: dict[tuple[str, ...], list[Path]] = {}
    for upload in uploads:
        for file in upload.files:
            if file.suffix.lower() in preview.TABLE_FORMATS and file.name.lower() != MANIFEST_NAME:
                try:
                    groups.setdefault(preview.read_columns(file), []).append(file)
                except ReadError as error:
                    said = f"{file.name}: expected {error.expected}; got {error.got}. {error.hint}"
                    st.text(shell.hide_folders(said))
    return [TableGroup(columns, tuple(files)) for columns, files in groups.items()]


def _draw_column_map(group: TableGroup) -> ColumnMap:
    """Ask for the meaning of each column, and show how the first rows will be read."""
    with st.container(border=True):
        named = phrases.format_list([file.name for file in group.files])
        st.markdown(f"**{phrases.escape_markdown(named)}**")
        st.caption(
            "Which column contains each field? The choices are proposed from the names and values of the columns. "
            "The rows below show the result."
        )
        proposed = _propose(group)
        grid = st.grid("auto", min_column_width=150, gap="small")
        chosen: dict[str, str] = {}
        for field in preview.FIELDS:
            # A column with the name of a field is always read: it can be replaced but not omitted.
            options = list(
                dict.fromkeys(([] if preview.holds_own(group.columns, field) else [_NO_COLUMN]) + list(group.columns))
            )
            chosen[field] = grid.selectbox(
                _FIELD_LABELS[field],
                options,
                index=options.index(proposed.get(field, _NO_COLUMN)),
                format_func=lambda column: column or "(none)",
                key=f"map-{group.key}-{field}",
            )
        column_map = _build_column_map(chosen)
        _draw_preview(group.files[0], column_map)
    return column_map


def _propose(group: TableGroup) -> dict[str, str]:
    return dict(_propose_columns(group.files[0], group.columns))


@lru_cache(maxsize=64)  # the path of an upload contains the hash of its content
def _propose_columns(file: Path, columns: tuple[str, ...]) -> ColumnMap:
    return tuple(preview.propose_columns(columns, preview.sample_columns(file, columns)).items())


def _build_column_map(chosen: Mapping[str, str]) -> ColumnMap:
    return tuple((ours, theirs) for ours, theirs in chosen.items() if theirs and theirs != ours)


def _draw_preview(file: Path, column_map: ColumnMap) -> None:
    result = preview.preview_file(file, dict(column_map))
    if result.rows:
        shown = [
            (row.row, row.date or f"none: {row.date_source}", row.speaker, row.outlet, row.title, row.text)
            for row in result.rows
        ]
        columns = ["Row", "Date", "Speaker", "Outlet", "Title", "Text"]
        frame = tables.clean_frame(pd.DataFrame(shown, columns=columns))
        st.dataframe(frame, hide_index=True, height="content")
    whole = "" if result.complete else f"first {result.looked_at:,} "
    rejected = len(result.rejected)
    st.caption(
        f"Of the {whole}{'row' if result.looked_at == 1 else 'rows'}, "
        f"{result.looked_at - rejected:,} can be read and {rejected:,} cannot."
    )
    for note in result.notes:
        st.caption(f"{note[:1].upper()}{note[1:]}.")
    _draw_refused(result.rejected)


def _draw_refused(refused: Sequence[Rejected]) -> None:
    """Draw the files and rows that are not accepted, with the reasons."""
    if not refused:
        return
    st.warning(f"Not accepted: {_count_rejected(len(refused))}.", icon=":material/warning:")
    shown = pd.DataFrame(
        {
            "File": [item.source_path for item in refused],
            "Row": [item.row or None for item in refused],
            "Reason": [item.reason for item in refused],
        }
    )
    st.dataframe(
        tables.clean_frame(shown),
        hide_index=True,
        height=tables.get_height(len(shown), 6),
        column_config={"Reason": {"width": "large"}},
    )
