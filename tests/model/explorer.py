"""Compiles the model with spin and gcc, and looks through its states."""

from __future__ import annotations

import enum
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

MODEL = Path(__file__).parent / "fencing" / "protocol.pml"

#: How gcc makes the search of all states, and the search in random order that remembers a state by
#: three bits: where it takes two states for one it leaves something out.
_PROGRAMS = {
    "all": ("-DCOLLAPSE", "-DMEMLIM=3000"),
    "sample": ("-DBITSTATE", "-DT_RAND", "-DP_RAND"),
}
_INVARIANT = re.compile(r"INVARIANT\((\w+),")
_GUARD = re.compile(r"OFF\(([A-Z_]+)\)")


class Role(enum.IntEnum):
    """What a request does; protocol.pml has the same numbers."""

    WRITER = 1
    COMPLETER = 2
    REMOVER = 3
    EXPIRER = 4
    SWEEPER = 5


Scenario: TypeAlias = tuple[Role, Role, Role]


@dataclass(frozen=True)
class Setting:
    """One storage and dialect, with what three requests do.

    :param scenarios: what can be looked at.
    :param quick: those whose states are few enough for seconds.
    :param sampled: those of which seconds show a sample.
    :param parallel: whether the dialect sends chunks in any order.
    :param begun: whether the first unit was stored before, in a store as a part.
    :param name_is_wanted: whether another upload wants the finished file's name.
    """

    name: str
    storage: str
    scenarios: Sequence[Scenario]
    quick: Sequence[Scenario] = ()
    sampled: Sequence[Scenario] = ()
    parallel: bool = False
    begun: bool = False
    name_is_wanted: bool = False


@dataclass(frozen=True)
class Found:
    """What a search has found.

    :param complete: whether there are no more states than these.
    :param broken: the invariant that does not hold; None when all do.
    :param steps: a way to it, readable.
    """

    states: int
    complete: bool
    broken: str | None = None
    steps: str = ""


def missing() -> str | None:
    """Return the Debian package of a program that is missing."""
    return next((name for name in ("spin", "gcc") if shutil.which(name) is None), None)


def invariants() -> list[str]:
    """Return the names of the model's invariants."""
    return sorted(set(_INVARIANT.findall(_text())) - {"name"})


def guards() -> list[str]:
    """Return the names of the guards that can be switched off."""
    return sorted(set(_GUARD.findall(_text())) - {"guard"})


def _text() -> str:
    return "".join(path.read_text() for path in sorted(MODEL.parent.glob("*.pml")))


class Explorer:
    """The model of one storage.

    :param folder: an empty directory.
    :param optimised: False for searches that take less time than gcc's optimising.
    """

    def __init__(self, storage: str, folder: Path, *, optimised: bool = True) -> None:
        self._folder = folder
        self._level = "-O2" if optimised else "-O0"
        names = [
            f"#define {name} {number}"
            for all_names in (guards(), invariants())
            for number, name in enumerate(all_names, start=1)
        ]
        lines = [f"#define {storage}", *names, f'#include "{MODEL}"', ""]
        (folder / "model.pml").write_text("\n".join(lines))
        self._run("spin", "-a", "model.pml")

    def look_at_all(
        self, setting: Setting, scenario: Scenario, *, without: str | None = None
    ) -> Found | None:
        """Look at all states of a scenario, or until an invariant does not hold.

        :param without: a guard to switch off.
        :return: None when the memory is too small for them.
        """
        said = self._search("all", setting, scenario, without, "-w22")
        if "reached -DMEMLIM" in said:
            return None
        return self._found("all", setting, scenario, without, said)

    def look_at_some(
        self,
        setting: Setting,
        scenario: Scenario,
        *,
        bits: int,
        seed: int = 1,
        without: str | None = None,
    ) -> Found:
        """Look at a sample of the states of a scenario, or until an invariant does not hold.

        :param bits: the logarithm of the memory in bits; about an eighth as many states fit.
        :param without: a guard to switch off.
        """
        said = self._search("sample", setting, scenario, without, f"-w{bits}", f"-RS{seed}")
        return self._found("sample", setting, scenario, without, said)

    def _found(
        self, program: str, setting: Setting, scenario: Scenario, without: str | None, said: str
    ) -> Found:
        [errors] = re.findall(r"errors: (\d+)", said)
        if "max search depth too small" in said or (errors == "0" and "not completed" in said):
            raise RuntimeError(f"the search did not end:\n{said}")
        [states] = re.findall(r"(\d+) states, stored", said)
        if errors == "0":
            return Found(int(states), program == "all")
        # Each assertion ends with its number (state.pml).
        [number] = re.findall(r"assertion violated .*\|\|\((\d+)==0\)", said)
        steps = self._search(program, setting, scenario, without, "-r")
        return Found(int(states), False, invariants()[int(number) - 1], steps)

    def _search(
        self, program: str, setting: Setting, scenario: Scenario, without: str | None, *more: str
    ) -> str:
        if not (self._folder / program).exists():
            flags = ("-w", "-DSAFETY", *_PROGRAMS[program])
            self._run("gcc", self._level, *flags, "-o", program, "pan.c")
        told = {f"ROLE_{n}": int(role) for n, role in enumerate(scenario, start=1)}
        told["OFF"] = 0 if without is None else 1 + guards().index(without)
        told["PARALLEL"] = int(setting.parallel)
        told["BEGUN"] = int(setting.begun)
        told["NAME_IS_WANTED"] = int(setting.name_is_wanted)
        return self._run(f"./{program}", "-m20000", *more, **told)

    def _run(self, *command: str, **told: int) -> str:
        environment = os.environ | {name: str(value) for name, value in told.items()}
        ended = subprocess.run(
            command, cwd=self._folder, env=environment, capture_output=True, text=True, check=False
        )
        said = ended.stdout + ended.stderr
        if ended.returncode and not command[0].startswith("./"):
            raise RuntimeError(f"{' '.join(command)} failed:\n{said}")
        return said
