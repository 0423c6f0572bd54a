"""The comparison of finished runs, as a Python function."""

from collections.abc import Mapping, Sequence

from backtests.evidence.common_window import common_sessions
from backtests.evidence.comparing import TrialLog, compared, drawn_gains, finished, no_log
from backtests.evidence.comparison import Comparison
from backtests.evidence.own_mix import BY_VOTES
from backtests.evidence.settings import distinct_labels
from backtests.evidence.workers import workers_of
from backtests.pipeline import run_on
from backtests.runs import Run, check_classes
from signals.errors import ConfigError


def compare_runs(
    runs: Sequence[Run] | Mapping[str, Run],
    *,
    reps: int = 1000,
    shifts: int = 1000,
    draws: int = 0,
    workers: int = 1,
    log: TrialLog = no_log,
) -> Comparison:
    """Return the comparison of finished runs on their common sessions.

    A run with additional sessions is simulated again on the common sessions. The new simulation
    keeps the regime and the signals of the run.

    Parameters
    ----------
    runs
        The runs. If ``runs`` is a mapping, its keys are the labels. If ``runs`` is a sequence, each
        label is :attr:`backtests.runs.Run.label`. If several runs have the same strategy and regime
        model, their labels also contain the settings that differ.
    reps, shifts, draws, workers, log
        Parameters of :func:`backtests.evidence.comparing.compare`.

    Raises
    ------
    ConfigError
        Raised if there is no run, or if the runs have too few common sessions. Raised if the runs
        have different prices or different series. Raised if two runs without labels have equal
        settings. Raised if the user redefined the class of a strategy or signal after the run.
        Raised if a run comes from a walk-forward.
    """
    if isinstance(runs, Run):
        raise ConfigError("expected several runs, was one run; pass a list: [run, other]")
    labelled = dict(runs) if isinstance(runs, Mapping) else _labelled(list(runs))
    _check_runs(labelled)
    index, notes = common_sessions(labelled)
    again = {
        label: run
        if run.sessions.equals(index)
        else run_on(run.config, run.history, run.reading, index)
        for label, run in labelled.items()
    }
    with workers_of(workers) as pool:
        drawn = drawn_gains(again, pool, draws)
        rows = {label: compared(run, reps) for label, run in again.items()}
        gains = [gain for part in drawn for gain in part.result()]
    first = next(iter(again.values()))
    votes = first.config.model_copy(update=BY_VOTES).build_model()
    regime = votes.classify(first.history.panel, first.reading.evaluations).regime
    return finished(rows, gains, regime, notes, reps, shifts, log)


def _check_runs(runs: Mapping[str, Run]) -> None:
    """Raise ConfigError for a value that is not a run, and for a run that cannot be repeated."""
    for label, run in runs.items():
        check_classes(run, label)
        if run.spliced:
            raise ConfigError(
                "expected runs that each have one configuration, but the decisions of "
                f"{label} come from a walk-forward; use backtests.metrics_table"
            )


def _labelled(runs: Sequence[Run]) -> dict[str, Run]:
    numbered = {f"run {number}": run for number, run in enumerate(runs, start=1)}
    _check_runs(numbered)
    labels = distinct_labels([run.config for run in runs])
    twice = [label for label in labels if labels.count(label) > 1]
    if twice:
        common_sessions(numbered)  # equal settings on other histories get the error of histories
        raise ConfigError(
            f"expected runs with different settings, but {twice[0]} is given twice; leave one out, "
            "or give a mapping from labels to runs. Start and end do not count as settings, "
            "because all rows have the same sessions"
        )
    return dict(zip(labels, runs, strict=True))
