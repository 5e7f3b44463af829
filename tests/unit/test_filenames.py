"""Client names: shown without tricks, on disk never a path, hidden, reserved or too long."""

from __future__ import annotations

import unicodedata
from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chunked_upload.support.filenames import clean_filename, extension, portable_filename

#: Embeddings, overrides, isolates.
BIDI_CONTROLS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}

tricky = st.sampled_from(
    [
        *(
            "..",
            ".",
            "/",
            "\\",
            "\0",
            ":",
            "|",
            "~",
            "$",
            " ",
            "\u3000",
            "\x7f",
            "x.jpg",
            "a" * 250,
        ),
        *(
            "\u202e",
            "\u200b",
            "\u2028",
            "．",
            "／",
            "＼",
            "…",
            "‥",
            "ﬁ",
            "é",
            "\u200c",
            "\u200d",
            "e\u0301",
            "😀",
            "\ud800",
        ),
        *("CON", "con.", "nul.txt", "LPT1", "COM¹", "aux", "CLOCK$", "CONIN$"),
    ]
)
names = st.text(st.characters(), max_size=300) | st.lists(
    tricky | st.text(max_size=3), max_size=8
).map("".join)


@given(names)
def test_a_clean_name_is_one_component_that_can_be_shown(name: str) -> None:
    clean = clean_filename(name)
    assert "/" not in clean
    assert "\\" not in clean
    assert clean not in (".", "..")
    assert clean == clean.strip()
    assert all(unicodedata.category(c) not in ("Cc", "Cs", "Zl", "Zp") for c in clean)
    assert all(unicodedata.bidirectional(c) not in BIDI_CONTROLS for c in clean)
    clean.encode()  # no surrogates
    assert clean_filename(clean) == clean


@given(names)
@example(".CON")
@example(". CON")
@example("．．")
@example("…")
@example("CON．")
@example("x" * 199 + ".CON")
def test_a_portable_name_fits_every_file_system(name: str) -> None:
    portable = portable_filename(name, fallback="fallback")
    assert portable
    assert "\0" not in portable
    assert PurePosixPath(portable).name == portable
    assert PureWindowsPath(portable).name == portable
    assert PureWindowsPath(portable).drive == ""
    assert not is_reserved(portable)
    assert not portable.startswith((".", " "))
    assert not portable.endswith((".", " "))
    assert len(portable.encode()) <= 255 - len("-" + "0" * 32)  # room for the collision rule
    assert not set('<>:"|?*/\\') & set(portable)
    assert not any(ord(c) < 32 for c in portable)


@given(names)
def test_a_portable_name_stays_as_it_is(name: str) -> None:
    portable = portable_filename(name, fallback="fallback")
    if len(portable.encode()) < 200:  # at the limit a reserved name's underscore makes it longer
        assert portable_filename(portable, fallback="other") == portable


@given(names)
def test_the_fallback_is_for_names_of_nothing(name: str) -> None:
    assert portable_filename(name, fallback="f") != ""
    if portable_filename(name, fallback="") == "":
        assert portable_filename(name, fallback="f") == "f"


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("plain.txt", "plain.txt"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\photo.jpg", "photo.jpg"),
        ("a/b\\c", "c"),
        ("a\u202egpj.exe", "agpj.exe"),
        ("a\0b\n", "ab"),
        ("e\u0301", "é"),
        ("..", ""),
        ("/", ""),
        (" x ", "x"),
        ("日本語.txt", "日本語.txt"),
    ],
)
def test_clean_names(name: str, clean: str) -> None:
    assert clean_filename(name) == clean


@pytest.mark.parametrize(
    ("name", "portable"),
    [
        ("plain.txt", "plain.txt"),
        ("with space.txt", "with space.txt"),
        ("日本語.txt", "日本語.txt"),
        (".htaccess", "htaccess"),
        ("...", "f"),
        ("", "f"),
        ("a:b", "a_b"),
        ("trailing. ", "trailing"),
    ],
)
def test_portable_names(name: str, portable: str) -> None:
    assert portable_filename(name, fallback="f") == portable


def test_what_is_cut_is_the_stem() -> None:
    portable = portable_filename("é" * 300 + ".jpeg", fallback="f")
    assert portable.startswith("é")
    assert portable.endswith("é.jpeg")


@given(names)
def test_the_extension_is_that_of_the_name_on_disk(name: str) -> None:
    portable = portable_filename(name, fallback="")
    suffix = extension(name)
    assert suffix == suffix.lower()
    if {"\u200c", "\u200d"} & set(name):
        assert suffix == extension(name.replace("\u200c", "").replace("\u200d", ""))
    elif "." in portable:
        assert suffix == portable.rpartition(".")[2].lower()
    else:
        assert suffix in ("", portable.lower())


@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        ("a.jpg", "jpg"),
        ("a.tar.GZ", "gz"),
        ("a", ""),
        ("jpg", ""),
        ("jpg.", ""),
        (".php", "php"),
        ("a.php. . ", "php"),
        ("a．php", "php"),
        ("a.ｐｈｐ", "php"),
        ("a.p\u200bhp", "php"),
        ("x.php/", ""),
        ("", ""),
    ],
)
def test_extensions(name: str, suffix: str) -> None:
    assert extension(name) == suffix


@given(
    st.text(
        st.sampled_from("🩷🫩") | st.characters(categories=["Cn"], max_codepoint=0xDFFFF),
        min_size=1,
        max_size=5,
    )
)
def test_characters_newer_than_this_python_are_kept(name: str) -> None:
    for made in (clean_filename(f"{name}.jpg"), portable_filename(f"{name}.jpg", fallback="f")):
        assert made == f"{name}.jpg"


@pytest.mark.parametrize(
    "name",
    [
        "نامه‌ها.pdf",  # Persian, ZWNJ
        "ශ්‍රී ලංකා.txt",  # Sinhala, ZWJ
        "👩‍💻.png",
        "\u0600١.txt",
        "\u06dd.txt",
    ],
)
def test_scripts_keep_what_they_are_spelt_with(name: str) -> None:
    assert clean_filename(name) == name
    assert portable_filename(name, fallback="f") == name


@pytest.mark.parametrize("code", [*range(32), *range(127, 160), 0xAD, 0x61C, 0xFEFF, 0x2028])
def test_controls_go(code: int) -> None:
    assert clean_filename(f"a{chr(code)}b") == "ab"


def test_joiners_do_not_pass_the_rules_about_names() -> None:
    assert clean_filename("\u200d.\u200c") == ""
    assert portable_filename("\u200d.htaccess", fallback="f") == "htaccess"
    assert extension("a.ph\u200dp\u200c") == "php"
    assert extension("\u200d.php") == "php"


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        # U+113C5 has a decomposition since Unicode 16, which only the newest Pythons know.
        ("\U000113c2\U000113c2", "\U000113c2\U000113c2"),
        ("\u1b05\u1b35", "\u1b05\u1b35"),
        ("か\u3099", "が"),
    ],
)
def test_every_python_makes_the_same_name(name: str, clean: str) -> None:
    assert clean_filename(name) == clean


def is_reserved(name: str) -> bool:
    """Names of devices on Windows, with or without an extension."""
    stem = name.partition(".")[0].rstrip(" ").upper()
    devices = {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$"}
    return stem in devices or (stem[:3] in ("COM", "LPT") and stem[3:] in set("123456789¹²³"))
