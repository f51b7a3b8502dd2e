"""Who speaks: pronouns, titles, two at once, signatures, lines that introduce words, and lines in title case."""

from __future__ import annotations

import pytest

from narratives.model import RawDocument, RawParagraph
from narratives.parse import parse_document
from tests.helpers.parse_roster import ROSTER

NEWS = "The granary was shut on Monday after a barge had struck its wall."
LATER = "The board meets again on Friday to speak of the price of flour."
WORDS = "“The granary must serve every baker in the valley.”"
OTHERS = "“Nobody asked the millers before the gates were shut.”"
BLOCK = "The board has lied to the millers for two years. We will bring every letter to light."


def parse(*texts, title="On the quay", quote=()):
    paragraphs = tuple(RawParagraph(text, kind="quote" if text in quote else "") for text in texts) if quote else ()
    raw = RawDocument(
        "x", text="" if quote else "\n\n".join(texts), paragraphs=paragraphs, title=title, date="2018-05-15"
    )
    return [p for p in parse_document(raw, ROSTER).paragraphs if p.kind != "title"]


def speakers(*texts, **fields):
    return [p.speaker for p in parse(*texts, **fields) if p.kind == "body"]


HE, SHE = "“I have heard that before,” he said.", "“We will open the gates again,” she said."


@pytest.mark.parametrize(
    ("pair", "he", "she"),
    [
        (
            "Vesna Koval, head of the mill, and Milan Zrin, head of the union, met on Monday.",
            "Milan Zrin",
            "Vesna Koval",
        ),
        ("Milan Zrin and Vesna Koval met on Monday.", "Milan Zrin", "Vesna Koval"),
        ("Fatma Yildiz met Ahmet Demir in the hall on Monday.", "Ahmet Demir", "Fatma Yildiz"),
        ("Zoë Béranger and André Müller met on Monday.", "André Müller", "Zoë Béranger"),
        ("Anna Dorn and Peter Dorn met on Monday.", "Peter Dorn", "Anna Dorn"),
        ("Mr Kaya and Mrs Demir met on Monday.", "Kaya", "Demir"),
        ("Xiu Ko, a mill spokeswoman, and Ndu Tam, the union chairman, met on Monday.", "Ndu Tam", "Xiu Ko"),
        ("Xiu Ko and Ndu Tam met. Ms Ko had asked for it, and Mr Tam had agreed at once.", "Ndu Tam", "Xiu Ko"),
        ("Ann Lee, the head of the mill, came to the quay on Monday.", "", "Ann Lee"),
        ("John Fox came to the quay on Monday with his dog.", "John Fox", ""),
        ("Xiu Ko and Ndu Tam met on Monday.", "", ""),
    ],
)
def test_he_and_she_go_to_a_man_and_a_woman_and_to_nobody_in_doubt(pair, he, she):
    assert speakers(pair, HE)[1] == he
    assert speakers(pair, SHE)[1] == she


def test_who_was_called_she_is_not_he():
    found = speakers("Xiu Ko, who mills rye, was shut out.", SHE, "Ndu Tam stood by.", "“I have heard it,” he said.")
    assert found == ["", "Xiu Ko", "", "Ndu Tam"]


def test_his_wife_and_somebodys_attempt_are_persons():
    found = speakers("Norbert Quay mills rye. His wife, Bonnie, shook her head. “He is late,” she said.")
    assert found == ["Bonnie Quay"]
    assert speakers("Norbert Quay’s second try went well. “I was wrong,” he said.") == ["Norbert Quay"]


@pytest.mark.parametrize(
    "text",
    [
        "Neither Ann Lee nor John Fox said whether “the gates are safe for heavy carts”.",
        "Neither Lee nor Fox would say that “the gates are safe”.",
        "“We know nothing of that,” neither Lee nor Fox said.",
        "Both Ann Lee and John Fox said that “the gates are safe for carts”.",
        "Millers chanted “Open the gates, open them now” as Karl Lind arrived.",
        "Millers at Bernstein called the gates “a trap for every cart”.",
        "Ann Lee opened the “House of the Mill and of the Bread” on Monday.",
        "The Norby Courier wrote that the gates were “a heap of rust”.",
    ],
)
def test_nobody_is_named(text):
    assert speakers(text) == [""]


@pytest.mark.parametrize(
    ("text", "speaker"),
    [
        ("“I know every stone,” said Karl “Old Salt” Lind, 81.", "Karl Lind"),
        ("“I know every stone,” said a miller who goes by the name “Salty.”", "Salty"),
        ("“We will take it,” said Nasser al-Harthi, an envoy.", "Nasser al-Harthi"),
        ("Ann Lee QC, for the bank, said that it was “more than enough”.", "Ann Lee"),
        ("Anil Mehta of the Upland Milling Lab says: “The grain is cheap.”", "Anil Mehta"),
        ("“The frost will be hard,” said the mayor of Sandby, Karl Lind.", "Karl Lind"),
        ("Actress Xiu Ko said the road was “shut again”.", "Xiu Ko"),
        ("Theresa May said the deal was “better than none”.", "Theresa May"),
    ],
)
def test_names_that_are_more_than_two_words(text, speaker):
    assert speakers(text) == [speaker]


@pytest.mark.parametrize(
    ("text", "speaker"),
    [
        ("In 2008, Dolan Said Of The Mill, “They Have Had Their Way With Us For Years.”", "Dolan"),
        ("Irma Dolan Told The Courier She Would “Never Sell The Mill To The North.”", "Irma Dolan"),
        ("“We Will Never Sell The Mill,” Said Irma Dolan During A Debate In Norby.", "Irma Dolan"),
        ("Asked About The Gates, Dolan Replied, “I Do Not Recall Such Gates At All.”", "Dolan"),
        ("Former Head Of The Board Irma Dolan Declared That “Nobody Has The Right To It.”", "Irma Dolan"),
        ("Dolan Said of the Deal in a Speech at the Quay, “It Is the Best We Could Get.”", "Dolan"),
        ("In 2010, Will Marsh Said He Would “Never Raise The Fare On The Ferry.”", "Will Marsh"),
        ("Dolan Spokesman Ole Brand Said She Was “Looking Forward To The Debate.”", "Ole Brand"),
        ("Dolan Said She “Had No Knowledge” Of The Letters. Lind Said That Was “A Lie.”", "Dolan"),
        ("According To Karl Lind, The Gates Are “A Monument To Bad Arithmetic.”", "Karl Lind"),
        ("IRMA DOLAN SAID OF THE GATES, “THEY WILL STAND FOR A HUNDRED YEARS.”", "Irma Dolan"),
        ("The Norby Courier Reported That The Gates Were “A Heap Of Rust.”", ""),
        ("A Dolan Spokesman Called The Remarks “Astonishing.”", ""),
    ],
)
def test_a_line_in_title_case(text, speaker):
    assert speakers(text) == [speaker]


@pytest.mark.parametrize(
    "sign", ["— Ann Lee", "-Ann Lee, mayor", "-- Ann Lee, head of the mill", "— Prime Minister Ann Lee"]
)
def test_a_signature_behind_and_below_a_quotation(sign):
    assert speakers(NEWS, "John Fox said that the gates were shut.", f"{WORDS} {sign}")[-1] == "Ann Lee"
    *_, words, line, after = parse(NEWS, "John Fox said that the gates were shut.", WORDS, sign, LATER)
    assert (words.speaker, words.voice, line.kind, after.speaker) == ("Ann Lee", "quoted", "heading", "")


@pytest.mark.parametrize("sign", ["— a miller from Sandby", "— Vellmar Board"])
def test_a_signature_without_a_person_ends_the_words_of_the_speaker_before(sign):
    assert speakers("John Fox said that the gates were shut.", f"{OTHERS} {sign}") == ["John Fox", ""]


def test_names_alone_below_every_quotation_sign_it():
    assert speakers(NEWS, WORDS, "Ann Lee, mayor of the valley", OTHERS, "John Fox, miller") == [
        "",
        "Ann Lee",
        "John Fox",
    ]


def test_a_signature_signs_all_paragraphs_of_its_quotation():
    found = speakers(
        "He wrote to us.", "“We were told nothing.", "“We were asked nothing.”", "— John Fox, miller", LATER
    )
    assert found == ["", "John Fox", "John Fox", ""]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ((BLOCK, "— Jonas Mill (@jmill) May 15, 2018"), ["Jonas Mill"]),
        ((f"{BLOCK} — Jonas Mill (@jmill) May 15, 2018",), ["Jonas Mill"]),
        ((BLOCK, "Jonas Mill, head of the union"), ["Jonas Mill"]),
        ((BLOCK, "We shall stay.", "– Jonas Mill"), ["Jonas Mill", "Jonas Mill"]),
        ((BLOCK, "— Vellmar Board (@vb) May 15, 2018"), [""]),
        ((BLOCK,), [""]),
        ((BLOCK, "We all trusted Jonas Mill and his men."), ["", ""]),
    ],
)
def test_a_block_quote_and_an_embedded_post(lines, expected):
    assert speakers(NEWS, *lines, LATER, quote=lines) == ["", *expected, ""]


def test_a_post_pasted_into_plain_text():
    assert speakers(NEWS, f"{BLOCK} — Jonas Mill (@jmill) 15 May 2018") == ["", "Jonas Mill"]


LETTER = (
    "We have waited for two years, and we ask the board to act.",
    "Our carts stand in the mud, our letters in a drawer.",
)


@pytest.mark.parametrize(
    ("lines", "author"),
    [
        ((*LETTER, "Yours sincerely,", "John Fox"), "John Fox"),
        ((*LETTER, "Ann Lee, Minister for Grain"), "Ann Lee"),
        ((*LETTER, "Ann Lee", "Minister for Grain"), "Ann Lee"),
        (("By Ann Lee, Minister for Grain", *LETTER), "Ann Lee"),
        (("By Ann Lee, Staff Reporter", *LETTER), ""),
        (("By Ann Lee", *LETTER), ""),
        ((*LETTER, "Ann Lee"), ""),
    ],
)
def test_who_signs_a_text_speaks_in_it(lines, author):
    found = [p for p in parse(*lines, title="To the board") if p.kind == "body"]
    assert [p.speaker for p in found] == [author] * 2
    assert {p.voice for p in found} == ({"own"} if author else {"outlet"})


@pytest.mark.parametrize(
    "line",
    [
        "And from Chairwoman Ann Lee:",
        "Statement by Ann Lee:",
        "From Ann Lee, the head of the board:",
        "Ann Lee, head of the board:",
        "Here is Ann Lee:",
        "Then Ann Lee had this to say:",
        "From the desk of Ann Lee, analyst at the Courier.",
    ],
)
def test_a_line_introduces_the_words_that_follow(line):
    found = parse("John Fox said that the gates were shut.", line, WORDS, LATER)
    assert [(p.speaker, p.speaker_method) for p in found[1:]] == [("", ""), ("Ann Lee", "introduction"), ("", "")]


def test_an_introduction_of_words_in_the_first_person_without_marks():
    assert speakers("Statement by Ann Lee:", "We keep the gates open, and we turn nobody away.", LATER) == [
        "",
        "Ann Lee",
        "",
    ]


@pytest.mark.parametrize("line", ["The full list of towns:", "A letter was sent to Ann Lee:", "Ann Lee and John Fox:"])
def test_a_line_that_introduces_nobodys_words(line):
    assert speakers(NEWS, line, WORDS)[-1] == ""


@pytest.mark.parametrize(
    ("text", "speaker"),
    [
        ("– We have no stone at all, – said Karl Lind.", "Karl Lind"),
        ("«We have no stone at all», – said Karl Lind.", "Karl Lind"),
        ("—We have no stone at all —said Karl Lind.", "Karl Lind"),
        ("– Who asked us? Ann Lee wondered. – Nobody did, and nobody will.", "Ann Lee"),
    ],
)
def test_a_dash_opens_what_somebody_says(text, speaker):
    [found] = parse(text)
    assert (found.speaker, found.voice) == (speaker, "quoted")


def test_a_post_that_two_hold_is_nobody_until_one_of_them_speaks():
    both = "Trade Minister Karl Lind and Foreign Minister Ann Lee met on Monday."
    assert speakers(both, "“The frost will be hard,” the minister said.") == ["", ""]
    assert speakers(both, "“The frost will be hard,” the trade minister said.") == ["", "Karl Lind"]


@pytest.mark.parametrize("line", ["Photo by Ann Lee.", "Here is what we know:"])
def test_a_line_that_is_no_introduction(line):
    assert speakers("Karl Lind said the gates were shut.", line, WORDS)[1] == ""


def test_a_statement_signed_below_needs_no_first_person():
    lines = ("The gates stay open to every cart.", "No cart will be turned away without a hearing.")
    signed = (*lines, "Karl Lind", "Minister for Trade")
    assert speakers(*signed, title="Statement on the gates") == ["Karl Lind"] * 2
    assert speakers(*signed, title="Gates to stay open") == ["", ""]


def test_a_message_that_it_reads_is_its_senders_and_not_the_recipients():
    lead = "Vladimir Putin sent his greetings to the millers."
    text = f"A message was sent to the head of the board, Ann Lee. It reads, in part:\n\n{WORDS}"
    for given, sender in ((lead, "Vladimir Putin"), ("", "")):
        raw = RawDocument("x", text=text, title="A title of no interest", lead=given)
        assert parse_document(raw, ROSTER).paragraphs[-1].speaker == sender
