"""Certificates of the province's authority on a booted commune box, and what makes one be issued anew."""

import datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from playbooks.event import Done, Event, Note, Outcome
from playbooks.roles.certificates.filter_plugins.certificates import authority_fault, certificate_faults
from tests.playbooks.conftest import Boot
from tests.playbooks.field import Field, changes, outcomes

BOX, NAME = "box.dong-3", "box.dong-3.machines.example"
FILE = f"/etc/ssl/tuyen/{NAME}.pem"
SECRETS = {"ca-passphrase": "mở khóa 5f1c"}


def make_authority(folder: Path, name: str, passphrase: str = SECRETS["ca-passphrase"]) -> Path:
    """Write ca.pem and ca.key of a new authority below `folder`, as a province keeps them."""
    folder.mkdir()
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    own = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(own)
        .issuer_name(own)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    encryption = BestAvailableEncryption(passphrase.encode())
    (folder / "ca.pem").write_bytes(made.public_bytes(Encoding.PEM))
    (folder / "ca.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
    return folder


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_authority(tmp_path_factory.mktemp("authority") / "ours", "The province's CA")


@pytest.fixture(scope="module")
def field(boot: Boot) -> Field:
    return boot(BOX)


def step(field: Field, name: str, authority: Path, **sets: Any) -> list[Event]:
    files = {"authority_certificate": authority / "ca.pem", "authority_key": authority / "ca.key"}
    more: dict[str, Any] = {name: {"file": str(file)} for name, file in files.items()}
    more |= {"authority_passphrase": {"secret": "ca-passphrase"}, **sets}
    told = field.perform("certificates", name, BOX, secrets=SECRETS, **more)
    return [event for event in told if isinstance(event, Done | Note) or event in changes(told)[BOX]]


def whats(events: list[Event]) -> list[str]:
    assert outcomes(events) == {BOX: (Outcome.DONE, "")}
    return [change.what for change in changes(events)[BOX]]


def notes(events: list[Event]) -> list[str]:
    return [event.text for event in events if isinstance(event, Note)]


def test_certificate_is_issued_once_and_the_key_stays_on_the_machine(field: Field, authority: Path) -> None:
    checked = step(field, "check", authority)
    assert notes(checked) == [f"{FILE} is issued anew: there is none"]
    assert [change.what for change in changes(checked)[BOX] if not change.foreseen] == ["Install the certificate"]
    applied = step(field, "apply", authority, certificate_services=["ssh"])
    assert whats(applied)[:4] == whats(checked)[:4]
    assert step(field, "verify", authority) == step(field, "apply", authority) == [Done(BOX, Outcome.DONE)]
    said = field.shell(BOX, f"openssl x509 -in {FILE} -noout -ext subjectAltName; stat -c %a /etc/ssl/tuyen/{NAME}.key")
    assert f"DNS:{NAME}, IP Address:{field.province.devices[BOX].address}" in said
    assert said.endswith("600\n")
    key = field.shell(BOX, f"cat /etc/ssl/tuyen/{NAME}.key").splitlines()[1]
    logged = "".join(path.read_text() for path in (field.folder / "run").iterdir() if path.is_file())
    assert key not in logged
    assert SECRETS["ca-passphrase"] not in logged


def test_certificate_is_renewed_in_time_and_the_one_of_before_can_come_back(field: Field, authority: Path) -> None:
    before = field.shell(BOX, f"cat {FILE}")
    assert "it ends on " in notes(step(field, "check", authority, renew_before_days="400"))[0]
    assert whats(step(field, "apply", authority, certificate_days="500", renew_before_days="400")) == [
        "Keep the certificate of before",
        "Install the certificate",
    ]
    assert whats(step(field, "rollback", authority)) == ["Bring the certificate of before back"]
    assert field.shell(BOX, f"cat {FILE}") == before


def test_another_authority_another_name_or_another_key_are_reasons(
    field: Field, authority: Path, tmp_path: Path
) -> None:
    other = make_authority(tmp_path / "other", "Another CA")
    assert notes(step(field, "check", other)) == [f"{FILE} is issued anew: another authority issued it"]
    more = [NAME, "one-stop.machines.example"]
    assert "it is for " in notes(step(field, "check", authority, certificate_names=more))[0]
    field.shell(BOX, f"openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out /etc/ssl/tuyen/{NAME}.key")
    outcome, reason = outcomes(step(field, "verify", authority))[BOX]
    assert (outcome, "its key is not the machine's" in reason) == (Outcome.FAILED, True)
    assert whats(step(field, "apply", authority))[-1] == "Install the certificate"


def test_wrong_passphrase_is_told_before_anything_is_touched(field: Field, authority: Path, tmp_path: Path) -> None:
    other = make_authority(tmp_path / "other", "Another CA", passphrase="something else")
    told = step(field, "check", other, renew_before_days="400")
    outcome, reason = outcomes(told)[BOX]
    assert outcome is Outcome.FAILED
    assert "key cannot be opened: is 'authority_passphrase' the right secret?" in reason
    assert [change.what for change in changes(told)[BOX]] == ["Trust the province's authority"]


def test_what_is_no_authority_is_named(authority: Path, tmp_path: Path) -> None:
    other = make_authority(tmp_path / "other", "Another CA")
    certificate, key = (authority / "ca.pem").read_text(), (other / "ca.key").read_text()
    assert (
        authority_fault(key, certificate, SECRETS["ca-passphrase"])
        == "the authority's key is not that of its certificate"
    )
    assert authority_fault("nothing", certificate).startswith("the authority's key cannot be opened")
    assert authority_fault(key, "nothing") == "the authority's certificate is none"
    assert certificate_faults("", certificate, [NAME], 30) == ["there is none"]
