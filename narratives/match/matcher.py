"""One calibrated, explainable score for each pair of a paragraph and a narrative of the codebook."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import metadata
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from threadpoolctl import threadpool_limits

from narratives.match.calibration import Background, to_score
from narratives.match.learning import ClassifyFunction, Combination, LearnedCorrections, is_near
from narratives.model import Codebook, ConfigError, EmbedFunction, FloatArray, Narrative
from narratives.model.kept import KEY, KEY_BYTES, NOTHING_KEPT, KeptArrays
from narratives.model.text import is_question_to_speaker, normalise_words

# Set once on the development labels. The results are not sensitive to them: halving or doubling any of them
# moves cross-validated macro-F1 by less than 0.025. It falls by 0.06 without cues, by 0.04 without contrasts
# and other narratives' exemplars in the probe, by 0.01 without the question rule (benchmarks/match_quality.py).
SHARPNESS = 10.0  # of the soft maximum over exemplars
# Of the probe. C is the inverse regularisation. The tolerance is tight: the optimum is unique, so all thread counts and
# platforms reach the same one.
PROBE_SETTINGS = {"C": 3.0, "solver": "newton-cholesky", "tol": 1e-8, "max_iter": 200}
PROBE_WEIGHTS = (1000.0, 500.0, 300.0, 200.0)  # exemplars, background, contrasts, other narratives' exemplars
CUE_BONUS = 2.5  # standard deviations added for a cue in the text
QUESTION_PENALTY = 3.0  # standard deviations subtracted for a question to the speaker
DEFAULT_THRESHOLD = 0.5
_BLOCK_ROWS = 1024  # limits memory; does not change any score


@dataclass(frozen=True, slots=True)
class MatchResult:
    """Scores of n paragraphs for k narratives (columns in the codebook's order).

    `scores` float32 (n, k) in 0..1, rounded to 3 decimals. `evidence` float64 (n, k), in standard deviations, is that
    of the codebook, combined with the outputs of the classifiers if there are any, without learned corrections.
    `best_window` int32 (n, k) is the index of the paragraph's window that is most like the narrative.
    `best_exemplar` int32 (n, k) is the index, among the narrative's `statements`, of the one nearest to that window.
    """

    scores: NDArray[np.float32]
    evidence: FloatArray
    best_exemplar: NDArray[np.int32]
    best_window: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Matcher:
    """A codebook prepared for matching, by `fit_matcher`; it depends on no corpus.

    `narrative_ids` (k,), `statements` (k tuples of exemplar texts) and `thresholds` float32 (k,) are in the
    codebook's order. The other fields are fitted: `exemplars` (e, d) are rows grouped by narrative, which
    begin at `starts` (k,); `probe` (d, k) and `intercept` (k,); `mean` and `spread` (4, k) of the four
    similarities over the background; `cues` are the narratives' phrases as normalised words; `corrections`
    are those learned from decisions. `combinations` say how the outputs of classifiers are used, one after the other.
    """

    narrative_ids: tuple[str, ...]
    statements: tuple[tuple[str, ...], ...]
    thresholds: NDArray[np.float32]
    exemplars: FloatArray
    starts: NDArray[np.intp]
    probe: FloatArray
    intercept: FloatArray
    mean: FloatArray
    spread: FloatArray
    cues: tuple[tuple[str, ...], ...]
    corrections: LearnedCorrections | None = None
    combinations: tuple[Combination, ...] = ()

    def with_combination(self, combination: Combination, thresholds: Mapping[int, float]) -> Matcher:
        """Return this matcher with one more combination and its threshold; `thresholds` by column override it."""
        chosen = self.thresholds.copy()
        chosen[combination.columns] = combination.threshold
        for column, threshold in thresholds.items():
            chosen[column] = threshold
        return replace(self, combinations=(*self.combinations, combination), thresholds=chosen)

    def with_corrections(self, corrections: LearnedCorrections) -> Matcher:
        """Return this matcher with learned corrections and thresholds."""
        return replace(self, corrections=corrections, thresholds=corrections.thresholds)

    def match(
        self,
        texts: Sequence[str],
        vectors: NDArray[np.float32],
        window_rows: Sequence[NDArray[np.float32]],
        classify: Sequence[ClassifyFunction] = (),
    ) -> MatchResult:
        """Score `texts` (n) given their `vectors` (n, d) and their windows' vectors (n arrays (w_i, d)).

        `classify` are the functions that give the outputs of the classifiers that the matcher is combined with.

        A score depends on its text and the codebook alone: not on other texts, their order, or the number of
        threads (double precision, then rounding). Raises ValueError where the lengths of the three differ.
        """
        if not len(texts) == len(vectors) == len(window_rows):
            raise ValueError(f"{len(texts)} texts, {len(vectors)} vectors, {len(window_rows)} window arrays")
        empty = [index for index, rows in enumerate(window_rows) if len(rows) == 0]
        if empty:
            raise ValueError(f"every text needs at least one window; none for rows {empty[:5]}")
        shape = (len(texts), len(self.narrative_ids))
        evidence = np.zeros(shape)
        exemplar, window = np.zeros(shape, np.int32), np.zeros(shape, np.int32)
        index = index_cues(self.cues)
        for start in range(0, len(texts), _BLOCK_ROWS):
            part = slice(start, start + _BLOCK_ROWS)
            counts = [len(rows) for rows in window_rows[part]]
            similarities = _compute_similarities(
                self, vectors[part], np.concatenate(list(window_rows[part])), np.cumsum([0, *counts[:-1]])
            )
            cued = np.array([find_cues(self.cues, normalise_words(text), index) for text in texts[part]])
            asks = np.array([is_question_to_speaker(text) for text in texts[part]])
            evidence[part] = self.compute_evidence(similarities.values, cued, asks)
            exemplar[part], window[part] = similarities.best_exemplar, similarities.best_window
        near = is_near(evidence)
        for combination, give_outputs in zip(self.combinations, classify, strict=True):
            evidence = combination.combine(evidence, near, texts, give_outputs)
        corrected = self.corrections.correct(evidence, texts) if self.corrections else evidence
        return MatchResult(to_score(corrected).astype(np.float32), evidence, exemplar, window)

    def advances(self, scores: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Return which scores (n, k) reach their narrative's threshold."""
        reached: NDArray[np.bool_] = scores >= self.thresholds
        return reached

    def compute_evidence(self, values: FloatArray, cued: NDArray[np.bool_], asks: NDArray[np.bool_]) -> FloatArray:
        """Compute the evidence (n, k), in standard deviations over the background.

        `values` (4, n, k) are the similarities, `cued` (n, k) says which texts contain a cue, and `asks` (n,) which
        are questions to the speaker.

        1. Take four similarities of a paragraph to a narrative: the soft maximum over its exemplars, for the
           whole paragraph and for the best two-sentence window (several prototypes per class, as in Allen et
           al., ICML 2019; passage evidence, Callan 1994); and a logistic probe that separates exemplars from
           the background, the narrative's contrasts and the other narratives' exemplars, again for the whole
           paragraph and the best window (linear probes, Alain & Bengio 2016).
        2. Express each in standard deviations over background paragraphs (Z-norm with a cohort, Auckenthaler
           et al. 2000): narratives become comparable, and one threshold can serve all. Take half their sum.
        3. Add a bonus where the text contains a cue of the codebook.
        4. Subtract a penalty for a question to the speaker: it raises the topic without making the claim.

        Learned corrections are added to the evidence (learning.py); a logistic curve turns it into a score
        (calibration.py).
        """
        evidence = ((values - self.mean[:, None]) / self.spread[:, None]).sum(axis=0) / 2
        evidence += CUE_BONUS * cued.astype(float)
        evidence -= QUESTION_PENALTY * asks.astype(float)[:, None]
        # The last bits vary with the number of threads, and corrections are learned from the evidence.
        rounded: FloatArray = np.round(evidence, 6)
        return rounded


CueIndex: TypeAlias = Mapping[str, Sequence[tuple[int, str]]]


def index_cues(cues: Sequence[Sequence[str]]) -> CueIndex:
    """Return the cues of all narratives by their first word, each with the place of its narrative."""
    index: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
    for place, own in enumerate(cues):
        for cue in own:
            index[cue.split(maxsplit=1)[0] if cue.strip() else ""].append((place, cue))
    return index


def find_cues(cues: Sequence[Sequence[str]], words: str, index: CueIndex | None = None) -> list[bool]:
    """Return for which narratives the normalised words of a text contain a cue; `index` is that of the cues."""
    found = [False] * len(cues)
    index = index_cues(cues) if index is None else index
    for word in {*words.split(), ""} & index.keys():
        for place, cue in index[word]:
            found[place] = found[place] or cue in words
    return found


@dataclass(frozen=True, slots=True)
class _Similarities:
    values: FloatArray  # (4, n, k): soft maximum of paragraph and best window, probe of paragraph and best window
    best_exemplar: NDArray[np.int32]
    best_window: NDArray[np.int32]


def fit_matcher(
    codebook: Codebook,
    embed: EmbedFunction,
    background: Background,
    only: Sequence[int] | None = None,
    kept: KeptArrays = NOTHING_KEPT,
) -> Matcher:
    """Prepare `codebook` for matching, with `embed` (texts -> unit rows (n, d)) and a background of its model.

    With `only`, the matcher has these narratives alone, at the given places in the codebook, each as it would be in
    the matcher of the whole codebook. Probes that an earlier build fitted to the same vectors are `kept`.

    A narrative without exemplars is represented by its definition. The result is deterministic: it needs no
    random numbers, and the convex problem is solved to the last digits. Raises ConfigError where the codebook
    is empty or the background has another dimension.
    """
    narratives = codebook.narratives
    if not narratives:
        raise ConfigError("a codebook with narratives", f"none in {codebook.source}", "Add a [[narrative]].")
    columns = list(range(len(narratives)) if only is None else only)
    positive = [embed(list(n.statements)).astype(np.float64) for n in narratives]
    negative = [embed(list(n.contrasts)).astype(np.float64) if n.contrasts else None for n in narratives]
    paragraphs = background.paragraph_vectors.astype(np.float64)
    if paragraphs.shape[1] != positive[0].shape[1]:
        raise ConfigError(
            f"a background of dimension {positive[0].shape[1]}",
            f"{paragraphs.shape[1]} (made with {background.model})",
            "Use the background of the model that encodes.",
        )
    groups = []
    for index in columns:
        others = [rows for other, rows in enumerate(positive) if other != index]
        groups.append([positive[index], paragraphs, negative[index], np.concatenate(others) if others else None])
    probes = _fit_probes(groups, kept)
    fitted = [narratives[index] for index in columns]
    unscaled = Matcher(
        narrative_ids=tuple(n.id for n in fitted),
        statements=tuple(n.statements for n in fitted),
        thresholds=np.array([_choose_threshold(n) for n in fitted], np.float32),
        exemplars=np.concatenate([positive[index] for index in columns]),
        starts=np.cumsum([0, *(len(positive[index]) for index in columns[:-1])]),
        probe=np.ascontiguousarray(probes[:, :-1].T),
        intercept=probes[:, -1],
        mean=np.zeros((4, len(fitted))),
        spread=np.ones((4, len(fitted))),
        cues=tuple(tuple(normalise_words(cue) for cue in sorted(set(n.cues))) for n in fitted),
    )
    first_windows = np.searchsorted(background.window_owner, np.arange(len(paragraphs)))
    cohort = _compute_similarities(unscaled, paragraphs, background.window_vectors, first_windows).values
    return replace(unscaled, mean=cohort.mean(axis=1), spread=np.maximum(cohort.std(axis=1), 1e-9))


def join_matchers(parts: Sequence[Matcher]) -> Matcher:
    """Return one matcher with the narratives of several fitted ones, in their order, without corrections."""
    sizes = [len(part.exemplars) for part in parts]
    return Matcher(
        narrative_ids=tuple(key for part in parts for key in part.narrative_ids),
        statements=tuple(texts for part in parts for texts in part.statements),
        thresholds=np.concatenate([part.thresholds for part in parts]),
        exemplars=np.concatenate([part.exemplars for part in parts]),
        starts=np.concatenate([p.starts + before for p, before in zip(parts, np.cumsum([0, *sizes]), strict=False)]),
        probe=np.concatenate([part.probe for part in parts], axis=1),
        intercept=np.concatenate([part.intercept for part in parts]),
        mean=np.concatenate([part.mean for part in parts], axis=1),
        spread=np.concatenate([part.spread for part in parts], axis=1),
        cues=tuple(cues for part in parts for cues in part.cues),
    )


def _choose_threshold(narrative: Narrative) -> float:
    return round(DEFAULT_THRESHOLD if narrative.threshold is None else narrative.threshold, 3)


_ProbeGroups: TypeAlias = Sequence[FloatArray | None]
PROBES = "probes"  # the name under which they are kept


def _fit_probes(groups: Sequence[_ProbeGroups], kept: KeptArrays) -> FloatArray:
    """Return the weights and the intercept of each probe, (k, d + 1): those of an earlier build, or else fitted."""
    known, earlier = kept.load_by_key(PROBES, PROBES)
    keys = np.frombuffer(b"".join(map(_make_probe_key, groups)), KEY)
    found = [np.flatnonzero(known == key) for key in keys]
    probes = np.array([earlier[at[0]] if len(at) else _fit_probe(own) for at, own in zip(found, groups, strict=True)])
    if not all(map(len, found)):
        kept.save_by_key(PROBES, PROBES, keys, probes)
    return probes


def _make_probe_key(groups: _ProbeGroups) -> bytes:
    """Make a hash of all that a probe depends on."""
    packages = [metadata.version(name) for name in ("scikit-learn", "scipy", "numpy")]
    settings = PROBE_SETTINGS, PROBE_WEIGHTS, packages
    made = hashlib.blake2b(repr(settings).encode(), digest_size=KEY_BYTES)
    for rows in groups:
        made.update(repr(None if rows is None else rows.shape).encode())
        made.update(b"" if rows is None else np.ascontiguousarray(rows).tobytes())
    return made.digest()


def _fit_probe(groups: _ProbeGroups) -> FloatArray:
    """Fit a logistic regression of the first group against the others; PROBE_WEIGHTS are the groups' weights.

    Returns the weights and the intercept, (d + 1,).
    """
    from sklearn.linear_model import LogisticRegression  # takes a second to import; pages do not need it

    present = [(rows, weight) for rows, weight in zip(groups, PROBE_WEIGHTS, strict=True) if rows is not None]
    rows = np.concatenate([group for group, _ in present])
    weights = np.concatenate([np.full(len(group), weight / len(group)) for group, weight in present])
    target = np.arange(len(rows)) < len(present[0][0])
    model = LogisticRegression(**PROBE_SETTINGS)
    with threadpool_limits(limits=1, user_api="blas"):  # the matrices are small: more threads would be slower
        model.fit(rows, target, sample_weight=weights)
    return np.append(model.coef_[0], model.intercept_[0])


def _compute_similarities(
    matcher: Matcher, paragraphs: ArrayLike, windows: ArrayLike, first_windows: NDArray[np.intp]
) -> _Similarities:
    """Compute the four similarities of n paragraphs, whose windows begin at rows `first_windows` (n,)."""
    paragraph_rows, window_rows = np.asarray(paragraphs, np.float64), np.asarray(windows, np.float64)
    with threadpool_limits(limits=1, user_api="blas"):
        to_exemplars = window_rows @ matcher.exemplars.T
        paragraph_soft = compute_soft_maximum(matcher, paragraph_rows @ matcher.exemplars.T)
        paragraph_probe = paragraph_rows @ matcher.probe + matcher.intercept
        window_probe = window_rows @ matcher.probe + matcher.intercept
    window_soft = compute_soft_maximum(matcher, to_exemplars)
    best_soft = np.maximum.reduceat(window_soft, first_windows)
    best_probe = np.maximum.reduceat(window_probe, first_windows)
    values = np.stack([paragraph_soft, best_soft, paragraph_probe, best_probe])
    best_window = np.stack([part.argmax(axis=0) for part in np.split(window_soft, first_windows[1:])])
    best_rows = best_window + first_windows[:, None]
    grouped = np.split(to_exemplars, matcher.starts[1:], axis=1)
    best_exemplar = np.stack([g[best_rows[:, k]].argmax(axis=1) for k, g in enumerate(grouped)], axis=1)
    return _Similarities(values, best_exemplar.astype(np.int32), best_window.astype(np.int32))


def compute_soft_maximum(matcher: Matcher, similarities: FloatArray) -> FloatArray:
    """Compute the log-mean-exp over each narrative's exemplars: (n, e) -> (n, k)."""
    sizes = np.diff([*matcher.starts, similarities.shape[1]])
    sums = np.add.reduceat(np.exp(SHARPNESS * similarities), matcher.starts, axis=1)
    mean: FloatArray = np.log(sums / sizes) / SHARPNESS
    return mean
