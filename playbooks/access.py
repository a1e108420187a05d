"""From a declared device to a target: how we log in, through which jump hosts, and what the inventory knows of it."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from inventory.export.items import device_item
from inventory.export.ssh import KNOWN_HOSTS, jump_of
from inventory.finding import Place
from inventory.language import _
from inventory.model import AccessRule, Device, Person, Province
from inventory.selector import below, select_devices
from playbooks.errors import AccessError
from playbooks.target import Login, Target
from playbooks.variables import Values, reveal


@dataclass(frozen=True)
class Access:
    """Makes targets. `account` logs in where no rule says another; `secrets` are all that may be needed."""

    province: Province
    account: str
    secrets: Mapping[str, str]

    def targets(self, devices: Sequence[Device], values: Mapping[str, Values]) -> tuple[Target, ...]:
        """Return the devices as targets; `values` are the job's variables by device id. Raises AccessError."""
        ways = {device.id: self._way(device) for device in devices}
        logins = self._logins({hop.id: hop for way in ways.values() for hop in way})
        known_hosts = Path(self.province.folder) / KNOWN_HOSTS
        return tuple(
            Target(
                device=device,
                login=logins[device.id],
                jumps=tuple(logins[hop.id] for hop in ways[device.id][:-1]),
                known_hosts=known_hosts,
                variables=reveal({**values.get(device.id, {}), "tuyen": self._known(device)}, self.secrets),
            )
            for device in devices
        )

    def passwords(self, devices: Sequence[Device]) -> set[str]:
        """Return the names of the secrets that logging in to `devices`, and to their jump hosts, takes."""
        hops = {hop.id: hop for device in devices for hop in self._way(device)}
        return {name for rules in self._rules(hops).values() if (name := _settings(rules).password)}

    def _way(self, device: Device) -> tuple[Device, ...]:
        """Return the jump hosts that lead to a device, the nearest to us first, and the device itself."""
        way = [device]
        while hop := jump_of(self.province, way[0]):
            if hop in way:
                raise AccessError(
                    _("the jump hosts of '{device}' lead in a circle, at '{hop}'").format(device=device.id, hop=hop.id)
                )
            way.insert(0, hop)
        return tuple(way)

    def _rules(self, devices: Mapping[str, Device]) -> dict[str, list[AccessRule]]:
        rules: dict[str, list[AccessRule]] = {device: [] for device in devices}
        for rule in self.province.access:
            for device in select_devices(self.province, rule.select):
                if device.id in rules:
                    rules[device.id].append(rule)
        return rules

    def _logins(self, devices: Mapping[str, Device]) -> dict[str, Login]:
        rules = self._rules(devices)
        return {device.id: self._login(device, _settings(rules[device.id])) for device in devices.values()}

    def _login(self, device: Device, rule: AccessRule) -> Login:
        if not device.address:
            raise AccessError(_("'{device}' has no address, so nothing can reach it").format(device=device.id))
        return Login(
            device=device.id,
            address=device.address,
            user=rule.user or self.account,
            port=rule.port or 22,
            key=self._key(rule.key),
            password=str(reveal({"secret": rule.password}, self.secrets)) if rule.password else "",
        )

    def _key(self, key: str) -> str:
        if not key:
            return ""
        path = Path(self.province.folder, Path(key).expanduser())
        if not os.access(path, os.R_OK):
            raise AccessError(
                _("the private key {path} cannot be read; make one with ssh-keygen, or mend 'access:'").format(
                    path=path
                )
            )
        return str(path.absolute())

    @cached_property
    def _responsible(self) -> dict[str, list[Person]]:
        """The operators and approvers whose subtree holds an office, by its id, in the order of people.yaml."""
        found: dict[str, list[Person]] = {}
        for person in self.province.people.values():
            for office in below(self.province, person.under) if {"operator", "approver"} & set(person.roles) else ():
                found.setdefault(office, []).append(person)
        return found

    def _known(self, device: Device) -> dict[str, Any]:
        """Return what jobs may know of a device, under the words that the inventory uses."""
        province, office = self.province, self.province.offices[device.office]
        gateways = [other.address for other in province.devices_of[office.id] if other.gateway]
        return {
            **device_item(province, device),
            "prefix": office.prefix,
            "prefix_length": IPv4Network(office.prefix).prefixlen if office.prefix else 32,
            "gateway_address": gateways[0] if gateways else "",
            "bandwidth": office.uplink.bandwidth if office.uplink else 0,
            "time_zone": province.time_zone,
            "domain": province.domain,
            "province": province.id,
            "networks": list(province.networks),
            "people": [
                {"account": person.account, "name": person.name, "keys": list(person.keys), "roles": list(person.roles)}
                for person in self._responsible.get(office.id, ())
            ],
        }


def _settings(rules: Iterable[AccessRule]) -> AccessRule:
    """Return the rules as one: later ones go over earlier ones, and a way to log in over another."""
    joined = AccessRule("", "", "", "", None, Place(""))
    for rule in rules:
        joined = replace(joined, user=rule.user or joined.user, port=rule.port or joined.port)
        if rule.key or rule.password:
            joined = replace(joined, key=rule.key, password=rule.password)
    return joined


def check_authority(province: Province, account: str, devices: Iterable[Device]) -> None:
    """Raise AccessError unless `account` is an operator in people.yaml whose subtree holds every device."""
    person = province.people.get(account)
    if person is None:
        raise AccessError(
            _("'{account}' is not in people.yaml, so may not act; log in under your own account").format(
                account=account
            )
        )
    if "operator" not in person.roles:
        raise AccessError(
            _("'{account}' is no operator: people.yaml gives the roles {roles}").format(
                account=account, roles=", ".join(person.roles)
            )
        )
    own = set(below(province, person.under))
    outside = [device.id for device in devices if device.office not in own]
    if outside:
        raise AccessError(
            _("'{account}' may act under '{under}' only; outside of it: {devices}").format(
                account=account, under=person.under, devices=_some(outside)
            )
        )


def _some(names: Sequence[str], most: int = 5) -> str:
    shown = ", ".join(names[:most])
    if len(names) <= most:
        return shown
    return _("{names} and {count} more").format(names=shown, count=len(names) - most)
