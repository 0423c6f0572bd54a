"""Print a page to PDF with a Chromium that the user has installed."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from backtests.atomic import replacing
from signals.errors import ConfigError, DataError

#: Names of the programs that can print a page, in the order in which they are tried.
BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "microsoft-edge",
)
_OPTIONS = (
    "--headless",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-pdf-header-footer",
)
_LONGEST = 60  # seconds for one page


def find_browser() -> str:
    """Return the path of an installed Chromium; raise ConfigError if there is none."""
    for name in BROWSERS:
        found = shutil.which(name)
        if found is not None:
            return found
    raise ConfigError(
        f"expected Chromium to write a PDF, found none of {', '.join(BROWSERS)}; install one or "
        "leave --pdf out"
    )


def write_pdf(page: Path, path: Path) -> None:
    """Print an HTML file to a PDF file. An existing PDF file is replaced.

    ConfigError is raised if no Chromium is installed. DataError is raised if Chromium writes no
    file, or if the PDF cannot be written.
    """
    browser = find_browser()
    with replacing(path) as fresh, tempfile.TemporaryDirectory() as profile:
        said = _print(browser, page, fresh, Path(profile))
        if not fresh.is_file():
            raise DataError(f"expected {browser} to write {path}, but it wrote no file: {said}")
        # Chromium ends without an error even if the disk is full and the file is cut. The last
        # message of Chromium ends with the system's reason. An OSError with this reason gives the
        # user the usual message of a failed write.
        if not fresh.read_bytes().rstrip().endswith(b"%%EOF"):
            raise OSError(said.rpartition(": ")[2])


def _print(browser: str, page: Path, fresh: Path, profile: Path) -> str:
    """Run the browser, and return the last line of its messages."""
    # Chromium refuses to run as root with its sandbox. Without the sandbox there is little risk,
    # because drypowder wrote the page, and the page has no script.
    root = ("--no-sandbox",) if getattr(os, "geteuid", lambda: 1)() == 0 else ()
    command = [browser, *_OPTIONS, *root, f"--user-data-dir={profile}", f"--print-to-pdf={fresh}"]
    try:
        ended = subprocess.run(
            [*command, page.resolve().as_uri()],
            capture_output=True,
            timeout=_LONGEST,
            check=False,
            text=True,
            errors="replace",
        )
    except subprocess.TimeoutExpired:
        return f"it ran for more than {_LONGEST} seconds"
    return (ended.stderr.strip().splitlines() or ["no message"])[-1]
