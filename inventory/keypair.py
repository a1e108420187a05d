"""The province's own key pair: by it the controller logs in to the devices."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

KEY = Path(".tuyen", "id_ed25519")  # below the province's folder; the public half has the suffix .pub


def ensure_key(folder: Path) -> str:
    """Return the public key of the province in `folder`, one line, making the pair where there is none.

    Raises OSError, and ValueError for a file that is no private key without a passphrase.
    """
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_ssh_private_key

    private, public = folder / KEY, folder / f"{KEY}.pub"
    key = load_ssh_private_key(private.read_bytes(), None) if private.exists() else _make(private)
    line = f"{key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()} tuyen"
    if not public.exists():
        public.write_text(f"{line}\n", encoding="ascii")
    return line


def _make(private: Path) -> "Ed25519PrivateKey":
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = Ed25519PrivateKey.generate()
    private.parent.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(private, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    return key
