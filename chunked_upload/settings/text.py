"""Settings as text, from the environment, a command line or a template: sizes, times, lists.

Each function returns the value, or raises ValueError with what was expected.
"""

from __future__ import annotations

import re
from datetime import timedelta
from fractions import Fraction

_SIZE_UNITS = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}
_TIME_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def parse_size(text: str) -> int:
    """Read a number of bytes: ``1048576``, ``512K``, ``10G``, ``1.5TiB`` (powers of 1024)."""
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*([kmgt]?)(?:i?b)?", text.strip().lower())
    if match is None or ("." in match[1] and not match[2]):
        raise ValueError("expected bytes, as 1048576, 512K or 10G")
    return int(Fraction(match[1]) * _SIZE_UNITS[match[2]])


def parse_duration(text: str) -> timedelta:
    """Read a span of time: seconds as a number, or parts such as ``1d 12h`` or ``90m``."""
    plain = f"{text.strip()}s" if re.fullmatch(r"\s*[0-9]+\s*", text) else text.lower()
    parts = re.findall(r"([0-9]+)\s*([smhdw])", plain)
    if not parts or re.sub(r"([0-9]+)\s*([smhdw])|\s", "", plain):
        raise ValueError("expected seconds, or parts as in 1d 12h 30m")
    try:
        return timedelta(seconds=sum(int(n) * _TIME_UNITS[unit] for n, unit in parts))
    except OverflowError as error:
        raise ValueError("expected seconds that make less than a million years") from error


def parse_bool(text: str) -> bool:
    """Read a switch: 1/0, true/false, yes/no, on/off."""
    word = text.strip().lower()
    if word in ("1", "true", "yes", "on"):
        return True
    if word in ("0", "false", "no", "off", ""):
        return False
    raise ValueError("expected 1, true, yes, on, or 0, false, no, off")


def parse_list(text: str) -> tuple[str, ...]:
    """Read a comma-separated list."""
    return tuple(item.strip() for item in text.split(",") if item.strip())


def parse_mode(text: str) -> int:
    """Read a file mode in octal, as chmod does."""
    match = re.fullmatch(r"(?:0o)?([0-7]{1,6})", text.strip().lower())
    if match is None:
        raise ValueError("expected a file mode in octal, as 640")
    return int(match[1], 8)


def parse_tokens(text: str) -> dict[str, str]:
    """Read ``name:sha256hex`` pairs separated by commas."""
    tokens: dict[str, str] = {}
    for item in parse_list(text):
        name, _, digest = item.rpartition(":")
        if tokens.setdefault(name, digest) != digest:
            raise ValueError("expected each name once, with one digest")
    return tokens
