"""Any signal as a vectorbt indicator, so that its parameters can be laid out as columns.

    indicator = as_indicator(DryPowder)
    grid = indicator.run(panel["RRPONTSYD"], panel["WRESBAL"], panel["GDP"], k=[0.08, 0.09, 0.10])
    grid = run_on(panel, DryPowder, k=[0.08, 0.09], enter=[0.5, 1.0], param_product=True)
    grid.flag, grid.share, grid.k_loc[0.08].score

Every column is one plain call of the signal; nothing is computed in another way. A value stands at
the session at whose close it was known, and vectorbt fills on the bar that bears a signal, so
whoever trades on a flag has to shift it by a session first.
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
from signals.evaluate import evaluate, inputs_of
from signals.params import as_kind, kinds_of_numbers, parameters
from signals.universe import asset, session_close_id

#: Unit of a gauge that holds text.
TEXT = "name"


def as_indicator(
    signal: type[Signal] | Signal, among: Mapping[str, Signal] = MappingProxyType({})
) -> Any:
    """Return the vectorbt indicator class of a signal.

    Inputs
        One for each panel column that the signal reads: its catalog ids, then for each coin among
        them the close of the last session's date. The name is the id in lower case with ``_`` for
        what no identifier may hold, and one more ``_`` where that is taken: ``BTC-USD`` becomes
        ``btc_usd``, ``BTC-USD@session`` ``btc_usd_session``. ``input_ids`` of the class maps names
        to columns, in order. Units and timing are the panel's. One value a session; in frames
        every column is a panel of its own.
    Fields
        Those that are numbers, true or false included, are parameters with their defaults. A list
        is a column each; lists of one length go together, ``param_product=True`` combines them.
        Other fields (``Capex.firms``) are none and stay as they are
        in the signal given: ``as_indicator(Capex(firms=("MSFT",), minimum=1))``.
    Outputs
        ``flag`` (1, 0, or NaN without a view), ``score`` and each gauge that holds numbers, named
        likewise; float64, the sessions of the inputs × the combinations of parameters. A gauge
        called ``score`` is the score and not repeated; one that holds text is left out.

    Parameters
    ----------
    signal
        A class, or a signal whose own values are then the defaults.
    among
        Signals by name, for the parts of a signal that contains others; a part that is not there
        has its defaults.

    Returns
    -------
    A class with vectorbt's ``run(*inputs, **parameters)``. That checks every combination before it
    computes the first.

    Raises
    ------
    ConfigError
        By ``run``, when a parameter is unknown, no number or out of order.
    ValueError
        By vectorbt, when lists or sessions do not match in length.
    """
    from vectorbt.indicators.factory import IndicatorBase, IndicatorFactory

    base = signal() if isinstance(signal, type) else signal
    kinds = kinds_of_numbers(type(base))
    taken = {*dir(IndicatorBase), "flag", "score"}
    gauges = _identifiers(_numeric_gauges(base), taken)
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


def run_on(
    panel: pd.DataFrame,
    signal: type[Signal] | Signal,
    among: Mapping[str, Signal] = MappingProxyType({}),
    /,
    **options: Any,
) -> Any:
    """Run the indicator of a signal on a panel.

    Parameters
    ----------
    panel
        Point-in-time panel, sessions × catalog ids.
    signal, among
        See :func:`as_indicator`.
    options
        Parameters, one value or a list each, and vectorbt's own (``param_product``, …).

    Returns
    -------
    The indicator. Outputs are frames whose columns are the parameters given, by levels
    ``<signal>_<parameter>``, or series when there is one combination.

    Raises
    ------
    ConfigError
        When a parameter is unknown, no number or out of order.
    MissingSeries
        When the panel lacks a column, that of a coin on the session's date included.
    """
    indicator = as_indicator(signal, among)
    columns = tuple(indicator.input_ids.values())
    require(panel, columns, signal.name)
    return indicator.run(*(panel[column] for column in columns), **options)


def _columns(signal: Signal, among: Mapping[str, Signal]) -> tuple[str, ...]:
    """Return the panel columns a signal reads."""
    ids = inputs_of(signal, among)
    coins = (id for id in ids if asset(id).market == "crypto")
    return tuple(dict.fromkeys((*ids, *map(session_close_id, coins))))


def _numeric_gauges(signal: Signal) -> list[str]:
    return [
        gauge
        for gauge, unit in signal.units.items()
        if unit != TEXT and gauge not in ("flag", "score")
    ]


def _identifiers(labels: Iterable[str], taken: set[str]) -> dict[str, str]:
    """Return labels by valid names that are not taken, in order."""
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
    """Raise :class:`ConfigError` for what is neither a parameter nor an option of vectorbt."""
    for name in others:
        if name in parameters(signal):
            kind = type(signal).__name__
            raise ConfigError(
                f"{name} of {signal.name} is no number, so no parameter of its indicator; set it "
                f"in the signal: {kind}({name}=…) in place of {kind}"
            )
        raise ConfigError(unknown(f"parameter of {signal.name}", name, kinds))


def _panels(columns: list[str], inputs: tuple[pd.DataFrame, ...]) -> list[pd.DataFrame]:
    """Return a panel for each column that the inputs have."""
    index = inputs[0].index
    arrays = [frame.to_numpy(dtype=np.float64) for frame in inputs]
    return [
        pd.DataFrame({c: a[:, i] for c, a in zip(columns, arrays, strict=True)}, index=index)
        for i in range(inputs[0].shape[1])
    ]


def _outputs(
    signal: Signal, among: Mapping[str, Signal], panel: pd.DataFrame, gauges: dict[str, str]
) -> list[np.ndarray]:
    """Return flag, score and gauges of one plain call, float64, NaN without a view."""
    said = evaluate(panel, {**among, signal.name: signal})[signal.name]
    results = [said.flag, said.score, *(said.gauges[g] for g in gauges.values())]
    return [result.to_numpy(dtype=np.float64, na_value=np.nan) for result in results]


def _describe(signal: Signal, inputs: dict[str, str], gauges: dict[str, str]) -> str:
    """Return the documentation of an indicator class: its names, ids and units."""
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
