"""The grammar of turn labels: what can be a label at the beginning of a text, and its parts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

from narratives.parse.attribution import lexicon

MAX_LABEL_CHARACTERS = 150
MAX_LABEL_WORDS = 20
MAX_NAME_WORDS = 5
MAX_ALONE_CHARACTERS = 80

# Who is meant: an unnamed asker or answerer, the holder of a post, a name with a title, a full name, a surname.
LabelForm = Literal["asker", "answerer", "post", "titled", "full", "surname"]
# What ends a label; "" stands for a label that is alone in its line, and " " for `Q  Will you come?`.
LabelSign = Literal[":", ";", " ", ".", ".–", "–", "|", ""]

_BRACKET = re.compile(r"\(([^()]*)\)|\[([^\[\]]*)\]")
_GLUED_TITLE = re.compile(r"\b(Mrs?|Ms|Dr)\.(?=\w)", re.IGNORECASE)
_GLUED_NAMES = re.compile(r"(?<=[^\W\d_A-ZÀ-Þ]{3})(?=[A-ZÀ-Þ][a-zß-ÿ]{2})")
_SUFFIX = re.compile(r",? (?:Jr|Sr|II|III|IV)\.?$", re.IGNORECASE)
# `[00:12]`, `>>`, `(APPLAUSE)`, the signs of lists, and the number of a question in evidence to a committee.
_TIME_MARK = re.compile(r"[\[(]?\d{1,2}:\d\d(?::\d\d)?(?:[.,]\d{1,3})?[\])]?\s*(?:[–—-]\s+)?")
_CAPTION_MARK = re.compile(r">>+\s*")
_STAGE_DIRECTION = re.compile(r"[(\[][^()\[\]]{1,60}[)\]]\.?\s*")
_LIST_MARK = re.compile(r"(?:\d{1,4}[.)]|[•·*–-])\s+(?=[^\W\d_])")
_QUESTION_NUMBER = re.compile(r"Q\d{1,4}\.?\s+(?=\D)")
_MAX_PREFIXES = 4

_QUESTION_LETTER = re.compile(r"(?P<label>[QA])(?P<sign>[.:]:?|\s?[–—]|\s--)?\s+(?=\S)")
_COLON_LABEL = re.compile(r"(?P<label>[^\W\d_][^:;“”\"?!]{0,149}?)\s?,?(?P<sign>[:;])(?![/\d])\s*")
_DASHED_STOP = re.compile(r"\.\s?[–—-]{1,2}\s")
_DASH = re.compile(r"\s[–—-]{1,2}\s")
_FULL_STOP = re.compile(r"\.\s+(?=[\[(“\"A-ZÀ-Þ0-9…–—-])")
_CLOSING_TIME = re.compile(r"\s*[\[(]?\d{1,2}:\d\d(?::\d\d)?[\])]?$")
_NAME_WORD = re.compile(r"(?:[^\W\d_]\.-?)+|[^\W\d_](?:[^\W\d_]|[’'.-](?=[^\W\d_]))*\.?")
_INITIALS = re.compile(r"(?:[^\W\d_]\.-?)+|[^\W\d_]")
_ALL_INITIALS = re.compile(r"(?:[A-ZÀ-ÞА-Я]\.){2,3}|[A-ZÀ-ÞА-Я]{2,3}")
_ROMAN_NUMBER = re.compile(r"[IVX]{1,4}")
_LOWERCASE_WORDS = lexicon.NAME_PARTICLES | {"of", "the", "and", "for", "in", "on", "at", "to"}
_POST_LINKS = frozenset(("of", "for", "to", "in", "at", "on", "and", "the"))
_ARTICLES = frozenset(("the",))
_LABEL_STARTS = lexicon.SENTENCE_OPENERS - {"the"}


class Label(NamedTuple):
    """A turn label and its parts; `post` has the words of posts and honorifics before the name, in lower case.

    `bracket` is the first remark in brackets (a name, post, party, country or language), and `after` what follows
    the name after a comma or "of": `Member of the Commission`, `New Jersey`.
    """

    text: str
    form: LabelForm
    post: tuple[str, ...] = ()
    name: tuple[str, ...] = ()
    bracket: str = ""
    after: str = ""

    @property
    def is_caps(self) -> bool:
        """Whether the name, or the post without what is in brackets, is in capitals."""
        return " ".join(self.name).isupper() if self.name else _BRACKET.sub("", self.text).isupper()


class Candidate(NamedTuple):
    """A possible label at the beginning of a text: its parts, its sign, and its length with all marks."""

    label: Label
    sign: LabelSign
    size: int


def match_label(text: str) -> Candidate | None:
    """Return the possible label at the beginning of a text, or None; prose with a colon may have one too."""
    start = _skip_prefixes(text)
    body = text[start : start + MAX_LABEL_CHARACTERS + 60]
    if not body[:1].isupper():
        return None
    found = _match_signs(body) or _match_alone(body if len(text) - start == len(body) else "")
    return found._replace(size=start + found.size) if found else None


def is_question_label(label: str) -> bool:
    """Return whether a label stands for someone unnamed who asks: Question, Remark, From the audience."""
    parts = parse_label(label)
    return parts is not None and parts.form == "asker"


def is_answer_label(label: str) -> bool:
    """Return whether a label stands for someone unnamed who answers."""
    parts = parse_label(label)
    return parts is not None and parts.form == "answerer"


def ends_in_abbreviation(text: str) -> bool:
    """Return whether the full stop at the end of a text belongs to an abbreviation: `Mr.`, `ST.`, `J.`."""
    words = text.split()
    last = words[-1].casefold() if words else ""
    word = last.removesuffix(".")
    return last.endswith(".") and (word in lexicon.ABBREVIATIONS or word in lexicon.LABEL_TITLES or len(word) < 2)


def has_caption_mark(text: str) -> bool:
    """Return whether a line of captions starts with `>>`, the sign that another person speaks."""
    return text.startswith(">>")


def _skip_prefixes(text: str) -> int:
    at = 0
    for _ in range(_MAX_PREFIXES):
        patterns = (_TIME_MARK, _LIST_MARK, _CAPTION_MARK, _STAGE_DIRECTION, _QUESTION_NUMBER)
        match = next((m for pattern in patterns if (m := pattern.match(text, at))), None)
        if match is None or match.end() == len(text):
            break
        at = match.end()
    return at


def _match_signs(body: str) -> Candidate | None:
    """Return the label that a sign ends, or None."""
    if letter := _QUESTION_LETTER.match(body):
        form: LabelForm = "asker" if letter["label"] == "Q" else "answerer"
        if letter["sign"] or form == "asker":
            sign: LabelSign = " " if not letter["sign"] else "." if letter["sign"] == "." else ":"
            return Candidate(Label(letter["label"], form), sign, letter.end())
    colon = _COLON_LABEL.match(body)
    if colon is not None and (label := parse_label(colon["label"])):
        return Candidate(label, ":" if colon["sign"] == ":" else ";", colon.end())
    stop = _DASHED_STOP.search(body, 0, MAX_LABEL_CHARACTERS)
    if stop and (label := parse_label(body[: stop.start()])):
        return Candidate(label, ".–", stop.end())
    if found := _match_full_stop(body):
        return found
    if (dash := _DASH.search(body, 0, 60)) and (label := parse_label(body[: dash.start()])):
        return Candidate(label, "–", dash.end())
    cell, bar, _ = body.partition(" | ")
    if bar and (label := parse_label(cell)):
        return Candidate(label, "|", len(cell) + len(bar))
    return None


def _match_full_stop(body: str) -> Candidate | None:
    """Return the label in `Mr. SMITH. Thank you`, `The President. Well`: a post or a name with a title, or None."""
    first = body.split(" ", 1)[0].casefold().strip(".:,")
    if first not in _DOTTED_STARTS:
        return None
    for stop in _FULL_STOP.finditer(body, 0, 80):
        if ends_in_abbreviation(body[: stop.end()]):
            continue
        label = parse_label(body[: stop.start()])
        if label is None or label.form not in ("post", "titled", "asker"):
            return None
        return Candidate(label, ".", stop.end())
    return None


def _match_alone(body: str) -> Candidate | None:
    """Return the label that is a whole line: `Jonas Hale`, `Jonas Hale  00:12`, or None."""
    if not body or len(body) > MAX_ALONE_CHARACTERS:
        return None
    plain = _CLOSING_TIME.sub("", body)
    if not plain or plain[-1] in ".,!?…-–—" or ":" in plain:
        return None
    label = parse_label(plain)
    return Candidate(label, "", len(body)) if label else None


@lru_cache(maxsize=8192)
def parse_label(text: str) -> Label | None:
    """Return the parts of a label without its sign, or None if it is no label of a person or post."""
    brackets = [(one or two).strip() for one, two in _BRACKET.findall(text)]
    plain = _GLUED_NAMES.sub(" ", _GLUED_TITLE.sub(r"\1. ", _BRACKET.sub(" ", text)))
    core = " ".join(plain.split()).strip(" ,;:")
    bracket = brackets[0] if brackets else ""
    key = core.casefold().strip(".").removeprefix("the ")
    if key.replace(" ", "-") in lexicon.QUESTION_LABELS or re.fullmatch(r"(?:q|question)\s?\d{1,3}", key):
        return Label(text, "asker")
    if key in lexicon.ANSWER_LABELS:
        return Label(text, "answerer")
    if _ALL_INITIALS.fullmatch(core) and key not in lexicon.NON_LABEL_WORDS | lexicon.POST_ACRONYMS:
        return Label(text, "surname", (), (core,))
    core = _SUFFIX.sub("", core)
    before, comma, after = core.partition(", ")
    words = before.replace("’s ", " ").replace("'s ", " ").split()
    if not words or len(core.split()) > MAX_LABEL_WORDS or words[0].casefold() in _LABEL_STARTS - {"on", "his", "her"}:
        return None
    if not all(_is_label_word(word) for word in words):
        return None
    parts = _parse_words(words)
    if (comma and not (parts and _fits_description(parts[0], after))) or (
        comma and len(words) == 1 and not text.isupper()
    ):
        # `Construction, Housing and Utilities Minister Ann Lee`
        whole = core.replace(",", "").split()
        joined = _parse_words(whole) if all(_is_label_word(word) for word in whole) else None
        if joined and joined[0] == "titled" and len(joined[2]) > 1:
            parts, after = joined, ""
        elif not parts or not _fits_description(parts[0], after):
            return None
    if parts is None:
        return None
    form, post, name, rest = parts
    return Label(text, form, tuple(word.casefold() for word in post), tuple(name), bracket, rest or after)


def _is_label_word(word: str) -> bool:
    is_small = word.casefold() in _LOWERCASE_WORDS or _strip(word) in lexicon.LABEL_TITLES
    return word[:1].isupper() or is_small or "-" in word or word.isdigit()


def _fits_description(form: LabelForm, after: str) -> bool:
    """Return whether words after a comma can describe the person before it: `Berg, Member of the Commission`."""
    words = after.replace(",", " ").split()
    if not words or not all(not w[:1].islower() or "-" in w or w in _DESCRIPTION_WORDS for w in words):
        return False
    is_post = any(_is_role(word) for word in words) or words[0].casefold() in ("on", "for", "from", "in")
    return is_post or (form in ("full", "titled") and after[:1].isupper())


Parts = tuple[LabelForm, Sequence[str], Sequence[str], str]


def _parse_words(words: Sequence[str]) -> Parts | None:
    """Return form, post, name and the words after the name of a label, or None."""
    start = next((i for i, w in enumerate(words) if _strip(w) not in lexicon.LABEL_TITLES), len(words))
    leading, rest = words[:start], words[start:]
    has_title = any(_strip(word) not in _ARTICLES for word in leading)
    if not rest or (len(words) == 1 and _strip(words[0]) in lexicon.LIST_LABELS):
        return None
    last_role = max((i for i, word in enumerate(rest) if _is_role(word)), default=-1)
    if last_role < 0 or _is_surname_of(rest, last_role, has_title):
        return _parse_name(leading, rest, has_title)
    after = rest[last_role + 1 :]
    if after and after[0].casefold() in _POST_LINKS:
        return _parse_long_post(leading, rest, after)
    if after and not all(word.isdigit() for word in after):
        name, of_place = _split_place(after)
        if not _is_name(name) or name[0].casefold() in lexicon.ROLE_MODIFIERS:
            return None
        return "titled", [*leading, *rest[: last_role + 1]], name, of_place
    if any(word.isdigit() for word in rest[:-1]):
        return None
    # `Jonas Hale, reporter` without its comma, and headings like `Letter to the President`.
    strangers = [w for w in rest[:last_role] if not (_is_role(w) or _strip(w) in KNOWN_POST_WORDS)]
    is_headed = any(word.casefold() in ("to", "from", "on", "and") for word in rest[:last_role])
    return None if is_headed or len(strangers) > 3 else ("post", [*leading, *rest], (), "")


ROLES = lexicon.ROLE_HEADS | lexicon.SPEAKER_NOUNS | lexicon.RANKS
KNOWN_POST_WORDS = lexicon.ROLE_MODIFIERS | lexicon.NAME_PREFIXES | lexicon.POST_FILLERS | lexicon.POST_OBJECTS


def _parse_name(leading: Sequence[str], rest: Sequence[str], has_title: bool) -> Parts | None:
    name, of_place = _split_place(rest) if has_title else (rest, "")
    if not _is_name(name):
        return None
    if has_title:
        return "titled", leading, name, of_place
    if leading:  # "The Hague"
        return None
    if len(name) == 1 or all(_strip(word) in lexicon.NAME_PARTICLES for word in name[:-1]):
        return None if _strip(name[0]) in lexicon.NON_LABEL_WORDS or len(name[-1]) < 3 else ("surname", (), name, "")
    first = _strip(name[0])
    if first in lexicon.NON_LABEL_WORDS | lexicon.PLACE_WORDS | KNOWN_POST_WORDS | lexicon.EPITHETS:
        return None
    if any(_strip(word) in lexicon.NON_LABEL_WORDS for word in name[:-1]):
        return None
    return "full", (), name, ""


def _parse_long_post(leading: Sequence[str], rest: Sequence[str], after: Sequence[str]) -> Parts | None:
    """Return the parts of `Minister of Trade Ivan Petrenko`, `SECRETARY OF STATE KERRY`, `Minister for the Coast`."""
    if len(after) == 3 and after[1].casefold() in lexicon.POST_OBJECTS and _is_name(after[2:]):
        return "titled", [*leading, *rest[:-1]], after[2:], ""
    name = _find_name_after_place(after)
    before = rest[-len(name) - 1] if len(name) < len(rest) else ""
    is_separate = before.casefold() not in _POST_LINKS and _strip(name[0] if name else "of") not in KNOWN_POST_WORDS
    if len(after) > 3 and len(name) > 1 and is_separate and _is_name(name):
        return "titled", [*leading, *rest[: -len(name)]], name, ""
    return "post", [*leading, *rest], (), ""


def _find_name_after_place(after: Sequence[str]) -> Sequence[str]:
    """Return the name in `of Qatar Tamim bin Hamad`, `of the ROSCOSMOS Corporation Ann Lee`: all but the place."""
    link = max(i for i, word in enumerate(after) if word.casefold() in _POST_LINKS)
    tail = after[link + 1 :]
    is_mixed = not all(word.isupper() for word in after if len(word) > 3)
    place = max((i for i, word in enumerate(tail) if _is_place(word, is_mixed)), default=-1)
    particle = next((i for i, w in enumerate(tail) if i > 1 and _strip(w) in lexicon.NAME_PARTICLES), len(tail))
    return tail[max(place + 1, 0) :] if place >= 0 else tail[min(particle - 1, max(len(tail) - 2, 0)) :]


def _is_place(word: str, is_mixed: bool) -> bool:
    is_acronym = is_mixed and len(word) > 2 and word.isupper() and not _ROMAN_NUMBER.fullmatch(word)
    known = lexicon.NON_LABEL_WORDS | KNOWN_POST_WORDS | lexicon.IMPERSONAL_NOUNS | {"saudi", "arabia", "emirates"}
    return is_acronym or _strip(word) in known


def _split_place(words: Sequence[str]) -> tuple[Sequence[str], str]:
    """Split `SMITH of New Jersey` into the name and the place."""
    at = next((i for i, word in enumerate(words) if word == "of"), len(words))
    return words[:at], " ".join(words[at + 1 :])


def _is_surname_of(rest: Sequence[str], at: int, has_title: bool) -> bool:
    # Mr. King, Stephen King, Mr. Dean; but Mr. Speaker, and the Press Judge.
    if at < len(rest) - 1 or _strip(rest[at]) not in lexicon.SURNAME_HEADS:
        return False
    others = rest[:at]
    is_named = bool(others) and not any(_is_role(word) or _strip(word) in KNOWN_POST_WORDS for word in others)
    return len(rest) <= 3 and (is_named or (has_title and not others))


def _is_name(words: Sequence[str]) -> bool:
    """Return whether words can be the name of a person: capitalised words, initials and particles."""
    if len(words) > 1 and _ROMAN_NUMBER.fullmatch(words[-1]):
        words = words[:-1]
    if not 1 <= len(words) <= MAX_NAME_WORDS or len(words[-1].strip(".")) < 2 or _INITIALS.fullmatch(words[-1]):
        return False
    if _strip(words[-1]) in lexicon.IMPERSONAL_NOUNS or words[-1].casefold() in _LOWERCASE_WORDS:
        return False
    return all(
        _NAME_WORD.fullmatch(word)
        and (word[:1].isupper() or word in lexicon.NAME_PARTICLES or "-" in word)
        and _strip(word) not in _NON_NAMES
        for word in words
    )


_DESCRIPTION_WORDS = KNOWN_POST_WORDS | ROLES | lexicon.PREPOSITIONS | lexicon.DESCRIPTION_WORDS
_DOTTED_STARTS = lexicon.LABEL_TITLES | ROLES | lexicon.ROLE_MODIFIERS | lexicon.QUESTION_LABELS
_NON_NAMES = (lexicon.SENTENCE_OPENERS | lexicon.PREPOSITIONS) - lexicon.NAME_PARTICLES - {"may", "will", "count"}


def _is_role(word: str) -> bool:
    return _strip(word) in ROLES


def _strip(word: str) -> str:
    return word.casefold().strip(".,;:")
