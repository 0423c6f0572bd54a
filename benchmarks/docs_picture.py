"""Take the picture of a tearsheet for the README and the first page of the site.

    python -m benchmarks.docs_picture

The script runs a strategy on the SIMULATED economy and writes the top of its page to
docs/tearsheet.png. The script needs Chromium.
"""

import argparse
import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from backtests.cli.app import command

PICTURE = Path(__file__).resolve().parent.parent / "docs" / "tearsheet.png"
SIZE = {"width": 1200, "height": 965}


def main() -> None:
    """Write the picture."""
    argparse.ArgumentParser(description="Write docs/tearsheet.png; needs Chromium.").parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        made = command(["run", "cash-heavy", "--source", "simulated", "--out", f"{folder}/run"])
        assert made == 0, "the run failed"
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page(viewport=SIZE, color_scheme="light")  # type: ignore[arg-type]
        page.goto(f"file://{folder}/run/tearsheet.html")
        page.wait_for_timeout(2000)
        page.screenshot(path=PICTURE)
        browser.close()


if __name__ == "__main__":
    main()
