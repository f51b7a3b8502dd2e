"""Names of groups of paragraphs: phrases that set a group apart from the others."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from narratives.discover.clustering import scale_sums
from narratives.discover.neighbours import round_to_grid
from narratives.model import VectorArray
from narratives.model.text import ALPHABETIC_WORD, load_stop_words

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

MAX_PHRASES = 5
NAME_PHRASES = 3
MAX_PHRASE_WORDS = 3
# A phrase can describe a group only if this share of its paragraphs, and at least two, use it.
MIN_PHRASE_SHARE = 0.1
# A phrase that more of all paragraphs use describes a group only if nothing else does.
MAX_COMMON = 0.1
# The weight of a phrase of several words against a single word, as it tells a reader more.
PHRASE_BONUS = 1.4
# The phrases of a group, by weight, whose paragraphs are compared with the group.
MAX_COMPARED = 25
PHRASE_BREAK = re.compile(r"[.,;:!?()\"“”«»–—\n]+")
NAME_SEPARATOR = " · "

# Words that say little about a subject. A phrase can contain them, but neither begin nor end with them.
WEAK_WORDS = """
able according account actively active add addition agree agreed allow allowed already appropriate area areas ask
asked attention available aware based basis become began begin believe best better big bring called came carefully
carry case cases certain certainly clear clearly close come comes coming common completely concerning conducted
consider considerable considered continue continued continues continuing corresponding create created current
currently deal decided decision decisions deep definitely details developed different difficult discuss discussed
discussing discussion doing done due easy effective effort efforts end ensure entire especially essential
established exactly example expect extremely fact far feel final finally find fine fully future gave general
generally getting give given giving glad goes going gone got great greater happen happened happening hard having
held hold hope huge idea imagine implement implemented important include included including increase increased
instance interested interesting involved issue issues item job just keep kind know known large largely largest
last late later launched lead leading left level levels like little live long look looking lot main major make
makes making man matter mean means measures meet mention mentioned month months moment moreover move moved moving
naturally near necessary needed needs new newly nice noted nothing number numerous obvious obviously occasion
offer ones open opinion opportunity order ordered overall own pay particular particularly parties past people’s
perhaps period person personal place plan planned plans please pleased point points possible practical practically
present prepared previous previously probably problem problems process progress proposal proposals propose proposed
provide provided providing put quite raised reach reached ready real really reason reasons received recent recently
regard regarding related remain remains report reported required respect respected result results right role saw
saying second see seen sense serious seriously set share short show showed shown significant significantly similar
simple simply single situation situations small solution solve solving soon sort speak speaking special specific
spoke stage start started state stay step steps stop strong subject success successful successfully suggest support
supported sure taken taking talk talked talking task tasks tell terms thanks thought times today’s told took top
total truly try trying turn understand use used useful using usual various view views wait want wanted wants way
ways week weeks went wish wonderful word words work worked working works world’s year’s
billion million thousand hundred percent rubles dozen
afternoon morning evening tomorrow yesterday tonight
january february march april may june july august september october november december
monday tuesday wednesday thursday friday saturday sunday
"""


@dataclass(frozen=True, slots=True)
class PhraseIndex:
    """The phrases of n texts: which text uses which, and how much each tells.

    `used` (n, p) has a 1 where a text uses a phrase; `phrases` are the p phrases in lower case, and `shares` (p,) the
    shares of the texts that use them. Phrases of a single text are left out.
    """

    texts: Sequence[str]
    used: csr_matrix
    phrases: NDArray[np.object_]
    shares: NDArray[np.float64]


def index_phrases(texts: Sequence[str]) -> PhraseIndex:
    """Find the phrases of the texts: runs of one to three words that neither begin nor end with a weak or stop word.

    Stop words are English.
    """
    from scipy import sparse
    from sklearn.feature_extraction.text import CountVectorizer

    if not any(_extract_lower_phrases(text) for text in texts):
        return PhraseIndex(texts, sparse.csr_matrix((len(texts), 0)), np.empty(0, object), np.empty(0))
    counter = CountVectorizer(analyzer=_extract_lower_phrases, binary=True, dtype=np.int32)
    used = counter.fit_transform(texts)
    counts = np.asarray(used.sum(axis=0)).ravel()
    repeated = np.flatnonzero(counts >= 2)
    phrases = counter.get_feature_names_out()[repeated]
    return PhraseIndex(texts, used[:, repeated].tocsr(), phrases, counts[repeated] / len(texts))


def find_distinctive_phrases(
    index: PhraseIndex, groups: Sequence[Sequence[int]], vectors: VectorArray
) -> list[tuple[str, ...]]:
    """Find up to 5 phrases for each group of rows, the most distinctive first.

    The weight of a phrase is its part in how the group differs from all texts: the share of the group's paragraphs that
    use it, times the logarithm of this share divided by that of all paragraphs (a term of the Kullback-Leibler
    divergence), and more for several words. The 25 phrases with the highest weight are compared with the
    group: the weight is multiplied by the cosine of the mean vector of all paragraphs that use the phrase with
    that of the group, so that a phrase of another subject falls back. Of phrases that share a word, the one with the
    highest weight is kept, in the spelling that most of the group's paragraphs use. `vectors` (n, d) are unit rows of
    the texts. Means are exact sums of whole numbers, so the order of the rows has no influence.
    """
    from scipy import sparse

    if not groups or not len(index.phrases):
        return [()] * len(groups)
    owner = np.repeat(np.arange(len(groups)), [len(rows) for rows in groups])
    rows = np.concatenate([np.asarray(rows, dtype=np.int64) for rows in groups])
    ones = np.ones(len(rows), dtype=np.int32)
    member = sparse.csr_matrix((ones, (owner, rows)), shape=(len(groups), len(index.texts)))
    counts = (member @ index.used).tocsr()
    whole = round_to_grid(vectors).astype(np.float64)
    columns_of, shares_of = [], []
    for number, own in enumerate(groups):
        row = counts[[number]].tocoo()
        enough = row.data >= max(2, MIN_PHRASE_SHARE * len(own))
        if (rare := enough & (index.shares[row.col] <= MAX_COMMON)).any():
            enough = rare
        columns, shares = row.col[enough], row.data[enough] / len(own)
        bonus = np.array([PHRASE_BONUS if " " in phrase else 1.0 for phrase in index.phrases[columns]])
        weight = np.round(bonus * shares * np.log(shares / index.shares[columns]), 9)
        order = np.lexsort((index.phrases[columns], -weight))[:MAX_COMPARED]
        columns_of.append(columns[order])
        shares_of.append(weight[order])
    compared = np.unique(np.concatenate(columns_of))
    places = {int(column): at for at, column in enumerate(compared.tolist())}
    means = scale_sums(index.used[:, compared].T.astype(np.float64) @ whole)
    centres = scale_sums(member.astype(np.float64) @ whole)
    distinctive = []
    for number, own in enumerate(groups):
        columns, weight = columns_of[number], shares_of[number]
        close = means[[places[int(column)] for column in columns]] @ centres[number]
        order = np.lexsort((index.phrases[columns], -np.round(weight * np.maximum(close, 0), 6)))
        chosen = _drop_similar(str(phrase) for phrase in index.phrases[columns[order]])
        distinctive.append(_restore_spelling(chosen, [index.texts[row] for row in own]))
    return distinctive


def make_names(phrases: Sequence[Sequence[str]], fallbacks: Sequence[str]) -> list[str]:
    """Make a different name for each group from its first three phrases, such as "doping · athletes · WADA".

    A name that an earlier group has gets one phrase more, and then a number. A group without a phrase is named by
    its fallback.
    """
    names: list[str] = []
    taken: set[str] = set()
    for own, fallback in zip(phrases, fallbacks, strict=True):
        options = [NAME_SEPARATOR.join(own[:most]) for most in range(min(NAME_PHRASES, len(own)), len(own) + 1) if most]
        base = options[-1] if options else fallback
        options = [*options, base, *(f"{base} ({number})" for number in range(2, len(taken) + 3))]
        name = next(option for option in options if option.lower() not in taken)
        taken.add(name.lower())
        names.append(name)
    return names


@cache
def _load_weak_words() -> frozenset[str]:
    return load_stop_words() | frozenset(WEAK_WORDS.split())


def _extract_phrases(text: str) -> Iterable[str]:
    """Yield the runs of one to three words of a text, as written, that neither begin nor end with a weak word."""
    weak = _load_weak_words()
    for sentence in PHRASE_BREAK.split(text):
        words = ALPHABETIC_WORD.findall(sentence)
        plain = [word.lower().replace("’", "'") for word in words]
        is_weak = [len(word) < 2 or word in weak for word in plain]
        for start in range(len(words)):
            if is_weak[start]:
                continue
            for end in range(start, min(start + MAX_PHRASE_WORDS, len(words))):
                if not is_weak[end]:
                    yield " ".join(words[start : end + 1])


def _extract_lower_phrases(text: str) -> list[str]:
    return [phrase.lower() for phrase in _extract_phrases(text)]


def _drop_similar(phrases: Iterable[str]) -> list[str]:
    """Return the first phrases that share no word, singular or plural, with an earlier one."""
    chosen: list[str] = []
    seen: set[str] = set()
    for phrase in phrases:
        stems = {word.removesuffix("'s").removesuffix("’s").rstrip("s") for word in phrase.split()}
        if not stems & seen:
            chosen.append(phrase)
            seen |= stems
        if len(chosen) == MAX_PHRASES:
            break
    return chosen


def _restore_spelling(phrases: Sequence[str], texts: Sequence[str]) -> tuple[str, ...]:
    """Return the phrases as most of the texts write them."""
    whole = "\n".join(texts)
    spelled = []
    for phrase in phrases:
        pattern = r"\s+".join(re.escape(word) for word in phrase.split())
        forms = Counter(" ".join(form.split()) for form in re.findall(rf"(?<!\w){pattern}(?!\w)", whole, re.IGNORECASE))
        spelled.append(min(forms, key=lambda form: (-forms[form], form)) if forms else phrase)
    return tuple(spelled)
