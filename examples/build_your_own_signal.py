import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="Build your own signal")

with app.setup:
    import inspect
    from dataclasses import dataclass
    from typing import ClassVar

    import marimo as mo
    import pandas as pd

    from backtests import config_from, default_history, metrics_table, run
    from backtests.evidence.entries import SIGNIFICANT
    from backtests.evidence.sharpe_difference import sharpe_difference
    from backtests.plugins.check import check_signal
    from backtests.report.notebook_charts import signal_chart
    from signals import ScoreSignal, explain
    from signals.transforms import zscore


@app.cell
def _():
    mo.md(r"""
    # Build your own signal

    A signal is a class of a few lines. It names the series that it reads, computes a measure, and
    says at which level its flag turns on. drypowder does the rest: it waits until a change is
    confirmed, explains the flag, checks the signal for look-ahead, and lets it vote on the regime.

    The signal on this page says that **capital is getting more expensive**: its flag is on when the
    10-year Treasury yield has risen a lot. Open this file with `marimo edit` and change the class.
    """)
    return


@app.class_definition
@dataclass(frozen=True, kw_only=True)
class YieldRise(ScoreSignal):
    """Rise of the 10-year Treasury yield, against its own past.

    Parameters
    ----------
    window
        Number of sessions over which the rise is measured.
    """

    name: ClassVar[str] = "yield_rise"
    link: ClassVar[str] = "L4"
    headline: ClassVar[str] = "rise"
    units: ClassVar[dict[str, str]] = {"rise": "percentage points", "score": "σ"}
    inputs: ClassVar[tuple[str, ...]] = ("DGS10",)

    window: int = 126

    def gauges(self, panel: pd.DataFrame) -> pd.DataFrame:
        """Return the rise and its z-score. Row t uses only rows up to t."""
        rise = panel["DGS10"] - panel["DGS10"].shift(self.window)
        return pd.DataFrame({"rise": rise, "score": zscore(rise)})


@app.class_definition
@dataclass(frozen=True, kw_only=True)
class Cheat(YieldRise):
    """The same signal with a mistake: it uses the yield one month later."""

    name: ClassVar[str] = "cheat"

    def gauges(self, panel: pd.DataFrame) -> pd.DataFrame:
        """Return the rise of the next month, which nobody knew at the close."""
        rise = panel["DGS10"].shift(-21) - panel["DGS10"].shift(self.window)
        return pd.DataFrame({"rise": rise, "score": zscore(rise)})


@app.class_definition
@dataclass(frozen=True, kw_only=True)
class SubtleCheat(YieldRise):
    """The same signal with a mistake that is common: the mean of the whole history."""

    name: ClassVar[str] = "subtle_cheat"

    def gauges(self, panel: pd.DataFrame) -> pd.DataFrame:
        """Return a z-score with the mean and the deviation of all sessions, even later ones."""
        rise = panel["DGS10"] - panel["DGS10"].shift(self.window)
        return pd.DataFrame({"rise": rise, "score": (rise - rise.mean()) / rise.std()})


@app.cell
def _():
    mo.accordion({"The class": mo.md(f"```python\n{inspect.getsource(YieldRise)}```")})
    return


@app.cell
def _():
    history = default_history()  # read once; no slider reads it again
    plain = run(config_from({"strategy": "near-cash-flow"}), history)
    label = "SIMULATED: " if history.source == "simulated" else ""
    return history, label, plain


@app.cell
def _(history):
    mo.callout(
        mo.md(
            "SIMULATED: there is no store, so all numbers come from an invented economy. "
            "`drypowder import` or `drypowder fetch` fills a store."
        ),
        kind="warn",
    ) if history.source == "simulated" else mo.md(
        f"Real history to {history.panel.index[-1]:%Y-%m-%d}."
    )
    return


@app.cell
def _():
    window = mo.ui.slider(
        steps=[21, 63, 126, 252], value=126, label="Window, sessions", show_value=True
    )
    enter = mo.ui.slider(0.5, 2.5, 0.25, value=1.0, label="Flag on above, σ", show_value=True)
    votes = mo.ui.switch(value=True, label="The signal votes on the regime")
    return enter, votes, window


@app.cell
def _(enter, votes, window):
    mo.hstack([window, enter, votes], wrap=True, justify="start", gap=2)
    return


@app.cell
def _(enter, history, window):
    signal = YieldRise(window=window.value, enter=enter.value)
    evaluation = signal.evaluate(history.panel)
    return evaluation, signal


@app.cell
def _(evaluation, history):
    explanation = explain(evaluation, history.panel, history.panel.index[-1], history.known)
    mo.hstack(
        [
            mo.stat(f"{explanation.value:+.2f}", label=f"Rise, {explanation.unit}"),
            mo.stat(f"{explanation.score:+.2f} σ", label="Score"),
            mo.stat(
                {True: "on", False: "off", None: "no view"}[explanation.flag],
                label="Flag",
                caption=f"since {explanation.since:%Y-%m-%d}" if explanation.since else "",
            ),
            mo.stat(explanation.flips or explanation.reason, label="What would flip it"),
        ],
        wrap=True,
        justify="start",
    )
    return


@app.cell
def _(evaluation, history, label):
    signal_chart(
        evaluation,
        history.panel[["DGS10"]],
        f"{label}yield_rise",
    )
    return


@app.cell
def _():
    mo.md(r"""
    ## Does it look ahead?

    `drypowder check` computes the signal again on histories that end earlier, or that continue with
    other data. If a past result changes, the signal has used the future. Two planted cheats show
    what the check says about a mistake. The first uses next month's yield. The second divides by
    the deviation of the whole history; this mistake is common and easy to overlook.
    """)
    return


@app.cell
def _(enter, history, signal, window):
    _config = config_from({"strategy": "bills"})
    _tried = (
        signal,
        Cheat(window=window.value, enter=enter.value),
        SubtleCheat(window=window.value, enter=enter.value),
    )
    checks = {each.name: check_signal(each, _config, history) for each in _tried}
    passed = {name: all(check.holds for check in each) for name, each in checks.items()}
    mo.md(
        "".join(
            f"- {'Passes' if check.holds else '**Fails**'}: `{name}`, {check.name}: {check.said}\n"
            for name, each in checks.items()
            for check in each
            if name == "yield_rise" or not check.holds
        )
    )
    return (passed,)


@app.cell
def _():
    mo.md(r"""
    ## What does it change?

    The strategy `near-cash-flow` follows the regime. The table shows it twice: with the votes of
    the default signals, and with your signal as one more voter.
    """)
    return


@app.cell
def _(enter, history, plain, votes, window):
    with_mine = run(
        config_from(
            {
                "strategy": "near-cash-flow",
                "start": plain.sessions[0].date(),  # both runs trade on the same sessions
                "plugin_signals": {YieldRise: votes.value},
                "signals": {"yield_rise": {"window": window.value, "enter": enter.value}},
            }
        ),
        history,
        earlier=plain.reading,
    )
    return (with_mine,)


@app.cell
def _(plain, with_mine):
    mo.ui.table(
        metrics_table({"default votes": plain, "with your signal": with_mine}),
        selection=None,
        show_data_types=False,
    )
    return


@app.cell
def _(label, passed, plain, votes, with_mine):
    regimes = [each.reading.regime.loc[plain.sessions].fillna("") for each in (plain, with_mine)]
    changed = float((regimes[0] != regimes[1]).mean())
    excess = [each.result.returns - each.bills for each in (with_mine, plain)]
    test = sharpe_difference(excess[0].to_numpy(), excess[1].to_numpy())
    difference = with_mine.metrics["sharpe"] - plain.metrics["sharpe"]
    caught = [name for name, holds in passed.items() if not holds]
    conclusion = (
        f"{label}The signal {'passes' if passed['yield_rise'] else 'fails'} every check. "
        f"The check catches {len(caught)} of 2 planted cheats. "
        f"{'As a voter' if votes.value else 'Without a vote'}, the signal changes the regime on "
        f"{100 * changed:.0f} % of sessions, and the Sharpe ratio by {difference:+.2f}. "
    )
    if test is None:
        conclusion += "So the portfolio does not change."
    elif test.p_value <= SIGNIFICANT:
        conclusion += (
            f"The difference is unlikely to be luck (p = {test.p_value:.2f}), if this is the only "
            "signal that was tried. Each move of a slider is one more trial."
        )
    else:
        conclusion += f"The difference may be luck (p = {test.p_value:.2f})."
    mo.md(f"## Conclusion\n\n{conclusion}")
    return (conclusion,)


@app.cell
def _(conclusion):
    if mo.app_meta().mode == "script":
        print(conclusion)
    return


if __name__ == "__main__":
    app.run()
