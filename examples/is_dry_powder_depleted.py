import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="Is dry powder depleted?")

with app.setup:
    import marimo as mo
    import numpy as np
    import pandas as pd
    from plotly import graph_objects as go

    import signals
    from backtests import default_history
    from backtests.report import theme
    from backtests.report.notebook_charts import signal_chart
    from signals import DryPowder, explain
    from signals.hysteresis import since


@app.cell
def _():
    mo.md(r"""
    # Is dry powder depleted?

    The thesis says that AI spending feeds markets only while idle capital lasts. **Idle capital**
    is cash that nobody needs: money that funds lend to the Fed overnight (reverse repo), plus bank
    reserves above the amount that banks need. This notebook measures idle capital and compares it
    with two thresholds. The flag turns on when idle capital falls below the dashed line, and off
    when idle capital rises above the dotted line.

    Nobody knows how many reserves banks need. The default assumes 9 % of GDP. Move the slider and
    see how much of the answer comes from this assumption.
    """)
    return


@app.cell
def _():
    history = default_history()  # read once; no slider reads it again
    base = signals.read(history.panel)
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
def _(history):
    scale = mo.ui.dropdown(
        {"GDP": "gdp", "bank assets": "bank_assets"}, value="GDP", label="Compare with"
    )
    days = mo.ui.date_range(
        start=history.panel.index[0].date(),
        stop=history.panel.index[-1].date(),
        value=(
            max(history.panel.index[0].date(), pd.Timestamp("2013-09-24").date()),
            history.panel.index[-1].date(),
        ),
        label="Dates",
    )
    return days, scale


@app.cell
def _(scale):
    _lowest, _default = (6.0, 9.0) if scale.value == "gdp" else (9.0, 12.5)
    needs = [_lowest + step / 2 for step in range(15)]  # %
    need = mo.ui.slider(
        steps=needs,
        value=_default,
        label="Reserves that banks need, %",
        show_value=True,
    )
    return need, needs


@app.cell
def _(days, need, scale):
    mo.hstack([scale, need, days], wrap=True, justify="start", gap=2)
    return


@app.cell
def _(scale):
    def powder(percent):
        """Return a signal for which banks need ``percent`` % of the chosen scale as reserves."""
        if scale.value == "gdp":
            return DryPowder(k=percent / 100)
        return DryPowder(scale="bank_assets", a=percent / 100)

    return (powder,)


@app.cell
def _(base, days, history, need, powder):
    signal = powder(need.value)
    start = pd.Timestamp(days.value[0])
    at = history.session(pd.Timestamp(days.value[1]))
    chosen = {**signals.default_signals(), "dry_powder": signal}
    reading = signals.read(history.panel, chosen, earlier=base.evaluations)
    evaluation = reading.evaluations["dry_powder"]
    explanation = explain(evaluation, history.panel, at, history.known, reading.evaluations)
    return at, evaluation, explanation, reading, start


@app.cell
def _(at, evaluation, explanation, reading):
    unit = evaluation.signal.unit("share")
    regime = reading.regime.loc[:at]
    regime_since = since(regime)
    state = {True: "depleted", False: "not depleted", None: "unknown"}[explanation.flag]
    mo.hstack(
        [
            mo.stat(f"{explanation.value:.2f} {unit}", label=f"Idle capital on {at:%Y-%m-%d}"),
            mo.stat(
                state,
                label="The flag says",
                caption=f"since {explanation.since:%Y-%m-%d}" if explanation.since else "",
            ),
            mo.stat(explanation.flips or explanation.reason, label="What would flip it"),
            mo.stat(
                str(regime.iloc[-1]),
                label="Regime with this assumption",
                caption=f"since {regime_since:%Y-%m-%d}" if regime_since else "",
            ),
        ],
        wrap=True,
        justify="start",
    )
    return regime, state, unit


@app.cell
def _(at, evaluation, history, label, start):
    signal_chart(
        evaluation.rows(lambda part: part.loc[start:at]),
        history.panel.loc[start:at, ["RRPONTSYD", "WRESBAL"]],
        f"{label}idle capital",
    )
    return


@app.cell
def _(history, needs, powder):
    # One evaluation for each assumption, on all sessions.
    flags = pd.DataFrame({each: powder(each).evaluate(history.panel).flag for each in needs})
    return (flags,)


@app.cell
def _(at, flags, start):
    inside = flags.loc[start:at]
    by_need = pd.DataFrame(
        {
            "depleted now": inside.iloc[-1],
            "days depleted, %": 100 * inside.mean(),
            "since": [since(flags[each].loc[:at]) for each in flags],
        }
    ).rename_axis("reserves needed, %")
    return by_need, inside


@app.cell
def _(inside, label, need):
    thin = inside.iloc[::-5].iloc[::-1]  # one session a week
    figure = go.Figure(
        go.Heatmap(
            x=thin.index,
            y=list(thin),
            z=thin.astype("Float64").to_numpy(dtype=float, na_value=np.nan).T,
            colorscale=[[0, theme.FLAGS["off"]], [1, theme.FLAGS["on"]]],
            zmin=0,
            zmax=1,
            showscale=False,
            hovertemplate="%{x|%Y-%m-%d}, %{y:.1f} %: %{z}<extra></extra>",
        )
    )
    figure.add_hline(y=need.value, line={"color": "black", "dash": "dash", "width": 1})
    figure.update_yaxes(title="reserves that banks need, %")
    theme.apply_theme(figure, f"{label}when the flag is on", height=380)
    return


@app.cell
def _(by_need):
    mo.accordion(
        {
            "The table behind the chart": mo.ui.table(
                by_need.reset_index(), selection=None, show_data_types=False, page_size=15
            )
        }
    )
    return


@app.cell
def _(at, by_need, explanation, label, need, regime, state, unit):
    known = by_need["depleted now"].dropna()
    on = known.index[known.astype(bool)]
    if known.empty:
        dependence = "No assumption gives an answer on this day, because data are missing."
    elif len(on) in (0, len(known)):
        dependence = (
            f"The answer is the same for every assumption from {known.index[0]:g} to "
            f"{known.index[-1]:g} %, so it does not depend on this choice."
        )
    else:
        dependence = (
            f"The answer depends on the assumption: {len(on)} of {len(known)} values say depleted: "
            f"{on[0]:g} % and above."
        )
    conclusion = (
        f"{label}On {at:%Y-%m-%d}, with {need.value:g} % needed, idle capital is "
        f"{explanation.value:.2f} {unit} and **{state}**. {dependence} The regime is "
        f"{regime.iloc[-1]}."
    )
    mo.md(f"## Conclusion\n\n{conclusion}")
    return (conclusion,)


@app.cell
def _(conclusion):
    if mo.app_meta().mode == "script":
        print(conclusion.replace("**", ""))
    return


if __name__ == "__main__":
    app.run()
