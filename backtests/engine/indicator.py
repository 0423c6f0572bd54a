"""Turn a signal into a vectorbt indicator with one column for each combination of parameters.

    indicator = as_indicator(DryPowder)
    inputs = [panel[id] for id in indicator.input_ids.values()]
    grid = indicator.run(*inputs, k=[0.08, 0.09, 0.10])
    grid = run_indicator(panel, DryPowder, k=[0.08, 0.09], enter=[0.5, 1.0], param_product=True)
    grid.flag, grid.share, grid.k_loc[0.08].score

Each column of an output contains the results for one combination of parameters. Each row contains
the values known at the close of its session. An order in vectorbt is filled at the close from which
the flag is computed. So shift a flag by one session before you trade on it.
"""

import inspect
import keyword
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import wraps
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from signals.base import Signal, require
from signals.errors import ConfigError, shown, unknown
from signals.evaluations import evaluate, inputs_of
from signals.form import TEXT
from signals.index import check_panel
from signals.params import as_kind, check_types, kinds_of_numbers, parameters
from signals.universe import asset, session_close_id


def as_indicator(
    signal: type[Signal] | Signal, among: Mapping[str, Signal] = MappingProxyType({})
) -> Any:
    """Return the vectorbt indicator class of a signal.

    Inputs
        The indicator has one input for each panel column that the signal reads. The first inputs
        are the signal's catalog ids. Each coin has a second input: the coin's newest known close
        whose date is an NYSE session. An input's name is the id in lower case. ``_`` replaces each
        character that an identifier cannot contain: ``BTC-USD@session`` becomes
        ``btc_usd_session``. If vectorbt or the indicator already uses an input's name, ``_`` is
        added at the end of the name. The class attribute ``input_ids`` maps input names to panel
        columns, in order. Inputs have the same units and the same timing as the panel. If the
        inputs are frames with several columns, the signal is evaluated for each column separately.
    Fields
        Each numeric or boolean field of the signal becomes a parameter with the same default. A
        list of values gives one column for each value. Lists of equal length are paired;
        ``param_product=True`` gives all combinations. Fields that are neither numeric nor boolean,
        such as ``Capex.firms``, are set in the signal object:
        ``as_indicator(Capex(firms=("MSFT",), minimum=1))``.
    Outputs
        The outputs are ``flag``, ``score`` and all other numeric gauges. ``flag`` is 1, 0, or NaN
        where the signal's flag is NA. An output has the name of its gauge. The rules for names of
        inputs also apply to names of outputs. Each output is float64, sessions × combinations of
        parameters.

    Parameters
    ----------
    signal
        A signal class or a signal object. The values of a signal object become the default
        parameters of the indicator.
    among
        A mapping from names to signals. The signals that ``signal`` uses are taken from ``among``.
        A signal that is missing in ``among`` has its default parameters.

    Returns
    -------
    A class with vectorbt's method ``run(*inputs, **parameters)``. ``run`` checks all combinations
    of parameters before it computes the first one. ``run`` raises ConfigError when a parameter is
    unknown or not a number, or when the signal rejects a value. ValueError is raised when lists or
    sessions differ in length.
    """
    from vectorbt.indicators.factory import IndicatorBase, IndicatorFactory

    base = signal() if isinstance(signal, type) else signal
    if not isinstance(base, Signal):
        raise ConfigError(
            f"expected a signal class or a signal, was {shown(signal)}; give the class, such as "
            "signals.DryPowder"
        )
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
    indicator.run = staticmethod(_without_texts(indicator.run, type(base), kinds))
    indicator.input_ids = inputs
    return indicator


def run_indicator(
    panel: pd.DataFrame,
    signal: type[Signal] | Signal,
    among: Mapping[str, Signal] = MappingProxyType({}),
    /,
    **options: Any,
) -> Any:
    """Return the indicator of a signal, computed on a panel.

    The panel contains the values known at each session's close, sessions × catalog ids.
    :func:`as_indicator` describes ``signal``, ``among`` and the errors. An option is a parameter of
    the signal or of vectorbt, such as ``param_product``. A parameter of the signal is one value or
    a list of values. With one combination of parameters, each output is a series. With several
    combinations, each output is a frame with one column for each combination. The levels of the
    frame's columns are called ``<signal>_<parameter>``. A missing column of the panel raises
    MissingSeries.
    """
    check_panel(panel)
    indicator = as_indicator(signal, among)
    columns = tuple(indicator.input_ids.values())
    require(panel, columns, signal.name)
    return indicator.run(*(panel[column] for column in columns), **options)


def _columns(signal: Signal, among: Mapping[str, Signal]) -> tuple[str, ...]:
    ids = inputs_of(signal, among)
    coins = (id for id in ids if asset(id).is_coin)
    return tuple(dict.fromkeys((*ids, *map(session_close_id, coins))))


def _identifiers(labels: Iterable[str], taken: set[str]) -> dict[str, str]:
    """Return one new Python identifier for each label, as a mapping from identifier to label."""
    names: dict[str, str] = {}
    for label in labels:
        name = re.sub(r"\W", "_", label.lower())
        name = name if name.isidentifier() else f"id_{name}"
        while name in taken or name in names or keyword.iskeyword(name):
            name += "_"
        names[name] = label
    return names


def _without_texts(
    run: Callable[..., Any], signal: type[Signal], names: Iterable[str]
) -> Callable[..., Any]:
    """Return ``run`` with a check that raises ConfigError if a parameter is a string.

    Without the check, vectorbt would replace the name of an input or parameter by its value.
    """
    signature = inspect.signature(run)

    @wraps(run)
    def checked(*inputs: Any, **options: Any) -> Any:
        given = signature.bind(*inputs, **options).arguments
        check_types(signal, {n: given[n] for n in names if isinstance(given.get(n), str)})
        return run(*inputs, **options)

    return checked


def _variant(signal: Signal, kinds: dict[str, type], row: tuple[Any, ...]) -> Signal:
    """Return the signal with one combination of parameters."""
    values = zip(kinds.items(), row, strict=True)
    return replace(signal, **{name: as_kind(value, kind) for (name, kind), value in values})


def _refuse(others: dict[str, Any], signal: Signal, kinds: dict[str, type]) -> None:
    """Raise ConfigError unless ``others`` is empty.

    ``others`` contains the options that are not parameters of the indicator.
    """
    for name in others:
        if name in parameters(signal):
            kind = type(signal).__name__
            raise ConfigError(
                f"expected a numeric parameter of {signal.name}, but {name} is not numeric; set it "
                f"in the signal: pass {kind}({name}=…) instead of {kind}"
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
    """Return the flag, score and gauges of one evaluation as float64; a missing value is NaN."""
    said = evaluate(panel, {**_parts(signal, among), signal.name: signal})[signal.name]
    results = [said.flag, said.score, *(said.gauges[g] for g in gauges.values())]
    return [result.to_numpy(dtype=np.float64, na_value=np.nan) for result in results]


def _parts(signal: Signal, among: Mapping[str, Signal]) -> dict[str, Signal]:
    """Return the signals in ``among`` that a signal uses, directly or through other signals."""
    found: dict[str, Signal] = {}
    for name, kind in signal.parts.items():
        part = among[name] if name in among else kind()
        found |= {name: part, **_parts(part, among)}
    return found


def _describe(signal: Signal, inputs: dict[str, str], gauges: dict[str, str]) -> str:
    """Return the docstring of an indicator class, with the inputs, the outputs and their units."""
    first = (type(signal).__doc__ or "").split("\n")[0]
    return "\n".join(
        [
            f"{first}\n\nInputs",
            *(f"    {name}: {id}" for name, id in inputs.items()),
            "Outputs",
            "    flag: 1, 0, or NaN where the signal's flag is NA",
            "    score: σ",
            *(f"    {name}: {signal.unit(gauge)}" for name, gauge in gauges.items()),
        ]
    )
