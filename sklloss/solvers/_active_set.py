"""The exact minimum of kinked rows with curvature, from a guess of which rows sit on their kink.

A row on its kink is an equality, every other row is linear with its slope u on one end of its box, and a coefficient
at 0 is left out.  The minimum of what is left solves linear equations.  Where it puts a row beyond its kink, the row
is tied to it, and where a tied row would need a slope outside its box, it is let go (a primal-dual active set method),
until nothing changes: then every condition of the minimum holds to rounding, whatever the guess was.
"""

import numpy as np
from scipy import linalg

from ._linalg import factor_or_pseudo_inverse

__all__ = ["active_set", "shortest", "sides"]

CHANGES = 3, 30  # of the set, at least and at most
WORK = 6000  # changes times parameters
PATIENCE = 4  # changes after which no fewer rows are wrong
DEPENDENT = 1e-11  # a tied row whose part outside the span of the others is this small hangs on them
ROUNDING = 1e-12  # of the size of the terms of a sum
NEAR = 1e3  # times the rounding, as the kinks of tied rows come out of linear equations
SLACK = 1e-9  # of the width of a box
UNSOLVED = 1e-6  # the part of a slope that may be left


@np.errstate(over="ignore", invalid="ignore")
def active_set(rows, w, u):
    """The minimum (w, u) near a guess (w, u), or None where the guess leads nowhere.

    Rows are guessed to be tied where u is inside its box, coefficients to be 0 likewise.
    """
    lo, hi, n = rows.lo, rows.hi, rows.n_data
    width, H = hi - lo, rows.curvature()
    P = len(H)
    u = np.clip(u, lo, hi)
    tied = (u > lo) & (u < hi)
    size, steep = np.abs(rows.b), rows.row_sizes()
    constant = np.abs(rows.smooth(0 * w)[1]) + np.abs(rows.adjoint(width))
    least, idle = np.inf, 0
    for _ in range(int(np.clip(WORK / P, *CHANGES))):
        zero, on = rows.penalised[tied[n:]], np.flatnonzero(tied[:n])
        w = w.copy()
        w[zero] = 0.0
        free = np.ones(P, bool)
        free[zero] = False
        B, own = rows.take(on)
        left = rows.smooth(w)[1] - rows.adjoint(u)
        off = rows.b[on] - rows.forward(w)[on]
        dw, dt, du = _step(H[np.ix_(free, free)], left[:P][free], B[:, free], off, own, left[P:])
        w[:P][free] += dw
        w[P:] += dt
        u[on] += du
        left, slope = rows.smooth(w)[1] - rows.adjoint(u), np.abs(left).max()
        terms = np.abs(H) @ np.abs(w[:P])
        unsolved = max(np.abs(left[:P][free]).max(initial=0.0), np.abs(left[P:]).max(initial=0.0))
        if not unsolved <= max(UNSOLVED * slope, ROUNDING * max(terms.max(), constant.max())):
            return None  # a slope without curvature: the minimum is elsewhere
        u[n:][tied[n:]] += left[zero]
        z = rows.b - rows.forward(w)
        rounding = ROUNDING * (size + steep * np.abs(w).max())
        # A tied row that hangs on others may be off its kink all the same.
        up = tied & ((u > hi + SLACK * width) | (z > NEAR * rounding))
        down = tied & ((u < lo - SLACK * width) | (z < -NEAR * rounding))
        across = ~tied & (width > 0) & (np.where(u == hi, -z, z) > rounding)
        wrong = int(np.count_nonzero(up | down | across))
        if not wrong:
            return w, np.clip(u, lo, hi)
        least, idle = (wrong, 0) if wrong < least else (least, idle + 1)
        if idle == PATIENCE:
            return None
        u = np.where(up, hi, np.where(down, lo, u))
        tied = (tied & ~up & ~down) | across
    return None


def sides(rows, w):
    """The slopes u of the pieces on which the rows are at w; at a kink, in the middle."""
    z = rows.b - rows.forward(w)
    return np.where(z > 0, rows.hi, np.where(z < 0, rows.lo, 0.5 * (rows.lo + rows.hi)))


def _step(H, g, B, r, own, g_private):
    """(dw, dt, du) with B dw + dt[own] = r, H dw + g = B'du and g_private = sums of du by their own t.

    t are private variables of rows, own that of each row, or -1.  One row, the leader, determines each; the others are
    compared with it.
    """
    if own is None:
        dw, du = shortest(H, g, B, r)
        return dw, 0.0, du
    m, K = len(B), len(g_private)
    private, first = np.unique(own, return_index=True)
    private, first = private[private >= 0], first[private >= 0]
    leader = np.full(K + 1, m)  # in the last place, that of rows without a private variable, a row of zeros
    leader[private] = first
    leader = leader[own]
    rest = np.flatnonzero(leader != np.arange(m))
    compared = B[rest] - np.vstack([B, 0 * g])[leader[rest]]
    apart = r[rest] - np.append(r, 0.0)[leader[rest]]
    dt, du = np.zeros(K), np.zeros(m)
    dw, du[rest] = shortest(H, g - g_private[private] @ B[first], compared, apart)
    dt[private] = r[first] - B[first] @ dw
    du[first] = (g_private - np.bincount(own[rest] + 1, du[rest], K + 1)[1:])[private]
    return dw, dt, du


def shortest(H, g, A, r):
    """(dw, du) with A dw = r and H dw + g = A'du: the least such dw, and du of rows that hang on others 0."""
    if not A.any():
        return -factor_or_pseudo_inverse(H)(g), np.zeros(len(A))
    # A constant column is in neither H nor A; in the reduced H only rounding would be left of it.
    idle = ~(H.any(axis=0) | A.any(axis=0))
    H = H + np.diag(idle * (H.diagonal().max() or 1.0))
    Q, R, order = linalg.qr(A.T, pivoting=True, check_finite=False)
    diagonal = np.abs(R.diagonal())
    rank = int(np.sum(diagonal > DEPENDENT * diagonal[0]))
    R, Q, Z, kept = R[:rank, :rank], Q[:, :rank], Q[:, rank:], order[:rank]
    dw = Q @ linalg.solve_triangular(R, r[kept], trans="T", check_finite=False)
    if Z.shape[1]:
        dw -= Z @ factor_or_pseudo_inverse(Z.T @ H @ Z)(Z.T @ (g + H @ dw))
    du = np.zeros(len(A))
    du[kept] = linalg.solve_triangular(R, Q.T @ (g + H @ dw), check_finite=False)
    return dw, du
