"""How much a text is worded like a claim: a score of function words and of words that judge, oblige, deny or blame."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from narratives.model.kept import KEY, KEY_BYTES, NOTHING_KEPT, KeptArrays

# Words that judge, oblige, deny, blame or assert. They are grouped by their first letters, which makes the search fast.
CLAIM_CUES = re.compile(
    r"\b(?:a(?:bsurd|bsolutely|ccus\w+|lleg\w+|re(?:n['’]t| not)|ggress\w+)|b(?:elieve|lame[sd]?|ecause)"
    r"|c(?:annot|an['’]t|lear(?:ly)? that|onvinced|ondemn\w*|rimes?|rucial)"
    r"|d(?:espite|o(?:es)?(?:n['’]t| not)|id(?:n['’]t| not)|estroy\w*|anger\w*|ictat\w+|ouble standards?|uty)"
    r"|e(?:vident(?:ly)?|xcuse|qual|ssential)|f(?:alse|ault|air)|guilty|h(?:arm\w*|ostil\w+|ypocri\w+|ave to)"
    r"|i(?:llegal|llegitimate|nadmissible|ntolerable|mpossible|n fact|nstead of|s(?:n['’]t| not)"
    r"|nterfer\w+|mpos(?:e|ed|es|ing)|ndependen\w+|nterests)|justice|l(?:egitimate|ies?|ying)"
    r"|m(?:ust(?:n['’]t)?|eddl\w+)"
    r"|n(?:ever|obody|o one|othing|onsense|ot (?:a|the|because|only|about|against|our)|eed to)"
    r"|o(?:ught|bvious(?:ly)?|nly way|bliged)|p(?:retext|ressure|ropaganda|rovok\w+|rovocat\w+)"
    r"|r(?:ight to|esponsib\w+ for|ather than|efus\w+|eject\w*|espect\w*)"
    r"|s(?:hould(?:n['’]t)?|ure that|anctions?|o-called|overeign\w*)"
    r"|t(?:ruth|rue|herefore|hat is why|he only|hreat\w*|errorists?)"
    r"|u(?:nfair|njust|nlawful|nacceptable|ndermin\w+)|v(?:iolat\w+|ital)"
    r"|w(?:rong|as(?:n['’]t| not)|ill not|on['’]t))\b",
    re.IGNORECASE,
)
# A text in which one word in ten is a cue has a density of 1; more cues count at most twice that.
CUE_DENSITY, MAX_CUE_DENSITY, MIN_CUE_WORDS = 0.1, 2.0, 8
CUE_SCALE = 0.3  # of the density beside the function words
CUE_NAME = "(cues)"
# Words of every subject, in addition to the usual stop words.
WORDING = """
must should cannot never will would not because only all ought can may might nobody every any want need think believe
know say said everyone always so true truth fact wrong right
"""
RIDGE = 0.03


KEPT_SCORES = "claim-scores"  # the name under which they are saved


class KeptScores:
    """Scores of texts that are kept from build to build; those of texts that a build does not ask for are dropped.

    Without `kept` arrays, they are kept for this process only.
    """

    def __init__(self, kept: KeptArrays = NOTHING_KEPT) -> None:
        self._kept = kept
        self._known: _Scores | None = None
        self._used = NO_SCORES

    def compute(self, method: bytes, texts: Sequence[str], score: Callable[[str], float]) -> NDArray[np.float64]:
        """Return the scores of texts (n,); `method` is a hash of all that they depend on besides the text."""
        if self._known is None:
            self._known = _Scores.sort(*self._kept.load_by_key(KEPT_SCORES, "scores"))
        keys = np.frombuffer(b"".join(_make_key(method, text) for text in texts), KEY)
        distinct, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
        values, is_known = self._known.find(distinct)
        for at in np.flatnonzero(~is_known).tolist():
            values[at] = score(texts[first[at]])
        scores = _Scores(distinct, values)
        self._used = self._used.add(scores)
        if not is_known.all():
            self._known = self._known.add(scores)
            self._kept.save_by_key(KEPT_SCORES, "scores", self._used.keys, self._used.values)
        return values[inverse]


@dataclass(frozen=True, slots=True)
class _Scores:
    """Scores (n,) by `keys` (n,), which are sorted and differ: millions of them take a tenth of a dictionary."""

    keys: NDArray[np.bytes_]
    values: NDArray[np.float64]

    @staticmethod
    def sort(keys: NDArray[np.bytes_], values: NDArray[np.float64]) -> _Scores:
        """Sort scores by their keys; of equal keys the first is taken."""
        distinct, first = np.unique(keys, return_index=True)
        return _Scores(distinct, values[first])

    def find(self, keys: NDArray[np.bytes_]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return the score of each key, and whether it has one."""
        if not len(self.keys):
            return np.zeros(len(keys)), np.zeros(len(keys), np.bool_)
        at = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return self.values[at], self.keys[at] == keys

    def add(self, others: _Scores) -> _Scores:
        """Return these scores and others."""
        return _Scores.sort(np.concatenate([self.keys, others.keys]), np.concatenate([self.values, others.values]))


NO_SCORES = _Scores(np.empty(0, KEY), np.empty(0))


def _make_key(method: bytes, text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=KEY_BYTES, key=method).digest()


@dataclass(frozen=True)
class ClaimScorer:
    """How much a text is worded like a claim rather than like plain information.

    `weights` are those of function words, which say nothing about the subject, and of the density of cue words under
    `CUE_NAME`. They were learned from labels (benchmarks/make_claim_scorer.py). `kept` may have scores of an earlier
    build.
    """

    weights: Mapping[str, float]
    bias: float
    kept: KeptScores = field(default_factory=KeptScores, compare=False)

    def score(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Score texts (n,): above 0 for a claim, below for plain information; to 3 decimals."""
        return self.kept.compute(self._method, texts, self._score)

    def _score(self, text: str) -> float:
        own = math.fsum(self.weights.get(name, 0.0) * value for name, value in measure_wording(text).items())
        return round(own + self.bias, 3)

    @cached_property
    def _method(self) -> bytes:
        terms = (sorted(self.weights.items()), self.bias, CLAIM_CUES.pattern, sorted(load_wording()))
        constants = (CUE_DENSITY, MAX_CUE_DENSITY, MIN_CUE_WORDS, CUE_SCALE)
        return hashlib.sha256(repr((terms, constants)).encode()).digest()


_PLAIN_WORD = re.compile(r"[a-z]+(?:['’]t)?")
NEGATIONS = frozenset(("'t", "’t"))


@cache
def load_wording() -> frozenset[str]:
    """Load the function words of the scorer."""
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    return frozenset(ENGLISH_STOP_WORDS) | frozenset(WORDING.split())


def measure_wording(text: str) -> dict[str, float]:
    """Measure the function words of a text, each with the same value so that their squares sum to 1, and its cues."""
    words = set(_PLAIN_WORD.findall(text.lower()))
    negated = {"not"} if any(word[-2:] in NEGATIONS for word in words) else set()
    found = sorted((words | negated) & load_wording())
    cues = len(CLAIM_CUES.findall(text)) / max(MIN_CUE_WORDS, len(text.split())) / CUE_DENSITY
    return {**dict.fromkeys(found, 1 / math.sqrt(max(1, len(found)))), CUE_NAME: CUE_SCALE * min(MAX_CUE_DENSITY, cues)}


def fit_claim_scorer(claims: Sequence[str], plain: Sequence[str]) -> ClaimScorer:
    """Fit a ridge regression that separates texts with claims from plain information; both sides weigh the same."""
    names = [*sorted(load_wording()), CUE_NAME]
    column = {name: at for at, name in enumerate(names)}
    rows = np.zeros((len(claims) + len(plain), len(names)))
    for row, text in enumerate([*claims, *plain]):
        for name, value in measure_wording(text).items():
            rows[row, column[name]] = value
    sizes = [len(claims), len(plain)]
    target = np.repeat([1.0, -1.0], sizes)
    weight = np.repeat([0.5 / size for size in sizes], sizes)
    middle = weight @ rows
    centred = rows - middle
    square = centred.T @ (centred * weight[:, None]) + RIDGE * np.eye(len(names))
    weights = [round(float(one), 3) for one in np.linalg.solve(square, centred.T @ (weight * target))]
    return ClaimScorer(dict(zip(names, weights, strict=True)), round(float(-middle @ np.array(weights)), 3))
