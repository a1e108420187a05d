"""TLS: whom this machine trusts, and what is wrong with a certificate that it does not."""

import ipaddress
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.x509.oid import NameOID

from exporters.probes.failure import ProbeError, awaiting
from exporters.probes.stream import Stream, connected
from exporters.reading import Metric, Target, metric, plain
from inventory.language import _

SELF_SIGNED, STRANGERS = {18}, {2, 19, 20, 21}  # OpenSSL's X509_V_ERR_ codes
DATES_AND_NAMES = {0, 9, 10, 62, 64}
NAMES_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Shown:
    """What a TLS server showed: its chain, own certificate first; `code` is OpenSSL's verdict, 0 for trusted."""

    chain: tuple[x509.Certificate, ...]
    version: str
    code: int = 0
    message: str = ""

    @property
    def leaf(self) -> x509.Certificate:
        """The server's own certificate."""
        return self.chain[0]


def name_for(target: Target, name: str) -> str:
    """Return the name to ask for: `name`, or the target's own, or its address."""
    return name or target.host_name or target.address


@lru_cache(maxsize=32)
def _context(ca_file: str, _changed: float, verified: bool) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if verified:
        context.load_default_certs()
        if ca_file:
            context.load_verify_locations(ca_file)
    else:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        # Old gear is to be looked at, not trusted: whatever it speaks will do.
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.set_ciphers("ALL:@SECLEVEL=0")
    return context


def context_of(ca_file: str, *, verified: bool) -> ssl.SSLContext:
    """Return the context that trusts the system and `ca_file`, read anew when that file changes."""
    try:
        changed = Path(ca_file).stat().st_mtime if ca_file else 0.0
        return _context(ca_file, changed, verified)
    except (OSError, ssl.SSLError) as error:
        told = _("the authorities in {file} cannot be read: {error}")
        raise ProbeError(told.format(file=ca_file, error=plain(str(error))), asked=False) from error


async def secure(stream: Stream, context: ssl.SSLContext, name: str) -> Shown:
    """Speak TLS on `stream` from now on. Raises ssl.SSLCertVerificationError, ProbeError."""
    silence = _("port {port} accepts the connection, then stays silent: no TLS there")
    distrust = None
    with awaiting(stream.port, silence.format(port=stream.port), heard=True):
        try:
            await stream.writer.start_tls(context, server_hostname=name)
        except ssl.SSLCertVerificationError as error:
            distrust = error
        except ValueError as error:
            told = _("“{name}” is not a name that can be asked for")
            raise ProbeError(told.format(name=plain(name)), asked=False) from error
    if distrust:
        raise distrust
    secured = stream.writer.get_extra_info("ssl_object")
    return Shown(_chain(secured, stream.port), secured.version() or "")


def _chain(secured: Any, port: int) -> tuple[x509.Certificate, ...]:
    # Python shows the whole chain by a public method from 3.13 on; before, by this one only.
    shown = getattr(secured, "get_unverified_chain", None) or secured._sslobj.get_unverified_chain
    try:
        coded = [item if isinstance(item, bytes) else ssl.PEM_cert_to_DER_cert(item.public_bytes()) for item in shown()]
        chain = tuple(map(x509.load_der_x509_certificate, coded))
        _ = [(item.not_valid_after_utc, item.subject, item.issuer) for item in chain]
    except (ValueError, x509.InvalidVersion) as error:
        raise _unreadable(port) from error
    if not chain:
        raise _unreadable(port)
    return chain


def _unreadable(port: int) -> ProbeError:
    return ProbeError(_("port {port} shows a certificate that cannot be read").format(port=port))


async def inspected(target: Target, port: int, name: str, error: ssl.SSLCertVerificationError) -> Shown:
    """Look again at what was distrusted for `error`, this time without a judgement."""
    async with connected(target.address, port) as stream:
        shown = await secure(stream, context_of("", verified=False), name)
    return Shown(shown.chain, shown.version, error.verify_code, error.verify_message)


def complaints(shown: Shown, name: str, now: datetime) -> list[str]:
    """Return everything that is wrong with a distrusted chain: dates, name, origin."""
    found = [*_dates(shown.chain, now), *_names(shown.leaf, name), *_origin(shown)]
    return found or [plain(shown.message)]


def _dates(chain: Iterable[x509.Certificate], now: datetime) -> Iterable[str]:
    for index, item in enumerate(chain):
        whose = _("its issuer's certificate ({name})").format(name=common_name(item.subject))
        whose = whose if index else _("the certificate")
        values = {"whose": whose, "since": item.not_valid_before_utc, "until": item.not_valid_after_utc}
        if item.not_valid_after_utc < now:
            days = (now - item.not_valid_after_utc).days
            yield _("{whose} expired on {until:%Y-%m-%d} ({days} days ago)").format(days=days, **values)
        elif item.not_valid_before_utc > now:
            told = _("{whose} is not valid before {since:%Y-%m-%d %H:%M} UTC: look at the clocks")
            yield told.format(**values)


def _names(leaf: x509.Certificate, name: str) -> Iterable[str]:
    names = names_of(leaf)
    if not any(_covers(pattern, name) for pattern in names):
        listed = ", ".join(plain(shown, 60) for shown in names[:NAMES_SHOWN]) or _("nothing")
        more = "" if len(names) <= NAMES_SHOWN else ", …"
        yield _("it is not for {name} but for {names}").format(name=plain(name), names=listed + more)


def _origin(shown: Shown) -> Iterable[str]:
    if shown.code in SELF_SIGNED:
        yield _("it is self-signed, vouched for by nobody")
    elif shown.code in STRANGERS:
        issuer = common_name(shown.chain[-1].issuer)
        yield _("its issuer “{issuer}” is not trusted here, or the chain is incomplete").format(issuer=issuer)
    elif shown.code not in DATES_AND_NAMES:
        yield plain(shown.message)


def names_of(leaf: x509.Certificate) -> list[str]:
    """Return the DNS names and addresses that `leaf` is for; none when they cannot be read."""
    try:
        listed = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        return []
    addresses = [str(address) for address in listed.get_values_for_type(x509.IPAddress)]
    return listed.get_values_for_type(x509.DNSName) + addresses


def _covers(pattern: str, name: str) -> bool:
    pattern, name = pattern.casefold().rstrip("."), name.casefold().rstrip(".")
    if not pattern.startswith("*."):
        return pattern == name
    return name.partition(".")[2] == pattern[2:] and not _is_address(name)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def common_name(name: x509.Name) -> str:
    """Return the common name in `name`, or all of it, on one line."""
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return plain(found[0].value if found else name.rfc4514_string(), 60)


def metrics_of(shown: Shown) -> tuple[Metric, ...]:
    """Return the expiry of the chain and the TLS version."""
    earliest = min(item.not_valid_after_utc for item in shown.chain)
    return (
        metric("probe_ssl_earliest_cert_expiry", earliest.timestamp()),
        metric("probe_tls_version_info", 1, version=shown.version.replace("TLSv", "TLS ")),
    )


def today() -> datetime:
    """Return this moment, in UTC."""
    return datetime.now(UTC)
