"""A state brought back: made ready beside the present one (`cli.state_aside`), which it replaces in one step.

Killed at any moment, the state is the old one or the new one.
"""

import os
import shutil
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import unquote

from cli.actor import actor
from cli.state_aside import finish, make_room, mark
from cli.state_saving import LEDGER_PART, LOCK, alone
from inventory.language import _
from inventory.model import Province
from inventory.schedule import STATE
from ledger.archive import Manifest, read, settle
from ledger.audit import Head, append, verify
from ledger.backup import drivers, load
from ledger.connection import FILE, Ledger, connect, open_ledger
from ledger.errors import N_, BadBackupError, LedgerDamagedError, LedgerNewerError, StateInUseError
from ledger.exchange import exchange
from ledger.folders import make_folder
from ledger.locks import FOLDER as LOCKS
from ledger.locks import is_held
from ledger.proc import command_of, having_open
from ledger.records import new_id, now

_GROUP = 0o2770  # of a folder's mode, what folders in it get
_LEDGER_MODE = 0o660


class Restoring:
    """One restore. Use it as a context: what was made ready and not used is gone at its end.

    `unpack` proves the archive and makes the state ready, `swap` puts it in its place. `notes` are for people.
    Raises LedgerError, OSError.
    """

    def __init__(self, folder: Path, province: Province) -> None:
        self._folder, self._province, self._who = folder, province, actor(province, "")
        self._manifest: Manifest | None = None
        self._new, self._file = folder, Path()
        self.notes: list[str] = []

    def __enter__(self) -> Self:
        self._lock = alone(self._folder, self._who, "state restore")
        finish(self._folder, now())
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        try:
            finish(self._folder, now())
        finally:
            self._lock.release()

    def unpack(self, file: Path, passphrase: bytes) -> Manifest:
        """Read all of the archive, and make the state ready; nothing of the present one is touched."""
        self._refuse_users()
        self._file = file.absolute()
        this = new_id(now())
        self._new = make_room(self._folder, this)
        manifest = self._manifest = read(self._file, passphrase, self._new)
        self._check(manifest)
        state = self._new / "state"
        state.mkdir(exist_ok=True)
        if manifest.database == "sqlite":
            self._make_ledger(state)
        mark(state, this)
        self._settle(state)
        return manifest

    def swap(self) -> Path | None:
        """Put the state that was made ready in the place of the present one; return where that lies now."""
        assert self._manifest is not None, "unpack reads it"
        self._refuse_users()
        if self._manifest.database == "postgresql":
            self._fill_database(self._manifest)
        self._bring_what_is_missing()
        exchange(self._folder / STATE, self._new / "state")
        settle(self._folder)
        return finish(self._folder, now())

    def _check(self, manifest: Manifest) -> None:
        if manifest.province != self._province.id:
            text = N_("{file} is of the province '{other}', and this one is '{province}'")
            raise BadBackupError(text, file=self._file, other=manifest.province, province=self._province.id)
        wanted = "sqlite" if self._place == self._folder / FILE else "postgresql"
        if manifest.database != wanted:
            text = N_("{file} holds a ledger of {saved}, and 'database' in province.yaml leads to {wanted}")
            raise BadBackupError(text, file=self._file, saved=manifest.database, wanted=wanted)

    @property
    def _place(self) -> Path | str:
        return self._province.database or self._folder / FILE

    def _make_ledger(self, state: Path) -> None:
        """Put the ledger into the new state, migrated, and with a row that tells of this restore."""
        file = state / FILE.name
        (self._new / LEDGER_PART).rename(file)
        file.chmod(_LEDGER_MODE)
        with open_ledger(file) as ledger:
            self._look(ledger)
            self._note(ledger)

    def _fill_database(self, manifest: Manifest) -> None:
        with connect(self._place) as ledger:
            load(ledger, self._new / LEDGER_PART, Head(manifest.head_seq, manifest.head_hash))
        with open_ledger(self._place) as ledger:
            self._look(ledger)
            self._note(ledger)

    def _look(self, ledger: Ledger) -> None:
        assert self._manifest is not None, "unpack reads it"
        breaks = sum(1 for _break in verify(ledger, Head(self._manifest.head_seq, self._manifest.head_hash)))
        if breaks > self._manifest.breaks:
            text = N_("{file} cannot be used: its audit trail does not hold, and did when it was saved")
            raise BadBackupError(text, file=self._file)

    def _note(self, ledger: Ledger) -> None:
        assert self._manifest is not None, "unpack reads it"
        told = {"file": str(self._file), "made": self._manifest.made, "tuyen": self._manifest.tuyen}
        with ledger.write() as connection:
            append(connection, ledger, self._who, "state.restore", told)

    def _settle(self, state: Path) -> None:
        """Give the new state owner and modes of the present one, share its locks, and bring it onto the disk."""
        present = (self._folder / STATE).stat()
        for here, _folders, names in os.walk(state):
            Path(here).chmod(present.st_mode & _GROUP)
            for path in (Path(here), *(Path(here, name) for name in names)) if os.geteuid() == 0 else ():
                os.chown(path, present.st_uid, present.st_gid)
            settle(Path(here))
        locks = state / LOCKS.name
        locks.mkdir()
        shutil.copystat(self._folder / LOCKS, locks)
        if os.geteuid() == 0:
            os.chown(locks, present.st_uid, present.st_gid)
        for lock in (self._folder / LOCKS).iterdir():
            os.link(lock, locks / lock.name)  # the same file: who holds it holds it on
        settle(state)

    def _bring_what_is_missing(self) -> None:
        """Bring back facts and keys beside the state where there are none; those that are there are left alone."""
        saved, owner, left = self._new / "beside", self._folder.stat(), []
        for path in sorted(path for path in saved.rglob("*") if path.is_file()):
            target = self._folder / path.relative_to(saved)
            if target.exists():
                left.append(str(target))
                continue
            make_folder(target.parent)
            if os.geteuid() == 0:
                os.chown(path, owner.st_uid, owner.st_gid)
                os.chown(target.parent, owner.st_uid, owner.st_gid)
            path.rename(target)
        if left:
            text = _("left as they are: {count} files beside the state, such as {path}")
            self.notes.append(text.format(count=len(left), path=left[0]))

    def _refuse_users(self) -> None:
        """Raise StateInUseError while anybody works with the present state."""
        found = [*self._having_ledger_open(), *self._holding_leases(), *self._holding_locks()]
        if found:
            text = N_("the state is in use, so it cannot be replaced; stop first: {users}")
            raise StateInUseError(text, users="; ".join(dict.fromkeys(found)))

    def _having_ledger_open(self) -> list[str]:
        file = self._folder / FILE
        if self._place != file or not file.exists():
            return []
        return [command_of(process) for process in having_open(file) if process != os.getpid()]

    def _holding_leases(self) -> tuple[str, ...]:
        if self._place == self._folder / FILE and not (self._folder / FILE).exists():
            return ()
        # damaged or newer: that is perhaps why it is to be replaced
        with suppress(LedgerDamagedError, LedgerNewerError), connect(self._place) as ledger:
            return drivers(ledger)
        return ()

    def _holding_locks(self) -> list[str]:
        folder = self._folder / LOCKS
        names = sorted(unquote(file.name.removesuffix(".lock")) for file in folder.glob("*.lock"))
        return [name for name in names if name != LOCK and is_held(folder, name)]
