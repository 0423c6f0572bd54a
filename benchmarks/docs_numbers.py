"""Compute the numbers in the documents from real history, and write them into the pages.

    python -m benchmarks.docs_numbers --store FILE

Run this script in the project's folder. ``drypowder import path/to/history --store FILE`` makes the
store. A block of numbers is the text between ``<!-- begin: NAME -->`` and ``<!-- end: NAME -->`` in
a page of ``PAGES``. The script replaces only the blocks. The blocks of the flags take a minute, and
the blocks of the thesis take another minute. The blocks of the strategies take as long as
``drypowder compare --start 2015-01-01``.
``python -m benchmarks.luck --write`` writes the block luck-calibration.

    --only NAME        compute only this block; can be given several times
    --compare FILE     take the numbers of strategies from a file with ``compare --json`` output
    --draws, --workers as for ``compare``
    --check            write nothing, print the blocks that differ, exit with 1 if any differs
"""

import argparse
import json
import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path

from backtests.history.panel import History
from backtests.store.store import store_path
from benchmarks import docs_flags, docs_luck, docs_scales, docs_strategies, docs_thesis
from benchmarks.docs_flags import Material

ROOT = Path(__file__).resolve().parent.parent
PAGES = tuple(
    f"docs/{name}.md" for name in ("few-episodes", "flags", "luck", "strategies", "thesis")
)
SLOW = tuple(docs_strategies.BLOCKS)
#: Blocks that need signals and single runs.
FLAGS = docs_flags.BLOCKS | docs_scales.BLOCKS | docs_luck.BLOCKS
#: Blocks that another script writes; they need no history.
ELSEWHERE = {"luck-calibration": "python -m benchmarks.luck --write"}
NAMES = (*FLAGS, *docs_thesis.BLOCKS, *SLOW)


def marked(name: str) -> re.Pattern[str]:
    """Return the pattern of a block: begin comment, content and end comment."""
    return re.compile(rf"(<!-- begin: {name} -->)(.*?)(<!-- end: {name} -->)", re.DOTALL)


def block_of(text: str, name: str) -> str:
    """Return the text of a block.

    Raises
    ------
    ValueError
        If the page does not have the block exactly once.
    """
    found = marked(name).findall(text)
    if len(found) != 1:
        raise ValueError(f"expected the block {name} once, found it {len(found)} times")
    return str(found[0][1]).strip()


def with_block(text: str, name: str, content: str) -> str:
    """Return a page with new content in a block. A block within a line stays within the line."""
    inside = marked(name).search(text)
    assert inside is not None, name
    around = "\n" if "\n" in inside[2] else ""
    return marked(name).sub(lambda m: m[1] + around + content + around + m[3], text)


def page_of(name: str) -> Path:
    """Return the page that contains a block."""
    return next(ROOT / p for p in PAGES if marked(name).search((ROOT / p).read_text("utf-8")))


def contents(history: History, options: argparse.Namespace) -> Iterable[tuple[str, str]]:
    """Yield the name and the content of each requested block."""
    wanted = options.only or NAMES
    material = Material(history)
    for name in wanted:
        if name in FLAGS:
            yield name, FLAGS[name](material)
    if set(wanted) & set(docs_thesis.BLOCKS):
        tried = docs_thesis.numbers_of(history)
        for name in wanted:
            if name in docs_thesis.BLOCKS:
                yield name, docs_thesis.BLOCKS[name](tried)
    if set(wanted) & set(SLOW):
        numbers = _numbers(history, options)
        for name in wanted:
            if name in SLOW:
                yield name, docs_strategies.BLOCKS[name](numbers)


def _numbers(history: History, options: argparse.Namespace) -> docs_strategies.Numbers:
    if options.compare:
        numbers: docs_strategies.Numbers = json.loads(options.compare.read_text("utf-8"))["rows"]
        return numbers

    def say(step: str, done: int | None = None, total: int | None = None) -> None:
        print(step, *(() if total is None else (f"{done} of {total}",)), file=sys.stderr)

    given = {"draws": options.draws, "workers": options.workers, "progress": say}
    return docs_strategies.numbers_of(history, **given)


def main() -> int:
    """Write the blocks or, with ``--check``, compare them with the pages."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--store", type=Path, default=store_path())
    parser.add_argument("--only", action="append", choices=NAMES)
    parser.add_argument("--compare", type=Path)
    parser.add_argument("--draws", type=int, default=39)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    changed = 0
    for name, content in contents(History.load(options.store), options):
        page = page_of(name)
        text = page.read_text("utf-8")
        if block_of(text, name) == content.strip():
            continue
        changed += 1
        print(f"{page.relative_to(ROOT)}: {name}")
        if not options.check:
            page.write_text(with_block(text, name, content), "utf-8")
    return int(options.check and changed > 0)


if __name__ == "__main__":
    sys.exit(main())
