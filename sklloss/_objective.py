"""The objective of a linear model: where X, the loss and the penalty meet, and nowhere else.

    objective(coef, intercept) = sum_i weight_i * loss(y_i, x_i . coef + intercept) + alpha * penalty(coef)

The weights are normalised here to sum to 1.  Solvers see ``params``, a flat float64 vector that is the ravelled
(n_outputs, p) matrix of standardised coefficients, each row ended by its intercept (the raw prediction at the column
means).  In these coordinates every column has weighted norm 1, so units of X do not matter to a solver.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ._design import Design, GramSums

__all__ = ["LinearObjective", "ReluRows"]

EPS = np.finfo(np.float64).eps


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
    """The model without features: the best intercept, its value, the largest entry and the rounding of its gradient.

    Where the gradient is 0, ``gradient`` is the largest that it could be.
    """

    params: np.ndarray
    value: float
    gradient: float
    rounding: float


@dataclass
class _Evaluation:
    """What one pass over X finds: value, gradient, Hessian if asked for, raw predictions."""

    value: float
    gradient: np.ndarray
    hessian: np.ndarray | None
    raw: np.ndarray


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
    """

    def __init__(
        self, X, y, loss, *, penalty=None, alpha=0.0, sample_weight=None, fit_intercept=True, n_outputs=1, design=None
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
        self.design = Design(X, weight / weight.sum(), rows, centred=fit_intercept) if design is None else design
        d = self.design.n_features
        self.p = d + fit_intercept
        self.l1 = self._penalty_diagonal("l1_operator", self.design.inverse)
        self.l2 = self._penalty_diagonal("l2_matrix", self.design.inverse**2)
        self._seen: dict[bytes, _Evaluation] = {}

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
    def smooth(self):
        return bool(self.loss.smooth or (self.kinks is not None and not len(self.kinks.at))) and not self.l1.any()

    @property
    def quadratic(self):
        return self.loss.quadratic and self.smooth

    @property
    def declared(self):
        """Whether the loss itself said what is to be known of its kinks."""
        return self.coupled or bool(self.loss.smooth) or (self.kinks is not None and not self.kinks.origin)

    @property
    def kinked(self):
        """Whether the loss is nothing but kinks."""
        return self.kinks is not None and self.kinks.rest is None and len(self.kinks.at) > 0

    @property
    def has_curvature(self):
        return self.loss.has_curvature

    @property
    def coupled(self):
        """Whether the columns of the raw prediction form one problem, as in softmax regression."""
        return self.n_outputs > 1 and self.loss.multiclass

    # ------------------------------------------------------------------------- value, gradient and curvature
    def value_gradient(self, params):
        """Objective, a float (inf where it overflows), and its gradient, (n_params,); one pass over X."""
        found = self._evaluate(params)
        return found.value, found.gradient

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
        change, l2 = end.raw - start.raw, np.tile(self.l2, self.n_outputs)

        def slope(t):
            gradient = self.loss.value_gradient(self.y, start.raw + t * change, self.weight)[1]
            return float((gradient * change).sum() + (l2 * step) @ (params + t * step))

        return slope

    def _evaluate(self, params, curvature=False):
        """What one pass over X finds at params, with a memory of the last two."""
        key = params.tobytes()
        found = self._seen.pop(key, None)
        if found is None or (curvature and found.hessian is None):
            second = (self._coupled_curvature if self.coupled else self.loss.hessian) if curvature else None
            found = self._sweep(params, second)
        self._seen = dict([*self._seen.items(), (key, found)][-2:])
        return found

    def _sweep(self, params, curvature):
        """One pass over X; ``curvature(y, raw)`` is that of each row, (n,) or (n, n_columns), or None."""
        design, loss, d = self.design, self.loss, self.design.n_features
        theta = params.reshape(self.n_outputs, self.p)
        coef, intercept = self._affine(theta)
        value, slope, total = 0.0, np.zeros((self.n_outputs, d)), np.zeros(self.n_outputs)
        sums = None if curvature is None else GramSums(design, len(self._pairs))
        every = np.empty((design.n_rows, *coef.shape[1:]))
        for rows, block in design.blocks():
            y, weight = self.y[rows], self.weight[rows]
            raw = every[rows] = block @ coef + intercept
            part, g = loss.value_gradient(y, raw, weight)
            value += part
            if not np.isfinite(value):
                value = np.inf
                continue  # no gradient, but the raw predictions of every row
            slope += (block.T @ g).T
            total += g.sum(axis=0)
            if sums is not None:
                sums.add(block, (weight * h for h in np.atleast_2d(curvature(y, raw).T)))
        gradient = np.zeros_like(theta)
        gradient[:, :d] = (slope - np.outer(total, design.centre)) * design.inverse
        if self.fit_intercept:
            gradient[:, d] = total
        gradient += self.l2 * theta
        value += float((np.abs(theta) @ self.l1).sum()) + 0.5 * float((theta * theta @ self.l2).sum())
        hessian = None if sums is None or value == np.inf else self._assemble(sums.standardised())
        return _Evaluation(value, gradient.ravel(), hessian, every)

    @cached_property
    def _pairs(self):
        """Pairs (k, m) of columns of the raw prediction, k <= m."""
        return [(k, m) for m in range(self.n_outputs) for k in range(m + 1)]

    def _coupled_curvature(self, y, raw):
        """Second derivatives of each row by the pairs of its raw predictions, (n, n_pairs)."""
        columns = []
        for m in range(self.n_outputs):
            direction = np.zeros_like(raw)
            direction[:, m] = 1
            columns.append(self.loss.hessian_product(y, raw, np.ones(len(raw)), direction)[:, : m + 1])
        return np.hstack(columns)

    def _assemble(self, blocks):
        """Hessian from its blocks by pairs of outputs, with the penalty."""
        full = np.empty((self.n_outputs, self.p, self.n_outputs, self.p))
        for (k, m), block in zip(self._pairs, blocks, strict=True):
            full[k, :, m] = full[m, :, k] = block[: self.p, : self.p]
        if self.coupled and self.loss.shift_invariant:
            # No curvature along a common shift of a parameter that has no penalty, and no slope either: any
            # curvature put there makes the Hessian regular and changes no step.
            for j in np.flatnonzero(self.l2 == 0):
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
        """Raw predictions of the rows in use, (n,) or (n, n_outputs); one pass over X."""
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
            theta[:, -1] = (
                self.loss.fit_intercept_only(self.y, self.weight, K)
                if self.loss.multiclass
                else self.loss.fit_intercept_only(self.y, self.weight)
            )
        constant = theta[:, -1] if self.fit_intercept else np.zeros(K)
        raw = np.full(len(self.y), constant[0]) if K == 1 else np.tile(constant, (len(self.y), 1))
        value, g = self.loss.value_gradient(self.y, raw, self.weight)
        per_row = g.reshape(len(raw), -1)
        slope = np.zeros((K, design.n_features))
        for rows, block in design.blocks():
            slope += (block.T @ per_row[rows]).T
        gradient = (slope - np.outer(per_row.sum(axis=0), design.centre)) * design.inverse
        # A gradient is a sum over rows of weight * slope, and a slope inherits the rounding of what it is taken at.
        mass = np.abs(g).sum()
        if not self.coupled and self.has_curvature:
            size = max(np.abs(raw).max(), np.abs(self.y).max())
            mass += self.weight @ np.abs(self.loss.hessian(self.y, raw)).reshape(len(raw), -1).sum(axis=1) * size
        rounding, largest = 16 * EPS * float(mass), float(np.abs(gradient).max(initial=0.0))
        return _Null(theta.ravel(), value, largest if largest > rounding else float(mass), rounding)

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
        gradient = self.value_gradient(params)[1].reshape(self.n_outputs, self.p)
        charge = 0.0
        if self.fit_intercept:
            if np.abs(gradient[:, d]).max() > self.null.rounding:
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
            design=design,
        )

    def subsample(self, size):
        """The objective of every k-th row, at most `size` of them; the same parameters."""
        keep = np.arange(0, self.design.n_rows, -(-self.design.n_rows // size))
        return self._like(self.design.only(keep), self.y[keep], self.loss, self.n_outputs)

    def only(self, keep, loss):
        """The objective of some rows and another loss, up to a factor: the penalty weighs as in this one."""
        alpha = self.alpha / self.design.weight[keep].sum()
        return self._like(self.design.only(keep), self.y[keep], loss, self.n_outputs, alpha)

    def with_loss(self, loss):
        """The objective of another loss on the same data."""
        return self._like(self.design, self.y, loss, self.n_outputs)

    def column(self, k):
        """The objective of one output of several that are not coupled."""
        return self._like(self.design, self.y[:, k], self.loss.column(k), n_outputs=1)

    @cached_property
    def kinks(self):
        """The kinks of every row as data, or None; see `Loss.kinks`."""
        kinks = None if self.coupled else self.loss.kinks(self.y)
        return kinks.shared() if kinks is not None and len(kinks.at) else kinks

    def relu_rows(self):
        """The loss as kinked rows, for one output."""
        kinks = self.kinks
        # Rows that bend alike from opposite sides, as those of two classes, are turned to one side.
        turn = kinks.high.sum(axis=0) < -kinks.low.sum(axis=0)
        sign = np.where(turn, -1.0, 1.0)
        at = sign * kinks.at
        low, high = np.where(turn, -kinks.high, kinks.low), np.where(turn, -kinks.low, kinks.high)
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
        if all(np.allclose(part[:, bent], part[:, typical], rtol=0, atol=1e-14) for part in (low, high)):
            low, high = low[:, typical], high[:, typical]
        total = weight.sum()
        return ReluRows(at, low * total, high * total, sign, weight / total, float(self.weight @ kinks.constant))

    # ------------------------------------------------------------------------------------------- coefficients
    def unpack(self, params):
        """Coefficients (n_outputs, n_features) and intercepts (n_outputs,) in the units of X."""
        theta = params.reshape(self.n_outputs, self.p)
        d = self.design.n_features
        if self.coupled and self.loss.shift_invariant:
            theta = theta - np.where(self.l2 == 0, theta.mean(axis=0), 0.0)
        coef = theta[:, :d] * self.design.inverse
        intercept = theta[:, d] - coef @ self.design.origin if self.fit_intercept else np.zeros(self.n_outputs)
        return coef, intercept

    def pack(self, coef, intercept):
        """Inverse of `unpack`."""
        theta = np.zeros((self.n_outputs, self.p))
        d = self.design.n_features
        theta[:, :d] = coef * self.design.spread
        if self.fit_intercept:
            theta[:, d] = intercept + coef @ self.design.origin
        return theta.ravel()
