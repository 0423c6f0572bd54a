import marimo

__generated_with = "0.25.2"
app = marimo.App(
    width="medium",
    app_title="Why most backtests of this thesis are luck",
)

with app.setup:
    import tempfile
    from functools import cache
    from pathlib import Path

    import marimo as mo
    from plotly import graph_objects as go

    from backtests import History, config_from, default_history
    from backtests.evidence.entries import FEW, SIGNIFICANT, of_own_states
    from backtests.evidence.luck import luck
    from backtests.evidence.placebo_rank import place
    from backtests.report import theme
    from backtests.sweep.findings import find
    from backtests.sweep.request import request_of
    from backtests.sweep.sweep import sweep

    #: The values that a researcher might try, from defensible choices only.
    GRIDS = {
        "24 configurations": {
            "dry_powder.k": [0.08, 0.09, 0.10],
            "lag": [1, 2],
            "schedule.offset": [0, 5],
            "band": [0.0, 0.02],
        },
        "270 configurations": {
            "dry_powder.k": [0.07, 0.08, 0.09, 0.10, 0.11],
            "absorption.confirm": [5, 10, 21],
            "lag": [1, 2, 5],
            "schedule.offset": [0, 5, 10],
            "band": [0.0, 0.02],
        },
    }


@app.cell
def _():
    mo.md(r"""
    # Why most backtests of this thesis are luck

    Somebody shows you a backtest with a good Sharpe ratio. How many did they try before? This
    notebook tries many configurations of the strategy `cash-heavy`. Each configuration makes
    defensible choices: how many reserves banks need, how long a change of the flag must last, on
    which day of the month to trade. The notebook then picks the best configuration, as most people
    do, and asks four questions.

    `cash-heavy` holds only SPY and cash, and here only idle capital and capital spending decide how
    much. So its only possible skill is timing by the thesis. Choose a simulated economy in which
    the thesis is false: there, idle capital and spending move no price, and good timing is luck.
    Use the seed to draw other economies.
    """)
    return


@app.cell
def _():
    real = default_history()  # read once
    worlds = {"SIMULATED, the thesis is false": False, "SIMULATED, the thesis is true": True}
    if real.source == "store":
        worlds = {"your store": None, **worlds}

    @cache
    def history_of(thesis, seed):
        """Return your store for None, else an invented economy; each is made once."""
        return real if thesis is None else History.simulated(seed, thesis=thesis)

    return history_of, worlds


@app.cell
def _(worlds):
    world = mo.ui.dropdown(worlds, value=next(iter(worlds)), label="History")
    seed = mo.ui.number(0, 999, value=1, label="Seed of the economy")
    grid = mo.ui.dropdown(list(GRIDS), value="270 configurations", label="Try")
    return grid, seed, world


@app.cell
def _(grid, seed, world):
    mo.hstack([world, seed, grid], wrap=True, justify="start", gap=2)
    return


@app.cell
def _(history_of, seed, world):
    history = history_of(world.value, int(seed.value))
    label = "SIMULATED: " if history.source == "simulated" else ""
    mo.callout(
        "SIMULATED: all numbers of this page come from an invented economy.", kind="warn"
    ) if label else mo.callout(
        mo.md(
            "The trials of this page enter the trial log beside your store, as those of "
            "`drypowder sweep` do. You have seen them, so they count."
        ),
        kind="info",
    )
    return history, label


@app.cell
def _(grid, history):
    _config = config_from({"strategy": "cash-heavy@quantities"})
    _request = request_of(_config, {"set": GRIDS[grid.value]}, ())
    with tempfile.TemporaryDirectory() as _folder:  # only the findings are kept
        found = find(sweep(_request, Path(_folder, "sweep"), history=history))
    return (found,)


@app.cell
def _(found):
    ideas = mo.ui.slider(
        steps=[0, 1, 3, 10, 30, 100, 300, 1000],
        value=0,
        label="Independent ideas that were dropped before and that nobody wrote down",
        show_value=True,
    )
    _values = {
        name.removeprefix("set."): found.table[name].iloc[found.best]
        for name in found.table
        if name.startswith("set.")
    }
    mo.vstack(
        [
            mo.md(
                "## 1. The best of many\n\nThe winner: "
                + ", ".join(f"`{name}` = {value}" for name, value in _values.items())
            ),
            ideas,
        ]
    )
    return (ideas,)


@app.cell
def _(found, ideas):
    winner = found.run
    excess = winner.result.returns - winner.bills
    tested = luck(
        excess,
        trials=found.sharpes,
        effective=found.luck.deflation.effective + ideas.value,  # also logged trials
    )
    return tested, winner


@app.cell
def _(found, label, tested):
    bars = go.Figure(
        go.Histogram(x=found.sharpes, nbinsx=40, marker_color=theme.BENCHMARK, name="trials")
    )
    marks = {
        "base": (found.base_sharpe, theme.BILLS),
        "best": (tested.sharpe, theme.STRATEGY),
        "hurdle": (tested.hurdle, theme.REGIMES["FORCED_SELLING"]),
    }
    for row, (name, (value, colour)) in enumerate(marks.items()):
        bars.add_vline(x=value, line={"color": colour, "width": 3})
        bars.add_annotation(
            x=value,
            y=1 - 0.1 * row,
            yref="paper",
            text=f"{name} {value:.2f}",
            showarrow=False,
            xanchor="left",
            xshift=4,
            font={"color": colour},
        )
    bars.update_xaxes(title="yearly Sharpe ratio over bills")
    bars.update_yaxes(title="configurations")
    theme.apply_theme(bars, f"{label}trials and hurdle", height=340)
    mo.vstack(
        [
            bars,
            mo.md(
                f"The best one {'reaches' if tested.is_significant else 'is below'} the hurdle of "
                f"{tested.hurdle:.2f}. Without skill, the best of "
                f"{tested.deflation.effective:.1f} independent trials reaches it in 5 of 100 cases."
                f"\n\nThe trials resemble one another: {len(found.table)} of them "
                f"count as {found.effective:.1f} independent ones. The hurdle asks only whether "
                "the result beats bills. Shares beat bills without any timing, so reaching the "
                "hurdle does not prove skill. The next question is harder."
            ),
        ]
    )
    return


@app.cell
def _(winner):
    placebo = place({"winner": winner}, [], shifts=500)["winner"].placebo
    return (placebo,)


@app.cell
def _(placebo, tested):
    tries = tested.deflation.effective
    # The smallest of several independent p-values without skill (Šidák 1967).
    p_value = 1.0 if placebo is None else 1 - (1 - placebo.p_value) ** tries
    mo.md(
        "## 2. Is it the timing?\n\nThe strategy has no timing, so there is nothing to test."
        if placebo is None
        else "## 2. Is it the timing?\n\nThe same holdings at shifted dates are placebos: they "
        f"hold as much SPY, at random times. The winner times better than {100 * placebo.rank:.0f} "
        f"% of {placebo.n} placebos. But it is the best of about {tries:.1f} independent trials, "
        f"and without skill the best of so many times as well in {100 * p_value:.0f} of 100 cases."
    )
    return (p_value,)


@app.cell
def _(found, label):
    overfitting = found.overfitting
    ranks = go.Figure(
        go.Histogram(
            x=overfitting.ranks,
            xbins={"start": 0, "end": 1, "size": 0.05},
            marker_color=theme.BENCHMARK,
        )
    )
    ranks.add_vline(x=0.5, line={"color": theme.STRATEGY, "width": 2}, annotation_text="median")
    ranks.update_xaxes(title="rank in the other half, 1 is best", range=[0, 1])
    ranks.update_yaxes(title="splits of the history")
    theme.apply_theme(ranks, f"{label}the winner later", height=320)
    mo.vstack(
        [
            mo.md(
                "## 3. Does the winner win again?\n\nThe history is cut into 16 blocks. Half of "
                "them choose a winner, and the other half tests it, in every combination. The "
                "winner ranks at or below the median in "
                f"{100 * overfitting.probability:.0f} of 100 "
                "splits: the **probability of backtest overfitting** (PBO). At 50, choosing is "
                "worth nothing."
            ),
            ranks,
        ]
    )
    return (overfitting,)


@app.cell
def _(found, label):
    near = go.Figure(
        go.Scatter(
            x=found.sharpes[found.compared],
            y=found.neighbours,
            mode="markers",
            marker={"color": theme.BENCHMARK, "size": 5},
            name="configurations",
        )
    )
    near.add_scatter(
        x=[found.sharpes[found.best]],
        y=[found.neighbourhood],
        mode="markers",
        marker={"color": theme.STRATEGY, "size": 12},
        name="best",
    )
    near.update_xaxes(title="Sharpe ratio")
    near.update_yaxes(title="mean Sharpe ratio of the neighbours")
    theme.apply_theme(near, f"{label}neighbours", height=320)
    mo.vstack(
        [
            near,
            mo.md(
                f"The best configuration has {found.sharpes[found.best]:.2f}, and its neighbours "
                f"have {found.neighbourhood:.2f} on average. The configuration that was chosen "
                f"before the sweep has {found.base_sharpe:.2f} and beats "
                f"{100 * found.beaten:.0f} % of all."
            ),
        ]
    )
    return


@app.cell
def _(tested, winner):
    seen = of_own_states(winner)
    years = len(winner.result.returns) / 252
    needed = tested.minimum_length / 252
    mo.md(
        "## 4. How much is there to learn from?\n\nDays are many, but they are not independent "
        f"observations of the thesis. In {years:.0f} years, the states in which the strategy acts "
        f"had **{seen.episodes} episodes**. A test of this length finds a true Sharpe ratio "
        f"of 0.5 with a probability of {100 * tested.power:.0f} % (its **power**). If the winner "
        f"were the only trial, its Sharpe ratio would need {needed:.1f} years to pass."
    )
    return (seen,)


@app.cell
def _(found, label, overfitting, p_value, seen, tested):
    skill = {
        "The best one reaches the hurdle of all trials.": tested.is_significant,
        "Its timing is better than that of shifted dates.": p_value <= SIGNIFICANT,
        f"There are at least {FEW} episodes.": seen.episodes >= FEW,
    }
    # Bailey et al. (2017) reject a choice if its probability of overfitting is above 5 %.
    choice = overfitting.probability <= SIGNIFICANT
    answers = {**skill, "The winner wins again: a PBO of at most 5 %.": choice}
    conclusion = (
        f"{label}The best of {len(found.table)} backtests has a Sharpe ratio of "
        f"{tested.sharpe:.2f}; the hurdle for so many trials is {tested.hurdle:.2f}. "
    )
    if not all(skill.values()):
        conclusion += "**Its timing may be luck.**"
    elif choice:
        conclusion += "**Luck alone does not explain it.** Hindsight may: the rules are from 2026."
    else:
        conclusion += (
            "**Luck alone does not explain the strategy, but it may explain the choice.** Use the "
            "configuration that was chosen before the sweep."
        )
    mo.vstack(
        [
            mo.md("## Conclusion"),
            mo.md(
                "".join(
                    f"- {'Yes' if holds else '**No**'}: {asked}\n"
                    for asked, holds in answers.items()
                )
            ),
            mo.md(conclusion),
        ]
    )
    return (conclusion,)


@app.cell
def _(conclusion):
    if mo.app_meta().mode == "script":
        print(conclusion.replace("**", ""))
    return


if __name__ == "__main__":
    app.run()
