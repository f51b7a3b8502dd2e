"""Who speaks in a report: an article that quotes and retells, paragraph by paragraph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from narratives.model import Voice
from narratives.parse.people import (
    QUOTE,
    Cast,
    Token,
    is_capital,
    mention_after,
    mention_before,
    tokenise,
)
from narratives.parse.quotes import Span, quote_spans, quoted_share
from narratives.parse.roster import Roster, surname_of
from narratives.parse.settings import FIRST_PERSON, OPENERS, QUOTED_SHARE, TITLE_SOURCE
from narratives.parse.speech import Claim, find_claims, relayed

MIN_HEARD = 20  # characters from which a quotation is more than a borrowed word


class Attribution(NamedTuple):
    """Whose claim a paragraph is, how that was found, whom it passes on, and in what voice it speaks."""

    speaker: str = ""
    method: str = ""
    quoted_person: str = ""
    voice: Voice = "outlet"


class _Said(NamedTuple):
    """A claim whose subject is known."""

    claim: Claim
    name: str
    method: str


def attribute_report(
    texts: Sequence[str], title: str, roster: Roster, on: str = "", outlet: str = "", about: str = ""
) -> list[Attribution]:
    """The attribution of every body paragraph of a report, in order.

    First whoever is the subject of a verb of saying, by name, post ("the Kremlin spokesman") or pronoun;
    else a paragraph in quotation marks or in the first person goes on with the one who spoke right before;
    else it is the outlet's own voice, speaker empty. `about` is the speaker that the metadata name, `on` the
    document's partial date, by which posts are resolved.
    """
    spans = quote_spans(texts)
    tokens = [tokenise(text, s) for text, s in zip(texts, spans, strict=True)]
    head = tokenise(title, [])
    cast = Cast([*tokens, head], roster, on, outlet)
    claims = [find_claims(t) for t in tokens]
    main = about or title_speaker(head, title, cast, texts)
    talkers = {cast.who(c.mention) for cs in claims for c in cs if c.sure and not c.aside and c.mention}
    talkers = (talkers | {main}) - {""}
    out: list[Attribution] = []
    focus, before = "", ""
    for text, words, inside, said in zip(texts, tokens, spans, claims, strict=True):
        subjects = _subjects(words, cast)
        share = quoted_share(text, inside)
        found = _claimed(words, said, subjects, cast, focus, main, talkers)
        if not found.speaker:
            # Only the paragraph right before lends its speaker; the title does while nobody has spoken yet.
            lender, method = (before, "continuation") if before or focus else (main, "title")
            found = _carried(text, inside, share, lender, method)
        voice: Voice = found.voice
        if voice != "quoted" and (found.speaker or share >= QUOTED_SHARE):
            voice = "quoted" if share >= QUOTED_SHARE else "reported"
        out.append(found._replace(voice=voice))
        before = found.speaker
        focus = before or (subjects[-1][1] if subjects else focus)
    return out


def speaks_of_self(text: str, speaker: str, roster: Roster) -> bool:
    """Whether a text retells the very person it is labelled with: "Peskov said" under the label Peskov."""
    if not speaker or surname_of(speaker) not in text:
        return False
    tokens = tokenise(text, quote_spans([text])[0])
    cast = Cast([tokens, tokenise(speaker, [])], roster, "", "")
    return any(c.mention and c.mention.name and cast.who(c.mention) == speaker for c in find_claims(tokens))


def title_speaker(head: Sequence[Token], title: str, cast: Cast, texts: Sequence[str]) -> str:
    """The person of the texts whose claim a headline gives ("X: ...", "... – X to RT"), or ""."""
    mentions = [claim.mention for claim in find_claims(head)]
    if source := TITLE_SOURCE.search(title):
        who = tokenise(source["who"], [])
        mentions.append(mention_before(who, len(who)))
    colon = next((i for i, token in enumerate(head[:8]) if token.text == ":"), 0)
    mentions.append(mention_before(head, colon) if colon else None)
    names = (cast.who(mention) for mention in mentions)
    in_text = (name for name in names if name and any(surname_of(name) in text for text in texts))
    return next(in_text, "")


def _claimed(
    tokens: Sequence[Token],
    claims: Sequence[Claim],
    subjects: Sequence[tuple[int, str]],
    cast: Cast,
    focus: str,
    main: str,
    talkers: set[str],
) -> Attribution:
    resolved: list[_Said] = []
    named = list(subjects)
    heard = any(token.quoted >= MIN_HEARD for token in tokens)
    for claim in claims:
        if claim.mention is None:
            nearest = max((s for s in named if s[0] < claim.at), default=None)
            name, method = nearest[1] if nearest else focus, "pronoun"
            if not name and nearest is None:
                name, method = main, "title"
        else:
            name = cast.who(claim.mention, focus)
            method = (
                "role" if not claim.mention.name else "direct quote" if claim.beside else "reported speech"
            )
        if name or cast.is_stranger(claim.mention):
            named.append((claim.at, name))
            # An act counts where its subject is heard: elsewhere in the text, or in a quotation beside it.
            if name and (claim.sure or name in talkers or heard):
                resolved.append(_Said(claim, name, method))
    if not resolved:
        return Attribution()
    best = max(resolved, key=lambda s: (not s.claim.aside, s.claim.beside, s.claim.sure, -s.claim.at))
    passed_on = best.claim.quotes or next((s.claim.quotes for s in resolved if s.name == best.name), None)
    quoted = cast.who(passed_on or relayed(tokens))
    return Attribution(best.name, best.method, quoted if quoted != best.name else "", "reported")


def _carried(text: str, spans: Sequence[Span], share: float, lender: str, method: str) -> Attribution:
    if not lender:
        return Attribution()
    if share >= QUOTED_SHARE:
        return Attribution(lender, method, voice="quoted")
    # An interview set as a block quote: no marks, first person, and nobody else is made to say it.
    if not spans and method != "title" and FIRST_PERSON.search(text) and surname_of(lender) not in text:
        return Attribution(lender, "block quote", voice="quoted")
    return Attribution()


def _subjects(tokens: Sequence[Token], cast: Cast) -> list[tuple[int, str]]:
    """Persons named in full or known by surname at the head of a sentence: what "he" may refer to."""
    found: list[tuple[int, str]] = []
    for i, token in enumerate(tokens):
        if i and tokens[i - 1].text not in (".", QUOTE):
            continue
        start = i
        while start < len(tokens) and (tokens[start].text.casefold() in OPENERS or tokens[start].text == ","):
            start += 1
        if start < len(tokens) and is_capital(token.text) and is_capital(tokens[start].text):
            mention = mention_after(tokens, start)
            name = cast.who(mention) if mention and mention.name else ""
            if name and cast.is_full_name(name):
                found.append((start, name))
    return found
