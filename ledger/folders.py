"""Folders of the province's state, which all accounts of the group share."""

import stat
from pathlib import Path

_INHERITED = 0o2770  # nobody outside the group looks in


def make_folder(folder: Path) -> None:
    """Make `folder` and those above it that are missing, each as open to the group as the one it is in.

    Where the province's folder is set-group-ID, all that is made below belongs to its group, whatever the umask says.
    Raises OSError.
    """
    if folder.is_dir():
        return
    make_folder(folder.parent)
    try:
        folder.mkdir()
    except FileExistsError:
        if not folder.is_dir():  # otherwise another process was first
            raise
        return
    folder.chmod(stat.S_IMODE(folder.parent.stat().st_mode) & _INHERITED)
