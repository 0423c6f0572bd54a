"""The template, the styles and the header that all pages have in common."""

from importlib.resources import files
from typing import Any

import jinja2

from backtests.history.origin import SIMULATED
from backtests.report.format import fixed, percent, significant, thousands
from backtests.report.theme import css_variables

#: The HTML comments that mark the place of a page's section, and the start of quantstats' charts.
#: quantstats removes an unknown ``{{…}}``, but not a comment.
MARKER = "<!-- drypowder: first section -->"
_CHARTS = "<!-- drypowder: no charts -->"
_FILTERS = (fixed, percent, significant, thousands)
_CLOSING = "</main>\n</body>\n</html>\n"


def template() -> str:
    """Return the template of a page, with placeholders for the title and for charts."""
    text = files("backtests.report").joinpath("template.html").read_text(encoding="utf-8")
    return text.replace("{{colours}}", css_variables())


def label_of(simulated: bool) -> str:
    """Return the start of every title: SIMULATED for a simulated history, else an empty text."""
    return f"{SIMULATED}: " if simulated else ""


def page(title: str, section: str) -> str:
    """Return a page that has one section, without charts by quantstats."""
    head, _, _ = template().partition(_CHARTS)
    return head.replace("{{title}}", title).replace(MARKER, section, 1) + _CLOSING


def render(name: str, **values: Any) -> str:
    """Return a section from the jinja template ``name``; a missing value is an error.

    Templates can use functions of :mod:`backtests.report.format` as filters, by the same names.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("backtests.report", "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {form.__name__: form for form in _FILTERS}
    return environment.get_template(name).render(**values)
