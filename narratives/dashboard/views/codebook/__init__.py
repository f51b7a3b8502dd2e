"""The Codebook page: the tree of narratives, the form, the preview of an edit, and the history."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd
import streamlit as st

from narratives.dashboard import cached_queries, quality, roles, shell
from narratives.dashboard.shell import View
from narratives.dashboard.tables import COUNT_COLUMN, PERCENT_COLUMN, TEXT_COLUMN, draw_csv_button, get_height
from narratives.dashboard.views import evidence
from narratives.model import Codebook, Edit, Narrative, NarrativesError, Slice, UsageError
from narratives.render import phrases
from narratives.render.colours import resolve_colour
from narratives.store import DecisionLog, frame_to_csv
from narratives.store.queries import codebook as codebook_queries
from narratives.workflows import codebook
from narratives.workflows.codebook import Change
from narratives.workflows.codebook import draft as drafts
from narratives.workflows.codebook.preview import Previewer, PreviewExample, PreviewResult

MESSAGE_KEY, SAVED_KEY, WHY_KEY = "codebook-message", "codebook-saved", "codebook-why"
SAVES_KEY = "codebook-saves"
ABOUT = "entry"  # the URL parameter of the narrative; other than that of the Narrative page, which has candidates too
_LISTS = {
    "includes": ("Includes", "Doubtful cases that advance the narrative. One per line."),
    "excludes": ("Excludes", "Doubtful cases that do not advance it. One per line."),
    "exemplars": ("Exemplars", "Statements that advance the narrative. One per line."),
    "contrasts": ("Contrasts", "Near misses that do not advance it. One per line."),
    "cues": ("Cues", "Words or phrases that are strong evidence by themselves. One per line."),
}
_LONG_FIELDS = ("exemplars", "contrasts")
CLASSIFIER_NOTE = (
    "A classifier decides this narrative now. It was trained for the present definition. With another definition, the "
    "next build matches the narrative by its exemplars, contrasts and cues alone, until you run `narratives train`."
)
THRESHOLD_NOTE = (
    "Its threshold was set for the probabilities of the classifier. Empty the field for the usual threshold of 0.5."
)


_load_built = cached_queries.cache_query(codebook_queries.query_built_narratives)


@dataclass(frozen=True, slots=True)
class Book:
    """The codebook of the store: the `base` file, all `edits` in its `log`, and the `current` result of both."""

    log: DecisionLog
    base: Codebook
    edits: tuple[Edit, ...]
    current: Codebook

    @property
    def names(self) -> dict[str, str]:
        """The names of the narratives by id, in order of the codebook."""
        return {n.id: n.name for n in self.current.narratives}

    @property
    def retired(self) -> dict[str, str]:
        """The names of the narratives that were retired, by id."""
        known = {n.id: n.name for n in self.base.narratives} | {e.subject: e.subject for e in self.edits}
        return {key: name for key, name in known.items() if key not in self.names}

    def apply(self, changes: Sequence[Change]) -> Codebook:
        """Return the codebook as it would be with these changes; raises ConfigError if it would not be valid."""
        return codebook.apply_changes(self.base, self.edits, changes)


def load_book(view: View) -> Book:
    """Load the codebook of the store that the page shows."""
    log, base = cached_queries.get_log(view.handle), codebook.load_file(Path(view.handle.store))
    edits = tuple(log.edits("narrative"))
    return Book(log, base, edits, codebook.apply_edits(base, edits))


def save_edit(book: Book, changes: Sequence[Change], why: str) -> None:
    """Add changes of an editor to the decisions log. Everything that this page writes goes through here.

    Raises UsageError if somebody has edited one of the narratives since the page was drawn.
    """
    who = roles.require("editor").name
    changed = {change.narrative_id for change in changes}
    known = max((edit.edit_id for edit in book.edits), default=0)
    for edit in book.log.edits("narrative"):
        if edit.edit_id > known and edit.subject in changed:
            expected, got = f"{edit.subject!r} as this page shows it", f"a later edit by {edit.who}"
            raise UsageError(expected, got, "Copy your text, reload the page and look at that edit first.")
    codebook.save_changes(book.log, book.base, changes, who, why)


def save(make: Callable[[], tuple[Book, Sequence[Change]]], why: str = "") -> None:
    """Save changes and say so, or say why not (a button's callback); `make` returns them."""
    reason = why or str(st.session_state.get(WHY_KEY, ""))
    try:
        book, changes = make()
        save_edit(book, changes, reason)
    except NarrativesError as error:
        said = f"Not saved: expected {error.expected}; got {error.got}. {error.hint}"
        st.session_state[MESSAGE_KEY] = shell.hide_folders(said)
        return
    st.session_state[WHY_KEY] = ""
    st.session_state[SAVES_KEY] = count_saves() + 1
    st.session_state[SAVED_KEY] = True
    st.session_state[MESSAGE_KEY] = f"Saved: {phrases.format_count(len(changes), 'edit')}."


def count_saves() -> int:
    """Return how often this session has saved; each time, the forms start anew."""
    return int(st.session_state.get(SAVES_KEY, 0))


def draw_message() -> None:
    """Draw what the last button did."""
    st.session_state.pop(SAVED_KEY, None)
    if message := st.session_state.pop(MESSAGE_KEY, ""):
        saved = message.startswith("Saved")
        st.info(phrases.escape_markdown(message), icon=":material/check:" if saved else ":material/error:")


def find_waiting(view: View, book: Book) -> list[str]:
    """Return the ids of the narratives whose present state is not that of the snapshot."""
    if cached_queries.get_manifest(view.handle).parameters.get("codebook") == book.current.digest:
        return []
    before = _load_built(view.handle)
    now = {n.id: (n.name, n.digest) for n in book.current.narratives}
    return [key for key in {**before, **now} if before.get(key) != now.get(key)]


def draw_build_state(view: View, book: Book) -> None:
    """Draw how many edits wait for a build, which the button in the sidebar starts."""
    manifest = cached_queries.get_manifest(view.handle)
    if manifest.parameters.get("codebook") == book.current.digest:
        st.caption("The current snapshot was built with this codebook.")
        return
    waiting = find_waiting(view, book)
    what = f"Edits of {phrases.format_count(len(waiting), 'narrative')} wait" if waiting else "Edits wait"
    st.info(
        f"{what} for a build. *Build now* in the sidebar starts it. All figures, also those below, are still of the "
        "codebook of the snapshot.",
        icon=":material/pending_actions:",
    )


def draw_tree(view: View, book: Book) -> None:
    """Draw the narratives as a tree, with colour, paragraphs, share, measured quality and state."""
    frame = build_tree_table(view, book)
    total = cached_queries.load_totals(view.handle, Slice()).statements
    st.caption(
        f"Paragraphs: original statement paragraphs of the whole snapshot that advance the narrative; share: of all "
        f"{total:,}. The filters of the sidebar do not apply here. Precision and recall are those of the Method page."
    )
    shown = frame.style.map(lambda colour: f"background-color: {colour}; color: {colour}", subset=["colour"])
    st.dataframe(
        shown,
        column_config={
            "colour": TEXT_COLUMN("", width=30, help="The colour in charts."),
            "narrative": TEXT_COLUMN("Narrative", width="large"),
            "state": TEXT_COLUMN("State", width=90),
            "paragraphs": COUNT_COLUMN("Paragraphs", width=90),
            "share": PERCENT_COLUMN("Share", width=70),
            "precision": TEXT_COLUMN("Precision", width=130),
            "recall": TEXT_COLUMN("Recall", width=130),
        },
        column_order=["colour", "narrative", "state", "paragraphs", "share", "precision", "recall"],
        hide_index=True,
        height=get_height(len(frame), 20),
        key="codebook-tree",
        on_select=partial(_select_row, list(frame["narrative_id"])),
        selection_mode="single-row",
    )
    draw_csv_button(
        "Narratives (CSV)",
        lambda: frame_to_csv(frame.assign(narrative=frame["narrative"].str.strip("\u2003↳ "))),
        f"codebook-{view.handle.snapshot_id}.csv",
        "codebook-csv",
    )


def _select_row(ids: Sequence[str]) -> None:
    rows = st.session_state["codebook-tree"].selection.rows
    if rows:
        st.session_state[ABOUT] = ids[rows[0]]


def build_tree_table(view: View, book: Book) -> pd.DataFrame:
    """Return the narratives in the order of the tree, each below its parent, retired ones last."""
    counts = cached_queries.load_options(view.handle).narratives.set_index("narrative_id")["paragraphs"]
    total = max(1, cached_queries.load_totals(view.handle, Slice()).statements)
    measured = quality.load_quality(view.handle)
    in_file = {n.id: n for n in book.base.narratives}
    rows = []
    for place, (narrative, depth) in enumerate(order_tree(book.current.narratives)):
        own = in_file.get(narrative.id)
        rows.append(
            {
                "narrative_id": narrative.id,
                "colour": resolve_colour(narrative.colour, place),
                "narrative": "\u2003" * max(0, depth - 1) + ("↳ " if depth else "") + narrative.name,
                "state": "new" if own is None else "from file" if own == narrative else "edited",
            }
        )
    retired = [{"narrative_id": k, "colour": "", "narrative": n, "state": "retired"} for k, n in book.retired.items()]
    frame = pd.DataFrame([*rows, *retired])
    paragraphs = frame["narrative_id"].map(counts)
    return frame.assign(
        paragraphs=paragraphs.astype("Int64"),
        share=paragraphs / total,
        precision=[_format_measure(measured.get(key), "precision") for key in frame["narrative_id"]],
        recall=[_format_measure(measured.get(key), "recall") for key in frame["narrative_id"]],
    )


def order_tree(narratives: Sequence[Narrative], parent: str = "", depth: int = 0) -> list[tuple[Narrative, int]]:
    """Return the narratives in the order of the tree with their depth. Pure."""
    ordered = []
    for narrative in narratives:
        if narrative.parent == parent:
            ordered += [(narrative, depth), *order_tree(narratives, narrative.id, depth + 1)]
    return ordered


def _format_measure(row: object, name: str) -> str:
    if row is None:
        return "–"
    return phrases.format_with_limits(getattr(row, name), getattr(row, f"{name}_low"), getattr(row, f"{name}_high"))


def draw_form(book: Book, start: Narrative, prefix: str, is_new: bool = False) -> None:
    """Draw a field for each part of a narrative; `read_form` reads them."""
    if is_new:
        help = "Small letters, digits and _. It stays when the name changes. If it is empty, it is made of the name."
        st.text_input("Id", start.id, key=f"{prefix}-id", help=help)
    st.text_input("Name", start.name, key=f"{prefix}-name")
    st.text_area("Definition", start.definition, key=f"{prefix}-definition", height=100)
    for field in _LISTS:
        label, help = _LISTS[field]
        text = "\n".join(" ".join(item.split()) for item in getattr(start, field))
        height = 260 if field in _LONG_FIELDS else 100
        st.text_area(label, text, key=f"{prefix}-{field}", height=height, help=help)
    parents = {"": "(none)", **{key: name for key, name in book.names.items() if key != start.id}}
    with st.container(horizontal=True):
        st.selectbox(
            "Part of",
            list(parents),
            index=list(parents).index(start.parent) if start.parent in parents else 0,
            format_func=parents.__getitem__,
            key=f"{prefix}-parent",
            width=260,
        )
        st.number_input(
            "Threshold",
            0.0,
            1.0,
            start.threshold,
            step=0.01,
            format="%.3f",
            key=f"{prefix}-threshold",
            placeholder="the usual one",
            help="The lowest score at which a paragraph advances the narrative.",
            width=170,
        )
        st.color_picker("Colour", start.colour or _find_colour(book, start.id), key=f"{prefix}-colour")


def _find_colour(book: Book, narrative_id: str) -> str:
    places = list(book.names)
    place = places.index(narrative_id) if narrative_id in places else len(places)
    return resolve_colour("", place).lower()


def list_missing(start: Narrative, prefix: str) -> list[str]:
    """Return the labels of the fields of the form that are needed and empty."""
    fields = {"name": "the name", "definition": "the definition", "exemplars": "at least one exemplar"}
    values = {key: st.session_state.get(f"{prefix}-{key}", getattr(start, key)) for key in fields}
    return [label for key, label in fields.items() if not "".join(values[key]).strip()]


def read_form(book: Book, start: Narrative, prefix: str) -> Narrative:
    """Return the narrative in the fields; raises ConfigError, which names the field, if one is not valid."""

    def get(field: str) -> object:
        return st.session_state.get(f"{prefix}-{field}", getattr(start, field))

    values: dict[str, object] = {key: get(key) for key in ("id", "name", "definition", "parent", "threshold")}
    values["id"] = values["id"] or drafts.make_id(str(values["name"]), [*book.names, *book.retired])
    for field in _LISTS:
        text = st.session_state.get(f"{prefix}-{field}")
        lines = getattr(start, field) if text is None else text.splitlines()
        values[field] = [line.strip() for line in lines if line.strip()]
    colour = str(get("colour"))
    unchosen = not start.colour and colour.lower() == _find_colour(book, start.id)
    values |= {"colour": "" if unchosen else colour, "replaces": list(start.replaces)}
    return codebook.parse_narrative(values, "the form")


def draw_why() -> None:
    """Draw the field for the reason of a change."""
    st.text_input("Why", key=WHY_KEY, placeholder="the reason, for the history")


@st.cache_resource(max_entries=1, show_spinner=False)
def _load_previewer(handle: cached_queries.Handle) -> Previewer:
    snapshot = cached_queries.get_snapshot(handle)
    return Previewer(Path(handle.store), snapshot, partial(evidence.load_encoder, handle))


@st.cache_data(max_entries=60, ttl=cached_queries.CACHE_SECONDS, show_spinner=False)
def _compute_preview(
    handle: cached_queries.Handle, digest: str, narrative_id: str, decided: int, _edited: Codebook, _current: Codebook
) -> tuple[PreviewResult, bool]:
    """Return the preview, and whether a classifier decides the narrative in the `_current` codebook.

    `decided` is the last decision, as a preview applies all of them. What is prepared depends on none.
    """
    with evidence.get_model_turns().take():
        previewer = _load_previewer(handle)
        return previewer.preview(_edited, narrative_id), previewer.is_classified(_current, narrative_id)


def draw_preview(view: View, book: Book, edited: Codebook, narrative_id: str) -> None:
    """Draw what one narrative of the edited codebook would gain and lose, or why there is no preview."""
    text = "Comparing with the paragraphs of the snapshot. The first preview also prepares them …"
    try:
        with st.spinner(text, show_time=True):
            key = (view.handle.built, edited.digest, narrative_id, book.log.last_ids()[0])
            result, classified = _compute_preview(*key, edited, book.current)
    except NarrativesError as error:
        st.warning("There is no preview.", icon=":material/visibility_off:")
        shell.draw_error_text(error)
        return
    after = edited.narratives
    if classified and not result.by_classifier and any(n.id == narrative_id for n in after):
        threshold = next(n.threshold for n in after if n.id == narrative_id)
        st.warning(CLASSIFIER_NOTE + (f" {THRESHOLD_NOTE}" if threshold is not None else ""))
    draw_result(result, book.names.get(narrative_id, narrative_id), narrative_id)


def draw_result(result: PreviewResult, name: str, key: str) -> None:
    """Draw the figures of a preview and examples of what would be gained and lost."""
    cells: list[tuple[str, str, str | None]] = [
        ("Gained", f"{result.gained_count:,}", "Paragraphs that would advance the narrative and do not now."),
        ("Lost", f"{result.lost_count:,}", "Paragraphs that advance it now and would not."),
        ("Kept", f"{result.kept:,}", "Paragraphs that advance it now and after the edit."),
    ]
    shell.draw_metrics(cells, 110)
    share = phrases.format_percent(result.after / max(1, result.statements))
    st.text(
        f"After the next build, {result.after:,} of {result.statements:,} original statement paragraphs ({share}) "
        f"would advance it; in the snapshot, {result.before:,} do."
    )
    if result.unclassified:
        counted = phrases.format_count(result.unclassified, "paragraph")
        st.caption(f"The classifier has not seen {counted} yet; the build classifies them, so the result can differ.")
    for what, examples, count in (
        ("Gained", result.gained, result.gained_count),
        ("Lost", result.lost, result.lost_count),
    ):
        if examples:
            _draw_examples(what, examples, count, key)


def _draw_examples(what: str, examples: Sequence[PreviewExample], count: int, key: str) -> None:
    frame = pd.DataFrame(examples)
    noun = phrases.format_count(count, "paragraph")
    title = f"{what}: {noun}" + (f", the {len(frame)} with the highest scores" if len(frame) < count else "")
    st.markdown(f"**{title}**")
    columns = {
        "score": st.column_config.NumberColumn("Score", format="%.2f", width=60),
        "sentence": TEXT_COLUMN("Sentence", width="large"),
        "date": TEXT_COLUMN("Date", width=90),
        "speaker": TEXT_COLUMN("Speaker", width=120),
        "text": TEXT_COLUMN("Paragraph", width="large"),
    }
    name = f"preview-{what.lower()}-{key}"
    st.dataframe(
        frame, column_config=columns, column_order=list(columns), hide_index=True, height=get_height(len(frame), 6)
    )
    draw_csv_button(f"{what} (CSV)", lambda: frame_to_csv(frame), f"{name}.csv", f"csv-{name}")


def draw_history(book: Book, narrative_id: str) -> None:
    """Draw the edits of a narrative with when, who, why and what, and a button that undoes the latest."""
    st.subheader("History", anchor="history")
    entries = codebook.list_history(book.base, book.edits, narrative_id)
    if not entries:
        st.caption("No edits. The narrative is as in the codebook file.")
        return
    frame = pd.DataFrame(
        {
            "when": [phrases.format_timestamp(e.when) for e in entries],
            "who": [e.who for e in entries],
            "why": [e.why for e in entries],
            "what": ["\n".join(e.changes) for e in entries],
            "edit": [e.edit_id for e in entries],
        }
    )
    columns = {
        "when": TEXT_COLUMN("When", width=150),
        "who": TEXT_COLUMN("Who", width=100),
        "why": TEXT_COLUMN("Why", width=200),
        "what": TEXT_COLUMN("What changed", width="large"),
    }
    st.dataframe(frame, column_config=columns, column_order=list(columns), hide_index=True, key="codebook-history")
    with st.expander("What changed, in full"):
        for entry in entries:
            st.text(f"{phrases.format_timestamp(entry.when)}, {entry.who}: {entry.why}\n" + "\n".join(entry.changes))
    draw_csv_button("History (CSV)", lambda: frame_to_csv(frame), f"history-{narrative_id}.csv", "csv-history")
