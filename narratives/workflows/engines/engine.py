"""What does the work on single files, documents and texts: this process, or the workers of a Ray cluster.

An engine only fills what a build looks into anyway: stored rows, parsed documents, vectors and scores. So the snapshot
does not depend on the engine.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Literal, Protocol

import pyarrow as pa

from narratives.model import InputFile, Progress, Speaker
from narratives.model.text import Encoder
from narratives.store import ParsedDocuments, Store
from narratives.workflows.engines import stages
from narratives.workflows.engines.embedder import Embedder
from narratives.workflows.engines.parser import ParseJob
from narratives.workflows.engines.processes import count_cores, run_in_processes
from narratives.workflows.engines.shards import KEY, split_blocks, weigh_content
from narratives.workflows.match import MatchFunction, TrainedMatcher, match_texts

PROCESSES_BYTES = 4 << 20  # of documents: with less, starting processes takes as long as they save
EngineName = Literal["local", "ray"]


class Engine(Protocol):
    """What does the work of a build on single files, documents and texts.

    `read_files`, `parse` and `match` may do nothing: the build then does that work itself, one item at a time.
    """

    def __enter__(self) -> Engine:
        """Return the engine."""

    def __exit__(self, *_: object) -> None:
        """Stop what the engine has started."""

    def read_files(self, files: Sequence[InputFile], columns: Mapping[str, str], progress: Progress) -> set[str]:
        """Store the rows of files that the store lacks; return the keys (fingerprints) of those that were read."""

    def parse(
        self, jobs: Iterable[ParseJob], kept: ParsedDocuments, speakers: tuple[Speaker, ...], progress: Progress
    ) -> None:
        """Parse documents and keep them in the cache."""

    def spread(self, encoder: Encoder) -> Encoder:
        """Return an encoder that gives the same vectors."""

    def match(
        self, matching: TrainedMatcher, texts: Sequence[str], embed: Embedder, settings: str, progress: Progress
    ) -> MatchFunction:
        """Return a function that scores texts as `match_texts` does; `texts` are those that it will be asked for.

        `settings` stands for everything that the scores depend on besides the texts.
        """


def keep_parsed(tables: Iterable[pa.Table], kept: ParsedDocuments, progress: Progress) -> None:
    """Keep documents that workers parsed (tables of PARSED) in the cache."""
    done = 0
    for table in tables:
        for row in table.to_pylist():
            kept.put_packed(row[KEY], row["content"])
        done += table.num_rows
        progress("parsing", done, None)


class LocalEngine:
    """Leaves the work to the build, which does it in this process when it needs the result, but for much parsing."""

    def __enter__(self) -> LocalEngine:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing was started."""

    def read_files(self, files: Sequence[InputFile], columns: Mapping[str, str], progress: Progress) -> set[str]:
        """Read nothing ahead."""
        return set()

    def parse(
        self, jobs: Iterable[ParseJob], kept: ParsedDocuments, speakers: tuple[Speaker, ...], progress: Progress
    ) -> None:
        """Parse many documents with all cores, and leave few of them to the build: processes take a second to start."""
        cores, rows, first, size = count_cores(), stages.list_documents(jobs), [], 0
        if cores == 1 or not kept.is_open:
            return
        while size < PROCESSES_BYTES and (row := next(rows, None)):
            first.append(row)
            size += weigh_content(row)
        if size >= PROCESSES_BYTES:
            tables = split_blocks(chain(first, rows), stages.DOCUMENTS, stages.PARSE_BYTES, weigh_content)
            keep_parsed(run_in_processes(stages.ParseDocuments, (speakers,), tables, cores), kept, progress)

    def spread(self, encoder: Encoder) -> Encoder:
        """Return the encoder itself."""
        return encoder

    def match(
        self, matching: TrainedMatcher, texts: Sequence[str], embed: Embedder, settings: str, progress: Progress
    ) -> MatchFunction:
        """Return a function that scores texts in this process."""
        classify = [trained.classify for trained in matching.classifiers]
        return lambda block: match_texts(matching.matcher, block, embed, classify)


LOCAL = LocalEngine()


def open_engine(name: EngineName, store: Store) -> Engine:
    """Return the engine with this name for a build of `store`. Raises UsageError if it is not installed."""
    if name == "local":
        return LOCAL
    from narratives.workflows.engines.ray_engine import RayEngine

    return RayEngine(store)
