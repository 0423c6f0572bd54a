"""The template, the styles and the header that all pages have in common."""

import re
from importlib.resources import files
from typing import Any

import jinja2
from markupsafe import Markup

from backtests.format import (
    fixed,
    money,
    percent,
    significant,
    state,
    text,
    thousands,
    yes_no,
)
from backtests.plural import number_of
from backtests.report.glossary import EXPLAINED, TERMS, anchor, explained
from backtests.report.panels import POINTED
from backtests.report.theme import css_light_and_dark
from signals.summary import exact


def whole(said: object) -> Markup:
    """Return HTML that keeps a text, such as a date, on one line."""
    return Markup('<span class="whole">{}</span>').format(said)


def dates_whole(said: str) -> Markup:
    """Return HTML of a text in which each date stays on one line.

    >>> dates_whole("GDP 2026-03-30")
    Markup('GDP <span class="whole">2026-03-30</span>')
    """
    parts = _DATE.split(said)
    return Markup("").join(whole(part) if _DATE.fullmatch(part) else part for part in parts)


_DATE = re.compile(r"(\d{4}-\d\d-\d\d)")
_FILTERS = (
    dates_whole,
    exact,
    fixed,
    money,
    number_of,
    percent,
    significant,
    state,
    text,
    thousands,
    whole,
    yes_no,
)


def page(title: str, section: str) -> str:
    """Return a self-contained page that has one section.

    If the section contains panels, the page gets the script that shows the values of a day. If the
    section contains links to terms, the page gets the script that shows definitions. All other
    scripts of the page must be part of ``section``.
    """
    needed = {POINTED: "pointer.js", EXPLAINED: "terms.js"}
    script = "\n".join(_read(name) for mark, name in needed.items() if mark in section)
    styles = css_light_and_dark() + _read("panels.css")
    return render("page.html.j2", title=title, section=section, styles=styles, script=script)


def _read(name: str) -> str:
    return files("backtests.report").joinpath(name).read_text(encoding="utf-8")


def render(name: str, **values: Any) -> str:
    """Return a section from the jinja template ``name``; a missing value is an error.

    Templates can use the functions in :data:`_FILTERS` as filters, for example
    ``{{ value | percent }}``.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("backtests.report", "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {form.__name__: form for form in _FILTERS}
    environment.globals |= {"term": explained, "anchor": anchor, "TERMS": TERMS}
    return environment.get_template(name).render(**values)
