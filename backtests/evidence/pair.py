"""The comparison of two runs: which settings differ, and by how much the returns differ."""

from dataclasses import dataclass

from backtests.evidence.bootstrap import Interval, compare_returns
from backtests.evidence.settings import SettingChange, changes
from backtests.evidence.sharpe_difference import SharpeDifference, sharpe_difference
from backtests.plural import some_of
from backtests.runs import Run
from signals.summary import Summarised, Summary


@dataclass(frozen=True, kw_only=True, repr=False)
class Pair(Summarised):
    """The comparison of two runs on the same sessions.

    Attributes
    ----------
    first, second
        Labels of the runs. Each difference is the value of the first run minus the value of the
        second run.
    settings
        The settings that differ.
    excess, sharpe
        ``excess`` is the difference of the mean yearly returns, a fraction. ``sharpe`` is the
        difference of the yearly Sharpe ratios. Each difference has an interval.
    test
        Ledoit and Wolf's test of equal Sharpe ratios; None if the test is not defined.
    """

    first: str
    second: str
    settings: tuple[SettingChange, ...]
    excess: Interval
    sharpe: Interval
    test: SharpeDifference | None

    def _summary(self) -> Summary:
        excess, sharpe = self.excess, self.sharpe
        facts = {
            "mean return": f"{100 * excess.estimate:z.1f} % a year "
            f"[{100 * excess.low:z.1f}, {100 * excess.high:z.1f}]",
            "Sharpe ratio": f"{sharpe.estimate:z.2f} [{sharpe.low:z.2f}, {sharpe.high:z.2f}]",
            "settings": some_of([change.path for change in self.settings]) or "equal",
        }
        if self.test is not None:
            facts["test"] = f"p-value {self.test.p_value:.3f} for equal Sharpe ratios"
        return Summary(title=f"{self.first} minus {self.second}", facts=facts)


def pair_of(first: tuple[str, Run], second: tuple[str, Run], *, reps: int) -> Pair:
    """Return the comparison of two runs on the same sessions.

    ``first`` and ``second`` are tuples: the label of a run, and the run.
    :func:`backtests.evidence.bootstrap.compare_returns` describes ``reps``. The bill returns of
    the first run are subtracted from the returns of both runs.
    """
    (one, ours), (other, theirs) = first, second
    returns, beside, bills = ours.result.returns, theirs.result.returns, ours.bills
    found = compare_returns(returns, bills, {"other": beside}, reps=reps)
    return Pair(
        first=one,
        second=other,
        settings=changes(ours.config, theirs.config),
        excess=found["excess_other"],
        sharpe=found["sharpe_other"],
        test=sharpe_difference(ours.excess.to_numpy(), (beside - bills).to_numpy()),
    )
