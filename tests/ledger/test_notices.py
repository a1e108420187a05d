"""What people are told, on both databases: written down before it is sent, and what became of it after."""

from datetime import timedelta

import pytest

from ledger.connection import Ledger
from ledger.errors import LeaseLostError
from ledger.leases import acquire, release
from ledger.notices import Notice, forget_notices_before, intend, notices_since, settle
from ledger.outages import WATCH
from ledger.records import stamp
from tests.clock import NOON
from tests.ledger.conftest import LAN


def notice(name: str, minutes: int = 0, text: str = "x") -> Notice:
    alerts = ({"name": "OfficeDown", "about": "an-bien", "labels": {"name": "Huyện An Biên"}},)
    return Notice(name, stamp(NOON + timedelta(minutes=minutes)), "lan", "0" * 64, "An Biên", text, alerts)


@pytest.fixture
def token(ledger: Ledger) -> int:
    return acquire(ledger, WATCH, actor=LAN, seconds=60).token


def test_a_message_is_known_before_it_is_sent_and_after(ledger: Ledger, token: int) -> None:
    intend(ledger, [notice("2", 1), notice("1")], token=token)
    assert notices_since(ledger, NOON) == (notice("1"), notice("2", 1))  # oldest first, nothing of it taken
    settle(ledger, "1", NOON + timedelta(seconds=5), taken=False)
    settle(ledger, "1", NOON + timedelta(seconds=40), taken=True)
    settle(ledger, "2", NOON + timedelta(days=1), taken=False, last=True)
    first, second = notices_since(ledger, NOON)
    assert (first.tries, first.sent, first.given_up) == (2, stamp(NOON + timedelta(seconds=40)), None)
    assert (second.tries, second.sent, second.given_up) == (1, None, stamp(NOON + timedelta(days=1)))


def test_only_who_keeps_the_outages_writes_messages_but_what_was_sent_was_sent(ledger: Ledger) -> None:
    lease = acquire(ledger, WATCH, actor=LAN, seconds=60)
    intend(ledger, [notice("1")], token=lease.token)
    release(ledger, lease, actor=LAN)
    with pytest.raises(LeaseLostError):
        intend(ledger, [notice("2")], token=lease.token)
    settle(ledger, "1", NOON, taken=True)
    assert [(one.id, one.sent) for one in notices_since(ledger, NOON)] == [("1", stamp(NOON))]


def test_all_or_none_of_several_are_written(ledger: Ledger, token: int) -> None:
    intend(ledger, [notice("1")], token=token)
    with pytest.raises(Exception, match=r"(?i)unique"):
        intend(ledger, [notice("2"), notice("1")], token=token)
    assert [one.id for one in notices_since(ledger, NOON)] == ["1"]


def test_old_messages_are_forgotten_and_strange_text_is_kept_as_it_can_be(ledger: Ledger, token: int) -> None:
    intend(ledger, [notice("1"), notice("2", 5, "a\0b\ud800 <b>{x}</b>")], token=token)
    assert notices_since(ledger, NOON + timedelta(minutes=1))[0].text == "a\ufffdb\ufffd <b>{x}</b>"
    assert forget_notices_before(ledger, NOON + timedelta(minutes=5), token=token) == 1
    assert [one.id for one in notices_since(ledger, NOON)] == ["2"]
