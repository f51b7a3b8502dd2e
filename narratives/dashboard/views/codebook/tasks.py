"""What can be done on the Codebook page: edit, add, merge, split and retire narratives; import and export."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Literal

import pandas as pd
import streamlit as st

from narratives.dashboard import cached_queries, controls, shell
from narratives.dashboard.shell import View
from narratives.dashboard.views import codebook as view_codebook
from narratives.dashboard.views import evidence
from narratives.dashboard.views.codebook import Book
from narratives.model import ConfigError, Narrative, NarrativesError
from narratives.render import phrases
from narratives.workflows import codebook
from narratives.workflows.codebook import Change
from narratives.workflows.codebook import draft as drafts
from narratives.workflows.search import MAX_SENTENCE_LENGTH

Task = Literal["edit", "new", "merge", "split", "retire", "file"]
TASKS: Mapping[Task, str] = {
    "edit": "Edit",
    "new": "New",
    "merge": "Merge",
    "split": "Split",
    "retire": "Retire",
    "file": "Import and export",
}
CLUSTER = "cluster"  # the URL parameter of the topic or candidate that a new narrative is made from
_EMPTY, _SEARCH = "empty", "search"
_PART = "Second part"
load_sources = cached_queries.cache_query(drafts.list_sources)


def draw_task_control() -> Task:
    """Draw the choice of what to do; kept in the URL. A link that names a topic makes a new narrative."""
    return controls.draw_segmented_control("What to do", "do", TASKS, "new" if st.query_params.get(CLUSTER) else None)


def draw_narrative_control(book: Book) -> str:
    """Draw the choice of the narrative, retired ones last; kept in the URL."""
    names = {**book.names, **{key: f"{name} (retired)" for key, name in book.retired.items()}}
    return controls.draw_selectbox("Narrative", view_codebook.ABOUT, names)


def draw_task(view: View, book: Book, task: Task) -> None:
    """Draw the controls of one task."""
    if task == "new":
        _draw_new(view, book)
        return
    if task == "file":
        _draw_files(book)
        return
    about = draw_narrative_control(book)
    if about in book.retired:
        st.text("This narrative is retired: it is not matched. Undo the edit to have it back.")
    elif task == "edit":
        _draw_editor(
            view, book, codebook.get_narrative(book.current, about), f"edit-{about}-{view_codebook.count_saves()}"
        )
    elif task == "merge":
        _draw_merge(view, book, about)
    elif task == "split":
        _draw_split(view, book, codebook.get_narrative(book.current, about))
    else:
        _draw_retire(view, book, about)
    _draw_undo(book, about)
    view_codebook.draw_history(book, about)


@st.fragment
def _draw_editor(view: View, book: Book, start: Narrative, prefix: str, is_new: bool = False) -> None:
    """Draw the form of one narrative, with the preview of what is in it. Only this part is drawn again on a change."""
    if st.session_state.pop(view_codebook.SAVED_KEY, False):
        st.rerun()
    view_codebook.draw_form(book, start, prefix, is_new)
    st.subheader("Preview", anchor=False)
    if is_new and (missing := view_codebook.list_missing(start, prefix)):
        st.caption(f"Fill in {phrases.format_list(missing)} to see which paragraphs the narrative would gain.")
        return
    try:
        narrative = view_codebook.read_form(book, start, prefix)
        changes = _make_edit(book, start, prefix, is_new)[1]
        edited = book.apply(changes)
    except NarrativesError as error:
        shell.draw_error_text(error)
        return
    if not is_new and narrative == start:
        st.caption("Nothing is changed. Change a field to see which paragraphs the narrative would gain and lose.")
        return
    view_codebook.draw_preview(view, book, edited, narrative.id)
    view_codebook.draw_why()
    make = partial(_make_edit, book, start, prefix, is_new)
    label = "Add the narrative" if is_new else "Save"
    st.button(
        label, on_click=view_codebook.save, args=(make,), type="primary", icon=":material/save:", key="codebook-save"
    )


def _make_edit(book: Book, start: Narrative, prefix: str, is_new: bool) -> tuple[Book, list[Change]]:
    """Return the change that the fields of the form describe."""
    narrative = view_codebook.read_form(book, start, prefix)
    if is_new and narrative.id in {**book.names, **book.retired}:
        hint = "Choose another id. A retired narrative comes back when its edit is undone."
        raise ConfigError("an id that no narrative has", repr(narrative.id), hint)
    return book, [codebook.set_narrative(book.base, narrative)]


def _draw_new(view: View, book: Book) -> None:
    """Draw the form of a new narrative, empty or filled in from a topic, a candidate or a search."""
    sources = {source.cluster_id: f"{source.name} ({source.size:,})" for source in load_sources(view.handle.built)}
    options = {_EMPTY: "an empty form", _SEARCH: "a search", **sources}
    chosen = controls.draw_selectbox(
        "Start from", CLUSTER, options, help="A search, or a topic or candidate with its number of paragraphs."
    )
    try:
        if chosen == _EMPTY:
            start = Narrative("", "", "")
        elif chosen == _SEARCH:
            phrase = controls.draw_text_input(
                "Find paragraphs that say …",
                "says",
                icon=":material/neurology:",
                placeholder="a sentence, in any words",
                help="The sentences most like it become exemplars, those of the least similar results contrasts.",
                most=MAX_SENTENCE_LENGTH,
            )
            if not phrase:
                st.caption("Write a sentence that the narrative says. Its nearest paragraphs fill in the form.")
                return
            start = _draft_from_search(view, phrase)
        else:
            start = _draft_from_cluster(view.handle.built, chosen)
    except NarrativesError as error:
        st.warning("The form cannot be filled in.", icon=":material/neurology:")
        shell.draw_error_text(error)
        return
    if chosen != _EMPTY:
        st.caption(
            f"Filled in with {phrases.format_count(len(start.exemplars), 'exemplar')} and "
            f"{phrases.format_count(len(start.contrasts), 'contrast')} from the snapshot. Read each of them, and move "
            "or delete what does not fit. Then write the definition."
        )
    _draw_editor(view, book, start, f"new-{chosen}-{start.name}-{view_codebook.count_saves()}", is_new=True)


def _draft_from_search(view: View, phrase: str) -> Narrative:
    similar = evidence.search_by_meaning(view.handle, phrase) or {}
    if not similar:
        raise ConfigError("paragraphs that say this", "none in the snapshot", "Use other words.")
    return _compute_search_draft(view.handle.built, phrase, similar)


@st.cache_data(max_entries=20, ttl=cached_queries.CACHE_SECONDS, show_spinner=False)
def _compute_search_draft(handle: cached_queries.Handle, phrase: str, _similar: Mapping[str, float]) -> Narrative:
    with evidence.get_model_turns().take():
        [(_, vectors)] = evidence.load_encoder(handle).encode([phrase])
    snapshot = cached_queries.get_snapshot(handle)
    return drafts.draft_from_search(Path(handle.store), snapshot, phrase, vectors[0], _similar)


@st.cache_data(max_entries=20, ttl=cached_queries.CACHE_SECONDS, show_spinner="Reading the paragraphs …")
def _draft_from_cluster(handle: cached_queries.Handle, cluster_id: str) -> Narrative:
    snapshot = cached_queries.get_snapshot(handle)
    return drafts.draft_from_cluster(Path(handle.store), snapshot, cluster_id)


def _draw_merge(view: View, book: Book, about: str) -> None:
    others = {key: name for key, name in book.names.items() if key != about}
    if not others:
        st.text("There is no other narrative to merge it into.")
        return
    into = controls.draw_selectbox("Merge into", "into", others)
    st.caption(
        "The other narrative gets its examples and cues, and the decisions on it. This one is retired; lineage and "
        "history name what replaced it."
    )
    make = partial(_make_merge, book, about, into)
    _draw_changes(view, book, make, [into], f"Merge into {others[into]}")


def _make_merge(book: Book, about: str, into: str) -> tuple[Book, list[Change]]:
    return book, codebook.merge_narratives(book.base, book.current, about, into)


def _draw_split(view: View, book: Book, start: Narrative) -> None:
    st.caption(
        "The narrative is replaced by two. Each exemplar goes to one of them; both keep contrasts and cues. Edit them "
        "afterwards."
    )
    prefix = f"split-{start.id}-{view_codebook.count_saves()}"
    left, right = st.columns(2)
    for column, part in ((left, "First part"), (right, _PART)):
        column.text_input(f"{part}: name", key=f"{prefix}-{part}-name")
        column.text_area(f"{part}: definition", start.definition, key=f"{prefix}-{part}-definition")
    rows = pd.DataFrame({_PART: [False] * len(start.exemplars), "Exemplar": start.exemplars})
    chosen = st.data_editor(
        rows,
        column_config={
            _PART: st.column_config.CheckboxColumn(width=90),
            "Exemplar": st.column_config.TextColumn(width="large", disabled=True),
        },
        hide_index=True,
        key=f"{prefix}-exemplars",
    )
    second = tuple(bool(value) for value in chosen[_PART])
    parts: list[Narrative] = []
    for part, own in (("First part", False), (_PART, True)):
        name = str(st.session_state.get(f"{prefix}-{part}-name", "")).strip()
        definition = str(st.session_state.get(f"{prefix}-{part}-definition", ""))
        exemplars = tuple(e for e, chosen_one in zip(start.exemplars, second, strict=True) if chosen_one == own)
        taken = [*book.names, *book.retired, *(p.id for p in parts)]
        key = drafts.make_id(name, taken)
        fields = replace(
            start, id=key, name=name, definition=definition, exemplars=exemplars, colour="", threshold=None
        )
        parts.append(fields)
    if not all(part.name and part.exemplars for part in parts):
        st.text("Give both parts a name and at least one exemplar to see the preview.")
        return
    make = partial(_make_split, book, start.id, parts)
    _draw_changes(view, book, make, [part.id for part in parts], "Split")


def _make_split(book: Book, about: str, parts: Sequence[Narrative]) -> tuple[Book, list[Change]]:
    return book, codebook.split_narrative(book.base, book.current, about, parts)


def _draw_retire(view: View, book: Book, about: str) -> None:
    others = {key: name for key, name in book.names.items() if key != about}
    more = controls.draw_multiselect("Retire also", "also", others, "no other narratives")
    st.caption("A retired narrative is not matched any more. Its history stays, and the edit can be undone.")
    make = partial(_make_retirement, book, (about, *more))
    _draw_changes(view, book, make, [about], f"Retire {phrases.format_count(1 + len(more), 'narrative')}")


def _make_retirement(book: Book, ids: Sequence[str]) -> tuple[Book, list[Change]]:
    return book, codebook.retire_narratives(book.base, book.current, ids)


def _draw_changes(
    view: View, book: Book, make: partial[tuple[Book, list[Change]]], shown: Sequence[str], label: str
) -> None:
    """Draw the preview of changes and the button that saves them."""
    try:
        _, changes = make()
        edited = book.apply(changes)
    except NarrativesError as error:
        shell.draw_error_text(error)
        return
    st.subheader("Preview", anchor=False)
    names = {n.id: n.name for n in edited.narratives} | book.names
    for narrative_id in shown:
        st.text(names.get(narrative_id, narrative_id))
        view_codebook.draw_preview(view, book, edited, narrative_id)
    view_codebook.draw_why()
    st.button(label, on_click=view_codebook.save, args=(make,), type="primary", key="codebook-save")


def _draw_undo(book: Book, about: str) -> None:
    """Draw the button that undoes the latest edit of a narrative."""
    if not any(edit.subject == about for edit in book.edits):
        return
    change, why = codebook.undo_latest(book.edits, about)
    st.button(
        "Undo the last edit",
        on_click=view_codebook.save,
        args=(lambda: (book, [change]), why),
        icon=":material/undo:",
        key="codebook-undo",
        help="It gets the state that it had before. The log gets one more edit; nothing is deleted.",
    )


def _draw_files(book: Book) -> None:
    """Draw the download of the codebook, and the upload of another one."""
    st.download_button(
        "Download the codebook (TOML)",
        lambda: codebook.dump_codebook(book.current).encode(),
        "codebook.toml",
        "application/toml",
        on_click="ignore",
        icon=":material/download:",
    )
    st.caption("One item of a list on each line, so that a difference in git shows what changed.")
    file = st.file_uploader("Import a codebook", type=["toml"], key=f"codebook-file-{view_codebook.count_saves()}")
    if file is None:
        return
    try:
        make = partial(_make_import, book, file.getvalue(), file.name)
        _, changes = make()
        book.apply(changes)
    except NarrativesError as error:
        shell.draw_error_text(error)
        return
    if not changes:
        st.text("Nothing differs from the codebook.")
        return
    st.text(f"{phrases.format_count(len(changes), 'narrative')} would change:")
    rows = [(codebook.describe_change(change), change.narrative_id) for change in changes]
    st.dataframe(pd.DataFrame(rows, columns=["Change", "Narrative"]), hide_index=True)
    view_codebook.draw_why()
    st.button("Import", on_click=view_codebook.save, args=(make,), type="primary", key="codebook-save")


def _make_import(book: Book, content: bytes, name: str) -> tuple[Book, list[Change]]:
    wanted = codebook.parse_codebook(content, name)
    return book, codebook.list_changes(book.base, book.current, wanted)
