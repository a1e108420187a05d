"""The watch in one event loop, on loopback only: silence confirmed, recovery at once, nothing waits for the slow."""

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest

from exporters.metrics import WatchMetrics
from exporters.questions import Key, Knowledge
from exporters.watch import Watch
from inventory.load import load
from inventory.model import Device, Module, Province
from inventory.topology import State
from tests.exporters.test_health import GOOD

SPARE = 200  # devices that are silent while one is asked


def _province(count: int, port: int, interval: float = 0.2, timeout: float = 0.3) -> Province:
    """Return a province whose routers are asked on a port of loopback addresses; 127.0.1.n is silent, 127.0.0.1 not."""
    good = load(GOOD)
    module = Module("door", "tcp", interval, timeout, {"port": port})
    router = good.devices["router.dong-yen"]
    devices: dict[str, Device] = {
        "near.dong-yen": replace(router, id="near.dong-yen", address="127.0.0.1", probes=("door",))
    }
    for number in range(count):
        name = f"far-{number}.nam-yen"
        address = f"127.0.1.{number + 1}"
        devices[name] = replace(router, id=name, office="nam-yen", address=address, probes=("door",))
    return replace(good, devices=devices, modules={**good.modules, "door": module}, services={})


@pytest.fixture
def door() -> Iterator[socket.socket]:
    """A listener on 127.0.0.1."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


@pytest.fixture
def silent(door: socket.socket) -> Iterator[None]:
    """Listeners on 127.0.1.n whose queue is full: they neither accept nor refuse, as a dead host does."""
    port = door.getsockname()[1]
    with contextlib.ExitStack() as stack:
        for number in range(SPARE):
            full = stack.enter_context(socket.socket())
            full.bind((f"127.0.1.{number + 1}", port))
            full.listen(0)
            for _turn in range(3):
                filler = stack.enter_context(socket.socket())
                filler.setblocking(False)
                filler.connect_ex((f"127.0.1.{number + 1}", port))
        yield


@contextlib.asynccontextmanager
async def _running(watch: Watch) -> AsyncIterator[Watch]:
    task = asyncio.create_task(watch.run())
    try:
        yield watch
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _key(device: str) -> Key:
    return (device, "door", "", "")


async def _until(watch: Watch, device: str, state: State, seconds: float) -> float:
    start = time.monotonic()
    while watch.health().devices.get(device) is not state:
        assert time.monotonic() - start < seconds, watch.health().devices
        await asyncio.sleep(0.02)
    return time.monotonic() - start


async def _reading(watch: Watch, key: Key) -> None:
    """Return once a question has its next reading."""
    event = asyncio.Event()
    watch.listeners.append(lambda question, _reading: event.set() if question.key == key else None)
    await event.wait()


@pytest.mark.usefixtures("silent")
def test_silent_targets_delay_no_other(door: socket.socket) -> None:
    async def run() -> tuple[int, int]:
        async with _running(Watch(_province(SPARE, door.getsockname()[1], timeout=3))) as watch:
            await asyncio.sleep(16)  # the first round is spread over 15 s
            before = watch.tallies[_key("near.dong-yen")].asked
            await asyncio.sleep(2)
            return watch.tallies[_key("near.dong-yen")].asked - before, watch.running

    asked, running = asyncio.run(run())
    assert running > SPARE / 2  # the silent ones are being waited for
    assert 8 <= asked <= 11  # and the near one was asked at its 0.2 s all the same


def test_a_silence_is_confirmed_and_a_recovery_believed_at_once() -> None:
    async def run() -> tuple[float, float, int]:
        with socket.create_server(("127.0.0.1", 0)) as door:
            port = door.getsockname()[1]
            watch = Watch(_province(0, port, interval=30))
            watch.schedule.hasten(_key("near.dong-yen"), 0)
            async with _running(watch):
                await _until(watch, "near.dong-yen", State.UP, 3)
                address = watch.asked[_key("near.dong-yen")]
                moved = replace(address, target=replace(address.target, address="127.0.2.1"))
                with _full(port):
                    watch.asked[_key("near.dong-yen")] = moved
                    watch.schedule.hasten(_key("near.dong-yen"), 0)
                    watch._moved.set()
                    down = await _until(watch, "near.dong-yen", State.DOWN, 5)
                    unanswered = watch.tallies[_key("near.dong-yen")].unanswered
                watch.asked[_key("near.dong-yen")] = address
                watch.schedule.hasten(_key("near.dong-yen"), 0)
                watch._moved.set()
                up = await _until(watch, "near.dong-yen", State.UP, 3)
        return down, up, unanswered

    down, up, unanswered = asyncio.run(run())
    assert unanswered == 2  # asked twice before it was believed
    assert down > 1  # a second between the two
    assert up < 1


def test_a_question_that_is_lost_once_more_after_a_silence_does_not_wait_for_its_own_rhythm() -> None:
    async def run() -> float:
        with socket.create_server(("127.0.2.1", 0)) as quick, socket.create_server(("127.0.2.1", 0)) as slow:
            ports = {"door": quick.getsockname()[1], "slow": slow.getsockname()[1]}
        province = _province(0, ports["door"])
        modules = {
            name: Module(name, "tcp", 0.2 if name == "door" else 300, 0.3, {"port": port})
            for name, port in ports.items()
        }
        near = replace(province.devices["near.dong-yen"], address="127.0.2.1", probes=("door", "slow"))
        watch = Watch(replace(province, devices={near.id: near}, modules={**province.modules, **modules}))
        key = (near.id, "slow", "", "")
        watch.schedule.hasten(key, 0)
        async with _running(watch):
            with _full(ports["slow"]):
                with _full(ports["door"]):
                    await _until(watch, near.id, State.DOWN, 20)
                    while watch.tallies[key].unanswered < 2:  # from then on it is not asked until the device is back
                        await _reading(watch, key)
                with socket.create_server(("127.0.2.1", ports["door"])):
                    await _reading(watch, key)
                    assert watch.health().devices[near.id] is State.DEGRADED
            with (
                socket.create_server(("127.0.2.1", ports["door"])),
                socket.create_server(("127.0.2.1", ports["slow"])),
            ):
                return await _until(watch, near.id, State.UP, 5)

    assert asyncio.run(run()) < 5


@pytest.mark.usefixtures("silent")
def test_what_is_to_be_asked_again_while_it_waits_for_an_answer_is_asked_after_that(door: socket.socket) -> None:
    """A way that was cut is there again: those behind it that are waiting in vain do not wait for their next turn."""
    watch = Watch(_province(1, door.getsockname()[1], interval=600, timeout=1))
    key = _key("far-0.nam-yen")

    async def follow() -> None:
        async with _running(watch), asyncio.timeout(60):
            watch.schedule.hasten(key, time.monotonic())
            await _until(watch, "far-0.nam-yen", State.DOWN, 30)
            asked = watch.tallies[key].asked
            for _turn in range(2):
                watch.schedule.hasten(key, time.monotonic())
                watch._moved.set()
                while watch.tallies[key].asked == asked and key not in watch._running:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            await _reading(watch, key)
            await _reading(watch, key)

    asyncio.run(follow())


def test_nothing_is_known_of_what_has_never_answered_until_its_silence_is_confirmed() -> None:
    async def run() -> list[tuple[State | None, State]]:
        with socket.create_server(("127.0.0.1", 0)) as door, _full(door.getsockname()[1]):
            province = _province(0, door.getsockname()[1], interval=30)
            near = replace(province.devices["near.dong-yen"], address="127.0.2.1")
            watch = Watch(replace(province, devices={"near.dong-yen": near}))
            metrics = WatchMetrics(watch)
            watch.schedule.hasten(_key("near.dong-yen"), 0)
            seen: list[tuple[State | None, State]] = [(None, State.UNKNOWN)]
            async with _running(watch):
                while seen[-1][0] is not State.DOWN:
                    await asyncio.sleep(0.02)
                    health = watch.health()
                    seen.append((health.devices.get("near.dong-yen"), health.offices["dong-yen"]))
                    if watch.tallies and len(watch.tallies) == 1 and seen[-1][0] is None:
                        assert b'tuyen_device_state{device="near.dong-yen",state="unknown"} 1' in metrics.text()
            assert watch.tallies[_key("near.dong-yen")].asked == 2
            return seen

    assert set(asyncio.run(run())) == {(None, State.UNKNOWN), (State.DOWN, State.DOWN)}


@contextlib.contextmanager
def _full(port: int) -> Iterator[None]:
    with socket.socket() as full, contextlib.ExitStack() as stack:
        full.bind(("127.0.2.1", port))
        full.listen(0)
        for _turn in range(3):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(("127.0.2.1", port))
        yield


def test_what_did_not_change_keeps_its_readings(door: socket.socket) -> None:
    async def run() -> None:
        province = _province(2, door.getsockname()[1])
        watch = Watch(province)
        async with _running(watch):
            await _until(watch, "near.dong-yen", State.UP, 17)
            fewer = {name: device for name, device in province.devices.items() if name != "far-1.nam-yen"}
            gone = watch.replace(replace(province, devices=fewer), Knowledge())
            assert gone == (_key("far-1.nam-yen"),)
            assert watch.latest[_key("near.dong-yen")].success
            moved = {**fewer, "near.dong-yen": replace(fewer["near.dong-yen"], address="127.0.0.2")}
            assert watch.replace(replace(province, devices=moved), Knowledge()) == (_key("near.dong-yen"),)
            assert _key("near.dong-yen") not in watch.latest

    asyncio.run(run())
