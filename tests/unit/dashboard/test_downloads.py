"""The CSVs of the pages: the chart's numbers, with all that is needed to know what they are of."""

from __future__ import annotations

import io
import json

import pandas as pd
from pyarrow import parquet

from narratives.dashboard import chart_panel
from narratives.measure import add_shares
from narratives.model import EvidenceQuery, Slice
from narratives.render import phrases
from narratives.store import open_snapshot
from tests.helpers.factory import build_store

BOM = b"\xef\xbb\xbf"


def read(content: bytes) -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(content), encoding="utf-8-sig", keep_default_na=False, dtype={"period": str})


def test_the_prevalence_file_has_the_numbers_and_their_context(tmp_path):
    snapshot = open_snapshot(build_store(tmp_path, "a notice").path)
    s = Slice(speakers=("Maria Zakharova", ""), date_from="2016", date_to="2016")
    shown = add_shares(snapshot.prevalence(s))
    content = chart_panel.export_table(shown, s, snapshot.meta(), "the 3 statement paragraphs", {"by": s.by})
    assert content.startswith(BOM)
    written = read(content)
    columns = ["period", "narrative_id", "narrative", "paragraphs", "total_paragraphs", "share", "share_high"]
    pd.testing.assert_frame_equal(written[columns], shown[columns].reset_index(drop=True), check_dtype=False)
    assert set(written["filter_speaker"]) == {f"Maria Zakharova; {phrases.NOBODY}"}
    assert set(written["filter_from"].astype(str)) == {"2016"}
    assert set(written["snapshot"]) == {snapshot.meta().snapshot_id}
    assert set(written["denominator"]) == {"the 3 statement paragraphs"}
    assert set(written["caveat"]) == {f"a notice. {phrases.CAVEAT}"}
    assert set(written["unit"]) == {"paragraph"} and set(written["by"]) == {"year"}


EXTRA = {"filter_text": "=1+1", "filter_like": "", "filter_unassigned": "yes", "sorted_by": "newest"}


def test_the_evidence_file_runs_no_formula(tmp_path):
    snapshot = open_snapshot(build_store(tmp_path).path)
    found = snapshot.paragraphs(EvidenceQuery(Slice(), "HYPERLINK"))
    content = chart_panel.export_paragraphs(found, Slice(), snapshot.meta(), EXTRA, ".csv")
    assert content.startswith(BOM)
    written = read(content)
    assert written["text"].tolist() == [f"'{found['text'].iloc[0]}"]
    assert written["filter_text"].tolist() == ["'=1+1"]
    assert written["filter_unassigned"].tolist() == ["yes"]
    assert written["caveat"].tolist() == [phrases.SHORT_CAVEAT]


def test_three_formats_hold_the_same_rows_in_the_same_order(tmp_path):
    snapshot = open_snapshot(build_store(tmp_path, "a notice").path)
    s = Slice(speakers=("", "Vladimir Putin"), copies="all")
    found = snapshot.paragraphs(EvidenceQuery(s, sort="oldest"))
    extra = {"filter_text": "", "filter_like": "", "filter_unassigned": "no", "sorted_by": "oldest"}
    csv, jsonl, packed = (
        chart_panel.export_paragraphs(found, s, snapshot.meta(), extra, suffix)
        for suffix in (".csv", ".jsonl", ".parquet")
    )
    table = parquet.read_table(io.BytesIO(packed))
    rows = table.to_pylist()
    assert [json.loads(line) for line in jsonl.splitlines()] == rows
    assert [row["paragraph_id"] for row in rows] == found["paragraph_id"].tolist()
    assert [row["text"] for row in rows] == found["text"].tolist()  # formulas as they are
    assert read(csv).columns.tolist() == list(rows[0])
    assert read(csv)["paragraph_id"].tolist() == found["paragraph_id"].tolist()
    assert {row["caveat"] for row in rows} == {f"a notice. {phrases.SHORT_CAVEAT}"}
    assert {row["filter_speaker"] for row in rows} == {f"{phrases.NOBODY}; Vladimir Putin"}
    assert {row["sorted_by"] for row in rows} == {"oldest"}
    about = {key.decode(): value.decode() for key, value in table.schema.metadata.items()}
    assert about["caveat"] == f"a notice. {phrases.CAVEAT}" and about["snapshot"] == rows[0]["snapshot"]


def test_what_no_narrative_covers_names_no_narrative(tmp_path):
    snapshot = open_snapshot(build_store(tmp_path).path)
    s = Slice(narratives=("wwii_memory",))
    found = snapshot.paragraphs(EvidenceQuery(s, unassigned=True))
    written = read(chart_panel.export_paragraphs(found, s, snapshot.meta(), EXTRA, ".csv"))
    assert set(written["filter_narrative"]) == {""} and len(written) == len(found) > 0


def test_any_table_comes_with_its_denominator_and_runs_no_formula(tmp_path):
    snapshot = open_snapshot(build_store(tmp_path).path)
    rejected = pd.DataFrame({"source_path": ["=cmd|x.csv"], "row": [0], "reason": ["+broken"]})
    content = chart_panel.export_table(rejected, Slice(outlets=("RT",)), snapshot.meta(), "inputs")
    written = read(content).iloc[0]
    assert content.startswith(BOM) and written["source_path"] == "'=cmd|x.csv"
    assert (written["reason"], written["denominator"], written["filter_outlet"]) == ("'+broken", "inputs", "RT")
    assert written["snapshot"] == snapshot.meta().snapshot_id


def test_the_file_is_named_after_the_snapshot():
    assert chart_panel.build_file_name("prevalence", "abc") == "narratives-prevalence-abc.csv"
    assert chart_panel.build_file_name("paragraphs", "abc", ".parquet") == "narratives-paragraphs-abc.parquet"
