"""Measure size, loading time, accessibility and print of every page that drypowder writes.

    python -m benchmarks.pages --store FILE --out FOLDER

The script writes each page with its command, opens it in Chromium, and prints one row per page:

- its size in MB;
- the median time of five loads until the document is ready, in ms, at 1440 pixels;
- the number of violations that axe-core finds, summed over widths of 1440 and 390 pixels, and over
  light and dark colours;
- the number of errors in the console, and of requests to another host;
- the largest number of pixels by which the page is wider than its window;
- the number of A4 sheets of the printed page.

Without ``--store``, the history is the SIMULATED economy. The pages, their screenshots and their
prints stay in the folder. The script needs Chromium.
"""

import argparse
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe

from backtests.cli.app import command
from tests.browser import chromium, opened, overflow

LOADS = 5
WIDTHS, SCHEMES = (1440, 390), ("light", "dark")
COLUMNS = ("page", "MB", "ready, ms", "axe", "errors", "too wide, px", "A4 sheets")


def commands(folder: Path) -> dict[str, tuple[Path, list[str]]]:
    """Return the page and the arguments of each command that writes a page."""
    start = ["--start", "2015-01-01"]
    of_sweep = ["--set", "dry_powder.k=0.07:0.11:5", "--set", "lag=1,2,5", "--set", "band=0,0.02"]
    return {
        "tearsheet": (
            folder / "run/tearsheet.html",
            ["run", "near-cash-flow", *start, "--out", f"{folder}/run"],
        ),
        "compare": (folder / "compare.html", ["compare", *start, "--draws", "9"]),
        "flags": (folder / "flags.html", ["flags", "--html", f"{folder}/flags.html"]),
        "sweep": (
            folder / "sweep/sweep.html",
            ["sweep", "near-cash-flow", *start, *of_sweep, "--out", f"{folder}/sweep"],
        ),
        "thesis": (folder / "thesis.html", ["thesis"]),
        "brief": (folder / "brief.html", ["brief"]),
    }


def written(folder: Path, source: list[str]) -> Iterator[tuple[str, Path]]:
    """Write each page that the folder lacks, and yield its name and path."""
    for name, (page, arguments) in commands(folder).items():
        if not page.exists():
            out = ["--out", str(page)] if "--out" not in arguments and name != "flags" else []
            code = command([*arguments, *out, *source])
            assert code == 0, f"{name} ended with code {code}"
        yield name, page


def measured(browser: Any, name: str, page: Path, folder: Path) -> list[str]:
    """Return the row of a page, and write its screenshots and its print."""
    axe, errors, wide = 0, 0, 0
    for width in WIDTHS:
        for scheme in SCHEMES:
            with opened(browser, page, width, scheme) as (tab, troubles):
                tab.wait_for_timeout(300)
                axe += Axe().run(tab).violations_count
                wide = max(wide, overflow(tab))
                errors += len(troubles)
                tab.screenshot(path=folder / f"{name}-{width}-{scheme}.png")
    size, ready = page.stat().st_size / 1e6, _ready(browser, page)
    numbers = (f"{size:.2f}", f"{ready:.0f}", str(axe), str(errors), str(wide))
    return [name, *numbers, str(_sheets(browser, page, folder / f"{name}.pdf"))]


def _ready(browser: Any, page: Path) -> float:
    """Return the median time until the document is ready, in ms."""
    timing = "performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"
    times = []
    for _ in range(LOADS):
        with opened(browser, page) as (tab, _):
            times.append(float(tab.evaluate(timing)))
    return statistics.median(times)


def _sheets(browser: Any, page: Path, pdf: Path) -> int:
    """Print a page, and return the number of its sheets."""
    with opened(browser, page) as (tab, _):
        tab.pdf(path=pdf, format="A4", prefer_css_page_size=True, print_background=True)
    content = pdf.read_bytes()
    return content.count(b"/Type /Page") - content.count(b"/Type /Pages")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--store", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    source = ["--store", str(args.store)] if args.store else ["--source", "simulated"]
    args.out.mkdir(parents=True, exist_ok=True)
    pages = list(written(args.out.resolve(), source))
    print(" | ".join(COLUMNS))
    with chromium() as browser:
        for name, page in pages:
            print(" | ".join(measured(browser, name, page, args.out)), flush=True)


if __name__ == "__main__":
    main()
