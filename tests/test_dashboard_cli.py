"""`kiosque dashboard` as people start it: on a port, with or without a token, and until it is told to end."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request

import pytest
from command import Kiosque
from test_dashboard_way import kept

from kiosque.cli.demo import demo_dashboard
from kiosque.settings import Settings
from storage import open_storage
from storage.archive import WarcArchive

pytest.importorskip("fastapi", reason="the dashboard needs kiosque[dashboard]")
pytest.importorskip("uvicorn", reason="the dashboard needs kiosque[dashboard]")

TOKEN = "un-jeton-bien-long-pour-le-test"  # noqa: S105 - of this test
WITHOUT = "import sys; sys.modules['fastapi'] = None; from kiosque.cli import main; main(['dashboard'])"


@pytest.fixture
def kiosque(tmp_path):
    return Kiosque(tmp_path)


def get(url, **headers):
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - of the server under test
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        return answer.status, answer.read().decode()


@pytest.mark.slow
@pytest.mark.parametrize(("with_signal", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_it_serves_until_it_is_told_to_end(kiosque, with_signal, code):
    store, archive = open_storage(f"sqlite:///{kiosque.home / 'kiosque.sqlite'}"), WarcArchive(kiosque.home / "archive")
    record = kept(store, archive)
    store.close()
    archive.close()
    with kiosque.start("dashboard", "--port", "0") as process:
        url = process.stdout.readline().split()[4]
        assert url.startswith("http://127.0.0.1:")
        assert get(f"{url}readyz") == (200, "ready\n")
        assert "newsarticle" in get(f"{url}articles/{record.id}/way")[1]  # its worker ends with it
        process.send_signal(with_signal)
        _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (code, "")


@pytest.mark.slow
def test_a_token_guards_it(kiosque):
    with kiosque.start("dashboard", "--port", "0", "--host", "0.0.0.0", KIOSQUE_DASHBOARD_TOKEN=TOKEN) as process:  # noqa: S104
        port = process.stdout.readline().split()[4].rstrip("/").rpartition(":")[2]
        url = f"http://127.0.0.1:{port}/api/v1/records"
        with pytest.raises(urllib.error.HTTPError, match="401"):
            get(url)
        assert get(url, Authorization=f"Bearer {TOKEN}")[0] == 200
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)


@pytest.mark.slow
def test_elsewhere_than_here_it_wants_a_token(kiosque, tmp_path):
    _, err = kiosque.run("dashboard", "--host", "0.0.0.0", code=2)  # noqa: S104
    assert "KIOSQUE_DASHBOARD_TOKEN" in err
    (tmp_path / "token").write_text("court\n")
    for file in ("token", "absent"):
        _, err = kiosque.run("dashboard", "--token-file", tmp_path / file, code=2)
        assert f"--token-file {tmp_path / file}" in err
    assert not (kiosque.home / "kiosque.sqlite").exists()


@pytest.mark.slow
def test_a_port_that_is_taken_is_one_sentence(kiosque):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        _, err = kiosque.run("dashboard", "--port", port, code=1)
    assert "choose another with --port" in err
    assert len(err.splitlines()) == 1


def test_without_its_packages_it_says_what_to_install():
    found = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=False, timeout=60)
    assert (found.returncode, len(found.stderr.splitlines())) == (2, 1)
    assert "pip install 'kiosque[dashboard]'" in found.stderr


def test_the_demo_goes_on_without_the_dashboards_packages(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "fastapi", None)
    with demo_dashboard(Settings(), port=None):
        pass
    assert "No dashboard here" in capsys.readouterr().out


def test_the_demo_shows_its_dashboard_and_takes_a_free_port_where_its_own_is_taken(tmp_path, capsys):
    settings = Settings(home=tmp_path, db=f"sqlite:///{tmp_path / 'k.sqlite'}", outlets_dir=tmp_path)
    with demo_dashboard(settings, port=None), demo_dashboard(settings, port=None):
        first, second = re.findall(r"http://127\.0\.0\.1:\d+/", capsys.readouterr().out)
        assert first != second
        assert "Nothing was crawled yet." in get(first)[1]
        assert get(f"{second}readyz") == (200, "ready\n")
