"""Find where the turns of a transcript begin: which possible labels a document uses as labels."""

from __future__ import annotations

import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from narratives.model import RawDocument
from narratives.parse.attribution import lexicon
from narratives.parse.attribution.labels import (
    ROLES,
    Candidate,
    Label,
    LabelSign,
    ends_in_abbreviation,
    match_label,
    parse_label,
)
from narratives.parse.attribution.roster import Roster, clean_name
from narratives.parse.segmentation import TurnStart, count_words

MIN_TURN_WORDS = 4
MAX_ENTRY_WORDS = 12
MIN_TURNS = 2  # turns under certain labels, from which a text is a transcript
MIN_LETTERS = 3  # `Q  Will you come?` without another label in the text
MIN_SPEECH_SHARE = 0.3  # share of turns with words of a speaker, such as "we", for labels that recur
MIN_ONCE_SPEECH_SHARE = 0.5  # the same for full names that do not recur
MIN_COVERAGE = 0.5  # share of lines with labels, from which a surname that occurs once can be one of them
MIN_DENSITY, MIN_DENSE_SPEECH_SHARE = 0.35, 0.1  # shares of lines with labels that recur, and of speech among them
MAX_EMBEDDED_LABEL = 60

# A label in capitals, or the letter Q, after a sentence in the same line.
_EMBEDDED = re.compile(
    rf"(?<=[.?!…)\]”\"’–—-])\s(?=Q(?:[:.]\s|\s+(?=[A-Z“\"(]))|[A-Z][A-Z .,'’-]{{1,{MAX_EMBEDDED_LABEL}}}"
    rf"(?:\([^()]{{1,{MAX_EMBEDDED_LABEL}}}\)\s?)?:\s)"
)
_WORD = re.compile(r"[^\W\d_]+(?:[’'][^\W\d_]+)?")
_SMALL_WORDS = frozenset(["and", "of", "the", "for", "in", "on", "at", "to", "de", "la", "with"])
_TURN_END = (".", "!", "?", "…", ",", "-", "–", "—", ")", "]", "”", '"', ":", ";")
# Signs that mark a label off more than a dash or a space does. A document may confuse them.
_CELL_SIGNS: dict[LabelSign, LabelSign] = {"|": ""}
_MARKS: tuple[LabelSign, ...] = (":", ";", ".", ".–")
_QUOTE_START = tuple("“”„«»\"‘'([—–-…*")


class Opening(NamedTuple):
    """The beginning of a line, or of a part of one, with its possible label.

    `line` is the index of the line and `at` the character in it. `rest` is the text after the label, or the next
    line if the label is alone. `bold` says that the page prints the label in bold.
    """

    line: int
    at: int
    text: str
    found: Candidate | None = None
    rest: str = ""
    bold: bool = False

    @property
    def label(self) -> Label:
        """The parts of the label; only for an opening that has one."""
        assert self.found is not None
        return self.found.label

    @property
    def sign(self) -> LabelSign:
        """The sign after the label; only for an opening that has one."""
        assert self.found is not None
        return self.found.sign

    @property
    def who(self) -> str:
        """What stands for the person, the same for `Irena Dolk`, `Mrs. Dolk` and `The Minister (Irena Dolk)`."""
        named = self.label if self.label.name else parse_label(self.label.bracket)
        return named.name[-1].casefold() if named is not None and named.name else self.key

    @property
    def key(self) -> str:
        """The label in lower case without stops; spellings with the same key are the same label."""
        return " ".join(self.label.text.casefold().replace(".", " ").split())


def find_turn_starts(raw: RawDocument, lines: Sequence[str], roster: Roster) -> list[tuple[TurnStart, ...]]:
    """Return the turn labels of every line (`segmentation.list_lines`) of a document.

    Labels of unnamed askers, names of the roster, names with titles, and names in bold count by themselves. Other
    possible labels count if the document uses them as labels: they recur, they occur beside other labels, and
    what follows are the words of somebody who speaks. A line in which other labels follow a sentence has several.
    """
    openings = [opening for opening in _list_openings(raw, lines) if opening.found is not None]
    starts: defaultdict[int, list[TurnStart]] = defaultdict(list)
    if openings:
        is_turn = _learn_labels(openings, sum(map(bool, lines)), roster)
        for opening in openings:
            if is_turn(opening) and opening.found is not None:
                starts[opening.line].append(TurnStart(opening.at, opening.label.text, opening.found.size))
    return [tuple(starts.get(line, ())) for line in range(len(lines))]


def _list_openings(raw: RawDocument, lines: Sequence[str]) -> Iterator[Opening]:
    following, following_line = "", -1
    found: list[Opening] = []
    for line in range(len(lines) - 1, -1, -1):
        paragraph = raw.paragraphs[line] if raw.paragraphs else None
        if not lines[line] or (paragraph and paragraph.labelled and paragraph.speaker):
            continue
        pieces = list(_cut_embedded(lines[line]))
        for number, (at, text) in reversed(list(enumerate(pieces))):
            candidate = match_label(text)
            is_bold = paragraph is not None and paragraph.labelled and not paragraph.speaker and not number
            if candidate and paragraph and paragraph.kind == "heading":
                is_alone = candidate.size >= len(text)
                candidate = candidate if is_alone or candidate.label.form == "asker" else None
            rest = text[candidate.size :] if candidate else ""
            if candidate and not rest:
                rest = following
            elif candidate and line + 1 == following_line and count_words(rest) < MIN_TURN_WORDS:
                rest = f"{rest} {following}".rstrip()  # a line that is broken after few words
            found.append(Opening(line, at, text, candidate, rest, is_bold))
        first = found[-1].found
        # A name above another label, or above another name, has nothing said under it.
        is_label = first is not None and (first.sign in (*_MARKS, "") or _starts_sentence(found[-1].rest))
        following, following_line = "" if is_label else lines[line], line
    return reversed(found)


def _cut_embedded(text: str) -> Iterator[tuple[int, str]]:
    """Yield the parts of a line, each with its place, before and from every label in capitals."""
    cuts = [
        match.end()
        for match in _EMBEDDED.finditer(text)
        if not ends_in_abbreviation(text[max(match.start() - 10, 0) : match.start()])
    ]
    if cuts and (first := match_label(text)):
        cuts = [cut for cut in cuts if cut >= first.size]  # "(Applause.) HALE: Thank you."
    bounds = [0, *cuts, len(text)]
    for start, end in itertools.pairwise(bounds):
        yield start, text[start:end].rstrip()


def _learn_labels(openings: Sequence[Opening], lines: int, roster: Roster) -> Callable[[Opening], bool]:
    """Return whether an opening begins a turn, learned from all openings with possible labels of one document."""
    bold = Counter(o.key for o in openings if o.bold)
    certain: list[Opening] = []
    letters: list[Opening] = []
    uncertain: list[Opening] = []
    for opening in openings:
        if _is_certain(opening, bold[opening.key], roster):
            certain.append(opening)
        elif opening.label.form == "asker" and opening.sign in (" ", "."):
            letters.append(opening)
        elif opening.label.form != "answerer" and _is_turn_text(opening):
            uncertain.append(opening)
    # "Q is a letter" is prose, unless other lines begin with Q and a capital.
    proper = [o for o in letters if o.sign == "." or _starts_sentence(o.rest)]
    accepted = {(o.key, o.sign) for o in certain}
    named = _find_surnames([o for o in openings if len(o.label.name) > 1])
    accepted |= _accept_groups(uncertain, [*certain, *proper], named, lines)
    if proper and (len(proper) >= MIN_LETTERS or any(sign for _, sign in accepted)):
        accepted |= {(o.key, o.sign) for o in letters}
    marked = {key for key, sign in accepted if sign in _MARKS}
    accepted |= {(key, sign) for key in marked for sign in _MARKS}
    asks = any(o.label.form == "asker" and (o.key, o.sign) in accepted for o in openings)
    first = next((o.line for o in openings if (o.key, o.sign) in accepted and o.rest and not _is_entry(o)), 0)

    def is_turn(opening: Opening) -> bool:
        if opening.label.form == "answerer":
            return asks or opening.sign == ":"
        if (opening.key, opening.sign) not in accepted or not opening.rest:
            return False
        # `Moderator: Lester Hale` above the first turn names a person.
        return opening.line >= first or not _is_entry(opening)

    return is_turn


def _is_certain(opening: Opening, times_bold: int, roster: Roster) -> bool:
    """Return whether an opening has a label whatever else the document has."""
    label, sign, rest = opening.label, opening.sign, opening.rest
    is_set_off = sign == ".–" and bool(label.after or label.bracket)
    if sign != ":" and not (sign == "." and label.name and label.name[-1].isupper()) and not is_set_off:
        return False
    if label.form == "asker":
        return bool(rest)
    if opening.bold and label.form != "post" and (label.form != "surname" or times_bold > 1):
        return bool(rest)
    if label.form in ("answerer", "surname") or not _is_turn_text(opening):
        return False
    if label.form == "titled" or (label.form == "full" and (is_set_off or _gives_post(label))):
        return _starts_sentence(rest)
    return roster.is_known(clean_name(label.text)) or (bool(label.name) and roster.is_known(" ".join(label.name)))


def _accept_groups(
    openings: Sequence[Opening], certain: Sequence[Opening], named: frozenset[str], lines: int
) -> set[tuple[str, LabelSign]]:
    """Return the labels, with their signs, that openings without other evidence have, group by group.

    A group is the openings with the same sign; labels in capitals are a group of their own. `named` are the
    surnames of persons whom some line, as in a list of who takes part, names in full.
    """
    groups: defaultdict[tuple[LabelSign, bool], list[Opening]] = defaultdict(list)
    for opening in openings:
        # Of a table, short rows are read as one line, and long ones as two.
        groups[_CELL_SIGNS.get(opening.sign, opening.sign), opening.label.is_caps].append(opening)
    known = _find_surnames(certain)
    is_transcript = len(certain) >= MIN_TURNS
    accepted: set[tuple[str, LabelSign]] = set()
    for (sign, _), group in groups.items():
        counts = Counter(o.who for o in group)
        is_asked = any(o.label.form == "asker" for o in certain) and max(counts.values()) > 1
        has_certain = sign == ":" and (is_transcript or is_asked)
        has_certain = has_certain or (sign in _MARKS and sum(o.sign == sign for o in certain) >= MIN_TURNS)
        has_certain = has_certain or (sign in _MARKS and len(named & counts.keys()) >= MIN_TURNS)
        evidence = _weigh_group(group, counts, known, has_certain, lines)
        accepted |= {(o.key, o.sign) for o in group if evidence.accepts(o, counts[o.who])}
    return accepted


class _Evidence(NamedTuple):
    """What a group of openings shows: whether it has labels at all, and which may occur once."""

    is_used: bool
    is_set_off: bool  # by a colon or the like, which prose has less often than a dash
    accepts_single_surnames: bool
    surnames: frozenset[str]

    def accepts(self, opening: Opening, times: int) -> bool:
        """Return whether an opening of the group begins a turn, if its label occurs that often."""
        label = opening.label
        if label.form == "surname":
            is_known = label.name[-1].casefold() in self.surnames
            return self.is_used and (times > 1 or is_known or self.accepts_single_surnames)
        if label.form in ("full", "titled"):
            return self.is_used or (self.is_set_off and times > 1)
        return self.is_used and (times > 1 or self.is_set_off)


def _weigh_group(
    group: Sequence[Opening], counts: Counter[str], known: frozenset[str], has_certain: bool, lines: int
) -> _Evidence:
    sign = group[0].sign
    is_set_off = sign in _MARKS
    speech = sum(_is_speech(o.rest) for o in group) / len(group)
    forms = {o.who: o.label.form for o in reversed(group)}
    recurring = [who for who, times in counts.items() if times > 1]
    named = sum(form in ("full", "titled") for form in forms.values())
    least = MIN_SPEECH_SHARE if is_set_off else MIN_ONCE_SPEECH_SHARE
    is_used = len(counts) > 1 and bool(recurring) and speech >= least
    is_used = is_used or (is_set_off and named > 1 and speech >= MIN_ONCE_SPEECH_SHARE)
    # Somebody may say only "No." and "The numbers speak for themselves.", but several do so again and again.
    is_used = is_used or (len(recurring) > 1 and len(group) >= MIN_DENSITY * lines and speech >= MIN_DENSE_SPEECH_SHARE)
    is_used = is_used or has_certain
    repeated_surnames = sum(forms[who] == "surname" for who in recurring)
    is_most = len(group) >= MIN_COVERAGE * lines
    single = is_set_off and (repeated_surnames > 1 or (repeated_surnames > 0 and is_most))
    single = single or (is_set_off and group[0].label.is_caps and (has_certain or repeated_surnames > 0))
    named_in_full = _find_surnames([o for o in group if o.label.form in ("full", "titled")]) if is_used else frozenset()
    return _Evidence(is_used, is_set_off, single, known | named_in_full)


def _find_surnames(openings: Sequence[Opening]) -> frozenset[str]:
    return frozenset(o.label.name[-1].casefold() for o in openings if o.label.name)


def _is_turn_text(opening: Opening) -> bool:
    rest = opening.rest
    return bool(rest) and not _is_entry(opening) and (count_words(rest) >= MIN_TURN_WORDS or rest.endswith(_TURN_END))


def _is_entry(opening: Opening) -> bool:
    """Return whether a label has an entry of a list after it, such as `Konstantin Hale` or `Ann Lee and Royce Marsh`.

    `Yes, Helen.` is a turn, but `Minister of Justice: Konstantin Hale.` is not.
    """
    words = opening.rest.split()
    if len(words) < 2 or any(w[:1].islower() and w not in _SMALL_WORDS for w in words):
        return False
    if not opening.rest.endswith("."):
        return not opening.rest.endswith(_TURN_END)
    entry = parse_label(opening.rest.rstrip(".")) if len(words) < MAX_ENTRY_WORDS else None
    has_post = opening.label.form == "post" or (opening.label.form == "titled" and len(opening.label.name) > 1)
    return has_post and entry is not None and entry.form in ("full", "titled")


def _gives_post(label: Label) -> bool:
    """Return whether a label describes the person after the name: `IRENA DOLK, NEWS ANCHOR`."""
    return any(word.casefold() in ROLES for word in label.after.split())


def _starts_sentence(rest: str) -> bool:
    return not rest[:1].islower() or rest.startswith(_QUOTE_START)


def _is_speech(rest: str) -> bool:
    return "?" in rest or any(word.casefold() in lexicon.SPEECH_WORDS for word in _WORD.findall(rest))
