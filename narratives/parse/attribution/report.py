"""Attribute the paragraphs of a report by their verbs of saying, their quotations and the paragraphs before."""

from __future__ import annotations

import re
from bisect import insort
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from narratives.model import Voice
from narratives.parse.attribution.capitals import restore_lower_case
from narratives.parse.attribution.coreference import (
    MIN_ACT_QUOTE,
    DiscourseState,
    NamedPersons,
    find_asked_person,
    find_implied_speaker,
    find_introduction,
    find_named_persons,
    find_previous_subject,
    is_epithet,
    lowercase_openers,
    replace_handles,
    resolve_pronoun,
)
from narratives.parse.attribution.entities import EntityIndex, find_party
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
from narratives.parse.attribution.signatures import FIRST_PERSON

TITLE_SPEAKER = re.compile(r"\s[–—-]+\s(?P<who>[^–—]+?)(?:\s+(?:to|tells?|told|says?|said)\b[^–—]*)?$")
# "The message reads, in part:"
MESSAGE_INTRODUCTION = re.compile(
    r"\b(?:message|telegram|letter|greetings?|condolences|congratulations)\b"
    r"[^.“\"]{0,60}(?:[^.“\"]{0,90}\.\sIt\s)?\b(?:reads?|says?|said)\b[^.“\"]{0,40}:",
    re.IGNORECASE,
)
_RELAYED_NOUNS = ("statement", "statements", "words", "remark", "remarks")


def find_relayed_person(tokens: Sequence[Token]) -> Mention | None:
    """Return the person whose words the speaker passes on: X in "the statement of X that" and "Citing X, Y said"."""
    words = [token.text.casefold() for token in tokens]
    introductions = ("that", "who", ":", QUOTE_TOKEN)
    for i in range(len(words) - 2):
        mention: Mention | None = None
        if words[i] in ("citing", "quoting") and (not i or words[i - 1] == "."):
            mention = find_mention_after(tokens, i + 1)
        elif words[i] in _RELAYED_NOUNS and words[i + 1] in ("of", "by"):
            end = next((word for word in words[i + 2 :] if word in (*introductions, ".", ",", ";")), "")
            mention = find_mention_after(tokens, i + 2) if end in introductions else None
        if mention is not None and mention.name:
            return mention
    return None


MIN_SURNAME_QUOTE = 8  # characters of a quotation, next to which a single surname counts as a person's
_CLOSING_MARKS = '”»"’'
MAX_RECENT_PERSONS = 6  # persons whom "he" or "she" may mean, the latest first


class Attribution(NamedTuple):
    """The speaker of a paragraph, how they were found, whose words they pass on, and the paragraph's voice."""

    speaker: str = ""
    method: str = ""
    quoted_person: str = ""
    voice: Voice = "outlet"


class _ReportParagraph(NamedTuple):
    """A paragraph with its quotations and acts of saying; `share` is the share of words in quotation marks."""

    text: str
    tokens: Sequence[Token]
    spans: Sequence[QuoteSpan]
    share: float
    acts: Sequence[SpeechAct]


class _ResolvedAct(NamedTuple):
    """An act of saying whose subject is known."""

    act: SpeechAct
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
    """Return the attribution of every body paragraph of a report, in order.

    The first of these that applies gives the speaker:

    1. The subject of a verb of saying, by name, post ("the Kremlin spokesman") or pronoun.
    2. For a paragraph in quotation marks or in the first person, whom the line before introduces ("And from Ann
       Lee:"), else the speaker of the paragraph before. After "The message reads:" it is the sender, who is the
       first person in the headings `above` the text.
    3. Nobody: the paragraph has the outlet's own voice.

    `about` is the speaker in the metadata; `on` is the document's partial date, by which posts are resolved.
    """
    headline = tokenise(title, [])
    leads = [tokenise(text, []) for text in above]
    spans = find_quote_spans(texts)
    tokens = restore_lower_case([tokenise(*row) for row in zip(texts, spans, strict=True)], texts, roster)
    entities = EntityIndex([*tokens, headline, *leads], roster, on, outlet)
    paragraphs = [_read_paragraph(*row, entities) for row in zip(texts, tokens, spans, strict=True)]
    for paragraph in paragraphs:
        _add_surnames(paragraph, entities)
    acts = [act for paragraph in paragraphs for act in paragraph.acts]
    main = about or find_headline_speaker(headline, title, entities, texts)
    talkers = {entities.resolve(act.mention) for act in acts if act.is_claim and not act.is_relative and act.mention}
    state = DiscourseState(main, frozenset((talkers | {main}) - {""}), ())
    sender = next((name for lead in leads if (name := entities.resolve(find_subject_from(lead, 0).mention))), "")
    attributions: list[Attribution] = []
    previous = Attribution()
    is_message = False
    introduced: str | None = None
    for paragraph in paragraphs:
        introduces_message = MESSAGE_INTRODUCTION.search(paragraph.text) is not None
        persons = find_named_persons(paragraph.tokens, entities)
        current, is_unknown = _attribute_by_verbs(paragraph, persons, entities, state)
        if not current.speaker and not is_unknown:
            # A speaker is only continued in the next paragraph. As long as nobody has spoken, the title gives one.
            continued = Attribution(main, "title")
            if is_message or introduces_message:
                continued = Attribution(sender, "sender")
            elif introduced is not None:
                continued = Attribution(introduced, "introduction")
            elif previous.speaker or state.recent:
                continued = Attribution(previous.speaker, "continuation")
            is_cited = previous.method in ("sender", "continuation")
            current = _attribute_continuation(paragraph, continued, may_lack_marks=not is_cited)
        previous = _set_voice(current, paragraph.share)
        attributions.append(previous)
        is_message = introduces_message
        introduced = None if current.speaker or is_unknown else find_introduction(paragraph.tokens, entities)
        state = _update_state(state, paragraph, persons, previous.speaker, is_unknown, entities)
    return _join_split_quotations(texts, spans, attributions)


def _read_paragraph(
    text: str, tokens: list[Token], spans: Sequence[QuoteSpan], entities: EntityIndex
) -> _ReportParagraph:
    tokens = replace_handles(lowercase_openers(tokens, entities), entities)
    return _ReportParagraph(text, tokens, spans, compute_quoted_share(text, spans), find_speech_acts(tokens))


def _add_surnames(paragraph: _ReportParagraph, entities: EntityIndex) -> None:
    """Add the single surnames that say something to the persons of the text."""
    quotes = any(token.quoted >= MIN_SURNAME_QUOTE for token in paragraph.tokens)
    for act in paragraph.acts:
        if act.quote_length >= MIN_SURNAME_QUOTE or act.is_claim:
            entities.add_surname(act.mention, has_quotation=quotes)
        if act.pronoun and act.is_claim and act.quote_length >= MIN_SURNAME_QUOTE:
            entities.add_surname(find_previous_subject(paragraph.tokens, act.at))


def _set_voice(attribution: Attribution, share: float) -> Attribution:
    if share >= MIN_QUOTED_SHARE:
        return attribution._replace(voice="quoted")
    is_reported = attribution.speaker and attribution.voice != "quoted"
    return attribution._replace(voice="reported") if is_reported else attribution


def _update_state(
    state: DiscourseState,
    paragraph: _ReportParagraph,
    persons: NamedPersons,
    speaker: str,
    is_unknown: bool,
    entities: EntityIndex,
) -> DiscourseState:
    """Return the state after a paragraph: the persons whom it names come first, the last of them at the front."""
    tokens = paragraph.tokens
    named = [*find_asked_person(tokens, 0, len(tokens), entities), *persons.subjects]
    latest = [name for _, name in named] + [speaker] * bool(speaker or is_unknown)
    asks = any(token.text in ("asked", "asks", "pressed", "wondered") for token in tokens)
    recent = tuple(dict.fromkeys([*reversed(latest), *state.recent]))
    return state._replace(
        asker=speaker if asks else "",
        recent=recent[:MAX_RECENT_PERSONS],
        pairs=(*persons.pairs, *state.pairs)[:MAX_RECENT_PERSONS],
        others=frozenset(name for _, name in persons.persons) or state.others,
    )


def _join_split_quotations(
    texts: Sequence[str], spans: Sequence[Sequence[QuoteSpan]], attributions: Sequence[Attribution]
) -> list[Attribution]:
    """Give a quotation left open at a paragraph's end to the speaker of the next paragraph, which closes it."""
    joined = list(attributions)
    for i in range(len(joined) - 2, -1, -1):
        is_open = bool(spans[i]) and spans[i][-1][1] == len(texts[i]) and texts[i][-1] not in _CLOSING_MARKS
        is_continued = bool(spans[i + 1]) and spans[i + 1][0][0] == 0
        if is_open and is_continued and joined[i + 1].speaker and not joined[i].speaker:
            joined[i] = joined[i]._replace(speaker=joined[i + 1].speaker, method="split quotation")
    return joined


def is_about_speaker(text: str, speaker: str, roster: Roster) -> bool:
    """Return whether a text reports the words of a person: "Peskov said" in a paragraph with the label Peskov."""
    if not speaker or get_surname(speaker) not in text:
        return False
    tokens = tokenise(text, find_quote_spans([text])[0])
    entities = EntityIndex([tokens, tokenise(speaker, [])], roster, "", "")
    mentions = (act.mention for act in find_speech_acts(tokens))
    return any(mention and mention.name and entities.resolve(mention) == speaker for mention in mentions)


def find_headline_speaker(head: Sequence[Token], title: str, entities: EntityIndex, texts: Sequence[str]) -> str:
    """Return the person of the texts whose words a headline gives ("X: ...", "... – X to RT"), or ""."""
    mentions = [act.mention for act in find_speech_acts(head)]
    if source := TITLE_SPEAKER.search(title):
        who = tokenise(source["who"], [])
        mentions.append(find_mention_before(who, len(who)))
    colon = next((i for i, token in enumerate(head[:8]) if token.text == ":"), 0)
    mentions.append(find_mention_before(head, colon) if colon else None)
    names = (entities.resolve(mention) for mention in mentions)
    known = (name for name in names if name and entities.is_full_name(name))
    in_text = (name for name in known if entities.is_known(name) or any(get_surname(name) in t for t in texts))
    return next(in_text, "")


def _attribute_by_verbs(
    paragraph: _ReportParagraph, persons: NamedPersons, entities: EntityIndex, state: DiscourseState
) -> tuple[Attribution, bool]:
    """Return the attribution by the paragraph's own verbs, and whether an unknown person is the speaker."""
    tokens = paragraph.tokens
    resolved, named, is_unknown = _resolve_acts(paragraph, persons, entities, state)
    if not resolved:
        is_unknown = is_unknown or any(not name for _, name in persons.subjects)
        name, head = ("", None) if is_unknown else find_implied_speaker(tokens, entities)
        if head is not None:
            name, _ = resolve_pronoun(
                tokens, SpeechAct(None, head.at, False, pronoun=head.pronoun), named, persons, state, entities
            )
        return Attribution(name, "direct quote", "", "reported") if name else Attribution(), is_unknown
    resolved = _drop_nested_acts(tokens, resolved)
    best = max(resolved, key=lambda one: (not one.act.is_relative, one.act.quote_length, one.act.is_claim, -one.act.at))
    passed_on = best.act.quoted or next((one.act.quoted for one in resolved if one.name == best.name), None)
    quoted = entities.resolve(passed_on or find_relayed_person(tokens))
    return Attribution(best.name, best.method, quoted if quoted != best.name else "", "reported"), False


def _resolve_acts(
    paragraph: _ReportParagraph, persons: NamedPersons, entities: EntityIndex, state: DiscourseState
) -> tuple[list[_ResolvedAct], list[tuple[int, str]], bool]:
    """Return the acts with a known subject, all persons named so far, and whether an unknown person speaks."""
    resolved: list[_ResolvedAct] = []
    named = sorted(persons.subjects)
    quotes = any(token.quoted >= MIN_ACT_QUOTE for token in paragraph.tokens)
    is_unknown = False
    for act in paragraph.acts:
        if act.mention is None:
            name, method = resolve_pronoun(paragraph.tokens, act, named, persons, state, entities)
        else:
            name = _resolve_mention(paragraph.tokens, act, named, entities, state)
            method = "role" if not act.mention.name else "direct quote" if act.quote_length else "reported speech"
        if name or entities.is_stranger(act.mention):
            insort(named, (act.at, name))
        # An act counts if its subject speaks elsewhere in the text, or if there is a quotation.
        if name and (act.is_claim or name in state.talkers or quotes):
            resolved.append(_ResolvedAct(act, name, method))
        is_unknown = is_unknown or (not name and (act.mention is None or (act.is_claim and not act.is_relative)))
    return resolved, named, is_unknown


def _resolve_mention(
    tokens: Sequence[Token],
    act: SpeechAct,
    named: Sequence[tuple[int, str]],
    entities: EntityIndex,
    state: DiscourseState,
) -> str:
    """Return the person who is the subject of an act; "the New York businessman" is the last one named."""
    last = state.recent[0] if state.recent else ""
    # "The minister" is nobody after "Trade Minister Lee and Foreign Minister Fox met".
    is_paired = any(last in pair and state.others.issuperset(pair) for pair in state.pairs)
    name = entities.resolve(act.mention, "" if is_paired else last)
    if name or not is_epithet(tokens, act):
        return name
    here = [person for at, person in named if at < act.at and person]
    party = find_party([token.text for token in tokens[max(act.at - 3, 0) : act.at + 5]])
    if here and not party:
        return here[-1]
    return entities.find_most_named(party) if state.recent else state.main


def _drop_nested_acts(tokens: Sequence[Token], resolved: Sequence[_ResolvedAct]) -> list[_ResolvedAct]:
    """Remove acts inside another act, which passes their words on: "Marsh noted that Hobbs once said that ..."."""
    kept: list[_ResolvedAct] = []
    for one in sorted(resolved, key=lambda r: r.act.at):
        between = [t.text for t in tokens[kept[-1].act.at : one.act.at]] if kept else []
        nested = "that" in between and not {QUOTE_TOKEN, ".", ",", ";", "?", "and"}.intersection(between)
        if nested and kept[-1].act.is_claim and not kept[-1].act.is_relative:
            outer = kept.pop()
            passed_on = outer.act.quoted or (one.act.mention if one.name != outer.name else None)
            kept.append(outer._replace(act=replace(outer.act, quoted=passed_on)))
        else:
            kept.append(one)
    return kept


def _attribute_continuation(paragraph: _ReportParagraph, continued: Attribution, may_lack_marks: bool) -> Attribution:
    """Return the attribution to the speaker before, if the paragraph continues their words."""
    text, spans = paragraph.text, paragraph.spans
    if not continued.speaker or (not spans and text.endswith(":")):
        return Attribution()
    # A continued quotation is at the start of its paragraph; words before any other name its speaker.
    opens = bool(spans) and not text[: spans[0][0]].strip(" -–—*…")
    if paragraph.share >= MIN_QUOTED_SHARE and (opens or continued.method == "sender"):
        return continued._replace(voice="quoted")
    # An interview printed as a block quote has no marks and is in the first person.
    is_first_person = FIRST_PERSON.search(text) and get_surname(continued.speaker) not in text
    is_next = continued.method in ("continuation", "introduction")
    if may_lack_marks and not spans and is_next and is_first_person:
        return Attribution(continued.speaker, "block quote", voice="quoted")
    return Attribution()
