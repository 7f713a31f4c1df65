"""`kiosque worker`: one of many machines that share one PostgreSQL."""

from __future__ import annotations

import logging
import signal
import time
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from kiosque.cli.logs import log_to_stderr

if TYPE_CHECKING:
    from kiosque.settings import Settings

log = logging.getLogger("kiosque.worker")

# Between two tries to reach a database that is away, in seconds.
TRY_EVERY = 2.0


def worker(
    context: typer.Context,
    outlets: Annotated[
        list[str] | None,
        typer.Argument(metavar="[OUTLET]...", help="Slugs of outlets, the same for all [default: all]"),
    ] = None,
) -> None:
    """Crawl together with other workers on one PostgreSQL, a site at a time, until SIGTERM or Ctrl-C.

    SIGHUP reads changed files again.

    Example: kiosque --db postgresql://kiosque@db.example/press worker
    """
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until it means something: it would end the process
    settings: Settings = context.obj.settings()
    log_to_stderr(own_level=logging.INFO, form=settings.log_format)
    from storage.queue_schema import make_queue, require

    require(settings.database)
    from kiosque.cli.schedule import chosen
    from kiosque.outlets import load_outlets

    choose = partial(chosen, outlets or [])
    slugs = choose(load_outlets(settings.outlets_dir), settings)  # what is wrong is said before anything starts
    from pipelines.newsroom import Newsroom
    from scheduler import run_worker
    from storage import StoreAwayError

    while True:
        try:
            make_queue(settings.database)
            newsroom = Newsroom.open(settings)
            break
        except StoreAwayError as error:  # workers and database start in any order
            log.warning("%s; trying again in %.0f s", error, TRY_EVERY)
            time.sleep(TRY_EVERY)
    run = run_worker(newsroom, slugs, read=context.obj.settings, choose=choose)
    if newsroom.trouble is not None:
        raise newsroom.trouble
    if run.stopped_by == signal.SIGINT:
        raise KeyboardInterrupt
