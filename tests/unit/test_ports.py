"""The ports that the tests' servers get."""

from __future__ import annotations

import socket

from tests.support.ports import free_port, own_ports


def test_no_port_is_two_workers() -> None:
    taken = [port for worker in range(7) for port in own_ports(worker, 7)]
    assert len(taken) == len(set(taken))


def test_they_are_none_that_the_kernel_gives_to_connections() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        given = probe.getsockname()[1]
    assert given not in {port for worker in range(7) for port in own_ports(worker, 7)}
    assert own_ports(0, 1, end=12_000) == range(11_000, 12_000)


def test_a_port_that_is_taken_is_passed_over() -> None:
    first = free_port()
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", first + 1))
        holder.listen()
        assert free_port() not in (first, first + 1)
