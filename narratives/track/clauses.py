"""Clauses that could be the name of a claim: short, whole, and understood without what went before."""

from __future__ import annotations

import re

import sentencex

LEAST_WORDS, MOST_WORDS = 4, 16

# What speakers say before they say something.
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
    "(?:it is|it['’]s) (?:absolutely )?(?:clear|obvious|evident|known|important|no secret)"
    "(?: to everyone)? that",
)
_LEAD = re.compile(rf"^(?:(?:{'|'.join(_OPENERS)})\b[\s,:]*)+", re.IGNORECASE)
_BREAK = re.compile(
    r"\s+[–—-]+\s+|[;:]\s+"
    r"|,\s+(?=(?:and|but|because|so|while|whereas|which|as|since|although|though|if|not|who|where|when)\b)"
)
_ASIDE = re.compile(r"\s*[(\[][^)\]]*[)\]]")
# A part of a sentence can stand alone if it begins with one of these, or with a name.
_SUBJECT = re.compile(
    r"(?:we|our|nobody|no|nothing|none|every\w*|all|any\w*|each|both|some|many|most|people|there|the|an?"
    r"|neither|only|such a)\b"
)
# What begins like this leans on the text before it, speaks to or of one person, or orders.
_LEANING = re.compile(
    r"(?:this|that|it|its|he|she|his|her|they|their|them|these|those|which|who|what|why|how|when|where|as|if"
    r"|i|i['’]\w+|it['’]s|that['’]s|my|me|you|your|yours?|to|one|another|here|such|or|than|for|in|of|with|by"
    r"|from|on|at|after|before|until|unless|except|without|under|during|despite|let|let['’]s|tell|told|try|come|go|please|give|thank|thanks|hello"
    r"|glory|not|is|are|was|were|do|does|did|has|have|had|can|could|will|would|should|must|may|be|being|been"
    r"|the (?:first|second|third|same|other|latter|former|only thing|question|problem|reason|fact|point|issue"
    r"|topic|situation|matter)|\w+ing|\w+ly|mr|ms|mrs|president|vladimir putin|dmitry peskov)\b",
    re.IGNORECASE,
)
# What points outside the clause, or shows that it was cut in the middle.
_POINTING = re.compile(
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


def clauses(text: str) -> list[str]:
    """The clauses of an English text that could name a claim, as written, in order, each once.

    A sentence, or a part of one at a comma before a conjunction, a dash, a colon or a semicolon, without
    introductory words; of 4 to 16 words, with a subject and a verb; no question, and nothing that leans on
    the text before it ("This is wrong") or speaks of one person ("I was born").
    """
    found = []
    for sentence in sentencex.segment("en", text):
        whole = _ASIDE.sub("", sentence).strip(' “”"')
        if not whole or whole.endswith("?"):
            continue
        for place, part in enumerate([whole, *_BREAK.split(whole)]):
            stripped = _LEAD.sub("", part.strip())
            clause = stripped.strip(" ,.;:!–—-…“”\"‘’'")
            begins = place <= 1 or clause[:1].isupper() or _SUBJECT.match(clause)
            if begins and _is_name(clause):
                found.append(clause[0].upper() + clause[1:])
    return list(dict.fromkeys(found))


def _is_name(clause: str) -> bool:
    words = len(clause.split())
    return (
        LEAST_WORDS <= words <= MOST_WORDS
        and not _POINTING.search(clause)
        and not _LEANING.match(clause)
        and _VERB.search(clause) is not None
    )
