"""Who is who in one document: full names, surnames and posts that stand for a person."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from narratives.parse.quotes import Span
from narratives.parse.roster import Roster, role_key, surname_of
from narratives.parse.settings import (
    HOME_ROLES,
    HONORIFICS,
    NAME_PREFIXES,
    NOT_NAMES,
    OPENERS,
    PARTICLES,
    ROLE_HEADS,
    ROLE_MODIFIERS,
    THINGS,
)

QUOTE = "§"  # stands for a whole quotation among the tokens

_TOKEN = re.compile(
    r"(?:[A-Z]\.){2,}|\b(?:Mr|Mrs|Ms|Dr|St|Gen|Col|Gov|Sen|Rep)\.|\w+(?:[’'-]\w+)*[’']?(?=\W|$)|[^\w\s]"
)
_POSSESSIVE = re.compile(r"[’']s?$")


class Token(NamedTuple):
    """A word or a mark outside quotations, or QUOTE with the length of the quotation in characters."""

    text: str
    quoted: int = 0


def tokenise(text: str, spans: Sequence[Span]) -> list[Token]:
    """The tokens of a paragraph, each quotation being one."""
    tokens: list[Token] = []
    at = 0
    for start, end in spans:
        tokens += [Token(word) for word in _TOKEN.findall(text[at:start])]
        tokens.append(Token(QUOTE, end - start))
        at = end
    return tokens + [Token(word) for word in _TOKEN.findall(text[at:])]


class Mention(NamedTuple):
    """A person as a text names them: the words of the post, if any, and of the name, if any.

    `loose` says that the name follows "of", so that its first words may belong to the post: "Head of Tuva X".
    """

    post: tuple[str, ...]
    name: tuple[str, ...]
    loose: bool = False


def mention_before(tokens: Sequence[Token], end: int) -> Mention | None:
    """The mention that ends right before `tokens[end]`, or None."""
    start = end
    while start and (_belongs(tokens[start - 1].text) or (start < end and _links(tokens, start - 1))):
        start -= 1
    return _mention([t.text for t in tokens[start:end]], tokens[start - 1].text if start else "")


def mention_after(tokens: Sequence[Token], start: int) -> Mention | None:
    """The mention that begins at `tokens[start]`, past an article, or None."""
    before = ""
    if start < len(tokens) and tokens[start].text.casefold() in ("the", "a", "an"):
        before = tokens[start].text
        start += 1
    end = start
    while end < len(tokens) and (_belongs(tokens[end].text) or (end > start and _links(tokens, end))):
        end += 1
    return _mention([t.text for t in tokens[start:end]], before)


def is_capital(word: str) -> bool:
    """Whether a word could be part of a name."""
    return word[:1].isupper() and word not in ("I", QUOTE)


class Cast:
    """The persons of one document, found in its texts; `on` is its partial date, for posts."""

    def __init__(self, texts: Iterable[Sequence[Token]], roster: Roster, on: str, outlet: str) -> None:
        self._roster, self._on, self._outlet = roster, on, outlet
        self._full: dict[str, str] = {}
        self._posts: dict[frozenset[str], set[str]] = {}
        self._heads: dict[str, set[str]] = {}
        for tokens in texts:
            self._learn(tokens)

    def who(self, mention: Mention | None, last: str = "") -> str:
        """The person whom a mention stands for, or ""; `last` is whoever spoke last, for posts in doubt."""
        if mention is None:
            return ""
        if not mention.loose:
            return self._person(mention) if mention.name else self._holder(mention.post, last)
        whole = self._roster.resolve(" ".join([*mention.post, *mention.name]), self._on)
        if self._roster.known(whole):
            return whole
        if len(mention.name) > 2:
            return self._person(Mention((), mention.name[-2:]))
        return self._holder((*mention.post, *mention.name), last)

    def _person(self, mention: Mention) -> str:
        name = [word for word in mention.name if word.casefold().rstrip(".") not in HONORIFICS]
        if not name or name[-1].casefold() in NOT_NAMES:
            return ""
        if len(name) == 1:
            found = self._full.get(name[0].casefold(), "") or self._roster.by_surname(name[0])
            # "Ms Bokova" is a person for certain, "Bokova" alone could be anything.
            return found or (name[0] if len(mention.name) > 1 and len(name[0]) > 2 else "")
        found = self._roster.resolve(" ".join([*mention.post, *name]), self._on)
        if not self._roster.known(found):
            found = " ".join(name)
        # A body is a speaker only where the roster has it: "the Joint Statement says" is nobody's claim.
        return "" if name[-1].casefold() in THINGS and not self._roster.known(found) else found

    def _holder(self, post: Sequence[str], last: str) -> str:
        phrase = " ".join(post)
        key, head = role_key(phrase), next((w.casefold() for w in reversed(post) if _is_head(w)), "")
        named = self._posts.get(key, set())
        if len(named) == 1:
            return next(iter(named))
        home = HOME_ROLES.get((self._outlet, phrase.casefold()), "")
        if found := self._roster.find_role(home or phrase, self._on):
            return found
        # "the president’s spokesman" after "Kremlin spokesman X"; but a country of its own is someone else.
        if any(is_capital(word) and not _is_head(word) for word in post):
            return ""
        candidates = named or self._heads.get(head, set())
        if len(candidates) == 1:
            return next(iter(candidates))
        return last if last in candidates else ""

    def is_stranger(self, mention: Mention | None) -> bool:
        """Whether a mention names someone whom neither text nor roster tell: "he" may then mean them."""
        if mention is None or not mention.name or self.who(mention):
            return False
        return mention.name[-1].casefold() not in NOT_NAMES | THINGS

    def is_full_name(self, name: str) -> bool:
        """Whether the document or the roster has this person by full name."""
        return name in self._full.values() or self._roster.known(name)

    def _learn(self, tokens: Sequence[Token]) -> None:
        i = 0
        while i < len(tokens):
            if not is_capital(tokens[i].text) or tokens[i].text.casefold() in OPENERS:
                i += 1
                continue
            end = i
            while end < len(tokens) and _in_run(tokens[end].text):
                end += 1
            mention = mention_before(tokens, end)
            i = max(end, i + 1)
            if mention is None or len(mention.name) < 2:
                continue
            name = self.who(mention)
            # The first person of a surname keeps it: newcomers are then named in full.
            surname = surname_of(mention.name[-1]).casefold()
            if not name or surname not in name.casefold():
                continue
            self._full.setdefault(surname, name)
            if mention.post and not mention.loose:
                self._posts.setdefault(role_key(" ".join(mention.post)), set()).add(name)
            if mention.post:
                head = next((w.casefold() for w in reversed(mention.post) if _is_head(w)), "")
                self._heads.setdefault(head, set()).add(name)


def _is_head(word: str) -> bool:
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
    return word in ("of", "for") and i > 0 and _is_head(tokens[i - 1].text)


def _in_run(word: str) -> bool:
    low = word.casefold()
    return (is_capital(word) and low not in OPENERS) or low in PARTICLES


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
    loose = 0 < cut < len(words) and plain[cut - 1] in ("of", "for", "the")
    while not loose and cut < len(words) and plain[cut] in NAME_PREFIXES:
        cut += 1
    post, name = tuple(words[:cut]), tuple(_POSSESSIVE.sub("", word) for word in words[cut:])
    if name:
        return Mention(post, name, loose)
    # "a spokesman said" names nobody, and neither does "the Russian said".
    indefinite = before.casefold() in ("a", "an", "another", "one")
    return None if indefinite or not post or not _is_head(post[-1]) else Mention(post, ())
