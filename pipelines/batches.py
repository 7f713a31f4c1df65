"""Batches: what arrives within a moment, or while one batch is being written, makes the next one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

T = TypeVar("T")
R = TypeVar("R")


class Batches(Generic[T, R]):
    """Hands things to `write`, many at once; each who brought one waits for what came of it.

    `size` is how many make a batch at most, `most` how many may wait: whoever brings more waits to bring it.
    `moment` is how many seconds a batch that is not full waits for company: a batch costs its transaction, whether
    it holds one thing or forty.
    """

    def __init__(
        self, write: Callable[[Sequence[T]], Awaitable[Sequence[R]]], *, size: int, most: int, moment: float = 0.0
    ) -> None:
        self._write = write
        self._size = size
        self._moment = moment
        self._waiting: list[tuple[T, asyncio.Future[R]]] = []
        self._room = asyncio.Semaphore(most)
        self._writer: asyncio.Task[None] | None = None

    async def add(self, thing: T) -> R:
        """Have a thing written; returns when it is. Raises what `write` raised for its batch."""
        async with self._room:
            future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
            self._waiting.append((thing, future))
            if self._writer is None or self._writer.done():
                self._writer = asyncio.create_task(self._work_off())
            return await future

    async def _work_off(self) -> None:
        while self._waiting:
            if len(self._waiting) < self._size and self._moment:
                await asyncio.sleep(self._moment)
            batch, self._waiting = self._waiting[: self._size], self._waiting[self._size :]
            try:
                came = await self._write([thing for thing, _ in batch])
            except Exception as error:  # noqa: BLE001 - whoever brought a thing learns of it
                for _, future in batch:
                    if not future.done():
                        future.set_exception(error)
                continue
            for (_, future), one in zip(batch, came, strict=True):
                if not future.done():
                    future.set_result(one)
