"""The whole method in order: from inputs to a snapshot. Every step is a function of one room."""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from importlib import metadata
from itertools import chain
from pathlib import Path

from narratives import __version__, discover, model, parse, read
from narratives.model import (
    Assignment,
    BuildCounts,
    BuildReport,
    Cluster,
    Codebook,
    ConfigError,
    Decision,
    Document,
    InputRecord,
    Paragraph,
    PreviousSnapshot,
    Progress,
    RawDocument,
    Rejected,
    SnapshotContent,
    SnapshotManifest,
    StoreError,
    no_progress,
)
from narratives.resources import DATA_FOLDER, SAMPLE_FOLDER, SAMPLE_NOTICE
from narratives.store import DECISIONS_FILE, SCHEMA_VERSION, DecisionLog, Store, hash_decisions, open_snapshot
from narratives.store.queries import map as map_queries
from narratives.workflows.discover import assign_members, discover_clusters
from narratives.workflows.ingest import IngestResult, ingest
from narratives.workflows.match import (
    Embedder,
    assign_narratives,
    load_store_encoder,
    mend_vectors,
    train_matcher,
)

log = logging.getLogger(__name__)

# Part of every build's fingerprint: raise it when the same paragraphs are to be matched, clustered or laid
# out another way, so that a store gets that at its next build.
METHOD_VERSION = 2
VERSIONED_PACKAGES = (
    "torch",
    "sentence-transformers",
    "numpy",
    "scikit-learn",
    "scikit-network",
    "opentsne",
    "duckdb",
)


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """What a person asked a build to do. `columns` maps our field names to theirs.

    `decisions` is a log of decisions, by default the store's own where it has one.
    """

    inputs: tuple[str, ...]
    store: Path
    codebook: Path = DATA_FOLDER / "codebook.toml"
    speakers: Path = DATA_FOLDER / "speakers.toml"
    events: Path = DATA_FOLDER / "events.toml"
    model: str = ""
    remove: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    decisions: Path | None = None


def build(request: BuildRequest, progress: Progress = no_progress) -> BuildReport:
    """Add the inputs to the store and write a snapshot of all that it holds.

    Unchanged inputs are not read again, known texts are not encoded again, and where nothing that matters has
    changed no snapshot is written. Raises UsageError, ConfigError, EncoderError or StoreError (StoreBusyError
    while another build runs); whatever happens, the current snapshot stays as it was until the last step.
    """
    started = time.monotonic()
    store = Store(request.store)
    with store.lock():
        codebook = read.load_codebook(request.codebook)
        speakers = read.load_speakers(request.speakers)
        events = read.load_events(request.events)
        decisions = load_decisions(store, request.decisions)
        previous, notes = _previous(store)
        held = store.held()
        intake = ingest(store, request.inputs, request.remove, request.columns, held, progress)
        encoder = load_store_encoder(store, request.model)
        notice = SAMPLE_NOTICE if any(r.path.is_relative_to(SAMPLE_FOLDER) for r in intake.ledger) else ""
        fingerprint = _hash_terms(
            [__version__, parse.PARSER_VERSION, METHOD_VERSION, SCHEMA_VERSION],
            [encoder.name, encoder.variant, notice],
            [(r.source_path, r.keys) for r in intake.ledger],
            [repr(codebook.narratives), repr(speakers), repr(events), hash_decisions(decisions)],
        )
        damage = mend_vectors(store, encoder)
        notes += damage
        same = previous if previous and previous.fingerprint == fingerprint else None
        nothing_at_all = not intake.readable and not held
        if nothing_at_all or (same and not damage and not store.lacking_vectors(same.snapshot_id)[0]):
            return _make_report(previous, intake, (), started, unchanged=True, notes=notes)

        documents, rejected, displaced = _parse_documents(store, intake.ledger, parse.Roster(speakers), progress)
        progress("finding copies", 0, None)
        copies = parse.find_copies(documents)
        standing = parse.find_boilerplate(documents)
        paragraphs = [p for d in documents for p in d.paragraphs if p.paragraph_id not in standing]
        statements = [p for p in paragraphs if parse.is_statement(p, encoder.languages)]
        originals = [p for p in statements if p.paragraph_id not in copies]

        embed = Embedder(encoder, store.vectors(encoder.name, encoder.variant, encoder.dimension), progress)
        windows = [model.split_windows(p.text) for p in statements]
        decided = sorted({d.text for d in decisions})
        embed.add(
            chain(
                _list_fixed_texts(codebook),
                (p.text for p in statements),
                chain.from_iterable(windows),
                chain.from_iterable(discover.split_for_embedding(p.text) for p in originals),
                decided,
                chain.from_iterable(map(model.split_windows, decided)),
            )
        )

        if same:  # but for the vectors
            return _make_report(same, intake, displaced, started, unchanged=True, notes=notes, embed=embed)

        matching = train_matcher(codebook, decisions, embed, encoder.name)
        assignments = assign_narratives(matching, statements, windows, embed, progress)
        earlier, before, lost = _read_back(store, previous)
        notes += lost
        clusters = discover_clusters(earlier, codebook, documents, originals, assignments, embed, progress)
        assignments += assign_members(clusters, statements, copies)
        places = _project_statements(before, originals, embed, progress)

        progress("writing", 0, None)
        unread = sum(parse.is_statement(p, frozenset({p.language})) for p in paragraphs) - len(statements)
        snapshot = store.write_snapshot(
            SnapshotContent(
                documents=documents,
                rejected=rejected,
                copies=copies,
                statements={p.paragraph_id for p in statements},
                assignments=assignments,
                narratives=codebook,
                thresholds=matching.thresholds,
                clusters=clusters,
                predecessor=earlier.snapshot_id,
                lineage=discover.trace_lineage(clusters, codebook, earlier),
                layout=places,
                events=events,
                speakers=speakers,
                inputs=intake.ledger,
                fingerprint=fingerprint,
                versions={
                    "narratives": __version__,
                    **{name: metadata.version(name) for name in VERSIONED_PACKAGES},
                },
                parameters={
                    "model": encoder.name,
                    "variant": encoder.variant,
                    "codebook": codebook.digest,
                    "decisions": hash_decisions(decisions),
                },
                counts=asdict(_count_contents(documents, rejected, copies, originals, assignments, clusters, unread)),
                model=encoder.name,
                variant=encoder.variant,
                notice=notice,
            ),
            published=DATA_FOLDER / "quality.json",
        )
        manifest = store.manifest(snapshot)
        return _make_report(manifest, intake, displaced, started, unchanged=False, notes=notes, embed=embed)


def _previous(store: Store) -> tuple[SnapshotManifest | None, tuple[str, ...]]:
    """The manifest of the current snapshot, None where there is none that is sound to the last byte; and why.

    A damaged one is no reason to stop: it is built anew from the ledger. One that lacks its evaluation, for a
    build was killed before its end, is given it.
    """
    try:
        current = store.current()
        if current is None:
            return None, ()
        manifest = store.check(current)
        BuildCounts(**manifest.counts)
    except StoreError as error:
        return None, _unusable(f"expected {error.expected}; got {error.got}")
    except TypeError as error:
        return None, _unusable(f"its counts are not those of a build ({error})")
    store.supply_quality(manifest, DATA_FOLDER / "quality.json")
    return manifest, ()


def _unusable(reason: str) -> tuple[str, ...]:
    note = f"The current snapshot was damaged, so this one is built as if there had been none before: {reason}."
    log.warning(note)
    return (note,)


def _read_back(
    store: Store, previous: SnapshotManifest | None
) -> tuple[PreviousSnapshot, Mapping[str, tuple[float, float]], tuple[str, ...]]:
    """What the snapshot before held, and its map; empty for the first, and where it cannot be read."""
    if previous is not None:
        try:
            with closing(open_snapshot(store.path, previous.snapshot_id)) as snapshot:
                return snapshot.earlier(), map_queries.query_positions(snapshot), ()
        except StoreError as error:  # it was sound when the build began
            return PreviousSnapshot(), {}, _unusable(f"expected {error.expected}; got {error.got}")
    return PreviousSnapshot(), {}, ()


def load_decisions(store: Store, named: Path | None) -> list[Decision]:
    """The decisions that hold: of the log that was named, else of the store's own, which may not be there."""
    if named and not named.exists():
        raise ConfigError(f"a decisions log at {named}", "no file", "Make it with `review import`.")
    return DecisionLog(named or store.path / DECISIONS_FILE).current()


def _hash_terms(*terms: object) -> str:
    return hashlib.sha256(json.dumps(terms).encode()).hexdigest()


def _parse_documents(
    store: Store, ledger: Sequence[InputRecord], roster: parse.Roster, progress: Progress
) -> tuple[list[Document], list[Rejected], list[Rejected]]:
    """Every document of the ledger once, by id; of two with one id the first by path and row is kept.

    Returns the documents by id, all that was rejected, and those of it that another document displaced.
    """
    documents: dict[str, Document] = {}
    rejected: list[Rejected] = []
    displaced: list[Rejected] = []
    for record in ledger:
        for row in chain.from_iterable(map(store.get_input, record.keys)):
            if isinstance(row, RawDocument):
                document = parse.parse_document(replace(row, source_path=record.source_path), roster)
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


def _list_fixed_texts(codebook: Codebook) -> Iterable[str]:
    """The texts that the method compares with, encoded in one go with the others."""
    return chain(
        discover.ROUTINE_TEXTS,
        chain.from_iterable(discover.STANCE_PAIRS),
        *([*(n.exemplars or (n.definition,)), *n.contrasts] for n in codebook.narratives),
    )


def _project_statements(
    before: Mapping[str, tuple[float, float]],
    originals: Sequence[Paragraph],
    embed: Embedder,
    progress: Progress,
) -> dict[str, tuple[float, float]]:
    """Every original statement's place on the map, which goes on from those of the snapshot before."""
    progress("drawing the map", 0, None)
    ids = [p.paragraph_id for p in originals]
    found = discover.project_to_map(embed([p.text for p in originals]), ids, before)
    return {key: (float(x), float(y)) for key, (x, y) in zip(ids, found, strict=True)}


def _count_contents(
    documents: Sequence[Document],
    rejected: Sequence[Rejected],
    copies: Mapping[str, str],
    originals: Sequence[Paragraph],
    assignments: Iterable[Assignment],
    clusters: Sequence[Cluster],
    not_matched_language: int,
) -> BuildCounts:
    claimed: dict[str, set[str]] = {"codebook": set(), "discovered": set()}
    for a in assignments:
        if a.status != "rejected":
            claimed[a.origin].add(a.paragraph_id)
    ids = {p.paragraph_id for p in originals}
    assigned, grouped = ids & claimed["codebook"], ids & claimed["discovered"]
    return BuildCounts(
        documents=len(documents),
        rejected=len(rejected),
        undated=sum(not d.date for d in documents),
        boilerplate=sum(d.boilerplate for d in documents),
        paragraphs=sum(len(d.paragraphs) for d in documents),
        copies=len(copies),
        statements=len(ids),
        not_matched_language=not_matched_language,
        assigned=len(assigned),
        candidates_only=len(grouped - assigned),
        unassigned=len(ids - assigned - grouped),
        clusters=len(clusters),
        candidates=sum(c.is_candidate for c in clusters),
    )


def _make_report(
    manifest: SnapshotManifest | None,
    intake: IngestResult,
    displaced: Sequence[Rejected],
    started: float,
    *,
    unchanged: bool,
    notes: Sequence[str],
    embed: Embedder | None = None,
) -> BuildReport:
    """What was done. What the named inputs could not give is told again even where nothing has changed."""
    named = {record.source_path for record in intake.named}
    # Documents of any input may be displaced by those of the named ones: that is told wherever they lie.
    told = {*intake.rejected, *displaced}
    return BuildReport(
        snapshot=manifest.snapshot_id if manifest else "",
        unchanged=unchanged and manifest is not None,
        inputs_named=len({*named, *(r.source_path for r in intake.rejected)}),
        inputs_readable=intake.readable,
        inputs_skipped=intake.skipped,
        rejected=tuple(sorted(told, key=lambda r: (r.source_path, r.row, r.reason))),
        counts=BuildCounts(**manifest.counts) if manifest else None,
        encoded=embed.encoded if embed else 0,
        reused=embed.reused if embed else 0,
        seconds=time.monotonic() - started,
        absent=intake.absent,
        unused=intake.unused,
        notes=tuple(notes),
    )
