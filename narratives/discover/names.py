"""Names of groups of paragraphs: phrases that set a group apart from the others."""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from narratives.discover.neighbours import BLOCK_CELLS, scale_sums, sum_on_grid
from narratives.model.text import ALPHABETIC_WORD, VectorRows, load_stop_words

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
# The nearest other groups, from which all phrases but the first are to set a group apart, and how much that counts.
NEAREST_GROUPS, CONTRAST_POWER = 3, 3
MEANS_HELD = 1 << 16  # mean vectors of phrases that are held at a time: 200 MB
# A phrase is a mere part if at least this share of its paragraphs go on with the same word.
PART_SHARE = 0.8
# The least length of a stem that another one continues, and by how many letters at most, as in Syria and Syrian.
MIN_STEM, MAX_SUFFIX = 5, 2
# Words, and nothing for what separates phrases.
_WORD_OR_BREAK = re.compile(rf"({ALPHABETIC_WORD.pattern})|[.,;:!?()\"“”«»–—\n]+")
BREAK = -1
MAX_CUBED = 2_000_000  # whose third power fits into 64 bits
_ENDINGS = ((re.compile(r"['’]s$"), ""), (re.compile(r"(?<=..)ies$"), "y"), (re.compile(r"(?<=[^s])s$"), ""))
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
nd rd th
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

    n = len(texts)
    ids, rows, words = _number_words(texts)
    is_weak = np.array([len(word) < 2 or word.replace("’", "'") in _load_weak_words() for word in words], dtype=bool)
    # A word that occurs once is in no phrase of two texts.
    is_word = np.append(np.bincount(ids[ids != BREAK], minlength=len(words)) > 1, False)[ids]
    is_end = is_word & ~np.append(is_weak, True)[ids]
    phrases: list[str] = []
    columns, owners = [], []
    for size in range(1, MAX_PHRASE_WORDS + 1):
        last = max(0, len(ids) - size + 1)
        fits = is_end[:last] & is_end[size - 1 :]
        for at in range(1, size - 1):
            fits &= is_word[at : last + at]
        own = np.flatnonzero(fits)
        runs = ids[own].astype(np.int64)
        for at in range(1, size):  # a run has the number of its words to the base of their number
            if at > 1 and len(words) > MAX_CUBED:
                runs = np.unique(runs, return_inverse=True)[1]
            runs = runs * len(words) + ids[own + at]
        kept, first, numbers = np.unique(runs, return_index=True, return_inverse=True)
        phrase, row = np.divmod(np.unique(numbers * np.int64(n) + rows[own]), max(1, n))
        is_repeated = np.bincount(phrase, minlength=len(kept)) >= 2
        is_listed = is_repeated[phrase]
        columns.append(len(phrases) - 1 + np.cumsum(is_repeated)[phrase[is_listed]])
        owners.append(row[is_listed])
        phrases += [" ".join(words[word] for word in ids[at : at + size]) for at in own[first[is_repeated]]]
    order = np.argsort(np.array(phrases, dtype=object))
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    column, owner = np.concatenate(columns), np.concatenate(owners)
    used = sparse.csr_matrix((np.ones(len(column), np.int32), (owner, place[column])), shape=(n, len(phrases)))
    shares = np.bincount(place[column], minlength=len(phrases)) / max(1, n)
    return PhraseIndex(texts, used, np.array(phrases, dtype=object)[order], shares)


def _number_words(texts: Sequence[str]) -> tuple[NDArray[np.int32], NDArray[np.int32], list[str]]:
    """Number the words of the texts: the number and the row of each, (t,), and the words in lower case.

    Between sentences, and after each text, the number is BREAK.
    """
    numbers: dict[str, int] = {}
    ids, lengths = array("i"), []
    for text in texts:
        found = _WORD_OR_BREAK.findall(text.lower())
        ids.extend([numbers.setdefault(word, len(numbers)) if word else BREAK for word in found])
        ids.append(BREAK)
        lengths.append(len(found) + 1)
    return np.frombuffer(ids, np.int32), np.repeat(np.arange(len(texts), dtype=np.int32), lengths), list(numbers)


def find_distinctive_phrases(
    index: PhraseIndex, groups: Sequence[Sequence[int]], vectors: VectorRows, least_share: float = MIN_PHRASE_SHARE
) -> list[tuple[str, ...]]:
    """Find up to 5 phrases for each group of rows, the most distinctive first.

    Only phrases that `least_share` of its paragraphs use are considered. The weight of a phrase is its part in how the
    group differs from all texts: the share of the group's paragraphs that use it, times the logarithm of this share
    divided by that of all paragraphs (a term of the Kullback-Leibler divergence), and more for several words. The 25
    phrases with the highest weight are compared with the group: the weight is multiplied by the cosine of the mean
    vector of all paragraphs that use the phrase with that of the group, so that a phrase of another subject falls back.
    The phrase with the highest weight is the first. For all others, the weight is multiplied by the third power of s /
    (s + t), where s is the share of the group's paragraphs that use the phrase, and t the highest share in the 3
    nearest other groups. So a name says the subject first, and then what sets the group apart from others on this
    subject. Of phrases that share a word, the one with the highest weight is kept, in the spelling that most of the
    group's paragraphs use. A phrase that nearly always goes on with the same word is left out for the longer one.
    `vectors` (n, d) are unit rows of the texts. Means are exact sums of whole numbers, so the order of the rows has no
    influence.
    """
    from scipy import sparse

    if not groups or not len(index.phrases):
        return [()] * len(groups)
    owner = np.repeat(np.arange(len(groups)), [len(rows) for rows in groups])
    rows = np.concatenate([np.asarray(rows, dtype=np.int64) for rows in groups])
    ones = np.ones(len(rows), dtype=np.int32)
    member = sparse.csr_matrix((ones, (owner, rows)), shape=(len(groups), len(index.texts)))
    counts = (member @ index.used).tocsr()
    candidates = [
        _choose_candidates(index, counts.indices[first:end], counts.data[first:end], len(own), least_share)
        for own, first, end in zip(groups, counts.indptr, counts.indptr[1:], strict=False)
    ]
    compared = np.unique(np.concatenate([columns for columns, _ in candidates]))
    if not len(compared):
        return [()] * len(groups)
    used = index.used[:, compared]
    centres = scale_sums(sum_on_grid(member.T.tocsr().astype(np.float64), vectors))
    shares = counts[:, compared].multiply(1 / np.array([len(own) for own in groups])[:, None]).tocsr()
    numbers = np.repeat(np.arange(len(groups)), [len(columns) for columns, _ in candidates])
    places = np.searchsorted(compared, np.concatenate([columns for columns, _ in candidates]))
    contrast = _compute_contrasts(shares, numbers, places, centres)
    closeness = _compute_closeness(used, vectors, numbers, places, centres)
    ends = np.cumsum([len(columns) for columns, _ in candidates])[:-1]
    parts = (np.split(values, ends) for values in (places, closeness, contrast))
    distinctive = []
    for own, (columns, weight), own_places, close, apart in zip(groups, candidates, *parts, strict=True):
        weight = weight * np.maximum(close, 0)
        first = np.lexsort((index.phrases[columns], -np.round(weight, 6)))[:1]
        weight *= apart**CONTRAST_POWER
        weight[first] = np.inf
        order = np.lexsort((index.phrases[columns], -np.round(weight, 6)))
        chosen = _drop_similar(str(phrase) for phrase in index.phrases[columns[order]])
        is_chosen = np.isin(index.phrases[columns], chosen)
        using = np.flatnonzero(np.diff(used[list(own)][:, own_places[is_chosen]].indptr))
        distinctive.append(_restore_spelling(chosen, [index.texts[own[at]] for at in using.tolist()]))
    return distinctive


def _choose_candidates(
    index: PhraseIndex, columns: NDArray[np.int64], times: NDArray[np.int64], size: int, least_share: float
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Choose the phrases of a group with the highest weight: their columns and weights, the highest first.

    `times` says how many of the `size` paragraphs of the group use each phrase.
    """
    enough = times >= max(2, least_share * size)
    if (rare := enough & (index.shares[columns] <= MAX_COMMON)).any():
        enough = rare
    columns, shares = columns[enough], times[enough] / size
    whole = _find_whole(index.phrases[columns].tolist(), shares.tolist())
    columns, shares = columns[whole], shares[whole]
    bonus = np.array([PHRASE_BONUS if " " in phrase else 1.0 for phrase in index.phrases[columns]])
    weight = np.round(bonus * shares * np.log(shares / index.shares[columns]), 9)
    order = np.lexsort((index.phrases[columns], -weight))[:MAX_COMPARED]
    return columns[order], weight[order]


def _compute_closeness(
    used: csr_matrix,
    vectors: VectorRows,
    owner: NDArray[np.int64],
    columns: NDArray[np.int64],
    centres: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Compute for k pairs of a group and a phrase the cosine of its centre with the mean of all that use the phrase.

    The means of a block of phrases are held at a time: in a large corpus, those of all take gigabytes.
    """
    closeness = np.zeros(len(columns))
    for first in range(0, used.shape[1], MEANS_HELD):
        block = slice(first, first + MEANS_HELD)
        means = scale_sums(sum_on_grid(used[:, block].astype(np.float64), vectors))
        inside = np.flatnonzero((columns >= first) & (columns < first + MEANS_HELD))
        for part in np.array_split(inside, max(1, len(inside) // MEANS_HELD)):
            closeness[part] = np.einsum("ij,ij->i", means[columns[part] - first], centres[owner[part]])
    return closeness


def _compute_contrasts(
    shares: csr_matrix, owner: NDArray[np.int64], columns: NDArray[np.int64], centres: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Compute s / (s + t) for k pairs of a group and a phrase; `shares` (g, c) are of its paragraphs that use one."""
    own, most = np.asarray(shares[owner, columns]).ravel(), np.zeros(len(columns))
    for near in _find_nearest(centres).T:
        np.maximum(most, np.asarray(shares[near[owner], columns]).ravel(), out=most)
    return np.asarray(own / (own + most), dtype=np.float64)


def _find_whole(phrases: Sequence[str], shares: Sequence[float]) -> list[int]:
    """Find the places of the phrases that are no mere beginning of a longer one, as "Welfare" is of "Welfare Fund"."""
    longest: dict[str, float] = {}
    for phrase, share in zip(phrases, shares, strict=True):
        beginning = phrase.rpartition(" ")[0]
        longest[beginning] = max(longest.get(beginning, 0.0), share)
    pairs = enumerate(zip(phrases, shares, strict=True))
    return [at for at, (phrase, share) in pairs if longest.get(phrase, 0.0) < PART_SHARE * share]


def _find_nearest(centres: NDArray[np.float64]) -> NDArray[np.int64]:
    """Find for each of g centres the nearest others, (g, at most NEAREST_GROUPS), in no order."""
    most, nearest = min(NEAREST_GROUPS, len(centres) - 1), []
    height = max(1, BLOCK_CELLS // len(centres))
    for first in range(0, len(centres), height):
        farness = -np.round(centres[first : first + height] @ centres.T, 6)
        own = np.arange(len(farness))
        farness[own, first + own] = np.inf
        order = np.argpartition(farness, most - 1, axis=1) if most else own[:, None]
        nearest.append(order[:, :most].copy())  # or else all of it would stay in memory
    return np.concatenate(nearest)


def make_names(phrases: Sequence[Sequence[str]], fallbacks: Sequence[str]) -> list[str]:
    """Make a different name for each group from its first three phrases, such as "doping · athletes · WADA".

    A name that an earlier group has gets one phrase more, and then a number. A group with a single word, or without
    any, is named by its fallback.
    """
    names: list[str] = []
    taken: set[str] = set()
    for own, fallback in zip(phrases, fallbacks, strict=True):
        options = [NAME_SEPARATOR.join(own[:most]) for most in range(min(NAME_PHRASES, len(own)), len(own) + 1) if most]
        if len(own) == 1 and " " not in own[0]:
            options = []
        base = options[-1] if options else fallback
        options = [*options, base, *(f"{base} ({number})" for number in range(2, len(taken) + 3))]
        name = next(option for option in options if option.lower() not in taken)
        taken.add(name.lower())
        names.append(name)
    return names


@cache
def _load_weak_words() -> frozenset[str]:
    return load_stop_words() | frozenset(WEAK_WORDS.split())


def _drop_similar(phrases: Iterable[str]) -> list[str]:
    """Return the first phrases that share no word, singular or plural, with an earlier one."""
    chosen: list[str] = []
    seen: set[str] = set()
    for phrase in phrases:
        stems = set(map(_stem, phrase.split()))
        if not any(_is_same(one, other) for one in stems for other in seen):
            chosen.append(phrase)
            seen |= stems
        if len(chosen) == MAX_PHRASES:
            break
    return chosen


def _stem(word: str) -> str:
    """Return a word without a possessive and in the singular."""
    for ending, instead in _ENDINGS:
        word = ending.sub(instead, word)
    return word


def _is_same(one: str, other: str) -> bool:
    """Return whether two stems are the same, or one is the other with another ending, as in Syria and Syrian."""
    shorter, longer = sorted((one, other), key=len)
    is_derived = len(shorter) >= MIN_STEM and len(longer) - len(shorter) <= MAX_SUFFIX
    return longer.startswith(shorter) if is_derived else shorter == longer


def _restore_spelling(phrases: Sequence[str], texts: Sequence[str]) -> tuple[str, ...]:
    """Return the phrases, in lower case, as most of the texts write them."""
    pairs = [(text, text.lower()) for text in texts]
    spelled = []
    for phrase in phrases:
        forms: Counter[str] = Counter()
        for text, lower in pairs:
            at = lower.find(phrase)
            while at >= 0:
                end = at + len(phrase)
                form, around = text[at:end], lower[max(0, at - 1) : at] + lower[end : end + 1]
                # A few letters have several in lower case, which moves those after them.
                if form.lower() == phrase and not any(one.isalnum() for one in around):
                    forms[form] += 1
                at = lower.find(phrase, at + 1)
        spelled.append(min(forms, key=lambda form: (-forms[form], form)) if forms else phrase)
    return tuple(spelled)
