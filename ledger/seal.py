"""A file sealed by a passphrase: scrypt makes the key, ChaCha20-Poly1305 seals it in chunks.

    magic (16 bytes)   salt (16 bytes)   sealed chunk of 64 KiB ...   sealed last chunk, which may be short

A chunk's nonce is its number and whether it is the last, so that chunks cannot be left out, reordered or cut off.
"""

import io
import os
from typing import TYPE_CHECKING, BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from ledger.errors import N_, BadBackupError

if TYPE_CHECKING:
    from typing_extensions import Buffer

MAGIC = b"tuyen sealed 1\r\n"
_SALT, _CHUNK, _TAG = 16, 1 << 16, 16  # bytes
_COST = 1 << 15  # with blocks of 1 KiB: 32 MiB and a tenth of a second for each guess


class Sealer(io.RawIOBase):
    """Seals what is written into `under`; only after `close` is it whole. `under` stays open."""

    def __init__(self, under: BinaryIO, passphrase: bytes) -> None:
        salt = os.urandom(_SALT)
        self._under, self._cipher = under, _cipher(passphrase, salt)
        self._waiting, self._number = bytearray(), 0
        under.write(MAGIC + salt)

    def writable(self) -> bool:
        """Say that it may be written to."""
        return True

    def write(self, data: "Buffer") -> int:
        """Take `data`. Raises OSError."""
        self._waiting += data
        while len(self._waiting) > _CHUNK:
            self._seal(_CHUNK, last=False)
        return memoryview(data).nbytes

    def close(self) -> None:
        """Seal what is left, and let go of `under`. Raises OSError."""
        if not self.closed:
            self._seal(_CHUNK, last=True)
        super().close()

    def _seal(self, size: int, *, last: bool) -> None:
        chunk = bytes(self._waiting[:size])
        del self._waiting[:size]
        self._under.write(self._cipher.encrypt(_nonce(self._number, last), chunk, MAGIC))
        self._number += 1


class Opener(io.RawIOBase):
    """Reads what `Sealer` wrote, from `under` after its magic. Raises BadBackupError, which calls it `name`."""

    def __init__(self, under: BinaryIO, passphrase: bytes, name: object) -> None:
        self._under, self._cipher, self._name = under, _cipher(passphrase, under.read(_SALT)), name
        self._open, self._number = b"", 0
        self._next = under.read(_CHUNK + _TAG)

    def readable(self) -> bool:
        """Say that it may be read from."""
        return True

    def readinto(self, into: "Buffer") -> int:
        """Fill `into` as far as what was opened last goes; 0 at the end."""
        while not self._open and self._next:
            self._advance()
        target = memoryview(into).cast("B")
        count = min(len(target), len(self._open))
        target[:count] = self._open[:count]
        self._open = self._open[count:]
        return count

    def _advance(self) -> None:
        sealed, self._next = self._next, self._under.read(_CHUNK + _TAG)
        try:
            self._open = self._cipher.decrypt(_nonce(self._number, not self._next), sealed, MAGIC)
        except InvalidTag:
            text = N_("{file}: the passphrase is not the one it was sealed with, or the file is damaged")
            raise BadBackupError(text, file=self._name) from None
        self._number += 1


def _cipher(passphrase: bytes, salt: bytes) -> ChaCha20Poly1305:
    return ChaCha20Poly1305(Scrypt(salt, 32, _COST, 8, 1).derive(passphrase))


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])
