"""The race: how long each solver takes to come within a millionth of the optimum, ours and its peers'.

Run: python -m pip install -e ".[plot,bench]" && python examples/benchmarks/race.py [--quick] [--cases WORD ...]
It prints a table for each case and one of all goals, and saves examples/images/race.png.

All contestants of a case minimise the same objective on the same data, in one process; what ours calls alpha stands in
the table as each peer wants it.  Where a peer can only penalise the intercept, a large constant column makes that
penalty small.  X is handed over in the layout that the contestant likes best.  Each climbs a ladder, most often of
tolerances; the objective is computed here, by formulas that are no contestant's.  The time that counts is that of its
fastest run within 1e-6, relative, of the best objective that anyone found: the median of the repeats, for which the
contestants take turns, after one fit of a few rows that no clock sees.
"""

import argparse
import os
import statistics
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from itertools import product
from pathlib import Path

import numpy as np
from scipy import sparse
from scipy.special import logsumexp, xlogy
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.linear_model import (
    HuberRegressor,
    Lasso,
    LogisticRegression,
    PoissonRegressor,
    QuantileRegressor,
    Ridge,
)
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from threadpoolctl import threadpool_info

from sklloss import LossClassifier, LossRegressor
from sklloss.losses import Huber, Pinball

IMAGE = Path(__file__).parents[1] / "images" / "race.png"
WITHIN = 1e-6  # of the best objective, relative: who is there has arrived
OURS = "sklloss"
TOLS = 1e-2, 1e-3, 1e-4, 1e-6, 1e-8, 1e-10
COARSE = 1e-1, 1e-2, 1e-3, 1e-4, 1e-6  # for those whose iterations go on for ever
SCALES = 1.0, 10.0, 100.0  # of the constant column in place of an intercept
MANY = 10_000  # iterations
CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}


# ------------------------------------------------------------------------------------------------------- contestants
def by_rows(X):
    """X in the layout of the data, C or CSR."""
    return X


def by_columns(X):
    """X in the layout of coordinate descent."""
    return X.tocsc() if sparse.issparse(X) else np.asfortranarray(X)


@dataclass
class Peer:
    """``make(a, rung)`` is an estimator with alpha as it wants it, of a rung of the ladder."""

    name: str
    alpha: str  # a key of ALPHAS
    make: Callable
    ladder: tuple = TOLS
    layout: Callable = by_rows


# What alpha is elsewhere, of n rows: our objective is the mean loss + alpha * penalty, ||w||^2 / 2 or ||w||_1.
ALPHAS = {
    "alpha": lambda alpha, n: alpha,
    "alpha / 2": lambda alpha, n: alpha / 2,  # of half the loss
    "n alpha": lambda alpha, n: n * alpha,  # of the sum of the losses
    "n alpha / 2": lambda alpha, n: n * alpha / 2,
    "1 / (n alpha)": lambda alpha, n: 1 / (n * alpha) if alpha else np.inf,  # C
}


def glum(alpha="alpha", ladder=TOLS, **given):
    def make(a, tol):
        return import_module("glum").GeneralizedLinearRegressor(alpha=a, gradient_tol=tol, max_iter=MANY, **given)

    return Peer("glum", alpha, make, ladder, by_columns)


def logistic(*solvers):
    def peer(solver):
        def make(a, tol):
            return LogisticRegression(C=a, solver=solver, tol=tol, max_iter=MANY)

        return Peer(f"scikit-learn {solver}", "1 / (n alpha)", make, COARSE if solver == "sag" else TOLS)

    return [peer(solver) for solver in solvers]


def liblinear(l1_ratio, fit_intercept=True):
    def make(a, rung):
        scale, tol = rung
        return LogisticRegression(
            C=a, solver="liblinear", l1_ratio=l1_ratio, tol=tol, max_iter=1000, fit_intercept=fit_intercept,
            intercept_scaling=scale, random_state=0,
        )  # fmt: skip

    ladder = tuple(product(SCALES if fit_intercept else (1.0,), COARSE))
    return Peer("scikit-learn liblinear", "1 / (n alpha)", make, ladder)


def linear_svc(loss, fit_intercept):
    def make(a, rung):
        scale, tol = rung
        return LinearSVC(
            C=a, loss=loss, dual=loss == "hinge", tol=tol, max_iter=2000, fit_intercept=fit_intercept,
            intercept_scaling=scale, random_state=0,
        )  # fmt: skip

    ladder = tuple(product(SCALES if fit_intercept else (1.0,), COARSE))
    return Peer("scikit-learn LinearSVC", "1 / (n alpha)", make, ladder)


def rehline(fit_intercept):
    def make(a, rung):
        scale, tol = rung
        return import_module("rehline").plq_Ridge_Classifier(
            loss={"name": "svm"}, C=a, tol=tol, max_iter=100_000, fit_intercept=fit_intercept, intercept_scaling=scale
        )

    ladder = tuple(product(SCALES if fit_intercept else (1.0,), TOLS[:-2]))
    return Peer("ReHLine", "1 / (n alpha)", make, ladder)


def ridge():
    def make(a, solver):
        return Ridge(alpha=a, solver=solver, tol=1e-8)

    return Peer("scikit-learn Ridge", "n alpha / 2", make, ("auto", "cholesky", "svd", "lsqr"))


def lassos():
    def scikit_learn(precompute):
        return lambda a, tol: Lasso(alpha=a, tol=tol, precompute=precompute, max_iter=MANY)

    def skglm(a, tol):
        return import_module("skglm").Lasso(alpha=a, tol=tol)

    def celer(a, tol):
        return import_module("celer").Lasso(alpha=a, tol=tol)

    return [
        Peer("scikit-learn Lasso", "alpha / 2", scikit_learn(False), layout=by_columns),
        Peer("scikit-learn Lasso with Gram matrix", "alpha / 2", scikit_learn(True), layout=by_columns),
        Peer("skglm", "alpha / 2", skglm, layout=by_columns),
        Peer("celer", "alpha / 2", celer, layout=by_columns),
    ]


def sparse_logistic():
    def skglm(a, tol):
        return import_module("skglm").SparseLogisticRegression(alpha=a, tol=tol, fit_intercept=False)

    def celer(a, tol):
        return import_module("celer").LogisticRegression(C=a, tol=tol, fit_intercept=False)

    def saga(a, tol):
        return LogisticRegression(
            C=a, solver="saga", l1_ratio=1, tol=tol, max_iter=MANY, fit_intercept=False, random_state=0
        )

    return [
        liblinear(1, fit_intercept=False),
        Peer("skglm", "alpha", skglm, layout=by_columns),
        Peer("celer", "1 / (n alpha)", celer, layout=by_columns),
        Peer("scikit-learn saga", "1 / (n alpha)", saga, COARSE),
    ]


def poisson():
    def peer(solver):
        def make(a, tol):
            return PoissonRegressor(alpha=a, solver=solver, tol=tol, max_iter=MANY)

        return Peer(f"scikit-learn {solver}", "alpha / 2", make)

    return [peer("lbfgs"), peer("newton-cholesky"), glum("alpha / 2", family="poisson")]


def huber(scale=1.0):
    """At the scale that is its optimum it also minimises the loss of that fixed scale; see `fixed_scale`."""

    def make(a, tol):
        return HuberRegressor(alpha=a / scale, tol=tol, max_iter=MANY)

    return Peer("scikit-learn HuberRegressor", "n alpha", make)


def quantile(q, penalty):
    def peer(solver):
        def make(a, rung):
            return QuantileRegressor(quantile=q, alpha=a, solver=solver)

        return Peer(f"scikit-learn {solver}", "alpha", make, ("exact",))

    peers = [peer("highs"), peer("highs-ipm")]  # the first is what QuantileRegressor does by itself
    return peers if penalty else [*peers, Peer("statsmodels", "alpha", lambda a, tol: QuantReg(q, tol))]


class QuantReg:
    """Quantile regression of statsmodels, which takes neither an intercept nor a penalty."""

    def __init__(self, q, tol):
        self.q, self.tol = q, tol

    def fit(self, X, y):
        model = import_module("statsmodels.api").QuantReg(y, np.column_stack([X, np.ones(len(X))]))
        params = model.fit(q=self.q, p_tol=self.tol, max_iter=MANY).params
        self.coef_, self.intercept_ = params[:-1], params[-1]


# -------------------------------------------------------------------------------------------------------------- data
def gaussian(n, d, rng):
    return rng.normal(size=(n, d))


def scaled(n, d, rng):
    """Neighbours correlate by 0.95, and the units of the columns lie five decades apart."""
    X = rng.normal(size=(n, d))
    for j in range(1, d):
        X[:, j] = 0.95 * X[:, j - 1] + np.sqrt(1 - 0.95**2) * X[:, j]
    return X * np.logspace(-2, 3, d)


def heavy(n, d, rng):
    return rng.standard_t(2.5, size=(n, d))


def ties(n, d, rng):
    return rng.integers(0, 5, size=(n, d)).astype(float)


def text(n, d, rng, words=50):
    """As many words in a row, drawn by Zipf's law, rows of norm 1."""
    column = np.minimum(d * rng.uniform(size=(n, words)) ** 2.5, d - 1).astype(np.int32)
    X = sparse.csr_matrix((np.ones(n * words), column.ravel(), words * np.arange(n + 1)), shape=(n, d))
    X.sum_duplicates()
    X.data = 1 + np.log(X.data)
    X = (sparse.diags_array(1 / sparse.linalg.norm(X, axis=1)) @ X).tocsr()
    X.sort_indices()  # as those that read texts leave it
    return X


def one_hot(n, d, rng, variables=5):
    """Each variable has one of d / variables categories, some of them rare."""
    levels = d // variables
    column = (levels * rng.uniform(size=(n, variables)) ** 2).astype(np.int32) + levels * np.arange(variables)
    return sparse.csr_matrix((np.ones(column.size), column.ravel(), variables * np.arange(n + 1)), shape=(n, d))


def signal(X, rng, columns=None):
    """A linear function of all columns, or of some, of standard deviation 2 or so."""
    d = X.shape[1]
    f = X @ (rng.normal(size=d) * (rng.permutation(d) < (columns or d)))
    return 2 * (f - np.median(f)) / (np.abs(f - np.median(f)).mean() + 1e-300)


def label(X, rng):
    return (signal(X, rng) + rng.logistic(size=X.shape[0]) > 0.3).astype(int)


def kinds(X, rng, k=10):
    return np.argmax(np.column_stack([signal(X, rng) for _ in range(k)]) + rng.gumbel(size=(X.shape[0], k)), axis=1)


def real(X, rng):
    return 3 + signal(X, rng) + rng.standard_t(2.5, X.shape[0])


def few(X, rng):
    """Of 20 columns, the others are noise."""
    return 3 + signal(X, rng, columns=20) + rng.standard_t(2.5, X.shape[0])


def count(X, rng):
    return rng.poisson(np.exp(np.clip(0.4 * signal(X, rng), -3, 3))).astype(float)


def whole(X, rng):
    return np.round(real(X, rng))


def shipped(load):
    """A data set of scikit-learn's, of which rows is the part in use."""

    def data(n, d, rng):
        X, y = load(return_X_y=True)
        keep = rng.permutation(len(y))[:n]
        return StandardScaler().fit_transform(X[keep]), y[keep]

    return data


# ------------------------------------------------------------------------------------------------------------- cases
# Mean loss of the raw predictions f.
FORMULAS = {
    "squared_error": lambda y, f: np.mean((y - f) ** 2),
    "log_loss": lambda y, f: np.mean(np.logaddexp(0, f) - y * f),
    "softmax": lambda y, f: np.mean(logsumexp(f, axis=1) - f[np.arange(len(y)), y]),
    "hinge": lambda y, f: np.mean(np.maximum(0, 1 - (2 * y - 1) * f)),
    "squared_hinge": lambda y, f: np.mean(np.maximum(0, 1 - (2 * y - 1) * f) ** 2),
    "poisson": lambda y, f: 2 * np.mean(xlogy(y, y) - y * f - y + np.exp(f)),
    "pinball 0.5": lambda y, f: np.mean(np.abs(y - f)) / 2,
    "pinball 0.9": lambda y, f: np.mean(np.maximum(0.9 * (y - f), -0.1 * (y - f))),
    "huber": lambda y, f, s: np.mean(s**2 * rho((y - f) / s)),
    "huber, joint scale": lambda y, f, s: np.mean(s / 2 * (1 + 2 * rho((y - f) / s))),
}


def rho(r):
    a = np.minimum(np.abs(r), 1.35)
    return a * (np.abs(r) - a / 2)


@dataclass
class Case:
    """``ours(X, y)`` is our estimator, ``peers(ours)`` the others, ``goals`` their times over ours, "best": of all."""

    loss: str
    data: Callable
    target: Callable | None
    rows: int
    columns: int
    ours: Callable
    peers: Callable
    goals: dict[str, float] = field(default_factory=dict)

    def __str__(self):
        what = "one of scikit-learn's" if self.target is None else self.data.__name__
        return f"{self.loss}, {self.rows:,} x {self.columns:,}, {what}"


def classifier(loss, alpha, penalty="l2", **given):
    return lambda X, y: LossClassifier(loss, penalty, alpha=alpha, **given)


def regressor(loss, alpha, penalty="l2", **given):
    return lambda X, y: LossRegressor(loss, penalty, alpha=alpha, **given)


def sparse_regressor(share):
    """Of the least alpha at which every coefficient is 0, as much."""
    return lambda X, y: LossRegressor("squared_error", "l1", alpha=share * 2 * steepest(X, y - y.mean()))


def sparse_classifier(share):
    return lambda X, y: LossClassifier("log_loss", "l1", alpha=share * steepest(X, y - 0.5), fit_intercept=False)


def steepest(X, slope):
    return float(np.abs(X.T @ slope).max() / len(slope))


def fixed_scale(X, y, alpha=1e-4):
    """The scale of the joint optimum: s times the joint objective is then that of this scale, with s * alpha."""
    s = LossRegressor(Huber(1.35), scale="joint", alpha=alpha, tol=1e-10).fit(X, y).scale_
    return LossRegressor(Huber(1.35), scale=s, alpha=s * alpha)


def tiny(loss, target, ours, *peers):
    return Case(loss, gaussian, target, 200, 5, ours, lambda model: peers, {"best": 1})


SMOOTH = "lbfgs", "newton-cholesky"
CASES = [
    Case("log_loss", gaussian, label, 100_000, 50, classifier("log_loss", 1e-4),
         lambda model: [*logistic(*SMOOTH, "newton-cg"), glum(family="binomial")], {"best": 2.5}),
    Case("log_loss", scaled, label, 50_000, 30, classifier("log_loss", 1e-8),
         lambda model: [*logistic(*SMOOTH), glum(family="binomial")], {"best": 2}),
    Case("softmax", gaussian, kinds, 20_000, 64, classifier("log_loss", 1e-4),
         lambda model: logistic(*SMOOTH), {"best": 2}),
    Case("squared_error", gaussian, real, 100_000, 50, regressor("squared_error", 1e-4),
         lambda model: [ridge(), glum("alpha / 2", family="normal")], {"best": 1.2}),
    Case("huber", gaussian, real, 100_000, 50, fixed_scale, lambda model: [huber(model.scale)], {"best": 10}),
    Case("huber, joint scale", gaussian, real, 100_000, 50, regressor(Huber(1.35), 1e-4, scale="joint"),
         lambda model: [huber()], {"best": 6}),
    Case("pinball 0.5", heavy, real, 5_000, 50, regressor(Pinball(0.5), 0.0, None),
         lambda model: quantile(0.5, None), {"best": 10, "scikit-learn highs": 150}),
    Case("pinball 0.5", ties, whole, 5_000, 20, regressor(Pinball(0.5), 0.0, None), lambda model: quantile(0.5, None)),
    Case("pinball 0.9", heavy, real, 3_000, 30, regressor(Pinball(0.9), 1e-2, "l1"),
         lambda model: quantile(0.9, "l1"), {"best": 30}),
    Case("hinge", gaussian, label, 50_000, 30, classifier("hinge", 1e-4),
         lambda model: [linear_svc("hinge", True), rehline(True)], {"best": 100}),
    Case("hinge", gaussian, label, 50_000, 30, classifier("hinge", 1e-4, fit_intercept=False),
         lambda model: [linear_svc("hinge", False), rehline(False)], {"LinearSVC": 5}),
    Case("squared_hinge", gaussian, label, 50_000, 30, classifier("squared_hinge", 1e-4),
         lambda model: [linear_svc("squared_hinge", True)], {"best": 5}),
    Case("poisson", gaussian, count, 100_000, 40, regressor("poisson", 1e-4), lambda model: poisson(), {"best": 1.5}),
    Case("squared_error", gaussian, few, 500, 5_000, sparse_regressor(0.1), lambda model: lassos(), {"best": 1}),
    Case("squared_error", gaussian, few, 20_000, 300, sparse_regressor(0.01), lambda model: lassos(), {"best": 1.5}),
    Case("log_loss", text, label, 20_000, 20_000, sparse_classifier(0.1),
         lambda model: sparse_logistic(), {"best": 1}),
    Case("log_loss", text, label, 50_000, 20_000, classifier("log_loss", 1e-5),
         lambda model: [*logistic("lbfgs", "newton-cg"), liblinear(0)], {"best": 3}),
    Case("log_loss", one_hot, label, 50_000, 200, classifier("log_loss", 1e-6),
         lambda model: [*logistic(*SMOOTH, "newton-cg"), glum(family="binomial")]),
    Case("softmax", shipped(load_digits), None, 1_797, 64, classifier("log_loss", 1e-3),
         lambda model: logistic(*SMOOTH)),
    Case("log_loss", shipped(load_breast_cancer), None, 569, 30, classifier("log_loss", 1e-3),
         lambda model: [*logistic(*SMOOTH), glum(family="binomial")]),
    Case("squared_error", shipped(load_diabetes), None, 442, 10, sparse_regressor(0.01), lambda model: lassos()),
    Case("hinge", shipped(load_breast_cancer), None, 569, 30, classifier("hinge", 1e-3, fit_intercept=False),
         lambda model: [linear_svc("hinge", False), rehline(False)]),
    tiny("squared_error", real, regressor("squared_error", 1e-2), ridge()),
    tiny("log_loss", label, classifier("log_loss", 1e-2), *logistic(*SMOOTH)),
    tiny("softmax", kinds, classifier("log_loss", 1e-2), *logistic(*SMOOTH)),
    tiny("poisson", count, regressor("poisson", 1e-2), *poisson()),
    tiny("squared_hinge", label, classifier("squared_hinge", 1e-2), linear_svc("squared_hinge", True)),
    tiny("huber, joint scale", real, regressor(Huber(1.35), 1e-2, scale="joint"), huber()),
]  # fmt: skip


# ---------------------------------------------------------------------------------------------------------- the race
@dataclass
class Run:
    """One rung of a contestant's ladder."""

    peer: Peer
    rung: object
    value: float
    seconds: list[float]
    note: str = ""

    @property
    def median(self):
        return statistics.median(self.seconds)


def race(case, repeats, limit, clock):
    """Every rung of every contestant, the reasons why some are missing, and our estimator.

    A contestant climbs no further once it has climbed for `limit` seconds.
    """
    rng = np.random.default_rng(0)
    X = case.data(case.rows, case.columns, rng)
    X, y = X if case.target is None else (X, case.target(X, rng))
    model = case.ours(X, y)
    ours = Peer(OURS, "alpha", lambda a, tol: clone(model).set_params(tol=tol))
    formula = FORMULAS[case.loss]
    runs, missing, laid_out = [], {}, {}

    def fit(peer, rung):
        fitted = peer.make(ALPHAS[peer.alpha](model.alpha, len(y)), rung)
        start = clock()
        fitted.fit(laid_out[peer.layout], y)
        return clock() - start, fitted

    def value(fitted):
        coef = np.atleast_2d(fitted.coef_)
        raw = X @ coef.T + np.ravel(fitted.intercept_)
        scale = [] if "huber" not in case.loss else [fitted.scale_ if "joint" in case.loss else model.scale]
        penalty = np.abs(coef).sum() if model.penalty == "l1" else (coef**2).sum() / 2
        loss = formula(y, raw if case.loss == "softmax" else raw[:, 0], *scale)
        return float(loss + (model.alpha * penalty if model.penalty else 0))

    for peer in [ours, *case.peers(model)]:
        laid_out.setdefault(peer.layout, peer.layout(X))
        try:
            few = peer.make(ALPHAS[peer.alpha](model.alpha, 100), peer.ladder[-1])
            few.fit(peer.layout(X[:100]), y[:100])  # compiles what is compiled
        except ImportError as error:
            missing[peer.name] = str(error)
            continue
        for rung in peer.ladder:
            seconds, fitted = fit(peer, rung)
            runs.append(Run(peer, rung, value(fitted), [seconds], certificate(fitted)))
            if sum(run.seconds[0] for run in runs if run.peer is peer) > limit:
                break
    for _ in range(repeats - 1):
        for run in runs:
            if run.seconds[0] < limit / 20:
                run.seconds.append(fit(run.peer, run.rung)[0])
    return runs, missing, model


def certificate(fitted):
    """What the fit itself says of its distance from the optimum."""
    solution = getattr(fitted, "solution_", None)
    return "" if solution is None or solution.gap is None else f"certified within {solution.gap / solution.value:.0e}"


def winners(runs):
    """The best value, and of each contestant the fastest run that has arrived, else the one that came nearest."""
    best, fastest = min(run.value for run in runs), {}
    for run in runs:
        fastest.setdefault(run.peer.name, []).append(run)
    for name, climbed in fastest.items():
        arrived = [run for run in climbed if gap(run, best) <= WITHIN]
        fastest[name] = min(arrived, key=lambda run: run.median) if arrived else min(climbed, key=lambda run: run.value)
    return best, fastest


def gap(run, best):
    return (run.value - best) / abs(best)


def table(case, model, runs, missing):
    best, fastest = winners(runs)
    intercept = "intercept not penalised" if model.fit_intercept else "no intercept"
    lines = [
        f"\n{case}: penalty {model.penalty or 'none'}, alpha {model.alpha:.3g}, {intercept}; best value {best:.12g}"
    ]
    ours = fastest[OURS]
    for name, run in sorted(fastest.items(), key=lambda item: (gap(item[1], best) > WITHIN, item[1].median)):
        times = f"{run.median / ours.median:8.2f} x ours" if gap(run, best) <= WITHIN else "   did not arrive"
        a = ALPHAS[run.peer.alpha](model.alpha, case.rows)
        lines.append(
            f"  {name:36} {run.peer.alpha:>13} = {a:<9.3g} {run.median:10.4f} s  gap {gap(run, best):7.1e} "
            f"{times}  at {run.rung}  {run.note}"
        )
    return "\n".join(lines + [f"  {name:36} skipped: {reason}" for name, reason in missing.items()])


def ratios(case, runs):
    """(goal, its name, what came out) of each goal; 0 where ours did not arrive, inf where no peer did."""
    best, fastest = winners(runs)
    arrived = {name: run.median for name, run in fastest.items() if gap(run, best) <= WITHIN}
    ours = arrived.pop(OURS, np.inf)
    for name, goal in case.goals.items():
        theirs = [seconds for peer, seconds in arrived.items() if name == "best" or name in peer]
        yield goal, name, min(theirs, default=np.inf) / ours


def draw(results, path):
    """Time against gap, a panel for each case."""
    import matplotlib.pyplot as plt

    from sklloss.displays import COLORS, FLOOR

    packages = [OURS, "scikit-learn", "glum", "skglm", "celer", "ReHLine", "statsmodels"]
    columns = min(4, len(results))
    rows = -(-len(results) // columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(4 * columns, 2.9 * rows), squeeze=False, sharey=True, layout="constrained"
    )
    for axis, (case, runs) in zip(axes.flat, results, strict=False):
        best, fastest = winners(runs)
        for name in dict.fromkeys(run.peer.name for run in runs):
            package, _, solver = name.partition(" ")
            climbed = sorted((run.median, max(gap(run, best), FLOOR)) for run in runs if run.peer.name == name)
            at, gaps = zip(*climbed, strict=True)
            axis.loglog(
                at, np.minimum.accumulate(gaps), "o-", drawstyle="steps-post", markersize=3,
                color=COLORS[packages.index(package) % len(COLORS)], linewidth=2 if package == OURS else 1,
            )  # fmt: skip
            end = fastest[name].median, max(gap(fastest[name], best), FLOOR)
            axis.annotate(solver, end, fontsize=6, rotation=30, xytext=(2, 2), textcoords="offset points")
        axis.axhline(WITHIN, color="0.6", linewidth=0.8, linestyle=":")
        axis.set_title(str(case), fontsize=8)
        low, high = np.log10(axis.get_xlim())
        axis.set_xlim(10 ** np.floor(low), 10 ** np.ceil(high))
        axis.spines[["top", "right"]].set_visible(False)
    for axis in axes.flat[len(results) :]:
        axis.set_visible(False)
    for axis in axes[:, 0]:
        axis.set_ylabel("relative gap")
    for axis in axes[-1]:
        axis.set_xlabel("seconds")
    used = [p for p in packages if any(run.peer.name.startswith(p) for _, runs in results for run in runs)]
    handles = [plt.Line2D([], [], color=COLORS[packages.index(p) % len(COLORS)], marker="o", label=p) for p in used]
    figure.legend(handles=handles, loc="outside upper center", ncols=len(used), frameon=False)
    figure.savefig(path, dpi=100, metadata={"Software": None})


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cases", nargs="+", metavar="WORD", help="only cases whose title contains one of these words")
    parser.add_argument("--quick", action="store_true", help="a twentieth of the rows")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--limit", type=float, default=60, help="seconds after which a contestant climbs no further")
    parser.add_argument("--clock", choices=CLOCKS, default="wall", help="cpu: where other work disturbs the wall clock")
    parser.add_argument("--image", type=Path, help="where the picture goes; without it a part of the race draws none")
    given = parser.parse_args()
    warnings.simplefilter("ignore")  # of solvers that did not converge: the gap shows how far they came
    chosen = [case for case in CASES if not given.cases or any(word in str(case) for word in given.cases)]
    pools = sorted(
        {f"{pool['prefix']} {pool.get('architecture', '')} x{pool['num_threads']}" for pool in threadpool_info()}
    )
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; {'; '.join(pools)}")
    results = []
    for case in chosen:
        if given.quick:
            case.rows = max(200, case.rows // 20)
        limit = 5 if given.quick else given.limit
        runs, missing, model = race(case, given.repeats, limit, CLOCKS[given.clock])
        print(table(case, model, runs, missing), flush=True)
        results.append((case, runs))
    print(f"\n{'time of the peer / ours':60} {'peer':>18} {'goal':>6} {'is':>8}")
    for case, runs in results:
        for goal, name, ratio in ratios(case, runs):
            print(f"{case!s:60} {name:>18} {goal:6.4g} {ratio:8.3g}{'' if ratio >= goal else '  not reached'}")
    path = given.image or (None if given.quick or given.cases else IMAGE)
    if path:
        draw(results, path)


if __name__ == "__main__":
    main()
