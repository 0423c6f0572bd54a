"""A headless Chromium for tests that open pages."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

_QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


@contextmanager
def chromium() -> Iterator[Any]:
    """Start Debian's Chromium. If it is missing, the test is skipped, but fails on CI."""
    path = shutil.which("chromium")
    if path is None:
        reason = "no Chromium: install Debian's package chromium"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=list(_QUIET))
        yield started
        started.close()


@contextmanager
def opened(
    browser: Any, path: Path, width: int = 1440, scheme: str = "light"
) -> Iterator[tuple[Any, list[str]]]:
    """Open a page; yield the page, and a list of its errors and of the addresses it requested."""
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    troubles: list[str] = []
    page.on("console", lambda m: troubles.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda e: troubles.append(str(e)))
    page.on("request", lambda r: troubles.append(r.url) if r.url.startswith("http") else None)
    page.goto(f"file://{path}")
    yield page, troubles
    page.close()


def folded(page: Any) -> tuple[int, int]:
    """Return the numbers of folded parts that a page has, and whose content is visible."""
    visible = "details => details.lastElementChild.checkVisibility()"
    parts = page.locator("details.fold")
    return parts.count(), sum(part.evaluate(visible) for part in parts.all())


def overflow(page: Any) -> int:
    """Return by how many pixels a page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - innerWidth"))
