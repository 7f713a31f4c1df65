"""What every store does, whatever it is made of."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from kiosque.model import FeedEntry, Record, Rights
from kiosque.polling import new_feed
from storage import Address, RecordQuery, Revisit, Settled, open_storage
from storage.memory import MemoryStore

NOON = datetime(2024, 10, 25, 12, 0, tzinfo=UTC)
KEY = "https://gazette.example/a"
FEED = "https://gazette.example/rss"


def record(**changes):
    plain = Record(
        id="a" * 24,
        revision=1,
        outlet="gazette",
        outlet_name="La Gazette",
        country="FR",
        url=KEY,
        urls=(KEY,),
        title="L’Œuvre d’été",
        lead=None,
        text="Les élus de Valmont ont voté.",
        authors=("Anne Lo",),
        agency=None,
        section=None,
        tags=("vote",),
        image=None,
        language="fr",
        published="2024-10-25T07:12:00+02:00",
        published_precision="minute",
        published_from="json-ld",
        published_text="2024-10-25T07:12+02:00",
        published_confidence=0.9,
        modified=None,
        fetched_at=NOON,
        first_seen_at=NOON,
        paywalled=False,
        word_count=6,
        text_hash="0" * 64,
        cluster=None,
        rights=Rights(noai=True, said=(("noai", "meta robots"),)),
        archive=None,
        kiosque_version="0",
    )
    changed = replace(plain, **changes)
    return replace(changed, cluster=changed.cluster or changed.id)  # as the store gives it back


def settled(one=None, *, key=KEY, outcome="new", addresses=None, **changes):
    article = one.id if one else None
    addresses = (Address(key=key, url=key),) if addresses is None and one else addresses or ()
    plain = Settled(
        key=key, outlet="gazette", url=key, outcome=outcome, at=NOON, record=one, article=article, addresses=addresses
    )
    return replace(plain, **changes)


def entry(url=KEY, **changes):
    return FeedEntry(url=url, title="Titre", published="2024-10-25", **changes)


@pytest.fixture(params=["memory", "sqlite", "postgresql", "in front of sqlite"])
def store(request, tmp_path):
    opened = open_one(request, tmp_path)
    yield opened
    opened.close()


def open_one(request, tmp_path):
    match request.param:
        case "memory":
            return MemoryStore()
        case "postgresql":
            return open_storage(request.getfixturevalue("postgresql"))
        case "sqlite":
            return open_storage(f"sqlite:///{tmp_path / 'k.sqlite'}")
    return MemoryStore(behind=open_storage(f"sqlite:///{tmp_path / 'k.sqlite'}"))


def test_a_saved_record_is_known_by_its_address(store):
    store.settle([settled(record())])
    assert store.known([KEY, "https://gazette.example/b"]) == {KEY: record()}


def test_a_record_is_known_by_every_address_it_was_met_under(store):
    amp = "https://gazette.example/a/amp"
    store.settle([settled(record(), addresses=(Address(key=KEY, url=KEY), Address(key="amp", url=amp)))])
    assert store.known(["amp"])["amp"].urls == (KEY, amp)


def test_the_latest_revision_is_shown_and_all_are_kept(store):
    second = record(revision=2, text="Les élus de Valmont ont revoté.", fetched_at=NOON + timedelta(hours=1))
    store.settle([settled(record())])
    store.settle([settled(second, outcome="revised")])
    assert [r.revision for r in store.records()] == [2]
    assert [r.revision for r in store.records(RecordQuery(revisions=True))] == [2, 1]
    assert store.known([KEY])[KEY].text == second.text


def test_records_come_newest_change_first_or_from_a_change_on(store):
    other = record(id="b" * 24, url="https://gazette.example/b", urls=("https://gazette.example/b",))
    store.settle([settled(record())])
    cursor = store.last_change()
    store.settle([settled(other, key="https://gazette.example/b")])
    assert [r.id[0] for r in store.records()] == ["b", "a"]
    assert [r.id[0] for r in store.records(RecordQuery(after=cursor))] == ["b"]
    assert [r.id[0] for r in store.records(RecordQuery(limit=1))] == ["b"]


def test_records_are_filtered_by_outlet_time_and_words(store):
    store.settle([settled(record())])
    assert list(store.records(RecordQuery(outlet="autre"))) == []
    assert list(store.records(RecordQuery(since=NOON + timedelta(seconds=1)))) == []
    assert len(list(store.records(RecordQuery(since=NOON)))) == 1
    assert len(list(store.records(RecordQuery(search="oeuvre VOTÉ")))) == 1
    assert list(store.records(RecordQuery(search="oeuvre absente"))) == []


def test_a_percent_sign_in_a_search_is_a_percent_sign(store):
    store.settle([settled(record())])
    assert list(store.records(RecordQuery(search="%"))) == []


def test_more_records_than_a_page_of_the_database_are_streamed_in_order(store):
    many = [record(id=f"{n:024d}", url=f"{KEY}{n}", urls=(f"{KEY}{n}",)) for n in range(450)]
    store.settle([settled(one, key=one.url) for one in many])
    assert [r.id for r in store.records(RecordQuery(after=0))] == [one.id for one in many]
    assert [r.id for r in store.records(RecordQuery(limit=300))] == [one.id for one in many[::-1][:300]]


def test_new_entries_are_fresh_and_settled_ones_known(store):
    first = store.enqueue("gazette", [(KEY, entry())], at=NOON)
    assert [q.key for q in first.fresh] == [KEY]
    store.settle([settled(record())])
    again = store.enqueue("gazette", [(KEY, entry())], at=NOON)
    assert (again.fresh, [q.key for q in again.known]) == ((), [KEY])


def test_an_entry_that_the_feed_speaks_of_anew_is_fetched_again(store):
    store.enqueue("gazette", [(KEY, entry())], at=NOON)
    store.settle([settled(record())])
    again = store.enqueue("gazette", [(KEY, entry(updated="2024-10-25T13:00Z"))], at=NOON)
    assert [q.key for q in again.fresh] == [KEY]


def test_another_summary_alone_is_no_news(store):
    store.enqueue("gazette", [(KEY, entry())], at=NOON)
    store.settle([settled(record())])
    again = store.enqueue("gazette", [(KEY, entry(summary="12 partages"))], at=NOON)
    assert again.fresh == ()


def test_an_entry_waits_until_it_is_settled(store):
    store.enqueue("gazette", [(KEY, entry())], at=NOON)
    assert [q.url for q in store.pending(["gazette"])] == [KEY]
    assert store.pending(["autre"]) == []
    store.settle([settled(record())])
    assert store.pending(["gazette"]) == []


def test_a_failed_entry_waits_for_its_time(store):
    store.enqueue("gazette", [(KEY, entry())], at=NOON)
    later = NOON + timedelta(minutes=5)
    store.settle([settled(outcome="failed:timeout", state="pending", next_try=later)])
    assert store.pending(["gazette"], due=NOON) == []
    assert [(q.key, q.attempts) for q in store.pending(["gazette"], due=later)] == [(KEY, 1)]


def test_another_address_of_a_saved_article_need_not_be_fetched(store):
    store.enqueue("gazette", [("amp", entry(url="https://gazette.example/a/amp"))], at=NOON)
    store.settle([settled(record(), addresses=(Address(key=KEY, url=KEY), Address(key="amp", url="amp")))])
    assert store.pending(["gazette"]) == []


def test_recent_articles_are_asked_again_with_their_validators(store):
    address = Address(key=KEY, url=KEY, etag='"x"', last_modified="Fri, 25 Oct 2024 05:12:00 GMT")
    store.settle([settled(record(), addresses=(address,))])
    found = store.recent(["gazette"], since=NOON - timedelta(days=1))
    assert [(q.url, q.etag, q.last_modified) for q in found] == [(KEY, '"x"', "Fri, 25 Oct 2024 05:12:00 GMT")]
    assert store.recent(["gazette"], since=NOON + timedelta(seconds=1)) == []


def test_a_feed_state_is_kept_whole(store):
    state = replace(new_feed("https://gazette.example/rss", outlet="gazette", now=NOON), etag='W/"é"')
    store.save_feed(state)
    assert store.feed_states([state.url, "autre"]) == {state.url: state}


def test_a_due_feed_is_claimed_once(store):
    state = new_feed("https://gazette.example/rss", outlet="gazette", now=NOON)
    store.save_feed(state)
    until = NOON + timedelta(minutes=15)
    assert store.claim_due(["gazette"], now=NOON - timedelta(seconds=1), until=until, limit=9) == []
    assert [s.url for s in store.claim_due(["gazette"], now=NOON, until=until, limit=9)] == [state.url]
    assert store.claim_due(["gazette"], now=NOON, until=until, limit=9) == []
    assert len(store.claim_due(["gazette"], now=until, until=until, limit=9)) == 1


def test_a_claim_that_was_never_answered_can_be_released(store):
    """A worker that was killed asked some of its feeds and not the others."""
    until = NOON + timedelta(minutes=15)
    urls = [f"https://gazette.example/{n}" for n in range(3)]
    for url in urls:
        store.save_feed(new_feed(url, outlet="gazette", now=NOON))
    store.claim_due(["gazette"], now=NOON, until=until, limit=2)
    (answered, lost) = urls[:2]
    store.save_feed(replace(new_feed(answered, outlet="gazette", now=NOON), next_due=until + timedelta(hours=1)))
    assert store.release_claims(["autre"], now=NOON) == 0
    assert store.release_claims(["gazette"], now=NOON) == 1
    assert store.release_claims(["gazette"], now=NOON) == 0
    found = store.claim_due(["gazette"], now=NOON, until=until, limit=9)
    assert sorted(state.url for state in found) == [lost, urls[2]]


def test_counts_are_by_outlet(store):
    store.enqueue("gazette", [("b", entry(url="https://gazette.example/b"))], at=NOON)
    store.settle([settled(record())])
    assert store.counts() == {"gazette": {"articles": 1, "revisions": 1, "pending": 1}}


# -- revisits ------------------------------------------------------------------------------------

ID = "a" * 24
HOUR = timedelta(hours=1)


def look(at, **said):
    return settled(None, outcome="unchanged", at=at, revisit=Revisit(article=ID, **said))


def test_an_article_is_asked_again_when_its_time_has_come(store):
    known = Address(key=KEY, url=KEY, etag='"1"')
    store.settle([settled(record(), addresses=(known,), revisit=Revisit(article=ID, next_due=NOON + HOUR))])
    assert store.revisits({"gazette"}, due=NOON, limit=9) == []
    assert store.revisits({"autre"}, due=NOON + HOUR, limit=9) == []
    (found,) = store.revisits({"gazette"}, due=NOON + HOUR, limit=9)
    assert (found.url, found.outlet, found.etag) == (KEY, "gazette", '"1"')
    store.settle([look(NOON + HOUR, next_due=NOON + 6 * HOUR)])
    assert store.revisits({"gazette"}, due=NOON + 2 * HOUR, limit=9) == []
    store.settle([look(NOON + 6 * HOUR, next_due=None, removed=False)])
    assert store.revisits({"gazette"}, due=NOON + 99 * HOUR, limit=9) == []


def test_a_page_that_is_gone_is_marked_and_its_record_stays(store):
    store.settle([settled(record())])
    store.settle([look(NOON + HOUR, removed=True)])
    store.settle([look(NOON + 2 * HOUR, removed=True), settled(None, key="https://gazette.example/b", outcome="x")])
    assert store.removed() == {ID: NOON + HOUR}
    assert store.removed("autre") == {}
    assert KEY in store.known([KEY])
    store.settle([look(NOON + 3 * HOUR, removed=None)])
    assert store.removed("gazette") == {ID: NOON + HOUR}
    store.settle([look(NOON + 4 * HOUR, removed=False)])
    assert store.removed() == {}


def test_what_is_forgotten_is_not_asked_again(store):
    store.settle([settled(record(), revisit=Revisit(article=ID, next_due=NOON, removed=True))])
    store.forget(urls=[KEY], at=NOON)
    assert store.revisits({"gazette"}, due=NOON, limit=9) == []
    assert store.removed() == {}
