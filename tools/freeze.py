"""Write constraints.txt: the version of every package that this project's extras bring here.

Run it in an environment that passes ``make test``; it takes the versions from there::

    .venv/bin/python tools/freeze.py > constraints.txt
"""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, distribution

from packaging.requirements import Requirement

HEADER = """\
# Every version that the book was built and tested with; `make` installs under this file.
# The package itself has lower bounds only (pyproject.toml). Made by tools/freeze.py."""


def closure(name: str, extras: frozenset[str]) -> dict[str, str]:
    """Return name -> version of all that ``name[extras]`` needs, as installed here."""
    found: dict[str, str] = {}
    waiting, seen = [(name, extras)], set()
    while waiting:
        project, wanted = waiting.pop()
        key = (re.sub(r"[-_.]+", "-", project).lower(), wanted)
        if key in seen:
            continue
        seen.add(key)
        try:
            package = distribution(project)
        except PackageNotFoundError:
            continue  # for another platform
        found[key[0]] = package.version.partition("+")[0]  # no local build tag: torch 2.x+cpu
        for line in package.requires or ():
            requirement = Requirement(line)
            if _applies(requirement, wanted):
                waiting.append((requirement.name, frozenset(requirement.extras)))
    del found[re.sub(r"[-_.]+", "-", name).lower()]
    return found


def _applies(requirement: Requirement, extras: frozenset[str]) -> bool:
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in (*extras, ""))


if __name__ == "__main__":
    print(HEADER)
    for package, version in sorted(closure("companion", frozenset({"bench"})).items()):
        print(f"{package}=={version}")
