import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosque.addresses import AllowedHosts, is_public, refusal
from kiosque.errors import UsageError

NOBODY = AllowedHosts()


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "017700000001",
        "0177.0.0.1",
        "127.0.0.1.",
        "0",
        "0.0.0.0",  # noqa: S104 -- an address to refuse, not to listen on
        "10.1.2.3",
        "010.1.2.3",  # ten to some clients, eight to others
        "012.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.100.100.200",
        "168.63.129.16",
        "224.0.0.1",
        "255.255.255.255",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::10.0.0.1]",
        "[2002:7f00:1::]",
        "[fe80::1%25eth0]",
        "[fd00:ec2::254]",
        "localhost",
        "LOCALHOST.",
        "app.localhost",
        "localhost.localdomain",
        "metadata.google.internal",
        "imprimante.local",
        "routeur.lan",
        "intranet",
        "①②⑦.0.0.1",
        "127。0。0。1",
        "lectrice@127.0.0.1",
        "exemple.fr@127.0.0.1",
    ],
)
def test_private_hosts_are_refused_however_they_are_written(host):
    assert refusal(f"http://{host}/", NOBODY) == "private-address"
    assert refusal(f"https://{host}:8443/a", NOBODY) == "private-address"


@pytest.mark.parametrize(
    "host",
    ["exemple.fr", "www.exemple.fr", "192.0.78.9", "3221245449", "[2606:4700::1111]", "école.fr", "local.fr", "10.fr"],
)
def test_public_hosts_are_let_through(host):
    assert refusal(f"https://{host}/a", NOBODY) is None


@pytest.mark.parametrize("url", ["ftp://exemple.fr/", "file:///etc/passwd", "gopher://exemple.fr/", "data:text/html,a"])
def test_only_http_and_https_are_asked(url):
    assert refusal(url, NOBODY) == "scheme"


@pytest.mark.parametrize(
    "url",
    [
        *(
            "",
            "exemple.fr",
            "http://",
            "http:///a",
            "http://[::1/",
            "http://[zz]/",
            "http://exe mple.fr/",
            "http://1.2.3.4.5/",
        ),
        *(
            "http://256.1.1.1/",
            "http://exemple.fr:x/",
            "http://exemple.fr:0/",
            "http://%31%32%37.0.0.1/",
            "http://a..fr/",
        ),
        *(
            "http://127.0.0.1\\@exemple.fr/",
            "http://exemple.fr:99999/",
            "http://" + "é" * 9_999 + "/",
            "http://a\x00b.fr/",
        ),
    ],
)
def test_broken_addresses_are_refused(url):
    assert refusal(url, NOBODY) == "bad-url"


def test_allowed_host_and_port_is_let_through_alone():
    allowed = AllowedHosts.parse("127.0.0.1:8000, intranet.example ,[::1]:9000,")
    assert refusal("http://127.0.0.1:8000/a", allowed) is None
    assert refusal("http://2130706433:8000/a", allowed) is None
    assert refusal("http://127.0.0.1:8001/a", allowed) == "private-address"
    assert refusal("http://127.0.0.1/a", allowed) == "private-address"
    assert refusal("http://[::1]:9000/", allowed) is None
    assert refusal("ftp://127.0.0.1:8000/", allowed) == "scheme"


def test_allowed_name_covers_every_port():
    allowed = AllowedHosts.parse("intranet, Intranet.Example")
    assert refusal("http://intranet/", allowed) is None
    assert allowed.covers("intranet.example", 443)
    assert allowed.names("INTRANET.example.")
    assert not allowed.names("exemple.fr")


def test_allowed_address_on_default_port():
    assert refusal("https://127.0.0.1/", AllowedHosts.parse("127.0.0.1:443")) is None
    assert refusal("http://127.0.0.1/", AllowedHosts.parse("127.0.0.1:443")) == "private-address"


@pytest.mark.parametrize(
    "piece", ["http://127.0.0.1", "127.0.0.1:", "127.0.0.1:abc", "a b", ":80", "*", "exemple.fr:99999", "[::1"]
)
def test_a_wrong_piece_is_named(piece):
    with pytest.raises(UsageError) as error:
        AllowedHosts.parse(f"127.0.0.1:8000,{piece}")
    assert repr(piece) in str(error.value)


@pytest.mark.parametrize("ip", ["192.0.78.9", "2606:4700::1111", "::ffff:192.0.78.9", "64:ff9b::c000:4e09"])
def test_public_answers_of_dns(ip):
    assert is_public(ip)


@pytest.mark.parametrize(
    "ip",
    [
        "127.0.0.1",
        "::1",
        "10.0.0.1",
        "::ffff:10.0.0.1",
        "fe80::1%eth0",
        "fec0::1",
        "2001:0:0:1::",
        "exemple.fr",
        "",
        "1",
    ],
)
def test_private_answers_of_dns(ip):
    assert not is_public(ip)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(), st.text(alphabet="0123456789abcdefx.:[]@%/\\ -_é", max_size=40).map("http://".__add__)))
def test_no_text_raises(text):
    refusal(text, NOBODY)
    is_public(text)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_every_spelling_of_an_ipv4_address_is_judged_alike(number):
    parts = number.to_bytes(4, "big")
    spellings = (
        ".".join(map(str, parts)),
        str(number),
        hex(number),
        f"0x{parts[0]:x}.{parts[1]}.{parts[2]}.{parts[3]}",
        f"{parts[0]}.{number & 0xFFFFFF}",
        f"{parts[0]}.{parts[1]}.{number & 0xFFFF}",
    )
    verdicts = {refusal(f"http://{each}/", NOBODY) for each in spellings}
    assert len(verdicts) == 1
    assert (verdicts == {None}) == is_public(spellings[0])
