"""The command line: `python -m narratives build | fetch | export | brief | review | evaluate | status`."""

from __future__ import annotations

import argparse
import getpass
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import get_args

from tqdm import tqdm

from narratives import __version__, brief, measure, read
from narratives.evaluation import Annotation, EvaluationRequest, evaluate
from narratives.model import (
    BuildReport,
    ConfigError,
    Copies,
    Granularity,
    LabelledText,
    NarrativesError,
    Progress,
    Rejected,
    Slice,
    StoreBusyError,
    Unit,
    UsageError,
    Voice,
)
from narratives.pipeline import BuildRequest, build
from narratives.read import web
from narratives.shipped import DATA
from narratives.store import DECISIONS, DEFAULT_COPIES, TABLES, DecisionLog, Store, export, verify

EXIT_NOTHING_READ, EXIT_USAGE, EXIT_BUSY, EXIT_STOPPED = 1, 2, 3, 130
REJECTED_SHOWN = 20
UNITS = {"encoding": " texts", "fetching": " pages"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status is 0, 1 (nothing could be read or done), 2 (wrong usage), 3 (busy)."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except KeyboardInterrupt:
        print("\nStopped. Nothing is lost: the same command goes on where this one was.", file=sys.stderr)
        return EXIT_STOPPED
    except BrokenPipeError:
        # The reader of a pipe went away (`| head`): not our error, and there is nobody left to tell.
        sys.stderr.close()
        return 0
    except NarrativesError as error:
        print(f"narratives: {error}", file=sys.stderr)
        if isinstance(error, UsageError | ConfigError):
            return EXIT_USAGE
        return EXIT_BUSY if isinstance(error, StoreBusyError) else EXIT_NOTHING_READ


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="narratives", description="Track recurring narratives in official statements and media."
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    command = commands.add_parser("build", help="read inputs and write a new snapshot of the store")
    add = command.add_argument
    add("inputs", nargs="*", metavar="INPUT", help="files, folders or globs")
    _add_store(command)
    add("--codebook", type=Path, default=DATA / "codebook.toml", metavar="F", help="narratives to match")
    add("--speakers", type=Path, default=DATA / "speakers.toml", metavar="F", help="names, aliases, roles")
    add("--events", type=Path, default=DATA / "events.toml", metavar="F", help="dated events to mark")
    add("--decisions", type=Path, metavar="F", help="a decisions log; default: the store's own")
    add("--model", default="", metavar="PATH_OR_NAME", help="a sentence-transformers model")
    add("--remove", action="append", default=[], metavar="PATH", help="take a file or folder out again")
    add("--map", action="append", default=[], type=_pair, metavar="OURS=THEIRS", help="as in text=body")
    add("--progress", choices=("bar", "json", "none"), default="bar", help="how to show it on stderr")
    command.set_defaults(run=_build)

    command = commands.add_parser("fetch", help="fetch pages from the web into a folder that build reads")
    add = command.add_argument
    add(
        "source",
        metavar="SOURCE",
        help="kremlin; the address of a sitemap, feed or page; a file of addresses",
    )
    add("--from", dest="date_from", default="", metavar="D", help="2016, 2016-11 or 2016-11-10")
    add("--to", dest="date_to", default="", metavar="D", help="inclusive")
    add("--into", type=Path, default=Path("fetched"), metavar="DIR", help="where the pages are kept")
    add("--allow-host", action="append", default=[], metavar="H", help="host or host:port to ask as well")
    add("--contact", default="", metavar="URL_OR_EMAIL", help="where the hosts' keepers may turn to")
    add("--progress", choices=("bar", "json", "none"), default="bar", help="how to show it on stderr")
    command.set_defaults(run=_fetch)

    command = commands.add_parser("export", help="write a table as CSV, JSONL or Parquet")
    add = command.add_argument
    add("table", choices=TABLES)
    _add_store(command)
    add("--out", type=Path, metavar="F", help="F.csv, F.jsonl or F.parquet; without it CSV is printed")
    _add_slice(command)
    add("--copies", choices=get_args(Copies), default="", help="default: all, but originals in prevalence")
    command.set_defaults(run=_export)

    command = commands.add_parser("brief", help="write a one-page brief of a slice as one HTML file")
    add = command.add_argument
    _add_store(command)
    add("--out", type=Path, metavar="F", help="F.html; without it the page is printed")
    _add_slice(command)
    add("--copies", choices=get_args(Copies), default="originals")
    command.set_defaults(run=_brief)

    command = commands.add_parser("review", help="take decisions into the log, or write them out")
    add = command.add_argument
    add("action", choices=("import", "export"))
    add("file", type=Path, metavar="F.jsonl", help="rows {text, labels, disputed}")
    _add_store(command)
    add("--decisions", type=Path, metavar="F", help="a decisions log; default: the store's own")
    add("--codebook", type=Path, default=DATA / "codebook.toml", metavar="F", help="narratives to decide on")
    add("--who", default="", metavar="NAME", help="who decided; default: your login name")
    command.set_defaults(run=_review)

    command = commands.add_parser("evaluate", help="measure the matching against labelled paragraphs")
    add = command.add_argument
    add("--gold", type=Path, required=True, metavar="F.jsonl", help="rows {text, labels, disputed}")
    _add_store(command)
    add("--decisions", type=Path, metavar="F", help="the log that the build took; default: the store's own")
    add("--codebook", type=Path, default=DATA / "codebook.toml", metavar="F", help="that of the build")
    add("--model", default="", metavar="PATH_OR_NAME", help="that of the build")
    add("--labels-by", choices=get_args(Annotation), default="machine", help="who labelled: for the caveat")
    add("--out", type=Path, metavar="F.json", help="also write the figures to a file")
    add("--progress", choices=("bar", "json", "none"), default="bar", help="how to show it on stderr")
    command.set_defaults(run=_evaluate)

    command = commands.add_parser("status", help="what the store holds, and whether it is whole")
    _add_store(command)
    command.set_defaults(run=_status)
    return parser


def _add_store(command: argparse.ArgumentParser) -> None:
    command.add_argument("--store", type=Path, default=Path("store"), metavar="DIR")


def _add_slice(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("--as-of", default="", metavar="SNAPSHOT", help="an older snapshot")
    for name in ("speaker", "outlet", "narrative"):
        add(f"--{name}", action="append", default=[], metavar=name[0].upper(), help="may be repeated")
    add("--from", dest="date_from", default="", metavar="D", help="2016, 2016-11 or 2016-11-10")
    add("--to", dest="date_to", default="", metavar="D", help="inclusive")
    add("--voice", action="append", default=[], choices=get_args(Voice), help="may be repeated")
    add("--by", choices=get_args(Granularity), default="year")
    add("--unit", choices=get_args(Unit), default="paragraph")


def _pair(text: str) -> tuple[str, str]:
    ours, sign, theirs = text.partition("=")
    if not (sign and ours and theirs):
        raise argparse.ArgumentTypeError(f"expected OURS=THEIRS, such as text=body; got {text!r}")
    if ours not in read.FIELDS:
        raise argparse.ArgumentTypeError(
            f"expected one of {', '.join(read.FIELDS)} before the =; got {ours!r}"
        )
    return ours, theirs


def _build(options: argparse.Namespace) -> int:
    if not options.inputs and not options.remove and not Store(options.store).held():
        got = f"neither, and nothing in {options.store} to build anew"
        raise UsageError("at least one INPUT or --remove PATH", got, "Name files, folders or globs.")
    request = BuildRequest(
        inputs=tuple(options.inputs),
        store=options.store,
        codebook=options.codebook,
        speakers=options.speakers,
        events=options.events,
        model=options.model,
        remove=tuple(options.remove),
        columns=dict(options.map),
        decisions=options.decisions,
    )
    with _progress(options.progress) as progress:
        report = build(request, progress)
    if options.progress == "json":
        print(json.dumps({"report": asdict(report)}), file=sys.stderr, flush=True)
    _print_report(report)
    return EXIT_NOTHING_READ if options.inputs and not report.inputs_readable else 0


@contextmanager
def _progress(kind: str) -> Iterator[Progress]:
    """Progress on stderr: a bar with rate and time left, or one JSON object a line for other programs."""
    bar: tqdm[None] | None = None

    def show_bar(stage: str, done: int, total: int | None) -> None:
        nonlocal bar
        if bar is None or bar.desc != stage:
            if bar is not None:
                bar.close()
            bar = tqdm(desc=stage, total=total, unit=UNITS.get(stage, ""), dynamic_ncols=True)
        bar.total = total
        bar.update(done - bar.n)

    def show_json(stage: str, done: int, total: int | None) -> None:
        print(json.dumps({"stage": stage, "done": done, "total": total}), file=sys.stderr, flush=True)

    def show_nothing(stage: str, done: int, total: int | None) -> None: ...

    try:
        yield {"bar": show_bar, "json": show_json, "none": show_nothing}[kind]
    finally:
        if bar is not None:
            bar.close()


def _print_report(report: BuildReport) -> None:
    for rejected in report.rejected[:REJECTED_SHOWN]:
        place = f"{rejected.source_path}, row {rejected.row}" if rejected.row else rejected.source_path
        print(f"  rejected {place}: {rejected.reason}")
    if len(report.rejected) > REJECTED_SHOWN:
        print(f"  … and {len(report.rejected) - REJECTED_SHOWN} more: `export documents` lists them all.")
    if report.counts is None:
        print("Nothing could be read, so nothing was written.")
        return
    print("This build:")
    _print_table(
        {
            "inputs named": report.inputs_named,
            "inputs readable": report.inputs_readable,
            "inputs unchanged": report.inputs_skipped,
            "rejected": len(report.rejected),
            "texts encoded": report.encoded,
            "texts reused": report.reused,
        }
    )
    print("The store now holds:")
    _print_table({name.replace("_", " "): count for name, count in asdict(report.counts).items()})
    state = "as it was: nothing to add" if report.unchanged else "new"
    print(f"snapshot {report.snapshot} ({state}) in {report.seconds:.1f} s")


def _print_rejected(rejected: Sequence[Rejected]) -> None:
    for one in rejected[:REJECTED_SHOWN]:
        place = f"{one.source_path}:{one.row}" if one.row else one.source_path
        print(f"  rejected {place}: {one.reason}")
    if len(rejected) > REJECTED_SHOWN:
        print(f"  … and {len(rejected) - REJECTED_SHOWN} more rejected")


def _print_table(rows: Mapping[str, int]) -> None:
    width = max(map(len, rows))
    for name, count in rows.items():
        print(f"  {name:<{width}}  {count:>9,}")


def _fetch(options: argparse.Namespace) -> int:
    request = web.FetchRequest(
        source=options.source,
        into=options.into,
        date_from=options.date_from,
        date_to=options.date_to,
        allow_hosts=tuple(options.allow_host),
        contact=options.contact,
    )
    with _progress(options.progress) as progress:
        report = web.fetch(request, progress)
    for failure in report.failures:
        print(f"  failed {failure.url}: {failure.reason}")
    listed = {"outside the dates": report.outside, "listed": report.listed}
    _print_table({**listed, **report.counts, "failed": len(report.failures)})
    print(f"{report.had} pages of this source are in {report.into} after {report.seconds:.1f} s")
    return 0 if report.had else EXIT_NOTHING_READ


def _slice(options: argparse.Namespace, copies: Copies) -> Slice:
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


def _export(options: argparse.Namespace) -> int:
    view = _slice(options, options.copies or DEFAULT_COPIES[options.table])
    written = export(options.store, options.table, view, options.out, measure.with_share, as_of=options.as_of)
    if options.out is None:
        sys.stdout.write(written)
    else:
        print(f"{options.out}", file=sys.stderr)
    return 0


def _brief(options: argparse.Namespace) -> int:
    written = brief.write(options.store, _slice(options, options.copies), options.out, options.as_of)
    if options.out is None:
        sys.stdout.write(written)
    else:
        print(f"{options.out}", file=sys.stderr)
    return 0


def _review(options: argparse.Namespace) -> int:
    log = DecisionLog(options.decisions or options.store / DECISIONS)
    if options.action == "export":
        print(f"{log.export(options.file)} texts in {options.file}")
        return 0
    narratives = [n.id for n in read.load_codebook(options.codebook).narratives]
    rows = list(read.read_labels(options.file, narratives))
    good = [row for row in rows if isinstance(row, LabelledText)]
    _print_rejected([row for row in rows if isinstance(row, Rejected)])
    added = log.add(good, options.who or _login(), f"import of {options.file.name}")
    _print_table({"texts read": len(good), "rows rejected": len(rows) - len(good), "decisions added": added})
    print(f"log       {log.path}")
    return 0 if good else EXIT_NOTHING_READ


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run under a number that has no name
        return f"user {os.getuid()}"


def _evaluate(options: argparse.Namespace) -> int:
    request = EvaluationRequest(
        gold=options.gold,
        store=options.store,
        codebook=options.codebook,
        decisions=options.decisions,
        model=options.model,
        out=options.out,
        annotation=options.labels_by,
    )
    with _progress(options.progress) as progress:
        found = evaluate(request, progress)
    _print_rejected(found.rejected)
    names = ("precision", "recall", "f1", "average_precision")
    print(f"{'':34}{'n':>5}" + "".join(f"{name.replace('_', ' '):>20}" for name in names))
    for row in found.evaluation.rows:
        figures = asdict(row)
        shown = (f"{figures[n]:.2f} ({figures[n + '_low']:.2f}–{figures[n + '_high']:.2f})" for n in names)
        print(f"{row.narrative_id or 'mean':34}{row.support:>5}" + "".join(f"{text:>20}" for text in shown))
    print(found.evaluation.caveat)
    print(found.note or f"kept with snapshot {found.snapshot}")
    return 0


def _status(options: argparse.Namespace) -> int:
    store = Store(options.store)
    current = store.current()
    print(f"store     {options.store}")
    if current is None:
        print("snapshot  none yet: run `python -m narratives build INPUT...`")
        return 0
    problems = verify(options.store, current)
    manifest = store.manifest(current)
    print(f"snapshot  {current}, built {manifest.built_at}, {'whole' if not problems else 'DAMAGED'}")
    for problem in problems:
        print(f"          {problem}")
    if manifest.notice:
        print(f"notice    {manifest.notice}")
    print(f"model     {manifest.model} ({manifest.variant})")
    _print_table({name.replace("_", " "): count for name, count in manifest.counts.items()})
    print(f"inputs    {len(manifest.inputs)}")
    for record in manifest.inputs:
        print(f"          {record.source_path}  ({record.path})")
    older = [m for m in store.snapshots() if m.snapshot_id != current]
    for manifest in older:
        print(f"as of     {manifest.snapshot_id}, built {manifest.built_at}")
    return EXIT_NOTHING_READ if problems else 0


if __name__ == "__main__":
    sys.exit(main())
