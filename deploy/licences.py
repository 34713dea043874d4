"""Lists the licence of each package that an installed r1-kb brings, and fails where one may not go with MIT.

.venv/bin/python deploy/licences.py [EXTRA …]
"""

import re
import sys
from importlib import metadata

from packaging.requirements import Requirement

_PERMISSIVE = re.compile(
    r"MIT|BSD|Apache|ISC|PSF|Python Software Foundation|CNRI|Zlib|0BSD|CC0|BSL-1\.0|Boost|Unlicense|HPND|"
    # File by file: what is changed in such a file stays open; nothing is asked of what stands beside it.
    r"MPL|Mozilla",
    re.IGNORECASE,
)
_COPYLEFT = re.compile(r"\bA?GPL|\bLGPL|GNU|SSPL|BUSL|non-?commercial|proprietary", re.IGNORECASE)


def licence(distribution: metadata.Distribution) -> str:
    """What a package says of its licence: the expression, else the classifiers, else the first line of free text."""
    told = distribution.metadata
    classifiers = [each for each in told.get_all("Classifier", []) if each.startswith("License ::")]
    return told.get("License-Expression") or ", ".join(classifiers) or (told.get("License") or "").partition("\n")[0]


def installed_with(name: str, extras: frozenset[str]) -> dict[str, metadata.Distribution]:
    """A package and all that it needs on this machine, by name."""
    found: dict[str, metadata.Distribution] = {}
    waiting = [name]
    while waiting:
        name = waiting.pop()
        key = re.sub(r"[-_.]+", "-", name).lower()
        if key in found:
            continue
        try:
            found[key] = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue  # of another system or Python
        needed = map(Requirement, found[key].requires or [])
        waiting += [each.name for each in needed if is_wanted(each, extras if len(found) == 1 else frozenset())]
    return found


def is_wanted(requirement: Requirement, extras: frozenset[str]) -> bool:
    """Whether something is needed on this machine, with some extras."""
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras))


def main(extras: list[str]) -> int:
    """Prints the table.

    Returns:
        How many may not go with MIT.
    """
    bad = 0
    for name, distribution in sorted(installed_with("r1-kb", frozenset(extras)).items()):
        said = licence(distribution)
        fits = bool(_PERMISSIVE.search(said)) and not _COPYLEFT.search(said)
        bad += not fits
        print(f"{'  ' if fits else '! '}{name} {distribution.version}: {said or 'unknown'}")
    return bad


if __name__ == "__main__":
    sys.exit(bool(main(sys.argv[1:])))
