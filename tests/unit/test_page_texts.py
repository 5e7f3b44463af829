"""The page's texts: every language has each of them, with the same values in every plural form."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.missing import skip_without

STATIC = Path(__file__).parents[2] / "static"

TEXTS = STATIC / "page" / "texts"

LANGUAGES = ["ar", "de", "en", "es", "fr", "ja", "pt", "zh"]

Texts = dict[str, Any]

#: Prints each file's texts, and the plural forms that its language has.
_READ = """
const found = {};
for (const path of process.argv.slice(1)) {
    const language = path.split("/").pop().slice(0, -3);
    const rules = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
    found[language] = [(await import(path)).default, rules];
}
console.log(JSON.stringify(found));
"""


def node(source: str, *paths: Path) -> Any:
    """Run a module in Node, with paths as its arguments, and return the JSON that it prints."""
    program = shutil.which("node")
    if program is None:
        skip_without("node", install="Node.js")
    command = [program, "--no-warnings", "--input-type=module", "--eval", source, *map(str, paths)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.fixture(scope="module")
def languages() -> dict[str, tuple[Texts, list[str]]]:
    found = node(_READ, *(TEXTS / f"{name}.js" for name in LANGUAGES))
    return {name: (texts, rules) for name, (texts, rules) in found.items()}


def test_the_languages_are_those_that_the_page_offers() -> None:
    source = (STATIC / "page" / "language.js").read_text()
    [offered] = re.findall(r"LANGUAGES = (\[.*?\])", source)
    assert sorted(json.loads(offered)) == LANGUAGES
    assert sorted(path.stem for path in TEXTS.glob("*.js")) == LANGUAGES


def test_no_language_lacks_a_text_or_has_one_too_many(
    languages: dict[str, tuple[Texts, list[str]]],
) -> None:
    wanted = languages["en"][0].keys()
    lacking = {name: wanted - texts.keys() for name, (texts, _) in languages.items()}
    too_many = {name: texts.keys() - wanted for name, (texts, _) in languages.items()}
    assert {name: keys for name, keys in lacking.items() if keys} == {}
    assert {name: keys for name, keys in too_many.items() if keys} == {}


def test_plural_forms_are_those_of_the_language(
    languages: dict[str, tuple[Texts, list[str]]],
) -> None:
    plurals = {key for key, text in languages["en"][0].items() if isinstance(text, dict)}
    for name, (texts, rules) in languages.items():
        assert {key for key, text in texts.items() if isinstance(text, dict)} == plurals, name
        # "many" of the Romance languages is for millions, where "other" does.
        wanted = set(rules) - ({"many"} if name in ("es", "fr", "pt") else set())
        assert {key: set(texts[key]) for key in plurals} == dict.fromkeys(plurals, wanted), name


def test_every_form_has_the_same_values(languages: dict[str, tuple[Texts, list[str]]]) -> None:
    english = languages["en"][0]
    for name, (texts, _) in languages.items():
        for key, text in texts.items():
            allowed = [values(form) for form in forms(english[key]).values()]
            for form, words in forms(text).items():
                # What stands for one number only may leave it out.
                said = values(words) | ({"count"} if form in ("zero", "one", "two") else set())
                assert values(words) in allowed or said in allowed, (name, key, words)


def forms(text: str | dict[str, str]) -> dict[str, str]:
    return {"other": text} if isinstance(text, str) else text


def values(words: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", words))


def test_no_text_is_left_over() -> None:
    keys = set(re.findall(r"^  (\w+):", (TEXTS / "en.js").read_text(), re.MULTILINE))
    scripts = [*STATIC.glob("page/*.js"), *STATIC.glob("chunked-upload-dropzone/*.js")]
    used = "".join(path.read_text() for path in scripts)
    assert {key for key in keys if f'"{key}"' not in used} == set()


#: Prints a text with a file's name in a language.
_SAY = """
const { Texts } = await import(process.argv[1]);
function say(language, name) {
    const texts = new Texts({ key: "({name}) {count}" }, language);
    return texts.say("key", { name, count: 1234.5 });
}
const names = [["en", "a"], ["en", "א"], ["ar", "a"], ["de", "a"]];
console.log(JSON.stringify(names.map(([language, name]) => say(language, name))));
"""


def test_names_do_not_turn_the_words_around_them() -> None:
    english, hebrew_name, arabic, german = node(_SAY, STATIC / "page" / "format.js")
    assert english == "(a) 1,234.5"
    assert hebrew_name == "(\u2068א\u2069) 1,234.5"
    assert arabic.startswith("(\u2068a\u2069) ")
    assert german == "(a) 1.234,5"


#: What the server says to users of the page; a number or a type stands at the end of what is fixed.
SERVER_SAYS = [
    "Size of file exceeds the limit (3000000 bytes)",
    "Size of chunk exceeds the limit (3000000 bytes)",
    "Too many unfinished uploads (at most 3); complete or delete one first",
    "Unfinished uploads would take more than 3000000 bytes; complete or delete one first",
    "Your files would take more than 3000000 bytes (2000 are left); delete one first",
    "Too many uploads (at most 3); delete one first",
    "More than 3000000 bytes in one day (2000 are left until 2026-01-02T00:00Z); try again then",
    "Too many requests (at most 3 a second)",
    "Files of type '.exe' are not accepted",
    "Files of type '.exe' are not accepted, only: .jpg",
    "File name exceeds the limit (255 characters)",
    "Upload not found",
    "File not found",
    "Upload has expired",
    "Upload is in use",
    "Upload is being changed by other requests",
    "Upload is being changed by too many requests",
    "Authentication credentials were not provided",
    "Database is unavailable",
    "Storage is busy: too many requests",
    "Storage failed: Input/output error",
    "Storage is full; nothing of this request was kept, retry later",
    "Internal server error; the server's log says more",
]

#: Prints what the page makes of the server's messages in each language.
_TRANSLATE = """
const [format, words, messages, ...paths] = process.argv.slice(1);
const { Texts } = await import(format);
const { serverWords } = await import(words);
const said = {};
for (const path of paths) {
    const language = path.split("/").pop().slice(0, -3);
    const texts = new Texts((await import(path)).default, language);
    said[language] = JSON.parse(messages).map((one) => serverWords(one, texts));
}
console.log(JSON.stringify(said));
"""


#: A message of an app's own.
OF_AN_APP = "Your app says no to 1234567 bytes."


@pytest.fixture(scope="module")
def said() -> dict[str, list[str]]:
    """What the page says in each language: the server's messages, and then the app's."""
    modules = (STATIC / "page" / name for name in ("format.js", "server-words.js"))
    messages = Path(json.dumps([*SERVER_SAYS, OF_AN_APP]))
    paths = (TEXTS / f"{language}.js" for language in LANGUAGES)
    found: dict[str, list[str]] = node(_TRANSLATE, *modules, messages, *paths)
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_servers_messages_are_said_in_the_pages_language(
    said: dict[str, list[str]], language: str
) -> None:
    words = said[language][:-1]
    assert not [one for one in words if "{" in one or one.endswith((".", "。"))]
    if language != "en":
        assert not set(words) & set(SERVER_SAYS)
        assert not [one for one in words if re.search("exceed|upload |unavail|file ", one)]


def test_the_servers_messages_are_those_that_the_page_knows() -> None:
    """A message that changes is no longer translated."""
    sources = "".join(path.read_text() for path in STATIC.parent.glob("chunked_upload/**/*.py"))
    for message in SERVER_SAYS:
        fixed = re.split(r"\d|\.exe|(?<=: )", message)[0].rstrip("'")
        assert fixed in sources, message


def test_messages_that_the_page_does_not_know_are_shown_as_they_are(
    said: dict[str, list[str]],
) -> None:
    assert said["de"][-1] == "Your app says no to 1,23 MB"


def test_limits_are_said_with_what_is_left(said: dict[str, list[str]]) -> None:
    stored, day = said["en"][4], said["en"][6]
    assert stored == "Your files would take more than 3 MB; you have 2 kB left. Delete a file first"
    assert re.search("3 MB a day, and you have 2 kB left today. The next day begins on Jan", day)


#: Prints how much of their limits somebody has used: `[words of levels]`.
_USAGE = """
const [format, usage, path, levels] = process.argv.slice(1);
const { Texts } = await import(format);
const { usageWords } = await import(usage);
const texts = new Texts((await import(path)).default, path.split("/").pop().slice(0, -3));
console.log(JSON.stringify(JSON.parse(levels).map((one) => usageWords(one, texts))));
"""


def test_what_is_used_of_the_limits_is_one_line() -> None:
    levels = {
        "stored_bytes": {"used": 1_200_000_000, "left": 0, "max": 5_000_000_000},
        "stored_files": {"used": 3, "left": 1997, "max": 2000},
        "bytes_per_day": {"used": 400_000_000, "left": 0, "max": 2_000_000_000},
    }
    none = dict.fromkeys(levels)
    given = [levels, {**none, "stored_files": levels["stored_files"]}, none]
    modules = (STATIC / "page" / name for name in ("format.js", "usage.js"))
    said = node(_USAGE, *modules, TEXTS / "en.js", Path(json.dumps(given)))
    assert said == [
        ["1.2 GB of 5 GB stored ·", "3 of 2,000 files ·", "400 MB of 2 GB today"],
        ["3 of 2,000 files"],
        [],
    ]
