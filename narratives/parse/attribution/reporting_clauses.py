"""Find who says something in a paragraph: verbs of saying, their subjects, and fixed phrases such as "according to"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from narratives.parse.attribution import lexicon
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
MAX_SIGNER_TOKENS = 8  # tokens after the dash in `“...” — a nurse from Ohio`
MAX_ALIAS_TOKENS = 14  # tokens after "said a" in which the name of "a man who goes by the name Shorty" stands
MAX_LEAD_IN_TOKENS = 30  # tokens of a paragraph that only introduces the next one: "He went on:"
_SUBORDINATORS = ("when", "as", "while", "after", "before", "because", "since")
_SUBJECT_PARTICLES = lexicon.NAME_PARTICLES | {"the"}
_INTERVENING_WORDS = lexicon.INTERVENING_WORDS | lexicon.MODALS | lexicon.WEEKDAYS | {"tonight", "yesterday", "today"}
_SAYING_WORDS = lexicon.SAYING_VERBS | lexicon.VERB_BASES | {"read", "reads"}
_REPORTING_VERBS = lexicon.SAYING_VERBS | lexicon.ACTING_VERBS | lexicon.QUOTING_VERBS
_WORDS_BEFORE_BASES = lexicon.MODALS | lexicon.INTERVENING_WORDS
_PASSIVE_AUXILIARIES = ("was", "is", "were", "been", "being")
# Words that may stand before the first word of a clause's subject.
_APPOSITION_BOUNDS = ("and", "but", "that", "when", "while", "as", "then", "mr.", "ms.", "mrs.", "dr.", "the")


@dataclass(frozen=True, slots=True)
class SpeechAct:
    """One act of saying.

    Attributes:
        mention: The subject; None for a pronoun, which is then in `pronoun`.
        at: The place of the subject among the tokens.
        is_claim: Whether the verb is one of saying ("said") rather than of acting ("dismissed").
        is_relative: Whether it is in a relative clause ("Putin, who said").
        quote_length: The length of the quotation next to it, in characters.
        quoted: The person whose words the subject passes on.
        pronoun: "he" or "she".
    """

    mention: Mention | None
    at: int
    is_claim: bool
    is_relative: bool = False
    quote_length: int = 0
    quoted: Mention | None = None
    pronoun: str = ""


def find_speech_acts(tokens: Sequence[Token]) -> list[SpeechAct]:
    """Return the acts of saying in a paragraph, in order."""
    return _SpeechActFinder(tokens).find()


class _SpeechActFinder:
    """Reads one paragraph from left to right and collects its acts of saying."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self._words = [token.text.casefold() for token in tokens]
        self._acts: list[SpeechAct] = []

    def find(self) -> list[SpeechAct]:
        phrases = {
            "according": self._add_according_to,
            "words": self._add_in_words_of,
            "as": self._add_cited_act,
            "in": self._add_interview,
            ":": self._add_colon_act,
        } | dict.fromkeys(("—", "–", "-"), self._add_signed_quote)
        for i, word in enumerate(self._words):
            if word in phrases:
                phrases[word](i)
            elif word in lexicon.SAYING_PARTICIPLES and i and self._words[i - 1] in (",", "and"):
                self._add_sentence_act(i, is_claim=True)
            elif self._tokens[i].text != word:
                continue  # verbs are in lower case: "the United States" and "Claims Conference" are no verbs
            elif _is_reporting_verb(self._words, i):
                self._add_verb_act(i)
            elif i and word.endswith("ed"):
                self._add_manner_verb(i)
        return self._acts

    def _add_according_to(self, i: int) -> None:
        if self._words[i + 1 : i + 2] == ["to"]:
            self._add_act(find_mention_after(self._tokens, i + 2), i, is_claim=True)

    def _add_interview(self, i: int) -> None:
        """Read `..., Peskov in an interview to RT`: news drops the verb."""
        is_interview = self._words[i + 2 : i + 4] in (["interview", "to"], ["interview", "with"])
        if is_interview and i and is_capitalised(self._tokens[i - 1].text):
            self._add_act(find_mention_before(self._tokens, i), i - 1, is_claim=True)

    def _add_colon_act(self, i: int) -> None:
        if self._words[i + 1 : i + 2] == [QUOTE_TOKEN]:
            if i > 1 and self._words[find_mention_start(self._tokens, i) - 1] in ("from", "by"):
                # "a sharp answer from Marsh: ..."
                self._add_act(find_mention_before(self._tokens, i), i - 1, is_claim=True)
            else:
                self._add_sentence_act(i, is_claim=True)
        elif i == len(self._words) - 1 and i < MAX_LEAD_IN_TOKENS:
            self._add_sentence_act(i, is_claim=False)

    def _add_signed_quote(self, i: int) -> None:
        """Read `“...” — Ann Lee, a nurse`, and a post on social media with its sender and date."""
        tokens = self._tokens
        follows_quote = i > 0 and tokens[i - 1].text == QUOTE_TOKEN
        start = i + 1 + (self._words[i + 1 : i + 2] == [self._words[i]])  # "--"
        mention = find_mention_after(tokens, start)
        if follows_quote and i == 1 and (mention is None or not mention.name):
            near = [token.text for token in tokens[start : start + MAX_SIGNER_TOKENS]]
            is_person = near[:1] in (["a"], ["an"], ["one"]) or UNNAMED_PERSON in map(make_unnamed_mention, near)
            self._add_act(mention if mention and mention.post else UNNAMED_PERSON if is_person else None, i, True)
        elif mention is not None and (len(mention.name) > 1 or (mention.name and follows_quote)):
            after = start + len(mention.post) + len(mention.name)
            is_last = after >= len(tokens) - 1 and (follows_quote or i > len(tokens) // 2)
            if is_last or (follows_quote and tokens[after].text == ","):
                self._add_act(mention, i, is_claim=True)

    def _add_in_words_of(self, i: int) -> None:
        """Read `“...,” in Marsh’s words` and `in the words of Ann Lee, “...”`."""
        tokens, words = self._tokens, self._words
        if words[max(i - 2, 0) : i] == ["in", "the"] and words[i + 1 : i + 2] == ["of"]:
            self._add_act(find_mention_after(tokens, i + 2, described=True), i, is_claim=True)
        elif i > 1 and POSSESSIVE.search(tokens[i - 1].text) and "in" in words[max(i - 4, 0) : i - 1]:
            self._add_act(find_mention_before(tokens, i), i - 1, is_claim=True)

    def _add_cited_act(self, i: int) -> None:
        """Read `X cited Y as saying` and `Y was quoted by X as saying`: Y speaks; a person X passes it on."""
        tokens, words = self._tokens, self._words
        if words[i + 1 : i + 2] not in (["saying"], ["telling"], ["stating"]):
            return
        verb = next((j for j in range(i - 1, max(i - 14, -1), -1) if words[j] in lexicon.QUOTING_VERBS), None)
        if verb is None:
            return
        end = verb
        if verb and words[verb - 1] in _PASSIVE_AUXILIARIES:
            while end and (words[end - 1] in lexicon.INTERVENING_WORDS or words[end - 1] in _PASSIVE_AUXILIARIES):
                end -= 1
            self._add_act(find_mention_before(tokens, end), max(end - 1, 0), is_claim=True, verb=i)
            return
        while end and words[end - 1] in lexicon.INTERVENING_WORDS:
            end -= 1
        cited, quoting = find_mention_after(tokens, verb + 1), find_mention_before(tokens, end)
        if quoting is not None and quoting.name and cited is not None:
            self._add_act(quoting, end - 1, is_claim=True, verb=i, quoted=cited)
        else:
            self._add_act(cited, verb, is_claim=True, verb=i)

    def _add_verb_act(self, i: int) -> None:
        """Read the verb of saying or acting at `i` with the subject behind or before it."""
        words, tokens = self._words, self._tokens
        if words[i + 1 : i + 3] == ["as", "saying"]:
            return  # the passive is read at "as saying"
        if (inverted := self._find_inverted_subject(i)) is not None:
            self._add_act(inverted, i, is_claim=True)
            return
        end, is_relative = self._find_subject_end(i)
        if not end:
            return
        is_claim = self._is_claim(i)
        last = words[end - 1]
        if last in ("he", "she"):
            quote_length = _measure_adjacent_quote(tokens, end - 1, i)
            self._acts.append(SpeechAct(None, end - 1, is_claim, is_relative, quote_length, pronoun=last))
        elif last in ("and", "but") and not is_relative:
            self._add_sentence_act(i, is_claim)
        elif last in lexicon.WORK_NOUNS and end > 1 and POSSESSIVE.search(tokens[end - 2].text):
            # "Padden’s statement continued"
            self._add_act(find_mention_before(tokens, end - 1), end - 2, True, is_relative, i)
        elif not POSSESSIVE.search(tokens[end - 1].text):  # "Putin’s claims" is a noun
            self._add_mentioned_act(i, end, is_claim, is_relative)

    def _is_claim(self, i: int) -> bool:
        """Return whether the verb claims: "vowed to leave" is an act, "vowed that" a claim."""
        word = self._words[i]
        if word in _SAYING_WORDS and self._words[i + 1 : i + 2] != ["to"]:
            return True
        # "In a statement, X called" is a claim too.
        return word in lexicon.ACTING_VERBS and _is_in_words_phrase(self._tokens, self._words, i)

    def _find_inverted_subject(self, i: int) -> Mention | None:
        """Return the person behind the verb, as in `“...,” said Ann Lee`, or None."""
        word, before, after = self._words[i], self._words[max(i - 1, 0) : i], self._words[i + 1 : i + 2]
        is_inverted = word in lexicon.INVERTIBLE_VERBS and _can_invert(self._tokens, i)
        if not is_inverted and not (word in lexicon.ACTING_VERBS and before == [QUOTE_TOKEN]):
            return None
        mention = find_mention_after(self._tokens, i + 1, described=True)
        is_indefinite = bool(after) and after[0] in INDEFINITE_DETERMINERS
        if is_indefinite and (alias := _find_alias(self._tokens, i + 2)):
            return alias  # "said a man who goes by the name Shorty"
        if is_indefinite and not _is_named_subject(self._tokens, i + 2, mention):
            return UNNAMED_PERSON  # "said one longtime donor", "said a Marsh supporter"
        return mention if mention != UNNAMED_THING else None

    def _find_subject_end(self, i: int) -> tuple[int, bool]:
        """Return where the subject before the verb ends, or 0, and whether the verb's clause is relative."""
        tokens, words = self._tokens, self._words
        end = i - (words[i] in lexicon.PARTICLE_VERBS)
        while end and _can_stand_between(tokens, end - 1):
            end -= 1
        has_modal = bool(lexicon.MODALS.intersection(words[end:i]))
        if words[i] in lexicon.VERB_BASES and not has_modal and words[i - 2 : i] != ["on", "to"]:
            return 0, False  # "to say" and "they say" are skipped: the speaker is not next to them
        if end and words[end - 1] == "who":
            end -= 1
            return (_skip_apposition(tokens, words, end, True) or end - 1 if words[end - 1] == "," else end), True
        if end and words[end - 1] == ",":
            end = _skip_apposition(tokens, words, end)
        return end, False

    def _add_mentioned_act(self, i: int, end: int, is_claim: bool, is_relative: bool) -> None:
        """Add the act whose subject is the mention that ends right before `end`."""
        tokens, words = self._tokens, self._words
        mention = find_mention_before(tokens, end)
        if mention is None or (mention == UNNAMED_THING and not is_claim):
            return
        if mention.name and _is_circumstance(tokens, words, end, i):
            return
        ends_in_name = bool(mention.name) and tokens[end - 1].text.startswith(mention.name[-1])
        if ends_in_name and _is_indirect_subject(words, tokens, end):
            before = len(self._acts)
            self._add_sentence_act(i, is_claim)
            if len(self._acts) == before:
                self._acts.append(SpeechAct(UNNAMED_PERSON, end - 1, is_claim, is_relative))
            return
        if _is_joint_subject(tokens, end - len(mention.post) - len(mention.name)):
            return
        quoted = None
        if words[i] in lexicon.QUOTING_VERBS:
            if {"as", "saying"} <= set(words[i + 1 : i + 12]):
                return
            quoted = find_mention_after(tokens, i + 1)
            quoted = quoted if quoted is not None and (quoted.name or quoted.post) else None
        self._add_act(mention, end - 1, is_claim or quoted is not None, is_relative, i, quoted)

    def _add_manner_verb(self, i: int) -> None:
        """Read any verb between a quotation and a full name, or behind both: `“...,” grumbled Ann Lee, a delegate`."""
        tokens = self._tokens
        if tokens[i - 1].text == QUOTE_TOKEN:
            mention = find_mention_after(tokens, i + 1, described=True)
            if mention is not None and len(mention.name) > 1:
                self._add_act(mention, i, is_claim=True)
        elif is_capitalised(tokens[i - 1].text) and tokens[i + 1 : i + 2] and tokens[i + 1].text in (".", ","):
            mention = find_mention_before(tokens, i)
            if self._words[find_mention_start(tokens, i) - 1] in _SUBORDINATORS:
                return  # "they chanted “...” as Ann Lee arrived"
            if mention is not None and _measure_adjacent_quote(tokens, i - 1, i) and mention.name:
                self._add_act(mention, i - 1, is_claim=True)

    def _add_sentence_act(self, i: int, is_claim: bool) -> None:
        """Add an act of the sentence's subject: "X met Y and said", "X left, saying", "X had this to add: ..."."""
        head = find_subject(self._tokens, i)
        if self._acts and self._acts[-1].at >= head.start:
            # The speaker of a sentence continues: "X, Y said, adding".
            self._acts.append(replace(self._acts[-1], is_claim=is_claim, quote_length=0, quoted=None))
            return
        if head.at >= i or _is_paired_subject(self._tokens, head, i):
            return
        quote_length = max((token.quoted for token in self._tokens[i + 1 : i + 4]), default=0)
        if head.pronoun or head.mention is not None:
            act = SpeechAct(head.mention, head.at, is_claim, quote_length=quote_length, pronoun=head.pronoun)
            self._acts.append(act)

    def _add_act(
        self,
        mention: Mention | None,
        at: int,
        is_claim: bool,
        is_relative: bool = False,
        verb: int = -1,
        quoted: Mention | None = None,
    ) -> None:
        if mention is not None:
            quote_length = _measure_adjacent_quote(self._tokens, at, verb if verb >= 0 else at)
            self._acts.append(SpeechAct(mention, at, is_claim, is_relative, quote_length, quoted))


def _can_stand_between(tokens: Sequence[Token], i: int) -> bool:
    """Return whether a word may stand between subject and verb: an adverb, a modal, a day, `on Friday night`."""
    word = tokens[i].text.casefold()
    if word in _INTERVENING_WORDS or (word.endswith("ly") and i):
        return True
    following = tokens[i + 1].text.casefold() if i + 1 < len(tokens) else ""
    is_part_of_day = word in ("night", "morning", "afternoon", "evening") and i > 0
    if is_part_of_day and tokens[i - 1].text.casefold() in lexicon.WEEKDAYS:
        return True
    return word == "on" and following in lexicon.WEEKDAYS


def _find_alias(tokens: Sequence[Token], start: int) -> Mention | None:
    """Return the name after `who goes by the name`, `known as` and the like, or None."""
    words = [token.text for token in tokens[start : start + MAX_ALIAS_TOKENS]]
    verb = next((i for i, w in enumerate(words) if w in ("goes", "went", "known", "nicknamed", "calls")), None)
    if verb is None or {",", ".", QUOTE_TOKEN} & set(words[:verb]):
        return None
    first = next((i for i in range(verb + 1, len(words)) if is_capitalised(words[i]) or words[i] in ",.;"), len(words))
    mention = find_mention_after(tokens, start + first) if first < len(words) else None
    return mention if mention is not None and mention.name else None


def _is_named_subject(tokens: Sequence[Token], start: int, mention: Mention | None) -> bool:
    """Return whether the mention after `said a` is the speaker: `a smiling Ann Lee`, not `a Lee supporter`."""
    if mention is None or not mention.name:
        return False
    last = next((i for i in range(start, len(tokens)) if tokens[i].text.startswith(mention.name[-1])), start)
    after = tokens[last + 1].text if last + 1 < len(tokens) else ""
    return not (after.isalpha() and after.islower() and make_unnamed_mention(after) is not None)


def _is_in_words_phrase(tokens: Sequence[Token], words: Sequence[str], i: int) -> bool:
    start = next(iterate_sentence_starts(tokens, i + 1), 0)
    opening = words[start : start + 3]
    return opening[:1] == ["in"] and opening[1:2] in (["a"], ["an"]) and set(opening[2:]) <= lexicon.OCCASION_NOUNS


def _skip_apposition(tokens: Sequence[Token], words: Sequence[str], end: int, only_named: bool = False) -> int:
    """Return the end of the name in `Peskov, the spokesman, said` and `her aide, Ann Lee, said`, or 0.

    With `only_named`, the name must be followed by a description: `by Ann Lee, a painter, who said`.
    """
    inner = find_mention_before(tokens, end - 1)
    start = find_mention_start(tokens, end - 1)
    is_relative = words[start - 1 : start] == [","] and words[start - 2] in lexicon.KIN_NOUNS  # "her son, Tom,"
    is_full_name = inner is not None and len(inner.name) > (0 if is_relative else 1)
    is_name = is_full_name and not _is_in_phrase(words, start)
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
        within = _is_within_apposition(tokens, words, outer, start, j)
        if outer is not None and outer.loose and is_name:
            return end - 1  # "a spokesman for Mr. Marsh, Paul Renner, said"
        if outer is not None and outer.name and (not within or (only_named and words[start - 1] == "by")):
            return j if not only_named or words[j + 1] in DETERMINERS else 0
        if is_name:
            return end - 1
        # `Josh Feld, 24, a student, said`: a name may come before an earlier comma.
        first = first or (0 if within else j)
    return 0 if only_named else first


def _is_within_apposition(
    tokens: Sequence[Token], words: Sequence[str], outer: Mention | None, start: int, comma: int
) -> bool:
    """Return whether the words from `start` to a comma describe the subject, so that they are not it."""
    ends_in_name = outer is not None and bool(outer.name) and outer.name[-1] == tokens[comma - 1].text
    if _is_in_phrase(words, start) and (outer is None or not outer.name or ends_in_name):
        return True
    if outer is None:
        return False
    before = tokens[start - 1].text if start else ""
    # "the firm Nightwatch, which": the name of something within the apposition.
    is_lone = len(outer.name) == 1 and not outer.post and before.islower() and before not in _APPOSITION_BOUNDS
    return is_lone or (outer.loose and before == ",")


def _is_in_phrase(words: Sequence[str], start: int) -> bool:
    """Return whether what begins at `start` is part of a phrase: "of Ohio", "for the Hobbs campaign"."""
    left = start - 1 - (start > 1 and words[start - 1] in ("the", "a", "an"))
    return left >= 0 and words[left] in lexicon.PREPOSITIONS


def _is_circumstance(tokens: Sequence[Token], words: Sequence[str], end: int, i: int) -> bool:
    """Return whether a verb only gives the time of a quotation: "“...,” they chanted when Marsh spoke"."""
    start = find_mention_start(tokens, end)
    if not start or words[start - 1] not in _SUBORDINATORS or _measure_adjacent_quote(tokens, end - 1, i):
        return False
    return any(t.quoted for t in tokens[:start]) and not any(t.quoted for t in tokens[i:])


def _is_indirect_subject(words: Sequence[str], tokens: Sequence[Token], end: int) -> bool:
    """Return whether a name only describes the speaker: "two people close to Marsh said"."""
    start = find_mention_start(tokens, end)
    if start > 1 and words[start - 1] == "to" and words[start - 2] == "according":
        return False
    is_day = words[start] in lexicon.NON_NAME_WORDS or words[start] in lexicon.US_STATES
    return start > 1 and words[start - 1] in ("to", "of", "for", "with", "from", "behind", "at") and not is_day


def _is_joint_subject(tokens: Sequence[Token], start: int) -> bool:
    """Return whether the subject is the second of two: "Putin and Macron said" has no single speaker."""
    if start > 1 and tokens[start - 1].text in ("and", "or") and is_capitalised(tokens[start - 2].text):
        return True
    start -= start > 0 and tokens[start - 1].text == "the"
    return start > 1 and tokens[start - 1].text == "nor"


def _is_paired_subject(tokens: Sequence[Token], head: SentenceSubject, i: int) -> bool:
    """Return whether the sentence is about two: "Putin and Macron met, saying"."""
    width = len(head.mention.post) + len(head.mention.name) if head.mention else 0
    following = tokens[head.at + width : min(head.at + width + 2, i)]
    return len(following) == 2 and following[0].text == "and" and is_capitalised(following[1].text)


def _can_invert(tokens: Sequence[Token], i: int) -> bool:
    """Return whether `said X` may stand at `tokens[i]`: after a quotation, or after a comma if a name follows."""
    before = i - 1
    while before > 0 and tokens[before].text in (",", "–", "—", "-"):
        before -= 1
    if before >= 0 and tokens[before].text == QUOTE_TOKEN:
        return True
    follows = i + 1 < len(tokens) and is_capitalised(tokens[i + 1].text)
    follows = follows and tokens[i + 1].text.casefold() not in lexicon.WEEKDAYS
    return follows and before >= 0 and before < i - 1


def _measure_adjacent_quote(tokens: Sequence[Token], subject: int, verb: int) -> int:
    """Return the length of the longest quotation right before the subject's words or right after the verb."""
    left = subject
    while left and (is_capitalised(tokens[left - 1].text) or tokens[left - 1].text.casefold() in _SUBJECT_PARTICLES):
        left -= 1
    near = [*tokens[max(left - 3, 0) : left], *tokens[verb + 1 : verb + 5]]
    return max((token.quoted for token in near), default=0)


def _is_reporting_verb(words: Sequence[str], i: int) -> bool:
    word = words[i]
    if word in lexicon.PARTICLE_VERBS:
        return bool(i) and words[i - 1] in lexicon.PARTICLE_VERBS[word]
    if word in ("read", "reads"):
        return i > 1 and words[i - 1] in lexicon.MESSAGE_NOUNS and POSSESSIVE.search(words[i - 2]) is not None
    is_base = word in lexicon.VERB_BASES and i > 0 and words[i - 1] in _WORDS_BEFORE_BASES
    return is_base or word in _REPORTING_VERBS
