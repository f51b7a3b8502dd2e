"""The five documents with which the project began, from the files to the exports."""

from __future__ import annotations

import csv
from pathlib import Path

import pandas as pd
import pytest

from narratives import measure
from narratives.model import BuildReport, Slice
from narratives.store import DEFAULT_COPIES, export_slice
from narratives.workflows.build import BuildRequest, build

pytestmark = [pytest.mark.shared, pytest.mark.model]

ARTICLE_2016, ARTICLE_2020, INTERVIEW, BRIEFING, WIRE = "000_", "001_", "002_", "003_", "004_"
NAMED = ("western_russophobia", "us_meddles_too", "syria_counterterrorism")
FURNITURE = (
    "icon bookmark", "READ MORE", "Think your friends", "Podcasts", "27:26", "8950 views", "Print:",
    "Popular articles", "spambots", "All news", "Shantipath",
)  # fmt: skip


def read(store: Path, table: str, out: Path) -> pd.DataFrame:
    export_slice(store, table, Slice(copies=DEFAULT_COPIES[table]), out / f"{table}.csv", measure.add_shares)
    return pd.read_csv(out / f"{table}.csv", keep_default_na=False, dtype={"date": str})


@pytest.fixture(scope="module")
def built(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[BuildReport, pd.DataFrame, pd.DataFrame]:
    """The report, the paragraphs with their file, and the assignments with their paragraph."""
    folder = tmp_path_factory.mktemp("seeds")
    report = build(BuildRequest(inputs=(str(shared / "seeds"),), store=folder / "store"))
    paragraphs = read(folder / "store", "paragraphs", folder)
    paragraphs["file"] = paragraphs["source_path"].map(lambda path: Path(path).name[:4])
    assignments = read(folder / "store", "assignments", folder)
    return report, paragraphs, assignments.merge(paragraphs, on="paragraph_id", suffixes=("", "_of"))


def test_all_five_are_read_and_cleaned(built) -> None:
    report, paragraphs, _ = built
    assert report.inputs_readable == 5 and not report.rejected
    for words in FURNITURE:
        assert not paragraphs["text"].str.contains(words, regex=False).any(), words
    for file in (ARTICLE_2020, INTERVIEW):
        of_file = paragraphs[paragraphs["file"] == file]
        title = of_file.loc[of_file["kind"] == "title", "text"]
        assert len(title) == 1 and (of_file["text"] == title.iloc[0]).sum() == 1
    briefing = paragraphs[(paragraphs["file"] == BRIEFING) & (paragraphs["kind"] != "title")]
    assert briefing["text"].is_unique, "the table of contents repeats the headings"


def test_dates_are_found_or_honestly_absent(built) -> None:
    _, paragraphs, _ = built
    dates = paragraphs.groupby("file")[["date", "date_source"]].first()
    assert dates.loc[[ARTICLE_2016, ARTICLE_2020, BRIEFING], "date"].tolist() == [
        "2016-12-14", "2020-11-13", "2016-11-10",
    ]  # fmt: skip
    assert dates.loc[[INTERVIEW, WIRE], "date"].tolist() == ["", ""]
    assert "without a year" in dates.loc[WIRE, "date_source"] and dates.loc[INTERVIEW, "date_source"]


def test_a_manifest_supplies_the_dates(shared: Path, tmp_path: Path) -> None:
    files = sorted((shared / "seeds").glob("00[24]_*.txt"))
    for file in files:
        (tmp_path / file.name).write_bytes(file.read_bytes())
    with (tmp_path / "manifest.csv").open("w", newline="") as out:
        csv.writer(out).writerows([["path", "date"], [files[0].name, "2017-06-05"], [files[1].name, "2017-04-12"]])
    build(BuildRequest(inputs=(str(tmp_path),), store=tmp_path / "store"))
    documents = read(tmp_path / "store", "documents", tmp_path)
    assert documents.sort_values("source_path")["date"].tolist() == ["2017-06-05", "2017-04-12"]
    assert documents["date_source"].str.contains("manifest").all()


def test_everybody_says_what_they_said(built) -> None:
    _, paragraphs, _ = built
    briefing = paragraphs[paragraphs["file"] == BRIEFING]
    asked = briefing["text"].str.startswith("Question:")
    assert asked.sum() == 12 and (briefing.loc[asked, "kind"] == "question").all()
    answers = briefing[(briefing["position"] > briefing.loc[asked, "position"].min()) & ~asked]
    assert (answers["speaker"] == "Maria Zakharova").all() and (answers["voice"] == "own").all()
    body = paragraphs[paragraphs["kind"] == "body"]
    assert (body.loc[body["file"].isin([ARTICLE_2016, WIRE]), "speaker"] == "Dmitry Peskov").all()
    assert (body.loc[body["file"] == INTERVIEW, "speaker"] == "Vladimir Putin").all()
    of_2020 = body.loc[body["file"] == ARTICLE_2020, "speaker"]
    assert (of_2020 == "").sum() == 3 and set(of_2020) == {"", "Dmitry Peskov"}


def test_the_named_narratives_are_found_where_they_are_and_nowhere_else(built) -> None:
    _, _, assigned = built

    def having(narrative: str, file: str) -> str:
        found = assigned[(assigned["narrative_id"] == narrative) & (assigned["file"] == file)]
        return " ".join(found["text"])

    for words in ("carefully orchestrated", "tool in an elections campaign", "victimize bilateral relations"):
        assert words in having("western_russophobia", ARTICLE_2016)
    for words in ("needs to stop interfering", "everywhere, all over the world", "Point your finger"):
        assert words in having("us_meddles_too", INTERVIEW)
    for words in ("key goals are the fight", "commander-in-chief of Syria", "backing his efforts"):
        assert words in having("syria_counterterrorism", WIRE)
    for narrative in NAMED:
        for words in ("CELAC", "APEC", "South Africa", "Pretoria"):
            assert words not in having(narrative, BRIEFING), f"{narrative} on {words}"
