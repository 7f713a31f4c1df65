"""Templates to pages: the language of a request, links that keep it, times, and hostile texts made harmless."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, urlencode, urlsplit

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from kiosque.dashboard.charts import bars
from kiosque.dashboard.reasons import reason_words
from kiosque.dashboard.words import LANGUAGES, Language, age_words, choose_language, finding_words, rule_words, word

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fastapi import Request

    from kiosque.dashboard.series import Series
    from kiosque.health import Finding

HERE = Path(__file__).parent
# Control characters of writing direction: a title may turn the rest of its line around, but not ours.
_DIRECTION = dict.fromkeys((0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)))
LONGEST_TITLE, LONGEST_LINK = 300, 2_000
# Seconds after which a page that refreshes itself asks again; numbers are counted anew no more often.
REFRESH = 20

environment = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


class Look(NamedTuple):
    """How a request is answered: in which language, and whether its address asked for it."""

    language: Language
    asked: bool
    path: str
    query: tuple[tuple[str, str], ...]
    now: datetime

    def t(self, key: str, **facts: object) -> str:
        """Say a key in the reader's language."""
        return word(key, self.language, **facts)

    def link(self, path: str, **parameters: object) -> str:
        """Return a link to a page of ours; a language that was asked for stays asked for."""
        given = [(key, str(value)) for key, value in parameters.items() if value not in {None, ""}]
        if self.asked and "lang" not in parameters:
            given.append(("lang", self.language))
        return quote(path) + (f"?{urlencode(given)}" if given else "")

    @property
    def other(self) -> Language:
        """The language that this page is not in."""
        return LANGUAGES[1 - LANGUAGES.index(self.language)]

    @property
    def switch(self) -> str:
        """Return the link to this page in the other language: a query alone, for a path of `//host` leads elsewhere."""
        kept = [(key, value) for key, value in self.query if key != "lang"]
        return f"?{urlencode([*kept, ('lang', self.other)])}"

    def ago(self, moment: datetime | None) -> Markup:
        """Say how long ago an instant was, with the instant itself for those who look."""
        if moment is None:
            return Markup("{}").format(self.t("never"))
        said = self.t("ago", age=age_words(self.now - moment, self.language))
        exact = f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        return Markup('<time datetime="{}" title="{}">{}</time>').format(
            f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}", exact, said
        )

    def reason(self, reason: str) -> tuple[str, Language]:
        """Say why a feed's next poll is when it is, with the language of the answer."""
        return reason_words(reason, self.language)

    def rule(self, rule: str) -> str:
        """Say which rule took a line out."""
        return rule_words(rule, self.language)

    def rules(self, removed: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
        """Say for each removed line which rule took it."""
        return [(line, self.rule(rule)) for line, rule in removed]

    def finding(self, finding: Finding) -> tuple[str, str]:
        """Say what is wrong, and what to do."""
        return finding_words(finding, self.language)

    def until(self, moment: datetime | None) -> Markup:
        """Say in how long an instant comes, with the instant itself for those who look."""
        if moment is None or moment <= self.now:
            return Markup("{}").format(self.t("at_once"))
        said = self.t("in_time", age=age_words(moment - self.now, self.language))
        return Markup('<time datetime="{}" title="{:%Y-%m-%d %H:%M} UTC">{}</time>').format(
            f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}", moment.astimezone(UTC), said
        )

    def chart(self, series: Series) -> str:
        """Return what the script draws from, in the reader's language."""
        return series.as_json({key: self.t(key) for key in series.lines}, time=self.t(series.unit))

    def bars(self, values: Sequence[int], what: str) -> Markup:
        """Draw a small bar chart."""
        facts = {"total": sum(values), "most": max(values, default=0), "last": values[-1] if values else 0}
        return bars(values, label=f"{what}{self.t('colon')} {self.t('bars', **facts)}")


def look_at(request: Request) -> Look:
    """Return how to answer a request."""
    asked = request.query_params.get("lang")
    language = choose_language(asked, request.headers.get("accept-language", ""))
    query = tuple(request.query_params.multi_items())
    return Look(language, asked == language, request.url.path, query, datetime.now(UTC))


def page(request: Request, template: str, *, status: int = 200, **context: Any) -> HTMLResponse:
    """Return a page made from a template."""
    look = look_at(request)
    body = environment.get_template(template).render(look=look, t=look.t, link=look.link, **context)
    return HTMLResponse(
        body, status_code=status, headers={"Vary": "Accept-Language", "Content-Language": look.language}
    )


def error_page(
    request: Request, status: int, detail: str = "", headers: Mapping[str, str] | None = None
) -> HTMLResponse:
    """Return a page that says what is wrong."""
    answer = page(request, "error.html", status=status, code=status, phrase=_phrase(status), detail=one_line(detail))
    answer.headers.update(headers or {})
    return answer


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def one_line(text: str | None, most: int = LONGEST_TITLE) -> str:
    r"""Return a text of the web as one line that cannot turn its surroundings around.

    >>> one_line("Le pont\u202e\n rouvre")
    'Le pont rouvre'
    """
    cut = (text or "")[: 4 * most].translate(_DIRECTION)
    plain = " ".join("".join(c if unicodedata.category(c) != "Cc" else " " for c in cut).split())
    return plain if len(plain) <= most else plain[: most - 1] + "…"


def web_link(url: str | None) -> str | None:
    """Return an address that may be followed: http or https; None for every other.

    >>> web_link("https://exemple.fr/a"), web_link("javascript:alert(1)"), web_link("https://[")
    ('https://exemple.fr/a', None, None)
    """
    try:
        parts = urlsplit(url or "")
    except ValueError:
        return None
    good = parts.scheme in {"http", "https"} and bool(parts.netloc) and len(url or "") <= LONGEST_LINK
    return url if good else None


environment.globals["refresh"] = REFRESH
environment.filters["one_line"] = one_line
environment.filters["web_link"] = web_link
