"""A word to systemd: READY=1, WATCHDOG=1, STOPPING=1, to the socket that NOTIFY_SOCKET names (sd_notify(3))."""

from __future__ import annotations

import contextlib
import os
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def notify(*words: str, environment: Mapping[str, str] = os.environ) -> bool:
    """Send words; tell whether somebody listens. Never raises: a service runs without systemd, too."""
    address = environment.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return False
    if address.startswith("@"):  # an abstract socket
        address = "\0" + address[1:]
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as to:
        to.settimeout(1.0)
        to.sendto("\n".join(words).encode(), address)
        return True
    return False


def watchdog_seconds(environment: Mapping[str, str] = os.environ) -> float | None:
    """Return within how many seconds systemd wants to hear from this process, None when it does not watch it.

    >>> watchdog_seconds({"WATCHDOG_USEC": "60000000"})
    60.0
    """
    wanted, pid = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID")
    if not wanted.isascii() or not wanted.isdigit() or (pid is not None and pid != str(os.getpid())):
        return None
    return int(wanted) / 1_000_000 or None
