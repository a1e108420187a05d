"""Where tuyen is installed here and as whom its units run; and whether that can work."""

import grp
import os
import pwd
import stat
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from exporters.units.place import Place
from inventory.finding import InventoryError
from inventory.language import _, current
from inventory.model import Province
from inventory.schedule import STATE, place_of
from inventory.secrets import FILE as SECRETS
from inventory.secrets import PASSWORD_FILE

_SECONDS = 120  # that reading the province may take


class PlaceError(InventoryError):
    """The units could not run: there is no such account, or it may not read or write what it must."""


def place(folder: Path, province: Province, user: str, group: str, listen: str, vault_password: Path | None) -> Place:
    """Return the place of the units. Raises PlaceError."""
    account = _account(user)
    schedule = province.schedule
    for path in (str(folder), schedule.backup_folder, schedule.reports_folder, schedule.passphrase_file):
        if not path.isprintable():
            raise PlaceError(
                _("no unit can name the path {path}: it holds control characters").format(path=ascii(path))
            )
    vault = vault_password or (folder / PASSWORD_FILE if (folder / PASSWORD_FILE).is_file() else None)
    if vault is None and (folder / SECRETS).is_file():
        raise PlaceError(_("no file has the vault's password, which secrets.yaml needs; name it with --vault-password"))
    return Place(
        program=program(),
        province=str(folder),
        user=user,
        group=_group(group, account),
        backups=str(place_of(folder, schedule.backup_folder)),
        reports=str(place_of(folder, schedule.reports_folder)),
        language=current(),
        listen=listen,
        vault_password=str(vault.absolute()) if vault else "",
        passphrase=str(place_of(folder, schedule.passphrase_file)) if schedule.passphrase_file else "",
        shared=_is_shared(folder),
    )


def program() -> tuple[str, ...]:
    """Return the first words of every command: this installation's own."""
    script = Path(sysconfig.get_path("scripts"), "tuyen")
    return (str(script),) if script.is_file() else (sys.executable, "-m", "cli")


def _account(user: str) -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(user)
    except KeyError:
        raise PlaceError(
            _("there is no account '{user}'; make it with 'useradd --system --shell /usr/sbin/nologin {user}'").format(
                user=user
            )
        ) from None


def _group(group: str, account: pwd.struct_passwd) -> str:
    try:
        return grp.getgrnam(group).gr_name if group else grp.getgrgid(account.pw_gid).gr_name
    except KeyError:
        raise PlaceError(_("there is no group '{group}'").format(group=group or account.pw_gid)) from None


def _is_shared(folder: Path) -> bool:
    """Whether new folders of the state inherit a group, so that setting that bit must be allowed."""
    return any(path.is_dir() and path.stat().st_mode & stat.S_ISGID for path in (folder, folder / STATE))


def check_place(folder: Path, province: Province, user: str) -> Iterator[str]:
    """Try as `user` what the units will do, and yield what they will lack. Raises PlaceError."""
    said = _as(user, *program(), "--province", str(folder), "inventory", "check")
    if said:
        raise PlaceError(
            _("'{user}' cannot work with {folder}: {reason}").format(user=user, folder=folder, reason=said)
        )
    state = folder / STATE
    if state.is_dir():
        wrong = [
            path
            for path in (state, *sorted(state.iterdir()))
            if _as(user, "test", "-r", str(path), "-a", "-w", str(path))
        ]
        if wrong:
            raise PlaceError(
                _("'{user}' may not read and write {files}; give them to it, for example with chown").format(
                    user=user, files=", ".join(map(str, wrong))
                )
            )
    if user not in province.people:
        yield _("people.yaml does not know '{user}': 'tuyen facts' will be refused to it every night").format(user=user)


def _as(user: str, *words: str) -> str:
    """Return why a command does not work as `user`; nothing when it does."""
    account = pwd.getpwnam(user)
    try:
        done = subprocess.run(
            words,
            user=account.pw_uid,
            group=account.pw_gid,
            extra_groups=os.getgrouplist(user, account.pw_gid),
            cwd="/",
            env={"PATH": os.defpath, "HOME": "/", "LC_ALL": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return " ".join((done.stderr or done.stdout).split()) or str(done.returncode) if done.returncode else ""


def make_folders(folder: Path, province: Province, user: str, group: str) -> None:
    """Make the folders that the jobs write into, where they are missing, as the account's own. Raises OSError."""
    account = _account(user)
    owner = account.pw_uid, grp.getgrnam(_group(group, account)).gr_gid
    parts = ((STATE, 0o750), (province.schedule.backup_folder, 0o700), (province.schedule.reports_folder, 0o750))
    for written, mode in (*parts, ("facts", 0o755)):
        path = place_of(folder, written)
        if not path.is_dir():
            path.mkdir(mode=mode, parents=True)
            path.chmod(mode)
            os.chown(path, *owner)
