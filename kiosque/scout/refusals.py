"""What an outcome means for a person who wants a site: one sentence each, with the way on where there is one."""

from __future__ import annotations

from urllib.parse import urlsplit

NO_FEED = (
    "{site} has no feed and no news sitemap that can be found ({tried} places tried); "
    "if you know one, give its address instead"
)
# The beginning of an outcome, the longest match first; {host} and {url} are filled in.
SENTENCES = {
    "blocked:robots": "{host} forbids us to crawl: its robots.txt closes {url} to Kiosque",
    "blocked:no-contact": "{host} was not asked: set KIOSQUE_CONTACT to a URL or e-mail address first",
    "blocked:private-address": "{host} is a private address; KIOSQUE_ALLOW_PRIVATE_HOSTS={netloc} allows it",
    "blocked:host-waits": "{host} asks us to wait; try again later",
    "blocked:scheme": "{url} is not an http or https address",
    "blocked": "{url} cannot be asked for ({outcome})",
    "failed:challenge": "{host} wants to see a browser, not a crawler that says its name: it forbids us",
    "failed:status-401": "{host} wants a password for {url}",
    "failed:status-403": "{host} forbids us {url} (status 403)",
    "failed:status-404": "there is no page at {url} (status 404)",
    "failed:status-410": "there is no page at {url} any more (status 410)",
    "failed:status-429": "{host} asks us to wait (status 429); try again later",
    "failed:status-451": "{host} may not show {url} for legal reasons (status 451)",
    "failed:status-5": "{host} is out of order ({outcome}); try again later",
    "failed:status": "{url} answers with {outcome}",
    "failed:dns": "no site is called {host}: its name does not resolve",
    "failed:timeout": "{host} does not answer in time; try again later",
    "failed:refused": "{host} takes no connection",
    "failed:too-large": "{url} is larger than a page may be",
    "failed:robots-unread": "{host} gives no robots.txt that can be read, so nothing may be asked; try again later",
    "failed:redirect-loop": "{url} redirects in circles",
    "failed": "{url} could not be fetched ({outcome})",
    "skipped:budget": "{host} got as many requests as it may get at once; try again later",
    "": "{url} brought nothing ({outcome})",
}


def said_of(outcome: str, url: str) -> str:
    """Return the sentence for an outcome of a fetch.

    >>> said_of("failed:status-503", "https://gazette.example/rss")
    'gazette.example is out of order (failed:status-503); try again later'
    """
    beginning = max((key for key in SENTENCES if outcome.startswith(key)), key=len)
    parts = urlsplit(url)
    return SENTENCES[beginning].format(host=parts.hostname or url, netloc=parts.netloc, url=url, outcome=outcome)
