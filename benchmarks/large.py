"""A province of any size, written as files, for measuring: 1,000 offices with 15,000 devices by default.

Run as `python -m benchmarks.large DIR [OFFICES]`. Ten devices of every office carry a serial and a purchase date of
their own, as in a real inventory, so the files are as long as real ones.
"""

import sys
from pathlib import Path

DEVICES_OF_AN_OFFICE = 15
OFFICES_OF_A_DISTRICT = 50

_PROVINCE = """\
id: large
name: Tỉnh Lớn
domain: large.example
tiers: [province, district, commune]
root: centre
address_plan: {networks: [10.0.0.0/8], slot: 26}
as_of: 2026-01-01
"""
_KINDS = """\
roles:
  router: {probes: [icmp]}
  machine: {probes: [icmp]}
kinds:
  office:
    uplink: {provider: vnpt, medium: fibre, bandwidth: 20 Mbit/s}
    devices:
      router: {role: router, type: acme-box, host: 1, gateway: true}
      machine: {role: machine, type: acme-box, host: 10, count: 14}
"""
_TYPE = "manufacturer: Acme\nmodel: Box\nslug: acme-box\nu_height: 1\nis_full_depth: true\ntuyen: {warranty_years: 3}\n"


def write_province(folder: Path, offices: int = 1000) -> None:
    """Write a province with the given number of offices below its districts."""
    districts = -(-offices // OFFICES_OF_A_DISTRICT)
    (folder / "offices").mkdir(parents=True, exist_ok=True)
    (folder / "device-types" / "Acme").mkdir(parents=True, exist_ok=True)
    (folder / "province.yaml").write_text(_PROVINCE)
    (folder / "kinds.yaml").write_text(_KINDS)
    (folder / "device-types" / "Acme" / "Box.yaml").write_text(_TYPE)
    units = ['units:\n  lon: {tier: province, code: "1", type: tỉnh, name: Tỉnh Lớn}\n']
    (folder / "offices" / "province.yaml").write_text(
        "block: 10.255.0.0/20\noffices:\n  centre: {unit: lon, kind: office, number: 0}\n"
    )
    for district in range(districts):
        units.append(
            f'  d{district}: {{tier: district, code: "{district}", type: huyện, name: Huyện {district}, parent: lon}}\n'
        )
        communes = range(district * OFFICES_OF_A_DISTRICT, min(offices, (district + 1) * OFFICES_OF_A_DISTRICT))
        units += (
            f'  c{n}: {{tier: commune, code: "{n}", type: xã, name: Xã {n}, parent: d{district}}}\n' for n in communes
        )
        (folder / "offices" / f"d{district}.yaml").write_text(_district(district, communes))
    (folder / "units.yaml").write_text("".join(units))


def _district(district: int, communes: range) -> str:
    block = f"10.{district // 16}.{district % 16 * 16}.0/20"
    lines = [f"block: {block}\nkind: office\nparent: centre\noffices:\n"]
    for place, number in enumerate(communes):
        lines.append(f"  c{number}:\n    number: {place}\n    equipped: 2019-05-01\n    devices:\n")
        lines += (
            f"      machine-{machine}: {{serial: SN{number:04}-{machine:02}, bought: 2021-03-01}}\n"
            for machine in range(1, 11)
        )
    return "".join(lines)


if __name__ == "__main__":
    write_province(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1000)
