"""Check that the wheel and the sdist contain every file of the packages, and nothing else of ours.

    python -m benchmarks.wheel dist

``make build`` runs this script. If a file is missing, such as ``py.typed`` or a template of a page,
the script names the file and exits with 1.
"""

import sys
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("signals", "strategies", "backtests")


def in_repository() -> set[str]:
    """Return the paths of all files of the packages, without compiled files."""
    return {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def in_wheel(wheel: Path) -> set[str]:
    """Return the paths of all files of a wheel, without its metadata."""
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


def in_sdist(sdist: Path) -> set[str]:
    """Return the paths of all files of the packages in an sdist."""
    with tarfile.open(sdist) as archive:
        names = {member.name.partition("/")[2] for member in archive if member.isfile()}
    return {name for name in names if name.split("/")[0] in PACKAGES}


def faults(dist: Path) -> list[str]:
    """Return a line for each file that a built archive lacks or should not have."""
    expected = in_repository()
    found = {path.name: in_wheel(path) for path in dist.glob("*.whl")}
    found |= {path.name: in_sdist(path) for path in dist.glob("*.tar.gz")}
    if len(found) != 2:
        return [f"expected one wheel and one sdist in {dist}, found {sorted(found)}"]
    return [
        f"{name}: {what} {path}"
        for name, paths in found.items()
        for what, files in (("lacks", expected - paths), ("should not have", paths - expected))
        for path in sorted(files)
    ]


def main() -> int:
    """Print the faults of the archives in a folder."""
    wrong = faults(Path(sys.argv[1]))
    print("\n".join(wrong) or "wheel and sdist contain every file of the packages")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
