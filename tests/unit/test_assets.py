"""Scripts and styles without their comments."""

from __future__ import annotations

from pathlib import Path

import pytest

from chunked_upload.pages.assets import find_asset, without_comments


@pytest.mark.parametrize(
    ("source", "served"),
    [
        ("// all\ncode();\n", "code();\n"),
        ("/** one */\ncode();\n", "code();\n"),
        ("  /**\n   * several\n   */\n  code();\n", "  code();\n"),
        ("/* a */\n\n\n/* b */\ncode();\n", "code();\n"),
        ("code(); // beside\n", "code(); // beside\n"),
        ("  /** @type {A} */ (a).b = 1;\n/* c */\n", "  /** @type {A} */ (a).b = 1;\n"),
        ('a("/*");\nb("*/");\n', 'a("/*");\nb("*/");\n'),
        ('a = "// no comment";\n', 'a = "// no comment";\n'),
        ("a /\n  /b/;\n", "a /\n  /b/;\n"),
    ],
)
def test_lines_of_comment_go(source: str, served: str) -> None:
    assert without_comments(source) == served


def test_what_is_found(tmp_path: Path) -> None:
    static = tmp_path / "static"
    (static / "vendor").mkdir(parents=True)
    (static / "a.js").write_text("// first\none();\n")
    (static / "vendor" / "a.js").write_text("// licence\ntwo();\n")
    (tmp_path / "secret").write_text("secret")
    (static / ".hidden").write_text("hidden")
    first = find_asset(static, "a.js")
    assert first is not None
    assert (first.data, first.mimetype) == (b"one();\n", "text/javascript")
    licensed = find_asset(static, "vendor/a.js")
    assert licensed is not None
    assert licensed.data.startswith(b"// licence")
    for name in ("", "b.js", "vendor", "../secret", "vendor/../../secret", "/etc/passwd", "a.js\0"):
        assert find_asset(static, name) is None
    assert find_asset(static, ".hidden") is None


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "a.js"
    path.write_text("one();\n")
    first = find_asset(tmp_path, "a.js")
    path.write_text("three();\n")
    second = find_asset(tmp_path, "a.js")
    assert first is not None
    assert second is not None
    assert (second.data, second.etag != first.etag) == (b"three();\n", True)
