"""Columns as a database gives them, as Arrow's: typed, and a batch at a time, since a value at a time is slow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from kiosque.errors import UsageError
from storage.columns import DAY, MONTH, SECONDS, UNDATED, decoded_lists, published_at, published_on, text_column

try:
    import pyarrow as pa
    import pyarrow.compute as pc
except ImportError as error:  # pragma: no cover - the tests have it
    raise UsageError("--format parquet needs pyarrow: pip install 'kiosque[parquet]'") from error

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_TEXT = pa.string()
_TEXTS = pa.list_(pa.string())
_INSTANT = pa.timestamp("us", tz="UTC")
RIGHTS = pa.struct(
    [
        ("robots", _TEXT),
        ("tdm_reserved", pa.bool_()),
        ("tdm_policy", _TEXT),
        ("noai", pa.bool_()),
        # Pairs, not a map: pandas and `datasets` have no maps.
        ("from", pa.list_(pa.struct([("what", _TEXT), ("where", _TEXT)]))),
    ]
)
TYPES: dict[str, pa.DataType] = {
    "revision": pa.int32(),
    "urls": _TEXTS,
    "authors": _TEXTS,
    "tags": _TEXTS,
    "published_confidence": pa.float64(),
    "fetched_at": _INSTANT,
    "first_seen_at": _INSTANT,
    "paywalled": pa.bool_(),
    "word_count": pa.int32(),
    "rights": RIGHTS,
    "published_at": _INSTANT,
    "published_on": pa.date32(),
    "number": pa.int64(),
}


def schema_of(names: Sequence[str]) -> pa.Schema:
    """Return the types of columns; a text where none is given."""
    return pa.schema([(name, TYPES.get(name, _TEXT)) for name in names])


def table_of(columns: Mapping[str, Sequence[Any]], schema: pa.Schema) -> pa.Table:
    """Return columns (see `storage.Batch`) as a table; what the schema has of dates is added."""
    lists = decoded_lists(columns) if "urls" in columns else {}
    made = {name: _array(name, lists.get(name, values)) for name, values in columns.items() if name in schema.names}
    if "published_month" in schema.names:
        made |= _dates(made["published"])
    return pa.table([made[name] for name in schema.names], schema=schema)


def _array(name: str, values: Sequence[Any]) -> pa.Array:
    match name:
        case "rights":
            return _rights(values)
        case "fetched_at" | "first_seen_at":
            return pc.utf8_slice_codeunits(_texts(values), 0, SECONDS).cast(pa.timestamp("us")).cast(_INSTANT)
        case "paywalled":
            return pa.array(list(map(bool, values)), pa.bool_())
    return pa.array(values, TYPES[name]) if name in TYPES else _texts(values)


def _texts(values: Sequence[Any]) -> pa.Array:
    """Return texts, given as `str` or as UTF-8: that is what Arrow holds, so that nothing need be decoded."""
    try:
        return pa.array(values, pa.binary()).cast(_TEXT)
    except pa.ArrowInvalid:  # of a damaged database
        return pa.array(text_column(values), _TEXT)


def _rights(values: Sequence[Any]) -> pa.Array:
    """Return rights as structures; few are said in many ways, so each is made once."""
    known: dict[Any, int] = {}
    places = [known.setdefault(text, len(known)) for text in values]
    made = []
    for text in known:
        rights = msgspec.json.decode(text)
        pairs = [{"what": what, "where": where} for what, where in (rights.get("from") or {}).items()]
        made.append(rights | {"from": pairs})
    return pa.array(made, RIGHTS).take(pa.array(places, pa.int32()))


def _dates(published: pa.Array) -> dict[str, pa.Array]:
    """Return what columnar files say of `published` besides."""
    try:
        on = pc.utf8_slice_codeunits(published, 0, DAY).cast(pa.date32())
        timed = pc.if_else(pc.greater(pc.utf8_length(published), DAY), published, pa.scalar(None, _TEXT))
        at = timed.cast(_INSTANT)
    except pa.ArrowInvalid:  # one that is no date, or has no offset: value by value, then
        said = published.to_pylist()
        on = pa.array(list(map(published_on, said)), pa.date32())
        at = pa.array(list(map(published_at, said)), _INSTANT)
    month = pc.if_else(pc.is_valid(on), pc.utf8_slice_codeunits(published, 0, MONTH), UNDATED)
    return {"published_at": at, "published_on": on, "published_month": pc.fill_null(month, UNDATED)}


def by_month(table: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    """Cut a table into its months, rows in their order; each part holds only its own memory."""
    months = table["published_month"].combine_chunks()
    order, place = pc.array_sort_indices(months), 0
    for one in sorted(pc.value_counts(months).to_pylist(), key=lambda one: str(one["values"])):
        yield one["values"], table.take(order.slice(place, one["counts"]))
        place += one["counts"]
