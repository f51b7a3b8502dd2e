"""Elements of HTML and SVG. Texts are given as texts and escaped on writing: nowhere is markup glued."""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element

import pandas as pd

from narratives.brief import charts
from narratives.brief.charts import make_element, serialize_page
from narratives.brief.content import MAX_RANKED_ROWS, MAX_TREND_CHARTS, Brief
from narratives.model import Slice, dates
from narratives.render import phrases, time_series, traces


def build_footer(brief: Brief, store: str, link: str) -> Element:
    """How the numbers were made, what they do not say, and how to make the page again."""
    manifest, s = brief.manifest, brief.slice
    chosen = "; ".join(f"{name}: {value}" for _, name, value in phrases.describe_filters(s, dict(brief.names)))
    chosen = chosen or f"none; {phrases.describe_copies(s)}"
    about = (
        f"Snapshot {manifest.snapshot_id}, built {phrases.format_timestamp(manifest.built_at)}; model {manifest.model} "
        f"({manifest.variant}). Filters: {chosen}; by {dates.GRANULARITY_NOUNS[s.by]}."
    )
    again = make_element(
        "p",
        {},
        "To make it again: ",
        make_element("code", {}, format_command(s, manifest.snapshot_id, store)),
        ", or open " if link else None,
        make_element("a", {"href": link, "rel": "noreferrer"}, "these figures on the dashboard") if link else None,
    )
    return make_element(
        "footer",
        {"class": "method"},
        make_element("h2", {}, "Method and caveats"),
        make_element("p", {}, f"{_describe_method(brief)} {phrases.CAVEAT}"),
        make_element("p", {}, about),
        again,
    )


def _describe_method(brief: Brief) -> str:
    quality = "How well the matching agrees with labels was not measured for this snapshot."
    if brief.quality is not None:
        macro, nan = brief.quality, math.nan
        quality = (
            "On labelled paragraphs, mean of the narratives: precision "
            f"{phrases.format_with_limits(macro.precision, nan, nan)}, recall "
            f"{phrases.format_with_limits(macro.recall, nan, nan)}, F1 "
            f"{phrases.format_with_limits(macro.f1, macro.f1_low, macro.f1_high)}. "
            f"{phrases.make_sentence(brief.quality_caveat)}"
        )
    undated = phrases.describe_undated(brief.totals.undated, brief.slice)
    raw = (
        "Shares here are raw; the dashboard has them corrected for matching errors as well, by a spot check. "
        f"{brief.checked}"
    )
    if brief.uncorrected:
        raw = f"Shares are not corrected for matching errors; the reason: {brief.uncorrected}."
    said = [
        "Every statement paragraph is compared with examples of each narrative; it may advance several or "
        "none. Intervals (95 %) allow for paragraphs of one document going together.",
        undated,
        quality,
        raw,
    ]
    return " ".join(filter(None, said))


def format_command(s: Slice, snapshot_id: str, store: str) -> str:
    """The command that makes this brief again."""
    named = [
        *(("--speaker", name) for name in s.speakers),
        *(("--outlet", name) for name in s.outlets),
        *(("--narrative", name) for name in s.narratives),
        *(("--voice", name) for name in s.voices),
        *([("--from", s.date_from)] if s.date_from else []),
        *([("--to", s.date_to)] if s.date_to else []),
        *([("--by", s.by)] if s.by != "year" else []),
        *([("--unit", s.unit)] if s.unit != "paragraph" else []),
        *([("--copies", s.copies)] if s.copies != "originals" else []),
    ]
    flags: list[str] = []
    for flag, value in (("--store", store), ("--as-of", snapshot_id), *named):
        flags += [f"{flag}={value}"] if value.startswith("-") else [flag, value]
    return shlex.join(["python", "-m", "narratives", "brief", *flags, "--out", "brief.html"])


LANGUAGE = "en"
EXCERPT_LENGTH = 240  # characters of a paragraph
GROUP_HEADINGS = {
    "speaker": "Who advances them",
    "outlet": "Which outlets carry them",
    "voice": "In whose words",
}
# Nothing may be fetched, whatever stands in the texts, and whichever program shows the file.
_CONTENT_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def build_html(brief: Brief, store: str, link: str = "") -> str:
    """The page. `store` is what the command that makes it again calls the store; `link` shows the slice."""
    what = _format_title(brief.slice)
    style = Path(__file__).with_name("style.css").read_text("utf-8")
    head = make_element(
        "head",
        {},
        make_element("meta", {"charset": "utf-8"}),
        make_element("meta", {"http-equiv": "Content-Security-Policy", "content": _CONTENT_POLICY}),
        make_element("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}),
        make_element("meta", {"name": "referrer", "content": "no-referrer"}),
        make_element("title", {}, f"{what} · brief of snapshot {brief.manifest.snapshot_id}"),
        make_element("style", {}, style),
    )
    notice = brief.manifest.notice
    main = make_element(
        "main",
        {},
        make_element(
            "header",
            {},
            make_element("p", {"class": "quiet"}, "Narrative tracker · brief"),
            make_element("h1", {}, what),
        ),
        make_element("p", {"class": "notice", "role": "note"}, phrases.make_sentence(notice)) if notice else None,
        *(_build_body(brief) if len(brief.trend) else _build_empty_state(brief)),
        build_footer(brief, store, link),
    )
    return serialize_page(make_element("html", {"lang": LANGUAGE}, head, make_element("body", {}, main)))


def _format_title(s: Slice) -> str:
    span = phrases.format_date_range(s)
    who = phrases.describe_attribution(s)
    return f"Recurring narratives{' in what is said' + who if who else ''}{', ' + span if span else ''}"


def _build_empty_state(brief: Brief) -> list[Element]:
    undated = phrases.describe_undated(brief.totals.undated, brief.slice)
    return [make_element("p", {}, f"No dated statement paragraph matches these filters. {undated}".strip())]


def _build_body(brief: Brief) -> list[Element]:
    s, ranked = brief.slice, brief.ranked
    top = ranked.head(MAX_TREND_CHARTS)
    first, last = brief.trend["period"].min()[:4], brief.trend["period"].max()[:4]
    total = int(ranked["total_paragraphs"].iloc[0])
    denominator = phrases.describe_denominator(s, total, first, last)
    look = time_series.compute_axis_spec(
        brief.trend[brief.trend["narrative_id"].isin(top["narrative_id"])], "share", s.unit
    )
    few = f"fewer than {brief.base.documents} documents" + (
        f" or {brief.base.expected:g} expected paragraphs" if brief.base.expected else ""
    )
    cut = ", cut where it leaves the scale" if look.cut else ""
    crowded = len(look.labels) > charts.MAX_WRITTEN_COUNTS
    return [
        make_element("p", {}, _describe_findings(brief)),
        _build_figures(brief, first, last),
        _build_section(
            "How the most prevalent moved" if len(top) > 1 else "How it moved",
            f"Share of {denominator}, by {dates.GRANULARITY_NOUNS[s.by]}, on one scale; "
            f"the band is the 95 % interval{cut}. "
            f"{'Open dots, and counts' if crowded else 'Counts'} in brackets: {few}, too few for a share.",
            make_element(
                "div",
                {"class": "small"},
                *(_build_trend(brief, row, n, look) for n, row in _number_rows(top)),
            ),
        ),
        make_element(
            "div",
            {"class": "pair"},
            _build_section(
                "How prevalent each is",
                "Share of the same with its 95 % interval, and the count."
                + (f" The first {MAX_RANKED_ROWS} of {len(ranked)}." if len(ranked) > MAX_RANKED_ROWS else ""),
                make_element(
                    "figure",
                    {},
                    charts.build_ranking_svg(ranked.head(MAX_RANKED_ROWS), "How prevalent each narrative is"),
                ),
            ),
            _build_section(
                GROUP_HEADINGS[brief.grouping],
                f"Share of the {brief.grouping}’s own {phrases.UNIT_NOUNS[s.unit]}s, in %, of those with the most "
                "that advance one of 1 to 6; the columns are these narratives.",
                make_element("figure", {}, _build_heatmap(brief)),
            ),
        ),
        _build_section(
            f"{phrases.format_count(len(brief.evidence), 'paragraph').capitalize()} behind the numbers",
            "Matched best; of different narratives, documents and speakers as far as there are any.",
            make_element("ol", {}, *(_build_paragraph(row) for row in brief.evidence.to_dict("records"))),
        ),
    ]


def _build_section(title: str, how: str, *content: Element) -> Element:
    return make_element(
        "section", {}, make_element("h2", {}, title), make_element("p", {"class": "quiet"}, how), *content
    )


def _number_rows(top: pd.DataFrame) -> Sequence[tuple[int, dict]]:  # type: ignore[type-arg]
    return list(enumerate(top.to_dict("records"), 1))


def _describe_findings(brief: Brief) -> str:
    """The slice in two or three sentences: what is most prevalent, and what moved."""
    shown = brief.ranked[brief.ranked["share"].notna() & (brief.ranked["paragraphs"] > 0)].head(3)
    said = [
        f"{row['narrative']} ({phrases.format_percent(row['share'])}, 95 % interval {row['share_low'] * 100:.1f}–"
        f"{row['share_high'] * 100:.1f})"
        for row in shown.to_dict("records")
    ]
    lead = f"Most prevalent: {'; '.join(said)}." if said else "No narrative occurs often enough for a share."
    clearest = brief.shifts.sort_values("gain", ascending=False).head(2).to_dict("records")
    moved = [f"{brief.names[row['narrative_id']]}, f{traces.describe_change_point(row)[1:]}" for row in clearest]
    moves = f"The clearest change{'s' if len(moved) > 1 else ''} of level: {'; '.join(moved)}."
    return f"{lead} {moves if moved else 'None of those shown has a change point.'}"


def _build_figures(brief: Brief, first: str, last: str) -> Element:
    counted = brief.totals
    outside = counted.unassigned + counted.candidates_only
    cells = [
        ("Documents", f"{counted.documents:,}"),
        ("Statement paragraphs", f"{counted.statements:,}"),
        ("Speakers", f"{counted.speakers:,}"),
        ("Period", first if first == last else f"{first}–{last}"),
        ("In no codebook narrative", phrases.format_percent(outside / max(1, counted.statements))),
        ("Undated", phrases.format_percent(counted.undated / max(1, counted.placed + counted.undated))),
    ]
    pairs = (
        make_element("div", {}, make_element("dt", {}, name), make_element("dd", {}, value)) for name, value in cells
    )
    return make_element("dl", {"class": "figures"}, *pairs)


def _build_trend(brief: Brief, row: dict, number: int, look: traces.AxisSpec) -> Element:  # type: ignore[type-arg]
    rows = brief.trend[brief.trend["narrative_id"] == row["narrative_id"]]
    share = phrases.format_percent(row["share"]) if row["share"] == row["share"] else "too few for a share"
    caption = make_element(
        "figcaption", {}, f"{number} {row['narrative']} ", make_element("span", {"class": "of"}, share)
    )
    drawn = charts.build_trend_svg(rows, look, str(row["narrative"]), time_series.describe_time_series(rows, look))
    return make_element("figure", {}, caption, drawn)


def _build_heatmap(brief: Brief) -> Element:
    keys = brief.ranked["narrative_id"].head(MAX_TREND_CHARTS).tolist()
    shown = brief.groups
    if brief.grouping == "voice":
        shown = shown.assign(group=shown["group"].map(phrases.VOICE_LABELS).fillna(shown["group"]))
    return charts.build_heatmap_svg(shown, keys, GROUP_HEADINGS[brief.grouping], phrases.NOBODY)


def _build_paragraph(row: dict) -> Element:  # type: ignore[type-arg]
    """A paragraph with who said it, where and when, and the way to its source."""
    voice = phrases.VOICE_LABELS.get(row["voice"], row["voice"])
    said = " · ".join(filter(None, (row["speaker"] or phrases.NOBODY, voice, row["outlet"], row["date"] or "undated")))
    host = urlsplit(row["url"]).hostname if row["url"].startswith(("http://", "https://")) else None
    source = make_element("a", {"href": row["url"], "rel": "noreferrer"}, host) if host else None
    paraphrase = ", a paraphrase" if row["text_kind"] == "paraphrase" else ""
    about = make_element(
        "p",
        {"class": "quiet"},
        make_element("strong", {}, row["narrative"]),
        f" · {said} · score {row['score']:.2f}{paraphrase}{' · ' if host else ''}",
        source,
    )
    return make_element("li", {}, about, make_element("blockquote", {}, cut_excerpt(row["text"], row["sentence"])))


def cut_excerpt(text: str, passage: str) -> str:
    """The text, or where it is long the passage that decided the match, cut to EXCERPT characters. Pure."""
    text, passage = " ".join(text.split()), " ".join(passage.split())
    if len(text) <= EXCERPT_LENGTH:
        return text
    start = max(0, text.find(passage)) if passage else 0
    end = start + EXCERPT_LENGTH
    if end < len(text):
        end = text.rfind(" ", start + 1, end) if " " in text[start + 1 : end] else end
    return f"{'… ' if start else ''}{text[start:end].strip()}{' …' if end < len(text) else ''}"
