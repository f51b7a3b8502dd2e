"""One narrative's page: which one, its headline figures, how well it is found, and its past."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd
import streamlit as st

from narratives.dashboard import cached_queries, navigation, shell, sidebar
from narratives.dashboard.components import controls, quality
from narratives.dashboard.shell import View
from narratives.model import QualityMetrics, Slice, SuppressionRule
from narratives.render import narrative_phrases, phrases
from narratives.render.traces import Measure, to_records
from narratives.store.queries.narrative import NarrativeCard


@dataclass(frozen=True, slots=True)
class NarrativeContext:
    """What the page shows: the narrative, the slice, and what this page's own controls say.

    `slice` has the sidebar's filters without its narratives; its `by` is the length of the periods.
    """

    card: NarrativeCard
    name: str
    slice: Slice
    measure: Measure
    automatic: bool
    measured: QualityMetrics | None
    base: SuppressionRule

    @property
    def id(self) -> str:
        """The narrative's id."""
        return self.card.narrative_id

    @property
    def own(self) -> Slice:
        """The slice of this narrative alone: what files and links to the evidence are of."""
        return replace(self.slice, narratives=(self.id,))


def draw_narrative_picker(view: View) -> str:
    """Draw the list of narratives; returns the id of the chosen one.

    Until one is chosen: the only one that the sidebar's filter names, else the most prevalent.
    """
    found = cached_queries.load_options(view.handle).narratives
    names, origins = (
        cached_queries.get_narrative_names(view.handle),
        dict(zip(found["narrative_id"], found["origin"], strict=True)),
    )
    named = view.slice.narratives
    start = named[0] if len(named) == 1 else found["narrative_id"].iloc[found["paragraphs"].argmax()]
    listed = {key: name + (" (discovered)" if origins[key] == "discovered" else "") for key, name in names.items()}
    return controls.box(
        "Narrative to show",
        navigation.NARRATIVE_PARAMETER,
        listed,
        str(start),
        help="The sidebar's narrative filter sets only what this list starts with; all its other filters "
        "narrow the page.",
    )


def build_context(view: View, key: str, measured: Sequence[QualityMetrics]) -> NarrativeContext:
    """The narrative `key` in the slice of the sidebar, before the page's own controls are asked."""
    return NarrativeContext(
        card=cached_queries.load_card(view.handle, key),
        name=cached_queries.get_narrative_names(view.handle)[key],
        slice=replace(view.slice, narratives=()),
        measure="share",
        automatic=True,
        measured=next((row for row in measured if row.narrative_id == key), None),
        base=cached_queries.get_suppression_rule(view.handle),
    )


def choices(view: View, shown: NarrativeContext) -> NarrativeContext:
    """Draw share or count and the length of a period, both in the URL; returns what they make of `shown`."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        measure = controls.measure()
        length = controls.period("Auto chooses the shortest period on whose text a share of this narrative can rest.")
    auto = length == "auto"
    by = cached_queries.select_narrative_granularity(view.handle, shown.slice, shown.id) if length == "auto" else length
    return replace(shown, slice=replace(shown.slice, by=by), measure=measure, automatic=auto)


def draw_headline(view: View, about: NarrativeContext) -> bool:
    """How much of it there is in the slice; False, with the way out in words, where there is none."""
    rows = to_records(cached_queries.load_overall_share(view.handle, about.slice, about.id))
    if not rows or not rows[0]["paragraphs"]:

        def count(s: Slice) -> int:
            return cached_queries.count_paragraphs(view.handle, replace(s, narratives=(about.id,)), "", False)

        shell.draw_empty_state(view, about.slice, count, "statement paragraph", [f"None here advances {about.name}."])
        return False
    row = rows[0]
    speakers = cached_queries.load_actors(view.handle, about.slice, about.id, "speaker")
    outlets = cached_queries.load_actors(view.handle, about.slice, about.id, "outlet")
    reason = narrative_phrases.explain_no_correction(row, about.measured)
    corrected = phrases.format_limits(row, "corrected")
    denominator = phrases.describe_denominator(about.slice, int(row["total_paragraphs"]))
    cells = [
        ("Paragraphs", f"{int(row['paragraphs']):,}", f"Of {denominator}; undated ones included."),
        (
            "Share, 95 % interval",
            phrases.format_limits(row),
            f"No share: {row['base_reason']}." if not row["base_ok"] else f"Of {denominator}.",
        ),
        (
            "Corrected share",
            corrected,
            f"{phrases.make_sentence(narrative_phrases.CORRECTION_METHODS.get(row['correction'], ''))}"
            if not reason
            else "See below.",
        ),
        ("Named speakers", f"{(speakers['speaker'] != '').sum():,}", None),
        ("Outlets", f"{len(outlets):,}", None),
    ]
    grid = st.grid("auto", min_column_width=170, gap="small")
    for label, value, note in cells:
        grid.metric(label, value, help=note)
    if reason:
        # A spot check helps where recall is known, and draws from the latest snapshot only.
        recall = about.measured.recall if about.measured else 0
        unchecked = about.id not in cached_queries.load_spot_checks(view.handle) and not shell.get_pinned_snapshot_id()
        hint = (
            narrative_phrases.SPOT_CHECK_HINT
            if recall > 0 and unchecked and reason != narrative_phrases.TOO_LITTLE_TEXT
            else ""
        )
        st.caption(f"{phrases.escape_markdown(f'No corrected share: {reason}.')} {hint}")
    return True


def draw_quality(view: View, about: NarrativeContext, measured: Mapping[str, QualityMetrics]) -> None:
    """How well the matching of this narrative agrees with reference labels, with the caveat."""
    st.subheader("Measured quality", anchor=False)
    if about.card.origin == "discovered":
        st.text("A discovered narrative has no definition, so no label can say what belongs to it.")
        return
    if checked := quality.describe_spot_checks(view, about.id):
        st.caption(checked)
    if about.measured is None:
        st.caption(quality.NOT_MEASURED)
        return
    rows = [about.measured, *([measured[""]] if "" in measured else [])]
    quality.draw_quality_table(view, rows)
    caveat = phrases.make_sentence(cached_queries.get_snapshot(view.handle).quality_caveat())
    st.caption(f"{quality.HOW_TO_READ} {phrases.escape_markdown(caveat)}")


def draw_lineage(view: View, about: NarrativeContext) -> None:
    """What became of the narrative from snapshot to snapshot."""
    st.subheader("Lineage", anchor=False)
    history = cached_queries.load_lineage(view.handle, about.id)
    rows = narrative_phrases.build_lineage_table(history, about.id)
    st.caption(
        "What each build changed about this narrative, latest first, as far as the store still has the "
        "snapshots. The same definition under the same matcher gives the same counts for the same texts."
    )
    st.dataframe(
        rows,
        hide_index=True,
        height="content",
        column_config={"What changed": st.column_config.TextColumn(width="large")},
    )


def draw_narrative_opener(view: View) -> None:
    """On another page: a list of narratives, each of which opens its page."""
    names = cached_queries.get_narrative_names(view.handle)
    st.selectbox(
        "Open a narrative",
        list(names),
        index=None,
        format_func=names.__getitem__,
        key="open-narrative",
        placeholder="Its definition, changes, speakers and evidence",
        on_change=_open_narrative,
    )


def _open_narrative() -> None:
    if about := st.session_state.get("open-narrative"):
        navigation.open_page(navigation.NARRATIVE_PAGE, sidebar.read_filters(), about=about)


_MAX_FIRST_EXEMPLARS = 3  # exemplars shown before the rest


def draw_definition(view: View, card: NarrativeCard) -> None:
    """What the narrative says: the codebook's words, or what a discovered candidate consists of."""
    names = cached_queries.get_narrative_names(view.handle)
    st.header(phrases.escape_markdown(names[card.narrative_id]), anchor=False)
    if card.origin == "discovered":
        _draw_candidate(view, card, names)
        return
    st.markdown(phrases.escape_markdown(card.definition))
    with st.container(border=True):
        if not card.complete:
            st.caption(
                "This snapshot was built before includes, excludes and exemplars were kept with it; the next "
                "build will show them."
            )
        if card.includes or card.excludes:
            left, right = st.columns(2, gap="medium")
            _draw_bullets(left, "Includes", card.includes)
            _draw_bullets(right, "Excludes", card.excludes)
        _draw_bullets(st, "Statements that advance it, such as", card.exemplars[:_MAX_FIRST_EXEMPLARS])
        rest = len(card.exemplars) - _MAX_FIRST_EXEMPLARS
        if rest > 0:
            with st.expander(f"{rest} more, and the cues"):
                _draw_bullets(st, "", card.exemplars[_MAX_FIRST_EXEMPLARS:])
                shell.draw_note(f"Cues, strong evidence by themselves: {', '.join(card.phrases)}.")
        elif card.phrases:
            shell.draw_note(f"Cues, strong evidence by themselves: {', '.join(card.phrases)}.")
        if card.exemplars:
            st.caption(
                "All wording here is the codebook's, written for it and not quoted from anybody; that a "
                "statement stands here says nothing about its truth."
            )


def _draw_candidate(view: View, card: NarrativeCard, names: Mapping[str, str]) -> None:
    """A discovered candidate: nobody has defined it; its name is a clause that others come near to."""
    st.markdown(
        "Discovered: nobody has defined it. Its name is a clause from one of the texts, to which paragraphs "
        "of several documents come near, and which no narrative of the codebook explains."
    )
    with st.container(border=True):
        shell.draw_note(f"Distinctive phrases: {', '.join(card.phrases)}.")
        if card.nearest in names:
            draw_narrative_link(view, f"Nearest in the codebook: {names[card.nearest]}", card.nearest)
        central = cached_queries.load_central_paragraphs(view.handle, card.narrative_id)["text"]
        _draw_bullets(st, "Most central paragraphs", list(central))


def _draw_bullets(place: object, title: str, texts: Sequence[str]) -> None:
    if len(texts):
        lines = [f"- {phrases.escape_markdown(' '.join(text.split()))}" for text in texts]
        place.markdown((f"**{title}**\n\n" if title else "") + "\n".join(lines))  # type: ignore[attr-defined]


def draw_narrative_link(view: View, label: str, about: str) -> None:
    """A button that shows another narrative on this page."""
    st.button(
        phrases.escape_markdown(label),
        key=f"to-{about}",
        type="tertiary",
        icon=":material/arrow_forward:",
        on_click=navigation.open_page,
        args=(navigation.NARRATIVE_PAGE, view.slice),
        kwargs={navigation.NARRATIVE_PARAMETER: about},
    )


def draw_paragraphs(rows: pd.DataFrame, own: Slice, key: str) -> None:
    """Paragraphs in full with what decided, and a way to each of them in the evidence."""
    for number, row in enumerate(to_records(rows)):
        with st.container(border=True):
            parts = (
                phrases.format_partial_date(row["date"]) or "undated",
                row["speaker"],
                phrases.VOICE_LABELS.get(row["voice"], ""),
            )
            top = " · ".join(filter(None, [*parts, row["outlet"], f"score {row['score']:.2f}"]))
            with st.container(horizontal=True, vertical_alignment="center"):
                st.caption(phrases.escape_markdown(top), width="stretch")
                st.button(
                    "Evidence",
                    key=f"{key}-{number}",
                    type="tertiary",
                    icon=":material/article:",
                    help="Show it among the paragraphs of its day",
                    on_click=navigation.open_evidence,
                    args=(_build_paragraph_slice(row, own),),
                )
            st.markdown(narrative_phrases.highlight_sentence(row["text"], row["sentence"]))
            if row["exemplar"]:
                st.caption(f"Nearest exemplar of the codebook: {phrases.escape_markdown(row['exemplar'])}")


def _build_paragraph_slice(row: Mapping[str, str], s: Slice) -> Slice:
    """The slice of one paragraph's day, speaker and outlet."""
    s = replace(s, speakers=(row["speaker"],), outlets=(row["outlet"],))
    return replace(s, date_from=row["date"], date_to=row["date"]) if row["date"] else s
