"""The Method page: the methodology text, and quality, provenance and citation of the snapshot in use."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from narratives.dashboard import cached_queries, quality
from narratives.dashboard.cached_queries import Handle
from narratives.dashboard.chart_panel import ChartPanel, draw_panel, finish_chart
from narratives.dashboard.shell import View
from narratives.dashboard.tables import COUNT_COLUMN, PERCENT_COLUMN
from narratives.model import Slice, SnapshotManifest
from narratives.model.snapshot import Calibration
from narratives.render import calibration, phrases
from narratives.store.inputs import format_source_path
from narratives.store.queries import narrative as narrative_queries
from narratives.store.queries import sources as sources_queries
from narratives.workflows import methodology

load_outlets = cached_queries.cache_query(sources_queries.query_outlets)

TEXT_WIDTH = 740  # pixels: about eighty letters a line
# As stated by the sites themselves.
LICENCES = {"en.kremlin.ru": "CC BY 4.0 (Administration of the President of Russia)"}
UNKNOWN_LICENCE = "unknown: ask the publisher"
SNAPSHOT_SECTIONS = {
    "quality": "Measured quality",
    "snapshot": "This snapshot",
    "sources": "Sources and licences",
    "cite": "How to cite",
}
LICENCE_NOTE = (
    "The program does not record the licences of the texts it reads. Before you publish any, check what their "
    "publishers allow. The program, its codebook and its sample are under the Apache License 2.0."
)
SAMPLE_LICENCE_NOTE = (
    "The sample paraphrases statements in this project’s own words. Sources: documents of en.kremlin.ru (under "
    "CC BY 4.0; changed and shortened; the publisher has neither seen nor approved the changes), speeches in "
    "the UN General Debate (from a collection released under CC0), and five news items, of which only the "
    "content is used. See `data/sample/README.md`."
)
ENRICHED_NOTE = (
    "Such paragraphs are often chosen because they resemble a narrative. Narratives are then far more frequent than in "
    "a corpus, and precision is higher. These figures compare methods; they do not say how many matches in a corpus "
    "are correct."
)
CITATION_NOTE = (
    "The snapshot id identifies every number. Cite it with the filters and the build date. *Copy link to this "
    "snapshot*, under *Save* above each chart, copies an address that shows the same chart again."
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
    """Draw the methodology text: terms, limits, and how each number is computed."""
    for section in methodology.load_sections(cached_queries.get_suppression_rule(view.handle)):
        st.header(section.title, anchor=section.anchor)
        st.markdown(section.body)


def draw_quality(view: View) -> None:
    """Draw how well the matching agrees with reference labels, or that this was not measured."""
    _draw_section_heading("quality")
    measured = quality.load_quality(view.handle)
    evaluation = cached_queries.load_evaluation(view.handle)
    if measured:
        st.markdown(quality.HOW_TO_READ)
    else:
        st.markdown(quality.NOT_MEASURED)
    if evaluation:
        st.markdown(quality.describe_caveat(view))
    if checked := quality.describe_spot_checks(view):
        st.markdown(checked)
    if measured:
        quality.draw_quality_table(view, list(measured.values()))
    if evaluation and evaluation.corpus:
        with st.expander("The same, on all labelled paragraphs"):
            st.caption(ENRICHED_NOTE)
            names = cached_queries.get_narrative_names(view.handle)
            st.dataframe(quality.build_quality_table(evaluation.rows, names), hide_index=True, height="content")
    if evaluation and evaluation.calibration:
        _draw_calibration(view, evaluation.calibration)


def _draw_calibration(view: View, measured: Calibration) -> None:
    """Draw the reliability diagram and the calibration errors."""
    panel = _build_calibration(view.handle)
    draw_panel(view, panel, on_click=None)
    st.text(panel.summary)
    if measured.thresholds:
        panel = _build_thresholds(view.handle)
        draw_panel(view, panel, on_click=None)
        st.text(panel.summary)


def _load_calibration(handle: Handle) -> Calibration:
    evaluation = cached_queries.load_evaluation(handle)
    assert evaluation is not None and evaluation.calibration is not None
    return evaluation.calibration


@cached_queries.cache_shared(max_entries=4)
def _build_calibration(handle: Handle) -> ChartPanel:
    measured = _load_calibration(handle)
    summary = calibration.describe_calibration(measured)
    return ChartPanel(
        key="calibration",
        title=calibration.TITLE,
        how=calibration.READING,
        summary=summary,
        table=calibration.build_calibration_table(measured),
        slice=Slice(),
        columns={
            "score": PERCENT_COLUMN("Mean score"),
            "share": PERCENT_COLUMN("Share that advances"),
            "share_low": PERCENT_COLUMN("95 % from "),
            "share_high": PERCENT_COLUMN("to "),
            "pairs": COUNT_COLUMN("Labelled pairs"),
        },
        charts=[finish_chart("calibration", calibration.build_reliability_diagram(measured), summary)],
    )


@cached_queries.cache_shared(max_entries=4)
def _build_thresholds(handle: Handle) -> ChartPanel:
    """Return the chart of precision and recall for every threshold, with the one in use."""
    measured = _load_calibration(handle)
    threshold = narrative_queries.query_usual_threshold(cached_queries.get_snapshot(handle))
    summary = calibration.describe_threshold(measured, threshold)
    return ChartPanel(
        key="thresholds",
        title=calibration.THRESHOLD_TITLE,
        how=calibration.THRESHOLD_READING,
        summary=summary,
        table=calibration.build_threshold_table(measured),
        slice=Slice(),
        columns={
            "threshold": st.column_config.NumberColumn("Threshold", format="%.2f"),
            "precision": PERCENT_COLUMN("Precision"),
            "precision_low": PERCENT_COLUMN("95 % from"),
            "precision_high": PERCENT_COLUMN("to"),
            "recall": PERCENT_COLUMN("Recall"),
            "recall_low": PERCENT_COLUMN("95 % from "),
            "recall_high": PERCENT_COLUMN("to "),
        },
        charts=[finish_chart("thresholds", calibration.build_threshold_chart(measured, threshold), summary)],
    )


def draw_snapshot(view: View) -> None:
    """Draw the inputs, versions and parameters of the snapshot."""
    _draw_section_heading("snapshot")
    manifest = cached_queries.get_manifest(view.handle)
    after = f", after {manifest.predecessor}" if manifest.predecessor else ""
    st.text(f"Snapshot {manifest.snapshot_id}, built {phrases.format_timestamp(manifest.built_at)}{after}.")
    st.dataframe(build_facts_table(manifest), hide_index=True, height="content")
    with st.expander(f"Counts and inputs ({len(manifest.inputs):,})"):
        counts = [(name.replace("_", " "), f"{n:,}") for name, n in manifest.counts.items()]
        inputs = [(format_source_path(record.source_path), record.hash) for record in manifest.inputs]
        st.dataframe(pd.DataFrame(counts, columns=["Count", "Number"]), hide_index=True, height="content")
        st.dataframe(pd.DataFrame(inputs, columns=["Input", "sha256"]), hide_index=True)


def build_facts_table(manifest: SnapshotManifest) -> pd.DataFrame:
    """Return parameters, versions and checksums of a snapshot, with columns What, Name and Value."""
    groups = (("parameter", manifest.parameters), ("version", manifest.versions), ("sha256", manifest.checksums))
    rows = [(what, name, value) for what, values in groups for name, value in values.items()]
    return pd.DataFrame(rows, columns=["What", "Name", "Value"])


def draw_sources(view: View) -> None:
    """Draw the sources of the texts, with their licences if known."""
    _draw_section_heading("sources")
    st.markdown(LICENCE_NOTE)
    if cached_queries.get_manifest(view.handle).notice:
        st.markdown(SAMPLE_LICENCE_NOTE)
    outlets = load_outlets(view.handle)
    st.dataframe(
        outlets.assign(
            outlet=outlets["outlet"].replace("", phrases.NOBODY),
            licence=outlets["host"].map(LICENCES).fillna(UNKNOWN_LICENCE),
        ),
        column_config={
            "outlet": "Outlet",
            "host": "Site",
            "text_kind": "Text",
            "documents": COUNT_COLUMN("Documents"),
            "first": "First",
            "last": "Last",
            "licence": "Licence of the source",
        },
        hide_index=True,
    )


def draw_citation(view: View) -> None:
    """Draw a citation of the current view, ready to copy."""
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
    """Return a citation with the snapshot, its contents and the filters."""
    nouns = {"documents": "document", "statements": "statement paragraph"}
    made = [phrases.format_count(manifest.counts[key], noun) for key, noun in nouns.items() if key in manifest.counts]
    made.append(f"codebook {manifest.parameters.get('codebook', 'unknown')[:12]}")
    made.append(f"model {manifest.model} ({manifest.variant})")
    chosen = "; ".join(f"{name}: {value}" for _, name, value in phrases.describe_filters(s, names))
    sentences = [
        f"{_format_title(manifest)}, built {phrases.format_timestamp(manifest.built_at)}: {', '.join(made)}.",
        f"Filters: {chosen}." if chosen else "",
        phrases.make_sentence(manifest.notice),
    ]
    return " ".join(filter(None, sentences))


def format_bibtex(manifest: SnapshotManifest) -> str:
    """Return a BibTeX entry for the snapshot."""
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
