"""Is what a store holds the file that lies here? By its checksum where the store gives one, else by reading it back."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any

from storage.members import HEADER, length_in

if TYPE_CHECKING:
    from pathlib import Path

# A large file is sent in parts of this size, which S3's checksum is made of; so much is in memory at once.
PART = 8 * 1024 * 1024
# A file's first record is short: its name, and the program that wrote it.
MOST_HEAD = 1 << 20
_ETAG = re.compile(r'"?([0-9a-f]{32}(?:-\d+)?)"?')


def protocols(files: Any) -> set[str]:
    """Return the names under which a file system is known."""
    return {files.protocol} if isinstance(files.protocol, str) else set(files.protocol)


def info(files: Any, target: str) -> dict[str, Any] | None:
    """Return what a store says of a file, None where there is none."""
    try:
        found: dict[str, Any] = files.info(target)
    except FileNotFoundError:
        return None
    return found if found.get("type") == "file" else None


def is_version_of(files: Any, target: str, path: Path) -> bool:
    """Tell whether two files begin with the same record, whose name is given once."""
    with path.open("rb") as file:
        head = file.read(HEADER)
        head += file.read(min(max(0, (length_in(head) or 0) - HEADER), MOST_HEAD))
    return bool(files.cat_file(target, start=0, end=len(head)) == head)


def is_same(files: Any, there: dict[str, Any], path: Path) -> bool:
    """Tell whether a file is what lies here: by its checksum where the store gives one that we can make, else by it."""
    if there.get("size") != path.stat().st_size:
        return False
    tag = _ETAG.fullmatch(str(there.get("ETag") or ""))
    return (tag is not None and tag[1] in _etags(path)) or _is_equal(files, str(there["name"]), path)


def _etags(path: Path) -> set[str]:
    """Return what S3 calls a file: the MD5 of it, or of the MD5s of its parts."""
    whole, parts = hashlib.md5(usedforsecurity=False), []
    with path.open("rb") as file:
        while data := file.read(PART):
            whole.update(data)
            parts.append(hashlib.md5(data, usedforsecurity=False).digest())
    together = hashlib.md5(b"".join(parts), usedforsecurity=False).hexdigest()
    return {whole.hexdigest(), f"{together}-{len(parts)}"}


def _is_equal(files: Any, target: str, path: Path) -> bool:
    """Read a file back, and compare."""
    size, at = path.stat().st_size, 0
    with path.open("rb") as file:
        while data := file.read(PART):
            if files.cat_file(target, start=at, end=at + len(data)) != data:
                return False
            at += len(data)
    return at == size
