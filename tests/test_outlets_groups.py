"""`kiosque crawl --group TAG --country CC`: outlets by their tags and country."""

import pytest
from command import Kiosque
from small_site import Site, article, feed

from kiosque.errors import OutletError
from kiosque.outlets import chosen_strictly, load_outlets

pytestmark = pytest.mark.slow  # crawls in processes of their own

OUTLETS = load_outlets()


def test_a_group_of_a_country():
    assert list(chosen_strictly(OUTLETS, countries=["be"], tags=["regional"])) == ["lavenir", "sudinfo"]


@pytest.mark.parametrize(
    ("filters", "sentence"),
    [
        ({"tags": ["regonal"]}, "no outlet has the group 'regonal'; did you mean 'regional'"),
        ({"tags": ["§"]}, "no outlet has the group '§'; there are africa, agency"),
        ({"countries": ["XX"]}, "no outlet has the country 'XX'; there are BE, BF"),
        ({"countries": ["BE"], "tags": ["overseas"]}, "no outlet is of 'overseas' and BE"),
    ],
)
def test_what_names_nothing_is_said_with_a_hint(filters, sentence):
    with pytest.raises(OutletError, match=sentence):
        chosen_strictly(OUTLETS, **filters)


def test_a_group_is_crawled_and_its_outlets_only(tmp_path):
    with Site({"/a": (200, "text/html; charset=utf-8", article())}) as site:
        site.answers |= {"/rss": feed(f"{site.url}/a"), "/other": feed(f"{site.url}/b")}
        kiosque = Kiosque(tmp_path, hosts=[site.host])
        kiosque.outlet("gazette", site=site.url, feeds=[f"{site.url}/rss"], country="SM", tags=["essai"])
        kiosque.outlet("courrier", site=f"{site.url}/c", feeds=[f"{site.url}/other"], country="SM", tags=["local"])
        summary = kiosque.crawl("--group", "essai", "--country", "sm", "--limit", "1")
        assert summary["outlets"] == {"gazette": {"new": 1}}
        assert not site.asked("/other")
        _, err = kiosque.run("crawl", "--group", "esai", code=2)
        assert err == "kiosque: no outlet has the group 'esai'; did you mean 'essai'?\n"
