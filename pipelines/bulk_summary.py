"""The summaries of many files as one. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

NUMBERS = ("seen", "lost", "unarchived", "written", "rows")
# Of a run over tens of thousands of files; all of them are counted.
MOST_PROBLEMS = 10_000


@dataclass(slots=True, kw_only=True)
class Together:
    """What the files of a run came to, as they come in."""

    numbers: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    fields: Counter[str] = field(default_factory=Counter)
    outlets: dict[str, Counter[str]] = field(default_factory=dict)
    fields_by_outlet: dict[str, Counter[str]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    files: Counter[str] = field(default_factory=Counter)
    memory_mb: int = 0

    def add(self, found: Mapping[str, Any]) -> None:
        """Take the summary of a file."""
        self.numbers.update({name: int(found.get(name, 0)) for name in NUMBERS})
        self.outcomes.update(found.get("outcomes", {}))
        self.fields.update(found.get("fields", {}))
        for ours, theirs in ((self.outlets, "outlets"), (self.fields_by_outlet, "fields_by_outlet")):
            for slug, counts in found.get(theirs, {}).items():
                ours.setdefault(slug, Counter()).update(counts)
        problems = list(found.get("problems", ()))
        self.problems += problems[: max(0, MOST_PROBLEMS - len(self.problems))]
        self.files["broken" if problems else "read"] += 1
        self.memory_mb = max(self.memory_mb, int(found.get("memory_mb", 0)))

    def summary(self, *, seconds: float) -> dict[str, Any]:
        """Return the keys of a rereading's summary (`Report.summary`), and those of a bulk one."""
        return {
            "seen": self.numbers["seen"],
            "outcomes": dict(self.outcomes.most_common()),
            "outlets": {slug: dict(counts) for slug, counts in sorted(self.outlets.items())},
            "fields": dict(self.fields.most_common()),
            "fields_by_outlet": {
                slug: dict(names.most_common()) for slug, names in sorted(self.fields_by_outlet.items())
            },
            "lost": self.numbers["lost"],
            "unarchived": self.numbers["unarchived"],
            "written": self.numbers["written"],
            "rows": self.numbers["rows"],
            "files": {name: self.files[name] for name in ("read", "broken", "skipped")},
            "memory_mb": self.memory_mb,
            "problems": self.problems,
            "seconds": round(seconds, 3),
        }
