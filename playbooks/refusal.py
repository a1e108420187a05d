"""Why a device did not let us in: one sentence a cause, for a tired person.

ReachError
└── RefusedError          asking again would bring the same answer: a key, a password, a host key, a right
"""

import errno
import os
from collections.abc import Sequence

import paramiko

from inventory.language import _
from playbooks.errors import ReachError
from playbooks.pins import Pin
from playbooks.target import Login

_MOST = 80  # characters of a device's own words
_UNREACHABLE = (errno.EHOSTUNREACH, errno.ENETUNREACH)


class RefusedError(ReachError):
    """Asking again would bring the same answer."""


def unpinned(login: Login) -> RefusedError:
    """Tell that there is no pinned host key to know the device by."""
    told = _("no host key of {device} ({address}) is pinned; look at its fingerprint with 'tuyen hosts trust {device}'")
    return RefusedError(told.format(device=login.device, address=login.address))


def changed_key(login: Login, pinned: Sequence[Pin], found: Pin) -> RefusedError:
    """Tell that another host key answers than those pinned."""
    told = _(
        "the host key has changed: pinned {pinned}, now {found}; the machine was reinstalled or exchanged, or somebody "
        "stands between; ask whoever is there, and if it is right, write 'tuyen hosts trust {device} --replace'"
    )
    return RefusedError(told.format(pinned=", ".join(map(str, pinned)), found=found, device=login.device))


def unconnected(login: Login, error: OSError, patience: float) -> ReachError:
    """Tell why no connection came about."""
    if isinstance(error, ConnectionRefusedError):
        return closed_port(login)
    if isinstance(error, TimeoutError):
        return no_answer(login, patience)
    if error.errno in _UNREACHABLE:
        told = _("no way to {address}: {reason}; the link or a router on the way is down")
        return ReachError(told.format(address=login.address, reason=_words(error)))
    told = _("cannot connect to {address} port {port}: {reason}")
    return ReachError(told.format(address=login.address, port=login.port, reason=_words(error)))


def closed_port(login: Login) -> ReachError:
    """Tell that the device answers, but not to SSH."""
    told = _("{address} refuses port {port}: the device is up, but no SSH server is there, or a firewall rejects us")
    return ReachError(told.format(address=login.address, port=login.port))


def no_answer(login: Login, patience: float) -> ReachError:
    """Tell that nothing came back when we knocked."""
    told = _("no answer from {address} port {port} within {seconds:g} s: off, unreachable, or a firewall drops us")
    return ReachError(told.format(address=login.address, port=login.port, seconds=patience))


def unforwarded(hop: Login, beyond: Login, error: Exception, patience: float) -> ReachError:
    """Tell why the jump host `hop` did not connect us further."""
    if not isinstance(error, paramiko.ChannelException):
        return no_answer(beyond, patience) if "Timeout" in str(error) else went_away(hop)
    if error.code == paramiko.common.OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED:
        told = _("it forbids forwarding to {address} port {port}; its sshd needs AllowTcpForwarding yes")
        return at_jump_host(hop, RefusedError(told.format(address=beyond.address, port=beyond.port)))
    told = _(
        "jump host {hop} cannot connect to {address} port {port}: the device is off or unreachable, "
        "or no SSH server is there"
    )  # which of them, the library keeps to itself
    return ReachError(told.format(hop=hop.device, address=beyond.address, port=beyond.port))


def at_jump_host(hop: Login, error: ReachError) -> ReachError:
    """Tell that it was not the device but a jump host on the way to it; as final as its reason is."""
    return type(error)(_("jump host {device}: {reason}").format(device=hop.device, reason=error))


def not_let_in(login: Login, error: Exception, spent: float, patience: float) -> ReachError:
    """Tell why no session came about on an open connection, after `spent` seconds of waiting."""
    if isinstance(error, paramiko.AuthenticationException):
        return _unauthenticated(login, error, patience)
    if "No authentication methods" in str(error):
        told = _("no key to log in with: declare one for {device}, or load one into your ssh-agent")
        return RefusedError(told.format(device=login.device))
    if spent >= patience:
        return silent(login, patience)
    if isinstance(error, paramiko.ssh_exception.IncompatiblePeer):
        told = _("no common language with the SSH server of {address}: {reason}")
        return RefusedError(told.format(address=login.address, reason=_plain(str(error))))
    if "Indecipherable" in str(error):
        told = _("port {port} of {address} answers, but not in SSH")
        return RefusedError(told.format(port=login.port, address=login.address))
    told = _("{address} closes the connection before login: its SSH server is starting, too busy, or bars our address")
    return ReachError(told.format(address=login.address))


def silent(login: Login, patience: float) -> ReachError:
    """Tell that the device took the connection and then said nothing."""
    told = _("{address} accepts the connection and then is silent for {seconds:g} s: it hangs, or is overloaded")
    return ReachError(told.format(address=login.address, seconds=patience))


def went_away(login: Login) -> ReachError:
    """Tell that an open session broke."""
    return ReachError(
        _("{address} went away in the middle: the link or the device failed").format(address=login.address)
    )


def unanswered(login: Login, patience: float) -> ReachError:
    """Tell that a command did not end."""
    told = _("{address} does not answer a command within {seconds:g} s: it went away, or hangs")
    return ReachError(told.format(address=login.address, seconds=patience))


def no_root(login: Login, said: str) -> RefusedError:
    """Tell that the account may not become root."""
    told = _("{user} may not become root on {device} without a password ({reason}); give it a NOPASSWD line in sudoers")
    return RefusedError(told.format(user=login.user, device=login.device, reason=_plain(said)))


def unusable_key(login: Login, error: Exception) -> RefusedError:
    """Tell why a private key cannot be used."""
    locked = isinstance(error, TypeError | paramiko.PasswordRequiredException)
    reason = _words(error) if isinstance(error, OSError) else _("it is no private key that OpenSSH writes")
    reason = _("it needs a passphrase: load it into your ssh-agent, and declare no key") if locked else reason
    return RefusedError(_("the key {key} cannot be used: {reason}").format(key=login.key, reason=reason))


def _unauthenticated(login: Login, error: paramiko.SSHException, patience: float) -> ReachError:
    if "timeout" in str(error):
        return silent(login, patience)
    if "transport shut down" in str(error):
        told = _("{address} closes the connection during login: too many wrong keys, or its SSH server fails")
        return ReachError(told.format(address=login.address))
    means = _means(login)
    if isinstance(error, paramiko.BadAuthenticationType):
        told = _("{address} does not take {means} from {user}; it takes: {allowed}")
        allowed = _plain(", ".join(error.allowed_types))
        return RefusedError(told.format(address=login.address, means=means, user=login.user, allowed=allowed))
    told = _("{address} refuses {means} for {user}: check the account there, and what is declared for {device}")
    return RefusedError(told.format(address=login.address, means=means, user=login.user, device=login.device))


def _means(login: Login) -> str:
    if login.key and login.password:
        return _("the key {key} and the password").format(key=login.key)
    if login.key:
        return _("the key {key}").format(key=login.key)
    return _("the password") if login.password else _("the keys of your agent and account")


def _words(error: Exception) -> str:
    return os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)


def _plain(text: str) -> str:
    """Return a device's own words, shortened, without what could steer a terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in text)[:_MOST].strip()
