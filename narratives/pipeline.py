"""The whole method in order: from inputs to a snapshot. Every step is a function of one room."""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib import metadata
from itertools import chain
from pathlib import Path

import numpy as np

from narratives import __version__, parse, read, track
from narratives.intake import Intake, take_in
from narratives.model import (
    Assignment,
    BuildReport,
    Cluster,
    Codebook,
    Counts,
    Document,
    Earlier,
    Paragraph,
    Progress,
    RawDocument,
    Rejected,
    StoreError,
    silent,
)
from narratives.store import (
    InputRecord,
    Manifest,
    SnapshotContent,
    Store,
    VectorFile,
    map_queries,
    open_snapshot,
)

log = logging.getLogger(__name__)

DATA = Path(__file__).resolve().parent.parent / "data"
SAMPLE = DATA / "sample"
SAMPLE_NOTICE = "sample: paraphrased, not quoted; hand-picked, not representative"
VERSIONED = (
    "torch",
    "sentence-transformers",
    "numpy",
    "scikit-learn",
    "scikit-network",
    "opentsne",
    "duckdb",
)
MATCH_BLOCK = 4096


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """What a person asked a build to do. `columns` maps our field names to theirs."""

    inputs: tuple[str, ...]
    store: Path
    codebook: Path = DATA / "codebook.toml"
    speakers: Path = DATA / "speakers.toml"
    events: Path = DATA / "events.toml"
    model: str = ""
    remove: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)


def build(request: BuildRequest, progress: Progress = silent) -> BuildReport:
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
        previous = _sound(store)
        held = store.held()
        intake = take_in(store, request.inputs, request.remove, request.columns, held, progress)
        encoder = _encoder(store, request.model)
        notice = SAMPLE_NOTICE if any(r.path.is_relative_to(SAMPLE) for r in intake.ledger) else ""
        fingerprint = _digest(
            [__version__, encoder.name, encoder.variant, notice],
            [(r.source_path, r.hash) for r in intake.ledger],
            [repr(codebook.narratives), repr(speakers), repr(events)],
        )
        nothing_at_all = not intake.readable and not held
        if nothing_at_all or (previous and previous.fingerprint == fingerprint):
            return _report(previous, intake, (), started, unchanged=True)

        documents, rejected, displaced = _parse(store, intake.ledger, parse.Roster(speakers), progress)
        progress("finding copies", 0, None)
        copies = parse.find_copies(documents)
        standing = parse.find_boilerplate(documents)
        paragraphs = [p for d in documents for p in d.paragraphs if p.paragraph_id not in standing]
        statements = [p for p in paragraphs if parse.is_statement(p, encoder.languages)]
        originals = [p for p in statements if p.paragraph_id not in copies]

        embed = Embedder(encoder, store.vectors(encoder.name, encoder.variant, encoder.dimension), progress)
        windows = [track.windows(p.text) for p in statements]
        embed.add(
            chain(_fixed_texts(codebook), (p.text for p in statements), chain.from_iterable(windows)),
        )

        assignments = _match(codebook, statements, windows, embed, progress)
        earlier = _earlier(store, previous)
        passages = {p.paragraph_id: of for p, of in zip(statements, windows, strict=True)}
        clusters = _cluster(earlier, codebook, documents, originals, passages, assignments, embed, progress)
        assignments += _memberships(clusters, statements, copies)
        places = _lay_out(store, previous, originals, embed, progress)

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
                clusters=clusters,
                predecessor=earlier.snapshot_id,
                lineage=track.lineage(clusters, codebook, earlier),
                layout=places,
                events=events,
                speakers=speakers,
                inputs=intake.ledger,
                fingerprint=fingerprint,
                versions={"narratives": __version__, **{name: metadata.version(name) for name in VERSIONED}},
                parameters={"model": encoder.name, "variant": encoder.variant, "codebook": codebook.digest},
                counts=asdict(_count(documents, rejected, copies, originals, assignments, clusters, unread)),
                model=encoder.name,
                variant=encoder.variant,
                notice=notice,
            )
        )
        store.inherit_quality(snapshot, previous, DATA / "quality.json")
        return _report(store.manifest(snapshot), intake, displaced, started, unchanged=False, embed=embed)


def _sound(store: Store) -> Manifest | None:
    """The manifest of the current snapshot, None where there is none that can be opened.

    A damaged one is no reason to stop: it is built anew from the ledger.
    """
    try:
        current = store.current()
        if current is None:
            return None
        open_snapshot(store.path, current).close()
        return store.manifest(current)
    except StoreError as error:
        log.warning("The current snapshot cannot be used and is built anew. %s", error)
        return None


def _earlier(store: Store, previous: Manifest | None) -> Earlier:
    """What the snapshot before this one held, empty for the first."""
    if previous is None:
        return Earlier()
    snapshot = open_snapshot(store.path, previous.snapshot_id)
    try:
        return snapshot.earlier()
    finally:
        snapshot.close()


def _encoder(store: Store, model: str) -> track.Encoder:
    """The model in the variant that the store began with, so that scores do not move with the machine."""
    encoder = track.load_encoder(model)
    kept = store.variant(encoder.name)
    return encoder if kept in (None, encoder.variant) else track.load_encoder(model, kept)


class Embedder:
    """Vectors of texts: from the vector file where it has them, else from the encoder, kept at once.

    `encoded` and `reused` count different texts: those that this build encoded, and those it did not need to.
    """

    def __init__(self, encoder: track.Encoder, vectors: VectorFile, progress: Progress) -> None:
        self.encoder, self.encoded, self.reused = encoder, 0, 0
        self._vectors, self._progress = vectors, progress
        self._asked: set[str] = set()

    def add(self, texts: Iterable[str]) -> None:
        """Encode what the file lacks, a batch at a time; stopped between two batches, it loses nothing."""
        different = [text for text in dict.fromkeys(texts) if text not in self._asked]
        if not different:
            return
        self._asked.update(different)
        missing = self._vectors.missing(different)
        self.reused += len(different) - len(missing)
        done = 0
        self._progress("encoding", done, len(missing))
        for indices, rows in self.encoder.encode(missing) if missing else ():
            self._vectors.append([missing[i] for i in indices], rows)
            done += len(indices)
            self._progress("encoding", done, len(missing))
        self.encoded += done

    def __call__(self, texts: Sequence[str]) -> track.Vectors:
        """Unit vectors of the texts, (n, dimension) float32, in their order."""
        self.add(texts)
        return self._vectors.get(texts)


def _digest(*terms: object) -> str:
    return hashlib.sha256(json.dumps(terms).encode()).hexdigest()


def _parse(
    store: Store, ledger: Sequence[InputRecord], roster: parse.Roster, progress: Progress
) -> tuple[list[Document], list[Rejected], list[Rejected]]:
    """Every document of the ledger once, by id; of two with one id the first by path and row is kept.

    Returns the documents by id, all that was rejected, and those of it that another document displaced.
    """
    documents: dict[str, Document] = {}
    rejected: list[Rejected] = []
    displaced: list[Rejected] = []
    for record in ledger:
        for row in store.get_input(record.hash):
            if isinstance(row, RawDocument):
                document = parse.parse_document(replace(row, source_path=record.source_path), roster)
                first = documents.setdefault(document.document_id, document)
                if first is document:
                    progress("parsing", len(documents), None)
                    continue
                same = [p.text for p in document.paragraphs] == [p.text for p in first.paragraphs]
                what = "the same document as" if same else "another document with the identity of"
                reason = (
                    f"{what} {first.source_path}, row {first.row}, which is kept (identity: id, else url)"
                )
                row = Rejected(record.source_path, document.row, reason)
                displaced.append(row)
            rejected.append(replace(row, source_path=record.source_path))
    return [documents[key] for key in sorted(documents)], rejected, displaced


def _fixed_texts(codebook: Codebook) -> Iterable[str]:
    """The texts that the method compares with, encoded in one go with the others."""
    return chain(
        track.ROUTINE,
        chain.from_iterable(track.PAIRS),
        *([*(n.exemplars or (n.definition,)), *n.contrasts] for n in codebook.narratives),
    )


def _match(
    codebook: Codebook,
    statements: Sequence[Paragraph],
    windows: Sequence[Sequence[str]],
    embed: Embedder,
    progress: Progress,
) -> list[Assignment]:
    """Every statement, copies included, against every narrative; in blocks, so that memory stays bounded."""
    background = track.load_background(DATA / "background.npz")
    if background.model != embed.encoder.name:
        background = track.make_background(_ordinary(), embed, embed.encoder.name)
    matcher = track.fit_matcher(codebook, embed, background)
    found: list[Assignment] = []
    for start in range(0, len(statements), MATCH_BLOCK):
        progress("matching", start, len(statements))
        block = statements[start : start + MATCH_BLOCK]
        of_block = windows[start : start + MATCH_BLOCK]
        texts = [p.text for p in block]
        ends = np.cumsum([len(w) for w in of_block])
        window_rows = np.split(embed(list(chain.from_iterable(of_block))), ends[:-1])
        result = matcher.match(texts, embed(texts), window_rows)
        found += [
            Assignment(
                paragraph_id=block[row].paragraph_id,
                narrative_id=matcher.narrative_ids[column],
                score=round(float(result.scores[row, column]), 3),
                exemplar=matcher.statements[column][result.best_exemplar[row, column]],
                sentence=of_block[row][result.best_window[row, column]],
            )
            for row, column in zip(*np.nonzero(matcher.advances(result.scores)), strict=True)
        ]
    progress("matching", len(statements), len(statements))
    return found


def _ordinary() -> list[str]:
    """The sample's paragraphs that advance no narrative: the background of models other than the bundled."""
    paragraphs = chain.from_iterable(
        json.loads(line)["paragraphs"]
        for path in sorted(SAMPLE.glob("*.jsonl"))
        for line in path.read_text("utf-8").splitlines()
    )
    return sorted(p["text"] for p in paragraphs if not p["advances"])


def _cluster(
    earlier: Earlier,
    codebook: Codebook,
    documents: Sequence[Document],
    originals: Sequence[Paragraph],
    passages: Mapping[str, Sequence[str]],
    assignments: Sequence[Assignment],
    embed: Embedder,
    progress: Progress,
) -> tuple[Cluster, ...]:
    """Topics and claims of the original statements, aligned with the codebook; topics keep their ids."""
    progress("clustering", 0, None)
    if not originals:
        return ()
    dates = {d.document_id: d.date for d in documents}
    statements = track.Statements(
        ids=[p.paragraph_id for p in originals],
        texts=[p.text for p in originals],
        document_ids=[p.document_id for p in originals],
        dates=[dates[p.document_id] for p in originals],
        vectors=embed([p.text for p in originals]),
    )
    assigned: dict[str, set[str]] = {}
    for a in assignments:
        assigned.setdefault(a.paragraph_id, set()).add(a.narrative_id)
    alignment = track.Alignment(
        narrative_ids=[n.id for n in codebook.narratives],
        centroids=np.stack([_centroid(embed(n.exemplars or (n.definition,))) for n in codebook.narratives]),
        assigned=assigned,
    )
    labels = track.cluster(statements.ids, statements.vectors)
    routine = embed(track.ROUTINE)
    topics = track.describe(statements, labels, alignment, routine)
    before = {m: key for key, of in earlier.members.items() if key.startswith(track.TOPIC) for m in of}
    progress("finding claims", 0, None)
    claims = track.find_claims(statements, [passages[key] for key in statements.ids], assigned, embed)
    found = track.describe_claims(statements, claims, alignment, routine, embed([c.text for c in claims]))
    return (*track.keep_ids(topics, before), *found)


def _lay_out(
    store: Store,
    previous: Manifest | None,
    originals: Sequence[Paragraph],
    embed: Embedder,
    progress: Progress,
) -> dict[str, tuple[float, float]]:
    """Every original statement's place on the map, which goes on from the previous snapshot's."""
    progress("drawing the map", 0, None)
    ids = [p.paragraph_id for p in originals]
    before: Mapping[str, tuple[float, float]] = {}
    if previous:
        snapshot = open_snapshot(store.path, previous.snapshot_id)
        try:
            before = map_queries.places(snapshot)
        finally:
            snapshot.close()
    found = track.layout(embed([p.text for p in originals]), ids, before)
    return {key: (float(x), float(y)) for key, (x, y) in zip(ids, found, strict=True)}


def _centroid(vectors: track.Vectors) -> track.Vectors:
    mean: track.Vectors = vectors.mean(axis=0)
    return mean / np.linalg.norm(mean)


def _memberships(
    clusters: Iterable[Cluster], statements: Sequence[Paragraph], copies: Mapping[str, str]
) -> list[Assignment]:
    """The members that advance the claim of a discovered candidate, scored by their nearness to it.

    A copy belongs where its original does.
    """
    known = {p.paragraph_id for p in statements}
    repeats: dict[str, list[str]] = {}
    for copy, original in copies.items():
        if copy in known:
            repeats.setdefault(original, []).append(copy)
    found: list[Assignment] = []
    for cluster in clusters:
        if not cluster.is_candidate:
            continue
        for member, score in cluster.fits:
            for paragraph_id in [member, *repeats.get(member, ())]:
                found.append(Assignment(paragraph_id, cluster.cluster_id, score, origin="discovered"))
    return found


def _count(
    documents: Sequence[Document],
    rejected: Sequence[Rejected],
    copies: Mapping[str, str],
    originals: Sequence[Paragraph],
    assignments: Iterable[Assignment],
    clusters: Sequence[Cluster],
    not_matched_language: int,
) -> Counts:
    claimed: dict[str, set[str]] = {"codebook": set(), "discovered": set()}
    for a in assignments:
        claimed[a.origin].add(a.paragraph_id)
    ids = {p.paragraph_id for p in originals}
    assigned, grouped = ids & claimed["codebook"], ids & claimed["discovered"]
    return Counts(
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


def _report(
    manifest: Manifest | None,
    intake: Intake,
    displaced: Sequence[Rejected],
    started: float,
    *,
    unchanged: bool,
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
        counts=Counts(**manifest.counts) if manifest else None,
        encoded=embed.encoded if embed else 0,
        reused=embed.reused if embed else 0,
        seconds=time.monotonic() - started,
    )
