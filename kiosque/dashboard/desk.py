"""What every request leans on: the store, the outlets, and numbers that are counted once for a while."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request

from kiosque.dashboard.reread import Way
from kiosque.service.look import look_at

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kiosque.dashboard.reread import Rereader
    from kiosque.model import Outlet, Record
    from kiosque.service.look import Look
    from storage import Store

# Seconds that counted numbers are shown: many readers cost the store no more than one.
FRESH = 15.0


@dataclass(slots=True, kw_only=True)
class Desk:
    """The shell's hands: requests come in several threads."""

    store: Store
    outlets: Mapping[str, Outlet]
    rereader: Rereader | None = None
    """None where there is no archive to read from."""
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _last: tuple[float, Look] | None = None

    def counted(self) -> Look:
        """Return the numbers of all crawled outlets and what is to be said of them, counted anew when they are old."""
        with self._lock:
            if self._last is None or time.monotonic() - self._last[0] > FRESH:
                self._last = (time.monotonic(), look_at(self.store, self.outlets, now=datetime.now(UTC)))
            return self._last[1]

    @property
    def names(self) -> dict[str, str]:
        """The name of each outlet that has a file."""
        return {slug: outlet.name for slug, outlet in self.outlets.items()}

    def way(self, record: Record) -> Way:
        """Read a record's archived page again, or say why that cannot be."""
        if self.rereader is None:
            return Way(missing="no-archive")
        learned = self.store.learned(record.outlet)
        return self.rereader.way(record, outlet=self.outlets.get(record.outlet), learned=learned)


def desk_of(request: Request) -> Desk:
    """Return the application's desk."""
    desk: Desk = request.app.state.desk
    return desk


At = Annotated[Desk, Depends(desk_of)]
