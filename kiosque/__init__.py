"""Kiosque: the French-language press on the web as a clean, dated, deduplicated dataset."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("kiosque")
except PackageNotFoundError:  # a source tree that was never installed
    __version__ = "0+unknown"
