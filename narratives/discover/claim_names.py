"""Which sentences can name a claim: without introductory words, and understood without their context."""

from __future__ import annotations

import re

MIN_NAME_WORDS, MAX_NAME_WORDS = 5, 20
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
# A sentence that begins like this depends on the text before it, is about one person, or is a command.
_DEPENDENT_START = re.compile(
    r"(?:this|that|it|its|he|she|his|her|they|their|them|these|those|which|who|what|why|how|when|where|as"
    r"|i|i['’]\w+|it['’]s|that['’]s|my|me|you|your|yours?|another|here|such|than|let|let['’]s|tell|try|please|give"
    r"|thank|thanks|hello|mr|ms|mrs|the (?:first|second|third|same|other|latter|former))\b",
    re.IGNORECASE,
)
# Words that refer to something outside the sentence.
_OUTSIDE_REFERENCE = re.compile(
    r"[:?…\[(]|\b(?:you|your|i|me|my|mr|this|these|those|they|he|she|him|her|colleagues|too|here"
    r"|mentioned|said|spoke|talked)\b|[“\"‘”]",
    re.IGNORECASE,
)
_VERB = re.compile(
    r"\b(?:is|are|was|were|be|been|has|have|had|must|should|shall|will|would|can|cannot|could|may|might|do|does"
    r"|did|need|needs|remain|remains|make|makes|want|wants|seek|seeks|know|face|faces|oppose|opposes|support"
    r"|supports|respect|protect|believe|condemn|reject|rejects|stand|stands|depends?|deserves?|\w+n['’]t)\b",
    re.IGNORECASE,
)


def trim_claim(sentence: str) -> str:
    """Return a sentence without introductory words and the full stop, beginning with a capital letter."""
    opener = _OPENER_RUN.match(sentence)
    rest = sentence[opener.end() if opener else 0 :].strip(_CLAIM_MARGIN)
    return rest[:1].upper() + rest[1:]


_CLAIM_MARGIN = " ,.;:!–—-…“”\"‘’'"


def can_stand_alone(sentence: str) -> bool:
    """Return whether a sentence is short, has a verb and no figures, and is understood without its context."""
    return (
        MIN_NAME_WORDS <= len(sentence.split()) <= MAX_NAME_WORDS
        and not _DEPENDENT_START.match(sentence)
        and not _OUTSIDE_REFERENCE.search(sentence)
        and _VERB.search(sentence) is not None
        and not any(letter.isdigit() for letter in sentence)
    )
