"""Spot checks: what is drawn is a fair draw, what is judged is counted, and the pages are corrected by it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from narratives.cli import main
from narratives.dashboard import cached_queries
from narratives.measure import compute_precision, correct_shares
from narratives.measure import correct_and_suppress as judged_shares
from narratives.measure.correction import NO_RECALL, UNIT_NOT_CHECKED, build_labels
from narratives.model import (
    ConfigError,
    Judgement,
    QualityMetrics,
    Rejected,
    Slice,
    SpotCheck,
    StoreError,
    SuppressionRule,
    UsageError,
)
from narratives.read import read_judgements
from narratives.store import Store, open_snapshot
from narratives.workflows.brief import write_brief
from narratives.workflows.evaluate import import_judgements, write_spot_check_sample
from tests.conftest import ROOT
from tests.helpers.factory import content
from tests.helpers.larger import ABOUT, BESIDE, build_larger

RECALL = 0.8


@pytest.fixture
def store(tmp_path) -> Path:
    path = build_larger(tmp_path / "store").path
    measured = QualityMetrics(ABOUT, 50, *[0.7] * 3, RECALL, 0.7, 0.9, *[0.75] * 6, 950, 0.01, 0.005, 0.02)
    Store(path).put_quality(Store(path).current(), (measured,), "labels from elsewhere")
    return path


@pytest.fixture
def drawn(store, tmp_path) -> Path:
    write_spot_check_sample(store, tmp_path / "drawn.csv", each=40)
    return tmp_path / "drawn.csv"


def table(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")


def judged(path: Path, *verdicts: str, of: str = ABOUT) -> pd.DataFrame:
    """The drawn table with these verdicts on the first pairs of a narrative, written back."""
    rows = table(path)
    rows.loc[rows.index[rows["narrative_id"] == of][: len(verdicts)], "verdict"] = verdicts
    rows.to_csv(path, index=False)
    return rows


def test_what_is_drawn_is_assigned_and_stands_once(store, drawn):
    rows = table(drawn)
    assert rows.columns.tolist() == [
        *("snapshot", "narrative_id", "narrative", "definition", "paragraph_id", "date", "speaker", "text"),
        "verdict",
    ]
    with_them = open_snapshot(store).query_spot_check_pool()
    assert set(rows["snapshot"]) == {Store(store).current()} and set(rows["verdict"]) == {""}
    pairs = set(zip(rows["paragraph_id"], rows["narrative_id"], strict=True))
    assert len(pairs) == len(rows)
    assert pairs <= set(zip(with_them["paragraph_id"], with_them["narrative_id"], strict=True))
    assert rows.groupby("narrative_id").size().to_dict() == {ABOUT: 40, BESIDE: 40}


def test_only_live_assignments_of_originals_to_the_codebook_are_drawn(tmp_path):
    whole = content()
    pairs = {(a.paragraph_id, a.narrative_id) for a in whole.assignments}
    copies = {pair for pair in pairs if pair[0] in whole.copies}
    candidates = {pair for pair in pairs if pair[1].startswith("c-")}
    [gone, *_] = [a for a in whole.assignments if (a.paragraph_id, a.narrative_id) not in copies | candidates]
    assignments = [replace(a, status="rejected") if a is gone else a for a in whole.assignments]
    store = Store(tmp_path / "store")
    store.write_snapshot(replace(whole, assignments=assignments))
    counts = write_spot_check_sample(store.path, tmp_path / "all.csv", each=10_000)
    rows = table(tmp_path / "all.csv")
    drawn = set(zip(rows["paragraph_id"], rows["narrative_id"], strict=True))
    rejected = {(gone.paragraph_id, gone.narrative_id)}
    assert copies and candidates and drawn == pairs - copies - candidates - rejected
    assert sum(counts.values()) == len(drawn)


def test_the_seed_decides_and_every_pair_has_the_same_chance(store, tmp_path):
    taken: Counter[str] = Counter()
    for seed in range(60):
        write_spot_check_sample(store, tmp_path / f"{seed}.csv", each=20, seed=seed)
        rows = table(tmp_path / f"{seed}.csv")
        taken.update(rows.loc[rows["narrative_id"] == ABOUT, "paragraph_id"].head(10))
    write_spot_check_sample(store, tmp_path / "again.csv", each=20, seed=7)
    assert (tmp_path / "again.csv").read_bytes() == (tmp_path / "7.csv").read_bytes()
    pairs = open_snapshot(store).query_spot_check_pool()
    ids = pairs.loc[pairs["narrative_id"] == ABOUT, "paragraph_id"]
    # 600 places among the first ten of each draw, so that who stops early has judged a fair draw too.
    counts = np.array([taken[paragraph] for paragraph in ids])
    assert counts.sum() == 600
    expected = 600 / len(ids)
    spread = ((counts - expected) ** 2 / expected).sum()
    assert spread < len(ids) + 4 * np.sqrt(2 * len(ids)), "chi-square"
    halves = counts[: len(ids) // 2].sum(), counts[len(ids) // 2 :].sum()
    assert abs(halves[0] - halves[1]) < 120


def test_nothing_is_written_over_and_nothing_drawn_of_nothing(store, drawn, tmp_path):
    before = drawn.read_bytes()
    with pytest.raises(UsageError, match="exists"):
        write_spot_check_sample(store, drawn)
    assert drawn.read_bytes() == before
    with pytest.raises(UsageError, match="at least 1"):
        write_spot_check_sample(store, tmp_path / "none.csv", each=0)
    with pytest.raises(UsageError, match="to write"):
        write_spot_check_sample(store, tmp_path / "nowhere" / "f.csv")
    with pytest.raises(StoreError):
        write_spot_check_sample(tmp_path / "no-store", tmp_path / "none.csv")


def test_what_was_judged_is_counted(store, drawn):
    judged(drawn, "yes", "No", " yes ", "unsure", "NO", "yes")
    found = import_judgements(store, drawn, "human")
    assert found.checks == (SpotCheck(ABOUT, 5, 3),) and not found.replaced and not found.rejected
    kept = open_snapshot(store).spot_checks()
    assert kept is not None and kept.rows == found.checks and kept.caveat == found.caveat
    assert kept.caveat == "Judged by people; 1 unsure verdict left out."
    judged(drawn, "no", "no")
    found = import_judgements(store, drawn, "machine")
    assert found.checks == (SpotCheck(ABOUT, 5, 2),) and found.replaced
    kept = open_snapshot(store).spot_checks()
    assert kept is not None and "not by people" in kept.caveat


def test_a_spreadsheet_of_another_language(store, drawn):
    rows = judged(drawn, "yes", "no")
    drawn.write_text("\ufeff" + rows.to_csv(index=False, sep=";"), encoding="utf-8")
    assert import_judgements(store, drawn, "human").checks == (SpotCheck(ABOUT, 2, 1),)


def test_bad_rows_are_listed_and_the_rest_goes_on(store, drawn):
    rows = judged(drawn, "yes", "perhaps", "no")
    foreign = rows.iloc[[0]].assign(narrative_id="no_such", verdict="yes")
    again = rows[rows["verdict"] == "yes"]
    pd.concat([rows, foreign, again]).to_csv(drawn, index=False)
    found = import_judgements(store, drawn, "human")
    assert found.checks == (SpotCheck(ABOUT, 2, 1),)
    reasons = {row.row: row.reason for row in found.rejected}
    first = rows.index[rows["verdict"] == "yes"][0] + 1
    assert reasons.keys() == {first + 1, len(rows) + 1, len(rows) + 2}
    assert "'perhaps'" in reasons[first + 1] and "not assigned" in reasons[len(rows) + 1]
    assert f"already judged in row {first}" in reasons[len(rows) + 2]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows, "verdicts"),
        (lambda rows: rows.assign(verdict="unsure"), "only unsure"),
        (lambda rows: rows.assign(verdict="maybe"), "'maybe'"),
        (lambda rows: rows.drop(columns="verdict"), "the columns"),
        (lambda rows: rows.assign(verdict="yes", snapshot=["a" * 12, *rows["snapshot"][1:]]), "one snapshot"),
        (lambda rows: rows.assign(verdict="yes", paragraph_id="x"), "not assigned"),
    ],
)
def test_a_file_of_no_use_changes_nothing(store, drawn, change, message):
    change(table(drawn)).to_csv(drawn, index=False)
    with pytest.raises(ConfigError, match=message):
        import_judgements(store, drawn, "human")
    assert open_snapshot(store).spot_checks() is None


def test_a_snapshot_that_is_gone_and_a_file_that_is_none(store, drawn, tmp_path):
    table(drawn).assign(verdict="yes", snapshot="a" * 12).to_csv(drawn, index=False)
    with pytest.raises(StoreError, match="aaaaaaaaaaaa"):
        import_judgements(store, drawn, "human")
    with pytest.raises(ConfigError, match="readable"):
        import_judgements(store, tmp_path / "none.csv", "human")
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(ConfigError, match="empty"):
        import_judgements(store, tmp_path / "empty.csv", "human")
    twice = table(drawn).assign(verdict="yes")
    twice.insert(0, "again", "")
    twice.to_csv(drawn, index=False, header=["verdict", *twice.columns[1:]])
    with pytest.raises(ConfigError, match="each once"):
        import_judgements(store, drawn, "human")
    (tmp_path / "cut.csv").write_bytes("snapshot,verdict".encode("utf-16")[:-1])
    with pytest.raises(ConfigError, match="CSV in"):
        import_judgements(store, tmp_path / "cut.csv", "human")
    (tmp_path / "long.csv").write_text("snapshot,paragraph_id,narrative_id,verdict\na,b,c,yes,more\na,b,c,no\n")
    first, second = read_judgements(tmp_path / "long.csv")
    assert isinstance(first, Rejected) and "5 cells" in first.reason
    assert second == Judgement(2, "a", "b", "c", False)


@pytest.mark.parametrize("text", ["{", "[]", '{"caveat": "", "spot_checks": [{"judged": 1}]}'])
def test_a_damaged_file_says_what_is_wrong(store, drawn, text):
    judged(drawn, "yes")
    import_judgements(store, drawn, "human")
    [path] = store.glob("snapshots/*/spotcheck.json")
    path.write_text(text)
    with pytest.raises(StoreError, match="spot checks in"):
        open_snapshot(store).spot_checks()
    path.write_text('{"caveat": "", "spot_checks": [{"narrative_id": "x", "judged": 1, "advancing": 2}]}')
    with pytest.raises(StoreError, match="impossible counts"):
        open_snapshot(store).spot_checks()


def test_they_correct_the_share_by_what_holds_over_recall():
    frame = pd.DataFrame(
        {
            "narrative_id": [ABOUT],
            "paragraphs": [100],
            "total_paragraphs": [10_000],
            "share": [0.01],
            "share_low": [0.008],
            "share_high": [0.012],
        }
    )
    measured = QualityMetrics(ABOUT, 400, *[0.7] * 3, RECALL, 0.75, 0.85, *[0.75] * 6)
    row = correct_shares(frame, [measured], build_labels([SpotCheck(ABOUT, 200, 100)])).iloc[0]
    assert row["correction"] == "precision"
    assert row["corrected"] == pytest.approx(0.01 * 0.5 / RECALL)
    assert 0.0045 < row["corrected_low"] < 0.00625 < row["corrected_high"] < 0.0083
    assert compute_precision(SpotCheck(ABOUT, 200, 100)) == pytest.approx((0.5, 0.4313, 0.5687), abs=1e-3)


ONE = {"narrative_id": [ABOUT], "total_paragraphs": [10_000], "documents": [100]}


def test_nothing_found_where_nothing_holds_is_zero_with_room_above():
    frame = pd.DataFrame({**ONE, "paragraphs": [0], "share": [0.0], "share_low": [0.0], "share_high": [0.001]})
    measured = QualityMetrics(ABOUT, 400, *[0.7] * 3, RECALL, 0.75, 0.85, *[0.75] * 6)
    row = correct_shares(frame, [measured], build_labels([SpotCheck(ABOUT, 14, 0)])).iloc[0]
    assert row["corrected"] == row["corrected_low"] == 0 and row["correction_reason"] == ""
    assert row["corrected_high"] == pytest.approx(0.001 * compute_precision(SpotCheck(ABOUT, 14, 0))[2] / RECALL)


def test_without_recall_and_for_other_counts_the_reason_is_told():
    frame = pd.DataFrame({**ONE, "paragraphs": [100], "share": 0.01, "share_low": 0.008, "share_high": 0.012})
    checks, base = [SpotCheck(ABOUT, 20, 10)], SuppressionRule()
    measured = [QualityMetrics(ABOUT, 400, *[0.7] * 3, RECALL, 0.75, 0.85, *[0.75] * 6)]
    of_paragraphs = judged_shares(frame, Slice(), measured, checks, base).iloc[0]
    assert of_paragraphs["corrected"] == pytest.approx(0.01 * 0.5 / RECALL)
    for s in (Slice(unit="document"), Slice(copies="all"), Slice(copies="copies")):
        row = judged_shares(frame, s, measured, checks, base).iloc[0]
        assert np.isnan(row["corrected"]) and row["correction_reason"] == UNIT_NOT_CHECKED
    row = judged_shares(frame, Slice(), (), checks, base).iloc[0]
    assert np.isnan(row["corrected"]) and row["correction_reason"] == NO_RECALL
    row = judged_shares(frame, Slice(unit="document"), measured, (), base).iloc[0]
    assert row["correction_reason"] not in (UNIT_NOT_CHECKED, NO_RECALL, "")


def test_the_bias_of_a_matcher_with_known_errors_is_gone_on_average():
    chance = np.random.default_rng(3)
    truth, recall, wrong = 0.02, 0.8, 0.02
    found, covered = [], 0
    for _ in range(300):
        true = chance.random(20_000) < truth
        assigned = np.where(true, chance.random(20_000) < recall, chance.random(20_000) < wrong)
        seen = chance.permutation(np.flatnonzero(assigned))[:100]
        share = assigned.mean()
        around = 1.96 * np.sqrt(share * (1 - share) / 20_000)
        frame = pd.DataFrame(
            {
                "narrative_id": [ABOUT],
                "paragraphs": [int(assigned.sum())],
                "total_paragraphs": [20_000],
                "share": [share],
                "share_low": [share - around],
                "share_high": [share + around],
            }
        )
        measured = QualityMetrics(ABOUT, 100_000, *[0.5] * 3, *[recall] * 3, *[0.6] * 6)
        row = correct_shares(frame, [measured], build_labels([SpotCheck(ABOUT, 100, int(true[seen].sum()))])).iloc[0]
        found.append(row["corrected"])
        covered += row["corrected_low"] <= truth <= row["corrected_high"]
    assert np.mean(found) == pytest.approx(truth, rel=0.03)  # the raw share is 0.036
    assert covered / 300 > 0.92


def test_the_page_shows_what_was_found_and_the_corrected_share(store, drawn, monkeypatch):
    monkeypatch.setenv(cached_queries.STORE_VARIABLE, str(store))
    cached_queries.st.cache_resource.clear()
    cached_queries.st.cache_data.clear()

    def opened(page: str, **state: str) -> tuple[dict[str, str], str]:
        app = AppTest.from_file(str(ROOT / page), default_timeout=60)
        for key, value in state.items():
            app.session_state[key] = value
        app.run()
        assert not app.exception, app.exception
        return {metric.label: metric.value for metric in app.metric}, "\n".join(
            c.value.replace("\\", "") for c in app.caption
        )

    figures, captions = opened("pages/narrative_page.py", about=ABOUT)
    assert figures["Corrected share"] == "–" and "spotcheck draw" in captions
    judged(drawn, *["yes"] * 20, *["no"] * 20)
    import_judgements(store, drawn, "human")
    figures, captions = opened("pages/narrative_page.py", about=ABOUT)
    assert figures["Corrected share"] != "–" and "spotcheck draw" not in captions
    assert "20 of 40 randomly drawn assignments are correct; precision here: 0.50 (0.35–0.65)" in captions
    assert "with a spot check and the recall measured elsewhere. Judged by people." in captions
    _, captions = opened("pages/prevalence_page.py")
    assert "precision here: 0.50" in captions
    assert "Dotted: Corrected for matching errors with a spot check" in captions
    page = write_brief(store, Slice(), None)
    assert "corrected for matching errors. Judged by people." in page


def test_the_command(store, tmp_path, capsys):
    path = tmp_path / "drawn.csv"
    assert main(["spotcheck", "draw", str(path), "--store", str(store), "--each", "5"]) == 0
    assert "10 assignments" in capsys.readouterr().out
    assert main(["spotcheck", "take", str(path), "--store", str(store)]) == 2
    assert "verdict" in capsys.readouterr().err
    judged(path, "yes", "no", "so so")
    assert main(["spotcheck", "take", str(path), "--store", str(store), "--judged-by", "machine"]) == 0
    out = capsys.readouterr().out
    assert "'so so'" in out and "0.50 (0.09–0.91)" in out and Store(store).current() in out
    assert "by machine, not by people" in out and "replacing" not in out
    assert main(["spotcheck", "take", str(path), "--store", str(store)]) == 0
    assert "replacing earlier spot checks" in capsys.readouterr().out
    assert main(["spotcheck", "draw", str(path), "--store", str(store)]) == 2
