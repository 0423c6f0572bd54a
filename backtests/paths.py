"""Set a parameter of a run by its path, such as ``dry_powder.k``.

=====================  ==========================================================
path                   parameter
=====================  ==========================================================
``volatility``         of the strategy
``dry_powder.k``       of the signal ``dry_powder``
``regime.confirm``     of the regime model that the run uses
``schedule.offset``    of the schedule
``costs.etf_bp``       of the costs
``lag``, ``band``      settings of the run itself
=====================  ==========================================================

The prefix ``regime`` means the regime model that a run uses. So ``regime.confirm`` is a valid path
for every regime model with the parameter ``confirm``.
"""

from typing import Any

#: Settings of a run that have a path without a dot.
SETTINGS = ("lag", "band")
#: Tables of a configuration whose name is the first part of a path.
TABLES = ("regime", "schedule", "costs")


def put(data: dict[str, Any], path: str, value: Any) -> None:
    """Set the parameter at a path in the data of a configuration.

    :func:`backtests.config.config_from` later reports an unknown path or an invalid value.
    """
    owner, dot, name = path.partition(".")
    if path in SETTINGS:
        data[path] = value
        return
    table = data.setdefault(
        owner if dot and owner in TABLES else "signals" if dot else "params", {}
    )
    if dot and owner not in TABLES and isinstance(table, dict):
        table = table.setdefault(owner, {})
    if isinstance(table, dict):
        table[name if dot else path] = value
