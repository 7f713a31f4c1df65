"""The command line in a home of its own, for tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from storage import RecordQuery, open_storage


class Kiosque:
    """Runs `kiosque` as a user does: in a process."""

    def __init__(self, home, *, hosts=()):
        self.home = home
        self.outlets = home / "outlets"
        self.outlets.mkdir(parents=True, exist_ok=True)
        clean = {k: v for k, v in os.environ.items() if not k.startswith("KIOSQUE_")}
        self.environment = clean | {"KIOSQUE_ALLOW_PRIVATE_HOSTS": ",".join(hosts), "KIOSQUE_WORKERS": "1"}

    def start(self, *arguments, stdin=None, process_group=None, **changes):
        command = [sys.executable, "-m", "kiosque", "--home", self.home, "--outlets", self.outlets, *arguments]
        return subprocess.Popen(
            command,
            env=self.environment | changes,
            stdin=stdin,
            process_group=process_group,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments, code=0, given=None, **changes):
        """Run to the end, check the exit status, return what was printed."""
        with self.start(*arguments, stdin=subprocess.PIPE if given is not None else None, **changes) as process:
            out, err = process.communicate(given, timeout=120)
        assert process.returncode == code, (process.returncode, out, err)
        assert "Traceback" not in err, err
        return out, err

    def crawl(self, *arguments, code=0, **changes):
        out, _ = self.run("crawl", *arguments, "--json", code=code, **changes)
        return json.loads(out)

    def records(self, **filters):
        """Read the store directly: quicker than a process."""
        store = open_storage(f"sqlite:///{self.home / 'kiosque.sqlite'}")
        try:
            return list(store.records(RecordQuery(**filters)))
        finally:
            store.close()

    def outlet(self, slug, **keys):
        """Write an outlet file."""
        keys = {"name": slug.title(), "country": "FR"} | keys
        lines = [f"{key} = {json.dumps(value)}" for key, value in keys.items()]
        (self.outlets / f"{slug}.toml").write_text("\n".join(lines), encoding="utf-8")
