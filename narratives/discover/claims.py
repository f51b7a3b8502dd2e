"""Recurring claims: clauses that take a stance, and the statements that repeat them."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from narratives.discover.clustering import is_recurring
from narratives.model import EmbedFunction, Text, VectorArray
from narratives.model.text import (
    ALPHABETIC_WORD,
    find_sentences,
    is_question_to_speaker,
    load_stop_words,
    split_sentences,
    take_part,
)

# Pairs on one subject: a claim about right and wrong, cause or duty, and plain information. The difference of
# the two removes the subject and keeps the stance.
STANCE_PAIRS = (
    (
        "They broke the promise they gave us and now blame us for it.",
        "The two sides signed the agreement in the capital and will meet again next year.",
    ),
    (
        "Nobody has the right to dictate to sovereign nations how they should live.",
        "The leaders of eleven nations arrived for the annual meeting on Tuesday.",
    ),
    (
        "Their accusations are lies made up to hide their own crimes.",
        "The committee received the documents and will present its report in autumn.",
    ),
    (
        "It was their invasion that destroyed the country and gave rise to terrorism.",
        "The country lies in the Middle East and has a population of nineteen million.",
    ),
    (
        "We will never let anyone threaten our security or speak to us from a position of strength.",
        "The exercises took place at the northern training ground and involved forty aircraft.",
    ),
    (
        "Sooner or later they will understand that pressing us makes no sense and hurts only themselves.",
        "Trade between the two countries reached nine billion dollars in the first half of the year.",
    ),
    (
        "Nothing but an honest dialogue of equals can settle this conflict; threats make it worse.",
        "The delegations discussed the conflict for three hours and agreed on the next round.",
    ),
    (
        "The truth about the war is being distorted, and we must not let the heroes be slandered.",
        "The museum holds letters and photographs that veterans gave it in the sixties.",
    ),
    (
        "The state must not abandon those in need; it is unacceptable to save money on children.",
        "Families with two children receive a monthly payment of ten thousand rubles.",
    ),
    (
        "Officials should stop hiding behind paper and answer to the people for what they have done.",
        "The department has offices in every region and is headed by a deputy minister.",
    ),
    (
        "They use human rights as a pretext for meddling in the affairs of others.",
        "The council on human rights has forty members and meets twice a year.",
    ),
    (
        "Our people proved once again that no hardship can break them.",
        "People from thirty regions took part in the competition and received prizes.",
    ),
    (
        "It is unfair that a few rich states keep the benefits to themselves and leave the others behind.",
        "The fund was set up in 2014 and finances projects in energy and transport.",
    ),
    (
        "We are not to blame for this crisis; those who started it bear the responsibility.",
        "The price of oil was forty dollars a barrel in spring and rose by a third in summer.",
    ),
    (
        "Freedom of speech has become a double standard: they ban what they do not like to hear.",
        "The channel broadcasts in five languages and opened a studio in the city.",
    ),
    (
        "Such a policy is short-sighted and dangerous and will lead to a new arms race.",
        "The plant produces engines for aircraft and employs two thousand workers.",
    ),
    (
        "We have always kept our word, while our partners deceive us time and again.",
        "Our partners from the company presented the plan of the new pipeline.",
    ),
    (
        "Only together can we defeat this threat, and whoever divides us helps the terrorists.",
        "The ministers and heads of the special services exchanged information at the meeting.",
    ),
    (
        "Doping must be fought, but punishing clean athletes for the faults of others is wrong.",
        "The athletes won twelve medals, among them four in skiing and two in skating.",
    ),
    (
        "Real independence means that we decide for ourselves and rely on our own strength.",
        "The new line is forty kilometres long, and the first trains will run in December.",
    ),
    (
        "There is no proof whatever, and they refuse to look at facts because the facts do not suit them.",
        "I was born in a village near the river, studied at the institute and became an engineer.",
    ),
    (
        "Culture must serve the good of the people, not the profit of those who sell it.",
        "The theatre will show three plays this season, and the orchestra will go on tour.",
    ),
)
# Words that judge, oblige, deny, blame or assert.
CLAIM_CUES = re.compile(
    r"\b(?:must(?:n['’]t)?|should(?:n['’]t)?|ought|cannot|can['’]t|never|nobody|no one|nothing|nonsense"
    r"|absurd|wrong|right to|unfair|unjust|unlawful|illegal|illegitimate|legitimate|unacceptable|inadmissible"
    r"|intolerable|impossible|absolutely|obvious(?:ly)?|evident(?:ly)?|clear(?:ly)? that|convinced|believe"
    r"|sure that|in fact|truth|true|false|lies?|lying|pretext|excuse|blame[sd]?|accus\w+|alleg\w+|guilty"
    r"|fault|responsib\w+ for|because|therefore|that is why|despite|instead of|rather than|only way|the only"
    r"|not (?:a|the|because|only|about|against|our)|is(?:n['’]t| not)|are(?:n['’]t| not)|was(?:n['’]t| not)"
    r"|will not|won['’]t|do(?:es)?(?:n['’]t| not)|did(?:n['’]t| not)|refus\w+|reject\w*|violat\w+|undermin\w+"
    r"|destroy\w*|threat\w*|danger\w*|harm\w*|hostil\w+|aggress\w+|interfer\w+|meddl\w+|impos(?:e|ed|es|ing)"
    r"|dictat\w+|pressure|sanctions?|double standards?|hypocri\w+|propaganda|so-called|provok\w+|provocat\w+"
    r"|condemn\w*|crimes?|terrorists?|justice|fair|equal|sovereign\w*|independen\w+|interests|respect\w*"
    r"|duty|obliged|need to|have to|crucial|essential|vital)\b",
    re.IGNORECASE,
)
CUE_WEIGHT = 0.5
# A text in which one word in ten is a cue gets the full weight of cues; more cues count at most twice that.
CUE_DENSITY = 0.1
MAX_CUE_RATIO = 2.0
MIN_CUE_WORDS = 8


def score_stance(
    texts: Sequence[str], vectors: VectorArray, claims: VectorArray, plain: VectorArray
) -> NDArray[np.float64]:
    """Score how much each text (n,) is a claim: about -1 for plain information, about 1 for a claim, at most 2.

    `vectors` (n, d) are unit rows of the texts; `claims` and `plain` (p, d) those of the two sides of
    `STANCE_PAIRS`. The score is the position of a text on the line from the mean of the plain side (-1) to the
    mean of the claims (1), as the difference of paired texts isolates what differs between them (Bolukbasi et
    al. 2016), plus half of its density of cue words. It has 5 decimals, as the last bits of a product vary
    with the number of threads.

    Measured: on the development labels (1,012 paragraphs) it separates those that advance any narrative from
    the others with an area under the curve of 0.74 (vectors alone 0.74, cue words alone 0.68). The authors of
    the pairs and cue words knew the codebook's subjects, so expect less on other subjects.
    """
    direction = (claims - plain).mean(axis=0).astype(np.float64)
    half = float(direction @ direction) / 2
    middle = float(((claims + plain) / 2).mean(axis=0) @ direction)
    placed = (vectors @ direction - middle) / half if half else np.zeros(len(texts))
    cues = np.array([len(CLAIM_CUES.findall(text)) / max(MIN_CUE_WORDS, len(text.split())) for text in texts])
    stances: NDArray[np.float64] = placed + CUE_WEIGHT * np.minimum(MAX_CUE_RATIO, cues / CUE_DENSITY)
    return stances.round(5)


MIN_CLAUSE_WORDS, MAX_CLAUSE_WORDS = 4, 16

# Introductory phrases, which are not part of the claim.
_OPENERS = (
    "and|but|so|now|well|yes|no(?=,)|first(?:ly)?|second(?:ly)?|third(?:ly)?|also|then|moreover|however",
    "therefore|thus|still|again|meanwhile|finally|overall|indeed|actually|frankly(?: speaking)?|honestly",
    "naturally|certainly|obviously|clearly|(?:most )?importantly|unfortunately|regrettably|incidentally",
    "last but not least|perhaps|most important|besides|furthermore|nevertheless|nonetheless|likewise",
    "otherwise|today|because|while|since|although|whereas|of course|at the same time|first of all|by the way",
    "in (?:fact|general|short|addition|my (?:opinion|view)|this (?:regard|context|connection))",
    "for (?:example|instance)|to be honest|as (?:you|we) know|as i (?:have )?(?:already )?(?:said|mentioned)",
    "you (?:know|see)|look|listen|colleagues|friends",
    "let me (?:also )?(?:repeat|remind you|stress|note|say|emphasi[sz]e|add)(?: once| again)*(?: that)?",
    "i (?:would|want|wish|must|can|should|will)(?: (?:also|only|just))?(?: like)?(?: to)? "
    "(?:note|stress|emphasi[sz]e|say|repeat|add|remind you|point out|underline)(?: once| again)*(?: that)?",
    "i (?:also |firmly |do )?(?:think|believe|hope|repeat|know)(?: that)?",
    "i (?:am (?:sure|convinced|confident|certain)|have no doubt)(?: that)?",
    "we (?:all |also |firmly )?(?:know|understand|believe|think|see|hope)(?: (?:very )?well)? that",
    "we (?:are (?:convinced|confident|sure)|proceed from the (?:fact|premise)) that",
    "we (?:believe|think)(?= (?:there|we|the|it))",
    "(?:it is|it['’]s) (?:absolutely )?(?:clear|obvious|evident|known|important|no secret)(?: to everyone)? that",
)
_OPENER_RUN = re.compile(rf"^(?:(?:{'|'.join(_OPENERS)})\b[\s,:]*)+", re.IGNORECASE)
_CLAUSE_BREAK = re.compile(
    r"\s+[–—-]+\s+|[;:]\s+"
    r"|,\s+(?=(?:and|but|because|so|while|whereas|which|as|since|although|though|if|not|who|where|when)\b)"
)
_PARENTHESIS = re.compile(r"\s*[(\[][^)\]]*[)\]]")
# A part of a sentence can be a clause of its own if it begins with one of these, or with a name.
_SUBJECT_START = re.compile(
    r"(?:we|our|nobody|no|nothing|none|every\w*|all|any\w*|each|both|some|many|most|people|there|the|an?"
    r"|neither|only|such a)\b"
)
# A clause that begins like this depends on the text before it, is about one person, or is a command.
_DEPENDENT_START = re.compile(
    r"(?:this|that|it|its|he|she|his|her|they|their|them|these|those|which|who|what|why|how|when|where|as|if"
    r"|i|i['’]\w+|it['’]s|that['’]s|my|me|you|your|yours?|to|one|another|here|such|or|than|for|in|of|with|by"
    r"|from|on|at|after|before|until|unless|except|without|under|during|despite|let|let['’]s|tell|told|try|come|go|please|give|thank|thanks|hello"
    r"|glory|not|is|are|was|were|do|does|did|has|have|had|can|could|will|would|should|must|may|be|being|been"
    r"|the (?:first|second|third|same|other|latter|former|only thing|question|problem|reason|fact|point|issue"
    r"|topic|situation|matter)|\w+ing|\w+ly|mr|ms|mrs|president|vladimir putin|dmitry peskov)\b",
    re.IGNORECASE,
)
# Words that refer to something outside the clause, or show that the clause is incomplete.
_OUTSIDE_REFERENCE = re.compile(
    r"[:?…]|\b(?:you|your|i|me|my|mr|this|these|those|it|its|they|them|their|he|she|him|her|so-called|colleagues)\b"
    r"|\b(?:too|otherwise|that|now|either|one|ones|so|as well|indeed|accused|intend|want|need"
    r"|here|there)$|\bthat(?:\s\S+){1,3}$|^\S+(?:\s\S+)? (?:who|which|whose)\b"
    r"|\b(?:spoken|talked|spoke|discussed?|mentioned|meeting|nevertheless|somehow|such"
    r"|other (?:things|issues))\b|[“\"‘]",
    re.IGNORECASE,
)
_VERB = re.compile(
    r"\b(?:is|are|was|were|be|been|has|have|had|must|should|shall|will|would|can|cannot|could|may|might|do|does"
    r"|did|need|needs|remain|remains|make|makes|want|wants|seek|seeks|know|face|faces|oppose|opposes|support"
    r"|supports|respect|protect|believe|condemn|reject|rejects|stand|stands|depends?|deserves?|\w+n['’]t)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause that could name a claim: its `name`, and its place in the text, whose vector stands for it."""

    name: str
    place: Text


def extract_clauses(text: str) -> list[Clause]:
    """Return the clauses of an English text that could name a claim, as written, in order, each once.

    A clause is a sentence, or a part of one that ends at a comma before a conjunction, a dash, a colon or a
    semicolon, without introductory words. It has 4 to 16 words, a subject and a verb. It is no question, does
    not depend on the text before it ("This is wrong") and is not about one person ("I was born").
    """
    clauses: dict[str, Clause] = {}
    for start, end in find_sentences(text):
        # Parentheses become spaces, so that places in the sentence remain places in the text.
        sentence = _PARENTHESIS.sub(lambda found: " " * len(found[0]), text[start:end])
        if sentence.strip(' “”"').endswith("?"):
            continue
        breaks = [0, *(place for found in _CLAUSE_BREAK.finditer(sentence) for place in found.span()), len(sentence)]
        for number, (first, last) in enumerate([(0, len(sentence)), *zip(breaks[::2], breaks[1::2], strict=True)]):
            first, last = _trim(sentence, first, last, _SPACES_AND_QUOTES)
            opener = _OPENER_RUN.match(sentence[first:last])
            first, last = _trim(sentence, first + (opener.end() if opener else 0), last, _CLAUSE_MARGIN)
            clause = " ".join(sentence[first:last].split())
            begins = number <= 1 or clause[:1].isupper() or _SUBJECT_START.match(clause)
            if begins and _can_name_claim(clause):
                name = clause[0].upper() + clause[1:]
                clauses.setdefault(name, Clause(name, take_part(text, start + first, start + last)))
    return list(clauses.values())


_SPACES_AND_QUOTES = ' “”"'
_CLAUSE_MARGIN = " ,.;:!–—-…“”\"‘’'"


def _trim(text: str, first: int, last: int, characters: str) -> tuple[int, int]:
    """Return the place without these characters at its ends."""
    part = text[first:last]
    return first + len(part) - len(part.lstrip(characters)), last - (len(part) - len(part.rstrip(characters)))


def _can_name_claim(clause: str) -> bool:
    words = len(clause.split())
    return (
        MIN_CLAUSE_WORDS <= words <= MAX_CLAUSE_WORDS
        and not _OUTSIDE_REFERENCE.search(clause)
        and not _DEPENDENT_START.match(clause)
        and _VERB.search(clause) is not None
    )


# The least stance of a clause that states a claim, and of a sentence that can advance one.
CLAUSE_STANCE, SENTENCE_STANCE = 0.3, -0.1
# A sentence advances a claim if its cosine with the clause reaches this and it has one of the clause's
# distinctive words. Below this, most sentences share only the subject (measured in docs/accuracy.md).
NEAR_COSINE = 0.74
# Distinctive words are in at most this share of the sentences (or this many); a clause needs three of them.
DISTINCTIVE_SHARE, DISTINCTIVE_COUNT, MIN_DISTINCTIVE = 0.03, 20, 3
# Two clauses with this cosine, or with this share of their statements in common, are one claim.
SAME_COSINE, SAME_OVERLAP = 0.75, 0.5
# The least documents and quarters of a claim in a large corpus. Few are enough, as a sentence must say the same
# thing and not only be about the same subject.
MIN_RECURRENCE = 3, 3
# A claim is in the codebook already if more than this share of its paragraphs advances a codebook narrative.
MAX_KNOWN_SHARE = 0.5
BLOCK_CELLS = 1 << 24
STEM_LENGTH = 7


@dataclass(frozen=True, slots=True)
class Statements:
    """The n paragraphs to cluster; dates are `YYYY[-MM[-DD]]` or empty, vectors (n, d)."""

    ids: Sequence[str]
    texts: Sequence[str]
    document_ids: Sequence[str]
    dates: Sequence[str]
    vectors: VectorArray


@dataclass(frozen=True, slots=True)
class RecurringClaim:
    """A recurring claim: the clause that states it, its stance, and the statements that advance it.

    `fits` maps the row of each of these statements to the cosine of its nearest sentence.
    """

    text: str
    stance: float
    fits: Mapping[int, float]


@dataclass(frozen=True, slots=True)
class _ClaimSentences:
    """The m sentences of all statements that can advance a claim, with the rows of their statements."""

    vectors: VectorArray
    owner: NDArray[np.int64]
    words: Sequence[Set[str]]


def find_clause_places(text: str) -> list[Text]:
    """Find the places of the clauses that could name a claim; `find_recurring_claims` embeds them."""
    return [clause.place for clause in extract_clauses(text)]


def find_recurring_claims(
    statements: Statements, assigned: Mapping[str, Set[str]], embed: EmbedFunction
) -> list[RecurringClaim]:
    """Find recurring claims that the codebook does not have.

    The method: take the clauses that could name a claim and have enough stance. For each, find the statements
    with a sentence that says nearly the same and shares a distinctive word; questions and plain information
    do not count. Keep the clauses that recur (see `is_recurring`) and of whose statements at most half are
    `assigned` a narrative. Of similar claims keep the one with the highest stance.

    Nearly all of these tests depend on the texts alone, or on counts that only grow with the corpus. So most
    claims keep their names as the corpus grows, whatever the order in which documents were added. (Clusters do
    not: see docs/accuracy.md.)

    Sources: leaders among exemplars, Hartigan 1975, with the first in a fixed order as in a greedy maximal
    independent set (Blelloch et al. 2012); the sentence that stands for many, Erkan and Radev 2004.
    """
    sides = embed([text for pair in STANCE_PAIRS for text in pair])
    direction = sides[0::2], sides[1::2]
    # A name that occurs in several texts has its place in the first of them, whatever their order.
    places = {c.name: c.place for text in sorted(statements.texts, reverse=True) for c in extract_clauses(text)}
    names = sorted(places)
    if not names:
        return []
    sentences = _select_sentences(statements.texts, direction, embed)
    vectors = embed([places[name] for name in names])
    stances = score_stance(names, vectors, *direction)
    used = Counter(word for words in sentences.words for word in words)
    most = max(DISTINCTIVE_COUNT, DISTINCTIVE_SHARE * len(sentences.owner))
    distinctive = [frozenset(word for word in _stem_words(name) if used[word] <= most) for name in names]
    rows = [k for k in range(len(names)) if stances[k] >= CLAUSE_STANCE and len(distinctive[k]) >= MIN_DISTINCTIVE]
    all_fits = _find_fits([distinctive[k] for k in rows], vectors[rows], sentences)
    corpus = len(set(statements.document_ids))
    known = {i for i, key in enumerate(statements.ids) if assigned.get(key)}
    kept: list[tuple[int, RecurringClaim]] = []
    for k, fits in sorted(zip(rows, all_fits, strict=True), key=lambda item: (-stances[item[0]], names[item[0]])):
        documents, dates = [statements.document_ids[i] for i in fits], [statements.dates[i] for i in fits]
        in_codebook = len(fits.keys() & known) > MAX_KNOWN_SHARE * len(fits)
        if in_codebook or not is_recurring(documents, dates, corpus, MIN_RECURRENCE):
            continue
        if not any(_is_same_claim(vectors[k], fits, vectors[other], claim.fits) for other, claim in kept):
            kept.append((k, RecurringClaim(names[k], round(float(stances[k]), 3), fits)))
    return [claim for _, claim in kept]


def _select_sentences(
    texts: Sequence[str], direction: tuple[VectorArray, VectorArray], embed: EmbedFunction
) -> _ClaimSentences:
    by_text = [split_sentences(text) for text in texts]
    flat = [sentence for sentences in by_text for sentence in sentences]
    owner = np.repeat(np.arange(len(texts)), [len(sentences) for sentences in by_text])
    vectors = embed(flat)
    sentences = [str(sentence) for sentence in flat]
    kept = score_stance(sentences, vectors, *direction) >= SENTENCE_STANCE
    kept &= [not (sentence.endswith("?") or is_question_to_speaker(sentence)) for sentence in sentences]
    return _ClaimSentences(vectors[kept], owner[kept], [_stem_words(sentences[i]) for i in np.flatnonzero(kept)])


def _stem_words(text: str) -> frozenset[str]:
    """Return crude stems: words without plural or possessive, cut to 7 letters; no stop or short words."""
    words = (word.lower().replace("’", "'") for word in ALPHABETIC_WORD.findall(text))
    kept = (word.removesuffix("'s") for word in words if len(word) > 2 and word not in load_stop_words())
    return frozenset(word.rstrip("s")[:STEM_LENGTH] for word in kept)


def _find_fits(
    distinctive: Sequence[Set[str]], vectors: VectorArray, sentences: _ClaimSentences
) -> list[dict[int, float]]:
    """Map, for each of c clauses, the statements that advance it to their cosines; in blocks, to limit memory."""
    all_fits: list[dict[int, float]] = [defaultdict(float) for _ in distinctive]
    height = max(1, BLOCK_CELLS // max(1, len(distinctive)))
    for first in range(0, len(sentences.owner) if distinctive else 0, height):
        cosines = np.round(vectors @ sentences.vectors[first : first + height].T, 5)
        for clause, at in np.argwhere(cosines >= NEAR_COSINE).tolist():
            if distinctive[clause] & sentences.words[first + at]:
                row = int(sentences.owner[first + at])
                fits = all_fits[clause]
                fits[row] = max(fits[row], round(float(cosines[clause, at]), 3))
    return [dict(fits) for fits in all_fits]


def _is_same_claim(one: VectorArray, its: Iterable[int], other: VectorArray, others: Iterable[int]) -> bool:
    mine, theirs = set(its), set(others)
    common = len(mine & theirs) >= SAME_OVERLAP * min(len(mine), len(theirs))
    return common or round(float(one @ other), 5) >= SAME_COSINE
