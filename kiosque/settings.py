"""Kiosque's settings: `kiosque.toml` in the home, then `KIOSQUE_...` in the environment, then the command line."""

from __future__ import annotations

import difflib
import math
import os
import re
import tomllib
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from kiosque.addresses import AllowedHosts
from kiosque.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ReservedPolicy = Literal["store", "refuse", "ignore"]
FILE_NAME = "kiosque.toml"
SWITCH = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}
DEFAULT_HOME = "kiosque-data"
YEAR = 366 * 86_400


class Shape(NamedTuple):
    """What a text must be as a whole, and the same in words."""

    pattern: str = ""
    wanted: str = "a text"


ANY = Shape()
FOLDER = Shape(r"[a-z][a-z0-9+.-]*://\S+", "the URL of a folder such as s3://BUCKET/FOLDER")
URL = Shape(r"https?://[^\s/?#]+\S*", "an address that begins with http:// or https://")
MAIL = Shape(r"[^\s@,]+@[^\s@,]+(,\s*[^\s@,]+@[^\s@,]+)*", "an e-mail address, or several with commas")
TIME = Shape(r"([01]\d|2[0-3]):[0-5]\d", "an hour and minute such as 03:00")
PLACE = Shape(r"(\[[0-9A-Fa-f:.]+\]|[^\s:/@]+):\d{1,5}", "HOST:PORT, such as 127.0.0.1:9464")


def among(*texts: str) -> Shape:
    """Return the shape of a choice."""
    return Shape("|".join(texts), f"one of {', '.join(texts)}")


def _setting(key: str, default: Any, *, shape: Shape = ANY, secret: bool = False) -> Any:
    """Declare a setting: `key` is its place in kiosque.toml, dots for tables; an empty default may be given again."""
    return field(default=default, repr=not secret, metadata={"key": key, "shape": shape})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How this Kiosque behaves. Durations are seconds, sizes are megabytes (10^6 bytes)."""

    home: Path = Path(DEFAULT_HOME)
    outlets_dir: Path | None = _setting("outlets", None)
    db: str | None = _setting("db", None)
    """A database URL; None is SQLite in the home."""
    contact: str | None = _setting("contact", None)
    """A URL or e-mail address that servers see in the user agent."""
    allow_private_hosts: str = _setting("allow_private_hosts", "")
    workers: int = _setting("workers", 0)
    """Extraction processes; 0 is one per core."""
    concurrency: int = _setting("crawl.concurrency", 32)
    """Requests under way at once, over all hosts."""
    concurrency_per_host: int = _setting("crawl.concurrency_per_host", 2)
    delay: float = _setting("crawl.delay", 1.0)
    """Between two requests to one public host."""
    timeout: float = _setting("crawl.timeout", 30.0)
    """For one fetch."""
    max_page: float = _setting("crawl.max_page", 10.0)
    """The largest body taken, after decompression."""
    revisit_days: float = _setting("crawl.revisit_days", 7.0)
    """How long after its first sight an article counts as recent for `--revisit`."""
    revisit_after: str = _setting("crawl.revisit_after", "1h 6h 1d 3d")
    """When the service asks a new article again, after its first sight: 90s, 5m, 1h, 3d."""
    page_time: float = _setting("read.page_time", 10.0)
    """For reading one page, after which its worker is replaced."""
    page_memory: int = _setting("read.page_memory", 2000)
    """Of one worker, above what it needs at rest."""
    archive_enabled: bool = _setting("archive.enabled", default=True)
    """Keep every page that is read, to read it again when the rules are better."""
    archive_keep_days: int = _setting("archive.keep_days", 0)
    """How long pages are kept; 0 is for ever."""
    archive_keep_gb: float = _setting("archive.keep_gb", 50.0)
    """Gigabytes (10^9 bytes) after which the oldest pages go; 0 is without a limit."""
    archive_folder: str | None = _setting("archive.folder", None, shape=FOLDER, secret=True)
    """Where finished files of the archive are moved to, a URL such as `s3://BUCKET/FOLDER`; None keeps them in the
    home."""
    archive_segment_mb: float = _setting("archive.segment_mb", 500.0)
    """How large one file of the archive grows."""
    rights_reserved: ReservedPolicy = _setting("rights.reserved", "store", shape=among("store", "refuse", "ignore"))
    tick: float = _setting("schedule.tick", 5.0)
    """Between two looks for due feeds."""
    poll_min: float = _setting("schedule.poll_min", 300.0)
    poll_max: float = _setting("schedule.poll_max", 21600.0)
    stop_time: float = _setting("schedule.stop_time", 20.0)
    """What running pages get to finish after SIGTERM."""
    worker_silent_after: float = _setting("worker.silent_after", 60.0)
    """A worker of many that was not heard for so long is taken for dead, and its sites are given to others."""
    health_every: float = _setting("schedule.health_every", 300.0)
    """Between two looks at the health of all outlets, which alerts and metrics follow."""
    export_folder: str | None = _setting("export.folder", None)
    """Where the service writes the dataset every night, a folder or a URL such as `s3://BUCKET/FOLDER`; None writes
    none."""
    export_format: str = _setting("export.format", "parquet", shape=among("parquet", "jsonl", "csv", "delta"))
    export_at: str = _setting("export.at", "03:00", shape=TIME)
    """UTC."""
    metrics_listen: str = _setting("metrics.listen", "", shape=PLACE)
    """Where the service answers /metrics, /healthz and /readyz; empty is nowhere."""
    alerts_webhook: str = _setting("alerts.webhook", "", shape=URL)
    alerts_email: str = _setting("alerts.email", "", shape=MAIL)
    """Who is written to."""
    alerts_from: str = _setting("alerts.from", "", shape=MAIL)
    """The sender; empty is the first of those who are written to."""
    alerts_smtp: str = _setting("alerts.smtp", "127.0.0.1:25", shape=PLACE)
    alerts_smtp_security: str = _setting("alerts.smtp_security", "none", shape=among("none", "starttls", "tls"))
    alerts_smtp_user: str = _setting("alerts.smtp_user", "")
    alerts_smtp_password: str = _setting("alerts.smtp_password", "", secret=True)
    log_format: str = _setting("log.format", "text", shape=among("text", "json"))

    @property
    def database(self) -> str:
        """The URL of the store."""
        return self.db or f"sqlite:///{self.home / 'kiosque.sqlite'}"

    @property
    def revisit_times(self) -> tuple[timedelta, ...]:
        """When an article is asked again, after its first sight. Raises `UsageError` for what is no length of time."""
        return tuple(sorted(_length_of_time(piece) for piece in self.revisit_after.replace(",", " ").split()))

    @property
    def allowed_hosts(self) -> AllowedHosts:
        """The private hosts that may be contacted."""
        return AllowedHosts.parse(self.allow_private_hosts)

    @property
    def worker_count(self) -> int:
        """How many extraction processes run."""
        usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        return self.workers or usable or 1


KEYS = {f.metadata["key"]: f for f in fields(Settings) if "key" in f.metadata}


def environment_name(key: str) -> str:
    """Return the environment variable of a setting.

    >>> environment_name("rights.reserved")
    'KIOSQUE_RIGHTS_RESERVED'
    """
    return "KIOSQUE_" + key.replace(".", "_").upper()


def load_settings(*, environment: Mapping[str, str] = os.environ, **given: Any) -> Settings:
    """Read the settings; what is `given` (by field name, None means not given) wins.

    Raises `UsageError` that names the file or variable and the key.
    """
    chosen = {name: value for name, value in given.items() if value is not None}
    home = Path(chosen.pop("home", None) or environment.get("KIOSQUE_HOME") or DEFAULT_HOME)
    values: dict[str, Any] = {"home": home}
    for origin, key, value in [*_from_file(home / FILE_NAME), *_from_environment(environment)]:
        values[KEYS[key].name] = _checked(value, key=key, origin=origin)
    settings = replace(Settings(), **(values | chosen))
    if settings.outlets_dir is None and (home / "outlets").is_dir():
        settings = replace(settings, outlets_dir=home / "outlets")
    _ = settings.allowed_hosts, settings.revisit_times  # a wrong piece is said now, not in mid-crawl
    return settings


def _length_of_time(piece: str) -> timedelta:
    number, unit = piece[:-1], {"s": 1, "m": 60, "h": 3_600, "d": 86_400}.get(piece[-1])
    plain = number.isascii() and number.isdigit() and len(number) <= len(str(YEAR))
    if unit is None or not plain or not 0 < int(number) * unit <= YEAR:
        raise UsageError(f"crawl.revisit_after: {piece!r} is no length of time such as 30m, 6h or 3d, up to a year")
    return timedelta(seconds=int(number) * unit)


def _from_file(path: Path) -> Iterator[tuple[str, str, Any]]:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}; choose another --home") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path}: {error}") from error
    yield from ((str(path), key, value) for key, value in _flat(table, path))


def _flat(table: Mapping[str, Any], path: Path, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in table.items():
        key = prefix + name
        if isinstance(value, dict) and any(known.startswith(f"{key}.") for known in KEYS):
            yield from _flat(value, path, f"{key}.")
        elif key in KEYS:
            yield key, value
        else:
            near = difflib.get_close_matches(key, KEYS, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; known keys: {', '.join(sorted(KEYS))}"
            raise UsageError(f"{path}: unknown key {key!r}{hint}")


def _from_environment(environment: Mapping[str, str]) -> Iterator[tuple[str, str, Any]]:
    for key in KEYS:
        name = environment_name(key)
        if environment.get(name):
            yield name, key, environment[name]


def _checked(value: Any, *, key: str, origin: str) -> Any:
    """Turn a setting's value into its type, or say what is expected."""
    default = KEYS[key].default
    try:
        if key == "outlets":
            return Path(value)
        if isinstance(default, bool):
            return SWITCH[str(value).lower()]
        if isinstance(default, (int, float)) and not isinstance(value, bool):
            number = type(default)(value)
            if not (math.isfinite(number) and number >= 0):
                raise ValueError  # noqa: TRY301 - one sentence for all wrong values
            return number
        if isinstance(value, str):
            pattern = KEYS[key].metadata["shape"].pattern
            if pattern and (value or default) and re.fullmatch(pattern, value) is None:
                raise ValueError  # noqa: TRY301
            return value
        raise TypeError  # noqa: TRY301
    except (KeyError, TypeError, ValueError):
        wanted = {
            bool: "true or false",
            int: "a whole number from 0",
            float: "a number from 0",
        }.get(type(default), KEYS[key].metadata["shape"].wanted)
        raise UsageError(f"{origin}: {key!r} must be {wanted}, not {_shown(key, value)}") from None


def _shown(key: str, value: Any) -> str:
    return repr(value) if KEYS[key].repr else "what it is"
