"""Connections over the limit: the slowest make room, and honest clients get answers."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from turret_pipeline.collector.crowding import ConnectionLimiter, choose_slowest, find_network
from turret_pipeline_tests.benchmarks.slow_sockets import list_ways, measure
from turret_pipeline_tests.collector.servers import Server, run_server

SLOW, HONEST = 120, 10


@dataclass(eq=False)
class Held:
    """A connection that notes whether it was closed."""

    address: str
    waiting_since: float | None
    is_closed: bool = False

    def shed(self) -> None:
        self.is_closed = True


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with run_server(tmp_path_factory.mktemp("crowd"), {"max_connections": 40}) as started:
        yield started


@pytest.mark.parametrize("way", list_ways(""))
def test_slow_connections_turn_no_honest_client_away(server: Server, way: str) -> None:
    answers = asyncio.run(measure(server, list_ways(server.key)[way], SLOW, HONEST, pause=0.2))
    assert [status for status, _ in answers] == [200] * HONEST


def test_the_longest_waiting_go_first_and_requests_in_work_stay() -> None:
    first, second, answered = Held("1.1.1.1", 1.0), Held("1.1.1.1", 2.0), Held("1.1.1.1", None)
    assert choose_slowest([answered, second, first], 1) == [first]
    assert choose_slowest([second, first, answered], 5) == [first, second]
    assert choose_slowest([first], 0) == choose_slowest([first], -1) == choose_slowest([], 3) == []


def test_the_network_with_the_most_connections_goes_before_others() -> None:
    patient = Held("2.2.2.2", 1.0)
    many = [Held("1.1.1.1", 10.0 + number) for number in range(5)]
    assert choose_slowest([patient, *many], 4) == many[:4]
    assert choose_slowest([patient, *many], 5) == [*many[:4], patient]


def test_the_addresses_of_an_ipv6_network_count_as_one() -> None:
    assert find_network("2001:db8:0:1::7") == find_network("2001:db8:0:1:ffff::8%eth0") != find_network("2001:db8::7")
    assert find_network("::ffff:10.0.0.1") == find_network("10.0.0.1") != find_network("10.0.0.2")
    assert find_network("") == ""


def test_connections_may_exceed_the_limit_for_a_moment_but_not_the_open_files() -> None:
    calls: list[tuple[object, ...]] = []
    limiter = ConnectionLimiter(max_connections=10, open_files=16)
    held = [Held("1.1.1.1", float(number)) for number in range(1, 14)]

    def call_later(*call: object) -> None:
        calls.append(call)

    admitted = [limiter.admit(held[:count], call_later) for count in range(1, 14)]
    assert admitted == [True] * 12 + [False]
    ((_, shed, connections),) = calls
    assert callable(shed)
    shed(connections)  # the list of the first call over the limit
    assert [connection.is_closed for connection in held] == [True] + [False] * 12
    assert ConnectionLimiter(max_connections=10, open_files=8).limit == 6
