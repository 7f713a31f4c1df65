import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosque.model import RightsClaims
from kiosque.rights import (
    Tdm,
    TdmRule,
    merge_rights,
    parse_robots_header,
    parse_tdmrep,
    renewed,
    tdm_for,
    tdm_header,
)


def rules(*pairs):
    return parse_tdmrep(json.dumps([{"location": each, "tdm-reservation": value} for each, value in pairs]).encode())


def test_tdm_file_is_read_rule_by_rule():
    body = b"""\xef\xbb\xbf[{"location": "/", "tdm-reservation": 1, "tdm-policy": "https://exemple.fr/tdm"},
               {"location": "/libre/", "tdm-reservation": "0", "tdm-policy": "javascript:alert(1)"}]"""
    assert parse_tdmrep(body) == (
        TdmRule(location="/", reserved=True, policy="https://exemple.fr/tdm"),
        TdmRule(location="/libre/", reserved=False),
    )


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"<html></html>", b"null", b"1", b'"a"', b"[" * 100_000, b"\xff\xfe", b"[1, null, []]"),
        *(b'[{"location": "/"}]', b'[{"location": "/", "tdm-reservation": 2}]', b'[{"tdm-reservation": 1}]'),
        *(b'[{"location": 5, "tdm-reservation": 1}]', b'[{"location": "/", "tdm-reservation": [1]}]'),
    ],
)
def test_what_is_no_rule_says_nothing(body):
    assert parse_tdmrep(body) == ()


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("/", "/a/b", True),
        ("/archives/", "/archives/2024", True),
        ("/archives/", "/archive", False),
        ("/Archives/", "/archives/", False),
        ("/*.jpg", "/images/a.jpg?x=1", True),
        ("/*.jpg$", "/images/a.jpg?x=1", False),
        ("/*.jpg$", "/images/a.jpg", True),
        ("/a$", "/a", True),
        ("/a$", "/ab", False),
        ("/a*b*c", "/a1b2c3", True),
        ("/a*b*c$", "/a1b2c3", False),
        ("/ab*b$", "/ab", False),
        ("*", "/a", True),
        ("/%7Eanne", "/~anne", True),
        ("/été", "/%c3%a9t%C3%A9/1", True),
        ("/prix-%24", "/prix-%24", True),
        ("/?article", "/?article12", True),
        ("libre", "/libre", False),
    ],
)
def test_locations_match_as_in_robots_txt(pattern, path, matches):
    assert (tdm_for(path, rules((pattern, 1))).reserved is True) == matches


def test_first_rule_that_matches_holds():
    found = rules(("/libre/", 0), ("/", 1))
    assert tdm_for("/libre/a", found).reserved is False
    assert tdm_for("/a", found).reserved is True
    assert tdm_for("", found).reserved is True


def test_hostile_pattern_is_matched_at_once():
    started = time.perf_counter()
    tdm_for("/" + "a" * 10_000, rules(*[("/" + "*a" * 990 + "b$", 1)] * 100))
    assert time.perf_counter() - started < 2


def test_robots_header_holds_for_all_or_for_the_crawler_it_names():
    values = [
        "noindex",
        "googlebot: nofollow, noai",
        "Kiosque: noarchive, noai",
        "unavailable_after: 25 Jun 2030 15:00:00 PST",
    ]
    assert parse_robots_header(values) == ("noindex", "noarchive", "noai", "unavailable_after:25 jun 2030 15:00:00 pst")


def test_header_supersedes_the_hosts_file_and_the_page_the_header():
    host = Tdm(reserved=True, policy="https://exemple.fr/tdm")
    header = (("tdm-reservation", "0"), ("x-robots-tag", "noarchive"))
    page = RightsClaims(tdm_reserved=True, robots=("noai",))
    assert merge_rights(host=host).tdm_reserved is True
    assert merge_rights(host=host, headers=header).tdm_reserved is False
    merged = merge_rights(host=host, headers=header, claims=page)
    assert (merged.tdm_reserved, merged.noai) == (True, True)
    assert merged.said == (
        ("tdmrep.json", "tdm-reservation 1"),
        ("tdm-reservation header", "tdm-reservation 0"),
        ("html meta", "tdm-reservation 1"),
        ("X-Robots-Tag", "noarchive"),
        ("meta robots", "noai"),
    )


def test_silence_resets_nothing():
    host = Tdm(reserved=True, policy="https://exemple.fr/tdm")
    merged = merge_rights(host=host, headers=(("tdm-reservation", "oui"),), claims=RightsClaims())
    assert (merged.tdm_reserved, merged.tdm_policy) == (True, "https://exemple.fr/tdm")


def test_policy_of_what_is_no_longer_reserved_goes():
    host = Tdm(reserved=True, policy="https://exemple.fr/tdm")
    assert merge_rights(host=host, headers=(("tdm-reservation", "0"),)).tdm_policy is None


def test_page_of_which_nothing_is_said():
    merged = merge_rights()
    assert (merged.robots, merged.tdm_reserved, merged.noai, merged.said) == ("allowed", None, None, ())


def test_a_hosts_new_word_replaces_its_old_one():
    before = merge_rights(host=Tdm(reserved=False), headers=(("x-robots-tag", "noai"),))
    after = renewed(before, merge_rights(host=Tdm(reserved=True, policy="https://exemple.fr/tdm")))
    assert (after.tdm_reserved, after.tdm_policy, after.noai) == (True, "https://exemple.fr/tdm", True)
    assert after.said == (("tdmrep.json", "tdm-reservation 1"), ("X-Robots-Tag", "noai"))


def test_a_hosts_new_word_does_not_supersede_the_pages_own():
    before = merge_rights(claims=RightsClaims(tdm_reserved=True, tdm_policy="https://exemple.fr/page"))
    after = renewed(before, merge_rights(host=Tdm(reserved=False)))
    assert (after.tdm_reserved, after.tdm_policy) == (True, "https://exemple.fr/page")
    assert after.said == (("tdmrep.json", "tdm-reservation 0"), ("html meta", "tdm-reservation 1"))


def test_a_host_that_says_nothing_now_resets_nothing():
    before = merge_rights(host=Tdm(reserved=True))
    assert renewed(before, merge_rights()) == before


def test_a_header_that_comes_with_no_page_replaces_its_old_word():
    before = merge_rights(
        host=Tdm(reserved=False), headers=(("x-robots-tag", "noarchive"),), claims=RightsClaims(robots=("noindex",))
    )
    after = renewed(before, merge_rights(headers=(("tdm-reservation", "1"), ("x-robots-tag", "noai"))))
    assert (after.tdm_reserved, after.noai) == (True, True)
    assert after.said == (
        ("tdmrep.json", "tdm-reservation 0"),
        ("tdm-reservation header", "tdm-reservation 1"),
        ("X-Robots-Tag", "noai"),
        ("meta robots", "noindex"),
    )


def test_a_statement_against_ai_that_the_header_takes_back_is_gone():
    before = merge_rights(headers=(("x-robots-tag", "noai, noarchive"),))
    assert renewed(before, merge_rights(headers=(("x-robots-tag", "noarchive"),))).noai is None


def test_robots_txt_is_told_when_it_closes():
    assert merge_rights(robots="disallowed").said == (("robots.txt", "disallowed"),)


def test_first_of_two_headers_counts():
    assert tdm_header((("tdm-reservation", "1"), ("tdm-reservation", "0"))) == Tdm(reserved=True)


@given(st.binary(max_size=200), st.text(), st.lists(st.text()))
def test_nothing_raises(body, path, values):
    tdm_for(path, (*parse_tdmrep(body), TdmRule(location=path or "*", reserved=True)))
    parse_robots_header(values)
    merge_rights(headers=tuple(("x-robots-tag", value) for value in values))
