"""Checks across files: the tree of uplinks, and what must be unique in the whole province."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from inventory.addresses import overlaps, span_of
from inventory.circles import circles
from inventory.finding import Finding, Place, finding
from inventory.gaps import Gaps
from inventory.model import Device, Link, Office
from inventory.nearest import nearest
from inventory.offices import Group

Groups = Mapping[str, Group]


def check_offices(
    groups: Groups, offices: Mapping[str, Office], tiers: Sequence[str], root: str, province: Place, gaps: Gaps
) -> Iterator[Finding]:
    """Complain of offices declared twice, of links that lead nowhere, down or round, and of a missing root."""
    owners: dict[str, str] = {}
    for file, group in groups.items():
        for office in group.offices.values():
            if owners.setdefault(office.id, file) != file:
                yield finding(office.place, "duplicate-office", office=office.id, other=owners[office.id])
            for link in (office.uplink, office.backup):
                if link:
                    yield from _check_link(link, office, offices, tiers, gaps)
            yield from _check_backup(office)
    if root not in offices and not gaps.has("offices", root):
        yield finding(province, "no-root-office", name=root, near=nearest(root, offices))
    ways = {office.id: [office.parent] if office.parent in offices else [] for office in offices.values()}
    for circle in circles(ways):
        place = offices[circle[0]].place
        yield finding(place, "uplink-circle", circle=" -> ".join([*circle, circle[0]]), root=root)


def _check_link(
    link: Link, office: Office, offices: Mapping[str, Office], tiers: Sequence[str], gaps: Gaps
) -> Iterator[Finding]:
    if link.parent not in offices:
        if not gaps.has("offices", link.parent):
            yield finding(link.place, "unknown-office", name=link.parent, near=nearest(link.parent, offices))
        return
    tier = offices[link.parent].tier
    if tier in tiers and office.tier in tiers and tiers.index(tier) > tiers.index(office.tier):
        yield finding(link.place, "wrong-parent-tier", parent=link.parent, tier=tier)


def _check_backup(office: Office) -> Iterator[Finding]:
    if office.uplink and office.backup:
        ways = [(link.parent, link.provider, link.medium) for link in (office.uplink, office.backup)]
        if ways[0] == ways[1]:
            yield finding(office.backup.place, "backup-same-way")


def check_prefixes(groups: Groups, networks: Sequence[str]) -> Iterator[Finding]:
    """Complain of blocks and prefixes that lie outside the plan or over each other."""
    plan = [span_of(network) for network in networks]
    listed = ", ".join(networks)
    for first, second in overlaps({file: group.block for file, group in groups.items()}):
        block, other = (groups[file].document.data["block"] for file in (second, first))
        yield finding(
            groups[second].document.place("block"), "block-overlap", block=block, other_block=other, other=first
        )
    spans = {office: span for group in groups.values() for office, span in group.spans.items()}
    offices = {office: group for group in groups.values() for office in group.spans}
    for office, span in spans.items():
        if not any(network.holds(span) for network in plan):
            place = _prefix_place(offices[office], office)
            prefix = _prefix(offices[office], office)
            yield finding(place, "prefix-outside-plan", prefix=prefix, networks=listed)
    for first, second in overlaps(spans):
        place = _prefix_place(offices[second], second)
        prefix, other = _prefix(offices[second], second), _prefix(offices[first], first)
        yield finding(place, "prefix-overlap", prefix=prefix, other_prefix=other, other=first)


def _prefix(group: Group, office: str) -> str:
    return group.offices[office].prefix if office in group.offices else "?"


def _prefix_place(group: Group, office: str) -> Place:
    declared = group.document.data["offices"][office] or {}
    return group.document.place("offices", office, "prefix" if "prefix" in declared else "number")


UNIQUE: Mapping[str, tuple[str, Callable[[Device], str]]] = {
    "duplicate-address": ("address", lambda device: device.address),
    "duplicate-serial": ("serial", lambda device: device.serial),
    "duplicate-mac": ("mac", lambda device: device.mac),
}


def check_devices(groups: Groups, devices: Mapping[str, Device]) -> Iterator[Finding]:
    """Complain of addresses, serials and MAC addresses that two devices share."""
    for rule, (attribute, read) in UNIQUE.items():
        values = [value for value in map(read, devices.values()) if value]
        if len(set(values)) == len(values):
            continue
        owners: dict[str, str] = {}
        for device in devices.values():
            value = read(device)
            other = devices[owners.setdefault(value, device.id)] if value else device
            if other is not device and not (attribute == "address" and _told_already(groups, device, other)):
                yield finding(_device_place(groups, device, attribute), rule, other=other.id, **{attribute: value})


def _told_already(groups: Groups, device: Device, other: Device) -> bool:
    """Whether the two are at one office, or at offices that share their addresses: then that is the complaint."""
    spans = [groups[each.place.file].spans.get(each.office) for each in (device, other)]
    return device.office == other.office or bool(spans[0] and spans[1] and spans[0].overlaps(spans[1]))


def _device_place(groups: Groups, device: Device, attribute: str) -> Place:
    group = groups[device.place.file]
    declared = (group.document.data["offices"][device.office] or {}).get("devices") or {}
    if attribute in (declared.get(device.name) or {}):
        return group.document.place("offices", device.office, "devices", device.name, attribute)
    return device.place
