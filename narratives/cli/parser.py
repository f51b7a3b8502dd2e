"""The argument parser: every command with its options, their defaults and their types."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import get_args

from narratives import __version__, read
from narratives.cli import commands
from narratives.model import AnnotationSource, CopyFilter, Granularity, Unit, Voice
from narratives.resources import DATA_FOLDER
from narratives.store import EXPORT_TABLES


def make_parser() -> argparse.ArgumentParser:
    """The parser of all commands; the options that it gives carry the command's function as `run`."""
    parser = argparse.ArgumentParser(
        prog="narratives", description="Track recurring narratives in official statements and media."
    )
    parser.add_argument("--version", action="version", version=__version__)
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")

    command = subparsers.add_parser("build", help="read inputs and write a new snapshot of the store")
    add = command.add_argument
    add("inputs", nargs="*", metavar="INPUT", help="files, folders or globs")
    _add_store_options(command)
    add(
        "--codebook",
        type=Path,
        default=DATA_FOLDER / "codebook.toml",
        metavar="F",
        help="narratives to match",
    )
    add(
        "--speakers",
        type=Path,
        default=DATA_FOLDER / "speakers.toml",
        metavar="F",
        help="names, aliases, roles",
    )
    add("--events", type=Path, default=DATA_FOLDER / "events.toml", metavar="F", help="dated events to mark")
    add("--decisions", type=Path, metavar="F", help="a decisions log; default: the store's own")
    add("--model", default="", metavar="PATH_OR_NAME", help="a sentence-transformers model")
    add("--remove", action="append", default=[], metavar="PATH", help="take a file or folder out again")
    add("--map", action="append", default=[], type=_parse_pair, metavar="OURS=THEIRS", help="as in text=body")
    add("--progress", choices=("bar", "json", "none"), default="bar", help="how to show it on stderr")
    command.set_defaults(run=commands.run_build)

    command = subparsers.add_parser("dashboard", help="open the dashboard in a browser on this machine")
    add = command.add_argument
    add("--store", type=Path, metavar="DIR", help="the store to show; default: ./store, or the sample")
    add("--port", type=int, default=8501, metavar="N", help="the port of 127.0.0.1 to serve; default: 8501")
    command.set_defaults(run=commands.run_dashboard)

    command = subparsers.add_parser("fetch", help="fetch pages from the web into a folder that build reads")
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
    command.set_defaults(run=commands.run_fetch)

    command = subparsers.add_parser("export", help="write a table as CSV, JSONL or Parquet")
    add = command.add_argument
    add("table", choices=EXPORT_TABLES)
    _add_store_options(command)
    add("--out", type=Path, metavar="F", help="F.csv, F.jsonl or F.parquet; without it CSV is printed")
    _add_slice_options(command)
    add("--copies", choices=get_args(CopyFilter), default="", help="default: all, but originals in prevalence")
    command.set_defaults(run=commands.run_export)

    command = subparsers.add_parser("brief", help="write a one-page brief of a slice as one HTML file")
    add = command.add_argument
    _add_store_options(command)
    add("--out", type=Path, metavar="F", help="F.html; without it the page is printed")
    _add_slice_options(command)
    add("--copies", choices=get_args(CopyFilter), default="originals")
    command.set_defaults(run=commands.run_brief)

    command = subparsers.add_parser("review", help="take decisions into the log, or write them out")
    add = command.add_argument
    add("action", choices=("import", "export"))
    add("file", type=Path, metavar="F.jsonl", help="rows {text, labels, disputed}")
    _add_store_options(command)
    add("--decisions", type=Path, metavar="F", help="a decisions log; default: the store's own")
    add(
        "--codebook",
        type=Path,
        default=DATA_FOLDER / "codebook.toml",
        metavar="F",
        help="narratives to decide on",
    )
    add("--who", default="", metavar="NAME", help="who decided; default: your login name")
    command.set_defaults(run=commands.run_review)

    command = subparsers.add_parser("spotcheck", help="draw assignments at random to judge; count what was judged")
    add = command.add_argument
    add("action", choices=("draw", "take"))
    add("file", type=Path, metavar="F.csv", help="draw: a new file; take: that file, its verdicts filled in")
    _add_store_options(command)
    add("--each", type=int, default=30, metavar="N", help="draw: how many of each narrative; default: 30")
    add("--seed", type=int, default=0, metavar="N", help="draw: another seed, another draw")
    add(
        "--judged-by",
        choices=get_args(AnnotationSource),
        default="human",
        help="take: who judged, for the caveat",
    )
    command.set_defaults(run=commands.run_spotcheck)

    command = subparsers.add_parser("evaluate", help="measure the matching against labelled paragraphs")
    add = command.add_argument
    add("--gold", type=Path, required=True, metavar="F.jsonl", help="rows {text, labels, disputed}")
    _add_store_options(command)
    add("--decisions", type=Path, metavar="F", help="the log that the build took; default: the store's own")
    add("--codebook", type=Path, default=DATA_FOLDER / "codebook.toml", metavar="F", help="that of the build")
    add("--model", default="", metavar="PATH_OR_NAME", help="that of the build")
    add(
        "--labels-by",
        choices=get_args(AnnotationSource),
        default="machine",
        help="who labelled: for the caveat",
    )
    add("--out", type=Path, metavar="F.json", help="also write the figures to a file")
    add("--progress", choices=("bar", "json", "none"), default="bar", help="how to show it on stderr")
    command.set_defaults(run=commands.run_evaluate)

    command = subparsers.add_parser("status", help="what the store holds, and whether it is whole")
    _add_store_options(command)
    command.set_defaults(run=commands.run_status)
    return parser


def _add_store_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--store", type=Path, default=Path("store"), metavar="DIR")


def _add_slice_options(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("--as-of", default="", metavar="SNAPSHOT", help="an older snapshot")
    for name in ("speaker", "outlet", "narrative"):
        add(f"--{name}", action="append", default=[], metavar=name[0].upper(), help="may be repeated")
    add("--from", dest="date_from", default="", metavar="D", help="2016, 2016-11 or 2016-11-10")
    add("--to", dest="date_to", default="", metavar="D", help="inclusive")
    add("--voice", action="append", default=[], choices=get_args(Voice), help="may be repeated")
    add("--by", choices=get_args(Granularity), default="year")
    add("--unit", choices=get_args(Unit), default="paragraph")


def _parse_pair(text: str) -> tuple[str, str]:
    ours, sign, theirs = text.partition("=")
    if not (sign and ours and theirs):
        raise argparse.ArgumentTypeError(f"expected OURS=THEIRS, such as text=body; got {text!r}")
    if ours not in read.DOCUMENT_FIELDS:
        raise argparse.ArgumentTypeError(
            f"expected one of {', '.join(read.DOCUMENT_FIELDS)} before the =; got {ours!r}"
        )
    return ours, theirs
