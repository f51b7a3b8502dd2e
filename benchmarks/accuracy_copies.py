"""Which copies of whole articles are found, and which articles are taken for copies that are none.

    python -m benchmarks.accuracy_copies [--shared ../shared] [--details]

Syndication is imitated on the pages of the Kremlin and the speeches of the United Nations in `../shared`: of an
article another one is made by cutting it, by a new headline, lead or tail, by rewording sentences, by other or
no paragraph breaks, or by printing it together with two others. The made articles are dated before, on and after
the day of their source in turn. As no copies count two pages of one day or month, and two speeches of one session
or country; some of these pairs have a long quotation in common. A pair counts as seen if the paragraphs of one
that are copies of paragraphs of the other have at least half as many words as the shorter article.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import re
import tarfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

from narratives.model import Document, RawDocument
from narratives.parse import Roster, find_copies, parse_document

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
SEED = 20180515
PAIRS_PER_EDIT = 10
NON_PAIRS = 300
QUOTING = 60  # of these, the pairs that are given one long quotation
WORDS = (150, 1500)  # of an article that is copied
MIN_SEEN_SHARE = 0.5
SENTENCE = re.compile(r"(?<=[.!?]) (?=[A-Z“])")

Text = list[str]  # paragraphs


@dataclass(slots=True)
class Result:
    """What was found; `seen` and `pairs` by edit, `false` are the non-pairs that were taken for copies."""

    pairs: Counter[str] = field(default_factory=Counter)
    seen: Counter[str] = field(default_factory=Counter)
    linked: Counter[str] = field(default_factory=Counter)
    non_pairs: int = 0
    false: list[str] = field(default_factory=list)
    linked_non_pairs: int = 0
    documents: int = 0
    copies: int = 0
    seconds: float = 0.0


def measure(shared: Path = SHARED) -> Result:
    """Make the pairs, find the copies among all articles, and count."""
    rng = random.Random(SEED)
    articles = dict(read_articles(shared))
    fit = [key for key, (_, text) in articles.items() if len(text) >= 5 and WORDS[0] <= count(text) <= WORDS[1]]
    sources = rng.sample(sorted(fit), 3 * PAIRS_PER_EDIT * len(EDITS))
    texts = {key: text for key, (_, text) in articles.items()}
    made, pairs = make_pairs(sources, texts, rng)
    for edit, source in pairs:
        if edit in JOINED:
            texts[source] = [" ".join(texts[source])]
    dates = {key: date for key, (date, _) in articles.items()}
    others = sorted(set(articles) - set(sources))
    non_pairs = choose_non_pairs(others, dates, rng)
    long = [pair for pair in non_pairs if min(count(texts[key]) for key in pair) >= WORDS[0]]
    for one, other in rng.sample(long, QUOTING):
        quotation = " ".join(sentences(texts[rng.choice(sources)])[:3])
        texts[one] = [*texts[one][:2], f"“{quotation}” the President said.", *texts[one][2:]]
        texts[other] = [*texts[other][:-1], f"{' '.join(texts[other][-1:])} He said: “{quotation}”"]
    for number, (name, (_, source)) in enumerate(zip(made, pairs, strict=True)):
        dates[name] = f"{int(dates[source][:4]) + number % 3 - 1}{dates[source][4:]}"
    documents = [parse(key, dates[key], text) for key, text in {**texts, **made}.items()]
    result = Result(documents=len(documents), non_pairs=len(non_pairs))
    started = time.process_time()
    copies = find_copies(documents)
    result.seconds, result.copies = time.process_time() - started, len(copies)
    shares = compute_shares(documents, copies)
    for (edit, source), name in zip(pairs, made, strict=True):
        share = shares.get(frozenset((name, source)), 0.0)
        result.pairs[edit] += 1
        result.seen[edit] += share >= MIN_SEEN_SHARE
        result.linked[edit] += share > 0
    for one, other in non_pairs:
        share = shares.get(frozenset((one, other)), 0.0)
        result.linked_non_pairs += share > 0
        if share >= MIN_SEEN_SHARE:
            result.false.append(f"{one} {other} {share:.2f}")
    return result


def read_articles(shared: Path) -> Iterator[tuple[str, tuple[str, Text]]]:
    """Yield the key, date and paragraphs of every page and speech."""
    corpora = shared / "corpora"
    with gzip.open(corpora / "kremlin_en_2016_2020.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            yield f"k{row['id']}", (row["date"][:10], [p["text"] for p in row["paragraphs"] if p["text"].strip()])
    with tarfile.open(corpora / "un_general_debate_2016_2020.tar.gz") as tar:
        for member in sorted(tar.getmembers(), key=lambda m: m.name):
            content = tar.extractfile(member) if member.isfile() and member.name.endswith(".txt") else None
            if content is not None:
                name = Path(member.name).stem
                text = content.read().decode("utf-8-sig")
                yield name, (f"{name[-4:]}-09-25", [" ".join(p.split()) for p in text.split("\n") if p.strip()])


def parse(key: str, date: str, text: Text) -> Document:
    """Parse a text as a table of articles would give it."""
    return parse_document(RawDocument(key, text="\n\n".join(text), title=key, id=f"id-{key}", date=date), Roster(()))


def count(text: Text) -> int:
    """Number of words."""
    return sum(len(paragraph.split()) for paragraph in text)


def make_pairs(
    sources: Sequence[str], texts: Mapping[str, Text], rng: random.Random
) -> tuple[dict[str, Text], list[tuple[str, str]]]:
    """Make an article of each third source; the two after it are what it may be printed with."""
    made: dict[str, Text] = {}
    pairs: list[tuple[str, str]] = []
    groups = [sources[i : i + 3] for i in range(0, len(sources), 3)]
    for number, (source, *others) in enumerate(groups):
        edit = list(EDITS)[number % len(EDITS)]
        made[f"made{number:03d}"] = EDITS[edit](list(texts[source]), [texts[key] for key in others], rng)
        pairs.append((edit, source))
    return made, pairs


def choose_non_pairs(keys: Sequence[str], dates: Mapping[str, str], rng: random.Random) -> list[tuple[str, str]]:
    """Choose pairs of the same day, or of the same country or session."""
    groups: dict[str, list[str]] = defaultdict(list)
    for key in keys:
        for group in (dates[key], key.split("_")[0] if "_" in key else dates[key][:7]):
            groups[group].append(key)
    pairs = sorted({pair for members in groups.values() for pair in combinations(sorted(set(members)), 2)})
    same_day = [pair for pair in pairs if dates[pair[0]] == dates[pair[1]]]
    rest = [pair for pair in pairs if dates[pair[0]] != dates[pair[1]]]
    return rng.sample(same_day, NON_PAIRS // 2) + rng.sample(rest, NON_PAIRS // 2)


def compute_shares(documents: Sequence[Document], copies: Mapping[str, str]) -> dict[frozenset[str], float]:
    """Words in paragraphs that are copies, of either in the other, per word of the shorter article."""
    words = {d.source_path: sum(p.words for p in d.paragraphs if p.kind == "body") for d in documents}
    owners = {p.paragraph_id: (d.source_path, p.words) for d in documents for p in d.paragraphs}
    shared: Counter[frozenset[str]] = Counter()
    for copy, original in copies.items():
        shared[frozenset((owners[copy][0], owners[original][0]))] += owners[copy][1]
    return {pair: count / max(min(words[key] for key in pair), 1) for pair, count in shared.items()}


def sentences(text: Text) -> Text:
    """The sentences of a text."""
    return [sentence for paragraph in text for sentence in SENTENCE.split(paragraph)]


def regroup(items: Text, rng: random.Random, least: int, most: int) -> Text:
    """Join items in groups of random size."""
    groups: Text = []
    at = 0
    while at < len(items):
        size = rng.randint(least, most)
        groups.append(" ".join(items[at : at + size]))
        at += size
    return groups


def reword(text: Text, rng: random.Random, share: float = 0.3) -> Text:
    """Replace, drop or add a word in this share of the sentences."""
    return [" ".join(reword_sentence(s, rng, share) for s in SENTENCE.split(paragraph)) for paragraph in text]


def reword_sentence(sentence: str, rng: random.Random, share: float) -> str:
    words = sentence.split()
    if rng.random() < share and len(words) > 4:
        at = rng.randrange(1, len(words) - 1)
        words[at : at + 1] = rng.choice([["notably"], [], [words[at], "indeed"], ["those", words[at]]])
    return " ".join(words)


def add_lead(text: Text, others: Sequence[Text], rng: random.Random) -> Text:
    """Head and tail from another article, about a third of the length."""
    added = sentences(others[0])[: max(2, len(sentences(text)) // 6)]
    return [" ".join(added), f"MOSCOW, May 15 (Northwire) – {text[0]}", *text[1:], " ".join(reversed(added))]


def halve(text: Text) -> Text:
    """The first half of the words, at a paragraph."""
    kept: Text = []
    for paragraph in text:
        if kept and 2 * count([*kept, paragraph]) > count(text) + count([paragraph]):
            break
        kept.append(paragraph)
    return kept


Edit = Callable[[Text, list[Text], random.Random], Text]
EDITS: Mapping[str, Edit] = {
    "cut to the first half": lambda t, o, r: halve(t),
    "head cut": lambda t, o, r: t[max(1, len(t) // 3) :],
    "new headline, lead and tail": add_lead,
    "sentences reworded": lambda t, o, r: reword(t, r),
    "reworded, lead and tail": lambda t, o, r: add_lead(reword(t, r), o, r),
    "three articles in one": lambda t, o, r: [*o[0], *t, *o[1]],
    "other paragraph breaks": lambda t, o, r: regroup(sentences(t), r, 1, 4),
    "a sentence a paragraph": lambda t, o, r: sentences(t),
    "pairs of paragraphs merged": lambda t, o, r: regroup(t, r, 2, 2),
    "two thirds of it in another article": lambda t, o, r: [*o[0], *t[len(t) // 3 :], *o[1]],
    "every other sentence reworded, other breaks": lambda t, o, r: regroup(sentences(reword(t, r, 0.5)), r, 1, 4),
    "head cut, reworded, lead and tail, a sentence a paragraph": lambda t, o, r: sentences(
        add_lead(reword(t[1:], r), o, r)
    ),
    "no breaks": lambda t, o, r: [" ".join(reword(t, r))],
    "no breaks, first half": lambda t, o, r: [" ".join(halve(t))],
    "no breaks, with new text": lambda t, o, r: [" ".join(add_lead(t, o, r))],
    "no breaks, three articles in one": lambda t, o, r: [" ".join([*o[0], *t, *o[1]])],
}
# An article without breaks meets one without breaks, as in a table whose cells have lost them.
JOINED = tuple(edit for edit in EDITS if edit.startswith("no breaks"))


def main() -> None:
    """Print the figures."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    arguments.add_argument("--shared", type=Path, default=SHARED)
    arguments.add_argument("--details", action="store_true", help="also the pairs that were wrongly taken for copies")
    given = arguments.parse_args()
    result = measure(given.shared)
    for edit, pairs in result.pairs.items():
        print(f"{edit:30} seen {result.seen[edit]:3} of {pairs}, some paragraph {result.linked[edit]}")
    print(f"all pairs: {result.seen.total()} of {result.pairs.total()}, some paragraph {result.linked.total()}")
    false, pairs = len(result.false), result.non_pairs
    print(f"no copies: {false} of {pairs} taken for copies, some paragraph {result.linked_non_pairs}")
    print(f"{result.documents} documents, {result.copies} copies, {result.seconds:.1f} s of one core")
    if given.details:
        print(*result.false, sep="\n")


if __name__ == "__main__":
    main()
