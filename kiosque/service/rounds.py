"""The rounds of the service: a look at its own health with alerts, the nightly export, the archive's retention."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from typing import TYPE_CHECKING

from kiosque.errors import KiosqueError
from kiosque.service import incidents
from kiosque.service.alerts import AlertError, send
from kiosque.service.look import Look, look_at
from storage import open_storage
from storage.notes import read_note, write_notes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from kiosque.model import Outlet
    from kiosque.service.incidents import Incident
    from kiosque.settings import Settings

log = logging.getLogger("kiosque.schedule")

# An alert that is not delivered by then is tried again at the next look.
ALERT_SECONDS = 60.0
# The most of what a failed export said that is kept.
LONGEST_SAID = 300


def look_into(
    database: str,
    outlets: Mapping[str, Outlet],
    *,
    now: datetime,
    last: Look | None = None,
    archive: Path | None = None,
) -> tuple[Look, tuple[Incident, ...]]:
    """Look into a store over a connection of its own; return what was seen, and the incidents known so far."""
    store = open_storage(database)
    try:
        seen = look_at(store, outlets, now=now, last=last, archive=archive)
        return seen, incidents.decode(read_note(store, incidents.KEY))
    finally:
        store.close()


def keep_incidents(database: str, known: tuple[Incident, ...]) -> None:
    """Write incidents down."""
    store = open_storage(database)
    try:
        write_notes(store, {incidents.KEY: incidents.encode(known)})
    finally:
        store.close()


async def check_health(
    settings: Settings, outlets: Mapping[str, Outlet], *, now: datetime, last: Look | None = None
) -> Look:
    """Look at everything, follow the incidents, tell what is new. Raises `AlertError` when nobody could be told."""
    archive = settings.home / "archive" if settings.archive_folder and settings.archive_enabled else None
    seen, before = await asyncio.to_thread(look_into, settings.database, outlets, now=now, last=last, archive=archive)
    after = incidents.follow(before, seen.findings, now=now)
    said = incidents.news(after)
    error: AlertError | None = None
    if said and (settings.alerts_webhook or settings.alerts_email):
        try:
            async with asyncio.timeout(ALERT_SECONDS):
                complaints = await asyncio.to_thread(send, said, settings, now=now)
        except TimeoutError:
            error = AlertError(f"no alert could be delivered within {ALERT_SECONDS:.0f} s")
        except AlertError as problem:
            error = problem
        else:
            for complaint in complaints:
                log.warning("an alert went one way, not the other: %s", complaint)
            after = incidents.told(after, said)
    if after != before:
        await asyncio.to_thread(keep_incidents, settings.database, after)
    if error is not None:
        raise error
    return seen


async def export(settings: Settings) -> None:
    """Write the dataset in a process of its own: what it needs of memory and time is not the crawl's."""
    if settings.export_folder is None:
        return
    command = [sys.executable, "-m", "kiosque", "--home", str(settings.home)]
    command += ["export", settings.export_folder, "--format", settings.export_format]
    # The database's password stands in no list of processes.
    environment = os.environ | {"KIOSQUE_DB": settings.database}
    process = await asyncio.create_subprocess_exec(
        *command, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        out, err = await process.communicate()
    finally:
        if process.returncode is None:  # the service stops
            process.terminate()
    if process.returncode != 0:
        said = err.decode(errors="replace").strip().splitlines()
        raise KiosqueError(f"the export failed: {said[-1][:LONGEST_SAID] if said else process.returncode}")
    log.info("exported: %s", out.decode(errors="replace").strip()[:LONGEST_SAID])
