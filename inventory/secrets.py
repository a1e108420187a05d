"""Secrets by reference: `{secret: name}` in the files, the values in secrets.yaml, encrypted by ansible-vault."""

import json
import os
import subprocess
import sysconfig
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from inventory.finding import Finding, InventoryError, Place, finding
from inventory.language import _
from inventory.model import Province
from inventory.modules import BUILT_IN
from inventory.nearest import nearest
from inventory.yamlfile import parse

FILE = "secrets.yaml"
PASSWORD_VARIABLE = "TUYEN_VAULT_PASSWORD_FILE"  # noqa: S105  (a variable's name, not a password)
PASSWORD_FILE = Path(".tuyen", "vault-password")
_SECONDS = 30


class SecretError(InventoryError):
    """Secrets are needed and cannot be had: no file, no password, a wrong one, or a name that is not there."""


def references(province: Province) -> tuple[str, ...]:
    """Return the names of all secrets that the province refers to, sorted; a built-in module counts if it is asked."""
    values: list[Any] = [
        module.options for name, module in province.modules.items() if module is not BUILT_IN.get(name)
    ]
    values += [rule.values for rule in province.variables]
    values += [rollout.values for rollout in province.rollouts.values()]
    values += [{"secret": rule.password} for rule in province.access if rule.password]
    return tuple(sorted({name for value in values for name in _names(value)} | set(references_of_probes(province))))


def references_of_probes(province: Province) -> tuple[str, ...]:
    """Return the names of the secrets that it takes to ask the province's devices and services, sorted."""
    modules = {name for device in province.devices.values() for name in device.probes}
    values: list[Any] = [province.modules[name].options for name in modules]
    for service in province.services.values():
        values += [{**province.modules[probe.module].options, **probe.options} for probe in service.probes]
    return tuple(sorted({name for value in values for name in _names(value)}))


def _names(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        if set(value) == {"secret"}:
            yield str(value["secret"])
        for inner in value.values():
            yield from _names(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _names(inner)


def password_file(folder: Path) -> Path | None:
    """Return the file with the vault's password: the environment's, or the province's own; None without one."""
    named = os.environ.get(PASSWORD_VARIABLE)
    path = Path(named) if named else folder / PASSWORD_FILE
    return path if path.is_file() else None


def open_secrets(folder: Path) -> Mapping[str, str]:
    """Return the secrets of the province in `folder`. Raises SecretError; never shows a value."""
    password = password_file(folder)
    if not (folder / FILE).is_file():
        by = f" --vault-password-file {password}" if password else ""  # else it would ask for one, and take any
        raise SecretError(
            _("there is no {file}; make one with 'ansible-vault create{by} {file}' and lines 'name: value'").format(
                file=folder / FILE, by=by
            )
        )
    if password is None:
        raise SecretError(
            _("no vault password: name a file in {variable}, or put it into {file}").format(
                variable=PASSWORD_VARIABLE, file=folder / PASSWORD_FILE
            )
        )
    document, findings = parse(_vault("view", folder / FILE, password).encode(), FILE)
    if document is None or not all(isinstance(value, str) for value in document.data.values()):
        reason = str(findings[0]) if findings else _("every value must be plain text")
        raise SecretError(_("{file}, decrypted, cannot be read: {reason}").format(file=FILE, reason=reason))
    return dict(document.data)


def encrypt(folder: Path, values: Mapping[str, str]) -> None:
    """Write `values` as the secrets.yaml of `folder`, encrypted by the province's own password. Raises SecretError."""
    text = "".join(f"{name}: {json.dumps(value, ensure_ascii=False)}\n" for name, value in values.items())
    (folder / FILE).write_text(_vault("encrypt", Path("-"), folder / PASSWORD_FILE, text), encoding="ascii")


def _vault(verb: str, file: Path, password: Path, text: str | None = None) -> str:
    """Run the ansible-vault that came with this installation; secrets go by pipes, never by arguments."""
    program = Path(sysconfig.get_path("scripts"), "ansible-vault")
    command = [str(program), verb, "--vault-password-file", str(password), str(file)]
    if verb == "encrypt":
        command[-1:] = ["--output", "-", str(file)]
    try:
        done = subprocess.run(
            command,
            input=text,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
            encoding="utf-8",
            env={**os.environ, "LC_ALL": "C.UTF-8"},  # Ansible refuses a locale that the machine lacks
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SecretError(_("ansible-vault does not work: {reason}").format(reason=error)) from error
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["?"])[-1]
        raise SecretError(_("ansible-vault cannot {verb} {file}: {reason}").format(verb=verb, file=file, reason=reason))
    return done.stdout


def check_references(province: Province, secrets: Mapping[str, str]) -> Iterator[Finding]:
    """Complain of secrets that the province refers to and the vault does not hold."""
    for name in references(province):
        if name not in secrets:
            yield finding(Place(FILE), "unknown-secret", name=name, near=nearest(name, secrets))
