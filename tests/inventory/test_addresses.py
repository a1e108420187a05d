"""Prefix arithmetic against the standard library's, and overlaps against comparing everything with everything."""

from ipaddress import IPv4Address, IPv4Network
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from inventory.addresses import Block, Span, overlaps, span_of, to_integer, to_text

ADDRESSES = st.integers(0, 2**32 - 1)
NETWORKS = st.builds(
    lambda address, length: IPv4Network((address, length), strict=False), ADDRESSES, st.integers(0, 32)
)
NEAR = st.builds(Span, st.integers(0, 60), st.integers(0, 12)).map(lambda span: Span(span.first, sum(span)))


@given(ADDRESSES)
def test_addresses_are_those_of_the_standard_library(address: int) -> None:
    assert to_text(address) == str(IPv4Address(address))
    assert to_integer(to_text(address)) == address


@given(NETWORKS, NETWORKS)
def test_spans_are_those_of_the_standard_library(one: IPv4Network, other: IPv4Network) -> None:
    first, second = span_of(str(one)), span_of(str(other))
    assert first == (int(one.network_address), int(one.broadcast_address))
    assert first.overlaps(second) == one.overlaps(other)
    assert first.holds(second) == other.subnet_of(one)


@given(st.integers(8, 20), st.integers(20, 30), st.integers(20, 30), st.data())
def test_a_number_is_the_place_of_a_subnet_in_the_block(
    length: int, slot: int, wanted: int, data: st.DataObject
) -> None:
    network = IPv4Network((10 << 24, length))
    block = Block(str(network), slot)
    assert block.slots == 2 ** (slot - length)
    number = data.draw(st.integers(0, block.slots // block.step(wanted) - 1)) * block.step(wanted)
    made = IPv4Network(block.prefix_of(number, wanted))
    assert made.subnet_of(network)
    assert int(made.network_address) - int(network.network_address) == number * 2 ** (32 - slot)


@given(st.sets(st.integers(0, 15)), st.integers(24, 28))
def test_free_numbers_are_free_and_the_first(taken: set[int], length: int) -> None:
    block = Block("10.91.16.0/22", 26)
    step = block.step(length)
    expected = [number for number in range(0, 16, step) if not taken & set(range(number, number + step))]
    assert block.free(taken, length) == (", ".join(map(str, expected[:3])) or "-")


@given(st.dictionaries(st.text("abcdef", min_size=1), NEAR))
def test_overlaps_name_everything_that_overlaps_what_stands_before_it(spans: dict[str, Span]) -> None:
    pairs = {frozenset(pair) for pair in combinations(spans, 2) if spans[pair[0]].overlaps(spans[pair[1]])}
    told = list(overlaps(spans))
    assert all(frozenset(pair) in pairs for pair in told)
    involved = {name for pair in pairs for name in pair}
    groups = {frozenset(group) for group in joined(involved, pairs)}
    assert groups == {frozenset(group) for group in joined(involved, map(frozenset, told))}
    assert len(told) <= len(spans)


def joined(names: set[str], pairs: object) -> list[set[str]]:
    """Return the groups that the pairs join the names to."""
    groups = [{name} for name in names]
    for pair in pairs:  # type: ignore[attr-defined]
        touched = [group for group in groups if group & pair]
        groups = [group for group in groups if not group & pair] + [set().union(*touched)]
    return groups
