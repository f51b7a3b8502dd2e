"""The queries of one narrative's page against plain SQL and pandas; older snapshots stay readable."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from narratives.model import Slice, StoreError
from narratives.store import Snapshot, Store, open_snapshot
from narratives.store.files import CHECKSUM, compute_sha256
from narratives.store.queries import narrative as narrative_queries
from tests.helpers.factory import build_store, content
from tests.helpers.larger import ABOUT, BESIDE, EXEMPLAR, SENTENCE, build_larger


@pytest.fixture(scope="module")
def path(tmp_path_factory) -> Path:
    return build_larger(tmp_path_factory.mktemp("larger") / "store").path


@pytest.fixture(scope="module")
def snapshot(path) -> Snapshot:
    return open_snapshot(path)


def test_pairs_count_documents(snapshot, path):
    found = narrative_queries.query_cooccurrence(snapshot, Slice(date_from="2018"), ABOUT).set_index("narrative_id")
    assert ABOUT not in found.index
    both = """SELECT count(DISTINCT p.document_id) FROM snap.paragraphs p WHERE p.year >= '2018' AND
        p.document_id IN (SELECT q.document_id FROM snap.paragraphs q JOIN snap.assignments a
                          USING (paragraph_id) WHERE a.narrative_id = '{}')"""
    of = {n: snapshot.frame(both.format(n)).iloc[0, 0] for n in (ABOUT, BESIDE)}
    together = snapshot.frame(both.format(ABOUT) + both.format(BESIDE).partition("'2018'")[2]).iloc[0, 0]
    row = found.loc[BESIDE]
    assert (row["a"], row["b"], row["both"]) == (of[ABOUT], of[BESIDE], together)
    assert row["shared"] > 0 and row["both"] <= row["b"] <= row["total"]
    assert found.loc["western_russophobia", "both"] == 0


def test_the_best_paragraphs_are_of_different_documents(snapshot):
    found = narrative_queries.query_top_paragraphs(snapshot, Slice(), ABOUT, 10)
    every = narrative_queries.query_top_paragraphs(snapshot, Slice(), ABOUT, 10_000)
    assert len(found) == 10 and found["document_id"].is_unique
    assert found["score"].is_monotonic_decreasing and found["score"].iloc[0] == every["score"].max()
    assert every["document_id"].nunique() == narrative_queries.query_cooccurrence(snapshot, Slice(), ABOUT)["a"].iloc[0]
    assert set(found["sentence"]) == {SENTENCE} and set(found["exemplar"]) == {EXEMPLAR}
    later = narrative_queries.query_top_paragraphs(snapshot, Slice(date_from="2019"), ABOUT, 3)
    assert set(later["date"].str[:4]) == {"2019"}


def test_a_text_that_comes_twice_is_shown_once(tmp_path):
    snapshot = open_snapshot(build_store(tmp_path).path)
    found = narrative_queries.query_top_paragraphs(snapshot, Slice(copies="all"), "us_meddles_too", 10)
    assert found["text"].is_unique and len(found) == 2
    rejected = narrative_queries.query_top_paragraphs(snapshot, Slice(copies="copies"), "us_meddles_too", 10)
    assert rejected["document_id"].tolist() == ["d005"]


def test_a_card_holds_the_codebook_s_words(tmp_path):
    snapshot = open_snapshot(build_store(tmp_path).path)
    card = narrative_queries.query_card(snapshot, "wwii_memory")
    assert card.complete and card.excludes == ("holiday greetings",)
    assert len(card.includes) == 2 and card.exemplars[0].startswith("They rewrite")
    assert card.near == ("c-0000beef",)  # a candidate; the other cluster nearest to one is none
    assert narrative_queries.query_card(snapshot, "us_meddles_too").near == ()
    found = narrative_queries.query_card(snapshot, "c-0000beef")
    assert (found.origin, found.nearest) == ("discovered", "wwii_memory")
    assert found.phrases == ("grain exports", "the slide") and found.exemplars == ()
    assert narrative_queries.query_representatives(snapshot, "c-0000beef", 3)["paragraph_id"].tolist() == ["d006-001"]
    names = narrative_queries.query_cluster_names(snapshot, ["c-0000cafe", "wwii_memory", "c-gone"])
    assert names == {"c-0000cafe": "Elections", "wwii_memory": "Memory of the Second World War"}


def test_an_unknown_narrative_is_said(tmp_path):
    with pytest.raises(StoreError, match="no_such"):
        narrative_queries.query_card(open_snapshot(build_store(tmp_path).path), "no_such")


def aged(path: Path, version: str) -> None:
    """Make the current snapshot one of schema version 1 or 2, as programs before this one wrote it."""
    folder = path / "snapshots" / (path / "CURRENT").read_text().strip()
    file = folder / "snapshot.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute("UPDATE meta SET value = ? WHERE key = 'schema_version'", [version])
        for column in ("includes", "excludes", "exemplars", *(["digest"] if version == "1" else [])):
            connection.execute(f"ALTER TABLE narratives DROP COLUMN {column}")
        if version == "1":
            connection.execute("DROP TABLE lineage")
    manifest = json.loads((folder / "manifest.json").read_text())
    del manifest[CHECKSUM]  # older versions had none
    manifest["sizes"][file.name] = file.stat().st_size
    manifest["checksums"][file.name] = compute_sha256(file)
    (folder / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize("version", ["1", "2"])
def test_an_older_snapshot_shows_what_it_has(tmp_path, version):
    path = build_store(tmp_path / "store").path
    aged(path, version)
    snapshot = open_snapshot(path)
    card = narrative_queries.query_card(snapshot, "wwii_memory")
    assert card.definition and not card.complete and card.exemplars == ()
    assert snapshot.lineage().empty
    assert snapshot.make_previous().codebook["wwii_memory"][0] == "Memory of the Second World War"
    assert narrative_queries.query_narrative_sums(snapshot, Slice(), "wwii_memory", "all")["paragraphs"].tolist() == [2]


def test_the_expected_number_is_the_sum_of_the_probabilities_listed_and_not_listed(tmp_path):
    made = content()
    listed = [("d002-001", "us_meddles_too", 0.9), ("d003-001", "us_meddles_too", 0.25)]
    store = Store(tmp_path)
    store.write_snapshot(replace(made, probabilities=listed, rest={"us_meddles_too": 0.001}))
    opened = open_snapshot(tmp_path)
    s = Slice(by="year")
    frame = opened.prevalence(s).query("narrative_id == 'us_meddles_too'").set_index("period")
    years = {"d002-001": "2016", "d003-001": "2017"}
    for period, row in frame.iterrows():
        own = [p for key, _, p in listed if years[key] == period]
        assert row["expected"] == pytest.approx(sum(own) + 0.001 * (row["total_paragraphs"] - len(own)))
    assert opened.prevalence(s).query("narrative_id == 'wwii_memory'")["expected"].isna().all()
    assert opened.prevalence(replace(s, unit="document"))["expected"].isna().all()
    trend = narrative_queries.query_narrative_sums(opened, s, "us_meddles_too", "period").set_index("period")
    assert trend["expected"].to_dict() == pytest.approx(frame["expected"].to_dict())
    [whole] = narrative_queries.query_narrative_sums(opened, s, "us_meddles_too", "all")["expected"]
    assert whole == pytest.approx(1.15 + 0.001 * (opened.totals(s).statements - 2))
