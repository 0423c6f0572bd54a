"""Hysteresis and the confirmation of a regime, compared with results by hand."""

import pandas as pd
import pytest

from signals.errors import ConfigError
from signals.hysteresis import Threshold, hysteresis, turned
from signals.regimes.base import settle

NAN = float("nan")


def days(n: int) -> pd.DatetimeIndex:
    return pd.bdate_range("2024-01-02", periods=n)


def bits(text: str) -> pd.Series:
    """Return a boolean series from a string: 1 is True and a dot is False."""
    return pd.Series([c == "1" for c in text], index=days(len(text)))


def shown(flag: pd.Series) -> str:
    """Return a flag as text: 1 for on, a dot for off, and ? for NA."""
    assert flag.dtype == "boolean"
    return "".join("?" if pd.isna(f) else "1" if f else "." for f in flag)


@pytest.mark.parametrize(
    ("enter", "leave", "view", "confirm", "expected"),
    [
        pytest.param("..1...", "....1.", "111111", 1, "..11..", id="one session confirms"),
        pytest.param(
            "111....", ".......", "1111111", 3, "..11111", id="on at the third, then held"
        ),
        pytest.param(
            "11.11.111", ".........", "111111111", 3, "........1", id="a miss starts anew"
        ),
        pytest.param(
            "111......", "...11.111", "111111111", 3, "..111111.", id="exit confirmed too"
        ),
        pytest.param(
            "1111111", "1111111", "1111111", 3, "..111..", id="both hold: it turns and turns"
        ),
        pytest.param(
            "1111....", "........", "11110111", 2, ".111?...", id="a gap forgets the state"
        ),
        pytest.param("11111", ".....", "11011", 3, "..?..", id="a gap forgets the count"),
        pytest.param("11111", ".....", "00000", 1, "?????", id="no view at all"),
        pytest.param(".....", "11111", "11111", 2, ".....", id="leaving does nothing while off"),
        pytest.param("", "", "", 5, "", id="no sessions"),
    ],
)
def test_hysteresis(enter: str, leave: str, view: str, confirm: int, expected: str) -> None:
    view_ = pd.Series([c == "1" for c in view], index=days(len(view)), dtype=bool)
    enter_, leave_ = bits(enter).astype(bool), bits(leave).astype(bool)
    assert shown(hysteresis(enter_, leave_, view_, confirm)) == expected


def test_hysteresis_confirms_five_sessions_by_default() -> None:
    on = bits("1111111")
    assert shown(hysteresis(on, ~on, on)) == "....111"


def test_hysteresis_may_take_longer_to_leave() -> None:
    enter, leave, view = bits("11......"), bits("...11111"), bits("11111111")
    assert shown(hysteresis(enter, leave, view, 2, confirm_leave=4)) == ".11111.."


def turned_at(x: pd.Series, *, enter: float, leave: float, confirm: int) -> str:
    """Return the flag of one gauge as text; high values turn it on if ``enter`` is above."""
    threshold = Threshold(gauge="x", enter=enter, leave=leave, above=enter > leave)
    return shown(turned(x.to_frame("x"), (threshold,), confirm))


def test_hysteresis_for_high_values_turns_beyond_its_levels_not_at_them() -> None:
    x = pd.Series([1.0, 1.1, 0.5, 0.0, -0.1, 0.5, 1.0], index=days(7))
    assert turned_at(x, enter=1, leave=0, confirm=1) == ".111..."


def test_hysteresis_for_low_values() -> None:
    x = pd.Series([1.0, 0.9, 1.5, 2.0, 2.1, 1.5, 0.9], index=days(7))
    assert turned_at(x, enter=1, leave=2, confirm=1) == ".111..1"


def test_hysteresis_has_no_view_where_the_measure_has_none() -> None:
    x = pd.Series([2.0, NAN, 2.0, 0.5, NAN, NAN, 0.5], index=days(7))
    assert turned_at(x, enter=1, leave=0, confirm=1) == "1?11??."


def test_hysteresis_confirms_within_one_stretch_of_views() -> None:
    x = pd.Series([2.0, 2.0, NAN, 2.0, 2.0, 2.0, NAN], index=days(7))
    assert turned_at(x, enter=1, leave=0, confirm=3) == "..?..1?"


def settled(text: str, confirm: int) -> str:
    """Confirm regimes: N is NEUTRAL, A is ABSORPTION, F is FORCED_SELLING, a dot is no regime."""
    names = {"N": "NEUTRAL", "A": "ABSORPTION", "F": "FORCED_SELLING", ".": None}
    letters = {name: letter for letter, name in names.items()}
    raw = pd.Series([names[c] for c in text], index=days(len(text)), dtype=object)
    return "".join(letters[name] for name in settle(raw, confirm))


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param("NNNN", "..NN", id="the first regime is confirmed too"),
        pytest.param("NNNAANAAA", "..NNNNNNA", id="an interruption starts the count anew"),
        pytest.param("NNNF", "..NN", id="one session of forced selling is not enough"),
        pytest.param("NNNFFF", "..NNFF", id="forced selling needs two"),
        pytest.param("NNNFFNNN", "..NNFFFN", id="leaving it needs the usual"),
        pytest.param("NNN.NNNN", "..N...NN", id="no view forgets"),
        pytest.param("NNAAFAANNN", ".........N", id="none stands until one is confirmed"),
        pytest.param("....", "....", id="never a view"),
    ],
)
def test_settle(raw: str, expected: str) -> None:
    assert settled(raw, confirm=3) == expected


def test_settle_confirms_ten_sessions_by_default() -> None:
    raw = pd.Series(["NEUTRAL"] * 12, index=days(12), dtype=object)
    assert settle(raw).isna().sum() == 9


def test_confirmation_must_be_positive() -> None:
    from signals import DryPowder

    with pytest.raises(ConfigError, match="confirm"):
        DryPowder(confirm=0)
