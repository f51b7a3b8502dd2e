"""The argument parser: every command with its options, their defaults and their types."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, NoReturn, get_args

from narratives import __version__, read
from narratives.cli import commands, store_commands
from narratives.model import AnnotationSource, CopyFilter, Granularity, Unit, UsageError, Voice
from narratives.model.printable import escape_controls
from narratives.resources import DATA_FOLDER
from narratives.store import EXPORT_TABLES
from narratives.store.decisions import DecisionFormat
from narratives.store.published import SCHEME, Address, parse_address
from narratives.workflows.engines.engine import EngineName


class _Parser(argparse.ArgumentParser):
    """A parser whose errors quote arguments, such as names of files, without effect on the terminal."""

    def error(self, message: str) -> NoReturn:
        super().error(escape_controls(message))


class _Command(NamedTuple):
    summary: str
    add_options: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


def make_parser() -> argparse.ArgumentParser:
    """Make the parser of all commands. In its result, `run` is the function of the command."""
    parser = _Parser(prog="narratives", description="Track recurring narratives in official statements and media.")
    parser.add_argument("--version", action="version", version=__version__, help="Print the version.")
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, command in _COMMANDS.items():
        subparser = subparsers.add_parser(name, help=command.summary, description=command.summary)
        command.add_options(subparser)
        subparser.set_defaults(run=command.run)
    return parser


def _add_build_options(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add(
        "inputs",
        nargs="*",
        metavar="INPUT",
        help="Files, folders, globs or addresses such as s3://bucket/folder. Without any, build what the store holds.",
    )
    _add_store_option(command)
    _add_codebook_option(command, "The narratives to match.")
    _add_data_option(command, "speakers", "Names, aliases and roles of speakers.")
    _add_data_option(command, "events", "Dated events for the charts.")
    _add_decisions_option(command)
    add(
        "--model",
        default="",
        metavar="PATH_OR_NAME",
        help="Another sentence-transformers model: a folder, or a name that is looked up in the local cache and then "
        "on the model hub. Default: the bundled model.",
    )
    add(
        "--variant",
        default="",
        choices=("fp32", "bf16"),
        help="The arithmetic of the model in a new store. A store keeps its variant. Default: bf16 where the processor "
        "multiplies in it, which takes about half of the time, otherwise fp32.",
    )
    _add_threshold_option(command)
    add(
        "--remove",
        action="append",
        default=[],
        metavar="PATH",
        help="Remove an input, or all inputs in a folder, from the store. Repeatable.",
    )
    add(
        "--map",
        action="append",
        default=[],
        type=_parse_pair,
        metavar="OURS=THEIRS",
        help="The column of your tables (THEIRS) that holds one of our fields (OURS), such as text=body. Repeatable.",
    )
    add(
        "--date-from-name",
        action="store_true",
        help="Use a date in the name of a file, such as 2018-05-15 talks.txt, where its text states none or only part "
        "of it.",
    )
    add(
        "--engine",
        choices=get_args(EngineName),
        default="local",
        help="What reads files, and parses, encodes and matches texts: this process, or the workers of a Ray cluster. "
        "Default: local.",
    )
    _add_progress_option(command)


def _add_dashboard_options(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    text = "The store to show. Default: ./store, or the sample if that is empty."
    add("--store", type=_parse_place, metavar="DIR_OR_S3", help=text)
    add("--port", type=int, default=8501, metavar="N", help="The port on 127.0.0.1. Default: 8501.")


def _add_fetch_options(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add(
        "source",
        metavar="SOURCE",
        help="kremlin, the address of a sitemap, feed, list or page, or a file of addresses.",
    )
    _add_date_options(command)
    add("--into", type=Path, default=Path("fetched"), metavar="DIR", help="The folder for pages. Default: ./fetched.")
    add(
        "--allow-host",
        action="append",
        default=[],
        metavar="H",
        help="Another host (or host:port) that may be contacted, even if its address is private. Repeatable.",
    )
    add(
        "--contact",
        default="",
        metavar="URL_OR_EMAIL",
        help="Your page or email address, sent in the user agent so that the operator of a host can reach you.",
    )
    _add_progress_option(command)


def _add_export_options(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("table", choices=EXPORT_TABLES, help="The table to write.")
    _add_place_option(command)
    add("--out", type=Path, metavar="F", help="F.csv, F.jsonl or F.parquet. Without it, CSV is printed.")
    _add_slice_options(command)
    add(
        "--copies",
        choices=get_args(CopyFilter),
        default="",
        help="Which paragraphs to include. Default: originals for prevalence and narratives, all for other tables.",
    )


def _add_brief_options(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    _add_place_option(command)
    add("--out", type=Path, metavar="F", help="F.html. Without it, the page is printed.")
    _add_slice_options(command)
    text = "Which paragraphs to include. Default: originals."
    add("--copies", choices=get_args(CopyFilter), default="originals", help=text)


def _add_review_options(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("action", choices=("import", "export"), help="Read decisions from the file, or write them to it.")
    add("file", type=Path, metavar="F.jsonl", help="Rows {text, labels, disputed}, or an export of an annotation tool.")
    text = "The form of an exported file. An imported one is recognised by its content. Default: narratives."
    add("--format", choices=get_args(DecisionFormat), default="narratives", help=text)
    _add_store_option(command)
    _add_decisions_option(command)
    _add_codebook_option(command, "The narratives that the decisions are about.")
    add(
        "--who",
        default="",
        metavar="NAME",
        help="Who made the decisions. Default: the annotators that the file names, or your login name.",
    )


def _add_codebook_options(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("action", choices=("import", "export"), help="Make the codebook that of the file, or write it to the file.")
    add("file", type=Path, metavar="F.toml", help="A codebook: [[narrative]] tables.")
    _add_store_option(command)
    _add_decisions_option(command)
    add("--who", default="", metavar="NAME", help="import: who changes the codebook. Default: your login name.")
    add("--why", default="", metavar="TEXT", help="import: why. Default: the name of the file.")


def _add_spotcheck_options(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("action", choices=("draw", "take"), help="Write a random sample to judge, or read the judged file.")
    add("file", type=Path, metavar="F.csv", help="draw: a new file. take: the same file with its verdicts filled in.")
    _add_store_option(command)
    add("--each", type=int, default=30, metavar="N", help="draw: assignments for each narrative. Default: 30.")
    add("--seed", type=int, default=0, metavar="N", help="draw: the seed of the random sample. Default: 0.")
    add(
        "--judged-by",
        choices=get_args(AnnotationSource),
        default="human",
        help="take: who judged; shown with the figures. Default: human.",
    )


def _add_evaluate_options(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("--gold", type=Path, required=True, metavar="F.jsonl", help="Rows {text, labels, disputed}. Required.")
    _add_store_option(command)
    _add_decisions_option(command)
    _add_codebook_option(command, "The codebook of the build.")
    add("--model", default="", metavar="PATH_OR_NAME", help="The model of the build. Default: the bundled model.")
    add(
        "--labels-by",
        choices=get_args(AnnotationSource),
        default="machine",
        help="Who made the labels; shown with the figures. Default: machine.",
    )
    add("--out", type=Path, metavar="F.json", help="Also write the figures to this file.")
    _add_threshold_option(command)
    _add_progress_option(command)


def _add_annotate_options(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    text = "The server, such as http://127.0.0.1:8080/v1. Nothing else is contacted. Required."
    add("--endpoint", required=True, metavar="URL", help=text)
    add("--model", required=True, metavar="NAME", help="The model, under whose name its answers are kept. Required.")
    add("--limit", type=int, default=100, metavar="N", help="Ask about at most N pairs. Default: 100.")
    add("--timeout", type=float, default=60.0, metavar="S", help="Seconds to wait for an answer. Default: 60.")
    _add_store_option(command)
    _add_decisions_option(command)
    _add_progress_option(command)


def _add_train_options(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    _add_store_option(command)
    _add_decisions_option(command)
    _add_codebook_option(command, "The codebook of the build.")
    add("--model", default="", metavar="PATH_OR_NAME", help="The model of the build. Default: the bundled model.")
    add("--seed", type=int, default=0, metavar="N", help="The seed of the training. Default: 0.")
    _add_progress_option(command)


def _add_check_options(command: argparse.ArgumentParser) -> None:
    _add_store_option(command)
    text = "Mend what is damaged from what is whole. What cannot be mended is moved to the folder `damaged`."
    command.add_argument("--repair", action="store_true", help=text)
    _add_progress_option(command)


def _add_rollback_options(command: argparse.ArgumentParser) -> None:
    text = "The snapshot, as `narratives status` lists it. Default: the one before the current one."
    command.add_argument("snapshot", nargs="?", default="", metavar="SNAPSHOT", help=text)
    _add_store_option(command)


def _add_prune_options(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    _add_store_option(command)
    add("--keep", type=_parse_count, default=5, metavar="N", help="Keep the newest N snapshots. Default: 5.")
    text = "Remove only snapshots that are older than this number of days."
    add("--older-than", type=float, metavar="DAYS", help=text)
    text = "Keep this snapshot, now and whenever you prune, because links show it. Repeatable."
    add("--pin", action="append", default=[], metavar="SNAPSHOT", help=text)
    add("--dry-run", action="store_true", help="Only show what would be removed.")


def _add_backup_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("file", type=Path, metavar="FILE.zip", help="The backup.")
    _add_store_option(command)


def _add_publish_options(command: argparse.ArgumentParser) -> None:
    text = "The place in object storage, such as s3://bucket/folder."
    command.add_argument("target", type=_parse_target, metavar="TARGET", help=text)
    _add_store_option(command)
    _add_progress_option(command)


def _add_threshold_option(command: argparse.ArgumentParser) -> None:
    text = (
        "Assign the narratives that have a classifier from this probability up: a higher one gives more precision, a "
        "lower one more recall. A threshold in the codebook takes precedence. Default: that of the classifier."
    )
    command.add_argument("--threshold", type=_parse_probability, metavar="P", help=text)


def _add_store_option(command: argparse.ArgumentParser) -> None:
    """Add the option of a command that changes the store, or needs more of it than what is published."""
    text = "The store. Default: ./store."
    command.add_argument("--store", type=_parse_folder, default=Path("store"), metavar="DIR", help=text)


def _add_place_option(command: argparse.ArgumentParser) -> None:
    """Add the option of a command that only reads a snapshot."""
    text = "The store: a folder, or a published store such as s3://bucket/folder. Default: ./store."
    command.add_argument("--store", type=_parse_place, default=Path("store"), metavar="DIR_OR_S3", help=text)


def _add_data_option(command: argparse.ArgumentParser, name: str, contents: str) -> None:
    text = f"{contents} Default: the shipped data/{name}.toml."
    command.add_argument(f"--{name}", type=Path, default=DATA_FOLDER / f"{name}.toml", metavar="F", help=text)


def _add_codebook_option(command: argparse.ArgumentParser, contents: str) -> None:
    text = f"{contents} Default: the file of the store's last build, or else the shipped data/codebook.toml."
    command.add_argument("--codebook", type=Path, metavar="F", help=text)


def _add_decisions_option(command: argparse.ArgumentParser) -> None:
    text = "A decisions log. Default: decisions.sqlite in the store."
    command.add_argument("--decisions", type=Path, metavar="F", help=text)


def _add_progress_option(command: argparse.ArgumentParser) -> None:
    text = "How to show progress on stderr; json prints one object per line. Default: bar."
    command.add_argument("--progress", choices=("bar", "json", "none"), default="bar", help=text)


def _add_slice_options(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    text = "A snapshot from the list of narratives status. Default: the current one."
    add("--as-of", default="", metavar="SNAPSHOT", help=text)
    for name in ("speaker", "outlet", "narrative"):
        text = f'Include only this {name}; "" means none named. Repeatable.'
        add(f"--{name}", action="append", default=[], metavar=name[0].upper(), help=text)
    _add_date_options(command)
    text = "Include only paragraphs in this voice. Repeatable."
    add("--voice", action="append", default=[], choices=get_args(Voice), help=text)
    add("--by", choices=get_args(Granularity), default="year", help="The length of a period. Default: year.")
    add("--unit", choices=get_args(Unit), default="paragraph", help="What to count. Default: paragraph.")


def _add_date_options(command: argparse.ArgumentParser) -> None:
    for name, end in (("from", "first"), ("to", "last")):
        text = f"The {end} date, such as 2016, 2016-11 or 2016-11-10. Inclusive."
        command.add_argument(f"--{name}", dest=f"date_{name}", default="", metavar="D", help=text)


def _parse_probability(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"expected a number between 0 and 1, got {text!r}")
    return value


def _parse_folder(text: str) -> Path:
    place = _parse_place(text)
    if isinstance(place, Path):
        return place
    raise argparse.ArgumentTypeError(
        f"expected a folder, got {text!r}. A published store is read-only: only status, export, brief and dashboard "
        "take one. Run this command on the store that it was published from, then publish again"
    )


def _parse_place(text: str) -> Path | Address:
    return _parse_target(text) if text.lower().startswith(SCHEME) else Path(text)


def _parse_target(text: str) -> Address:
    try:
        return parse_address(text)
    except UsageError as error:
        raise argparse.ArgumentTypeError(f"expected {error.expected}, got {error.got}. {error.hint}") from error


def _parse_count(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 up, got {text!r}")
    return int(text)


def _parse_pair(text: str) -> tuple[str, str]:
    ours, sign, theirs = text.partition("=")
    if not (sign and ours and theirs):
        raise argparse.ArgumentTypeError(f"expected OURS=THEIRS, such as text=body; got {text!r}")
    if ours not in read.DOCUMENT_FIELDS:
        raise argparse.ArgumentTypeError(
            f"expected one of {', '.join(read.DOCUMENT_FIELDS)} before the =; got {ours!r}"
        )
    return ours, theirs


_COMMANDS = {
    "build": _Command("Read inputs and write a new snapshot of the store.", _add_build_options, commands.run_build),
    "dashboard": _Command("Serve the dashboard on this machine.", _add_dashboard_options, commands.run_dashboard),
    "fetch": _Command("Fetch pages from the web into a folder for build.", _add_fetch_options, commands.run_fetch),
    "export": _Command("Write a table as CSV, JSONL or Parquet.", _add_export_options, commands.run_export),
    "brief": _Command("Write a one-page brief of a slice as an HTML file.", _add_brief_options, commands.run_brief),
    "review": _Command("Import or export decisions.", _add_review_options, commands.run_review),
    "annotate": _Command(
        "Ask a model on a server that you name for verdicts.", _add_annotate_options, commands.run_annotate
    ),
    "codebook": _Command("Import or export the codebook of a store.", _add_codebook_options, commands.run_codebook),
    "spotcheck": _Command(
        "Draw a random sample of assignments, or count its verdicts.", _add_spotcheck_options, commands.run_spotcheck
    ),
    "evaluate": _Command("Measure the matching on labelled paragraphs.", _add_evaluate_options, commands.run_evaluate),
    "train": _Command("Train a classifier on decisions.", _add_train_options, commands.run_train),
    "status": _Command(
        "Show what the store holds and check it for damage.", _add_place_option, store_commands.run_status
    ),
    "check": _Command(
        "Check every file of a store, and mend what is damaged.", _add_check_options, store_commands.run_check
    ),
    "rollback": _Command(
        "Make an earlier snapshot the current one.", _add_rollback_options, store_commands.run_rollback
    ),
    "prune": _Command("Remove old snapshots of a store.", _add_prune_options, store_commands.run_prune),
    "backup": _Command("Write a store to one file.", _add_backup_options, store_commands.run_backup),
    "restore": _Command("Make a store of a backup.", _add_backup_options, store_commands.run_restore),
    "publish": _Command(
        "Copy the current snapshot to object storage.", _add_publish_options, store_commands.run_publish
    ),
}
