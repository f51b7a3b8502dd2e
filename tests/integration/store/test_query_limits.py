"""What queries may take: a limit that is reached is told as one, and damage is never suspected for it."""

from __future__ import annotations

import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier

import duckdb
import pytest

from narratives.model import (
    EvidenceQuery,
    ResourceError,
    ServerBusyError,
    Slice,
    StoreError,
    UsageError,
    parse_search_terms,
)
from narratives.store import (
    MAX_SEARCH_TERMS,
    Snapshot,
    Store,
    Turns,
    get_download_limits,
    get_page_limits,
    open_snapshot,
)
from narratives.store.limits import MB, Limits, get_machine_memory
from narratives.store.snapshot_reader import DATABASE_FILE, attach_database
from tests.conftest import ROOT
from tests.helpers.factory import build_store

ENDLESS = "SELECT count(*) FROM range(1000000000) a, range(1000000) b WHERE a.range * b.range % 7 = 3"
GREEDY = "SELECT list(i) FROM range(100000000) t(i)"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_store(tmp_path_factory.mktemp("store")).path


def limited(store: Path, **limits) -> closing[Snapshot]:
    return closing(open_snapshot(store, limits=Limits(**limits)))


def harmless(error: ResourceError) -> bool:
    """Whether the message says that nothing is damaged, and advises to delete nothing."""
    text = str(error)
    return "Nothing is damaged" in text and not re.search("delete|build again|intact snapshot", text)


def test_a_query_that_takes_too_long_is_stopped_and_told(store):
    with limited(store, seconds=0.2) as snapshot:
        for ask in (snapshot.frame, snapshot.table):
            with pytest.raises(ResourceError, match=r"within 0\.2 seconds") as caught:
                ask(ENDLESS)
            assert harmless(caught.value)
        assert snapshot.totals(Slice()).assigned == 7  # the next question is answered


def test_a_query_that_takes_too_much_memory_is_told_as_that(store):
    with limited(store, memory=64 * MB) as snapshot:
        with pytest.raises(ResourceError, match="at most 64 MB of memory") as caught:
            snapshot.frame(GREEDY)
        assert harmless(caught.value)
        assert snapshot.totals(Slice()).assigned == 7


@pytest.mark.parametrize("memory", [100_000, 300_000])  # too little to open the file, or to read it
def test_a_snapshot_that_there_is_no_memory_to_open_is_not_called_damaged(store, memory):
    with pytest.raises(ResourceError) as caught:
        open_snapshot(store, limits=Limits(memory=memory))
    assert harmless(caught.value)


def test_a_snapshot_that_may_not_be_read_is_not_called_damaged(store, monkeypatch):
    """As where too many files are open; the tests may run as one who may read everything."""

    really = Path.open

    def refuse(path, *arguments, **named):
        if path.name == DATABASE_FILE:
            raise PermissionError(13, "Permission denied", str(path))
        return really(path, *arguments, **named)

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(StoreError, match="Permission denied") as caught:
        open_snapshot(store)
    assert "elete" not in str(caught.value)


def test_no_more_than_so_many_are_asked_at_once(store):
    turns = Turns(2, 0.2)
    both = Barrier(3)
    with limited(store, turns=turns) as snapshot, ThreadPoolExecutor(2) as others:

        def hold() -> None:
            with turns.take():
                both.wait(60)
                both.wait(60)

        held = [others.submit(hold) for _ in range(2)]
        try:
            both.wait(60)
            with pytest.raises(ServerBusyError, match="busy with other users' queries") as caught:
                snapshot.totals(Slice())
            assert harmless(caught.value)
        finally:
            both.wait(60)
        assert all(each.result(60) is None for each in held)
        assert snapshot.totals(Slice()).assigned == 7


def test_a_question_that_fails_gives_its_turn_back(store):
    with limited(store, seconds=0.1, turns=Turns(1, 0.2)) as snapshot:
        for _ in range(3):
            with pytest.raises(ResourceError, match="within"):
                snapshot.frame(ENDLESS)
        assert snapshot.totals(Slice()).assigned == 7


def test_limits_stand_under_the_lockdown_and_nothing_is_written_beside_them(store, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = Store(store).snapshot_path(Store(store).current()) / DATABASE_FILE
    with closing(attach_database(path, Limits(64 * MB, 1, 60.0))) as connection:
        settings = {"memory_limit": "20GB", "max_execution_time": "0", "threads": "9", "temp_directory": "x"}
        for name, value in settings.items():
            with pytest.raises(duckdb.Error), connection.cursor() as cursor:
                cursor.execute(f"SET {name} = '{value}'")
        with pytest.raises(duckdb.OutOfMemoryException), connection.cursor() as cursor:
            cursor.execute("SELECT i FROM range(20000000) t(i) ORDER BY hash(i)").fetchall()
    assert not list(tmp_path.iterdir())


def test_an_export_of_ones_own_is_not_held_to_the_limits_of_a_page(store):
    pages, files = get_page_limits(), get_download_limits()
    assert 0 < pages.memory <= get_machine_memory() // 2 and pages.seconds and pages.turns
    assert files.memory > pages.memory and files.seconds > pages.seconds
    assert files.turns is not pages.turns
    with closing(open_snapshot(store)) as alone:
        [(time,)] = alone.frame("SELECT current_setting('max_execution_time')").to_numpy().tolist()
    assert time == 0


# --- the search in the text ---------------------------------------------------------------------------------
def test_what_is_searched_twice_comes_once():
    assert parse_search_terms('war War -war "the war" WAR -War') == [("war", True), ("war", False), ("the war", True)]


def test_a_search_of_too_many_words_is_refused(store):
    snapshot = open_snapshot(store)
    most = " ".join(f"word{number}" for number in range(MAX_SEARCH_TERMS))
    assert snapshot.count_paragraphs(EvidenceQuery(Slice(), most)) == 0
    assert (
        snapshot.count_paragraphs(EvidenceQuery(Slice(), "war " * 5000))
        == snapshot.count_paragraphs(EvidenceQuery(Slice(), "war"))
        > 0
    )
    with pytest.raises(UsageError, match=f"at most {MAX_SEARCH_TERMS} words and phrases; got 5,000"):
        snapshot.count_paragraphs(EvidenceQuery(Slice(), " ".join(f"word{number}" for number in range(5000))))


MEASURED = """
import re, sys
from pathlib import Path
from narratives.model import EvidenceQuery, Slice
from narratives.store import open_snapshot
from narratives.store.queries import words

def most() -> int:
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024

snapshot = open_snapshot(Path(sys.argv[1]))
snapshot.count_paragraphs(EvidenceQuery(Slice(), "war"))
before = most()
phrases = " ".join(f'"word{number} more{number}"' for number in range(words.MAX_SEARCH_TERMS))
assert snapshot.count_paragraphs(EvidenceQuery(Slice(), phrases)) == 0
snapshot.has_words = False  # as of an older snapshot, whose texts are all read
words.MAX_SEARCH_TERMS = 1000
assert snapshot.count_paragraphs(EvidenceQuery(Slice(), " ".join(f"word{number}" for number in range(1000)))) == 0
print(most() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is measured as Linux tells it")
def test_the_memory_of_a_search_does_not_grow_with_the_square_of_its_words(store):
    """As many phrases as are allowed; and, past the bound, a thousand words, whose plan took 900 MB as conditions."""
    command = [sys.executable, "-c", MEASURED, str(store)]
    more = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=200, check=True)
    assert int(more.stdout) < 200
