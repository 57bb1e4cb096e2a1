"""What follows a path: steps along edges end at the minimum, as few rows as may be, and the bound is that of all."""

import numpy as np
import pytest
from scipy import optimize

from sklloss import LossRegressor, get_loss, loss_path
from sklloss._objective import LinearObjective
from sklloss.losses import Pinball
from sklloss.penalties import L1
from sklloss.solvers import SOLVERS, _follow
from sklloss.solvers._dual_bound import dual_bound
from sklloss.solvers._interior_point import KinkedRows
from sklloss.solvers._vertex import descend, vertex

from .common import classification_data, regression_data


def kinked_rows(seed, l1=0.0, l2=0.0, ties=False):
    """Rows of one kink with slopes of their own, with an intercept last."""
    rng = np.random.default_rng(seed)
    A, b = rng.normal(size=(60, 4)), rng.standard_t(2, 60)
    if ties:
        A, b = np.round(A), np.round(b)
    A[:, -1] = 1.0
    low, high = -rng.uniform(0.1, 1.0, (1, 60)), rng.uniform(0.1, 1.0, (1, 60))
    free = np.array([1.0, 1.0, 1.0, 0.0])
    return KinkedRows(A, b[None], low, high, l1 * free, l2 * free)


def least(rows):
    """The minimum as a linear program by HiGHS, or a quadratic one by a bounded quasi-Newton method on the dual."""
    if not rows.curved:
        m, p = rows.A.shape
        A = np.vstack([rows.A, np.eye(p)[rows.penalised]])
        m = len(A)
        cost = np.concatenate([np.zeros(p), rows.hi, -rows.lo])
        bounds = [(None, None)] * p + [(0, None)] * (2 * m)
        return optimize.linprog(cost, A_eq=np.hstack([A, np.eye(m), -np.eye(m)]), b_eq=rows.b, bounds=bounds).fun
    cp = pytest.importorskip("cvxpy")
    w = cp.Variable(rows.A.shape[1])
    z = rows.kinks[0] - rows.A @ w
    value = cp.sum(cp.maximum(cp.multiply(rows.low[0], z), cp.multiply(rows.high[0], z)))
    value += rows.l1 @ cp.abs(w) + 0.5 * rows.l2 @ cp.square(w)
    return cp.Problem(cp.Minimize(value)).solve(solver=cp.CLARABEL)


@pytest.mark.parametrize(("l1", "l2"), [(0.0, 0.0), (2.0, 0.0), (0.0, 3.0), (1.0, 1.0)])
@pytest.mark.parametrize("seed", range(5))
def test_steps_along_edges_end_at_the_minimum_from_anywhere(seed, l1, l2):
    rows = kinked_rows(seed, l1, l2)
    start = np.random.default_rng(seed).normal(size=4)
    w, u = (descend if l2 else vertex)(rows, start)
    assert rows.primal(w) == pytest.approx(least(rows), rel=1e-7)
    assert rows.primal(w) - dual_bound(rows, u, w) <= 1e-12 * rows.primal(w)


@pytest.mark.parametrize("l2", [0.0, 1.0])
@pytest.mark.parametrize("seed", range(10))
def test_where_rows_tie_the_steps_find_the_minimum_or_say_so(seed, l2):
    rows = kinked_rows(seed, 0.0, l2, ties=True)
    found = (descend if l2 else vertex)(rows, np.zeros(4))
    if found is not None and rows.primal(found[0]) - dual_bound(rows, found[1], found[0]) <= 1e-12:
        assert rows.primal(found[0]) == pytest.approx(least(rows), rel=1e-7)


@pytest.mark.parametrize("penalty", [None, "l1", "l2", "elasticnet"])
def test_levels_that_follow_one_another_are_each_exact(penalty):
    X, y = regression_data(n=3000)
    levels = np.linspace(0.05, 0.95, 19)
    model = LossRegressor(Pinball(levels), penalty, alpha=1e-3).fit(X, y)
    assert model.solution_.converged
    assert "neighbour" in model.solution_.message
    assert model.solution_.gap <= 1e-9 * model.solution_.value
    single = sum(
        LossRegressor(Pinball(level), penalty, alpha=1e-3, tol=1e-10).fit(X, y).solution_.value for level in levels
    )
    assert model.solution_.value == pytest.approx(single, rel=1e-9)


@pytest.mark.parametrize("loss", ["absolute_error", "epsilon_insensitive", "hinge"])
def test_paths_of_kinked_losses_follow_and_are_certified(loss):
    X, y = regression_data(n=3000)
    y = (y > 0) if loss == "hinge" else y
    path = loss_path(X, y, loss, "l2", np.geomspace(1, 1e-3, 8))
    assert any("neighbour" in solution.message for solution in path.solutions)
    assert all(solution.converged and solution.gap <= 1e-6 * solution.value for solution in path.solutions)


def test_where_the_steps_fail_the_interior_point_goes_on(monkeypatch):
    X, y = regression_data(n=3000)
    expected = loss_path(X, y, "absolute_error", "l2", [1e-1, 1e-2])
    monkeypatch.setattr(_follow, "descend", lambda rows, w: None)
    path = loss_path(X, y, "absolute_error", "l2", [1e-1, 1e-2])
    assert "interior point" in path.solutions[1].message
    np.testing.assert_allclose(path.coef, expected.coef, atol=1e-6)


@pytest.mark.parametrize("loss", ["log_loss", "squared_hinge"])
def test_a_point_that_is_no_minimum_is_not_certified_as_one(loss):
    X, y = classification_data(n=200)
    objective = LinearObjective(X, (y == y[0]).astype(float), get_loss(loss), penalty=L1(), alpha=0.01)
    solver = SOLVERS["proximal_newton"]
    best = solver.solve(objective, objective.null.params, tol=1e-6, max_iter=100)
    rng = np.random.default_rng(0)
    for far in (1e-3, 1e-2, 0.1):
        w = objective.with_best_intercept(best.params + far * rng.normal(size=objective.n_params))
        given = objective, w, objective.hessian(w)
        assert solver.certify(*given, tol=1e-8, history=[]) is None
        loose = solver.certify(*given, tol=10.0, history=[])
        assert loose.gap >= loose.value - best.value > 0
