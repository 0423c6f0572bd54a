"""Names that the shell can complete. The names are loaded only when the user presses tab."""


def strategies(incomplete: str) -> list[str]:
    """Return the strategies whose name begins with the given text."""
    from strategies import STRATEGIES

    return [name for name in STRATEGIES if name.startswith(incomplete)]


def rows(incomplete: str) -> list[str]:
    """Return the strategies, config files and folders whose name begins with the given text."""
    from glob import escape, glob
    from pathlib import Path

    found = sorted(glob(f"{escape(incomplete)}*"))
    paths = [f"{path}/" if Path(path).is_dir() else path for path in found]
    return [*strategies(incomplete), *(path for path in paths if path.endswith((".toml", "/")))]


def signals(incomplete: str) -> list[str]:
    """Return the signals whose name begins with the given text."""
    from signals import SIGNALS

    return [name for name in SIGNALS if name.startswith(incomplete)]


def strategies_and_signals(incomplete: str) -> list[str]:
    """Return the strategies, then the signals, whose name begins with the given text."""
    return [*strategies(incomplete), *signals(incomplete)]


def swept(incomplete: str) -> list[str]:
    """Return the parameter paths that begin with the given text, each followed by ``=``.

    The parameters belong to signals, the regime model ``votes``, the strategy near-cash-flow, the
    schedule or the costs. The paths also include the settings ``lag`` and ``band``.
    """
    from backtests.config_data import config_from
    from backtests.sweep.setting import Setting, paths_of

    paths = paths_of(Setting.of(config_from({"strategy": "near-cash-flow"})))
    return [f"{path}=" for path in paths if path.startswith(incomplete)]


def designs(incomplete: str) -> list[str]:
    """Return the sweep designs whose name begins with the given text."""
    from backtests.sweep.design import DESIGNS

    return [name for name in DESIGNS if name.startswith(incomplete)]
