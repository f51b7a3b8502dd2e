"""Subtitles and transcripts with times."""

from __future__ import annotations

import pytest

from narratives.model import Rejected
from tests.helpers.reading import read

SRT = """1
00:00:01,000 --> 00:00:04,000
EDDA VOSS: The bridge is open,

2
00:00:04,200 --> 00:00:07,500
and the tolls stay low.

3
00:00:08,000 --> 00:00:09,000
[APPLAUSE]

4
00:00:09,500 --> 00:00:12,000
TOM ARKELL: Since
1984
nobody has asked us.
"""
TURNS = ["EDDA VOSS: The bridge is open, and the tolls stay low.", "TOM ARKELL: Since 1984 nobody has asked us."]


@pytest.mark.parametrize("name", ["a.srt", "a.txt", "a.SRT", "a.vtt"])
@pytest.mark.parametrize("form", ["plain", "crlf", "bom", "short times", "no blank lines", "tags"])
def test_cues_become_turns_whatever_the_extension(tmp_path, name, form):
    text = {
        "plain": SRT,
        "crlf": SRT.replace("\n", "\r\n"),
        "bom": "\ufeff\n" + SRT,
        "short times": SRT.replace("00:00:0", "0:00:0").replace(",000", ".0"),
        "no blank lines": SRT.replace("\n\n", "\n"),
        "tags": SRT.replace("The bridge", "<i>The</i> <font color='#fff'>bridge</font>").replace("and", "{\\an8}and"),
    }[form]
    [document] = read(tmp_path, text, name)
    assert [p.text for p in document.paragraphs] == TURNS and document.row == 0


def test_text_after_a_blank_line_in_a_cue_is_kept(tmp_path):
    [document] = read(
        tmp_path, "1\n00:00:01,0 --> 00:00:02,0\nOne\n\ntwo\n\n2\n00:00:02,0 --> 00:00:03,0\nthree.\n", "a.srt"
    )
    assert [p.text for p in document.paragraphs] == ["One two three."]


def test_the_voices_of_webvtt_are_speakers(tmp_path):
    text = """WEBVTT - Press conference

NOTE made by a machine
over two lines

STYLE
::cue { color: red }

intro
00:00.000 --> 00:02.000 align:start
<v Edda Voss>The bridge &amp; the ferry</v>

00:02.000 --> 00:03.000
<v Edda Voss>are open.
<v.loud Tom Arkell>Who pays?
"""
    [document] = read(tmp_path, text, "a.vtt")
    assert [(p.speaker, p.text, p.labelled) for p in document.paragraphs] == [
        ("Edda Voss", "The bridge & the ferry are open.", True),
        ("Tom Arkell", "Who pays?", True),
    ]


def test_lines_that_automatic_captions_repeat_are_read_once(tmp_path):
    text = """WEBVTT
Kind: captions

00:00:00.000 --> 00:00:02.000 align:start position:0%

the<00:00:00.500><c> bridge</c><00:00:01.000><c> is</c>

00:00:02.000 --> 00:00:02.010
the bridge is

00:00:02.010 --> 00:00:04.000
the bridge is
open<00:00:03.000><c> now</c>
"""
    [document] = read(tmp_path, text, "a.vtt")
    assert [p.text for p in document.paragraphs] == ["the bridge is open now"]


def test_a_word_said_twice_stays_twice(tmp_path):
    [document] = read(tmp_path, "1\n00:00:01,0 --> 00:00:02,0\nNo.\n\n2\n00:00:02,0 --> 00:00:03,0\nNo.\n", "a.srt")
    assert document.paragraphs[0].text == "No. No."


def test_long_speech_is_divided_between_sentences(tmp_path):
    line = "The port has been open since the morning, and the ferries sail."
    cue = "{0}\n00:{1:02d}:00,000 --> 00:{1:02d}:59,900\n" + line + "\n\n"
    [document] = read(tmp_path, "".join(cue.format(i + 1, i) for i in range(20)), "a.srt")
    lengths = [len(p.text.split()) for p in document.paragraphs]
    assert len(lengths) > 2 and all(60 <= n <= 75 for n in lengths[:-1])
    assert all(p.text.endswith("sail.") for p in document.paragraphs)


@pytest.mark.parametrize(
    ("text", "paragraphs"),
    [
        ("0:00\nthe bridge is\n0:04\nopen and tolls\n1:00:07\nstay low\n", ["the bridge is open and tolls stay low"]),
        ("0:00\n5 seconds\nOne.\n0:05\n10 seconds\nTwo.\n0:10\n12 seconds\nThree.\n", ["One. Two. Three."]),
        ("[00:00:01] Edda Voss: Open.\n[00:00:05] Tom Arkell: Who pays?\n[00:00:09] Edda Voss: The port.\n",
         ["Edda Voss: Open.", "Tom Arkell: Who pays?", "Edda Voss: The port."]),
    ],
)  # fmt: skip
def test_a_transcript_with_times_is_joined(tmp_path, text, paragraphs):
    [document] = read(tmp_path, text, "a.txt")
    assert [p.text for p in document.paragraphs] == paragraphs


@pytest.mark.parametrize(
    "text",
    [
        "9:00\nArrival of the guests\n9:30\nSpeech by the mayor\n10:00\nDebate\n",
        "Programme\n\n0:30\nA film is shown.\n",
        "The match ended 2:1, and the next begins at 20:15.\n",
        "1\nChapter one\n\n2\nChapter two -->\n",
    ],
)
def test_other_text_with_times_is_text(tmp_path, text):
    [document] = read(tmp_path, text, "a.txt")
    assert document.text == text and not document.paragraphs


def test_what_is_no_subtitles_is_rejected(tmp_path):
    [rejected] = read(tmp_path, "The bridge is open.", "a.srt")
    assert isinstance(rejected, Rejected) and "a text without times" in rejected.reason
    [silent] = read(tmp_path, "1\n00:00:01,000 --> 00:00:02,000\n[MUSIC]\n", "b.srt")
    assert "only times and sounds" in silent.reason
