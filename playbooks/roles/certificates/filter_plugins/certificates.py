"""What the province's certificate authority does: judge a machine's certificate, and issue the next one.

It happens on the controller. A machine's private key never leaves the machine, the authority's never reaches one.
"""

import ipaddress
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_HOUR = timedelta(hours=1)  # by which a machine's clock may be behind ours
_BLOCK = re.compile(r"-----BEGIN ([A-Z ]+)-----.*?-----END \1-----", re.DOTALL)


class AuthorityError(ValueError):
    """The authority cannot judge or issue; the message says why, and holds no secret."""


def certificate_faults(found: str, authority: str, names: Sequence[str], days: int) -> list[str]:
    """Return why a machine needs a new certificate; empty when it does not.

    `found` holds what lies on the machine: its public key and its certificate, PEM, each if it is there. `names` are
    those it should have; it should have more than `days` days left.
    """
    blocks = {match[1]: match[0].encode() for match in reversed(list(_BLOCK.finditer(found)))}
    if "CERTIFICATE" not in blocks:
        return ["there is none"]
    return list(
        _faults(x509.load_pem_x509_certificate(blocks["CERTIFICATE"]), blocks, _certificate(authority), names, days)
    )


def issue_certificate(
    request: str, authority: str, key: str, names: Sequence[str], days: int, passphrase: str | None = None
) -> str:
    """Return the certificate of `authority` for the key of a signing `request`, PEM, followed by the authority's own.

    Of the request only the key is taken; `names` are what the inventory says. Raises AuthorityError.
    """
    asked = x509.load_pem_x509_csr(request.encode())
    if not asked.is_signature_valid:
        raise AuthorityError("the signing request is not signed by its own key")
    issuer, now = _certificate(authority), datetime.now(UTC)
    signer = _private_key(key, passphrase, issuer)
    public = asked.public_key()
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    issued = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])]))
        .issuer_name(issuer.subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _HOUR)
        .not_valid_after(min(now + timedelta(days=days), issuer.not_valid_after_utc))
        .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(identifier, critical=False)
        .sign(signer, hashes.SHA256())
    )
    return "".join(part.public_bytes(Encoding.PEM).decode() for part in (issued, issuer))


def authority_fault(key: str, authority: str, passphrase: str | None = None) -> str:
    """Return why the authority cannot issue anything with `key`, "" when it can."""
    try:
        _private_key(key, passphrase, _certificate(authority))
    except AuthorityError as error:
        return str(error)
    return ""


def _faults(
    own: x509.Certificate, blocks: dict[str, bytes], issuer: x509.Certificate, names: Sequence[str], days: int
) -> Iterator[str]:
    left = own.not_valid_after_utc - datetime.now(UTC)
    if left < timedelta(days=days):
        yield f"it ends on {own.not_valid_after_utc:%Y-%m-%d}" if left > timedelta(0) else "it has ended"
    if sorted(_names(own)) != sorted(names):
        yield f"it is for {', '.join(_names(own)) or 'nobody'}"
    if not _is_issued_by(own, issuer):
        yield "another authority issued it"
    if "PUBLIC KEY" not in blocks or _bytes(own.public_key()) != _bytes(load_pem_public_key(blocks["PUBLIC KEY"])):
        yield "its key is not the machine's"


def _bytes(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _is_issued_by(own: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        own.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _names(own: x509.Certificate) -> list[str]:
    try:
        extension = own.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    return [str(name.value) for name in extension.value]


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _usage() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _certificate(text: str) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(text.encode())
    except ValueError as error:
        raise AuthorityError("the authority's certificate is none") from error


def _private_key(
    text: str, passphrase: str | None, issuer: x509.Certificate
) -> ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey:
    try:
        key = load_pem_private_key(text.encode(), passphrase.encode() if passphrase else None)
    except (ValueError, TypeError) as error:
        raise AuthorityError(
            "the authority's key cannot be opened: is 'authority_passphrase' the right secret?"
        ) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise AuthorityError("the authority's key must be an elliptic curve or RSA key")
    if _bytes(key.public_key()) != _bytes(issuer.public_key()):
        raise AuthorityError("the authority's key is not that of its certificate")
    return key


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Callable[..., object]]:
        """Return the filters by name."""
        return {
            "authority_fault": authority_fault,
            "certificate_faults": certificate_faults,
            "issue_certificate": issue_certificate,
        }
