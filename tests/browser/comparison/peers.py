"""The four pages: where each is, and how a user does things there."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.support import npm

HERE = Path(__file__).parent
ROOT = HERE.parents[2]


@dataclass(frozen=True, kw_only=True)
class Peer:
    """A page.

    :param packages: npm packages, whose versions are told.
    :param input: where files are chosen.
    :param row: a file in its list, whatever its state.
    :param pause: the button that pauses a file; None when there is none.
    :param message: what tells the state in words.
    :param start: the button that sends what is listed; None when files are sent by themselves.
    """

    name: str
    path: str
    packages: tuple[str, ...] = ()
    input: str
    row: str
    pause: str | None = None
    resume: str | None = None
    start: str | None = None
    message: str

    @property
    def title(self) -> str:
        versions = [f"{package} {npm.version(package)}" for package in self.packages]
        return f"{self.name} ({', '.join(versions)})" if versions else self.name


PEERS = [
    Peer(
        name="This page",
        path="/",
        input="[data-input=files]",
        row=".cu-row",
        pause="[aria-label^='Pause '] >> visible=true",
        resume="[aria-label^='Resume '] >> visible=true",
        message=".cu-words, .cu-figures",
    ),
    Peer(
        name="Uppy's Dashboard",
        path="/uppy.html",
        packages=("@uppy/core", "@uppy/dashboard", "@uppy/tus", "@uppy/golden-retriever"),
        input=".uppy-Dashboard-input >> nth=0",
        row=".uppy-Dashboard-Item",
        pause=".uppy-StatusBar-actionCircleBtn[title=Pause]",
        resume=".uppy-StatusBar-actionCircleBtn[title=Resume]",
        start=".uppy-StatusBar-actionBtn--upload",
        message=".uppy-StatusBar-content, .uppy-Informer",
    ),
    Peer(
        name="FilePond",
        path="/filepond.html",
        packages=("filepond", "filepond-plugin-image-preview"),
        input=".filepond--browser",
        row=".filepond--item",
        message=".filepond--file-status",
    ),
    Peer(
        name="jQuery-File-Upload's page",
        path="/jquery-file-upload.html",
        packages=("blueimp-file-upload", "jquery"),
        input="input[type=file]",
        row=".template-upload, .template-download",
        message=".files",
    ),
]


#: What was not tried, but read in the peers' documentation and code.
KNOWN = {
    "Languages": {
        "This page": "8, by the browser's setting",
        "Uppy's Dashboard": "44, chosen by the app (@uppy/locales)",
        "FilePond": "46, chosen by the app",
        "jQuery-File-Upload's page": "English; texts are the app's own HTML",
    },
    "Links to share, which expire and are revoked": {
        "This page": "yes, if switched on",
        "Uppy's Dashboard": "no",
        "FilePond": "no",
        "jQuery-File-Upload's page": "no",
    },
    "Finished files of earlier visits, to download and delete": {
        "This page": "yes",
        "Uppy's Dashboard": "no",
        "FilePond": "if the app names them",
        "jQuery-File-Upload's page": "yes",
    },
    "Camera, screen, audio, cloud drives, web addresses": {
        "This page": "no",
        "Uppy's Dashboard": "yes, by plugins",
        "FilePond": "no",
        "jQuery-File-Upload's page": "no",
    },
    "Crop, rotate and compress pictures before they are sent": {
        "This page": "no",
        "Uppy's Dashboard": "yes, by plugins",
        "FilePond": "yes, by plugins",
        "jQuery-File-Upload's page": "resizes",
    },
    "Servers": {
        "This page": "this one",
        "Uppy's Dashboard": "tus, S3, forms",
        "FilePond": "any that speaks its requests",
        "jQuery-File-Upload's page": "any that takes forms",
    },
    "Components for React, Vue, Svelte, Angular": {
        "This page": "no",
        "Uppy's Dashboard": "yes",
        "FilePond": "yes",
        "jQuery-File-Upload's page": "no",
    },
}


def build_uppy(folder: Path) -> None:
    """Bundle the Dashboard as an app would, into ``uppy.js`` and ``uppy.css``."""
    entry = folder / "entry.js"
    shutil.copy(HERE / "uppy.js", entry)
    (folder / "node_modules").symlink_to(npm.MODULES)
    esbuild = ROOT / "frontend" / "node_modules" / ".bin" / "esbuild"
    options = ["--bundle", "--minify", "--log-level=error", f"--outfile={folder / 'uppy.js'}"]
    subprocess.run([str(esbuild), str(entry), *options], check=True)
