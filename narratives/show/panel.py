"""A panel: charts with their title, denominator, table, downloads and link. Every chart stands in one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import streamlit as st
from plotly.basedatatypes import BaseFigure
from streamlit.components.v2 import component

from narratives.model import Slice
from narratives.show import charts, data, downloads, navigation, words
from narratives.show.frame import View

_BUTTONS = """
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
class Panel:
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


Selection = Literal["points", "box", "lasso"]
Figures = Sequence[tuple[str, charts.Figure, str]]


def show(
    view: View,
    panel: Panel,
    figures: Callable[[], Figures] | None,
    least_width: int = 0,
    on_click: Callable[[str], None] | None = navigation.to_evidence,
    config: Mapping[str, Any] = charts.CONFIG,
    selection: Sequence[Selection] = ("points",),
) -> None:
    """Draw the panel: its charts, or their numbers as a table, and the ways to take them away.

    `figures` gives (key, figure, text summary) and is not called while the table is shown; None where the
    table is all there is. With `least_width` in pixels the charts stand in a grid, else one below the other.
    `on_click` is called with the key of the chart of which a point was clicked, or points were chosen in
    another way of `selection`. `config` is Plotly's.
    """
    with st.container(key=f"panel-{panel.key}"):
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            st.subheader(words.literal(panel.title), anchor=False, width="stretch")
            tabled = figures is None or st.toggle(
                "Table", key=f"table-{panel.key}", help="The numbers instead of the chart."
            )
            _save(view, panel, pictures=not tabled)
        st.caption(words.literal(panel.how))
        if tabled or figures is None:
            _table(panel)
            return
        place = st.grid("auto", min_column_width=least_width, gap="small") if least_width else st.container()
        for key, figure, summary in figures():
            place.plotly_chart(
                Finished(figure),
                config=dict(config),
                key=key,
                alt=summary,
                on_select=_callback(on_click, key) if on_click else "ignore",
                selection_mode=selection,
            )


class Finished(BaseFigure):  # type: ignore[misc]  # Plotly has no types
    """A figure that Streamlit may send as it stands.

    Of a plain dict it would make a Plotly figure at every redraw, checking each value and adding a template
    that the browser's theme covers again: with the prevalence page half of the server's time and a third of
    what is sent. That figures are well formed is tested instead (tests/conftest.py).
    """

    def __init__(self, spec: charts.Figure) -> None:
        self._spec = spec

    def to_dict(self) -> charts.Figure:
        """The figure as the browser's Plotly takes it."""
        return self._spec


def _callback(on_click: Callable[[str], None], key: str) -> Callable[[], None]:
    return lambda: on_click(key)


def _table(panel: Panel) -> None:
    shown = [key for key in panel.columns if key in panel.table] or list(panel.table.columns)
    st.dataframe(
        panel.table[shown],
        column_config=dict(panel.columns),
        hide_index=True,
        height=min(560, 36 * (len(panel.table) + 1) + 2),
    )


def _save(view: View, panel: Panel, pictures: bool) -> None:
    manifest = data.manifest(view.handle)
    file = downloads.stem(panel.key, manifest.snapshot_id)
    with st.popover("Save", icon=":material/download:", type="tertiary", help="Download or share this"):
        st.download_button(
            "Numbers (CSV)",
            lambda: downloads.table_csv(panel.table, panel.slice, manifest, panel.how, panel.extra),
            f"{file}.csv",
            "text/csv",
            on_click="ignore",
            key=f"csv-{panel.key}",
            width="stretch",
        )
        _component()(
            data={
                "panel": f"panel-{panel.key}",
                "title": panel.title,
                "how": panel.how,
                "summary": panel.summary,
                "notes": notes(view, panel.slice),
                "snapshot": manifest.snapshot_id,
                "file": file,
                "link": dict(panel.link),
                "pictures": pictures,
            },
            key=f"share-{panel.key}",
        )


def links(view: View, key: str) -> None:
    """The buttons that copy a link to the page as it stands, where there is nothing to draw a picture of."""
    data_of = {"snapshot": data.manifest(view.handle).snapshot_id, "pictures": False}
    _component()(data=data_of, key=f"share-{key}")


def notes(view: View, s: Slice) -> list[str]:
    """What a picture must say below its charts: filters, snapshot and caveat."""
    manifest = data.manifest(view.handle)
    chosen = words.filters(s, data.names(view.handle))
    filtered = "; ".join(f"{name}: {value}" for _, name, value in chosen) or "none"
    lines = [
        f"Filters: {filtered}. Snapshot {manifest.snapshot_id}, built {words.built(manifest.built_at)}.",
        words.CAVEAT,
    ]
    return [*lines, words.sentence(manifest.notice)] if manifest.notice else lines


@cache
def _component() -> Callable[..., Any]:
    code = Path(__file__).with_name("share.js").read_text("utf-8")
    return component("narratives_share", html=_BUTTONS, css=_CSS, js=code)
