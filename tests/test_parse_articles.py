"""Speakers and voices on labelled articles of our own: every pattern of reporting, and doubt left open."""

from __future__ import annotations

import pytest

from benchmarks.accuracy_articles import ARTICLES, Tally, measure
from narratives.model import RawDocument
from narratives.parse import parse_document
from tests.parse_roster import ROSTER


@pytest.fixture(scope="module")
def tallies() -> dict[str, Tally]:
    return measure()


def test_there_are_enough_labels_to_count(tallies):
    assert sorted(tallies) == sorted(path.stem for path in ARTICLES.glob("*.toml"))
    assert sum(t.named for t in tallies.values()) >= 150


@pytest.mark.parametrize("name", ["election", "russia", "second", "third"])
def test_the_source_is_named_and_hardly_ever_wrongly(tallies, name):
    t = tallies[name]
    assert t.right >= 0.95 * t.named and t.wrong <= 0.01 * t.named, t.details
    assert t.quoted_right >= 0.95 * t.quoted and t.quoted_wrong <= 0.01 * t.quoted, t.details
    assert t.forced == 0, t.details
    assert t.voices >= 0.96 * t.paragraphs, t.details
    assert t.passed_on_right == t.passed_on


def bodies(*texts, title="A title of no interest", **fields):
    raw = RawDocument("x", text="\n\n".join(texts), title=title, date="2016-12-14", **fields)
    return [p for p in parse_document(raw, ROSTER).paragraphs if p.kind == "body"]


LEAD = "Vladimir Putin sent his greetings to the skaters."
AFTER = "The rink has been open since the year before last."


def test_what_follows_the_message_reads_is_by_its_sender():
    found = bodies(
        "The message reads, in part:",
        "“It is a pleasure to see you here.",
        "We wish you ice.”",
        AFTER,
        lead=LEAD,
    )
    assert [(p.speaker, p.voice, p.speaker_method) for p in found] == [
        ("", "outlet", ""),
        ("Vladimir Putin", "quoted", "sender"),
        ("Vladimir Putin", "quoted", "continuation"),
        ("", "outlet", ""),
    ]


def test_a_message_within_its_announcement_is_by_its_sender():
    [found] = bodies("The message reads, in part: “It is a pleasure to see all of you here.”", lead=LEAD)
    assert (found.speaker, found.speaker_method) == ("Vladimir Putin", "sender")


@pytest.mark.parametrize("lead", ["", "Greetings were sent to the skaters."])
def test_a_message_without_a_sender_is_nobodys(lead):
    found = bodies("The message reads, in part:", "“It is a pleasure to see you here.”", lead=lead)
    assert [p.speaker for p in found] == ["", ""]


def test_a_quotation_beside_somebody_unnamed_goes_to_nobody_else():
    first = "The pier is not for sale, Kremlin spokesman Dmitry Peskov told reporters."
    for second in (
        "“They have measured it twice this month,” a fisherman said.",
        "A woman with a dog was not so sure. “They have measured it twice this month,” she said.",
        "“They have measured it twice this month,” the letter says.",
        "“They have measured it twice this month,” the President of Ruritania remarked.",
    ):
        assert bodies(first, second)[1].speaker == "", second


@pytest.mark.parametrize(
    ("text", "speaker"),
    [
        ("Putin’s claims that all was well went unheard.", ""),
        ("Lavrov vowed to leave the hall.", ""),
        ("Lavrov vowed that he would leave the hall.", "Sergei Lavrov"),
        ("Lavrov visited the dock and praised the crew, adding that the ship was a beauty.", "Sergei Lavrov"),
        ("“It is a fine ship,” said the captain of the fleet, Ivan Petrenko.", "Ivan Petrenko"),
        ("“It is a fine ship,” grumbled Ivan Petrenko, a pilot.", "Ivan Petrenko"),
        ("“It is a fine ship and it floats,” Petrenko said.", "Petrenko"),
        ("“It is a fine ship and it floats,” officials said.", ""),
        ("“It is a fine ship and it floats,” Moscow said.", ""),
    ],
)
def test_verbs_and_subjects(text, speaker):
    assert bodies(text)[0].speaker == speaker


def test_she_is_not_a_man_and_he_no_woman():
    found = bodies(
        "Ivan Petrenko said the ship was fine.",
        "Maria Zakharova said the dock was dry.",
        "“I built it and I know it well,” he said.",
        "“I saw it and I liked it,” she said.",
    )
    assert [p.speaker for p in found] == [
        "Ivan Petrenko",
        "Maria Zakharova",
        "Ivan Petrenko",
        "Maria Zakharova",
    ]
