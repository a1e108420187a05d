"""Which passwords are refused, and what fits what."""

import unicodedata

import pytest

from exporters.access.passwords import fits, hashed, refusal
from inventory.language import use

GOOD_ONE = "con trâu ăn cỏ 7"


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("ngắn", "the password is too short; take at least 12 characters"),
        ("x" * 201, "the password is too long; take at most 200 characters"),
        ("LAN-2026-2026", "the password is little more than the name of the account; take another one"),
        ("Password1234!", "the password is one of those that are tried first"),
        ("MậtKhẩu123456", "the password is one of those that are tried first"),
        (unicodedata.normalize("NFD", "MậtKhẩu123456"), "the password is one of those that are tried first"),
        ("0123 456 789 012", "the password is one of those that are tried first"),
        ("abababababababab", "the password is one of those that are tried first"),
        (GOOD_ONE + "\udcff", "the password is not written in UTF-8, as browsers send it"),
        (GOOD_ONE, None),
        ("lan đi chợ Rạch Giá", None),
    ],
)
def test_a_bad_password_is_refused_with_the_reason(password: str, why: str | None) -> None:
    use("en")
    told = refusal("lan", password)
    assert (told or "").partition("; take several")[0] == (why or "")
    assert told is None or password not in told


def test_a_password_fits_however_the_keyboard_writes_it() -> None:
    kept = hashed(unicodedata.normalize("NFC", GOOD_ONE))
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert fits(kept, unicodedata.normalize("NFD", GOOD_ONE))
    for other in (GOOD_ONE + " ", GOOD_ONE.upper(), ""):
        assert not fits(kept, other)
    assert not fits(None, "nobody has this one")
    assert not fits("no hash at all", GOOD_ONE)
