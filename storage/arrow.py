"""Columns as a database gives them, as Arrow's: typed, and a batch at a time, since a value at a time is slow."""

from __future__ import annotations

from array import array
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj

from storage.columns import (
    DAY,
    MONTH,
    SECONDS,
    UNDATED,
    all_urls,
    decoded,
    listed,
    published_at,
    published_on,
    text_column,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

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
# How a database says that an article has no further address.
NO_OTHERS = {None, "[]", b"[]"}
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


def made(values: Iterable[Any], kind: pa.DataType) -> pa.Array:
    """Return values that JSON has as an array. `pa.array` loads pandas, where it is installed, for what it may hold."""
    lines = b"".join(msgspec.json.encode({"v": value}) + b"\n" for value in values)
    if not lines:
        return pa.nulls(0, kind)
    parse = pj.ParseOptions(explicit_schema=pa.schema([("v", kind)]), unexpected_field_behavior="ignore")
    read = pj.ReadOptions(use_threads=False, block_size=len(lines))
    return pj.read_json(pa.BufferReader(lines), read, parse)["v"].combine_chunks()


_DAY, _UNDATED, _NO_TEXT = made([DAY], pa.int32())[0], made([UNDATED], _TEXT)[0], pa.nulls(1, _TEXT)[0]


def schema_of(names: Sequence[str]) -> pa.Schema:
    """Return the types of columns; a text where none is given."""
    return pa.schema([(name, TYPES.get(name, _TEXT)) for name in names])


def table_of(columns: Mapping[str, Sequence[Any]], schema: pa.Schema) -> pa.Table:
    """Return columns (see `storage.Batch`) as a table; what the schema has of dates is added.

    The column `text` is not looked at: `sound` does that, in any thread.
    """
    found = {name: _array(name, values) for name, values in columns.items() if name in schema.names and name != "urls"}
    if "urls" in columns:
        found["urls"] = _urls(columns["urls"], columns["url"], found["url"])
    if "published_month" in schema.names:
        found |= _dates(found["published"])
    return pa.table([found[name] for name in schema.names], schema=schema)


def _array(name: str, values: Sequence[Any]) -> pa.Array:
    match name:
        case "text":
            return _long_texts(values)
        case "authors" | "tags" | "rights":
            return _once(values, _rights if name == "rights" else lambda texts: made(decoded(texts), _TEXTS))
        case "fetched_at" | "first_seen_at":
            return pc.utf8_slice_codeunits(_texts(values), 0, SECONDS).cast(pa.timestamp("us")).cast(_INSTANT)
        case "paywalled" if not isinstance(values, pa.Array):
            return made([bool(int(value)) for value in values], pa.bool_())
    if name in TYPES and not isinstance(values, pa.Array):
        return pa.array(values, TYPES[name])
    texts = _texts(values)
    return (texts.cast(pa.int64()) if name == "paywalled" else texts).cast(TYPES.get(name, _TEXT))


def _texts(values: Sequence[Any]) -> pa.Array:
    """Return texts, given as `str` or as UTF-8: that is what Arrow holds, so that nothing need be decoded."""
    try:
        return (values if isinstance(values, pa.Array) else pa.array(values, pa.binary())).cast(_TEXT)
    except pa.ArrowInvalid:  # of a damaged database
        return pa.array(text_column(values), _TEXT)


def _long_texts(values: Sequence[Any]) -> pa.Array:
    """Return texts of some kilobytes, none of them null. Arrow's own way, a buffer that grows, takes ten times as long.

    That they are UTF-8 is still to be seen.
    """
    if isinstance(values, pa.Array):
        return values.view(_TEXT)
    raw = [value.encode("utf-8", "replace") if isinstance(value, str) else value for value in values]
    ends = array("i", [0])
    try:
        ends.extend(accumulate(map(len, raw)))
    except OverflowError:  # 2 GB in a batch: Arrow cuts it in pieces
        return _texts(values)
    return pa.Array.from_buffers(_TEXT, len(raw), [None, pa.py_buffer(ends), pa.py_buffer(b"".join(raw))])


def sound(table: pa.Table) -> pa.Table:
    """Return the table with a `text` that is UTF-8: one of a damaged database may not be."""
    if "text" not in table.schema.names:
        return table
    try:
        table["text"].validate(full=True)
    except pa.ArrowInvalid:
        texts = text_column(table["text"].cast(pa.binary()).to_pylist())
        return table.set_column(table.schema.get_field_index("text"), table.schema.field("text"), [texts])
    return table


def _once(values: Sequence[Any], make: Callable[[Iterable[Any]], pa.Array]) -> pa.Array:
    """Return what `make` makes of JSON texts: much is said often, and each is made once."""
    if isinstance(values, pa.Array):
        said = values.dictionary_encode()
        return make(said.dictionary.to_pylist()).take(said.indices)
    known: dict[Any, int] = {}
    places = [known.setdefault(text, len(known)) for text in values]
    return make(known).take(pa.array(places, pa.int32()))


def _rights(texts: Iterable[Any]) -> pa.Array:
    """Return rights as structures."""
    said = []
    for text in texts:
        rights = msgspec.json.decode(text)
        pairs = [{"what": what, "where": where} for what, where in (rights.get("from") or {}).items()]
        said.append(rights | {"from": pairs})
    return made(said, RIGHTS)


def _urls(others: Sequence[Any], mains: Sequence[Any], urls: pa.Array) -> pa.Array:
    """Return each article's addresses; most have only their own."""
    if {*listed(others.unique() if isinstance(others, pa.Array) else others)} <= NO_OTHERS:
        ends = pa.Array.from_buffers(pa.int32(), len(urls) + 1, [None, pa.py_buffer(array("i", range(len(urls) + 1)))])
        return pa.ListArray.from_arrays(ends, urls)
    return made(all_urls(mains, decoded(listed(others))), _TEXTS)


def _dates(published: pa.Array) -> dict[str, pa.Array]:
    """Return what columnar files say of `published` besides."""
    try:
        on = pc.utf8_slice_codeunits(published, 0, DAY).cast(pa.date32())
        timed = pc.if_else(pc.greater(pc.utf8_length(published), _DAY), published, _NO_TEXT)
        at = timed.cast(_INSTANT)
    except pa.ArrowInvalid:  # one that is no date, or has no offset: value by value, then
        said = published.to_pylist()
        on = pa.array(list(map(published_on, said)), pa.date32())
        at = pa.array(list(map(published_at, said)), _INSTANT)
    month = pc.if_else(pc.is_valid(on), pc.utf8_slice_codeunits(published, 0, MONTH), _UNDATED)
    return {"published_at": at, "published_on": on, "published_month": month}


def by_month(table: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    """Cut a table into its months, rows in their order; each part holds at most twice its own memory."""
    months = table["published_month"].combine_chunks()
    order, place = pc.array_sort_indices(months), 0
    for one in sorted(pc.value_counts(months).to_pylist(), key=lambda one: str(one["values"])):
        rows = order.slice(place, one["counts"])
        yield one["values"], _part(table, rows)
        place += one["counts"]


def _part(table: pa.Table, rows: pa.Array) -> pa.Table:
    """Return rows, given in their order; without a copy where they stand together and are many.

    The table has chunks, and what is not copied holds those that it begins and ends in.
    """
    first, last = rows[0].as_py(), rows[-1].as_py()
    together = last - first + 1 == len(rows) and len(rows) >= 2 * max(map(len, table["published_month"].chunks))
    return table.slice(first, len(rows)) if together else table.take(rows)
