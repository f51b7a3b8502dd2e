"""The parts of the method page: the text of `narratives.method`, and what is of the snapshot in use."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from narratives.dashboard import cached_queries
from narratives.dashboard.components import quality
from narratives.dashboard.shell import View
from narratives.model import Manifest, Slice
from narratives.render import phrases
from narratives.store.queries import sources as sources_queries
from narratives.workflows import methodology

WIDTH = 740  # pixels: about eighty letters a line
# What the sites themselves say; of others nothing is known here.
LICENCES = {"en.kremlin.ru": "CC BY 4.0 (Administration of the President of Russia)"}
UNKNOWN = "not known here: ask its publisher"
OF_THE_SNAPSHOT = {
    "quality": "Measured quality",
    "snapshot": "This snapshot",
    "sources": "Sources and licences",
    "cite": "How to cite",
}
OF_THE_PROGRAM = (
    "The program records no licence of the texts that it reads: before you publish any, look at what their "
    "publishers allow. The program, its codebook and its sample are under the Apache License 2.0."
)
OF_THE_SAMPLE = (
    "The sample retells statements in words of this project’s own: documents of en.kremlin.ru (material "
    "under CC BY 4.0; changed and shortened, which its publisher has neither seen nor approved), speeches in "
    "the UN General Debate (from a collection released under CC0), and five news items of which only the "
    "content is taken over. `data/sample/README.md` tells more."
)
HOW_TO_CITE = (
    "The snapshot’s id fixes every number. Name it, the filters, and when it was built; *Copy link to this "
    "snapshot*, under *Save* above each chart, gives the address that shows the chart again."
)


def contents(view: View) -> None:
    """Links to the sections of the page."""
    made = {
        section.anchor: section.title for section in methodology.sections(cached_queries.base(view.handle))
    }
    titles = {**made, **OF_THE_SNAPSHOT}
    st.markdown(" · ".join(f"[{title}](#{anchor})" for anchor, title in titles.items()))


def how(view: View) -> None:
    """What the words mean, what must not be concluded, and how every number is made."""
    for section in methodology.sections(cached_queries.base(view.handle)):
        st.header(section.title, anchor=section.anchor)
        st.markdown(section.body)


def measured(view: View) -> None:
    """How well the matching agrees with reference labels, narrative by narrative, or that nobody knows."""
    _head("quality")
    found = quality.measured(view)
    if not found:
        st.markdown(quality.NOT_MEASURED)
        return
    st.markdown(quality.READING)
    st.markdown(phrases.literal(phrases.sentence(cached_queries.snapshot(view.handle).quality_caveat())))
    if checked := quality.spot_checked(view):
        st.markdown(checked)
    quality.measures(view, list(found.values()))


def snapshot(view: View) -> None:
    """What the snapshot was made from, by which versions and with which parameters."""
    _head("snapshot")
    manifest = cached_queries.manifest(view.handle)
    after = f", after {manifest.predecessor}" if manifest.predecessor else ""
    st.text(f"Snapshot {manifest.snapshot_id}, built {phrases.built(manifest.built_at)}{after}.")
    st.dataframe(facts(manifest), hide_index=True, height="content")
    with st.expander(f"Counts and inputs ({len(manifest.inputs):,})"):
        counts = [(name.replace("_", " "), f"{n:,}") for name, n in manifest.counts.items()]
        inputs = [(record.source_path, record.hash) for record in manifest.inputs]
        st.dataframe(pd.DataFrame(counts, columns=["Count", "Number"]), hide_index=True, height="content")
        st.dataframe(pd.DataFrame(inputs, columns=["Input", "sha256"]), hide_index=True)


def facts(manifest: Manifest) -> pd.DataFrame:
    """Columns What, Name and Value: parameters, versions and checksums of a snapshot. Pure."""
    groups = (
        ("parameter", manifest.parameters),
        ("version", manifest.versions),
        ("sha256", manifest.checksums),
    )
    rows = [(what, name, value) for what, found in groups for name, value in found.items()]
    return pd.DataFrame(rows, columns=["What", "Name", "Value"])


def list_sources(view: View) -> None:
    """Where the texts are from, and under which licence as far as that is known."""
    _head("sources")
    st.markdown(OF_THE_PROGRAM)
    if cached_queries.manifest(view.handle).notice:
        st.markdown(OF_THE_SAMPLE)
    found = sources_queries.sources(cached_queries.snapshot(view.handle))
    st.dataframe(
        found.assign(
            outlet=found["outlet"].replace("", phrases.NOBODY),
            licence=found["host"].map(LICENCES).fillna(UNKNOWN),
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


def cite(view: View) -> None:
    """A citation of what is shown, ready to copy."""
    _head("cite")
    st.markdown(HOW_TO_CITE)
    manifest = cached_queries.manifest(view.handle)
    st.code(citation(manifest, view.slice, cached_queries.names(view.handle)), language=None, wrap_lines=True)
    st.code(bibtex(manifest), language=None, wrap_lines=True)


def citation(manifest: Manifest, s: Slice, names: dict[str, str]) -> str:
    """The snapshot, its contents and the filters in a sentence or two. Pure."""
    nouns = {"documents": "document", "statements": "statement paragraph"}
    made = [
        phrases.count(manifest.counts[key], noun) for key, noun in nouns.items() if key in manifest.counts
    ]
    made.append(f"codebook {manifest.parameters.get('codebook', 'unknown')[:12]}")
    made.append(f"model {manifest.model} ({manifest.variant})")
    chosen = "; ".join(f"{name}: {value}" for _, name, value in phrases.filters(s, names))
    said = [
        f"{_title(manifest)}, built {phrases.built(manifest.built_at)}: {', '.join(made)}.",
        f"Filters: {chosen}." if chosen else "",
        phrases.sentence(manifest.notice),
    ]
    return " ".join(filter(None, said))


def bibtex(manifest: Manifest) -> str:
    """The same as an entry for BibTeX. Pure."""
    built = phrases.built(manifest.built_at)
    fields = {
        "title": _title(manifest),
        "year": manifest.built_at[:4],
        "note": f"Built {built}; model {manifest.model} ({manifest.variant})",
    }
    lines = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items())
    return f"@misc{{narratives-{manifest.snapshot_id},\n{lines}}}"


def _title(manifest: Manifest) -> str:
    return f"Narrative Tracker {manifest.versions.get('narratives', '')}, snapshot {manifest.snapshot_id}"


def _head(anchor: str) -> None:
    st.header(OF_THE_SNAPSHOT[anchor], anchor=anchor)
