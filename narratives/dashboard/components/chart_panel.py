"""Files of what a page shows; filters, snapshot and caveat stand in every row, so that none is orphaned."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal
from urllib.parse import urlencode, urlsplit

import pandas as pd
import pyarrow as pa
import streamlit as st
from plotly.basedatatypes import BaseFigure
from streamlit.components.v2 import component

from narratives.dashboard import cached_queries, navigation, sidebar, url_state
from narratives.dashboard.shell import SNAPSHOT_PARAMETER, View
from narratives.model import Slice, SnapshotManifest
from narratives.render import phrases, time_series, traces
from narratives.store import format_filters, frame_to_csv, write_table
from narratives.workflows import brief

# Columns of the pages' files, and what `written` calls them.
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
    """The evidence, one row a paragraph, as `.csv` (UTF-8 with BOM, formulas neutralised), `.jsonl` or
    `.parquet`: the same rows and columns in each. `extra` are the page's own controls.

    There may be 30,000 rows, so each says the caveat in short; Parquet also holds it once in full. With
    `filter_unassigned` rows are chosen without regard to the narrative filter, so none is named then.
    """
    s = replace(s, narratives=()) if extra.get("filter_unassigned") == "yes" else s
    context = _build_context_columns(s, manifest)
    caveat = f"{manifest.notice}. {phrases.SHORT_CAVEAT}" if manifest.notice else phrases.SHORT_CAVEAT
    table = pa.Table.from_pandas(
        frame.assign(**extra, **{**context, "caveat": caveat}), preserve_index=False
    ).replace_schema_metadata(None)
    file = io.BytesIO()
    write_table(table, suffix, file, bom=True, about={**extra, **context})
    return file.getvalue()


def export_table(
    frame: pd.DataFrame,
    s: Slice,
    manifest: SnapshotManifest,
    denominator: str,
    extra: Mapping[str, str] = MappingProxyType({}),
) -> bytes:
    """The numbers of a chart, as UTF-8 with BOM; formulas are neutralised. `extra` are further columns."""
    context = {"denominator": denominator, "unit": s.unit, **extra, **_build_context_columns(s, manifest)}
    return frame_to_csv(frame.assign(**context), bom=True)


def build_file_stem(what: str, snapshot_id: str) -> str:
    """What a browser should save it as, without the ending."""
    return f"narratives-{what}-{snapshot_id}"


def build_file_name(what: str, snapshot_id: str, suffix: str = ".csv") -> str:
    """The same with its ending."""
    return f"{build_file_stem(what, snapshot_id)}{suffix}"


def _build_context_columns(s: Slice, manifest: SnapshotManifest) -> dict[str, str]:
    """The columns that say what a file is a slice of."""
    filters = format_filters(s)
    return {
        **{column: filters[name] for column, name in _FILTER_COLUMNS.items()},
        "snapshot": manifest.snapshot_id,
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
class ChartPanel:
    """What stands around one or more charts.

    `key` names it in the page (lower case, hyphens); `how` says in words what is drawn, in which unit and
    of which denominator; `summary` tells the charts to those who cannot see them; `table` holds exactly
    what is drawn and `columns` how to show it; `slice` is what it is a slice of. `link` are parameters that a
    copied link must name although the address leaves them out, since what it starts with may change.
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


SelectionMode = Literal["points", "box", "lasso"]
Figures = Sequence[tuple[str, traces.Figure, str]]


def draw_panel(
    view: View,
    panel: ChartPanel,
    figures: Callable[[], Figures] | None,
    least_width: int = 0,
    on_click: Callable[[str], None] | None = navigation.open_clicked_evidence,
    config: Mapping[str, Any] = time_series.PLOTLY_CONFIG,
    selection: Sequence[SelectionMode] = ("points",),
) -> None:
    """Draw the panel: its charts, or their numbers as a table, and the ways to take them away.

    `figures` gives (key, figure, text summary) and is not called while the table is shown; None where the
    table is all there is. With `least_width` in pixels the charts stand in a grid, else one below the other.
    `on_click` is called with the key of the chart of which a point was clicked, or points were chosen in
    another way of `selection`. `config` is Plotly's.
    """
    with st.container(key=f"panel-{panel.key}"):
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            st.subheader(phrases.escape_markdown(panel.title), anchor=False, width="stretch")
            tabled = figures is None or st.toggle(
                "Table", key=f"table-{panel.key}", help="The numbers instead of the chart."
            )
            _draw_save_menu(view, panel, pictures=not tabled)
        st.caption(phrases.escape_markdown(panel.how))
        if tabled or figures is None:
            _draw_table(panel)
            return
        place = st.grid("auto", min_column_width=least_width, gap="small") if least_width else st.container()
        for key, figure, summary in figures():
            place.plotly_chart(
                PlainFigure(figure),
                config=dict(config),
                key=key,
                alt=summary,
                on_select=_make_callback(on_click, key) if on_click else "ignore",
                selection_mode=selection,
            )


class PlainFigure(BaseFigure):  # type: ignore[misc]  # Plotly has no types
    """A figure that Streamlit may send as it stands.

    Of a plain dict it would make a Plotly figure at every redraw, checking each value and adding a template
    that the browser's theme covers again: with the prevalence page half of the server's time and a third of
    what is sent. That figures are well formed is tested instead (tests/conftest.py).
    """

    def __init__(self, spec: traces.Figure) -> None:
        self._spec = spec

    def to_dict(self) -> traces.Figure:
        """The figure as the browser's Plotly takes it."""
        return self._spec


def _make_callback(on_click: Callable[[str], None], key: str) -> Callable[[], None]:
    return lambda: on_click(key)


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
    file = build_file_stem(panel.key, manifest.snapshot_id)
    with st.popover("Save", icon=":material/download:", type="tertiary", help="Download or share this"):
        st.download_button(
            "Numbers (CSV)",
            lambda: export_table(panel.table, panel.slice, manifest, panel.how, panel.extra),
            f"{file}.csv",
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
                "file": file,
                "link": dict(panel.link),
                "pictures": pictures,
            },
            key=f"share-{panel.key}",
        )


def draw_link_buttons(view: View, key: str) -> None:
    """The buttons that copy a link to the page as it stands, where there is nothing to draw a picture of."""
    data_of = {"snapshot": cached_queries.get_manifest(view.handle).snapshot_id, "pictures": False}
    _load_share_component()(data=data_of, key=f"share-{key}")


def build_image_notes(view: View, s: Slice) -> list[str]:
    """What a picture must say below its charts: filters, snapshot and caveat."""
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
    """Offer the brief of a slice; it is made when the button is pressed."""
    here = st.context.url or ""
    st.download_button(
        "Brief (HTML)",
        lambda: build_linked_brief(view, s, here).encode("utf-8"),
        f"{build_file_stem('brief', view.handle.snapshot_id)}.html",
        "text/html",
        on_click="ignore",
        type="tertiary",
        icon=":material/description:",
        help="One page to print or pass on: charts, five paragraphs, method and caveats of what the filters "
        "show. It opens in any browser and needs no network.",
        key="brief",
    )


def build_linked_brief(view: View, s: Slice, here: str) -> str:
    """The brief, with a link to the same slice of the same snapshot where `here` is this page's address."""
    found = brief.gather_brief(cached_queries.get_snapshot(view.handle), s)
    return brief.build_html(found, Path(view.handle.store).name, build_snapshot_url(view, s, here))


def build_snapshot_url(view: View, s: Slice, here: str) -> str:
    """The address that shows the slice of this very snapshot again; empty where there is none."""
    if not urlsplit(here).netloc:
        return ""
    own = {
        "by": s.by,
        "unit": None if s.unit == "paragraph" else s.unit,
        SNAPSHOT_PARAMETER: view.handle.snapshot_id,
    }
    asked = url_state.encode_parameters({**sidebar.get_control_values(s), **own})
    return f"{urlsplit(here)._replace(query=urlencode(asked, doseq=True), fragment='').geturl()}"
