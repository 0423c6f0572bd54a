"""Choose the history of a command: a store or the simulated economy.

:mod:`backtests.history.origin` opens the chosen history.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backtests.cli import options
from backtests.cli.terminal import complain, warn
from backtests.simulated import SIMULATED

if TYPE_CHECKING:
    from backtests.cli.candidates import Candidate
    from backtests.history.origin import HistorySource
    from backtests.history.panel import History


@dataclass(frozen=True, kw_only=True)
class HistoryOptions:
    """The options ``--source``, ``--store`` and ``--seed`` of a command.

    An option that the user does not give is None.
    """

    source: str | None = None
    store: Path | None = None
    seed: int | None = None


def choose_history(asked: HistoryOptions) -> "HistorySource":
    """Return the source of history. If the history is simulated by default, print a notice."""
    choice = named_history(asked)
    announce(choice)
    return choice


def announce(choice: "HistorySource") -> None:
    """Print a notice if a history is simulated by default."""
    from backtests.history.origin import notice

    if said := notice(choice):
        complain("notice", said)


def named_history(asked: HistoryOptions) -> "HistorySource":
    """Return the source of history, as chosen by options and environment variables."""
    from backtests.history.origin import HistorySource
    from backtests.store.store import named_store
    from signals.errors import ConfigError, unknown

    source = asked.source
    if source not in (None, "store", "simulated"):
        raise ConfigError(unknown("source", str(source), ("store", "simulated")))
    named = None if source == "simulated" and asked.store is None else named_store(asked.store)
    choice = HistorySource(source=source, store=named, seed=asked.seed or 0)  # type: ignore[arg-type]
    if asked.seed is not None and choice.decided() == "store":
        refuse_seed(named)
    return choice


def refuse_seed(store: Path | None) -> None:
    """Raise ConfigError: a seed was given, but the history comes from a store.

    A history from a store does not depend on a seed.
    """
    from backtests.store.store import store_path
    from signals.errors import ConfigError

    raise ConfigError(
        f"expected --seed only with the simulated economy, but the history comes from the store "
        f"{store_path(store)}; add --source simulated or remove --seed"
    )


def warn_if_stale(history: "History") -> None:
    """Print a warning if real history ended more than a week ago."""
    from backtests.history.origin import stale_warning

    if said := stale_warning(history):
        warn(said)


def history_keys(data: dict[str, Any], asked: HistoryOptions) -> dict[str, Any]:
    """Return the keys that choose the history; options override the configuration."""
    from backtests.store.store import named_store

    seed = asked.seed
    if asked.source is None and asked.store is None and ({"source", "store"} & data.keys()):
        if seed is not None and data.get("source", "store") == "store":
            refuse_seed(data.get("store"))
        from_environment = data.get("source") == "store" and "store" not in data
        store = named_store() if from_environment else None
        return options.given(seed=seed, store=store)
    choice = named_history(asked)
    data.pop("store", None)
    seed = data.get("seed") if seed is None else seed
    named = choice.source is not None or choice.store is not None
    decided = choice.decided() if named else None
    return options.given(source=decided, store=choice.store, seed=seed)


def one_history(
    candidates: Sequence["Candidate"],
    defaults: "HistorySource | None",
    asked: HistoryOptions,
) -> "HistorySource":
    """Return the source of history that all rows of ``compare`` share.

    Options override ``defaults`` and config files, but not finished runs. Without options, the
    history comes from config files, ``defaults`` and finished runs. A strategy that is given by its
    name uses the same history as the other rows.

    Raises
    ------
    ConfigError
        Raised if the options, ``defaults`` or the rows state different histories.
    """
    from signals.errors import ConfigError

    stated = [(c.given, c.config.history_source()) for c in candidates if c.states_source]
    if defaults is not None:
        stated.insert(0, ("--config", defaults))
    chosen = _chosen([each for _, each in stated], asked)
    by_options = asked != HistoryOptions()
    fixed = [(c.given, c.config.history_source()) for c in candidates if c.saved is not None]
    for given, other in fixed if by_options else stated:
        if not _agree(chosen, other, any_store=asked.store is not None):
            raise ConfigError(
                f"expected one history for all rows, but {given} uses {_said(other)} and "
                f"{'the options name' if by_options else f'{stated[0][0]} uses'} {_said(chosen)}; "
                "compare rows of one history"
            )
    return chosen


def _chosen(stated: Sequence["HistorySource"], asked: HistoryOptions) -> "HistorySource":
    from backtests.store.store import named_store

    seed = asked.seed
    if not stated or asked.source is not None or asked.store is not None:
        if asked.source == "simulated" and seed is None and stated:
            seed = stated[0].seed
        made = choose_history(replace(asked, seed=seed))
        if stated and made.decided() == "simulated":
            made = replace(made, years=stated[0].years, thesis=stated[0].thesis)
        return made
    first = stated[0]
    if first.decided() == "store":
        if seed is not None:
            refuse_seed(first.store)
        return replace(first, store=named_store(first.store))
    made = replace(first, seed=first.seed if seed is None else seed)
    announce(made)
    return made


def _agree(chosen: "HistorySource", other: "HistorySource", *, any_store: bool) -> bool:
    """Return whether two sources are the same history.

    If ``any_store`` is True, two different store files count as the same history, because a store
    may have moved.
    """
    if chosen.decided() != other.decided():
        return False
    if chosen.decided() == "simulated":
        return (chosen.seed, chosen.years, chosen.thesis) == (other.seed, other.years, other.thesis)
    return any_store or _file(chosen) == _file(other)


def _file(source: "HistorySource") -> Path:
    from backtests.atomic import resolved
    from backtests.store.store import store_path

    return resolved(store_path(source.store))


def _said(source: "HistorySource") -> str:
    if source.decided() == "simulated":
        thesis = "" if source.thesis else ", without the thesis"
        return f"the {SIMULATED} economy (seed {source.seed}, {source.years} years{thesis})"
    return f"the store {_file(source)}"
