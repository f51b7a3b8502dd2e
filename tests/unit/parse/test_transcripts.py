"""Transcripts in the layouts of well-known sources: who has each turn, where it ends, and what is a question."""

from __future__ import annotations

from pathlib import Path

import pytest

from narratives.model import InputFile, Paragraph, RawDocument, RawParagraph
from narratives.parse import Roster, is_statement, parse_document
from narratives.read import load_speakers, read_file
from tests.conftest import ROOT
from tests.helpers.transcripts import LAYOUTS, NOBODY, QUESTION, Line, Transcript

ROSTER = Roster(load_speakers(ROOT / "data" / "speakers.toml"))
ENGLISH = frozenset({"en"})
SEEDS = range(10)
MIN_SHARE = 0.97


def read(text: str, **fields: str) -> list[Paragraph]:
    return list(parse_document(RawDocument("x.txt", text=text, **fields), ROSTER).paragraphs)


def speakers(text: str, **fields: str) -> list[str]:
    """The speaker of every paragraph with words of a turn; `?` for a question."""
    found = (p for p in read(text, **fields) if p.kind in ("body", "question"))
    return ["?" if p.kind == "question" else p.speaker for p in found]


def pair(transcript: Transcript) -> list[tuple[Line, Paragraph]]:
    """Every line that somebody says, with the paragraph that begins with it."""
    paragraphs = iter(read(transcript.text))
    pairs = []
    for line in transcript.lines:
        if line.speaker != NOBODY:
            start = " ".join(line.text.split())[:25]
            pairs.append((line, next(p for p in paragraphs if p.text.startswith(start))))
    return pairs


def is_right(line: Line, paragraph: Paragraph) -> bool:
    if line.speaker == QUESTION:
        return paragraph.kind == "question"
    return paragraph.kind in ("body", "question") and line.speaker.casefold() in paragraph.speaker.casefold().split()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_share_of_right_speakers(layout: str):
    pairs = [found for seed in SEEDS for found in pair(LAYOUTS[layout](seed))]
    wrong = [(line, paragraph.speaker) for line, paragraph in pairs if not is_right(line, paragraph)]
    assert len(wrong) <= (1 - MIN_SHARE) * len(pairs), wrong[:5]
    asked = [paragraph for line, paragraph in pairs if line.speaker == QUESTION]
    assert not any(is_statement(paragraph, ENGLISH) for paragraph in asked)


def test_the_forms_of_one_person_go_together():
    text = """Remarks After the Meeting, December 15, 2015

SECRETARY KERRY: Thank you all very much for coming.

QUESTION: Will you meet again?

MR KERRY: We will meet again in January, I think.

John Kerry (Secretary of State): That is all that I can tell you.
"""
    assert speakers(text) == ["John Kerry", "?", "John Kerry", "John Kerry"]


def test_a_post_with_a_country_and_a_date_is_its_holder():
    text = """Press conference, Moscow, May 15, 2018

FOREIGN MINISTER: We have talked about all the subjects of our agenda.

QUESTION: When will you meet?

FOREIGN MINISTER: We will meet in June, as we agreed.
"""
    lavrov = speakers(text, outlet="Ministry of Foreign Affairs of Russia")
    assert lavrov == ["Sergei Lavrov", "?", "Sergei Lavrov"]
    # Another country's minister is not the Russian one.
    assert speakers(text) == ["Foreign Minister", "?", "Foreign Minister"]


@pytest.mark.parametrize(
    ("above", "date", "president"),
    [
        ("REMARKS BY PRESIDENT TRUMP AND PRESIDENT STROUD OF OSTMARK", "2019-05-12", "Donald Trump"),
        ("Remarks by the President and President Stroud\n\nTHE WHITE HOUSE", "2019-05-12", "Donald Trump"),
        ("Remarks by the President and President Stroud\n\nTHE WHITE HOUSE", "1995-05-12", "The President"),
        ("Remarks by the President and President Stroud", "2019-05-12", "The President"),
    ],
)
def test_the_president_is_the_one_of_the_document(above: str, date: str, president: str):
    text = f"""{above}

THE PRESIDENT: Thank you very much. It is an honour to have you here.

PRESIDENT STROUD: Mr. President, we thank you for this invitation.

Q    Will you send ships?

THE PRESIDENT: We are looking at it.
"""
    *_, host, guest, question, answer = speakers(text, date=date)
    assert (host, guest, question, answer) == (president, "Stroud", "?", president)


def test_full_names_come_from_the_lines_above_the_first_turn():
    text = """Town Hall Debate

PARTICIPANTS:
Governor Royce Pellew (R) and
Senator Marta Stroud (D)

MODERATOR:
Anselm Crake (VNN)

CRAKE: Good evening. Let us begin with the ports.

STROUD: Thank you. We have two thousand ports.

PELLEW: She is wrong, and she knows it.

MODERATOR: Thank you. Your time is up.
"""
    assert speakers(text)[-4:] == ["Anselm Crake", "Marta Stroud", "Royce Pellew", "Anselm Crake"]


def test_a_speaker_may_introduce_himself():
    text = """Debate

CRAKE: Good evening. I’m Anselm Crake of Vellmar News, and we begin with the ports.

STROUD: Thank you. We have two thousand ports, and Anselm Stroud built them.

CRAKE: Let us talk about the lamps.
"""
    assert speakers(text) == ["Anselm Crake", "Stroud", "Anselm Crake"]


@pytest.mark.parametrize(
    ("label", "name"),
    [("MR. MCQUILLAN", "McQuillan"), ("MR. O'STROUD", "O'Stroud"), ("MR. DEPELLEW", "DePellew"), ("MR. LEE", "Lee")],
)
def test_capitals_become_the_spelling_of_the_text(label: str, name: str):
    text = f"{label}: I thank you all.\n\nQ    Why does Secretary DePellew say so?\n\n{label}: We do not know."
    assert speakers(text) == [name, "?", name]


def test_two_persons_with_one_surname_are_two():
    text = (
        "PRESIDENT STROUD: We thank you.\n\nSECRETARY STROUD: I thank you too.\n\nPRESIDENT STROUD: We have come far."
    )
    assert speakers(text) == ["President Stroud", "Secretary Stroud", "President Stroud"]


@pytest.mark.parametrize("end", ["* * *", "THE TALKS AT SEA", "(End of briefing)", "END 2:45 P.M. EDT"])
def test_a_turn_ends(end: str):
    after = "The ministry published these figures on the same day."
    text = f"Briefing\n\nMR. QUILLAN: We have nothing to add.\n\nAnd that is all.\n\n{end}\n\n{after}"
    found = speakers(text)
    assert found[:2] == ["Quillan", "Quillan"] and set(found[2:]) == {""}


def test_stage_directions_are_nobodys_and_do_not_end_a_turn():
    text = (
        "QUILLAN: We will win.\n\n(APPLAUSE)\n\nI thank you.\n\n(LAUGHTER) STROUD: We will see.\n\nQUILLAN: You will."
    )
    assert speakers(text) == ["Quillan", "", "Quillan", "Stroud", "Quillan"]


def test_a_broken_sentence_in_a_turn_is_no_heading():
    text = "MR. QUILLAN: We said it --\n\nQ    But the President\n\nMR. QUILLAN: So that is where we are\n\nLook"
    assert speakers(text) == ["Quillan", "?", "Quillan", "Quillan"]


def test_lines_of_one_turn_are_joined():
    text = """Press Briefing

   MR. QUILLAN: Good afternoon, everybody. I have nothing to announce today,
so that I am in your hands, but let me say a word on the budget.
   Q     On the harbour, did the President talk with the Mayor about
Northport and its lamps?
   MR. QUILLAN: He did.
"""
    found = [p.text for p in read(text)[1:]]
    assert found[0].endswith("let me say a word on the budget.") and found[1].endswith("and its lamps?")
    assert speakers(text) == ["Quillan", "?", "Quillan"]


def test_turns_in_one_line():
    text = (
        "MR. QUILLAN: Good afternoon. We have one thing to say. Q Will the ferries run? MR. QUILLAN: They will run, "
        "said Mr. Stroud. Q But the President said -- MR. QUILLAN: I know. THE PRESIDENT: I said that they will run."
    )
    assert speakers(text) == ["Quillan", "?", "Quillan", "?", "Quillan", "The President"]


def test_captions():
    text = ">> PETRA QUILLAN: We turn nobody away.\n>> I do not believe that.\n>> ROYCE STROUD: And I do not either.\n"
    assert speakers(text) == ["Petra Quillan", "", "Royce Stroud"]


LAYOUTS_OF_LINES = {
    "numbered": "1. CRAKE: Good evening to you.\n2. We begin.\n3. STROUD: Thank you.\n4. CRAKE: Good luck to you.",
    "bullets": "• ANN CRAKE: Good evening.\n• We begin.\n• IDA STROUD, The Herald: Thank you.\n• ANN CRAKE: Good luck.",
    "no space": "ANN CRAKE:Welcome to you.\n\nWe begin.\n\nIDA STROUD:Thank you.\n\nANN CRAKE:Good luck to you.",
    "broken": "CRAKE: Good\nevening to you.\nWe begin.\n(APPLAUSE) STROUD: Thank\nyou.\nCRAKE: Good luck to you.",
    "above": "Mr. Crake:\nGood evening.\n\nWe begin.\n\nMs. Stroud:\nThank you.\n\nMr. Crake:\nGood luck to you.",
    "times": "[00:01] Ann Crake: Welcome.\n\nWe begin.\n\n[00:12] Ida Stroud: I thank you.\n\n[00:15] Ann Crake: Good.",
}


@pytest.mark.parametrize("name", LAYOUTS_OF_LINES)
def test_layouts_of_lines(name: str):
    found = [speaker.split()[-1] for speaker in speakers(LAYOUTS_OF_LINES[name])]
    assert found == ["Crake", "Crake", "Stroud", "Crake"]


def test_the_press_asks():
    text = "Mr. Crake:\nGood afternoon.\n\nThe Press:\nThanks, Jay.\n\nIs the strait open?\n\nMr. Crake:\nIt is open."
    assert speakers(text) == ["Crake", "?", "?", "Crake"]


@pytest.mark.parametrize("title", ["Interview with Petra Quillan on the bridge", "Q&A with Petra Quillan"])
def test_answers_without_a_label_are_those_of_the_person_interviewed(title: str):
    text = f"{title}\n\nQ: Why is it so dear?\n\nSteel is dear.\n\nStone is dearer still.\n\nQ: Who pays?\n\nWe all do."
    assert speakers(text) == ["?", "Petra Quillan", "Petra Quillan", "?", "Petra Quillan"]


def test_an_answer_with_a_question_in_it_is_no_question():
    text = "Q: Who pays?\n\nPetra Quillan: We do, and why should we not?\n\nQ: When?\n\nPetra Quillan: Soon."
    assert speakers(text) == ["?", "Petra Quillan", "?", "Petra Quillan"]


def test_the_outlet_asks():
    text = (
        "Meridian: Why is it so dear?\n\nQuillan: Steel is dear.\n\nMeridian: Who pays?\n\nQuillan: We all do, I think."
    )
    assert speakers(text, outlet="The Meridian") == ["?", "Quillan", "?", "Quillan"]


PROSE = [
    "Note: The figures have been corrected since they were published.\n\nNote: They are now those of the table.",
    "Moscow: A train left the rails.\n\nBerlin: A tram did so too.\n\nMoscow: The line will open on Friday.",
    "Moscow – A train left the rails.\n\nBerlin – A tram did so too.\n\nMoscow – The line will open on Friday.",
    "Warning: You should not touch it.\n\nTip: We keep it dry.\n\nWarning: You should not open it.",
    "Prime Minister: Petra Quillan\n\nMinister of Trade: Royce Stroud\n\nMinister of Justice: Marta Pellew.",
    "Economy\n\nWe will build two harbours.\n\nHealth\n\nWe will build two hospitals, and you will see them.",
    "Q fever is an illness of sheep.\n\nQ is a letter that we use in our tables.",
    "Herald: The paper was founded in 1850 and has two thousand readers.",
]


@pytest.mark.parametrize("text", PROSE)
def test_prose_and_lists_have_no_turns(text: str):
    assert set(speakers(f"A report from the coast\n\n{text}")) <= {""}


def test_bold_names_in_the_markup_are_labels():
    paragraphs = tuple(
        RawParagraph(text, kind=kind)
        for kind, text in [
            ("heading", "Question"),
            ("", "Who will pay for the bridge?"),
            ("heading", "Petra Quillan"),
            ("", "We will all pay for it, and we know why."),
            ("heading", "Question"),
            ("", "And when?"),
            ("heading", "Petra Quillan"),
            ("", "In the spring, I hope."),
        ]
    )
    found = parse_document(RawDocument("x.html", paragraphs=paragraphs), ROSTER).paragraphs
    assert [p.kind for p in found] == ["heading", "question", "heading", "body"] * 2
    assert [p.speaker for p in found if p.kind == "body"] == ["Petra Quillan"] * 2


CASES = {
    "turns/t1-state-department.txt": ["Dolk", "?", "Dolk", "?", "Dolk", "Hale"],
    "turns/t2-white-house.txt": ["The President", "Dolk", "?", "The President", "?", "Hale"],
    "turns/t4-hansard.txt": ["Jonas Hale", "Irena Dolk", "Jonas Hale", "Irena Dolk", "Hon. Members", "Speaker"],
    "turns/t6-european-parliament.txt": ["Irena Dolk", "Jonas Hale", "Ulla Berg"],
    "turns/t8-surname-labels.txt": ["Berg", "Dolk", "Hale", "Dolk", "Hale"],
    "turns/t9-prose-colons.txt": [""] * 7,
    "turns/t11-question-inside-turn.txt": [
        "Wolfgang Berg",
        *("Jonas Hale", "Irena Dolk", "Irena Dolk", "Jonas Hale"),
        *("", "Irena Dolk"),
    ],
    "misc/b3-once-speaker.txt": ["Irena Dolk", "Jonas Hale", "Irena Dolk"],
    "html/17-interview-spans.html": ["?", "Irena Dolk"] * 3,
    "html2/17a-p-strong-colon.html": ["?", "Irena Dolk"] * 2,
    "html2/17b-p-strong-span.html": ["?", "Irena Dolk"] * 2,
    "html2/17c-div-span-span.html": ["?", "Irena Dolk"] * 2,
    "html2/17d-dt-dd.html": ["?", "Irena Dolk"] * 2,
    "html2/17f-bold-line-name.html": ["?", "Irena Dolk"] * 2,
    "html2/17h-caps-no-bold.html": ["?", "Dolk"] * 2,
    "html2/17j-bold-questions.html": ["", *(["?", "Irena Dolk"] * 2)],
    "office/05-transcript.pdf": ["Irena Dolk", "?", "Irena Dolk", "Jonas Hale"],
    "office/08-transcript.docx": ["Irena Dolk", "?", "Irena Dolk", "Jonas Hale", "Jonas Hale"],
}


@pytest.mark.parametrize("name", CASES)
def test_reported_cases(name: str, shared: Path):
    path = shared / "cases" / "reading" / name
    if not path.exists():
        pytest.skip(f"{path} is absent")
    [raw] = read_file(InputFile(path, path.name), {})
    assert isinstance(raw, RawDocument)
    found = (p for p in parse_document(raw, ROSTER).paragraphs if p.kind in ("body", "question"))
    assert ["?" if p.kind == "question" else p.speaker for p in found] == CASES[name]
