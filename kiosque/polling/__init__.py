"""When a feed is asked next, and what its state is: pure decisions, each with its reason.

The shell asks (`request_headers`), reads the answer into a `Poll`, calls `decide` and stores the `FeedState`.
"""

from __future__ import annotations

from kiosque.polling.children import with_child
from kiosque.polling.decide import CLAIM_TIME, claimed, decide, explain, request_headers
from kiosque.polling.jumps import mended
from kiosque.polling.rhythm import Rhythm
from kiosque.polling.state import Bounds, FeedState, Health, Poll, new_feed

__all__ = [
    "CLAIM_TIME",
    "Bounds",
    "FeedState",
    "Health",
    "Poll",
    "Rhythm",
    "claimed",
    "decide",
    "explain",
    "mended",
    "new_feed",
    "request_headers",
    "with_child",
]
