"""Time of a fit on little data, 200 rows of 5 columns, beside scikit-learn's own estimator for the same loss.

Run: python examples/benchmarks/small.py

Both minimise the same objective (alpha converted); the value is computed here from the coefficients of either, by the
formula of the loss.  Median of the repeats, in one process.
"""

import statistics
import time
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import (
    HuberRegressor,
    Lasso,
    LinearRegression,
    LogisticRegression,
    PoissonRegressor,
    QuantileRegressor,
    Ridge,
)
from sklearn.svm import LinearSVC

from sklloss import LossClassifier, LossRegressor
from sklloss.losses import Huber, Pinball

N, D, ALPHA, REPEATS = 200, 5, 1e-2, 30
rng = np.random.default_rng(0)
X = rng.normal(size=(N, D))
signal = X @ np.linspace(1, -1, D)
y = signal + rng.standard_t(3, N)
count = rng.poisson(np.exp(0.4 * signal)).astype(float)
label = (signal + rng.logistic(size=N) > 0).astype(int)
kind = np.digitize(signal + rng.logistic(size=N), [-1.0, 1.0])

# (target, ours, theirs, whether a float is the value of the same objective for both)
CASES = [
    (y, LossRegressor(penalty=None), LinearRegression()),
    (y, LossRegressor(alpha=ALPHA), Ridge(alpha=ALPHA * N / 2)),
    (y, LossRegressor("squared_error", "l1", alpha=ALPHA), Lasso(alpha=ALPHA / 2, tol=1e-8)),
    (y, LossRegressor(Huber(1.35), scale="joint", alpha=ALPHA), HuberRegressor(alpha=ALPHA * N, max_iter=1000)),
    (y, LossRegressor("absolute_error", penalty=None), QuantileRegressor(alpha=0)),
    (y, LossRegressor(Pinball(0.9), "l1", alpha=ALPHA), QuantileRegressor(quantile=0.9, alpha=ALPHA)),
    (count, LossRegressor("poisson", alpha=ALPHA), PoissonRegressor(alpha=ALPHA / 2)),
    (label, LossClassifier(alpha=ALPHA), LogisticRegression(C=1 / (ALPHA * N))),
    (kind, LossClassifier(alpha=ALPHA), LogisticRegression(C=1 / (ALPHA * N))),
    (
        label,
        LossClassifier("hinge", alpha=ALPHA, fit_intercept=False),
        LinearSVC(loss="hinge", C=1 / (ALPHA * N), fit_intercept=False, max_iter=100_000),
    ),
    (
        label,
        LossClassifier("squared_hinge", alpha=ALPHA, fit_intercept=False),
        LinearSVC(C=1 / (ALPHA * N), fit_intercept=False, dual=False),
    ),
]


def objective(ours, model, target):
    """Weighted mean loss plus penalty of the coefficients of either model, by the formula of the loss."""
    loss, coef, intercept = ours.loss_, np.atleast_2d(model.coef_), np.ravel(model.intercept_)
    raw = X @ coef.T + intercept
    raw = raw[:, 0] if raw.shape[1] == 1 else raw
    if ours.scale_ != 1 if hasattr(ours, "scale_") else False:
        s = model.scale_
        value = np.mean(s / 2 * (1 + 2 * loss.rho((target - raw) / s)))
    else:
        value = np.mean(loss.loss(target if raw.ndim == 2 else target.astype(float), raw))
    if ours.penalty is None:
        return value
    return value + ours.alpha * (np.abs(coef).sum() if ours.penalty == "l1" else 0.5 * (coef**2).sum())


def milliseconds(model, target):
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        model.fit(X, target)
        times.append(time.perf_counter() - start)
    return 1e3 * statistics.median(times)


def main():
    warnings.simplefilter("ignore", ConvergenceWarning)
    print(f"{'loss':16} {'penalty':8} {'ours ms':>8} {'theirs ms':>9} {'ratio':>6} {'value':>14} {'theirs - ours':>13}")
    for target, ours, theirs in CASES:
        own, other = milliseconds(ours, target), milliseconds(theirs, target)
        value, their_value = objective(ours, ours, target), objective(ours, theirs, target)
        name = f"{ours.loss_.name}{'' if target is not kind else ', 3 classes'}"
        print(
            f"{name:16.16} {ours.penalty or 'none':8} {own:8.2f} {other:9.2f} {other / own:6.2f} {value:14.9f} "
            f"{their_value - value:13.1e}   {type(theirs).__name__}"
        )


if __name__ == "__main__":
    main()
