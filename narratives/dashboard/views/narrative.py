"""The Narrative page: choice, definition, headline figures, measured quality and lineage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import streamlit as st

from narratives.dashboard import cached_queries, controls, navigation, quality, shell, verdicts
from narratives.dashboard.shell import View
from narratives.dashboard.tables import TEXT_COLUMN
from narratives.measure import suppress_small_bases
from narratives.model import EvidenceQuery, QualityMetrics, Slice, SnapshotManifest, StoreError, SuppressionRule
from narratives.model.slice import Actor
from narratives.render import phrases
from narratives.render.traces import Measure, to_records
from narratives.store import get_page_limits, open_snapshot
from narratives.store.queries import narrative as narrative_queries
from narratives.store.queries.narrative import NarrativeCard

VOICE_SUFFIX = "_voice"  # ends the name of a column that counts one voice, so that none is that of the actor
MAX_LINEAGE_STEPS = 12  # snapshots back that the lineage is followed


@dataclass(frozen=True, slots=True)
class NarrativeContext:
    """The narrative that the page shows, its slice, and the values of the page's controls.

    `slice` has the filters of the sidebar except its narratives; `slice.by` is the period length.
    """

    card: NarrativeCard
    name: str
    slice: Slice
    measure: Measure
    automatic: bool
    measured: QualityMetrics | None
    rule: SuppressionRule

    @property
    def id(self) -> str:
        """Return the id of the narrative."""
        return self.card.narrative_id

    @property
    def own(self) -> Slice:
        """Return the slice of this narrative alone, for files and for links to the evidence."""
        return replace(self.slice, narratives=(self.id,))


def draw_narrative_picker(view: View) -> str:
    """Draw the list of narratives and return the id of the chosen one.

    The initial choice is the only narrative of the sidebar's filter, otherwise the most prevalent one.
    """
    options = cached_queries.load_options(view.handle).narratives
    names = cached_queries.get_narrative_names(view.handle)
    origins = dict(zip(options["narrative_id"], options["origin"], strict=True))
    named = view.slice.narratives
    start = named[0] if len(named) == 1 else options["narrative_id"].iloc[options["paragraphs"].argmax()]
    listed = {key: name + (" (discovered)" if origins[key] == "discovered" else "") for key, name in names.items()}
    return controls.draw_selectbox(
        "Narrative to show",
        navigation.NARRATIVE_PARAMETER,
        listed,
        str(start),
        help="The narrative filter of the sidebar only sets the initial choice here. All other filters apply "
        "to this page.",
    )


def build_context(view: View, key: str, measured: Sequence[QualityMetrics]) -> NarrativeContext:
    """Return the context of the narrative `key`, with the defaults of the page's controls."""
    return NarrativeContext(
        card=cached_queries.load_card(view.handle, key),
        name=cached_queries.get_narrative_names(view.handle)[key],
        slice=replace(view.slice, narratives=()),
        measure="share",
        automatic=True,
        measured=next((row for row in measured if row.narrative_id == key), None),
        rule=cached_queries.get_suppression_rule(view.handle),
    )


def draw_controls(view: View, context: NarrativeContext) -> NarrativeContext:
    """Draw the controls for measure and period length and return the context with their values."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        measure = controls.draw_measure_control()
        length = controls.draw_period_control(
            "Auto picks the shortest period with enough text for a share of this narrative."
        )
    by = length
    if by == "auto":
        by = cached_queries.select_narrative_granularity(view.handle, context.slice, context.id)
    return replace(context, slice=replace(context.slice, by=by), measure=measure, automatic=length == "auto")


@cached_queries.cache_shared()
def load_actors(handle: cached_queries.Handle, s: Slice, about: str, actor: Actor) -> pd.DataFrame:
    """List who advances the narrative: `actor`, the counts by voice (`own_voice` and so on), and the share.

    Most paragraphs first. The denominator of the share is the actor's own paragraphs in the slice.
    """
    voices = narrative_queries.query_group_voices(cached_queries.get_snapshot(handle), s, about, actor)
    wide = voices.pivot(index=actor, columns="voice", values="paragraphs").fillna(0).astype("int64")
    wide = wide.add_suffix(VOICE_SUFFIX)
    # The rule compares with the count expected at the overall share, which is that of all actors together.
    shares, rule = cached_queries.load_shares(handle, s, about, actor), cached_queries.get_suppression_rule(handle)
    rows = suppress_small_bases(shares, rule)
    rows = rows[rows["paragraphs"] > 0].sort_values(["paragraphs", actor], ascending=[False, True], kind="stable")
    return rows.merge(wide.reset_index(), on=actor, how="left").reset_index(drop=True)


def draw_headline(view: View, context: NarrativeContext) -> bool:
    """Draw the headline figures; return False, after the empty state, if the slice has no paragraph of it."""
    rows = to_records(cached_queries.load_overall_share(view.handle, context.slice, context.id))
    if not rows or not rows[0]["paragraphs"]:

        def count(s: Slice) -> int:
            return cached_queries.count_paragraphs(view.handle, EvidenceQuery(replace(s, narratives=(context.id,))))

        hint = f"No paragraph in this selection advances {context.name}."
        shell.draw_empty_state(view, context.slice, count, "statement paragraph", [hint])
        return False
    row = rows[0]
    speakers = load_actors(view.handle, context.slice, context.id, "speaker")
    outlets = load_actors(view.handle, context.slice, context.id, "outlet")
    reason = phrases.explain_no_correction(row, context.measured)
    corrected = phrases.format_limits(row, "corrected")
    denominator = phrases.describe_denominator(context.slice, int(row["total_paragraphs"]))
    cells: list[tuple[str, str, str | None]] = [
        ("Paragraphs", f"{int(row['paragraphs']):,}", f"Out of {denominator}. Undated paragraphs are included."),
        (
            "Share, 95 % interval",
            phrases.format_limits(row),
            f"No share: {row['base_reason']}." if not row["base_ok"] else f"Out of {denominator}.",
        ),
        (
            "Expected share" if row["correction"] == "expected" else "Corrected share",
            corrected,
            "See below." if reason else phrases.make_sentence(phrases.CORRECTION_METHODS.get(row["correction"], "")),
        ),
        ("Named speakers", f"{(speakers['speaker'] != '').sum():,}", None),
        ("Outlets", f"{len(outlets):,}", None),
    ]
    shell.draw_metrics(cells, 170)
    if reason:
        # A spot check helps only if recall is known, and uses only the latest snapshot.
        recall = context.measured.recall if context.measured else 0
        checked = context.id in cached_queries.load_spot_checks(view.handle) or shell.get_pinned_snapshot_id()
        useful = recall > 0 and not checked and reason != phrases.TOO_LITTLE_TEXT
        hint = phrases.SPOT_CHECK_HINT if useful else ""
        st.caption(f"{phrases.escape_markdown(f'No corrected share: {reason}.')} {hint}")
    return True


def draw_quality(view: View, context: NarrativeContext, measured: Mapping[str, QualityMetrics]) -> None:
    """Draw how well the matching of this narrative agrees with reference labels, with the caveat."""
    st.subheader("Measured quality", anchor=False)
    if context.card.origin == "discovered":
        st.text("A discovered narrative has no definition, so its matching cannot be measured.")
        return
    if checked := quality.describe_spot_checks(view, context.id):
        st.caption(checked)
    if context.measured is None:
        st.caption(quality.NOT_MEASURED)
        return
    rows = [context.measured, *([measured[""]] if "" in measured else [])]
    quality.draw_quality_table(view, rows)
    st.caption(f"{quality.HOW_TO_READ} {quality.describe_caveat(view)}")


def draw_lineage(view: View, context: NarrativeContext) -> None:
    """Draw the history of the narrative from snapshot to snapshot."""
    st.subheader("Lineage", anchor=False)
    history = load_lineage(view.handle, context.id)
    rows = phrases.build_lineage_table(history, context.id)
    st.caption(
        "What each build changed about this narrative, latest first, for the snapshots still in the store. "
        "With the same definition and the same matcher, the same texts give the same counts."
    )
    st.dataframe(rows, hide_index=True, height="content", column_config={"What changed": TEXT_COLUMN(width="large")})


def load_lineage(
    handle: cached_queries.Handle, about: str
) -> list[tuple[SnapshotManifest, pd.DataFrame, dict[str, str]]]:
    """Return the narrative's history, latest first: each snapshot's manifest, changes, and names.

    Follows at most `MAX_LINEAGE_STEPS` predecessors, as far as the store still has them.
    """
    steps, at = [], handle
    for _ in range(MAX_LINEAGE_STEPS):
        try:
            step = _load_lineage_events(at, about)
        except StoreError:
            break  # that snapshot was removed: its own predecessor is not known
        steps.append(step)
        if not step[0].predecessor:
            break
        at = cached_queries.Handle(handle.store, step[0].predecessor)
    return steps


@cached_queries.cache_shared(max_entries=160)
def _load_lineage_events(
    handle: cached_queries.Handle, about: str
) -> tuple[SnapshotManifest, pd.DataFrame, dict[str, str]]:
    """Return one snapshot's changes of the narrative, with the old and new names of related narratives."""
    meta, rows, names = _load_lineage(handle)
    concerned = (rows["subject"] == about) | rows["related"].map(lambda ids: about in list(ids))
    return meta, rows[concerned.astype(bool)].reset_index(drop=True), names


@cached_queries.cache_shared(max_entries=2 * MAX_LINEAGE_STEPS)
def _load_lineage(handle: cached_queries.Handle) -> tuple[SnapshotManifest, pd.DataFrame, dict[str, str]]:
    """Return one snapshot's changes of all narratives, with the old and new names of narratives and clusters."""
    with closing(open_snapshot(Path(handle.store), handle.snapshot_id, get_page_limits())) as snapshot:
        rows = snapshot.lineage()
        ids = sorted({*rows["subject"], *(key for ids in rows["related"] for key in ids)})
        names, meta = narrative_queries.query_cluster_names(snapshot, ids), snapshot.meta()
    if ids and meta.predecessor:
        # Where that snapshot was removed, the old names are not known.
        store, limits = Path(handle.store), get_page_limits()
        with suppress(StoreError), closing(open_snapshot(store, meta.predecessor, limits)) as before:
            names = {**narrative_queries.query_cluster_names(before, ids), **names}
    return meta, rows, names


def draw_narrative_opener(view: View) -> None:
    """Draw a list of narratives for another page; choosing one opens its page."""
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
    if narrative_id := st.session_state.get("open-narrative"):
        navigation.open_page(navigation.NARRATIVE_PAGE, navigation.read_filters(), about=narrative_id)


_MAX_FIRST_EXEMPLARS = 3  # exemplars shown before the rest
_MAX_CENTRAL = 3  # paragraphs of a discovered narrative


def draw_definition(view: View, card: NarrativeCard) -> None:
    """Draw the codebook definition of a narrative, or the content of a discovered one."""
    names = cached_queries.get_narrative_names(view.handle)
    st.header(phrases.escape_markdown(names[card.narrative_id]), anchor=False)
    if card.origin == "discovered":
        _draw_candidate(view, card, names)
        return
    st.markdown(phrases.escape_markdown(card.definition))
    with st.container(border=True):
        if not card.complete:
            st.caption(
                "This snapshot was built before includes, excludes and exemplars were stored. The next build adds them."
            )
        if card.includes or card.excludes:
            left, right = st.columns(2, gap="medium")
            _draw_bullets(left, "Includes", card.includes)
            _draw_bullets(right, "Excludes", card.excludes)
        _draw_bullets(st, "Examples of statements that advance it", card.exemplars[:_MAX_FIRST_EXEMPLARS])
        rest = len(card.exemplars) - _MAX_FIRST_EXEMPLARS
        if rest > 0:
            with st.expander(f"{rest} more examples, and the cues"):
                _draw_bullets(st, "", card.exemplars[_MAX_FIRST_EXEMPLARS:])
                shell.draw_note(f"Cues (each is strong evidence by itself): {', '.join(card.phrases)}.")
        elif card.phrases:
            shell.draw_note(f"Cues (each is strong evidence by itself): {', '.join(card.phrases)}.")
        if card.exemplars:
            st.caption(
                "All wording here was written for the codebook and is not quoted from anyone. It says nothing "
                "about whether a statement is true."
            )


def _draw_candidate(view: View, card: NarrativeCard, names: Mapping[str, str]) -> None:
    """Draw the content of a discovered narrative."""
    st.markdown(
        "Discovered automatically: nobody has defined it. Its name is a sentence from one of the texts. Paragraphs "
        "of several documents say much the same, and no codebook narrative covers them."
    )
    with st.container(border=True):
        shell.draw_note(f"Distinctive phrases: {', '.join(card.phrases)}.")
        if card.nearest in names:
            draw_narrative_link(view, f"Nearest in the codebook: {names[card.nearest]}", card.nearest)
        central = cached_queries.load_central_paragraphs(view.handle, card.narrative_id, _MAX_CENTRAL)["text"]
        _draw_bullets(st, "Most central paragraphs", list(central))


def _draw_bullets(place: object, title: str, texts: Sequence[str]) -> None:
    if len(texts):
        lines = [f"- {phrases.escape_markdown(' '.join(text.split()))}" for text in texts]
        place.markdown((f"**{title}**\n\n" if title else "") + "\n".join(lines))  # type: ignore[attr-defined]


def draw_narrative_link(view: View, label: str, narrative_id: str) -> None:
    """Draw a button that shows another narrative on this page."""
    st.button(
        phrases.escape_markdown(label),
        key=f"to-{narrative_id}",
        type="tertiary",
        icon=":material/arrow_forward:",
        on_click=navigation.open_page,
        args=(navigation.NARRATIVE_PAGE, view.slice),
        kwargs={navigation.NARRATIVE_PARAMETER: narrative_id},
    )


def draw_paragraphs(view: View, rows: pd.DataFrame, own: Slice, key: str) -> None:
    """Draw paragraphs in full, each with the decisive sentence, a link to the evidence, and buttons for reviewers.

    They advance the only narrative of the slice `own`.
    """
    [about] = own.narratives
    is_defined = cached_queries.load_card(view.handle, about).origin == "codebook"
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
                    help="Show this paragraph with the others of the same day",
                    on_click=navigation.open_evidence,
                    args=(_build_paragraph_slice(row, own),),
                )
            st.markdown(phrases.highlight_sentence(row["text"], row["sentence"]))
            if row["exemplar"]:
                st.caption(f"Nearest exemplar of the codebook: {phrases.escape_markdown(row['exemplar'])}")
            if is_defined:
                verdicts.draw_verdict_buttons(view.handle, row["paragraph_id"], about, row["status"], key)


def _build_paragraph_slice(row: Mapping[str, str], s: Slice) -> Slice:
    """Return the slice of one paragraph's day, speaker and outlet."""
    s = replace(s, speakers=(row["speaker"],), outlets=(row["outlet"],))
    return replace(s, date_from=row["date"], date_to=row["date"]) if row["date"] else s
