"""The evaluation that a snapshot carries: kept whole, replaced, and never part of what the snapshot is."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from narratives.model import QualityMetrics, StoreError
from narratives.model.snapshot import Calibration, CalibrationBin, ThresholdQuality
from narratives.store import Evaluation, Store, open_snapshot, write_evaluation
from narratives.store.files import CHECKSUM, read_evaluation
from tests.helpers.factory import build_store, content, verify_snapshot

NAN = math.nan
ROWS = (
    QualityMetrics(
        "us_meddles_too",
        *(12, 0.8, 0.6, 0.9, 0.75, 0.5, 0.9, 0.7742, 0.6, 0.88, 0.81, 0.7, 0.9),
        *(950, 0.004, 0.001, 0.009),
    ),
    QualityMetrics("wwii_memory", 0, 0.0, 0.0, 0.0, *[NAN] * 9),
    QualityMetrics("", 12, 0.8, 0.6, 0.9, 0.75, 0.5, 0.9, 0.7742, 0.6, 0.88, 0.81, 0.7, 0.9),
)
EMPTY = '{"caveat": "", "codebook": "", "model": "", "quality": []}'
CAVEAT = "reference labels are machine annotation, not human coding"


@pytest.fixture
def store(tmp_path):
    return build_store(tmp_path / "store")


def test_there_is_none_before_the_first_evaluation(store):
    made = store.current()
    assert store.quality(made) is None
    snapshot = open_snapshot(store.path)
    assert snapshot.evaluation() is None and snapshot.quality_caveat() == ""


def test_rows_and_caveat_come_back_as_they_were(store):
    store.put_quality(store.current(), ROWS, CAVEAT)
    assert repr(store.quality(store.current())) == repr(ROWS)  # NaN is not equal to itself
    snapshot = open_snapshot(store.path)
    assert repr(snapshot.evaluation().shown) == repr(ROWS) and snapshot.quality_caveat() == CAVEAT


def test_a_later_evaluation_takes_its_place_even_where_the_snapshot_is_open(store):
    snapshot = open_snapshot(store.path)
    store.put_quality(store.current(), ROWS, CAVEAT)
    store.put_quality(store.current(), ROWS[-1:], "another set")
    assert repr(snapshot.evaluation().shown) == repr(ROWS[-1:]) and snapshot.quality_caveat() == "another set"


def test_it_is_no_part_of_the_snapshot(store):
    made = store.current()
    store.put_quality(made, ROWS, CAVEAT)
    assert verify_snapshot(store.path, made) == []
    assert store.write_snapshot(content()) == made
    assert store.quality(made) is not None  # the same content, written again, is the same snapshot


def test_a_snapshot_that_is_not_there_is_named(store):
    with pytest.raises(StoreError, match="snapshot 0123456789ab"):
        store.put_quality("0123456789ab", ROWS, CAVEAT)


@pytest.mark.parametrize("damage", ["{", "[]", '{"caveat": ""}', EMPTY.replace("[]", '[{"f1": 1}]')])
def test_damage_is_told_in_words(store, damage):
    (store.snapshot_path(store.current()) / "quality.json").write_text(damage)
    with pytest.raises(StoreError, match="Delete it and run `evaluate` again"):
        store.quality(store.current())


def test_an_evaluation_on_its_own_says_of_what_it_is(tmp_path):
    path = tmp_path / "quality.json"
    assert read_evaluation(path) is None
    kept = Evaluation(ROWS, CAVEAT, codebook="0" * 64, model="tiny")
    write_evaluation(path, kept)
    assert repr(read_evaluation(path)) == repr(kept)


def test_a_file_from_before_false_positive_rates_is_read(tmp_path):
    path = tmp_path / "quality.json"
    write_evaluation(path, Evaluation(ROWS[:1], CAVEAT))
    older = json.loads(path.read_text())
    del older[CHECKSUM]  # older files had none
    for name in [name for name in older["quality"][0] if "negative" in name or "false_positive" in name]:
        del older["quality"][0][name]
    path.write_text(json.dumps(older))
    found = read_evaluation(path).rows[0]
    assert (found.support, found.recall, found.negatives) == (12, 0.75, 0)
    assert math.isnan(found.false_positive_rate)


def parameters(**more: str) -> dict[str, str]:
    return {"model": "tiny", "variant": "fp32", "codebook": "0" * 64, **more}


def successor(store: Store, published: Path | None = None, **more: str) -> str:
    """A snapshot of other content by a matcher with these parameters, and the one before it."""
    documents = content().documents
    changed = replace(documents[0], title=f"Another title {more}")
    made = replace(content(), documents=[changed, *documents[1:]], parameters=parameters(**more))
    return store.write_snapshot(made, published)


@pytest.fixture
def published(tmp_path):
    path = tmp_path / "published.json"
    write_evaluation(path, Evaluation(ROWS[-1:], "shipped", codebook="0" * 64, model="tiny"))
    return path


@pytest.mark.parametrize(
    ("more", "caveat"),
    [
        ({}, "shipped"),
        ({"variant": "bf16"}, "shipped"),
        ({"codebook": "1" * 64}, ""),
        ({"model": "another"}, ""),
        ({"decisions": "5"}, ""),
    ],
)
def test_published_figures_go_with_what_they_measured_only(store, published, more, caveat):
    made = successor(store, published, **more)
    assert open_snapshot(store.path, made).quality_caveat() == caveat


def test_with_another_threshold_only_the_published_calibration_goes_on(store, tmp_path):
    assert open_snapshot(store.path, successor(store, tmp_path / "none.json")).evaluation() is None
    thresholds = (ThresholdQuality(0.2, 0.6, 0.5, 0.7, 0.8, 0.7, 0.9), ThresholdQuality(0.9, *[NAN] * 3, 0.0, 0.0, 0.0))
    calibration = Calibration((CalibrationBin(9, 90.0, 0.1, 0.2, 0.1, 0.3),), 1.0, 0.9, 1.1, thresholds)
    path = tmp_path / "published.json"
    shipped = Evaluation(ROWS[-1:], "shipped", codebook="0" * 64, model="tiny", calibration=calibration)
    write_evaluation(path, shipped)
    kept = open_snapshot(store.path, successor(store, path, threshold="0.4")).evaluation()
    assert kept.rows == () and kept.caveat == "shipped"
    assert kept.calibration.bins == calibration.bins
    assert kept.calibration.thresholds[0] == thresholds[0]
    assert math.isnan(kept.calibration.thresholds[1].precision) and kept.calibration.thresholds[1].recall == 0
    write_evaluation(path, replace(shipped, calibration=None))
    assert open_snapshot(store.path, successor(store, path, threshold="0.5")).evaluation() is None


def test_an_evaluation_of_the_same_matcher_goes_on(store, published):
    first = successor(store, published)
    store.put_quality(first, ROWS, CAVEAT)
    second = store.write_snapshot(replace(content(), parameters=parameters()), published)
    assert open_snapshot(store.path, second).quality_caveat() == CAVEAT
    third = successor(store, published, decisions="5")
    assert store.quality(third) is None


def test_a_damaged_one_is_not_handed_on(store, published):
    first = successor(store)
    (store.snapshot_path(first) / "quality.json").write_text("{")
    (store.snapshot_path(store.current()) / "quality.json").write_text("{")
    second = successor(store, published, variant="bf16")
    assert open_snapshot(store.path, second).quality_caveat() == "shipped"


def test_what_was_measured_of_a_snapshot_stays_when_it_is_written_again(store, published):
    made = successor(store)
    store.put_quality(made, ROWS, CAVEAT)
    assert successor(store, published) == made
    assert open_snapshot(store.path, made).quality_caveat() == CAVEAT


def test_a_snapshot_that_lacks_its_evaluation_is_given_it(store, published):
    first = successor(store)
    store.put_quality(first, ROWS, CAVEAT)
    second = store.write_snapshot(replace(content(), parameters=parameters(), predecessor=first))
    path = store.snapshot_path(second) / "quality.json"
    path.unlink()
    store.supply_quality(store.manifest(second), published)
    assert open_snapshot(store.path, second).quality_caveat() == CAVEAT
    path.write_text("{")  # a damaged one is told where it is shown, and left to its owner
    store.supply_quality(store.manifest(second), published)
    assert path.read_text() == "{"
    (store.snapshot_path(first) / "quality.json").unlink()
    path.unlink()
    store.supply_quality(store.manifest(second), published)
    assert open_snapshot(store.path, second).quality_caveat() == "shipped"


def test_without_published_figures_nothing_is_made_up(store, tmp_path):
    made = successor(store, tmp_path / "none.json")
    assert store.quality(made) is None
    store.supply_quality(store.manifest(made), tmp_path / "none.json")
    assert store.quality(made) is None
