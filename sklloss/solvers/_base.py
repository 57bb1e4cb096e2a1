"""What a solver is, what it returns, and which one is chosen."""

from dataclasses import dataclass, field

import numpy as np

__all__ = ["Solution", "Solver", "choose_solver", "smooth_solution", "solve_columns", "together"]

PROXIMAL_PARAMS = 300  # beyond, an interior point over all parameters costs more than over a working set
EPIGRAPH_ENTRIES = 3e7  # beyond, the rows of all classes fill hundreds of megabytes
GRAM_WORK = 4e9  # rows x parameters**2; up to it one Gram matrix of all columns is cheaper than those of working sets
COUPLED_WORK = 2e9  # rows x parameters**2; beyond, the Gram matrices of all pairs of classes cost more than they save
VARIATION_ENTRIES = 1e7  # of the differences between outputs of every row; each has two outputs
NEWTON_PARAMS = 1000  # beyond, a Hessian costs more than the passes it saves


@dataclass
class Solution:
    """The result of a fit, with its certificate.

    Attributes
    ----------
    params : ndarray
        The solver's parameters, float64.
    value : float
        Objective at ``params``: weighted mean loss + alpha * penalty.
    n_iter : int
        Iterations, at least 1.
    n_passes : int
        How often the whole of X was read.
    optimality : float
        What ``tol`` bounds: smooth objectives, the largest entry of the gradient relative to that of the model
        without features; kinked ones, the duality gap relative to the value.  0 at rounding level.
    gap : float or None
        Strict bound on ``value`` minus the optimum, where there is one.
    certificate : str
        One sentence: what is proved about ``params``.
    converged : bool
    solver, message : str
    history : list of (float, float)
        Objective and optimality at each iteration.
    """

    params: np.ndarray
    value: float
    n_iter: int
    n_passes: int
    optimality: float
    gap: float | None
    certificate: str
    converged: bool
    solver: str
    message: str = ""
    history: list[tuple[float, float]] = field(default_factory=list, repr=False)


class Stopped(Exception):
    """Raised by a callback that wants the iterations to end; carries the last of them."""

    def __init__(self, params, value, optimality, n_iter):
        super().__init__("stopped by a callback")
        self.params, self.value, self.optimality, self.n_iter = params, value, optimality, n_iter


class Solver:
    """Base class: a name, the reason why an objective is beyond it, and ``solve``."""

    name: str

    def unsupported(self, objective) -> str | None:
        """Why this solver cannot solve the objective, in words; None if it can."""
        raise NotImplementedError

    def solve(self, objective, params, *, tol, max_iter, callback=None) -> Solution:
        """Minimise the objective from ``params`` to the dimensionless ``tol``.

        ``callback(n_iter, value, optimality, params)`` is called once an iteration; params is None where the iteration
        has none of its own, as in an interior point.
        """
        raise NotImplementedError


def choose_solver(objective) -> str:
    """Name of the solver for an objective, from its facts: the whole automatic choice."""
    absolute = objective.norms is None or objective.norms.absolute
    if objective.kinked and absolute:
        return "kinks"  # exact: interior point, snap to the active set, strict dual bound
    entries = objective.design.n_rows * objective.n_outputs * objective.n_params
    if objective.polyhedral and absolute and objective.n_params <= NEWTON_PARAMS and entries <= EPIGRAPH_ENTRIES:
        return "epigraph"  # exact likewise, with a variable more for each row
    if objective.loss.truncated is not None:
        return "truncated"  # convex-concave steps from the convex start; a local minimum
    if _has_many_groups(objective):
        return "group_sets"  # a working set of groups, solved as follows
    if _has_cones(objective):
        return "cones"  # norms of groups or of differences: a primal-dual Newton method, and exact zeros
    if not objective.loss_smooth and hasattr(objective.loss, "smoothed"):
        return "smoothing"  # smooth losses that close in on a convex one, with a strict bound
    if not objective.loss_smooth and not objective.loss.elementwise:
        return "descent"  # kinks that depend on all rows at once: gradient sampling, a local minimum
    if not objective.loss_smooth and objective.kinks is None:
        return "averaging"  # kinks that nobody declared: averages over narrower and narrower windows, no bound
    rows = objective.design.n_rows
    cheap = objective.loss.quadratic and objective.p <= rows and rows * objective.p**2 <= GRAM_WORK
    most = PROXIMAL_PARAMS if objective.sparse and not cheap else NEWTON_PARAMS
    if not objective.smooth and objective.smooth_part.has_curvature and objective.n_params <= most:
        return "proximal_newton"  # quadratic models of the smooth part, with exact kinks
    if not objective.smooth:
        return "split"  # many parameters: a working set of them, or L-BFGS-B on positive and negative parts
    if objective.quadratic and objective.p <= NEWTON_PARAMS:
        return "least_squares"  # one pass, one factorisation
    dear = objective.coupled and rows * objective.n_params**2 > COUPLED_WORK
    if objective.convex and objective.has_curvature and objective.n_params <= NEWTON_PARAMS and not dear:
        return "newton"  # few passes, ends at rounding level
    return "lbfgs"  # many parameters, no curvature, or not convex


def _has_many_groups(objective):
    """Whether a smooth loss has a penalty that leaves most of many groups at 0."""
    many = objective.in_groups and objective.n_params > PROXIMAL_PARAMS
    return many and objective.loss_smooth and not objective.bounded and objective.smooth_part.has_curvature


def _has_cones(objective):
    """Whether norms are in the objective, other than a few absolute values, which are kinks like others."""
    if objective.variation is not None:
        rows = objective.design.n_rows * len(objective.variation.norms.group)
        return objective.n_params <= NEWTON_PARAMS and rows * objective.p <= VARIATION_ENTRIES
    if objective.norms is None or (not objective.loss_smooth and objective.kinks is None):
        return False
    if not objective.norms.absolute or objective.kinked or objective.n_params > PROXIMAL_PARAMS:
        return True
    return not objective.smooth_part.has_curvature


def smooth_solution(objective, params, *, tol, n_iter, solver, message="", history=()):
    """Solution of a smooth objective, certified from its parameters alone."""
    value, gradient = objective.value_gradient(params)
    optimality, gap = objective.optimality(gradient), objective.gap(params)
    converged = bool(np.isfinite(value)) and optimality <= tol
    kind = "a minimum" if objective.convex else "a stationary point, so at best a local minimum"
    certificate = f"{kind}: the gradient is {optimality:.1e} of that of the model without features"
    if gap is not None:
        certificate += f"; the optimum is at most {gap:.1e} below the value {value:.6g} (duality gap)"
    if not converged:
        certificate = "not " + certificate
    return Solution(
        params, value, max(1, n_iter), objective.n_passes, optimality, gap, certificate, converged, solver, message,
        list(history) or [(value, optimality)],
    )  # fmt: skip


def solve_columns(solver, objective, params, **options) -> Solution:
    """Solve each output on its own where outputs are not coupled, and put the solutions together.

    The numbers are those of one fit for each output, whatever the other outputs are.
    """
    if objective.n_outputs == 1 or objective.coupled:
        return solver.solve(objective, params, **options)
    parts, callback = [], options.pop("callback", None)
    params = params.reshape(objective.n_outputs, -1).copy()
    for k, start in enumerate(params):
        watched = None if callback is None else _of_column(callback, params, k)
        parts.append(solver.solve(objective.column(k), start, callback=watched, **options))
        params[k] = parts[-1].params
    return together(parts, objective.n_passes)


def together(parts, n_passes) -> Solution:
    """The solution of all columns, from one for each."""
    worst = max(parts, key=lambda part: part.optimality)
    length = max(len(part.history) for part in parts)
    aligned = [part.history + part.history[-1:] * (length - len(part.history)) for part in parts]
    return Solution(
        params=np.concatenate([part.params for part in parts]),
        value=sum(part.value for part in parts),
        n_iter=max(part.n_iter for part in parts),
        n_passes=n_passes,
        optimality=worst.optimality,
        gap=None if any(part.gap is None for part in parts) else sum(part.gap for part in parts),
        certificate=f"the worst of {len(parts)} columns: {worst.certificate}",
        converged=all(part.converged for part in parts),
        solver=worst.solver,
        message="; ".join(dict.fromkeys(part.message for part in parts)),
        history=[(sum(v for v, _ in step), max(o for _, o in step)) for step in zip(*aligned, strict=True)],
    )


def _of_column(callback, params, k):
    """A callback of column k that hands on the parameters of all columns, as far as they are."""

    def of_all(n_iter, value, optimality, column=None):
        if column is not None:
            params[k] = column
        callback(n_iter, value, optimality, None if column is None else params.ravel().copy())

    return of_all
