"""Who speaks, how that was found, and in what voice: one small text for every pattern."""

from __future__ import annotations

import pytest

from narratives.model import Document, Paragraph, RawDocument
from narratives.parse import parse_document
from tests.helpers.parse_roster import ROSTER


def parse(text: str = "", **fields) -> Document:
    return parse_document(RawDocument("x.txt", text=text, **fields), ROSTER)


def bodies(*texts: str, title: str = "A title of no interest", **fields) -> list[Paragraph]:
    document = parse("\n\n".join(texts), title=title, date=fields.pop("date", "2016-12-14"), **fields)
    return [p for p in document.paragraphs if p.kind in ("body", "question")]


OPENING = "The talks went well, Kremlin spokesman Dmitry Peskov told reporters."


@pytest.mark.parametrize(
    ("text", "speaker", "method", "voice"),
    [
        (OPENING, "Dmitry Peskov", "reported speech", "reported"),
        ("“It went well for us all,” Peskov said.", "Dmitry Peskov", "direct quote", "quoted"),
        ("“It went well for us all,” said Dmitry Peskov.", "Dmitry Peskov", "direct quote", "quoted"),
        ("Lavrov added: “It went well for us all.”", "Sergei Lavrov", "direct quote", "quoted"),
        ("“It went,” Lavrov said, “well for us all.”", "Sergei Lavrov", "direct quote", "quoted"),
        ("Peskov stressed that all was “well” and went on for an hour.", "Dmitry Peskov", "direct quote", "reported"),
        ("According to Sergey Lavrov, all went well.", "Sergei Lavrov", "reported speech", "reported"),
        ("All went well, Peskov in an interview to the channel.", "Dmitry Peskov", "reported speech", "reported"),
        ("The Kremlin spokesman noted that all was well.", "Dmitry Peskov", "role", "reported"),
        ("The president’s spokesman pointed out that all was well.", "Dmitry Peskov", "role", "reported"),
        ("The Russian Foreign Minister also said all was well.", "Sergei Lavrov", "role", "reported"),
        ("Peskov, the man of few words, then said all was well.", "Dmitry Peskov", "reported speech", "reported"),
        ("His aide, Gov. Ivan Petrenko, said all was well.", "Ivan Petrenko", "reported speech", "reported"),
        ("Ivan Petrenko rejected it. “It is a lie and a bad one.”", "Ivan Petrenko", "direct quote", "quoted"),
        ("Mr Lavrov said all was well.", "Sergei Lavrov", "reported speech", "reported"),
        ("The press service cited Putin as saying all was well.", "Vladimir Putin", "reported speech", "reported"),
        ("Putin was quoted as saying all was well.", "Vladimir Putin", "reported speech", "reported"),
        ("Deputy Mayor Ivan Petrenko said all was well.", "Ivan Petrenko", "reported speech", "reported"),
        ("Ms Bokova said all was well.", "Bokova", "reported speech", "reported"),
    ],
)
def test_named_speakers(text, speaker, method, voice):
    (paragraph,) = bodies(text)
    assert (paragraph.speaker, paragraph.speaker_method, paragraph.voice) == (speaker, method, voice)


@pytest.mark.parametrize(
    "text",
    [
        "The talks lasted for an hour and ended late.",
        "In an interview on Friday, Peskov touched upon the talks.",
        "While the press calls it done, Mayor Ivan Petrenko has rejected the outcome.",
        "Putin and Lukashenko said all was well.",
        "A spokesman said all was well.",
        "Moscow said all was well.",
        "The German Foreign Minister said all was well.",
        "Peskov was told that all was well.",
        "The Joint Statement says that all is well.",
        "The United States Trade Office noted a fall in exports.",
    ],
)
def test_outlets_own_voice_and_doubt_have_no_speaker(text):
    (paragraph,) = bodies(text)
    assert (paragraph.speaker, paragraph.speaker_method, paragraph.voice) == ("", "", "outlet")


@pytest.mark.parametrize(
    ("following", "speaker", "method", "voice"),
    [
        ("“It took a while,” he said.", "Dmitry Peskov", "pronoun", "quoted"),
        ("It took a while, he added, with Vladimir Putin waiting.", "Dmitry Peskov", "pronoun", "reported"),
        ("“It took a while, and it was worth it.”", "Dmitry Peskov", "continuation", "quoted"),
        ("Naturally, we would be glad of more of that.", "Dmitry Peskov", "block quote", "quoted"),
        ("The spokesman cited the weather, stressing it was cold.", "Dmitry Peskov", "role", "reported"),
        ("Peskov dismissed the rumours.", "Dmitry Peskov", "reported speech", "reported"),
        ("Vladimir Putin met farmers. He said it took a while.", "Vladimir Putin", "pronoun", "reported"),
        ("The talks had been put off twice.", "", "", "outlet"),
        ("“A while” is what the papers called it in their reports.", "", "", "outlet"),
    ],
)
def test_what_follows_a_named_speaker(following, speaker, method, voice):
    paragraph = bodies(OPENING, following)[1]
    assert (paragraph.speaker, paragraph.speaker_method, paragraph.voice) == (speaker, method, voice)


def test_after_the_outlets_own_paragraph_nobody_lends_a_speaker():
    found = bodies(OPENING, "The talks had been put off twice.", "“It took a while, and it was worth it.”")
    assert [p.speaker for p in found] == ["Dmitry Peskov", "", ""]
    assert found[2].voice == "quoted"


@pytest.mark.parametrize(
    "text",
    [
        "Peskov then quoted Putin, who said that all was well.",
        "Peskov cited Putin as saying all was well.",
        "Peskov suggested a look at the statement of President Vladimir Putin that all was well.",
    ],
)
def test_nested_quotes(text):
    (paragraph,) = bodies(text)
    assert (paragraph.speaker, paragraph.quoted_person) == ("Dmitry Peskov", "Vladimir Putin")


@pytest.mark.parametrize(
    "title", ["All is well – Kremlin spokesman to RT", "Peskov: all is well", "Peskov says all is well"]
)
def test_the_title_names_the_speaker_until_somebody_spoke(title):
    found = bodies("“All of it is well.”", "All was well, he said. Peskov smiled.", title=title)
    assert [(p.speaker, p.speaker_method) for p in found] == [("Dmitry Peskov", "title"), ("Dmitry Peskov", "pronoun")]


def test_a_bare_post_means_its_holder_at_home_only():
    text = "The President noted that the harvest was good."
    assert bodies(text, outlet="Kremlin")[0].speaker == "Vladimir Putin"
    assert bodies(text, outlet="RT")[0].speaker == ""


def test_a_label_with_a_quotation_in_a_report_does_not_go_on():
    found = bodies("Lavrov met the press.", "Sergei Lavrov: “It went well for us.”", "The talks had been put off.")
    assert [(p.speaker, p.voice) for p in found] == [("", "outlet"), ("Sergei Lavrov", "quoted"), ("", "outlet")]


def test_speaker_of_the_whole_document():
    speech = ("Mr President, the world has changed.", "Putin’s name was on every list. We said no.")
    found = bodies(*speech, speaker="Mr. Sergey Lavrov")
    assert [(p.speaker, p.voice, p.speaker_method) for p in found] == [("Sergei Lavrov", "own", "metadata")] * 2
    found = bodies(*speech, speaker="Sergey Lavrov", from_manifest=("speaker",))
    assert found[0].speaker_method == "manifest"


def test_a_report_about_the_stated_speaker_stays_a_report():
    found = bodies(OPENING, "“We are glad,” Peskov said.", "It rained all day.", speaker="Dmitry Peskov")
    assert [(p.speaker, p.voice) for p in found] == [
        ("Dmitry Peskov", "reported"),
        ("Dmitry Peskov", "quoted"),
        ("", "outlet"),
    ]
