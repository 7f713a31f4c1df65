"""The fork server that workers come from. It can be started before it is needed: it imports for half a second."""

from __future__ import annotations

import multiprocessing
from multiprocessing.forkserver import ensure_running
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerContext

# Forking a process that has threads can hang the child; the fork server has none, and it imports the steps once for
# all workers. Each worker imports the program's main module, too, and that one the command line.
PRELOAD = ["pipelines.preload", "kiosque.cli"]


def fork_context() -> ForkServerContext:
    """Return the multiprocessing context of the workers."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOAD)
    return context


def start_fork_server() -> None:
    """Start the fork server; it imports while this process goes on. A second call does nothing."""
    fork_context()
    ensure_running()
