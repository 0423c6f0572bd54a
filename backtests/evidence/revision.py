"""A test of how much a run's results depend on the later revisions of series.

Vintages are the values that were published at each date. A series without vintages shows its latest
values even on days on which nobody knew the latest values. A series in USD without vintages is
multiplied by factors from 0.98 to 1.02. For each factor, the results of the run are computed again.
For comparison, GDP of 2017Q3 was first published 1 % below its current value. Changes of more than
2 %, for example by a new definition of a series, are not tested.

Some series are not in USD, such as a term premium in percent. A factor would not change the z-score
of a term premium. If a series is not in USD, the test therefore computes the run without the
series.

A series with vintages shows the values that were known on each date, so the series needs no test.
On dates before the first vintage in the archive, a series shows the values of the first vintage.
The values of the first vintage may already be revised. So a series with vintages is tested,
too, if its first vintage is later than the start of the run.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import pandas as pd

import signals
from backtests.calendar import CLOSE
from backtests.evidence.k_choice import outcome
from backtests.evidence.variation import check_kernel
from backtests.history.panel import History
from backtests.lapse import rests_on
from backtests.progress import Progress, counted, silent
from backtests.runs import Run
from signals.catalog import CATALOG
from signals.evaluations import inputs_of

#: Factors by which a revised series in USD is multiplied.
FACTORS = (0.98, 0.99, 1.00, 1.01, 1.02)
LEFT_OUT = "left out"


def revised_in(history: History, ids: Sequence[str], since: pd.Timestamp) -> tuple[str, ...]:
    """Return the series in ``ids`` that may contain revised values after the session ``since``.

    Only series that the catalog marks as revised are returned. A series is left out if its vintages
    begin at or before the close of the session ``since``. A series is left out if it has no value.
    A series with the publication rule ``recorded`` is also left out, because its values count as
    known only when a store has recorded them. The result is empty for a simulated history.
    """
    if history.is_simulated:
        return ()
    return tuple(
        id
        for id in ids
        if id in CATALOG
        and CATALOG[id].revised
        and CATALOG[id].known.kind != "recorded"
        and history.archived_since.get(id, pd.Timestamp.max) > since + CLOSE
        and history.panel[id].notna().any()
    )


@dataclass(frozen=True, kw_only=True)
class Case:
    """A panel in which one series is changed.

    The series ``id`` is multiplied by ``factor``. If ``factor`` is 0, the series is left out.
    """

    id: str
    factor: float
    panel: pd.DataFrame

    @property
    def name(self) -> str:
        """Name of the change, such as ``× 0.98`` or ``left out``."""
        return f"× {self.factor:.2f}" if self.factor else LEFT_OUT

    @property
    def parameter(self) -> str:
        """Name of the changed quantity.

        The name of a factor is, for example, ``GDP ×``. The quantity ``with THREEFYTP10`` is 1 with
        the series THREEFYTP10, and 0 without this series.
        """
        return f"{self.id} ×" if self.factor else f"with {self.id}"


def moved(panel: pd.DataFrame, id: str) -> Iterator[Case]:
    """Yield a changed panel for each test of a revised series.

    A series in USD is multiplied by each factor in :data:`FACTORS`. A series that is not in USD is
    left out of the panel.
    """
    if CATALOG[id].unit.startswith("USD"):
        for factor in FACTORS:
            yield Case(id=id, factor=factor, panel=panel.assign(**{id: panel[id] * factor}))
    else:
        yield Case(id=id, factor=0.0, panel=panel.assign(**{id: np.nan}))


def by_revision(run: Run, progress: Progress = silent) -> pd.DataFrame:
    """Return the results of a run after each change of one revised series.

    Returns
    -------
    One row for each change, index ``(series, case)``. A series in USD has five rows. For example,
    the row ``× 0.98`` multiplies the series by 0.98. A series that is not in USD has one row,
    ``left out``: the run does not use the series. The first column, ``sessions_changed``, is the
    fraction of the run's sessions whose regime changes. :func:`backtests.evidence.k_choice.by_k`
    describes the columns after ``sessions_changed``. The table is empty if the strategy does not
    follow the regime, or if the regime model reads no signal. The table is also empty if
    :func:`revised_in` finds no series.
    """
    if not run.strategy.follows_regime:
        return pd.DataFrame()
    check_kernel(run)
    ids = dict.fromkeys(chain.from_iterable(rests_on(run.config).values()))
    revised = revised_in(run.history, tuple(ids), run.sessions[0])
    rows = {
        (id, case.name): _row(run, case)
        for id in counted(revised, progress, "revised series")
        for case in moved(run.history.panel, id)
    }
    frame = pd.DataFrame.from_dict(rows, orient="index")
    return frame.rename_axis(["series", "case"]) if rows else frame


def _row(run: Run, case: Case) -> dict[str, float]:
    if case.factor == 1:
        return {"sessions_changed": 0.0, **outcome(run, run.reading, case.panel)}
    config, chosen = run.config, run.config.build_signals()
    known = {
        name: evaluation
        for name, evaluation in run.reading.evaluations.items()
        if case.id not in inputs_of(chosen[name], chosen)
    }
    voters, model = config.more_voters(), config.build_model()
    reading = signals.read(case.panel, chosen, voters, model, known)
    before = run.reading.regime.reindex(run.sessions)
    now = reading.regime.reindex(run.sessions)
    differs = before.fillna("none") != now.fillna("none")
    return {"sessions_changed": float(differs.mean()), **outcome(run, reading, case.panel)}
