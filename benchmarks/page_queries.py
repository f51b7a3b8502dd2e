"""How long the queries of each page take, on slices that nobody asked for before.

    python -m benchmarks.page_queries STORE [--slices 12] [--explain MILLISECONDS]

Every page is opened without a browser, first without filters and then with each of some slices: a speaker, a narrative,
two years, originals with copies, and these combined. What is timed is each query, from its text to its data frame, and
all queries of a page together. Then words and sentences are searched for on Evidence; what is timed is the whole search
without the drawing of the page. Memory is the process's own, with everything that the pages cached.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TypeVar
from unittest.mock import patch

import streamlit as st
from streamlit import config
from streamlit.testing.v1 import AppTest

from benchmarks.serving import ROOT
from narratives.dashboard import cached_queries
from narratives.model import EvidenceQuery, Slice
from narratives.store import Snapshot, open_snapshot
from narratives.store.limits import get_page_limits
from narratives.store.queries import SqlValue
from narratives.workflows import search

_T = TypeVar("_T")
PAGES = ("prevalence", "narrative", "topics", "speakers", "spread", "evidence", "map", "sources", "method", "review")
WORDS = (
    "sanctions", "terrorists", "missile defence", '"international law"', "Russophobia", "Syria", "the",
    "Crimea -Ukraine", "doping", '"chemical weapons" Douma', "interference elections", "natural gas", "pension", "zzzz",
    "nato", "econom",
)  # fmt: skip
SENTENCES = (
    "The West is gripped by Russophobia.", "Our forces in Syria fight terrorists at the request of the government.",
    "The United States interferes in the elections of other countries.", "Sanctions hurt those who impose them.",
    "NATO has moved its bases to our borders.", "The reports of a chemical attack were staged.",
)  # fmt: skip


def percentile(values: list[float], share: float) -> float:
    """The value below which this share of the values lies."""
    return sorted(values)[int(share * (len(values) - 1))]


@contextmanager
def watch(seen: list[tuple[float, str]]) -> Iterator[None]:
    """Note the seconds and the text of every query while this lasts."""
    frame, rows = Snapshot.frame, Snapshot._rows

    def timed(run: Callable[..., _T]) -> Callable[..., _T]:
        def call(snapshot: Snapshot, sql: str, values: Mapping[str, SqlValue] | None = None) -> _T:
            started = time.perf_counter()
            try:
                return run(snapshot, sql, values)
            finally:
                seen.append((time.perf_counter() - started, sql))

        return call

    with patch.object(Snapshot, "frame", timed(frame)), patch.object(Snapshot, "_rows", timed(rows)):
        yield


def print_figures(what: str, values: list[float]) -> None:
    """Print median, 95th percentile and worst of some milliseconds."""
    median, worst = statistics.median(values), max(values)
    print(f"{what}: median {median:.0f} ms, p95 {percentile(values, 0.95):.0f} ms, worst {worst:.0f} ms")


def make_slices(store: Path, count: int) -> list[dict[str, str]]:
    """Different filters, as the parameters of an address."""
    with closing(open_snapshot(store)) as snapshot:
        speakers = snapshot.frame(
            "SELECT speaker FROM snap.paragraphs WHERE speaker <> '' GROUP BY 1 ORDER BY count(*) DESC LIMIT 12"
        )["speaker"]
        narratives = snapshot.frame("SELECT narrative_id FROM snap.narratives WHERE origin = 'codebook'")[
            "narrative_id"
        ]
    draw, found = random.Random(0), [dict[str, str]()]
    while len(found) < count:
        options = {
            "speaker": draw.choice(list(speakers)), "narrative": draw.choice(list(narratives)),
            "from": draw.choice(["2016", "2017", "2018"]), "to": draw.choice(["2018-06", "2019", "2020"]),
            "copies": "all",
        }  # fmt: skip
        names = draw.sample(sorted(options), draw.choice([1, 2, 2, 3]))
        chosen = {name: options[name] for name in names}
        if chosen not in found:
            found.append(chosen)
    return found


def read_memory() -> str:
    """The resident memory of this process and its peak, in MiB."""
    rows = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return ", ".join(f"{name} {int(rows[name].split()[0]) / 1024:,.0f} MiB" for name in ("VmRSS", "RssAnon", "VmHWM"))


def main() -> None:
    """Print one row for each page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("store", type=Path)
    parser.add_argument("--slices", type=int, default=12)
    parser.add_argument("--pages", nargs="*", default=PAGES)
    parser.add_argument("--explain", type=float, default=0.0, help="print queries that take longer, in milliseconds")
    given = parser.parse_args()
    os.environ[cached_queries.STORE_VARIABLE] = str(given.store.resolve())
    config.set_option("server.address", "127.0.0.1")
    slices = make_slices(given.store, given.slices)
    print(f"{'page':12}{'queries':>9}{'median':>9}{'p95':>9}{'worst':>9}   of all of a page: median and worst, ms")
    for name in given.pages:
        app = AppTest.from_file(str(ROOT / "dashboard.py"), default_timeout=600).run()
        if name != "prevalence":
            app.switch_page(f"pages/{name}_page.py")
        else:
            st.cache_resource.clear()
        single, whole = [], []
        for chosen in slices:
            if "source of values" in app.session_state:
                del app.session_state["source of values"]
            app.query_params.clear()
            for key, value in chosen.items():
                app.query_params[key] = value
            seen: list[tuple[float, str]] = []
            with watch(seen):
                app.run()
            if app.exception or app.error:
                print(name, chosen, [e.value for e in (*app.exception, *app.error)])
            single += [1000 * seconds for seconds, _ in seen]
            whole.append(1000 * sum(seconds for seconds, _ in seen))
            for seconds, sql in seen:
                if given.explain and 1000 * seconds > given.explain:
                    print(f"--- {name} {chosen} {1000 * seconds:.0f} ms\n{sql}")
        print(
            f"{name:12}{len(single):9}{statistics.median(single):9.0f}{percentile(single, 0.95):9.0f}{max(single):9.0f}"
            f"   {statistics.median(whole):.0f} {max(whole):.0f}",
            flush=True,
        )
    time_searches(given.store)
    print(read_memory())


def time_searches(store: Path) -> None:
    """Print how long searches take, count and first page together."""
    snapshot = open_snapshot(store, limits=get_page_limits())
    for words in WORDS[:2]:
        snapshot.count_paragraphs(EvidenceQuery(Slice(), words + " warm"))
    took = []
    for words in WORDS:
        query = EvidenceQuery(Slice(), words)
        started = time.perf_counter()
        count = snapshot.count_paragraphs(query)
        counted = time.perf_counter()
        snapshot.paragraphs(query, 20)
        took.append(1000 * (time.perf_counter() - started))
        print(f"  {words:30} {count:9,} paragraphs, {1000 * (counted - started):.0f} ms to count, {took[-1]:.0f} ms")
    print_figures("words", took)
    started = time.perf_counter()
    index = search.open_index(store, snapshot)
    print(f"vectors opened and checked in {time.perf_counter() - started:.1f} s")
    encoder = search.load_snapshot_encoder(snapshot.meta())
    search.search_index(index, encoder, "A first sentence loads the model.")
    took = []
    for sentence in SENTENCES:
        started = time.perf_counter()
        near = search.search_index(index, encoder, sentence)
        found = time.perf_counter()
        query = EvidenceQuery(Slice(), similar=near, similar_key=sentence)
        snapshot.count_paragraphs(query)
        snapshot.paragraphs(query, 20)
        took.append(1000 * (time.perf_counter() - started))
        print(f"  {len(near):9,} near paragraphs, {1000 * (found - started):.0f} ms to find, {took[-1]:.0f} ms")
    print_figures("meaning", took)
    snapshot.close()


if __name__ == "__main__":
    main()
