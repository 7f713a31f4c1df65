"""WARC files wherever they lie: a folder, a file, or what fsspec opens (`s3://`, `https://`)."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Self

from kiosque.errors import StorageError, UsageError
from storage import without_password

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

WARC_NAMES = ("*.warc", "*.warc.gz", "*.warc.zst")
ENDINGS = tuple(name[1:] for name in WARC_NAMES)
# Asked of an object store in one go: a file is read from its beginning to its end.
BLOCK = 8_000_000


def is_distant(place: str | Path) -> bool:
    """Tell whether a place is a URL."""
    return "://" in str(place)


def needs(url: str) -> None:
    """Raise `UsageError` where the library that opens a URL is missing, or none would; nothing large is imported."""
    protocol, shown = url.partition("://")[0], without_password(url)
    try:
        from fsspec.registry import known_implementations, registry  # noqa: PLC0415 - not everybody has it
    except ImportError as error:
        raise UsageError(f"{shown!r} needs a library: pip install 'kiosque[s3]' ({error})") from error
    if protocol not in known_implementations and protocol not in registry:
        raise UsageError(f"{shown!r} is no place that can be opened: nothing here knows {protocol!r}")
    module = str(known_implementations.get(protocol, {}).get("class", "fsspec")).partition(".")[0]
    if find_spec(module) is None:
        extra = "'kiosque[s3]'" if protocol in {"s3", "s3a"} else module
        raise UsageError(f"{shown!r} needs a library: pip install {extra}")


def file_system(url: str, **options: Any) -> tuple[Any, str]:
    """Return the file system of a URL or folder, and the path there. Raises `UsageError` for what nothing opens."""
    shown = without_password(url)
    try:
        import fsspec  # noqa: PLC0415 - not everybody has it

        files, root = fsspec.core.url_to_fs(url, **options)
    except ImportError as error:
        raise UsageError(f"{shown!r} needs a library: pip install 'kiosque[s3]' ({error})") from error
    except (ValueError, TypeError) as error:
        raise UsageError(f"{shown!r} is no place that can be opened: {error}") from error
    return files, str(root).rstrip("/")


def warc_files(places: Iterable[str]) -> list[str]:
    """Return the WARC files of folders, files, URLs and URL patterns. Raises `UsageError` for what is not there."""
    return [found for place in places for found in (_distant(place) if is_distant(place) else _near(Path(place)))]


def _near(path: Path) -> list[str]:
    if not path.exists():
        raise UsageError(f"{path}: there is no such file")
    if not path.is_dir():
        return [str(path)]
    files = sorted(str(found) for name in WARC_NAMES for found in path.rglob(name))
    if not files:
        raise UsageError(f"{path}: there is no WARC file in this folder")
    return files


def _distant(url: str) -> list[str]:
    """Look into a URL that is a pattern or ends in `/`; one file's own is for its reader to open."""
    if not url.endswith("/") and "*" not in url:
        return [url]
    files, root = file_system(url)
    try:
        found = [*files.glob(root)] if "*" in url else [*files.find(root)]
    except Exception as error:  # each backend has its own, many of them no OSError
        raise UsageError(f"{without_password(url)}: {first_line(error)}") from error
    names = sorted(files.unstrip_protocol(name) for name in found if str(name).endswith(ENDINGS))
    if not names:
        raise UsageError(f"{without_password(url)}: there is no WARC file in this place")
    return names


@dataclass(frozen=True, slots=True)
class DistantFile:
    """A file behind a URL, as far as a reader of WARC files needs it. Every fault is an `OSError`."""

    url: str
    size: int = 0
    """In bytes, as a listing told it; 0 where nobody asked."""

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.url.partition("?")[0].rstrip("/").rpartition("/")[2]

    def __str__(self) -> str:
        return without_password(self.url)

    def open(self, _mode: str = "rb") -> BinaryIO:
        """Open it for reading."""
        try:
            files, path = file_system(self.url)
            opened: Any = files.open(path, "rb", block_size=BLOCK, cache_type="readahead")
        except (UsageError, StorageError) as error:
            raise OSError(str(error)) from error
        except Exception as error:
            raise OSError(first_line(error)) from error
        told: Any = _Told(opened)
        return told  # type: ignore[no-any-return]


class _Told:
    """A file of fsspec whose faults, each backend's own, are `OSError`."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self.read, self.seek, self.tell = map(_telling, (file.read, file.seek, file.tell))

    def close(self) -> None:
        with suppress(Exception):
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _telling(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any) -> Any:
        try:
            return function(*args)
        except Exception as error:
            raise OSError(first_line(error)) from error

    return call


def first_line(error: BaseException) -> str:
    r"""Return what an error says, a line of it.

    >>> first_line(ValueError("no such bucket\nrequest id 7"))
    'no such bucket'
    """
    return (str(error) or type(error).__name__).splitlines()[0][:500]
