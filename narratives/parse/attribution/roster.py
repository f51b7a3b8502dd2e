"""Look up speakers of the roster by name, alias, label or post."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache

from narratives.model import Role, Speaker
from narratives.parse.attribution import lexicon

_BRACKETED_REMARK = re.compile(r"\s*(?:\([^()]*\)|\[[^\[\]]*\])\s*$")
_TOKEN_PATTERN = re.compile(r"\w+(?:[’'-]\w+)*")
_ROLE_SYNONYMS = {
    "spokesman": "spokesperson",
    "spokeswoman": "spokesperson",
    "presidential": "president",
    "russian": "russia",
    "ministry": "minister",
    "affairs": "",
    "federation": "",
    "chairman": "chair",
    "chairwoman": "chair",
    "chairperson": "chair",
    "american": "us",
    "gov": "governor",
    "sen": "senator",
    "rep": "representative",
    "congressman": "representative",
    "congresswoman": "representative",
    "gen": "general",
    "col": "colonel",
}
RoleKey = frozenset[str]
MAX_NAME_WORDS = 8
CAREER_YEARS = 4  # before the first known post, in which a surname may already be that person's


class Roster:
    """Canonical names of the speakers in `data/speakers.toml`; unknown names stay as given.

    Case, accents and punctuation are ignored. A name with a post ("President of Russia Vladimir Putin") is the
    person of the roster only if the post has a word in common with that person's posts or affiliation. A
    namesake in another office keeps the label from the text.
    """

    def __init__(self, speakers: Sequence[Speaker]) -> None:
        self._names: dict[str, str] = {}
        self._surnames: dict[str, str] = {}
        self._posts: dict[str, frozenset[str]] = {}
        self._roles: dict[RoleKey, list[tuple[Role, str]]] = {}
        self._roles_without_country: dict[RoleKey, list[tuple[Role, str]]] = {}
        self._held: dict[str, list[tuple[Role, RoleKey]]] = {}
        for speaker in speakers:
            for spelling in (speaker.name, *speaker.aliases):
                self._names.setdefault(_make_name_key(spelling), speaker.name)
            surname = _make_name_key(get_surname(speaker.name))
            self._surnames[surname] = "" if surname in self._surnames else speaker.name
            words = " ".join([*(role.title for role in speaker.roles), speaker.affiliation])
            self._posts[speaker.name] = frozenset(_get_content_words(words))
            for role in speaker.roles:
                key = make_role_key(role.title)
                self._roles.setdefault(key, []).append((role, speaker.name))
                self._roles_without_country.setdefault(key - {"russia"}, []).append((role, speaker.name))
                self._held.setdefault(speaker.name, []).append((role, key))
        self._resolved: dict[tuple[str, str], str] = {}

    def is_known(self, name: str) -> bool:
        """Return whether the name is a canonical name or an alias."""
        return _make_name_key(name) in self._names

    def names(self) -> tuple[str, ...]:
        """Return the canonical names."""
        return tuple(self._posts)

    def find_by_surname(self, surname: str) -> str:
        """Return the canonical name of the only speaker with this surname or alias, or ""."""
        key = _make_name_key(surname)
        return self._names.get(key) or self._surnames.get(key, "")

    def resolve(self, name: str, on: str = "") -> str:
        """Return the canonical name for a label, an alias, or a post held on the partial date `on`; else the label.

        A label that is returned is cleaned (`clean_name`).
        """
        resolved = self._resolved.get((name, on))
        if resolved is None:
            resolved = self._resolved[name, on] = self._resolve(name, on)
        return resolved

    def _resolve(self, name: str, on: str) -> str:
        clean = clean_name(name)
        if canonical := self._names.get(_make_name_key(clean)):
            return canonical
        tokens = clean.split()
        if len(tokens) == 1 and name.split()[0].casefold().rstrip(".") in lexicon.HONORIFICS:
            return self.find_by_surname(clean) or clean
        for i in range(max(1, len(tokens) - MAX_NAME_WORDS), len(tokens)):
            person = self.find_by_surname(" ".join(tokens[i:]))
            if person and self._fits(person, tokens[:i]):
                return person
        return self.find_role(clean, on) or clean

    def find_role(self, phrase: str, on: str = "") -> str:
        """Return the only holder of a post on a partial date (any time if empty), or "" for none or several."""
        key = make_role_key(phrase)
        held = self._roles.get(key, [])
        if not held:
            bare = key - {"russia"}
            if len(bare) > 1:
                held = self._roles_without_country.get(bare, [])
        names = {name for role, name in held if _is_held_on(role, on)}
        return get_only(names)

    def holds_post(self, name: str, head: str, on: str = "") -> bool:
        """Return whether a person held, on a partial date, a post whose key (`make_role_key`) contains a word."""
        return any(head in key and _is_held_on(role, on) for role, key in self._held.get(name, ()))

    def holds_title(self, name: str, head: str, on: str = "") -> bool:
        """Return whether a person held, on a partial date, a post whose title has this word; any post if it is ""."""
        return any(
            _is_held_on(role, on) and (not head or head in _TOKEN_PATTERN.findall(role.title.casefold()))
            for role, _ in self._held.get(name, ())
        )

    def is_before_posts(self, name: str, on: str) -> bool:
        """Return whether a partial date is more than `CAREER_YEARS` before all posts of a person."""
        starts = [role.start.year if role.start else 0 for role, _ in self._held.get(name, ())]
        return bool(on and starts) and int(on[:4]) + CAREER_YEARS < min(starts)

    def _fits(self, person: str, post: Iterable[str]) -> bool:
        words = frozenset(_get_content_words(" ".join(post)))
        return not words or not self._posts[person] or bool(words & self._posts[person])


def clean_name(name: str) -> str:
    """Return a label without remarks in brackets, a post after a comma, honorifics or a closing colon."""
    clean = " ".join(name.split()).strip(" :,;")
    while (shorter := _BRACKETED_REMARK.sub("", clean)) != clean and shorter:
        clean = shorter
    before, comma, after = clean.partition(", ")
    if comma and after and 2 <= len(before.split()) <= 4 and before.istitle():
        clean = before
    tokens = clean.split()
    while len(tokens) > 1 and tokens[0].casefold().rstrip(".") in lexicon.HONORIFICS:
        tokens = tokens[1:]
    return " ".join(tokens)


def get_only(names: Collection[str]) -> str:
    """Return the only name of a collection, or "" for none or several."""
    return next(iter(names)) if len(names) == 1 else ""


def get_surname(name: str) -> str:
    """Return the last word of a name without an Arabic article: Bashar al-Assad is called "Mr Assad"."""
    return re.sub(r"^(?:al|el)-", "", name.split()[-1], flags=re.IGNORECASE) if name.split() else ""


def make_role_key(phrase: str) -> RoleKey:
    """Return the words that identify a post, without regard to their order and form."""
    text = phrase.casefold().replace("press secretary", "spokesperson")
    words = [re.sub(r"[’']s?$", "", word) for word in _TOKEN_PATTERN.findall(text)]
    kept = {
        _ROLE_SYNONYMS.get(word, word) for word in words if word not in lexicon.POST_FILLERS or word == "deputy"
    } - {""}
    if "spokesperson" in kept and kept & {"president", "kremlin"}:
        kept = (kept - {"president", "russia"}) | {"kremlin"}
    return frozenset(kept)


def fold_accents(name: str) -> str:
    """Return a name in lower case without accents."""
    if name.isascii():
        return name.casefold()
    plain = unicodedata.normalize("NFKD", name.casefold())
    return "".join(c for c in plain if not unicodedata.combining(c))


@lru_cache(maxsize=10_000)  # a document names the same persons again and again
def _make_name_key(name: str) -> str:
    return " ".join(_TOKEN_PATTERN.findall(fold_accents(name)))


def _get_content_words(text: str) -> set[str]:
    # One profession with many names: a host is a moderator too.
    return {
        "journalist" if word in lexicon.INTERVIEWER_HEADS else _ROLE_SYNONYMS.get(word, word)
        for word in _TOKEN_PATTERN.findall(text.casefold())
        if word not in lexicon.POST_FILLERS and word not in lexicon.HONORIFICS
    } - {"", "russia"}


def _is_held_on(role: Role, on: str) -> bool:
    # Partial dates compare at their own precision: a post that ended in May 2016 was held "in 2016".
    starts = role.start.isoformat()[: len(on)] if role.start else ""
    ends = role.end.isoformat()[: len(on)] if role.end else "9999"
    return not on or starts <= on <= ends
