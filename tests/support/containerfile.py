"""A Containerfile, read: its stages, and what each of their instructions says."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Stage:
    """What follows one FROM.

    :ivar image: what it starts from.
    :ivar name: what other stages call it, if they do.
    :ivar steps: its other instructions, in their order: keyword, and the rest of the line.
    """

    image: str
    name: str | None
    steps: list[tuple[str, str]] = field(default_factory=list)

    def said(self, keyword: str) -> list[str]:
        """Return what instructions of one kind say."""
        return [rest for each, rest in self.steps if each == keyword]

    def words(self, keyword: str) -> list[str]:
        """Return the list of the only instruction of one kind, which is in the exec form."""
        [said] = self.said(keyword)
        listed: list[str] = json.loads(said[said.index("[") :])
        return listed

    def environment(self) -> dict[str, str]:
        """Return what its ENV instructions set."""
        pairs = [pair for said in self.said("ENV") for pair in shlex.split(said)]
        return dict(pair.split("=", 1) for pair in pairs)


def read(path: Path) -> list[Stage]:
    """Return the stages of a Containerfile."""
    text = re.sub(r"^#.*\n", "", path.read_text(), flags=re.MULTILINE).replace("\\\n", "")
    stages: list[Stage] = []
    for line in filter(None, text.splitlines()):
        keyword, rest = line.split(maxsplit=1)
        if keyword == "FROM":
            image, _, name = rest.partition(" AS ")
            stages.append(Stage(image, name or None))
        else:
            stages[-1].steps.append((keyword, rest))
    return stages
