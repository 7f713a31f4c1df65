"""Outlet files to outlets: read, decode, parse, check. Every fault is an `OutletError` naming file and key."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from kiosque.errors import OutletError
from kiosque.model import Outlet
from kiosque.outlets.fields import OUTLET_KEYS, REQUIRED, SLUG, read_table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable
    from pathlib import Path

MOST_BYTES = 65_536  # an outlet file has some 300
# tomllib takes quadratic time for a dotted key; no honest line has so many dots.
MOST_DOTS_A_LINE = 500


def load_outlet(path: Path | Traversable) -> Outlet:
    """Read one outlet file; its slug is the file's name without `.toml`."""
    slug = path.name.removesuffix(".toml")
    if not SLUG.fullmatch(slug):
        raise OutletError(f"{path}: the file's name may hold only a-z, 0-9 and hyphens, then .toml")
    values = read_table(_parse(_read(path), path), OUTLET_KEYS, f"{path}: ")
    missing = [key for key in REQUIRED if key not in values]
    if missing:
        raise OutletError(f"{path}: the key {missing[0]!r} is missing")
    return Outlet(slug=slug, **values)


def load_outlets(extra: Path | None = None) -> dict[str, Outlet]:
    """Read the outlets that come with Kiosque and those in the folder `extra`, sorted by slug.

    A slug in `extra` wins over the shipped one, whose file is then not read. File names that start with `_` are
    skipped, and whatever does not end in `.toml`.
    """
    paths = {path.name: path for path in _outlet_files(files("outlets"))}
    if extra is not None:
        paths |= {path.name: path for path in _outlet_files(extra)}
    outlets = (load_outlet(path) for path in paths.values())
    return {outlet.slug: outlet for outlet in sorted(outlets, key=lambda outlet: outlet.slug)}


def _outlet_files(folder: Path | Traversable) -> Iterator[Path | Traversable]:
    try:
        paths = list(folder.iterdir())
    except OSError as error:
        raise OutletError(f"{folder}: this folder of outlets cannot be read ({error.strerror})") from error
    return (path for path in paths if path.name.endswith(".toml") and not path.name.startswith("_"))


def _read(path: Path | Traversable) -> str:
    """Read the text of a file, bounded; never blocks on a pipe or device."""
    if not path.is_file():
        raise OutletError(f"{path}: there is no such file")
    try:
        with path.open("rb") as file:
            body = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise OutletError(f"{path}: cannot be read ({error.strerror})") from error
    if len(body) > MOST_BYTES:
        raise OutletError(f"{path}: larger than {MOST_BYTES // 1024} kB, which no outlet file needs")
    try:
        return body.decode("utf-8-sig")  # Windows editors begin a file with a mark
    except UnicodeDecodeError as error:
        raise OutletError(f"{path}: is not UTF-8 (at byte {error.start + 1}); save it as UTF-8") from error


def _parse(text: str, path: Path | Traversable) -> dict[str, Any]:
    if any(line.count(".") > MOST_DOTS_A_LINE for line in text.splitlines()):
        raise OutletError(f"{path}: a line has more than {MOST_DOTS_A_LINE} dots; write one address a line")
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # TOMLDecodeError says line and column
        raise OutletError(f"{path}: is not TOML: {error}") from error
