"""A thousand random problems that are hard on purpose, each compared with independent solvers.

Run: python examples/benchmarks/fuzz.py [--share 0.1] [--first N] [SEED ...]

A problem is drawn from its seed: one of the convex losses, one of the penalties, and data with ties, duplicate,
constant, collinear, badly scaled or far columns, Cauchy noise, weights over six orders of magnitude or zero, classes
that are separable.  After the fit other solvers, see oracles.py, are asked until one of them comes as far, or further.
The faults that are counted:

- objective: the value lies above that of the best oracle by more than 1e-7, and the fit did not warn;
- value: ``solution_.value`` is not the objective of ``coef_`` and ``intercept_``, to 1e-9;
- bound: ``value - gap`` lies above the best value known, the fit's or an oracle's, by more than 1e-9;
- any warning but a ConvergenceWarning.

All are relative to the best value, or to a millionth of that of the model without features where that is more: there
a fit is exact.  Where the optimum may be approached at infinity only (log loss of separable classes, say) they are
relative to the model without features.  A weak oracle is one that stayed above the fit by more than 1e-7.
"""

import argparse
import re
import time
import warnings
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from oracles import Objective, oracles
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

from sklloss import LossClassifier, LossRegressor
from sklloss import losses as L
from sklloss.losses import ResidualLoss

N_PROBLEMS = 1032  # six for each loss and penalty
TOL = 1e-8  # asked of every fit: one that keeps its word to the default, 1e-6, could miss by more than 1e-7
AGREE, SAME, BOUND = 1e-7, 1e-9, 1e-9
FLOOR = 1e-6  # of the model without features: where relative becomes absolute
TINY = 1e-30  # a value that is zero
QUANTILES = 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99


class Bent(ResidualLoss):
    """A loss of one's own with kinks at 0, 1 and 1.5."""

    smooth = False
    relu = (1.0, -1.0), (-0.5, 0.0), (2.0, -3.0)


# How each loss is drawn; as many as a prime number, so that every k-th problem has all of them.
LOSSES = [
    lambda rng: L.AbsoluteError(),
    lambda rng: L.Pinball(float(rng.choice(QUANTILES))),
    lambda rng: L.Pinball(float(rng.uniform(0.01, 0.99))),
    lambda rng: L.EpsilonInsensitive(float(rng.choice([0.0, 0.1, 1.0]))),
    lambda rng: L.AbsolutePercentageError(),
    lambda rng: L.SmoothL1(0.0),
    lambda rng: L.Asymmetric(L.EpsilonInsensitive(0.5), float(rng.choice(QUANTILES))),
    lambda rng: 0.7 * L.Pinball(0.9) + 0.3 * L.EpsilonInsensitive(1.0) + 0.1 * L.Pinball(0.2),
    lambda rng: Bent(),
    lambda rng: L.Hinge(),
    lambda rng: L.Hinge(),
    lambda rng: L.Perceptron(),
    lambda rng: L.CrammerSinger(),
    lambda rng: 0.5 * L.Hinge() + L.Perceptron(),
    lambda rng: L.SquaredError(),
    lambda rng: L.SquaredError(),
    lambda rng: L.Expectile(float(rng.choice(QUANTILES))),
    lambda rng: L.SquaredEpsilonInsensitive(float(rng.choice([0.1, 1.0]))),
    lambda rng: L.SquaredLogError(),
    lambda rng: L.Huber(float(rng.choice([0.1, 1.35, 5.0]))),
    lambda rng: L.Asymmetric(L.Huber(), float(rng.choice(QUANTILES))),
    lambda rng: L.SmoothL1(float(10 ** rng.uniform(-2, 1))),
    lambda rng: L.PseudoHuber(),
    lambda rng: L.Charbonnier(float(rng.choice([1e-3, 0.1]))),
    lambda rng: L.LogCosh(),
    lambda rng: L.Fair(),
    lambda rng: L.BalancedL1(),
    lambda rng: L.Barron(float(rng.choice([1.0, 1.5, 2.0]))),
    lambda rng: L.Poisson(),
    lambda rng: L.Gamma(),
    lambda rng: L.Tweedie(float(rng.choice([1.1, 1.5, 1.9]))),
    lambda rng: L.LogLoss(),
    lambda rng: L.LogLoss(),
    lambda rng: L.LogLoss(label_smoothing=0.1),
    lambda rng: L.Poly1(),
    lambda rng: L.Exponential(),
    lambda rng: L.SquaredHinge(),
    lambda rng: L.ModifiedHuber(),
    lambda rng: L.SmoothedHinge(float(rng.choice([0.1, 1.0]))),
    lambda rng: L.LSGAN(),
    lambda rng: L.SquaredError() + float(10 ** rng.uniform(-1, 2)) * L.Pinball(float(rng.choice(QUANTILES))),
    lambda rng: L.Huber() + 0.1 * L.AbsoluteError(),
    lambda rng: L.SquaredHinge() + L.Hinge(),
]
PENALTIES = "none", "l2", "l1", "elasticnet"
COLUMNS = (
    "normal", "normal", "integer", "duplicate rows", "duplicate columns", "constant columns", "collinear", "scales",
    "Cauchy", "correlated", "sparse", "far", "heavy",
)  # fmt: skip
AT_INFINITY = L.LogLoss, L.Poly1, L.Exponential, L.Poisson, L.Gamma, L.Tweedie  # may have no minimum without a penalty


# ------------------------------------------------------------------------------------------------------ problems
@dataclass
class Problem:
    """A model that is not fitted yet, its data, and what was drawn."""

    seed: int
    model: LossRegressor | LossClassifier
    X: np.ndarray | sparse.csr_array
    y: np.ndarray
    sample_weight: np.ndarray | None
    kind: str

    def __str__(self):
        model, loss, (n, d) = self.model, " ".join(repr(self.model.loss).split()), self.X.shape
        kind = self.kind + (f", scale={model.scale}" if model.loss.standardized else "")
        kind += ", no intercept" * (not model.fit_intercept)
        kind += ", balanced" * (getattr(model, "class_weight", None) is not None)
        return f"seed {self.seed}: {loss}, {model.penalty} {model.alpha:.1e}, n={n}, d={d}, {kind}"


def seeds(share=1.0, first=N_PROBLEMS):
    """The seeds of a share of the first problems, evenly spread."""
    return range(0, first, max(1, round(1 / share)))


def problem(seed):
    """The problem of a seed."""
    rng = np.random.default_rng(1000 + seed)
    loss, penalty = LOSSES[seed % len(LOSSES)](rng), PENALTIES[seed // len(LOSSES) % len(PENALTIES)]
    regression, large = loss.response_method == "predict", seed % 17 == 3
    n_classes = 0 if regression else 2 if large else int(rng.choice([2, 2, 3]))
    n, d = _shape(rng, large, n_classes)
    if penalty == "none":
        d = min(d, max(1, int(0.9 * n)))
    columns = str(rng.choice(COLUMNS))
    X, finish = _columns(rng, columns, n, d)
    y, target = _target(rng, loss, X) if regression else _labels(rng, X, n_classes)
    if columns in ("integer", "duplicate rows", "sparse") and target.endswith("noise"):
        y = np.round(y)  # ties
    weight, spread = _weights(rng, y, n_classes)
    alpha = 0.0 if penalty == "none" else float(10 ** rng.uniform(-6, 1)) / (1 if rng.random() < 0.3 else n)
    options = {"penalty": penalty, "alpha": alpha, "tol": TOL, "fit_intercept": bool(rng.random() < 0.9)}
    if regression:
        scale = ["auto", None, float(10 ** rng.uniform(-1, 1))][rng.integers(3)]
        model = LossRegressor(loss, scale=scale, **options)
    else:
        model = LossClassifier(loss, class_weight="balanced" if rng.random() < 0.25 else None, **options)
    return Problem(seed, model, finish(X), y, weight, f"{columns}, {target}, {spread}")


def _shape(rng, large, n_classes):
    """(n, d): most problems are small, some wide, a few large."""
    if large:
        n = 10 ** rng.uniform(4, 5)
        return int(n), int(10 ** rng.uniform(0, np.log10(1e6 / n)))
    n = 10 ** rng.uniform(np.log10(30), 3.5)
    cost = 3e7 / max(1, n_classes - 1) ** 2  # n d**2, what a step of an interior point takes
    return int(n), int(10 ** rng.uniform(0, np.log10(min(300, np.sqrt(cost / n)))))


def _columns(rng, kind, n, d):
    """X, and the function that finishes it once y is drawn."""
    X = rng.standard_normal((n, d))
    if kind == "integer":
        X = rng.integers(-2, 3, (n, d)).astype(float)
    if kind == "duplicate rows":
        X = X[rng.integers(0, max(n // 4, 1), n)]
    if kind == "duplicate columns":
        X[:, d - d // 2 :] = X[:, : d // 2]
    if kind == "constant columns":
        X[:, ::3] = 7.0
    if kind == "collinear" and d > 2:
        X[:, -1] = X[:, 0] + X[:, 1]
        X[:, 1] = 2 * X[:, 0] + 1e-9 * X[:, 1]
    if kind == "Cauchy":
        X = rng.standard_cauchy((n, d))
    if kind == "correlated":
        X = X @ np.linalg.cholesky(0.999 ** np.abs(np.subtract.outer(np.arange(d), np.arange(d)))).T
    if kind == "sparse":
        X = (rng.random((n, d)) < 0.1).astype(float)
    if kind == "heavy":
        X = rng.standard_t(1.5, (n, d))
    scales = 10 ** np.linspace(-3, 3.1, d)  # over 1e6 from the first to the last
    finish = {"scales": lambda X: X * scales, "far": lambda X: X + 1e4, "sparse": sparse.csr_array}
    return X, finish.get(kind, lambda X: X)


def _target(rng, loss, X):
    """y of a regression, and what it is."""
    signal = X @ rng.standard_normal(X.shape[1])
    if not loss.positive_only:
        size, cauchy = rng.choice([0.01, 1.0, 1.0, 10.0]), rng.random() < 1 / 3
        noise = size * rng.standard_normal(len(X)) + cauchy * rng.standard_cauchy(len(X))
        return (signal + noise) * rng.choice([1e-3, 1.0, 1.0, 1.0, 1e3]), "Cauchy noise" if cauchy else "normal noise"
    mean = np.exp(np.clip(signal / (signal.std() or 1.0), -3, 3))
    if isinstance(loss, L.Poisson):
        return rng.poisson(mean).astype(float), "counts"
    if isinstance(loss, L.Tweedie):
        return rng.poisson(mean) * rng.gamma(2.0, 1.0, len(X)), "totals"
    return mean * rng.gamma(rng.choice([0.3, 5.0]), 1.0, len(X)) + 1e-6, "amounts"


def _labels(rng, X, n_classes):
    """Labels of all classes, and how many; a linear model may separate them."""
    separable = rng.random() < 0.25
    score = (X - X.mean(axis=0)) @ rng.standard_normal((X.shape[1], n_classes))
    score += np.abs(score).mean() * rng.uniform(-1, 1, n_classes)
    if not separable:
        score += rng.choice([0.3, 1.0, 3.0]) * np.abs(score).mean() * rng.gumbel(size=score.shape)
    y = score.argmax(axis=1)
    if len(np.unique(y)) < n_classes:
        y[:n_classes] = np.arange(n_classes)
    return y, f"{n_classes} classes" + ", separable" * separable


def _weights(rng, y, n_classes):
    """Weights or None, and what they are."""
    kind = str(rng.choice(["no weights", "no weights", "integer weights", "wide weights"]))
    if kind == "no weights":
        return None, kind
    if kind == "integer weights":
        weight = rng.integers(0, 3, len(y)).astype(float)
    else:
        weight = 10 ** rng.uniform(-6.1, 0, len(y)) * (rng.random(len(y)) < 0.8)
    weight[np.unique(y, return_index=True)[1] if n_classes else 0] = 1.0  # every class counts
    return weight, kind


# --------------------------------------------------------------------------------------------------------- check
@dataclass
class Result:
    """What came out of a problem; differences are relative."""

    problem: Problem
    route: str
    seconds: float
    oracle: str
    behind: float  # how far the fit lies above the best oracle; negative: below
    gap: float  # inf where the fit claims none
    warned: bool
    weak: bool
    faults: list[str]

    def __str__(self):
        notes = ["warned"] * self.warned + ["weak oracle"] * self.weak + [f"FALSE {fault}" for fault in self.faults]
        return (
            f"{self.problem}: {self.route}, {self.seconds:.2f} s, gap {self.gap:.1e}, above {self.oracle} by "
            f"{self.behind:.1e}" + "".join(f", {note}" for note in notes)
        )


def check(problem):
    """Fit the problem and compare it with the oracles."""
    model, data = problem.model, (problem.X, problem.y, problem.sample_weight)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        start = time.perf_counter()
        try:
            model.fit(*data)
        except Exception as error:
            error.add_note(str(problem))
            raise
        seconds = time.perf_counter() - start
    warned = any(issubclass(w.category, ConvergenceWarning) for w in caught)
    faults = [f"warning: {w.message}" for w in caught if not issubclass(w.category, ConvergenceWarning)]

    solution, objective = model.solution_, Objective(model, *data)
    ours, null = objective.value(model.coef_, model.intercept_), objective.null()
    rounding = objective.rounding(model.coef_, model.intercept_)
    at_infinity = not model.alpha and any(isinstance(part, AT_INFINITY) for _, part in model.loss_.summands)
    floor = max(null if at_infinity else FLOOR * null, rounding, TINY)
    oracle, theirs = "the model without features", null
    for name, coef, intercept in oracles(objective) if ours > TINY else ():  # no loss is below 0
        # Where a column is constant an oracle may pair a huge coefficient with a huge intercept, and a value is noise.
        if (value := objective.value(coef, intercept) + objective.rounding(coef, intercept)) < theirs:
            oracle, theirs = name, value
        if theirs - ours <= AGREE / 10 * max(ours, floor):
            break
    best = min(ours, theirs)
    size, gap = max(best, floor), np.inf if solution.gap is None else solution.gap
    behind = (ours - theirs - rounding) / size
    if behind > AGREE and not warned:
        faults.append("objective")
    if abs(solution.value - ours) - rounding > SAME * size:
        faults.append("value")
    if solution.value - gap - best - rounding > BOUND * size:
        faults.append("bound")
    weak = behind < -AGREE and ours > max(rounding, TINY)
    return Result(problem, _route(solution), seconds, oracle, behind, gap / size, warned, weak, faults)


def _route(solution):
    """The solver and what it says of its way, without numbers; of several columns what the most troublesome said."""
    message = re.sub(r"all coefficients are zero[^;]*;? ?", "", solution.message)
    message = re.sub(r", \d+ rounds", " on reduced rows", message)
    message = re.sub(r"width \S+", "width", message)
    return f"{solution.solver}: {max(message.split('; '), key=len)}".strip(": ")


# --------------------------------------------------------------------------------------------------------- table
FALLBACK = re.compile("QR|rows and columns|orthonormal|linear program|singular value")


def table(results):
    """The results by route, and the slowest fits, as text."""
    routes = defaultdict(list)
    for result in results:
        routes[result.route].append(result)
    groups = [*sorted(routes.items(), key=lambda item: -len(item[1])), ("all", results)]
    width = max(map(len, routes))
    header = "number", "wrong", "false bound", "warned", "weak oracle", "no gap", "largest gap", "median s", "largest s"
    rows = [("route", header), *((route, _summary(group)) for route, group in groups)]
    lines = [f"{route:<{width}}" + "".join(f"{cell:>13}" for cell in cells) for route, cells in rows]
    fallbacks = sum(bool(FALLBACK.search(result.route)) for result in results)
    slowest = sorted(results, key=lambda result: -result.seconds)[:10]
    return "\n".join([*lines, "", f"fallbacks: {fallbacks}", "", "slowest:", *map(str, slowest)])


def _summary(results):
    """The cells of a line of the table; warned fits claim no gap."""
    gaps = [r.gap for r in results if np.isfinite(r.gap) and not r.warned]
    seconds = [r.seconds for r in results]
    counts = (
        len(results),
        sum(bool(set(r.faults) - {"bound"}) for r in results),
        sum("bound" in r.faults for r in results),
        sum(r.warned for r in results),
        sum(r.weak for r in results),
        sum(np.isinf(r.gap) for r in results),
    )
    return *counts, f"{max(gaps):.1e}" if gaps else "-", f"{np.median(seconds):.3f}", f"{max(seconds):.2f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--share", type=float, default=1.0, help="of the problems, evenly spread")
    parser.add_argument("--first", type=int, default=N_PROBLEMS, help="how many problems there are")
    parser.add_argument("seeds", type=int, nargs="*", help="these problems alone")
    options = parser.parse_args()
    results = []
    for seed in options.seeds or seeds(options.share, options.first):
        results.append(check(problem(seed)))
        if options.seeds or results[-1].faults or results[-1].warned:
            print(results[-1], flush=True)
    print("\n" + table(results))


if __name__ == "__main__":
    main()
