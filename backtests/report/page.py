"""Template, styles and header shared by all pages."""

from importlib.resources import files
from typing import Any

import jinja2

from backtests.report.format import fixed, percent, significant, thousands
from backtests.report.theme import css_variables

#: Where a page's section stands, and where quantstats' charts begin. quantstats strips every
#: ``{{…}}`` it does not know, so our section goes in afterwards, at an HTML comment.
MARKER = "<!-- drypowder: first section -->"
_CHARTS = "<!-- drypowder: no charts -->"
_FILTERS = (fixed, percent, significant, thousands)
_CLOSING = "</main>\n</body>\n</html>\n"


def template() -> str:
    """Return the template of a page, with the places for its title and quantstats' charts."""
    text = files("backtests.report").joinpath("template.html").read_text(encoding="utf-8")
    return text.replace("{{colours}}", css_variables())


def page(title: str, section: str) -> str:
    """Return a page of one section, without quantstats' charts."""
    head, _, _ = template().partition(_CHARTS)
    return head.replace("{{title}}", title).replace(MARKER, section, 1) + _CLOSING


def render(name: str, **values: Any) -> str:
    """Return a section by its jinja template; a value that the template lacks is an error.

    Templates format numbers with :mod:`backtests.report.format`, by filters of the same names.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("backtests.report", "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        form.__name__: form for form in (fixed, percent, significant, thousands)
    }
    return environment.get_template(name).render(**values)
