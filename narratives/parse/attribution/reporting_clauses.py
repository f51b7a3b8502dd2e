"""What stands between a subject and its verb of saying, and what only looks like one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from narratives.parse.attribution.lexicon import (
    ACTING_VERBS,
    INTERVENING_WORDS,
    INVERTIBLE_VERBS,
    MESSAGE_NOUNS,
    MODALS,
    NAME_PARTICLES,
    NON_NAME_WORDS,
    OCCASION_NOUNS,
    PARTICLE_VERBS,
    PREPOSITIONS,
    QUOTING_VERBS,
    SAYING_PARTICIPLES,
    SAYING_VERBS,
    US_STATES,
    VERB_BASES,
    WEEKDAYS,
    WORK_NOUNS,
)
from narratives.parse.attribution.mentions import (
    DETERMINERS,
    INDEFINITE_DETERMINERS,
    POSSESSIVE,
    QUOTE_TOKEN,
    UNNAMED_PERSON,
    UNNAMED_THING,
    Mention,
    SentenceSubject,
    Token,
    find_mention_after,
    find_mention_before,
    find_mention_start,
    find_subject,
    is_capitalised,
    iterate_sentence_starts,
    make_unnamed_mention,
)

MAX_APPOSITION_TOKENS = 24  # tokens between the commas of "Peskov, the Kremlin spokesman, said"


_SUBORDINATORS = ("when", "as", "while", "after", "before", "because", "since")


# Before the first word of a clause’s subject.
_APPOSITION_BOUNDS = ("and", "but", "that", "when", "while", "as", "then", "mr.", "ms.", "mrs.", "dr.", "the")


def can_stand_between(tokens: Sequence[Token], i: int) -> bool:
    """Whether a word may come between subject and verb: an adverb, a modal, a day, `on Friday night`."""
    word = tokens[i].text.casefold()
    if word in INTERVENING_WORDS or word in MODALS or word in WEEKDAYS or (word.endswith("ly") and i):
        return True
    following = tokens[i + 1].text.casefold() if i + 1 < len(tokens) else ""
    in_day = word in ("night", "morning", "afternoon", "evening") and i > 0
    if in_day and tokens[i - 1].text.casefold() in WEEKDAYS:
        return True
    return (word == "on" and following in WEEKDAYS) or word in ("tonight", "yesterday", "today")


def is_named_subject(tokens: Sequence[Token], start: int, mention: Mention | None) -> bool:
    """Whether the mention behind `said a` says it: `a smiling Ann Lee`, not `a Lee supporter`."""
    if mention is None or not mention.name:
        return False
    last = next((i for i in range(start, len(tokens)) if tokens[i].text.startswith(mention.name[-1])), start)
    after = tokens[last + 1].text if last + 1 < len(tokens) else ""
    return not (after.isalpha() and after.islower() and make_unnamed_mention(after) is not None)


def is_in_words_phrase(tokens: Sequence[Token], words: Sequence[str], i: int) -> bool:
    start = max((s for s in iterate_sentence_starts(tokens) if s <= i), default=0)
    opening = words[start : start + 3]
    return opening[:1] == ["in"] and opening[1:2] in (["a"], ["an"]) and set(opening[2:]) <= OCCASION_NOUNS


def skip_apposition(tokens: Sequence[Token], words: Sequence[str], end: int, only_named: bool = False) -> int:
    """The end of the name in `Peskov, the spokesman, said` and `her aide, Ann Lee, said`, or 0.

    `only_named` wants a name with words about its bearer behind it: `by Ann Lee, a painter, who said`.
    """
    inner = find_mention_before(tokens, end - 1)
    is_name = (
        inner is not None and len(inner.name) > 1 and not _is_in_phrase(words, find_mention_start(tokens, end - 1))
    )
    if only_named and is_name:
        return 0
    first = 0
    for j in range(end - 2, max(end - 2 - MAX_APPOSITION_TOKENS, -1), -1):
        if words[j] in (".", ";", QUOTE_TOKEN):
            break
        if words[j] != ",":
            continue
        outer = find_mention_before(tokens, j)
        start = find_mention_start(tokens, j)
        within = _is_in_phrase(words, start) and not (outer and outer.name and outer.name[-1] != tokens[j - 1].text)
        # "the firm Nightwatch, which": the name of something within the apposition.
        lone = outer is not None and len(outer.name) == 1 and not outer.post
        before = tokens[start - 1].text if start else ""
        within = within or (lone and before.islower() and before not in _APPOSITION_BOUNDS)
        within = within or (outer is not None and outer.loose and before == ",")
        if outer is not None and outer.loose and is_name:
            return end - 1  # "a spokesman for Mr. Marsh, Paul Renner, said"
        if outer is not None and outer.name and (not within or (only_named and words[start - 1] == "by")):
            return j if not only_named or words[j + 1] in DETERMINERS else 0
        if is_name:
            return end - 1
        # `Josh Feld, 24, a student, said`: there may be a name before an earlier comma.
        first = first or (0 if within else j)
    return 0 if only_named else first


def _is_in_phrase(words: Sequence[str], start: int) -> bool:
    """Whether what begins at `start` is part of a phrase: "of Ohio", "for the Hobbs campaign"."""
    left = start - 1 - (start > 1 and words[start - 1] in ("the", "a", "an"))
    return left >= 0 and words[left] in PREPOSITIONS


def is_circumstance(tokens: Sequence[Token], words: Sequence[str], end: int, i: int) -> bool:
    """Whether a verb only tells when something else was said: "“...,” they chanted when Marsh spoke"."""
    start = find_mention_start(tokens, end)
    if not start or words[start - 1] not in _SUBORDINATORS or measure_adjacent_quote(tokens, end - 1, i):
        return False
    return any(t.quoted for t in tokens[:start]) and not any(t.quoted for t in tokens[i:])


def is_indirect_subject(words: Sequence[str], tokens: Sequence[Token], end: int) -> bool:
    """Whether a name only tells who speaks: "two people close to Marsh said"."""
    start = find_mention_start(tokens, end)
    if start > 1 and words[start - 1] == "to" and words[start - 2] == "according":
        return False
    is_day = words[start] in NON_NAME_WORDS or words[start] in US_STATES
    return start > 1 and words[start - 1] in ("to", "of", "for", "with", "from", "behind") and not is_day


def is_joint_subject(tokens: Sequence[Token], start: int) -> bool:
    """Whether the subject is the second of two: "Putin and Macron said" is neither's own claim."""
    return start > 1 and tokens[start - 1].text == "and" and is_capitalised(tokens[start - 2].text)


def is_paired_subject(tokens: Sequence[Token], head: SentenceSubject, i: int) -> bool:
    """Whether the sentence is about two: "Putin and Macron met, saying"."""
    width = len(head.mention.post) + len(head.mention.name) if head.mention else 0
    following = tokens[head.at + width : min(head.at + width + 2, i)]
    return len(following) == 2 and following[0].text == "and" and is_capitalised(following[1].text)


def can_invert(tokens: Sequence[Token], i: int) -> bool:
    """Whether `said X` may stand at `tokens[i]`: after a quotation, or after a comma if a name follows."""
    before = i - 1
    while before > 0 and tokens[before].text == ",":
        before -= 1
    if before >= 0 and tokens[before].text == QUOTE_TOKEN:
        return True
    follows = i + 1 < len(tokens) and is_capitalised(tokens[i + 1].text)
    follows = follows and tokens[i + 1].text.casefold() not in WEEKDAYS
    return follows and before >= 0 and before < i - 1


def measure_adjacent_quote(tokens: Sequence[Token], subject: int, verb: int) -> int:
    """Length of the longest quotation right before the subject's words or right after the verb."""
    left = subject
    while left and (
        is_capitalised(tokens[left - 1].text) or tokens[left - 1].text.casefold() in NAME_PARTICLES | {"the"}
    ):
        left -= 1
    near = [*tokens[max(left - 3, 0) : left], *tokens[verb + 1 : verb + 5]]
    return max((token.quoted for token in near), default=0)


MAX_LEAD_IN_TOKENS = 30  # tokens of a paragraph that only leads to the next one: "He went on:"
_PASSIVE_AUXILIARIES = ("was", "is", "were", "been", "being")


@dataclass(frozen=True, slots=True)
class SpeechAct:
    """One act of saying.

    `mention` is None for a pronoun, which is then in `pronoun`; `at` is the place of the subject among the
    tokens; `sure` tells verbs of saying from acts ("dismissed"); `aside` marks a relative clause ("Putin, who
    said"); `beside` is the length of the quotation next to it; `quotes` is the person whose words the subject
    passes on.
    """

    mention: Mention | None
    at: int
    sure: bool
    aside: bool = False
    beside: int = 0
    quotes: Mention | None = None
    pronoun: str = ""


def find_speech_acts(tokens: Sequence[Token]) -> list[SpeechAct]:
    """The acts of saying in a paragraph, in order."""
    words = [token.text.casefold() for token in tokens]
    claims: list[SpeechAct] = []
    for i, word in enumerate(words):
        following = words[i + 1] if i + 1 < len(words) else ""
        if word == "according" and following == "to":
            _add_act(claims, tokens, find_mention_after(tokens, i + 2), i, sure=True)
        elif word in ("—", "–", "-"):
            _add_signed_quote(claims, tokens, i)
        elif (
            word == ":"
            and following == QUOTE_TOKEN
            and i > 1
            and words[find_mention_start(tokens, i) - 1] in ("from", "by")
        ):
            # "a sharp answer from Marsh: ..."
            _add_act(claims, tokens, find_mention_before(tokens, i), i - 1, sure=True)
        elif word == "words":
            _add_in_words_of(claims, tokens, words, i)
        elif word == "as" and following in ("saying", "telling", "stating"):
            _add_cited_act(claims, tokens, words, i)
        elif word == "in" and words[i + 2 : i + 4] in (["interview", "to"], ["interview", "with"]):
            # "..., Peskov in an interview to RT": news drops the verb.
            if i and is_capitalised(tokens[i - 1].text):
                _add_act(claims, tokens, find_mention_before(tokens, i), i - 1, sure=True)
        elif (word in SAYING_PARTICIPLES and i and words[i - 1] in (",", "and")) or (
            word == ":" and following == QUOTE_TOKEN
        ):
            _add_sentence_act(claims, tokens, i, sure=True)
        elif word == ":" and i == len(words) - 1 and i < MAX_LEAD_IN_TOKENS:
            _add_sentence_act(claims, tokens, i, sure=False)
        elif tokens[i].text == word and _is_reporting_verb(words, i):
            # In small letters only: "the United States" and "Claims Conference" are no verbs.
            _add_verb_acts(claims, tokens, words, i)
        elif i and tokens[i].text == word and word.endswith("ed"):
            _add_manner_verb(claims, tokens, i)
    return claims


def _add_signed_quote(claims: list[SpeechAct], tokens: Sequence[Token], i: int) -> None:
    """`“...” — Ann Lee, a nurse`, and a post that is given with its sender and date."""
    if not i or not (tokens[i - 1].text == QUOTE_TOKEN or i > len(tokens) // 2):
        return
    mention = find_mention_after(tokens, i + 1)
    if mention is None or len(mention.name) < 2:
        return
    after = i + 1 + len(mention.post) + len(mention.name)
    is_last = after >= len(tokens) - 1 or (tokens[i - 1].text == QUOTE_TOKEN and tokens[after].text == ",")
    if is_last:
        _add_act(claims, tokens, mention, i, sure=True)


def _add_in_words_of(claims: list[SpeechAct], tokens: Sequence[Token], words: Sequence[str], i: int) -> None:
    """`“...,” in Marsh’s words`, `in the words of Ann Lee, “...”`."""
    if words[max(i - 2, 0) : i] == ["in", "the"] and words[i + 1 : i + 2] == ["of"]:
        _add_act(claims, tokens, find_mention_after(tokens, i + 2, described=True), i, sure=True)
    elif i > 1 and POSSESSIVE.search(tokens[i - 1].text) and "in" in words[max(i - 4, 0) : i - 1]:
        _add_act(claims, tokens, find_mention_before(tokens, i), i - 1, sure=True)


def _add_verb_acts(claims: list[SpeechAct], tokens: Sequence[Token], words: Sequence[str], i: int) -> None:
    word = words[i]
    if words[i + 1 : i + 3] == ["as", "saying"]:
        return  # the passive is read at "as saying"
    # "vowed to leave" is an act, "vowed that" a claim; "In a statement, X called" is one too.
    sure = (word in SAYING_VERBS or word in VERB_BASES or word in ("read", "reads")) and words[i + 1 : i + 2] != ["to"]
    sure = sure or (word in ACTING_VERBS and is_in_words_phrase(tokens, words, i))
    if (word in INVERTIBLE_VERBS and can_invert(tokens, i)) or (
        word in ACTING_VERBS and i and words[i - 1] == QUOTE_TOKEN
    ):
        mention = find_mention_after(tokens, i + 1, described=True)
        if (
            words[i + 1 : i + 2]
            and words[i + 1] in INDEFINITE_DETERMINERS
            and not is_named_subject(tokens, i + 2, mention)
        ):
            mention = UNNAMED_PERSON  # "said one longtime donor", "said a Marsh supporter"
        if mention is not None and mention != UNNAMED_THING:
            _add_act(claims, tokens, mention, i, sure=True)
            return
    end = i - (word in PARTICLE_VERBS)
    while end and can_stand_between(tokens, end - 1):
        end -= 1
    if word in VERB_BASES and not MODALS.intersection(words[end:i]) and words[i - 2 : i] != ["on", "to"]:
        return  # "to say" and "they say" are read nowhere: who does is not beside it
    aside = bool(end) and words[end - 1] == "who"
    if aside:
        end -= 1
        end = skip_apposition(tokens, words, end, True) or end - 1 if words[end - 1] == "," else end
    elif end and words[end - 1] == ",":
        end = skip_apposition(tokens, words, end)
    if not end:
        return
    if words[end - 1] in ("he", "she"):
        beside = measure_adjacent_quote(tokens, end - 1, i)
        claims.append(SpeechAct(None, end - 1, sure, aside, beside, pronoun=words[end - 1]))
        return
    if words[end - 1] in ("and", "but") and not aside:
        _add_sentence_act(claims, tokens, i, sure)
        return
    if POSSESSIVE.search(tokens[end - 1].text):
        return  # "Putin’s claims" is a noun
    if words[end - 1] in WORK_NOUNS and end > 1 and POSSESSIVE.search(tokens[end - 2].text):
        _add_act(claims, tokens, find_mention_before(tokens, end - 1), end - 2, True, aside, i)
        return
    mention = find_mention_before(tokens, end)
    if mention is None or (mention == UNNAMED_THING and not sure):
        return
    if mention.name and is_circumstance(tokens, words, end, i):
        return
    if mention.name and tokens[end - 1].text.startswith(mention.name[-1]) and is_indirect_subject(words, tokens, end):
        before = len(claims)
        _add_sentence_act(claims, tokens, i, sure)
        if len(claims) == before:
            claims.append(SpeechAct(UNNAMED_PERSON, end - 1, sure, aside))
        return
    if is_joint_subject(tokens, end - len(mention.post) - len(mention.name)):
        return
    quotes = find_mention_after(tokens, i + 1) if word in QUOTING_VERBS else None
    named = quotes if quotes is not None and (quotes.name or quotes.post) else None
    if word in QUOTING_VERBS and "as" in words[i + 1 : i + 12] and "saying" in words[i + 1 : i + 12]:
        return
    _add_act(claims, tokens, mention, end - 1, sure or named is not None, aside, i, named)


def _add_manner_verb(claims: list[SpeechAct], tokens: Sequence[Token], i: int) -> None:
    """Any verb between a quotation and a full name, or behind both: `“...,” grumbled Ann Lee, a delegate`."""
    if tokens[i - 1].text == QUOTE_TOKEN:
        mention = find_mention_after(tokens, i + 1, described=True)
        if mention is not None and len(mention.name) > 1:
            _add_act(claims, tokens, mention, i, sure=True)
    elif is_capitalised(tokens[i - 1].text) and tokens[i + 1 : i + 2] and tokens[i + 1].text in (".", ","):
        mention = find_mention_before(tokens, i)
        if mention is not None and measure_adjacent_quote(tokens, i - 1, i) and mention.name:
            _add_act(claims, tokens, mention, i - 1, sure=True)


def _is_reporting_verb(words: Sequence[str], i: int) -> bool:
    word = words[i]
    if word in PARTICLE_VERBS:
        return bool(i) and words[i - 1] in PARTICLE_VERBS[word]
    if word in ("read", "reads"):
        return i > 1 and words[i - 1] in MESSAGE_NOUNS and POSSESSIVE.search(words[i - 2]) is not None
    if word in VERB_BASES and bool(i) and (words[i - 1] in MODALS or words[i - 1] in INTERVENING_WORDS):
        return True
    return word in SAYING_VERBS or word in ACTING_VERBS or word in QUOTING_VERBS


def _add_sentence_act(claims: list[SpeechAct], tokens: Sequence[Token], i: int, sure: bool) -> None:
    """The head of the sentence speaks: "X met Y and said", "X left, saying", "X had this to add: ..."."""
    head = find_subject(tokens, i)
    if claims and claims[-1].at >= head.start:
        # Whoever speaks in a sentence goes on to: "X, Y said, adding".
        claims.append(replace(claims[-1], sure=sure, beside=0, quotes=None))
        return
    if head.at >= i or is_paired_subject(tokens, head, i):
        return
    beside = max((token.quoted for token in tokens[i + 1 : i + 4]), default=0)
    if head.pronoun:
        claims.append(SpeechAct(None, head.at, sure, False, beside, pronoun=head.pronoun))
    elif head.mention is not None:
        claims.append(SpeechAct(head.mention, head.at, sure, False, beside))


def _add_cited_act(claims: list[SpeechAct], tokens: Sequence[Token], words: Sequence[str], i: int) -> None:
    """`X cited Y as saying`, `Y was quoted by X as saying`: Y speaks; a person X passes it on."""
    verb = next((j for j in range(i - 1, max(i - 14, -1), -1) if words[j] in QUOTING_VERBS), None)
    if verb is None:
        return
    passive = verb and (words[verb - 1] in _PASSIVE_AUXILIARIES)
    if passive:
        end = verb
        while end and (words[end - 1] in INTERVENING_WORDS or words[end - 1] in _PASSIVE_AUXILIARIES):
            end -= 1
        _add_act(claims, tokens, find_mention_before(tokens, end), max(end - 1, 0), sure=True, verb=i)
        return
    cited = find_mention_after(tokens, verb + 1)
    end = verb
    while end and words[end - 1] in INTERVENING_WORDS:
        end -= 1
    quoting = find_mention_before(tokens, end)
    if quoting is not None and quoting.name and cited is not None:
        claims.append(
            SpeechAct(quoting, end - 1, True, quotes=cited, beside=measure_adjacent_quote(tokens, end - 1, i))
        )
    else:
        _add_act(claims, tokens, cited, verb, sure=True, verb=i)


def _add_act(
    claims: list[SpeechAct],
    tokens: Sequence[Token],
    mention: Mention | None,
    at: int,
    sure: bool,
    aside: bool = False,
    verb: int = -1,
    quotes: Mention | None = None,
) -> None:
    if mention is not None:
        beside = measure_adjacent_quote(tokens, at, verb if verb >= 0 else at)
        claims.append(SpeechAct(mention, at, sure, aside, beside, quotes))
