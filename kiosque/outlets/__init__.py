"""The outlet registry: outlet files become `Outlet`s, and a page's address finds its own."""

from kiosque.outlets.load import load_outlet, load_outlets
from kiosque.outlets.match import finder, outlet_for, unknown_outlet

__all__ = ["finder", "load_outlet", "load_outlets", "outlet_for", "unknown_outlet"]
