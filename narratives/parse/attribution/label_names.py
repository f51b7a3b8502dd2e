"""Find out who is meant by the turn labels of a document: which forms go together, and what name they stand for."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from narratives.parse.attribution import lexicon
from narratives.parse.attribution.labels import KNOWN_POST_WORDS, ROLES, Label, parse_label
from narratives.parse.attribution.roster import RoleKey, Roster, clean_name, get_only, make_role_key

MAX_INTRODUCTIONS = 3  # turns in which a person may say "I'm Ann Lee"
MAX_POST_WORDS = 6  # of a description that is remembered as a post
MIN_FIRST_NAME_RATIO = 0.75
COUNTRIES = {
    "Kremlin": "Russia",
    "Ministry of Foreign Affairs of Russia": "Russia",
    "White House": "the United States",
    "U.S. Department of State": "the United States",
}
_WORD = re.compile(r"[^\W\d_]+(?:[’'-][^\W\d_]+)*")
_WHITE_HOUSE = re.compile(r"\bthe white house\b|\boffice of the press secretary\b", re.IGNORECASE)
MAX_INITIALS = 3
MAX_LABELS = 2000  # different labels whose persons are looked for; real transcripts have up to some hundreds
MAX_LINES, MAX_CHARACTERS = 60, 1000  # of the lines above the first turn, and of each of these and of a turn
_NAME = r"(?<![\w.'’-])[^\W\d_][\w.'’-]{0,40}"
_INTRODUCTION = r"(?:\bI[’']m|\bI am|\b[Mm]y name is|\b[Tt]his is)\s+(?P<before>(?:{name}\s+){{1,3}}){surname}\b"
_SMALL_POST_WORDS = lexicon.PREPOSITIONS | {"the"}
_STOP_WORDS = (
    lexicon.SENTENCE_OPENERS
    | lexicon.PREPOSITIONS
    | lexicon.NON_LABEL_WORDS
    | lexicon.LABEL_TITLES
    | lexicon.EPITHETS
    | ROLES
    | KNOWN_POST_WORDS
    | {"joint", "briefing", "remarks", "interview", "statement", "conference", "meeting"}
) - lexicon.NAME_PARTICLES
_FIRST_NAMES = lexicon.FEMALE_NAMES | lexicon.MALE_NAMES


@dataclass(frozen=True, slots=True)
class LabelContext:
    """What a document says about its speakers beside their labels.

    `above` are title, headings and lines above the first turn; `turns` are the texts under every label.
    """

    above: Sequence[str] = ()
    turns: Mapping[str, Sequence[str]] = field(default_factory=dict)
    text: str = ""
    on: str = ""
    outlet: str = ""


def name_labels(labels: Iterable[str], context: LabelContext, roster: Roster) -> dict[str, str]:
    """Return the name of the speaker for every turn label; "" for labels of unnamed askers and answerers.

    A full name is kept, without posts; the roster gives its canonical form. A surname is the person who is named
    in full in another label, above the first turn, or in an introduction ("I'm Ann Lee"), or the person of the
    roster who held the post in the label or is named in the text. A post is its holder by another label, by the
    lines above the first turn, or by the roster for the country of the outlet or title and the date. What cannot
    be resolved keeps its own words: `Dolk`, `The President`.
    """
    parsed = {label: parts for label in labels if (parts := parse_label(label)) is not None}
    cast = _Cast(list(parsed.values())[:MAX_LABELS], context, roster)
    return {
        label: cast.name(parts) if number < MAX_LABELS else clean_name(label)
        for number, (label, parts) in enumerate(parsed.items())
    }


class _Cast:
    """The persons of one document behind its labels."""

    def __init__(self, labels: Sequence[Label], context: LabelContext, roster: Roster) -> None:
        self._context, self._roster = context, roster
        self._spellings = _find_spellings(labels, context)
        self._full: dict[tuple[str, ...], str] = {}
        self._posts: dict[RoleKey, set[str]] = defaultdict(set)
        self._displays: dict[RoleKey, str] = {}
        self._by_surname: dict[str, list[Label]] = defaultdict(list)
        self._people: dict[str, list[tuple[str, ...]]] = defaultdict(list)
        self._titled: dict[str, set[str]] = defaultdict(set)
        self._learn_people(labels)
        for label in labels:
            if label.name:
                self._by_surname[_fold(label.name[-1])].append(label)
            elif label.form == "post":
                key, display = _make_post_key(label), _display_post(label)
                if key not in self._displays or display.startswith("The "):
                    self._displays[key] = display
            if head := _find_head(label):
                self._titled[head] |= {_fold(word) for word in label.name[-1:]}
        self._above = [text[:MAX_CHARACTERS] for text in context.above if text][:MAX_LINES]
        self._plain_text = context.text.casefold()

    def _learn_people(self, labels: Sequence[Label]) -> None:
        for label in labels:
            person = label if label.name else parse_label(label.bracket)
            if person is not None and len(person.name) > 1:
                self._add_person(person.name, self._name_in_full(person), label)
        for long in self._full:
            # `Gazprom CEO Alexei Miller` and `Alexei Miller`
            for short in self._people[long[-1]]:
                if 1 < len(short) < len(long) and long[-len(short) :] == short:
                    self._full[long] = self._full[short]

    def name(self, label: Label) -> str:
        """Return the name that a label stands for, or ""."""
        if label.form in ("asker", "answerer"):
            return ""
        if label.form == "post":
            return self._name_post(label)
        if person := self._find_person(label):
            return person
        return self._name_in_full(label) if len(label.name) > 1 else self._name_by_surname(label)

    def _add_person(self, words: Sequence[str], name: str, label: Label) -> None:
        key = tuple(map(_fold, words))
        if key not in self._full:
            self._people[key[-1]].append(key)
        self._full[key] = name
        posts = [_join_post(label.post), *([label.after] if len(label.after.split()) <= MAX_POST_WORDS else [])]
        for post in filter(None, posts):
            if any(word.casefold().strip(".,") in ROLES for word in post.split()):
                self._posts[make_role_key(post)].add(name)

    def _name_in_full(self, label: Label) -> str:
        """Return the canonical or given form of a full name; a namesake of the roster in another post keeps it."""
        bare = self._restore_case(label.name)
        phrase = f"{_join_post(label.post)} {bare}".strip()
        if not self._roster.is_known(bare):
            person = self._roster.resolve(phrase, self._context.on) if label.post else ""
            return person if self._roster.is_known(person) and _is_same_first_name(person, bare) else bare
        person = self._roster.resolve(bare, self._context.on)
        return person if self._roster.resolve(phrase, self._context.on) == person else _capitalise(phrase)

    def _find_person(self, label: Label) -> str:
        """Return the only person named in full by labels, lines above, or an introduction who fits a label, or ""."""
        words = tuple(map(_fold, label.name))
        people = {self._full[full] for full in self._people.get(words[-1], ()) if full[-len(words) :] == words}
        if len(label.name) > 1 and words in self._full:
            return self._full[words]
        people = {name for name in people if _fits_gender(name, label)}
        if len(people) > 1:
            held = self._posts.get(make_role_key(_join_post(label.post)), set())
            people = people & held or people
        if not people:
            people = {name for name in self._find_named_above(label) if _fits_gender(name, label)}
        if not people and len(words[0].replace(".", "")) <= MAX_INITIALS and label.is_caps:
            people = self._find_by_initials(label.name[0].replace(".", ""))
        return get_only(people)

    def _find_named_above(self, label: Label) -> set[str]:
        """Return the full names with the surname of a label above the first turn, or else in its introductions."""
        surname = re.escape(" ".join(label.name))
        pattern = re.compile(rf"(?P<before>(?:{_NAME}\s+){{1,3}}){surname}(?![\w-])", re.IGNORECASE)
        names = {n for text in self._above for match in pattern.finditer(text) if (n := self._complete(match, label))}
        if names:
            return names
        introduction = re.compile(_INTRODUCTION.format(name=_NAME, surname=surname), re.IGNORECASE)
        turns = self._context.turns.get(label.text, ())[:MAX_INTRODUCTIONS]
        matches = (match for text in turns for match in introduction.finditer(text[:MAX_CHARACTERS]))
        return {name for match in matches if (name := self._complete(match, label))}

    def _find_by_initials(self, initials: str) -> set[str]:
        """Return the full names above the first turn with these initials: Irena Dolk for `I.D.:`."""
        pattern = re.compile(
            r"(?<![\w.])" + r"\s+".join(rf"{initial}[^\W\d_]{{1,30}}" for initial in initials) + r"(?!\w)"
        )
        found = {match[0] for text in self._above for match in pattern.finditer(text)}
        return {name for name in found if not any(_fold(word) in _STOP_WORDS for word in name.split())}

    def _complete(self, match: re.Match[str], label: Label) -> str:
        """Return the full name that ends in the surname of a label, or "" if no first name is before it."""
        first = _take_first_names(match["before"].split())
        if not first:
            return ""
        return self._name_in_full(Label(label.text, "full", (), (*first, *label.name)))

    def _name_by_surname(self, label: Label) -> str:
        surname = self._restore_case(label.name)
        if person := self._find_on_roster(label, surname):
            return person
        others = self._by_surname[_fold(label.name[-1])]
        places = {other.after for other in others if other.after and not _find_head(other)}
        if len(places) > 1 and label.after:
            return f"{surname} of {label.after}"
        heads = {head for other in others if (head := _find_head(other)) and head not in lexicon.RANKS}
        if len(heads) > 1 and _find_head(label):
            return f"{_capitalise(_join_post(label.post))} {surname}"
        genders = {gender for other in others if (gender := _find_gender(other))}
        if len(genders) > 1 and _find_gender(label):
            return f"{_capitalise(' '.join(label.post))} {surname}"
        return surname

    def _find_on_roster(self, label: Label, surname: str) -> str:
        """Return the person of the roster with a surname who held the post of a label, or is named in the text."""
        person = self._roster.find_by_surname(surname)
        if not person or not _fits_gender(person, label) or self._roster.is_before_posts(person, self._context.on):
            return ""
        if head := _find_head(label):
            return person if self._roster.holds_title(person, head, self._context.on) else ""
        is_home = self._get_country() == "Russia" and self._roster.holds_title(person, "", self._context.on)
        return person if is_home or person.casefold() in self._plain_text else ""

    def _name_post(self, label: Label) -> str:
        key = _make_post_key(label)
        if person := parse_label(label.bracket) if label.bracket else None:
            if len(person.name) > 1:
                return self._full[tuple(map(_fold, person.name))]
            if person.name:
                return self.name(person)
        if holder := get_only(self._posts.get(key, set())):
            return holder
        return self._find_holder(label) or self._displays[key]

    def _find_holder(self, label: Label) -> str:
        """Return the holder of a post by the lines above the first turn, or by the roster, or ""."""
        post = re.sub(r"^the ", "", _join_post(label.post))
        if not any(word in lexicon.ROLE_HEADS or word in ("moderator", "chair") for word in post.split()):
            return ""
        head = _find_head(label)
        titled = self._titled.get(head, set())
        pattern = re.compile(
            rf"(?P<before>[\w’'-]*)\s*\b{re.escape(post)}\b(?P<after>[\s:,]+(?:{_NAME}\s*){{1,4}})?", re.I
        )
        people: set[str] = set()
        for match in pattern.finditer("\n".join(self._above)):
            if match["before"].casefold() in ("vice", "deputy", "mr", "former", "madam"):
                continue
            name = _take_name((match["after"] or "").strip(" :,").split()) if match["after"] else ()
            if name and _fold(name[-1]) not in titled:
                people.add(self.name(Label(" ".join(name), "titled", tuple(post.split()), name)))
        return get_only(people) or self._find_holder_on_roster(post)

    def _find_holder_on_roster(self, post: str) -> str:
        """Return the holder of a post of the country that the title or the outlet gives, on the date, or ""."""
        on = self._context.on
        if not on:
            return ""
        pattern = rf"\b(?:(?P<adjective>[A-Z]\w+)\s+{re.escape(post)}|{re.escape(post)}\s+of\s+(?P<country>[A-Z]\w+))\b"
        phrases = [
            m[0]
            for text in self._above
            for m in re.finditer(pattern, text, re.IGNORECASE)
            if m["adjective"] or m["country"]
        ]
        if country := self._get_country():
            phrases.append(f"{post} of {country}")
            if country == "the United States":
                phrases.append("US Secretary of State" if post == "secretary" else f"US {post}")
        return get_only({name for phrase in phrases if (name := self._roster.find_role(phrase, on))})

    def _get_country(self) -> str:
        if country := COUNTRIES.get(self._context.outlet, ""):
            return country
        return COUNTRIES["White House"] if any(_WHITE_HOUSE.search(text) for text in self._above) else ""

    def _restore_case(self, words: Sequence[str]) -> str:
        return " ".join(self._spellings.get(_fold(w)) or _capitalise_name(w, i == 0) for i, w in enumerate(words))


def _find_spellings(labels: Sequence[Label], context: LabelContext) -> dict[str, str]:
    """Return how the text writes the names that labels have in capitals: `DEVOS` may be "DeVos"."""
    words = {word.casefold() for label in labels for word in label.name if word.isupper() and len(word) > 2}
    if not words:
        return {}
    found = (word for word in _WORD.findall(context.text) if not (word.isupper() or word.islower()))
    counts = Counter(word for word in found if word.casefold() in words)
    return {_fold(word): word for word, _ in reversed(counts.most_common())}


def _take_first_names(before: Sequence[str]) -> tuple[str, ...]:
    """Return the first names at the end of some words: one, or two if the last is an initial or a middle name."""
    names: list[str] = []
    for word in reversed(before):
        is_name = (
            word[:1].isupper() and word.casefold().strip(".") not in _STOP_WORDS and not word.endswith(("’s", "'s"))
        )
        is_first = not names or len(names[0].strip(".")) == 1 or word.casefold() in _FIRST_NAMES
        if not is_name or not is_first:
            break
        names.insert(0, word)
    return tuple(names) if names and (len(names[0].strip(".")) > 1 or "." in names[0]) else ()


def _take_name(after: Sequence[str]) -> tuple[str, ...]:
    """Return the name at the beginning of some words after a post."""
    words: list[str] = []
    for word in after:
        if not word[:1].isupper() or word.casefold().strip(".,;") in _STOP_WORDS:
            break
        words.append(re.sub(r"[’']s$", "", word.rstrip(",;.") if len(word) > 2 else word))
        if word.endswith((",", ";")):
            break
    if len(words) > 2 and len(words[1].strip(".")) == 1:
        return tuple(words[:3])
    if len(words) > 1 and (words[0].casefold() in _FIRST_NAMES or (len(words) == 2 and not words[0].isupper())):
        return tuple(words[:2])
    return tuple(words[:1])


def _is_same_first_name(one: str, other: str) -> bool:
    """Return whether two names have the same first name in other spellings, such as Alexandar and Aleksandar."""
    first, second = one.split()[0].casefold(), other.split()[0].casefold()
    return SequenceMatcher(None, first, second).ratio() >= MIN_FIRST_NAME_RATIO


def _make_post_key(label: Label) -> RoleKey:
    display = _display_post(label)
    return make_role_key(display) or frozenset((display,))


def _display_post(label: Label) -> str:
    """Return a post as a name: `THE PRESIDENT` is "The President", `Mr. Speaker` is "Speaker"."""
    words = re.sub(r"\([^()]*\)|\[[^\[\]]*\]", " ", label.text).split()
    while len(words) > 1 and words[0].casefold().strip(".") in lexicon.FEMALE_TITLES | lexicon.MALE_TITLES:
        words = words[1:]
    text = " ".join(words)
    return _capitalise(text) if text.isupper() else text


def _capitalise(text: str) -> str:
    words = text.casefold().split()
    small = (i > 0 and w in _SMALL_POST_WORDS for i, w in enumerate(words))
    return " ".join(
        w
        if is_small
        else w.upper()
        if w in lexicon.POST_ACRONYMS
        else "-".join(part[:1].upper() + part[1:] for part in w.split("-"))
        for w, is_small in zip(words, small, strict=True)
    )


def _capitalise_name(word: str, is_first: bool) -> str:
    """Return a word of a name with small letters: `MCCURRY` is "McCurry", `O'BRIEN` is "O'Brien"."""
    if not is_first and word.isupper() and word.casefold() in lexicon.NAME_PARTICLES:
        return word.casefold()
    prefix = re.match(r"(?:Mc|Mac|De|La|Le|Van|Di|Du)(?=[A-ZÀ-Þ]{2})", word)
    if prefix:
        return prefix[0] + word[prefix.end() :].capitalize()
    if not word.isupper() or len(word) < 2 or "." in word or re.fullmatch("[IVX]+", word):
        return word
    parts = [part[:1].upper() + part[1:].casefold() for part in re.split(r"([’'-])", word)]
    plain = "".join(parts)
    return f"Mc{plain[2:].capitalize()}" if plain.startswith("Mc") and len(plain) > 3 else plain


def _find_head(label: Label) -> str:
    """Return the last word of the post in a label, such as "secretary", or ""; honorifics are no post."""
    return next((w for word in reversed(label.post) if (w := word.strip(".")) in ROLES), "")


def _find_gender(label: Label) -> str:
    titles = {word.strip(".") for word in label.post}
    return "female" if titles & lexicon.FEMALE_TITLES else "male" if titles & lexicon.MALE_TITLES else ""


def _fits_gender(name: str, label: Label) -> bool:
    first = name.split()[0].casefold()
    gender = _find_gender(label)
    return not (gender == "male" and first in lexicon.FEMALE_NAMES) and not (
        gender == "female" and first in lexicon.MALE_NAMES
    )


def _join_post(post: Sequence[str]) -> str:
    return " ".join(_iterate_post(post))


def _iterate_post(post: Sequence[str]) -> Iterator[str]:
    for word in post:
        if word.strip(".") not in lexicon.LABEL_TITLES or word == "the":
            yield word.strip(".")


def _fold(word: str) -> str:
    return word.casefold().strip(".")
