"""snmpd's pass_persist protocol for the UPS-MIB: integers by "2.1.0" and the like, from the JSON file named."""

import json
import sys
from pathlib import Path

BASE = ".1.3.6.1.2.1.33.1."


def key(oid: str) -> tuple[int, ...]:
    return tuple(int(part) for part in oid.removeprefix(BASE.rstrip(".")).strip(".").split(".") if part)


def answer(command: str, oid: str) -> str:
    table = sorted((key(name), value) for name, value in json.loads(Path(sys.argv[1]).read_text()).items())
    asked = key(oid)
    found = [row for row in table if (row[0] == asked if command == "get" else row[0] > asked)][:1]
    if not found:
        return "NONE"
    return f"{BASE}{'.'.join(map(str, found[0][0]))}\ninteger\n{found[0][1]}"


def main() -> None:
    while command := sys.stdin.readline().strip():
        print("PONG" if command == "PING" else answer(command, sys.stdin.readline().strip()), flush=True)


if __name__ == "__main__":
    main()
