"""Other solvers of the objective that a linear model of sklloss minimised, and that objective written anew.

`Objective` computes the objective of any coefficients in extended precision; `oracles` yields coefficients by

- scikit-learn, where an estimator of it minimises the same objective,
- ``scipy.optimize.linprog`` (HiGHS), where the problem is a small linear program,
- Clarabel, through cvxpy, with each loss written as a cone program,
- L-BFGS-B, where the loss is smooth: for poly1, which is not made of such cones, and where Clarabel gets stuck.

Whatever coefficients an oracle returns, their objective is at least the optimum: a lower bound above it is proved
false, and a value above it is proved not to be the optimum.
"""

import warnings

import cvxpy as cp
import numpy as np
from scipy import optimize, sparse
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge, TweedieRegressor

from sklloss import LossClassifier
from sklloss import losses as L

__all__ = ["Objective", "oracles"]

LINPROG_ROWS = 10_000  # from which on a simplex takes longer than an interior point
EXACT = {"tol_gap_abs": 1e-12, "tol_gap_rel": 1e-12, "tol_feas": 1e-12, "tol_infeas_abs": 0.0, "tol_infeas_rel": 0.0}
CLARABEL = EXACT | {"static_regularization_constant": 1e-12, "iterative_refinement_max_iter": 50}, EXACT


class Objective:
    """The objective of a fitted model on its data: rows in use, weights that sum to 1, scale, penalty.

    y is (n,), or one-hot (n, K) for K > 2 classes.
    """

    def __init__(self, model, X, y, sample_weight):
        weight = np.ones(len(y)) if sample_weight is None else sample_weight
        used = weight > 0
        X = X.toarray() if sparse.issparse(X) else X
        self.X, y, weight = X[used], y[used], weight[used]
        self.loss, self.scale, self.K = model.loss_, getattr(model, "scale_", 1.0), 1
        if isinstance(model, LossClassifier):
            index = np.searchsorted(model.classes_, y)
            if model.class_weight == "balanced":
                weight = weight / np.bincount(index, weight)[index]
            self.K = 1 if len(model.classes_) == 2 else len(model.classes_)
            y = index.astype(float) if self.K == 1 else np.eye(self.K)[index]
        self.y, self.weight, self.fit_intercept = y, weight / weight.sum(), model.fit_intercept
        l1_ratio = {"none": 0.0, "l2": 0.0, "l1": 1.0, "elasticnet": 0.5}[model.penalty]
        self.l1, self.l2 = model.alpha * l1_ratio, model.alpha * (1 - l1_ratio)

    def value(self, coef, intercept):
        """Of coefficients (K, d) or (d,) and intercepts (K,) or a number."""
        coef = np.atleast_2d(np.asarray(coef, dtype=np.longdouble))
        loss = self.weight @ self._rows(self._raw(self.X, coef, intercept))
        return float(loss + self.l1 * np.abs(coef).sum() + self.l2 / 2 * (coef**2).sum())

    def rounding(self, coef, intercept):
        """What the rounding of coefficients, intercepts and targets to float64 can change in the value."""
        raw = self._raw(self.X, coef, intercept)
        size = self._raw(np.abs(self.X), np.abs(coef), np.abs(intercept)) + np.abs(self.y) * self.loss.translates
        step = 2 * np.finfo(float).eps * size
        return float(self.weight @ (np.maximum(self._rows(raw - step), self._rows(raw + step)) - self._rows(raw)))

    def null(self):
        """Value of the model without features: the best constant, or 0 without an intercept."""
        coef, constant = np.zeros((self.K, self.X.shape[1])), np.zeros(self.K)
        if self.fit_intercept and self.K > 1 and self.loss.multiclass:
            constant = self.loss.fit_intercept_only(self.y.argmax(axis=1), self.weight, self.K)
        elif self.fit_intercept:
            constant = self.loss.scaled(self.scale).fit_intercept_only(self.y, self.weight)
        return self.value(coef, constant)

    def _raw(self, X, coef, intercept):
        coef = np.atleast_2d(np.asarray(coef, dtype=np.longdouble))
        raw = X.astype(np.longdouble) @ coef.T + np.asarray(intercept, dtype=np.longdouble)
        return raw[:, 0] if self.K == 1 else raw

    def _rows(self, raw):
        """Loss of each row, (n,); differences from y are taken before digits are lost."""
        total = 0.0
        for weight, loss in self.loss.summands:
            y, f, s = self.y, raw, self.scale if loss.standardized else 1.0
            if loss.translates:
                y, f = np.zeros_like(y), (f - y) / s
            elif self.K > 1 and loss.multiclass:
                y = y.argmax(axis=1)
            total = total + weight * s * s * loss.loss(y, f.astype(float))
        return total


def oracles(objective):
    """Yield (name, coefficients, intercepts) of all who can minimise the objective; the quickest come first."""
    poly1 = any(isinstance(loss, L.Poly1) for _, loss in objective.loss.summands)
    peers = {"scikit-learn": _scikit_learn, "linprog": _linprog, "Clarabel": _clarabel, "L-BFGS-B": _l_bfgs_b}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # theirs: what they return is judged by its objective
        for name, solve in peers.items():
            if not poly1 or solve is _l_bfgs_b:
                for coef, intercept in solve(objective):
                    yield name, coef, intercept


def _standardised(objective):
    """Columns centred, where an intercept takes it up, and scaled, as all like them; centre, scale."""
    X, weight = objective.X, objective.weight
    centre = weight @ X * objective.fit_intercept
    X = X - centre
    scale = np.sqrt(weight @ X**2)
    varies = scale > 1e-12 * np.abs(centre)
    scale = np.where(varies, scale, 1.0)
    return X * varies / scale, centre, scale


def _original(coef, intercept, centre, scale):
    """Coefficients and intercepts for the columns as they are."""
    coef = np.atleast_2d(coef).astype(np.longdouble) / scale
    return coef, intercept - coef @ centre.astype(np.longdouble)


# ------------------------------------------------------------------------------------------------- scikit-learn
def _scikit_learn(objective):
    """By the estimator that minimises the same objective, where there is one."""
    loss, alpha, y, intercept = objective.loss, objective.l2, objective.y, {"fit_intercept": objective.fit_intercept}
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


# ----------------------------------------------------------------------------------------- linprog and Clarabel
def _linprog(objective):
    """By HiGHS, where the cone program is a small linear one."""
    task, variables, original = _cone_program(objective)
    data = task.get_problem_data("CLARABEL")[0]
    equal, A, b, column = data["dims"].zero, data["A"], data["b"], data["param_prob"].var_id_to_col
    if "P" in data or equal + data["dims"].nonneg < len(b) or len(b) > LINPROG_ROWS:
        return
    found = optimize.linprog(
        data["c"], A_ub=A[equal:], b_ub=b[equal:], A_eq=A[:equal] if equal else None, b_eq=b[:equal] if equal else None,
        bounds=(None, None), options={"time_limit": 30.0},
    )  # fmt: skip
    if found.x is not None:
        yield original(*(found.x[column[v.id] :][: v.size].reshape(v.shape, order="F") for v in variables))


def _clarabel(objective):
    """By Clarabel, one setting after the other."""
    for setting in CLARABEL:
        task, variables, original = _cone_program(objective)
        try:
            task.solve(solver="CLARABEL", accept_unknown=True, **setting)
        except cp.SolverError:
            continue
        if variables[0].value is not None:
            yield original(*(v.value for v in variables))


def _cone_program(objective):
    """The objective for cvxpy, its variables, and the function that makes coefficients and intercepts of their values.

    A regression is stated in units of the spread of y, and the value in units of that of the model without features,
    times n, so that the numbers are near 1.
    """
    X, centre, scale = _standardised(objective)
    loss, K, y, origin, unit = objective.loss, objective.K, objective.y, 0.0, 1.0
    if loss.translates and K == 1:
        origin = float(np.median(y)) * objective.fit_intercept
        unit = float(np.abs(y - origin).mean()) or 1.0
    coef, constant = cp.Variable((X.shape[1], K)), cp.Variable((1, K))
    raw, variables = X @ coef, [coef]
    if objective.fit_intercept:
        raw, variables = raw + np.ones((len(X), 1)) @ constant, [coef, constant]
    raw = origin + unit * (raw if K > 1 else raw[:, 0])
    factor = len(y) / (objective.null() or 1.0)
    value = (factor * objective.weight) @ _rows(loss, y, raw, objective.scale)
    w = cp.multiply(unit / scale[:, None], coef)
    if objective.l1:
        value += factor * objective.l1 * cp.sum(cp.abs(w))
    if objective.l2:
        value += factor * objective.l2 / 2 * cp.sum_squares(w)

    def original(coef, constant=0.0):
        return _original(unit * coef.T, origin + unit * np.ravel(constant), centre, scale)

    return cp.Problem(cp.Minimize(value)), variables, original


# Losses of r = y - f and of m = (2 y - 1) f as convex expressions.
OF_RESIDUAL = {
    L.AbsoluteError: lambda loss, r: cp.abs(r),
    L.Pinball: lambda loss, r: cp.maximum(loss.quantile * r, (loss.quantile - 1) * r),
    L.EpsilonInsensitive: lambda loss, r: cp.pos(cp.abs(r) - loss.epsilon),
    L.SquaredError: lambda loss, r: cp.square(r),
    L.LSGAN: lambda loss, r: cp.square(r),
    L.Expectile: lambda loss, r: loss.level * cp.square(cp.pos(r)) + (1 - loss.level) * cp.square(cp.neg(r)),
    L.SquaredEpsilonInsensitive: lambda loss, r: cp.square(cp.pos(cp.abs(r) - loss.epsilon)),
    L.Huber: lambda loss, r: cp.huber(r, loss.delta) / 2,
    L.SmoothL1: lambda loss, r: cp.huber(r, loss.beta) / (2 * loss.beta) if loss.beta else cp.abs(r),
    L.PseudoHuber: lambda loss, r: loss.delta * _hypot(r, loss.delta),
    L.Charbonnier: lambda loss, r: _hypot(r, loss.epsilon),
    L.LogCosh: lambda loss, r: cp.logistic(2 * r) - r,
    L.Fair: lambda loss, r: loss.delta**2 * _fair(cp.abs(r) / loss.delta),
    L.BalancedL1: lambda loss, r: loss.beta * _balanced_l1(loss, cp.abs(r) / loss.beta),
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


def _rows(loss, y, raw, scale):
    """Loss of each row, up to a constant, as a cvxpy expression of raw predictions (n,) or (n, K)."""
    total = 0.0
    for weight, part in loss.summands:
        s = scale if part.standardized else 1.0
        rows = _expression(part, y / s, raw / s)
        total += weight * s * s * (cp.sum(rows, axis=1) if rows.ndim == 2 else rows)
    return total


def _expression(loss, y, f):
    """Loss of each row, or of each row and column, up to a constant."""
    kind, several = type(loss), np.ndim(y) == 2
    if kind is L.Asymmetric:  # of a loss that grows on either side of 0
        of_residual = OF_RESIDUAL[type(loss.base)]
        up, down = (of_residual(loss.base, side(y - f)) for side in (cp.pos, cp.neg))
        return loss.quantile * up + (1 - loss.quantile) * down
    if kind is L.AbsolutePercentageError:
        return cp.multiply(1 / np.abs(y), cp.abs(y - f))
    if kind is L.SquaredLogError:
        return cp.square(np.log1p(y) - f)
    if kind is L.Poisson:
        return 2 * (cp.exp(f) - cp.multiply(y, f))
    if kind is L.Gamma:
        return 2 * (f + cp.multiply(y, cp.exp(-f)))
    if kind is L.Tweedie:
        p = loss.power
        return 2 * (cp.multiply(y / (p - 1), cp.exp((1 - p) * f)) + cp.exp((2 - p) * f) / (2 - p))
    if kind is L.LogLoss:
        y = (1 - loss.label_smoothing) * y + loss.label_smoothing / (y.shape[1] if several else 2)
        if several:
            return cp.log_sum_exp(f, axis=1) - cp.sum(cp.multiply(y, f), axis=1)
        return cp.logistic(f) - cp.multiply(y, f)
    if kind is L.CrammerSinger and several:
        return cp.max(f + (1 - y), axis=1) - cp.sum(cp.multiply(y, f), axis=1)
    if kind in OF_MARGIN:
        return OF_MARGIN[kind](loss, cp.multiply(2 * y - 1, f))
    if kind in OF_RESIDUAL:
        return OF_RESIDUAL[kind](loss, y - f)
    return sum(cp.pos(slope * (y - f) + offset) for slope, offset in loss.relu)  # of one's own


def _hypot(r, width):
    return cp.norm(cp.vstack([r, np.full(r.shape, width)]), axis=0)


def _fair(x):
    u = cp.Variable(x.shape, nonneg=True)  # x at the optimum, because u - log(1 + u) is less steep than 1
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


# ----------------------------------------------------------------------------------------------------- L-BFGS-B
def _l_bfgs_b(objective):
    """By quasi-Newton steps, on positive and negative parts if there is an l1 penalty, where the loss is smooth."""
    X, centre, scale = _standardised(objective)
    (n, d), K, loss = X.shape, objective.K, objective.loss.scaled(objective.scale)
    y = objective.y.argmax(axis=1) if K > 1 and loss.multiclass else objective.y
    if not loss.smooth:
        return
    signs = np.array([1.0, -1.0] if objective.l1 else [1.0])[:, None, None]

    def split(z):
        parts = z[: signs.size * K * d].reshape(-1, K, d)
        return parts, (signs * parts).sum(axis=0), z[signs.size * K * d :] * objective.fit_intercept

    def fun(z):
        parts, coef, constant = split(z)
        raw = X @ coef.T + constant
        raw = raw[:, 0] if K == 1 else raw
        slope = objective.weight[:, None] * loss.gradient(y, raw).reshape(n, K)
        w, steep = coef / scale, objective.l1 / scale
        value = objective.weight @ loss.loss(y, raw) + (steep * parts).sum() + objective.l2 / 2 * (w**2).sum()
        gradient = signs * ((X.T @ slope).T + objective.l2 * w / scale) + steep
        return value, np.append(gradient, slope.sum(axis=0) * objective.fit_intercept)

    bounds = [(0 if objective.l1 else None, None)] * (signs.size * K * d) + [(None, None)] * K
    options = {"maxiter": 20_000, "maxfun": 100_000, "ftol": 0.0, "gtol": 1e-14, "maxcor": 50, "maxls": 50}
    z = np.zeros(len(bounds))
    for _ in range(3):  # its line search gives up early; from there it starts afresh
        z = optimize.minimize(fun, z, jac=True, method="L-BFGS-B", bounds=bounds, options=options).x
        _, coef, constant = split(z)
        yield _original(coef, constant, centre, scale)
