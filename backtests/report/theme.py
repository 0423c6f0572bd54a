"""The dress that every page wears: one template file, and sections of HTML that stand in it."""

from importlib.resources import files
from typing import Any

import jinja2

#: Where a page's section stands, and where quantstats' charts begin. quantstats strips every
#: ``{{…}}`` it does not know, so our section goes in afterwards, at an HTML comment.
MARKER = "<!-- drypowder: first section -->"
_CHARTS = "<!-- drypowder: no charts -->"
_CLOSING = "</main>\n</body>\n</html>\n"


def template() -> str:
    """Return the whole template, with the places for quantstats' charts."""
    return files("backtests.report").joinpath("template.html").read_text(encoding="utf-8")


def framed(title: str, section: str) -> str:
    """Return a page of one section, without quantstats' charts."""
    head, _, _ = template().partition(_CHARTS)
    return head.replace("{{title}}", title).replace(MARKER, section, 1) + _CLOSING


def rendered(name: str, **values: Any) -> str:
    """Return a section by its jinja template; a value that the template lacks is an error."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("backtests.report", "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name).render(**values)
