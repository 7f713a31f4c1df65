"""Why a feed's next poll is when it is, in French: every sentence that polling makes is known."""

from __future__ import annotations

import pytest
from test_polling import HTML, NEW, OK, answer, hours_before, step

from kiosque.feeds import FeedReading
from kiosque.polling import Poll

pytest.importorskip("fastapi", reason="the dashboard needs kiosque[dashboard]")

from kiosque.dashboard.reasons import reason_words

FAILURES = (
    *("timeout", "dns", "robots", "private-address", "scheme", "bad-url", "reserved"),
    *("robots-unread", "host-waits", "challenge"),
)
AFTER = {
    "new": NEW,
    "busy": OK,
    "unknown rhythm": step(NEW, answer()),
    "slow": step(NEW, answer(published=hours_before(400, 800, 1200))),
    "steady": step(NEW, answer(published=hours_before(*range(1, 100, 3)))),
    "old": step(NEW, answer(published=hours_before(9_000))),
    "empty": step(NEW, answer(FeedReading(kind="rss"))),
    "not modified": step(OK, Poll(status=304)),
    "the same": step(OK, Poll(status=200, body_hash="h1")),
    "server's cache": step(NEW, answer(headers={"cache-control": "max-age=80000"})),
    "html": step(NEW, answer(HTML)),
    "not understood": step(NEW, Poll(status=200, reading=FeedReading(problem="bad-xml"))),
    "refused": step(step(NEW, Poll(status=403)), Poll(status=403)),
    "busy server": step(NEW, Poll(status=503, headers=(("retry-after", "900"),))),
    "broken server": step(step(NEW, Poll(status=500)), Poll(status=500)),
    "410 once": step(NEW, Poll(status=410)),
    "410 twice": step(step(NEW, Poll(status=410)), Poll(status=410)),
} | {failure: step(NEW, Poll(failure=failure)) for failure in FAILURES}


@pytest.mark.parametrize("name", AFTER)
def test_every_reason_is_said_in_french(name):
    reason = AFTER[name].reason
    french, language = reason_words(reason, "fr")
    assert (reason, language) == (reason, "fr")
    assert not {"the", "asked", "server", "feed", "its", "days"} & set(french.lower().replace(".", " ").split())
    assert reason_words(reason, "en") == (reason, "en")


def test_times_and_what_is_said_inside_are_french_too():
    reason = step(step(NEW, Poll(failure="robots")), Poll(failure="robots")).reason
    assert reason_words(reason, "fr")[0].startswith(
        "Non demandé\u00a0: robots.txt ne le permet pas, 2 fois de suite. Redemandé après "
    )
    nested = "Asked with its sitemap https://x.example/s.xml: 3 entries. Asked again after 2.5 days."
    assert reason_words(nested, "fr")[0] == (
        "Demandé avec son sitemap https://x.example/s.xml\u00a0: 3 entrées. Redemandé après 2,5 jours."
    )


@pytest.mark.parametrize("reason", ["", "What a parser says. 3 entries.", "a" * 5_000, "Not asked: " * 90, "x{n}{0}"])
def test_what_is_not_known_stays_as_it_is(reason):
    assert reason_words(reason, "fr") == (reason, "en")
