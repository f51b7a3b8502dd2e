"""The foot of the brief: how its numbers were made, what they do not say, and how to make it again."""

from __future__ import annotations

import math
import shlex
from xml.etree.ElementTree import Element

from narratives.brief.content import Brief
from narratives.brief.markup import tag
from narratives.model import Slice
from narratives.show import periods, words


def foot(brief: Brief, store: str, link: str) -> Element:
    """How the numbers were made, what they do not say, and how to make the page again."""
    manifest, s = brief.manifest, brief.slice
    chosen = "; ".join(f"{name}: {value}" for _, name, value in words.filters(s, dict(brief.names)))
    chosen = chosen or f"none; {words.copies(s)}"
    about = (
        f"Snapshot {manifest.snapshot_id}, built {words.built(manifest.built_at)}; model {manifest.model} "
        f"({manifest.variant}). Filters: {chosen}; by {periods.NOUN[s.by]}."
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
        tag("p", {}, f"{_how(brief)} {words.CAVEAT}"),
        tag("p", {}, about),
        again,
    )


def _how(brief: Brief) -> str:
    quality = "How well the matching agrees with labels was not measured for this snapshot."
    if brief.quality is not None:
        macro, nan = brief.quality, math.nan
        quality = (
            "On labelled paragraphs, mean of the narratives: precision "
            f"{words.with_limits(macro.precision, nan, nan)}, recall "
            f"{words.with_limits(macro.recall, nan, nan)}, F1 "
            f"{words.with_limits(macro.f1, macro.f1_low, macro.f1_high)}. "
            f"{words.sentence(brief.quality_caveat)}"
        )
    undated = words.undated(brief.totals.undated, brief.slice)
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
