"""What a text shows of its names: who is a person, what is a place or a thing, and which posts they have."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise

from narratives.parse.attribution.lexicon import (
    ACTING_VERBS,
    HONORIFICS,
    IMPERSONAL_NOUNS,
    KIN_NOUNS,
    NON_NAME_WORDS,
    PARTIES,
    PERSON_RELATED_NOUNS,
    PLACE_WORDS,
    ROLE_HEADS,
    SAYING_VERBS,
    SENTENCE_OPENERS,
    US_STATES,
)
from narratives.parse.attribution.mentions import (
    DETERMINERS,
    POSSESSIVE,
    UNNAMED_THING,
    Mention,
    Token,
    can_be_in_name,
    find_mention_before,
    is_capitalised,
    is_role_head,
)
from narratives.parse.attribution.roster import Roster, get_surname, make_role_key

# On these sites a role without further words means the holder of this one.
HOME_ROLES = {
    ("Kremlin", "president"): "President of Russia",
    ("Kremlin", "head of state"): "President of Russia",
}
_SENTENCE_BREAKS = (".", "?", "!", ":", ";", "—", "–", "*")


def find_party(words: Sequence[str]) -> str:
    """The party that some words name first, or ""."""
    return next((PARTIES[w.casefold()] for w in words if w.casefold() in PARTIES), "")


def find_thing_words(tokens: Sequence[Token]) -> set[str]:
    """Lone capitalised words, in small letters, that have an article: "The Enquirer said", "the Democrat"."""
    found = set()
    for before, token, after in zip(tokens, tokens[1:], [*tokens[2:], Token(".")], strict=False):
        has_article = before.text.casefold() in ("the", "a", "an") and is_capitalised(token.text)
        if has_article and (after.text in (",", ".") or after.text in SAYING_VERBS | ACTING_VERBS):
            found.add(token.text.casefold())
    return found


def find_capitalised_words(tokens: Sequence[Token]) -> set[str]:
    """The capitalised words, in small letters, that have a capital though they begin no sentence."""
    pairs = pairwise(tokens)
    return {
        POSSESSIVE.sub("", token.text.casefold())
        for before, token in pairs
        if is_capitalised(token.text) and before.text not in _SENTENCE_BREAKS and not before.quoted
    }


def find_place_words(tokens: Sequence[Token]) -> set[str]:
    """Lone capitalised words that stand where places do: "in Toledo"."""
    found = set()
    for before, token, after in zip(tokens, tokens[1:], [*tokens[2:], Token(".")], strict=False):
        stands = before.text in ("in", "near", "outside", "across") and is_capitalised(token.text)
        if stands and not is_capitalised(after.text) and not POSSESSIVE.search(token.text):
            found.add(token.text.casefold())
    return found


def find_person_words(tokens: Sequence[Token]) -> set[str]:
    """Lone capitalised words that stand as persons’ names do: "the Marsh campaign", "Marsh, who"."""
    found = set()
    for token, after, next_but_one in zip(tokens, tokens[1:], [*tokens[2:], Token(".")], strict=False):
        is_ones = after.text in PERSON_RELATED_NOUNS or (after.text == "," and next_but_one.text == "who")
        if is_ones and is_capitalised(token.text):
            found.add(POSSESSIVE.sub("", token.text.casefold()))
    return found


def find_apposition(tokens: Sequence[Token], end: int) -> tuple[str, ...]:
    """The post in `Ann Lee, the governor of the state,`; empty where none follows."""
    words = [token.text for token in tokens[end : end + 8]]
    if len(words) < 3 or words[0] != ",":
        return ()
    is_ones = POSSESSIVE.search(words[1]) is not None
    if words[1].casefold() not in DETERMINERS and not is_ones:
        return ()
    first = 2 - is_ones
    heads = (i for i, word in enumerate(words[first:], first) if is_role_head(word) or not word[0].isalpha())
    i = next(heads, 0)
    return tuple(words[first : i + 1]) if i and is_role_head(words[i]) else ()


def find_description(tokens: Sequence[Token], start: int) -> tuple[str, ...]:
    """The post in `the Florida senator, Ann Lee,`; empty where none stands before."""
    if start < 3 or tokens[start - 1].text != "," or not is_role_head(tokens[start - 2].text):
        return ()
    words = [token.text for token in tokens[max(start - 8, 0) : start - 1]]
    first = next((i for i in range(len(words) - 1, -1, -1) if words[i].casefold() in DETERMINERS), -1)
    return tuple(words[first + 1 :]) if first >= 0 else ()


MIN_DOMINANT_MENTIONS, MIN_DOMINANT_RATIO = (
    3,
    1.5,
)  # times that a name comes, and against the next one
_NON_NAME_WORDS = NON_NAME_WORDS | IMPERSONAL_NOUNS | ROLE_HEADS | US_STATES


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
            self._counts.update(_normalise_word(token.text) for token in tokens if is_capitalised(token.text))
            self._places |= find_place_words(tokens)
            self._things |= find_thing_words(tokens)
            self._within |= find_capitalised_words(tokens)
            self._persons |= find_person_words(tokens)

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
        if not name or (name[-1].casefold() in NON_NAME_WORDS and not self._roster.known(" ".join(name))):
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
        return "" if name[-1].casefold() in IMPERSONAL_NOUNS and not self._roster.known(found) else found

    def _by_first(self, first: str) -> str:
        """The only person of the text with this first name: "Royce" after "Royce Garland" and his brother."""
        if first.casefold() in US_STATES or first.casefold() in self._places:
            return ""
        found = [name for name in self._people if name.split()[0] == first]
        return found[0] if len(found) == 1 else ""

    def _holder(self, post: Sequence[str], last: str) -> str:
        phrase = " ".join(post)
        key, head = make_role_key(phrase), next((w.casefold() for w in reversed(post) if is_role_head(w)), "")
        if len(post) == 1 and is_capitalised(post[0]) and head in self._full:
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
            theirs = [n for n in self._heads.get(_normalise_role_head(head), ()) if owned <= self._owners.get(n, set())]
            return theirs[0] if len(theirs) == 1 else ""
        if any(is_capitalised(w) and not is_role_head(w) and w.casefold() not in PARTIES for w in post):
            return ""
        candidates = named or self._heads.get(_normalise_role_head(head), set())
        if party := find_party(post):
            members = [name for name in candidates if self._parties.get(name) == party]
            return members[0] if len(members) == 1 else ""
        if not candidates and head:
            people = set(self._full.values())
            candidates = {name for name in people if self._roster.is_a(name, _normalise_role_head(head), self._on)}
        if len(candidates) == 1:
            return next(iter(candidates))
        if not candidates and self._roster.is_a(last, _normalise_role_head(head), self._on):
            return last
        return last if last in candidates else ""

    def foremost(self, party: str) -> str:
        """The person whom the text names by far most often, of a party if one is given, or ""."""
        people = {n: self._counts[get_surname(n).casefold()] for n in set(self._full.values())}
        able = [(count, n) for n, count in people.items() if self._parties.get(n, party) == party or not party]
        able.sort(reverse=True)
        if not able or able[0][0] < MIN_DOMINANT_MENTIONS:
            return ""
        return able[0][1] if len(able) < 2 or able[0][0] >= MIN_DOMINANT_RATIO * able[1][0] else ""

    def is_stranger(self, mention: Mention | None) -> bool:
        """Whether a mention is of someone whom neither text nor roster tell: "he" may then mean them."""
        if mention is None or mention == UNNAMED_THING or self.who(mention):
            return False
        return not mention.name or mention.name[-1].casefold() not in NON_NAME_WORDS | IMPERSONAL_NOUNS

    def by_handle(self, handle: str) -> str:
        """The person of text or roster whose whole name is in an account's, as in `@realAnnLee`, or ""."""
        plain = handle.casefold()
        found = {n for n in (*self._full.values(), *self._roster.names()) if _join_name(n) in plain and " " in n}
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
            or name.casefold() in NON_NAME_WORDS | IMPERSONAL_NOUNS | ROLE_HEADS
        )
        if not is_word and name.casefold() not in US_STATES | self._places | self._things and not self.who(mention):
            self._full[name.casefold()] = name

    def is_full_name(self, name: str) -> bool:
        """Whether the document or the roster has this person by full name."""
        return name in self._people or name in self._full.values() or self._roster.known(name)

    def _kin(self, tokens: Sequence[Token], i: int) -> str:
        """`Kathy Hobbs` for the Kathy of `Hobbs’s wife, Kathy,`, else ""."""
        if i < 3 or tokens[i - 1].text != "," or tokens[i - 2].text not in KIN_NOUNS:
            return ""
        owner = tokens[i - 3].text
        is_owner = is_capitalised(owner) and POSSESSIVE.search(owner)
        return f"{tokens[i].text} {POSSESSIVE.sub('', owner)}" if is_owner else ""

    def _learn(self, tokens: Sequence[Token]) -> None:
        i = 0
        while i < len(tokens):
            if not is_capitalised(tokens[i].text) or tokens[i].text.casefold() in SENTENCE_OPENERS:
                i += 1
                continue
            end = i
            while end < len(tokens) and can_be_in_name(tokens[end].text):
                end += 1
            mention = find_mention_before(tokens, end)
            if end == i + 1 and (kin := self._kin(tokens, i)):
                self._people.add(kin)
                self._full.setdefault(tokens[i].text.casefold(), kin)
            i = max(end, i + 1)
            if mention is None or len(mention.name) < 2:
                continue
            name = self.who(mention)
            # The first person of a surname keeps it: newcomers are then named in full.
            surname = get_surname(mention.name[-1]).casefold()
            if not name or surname not in name.casefold():
                continue
            self._full.setdefault(surname, name)
            self._people.add(name)
            post = mention.post
            about = post or [token.text for token in tokens[end : end + 6]]
            if party := find_party(about):
                self._parties.setdefault(name, party)
            if post:
                # "President of Ruritania X": the country is part of the post.
                whole = (*post, *mention.name[:-2]) if mention.loose else post
                self._posts.setdefault(make_role_key(" ".join(whole)), set()).add(name)
            else:
                post = find_apposition(tokens, end) or find_description(tokens, end - len(mention.name))
            head = next((w.casefold() for w in reversed(post) if is_role_head(w)), "")
            owners = {POSSESSIVE.sub("", w.casefold()) for w in post if is_capitalised(w) and not is_role_head(w)}
            self._owners.setdefault(name, set()).update(owners)
            if head:
                self._heads.setdefault(_normalise_role_head(head), set()).add(name)


def _join_name(name: str) -> str:
    return name.replace(" ", "").casefold()


def _normalise_role_head(head: str) -> str:
    return next(iter(make_role_key(head)), head)


def _normalise_word(word: str) -> str:
    return POSSESSIVE.sub("", word.casefold()) if word[-1] in "s’'" else word.casefold()
