"""Solvers: one algorithm a file; `choose_solver` is the automatic choice."""

from ._averaging import Averaging
from ._base import Solution, Solver, Stopped, choose_solver, solve_columns, together
from ._cones import Cones
from ._crossing import without_crossing
from ._descent import Descent
from ._epigraph import Epigraph
from ._follow import Memory, extrapolated, next_solution
from ._group_sets import GroupSets
from ._kinks import Kinks
from ._lbfgs import LBFGS
from ._least_squares import LeastSquares
from ._minimize import Minimize
from ._newton import Newton
from ._proximal_newton import ProximalNewton
from ._smoothing import Smoothing
from ._split import Split
from ._truncated import Truncated

__all__ = [
    "SOLVERS",
    "Solution",
    "Solver",
    "Stopped",
    "choose_solver",
    "follow",
    "get_solver",
    "solve_columns",
    "together",
    "without_crossing",
]

_ALL = (
    LeastSquares, Newton, LBFGS, Kinks, Epigraph, ProximalNewton, Split, Cones, GroupSets,
    Smoothing, Truncated, Averaging, Descent,
)  # fmt: skip
SOLVERS: dict[str, Solver] = {solver.name: solver() for solver in _ALL}

_SCIPY_METHODS = {
    name.lower(): name
    for name in (
        "Nelder-Mead", "Powell", "CG", "BFGS", "Newton-CG", "L-BFGS-B", "TNC", "COBYLA", "SLSQP",
        "trust-constr", "trust-ncg", "trust-exact", "trust-krylov",
    )
}  # fmt: skip


def get_solver(solver, objective) -> Solver:
    """Return the solver for an objective.

    Parameters
    ----------
    solver : str or callable
        "auto", a name in `SOLVERS`, a method of `scipy.optimize.minimize`, or a callable with its interface.
    objective : LinearObjective

    Raises
    ------
    ValueError
        For an unknown name, and where the solver cannot solve the objective: why, and which can.
    """
    auto = choose_solver(objective)
    if isinstance(solver, str):
        name = auto if solver == "auto" else solver
        if name in SOLVERS:
            chosen = SOLVERS[name]
        elif name.lower() in _SCIPY_METHODS:
            chosen = Minimize(_SCIPY_METHODS[name.lower()])
        else:
            known = ", ".join(["auto", *SOLVERS, *_SCIPY_METHODS.values()])
            raise ValueError(f"Unknown solver {solver!r}; it must be a callable or one of: {known}.")
    elif callable(solver):
        chosen = Minimize(solver)
    else:
        raise ValueError(f"solver must be a name or a callable, got {solver!r}.")
    reason = chosen.unsupported(objective)
    if reason is None:
        return chosen
    able = [name for name, other in SOLVERS.items() if other.unsupported(objective) is None]
    remedy = f"Use solver='auto' or one of {able}." if able else "No solver here can; declare its kinks as relu."
    raise ValueError(f"solver={solver!r} cannot minimise this objective: {reason}. {remedy}")


def follow(objectives, solver, start, guide=None, hessians=None, **options) -> list[Solution]:
    """Solve neighbouring objectives of the same data one after the other, each from what is known by then.

    Parameters
    ----------
    objectives : iterable of LinearObjective
        Of one output, or of coupled ones; as along a path of alphas.
    solver : str or callable
        As for `get_solver`.
    start : ndarray
        Where the first begins.
    guide : list of pairs (minimum, Hessian or None), default=None
        Of similar objectives, as of all rows where these are of some: what is followed is the difference.
        The solutions are then means to an end: of smooth objectives without a gap in their certificate.
    hessians : list, default=None
        Is given the Hessian near each minimum, or None, for others to be guided by.
    **options : dict
        ``tol`` and ``max_iter`` of `Solver.solve`.
    """
    found: list[Solution] = []
    memory = Memory(brief=guide is not None)
    for k, objective in enumerate(objectives):
        params, hessian = start, None
        if objective.convex:  # else where a fit ends depends on where it starts, and each starts on its own
            # What changes evenly along the path: the minimum itself, or its distance from the guide.
            if guide is not None:
                apart = [at.params - guide[i][0] for i, at in enumerate(found)]
                params, hessian = guide[k][0] + extrapolated(apart, objective.loss_smooth), guide[k][1]
            elif found:
                params = extrapolated([at.params for at in found], objective.loss_smooth)
        found.append(next_solution(objective, get_solver(solver, objective), params, memory, hessian, **options))
        if hessians is not None:
            hessians.append(memory.hessian)
    return found
