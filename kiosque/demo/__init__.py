"""A small fictional French press on loopback: three outlets to crawl for real.

`kiosque demo` and the end-to-end tests crawl it. Towns, people and texts are invented; the markup,
the feeds and the clutter are those of the systems that the real press uses.
"""

from kiosque.demo.expected import Expected, plain_spaces
from kiosque.demo.press import DemoPress
from kiosque.demo.web import LoggedRequest

__all__ = ["DemoPress", "Expected", "LoggedRequest", "plain_spaces"]
