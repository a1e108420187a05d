"""Approvals with real SSH keys: who may give them, and that nothing forged, moved or outdated ever counts."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from inventory.finding import Place
from inventory.load import load
from inventory.model import Person, Province
from ledger.records import RolloutEvent
from playbooks.errors import AccessError
from playbooks.rollout.approval import Approvals, check_approver, is_signed_by, sign, signed_text
from playbooks.rollout.plan import Gate, OnFailure, RolloutPlan, Wave

GOOD = Path(__file__).parents[1] / "provinces" / "good"
ROLLOUT = "20261125T000000000-abcdef"
PLAN = RolloutPlan(
    name="agent",
    job="one-stop-agent",
    job_digest="0",
    sets={"version": "2.0"},
    author="lan",
    made_at="2026-11-25T00:00:00.000000Z",
    waves=(Wave("canary", ("box.dong-yen",)), Wave("rest", ("box.nam-yen",), 1), Wave("centre", ("web.centre",), 1)),
    gate=Gate(),
    parallel=20,
    per_uplink=2,
    until="2027-01-01T00:00:00.000000Z",
    on_failure=OnFailure.STOP,
    uplinks={},
)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of private keys, by whose they are."""
    folder = tmp_path_factory.mktemp("keys")
    for kind, name in (("ed25519", "lan"), ("ed25519", "mai"), ("ecdsa", "tam"), ("ed25519", "hoa"), ("rsa", "binh")):
        command = ["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", f"{name} * namespaces", "-f", str(folder / name)]
        subprocess.run(command, check=True, timeout=60)
    return folder


@pytest.fixture(scope="module")
def province(keys: Path) -> Province:
    """lan plans; mai approves everywhere, tam and binh below An Biên, hoa only operates."""

    def person(account: str, *roles: str, under: str = "centre") -> Person:
        key = (keys / f"{account}.pub").read_text().strip()
        return Person(account, account, roles, under, (key,), (), Place("people.yaml"))

    people = [
        person("lan", "operator", "approver"),
        person("mai", "approver"),
        person("tam", "approver", under="an-bien"),
        person("binh", "approver", under="an-bien"),
        person("hoa", "operator"),
    ]
    return replace(load(GOOD), people={one.account: one for one in people})


def event(person: str, signature: str, wave: int = 1, seq: int = 2) -> RolloutEvent:
    details = {"person": person, "signature": signature}
    return RolloutEvent(ROLLOUT, seq, "2026-11-25T00:00:01.000000Z", "approved", "", wave, details, person, None)


def signed(keys: Path, province: Province, account: str, wave: int = 1, plan: RolloutPlan = PLAN) -> str:
    return sign(signed_text(ROLLOUT, plan.digest, wave), keys / account, province.people[account])


@pytest.mark.parametrize("account", ["mai", "tam", "binh"])
def test_a_signed_approval_counts(keys: Path, province: Province, account: str) -> None:
    given = event(account, signed(keys, province, account))
    assert Approvals(province, ROLLOUT, PLAN).counts(given)


def test_all_other_events_count(province: Province) -> None:
    began = replace(event("", ""), kind="wave-began")
    assert Approvals(province, ROLLOUT, PLAN).counts(began)


@pytest.mark.parametrize(
    ("account", "said"),
    [("lan", "is the author"), ("hoa", "no approver"), ("nobody", "not in people.yaml")],
)
def test_nobody_else_may_approve(keys: Path, province: Province, account: str, said: str) -> None:
    with pytest.raises(AccessError, match=said):
        check_approver(province, PLAN, 1, account)


def test_a_wave_outside_of_an_approvers_subtree_is_not_theirs(keys: Path, province: Province) -> None:
    with pytest.raises(AccessError, match=r"under 'an-bien' only; outside of it: web\.centre"):
        check_approver(province, PLAN, 2, "tam")
    given = event("tam", signed(keys, province, "tam", wave=2), wave=2)
    assert not Approvals(province, ROLLOUT, PLAN).counts(given)


def test_a_forged_approval_does_not_count(keys: Path, province: Province) -> None:
    mine, hers = signed(keys, province, "lan"), signed(keys, province, "mai")
    text = signed_text(ROLLOUT, PLAN.digest, 1)
    forged = [
        event("mai", ""),
        event("mai", "-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n"),
        event("mai", mine),  # the author signs in another's name
        event("lan", mine),  # the author, in their own
        event("tam", hers),
        event("mai", hers.replace("A", "B", 1)),
        event("mai\n* ssh-ed25519 AAAA", mine),
        event("hoa", sign(text, keys / "hoa", province.people["hoa"])),
        event("mai", hers, wave=0),
        event("mai", hers, wave=2),
        event("mai", hers, wave=-1),
        event("mai", hers, wave=99),
    ]
    approvals = Approvals(province, ROLLOUT, PLAN)
    assert not [one for one in forged if approvals.counts(one)]


def test_an_approval_is_for_one_plan_of_one_rollout(keys: Path, province: Province) -> None:
    given = event("mai", signed(keys, province, "mai"))
    changed = replace(PLAN, waves=(*PLAN.waves[:2], Wave("centre", ("web.centre", "router.centre"), 1)))
    assert not Approvals(province, ROLLOUT, changed).counts(given)
    assert not Approvals(province, ROLLOUT, replace(PLAN, sets={"version": "3.0"})).counts(given)
    assert not Approvals(province, "20261125T000000000-fedcba", PLAN).counts(given)


def test_a_signature_for_another_purpose_does_not_count(keys: Path, province: Province, tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_bytes(signed_text(ROLLOUT, PLAN.digest, 1))
    command = ["ssh-keygen", "-Y", "sign", "-f", str(keys / "mai"), "-n", "git", str(text)]
    subprocess.run(command, check=True, capture_output=True, timeout=30)
    given = event("mai", (tmp_path / "text.sig").read_text())
    assert not Approvals(province, ROLLOUT, PLAN).counts(given)


def test_who_has_left_or_has_another_key_approves_no_more(keys: Path, province: Province) -> None:
    given = event("mai", signed(keys, province, "mai"))
    others = {account: person for account, person in province.people.items() if account != "mai"}
    assert not Approvals(replace(province, people=others), ROLLOUT, PLAN).counts(given)
    renewed = replace(province.people["mai"], keys=province.people["tam"].keys)
    assert not Approvals(replace(province, people={**others, "mai": renewed}), ROLLOUT, PLAN).counts(given)


@pytest.fixture
def agent(keys: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An agent that holds mai's key."""
    with subprocess.Popen(["ssh-agent", "-D", "-a", str(keys / "agent")], stdout=subprocess.DEVNULL) as process:
        monkeypatch.setenv("SSH_AUTH_SOCK", str(keys / "agent"))
        while not (keys / "agent").exists():
            assert process.poll() is None
        subprocess.run(["ssh-add", "-q", str(keys / "mai")], check=True, timeout=30, env=dict(os.environ))
        yield
        process.terminate()


@pytest.mark.usefixtures("agent")
def test_the_agent_signs(province: Province) -> None:
    text = signed_text(ROLLOUT, PLAN.digest, 1)
    signature = sign(text, None, province.people["mai"])
    assert is_signed_by(province.people["mai"], text, signature)
    with pytest.raises(AccessError, match="ssh-add"):
        sign(text, None, province.people["tam"])


def test_a_key_that_cannot_be_used_is_told(province: Province, tmp_path: Path) -> None:
    with pytest.raises(AccessError, match="nothing could be signed"):
        sign(b"text", tmp_path / "none", province.people["mai"])
    with pytest.raises(AccessError, match="no key"):
        sign(b"text", None, replace(province.people["mai"], keys=()))
