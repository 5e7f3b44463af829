"""Addresses as servers and proxies write them, and which of them are one caller's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chunked_upload.support.addresses import network, parse_address


@pytest.mark.parametrize(
    ("text", "address", "of"),
    [
        ("203.0.113.7", "203.0.113.7", "203.0.113.7"),
        ("203.0.113.7:4711", "203.0.113.7", "203.0.113.7"),
        (" 203.0.113.7 ", "203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7", "203.0.113.7"),
        ("[::ffff:203.0.113.7]:80", "203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2:9::]", "2001:db8:1:2:9::", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::9]:4711", "2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::1", "fe80::/64"),
        ("[fe80::1%eth0]:80", "fe80::1", "fe80::/64"),
    ],
)
def test_an_address_is_found_and_whose_it_is(text: str, address: str, of: str) -> None:
    assert str(parse_address(text)) == address
    assert network(text) == of


@pytest.mark.parametrize(
    "text", ["", "unknown", "_hidden", "203.0.113", "203.0.113.7:", "203.0.113.7:x", "[203.0.113.7"]
)
def test_other_text_is_left_as_it_is(text: str) -> None:
    assert parse_address(text) is None
    assert network(text) == text


@given(st.ip_addresses(), st.integers(0, 65535))
def test_a_port_makes_no_other_caller(address: object, port: int) -> None:
    with_port = f"[{address}]:{port}" if ":" in str(address) else f"{address}:{port}"
    assert network(with_port) == network(str(address))


@given(st.text(max_size=40))
def test_nothing_that_a_proxy_sends_fails(text: str) -> None:
    network(text)
