"""The documentation is true: commands exist, links lead somewhere, examples follow the schema."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
import typer

from kiosque.cli import app, globals_first
from kiosque.records import record_schema

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def snippets(language):
    return [(page.name, body) for page in PAGES for kind, body in FENCE.findall(page.read_text()) if kind == language]


def commands():
    for name, body in snippets("sh"):
        for line in body.replace("\\\n", " ").splitlines():
            for part in re.split(r"\s(?:&&|\|)\s", line.split(" #")[0]):
                words = shlex.split(part.strip())
                if words and words[0].removeprefix(".venv/bin/") == "kiosque":
                    yield pytest.param(words[1:], id=f"{name}: {part.strip()[:60]}")


def test_the_first_screen_has_the_two_commands_word_for_word():
    text = (ROOT / "README.md").read_text()
    assert "python3 -m venv .venv && .venv/bin/pip install -e . && .venv/bin/kiosque demo --once\n" in text
    assert "python3 -m venv .venv && .venv/bin/pip install -e '.[test]' && .venv/bin/pytest\n" in text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files_that_exist(page):
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("words", list(commands()))
def test_every_command_in_the_documentation_exists_with_its_options(words):
    left = globals_first(words)
    while left[0].startswith("-"):  # the options of the whole program, each with a value
        left = left[2:]
    command = typer.main.get_command(app)
    while commands := getattr(command, "commands", None):
        assert left[0] in commands, words
        command, *left = commands[left[0]], *left[1:]
    command.make_context("kiosque", list(left))  # raises for an option that is not there


def test_records_shown_have_only_fields_of_the_schema():
    fields = set(record_schema()["properties"])
    shown = [json.loads(body) for _, body in snippets("json") if '"revision"' in body]
    assert shown
    assert all(set(record) <= fields for record in shown)
