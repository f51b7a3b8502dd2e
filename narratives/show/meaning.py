"""Search by meaning for the pages: the model is loaded when first asked for, and kept."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import streamlit as st

from narratives import search
from narratives.model import EncoderError, StoreError
from narratives.show import data
from narratives.store import Turns

OFF, SOURCE = "NARRATIVES_NO_MODEL", "NARRATIVES_MODEL"
PATIENCE = 30.0  # seconds to wait for the searches of others
LOADING = "Looking for paragraphs of like meaning; the first time the language model is loaded …"


def near(handle: data.Handle, text: str) -> dict[str, float] | None:
    """Ids of the paragraphs near `text` in meaning, with their similarity; None where nothing is asked.

    Raises EncoderError, StoreError, UsageError or ResourceError, each with what to do, where it cannot be
    told.
    """
    if not text:
        return None
    if os.environ.get(OFF):
        raise EncoderError(
            "a language model on this server",
            f"{OFF} set, which keeps it from being loaded",
            f"Start the dashboard without {OFF}. Searching for words needs no model.",
        )
    with st.spinner(LOADING):
        return _near(handle, text)


@st.cache_data(max_entries=60, ttl=data.KEEP_SECONDS, show_spinner=False)
def _near(handle: data.Handle, text: str) -> dict[str, float]:
    try:
        return _searcher(handle)(text)
    except StoreError:
        # What was damaged since it was opened may have been encoded again meanwhile.
        _searcher.clear(handle)
        return _searcher(handle)(text)


@st.cache_resource(max_entries=2, show_spinner=False)
def _searcher(handle: data.Handle) -> Callable[[str], dict[str, float]]:
    """What searches one snapshot, for all sessions."""
    snapshot = data.snapshot(handle)
    manifest = snapshot.meta()
    index = search.open_index(Path(handle.store), snapshot)
    encoder = _model(manifest.model, manifest.variant, handle)
    turns = Turns(1, PATIENCE)  # the tokenizer serves one thread at a time

    def find(text: str) -> dict[str, float]:
        with turns.take():
            return search.search(index, encoder, text)

    return find


@st.cache_resource(max_entries=2, show_spinner=False)
def _model(model: str, variant: str, _handle: data.Handle) -> search.Encoder:
    return search.load_model(data.manifest(_handle), os.environ.get(SOURCE, ""))
