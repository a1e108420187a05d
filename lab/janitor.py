"""The janitor: the process outside a lab of real machines that tidies up the host when the lab has ended.

Namespaces go by themselves; a control group and a setting of the kernel do not. It gives both to the lab, starts
it, waits for its end, however it ends, and takes them back. It holds the lab's lock all the while. If the janitor
itself is killed the lab ends with it, and `tidy` is done by whoever next looks at the lab's folder.
"""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from lab.files import GROUP
from lab.groups import groups_folder, make_group
from lab.limits import raise_limits
from lab.tidy import tidy

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def _new_group(folder: Path) -> Path:
    shown = groups_folder()
    if shown is None:
        sys.exit("this machine shows no control groups of version 2")
    group = shown / f"tuyen-lab-{os.getpid()}"
    (folder / GROUP).write_text(f"{group}\n")
    make_group(group)
    return group


def _join(group: Path) -> Callable[[], None]:
    """Return what the lab's first process does before it becomes itself."""

    def join() -> None:
        (group / "cgroup.procs").write_text("0")
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

    return join


def main() -> None:
    """Run as `python -m lab.janitor FOLDER LOCK COMMAND...`; LOCK is the number of the open, locked file."""
    folder, lock, command = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    os.set_inheritable(lock, False)
    note = raise_limits()
    lab = subprocess.Popen(command, preexec_fn=_join(_new_group(folder)), pass_fds=[lock])
    for descriptor in (sys.stdin.fileno(), sys.stdout.fileno()):  # the leash and the report are the lab's alone
        os.dup2(sys.stderr.fileno(), descriptor)
    lab.wait()
    os.close(note)
    tidy(folder / GROUP)


if __name__ == "__main__":
    main()
