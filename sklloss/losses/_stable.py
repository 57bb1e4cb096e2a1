"""Functions that keep their digits: near 0 nothing cancels, far away nothing overflows."""

import numpy as np

__all__ = ["SERIES_0", "SERIES_1", "cosine", "log1p_square", "power", "sine"]


# Quotients and logarithms of 1 + t**2 that neither overflow nor lose digits near 0.
def cosine(t):
    """1 / sqrt(1 + t**2)."""
    return 1 / np.hypot(1, t)


def sine(t):
    """t / sqrt(1 + t**2)."""
    t = np.clip(t, -1e18, 1e18)  # where it is 1; a quotient r / delta may be inf
    return t / np.hypot(1, t)


def log1p_square(t, h):
    """log(1 + t**2), given h = sqrt(1 + t**2)."""
    small = np.clip(t, -1, 1)
    return np.where(np.abs(t) < 1, np.log1p(small * small), 2 * np.log(h))


def power(t, h, L, k):
    """h**k, h = sqrt(1 + t**2) = exp(L / 2), for any size of k."""
    return np.where(np.abs(t) < 1, np.exp(k / 2 * np.minimum(L, 1)), h**k)


def _series(order):
    """The power series of x - log(1 + x), order 0, or of (1 + x) log(1 + x) - x, order 1, to 1e-15 below x = 0.1."""
    coefficients = [0.0, 0.0, *((-1) ** k / (k * (k - 1) if order else k) for k in range(2, 17))]

    def evaluate(x):
        total = np.zeros_like(x)
        for c in reversed(coefficients):
            total = total * x + x.dtype.type(c)
        return total

    return evaluate


SERIES_0, SERIES_1 = _series(0), _series(1)
