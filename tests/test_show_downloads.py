"""The CSVs of the pages: the chart's numbers, with all that is needed to know what they are of."""

from __future__ import annotations

import io

import pandas as pd

from narratives.measure import with_share
from narratives.model import Slice
from narratives.show import downloads, words
from narratives.store import open_snapshot

from .factory import build_store

BOM = b"\xef\xbb\xbf"


def read(content: bytes) -> pd.DataFrame:
    return pd.read_csv(
        io.BytesIO(content), encoding="utf-8-sig", keep_default_na=False, dtype={"period": str}
    )


def test_the_prevalence_file_has_the_numbers_and_their_context(tmp_path):
    snapshot = open_snapshot(build_store(tmp_path, "a notice").path)
    s = Slice(speakers=("Maria Zakharova", ""), date_from="2016", date_to="2016")
    shown = with_share(snapshot.prevalence(s))
    content = downloads.prevalence_csv(shown, s, snapshot.meta(), "the 3 statement paragraphs")
    assert content.startswith(BOM)
    written = read(content)
    columns = ["period", "narrative_id", "narrative", "paragraphs", "total_paragraphs", "share", "share_high"]
    pd.testing.assert_frame_equal(written[columns], shown[columns].reset_index(drop=True), check_dtype=False)
    assert set(written["filter_speaker"]) == {f"Maria Zakharova; {words.NOBODY}"}
    assert set(written["filter_from"].astype(str)) == {"2016"}
    assert set(written["snapshot"]) == {snapshot.meta().snapshot_id}
    assert set(written["denominator"]) == {"the 3 statement paragraphs"}
    assert set(written["caveat"]) == {f"a notice. {words.CAVEAT}"}
    assert set(written["unit"]) == {"paragraph"} and set(written["by"]) == {"year"}


def test_the_evidence_file_runs_no_formula(tmp_path):
    snapshot = open_snapshot(build_store(tmp_path).path)
    found = snapshot.paragraphs(Slice(), "HYPERLINK")
    content = downloads.paragraphs_csv(found, Slice(), snapshot.meta(), "=1+1", True)
    assert content.startswith(BOM)
    written = read(content)
    assert written["text"].tolist() == [f"'{found['text'].iloc[0]}"]
    assert written["filter_text"].tolist() == ["'=1+1"]
    assert written["filter_unassigned"].tolist() == ["yes"]
    assert written["caveat"].tolist() == [words.CAVEAT]


def test_any_table_comes_with_its_denominator_and_runs_no_formula(tmp_path):
    snapshot = open_snapshot(build_store(tmp_path).path)
    rejected = pd.DataFrame({"source_path": ["=cmd|x.csv"], "row": [0], "reason": ["+broken"]})
    content = downloads.table_csv(rejected, Slice(outlets=("RT",)), snapshot.meta(), "inputs")
    written = read(content).iloc[0]
    assert content.startswith(BOM) and written["source_path"] == "'=cmd|x.csv"
    assert (written["reason"], written["denominator"], written["filter_outlet"]) == (
        "'+broken",
        "inputs",
        "RT",
    )
    assert written["snapshot"] == snapshot.meta().snapshot_id


def test_the_file_is_named_after_the_snapshot():
    assert downloads.file_name("prevalence", "abc") == "narratives-prevalence-abc.csv"
