"""What deploy/ holds is checked as far as it can be without a container engine and without root."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from kiosque.advice import ADVICE
from kiosque.health import Finding, Newest, OutletNumbers
from kiosque.polling import new_feed
from kiosque.service.look import Look
from kiosque.service.metrics import Seen, exposition
from kiosque.service.note import JobRun
from kiosque.service.vitals import Vitals
from kiosque.settings import KEYS, environment_name
from pipelines.tally import Tally

DEPLOY = Path(__file__).resolve().parents[1] / "deploy"
NOON = datetime(2024, 10, 25, 12, 0, tzinfo=UTC)
METRIC = re.compile(r"\bkiosque_[a-z_]+\b")


def exposed():
    """Return every name that /metrics can have."""
    tally = Tally()
    tally.polls["parsed"] += 1
    tally.end("gazette", "new")
    tally.arrive("gazette", 60.0)
    feed = replace(new_feed("https://gazette.example/rss", outlet="gazette", now=NOON), last_success=NOON)
    newest = Newest(id="a", title="t", url="u", first_seen_at=NOON, published=None)
    numbers = {"gazette": OutletNumbers(slug="gazette", newest=newest, feeds=(feed,))}
    look = Look(at=NOON, numbers=numbers, findings=(Finding(kind="feed-gone", outlet="gazette"),))
    job = JobRun(name="poll_due", last_run=NOON, seconds=0.1)
    seen = Seen(tally=tally, vitals=Vitals(), jobs=lambda: [job], now=NOON.timestamp, look=look)
    lines = exposition(seen).decode().splitlines()
    return {re.match(r"[a-z_]+", line)[0] for line in lines if not line.startswith("#")}


def rules():
    groups = yaml.safe_load((DEPLOY / "alerts.yaml").read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def test_alert_rules_name_metrics_that_exist_and_say_what_to_do():
    names = exposed()
    for rule in rules():
        assert set(METRIC.findall(rule["expr"])) <= names, rule["alert"]
        assert rule["annotations"].keys() == {"summary", "description"}
        assert rule["labels"]["severity"] in {"warning", "critical"}
        for kinds in re.findall(r'kind=~"([^"]+)"', rule["expr"]):
            assert set(kinds.split("|")) <= ADVICE.keys()


def test_the_dashboard_names_metrics_that_exist():
    board = json.loads((DEPLOY / "grafana.json").read_text(encoding="utf-8"))
    asked = {
        name for panel in board["panels"] for target in panel["targets"] for name in METRIC.findall(target["expr"])
    }
    assert asked <= exposed()
    assert len(asked) > 10
    places = [tuple(panel["gridPos"][key] for key in "xy") for panel in board["panels"]]
    assert len(set(places)) == len(places)
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


@pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool here")
def test_promtool_takes_the_rules():
    subprocess.run(["promtool", "check", "rules", DEPLOY / "alerts.yaml"], check=True)  # noqa: S607


# -- systemd ---------------------------------------------------------------------------------------


UNITS = ("kiosque.service", "kiosque-worker@.service")


def unit(name="kiosque.service"):
    found = {}
    for line in (DEPLOY / name).read_text(encoding="utf-8").splitlines():
        if "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found[key] = value
    return found


@pytest.mark.parametrize("name", UNITS)
def test_the_unit_stops_reloads_and_watches_as_the_service_does(name):
    said = unit(name)
    assert said["Type"] == "notify"
    assert said["ExecReload"] == "/bin/kill -HUP $MAINPID"
    assert int(said["TimeoutStopSec"]) > 20 + 10, "schedule.stop_time, and the pool's own time"
    assert int(said["WatchdogSec"]) >= 60
    assert said["RestartPreventExitStatus"] == "2"
    assert said["User"] == "kiosque"


@pytest.mark.parametrize("name", UNITS)
@pytest.mark.parametrize(
    ("key", "value"),
    [("NoNewPrivileges", "yes"), ("ProtectSystem", "strict"), ("CapabilityBoundingSet", ""), ("PrivateDevices", "yes")],
)
def test_the_unit_is_hardened(key, value, name):
    assert unit(name)[key] == value


def test_a_workers_unit_is_a_schedulers_but_for_what_it_runs():
    scheduler, worker = unit(), unit("kiosque-worker@.service")
    differ = {key for key in scheduler.keys() | worker.keys() if scheduler.get(key) != worker.get(key)}
    assert differ == {"Description", "ExecStart", "EnvironmentFile"}
    assert worker["ExecStart"].endswith(" worker")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
@pytest.mark.parametrize("name", UNITS)
def test_systemd_takes_the_unit(tmp_path, name):
    text = (DEPLOY / name).read_text(encoding="utf-8")
    unit_file = tmp_path / name.replace("@", "@1")
    unit_file.write_text(text.replace("/opt/kiosque/bin/kiosque", sys.executable), encoding="utf-8")
    command = ["systemd-analyze", "verify", str(unit_file)]
    found = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    said = [line for line in found.stderr.splitlines() if unit_file.name in line]
    assert (found.returncode, said) == (0, [])


# -- containers ------------------------------------------------------------------------------------


def instructions():
    text = (DEPLOY / "Containerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    return [line.split(maxsplit=1) for line in text.splitlines() if line.strip() and not line.startswith("#")]


def test_the_container_file_keeps_the_usual_rules():
    steps = instructions()
    names = [name for name, _ in steps]
    assert names[-2:] == ["ENTRYPOINT", "CMD"]
    assert all(rest.startswith("[") for name, rest in steps if name in {"ENTRYPOINT", "CMD"}), "signals arrive"
    assert "ADD" not in names
    assert [rest for name, rest in steps if name == "USER"] == ["10001"], "a number is seen not to be root"
    assert names.index("USER") > max(n for n, name in enumerate(names) if name == "RUN")
    assert all("--no-cache-dir" in rest for name, rest in steps if "pip install" in rest)
    assert not any("sudo" in rest or "latest" in rest for _, rest in steps)
    assert all("--from" in rest or " . " not in f" {rest} " for name, rest in steps if name == "COPY")
    (arg,) = [rest for name, rest in steps if name == "ARG"]
    assert re.fullmatch(r"PYTHON=3\.\d+-slim-\w+", arg)


def test_every_path_that_the_container_file_copies_is_there():
    root = DEPLOY.parent
    for name, rest in instructions():
        if name == "COPY" and "--from" not in rest:
            *sources, _ = rest.split()
            assert all((root / source).exists() for source in sources), rest


def test_the_container_has_every_package_and_extra():
    pyproject = (DEPLOY.parent / "pyproject.toml").read_text(encoding="utf-8")
    text = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
    for package in re.findall(r'"(\w+)\*?"', re.search(r"packages.find\]\ninclude = \[(.*)\]", pyproject)[1]):
        assert f"COPY {package} {package}\n" in text
    for extra in re.search(r"\.\[(.*?)\]", text)[1].split(","):
        assert re.search(rf"^{extra} = \[", pyproject, re.MULTILINE)


def compose():
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))


def test_the_compose_file_runs_nothing_as_root_and_waits_for_the_database():
    services = compose()["services"]
    for service in services.values():
        assert service["user"] not in {"root", "0", 0}
        assert service["cap_drop"] == ["ALL"]
        assert "ports" not in service, "nothing is published"
        assert "privileged" not in service
    assert services["kiosque"]["depends_on"]["postgres"]["condition"] == "service_healthy"
    assert services["postgres"]["healthcheck"]["test"][1].startswith("pg_isready")
    assert services["kiosque"]["command"] == ["schedule", "--standby"]
    assert services["worker"]["command"] == ["worker"]
    assert services["worker"]["profiles"] == ["workers"], "only who asks for workers gets them"


def test_the_compose_file_keeps_its_data_in_volumes_and_no_password():
    said = compose()
    used = {volume.partition(":")[0] for service in said["services"].values() for volume in service["volumes"]}
    assert said["volumes"].keys() <= used
    password = said["services"]["postgres"]["environment"]["POSTGRES_PASSWORD"]
    assert password.startswith("${")


def test_every_setting_that_deploy_names_exists():
    known = {environment_name(key) for key in KEYS} | {"KIOSQUE_HOME"}
    for name in ("Containerfile", "compose.yaml", *UNITS):
        said = set(re.findall(r"KIOSQUE_[A-Z_]+", (DEPLOY / name).read_text(encoding="utf-8")))
        assert said <= known, name
