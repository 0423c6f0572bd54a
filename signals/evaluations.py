"""Evaluate the signals of a set on a panel, each signal at most once."""

from collections.abc import Iterator, Mapping

import pandas as pd

from signals.base import Evaluation, Signal, require
from signals.errors import ConfigError, shown
from signals.form import ask
from signals.index import check_panel


class Evaluations(Mapping[str, Evaluation]):
    """A mapping from the name of each signal to its evaluation on a panel.

    The mapping computes each evaluation only once, at the first request. A signal can contain other
    signals, which are its parts. If a part is in ``signals``, every signal uses the part with the
    parameters from ``signals``. A part outside ``signals`` has default parameters.

    Parameters
    ----------
    panel
        Point-in-time panel, sessions × series ids.
    signals
        The signals by name.
    earlier
        Earlier evaluations on the same panel. The mapping reuses an evaluation if its signal and
        the evaluations of all its parts are unchanged.

    Raises
    ------
    ConfigError
        Raised if ``panel`` is not a DataFrame, or if ``signals`` is not a mapping to signals.
    DataError
        Raised if the panel's index does not consist of unique sessions in ascending order, or if
        the panel has a column twice.
    MissingSeries
        Raised if the panel lacks a column that a signal reads.
    SimulationError
        Raised if a signal's inputs are not a tuple of ids.
    """

    def __init__(
        self,
        panel: pd.DataFrame,
        signals: Mapping[str, Signal],
        earlier: Mapping[str, Evaluation] | None = None,
    ) -> None:
        check_panel(panel)
        if not isinstance(signals, Mapping):
            raise ConfigError(
                f"expected a mapping from names to signals, was {shown(signals)}; give one such as "
                "signals.default_signals()"
            )
        for name, signal in signals.items():
            if not isinstance(signal, Signal):
                raise ConfigError(
                    f"expected a signal under the name {name}, was {shown(signal)}; give one such "
                    "as signals.DryPowder()"
                )
            require(panel, ask(signal, "inputs"), signal.name)
        self.panel = panel
        self.signals = dict(signals)
        self._earlier = {} if earlier is None else earlier
        self._made: dict[str, Evaluation] = {}

    def __getitem__(self, name: str) -> Evaluation:
        """Return the evaluation of a signal in the set; raise KeyError for another name."""
        return self._evaluated(name, self.signals[name])

    def __contains__(self, name: object) -> bool:
        """Return whether a signal is in the set, without evaluating it."""
        return name in self.signals

    def __iter__(self) -> Iterator[str]:
        """Yield the names of the signals, in the order of the set."""
        return iter(self.signals)

    def __len__(self) -> int:
        """Return the number of signals."""
        return len(self.signals)

    def _evaluated(self, name: str, signal: Signal) -> Evaluation:
        if name not in self._made:
            parts = {part: self._part(part, kind) for part, kind in signal.parts.items()}
            self._made[name] = self._again(name, signal, parts) or signal.evaluate(
                self.panel, parts
            )
        return self._made[name]

    def _part(self, name: str, kind: type[Signal]) -> Evaluation:
        return self._evaluated(name, self.signals[name] if name in self.signals else kind())

    def _again(
        self, name: str, signal: Signal, parts: Mapping[str, Evaluation]
    ) -> Evaluation | None:
        """Return an earlier evaluation that is still valid, or None."""
        if name not in self._earlier or self._earlier[name].signal != signal:
            return None
        same = all(part in self._earlier and self._earlier[part] is e for part, e in parts.items())
        return self._earlier[name] if same else None


def evaluate(panel: pd.DataFrame, signals: Mapping[str, Signal]) -> Evaluations:
    """Return the evaluations of a set of signals on a panel, by name; see :class:`Evaluations`."""
    return Evaluations(panel, signals)


def inputs_of(
    signal: Signal, among: Mapping[str, Signal], *, deciding: bool = False
) -> tuple[str, ...]:
    """Return the ids of the series that a signal and its parts read, each id once.

    ``among`` maps names to signals, and gives the parameters of the parts. A part outside ``among``
    has default parameters. If ``deciding`` is True, only ids that affect the flag or the score are
    returned.
    """
    parts = (among[name] if name in among else part() for name, part in signal.parts.items())
    left_out = ask(signal, "shown_only") if deciding else ()
    own = (id for id in signal.inputs if id not in left_out)
    ids = (*(id for part in parts for id in inputs_of(part, among, deciding=deciding)), *own)
    return tuple(dict.fromkeys(ids))
