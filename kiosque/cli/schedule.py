"""`kiosque schedule`: the service."""

from __future__ import annotations

import logging
import signal
import threading
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from kiosque.cli.logs import log_to_stderr
from kiosque.errors import KiosqueError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kiosque.model import Outlet
    from kiosque.settings import Settings
    from storage.turn import Turn

log = logging.getLogger("kiosque.schedule")

# Between two tries of a scheduler in waiting, in seconds.
TRY_EVERY = 1.0
# A scheduler in waiting says who it waits for when that changes, and so often.
SAY_EVERY = 600.0


def schedule(
    context: typer.Context,
    outlets: Annotated[
        list[str] | None, typer.Argument(metavar="[OUTLET]...", help="Slugs of outlets [default: all]")
    ] = None,
    *,
    standby: Annotated[
        bool, typer.Option("--standby", help="Where another scheduler has the store, wait and take over")
    ] = False,
) -> None:
    """Poll the feeds when they are due, day and night, until SIGTERM or Ctrl-C. SIGHUP reads changed files again.

    Example: kiosque --home /var/lib/kiosque schedule
    """
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until it means something: it would end the process
    settings: Settings = context.obj.settings()
    log_to_stderr(own_level=logging.INFO, form=settings.log_format)
    from kiosque.outlets import load_outlets
    from scheduler import taken

    choose = partial(chosen, outlets or [])
    slugs = choose(load_outlets(settings.outlets_dir), settings)  # what is wrong is said before anything starts
    turn = waited_for(settings) if standby else taken(settings)
    if turn is None:
        return
    from pipelines.newsroom import Newsroom
    from scheduler import run_service

    try:
        if standby:  # much may have changed since it began to wait
            settings = context.obj.settings()
            slugs = choose(load_outlets(settings.outlets_dir), settings)
        newsroom = Newsroom.open(settings)
    except BaseException:
        turn.release()
        raise
    run = run_service(newsroom, slugs, turn=turn, read=context.obj.settings, choose=choose)
    if newsroom.trouble is not None:
        raise newsroom.trouble
    if run.stopped_by == signal.SIGINT:
        raise KeyboardInterrupt


def chosen(asked: list[str], outlets: Mapping[str, Outlet], settings: Settings) -> list[str]:
    """Return the slugs that are scheduled. Raises `UsageError` for one that is unknown, or when none may be asked."""
    from kiosque.cli.crawl import NO_CONTACT, reachable
    from spiders.plan import named

    wanted = [named(slug, outlets) for slug in asked] if asked else list(outlets.values())
    slugs = sorted(outlet.slug for outlet in wanted if reachable(outlet, settings))
    if not slugs:
        raise UsageError(NO_CONTACT)
    if left := len(wanted) - len(slugs):
        logging.getLogger("kiosque").warning("%d outlets are left out: %s", left, NO_CONTACT)
    return slugs


def waited_for(settings: Settings) -> Turn | None:
    """Wait until the store is free and take its turn; None when a signal ended the waiting.

    Raises `KeyboardInterrupt` at Ctrl-C. A database that is away is waited for, too.
    """
    import time

    from kiosque.service.sd_notify import notify, watchdog_seconds
    from storage.turn import turn_of

    turn, ended = turn_of(settings.database, settings.home), threading.Event()
    before = signal.signal(signal.SIGTERM, lambda *_: ended.set())
    notify("READY=1", "STATUS=waiting for the other scheduler")
    said, said_at, kept_at = "", 0.0, time.monotonic()  # one that comes new waits behind those that wait already
    try:
        while not ended.is_set():
            now = time.monotonic()
            try:
                free = turn.is_free()
                if free and now - kept_at >= turn.patience and turn.take():
                    log.info("this scheduler has the store now")
                    return turn
                why = f"another scheduler has the store ({turn.holder()})"
            except KiosqueError as error:
                free, why = False, str(error)
            kept_at = kept_at if free else now
            if not (free and turn.patience) and (why != said or now - said_at > SAY_EVERY):
                log.info("standing by: %s", why)
                said, said_at = why, now
            if watchdog_seconds() is not None:
                notify("WATCHDOG=1")
            ended.wait(TRY_EVERY)
    finally:
        signal.signal(signal.SIGTERM, before)
    turn.release()
    return None
