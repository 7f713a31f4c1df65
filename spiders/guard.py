"""The guard: no request reaches a private address, by name, number, redirect or DNS answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from scrapy.exceptions import IgnoreRequest
from twisted.internet.interfaces import IHostnameResolver, IResolutionReceiver
from zope.interface import implementer

from kiosque.addresses import AllowedHosts, is_public, refusal
from kiosque.settings import load_settings

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from twisted.internet.interfaces import IAddress, IHostResolution

# Names whose DNS answer was private: the error that Scrapy sees says only that there was no answer.
MOST_REFUSED = 10_000
# Characters of an address that is asked for; servers take 8,000 at most.
LONGEST_URL = 4_000
refused_names: set[str] = set()


class Blocked(IgnoreRequest):
    """A request that is not made; `reason` is the slug of its outcome."""

    def __init__(self, reason: str, *, detail: str = "", passing: bool = False) -> None:
        super().__init__(detail or reason)
        self.reason = reason
        self.passing = passing
        """It may be made later: the reason is a fault of the day, or a wait."""


class PublicHostsOnly:
    """Downloader middleware: refuses schemes and literal addresses, and strangers until a contact is set."""

    def __init__(self, allowed: AllowedHosts, *, contact: str) -> None:
        self._allowed = allowed
        self._contact = contact

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> PublicHostsOnly:
        """Scrapy's constructor."""
        return cls(allowed_hosts(crawler), contact=crawler.settings.get("KIOSQUE_CONTACT", ""))

    def process_request(self, request: Request) -> None:
        """Let a request pass, or raise `Blocked`."""
        # A redirect carries the slot of the host that it came from: it would be sent at that one's pace.
        request.meta.pop("download_slot", None)
        if len(request.url) > LONGEST_URL:
            raise Blocked("bad-url", detail=f"an address of {len(request.url)} characters")
        reason = refusal(request.url, self._allowed)
        if reason is not None:
            raise Blocked(reason)
        if not self._contact and not is_allowed(request.url, self._allowed):
            raise Blocked("no-contact")


def allowed_hosts(crawler: Crawler) -> AllowedHosts:
    """Return the private hosts that may be contacted; Scrapy's own commands know them from the environment only."""
    given = crawler.settings.get("KIOSQUE_ALLOW_PRIVATE_HOSTS")
    return load_settings().allowed_hosts if given is None else AllowedHosts.parse(given)


def is_allowed(url: str, allowed: AllowedHosts) -> bool:
    """Tell whether a URL's host and port were allowed as private."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return allowed.covers(parts.hostname or "", port)


@implementer(IHostnameResolver)
class PublicResolver:
    """Resolves names, and leaves out private addresses.

    Twisted connects to the addresses that come from here, so there is no second DNS answer
    between the check and the connection. Nothing is cached: Scrapy's own cache never forgets.
    """

    def __init__(self, reactor: Any, allowed: AllowedHosts) -> None:
        self._reactor = reactor
        self._resolver = reactor.nameResolver
        self._allowed = allowed

    @classmethod
    def from_crawler(cls, crawler: Crawler, reactor: Any) -> PublicResolver:
        """Scrapy's constructor."""
        return cls(reactor, allowed_hosts(crawler))

    def install_on_reactor(self) -> None:
        """Put the guard before the reactor's own resolver."""
        self._reactor.installNameResolver(self)

    def resolveHostName(  # noqa: N802 - Twisted's name
        self,
        resolutionReceiver: IResolutionReceiver,  # noqa: N803
        hostName: str,  # noqa: N803
        *args: Any,
        **kwargs: Any,
    ) -> IHostResolution:
        """Resolve a name; a host that was allowed as private may have any address."""
        receiver: Any = resolutionReceiver
        if not self._allowed.names(hostName):
            receiver = _PublicOnly(resolutionReceiver, hostName)
        resolution: IHostResolution = self._resolver.resolveHostName(receiver, hostName, *args, **kwargs)
        return resolution


@implementer(IResolutionReceiver)
class _PublicOnly:
    """Passes on public addresses."""

    def __init__(self, receiver: Any, name: str) -> None:
        self._receiver = receiver
        self._name = name

    def resolutionBegan(self, resolution: Any) -> None:  # noqa: N802
        self._receiver.resolutionBegan(resolution)

    def addressResolved(self, address: IAddress) -> None:  # noqa: N802
        if is_public(getattr(address, "host", "")):
            self._receiver.addressResolved(address)
        elif len(refused_names) < MOST_REFUSED:
            refused_names.add(self._name)

    def resolutionComplete(self) -> None:  # noqa: N802
        self._receiver.resolutionComplete()
