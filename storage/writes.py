"""The store's writes as SQL; SQLite and PostgreSQL differ only in where `insert` comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import and_, update

from storage.rows import claim_text, revision_row, to_text
from storage.schema import addresses, articles, changes, entries, feeds, outcomes, revisions

if TYPE_CHECKING:
    from datetime import datetime

    from kiosque.polling import FeedState
    from sqlalchemy import Connection, Table

    from kiosque.model import Record
    from storage import QueuedEntry, Settled


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes rows on a connection whose transaction is somebody else's."""

    insert: Any
    """The dialect's `insert`, which knows `on_conflict`."""

    def settle(self, connection: Connection, one: Settled) -> None:
        """Write a finished URL: the revision, its addresses, the frontier's row and the outcome."""
        if one.record is not None:
            self.save(connection, one.record)
        if one.article is not None:
            self.keep_addresses(connection, one)
        self.close_entry(connection, one)
        self.count(connection, one)

    def save(self, connection: Connection, record: Record) -> None:
        """Write a revision and the change that it is."""
        head = {
            "id": record.id,
            "outlet": record.outlet,
            "revision": record.revision,
            "first_seen_at": to_text(record.first_seen_at),
        }
        change = {
            "id": record.id,
            "revision": record.revision,
            "kind": "new" if record.revision == 1 else "revised",
            "at": to_text(record.fetched_at),
        }
        number = connection.execute(changes.insert(), change).inserted_primary_key
        row = revision_row(record) | {"change": number[0] if number else 0}
        self.upsert(connection, articles, head, on=["id"], change=["revision"])
        self.upsert(connection, revisions, row, on=["id", "revision"], change=[])

    def keep_addresses(self, connection: Connection, one: Settled) -> None:
        """Write the addresses of a settled article."""
        for address in one.addresses:
            row = {
                "key": address.key,
                "article": one.article,
                "url": address.url,
                "etag": address.etag,
                "last_modified": address.last_modified,
            }
            fresh = [name for name in ("etag", "last_modified") if row[name] is not None]
            self.upsert(connection, addresses, row, on=["url"], change=fresh)
        # The article's other addresses that still waited need no fetch of their own.
        keys = [address.key for address in one.addresses if address.key != one.key]
        waiting = and_(entries.c.key.in_(keys), entries.c.state == "pending")
        connection.execute(update(entries).where(waiting).values(state="done", outcome="duplicate"))

    def close_entry(self, connection: Connection, one: Settled) -> None:
        """Write how the frontier's entry ended."""
        row = {
            "key": one.key,
            "outlet": one.outlet,
            "url": one.url,
            "state": one.state,
            "attempts": 1,
            "next_try": to_text(one.next_try) if one.next_try else None,
            "outcome": one.outcome,
            "seen_at": to_text(one.at),
        }
        statement = self.insert(entries).values(row)
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["key"],
                set_={
                    "state": one.state,
                    "attempts": entries.c.attempts + 1,
                    "next_try": row["next_try"],
                    "outcome": one.outcome,
                },
            )
        )

    def count(self, connection: Connection, one: Settled) -> None:
        """Count the outcome of the day."""
        day = to_text(one.at)[:10]
        statement = self.insert(outcomes).values(day=day, outlet=one.outlet, outcome=one.outcome, n=1)
        connection.execute(
            statement.on_conflict_do_update(index_elements=["day", "outlet", "outcome"], set_={"n": outcomes.c.n + 1})
        )

    def upsert(
        self, connection: Connection, table: Table, row: dict[str, Any], *, on: list[str], change: list[str]
    ) -> None:
        """Insert a row, or change the columns `change` of the one that stands there."""
        statement = self.insert(table).values(row)
        if change:
            fresh = {name: statement.excluded[name] for name in change}
            statement = statement.on_conflict_do_update(index_elements=on, set_=fresh)
        else:
            statement = statement.on_conflict_do_nothing(index_elements=on)
        connection.execute(statement)

    def queue(self, connection: Connection, queued: QueuedEntry, at: datetime) -> None:
        """Put an entry on the frontier."""
        row = {
            "key": queued.key,
            "outlet": queued.outlet,
            "url": queued.url,
            "claim": claim_text(queued.entry),
            "state": "pending",
            "attempts": 0,
            "seen_at": to_text(at),
        }
        self.upsert(connection, entries, row, on=["key"], change=[])

    def queue_again(self, connection: Connection, queued: QueuedEntry) -> None:
        """Let an entry be fetched once more."""
        again = {"state": "pending", "attempts": 0, "next_try": None, "claim": claim_text(queued.entry)}
        connection.execute(update(entries).where(entries.c.key == queued.key).values(again))

    def save_feed(self, connection: Connection, state: FeedState) -> None:
        """Keep a feed's poll state."""
        row = {
            "url": state.url,
            "outlet": state.outlet,
            "next_due": to_text(state.next_due) if state.next_due else None,
            "state": msgspec.json.encode(state).decode(),
        }
        self.upsert(connection, feeds, row, on=["url"], change=["outlet", "next_due", "state"])
