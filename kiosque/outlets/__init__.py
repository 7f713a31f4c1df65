"""The outlet registry: outlet files become `Outlet`s, and a page's address finds its own."""

from kiosque.outlets.choose import choose, chosen_strictly, named
from kiosque.outlets.load import load_outlet, load_outlets
from kiosque.outlets.match import finder, outlet_for, unknown_outlet
from kiosque.outlets.write import markdown_table, outlet_toml, write_outlet

__all__ = [
    "choose",
    "chosen_strictly",
    "finder",
    "load_outlet",
    "load_outlets",
    "markdown_table",
    "named",
    "outlet_for",
    "outlet_toml",
    "unknown_outlet",
    "write_outlet",
]
