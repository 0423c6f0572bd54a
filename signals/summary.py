"""The short form of a result: a few lines of text, and a small HTML table for notebooks."""

import textwrap
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

import pandas as pd

#: Maximum length of a line of text. A terminal with 80 columns does not wrap a line of this length.
WIDTH = 79
#: The HTML table sets no colours, because a notebook can be light or dark.
_LEFT = 'style="text-align:left"'


@dataclass(frozen=True, kw_only=True)
class Summary:
    """The short form of a large result: a title and a few named facts."""

    title: str
    facts: Mapping[str, str]

    def text(self) -> str:
        """Return the title and a line for each fact; no line is longer than :data:`WIDTH`."""
        indent = 4 + max(map(len, self.facts), default=0)
        lines = textwrap.wrap(self.title, WIDTH, subsequent_indent="  ")
        for name, fact in self.facts.items():
            first = f"  {name}".ljust(indent)
            lines += textwrap.wrap(
                fact, WIDTH, initial_indent=first, subsequent_indent=" " * indent
            )
        return "\n".join(lines)

    def html(self) -> str:
        """Return the title and the facts as an HTML table; HTML characters in texts are escaped."""
        rows = "".join(
            f'<tr><th scope="row" {_LEFT}>{escape(name)}</th><td {_LEFT}>{escape(fact)}</td></tr>'
            for name, fact in self.facts.items()
        )
        caption = f'<caption style="text-align:left;color:inherit">{escape(self.title)}</caption>'
        return f"<table>{caption}<tbody>{rows}</tbody></table>"


class Summarised(ABC):
    """Base class of large results; Python and notebooks show such a result in a short form."""

    @abstractmethod
    def _summary(self) -> Summary:
        """Return the short form."""

    def __repr__(self) -> str:
        """Return the short form of the result as text."""
        return self._summary().text()

    def _repr_html_(self) -> str:
        """Return the short form of the result as HTML; Jupyter and marimo call this method."""
        return self._summary().html()


def with_unit(number: str, unit: str) -> str:
    """Return a number with its unit; a fraction has no unit.

    >>> with_unit("14.8", "% of GDP"), with_unit("0.683", "fraction")
    ('14.8 % of GDP', '0.683')
    """
    return number if unit in ("", "fraction") else f"{number} {unit}"


#: Usual numbers of sessions in a quarter and in a year.
_PERIODS = {"quarter": (63, 65), "year": (252,)}


def over(unit: str, sessions: int) -> str:
    """Return the unit of a change over a number of sessions.

    ``unit`` can contain a period, as in ``pp / quarter``. A quarter has 63 or 65 sessions, and a
    year has 252. For another number of sessions, the result gives the number instead of the period.

    >>> over("pp / quarter", 63), over("pp / quarter", 21), over("USD bn", 21)
    ('pp / quarter', 'pp over 21 sessions', 'USD bn')
    """
    what, _, period = unit.partition(" / ")
    named = sessions in _PERIODS.get(period, (sessions,))
    return unit if named else f"{what} over {sessions} {'session' if sessions == 1 else 'sessions'}"


def amount(value: float, unit: str = "", digits: int = 3) -> str:
    """Return a number as text, rounded to ``digits`` significant digits, with its unit.

    All digits before the decimal point are kept, even if there are more than ``digits``.

    >>> amount(14.83, "% of GDP"), amount(31095.1, "USD"), amount(float("nan"), "%")
    ('14.8 % of GDP', '31,095 USD', 'no value')
    """
    if pd.isna(value):
        return "no value"
    is_long = abs(value) >= 10**digits - 0.5
    return with_unit(f"{value:{'z,.0f' if is_long else f'z.{digits}g'}}", unit)


def exact(value: float) -> str:
    """Return a user's number as text, with up to 12 significant digits.

    A number below 1e16 keeps all digits before the decimal point.

    >>> exact(0.025), exact(6_500_000.0), exact(-0.1), exact(1e12)
    ('0.025', '6,500,000', '-0.1', '1,000,000,000,000')
    """
    return f"{value:{',.0f' if 1e11 <= abs(value) < 1e16 else ',.12g'}}"


def described(index: pd.Index) -> str:
    """Return the number of sessions of an index, and its first and last date."""
    if not len(index):
        return "no session"
    noun = "session" if len(index) == 1 else "sessions"
    return f"{len(index):,} {noun}, {str(index[0])[:10]} to {str(index[-1])[:10]}"
