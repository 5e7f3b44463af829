"""An accent colour in every shade that the page needs, readable in light and in dark.

The contrasts are those of WCAG 2.2: 4.5 for text, 3 for what is no text (1.4.3, 1.4.11). A colour
is made darker, or lighter, only as far as it takes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

_Colour = tuple[float, float, float]

_WHITE: _Colour = (1.0, 1.0, 1.0)
_BLACK: _Colour = (0.0, 0.0, 0.0)

#: What the page's text and bars stand on (``css/base.css``): ground, surface and sunken.
_LIGHT = ("#f5f6f8", "#ffffff", "#eceff3")
_DARK = ("#0f1216", "#181c22", "#262c35")

_TEXT = 4.5
_BARS = 3.0

#: How much of the accent is in the tint of a surface.
_TINT = {"light": 0.1, "dark": 0.2}

#: How much darker a button is under the pointer.
_HOVER = 0.15

_STEPS = 50


def shades(accent: str) -> dict[str, str]:
    """Return the values of the custom properties ``--cu-…`` that an accent colour sets.

    :param accent: as ``#2b59d9``.
    """
    colour = _parse(accent)
    light_tint = _mix(_parse(_LIGHT[1]), colour, _TINT["light"])
    dark_tint = _mix(_parse(_DARK[1]), colour, _TINT["dark"])
    light_grounds = [*map(_parse, _LIGHT), light_tint]
    dark_grounds = [*map(_parse, _DARK), dark_tint]
    light = _towards(_BLACK, colour, lambda shade: _least(shade, light_grounds) >= _TEXT)
    dark = _towards(_WHITE, colour, lambda shade: _least(shade, dark_grounds) >= _TEXT)
    # White words stand on a fill. In the dark it must be seen against the page, too.
    fill = _towards(_BLACK, colour, lambda shade: _contrast(shade, _WHITE) >= _TEXT)
    dark_fill = _towards(_WHITE, fill, lambda shade: _least(shade, dark_grounds[:2]) >= _BARS)
    return {
        "accent": _pair(light, dark),
        "accent-fill": _pair(fill, dark_fill),
        "accent-fill-strong": _pair(_mix(fill, _BLACK, _HOVER), _mix(dark_fill, _BLACK, _HOVER)),
        "accent-tint": _pair(light_tint, dark_tint),
    }


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours as WCAG defines it, from 1 to 21."""
    return _contrast(_parse(one), _parse(other))


def _towards(target: _Colour, colour: _Colour, will_do: Callable[[_Colour], bool]) -> _Colour:
    """Return the nearest mixture of a colour and a target that will do, else the target."""
    for step in range(_STEPS + 1):
        shade = _parse(_hex(_mix(colour, target, step / _STEPS)))  # as browsers get it
        if will_do(shade):
            return shade
    return target


def _least(colour: _Colour, grounds: Iterable[_Colour]) -> float:
    return min(_contrast(colour, ground) for ground in grounds)


def _contrast(one: _Colour, other: _Colour) -> float:
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: _Colour) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _mix(one: _Colour, other: _Colour, share: float) -> _Colour:
    """Return one colour with a share of another."""
    red, green, blue = (a + (b - a) * share for a, b in zip(one, other, strict=True))
    return red, green, blue


def _parse(colour: str) -> _Colour:
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return red, green, blue


def _hex(colour: _Colour) -> str:
    return "#" + "".join(f"{round(part * 255):02x}" for part in colour)


def _pair(light: _Colour, dark: _Colour) -> str:
    return f"light-dark({_hex(light)}, {_hex(dark)})"
