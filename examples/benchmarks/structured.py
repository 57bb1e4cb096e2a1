"""Time of fits with norms of groups and of differences, beside Clarabel's through cvxpy, which minimises the same.

Run: python examples/benchmarks/structured.py

"behind" is by how much, relatively, the other's objective, computed here by one formula for both, lies below ours;
times of cvxpy are those that it reports for the solver alone.  Median of three fits of ours.
"""

import statistics
import time

import cvxpy
import numpy as np
from sklearn.datasets import load_digits

from sklloss import LossClassifier, LossRegressor
from sklloss.losses import PredictionVariation, SquaredError
from sklloss.penalties import GroupLasso, TotalVariation

REPEATS = 3
rng = np.random.default_rng(0)


def norms(penalty, rows):
    """The sum of norms of cvxpy's rows."""
    if penalty.absolute:
        return penalty.radius @ cvxpy.abs(rows)
    return sum(r * cvxpy.norm2(rows[np.flatnonzero(penalty.group == g)]) for g, r in enumerate(penalty.radius))


def row_losses(name, y, raw):
    """The loss of each row in cvxpy."""
    if name == "log_loss":
        return cvxpy.log_sum_exp(raw, axis=1) - cvxpy.sum(cvxpy.multiply(np.eye(raw.shape[1])[y], raw), axis=1)
    return {
        "squared_error": lambda: cvxpy.square(y - raw),
        "absolute_error": lambda: cvxpy.abs(y - raw),
        "hinge": lambda: cvxpy.pos(1 - cvxpy.multiply(2 * y - 1, raw)),
    }[name]()


def linear(n, d, coef):
    X = rng.normal(size=(n, d))
    return X, X @ coef + rng.standard_t(3, n)


def run(what, model, X, y):
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        model.fit(X, y)
        times.append(time.perf_counter() - start)
    found, penalty = model.solution_, model.penalty.norms(X.shape[1])
    if np.ndim(model.intercept_) == 1 and len(model.intercept_) > 1:
        coef, intercept = cvxpy.Variable(model.coef_.shape[::-1]), cvxpy.Variable((1, len(model.coef_)))
        raw = X @ coef + np.ones((len(y), 1)) @ intercept
        penalties = sum(norms(penalty, penalty.operator @ coef[:, k]) for k in range(len(model.coef_)))
    else:
        coef, intercept = cvxpy.Variable(X.shape[1]), cvxpy.Variable()
        raw, penalties = X @ coef + intercept, norms(penalty, penalty.operator @ coef)
    value = cvxpy.sum(row_losses(model.loss, y, raw)) / len(y) + model.alpha * penalties
    report(what, times, found, cvxpy.Problem(cvxpy.Minimize(value)))


def report(what, times, found, problem):
    problem.solve(solver=cvxpy.CLARABEL)
    print(
        f"{what:46} {1e3 * statistics.median(times):7.0f} ms, {found.n_iter:3d} iterations, gap {found.gap:.0e}; "
        f"Clarabel {1e3 * problem.solver_stats.solve_time:7.0f} ms, behind "
        f"{(found.value - problem.value) / found.value:8.1e}"
    )


steps, image, groups = np.repeat(rng.normal(size=10), 20), np.zeros((16, 16)), np.repeat(np.arange(40), 5)
image[4:9, 3:12] = 1.0
for loss in ("squared_error", "absolute_error"):
    run(
        f"{loss}, fused lasso, 1000 x 200",
        LossRegressor(loss, TotalVariation(200), alpha=0.1),
        *linear(1000, 200, steps),
    )
    picture = linear(1000, 256, image.ravel())
    for isotropic in (False, True):
        name = f"{loss}, 16 x 16 {'isotropic' * isotropic}"
        run(name, LossRegressor(loss, TotalVariation((16, 16), isotropic=isotropic), alpha=0.05), *picture)
    some = np.where(groups % 8 == 0, 1.0, 0.0)
    run(
        f"{loss}, 40 groups of 5, 1000 rows",
        LossRegressor(loss, GroupLasso(groups), alpha=0.1),
        *linear(1000, 200, some),
    )
digits, label = load_digits(return_X_y=True)
for isotropic in (False, True):
    model = LossClassifier("log_loss", TotalVariation((8, 8), isotropic=isotropic), alpha=1e-3)
    run(f"log_loss of ten digits, 8 x 8 {'isotropic' * isotropic}", model, digits[::2] / 16, label[::2])
X, Y = rng.normal(size=(100, 5)), rng.normal(size=(100, 64))
Y = Y + X @ np.repeat(rng.normal(size=(5, 8)), 8, axis=1)
variation, times = PredictionVariation((8, 8)), []
for _ in range(REPEATS):
    start = time.perf_counter()
    model = LossRegressor(SquaredError() + 0.1 * variation, penalty=None).fit(X, Y)
    times.append(time.perf_counter() - start)
coef, intercept = cvxpy.Variable((5, 64)), cvxpy.Variable((1, 64))
raw = X @ coef + np.ones((100, 1)) @ intercept
varied = cvxpy.sum(cvxpy.abs(raw @ variation.norms(64).operator.toarray().T))
value = (cvxpy.sum(cvxpy.square(Y - raw)) + 0.1 * varied) / 100
report("predictions of 8 x 8 pixels, 100 rows", times, model.solution_, cvxpy.Problem(cvxpy.Minimize(value)))
