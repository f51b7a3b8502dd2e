"""Chart panels with their table, downloads and links. Each row of a file names filters, snapshot and caveat."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, cast
from urllib.parse import urlencode, urlsplit

import pandas as pd
import pyarrow as pa
import streamlit as st
from plotly.basedatatypes import BaseFigure
from plotly.io.json import to_json_plotly
from streamlit.components.v2 import component

from narratives.dashboard import cached_queries, controls, navigation
from narratives.dashboard.shell import SNAPSHOT_PARAMETER, View
from narratives.model import Slice, SnapshotManifest
from narratives.render import phrases, time_series, traces
from narratives.store import format_filters, frame_to_csv, write_table
from narratives.workflows import brief

# Columns of the pages' files, and the names of `format_filters`.
_FILTER_COLUMNS = {
    "filter_speaker": "speakers",
    "filter_outlet": "outlets",
    "filter_narrative": "narratives",
    "filter_voice": "voices",
    "filter_from": "date_from",
    "filter_to": "date_to",
    "filter_copies": "copies",
}


def export_paragraphs(
    frame: pd.DataFrame, s: Slice, manifest: SnapshotManifest, extra: Mapping[str, str], suffix: str
) -> bytes:
    """Return the evidence as a file, one row per paragraph.

    The format is `.csv` (UTF-8 with BOM, formulas neutralised), `.jsonl` or `.parquet`, with the same rows and
    columns in each. `extra` are the page's own controls. There may be 30,000 rows, so each has the short caveat;
    Parquet also holds the full one. With `filter_unassigned` the narrative filter does not apply and is not named.
    """
    s = replace(s, narratives=()) if extra.get("filter_unassigned") == "yes" else s
    context = _build_context_columns(s, manifest)
    caveat = f"{manifest.notice}. {phrases.SHORT_CAVEAT}" if manifest.notice else phrases.SHORT_CAVEAT
    table = pa.Table.from_pandas(
        frame.assign(**extra, **{**context, "caveat": caveat}), preserve_index=False
    ).replace_schema_metadata(None)
    file = io.BytesIO()
    write_table(table, suffix, file, about={**extra, **context})
    return file.getvalue()


def export_table(
    frame: pd.DataFrame,
    s: Slice,
    manifest: SnapshotManifest,
    denominator: str,
    extra: Mapping[str, str] = MappingProxyType({}),
) -> bytes:
    """Return the numbers of a chart as CSV (UTF-8 with BOM, formulas neutralised); `extra` are further columns."""
    context = {"denominator": denominator, "unit": s.unit, **extra, **_build_context_columns(s, manifest)}
    return frame_to_csv(frame.assign(**context))


def build_file_name(what: str, snapshot_id: str, suffix: str = ".csv") -> str:
    """Return the name of a downloaded file."""
    return f"narratives-{what}-{snapshot_id}{suffix}"


def _build_context_columns(s: Slice, manifest: SnapshotManifest) -> dict[str, str]:
    """Return the columns with the filters, the snapshot, the last decision that counts (if any), and the caveat."""
    filters = format_filters(s)
    return {
        **{column: filters[name] for column, name in _FILTER_COLUMNS.items()},
        "snapshot": manifest.snapshot_id,
        **({"last_decision": str(manifest.decided)} if manifest.decided else {}),
        "caveat": f"{manifest.notice}. {phrases.CAVEAT}" if manifest.notice else phrases.CAVEAT,
    }


_BUTTONS_HTML = """
<div class="row">
  <button data-action="png">Picture (PNG)</button>
  <button data-action="svg">Picture (SVG)</button>
  <button data-action="link">Copy link</button>
  <button data-action="pinned">Copy link to this snapshot</button>
</div>
<p role="status"></p>
"""
_CSS = """
.row { display: flex; flex-direction: column; gap: .4rem; }
button { font: inherit; color: var(--st-text-color); background: none; cursor: pointer; text-align: left;
  border: 1px solid var(--st-border-color); border-radius: .3rem; padding: .35rem .7rem; }
button:hover, button:focus-visible { border-color: var(--st-primary-color); color: var(--st-primary-color); }
button:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 1px; }
p { font-size: .85rem; margin: .4rem 0 0; color: var(--st-text-color); min-height: 1.2em; }
"""


@dataclass(frozen=True, slots=True)
class Chart:
    """A finished chart: its key in the page, its figure as JSON, and its summary in words.

    JSON takes a fraction of the memory of the objects it describes, so that many charts can be kept for all sessions.
    """

    key: str
    figure: str
    summary: str


def finish_chart(key: str, figure: traces.Figure, summary: str) -> Chart:
    """Return a chart that is ready to be sent. Pure."""
    return Chart(key, to_json_plotly(figure), summary)


@dataclass(frozen=True, slots=True)
class ChartPanel:
    """The frame around one or more charts, or around a table alone.

    `key` identifies the panel in the page (lower case, hyphens). `how` describes what is drawn, in which unit
    and with which denominator. `summary` describes the charts for people who cannot see them. `table` holds
    exactly what is drawn, and `columns` configures its columns. `slice` are the filters of the data. `link` are
    parameters that a copied link must contain although the URL omits them, because their defaults may change.
    """

    key: str
    title: str
    how: str
    summary: str
    table: pd.DataFrame
    slice: Slice
    columns: Mapping[str, Any] = field(default_factory=dict)
    extra: Mapping[str, str] = field(default_factory=dict)
    link: Mapping[str, str] = field(default_factory=dict)
    charts: Sequence[Chart] = ()


SelectionMode = Literal["points", "box", "lasso"]


def draw_panel(
    view: View,
    panel: ChartPanel,
    least_width: int = 0,
    on_click: Callable[[str], None] | None = navigation.open_clicked_evidence,
    config: Mapping[str, Any] = time_series.PLOTLY_CONFIG,
    selection: Sequence[SelectionMode] = ("points",),
) -> None:
    """Draw the panel: its charts, or their numbers as a table, and the menu to save them.

    With `least_width` in pixels the charts are in a grid, otherwise one below the other. `on_click` is called with
    the key of a chart when its points are clicked or selected in another way that `selection` allows. `config` is
    Plotly's.
    """
    with st.container(key=f"panel-{panel.key}"):
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            st.subheader(phrases.escape_markdown(panel.title), anchor=False, width="stretch")
            tabled = not panel.charts or st.toggle(
                "Table", key=f"table-{panel.key}", help="Show the numbers instead of the chart."
            )
            _draw_save_menu(view, panel, pictures=not tabled)
        st.caption(phrases.escape_markdown(panel.how))
        if tabled:
            _draw_table(panel)
            return
        place = st.grid("auto", min_column_width=least_width, gap="small") if least_width else st.container()
        for chart in panel.charts:
            place.plotly_chart(
                PlainFigure(chart.figure),
                config=dict(config),
                key=chart.key,
                alt=chart.summary,
                on_select=partial(on_click, chart.key) if on_click else "ignore",
                selection_mode=selection,
            )


class PlainFigure(BaseFigure):  # type: ignore[misc]  # Plotly has no types
    """A figure, given as JSON, that Streamlit sends unchanged.

    Streamlit turns a plain dict into a Plotly figure at every redraw. That checks each value and adds a template
    that the theme overrides, which on the Prevalence page takes half of the server's time and a third of the
    traffic. The tests check that figures are well formed (tests/conftest.py).
    """

    def __init__(self, spec: str) -> None:
        self._spec = spec

    def to_dict(self) -> traces.Figure:
        """Return the figure as the browser's Plotly needs it."""
        return cast(traces.Figure, json.loads(self._spec))


def _draw_table(panel: ChartPanel) -> None:
    shown = [key for key in panel.columns if key in panel.table] or list(panel.table.columns)
    st.dataframe(
        panel.table[shown],
        column_config=dict(panel.columns),
        hide_index=True,
        height=min(560, 36 * (len(panel.table) + 1) + 2),
    )


def _draw_save_menu(view: View, panel: ChartPanel, pictures: bool) -> None:
    manifest = cached_queries.get_manifest(view.handle)
    with st.popover("Save", icon=":material/download:", type="tertiary", help="Download or share this"):
        st.download_button(
            "Numbers (CSV)",
            lambda: export_table(panel.table, panel.slice, manifest, panel.how, panel.extra),
            build_file_name(panel.key, manifest.snapshot_id),
            "text/csv",
            on_click="ignore",
            key=f"csv-{panel.key}",
            width="stretch",
        )
        _load_share_component()(
            data={
                "panel": f"panel-{panel.key}",
                "title": panel.title,
                "how": panel.how,
                "summary": panel.summary,
                "notes": build_image_notes(view, panel.slice),
                "snapshot": manifest.snapshot_id,
                "file": build_file_name(panel.key, manifest.snapshot_id, suffix=""),
                "link": dict(panel.link),
                "pictures": pictures,
            },
            key=f"share-{panel.key}",
        )


def draw_link_menu(view: View, key: str) -> None:
    """Draw the menu that copies a link to the current page."""
    with st.popover("Share", icon=":material/link:", type="tertiary"):
        _load_share_component()(data={"snapshot": view.handle.snapshot_id, "pictures": False}, key=f"share-{key}")


def build_image_notes(view: View, s: Slice) -> list[str]:
    """Return the notes below the charts of a saved picture: filters, snapshot and caveat."""
    manifest = cached_queries.get_manifest(view.handle)
    chosen = phrases.describe_filters(s, cached_queries.get_narrative_names(view.handle))
    filtered = "; ".join(f"{name}: {value}" for _, name, value in chosen) or "none"
    lines = [
        f"Filters: {filtered}. Snapshot {manifest.snapshot_id}, built {phrases.format_timestamp(manifest.built_at)}.",
        phrases.CAVEAT,
    ]
    return [*lines, phrases.make_sentence(manifest.notice)] if manifest.notice else lines


@cache
def _load_share_component() -> Callable[..., Any]:
    code = Path(__file__).with_name("share.js").read_text("utf-8")
    return component("narratives_share", html=_BUTTONS_HTML, css=_CSS, js=code)


def draw_brief_button(view: View, s: Slice) -> None:
    """Draw the button for the brief of a slice, which is made when the button is pressed."""
    here = st.context.url or ""
    st.download_button(
        "Brief (HTML)",
        lambda: build_linked_brief(view, s, here).encode("utf-8"),
        build_file_name("brief", view.handle.snapshot_id, ".html"),
        "text/html",
        on_click="ignore",
        type="tertiary",
        icon=":material/description:",
        help="One page to print or share, with charts, five paragraphs, the method and the caveats for the current "
        "filters. It opens in any browser, without a network connection.",
        key="brief",
    )


def build_linked_brief(view: View, s: Slice, here: str) -> str:
    """Return the brief, with a link to the same slice of the same snapshot; `here` is this page's URL."""
    content = brief.gather_brief(cached_queries.get_snapshot(view.handle), s)
    content = replace(content, manifest=cached_queries.get_manifest(view.handle))
    return brief.build_html(content, Path(view.handle.store).name, build_snapshot_url(view, s, here))


def build_snapshot_url(view: View, s: Slice, here: str) -> str:
    """Return the URL that shows the slice of this snapshot again; empty if `here` is not a full URL."""
    if not urlsplit(here).netloc:
        return ""
    own = {"by": s.by, "unit": None if s.unit == "paragraph" else s.unit, SNAPSHOT_PARAMETER: view.handle.snapshot_id}
    parameters = controls.encode_parameters({**navigation.get_control_values(s), **own})
    return f"{urlsplit(here)._replace(query=urlencode(parameters, doseq=True), fragment='').geturl()}"
