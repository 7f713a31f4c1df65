"""Changed files take effect without a restart: kiosque.toml, the outlets' own files; a broken one changes nothing."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

from kiosque.errors import KiosqueError
from kiosque.outlets import load_outlets
from kiosque.settings import FILE_NAME, KEYS, Settings

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from kiosque.model import Outlet

log = logging.getLogger("kiosque.schedule")

# Between two looks at the files, in seconds.
FILES_EVERY = 5.0

# What is asked of the settings each time that it is needed. The others are given to Scrapy, the worker pool, the store
# and the archive when they start.
AT_ONCE = frozenset(
    {
        "archive_keep_days",
        "archive_keep_gb",
        "poll_min",
        "poll_max",
        "tick",
        "health_every",
        "revisit_after",
        "revisit_days",
        "stop_time",
        "export_folder",
        "export_format",
        "export_at",
        *(field.name for field in fields(Settings) if field.name.startswith("alerts_")),
    }
)
# A file that is being written is left alone until two looks see it the same.
Look = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the files say now."""

    settings: Settings
    outlets: Mapping[str, Outlet]
    slugs: tuple[str, ...]
    """The outlets to be crawled."""


def look(settings: Settings) -> Look:
    """Return what can be seen of the files without reading them."""
    folder = settings.outlets_dir or settings.home / "outlets"
    return tuple(
        (str(path), stat.st_mtime_ns, stat.st_size)
        for path in (settings.home / FILE_NAME, *sorted(folder.glob("*.toml")))
        if (stat := _stat(path)) is not None
    )


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None


def merged(old: Settings, new: Settings) -> tuple[Settings, tuple[str, ...]]:
    """Return the settings that hold from now on, and the keys of those that need a restart.

    >>> now, later = merged(Settings(), Settings(poll_min=60.0, concurrency=4))
    >>> now.poll_min, now.concurrency, later
    (60.0, 32, ('crawl.concurrency',))
    """
    changed = {field.name for field in KEYS.values() if getattr(old, field.name) != getattr(new, field.name)}
    now = replace(old, **{name: getattr(new, name) for name in changed & AT_ONCE})
    later = sorted(key for key, field in KEYS.items() if field.name in changed - AT_ONCE)
    return now, tuple(later)


class Reloader:
    """Reads the files again when they changed or somebody asks; tells `apply` what they say."""

    def __init__(
        self,
        settings: Settings,
        *,
        read: Callable[[], Settings],
        choose: Callable[[Mapping[str, Outlet], Settings], list[str]],
        apply: Callable[[Wanted], None],
    ) -> None:
        """`choose` picks the outlets to crawl. `read` and `choose` raise `KiosqueError` for what cannot be used."""
        self._settings = settings
        self._read = read
        self._choose = choose
        self._apply = apply
        self._loaded = self._seen = look(settings)
        self.error: str | None = None
        """Why the last reading changed nothing; None when it did."""

    async def watch(self) -> None:
        """Reload if a file changed and is no longer being written."""
        before, self._seen = self._seen, await asyncio.to_thread(look, self._settings)
        if self._seen != self._loaded and self._seen == before:
            await self.reload()

    async def reload(self) -> None:
        """Read the files again; what cannot be used is said, and what runs goes on as it was."""
        self._loaded = await asyncio.to_thread(look, self._settings)
        try:
            wanted = await asyncio.to_thread(self._wanted)
        except KiosqueError as error:
            self.error = str(error)
            log.error("not reloaded, what ran before goes on: %s", error)  # noqa: TRY400 - its sentence says all
            return
        self.error = None
        self._settings = wanted.settings
        self._apply(wanted)
        log.info("reloaded: %d outlets", len(wanted.slugs))

    def _wanted(self) -> Wanted:
        settings = self._read()
        now, later = merged(self._settings, settings)
        if later:
            log.warning("changed, and used after a restart: %s", ", ".join(later))
        outlets = load_outlets(settings.outlets_dir)
        return Wanted(settings=now, outlets=outlets, slugs=tuple(self._choose(outlets, now)))


async def keep_watching(reloader: Reloader) -> None:
    """Go on with what changed files say, at once after SIGHUP, until cancelled."""
    asked, loop = asyncio.Event(), asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, asked.set)
    try:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asked.wait(), FILES_EVERY)
            await (reloader.reload() if asked.is_set() else reloader.watch())
            asked.clear()
    finally:
        loop.remove_signal_handler(signal.SIGHUP)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # it ends nothing that stops already
