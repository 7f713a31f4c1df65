"""Where each field of a record came from, as far as the record and its page say."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pipelines.steps.claims import says_the_same

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kiosque.model import Record
    from pipelines.steps.claims import Claim


class Field(NamedTuple):
    """A field's value and its origin."""

    key: str
    """Its name among the pages' words."""
    value: str
    origin: str | None
    """The place as the record or the page names it; None is the page itself."""
    raw: str | None = None
    """The text that it was read from."""
    notes: tuple[tuple[str, dict[str, object]], ...] = ()
    """More to say: keys of words with their facts."""


def provenance(record: Record, claims: Sequence[Claim] | None = None) -> list[Field]:
    """Return the fields that have a value, each with where it was read.

    `claims` are those of the record's page, the surest first: the first place that says what the record says
    is where it came from. Without them only the record speaks.
    """
    fields = [field for field in _fields(record) if field.value]
    return fields if claims is None else [_with_place(field, claims) for field in fields]


def _with_place(field: Field, claims: Sequence[Claim]) -> Field:
    if field.origin is not None:
        return field
    place = next(
        (one.place for one in claims if one.field == field.key and says_the_same(one.value, field.value)), None
    )
    return field if place is None else field._replace(origin=place)


def _fields(record: Record) -> Iterator[Field]:
    notes: list[tuple[str, dict[str, object]]] = []
    if record.published_precision:
        notes.append(("precision", {"precision": record.published_precision}))
    if record.published_confidence is not None:
        notes.append(("confidence", {"n": round(100 * record.published_confidence)}))
    yield Field("title", record.title, None)
    yield Field("lead", record.lead or "", None)
    yield Field("published", record.published or "", record.published_from, record.published_text, tuple(notes))
    yield Field("modified", record.modified or "", None)
    yield Field("authors", ", ".join(record.authors), None)
    yield Field("agency", record.agency or "", None)
    yield Field("section", record.section or "", None)
    yield Field("tags", ", ".join(record.tags), None)
    yield Field("language", record.language, "kiosque")
    yield Field("image", record.image or "", None)
    for place, statement in record.rights.said:
        yield Field("rights", statement, place)
    yield Field("archive", record.archive or "", "kiosque")
