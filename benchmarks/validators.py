"""What validators find of single faults, on a file that is valid otherwise.

python benchmarks/validators.py [--bin FOLDER ...]

The faults are those of tests/validation/mutants.py. Each validator that is found in a FOLDER or on
the path runs on the valid file and on each mutant. A fault counts as found at its place if the
output has a line that it has not for the valid file, and that names the object at fault; its path
is not asked for. False alarms are lines that tell a problem of the valid file.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import h5py

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "validation"))

import bases
from mutants import MUTANTS

#: The package, its command, and what a line that tells a problem has.
VALIDATORS = {
    "nxformula": (("nxformula", "validate", "--format", "concise"), r": (error|warning): "),
    "punx": (("punx", "validate"), r"\s(WARN|ERROR)\s+\S"),
    "pynxtools": (("pynx", "validate"), r"^(WARNING|ERROR)"),
    "nexusformat": (("nxvalidate", "-w", "-a", "NXmx"), r"\[38;2;"),
    "chexus": (("chexus", "--ignore-missing"), r" @ /"),
}
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass
class Outcome:
    """What a validator said."""

    code: int
    lines: list[str]
    crashed: bool


def run(command: tuple[str, ...], path: Path) -> Outcome:
    try:
        done = subprocess.run(
            [*command, path.name],
            cwd=path.parent,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=60,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Outcome(-1, [], True)
    output = done.stdout + done.stderr
    return Outcome(done.returncode, output.splitlines(), "Traceback" in output)


def plain(lines: list[str]) -> set[str]:
    return {_COLOUR.sub("", line).strip() for line in lines}


def is_found(base: Outcome, mutant: Outcome, place: str) -> bool:
    name = place.rsplit("/", 1)[-1] or "/"
    word = re.compile(rf"(?<![A-Za-z0-9_]){re.escape(name)}(?![A-Za-z0-9_])")
    return any(word.search(line) for line in plain(mutant.lines) - plain(base.lines))


def installed(folders: list[str]) -> dict[str, tuple[tuple[str, ...], str]]:
    found = {}
    for name, ((program, *options), pattern) in VALIDATORS.items():
        places = [path for f in folders if (path := shutil.which(program, path=f))]
        path = places[0] if places else shutil.which(program)
        if path is None:
            print(f"{name} is left out: there is no command {program}", file=sys.stderr)
        else:
            found[name] = ((path, *options), pattern)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", action="append", default=[], metavar="FOLDER")
    validators = installed(parser.parse_args().bin)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        valid = folder / "valid"
        valid.mkdir()
        base = bases.scan(valid)
        outcomes = {name: run(command, base) for name, (command, _) in validators.items()}
        found = dict.fromkeys(validators, 0)
        crashed = dict.fromkeys(validators, 0)
        nonzero = dict.fromkeys(validators, 0)
        made = 0
        for label, mutant in MUTANTS.items():
            own = folder / label
            shutil.copytree(valid, own)
            with h5py.File(own / base.name, "r+") as file:
                expected = mutant(file)
            if expected is None:
                continue
            made += 1
            for name, (command, _) in validators.items():
                outcome = run(command, own / base.name)
                found[name] += is_found(outcomes[name], outcome, expected[0])
                crashed[name] += outcome.crashed
                nonzero[name] += outcome.code != 0
            shutil.rmtree(own)
    header = "found at their place | crashes | exit code not 0 | lines that tell problems"
    print(f"{made} single faults in a valid scan\n")
    print(f"| | {header} of the valid file |\n|---|---|---|---|---|")
    for name, (_, pattern) in validators.items():
        alarms = sum(bool(re.search(pattern, line)) for line in outcomes[name].lines)
        print(f"| {name} | {found[name]} | {crashed[name]} | {nonzero[name]} | {alarms} |")


if __name__ == "__main__":
    main()
