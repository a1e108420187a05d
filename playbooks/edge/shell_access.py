"""How one logs in: keys only, few tries; the new settings are read by sshd itself before they count."""

from pyinfra.operations import server

from playbooks.deploying import changed
from playbooks.edge.files import written

# sshd takes the first value that it reads of a setting: this file comes before all others.
FILE = "/etc/ssh/sshd_config.d/00-tuyen.conf"
_TEXT = """\
# Written by tuyen: changes here do not last.
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitEmptyPasswords no
X11Forwarding no
MaxAuthTries 4
LoginGraceTime 30
ClientAliveInterval 60
ClientAliveCountMax 3
"""
_CHECK = 'cat "$new" /etc/ssh/sshd_config | /usr/sbin/sshd -tf /dev/stdin'


def ssh() -> None:
    """Add sshd's settings."""
    file = written(name="SSH server settings", content=_TEXT, path=FILE, check=_CHECK)
    server.shell(name="SSH server settings in force", commands=["systemctl reload ssh"], _if=changed(file))
