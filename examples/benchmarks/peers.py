"""Time to fit against scikit-learn, with the objective value reached beside each time.

Run: python examples/benchmarks/peers.py [n_samples n_features]

Both sides minimise the same objective (alpha converted), in one process; the value is computed here, by the formula
of the loss, from the coefficients of either.  Best of three fits.  LinearSVC penalises its intercept, so it is
compared without one.
"""

import sys
import time
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, PoissonRegressor, QuantileRegressor, Ridge
from sklearn.svm import LinearSVC

from sklloss import LossClassifier, LossRegressor, get_loss
from sklloss.losses import Pinball


def problems(n, d, alpha=1e-4):
    """(name, loss, alpha, X, y, ours, theirs) of each comparison."""
    rng = np.random.default_rng(0)
    X, coef = rng.normal(size=(n, d)), rng.normal(size=d)
    y = X @ coef + rng.standard_t(2.5, n)
    count = rng.poisson(np.exp(np.clip(0.2 * X @ coef, -3, 3))).astype(float)
    label = (y > 0).astype(float)
    C = 1 / (alpha * n)
    yield "ridge", "squared_error", alpha, X, y, LossRegressor(alpha=alpha), Ridge(alpha=alpha * n / 2)
    yield (
        "median",
        "absolute_error",
        0,
        X,
        y,
        LossRegressor("absolute_error", penalty=None),
        (QuantileRegressor(quantile=0.5, alpha=0) if n <= 5000 else None),
    )
    yield (
        "quantile 0.9",
        Pinball(0.9),
        0,
        X,
        y,
        LossRegressor(Pinball(0.9), penalty=None),
        (QuantileRegressor(quantile=0.9, alpha=0) if n <= 5000 else None),
    )
    yield (
        "poisson",
        "poisson",
        alpha,
        X,
        count,
        LossRegressor("poisson", alpha=alpha),
        PoissonRegressor(alpha=alpha / 2, tol=1e-6, solver="newton-cholesky"),
    )
    yield (
        "logistic",
        "log_loss",
        alpha,
        X,
        label,
        LossClassifier(alpha=alpha),
        LogisticRegression(C=C, tol=1e-6, solver="newton-cholesky"),
    )
    yield (
        "hinge",
        "hinge",
        alpha,
        X,
        label,
        LossClassifier("hinge", alpha=alpha, fit_intercept=False),
        LinearSVC(loss="hinge", C=C, fit_intercept=False, max_iter=10_000),
    )


def fit(model, X, y):
    """Seconds of the best of three fits; a fit of over three seconds runs once."""
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        model.fit(X, y)
        seconds.append(time.perf_counter() - start)
        if seconds[-1] > 3:
            break
    return min(seconds)


def value(model, loss, alpha, X, y):
    """The objective of the fitted coefficients."""
    coef = np.ravel(model.coef_)
    raw = X @ coef + np.ravel(model.intercept_)
    return get_loss(loss).loss(y, raw).mean() + alpha / 2 * coef @ coef


def main(n, d):
    print(f"n = {n}, d = {d}\n{'problem':<14}{'sklloss':>12}{'objective':>18}{'scikit-learn':>16}{'objective':>18}")
    for name, loss, alpha, X, y, ours, theirs in problems(n, d):
        line = f"{name:<14}{1e3 * fit(ours, X, y):>9.1f} ms{value(ours, loss, alpha, X, y):>18.10g}"
        if theirs is None:
            print(line + "   (a linear program of this size takes minutes)")
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # theirs; the objective shows how far it came
            print(line + f"{1e3 * fit(theirs, X, y):>13.1f} ms{value(theirs, loss, alpha, X, y):>18.10g}")


if __name__ == "__main__":
    main(*(map(int, sys.argv[1:3]) if len(sys.argv) > 2 else (5000, 50)))
