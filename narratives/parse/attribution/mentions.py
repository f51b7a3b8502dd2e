"""How a text names people: its tokens, and the mentions of posts and names among them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from narratives.parse.attribution.lexicon import (
    BODIES,
    BODIES_OF_MANY,
    FEMALE,
    FRONTING,
    MALE,
    NAME_PREFIXES,
    NO_SUBJECT,
    OPENERS,
    PARTICLES,
    PERSONS,
    PREPOSITIONS,
    ROLE_HEADS,
    ROLE_MODIFIERS,
    STATES,
    SURNAME_HEADS,
)
from narratives.parse.attribution.quotations import Span

QUOTE = "§"  # stands for a whole quotation among the tokens

_TOKEN = re.compile(
    r"(?:[A-Z]\.){2,}|\b(?:Mr|Mrs|Ms|Dr|St|Gen|Col|Gov|Sen|Rep|Lt|Maj|Capt|Sgt|Adm|Rev|Prof|Hon|Jr|Sr)\."
    r"|\b[A-Z]\.(?=\s[A-Z])|\w+(?:[’'-]\w+)*[’']?(?=\W|$)|[^\w\s]"
)
# "(R-Ohio)" and "R-Ohio," beside a name, and other short remarks in brackets.
_ASIDE = re.compile(r"\s*\([^()]{1,40}\)|, (?:R|D|I)-[A-Z][A-Za-z. ]{1,12},")
_WILL = re.compile(r"(?:^|(?<=[.?!] ))Will(?= [A-Z][^.!?]{0,200}\?)")  # "Will Marsh come?" asks of Marsh
POSSESSIVE = re.compile(r"[’']s?$")
DETERMINERS = ("the", "a", "an", "one", "his", "her", "their", "its", "another")
INDEFINITE = ("a", "an", "one", "another", "some", "several", "two", "many")
_OF = ("of", "for", "at", "in", "from", "with", "to")
MAX_DESCRIPTION = 9  # words between "said" and the name in "said the clerk of the smallest county, Ann Lee"


class Token(NamedTuple):
    """A word or a mark outside quotations, or QUOTE with the length of the quotation in characters."""

    text: str
    quoted: int = 0


def tokenise(text: str, spans: Sequence[Span]) -> list[Token]:
    """The tokens of a paragraph, each quotation being one."""
    tokens: list[Token] = []
    at = 0
    for start, end in spans:
        tokens += [Token(word) for word in _words(text[at:start])]
        tokens.append(Token(QUOTE, end - start))
        at = end
    return tokens + [Token(word) for word in _words(text[at:])]


def _words(text: str) -> list[str]:
    found: list[str] = _TOKEN.findall(_WILL.sub("will", _ASIDE.sub("", text)))
    return found


class Mention(NamedTuple):
    """A person as a text names them: the words of the post, if any, and of the name, if any.

    `loose` says that the name follows "of", so that its first words may belong to the post: "Head of Tuva X".
    """

    post: tuple[str, ...]
    name: tuple[str, ...]
    loose: bool = False


SOMEBODY = Mention((), ())  # a person who is not named: "a neighbour said"
SOMETHING = Mention((), (), True)  # no person: "the letter said"


def mention_before(tokens: Sequence[Token], end: int) -> Mention | None:
    """The mention that ends right before `tokens[end]`, or None; `Ann Lee of Ohio` is Ann Lee."""
    found, start = _ending(tokens, end)
    if found is not None and found.name and not found.post and start > 1 and tokens[start - 1].text == "of":
        whose, _ = _ending(tokens, start - 1)
        if whose is not None and whose.name and is_capital(tokens[start - 2].text):
            return whose
    if found is None and end > 1 and tokens[end - 2].text == "@":
        return SOMEBODY  # a handle that is nobody's known
    return found or unnamed(tokens[end - 1].text if end else "")


def start_of(tokens: Sequence[Token], end: int) -> int:
    """Where the words begin that could be a mention ending right before `tokens[end]`."""
    return _ending(tokens, end)[1]


def _ending(tokens: Sequence[Token], end: int) -> tuple[Mention | None, int]:
    start = end
    while start and (_belongs(tokens[start - 1].text) or (start < end and _links(tokens, start - 1))):
        start -= 1
    return _mention([t.text for t in tokens[start:end]], tokens[start - 1].text if start else ""), start


def mention_after(tokens: Sequence[Token], start: int, described: bool = False) -> Mention | None:
    """The mention that begins at `tokens[start]`, past an article, or None.

    Where it may be `described`, `the county clerk, Ann Lee` is Ann Lee, and `Marsh’s cousin Pete Dorn` is
    Pete Dorn.
    """
    before = ""
    if start < len(tokens) and tokens[start].text.casefold() in DETERMINERS:
        before = tokens[start].text
        start += 1
    end = start
    while end < len(tokens) and (_belongs(tokens[end].text) or (end > start and _links(tokens, end))):
        end += 1
    found = _mention([t.text for t in tokens[start:end]], before)
    of_another = end > start and POSSESSIVE.search(tokens[end - 1].text) is not None
    if found is None or not found.name or of_another:
        if described and (named := _past_description(tokens, end)):
            return named
        if of_another or found is None:
            return unnamed(tokens[min(end, len(tokens) - 1)].text) if tokens else None
    return found


def _past_description(tokens: Sequence[Token], start: int) -> Mention | None:
    """The full name behind words that tell who that is: `clerk, Ann Lee`, `head of the union, Ann Lee`."""
    of = False
    for i in range(start, min(start + MAX_DESCRIPTION, len(tokens))):
        text = tokens[i].text
        if text == "," or (is_capital(text) and not of):
            begin = i + (text == ",")
            end = begin
            while end < len(tokens) and in_run(tokens[end].text):
                end += 1
            named = _mention([t.text for t in tokens[begin:end]], "")
            return named if named is not None and len(named.name) > 1 else None
        of = of or text in _OF
        if not (text[0].isalnum() or is_capital(text)):
            return None
    return None


def unnamed(word: str) -> Mention | None:
    """SOMEBODY or SOMETHING for a common noun, None for a word that is no subject."""
    low = word.casefold()
    if low in PERSONS or low in ROLE_HEADS:
        return SOMEBODY
    is_noun = word.isalpha() and word == low and low not in NO_SUBJECT and not low.endswith("ly")
    return SOMETHING if is_noun else None


def is_capital(word: str) -> bool:
    """Whether a word could be part of a name."""
    return word[:1].isupper() and word not in ("I", QUOTE)


def is_head(word: str) -> bool:
    """Whether a word is that of a post, such as minister."""
    return word.casefold() in ROLE_HEADS


def _belongs(word: str) -> bool:
    low = word.casefold()
    if is_capital(word):
        return low not in OPENERS
    known = low in ROLE_HEADS or low in ROLE_MODIFIERS or low in PARTICLES
    return known or bool(re.search(r"\w[’']s?$", word))


def _links(tokens: Sequence[Token], i: int) -> bool:
    """Whether the token is the "of" or "of the" between a post and what it is a post of."""
    word = tokens[i].text
    if word == "the" and i:
        i, word = i - 1, tokens[i - 1].text
    return word in ("of", "for", "to") and i > 0 and is_head(tokens[i - 1].text)


def in_run(word: str) -> bool:
    """Whether a word can stand within a name."""
    low = word.casefold()
    return (is_capital(word) and low not in OPENERS) or low in PARTICLES


def _past_posts(plain: Sequence[str]) -> int:
    return max((i + 1 for i, word in enumerate(plain[:-1]) if word in ROLE_HEADS), default=0)


def _mention(words: list[str], before: str) -> Mention | None:
    """Split the words of a mention into post and name: everything up to the last word of a post is post."""
    while words and words[0].casefold() in PARTICLES:
        words = words[1:]
    plain = [word.casefold() for word in words]
    cut = 0
    for i, word in enumerate(plain):
        # "Islamic State leader X": what stands before a post belongs to it, whatever it is.
        if word in ROLE_HEADS or (not is_capital(words[i]) and word not in PARTICLES):
            cut = i + 1
    for i, word in enumerate(words[:-1]):
        # "CNN’s Ann Lee": whose somebody is belongs to the post.
        cut = max(cut, i + 1) if re.search(r"\w[’']s$", word) else cut
    if 1 < cut == len(words) and plain[-1] in SURNAME_HEADS and is_capital(words[-1]):
        cut = _past_posts(plain) if plain[-2] in MALE | FEMALE or plain[-2] in ROLE_HEADS else cut
    loose = 0 < cut < len(words) and plain[cut - 1] in ("of", "for", "to", "the")
    while not loose and cut < len(words) and plain[cut] in NAME_PREFIXES:
        cut += 1
    post, name = tuple(words[:cut]), tuple(POSSESSIVE.sub("", word) for word in words[cut:])
    if name:
        return Mention(post, name, loose)
    # "a spokesman said" names nobody, and neither does "the Russian said".
    indefinite = before.casefold() in ("a", "an", "another", "one")
    return None if indefinite or not post or not any(is_head(word) for word in post) else Mention(post, ())


MAX_FRONTED = 30  # tokens from "Asked whether" to the last comma behind which the subject may stand
MAX_PREPOSED = 8  # tokens of "In her remarks on Friday she"
LONG_QUOTE = 20  # characters from which a quotation is taken to end a sentence
_ENDS = (".", "?", "!", ";")
_PREPOSED = ("in", "on", "at", "during", "with", "within", "by")
_ADVERBS = ("however", "though", "then", "meanwhile", "too", "both", "still", "even", "but", "and")


class Head(NamedTuple):
    """The subject of the sentence that begins at `start`; `pronoun` is "he" or "she" where it is one."""

    mention: Mention | None
    at: int
    start: int
    pronoun: str = ""


def starts(tokens: Sequence[Token]) -> Iterator[int]:
    """Where the sentences of a paragraph begin."""
    dash = next((i for i, token in enumerate(tokens[:8]) if token.text in ("—", "–", "-")), 0)
    dateline = dash if dash and tokens[0].text.isupper() else -1
    for i in range(len(tokens)):
        if i - 1 == dateline or not i or tokens[i - 1].text in _ENDS or tokens[i - 1].quoted >= LONG_QUOTE:
            yield i


def head_of(tokens: Sequence[Token], at: int) -> Head:
    """The head of the sentence that `tokens[at]` stands in; None for what is no person."""
    start = max((i for i in starts(tokens) if i <= at), default=0)
    return head_at(tokens, start)


def head_at(tokens: Sequence[Token], start: int) -> Head:
    """The head of the sentence that begins at `start`, past what stands before its first clause."""
    nothing = Head(None, start, start)
    if start >= len(tokens):
        return nothing
    first = tokens[start].text.casefold()
    follows_name = start + 1 < len(tokens) and is_capital(tokens[start + 1].text)
    is_participle = first.endswith(("ing", "ed")) and not follows_name and first not in MALE
    if first in _PREPOSED and (at := _pronoun_before_comma(tokens, start)):
        return Head(None, at, start, tokens[at].text)
    if first in FRONTING or is_participle:
        for i in _past_commas(tokens, start):
            if (found := _opening(tokens, i, start)) is not None:
                return found
    i = start
    while i < len(tokens) and (tokens[i].text.casefold() in OPENERS or tokens[i].text == ","):
        if tokens[i].text.casefold() in ("he", "she"):
            break
        i += 1
    if i >= len(tokens) or tokens[i].text == QUOTE:
        return nothing
    if (found := _opening(tokens, i, start)) is not None:
        return found
    behind = (_opening(tokens, j, start) for j in _past_commas(tokens, start))
    return next((h for h in behind if h and (h.pronoun or (h.mention and h.mention.name))), nothing)


def _pronoun_before_comma(tokens: Sequence[Token], start: int) -> int:
    """Where "she" is in `In her remarks she thanked`, or 0."""
    for j, token in enumerate(tokens[start : start + MAX_PREPOSED], start):
        if token.text in ("he", "she"):
            return j
        if not token.text[0].isalnum():
            return 0
    return 0


def _past_commas(tokens: Sequence[Token], start: int) -> Iterator[int]:
    """Where a clause may begin behind the commas of a sentence that opens with something else."""
    for j, token in enumerate(tokens[start : start + MAX_FRONTED], start):
        if token.text in _ENDS or token.text == QUOTE:
            return
        following = tokens[j + 1].text if j + 1 < len(tokens) else ""
        if token.text == "," and following.casefold() not in STATES:
            yield j + 1


def _opening(tokens: Sequence[Token], i: int, start: int) -> Head | None:
    """The subject whose words begin at `tokens[i]`, or None."""
    while i < len(tokens) and (tokens[i].text in DETERMINERS or tokens[i].text in _ADVERBS):
        i += 1
    if i >= len(tokens):
        return None
    if tokens[i].text.casefold() in ("he", "she"):
        return Head(None, i, start, tokens[i].text.casefold())
    before = tokens[i - 1].text.casefold() if i else ""
    of_another = is_capital(tokens[i].text) and POSSESSIVE.search(tokens[i].text)
    if (before in DETERMINERS or of_another) and (named := _renamed(tokens, i, start)) is not None:
        return named
    if is_capital(tokens[i].text):
        mention = mention_after(tokens, i)
        if mention is None or not (mention.name or mention.post):
            return None
        after = i + len(mention.post) + len(mention.name)
        noun = tokens[after].text if after < len(tokens) else ""
        if noun in BODIES_OF_MANY:
            return Head(SOMETHING, i, start)
        return Head(SOMEBODY if noun in BODIES else mention, i, start)
    found = _common(tokens, i, start)
    return found if found.mention is not None else None


def _renamed(tokens: Sequence[Token], i: int, start: int) -> Head | None:
    """`His Democratic opponent, Linda Marsh, ...`, `the local chairwoman, Ann Lee, ...`: her."""
    comma = next((j for j, t in enumerate(tokens[i : i + 7], i) if not t.text[0].isalpha()), 0)
    if not comma or tokens[comma].text != ",":
        return None
    mention = mention_after(tokens, comma + 1)
    named = mention is not None and len(mention.name) > 1
    return Head(mention, comma + 1, start) if named else None


def _common(tokens: Sequence[Token], i: int, start: int) -> Head:
    """`The man ...`, `A fisherman ...`: somebody; `the senator`: whoever holds that post."""
    before = tokens[i - 1].text.casefold() if i > start else ""
    mention = mention_after(tokens, i)
    if mention is not None and (mention.post or mention.name) and before in ("the", "his", "her", "their"):
        return Head(mention, i, start)
    end = next((j for j, t in enumerate(tokens[i : i + 6], i) if not t.text.islower()), i)
    if (
        end > i
        and is_capital(tokens[end].text)
        and (
            unnamed(tokens[end - 1].text) == SOMEBODY
            or (is_head(tokens[end].text) and tokens[end - 1].text not in PREPOSITIONS)
        )
    ):
        mention = mention_after(tokens, end)  # "longtime radio host Ann Lee"
        if mention is not None and len(mention.name) > 1:
            return Head(mention, end, start)
    word = tokens[i].text
    found = unnamed(word)
    is_somebody = found == SOMEBODY or (before in INDEFINITE and word.endswith(("er", "or", "man", "ist")))
    return Head(SOMEBODY if is_somebody else None, i, start)
