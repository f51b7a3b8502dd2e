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
from narratives.brief.charts import document, tag
from narratives.brief.content import MOST_RANKED, MOST_SMALL, Brief
from narratives.model import Slice, dates
from narratives.render import phrases, time_series, traces


def foot(brief: Brief, store: str, link: str) -> Element:
    """How the numbers were made, what they do not say, and how to make the page again."""
    manifest, s = brief.manifest, brief.slice
    chosen = "; ".join(f"{name}: {value}" for _, name, value in phrases.filters(s, dict(brief.names)))
    chosen = chosen or f"none; {phrases.copies(s)}"
    about = (
        f"Snapshot {manifest.snapshot_id}, built {phrases.built(manifest.built_at)}; model {manifest.model} "
        f"({manifest.variant}). Filters: {chosen}; by {dates.NOUN[s.by]}."
    )
    again = tag(
        "p",
        {},
        "To make it again: ",
        tag("code", {}, arguments(s, manifest.snapshot_id, store)),
        ", or open " if link else None,
        tag("a", {"href": link, "rel": "noreferrer"}, "these figures on the dashboard") if link else None,
    )
    return tag(
        "footer",
        {"class": "method"},
        tag("h2", {}, "Method and caveats"),
        tag("p", {}, f"{_how(brief)} {phrases.CAVEAT}"),
        tag("p", {}, about),
        again,
    )


def _how(brief: Brief) -> str:
    quality = "How well the matching agrees with labels was not measured for this snapshot."
    if brief.quality is not None:
        macro, nan = brief.quality, math.nan
        quality = (
            "On labelled paragraphs, mean of the narratives: precision "
            f"{phrases.with_limits(macro.precision, nan, nan)}, recall "
            f"{phrases.with_limits(macro.recall, nan, nan)}, F1 "
            f"{phrases.with_limits(macro.f1, macro.f1_low, macro.f1_high)}. "
            f"{phrases.sentence(brief.quality_caveat)}"
        )
    undated = phrases.undated(brief.totals.undated, brief.slice)
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


def arguments(s: Slice, snapshot_id: str, store: str) -> str:
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
EXCERPT = 240  # characters of a paragraph
HEADING = {
    "speaker": "Who advances them",
    "outlet": "Which outlets carry them",
    "voice": "In whose words",
}
# Nothing may be fetched, whatever stands in the texts, and whichever program shows the file.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def html(brief: Brief, store: str, link: str = "") -> str:
    """The page. `store` is what the command that makes it again calls the store; `link` shows the slice."""
    what = _title(brief.slice)
    style = Path(__file__).with_name("style.css").read_text("utf-8")
    head = tag(
        "head",
        {},
        tag("meta", {"charset": "utf-8"}),
        tag("meta", {"http-equiv": "Content-Security-Policy", "content": _POLICY}),
        tag("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}),
        tag("meta", {"name": "referrer", "content": "no-referrer"}),
        tag("title", {}, f"{what} · brief of snapshot {brief.manifest.snapshot_id}"),
        tag("style", {}, style),
    )
    notice = brief.manifest.notice
    main = tag(
        "main",
        {},
        tag("header", {}, tag("p", {"class": "quiet"}, "Narrative tracker · brief"), tag("h1", {}, what)),
        tag("p", {"class": "notice", "role": "note"}, phrases.sentence(notice)) if notice else None,
        *(_body(brief) if len(brief.trend) else _nothing(brief)),
        foot(brief, store, link),
    )
    return document(tag("html", {"lang": LANGUAGE}, head, tag("body", {}, main)))


def _title(s: Slice) -> str:
    span = phrases.years(s)
    who = phrases.who(s)
    return f"Recurring narratives{' in what is said' + who if who else ''}{', ' + span if span else ''}"


def _nothing(brief: Brief) -> list[Element]:
    undated = phrases.undated(brief.totals.undated, brief.slice)
    return [tag("p", {}, f"No dated statement paragraph matches these filters. {undated}".strip())]


def _body(brief: Brief) -> list[Element]:
    s, ranked = brief.slice, brief.ranked
    top = ranked.head(MOST_SMALL)
    first, last = brief.trend["period"].min()[:4], brief.trend["period"].max()[:4]
    total = int(ranked["total_paragraphs"].iloc[0])
    denominator = phrases.denominator(s, total, first, last)
    look = time_series.look(
        brief.trend[brief.trend["narrative_id"].isin(top["narrative_id"])], "share", s.unit
    )
    few = f"fewer than {brief.base.documents} documents" + (
        f" or {brief.base.expected:g} expected paragraphs" if brief.base.expected else ""
    )
    cut = ", cut where it leaves the scale" if look.cut else ""
    crowded = len(look.labels) > charts.MOST_WRITTEN
    return [
        tag("p", {}, _lead(brief)),
        _figures(brief, first, last),
        _section(
            "How the most prevalent moved" if len(top) > 1 else "How it moved",
            f"Share of {denominator}, by {dates.NOUN[s.by]}, on one scale; "
            f"the band is the 95 % interval{cut}. "
            f"{'Open dots, and counts' if crowded else 'Counts'} in brackets: {few}, too few for a share.",
            tag("div", {"class": "small"}, *(_trend(brief, row, n, look) for n, row in _numbered(top))),
        ),
        tag(
            "div",
            {"class": "pair"},
            _section(
                "How prevalent each is",
                "Share of the same with its 95 % interval, and the count."
                + (f" The first {MOST_RANKED} of {len(ranked)}." if len(ranked) > MOST_RANKED else ""),
                tag("figure", {}, charts.ranked(ranked.head(MOST_RANKED), "How prevalent each narrative is")),
            ),
            _section(
                HEADING[brief.grouping],
                f"Share of the {brief.grouping}’s own {phrases.NOUNS[s.unit]}s, in %, of those with the most "
                "that advance one of 1 to 6; the columns are these narratives.",
                tag("figure", {}, _matrix(brief)),
            ),
        ),
        _section(
            f"{phrases.count(len(brief.evidence), 'paragraph').capitalize()} behind the numbers",
            "Matched best; of different narratives, documents and speakers as far as there are any.",
            tag("ol", {}, *(_paragraph(row) for row in brief.evidence.to_dict("records"))),
        ),
    ]


def _section(title: str, how: str, *content: Element) -> Element:
    return tag("section", {}, tag("h2", {}, title), tag("p", {"class": "quiet"}, how), *content)


def _numbered(top: pd.DataFrame) -> Sequence[tuple[int, dict]]:  # type: ignore[type-arg]
    return list(enumerate(top.to_dict("records"), 1))


def _lead(brief: Brief) -> str:
    """The slice in two or three sentences: what is most prevalent, and what moved."""
    shown = brief.ranked[brief.ranked["share"].notna() & (brief.ranked["paragraphs"] > 0)].head(3)
    said = [
        f"{row['narrative']} ({phrases.percent(row['share'])}, 95 % interval {row['share_low'] * 100:.1f}–"
        f"{row['share_high'] * 100:.1f})"
        for row in shown.to_dict("records")
    ]
    lead = f"Most prevalent: {'; '.join(said)}." if said else "No narrative occurs often enough for a share."
    clearest = brief.shifts.sort_values("gain", ascending=False).head(2).to_dict("records")
    moved = [f"{brief.names[row['narrative_id']]}, f{traces.change_in_words(row)[1:]}" for row in clearest]
    moves = f"The clearest change{'s' if len(moved) > 1 else ''} of level: {'; '.join(moved)}."
    return f"{lead} {moves if moved else 'None of those shown has a change point.'}"


def _figures(brief: Brief, first: str, last: str) -> Element:
    counted = brief.totals
    outside = counted.unassigned + counted.candidates_only
    cells = [
        ("Documents", f"{counted.documents:,}"),
        ("Statement paragraphs", f"{counted.statements:,}"),
        ("Speakers", f"{counted.speakers:,}"),
        ("Period", first if first == last else f"{first}–{last}"),
        ("In no codebook narrative", phrases.percent(outside / max(1, counted.statements))),
        ("Undated", phrases.percent(counted.undated / max(1, counted.placed + counted.undated))),
    ]
    pairs = (tag("div", {}, tag("dt", {}, name), tag("dd", {}, value)) for name, value in cells)
    return tag("dl", {"class": "figures"}, *pairs)


def _trend(brief: Brief, row: dict, number: int, look: traces.AxisSpec) -> Element:  # type: ignore[type-arg]
    rows = brief.trend[brief.trend["narrative_id"] == row["narrative_id"]]
    share = phrases.percent(row["share"]) if row["share"] == row["share"] else "too few for a share"
    caption = tag("figcaption", {}, f"{number} {row['narrative']} ", tag("span", {"class": "of"}, share))
    drawn = charts.small(rows, look, str(row["narrative"]), time_series.summary(rows, look))
    return tag("figure", {}, caption, drawn)


def _matrix(brief: Brief) -> Element:
    keys = brief.ranked["narrative_id"].head(MOST_SMALL).tolist()
    shown = brief.groups
    if brief.grouping == "voice":
        shown = shown.assign(group=shown["group"].map(phrases.VOICES).fillna(shown["group"]))
    return charts.matrix(shown, keys, HEADING[brief.grouping], phrases.NOBODY)


def _paragraph(row: dict) -> Element:  # type: ignore[type-arg]
    """A paragraph with who said it, where and when, and the way to its source."""
    voice = phrases.VOICES.get(row["voice"], row["voice"])
    said = " · ".join(
        filter(None, (row["speaker"] or phrases.NOBODY, voice, row["outlet"], row["date"] or "undated"))
    )
    host = urlsplit(row["url"]).hostname if row["url"].startswith(("http://", "https://")) else None
    source = tag("a", {"href": row["url"], "rel": "noreferrer"}, host) if host else None
    paraphrase = ", a paraphrase" if row["text_kind"] == "paraphrase" else ""
    about = tag(
        "p",
        {"class": "quiet"},
        tag("strong", {}, row["narrative"]),
        f" · {said} · score {row['score']:.2f}{paraphrase}{' · ' if host else ''}",
        source,
    )
    return tag("li", {}, about, tag("blockquote", {}, excerpt(row["text"], row["sentence"])))


def excerpt(text: str, passage: str) -> str:
    """The text, or where it is long the passage that decided the match, cut to EXCERPT characters. Pure."""
    text, passage = " ".join(text.split()), " ".join(passage.split())
    if len(text) <= EXCERPT:
        return text
    start = max(0, text.find(passage)) if passage else 0
    end = start + EXCERPT
    if end < len(text):
        end = text.rfind(" ", start + 1, end) if " " in text[start + 1 : end] else end
    return f"{'… ' if start else ''}{text[start:end].strip()}{' …' if end < len(text) else ''}"
