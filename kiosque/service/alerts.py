"""Alerts: one message for all that is new, by webhook and e-mail."""

from __future__ import annotations

import http.client
import json
import smtplib
import socket
import ssl
import urllib.error
import urllib.request
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import TYPE_CHECKING, Any

from kiosque import __version__
from kiosque.errors import KiosqueError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from kiosque.service.incidents import Incident, News
    from kiosque.settings import Settings

SECONDS = 15.0
# Incidents spelled out in one message; a failing network brings one for every outlet.
SPELLED_OUT = 20


class AlertError(KiosqueError):
    """An alert could not be delivered; it is tried again at the next look."""


def send(news: News, settings: Settings, *, now: datetime) -> list[str]:
    """Tell the news by every way that is set; return what is to be complained of the ways that failed.

    Raises `AlertError` when all of them failed: it is tried again. One that was used is enough.
    """
    used, failed = 0, []
    if settings.alerts_webhook:
        try:
            post(settings.alerts_webhook, payload(news, now=now))
            used += 1
        except AlertError as error:
            failed.append(str(error))
    if settings.alerts_email:
        try:
            mail(settings, letter(news, settings, now=now))
            used += 1
        except AlertError as error:
            failed.append(str(error))
    if failed and not used:
        raise AlertError("; ".join(failed))
    return failed


def title(news: News) -> str:
    """Say the news in a line.

    >>> from kiosque.service.incidents import News
    >>> title(News(over=(None, None)))
    'Kiosque: all clear, 2 problems over'
    """
    opened, over = len(news.opened), len(news.over)
    parts = [f"{opened} new problem{'s' * (opened != 1)}"] if opened else []
    if over:
        clear = "" if opened or news.lasting else "all clear, "
        parts.append(f"{clear}{over} problem{'s' * (over != 1)} over")
    if news.lasting:
        parts.append(f"{news.lasting} still open")
    return f"Kiosque: {', '.join(parts)}"


def text(news: News) -> str:
    """Return the message as plain text."""
    lines = [title(news), ""]
    for word, incidents in (("NEW", news.opened), ("OVER", news.over)):
        for one in incidents[:SPELLED_OUT]:
            where = f"{one.outlet}: " if one.outlet else ""
            lines.append(f"{word}  {where}{one.says}")
            lines += [f"     {one.do}"] if word == "NEW" else [f"     It began {one.since:%Y-%m-%d %H:%M} UTC."]
        if len(incidents) > SPELLED_OUT:
            lines.append(f"{word}  ... and {len(incidents) - SPELLED_OUT} more: kiosque doctor")
    return "\n".join([*lines, "", f"From kiosque on {socket.gethostname()}; `kiosque doctor` says it all.", ""])


def payload(news: News, *, now: datetime) -> dict[str, Any]:
    """Return the message for a webhook; chat servers show its `text`."""
    return {
        "text": text(news),
        "title": title(news),
        "at": now.isoformat(timespec="seconds"),
        "host": socket.gethostname(),
        "version": __version__,
        "opened": _plain(news.opened),
        "over": _plain(news.over),
        "still_open": news.lasting,
    }


def _plain(incidents: Sequence[Incident]) -> list[dict[str, str]]:
    return [
        {
            "kind": one.kind,
            "outlet": one.outlet,
            "says": one.says,
            "do": one.do,
            "since": f"{one.since:%Y-%m-%dT%H:%M:%SZ}",
        }
        for one in incidents
    ]


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        """A message goes where the operator said, nowhere else."""


def post(url: str, content: dict[str, Any]) -> None:
    """Post JSON to an operator's own address, which may be a private one. Raises `AlertError`."""
    request = urllib.request.Request(  # noqa: S310 - the setting's shape allows http and https only
        url,
        data=json.dumps(content, ensure_ascii=False).encode(),
        headers={"Content-Type": "application/json; charset=utf-8", "User-Agent": f"Kiosque/{__version__}"},
        method="POST",
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect())
    try:
        opener.open(request, timeout=SECONDS).close()  # what it answers says nothing
    except urllib.error.HTTPError as error:
        error.close()
        raise AlertError(f"the webhook answers {error.code}") from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise AlertError(f"the webhook cannot be reached: {reason}") from error


def letter(news: News, settings: Settings, *, now: datetime) -> EmailMessage:
    """Return the message as an e-mail."""
    to = settings.alerts_email
    message = EmailMessage()
    message["Subject"] = title(news)
    message["From"] = settings.alerts_from or to.partition(",")[0].strip()
    message["To"] = to
    message["Date"] = formatdate(now.timestamp())
    message["Message-ID"] = make_msgid(domain="kiosque.invalid")
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's holiday reply
    message.set_content(text(news))
    return message


def mail(settings: Settings, message: EmailMessage) -> None:
    """Send an e-mail by the mail server of the settings. Raises `AlertError`."""
    host, _, port = settings.alerts_smtp.rpartition(":")
    host, security = host.strip("[]"), settings.alerts_smtp_security
    try:
        with _server(host, int(port), security) as server:
            if security == "starttls":
                server.starttls(context=ssl.create_default_context())
            if settings.alerts_smtp_user:
                server.login(settings.alerts_smtp_user, settings.alerts_smtp_password)
            server.send_message(message)
    except (OSError, smtplib.SMTPException, ValueError) as error:
        raise AlertError(f"the mail server {settings.alerts_smtp} did not take it: {error}") from error


def _server(host: str, port: int, security: str) -> smtplib.SMTP:
    if security == "tls":
        return smtplib.SMTP_SSL(host, port, timeout=SECONDS, context=ssl.create_default_context())
    return smtplib.SMTP(host, port, timeout=SECONDS)
