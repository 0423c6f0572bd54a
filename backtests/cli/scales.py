"""Print a table of idle capital on the terminal, one row for each measure."""

from collections.abc import Mapping
from operator import itemgetter
from typing import Any

from backtests.cli.table import Columns, numbers, print_records, words
from backtests.cli.terminal import say
from backtests.format import significant, text, yes_no

COLUMNS: Columns = (
    (words("idle capital by"), itemgetter("title")),
    (numbers("value"), lambda row: significant(row["value"], row["unit"])),
    (words("depleted", rank=1), lambda row: yes_no(row["flag"])),
    (words("since", rank=2), lambda row: text(row["since"])),
)


def print_scales(scales: Mapping[str, Any] | None) -> None:
    """Print a table of idle capital; if ``scales`` is None, print nothing.

    ``scales`` comes from :func:`backtests.report.flags_numbers.said_of_scales`.
    """
    if scales is not None:
        print_records(COLUMNS, scales["rows"])
        say(scales["said"])
