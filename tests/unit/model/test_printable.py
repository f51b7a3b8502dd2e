"""Characters that act on a terminal or on the direction of writing reach neither a message nor a page."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from narratives.model import ReadError
from narratives.model.printable import escape_controls, hide_folders, remove_controls

ACTING = ["\x1b[31m", "\x07", "\x9b2J", "\r", "\u202e", "\u2066", "\u2069", "\u200f", "\u061c", "\x00", "\udcff"]


@pytest.mark.parametrize("character", ACTING)
def test_what_acts_is_written_as_its_code_or_removed(character):
    assert not set(character[0]) & set(escape_controls(f"a{character}b"))
    assert escape_controls(f"a{character}b").startswith("a\\") and character[0] not in remove_controls(character)


def test_codes_are_readable_and_lines_stay():
    assert escape_controls("a\x1b]0;x\x07\u202eb\udcff") == "a\\x1b]0;x\\x07\\u202eb\\xff"
    assert escape_controls("one\n\ttwo") == "one\n\ttwo" and escape_controls("one\n", kept="") == "one\\x0a"
    assert remove_controls("one\n\ttwo\r\u202e!") == "one\n\ttwo!"


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), max_size=40))
def test_visible_text_stays_as_it_is(text):
    assert escape_controls(text) == remove_controls(text) == text


def test_an_error_quotes_without_effect():
    error = ReadError("a column", "the columns a\x1b[2J, \u202eb", "Correct\x07 it.")
    assert str(error) == "Expected a column; got the columns a\\x1b[2J, \\u202eb. Correct\\x07 it."
    assert error.got in str(error) and error.hint in str(error)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a file at /srv/my texts/store/snapshots/ab12/manifest.json", "a file at store/snapshots/ab12/manifest.json"),
        ("no such file: '/home/ann/a.csv'", "no such file: 'a.csv'"),
        ("--store /srv/my texts/store, then reload", "--store store, then reload"),
        ("see https://a.example/b/c and/or 1/2 a / b", "see https://a.example/b/c and/or 1/2 a / b"),
        ("relative/to/this ./and/that", "relative/to/this ./and/that"),
    ],
)
def test_folders_of_the_server_are_hidden(text, shown):
    assert hide_folders(text, Path("/srv/my texts/store")) == shown
