"""Read subtitles (.srt, .vtt) and transcripts with times on their own lines, whatever the name of the file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import unescape
from itertools import groupby, pairwise
from operator import itemgetter
from typing import NamedTuple

from narratives.model import RawParagraph

MIN_PARAGRAPH_WORDS = 60  # from which a paragraph without a new speaker ends with its sentence
MAX_PARAGRAPH_WORDS = 120  # at which it ends even without the end of a sentence, as automatic captions have none
PAUSE_SECONDS = 4.0  # of silence, after which a sentence that has ended ends its paragraph
MIN_TIMES = 3  # lines that are times, from which a text is a transcript with times
MAX_FIRST_SECOND = 120.0  # at which a transcript begins; an agenda begins at nine in the morning
HEAD_CHARACTERS = 4000

_CLOCK = r"(?:(?P<h{0}>\d{{1,3}}):)?(?P<m{0}>\d{{1,2}}):(?P<s{0}>\d{{1,2}})(?:[.,](?P<f{0}>\d{{1,3}}))?"
_TIMES = re.compile(rf"\s*{_CLOCK.format(1)}\s*-->\s*{_CLOCK.format(2)}(?:\s.*)?")
_TIME_LINE = re.compile(rf"[\[(]?{_CLOCK.format(1)}[\])]?(?:\s+(?P<text>\S.*))?")
_SPOKEN_LENGTH = re.compile(
    r"\d{1,2} (?:seconds?|minutes?(?:, \d{1,2} seconds?)?)"
)  # read aloud for a time, on YouTube
_VOICE = re.compile(r"<v(?:\.[^\s<>.]{1,60})*[ \t]([^<>]{1,100})>")
_INLINE_TIME = re.compile(r"<\d{2}:[\d:.]{3,20}>")
_TAG = re.compile(r"<[^<>\n]{1,200}>|\{\\[^{}\n]{1,60}\}")
_SOUND = re.compile(r"[\[(♪][^\[\]()]{0,80}[\])♪]|♪+")
_NOTE = re.compile(r"(?:NOTE|STYLE|REGION)(?:\s|$)")
_SENTENCE_END = re.compile(r"[.!?…][\"”’'»)\]]*$")
# A line that begins another turn: a name with a colon, a dash, or the arrows of live captions.
_TURN = re.compile(r">>|[-–—]\s|(?:[^\W\d_]\.|[^\W\d_][\w.’'-]*)(?: [\w.’'-]+){0,5}(?: \([^()]{1,60}\))?:\s")


class Cue(NamedTuple):
    """The words between two times, in seconds, and the speaker that the file names, or ""."""

    start: float
    end: float
    text: str
    voice: str = ""


def is_subtitles(text: str) -> bool:
    """Return whether a text is subtitles, or a transcript with times on lines of their own."""
    head = text[:HEAD_CHARACTERS].lstrip("\ufeff \n\t")
    lines = [line for line in head.split("\n") if line.strip()][:4]
    if head.startswith("WEBVTT") or any(_TIMES.fullmatch(line) for line in lines[:2]):
        return True
    return _is_timed_transcript([line.strip() for line in head.split("\n")[:-1] if line.strip()] or lines)


def read_cues(text: str) -> list[RawParagraph]:
    """Return the paragraphs of subtitles: one for each turn, and long turns by sentences."""
    lines = text.lstrip("\ufeff").split("\n")
    has_cues = any(_TIMES.fullmatch(line) for line in lines)
    cues = _drop_rolled(_parse_cues(lines)) if has_cues else _parse_timed_lines(lines)
    return list(_join_cues(cues))


def _is_timed_transcript(lines: Sequence[str]) -> bool:
    """Return whether times alternate with text from the first line on."""
    if not lines or not (first := _TIME_LINE.fullmatch(lines[0])) or _to_seconds(first, 1) > MAX_FIRST_SECOND:
        return False
    times = [i for i, line in enumerate(lines) if (match := _TIME_LINE.fullmatch(line)) and not match["text"]]
    if len(times) >= MIN_TIMES and times[0] == 0:
        return all(later - earlier in (2, 3, 4) for earlier, later in pairwise(times))
    # Or each line begins with a time.
    begins = [match for line in lines if (match := _TIME_LINE.fullmatch(line)) and match["text"]]
    return len(begins) >= MIN_TIMES and len(begins) == len(lines) and _is_ascending(begins)


def _is_ascending(matches: Sequence[re.Match[str]]) -> bool:
    seconds = [_to_seconds(match, 1) for match in matches]
    return seconds == sorted(seconds) and seconds[0] < seconds[-1]


def _parse_cues(lines: Sequence[str]) -> Iterator[Cue]:
    """Parse the cues. Every line after a time belongs to its cue, except the number of the next one and notes."""
    times: re.Match[str] | None = None
    spoken: list[tuple[str, str]] = []
    in_note = False
    for before, line, after in zip(["", *lines], lines, [*lines[1:], ""], strict=False):
        if match := _TIMES.fullmatch(line):
            yield from _make_cues(times, spoken)
            times, spoken = match, []
        if match or times is None:
            continue
        begins = not before.strip()
        in_note = bool(line.strip()) and (in_note or (begins and _NOTE.match(line) is not None))
        # The number or name of a cue stands before its times.
        is_name = (begins or line.strip().isdecimal()) and _TIMES.fullmatch(after) is not None
        if line.strip() and not in_note and not is_name:
            spoken += _split_voices(line, spoken[-1][0] if spoken else "")
    yield from _make_cues(times, spoken)


def _make_cues(times: re.Match[str] | None, spoken: Sequence[tuple[str, str]]) -> Iterator[Cue]:
    if times is None:
        return
    for voice, group in groupby(spoken, key=itemgetter(0)):
        yield Cue(_to_seconds(times, 1), _to_seconds(times, 2), "\n".join(text for _, text in group), voice)


def _split_voices(line: str, voice: str) -> Iterator[tuple[str, str]]:
    """Split a line at the names of its speakers (`<v Name>`); the last one speaks on."""
    pieces = _VOICE.split(line)
    for name, text in zip([voice, *pieces[1::2]], pieces[::2], strict=True):
        if _TAG.sub("", text).strip():
            yield " ".join(unescape(name).split()), text


def _drop_rolled(cues: Iterator[Cue]) -> Iterator[Cue]:
    """Drop the lines that automatic captions show again while the next one appears, and take out the tags."""
    before = ""
    rolls = False
    for cue in cues:
        rolls = rolls or _INLINE_TIME.search(cue.text) is not None
        lines = []
        for line in cue.text.split("\n"):
            plain = " ".join(unescape(_TAG.sub("", line)).split())
            if plain and not (rolls and plain == before) and not _SOUND.fullmatch(plain):
                lines.append(plain)
            before = plain or before
        if lines:
            yield cue._replace(text="\n".join(lines))


def _parse_timed_lines(lines: Sequence[str]) -> Iterator[Cue]:
    start = 0.0
    for line in lines:
        match = _TIME_LINE.fullmatch(line.strip())
        if match:
            start = _to_seconds(match, 1)
        text = (match["text"] or "" if match else line).strip()
        if text and not _SPOKEN_LENGTH.fullmatch(text) and not _SOUND.fullmatch(text):
            yield Cue(start, start, text)


def _join_cues(cues: Iterator[Cue]) -> Iterator[RawParagraph]:
    """Join cues to paragraphs: a new one at a new speaker, and in a long turn after a sentence."""
    words: list[str] = []
    voice, end = "", 0.0
    for cue in cues:
        for line in cue.text.split("\n"):
            length = sum(len(piece.split()) for piece in words)
            has_ended = bool(words) and _SENTENCE_END.search(words[-1]) is not None
            is_pause = cue.end > cue.start and cue.start - end >= PAUSE_SECONDS
            is_long = (length >= MIN_PARAGRAPH_WORDS and has_ended) or length >= MAX_PARAGRAPH_WORDS
            if words and (cue.voice != voice or _TURN.match(line) or is_long or (is_pause and has_ended)):
                yield RawParagraph(" ".join(words), voice, labelled=bool(voice))
                words = []
            voice, end = cue.voice, cue.end
            words.append(line.removeprefix(">>").strip())
    if words:
        yield RawParagraph(" ".join(words), voice, labelled=bool(voice))


def _to_seconds(match: re.Match[str], number: int) -> float:
    hours, minutes, seconds = (int(match[f"{unit}{number}"] or 0) for unit in "hms")
    return 3600.0 * hours + 60 * minutes + seconds + float(f"0.{match[f'f{number}'] or 0}")
