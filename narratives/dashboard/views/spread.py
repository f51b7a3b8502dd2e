"""The Spread page: first uses by outlet and speaker, running totals, and copies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

import pandas as pd
import streamlit as st

from narratives.dashboard import cached_queries, chart_panel, controls, shell
from narratives.dashboard.shell import View
from narratives.dashboard.tables import COUNT_COLUMN, TEXT_COLUMN
from narratives.measure import find_first_uses
from narratives.model import Slice, dates
from narratives.model.dates import parse_partial_date
from narratives.model.slice import Actor
from narratives.render import phrases, spread_charts
from narratives.render.spread_charts import FIRST_USE_SIGN, KTH_USE_SIGN, USE_DAY_SIGN, format_ordinal
from narratives.store.queries import speakers as speakers_queries


@cached_queries.cache_shared()
def load_uses(handle: cached_queries.Handle, s: Slice, actor: Actor, narrative_id: str) -> pd.DataFrame:
    """Load paragraphs that advance the narrative, by actor and date; those without a speaker are left out."""
    uses = speakers_queries.query_uses(cached_queries.get_snapshot(handle), s, actor, narrative_id)
    return uses[uses["actor"] != ""].reset_index(drop=True) if actor == "speaker" else uses


_load_coverage = cached_queries.cache_query(speakers_queries.query_monthly_coverage)
load_copied_uses = cached_queries.cache_query(speakers_queries.query_narrative_copies)


def load_actor_coverage(handle: cached_queries.Handle, s: Slice, actor: Actor) -> pd.DataFrame:
    """Load the months with any text of each actor, of which the slice selects the speakers and outlets only."""
    return _load_coverage(handle, Slice(speakers=s.speakers, outlets=s.outlets), actor)


def compute_first_uses(uses: pd.DataFrame, covered: pd.DataFrame, k: int) -> pd.DataFrame:
    """Return the first uses of one narrative, earliest first: see `measure.find_first_uses`.

    Further columns: covered_to (ISO day, or empty) and coarse (the earliest date of a use that is known only
    to the month or year, or empty).
    """
    starts: dict[str, str] = {}
    ends: dict[str, str] = {}
    coarse: dict[str, str] = {}
    columns = (covered[name].tolist() for name in ("actor", "sure", "last_day"))
    for actor, sure, last in zip(*columns, strict=True):
        starts[actor] = min(starts.get(actor, sure), sure)
        ends[actor] = max(ends.get(actor, last), last)
    for actor, day in zip(uses["actor"].tolist(), uses["date"].tolist(), strict=True):
        if 0 < len(day) < 10:  # known only to the month or year
            coarse[actor] = min(coarse.get(actor, day), day)
    table = find_first_uses(uses, starts, k)
    actors = table["actor"].tolist()
    return table.assign(
        covered_to=[ends.get(actor, "") for actor in actors], coarse=[coarse.get(actor, "") for actor in actors]
    )


def find_covered_ranges(covered: pd.DataFrame, actor: str) -> list[tuple[date, date]]:
    """Return the first and last day of each range in which every month has text of the actor.

    A date that gives only the year covers the whole year.
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
    """Return the first and last day of the time axis: the chosen dates, otherwise all covered dates."""
    first = parse_partial_date(s.date_from)[0] if s.date_from else date.fromisoformat(covered["first_day"].min())
    last = parse_partial_date(s.date_to)[1] if s.date_to else date.fromisoformat(covered["last_day"].max())
    return (first, last) if first <= last else (last, first)


FIRST_USE_CAVEAT = (
    "“First” means first in the texts collected. It depends on which texts were collected, how they are dated, "
    "and what the matching finds. The order in time does not show who took a narrative from whom, or why."
)
ACTOR_LABELS: Mapping[Actor, str] = {"outlet": "Outlets", "speaker": "Speakers"}
VIEW_LABELS = {"timeline": "Timeline", "cumulative": "Running total"}
ROW_LIMITS, USE_COUNTS = ("10", "20", "40"), ("2", "3", "5", "10")
MAX_LINES, MAX_NAMED_ACTORS = 6, 3
_SPREAD_COLUMNS = {
    "actor": TEXT_COLUMN("Who"),
    "uses": COUNT_COLUMN("Paragraphs"),
    "first": TEXT_COLUMN("First use"),
    "days_after": COUNT_COLUMN("Days after the first use"),
    "kth": TEXT_COLUMN("k-th paragraph"),
    "days_to_kth": COUNT_COLUMN("Days to it"),
    "not_to_the_day": COUNT_COLUMN(
        "Without a day", help="Paragraphs without an exact day. They are not in this order."
    ),
    "coarse": TEXT_COLUMN("Earliest of those"),
    "covered_from": TEXT_COLUMN("Text from"),
    "covered_to": TEXT_COLUMN("Text to"),
    "covered_before": st.column_config.CheckboxColumn(
        "Text before the first use", help="If there is none, an earlier use cannot be ruled out."
    ),
}
_COPY_COLUMNS = {
    "original_outlet": TEXT_COLUMN("Outlet of the original"),
    "outlet": TEXT_COLUMN("Outlet of the copy"),
    "paragraphs": COUNT_COLUMN("Paragraphs"),
    "documents": COUNT_COLUMN("Documents"),
    "first": TEXT_COLUMN("First copy"),
}


@dataclass(frozen=True, slots=True)
class SpreadSettings:
    """The values of this page's controls."""

    narrative: str
    name: str
    actor: Actor
    view: str
    rows: int
    k: int


def draw_controls(view: View) -> SpreadSettings:
    """Draw the controls of the page and return their values, which are kept in the URL."""
    names, options = cached_queries.get_narrative_names(view.handle), cached_queries.load_options(view.handle)
    offered = [key for key in names if not view.slice.narratives or key in view.slice.narratives]
    most = options.narratives.sort_values("paragraphs", ascending=False, kind="stable")["narrative_id"]
    usual = next(key for key in most if key in offered)
    several = sum(bool(name) for name, _ in options.outlets) > 1
    narrative = controls.draw_selectbox("Narrative", "of", {key: names[key] for key in offered}, usual)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        who = controls.draw_segmented_control("Who", "who", ACTOR_LABELS, "outlet" if several else "speaker")
        shown = controls.draw_segmented_control("Show as", "spread-view", VIEW_LABELS)
        rows, k = "20", "3"
        if shown == "timeline":
            rows = controls.draw_segmented_control("At most", "spread-rows", {n: n for n in ROW_LIMITS}, rows)
            k = controls.draw_segmented_control(
                "Mark paragraph number",
                "uses",
                {n: n for n in USE_COUNTS},
                k,
                help="A single paragraph may be chance. The second mark shows when this number was reached.",
            )
    return SpreadSettings(narrative, names[narrative], who, shown, int(rows), int(k))


def draw_empty_state(view: View, settings: SpreadSettings) -> None:
    """Draw the empty state: nobody in the slice advances the narrative."""

    def count(s: Slice) -> int:
        return int(load_uses(view.handle, s, settings.actor, settings.narrative)["paragraphs"].sum())

    hints = [] if settings.actor == "outlet" else ["Paragraphs without a named speaker are counted only for outlets."]
    shell.draw_empty_state(view, view.slice, count, "advancing statement paragraph", hints)
    shell.draw_note(FIRST_USE_CAVEAT)


def draw_spread(view: View, settings: SpreadSettings) -> None:
    """Draw who advanced the narrative when: in words, and as a timeline or running totals."""
    summary, panel = _build_spread(view.handle, view.slice, settings)
    st.text(summary)
    if panel is None:
        st.info("No paragraph is dated to the day, so no order can be shown.", icon=":material/info:")
        return
    chart_panel.draw_panel(view, panel)


@cached_queries.cache_shared()
def _build_spread(
    handle: cached_queries.Handle, s: Slice, settings: SpreadSettings
) -> tuple[str, chart_panel.ChartPanel | None]:
    """Return who advanced the narrative when in words, and the chart if any paragraph is dated to the day."""
    uses = load_uses(handle, s, settings.actor, settings.narrative)
    covered = load_actor_coverage(handle, s, settings.actor)
    table = compute_first_uses(uses, covered, settings.k)
    summary = describe_spread(table, settings.actor)
    dated = table[table["first"] != ""]
    if covered.empty or (settings.view == "cumulative" and dated.empty):
        return summary, None
    window = compute_time_window(covered, s)
    most = settings.rows if settings.view == "timeline" else MAX_LINES
    chosen = (table if settings.view == "timeline" else dated).sort_values("uses", ascending=False, kind="stable")
    rows = table.loc[chosen.head(most).index.sort_values()]
    if settings.view == "timeline":
        runs = {actor: find_covered_ranges(covered, actor) for actor in rows["actor"]}
        figure = spread_charts.build_timeline_figure(rows, uses, runs, window, settings.actor, settings.k)
    else:
        figure = spread_charts.build_cumulative_figure(rows, uses, window, settings.actor)
    return summary, chart_panel.ChartPanel(
        key="spread",
        title=f"{settings.name}: {ACTOR_LABELS[settings.actor].lower()}",
        how=_describe_chart(s, settings, table, len(rows)),
        summary=summary,
        table=rows,
        slice=replace(s, narratives=(settings.narrative,)),
        columns=_SPREAD_COLUMNS,
        extra={"who": settings.actor, "k": str(settings.k)},
        charts=[chart_panel.finish_chart(f"spread-{settings.view}", figure, summary)],
    )


def describe_spread(table: pd.DataFrame, actor: Actor) -> str:
    """Describe who comes first and how soon others follow."""
    dated = table[table["first"] != ""]
    verb = "advances" if len(table) == 1 else "advance"
    uses = phrases.format_count(int(table["uses"].sum()), "statement paragraph")
    lines = [f"{phrases.format_count(len(table), actor)} {verb} it here, in {uses}."]
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
                f"For {phrases.format_count(unseen, actor)} there is no text from before that day, so an earlier "
                "use cannot be ruled out."
            )
    coarse = int(table["not_to_the_day"].sum())
    if coarse:
        verb = "is" if coarse == 1 else "are"
        lines.append(
            f"{phrases.format_count(coarse, 'paragraph')} {verb} not dated to the day and {verb} not in this order; "
            "some may be earlier."
        )
    return " ".join(lines)


def _describe_chart(s: Slice, settings: SpreadSettings, table: pd.DataFrame, shown: int) -> str:
    scope, copies = phrases.describe_scope(s), phrases.describe_copies(s)
    what = f"Statement paragraphs{scope} that advance {settings.name}; {copies}."
    which = f"Showing the {shown} {settings.actor}s with the most, of {len(table):,}." if shown < len(table) else ""
    if settings.view == "timeline":
        marks = (
            f"Earliest first, each with its number of paragraphs. {FIRST_USE_SIGN} first use, larger with more "
            f"paragraphs; {KTH_USE_SIGN} the {format_ordinal(settings.k)} paragraph; {USE_DAY_SIGN} each day with a "
            f"paragraph. Grey: months with any collected text of the {settings.actor} (years, where the month is "
            "unknown); outside, nothing was collected. Hollow circle: the exact day is unknown."
        )
    else:
        marks = "Total paragraphs up to each day. The lines also rise with the amount of text collected."
    return " ".join(filter(None, [what, which, marks, FIRST_USE_CAVEAT]))


def draw_copies(view: View, settings: SpreadSettings) -> None:
    """Draw how many paragraphs are copies, and from which outlet to which."""
    everything = replace(view.slice, copies="all")
    total = int(load_uses(view.handle, everything, "outlet", settings.narrative)["paragraphs"].sum())
    pairs = load_copied_uses(view.handle, view.slice, settings.narrative)
    number = int(pairs["paragraphs"].sum())
    advance = "advances" if total == 1 else "advance"
    how = (
        f"{phrases.format_count(total, 'statement paragraph')} {advance} {settings.name} here, copies included; "
        f"{number:,} of them repeat an earlier paragraph, exactly or nearly. The earliest dated paragraph "
        "in the collection counts as the original."
    )
    if pairs.empty:
        st.subheader("Copies", anchor=False)
        shell.draw_note(how)
        return
    panel = chart_panel.ChartPanel(
        key="copies",
        title="Copies",
        how=how,
        summary=how,
        table=pairs.assign(
            original_outlet=pairs["original_outlet"].replace("", phrases.NOBODY),
            outlet=pairs["outlet"].replace("", phrases.NOBODY),
        ),
        slice=replace(view.slice, narratives=(settings.narrative,), copies="copies"),
        columns=_COPY_COLUMNS,
    )
    chart_panel.draw_panel(view, panel)
