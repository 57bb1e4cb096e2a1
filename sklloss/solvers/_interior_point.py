"""Interior point (Mehrotra's predictor-corrector, Frisch-Newton) for kinked rows, and what ends it at rounding.

The primal and dual problems, with z = b - A w and boxes low <= 0 <= high::

    min_w  sum_r max(low_r z_r, high_r z_r) + 1/2 sum_j l2_j w_j**2
    max_u  b'u - 1/2 sum_{l2_j > 0} (A'u)_j**2 / l2_j    over low <= u <= high, (A'u)_j = 0 where l2_j = 0

Any other convex quadratic may stand for that of l2.  An l1 penalty is one more row e_j with the box +-l1_j for each
coefficient.  z is split into ``over - under``; the pairs (over, high - u) and (under, u - low) are complementary.  An
iteration costs one weighted Gram matrix of A, one Cholesky factor and two solves with it; 10 iterations are the median
over all kinds of data.  Then the rows that sit on their kink are guessed and every other u is put on a bound.  Mostly
the equations of that active set prove the guess right, and the solution is exact (`_active_set`).  Ties, duplicate
rows and degenerate solutions may defy the proof; there a few multiplier steps with the normal equations take a gap of
1e-9 to rounding, and no vertex is needed.
"""

import numpy as np
from scipy import linalg
from scipy.linalg import lapack

from .._objective import share_kinks
from ._active_set import active_set
from ._linalg import factor

__all__ = [
    "EXACT",
    "MOST",
    "KinkedRows",
    "begin",
    "candidates",
    "factor_augmented",
    "factor_cholesky",
    "factor_qr",
    "interior_point",
    "orthonormal",
    "stack",
]

START = 2.5  # first barrier weight / mean(box width * |z|): 0.25 costs 30 % more iterations, 25 the same
SECOND_ORDER = 10.0  # clip of the corrector's second-order term, in units of the mean complementarity product
STEP = 0.995  # part of the way to the boundary
EARLY = 1e-5  # a gap at which the active set is plain in 19 problems of 20
END = 1e-9, 1e-11  # the interior point ends between these; the active set does the rest
MOST = 100  # iterations
LOST = 1e4  # times the least error so far: there is no minimum
EXHAUSTED = 1e-24
EXACT = ", active set"  # the route of a solution that is exact
DEPENDENT = 1e-13  # a column whose part outside the span of the others is this small is rounding
SMALL = 1e-9  # of the largest coefficient: a distance from a kink that is none
RIDGE = 1e-15  # where a coefficient has neither a penalty nor a tied row; elsewhere it would cost digits
EQUILIBRATED = 4  # steps of scaling a symmetric matrix, each of which halves the exponents of what is left
TINY = 1e-300


def stack(blocks):
    """Rows (A, kinks, low, high) of several blocks as one, each with as many kinks as that with the most."""
    J = max(len(block[1]) for block in blocks)
    padded = [[np.pad(part, ((0, J - len(part)), (0, 0))) for part in block[1:]] for block in blocks]
    at, low, high = share_kinks(*(np.hstack(parts) for parts in zip(*padded, strict=True)))
    return np.vstack([block[0] for block in blocks]), at, low, high


class KinkedRows:
    """The canonical problem.  J kinks share one row of A; flat vectors are [kink 0, ..., kink J-1, l1 rows].

    Parameters
    ----------
    A : ndarray of shape (m, p)
    kinks, low, high : ndarrays of shape (J, m)
    l1, l2 : ndarrays of shape (p,)
    model : (H, c, constant), default=None
        A quadratic ``constant + c'w + 1/2 w'H w`` in place of the l2 penalty, H (p, p) positive semidefinite.
    """

    def __init__(self, A, kinks, low, high, l1, l2, model=None):
        self.model = model
        self.A, self.kinks, self.low, self.high = A, kinks, low, high
        self.l1, self.l2, self.penalised = l1, l2, np.flatnonzero(l1)
        half = l1[self.penalised]
        self.b = np.concatenate([kinks.ravel(), np.zeros_like(half)])
        self.lo = np.concatenate([low.ravel(), -half])
        self.hi = np.concatenate([high.ravel(), half])
        self.n_data = kinks.size

    def per_row(self, flat):
        """Sum over the kinks of one row, (m,)."""
        return flat[: self.n_data].reshape(self.kinks.shape).sum(axis=0) if len(self.kinks) > 1 else flat[: self.n_data]

    def forward(self, w):
        """A w, over all rows."""
        return np.concatenate([self.A @ w] * len(self.kinks) + [w[self.penalised]])

    def adjoint(self, u):
        """A'u."""
        g = self.per_row(u) @ self.A
        g[self.penalised] += u[self.n_data :]
        return g

    def root(self, q):
        """(B, diagonal) with A' diag(q) A = B'B + diag(diagonal)."""
        diagonal = np.zeros(len(self.l1))
        diagonal[self.penalised] = q[self.n_data :]
        return self.A * np.sqrt(self.per_row(q))[:, None], diagonal

    def gram(self, q):
        """A' diag(q) A."""
        B, diagonal = self.root(q)
        H = B.T @ B
        H.flat[:: len(H) + 1] += diagonal
        return H

    def factor(self, q, on=None):
        """Solve with A' diag(q) A and the curvature; with `on`, with these coordinates of A' diag(q) A alone."""
        return factor(self.gram(q) + self.curvature() if on is None else self.gram(q)[np.ix_(on, on)])

    def row_sizes(self):
        """Sum of the absolute entries of each row, flat."""
        data = np.ravel(abs(self.A).sum(axis=1))
        return np.append(np.tile(data, len(self.kinks)), np.ones(len(self.penalised)))

    def take(self, index):
        """Rows of data by their flat index, dense, and the private variable of each, or None; see `TallRows`."""
        return self.A[index % len(self.A)], None

    @property
    def curved(self):
        """Whether there is a curvature besides the kinks."""
        return self.model is not None or bool(self.l2.any())

    def curvature(self):
        """The curvature besides the kinks, (p, p)."""
        return np.diag(self.l2) if self.model is None else self.model[0]

    def smooth(self, w):
        """Value and slope of what is not kinked."""
        if self.model is None:
            return 0.5 * float(self.l2 @ w**2), self.l2 * w
        H, c, constant = self.model
        Hw = H @ w
        return constant + float((c + 0.5 * Hw) @ w), c + Hw

    def infeasible(self, r, w):
        """What the slopes r that are left over can be worth, a float."""
        if self.model is not None:
            return float(np.abs(r) @ np.maximum(np.abs(w), 1e-3 * np.abs(w).max(initial=0.0)))
        return float(np.where(self.l2 > 0, r**2 / (2 * np.maximum(self.l2, TINY)), np.abs(r * w)).sum())

    def primal(self, w):
        """Value of the primal problem."""
        z = self.b - self.forward(w)
        return float(np.maximum(self.lo * z, self.hi * z).sum()) + self.smooth(w)[0]


# What these return solves the equations of an iteration: A dw + du / q = rhs and curvature dw - A'du = g, for (dw, du).


def factor_cholesky(rows, q):
    """Solve for dw alone, with A' diag(q) A and the curvature."""
    return _by_columns(rows, q, rows.factor(q))


def _by_columns(rows, q, solve):
    def columns_then_rows(g, rhs):
        dw = solve(g + rows.adjoint(q * rhs))
        return dw, q * (rhs - rows.forward(dw))

    return columns_then_rows


def factor_qr(rows, q):
    """Solve for dw alone, by QR of the root: the condition number is not squared; three times dearer."""
    B, diagonal = rows.root(q)
    B = np.vstack([B, np.diag(np.sqrt(diagonal + rows.l2))])
    scale = 1 / np.sqrt(np.maximum((B**2).sum(axis=0), TINY))
    B = np.vstack([B * scale, 1e-13 * np.eye(len(rows.l2))])
    B = B[np.argsort(-np.abs(B).max(axis=1))]  # large rows first: Householder QR is then stable row by row
    R = linalg.qr(B, mode="r", check_finite=False)[0][: len(rows.l2)]

    def back(g, trans):
        return linalg.solve_triangular(R, g, trans=trans, check_finite=False)

    return _by_columns(rows, q, lambda g: scale * back(back(scale * g, "T"), "N"))


def factor_augmented(rows, q):
    """Solve for dw and the du of the data at once, by LU of a system as large as both: q is not multiplied out.

    It is for more columns than rows and a small penalty: there every row is on its kink, where q is beyond all digits.
    """
    (B, diagonal), root = rows.root(q), np.sqrt(q[: rows.n_data])
    if len(rows.kinks) > 1:
        B = np.tile(rows.A, (len(rows.kinks), 1)) * root[:, None]
    C = rows.curvature()
    K = np.block([[C + np.diag(diagonal), -B.T], [B, np.eye(len(B))]])
    scale = np.ones(len(K))
    for _ in range(EQUILIBRATED):
        scale /= np.sqrt(np.maximum((np.abs(K) * scale * scale[:, None]).max(axis=0), TINY))
    K *= scale * scale[:, None]
    LU, order, singular = lapack.dgetrf(K)
    if singular:
        K.flat[:: len(K) + 1] += RIDGE
        LU, order, _ = lapack.dgetrf(K)

    def solve(g, rhs):
        data, of_l1 = np.split(rhs, [rows.n_data])
        top = g.copy()
        top[rows.penalised] += q[rows.n_data :] * of_l1
        sides = scale * np.append(top, root * data)
        x = lapack.dgetrs(LU, order, sides)[0]
        x += lapack.dgetrs(LU, order, sides - K @ x)[0]
        dw, v = np.split(scale * x, [len(C)])
        du = np.append(root * v, np.zeros(len(of_l1)))
        du[rows.n_data :] = (C @ dw - g - rows.adjoint(du))[rows.penalised]
        return dw, du

    return solve


def orthonormal(rows):
    """The same rows in an orthonormal basis of the columns of A, where there is no penalty.

    Returns the rows, w → coefficients in the basis, and its inverse; columns that add nothing get the coefficient 0.
    """
    Q, R, order = linalg.qr(rows.A, mode="economic", pivoting=True, check_finite=False)
    rank = int(np.sum(np.abs(R.diagonal()) > DEPENDENT * np.abs(R[0, 0])))
    R, kept, p = R[:rank], order[:rank], rows.A.shape[1]
    nothing = np.zeros(rank)

    def back(v):
        w = np.zeros(p)
        w[kept] = linalg.solve_triangular(R[:, :rank], v, check_finite=False)
        return w

    basis = KinkedRows(Q[:, :rank], rows.kinks, rows.low, rows.high, nothing, nothing)
    return basis, lambda w: R @ w[order], back


def candidates(rows, w, *, tol, floor, max_iter=MOST, factorise=factor_cholesky, callback=None):
    """Yield solutions (w, u, route) until the caller has one that is good enough; w is where the interior point starts.

    At a gap of EARLY and at its end the active set is guessed; a solution of the route EXACT is proved to be exact.
    """
    state, n_iter = begin(rows, w), 0

    def count(*seen):
        nonlocal n_iter
        n_iter += 1
        if callback is not None:
            callback(*seen)

    for gap in (EARLY, max(min(tol, END[0]), END[1])):
        state = interior_point(
            rows, state, tol=gap, floor=floor, max_iter=max_iter - n_iter, factorise=factorise, callback=count,
            resumed=n_iter > 0,
        )  # fmt: skip
        guess = _guess(rows, *state)
        exact = active_set(rows, state[0], guess[0])
        if exact is not None:
            yield *exact, EXACT
    yield *_snap(rows, state[0], *guess, factorise=factorise), ", multipliers"
    yield *state[:2], ""


def begin(rows, w):
    """The state (w, u, over, under) at which an interior point from w starts."""
    lo, hi, n = rows.lo, rows.hi, rows.n_data or len(rows.lo)
    z = rows.b - rows.forward(w)
    size = np.abs(z) + 1e-3 * np.abs(rows.b - rows.b.mean())  # never 0, even at an exact fit
    mu = max(START * float(np.mean(((hi - lo) * size)[:n])), TINY)
    u = _central(z, lo, hi, mu)
    u[rows.n_data :] = 0  # l1 rows start at the centre of their box
    return w, u, mu / (hi - u), mu / (u - lo)


# Where a quotient overflows the problem is at its end; the best iterate so far is what counts.
@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def interior_point(rows, state, *, tol, floor, max_iter, factorise=factor_cholesky, callback=None, resumed=False):
    """Return the best state (w, u, over, under) seen.

    Stops at error <= tol * max(value, floor), or when the error has not fallen for 3 iterations (rounding).
    ``callback(value, error)`` is called once an iteration.
    """
    lo, hi = rows.lo, rows.hi
    w, u, over, under = state
    best = np.inf, 0, state
    inside = 1e-30 * (hi - lo)  # rounding may put u on its bound; a division by 0 would follow
    for iteration in range(max_iter):
        top, bottom = np.maximum(hi - u, inside), np.maximum(u - lo, inside)
        gap = over @ top + under @ bottom
        smooth, slope = rows.smooth(w)
        r_dual = rows.adjoint(u) - slope
        r_primal = rows.b - rows.forward(w) - over + under
        value = float(hi @ over - lo @ under) + smooth
        error = float(gap) + rows.infeasible(r_dual, w)
        if error < best[0]:
            best = error, iteration, (w, u, over, under)
        scale = max(value, floor)
        if callback is not None and (iteration or not resumed):
            callback(value, error)
        stalled = iteration > best[1] + 2 and best[0] < 1e-4 * scale
        exhausted = gap <= EXHAUSTED * scale  # an exact fit: what is left of the error is rounding
        if not error <= LOST * best[0] or error <= tol * scale or stalled or exhausted:
            break
        q = 1 / (over / top + under / bottom)
        solve = factorise(rows, q)

        def direction(c_over, c_under):
            rhs = r_primal - c_over / top + c_under / bottom  # noqa: B023  (used within the iteration only)
            dw, du = solve(r_dual, rhs)  # noqa: B023
            return dw, du, (c_over + over * du) / top, (c_under - under * du) / bottom  # noqa: B023

        def lengths(du, d_over, d_under, keep):
            primal = min(_step_length(over, d_over, keep), _step_length(under, d_under, keep))  # noqa: B023
            dual = min(_step_length(top, -du, keep), _step_length(bottom, du, keep))  # noqa: B023
            return (min(primal, dual),) * 2 if rows.curved else (primal, dual)

        dw, du, d_over, d_under = direction(-over * top, -under * bottom)  # predictor
        primal, dual = lengths(du, d_over, d_under, 1.0)
        after = (over + primal * d_over) @ (top - dual * du) + (under + primal * d_under) @ (bottom + dual * du)
        mean = gap / (2 * len(u))
        mu, bound = mean * (after / gap) ** 3, SECOND_ORDER * mean
        dw, du, d_over, d_under = direction(  # corrector
            mu - over * top + np.minimum(np.maximum(d_over * du, -bound), bound),
            mu - under * bottom - np.minimum(np.maximum(d_under * du, -bound), bound),
        )
        primal, dual = lengths(du, d_over, d_under, STEP)
        w, u = w + primal * dw, u + dual * du
        over, under = over + primal * d_over, under + primal * d_under
    return best[2]


@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def _guess(rows, w, u, over, under):
    """(u, q, tied): which rows sit on their kink, u of the others on a bound, q kept on the tied ones, 0 elsewhere."""
    top, bottom = np.maximum(rows.hi - u, TINY), np.maximum(u - rows.lo, TINY)
    width, q = rows.hi - rows.lo, 1 / (over / top + under / bottom + TINY)
    z_scale = max(float(width @ (over + under) / width.sum()), SMALL * np.abs(w).max(initial=0.0), TINY)
    tied = q * z_scale > width  # dual slack / width > primal slack / z_scale
    u = np.where(tied, u, np.where(top < bottom, rows.hi, rows.lo))
    return u, np.where(tied, np.minimum(q, 1e12 * width / z_scale), 0), tied


@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def _snap(rows, w, u, q, tied, *, factorise):
    """Solve the equations of the interior point with mu = 0 by the method of multipliers on the tied rows: (w, u).

    u is central on its face, so its correction stays inside.
    """
    solve = factorise(rows, q)
    for _ in range(4):
        dw, du = solve(rows.adjoint(u) - rows.smooth(w)[1], rows.b - rows.forward(w))
        w, u = w + dw, u + du
    w[rows.penalised[tied[rows.n_data :]]] = 0.0  # l1: exact zeros
    return w, u


def _central(z, lo, hi, mu):
    """The u with mu / (hi - u) - mu / (u - lo) = z, row by row: a perfectly centred start."""
    half, rho = (hi - lo) / 2, 2 * mu / (hi - lo)
    return (hi + lo) / 2 + half * z / (rho + np.sqrt(rho**2 + z**2))


def _step_length(x, dx, keep):
    """Largest step in (0, 1] with x + step * dx > 0, shortened by `keep`."""
    fastest = float((dx / x).min())
    return min(1.0, -keep / fastest) if fastest < 0 else 1.0
