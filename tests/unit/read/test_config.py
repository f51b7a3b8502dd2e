"""The codebook, the speakers and the events that people write."""

from __future__ import annotations

import csv
import hashlib
import re
import unicodedata
from collections import Counter
from datetime import date

import pytest

from narratives.model import ConfigError, Event, Narrative, Role, Speaker
from narratives.read import load_codebook, load_events, load_speakers
from tests.conftest import ROOT

NARRATIVE = '[[narrative]]\nid = "a_1"\nname = "A"\ndefinition = "Claims A."\nexemplars = ["A is so."]\n'
SPEAKER = '[[speaker]]\nname = "Ann Lee"\n'
EVENT = '[[event]]\ndate = 2016-11-08\nname = "Vote"\nsource = "https://example.org/vote"\n'


@pytest.fixture
def file(tmp_path):
    def write(content, name="f.toml"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def test_a_codebook_keeps_all_fields_and_its_order(file):
    full = (
        NARRATIVE + 'includes = ["i"]\nexcludes = ["e"]\ncontrasts = ["c"]\ncues = ["so-called A"]\n'
        'parent = "b"\ncolour = "#1F77b4"\nthreshold = 3\n'
    )
    path = file(full + NARRATIVE.replace("a_1", "b").replace('"A"', '"B"'))
    codebook = load_codebook(path)
    assert codebook.narratives[0] == Narrative(
        "a_1", "A", "Claims A.", ("i",), ("e",), ("A is so.",), ("c",), ("so-called A",), "b", "#1F77b4", 3.0
    )
    assert [n.id for n in codebook.narratives] == ["a_1", "b"]
    assert codebook.digest == hashlib.sha256(path.read_bytes()).hexdigest()
    assert codebook.source == str(path)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (('id = "a_1"', 'id = "A-1"'), "small letters, digits and _"),
        (('id = "a_1"\n', ""), "`id`"),
        (('name = "A"', 'name = " "'), "`name`"),
        (('name = "A"', 'name = "\u200b"'), "`name`"),
        (('name = "A"', "name = 7"), "text as `name`"),
        (('definition = "Claims A."\n', ""), "`definition`"),
        (('["A is so."]', "[]"), "`exemplars`"),
        (('["A is so."]', '"A is so."'), "a list as `exemplars`"),
        (('["A is so."]', '["A is so.", ""]'), "a list of strings as `exemplars`"),
        (('["A is so."]', '["A is so.", "\u200b"]'), "a list of strings as `exemplars`"),
        (("exemplars", 'color = "#ffffff"\nexemplars'), "color"),
        (("exemplars", 'colour = "red"\nexemplars'), "a colour such as"),
        (("exemplars", 'threshold = "3"\nexemplars'), "a number as `threshold`"),
        (("exemplars", "threshold = nan\nexemplars"), "a number as `threshold`"),
        (("exemplars", f"threshold = {'9' * 400}\nexemplars"), "a number as `threshold`"),
        (("exemplars", f"threshold = 0x{'f' * 4000}\nexemplars"), "got a number of thousands of digits"),
        (("exemplars", f"cues = [0x{'f' * 4000}]\nexemplars"), "got a number of thousands of digits in it"),
        (("exemplars", 'parent = "b"\nexemplars'), "not in the codebook"),
        (("exemplars", 'parent = "a_1"\nexemplars'), "which is circular"),
    ],
)
def test_a_faulty_narrative_is_named_with_its_file(file, change, why):
    path = file(NARRATIVE.replace(*change))
    with pytest.raises(ConfigError) as error:
        load_codebook(path)
    assert why in str(error.value)
    assert str(path) in str(error.value) and "narrative" in str(error.value)
    assert error.value.expected and error.value.got and error.value.hint


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "one or more"),
        ("narrative = 3", "tables and nothing else"),
        ("narrative = [3]", "tables in"),
        (NARRATIVE + "[settings]\nx = 1\n", "also settings"),
        ("[[narrative]\n", "TOML in UTF-8"),
        (b"\xff\xff", "TOML in UTF-8"),
        (f"narrative = {'9' * 5000}", "TOML in UTF-8"),
        (f"narrative = {'[' * 5000}", "TOML in UTF-8"),
        (NARRATIVE + NARRATIVE, "narrative id only once"),
        (NARRATIVE + NARRATIVE.replace("a_1", "a_2"), "narrative name only once"),
    ],
)
def test_a_faulty_codebook_is_refused(file, content, why):
    with pytest.raises(ConfigError, match=re.escape(why)):
        load_codebook(file(content))


@pytest.mark.parametrize("load", [load_codebook, load_speakers, load_events])
def test_a_missing_file_is_a_config_error(tmp_path, load):
    with pytest.raises(ConfigError, match=r"f\.toml; got No such file"):
        load(tmp_path / "f.toml")


def test_a_longer_circle_of_parents_is_found(file):
    a = NARRATIVE + 'parent = "b"\n'
    b = NARRATIVE.replace("a_1", "b").replace('"A"', '"B"') + 'parent = "a_1"\n'
    with pytest.raises(ConfigError, match="which is circular"):
        load_codebook(file(a + b))


def test_speakers_have_aliases_and_dated_roles(file):
    roles = 'roles = [{ title = "Minister", from = 2016-01-02, to = 2016-03-04 }, { title = "Aide" }]\n'
    path = file(SPEAKER + 'aliases = ["A. Lee"]\naffiliation = "Ministry"\n' + roles)
    role = Role("Minister", date(2016, 1, 2), date(2016, 3, 4))
    assert load_speakers(path) == (Speaker("Ann Lee", ("A. Lee",), (role, Role("Aide")), "Ministry"),)


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ('alias = ["x"]', "alias"),
        ('roles = "Minister"', "a list of tables as `roles`"),
        ("roles = [{ from = 2016-01-02 }]", "`title`"),
        ('roles = [{ title = "M", since = 2016-01-02 }]', "since"),
        ('roles = [{ title = "M", from = "2016" }]', "a full date as `from`"),
        ('roles = [{ title = "M", from = 2016-01-02T00:00:00 }]', "a full date as `from`"),
        ('roles = [{ title = "M", from = 2017-01-02, to = 2016-01-02 }]', "`from` before `to`"),
        ('aliases = ["ann lee"]', "ann lee twice"),
        ('[[speaker]]\nname = "Bob"\naliases = ["ANN LEE"]', "ann lee twice"),
    ],
)
def test_a_faulty_speaker_is_refused(file, more, why):
    with pytest.raises(ConfigError, match=re.escape(why)):
        load_speakers(file(SPEAKER + more))


def test_events_come_by_date(file):
    later = EVENT.replace("2016-11-08", "2017-01-01") + 'narratives = ["a", "b_2"]\n'
    events = load_events(file(later + EVENT))
    assert events == (
        Event(date(2016, 11, 8), "Vote", "https://example.org/vote"),
        Event(date(2017, 1, 1), "Vote", "https://example.org/vote", ("a", "b_2")),
    )


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (("date = 2016-11-08\n", ""), "`date`"),
        (("2016-11-08", '"2016-11-08"'), "a full date as `date`"),
        (("https://example.org/vote", "the newspapers"), "a web address as `source`"),
        (("name =", 'narratives = ["Not an id"]\nname ='), "narrative ids"),
        (("name =", 'note = "x"\nname ='), "note"),
    ],
)
def test_a_faulty_event_is_refused(file, change, why):
    with pytest.raises(ConfigError, match=re.escape(why)):
        load_events(file(EVENT.replace(*change)))


def test_an_event_that_comes_twice_is_refused(file):
    with pytest.raises(ConfigError, match="event only once"):
        load_events(file(EVENT + EVENT))


# --- the files of the project -------------------------------------------------------------------------
def test_the_projects_events_are_dated_short_and_sourced():
    events = load_events(ROOT / "data" / "events.toml")
    assert len(events) >= 25
    assert {e.date.year for e in events} == {2016, 2017, 2018, 2019, 2020}
    assert max(len(e.name) for e in events) <= 45
    assert all(e.narratives for e in events)


def test_the_projects_events_name_narratives_of_the_projects_codebook():
    known = {n.id for n in load_codebook(ROOT / "data" / "codebook.toml").narratives}
    events = load_events(ROOT / "data" / "events.toml")
    assert {narrative for e in events for narrative in e.narratives} == known


def test_the_projects_speakers_hold_the_people_of_the_main_path():
    speakers = {s.name: s for s in load_speakers(ROOT / "data" / "speakers.toml")}
    assert len(speakers) >= 90
    posts = {name: {role.title for role in s.roles} for name, s in speakers.items()}
    assert "Foreign Ministry spokesperson" in posts["Maria Zakharova"]
    assert "Kremlin spokesman" in posts["Dmitry Peskov"]
    assert "Sergey Lavrov" in speakers["Sergei Lavrov"].aliases
    ended = next(r.end for r in speakers["Dmitry Medvedev"].roles if r.title == "Prime Minister of Russia")
    assert ended == date(2020, 1, 16)


def test_no_post_of_the_projects_speakers_is_held_twice_by_one_person():
    for speaker in load_speakers(ROOT / "data" / "speakers.toml"):
        twice = [k for k, n in Counter((r.title, r.start) for r in speaker.roles).items() if n > 1]
        assert not twice, speaker.name


def plain(name):
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c))


@pytest.mark.shared
def test_every_speaker_of_the_general_debate_is_on_the_roster(shared):
    speakers = load_speakers(ROOT / "data" / "speakers.toml")
    known = {plain(name) for s in speakers for name in (s.name, *s.aliases)}
    with (shared / "corpora" / "un_general_debate_speakers.csv").open(encoding="utf-8-sig", newline="") as rows:
        names = {row["name_of_person_speaking"].split(" ", 1)[1] for row in csv.DictReader(rows)}
    assert len(names) > 20
    assert {name for name in names if plain(name) not in known} == set()
