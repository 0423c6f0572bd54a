"""The template, the styles and the header that all pages have in common."""

from importlib.resources import files
from typing import Any

import jinja2

from backtests.history.origin import SIMULATED
from backtests.report.format import fixed, percent, significant, thousands
from backtests.report.theme import css_variables

#: Marks of the place of a page's section and of the beginning of quantstats' charts. The marks are
#: HTML comments, because quantstats removes every unknown ``{{…}}``.
MARKER = "<!-- drypowder: first section -->"
_CHARTS = "<!-- drypowder: no charts -->"
_FILTERS = (fixed, percent, significant, thousands)
_CLOSING = "</main>\n</body>\n</html>\n"


def template() -> str:
    """Return the template of a page. It has placeholders for the title and for charts."""
    text = files("backtests.report").joinpath("template.html").read_text(encoding="utf-8")
    return text.replace("{{colours}}", css_variables())


def label_of(simulated: bool) -> str:
    """Return the first word of every title: SIMULATED if history is simulated, else no word."""
    return f"{SIMULATED}: " if simulated else ""


def page(title: str, section: str) -> str:
    """Return a page that has one section. It has no charts by quantstats."""
    head, _, _ = template().partition(_CHARTS)
    return head.replace("{{title}}", title).replace(MARKER, section, 1) + _CLOSING


def render(name: str, **values: Any) -> str:
    """Return a section, made from the jinja template ``name``. A missing value is an error.

    Some functions of :mod:`backtests.report.format` are filters in templates. They have the same
    names there.
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
