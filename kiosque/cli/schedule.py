"""`kiosque schedule`: the service."""

from __future__ import annotations

import logging
import signal
from typing import TYPE_CHECKING, Annotated

import typer

from kiosque.cli.logs import log_to_stderr
from kiosque.errors import KiosqueError, UsageError

if TYPE_CHECKING:
    from kiosque.settings import Settings


def schedule(
    context: typer.Context,
    outlets: Annotated[
        list[str] | None, typer.Argument(metavar="[OUTLET]...", help="Slugs of outlets [default: all]")
    ] = None,
) -> None:
    """Poll the feeds when they are due, day and night, until SIGTERM or Ctrl-C.

    Example: kiosque --home /var/lib/kiosque schedule
    """
    settings: Settings = context.obj.settings()
    log_to_stderr(own_level=logging.INFO)
    from kiosque.cli.crawl import NO_CONTACT, reachable
    from pipelines.newsroom import Newsroom
    from scheduler import run_service
    from spiders.plan import named

    newsroom = Newsroom.open(settings)
    try:
        chosen = [named(slug, newsroom.outlets) for slug in outlets or newsroom.outlets]
        slugs = sorted(outlet.slug for outlet in chosen if reachable(outlet, settings))
        if not slugs:
            raise UsageError(NO_CONTACT)
    except KiosqueError:
        newsroom.close(now=True)
        raise
    if left := len(chosen) - len(slugs):
        logging.getLogger("kiosque").warning("%d outlets are left out: %s", left, NO_CONTACT)
    run = run_service(newsroom, slugs)
    if newsroom.trouble is not None:
        raise newsroom.trouble
    if run.stopped_by == signal.SIGINT:
        raise KeyboardInterrupt
