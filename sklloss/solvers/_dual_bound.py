"""A strict lower bound on the optimum of kinked rows, from an approximate multiplier.

1. Clip u to its box.  2. The multipliers of the l1 rows are free: clip(-A_data'u, +-l1) is best.  3. Every term is
now finite except on the coordinates J without l2 (and without room in their l1 box), where v = A_J'u must vanish.
The shortest correction in the metric of the distances to the box, D = diag(min(u - low, high - u)**2), is
u - D A_J lam with (A_J' D A_J) lam = v: a row at a bound does not move, and if v'(A_J' D A_J)^-1 v < 1 no row leaves
the box (Dikin's ellipsoid).  4. Repeat from 1 until v is at rounding.  5. With u, every theta * u is feasible: shrink
once so that |A_j'u| <= l1_j.  6. What is left on unpenalised coordinates, below 1e-13 of the terms of the product,
is charged at |v_j w_j|; were it larger, the bound is 0, for the loss is never negative: never an estimate.
"""

from typing import Any

import numpy as np
from scipy import optimize

__all__ = ["boxed_dual", "dual_bound"]

ATTEMPTS = 12
ROUNDING = 4e-16  # of the terms of a product that should be 0
LEFT = 1e-13  # of them: what may be left


def dual_bound(rows, u, w, summed=0.0):
    """Strict lower bound on the optimum of the rows, a float.

    ``summed`` (p,) is the size of the terms whose sum is a row of A, where one is: its rounding is theirs.
    """
    n, penalised, u = rows.n_data, rows.penalised, np.clip(u, rows.lo, rows.hi)
    size = rows.per_row(np.abs(u)) @ abs(rows.A) + summed + 1e-300
    nearest: tuple[float, Any, Any, Any] = np.inf, None, None, None  # how far v is from 0, u, A'u, v
    for _ in range(ATTEMPTS + 1):
        u[n:] = 0
        slope = rows.adjoint(u)
        u[n:] = np.clip(-slope[penalised], rows.lo[n:], rows.hi[n:])
        v = slope.copy()
        v[penalised] += u[n:]
        J = np.flatnonzero((rows.l2 == 0) & (np.abs(slope) >= rows.l1 * (1 - 1e-9)))
        far = float((np.abs(v[J]) / size[J]).max(initial=0.0))
        if nearest[0] <= LEFT and far >= nearest[0]:
            break  # the corrections are rounding themselves
        if far <= nearest[0] or nearest[0] > LEFT:
            nearest = far, u, slope, v
        if far <= ROUNDING:
            break
        D = np.minimum(u - rows.lo, rows.hi - u) ** 2
        D[n:] = 0
        if not D.any():  # every row is on a bound
            break
        lam = np.zeros(len(v))
        lam[J] = rows.factor(D, J)(v[J])
        u = np.clip(u - D * rows.forward(lam), rows.lo, rows.hi)
    _, u, slope, v = nearest
    excess = (rows.l2 == 0) & (rows.l1 > 0) & (np.abs(v) > LEFT * size)
    if excess.any():
        theta = (rows.l1[excess] / np.abs(slope[excess])).min()
        u, v = theta * u, theta * v
        v[excess] = 0.0
    free, ridge = rows.l2 == 0, rows.l2 > 0
    if np.any(np.abs(v[free]) > LEFT * size[free]):
        return 0.0
    return float(rows.b @ u - 0.5 * (v[ridge] ** 2 / rows.l2[ridge]).sum() - np.abs(v[free]) @ np.abs(w[free]))


def boxed_dual(rows):
    """HiGHS on max b'u, A'u = 0, low <= u <= high; w is the multiplier of the equality.  Needs l2 = 0.

    Returns (w, u), or None where HiGHS gives up.
    """
    A = np.hstack([rows.A.T] * len(rows.kinks) + [np.eye(len(rows.l1))[:, rows.penalised]])
    result = optimize.linprog(
        -rows.b,
        A_eq=A,
        b_eq=np.zeros(len(A)),
        bounds=np.column_stack([rows.lo, rows.hi]),
        method="highs-ds",
        options={"presolve": False},
    )
    return (-result.eqlin.marginals, result.x) if result.status == 0 else None
