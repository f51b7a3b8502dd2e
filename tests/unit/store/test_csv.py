"""CSV files: no cell runs as a formula or acts on a terminal, and other cells stay as they are."""

from __future__ import annotations

import csv
import io

import pandas as pd
import pytest

from narratives.store import frame_to_csv

RUNNING = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "＝1+1",
    "＋1",
    "－1",
    "＠SUM(A1)",
    " =1",
    "\u200b=1",
    "\ufeff=1",
]
PLAIN = ["a = b", "a\tb", "line\nline", '"quoted", with commas', "Ångström", "", "'=1"]


def read(frame: pd.DataFrame) -> list[list[str]]:
    return list(csv.reader(io.StringIO(frame_to_csv(frame).decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize("kind", ["str", "category"])
def test_no_cell_runs_and_others_stay(kind):
    header, *rows = read(pd.DataFrame({"text": pd.Series([*RUNNING, *PLAIN], dtype=kind)}))
    assert header == ["text"]
    assert [cell for [cell] in rows[: len(RUNNING)]] == [f"'{text}" for text in RUNNING]
    assert [cell for [cell] in rows[len(RUNNING) :]] == PLAIN


def test_cells_have_no_escapes_and_one_direction():
    [_, [cell]] = read(pd.DataFrame({"text": ["a\x1b[31mb\u202ec\u2066d\x00"]}))
    assert cell == "a[31mbcd"
    [_, [cell]] = read(pd.DataFrame({"text": ["\u202e=1+1"]}))
    assert cell == "'=1+1"
