"""Turn numbers into text for all pages and for the terminal.

The text of an undefined number (None, NaN or infinity) is :data:`MISSING`. Zero never has a minus
sign.
"""

import math
from collections.abc import Callable, Mapping
from functools import partial

MISSING = "–"
Form = Callable[[float | None], str]


def is_missing(value: float | None) -> bool:
    """Return whether a value is None, NaN or infinite."""
    return value is None or not math.isfinite(value)


def fixed(value: float | None, digits: int = 2, unit: str = "") -> str:
    """Return a number as text, with ``digits`` decimals and its unit.

    >>> fixed(1.234), fixed(-0.001), fixed(None)
    ('1.23', '0.00', '–')
    """
    return _shown(value, f"z.{digits}f", unit)


#: A number with three decimals.
fixed_3: Form = partial(fixed, digits=3)


def percent(value: float | None, digits: int = 1, unit: str = "", *, signed: bool = False) -> str:
    """Return a fraction as text in percent. ``signed`` puts a plus sign before positive numbers.

    >>> percent(0.1234), percent(-0.5, 0, "%"), percent(0.02, signed=True)
    ('12.3', '-50 %', '+2.0')
    """
    plus = "+" if signed else ""
    return _shown(None if value is None else 100 * value, f"{plus}z.{digits}f", unit)


#: Fractions as ``12``, ``12.34``, ``+12.3``, ``12.3 %`` and ``12.34 %``.
percent_0: Form = partial(percent, digits=0)
percent_2: Form = partial(percent, digits=2)
percent_signed: Form = partial(percent, signed=True)
percent_unit: Form = partial(percent, unit="%")
percent_2_unit: Form = partial(percent, digits=2, unit="%")


def significant(value: float | None, unit: str = "", digits: int = 3) -> str:
    """Return a number as text, with its unit; a missing number is :data:`MISSING`.

    The text has ``digits`` significant digits, but keeps all digits before the decimal point.

    >>> significant(14.83, "% of GDP"), significant(0.0001234), significant(31095.1)
    ('14.8 % of GDP', '0.000123', '31,095')
    """
    from signals.summary import amount  # signals imports pandas, which --help must not import

    return MISSING if value is None or is_missing(value) else amount(value, unit, digits)


def p_value(value: float | None) -> str:
    """Return a p-value as text with three decimals, or ``<0.001`` if it is below 0.001.

    >>> p_value(0.0134), p_value(0.0002), p_value(None)
    ('0.013', '<0.001', '–')
    """
    return "<0.001" if value is not None and value < 0.001 else fixed(value, 3)


def money(value: float | None) -> str:
    """Return an amount as text, with two decimals and with commas between thousands.

    >>> money(1234567.891)
    '1,234,567.89'
    """
    return _shown(value, "z,.2f")


def thousands(value: float | None) -> str:
    """Return a number as text, without decimals and with commas between thousands.

    >>> thousands(12345)
    '12,345'
    """
    return _shown(value, "z,.0f")


def text(value: object) -> str:
    """Return a word, a date or a count as text; None becomes :data:`MISSING`.

    >>> text("2020-03-23"), text(None)
    ('2020-03-23', '–')
    """
    return MISSING if value is None else str(value)


def state(flag: bool | None) -> str:
    """Return a flag in words: on, off, or no view."""
    from signals.hysteresis import flag_word  # signals imports pandas, see significant

    return flag_word(flag)


def yes_no(flag: bool | None) -> str:
    """Return a flag as the answer to a question: yes, no, or no view."""
    return "no view" if flag is None else "yes" if flag else "no"


def interval(bounds: Mapping[str, float | None], form: Form) -> str:
    """Return ``low`` and ``high`` in brackets, or an empty text if a bound is missing.

    >>> interval({"low": 0.1, "high": 0.25}, percent)
    '[10.0, 25.0]'
    """
    low, high = bounds["low"], bounds["high"]
    return "" if is_missing(low) or is_missing(high) else f"[{form(low)}, {form(high)}]"


def _shown(value: float | None, form: str, unit: str = "") -> str:
    from signals.summary import with_unit  # signals imports pandas, see significant

    if value is None or is_missing(value):
        return MISSING
    return with_unit(f"{value:{form}}", unit)
