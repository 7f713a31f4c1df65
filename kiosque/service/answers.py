"""What a service or a worker answers while it runs: /metrics, /healthz and /readyz."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from kiosque.service.probes import METRICS, OK, Probes, state_answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kiosque.service.metrics import Seen
    from kiosque.service.note import JobRun
    from kiosque.service.vitals import Vitals
    from pipelines.newsroom import Newsroom
    from spiders.press import PressSpider

log = logging.getLogger("kiosque.schedule")


def answering(
    newsroom: Newsroom, spider: PressSpider, vitals: Vitals, *, jobs: Callable[[], Iterable[JobRun]]
) -> tuple[Probes, Seen]:
    """Answer /metrics, /healthz and /readyz from now on; return what answers, and what it sees."""
    from kiosque.service.metrics import Seen, exposition  # noqa: PLC0415 - not everybody has the library

    seen = Seen(
        tally=newsroom.tally,
        vitals=vitals,
        jobs=jobs,
        now=lambda: newsroom.clock.now().timestamp(),
        waiting=lambda: spider.inbox.qsize() if spider.inbox else 0,
    )
    answers = {
        "/metrics": lambda: (OK, METRICS, exposition(seen)),
        "/healthz": state_answer(vitals.sick),
        "/readyz": state_answer(vitals.unready),
    }
    probes = Probes(newsroom.settings.metrics_listen, answers)
    log.info("metrics: port %d", probes.port)
    return probes, seen
