"""Passwords: which are refused, and their hashes (argon2id with RFC 9106's parameters for 64 MiB).

Letters are brought into one form first, as keyboards write Vietnamese ones in two.
"""

import unicodedata
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from inventory.language import _

SHORTEST = 12  # letters, digits and signs
LONGEST = 200
_FEWEST = 5  # different ones
_OBVIOUS = frozenset(
    {
        "",  # digits and signs only: dates, telephone numbers
        "abcdefgh",
        "abcdefghijkl",
        "admin",
        "administrator",
        "changeme",
        "letmein",
        "matkhau",
        "matkhaumatkhau",
        "mậtkhẩu",
        "password",
        "passwordpassword",
        "qwerty",
        "qwertyuiop",
        "qwertyuiopasdf",
        "tuyen",
        "vietnam",
        "welcome",
    }
)  # of what a password holds, its letters
_hasher = PasswordHasher()


def refusal(account: str, password: str) -> str | None:
    """Return why `password` is no good for `account`, in the user's language; None when it is."""
    password = _plain(password)
    if not password.isascii() and any("\ud800" <= sign <= "\udfff" for sign in password):
        return _("the password is not written in UTF-8, as browsers send it")
    if len(password) < SHORTEST:
        return _("the password is too short; take at least {count} characters").format(count=SHORTEST)
    if len(password) > LONGEST:
        return _("the password is too long; take at most {count} characters").format(count=LONGEST)
    if _letters(password) == _letters(account):
        return _("the password is little more than the name of the account; take another one")
    if _letters(password) in _OBVIOUS or len(set(password)) < _FEWEST:
        return _("the password is one of those that are tried first; take several words that do not belong together")
    return None


def hashed(password: str) -> str:
    """Return what is kept of a password. Takes about 50 ms of two cores, and 64 MiB."""
    return _hasher.hash(_plain(password))


def fits(kept: str | None, password: str) -> bool:
    """Whether `password` is the one that `kept` is the hash of; without a hash it is not, after the same time."""
    try:
        return _hasher.verify(kept or _nobodys(), _plain(password)) and kept is not None
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobodys() -> str:
    """Return the hash that an unknown account's password is compared with."""
    return hashed("nobody has this one")


def prepare() -> None:
    """Make what `fits` needs, so that its first answer takes no longer than the others."""
    _nobodys()


def _plain(password: str) -> str:
    return unicodedata.normalize("NFC", password)


def _letters(text: str) -> str:
    return "".join(sign for sign in text.casefold() if sign.isalpha())
