"""The dashboard and the API over a store: read-only, without scripts, in French and English."""

from kiosque.dashboard.app import make_app

__all__ = ["make_app"]
