"""The minimum of kinked rows from a point near it, exactly: from edge to edge, as the simplex method.

Without curvature (Barrodale and Roberts): at a vertex p rows sit on their kink, and the others have the slope of their
side.  The multipliers u of the p rows balance those slopes; where all lie in their boxes the vertex is a minimum.  Else
the row whose multiplier is furthest outside leaves its kink, and the other p - 1 span an edge, which is followed across
the kinks of other rows as long as the objective falls; the row where it stops falling takes the place.

With curvature fewer than p rows may sit on their kink.  The step goes to the minimum of what is left where they stay on
it and all others on their side; it ends earlier where the objective, across the kinks of other rows, would rise, and if
that is at a kink its row stays there.  At such a minimum rows whose multipliers are outside their boxes are let go.

From one quantile to the next, or one alpha to the next, that takes a few steps, each a product with the rows.
"""

import numpy as np
from scipy import linalg
from scipy.linalg import lapack

__all__ = ["descend", "vertex"]

PIVOTS = 200, 20  # at most, and for each parameter
FRESH = 40  # pivots after which the inverse is computed anew
FEW = 24  # kinks along an edge that are looked at first
INSIDE = 1e-12  # of the width of a box: a multiplier outside by less is inside
DEPENDENT = 1e-9  # a pivot this small leads nowhere
TOUCH = 1e-11  # of the size of the kinks: as near a row sits on its kink
FLAT = 1e-6  # of the curvature: what stands for none in a direction
NOTHING = 1e-14  # of the objective: a fall that is none
TINY = 1e-300


@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def vertex(rows, w):
    """The minimum (w, u), or None where it is not found from the vertex nearest to w."""
    A, b, lo, hi = _matrix(rows), rows.b, rows.lo, rows.hi
    width, p = hi - lo, len(w)
    tied = _basis(A, b - A @ w, width)
    if tied is None:
        return None
    w, inverse = _at(A, b, tied)
    z = b - A @ w
    u = np.where(z > 0, hi, lo)  # the slope of the side of each row, 0 on the kink
    u[tied] = 0.0
    side = np.where(z > 0, 1.0, -1.0)
    for pivot in range(PIVOTS[0] + PIVOTS[1] * p):
        if pivot % FRESH == FRESH - 1:
            w, inverse = _at(A, b, tied)
            z = b - A @ w
        multipliers = -((u @ A) @ inverse)
        top, bottom = hi[tied], lo[tied]
        outside = np.maximum(multipliers - top, bottom - multipliers)
        j = int((outside / width[tied]).argmax())
        leaving = tied[j]
        if not outside[j] > INSIDE * width[leaving]:
            break
        sign = 1.0 if multipliers[j] > top[j] else -1.0
        move = A @ (sign * inverse[:, j])  # by how much z changes along the edge
        move[tied], move[leaving], side[leaving] = 0.0, sign, sign
        met = (move * side < 0).nonzero()[0]
        speed = move[met]
        length = np.maximum(-z[met] / speed, 0.0)
        rise, nearest = np.abs(speed) * width[met], np.arange(len(met))
        if len(met) > FEW:  # most often the objective soon rises
            nearest = length.argpartition(FEW)[:FEW]
            if not rise[nearest].sum() >= outside[j]:
                nearest = np.arange(len(met))
        order = nearest[length[nearest].argsort()]
        at = int(rise[order].cumsum().searchsorted(outside[j]))
        if at == len(order):
            return None  # no end: there is no minimum, or rounding
        entering, passed = met[order[at]], met[order[:at]]
        row = A[entering] @ inverse
        if not abs(row[j]) > DEPENDENT * np.abs(row).max():
            return None
        side[passed] = -side[passed]
        u[passed] = np.where(side[passed] > 0, hi[passed], lo[passed])
        u[leaving], u[entering] = top[j] if sign > 0 else bottom[j], 0.0
        z += length[order[at]] * move
        tied[j] = entering
        column = inverse[:, j] / row[j]
        row[j] -= 1.0
        inverse -= column[:, None] * row
    else:
        return None
    w, inverse = _at(A, b, tied)
    u[tied] = -((u @ A) @ inverse)
    w[rows.penalised[tied[tied >= rows.n_data] - rows.n_data]] = 0.0
    return w, np.clip(u, lo, hi)


@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def descend(rows, w):
    """The minimum (w, u) of rows with curvature, or None where it is not found from w."""
    A, b, lo, hi = _matrix(rows), rows.b, rows.lo, rows.hi
    H, p, width = rows.curvature(), len(w), hi - lo
    z = b - A @ w
    size, least = np.abs(b).max() + np.abs(z).max(), np.finfo(float).max
    tied = _independent(A, np.flatnonzero((np.abs(z) <= TOUCH * size) & (width > 0)))
    u = np.where(z > 0, hi, lo)  # the slope of the side of each row, 0 on the kink
    u[tied] = 0.0
    side = np.where(z > 0, 1.0, -1.0)
    flat = np.where(H.diagonal() > 0, 0.0, FLAT * (H.diagonal().max() or 1.0))  # where a step has no end yet
    ridged, nothing = H + np.diag(flat), NOTHING * rows.primal(w)
    for _ in range(PIVOTS[0] + PIVOTS[1] * p):
        slope = rows.smooth(w)[1] - u @ A
        move, multipliers = _equations(ridged, A[tied], slope, 0.0)
        fall = float(slope @ move)
        if len(tied) < p and -fall > nothing:
            bend = float(move @ H @ move)
            along = A @ -move
            along[tied] = 0.0
            met = (along * side < 0).nonzero()[0]
            speed = along[met]
            length = np.maximum(-z[met] / speed, 0.0)
            order = length.argsort()
            length, met, speed = length[order], met[order], speed[order]
            rise = (np.abs(speed) * width[met]).cumsum()
            at = int((fall + bend * length + rise).searchsorted(0.0))
            before = fall + (rise[at - 1] if at else 0.0)
            step = -before / bend if bend > 0 else np.inf  # to the minimum on this piece
            kink = at < len(met) and length[at] <= step
            step = length[at] if kink else step
            if not step < np.inf:
                return None
            passed = met[:at]
            side[passed] = -side[passed]
            u[passed] = np.where(side[passed] > 0, hi[passed], lo[passed])
            w, z = w + step * move, z + step * along
            if kink:
                tied = np.append(tied, met[at])
                z[met[at]] = u[met[at]] = 0.0
            # Where a direction had to be given curvature, this is not yet the minimum of what is left.
            if kink or at or np.abs(flat * move).max() > FLAT * np.abs(slope).max():
                continue
        outside = np.maximum(multipliers - hi[tied], lo[tied] - multipliers) / width[tied]
        if not len(tied) or not outside.max() > INSIDE:
            break
        # All that are outside are let go at once, while that leads down; one by one, it does.
        value = rows.primal(w)
        gone = outside > INSIDE if value < least - INSIDE * abs(least) else outside == outside.max()
        least = min(least, value)
        freed, up = tied[gone], (multipliers > hi[tied])[gone]
        side[freed], u[freed] = np.where(up, 1.0, -1.0), np.where(up, hi[freed], lo[freed])
        tied = tied[~gone]
    else:
        return None
    move, u[tied] = _equations(H, A[tied], rows.smooth(w)[1] - u @ A, (b - A @ w)[tied])
    w = w + move
    w[rows.penalised[tied[tied >= rows.n_data] - rows.n_data]] = 0.0
    return w, np.clip(u, lo, hi)


def _equations(H, B, slope, off):
    """(move, multipliers) with B move = off and H move + slope = B' multipliers."""
    p, t = len(H), len(B)
    K = np.zeros((p + t, p + t))
    K[:p, :p], K[:p, p:], K[p:, :p] = H, -B.T, -B
    rhs = np.zeros(p + t)
    rhs[:p], rhs[p:] = -slope, -off
    found, failed = lapack.dgesv(K, rhs)[2:]
    if failed:
        found = np.linalg.lstsq(K, rhs)[0]
    return found[:p], found[p:]


def _matrix(rows):
    """The matrix of all rows, one for each kink, those of the l1 penalty last."""
    return np.vstack([rows.A] * len(rows.kinks) + [np.eye(len(rows.l1))[rows.penalised]])


def _independent(A, near):
    """Of these rows as many as are independent."""
    if not len(near):
        return near
    R, order = linalg.qr(A[near].T, mode="r", pivoting=True, check_finite=False)
    diagonal = np.abs(R.diagonal())
    return near[order[: int(np.sum(diagonal > DEPENDENT * diagonal[0]))]]


def _basis(A, z, width):
    """p independent rows that are nearest to their kinks; None where there are not so many."""
    p = A.shape[1]
    near = np.flatnonzero(width > 0)
    if len(near) > 4 * p:
        near = near[np.argpartition(np.abs(z[near]), 4 * p)[: 4 * p]]
    if len(near) < p:
        return None
    size = np.abs(z[near])
    weight = 1 / (size + 1e-6 * size.max() + TINY)
    R, order = linalg.qr(A[near].T * weight, mode="r", pivoting=True, check_finite=False)
    diagonal = np.abs(R.diagonal())
    if not diagonal.min() / weight[order[p - 1]] > DEPENDENT * np.abs(A[near]).max():
        return None
    return near[order[:p]]


def _at(A, b, tied):
    """The vertex where these rows sit on their kink, and the inverse of their matrix."""
    inverse = linalg.inv(A[tied], check_finite=False)
    return inverse @ b[tied], inverse
