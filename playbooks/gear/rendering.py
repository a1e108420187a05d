"""A job's templates filled in for a device: the lines and files that its capabilities come to.

A job's folder has one folder a platform, with Jinja templates: `<capability>.j2` and `<name of the file>.j2` for what
the job's `options: {capabilities: [...]}` asks of `capabilities.HOW`, `lines.j2` with further lines to merge, and
`verify.j2`. They see the job's variables by name, and `tuyen`; an unknown name is an error, never an empty text.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path, PurePosixPath
from typing import Any

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

from inventory.language import _
from playbooks.gear.capabilities import HOW, TITLES, Capability, File, How, Lineage
from playbooks.gear.errors import TemplateError
from playbooks.job import Job
from playbooks.target import Target

_LINES, _VERIFY = "lines.j2", "verify.j2"


@dataclass(frozen=True, slots=True)
class Intent:
    """What a job wants of one device. `pieces` of lines go over what is `owned`; `files` are contents by file.

    `left_out` are the capabilities that the platform lacks, `unsaid` those for which the templates say nothing: they
    stay as they are. `checks` are commands of the device's own command line, each with the pattern that it must show.
    """

    pieces: tuple[str, ...]
    owned: tuple[Lineage, ...]
    files: Mapping[File, str]
    proofs: tuple[str, ...]
    checks: tuple[tuple[str, str], ...]
    left_out: tuple[str, ...]
    unsaid: tuple[str, ...]


def applicable(job: Job, platform: str) -> bool:
    """Whether the job says anything for gear of `platform`."""
    return (job.folder / platform).is_dir()


def capabilities_of(job: Job) -> tuple[Capability, ...]:
    """Return what the job asks for, in its order. Raises TemplateError for what nobody knows."""
    try:
        return tuple(Capability(name) for name in job.shape.options.get("capabilities", ()))
    except ValueError as error:
        told = _("{job}/job.yaml: options.capabilities: {error}; write some of: {known}")
        raise TemplateError(told.format(job=job.name, error=error, known=", ".join(Capability))) from error


def render(job: Job, target: Target) -> Intent:
    """Return what `job` wants of `target`. Raises TemplateError."""
    known = HOW.get(target.device.platform, {})
    templates = _Templates(job, target.device.platform, target.variables)
    asked = capabilities_of(job)
    said = {name: rendered for name in asked if name in known and (rendered := _one(templates, name, known[name]))}
    titles = {name: _(TITLES[name]) for name in asked}
    return Intent(
        pieces=tuple(filter(None, [*(lines for lines, _files in said.values()), templates.fill(_LINES)])),
        owned=tuple(lineage for name in said for lineage in known[name].owns),
        files={file: text for _lines, files in said.values() for file, text in files.items()},
        proofs=tuple(proof for name in said for proof in known[name].proofs),
        checks=tuple(_checks(templates.fill(_VERIFY))),
        left_out=tuple(titles[name] for name in asked if name not in known),
        unsaid=tuple(titles[name] for name in asked if name in known and name not in said),
    )


def _one(templates: "_Templates", name: Capability, how: How) -> tuple[str, dict[File, str]] | None:
    """Return the lines and files of one capability; None when its templates come to nothing."""
    lines = templates.fill(f"{name}.j2") if how.owns else ""
    files = {file: templates.fill(f"{PurePosixPath(file.path).name}.j2") for file in how.files}
    files = {file: text for file, text in files.items() if text.strip()}
    return (lines, files) if lines.strip() or files else None


def _checks(text: str) -> Iterator[tuple[str, str]]:
    """Read lines of the form `command ~ pattern`."""
    for line in filter(None, map(str.strip, text.splitlines())):
        command, _tilde, pattern = line.partition(" ~ ")
        yield command, pattern


class _Templates:
    """The templates of one job for one platform, with one device's values."""

    def __init__(self, job: Job, platform: str, values: Mapping[str, Any]) -> None:
        self._name, self._values, self._folder = f"{job.name}/{platform}", values, job.folder / platform
        self._environment = ImmutableSandboxedEnvironment(
            loader=jinja2.FileSystemLoader(self._folder),
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        self._environment.filters["network"] = lambda prefix: str(IPv4Network(prefix, strict=False))
        self._environment.filters["address"] = lambda prefix: prefix.partition("/")[0]
        self._environment.filters["netmask"] = lambda prefix: str(IPv4Network(prefix, strict=False).netmask)

    def fill(self, file: str) -> str:
        """Return the template `file` filled in, "" when the job has none. Raises TemplateError."""
        if not Path(self._folder, file).exists():
            return ""
        try:
            text = self._environment.get_template(file).render(self._values)
        except jinja2.TemplateSyntaxError as error:
            raise self._told(file, f"{error.lineno}: {error.message}") from error
        except (jinja2.TemplateError, TypeError, ValueError, ArithmeticError, LookupError) as error:
            raise self._told(file, f" {error}") from error
        return text if not text or text.endswith("\n") else text + "\n"

    def _told(self, file: str, reason: str) -> TemplateError:
        return TemplateError(
            _("the template {template} cannot be filled in:{reason}").format(
                template=f"{self._name}/{file}", reason=reason
            )
        )
