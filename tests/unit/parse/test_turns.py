"""Briefings and transcripts: labels of the source, turn labels, and one name for one person."""

from __future__ import annotations

import pytest

from narratives.model import Paragraph, RawDocument, RawParagraph
from narratives.parse import is_statement, parse_document
from tests.helpers.parse_roster import ROSTER

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
        "x.jsonl", paragraphs=tuple(RawParagraph(t, s, labelled=bool(s)) for s, t in pairs), date="2018-03-01", **fields
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
        ("Anna Host", "question", "question"),
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
    found = transcript(("Dmitry Peskov", "Peskov said the rumours were false."), ("Dmitry Peskov", "They are false."))
    assert [p.voice for p in found] == ["reported", "own"]


def asked(*pairs: tuple[str, str]) -> list[tuple[str, str, str]]:
    found = transcript(*pairs)
    return [(p.speaker, p.kind, p.voice) for p in found]


ANSWER = ("Vladimir Putin", "It will be ready in the spring, I am told.")


@pytest.mark.parametrize(
    "text",
    [
        "When will the bridge be ready?",
        "The river is wide. When will the bridge be ready? Thank you.",
        "When will the bridge be ready? Thank you very much, Mr President. (Applause.)",
    ],
)
def test_a_named_interviewer_asks(text):
    asks = ("Ivan Petrenko", text)
    assert asked(asks, ANSWER)[0] == ("Ivan Petrenko", "question", "question")
    [first, *_] = transcript(asks, ANSWER)
    assert not is_statement(first, frozenset({"en"})) and first.speaker_method == "source label"


def test_a_question_over_several_paragraphs_is_one():
    found = asked(
        ("", "Ivan Petrenko: I write for a paper in town."),
        ("", "When will it be ready?"),
        ("", "Vladimir Putin: It will be ready in the spring."),
        ("", "Ivan Petrenko: I see, and I thank you for it."),
    )
    assert [kind for _, kind, _ in found] == ["question", "question", "body", "body"]


def test_a_guest_who_speaks_at_length_asks_with_the_last_paragraph_only():
    long = ("Ivan Petrenko", "We have built four bridges over this river and lost three of them. " * 25)
    found = asked(long, ("Ivan Petrenko", "Will you help us?"), ANSWER)
    assert [kind for _, kind, _ in found] == ["body", "question", "body"]
    journalist = ("Anna Journalist", long[1])
    found = asked(journalist, ("Anna Journalist", "Will you help us?"), ANSWER)
    assert [kind for _, kind, _ in found] == ["question", "question", "body"]


@pytest.mark.parametrize(
    ("pairs", "why"),
    [
        ([("Vladimir Putin", "How is the harvest?"), ("Ivan Petrenko", "It is good.")], "an official's"),
        ([("Sergei Lavrov", "Shall we begin the talks?"), ANSWER], "an official's"),
        ([("Minister of Trade Ivan Petrenko", "Shall we begin the talks?"), ANSWER], "a post"),
        ([("Ivan Petrenko", "The bridge is nearly ready."), ANSWER], "no question"),
        ([("Ivan Petrenko", "Why? Because the river is wide and deep."), ANSWER], "its own answer"),
        ([ANSWER, ("Ivan Petrenko", "And what is there left to say?")], "nobody answers"),
        ([("Ivan Petrenko", "Is it ready?"), ("Anna Guest", "It is.")], "no official there"),
    ],
)
def test_what_is_no_question_to_an_official(pairs, why):
    assert {kind for _, kind, _ in asked(*pairs)} == {"body"}, why


def test_a_journalist_keeps_the_name_under_any_post_of_the_trade():
    found = transcript(("Plenary session moderator Anna Journalist", "Is it ready?"), ANSWER)
    assert (found[0].speaker, found[0].kind) == ("Anna Journalist", "question")


def test_a_sentence_on_a_matter_is_no_turn():
    found = transcript(
        ("", "Vladimir Putin: We have talked about this at length."),
        ("", "Regarding North Korea: we have a position, and it is well known."),
        ("", "Regarding North Korea: it is as it was, and it will remain so."),
    )
    assert {p.speaker for p in found} == {"Vladimir Putin"}
