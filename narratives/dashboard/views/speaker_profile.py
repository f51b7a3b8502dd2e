"""The lower part of the Speakers page: one speaker over time, and two speakers compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pandas as pd
import streamlit as st

from narratives.dashboard import cached_queries, chart_panel, controls, shell
from narratives.dashboard.cached_queries import Handle
from narratives.dashboard.shell import View
from narratives.dashboard.tables import PERCENT_COLUMN, TEXT_COLUMN
from narratives.dashboard.views import speakers
from narratives.dashboard.views.speakers import SPEAKER_COLUMNS
from narratives.model import Slice, dates
from narratives.model.slice import GroupBy
from narratives.render import phrases, speaker_charts
from narratives.render.colours import PALETTE
from narratives.render.traces import Measure

MAX_PROFILE_CHARTS, MAX_PROFILE_OUTLETS = 6, 8
_PERIOD_COLUMNS = {
    "period": TEXT_COLUMN("Period"),
    **{key: column for key, column in SPEAKER_COLUMNS.items() if key != "speaker"},
    "base_reason": TEXT_COLUMN("No share because"),
}


def draw_profile_picker(view: View, names: Sequence[str]) -> str:
    """Draw the choice of the speaker; the default is the first of the filter, otherwise the one with most text."""
    usual = [name for name, _ in cached_queries.load_options(view.handle).speakers if name in set(names)]
    wanted = [name for name in view.slice.speakers if name in set(names)]
    return controls.draw_selectbox("Speaker to show", "profile", {name: name for name in names}, [*wanted, *usual][0])


def draw_profile(view: View, speaker: str) -> None:
    """Draw one speaker: amount of text, roles, narratives over time, voices and outlets."""
    mine = View(view.handle, replace(view.slice, speakers=(speaker,)))
    st.header(phrases.escape_markdown(speaker), anchor=False)
    volume = speakers.load_amounts(mine.handle, mine.slice, "speaker").iloc[0]
    span = f", from {_format_day(volume['first'])} to {_format_day(volume['last'])}" if volume["first"] else ""
    st.text(
        f"{phrases.format_count(int(volume['paragraphs']), 'statement paragraph')} in "
        f"{phrases.format_count(int(volume['documents']), 'document')}{span}. {describe_roles(mine, speaker)}"
    )
    rule = speakers.get_speaker_rule(view.handle)
    enough = not speakers.explain_suppression(int(volume["paragraphs"]), int(volume["documents"]), rule)
    _draw_period_charts(mine, speaker, enough)
    chart_panel.draw_panel(mine, _build_breakdown(mine.handle, mine.slice, speaker))


def describe_roles(view: View, speaker: str) -> str:
    """Describe the speaker's roles by date, as given in the list of speakers."""
    table = speakers.load_roles(view.handle, speaker)
    if table.empty:
        return "The list of speakers gives no role."
    roles = []
    spans = table.astype("str").groupby(["start_day", "end_day"], sort=False)["title"].agg(" / ".join)
    for (start, end), titles in zip(spans.index, spans, strict=True):
        when = f"{_format_day(start)} to {_format_day(end)}" if start and end else ""
        when = when or (
            f"since {_format_day(start)}" if start else f"to {_format_day(end)}" if end else "dates not given"
        )
        roles.append(f"{titles} ({when})")
    return f"Roles: {'; '.join(roles)}."


def _draw_period_charts(view: View, speaker: str, enough: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        measure = controls.draw_measure_control()
        length = controls.draw_period_control("Auto picks the shortest period with enough text by this speaker.")
    by = cached_queries.find_finest_granularity(view.handle, view.slice) if length == "auto" else length
    panel = _build_period_charts(view.handle, replace(view.slice, by=by), speaker, enough, measure)
    if panel is None:
        st.info("No dated paragraph of this speaker advances any of these narratives.", icon=":material/info:")
        return
    chart_panel.draw_panel(view, panel, least_width=228)


@cached_queries.cache_shared()
def _build_period_charts(
    handle: Handle, s: Slice, speaker: str, enough: bool, measure: Measure
) -> chart_panel.ChartPanel | None:
    """Return the charts of the speaker's most frequent narratives, None if there are none."""
    rows = speakers.load_period_shares(handle, s)
    hits = rows.groupby("narrative_id", sort=False)["paragraphs"].sum()
    most = hits[hits > 0].sort_values(ascending=False, kind="stable").head(MAX_PROFILE_CHARTS).index.tolist()
    if not most:
        return None
    rows_by_id = {key: rows[rows["narrative_id"] == key] for key in most}
    shown = pd.concat(rows_by_id.values())
    labels = dates.list_period_labels(shown["period"].min(), shown["period"].max())
    top = speaker_charts.compute_scale_top(shown, measure)
    colours = cached_queries.get_narrative_colours(handle)
    rule, totals = speakers.get_speaker_rule(handle).period, cached_queries.load_totals(handle, s)
    placed = int(rows.drop_duplicates("period")["total_paragraphs"].sum())
    what = "Share of" if measure == "share" else "Count out of"
    denominator = phrases.describe_denominator(s, placed, phrases.format_years(shown))
    how = [
        f"{what} {denominator}, by {dates.GRANULARITY_NOUNS[s.by]}.",
        "The bars are 95 % intervals." if measure == "share" else "",
        f"A hollow mark with a count means fewer than {rule.documents} documents or fewer than "
        f"{rule.expected:g} expected paragraphs: too little for a share."
        if measure == "share" and (shown["base_reason"] != "").any()
        else "",
        f"Showing the {len(most)} most frequent narratives, all on the same scale." if len(most) > 1 else "",
        phrases.describe_undated(totals.undated, s),
    ]
    charts = [
        chart_panel.finish_chart(
            f"profile-{key}",
            speaker_charts.build_period_figure(frame, speaker, colours[key], labels, measure, top, enough),
            speaker_charts.describe_periods(frame),
        )
        for key, frame in rows_by_id.items()
    ]
    return chart_panel.ChartPanel(
        key="profile",
        title="Over time",
        how=" ".join(filter(None, how)),
        summary=" ".join(chart.summary for chart in charts),
        table=shown,
        slice=s,
        columns=_PERIOD_COLUMNS,
        extra={"by": s.by},
        charts=charts,
    )


@cached_queries.cache_shared()
def _build_breakdown(handle: Handle, s: Slice, speaker: str) -> chart_panel.ChartPanel:
    """Return the chart of the speaker's paragraphs by voice and by outlet."""
    parts = []
    fields: tuple[tuple[GroupBy, int], ...] = (("voice", len(phrases.VOICE_LABELS)), ("outlet", MAX_PROFILE_OUTLETS))
    for field, most in fields:
        volumes = speakers.load_amounts(handle, s, field)
        shown = volumes.head(most)
        label = [
            phrases.VOICE_LABELS.get(value, value) if field == "voice" else value or phrases.NOBODY
            for value in shown[field]
        ]
        share = shown["paragraphs"] / volumes["paragraphs"].sum()
        part = shown.rename(columns={field: "value"}).assign(field=field, label=label, share=share, speaker=speaker)
        parts.append((part, len(volumes)))
    rows = pd.concat([part for part, _ in parts], ignore_index=True)
    more = parts[1][1] - len(parts[1][0])
    summary = "; ".join(f"{row.label}: {row.paragraphs:,}" for row in rows.itertuples()) + "."
    figure = speaker_charts.build_breakdown_figure(rows, PALETTE[0])
    return chart_panel.ChartPanel(
        key="voices",
        title="Voices and outlets",
        how=f"This speaker's statement paragraphs by voice, then by outlet, with their share of the total; "
        f"{phrases.describe_copies(s)}. {phrases.VOICE_HELP}"
        + (f" {phrases.format_count(more, 'outlet')} with fewer paragraphs are not shown." if more > 0 else ""),
        summary=summary,
        table=rows,
        slice=s,
        columns={
            "field": TEXT_COLUMN("By"),
            "label": TEXT_COLUMN("Voice or outlet"),
            **{key: SPEAKER_COLUMNS[key] for key in ("paragraphs", "documents", "share")},
        },
        charts=[chart_panel.finish_chart("voices-chart", figure, summary)],
    )


def _format_day(iso: str) -> str:
    day = date.fromisoformat(iso)
    return f"{day.day} {day:%b %Y}"


MAX_DIFFERENCES = 6


def draw_comparison(view: View, speaker: str, names: Sequence[str]) -> None:
    """Draw the shares of two speakers side by side, and their differences."""
    st.header("Two speakers compared", anchor=False)
    others = [name for name in names if name != speaker]
    if not others:
        st.text("The filters leave no second speaker to compare with.")
        return
    label = f"Compare {phrases.escape_markdown(speaker)} with"
    other = controls.draw_selectbox(label, "with", {name: name for name in others})
    panel, differences, lacking = _build_comparison(view.handle, view.slice, (speaker, other))
    chart_panel.draw_panel(view, panel)
    st.text("\n".join(differences))
    if not lacking:
        shell.draw_note(
            "Differences are in percentage points, with 95 % intervals (square-and-add method). "
            f"With {phrases.format_count(len(panel.table), 'narrative')}, about one interval in twenty misses the true "
            "difference by chance. A difference does not say why: speakers hold different offices, speak on "
            "different occasions, and different texts were collected."
        )


@cached_queries.cache_shared()
def _build_comparison(
    handle: Handle, s: Slice, pair: tuple[str, str]
) -> tuple[chart_panel.ChartPanel, list[str], list[str]]:
    """Return the chart, the differences in words, and the speakers with too little text for a share."""
    rows = speakers.load_pair_shares(handle, s, pair)
    table = speakers.compute_differences(rows, pair)
    order = {key: i for i, key in enumerate(table["narrative_id"])}
    drawn_rows = rows.sort_values("narrative_id", key=lambda keys: keys.map(order), kind="stable")
    first = rows.drop_duplicates("speaker")
    columns = (first["speaker"], first["total_paragraphs"], first["documents"], first["base_reason"])
    amounts = {name: (int(n), int(d), str(why)) for name, n, d, why in zip(*columns, strict=True)}
    lacking = [f"{name} has {amounts[name][2]}: no share is shown." for name in pair if amounts[name][2]]
    each = " and ".join(
        f"{phrases.format_count(amounts[name][0], 'statement paragraph')} by {name} in "
        f"{phrases.format_count(amounts[name][1], 'document')}"
        for name in pair
    )
    s = replace(s, speakers=pair)
    span = phrases.format_date_range(s)
    differences = describe_differences(table, pair)
    figure, summary = speaker_charts.build_dumbbell_figure(drawn_rows, pair), " ".join(differences)
    panel = chart_panel.ChartPanel(
        key="pair",
        title="Side by side",
        how=f"Share of {each}{f', dated {span}' if span else ''}; {phrases.describe_copies(s)}. Bars are 95 % "
        "intervals, cut off at the edge of the chart. The narrative with the largest share comes first. "
        + " ".join(lacking),
        summary=summary,
        table=table,
        slice=s,
        columns=_build_pair_columns(pair),
        charts=[chart_panel.finish_chart("pair-chart", figure, summary)],
    )
    return panel, differences, lacking


def describe_differences(table: pd.DataFrame, pair: tuple[str, str]) -> list[str]:
    """Describe where the two speakers differ, largest difference first."""
    known = table[table["difference"].notna()]
    if known.empty:
        return ["There is not enough text by both speakers to compare them."]
    apart = known[(known["difference_low"] > 0) | (known["difference_high"] < 0)]
    order = apart["difference"].abs().sort_values(ascending=False, kind="stable").index
    measures = ["difference", "difference_low", "difference_high", "share_1", "share_2"]
    largest = apart.loc[order].head(MAX_DIFFERENCES)
    lines = [
        f"{name}: {pair[0]} {phrases.format_percent(mine)}, {pair[1]} {phrases.format_percent(theirs)}; differs by "
        f"{_format_points(gap)} points (95 % {_format_points(low)} to {_format_points(high)})."
        for name, (gap, low, high, mine, theirs) in zip(largest["narrative"], largest[measures].to_numpy(), strict=True)
    ]
    same = len(known) - len(apart)
    more = len(apart) - len(lines)
    if more > 0:
        lines.append(f"{phrases.format_count(more, 'further narrative')} differ by less; see the table.")
    if same:
        which = "the other " if len(apart) else "all " if same > 1 else ""
        lines.append(
            f"For {which}{phrases.format_count(same, 'narrative')} the interval of the difference includes 0: the "
            "texts show no clear difference."
        )
    return lines


def _format_points(share: float) -> str:
    return f"{share * 100:+.1f}".replace("-", "−")


def _build_pair_columns(pair: Sequence[str]) -> dict[str, object]:
    """Return the columns of the comparison; their keys are numbered because names may be long."""
    columns: dict[str, object] = {"narrative": SPEAKER_COLUMNS["narrative"]}
    for n, name in enumerate(pair, 1):
        shown = {"paragraphs": "count", "total_paragraphs": "of", "share": "share"}
        for key, label in shown.items():
            form = "percent" if key == "share" else "localized"
            columns[f"{key}_{n}"] = st.column_config.NumberColumn(f"{name}: {label}", format=form)
    for key, label in (("", "Difference"), ("_low", "95 % from"), ("_high", "to")):
        columns[f"difference{key}"] = PERCENT_COLUMN(label)
    return columns
