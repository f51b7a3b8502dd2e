"""Speaker and voice of every body block: one ordered cascade, the method recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from narratives.model import Kind, Voice
from narratives.parse.blocks import Block
from narratives.parse.mentions import mention_after, tokenise
from narratives.parse.people import Cast
from narratives.parse.questions import Turn, find_questions
from narratives.parse.quotes import quote_spans, quoted_share
from narratives.parse.reporting import Attribution, attribute_report, speaks_of_self
from narratives.parse.roster import Roster, clean_name
from narratives.parse.settings import (
    QUOTED_SHARE,
)
from narratives.parse.turns import find_turns, is_answer_label, is_question_label
from narratives.parse.vocabulary import (
    DOCUMENT_SPEAKER,
)

_QUOTES = "“”„«»\"‘'"
TURN_METHODS = ("source label", "turn label", "turn continued")
MIN_REPORTED = 2  # paragraphs that retell the stated speaker, from which a text is a report about them


class Placed(NamedTuple):
    """Kind and attribution of one block."""

    kind: Kind
    by: Attribution


def attribute(
    blocks: Sequence[Block],
    title: str,
    roster: Roster,
    on: str = "",
    outlet: str = "",
    stated: str = "",
    stated_in: str = "metadata",
) -> list[Placed]:
    """Kind, speaker, method, quoted person and voice of every block, in order.

    The cascade: the source's label at the paragraph; a turn label in its text, carried on until the next
    label or separator; a label that the source carries on from an earlier paragraph; the one speaker of the
    whole document, named by its title ("Briefing by X") or `stated` by manifest or metadata; else the text is
    read as a report (`attribute_report`). Headings and titles have no speaker. Unnamed askers make a
    paragraph a question, as does the source where it marks one; so do named ones (`find_questions`), who keep
    their names.
    """
    body = [i for i, block in enumerate(blocks) if block.kind == "body"]
    texts = [blocks[i].text for i in body]
    named = [blocks[i].labelled and bool(blocks[i].label) for i in body]
    marked = [blocks[i].labelled and not blocks[i].label for i in body]
    turns = find_turns(["" if n else text for n, text in zip(named, texts, strict=True)], roster, marked)
    names = _merge([label for label in [*(blocks[i].label for i in body), *turns] if label], roster, on)
    host = roster.resolve(stated, on) if stated else ""
    whole, whole_method = _titled(title, roster, on), "whole document"
    if not whole and host and not _retold(texts, host, roster):
        whole, whole_method = host, stated_in
    placed: dict[int, Placed] = {}
    free: list[int] = []
    running = answering = ""
    for at, (i, text, turn) in enumerate(zip(body, texts, turns, strict=True)):
        block = blocks[i]
        if block.after_break:
            running = ""
        if block.hint == "question":
            placed[at] = Placed("question", Attribution(method="source kind", voice="question"))
            continue
        if named[at]:
            label, method, running = block.label, "source label", ""
        elif turn:
            label, method = turn, "turn label"
            # In a report `Peskov: “...”` labels one quotation, not a turn that goes on.
            running = "" if text[len(turn) :].lstrip(": ")[:1] in _QUOTES else turn
        else:
            label, method = running or block.label, "turn continued"
        if label and is_question_label(label):
            placed[at] = Placed("question", Attribution(method=method, voice="question"))
        elif label and is_answer_label(label):
            placed[at] = _own(text, whole or answering, method, roster)
        elif label:
            answering = names[label]
            in_quotes = method == "turn label" and not running
            placed[at] = _own(text, answering, method, roster, in_quotes)
        elif whole:
            placed[at] = _own(text, whole, whole_method, roster)
        else:
            free.append(at)
    _mark_questions(placed, texts, names, roster, on)
    reported = [_as_quoted(texts[at], blocks[body[at]]) for at in free]
    above = [block.text for block in blocks[: body[0] if body else 0] if block.kind == "heading"]
    reports = attribute_report(reported, title, roster, on, outlet, host, above)
    placed |= {at: Placed("body", by) for at, by in zip(free, reports, strict=True)}
    for at, i in enumerate(body):
        if blocks[i].hint == "quote" and placed[at].kind == "body":
            placed[at] = Placed("body", placed[at].by._replace(voice="quoted"))
    bodies = iter(placed[at] for at in range(len(body)))
    return [next(bodies) if block.kind == "body" else Placed(block.kind, Attribution()) for block in blocks]


def _mark_questions(
    placed: dict[int, Placed], texts: Sequence[str], names: Mapping[str, str], roster: Roster, on: str
) -> None:
    turns = []
    for at, text in enumerate(texts):
        kind, by = placed.get(at, Placed("body", Attribution()))
        has_turn = kind == "body" and by.method in TURN_METHODS
        turns.append(Turn(by.speaker if has_turn else "", text, kind == "question"))
    for at in find_questions(turns, names, roster, on):
        placed[at] = Placed("question", placed[at].by._replace(voice="question"))


def _as_quoted(text: str, block: Block) -> str:
    # A block quote stands without quotation marks; with them it is read like any other direct quote.
    return f"“{text}”" if block.hint == "quote" and text[:1] not in _QUOTES else text


def _own(text: str, speaker: str, method: str, roster: Roster, in_quotes: bool = False) -> Placed:
    voice: Voice = "own" if speaker else "outlet"
    if in_quotes or speaks_of_self(text, speaker, roster):
        share = quoted_share(text, quote_spans([text])[0])
        voice = "quoted" if share >= QUOTED_SHARE else "reported"
    return Placed("body", Attribution(speaker, method if speaker else "", voice=voice))


def _titled(title: str, roster: Roster, on: str) -> str:
    """The speaker in `Briefing by Foreign Ministry Spokesperson Maria Zakharova, Moscow, ...`, or ""."""
    match = DOCUMENT_SPEAKER.match(title)
    if not match:
        return ""
    tokens = tokenise(match["who"], [])
    return Cast([tokens], roster, on, "").who(mention_after(tokens, 0))


def _retold(texts: Sequence[str], speaker: str, roster: Roster) -> bool:
    return sum(speaks_of_self(text, speaker, roster) for text in texts) >= min(MIN_REPORTED, len(texts))


def _merge(labels: Sequence[str], roster: Roster, on: str) -> dict[str, str]:
    """The name behind every label of one document; a label that ends with another one is the same person.

    `Gazprom CEO Alexei Miller` and `Alexei Miller` become the latter. Where the roster refuses the longer
    label because its post does not fit, the shorter one is that namesake too and keeps the longer name.
    """
    names = {label: roster.resolve(label, on) for label in labels}
    cleaned = {label: clean_name(label) for label in names}
    for long in names:
        for short in names:
            if " " in cleaned[short] and cleaned[long].endswith(" " + cleaned[short]):
                if names[long] == cleaned[long] and roster.known(cleaned[short]):
                    names[short] = names[long]
                elif names[long] == cleaned[long]:
                    names[long] = names[short]
    return names
