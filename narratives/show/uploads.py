"""Adding texts from the Sources page: upload, say which column is what, look at the first rows, build."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import streamlit as st

from narratives import preview
from narratives.model import ReadError, Rejected
from narratives.show import data, words
from narratives.show.building import ROOT
from narratives.show.jobs import command, jobs
from narratives.show.progress import SCROLL, panel
from narratives.store.uploads import ARCHIVE, MANIFEST, Upload, save

READ_ONLY = "NARRATIVES_READ_ONLY"
MOST_KINDS = 6  # kinds of tables whose columns are asked for; further ones go by their names
_LABELS = {
    "text": "Text (needed)",
    "date": "Date",
    "speaker": "Speaker",
    "outlet": "Outlet",
    "title": "Title",
    "url": "Address (URL)",
    "id": "Id",
}
_NONE = ""


@dataclass(frozen=True, slots=True)
class Kind:
    """Tables of the same columns: they share one column map."""

    columns: tuple[str, ...]
    files: tuple[Path, ...]

    @property
    def key(self) -> str:
        """A short name for the widgets of this kind."""
        return hashlib.sha256("\n".join(self.columns).encode()).hexdigest()[:10]


def read_only() -> bool:
    """Whether the environment forbids adding texts from the dashboard."""
    return os.environ.get(READ_ONLY, "0").strip().lower() not in ("", "0", "no", "false")


def target() -> Path:
    """The store that uploads go to: the one shown, but the own one where that is the sample."""
    shown = data.store_path()
    return data.OWN if shown.resolve() == data.SAMPLE.resolve() else shown


def section(opened: bool = False) -> None:
    """Draw the state of a build that was started here, or else the way to start one, closed or `opened`."""
    if read_only():
        return
    store = target()
    if jobs().of(store) is not None:
        panel(store)
        return
    with st.expander(
        "Add texts: CSV, JSONL, HTML, text or zip files", icon=":material/upload_file:", expanded=opened
    ):
        _form(store)


@st.fragment
def _form(store: Path) -> None:
    if store.resolve() != data.store_path().resolve():
        st.info(
            "What you see is the sample. Your texts go into a store of your own (`./store`), which the "
            "dashboard then shows instead; the two never mix.",
            icon=":material/info:",
        )
    turn = st.session_state.setdefault("upload-turn", 0)
    files = st.file_uploader(
        "Files",
        type=[extension.lstrip(".") for extension in (*preview.FORMATS, ARCHIVE)],
        accept_multiple_files=True,
        key=f"upload-{turn}",
        help="Rows of CSV and JSONL are documents; an HTML or text file is one document. A zip may hold any "
        "of these, and a manifest.csv that says what they are.",
    )
    st.caption("Files are kept in the store, on the machine that serves this page, and go nowhere else.")
    uploads = [_kept(store, file.file_id, file.name, file.getvalue()) for file in files]
    _refused([refusal for upload in uploads for refusal in upload.refused])
    kept = [upload for upload in uploads if upload.files]
    if not kept:
        return
    kinds = _kinds(kept)
    maps = {kind: _mapped(kind) for kind in kinds[:MOST_KINDS]}
    maps |= {kind: _terms(preview.propose(kind.columns)) for kind in kinds[MOST_KINDS:]}
    if len(kinds) > MOST_KINDS:
        further = words.count(len(kinds) - MOST_KINDS, "further kind")
        st.caption(f"{further} of table: columns are taken by their names.")
    number = sum(len(upload.files) for upload in kept)
    if st.button(f"Build with {words.count(number, 'file')}", type="primary", icon=":material/play_arrow:"):
        of_file = {file: terms for kind, terms in maps.items() for file in kind.files}
        commands = [command(store, typed, terms) for terms, typed in batches(kept, of_file)]
        jobs().start(store, commands, [upload.name for upload in kept])
        st.session_state["upload-turn"] = turn + 1
        st.session_state[SCROLL] = True
        st.rerun()


def batches(
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
            (found.setdefault(own.pop(), []) if own else plain).append(_typed(upload.path))
            continue
        for file in upload.files:
            if file in maps:
                found.setdefault(maps[file], []).append(_typed(file))
            elif file.name.lower() != MANIFEST:
                plain.append(_typed(file))
    if plain:
        first = next(iter(found), ())
        found[first] = [*plain, *found.get(first, [])]
    return list(found.items())


def _typed(path: Path) -> str:
    """A path as a build from the project's folder is given it."""
    whole = path.resolve()
    return str(whole.relative_to(ROOT) if whole.is_relative_to(ROOT) else whole)


def _kept(store: Path, file_id: str, name: str, content: bytes) -> Upload:
    """The upload, saved once a session however often the page is drawn."""
    known: dict[str, Upload] = st.session_state.setdefault("uploads", {})
    if file_id not in known or not known[file_id].path.exists():
        known[file_id] = save(store, name, content, preview.FORMATS)
    return known[file_id]


def _kinds(uploads: Sequence[Upload]) -> list[Kind]:
    """The tables among the uploads by their columns, in their order; what has none is told by the build."""
    found: dict[tuple[str, ...], list[Path]] = {}
    for upload in uploads:
        for file in upload.files:
            if file.suffix.lower() in preview.TABLES and file.name.lower() != MANIFEST:
                try:
                    found.setdefault(preview.columns_of(file), []).append(file)
                except ReadError as error:
                    st.text(f"{file.name}: expected {error.expected}; got {error.got}. {error.todo}")
    return [Kind(columns, tuple(files)) for columns, files in found.items()]


def _mapped(kind: Kind) -> tuple[tuple[str, str], ...]:
    """Ask which column is what, and show the first rows as they will be read."""
    with st.container(border=True):
        named = words.listing([file.name for file in kind.files])
        st.markdown(f"**{words.literal(named)}**")
        st.caption("Which column is what? Proposed by name; the rows below show what comes of it.")
        proposed = preview.propose(kind.columns)
        grid = st.grid("auto", min_column_width=150, gap="small")
        chosen: dict[str, str] = {}
        for field in preview.FIELDS:
            # A column of our own name is taken for what it says: it cannot be left aside, only replaced.
            options = list(
                dict.fromkeys(
                    ([] if preview.holds_own(kind.columns, field) else [_NONE]) + list(kind.columns)
                )
            )
            chosen[field] = grid.selectbox(
                _LABELS[field],
                options,
                index=options.index(proposed.get(field, _NONE)),
                format_func=lambda column: column or "(none)",
                key=f"map-{kind.key}-{field}",
            )
        terms = _terms(chosen)
        _preview(kind.files[0], terms)
    return terms


def _terms(chosen: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((ours, theirs) for ours, theirs in chosen.items() if theirs and theirs != ours)


def _preview(file: Path, terms: tuple[tuple[str, str], ...]) -> None:
    found = preview.preview(file, dict(terms))
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
    _refused(found.rejected)


def _refused(refused: Sequence[Rejected]) -> None:
    """What is not taken, with the reasons."""
    if not refused:
        return
    st.warning(
        f"Not taken: {words.count(len(refused), 'file or row') if len(refused) == 1 else len(refused)}"
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
