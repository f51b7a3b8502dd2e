"""Reading, parsing, encoding and matching by the workers of a Ray cluster, as pipelines of Ray Data.

Each stage is one pipeline: tables of items go to a pool of workers, and their results come back to this process. It
writes them as Parquet shards to the cache of the store and takes them from there into the places that a local build
fills. So the workers need no access to the store, and a build that was stopped continues where it was.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from narratives import __version__, read
from narratives.match import MatchResult
from narratives.model import InputFile, Progress, ReadError, Speaker, UsageError
from narratives.model.text import Encoder, Text, TextPart, VectorArray
from narratives.store import ParsedDocuments, Store
from narratives.store.published import read_connection
from narratives.store.vectors import ENCODING_VERSION
from narratives.workflows.engines import cluster, stages
from narratives.workflows.engines.embedder import Embedder, check_encoder
from narratives.workflows.engines.engine import LOCAL, keep_parsed
from narratives.workflows.engines.parser import ParseJob
from narratives.workflows.engines.shards import KEY, Row, Shards, split_blocks, weigh_content
from narratives.workflows.match import MatchFunction, TrainedMatcher

# With less to do, a stage is done here, because starting the workers takes longer.
LEAST_ITEMS = {"reading": 8, "parsing": 32, "encoding": 128, "matching": 128}
# What a worker gets at a time, by the bytes of its files or texts: enough to fill batches of the model, and so little
# that all workers end together.
BLOCK_BYTES = {"reading": 4 << 20, "parsing": stages.PARSE_BYTES, "encoding": 1 << 16, "matching": 1 << 16}
WINDOW_BYTES = 64 << 20  # of tables that are in the cluster's memory together
LOOKUP_TEXTS = 512  # statements whose vectors are looked up together


class _Stage(NamedTuple):
    """A stage: its name in the progress, the columns of its items, and the workers with what they are made from.

    `settings` stands for what the results depend on besides the key of an item.
    """

    name: str
    schema: pa.Schema
    worker: type
    arguments: tuple[Any, ...]
    settings: str = ""


class RayEngine:
    """Gives the work of a build to the workers of a Ray cluster.

    The cluster is the one that the environment variable RAY_ADDRESS names, or one on this machine, which is started
    when there is work for it and ends with the engine. Raises UsageError if Ray is not installed, and EngineError if
    the cluster fails.
    """

    def __init__(self, store: Store) -> None:
        if importlib.util.find_spec("ray") is None:
            hint = "Install it with pip install 'narrative-tracker[ray]', or build without --engine ray."
            raise UsageError("the package ray, which --engine ray needs", "no such package", hint)
        self._store = store
        self._opened = ExitStack()
        self._is_open = False

    def __enter__(self) -> RayEngine:
        return self

    def __exit__(self, *error: object) -> None:
        """End the cluster, if the engine started it. Results that a failed build leaves are for the next one."""
        self._opened.close()
        if error[0] is None:
            shutil.rmtree(self._store.get_shard_folder(""), ignore_errors=True)

    def read_files(self, files: Sequence[InputFile], columns: Mapping[str, str], progress: Progress) -> set[str]:
        """Read the files that the store lacks. Those that the workers do not see are left to the build."""
        sizes: dict[str, int] = {}

        def list_files() -> Iterator[Row]:
            for file in files:
                with suppress(ReadError, OSError):  # the build finds the same, and reports it
                    key = read.compute_fingerprint(file, columns)
                    sizes[key] = file.path.stat().st_size
                    if not self._store.has_input(key):
                        path, source = map(stages.to_bytes, (str(_find_shared(file)), file.source_path))
                        yield {KEY: key, "path": path, "source": source, "manifest": json.dumps(dict(file.manifest))}

        has_objects = any(file.place and read.is_in_object_storage(file.place) for file in files)
        arguments = (dict(columns), read_connection(os.environ) if has_objects else None)
        stage = _Stage("reading", stages.FILES, stages.ReadFiles, arguments)
        done: set[str] = set()
        for table in self._run(stage, list_files(), lambda row: sizes[row[KEY]]):
            for row in table.to_pylist():
                self._store.put_input_file(row[KEY], row["content"])
                done.add(row[KEY])
            progress("reading", len(done), len(files))
        return done

    def parse(
        self, jobs: Iterable[ParseJob], kept: ParsedDocuments, speakers: tuple[Speaker, ...], progress: Progress
    ) -> None:
        """Parse documents and keep them in the cache."""
        stage = _Stage("parsing", stages.DOCUMENTS, stages.ParseDocuments, (speakers,))
        keep_parsed(self._run(stage, stages.list_documents(jobs), weigh_content), kept, progress)

    def spread(self, encoder: Encoder) -> Encoder:
        """Return an encoder whose texts the workers encode."""
        check_encoder(encoder)
        return _SpreadEncoder(self, encoder)

    def encode(self, encoder: Encoder, texts: Sequence[Text]) -> Iterator[tuple[list[int], VectorArray]]:
        """Yield (indices into `texts`, unit rows of shape (n, dimension)) for the texts that the workers encoded."""
        wanted: dict[str, list[int]] = {}
        for index, text in enumerate(texts):
            wanted.setdefault(text.text if isinstance(text, TextPart) else text, []).append(index)
        # Texts of one length fill the batches of the model. The longest come first, so that no worker ends late.
        ordered = sorted(wanted.items(), key=lambda item: len(item[0]), reverse=True)
        spans = [list(chain.from_iterable(_get_span(texts[index]) for index in own)) for _, own in ordered]
        keys = [_hash(whole, repr(pairs)) for (whole, _), pairs in zip(ordered, spans, strict=True)]
        rows = (
            {KEY: key, "content": stages.to_bytes(whole), "spans": pairs}
            for key, (whole, _), pairs in zip(keys, ordered, spans, strict=True)
        )
        indices = {key: own for key, (_, own) in zip(keys, ordered, strict=True)}
        settings = f"{encoder.name} {encoder.variant} {ENCODING_VERSION}"
        stage = _Stage("encoding", stages.TEXTS, stages.EncodeTexts, (encoder,), settings)
        for table in self._run(stage, rows, weigh_content):
            done = [(indices.pop(row[KEY]), row["vectors"]) for row in table.to_pylist() if row[KEY] in indices]
            if done:
                vectors = np.frombuffer(b"".join(row for _, row in done), "<f4").reshape(-1, encoder.dimension)
                yield [index for own, _ in done for index in own], vectors

    def match(
        self, matching: TrainedMatcher, texts: Sequence[str], embed: Embedder, settings: str, progress: Progress
    ) -> MatchFunction:
        """Score the texts, and return a function that gives the scores, and computes those of any other text here."""
        distinct = {_hash(text): text for text in texts}
        classifiers = tuple(trained.classifier for trained in matching.classifiers)
        arguments = (matching.matcher, classifiers)
        stage = _Stage("matching", stages.STATEMENTS, stages.MatchStatements, arguments, settings)
        scores: dict[str, tuple[bytes, ...]] = {}
        for table in self._run(stage, _list_statements(matching, distinct, embed), weigh_content):
            rows = [row for row in table.to_pylist() if row[KEY] in distinct]
            for place, trained in enumerate(matching.classifiers):
                outputs = {distinct[row[KEY]]: row["outputs"][place] for row in rows if row["outputs"][place]}
                if outputs:
                    trained.outputs.keep(outputs)
            scores.update((distinct[row[KEY]], tuple(row[name] for name in stages.MATCH_TYPES)) for row in rows)
            progress("matching", len(scores), len(distinct))
        return _KeptScores(scores, LOCAL.match(matching, texts, embed, settings, progress))

    def _run(self, stage: _Stage, rows: Iterable[Row], weigh: Callable[[Row], int]) -> Iterator[pa.Table]:
        """Yield the results of a stage: those that an earlier run left, and then those of the workers as they come.

        Results are on the disk when they are yielded. Those that the caller took are removed at the end. There may be
        results of other items, and none for some, which the caller leaves to the build.
        """
        digest = _hash(__version__, stage.settings, repr(sorted(stage.schema.names)))[:16]
        shards = Shards(self._store.get_shard_folder(f"{stage.name}-{digest}"))
        done: set[str] = set()
        for table in shards.load():
            done.update(table[KEY].to_pylist())
            yield table
        left = _skip_known(rows, done)
        first = list(islice(left, LEAST_ITEMS[stage.name]))
        if len(first) == LEAST_ITEMS[stage.name]:
            self._open()
            blocks = split_blocks(chain(first, left), stage.schema, BLOCK_BYTES[stage.name], weigh)
            pipeline = cluster.Pipeline(stage.worker, stage.arguments)
            for window in _split_windows(blocks):
                for table in pipeline.run(window):
                    shards.add(table)
                    yield table
        shards.remove()

    def _open(self) -> None:
        if not self._is_open:
            self._opened.enter_context(cluster.open_cluster())
            self._is_open = True


class _SpreadEncoder:
    """An encoder whose texts the workers encode, and the given encoder those that are too few for that."""

    def __init__(self, engine: RayEngine, encoder: Encoder) -> None:
        self._engine, self._encoder = engine, encoder
        self.name, self.variant, self.languages = encoder.name, encoder.variant, encoder.languages

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return self._encoder.dimension

    def encode(self, texts: Sequence[Text]) -> Iterator[tuple[list[int], VectorArray]]:
        """Yield batches of (indices into `texts`, unit rows of shape (n, dimension)); each index occurs once."""
        left = set(range(len(texts)))
        for indices, rows in self._engine.encode(self._encoder, texts):
            left.difference_update(indices)
            yield indices, rows
        rest = sorted(left)
        for indices, rows in self._encoder.encode([texts[index] for index in rest]) if rest else ():
            yield [rest[index] for index in indices], rows


class _KeptScores:
    """Scores of texts that the workers matched, in the form of a function; others are computed by `compute`."""

    def __init__(self, scores: Mapping[str, tuple[bytes, ...]], compute: MatchFunction) -> None:
        self._scores, self._compute = scores, compute

    def __call__(self, texts: Sequence[str]) -> MatchResult:
        missing = [text for text in texts if text not in self._scores]
        if missing:
            return self._compute(texts)
        columns = zip(*(self._scores[text] for text in texts), strict=True)
        arrays = {
            name: np.frombuffer(b"".join(column), kind).reshape(len(texts), -1)
            for (name, kind), column in zip(stages.MATCH_TYPES.items(), columns, strict=True)
        }
        return MatchResult(**arrays)


def _list_statements(matching: TrainedMatcher, texts: Mapping[str, str], embed: Embedder) -> Iterator[Row]:
    """List statements with their vectors and the known outputs of classifiers; `texts` by key."""
    items = iter(texts.items())
    while block := dict(islice(items, LOOKUP_TEXTS)):
        passages = [stages.list_passages(text) for text in block.values()]
        vectors = embed(list(chain.from_iterable(passages)))
        ends = np.cumsum([len(own) for own in passages])[:-1]
        known = [trained.outputs.get_known(list(block.values())) for trained in matching.classifiers]
        for at, ((key, text), rows) in enumerate(zip(block.items(), np.split(vectors, ends), strict=True)):
            outputs = [column[at] for column in known]
            yield {KEY: key, "content": stages.to_bytes(text), "vectors": rows.tobytes(), "known": outputs}


def _skip_known(rows: Iterable[Row], known: set[str]) -> Iterator[Row]:
    """Yield the first row of each key that is not known."""
    for row in rows:
        if row[KEY] not in known:
            known.add(row[KEY])
            yield row


def _split_windows(blocks: Iterable[pa.Table]) -> Iterator[list[pa.Table]]:
    """Split tables into lists that fit into the memory of a cluster together."""
    window: list[pa.Table] = []
    for block in blocks:
        window.append(block)
        if sum(table.nbytes for table in window) >= WINDOW_BYTES:
            yield window
            window = []
    if window:
        yield window


def _find_shared(file: InputFile) -> Path:
    """Return where workers may find a file: its address in object storage, but for a member of an archive there."""
    place = file.place
    if place is None or not read.is_in_object_storage(place):
        return file.path.absolute()
    is_packed = any(parent.suffix.lower() == read.ARCHIVE_SUFFIX for parent in place.parents)
    return file.path.absolute() if is_packed else place


def _get_span(text: Text) -> tuple[int, int]:
    return (text.start, text.end) if isinstance(text, TextPart) else stages.WHOLE


def _hash(*terms: str) -> str:
    return hashlib.sha256("\0".join(terms).encode("utf-8", "surrogatepass")).hexdigest()[:32]
