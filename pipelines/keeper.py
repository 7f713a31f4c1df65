"""The keeper: one thread that decides and writes, in batches, so that the event loop never waits for a disk."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from kiosque import __version__
from pipelines.conclude import Finding, conclude, wanted_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from kiosque.model import FeedEntry
    from kiosque.polling import FeedState
    from storage import Enqueued, Settled, Store

# Findings written in one transaction; more only wait, they are not lost.
BATCH = 100

P = ParamSpec("P")
T = TypeVar("T")


class Keeper:
    """Settles findings in the store. What arrives while a batch is being written makes the next one."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="keeper")
        self._waiting: list[tuple[Finding, asyncio.Future[Settled]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def ask(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a method of the store in the keeper's thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: function(*args, **kwargs))

    async def keep(self, finding: Finding) -> Settled:
        """Settle a finding: returns when it is in the store. Raises StorageError when it could not be written."""
        future: asyncio.Future[Settled] = asyncio.get_running_loop().create_future()
        self._waiting.append((finding, future))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        return await future

    async def note_poll(
        self, state: FeedState, outlet: str, entries: Sequence[tuple[str, FeedEntry]], *, at: datetime
    ) -> Enqueued:
        """Keep a feed's state and queue its entries, together: no entry is lost between the two."""
        return await self.ask(self._note_poll, state, outlet, entries, at=at)

    def _note_poll(
        self, state: FeedState, outlet: str, entries: Sequence[tuple[str, FeedEntry]], *, at: datetime
    ) -> Enqueued:
        with self.store.transaction():
            self.store.save_feed(state)
            return self.store.enqueue(outlet, entries, at=at)

    async def _write(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
            try:
                settled = await self.ask(self._settle, [finding for finding, _ in batch])
            except Exception as error:  # noqa: BLE001 - whoever handed in a finding learns of it
                for _, future in batch:
                    if not future.done():
                        future.set_exception(error)
                continue
            for (_, future), one in zip(batch, settled, strict=True):
                if not future.done():
                    future.set_result(one)

    def _settle(self, findings: Sequence[Finding]) -> list[Settled]:
        with self.store.transaction():
            known = self.store.known({key for finding in findings for key in wanted_keys(finding)})
            settled = []
            for finding in findings:
                one = conclude(finding, known, version=__version__)
                settled.append(one)
                if one.record is not None:  # the next finding of this batch may be the same article
                    known |= dict.fromkeys((address.key for address in one.addresses), one.record)
            self.store.settle(settled)
        return settled

    def close(self) -> None:
        """Finish what is being written, and let go of the store."""
        self._thread.submit(self.store.close).result()
        self._thread.shutdown()
