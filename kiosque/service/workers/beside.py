"""Tasks beside a crawl: run something again and again, end several."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from kiosque.errors import KiosqueError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

log = logging.getLogger("kiosque.worker")


async def again_and_again(seconds: float, run: Callable[[], Awaitable[Any]]) -> None:
    """Run something so often; what a person can mend is said, and it is tried again."""
    while True:
        await asyncio.sleep(seconds)
        try:
            await run()
        except KiosqueError as error:
            log.warning("%s", error)


async def ended(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel tasks and wait until they have ended."""
    known = [*tasks]
    for task in known:
        task.cancel()
    if known:
        await asyncio.wait(known)
