"""Whose words a speaker passes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from narratives.model import Voice
from narratives.parse.attribution.coreference import (
    MIN_ACT_QUOTE,
    DiscourseState,
    find_asked_person,
    find_implied_speaker,
    find_previous_subject,
    is_epithet,
    lowercase_openers,
    replace_handles,
    resolve_pronoun,
    resolve_subjects,
)
from narratives.parse.attribution.entities import EntityIndex, find_party
from narratives.parse.attribution.lexicon import FIRST_PERSON, MESSAGE_INTRODUCTION, TITLE_SPEAKER
from narratives.parse.attribution.mentions import (
    QUOTE_TOKEN,
    Mention,
    Token,
    find_mention_after,
    find_mention_before,
    find_subject_from,
    tokenise,
)
from narratives.parse.attribution.quotations import MIN_QUOTED_SHARE, QuoteSpan, compute_quoted_share, find_quote_spans
from narratives.parse.attribution.reporting_clauses import SpeechAct, find_speech_acts
from narratives.parse.attribution.roster import Roster, get_surname

_RELAYED_NOUNS = ("statement", "statements", "words", "remark", "remarks")


def find_relayed_person(tokens: Sequence[Token]) -> Mention | None:
    """The person in "the statement of X that" or "Citing X, Y said", whose words the speaker passes on."""
    words = [token.text.casefold() for token in tokens]
    for i in range(len(words) - 2):
        if words[i] in ("citing", "quoting") and (not i or words[i - 1] == "."):
            mention = find_mention_after(tokens, i + 1)
            if mention is not None and mention.name:
                return mention
        if words[i] in _RELAYED_NOUNS and words[i + 1] in ("of", "by"):
            end = i + 2
            while end < len(words) and words[end] not in ("that", "who", ":", QUOTE_TOKEN, ".", ",", ";"):
                end += 1
            if end < len(words) and words[end] in ("that", "who", ":", QUOTE_TOKEN):
                mention = find_mention_after(tokens, i + 2)
                if mention is not None and mention.name:
                    return mention
    return None


MIN_SURNAME_QUOTE = 8  # characters of a quotation, beside which a lone surname is taken for a person
_CLOSING_MARKS = '”»"’'
MAX_RECENT_PERSONS = 6  # persons whom "he" or "she" may mean, the latest first


class Attribution(NamedTuple):
    """Whose claim a paragraph is, how that was found, whom it passes on, and in what voice it speaks."""

    speaker: str = ""
    method: str = ""
    quoted_person: str = ""
    voice: Voice = "outlet"


class _ResolvedAct(NamedTuple):
    """A claim whose subject is known."""

    claim: SpeechAct
    name: str
    method: str


def attribute_report(
    texts: Sequence[str],
    title: str,
    roster: Roster,
    on: str = "",
    outlet: str = "",
    about: str = "",
    above: Sequence[str] = (),
) -> list[Attribution]:
    """The attribution of every body paragraph of a report, in order.

    First whoever is the subject of a verb of saying, by name, post ("the Kremlin spokesman") or pronoun;
    else a paragraph in quotation marks or in the first person goes on with the one who spoke right before;
    else it is the outlet's own voice, speaker empty. What follows "The message reads:" is by the sender, whom
    the lead, one of the headings `above` the text, names first. `about` is the speaker that the metadata
    name, `on` the document's partial date, by which posts are resolved.
    """
    spans = find_quote_spans(texts)
    tokens = [tokenise(text, s) for text, s in zip(texts, spans, strict=True)]
    head = tokenise(title, [])
    leads = [tokenise(text, []) for text in above]
    cast = EntityIndex([*tokens, head, *leads], roster, on, outlet)
    tokens = [replace_handles(lowercase_openers(words, cast), cast) for words in tokens]
    claims = [find_speech_acts(t) for t in tokens]
    for words, said in zip(tokens, claims, strict=True):
        quotes = any(token.quoted >= MIN_SURNAME_QUOTE for token in words)
        for claim in said:
            if claim.beside >= MIN_SURNAME_QUOTE or claim.sure:
                cast.meet(claim.mention, beside=quotes)
            if claim.pronoun and claim.sure and claim.beside >= MIN_SURNAME_QUOTE:
                cast.meet(find_previous_subject(words, claim.at))
    main = about or find_headline_speaker(head, title, cast, texts)
    talkers = {cast.who(c.mention) for cs in claims for c in cs if c.sure and not c.aside and c.mention}
    heard = DiscourseState(main, frozenset((talkers | {main}) - {""}), ())
    sender = next((who for lead in leads if (who := cast.who(find_subject_from(lead, 0).mention))), "")
    out: list[Attribution] = []
    before = ""
    is_message = False
    for text, words, inside, said in zip(texts, tokens, spans, claims, strict=True):
        subjects = resolve_subjects(words, cast)
        share = compute_quoted_share(text, inside)
        found, is_anothers = _attribute_by_verbs(words, said, subjects, cast, heard)
        if not found.speaker and not is_anothers:
            # Only the paragraph right before lends its speaker; the title does while nobody has spoken yet.
            lender, method = (before, "continuation") if before or heard.recent else (main, "title")
            if is_message or MESSAGE_INTRODUCTION.search(text):
                lender, method = sender, "sender"
            is_cited = bool(out) and out[-1].method in ("sender", "continuation")
            found = _attribute_continuation(text, inside, share, lender, method, may_lack_marks=not is_cited)
        voice: Voice = found.voice
        if voice != "quoted" and (found.speaker or share >= MIN_QUOTED_SHARE):
            voice = "quoted" if share >= MIN_QUOTED_SHARE else "reported"
        out.append(found._replace(voice=voice))
        is_message = MESSAGE_INTRODUCTION.search(text) is not None
        before = found.speaker
        latest = [name for _, name in subjects] + [before] * bool(before or is_anothers)
        asks = any(token.text in ("asked", "asks", "pressed", "wondered") for token in words)
        latest = [name for _, name in find_asked_person(words, 0, len(words), cast)] + latest
        heard = heard._replace(
            asker=before if asks else "",
            recent=tuple(dict.fromkeys([*reversed(latest), *heard.recent]))[:MAX_RECENT_PERSONS],
        )
    return _join_split_quotations(texts, spans, out)


def _join_split_quotations(
    texts: Sequence[str], spans: Sequence[Sequence[QuoteSpan]], found: Sequence[Attribution]
) -> list[Attribution]:
    """A quotation left open at a paragraph's end belongs to whoever closes it in the next one."""
    out = list(found)
    for i in range(len(out) - 2, -1, -1):
        is_open = bool(spans[i]) and spans[i][-1][1] == len(texts[i]) and texts[i][-1] not in _CLOSING_MARKS
        goes_on = bool(spans[i + 1]) and spans[i + 1][0][0] == 0
        if is_open and goes_on and out[i + 1].speaker and not out[i].speaker:
            out[i] = out[i]._replace(speaker=out[i + 1].speaker, method="split quotation")
    return out


def is_about_speaker(text: str, speaker: str, roster: Roster) -> bool:
    """Whether a text retells the very person it is labelled with: "Peskov said" under the label Peskov."""
    if not speaker or get_surname(speaker) not in text:
        return False
    tokens = tokenise(text, find_quote_spans([text])[0])
    cast = EntityIndex([tokens, tokenise(speaker, [])], roster, "", "")
    return any(c.mention and c.mention.name and cast.who(c.mention) == speaker for c in find_speech_acts(tokens))


def find_headline_speaker(head: Sequence[Token], title: str, cast: EntityIndex, texts: Sequence[str]) -> str:
    """The person of the texts whose claim a headline gives ("X: ...", "... – X to RT"), or ""."""
    mentions = [claim.mention for claim in find_speech_acts(head)]
    if source := TITLE_SPEAKER.search(title):
        who = tokenise(source["who"], [])
        mentions.append(find_mention_before(who, len(who)))
    colon = next((i for i, token in enumerate(head[:8]) if token.text == ":"), 0)
    mentions.append(find_mention_before(head, colon) if colon else None)
    names = (cast.who(mention) for mention in mentions)
    known = (name for name in names if name and cast.is_full_name(name))
    in_text = (name for name in known if cast.is_known(name) or any(get_surname(name) in t for t in texts))
    return next(in_text, "")


def _attribute_by_verbs(
    tokens: Sequence[Token],
    claims: Sequence[SpeechAct],
    subjects: Sequence[tuple[int, str]],
    cast: EntityIndex,
    heard: DiscourseState,
) -> tuple[Attribution, bool]:
    """Whose claim a paragraph is by its own verbs, and whether it is somebody's whom nobody can tell."""
    resolved: list[_ResolvedAct] = []
    named = list(subjects)
    quotes = any(token.quoted >= MIN_ACT_QUOTE for token in tokens)
    is_anothers = False
    for claim in claims:
        if claim.mention is None:
            name, method = resolve_pronoun(tokens, claim, named, heard)
            is_anothers = is_anothers or not name
        else:
            name = cast.who(claim.mention, heard.recent[0] if heard.recent else "")
            if not name and is_epithet(tokens, claim):
                near = [token.text for token in tokens[max(claim.at - 3, 0) : claim.at + 5]]
                here = [who for at, who in named if at < claim.at and who]
                party = find_party(near)
                name = here[-1] if here and not party else cast.foremost(party) if heard.recent else heard.main
            method = "role" if not claim.mention.name else "direct quote" if claim.beside else "reported speech"
        if name or cast.is_stranger(claim.mention):
            named.append((claim.at, name))
            # An act counts where its subject is heard: elsewhere in the text, or in a quotation beside it.
            if name and (claim.sure or name in heard.talkers or quotes):
                resolved.append(_ResolvedAct(claim, name, method))
        is_anothers = is_anothers or (not name and claim.sure and not claim.aside)
    if not resolved:
        is_anothers = is_anothers or any(not name for _, name in subjects)
        name, head = ("", None) if is_anothers else find_implied_speaker(tokens, cast)
        if head is not None:
            name, _ = resolve_pronoun(tokens, SpeechAct(None, head.at, False, pronoun=head.pronoun), named, heard)
        return Attribution(name, "direct quote", "", "reported") if name else Attribution(), is_anothers
    resolved = _drop_nested_acts(tokens, resolved)
    best = max(resolved, key=lambda s: (not s.claim.aside, s.claim.beside, s.claim.sure, -s.claim.at))
    passed_on = best.claim.quotes or next((s.claim.quotes for s in resolved if s.name == best.name), None)
    quoted = cast.who(passed_on or find_relayed_person(tokens))
    quoted = quoted if quoted != best.name else ""
    return Attribution(best.name, best.method, quoted, "reported"), False


def _drop_nested_acts(tokens: Sequence[Token], said: Sequence[_ResolvedAct]) -> list[_ResolvedAct]:
    """Without what others say within what somebody says: "Marsh noted that Hobbs once said that ..."."""
    kept: list[_ResolvedAct] = []
    for one in sorted(said, key=lambda s: s.claim.at):
        between = [t.text for t in tokens[kept[-1].claim.at : one.claim.at]] if kept else []
        nested = "that" in between and not {QUOTE_TOKEN, ".", ",", ";", "?", "and"}.intersection(between)
        if nested and kept[-1].claim.sure and not kept[-1].claim.aside:
            outer = kept.pop()
            passes_on = outer.claim.quotes or (one.claim.mention if one.name != outer.name else None)
            kept.append(outer._replace(claim=replace(outer.claim, quotes=passes_on)))
        else:
            kept.append(one)
    return kept


def _attribute_continuation(
    text: str, spans: Sequence[QuoteSpan], share: float, lender: str, method: str, may_lack_marks: bool
) -> Attribution:
    if not lender:
        return Attribution()
    # A quotation that goes on opens its paragraph: what stands before another tells who speaks.
    if share >= MIN_QUOTED_SHARE and (method == "sender" or (spans and not text[: spans[0][0]].strip(" -–—*…"))):
        return Attribution(lender, method, voice="quoted")
    # An interview set as a block quote: no marks, first person, and nobody else is made to say it.
    if (
        not spans
        and may_lack_marks
        and method not in ("title", "sender")
        and FIRST_PERSON.search(text)
        and get_surname(lender) not in text
    ):
        return Attribution(lender, "block quote", voice="quoted")
    return Attribution()
