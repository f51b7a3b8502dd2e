"""What a text shows of its names: who is a person, what is a place or a thing, and which posts they have."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise

from narratives.parse.attribution.lexicon import (
    ACTING,
    HONORIFICS,
    KIN,
    NOT_NAMES,
    OF_PERSONS,
    OPENERS,
    PARTIES,
    PLACE_WORDS,
    ROLE_HEADS,
    SAYING,
    STATES,
    THINGS,
)
from narratives.parse.attribution.mentions import (
    DETERMINERS,
    POSSESSIVE,
    SOMETHING,
    Mention,
    Token,
    in_run,
    is_capital,
    is_head,
    mention_before,
)
from narratives.parse.attribution.roster import Roster, role_key, surname_of
from narratives.parse.patterns import HOME_ROLES

_BREAKS = (".", "?", "!", ":", ";", "—", "–", "*")


def party_of(words: Sequence[str]) -> str:
    """The party that some words name first, or ""."""
    return next((PARTIES[w.casefold()] for w in words if w.casefold() in PARTIES), "")


def things(tokens: Sequence[Token]) -> set[str]:
    """Lone capitalised words, in small letters, that have an article: "The Enquirer said", "the Democrat"."""
    found = set()
    for before, token, after in zip(tokens, tokens[1:], [*tokens[2:], Token(".")], strict=False):
        has_article = before.text.casefold() in ("the", "a", "an") and is_capital(token.text)
        if has_article and (after.text in (",", ".") or after.text in SAYING | ACTING):
            found.add(token.text.casefold())
    return found


def within_sentences(tokens: Sequence[Token]) -> set[str]:
    """The capitalised words, in small letters, that have a capital though they begin no sentence."""
    pairs = pairwise(tokens)
    return {
        POSSESSIVE.sub("", token.text.casefold())
        for before, token in pairs
        if is_capital(token.text) and before.text not in _BREAKS and not before.quoted
    }


def places(tokens: Sequence[Token]) -> set[str]:
    """Lone capitalised words that stand where places do: "in Toledo"."""
    found = set()
    for before, token, after in zip(tokens, tokens[1:], [*tokens[2:], Token(".")], strict=False):
        stands = before.text in ("in", "near", "outside", "across") and is_capital(token.text)
        if stands and not is_capital(after.text) and not POSSESSIVE.search(token.text):
            found.add(token.text.casefold())
    return found


def persons(tokens: Sequence[Token]) -> set[str]:
    """Lone capitalised words that stand as persons’ names do: "the Marsh campaign", "Marsh, who"."""
    found = set()
    for token, after, next_but_one in zip(tokens, tokens[1:], [*tokens[2:], Token(".")], strict=False):
        is_ones = after.text in OF_PERSONS or (after.text == "," and next_but_one.text == "who")
        if is_ones and is_capital(token.text):
            found.add(POSSESSIVE.sub("", token.text.casefold()))
    return found


def apposition(tokens: Sequence[Token], end: int) -> tuple[str, ...]:
    """The post in `Ann Lee, the governor of the state,`; empty where none follows."""
    words = [token.text for token in tokens[end : end + 8]]
    if len(words) < 3 or words[0] != ",":
        return ()
    is_ones = POSSESSIVE.search(words[1]) is not None
    if words[1].casefold() not in DETERMINERS and not is_ones:
        return ()
    first = 2 - is_ones
    heads = (i for i, word in enumerate(words[first:], first) if is_head(word) or not word[0].isalpha())
    i = next(heads, 0)
    return tuple(words[first : i + 1]) if i and is_head(words[i]) else ()


def description(tokens: Sequence[Token], start: int) -> tuple[str, ...]:
    """The post in `the Florida senator, Ann Lee,`; empty where none stands before."""
    if start < 3 or tokens[start - 1].text != "," or not is_head(tokens[start - 2].text):
        return ()
    words = [token.text for token in tokens[max(start - 8, 0) : start - 1]]
    first = next((i for i in range(len(words) - 1, -1, -1) if words[i].casefold() in DETERMINERS), -1)
    return tuple(words[first + 1 :]) if first >= 0 else ()


MIN_FOREMOST, MUCH_MORE = (
    3,
    1.5,
)  # times that a name comes, and against the next one
_NO_NAMES = NOT_NAMES | THINGS | ROLE_HEADS | STATES


class EntityIndex:
    """The persons of one document, found in its texts; `on` is its partial date, for posts."""

    def __init__(self, texts: Iterable[Sequence[Token]], roster: Roster, on: str, outlet: str) -> None:
        self._roster, self._on, self._outlet = roster, on, outlet
        self._full: dict[str, str] = {}
        self._posts: dict[frozenset[str], set[str]] = {}
        self._heads: dict[str, set[str]] = {}
        self._parties: dict[str, str] = {}
        self._owners: dict[str, set[str]] = {}
        self._places: set[str] = set()
        self._persons: set[str] = set()
        self._counts: Counter[str] = Counter()
        self._people: set[str] = set()
        self._within: set[str] = set()
        self._things: set[str] = set()
        for tokens in texts:
            self._learn(tokens)
            self._counts.update(_plain(token.text) for token in tokens if is_capital(token.text))
            self._places |= places(tokens)
            self._things |= things(tokens)
            self._within |= within_sentences(tokens)
            self._persons |= persons(tokens)

    def who(self, mention: Mention | None, last: str = "") -> str:
        """The person whom a mention stands for, or ""; `last` is whoever spoke last, for posts in doubt."""
        if mention is None or not (mention.post or mention.name):
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
        if len(mention.name) == 2 and mention.name[0].casefold() in PLACE_WORDS:
            return ""  # "New York"
        if mention.name and mention.name[-1].casefold() in PARTIES:
            return ""  # "the Nebraska Republican"
        name = [word for word in mention.name if word.casefold().rstrip(".") not in HONORIFICS]
        if not name or (name[-1].casefold() in NOT_NAMES and not self._roster.known(" ".join(name))):
            return ""
        if len(name) == 1:
            found = self._full.get(name[0].casefold(), "") or self._roster.by_surname(name[0])
            found = found or self._by_first(name[0])
            # "Ms Bokova" is a person for certain, "Bokova" alone could be anything.
            return found or (name[0] if len(mention.name) > 1 and len(name[0]) > 2 else "")
        found = self._roster.resolve(" ".join([*mention.post, *name]), self._on)
        if not self._roster.known(found):
            found = " ".join(name)
        # A body is a speaker only where the roster has it: "the Joint Statement says" is nobody's claim.
        return "" if name[-1].casefold() in THINGS and not self._roster.known(found) else found

    def _by_first(self, first: str) -> str:
        """The only person of the text with this first name: "Royce" after "Royce Garland" and his brother."""
        if first.casefold() in STATES or first.casefold() in self._places:
            return ""
        found = [name for name in self._people if name.split()[0] == first]
        return found[0] if len(found) == 1 else ""

    def _holder(self, post: Sequence[str], last: str) -> str:
        phrase = " ".join(post)
        key, head = role_key(phrase), next((w.casefold() for w in reversed(post) if is_head(w)), "")
        if len(post) == 1 and is_capital(post[0]) and head in self._full:
            return self._full[head]  # "King said" of Ann King
        named = self._posts.get(key, set())
        if len(named) == 1:
            return next(iter(named))
        home = HOME_ROLES.get((self._outlet, phrase.casefold()), "")
        # "the spokeswoman" of a text is whoever it has as one; the roster's is meant by more than that word.
        if (home or len(key) > 1) and (found := self._roster.find_role(home or phrase, self._on)):
            return found
        # "the president’s spokesman" after "Kremlin spokesman X"; but a country of its own is someone else.
        if owned := {POSSESSIVE.sub("", w.casefold()) for w in post if re.search(r"\w[’']s?$", w)}:
            theirs = [n for n in self._heads.get(_canonical(head), ()) if owned <= self._owners.get(n, set())]
            return theirs[0] if len(theirs) == 1 else ""
        if any(is_capital(w) and not is_head(w) and w.casefold() not in PARTIES for w in post):
            return ""
        candidates = named or self._heads.get(_canonical(head), set())
        if party := party_of(post):
            members = [name for name in candidates if self._parties.get(name) == party]
            return members[0] if len(members) == 1 else ""
        if not candidates and head:
            people = set(self._full.values())
            candidates = {name for name in people if self._roster.is_a(name, _canonical(head), self._on)}
        if len(candidates) == 1:
            return next(iter(candidates))
        if not candidates and self._roster.is_a(last, _canonical(head), self._on):
            return last
        return last if last in candidates else ""

    def foremost(self, party: str) -> str:
        """The person whom the text names by far most often, of a party if one is given, or ""."""
        people = {n: self._counts[surname_of(n).casefold()] for n in set(self._full.values())}
        able = [
            (count, n) for n, count in people.items() if self._parties.get(n, party) == party or not party
        ]
        able.sort(reverse=True)
        if not able or able[0][0] < MIN_FOREMOST:
            return ""
        return able[0][1] if len(able) < 2 or able[0][0] >= MUCH_MORE * able[1][0] else ""

    def is_stranger(self, mention: Mention | None) -> bool:
        """Whether a mention is of someone whom neither text nor roster tell: "he" may then mean them."""
        if mention is None or mention == SOMETHING or self.who(mention):
            return False
        return not mention.name or mention.name[-1].casefold() not in NOT_NAMES | THINGS

    def by_handle(self, handle: str) -> str:
        """The person of text or roster whose whole name is in an account's, as in `@realAnnLee`, or ""."""
        plain = handle.casefold()
        found = {n for n in (*self._full.values(), *self._roster.names()) if _joined(n) in plain and " " in n}
        return found.pop() if len(found) == 1 else ""

    def is_name(self, word: str) -> bool:
        """Whether a word is capitalised within sentences too, so that it is no mere beginning of one."""
        plain = POSSESSIVE.sub("", word.casefold())
        return plain in self._within or plain in self._full or bool(self._roster.by_surname(plain))

    def is_known(self, name: str) -> bool:
        """Whether the roster has this name."""
        return self._roster.known(name)

    def meet(self, mention: Mention | None, beside: bool = True) -> None:
        """Take a lone surname for a person of this text: it speaks, and so is one.

        Where it does so not `beside` a quotation, the text must have it as a person's elsewhere.
        """
        if mention is None or len(mention.name) != 1 or mention.loose:
            return
        name = mention.name[0]
        if not beside and name.casefold() not in self._persons:
            return
        is_word = (
            name.isupper()
            or name.endswith("ly")
            or len(name) < 3
            or name.casefold() in NOT_NAMES | THINGS | ROLE_HEADS
        )
        if (
            not is_word
            and name.casefold() not in STATES | self._places | self._things
            and not self.who(mention)
        ):
            self._full[name.casefold()] = name

    def is_full_name(self, name: str) -> bool:
        """Whether the document or the roster has this person by full name."""
        return name in self._people or name in self._full.values() or self._roster.known(name)

    def _kin(self, tokens: Sequence[Token], i: int) -> str:
        """`Kathy Hobbs` for the Kathy of `Hobbs’s wife, Kathy,`, else ""."""
        if i < 3 or tokens[i - 1].text != "," or tokens[i - 2].text not in KIN:
            return ""
        owner = tokens[i - 3].text
        is_owner = is_capital(owner) and POSSESSIVE.search(owner)
        return f"{tokens[i].text} {POSSESSIVE.sub('', owner)}" if is_owner else ""

    def _learn(self, tokens: Sequence[Token]) -> None:
        i = 0
        while i < len(tokens):
            if not is_capital(tokens[i].text) or tokens[i].text.casefold() in OPENERS:
                i += 1
                continue
            end = i
            while end < len(tokens) and in_run(tokens[end].text):
                end += 1
            mention = mention_before(tokens, end)
            if end == i + 1 and (kin := self._kin(tokens, i)):
                self._people.add(kin)
                self._full.setdefault(tokens[i].text.casefold(), kin)
            i = max(end, i + 1)
            if mention is None or len(mention.name) < 2:
                continue
            name = self.who(mention)
            # The first person of a surname keeps it: newcomers are then named in full.
            surname = surname_of(mention.name[-1]).casefold()
            if not name or surname not in name.casefold():
                continue
            self._full.setdefault(surname, name)
            self._people.add(name)
            post = mention.post
            about = post or [token.text for token in tokens[end : end + 6]]
            if party := party_of(about):
                self._parties.setdefault(name, party)
            if post:
                # "President of Ruritania X": the country is part of the post.
                whole = (*post, *mention.name[:-2]) if mention.loose else post
                self._posts.setdefault(role_key(" ".join(whole)), set()).add(name)
            else:
                post = apposition(tokens, end) or description(tokens, end - len(mention.name))
            head = next((w.casefold() for w in reversed(post) if is_head(w)), "")
            owners = {POSSESSIVE.sub("", w.casefold()) for w in post if is_capital(w) and not is_head(w)}
            self._owners.setdefault(name, set()).update(owners)
            if head:
                self._heads.setdefault(_canonical(head), set()).add(name)


def _joined(name: str) -> str:
    return name.replace(" ", "").casefold()


def _canonical(head: str) -> str:
    return next(iter(role_key(head)), head)


def _plain(word: str) -> str:
    return POSSESSIVE.sub("", word.casefold()) if word[-1] in "s’'" else word.casefold()
