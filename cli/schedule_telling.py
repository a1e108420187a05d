"""Who is told of a job that failed, and what."""

import socket
from collections.abc import Mapping

from cli.output import complain, say
from exporters.notify import addresses_of, deliver, service_url
from inventory.language import _
from inventory.model import Person, Province


def tell_failure(province: Province, unit: str, environment: Mapping[str, str]) -> bool:
    """Tell the operators of the whole province that `unit` failed, and say whether anybody was reached.

    What systemd knows of the failure stands in `environment`: MONITOR_SERVICE_RESULT and others, see systemd.exec(5).
    """
    title = _("{province}: {unit} has failed").format(province=province.name, unit=unit)
    text = _("On {host}, {unit} ended with {result} ({status}).\nIts log: journalctl -u {unit} -n 50").format(
        host=socket.gethostname(),
        unit=unit,
        result=environment.get("MONITOR_SERVICE_RESULT", "?"),
        status=environment.get("MONITOR_EXIT_STATUS", "?"),
    )
    addresses = addresses_of(responsible(province))
    if not addresses:
        complain(_("{title}; nobody who acts for the whole province has an address in people.yaml").format(title=title))
        return False
    relay, sender = province.alerts.relay, province.alerts.sender
    reached = [deliver(service_url(address, relay, sender), title, text) for address in addresses]
    say(_("{title}: told to {count} of {all}").format(title=title, count=sum(reached), all=len(reached)))
    return any(reached)


def responsible(province: Province) -> tuple[Person, ...]:
    """Return the operators who act for the whole province, in the order of people.yaml."""
    roots = {office.id for office in province.offices.values() if not office.parent}
    return tuple(person for person in province.people.values() if "operator" in person.roles and person.under in roots)
