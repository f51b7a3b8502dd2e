"""The sample corpus: its size and mix, and, where the sources are at hand, its faith to them."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from tests.conftest import ROOT

SAMPLE = ROOT / "data" / "sample"
OUTLETS = {"Kremlin", "UN General Debate", "RT", "TASS", "Ministry of Foreign Affairs of Russia"}
REFERENCE = re.compile(r"(?:kremlin/\d+|un/[A-Z]{3}_\d\d_\d{4}|seed/\d{3})")
DATE = re.compile(r"(?:\d{4}(?:-\d\d(?:-\d\d)?)?)?")


def load() -> list[dict]:
    return [
        json.loads(line) for path in sorted(SAMPLE.glob("*.jsonl")) for line in path.read_text("utf-8").splitlines()
    ]


ROWS = load()
PARAGRAPHS = [part for row in ROWS for part in row["paragraphs"]]


def test_the_sample_is_large_and_mixed_enough() -> None:
    years = Counter(row["date"][:4] for row in ROWS)
    assert len(ROWS) >= 64
    assert len(PARAGRAPHS) >= 320
    assert {year: n for year in ("2016", "2017", "2018", "2019", "2020") if (n := years[year]) < 10} == {}
    assert len({part["speaker"] for part in PARAGRAPHS} - {""}) >= 8
    assert {row["outlet"] for row in ROWS} - {""} == OUTLETS


def test_every_narrative_is_present_and_a_third_of_the_paragraphs_advances_none() -> None:
    codebook = tomllib.loads((ROOT / "data" / "codebook.toml").read_text("utf-8"))
    advanced = {code for part in PARAGRAPHS for code in part["advances"]}
    assert advanced == {narrative["id"] for narrative in codebook["narrative"]}
    assert sum(not part["advances"] for part in PARAGRAPHS) * 3 >= len(PARAGRAPHS)


def test_every_document_says_what_it_is_and_where_it_comes_from() -> None:
    for row in ROWS:
        assert (row["text_kind"], row["language"]) == ("paraphrase", "en"), row["id"]
        assert REFERENCE.fullmatch(row["source_ref"]), row["id"]
        assert DATE.fullmatch(row["date"]), row["id"]
        assert row["title"].strip() and row["paragraphs"], row["id"]
        assert row["url"].startswith("http://en.kremlin.ru/") == (row["outlet"] == "Kremlin"), row["id"]
        for part in row["paragraphs"]:
            assert re.fullmatch(re.escape(row["source_ref"]) + r"#\d+", part["source_ref"])
            assert len(part["text"].split()) >= 12, part["source_ref"]


@pytest.mark.parametrize("values", [
    [row["id"] for row in ROWS],
    [row["title"] for row in ROWS],
    [part["source_ref"] for part in PARAGRAPHS],
    [part["text"] for part in PARAGRAPHS],
], ids=["id", "title", "source_ref", "text"])  # fmt: skip
def test_nothing_stands_in_it_twice(values: list[str]) -> None:
    assert [value for value, n in Counter(values).items() if n > 1] == []


@pytest.mark.shared
def test_every_paraphrase_agrees_with_its_source(shared: Path) -> None:
    script = [sys.executable, str(ROOT / "benchmarks" / "check_sample.py"), "--shared", str(shared)]
    done = subprocess.run(script, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.shared
def test_nothing_in_the_data_is_copied_from_the_sources(shared: Path) -> None:
    tool = [sys.executable, str(shared / "tools" / "overlap.py"), str(ROOT / "data")]
    done = subprocess.run(tool, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.shared
@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"date": "2019-01-01"}, "date is '2019-01-01'"),
        ({"url": "http://en.kremlin.ru/events/president/news/1"}, "url is"),
        ({"source_ref": "kremlin/1"}, "no source"),
        ({"speaker": "Nobody Known"}, "not on the page"),
        ({"text": "A sentence about gardens, kittens and marmalade that no page of the source contains."}, "words"),
        ({"paragraph": 999_999}, "no such paragraph"),
    ],
    ids=["date", "url", "document", "speaker", "text", "paragraph"],
)
def test_the_check_finds_what_is_wrong(shared: Path, tmp_path: Path, change: dict, complaint: str) -> None:
    row = json.loads(json.dumps(next(row for row in ROWS if row["outlet"] == "Kremlin")))
    part = row["paragraphs"][0]
    if "text" in change:
        part["text"] = change["text"]
    elif "paragraph" in change:
        part["source_ref"] = f"{row['source_ref']}#{change['paragraph']}"
    else:
        row.update(change)
    (tmp_path / "broken.jsonl").write_text(json.dumps(row) + "\n", "utf-8")
    spec = importlib.util.spec_from_file_location("check_sample", ROOT / "benchmarks" / "check_sample.py")
    assert spec and spec.loader
    module = sys.modules["check_sample"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    _, problems = module.check(tmp_path, shared)
    assert any(complaint in problem for problem in problems if row["source_ref"] in problem or row["id"] in problem)
