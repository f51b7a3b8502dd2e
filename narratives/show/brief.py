"""The button that gives the slice of a page as a one-page brief."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode, urlsplit

import streamlit as st

from narratives import brief
from narratives.model import Slice
from narratives.show import address, data, downloads, filters
from narratives.show.frame import AS_OF, View


def download(view: View, s: Slice) -> None:
    """Offer the brief of a slice; it is made when the button is pressed."""
    here = st.context.url or ""
    st.download_button(
        "Brief (HTML)",
        lambda: page(view, s, here).encode("utf-8"),
        f"{downloads.stem('brief', view.handle.snapshot_id)}.html",
        "text/html",
        on_click="ignore",
        type="tertiary",
        icon=":material/description:",
        help="One page to print or pass on: charts, five paragraphs, method and caveats of what the filters "
        "show. It opens in any browser and needs no network.",
        key="brief",
    )


def page(view: View, s: Slice, here: str) -> str:
    """The brief, with a link to the same slice of the same snapshot where `here` is this page's address."""
    found = brief.gather(data.snapshot(view.handle), s)
    return brief.html(found, Path(view.handle.store).name, link(view, s, here))


def link(view: View, s: Slice, here: str) -> str:
    """The address that shows the slice of this very snapshot again; empty where there is none."""
    if not urlsplit(here).netloc:
        return ""
    own = {"by": s.by, "unit": None if s.unit == "paragraph" else s.unit, AS_OF: view.handle.snapshot_id}
    asked = address.parameters({**filters.values(s), **own})
    return f"{urlsplit(here)._replace(query=urlencode(asked, doseq=True), fragment='').geturl()}"
