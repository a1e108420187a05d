"""One ping from inside a lab, as `python -m tests.lab.echo ADDRESS`: what came back, as JSON; null for silence.

{"from": ..., "kind": 0 for an answer or else the ICMP type of a complaint, "ttl": what is left of the hops}
"""

import json
import os
import socket
import struct
import sys
import time

_PATIENCE = 1.0  # seconds


def checksum(data: bytes) -> int:
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    folded: int = ~(total + (total >> 16)) & 0xFFFF
    return folded


def ask(address: str) -> dict[str, object] | None:
    number = os.getpid() & 0xFFFF
    head = struct.pack("!BBHHH", 8, 0, 0, number, 1)
    request = struct.pack("!BBHHH", 8, 0, checksum(head), number, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as opened:
        opened.sendto(request, (address, 0))
        end = time.monotonic() + _PATIENCE
        while (left := end - time.monotonic()) > 0:
            opened.settimeout(left)
            try:
                packet, (sender, _port) = opened.recvfrom(1500)
            except TimeoutError:
                break
            kind, body = packet[20], packet[20:] if packet[20] == 0 else packet[48:]
            if kind != 8 and struct.unpack("!H", body[4:6])[0] == number:
                return {"from": sender, "kind": kind, "ttl": packet[8]}
    return None


if __name__ == "__main__":
    print(json.dumps(ask(sys.argv[1])))
