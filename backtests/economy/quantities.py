r"""Simulate stocks and flows of the economy.

Each equation describes one session, so dt is 1/252 years. Amounts are in USD bn. x⁺ is max(x, 0).
Each dB is a separate normal random number with variance dt.

G is output at an annual rate:

    dG/G   = 0.045 dt + 0.008 dB

The central bank's assets W are equal to the sum of currency C, the Treasury account T, reserves R
and reverse repo V. T/G returns to its mean of 0.02. Banks need reserves of 9 % of yearly output,
0.09 G. E is the liquidity above the reserves that banks need. P is idle capital. Reverse repo V
also has a small random part:

    W      = C + T + R + V
    C      = 0.065 G
    E      = W − C − T − 0.09 G
    V      = 0.35 E⁺
    R      = W − C − T − V
    P      = V + (R − 0.09 G)⁺

The central bank's assets change by p G a year. The central bank's mode sets p. The value of p is
0.14 in QE, 0 in HOLD, −0.035 in QT, and 0.03 in EASE. In the mode LEAN, the central bank chooses p
so that P/G, idle capital divided by output, stays near 0.005:

    dW     = p G dt

Capital spending a is an annual rate. The growth rate of capital spending is g, and g returns to the
level g*. The value of b is 0.33 in a boom and −0.05 in a bust:

    d ln a = g dt
    dg     = 2 (g* − g) dt + 0.10 dB
    g*     = b − 0.15 ln(a / 0.004 G)

A is the mean of capital spending a over 252 sessions. u is the absorption share:

    u      = A / (A + P)

The phases depend on u, on A and on P/G, and crises begin at random.

Absorption begins when u is above 0.5 and A grows by more than 10 % a year. Absorption ends when u
is below 0.4, or when A grows by less than 5 % a year.

Injection begins when u is below 0.3, A grows by more than 10 % a year, and P/G is above 2 %.
Injection ends when u is above 0.4, when A grows by less than 5 % a year, or when P/G is below 1 %.

Crises begin at random, with a hazard rate of 0.06 a year. During absorption, the yearly hazard rate
of crises is higher by 0.45 + 0.6 ((u − 0.5)⁺/0.3)². A crisis lasts 25 to 70 sessions. The start of
a crisis lowers g by 0.12.

After a crisis, the recovery lasts 126 to 252 sessions. No crisis begins during the recovery or in
the 252 sessions after the recovery.

The central bank starts QE 16 sessions after the first session of a crisis. QE continues until the
recovery ends. After QE, the central bank changes to the mode HOLD, then to QT, then to LEAN. The
central bank changes from LEAN to EASE at random, and later from EASE to HOLD.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from signals.regimes import Regime

DT = 1 / 252
NEEDED = 0.09
CURRENCY = 0.065
_POLICY = {"QE": 0.14, "HOLD": 0.0, "QT": -0.035, "EASE": 0.03}


@dataclass(frozen=True, kw_only=True)
class Quantities:
    """Paths of the economy's stocks and flows, with a value for each session.

    Attributes
    ----------
    paths
        Columns ``gdp, fed_assets, treasury_account, reserves, reverse_repo, capex, trailing_capex,
        growth, idle, u``. Amounts are in USD bn. ``gdp`` and ``capex`` are at annual rates.
        ``growth`` is the growth of ``trailing_capex`` over one year. ``growth`` and ``u`` are
        fractions.
    state
        INJECTION, ABSORPTION or NEUTRAL.
    phase
        FORCED_SELLING in a crisis, OPPORTUNITY in the recovery after a crisis. In all other
        sessions, ``phase`` equals ``state``.
    mode
        The central bank's mode: QE, HOLD, QT, LEAN or EASE.
    """

    paths: pd.DataFrame
    state: pd.Series
    phase: pd.Series
    mode: pd.Series


class _World:
    """The economy at one session; :meth:`step` moves it to the next session."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.gdp = 12_500.0
        self.treasury = 0.02
        self.mode, self.mode_left = "HOLD", int(rng.integers(126, 504))
        excess = rng.uniform(0.02, 0.09)
        self.assets = self.gdp * (CURRENCY + self.treasury + NEEDED + excess)
        self.capex, self.growth = 0.006 * self.gdp, 0.15
        self.boom, self.boom_left = True, int(rng.integers(252, 756))
        self.history = [self.capex * np.exp(-0.15 * (1 - i * DT)) for i in range(252)]
        self.trailing = [
            float(np.mean(self.history)) * np.exp(-0.15 * (1 - i * DT)) for i in range(252)
        ]
        self.total = float(np.sum(self.history))
        self.crisis_left = self.recovery_left = 0
        self.crisis_age = self.quiet = 0
        self.absorbing = self.injecting = False
        self.impulse, self.u, self.idle = 0.15, 0.1, 0.0

    def step(self) -> None:
        noise = self.rng.standard_normal(4)
        self.gdp *= 1 + 0.045 * DT + 0.008 * np.sqrt(DT) * noise[0]
        self.treasury += 3 * (0.02 - self.treasury) * DT + 0.012 * np.sqrt(DT) * noise[1]
        self.treasury = max(self.treasury, 0.002)
        self._spend(noise[2])
        self._policy()
        self._measure(noise[3])
        self._update_state()
        self._update_crisis()

    def _spend(self, noise: float) -> None:
        self.boom_left -= 1
        if self.boom_left <= 0:
            self.boom = not self.boom
            self.boom_left = int(self.rng.integers(*((504, 1260) if self.boom else (126, 378))))
        pull = 0.15 * np.log(self.capex / (0.004 * self.gdp))
        goal = (0.33 if self.boom else -0.05) - pull
        self.growth += 2 * (goal - self.growth) * DT + 0.10 * np.sqrt(DT) * noise
        self.capex *= np.exp(self.growth * DT)
        self.total += self.capex - self.history[-252]
        self.history.append(self.capex)
        self.trailing.append(self.total / 252)
        self.impulse = self.trailing[-1] / self.trailing[-253] - 1

    def _policy(self) -> None:
        share = self.idle / self.gdp
        self.mode_left -= 1
        if self.crisis_age > 15 or self.recovery_left > 0:
            self.mode, self.mode_left = "QE", int(self.rng.integers(200, 500))
        elif self.mode == "QE":
            self.mode = "HOLD"
        elif self.mode == "HOLD" and self.mode_left <= 0:
            self.mode = "QT"
        elif self.mode == "QT" and share < 0.005:
            self.mode = "LEAN"
        elif self.mode == "LEAN" and self.rng.random() < 0.25 * DT:
            self.mode, self.mode_left = "EASE", int(self.rng.integers(252, 504))
        elif self.mode == "EASE" and self.mode_left <= 0:
            self.mode, self.mode_left = "HOLD", int(self.rng.integers(126, 378))
        needs = (CURRENCY + NEEDED) * 0.045
        flow = needs + 2 * (0.005 - share) if self.mode == "LEAN" else _POLICY[self.mode]
        self.assets += flow * self.gdp * DT

    def _measure(self, noise: float) -> None:
        liquid = self.assets - (CURRENCY + self.treasury) * self.gdp
        excess = liquid - NEEDED * self.gdp
        self.reverse_repo = 0.35 * max(excess, 0.0) + 0.0004 * self.gdp * abs(noise)
        self.reserves = liquid - self.reverse_repo
        self.idle = self.reverse_repo + max(0.0, self.reserves - NEEDED * self.gdp)
        self.u = self.trailing[-1] / (self.trailing[-1] + self.idle)

    def _update_state(self) -> None:
        share = self.idle / self.gdp
        if self.absorbing:
            self.absorbing = self.u > 0.4 and self.impulse > 0.05
        else:
            self.absorbing = self.u > 0.5 and self.impulse > 0.10
        if self.injecting:
            self.injecting = self.u < 0.4 and self.impulse > 0.05 and share > 0.01
        else:
            self.injecting = self.u < 0.3 and self.impulse > 0.10 and share > 0.02

    def _update_crisis(self) -> None:
        if self.crisis_left > 0:
            self.crisis_left -= 1
            self.crisis_age += 1
            if self.crisis_left == 0:
                self.crisis_age, self.recovery_left = 0, int(self.rng.integers(126, 253))
        elif self.recovery_left > 0:
            self.recovery_left -= 1
            self.quiet = 252
        else:
            self.quiet = max(self.quiet - 1, 0)
            stress = 0.45 + 0.6 * (max(self.u - 0.5, 0) / 0.3) ** 2 if self.absorbing else 0.0
            if self.quiet == 0 and self.rng.random() < (0.06 + stress) * DT:
                self.crisis_left, self.crisis_age = int(self.rng.integers(25, 71)), 1
                self.growth -= 0.12

    def state(self) -> str:
        if self.absorbing:
            return Regime.ABSORPTION.value
        return Regime.INJECTION.value if self.injecting else Regime.NEUTRAL.value

    def phase(self) -> str:
        if self.crisis_left > 0:
            return Regime.FORCED_SELLING.value
        return Regime.OPPORTUNITY.value if self.recovery_left > 0 else self.state()

    def row(self) -> dict[str, float]:
        return {
            "gdp": self.gdp,
            "fed_assets": self.assets,
            "treasury_account": self.treasury * self.gdp,
            "reserves": self.reserves,
            "reverse_repo": self.reverse_repo,
            "capex": self.capex,
            "trailing_capex": self.trailing[-1],
            "growth": self.impulse,
            "idle": self.idle,
            "u": self.u,
        }


def make_quantities(index: pd.DatetimeIndex, rng: np.random.Generator) -> Quantities:
    """Return the stocks and flows of a simulated economy, with a row for each session."""
    world = _World(rng)
    rows, labels = [], []
    for _ in index:
        world.step()
        rows.append(world.row())
        labels.append((world.state(), world.phase(), world.mode))
    paths = pd.DataFrame(rows, index=index)
    state, phase, mode = (
        pd.Series(label, index=index, dtype=object) for label in zip(*labels, strict=True)
    )
    return Quantities(paths=paths, state=state, phase=phase, mode=mode)
