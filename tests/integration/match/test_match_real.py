"""Matching with the shipped codebook, background and model: plain statements, the seeds, the labels."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from benchmarks.match_quality import load, table
from narratives import embed
from narratives.embed.encoder import BUNDLED_SHA256, encode_all, load_encoder
from narratives.match import ClassifyFunction
from narratives.match.calibration import load_background
from narratives.match.matcher import Matcher, MatchResult, fit_matcher
from narratives.model import EmbedFunction, no_progress
from narratives.model.text import embed_passages
from narratives.read import load_codebook
from narratives.resources import DATA_FOLDER
from narratives.store import Store
from narratives.workflows.evaluate import EvaluationRequest, evaluate_matching
from narratives.workflows.match import combine_classifiers, load_classifiers

ROOT = Path(__file__).resolve().parents[3]

# Written for this test, none of them an exemplar.
STATEMENTS = {
    "western_russophobia": [
        "Hatred of everything Russian is stirred up on purpose by Western politicians in need of a foe.",
        "They scare citizens with an invented Russian menace so that they accept bigger military budgets.",
    ],
    "us_meddles_too": [
        "Washington has toppled governments and bought elections abroad for decades, and now takes offence.",
        "American diplomats pay and instruct opposition groups in other countries before every vote.",
    ],
    "no_election_interference": [
        "Moscow had nothing to do with the American presidential vote, and no proof of any meddling exists.",
        "Allegations that Kremlin hackers chose the president of the United States are pure fiction.",
    ],
    "syria_counterterrorism": [
        "Russian pilots help the Syrian army to drive Islamic State militants out of their last strongholds.",
        "Damascus asked us for help against the terrorists, and together we are defeating them in Syria.",
    ],
    "atrocity_allegations_fabricated": [
        "The gas attack in that Syrian town was acted out for television by the White Helmets.",
        "Nobody has proved that Syrian aircraft used chemical weapons; militants staged a provocation.",
    ],
    "groundless_accusations": [
        "Britain blames Russia for the poisoning of the Skripals with no evidence but a highly likely.",
        "The charge of state doping rests on one runaway's word, and innocent athletes pay for it.",
    ],
    "western_media_bias": [
        "Western television spreads lies about our country and hushes up whatever does not fit its picture.",
        "RT journalists are harassed and called propagandists because they show what others conceal.",
    ],
    "dialogue_on_equal_terms": [
        "We stand ready to mend relations with Washington if we are treated as an equal and with respect.",
        "Moscow wants normal relations with the European Union that consider the interests of both sides.",
    ],
    "multipolar_vs_diktat": [
        "No power may rule the globe; the future is a multipolar order that rests on the UN Charter.",
        "Bombing a sovereign country without a Security Council mandate tramples upon international law.",
    ],
    "nato_expansion_threat": [
        "The alliance creeps towards our frontiers with bases and missiles, and we are compelled to answer.",
        "By quitting the ABM Treaty and deploying missile defence, America has upset the strategic balance.",
    ],
    "sanctions_unlawful": [
        "These sanctions are unlawful, cost European firms billions and have not weakened Russia.",
        "Thanks to the sanctions our farmers flourish; those who imposed them punished themselves.",
    ],
    "ukraine_kiev_sabotages_minsk": [
        "Kiev denies Donbass a special status and shells its towns, tearing up what it signed in Minsk.",
        "An armed coup brought nationalists to power in Kiev, and this is how the war in the east began.",
    ],
    "crimea_reunification": [
        "Crimeans voted freely to come home to Russia, and nobody will ever reopen that question.",
        "Sevastopol and Crimea returned to Russia by the will of their residents expressed in a referendum.",
    ],
    "wwii_memory": [
        "The Soviet soldier crushed Hitler's army, and we shall not let anybody rewrite that history.",
        "We must protect the truth about the Great Patriotic War from those who honour Nazi helpers.",
    ],
    "eurasian_integration": [
        "The Eurasian Economic Union gains strength and, linked with the Belt and Road, benefits all.",
        "BRICS and the SCO gather equal nations and have become pillars of a fairer world economy.",
    ],
    "traditional_values": [
        "Russia upholds family, faith and the moral values of our forebears while others discard them.",
        "Western liberalism is exhausted, and societies that gave up traditional morality are in decline.",
    ],
}
ORDINARY = [
    "The governor reported that the harvest was good and that three new clinics were opened in the region.",
    "I congratulate you on the anniversary of your theatre and wish you health and creative success.",
    "Trade between our countries grew by twelve percent, and the intergovernmental commission meets in May.",
    "The forum of ministers will take place in Lima next week and adopt a declaration on small business.",
    "Students protest against higher fees in Cape Town, and the police report several clashes.",
    "Please tell us how work on the motorway is going and when drivers will be able to use it.",
]


@dataclass(frozen=True, slots=True)
class Shipped:
    """What a build uses for the default codebook: the matcher combined with the shipped classifier."""

    matcher: Matcher
    embed: EmbedFunction
    classify: tuple[ClassifyFunction, ...]

    def match(self, texts: Sequence[str]) -> MatchResult:
        return self.matcher.match(texts, *embed_passages(texts, self.embed), self.classify)


@pytest.fixture(scope="module")
def shipped(tmp_path_factory) -> Shipped:
    encoder = load_encoder(variant="fp32")
    embed = partial(encode_all, encoder)
    codebook = load_codebook(ROOT / "data/codebook.toml")
    plain = fit_matcher(codebook, embed, load_background(ROOT / "data/background.npz"))
    classifiers = load_classifiers(codebook, encoder, Store(tmp_path_factory.mktemp("s")), no_progress)
    classify = tuple(partial(encode_all, trained.classifier) for trained in classifiers)
    return Shipped(combine_classifiers(plain, codebook, classifiers), embed, classify)


def test_the_shipped_background_is_small_and_of_the_bundled_model():
    path = ROOT / "data" / "background.npz"
    background = load_background(path)
    assert path.stat().st_size <= 4_000_000
    assert (background.model, background.sha256) == ("all-MiniLM-L6-v2", BUNDLED_SHA256)
    assert background.paragraph_vectors.shape == (1200, 384)
    assert np.allclose(np.linalg.norm(background.window_vectors, axis=1), 1, atol=1e-3)


@pytest.mark.model
def test_plain_statements_are_matched_to_their_narratives_and_ordinary_ones_to_none(shipped):
    matcher = shipped.matcher
    expected = [narrative for narrative, texts in STATEMENTS.items() for _ in texts]
    texts = [text for texts in STATEMENTS.values() for text in texts]
    scores = shipped.match(texts + ORDINARY).scores
    reached = matcher.advances(scores)
    columns = [matcher.narrative_ids.index(narrative) for narrative in expected]
    found = [narrative for row, narrative in enumerate(expected) if reached[row, columns[row]]]
    assert set(found) == set(STATEMENTS)
    assert len(found) >= 0.9 * len(texts)
    assert reached[len(texts) :].sum() == 0
    assert reached[: len(texts)].sum() <= 1.5 * len(texts)


@pytest.mark.model
@pytest.mark.shared
def test_the_seed_documents_are_matched_as_a_reader_would(shipped, shared):
    matcher = shipped.matcher
    cases = {
        "western_russophobia": ("000", ["“obvious,” Russian", "carefully orchestrated", "as tool in an elect"]),
        "us_meddles_too": ("002", ["stop interfering", "actively interfering", "Point your finger"]),
        "syria_counterterrorism": (
            "004",
            ["short-sighted and absurd", "key goals are the fight", "Damascus in this fight", "hands of terrorists"],
        ),
    }
    for narrative, (seed, phrases) in cases.items():
        paragraphs = next((shared / "seeds").glob(f"{seed}_*")).read_text("utf-8").split("\n")
        texts = [next(p for p in paragraphs if phrase in p) for phrase in phrases]
        column = matcher.narrative_ids.index(narrative)
        assert matcher.advances(shipped.match(texts).scores)[:, column].all(), narrative
    briefing = next((shared / "seeds").glob("003_*")).read_text("utf-8").split("\n")
    neutral = [
        p for p in briefing if any(w in p for w in ("CELAC", "APEC", "Asia Pacific", "South Africa", "Pretoria"))
    ]
    columns = [matcher.narrative_ids.index(narrative) for narrative in cases]
    assert len(neutral) >= 10
    assert not matcher.advances(shipped.match(neutral).scores)[:, columns].any()


@pytest.mark.model
def test_an_added_output_is_linear_in_the_mean_state_and_leaves_the_others_as_they_are():
    texts = ["Sanctions violate international law.", "The delegation arrived on Tuesday and left on Friday."]
    encoder = embed.load_encoder(variant="fp32")
    shipped = embed.load_classifier(DATA_FOLDER / "classifier.safetensors", encoder)
    weights = np.linspace(-1, 1, encoder.dimension, dtype=np.float32)
    added = embed.add_output(shipped, weights, 0.5)
    assert embed.add_output(added, weights, 0.5, shipped.dimension).dimension == added.dimension
    outputs = embed.encode_all(added, texts)
    assert outputs.shape == (2, shipped.dimension + 1)
    np.testing.assert_allclose(outputs[:, :-1], embed.encode_all(shipped, texts), atol=1e-4)
    states = embed.compute_mean_states(shipped, texts)
    np.testing.assert_allclose(outputs[:, -1], states @ weights + 0.5, atol=1e-4)


@pytest.mark.model
def test_claims_of_one_line_are_matched_and_their_rebuttals_far_less(shipped):
    """Texts as a database of fact-checkers words them; none was used in training."""
    rows = [json.loads(line) for line in (ROOT / "benchmarks/claims.jsonl").read_text("utf-8").splitlines()]
    assigned = shipped.matcher.advances(shipped.match([row["text"] for row in rows]).scores)
    about = np.array([shipped.matcher.narrative_ids.index(row["about"]) for row in rows])
    own, kinds = assigned[np.arange(len(rows)), about], np.array([row["kind"] for row in rows])
    assert own[kinds == "claim"].mean() >= 0.6
    assert own[kinds == "rebuttal"].mean() <= 0.2  # 0.38 without the output for texts that refute a claim


@pytest.mark.model
@pytest.mark.shared
def test_cross_validated_quality_on_the_reference_labels(shared):
    """With the codebook alone."""
    rows = table(load(shared / "gold/narratives_dev.jsonl", "fp32"))
    assert np.mean([row[3] for row in rows]) >= 0.66, rows
    assert min(row[3] for row in rows) >= 0.40, rows


@pytest.mark.model
@pytest.mark.shared
def test_the_shipped_classifier_is_better_than_the_codebook_alone_out_of_fold(shared, tmp_path):
    """The texts that it was trained on are scored by a classifier that did not see their document."""
    found = evaluate_matching(EvaluationRequest(shared / "gold/narratives_dev.jsonl", tmp_path / "none"))
    mean = found.evaluation.rows[-1]
    assert mean.f1 >= 0.70 and mean.average_precision >= 0.79, mean
    assert found.evaluation.classifier.startswith("classifier-")
