"""Nine hundred random problems that are hard on purpose, each compared with independent solvers.

Run: python examples/benchmarks/fuzz.py [--share 0.1] [--first N] [SEED ...]

A problem is drawn from its seed: one of the convex losses, one of the penalties, and data with ties, duplicate,
constant, collinear, badly scaled or far columns, Cauchy noise, weights over six orders of magnitude or zero, classes
that are separable.  The same problem goes to

- scikit-learn, where an estimator of it minimises the same objective,
- Clarabel, through cvxpy, with each loss written anew as a cone program,
- ``scipy.optimize.linprog`` (HiGHS), where that is a small linear program,
- L-BFGS-B, for poly1, which is not made of such cones, and where Clarabel gets stuck,

until one of them comes as far as the fit, or further.  The objective of everyone's coefficients is computed here, in extended precision, with weights, penalty and scale
written anew.  Whatever coefficients an oracle returns, their objective is at least the optimum: a lower bound above it
is proved false, and a value above it is proved not to be the optimum.  The faults that are counted:

- objective: the value lies above that of the best oracle by more than 1e-7, and the fit did not warn;
- bound: ``value - gap`` lies above the best value known, the fit's or an oracle's, by more than 1e-9;
- value: ``solution_.value`` is not the objective of ``coef_`` and ``intercept_``, to 1e-9.

All are relative to the best value, or to a millionth of that of the model without features where that is more: there
a fit is exact.  Where the best value is approached at infinity only (log loss of separable classes without a penalty),
they are relative to the model without features.
"""

import argparse
import re
import time
import warnings
from collections import defaultdict
from dataclasses import dataclass

import cvxpy as cp
import numpy as np
from scipy import optimize, sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge, TweedieRegressor

from sklloss import LossClassifier, LossRegressor
from sklloss import losses as L
from sklloss.losses import Loss

N_PROBLEMS = 900
TOL = 1e-8  # asked of every fit: one that keeps its word to the default, 1e-6, could miss by more than 1e-7
AGREE, BOUND, SAME = 1e-7, 1e-9, 1e-9
FLOOR = 1e-6  # of the model without features: where relative becomes absolute
TINY = 1e-30  # a value that is zero
QUANTILES = 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99
LINPROG_ROWS = 10_000  # from which on a simplex takes longer than an interior point
EXACT = {"tol_gap_abs": 1e-12, "tol_gap_rel": 1e-12, "tol_feas": 1e-12, "tol_infeas_abs": 0.0, "tol_infeas_rel": 0.0}
CLARABEL = [EXACT | {"static_regularization_constant": 1e-12, "iterative_refinement_max_iter": 50}, EXACT]

# ------------------------------------------------------------------------------------------------------- losses
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
    lambda rng: L.LogLoss() + 0.5 * L.Poly1(0.0),
]
AT_INFINITY = L.LogLoss, L.Poly1, L.Exponential, L.Poisson, L.Gamma, L.Tweedie  # may have no minimum without a penalty

# Each loss of r = y - F and of m = (2 y - 1) F as a convex expression, up to a constant where it is one.
OF_RESIDUAL = {
    L.AbsoluteError: lambda loss, r: cp.abs(r),
    L.Pinball: lambda loss, r: cp.maximum(loss.quantile * r, (loss.quantile - 1) * r),
    L.EpsilonInsensitive: lambda loss, r: cp.pos(cp.abs(r) - loss.epsilon),
    L.SquaredError: lambda loss, r: cp.square(r),
    L.Expectile: lambda loss, r: loss.level * cp.square(cp.pos(r)) + (1 - loss.level) * cp.square(cp.neg(r)),
    L.SquaredEpsilonInsensitive: lambda loss, r: cp.square(cp.pos(cp.abs(r) - loss.epsilon)),
    L.Huber: lambda loss, r: cp.huber(r, loss.delta) / 2,
    L.SmoothL1: lambda loss, r: cp.huber(r, loss.beta) / (2 * loss.beta) if loss.beta else cp.abs(r),
    L.PseudoHuber: lambda loss, r: loss.delta * _hypot(r, loss.delta),
    L.Charbonnier: lambda loss, r: _hypot(r, loss.epsilon),
    L.LogCosh: lambda loss, r: cp.logistic(2 * r) - r,
    L.Fair: lambda loss, r: _fair(cp.abs(r) / loss.delta) * loss.delta**2,
    L.BalancedL1: lambda loss, r: _balanced_l1(loss, cp.abs(r) / loss.beta) * loss.beta,
    L.Barron: lambda loss, r: _barron(loss.alpha, r / loss.delta),
}
OF_MARGIN = {
    L.Hinge: lambda loss, m: cp.pos(1 - m),
    L.Perceptron: lambda loss, m: cp.pos(-m),
    L.CrammerSinger: lambda loss, m: cp.pos(1 - m),
    L.Exponential: lambda loss, m: cp.exp(-m),
    L.SquaredHinge: lambda loss, m: cp.square(cp.pos(1 - m)),
    L.ModifiedHuber: lambda loss, m: cp.huber(cp.pos(1 - m), 2),
    L.SmoothedHinge: lambda loss, m: cp.huber(cp.pos(1 - m), loss.gamma) / (2 * loss.gamma),
}


def _cone_rows(loss, y, F, scale):
    """The loss of each row, up to a constant, as a cvxpy expression of F; y and F are (n,), or (n, K), y one-hot."""
    total = 0.0
    for weight, part in loss.summands:
        s = scale if part.standardized else 1.0
        rows = _cone(part, y / s, F / s)
        total += weight * s * s * (cp.sum(rows, axis=1) if rows.ndim == 2 else rows)
    return total


def _cone(loss, y, F):
    kind = type(loss)
    if kind is L.Asymmetric:  # of a loss that grows on either side of 0
        of_residual = OF_RESIDUAL[type(loss.base)]
        up, down = (of_residual(loss.base, side(y - F)) for side in (cp.pos, cp.neg))
        return loss.quantile * up + (1 - loss.quantile) * down
    if kind is L.LSGAN:
        return cp.square(y - F)
    if kind is L.AbsolutePercentageError:
        return cp.multiply(1 / np.abs(y), cp.abs(y - F))
    if kind is L.SquaredLogError:
        return cp.square(np.log1p(y) - F)
    if kind is L.Poisson:
        return 2 * (cp.exp(F) - cp.multiply(y, F))
    if kind is L.Gamma:
        return 2 * (F + cp.multiply(y, cp.exp(-F)))
    if kind is L.Tweedie:
        p = loss.power
        return 2 * (cp.multiply(y / (p - 1), cp.exp((1 - p) * F)) + cp.exp((2 - p) * F) / (2 - p))
    several = np.ndim(y) == 2
    if kind in (L.LogLoss, L.Poly1):  # poly1 at epsilon = 0
        smoothing = getattr(loss, "label_smoothing", 0.0)
        y = (1 - smoothing) * y + smoothing / (y.shape[1] if several else 2)
        if several:
            return cp.log_sum_exp(F, axis=1) - cp.sum(cp.multiply(y, F), axis=1)
        return cp.logistic(F) - cp.multiply(y, F)
    if kind is L.CrammerSinger and several:
        return cp.max(F + (1 - y), axis=1) - cp.sum(cp.multiply(y, F), axis=1)
    if kind in OF_MARGIN:
        return OF_MARGIN[kind](loss, cp.multiply(2 * y - 1, F))
    return OF_RESIDUAL[kind](loss, y - F)


def _hypot(r, width):
    return cp.norm(cp.vstack([r, np.full(r.shape, width)]), axis=0)


def _fair(x):
    u = cp.Variable(x.shape, nonneg=True)  # x at the optimum: u - log(1 + u) is less steep than 1
    return u - cp.log1p(u) + cp.pos(x - u)


def _balanced_l1(loss, x):
    b = np.expm1(loss.gamma / loss.alpha)
    u = cp.Variable(x.shape, bounds=[0, 1])  # min(x, 1) at the optimum
    return loss.alpha / b * (-cp.entr(1 + b * u) - b * u) + loss.gamma * cp.pos(x - u)


def _barron(alpha, t):
    if alpha == 2:
        return cp.square(t) / 2
    b = 2 - alpha
    h = _hypot(t / np.sqrt(b), 1.0)
    return b / alpha * (h if alpha == 1 else cp.power(h, alpha))


# ------------------------------------------------------------------------------------------------------ problems
@dataclass
class Problem:
    """A model that is not fitted yet, its data, and what was drawn."""

    seed: int
    model: LossRegressor | LossClassifier
    X: np.ndarray
    y: np.ndarray
    sample_weight: np.ndarray | None
    kind: str

    def __str__(self):
        m, (n, d) = self.model, self.X.shape
        extra = [f"scale={m.scale}"] if getattr(m.loss, "standardized", False) else []
        extra += ["no intercept"] if not m.fit_intercept else []
        extra += [f"class_weight={m.class_weight}"] if getattr(m, "class_weight", None) else []
        loss = " ".join(repr(m.loss).split())
        return f"seed {self.seed}: {loss}, {m.penalty} {m.alpha:.1e}, n={n}, d={d}, {', '.join([self.kind, *extra])}"


def problem(seed):
    """The problem of a seed."""
    rng = np.random.default_rng(1000 + seed)
    loss = LOSSES[seed % len(LOSSES)](rng)
    penalty = ["none", "l2", "l1", "elasticnet"][seed // len(LOSSES) % 4]
    regression = loss.response_method == "predict"
    large = seed % 17 == 3
    n_classes = 0 if regression else 2 if large else int(rng.choice([2, 2, 3]))
    n, d = _shape(rng, large, n_classes)
    if penalty == "none":
        d = min(d, max(1, int(0.9 * n)))
    kind = str(rng.choice(COLUMNS))
    X, after = _columns(rng, kind, n, d)
    if regression:
        y, how = _target(rng, loss, X)
    else:
        y, how = _labels(rng, X, n_classes)
    X = after(X)
    if kind in ("integer", "duplicate rows", "sparse") and regression and not loss.positive_only:
        y = np.round(y)
    weight, spread = _weights(rng, n, y, n_classes)
    alpha = 0.0 if penalty == "none" else float(10 ** rng.uniform(-6, 1)) / (1 if rng.random() < 0.3 else n)
    options = {"penalty": penalty, "alpha": alpha, "tol": TOL, "fit_intercept": bool(rng.random() < 0.9)}
    if regression:
        scale = ["auto", None, float(10 ** rng.uniform(-1, 1))][rng.integers(3)]
        model = LossRegressor(loss, scale=scale, **options)
    else:
        model = LossClassifier(loss, class_weight=["balanced", None, None, None][rng.integers(4)], **options)
    return Problem(seed, model, X, y, weight, f"{kind}, {how}, {spread}")


def seeds(share=1.0, first=N_PROBLEMS):
    """The seeds of a share of the first problems, evenly spread."""
    return range(0, first, max(1, round(1 / share)))


COLUMNS = [
    "normal", "normal", "integer", "duplicate rows", "duplicate columns", "constant columns", "collinear", "scales",
    "Cauchy", "correlated", "sparse", "far", "heavy",
]  # fmt: skip


def _shape(rng, large, n_classes):
    """(n, d): most problems are small, some wide, a few large."""
    if large:
        n = 10 ** rng.uniform(4, 5)
        return int(n), int(10 ** rng.uniform(0, np.log10(1e6 / n)))
    n = 10 ** rng.uniform(np.log10(30), 3.5)
    cost = 1e7 / max(1, n_classes - 1) ** 2  # n d**2 is what an interior point takes
    return int(n), int(10 ** rng.uniform(0, np.log10(min(300, np.sqrt(cost / n)))))


def _columns(rng, kind, n, d):
    """X, and what is done to it once y is drawn."""
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
    scales = 10 ** np.linspace(-3, 3.1, d)  # beyond 1e6 from the first to the last
    after = {"scales": lambda X: X * scales, "far": lambda X: X + 1e4, "sparse": sparse.csr_array}
    return X, after.get(kind, lambda X: X)


def _target(rng, loss, X):
    """y of a regression, and its noise."""
    signal = X @ rng.standard_normal(X.shape[1])
    if not loss.positive_only and not isinstance(loss, L.SquaredLogError):
        size, cauchy = rng.choice([0.01, 1.0, 1.0, 10.0]), rng.random() < 1 / 3
        noise = size * rng.standard_normal(len(X)) + cauchy * rng.standard_cauchy(len(X))
        return (signal + noise) * rng.choice([1e-3, 1.0, 1.0, 1.0, 1e3]), "Cauchy noise" if cauchy else "normal noise"
    mean = np.exp(np.clip(signal / (signal.std() or 1.0), -3, 3))
    if isinstance(loss, L.Poisson):
        return rng.poisson(mean).astype(float), "counts"
    if isinstance(loss, L.Tweedie):
        return rng.poisson(mean) * rng.gamma(2.0, 1.0, len(X)), "counts of amounts"
    return mean * rng.gamma(rng.choice([0.3, 5.0]), 1.0, len(X)) + 1e-6, "amounts"


def _labels(rng, X, n_classes):
    """Labels of all classes, and whether a linear model separates them."""
    separable = rng.random() < 0.25
    score = (X - X.mean(axis=0)) @ rng.standard_normal((X.shape[1], n_classes))
    score += np.abs(score).mean() * rng.uniform(-1, 1, n_classes)
    if not separable:
        score += rng.choice([0.3, 1.0, 3.0]) * np.abs(score).mean() * rng.gumbel(size=score.shape)
    y = score.argmax(axis=1)
    if len(np.unique(y)) < n_classes:
        y[:n_classes] = np.arange(n_classes)
    return y, f"{n_classes} classes" + ", separable" * separable


def _weights(rng, n, y, n_classes):
    kind = rng.choice(["no weights", "no weights", "integer weights", "wide weights"])
    if kind == "no weights":
        return None, kind
    weight = rng.integers(0, 3, n).astype(float) if kind == "integer weights" else 10 ** rng.uniform(-6.1, 0, n)
    if kind == "wide weights":
        weight *= rng.random(n) < 0.8
    weight[np.unique(y, return_index=True)[1] if n_classes else 0] = 1.0  # every class counts
    return weight, kind


# ----------------------------------------------------------------------------------------------------- objective
class Objective:
    """The objective of a fitted model, written anew: rows in use, weights that sum to 1, scale, penalty."""

    def __init__(self, problem):
        model = self.model = problem.model
        weight = np.ones(len(problem.y)) if problem.sample_weight is None else problem.sample_weight
        used = weight > 0
        X = problem.X.toarray() if sparse.issparse(problem.X) else problem.X
        self.X, y, weight = X[used], problem.y[used], weight[used]
        self.loss, self.scale, self.K = model.loss_, getattr(model, "scale_", 1.0), 1
        if isinstance(model, LossClassifier):
            index = np.searchsorted(model.classes_, y)
            if model.class_weight == "balanced":
                weight = weight / np.bincount(index, weight)[index]
            self.K = 1 if len(model.classes_) == 2 else len(model.classes_)
            y = index.astype(float) if self.K == 1 else np.eye(self.K)[index]  # one-hot
        self.y, self.weight = y, weight / weight.sum()
        ratio = {"none": 0.0, "l2": 0.0, "l1": 1.0, "elasticnet": 0.5}[model.penalty]
        self.l1, self.l2 = model.alpha * ratio, model.alpha * (1 - ratio)

    def value(self, coef, intercept):
        """At coefficients (K, d), or (d,), and intercepts (K,), or a number."""
        coef = np.atleast_2d(np.asarray(coef, dtype=np.longdouble))
        rows = self.rows(self.raw(self.X, coef, intercept))
        return float(self.weight @ rows + self.l1 * np.abs(coef).sum() + self.l2 / 2 * (coef**2).sum())

    def raw(self, X, coef, intercept):
        raw = X.astype(np.longdouble) @ np.asarray(coef, dtype=np.longdouble).T + np.asarray(intercept, np.longdouble)
        return raw[:, 0] if self.K == 1 else raw

    def rounding(self, coef, intercept):
        """What the rounding of coefficients, intercepts and targets to float64 can change in the value."""
        coef = np.atleast_2d(coef)
        size = self.raw(np.abs(self.X), np.abs(coef), np.abs(intercept)) + np.abs(self.y) * self.loss.translates
        raw, size = self.raw(self.X, coef, intercept), 2 * np.finfo(float).eps * size
        return float(self.weight @ (np.maximum(self.rows(raw - size), self.rows(raw + size)) - self.rows(raw)))

    def rows(self, raw):
        """The loss of each row; a difference from y is taken before digits are lost."""
        return sum(weight * self._rows(part, raw) for weight, part in self.loss.summands)

    def _rows(self, loss, raw):
        y, s = self.y, self.scale if loss.standardized else 1.0
        if loss.translates:
            y, raw = np.zeros_like(y), raw - y
        elif self.K > 1 and loss.multiclass:
            y = y.argmax(axis=1)
        return s * s * loss.loss(y / s if s != 1 else y, (raw / s).astype(float))

    def null(self):
        """The best constant, or 0 without an intercept: the model without features."""
        loss, y = self.loss, self.y
        if not self.model.fit_intercept:
            return self.value(np.zeros((self.K, self.X.shape[1])), np.zeros(self.K))
        if self.K > 1 and loss.multiclass:
            constant = loss.fit_intercept_only(y.argmax(axis=1), self.weight, self.K)
        else:
            constant = loss.scaled(self.scale).fit_intercept_only(y, self.weight)
        return self.value(np.zeros((self.K, self.X.shape[1])), constant)


# ------------------------------------------------------------------------------------------------------- oracles
def oracles(objective):
    """Yield (name, coefficients, intercepts) of everyone who can minimise the objective; the quickest come first."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # theirs: what they return is judged by its objective
        curved = any(isinstance(part, L.Poly1) and part.epsilon for _, part in objective.loss.summands)
        for solve in [_l_bfgs_b] if curved else [_scikit_learn, _linprog, _clarabel, _l_bfgs_b]:
            for found in solve(objective):
                yield solve.__name__.strip("_"), *found


def _standardised(objective):
    """Columns centred (where an intercept takes it up) and scaled: what any solver would like to get; centre, scale."""
    X, weight = objective.X, objective.weight
    centre = weight @ X * objective.model.fit_intercept
    X = X - centre
    scale = np.sqrt(weight @ X**2)
    varies = scale > 1e-12 * np.abs(centre)
    scale = np.where(varies, scale, 1.0)
    return X * varies / scale, centre, scale


def _original(coef, intercept, centre, scale):
    """Coefficients and intercepts for the columns as they are."""
    coef = np.atleast_2d(coef).astype(np.longdouble) / scale
    return coef, intercept - coef @ centre.astype(np.longdouble)


def _scikit_learn(objective):
    """By the estimator that minimises the same objective."""
    loss, alpha, model = objective.loss, objective.l2, objective.model
    y, intercept = objective.y, {"fit_intercept": model.fit_intercept}
    newton = {"solver": "newton-cholesky", "tol": 1e-12, "max_iter": 1000, **intercept}
    if objective.l1:
        return
    if isinstance(loss, L.SquaredError):
        peer = Ridge(alpha=alpha / 2, **intercept) if alpha else LinearRegression(**intercept)
    elif isinstance(loss, L.LogLoss) and not loss.label_smoothing:
        peer = LogisticRegression(C=1 / alpha if alpha else np.inf, **newton)
        y = y if objective.K == 1 else y.argmax(axis=1)
    elif isinstance(loss, L.Poisson | L.Gamma | L.Tweedie):
        peer = TweedieRegressor(power=loss.power, alpha=alpha / 2, link="log", **newton)
    else:
        return
    X, centre, scale = _standardised(objective)
    if alpha:  # their penalty is on the coefficients of what they get
        X, scale = X * scale, np.ones_like(scale)
    peer.fit(X, y, sample_weight=objective.weight)
    yield _original(peer.coef_, peer.intercept_, centre, scale)


def _linprog(objective):
    """By HiGHS, where the cone program is a linear one."""
    task, V, c, back = _cone_program(objective)
    data = task.get_problem_data("CLARABEL")[0]
    equal, A, b, column = data["dims"].zero, data["A"], data["b"], data["param_prob"].var_id_to_col
    if "P" in data or equal + data["dims"].nonneg < len(b) or A.shape[0] > LINPROG_ROWS:
        return
    found = optimize.linprog(
        data["c"], A_ub=A[equal:], b_ub=b[equal:], A_eq=A[:equal] if equal else None, b_eq=b[:equal] if equal else None,
        bounds=(None, None), options={"time_limit": 30.0},
    )  # fmt: skip
    if found.x is not None:
        yield back(*(found.x[column[v.id] :][: v.size].reshape(v.shape, order="F") for v in (V, c) if v.id in column))


def _clarabel(objective):
    """By cvxpy, one setting after the other."""
    for setting in CLARABEL:
        task, V, c, back = _cone_program(objective)
        try:
            task.solve(solver="CLARABEL", accept_unknown=True, **setting)
        except cp.SolverError:
            continue
        if V.value is not None:
            yield back(V.value, *([] if c.value is None else [c.value]))


def _cone_program(objective):
    """The objective times n for cvxpy, its variables, and what makes coefficients and intercepts of their values."""
    X, centre, scale = _standardised(objective)
    loss, K, y, intercept = objective.loss, objective.K, objective.y, objective.model.fit_intercept
    origin, unit = 0.0, 1.0
    if loss.translates and K == 1:  # what is left of y by its median, in units of its spread
        origin = float(np.median(y)) * intercept
        unit = float(np.abs(y - origin).mean()) or 1.0
    V, c = cp.Variable((X.shape[1], K)), cp.Variable((1, K))
    F = X @ V + (np.ones((len(X), 1)) @ c if intercept else 0.0)
    F = origin + unit * (F if K > 1 else F[:, 0])
    W = cp.multiply(unit / scale[:, None], V)
    factor = len(y) / (objective.null() or 1.0)
    value = (factor * objective.weight) @ _cone_rows(loss, y, F, objective.scale)
    if objective.l1:
        value += factor * objective.l1 * cp.sum(cp.abs(W))
    if objective.l2:
        value += factor * objective.l2 / 2 * cp.sum_squares(W)

    def back(V, c=0.0):
        return _original(unit * V.T, origin + unit * np.ravel(c), centre, scale)

    return cp.Problem(cp.Minimize(value)), V, c, back


def _l_bfgs_b(objective):
    """By quasi-Newton steps, with an l1 penalty on the positive and negative parts, if the loss is smooth."""
    X, centre, scale = _standardised(objective)
    (n, d), K, loss = X.shape, objective.K, objective.loss.scaled(objective.scale)
    y = objective.y.argmax(axis=1) if K > 1 and loss.multiclass else objective.y
    if not loss.smooth:
        return
    signs = np.array([1.0, -1.0] if objective.l1 else [1.0])

    def coefficients(z):
        return signs @ z[: len(signs) * K * d].reshape(len(signs), -1), z[len(signs) * K * d :]

    def fun(z):
        coef, c = coefficients(z)
        coef = coef.reshape(K, d)
        raw = X @ coef.T + c * objective.model.fit_intercept
        raw = raw[:, 0] if K == 1 else raw
        slope = objective.weight[:, None] * loss.gradient(y, raw).reshape(n, K)
        w = coef / scale
        value = objective.weight @ loss.loss(y, raw) + objective.l2 / 2 * (w**2).sum()
        smooth = ((X.T @ slope).T + objective.l2 * w / scale).ravel()
        steep = np.tile(objective.l1 / scale, K)
        parts = [sign * smooth + steep for sign in signs]
        value += steep @ z[: len(signs) * K * d].reshape(len(signs), -1).sum(axis=0) if objective.l1 else 0.0
        return value, np.concatenate([*parts, slope.sum(axis=0) * objective.model.fit_intercept])

    bounds = [(0 if objective.l1 else None, None)] * (len(signs) * K * d) + [(None, None)] * K
    options = {"maxiter": 20_000, "maxfun": 100_000, "ftol": 0.0, "gtol": 1e-14, "maxcor": 50, "maxls": 50}
    z = np.zeros(len(bounds))
    for _ in range(3):  # its line search gives up early; from there it starts afresh
        z = optimize.minimize(fun, z, jac=True, method="L-BFGS-B", bounds=bounds, options=options).x
        coef, c = coefficients(z)
        yield _original(coef.reshape(K, d), c * objective.model.fit_intercept, centre, scale)


# --------------------------------------------------------------------------------------------------------- check
@dataclass
class Result:
    """What came out of a problem."""

    problem: Problem
    route: str
    warned: str
    seconds: float
    oracle: str
    behind: float  # how far ours lies above the best oracle; negative: below
    above: float  # how far the lower bound lies above the best value
    gap: float  # inf where the fit claims none
    weak: bool  # the oracles came less far than the fit, so that they prove little
    faults: list[str]

    def __str__(self):
        return (
            f"{self.problem}: {self.route}, {self.seconds:.2f} s, gap {self.gap:.1e}, above {self.oracle} by "
            f"{self.behind:.1e}" + ", warned" * bool(self.warned) + "".join(f", FALSE {fault}" for fault in self.faults)
        )


def check(problem):
    """Fit a problem and compare it with the oracles."""
    model = problem.model
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        start = time.perf_counter()
        model.fit(problem.X, problem.y, sample_weight=problem.sample_weight)
        seconds = time.perf_counter() - start
    solution, objective = model.solution_, Objective(problem)
    unconverged = [str(w.message) for w in caught if issubclass(w.category, ConvergenceWarning)]
    faults = [f"warning {w.message}" for w in caught if not issubclass(w.category, ConvergenceWarning)]

    ours = objective.value(model.coef_, model.intercept_)
    rounding, null = objective.rounding(model.coef_, model.intercept_), objective.null()
    unattained = not model.alpha and any(isinstance(part, AT_INFINITY) for _, part in model.loss_.summands)
    floor = max((1.0 if unattained else FLOOR) * null, rounding, TINY)
    oracle, theirs = "the model without features", null
    for name, coef, intercept in oracles(objective) if ours > TINY else ():  # no loss is below 0
        if (value := objective.value(coef, intercept)) < theirs:
            oracle, theirs = name, value
        if theirs - ours <= AGREE / 10 * max(ours, floor):
            break
    best = min(ours, theirs)
    size = max(best, floor)
    gap = np.inf if solution.gap is None else solution.gap
    behind, above = (ours - theirs - rounding) / size, (solution.value - gap - best - rounding) / size
    if behind > AGREE and not unconverged:
        faults.append("objective")
    if above > BOUND:
        faults.append("bound")
    if abs(solution.value - ours) - rounding > SAME * size:
        faults.append("value")
    return Result(
        problem, _route(solution), " ".join(unconverged), seconds, oracle, behind, above, gap / size,
        weak=behind < -AGREE and ours > max(rounding, TINY), faults=faults,
    )  # fmt: skip


def _route(solution):
    """The solver and what it says of its way, without numbers."""
    message = re.sub(r"(all coefficients are zero|The \w+ did not)[^;]*;? ?", "", solution.message)
    message = re.sub(r", \d+ rounds", " on reduced rows", message)
    message = re.sub(r"width [\d.e+-]+", "", message)
    return f"{solution.solver}: {message}".strip(": ")


FALLBACK = re.compile("QR|orthonormal|linear program|singular value|trust")


def table(results):
    """The results by route, as text."""
    routes = defaultdict(list)
    for result in results:
        routes[result.route].append(result)
    columns = (
        "number",
        "wrong",
        "false bounds",
        "warned",
        "weak oracle",
        "no gap",
        "largest gap",
        "median s",
        "largest s",
    )
    width = max(map(len, routes))
    lines = ["".join([f"{'route':<{width}}", *(f"{name:>14}" for name in columns)])]
    for route, group in [*sorted(routes.items(), key=lambda item: -len(item[1])), ("all", results)]:
        gaps = [r.gap for r in group if np.isfinite(r.gap) and not r.warned]
        times = [r.seconds for r in group]
        cells = (
            len(group),
            sum("objective" in r.faults or "value" in r.faults for r in group),
            sum("bound" in r.faults for r in group),
            sum(bool(r.warned) for r in group),
            sum(r.weak for r in group),
            sum(np.isinf(r.gap) for r in group),
            f"{max(gaps):.1e}" if gaps else "-",
            f"{np.median(times):.3f}",
            f"{max(times):.2f}",
        )
        lines.append("".join([f"{route:<{width}}", *(f"{cell!s:>14}" for cell in cells)]))
    fallbacks = sum(bool(FALLBACK.search(r.route)) for r in results)
    lines += ["", f"fallbacks: {fallbacks}", "", "slowest:"]
    lines += [str(r) for r in sorted(results, key=lambda r: -r.seconds)[:10]]
    return "\n".join(lines)


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
