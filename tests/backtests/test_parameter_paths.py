"""Paths of parameters: their parts, and the configuration that has another value at a path."""

from typing import Any

import pytest

from backtests.config import RunConfig
from backtests.config_data import config_from
from backtests.parameter_paths import config_with, split
from signals.errors import ConfigError


def config() -> RunConfig:
    return config_from({"strategy": "near-cash-flow", "signals": {"dry_powder": {"enter": 0.5}}})


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("volatility", ("", "volatility")),
        ("lag", ("", "lag")),
        ("dry_powder.k", ("dry_powder", "k")),
        ("regime.confirm", ("regime", "confirm")),
        ("dry_powder.k.more", ("dry_powder", "k.more")),
    ],
)
def test_a_path_has_an_owner_and_a_name(path: str, parts: tuple[str, str]) -> None:
    assert split(path) == parts


def test_each_kind_of_path_changes_its_own_part_of_the_configuration() -> None:
    values = {
        "volatility": 0.3,
        "dry_powder.k": 0.1,
        "regime.confirm": 5,
        "schedule.offset": 3,
        "costs.etf_bp": 7.0,
        "lag": 2,
        "band": 0.1,
    }
    before = config().model_dump()
    changed = config_with(config(), values)
    assert changed.params == {"volatility": 0.3}
    assert changed.signals == {"dry_powder": {"enter": 0.5, "k": 0.1}}
    assert changed.regime == {"confirm": 5}
    assert (changed.schedule.offset, changed.costs.etf_bp) == (3, 7.0)
    assert (changed.lag, changed.band) == (2, 0.1)
    assert config().model_dump() == before


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"foo": 1}, "unknown parameter of cash-heavy 'foo'; known: broad"),
        ({"k": 1}, "unknown parameter of cash-heavy 'k'; known: broad"),
        ({"lag": 2}, "'lag'; known: broad; write lag as a key of its own, beside params"),
        (
            {"dry_powder.k": 0.1},
            "known: broad; write it with the key signals, like {'dry_powder': {'k': …}}",
        ),
    ],
)
def test_params_list_only_the_parameters_of_the_strategy(params: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError) as refused:
        config_from({"strategy": "cash-heavy", "params": params})
    assert str(refused.value).endswith(told)


def test_a_path_lists_the_settings_of_a_run_too() -> None:
    with pytest.raises(ConfigError, match=r"'foo'; known: band, broad, .*, lag, "):
        config_with(config(), {"foo": 1})


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"volatilty": 0.2}, "did you mean 'volatility'"),
        ({"dry_powdr.k": 0.1}, "did you mean 'dry_powder'"),
        ({"regme.confirm": 3}, "did you mean 'regime'"),
        ({"costs.etf_pb": 3.0}, "did you mean 'etf_bp'"),
        ({"lag": 0}, "lag: input should be greater than or equal to 1"),
        ({".k": 0.1}, "expected a parameter such as volatility or dry_powder.k, was '.k'"),
        ({5: 0.1}, "dry_powder.k, was 5; give its path as text"),
        ({None: 0.1}, "dry_powder.k, was None; give its path as text"),
    ],
)
def test_a_wrong_path_or_value_is_refused_on_one_line(values: dict[Any, Any], told: str) -> None:
    with pytest.raises(ConfigError) as refused:
        config_with(config(), values)
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)
