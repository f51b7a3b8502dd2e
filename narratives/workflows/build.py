"""The whole method in order, from inputs to a snapshot."""

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
from narratives.model import Cluster, Codebook, Decision, PreviousSnapshot, Progress, no_progress
from narratives.model.documents import Event, Paragraph, Rejected, Speaker
from narratives.model.errors import ConfigError, StoreError
from narratives.model.kept import KeptArrays
from narratives.model.narratives import THEME_PREFIX
from narratives.model.snapshot import BuildCounts, BuildReport, InputRecord, SnapshotContent, SnapshotManifest
from narratives.model.text import Encoder, Text
from narratives.resources import DATA_FOLDER, SAMPLE_FOLDER, SAMPLE_NOTICE
from narratives.store import DECISIONS_FILE, SCHEMA_VERSION, DecisionLog, Store, open_snapshot
from narratives.store.queries import map as map_queries
from narratives.workflows.codebook import SHIPPED_CODEBOOK, keep_codebook, load_codebook
from narratives.workflows.corrections import Corrections, load_corrections
from narratives.workflows.engines.embedder import Embedder
from narratives.workflows.engines.engine import EngineName, open_engine
from narratives.workflows.ingest import Corpus, IngestResult, ingest, mend_rows, parse_corpus, remove_inputs
from narratives.workflows.match import (
    CLASSIFIER_FILE,
    MatchedStatements,
    assign_narratives,
    load_claim_scorer,
    load_classifiers,
    load_store_encoder,
    make_parameters,
    mend_vectors,
    train_matcher,
)

log = logging.getLogger(__name__)

# Part of every build's fingerprint. Raise it when paragraphs are matched, clustered or placed on the map in
# another way: each store then gets a new snapshot at its next build.
METHOD_VERSION = 8
VERSIONED_PACKAGES = (
    *("torch", "sentence-transformers", "openvino", "numpy", "scikit-learn", "scikit-network", "opentsne", "duckdb"),
)


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """The request for a build.

    `variant` is the arithmetic of the model in a new store. `columns` maps our field names to those of the input
    tables. `decisions` is a log of decisions and of edits of the
    codebook; the default is the log of the store, if there is one. `threshold` is the least probability at which a
    narrative with a classifier is assigned; the default is the classifier's. With `date_from_name`, a date in the name
    of a file counts where its text states none, or a less exact one. With `expected`, the fingerprint of a snapshot,
    the build fails if it would make another one. `engine` is where single files, documents and texts are worked on.
    """

    inputs: tuple[str, ...]
    store: Path
    codebook: Path = SHIPPED_CODEBOOK
    speakers: Path = DATA_FOLDER / "speakers.toml"
    events: Path = DATA_FOLDER / "events.toml"
    model: str = ""
    variant: str = ""
    remove: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    decisions: Path | None = None
    threshold: float | None = None
    date_from_name: bool = False
    expected: str = ""
    engine: EngineName = "local"


def build(request: BuildRequest, progress: Progress = no_progress, encoder: Encoder | None = None) -> BuildReport:
    """Add the inputs to the store and write a snapshot of all that it holds.

    Unchanged inputs are not read again and known texts are not encoded again. If nothing relevant has changed, no
    snapshot is written. `encoder` replaces the model that the request names. The current snapshot stays unchanged
    until the last step. Raises UsageError, ConfigError, EncoderError, EngineError or StoreError (StoreBusyError while
    another build runs).
    """
    started = time.monotonic()
    store = Store(request.store)
    with store.lock(), open_engine(request.engine, store) as engine:
        notes = store.mend()
        log = DecisionLog(request.decisions or store.path / DECISIONS_FILE)
        if not request.decisions:
            notes += store.secure_log()
        known = (0, 0) if request.decisions else log.last_ids()
        settings = _Settings(
            codebook=load_codebook(request.store, request.codebook, request.decisions),
            speakers=read.load_speakers(request.speakers),
            events=read.load_events(request.events),
            decisions=load_decisions(store, request.decisions),
            corrections=load_corrections(log),
            known=known,
        )
        previous, is_whole, damage_notes = _load_previous_manifest(store)
        notes += (*damage_notes, *settings.corrections.refused)
        records = store.load_inputs()
        shown = previous.inputs if previous else ()
        remaining = remove_inputs(records, request.remove, shown)
        ingested = ingest(store, request.inputs, request.columns, remaining, progress, request.date_from_name, engine)
        encoder = encoder or load_store_encoder(store, request.model, request.variant)
        classifiers = load_classifiers(settings.codebook, encoder, store, progress, store.path / CLASSIFIER_FILE)
        notice = _choose_notice(ingested.records)
        parameters = make_parameters(settings.codebook, settings.decisions, encoder, classifiers, request.threshold)
        fingerprint = _compute_fingerprint(settings, ingested.records, parameters, notice)
        _check_expected(request, fingerprint)
        used = (encoder, *(trained.classifier for trained in classifiers))
        damage = tuple(note for one in used for note in mend_vectors(store, one))
        notes += damage
        same = previous if previous and is_whole and previous.fingerprint == fingerprint else None
        is_empty = not ingested.readable and not records
        if same and known > (same.decided, same.edited):  # nothing in them changes the snapshot
            store.put_manifest(replace(same, decided=known[0], edited=known[1]))
        if is_empty or (same and not damage and not store.count_missing_vectors(same.snapshot_id)[0]):
            return _make_report(previous, ingested, (), started, unchanged=True, notes=notes)

        notes += mend_rows(store, ingested.records)
        corpus = parse_corpus(
            store, ingested.records, settings.speakers, encoder.languages, progress, settings.corrections, engine
        )
        notes += corpus.notes
        vectors = store.vectors(encoder.name, encoder.variant, encoder.dimension)
        embed = Embedder(engine.spread(encoder), vectors, progress)
        embed.add(_list_texts(settings, corpus))
        embed.release()
        if same:  # only vectors were missing
            return _make_report(same, ingested, corpus.displaced, started, unchanged=True, notes=notes, embed=embed)

        kept = KeptArrays(store.load_arrays, store.save_arrays)
        matching = train_matcher(
            settings.codebook, settings.decisions, embed, encoder.name, classifiers, request.threshold, kept
        )
        match_block = engine.match(matching, [p.text for p in corpus.statements], embed, fingerprint, progress)
        matched = assign_narratives(matching, corpus.statements, match_block, progress)
        for trained in classifiers:
            trained.outputs.release()
        assignments = matched.assignments
        earlier, earlier_positions, losses = _load_previous_content(store, previous)
        notes += losses
        search, scorer = discover.NeighbourSearch(kept), load_claim_scorer(discover.KeptScores(kept))
        targets = discover.DiscoveryTargets(earlier, settings.codebook, scorer, search)
        clusters = discover.discover_clusters(
            targets, corpus.documents, corpus.originals, assignments, embed.load, progress
        )
        assignments += discover.assign_members(clusters, corpus.statements, corpus.copies)
        positions = _project_statements(earlier_positions, corpus.originals, embed, search, progress)

        progress("writing", 0, None)
        analysis = _Analysis(matching.thresholds, matched, clusters, earlier, positions)
        content = _make_content(settings, ingested.records, corpus, analysis, parameters, fingerprint, notice)
        manifest = store.manifest(store.write_snapshot(content, published=DATA_FOLDER / "quality.json"))
        keep_codebook(store.path, request.codebook)
        return _make_report(manifest, ingested, corpus.displaced, started, unchanged=False, notes=notes, embed=embed)


@dataclass(frozen=True, slots=True)
class _Settings:
    """The settings of a build: codebook, speakers, events, decisions and corrections.

    `known` are the ids of the last decision and edit of the store's log.
    """

    codebook: Codebook
    speakers: tuple[Speaker, ...]
    events: tuple[Event, ...]
    decisions: list[Decision]
    corrections: Corrections
    known: tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Analysis:
    """The results of matching and discovery; clusters keep their ids from the `earlier` snapshot."""

    thresholds: Mapping[str, float]
    matched: MatchedStatements
    clusters: tuple[Cluster, ...]
    earlier: PreviousSnapshot
    positions: Mapping[str, tuple[float, float]]


def _load_previous_manifest(store: Store) -> tuple[SnapshotManifest | None, bool, tuple[str, ...]]:
    """Return the manifest of the current snapshot, whether that is whole, and notes.

    A damaged snapshot does not stop the build, which uses the stored inputs. The whole snapshot before it then takes
    its place, so that the damaged one is made again with the same ids; None if there is none. A snapshot without an
    evaluation (its build was killed just before the end) gets one.
    """
    current = snapshot_id = store.current() or ""
    reason, tried = "", set()
    while snapshot_id and snapshot_id not in tried:
        tried.add(snapshot_id)
        try:
            manifest = store.check(snapshot_id)
            BuildCounts(**manifest.counts)
        except StoreError as error:
            reason = reason or f"expected {error.expected}; got {error.got}"
        except TypeError as error:
            reason = reason or f"its counts are not those of a build ({error})"
        else:
            if snapshot_id != current:
                return manifest, False, _note_damage(reason, f"from the snapshot {snapshot_id} before it")
            store.supply_quality(manifest, DATA_FOLDER / "quality.json")
            return manifest, True, ()
        snapshot_id = store.find_predecessor(snapshot_id)
    return None, False, _note_damage(reason) if reason else ()


def _note_damage(reason: str, start: str = "without a previous snapshot") -> tuple[str, ...]:
    note = f"The current snapshot is damaged, so this build starts {start}: {reason}."
    log.warning(note)
    return (note,)


def _check_expected(request: BuildRequest, fingerprint: str) -> None:
    if request.expected not in ("", fingerprint):
        hint = "Run `build` with the codebook, speakers, events and other options of the last build."
        raise StoreError("the inputs, settings and decisions of the current snapshot", "others", hint)


def _load_previous_content(
    store: Store, previous: SnapshotManifest | None
) -> tuple[PreviousSnapshot, Mapping[str, tuple[float, float]], tuple[str, ...]]:
    """Return the content of the previous snapshot, its map, and notes; empty if there is none to read."""
    if previous is not None:
        try:
            with closing(open_snapshot(store.path, previous.snapshot_id)) as snapshot:
                return snapshot.make_previous(), map_queries.query_positions(snapshot), ()
        except StoreError as error:  # it was intact when the build began
            return PreviousSnapshot(), {}, _note_damage(f"expected {error.expected}; got {error.got}")
    return PreviousSnapshot(), {}, ()


def load_decisions(store: Store, named: Path | None) -> list[Decision]:
    """Return the current decisions of the log `named`, or else of the store's own log.

    Raises ConfigError if the log `named` does not exist.
    """
    if named and not named.exists():
        raise ConfigError(f"a decisions log at {named}", "no file", "Make it with `review import`.")
    return DecisionLog(named or store.path / DECISIONS_FILE).current()


def _choose_notice(records: Iterable[InputRecord]) -> str:
    return SAMPLE_NOTICE if any(record.path.is_relative_to(SAMPLE_FOLDER) for record in records) else ""


def _compute_fingerprint(
    settings: _Settings, records: Sequence[InputRecord], parameters: Mapping[str, str], notice: str
) -> str:
    """Hash everything that the content of a snapshot depends on."""
    terms = (
        [__version__, parse.PARSER_VERSION, METHOD_VERSION, SCHEMA_VERSION],
        [parameters["model"], parameters["variant"], notice],
        [(record.source_path, record.keys) for record in records],
        [
            *(repr(part) for part in (settings.codebook.narratives, settings.speakers, settings.events)),
            parameters["decisions"],
        ],
        [parameters.get("classifier", ""), parameters.get("threshold", "")],
        *([[settings.corrections.digest]] if settings.corrections.digest else []),
    )
    return hashlib.sha256(json.dumps(terms).encode()).hexdigest()


def _list_texts(settings: _Settings, corpus: Corpus) -> Iterable[Text]:
    """List every text whose vector the build needs, so that all are encoded together."""
    decided = sorted({decision.text for decision in settings.decisions})
    return chain(
        discover.ROUTINE_TEXTS,
        *([*n.statements, *n.contrasts] for n in settings.codebook.narratives),
        (p.text for p in corpus.statements),
        chain.from_iterable(model.split_sentences(p.text) for p in corpus.statements),
        decided,
        chain.from_iterable(map(model.split_sentences, decided)),
    )


def _project_statements(
    before: Mapping[str, tuple[float, float]],
    originals: Sequence[Paragraph],
    embed: Embedder,
    search: discover.NeighbourSearch,
    progress: Progress,
) -> dict[str, tuple[float, float]]:
    """Place every original statement on the map, starting from the positions in the previous snapshot."""
    progress("drawing the map", 0, None)
    ids = [p.paragraph_id for p in originals]
    positions = discover.project_to_map(embed.load([p.text for p in originals]), ids, before, search)
    return {key: (float(x), float(y)) for key, (x, y) in zip(ids, positions, strict=True)}


def _make_content(
    settings: _Settings,
    records: tuple[InputRecord, ...],
    corpus: Corpus,
    analysis: _Analysis,
    parameters: Mapping[str, str],
    fingerprint: str,
    notice: str,
) -> SnapshotContent:
    return SnapshotContent(
        documents=corpus.documents,
        rejected=corpus.rejected,
        copies=corpus.copies,
        statements={p.paragraph_id for p in corpus.statements},
        assignments=analysis.matched.assignments,
        probabilities=analysis.matched.probabilities,
        rest=analysis.matched.rest,
        narratives=settings.codebook,
        thresholds=analysis.thresholds,
        clusters=analysis.clusters,
        predecessor=analysis.earlier.snapshot_id,
        lineage=discover.trace_lineage(analysis.clusters, settings.codebook, analysis.earlier),
        layout=analysis.positions,
        events=settings.events,
        speakers=settings.speakers,
        inputs=records,
        fingerprint=fingerprint,
        versions={"narratives": __version__, **{name: metadata.version(name) for name in VERSIONED_PACKAGES}},
        parameters=parameters,
        counts=asdict(_count_contents(corpus, analysis)),
        model=parameters["model"],
        variant=parameters["variant"],
        notice=notice,
        decided=settings.known[0],
        edited=settings.known[1],
    )


def _count_contents(corpus: Corpus, analysis: _Analysis) -> BuildCounts:
    assigned_ids: dict[str, set[str]] = {"codebook": set(), "discovered": set()}
    for assignment in analysis.matched.assignments:
        if assignment.status != "rejected":
            assigned_ids[assignment.origin].add(assignment.paragraph_id)
    documents, clusters = corpus.documents, analysis.clusters
    ids = {p.paragraph_id for p in corpus.originals}
    assigned, grouped = ids & assigned_ids["codebook"], ids & assigned_ids["discovered"]
    return BuildCounts(
        documents=len(documents),
        rejected=len(corpus.rejected),
        undated=sum(not d.date for d in documents),
        boilerplate=sum(d.boilerplate for d in documents),
        paragraphs=sum(len(d.paragraphs) for d in documents),
        copies=len(corpus.copies),
        statements=len(ids),
        not_matched_language=corpus.unread,
        assigned=len(assigned),
        candidates_only=len(grouped - assigned),
        unassigned=len(ids - assigned - grouped),
        clusters=sum(not c.cluster_id.startswith(THEME_PREFIX) for c in clusters),
        candidates=sum(c.is_candidate for c in clusters),
    )


def _make_report(
    manifest: SnapshotManifest | None,
    ingested: IngestResult,
    displaced: Sequence[Rejected],
    started: float,
    *,
    unchanged: bool,
    notes: Sequence[str],
    embed: Embedder | None = None,
) -> BuildReport:
    """Make the report of a build. Problems of the named inputs are reported even if nothing has changed."""
    named = {record.source_path for record in ingested.named}
    # A named input may displace a document of any other input, so all displaced documents are reported.
    rejected = {*ingested.rejected, *displaced}
    return BuildReport(
        snapshot=manifest.snapshot_id if manifest else "",
        unchanged=unchanged and manifest is not None,
        inputs_named=len({*named, *(r.source_path for r in ingested.rejected)}),
        inputs_readable=ingested.readable,
        inputs_skipped=ingested.unchanged,
        rejected=tuple(sorted(rejected, key=lambda r: (r.source_path, r.row, r.reason))),
        counts=BuildCounts(**manifest.counts) if manifest else None,
        encoded=embed.encoded if embed else 0,
        reused=embed.reused if embed else 0,
        seconds=time.monotonic() - started,
        skipped=ingested.skipped,
        absent=ingested.absent,
        unused=ingested.unused,
        notes=(*notes, *ingested.notes),
    )
