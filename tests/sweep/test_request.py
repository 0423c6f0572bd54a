"""A request says which parameters vary and how; a faulty request is refused before any work."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest

from backtests.parameter_paths import config_with
from backtests.sweep.axis import Axis, axis_of, parse_axis
from backtests.sweep.design import Design
from backtests.sweep.memory import bytes_of
from backtests.sweep.request import planned, request_of
from backtests.sweep.setting import Setting, paths_of
from signals.errors import ConfigError
from strategies import NearCashFlow
from tests.sweep.world import config, request


def design(*sets: str, most: int = 1000, **table: Any) -> Design:
    return planned(request(*sets, table=table), most)[1]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("k=0.07:0.11:5", (0.07, 0.08, 0.09, 0.1, 0.11)),
        ("lag=1,2,5", (1, 2, 5)),
        ("dry_powder.scale=gdp,bank_assets", ("gdp", "bank_assets")),
        ("x=true,false", (True, False)),
        ("x=-1:1:3", (-1, 0, 1)),
    ],
)
def test_values_are_listed_or_counted_from_low_to_high(text: str, values: tuple[Any, ...]) -> None:
    assert parse_axis(text).values == values


def test_a_range_without_a_count_is_for_draws() -> None:
    assert parse_axis("k=0.07:0.11") == Axis(path="k", ends=(0.07, 0.11))


def test_toml_gives_lists_texts_or_single_values() -> None:
    assert axis_of("lag", [1, 2]).values == (1, 2)
    assert axis_of("k", "0.1:0.2:2").values == (0.1, 0.2)
    assert axis_of("k", 0.1).values == (0.1,)


@pytest.mark.parametrize(
    "given", [np.array([1, 2]), pd.Series([1, 2]), pd.Index([1, 2]), (1, 2), range(1, 3)]
)
def test_python_gives_arrays_tuples_and_ranges_too(given: Any) -> None:
    found = axis_of("lag", given).values
    assert found == (1, 2)
    assert {type(value) for value in found} == {int}


def test_a_table_may_hold_the_request_and_options_replace_its_axes() -> None:
    table = {"design": "lhs", "samples": 5, "set": {"lag": [1, 2], "costs": {"etf_bp": "1:2"}}}
    asked = request_of(config(), table, [parse_axis("lag=3,4")])
    assert (asked.name, asked.samples) == ("lhs", 5)
    assert [(axis.path, axis.values, axis.ends) for axis in asked.axes] == [
        ("lag", (3, 4), None),
        ("costs.etf_bp", (), (1.0, 2.0)),
    ]


@pytest.mark.parametrize(
    ("sets", "table", "part"),
    [
        (("dry_powder.kk=1,2",), {}, "did you mean 'k'?"),
        (("dry_powdr.k=1,2",), {}, "did you mean 'dry_powder'?"),
        (("volatilty=0.1,0.2",), {}, "did you mean 'volatility'?"),
        (("regime.confrm=1,2",), {}, "did you mean 'confirm'?"),
        (("regime.voters=1,2",), {}, "unknown parameter of regime 'voters'"),
        (("lag=",), {}, "lag: expected at least one value, found none"),
        (("lag=1,1",), {}, "lag: expected each value once, but 1 occurs twice"),
        (("lag=1,2", "lag=3"), {}, "expected --set lag once, found it twice"),
        (("lag=1:2",), {}, "lag: expected a count for a grid, was 1:2"),
        (("lag=2:1:2",), {}, "expected a range from a lower to a higher value"),
        (("band=0.1:0.1:3",), {}, "was 0.1:0.1; for one value, write band=0.1"),
        (("lag=1:2:1",), {}, "expected a count from 2 to 10,000"),
        (("lag=1:9:1:1",), {}, "expected low:high:count"),
        (("lag=1:4:3",), {}, "lag: expected whole numbers, was 2.5"),
        (("lag=0,1",), {}, "lag = 0: config key lag"),
        (("band=0,1",), {}, "band = 1.0: config key band"),
        (("volatility=9,10",), {}, "volatility = 9.0: volatility must be above 0"),
        (("volatility=true",), {}, "volatility: expected a number, was True"),
        (("dry_powder.scale=gdp,gdpp",), {}, "did you mean 'gdp'?"),
        (("schedule.every=month,year",), {}, "unknown choice 'year'"),
        (("schedule.evry=month,week",), {}, "did you mean 'every'"),
        (("dry_powder.enter=2,9", "dry_powder.leave=3,10"), {}, "enter must be below leave"),
        (("lag=1:100:100", "schedule.offset=0:20:11"), {}, "at most 1,000 configurations, but the"),
        (("lag=1:5",), {"design": "lhs"}, "expected --samples with --design lhs"),
        (("lag=1,5",), {"samples": 3}, "expected --samples with --design random or lhs"),
        (("lag=1:5",), {"design": "lhs", "samples": 2000}, "but the design has 2,000"),
        (("lag=1,5",), {"design": "gird"}, "did you mean 'grid'?"),
        (
            ("lag=1,2",),
            {"design": "random", "samples": 2, "draw_seed": 1},
            "expected at least 2 different configurations, but all 2 samples are equal",
        ),
        (("lag=1,5",), {"sampels": 3}, "did you mean 'samples'?"),
        (("lag=1,5",), {"design": "lhs", "samples": 0}, "whole number of at least 1, was 0"),
        (("schedule.every=1:2",), {"design": "lhs", "samples": 2}, "was a range; list the values"),
        (("lag=1,5",), {"set": [1]}, "expected a table [sweep.set]"),
    ],
)
def test_a_faulty_request_gets_one_line(
    sets: tuple[str, ...], table: dict[str, Any], part: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        design(*sets, **table)
    assert part in str(caught.value)
    assert "\n" not in str(caught.value)


@dataclass(frozen=True, kw_only=True)
class Worded(NearCashFlow):
    """A strategy with a text that is no choice."""

    name: ClassVar[str] = "worded"
    lit: str = "a"


def test_a_text_without_choices_is_not_called_unknown() -> None:
    with pytest.raises(ConfigError, match=r"lit: .* was text without choices; give .* a Literal"):
        planned(request("lit=a,b", strategy=Worded))


def test_without_an_axis_there_is_no_sweep() -> None:
    with pytest.raises(ConfigError, match="at least one parameter to sweep"):
        request_of(config(), {}, [])


def test_a_grid_holds_every_combination_once_in_the_order_of_the_stages() -> None:
    made = design("band=0,0.02", "volatility=0.2,0.3", "regime.confirm=5,10", "dry_powder.k=0.1")
    assert made.paths == ("dry_powder.k", "regime.confirm", "volatility", "band")
    assert len(made) == 8
    assert made.full
    assert made.values(0) == dict(zip(made.paths, (0.1, 5, 0.2, 0.0), strict=True))
    assert made.values(1)["band"] == 0.02  # the cheapest parameter varies first
    assert made.values(7) == dict(zip(made.paths, (0.1, 10, 0.3, 0.02), strict=True))
    assert [made.until(stage) for stage in ("signals", "regime", "strategy", "trading")] == [
        *(1, 2, 3, 4)
    ]


def test_a_latin_hypercube_has_one_draw_in_each_slice_of_each_range() -> None:
    made = design("volatility=0.1:0.3", "dry_powder.k=0.08:0.1", design="lhs", samples=20)
    for path, low, high in (("volatility", 0.1, 0.3), ("dry_powder.k", 0.08, 0.1)):
        values = np.array([made.values(i)[path] for i in range(len(made))], dtype=float)
        slices = np.floor((values - low) / (high - low) * 20).astype(int)
        assert sorted(slices) == list(range(20))


@pytest.mark.parametrize("name", ["random", "lhs"])
def test_draws_depend_on_the_seed_alone(name: str) -> None:
    how: dict[str, Any] = {"design": name, "samples": 30}
    one, same = (design("volatility=0.1:0.3", "lag=1:5", **how, draw_seed=1) for _ in range(2))
    other = design("volatility=0.1:0.3", "lag=1:5", **how, draw_seed=2)
    assert one.levels == same.levels
    assert (one.rows == same.rows).all()
    assert one.levels != other.levels
    assert set(one.levels[1]) <= {1, 2, 3, 4, 5}  # whole numbers, both ends included


def test_repeated_draws_are_left_out() -> None:
    made = design("lag=1,2", design="random", samples=50)
    assert [made.values(i) for i in range(len(made))] == [{"lag": 1}, {"lag": 2}]


def test_a_changed_setting_equals_the_objects_of_the_changed_configuration() -> None:
    values: dict[str, Any] = {
        "dry_powder.k": 0.11,
        "dry_powder.enter": 1.5,
        "regime.confirm": 5,
        "volatility": 0.3,
        "schedule.every": "week",
        "costs.etf_bp": 7.0,
        "lag": 3,
        "band": 0.01,
    }
    assert Setting.of(config()).changed(values) == Setting.of(config_with(config(), values))


def test_every_listed_path_can_be_swept() -> None:
    base = Setting.of(config())
    assert {"dry_powder.k", "regime.confirm", "volatility", "schedule.every", "lag"} <= {
        *paths_of(base)
    }
    for path in paths_of(base):
        base.kind_of(path)


def test_amounts_of_memory() -> None:
    assert bytes_of("0.5 GiB") == 2**29
    assert bytes_of("20M") == bytes_of("20MB") == bytes_of("20000k") == 20_000_000
    for text in ("", "5", "0MB", "five MB", "1TB"):
        with pytest.raises(ConfigError, match="expected an amount of memory like 500MB"):
            bytes_of(text)
