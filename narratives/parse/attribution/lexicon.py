"""The word lists for attribution, from `lexicon.toml`, and the forms of verbs."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

_LEXICON: dict[str, Any] = tomllib.loads(Path(__file__).with_name("lexicon.toml").read_text("utf-8"))
_WORDS: dict[str, frozenset[str]] = {
    name: frozenset(words.split()) for name, words in _LEXICON.items() if isinstance(words, str)
}

PARTIES: dict[str, str] = _LEXICON["parties"]
RUSSIAN_FEMALE_ENDINGS: tuple[str, ...] = tuple(_LEXICON["russian_female_endings"].split())
POST_NOMINALS = _WORDS["post_nominals"]
HONORIFICS = _WORDS["honorifics"]
POST_FILLERS = _WORDS["post_fillers"]
ROLE_HEADS = _WORDS["role_heads"]
INTERVIEWER_HEADS = _WORDS["interviewer_heads"]
ROLE_MODIFIERS = _WORDS["role_modifiers"]
NAME_PREFIXES = _WORDS["name_prefixes"]
NAME_PARTICLES = _WORDS["name_particles"]
SENTENCE_OPENERS = _WORDS["sentence_openers"]
NON_NAME_WORDS = _WORDS["non_name_words"]
SURNAME_HEADS = _WORDS["surname_heads"]
PREPOSITIONS = _WORDS["prepositions"]
US_STATES = _WORDS["us_states"]
PLACE_WORDS = _WORDS["place_words"]
KIN_NOUNS = _WORDS["kin_nouns"]
EPITHETS = _WORDS["epithets"]
PERSON_NOUNS = _WORDS["person_nouns"] | (EPITHETS - ROLE_HEADS - PARTIES.keys())
WEEKDAYS = _WORDS["weekdays"]
MESSAGE_NOUNS = _WORDS["message_nouns"]
WORK_NOUNS = MESSAGE_NOUNS | _WORDS["work_nouns"]
OCCASION_NOUNS = MESSAGE_NOUNS | _WORDS["occasion_nouns"]
FRONTED_OPENERS = _WORDS["fronted_openers"]
SPEECH_NOUNS = MESSAGE_NOUNS | _WORDS["speech_nouns"]
TEAM_NOUNS = _WORDS["team_nouns"]
PERSON_RELATED_NOUNS = TEAM_NOUNS | _WORDS["person_related_nouns"]
COLLECTIVE_NOUNS = _WORDS["collective_nouns"]
WORDS_AFTER_NAMES = _WORDS["words_after_names"]
ANONYMOUS_QUOTE_WORDS = _WORDS["anonymous_quote_words"]
FEMALE_NAMES = _WORDS["female_names"]
MALE_NAMES = _WORDS["male_names"]
FEMALE_NOUNS = _WORDS["female_nouns"]
MALE_NOUNS = _WORDS["male_nouns"]
HEADLINE_WORDS = _WORDS["headline_words"]
NON_SUBJECT_WORDS = _WORDS["non_subject_words"]
IMPERSONAL_NOUNS = _WORDS["impersonal_nouns"]
QUESTION_LABELS = _WORDS["question_labels"]
ANSWER_LABELS = _WORDS["answer_labels"]
SPEAKER_NOUNS = _WORDS["speaker_nouns"]
LABEL_TITLES = HONORIFICS | _WORDS["label_titles"]
FEMALE_TITLES = _WORDS["female_titles"]
MALE_TITLES = _WORDS["male_titles"]
ABBREVIATIONS = _WORDS["abbreviations"]
POST_ACRONYMS = _WORDS["post_acronyms"]
DESCRIPTION_WORDS = _WORDS["description_words"]
LIST_LABELS = _WORDS["list_labels"]
NON_LABEL_WORDS = _WORDS["non_label_words"] | NON_NAME_WORDS | US_STATES | WEEKDAYS | LIST_LABELS
POST_OBJECTS = _WORDS["post_objects"]
RANKS = _WORDS["ranks"]
SPEECH_WORDS = _WORDS["speech_words"]


class VerbForms(NamedTuple):
    """The forms of some verbs: base, past, present ("says")."""

    base: frozenset[str]
    past: frozenset[str]
    present: frozenset[str]


def inflect_verbs(bases: Iterable[str]) -> VerbForms:
    """Return the forms of verbs given by their bases, by the rules of English spelling and a few exceptions."""
    rows = [(base, *_inflect(base)) for base in bases]
    return VerbForms(*map(frozenset, zip(*rows, strict=True)))


def _inflect(base: str) -> tuple[str, str]:
    if base in _LEXICON["irregular_verbs"]:
        past, present = _LEXICON["irregular_verbs"][base].split()
        return past, present
    ends_in_y = base.endswith("y") and base[-2] not in "aeiou"
    stem = base + base[-1] if base in _WORDS["doubling_verbs"] else base.removesuffix("e")
    past = f"{base[:-1]}ied" if ends_in_y else f"{stem}ed"
    is_sibilant = base.endswith(("s", "x", "z", "sh", "ch"))
    present = f"{base[:-1]}ies" if ends_in_y else f"{base}es" if is_sibilant else f"{base}s"
    return past, present


_SAYING_FORMS = inflect_verbs(_WORDS["saying_verbs"])
_ACTING_FORMS = inflect_verbs(_WORDS["acting_verbs"])
SAYING_VERBS = (_SAYING_FORMS.past | _SAYING_FORMS.present) - _WORDS["noun_forms"]
ACTING_VERBS = (_ACTING_FORMS.past | _ACTING_FORMS.present | {"began"}) - _WORDS["noun_forms"]
VERB_BASES = _SAYING_FORMS.base | _ACTING_FORMS.base  # after "would", "did" and the like
INVERTIBLE_VERBS = (SAYING_VERBS | _SAYING_FORMS.present | _WORDS["invertible_verbs"]) - _WORDS["uninvertible_verbs"]
PARTICLE_VERBS: dict[str, frozenset[str]] = {
    particle: frozenset(verbs.split()) for particle, verbs in _LEXICON["particle_verbs"].items()
}
SAYING_PARTICIPLES = _WORDS["saying_participles"]
QUOTING_VERBS = _WORDS["quoting_verbs"]
MODALS = _WORDS["modals"]
INTERVENING_WORDS = _WORDS["intervening_words"]
