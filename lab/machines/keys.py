"""SSH keys of a machine's own, in the files that OpenSSH reads."""

import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat


def write_host_keys(folder: Path, name: str) -> None:
    """Write new host keys of the two kinds that are quickly made into `folder`, commented with `name`."""
    _write(folder / "ssh_host_ed25519_key", Ed25519PrivateKey.generate(), name)
    _write(folder / "ssh_host_ecdsa_key", generate_private_key(SECP256R1()), name)


def _write(file: Path, key: Ed25519PrivateKey | EllipticCurvePrivateKey, comment: str) -> None:
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    file.with_name(f"{file.name}.pub").write_text(f"{public} {comment}\n")
