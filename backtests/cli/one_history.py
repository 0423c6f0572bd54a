"""Choose the one history that all rows of ``compare`` use."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from backtests.atomic import resolved
from backtests.cli import options
from backtests.cli.candidates import Candidate
from backtests.history.origin import SIMULATED, HistorySource
from backtests.store.store import default_store
from signals.errors import ConfigError


def one_history(
    candidates: Sequence[Candidate],
    defaults: HistorySource | None,
    source: str | None,
    store: Path | None,
    seed: int | None,
) -> Any:
    """Return the source of the history of all candidates.

    Options override ``defaults`` and config files, but not finished runs. Without options, the
    history comes from config files, ``defaults`` and finished runs. A strategy that is given by its
    name uses the same history as the other rows.

    Raises
    ------
    ConfigError
        If the options, ``defaults`` or the rows state different histories.
    """
    stated = [(c.given, c.config.history_source()) for c in candidates if c.states_source]
    if defaults is not None:
        stated.insert(0, ("--config", defaults))
    chosen = _chosen([each for _, each in stated], source, store, seed)
    asked = source is not None or store is not None or seed is not None
    fixed = [(c.given, c.config.history_source()) for c in candidates if c.saved is not None]
    for given, other in fixed if asked else stated:
        if not _agree(chosen, other, any_store=store is not None):
            raise ConfigError(
                f"expected one history for all rows, but {given} uses {_said(other)} and "
                f"{'the options name' if asked else f'{stated[0][0]} uses'} {_said(chosen)}; "
                "compare rows of one history"
            )
    return chosen


def _chosen(
    stated: Sequence[HistorySource], source: str | None, store: Path | None, seed: int | None
) -> HistorySource:
    if not stated or source is not None or store is not None:
        if source == "simulated" and seed is None and stated:
            seed = stated[0].seed
        made: HistorySource = options.choose_history(source, store, seed)
        if stated and made.decided() == "simulated":
            made = replace(made, years=stated[0].years, thesis=stated[0].thesis)
        return made
    first = stated[0]
    if first.decided() == "store":
        if seed is not None:
            options.refuse_seed(first.store)
        return replace(first, store=first.store or options.named_store(None))
    made = replace(first, seed=first.seed if seed is None else seed)
    options.announce(made)
    return made


def _agree(chosen: HistorySource, other: HistorySource, *, any_store: bool) -> bool:
    """Return whether two sources are the same history.

    If ``any_store`` is True, two different store files count as the same history, because a store
    may have moved.
    """
    if chosen.decided() != other.decided():
        return False
    if chosen.decided() == "simulated":
        return (chosen.seed, chosen.years, chosen.thesis) == (other.seed, other.years, other.thesis)
    return any_store or _file(chosen) == _file(other)


def _file(source: HistorySource) -> Path:
    return resolved(source.store or options.named_store(None) or default_store())


def _said(source: HistorySource) -> str:
    if source.decided() == "simulated":
        thesis = "" if source.thesis else ", without the thesis"
        return f"the {SIMULATED} economy (seed {source.seed}, {source.years} years{thesis})"
    return f"the store {_file(source)}"
