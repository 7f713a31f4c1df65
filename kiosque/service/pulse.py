"""The pulse: beats beside the crawl, tells systemd, sees clock jumps, keeps the scheduler's turn, writes the note."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from typing import TYPE_CHECKING

from kiosque.clock import jumped
from kiosque.service.sd_notify import notify, watchdog_seconds

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from kiosque.service.vitals import Vitals
    from storage.turn import Turn

log = logging.getLogger("kiosque.schedule")

BEAT, TURN_EVERY, NOTE_EVERY = 1.0, 2.0, 30.0


async def pulse(
    vitals: Vitals,
    *,
    turn: Turn | None,
    write_note: Callable[[], Awaitable[None]],
    clock_was_set: Callable[[], None],
    lost: Callable[[], None],
) -> None:
    """Beat until cancelled. `lost` is called when another scheduler took the store."""
    watched = watchdog_seconds()
    turn_look = asyncio.create_task(_keep_turn(vitals, turn, lost)) if turn is not None else None
    notes = asyncio.create_task(_keep_note(vitals, write_note))
    wall, steady, told = time.time(), time.monotonic(), 0.0
    try:
        while True:
            await asyncio.sleep(BEAT)
            vitals.beat = time.monotonic()
            if jumped(wall=time.time() - wall, steady=vitals.beat - steady):
                log.warning(
                    "the clock was set, or the machine slept: %+.0f s", time.time() - wall - (vitals.beat - steady)
                )
                clock_was_set()
            wall, steady = time.time(), vitals.beat
            if watched is not None and steady - told > watched / 3:
                notify("WATCHDOG=1")
                told = steady
    finally:
        for task in (turn_look, notes):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task


async def _keep_turn(vitals: Vitals, turn: Turn, lost: Callable[[], None]) -> None:
    while True:
        await asyncio.sleep(TURN_EVERY)
        before, vitals.hold = vitals.hold, await asyncio.to_thread(turn.check)
        if vitals.hold != before:
            log.warning("the scheduler's turn: %s", vitals.hold)
        if vitals.hold == "lost":
            lost()
            return


async def _keep_note(vitals: Vitals, write_note: Callable[[], Awaitable[None]]) -> None:
    while True:
        await write_note()
        vitals.store_answered = time.monotonic()
        await asyncio.sleep(NOTE_EVERY)
