"""Sums of Euclidean norms: group lasso, total variation, and with them kinks of the loss, bounds and an l1 penalty.

With z = b - A w in groups of rows and slopes c (`_cone_rows`), and a smooth f (`_cone_smooth`), the primal and dual
problems are::

    min_w  f(w) + c'w + sum_g h_g ||z_g||
    max_u  b'u + min_w (f(w) + (c - A'u)'w)    over ||u_g|| <= h_g

On the central path of the barrier mu log(h_g**2 - ||u_g||**2) the multipliers are u_g = h_g z_g / t_g, with t_g**2 - mu
t_g / h_g = ||z_g||**2, and w minimises a smooth function P_mu.  The Newton step takes u from the iteration before, not
from z, in the curvature of the norms: that model is good far from the minimum, and the direction goes down.  The
barrier falls whenever the step promises less than it is worth, and 10 to 30 iterations do.  Where the loss has no
second derivative, that of BFGS takes its place.

At the end the groups with z_g = 0 are guessed, and what is left, which is smooth, is minimised with those equations:
zeros are exact then.  The certificate asks for neither.  f lies above its tangent anywhere, so any u in its balls at
which the slopes vanish gives a strict lower bound; slopes that are left are moved into u and into the tangent's place.

T. F. Chan, G. H. Golub, P. Mulet, "A nonlinear primal-dual method for total variation-based image restoration", SIAM
Journal on Scientific Computing 20(6), 1999.
"""

from dataclasses import dataclass

import numpy as np

from .._compat import one_blas_thread
from ._active_set import shortest
from ._base import NEWTON_PARAMS, Solution, Solver
from ._cone_rows import Bend, ConeRows
from ._cone_smooth import ConeSmooth
from ._kinks import FLOOR, NOTHING
from ._linalg import factor, factor_or_pseudo_inverse
from ._newton import minimum_along

__all__ = ["Cones"]

MOST = 300  # iterations
START = 0.1  # of the value: the first gap that the barrier aims at
CAPS = 100.0, 1e6, np.inf  # of the slopes of the loss, over all parameters: a radius that is as good as any larger
FALL, FAST = 0.2, 0.02  # of the barrier, after a step that was good enough, and after one that was very good:
GOOD, BEST = 1.0, 0.01  # what it promised, in units of the gap that the barrier aims at
AIM, LEAST = 1e-2, 1e-13  # of that, and of the value: the gap that the barrier aims at last
SHORT = 0.1  # of a step: a minimum along it that is nearer says that the model was bad
SHARES = 0.0, 1e-4, 1e-2, 1.0  # of a curvature that lies above the loss, added to its own
ARMIJO = 1e-4
STALLED = 40  # iterations without a better gap
HALVINGS = 40
ENOUGH = 0.1, 1e-4  # of tol: a gap at which the path ends; the second, if no exact end is found from the first
REFINED = 6  # corrections of the multipliers and of the tangent's place, and of linear systems
POLISH = 60  # Newton steps with the zero groups held at 0
SETTLED = 1e-12  # of the largest parameter: a step that is rounding
EXACT = 1e-18  # of the value: the decrease promised by a Newton step that is one
SHARE = 1e-2  # of the value: what all norms together cost at least, where they are not all 0
NEAR = 1e-12  # of the terms of z: a group that is 0
OFF = 1e-9  # of the typical norm: a group that is held at 0 and is not
LEFT = 1e-13  # of the terms of a sum that should be 0: rounding
ROUNDING = 1e-14  # of the value
TINY = 1e-300
REACHED, UNPROVEN = "tol reached", "rounding keeps the bound from the value"


class Cones(Solver):
    """A primal-dual Newton method for sums of norms; see the module's docstring."""

    name = "cones"

    def unsupported(self, objective):
        if objective.norms is None and objective.variation is None:
            return f"it is for norms of groups or of differences, and {objective.penalty!r} has none"
        if not objective.loss_smooth and objective.variation is None and objective.kinks is None:
            return f"it needs a loss that is smooth but for kinks, and {objective.loss!r} is not"
        if objective.n_params > 5 * NEWTON_PARAMS:
            return f"it would need a Hessian of {objective.n_params} x {objective.n_params} numbers"
        return None

    def solve(self, objective, params, *, tol, max_iter, callback=None):
        with one_blas_thread():
            found = []
            for cap in CAPS:
                path = _Path(objective, tol, callback, cap)
                found.append(path.solve(objective.feasible(params), min(max_iter, MOST)))
                if found[-1].converged or not path.capped:
                    break
        return min(found, key=lambda solution: solution.optimality)


@dataclass
class _Point:
    """A place, f and its slope there, z, and the norms of its groups."""

    w: np.ndarray
    f: float
    slope: np.ndarray
    z: np.ndarray
    r: np.ndarray


class _Path:
    """The problem, and the way along its central path."""

    def __init__(self, objective, tol, callback, cap):
        self.objective, self.tol, self.callback = objective, tol, callback
        self.smooth, self.rows = ConeSmooth(objective), ConeRows(objective)
        # A radius beyond what the slopes of the loss come to does no more than hold its group at 0, and squares the
        # condition of all systems; a bound for a smaller one is a bound for the true one.
        most = cap * objective.n_params * objective.null.mass / self.rows.steepest
        self.capped = bool(((self.rows.h > most) & (most > 0)).any())
        self.rows.h = np.where(most > 0, np.minimum(self.rows.h, most), self.rows.h)
        self.floor = max(FLOOR * objective.null.value, NOTHING)
        self.history: list[tuple[float, float]] = []

    def solve(self, w, max_iter):
        objective = self.objective
        places = w, objective.feasible(objective.null.params), objective.feasible(0 * w)
        least, w = min(((objective.value_gradient(place)[0], place) for place in places), key=lambda each: each[0])
        point = self.at(w)
        u, exact = np.zeros(len(self.rows.b)), None
        mu = START * max(self.value(point), self.floor) / len(self.rows.h)
        message = REACHED
        if least > self.tol * self.floor:  # else an exact fit: no loss is below 0
            for enough in ENOUGH:
                point, u, mu, message = self.follow(point, u, mu, enough * self.tol, max_iter)
                exact = self.exact(point, u, mu)
                if exact is not None or message != REACHED or not self.objective.convex:
                    break
        return self.ended(point, u, mu, exact, message)

    def follow(self, point, u, mu, enough, max_iter):
        """(point, u, mu, message) where the gap is small enough, of the value."""
        n_groups, best, stalled = len(self.rows.h), np.inf, 0
        while len(self.history) < max_iter:
            point, u, promised, moved = self.step(point, u, mu)
            scale, (gap, balanced) = max(self.value(point), self.floor), self.gap(point, u)
            self.record(point, gap / scale)
            still = promised <= ROUNDING * scale
            best, stalled = min(best, gap), 0 if gap < 0.9 * best else stalled + 1
            if stalled == STALLED and self.smooth.bfgs is None:
                return point, u, mu, "no step closes the gap"
            if not moved and not still:
                return point, u, mu, "no lower value along the step"
            if gap <= enough * scale and (balanced or still or not self.objective.convex):
                return point, u, mu, REACHED
            least = max(LEAST, AIM * enough) * scale / n_groups
            if promised <= GOOD * mu * n_groups:
                if mu <= least and still:
                    return point, u, mu, "no step closes the gap"
                mu = max(mu * (FAST if promised <= BEST * mu * n_groups else FALL), least)
        return point, u, mu, "maximum number of iterations reached"

    def step(self, point, u, mu):
        """(the next point, its multipliers, the decrease promised, whether it moved)."""
        rows, e = self.rows, mu / self.rows.h
        root = np.hypot(e, 2 * point.r)
        t = 0.5 * (e + root)
        central = point.z * (rows.h / t)[rows.group]
        bend = Bend(rows, rows.h / t, u / rows.h[rows.group], point.z * (2 / root)[rows.group])
        slope = self.unbalanced(point, central)
        H, of_norms = self.smooth.hessian(point.w), bend.gram()
        most, lowest, found, multipliers = 0.0, self.smoothed(point, e), point, u
        for share in SHARES:
            above = share * (H + (H.diagonal().max() or 1.0) * np.eye(len(H))) if share else 0.0
            dw, promised = _direction(H + of_norms + above, slope)
            if not promised > 0:  # rounding
                break
            length, place = self.along(point, dw, slope, e)
            towards = central - bend.times(rows.forward(dw))
            if place is point:  # what u would be is known nevertheless
                multipliers = rows.clip(towards) if found is point else multipliers
            elif found is point or self.smoothed(place, e) < lowest:
                found, lowest = place, self.smoothed(place, e)
                multipliers = rows.clip(u + min(length, 1.0) * (towards - u))
            most = max(most, promised)
            if length > SHORT or promised <= ROUNDING * max(self.value(point), self.floor):
                break
        self.smooth.learn(point, found)
        return found, multipliers, most, found is not point

    def along(self, point, dw, slope, e):
        """(length, point) of a step that lowers P_mu; the same point where there is none."""
        start, fall = self.smoothed(point, e), float(slope @ dw)
        found = self.at(point.w + dw)
        lower = self.smoothed(found, e)
        rounding = ROUNDING * abs(start)
        if lower <= start + ARMIJO * fall or (-fall <= rounding and lower <= start + rounding):
            return 1.0, found
        length = 1.0
        if self.objective.convex:
            of_f, of_rows = self.smooth.slope_along(point.w, dw), self.slope_along(point, dw, e)
            length = minimum_along(lambda t: of_f(t) + of_rows(t))
            found = self.at(point.w + length * dw)
            if self.smoothed(found, e) < start:
                return length, found
        for _ in range(HALVINGS):
            length *= 0.5
            found = self.at(point.w + length * dw)
            if self.smoothed(found, e) <= start + ARMIJO * length * fall:
                return length, found
        return 0.0, point

    def at(self, w):
        z = self.rows.b - self.rows.forward(w)
        f, slope = self.smooth.value_gradient(w)
        return _Point(w, f, slope, z, self.rows.lengths(z))

    def value(self, point):
        """The objective."""
        return point.f + float(self.rows.c @ point.w + self.rows.h @ point.r) + self.rows.constant

    def smoothed(self, point, e):
        """P_mu, up to a constant."""
        beyond = 2 * point.r**2 / (e + np.hypot(e, 2 * point.r))  # t - e
        return point.f + float(self.rows.c @ point.w + self.rows.h @ (beyond - 0.5 * e * np.log1p(beyond / e)))

    def slope_along(self, point, dw, e):
        """Derivative of P_mu without f at w + t dw, a function of t."""
        rows, change = self.rows, self.rows.forward(dw)

        def slope(t):
            z = point.z - t * change
            length = 0.5 * (e + np.hypot(e, 2 * rows.lengths(z)))
            return float(rows.c @ dw) - float(((rows.h / length)[rows.group] * z) @ change)

        return slope

    def unbalanced(self, point, u):
        """What is left of the slopes."""
        return point.slope + self.rows.c - self.rows.adjoint(u)

    def rounding(self, point, u):
        """What is rounding of the terms whose sum those are."""
        of_penalty = np.abs(self.smooth.l2 * point.w) + self.rows.sizes(u)
        return LEFT * (max(self.objective.null.mass, self.smooth.mass(point.w)) + of_penalty) + TINY

    def gap(self, point, u):
        """An estimate of the gap, and whether the slopes that are left are rounding."""
        v, rows = self.unbalanced(point, u), self.rows
        estimate = max(0.0, float(rows.h @ point.r - u @ point.z)) + float(np.abs(v) @ np.abs(point.w))
        return estimate, bool((np.abs(v) <= self.rounding(point, u)).all())

    def record(self, point, optimality):
        self.history.append((self.value(point), optimality))
        if self.callback is not None:
            self.callback(len(self.history), *self.history[-1], point.w)

    # ------------------------------------------------------------------------------------------------- its end
    def ended(self, point, u, mu, exact, message):
        """The solution: with exact zeros, where that costs nothing, and the best bound."""
        convex = self.objective.convex
        lower = self.bound(point, u, mu) if convex else 0.0
        if exact is not None:
            point, u = exact
            close = self.value(point) - lower <= self.tol * max(self.value(point), self.floor)
            lower = max(lower, self.bound(point, u, mu, corrections=0 if close else REFINED)) if convex else 0.0
        w = self.objective.feasible(point.w)
        value = self.objective.value_gradient(w)[0]
        gap = max(0.0, value - lower) if convex else self.gap(point, u)[0]
        optimality = gap / max(value, self.floor)
        converged = bool(optimality <= self.tol)
        loss = self.objective
        origin = "" if loss.loss_smooth or loss.kinks is None else loss.kinks.origin
        certificate = (
            f"the optimum is at most {gap:.1e} below the value {value:.6g} (strict duality gap{origin})"
            if convex
            else "a stationary point, so at best a local minimum: the slopes of loss and penalty leave "
            f"{gap:.1e} of the value {value:.6g} unexplained"
        )
        return Solution(
            w, value, max(1, len(self.history)), loss.n_passes, optimality, gap if convex else None,
            certificate if converged else "not a minimum: " + certificate, converged, Cones.name,
            REACHED if converged else UNPROVEN if message == REACHED else message,
            self.history or [(value, optimality)],
        )  # fmt: skip

    def as_good(self, exact, point, u):
        """Whether the exact end is none the worse for it."""
        value = self.value(point)
        lower = self.value(exact[0]) <= value + ROUNDING * max(value, self.floor)
        return lower and (self.objective.convex or self.gap(*exact)[0] <= self.gap(point, u)[0])

    @np.errstate(over="ignore", invalid="ignore")  # at places that are tried
    def exact(self, start, u, mu):
        """(point, u) with the groups that are guessed to be 0 held there; None where that leads nowhere."""
        rows, point = self.rows, start
        # A norm that costs its share of the value; where all are 0 their own mean says nothing.
        typical = max(float(rows.h @ point.r), SHARE * self.value(point)) / rows.h.sum() + TINY
        zero = (point.r < np.sqrt(mu / rows.h * typical)) | (point.r <= NEAR * rows.terms(point.w))
        on = zero[rows.group]
        A = rows.take(on)
        for _ in range(POLISH):
            outside = np.where(zero, 0.0, point.r)
            slope = self.unbalanced(point, rows.directions(point.z, outside) * rows.h[rows.group])
            H = self.smooth.hessian(point.w) + rows.bent(point.z, outside).gram()
            dw, multipliers = shortest(H, slope, A, point.z[on])
            found = self.at(point.w + dw)
            rise = self.value(found) - self.value(point)
            if not rise <= self.tol * max(self.value(point), self.floor) or (found.r[~zero] == 0).any():
                return None
            point, promised = found, 0.5 * abs(float(slope @ dw - multipliers @ (A @ dw)))
            still = promised <= EXACT * max(self.value(point), self.tol * self.floor)
            if still or np.abs(dw).max() <= SETTLED * np.abs(point.w).max():
                break
        if (point.r > OFF * (typical + rows.terms(point.w)))[zero].any():
            return None
        point.w[rows.entries(on)] = 0.0
        outside = np.where(zero, 0.0, point.r)
        guess = rows.directions(point.z, outside) * rows.h[rows.group]
        guess[on] = multipliers
        kept = on & (rows.lengths(guess) > rows.h)[rows.group]  # of rows that hang on others there are many
        point = _Point(point.w, point.f, point.slope, np.where(on, 0.0, point.z), outside)
        found = point, rows.clip(np.where(kept, u, guess))
        return found if self.as_good(found, start, u) else None

    def bound(self, point, u, mu, corrections=REFINED):
        """Strict lower bound on the optimum, from u and the tangent of the loss, both corrected; 0 where it is none."""
        rows, best, e = self.rows, 0.0, mu / self.rows.h
        for correction in range(corrections + 1):
            v = self.unbalanced(point, u)
            best = max(best, self.tangent_bound(point, u, v))
            if correction == corrections or self.gap(point, u)[1]:
                break
            t = 0.5 * (e + np.hypot(e, 2 * point.r))
            room = np.maximum(1 - rows.lengths(u) / rows.h, 0.0)
            none = np.zeros(len(rows.b))
            bend = Bend(rows, room * rows.h / t, none, none)
            K = self.smooth.hessian(point.w) + bend.gram()
            dw = _refined(factor(K), K, -v)
            u = rows.clip(u - bend.times(rows.forward(dw)))
            point = self.at(point.w + dw)
            if not np.isfinite(point.f):
                break
        return best

    def tangent_bound(self, point, u, v):
        """That bound as it stands; v is what is left of the slopes."""
        l2, w = self.smooth.l2, point.w
        free, bent = l2 == 0, l2 > 0
        if not np.isfinite(point.f) or (np.abs(v) > self.rounding(point, u))[free].any():
            return 0.0
        # f of the loss alone lies above its tangent; with the l2 penalty that is least at w - v / l2.
        loss = point.f - 0.5 * float(l2 @ w**2)
        slope = point.slope - l2 * w
        left = v - l2 * w
        bound = loss - float(slope @ w) + float(self.rows.b @ u) + self.rows.constant
        return bound - float((left[bent] ** 2 / (2 * l2[bent])).sum()) - float(np.abs(v[free]) @ np.abs(w[free]))


def _direction(K, slope):
    """(dw, half of the slope along it), 0 where only rounding is left."""
    for solve in (factor, factor_or_pseudo_inverse):
        dw = _refined(solve(K), K, -slope)
        promised = -0.5 * float(slope @ dw)
        if promised > 0:
            return dw, promised
    return 0 * slope, 0.0


def _refined(solve, K, g):
    """The solution of K x = g, with the rounding of a stiff K, and the ridge that it may take, corrected."""
    x, left = solve(g), np.inf
    for _ in range(REFINED):
        rest = g - K @ x
        if not np.abs(rest).max() < left:
            break
        best, left = x, np.abs(rest).max()
        x = x + solve(rest)
    return best if np.isfinite(left) else x
