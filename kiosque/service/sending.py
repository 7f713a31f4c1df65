"""The archive's way to object storage beside a crawl: a process of its own each time that a file is finished."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import sys
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from kiosque.errors import KiosqueError, StorageError
from pipelines.archivist import home_archive
from storage import open_storage
from storage.hold import finished
from storage.sending import Sent, alone, send_finished
from storage.unsent import note, unsent

if TYPE_CHECKING:
    from collections.abc import Callable

    from kiosque.settings import Settings
    from storage import Store

log = logging.getLogger("kiosque.archive")

# Seconds to the first look, between two, and after failures: twice as long each time, up to the last.
FIRST, EVERY, AGAIN, LONGEST_WAIT = 3.0, 20.0, 30.0, 1_800.0
# A round that takes longer hangs: a folder on a network that is gone answers never. Seconds.
LONGEST_ROUND = 6 * 3_600.0
# The most of what a failed round said that is logged.
LONGEST_SAID = 400


def send_home(settings: Settings, *, said: Callable[[str], None] = lambda _: None) -> Sent | None:
    """Send a home's finished files, delete what need not be kept, and note what still waits; None if another does it.

    Raises `StorageError` when the store does not answer, `UsageError` for a library that is missing.
    """
    archive = home_archive(settings)
    if archive.away is None:
        return Sent()
    with closing(open_storage(settings.database)) as store, alone(archive.folder) as is_ours:
        if not is_ours:
            return None
        sent = send_finished(archive.folder, archive.away, store, said=said)
        _note(store, settings, sent.problem)
        if sent.problem is None and sent.files:
            try:
                archive.prune(today=datetime.now(UTC).date())
            except StorageError as error:
                return replace(sent, undeleted=str(error))
        return sent


def _note(store: Store, settings: Settings, problem: str | None) -> None:
    folder = home_archive(settings).folder
    note(store, folder, unsent(folder, now=datetime.now(UTC), problem=problem))


async def keep_sending(settings: Callable[[], Settings]) -> None:
    """Look again and again for finished files, and have them sent. What fails is said once, and tried again.

    The settings are asked for each time: how long pages are kept may be changed while this runs.
    """
    if not settings().archive_folder or not settings().archive_enabled:
        return
    wait, failures, last, is_first = FIRST, 0, "", True
    while True:
        await asyncio.sleep(wait)
        wait = EVERY
        # At first in any case: what a killed run said of its files may no longer be so.
        if not is_first and not await asyncio.to_thread(finished, settings().home / "archive"):
            continue
        is_first = False
        try:
            await _send_apart(settings())
        except (KiosqueError, OSError) as error:
            failures += 1
            wait = min(LONGEST_WAIT, AGAIN * 2 ** (failures - 1))
            if str(error) != last:
                log.warning("the archive's files wait: %s", error)
            last = str(error)
        else:
            if failures:
                log.info("the archive's files are sent again")
            failures, last = 0, ""


async def _send_apart(settings: Settings) -> None:
    """Send in a process of its own: what it needs of memory and time is not the crawl's. Raises `KiosqueError`."""
    command = [sys.executable, "-m", "kiosque", "--home", str(settings.home), "archive", "send", "--json"]
    # Passwords stand in no list of processes.
    environment = os.environ | {
        "KIOSQUE_DB": settings.database,
        "KIOSQUE_ARCHIVE_FOLDER": settings.archive_folder or "",
        "KIOSQUE_ARCHIVE_KEEP_DAYS": str(settings.archive_keep_days),
        "KIOSQUE_ARCHIVE_KEEP_GB": str(settings.archive_keep_gb),
    }
    try:
        process = await asyncio.create_subprocess_exec(
            *command, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
    except OSError as error:
        raise StorageError(f"no process could be started to send the archive's files: {error.strerror}") from error
    try:
        out, err = await asyncio.wait_for(process.communicate(), LONGEST_ROUND)
    except TimeoutError:
        raise StorageError(f"sending took longer than {LONGEST_ROUND / 3600:.0f} h and was ended") from None
    finally:
        if process.returncode is None:  # the crawl ends; the next one goes on
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
    if process.returncode != 0:
        said = err.decode(errors="replace").strip().removeprefix("kiosque: ").splitlines()
        raise StorageError(said[-1][:LONGEST_SAID] if said else f"exit status {process.returncode}")
    with contextlib.suppress(ValueError, TypeError, KeyError):  # another process was at it, and says so
        found = json.loads(out)
        if found["sent"]["files"]:
            log.info("%d files of the archive sent to %s", found["sent"]["files"], found["folder"])
