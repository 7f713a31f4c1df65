"""`kiosque forget`: erase articles, and keep them from coming back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from kiosque.errors import StorageError, UsageError

if TYPE_CHECKING:
    from storage import Forgotten
    from storage.archive import WarcArchive

# Addresses that are shown of a long list.
SHOWN = 20


def forget(
    context: typer.Context,
    urls: Annotated[list[str] | None, typer.Argument(metavar="[URL]...", help="Articles, by any address")] = None,
    *,
    outlet: Annotated[str | None, typer.Option(metavar="SLUG", help="All of an outlet, and all to come")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be erased")] = False,
) -> None:
    """Erase text, revisions, search entries and archived pages for ever.

    A mark stays that keeps them from coming back with a later crawl, and the next export of
    changes tells everybody who has a copy. Try --dry-run first.

    Example: kiosque forget https://exemple.fr/article --dry-run
    """
    from datetime import UTC, datetime

    from pipelines.archivist import home_archive
    from storage import open_storage
    from storage.erasing import erasing

    if bool(urls) == (outlet is not None):
        raise UsageError("name the articles to forget by URL, or a whole outlet with --outlet SLUG")
    for url in urls or ():
        if not url.startswith(("http://", "https://")):
            raise UsageError(f"{url!r} is no address: it must begin with http:// or https://")
    settings = context.obj.settings()
    store = open_storage(settings.database)
    try:
        archive, pages, missed = home_archive(settings), 0, None
        with erasing(settings.database, settings.home):
            found = store.forget(urls=urls or (), outlet=outlet, at=datetime.now(UTC), dry_run=True)
            if dry_run:
                show(found, outlet=outlet, pages=0, dry_run=True)
                show_rewritten(archive, found)
                return
            # The archive first: as long as the store knows the addresses, this can be done again.
            pages = archive.remove(pointers=found.archived, urls=found.urls)
            forgotten = store.forget(urls=urls or (), outlet=outlet, at=datetime.now(UTC))
            if archive.away is not None:
                # Other machines look at what is forgotten before they send a file, and after: what was on its way
                # while we looked is there now.
                try:
                    pages += archive.remove(pointers=found.archived, urls=found.urls)
                except StorageError as error:
                    missed = error
    finally:
        store.close()
    show(forgotten, outlet=outlet, pages=pages, dry_run=False)
    if missed is not None:
        raise StorageError(
            f"erased, but what other machines sent meanwhile was not looked through: {missed}; run this again with "
            f"each address: {' '.join(found.urls)}"
        )
    if pages and archive.away is not None and archive.away.keeps_versions():
        print(f"the bucket of {archive.away} keeps old versions: they hold these pages until they are deleted there")


def show_rewritten(archive: WarcArchive, found: Forgotten) -> None:
    """Print which files of object storage would be written anew."""
    if archive.away is None:
        return
    there = archive.away.files()
    wanted = {
        name: offsets
        for name, offsets in archive.find(pointers=found.archived, urls=found.urls).items()
        if name in there
    }
    pages, size = sum(map(len, wanted.values())), sum(there[name] for name in wanted)
    print(f"{pages} pages in {len(wanted)} files ({size / 1e6:.1f} MB) of {archive.away}, which would be written anew")


def show(found: Forgotten, *, outlet: str | None, pages: int, dry_run: bool) -> None:
    """Print what was or would be erased."""
    for url in found.urls[:SHOWN]:
        print(url)
    if len(found.urls) > SHOWN:
        print(f"and {len(found.urls) - SHOWN} more addresses")
    said = "would be erased" if dry_run else "erased"
    archived = f", {pages} archived pages" if not dry_run else ""
    print(f"{len(found.articles)} articles, {found.revisions} revisions{archived} {said}")
    if not dry_run:
        print("these addresses are never fetched again" + (f", nor any of {outlet}" if outlet else ""))
