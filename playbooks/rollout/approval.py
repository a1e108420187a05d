"""Approvals: a person's SSH signature (`ssh-keygen -Y`) that says yes to one wave of one rollout, exactly as planned.

The signed text names the rollout, the digest of its plan and the wave: it is good for nothing else. It counts while
people.yaml gives the person that key, the role of an approver, and the offices of the wave; never from the author.
"""

import subprocess
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from inventory.language import _
from inventory.model import Person, Province
from inventory.selector import below
from ledger.records import RolloutEvent
from playbooks.errors import AccessError
from playbooks.rollout.plan import RolloutPlan
from playbooks.rollout.state import Kind

NAMESPACE = "tuyen-rollout"
ROLE = "approver"
_PATIENCE = 120.0  # seconds for ssh-keygen, which may ask for a passphrase or a touch


def signed_text(rollout: str, plan_digest: str, wave: int) -> bytes:
    """Return what is signed. `wave` is its number, from 0."""
    return f"tuyen rollout approval 1\nrollout: {rollout}\nplan: {plan_digest}\nwave: {wave}\n".encode()


def check_approver(province: Province, plan: RolloutPlan, wave: int, account: str) -> Person:
    """Return the person who may approve that wave. Raises AccessError, which says why they may not."""
    person = province.people.get(account)
    if person is None:
        raise AccessError(_("'{account}' is not in people.yaml, so may not approve").format(account=account))
    if ROLE not in person.roles:
        message = _("'{account}' is no approver: people.yaml gives the roles {roles}")
        raise AccessError(message.format(account=account, roles=", ".join(person.roles)))
    if account == plan.author:
        raise AccessError(
            _("'{account}' is the author of this rollout; somebody else must approve it").format(account=account)
        )
    if outside := _outside(province, person, plan.waves[wave].devices):
        message = _("'{account}' may approve under '{under}' only; outside of it: {device}")
        raise AccessError(message.format(account=account, under=person.under, device=outside[0]))
    return person


def _outside(province: Province, person: Person, devices: Iterable[str]) -> list[str]:
    own = set(below(province, person.under))
    return [device for device in devices if device in province.devices and province.devices[device].office not in own]


def sign(text: bytes, key: Path | None, person: Person) -> str:
    """Return the armored signature of `text`, made with the private key in a file or by the agent. Raises AccessError.

    The agent is asked for each of the person's keys of people.yaml.
    """
    with TemporaryDirectory(prefix="tuyen-") as folder:
        keys = [key] if key else _public_files(person, Path(folder))
        reasons = [_("people.yaml gives this person no key")]
        for number, candidate in enumerate(keys):
            written = Path(folder, f"text-{number}")
            written.write_bytes(text)
            done = _ssh_keygen("sign", "-f", str(candidate), "-n", NAMESPACE, str(written))
            if done.returncode == 0:
                return written.with_name(f"{written.name}.sig").read_text(encoding="ascii")
            reasons.append(_said(done))
    hint = "" if key else "; " + _("name a private key with --key, or add it to your agent: ssh-add")
    raise AccessError(_("nothing could be signed: {reason}{hint}").format(reason=reasons[-1], hint=hint))


def _public_files(person: Person, folder: Path) -> list[Path]:
    files = [folder / f"key-{number}.pub" for number in range(len(person.keys))]
    for file, key in zip(files, person.keys, strict=True):
        file.write_text(f"{key}\n", encoding="utf-8")
    return files


def is_signed_by(person: Person, text: bytes, signature: str) -> bool:
    """Whether `signature` is one of `text`, made with one of the person's keys of people.yaml."""
    with TemporaryDirectory(prefix="tuyen-") as folder:
        allowed, written = Path(folder, "allowed"), Path(folder, "signature")
        allowed.write_text("".join(_allowed(person)), encoding="utf-8")
        written.write_text(signature, encoding="utf-8", errors="replace")
        words = ("-f", str(allowed), "-I", person.account, "-n", NAMESPACE, "-s", str(written))
        return _ssh_keygen("verify", *words, text=text).returncode == 0


def _allowed(person: Person) -> Iterable[str]:
    """Yield the person's keys as lines of an allowed_signers file; a comment could hold anything, so it is left out."""
    for key in person.keys:
        yield f'{person.account} namespaces="{NAMESPACE}" {" ".join(key.split()[:2])}\n'


def _ssh_keygen(*words: str, text: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
    command = ["ssh-keygen", "-Y", *words]
    try:
        return subprocess.run(command, input=text, capture_output=True, timeout=_PATIENCE, check=False)
    except subprocess.TimeoutExpired as error:
        raise AccessError(_("ssh-keygen did not end within {seconds:g} s").format(seconds=_PATIENCE)) from error
    except FileNotFoundError as error:
        raise AccessError(_("there is no ssh-keygen on this machine; install openssh-client")) from error


def _said(done: "subprocess.CompletedProcess[bytes]") -> str:
    lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else _("ssh-keygen failed")


class Approvals:
    """Says which events of a rollout count: all but approvals that are forged, or that nobody may give (any more)."""

    def __init__(self, province: Province, rollout: str, plan: RolloutPlan) -> None:
        self._province, self._rollout, self._plan = province, rollout, plan
        self._known: dict[tuple[int, str, str], bool] = {}  # verified before: ssh-keygen takes milliseconds

    def counts(self, event: RolloutEvent) -> bool:
        """Whether the event is to be believed."""
        if event.kind != Kind.APPROVED:
            return True
        person, signature = str(event.details.get("person", "")), str(event.details.get("signature", ""))
        told = (event.wave, person, signature)
        if told not in self._known:
            self._known[told] = self._holds(*told)
        return self._known[told]

    def _holds(self, wave: int, account: str, signature: str) -> bool:
        if not 0 <= wave < len(self._plan.waves):
            return False
        try:
            person = check_approver(self._province, self._plan, wave, account)
        except AccessError:
            return False
        return is_signed_by(person, signed_text(self._rollout, self._plan.digest, wave), signature)
