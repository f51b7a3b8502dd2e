"""How long viewers wait when many use one dashboard at once, and how much memory it takes.

    python -m benchmarks.load STORE [--sessions 20] [--seconds 60] [--every 1.0] [--swap 60] [--warm 180]
                              [--processes 1]

Each session speaks Streamlit's own protocol over a WebSocket, as a browser does. It changes a filter every `--every`
seconds (first year, last year, speaker or narrative), and every fifth time it turns to another page. What is timed is
from the request to the last message of the answer: the server's work and the way, without the drawing in the browser.
With `--swap`, the current snapshot changes that often, between the two latest of STORE. The server's memory is read
before the first session, every few seconds while they work, and after the last has left; after the seconds of `--warm`
it should no longer grow. Its processor time is read while they work: other programs on the machine change it less
than they do the waiting. With several `--processes`, nginx stands in front of them as in deploy/nginx.conf; memory and
processor time are then the sums of all.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import ssl
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlencode

from google.protobuf.message import DecodeError
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from benchmarks.serving import proxying, serving
from narratives.store import Store, maintenance, open_snapshot

YEARS = ("2016", "2017", "2018", "2019", "2020")
WRITING_PAGES = frozenset({"sources", "codebook", "review"})  # only looked at by those who may write
TURN_EVERY = 5  # interactions
LONGEST = 120.0  # seconds to wait for an answer
READ_EVERY = 2.0  # seconds between readings of the memory
LEAVE = 200.0  # seconds until memory is read: the server releases it three minutes after the last viewer has left


@dataclass
class Figures:
    """Seconds of each interaction by page, errors, and the server's memory in MiB and processor time in seconds."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: Counter[str] = field(default_factory=Counter)
    memory: list[float] = field(default_factory=list)
    processor: float = 0.0

    @property
    def all_seconds(self) -> list[float]:
        return [one for page in self.seconds.values() for one in page]


@dataclass
class Session:
    """One viewer: the connection, the page, and the filters in the address."""

    socket: ClientConnection
    figures: Figures
    draw: random.Random
    filters: dict[str, str] = field(default_factory=dict)
    pages: dict[str, str] = field(default_factory=dict)
    page: str = ""

    async def ask(self) -> None:
        """Ask for the page with these filters, and read the answer to its end."""
        message = BackMsg()
        message.rerun_script.query_string = urlencode(self.filters)
        message.rerun_script.page_script_hash = self.pages.get(self.page, "")
        message.rerun_script.is_history_navigation = True  # or else the session's own filters would count
        await self.socket.send(message.SerializeToString())
        while True:
            raw = await asyncio.wait_for(self.socket.recv(), LONGEST)
            assert isinstance(raw, bytes)
            answer = ForwardMsg.FromString(raw)
            kind = answer.WhichOneof("type")
            if kind == "navigation":
                self.pages = {page.url_pathname: page.page_script_hash for page in answer.navigation.app_pages}
            elif kind == "delta" and answer.delta.new_element.WhichOneof("type") == "exception":
                self.figures.errors[answer.delta.new_element.exception.message[:100]] += 1
            elif kind == "script_finished":
                if answer.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
                    self.figures.errors["the script could not be compiled"] += 1
                if answer.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                    return

    def change(self, number: int, choices: dict[str, tuple[str, ...]]) -> None:
        """Turn to another page or change one filter, as a person does."""
        if number % TURN_EVERY == TURN_EVERY - 1:
            self.page = self.draw.choice([page for page in sorted(self.pages) if page not in WRITING_PAGES])
            return
        key = self.draw.choice(sorted(choices))
        if key in self.filters and self.draw.random() < 0.5:
            del self.filters[key]
        else:
            self.filters[key] = self.draw.choice(choices[key])


async def view(
    address: str, figures: Figures, number: int, given: argparse.Namespace, choices: dict[str, tuple[str, ...]]
) -> None:
    """One viewer, from the first page to the end."""
    draw = random.Random(number)
    try:
        url = f"{address.replace('http', 'ws', 1)}/_stcore/stream"
        visitor = {"Cookie": f"visitor={draw.getrandbits(128):032x}"}  # by which nginx chooses the process
        context = ssl._create_unverified_context() if url.startswith("wss") else None
        async with connect(url, max_size=None, ping_interval=None, additional_headers=visitor, ssl=context) as socket:
            session = Session(socket, figures, draw)
            await asyncio.sleep(draw.random() * given.every)
            await session.ask()
            ends, at = time.monotonic() + given.seconds, 0
            while time.monotonic() < ends:
                session.change(at, choices)
                started = time.monotonic()
                await session.ask()
                took = time.monotonic() - started
                figures.seconds[session.page or "prevalence"].append(took)
                at += 1
                await asyncio.sleep(max(0.0, given.every - took))
    except (OSError, TimeoutError, EOFError, WebSocketException, DecodeError) as error:
        figures.errors[f"{type(error).__name__}: {error}"[:100]] += 1


def read_usage(servers: Sequence[str]) -> tuple[float, float]:
    """The resident memory of the processes at these addresses, in MiB, and their processor time in seconds."""
    memory, processor = zip(*(_read_usage(server.rpartition(":")[2]) for server in servers), strict=True)
    return sum(memory), sum(processor)


def _read_usage(port: str) -> tuple[float, float]:
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().split(b"\0")
            if b"streamlit" in command and port.encode() in command:
                line = next(row for row in (folder / "status").read_text().splitlines() if row.startswith("VmRSS"))
                ticks = (folder / "stat").read_text().rpartition(")")[2].split()[11:13]
                return int(line.split()[1]) / 1024, sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")
        except OSError:  # it has ended
            continue
    raise SystemExit("the dashboard has ended")


async def run(
    servers: Sequence[str], address: str, store: Path, given: argparse.Namespace, choices: dict[str, tuple[str, ...]]
) -> Figures:
    """All viewers at once, and after them the server alone."""
    figures = Figures()
    warm = argparse.Namespace(every=0.1, seconds=20.0)
    for server in servers:
        await view(server, Figures(), 999, warm, choices)  # what is loaded once is no growth
    memory, used = read_usage(servers)
    figures.memory.append(memory)
    viewers = [asyncio.create_task(view(address, figures, n, given, choices)) for n in range(given.sessions)]
    first, latest = Store(store).current(), [manifest.snapshot_id for manifest in Store(store).snapshots()[-2:]]
    if given.swap and len(latest) < 2:
        raise SystemExit("expected a store with two snapshots for --swap")
    swapped = time.monotonic()
    try:
        while not all(viewer.done() for viewer in viewers):
            await asyncio.sleep(READ_EVERY)
            memory, processor = read_usage(servers)
            figures.memory.append(memory)
            figures.processor = processor - used
            if given.swap and time.monotonic() - swapped > given.swap:
                now = Store(store).current()
                maintenance.rollback(Store(store), next(one for one in latest if one != now))
                swapped = time.monotonic()
    finally:
        if given.swap and first:
            maintenance.rollback(Store(store), first)
    await asyncio.gather(*viewers)
    await asyncio.sleep(LEAVE)
    for server in servers:
        await view(server, Figures(), 998, argparse.Namespace(every=0.1, seconds=1.0), choices)  # it drops others then
    figures.memory.append(read_usage(servers)[0])
    return figures


def list_choices(store: Path) -> dict[str, tuple[str, ...]]:
    """What can be chosen in each filter: years, the ten speakers with most paragraphs, and the narratives."""
    snapshot = open_snapshot(store)
    speakers = snapshot.frame(
        "SELECT speaker FROM snap.paragraphs WHERE speaker <> '' GROUP BY speaker ORDER BY count(*) DESC LIMIT 10"
    )["speaker"]
    narratives = snapshot.frame("SELECT narrative_id FROM snap.narratives ORDER BY 1")["narrative_id"]
    snapshot.close()
    return {"from": YEARS[:3], "to": YEARS[3:], "speaker": tuple(speakers), "narrative": tuple(narratives)}


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("store", type=Path)
    parser.add_argument("--sessions", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--every", type=float, default=1.0)
    parser.add_argument("--swap", type=float, default=0.0)
    parser.add_argument("--warm", type=float, default=0.0)
    parser.add_argument("--processes", type=int, default=1)
    given = parser.parse_args()
    with ExitStack() as opened:
        servers = [opened.enter_context(serving(given.store)) for _ in range(given.processes)]
        address = servers[0]
        if given.processes > 1:
            folder = Path(opened.enter_context(TemporaryDirectory()))
            address = opened.enter_context(proxying(folder, servers))
        figures = asyncio.run(run(servers, address, given.store, given, list_choices(given.store)))
    print(f"errors {dict(figures.errors)}")
    if not figures.all_seconds:
        raise SystemExit("no answer came")
    for page, seconds in sorted(figures.seconds.items()):
        print(f"{page:12} {len(seconds):5}  median {statistics.median(seconds):.2f} s  worst {max(seconds):.2f} s")
    everything = sorted(figures.all_seconds)
    print(f"{'all':12} {len(everything):5}  median {statistics.median(everything):.2f} s", end="")
    print(f"  p95 {everything[int(0.95 * (len(everything) - 1))]:.2f} s  worst {everything[-1]:.2f} s")
    print(f"processor {1000 * figures.processor / len(everything):.0f} ms an answer")
    before, *while_used, after = figures.memory
    print(f"memory {before:.0f} MiB before, at most {max(while_used):.0f} with all sessions, {after:.0f} after them")
    if given.warm:
        window = int(given.warm / READ_EVERY)
        parts = {"the next": while_used[window : 2 * window], "the last": while_used[-window:]}
        print(f"after a warm-up of {given.warm:.0f} s:")
        for which, memory in parts.items():
            mean = statistics.mean(memory)
            print(f"{which} {given.warm:.0f} s: {mean:.0f} MiB on average, at most {max(memory):.0f}")


if __name__ == "__main__":
    main()
