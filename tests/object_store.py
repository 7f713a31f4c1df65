"""An S3 server on loopback (moto's) in a process of its own, and a proxy before it that sees and holds requests."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEYS = {"AWS_ACCESS_KEY_ID": "nobody", "AWS_SECRET_ACCESS_KEY": "geheim-geheim", "AWS_DEFAULT_REGION": "us-east-1"}


def aws(endpoint):
    """The environment of whoever uses it."""
    return KEYS | {"AWS_ENDPOINT_URL": endpoint, "AWS_EC2_METADATA_DISABLED": "true"}


@contextmanager
def object_store(*buckets):
    """Run the server; gives its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    endpoint = f"http://127.0.0.1:{port}"
    server = subprocess.Popen([sys.executable, "-m", "moto.server", "-p", str(port)], stderr=subprocess.DEVNULL)
    try:
        wait_for(endpoint, server)
        make = f"import s3fs\nfor name in {buckets!r}: s3fs.S3FileSystem().mkdir(name)"
        subprocess.run([sys.executable, "-c", make], env=os.environ | aws(endpoint), check=True)
        yield endpoint
    finally:
        server.terminate()
        server.wait()


def wait_for(endpoint, server):
    for _ in range(450):
        assert server.poll() is None, "moto's server has ended"
        try:
            with urllib.request.urlopen(endpoint, timeout=5):  # noqa: S310 - our own server
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError("moto's server does not start")


class Proxy:
    """Passes requests on, and keeps `(method, path, range, bytes answered)` of each.

    While `holds` is true, uploads of WARC files are never answered, and `held` is set.
    """

    def __init__(self, endpoint):
        self.target = endpoint.removeprefix("http://")
        self.seen, self.holds, self.held = [], False, threading.Event()

    def __enter__(self):
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def pass_on(self):
                is_upload = self.command in {"PUT", "POST"} and ".warc.gz" in self.path and ".pages" not in self.path
                if proxy.holds and is_upload:
                    proxy.held.set()
                    while proxy.holds:
                        time.sleep(0.05)
                    self.close_connection = True
                    return
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                target = http.client.HTTPConnection(proxy.target, timeout=30)
                target.request(self.command, self.path, body, dict(self.headers))
                answer = target.getresponse()
                data = answer.read()
                proxy.seen.append((self.command, self.path, self.headers.get("Range"), len(data)))
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in {"transfer-encoding", "connection", "content-length", "date", "server"}:
                        self.send_header(name, value)
                length = answer.getheader("Content-Length") if self.command == "HEAD" else len(data)
                self.send_header("Content-Length", str(length or 0))
                self.end_headers()
                self.wfile.write(data)
                target.close()

            do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = pass_on  # noqa: N815 - the library's names

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        self.endpoint = f"http://127.0.0.1:{self._server.server_address[1]}"
        return self

    def __exit__(self, *_):
        self.holds = False
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
