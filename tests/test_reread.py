"""Reading the archive again: exactly what the rules change is corrected, and nothing before somebody agrees."""

from __future__ import annotations

import io
import json
import os
import pty
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import Future
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest
from command import Kiosque
from hypothesis import given
from hypothesis import strategies as st
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from kiosque.cli import main
from kiosque.model import CleanRules, FeedEntry, Outlet, Page, ReadRules, Visit
from kiosque.outlets import finder
from kiosque.urls import canonical_url
from pipelines import read_article
from pipelines.conclude import Finding
from pipelines.correction import corrected, word_diff
from pipelines.french import looks_french
from pipelines.keeper import settle
from pipelines.reread import Desk, foreign_jobs, own_jobs, verdicts
from pipelines.rights import rights_of
from pipelines.verdicts import Changes, Report
from storage import RecordQuery, open_storage
from storage.archive import WarcArchive
from storage.memory import MemoryStore

pytestmark = pytest.mark.slow  # crawls in processes of their own

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SENTENCES = (
    "Le marché couvert de Valmont rouvre samedi, après deux ans de travaux menés sans fermer les étals du dehors.",
    "La charpente de fonte a été démontée pièce par pièce, puis repeinte dans l’atelier d’un artisan de la vallée.",
    "Les marchands retrouvent leurs places d’autrefois, tirées au sort devant les habitants réunis sur la place.",
)
CLUTTER = "Le billet du dimanche se lit au kiosque de la gare."
OUTLET = Outlet(slug="exemple", name="L’Exemple", site="https://exemple.fr", country="FR")


def html(title="Le marché couvert rouvre", *, lines=SENTENCES, date_of="2026-11-21T09:30:00+01:00", more=""):
    meta = f'<meta property="article:published_time" content="{date_of}">' if date_of else ""
    # No two articles share a sentence: a line that several carry would be learned as clutter.
    own = (f"{line[:-1]}, lit-on sous « {title} »." if line in SENTENCES else line for line in lines)
    body = "".join(f"<p>{line}</p>" for line in own)
    return (
        f'<!DOCTYPE html><html lang="fr"><head><meta charset="utf-8"><title>{title}</title>{meta}</head>'
        f"<body><article><h1>{title}</h1>{body}</article>{more}</body></html>"
    ).encode()


class Pool:
    """Reads at once, where the real one has processes."""

    def submit(self, page, outlet, *, entry=None, learned=frozenset()):
        future = Future()
        try:
            future.set_result(read_article(page, outlet, entry=entry, learned=learned))
        except Exception as error:  # noqa: BLE001
            future.set_exception(error)
        return future


class Press:
    """A store with its archive, filled as a crawl fills them."""

    def __init__(self, folder, *outlets):
        self.store, self.archive, self.open = MemoryStore(), WarcArchive(folder), []
        self.outlets = {outlet.slug: outlet for outlet in outlets or (OUTLET,)}

    def crawl(self, path, body, *, at=NOON, entry=None, outlet=None):
        url = f"https://exemple.fr/{path}"
        page = Page(url=url, final_url=url, body=body, fetched_at=at)
        outlet = self.outlets[outlet or OUTLET.slug]
        pointer = self.archive.append(page, outlet=outlet.slug, entry=entry)
        reading = read_article(page, outlet, entry=entry)
        visit = Visit(outlet=outlet, key=canonical_url(url), url=url, entry=entry, page=page)
        rights = rights_of(visit, reading)
        [one] = settle(self.store, [Finding(visit=visit, rights=rights, reading=reading, at=at, archive=pointer)])
        return one

    def rule(self, slug=OUTLET.slug, **changes):
        self.outlets[slug] = replace(self.outlets[slug], **changes)

    def reread(self, *warcs, write=True, **wanted):
        self.archive.close()
        report = Report()
        desk = Desk(store=self.store, outlets=self.outlets, outlet_of=finder(self.outlets), **wanted)
        jobs = foreign_jobs(desk, warcs, report) if warcs else own_jobs(desk, self.archive, report)
        changes = Changes(self.store, report, write=write)
        self.open.append(changes)
        found = []
        for verdict in verdicts(jobs, desk, Pool(), workers=1):
            found.append(verdict)
            changes.add(verdict)
        changes.flush()
        summary = report.summary(seconds=0)
        assert summary["seen"] == sum(summary["outcomes"].values()) == len(found)
        return summary, changes, found

    def close(self):
        for changes in self.open:
            changes.close()

    def records(self):
        return {
            (record.url.rpartition("/")[2], record.revision): record
            for record in self.store.records(RecordQuery(revisions=True))
        }


@pytest.fixture
def press(tmp_path):
    made = Press(tmp_path / "archive")
    yield made
    made.close()


def test_the_same_rules_change_nothing(press):
    for number in range(3):
        press.crawl(f"a{number}", html(f"Le marché numéro {number}"))
    before = press.records()
    summary, _, _ = press.reread()
    assert summary["outcomes"] == {"unchanged": 3}
    assert press.records() == before


def test_a_new_rule_corrects_exactly_the_pages_with_its_line(press):
    for number in range(6):
        lines = (*SENTENCES, CLUTTER) if number in {1, 4} else SENTENCES
        press.crawl(f"a{number}", html(f"Le marché numéro {number}", lines=lines))
    before = press.records()
    assert sum(CLUTTER in record.text for record in before.values()) == 2, "no rule knows this line yet"
    press.rule(clean=CleanRules(drop_lines=("Le billet du dimanche",)))
    summary, _, _ = press.reread()
    after = press.records()
    assert summary["outcomes"] == {"unchanged": 4, "corrected": 2}
    assert summary["fields"] == {"text": 2}
    assert summary["written"] == 2
    assert after.keys() == before.keys(), "a correction is no revision"
    for key, old in before.items():
        new = after[key]
        if CLUTTER not in old.text:
            assert new == old
            continue
        assert new.text == "\n".join(line for line in old.text.split("\n") if not line.startswith("Le billet"))
        read = {"text": new.text, "word_count": new.word_count, "text_hash": new.text_hash}
        assert new == replace(old, **read)
        assert (old.word_count - new.word_count, new.text_hash != old.text_hash) == (11, True)
    assert press.reread()[0]["outcomes"] == {"unchanged": 6}


def test_nothing_is_written_until_somebody_agrees(press):
    for number in range(120):  # more than a batch
        press.crawl(f"a{number}", html(f"Le marché numéro {number}", lines=(*SENTENCES, CLUTTER)))
    before = press.records()
    press.rule(clean=CleanRules(drop_lines=("Le billet du dimanche",)))
    summary, changes, _ = press.reread(write=False)
    assert (summary["outcomes"], summary["written"]) == ({"corrected": 120}, 0)
    assert press.records() == before
    changes.write_aside()
    assert not any(CLUTTER in record.text for record in press.records().values())


def test_every_revision_is_corrected_from_its_own_page(press):
    press.crawl("a", html(lines=(*SENTENCES, CLUTTER)))
    press.crawl(
        "a",
        html(lines=(SENTENCES[0], "Une précision du maire.", *SENTENCES[1:], CLUTTER)),
        at=NOON + timedelta(hours=1),
    )
    press.rule(clean=CleanRules(drop_lines=("Le billet du dimanche",)))
    assert press.reread()[0]["outcomes"] == {"corrected": 2}
    first, second = press.records()["a", 1], press.records()["a", 2]
    assert CLUTTER not in first.text + second.text
    assert "précision du maire" in second.text
    assert "précision du maire" not in first.text


def test_rules_for_older_pages_hold_by_the_day_of_the_fetch(press):
    more = '<div class="nouveau"><p>Un encart du nouveau gabarit, que personne ne doit lire ici.</p></div>'
    body = html().replace(b"</article>", more.encode() + b"</article>")
    press.crawl("ancien", body, at=NOON - timedelta(days=400))
    press.crawl("neuf", body)
    old = ReadRules(title_css="h1", until=date(2026, 1, 1), body_css="article p:nth-of-type(1)")
    press.rule(read=(old, ReadRules()))
    summary, _, found = press.reread()
    changed = {verdict.before.url.rpartition("/")[2] for verdict in found if verdict.after is not None}
    lost = {verdict.before.url.rpartition("/")[2] for verdict in found if verdict.outcome.startswith("rejected:")}
    assert changed | lost == {"ancien"}, summary


def test_what_only_the_feed_said_stays(press):
    entry = FeedEntry(
        url="https://exemple.fr/a", title="Le marché", published="Sat, 21 Nov 2026 09:30:00 +0100", authors=("Ana Bel",)
    )
    press.crawl("a", html(date_of=None), entry=entry)
    record = press.records()["a", 1]
    assert record.published_from == "feed"
    later = NOON + timedelta(days=1)  # asked again without the feed: the date is carried on
    press.crawl("a", html(date_of=None, lines=(SENTENCES[0], "Une précision du maire.", *SENTENCES[1:])), at=later)
    assert press.records()["a", 2].published == record.published
    summary, _, _ = press.reread()
    assert press.records()["a", 1].authors == record.authors
    assert summary["outcomes"] == {"unchanged": 2}


def test_a_page_that_was_rejected_becomes_an_article_when_the_rules_can_read_it(press):
    lines = "".join(f"<p>{line}</p>" for line in SENTENCES)
    hidden = html(lines=(), more=f'<div class="rail sidebar related">{lines}</div>')
    assert press.crawl("a", hidden).outcome.startswith("rejected:")
    assert press.reread()[0]["outcomes"].keys() != {"new"}
    press.rule(read=(ReadRules(body_css="div.rail"),))
    summary, _, _ = press.reread()
    assert summary["outcomes"] == {"new": 1}
    record = press.records()["a", 1]
    assert record.text.count("\n") == 2
    assert press.archive.read(record.archive).body == hidden


def test_a_page_that_is_no_article_any_more_stays_and_is_counted(press):
    press.crawl("a", html())
    press.rule(clean=CleanRules(drop_css=("article",)))
    before = press.records()
    summary, _, _ = press.reread()
    assert (summary["lost"], summary["written"]) == (1, 0)
    assert press.records() == before


def test_another_fetch_of_a_known_article_is_not_read_again(press):
    press.crawl("a", html())
    assert press.crawl("a", html(), at=NOON + timedelta(days=1)).outcome == "unchanged"
    summary, _, found = press.reread()
    assert summary["outcomes"] == {"unchanged": 2}
    assert [verdict.before is not None for verdict in found] == [True, False]


def test_records_whose_page_is_gone_are_counted_and_left_alone(press):
    press.crawl("a", html())
    press.crawl("b", html("Le pont rouvre"))
    press.archive.close()
    press.archive.remove(pointers=[press.records()["a", 1].archive])
    summary, _, _ = press.reread()
    assert (summary["unarchived"], summary["outcomes"]) == (1, {"unchanged": 1})


def test_records_whose_page_was_kept_its_time_are_counted_and_left_alone(press):
    press.crawl("a", html())
    press.archive.close()
    before = press.records()
    press.archive.keep(days=1, gigabytes=0)
    assert len(press.archive.prune(today=(NOON + timedelta(days=9)).date())) == 1
    summary, _, _ = press.reread()
    assert (summary["unarchived"], summary["outcomes"], summary["problems"]) == (1, {}, [])
    assert press.records() == before


def test_a_pointer_to_another_page_is_not_believed(press):
    press.crawl("a", html(), at=NOON)
    press.crawl("b", html("Le pont rouvre"), at=NOON + timedelta(minutes=1))
    wrong = replace(press.records()["a", 1], archive=press.records()["b", 1].archive)
    press.store.correct(wrong, at=NOON)
    assert press.reread()[0]["unarchived"] == 1
    assert press.records()["a", 1].title == "Le marché couvert rouvre"


def test_only_one_outlet_is_read_again(tmp_path):
    other = Outlet(slug="autre", name="L’Autre", site="https://autre.fr", country="BE")
    press = Press(tmp_path, OUTLET, other)
    press.crawl("a", html())
    press.crawl("b", html("Le pont rouvre"), outlet="autre")
    assert press.reread(only="autre")[0]["outlets"] == {"autre": {"unchanged": 1}}
    press.close()


# -- WARC files of others ----------------------------------------------------------------------------


def warc(path, *captures):
    out = io.BytesIO()
    writer = WARCWriter(out, gzip=True)
    for url, body, at, *status in captures:
        http = StatusAndHeaders(*(status or ["200 OK"]), [("Content-Type", "text/html")], protocol="HTTP/1.1")
        dated = {"WARC-Date": at.isoformat().replace("+00:00", "Z")}
        record = writer.create_warc_record(
            url, "response", io.BytesIO(body), len(body), http_headers=http, warc_headers_dict=dated
        )
        writer.write_record(record)
    path.write_bytes(out.getvalue())
    return path


ENGLISH = (
    '<html lang="en"><body><article><h1>The market opens again</h1>'
    + "<p>The mayor said that the works on the covered market will be over before the end of the year.</p>" * 5
    + "</article></body></html>"
).encode()


def test_a_foreign_warc_makes_new_records_of_its_french_articles(press, tmp_path):
    file = warc(
        tmp_path / "CC-NEWS-20261122.warc.gz",
        ("https://exemple.fr/a", html(), NOON),
        ("https://inconnu.fr/b", html("Le pont rouvre"), NOON),
        ("https://news.example/c", ENGLISH, NOON),
        ("https://exemple.fr/d", b"", NOON, "404 Not Found"),
    )
    summary, _, _ = press.reread(file)
    assert summary["outcomes"] == {"new": 2, "rejected:not-french": 1, "failed:status-404": 1}
    assert {record.outlet for record in press.records().values()} == {"exemple", "inconnu-fr"}
    assert {record.archive for record in press.records().values()} == {None}
    assert press.reread(file)[0]["outcomes"] == {"unchanged": 2, "rejected:not-french": 1, "failed:status-404": 1}


def test_a_reserved_page_of_a_foreign_warc_is_marked_or_refused_as_in_a_crawl(press, tmp_path):
    body = html().replace(b"<title>", b'<meta name="tdm-reservation" content="1"><title>')
    file = warc(tmp_path / "a.warc.gz", ("https://exemple.fr/a", body, NOON))
    assert press.reread(file, reserved="refuse")[0]["outcomes"] == {"blocked:reserved": 1}
    assert press.records() == {}
    press.reread(file)
    assert press.records()["a", 1].rights.tdm_reserved is True


def test_a_stop_finishes_what_is_under_way(press, tmp_path):
    captures = [(f"https://exemple.fr/n{n}", html(f"Le marché numéro {n}"), NOON) for n in range(9)]
    file = warc(tmp_path / "a.warc.gz", *captures)
    looks = iter([False] * 3)
    summary, _, _ = press.reread(file, stopped=lambda: next(looks, True))
    assert summary["outcomes"] == {"new": 3}
    for number in range(3):
        press.crawl(f"a{number}", html(f"Le pont numéro {number}"))
    assert press.reread(stopped=lambda: True)[0]["seen"] == 0


def test_a_foreign_warc_that_is_read_again_corrects_what_it_gave(press, tmp_path):
    file = warc(tmp_path / "a.warc.gz", ("https://exemple.fr/a", html(lines=(*SENTENCES, CLUTTER)), NOON))
    press.reread(file)
    press.rule(clean=CleanRules(drop_lines=("Le billet du dimanche",)))
    assert press.reread(file)[0]["outcomes"] == {"corrected": 1}
    assert list(press.records()) == [("a", 1)]


def test_a_later_capture_revises_and_an_older_one_does_not(press, tmp_path):
    press.crawl("a", html())
    edited = html(lines=(SENTENCES[0], "Une précision du maire, après la séance.", *SENTENCES[1:]))
    older = warc(tmp_path / "old.warc.gz", ("https://exemple.fr/a", edited, NOON - timedelta(days=9)))
    newer = warc(tmp_path / "new.warc.gz", ("https://exemple.fr/a", edited, NOON + timedelta(days=9)))
    assert press.reread(older)[0]["outcomes"] == {"unchanged": 1}
    assert press.reread(newer)[0]["outcomes"] == {"revised": 1}


def test_a_broken_file_is_a_problem_and_the_rest_is_read(press, tmp_path):
    good = warc(tmp_path / "good.warc.gz", ("https://exemple.fr/a", html(), NOON))
    bad = tmp_path / "bad.warc.gz"
    bad.write_bytes(good.read_bytes()[:-30])
    summary, _, _ = press.reread(bad, good)
    assert summary["outcomes"] == {"new": 1}
    assert len(summary["problems"]) == 1
    assert "bad.warc.gz" in summary["problems"][0]


def test_a_page_in_french_looks_so_through_its_code_and_menus():
    code = "<script>if (a < b) { this.is(the, code, and, for, in) }</script>" * 50

    def page(body):
        return Page(url="", final_url="", body=body, fetched_at=NOON)

    assert looks_french(page(html(more=code)))
    assert looks_french(page(code.encode() + html()))
    assert looks_french(page(b"<html lang=en>" + html()[40:])), "a template's wrong label"
    assert not looks_french(page(ENGLISH))
    assert looks_french(page(b"")), "what cannot be told is read"


def test_a_look_at_a_hostile_page_takes_no_time():
    start = time.monotonic()
    for piece in (b"<script", b"<html lang=", b"</script><script>", b">" * 3, b"><a "):
        body = piece * (2_000_000 // len(piece))
        looks_french(Page(url="", final_url="", body=body, fetched_at=NOON))
    assert time.monotonic() - start < 5


# -- how a change looks ------------------------------------------------------------------------------


def test_a_word_diff_shows_what_went_and_what_came():
    before = "Le pont rouvre lundi aux piétons.\nLire aussi : le marché.\nLes voitures attendront le printemps."
    after = "Le pont rouvre mardi aux piétons.\nLes voitures attendront le printemps."
    assert list(word_diff(before, after)) == [
        "Le pont rouvre [-lundi-] {+mardi+} aux piétons. Lire aussi",
        "rouvre lundi aux piétons. [-Lire aussi : le marché.-] Les voitures attendront le",
    ]


WORDS = st.lists(st.sampled_from(["le", "pont", "rouvre", "\x1b[31m", "lundi"]), max_size=12).map(" ".join)


@given(WORDS, WORDS)
def test_a_word_diff_is_empty_only_for_the_same_words(before, after):
    lines = list(word_diff(before, after))
    assert bool(lines) == (before.split() != after.split())
    assert not any("\x1b" in line or "\n" in line for line in lines)


def test_a_word_diff_of_long_texts_is_quick():
    start = time.monotonic()
    before, after = " ".join(map(str, range(200_000))), " ".join(map(str, range(200_000, 0, -1)))
    assert all(len(line) < 2000 for line in word_diff(before, after))
    assert time.monotonic() - start < 2


def test_a_correction_keeps_identity_and_history(press):
    press.crawl("a", html())
    record = press.records()["a", 1]
    page = press.archive.read(record.archive)
    article = replace(read_article(page, OUTLET), title="Le marché rouvre", url="https://exemple.fr/autre")
    found = corrected(record, article, outlet=OUTLET, version="9.9")
    assert found == replace(record, title="Le marché rouvre", kiosque_version="9.9")


# -- the command -------------------------------------------------------------------------------------


@pytest.fixture
def kiosque(tmp_path):
    """A home with an archive and records of two articles, one with a clutter line that no rule knows."""
    made = Kiosque(tmp_path)
    made.outlet("exemple", site="https://exemple.fr", name="L’Exemple")
    press = Press(tmp_path / "archive")
    press.store = open_storage(f"sqlite:///{tmp_path}/kiosque.sqlite")
    press.crawl("a", html(lines=(*SENTENCES, CLUTTER)))
    press.crawl("b", html("Le pont rouvre"))
    press.archive.close()
    press.store.close()
    return made


def rule(kiosque):
    with (kiosque.outlets / "exemple.toml").open("a", encoding="utf-8") as file:
        file.write('\n[clean]\ndrop_lines = ["Le billet du dimanche"]\n')


def test_the_command_shows_what_would_change_and_writes_when_told(kiosque):
    before = kiosque.records()
    rule(kiosque)
    out, _ = kiosque.run("reread")
    assert "[-Le billet du dimanche se lit au kiosque de la gare.-]" in out
    assert "Nothing was written" in out
    assert kiosque.records() == before
    out, err = kiosque.run("reread", "--write", "--json")
    summary = json.loads(out)
    assert (summary["outcomes"], summary["fields"]) == ({"corrected": 1, "unchanged": 1}, {"text": 1})
    assert (summary["written"], err) == (1, "")
    assert not any(CLUTTER in record.text for record in kiosque.records())
    assert [record.revision for record in kiosque.records()] == [1, 1]


def test_the_command_asks_on_a_terminal(kiosque):
    rule(kiosque)
    command = [sys.executable, "-m", "kiosque", "--home", kiosque.home, "--outlets", kiosque.outlets, "reread"]
    for answer, written in ((b"n\n", False), (b"y\n", True)):
        ours, theirs = pty.openpty()
        with subprocess.Popen(command, env=kiosque.environment, stdin=theirs, stdout=theirs, stderr=theirs) as process:
            os.close(theirs)
            shown = b""
            while b"records? [y/N]" not in shown:
                shown += os.read(ours, 10_000)
            os.write(ours, answer)
            while True:
                try:
                    shown += os.read(ours, 10_000)
                except OSError:  # the other end is closed
                    break
        os.close(ours)
        assert process.returncode == 0, shown
        assert any(CLUTTER in record.text for record in kiosque.records()) is not written


def test_wrong_calls_are_one_sentence(tmp_path, capsys):
    (tmp_path / "vide").mkdir()
    for arguments, sentence in (
        (["--outlet", "lemnode"], "did you mean 'lemonde'"),
        ([str(tmp_path / "rien.warc.gz")], "rien.warc.gz: there is no such file"),
        ([str(tmp_path / "vide")], "no WARC file"),
    ):
        with pytest.raises(SystemExit) as end:
            main(["--home", str(tmp_path / "home"), "reread", *arguments])
        assert end.value.code == 2
        assert sentence in capsys.readouterr().err


def test_a_broken_warc_ends_with_status_one_and_a_sentence(kiosque, tmp_path):
    good = warc(tmp_path / "good.warc.gz", ("https://exemple.fr/c", html("La gare rouvre"), NOON))
    (tmp_path / "bad.warc.gz").write_bytes(b"\x1f\x8b\x08 nothing")
    out, err = kiosque.run("reread", str(tmp_path / "bad.warc.gz"), str(good), "--json", "--write", code=1)
    assert json.loads(out)["outcomes"] == {"new": 1}
    assert err.startswith("kiosque: ")
    assert "bad.warc.gz" in err


def test_files_of_the_archive_are_known_as_such(kiosque):
    rule(kiosque)
    out, _ = kiosque.run("reread", str(kiosque.home / "archive"), "--json")
    assert json.loads(out)["outcomes"] == {"corrected": 1, "unchanged": 1}


def words_of(number):
    """Sentences that no other article has: near-duplicates take time to place."""
    chosen = Random(number)  # noqa: S311 - test data
    return [f"Le {' de la '.join(''.join(chosen.choices('aeilnorst', k=7)) for _ in range(12))}." for _ in range(3)]


def count(kiosque):
    with closing(sqlite3.connect(f"file:{kiosque.home}/kiosque.sqlite?mode=ro", uri=True)) as database:
        return database.execute("select count(*) from articles").fetchone()[0]


def test_ctrl_c_keeps_what_was_written(kiosque, tmp_path):
    captures = [
        (f"https://exemple.fr/n{n}", html(f"Le marché numéro {n}", lines=words_of(n)), NOON) for n in range(300)
    ]
    file = warc(tmp_path / "many.warc.gz", *captures)
    process = kiosque.start("reread", str(file), "--write")
    deadline = time.monotonic() + 40
    while count(kiosque) < 3 and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130, (out, err)
    assert "Traceback" not in err
    kept = len(kiosque.records())
    assert 3 <= kept < 302
    done, _ = kiosque.run("reread", str(file), "--write", "--json")
    outcomes = json.loads(done)["outcomes"]
    assert outcomes["new"] == 302 - kept
    assert outcomes["unchanged"] == kept - 2
