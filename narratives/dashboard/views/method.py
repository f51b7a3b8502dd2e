"""The parts of the method page: the text of `narratives.method`, and what is of the snapshot in use."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from narratives.dashboard import cached_queries
from narratives.dashboard.components import quality
from narratives.dashboard.shell import View
from narratives.model import Slice, SnapshotManifest
from narratives.render import phrases
from narratives.store.queries import sources as sources_queries
from narratives.workflows import methodology

TEXT_WIDTH = 740  # pixels: about eighty letters a line
# What the sites themselves say; of others nothing is known here.
LICENCES = {"en.kremlin.ru": "CC BY 4.0 (Administration of the President of Russia)"}
UNKNOWN_LICENCE = "not known here: ask its publisher"
SNAPSHOT_SECTIONS = {
    "quality": "Measured quality",
    "snapshot": "This snapshot",
    "sources": "Sources and licences",
    "cite": "How to cite",
}
LICENCE_NOTE = (
    "The program records no licence of the texts that it reads: before you publish any, look at what their "
    "publishers allow. The program, its codebook and its sample are under the Apache License 2.0."
)
SAMPLE_LICENCE_NOTE = (
    "The sample retells statements in words of this project’s own: documents of en.kremlin.ru (material "
    "under CC BY 4.0; changed and shortened, which its publisher has neither seen nor approved), speeches in "
    "the UN General Debate (from a collection released under CC0), and five news items of which only the "
    "content is taken over. `data/sample/README.md` tells more."
)
CITATION_NOTE = (
    "The snapshot’s id fixes every number. Name it, the filters, and when it was built; *Copy link to this "
    "snapshot*, under *Save* above each chart, gives the address that shows the chart again."
)


def draw_contents(view: View) -> None:
    """Links to the sections of the page."""
    made = {
        section.anchor: section.title
        for section in methodology.load_sections(cached_queries.get_suppression_rule(view.handle))
    }
    titles = {**made, **SNAPSHOT_SECTIONS}
    st.markdown(" · ".join(f"[{title}](#{anchor})" for anchor, title in titles.items()))


def draw_explanations(view: View) -> None:
    """What the words mean, what must not be concluded, and how every number is made."""
    for section in methodology.load_sections(cached_queries.get_suppression_rule(view.handle)):
        st.header(section.title, anchor=section.anchor)
        st.markdown(section.body)


def draw_quality(view: View) -> None:
    """How well the matching agrees with reference labels, narrative by narrative, or that nobody knows."""
    _draw_section_heading("quality")
    found = quality.load_quality(view)
    if not found:
        st.markdown(quality.NOT_MEASURED)
        return
    st.markdown(quality.HOW_TO_READ)
    st.markdown(
        phrases.escape_markdown(phrases.make_sentence(cached_queries.get_snapshot(view.handle).quality_caveat()))
    )
    if checked := quality.describe_spot_checks(view):
        st.markdown(checked)
    quality.draw_quality_table(view, list(found.values()))


def draw_snapshot(view: View) -> None:
    """What the snapshot was made from, by which versions and with which parameters."""
    _draw_section_heading("snapshot")
    manifest = cached_queries.get_manifest(view.handle)
    after = f", after {manifest.predecessor}" if manifest.predecessor else ""
    st.text(f"Snapshot {manifest.snapshot_id}, built {phrases.format_timestamp(manifest.built_at)}{after}.")
    st.dataframe(build_facts_table(manifest), hide_index=True, height="content")
    with st.expander(f"Counts and inputs ({len(manifest.inputs):,})"):
        counts = [(name.replace("_", " "), f"{n:,}") for name, n in manifest.counts.items()]
        inputs = [(record.source_path, record.hash) for record in manifest.inputs]
        st.dataframe(pd.DataFrame(counts, columns=["Count", "Number"]), hide_index=True, height="content")
        st.dataframe(pd.DataFrame(inputs, columns=["Input", "sha256"]), hide_index=True)


def build_facts_table(manifest: SnapshotManifest) -> pd.DataFrame:
    """Columns What, Name and Value: parameters, versions and checksums of a snapshot. Pure."""
    groups = (
        ("parameter", manifest.parameters),
        ("version", manifest.versions),
        ("sha256", manifest.checksums),
    )
    rows = [(what, name, value) for what, found in groups for name, value in found.items()]
    return pd.DataFrame(rows, columns=["What", "Name", "Value"])


def draw_sources(view: View) -> None:
    """Where the texts are from, and under which licence as far as that is known."""
    _draw_section_heading("sources")
    st.markdown(LICENCE_NOTE)
    if cached_queries.get_manifest(view.handle).notice:
        st.markdown(SAMPLE_LICENCE_NOTE)
    found = sources_queries.query_outlets(cached_queries.get_snapshot(view.handle))
    st.dataframe(
        found.assign(
            outlet=found["outlet"].replace("", phrases.NOBODY),
            licence=found["host"].map(LICENCES).fillna(UNKNOWN_LICENCE),
        ),
        column_config={
            "outlet": "Outlet",
            "host": "Site",
            "text_kind": "Text",
            "documents": st.column_config.NumberColumn("Documents", format="localized"),
            "first": "First",
            "last": "Last",
            "licence": "Licence of the source",
        },
        hide_index=True,
    )


def draw_citation(view: View) -> None:
    """A citation of what is shown, ready to copy."""
    _draw_section_heading("cite")
    st.markdown(CITATION_NOTE)
    manifest = cached_queries.get_manifest(view.handle)
    st.code(
        format_citation(manifest, view.slice, cached_queries.get_narrative_names(view.handle)),
        language=None,
        wrap_lines=True,
    )
    st.code(format_bibtex(manifest), language=None, wrap_lines=True)


def format_citation(manifest: SnapshotManifest, s: Slice, names: dict[str, str]) -> str:
    """The snapshot, its contents and the filters in a sentence or two. Pure."""
    nouns = {"documents": "document", "statements": "statement paragraph"}
    made = [phrases.format_count(manifest.counts[key], noun) for key, noun in nouns.items() if key in manifest.counts]
    made.append(f"codebook {manifest.parameters.get('codebook', 'unknown')[:12]}")
    made.append(f"model {manifest.model} ({manifest.variant})")
    chosen = "; ".join(f"{name}: {value}" for _, name, value in phrases.describe_filters(s, names))
    said = [
        f"{_format_title(manifest)}, built {phrases.format_timestamp(manifest.built_at)}: {', '.join(made)}.",
        f"Filters: {chosen}." if chosen else "",
        phrases.make_sentence(manifest.notice),
    ]
    return " ".join(filter(None, said))


def format_bibtex(manifest: SnapshotManifest) -> str:
    """The same as an entry for BibTeX. Pure."""
    built = phrases.format_timestamp(manifest.built_at)
    fields = {
        "title": _format_title(manifest),
        "year": manifest.built_at[:4],
        "note": f"Built {built}; model {manifest.model} ({manifest.variant})",
    }
    lines = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items())
    return f"@misc{{narratives-{manifest.snapshot_id},\n{lines}}}"


def _format_title(manifest: SnapshotManifest) -> str:
    return f"Narrative Tracker {manifest.versions.get('narratives', '')}, snapshot {manifest.snapshot_id}"


def _draw_section_heading(anchor: str) -> None:
    st.header(SNAPSHOT_SECTIONS[anchor], anchor=anchor)
