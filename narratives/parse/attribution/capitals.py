"""Restore lower case in lines like `Marsh Said Of The Deal` and `MARSH SAID OF THE DEAL`, so that names stand out."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

from narratives.parse.attribution import lexicon
from narratives.parse.attribution.mentions import POSSESSIVE, Token, is_capitalised, is_role_head
from narratives.parse.attribution.roster import Roster

MIN_TITLE_CASE_WORDS = 3
_VERBS = lexicon.SAYING_VERBS | lexicon.ACTING_VERBS | lexicon.QUOTING_VERBS
# Words that are also names or months are no evidence of a line in title case.
_AMBIGUOUS_WORDS = frozenset(["will", "may", "march", "us", "hope", "grant", "mark"])
_FUNCTION_WORDS = (
    lexicon.PREPOSITIONS
    | lexicon.SENTENCE_OPENERS
    | lexicon.NON_SUBJECT_WORDS
    | lexicon.MODALS
    | lexicon.INTERVENING_WORDS
    | lexicon.SAYING_PARTICIPLES
    | lexicon.FRONTED_OPENERS
) - {"green"}
_COMMON_NOUNS = (lexicon.PERSON_NOUNS | lexicon.SPEECH_NOUNS | lexicon.OCCASION_NOUNS | lexicon.TEAM_NOUNS) - (
    lexicon.ROLE_HEADS
)
_GIVEN_NAMES = lexicon.MALE_NAMES | lexicon.FEMALE_NAMES
_LOWERCASE_WORD = re.compile(r"\b[a-zß-ÿ]{2,40}\b")


def restore_lower_case(paragraphs: Sequence[list[Token]], texts: Sequence[str], roster: Roster) -> list[list[Token]]:
    """Return the tokens of all paragraphs; in those in title case or capitals only names keep their capitals.

    What is a name is learned from the other paragraphs of the document and from words within quotations.
    """
    marked = [_is_title_case(tokens) for tokens in paragraphs]
    if not any(marked):
        return list(paragraphs)
    ordinary = [tokens for tokens, is_marked in zip(paragraphs, marked, strict=True) if not is_marked]
    lower = {word for text in texts for word in _LOWERCASE_WORD.findall(text)}
    pairs = {(a.text, b.text) for tokens in ordinary for a, b in itertools.pairwise(tokens)}
    names = {b.text.casefold() for tokens in ordinary for a, b in _iterate_inner_capitals(tokens)}
    restored = [
        _lower_words(tokens, lower - names) if is_marked else tokens
        for tokens, is_marked in zip(paragraphs, marked, strict=True)
    ]
    known = names | {
        w.casefold() for tokens in restored for run in _iterate_subjects(tokens) if len(run) == 1 for w in run
    }
    return [
        _trim_subjects(tokens, known, pairs, roster) if is_marked else tokens
        for tokens, is_marked in zip(restored, marked, strict=True)
    ]


def _iterate_inner_capitals(tokens: Sequence[Token]) -> list[tuple[Token, Token]]:
    """Return the capitalised words inside a sentence, each with the word before."""
    inner = itertools.pairwise(tokens)
    return [(a, b) for a, b in inner if is_capitalised(b.text) and a.text[0].isalnum() and not a.quoted]


def _is_title_case(tokens: Sequence[Token]) -> bool:
    """Return whether all words but small ones are capitalised, at least one of them without need."""
    words = [token.text for token in tokens if token.text[0].isalpha()]
    if len(words) < MIN_TITLE_CASE_WORDS or any(w.islower() and w not in lexicon.HEADLINE_WORDS for w in words):
        return False
    return any(w[0].isupper() and _is_needless(w.casefold()) for w in words[1:])


def _is_needless(word: str) -> bool:
    return (word in _FUNCTION_WORDS or word in _VERBS) and word not in _AMBIGUOUS_WORDS


def _lower_words(tokens: Sequence[Token], lower: set[str]) -> list[Token]:
    is_upper = all(token.text.isupper() for token in tokens if len(token.text) > 1 and token.text[0].isalpha())
    words = [token.text.title() if is_upper and token.text.isalpha() else token.text for token in tokens]
    out: list[Token] = []
    for i, (token, word) in enumerate(zip(tokens, words, strict=True)):
        before, after = words[i - 1] if i else "", words[i + 1] if i + 1 < len(words) else ""
        is_kept = token.quoted or not is_capitalised(word) or not _is_ordinary(word.casefold(), before, after, lower)
        out.append(token if token.quoted else Token(word if is_kept else word.casefold()))
    return out


def _is_ordinary(word: str, before: str, after: str, lower: set[str]) -> bool:
    """Return whether a capitalised word is no name."""
    if word in _GIVEN_NAMES and is_capitalised(after) and not _is_needless(after.casefold()):
        return False  # "Will Marsh", "Grant Lee"
    if before.casefold() in _GIVEN_NAMES and not _is_needless(word):
        return False
    if word in lexicon.MODALS:
        return after.casefold() not in _VERBS  # "May Said"
    if word in lexicon.VERB_BASES and word not in _VERBS:
        return before.casefold() in lexicon.MODALS | {"to"}
    is_known = word in _FUNCTION_WORDS or word in _VERBS or word in _COMMON_NOUNS or word in lower
    return is_known or word.endswith("ly")


def _iterate_subjects(tokens: Sequence[Token]) -> list[list[str]]:
    """Return the capitalised words before every verb of saying."""
    return [[token.text for token in tokens[start:end]] for start, end in _find_subject_runs(tokens)]


def _find_subject_runs(tokens: Sequence[Token]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for i, token in enumerate(tokens):
        if token.text not in _VERBS:
            continue
        end = i
        while end and tokens[end - 1].text in lexicon.INTERVENING_WORDS | lexicon.MODALS:
            end -= 1
        start = end
        while start and is_capitalised(tokens[start - 1].text):
            start -= 1
        if start < end:
            runs.append((start, end))
    return runs


def _trim_subjects(tokens: list[Token], known: set[str], pairs: set[tuple[str, str]], roster: Roster) -> list[Token]:
    """Lower the words before a verb that are no name: `At The Lima Forum Marsh Said`; all, if none is certain."""
    trimmed = list(tokens)
    for start, end in _find_subject_runs(tokens):
        words = [token.text for token in tokens[start:end]]
        width = _measure_name(words, known, pairs, roster)
        is_thing = start > 0 and tokens[start - 1].text == "the" and not any(map(is_role_head, words))
        if is_thing and not _is_full_name(words[-2:], pairs, roster):
            width = 0  # "The Toledo Ledger Wrote"
        for i in range(start, end - width):
            trimmed[i] = Token(tokens[i].text.casefold())
    return trimmed


def _measure_name(words: Sequence[str], known: set[str], pairs: set[tuple[str, str]], roster: Roster) -> int:
    """Return how many of the last words are the subject: post and name, or 0."""
    heads = [i for i, word in enumerate(words) if is_role_head(word) or POSSESSIVE.search(word)]
    if len(words) == 1 or heads:
        return len(words)
    body = max((i + 1 for i, word in enumerate(words) if word.casefold() in lexicon.IMPERSONAL_NOUNS), default=0)
    if 0 < body < len(words):
        return _measure_name(words[body:], known, pairs, roster)  # "Former Head Of The Board Ann Lee"
    given = next((i for i, word in enumerate(words) if word.casefold() in _GIVEN_NAMES), -1)
    if 0 <= given < len(words) - 1:
        return len(words) - given
    if _is_full_name(words[-2:], pairs, roster):
        return 2
    if words[-1].casefold() in known or roster.find_by_surname(words[-1]):
        return 1
    return 2 if len(words) == 2 else 0


def _is_full_name(words: Sequence[str], pairs: set[tuple[str, str]], roster: Roster) -> bool:
    return len(words) == 2 and (
        words[0].casefold() in _GIVEN_NAMES or (words[0], words[1]) in pairs or roster.is_known(" ".join(words))
    )
