"""Flask-Uploads' presets: tuples of file extensions, and sets of all extensions but some.

SVG files are among :data:`IMAGES`, as there. They may contain scripts, so a page of yours should
not embed those of strangers.
"""

from __future__ import annotations

from collections.abc import Iterable

#: Plain text.
TEXT = ("txt",)

#: Office documents, and PDF.
DOCUMENTS = ("rtf", "odf", "ods", "gnumeric", "abw", "doc", "docx", "xls", "xlsx", "pdf")

#: Images that browsers show.
IMAGES = ("jpg", "jpe", "jpeg", "png", "gif", "svg", "bmp", "webp")

#: Audio files.
AUDIO = ("wav", "mp3", "aac", "ogg", "oga", "flac")

#: Video files.
VIDEO = ("mp4", "m4v", "mov", "webm", "ogv", "mkv", "avi", "mpg", "mpeg")

#: Structured data.
DATA = ("csv", "ini", "json", "plist", "xml", "yaml", "yml")

#: Scripts of interpreted languages. Never accept them where a web server runs PHP, say.
SCRIPTS = ("js", "php", "pl", "py", "rb", "sh")

#: Archives and compressed files.
ARCHIVES = ("gz", "bz2", "zip", "tar", "tgz", "txz", "7z")

#: Source code of compiled languages.
SOURCE = (
    *("c", "cpp", "c++", "h", "hpp", "h++", "cxx", "hxx", "hdl", "ada", "rs", "go"),
    *("f", "for", "f90", "f95", "f03", "d", "dd", "di", "java", "hs", "cs", "fs"),
    *("cbl", "cob", "asm", "s"),
)

#: Programs and libraries.
EXECUTABLES = ("so", "exe", "dll")

#: What an upload set takes that says nothing else.
DEFAULTS = TEXT + DOCUMENTS + IMAGES + DATA

PRESETS = {
    "TEXT": TEXT,
    "DOCUMENTS": DOCUMENTS,
    "IMAGES": IMAGES,
    "AUDIO": AUDIO,
    "VIDEO": VIDEO,
    "DATA": DATA,
    "SCRIPTS": SCRIPTS,
    "ARCHIVES": ARCHIVES,
    "SOURCE": SOURCE,
    "EXECUTABLES": EXECUTABLES,
    "DEFAULTS": DEFAULTS,
}


class AllExcept:
    """Every extension but some: ``AllExcept(SCRIPTS + EXECUTABLES)``."""

    def __init__(self, items: Iterable[str]) -> None:
        if isinstance(items, str):
            raise TypeError(f"AllExcept takes a preset or several extensions, not {items!r}")
        self.items = tuple(items)

    def __contains__(self, extension: object) -> bool:
        return extension not in self.items

    def __repr__(self) -> str:
        return f"AllExcept({self.items!r})"


#: Every extension, and files without one.
ALL = AllExcept(())
