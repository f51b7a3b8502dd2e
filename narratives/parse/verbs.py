"""Verbs of saying in all their forms, and the acts that amount to saying something."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from narratives.parse.vocabulary import words_of

_VOWELS = "aeiou"
_DOUBLED = words_of("quip admit blog deadpan slam rip rap rebut dub")
_IRREGULAR = {
    "say": ("said", "says"),
    "tell": ("told", "tells"),
    "write": ("wrote", "writes"),
    "think": ("thought", "thinks"),
    "speak": ("spoke", "speaks"),
}


class Forms(NamedTuple):
    """The forms of some verbs: base, past, present ("says")."""

    base: frozenset[str]
    past: frozenset[str]
    present: frozenset[str]


def forms_of(bases: Iterable[str]) -> Forms:
    """The forms of verbs given by their bases, by the rules of English spelling and a few exceptions."""
    rows = [(base, *(_IRREGULAR.get(base) or _regular(base))) for base in sorted(bases)]
    columns = zip(*rows, strict=True)
    return Forms(*(frozenset(column) for column in columns))


def _regular(base: str) -> tuple[str, str]:
    ends_in_y = base.endswith("y") and base[-2] not in _VOWELS
    stem = base + base[-1] if base in _DOUBLED else base.removesuffix("e")
    past = f"{base[:-1]}ied" if ends_in_y else f"{stem}ed"
    hisses = base.endswith(("s", "x", "z", "sh", "ch"))
    present = f"{base[:-1]}ies" if ends_in_y else f"{base}es" if hisses else f"{base}s"
    return past, present


_SAY = forms_of(
    words_of(
        "say tell write state stress note add argue explain emphasize emphasise underline underscore recall"
        " reiterate remark declare announce claim insist assert admit acknowledge reply conclude comment"
        " observe maintain warn suggest tweet quip joke mention confirm clarify specify remind inform promise"
        " pledge urge assure complain lament highlight outline point respond opine affirm contend vow counter"
        " interject retort exclaim predict caution concede muse scoff snap shout boast brag recount testify"
        " proclaim post text email chime deadpan crack yell whisper implore lecture allege grumble mutter"
        " bark thunder scream chuckle confess confide gripe grouse marvel theorize speculate volunteer blurt"
        " elaborate recollect reminisce intone summarize gush plead rail bemoan decry object protest counsel"
        " inveigh rejoin reason posit surmise repeat echo tease enthuse crow holler sigh bellow roar"
    )
)
_ACT = forms_of(
    words_of(
        "call describe dismiss reject deny slam criticize criticise condemn blast accuse praise welcome blame"
        " believe think hope ask wonder express voice cite quote expect agree consider regret thank"
        " congratulate compare refer speak propose demand hail answer continue mock defend attack question"
        " ridicule denounce deride rip tout brand label dub deem liken characterize portray credit fault"
        " lambaste assail excoriate skewer rebuke chastise chide scold taunt belittle disparage trash lash"
        " applaud commend laud salute celebrate endorse challenge dispute allow advise threaten invoke charge"
        " laugh nod shrug offer recommend interrupt rebut admonish berate exhort cheer pronounce disagree"
        " bristle fume seethe inquire begin"
    )
)
# Nouns more often than verbs, even behind a name: "Hobbs posts", "the Hobbs attacks".
_NOUNS = words_of(
    "posts texts emails comments tweets points lectures objects protests remarks reasons cracks yells shouts"
    " states roars echoes brands labels charges lashes voices attacks questions offers challenges cheers"
    " demands faults credits disputes laughs nods shrugs celebrates salutes trashes"
)
SAYING = (_SAY.past | _SAY.present) - _NOUNS
# Acts that amount to a claim only when the text elsewhere lets the person speak, or quotes words beside them.
ACTING = (_ACT.past | _ACT.present | words_of("began")) - _NOUNS
# Behind "would", "did" and the like.
BASES = _SAY.base | _ACT.base
# Behind a comma these go on with what the subject of the sentence says.
SAYING_AFTERWARDS = words_of(
    "saying adding telling arguing noting stressing insisting claiming warning explaining promising declaring"
    " asserting suggesting vowing joking stating emphasizing emphasising calling accusing urging"
)
INVERTIBLE = (
    SAYING | _SAY.present | words_of("asked wondered asks answered answers continued continues")
) - (words_of("told tells informed reminded assured urged informs reminds assures urges"))
# "shot back" is an answer, "shot" is none; "put it" likewise.
SAYING_WITH = {
    "back": words_of("shot fired hit pushed fires hits pushes shoots"),
    "it": words_of("put puts sees tells"),
}
QUOTING = frozenset(["quoted", "cited", "quotes", "cites", "quoting", "citing"])
MODALS = words_of("will would can could may might must shall should did does do")
BETWEEN = words_of(
    "also then later once again however further repeatedly already previously recently earlier thus still"
    " has have had himself herself in turn often always just now even went on to long ever first meanwhile"
    " instead simply twice sometimes"
)
