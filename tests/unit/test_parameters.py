"""Headers with parameters: what any client writes is read as it was meant."""

from __future__ import annotations

import time
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chunked_upload.http.wire.multipart import FormDecoder, MalformedForm, Part
from chunked_upload.http.wire.parameters import filename_in, media_type, parse_header
from chunked_upload.support.filenames import clean_filename

names = st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]), max_size=30)
names |= st.text('ab;=" \\', max_size=12)


def filename(header: str) -> str | None:
    return filename_in(parse_header(header)[1])


def escaped(text: str) -> str:
    """As the RFC has it."""
    return text.replace("\\", "\\\\").replace('"', '\\"')


def by_browser(text: str) -> str:
    """As the HTML standard has it."""
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def part_of(disposition: str) -> Part:
    body = f"--B\r\nContent-Disposition: {disposition}\r\n\r\n\r\n--B--".encode()
    part = next(FormDecoder("B", max_parts=1).feed(body))
    assert isinstance(part, Part)
    return part


@given(names, names)
@example('a"; b=c; d', "C:\\")
@example("\\", '"')
def test_what_is_escaped_by_the_rfc_comes_back(one: str, other: str) -> None:
    value, found = parse_header(f'Form-Data; Name="{escaped(one)}" ; filename="{escaped(other)}"')
    assert value == "form-data"
    assert found == {"name": one, "filename": other}


@given(
    st.text(
        st.characters(exclude_characters='"%\\\r\n\0;', exclude_categories=["Cs"]), max_size=20
    ),
    st.sampled_from(["", "C:\\", "\\\\server\\share\\", "C:\\Users\\me\\", "a/b\\"]),
    st.sampled_from(["", "\\"]),
)
def test_what_browsers_send_keeps_its_last_component(name: str, before: str, end: str) -> None:
    """They escape no backslash, whichever comes first of the name and the file name."""
    sent = f"{before}{name}{end}"
    for disposition in (
        f'form-data; name="file"; filename="{sent}"',
        f'form-data; filename="{sent}"; name="file"',
    ):
        part = part_of(disposition)
        assert part.name == "file"
        assert part.filename is not None
        assert clean_filename(part.filename) == clean_filename("" if end else name)


@given(names)
def test_browsers_escapes_come_back(name: str) -> None:
    plain = name.replace("\\", "")
    part = part_of(f'form-data; name="{by_browser(plain)}"; filename="{by_browser(plain)}"')
    assert part.filename == plain.replace("%22", '"')
    assert part.name == plain.replace("%22", '"')


@given(names)
def test_extended_parameters_come_back(name: str) -> None:
    header = f"attachment; filename=\"x\"; filename*=UTF-8'en'{quote(name, safe='')}"
    assert filename(header) == name


@given(st.text(max_size=200) | st.text("a;=\" \\*'%0\t", max_size=60))
def test_no_text_is_too_odd(text: str) -> None:
    value, found = parse_header(text)
    assert value == value.strip()
    assert all(isinstance(name, str) and isinstance(said, str) for name, said in found.items())


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ('attachment; filename="C:\\Users\\me\\report.txt"', "C:\\Users\\me\\report.txt"),
        ('attachment; filename="C:\\\\Users\\\\report.txt"', "C:\\Users\\report.txt"),
        ('attachment; filename="dir\\"', "dir\\"),
        ('attachment; filename="dir\\" ; x=y', "dir\\"),
        ('x; a="b\\"; filename="c\\"', "c\\"),
        ('attachment; filename="a\\"b\\".txt"', 'a"b".txt'),
        ('attachment; filename="a\\"; b.txt"', 'a"; b.txt'),
        ('attachment; filename="a "quoted" name.txt"', 'a "quoted" name.txt'),
        ('attachment; filename="a;b=c.txt"; size=5', "a;b=c.txt"),
        ("attachment; filename=C:\\a b.txt ; x=y", "C:\\a b.txt"),
        ("attachment; FILENAME = a.txt", "a.txt"),
        ('attachment; filename="never closed', "never closed"),
        ('attachment; filename=""', ""),
        ('attachment; filename="a"; filename="b"', "a"),
        ("attachment; filename*=utf-8''%e2%82%ac.txt", "€.txt"),
        ("attachment; filename*=ISO-8859-1''%e9.txt; filename=x", "é.txt"),
        ("attachment; filename*=utf-8''%ff; filename=plain", "plain"),
        ("attachment; filename*=klingon''a; filename=plain", "plain"),
        ("attachment; filename*=a; filename=plain", "plain"),
        ("attachment; filename*0=\"a\"; filename*1*=%c3%a9; filename*2=b", "aéb"),
        ("attachment; filename*1=b; filename*0*=utf-8''%c3%a9", "éb"),
        ("attachment; filename*1=b", None),
        ("attachment", None),
        ("", None),
        (";;; filename=a;", "a"),
    ],
)  # fmt: skip
def test_file_names(header: str, name: str | None) -> None:
    assert filename(header) == name


@pytest.mark.parametrize("quoted", ["B", '"B"', ' "B" ; charset=utf-8'])
def test_media_types_have_no_case(quoted: str) -> None:
    kind, found = parse_header(f" Multipart/FORM-Data ;BOUNDARY={quoted}")
    assert (kind, found["boundary"]) == ("multipart/form-data", "B")
    assert media_type({"CONTENT_TYPE": "Application/JSON; charset=UTF-8"}) == "application/json"
    assert media_type({}) == ""


@pytest.mark.parametrize("unit", ['\\";', "; a= ", '"', ';="', " ", "; a*0=", '\\"; "'])
def test_a_header_four_times_as_long_takes_no_more_than_it_must(unit: str) -> None:
    """Processor time grows with the length, not with its square, which would be 16 times."""

    def seconds(count: int) -> float:
        began = time.thread_time()
        parse_header("x; filename=" + unit * count + '"')
        parse_header('x; filename="' + unit * count + '"x')
        return time.thread_time() - began

    short = min(seconds(5_000) for _ in range(3))
    long = min(seconds(20_000) for _ in range(3))
    assert long < 10 * short + 0.02


def test_headers_of_a_part_may_be_folded() -> None:
    assert part_of('form-data;\r\n name="a";\r\n\tfilename="b"') == Part("a", "b")


def test_dispositions_have_no_case() -> None:
    assert part_of('Form-Data; Name="a"') == Part("a", None)
    with pytest.raises(MalformedForm):
        part_of('attachment; name="a"')
