"""What a fetch that was stopped needs to go on: when it began, and what it had listed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from narratives.read.web.archive import write
from narratives.read.web.records import Entry, Failure, FetchRequest, Listing

FRESH = timedelta(days=1)


class Journal:
    """A file in the archive that is there while a fetch is unfinished.

    A page that was checked after `started` needs no second look; once all are done the file goes, and the
    same command then asks each host what has changed.
    """

    def __init__(self, request: FetchRequest, now: str) -> None:
        terms = [request.source, request.date_from, request.date_to]
        key = hashlib.sha256(json.dumps(terms).encode()).hexdigest()[:16]
        self._path = request.into / ".unfinished" / f"{key}.json"
        self._now = now
        self._said: dict[str, Any] = {
            "source": request.source,
            "started": now,
            "listed": now,
            "listing": None,
        }
        try:
            self._said |= json.loads(self._path.read_bytes())
        except (FileNotFoundError, ValueError):
            self._save()

    @property
    def started(self) -> str:
        """When the unfinished fetch began, as `Clock.stamp` writes it."""
        return str(self._said["started"])

    @property
    def listing(self) -> Listing | None:
        """What was listed, if the listing had been finished and is not a day old."""
        said = self._said["listing"]
        age = datetime.fromisoformat(self._now) - datetime.fromisoformat(self._said["listed"])
        if said is None or age > FRESH:
            return None
        entries = tuple(Entry(**entry) for entry in said["entries"])
        return Listing(entries, said["outside"], tuple(Failure(**each) for each in said["failures"]))

    def note(self, listing: Listing) -> None:
        """Remember a finished listing."""
        bare = [Entry(entry.url, entry.published, entry.modified) for entry in listing.entries]
        self._said["listing"] = asdict(Listing(tuple(bare), listing.outside, listing.failures))
        self._said["listed"] = self._now
        self._save()

    def finish(self) -> None:
        """Forget the fetch: it is done."""
        self._path.unlink(missing_ok=True)

    def _save(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        write(self._path, json.dumps(self._said, ensure_ascii=False).encode())
