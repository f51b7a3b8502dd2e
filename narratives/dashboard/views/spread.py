"""What the page on spread rests on: the kept answers of the store, and who comes first in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

import pandas as pd
import streamlit as st

from narratives.dashboard import cached_queries, shell
from narratives.dashboard.components import chart_panel, controls
from narratives.dashboard.shell import View
from narratives.measure import find_first_uses
from narratives.model import Slice, dates
from narratives.model.dates import parse_partial_date
from narratives.render import phrases, spread_charts
from narratives.render.spread_charts import (
    FIRST_USE_SIGN,
    KTH_USE_SIGN,
    USE_DAY_SIGN,
    format_ordinal,
)
from narratives.store.queries import speakers as speakers_queries
from narratives.store.queries.speakers import Actor


@st.cache_data(max_entries=200, ttl=cached_queries.CACHE_SECONDS, show_spinner=False)
def load_uses(handle: cached_queries.Handle, s: Slice, actor: Actor, narrative_id: str) -> pd.DataFrame:
    """Paragraphs that advance the narrative, by actor and date; those that name no speaker are left out."""
    found = speakers_queries.query_uses(cached_queries.get_snapshot(handle), s, actor, narrative_id)
    return found[found["actor"] != ""].reset_index(drop=True) if actor == "speaker" else found


@st.cache_data(max_entries=60, ttl=cached_queries.CACHE_SECONDS, show_spinner=False)
def load_actor_coverage(handle: cached_queries.Handle, s: Slice, actor: Actor) -> pd.DataFrame:
    """In which months there is any text of each actor: see `spread_queries.coverage`."""
    return speakers_queries.query_monthly_coverage(cached_queries.get_snapshot(handle), s, actor)


@st.cache_data(max_entries=200, ttl=cached_queries.CACHE_SECONDS, show_spinner=False)
def load_copied_uses(handle: cached_queries.Handle, s: Slice, narrative_id: str) -> pd.DataFrame:
    """Copies by the outlet of their original: see `spread_queries.copied`."""
    return speakers_queries.query_narrative_copies(cached_queries.get_snapshot(handle), s, narrative_id)


def compute_first_uses(found: pd.DataFrame, covered: pd.DataFrame, k: int) -> pd.DataFrame:
    """`measure.first_uses` of one narrative, with when each actor is covered and its earliest coarse date.

    Further columns: covered_to (ISO day, or empty) and coarse (the earliest date of a use that is known to
    the month or year only, or empty). Earliest first. Pure.
    """
    sure = covered.groupby("actor")["sure"].min()
    table = find_first_uses(found, dict(sure), k)
    ends = dict(covered.groupby("actor")["last_day"].max())
    partial = found[found["date"].str.len().between(1, 9)]
    coarse = dict(partial.groupby("actor")["date"].min())
    actors = table["actor"].tolist()
    return table.assign(
        covered_to=[ends.get(actor, "") for actor in actors],
        coarse=[coarse.get(actor, "") for actor in actors],
    )


def find_covered_ranges(covered: pd.DataFrame, actor: str) -> list[tuple[date, date]]:
    """First and last days of the stretches in which there is text of the actor in every month. Pure.

    A year that is all the date says counts as a stretch of its own length.
    """
    spans = sorted(dates.get_period_bounds(label) for label in covered.loc[covered["actor"] == actor, "period"])
    joined: list[tuple[date, date]] = []
    for start, end in spans:
        if joined and start <= joined[-1][1] + timedelta(days=1):
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def compute_time_window(covered: pd.DataFrame, s: Slice) -> tuple[date, date]:
    """First and last day of the time axis: the dates asked for, else all that is covered. Pure."""
    first = parse_partial_date(s.date_from)[0] if s.date_from else date.fromisoformat(covered["first_day"].min())
    last = parse_partial_date(s.date_to)[1] if s.date_to else date.fromisoformat(covered["last_day"].max())
    return (first, last) if first <= last else (last, first)


FIRST_USE_CAVEAT = (
    "First means first in the texts collected. Who comes first depends on which texts were collected, on "
    "their dates and on what the machine matches; an order in time says neither who took a narrative from "
    "whom nor why."
)
ACTOR_LABELS: Mapping[Actor, str] = {"outlet": "Outlets", "speaker": "Speakers"}
VIEW_LABELS = {"timeline": "Timeline", "cumulative": "Running total"}
ROW_LIMITS, USE_COUNTS = ("10", "20", "40"), ("2", "3", "5", "10")
MAX_LINES, MAX_NAMED_ACTORS = 6, 3
_SPREAD_COLUMNS = {
    "actor": st.column_config.TextColumn("Who"),
    "uses": st.column_config.NumberColumn("Paragraphs", format="localized"),
    "first": st.column_config.TextColumn("First use"),
    "days_after": st.column_config.NumberColumn("Days after the first of all", format="localized"),
    "kth": st.column_config.TextColumn("k-th paragraph"),
    "days_to_kth": st.column_config.NumberColumn("Days to it", format="localized"),
    "not_to_the_day": st.column_config.NumberColumn(
        "Without a day", format="localized", help="Paragraphs not dated to the day: no part in the order."
    ),
    "coarse": st.column_config.TextColumn("Earliest of those"),
    "covered_from": st.column_config.TextColumn("Text from"),
    "covered_to": st.column_config.TextColumn("Text to"),
    "covered_before": st.column_config.CheckboxColumn(
        "Text before the first of all", help="Where not, an earlier use could not be seen."
    ),
}
_COPY_COLUMNS = {
    "original_outlet": st.column_config.TextColumn("Outlet of the original"),
    "outlet": st.column_config.TextColumn("Outlet of the copy"),
    "paragraphs": st.column_config.NumberColumn("Paragraphs", format="localized"),
    "documents": st.column_config.NumberColumn("Documents", format="localized"),
    "first": st.column_config.TextColumn("First copy"),
}


@dataclass(frozen=True, slots=True)
class SpreadSettings:
    """What this page's own controls say."""

    narrative: str
    name: str
    actor: Actor
    view: str
    rows: int
    k: int


def choices(view: View) -> SpreadSettings:
    """Draw the narrative, whom to follow, the view and how much of it; all in the address."""
    names, found = cached_queries.get_narrative_names(view.handle), cached_queries.load_options(view.handle)
    offered = [key for key in names if not view.slice.narratives or key in view.slice.narratives]
    most = found.narratives.sort_values("paragraphs", ascending=False, kind="stable")["narrative_id"]
    usual = next(key for key in most if key in offered)
    several = sum(bool(name) for name, _ in found.outlets) > 1
    narrative = controls.box("Narrative", "of", {key: names[key] for key in offered}, usual)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        who = controls.choice("Who", "who", ACTOR_LABELS, "outlet" if several else "speaker")
        shown = controls.choice("Show as", "spread-view", VIEW_LABELS)
        rows, k = "20", "3"
        if shown == "timeline":
            rows = controls.choice("At most", "spread-rows", {n: n for n in ROW_LIMITS}, rows)
            k = controls.choice(
                "Mark paragraph number",
                "uses",
                {n: n for n in USE_COUNTS},
                k,
                help="One paragraph may be chance: the mark says when there were this many.",
            )
    return SpreadSettings(narrative, names[narrative], who, shown, int(rows), int(k))


def draw_empty_state(view: View, choice: SpreadSettings) -> None:
    """The empty state: nobody in the slice advances the narrative."""

    def count(s: Slice) -> int:
        return int(load_uses(view.handle, s, choice.actor, choice.narrative)["paragraphs"].sum())

    hints = [] if choice.actor == "outlet" else ["Paragraphs that name no speaker stand with the outlets only."]
    s = replace(view.slice, narratives=())
    shell.draw_empty_state(view, s, count, "advancing statement paragraph", hints)
    shell.draw_note(FIRST_USE_CAVEAT)


def draw_spread(view: View, choice: SpreadSettings) -> None:
    """Who advanced it when: in words, and as a timeline or running totals."""
    found = load_uses(view.handle, view.slice, choice.actor, choice.narrative)
    covered = load_actor_coverage(view.handle, view.slice, choice.actor)
    table = compute_first_uses(found, covered, choice.k)
    s = replace(view.slice, narratives=(choice.narrative,))
    said = describe_spread(table, choice.actor)
    st.text(said)
    dated = table[table["first"] != ""]
    if covered.empty or (choice.view == "cumulative" and dated.empty):
        st.info("No use is dated to the day, so there is no order to draw.", icon=":material/info:")
        return
    window = compute_time_window(covered, view.slice)
    most = choice.rows if choice.view == "timeline" else MAX_LINES
    chosen = (table if choice.view == "timeline" else dated).sort_values("uses", ascending=False, kind="stable")
    rows = table.loc[chosen.head(most).index.sort_values()]
    runs = {actor: find_covered_ranges(covered, actor) for actor in rows["actor"]}

    def figures() -> chart_panel.Figures:
        if choice.view == "timeline":
            figure = spread_charts.build_timeline_figure(rows, found, runs, window, choice.actor, choice.k)
        else:
            figure = spread_charts.build_cumulative_figure(rows, found, window, choice.actor)
        return [(f"spread-{choice.view}", figure, said)]

    drawn = chart_panel.ChartPanel(
        key="spread",
        title=f"{choice.name}: {ACTOR_LABELS[choice.actor].lower()}",
        how=_describe_chart(view, choice, table, len(rows)),
        summary=said,
        table=rows,
        slice=s,
        columns=_SPREAD_COLUMNS,
        extra={"who": choice.actor, "k": str(choice.k)},
    )
    chart_panel.draw_panel(view, drawn, figures)


def describe_spread(table: pd.DataFrame, actor: Actor) -> str:
    """Who comes first and how soon others follow, in a few sentences. Pure."""
    noun = "outlet" if actor == "outlet" else "speaker"
    dated = table[table["first"] != ""]
    verb = "advances" if len(table) == 1 else "advance"
    uses = phrases.format_count(int(table["uses"].sum()), "statement paragraph")
    lines = [f"{phrases.format_count(len(table), noun)} {verb} it here, in {uses}."]
    if len(dated):
        at = dated["first"].iloc[0]
        first = dated[dated["first"] == at]
        then = dated[dated["first"] > at].head(MAX_NAMED_ACTORS)
        lines.append(
            f"First in the texts collected: {phrases.format_list(first['actor'].tolist())}, "
            f"{phrases.format_partial_date(at)}."
        )
        if len(then):
            followed = [
                f"{name or phrases.NOBODY} {phrases.format_count(int(after), 'day')} later"
                for name, after in zip(then["actor"], then["days_after"], strict=True)
            ]
            lines.append(f"Next: {', '.join(followed)}.")
        unseen = int((~dated["covered_before"]).sum())
        if unseen:
            lines.append(
                f"For {phrases.format_count(unseen, noun)} there is no text from before that day, so that an "
                "earlier use could not be seen."
            )
    coarse = int(table["not_to_the_day"].sum())
    if coarse:
        verb, has = ("is", "has") if coarse == 1 else ("are", "have")
        lines.append(
            f"{phrases.format_count(coarse, 'paragraph')} {verb} not dated to the day and {has} no part in this "
            "order, though some may be earlier."
        )
    return " ".join(lines)


def _describe_chart(view: View, choice: SpreadSettings, table: pd.DataFrame, shown: int) -> str:
    noun = "outlet" if choice.actor == "outlet" else "speaker"
    span = phrases.format_date_range(view.slice)
    what = (
        f"Statement paragraphs{phrases.describe_attribution(view.slice)}{f' dated {span}' if span else ''} that advance "  # noqa: E501
        f"{choice.name}; {phrases.describe_copies(view.slice)}."
    )
    which = f"The {shown} {noun}s with most of them, of {len(table):,}." if shown < len(table) else ""
    if choice.view == "timeline":
        marks = (
            f"Earliest first; the number is how many paragraphs. {FIRST_USE_SIGN} first use, larger with more "
            f"paragraphs; {KTH_USE_SIGN} the {format_ordinal(choice.k)} paragraph; {USE_DAY_SIGN} every day with one. Grey: months "  # noqa: E501
            f"with any text at all of the {noun}, whatever it says (years, where the dates say no more); "
            "outside nothing was collected. A hollow circle: the day is not known."
        )
    else:
        marks = "How many paragraphs there had been by each day. The lines rise with how much was collected."
    return " ".join(filter(None, [what, which, marks, FIRST_USE_CAVEAT]))


def draw_copies(view: View, choice: SpreadSettings) -> None:
    """How many paragraphs are copies, and from which outlet to which."""
    everything = replace(view.slice, copies="all")
    total = int(load_uses(view.handle, everything, "outlet", choice.narrative)["paragraphs"].sum())
    pairs = load_copied_uses(view.handle, view.slice, choice.narrative)
    number = int(pairs["paragraphs"].sum())
    advance = "advances" if total == 1 else "advance"
    how = (
        f"{phrases.format_count(total, 'statement paragraph')} {advance} {choice.name} here, copies included; "
        f"{number:,} of them repeat an earlier paragraph, exactly or nearly. The earliest "
        "dated one counts as the original, as far as it was collected."
    )
    if pairs.empty:
        st.subheader("Copies", anchor=False)
        shell.draw_note(how)
        return
    drawn = chart_panel.ChartPanel(
        key="copies",
        title="Copies",
        how=how,
        summary=how,
        table=pairs.assign(
            original_outlet=pairs["original_outlet"].replace("", phrases.NOBODY),
            outlet=pairs["outlet"].replace("", phrases.NOBODY),
        ),
        slice=replace(view.slice, narratives=(choice.narrative,), copies="copies"),
        columns=_COPY_COLUMNS,
    )
    chart_panel.draw_panel(view, drawn, None)
