"""A certificate authority of the tests' own, and certificates good and bad."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

DAY = timedelta(days=1)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(subject: str, issuer: str, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    named = x509.CertificateBuilder().subject_name(_name(subject)).issuer_name(_name(issuer))
    return named.public_key(key.public_key()).serial_number(x509.random_serial_number())


@dataclass
class Authority:
    """An issuer; `folder` receives `ca.pem` and one PEM file, certificate and key, for each issue."""

    folder: Path
    name: str = "Test Authority"

    def __post_init__(self) -> None:
        self.key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
        self.own = (
            _builder(self.name, self.name, self.key)
            .not_valid_before(now - 400 * DAY)
            .not_valid_after(now + 400 * DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(self.key, hashes.SHA256())
        )
        self.file = self.folder / "ca.pem"
        self.file.write_bytes(self.own.public_bytes(Encoding.PEM))

    def issue(self, file: str, names: list[str], days: int, *, since: int = -300, own: bool = False) -> Path:
        """Write a certificate for `names`, valid from `since` to `days` from now; self-signed if `own`."""
        key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
        signed = (
            _builder(names[0], names[0] if own else self.name, key)
            .not_valid_before(now + since * DAY)
            .not_valid_after(now + days * DAY + timedelta(hours=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
            .sign(key if own else self.key, hashes.SHA256())
        )
        coded = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        path = self.folder / f"{file}.pem"
        path.write_bytes(signed.public_bytes(Encoding.PEM) + coded)
        return path
