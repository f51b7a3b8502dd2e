"""Split a text into tokens, and find mentions of persons and subjects of sentences among them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from narratives.parse.attribution import lexicon
from narratives.parse.attribution.quotations import QuoteSpan

QUOTE_TOKEN = "§"  # represents a whole quotation among the tokens

_TOKEN_PATTERN = re.compile(
    r"(?:[A-Z]\.){2,}|\b(?:Mr|Mrs|Ms|Dr|St|Gen|Col|Gov|Sen|Rep|Lt|Maj|Capt|Sgt|Adm|Rev|Prof|Hon|Jr|Sr)\."
    r"|\b[A-Z]\.(?=\s[A-Z])|\w+(?:[’'-]\w+)*[’']?(?=\W|$)|[^\w\s]"
)
# "(R-Ohio)" and "R-Ohio," next to a name, and other short remarks in brackets.
_ALIAS = re.compile(
    r"\b(?:(?:goes|went|go|going) by(?: the (?:nick)?name(?: of)?)?|known (?:\w+ )?(?:as|by the name(?: of)?)"
    r"|nicknamed|calls (?:him|her)self) $"
)
MAX_SMALL_WORD = 4  # letters of words that headlines leave in lower case
MAX_NICKNAME = 30  # characters
MAX_TITLE_WORDS = 12  # words in quotation marks that are a title if they have its capitals
_BRACKETED_REMARK = re.compile(r"\s*\([^()]{1,40}\)|, (?:R|D|I)-[A-Z][A-Za-z. ]{1,12},")
_QUESTION_WILL = re.compile(r"(?:^|(?<=[.?!] ))Will(?= [A-Z][^.!?]{0,200}\?)")  # in "Will Marsh come?" it is no name
POSSESSIVE = re.compile(r"[’']s?$")
_PARTICLE_NAME = re.compile(r"(?:a[ldnrst]|[eu]l|abu|ben|bin|ibn|d|l|dell|o)[-’'][A-ZÀ-Þ]")
DETERMINERS = ("the", "a", "an", "one", "his", "her", "their", "its", "another")
INDEFINITE_DETERMINERS = ("a", "an", "one", "another", "some", "several", "two", "many")
_AFFILIATING_PREPOSITIONS = ("of", "at", "from", "with", "for")
_LINKING_PREPOSITIONS = ("of", "for", "at", "in", "from", "with", "to")
MAX_DESCRIPTION_TOKENS = 9  # words between "said" and the name in "said the clerk of the smallest county, Ann Lee"


class Token(NamedTuple):
    """A word or a mark outside quotations, or `QUOTE_TOKEN` with the length of the quotation in characters."""

    text: str
    quoted: int = 0


def tokenise(text: str, spans: Sequence[QuoteSpan]) -> list[Token]:
    """Return the tokens of a paragraph; each quotation is one token."""
    tokens: list[Token] = []
    titles: list[int] = []
    at = 0
    for start, end in spans:
        tokens += _split_tokens(text[at:start])
        titles += [len(tokens)] if _is_title(text[start:end]) else []
        name = _read_nickname(text, start, end) if end - start <= MAX_NICKNAME else None
        tokens += [Token(QUOTE_TOKEN, end - start)] if name is None else [Token(word) for word in name.split()]
        at = end
    tokens += _split_tokens(text[at:])
    if titles and any(token.text.islower() and len(token.text) > MAX_SMALL_WORD for token in tokens):
        for i in titles:
            tokens[i] = tokens[i]._replace(quoted=0)  # the name of a thing, if the line itself is not in title case
    return tokens


def _is_title(quotation: str) -> bool:
    """Return whether the words in quotation marks are the name of a thing: `the “House of the Sea”`."""
    words = quotation[1:-1].split()
    if not 2 <= len(words) <= MAX_TITLE_WORDS or not words[-1][-1:].isalnum():
        return False
    return all(word[:1].isupper() or word in lexicon.HEADLINE_WORDS for word in words)


def _read_nickname(text: str, start: int, end: int) -> str | None:
    """Return the name in `who goes by “Shorty”`, "" for the nickname in `Ole “Tiller” Brandt`, None for a quotation."""
    words = text[start:end].strip("“”„«»\"‘’'.,` ")
    if not words[:1].isupper() or not words.replace(" ", "").isalpha() or len(words.split()) > 2:
        return None
    before = text[:start].rstrip().rpartition(" ")[2]
    if text[end : end + 1] == " " and text[end + 1 : end + 2].isupper() and before[:1].isupper() and before.isalpha():
        return ""
    return words if _ALIAS.search(text[max(start - 40, 0) : start]) else None


def _split_tokens(text: str) -> list[Token]:
    plain = _QUESTION_WILL.sub("will", _BRACKETED_REMARK.sub("", text))
    return [Token(word) for word in _TOKEN_PATTERN.findall(plain)]


class Mention(NamedTuple):
    """A person as named in a text: the words of the post and of the name; either may be empty.

    `loose` means that the name follows "of", so that its first words may belong to the post: "Head of Tuva X".
    """

    post: tuple[str, ...]
    name: tuple[str, ...]
    loose: bool = False


UNNAMED_PERSON = Mention((), ())  # a person without a name: "a neighbour said"
UNNAMED_THING = Mention((), (), True)  # not a person: "the letter said"


def find_mention_before(tokens: Sequence[Token], end: int) -> Mention | None:
    """Return the mention that ends right before `tokens[end]`, or None; `Ann Lee of the Ohio Lab` is Ann Lee."""
    mention, start = _find_mention_ending_at(tokens, end)
    if mention is not None and mention.name and not mention.post and start > 1:
        link = start - 1 - (start > 2 and tokens[start - 1].text == "the")
        if link and tokens[link].text in _AFFILIATING_PREPOSITIONS and is_capitalised(tokens[link - 1].text):
            owner, _ = _find_mention_ending_at(tokens, link)
            if owner is not None and (len(owner.name) > 1 or (owner.name and tokens[link].text == "of")):
                return owner
    if mention is None and end > 1 and tokens[end - 2].text == "@":
        return UNNAMED_PERSON  # the handle of an unknown person
    return mention or make_unnamed_mention(tokens[end - 1].text if end else "")


def find_mention_start(tokens: Sequence[Token], end: int) -> int:
    """Return the start of the words that could be a mention ending right before `tokens[end]`."""
    return _find_mention_ending_at(tokens, end)[1]


def _find_mention_ending_at(tokens: Sequence[Token], end: int) -> tuple[Mention | None, int]:
    start = end
    while start and (_can_be_in_mention(tokens[start - 1].text) or (start < end and _is_post_link(tokens, start - 1))):
        start -= 1
    return _parse_mention([t.text for t in tokens[start:end]], tokens[start - 1].text if start else ""), start


def find_mention_after(tokens: Sequence[Token], start: int, described: bool = False) -> Mention | None:
    """Return the mention that begins at `tokens[start]`, after an article, or None.

    With `described`, `the county clerk, Ann Lee` is Ann Lee, and `Marsh’s cousin Pete Dorn` is Pete Dorn.
    """
    before = ""
    if start < len(tokens) and tokens[start].text.casefold() in DETERMINERS:
        before = tokens[start].text
        start += 1
    end = start
    while end < len(tokens) and (_can_be_in_mention(tokens[end].text) or (end > start and _is_post_link(tokens, end))):
        end += 1
    mention = _parse_mention([t.text for t in tokens[start:end]], before)
    is_owner = end > start and POSSESSIVE.search(tokens[end - 1].text) is not None
    if described and mention is not None and mention.loose and end < len(tokens) and tokens[end].text == ",":
        return _find_described_name(tokens, end) or mention  # "the mayor of Toledo, Ann Lee"
    if mention is None or not mention.name or is_owner:
        if described and (named := _find_described_name(tokens, end)):
            return named
        if is_owner or mention is None:
            return make_unnamed_mention(tokens[min(end, len(tokens) - 1)].text) if tokens else None
    return mention


def _find_described_name(tokens: Sequence[Token], start: int) -> Mention | None:
    """Return the full name after a description of the person: `clerk, Ann Lee`, `head of the union, Ann Lee`."""
    is_linked = False
    for i in range(start, min(start + MAX_DESCRIPTION_TOKENS, len(tokens))):
        text = tokens[i].text
        if text == "," or (is_capitalised(text) and not is_linked):
            begin = i + (text == ",")
            end = begin
            while end < len(tokens) and can_be_in_name(tokens[end].text):
                end += 1
            named = _parse_mention([t.text for t in tokens[begin:end]], "")
            return named if named is not None and len(named.name) > 1 else None
        is_linked = is_linked or text in _LINKING_PREPOSITIONS
        if not (text[0].isalnum() or is_capitalised(text)):
            return None
    return None


def make_unnamed_mention(word: str) -> Mention | None:
    """Return `UNNAMED_PERSON` or `UNNAMED_THING` for a common noun, None for a word that cannot be a subject."""
    low = word.casefold()
    if low in lexicon.PERSON_NOUNS or low in lexicon.ROLE_HEADS:
        return UNNAMED_PERSON
    is_noun = word.isalpha() and word == low and low not in lexicon.NON_SUBJECT_WORDS and not low.endswith("ly")
    return UNNAMED_THING if is_noun else None


def is_capitalised(word: str) -> bool:
    """Return whether a word is capitalised, so that it may be part of a name; `al-Harthi` and `d’Orsay` are."""
    if word[:1].isupper():
        return word != "I"
    return ("-" in word or "’" in word or "'" in word) and _PARTICLE_NAME.match(word) is not None


def is_role_head(word: str) -> bool:
    """Return whether a word names a post, such as minister."""
    return word.casefold() in lexicon.ROLE_HEADS


def _can_be_in_mention(word: str) -> bool:
    low = word.casefold()
    if is_capitalised(word):
        return low not in lexicon.SENTENCE_OPENERS
    known = low in lexicon.ROLE_HEADS or low in lexicon.ROLE_MODIFIERS or low in lexicon.NAME_PARTICLES
    return known or bool(re.search(r"\w[’']s?$", word))


def _is_post_link(tokens: Sequence[Token], i: int) -> bool:
    """Return whether the token is the "of" or "of the" between a post and its owner."""
    word = tokens[i].text
    if word == "the" and i:
        i, word = i - 1, tokens[i - 1].text
    return word in ("of", "for", "to") and i > 0 and is_role_head(tokens[i - 1].text)


def can_be_in_name(word: str) -> bool:
    """Return whether a word can be part of a name, such as "Lee" or "van"."""
    low = word.casefold()
    return (is_capitalised(word) and low not in lexicon.SENTENCE_OPENERS) or low in lexicon.NAME_PARTICLES


def _parse_mention(words: list[str], before: str) -> Mention | None:
    """Split the words of a mention into post and name: the post ends with the last word that names one."""
    while words and words[0].casefold() in lexicon.NAME_PARTICLES:
        words = words[1:]
    plain = [word.casefold() for word in words]
    cut = 0
    for i, word in enumerate(plain):
        # "Islamic State leader X": all words before a post belong to it.
        if word in lexicon.ROLE_HEADS or (not is_capitalised(words[i]) and word not in lexicon.NAME_PARTICLES):
            cut = i + 1
    for i, word in enumerate(words[:-1]):
        # "CNN’s Ann Lee": the owner belongs to the post.
        cut = max(cut, i + 1) if re.search(r"\w[’']s$", word) else cut
    is_surname = 1 < cut == len(words) and plain[-1] in lexicon.SURNAME_HEADS and is_capitalised(words[-1])
    if is_surname and plain[-2] in lexicon.MALE_NAMES | lexicon.FEMALE_NAMES | lexicon.ROLE_HEADS:
        cut = max((i + 1 for i, word in enumerate(plain[:-1]) if word in lexicon.ROLE_HEADS), default=0)
    is_loose = 0 < cut < len(words) and plain[cut - 1] in ("of", "for", "to", "the")
    while not is_loose and cut < len(words) and plain[cut] in lexicon.NAME_PREFIXES:
        cut += 1
    while len(words) - cut > 2 and plain[len(words) - 1] in lexicon.POST_NOMINALS:
        words = words[:-1]  # "Ann Lee QC"
    post, name = tuple(words[:cut]), tuple(POSSESSIVE.sub("", word) for word in words[cut:])
    if name:
        return Mention(post, name, is_loose)
    # Neither "a spokesman said" nor "the Russian said" names anybody.
    indefinite = before.casefold() in ("a", "an", "another", "one")
    return None if indefinite or not post or not any(is_role_head(word) for word in post) else Mention(post, ())


MAX_FRONTED_TOKENS = 30  # tokens from "Asked whether" to the last comma before the subject
MAX_PREPOSED_TOKENS = 8  # tokens of "In her remarks on Friday she"
MIN_SENTENCE_QUOTE = 20  # characters from which a quotation is taken to end a sentence
_SENTENCE_ENDS = (".", "?", "!", ";")
_FRONTED_PREPOSITIONS = ("in", "on", "at", "during", "with", "within", "by")
_SKIPPED_WORDS = lexicon.SENTENCE_OPENERS - {"he", "she"} | {","}
_ADVERBS = ("however", "though", "then", "meanwhile", "too", "both", "still", "even", "but", "and")
_WORDS_BEFORE_SUBJECTS = (*DETERMINERS, *_ADVERBS)


class SentenceSubject(NamedTuple):
    """The subject of the sentence that begins at `start`; `pronoun` is "he" or "she" where it is one."""

    mention: Mention | None
    at: int
    start: int
    pronoun: str = ""


def iterate_sentence_starts(tokens: Sequence[Token], before: int | None = None) -> Iterator[int]:
    """Yield the places where the sentences of a paragraph begin; with `before`, those before it, the last first."""
    dash = next((i for i, token in enumerate(tokens[:8]) if token.text in ("—", "–", "-")), 0)
    dateline = dash if dash and tokens[0].text.isupper() else -1
    for i in range(len(tokens)) if before is None else range(min(before, len(tokens)) - 1, -1, -1):
        previous = tokens[i - 1]
        if not i or i - 1 == dateline or previous.text in _SENTENCE_ENDS or previous.quoted >= MIN_SENTENCE_QUOTE:
            yield i


def find_subject(tokens: Sequence[Token], at: int) -> SentenceSubject:
    """Return the subject of the sentence around `tokens[at]`; its mention is None if it is not a person."""
    start = next(iterate_sentence_starts(tokens, at + 1), 0)
    return find_subject_from(tokens, start)


def find_subject_from(tokens: Sequence[Token], start: int) -> SentenceSubject:
    """Return the subject of the sentence that begins at `start`, after any words before its first clause."""
    if start >= len(tokens):
        return SentenceSubject(None, start, start)
    return _find_fronted_subject(tokens, start) or _find_plain_subject(tokens, start)


def _find_fronted_subject(tokens: Sequence[Token], start: int) -> SentenceSubject | None:
    """Return the subject after an opening such as `In her remarks` or `Asked about it,`, or None."""
    first = tokens[start].text.casefold()
    if first in _FRONTED_PREPOSITIONS and (at := _find_fronted_pronoun(tokens, start)):
        return SentenceSubject(None, at, start, tokens[at].text)
    follows_name = start + 1 < len(tokens) and is_capitalised(tokens[start + 1].text)
    is_participle = first.endswith(("ing", "ed")) and not follows_name and first not in lexicon.MALE_NAMES
    if first not in lexicon.FRONTED_OPENERS and not is_participle:
        return None
    subjects = (_parse_subject(tokens, i, start) for i in _iterate_clause_starts(tokens, start))
    return next((subject for subject in subjects if subject is not None and not _ends_phrase(tokens, subject)), None)


def _ends_phrase(tokens: Sequence[Token], subject: SentenceSubject) -> bool:
    """Return whether a name ends the opening: Lee in `In his letter to the mayor, Ann Lee, the leader confirmed`."""
    width = len(subject.mention.post) + len(subject.mention.name) if subject.mention else 0
    words = [token.text for token in tokens[subject.at + width : subject.at + width + MAX_FRONTED_TOKENS]]
    verb = next((i for i, w in enumerate(words) if w.endswith("ed") or w in lexicon.SAYING_VERBS), 0)
    return width > 0 and words[:2] == [",", "the"] and verb > 0 and "," not in words[2:verb]


def _find_plain_subject(tokens: Sequence[Token], start: int) -> SentenceSubject:
    """Return the subject at the start of a sentence, or after one of its commas."""
    nothing = SentenceSubject(None, start, start)
    i = next((i for i in range(start, len(tokens)) if tokens[i].text.casefold() not in _SKIPPED_WORDS), len(tokens))
    if i >= len(tokens) or tokens[i].text == QUOTE_TOKEN:
        return nothing
    if (subject := _parse_subject(tokens, i, start)) is not None:
        return subject
    later = (_parse_subject(tokens, j, start) for j in _iterate_clause_starts(tokens, start))
    return next((s for s in later if s and (s.pronoun or (s.mention and s.mention.name))), nothing)


def _find_fronted_pronoun(tokens: Sequence[Token], start: int) -> int:
    """Return the place of "she" in `In her remarks she thanked`, or 0."""
    for j, token in enumerate(tokens[start : start + MAX_PREPOSED_TOKENS], start):
        if token.text in ("he", "she"):
            return j
        if not token.text[0].isalnum():
            return 0
    return 0


def _iterate_clause_starts(tokens: Sequence[Token], start: int) -> Iterator[int]:
    """Yield the places after the commas of a sentence where its main clause may begin."""
    for j, token in enumerate(tokens[start : start + MAX_FRONTED_TOKENS], start):
        if token.text in _SENTENCE_ENDS or token.text == QUOTE_TOKEN:
            return
        following = tokens[j + 1].text if j + 1 < len(tokens) else ""
        if token.text == "," and following.casefold() not in lexicon.US_STATES:
            yield j + 1


def _parse_subject(tokens: Sequence[Token], i: int, start: int) -> SentenceSubject | None:
    """Return the subject whose words begin at `tokens[i]`, or None."""
    while i < len(tokens) and tokens[i].text in _WORDS_BEFORE_SUBJECTS:
        i += 1
    if i >= len(tokens):
        return None
    if tokens[i].text.casefold() in ("he", "she"):
        return SentenceSubject(None, i, start, tokens[i].text.casefold())
    before = tokens[i - 1].text.casefold() if i else ""
    is_owner = is_capitalised(tokens[i].text) and POSSESSIVE.search(tokens[i].text)
    if (before in DETERMINERS or is_owner) and (named := _parse_renamed_subject(tokens, i, start)) is not None:
        return named
    if is_capitalised(tokens[i].text):
        mention = find_mention_after(tokens, i)
        if mention is None or not (mention.name or mention.post):
            return None
        after = i + len(mention.post) + len(mention.name)
        noun = tokens[after].text if after < len(tokens) else ""
        if noun in lexicon.COLLECTIVE_NOUNS:
            return SentenceSubject(UNNAMED_THING, i, start)
        return SentenceSubject(UNNAMED_PERSON if noun in lexicon.TEAM_NOUNS else mention, i, start)
    subject = _parse_common_subject(tokens, i, start)
    return subject if subject.mention is not None else None


def _parse_renamed_subject(tokens: Sequence[Token], i: int, start: int) -> SentenceSubject | None:
    """Return Ann Lee for `the local chairwoman, Ann Lee, ...` and `His Democratic opponent, Ann Lee, ...`, or None."""
    comma = next((j for j, t in enumerate(tokens[i : i + 7], i) if not t.text[0].isalpha()), 0)
    if not comma or tokens[comma].text != ",":
        return None
    mention = find_mention_after(tokens, comma + 1)
    is_relative = tokens[comma - 1].text in lexicon.KIN_NOUNS  # "His wife, Ann, laughed"
    named = mention is not None and len(mention.name) > (0 if is_relative else 1)
    return SentenceSubject(mention, comma + 1, start) if named else None


def _parse_common_subject(tokens: Sequence[Token], i: int, start: int) -> SentenceSubject:
    """Return the subject for a common noun: `A fisherman` is an unnamed person, `the senator` the holder of a post."""
    before = tokens[i - 1].text.casefold() if i > start else ""
    mention = find_mention_after(tokens, i)
    if mention is not None and (mention.post or mention.name) and before in ("the", "his", "her", "their"):
        return SentenceSubject(mention, i, start)
    end = next((j for j, t in enumerate(tokens[i : i + 6], i) if not t.text.islower()), i)
    if end > i and is_capitalised(tokens[end].text):
        follows_person = make_unnamed_mention(tokens[end - 1].text) == UNNAMED_PERSON
        if follows_person or (is_role_head(tokens[end].text) and tokens[end - 1].text not in lexicon.PREPOSITIONS):
            mention = find_mention_after(tokens, end)  # "longtime radio host Ann Lee"
            if mention is not None and len(mention.name) > 1:
                return SentenceSubject(mention, end, start)
    word = tokens[i].text
    is_agent = before in INDEFINITE_DETERMINERS and word.endswith(("er", "or", "man", "ist"))
    is_person = is_agent or make_unnamed_mention(word) == UNNAMED_PERSON
    return SentenceSubject(UNNAMED_PERSON if is_person else None, i, start)
