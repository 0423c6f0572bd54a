import marimo

__generated_with = "0.25.2"
app = marimo.App(width="full", app_title="drypowder: dashboard")

with app.setup:
    import time
    from functools import partial

    import marimo as mo
    import pandas as pd
    from plotly import graph_objects as go

    from backtests import config_from, default_history, metrics_table, run
    from backtests.evidence.assessment import growth_of_run
    from backtests.evidence.entries import acted_on, observed_said, of_absorption, of_own_states
    from backtests.report import theme
    from backtests.report.notebook_charts import equity_chart
    from signals.universe import asset
    from strategies import STRATEGIES


@app.cell
def _():
    mo.md(r"""
    # Dashboard

    One strategy, with the choices that matter: how many reserves banks need, the delay of fills,
    the costs and the dates. Each change simulates the whole portfolio again. Use the dashboard to
    see how fragile a result is, and not to search for the best result: each position of a slider is
    a trial, and the dashboard does not count trials.
    """)
    return


@app.cell
def _():
    history = default_history()  # read once; no slider reads it again
    base = run(config_from({"strategy": "near-cash-flow"}), history)
    label = "SIMULATED: " if history.source == "simulated" else ""
    return base, history, label


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
def _(base):
    strategy = mo.ui.dropdown(list(STRATEGIES), value="near-cash-flow", label="Strategy")
    k = mo.ui.slider(
        steps=[round(0.06 + 0.005 * step, 3) for step in range(15)],
        value=0.09,
        label="k: reserves that banks need, fraction of GDP",
        show_value=True,
    )
    lag = mo.ui.slider(1, 21, value=1, label="Delay of fills, sessions", show_value=True)
    cost = mo.ui.slider(
        steps=[0, 0.5, 1, 2, 5, 10], value=1, label="Costs, times the default", show_value=True
    )
    days = mo.ui.date_range(
        start=base.sessions[0].date(),
        stop=base.sessions[-1].date(),
        value=(base.sessions[0].date(), base.sessions[-1].date()),
        label="Dates",
    )
    return cost, days, k, lag, strategy


@app.cell
def _(cost, days, k, lag, strategy):
    mo.hstack([strategy, k, lag, cost, days], wrap=True, justify="start", gap=2)
    return


@app.cell
def _(base, cost, days, history, k, lag, strategy):
    began = time.perf_counter()
    config = config_from(
        {
            "strategy": strategy.value,
            "signals": {"dry_powder": {"k": k.value}},
            "lag": lag.value,
            "costs": {
                name: cost.value * value
                for name, value in vars(base.config.costs).items()
                if name.endswith("_bp")
            },
            "start": days.value[0],
            "end": days.value[1],
        }
    )
    # Only the signals that depend on k are evaluated again.
    finished = run(config, history, earlier=base.reading)
    seconds = time.perf_counter() - began
    return finished, seconds


@app.cell
def _(finished, label):
    weekly = growth_of_run(finished).iloc[::-5].iloc[::-1]
    equity_chart(
        weekly.rename(columns={"strategy": finished.label, "benchmark": finished.config.benchmark}),
        acted_on(finished.reading.regime, finished.config.lag),
        f"{label}growth of 1, weekly",
    )
    return


@app.cell
def _(finished, label):
    held = finished.weights.iloc[::-5].iloc[::-1]
    classes = held.T.groupby([asset(ticker).asset_class for ticker in held]).sum().T
    weights = go.Figure()
    for name in classes:
        weights.add_scatter(
            x=classes.index,
            y=100 * classes[name],
            name=name,
            mode="lines",
            stackgroup="all",
            line={"width": 0, "color": theme.CLASSES.get(name, theme.CLASSES["other"])},
            hovertemplate="%{y:.0f} %",
        )
    weights.update_yaxes(title="% of the portfolio", range=[0, 100])
    theme.apply_theme(weights, f"{label}weights by class", height=340)
    return


@app.cell
def _(finished):
    now = finished.weights.iloc[-1]
    holdings = pd.concat([now[now.abs() > 5e-4], pd.Series({"cash in bills": 1 - now.sum()})])
    table = partial(mo.ui.table, selection=None, show_data_types=False)
    mo.hstack(
        [
            table(metrics_table({finished.label: finished})),
            table((100 * holdings).round(1).rename("% held").rename_axis("now").to_frame()),
        ],
        widths="equal",
        wrap=True,
        align="start",
    )
    return


@app.cell
def _(base, finished, k, label, seconds):
    sharpe, of_base = finished.metrics["sharpe"], base.metrics["sharpe"]
    shares = base.reading.regime.reindex(finished.sessions).fillna("")
    moved = float((finished.reading.regime.reindex(finished.sessions).fillna("") != shares).mean())
    conclusion = (
        f"{label}{finished.label} has a Sharpe ratio of {sharpe:.2f} from "
        f"{finished.sessions[0]:%Y-%m-%d} to {finished.sessions[-1]:%Y-%m-%d}; near-cash-flow with "
        f"all defaults has {of_base:.2f} on all sessions. With k = {k.value:g}, the regime differs "
        f"from the default on {100 * moved:.0f} % of sessions. In this window, "
        f"{observed_said(of_absorption(finished), of_own_states(finished))}"
    )
    mo.md(f"## Conclusion\n\n{conclusion}\n\nSimulated in {seconds:.2f} s.")
    return (conclusion,)


@app.cell
def _(conclusion):
    if mo.app_meta().mode == "script":
        print(conclusion)
    return


if __name__ == "__main__":
    app.run()
