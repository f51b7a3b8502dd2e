"""A codebook survives being written as TOML and read again."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from narratives.model import Codebook, Narrative
from narratives.read import dump_codebook, load_codebook
from narratives.read.config import clean_written
from narratives.workflows.codebook import format_value, parse_narrative

# As texts are when they have been read: without characters that nobody sees or that cannot be stored.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30).map(clean_written).filter(bool)
LISTS = st.lists(TEXTS, max_size=4).map(tuple)
IDS = st.from_regex(r"[a-z0-9_]{1,12}", fullmatch=True)
NARRATIVES = st.builds(
    Narrative,
    id=IDS,
    name=TEXTS,
    definition=TEXTS,
    includes=LISTS,
    excludes=LISTS,
    exemplars=st.lists(TEXTS, min_size=1, max_size=4).map(tuple),
    contrasts=LISTS,
    cues=LISTS,
    parent=st.just(""),
    colour=st.sampled_from(["", "#1f77b4", "#FF0000"]),
    threshold=st.none() | st.floats(0, 1),
    replaces=st.lists(IDS, max_size=2).map(tuple),
)
CODEBOOKS = st.lists(NARRATIVES, min_size=1, max_size=4, unique_by=(lambda n: n.id, lambda n: n.name))


@given(CODEBOOKS)
@settings(deadline=None)
def test_a_codebook_written_and_read_is_the_same(narratives: list[Narrative]) -> None:
    codebook = Codebook(tuple(narratives), "")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "codebook.toml")
        path.write_bytes(dump_codebook(codebook).encode())
        loaded = load_codebook(path)
    assert loaded.narratives == codebook.narratives
    assert dump_codebook(loaded) == dump_codebook(codebook)


@given(NARRATIVES)
def test_an_edit_keeps_every_field(narrative: Narrative) -> None:
    assert parse_narrative(json.loads(format_value(narrative)), "edit") == narrative
