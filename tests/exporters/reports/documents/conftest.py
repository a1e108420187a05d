"""The example province and its October, which the tests of documents share; none of them changes either."""

from pathlib import Path

import pytest

from exporters.reports.figures import UptimeReport
from inventory.letterhead import Letterhead
from inventory.load import load
from inventory.model import Province
from tests.exporters.reports.documents import october

ROOT = Path(__file__).parents[4]
# What people could call an office to make a document do something.
HOSTILE = {
    "an-bien": '=HYPERLINK("http://198.51.100.1/","x")',
    "dong-yen": "+1+1",
    "tay-yen": "-2+3",
    "nam-yen": "@SUM(A1:A9)",
    "hung-yen": '#panic("in") *b* _i_ $x^2$ @ref <label> \\ [x] // c',
    "nam-thai": "<script>document.title='in'</script><img src=x onerror=\"document.title='in'\">",
    "dong-thai": "{{ 7 * 7 }}{% raw %}\u202e\u0007",
    "nam-thai-a": "=1\n+cmd|' /C calc'!A0",
}


@pytest.fixture(scope="session")
def province() -> Province:
    return load(ROOT / "inventory" / "kien-giang")


@pytest.fixture(scope="session")
def report(province: Province) -> UptimeReport:
    return october.october(province)


@pytest.fixture(scope="session")
def hostile(province: Province) -> UptimeReport:
    """The report of a district whose offices are called what no office should be."""
    return october.october(october.named(province, HOSTILE), under="an-bien", hurt=400)


@pytest.fixture(scope="session")
def letterhead() -> Letterhead:
    return Letterhead(
        body="Sở Khoa học và Công nghệ",
        authority="UBND tỉnh Kiên Giang",
        symbol="SKHCN",
        place="Kiên Giang",
        addressee="Ủy ban nhân dân tỉnh Kiên Giang",
        recipients=("Lãnh đạo Sở", "UBND các huyện, thành phố"),
        drafted_by="CNTT",
        capacity=("KT. GIÁM ĐỐC", "PHÓ GIÁM ĐỐC"),
    )
