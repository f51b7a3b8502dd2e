"""Attribute every block of a document to its speaker: labels first, then the text read as a report."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from narratives.model import ParagraphKind, Voice
from narratives.parse.attribution import lexicon
from narratives.parse.attribution.entities import EntityIndex
from narratives.parse.attribution.mentions import find_mention_after, tokenise
from narratives.parse.attribution.quotations import MIN_QUOTED_SHARE, compute_quoted_share, find_quote_spans
from narratives.parse.attribution.report import Attribution, attribute_report, is_about_speaker
from narratives.parse.attribution.roster import Roster, clean_name
from narratives.parse.attribution.signatures import mark_signatures, split_signature
from narratives.parse.segmentation import Block, count_words

MAX_LABEL_WORDS = 20
MIN_TURN_WORDS = 4
# The end of a question: a question mark, and at most thanks or "please" after it.
QUESTION_WITH_THANKS = re.compile(
    r"\?[\"”’'»)\]]*(?:\s+(?:thank you|thanks|please|spasibo|go ahead)\b[^?]{0,60})*\s*(?:\([^()]*\)\s*)?$",
    re.IGNORECASE,
)
MAX_QUESTION_WORDS = 250  # of a guest's turn that is a question as a whole if it ends with one

_TURN_LABEL = re.compile(r"(?P<label>[A-ZÀ-ÖØ-ÞА-ЯЁ][^:“”\"?!;]{0,150}):\s+(?P<rest>\S.*)", re.DOTALL)
_LOWERCASE_NAME_WORDS = lexicon.NAME_PARTICLES | {"of", "the", "and", "for", "in", "on", "at", "to"}


def is_question_label(label: str) -> bool:
    """Return whether a label stands for someone unnamed who asks: Question, Remark, From the audience."""
    return clean_name(label).casefold() in lexicon.QUESTION_LABELS


def is_answer_label(label: str) -> bool:
    """Return whether a label stands for someone unnamed who answers."""
    return clean_name(label).casefold() in lexicon.ANSWER_LABELS


def find_turn_labels(texts: Sequence[str], roster: Roster, bold: Sequence[bool]) -> list[str]:
    """Return the turn label of every text, such as `Question` or `Maria Zakharova`, or "".

    Labels of unnamed askers and names of the roster always count. Another name counts if it follows a post, if
    it appears again, or if the text has other labels: a colon after two capitalised words is often just prose.
    `bold` says for every text whether the page prints its label in bold. A name in bold needs no other
    evidence; a surname in bold must appear again.
    """
    split = [_TURN_LABEL.fullmatch(text) for text in texts]
    bold_labels = Counter(match["label"] for match, is_bold in zip(split, bold, strict=True) if match and is_bold)
    certain: list[str] = []
    possible: list[str] = []
    for match, is_bold in zip(split, bold, strict=True):
        label, rest = (match["label"], match["rest"]) if match else ("", "")
        is_name = _is_name_label(label)
        is_set_off = is_bold and (is_name or _is_surname_label(label, bold_labels[label]))
        certain.append(label if is_set_off or _is_certain_label(label, rest, roster) else "")
        possible.append(label if is_name and _is_turn_text(rest) else "")
    counts = Counter(possible)
    has_several = sum(map(bool, certain)) >= 2
    return [
        sure or (label if has_several or counts[label] > 1 else "")
        for sure, label in zip(certain, possible, strict=True)
    ]


def _is_surname_label(label: str, times: int) -> bool:
    return (
        times > 1
        and label.isalpha()
        and label.casefold() not in lexicon.IMPERSONAL_NOUNS | lexicon.NON_NAME_WORDS | lexicon.SENTENCE_OPENERS
    )


def _is_certain_label(label: str, rest: str, roster: Roster) -> bool:
    if is_question_label(label) or is_answer_label(label):
        return True
    if len(label.split()) > MAX_LABEL_WORDS or not _is_turn_text(rest):
        return False
    if roster.is_known(clean_name(label)) or (_is_name_label(label) and roster.is_known(roster.resolve(label))):
        return True
    return _is_name_label(label) and any(w.casefold() in lexicon.ROLE_HEADS for w in clean_name(label).split()[:-2])


def _is_turn_text(rest: str) -> bool:
    # `Minister of Justice: Konstantin Chuichenko.` is an entry of a list.
    words = rest.split()
    is_entry = len(words) > 1 and all(word[:1].isupper() for word in words)
    return count_words(rest) >= MIN_TURN_WORDS or (not is_entry and rest.endswith((".", "!", "?", "…", ",")))


def _is_name_label(label: str) -> bool:
    words = clean_name(label).replace("’s ", " ").split()
    if not 2 <= len(words) <= MAX_LABEL_WORDS or words[0].casefold() in lexicon.SENTENCE_OPENERS - {"the"}:
        return False
    if not all(w[:1].isupper() or w[:1].isdigit() or w.casefold() in _LOWERCASE_NAME_WORDS or "-" in w for w in words):
        return False
    is_possession = len(words) > 2 and words[-3].casefold() in ("of", "for", "the")
    if is_possession or words[-1].casefold() in lexicon.IMPERSONAL_NOUNS:
        return False
    posts = lexicon.ROLE_HEADS | lexicon.NAME_PREFIXES
    return all(w[:1].isupper() and len(w) > 1 and not w.isupper() and w.casefold() not in posts for w in words[-2:])


class Turn(NamedTuple):
    """One body paragraph of a transcript; `speaker` is the person who has the turn, or "" for nobody."""

    speaker: str
    text: str
    is_unnamed_question: bool = False


def find_questions(turns: Sequence[Turn], labels: Mapping[str, str], roster: Roster, on: str) -> set[int]:
    """Return the paragraphs that are questions by a named person; `labels` gives the name behind each label.

    A turn is a question if it ends with a question mark (thanks may follow), somebody else speaks next, and an
    official speaks in the text: a person of the roster who is not a journalist. The asker is a journalist, or
    is not on the roster and has no post in any label: officials who ask one another still make statements. In
    a long turn by someone who is not a journalist, only the last paragraph is the question.
    """
    journalists = {name for name in labels.values() if _is_journalist(name, roster, on)}
    officials = {name for name in labels.values() if roster.is_known(name)} - journalists
    if not any(turn.speaker in officials for turn in turns):
        return set()
    posted = {name for label, name in labels.items() if _has_post(label)} - journalists
    questions: set[int] = set()
    for start, end in _group_turns(turns):
        name = turns[start].speaker
        if name in officials or name in posted or not QUESTION_WITH_THANKS.search(turns[end - 1].text):
            continue
        if end == len(turns) or not (turns[end].speaker or turns[end].is_unnamed_question):
            continue
        is_short = sum(count_words(turn.text) for turn in turns[start:end]) <= MAX_QUESTION_WORDS
        questions |= set(range(start, end)) if is_short or name in journalists else {end - 1}
    return questions


def _group_turns(turns: Sequence[Turn]) -> Iterator[tuple[int, int]]:
    """Yield the turns of one person each, as (first, one past the last)."""
    end = 0
    for speaker, group in groupby(turns, key=lambda turn: turn.speaker):
        start, end = end, end + len(list(group))
        if speaker:
            yield start, end


def _is_journalist(name: str, roster: Roster, on: str) -> bool:
    return any(roster.holds_post(name, head, on) for head in lexicon.INTERVIEWER_HEADS)


def _has_post(label: str) -> bool:
    words = {re.sub(r"[’']s$", "", word.casefold()) for word in clean_name(label).split()[:-1]}
    return bool(words & lexicon.ROLE_HEADS) and not words & lexicon.INTERVIEWER_HEADS


DOCUMENT_SPEAKER = re.compile(
    r"^(?:(?:opening|closing|introductory|welcoming|concluding)\s+)?(?:weekly\s+)?"
    r"(?:briefing|speech|remarks|statement|address|comments?|article|interview|lecture|press conference)\s+"
    r"(?:by|of|from)\s+(?P<who>.+)$",
    re.IGNORECASE,
)
_QUOTE_MARKS = "“”„«»\"‘'"
TURN_METHODS = ("source label", "turn label", "turn continued")
MIN_RETOLD_PARAGRAPHS = 2  # paragraphs about the stated speaker that make a text a report about them


class AttributedBlock(NamedTuple):
    """The kind and the attribution of one block."""

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
    """Return kind, speaker, method, quoted person and voice of every block, in order.

    The first of these that applies gives the speaker:

    1. The label that the source gives the paragraph.
    2. A turn label in its text, which applies until the next label or separator.
    3. A label that the source continues from an earlier paragraph.
    4. The one speaker of the whole document, named by its title ("Briefing by X") or `stated` by manifest or
       metadata (`stated_in`).
    5. The text read as a report (`attribute_report`).

    Headings and titles have no speaker. A paragraph is a question if the source marks it as one, if its label
    is that of an unnamed asker, or if a named person asks it (`find_questions`), who is then its speaker. `on`
    is the document's partial date, by which posts are resolved.
    """
    blocks, author = mark_signatures(blocks)
    body = [block for block in blocks if block.kind in ("lead", "body")]
    texts = [block.text for block in body]
    # A block that the source labels with a name has no turn label in its text, and a lead is nobody's turn.
    unlabelled = ["" if (block.labelled and block.label) or block.kind == "lead" else block.text for block in body]
    turns = find_turn_labels(unlabelled, roster, [block.labelled and not block.label for block in body])
    names = _merge_labels([label for label in [*(block.label for block in body), *turns] if label], roster, on)
    host = roster.resolve(stated, on) if stated else ""
    whole = _find_document_speaker(texts, title, roster, on, host, stated_in)
    if not whole.speaker and (name := _resolve_name(author, roster, on)):
        whole = Attribution(name, "signature")
    attributed = _attribute_turns(body, turns, names, whole, roster)
    _mark_questions(attributed, texts, names, roster, on)
    free = [at for at in range(len(body)) if at not in attributed]
    first = next((i for i, block in enumerate(blocks) if block.kind == "body"), 0)
    above = [block.text for block in blocks[:first] if block.kind in ("heading", "lead")]
    reports = attribute_report([_add_quote_marks(body[at]) for at in free], title, roster, on, outlet, host, above)
    attributed |= {at: AttributedBlock(body[at].kind, by) for at, by in zip(free, reports, strict=True)}
    bodies = (_mark_block_quote(block, attributed[at]) for at, block in enumerate(body))
    return [
        next(bodies) if block.kind in ("lead", "body") else AttributedBlock(block.kind, Attribution())
        for block in blocks
    ]


def _find_document_speaker(
    texts: Sequence[str], title: str, roster: Roster, on: str, host: str, stated_in: str
) -> Attribution:
    """Return the one speaker of a whole document, by its title or its source, and how they were found."""
    if speaker := _find_title_speaker(title, roster, on):
        return Attribution(speaker, "whole document")
    if host and not _is_report_about(texts, host, roster):
        return Attribution(host, stated_in)
    return Attribution()


def _attribute_turns(
    body: Sequence[Block], turns: Sequence[str], names: Mapping[str, str], whole: Attribution, roster: Roster
) -> dict[int, AttributedBlock]:
    """Attribute, by place, the body blocks that have a label, or all if the document has one speaker."""
    attributed: dict[int, AttributedBlock] = {}
    running = answering = ""
    for at, (block, turn) in enumerate(zip(body, turns, strict=True)):
        if block.kind == "lead":
            continue
        if block.after_break:
            running = ""
        if block.hint == "question":
            attributed[at] = AttributedBlock("question", Attribution(method="source kind", voice="question"))
            continue
        label, method, running = _choose_label(block, turn, running)
        if label and is_question_label(label):
            attributed[at] = AttributedBlock("question", Attribution(method=method, voice="question"))
        elif label and is_answer_label(label):
            attributed[at] = _attribute_own_words(block.text, whole.speaker or answering, method, roster)
        elif label:
            answering = names[label]
            in_quotes = method == "turn label" and not running
            attributed[at] = _attribute_own_words(block.text, answering, method, roster, in_quotes)
        elif whole.speaker:
            attributed[at] = _attribute_own_words(block.text, whole.speaker, whole.method, roster)
    return attributed


def _choose_label(block: Block, turn: str, running: str) -> tuple[str, str, str]:
    """Return the label that applies to a block, the method, and the turn label that continues after it."""
    if block.labelled and block.label:
        return block.label, "source label", ""
    if turn:
        # In a report `Peskov: “...”` labels one quotation, not a turn that continues.
        is_quotation = block.text[len(turn) :].lstrip(": ")[:1] in _QUOTE_MARKS
        return turn, "turn label", "" if is_quotation else turn
    return running or block.label, "turn continued", running


def _mark_questions(
    attributed: dict[int, AttributedBlock], texts: Sequence[str], names: Mapping[str, str], roster: Roster, on: str
) -> None:
    turns = []
    for at, text in enumerate(texts):
        kind, by = attributed.get(at, AttributedBlock("body", Attribution()))
        has_turn = kind == "body" and by.method in TURN_METHODS
        turns.append(Turn(by.speaker if has_turn else "", text, kind == "question"))
    for at in find_questions(turns, names, roster, on):
        attributed[at] = AttributedBlock("question", attributed[at].by._replace(voice="question"))


def _add_quote_marks(block: Block) -> str:
    # A block quote has no quotation marks; with them, and its signature, it is read like any other direct quote.
    text, signature = (block.text, block.signature) if block.signature else split_signature(block)
    if (signature or block.hint == "quote") and text[:1] not in _QUOTE_MARKS:
        text = f"“{text}”"
    return f"{text} — {signature}" if signature else text


def _mark_block_quote(block: Block, attributed: AttributedBlock) -> AttributedBlock:
    if (block.hint == "quote" or block.signature) and attributed.kind == "body":
        return AttributedBlock("body", attributed.by._replace(voice="quoted"))
    return attributed


def _attribute_own_words(
    text: str, speaker: str, method: str, roster: Roster, in_quotes: bool = False
) -> AttributedBlock:
    voice: Voice = "own" if speaker else "outlet"
    if in_quotes or is_about_speaker(text, speaker, roster):
        share = compute_quoted_share(text, find_quote_spans([text])[0])
        voice = "quoted" if share >= MIN_QUOTED_SHARE else "reported"
    return AttributedBlock("body", Attribution(speaker, method if speaker else "", voice=voice))


def _find_title_speaker(title: str, roster: Roster, on: str) -> str:
    """Return the speaker in `Briefing by Foreign Ministry Spokesperson Maria Zakharova, Moscow, ...`, or ""."""
    match = DOCUMENT_SPEAKER.match(title)
    if not match:
        return ""
    return _resolve_name(match["who"], roster, on)


def _resolve_name(words: str, roster: Roster, on: str) -> str:
    tokens = tokenise(words, [])
    return EntityIndex([tokens], roster, on, "").resolve(find_mention_after(tokens, 0))


def _is_report_about(texts: Sequence[str], speaker: str, roster: Roster) -> bool:
    return sum(is_about_speaker(text, speaker, roster) for text in texts) >= min(MIN_RETOLD_PARAGRAPHS, len(texts))


def _merge_labels(labels: Sequence[str], roster: Roster, on: str) -> dict[str, str]:
    """Return the name behind every label of one document; a label that ends with another is the same person.

    `Gazprom CEO Alexei Miller` and `Alexei Miller` become the latter. If the post in the longer label does not
    fit the person of the roster, both labels belong to a namesake and keep the longer name.
    """
    names = {label: roster.resolve(label, on) for label in labels}
    cleaned = {label: clean_name(label) for label in names}
    for long in names:
        for short in names:
            is_ending = " " in cleaned[short] and cleaned[long].endswith(" " + cleaned[short])
            if is_ending and names[long] == cleaned[long]:
                if roster.is_known(cleaned[short]):
                    names[short] = names[long]
                else:
                    names[long] = names[short]
    return names
