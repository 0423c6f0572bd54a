"""The page of ``sweep``: the verdict, heat maps, and evidence on skill or luck."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from backtests.atomic import write_text
from backtests.config import SETTINGS, RunConfig
from backtests.evidence.entries import acted_on
from backtests.evidence.metrics import ROOT_YEAR
from backtests.parameter_paths import split
from backtests.report.docstring import documented_parameters
from backtests.report.page import page, render
from backtests.report.panel_rows import Line, Panel, Strip
from backtests.report.panels import panels
from backtests.report.svg import every_nth
from backtests.report.sweep_charts import (
    distribution_chart,
    parallel_chart,
    rank_chart,
    scatter_chart,
)
from backtests.report.sweep_maps import (
    MOST,
    SHOWN,
    STATISTICS,
    Grouped,
    best_rows,
    grouped,
    heat_maps,
    shown_value,
)
from backtests.report.theme import css_states, present
from backtests.simulated import label_of
from backtests.sweep.findings import Findings
from backtests.sweep.setting import Setting
from backtests.sweep.sweep import Swept
from signals.universe import HINDSIGHT

#: Largest number of points in the chart of splits. Each point is one split of the history.
_SPLITS = 400


def write_sweep_page(swept: Swept, found: Findings, numbers: Mapping[str, Any], path: Path) -> None:
    """Write one self-contained page. An existing page is replaced.

    ``numbers`` comes from :func:`backtests.report.sweep_numbers.sweep_numbers`. A file that cannot
    be written raises DataError.
    """
    label = label_of(swept.base.simulated)
    section = render("sweep.html.j2", **_values(swept, found, numbers, label))
    write_text(path, page(f"{label}sweep of {swept.base.label}", section))


def _values(
    swept: Swept, found: Findings, numbers: Mapping[str, Any], label: str
) -> dict[str, Any]:
    groups, design = grouped(swept.case.design), swept.case.design
    maps = heat_maps(found, groups)
    return {
        "n": numbers,
        "label": label,
        "parameters": [group.path for group in groups],
        "first": _most_varied(groups),
        "metrics": maps["metrics"],
        "statistics": STATISTICS,
        "maps": json.dumps(maps, separators=(",", ":")).replace("<", "\\u003c"),
        "most": MOST,
        "joined": [p for p, x in zip(design.paths, design.levels, strict=True) if len(x) > MOST],
        "drawn": len(found.compared),
        "rows": best_rows(found, design),
        "paths": design.paths,
        "meanings": {path: _meaning(swept.base.config, path) for path in design.paths},
        "headings": [text for text, _, _ in SHOWN.values()],
        "values": {p: shown_value(v) for p, v in design.values(found.best).items()},
        "charts": _charts(swept, found, label),
        "hindsight": HINDSIGHT,
    }


def _meaning(config: RunConfig, path: str) -> str | None:
    """Return the description of a parameter, with its unit; None if its class has none."""
    owner, name = split(path)
    thing = config if path in SETTINGS else Setting.of(config).owners[owner or "strategy"]
    return documented_parameters(type(thing)).get(name)


def _most_varied(groups: Sequence[Grouped]) -> tuple[str, str]:
    """Return the two parameters with the most values, for the first heat map."""
    order = sorted(groups, key=lambda group: -len(group.labels))
    down, across = order[min(1, len(order) - 1)], order[0]
    return down.path, across.path


def _charts(swept: Swept, found: Findings, label: str) -> dict[str, str]:
    luck, best = found.luck, int(np.flatnonzero(found.compared == found.best)[0])
    marks = {
        "base": found.base_sharpe,
        "best": float(found.sharpes[found.best]),
        "hurdle": luck.hurdle,
        "expected best without skill": luck.expected_maximum,
    }
    near = (found.sharpes[found.compared], found.neighbours)
    titles = ("Sharpe ratio of a configuration", "mean Sharpe ratio of neighbours")
    splits = _splits(found)
    return {
        "distribution": distribution_chart(
            found.sharpes, marks, f"{label}distribution of the Sharpe ratios"
        ),
        "plateau": scatter_chart(*near, titles, f"{label}plateau against peak", best),
        "ranks": rank_chart(
            found.overfitting.ranks,
            f"{label}out-of-sample rank of the best in-sample configuration",
        ),
        "halves": scatter_chart(
            *splits,
            ("Sharpe ratio in sample", "Sharpe ratio out of sample"),
            f"{label}best in-sample configuration of each split: Sharpe ratio in and out of sample",
        ),
        "parallel": _parallel(swept, found, label),
        "equity": _equity(swept, found, label),
    }


def _splits(found: Findings) -> tuple[np.ndarray, np.ndarray]:
    """Return yearly Sharpe ratios in and out of sample, for every n-th split."""
    result = found.overfitting
    chosen = every_nth(len(result.ranks), _SPLITS)
    return result.in_sample[chosen] * ROOT_YEAR, result.out_of_sample[chosen] * ROOT_YEAR


def _parallel(swept: Swept, found: Findings, label: str) -> str:
    """Return a chart of parallel coordinates; the last axis is the Sharpe ratio."""
    design, chosen = swept.case.design, found.compared
    varied = [i for i, level in enumerate(design.levels) if len(level) > 1]
    tall = np.array([max(len(design.levels[i]) - 1, 1) for i in varied], dtype=np.float64)
    sharpes = found.sharpes[chosen]
    low, high = sharpes.min(), sharpes.max()
    last = (sharpes - low) / ((high - low) or 1.0)
    heights = np.column_stack([design.rows[chosen][:, varied] / tall, last])
    axes = [(design.paths[i], _some([shown_value(v) for v in design.levels[i]])) for i in varied]
    axes.append(("Sharpe", [f"{low:.2f}", f"{high:.2f}"]))
    return parallel_chart(axes, heights, sharpes, f"{label}parallel coordinates")


def _some(labels: list[str]) -> list[str]:
    """Return all labels if there are at most six, else only the first and the last label."""
    return labels if len(labels) <= 6 else [labels[0], labels[-1]]


def _equity(swept: Swept, found: Findings, label: str) -> str:
    """Return a chart of growth: best configuration, base configuration and benchmark."""
    run, base = found.run, swept.base
    curves = {
        "best": run.result.equity / run.result.equity.iloc[0],
        "base": base.result.equity / base.result.equity.iloc[0],
        base.config.benchmark: (1 + base.benchmark).cumprod(),
    }
    lines = [
        Line(name=name, values=curve.reindex(run.sessions).fillna(1.0), colour=f"var(--c{at})")
        for at, (name, curve) in enumerate(curves.items())
    ]
    regime = _regime(found).fillna("none")
    return panels(
        f"{label}growth of 1, shaded by regime",
        [Panel(title="growth of 1, log scale", digits=2, lines=lines, log=True, height=300)],
        shading=Strip(title="regime", states=regime, colours=css_states(present(regime))),
        of_returns=True,
    )


def _regime(found: Findings) -> pd.Series:
    """Return the regime of each daily return of the best configuration."""
    run = found.run
    return acted_on(run.reading.regime, run.config.lag).reindex(run.result.equity.index)
