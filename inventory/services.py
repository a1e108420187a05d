"""Services and people: who depends on what, and who may touch it."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from pydantic import ValidationError

from inventory.circles import circles
from inventory.declared import PeopleFile, PersonShape, ServicesFile, ServiceShape
from inventory.declared_province import ModuleShape
from inventory.finding import Finding, finding
from inventory.gaps import Gaps
from inventory.model import Module, Person, Province, Service, ServiceProbe
from inventory.modules import OPTIONS, options_of
from inventory.nearest import nearest
from inventory.selector import NothingChosenError, SelectorError, select_offices
from inventory.validate import expectation, shown
from inventory.windows import DAYS, Window
from inventory.yamlfile import Document

TOLD = frozenset({"operator", "approver"})  # the roles of those who are told of what is out


def resolve_modules(
    document: Document, shapes: Mapping[str, ModuleShape], built_in: Mapping[str, Module]
) -> tuple[dict[str, Module], list[Finding]]:
    """Return the built-in modules with the province's own laid over them, and what is wrong with those."""
    modules, findings = dict(built_in), list[Finding]()
    for name, shape in shapes.items():
        module = Module(name, shape.probe, shape.interval, shape.timeout, shape.options)
        modules[name] = module
        if shape.probe not in OPTIONS:
            place = document.place("modules", name, "probe")
            findings.append(finding(place, "unknown-probe", name=shape.probe, near=nearest(shape.probe, OPTIONS)))
        else:
            findings += _check_options(module, {}, document, ("modules", name, "with"))
    return modules, findings


def _check_options(
    module: Module, extra: Mapping[str, object], document: Document, path: tuple[str | int, ...]
) -> Iterator[Finding]:
    """Complain of options that the module's probe does not take."""
    try:
        options_of(module, extra)
    except ValidationError as error:
        known = OPTIONS[module.probe].model_fields
        for item in error.errors(include_url=False):
            place, name = document.place(*path, *item["loc"]), str(item["loc"][0]) if item["loc"] else ""
            if item["type"] == "extra_forbidden":
                yield finding(place, "unknown-key", key=name, what=f"with ({module.probe})", near=nearest(name, known))
            elif item["type"] == "missing":
                yield finding(place, "missing-key", key=name, what=f"with ({module.probe})")
            else:
                yield finding(
                    place, "wrong-option", option=name, value=shown(item["input"]), expected=expectation(item)
                )


def resolve_services(
    document: Document, shape: ServicesFile, province: Province, gaps: Gaps
) -> tuple[dict[str, Service], list[Finding]]:
    """Return the services with the offices that depend on them, and what is wrong with them."""
    services: dict[str, Service] = {}
    findings: list[Finding] = []
    for name, declared in shape.services.items():
        offices: tuple[str, ...] = ()
        try:
            offices = tuple(office.id for office in select_offices(province, declared.users))
        except NothingChosenError as error:
            if not gaps.any("offices", "units", "kinds"):
                findings.append(finding(document.place("services", name, "users"), "bad-selector", problem=error))
        except SelectorError as error:
            findings.append(finding(document.place("services", name, "users"), "bad-selector", problem=error))
        probes = tuple(
            ServiceProbe(
                probe.module, probe.device, probe.options, document.place("services", name, "probes", position)
            )
            for position, probe in enumerate(declared.probes)
        )
        place = document.place("services", name)
        needs = tuple(declared.needs)
        services[name] = Service(name, declared.name, probes, declared.users, offices, place, needs)
        findings += _check_service(document, name, declared, province, shape, gaps)
    return services, findings + list(_check_needs(document, shape))


def _check_service(
    document: Document, name: str, declared: ServiceShape, province: Province, shape: ServicesFile, gaps: Gaps
) -> Iterator[Finding]:
    for position, probe in enumerate(declared.probes):
        path = ("services", name, "probes", position)
        office = probe.device.rpartition(".")[2]
        if probe.device not in province.devices and not (
            gaps.has("devices", probe.device) or gaps.has("offices", office)
        ):
            near = nearest(probe.device, province.devices)
            yield finding(document.place(*path, "device"), "unknown-device", name=probe.device, near=near)
        if probe.module not in province.modules:
            if not gaps.has("modules", probe.module):
                near = nearest(probe.module, province.modules)
                yield finding(document.place(*path, "module"), "unknown-module", name=probe.module, near=near)
        elif province.modules[probe.module].probe in OPTIONS:
            yield from _check_options(province.modules[probe.module], probe.options, document, (*path, "with"))
    for position, need in enumerate(declared.needs):
        if need not in shape.services and not gaps.has("services", need):
            place = document.place("services", name, "needs", position)
            yield finding(place, "unknown-service", name=need, near=nearest(need, shape.services))


def _check_needs(document: Document, shape: ServicesFile) -> Iterator[Finding]:
    needs = {
        name: [need for need in service.needs if need in shape.services] for name, service in shape.services.items()
    }
    for circle in circles(needs):
        place = document.place("services", circle[0], "needs")
        yield finding(place, "service-circle", circle=" -> ".join([*circle, circle[0]]))


def resolve_people(
    document: Document, shape: PeopleFile, province: Province, gaps: Gaps
) -> tuple[dict[str, Person], list[Finding]]:
    """Return the staff by account, and what is wrong with them."""
    people: dict[str, Person] = {}
    findings: list[Finding] = []
    keys: dict[str, str] = {}
    for account, declared in shape.people.items():
        place = document.place("people", account)
        roles, own_keys, notify = tuple(declared.roles), tuple(declared.keys), tuple(declared.notify)
        person = Person(account, declared.name, roles, declared.under, own_keys, notify, place)
        people[account] = replace(person, language=declared.language or "", quiet=_quiet(declared))
        if declared.under not in province.offices and not gaps.has("offices", declared.under):
            near = nearest(declared.under, province.offices)
            findings.append(
                finding(document.place("people", account, "under"), "unknown-office", name=declared.under, near=near)
            )
        for position, key in enumerate(declared.keys):
            body = key.split()[1]
            if keys.setdefault(body, account) != account:
                where = document.place("people", account, "keys", position)
                findings.append(finding(where, "shared-ssh-key", other=keys[body]))
    if province.alerts.by == "tuyen" and not any(TOLD & {*one.roles} and one.notify for one in people.values()):
        findings.append(finding(document.place("people"), "nobody-told"))
    return people, findings


def _quiet(declared: PersonShape) -> Window | None:
    quiet = declared.quiet
    return Window(frozenset(range(len(DAYS))), quiet.since, quiet.until) if quiet else None
