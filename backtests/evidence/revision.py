"""What a result owes to figures that were revised after the decisions it rests on.

Without an archive of vintages a revised series shows its latest revision, also on days when an
earlier figure was the published one. So whatever rests on such a series is shown for a bound: the
series 2 % lower to 2 % higher throughout. GDP of 2017Q3, say, was first published 1 % below the
figure that is held now. A redefinition can move a series further than the bound.

A series in percent, such as a term premium, is left out instead, since a factor does not change a
z-score. A series whose vintages are held shows what was published, and needs no bound.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtests.evidence.k_choice import outcome, read_again
from backtests.history.panel import History
from backtests.runs import Run
from signals.catalog import CATALOG
from signals.evaluate import inputs_of

#: Factors on a revised series in money, the bound and its middle.
FACTORS = (0.98, 0.99, 1.00, 1.01, 1.02)
LEFT_OUT = "left out"


def revised_in(history: History, ids: Sequence[str]) -> tuple[str, ...]:
    """Return those of some series whose values in a history may have been revised later.

    These are the series that the catalog calls revised, without those whose vintages the history
    holds, those that count only from when they were recorded, and those without any value. The
    simulated economy revises nothing.
    """
    if history.source == "simulated":
        return ()
    return tuple(
        id
        for id in ids
        if id in CATALOG
        and CATALOG[id].revised
        and CATALOG[id].known.kind != "recorded"
        and id not in history.vintages
        and history.panel[id].notna().any()
    )


@dataclass(frozen=True, kw_only=True)
class Case:
    """A panel in which one revised series is multiplied by a factor or left out.

    Attributes
    ----------
    id
        The series.
    factor
        What its values are multiplied by; 0 where it is left out.
    panel
        The panel.
    """

    id: str
    factor: float
    panel: pd.DataFrame

    @property
    def name(self) -> str:
        """``× 0.98`` or ``left out``."""
        return f"× {self.factor:.2f}" if self.factor else LEFT_OUT

    @property
    def parameter(self) -> str:
        """What the factor is a value of: ``GDP ×`` or ``with THREEFYTP10``."""
        return f"{self.id} ×" if self.factor else f"with {self.id}"


def moved(panel: pd.DataFrame, id: str) -> Iterator[Case]:
    """Yield the cases of a revised series: times each factor, or left out."""
    if CATALOG[id].unit.startswith("USD"):
        for factor in FACTORS:
            changed = panel.assign(**{id: panel[id] * factor})
            yield Case(id=id, factor=factor, panel=changed)
    else:
        yield Case(id=id, factor=0.0, panel=panel.assign(**{id: np.nan}))


def by_revision(run: Run) -> pd.DataFrame:
    """Return a run's results with each of its revised series changed or left out in turn.

    Returns
    -------
    One row a case, index ``(series, case)``: ``× 0.98`` to ``× 1.02`` of a series in money, and
    ``left out`` of one in percent. Column ``sessions_changed``: the share of the run's sessions
    whose regime differs from the run's, a fraction; then the columns of
    :func:`backtests.evidence.k_choice.by_k`. Empty where no revised series decides: for a strategy
    that does not follow the regime, a regime model that reads no signal, or vintages throughout.
    """
    if not run.strategy.follows_regime:
        return pd.DataFrame()
    rows = {
        (id, case.name): _row(run, case)
        for id in revised_in(run.history, _deciding(run))
        for case in moved(run.history.panel, id)
    }
    frame = pd.DataFrame.from_dict(rows, orient="index")
    return frame.rename_axis(["series", "case"]) if rows else frame


def _deciding(run: Run) -> tuple[str, ...]:
    """Return the ids that the signals behind a run's regime read."""
    chosen = run.config.build_signals()
    names = (name for name in run.config.build_model().rests_on if name in chosen)
    return tuple(dict.fromkeys(id for name in names for id in inputs_of(chosen[name], chosen)))


def _row(run: Run, case: Case) -> dict[str, float]:
    if case.factor == 1:
        return {"sessions_changed": 0.0, **outcome(run, run.reading, case.panel)}
    chosen = run.config.build_signals()
    known = {
        name: evaluation
        for name, evaluation in run.reading.evaluations.items()
        if case.id not in inputs_of(chosen[name], chosen)
    }
    reading = read_again(run, case.panel, chosen, known)
    before = run.reading.regime.reindex(run.result.equity.index)
    now = reading.regime.reindex(before.index)
    differs = before.fillna("none") != now.fillna("none")
    return {"sessions_changed": float(differs.mean()), **outcome(run, reading, case.panel)}
