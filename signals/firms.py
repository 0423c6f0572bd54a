"""Tables of the amounts of companies over four quarters, sessions × companies."""

from collections.abc import Callable

import pandas as pd

from signals.catalog import CATALOG, FILERS, ttm_id
from signals.errors import ConfigError, unknown

#: Function that returns the series id for a concept and a ticker: :func:`signals.catalog.ttm_id` or
#: ``year_ago_id``.
IdOf = Callable[[str, str], str]


def check_firms(firms: tuple[str, ...], minimum: int, concept: str) -> None:
    """Raise ConfigError for an unknown or repeated firm, or for a wrong ``minimum``.

    ``minimum`` must be from 1 to the number of firms.
    """
    if not firms:
        raise ConfigError("expected at least one firm, found none; name a firm")
    for firm in firms:
        if ttm_id(concept, firm) not in CATALOG:
            raise ConfigError(unknown("firm", firm, FILERS.values()))
        if firms.count(firm) > 1:
            raise ConfigError(f"expected each firm once, but found {firm} twice; drop one")
    if not 1 <= minimum <= len(firms):
        raise ConfigError(
            f"expected `minimum` from 1 to the number of firms ({len(firms)}), was {minimum}; "
            "change `minimum` or `firms`"
        )


def ids_of(concept: str, firms: tuple[str, ...], id_of: IdOf) -> tuple[str, ...]:
    """Return the series id of each firm for a concept such as CAPEX, in the order of ``firms``."""
    return tuple(id_of(concept, firm) for firm in firms)


def amounts(panel: pd.DataFrame, concept: str, firms: tuple[str, ...], id_of: IdOf) -> pd.DataFrame:
    """Return the amounts of a concept in USD, sessions × firms; NaN if an amount is unknown."""
    return panel[list(ids_of(concept, firms, id_of))].set_axis(firms, axis=1)


def total(amounts: pd.DataFrame, counted: pd.DataFrame | None = None) -> pd.Series:
    """Return the sum of the known amounts in each row; NaN if a row has no known amount.

    If ``counted`` is given, the sum includes only amounts where ``counted`` is True.
    """
    chosen = amounts if counted is None else amounts.where(counted)
    return chosen.sum(axis=1, min_count=1)
