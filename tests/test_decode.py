"""Bytes to text: valid UTF-8 first, then labels, then what the bytes look like."""

from datetime import UTC, datetime

import pytest

from kiosque.model import Page
from pipelines.steps.decode import decode

TEXT = "<p>L’été à Besançon, c’est « déjà » la rentrée : cœur, Noël, où ça ?</p>"


def page(body, content_type="text/html"):
    return Page(
        url="https://lavoix.example/a",
        final_url="https://lavoix.example/a",
        headers=(("content-type", content_type),),
        body=body,
        fetched_at=datetime(2024, 10, 26, tzinfo=UTC),
    )


@pytest.mark.parametrize("label", ["utf-8", "iso-8859-1", "windows-1252", "klingon", ""])
def test_valid_utf8_wins_over_any_label(label):
    assert decode(page(TEXT.encode(), f"text/html; charset={label}")) == TEXT


@pytest.mark.parametrize(
    "label", ["utf-8", "iso-8859-1", "latin1", "ascii", "klingon", "rot13", "hex", "undefined", ""]
)
def test_windows_1252_is_known_under_a_wrong_label(label):
    assert decode(page(TEXT.encode("windows-1252"), f"text/html; charset={label}")) == TEXT


def test_a_label_in_the_page_is_read():
    text = "<meta charset='iso-8859-15'><p>Le prix : 3 €, un cœur</p>"
    assert decode(page(text.encode("iso-8859-15"))) == text


def test_byte_order_marks_decide():
    assert decode(page(b"\xef\xbb\xbf" + TEXT.encode())) == TEXT
    assert decode(page(b"\xff\xfe" + TEXT.encode("utf-16-le"))) == TEXT


def test_a_page_cut_inside_a_character_is_still_utf8():
    body = (TEXT * 3).encode() + "é".encode()[:1]
    assert decode(page(body, "text/html; charset=utf-8")) == TEXT * 3 + "\ufffd"


def test_mojibake_is_undone():
    broken = TEXT.encode().decode("windows-1252", "replace").replace("\ufffd", "")
    assert decode(page(broken.encode())).startswith("<p>L’été à Besançon, c’est « déjà » la rentrée")


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        "Le signe « Ã » existe en portugais : SÃO PAULO, MAÇÃ, IRMÃ.",
        "Un été à l’île d’Yeu, 20 €",
        "NAÏVETÉ Â Ê Î",
    ],
)
def test_right_text_is_left_alone(text):
    assert decode(page(text.encode())) == text
