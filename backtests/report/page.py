"""Template, styles and header shared by all pages."""

from importlib.resources import files
from typing import Any

import jinja2

from backtests.history.origin import SIMULATED
from backtests.report.format import fixed, percent, significant, thousands
from backtests.report.theme import css_variables

#: The place of a page's section, and the beginning of quantstats' charts. Both are HTML comments,
#: since quantstats strips every ``{{…}}`` that it does not know.
MARKER = "<!-- drypowder: first section -->"
_CHARTS = "<!-- drypowder: no charts -->"
_FILTERS = (fixed, percent, significant, thousands)
_CLOSING = "</main>\n</body>\n</html>\n"


def template() -> str:
    """Return the template of a page, with places for its title and for quantstats' charts."""
    text = files("backtests.report").joinpath("template.html").read_text(encoding="utf-8")
    return text.replace("{{colours}}", css_variables())


def label_of(simulated: bool) -> str:
    """Return the label before every title of a simulated history; empty for a real one."""
    return f"{SIMULATED}: " if simulated else ""


def page(title: str, section: str) -> str:
    """Return a page with one section and without quantstats' charts."""
    head, _, _ = template().partition(_CHARTS)
    return head.replace("{{title}}", title).replace(MARKER, section, 1) + _CLOSING


def render(name: str, **values: Any) -> str:
    """Return a section, rendered from its jinja template. A missing value raises an error.

    Filters of templates have the names of functions of :mod:`backtests.report.format`.
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
