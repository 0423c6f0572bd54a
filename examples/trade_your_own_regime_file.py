import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="Trade your own regime file")

with app.setup:
    import tempfile
    from pathlib import Path
    from textwrap import dedent

    import marimo as mo
    import pandas as pd
    from plotly import graph_objects as go

    from backtests import config_from, default_history, metrics_table, run
    from backtests.evidence.entries import of_own_states, timing_conclusion
    from backtests.evidence.own_mix import mix_of
    from backtests.evidence.placebo_rank import place
    from backtests.report import theme
    from signals.errors import DrypowderError

    #: Announcements of the Fed on its purchases of bonds, and the ends of announced purchases. The
    #: announcement of Sunday, 2020-03-15, counts from the next day.
    FED = dedent(
        """\
        date,label
        2008-11-25,INJECTION
        2010-03-31,NEUTRAL
        2010-11-03,INJECTION
        2011-06-30,NEUTRAL
        2012-09-13,INJECTION
        2014-10-29,NEUTRAL
        2017-09-20,ABSORPTION
        2019-07-31,NEUTRAL
        2020-03-16,INJECTION
        2021-11-03,NEUTRAL
        2022-05-04,ABSORPTION
        2025-10-29,NEUTRAL
        """
    )


@app.cell
def _():
    mo.md(r"""
    # Trade your own regime file

    You may have your own view of the regime: from a bank's research, from a model, from reading the
    news. Write it as a table with two columns, `date` and `label`. A label applies from the close
    of its date until the next date. drypowder then trades the labels, with costs and with a delay.

    The example labels quantitative easing INJECTION and quantitative tightening ABSORPTION, at the
    dates of the Fed's announcements and of the ends that it had announced. Change the text, or load
    your file. Use only what was known on each date: a label that is written with hindsight earns
    money that nobody could have earned.
    """)
    return


@app.cell
def _():
    history = default_history()  # read once; no slider reads it again
    folder = Path(tempfile.mkdtemp(prefix="drypowder-"))  # for the file of labels
    label = "SIMULATED: " if history.source == "simulated" else ""
    return folder, history, label


@app.cell
def _(history):
    mo.callout(
        mo.md(
            "SIMULATED: there is no store, so all prices come from an invented economy, which "
            "knows nothing of the Fed. `drypowder import` or `drypowder fetch` fills a store."
        ),
        kind="warn",
    ) if history.source == "simulated" else mo.md(
        f"Real history to {history.panel.index[-1]:%Y-%m-%d}."
    )
    return


@app.cell
def _():
    upload = mo.ui.file(filetypes=[".csv"], label="Load your file")
    return (upload,)


@app.cell
def _(history, upload):
    _given = upload.contents().decode("utf-8-sig", "replace") if upload.value else FED
    text = mo.ui.text_area(
        value=_given, rows=13, label="Dates and labels", debounce=True, max_length=100_000
    )
    strategy = mo.ui.dropdown(
        ["cash-heavy", "near-cash-flow", "defensive", "survival"],
        value="cash-heavy",
        label="Strategy",
    )
    lag = mo.ui.slider(1, 21, value=1, label="Delay of fills, sessions", show_value=True)
    _first = history.panel["DGS3MO"].first_valid_index()  # idle cash needs the yield of bills
    start = mo.ui.date(
        start=_first.date(),
        stop=history.panel.index[-30].date(),
        value=max(_first, pd.Timestamp("2008-11-25")).date(),
        label="First decision",
    )
    cost = mo.ui.slider(0, 50, 1, value=2, label="Cost of a trade, basis points", show_value=True)
    return cost, lag, start, strategy, text


@app.cell
def _(cost, lag, start, strategy, text, upload):
    mo.hstack(
        [text, mo.vstack([upload, strategy, start, lag, cost], gap=1)],
        wrap=True,
        justify="start",
        gap=2,
    )
    return


@app.cell
def _(cost, folder, history, lag, start, strategy, text):
    file = folder / "labels.csv"
    file.write_text(text.value, encoding="utf-8")
    try:
        config = config_from(
            {
                "strategy": f"{strategy.value}@{file}",
                "start": start.value,
                "lag": lag.value,
                "costs": dict.fromkeys(("etf_bp", "stock_bp", "crypto_bp"), float(cost.value)),
            }
        )
        finished = run(config, history)
        error = ""
    except DrypowderError as refused:  # one line: what was expected, and what it was
        finished, error = None, str(refused).replace(f"{file}", "labels")
    mo.stop(finished is None, mo.callout(error, kind="danger"))
    return (finished,)


@app.cell
def _(finished, label):
    finished.plot().update_layout(title_text=f"{label}growth of 1 by regime")
    return


@app.cell
def _(finished):
    mo.ui.table(metrics_table({"your labels": finished}), selection=None, show_data_types=False)
    return


@app.cell
def _():
    mo.md(r"""
    ## Is it the dates?

    A **placebo** holds the same portfolios for the same lengths of time, but at shifted dates.
    Holdings that move past the last date continue at the first date. If many placebos time the
    market as well as your labels, your dates explain nothing. The **timing gain** is the Sharpe
    ratio minus that of the mean weights. A constant mix of SPY and bills with the same mean
    exposure needs no regime at all; a regime that is worth the trouble beats this mix.
    """)
    return


@app.cell
def _(finished):
    placed = place({"labels": finished}, [], shifts=500)["labels"]
    placebo = placed.placebo
    mix = mix_of(finished)
    return mix, placebo, placed


@app.cell
def _(label, placebo, placed):
    mo.stop(placebo is None, mo.callout(placed.note, kind="neutral"))
    figure = go.Figure(
        go.Histogram(x=placebo.others, nbinsx=40, marker_color=theme.BENCHMARK, name="placebos")
    )
    figure.add_vline(
        x=placebo.statistic,
        line={"color": theme.STRATEGY, "width": 3},
        annotation_text="your dates",
    )
    figure.update_xaxes(title="timing gain, yearly Sharpe ratio")
    figure.update_yaxes(title=f"number of {placebo.n} placebos")
    theme.apply_theme(figure, f"{label}shifted dates", height=320)
    mo.vstack([figure, mo.md(f"How it is tested: {placed.note}.")])
    return


@app.cell
def _(finished, label, mix, placebo):
    seen = of_own_states(finished)
    p_value, count = (None, 0) if placebo is None else (placebo.p_value, placebo.n)
    said = timing_conclusion(seen, p_value, count)
    excess = mix.returns - finished.bills
    of_mix = float(excess.mean() / excess.std() * 252**0.5)
    lead = finished.metrics["sharpe"] - of_mix
    rank = (
        "The labels have no placebo."
        if placebo is None
        else f"Your dates time better than {100 * placebo.rank:.0f} % of the shifted dates "
        f"(p = {placebo.p_value:.2f})."
    )
    conclusion = (
        f"{label}Sharpe ratio {finished.metrics['sharpe']:.2f}, "
        f"{'above' if lead > 0 else 'not above'} the {of_mix:.2f} of a constant mix with "
        f"{100 * mix.share:.0f} % SPY. {rank} The labels have {seen.episodes} episodes of "
        f"ABSORPTION. In words: **{said}**."
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
