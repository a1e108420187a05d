"""SNMP v2c (RFC 3416): GET, GETNEXT and GETBULK over the objects of a host. A wrong community is silence."""

import hmac
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import asn1

from lab.responders.mib import Kind, Moment, Numbers, Object, Value

_VERSION_2C = 1
_GET, _NEXT, _RESPONSE, _BULK = 0, 1, 2, 5
_NO_SUCH_OBJECT, _END_OF_VIEW = 0, 2  # context tags that stand for a value
_MOST = 100  # objects in one answer, so that it stays one datagram
_APPLICATION = {Kind.COUNTER: 1, Kind.GAUGE: 2, Kind.TICKS: 3}
Bound = tuple[Numbers, Kind | None, Value]  # without a kind, the value is one of the context tags above


@dataclass(frozen=True, slots=True)
class Request:
    """A question: `first` and `repeats` are a bulk's non-repeaters and max-repetitions, else unused."""

    community: bytes
    kind: int
    number: int
    first: int
    repeats: int
    asked: tuple[Numbers, ...]


class Agent:
    """The objects of one host, answered to those who know `community`."""

    def __init__(self, objects: Sequence[Object], community: str) -> None:
        self._objects = objects
        self._order = [numbers for numbers, _, _ in objects]
        self._community = community.encode()

    def answer(self, text: bytes, moment: Moment) -> bytes | None:
        """Return the answer to a datagram as of `moment`; None for garbage, other versions and strangers."""
        try:
            request = read_request(text)
        except (asn1.Error, ValueError, TypeError, IndexError, AttributeError, OverflowError):
            return None
        if not request or not self._community or not hmac.compare_digest(request.community, self._community):
            return None
        answers: dict[int, Callable[[Request], list[Bound]]] = {
            _GET: lambda asked: [self._get(numbers) for numbers in asked.asked],
            _NEXT: lambda asked: [self._next(numbers) for numbers in asked.asked],
            _BULK: self._bulk,
        }
        chosen = answers.get(request.kind)
        return write_response(request, chosen(request), moment) if chosen else None

    def _get(self, numbers: Numbers) -> Bound:
        position = bisect_right(self._order, numbers) - 1
        if position >= 0 and self._order[position] == numbers:
            return self._objects[position]
        return numbers, None, _NO_SUCH_OBJECT

    def _next(self, numbers: Numbers) -> Bound:
        position = bisect_right(self._order, numbers)
        return self._objects[position] if position < len(self._order) else (numbers, None, _END_OF_VIEW)

    def _bulk(self, request: Request) -> list[Bound]:
        first = max(0, request.first)
        found = [self._next(numbers) for numbers in request.asked[:first]]
        row = list(request.asked[first:])
        for _ in range(max(0, request.repeats)):
            if not row or len(found) + len(row) > _MOST:
                break
            bound = [self._next(numbers) for numbers in row]
            found += bound
            row = [numbers for numbers, _, _ in bound]
            if all(kind is None for _, kind, _ in bound):
                break
        return found


def read_request(text: bytes) -> Request | None:
    """Return the question in a datagram; None for another version. Raises what a broken one makes `asn1` raise."""
    decoder = asn1.Decoder()
    decoder.start(text)
    decoder.enter()
    if decoder.read()[1] != _VERSION_2C:
        return None
    community = bytes(decoder.read()[1])
    tag = decoder.peek()
    if tag is None:
        return None
    decoder.enter()
    number, first, repeats = (int(decoder.read()[1]) for _ in range(3))
    decoder.enter()
    asked: list[Numbers] = []
    while not decoder.eof() and len(asked) < _MOST:
        decoder.enter()
        asked.append(tuple(int(part) for part in str(decoder.read()[1]).split(".")))
        decoder.read()  # the place of the value: a question leaves it empty
        decoder.leave()
    return Request(community, int(tag.nr), number, first, repeats, tuple(asked))


def write_response(request: Request, bound: Sequence[Bound], moment: Moment) -> bytes:
    """Return the datagram that answers `request` with `bound`."""
    encoder = asn1.Encoder()
    encoder.start()
    encoder.enter(asn1.Numbers.Sequence)
    encoder.write(_VERSION_2C)
    encoder.write(request.community, asn1.Numbers.OctetString)
    encoder.enter(_RESPONSE, asn1.Classes.Context)
    for number in (request.number, 0, 0):  # no error, at no position
        encoder.write(number)
    encoder.enter(asn1.Numbers.Sequence)
    for numbers, kind, value in bound:
        encoder.enter(asn1.Numbers.Sequence)
        encoder.write(".".join(map(str, numbers)), asn1.Numbers.ObjectIdentifier)
        _write(encoder, kind, value(moment) if callable(value) else value)
        encoder.leave()
    for _level in range(3):
        encoder.leave()
    return encoder.output()


def _write(encoder: asn1.Encoder, kind: Kind | None, value: int | str) -> None:
    if kind is None:
        encoder.write(b"", nr=int(value), typ=asn1.Types.Primitive, cls=asn1.Classes.Context)
    elif kind in _APPLICATION:
        content = int(value).to_bytes(5).lstrip(b"\0") or b"\0"
        content = b"\0" + content if content[0] & 0x80 else content  # unsigned: the first bit is no sign
        encoder.write(content, nr=_APPLICATION[kind], typ=asn1.Types.Primitive, cls=asn1.Classes.Application)
    elif kind is Kind.OBJECT:
        encoder.write(value, asn1.Numbers.ObjectIdentifier)
    elif kind is Kind.TEXT:
        encoder.write(str(value).encode(), asn1.Numbers.OctetString)
    else:
        encoder.write(int(value))
