"""Briefings and transcripts: labels of the source, turn labels, and one name for one person."""

from __future__ import annotations

from narratives.model import Paragraph, RawDocument, RawParagraph
from narratives.parse import parse_document
from tests.parse_roster import ROSTER

BRIEFING = """Briefing by Foreign Ministry Spokesperson Maria Zakharova, Moscow, May 4, 2016

The talks at the river

Sergey Lavrov said yesterday that the talks would go on. They will.

Answers to media questions:

Question: When will the talks end?

Will they end at all?

Maria Zakharova: They will end when they are done.

We have time: nobody is in a hurry here.

Question: And then?

Maria Zakharova: Then we rest.
"""


def test_briefing():
    document = parse_document(RawDocument("x.txt", text=BRIEFING), ROSTER)
    found = [(p.kind, p.voice, p.speaker, p.speaker_method) for p in document.paragraphs]
    zakharova = ("body", "own", "Maria Zakharova")
    assert found == [
        ("title", "outlet", "", ""),
        ("heading", "outlet", "", ""),
        (*zakharova, "whole document"),
        ("heading", "outlet", "", ""),
        ("question", "question", "", "turn label"),
        ("question", "question", "", "turn continued"),
        (*zakharova, "turn label"),
        (*zakharova, "turn continued"),
        ("question", "question", "", "turn label"),
        (*zakharova, "turn label"),
    ]
    assert document.date == "2016-05-04" and document.outlet == "Ministry of Foreign Affairs of Russia"


def transcript(*pairs: tuple[str, str], **fields) -> list[Paragraph]:
    raw = RawDocument(
        "x.jsonl",
        paragraphs=tuple(RawParagraph(t, s, labelled=bool(s)) for s, t in pairs),
        date="2018-03-01",
        **fields,
    )
    return list(parse_document(raw, ROSTER).paragraphs)


def test_transcript_with_labels_of_the_source():
    found = transcript(
        ("", "The talks were held in the Kremlin."),
        ("President of Russia Vladimir Putin", "Good afternoon, friends."),
        ("Question", "May I ask?"),
        ("Anna Host", "May I as well?"),
        ("Vladimir Putin", "Please do."),
    )
    assert [(p.speaker, p.kind, p.voice) for p in found] == [
        ("", "body", "outlet"),
        ("Vladimir Putin", "body", "own"),
        ("", "question", "question"),
        ("Anna Host", "body", "own"),
        ("Vladimir Putin", "body", "own"),
    ]
    assert [p.speaker_method for p in found[1:]] == ["source label"] * 4


def test_turn_labels_carry_on_until_a_separator():
    found = transcript(
        ("", "President of Russia Vladimir Putin: Welcome, all of you."),
        ("", "We have much to do."),
        ("", "* * *"),
        ("", "The meeting was held in the Kremlin."),
    )
    assert [(p.speaker, p.speaker_method) for p in found] == [
        ("Vladimir Putin", "turn label"),
        ("Vladimir Putin", "turn continued"),
        ("", ""),
    ]


def test_prose_with_a_colon_is_no_turn():
    found = transcript(
        ("", "The Academy has three departments: history, law and music."),
        ("", "Minister of Justice: Ivan Petrenko"),
        ("", "Naturally, we will speak about one thing: the harvest of this year."),
    )
    assert [p.speaker for p in found] == ["", "", ""]


def test_one_person_has_one_name_in_a_document():
    found = transcript(("Grainco CEO Ivan Petrenko", "Hello to all."), ("Ivan Petrenko", "Goodbye to all."))
    assert {p.speaker for p in found} == {"Ivan Petrenko"}
    namesake = "Director of the youth contest Dmitry Peskov"
    found = transcript((namesake, "Hello to all."), ("Dmitry Peskov", "Goodbye to all."))
    assert {p.speaker for p in found} == {namesake}


def test_a_labelled_paragraph_that_retells_its_speaker_is_reported():
    found = transcript(
        ("Dmitry Peskov", "Peskov said the rumours were false."), ("Dmitry Peskov", "They are false.")
    )
    assert [p.voice for p in found] == ["reported", "own"]
