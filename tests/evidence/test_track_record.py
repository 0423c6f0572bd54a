"""The statistics of one track record, compared with published numbers and simulations."""

import numpy as np
import pytest

from backtests.evidence.track_record import TrackRecord

#: The example of López de Prado, Lipton and Zoonekynd (2026): monthly returns of a hedge fund.
MONTHLY = {"n": 24, "sharpe": 0.036 / 0.079, "skewness": -2.448, "kurtosis": 10.164}
PLAIN = TrackRecord(**MONTHLY)  # type: ignore[arg-type]
SERIAL = TrackRecord(**MONTHLY, autocorrelation=0.2)  # type: ignore[arg-type]
NORMAL = TrackRecord(n=24, sharpe=0.036 / 0.079)


def test_the_published_numbers_without_serial_correlation() -> None:
    assert round(PLAIN.standard_error(), 3) == 0.329
    assert round(NORMAL.standard_error(), 3) == 0.214
    assert round(PLAIN.probability(), 3) == 0.987
    assert round(PLAIN.probability(0.1), 3) == 0.939
    assert round(PLAIN.minimum_length(), 3) == 13.029
    assert round(1 - PLAIN.power(0.5), 3) == 0.315
    assert round(PLAIN.planned_false_discovery(0.5, 0.05), 3) == 0.581
    assert round(PLAIN.observed_false_discovery(0.5, 0.05), 3) == 0.306


def test_the_published_numbers_with_serial_correlation() -> None:
    assert round(SERIAL.standard_error(), 3) == 0.379
    assert round(SERIAL.probability(), 3) == 0.966
    assert round(SERIAL.probability(0.1), 3) == 0.900
    assert round(SERIAL.minimum_length(), 3) == 19.543
    assert round(SERIAL.minimum_length(0.1), 3) == 39.369
    assert round(1 - SERIAL.power(0.5), 3) == 0.411
    assert round(SERIAL.planned_false_discovery(0.5, 0.1), 3) == 0.433
    assert round(SERIAL.observed_false_discovery(0.5, 0.1), 3) == 0.361


def test_the_moments_are_those_of_the_returns() -> None:
    excess = np.array([0.01, -0.02, 0.03, 0.0, 0.01, -0.01])
    track = TrackRecord.from_returns(excess)
    mean, deviation = 0.02 / 6, np.sqrt(sum((x - 0.02 / 6) ** 2 for x in excess) / 6)
    z = [(x - mean) / deviation for x in excess]
    assert track.n == 6
    assert track.sharpe == pytest.approx(mean / deviation * np.sqrt(5 / 6))
    assert track.skewness == pytest.approx(sum(x**3 for x in z) / 6)
    assert track.kurtosis == pytest.approx(sum(x**4 for x in z) / 6)
    lagged = sum(a * b for a, b in zip(z[1:], z, strict=False))
    assert track.autocorrelation == pytest.approx(lagged / 6)


def test_a_track_record_without_variation_has_no_figures() -> None:
    for excess in (np.zeros(300), np.full(300, 1e-4), np.array([0.01, np.nan, 0.02, 0.01])):
        track = TrackRecord.from_returns(excess)
        assert np.isnan([track.sharpe, track.probability(), track.minimum_length()]).all()
        assert np.isnan([track.power(0.03), track.observed_false_discovery(0.03, 0.1)]).all()


def test_a_sharpe_below_the_threshold_is_never_long_enough() -> None:
    assert np.isnan(PLAIN.minimum_length(0.5))


@pytest.mark.parametrize("rho", [0.0, 0.3])
def test_the_standard_error_is_the_spread_of_estimates(rho: float) -> None:
    """There are 2,000 track records of an AR(1) process.

    A standard error that ignores ρ = 0.3 would be only 0.73 of the true spread.
    """
    rng = np.random.default_rng(5)
    shocks = rng.normal(size=(2000, 700))
    values = np.empty_like(shocks)
    values[:, 0] = shocks[:, 0]
    for t in range(1, 700):
        values[:, t] = rho * values[:, t - 1] + np.sqrt(1 - rho**2) * shocks[:, t]
    tracks = [TrackRecord.from_returns(row + 0.1) for row in values]
    spread = np.std([track.sharpe for track in tracks])
    assert np.mean([track.standard_error() for track in tracks]) == pytest.approx(spread, rel=0.05)


def test_power_grows_with_the_length_and_the_false_discoveries_fall() -> None:
    records = [TrackRecord(n=n, sharpe=0.05) for n in (252, 1260, 5040)]
    powers = [track.power(0.06) for track in records]
    planned = [track.planned_false_discovery(0.06, 0.1) for track in records]
    assert powers == sorted(powers)
    assert powers[0] < 0.3 < 0.99 < powers[2]
    assert planned == sorted(planned, reverse=True)
