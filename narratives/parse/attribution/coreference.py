"""Resolve pronouns, and find the speaker of a quotation that has no verb of saying."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from narratives.parse.attribution import lexicon
from narratives.parse.attribution.entities import EntityIndex
from narratives.parse.attribution.mentions import (
    DETERMINERS,
    POSSESSIVE,
    QUOTE_TOKEN,
    UNNAMED_THING,
    Mention,
    SentenceSubject,
    Token,
    find_mention_after,
    find_mention_start,
    find_subject_from,
    is_capitalised,
    iterate_sentence_starts,
)
from narratives.parse.attribution.reporting_clauses import SpeechAct
from narratives.parse.attribution.roster import get_only

MIN_FULL_QUOTE = 20  # characters from which a quotation is more than a quoted word or two
_FORMS_OF_BE = ("was", "were", "is", "are", "been", "being", "be")
# "Hobbs is heard saying" does not count as a passive.
_NON_PASSIVE_PARTICIPLES = ("heard", "quoted", "caught", "seen", "recorded", "unmoved", "unimpressed", "undeterred")
_INTRODUCING_WORDS = ("is", "was", "are", "were", "by", "like", "including", "comes", "from", "as", "with")


def find_implied_speaker(tokens: Sequence[Token], entities: EntityIndex) -> tuple[str, SentenceSubject | None]:
    """Return the speaker of the first long quotation, or ""; and the subject, if it is a pronoun.

    The speaker is the subject of the sentence ("Hobbs ended the night with a promise: ..."). For a quotation
    that is a sentence of its own, it is the subject of the sentence before, the person whom that introduces
    ("Then there is Ann Lee."), or the owner of a word for speech ("Marsh’s answer was short.").
    """
    at = next((i for i, token in enumerate(tokens) if token.quoted >= MIN_FULL_QUOTE), 0)
    starts = [i for i in iterate_sentence_starts(tokens) if i <= at]
    if not at or not starts:
        return "", None
    start = starts[-1]
    if start == at:
        # “...” on its own; words after it may name its speaker in a way that is not understood.
        if len(starts) < 2 or (at + 1 < len(tokens) and tokens[at + 1].text[:1].islower()):
            return "", None
        start = starts[-2]
    if any(_names_other_source(tokens, i) for i in range(start, at)):
        return "", None
    if owner := _find_possessor(tokens, start, at, entities):
        return owner, None
    head = find_subject_from(tokens, start)
    name = entities.resolve(head.mention)
    if name and entities.is_full_name(name):
        if any(name in pair for pair in find_paired_subjects(tokens[start:at], entities)):
            return "", None
        return ("" if _is_passive_subject(tokens, head, at) else name), None
    if head.pronoun:
        return "", None if _is_passive_subject(tokens, head, at) else head
    name = find_introduced_person(tokens, start, at, entities)[1] if head.mention is None else ""
    if not name and head.mention is None and tokens[at - 1].text == ":":
        name = _find_only_person(tokens, start, at, entities)
    return name, None


def _names_other_source(tokens: Sequence[Token], i: int) -> bool:
    word = tokens[i].text.casefold()
    if word in ("sign", "signs"):
        return tokens[i + 1].text != "of"  # "no sign of backing down"
    return word in lexicon.ANONYMOUS_QUOTE_WORDS or word == QUOTE_TOKEN


def _find_only_person(tokens: Sequence[Token], start: int, at: int, entities: EntityIndex) -> str:
    """Return the only person whom a sentence names: `That prompted Marsh to reply: “...”`."""
    first = (i for i in range(start, at) if is_capitalised(tokens[i].text) and not is_capitalised(tokens[i - 1].text))
    names = {entities.resolve(find_mention_after(tokens, i)) for i in first} - {""}
    return get_only(names)


def find_introduced_person(tokens: Sequence[Token], start: int, end: int, entities: EntityIndex) -> tuple[int, str]:
    """Return where, and whom, a sentence without a person as its subject introduces: `One of them is Ann Lee`."""
    for i in range(start + 1, end):
        if not is_capitalised(tokens[i].text) or is_capitalised(tokens[i - 1].text):
            continue
        mention = find_mention_after(tokens, i)
        if mention is None or len(mention.name) < 2:
            continue
        after = i + len(mention.post) + len(mention.name)
        name = entities.resolve(mention)
        following = [token.text for token in tokens[after : after + 2]]
        is_introduced = tokens[i - 1].text in _INTRODUCING_WORDS and following[:1] in ([","], ["."], [":"])
        is_described = following[:1] == [","] and following[1:] and following[1] in DETERMINERS
        if name and entities.is_full_name(name) and (is_introduced or is_described):
            return i, name
    return start, ""


MAX_INTRODUCTION_TOKENS = 30
_CONNECTIVES = frozenset(("and", "also", "then", "next", "finally", "now", "this", ","))


def find_introduction(tokens: Sequence[Token], entities: EntityIndex) -> str | None:
    """Return whose words a line introduces, "" if it names several persons, None if it introduces nobody.

    Such lines are "And from the chairwoman, Ann Lee:", "Ann Lee, a nurse:" and "From the desk of Ann Lee."
    """
    if len(tokens) < 2 or len(tokens) > MAX_INTRODUCTION_TOKENS or any(token.quoted for token in tokens):
        return None
    openers = [token.text.casefold() for token in tokens[:4]]
    opener = next((i for i, word in enumerate(openers) if word in ("from", "by")), -1)
    opener = opener if set(openers[: max(opener, 0)]) <= _CONNECTIVES else -1
    if tokens[-1].text != ":" and (opener < 0 or not _is_verbless(tokens)):
        return None
    start = next(iterate_sentence_starts(tokens, len(tokens) - 1), 0)
    words = [token.text for token in tokens]
    persons = [(at, name) for at, name in find_persons(tokens, entities) if at >= start]
    # "A message was sent to Ann Lee:" does not introduce her words.
    names = {name for at, name in persons if not {"to", "for", "with"} & set(words[max(at - 3, start) : at])}
    if len(names) > 1:
        head = find_subject_from(tokens, start)
        is_alone = head.at == start and not find_paired_subjects(tokens[start:], entities)
        return entities.resolve(head.mention) if is_alone else ""
    return get_only(names) or (entities.resolve(find_mention_after(tokens, opener + 1)) if opener >= 0 else "") or None


def _is_verbless(tokens: Sequence[Token]) -> bool:
    """Return whether a line has no verb that its small words or endings show."""
    words = [token.text for token in tokens]
    return not any(w in lexicon.WORDS_AFTER_NAMES - {"and", "or", "of"} or w.endswith(("ed", "ing")) for w in words)


def _find_possessor(tokens: Sequence[Token], start: int, at: int, entities: EntityIndex) -> str:
    """Return the owner of a word for speech, such as Marsh in `Marsh’s answer was short`."""
    for i in range(start + 1, at):
        if tokens[i].text.casefold() not in lexicon.SPEECH_NOUNS:
            continue
        for j in range(i, max(i - 3, start), -1):
            if is_capitalised(tokens[j - 1].text) and POSSESSIVE.search(tokens[j - 1].text):
                first = j - 1
                while first > start and is_capitalised(tokens[first - 1].text):
                    first -= 1
                owner = Token(POSSESSIVE.sub("", tokens[j - 1].text))
                return entities.resolve(find_mention_after([*tokens[first : j - 1], owner], 0))
    return ""


def _is_passive_subject(tokens: Sequence[Token], head: SentenceSubject, at: int) -> bool:
    """Return whether the subject is passive: `Hobbs was described as “...”`, `Hobbs was greeted by “...”`."""
    words = [token.text.casefold() for token in tokens[head.at : at]]
    participles = (word for before, word in pairwise(words) if before in _FORMS_OF_BE)
    passives = (word for word in participles if word.endswith(("ed", "en", "told", "met", "hit")))
    return any(word not in _NON_PASSIVE_PARTICIPLES for word in passives)


MIN_ACT_QUOTE = 8  # characters of a quotation, next to which a verb of acting ("called") reports speech


class DiscourseState(NamedTuple):
    """What is known before a paragraph is read.

    Attributes:
        main: The speaker in the metadata or the title.
        talkers: The persons who say something anywhere in the text.
        recent: The persons named most recently, the latest first; "" for one without a name.
        asker: The person who asked something in the previous paragraph.
        pairs: The persons who are a subject together in the previous paragraphs: "Lee and Fox met".
        others: All persons named in the previous paragraph.
    """

    main: str
    talkers: frozenset[str]
    recent: tuple[str, ...]
    asker: str = ""
    pairs: tuple[tuple[str, str], ...] = ()
    others: frozenset[str] = frozenset()


def lowercase_openers(tokens: list[Token], entities: EntityIndex) -> list[Token]:
    """Return the tokens with ordinary words at the start of a sentence in lower case: "Fresh off a rout, Ann Lee"."""
    lowered = list(tokens)
    for i in iterate_sentence_starts(tokens):
        after = tokens[i + 1].text if i + 1 < len(tokens) else "."
        word = tokens[i].text
        may_be_name = word.isalpha() and is_capitalised(word) and not word.isupper()
        if not may_be_name or word.casefold() in lexicon.SENTENCE_OPENERS | lexicon.US_STATES:
            continue
        if (word.endswith("ly") or not _can_follow_name(after)) and not entities.is_name(word):
            lowered[i] = Token(word.casefold())
    return lowered


def _can_follow_name(word: str) -> bool:
    """Return whether a word may follow a name at the start of a sentence: a verb, "and", a mark."""
    if not (word.isalpha() and word.islower()):
        return True
    is_verb = word.endswith(("ed", "s")) and word not in ("across", "towards")
    return is_verb or word in lexicon.WORDS_AFTER_NAMES | lexicon.MODALS | lexicon.INTERVENING_WORDS


def find_previous_subject(tokens: Sequence[Token], at: int) -> Mention | None:
    """Return the subject of the last sentence before `at` that has one: "Marsh has been there. “...,” she said"."""
    mentions = (find_subject_from(tokens, i).mention for i in iterate_sentence_starts(tokens, at))
    return next((mention for mention in mentions if mention is not None), None)


def replace_handles(tokens: list[Token], entities: EntityIndex) -> list[Token]:
    """Return the tokens with the person's name in place of a handle such as `@realAnnLee`, if the person is known."""
    out: list[Token] = []
    for i, token in enumerate(tokens):
        name = entities.find_by_handle(token.text) if i and tokens[i - 1].text == "@" else ""
        if name:
            out[-1:] = [Token(word) for word in name.split()]
        else:
            out.append(token)
    return out


def is_epithet(tokens: Sequence[Token], act: SpeechAct) -> bool:
    """Return whether the subject is like `the New York businessman`, next to a quotation."""
    has_article = any(token.text.casefold() == "the" for token in tokens[max(act.at - 4, 0) : act.at + 2])
    post = act.mention.post if act.mention else ()
    word = post[-1] if post else tokens[act.at].text
    return has_article and word.casefold() in lexicon.EPITHETS and act.quote_length >= MIN_ACT_QUOTE


MAX_NAMES_BEFORE = 50  # names in the same paragraph that "he" or "she" may mean


class NamedPersons(NamedTuple):
    """The persons whom a paragraph names.

    Attributes:
        subjects: Where, and who, is the subject of a sentence; "" for a person without a name.
        persons: Where, and who, is named at all.
        pairs: Those who are the subject of a sentence together.
        starts: The places where the sentences begin.
    """

    subjects: list[tuple[int, str]]
    persons: list[tuple[int, str]]
    pairs: tuple[tuple[str, str], ...]
    starts: frozenset[int]


def find_named_persons(tokens: Sequence[Token], entities: EntityIndex) -> NamedPersons:
    """Return the persons whom a paragraph names."""
    pairs = tuple(dict.fromkeys(find_paired_subjects(tokens, entities)))
    starts = frozenset(iterate_sentence_starts(tokens))
    return NamedPersons(resolve_subjects(tokens, entities), find_persons(tokens, entities), pairs, starts)


def resolve_pronoun(
    tokens: Sequence[Token],
    act: SpeechAct,
    named: Sequence[tuple[int, str]],
    paragraph: NamedPersons,
    state: DiscourseState,
    entities: EntityIndex,
) -> tuple[str, str]:
    """Return whom "he" or "she" means, the nearest person before with a fitting name, and the method.

    `named` are the subjects of this paragraph so far, in order. Where no subject before fits, it is the only other
    person named there who does. Nobody is meant if either of two persons who are a subject together may be.
    """
    # "Marsh, he said, was late": he is not Marsh.
    is_inserted = act.at > 1 and tokens[act.at - 1].text == "," and is_capitalised(tokens[act.at - 2].text)
    first = find_mention_start(tokens, act.at - 1) if is_inserted else act.at
    limit = first if first in paragraph.starts else act.at
    nearest = bisect_left(named, (limit, ""))
    here = [name for _, name in reversed(named[max(nearest - MAX_NAMES_BEFORE, 0) : nearest])]
    # The person who was asked answers.
    earlier = [name for name in state.recent if name != state.asker] if state.asker else state.recent
    before = [*here, *earlier]
    genders = entities.genders
    name = next((name for name in before if genders.may_be(name, act.pronoun)), None)
    pairs = (*paragraph.pairs, *state.pairs)
    partner = next((one if name == other else other for one, other in pairs if name in (one, other)), "")
    if name and partner and not genders.find(name) and genders.may_be(partner, act.pronoun):
        name = partner if genders.find(partner) else None
    elif name is None:
        nearest = bisect_left(paragraph.persons, (limit, ""))
        others = {name for _, name in paragraph.persons[max(nearest - MAX_NAMES_BEFORE, 0) : nearest]} | state.others
        name = get_only({other for other in others if genders.find(other) == act.pronoun}) or None
    if name is None and not before and state.main and genders.may_be(state.main, act.pronoun):
        return state.main, "title"
    if name and not genders.find(name):
        genders.add(name, act.pronoun)
    return name or "", "pronoun"


def find_persons(tokens: Sequence[Token], entities: EntityIndex) -> list[tuple[int, str]]:
    """Return where, and whom, some words name in full or by a known surname, as subject or not."""
    capital = [is_capitalised(t.text) and t.text.casefold() not in lexicon.SENTENCE_OPENERS for t in tokens]
    firsts = [i for i, is_capital in enumerate(capital) if is_capital and not (i and capital[i - 1])]
    named: list[tuple[int, str]] = []
    for i in firsts:
        end = next((j for j in range(i, len(tokens)) if not capital[j]), len(tokens))
        is_owner = POSSESSIVE.search(tokens[end - 1].text)
        run = [*tokens[i : end - 1], Token(POSSESSIVE.sub("", tokens[end - 1].text))] if is_owner else []
        name = entities.resolve(find_mention_after(run, 0) if run else find_mention_after(tokens, i))
        named += [(i, name)] if name and entities.is_full_name(name) else []
    return named


MAX_PAIR_TOKENS = 14  # tokens of the description in "Ann Lee, the minister for trade, and Tom Fox"


def find_paired_subjects(tokens: Sequence[Token], entities: EntityIndex) -> list[tuple[str, str]]:
    """Return the two persons who are the subject of a sentence together, for every such sentence."""
    pairs: list[tuple[str, str]] = []
    for start in iterate_sentence_starts(tokens):
        head = find_subject_from(tokens, start)
        if head.mention is None or not head.mention.name or not (name := entities.resolve(head.mention)):
            continue
        after = head.at + len(head.mention.post) + len(head.mention.name)
        texts = [token.text for token in tokens[after : after + MAX_PAIR_TOKENS]]
        at = 0
        if len(texts) > 1 and texts[0] == "," and (texts[1] in DETERMINERS or texts[1][0].isdigit()):
            at = next((i for i, text in enumerate(texts) if text == "," and texts[i + 1 : i + 2] == ["and"]), -2) + 1
        if (
            at >= 0
            and texts[at : at + 1] in (["and"], ["or"], ["nor"])
            and is_capitalised((texts[at + 1 :] or [""])[0])
        ):
            partner = entities.resolve(find_mention_after(tokens, after + at + 1))
            if partner and partner != name:
                pairs.append((name, partner))
    return pairs


def resolve_subjects(tokens: Sequence[Token], entities: EntityIndex) -> list[tuple[int, str]]:
    """Return the persons who are subjects of a sentence, whom "he" may mean; "" for a person without a name."""
    persons: list[tuple[int, str]] = []
    for start in iterate_sentence_starts(tokens):
        head = find_subject_from(tokens, start)
        name = entities.resolve(head.mention)
        if name and entities.is_full_name(name):
            persons.append((head.at, name))
        elif head.mention is not None and not head.mention.name and entities.is_stranger(head.mention):
            persons.append((head.at, ""))
        if head.mention == UNNAMED_THING and (name := entities.resolve(find_mention_after(tokens, head.at))):
            persons.append((head.at, name))  # "The Marsh campaign notes that she"
        end = next((i for i in range(start, len(tokens)) if tokens[i].text in (".", QUOTE_TOKEN)), len(tokens))
        if head.mention is None and not head.pronoun:
            at, name = find_introduced_person(tokens, start, end, entities)
            if name:
                persons.append((at, name))
            elif owner := _find_owner(tokens, start, end, entities):
                persons.append(owner)
        if head.pronoun and head.at > start:
            persons += _find_fronted_persons(tokens, start, head, entities)
        elif not name:
            persons += find_asked_person(tokens, start, end, entities)
    return persons


def _find_owner(tokens: Sequence[Token], start: int, end: int, entities: EntityIndex) -> tuple[int, str] | None:
    """Return the only person of a sentence, if they own its subject or do what it says.

    They are Marsh in "Marsh's second attempt was better" and "By evening Marsh had cooled".
    """
    persons = find_persons(tokens[start:end], entities)
    if len(persons) != 1:
        return None
    [(at, name)] = persons
    after = next((i for i in range(start + at, end) if not is_capitalised(tokens[i].text)), end)
    is_owner = at == 0 and POSSESSIVE.search(tokens[max(after - 1, start)].text) is not None
    verb = tokens[after].text if after < end else ""
    is_agent = (at > 0 and verb in lexicon.WORDS_AFTER_NAMES - {"and", "or", "who", "of"}) or verb in (
        "had",
        "has",
        "would",
    )
    return (start + at, name) if is_owner or is_agent else None


def _find_fronted_persons(
    tokens: Sequence[Token], start: int, head: SentenceSubject, entities: EntityIndex
) -> list[tuple[int, str]]:
    """Return the persons in the words before a pronoun: "As for Marsh, she", "After Marsh lost, she"."""
    if any(token.text in ("him", "her", "his") for token in tokens[start : head.at]):
        return []
    capitalised = [i for i in range(start, head.at) if is_capitalised(tokens[i].text)]
    firsts = [i for i in capitalised if i - 1 not in capitalised]
    named = [(i, entities.resolve(find_mention_after(tokens, i))) for i in firsts]
    return [(i, name) for i, name in named if name and entities.is_full_name(name)]


def find_asked_person(tokens: Sequence[Token], start: int, end: int, entities: EntityIndex) -> list[tuple[int, str]]:
    """Return where, and whom, somebody asks: "When a reporter asked Marsh about it, she laughed"."""
    for i in range(start, end):
        if tokens[i].text.casefold() in ("asked", "pressed", "questioned", "confronted"):
            name = entities.resolve(find_mention_after(tokens, i + 1))
            return [(i + 1, name)] if name and entities.is_full_name(name) else []
    return []
