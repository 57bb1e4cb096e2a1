"""How time, reads of X and memory grow with the rows and with the columns.

Run: python -m pip install -e ".[plot]" && python examples/benchmarks/growth.py [--quick] [--losses NAME ...]
It prints tables and saves examples/images/growth.png.

- seconds: of a fit at the default tol, the best of three, or of one that takes over five seconds;
- checks: seconds of them that go to scikit-learn's validation of X and y;
- reads: how often the fit read the whole of X, ``solution_.n_passes``;
- in reads: seconds in units of one read, X @ w;
- memory: the most that the fit held at a time, beside X, and as a part of X.

Two tables follow: one evaluation of the objective in blocks, in units of one read; and fits in two workers of joblib
beside the same fits one after another.
"""

import argparse
import time
import tracemalloc
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed
from sklearn.base import is_regressor
from sklearn.utils import check_X_y

from sklloss import LossClassifier, LossRegressor, get_loss
from sklloss._objective import LinearObjective
from sklloss.losses import Huber, Pinball

IMAGE = Path(__file__).parents[1] / "images" / "growth.png"
ROWS = [(n, 20) for n in (1_000, 10_000, 100_000, 1_000_000)]
COLUMNS = [(20_000, d) for d in (10, 30, 100, 300, 1_000)]
MODELS = {
    "log_loss": LossClassifier("log_loss"),
    "huber": LossRegressor(Huber(), scale=1.0),
    "pinball": LossRegressor(Pinball(0.5), penalty=None),
    "hinge": LossClassifier("hinge"),
}
LONG = 5.0  # seconds after which a fit is not repeated
TOO_LONG = 120.0  # seconds after which nothing larger is tried


def problem(model, n, d):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, d))
    f = X @ (rng.normal(size=d) / np.sqrt(d))
    return X, (f + rng.standard_t(3, n) if is_regressor(model) else (2 * f + rng.logistic(size=n) > 0.3).astype(int))


def best_of_three(call):
    """Seconds of the fastest call, and what the last one returned."""
    seconds = []
    while len(seconds) < 3 and max(seconds, default=0) < LONG:
        start = time.perf_counter()
        result = call()
        seconds.append(time.perf_counter() - start)
    return min(seconds), result


def measure(model, n, d):
    """Seconds, checks, read, passes, bytes, optimality of a fit."""
    X, y = problem(model, n, d)
    seconds, fitted = best_of_three(lambda: model.fit(X, y))
    checks, _ = best_of_three(lambda: check_X_y(X, y))
    w = np.ones(d)
    read, _ = best_of_three(lambda: X @ w)
    tracemalloc.start()
    fitted.fit(X, y)
    memory = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return seconds, checks, read, fitted.solution_.n_passes, memory, fitted.solution_


def grow(name, sizes):
    """Print a line for each size; (size, seconds, passes, memory)."""
    found, seconds = [], 0.0
    for n, d in sizes:
        if seconds > TOO_LONG:
            print(f"{name:10}{n:>10,}{d:>7,}   left out: the last size took {seconds:.0f} s")
            continue
        seconds, checks, read, passes, memory, solution = measure(MODELS[name], n, d)
        found.append((n, d, seconds, passes, memory))
        print(
            f"{name:10}{n:>10,}{d:>7,}{seconds:>10.4f}{checks:>9.4f}{passes:>7}{seconds / read:>10.0f}"
            f"{memory / 1e6:>11.1f}{memory / (8 * n * d):>8.2f}   {solution.optimality:.0e} by {solution.solver}",
            flush=True,
        )
    return found


def evaluations():
    """One evaluation of the objective in units of one read of X."""
    print(f"\n{'loss':10}{'rows':>10}{'columns':>9}{'read, ms':>10}{'value, gradient in reads':>26}{'and Hessian':>13}")
    for name, n, d in [("log_loss", 100_000, 50), ("huber", 100_000, 50), ("log_loss", 20_000, 300)]:
        X, y = problem(MODELS[name], n, d)
        loss, w = get_loss(name), np.full(d, 0.1)
        read, _ = best_of_three(lambda X=X, w=w: X @ w)
        objective = LinearObjective(X, y.astype(float), loss)
        points = iter(np.random.default_rng(1).normal(size=(9, d + 1)) / d)  # each once: an objective has a memory
        first, _ = best_of_three(lambda objective=objective, points=points: objective.value_gradient(next(points)))
        second, _ = best_of_three(lambda objective=objective, points=points: objective.hessian(next(points)))
        print(f"{name:10}{n:>10,}{d:>9}{1e3 * read:>10.2f}{first / read:>26.1f}{second / read:>13.1f}")


def workers(fits=8):
    """Fits one after another, and in two workers."""
    print(f"\n{'loss':10}{fits} fits of 20,000 x 20, s   in two workers, s")
    for name, model in MODELS.items():
        X, y = problem(model, 20_000, 20)
        alone, _ = best_of_three(lambda model=model, X=X, y=y: [model.fit(X, y) for _ in range(fits)])
        with Parallel(n_jobs=2) as parallel:
            shared, _ = best_of_three(
                lambda model=model, X=X, y=y: parallel(delayed(model.fit)(X, y) for _ in range(fits))
            )
        print(f"{name:10}{alone:>25.3f}{shared:>20.3f}")


def draw(by_rows, by_columns):
    import matplotlib.pyplot as plt

    from sklloss.displays import COLORS, MARKERS

    figure, axes = plt.subplots(2, 3, figsize=(11, 6), layout="constrained")
    for row, found, which, label in zip(axes, (by_rows, by_columns), (0, 1), ("rows", "columns"), strict=True):
        for axis, column, title in zip(row, (2, 3, 4), ("seconds", "reads of X", "bytes beside X"), strict=True):
            for (name, lines), color, marker in zip(found.items(), COLORS, MARKERS, strict=False):
                at, values = zip(*((line[which], line[column]) for line in lines), strict=True)
                axis.loglog(at, values, color=color, marker=marker, markersize=4, label=name)
            axis.set(xlabel=f"{label} ({'20 columns' if which == 0 else '20,000 rows'})", ylabel=title)
            axis.spines[["top", "right"]].set_visible(False)
    axes[0, 0].legend(frameon=False, fontsize=8)
    figure.savefig(IMAGE, dpi=100, metadata={"Software": None})


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--losses", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--quick", action="store_true", help="without the largest sizes, and without a picture")
    given = parser.parse_args()
    print(
        f"{'loss':10}{'rows':>10}{'columns':>7}{'seconds':>10}{'checks':>9}{'reads':>7}{'in reads':>10}"
        f"{'memory, MB':>11}{'of X':>8}   optimality"
    )
    by_rows, by_columns = (
        {name: grow(name, sizes[: -2 if given.quick else None]) for name in given.losses} for sizes in (ROWS, COLUMNS)
    )
    evaluations()
    workers()
    if not given.quick:
        draw(by_rows, by_columns)


if __name__ == "__main__":
    main()
