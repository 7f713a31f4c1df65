"""An export on object storage, by fsspec: written aside on this machine first, then sent, the manifest last."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kiosque.errors import StorageError, UsageError
from storage import without_password
from storage.distant import file_system, first_line, is_distant
from storage.folder import MANIFEST, OURS, is_manifest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Stands in the folder while files are being sent, and says whose they are.
SENDING = ".export.sending"

# Where a folder must be made before what stands in it; elsewhere making one would make a bucket.
FOLDERS = {"file", "local", "sftp", "ssh", "ftp", "smb"}


def is_remote(folder: str) -> bool:
    """Tell whether a folder is a URL."""
    return is_distant(folder)


def export_remotely(url: str, write: Callable[[Path], dict[str, Any]]) -> dict[str, Any]:
    """Let `write` make an export in a folder of this machine, then put it at a URL; return its manifest.

    A reader who finds a `manifest.json` finds every file that it names, whole: the old one goes before the first file
    is sent, and the new one comes after the last. What lies beside an export stays. Raises `UsageError` for a URL that
    nothing here can open, `StorageError` otherwise.
    """
    files, root = _opened(url)
    with explained(url):
        _refuse_foreign(files, root, url)
    with tempfile.TemporaryDirectory(prefix="kiosque-export-") as place:
        manifest = write(Path(place) / "export")
        with explained(url):
            _send(files, root, Path(place) / "export")
    return manifest


def _opened(url: str) -> tuple[Any, str]:
    files, root = file_system(url)
    if not root.strip("/"):
        raise UsageError(f"{url!r} names no folder: write s3://BUCKET/FOLDER")
    return files, root


@contextmanager
def explained(url: str) -> Iterator[None]:
    """Turn whatever a backend raises into a `StorageError` that names the place."""
    try:
        yield
    except (StorageError, UsageError):
        raise
    except Exception as error:  # each backend has its own, many of them no OSError
        raise StorageError(f"{without_password(url)}: {first_line(error)}") from error


def _there(files: Any, root: str) -> dict[str, int]:
    """Return the files of a folder and their sizes; a folder that is not there holds none."""
    files.invalidate_cache()
    try:
        found = files.find(root, detail=True)
    except FileNotFoundError:
        return {}
    return {name.rstrip("/")[len(root) + 1 :]: int(one.get("size") or 0) for name, one in found.items()}


def _refuse_foreign(files: Any, root: str, url: str) -> None:
    names = {name.partition("/")[0] for name in _there(files, root)} - {""}
    is_export = MANIFEST in names and is_manifest(files.cat_file(f"{root}/{MANIFEST}"))
    interrupted = SENDING in names and names <= OURS | {SENDING}
    if names and not is_export and not interrupted:
        raise StorageError(f"{url} holds something else than an export ({min(names)}); choose an empty folder")


def _send(files: Any, root: str, export: Path) -> None:
    """Put an export's files in the place of the old ones."""
    fresh = {path.relative_to(export).as_posix(): path for path in sorted(export.rglob("*")) if path.is_file()}
    named = (files.protocol,) if isinstance(files.protocol, str) else files.protocol
    if not FOLDERS.isdisjoint(named):
        files.makedirs(root, exist_ok=True)
    files.pipe_file(f"{root}/{SENDING}", b"")
    old = [name for name in _there(files, root) if name.partition("/")[0] in OURS]
    if MANIFEST in old:
        files.rm_file(f"{root}/{MANIFEST}")
    for name, path in fresh.items():
        if name != MANIFEST:
            files.makedirs(f"{root}/{name}".rpartition("/")[0], exist_ok=True)
            files.put_file(str(path), f"{root}/{name}")
    for name in sorted({*old} - {*fresh} - {MANIFEST}):
        files.rm_file(f"{root}/{name}")
    files.put_file(str(fresh[MANIFEST]), f"{root}/{MANIFEST}")
    files.rm_file(f"{root}/{SENDING}")
