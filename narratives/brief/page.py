"""The brief's page: its content in words, numbers and charts, written by one template. Pure."""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from narratives.brief import charts
from narratives.model import QualityMetrics, Slice, SliceTotals, SnapshotManifest, SuppressionRule, dates
from narratives.model.printable import remove_controls
from narratives.model.slice import GroupBy
from narratives.render import phrases, time_series
from narratives.render.traces import AxisSpec, to_records

MAX_TREND_CHARTS = 6  # narratives in the first chart, and columns of the third
MAX_RANKED_ROWS = 16  # rows of the second chart
MAX_GROUPS = 8  # rows of the third
MAX_PARAGRAPHS = 5
EXCERPT_LENGTH = 240  # characters of a paragraph
GROUP_HEADINGS = {"speaker": "Who advances them", "outlet": "Which outlets carry them", "voice": "In whose words"}
_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=StrictUndefined,
    finalize=lambda value: remove_controls(value) if type(value) is str else value,
)


@dataclass(frozen=True, slots=True)
class Brief:
    """The content of a brief.

    `trend` has a row for every period and narrative, `ranked` one for each narrative over the whole slice
    (most prevalent first), and `groups` one for each group (`group`, of kind `grouping`) and each of the first
    MAX_TREND_CHARTS narratives. All have shares, limits and bases as `measure` computes them. `shifts` are
    change points, and `evidence` the chosen paragraphs. Where the slice has no dated statement, all but
    `totals` are empty.
    """

    slice: Slice
    manifest: SnapshotManifest
    names: Mapping[str, str]
    totals: SliceTotals
    base: SuppressionRule
    trend: pd.DataFrame
    ranked: pd.DataFrame
    shifts: pd.DataFrame
    grouping: GroupBy
    groups: pd.DataFrame
    evidence: pd.DataFrame
    quality: QualityMetrics | None
    pooled: bool
    quality_caveat: str
    uncorrected: str
    checked: str


def build_html(brief: Brief, store: str, link: str = "") -> str:
    """Return the page as HTML.

    `store` is the name of the store in the command that makes the page again. `link` opens the slice on the
    dashboard.
    """
    manifest, s = brief.manifest, brief.slice
    page = _TEMPLATES.get_template("brief.html.j2").render(
        title=_format_title(s),
        snapshot_id=manifest.snapshot_id,
        notice=phrases.make_sentence(manifest.notice),
        undated=phrases.describe_undated(brief.totals.undated, s),
        body=_gather_body(brief) if len(brief.trend) else None,
        method=f"{_describe_method(brief)} {phrases.CAVEAT}",
        origin=_describe_origin(brief),
        command=format_command(s, manifest.snapshot_id, store),
        link=link,
    )
    return f"{page}\n"


def _format_title(s: Slice) -> str:
    span = phrases.format_date_range(s)
    who = phrases.describe_attribution(s)
    return f"Recurring narratives{' in statements' + who if who else ''}{', ' + span if span else ''}"


def _gather_body(brief: Brief) -> dict[str, Any]:
    s, ranked = brief.slice, brief.ranked
    years = phrases.format_years(brief.trend)
    top = ranked.head(MAX_TREND_CHARTS)
    axes = time_series.compute_axis_spec(
        brief.trend[brief.trend["narrative_id"].isin(top["narrative_id"])], "share", s.unit
    )
    limit = f" The first {MAX_RANKED_ROWS} of {len(ranked)}." if len(ranked) > MAX_RANKED_ROWS else ""
    groups = brief.groups
    if brief.grouping == "voice":
        groups = groups.assign(group=groups["group"].map(phrases.VOICE_LABELS).fillna(groups["group"]))
    heading = GROUP_HEADINGS[brief.grouping]
    return {
        "findings": _describe_findings(brief),
        "figures": _list_figures(brief.totals, years),
        "trend_note": _describe_trends(brief, axes, years),
        "trends": [
            (
                row["narrative"],
                "too few for a share" if math.isnan(row["share"]) else phrases.format_percent(row["share"]),
                charts.build_trend_svg(brief.trend[brief.trend["narrative_id"] == row["narrative_id"]], axes),
            )
            for row in to_records(top)
        ],
        "ranking_note": f"Share of the same total with its 95 % interval, and the count.{limit}",
        "ranking": charts.build_ranking_svg(ranked.head(MAX_RANKED_ROWS), "How prevalent each narrative is"),
        "groups_heading": heading,
        "groups_note": f"Share of each {brief.grouping}’s own {phrases.UNIT_NOUNS[s.unit]}s, in %. "
        f"Rows: the {brief.grouping}s that advance narratives 1 to {len(top)} (the columns) most often.",
        "groups": charts.build_heatmap_svg(groups, top["narrative_id"].tolist(), heading, phrases.NOBODY),
        "evidence_heading": f"{phrases.format_count(len(brief.evidence), 'paragraph')} behind the numbers",
        "evidence": [_describe_paragraph(row) for row in to_records(brief.evidence)],
    }


def _describe_findings(brief: Brief) -> str:
    """Describe the slice in two or three sentences: what is most prevalent, and what changed."""
    shown = brief.ranked[brief.ranked["share"].notna() & (brief.ranked["paragraphs"] > 0)].head(3)
    leading = [
        f"{row['narrative']} ({phrases.format_percent(row['share'])}, 95 % interval {row['share_low'] * 100:.1f}–"
        f"{row['share_high'] * 100:.1f})"
        for row in to_records(shown)
    ]
    lead = f"Most prevalent: {'; '.join(leading)}." if leading else "No narrative occurs often enough for a share."
    clearest = to_records(brief.shifts.sort_values("gain", ascending=False).head(2))
    changes = []
    for row in clearest:
        change = phrases.describe_change_point(row)
        changes.append(f"{brief.names[row['narrative_id']]}, {change[0].lower()}{change[1:]}")
    if not changes:
        return f"{lead} None of those shown has a change point."
    return f"{lead} Clearest change{'s' if len(changes) > 1 else ''} of level: {'; '.join(changes)}."


def _list_figures(totals: SliceTotals, span: str) -> list[tuple[str, str]]:
    outside = totals.unassigned + totals.candidates_only
    return [
        ("Documents", f"{totals.documents:,}"),
        ("Statement paragraphs", f"{totals.statements:,}"),
        ("Speakers", f"{totals.speakers:,}"),
        ("Period", span),
        ("In no codebook narrative", phrases.format_percent(outside / max(1, totals.statements))),
        ("Undated", phrases.format_percent(totals.undated / max(1, totals.placed + totals.undated))),
    ]


def _describe_trends(brief: Brief, axes: AxisSpec, years: str) -> str:
    s, base = brief.slice, brief.base
    denominator = phrases.describe_denominator(s, int(brief.ranked["total_paragraphs"].iloc[0]), years)
    few = f"fewer than {base.documents} documents"
    few += f" or {base.expected:g} expected paragraph{'' if base.expected == 1 else 's'}" if base.expected else ""
    marks = "Open dots and counts" if len(axes.labels) > charts.MAX_WRITTEN_COUNTS else "Counts"
    return (
        f"Share of {denominator}, by {dates.GRANULARITY_NOUNS[s.by]}, on a common scale. "
        f"Band: 95 % interval{', cut where it leaves the scale' if axes.cut else ''}. "
        f"{marks} in brackets: too little text for a share ({few})."
    )


def _describe_paragraph(row: Mapping[str, Any]) -> dict[str, str]:
    """Return a paragraph's excerpt with who said it, where and when, and a link to its source."""
    parts = [
        row["speaker"] or phrases.NOBODY,
        phrases.VOICE_LABELS.get(row["voice"], row["voice"]),
        row["outlet"],
        row["date"] or "undated",
        f"score {row['score']:.2f}{', a paraphrase' if row['text_kind'] == 'paraphrase' else ''}",
    ]
    return {
        "narrative": row["narrative"],
        "attribution": " · ".join(filter(None, parts)),
        "url": row["url"],
        "host": (urlsplit(row["url"]).hostname or "") if row["url"].startswith(("http://", "https://")) else "",
        "excerpt": cut_excerpt(row["text"], row["sentence"]),
    }


def _describe_method(brief: Brief) -> str:
    quality = "How well the matching agrees with labels was not measured for this snapshot."
    if brief.quality is not None:
        macro, nan = brief.quality, math.nan
        where = (
            "In a whole corpus, all narratives together"
            if brief.pooled
            else "On labelled paragraphs, averaged over narratives"
        )
        quality = (
            f"{where}: precision "
            f"{phrases.format_with_limits(macro.precision, nan, nan)}, recall "
            f"{phrases.format_with_limits(macro.recall, nan, nan)}, F1 "
            f"{phrases.format_with_limits(macro.f1, macro.f1_low, macro.f1_high)}. "
            f"{phrases.make_sentence(brief.quality_caveat)}"
        )
    correction = f"Shares here are raw. The dashboard also shows shares corrected for matching errors. {brief.checked}"
    if brief.uncorrected:
        correction = f"Shares are not corrected for matching errors. Reason: {brief.uncorrected}."
    sentences = [
        "Every statement paragraph is compared with examples of each narrative. It may advance several or none. "
        "The 95 % intervals account for similar paragraphs within a document.",
        phrases.describe_undated(brief.totals.undated, brief.slice),
        quality,
        correction,
    ]
    return " ".join(filter(None, sentences))


def _describe_origin(brief: Brief) -> str:
    manifest, s = brief.manifest, brief.slice
    filters = "; ".join(f"{name}: {value}" for _, name, value in phrases.describe_filters(s, dict(brief.names)))
    return (
        f"Snapshot {phrases.describe_snapshot(manifest)}; model {manifest.model} ({manifest.variant}). "
        f"Filters: {filters or f'none; {phrases.describe_copies(s)}'}; "
        f"by {dates.GRANULARITY_NOUNS[s.by]}."
    )


def format_command(s: Slice, snapshot_id: str, store: str) -> str:
    """Return the command that makes this brief again."""
    options = [
        *(("--speaker", name) for name in s.speakers),
        *(("--outlet", name) for name in s.outlets),
        *(("--narrative", name) for name in s.narratives),
        *(("--voice", name) for name in s.voices),
    ]
    usual = Slice()
    single = {"--from": "date_from", "--to": "date_to", "--by": "by", "--unit": "unit", "--copies": "copies"}
    options += [(flag, getattr(s, name)) for flag, name in single.items() if getattr(s, name) != getattr(usual, name)]
    flags: list[str] = []
    for flag, value in (("--store", store), ("--as-of", snapshot_id), *options):
        flags += [f"{flag}={value}"] if value.startswith("-") else [flag, value]
    return shlex.join(["python", "-m", "narratives", "brief", *flags, "--out", "brief.html"])


def cut_excerpt(text: str, passage: str) -> str:
    """Return the text or, if it is long, EXCERPT_LENGTH characters from the passage that decided the match on."""
    text, passage = " ".join(text.split()), " ".join(passage.split())
    if len(text) <= EXCERPT_LENGTH:
        return text
    start = max(0, text.find(passage)) if passage else 0
    end = start + EXCERPT_LENGTH
    if end < len(text):
        end = text.rfind(" ", start + 1, end) if " " in text[start + 1 : end] else end
    return f"{'… ' if start else ''}{text[start:end].strip()}{' …' if end < len(text) else ''}"
