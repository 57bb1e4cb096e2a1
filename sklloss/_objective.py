"""The objective of a linear model: where X, the loss and the penalty meet, and nowhere else.

    objective(coef, intercept) = sum_i weight_i * loss(y_i, x_i . coef + intercept) + alpha * penalty(coef)

The weights are normalised here to sum to 1.  Solvers see ``params``, a flat float64 vector that is the ravelled
(n_outputs, p) matrix of standardised coefficients, each row ended by its intercept (the raw prediction at the column
means).  In these coordinates every column has weighted norm 1, so units of X do not matter to a solver.
"""

from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from ._design import Design, GramSums

__all__ = ["LinearObjective", "ReluRows", "share_kinks"]

EPS = np.finfo(np.float64).eps
AT_BOUND = 1e-13  # of the largest coefficient: a distance from a bound that is rounding
SETTLING = 12  # steps of the intercepts, at most,
SETTLED_BY = 4000  # with the curvature of as many rows
FAR = 1024.0  # a raw prediction beyond all kinks; a power of two, so that constants come out exact


@dataclass
class ReluRows:
    """A piecewise linear loss as data: row i costs weight_i * sum_j max(low_j z_ji, high_j z_ji), constants apart.

    ``z = kinks - sign * raw_prediction``, with kinks (J, n), sign and weight (n,), weights that sum to 1, and low <=
    0 <= high, (J, 1) where all rows bend alike, else (J, n).
    """

    kinks: np.ndarray
    low: np.ndarray
    high: np.ndarray
    sign: np.ndarray
    weight: np.ndarray
    constant: float


@dataclass
class _Null:
    """The model without features: the best intercept, its value, the largest entry of its gradient.

    ``mass`` is the size of the terms of which a gradient is the sum.  Where the gradient is 0, ``gradient`` is the
    largest that it could be.
    """

    params: np.ndarray
    value: float
    gradient: float
    mass: float

    @property
    def rounding(self):
        """Of a gradient: that of the terms of its sums."""
        return 16 * EPS * self.mass


@dataclass
class _Evaluation:
    """What one pass over X finds: value, gradient, Hessian if asked for, raw predictions.

    Kinks of the penalty are left out, so that an objective and its smooth part share what they have seen.
    """

    value: float
    gradient: np.ndarray
    hessian: np.ndarray | None
    raw: np.ndarray


class _Sums:
    """Sums over row blocks: of slopes times rows, and with ``curved`` of the Gram matrices of the curvatures."""

    def __init__(self, objective, curved):
        self.objective, n_outputs = objective, objective.n_outputs
        self.slope, self.total = np.zeros((n_outputs, objective.design.n_features)), np.zeros(n_outputs)
        self.gram = GramSums(objective.design, len(objective._pairs)) if curved else None

    def add(self, block, slopes, bends):
        self.slope += (block.T @ slopes).T
        self.total += slopes.sum(axis=0)
        if self.gram is not None:
            self.gram.add(block, bends)

    def gradient(self):
        """Gradient by the standardised parameters, (n_outputs, p)."""
        design, objective = self.objective.design, self.objective
        gradient = np.zeros((objective.n_outputs, objective.p))
        gradient[:, : design.n_features] = (self.slope - self.total[:, None] * design.centre) * design.inverse
        if objective.fit_intercept:
            gradient[:, design.n_features] = self.total
        return gradient


def _no_slope(t):
    return 0.0


def share_kinks(at, low, high):
    """Kinks of rows, (J, n) each, where a row that has fewer than J has its largest one several times, in shares.

    No kink of a row is then without a bend, unless all of them are.
    """
    width = high - low
    if width.all():
        return at, low, high
    missing, largest = width == 0, width.argmax(axis=0)[None]
    share, rows = 1 / (1 + missing.sum(axis=0)), np.arange(len(at))[:, None] == largest
    at_largest, low_largest, high_largest = (np.take_along_axis(part, largest, axis=0) for part in (at, low, high))
    return (
        np.where(missing, at_largest, at),
        np.where(missing | rows, share * low_largest, low),
        np.where(missing | rows, share * high_largest, high),
    )


class LinearObjective:
    """Weighted mean loss plus penalty of a linear model, evaluated in row blocks.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n, n_features), float32 or float64
    y : ndarray of shape (n,) or (n, n_outputs)
        The target in the form the loss takes.
    loss : Loss
    penalty : Penalty or None
    alpha : float
    sample_weight : ndarray of shape (n,), default=None
        Rows of weight 0 are left out altogether.
    fit_intercept : bool
    n_outputs : int
        Columns of the raw prediction; 1 makes it one-dimensional.
    bounds : pair of ndarrays of shape (n_features,), default=None
        Least and largest coefficients, the same for every output.
    """

    def __init__(
        self,
        X,
        y,
        loss,
        *,
        penalty=None,
        alpha=0.0,
        sample_weight=None,
        fit_intercept=True,
        n_outputs=1,
        bounds=None,
        design=None,
    ):
        rows = None
        weight = np.ones(len(y)) if sample_weight is None else sample_weight
        if not np.all(weight > 0):
            rows = np.flatnonzero(weight > 0)
            weight, y = weight[rows], y[rows]
        self.y, self.loss, self.penalty, self.alpha = y, loss, penalty, alpha
        denominator = loss.denominator(y)
        self.weight = weight / (weight.sum() if denominator is None else weight @ denominator)
        self.fit_intercept, self.n_outputs = fit_intercept, n_outputs
        # Whether the columns of the raw prediction form one problem, as in softmax regression.
        self.coupled = n_outputs > 1 and loss.coupled
        self.design = Design(X, weight / weight.sum(), rows, centred=fit_intercept) if design is None else design
        d = self.design.n_features
        self.p = d + fit_intercept
        norms: Any = None if penalty is None else penalty.norms(d)
        self._norms_of_coef = norms
        self.unit = self._units(norms)
        self.norms = self._penalty_norms(norms)
        self.l1 = self._penalty_diagonal("l1_operator", self.unit)
        self.l2 = self._penalty_diagonal("l2_matrix", self.unit**2)
        self.bounds, varies = bounds, self.unit > 0
        self.lower, self.upper = np.full(self.p, -np.inf), np.full(self.p, np.inf)
        if bounds is not None:  # a constant column has no coefficient to bound
            for limit, given in ((self.lower, bounds[0]), (self.upper, bounds[1])):
                limit[:d][varies] = given[varies] / self.unit[varies]
        self._seen: dict[bytes, _Evaluation] = {}

    def _units(self, norms):
        """What a coefficient is for each unit of its parameter, (d,); 0 for a constant column, whose coefficient is 0.

        Norms that compare coefficients say what that of a constant column is, and it has the unit of the others.
        """
        unit = self.design.inverse
        if norms is None or unit.all():
            return unit
        return np.where((unit == 0) & norms.covers, np.median(unit[unit > 0]) if unit.any() else 1.0, unit)

    def _penalty_norms(self, norms):
        """The norms of the penalty as functions of all parameters, times alpha; None where there are none."""
        if norms is None or self.alpha == 0:
            return None
        norms = norms.scaled(self.unit, self.alpha)
        if self.fit_intercept:
            norms.operator.resize(len(norms.group), self.p)
        return norms if self.n_outputs == 1 else norms.repeated(self.n_outputs)

    def _penalty_diagonal(self, operator, unit):
        diagonal = np.zeros(self.p)
        values = None if self.penalty is None else getattr(self.penalty, operator)(self.design.n_features)
        if values is not None:
            diagonal[: self.design.n_features] = self.alpha * values * unit
        return diagonal

    # ------------------------------------------------------------------------------------------------- facts
    @property
    def n_passes(self):
        """How often the whole of X was read."""
        return self.design.n_passes

    @property
    def n_params(self):
        return self.n_outputs * self.p

    @property
    def convex(self):
        return self.loss.convex

    @property
    def loss_smooth(self):
        """Whether the loss is smooth, or a function in which no kink was found."""
        return bool(self.loss.smooth or (self.kinks is not None and not len(self.kinks.at)))

    @property
    def bounded(self):
        """Whether a coefficient is bounded."""
        return self.bounds is not None and bool(np.isfinite(self.lower).any() or np.isfinite(self.upper).any())

    @property
    def smooth(self):
        """Whether the gradient is continuous and no coefficient bounded."""
        return self.loss_smooth and not self.l1.any() and not self.bounded and self.norms is None

    @property
    def quadratic(self):
        return self.loss.quadratic and self.smooth and not self.coupled

    @property
    def declared(self):
        """Whether the loss itself said what is to be known of its kinks."""
        known = self.kinks is not None and not self.kinks.origin
        return self.coupled or not self.loss.elementwise or bool(self.loss.smooth) or known

    @property
    def kinked(self):
        """Whether the loss is nothing but kinks."""
        return self.kinks is not None and self.kinks.rest is None and len(self.kinks.at) > 0

    @property
    def sparse(self):
        """Whether an l1 penalty draws every coefficient to 0, where it may be, so that few differ from it."""
        d = self.design.n_features
        drawn = (self.l1[:d] > 0) & (self.lower[:d] <= 0) & (self.upper[:d] >= 0)
        return bool(drawn[self.design.inverse > 0].all())

    @property
    def polyhedral(self):
        """Whether columns form one problem, and the loss of a row is a maximum of affine functions of them."""
        return self.coupled and self.convex and self.loss.relu is not None

    @property
    def has_curvature(self):
        # Of two classes an overlap of few sets has one.
        return self.loss.has_curvature or (self.n_outputs == 1 and hasattr(self.loss, "curvature"))

    @property
    def in_groups(self):
        """Whether every coefficient is drawn to 0 by the norm of one group, and by no other kink."""
        if self.norms is None or not self.norms.apart or self.l1.any():
            return False
        return bool((self.norms.covers[: self.design.n_features] | (self.unit == 0)).all())

    @cached_property
    def variation(self):
        """The loss as norms and kinks of the raw predictions of a row and what is smooth; see `Loss.variation`."""
        return self.loss.variation(self.y, self.n_outputs) if self.coupled else None

    # ------------------------------------------------------------------------- value, gradient and curvature
    def value_gradient(self, params):
        """Objective, a float (inf where it overflows), and its gradient, (n_params,); one pass over X."""
        found = self._evaluate(params)
        kinks = float(self._of_all_outputs[0] @ np.abs(params))
        if self.norms is not None:
            kinks += float(self.norms.value(params))
        return found.value + kinks, found.gradient

    def hessian(self, params):
        """Hessian, (n_params, n_params); value and gradient come out of the same pass."""
        return self._evaluate(params, curvature=True).hessian

    @property
    def has_majorizer(self):
        return hasattr(self.loss, "majorizer")

    def majorizer(self, params):
        """Like `hessian`, of a quadratic that touches the objective at params and lies above it."""
        return self._sweep(params, self.loss.majorizer).hessian

    def gram(self):
        """Weighted Gram matrix of the standardised columns and the intercept, (p, p)."""
        return self.design.gram[: self.p, : self.p]

    def slope_along(self, params, step):
        """Derivative, a function of t, of objective(params + t * step); from what was seen at both ends of the step."""
        start, end = self._evaluate(params), self._evaluate(params + step)
        change = end.raw - start.raw
        l1, l2 = self._of_all_outputs
        of_norms = _no_slope if self.norms is None else self.norms.slope_along(params, step)

        def slope(t):
            gradient, here = self.loss.value_gradient(self.y, start.raw + t * change, self.weight)[1], params + t * step
            return float((gradient * change).sum() + step @ (l2 * here + l1 * np.sign(here))) + of_norms(t)

        return slope

    def with_best_intercept(self, params):
        """The same coefficients, with the intercepts whose slopes are rounding; found from the raw predictions."""
        together = self.n_outputs == 1 or self.coupled
        known = self.convex and self.loss.elementwise and self.has_curvature
        if not (self.fit_intercept and together and known):
            return params
        raw, rounding = self._evaluate(params).raw, EPS * self.null.mass
        inverse = np.linalg.pinv(self._curvature_of_intercepts(raw), hermitian=True)
        shift, best, least = np.zeros(self.n_outputs), np.zeros(self.n_outputs), np.inf
        step, before = None, None
        for _ in range(SETTLING):
            moved = raw + (shift if self.coupled else shift[0])
            slope = np.atleast_1d(self.weight @ self.loss.gradient(self.y, moved))
            if not np.abs(slope).max() < least:
                break
            best, least = shift, np.abs(slope).max()
            if least <= rounding:
                break
            if step is not None:  # what the last step has shown of the curvature (Broyden)
                seen = inverse @ (slope - before)
                inverse = inverse + np.outer(step - seen, step @ inverse) / (step @ seen)
            step, before = -inverse @ slope, slope
            shift = shift + step
        theta = params.reshape(self.n_outputs, self.p).copy()
        theta[:, -1] += best
        return theta.ravel()

    def mean_curvature(self, params):
        """Second derivative of an elementwise loss by the intercept of each output, about, (n_outputs,)."""
        return self._curvature_of_intercepts(self._evaluate(params).raw).diagonal()

    def _curvature_of_intercepts(self, raw):
        """Second derivatives by the intercepts, (n_outputs, n_outputs)."""
        # A few thousand rows know the curvature well enough for steps that all have it.
        rows = slice(None, None, max(1, len(raw) // SETTLED_BY))
        y, raw, weight = self.y[rows], raw[rows], self.weight[rows] / self.weight[rows].sum() * self.weight.sum()
        if not self.coupled:
            return np.diag(np.atleast_1d(weight @ self.loss.hessian(y, raw)))
        directions = np.eye(self.n_outputs)[:, None] * np.ones((len(raw), 1))
        return np.array([self.loss.hessian_product(y, raw, weight, each).sum(axis=0) for each in directions])

    def _evaluate(self, params, curvature=False):
        """What one pass over X finds at params, with a memory of the last two."""
        key = params.tobytes()
        found = self._seen.pop(key, None)
        if found is None or (curvature and found.hessian is None):
            if self.loss.quadratic and self.n_outputs == 1:
                found = found or self._sweep(params, None)
                found.hessian = self.constant_hessian if curvature else None
            elif self.loss.elementwise:
                second = (self.loss.hessian if self._alone else self._coupled_curvature) if curvature else None
                found = self._sweep(params, second)
            else:
                found = self._sweep_together(params, curvature)
        self._seen[key] = found
        while len(self._seen) > 2:
            del self._seen[next(iter(self._seen))]
        return found

    @property
    def constant_curvature(self):
        """That of a quadratic loss, a float."""
        return float(self.loss.hessian(self.y[:1], self.y[:1])[0])

    @cached_property
    def constant_hessian(self):
        """The Hessian of a quadratic loss of one output, (p, p)."""
        return self.constant_curvature * self.gram() + np.diag(self.l2)

    def _sweep(self, params, curvature):
        """One pass over X; ``curvature(y, raw)`` is that of each row, (n,) or (n, n_columns), or None."""
        design = self.design
        coef, intercept = self._affine(params.reshape(self.n_outputs, self.p))
        sums = _Sums(self, curvature is not None)
        every, value = np.empty((design.n_rows, *coef.shape[1:])), 0.0
        for rows, block in design.blocks():
            y, weight = self.y[rows], self.weight[rows]
            raw = every[rows] = block @ coef + intercept
            part, g = self.loss.value_gradient(y, raw, weight)
            value += part
            if not np.isfinite(value):
                value = np.inf
                continue  # no gradient, but the raw predictions of every row
            bends = () if curvature is None else (weight * h for h in np.atleast_2d(curvature(y, raw).T))
            sums.add(block, g, bends)
        return self._penalised(params, value, sums, every)

    def _sweep_together(self, params, curvature):
        """The same for a loss whose rows depend on one another: a pass for predictions, another for their slopes."""
        raw = self.raw_prediction(params)
        value, slopes = self.loss.value_gradient(self.y, raw, self.weight)
        if not np.isfinite(value):
            return _Evaluation(np.inf, np.zeros(self.n_params), None, raw)
        sums = _Sums(self, curvature)
        curvatures = self.loss.curvature(self.y, raw, self.weight) if curvature else None
        for rows, block in self.design.blocks():
            sums.add(block, slopes[rows], () if curvatures is None else [curvatures[0][rows]])
        found = self._penalised(params, value, sums, raw)
        if curvatures is not None and curvatures[1].shape[1]:
            _, U, C = curvatures
            V = np.ones((self.p, U.shape[1]))
            V[: self.design.n_features] = self.design.sums(U.T).T
            V[self.design.n_features :] = U.sum(axis=0)
            found.hessian += V @ C @ V.T
        return found

    def _penalised(self, params, value, sums, raw):
        """The evaluation from the sums over the rows: the l2 penalty comes on top."""
        l2 = self._of_all_outputs[1]
        gradient = sums.gradient().ravel() + l2 * params
        value += float(0.5 * (l2 @ (params * params)))
        hessian = self._assemble(sums.gram.standardised()) if sums.gram is not None and value < np.inf else None
        return _Evaluation(value, gradient, hessian, raw)

    @cached_property
    def _of_all_outputs(self):
        """The l1 and l2 penalties of every parameter, (n_params,) each."""
        return np.tile(self.l1, self.n_outputs), np.tile(self.l2, self.n_outputs)

    @cached_property
    def _free(self):
        """Which parameters of an output have neither a penalty nor a bound, (p,)."""
        drawn = False if self.norms is None else self.norms.covers[: self.p]
        return (self.l1 == 0) & (self.l2 == 0) & np.isinf(self.lower) & np.isinf(self.upper) & ~np.asarray(drawn)

    @property
    def _alone(self):
        """Whether the second derivatives are those of each column by itself, even if columns form one problem."""
        return not (self.coupled and self.loss.coupled)

    @property
    def _pairs(self):
        """Pairs (k, m) of columns of the raw prediction, k <= m, that have a second derivative."""
        if self._alone:
            return [(k, k) for k in range(self.n_outputs)]
        return [(k, m) for m in range(self.n_outputs) for k in range(m + 1)]

    def _coupled_curvature(self, y, raw):
        """Second derivatives of each row by the pairs of its raw predictions, (n, n_pairs)."""
        if hasattr(self.loss, "hessian_pairs"):
            return self.loss.hessian_pairs(y, raw)
        columns = []
        for m in range(self.n_outputs):
            direction = np.zeros_like(raw)
            direction[:, m] = 1
            columns.append(self.loss.hessian_product(y, raw, np.ones(len(raw)), direction)[:, : m + 1])
        return np.hstack(columns)

    def _assemble(self, blocks):
        """Hessian from its blocks by pairs of outputs, with the penalty."""
        full = np.zeros((self.n_outputs, self.p, self.n_outputs, self.p))
        for (k, m), block in zip(self._pairs, blocks, strict=True):
            full[k, :, m] = full[m, :, k] = block[: self.p, : self.p]
        if self.coupled and self.loss.shift_invariant:
            # No curvature along a common shift of a free parameter, and no slope either: any curvature put there makes
            # the Hessian regular and changes no step.
            for j in np.flatnonzero(self._free):
                full[:, j, :, j] += full[:, j, :, j].diagonal().mean()
        full = full.reshape(self.n_params, self.n_params)
        full.flat[:: self.n_params + 1] += np.tile(self.l2, self.n_outputs)
        return full

    def _affine(self, theta):
        """Coefficients and intercept for the blocks of the design; one-dimensional for one output."""
        d = self.design.n_features
        coef = (theta[:, :d] * self.design.inverse).T
        intercept = -self.design.centre @ coef
        if self.fit_intercept:
            intercept = intercept + theta[:, d]
        return (coef[:, 0], intercept[0]) if self.n_outputs == 1 else (coef, intercept)

    def raw_prediction(self, params):
        """Raw predictions of the rows in use, (n,) or (n, n_outputs); one pass over X, or what it has just found."""
        if (found := self._seen.get(params.tobytes())) is not None:
            return found.raw
        theta = params.reshape(self.n_outputs, self.p)
        d = self.design.n_features
        raw = self.design.forward(theta[0, :d] if self.n_outputs == 1 else theta[:, :d].T)
        if self.fit_intercept:
            raw += theta[0, d] if self.n_outputs == 1 else theta[:, d]
        return raw

    # ----------------------------------------------------------------------------------- scale of the problem
    @cached_property
    def null(self):
        """The model without features, to which tol is relative."""
        design, K = self.design, self.n_outputs
        theta = np.zeros((K, self.p))
        if self.fit_intercept:
            theta[:, -1] = self._best_constant()
        constant = theta[:, -1] if self.fit_intercept else np.zeros(K)
        raw = np.full(len(self.y), constant[0]) if K == 1 else np.tile(constant, (len(self.y), 1))
        value, g = self.loss.value_gradient(self.y, raw, self.weight)
        sums = _Sums(self, curved=False)
        for rows, block in design.blocks():
            sums.add(block, g[rows], ())
        at_start = self._seen[theta.tobytes()] = self._penalised(theta.ravel(), value, sums, raw)
        gradient = at_start.gradient.reshape(theta.shape)[:, : design.n_features]
        mass = self._mass(raw, g)
        largest = float(np.abs(gradient).max(initial=0.0))
        return _Null(theta.ravel(), value, largest if largest > 16 * EPS * mass else mass, mass)

    def _best_constant(self):
        """The raw prediction of the model without features, a float or (n_outputs,)."""
        if self.n_outputs == 1 and self.kinked:  # where the slopes of the rows change sign: at a kink
            at, low, high = self.kinks.at.ravel(), self.weight * self.kinks.low, self.weight * self.kinks.high
            order = np.argsort(at)
            slope = np.cumsum((high - low).ravel()[order]) - high.sum()
            return at[order[min(int(np.searchsorted(slope, 0.0)), len(at) - 1)]]
        if self.loss.multiclass:
            return self.loss.fit_intercept_only(self.y, self.weight, self.n_outputs)
        return self.loss.fit_intercept_only(self.y, self.weight)

    def mass(self, params):
        """Size of the terms of which the gradient is the sum, a float, to which its rounding is relative."""
        raw = self._evaluate(params).raw
        return self._mass(raw, self.loss.value_gradient(self.y, raw, self.weight)[1])

    def _mass(self, raw, slopes):
        # The terms are slopes times rows, and a slope inherits the rounding of what it is taken at.
        mass = np.abs(slopes).sum()
        if self.coupled and self.loss.coupled and self.loss.has_curvature:
            size = np.abs(raw).max() * np.where(np.arange(self.n_outputs) % 2, -1.0, 1.0)
            mass += np.abs(self.loss.hessian_product(self.y, raw, self.weight, size * np.ones_like(raw))).sum()
        if not self.coupled and self.has_curvature:
            size = max(np.abs(raw).max(), np.abs(self.y).max())
            bend = (
                self.weight @ np.abs(self.loss.hessian(self.y, raw)).reshape(len(raw), -1).sum(axis=1)
                if self.loss.elementwise
                else np.abs(self.loss.curvature(self.y, raw, self.weight)[0]).sum()
            )
            mass += bend * size
        elif self.loss.response_method == "predict" and self.has_curvature:
            mass += np.abs(self.loss.hessian_product(self.y, raw, self.weight, np.abs(raw) + np.abs(self.y))).sum()
        return float(mass)

    @property
    def steepest_penalty(self):
        """The largest slope of the penalty at 0 and at the bounds."""
        bounds = np.maximum(*(np.where(np.isfinite(b), np.abs(b), 0.0) for b in (self.lower, self.upper)))
        slope = self.l1 + self.l2 * bounds
        if self.norms is not None:
            slope = slope + self.norms.steepest[: self.p]
        return float(slope.max(initial=0.0))

    def feasible(self, params):
        """The nearest parameters within the bounds."""
        if not self.bounded:
            return params
        return np.clip(params, np.tile(self.lower, self.n_outputs), np.tile(self.upper, self.n_outputs))

    def reach(self, params, step):
        """The largest multiple of a step that ends within the bounds."""
        with np.errstate(divide="ignore", invalid="ignore"):
            room = (
                (np.tile(self.upper, self.n_outputs) - params) / step,
                (np.tile(self.lower, self.n_outputs) - params) / step,
            )
        return float(np.where(step > 0, room[0], np.where(step < 0, room[1], np.inf)).min())

    def least_subgradient(self, params, gradient):
        """The least slopes along each coordinate that the l1 penalty and the bounds leave of a gradient."""
        if self.smooth:
            return gradient
        l1, lower, upper = (np.tile(part, self.n_outputs) for part in (self.l1, self.lower, self.upper))
        slope = np.where(
            params == 0, np.sign(gradient) * np.maximum(np.abs(gradient) - l1, 0), gradient + l1 * np.sign(params)
        )
        blocked = ((params <= lower) & (slope > 0)) | ((params >= upper) & (slope < 0))
        return np.where(blocked, 0.0, slope)

    def optimality(self, gradient):
        """Largest entry of a gradient, relative to that of the null model; 0 at rounding level."""
        largest = float(np.abs(gradient).max(initial=0.0))
        if largest <= self.null.rounding:
            return 0.0
        return largest / self.null.gradient if self.null.gradient > 0 else np.inf

    def gap(self, params):
        """Duality gap of a smooth convex objective in which l2 covers every coefficient, else None.

        With u the gradient of the loss as dual variable, value minus dual value is sum g**2 / (2 l2): no conjugate is
        needed.  The intercept has no l2: the bound holds where its slope is zero, which is asked to rounding level
        and charged.
        """
        d = self.design.n_features
        varies = self.design.inverse > 0
        if not (self.smooth and self.convex) or not np.all(self.l2[:d][varies] > 0):
            return None
        gradient, charge = self.value_gradient(params)[1].reshape(self.n_outputs, self.p), 0.0
        if self.fit_intercept:
            left = np.abs(gradient[:, d]).max()
            if left > self.null.rounding and left > 16 * EPS * self.mass(params):
                return None
            charge = float(np.abs(gradient[:, d] * params.reshape(self.n_outputs, self.p)[:, d]).sum())
        g = gradient[:, :d][:, varies]
        return float((g * g / (2 * self.l2[:d][varies])).sum()) + charge

    # ----------------------------------------------------------------------------------------- other problems
    def _like(self, design, y, loss, n_outputs, alpha=None):
        """The same objective on another design, target and loss."""
        return LinearObjective(
            None,
            y,
            loss,
            penalty=self.penalty,
            alpha=self.alpha if alpha is None else alpha,
            sample_weight=design.weight,
            fit_intercept=self.fit_intercept,
            n_outputs=n_outputs,
            bounds=self.bounds,
            design=design,
        )

    def subsample(self, size):
        """The objective of every k-th row, at most `size` of them; the same parameters."""
        step = -(-self.design.n_rows // size)
        return self._like(self.design.every(step), self.y[::step], self.loss, self.n_outputs)

    def only(self, keep, loss):
        """The objective of some rows and another loss, up to a factor: the penalty weighs as in this one."""
        alpha = self.alpha / self.design.weight[keep].sum()
        return self._like(self.design.only(keep), self.y[keep], loss, self.n_outputs, alpha)

    @cached_property
    def smooth_part(self):
        """The objective without its kinks: those of the loss, the l1 penalty, and the bounds."""
        smooth = copy(self)
        smooth._free = self._free  # of the whole
        smooth.__dict__.pop("_of_all_outputs", None)
        smooth.l1, smooth.norms = np.zeros(self.p), None
        smooth.lower, smooth.upper, smooth.bounds = np.full(self.p, -np.inf), np.full(self.p, np.inf), None
        if not self.loss_smooth:
            smooth._seen = {}
            smooth.__dict__.pop("kinks", None)
            smooth.__dict__.pop("constant_hessian", None)
            smooth.loss = (self.variation or self.kinks).rest
            smooth.__dict__.pop("variation", None)
            if smooth.loss is not None and smooth.loss.of_given_rows:
                smooth.design = self.design.in_one_block()
        return smooth

    def columns(self, index):
        """The objective of some features, standardised and penalised as here."""
        part = copy(self)
        for name in ("smooth_part", "_free", "_of_all_outputs", "constant_hessian"):
            part.__dict__.pop(name, None)
        part.design, part._seen = self.design.columns(index), {}
        kept = np.append(index, self.p - 1) if self.fit_intercept else index
        part.p = len(kept)
        part.l1, part.l2, part.lower, part.upper = (a[kept] for a in (self.l1, self.l2, self.lower, self.upper))
        part.unit = self.unit[index]
        # Without features the models are the same, and a tolerance is one of the whole.
        part.null = replace(self.null, params=self.null.params.reshape(self.n_outputs, -1)[:, kept].ravel())
        if self.norms is not None:
            every = (kept + self.p * np.arange(self.n_outputs)[:, None]).ravel()
            part.norms = self.norms.columns(every)
        return part

    def with_loss(self, loss, *, y=None, alpha=None):
        """The objective of another loss, target or strength on the same data."""
        return self._like(self.design, self.y if y is None else y, loss, self.n_outputs, alpha)

    def with_alpha(self, alpha):
        """The same objective with another strength of the penalty; what does not depend on it is kept."""
        other = copy(self)
        for name in ("smooth_part", "_free", "_of_all_outputs", "constant_hessian"):
            other.__dict__.pop(name, None)
        other.alpha, other._seen = alpha, {}
        other.norms = other._penalty_norms(other._norms_of_coef)
        other.l1 = other._penalty_diagonal("l1_operator", other.unit)
        other.l2 = other._penalty_diagonal("l2_matrix", other.unit**2)
        return other

    def single(self, y, loss, alpha):
        """The objective of a single output, with another target, loss and strength, on the same data."""
        return self._like(self.design, y, loss, n_outputs=1, alpha=alpha)

    def column(self, k):
        """The objective of one output of several that are not coupled."""
        return self._like(self.design, self.y[:, k], self.loss.column(k), n_outputs=1)

    @cached_property
    def kinks(self):
        """The kinks of every row as data, or None; see `Loss.kinks`."""
        kinks = None if self.coupled else self.loss.kinks(self.y)
        if kinks is None or not len(kinks.at):
            return kinks
        at, low, high = share_kinks(kinks.at, kinks.low, kinks.high)
        return replace(kinks, at=at, low=low, high=high)

    def relu_rows(self):
        """The loss as kinked rows, for one output."""
        kinks = self.kinks
        # Rows that bend alike from opposite sides, as those of two classes, are turned to one side.
        turn = kinks.high.sum(axis=0) < -kinks.low.sum(axis=0)
        sign = np.where(turn, -1.0, 1.0)
        at = sign * kinks.at
        low, high = np.where(turn, -kinks.high, kinks.low), np.where(turn, -kinks.low, kinks.high)
        if len(at) > 1:
            order = np.argsort(at, axis=0)
            at, low, high = (np.take_along_axis(values, order, axis=0) for values in (at, low, high))
            distinct = np.append(True, np.any(at[1:] != at[:-1], axis=1))  # a kink that all rows have twice is one
            first = np.flatnonzero(distinct)
            at, low, high = at[first], np.add.reduceat(low, first), np.add.reduceat(high, first)
        size = (high - low).sum(axis=0)
        weight = self.weight * size
        size = np.where(size > 0, size, 1.0)
        low, high = low / size, high / size
        typical, bent = [int(np.argmax(weight))], weight > 0
        if all(np.abs(part[:, bent] - part[:, typical]).max(initial=0.0) <= 1e-14 for part in (low, high)):
            low, high = low[:, typical], high[:, typical]
        total = weight.sum()
        return ReluRows(at, low * total, high * total, sign, weight / total, float(self.weight @ kinks.constant))

    def pieces(self):
        """The affine functions of which the loss of a row is the maximum: constants (J, n) and slopes (J, n, K).

        They are the tangents far along each column of the raw prediction, so never above a convex loss.
        """
        far = FAR * np.eye(self.n_outputs)[:, None] * np.ones((len(self.y), 1))
        slopes = np.array([self.loss.gradient(self.y, raw) for raw in far])
        values = np.array([self.loss.loss(self.y, raw) for raw in far])
        return values - (slopes * far).sum(axis=2), slopes

    # ------------------------------------------------------------------------------------------- coefficients
    def unpack(self, params):
        """Coefficients (n_outputs, n_features) and intercepts (n_outputs,) in the units of X."""
        theta = params.reshape(self.n_outputs, self.p)
        d = self.design.n_features
        if self.coupled and self.loss.shift_invariant:
            theta = theta - np.where(self._free, theta.mean(axis=0), 0.0)
        coef = theta[:, :d] * self.unit
        if self.norms is not None:
            coef = coef - self._common(coef)
            coef = np.array([self._norms_of_coef.settled(row) for row in coef])
        if self.bounds is not None:  # rounding must neither cross a bound nor miss it; a constant column has its own
            coef = np.clip(coef, *self.bounds)
            for bound in self.bounds:
                coef = np.where(np.abs(coef - bound) <= AT_BOUND * np.abs(coef).max(initial=0.0), bound, coef)
        intercept = theta[:, d] - coef @ self.design.origin if self.fit_intercept else np.zeros(self.n_outputs)
        return coef, intercept

    def _common(self, coef):
        """The part of the mean of coupled columns that neither loss nor penalty sees, (n_features,) or 0."""
        if not (self.coupled and self.loss.shift_invariant) or self.l1.any() or self.l2.any() or self.bounded:
            return 0.0
        operator, mean = self._norms_of_coef.operator.toarray(), coef.mean(axis=0)
        return mean - np.linalg.lstsq(operator, operator @ mean, rcond=None)[0]

    def pack(self, coef, intercept):
        """Inverse of `unpack`."""
        theta = np.zeros((self.n_outputs, self.p))
        d = self.design.n_features
        theta[:, :d] = np.divide(coef, self.unit, out=np.zeros_like(theta[:, :d]), where=self.unit > 0)
        if self.fit_intercept:
            theta[:, d] = intercept + coef @ self.design.origin
        return theta.ravel()
