"""Find whether a person of a text is a man or a woman: whom "he" and "she" may mean."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Sequence

from narratives.parse.attribution import lexicon
from narratives.parse.attribution.mentions import (
    DETERMINERS,
    Mention,
    Token,
    find_subject_from,
    is_capitalised,
    iterate_sentence_starts,
)
from narratives.parse.attribution.roster import fold_accents, get_surname

MALE, FEMALE = "he", "she"
_WEIGHTS = {"full name": 5, "given name": 4, "surname": 3, "spoken": 2, "pronoun": 1, "ending": 1}
_PRONOUNS = {**dict.fromkeys(("he", "himself"), MALE), **dict.fromkeys(("she", "herself"), FEMALE)}
MAX_APPOSITION_WORDS = 5  # words between the comma and the noun in "Ann Lee, the new ministry spokeswoman"


class GenderIndex:
    """The genders of the persons in one document, as the pronoun that fits them.

    Evidence is, from strong to weak: a title or a noun such as spokeswoman beside the full name, the given name,
    a title beside the surname, and the pronouns of sentences that name nobody else. It is collected when a
    person is asked for whose given name does not decide.
    """

    def __init__(self, texts: Sequence[Sequence[Token]], resolve: Callable[[Mention | None], str]) -> None:
        self._texts, self._resolve = texts, resolve
        self._evidence: Counter[tuple[str, str]] = Counter()
        self._guesses: dict[str, int] = {}
        self._is_read = False

    def find(self, name: str) -> str:
        """Return "he" or "she", or "" for somebody who may be either."""
        if not name:
            return ""
        if not self._is_read:
            self._is_read = True
            for tokens in self._texts:
                self._read_nouns(tokens)
                self._read_pronouns(tokens)
        if name not in self._guesses:
            pronoun, weight = guess_by_name(name)
            self._guesses[name] = weight if pronoun == FEMALE else -weight
        balance = self._guesses[name] + self._evidence[name, FEMALE] - self._evidence[name, MALE]
        return FEMALE if balance > 0 else MALE if balance < 0 else ""

    def may_be(self, name: str, pronoun: str) -> bool:
        """Return whether a pronoun may mean a person; a person without a name may be either."""
        return self.find(name) in ("", pronoun)

    def add(self, name: str, pronoun: str) -> None:
        """Remember that a pronoun meant a person."""
        self._evidence[name, pronoun] += _WEIGHTS["spoken"]

    def _read_nouns(self, tokens: Sequence[Token]) -> None:
        """Read titles and nouns for men or women beside a name: "Mrs Lee", "Ann Lee, the spokeswoman"."""
        for i, token in enumerate(tokens):
            word = token.text.casefold().rstrip(".")
            pronoun = FEMALE if word in lexicon.FEMALE_NOUNS else MALE if word in lexicon.MALE_NOUNS else ""
            if not pronoun:
                continue
            start = i + 1 + (i + 2 < len(tokens) and tokens[i + 1].text == "," and word in lexicon.KIN_NOUNS)
            end = start
            while end < len(tokens) and is_capitalised(tokens[end].text):
                end += 1
            if end == start:
                start, end = _find_described_name(tokens, i)
            words = tuple(token.text for token in tokens[start:end])
            if words and (name := self._resolve(Mention((), words[-3:]))):
                self._evidence[name, pronoun] += _WEIGHTS["full name" if len(words) > 1 else "surname"]

    def _read_pronouns(self, tokens: Sequence[Token]) -> None:
        """Read sentences that name one person only, as their subject: "Ann Lee said she would come"."""
        starts = [*iterate_sentence_starts(tokens), len(tokens)]
        for start, end in itertools.pairwise(starts):
            pronouns = {_PRONOUNS[t.text] for t in tokens[start:end] if t.text in _PRONOUNS}
            if len(pronouns) != 1:
                continue
            head = find_subject_from(tokens, start)
            name = self._resolve(head.mention) if head.mention and head.mention.name and head.at < end else ""
            if not name or head.mention is None:
                continue
            after = head.at + len(head.mention.post) + len(head.mention.name)
            first, second = [*(t.text for t in tokens[after : after + 2]), "", ""][:2]
            if first == "," and second in _PRONOUNS:
                continue  # "Ann Lee, he said, was late"
            is_alone = not any(is_capitalised(t.text) for t in (*tokens[start + 1 : head.at], *tokens[after:end]))
            has_kin = any(t.text in lexicon.FEMALE_NOUNS or t.text in lexicon.MALE_NOUNS for t in tokens[start:end])
            if is_alone and not has_kin:
                [pronoun] = pronouns
                self._evidence[name, pronoun] += _WEIGHTS["pronoun"]


def _find_described_name(tokens: Sequence[Token], i: int) -> tuple[int, int]:
    """Return where the name stands that the noun at `i` describes after a comma, or two equal places."""
    for comma in range(i - 1, max(i - 1 - MAX_APPOSITION_WORDS, 0), -1):
        if tokens[comma].text == ",":
            is_described = tokens[comma + 1].text.casefold() in DETERMINERS or comma + 1 == i
            start = comma
            while is_described and start and is_capitalised(tokens[start - 1].text):
                start -= 1
            return start, comma
        if not tokens[comma].text[0].isalpha():
            break
    return i, i


def guess_by_name(name: str) -> tuple[str, int]:
    """Return the pronoun that fits a name, or "", and the weight of the guess."""
    words = name.split()
    first, last = fold_accents(name.split()[0]), get_surname(name).casefold()
    if len(words) < 2:
        return "", 0
    is_man, is_woman = first in lexicon.MALE_NAMES, first in lexicon.FEMALE_NAMES
    if is_man != is_woman:
        return (MALE if is_man else FEMALE), _WEIGHTS["given name"]
    if not is_man and last.endswith(lexicon.RUSSIAN_FEMALE_ENDINGS):
        return FEMALE, _WEIGHTS["given name"]
    if not is_man and first.endswith("a") and len(first) > 2:
        return FEMALE, _WEIGHTS["ending"]
    return "", 0
