"""The losses as textbooks print them, in plain Python loops, against the package on random data."""

import math

import numpy as np
import pytest

from sklloss import average_loss

N = 200
TOLERANCE = 1e-12  # N sums of numbers known to 1e-16 each


@pytest.fixture
def regression():
    rng = np.random.default_rng(42)
    return rng.normal(size=N).tolist(), rng.normal(scale=2.0, size=N).tolist()


@pytest.fixture
def binary():
    rng = np.random.default_rng(43)
    return rng.integers(0, 2, N).tolist(), rng.normal(scale=2.0, size=N).tolist()


def test_mse(regression):
    y, p = regression
    total = 0.0
    for i in range(N):
        total += (y[i] - p[i]) ** 2
    assert average_loss(y, p, loss="mse") == pytest.approx(total / N, rel=TOLERANCE)


def test_mae(regression):
    y, p = regression
    total = 0.0
    for i in range(N):
        total += abs(y[i] - p[i])
    assert average_loss(y, p, loss="mae") == pytest.approx(total / N, rel=TOLERANCE)


@pytest.mark.parametrize("delta", [0.5, 1.0, 1.35])
def test_huber(regression, delta):
    from sklloss.losses import Huber

    y, p = regression
    total = 0.0
    for i in range(N):
        a = abs(y[i] - p[i])
        total += 0.5 * a * a if a <= delta else delta * (a - 0.5 * delta)
    assert average_loss(y, p, loss=Huber(delta)) == pytest.approx(total / N, rel=TOLERANCE)


@pytest.mark.parametrize("beta", [0.1, 1.0, 2.0])
def test_smooth_l1(regression, beta):
    from sklloss.losses import SmoothL1

    y, p = regression
    total = 0.0
    for i in range(N):
        a = abs(y[i] - p[i])
        total += 0.5 * a * a / beta if a < beta else a - 0.5 * beta
    assert average_loss(y, p, loss=SmoothL1(beta)) == pytest.approx(total / N, rel=TOLERANCE)


def test_log_loss_as_a_sum(binary):
    y, f = binary
    p = [1 / (1 + math.exp(-value)) for value in f]
    total = 0.0
    for i in range(N):
        total -= y[i] * math.log(p[i]) + (1 - y[i]) * math.log(1 - p[i])
    assert average_loss(y, p, loss="log_loss", aggregate="sum") == pytest.approx(total, rel=TOLERANCE)


def test_hinge_as_a_sum_with_labels_of_plus_and_minus_one(binary):
    y, f = binary
    y = [1 if label else -1 for label in y]
    total = 0.0
    for i in range(N):
        total += max(0.0, 1 - y[i] * f[i])
    assert average_loss(y, f, loss="hinge", aggregate="sum") == pytest.approx(total, rel=TOLERANCE)


def test_cross_entropy():
    rng = np.random.default_rng(44)
    y, f = rng.integers(0, 4, N).tolist(), rng.normal(size=(N, 4)).tolist()
    total, p = 0.0, []
    for i in range(N):
        partition = sum(math.exp(value) for value in f[i])
        p.append([math.exp(value) / partition for value in f[i]])
        total -= math.log(p[i][y[i]])
    assert average_loss(y, p, loss="cross_entropy") == pytest.approx(total / N, rel=TOLERANCE)
