"""Turn labels: `Question:`, `Maria Zakharova:`, `President of France Emmanuel Macron (retranslated):`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from narratives.model import ParagraphKind, Voice
from narratives.parse.attribution.entities import EntityIndex
from narratives.parse.attribution.lexicon import (
    ANSWER_LABELS,
    DOCUMENT_SPEAKER,
    IMPERSONAL_NOUNS,
    INTERVIEWER_HEADS,
    NAME_PARTICLES,
    NAME_PREFIXES,
    NON_NAME_WORDS,
    QUESTION_LABELS,
    ROLE_HEADS,
    SENTENCE_OPENERS,
)
from narratives.parse.attribution.mentions import find_mention_after, tokenise
from narratives.parse.attribution.quotations import compute_quoted_share, find_quote_spans
from narratives.parse.attribution.report import Attribution, attribute_report, is_about_speaker
from narratives.parse.attribution.roster import Roster, clean_name
from narratives.parse.patterns import MAX_QUESTION_WORDS, MIN_QUOTED_SHARE, QUESTION_WITH_THANKS, count_words
from narratives.parse.segmentation import Block

MAX_LABEL_WORDS = 20
MIN_TURN_WORDS = 4

_TURN_LABEL = re.compile(r"(?P<label>[A-ZÀ-ÖØ-ÞА-ЯЁ][^:“”\"?!;]{0,150}):\s+(?P<rest>\S.*)", re.DOTALL)
_LOWERCASE_NAME_WORDS = NAME_PARTICLES | {"of", "the", "and", "for", "in", "on", "at", "to"}


def is_question_label(label: str) -> bool:
    """Whether a label stands for someone who asks, unnamed: Question, Remark, From the audience."""
    return clean_name(label).casefold() in QUESTION_LABELS


def is_answer_label(label: str) -> bool:
    """Whether a label stands for whoever answers, unnamed."""
    return clean_name(label).casefold() in ANSWER_LABELS


def find_turn_labels(texts: Sequence[str], roster: Roster, marked: Sequence[bool] = ()) -> list[str]:
    """For every text its turn label, or "" where it opens with none.

    `marked` tells for every text whether the page itself sets the label off, in bold: then a name needs no
    other evidence, and a surname that comes back will do.

    Unnamed askers and names of the roster are labels anywhere. Another name is one when it follows a post,
    or comes back, or the text has other labels: a colon after two capitalised words is often just prose.
    """
    split = [_TURN_LABEL.fullmatch(text) for text in texts]
    sure: list[bool] = []
    shaped: list[str] = []
    bold = Counter(m["label"] for m, b in zip(split, marked, strict=False) if m and b)
    for i, match in enumerate(split):
        label = match["label"] if match else ""
        set_off = i < len(marked) and marked[i] and (_is_name_label(label) or _is_surname_label(label, bold[label]))
        sure.append(set_off or (bool(match) and _is_certain_label(label, match["rest"] if match else "", roster)))
        shaped.append(label if match and _is_name_label(label) and _is_turn_text(match["rest"]) else "")
    often = Counter(label for label in shaped if label)
    several = sum(sure) >= 2
    return [
        match["label"] if match and (certain or (label and (several or often[label] > 1))) else ""
        for match, certain, label in zip(split, sure, shaped, strict=True)
    ]


def _is_surname_label(label: str, times: int) -> bool:
    return (
        times > 1 and label.isalpha() and label.casefold() not in IMPERSONAL_NOUNS | NON_NAME_WORDS | SENTENCE_OPENERS
    )


def _is_certain_label(label: str, rest: str, roster: Roster) -> bool:
    if is_question_label(label) or is_answer_label(label):
        return True
    if len(label.split()) > MAX_LABEL_WORDS or not _is_turn_text(rest):
        return False
    if roster.known(clean_name(label)) or (_is_name_label(label) and roster.known(roster.resolve(label))):
        return True
    return _is_name_label(label) and any(w.casefold() in ROLE_HEADS for w in clean_name(label).split()[:-2])


def _is_turn_text(rest: str) -> bool:
    # `Minister of Justice: Konstantin Chuichenko.` is an entry of a list.
    words = rest.split()
    entry = len(words) > 1 and all(word[:1].isupper() for word in words)
    return count_words(rest) >= MIN_TURN_WORDS or (not entry and rest.endswith((".", "!", "?", "…", ",")))


def _is_name_label(label: str) -> bool:
    words = clean_name(label).replace("’s ", " ").split()
    if not 2 <= len(words) <= MAX_LABEL_WORDS or words[0].casefold() in SENTENCE_OPENERS - {"the"}:
        return False
    if not all(w[:1].isupper() or w[:1].isdigit() or w.casefold() in _LOWERCASE_NAME_WORDS or "-" in w for w in words):
        return False
    ending = [w for w in words[-2:] if w[:1].isupper() and w.casefold() not in ROLE_HEADS | NAME_PREFIXES]
    if words[-1].casefold() in IMPERSONAL_NOUNS or (len(words) > 2 and words[-3].casefold() in ("of", "for", "the")):
        return False
    return len(ending) == 2 and all(len(w) > 1 and not w.isupper() for w in ending)


class Turn(NamedTuple):
    """One body paragraph of a transcript: who has the turn, "" where nobody is told to have one."""

    speaker: str
    text: str
    is_unnamed_question: bool = False


def find_questions(turns: Sequence[Turn], labels: Mapping[str, str], roster: Roster, on: str) -> set[int]:
    """Which paragraphs are questions by somebody who is named; `labels` are the names behind the labels.

    A turn is one where it ends with a question mark, thanks aside, somebody else speaks next, and the text
    has an official's words in it: those of a person of the roster who is no journalist. It must be a
    journalist's, or that of somebody whom the roster does not have and whom no label gives a post: officials
    who ask one another make statements still. Of a long turn by somebody who is no journalist only the last
    paragraph is the question, the rest being what they came to say.
    """
    journalists = {name for name in labels.values() if _is_journalist(name, roster, on)}
    officials = {name for name in labels.values() if roster.known(name)} - journalists
    if not any(turn.speaker in officials for turn in turns):
        return set()
    posted = {name for label, name in labels.items() if _has_post(label)} - journalists
    found: set[int] = set()
    for start, end in _group_turns(turns):
        name = turns[start].speaker
        if name in officials or name in posted or not QUESTION_WITH_THANKS.search(turns[end - 1].text):
            continue
        if end == len(turns) or not (turns[end].speaker or turns[end].is_unnamed_question):
            continue
        whole = name in journalists or _count_turn_words(turns, range(start, end)) <= MAX_QUESTION_WORDS
        found |= set(range(start, end)) if whole else {end - 1}
    return found


def _group_turns(turns: Sequence[Turn]) -> Iterator[tuple[int, int]]:
    """The turns of one person each, as (first, one past the last)."""
    start = 0
    for i in range(1, len(turns) + 1):
        if i == len(turns) or turns[i].speaker != turns[start].speaker:
            if turns[start].speaker:
                yield start, i
            start = i


def _count_turn_words(turns: Sequence[Turn], of: Collection[int]) -> int:
    return sum(count_words(turns[i].text) for i in of)


def _is_journalist(name: str, roster: Roster, on: str) -> bool:
    return any(roster.is_a(name, head, on) for head in INTERVIEWER_HEADS)


def _has_post(label: str) -> bool:
    words = {re.sub(r"[’']s$", "", word.casefold()) for word in clean_name(label).split()[:-1]}
    return bool(words & ROLE_HEADS) and not words & INTERVIEWER_HEADS


_QUOTE_MARKS = "“”„«»\"‘'"
TURN_METHODS = ("source label", "turn label", "turn continued")
MIN_RETOLD_PARAGRAPHS = 2  # paragraphs that retell the stated speaker, from which a text is a report about them


class AttributedBlock(NamedTuple):
    """Kind and attribution of one block."""

    kind: ParagraphKind
    by: Attribution


def attribute_blocks(
    blocks: Sequence[Block],
    title: str,
    roster: Roster,
    on: str = "",
    outlet: str = "",
    stated: str = "",
    stated_in: str = "metadata",
) -> list[AttributedBlock]:
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
    turns = find_turn_labels(["" if n else text for n, text in zip(named, texts, strict=True)], roster, marked)
    names = _merge_labels([label for label in [*(blocks[i].label for i in body), *turns] if label], roster, on)
    host = roster.resolve(stated, on) if stated else ""
    whole, whole_method = _find_title_speaker(title, roster, on), "whole document"
    if not whole and host and not _is_report_about(texts, host, roster):
        whole, whole_method = host, stated_in
    placed: dict[int, AttributedBlock] = {}
    free: list[int] = []
    running = answering = ""
    for at, (i, text, turn) in enumerate(zip(body, texts, turns, strict=True)):
        block = blocks[i]
        if block.after_break:
            running = ""
        if block.hint == "question":
            placed[at] = AttributedBlock("question", Attribution(method="source kind", voice="question"))
            continue
        if named[at]:
            label, method, running = block.label, "source label", ""
        elif turn:
            label, method = turn, "turn label"
            # In a report `Peskov: “...”` labels one quotation, not a turn that goes on.
            running = "" if text[len(turn) :].lstrip(": ")[:1] in _QUOTE_MARKS else turn
        else:
            label, method = running or block.label, "turn continued"
        if label and is_question_label(label):
            placed[at] = AttributedBlock("question", Attribution(method=method, voice="question"))
        elif label and is_answer_label(label):
            placed[at] = _attribute_own_words(text, whole or answering, method, roster)
        elif label:
            answering = names[label]
            in_quotes = method == "turn label" and not running
            placed[at] = _attribute_own_words(text, answering, method, roster, in_quotes)
        elif whole:
            placed[at] = _attribute_own_words(text, whole, whole_method, roster)
        else:
            free.append(at)
    _mark_questions(placed, texts, names, roster, on)
    reported = [_add_quote_marks(texts[at], blocks[body[at]]) for at in free]
    above = [block.text for block in blocks[: body[0] if body else 0] if block.kind == "heading"]
    reports = attribute_report(reported, title, roster, on, outlet, host, above)
    placed |= {at: AttributedBlock("body", by) for at, by in zip(free, reports, strict=True)}
    for at, i in enumerate(body):
        if blocks[i].hint == "quote" and placed[at].kind == "body":
            placed[at] = AttributedBlock("body", placed[at].by._replace(voice="quoted"))
    bodies = iter(placed[at] for at in range(len(body)))
    return [next(bodies) if block.kind == "body" else AttributedBlock(block.kind, Attribution()) for block in blocks]


def _mark_questions(
    placed: dict[int, AttributedBlock],
    texts: Sequence[str],
    names: Mapping[str, str],
    roster: Roster,
    on: str,
) -> None:
    turns = []
    for at, text in enumerate(texts):
        kind, by = placed.get(at, AttributedBlock("body", Attribution()))
        has_turn = kind == "body" and by.method in TURN_METHODS
        turns.append(Turn(by.speaker if has_turn else "", text, kind == "question"))
    for at in find_questions(turns, names, roster, on):
        placed[at] = AttributedBlock("question", placed[at].by._replace(voice="question"))


def _add_quote_marks(text: str, block: Block) -> str:
    # A block quote stands without quotation marks; with them it is read like any other direct quote.
    return f"“{text}”" if block.hint == "quote" and text[:1] not in _QUOTE_MARKS else text


def _attribute_own_words(
    text: str, speaker: str, method: str, roster: Roster, in_quotes: bool = False
) -> AttributedBlock:
    voice: Voice = "own" if speaker else "outlet"
    if in_quotes or is_about_speaker(text, speaker, roster):
        share = compute_quoted_share(text, find_quote_spans([text])[0])
        voice = "quoted" if share >= MIN_QUOTED_SHARE else "reported"
    return AttributedBlock("body", Attribution(speaker, method if speaker else "", voice=voice))


def _find_title_speaker(title: str, roster: Roster, on: str) -> str:
    """The speaker in `Briefing by Foreign Ministry Spokesperson Maria Zakharova, Moscow, ...`, or ""."""
    match = DOCUMENT_SPEAKER.match(title)
    if not match:
        return ""
    tokens = tokenise(match["who"], [])
    return EntityIndex([tokens], roster, on, "").who(find_mention_after(tokens, 0))


def _is_report_about(texts: Sequence[str], speaker: str, roster: Roster) -> bool:
    return sum(is_about_speaker(text, speaker, roster) for text in texts) >= min(MIN_RETOLD_PARAGRAPHS, len(texts))


def _merge_labels(labels: Sequence[str], roster: Roster, on: str) -> dict[str, str]:
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
