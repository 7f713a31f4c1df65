"""A small web site for tests: paths and what they answer, on loopback."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PAGE = "text/html; charset=utf-8"


class Site:
    """Serves `answers`: a path to a (status, content type, body) triple, or to a function of the handler."""

    def __init__(self, answers=None):
        self.answers = dict(answers or {})
        self.requests = []

    def __enter__(self):
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                site.requests.append((self.path, dict(self.headers)))
                answer = site.answers.get(self.path, (404, PAGE, b"rien ici"))
                if callable(answer):
                    answer(self)
                    return
                status, kind, body, *more = answer
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                for name, value in more:
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        self.host = f"127.0.0.1:{self._server.server_address[1]}"
        self.url = f"http://{self.host}"
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def asked(self, path):
        return [headers for asked, headers in self.requests if asked == path]


def article(title="Le pont de Valmont rouvre", day="2024-10-25", text=None, head=""):
    """A plain article page in our own words."""
    text = text or (
        "Le pont des Tanneurs a rouvert vendredi matin, après dix-huit mois de travaux, en présence des riverains. "
        "Les piétons et les vélos sont les premiers à l’emprunter, avant les voitures au printemps."
    )
    paragraphs = "".join(
        f"<p>{text} {more}</p>"
        for more in (
            "La municipalité a financé l’essentiel du chantier.",
            "Les commerçants du quai attendaient ce jour depuis longtemps.",
            "Une fête de quartier doit marquer la fin des travaux.",
        )
    )
    return (
        f'<!DOCTYPE html><html lang="fr"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta property="og:type" content="article">'
        f'<meta property="article:published_time" content="{day}T07:12:00+02:00">{head}</head>'
        f"<body><article><h1>{title}</h1>{paragraphs}</article></body></html>"
    ).encode()


def feed(*urls, more=""):
    """An RSS feed of these addresses."""
    items = "".join(
        f"<item><title>Titre {n}</title><link>{url}</link><pubDate>Fri, 25 Oct 2024 07:12:00 +0200</pubDate></item>"
        for n, url in enumerate(urls)
    )
    head = '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel><title>Essai</title>'
    return (200, "application/rss+xml", f"{head}{more}{items}</channel></rss>".encode())
