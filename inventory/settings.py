"""Settings of devices by selector: how we log in, and what jobs are to use; and those of the status page."""

import ipaddress
from collections.abc import Iterator
from dataclasses import replace

from inventory.declared_province import ProvinceFile
from inventory.finding import Finding, finding
from inventory.gaps import Gaps
from inventory.letterhead import Letterhead
from inventory.model import AccessRule, AlertSettings, Province, StatusPage, VariablesRule
from inventory.selector import NothingChosenError, SelectorError, select_devices
from inventory.yamlfile import Document


def resolve_settings(
    document: Document, shape: ProvinceFile, province: Province, gaps: Gaps
) -> tuple[Province, list[Finding]]:
    """Return the province with its rules of access and variables, and what is wrong with their selectors."""
    access = tuple(
        AccessRule(
            select=rule.select,
            user=rule.user or "",
            key=rule.key or "",
            password=rule.password.secret if rule.password else "",
            port=rule.port,
            place=document.place("access", position),
        )
        for position, rule in enumerate(shape.access)
    )
    variables = tuple(
        VariablesRule(rule.select, rule.values, document.place("variables", position))
        for position, rule in enumerate(shape.variables)
    )
    province = replace(province, access=access, variables=variables)
    return province, list(_check_selectors(document, province, gaps))


def _check_selectors(document: Document, province: Province, gaps: Gaps) -> Iterator[Finding]:
    selectors = {
        "access": [rule.select for rule in province.access],
        "variables": [rule.select for rule in province.variables],
    }
    for heading, texts in selectors.items():
        for position, text in enumerate(texts):
            place = document.place(heading, position, "select")
            try:
                select_devices(province, text)
            except NothingChosenError as error:
                if not gaps.any("offices", "units", "kinds", "devices"):
                    yield finding(place, "bad-selector", problem=error)
            except SelectorError as error:
                yield finding(place, "bad-selector", problem=error)


def resolve_alerts(shape: ProvinceFile) -> AlertSettings:
    """Return who tells people of what is out; nobody, where nothing is said of it."""
    said, sender = shape.alerts, f"tuyen@{shape.domain}"
    if said is None:
        return AlertSettings(sender=sender)
    return AlertSettings(said.by, said.after, said.repeat, said.group_wait, said.relay, said.sender or sender)


def resolve_page(document: Document, shape: ProvinceFile) -> tuple[StatusPage | None, list[Finding]]:
    """Return the status page, and what keeps it from being served."""
    if shape.page is None:
        return None, []
    said, place = shape.page, document.place("page")
    page = StatusPage(said.listen, said.certificate, said.key, said.public, place)
    return page, list(_check_page(page))


def _check_page(page: StatusPage) -> Iterator[Finding]:
    if bool(page.certificate) is not bool(page.key):
        there, missing = ("certificate", "key") if page.certificate else ("key", "certificate")
        yield finding(page.place, "incomplete-certificate", there=f"'{there}'", missing=f"'{missing}'")
    elif not page.certificate and not is_loopback(page.listen):
        yield finding(page.place, "page-in-the-open", listen=page.listen)


def is_loopback(listen: str) -> bool:
    """Whether what listens on an ADDRESS:PORT is reached from this machine only."""
    return ipaddress.ip_address(listen.rpartition(":")[0].strip("[]")).is_loopback


def resolve_letterhead(shape: ProvinceFile) -> Letterhead | None:
    """Return who issues reports, None where nobody said it."""
    said = shape.letterhead
    if said is None:
        return None
    texts = said.model_dump(exclude={"recipients", "capacity"})
    return Letterhead(**texts, recipients=tuple(said.recipients), capacity=tuple(said.capacity))
