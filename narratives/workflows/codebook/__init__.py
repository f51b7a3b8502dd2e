"""The codebook in use: a TOML file with the edits of a decisions log, and the edits that make another of it.

The file is the base. The log replays over it: of each narrative the latest edit applies. So the same file and the same
log always give the same codebook.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from narratives import read
from narratives.model import Codebook, ConfigError, Edit, Narrative, StoreError, UsageError
from narratives.resources import DATA_FOLDER
from narratives.store import DECISIONS_FILE, DecisionLog
from narratives.store.files import (
    CODEBOOK_FILE,
    find_sums_problem,
    get_sums_path,
    make_disk_error,
    read_sums,
    write_named_file,
    write_summed,
)
from narratives.store.integrity import COPIES_FOLDER

SHIPPED_CODEBOOK = DATA_FOLDER / CODEBOOK_FILE
RETIRED = json.dumps({"retired": True})
_UNDO_HINT = "Undo that edit on the Codebook page, or edit the narrative again."


@dataclass(frozen=True, slots=True)
class Change:
    """A change of one narrative: `value` is that of an edit (see `model.Edit`)."""

    narrative_id: str
    value: str


def find_codebook(store: Path) -> Path:
    """Return the codebook file that the store was last built with, or else the one that ships with the program.

    Raises StoreError if the store's file is not as the build kept it.
    """
    kept = store / CODEBOOK_FILE
    if problem := find_sums_problem(kept):
        hint = f"Run `check --repair`. If you edited it yourself, build with --codebook {kept}."
        raise StoreError(f"the codebook of the last build at {kept}", problem, hint)
    return kept if kept.exists() else SHIPPED_CODEBOOK


def keep_codebook(store: Path, path: Path) -> None:
    """Keep a copy of the codebook file in the store, for the next build, unless it is the shipped one."""
    places = [store / COPIES_FOLDER / CODEBOOK_FILE, store / CODEBOOK_FILE]  # the copy first: it is never older
    try:
        content = path.read_bytes()
        for kept in places:
            if content == SHIPPED_CODEBOOK.read_bytes():
                kept.unlink(missing_ok=True)
                get_sums_path(kept).unlink(missing_ok=True)
            elif (
                not kept.exists() or kept.read_bytes() != content or read_sums(kept) is None or find_sums_problem(kept)
            ):
                kept.parent.mkdir(exist_ok=True)
                write_summed(kept, content)
    except OSError as error:
        raise make_disk_error(error, places[-1]) from error


def load_codebook(store: Path, path: Path | None = None, decisions: Path | None = None) -> Codebook:
    """Load the codebook at `path` with the edits of a log: by default the file and the log of the store.

    Raises ConfigError if the file, the log or an edit is not valid.
    """
    base = read.load_codebook(path or find_codebook(store))
    return apply_edits(base, DecisionLog(decisions or store / DECISIONS_FILE).edits("narrative"))


def load_file(store: Path) -> Codebook:
    """Load the codebook file of the store without any edits."""
    return read.load_codebook(find_codebook(store))


def apply_edits(codebook: Codebook, edits: Iterable[Edit]) -> Codebook:
    """Return the codebook with the edits of narratives, oldest first, replayed over it.

    Narratives keep their places; new ones follow in the order of their first edits. If nothing differs, the result is
    the codebook itself. Otherwise its digest is that of the file that `read.dump_codebook` would write. Raises
    ConfigError, which names the edit, if the result is not a valid codebook.
    """
    made = [edit for edit in edits if edit.kind == "narrative"]
    narratives = _replay(codebook, made)
    try:
        _check(codebook, narratives)
    except ConfigError as error:
        while len(made) > 1 and not _is_valid(codebook, made[:-1]):
            made.pop()
        raise ConfigError(f"{error.expected}, with {_name(made[-1])}", error.got, _UNDO_HINT) from error
    if narratives == codebook.narratives:
        return codebook
    edited = replace(codebook, narratives=narratives)
    return replace(edited, digest=hashlib.sha256(read.dump_codebook(edited).encode()).hexdigest())


def _replay(codebook: Codebook, edits: Sequence[Edit]) -> tuple[Narrative, ...]:
    base = {narrative.id: narrative for narrative in codebook.narratives}
    latest = {edit.subject: edit for edit in edits}  # in the order of the first edits
    kept: dict[str, Narrative | None] = dict(base)
    for subject, edit in latest.items():
        kept[subject] = _parse_value(edit) if edit.value else base.get(subject)
    return tuple(narrative for narrative in kept.values() if narrative)


def _check(codebook: Codebook, narratives: Sequence[Narrative]) -> None:
    where = codebook.source or "the codebook"
    if not narratives:
        raise ConfigError(f"at least one narrative in {where}", "none", "Add one.")
    read.check_narratives(narratives, where)


def _is_valid(codebook: Codebook, edits: Sequence[Edit]) -> bool:
    try:
        _check(codebook, _replay(codebook, edits))
    except ConfigError:
        return False
    return True


def _name(edit: Edit) -> str:
    return f"edit {edit.edit_id} of {edit.subject!r} by {edit.who or 'nobody named'}"


def _parse_value(edit: Edit) -> Narrative | None:
    """Return the narrative that an edit defines; None if it retires one."""
    try:
        value = json.loads(edit.value)
    except ValueError as error:
        raise ConfigError(f"JSON as the value of {_name(edit)}", str(error), _UNDO_HINT) from error
    if not isinstance(value, dict):
        raise ConfigError(f"an object as the value of {_name(edit)}", type(value).__name__, _UNDO_HINT)
    if value == {"retired": True}:
        return None
    narrative = parse_narrative(value, _name(edit))
    if narrative.id != edit.subject:
        raise ConfigError(f"the id {edit.subject!r} in {_name(edit)}", repr(narrative.id), _UNDO_HINT)
    return narrative


def parse_narrative(values: Mapping[str, object], where: str) -> Narrative:
    """Make a narrative of the fields of an edit; raises ConfigError, which names `where`, if one is not valid."""
    return read.parse_narrative({key: value for key, value in values.items() if value is not None}, where)


parse_codebook, dump_codebook = read.parse_codebook, read.dump_codebook  # for the pages, which read no files


def format_value(narrative: Narrative) -> str:
    """Return the value of an edit that makes a narrative what it is here: JSON with all its fields."""
    fields = {key: getattr(narrative, key) for key in read.NARRATIVE_KEYS}
    return json.dumps(fields, ensure_ascii=False)


def set_narrative(base: Codebook, narrative: Narrative) -> Change:
    """Return the change that makes a narrative what it is here; one that equals the file withdraws the edits."""
    same = any(own == narrative for own in base.narratives)
    return Change(narrative.id, "" if same else format_value(narrative))


def retire_narratives(base: Codebook, current: Codebook, ids: Sequence[str]) -> list[Change]:
    """Return the changes that retire narratives; those below them in the tree move up.

    Raises UsageError if none would remain, and ConfigError for a narrative that the codebook does not have.
    """
    retired = {key: get_narrative(current, key) for key in ids}
    if len(retired) == len(current.narratives):
        raise UsageError("a codebook with at least one narrative", "none would remain", "Add another one first.")
    moved = []
    for narrative in current.narratives:
        parent = narrative.parent
        while parent in retired:
            parent = retired[parent].parent
        if narrative.id not in retired and parent != narrative.parent:
            moved.append(set_narrative(base, replace(narrative, parent=parent)))
    return [*moved, *(Change(key, RETIRED) for key in retired)]


def merge_narratives(base: Codebook, current: Codebook, source: str, target: str) -> list[Change]:
    """Return the changes that merge `source` into `target`, which gets its examples, cues and decisions."""
    if source == target:
        raise UsageError("two different narratives", f"{source!r} twice", "Choose another narrative to merge into.")
    gone, kept = get_narrative(current, source), get_narrative(current, target)
    exemplars = _join(kept.exemplars, gone.exemplars)
    merged = replace(
        kept,
        includes=_join(kept.includes, gone.includes),
        excludes=_join(kept.excludes, gone.excludes),
        exemplars=exemplars,
        # What advances the merged narrative is no longer a near miss of it.
        contrasts=tuple(text for text in _join(kept.contrasts, gone.contrasts) if text not in exemplars),
        cues=_join(kept.cues, gone.cues),
        parent=gone.parent if kept.parent == source else kept.parent,
        replaces=_join(kept.replaces, gone.replaces, (source,)),
    )
    moved = replace(current, narratives=tuple(merged if n.id == target else n for n in current.narratives))
    return [set_narrative(base, merged), *retire_narratives(base, moved, [source])]


def split_narrative(base: Codebook, current: Codebook, source: str, parts: Sequence[Narrative]) -> list[Change]:
    """Return the changes that replace `source` by `parts`, which say so in `replaces`.

    Raises UsageError for less than two parts, or if an exemplar of the source is in none or in several of them.
    """
    gone = get_narrative(current, source)
    if len(parts) < 2:
        raise UsageError("at least two narratives to split into", f"{len(parts)}", "Name another one.")
    for text in gone.exemplars:
        times = sum(text in part.exemplars for part in parts)
        if times != 1:
            got = f"{times} for {text[:60]!r}"
            raise UsageError("one part for each exemplar", got, "Give each exemplar to one of the parts.")
    made = [replace(part, replaces=_join(part.replaces, (source,))) for part in parts]
    added = replace(current, narratives=(*current.narratives, *made))
    return [*(set_narrative(base, part) for part in made), *retire_narratives(base, added, [source])]


def _join(*groups: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(item for group in groups for item in group))


def list_changes(base: Codebook, current: Codebook, wanted: Codebook) -> list[Change]:
    """Return the changes that make the current codebook the wanted one; narratives that it lacks are retired."""
    own = {narrative.id: narrative for narrative in current.narratives}
    changed = [set_narrative(base, n) for n in wanted.narratives if own.get(n.id) != n]
    kept = {narrative.id for narrative in wanted.narratives}
    return [*changed, *(Change(key, RETIRED) for key in own if key not in kept)]


def describe_change(change: Change) -> str:
    """Return what a change does, in one word or two: retired, edited, or as in the file."""
    return "retired" if change.value == RETIRED else "edited" if change.value else "as in the file"


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One edit of a narrative: its id, when, who and why, and what it changed, a line for each difference."""

    edit_id: int
    when: str
    who: str
    why: str
    changes: tuple[str, ...]


def list_history(base: Codebook, edits: Sequence[Edit], narrative_id: str) -> list[HistoryEntry]:
    """Return the edits of a narrative, latest first, each compared with what applied before it."""
    in_file = next((n for n in base.narratives if n.id == narrative_id), None)
    entries, before = [], in_file
    for edit in edits:
        if edit.kind == "narrative" and edit.subject == narrative_id:
            after = _parse_value(edit) if edit.value else in_file
            lines = tuple(describe_difference(before, after))
            entries.append(HistoryEntry(edit.edit_id, edit.edited_at, edit.who, edit.why, lines))
            before = after
    return entries[::-1]


def describe_difference(before: Narrative | None, after: Narrative | None) -> list[str]:
    """Describe what differs, one line for each value: `name: A → B`, `exemplars + …`, `cues − …`."""
    if before is None or after is None:
        return ["unchanged"] if before is after else ["retired"] if after is None else [f"added: {after.name}"]
    lines = []
    for key in read.NARRATIVE_KEYS:
        old, new = getattr(before, key), getattr(after, key)
        if isinstance(old, tuple):
            lines += [f"{key} − {text}" for text in old if text not in new]
            lines += [f"{key} + {text}" for text in new if text not in old]
        elif old != new:
            lines.append(f"{key}: {'none' if old in ('', None) else old} → {'none' if new in ('', None) else new}")
    return lines or ["unchanged" if before == after else "the order of a list"]


def undo_latest(edits: Sequence[Edit], narrative_id: str) -> tuple[Change, str]:
    """Return the change that undoes the latest edit of a narrative, and the reason to give.

    Raises UsageError if there is none.
    """
    own = [edit for edit in edits if edit.kind == "narrative" and edit.subject == narrative_id]
    if not own:
        raise UsageError(f"an edit of {narrative_id!r} to undo", "none", "It is as in the file.")
    return Change(narrative_id, own[-2].value if len(own) > 1 else ""), f"undo of edit {own[-1].edit_id}"


def get_narrative(codebook: Codebook, narrative_id: str) -> Narrative:
    """Return a narrative by its id; raises ConfigError if the codebook does not have it."""
    for narrative in codebook.narratives:
        if narrative.id == narrative_id:
            return narrative
    raise ConfigError("a narrative of the codebook", repr(narrative_id), "It may have been retired. Reload the page.")


def apply_changes(base: Codebook, edits: Sequence[Edit], changes: Sequence[Change]) -> Codebook:
    """Return the codebook as it would be with these changes; raises ConfigError if it would not be valid."""
    number = max((edit.edit_id for edit in edits), default=0)
    made = [Edit(number + at, "", "you", "", "narrative", c.narrative_id, c.value) for at, c in enumerate(changes, 1)]
    return apply_edits(base, [*edits, *made])


def save_changes(log: DecisionLog, base: Codebook, changes: Sequence[Change], who: str, why: str) -> int:
    """Add changes to the log, if the codebook is valid with them, and return their number.

    Raises UsageError without a name or a reason, and ConfigError if the codebook would not be valid.
    """
    for what, text in (("who makes the change", who), ("why", why)):
        if not text.strip():
            raise UsageError(f"a text that says {what}", "none", "Fill it in. The history shows it.")
    apply_changes(base, log.edits("narrative"), changes)
    for change in changes:
        log.edit("narrative", change.narrative_id, change.value, who.strip(), why.strip())
    return len(changes)


def import_codebook(store: Path, path: Path, who: str, why: str, decisions: Path | None = None) -> list[Change]:
    """Make the codebook of a store that of a TOML file, by edits of what differs, and return the changes."""
    wanted = read.load_codebook(path)
    changes = list_changes(load_file(store), load_codebook(store, decisions=decisions), wanted)
    save_changes(DecisionLog(decisions or store / DECISIONS_FILE), load_file(store), changes, who, why)
    return changes


def export_codebook(store: Path, path: Path, decisions: Path | None = None) -> int:
    """Write the codebook of a store, with its edits, to a TOML file; return the number of narratives."""
    codebook = load_codebook(store, decisions=decisions)
    write_named_file(path, read.dump_codebook(codebook).encode())
    return len(codebook.narratives)
