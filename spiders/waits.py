"""Hosts that are left alone, kept in the store: whoever asked us to wait is not asked again because we started anew."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from kiosque.errors import StorageError
from storage.notes import read_note, write_notes

if TYPE_CHECKING:
    from pipelines.newsroom import Newsroom
    from storage import Store

NOTE = "hosts-left-alone"
# What is kept: the longest waits, when more hosts than this refuse us.
MOST = 1_000
# No wait that is read from the store is longer, whatever stands there.
LONGEST = timedelta(days=2)

log = logging.getLogger("kiosque.crawl")


class Wait(msgspec.Struct, frozen=True):
    """Until when a host is left alone, and why."""

    until: datetime
    why: str


def waits(store: Store, *, now: datetime) -> dict[str, Wait]:
    """Return the hosts that are still to be left alone; what cannot be read is nothing."""
    try:
        kept = msgspec.json.decode(read_note(store, NOTE) or "{}", type=dict[str, Wait])
    except msgspec.DecodeError:
        return {}
    return {
        host: Wait(until=min(wait.until, now + LONGEST), why=wait.why)
        for host, wait in kept.items()
        if wait.until.tzinfo is not None and wait.until > now
    }


def keep_wait(store: Store, host: str, wait: Wait, *, now: datetime) -> None:
    """Keep one host's wait beside those of others, and forget those that are over."""
    with store.transaction():
        known = waits(store, now=now) | {host: wait}
        longest = sorted(known.items(), key=lambda one: one[1].until, reverse=True)[:MOST]
        write_notes(store, {NOTE: msgspec.json.encode(dict(longest)).decode()})


class Ledger:
    """The waits of a crawl's store, asked and written in the keeper's thread."""

    def __init__(self, newsroom: Newsroom) -> None:
        self._newsroom = newsroom
        self._writing: set[asyncio.Task[None]] = set()

    def known(self) -> dict[str, tuple[float, str]]:
        """Return for how many seconds hosts are still to be left alone, and why; nothing from a store that is away."""
        now = self._newsroom.clock.now()
        keeper = self._newsroom.keeper
        try:
            kept = keeper.call(waits, keeper.store, now=now)
        except StorageError:
            return {}
        return {host: ((wait.until - now).total_seconds(), wait.why) for host, wait in kept.items()}

    def keep(self, host: str, seconds: float, why: str) -> None:
        """Keep a host's wait, soon."""
        now = self._newsroom.clock.now()
        wait = Wait(until=now + timedelta(seconds=seconds), why=why[:200])
        task = asyncio.create_task(self._write(host, wait, now))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def _write(self, host: str, wait: Wait, now: datetime) -> None:
        keeper = self._newsroom.keeper
        try:
            await keeper.ask(keep_wait, keeper.store, host, wait, now=now)
        except StorageError as error:  # the crawl goes on with what it knows itself
            log.warning("how long %s is left alone was not kept: %s", host, error)
