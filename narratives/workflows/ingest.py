"""The first steps of a build: read new and changed inputs into the store, and parse all that it holds."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from narratives import parse, read
from narratives.model import InputFile, InputRecord, Progress, ReadError, StoreError, UnusedColumns, UsageError
from narratives.model.documents import Document, Paragraph, RawDocument, Rejected, SkippedInput, Speaker
from narratives.store import Store
from narratives.store.inputs import find_upload
from narratives.workflows.corrections import Corrections
from narratives.workflows.engines.engine import LOCAL, Engine
from narratives.workflows.engines.objects import make_download
from narratives.workflows.engines.parser import CachedParser

NAME_DATE = "name_date"  # of `RawDocument`, among the values of a manifest
KEPT_NOTE = "Its earlier version stays in the store; remove it with --remove."


@dataclass(frozen=True, slots=True)
class IngestResult:
    """The result of reading the inputs of a build.

    records                   all inputs of the store, sorted by source path
    named, readable, unchanged the inputs of this build; those with at least one document; those read before
    rejected                  problems of these inputs, with reasons
    skipped                   what these inputs hold that is clearly no text
    absent                    those of `rejected` that do not exist; the store does not list them
    unused                    columns of these inputs, and of their manifests, that hold none of our fields
    notes                     what was assumed to read them, such as a guessed encoding
    """

    records: tuple[InputRecord, ...]
    named: tuple[InputRecord, ...]
    readable: int
    unchanged: int
    rejected: tuple[Rejected, ...]
    skipped: tuple[SkippedInput, ...]
    absent: tuple[Rejected, ...]
    unused: tuple[UnusedColumns, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _StoredInput:
    """The stored rows of one input; `whole` is false if reading it was interrupted."""

    readable: bool
    rejected: tuple[Rejected, ...]
    whole: bool


def ingest(
    store: Store,
    inputs: Sequence[str],
    columns: Mapping[str, str],
    known: Sequence[InputRecord],
    progress: Progress,
    date_from_name: bool = False,
    engine: Engine = LOCAL,
) -> IngestResult:
    """Read new and changed inputs into the store, which holds the `known` ones.

    A file is identified by its absolute path. If its hash has changed, its new rows replace the old ones. If it
    has become unreadable, the problem is recorded and the old rows stay. Files, links and rows of a manifest that
    were never readable are recorded with the reason until they are repaired or removed. Inputs that do not exist
    are reported but not recorded. What is clearly no text is recorded with the reason why it was skipped. With
    `date_from_name`, a date in the name of a file counts where the document states none, or a less exact one.
    """
    records = {record.path: record for record in known}
    with read.survey(inputs, make_download(progress)) as surveyed:
        if date_from_name:
            files = [
                replace(file, manifest={**file.manifest, NAME_DATE: parse.find_name_date(file.path.name)})
                for file in surveyed.files
            ]
            surveyed = replace(surveyed, files=tuple(files))
        read_ahead = engine.read_files(surveyed.files, columns, progress)
        return _ingest_survey(store, surveyed, records, columns, progress, read_ahead)


def _ingest_survey(
    store: Store,
    surveyed: read.Survey,
    records: dict[Path, InputRecord],
    columns: Mapping[str, str],
    progress: Progress,
    read_ahead: set[str],
) -> IngestResult:
    """Read what is new; files whose keys are in `read_ahead` were read for this build, and their rows are stored."""
    named: dict[Path, InputRecord] = {}
    rejected, unused = list(surveyed.absent), list(surveyed.unused)

    def refuse(place: Path, items: Sequence[Rejected]) -> None:
        named[place], reasons = _record_refusal(store, records.get(place), place, items)
        rejected.extend(reasons)

    for place, items in surveyed.refused.items():
        refuse(place, items)
    notes: dict[str, list[str]] = {}
    readable = unchanged = 0
    for done, file in enumerate(surveyed.files):
        progress("reading", done, len(surveyed.files))
        path = file.place or file.path.resolve()
        try:
            key = read.compute_fingerprint(file, columns)
            kept, is_new = _read_rows(store, file, columns, key, key in read_ahead)
        except ReadError as error:
            refuse(path, [Rejected(file.source_path, 0, str(error))])
            continue
        read_ahead.discard(key)
        unchanged += not is_new
        faults = [replace(r, source_path=file.source_path) for r in kept.rejected]
        if not kept.readable and _has_documents(store, records.get(path)):
            refuse(path, faults)
            continue
        named[path] = InputRecord(path, file.source_path, key, dict(columns), dict(file.manifest))
        readable += kept.readable
        rejected += faults
        for note in read.find_notes(file, columns):
            notes.setdefault(note, []).append(file.source_path)
        # The reason for rejecting a table lists its columns.
        if kept.readable and (left := read.find_unused(file, columns)):
            unused.append(UnusedColumns(file.source_path, left))
    progress("reading", len(surveyed.files), len(surveyed.files))
    repaired = {
        place
        for place, record in records.items()
        if place not in named and surveyed.has_seen(place) and not _has_documents(store, record)
    }
    # A member that an archive no longer holds has been replaced with the archive.
    repaired |= {place for place in records if place not in named and surveyed.archives.intersection(place.parents)}
    skipped_records = {place: _record_skip(store, place, item) for place, item in surveyed.skipped.items()}
    kept_records = {place: record for place, record in records.items() if place not in repaired}
    records = kept_records | skipped_records | named
    return IngestResult(
        records=tuple(sorted(records.values(), key=lambda r: (r.source_path, str(r.path)))),
        named=tuple(named.values()),
        readable=readable,
        unchanged=unchanged,
        rejected=tuple(sorted(rejected, key=lambda r: (r.source_path, r.row, r.reason))),
        skipped=tuple(surveyed.skipped.values()),
        absent=surveyed.absent,
        unused=tuple(sorted(unused, key=lambda u: u.source_path)),
        notes=tuple(f"{_format_paths(paths)}: {note}." for note, paths in sorted(notes.items())),
    )


def _read_rows(
    store: Store, file: InputFile, columns: Mapping[str, str], key: str, is_new: bool
) -> tuple[_StoredInput, bool]:
    """Return the stored rows of a file, and whether they are new; read it if they are missing."""
    kept = _load_stored_input(store, key)
    # If reading was interrupted, the cause may have been temporary, so the file is read again.
    if kept and (kept.whole or is_new):
        return kept, is_new
    store.put_input(key, read.read_file_verified(file, columns, key))
    kept = _load_stored_input(store, key)
    assert kept is not None  # it was stored just now
    return kept, True


def _format_paths(paths: Sequence[str]) -> str:
    return paths[0] if len(paths) == 1 else f"{paths[0]} and {len(paths) - 1:,} more"


def _record_refusal(
    store: Store, before: InputRecord | None, place: Path, items: Sequence[Rejected]
) -> tuple[InputRecord, list[Rejected]]:
    """Record a refused input; return the record and the reasons. Documents that were read from it before stay."""
    stays = before if before and _has_documents(store, before) else None
    reasons = [replace(r, reason=f"{r.reason} {KEPT_NOTE}") for r in items] if stays else list(items)
    key = _hash_reasons(reasons)
    store.put_input(key, reasons)
    if stays:
        return replace(stays, refusals=key), reasons
    return InputRecord(place, items[0].source_path, key), reasons


def _hash_reasons(reasons: Sequence[Rejected]) -> str:
    terms = [[r.source_path, r.row, r.reason] for r in reasons]
    return hashlib.sha256(json.dumps(terms).encode()).hexdigest()


def _record_skip(store: Store, place: Path, item: SkippedInput) -> InputRecord:
    """Record a skipped file or folder, which has no rows."""
    key = hashlib.sha256(json.dumps(["skipped", item.source_path, item.reason]).encode()).hexdigest()
    store.put_input(key, ())
    return InputRecord(place, item.source_path, key, skipped=item.reason)


def _has_documents(store: Store, record: InputRecord | None) -> bool:
    kept = _load_stored_input(store, record.hash) if record else None
    return kept is not None and kept.readable


def _load_stored_input(store: Store, key: str) -> _StoredInput | None:
    """Return what the store holds under this hash; None if that is nothing, or not readable."""
    if not store.has_input(key):
        return None
    readable, rejected = False, []
    try:
        for row in store.get_input(key):
            readable = readable or isinstance(row, RawDocument)
            if isinstance(row, Rejected):
                rejected.append(row)
    except StoreError:
        return None
    return _StoredInput(readable, tuple(rejected), all(r.row for r in rejected))


def remove_inputs(
    known: Sequence[InputRecord], remove: Sequence[str], shown: Sequence[InputRecord] = ()
) -> tuple[InputRecord, ...]:
    """Return the records without the paths in `remove`, which are relative paths or as `status` lists them.

    `shown` are the inputs of the current snapshot. A path may be among them only: if a build is killed after it has
    removed an input from the list and before its snapshot is the current one, the same command can be run again. Raises
    UsageError for a path that is in neither.
    """
    records = {record.path: record for record in known}
    for typed in remove:
        matches = _match_path(records, typed)
        if not matches and not _match_path({record.path: record for record in shown}, typed):
            raise UsageError("--remove with a path that the store holds", repr(typed), "`status` lists what it holds.")
        records = {path: record for path, record in records.items() if path not in matches}
    return tuple(records.values())


def _match_path(records: Mapping[Path, InputRecord], typed: str) -> set[Path]:
    # A refused link is removed itself, not its target.
    place, target = read.get_place(read.make_path(typed)), Path(typed).resolve()
    matches = {p for p, record in records.items() if p.is_relative_to(place) or record.source_path == typed}
    return matches or {p for p in records if p.is_relative_to(target)}


def mend_rows(store: Store, records: Sequence[InputRecord]) -> tuple[str, ...]:
    """Read inputs again whose stored rows are damaged or missing, from sources that have not changed; return notes.

    The rows of rejected inputs are taken from the current snapshot. Raises StoreError, which names the others.
    """
    notes, lost = [], []
    for record in records:
        for key in record.keys:
            if not (problem := store.find_rows_problem(key)):
                continue
            if _restore_rows(store, record, key):
                notes.append(f"The stored rows of {record.source_path} were damaged ({problem}) and were made again.")
            else:
                lost.append(f"{record.source_path} ({problem})")
    if lost:
        hint = (
            "Put these files back as they were, or restore a backup of the store, and build again. To go on without "
            "them, use --remove. The current snapshot still shows their documents."
        )
        raise StoreError("the stored rows of every input, or its unchanged source", "; ".join(lost[:10]), hint)
    return tuple(notes)


def _restore_rows(store: Store, record: InputRecord, key: str) -> bool:
    """Store the rows of an input again, exactly as they were; return whether that was possible."""
    if record.skipped:
        store.put_input(key, ())
        return True
    if rejected := store.find_rejected(record.source_path):
        for rows in ([r for r in rejected if r.row], rejected, [r for r in rejected if not r.row]):
            if rows and _hash_reasons(rows) == key:
                store.put_input(key, rows)
                return True
    with suppress(ReadError), _find_source(store, record) as file:
        if file and read.compute_fingerprint(file, record.columns) == key:
            store.put_input(key, read.read_file_verified(file, record.columns, key))
            return True
    return False


@contextmanager
def _find_source(store: Store, record: InputRecord) -> Iterator[InputFile | None]:
    """Find the file that an input was read from, which may be in an archive; None if it is gone."""
    path = find_upload(store.path, record.path)
    if path.is_file():
        yield InputFile(path, record.source_path, dict(record.manifest))
        return
    if read.is_in_object_storage(record.path):
        packed = [one for one in record.path.parents if one.suffix.lower() == read.ARCHIVE_SUFFIX]
        typed = read.format_source_path(packed[0] if packed else record.path)
    elif archive := next((parent for parent in record.path.parents if parent.is_file()), None):
        typed = str(archive)
    else:
        yield None
        return
    with read.survey([typed], make_download(lambda *_: None)) as surveyed:
        files = [file for file in surveyed.files if file.place == record.path]
        yield replace(files[0], manifest=dict(record.manifest)) if files else None


NO_CORRECTIONS = Corrections()


@dataclass(frozen=True, slots=True)
class Corpus:
    """The documents of the store, and which of their paragraphs are matched.

    `originals` are the `statements` that are no copies.
    `displaced` are those `rejected` because another document has the same id. `unread` counts the paragraphs that
    would be statements if the model read their language. `notes` say which dates could not be read whole.
    """

    documents: list[Document]
    rejected: list[Rejected]
    displaced: list[Rejected]
    copies: Mapping[str, str]
    statements: list[Paragraph]
    originals: list[Paragraph]
    unread: int
    notes: tuple[str, ...] = ()


def parse_corpus(
    store: Store,
    records: Sequence[InputRecord],
    speakers: tuple[Speaker, ...],
    languages: frozenset[str],
    progress: Progress,
    corrections: Corrections = NO_CORRECTIONS,
    engine: Engine = LOCAL,
) -> Corpus:
    """Parse and correct the stored inputs and select the paragraphs to match: statements in the model's `languages`."""
    orders = _detect_date_orders(store, records)
    with store.open_parsed() as kept:
        parser = CachedParser(kept, speakers)
        raws = ((raw, orders[place]) for raw, place in _list_raw_documents(store, records))
        engine.parse(parser.list_missing(raws), kept, speakers, progress)
        documents, rejected, displaced = _parse_documents(store, records, parser, orders, progress)
        kept.prune()
    documents = [corrections.apply(document) for document in documents]
    progress("finding copies", 0, None)
    copies = parse.find_copies(documents)
    boilerplate = parse.find_boilerplate(documents)
    paragraphs = [p for d in documents for p in d.paragraphs if p.paragraph_id not in boilerplate]
    in_any_language = [p for p in paragraphs if parse.is_statement(p, frozenset({p.language}))]
    statements = [p for p in in_any_language if p.language in languages]
    return Corpus(
        documents=documents,
        rejected=rejected,
        displaced=displaced,
        copies=copies,
        statements=statements,
        originals=[p for p in statements if p.paragraph_id not in copies],
        unread=len(in_any_language) - len(statements),
        notes=_describe_dates(documents, records, orders),
    )


def _detect_date_orders(store: Store, records: Sequence[InputRecord]) -> Mapping[Path, parse.DateOrder]:
    """Detect the order of day and month in every table, and in every folder for its files, before any is parsed."""
    orders: dict[Path, parse.DateOrder] = {}
    for row, place in _list_raw_documents(store, records):
        orders[place] = parse.add_to_date_order(orders.get(place, parse.DateOrder()), row)
    return orders


def _list_raw_documents(store: Store, records: Sequence[InputRecord]) -> Iterator[tuple[RawDocument, Path]]:
    """List the documents as read, and the place whose order of day and month applies to each."""
    for record in records:
        for row in store.get_input(record.hash):
            if isinstance(row, RawDocument):
                yield row, _get_date_place(record, row)


def _get_date_place(record: InputRecord, row: RawDocument) -> Path:
    return record.path if row.row else record.path.parent


def _describe_dates(
    documents: Sequence[Document], records: Sequence[InputRecord], orders: Mapping[Path, parse.DateOrder]
) -> tuple[str, ...]:
    """Describe the dates whose day and month are undecided, by input, and the dates that names of files would give."""
    undecided = Counter(d.source_path for d in documents if parse.UNDECIDED in d.date_source)
    notes = []
    for record in records:
        if number := undecided.get(record.source_path, 0):
            order = orders.get(record.path)
            why = "contradict one another" if order and order.dates == "both" else "do not show it"
            notes.append(
                f"{record.source_path}: which number of a date is the day is undecided in {number:,} of its documents, "
                f"because its other dates {why}. These count by year only. Write their dates as 2018-05-31."
            )
    asked = {record.source_path for record in records if NAME_DATE not in record.manifest}
    undated = [d.source_path for d in documents if not (d.date or d.row) and d.source_path in asked]
    if named := [path for path in undated if parse.find_name_date(Path(path).name)]:
        notes.append(
            f"Undated documents from files with a date in the name, such as {min(named)}: {len(named):,}. "
            "To use these dates, build the files with --date-from-name."
        )
    return tuple(notes)


def _parse_documents(
    store: Store,
    records: Sequence[InputRecord],
    parser: CachedParser,
    orders: Mapping[Path, parse.DateOrder],
    progress: Progress,
) -> tuple[list[Document], list[Rejected], list[Rejected]]:
    """Parse every document once; of two documents with one id, keep the first by path and row.

    Returns the documents sorted by id, everything that was rejected, and the part of it that was rejected
    because another document has the same id.
    """
    documents: dict[str, Document] = {}
    rejected: list[Rejected] = []
    displaced: list[Rejected] = []
    for record in records:
        for row in chain.from_iterable(map(store.get_input, record.keys)):
            if isinstance(row, RawDocument):
                order = orders[_get_date_place(record, row)]
                document = parser(replace(row, source_path=record.source_path), order)
                first = documents.setdefault(document.document_id, document)
                if first is document:
                    progress("parsing", len(documents), None)
                    continue
                same = [p.text for p in document.paragraphs] == [p.text for p in first.paragraphs]
                what = "the same document as" if same else "another document with the identity of"
                kept = f"{first.source_path}, row {first.row}, which is kept"
                reason = f"{what} {kept} (identity: id, else url, else text)"
                row = Rejected(record.source_path, document.row, reason)
                displaced.append(row)
            rejected.append(replace(row, source_path=record.source_path))
    return [documents[key] for key in sorted(documents)], rejected, displaced
