"""tuyen's own certificates: the status page's, and the authority that the province trusts."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cli.knowledge import AUTHORITY
from inventory.language import _
from inventory.model import Province


def own_certificates(folder: Path, province: Province) -> list[Path]:
    """Return the files with certificates that tuyen itself needs."""
    named = [province.page.certificate] if province.page and province.page.certificate else []
    return [folder / name for name in (*named, AUTHORITY) if name in named or (folder / name).is_file()]


def ending(file: Path, days: int) -> Iterator[str]:
    """Yield a line for each certificate of a PEM file that ends within so many days, or why it cannot be read."""
    from cryptography.x509 import load_pem_x509_certificates

    try:
        found = load_pem_x509_certificates(file.read_bytes())
    except (OSError, ValueError) as error:
        yield _("{file} cannot be read: {reason}").format(file=file, reason=error)
        return
    now = datetime.now(UTC)
    for certificate in found:
        end = certificate.not_valid_after_utc
        if end - now < timedelta(days=days):
            name = certificate.subject.rfc4514_string()
            text = (
                _("{file}: the certificate of {name} has ended on {day}")
                if end < now
                else _("{file}: the certificate of {name} ends on {day}")
            )
            yield text.format(file=file, name=name, day=end.date())
