"""Write the brief as a page for screen and paper, or as a page for a mail."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from backtests.atomic import write_text
from backtests.brief.brief import Brief
from backtests.engine.schedule import BAND
from backtests.format import MISSING, percent, significant, state, text
from backtests.history.origin import stale_warning
from backtests.report.brief_charts import brief_charts
from backtests.report.brief_words import change_words, date_words, late_words, weights_words
from backtests.report.docstring import sections
from backtests.report.page import page, render
from backtests.report.theme import FLAGS, PAGE
from backtests.simulated import label_of, source_said

#: Largest number of rows in each list. A page with more rows would not fit on one sheet of paper.
MOST_FLIPS, MOST_CHANGES, MOST_DATES, MOST_LATE, MOST_GROUPS = 6, 10, 8, 5, 5


def write_brief_page(brief: Brief, numbers: Mapping[str, Any], path: Path, *, newest: bool) -> None:
    """Write one self-contained page without scripts. An existing page is replaced.

    ``numbers`` comes from :func:`backtests.report.brief_numbers.brief_numbers`. If ``newest`` is
    True, the page warns about an outdated history. A file that cannot be written raises DataError.
    """
    label = label_of(numbers["simulated"])
    section = render(
        "brief.html.j2",
        charts=list(brief_charts(brief, label).items()),
        **_values(brief, numbers, newest),
    )
    write_text(path, page(_title(numbers), section))


def write_brief_mail(brief: Brief, numbers: Mapping[str, Any], path: Path, *, newest: bool) -> None:
    """Write the brief as a page for a mail: tables with inline styles, and nothing else.

    The page has no style sheet, no script and no picture, because mail programs remove them. The
    other parameters are those of :func:`write_brief_page`.
    """
    values = _values(brief, numbers, newest)
    write_text(path, render("brief_mail.html.j2", title=_title(numbers), c=PAGE, **values).lstrip())


def _title(numbers: Mapping[str, Any]) -> str:
    return f"{label_of(numbers['simulated'])}brief, {numbers['as_of']}"


def _values(brief: Brief, numbers: Mapping[str, Any], newest: bool) -> dict[str, Any]:
    flips = [_flip(brief, flip) for flip in numbers["flips"]]
    return {
        "n": numbers,
        "stale": stale_warning(brief.sample.history) if newest else None,
        "source": source_said(numbers["source"]),
        "band": percent(BAND, 0),
        "colours": _COLOURS,
        "links": [_link(link) for link in numbers["links"]],
        "changes": _cut([change_words(change) for change in numbers["changes"]], MOST_CHANGES),
        "dates": _cut(date_words(numbers["dates"]), MOST_DATES),
        "flips": flips[:MOST_FLIPS],
        "flips_left": ", ".join(flip["signal"] for flip in flips[MOST_FLIPS:]),
        "holdings": [_holding(one) for one in numbers["holdings"]],
        "late": _cut([late_words(one) for one in numbers["late"]], MOST_LATE),
    }


def _cut(items: list[str], most: int) -> list[str]:
    """Return the first ``most`` items, and a text with the number of further items."""
    left = len(items) - most
    return items if left <= 0 else [*items[:most], f"and {left} more, see drypowder brief --json"]


def _link(link: Mapping[str, Any]) -> dict[str, Any]:
    flags = [f"{f['signal']} {state(f['on'])}{_since(f['since'])}" for f in link["flags"]]
    return {
        **link,
        "kind": link["word"] if link["word"] in ("on", "off") else "none",
        "colour": _COLOURS[link["word"]],
        "tip": ". ".join((link["statement"], "; ".join(flags) or "No signal measures this link")),
    }


def _since(day: str | None) -> str:
    return f" since {day}" if day else ""


def _flip(brief: Brief, flip: Mapping[str, Any]) -> dict[str, Any]:
    signal = brief.sample.reading.evaluations[flip["signal"]].signal
    unit = flip["unit"]
    return {
        "signal": flip["signal"],
        "what": dict(sections(type(signal)))["what"],
        "now": state(flip["on"]),
        "gauge": f"{flip['gauge']} {significant(flip['value'], unit)}",
        "flips": flip["flips"],
        "distance": "beyond" if flip["beyond"] else significant(flip["distance"], unit),
        "frequency": percent(flip["frequency"], 0),
        "regime": flip["regime"] or "no regime",
    }


def _holding(one: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "strategy": one["strategy"],
        "description": one["description"],
        "weights": one["reason"] or weights_words(one["weights"], MOST_GROUPS),
        "decided": text(one["decided_on"]),
        "moved": one["moved"] or ("no" if one["before"] else MISSING),
    }


_COLOURS = {
    "on": "#f3c9a5",
    "off": FLAGS["off"],
    "no view": FLAGS["no view"],
    "no flag": FLAGS["no view"],
}
