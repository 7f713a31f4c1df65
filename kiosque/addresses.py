"""Which hosts may be contacted: never a private, loopback, link-local or metadata address, unless allowed.

Pure: names are judged by their spelling here; the shell asks `is_public` about each address that DNS answers
and connects to that address only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Literal
from urllib.parse import urlsplit

from kiosque.errors import UsageError

Refusal = Literal["scheme", "private-address", "bad-url"]

# Beyond what `ipaddress` calls not global: its tables grew between patch releases of Python.
_NOT_PUBLIC = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",  # this network
        "100.64.0.0/10",  # carrier-grade NAT; Alibaba Cloud's metadata lives there
        "168.63.129.16/32",  # Azure's platform address, public in form only
        "169.254.0.0/16",  # link-local: the metadata service of most clouds
        "192.0.0.0/24",  # IETF protocol assignments; Oracle Cloud's metadata
        "192.88.99.0/24",  # 6to4 relays
        "198.18.0.0/15",  # benchmarks
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
        "64:ff9b:1::/48",  # NAT64 inside a network
        "100::/64",  # discard
        "2001:db8::/32",  # documentation
        "3fff::/20",  # documentation
        "5f00::/16",  # segment routing
        "fc00::/7",  # unique local; AWS metadata over IPv6
        "fe80::/10",  # link-local
        "fec0::/10",  # site-local, withdrawn but still routed somewhere
        "ff00::/8",  # multicast
    )
)
_NAT64 = ip_network("64:ff9b::/96")
_COMPATIBLE = ip_network("::/96")

# Names that never belong to a publisher on the internet: RFC 6761, 6762, 8375, 9476 and common habits.
_PRIVATE_SUFFIXES = (
    ".localhost",
    ".localdomain",
    ".local",  # multicast DNS
    ".internal",  # metadata.google.internal among others
    ".home.arpa",
    ".lan",
    ".intranet",
    ".corp",
    ".home",
    ".private",
)

_NAME = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*", re.ASCII)
_NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+", re.ASCII)
_LONGEST_NAME = 253
_PORTS = {"http": 80, "https": 443}
_LAST_PORT = 65_535


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowedHosts:
    """Private hosts that a person allowed, each as (host, port); port None means every port."""

    hosts: frozenset[tuple[str, int | None]] = frozenset()

    @classmethod
    def parse(cls, text: str) -> AllowedHosts:
        """Read `127.0.0.1:8000,intranet.example,[::1]:80`.

        Raises `UsageError`, naming the piece, for what is neither a host nor host:port.
        """
        pieces = (piece.strip() for piece in text.split(","))
        return cls(hosts=frozenset(_allowed_host(piece) for piece in pieces if piece))

    def covers(self, host: str, port: int) -> bool:
        """Whether this host is allowed on this port."""
        name = _plain_host(host)
        return (name, None) in self.hosts or (name, port) in self.hosts

    def names(self, host: str) -> bool:
        """Whether this host is allowed on some port: private answers from DNS are then expected."""
        name = _plain_host(host)
        return any(name == allowed for allowed, _ in self.hosts)


def refusal(url: str, allowed: AllowedHosts) -> Refusal | None:
    """Return why `url` must not be asked for, None when it may; what DNS answers is judged later.

    >>> refusal("http://0x7f.1/", AllowedHosts())
    'private-address'
    >>> refusal("http://0x7f.1:8000/", AllowedHosts.parse("127.0.0.1:8000"))
    >>> refusal("file:///etc/passwd", AllowedHosts())
    'scheme'
    """
    try:
        split = urlsplit(url.strip())
        if split.scheme not in _PORTS:
            return "scheme" if split.scheme else "bad-url"
        host, port = split.hostname or "", split.port
    except ValueError:
        return "bad-url"
    readings = () if "\\" in split.netloc else _readings(host)
    if not readings or port == 0:
        return "bad-url"
    number = port or _PORTS[split.scheme]
    refused = any(_is_private(reading) and not allowed.covers(str(reading), number) for reading in readings)
    return "private-address" if refused else None


def is_public(ip: str) -> bool:
    """Whether an address, as DNS answered it, is on the open internet; False for what is no address.

    IPv4 addresses inside IPv6 ones (mapped, compatible, 6to4, NAT64, Teredo) are judged too.

    >>> is_public("192.0.78.9"), is_public("::ffff:10.0.0.1"), is_public("fe80::1%eth0")
    (True, False, False)
    """
    try:
        address = ip_address(ip.partition("%")[0])
    except ValueError:
        return False
    return _is_public(address)


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    inner = _inside(address) if isinstance(address, IPv6Address) else ()
    if inner:
        return all(_is_public(each) for each in inner)
    listed = any(address in network for network in _NOT_PUBLIC if network.version == address.version)
    return address.is_global and not address.is_multicast and not listed


def _inside(address: IPv6Address) -> tuple[IPv4Address, ...]:
    """Return the IPv4 addresses that an IPv6 one carries."""
    if address.ipv4_mapped:
        return (address.ipv4_mapped,)
    if address.sixtofour:
        return (address.sixtofour,)
    if address.teredo:
        return address.teredo
    if address in _NAT64 or (address in _COMPATIBLE and int(address) > 1):
        return (IPv4Address(int(address) & 0xFFFFFFFF),)
    return ()


def _is_private(reading: str | IPv4Address | IPv6Address) -> bool:
    if not isinstance(reading, str):
        return not _is_public(reading)
    return "." not in reading or reading.endswith(_PRIVATE_SUFFIXES)


def _readings(host: str) -> tuple[str | IPv4Address | IPv6Address, ...]:
    """Return what the host may mean: one name or address, two where clients disagree; () for a broken one."""
    if ":" in host:
        try:
            return (IPv6Address(host.partition("%")[0]),)
        except ValueError:
            return ()
    name = _ascii_name(host)
    if name is None:
        return ()
    last = name.rpartition(".")[2]
    if _NUMBER.fullmatch(last):
        return _numeric_readings(name)
    return (name,)


def _ascii_name(host: str) -> str | None:
    host = host.removesuffix(".").lower()
    if len(host) > _LONGEST_NAME:
        return None
    if not host.isascii():
        try:
            host = host.encode("idna").decode("ascii").lower().removesuffix(".")
        except UnicodeError:
            return None
    return host if _NAME.fullmatch(host) else None


def _numeric_readings(host: str) -> tuple[IPv4Address, ...]:
    """Read an IPv4 address as `inet_aton` does (octal, hexadecimal, fewer parts) and as plain decimals."""
    parts = host.split(".")
    octal = _joined([_number(part, 8) for part in parts])
    decimal = _joined([_number(part, 10) for part in parts])
    return tuple(dict.fromkeys(address for address in (octal, decimal) if address is not None))


def _number(part: str, zero_base: int) -> int | None:
    """Return the value of one part, a leading zero meaning `zero_base`; None when it is no number."""
    longest = 40  # any longer is no address, and int() of a very long one is slow
    base = 16 if part.startswith("0x") else zero_base if part.startswith("0") else 10
    try:
        return int(part.removeprefix("0x") or "0", base) if len(part) <= longest and "_" not in part else None
    except ValueError:
        return None


def _joined(numbers: list[int | None]) -> IPv4Address | None:
    most = 4
    if len(numbers) > most or None in numbers:
        return None
    *heads, tail = (number for number in numbers if number is not None)
    room = 256 ** (most - len(heads))
    if any(head > 0xFF for head in heads) or tail >= room:  # noqa: PLR2004 -- a byte
        return None
    return IPv4Address(sum(head << (24 - 8 * place) for place, head in enumerate(heads)) + tail)


def _plain_host(host: str) -> str:
    """Return one spelling of a host, for comparing: addresses in their usual form, names in lower case."""
    readings = _readings(host.strip().removeprefix("[").removesuffix("]"))
    return str(readings[0]) if readings else host.lower()


def _allowed_host(piece: str) -> tuple[str, int | None]:
    bare_ipv6 = piece.count(":") > 1 and not piece.startswith("[")
    host, port = (piece, "") if bare_ipv6 else _host_and_port(piece)
    readings = _readings(host.removeprefix("[").removesuffix("]"))
    sound_port = not port or (port.isascii() and port.isdigit() and 0 < int(port[:6]) <= _LAST_PORT)
    if not readings or not sound_port or piece.endswith(":"):
        raise UsageError(f"allow_private_hosts: {piece!r} is neither a host nor host:port")
    return str(readings[0]), int(port) if port else None


def _host_and_port(piece: str) -> tuple[str, str]:
    if piece.startswith("[") and piece.endswith("]"):
        return piece, ""
    host, _, port = piece.rpartition(":")
    return (host, port) if host else (piece, "")
