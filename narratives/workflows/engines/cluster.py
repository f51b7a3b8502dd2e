"""The Ray cluster: started on this machine or joined, told to be quiet, and given tables to work on."""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa

from narratives import __version__
from narratives.model import EngineError, NarrativesError
from narratives.workflows.engines.processes import count_cores

ADDRESS_VARIABLE = "RAY_ADDRESS"
OBJECT_STORE_BYTES = 256 << 20  # of a cluster that is started here; what does not fit goes to the disk
QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",  # nothing is reported to anybody
    "RAY_BACKEND_LOG_LEVEL": "fatal",
    "RAY_DATA_DISABLE_PROGRESS_BARS": "1",
}
# On Linux, Ray listens on all addresses of a machine, unless it is told that there is no cluster of machines.
LOCAL_ONLY = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_AUTH_MODE": "token"}
PACKAGE_PARENT = Path(__file__).resolve().parents[3]  # the folder that holds the package `narratives`
MAX_FOLDER = 40  # characters: the path of a socket in it has at most 107


@contextmanager
def open_cluster(workers: int = 0) -> Iterator[None]:
    """Join the cluster that RAY_ADDRESS names, or start one on this machine, which ends with the block.

    A started cluster has this number of workers, by default one for each core that this process may use. It listens on
    127.0.0.1 only, and answers only processes that know its token. A cluster that this process has joined already is
    used. Raises EngineError if there is none.
    """
    os.environ.update(QUIET)
    address = os.environ.get(ADDRESS_VARIABLE) or "local"
    folder = None
    if address == "local":
        os.environ.update(LOCAL_ONLY)
        # The workers run the same package as this process, wherever it was started.
        paths = [str(PACKAGE_PARENT), *filter(None, [os.environ.get("PYTHONPATH")])]
        os.environ["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(paths))
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))  # Ray keeps the first one of a process
    import ray

    if ray.is_initialized():
        yield
        return
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.CRITICAL}
    if address == "local":
        base = tempfile.gettempdir()
        folder = tempfile.mkdtemp(prefix="narratives-ray-", dir=base if len(base) <= MAX_FOLDER else "/tmp")
        options |= {
            "num_cpus": workers or count_cores(),
            "object_store_memory": OBJECT_STORE_BYTES,
            "_node_ip_address": "127.0.0.1",
            "_temp_dir": folder,
        }
    try:
        with convert_failures(f"a Ray cluster ({address})"), _mute_stderr(), _without_dashboard():
            ray.init(address, **options)
        yield
    finally:
        ray.shutdown()
        if folder:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _without_dashboard() -> Iterator[None]:
    """Let `ray.init` start no dashboard.

    With `include_dashboard=False` its process starts all the same. It then asks the metadata services of three clouds
    where it runs, even if statistics of use are off.
    """
    from ray._private.node import Node

    start = Node.start_api_server
    Node.start_api_server = lambda self, **_: None
    try:
        yield
    finally:
        Node.start_api_server = start


@contextmanager
def _mute_stderr() -> Iterator[None]:
    """Drop what is written to stderr, also by code that is not Python, such as the level of the log that Ray sets."""
    kept, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)


class Pipeline:
    """Gives tables to workers of the cluster that this process has joined, one at a time to each.

    `worker` is a class whose objects turn one table into another. Every process of the cluster makes one from the
    arguments and keeps it, so a model is loaded once. Ray Data gives out the tables, and again those of a process that
    died.
    """

    def __init__(self, worker: type, arguments: Sequence[Any]) -> None:
        import ray
        import ray.data

        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = context.print_on_execution_start = False
        context.raise_original_map_exception = True
        for name in ("ray", "ray.data"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        # Sent once to each machine, and not with every table.
        self._parts = ray.put((worker, (__version__, *arguments)))

    def run(self, tables: Sequence[pa.Table]) -> Iterator[pa.Table]:
        """Yield the results that are not empty, as they come.

        Raises the NarrativesError of a worker, and EngineError for all other failures.
        """
        import ray.data

        with convert_failures("a Ray cluster that does the work"):
            results = ray.data.from_arrow(list(tables)).map_batches(
                _run_worker,
                fn_args=(self._parts,),
                batch_size=None,  # a table as it is
                batch_format="pyarrow",
                num_cpus=1,
            )
            for table in results.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0):
                if table.num_rows:
                    yield table


_workers: dict[str, Any] = {}  # in a process of the cluster: its worker, by the id of what that was made from


def _run_worker(table: pa.Table, parts: Any) -> pa.Table:  # noqa: ANN401  # Ray's reference has no type
    import ray

    if parts.hex() not in _workers:
        worker, arguments = ray.get(parts)
        _workers.clear()  # an earlier stage is done, and its model can go
        _workers[parts.hex()] = worker(*arguments)
    return _workers[parts.hex()](table)


@contextmanager
def convert_failures(expected: str) -> Iterator[None]:
    """Convert every error of the block into the NarrativesError of a worker that caused it, or into an EngineError.

    Ray raises errors of many kinds, some of them plain exceptions.
    """
    try:
        yield
    except NarrativesError:
        raise
    except Exception as error:
        cause: BaseException | None = error
        while cause is not None:
            if isinstance(cause, NarrativesError):
                raise cause from error
            cause = getattr(cause, "cause", None) or cause.__cause__
        reason = str(error).strip().rpartition("\n")[2] or type(error).__name__
        hint = "Run the same command again: it continues where it stopped. Without --engine ray, no cluster is needed."
        raise EngineError(expected, reason, hint) from error
