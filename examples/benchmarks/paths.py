"""Choosing alpha along paths against GridSearchCV, and 99 quantiles against one.

Run: OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python examples/benchmarks/paths.py [rows]
Times are of the process, both sides one after the other; 30 alphas, 5 folds, the refit included, 20 features.
"""

import sys
import time

import numpy as np
from sklearn.model_selection import GridSearchCV, KFold

from sklloss import LossClassifier, LossClassifierCV, LossRegressor, LossRegressorCV
from sklloss.losses import Huber, Pinball

ALPHAS, LEVELS = np.geomspace(10, 1e-5, 30), np.arange(1, 100) / 100


def data(n, d=20, seed=0):
    """Correlated features, and a target with heavy tails whose spread depends on them."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d)) @ (np.eye(d) + 0.3 * rng.standard_normal((d, d)) / np.sqrt(d))
    y = X @ rng.standard_normal(d) + rng.standard_t(3, n) * (1 + 0.3 * X[:, 0] ** 2)
    return X, y, rng.poisson(np.exp(np.clip(0.3 * X[:, 0], -3, 3))).astype(float)


def timed(fit):
    start = time.process_time()
    return fit(), time.process_time() - start


def search(label, model, X, y):
    """Print the times of both searches, and whether they agree."""
    kept = {name: value for name, value in model.get_params(deep=False).items() if name not in ("alpha", "warm_start")}
    ours = (LossRegressorCV if isinstance(model, LossRegressor) else LossClassifierCV)(
        **kept, alphas=ALPHAS, cv=KFold(5)
    )
    grid = GridSearchCV(model, {"alpha": ALPHAS}, cv=KFold(5))
    ours, own_time = timed(lambda: ours.fit(X, y))
    grid, time_of_grid = timed(lambda: grid.fit(X, y))
    same = "same alpha" if ours.alpha_ == grid.best_params_["alpha"] else f"{ours.alpha_} and {grid.best_params_}"
    apart = np.abs(ours.scores_.mean(axis=1) - grid.cv_results_["mean_test_score"]).max()
    print(
        f"{label:<26s}{own_time:7.2f} s{time_of_grid:9.2f} s{time_of_grid / own_time:7.1f} x   {same}, "
        f"mean scores within {apart:.0e}",
        flush=True,
    )


def process(n):
    """Print the time of 99 levels over that of one."""
    X, y, _ = data(n)
    for penalty in (None, "l2"):
        one = min(timed(lambda: LossRegressor(Pinball(0.5), penalty, alpha=1e-3).fit(X, y))[1] for _ in range(3))  # noqa: B023
        many, seconds = timed(lambda: LossRegressor(Pinball(LEVELS), penalty, alpha=1e-3).fit(X, y))  # noqa: B023
        print(
            f"99 levels, penalty={penalty}, n={n}: {seconds:.2f} s, {seconds / one:.1f} times one level, gap "
            f"{many.solution_.gap / many.solution_.value:.0e} of the value"
        )


if __name__ == "__main__":
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    X, y, counts = data(n)
    print(f"n={n}                       along a path     grid search")
    search("squared_error, l2", LossRegressor(), X, y)
    search("squared_error, l1", LossRegressor(penalty="l1"), X, y)
    search("huber, l2", LossRegressor(Huber(), scale=1.0), X, y)
    search("poisson, l2", LossRegressor("poisson"), X, counts)
    search("log_loss, l2", LossClassifier(), X, y > 0)
    search("log_loss, 3 classes, l2", LossClassifier(), X, np.digitize(y, [-1, 1]))
    search("log_loss, l1", LossClassifier(penalty="l1"), X, y > 0)
    search("pinball 0.9, l2", LossRegressor(Pinball(0.9)), X, y)
    search("pinball 0.9, l1", LossRegressor(Pinball(0.9), "l1"), X, y)
    search("hinge, l2", LossClassifier("hinge"), X, y > 0)
    process(50_000)
