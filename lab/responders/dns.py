"""DNS: the names of the devices and services of the province, forwards and backwards."""

from collections.abc import Iterable, Mapping

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.reversename
import dns.rrset

_TTL = 60  # seconds


class Zone:
    """Every name of the province. The names have no final dot."""

    def __init__(self, devices: Mapping[str, str], services: Mapping[str, str]) -> None:
        """Take host name -> address of the devices, and of the services; a device's name wins."""
        self._addresses = {f"{name}.": address for name, address in {**services, **devices}.items()}
        self._names = {_reverse(address): f"{name}." for name, address in devices.items()}
        self._parents = frozenset(_parents(self._addresses))

    def answer(self, request: bytes) -> bytes | None:
        """Return the answer to a question; None for what is not one."""
        try:
            query = dns.message.from_wire(request)
            if query.flags & dns.flags.QR or len(query.question) != 1:
                return None
            response = dns.message.make_response(query, recursion_available=True)
        except (dns.exception.DNSException, ValueError, NotImplementedError):
            return None
        self._fill(response)
        return response.to_wire()

    def _fill(self, response: dns.message.Message) -> None:
        response.flags |= dns.flags.AA
        question = response.question[0]
        name = question.name.to_text().lower()
        address, host = self._addresses.get(name), self._names.get(name)
        if not (address or host or name in self._parents):
            response.set_rcode(dns.rcode.NXDOMAIN)
        elif address and question.rdtype in (dns.rdatatype.A, dns.rdatatype.ANY):
            response.answer.append(dns.rrset.from_text(question.name, _TTL, "IN", "A", address))
        elif host and question.rdtype in (dns.rdatatype.PTR, dns.rdatatype.ANY):
            response.answer.append(dns.rrset.from_text(question.name, _TTL, "IN", "PTR", host))


def _reverse(address: str) -> str:
    return dns.reversename.from_address(address).to_text()


def _parents(names: Iterable[str]) -> Iterable[str]:
    """Give every domain above `names`: it exists, although nothing is kept at it."""
    for name in names:
        while name := name.partition(".")[2]:
            yield name
