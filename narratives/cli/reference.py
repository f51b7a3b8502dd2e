"""The command-line reference in Markdown: `python -m narratives.cli.reference > docs/command-line.md`."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping
from pathlib import Path

from narratives.cli.parser import make_parser

TEMPLATE = Path(__file__).with_name("command_line.md")
_PLACEHOLDER = re.compile(r"\{\{ (\w+) \}\}")


def render_reference() -> str:
    """Render the reference: the text of `command_line.md` with the parser's commands and options in it.

    Raises:
        KeyError: The template names a command that does not exist.
        ValueError: The template lacks a command.
    """
    commands = get_subparsers(make_parser())
    tables = {name: _render_options(command) for name, command in commands.items()}
    tables["commands"] = _render_table(
        "command", [(f"[`{name}`](#narratives-{name})", str(command.description)) for name, command in commands.items()]
    )
    template = TEMPLATE.read_text("utf-8")
    missing = tables.keys() - set(_PLACEHOLDER.findall(template))
    if missing:
        raise ValueError(f"{TEMPLATE.name} has no placeholder for: {', '.join(sorted(missing))}")
    return _PLACEHOLDER.sub(lambda match: tables[match[1]], template)


def get_subparsers(parser: argparse.ArgumentParser) -> Mapping[str, argparse.ArgumentParser]:
    """Return the parser of each command by its name."""
    [subparsers] = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    return dict(subparsers.choices)


def _render_options(command: argparse.ArgumentParser) -> str:
    rows = [
        (f"`{_render_name(action)}`", str(action.help))
        for action in command._actions
        if not isinstance(action, argparse._HelpAction)
    ]
    return _render_table("option", rows)


def _render_name(action: argparse.Action) -> str:
    if action.nargs == 0:
        return " ".join(action.option_strings)
    choices = "|".join(map(str, action.choices or ()))
    value = str(action.metavar or choices or action.dest)
    return " ".join([*action.option_strings, value])


def _render_table(title: str, rows: list[tuple[str, str]]) -> str:
    cells = [(name.replace("|", r"\|"), text.replace("|", r"\|")) for name, text in rows]
    return "\n".join([f"| {title} | meaning |", "|---|---|", *(f"| {name} | {text} |" for name, text in cells)])


if __name__ == "__main__":
    print(render_reference(), end="")
