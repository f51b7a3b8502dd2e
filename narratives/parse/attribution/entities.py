"""Find the persons of a text and their posts, and tell their names from those of places and things."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from narratives.parse.attribution import lexicon
from narratives.parse.attribution.genders import GenderIndex
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
from narratives.parse.attribution.roster import Roster, get_only, get_surname, make_role_key

# What a role without further words means on these sites.
HOME_ROLES = {("Kremlin", "president"): "President of Russia", ("Kremlin", "head of state"): "President of Russia"}
_SENTENCE_BREAKS = (".", "?", "!", ":", ";", "—", "–", "*")
_VERBS = lexicon.SAYING_VERBS | lexicon.ACTING_VERBS


def find_party(words: Sequence[str]) -> str:
    """Return the first party that some words name, or ""."""
    return next((lexicon.PARTIES[w.casefold()] for w in words if w.casefold() in lexicon.PARTIES), "")


def find_apposition(tokens: Sequence[Token], end: int) -> tuple[str, ...]:
    """Return the post in `Ann Lee, the governor of the state,`, or an empty tuple."""
    words = [token.text for token in tokens[end : end + 8]]
    if len(words) < 3 or words[0] != ",":
        return ()
    has_owner = POSSESSIVE.search(words[1]) is not None
    if words[1].casefold() not in DETERMINERS and not has_owner:
        return ()
    first = 1 if has_owner else 2
    heads = (i for i, word in enumerate(words[first:], first) if is_role_head(word) or not word[0].isalpha())
    i = next(heads, 0)
    if not i or not is_role_head(words[i]) or (words[i + 1 : i + 2] and words[i + 1] in _VERBS):
        return ()  # "In his letter to Ann Lee, the Russian leader confirmed"
    return tuple(words[first : i + 1])


def find_description(tokens: Sequence[Token], start: int) -> tuple[str, ...]:
    """Return the post in `the Florida senator, Ann Lee,`, or an empty tuple."""
    if start < 3 or tokens[start - 1].text != "," or not is_role_head(tokens[start - 2].text):
        return ()
    words = [token.text for token in tokens[max(start - 8, 0) : start - 1]]
    first = next((i for i in range(len(words) - 1, -1, -1) if words[i].casefold() in DETERMINERS), -1)
    return tuple(words[first + 1 :]) if first >= 0 else ()


MIN_DOMINANT_MENTIONS, MIN_DOMINANT_RATIO = 3, 1.5  # mentions of a name, and their ratio to those of the second


class EntityIndex:
    """The persons of one document, found in its texts; `on` is its partial date, by which posts are resolved.

    `genders` says whether a person is a man or a woman.
    """

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
        self._last_learned = ""
        all_tokens = list(texts)
        self.genders = GenderIndex(all_tokens, self.resolve)
        for tokens in all_tokens:
            self._learn(tokens)
            self._counts.update(_normalise_word(token.text) for token in tokens if is_capitalised(token.text))
            for neighbours in zip(tokens, tokens[1:], [*tokens[2:], Token(".")], strict=False):
                self._classify_words(*neighbours)

    def _classify_words(self, before: Token, token: Token, after: Token) -> None:
        """Sort a capitalised word, in lower case, by the words next to it."""
        is_owned = token.text in lexicon.PERSON_RELATED_NOUNS or (token.text == "," and after.text == "who")
        if is_owned and is_capitalised(before.text):  # "the Marsh campaign", "Marsh, who"
            self._persons.add(POSSESSIVE.sub("", before.text.casefold()))
        if not is_capitalised(token.text):
            return
        word = token.text.casefold()
        if before.text not in _SENTENCE_BREAKS and not before.quoted:
            self._within.add(POSSESSIVE.sub("", word))
        is_lone = not is_capitalised(after.text) and not POSSESSIVE.search(token.text)
        if is_lone and before.text in ("in", "near", "outside", "across"):  # "in Toledo"
            self._places.add(word)
        is_subject = after.text in (",", ".") or after.text in _VERBS
        if is_subject and before.text.casefold() in ("the", "a", "an"):  # "The Enquirer said", "the Democrat"
            self._things.add(word)

    def resolve(self, mention: Mention | None, last: str = "") -> str:
        """Return the person of a mention, or ""; `last` is the last speaker, who decides unclear posts."""
        if mention is None or not (mention.post or mention.name):
            return ""
        if not mention.loose:
            return self._resolve_name(mention) if mention.name else self._resolve_post(mention.post, last)
        whole = self._roster.resolve(" ".join([*mention.post, *mention.name]), self._on)
        if self._roster.is_known(whole):
            return whole
        if len(mention.name) > 2:
            return self._resolve_name(Mention((), mention.name[-2:]))
        return self._resolve_post((*mention.post, *mention.name), last)

    def _resolve_name(self, mention: Mention) -> str:
        if len(mention.name) == 2 and mention.name[0].casefold() in lexicon.PLACE_WORDS:
            return ""  # "New York"
        if mention.name and mention.name[-1].casefold() in lexicon.PARTIES:
            return ""  # "the Nebraska Republican"
        name = [word for word in mention.name if word.casefold().rstrip(".") not in lexicon.HONORIFICS]
        if not name or (name[-1].casefold() in lexicon.NON_NAME_WORDS and not self._is_month_name(mention, name)):
            return ""
        if len(name) == 1:
            known = self._full.get(get_surname(name[0]).casefold()) or self._roster.find_by_surname(
                get_surname(name[0])
            )
            person = known or self._find_by_first_name(name[0])
            # "Ms Bokova" is certainly a person, "Bokova" alone could be anything.
            return person or (name[0] if len(mention.name) > 1 and len(name[0]) > 2 else "")
        person = self._roster.resolve(" ".join([*mention.post, *name]), self._on)
        if not self._roster.is_known(person):
            person = " ".join(name)
        # A body is a speaker only if the roster has it: "the Joint Statement says" has no speaker.
        return "" if name[-1].casefold() in lexicon.IMPERSONAL_NOUNS and not self._roster.is_known(person) else person

    def _is_month_name(self, mention: Mention, name: Sequence[str]) -> bool:
        """Return whether a name is one although its last word is in the list of those that are none: "Mrs May"."""
        if self._roster.is_known(" ".join(name)):
            return True
        has_given_name = len(name) == 2 and name[0].casefold() in lexicon.MALE_NAMES | lexicon.FEMALE_NAMES
        is_known = len(name) < len(mention.name) or has_given_name or (len(name) == 1 and "may" in self._full)
        return name[-1] == "May" and is_known

    def _find_by_first_name(self, first: str) -> str:
        """Return the only person of the text with this first name: "Royce" after "Royce Garland" and his brother."""
        if first.casefold() in lexicon.US_STATES or first.casefold() in self._places:
            return ""
        return get_only([name for name in self._people if name.split()[0] == first])

    def _resolve_post(self, post: Sequence[str], last: str) -> str:
        """Return the holder of a post: by the posts in the text, else by the roster, else by its last word."""
        phrase = " ".join(post)
        key, head = make_role_key(phrase), _find_role_head(post)
        if len(post) == 1 and is_capitalised(post[0]) and head in self._full:
            return self._full[head]  # "King said" of Ann King
        named = self._posts.get(key, set())
        if len(named) == 1:
            return get_only(named)
        home = HOME_ROLES.get((self._outlet, phrase.casefold()), "")
        # "the spokeswoman" is a person of the text. Only a longer post can mean a person of the roster.
        if (home or len(key) > 1) and (holder := self._roster.find_role(home or phrase, self._on)):
            return holder
        # After "Kremlin spokesman X", "the president’s spokesman" is X, but the spokesman of another country is not.
        if owners := {POSSESSIVE.sub("", w.casefold()) for w in post if re.search(r"\w[’']s?$", w)}:
            holders = self._heads.get(_normalise_role_head(head), ())
            return get_only([n for n in holders if owners <= self._owners.get(n, set())])
        if any(is_capitalised(w) and not is_role_head(w) and w.casefold() not in lexicon.PARTIES for w in post):
            return ""
        return self._choose_holder(post, head, named, last)

    def _choose_holder(self, post: Sequence[str], head: str, named: set[str], last: str) -> str:
        """Return the holder among those `named` with the post, or with its last word; the `last` speaker decides."""
        role = _normalise_role_head(head)
        candidates = named or self._heads.get(role, set())
        if party := find_party(post):
            return get_only([name for name in candidates if self._parties.get(name) == party])
        if not candidates and head:
            people = set(self._full.values())
            candidates = {name for name in people if self._roster.holds_post(name, role, self._on)}
        if len(candidates) == 1:
            return get_only(candidates)
        is_last = last in candidates or (not candidates and self._roster.holds_post(last, role, self._on))
        return last if is_last else ""

    def find_most_named(self, party: str) -> str:
        """Return the person whom the text names by far most often, of this party unless it is "", or ""."""
        people = {name for name in self._full.values() if not party or self._parties.get(name, party) == party}
        ranked = sorted(((self._counts[get_surname(name).casefold()], name) for name in people), reverse=True)
        if not ranked or ranked[0][0] < MIN_DOMINANT_MENTIONS:
            return ""
        return ranked[0][1] if len(ranked) < 2 or ranked[0][0] >= MIN_DOMINANT_RATIO * ranked[1][0] else ""

    def is_stranger(self, mention: Mention | None) -> bool:
        """Return whether a mention is of an unknown person: "he" may then mean them."""
        if mention is None or mention == UNNAMED_THING or self.resolve(mention):
            return False
        return not mention.name or mention.name[-1].casefold() not in lexicon.NON_NAME_WORDS | lexicon.IMPERSONAL_NOUNS

    def find_by_handle(self, handle: str) -> str:
        """Return the person of text or roster whose full name is in an account name, as in `@realAnnLee`, or ""."""
        plain = handle.casefold()
        names = {*self._full.values(), *self._roster.names()}
        return get_only([name for name in names if " " in name and name.replace(" ", "").casefold() in plain])

    def is_name(self, word: str) -> bool:
        """Return whether a word is a name: it is also capitalised within sentences, or a known name."""
        plain = POSSESSIVE.sub("", word.casefold())
        return plain in self._within or plain in self._full or bool(self._roster.find_by_surname(plain))

    def is_known(self, name: str) -> bool:
        """Return whether the roster has this name."""
        return self._roster.is_known(name)

    def people(self) -> frozenset[str]:
        """Return the persons whom the texts name in full."""
        return frozenset(self._people)

    def add_surname(self, mention: Mention | None, has_quotation: bool = True) -> None:
        """Add a single surname as a person of this text, because it is the subject of a verb of saying.

        Without a quotation in its paragraph, the text must show elsewhere that the name is a person's.
        """
        if mention is None or len(mention.name) != 1 or mention.loose:
            return
        name = mention.name[0]
        word = name.casefold()
        if (not has_quotation and word not in self._persons) or name.isupper() or name.endswith("ly") or len(name) < 3:
            return
        is_noun = word in lexicon.NON_NAME_WORDS | lexicon.IMPERSONAL_NOUNS | lexicon.ROLE_HEADS
        is_place_or_thing = word in lexicon.US_STATES | self._places | self._things
        if not is_noun and not is_place_or_thing and not self.resolve(mention):
            self._full[word] = name

    def is_full_name(self, name: str) -> bool:
        """Return whether the document or the roster has this person by full name."""
        return name in self._people or name in self._full.values() or self._roster.is_known(name)

    def _find_relative(self, tokens: Sequence[Token], i: int) -> str:
        """Return `Kathy Hobbs` for the Kathy in `Hobbs’s wife, Kathy,` and `his wife, Kathy,`, else ""."""
        if i < 3 or tokens[i - 1].text != "," or tokens[i - 2].text not in lexicon.KIN_NOUNS:
            return ""
        owner = tokens[i - 3].text
        if owner.casefold() in ("his", "her") and self._last_learned:
            return f"{tokens[i].text} {get_surname(self._last_learned)}"
        is_owner = is_capitalised(owner) and POSSESSIVE.search(owner)
        return f"{tokens[i].text} {POSSESSIVE.sub('', owner)}" if is_owner else ""

    def _learn(self, tokens: Sequence[Token]) -> None:
        """Add the persons whom a paragraph names in full."""
        i = 0
        while i < len(tokens):
            if not is_capitalised(tokens[i].text) or tokens[i].text.casefold() in lexicon.SENTENCE_OPENERS:
                i += 1
                continue
            end = i
            while end < len(tokens) and can_be_in_name(tokens[end].text):
                end += 1
            if end == i + 1 and (relative := self._find_relative(tokens, i)):
                self._people.add(relative)
                self._full.setdefault(tokens[i].text.casefold(), relative)
            mention = find_mention_before(tokens, end)
            if mention is not None and len(mention.name) > 1:
                self._learn_person(mention, tokens, end)
            i = max(end, i + 1)

    def _learn_person(self, mention: Mention, tokens: Sequence[Token], end: int) -> None:
        """Add the person of a mention that ends before `end`, with their party, post and the post's owners."""
        name = self.resolve(mention)
        surname = get_surname(mention.name[-1]).casefold()
        if not name or surname not in name.casefold():
            return
        # The first person with a surname keeps it: others of that name are then named in full.
        self._full.setdefault(surname, name)
        self._people.add(name)
        self._last_learned = name
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
        owners = {POSSESSIVE.sub("", w.casefold()) for w in post if is_capitalised(w) and not is_role_head(w)}
        self._owners.setdefault(name, set()).update(owners)
        if head := _find_role_head(post):
            self._heads.setdefault(_normalise_role_head(head), set()).add(name)


def _find_role_head(post: Sequence[str]) -> str:
    return next((word.casefold() for word in reversed(post) if is_role_head(word)), "")


def _normalise_role_head(head: str) -> str:
    return next(iter(make_role_key(head)), head)


def _normalise_word(word: str) -> str:
    return POSSESSIVE.sub("", word.casefold()) if word[-1] in "s’'" else word.casefold()
