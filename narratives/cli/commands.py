"""The function of each command: it makes a request from the options, runs it and returns an exit status."""

from __future__ import annotations

import argparse
import json
import os
import sys
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import NoReturn

from narratives import fetch, measure, read
from narratives.cli.output import (
    echo,
    print_evaluation,
    print_rejected,
    print_report,
    print_spot_checks,
    print_table,
    print_training,
    print_written,
    show_progress,
)
from narratives.cli.store_commands import find_folder
from narratives.model import CopyFilter, LabelledText, Rejected, Slice, StoreError, UsageError
from narratives.model.errors import EXIT_NOTHING_READ
from narratives.read.encoding import decode_text
from narratives.resources import APP
from narratives.store import DECISIONS_FILE, DEFAULT_COPIES, DecisionLog, Store, export_slice
from narratives.workflows import brief, codebook
from narratives.workflows.annotate import AnnotationRequest, annotate
from narratives.workflows.build import BuildRequest, build
from narratives.workflows.evaluate import (
    EvaluationRequest,
    evaluate_matching,
    import_judgements,
    write_spot_check_sample,
)
from narratives.workflows.review import get_login
from narratives.workflows.train import TrainRequest, train


def run_build(options: argparse.Namespace) -> int:
    """Read inputs into a new snapshot. Return 1 if inputs were named and none could be read."""
    if not options.inputs and not options.remove and _is_empty(options.store):
        got = f"neither, and the store {options.store} is empty"
        raise UsageError("at least one INPUT or --remove PATH", got, "Name files, folders or globs.")
    request = BuildRequest(
        inputs=tuple(options.inputs),
        store=options.store,
        codebook=options.codebook or codebook.find_codebook(options.store),
        speakers=options.speakers,
        events=options.events,
        model=options.model,
        remove=tuple(options.remove),
        columns=dict(options.map),
        decisions=options.decisions,
        variant=options.variant,
        threshold=options.threshold,
        date_from_name=options.date_from_name,
        engine=options.engine,
    )
    with show_progress(options.progress) as progress:
        report = build(request, progress)
    if options.progress == "json":
        print(json.dumps({"report": asdict(report)}), file=sys.stderr, flush=True)
    print_report(report, options.store)
    return EXIT_NOTHING_READ if options.inputs and not report.inputs_readable else 0


def _is_empty(path: Path) -> bool:
    with suppress(StoreError):  # the build mends a damaged list
        return not Store(path).load_inputs()
    return False


def run_fetch(options: argparse.Namespace) -> int:
    """Fetch pages into a folder. Return 1 if the folder has no page of the source at the end."""
    request = fetch.FetchRequest(
        source=options.source,
        into=options.into,
        date_from=options.date_from,
        date_to=options.date_to,
        allow_hosts=tuple(options.allow_host),
        contact=options.contact,
    )
    with show_progress(options.progress) as progress:
        report = fetch.fetch_source(request, progress, decode=decode_text)
    for failure in report.failures:
        echo(f"  failed {failure.url}: {failure.reason}")
    listed = {"outside the dates": report.outside, "listed": report.listed}
    print_table({**listed, **report.counts, "failed": len(report.failures)})
    echo(f"{report.archived} pages of this source are in {report.into} ({report.seconds:.1f} s)")
    return 0 if report.archived else EXIT_NOTHING_READ


def run_dashboard(options: argparse.Namespace) -> NoReturn:
    """Serve the dashboard until it is stopped.

    This process becomes the server, so that a signal to stop reaches it and its exit status is this command's.
    """
    environment = dict(os.environ)
    if options.store:
        is_folder = isinstance(options.store, Path)
        environment["NARRATIVES_STORE"] = str(options.store.resolve() if is_folder else options.store)
    command = [sys.executable, "-m", "streamlit", "run", str(APP / "dashboard.py"), "--server.port", str(options.port)]
    os.execve(command[0], command, environment)


def run_export(options: argparse.Namespace) -> int:
    """Write a table of a slice to a file, or print it as CSV."""
    view = _make_slice(options, options.copies or DEFAULT_COPIES[options.table])
    store = find_folder(options.store, options.as_of)
    written = export_slice(store, options.table, view, options.out, measure.add_shares, as_of=options.as_of)
    print_written(written, options.out)
    return 0


def run_brief(options: argparse.Namespace) -> int:
    """Write the brief of a slice to a file, or print it."""
    store = find_folder(options.store, options.as_of)
    written = brief.write_brief(store, _make_slice(options, options.copies), options.out, options.as_of)
    print_written(written, options.out)
    return 0


def run_review(options: argparse.Namespace) -> int:
    """Import decisions into the log, or export them. Return 1 if no row could be imported."""
    log = DecisionLog(options.decisions or options.store / DECISIONS_FILE)
    if options.action == "export":
        echo(f"{log.export(options.file, options.format)} texts written to {options.file}")
        return 0
    narratives = codebook.load_codebook(options.store, options.codebook, options.decisions).narratives
    names = {narrative.id: narrative.name for narrative in narratives}
    rows = list(read.read_labels(options.file, list(names), names))
    texts = [row for row in rows if isinstance(row, LabelledText)]
    print_rejected([row for row in rows if isinstance(row, Rejected)])
    by_annotator: dict[str, list[LabelledText]] = {}
    for text in texts:
        by_annotator.setdefault(options.who or text.who or get_login(), []).append(text)
    added = sum(log.add(own, who, f"import of {options.file.name}") for who, own in by_annotator.items())
    print_table({"texts read": len(texts), "rows rejected": len(rows) - len(texts), "decisions added": added})
    echo(f"log       {log.path}")
    return 0 if texts else EXIT_NOTHING_READ


def run_annotate(options: argparse.Namespace) -> int:
    """Ask a model for verdicts on the review queue. Return 1 if it was asked and gave none."""
    request = AnnotationRequest(
        store=options.store,
        endpoint=options.endpoint,
        model=options.model,
        limit=options.limit,
        decisions=options.decisions,
        timeout=options.timeout,
    )
    with show_progress(options.progress) as progress:
        report = annotate(request, progress)
    print_rejected(report.failures)
    counts = {"pairs asked": report.asked, "verdicts added": report.added, "no verdict": len(report.failures)}
    print_table({**counts, "decided before": report.known})
    for found in report.agreement:
        echo(f"agreement with {found.first}: {found.same} of {found.pairs} pairs, kappa {found.kappa:.2f}")
    echo(f"log       {report.log}")
    return EXIT_NOTHING_READ if report.asked and not report.added else 0


def run_codebook(options: argparse.Namespace) -> int:
    """Make the codebook of a store that of a file, or write it to a file."""
    if options.action == "export":
        written = codebook.export_codebook(options.store, options.file, options.decisions)
        echo(f"{written} narratives written to {options.file}")
        return 0
    why = options.why or f"import of {options.file.name}"
    changes = codebook.import_codebook(options.store, options.file, options.who or get_login(), why, options.decisions)
    for change in changes:
        echo(f"  {codebook.describe_change(change)} {change.narrative_id}")
    echo(f"{len(changes)} narratives changed. The next `narratives build` uses them.")
    return 0


def run_spotcheck(options: argparse.Namespace) -> int:
    """Write a random sample of assignments to a file, or count the verdicts in a file and print the results."""
    if options.action == "draw":
        counts = write_spot_check_sample(options.store, options.file, options.each, options.seed)
        print_table(counts)
        echo(f"{sum(counts.values()):,} assignments written to {options.file}. Fill in the column verdict.")
        return 0
    result = import_judgements(options.store, options.file, options.judged_by)
    print_rejected(result.rejected)
    print_spot_checks(result.checks)
    echo(result.caveat)
    replacing = ", replacing earlier spot checks" if result.replaced else ""
    echo(f"kept with snapshot {result.snapshot}{replacing}")
    return 0


def run_evaluate(options: argparse.Namespace) -> int:
    """Measure the matching on labelled paragraphs and print the figures."""
    request = EvaluationRequest(
        gold=options.gold,
        store=options.store,
        codebook=options.codebook or codebook.find_codebook(options.store),
        decisions=options.decisions,
        model=options.model,
        out=options.out,
        annotation=options.labels_by,
        threshold=options.threshold,
    )
    with show_progress(options.progress) as progress:
        result = evaluate_matching(request, progress)
    print_rejected(result.rejected)
    print_evaluation(result.evaluation)
    echo(result.note or f"kept with snapshot {result.snapshot}")
    return 0


def run_train(options: argparse.Namespace) -> int:
    """Train a classifier on the decisions of a store, and print what was gained."""
    file = options.codebook or codebook.find_codebook(options.store)
    request = TrainRequest(options.store, file, options.decisions, options.model, options.seed)
    with show_progress(options.progress) as progress:
        report = train(request, progress)
    print_training(report)
    return 0


def _make_slice(options: argparse.Namespace, copies: CopyFilter) -> Slice:
    return Slice(
        speakers=tuple(options.speaker),
        outlets=tuple(options.outlet),
        narratives=tuple(options.narrative),
        date_from=options.date_from,
        date_to=options.date_to,
        copies=copies,
        by=options.by,
        unit=options.unit,
        voices=tuple(options.voice),
    )
