"""`kiosque date`: one date explained, or many as JSON lines."""

import json

import pytest
import typer
from typer.testing import CliRunner

from kiosque.cli.date import date_command
from kiosque.errors import UsageError

app = typer.Typer()
app.command()(date_command)


def run(*arguments, lines=None):
    given = lines if lines is None or isinstance(lines, bytes) else "".join(f"{line}\n" for line in lines).encode()
    return CliRunner().invoke(app, arguments, input=given)


def test_a_date_is_explained():
    done = run("vendredi, octobre 25", "--now", "2026-03-01T09:00", "--tz", "Europe/Paris")
    assert done.exit_code == 0
    assert "2024-10-25" in done.stdout
    assert "day" in done.stdout
    assert "year 2024: the latest in which 25 octobre is a vendredi, not after the fetch" in done.stdout
    assert "2026-03-01T09:00+01:00" in done.stdout


def test_what_is_no_date_is_said_in_a_sentence():
    done = run("Rue du 8-Mai-1945")
    assert done.exit_code == 1
    assert done.stdout == "No publication date: 'Rue du 8-Mai-1945' states none that an article could have.\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("hier", "--tz", "Paris"), "--tz: unknown time zone 'Paris' (a name like Europe/Paris is expected)"),
        (("hier", "--tz", "../../etc/passwd"), "--tz: unknown time zone '../../etc/passwd'"),
        (("hier", "--now", "mardi"), "--now: 'mardi' is no ISO 8601 date and time (like 2026-03-01T09:00)"),
        ((), "give the TEXT of a date, or --jsonl and lines on standard input"),
        (("hier", "--jsonl"), "--jsonl reads standard input: give no TEXT with it"),
    ],
)
def test_a_wrong_call_names_what_is_wrong(arguments, sentence):
    done = run(*arguments)
    assert isinstance(done.exception, UsageError)
    assert sentence in str(done.exception)


def test_a_line_in_is_a_line_out():
    done = run(
        "--jsonl",
        lines=[
            '{"id": "a", "text": "hier à 18h36", "now": "2024-10-25T10:00:00Z", "tz": "Indian/Reunion"}',
            '{"id": 2, "text": "PSG - OM 2-1"}',
        ],
    )
    assert done.exit_code == 0
    first, second = map(json.loads, done.stdout.splitlines())
    assert (first["id"], first["value"], first["precision"]) == ("a", "2024-10-24T18:36:00+04:00", "minute")
    assert (second["id"], second["value"]) == (2, None)


def test_a_line_without_a_clock_or_zone_takes_the_commands():
    done = run(
        "--jsonl", "--now", "2024-10-25T10:00", "--tz", "America/Toronto", lines=['{"id": 1, "text": "hier à 18 h"}']
    )
    assert json.loads(done.stdout)["value"] == "2024-10-24T18:00:00-04:00"


@pytest.mark.parametrize(
    ("line", "identifier", "sentence"),
    [
        ("pas du JSON", None, "not JSON"),
        ('["hier"]', None, "a JSON object is expected"),
        ('{"id": 7}', 7, "text: a string is expected"),
        ('{"id": 7, "text": 24}', 7, "text: a string is expected"),
        ('{"id": 7, "text": "hier", "tz": "Paris"}', 7, "tz: unknown time zone 'Paris'"),
        ('{"id": 7, "text": "hier", "tz": 5}', 7, "tz: 5 is no time zone"),
        ('{"id": 7, "text": "hier", "now": "mardi"}', 7, "now: 'mardi' is no ISO 8601 date and time"),
        ('{"id": 7, "text": "hier", "now": 1729850400}', 7, "now: 1729850400 is no ISO 8601 date and time"),
        ("[" * 5000, None, "not JSON"),
    ],
)
def test_a_bad_line_is_answered_and_the_next_is_read(line, identifier, sentence):
    done = run("--jsonl", lines=[line, '{"id": 8, "text": "24/10/2024"}'])
    bad, good = map(json.loads, done.stdout.splitlines())
    assert done.exit_code == 1
    assert (bad["id"], bad["value"]) == (identifier, None)
    assert sentence in bad["error"]
    assert f"line 1: {bad['error']}" in done.stderr
    assert good["value"] == "2024-10-24"


def test_bytes_that_are_no_utf_8_are_a_bad_line():
    done = run("--jsonl", lines=b'{"id": 1, "text": "\xff"}\n\n')
    assert (done.exit_code, json.loads(done.stdout)["value"]) == (1, None)
