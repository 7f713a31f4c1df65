"""A bulk rereading on a Dask cluster: a task for each WARC file, a bounded number at once."""

from __future__ import annotations

import signal
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import dask
import msgspec
from distributed import Client, Future, LocalCluster, get_worker, wait

from kiosque import __version__
from kiosque.errors import KiosqueError, UsageError
from pipelines import bulk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from threading import Event

    from pipelines.bulk import Order

# What our own cluster does otherwise: its workers read hostile pages in processes of their own, and nobody looks at
# profiles of threads that wait for these, or at how late its event loops are fifty times a second.
OURS = {
    "distributed.worker.daemon": False,
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.system-monitor.interval": "10s",
}
TOPIC = "kiosque-reread"
# Files handed to the cluster ahead of those that are read, for each thread of it.
AHEAD = 3
# Seconds: between two looks, for a worker to appear, for the files under way to end once somebody has had enough.
LOOK, PATIENCE, STOP_TIME = 0.5, 15.0, 30.0


@contextmanager
def connected(scheduler: str | None, *, workers: int) -> Iterator[Any]:
    """Give a client of the cluster at an address, or of a local one of so many processes.

    Raises `UsageError` when nobody answers there, or its workers cannot do our work.
    """
    if scheduler is None:
        with dask.config.set(OURS), _local(workers) as cluster, Client(cluster) as client:
            yield client
        return
    try:
        client = Client(scheduler, timeout=PATIENCE)
    except (OSError, ValueError, TypeError) as error:
        raise UsageError(f"--scheduler {scheduler!r}: no Dask scheduler answers there ({error})") from error
    with client:
        _check(client, scheduler)
        yield client


def _local(workers: int) -> Any:
    # A terminal's Ctrl-C and a service's SIGTERM go to every process. This one tells the workers to stop; what ignores
    # a signal when it begins, as they do then, ignores it for good.
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        return LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            worker_dashboard_address="127.0.0.1:0",
            memory_limit=0,  # a task bounds its own; Dask would count what libraries of all processes share
        )
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _check(client: Any, scheduler: str) -> None:
    where = f"--scheduler {scheduler!r}:"
    try:
        client.wait_for_workers(1, timeout=PATIENCE)
        found = client.run(versions)
    except TimeoutError as error:
        raise UsageError(f"{where} it has no workers") from error
    except ImportError as error:
        raise UsageError(f"{where} its workers need Kiosque {__version__}, with its extra dask ({error})") from error
    for worker, (version, daemon) in found.items():
        if version != __version__:
            raise UsageError(f"{where} {worker} has Kiosque {version}, here is {__version__}")
        if daemon:
            raise UsageError(f"{where} {worker}: {bulk.NO_CHILDREN}")


def versions() -> tuple[str, bool]:
    """Return the version that a worker has, and whether it may start no processes."""
    import multiprocessing  # noqa: PLC0415 - runs elsewhere

    return __version__, multiprocessing.current_process().daemon


def task(order: dict[str, Any], rules: str) -> dict[str, Any]:
    """Read a file, on a worker, and say how it goes."""
    worker, place = get_worker(), order["place"]
    return bulk.read_file(order, rules, said=lambda n: worker.log_event(TOPIC, {"place": place, "pages": n}))


def same(rules: str) -> str:
    """Return what is given: a task of its own, so that the cluster has the rules once and not with each file."""
    return rules


async def stop_run(run: str) -> None:
    """End a run, on a worker: its files end with the page under way."""
    bulk.STOPPED.add(run)


def read_files(
    client: Any,
    orders: Iterable[Order],
    rules: str,
    *,
    stop: Event,
    said: Callable[[str, int], None] = lambda _place, _pages: None,
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield `(place, summary)` of each file as it ends; a file that no worker survives has its problem said.

    Once `stop` is set, the files under way end soon, and no more are begun. Raises `KiosqueError` when the cluster goes
    away, and when a file met what stops every other one too.
    """
    client.subscribe_topic(TOPIC, lambda event: said(str(event[1]["place"]), int(event[1]["pages"])))
    shared = client.submit(same, rules, pure=False)
    run = _Run(client=client, rules=shared, stop=stop)
    try:
        yield from run.results(iter(orders))
    finally:
        with suppress(Exception):  # a cluster that is gone has nothing to stop
            client.run(stop_run, run.name, wait=False)
            client.unsubscribe_topic(TOPIC)
            client.cancel([shared, *run.under_way])


class _Run:
    """The files under way."""

    def __init__(self, *, client: Any, rules: Any, stop: Event) -> None:
        self.client, self.stop = client, stop
        self.name = ""
        self.under_way: dict[Future[Any], str] = {}
        self._rules = rules

    def results(self, orders: Iterator[Order]) -> Iterator[tuple[str, dict[str, Any]]]:
        """Keep the cluster busy until all is read or somebody stops it."""
        stopped: float | None = None
        while True:
            if not self.stop.is_set():
                self._hand_out(orders)
            elif stopped is None:
                stopped = time.monotonic()
                self.client.run(stop_run, self.name, wait=False)  # one may be dying
            if not self.under_way or (stopped is not None and time.monotonic() - stopped > STOP_TIME):
                return
            for future in self._ended():
                place = self.under_way.pop(future)
                yield place, self._summary(future, place)

    def _hand_out(self, orders: Iterator[Order]) -> None:
        threads = sum(self.client.nthreads().values()) or 1
        while len(self.under_way) < AHEAD * threads and (order := next(orders, None)) is not None:
            self.name = order.run
            future = self.client.submit(task, msgspec.to_builtins(order), self._rules, pure=False)
            self.under_way[future] = order.place

    def _ended(self) -> list[Future[Any]]:
        try:
            wait(list(self.under_way), timeout=LOOK, return_when="FIRST_COMPLETED")
        except TimeoutError:
            pass
        except Exception as error:
            raise KiosqueError(f"the Dask cluster went away: {error}") from error
        if self.client.status not in {"running", "connecting"}:
            raise KiosqueError("the Dask cluster went away; what is done stays done, the same call goes on")
        return [future for future in self.under_way if future.done()]

    def _summary(self, future: Future[Any], place: str) -> dict[str, Any]:
        try:
            found: dict[str, Any] = future.result()
        except Exception as error:
            if future.cancelled():
                raise KiosqueError("the Dask cluster dropped its work; the same call goes on") from error
            return {"problems": [f"{place}: its workers died or failed: {type(error).__name__}"], "done": False}
        if found.get("fault"):
            raise KiosqueError(str(found["fault"]))
        return found
