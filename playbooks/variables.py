"""The values that a job is to use on a device: `--set`, the inventory's rules, or the job's defaults.

Secrets stay references, `{"secret": name}`, until `reveal`: so what is compared, planned and kept never holds one.
`{"file": path}` is the text of a file, by its path from the province's folder.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from inventory.finding import Finding, finding
from inventory.language import _
from inventory.model import Device, Province
from inventory.nearest import nearest
from inventory.selector import select_devices
from inventory.yamlfile import parse
from playbooks.errors import VariableError
from playbooks.job import Job, VariableShape

Values = dict[str, Any]
_TRUTHS = {"true": True, "yes": True, "false": False, "no": False}


def read_sets(words: Iterable[str]) -> Values:
    """Return what `--set name=value` says; a value is YAML: `[a, b]`, `{secret: name}`. Raises VariableError."""
    values: Values = {}
    for word in words:
        name, equals, text = word.partition("=")
        document, findings = parse(f"value: {text}".encode(), f"--set {name}")
        if not equals or document is None:
            reason = findings[0].why if findings else _("there is no '='")
            raise VariableError(
                _("--set '{word}' cannot be read: {reason}; write name=value").format(word=word, reason=reason)
            )
        values[name.strip()] = document.data["value"]
    return values


def values_of(province: Province, job: Job, devices: Sequence[Device], sets: Mapping[str, Any]) -> dict[str, Values]:
    """Return the values of the job's variables for each device, by its id, typed, secrets as references.

    Raises VariableError for a name that the job does not know, a value of another type, a required one that is missing.
    """
    shapes = job.shape.variables
    for name in sets:
        if name not in shapes:
            raise VariableError(
                _("the job '{job}' has no variable '{name}'; write {near}").format(
                    job=job.name, name=name, near=nearest(name, shapes)
                )
            )
    found: dict[str, Values] = {device.id: _defaults(province, shapes) for device in devices}
    for rule in province.variables:
        known = {name: value for name, value in rule.values.items() if name in shapes}
        for device in select_devices(province, rule.select) if known else ():
            if device.id in found:
                found[device.id].update(known)
    folder = Path(province.folder)
    return {device: _typed(job, _with_files(folder, {**values, **sets}), device) for device, values in found.items()}


def _defaults(province: Province, shapes: Mapping[str, VariableShape]) -> Values:
    return {
        name: _addresses(province, shape.select) if shape.select and shape.default is None else shape.default
        for name, shape in shapes.items()
    }


def _addresses(province: Province, selector: str) -> list[str]:
    return [device.address for device in select_devices(province, selector) if device.address]


def _typed(job: Job, values: Values, device: str) -> Values:
    typed: Values = {}
    for name, shape in job.shape.variables.items():
        value = values[name]
        if value is None and shape.required:
            raise VariableError(
                _(
                    "'{device}' has no value for '{name}', which the job '{job}' needs ({about}); "
                    "add it under 'variables:' in province.yaml, or --set {name}=..."
                ).format(device=device, name=name, job=job.name, about=shape.about)
            )
        typed[name] = value if value is None or is_reference(value) else _convert(shape, name, value)
    return typed


def _with_files(folder: Path, values: Values) -> Values:
    """Return the values with `{"file": path}` replaced by the file's text. Raises VariableError."""
    return {name: _text(folder, name, value) if _is_file(value) else value for name, value in values.items()}


def _is_file(value: Any) -> bool:
    return isinstance(value, Mapping) and set(value) == {"file"}


def _text(folder: Path, name: str, value: Mapping[str, Any]) -> str:
    path = folder / str(value["file"])
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or _("it is no text")
        message = _("the variable '{name}' wants the file {path}, which cannot be read: {reason}")
        raise VariableError(message.format(name=name, path=path, reason=reason)) from error


def _boolean(value: str) -> bool:
    return _TRUTHS[value.lower()]


_SCALARS: Mapping[str, Callable[[str], Any]] = {"text": str, "integer": int, "number": float, "boolean": _boolean}
_CONTAINERS: Mapping[str, type] = {"list": list, "addresses": list, "mapping": dict}


def _convert(shape: VariableShape, name: str, value: Any) -> Any:
    """Return the value in its type; files hold text only. Raises VariableError."""
    try:
        if shape.type in _SCALARS and isinstance(value, str | int | float):
            return _SCALARS[shape.type](str(value))
    except (ValueError, KeyError):
        pass
    else:
        if shape.type in _CONTAINERS and isinstance(value, _CONTAINERS[shape.type]):
            return value
    raise VariableError(
        _("the variable '{name}' is '{value}', which is no {type}").format(name=name, value=value, type=shape.type)
    )


def is_reference(value: Any) -> bool:
    """Whether a value is `{"secret": name}`."""
    return isinstance(value, Mapping) and set(value) == {"secret"}


def secret_names(values: Any) -> Iterator[str]:
    """Yield the names of the secrets that `values` refer to, at any depth."""
    if is_reference(values):
        yield str(values["secret"])
    elif isinstance(values, Mapping):
        for value in values.values():
            yield from secret_names(value)
    elif isinstance(values, list | tuple):
        for value in values:
            yield from secret_names(value)


def reveal(values: Any, secrets: Mapping[str, str]) -> Any:
    """Return `values` with references replaced by the secrets themselves. Raises VariableError naming what lacks."""
    if is_reference(values):
        name = str(values["secret"])
        if name not in secrets:
            raise VariableError(
                _("there is no secret '{name}'; write it into secrets.yaml: ansible-vault edit secrets.yaml").format(
                    name=name
                )
            )
        return secrets[name]
    if isinstance(values, Mapping):
        return {key: reveal(value, secrets) for key, value in values.items()}
    if isinstance(values, list | tuple):
        return [reveal(value, secrets) for value in values]
    return values


def check_names(province: Province, jobs: Mapping[str, Job]) -> Iterator[Finding]:
    """Complain of variables in the inventory that no job knows: a misspelt one would be passed over in silence."""
    known = {name for job in jobs.values() for name in job.shape.variables}
    for rule in province.variables:
        for name in rule.values:
            if name not in known:
                yield finding(rule.place, "unknown-variable", name=name, near=nearest(name, known))
