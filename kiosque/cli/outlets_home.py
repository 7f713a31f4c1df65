"""Which outlets a command knows, and the folder for those of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import typer

    from kiosque.model import Outlet
    from kiosque.settings import Settings


def known_outlets(ctx: typer.Context) -> dict[str, Outlet]:
    """Load the shipped outlets and one's own."""
    from kiosque.outlets import load_outlets

    settings = settings_of(ctx)
    folder = own_folder(settings)
    # What was added to the home is known too: nobody adds it twice.
    return load_outlets(folder if settings.outlets_dir or folder.is_dir() else None)


def settings_of(ctx: typer.Context) -> Settings:
    """Return the settings; the main callback left them in the root's `obj`."""
    settings: Settings = ctx.find_root().obj.settings()
    return settings


def own_folder(settings: Settings) -> Path:
    """Return the folder for outlets of one's own: that of `--outlets`, else `outlets` in the home."""
    return settings.outlets_dir or settings.home / "outlets"


def crawl_with(settings: Settings, folder: Path, slug: str) -> str:
    """Return the command that crawls an outlet whose file was written into `folder`."""
    own = "" if folder == settings.outlets_dir else f" --outlets {folder}"
    return f"kiosque{own} crawl {slug}"
