"""What can be told of a site that nobody has described yet: its system, feeds, place, language, worth. Pure.

`read_front` looks at the front page, `addresses_to_try` says where feeds may be, `choose_feeds` which of the found
ones to poll, `guess_place` where the outlet is, `declare` puts the outlet together, `weigh` scores it, and `health`
judges one that is known. Whoever calls fetches.
"""

from kiosque.scout.declare import declare
from kiosque.scout.feeds import ChosenFeeds, FoundFeed, choose_feeds, hosts_of_entries
from kiosque.scout.front import Front, read_front
from kiosque.scout.place import Place, guess_place
from kiosque.scout.score import Part, weigh
from kiosque.scout.where import addresses_to_try, sitemaps_of_robots

__all__ = [
    "ChosenFeeds",
    "FoundFeed",
    "Front",
    "Part",
    "Place",
    "addresses_to_try",
    "choose_feeds",
    "declare",
    "guess_place",
    "hosts_of_entries",
    "read_front",
    "sitemaps_of_robots",
    "weigh",
]
