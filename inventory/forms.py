"""How single values are written: ids, addresses, bandwidths, durations, days, times of the day.

Each function returns the value, or refuses it with a rule of `inventory.rules` and what was probably meant.
"""

import ipaddress
import re
import unicodedata
from datetime import date, time
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic_core import PydanticCustomError

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}|[0-9a-f]{2}(-[0-9a-f]{2}){5}|[0-9a-f]{4}(\.[0-9a-f]{4}){2}")
_NUMBER = r"([0-9]{1,9}(?:\.[0-9]{1,9})?)"
_BANDWIDTH = re.compile(_NUMBER + r" ?([kMG])bit/s")
_LIKE_BANDWIDTH = re.compile(_NUMBER + r" ?([kMG])b.*", re.IGNORECASE)
_SECONDS = re.compile(_NUMBER + r" ?(ms|s|m|h)")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LIKE_DAY = re.compile(r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4})")
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_LIKE_TIME = re.compile(r"([01]?[0-9]|2[0-4]) ?[:.hg]? ?([0-5][0-9])?(:[0-9]{2})?")
_HOST_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
_LISTEN = re.compile(r"([0-9.]+|\[[0-9a-fA-F:.]+\]):([0-9]{1,5})")
_RELAY = re.compile(r"([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:.]+\]):([0-9]{1,5})")
_EMAIL = re.compile(r"[A-Za-z0-9._+-]+@([a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*)")
_FACTORS = {"k": 1_000, "M": 1_000_000, "G": 1_000_000_000, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_SSH_KEY = re.compile(r"(ssh-(ed25519|rsa)|ecdsa-sha2-nistp\d+|sk-[a-z0-9@.-]+) [A-Za-z0-9+/]{40,}={0,3}( .*)?")


def _refuse(rule: str, value: object, near: str = "") -> PydanticCustomError:
    return PydanticCustomError(rule, "{value}", {"value": str(value)[:60], "near": near})


def slug(text: str) -> str:
    """Return an id as it is, or refuse it with "bad-id" and the id that it suggests."""
    if not _SLUG.fullmatch(text) or len(text) > 63:
        raise _refuse("bad-id", text, slug_of(text) or "dong-yen")
    return text


def slug_of(text: str) -> str:
    """Return the id that a name suggests: "Đông Yên" gives "dong-yen"; "" when nothing of it is left."""
    letters = unicodedata.normalize("NFD", text.lower().replace("đ", "d"))
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return re.sub("[^a-z0-9]+", "-", plain)[:63].strip("-")


def address(text: str) -> str:
    """Return an IPv4 address in its usual form, or refuse it with "bad-address"."""
    try:
        return str(ipaddress.IPv4Address(text))
    except ValueError:
        raise _refuse("bad-address", text) from None


def network(text: str) -> str:
    """Return an IPv4 prefix in its usual form, or refuse it with "bad-prefix"."""
    try:
        return str(ipaddress.IPv4Network(text))
    except ValueError:
        raise _refuse("bad-prefix", text, _like_network(text)) from None


def _like_network(text: str) -> str:
    try:
        return str(ipaddress.IPv4Network(text, strict=False))
    except ValueError:
        return "10.91.16.64/26"


def listen(text: str) -> str:
    """Return an address of this machine and a port as they are, or refuse them with "bad-listen"."""
    match = _LISTEN.fullmatch(text)
    try:
        if match and 0 < int(match[2]) < 65536:
            ipaddress.ip_address(match[1].strip("[]"))
            return text
    except ValueError:
        pass
    raise _refuse("bad-listen", text)


def relay(text: str) -> str:
    """Return the name of a machine and a port as they are, or refuse them with "bad-relay"."""
    match = _RELAY.fullmatch(text)
    if not match or not 0 < int(match[3]) < 65536:
        like = f"{text}:25"
        raise _refuse("bad-relay", text, like if _RELAY.fullmatch(like) else "mail.kiengiang.example:25")
    return text


def email(text: str) -> str:
    """Return an e-mail address as it is, or refuse it with "bad-email"."""
    if not _EMAIL.fullmatch(text):
        raise _refuse("bad-email", text)
    return text


def mac(text: str) -> str:
    """Return a MAC address as "00:1d:aa:4b:2c:10", or refuse it with "bad-mac"."""
    lowered = text.lower()
    if not _MAC.fullmatch(lowered):
        raise _refuse("bad-mac", text)
    digits = re.sub("[^0-9a-f]", "", lowered)
    return ":".join(digits[place : place + 2] for place in range(0, 12, 2))


def bandwidth(value: object) -> object:
    """Return bit/s of a text such as "256 kbit/s", or refuse it with "bad-bandwidth"."""
    match = _BANDWIDTH.fullmatch(value) if isinstance(value, str) else None
    if not match:
        like = _LIKE_BANDWIDTH.fullmatch(str(value))
        unit = {"K": "k"}.get(like[2].upper(), like[2].upper()) if like else ""
        raise _refuse("bad-bandwidth", value, f"{like[1]} {unit}bit/s" if like else "256 kbit/s or 20 Mbit/s")
    return round(float(match[1]) * _FACTORS[match[2]])


def seconds(value: object) -> object:
    """Return the seconds of a text such as "5 m", or refuse it with "bad-duration"."""
    match = _SECONDS.fullmatch(value) if isinstance(value, str) else None
    if not match or float(match[1]) <= 0:
        raise _refuse("bad-duration", value)
    return float(match[1]) * _FACTORS[match[2]]


def time_zone(text: str) -> str:
    """Return the name of a time zone that is known, or refuse it with "unknown-time-zone"."""
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise _refuse("unknown-time-zone", text) from None
    return text


def ssh_key(text: str) -> str:
    """Return one line of a .pub file, or refuse it with "bad-ssh-key"."""
    if not _SSH_KEY.fullmatch(text):
        raise _refuse("bad-ssh-key", text)
    return text


def domain(text: str) -> str:
    """Return a host name, or refuse it with "bad-host-name"."""
    if not _HOST_NAME.fullmatch(text):
        raise _refuse("bad-host-name", text)
    return text


def day(value: object) -> object:
    """Return the date of a text such as "2026-10-31", or refuse it with "bad-date"."""
    if not isinstance(value, str):
        return value
    try:
        if _DAY.fullmatch(value):  # fromisoformat takes other forms too
            return date.fromisoformat(value)
    except ValueError:
        pass
    like = _LIKE_DAY.fullmatch(value)
    raise _refuse("bad-date", value, f"{like[3]}-{like[2]:0>2}-{like[1]:0>2}" if like else "2026-10-31")


def time_of_day(value: object) -> object:
    """Return the time of a text such as "17:30", or refuse it with "bad-time"; the end of the day is "00:00"."""
    if isinstance(value, str) and (match := _TIME.fullmatch(value)):
        return time(int(match[1]), int(match[2]))
    like = _LIKE_TIME.fullmatch(str(value).strip().lower())
    raise _refuse("bad-time", value, f"{int(like[1]) % 24:02}:{like[2] or '00'}" if like else "17:30")
