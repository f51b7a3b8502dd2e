"""One narrative's page: which one, its headline figures, how well it is found, and its past."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import streamlit as st

from narratives.measure import Base
from narratives.model import Quality, Slice
from narratives.show import controls, data, filters, frame, narrative_data, navigation, quality, words
from narratives.show import narrative_words as said
from narratives.show.frame import View
from narratives.show.marks import Measure, records
from narratives.store.narrative_queries import Card


@dataclass(frozen=True, slots=True)
class About:
    """What the page shows: the narrative, the slice, and what this page's own controls say.

    `slice` has the sidebar's filters without its narratives; its `by` is the length of the periods.
    """

    card: Card
    name: str
    slice: Slice
    measure: Measure
    automatic: bool
    measured: Quality | None
    base: Base

    @property
    def id(self) -> str:
        """The narrative's id."""
        return self.card.narrative_id

    @property
    def own(self) -> Slice:
        """The slice of this narrative alone: what files and links to the evidence are of."""
        return replace(self.slice, narratives=(self.id,))


def choose(view: View) -> str:
    """Draw the list of narratives; returns the id of the chosen one.

    Until one is chosen: the only one that the sidebar's filter names, else the most prevalent.
    """
    found = data.options(view.handle).narratives
    names, origins = data.names(view.handle), dict(zip(found["narrative_id"], found["origin"], strict=True))
    named = view.slice.narratives
    start = named[0] if len(named) == 1 else found["narrative_id"].iloc[found["paragraphs"].argmax()]
    listed = {
        key: name + (" (discovered)" if origins[key] == "discovered" else "") for key, name in names.items()
    }
    return controls.box(
        "Narrative to show",
        navigation.ABOUT,
        listed,
        str(start),
        help="The sidebar's narrative filter sets only what this list starts with; all its other filters "
        "narrow the page.",
    )


def about(view: View, key: str, measured: Sequence[Quality]) -> About:
    """The narrative `key` in the slice of the sidebar, before the page's own controls are asked."""
    return About(
        card=narrative_data.card(view.handle, key),
        name=data.names(view.handle)[key],
        slice=replace(view.slice, narratives=()),
        measure="share",
        automatic=True,
        measured=next((row for row in measured if row.narrative_id == key), None),
        base=data.base(view.handle),
    )


def choices(view: View, shown: About) -> About:
    """Draw share or count and the length of a period, both in the URL; returns what they make of `shown`."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        measure = controls.measure()
        length = controls.period(
            "Auto chooses the shortest period on whose text a share of this narrative can rest."
        )
    auto = length == "auto"
    by = narrative_data.granularity(view.handle, shown.slice, shown.id) if length == "auto" else length
    return replace(shown, slice=replace(shown.slice, by=by), measure=measure, automatic=auto)


def headline(view: View, about: About) -> bool:
    """How much of it there is in the slice; False, with the way out in words, where there is none."""
    rows = records(narrative_data.overall(view.handle, about.slice, about.id))
    if not rows or not rows[0]["paragraphs"]:

        def count(s: Slice) -> int:
            return data.count_paragraphs(view.handle, replace(s, narratives=(about.id,)), "", False)

        frame.nothing(view, about.slice, count, "statement paragraph", [f"None here advances {about.name}."])
        return False
    row = rows[0]
    speakers = narrative_data.actors(view.handle, about.slice, about.id, "speaker")
    outlets = narrative_data.actors(view.handle, about.slice, about.id, "outlet")
    reason = said.uncorrected(row, about.measured)
    corrected = said.limits(row["corrected"], row["corrected_low"], row["corrected_high"])
    denominator = words.denominator(about.slice, int(row["total_paragraphs"]))
    cells = [
        ("Paragraphs", f"{int(row['paragraphs']):,}", f"Of {denominator}; undated ones included."),
        (
            "Share, 95 % interval",
            said.share(row),
            f"No share: {row['base_reason']}." if not row["base_ok"] else f"Of {denominator}.",
        ),
        (
            "Corrected share",
            corrected,
            f"{words.sentence(said.METHODS.get(row['correction'], ''))}" if not reason else "See below.",
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
        unchecked = about.id not in data.spot_checks(view.handle) and not frame.as_of()
        hint = said.WAY_OUT if recall > 0 and unchecked and reason != said.TOO_LITTLE else ""
        st.caption(f"{words.literal(f'No corrected share: {reason}.')} {hint}")
    return True


def measured_quality(view: View, about: About, measured: Mapping[str, Quality]) -> None:
    """How well the matching of this narrative agrees with reference labels, with the caveat."""
    st.subheader("Measured quality", anchor=False)
    if about.card.origin == "discovered":
        st.text("A discovered narrative has no definition, so no label can say what belongs to it.")
        return
    if checked := quality.spot_checked(view, about.id):
        st.caption(checked)
    if about.measured is None:
        st.caption(quality.NOT_MEASURED)
        return
    rows = [about.measured, *([measured[""]] if "" in measured else [])]
    quality.measures(view, rows)
    caveat = words.sentence(data.snapshot(view.handle).quality_caveat())
    st.caption(f"{quality.READING} {words.literal(caveat)}")


def past(view: View, about: About) -> None:
    """What became of the narrative from snapshot to snapshot."""
    st.subheader("Lineage", anchor=False)
    history = narrative_data.lineage(view.handle, about.id)
    rows = said.past(history, about.id)
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


def open_one(view: View) -> None:
    """On another page: a list of narratives, each of which opens its page."""
    names = data.names(view.handle)
    st.selectbox(
        "Open a narrative",
        list(names),
        index=None,
        format_func=names.__getitem__,
        key="open-narrative",
        placeholder="Its definition, changes, speakers and evidence",
        on_change=_open,
    )


def _open() -> None:
    if about := st.session_state.get("open-narrative"):
        navigation.turn_to(navigation.NARRATIVE, filters.current(), about=about)
