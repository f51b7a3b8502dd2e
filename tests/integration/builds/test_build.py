"""A build from end to end: what it adds, what it leaves alone, and that stopping it loses nothing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from narratives import measure
from narratives.model import BuildReport, QualityMetrics, Slice, StoreBusyError, UsageError
from narratives.resources import SAMPLE_FOLDER, SAMPLE_NOTICE
from narratives.store import DEFAULT_COPIES, EXPORT_TABLES, Store, export_slice, open_snapshot, vectors
from narratives.workflows.build import BuildRequest, build
from tests.helpers.factory import verify_snapshot
from tests.helpers.fakes import FakeEncoder

# Small, so that fitting it takes no time; the real codebook has tests of its own.
CODEBOOK = """
[[narrative]]
id = "bases"
name = "Bases at the border"
definition = "The alliance moves its bases to the border."
exemplars = ["The alliance brings its bases closer to our border.", "Their bases come nearer every year."]

[[narrative]]
id = "sanctions"
name = "Sanctions backfire"
definition = "Sanctions hurt those who impose them."
exemplars = ["Sanctions hurt those who impose them most.", "Our farmers gained from the sanctions."]
contrasts = ["The list of sanctions was discussed."]
"""
OUTLETS = ("First Paper", "Second Paper", "Third Paper")
CLAIMS = (
    "The alliance moves its bases closer to our border year after year, and we are told to be calm about it.",
    "Sanctions hurt those who impose them, and our farmers have only gained from the closed market.",
    "The harvest in the southern regions was good this year, and grain exports will grow by a tenth.",
    "Our aircraft fight terrorists in Syria because the legitimate government there asked us to help.",
)


def rows(first: int, last: int) -> list[dict[str, object]]:
    """Documents number `first` to `last`, each with three paragraphs that vary a few claims."""
    return [
        {
            "id": f"doc-{i}",
            "outlet": OUTLETS[i % 3],
            "title": f"Report number {i}",
            "date": f"{2016 + i % 5}-0{1 + i % 9}-15",
            "paragraphs": [
                {"text": f"{CLAIMS[(i + j) % 4]} This was item {i} and {j}.", "speaker": "Dmitry Peskov"}
                for j in range(3)
            ],
        }
        for i in range(first, last)
    ]


def small_codebook(folder: Path) -> Path:
    path = folder / "codebook.toml"
    path.write_text(CODEBOOK, "utf-8")
    return path


def write(path: Path, documents: list[dict[str, object]]) -> str:
    path.write_text("".join(json.dumps(d) + "\n" for d in documents), "utf-8")
    return str(path)


def run(store: Path, *inputs: str, encoder: FakeEncoder | None = None, **more: object) -> BuildReport:
    request = replace(BuildRequest(inputs, store, small_codebook(store.parent)), **more)
    return build(request, encoder=encoder or FakeEncoder())


def tables(store: Path, *names: str) -> dict[str, str]:
    return {
        name: export_slice(store, name, Slice(copies=DEFAULT_COPIES[name]), None, measure.add_shares)
        for name in names or EXPORT_TABLES
    }


def test_a_build_reports_and_stores_what_it_read(tmp_path: Path) -> None:
    (tmp_path / "broken.csv").write_text("a,b\n1,2\n")
    report = run(tmp_path / "s", write(tmp_path / "a.jsonl", rows(0, 12)), str(tmp_path / "broken.csv"), "nowhere")
    assert report.counts is not None
    assert (report.inputs_named, report.inputs_readable, report.inputs_skipped) == (3, 1, 0)
    assert (report.counts.documents, report.counts.statements) == (12, 36)
    assert report.counts.assigned + report.counts.candidates_only + report.counts.unassigned == 36
    assert {r.source_path for r in report.rejected} == {"nowhere", str(tmp_path / "broken.csv")}
    documents = tables(tmp_path / "s", "documents")["documents"]
    assert "broken.csv" in documents and documents.count(",read,") + documents.count('"read"') == 12


def test_the_same_inputs_again_change_and_encode_nothing(tmp_path: Path) -> None:
    source, encoder = write(tmp_path / "a.jsonl", rows(0, 12)), FakeEncoder()
    first = run(tmp_path / "s", source, encoder=encoder)
    before, current = len(encoder.encoded), (tmp_path / "s" / "CURRENT").stat().st_mtime_ns
    again = run(tmp_path / "s", source, encoder=encoder)
    assert again.unchanged and again.snapshot == first.snapshot and again.inputs_skipped == 1
    assert len(encoder.encoded) == before
    assert (tmp_path / "s" / "CURRENT").stat().st_mtime_ns == current


def test_kept_parsed_documents_change_no_byte_of_the_exports(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    one, two = write(tmp_path / "kept/a.jsonl", rows(0, 12)), write(tmp_path / "kept/b.jsonl", rows(12, 15))
    run(tmp_path / "kept" / "s", one)
    shutil.copytree(tmp_path / "kept" / "s", tmp_path / "without" / "s")
    shutil.rmtree(tmp_path / "without" / "s" / "cache")
    kept, without = (run(tmp_path / name / "s", one, two) for name in ("kept", "without"))
    assert kept.snapshot == without.snapshot
    assert tables(tmp_path / "kept" / "s") == tables(tmp_path / "without" / "s")


@pytest.mark.parametrize("what", ["METHOD_VERSION", "SCHEMA_VERSION"])
def test_a_newer_program_builds_the_same_inputs_anew(tmp_path, monkeypatch, what) -> None:
    source = write(tmp_path / "a.jsonl", rows(0, 12))
    first = run(tmp_path / "s", source)
    monkeypatch.setattr(f"narratives.workflows.build.{what}", "later")
    again = run(tmp_path / "s", source)
    assert not again.unchanged and again.snapshot != first.snapshot
    assert run(tmp_path / "s", source).unchanged


def test_a_changed_file_replaces_its_own_documents_and_only_them(tmp_path: Path) -> None:
    one, two = write(tmp_path / "a.jsonl", rows(0, 5)), write(tmp_path / "b.jsonl", rows(5, 9))
    run(tmp_path / "s", one, two)
    write(tmp_path / "a.jsonl", rows(0, 3))
    encoder = FakeEncoder()
    report = run(tmp_path / "s", one, encoder=encoder)
    assert report.counts is not None and report.counts.documents == 3 + 4
    assert encoder.encoded == []


def test_removing_an_input_takes_its_documents_out(tmp_path: Path) -> None:
    one, two = write(tmp_path / "a.jsonl", rows(0, 5)), write(tmp_path / "b.jsonl", rows(5, 9))
    alone = run(tmp_path / "alone", two)
    run(tmp_path / "s", one, two)
    report = run(tmp_path / "s", remove=(one,))
    assert report.counts is not None and report.counts.documents == 4
    assert alone.counts == report.counts
    with pytest.raises(UsageError, match="status"):
        run(tmp_path / "s", remove=("never.jsonl",))


def test_a_store_outlives_its_sources(tmp_path: Path) -> None:
    one, two = write(tmp_path / "a.jsonl", rows(0, 5)), write(tmp_path / "b.jsonl", rows(5, 9))
    run(tmp_path / "s", one)
    Path(one).unlink()
    report = run(tmp_path / "s", two)
    assert report.counts is not None and report.counts.documents == 9


def test_two_documents_with_one_id_are_kept_once_and_told(tmp_path: Path) -> None:
    report = run(tmp_path / "s", write(tmp_path / "a.jsonl", rows(0, 4) + rows(2, 3)))
    assert report.counts is not None and report.counts.documents == 4
    assert "same document" in report.rejected[0].reason and report.rejected[0].row == 5


def test_stopped_while_encoding_it_goes_on_where_it_was(tmp_path: Path) -> None:
    source = write(tmp_path / "a.jsonl", rows(0, 60))
    whole = FakeEncoder()
    run(tmp_path / "whole", source, encoder=whole)

    stopped = FakeEncoder(stop_after=len(whole.encoded) // 2)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "s", source, encoder=stopped)
    assert Store(tmp_path / "s").current() is None

    rest = FakeEncoder()
    report = run(tmp_path / "s", source, encoder=rest)
    assert not set(rest.encoded) & set(stopped.encoded)
    assert len(rest.encoded + stopped.encoded) == len(whole.encoded)
    assert set(rest.encoded + stopped.encoded) == set(whole.encoded)
    assert report.reused > 0
    assert tables(tmp_path / "s") == tables(tmp_path / "whole")


def test_the_order_of_inputs_changes_no_byte(tmp_path: Path) -> None:
    names = [write(tmp_path / f"{k}.jsonl", rows(7 * k, 7 * k + 7)) for k in range(4)]
    run(tmp_path / "forwards", *names)
    run(tmp_path / "backwards", *reversed(names))
    assert tables(tmp_path / "forwards") == tables(tmp_path / "backwards")


def test_in_two_steps_or_one_the_codebook_says_the_same(tmp_path: Path) -> None:
    names = [write(tmp_path / f"{k}.jsonl", rows(7 * k, 7 * k + 7)) for k in range(4)]
    run(tmp_path / "one", *names)
    run(tmp_path / "two", *names[2:])
    run(tmp_path / "two", *names[:2])
    same = ("documents", "paragraphs")
    assert tables(tmp_path / "one", *same) == tables(tmp_path / "two", *same)
    kept = []
    for name in ("one", "two"):
        export_slice(tmp_path / name, "assignments", Slice(copies="all"), tmp_path / "a.parquet", measure.add_shares)
        frame = pd.read_parquet(tmp_path / "a.parquet")
        kept.append(frame[frame["origin"] == "codebook"].reset_index(drop=True))
    pd.testing.assert_frame_equal(*kept)


def test_nothing_readable_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    report = run(tmp_path / "s", str(tmp_path / "empty"))
    assert report.counts is None and not report.snapshot and report.rejected
    assert Store(tmp_path / "s").current() is None


def test_what_a_bad_input_lacks_is_told_even_if_nothing_changes(tmp_path: Path) -> None:
    first = run(tmp_path / "s", write(tmp_path / "a.jsonl", rows(0, 5)))
    gone = run(tmp_path / "s", str(tmp_path / "gone.jsonl"))
    assert gone.inputs_readable == 0 and gone.snapshot == first.snapshot and gone.rejected
    (tmp_path / "picture.txt").write_bytes(bytes(range(256)) * 8)
    for _ in range(2):
        report = run(tmp_path / "s", str(tmp_path / "picture.txt"))
        assert report.inputs_readable == 0 and len(report.rejected) == 1
        assert report.counts is not None and report.counts.documents == 5
    assert "picture.txt" in tables(tmp_path / "s", "documents")["documents"]


def test_a_good_file_gone_bad_is_told_and_loses_nothing(tmp_path: Path) -> None:
    one, two = write(tmp_path / "a.jsonl", rows(0, 5)), write(tmp_path / "b.jsonl", rows(5, 9))
    run(tmp_path / "s", one, two)
    Path(one).write_text("{broken\n")
    report = run(tmp_path / "s", one)
    assert report.counts is not None and report.counts.documents == 9
    assert "stays" in report.rejected[0].reason and report.inputs_readable == 0
    assert run(tmp_path / "s", remove=(one,)).counts.documents == 4


def test_a_corrected_manifest_is_no_longer_complained_of(tmp_path: Path) -> None:
    folder = tmp_path / "texts"
    folder.mkdir()
    (folder / "a.txt").write_text("A heading\n\nThe alliance moves its bases closer to our border every year.\n")
    (folder / "manifest.csv").write_text("path,date\nb.txt,2016\n")
    assert len(run(tmp_path / "s", str(folder)).rejected) == 1
    (folder / "manifest.csv").write_text("path,date\na.txt,2016\n")
    report = run(tmp_path / "s", str(folder))
    assert not report.rejected and report.counts is not None and report.counts.rejected == 0
    assert report.counts.undated == 0


def damage_database(store: Path) -> None:
    path = Store(store).snapshot_path(Store(store).current() or "") / "snapshot.duckdb"
    path.write_bytes(path.read_bytes()[:5000])


@pytest.mark.parametrize(
    "damage",
    [
        damage_database,
        lambda store: shutil.rmtree(store / "snapshots"),
        lambda store: (store / "CURRENT").write_text("nonsense"),
        lambda store: (store / "CURRENT").unlink(),
        lambda store: (store / "inputs.json").unlink(),
    ],
)
def test_a_damaged_store_is_mended_by_the_next_build_and_forgets_nothing(
    tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    one, two = write(tmp_path / "a.jsonl", rows(0, 5)), write(tmp_path / "b.jsonl", rows(5, 9))
    run(tmp_path / "s", one, two)
    damage(tmp_path / "s")
    report = run(tmp_path / "s", two)
    assert report.counts is not None and report.counts.documents == 9
    assert verify_snapshot(tmp_path / "s", report.snapshot) == []


def test_damaged_rows_in_the_ledger_are_read_anew_from_their_source(tmp_path: Path) -> None:
    source = write(tmp_path / "a.jsonl", rows(0, 5))
    run(tmp_path / "s", source)
    [kept] = (tmp_path / "s" / "inputs").glob("*.gz")
    kept.write_bytes(kept.read_bytes()[:40])
    write(tmp_path / "b.jsonl", rows(5, 9))
    report = run(tmp_path / "s", str(tmp_path / "b.jsonl"))
    assert report.counts is not None and report.counts.documents == 9
    assert any("made again" in note for note in report.notes)


def test_other_documents_with_one_id_are_named_as_such(tmp_path: Path) -> None:
    other = [{**rows(9, 10)[0], "id": "doc-1"}]
    report = run(tmp_path / "s", write(tmp_path / "a.jsonl", rows(0, 3)), write(tmp_path / "b.jsonl", other))
    assert "another document with the identity" in report.rejected[0].reason


def test_a_store_emptied_by_removing_is_empty(tmp_path: Path) -> None:
    source = write(tmp_path / "a.jsonl", rows(0, 5))
    run(tmp_path / "s", source)
    report = run(tmp_path / "s", remove=(source,))
    assert report.counts is not None and report.counts.documents == report.counts.clusters == 0


def test_a_second_build_is_told_that_one_is_running(tmp_path: Path) -> None:
    with Store(tmp_path / "s").lock(), pytest.raises(StoreBusyError, match="another build"):
        run(tmp_path / "s", write(tmp_path / "a.jsonl", rows(0, 2)))


def test_an_evaluation_goes_on_while_the_matcher_stays(tmp_path: Path) -> None:
    first = run(tmp_path / "store", write(tmp_path / "a.jsonl", rows(0, 20))).snapshot
    store = Store(tmp_path / "store")
    assert store.quality(first) is None  # the shipped figures are of another codebook and model
    perfect = QualityMetrics("", 3, *[1.0] * 12)
    store.put_quality(first, [perfect], "by hand")
    second = run(store.path, write(tmp_path / "b.jsonl", rows(20, 30))).snapshot
    assert second != first and store.quality(second) == (perfect,)
    other = tmp_path / "other.toml"
    other.write_text(CODEBOOK.replace("nearer every", "nearer each"), "utf-8")
    third = run(store.path, str(tmp_path / "b.jsonl"), codebook=other).snapshot
    assert store.quality(third) is None


def test_a_copy_goes_where_its_original_goes(tmp_path: Path) -> None:
    documents = rows(0, 30)
    documents.append({**documents[3], "id": "copied", "date": "2020-12-01", "outlet": "Fourth Paper"})
    report = run(tmp_path / "s", write(tmp_path / "a.jsonl", documents))
    assert report.counts is not None and report.counts.copies == 3
    snapshot = open_snapshot(tmp_path / "s")
    found = snapshot.frame(
        "SELECT p.paragraph_id, p.duplicate_of, list_sort(list(a.narrative_id)) AS narratives "
        "FROM snap.paragraphs p LEFT JOIN snap.assignments a USING (paragraph_id) "
        "WHERE p.statement GROUP BY ALL"
    ).set_index("paragraph_id")
    snapshot.close()
    copies = found[found["duplicate_of"] != ""]
    assert len(copies) == 3
    for row in copies.itertuples():
        assert list(row.narratives) == list(found.loc[row.duplicate_of, "narratives"])


def test_the_sample_is_marked_wherever_it_goes(tmp_path: Path) -> None:
    said = json.loads((SAMPLE_FOLDER / "seeds.jsonl").read_text("utf-8").splitlines()[0])["paragraphs"][0]["text"]
    codebook = tmp_path / "said.toml"
    codebook.write_text(
        CODEBOOK.replace("The alliance brings its bases closer to our border.", said.replace('"', "'")), "utf-8"
    )
    run(tmp_path / "s", str(SAMPLE_FOLDER / "seeds.jsonl"), codebook=codebook)
    assert Store(tmp_path / "s").snapshots()[0].notice == SAMPLE_NOTICE
    for table in tables(tmp_path / "s").values():
        header, *lines = table.splitlines()
        assert "note" in header
        assert lines and all(SAMPLE_NOTICE in line for line in lines)


@pytest.mark.model
def test_the_model_is_asked_and_thresholds_hold(tmp_path: Path) -> None:
    report = build(BuildRequest(inputs=(str(SAMPLE_FOLDER / "seeds.jsonl"),), store=tmp_path / "s"))
    assert report.counts is not None and report.counts.assigned > 10
    frame = open_snapshot(tmp_path / "s").frame("SELECT * FROM snap.assignments WHERE origin = 'codebook'")
    assert frame["score"].between(0, 1).all() and (frame["exemplar"] != "").all()
    narratives = open_snapshot(tmp_path / "s").frame("SELECT narrative_id, threshold FROM snap.narratives")
    least = narratives.dropna().set_index("narrative_id")["threshold"]
    assert set(frame["narrative_id"]) <= set(least.index)
    auto = frame[frame["status"] == "auto"]
    assert (auto["score"] >= auto["narrative_id"].map(least)).all()


def test_what_is_kept_but_not_counted(tmp_path: Path) -> None:
    russian = "Мы готовы говорить со всеми нашими партнёрами на равных и с уважением друг к другу."
    more = ["Our bulletin has more on this matter.", "Thank you very much for your attention.", russian]
    documents = [
        d | {"paragraphs": [*d["paragraphs"], *({"text": text} for text in more)]}  # type: ignore[misc]
        for d in rows(0, 15)
    ]
    plain = run(tmp_path / "plain", write(tmp_path / "a.jsonl", rows(0, 15))).counts
    counts = run(tmp_path / "s", write(tmp_path / "b.jsonl", documents)).counts
    assert plain is not None and counts is not None
    assert counts.paragraphs == plain.paragraphs + 3 * 15
    assert counts.statements == plain.statements == 45
    # A standing line in a language that is not read is a standing line all the same.
    assert counts.not_matched_language == 0


def test_a_language_that_is_not_read_is_counted_and_never_matched(tmp_path: Path) -> None:
    russian = "Альянс из года в год придвигает свои базы всё ближе к нашей границе, это видят все."
    documents = [d | {"paragraphs": [{"text": f"{russian} Пункт {i}."}]} for i, d in enumerate(rows(0, 6))]
    report = run(tmp_path / "s", write(tmp_path / "a.jsonl", documents + rows(6, 12)))
    assert report.counts is not None
    assert (report.counts.statements, report.counts.not_matched_language) == (18, 6)
    found = tables(tmp_path / "s", "assignments", "paragraphs")
    assert "Альянс" not in found["assignments"] and found["paragraphs"].count("Альянс") == 6


def test_vectors_that_stay_in_the_file_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = write(tmp_path / "a.jsonl", rows(0, 40))
    loaded = run(tmp_path / "loaded", source)
    monkeypatch.setattr(vectors, "LOADED_CELLS", 0)
    left = run(tmp_path / "left", source)
    assert left.snapshot == loaded.snapshot and left.counts and left.counts.clusters
