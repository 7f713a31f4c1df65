"""Challenge pages, told by their markup: a server that wants to see a browser instead of a robot that says its name."""

from __future__ import annotations

# Headers, with the value that says it ("" is any).
HEADERS = (
    ("cf-mitigated", "challenge"),  # Cloudflare
    ("x-amzn-waf-action", ""),  # AWS WAF: challenge, captcha
)
# What only the challenge itself carries, whatever its status: pages with articles load other scripts of these firms.
MARKS = (
    b"<title>Just a moment...</title>",  # Cloudflare
    b"window._cf_chl_opt",  # Cloudflare
    b"captcha-delivery.com/c.js",  # DataDome
    b"geo.captcha-delivery.com",  # DataDome
    b'id="px-captcha"',  # HUMAN, once PerimeterX
    b"_Incapsula_Resource?SWUDNSAI",  # Imperva
    b"/_sec/cp_challenge/",  # Akamai
    b"awsWafCookieDomainList",  # AWS WAF
    b"sucuri_cloudproxy_js",  # Sucuri
    b"/.within.website/x/cmd/anubis/",  # Anubis
    b"baleen-challenge",  # Baleen
)
# A challenge is a small page; an article about one may quote its markup.
LARGEST = 60_000


def is_challenge(status: int, headers: tuple[tuple[str, str], ...], body: bytes) -> bool:
    """Tell whether an answer is a challenge; header names in lower case.

    >>> is_challenge(403, (("cf-mitigated", "challenge"),), b"")
    True
    >>> is_challenge(200, (), b"<html><body><p>Un article.</p></body></html>")
    False
    """
    if any(name == known and (not value or value in said) for known, value in HEADERS for name, said in headers):
        return True
    return status not in {301, 302, 304, 404, 410} and len(body) <= LARGEST and any(mark in body for mark in MARKS)
