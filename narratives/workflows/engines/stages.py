"""What one worker does: read files, parse documents, encode texts, match statements. Ray is not imported here.

Each stage takes a table of items and returns a table of results, with the same keys. Texts are bytes in both, because
some sources contain lone surrogates, which a column of strings cannot hold.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import cast

import numpy as np
import pyarrow as pa

from narratives import __version__, embed, match, model, parse, read
from narratives.model import InputFile, RawDocument, ReadError, Speaker, StoreError, UsageError
from narratives.model.text import Encoder, Text, TextPart, VectorArray
from narratives.store.inputs import dump_row, make_rows_path, parse_row, write_rows
from narratives.store.parsed import ParsedDocument, pack_document
from narratives.store.published import Connection, UnreachableError
from narratives.workflows.engines.objects import download_file
from narratives.workflows.engines.parser import ParseJob
from narratives.workflows.match import match_texts

LISTED = pa.list_(pa.large_binary())
FILES = pa.schema({"key": pa.string(), "path": pa.binary(), "source": pa.binary(), "manifest": pa.string()})
FILE_ROWS = pa.schema({"key": pa.string(), "content": pa.large_binary()})
DOCUMENTS = pa.schema({"key": pa.string(), "content": pa.large_binary(), "order": pa.string()})
PARSED = pa.schema({"key": pa.string(), "content": pa.large_binary()})
# `spans` are the starts and ends of the parts whose vectors are wanted, one after the other; the text itself is WHOLE.
TEXTS = pa.schema({"key": pa.string(), "content": pa.binary(), "spans": pa.list_(pa.int64())})
WHOLE = (-1, -1)
VECTORS = pa.schema({"key": pa.string(), "vectors": pa.large_binary()})
# `vectors` are those of the text and then of its sentences; `known` are outputs of the classifiers, null if unknown.
STATEMENTS = pa.schema({"key": pa.string(), "content": pa.binary(), "vectors": pa.large_binary(), "known": LISTED})
# One row of each field of `MatchResult`, and the outputs of the classifiers that were computed for it.
MATCHED = pa.schema(
    {
        "key": pa.string(),
        **{name: pa.binary() for name in ("scores", "evidence", "best_exemplar", "best_window")},
        "outputs": LISTED,
    }
)
MATCH_TYPES = {"scores": np.float32, "evidence": np.float64, "best_exemplar": np.int32, "best_window": np.int32}


PARSE_BYTES = 1 << 18  # of documents for a worker at a time


def list_documents(jobs: Iterable[ParseJob]) -> Iterator[dict[str, object]]:
    """List documents to parse as rows of DOCUMENTS."""
    for job in jobs:
        yield {
            "key": job.key,
            "content": dump_row(job.raw),
            "order": json.dumps(asdict(job.order)),
        }  # titles may be many


def to_bytes(text: str) -> bytes:
    """Return a text as bytes; `to_text` reverses it."""
    return text.encode("utf-8", "surrogatepass")


def to_text(content: bytes) -> str:
    """Return the text that `to_bytes` was given."""
    return content.decode("utf-8", "surrogatepass")


class _Worker:
    """What all workers have in common. Raises UsageError if the build is of another version than the worker."""

    def __init__(self, version: str) -> None:
        if version != __version__:
            hint = "Install the same version on all machines."
            raise UsageError(f"narrative-tracker {version} on the workers of the cluster", __version__, hint)


class ReadFiles(_Worker):
    """Reads files into what the store keeps of them. Files that a worker cannot read are left out of the result."""

    def __init__(self, version: str, columns: dict[str, str], connection: Connection | None = None) -> None:
        super().__init__(version)
        self._columns, self._connection = columns, connection
        self._is_reachable = True  # the object storage: a worker waits for it once

    def __call__(self, batch: pa.Table) -> pa.Table:
        """FILES to FILE_ROWS."""
        done = []
        for item in batch.to_pylist():
            path = Path(to_text(item["path"]))
            with tempfile.TemporaryDirectory(prefix="narratives-") as folder:
                try:
                    if read.is_in_object_storage(path):
                        if not self._is_reachable:
                            continue
                        path = download_file(path, Path(folder), self._connection)
                    file = InputFile(path, to_text(item["source"]), json.loads(item["manifest"]))
                    write_rows(Path(folder), item["key"], read.read_file_verified(file, self._columns, item["key"]))
                except (ReadError, StoreError, OSError) as error:
                    self._is_reachable &= not isinstance(error, UnreachableError)
                    continue  # not here, or changed: the build reads it, or says why it cannot
                content = make_rows_path(Path(folder), item["key"]).read_bytes()
            done.append({"key": item["key"], "content": content})
        return pa.Table.from_pylist(done, FILE_ROWS)


class ParseDocuments(_Worker):
    """Parses documents into entries of the cache of parsed documents."""

    def __init__(self, version: str, speakers: tuple[Speaker, ...]) -> None:
        super().__init__(version)
        self._roster = parse.Roster(speakers)

    def __call__(self, batch: pa.Table) -> pa.Table:
        """DOCUMENTS to PARSED."""
        done = []
        for item in batch.to_pylist():
            raw = cast("RawDocument", parse_row(item["content"]))
            order = parse.DateOrder(**json.loads(item["order"]))
            today = parse.get_latest_day()
            document, until = parse.parse_lasting(raw, self._roster, order)
            packed = pack_document(item["key"], ParsedDocument(document, today, until))
            done.append({"key": item["key"], "content": packed})
        return pa.Table.from_pylist(done, PARSED)


class EncodeTexts(_Worker):
    """Encodes texts and parts of them."""

    def __init__(self, version: str, encoder: Encoder) -> None:
        super().__init__(version)
        self._encoder = encoder

    def __call__(self, batch: pa.Table) -> pa.Table:
        """TEXTS to VECTORS."""
        items = batch.to_pylist()
        texts = [list_texts(to_text(item["content"]), item["spans"]) for item in items]
        rows = embed.encode_all(self._encoder, [text for own in texts for text in own])
        ends = np.cumsum([len(own) for own in texts])[:-1]
        done = [
            {"key": item["key"], "vectors": own.tobytes()}
            for item, own in zip(items, np.split(rows, ends), strict=True)
        ]
        return pa.Table.from_pylist(done, VECTORS)


def list_texts(text: str, spans: Sequence[int]) -> list[Text]:
    """List a text and its parts, as the column `spans` has them."""
    pairs = zip(spans[::2], spans[1::2], strict=True)
    return [text if pair == WHOLE else TextPart(text, *pair) for pair in pairs]


def list_passages(text: str) -> list[Text]:
    """List a statement and those of its sentences whose vectors are needed to match it (`embed_passages`)."""
    sentences = model.split_sentences(text)
    return [text, *(sentences if len(sentences) > 2 else ())]


class MatchStatements(_Worker):
    """Matches statements with all narratives, and classifies those that are near one."""

    def __init__(self, version: str, matcher: match.Matcher, classifiers: Sequence[Encoder]) -> None:
        super().__init__(version)
        self._matcher = matcher
        self._classifiers = classifiers

    def __call__(self, batch: pa.Table) -> pa.Table:
        """STATEMENTS to MATCHED."""
        items = batch.to_pylist()
        texts = [to_text(item["content"]) for item in items]
        vectors: dict[Text, VectorArray] = {}
        for text, item in zip(texts, items, strict=True):
            own = list_passages(text)
            rows = np.frombuffer(item["vectors"], "<f4").reshape(len(own), -1)
            vectors.update(zip(own, rows, strict=True))
        known = zip(*(item["known"] for item in items), strict=True)
        kept = [
            KnownOutputs(classifier, dict(zip(texts, outputs, strict=True)))
            for classifier, outputs in zip(self._classifiers, known, strict=True)
        ]
        result = match_texts(self._matcher, texts, lambda wanted: np.stack([vectors[text] for text in wanted]), kept)
        columns = {name: getattr(result, name).astype(kind) for name, kind in MATCH_TYPES.items()}
        done = [
            {
                "key": item["key"],
                **{name: values[row].tobytes() for name, values in columns.items()},
                "outputs": [own.new.get(text) for own in kept],
            }
            for row, (item, text) in enumerate(zip(items, texts, strict=True))
        ]
        return pa.Table.from_pylist(done, MATCHED)


class KnownOutputs:
    """Outputs of a classifier: those that are known, and `new` ones, by text."""

    def __init__(self, classifier: Encoder, known: dict[str, bytes | None]) -> None:
        self._classifier, self._known = classifier, known
        self.new: dict[str, bytes] = {}

    def __call__(self, texts: Sequence[str]) -> VectorArray:
        """Return the outputs (n, k) of texts, and compute those that are missing."""
        missing = [text for text in dict.fromkeys(texts) if self._known.get(text) is None]
        if missing:
            outputs = embed.encode_all(self._classifier, missing)
            self.new.update((text, row.tobytes()) for text, row in zip(missing, outputs, strict=True))
        rows = [np.frombuffer(self.new.get(text) or self._known[text] or b"", "<f4") for text in texts]
        return np.array(rows, np.float32).reshape(len(texts), -1)
