"""Any signal as a vectorbt indicator, with one column for each combination of parameters.

    indicator = as_indicator(DryPowder)
    grid = indicator.run(panel["RRPONTSYD"], panel["WRESBAL"], panel["GDP"], k=[0.08, 0.09, 0.10])
    grid = run_indicator(panel, DryPowder, k=[0.08, 0.09], enter=[0.5, 1.0], param_product=True)
    grid.flag, grid.share, grid.k_loc[0.08].score

Every column is one evaluation of the signal. A value stands at the session at whose close it was
known. vectorbt fills an order on the bar of its signal, so shift a flag by one session before you
trade on it.
"""

import keyword
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from signals.base import Signal, require
from signals.errors import ConfigError, unknown
from signals.evaluations import evaluate, inputs_of
from signals.params import as_kind, kinds_of_numbers, parameters
from signals.universe import asset, session_close_id

#: Unit of a gauge that holds text.
TEXT = "name"


def as_indicator(
    signal: type[Signal] | Signal, among: Mapping[str, Signal] = MappingProxyType({})
) -> Any:
    """Return the vectorbt indicator class of a signal.

    Inputs
        One input for each panel column that the signal reads: its catalog ids, then for each coin
        among them the close of the last session's date. An input's name is the id in lower case,
        with ``_`` in place of a character that an identifier may not hold: ``BTC-USD@session``
        becomes ``btc_usd_session``. A name that is taken gets one more ``_``. ``input_ids`` of the
        class maps names to columns, in order. Units and timing are the panel's. In a frame every
        column is a separate panel.
    Fields
        A field that is a number or a boolean is a parameter with its default. A list gives one
        column per value. Lists of equal length are paired; ``param_product=True`` combines them.
        Set any other field, such as ``Capex.firms``, in the signal:
        ``as_indicator(Capex(firms=("MSFT",), minimum=1))``.
    Outputs
        ``flag`` (1, 0, or NaN without a view), ``score``, and each other numeric gauge under a
        name made in the same way; float64, sessions of the inputs × combinations of parameters.

    Parameters
    ----------
    signal
        A class, or a signal whose values become the defaults.
    among
        Signals by name, for the parts of a signal that contains others. A part that is absent
        here has its defaults.

    Returns
    -------
    A class with vectorbt's ``run(*inputs, **parameters)``. ``run`` checks every combination before
    it computes the first. It raises ConfigError when a parameter is unknown, is not a number or is
    out of order. vectorbt raises ValueError when lists or sessions do not match in length.
    """
    from vectorbt.indicators.factory import IndicatorBase, IndicatorFactory

    base = signal() if isinstance(signal, type) else signal
    kinds = kinds_of_numbers(type(base))
    taken = {*dir(IndicatorBase), "flag", "score"}
    numeric = (gauge for gauge, unit in base.units.items() if unit != TEXT)
    gauges = _identifiers((gauge for gauge in numeric if gauge not in ("flag", "score")), taken)
    inputs = _identifiers(_columns(base, among), {*taken, *kinds, *gauges})

    def compute(*given: Any, **others: Any) -> tuple[np.ndarray, ...]:
        _refuse(others, base, kinds)
        columns, values = given[: len(inputs)], given[len(inputs) :]
        rows = zip(*values, strict=True) if values else [()]
        variants = [_variant(base, kinds, row) for row in rows]
        panels = _panels(list(inputs.values()), columns)
        runs = [_outputs(variant, among, panel, gauges) for variant in variants for panel in panels]
        return tuple(np.column_stack(output) for output in zip(*runs, strict=True))

    indicator = IndicatorFactory(
        class_name=type(base).__name__,
        class_docstring=_describe(base, inputs, gauges),
        module_name=__name__,
        short_name=base.name,
        input_names=list(inputs),
        param_names=list(kinds),
        output_names=["flag", "score", *gauges],
    ).from_custom_func(compute, keep_pd=True, **{name: parameters(base)[name] for name in kinds})
    indicator.input_ids = inputs
    return indicator


def run_indicator(
    panel: pd.DataFrame,
    signal: type[Signal] | Signal,
    among: Mapping[str, Signal] = MappingProxyType({}),
    /,
    **options: Any,
) -> Any:
    """Return the indicator of a signal, run on a panel.

    The panel is point-in-time, sessions × catalog ids. For ``signal`` and ``among`` see
    :func:`as_indicator`. The options are parameters, each one value or a list, and those of
    vectorbt (``param_product``, …). With one combination of parameters the outputs are series.
    Otherwise they are frames with one column per combination; the column levels are called
    ``<signal>_<parameter>``. Raises also MissingSeries when the panel lacks a column.
    """
    indicator = as_indicator(signal, among)
    columns = tuple(indicator.input_ids.values())
    require(panel, columns, signal.name)
    return indicator.run(*(panel[column] for column in columns), **options)


def _columns(signal: Signal, among: Mapping[str, Signal]) -> tuple[str, ...]:
    ids = inputs_of(signal, among)
    coins = (id for id in ids if asset(id).market == "crypto")
    return tuple(dict.fromkeys((*ids, *map(session_close_id, coins))))


def _identifiers(labels: Iterable[str], taken: set[str]) -> dict[str, str]:
    """Return labels by new valid identifiers, in order."""
    names: dict[str, str] = {}
    for label in labels:
        name = re.sub(r"\W", "_", label.lower())
        name = name if name.isidentifier() else f"id_{name}"
        while name in taken or name in names or keyword.iskeyword(name):
            name += "_"
        names[name] = label
    return names


def _variant(signal: Signal, kinds: dict[str, type], row: tuple[Any, ...]) -> Signal:
    """Return the signal with one combination of parameters."""
    values = zip(kinds.items(), row, strict=True)
    return replace(signal, **{name: as_kind(value, kind) for (name, kind), value in values})


def _refuse(others: dict[str, Any], signal: Signal, kinds: dict[str, type]) -> None:
    """Raise ConfigError for the first name that is no parameter and no option of vectorbt."""
    for name in others:
        if name in parameters(signal):
            kind = type(signal).__name__
            raise ConfigError(
                f"expected a numeric parameter of {signal.name}, was {name}; set it in the "
                f"signal: {kind}({name}=…) in place of {kind}"
            )
        raise ConfigError(unknown(f"parameter of {signal.name}", name, kinds))


def _panels(columns: list[str], inputs: tuple[pd.DataFrame, ...]) -> list[pd.DataFrame]:
    """Return one panel for each column of the inputs."""
    index = inputs[0].index
    arrays = [frame.to_numpy(dtype=np.float64) for frame in inputs]
    return [
        pd.DataFrame({c: a[:, i] for c, a in zip(columns, arrays, strict=True)}, index=index)
        for i in range(inputs[0].shape[1])
    ]


def _outputs(
    signal: Signal, among: Mapping[str, Signal], panel: pd.DataFrame, gauges: dict[str, str]
) -> list[np.ndarray]:
    """Return flag, score and gauges of one evaluation, float64, NaN without a view."""
    said = evaluate(panel, {**among, signal.name: signal})[signal.name]
    results = [said.flag, said.score, *(said.gauges[g] for g in gauges.values())]
    return [result.to_numpy(dtype=np.float64, na_value=np.nan) for result in results]


def _describe(signal: Signal, inputs: dict[str, str], gauges: dict[str, str]) -> str:
    """Return the docstring of an indicator class: its names, ids and units."""
    first = (type(signal).__doc__ or "").split("\n")[0]
    return "\n".join(
        [
            f"{first}\n\nInputs",
            *(f"    {name}: {id}" for name, id in inputs.items()),
            "Outputs",
            "    flag: 1, 0, or NaN without a view",
            "    score: σ",
            *(f"    {name}: {signal.units[gauge]}" for name, gauge in gauges.items()),
        ]
    )
