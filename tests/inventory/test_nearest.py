"""The nearest right spelling, as a complaint names it."""

import pytest

from inventory.nearest import nearest

TYPES = ("mikrotik-hex", "dell-poweredge-r440", "tp-link-tl-sg1008d")


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("mikrotik-hexx", "'mikrotik-hex' (the nearest that exists)"),
        ("MikroTik hEX", "'mikrotik-hex' (the nearest that exists)"),  # a name instead of an id
        ("TP-LINK TL-SG1008D", "'tp-link-tl-sg1008d' (the nearest that exists)"),
        ("zzz", "one of: dell-poweredge-r440, mikrotik-hex, tp-link-tl-sg1008d"),
        ("", "one of: dell-poweredge-r440, mikrotik-hex, tp-link-tl-sg1008d"),
    ],
)
def test_the_nearest_name_is_told_or_what_there_is(word: str, told: str) -> None:
    assert nearest(word, TYPES) == told


def test_a_vietnamese_name_means_the_id_that_it_suggests() -> None:
    assert nearest("Xã Đông Yên", ["dong-yen", "nam-yen"]).startswith("'dong-yen'")
    assert nearest("PowerEdge", [], also=["poweredge"]).startswith("'poweredge'")
    assert nearest("a", []) == "none: nothing is declared yet"
