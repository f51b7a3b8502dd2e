"""Edits of a codebook: replayed over the file, checked as the file is, and named when they are wrong."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from narratives import read
from narratives.model import Codebook, ConfigError, Edit, Narrative, UsageError
from narratives.store import DECISIONS_FILE, DecisionLog
from narratives.workflows import codebook
from narratives.workflows.codebook import Change

HARVEST = Narrative("harvest", "Good harvests", "Harvests are good.", exemplars=("A good year.", "More grain."))
BASES = Narrative("bases", "Bases", "They move bases.", exemplars=("Bases come nearer.",), contrasts=("A good year.",))
ROADS = Narrative("roads", "Roads", "Roads are built.", exemplars=("A road was opened.",), parent="harvest")
BASE = Codebook((HARVEST, BASES, ROADS), "d" * 64, "codebook.toml")


def edits(*changes: Change) -> list[Edit]:
    return [Edit(at, "", "ann", "", "narrative", c.narrative_id, c.value) for at, c in enumerate(changes, 1)]


def applied(*changes: Change) -> Codebook:
    return codebook.apply_edits(BASE, edits(*changes))


def test_without_edits_the_codebook_is_that_of_the_file() -> None:
    assert codebook.apply_edits(BASE, []) is BASE
    renamed = codebook.set_narrative(BASE, replace(BASES, name="Military bases"))
    assert applied(renamed, Change("bases", "")) is BASE
    assert codebook.set_narrative(BASE, BASES) == Change("bases", "")


def test_the_latest_edit_of_each_narrative_applies_in_the_place_of_the_file() -> None:
    new = Narrative("floods", "Floods", "Floods grow.", exemplars=("The river rose.",))
    other = replace(new, id="fires", name="Fires")
    made = applied(
        codebook.set_narrative(BASE, new),
        codebook.set_narrative(BASE, other),
        codebook.set_narrative(BASE, replace(BASES, name="First")),
        codebook.set_narrative(BASE, replace(BASES, name="Second")),
        codebook.set_narrative(BASE, replace(new, cues=("flood",))),
    )
    assert [n.id for n in made.narratives] == ["harvest", "bases", "roads", "floods", "fires"]
    assert made.narratives[1].name == "Second" and made.narratives[3].cues == ("flood",)


def test_an_edited_codebook_is_the_file_that_its_export_writes(tmp_path: Path) -> None:
    made = applied(codebook.set_narrative(BASE, replace(BASES, threshold=0.4, colour="#102030")))
    (tmp_path / "c.toml").write_text(read.dump_codebook(made), "utf-8")
    loaded = read.load_codebook(tmp_path / "c.toml")
    assert (loaded.narratives, loaded.digest) == (made.narratives, made.digest)
    assert made.digest != BASE.digest


def test_a_retired_narrative_is_gone_and_those_below_it_move_up() -> None:
    made = applied(*codebook.retire_narratives(BASE, BASE, ["harvest"]))
    assert [(n.id, n.parent) for n in made.narratives] == [("bases", ""), ("roads", "")]
    with pytest.raises(UsageError, match="none would remain"):
        codebook.retire_narratives(BASE, BASE, ["harvest", "bases", "roads"])
    with pytest.raises(ConfigError, match="'unknown'"):
        codebook.retire_narratives(BASE, BASE, ["unknown"])


def test_a_merge_joins_examples_and_names_what_it_replaces() -> None:
    made = applied(*codebook.merge_narratives(BASE, BASE, "harvest", "bases"))
    assert [n.id for n in made.narratives] == ["bases", "roads"]
    assert made.narratives[0].exemplars == ("Bases come nearer.", "A good year.", "More grain.")
    assert made.narratives[0].contrasts == ()  # it was a near miss, and now advances the narrative
    assert made.narratives[0].replaces == ("harvest",)
    assert made.narratives[1].parent == ""
    with pytest.raises(UsageError, match="'bases' twice"):
        codebook.merge_narratives(BASE, BASE, "bases", "bases")


def test_a_split_gives_each_exemplar_to_one_part() -> None:
    one = Narrative("years", "Years", "Good years.", exemplars=("A good year.",))
    two = Narrative("grain", "Grain", "Grain.", exemplars=("More grain.",))
    made = applied(*codebook.split_narrative(BASE, BASE, "harvest", [one, two]))
    assert [(n.id, n.replaces) for n in made.narratives] == [
        ("bases", ()),
        ("roads", ()),
        ("years", ("harvest",)),
        ("grain", ("harvest",)),
    ]
    with pytest.raises(UsageError, match=r"0 for 'More grain\.'"):
        codebook.split_narrative(BASE, BASE, "harvest", [one, replace(two, exemplars=("Other.",))])
    with pytest.raises(UsageError, match="at least two"):
        codebook.split_narrative(BASE, BASE, "harvest", [one])


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("{", "JSON as the value of edit 2 of 'bases' by ann"),
        ("[]", "an object as the value of edit 2 of 'bases'"),
        ('{"id": "bases", "name": "B", "definition": "D"}', r"`exemplars` \(edit 2 of 'bases' by ann\)"),
        ('{"id": "bases", "nom": "B"}', "edit 2 of 'bases'"),
        (codebook.format_value(HARVEST), "the id 'bases' in edit 2 of 'bases'"),
        (codebook.format_value(replace(BASES, name="Roads")), "only once in codebook.toml, with edit 2 of 'bases'"),
        (codebook.format_value(replace(BASES, parent="gone")), "with edit 2 of 'bases' by ann"),
        (codebook.format_value(replace(BASES, parent="bases")), "which is circular"),
    ],
)
def test_an_edit_that_is_not_valid_is_named(value: str, message: str) -> None:
    fine = codebook.set_narrative(BASE, replace(HARVEST, name="Harvests"))
    later = codebook.set_narrative(BASE, replace(HARVEST, name="Crops"))
    with pytest.raises(ConfigError, match=message):
        applied(fine, Change("bases", value), later)


def test_what_differs_becomes_edits_and_back() -> None:
    floods = Narrative("floods", "Floods", "Floods grow.", exemplars=("The river rose.",))
    wanted = Codebook((replace(BASES, name="Military bases"), floods), "", "")
    changes = codebook.list_changes(BASE, BASE, wanted)
    made = applied(*changes)
    assert made.narratives == wanted.narratives
    assert [c.narrative_id for c in changes] == ["bases", "floods", "harvest", "roads"]
    back = codebook.list_changes(BASE, made, BASE)
    assert codebook.apply_edits(BASE, edits(*changes, *back)) is BASE
    assert codebook.list_changes(BASE, BASE, BASE) == []


def test_only_valid_changes_with_a_name_and_a_reason_are_saved(tmp_path: Path) -> None:
    log = DecisionLog(tmp_path / DECISIONS_FILE)
    change = codebook.set_narrative(BASE, replace(BASES, name="Military bases"))
    for who, why in (("", "clearer"), ("ann", " ")):
        with pytest.raises(UsageError):
            codebook.save_changes(log, BASE, [change], who, why)
    with pytest.raises(ConfigError, match="by you"):
        codebook.save_changes(log, BASE, [codebook.set_narrative(BASE, replace(BASES, name="Roads"))], "ann", "x")
    assert log.edits() == []
    assert codebook.save_changes(log, BASE, [change], " ann ", "clearer") == 1
    [edit] = log.edits("narrative")
    assert (edit.who, edit.why, json.loads(edit.value)["name"]) == ("ann", "clearer", "Military bases")
    log.edit("narrative", edit.subject, "", "ann", "as it was")
    assert codebook.apply_edits(BASE, log.edits("narrative")) is BASE


def test_a_store_keeps_the_file_that_it_was_built_with(tmp_path: Path) -> None:
    assert codebook.find_codebook(tmp_path) == codebook.SHIPPED_CODEBOOK
    own = tmp_path / "own.toml"
    own.write_text(read.dump_codebook(BASE), "utf-8")
    codebook.keep_codebook(tmp_path, own)
    assert codebook.find_codebook(tmp_path).read_bytes() == own.read_bytes()
    assert codebook.load_file(tmp_path).narratives == BASE.narratives
    codebook.keep_codebook(tmp_path, codebook.SHIPPED_CODEBOOK)
    assert codebook.find_codebook(tmp_path) == codebook.SHIPPED_CODEBOOK


def test_an_import_edits_what_differs_and_an_export_writes_it(tmp_path: Path) -> None:
    shipped = codebook.load_codebook(tmp_path)
    wanted = replace(shipped, narratives=(replace(shipped.narratives[0], name="Other name"), *shipped.narratives[2:]))
    (tmp_path / "in.toml").write_text(read.dump_codebook(wanted), "utf-8")
    changes = codebook.import_codebook(tmp_path, tmp_path / "in.toml", "ann", "ours")
    assert [codebook.describe_change(change) for change in changes] == ["edited", "retired"]
    assert codebook.export_codebook(tmp_path, tmp_path / "out.toml") == len(shipped.narratives) - 1
    assert (tmp_path / "out.toml").read_bytes() == (tmp_path / "in.toml").read_bytes()
    assert codebook.import_codebook(tmp_path, tmp_path / "out.toml", "ann", "again") == []
