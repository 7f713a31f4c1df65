"""The command line as scripts call it: arguments in, lines out, exit status."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command import Kiosque
from jsonschema import Draft202012Validator
from small_site import PAGE, Site, article

from kiosque.cli import main
from kiosque.demo import DemoPress
from kiosque.records import record_schema

SEED = Path(__file__).parent / "pages" / "seed-amp.html"
URL = "https://gazette.example/2024/10/25/article/amp/"


@pytest.fixture
def kiosque(tmp_path):
    return Kiosque(tmp_path)


ENDS = (
    ("divise", "qui attendent une décision depuis le printemps"),
    ("rassemble", "venus nombreux malgré la pluie et le froid"),
    ("inquiète", "dont les plus anciens se souviennent des crues"),
)


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


def test_read_prints_a_file_as_text_or_with_all_fields(kiosque):
    out, _ = kiosque.run("read", SEED, "--url", URL, "--fetched-at", "2024-10-26T09:00+02:00")
    assert "2024-10-25 · A. Lo." in out
    assert "Exit mobile version" not in out
    out, _ = kiosque.run("read", SEED, "--url", URL, "--fetched-at", "2026-03-01T09:00+01:00", "--format", "json")
    (found,) = lines(out)
    assert (found["outcome"], found["published"], found["authors"]) == ("new", "2024-10-25", ["A. Lo."])


def test_read_takes_standard_input(kiosque):
    out, _ = kiosque.run("read", "-", "--url", URL, "--format", "json", given=article().decode())
    assert lines(out)[0]["published"] == "2024-10-25T07:12:00+02:00"


@pytest.mark.slow
def test_read_fetches_a_url_and_stores_nothing(tmp_path):
    with Site({"/a": (200, PAGE, article())}) as site:
        kiosque = Kiosque(tmp_path, hosts=[site.host])
        out, _ = kiosque.run("read", f"{site.url}/a", "--format", "json")
        assert lines(out)[0]["title"] == "Le pont de Valmont rouvre"
        _, err = kiosque.run("read", f"{site.url}/b", code=1)
        assert "failed:status-404" in err
    assert not (tmp_path / "kiosque.sqlite").exists()


def test_a_page_without_an_article_ends_with_status_1_and_its_reason(kiosque):
    _, err = kiosque.run("read", "-", code=1, given="")
    assert "rejected:empty" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["read"], "nothing to read"),
        (["read", "absent.html"], "absent.html: No such file"),
        (["read", "--learn", "x.html"], "--learn goes with --jsonl"),
        (["read", "-", "--outlet", "absent"], "no outlet 'absent'"),
        (["read", "-", "--fetched-at", "hier"], "--fetched-at 'hier'"),
        (["crawl"], "nothing to crawl"),
        (["crawl", "--url", "exemple.fr"], "must begin with http"),
        (["records", "--since", "hier"], "--since 'hier'"),
        (["date", "hier", "--tz", "Europe/Valmont"], "Europe/Valmont"),
        (["demo", "--onse"], "No such option"),
    ],
)
def test_a_wrong_call_is_one_clear_sentence_and_status_2(arguments, said, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))
    monkeypatch.delenv("KIOSQUE_CONTACT", raising=False)
    with pytest.raises(SystemExit) as end:
        main(["--home", str(tmp_path), *arguments])
    assert end.value.code == 2
    assert said in capsys.readouterr().err


def test_read_jsonl_answers_each_line_in_order(kiosque):
    given = [
        {"id": 1, "url": "https://a.example/1", "html": article("Un premier titre").decode()},
        {"id": "x", "url": "https://a.example/2", "html": ""},
        {"id": 3, "url": "https://a.example/3", "html": article().decode(), "fetched_at": "2024-10-26T09:00:00Z"},
    ]
    text = "\n".join(map(json.dumps, given)) + "\nnonsense\n" + '{"id": 5}\n'
    out, err = kiosque.run("read", "--jsonl", "--jobs", "2", code=1, given=text)
    answers = lines(out)
    assert [a["id"] for a in answers] == [1, "x", 3, None, 5]
    assert [a["outcome"].partition(":")[0] for a in answers] == ["new", "rejected", "new", "failed", "failed"]
    assert answers[0]["title"] == "Un premier titre"
    assert answers[2]["fetched_at"] == "2024-10-26T09:00:00Z"
    assert "2 lines" in err


@pytest.mark.slow
def test_learning_drops_a_line_that_repeats_over_an_outlets_pages(kiosque):
    slogan = "La Gazette de Valmont, votre hebdomadaire depuis 1887"
    subjects = ("parc", "pont", "marché", "lavoir", "stade", "musée", "théâtre", "canal", "verger", "moulin")
    given = []
    for n, subject in enumerate(subjects):
        paragraphs = [
            f"<p>Le {subject} {verb} cette semaine les habitants du quartier, {end}.</p>" for verb, end in ENDS
        ]
        html = article(f"Un {subject} en débat").decode()
        start, end = html.index("<p>"), html.index("</article>")
        body = "".join(f"{p[:-5]} comme le {subject} d’à côté, selon la mairie.</p>" for p in paragraphs)
        html = f"{html[:start]}{body}<p>{slogan}</p>{html[end:]}"
        given.append({"id": n, "url": f"https://gazette.example/{n}", "html": html})
    text = "\n".join(map(json.dumps, given))
    plain, _ = kiosque.run("read", "--jsonl", given=text)
    learned, _ = kiosque.run("read", "--jsonl", "--learn", given=text)
    assert all(slogan in a["text"] for a in lines(plain))
    assert not any(slogan in a["text"] for a in lines(learned))
    assert all("selon la mairie" in a["text"] for a in lines(learned))


def test_date_answers_by_line_and_explains_one(kiosque):
    given = json.dumps({"id": 1, "text": "vendredi, octobre 25", "now": "2026-03-01T09:00:00Z", "tz": "Europe/Paris"})
    out, _ = kiosque.run("date", "--jsonl", given=given)
    assert lines(out)[0] | {"id": 1, "value": "2024-10-25", "precision": "day"} == lines(out)[0]
    out, _ = kiosque.run("date", "vendredi, octobre 25", "--now", "2026-03-01T09:00", "--tz", "Europe/Paris")
    assert "2024-10-25" in out


def test_the_date_command_loads_no_crawler():
    code = "import sys; from kiosque.cli import main\ntry: main(['date', '25 octobre 2024'])\nexcept SystemExit: pass\n"
    code += "print(sorted({'scrapy', 'trafilatura', 'dateparser', 'sqlalchemy', 'rich'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_demo_shows_its_outcomes_and_a_whole_record(kiosque):
    out, _ = kiosque.run("demo", "--once")
    record = json.loads(out[out.index("{") : out.rindex("}") + 1])
    Draft202012Validator(record_schema()).validate(record)
    assert "15 seen" in out


@pytest.mark.slow
def test_records_and_export_follow_the_schema(tmp_path):
    with DemoPress() as press:
        kiosque = Kiosque(tmp_path / "home", hosts=press.hosts)
        press.write_outlets(kiosque.outlets)
        kiosque.crawl(*(outlet.slug for outlet in press.outlets))
        out, _ = kiosque.run("records", "--format", "jsonl")
        schema = Draft202012Validator(record_schema())
        for record in lines(out):
            schema.validate(record)
        out, _ = kiosque.run("export", tmp_path / "dataset", "--format", "jsonl")
        manifest = json.loads((tmp_path / "dataset" / "manifest.json").read_text())
        assert manifest["rows"] == sum(not fact.reserved for fact in press.expected())
        assert manifest["reserved_left_out"] == sum(fact.reserved for fact in press.expected())
        out, _ = kiosque.run("records", "--search", "valmont", "--outlet", press.outlets[0].slug)
        assert "Valmont" in out


def test_an_export_never_overwrites_something_else(kiosque, tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "vacances.jpg").write_bytes(b"x")
    _, err = kiosque.run("export", tmp_path / "photos", code=1)
    assert "vacances.jpg" in err


@pytest.mark.slow
def test_the_schedule_brings_new_articles_and_revisions_until_sigterm(tmp_path):
    with DemoPress() as press:
        kiosque = Kiosque(tmp_path, hosts=press.hosts)
        press.write_outlets(kiosque.outlets)
        (tmp_path / "kiosque.toml").write_text("[schedule]\ntick = 0.3\npoll_min = 0.3\npoll_max = 0.6\n")
        process = kiosque.start("schedule")
        try:
            wait_for(lambda: len(kiosque.records()) == len(press.expected()))
            published = press.publish()
            wait_for(lambda: published in {record.url for record in kiosque.records()})
            edited = press.edit()
            wait_for(lambda: edited in {record.url for record in kiosque.records() if record.revision == 2})
            _, err = kiosque.run("schedule", code=2)
            assert "another scheduler runs" in err
        finally:
            process.send_signal(signal.SIGTERM)
            _, log = process.communicate(timeout=30)
        assert process.returncode == 0, log
        assert "Traceback" not in log


def wait_for(condition, *, seconds=25):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError("it did not happen in time")
