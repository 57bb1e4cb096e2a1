"""Solvers against independent oracles, on problems drawn with fixed seeds."""

import numpy as np
import pytest
from scipy import optimize, sparse
from sklearn.datasets import load_digits

from sklloss._objective import LinearObjective
from sklloss.losses import (
    AbsoluteError,
    Hinge,
    Huber,
    LogLoss,
    Pinball,
    Poisson,
    ResidualLoss,
    SmoothL1,
    SquaredError,
    SquaredHinge,
)
from sklloss.penalties import L2, Penalty
from sklloss.solvers import SOLVERS, choose_solver, get_solver, solve_columns


class L1(Penalty):
    """The lasso penalty, which the solver of kinks takes as further rows."""

    def l1_operator(self, n_features):
        return np.ones(n_features)


class Insensitive(ResidualLoss):
    """Two kinks in one row."""

    smooth = False
    relu = (1.0, -0.5), (-1.0, -0.5)


def solve(objective, solver="auto", tol=1e-8):
    return solve_columns(get_solver(solver, objective), objective, objective.null.params, tol=tol, max_iter=1000)


def by_linear_program(X, y, loss, weight, alpha, unit=1.0):
    """Optimum of a piecewise linear loss with an l1 penalty, by HiGHS on the primal problem with costs in a unit."""
    offset, slope = loss.argument(y)
    n, d = X.shape
    A = np.column_stack([X, np.ones(n)]) * slope[:, None]
    blocks, right = [], []
    K = len(loss.relu)
    for k, (c, o) in enumerate(loss.relu):  # c (offset + A w) + o <= slack_k
        slack = sparse.csr_array((-np.ones(n), (np.arange(n), k * n + np.arange(n))), shape=(n, K * n))
        blocks.append(sparse.hstack([sparse.csr_array(c * A), sparse.csr_array((n, d)), slack]))
        right.append(-(c * offset + o))
    eye = sparse.eye_array(d)
    nothing, rest = sparse.csr_array((d, 1)), sparse.csr_array((d, K * n))
    blocks += [sparse.hstack([eye, nothing, -eye, rest]), sparse.hstack([-eye, nothing, -eye, rest])]
    cost = np.concatenate([np.zeros(d + 1), np.full(d, alpha), np.tile(weight / weight.sum(), K)])
    bounds = [(None, None)] * (d + 1) + [(0, None)] * (d + K * n)
    result = optimize.linprog(
        cost / unit, A_ub=sparse.vstack(blocks), b_ub=np.concatenate([*right, np.zeros(2 * d)]), bounds=bounds
    )
    assert result.status == 0
    return unit * result.fun


def hard_problem(seed):
    """X, y, loss, weight, alpha: ties, duplicates, constant and collinear columns, heavy tails, wide weights."""
    rng = np.random.default_rng(seed)

    def pick(*options):
        return options[rng.integers(len(options))]

    n, d = int(rng.integers(20, 200)), int(rng.integers(1, 12))
    X = rng.normal(size=(n, d))
    kind = pick("plain", "integer", "duplicate rows", "duplicate columns", "constant", "collinear", "scales", "cauchy")
    if kind == "integer":
        X = rng.integers(-2, 3, (n, d)).astype(float)
    elif kind == "duplicate rows":
        X = X[rng.integers(0, n // 4, n)]
    elif kind == "duplicate columns":
        X[:, d // 2 :] = X[:, : d - d // 2]
    elif kind == "constant":
        X[:, ::3] = 7.0
    elif kind == "collinear" and d > 1:
        X[:, -1] = X[:, 0] + 1e-9 * X[:, -1]
    elif kind == "scales":
        X *= 10 ** rng.uniform(-3, 3, d)
    elif kind == "cauchy":
        X = rng.standard_cauchy((n, d))
    y = X @ rng.normal(size=d) / np.maximum(1, np.abs(X).max(axis=0)).max() + pick(0, 1) * rng.standard_t(1.5, n)
    if kind in ("integer", "duplicate rows"):
        y = np.round(y)
    loss = pick(AbsoluteError(), Pinball(0.05), Pinball(0.9), Insensitive(), Hinge())
    if isinstance(loss, Hinge):
        y = (y + 0.3 * rng.normal(size=n) > np.median(y)).astype(float)
    weight = pick(np.ones(n), rng.integers(0, 3, n).astype(float), 10 ** rng.uniform(-6, 0, n))
    weight[0] = 1.0
    return X, y, loss, weight, pick(0.0, 0.0, 1e-3, 0.1), kind


@pytest.mark.parametrize("seed", range(120))
def test_kinked_losses_agree_with_linear_programs_and_prove_it(seed):
    X, y, loss, weight, alpha, kind = hard_problem(seed)
    objective = LinearObjective(X, y, loss, penalty=L1(), alpha=alpha, sample_weight=weight)
    solution = solve(objective)
    oracle = by_linear_program(X, y, loss, weight, alpha)
    scale = max(solution.value, 1e-6 * objective.null.value, 1e-12)
    # With columns that differ by 1e-9 coefficients reach 1e9, and the raw predictions are rounded accordingly.
    rounding = 4 * np.finfo(float).eps * np.abs(solution.params).sum()
    what = f"{kind}, {loss}, alpha={alpha}, {solution.message}"
    # HiGHS is feasible to 1e-7, so its value is right to about that of the largest slack.
    assert solution.value - oracle <= 1e-7 * scale + 1e-9 + rounding, what
    assert solution.value - solution.gap - oracle <= 1e-7 * scale + 1e-9 + rounding, (
        f"the bound is above the optimum: {what}"
    )
    assert solution.gap <= 1e-7 * scale + rounding, what


@pytest.mark.parametrize("seed", range(8))
def test_more_columns_than_rows_and_a_small_penalty_are_still_exact(seed):
    rng = np.random.default_rng(seed)
    n, d = 40, 100
    X, weight = rng.normal(size=(n, d)), 10 ** rng.uniform(-6, 0, n)
    y, alpha, loss = X @ rng.normal(size=d) + rng.normal(size=n), 10 ** rng.uniform(-9, -6), Pinball(0.42)
    objective = LinearObjective(X, y, loss, penalty=L1(), alpha=alpha, sample_weight=weight)
    solution = solve(objective, tol=1e-9)
    # HiGHS ends where slopes are right to 1e-7, which is much beside the penalty unless that is the unit.
    oracle = by_linear_program(X, y, loss, weight, alpha, unit=alpha)
    assert solution.converged
    assert abs(solution.value - oracle) <= 1e-6 * oracle
    assert solution.gap <= 1e-9 * max(solution.value, 1e-6 * objective.null.value)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("loss", [Pinball(0.9), AbsoluteError(), Insensitive(), Hinge()], ids=repr)
def test_large_problems_are_reduced_and_still_solved_exactly(loss, fit_intercept):
    rng = np.random.default_rng(0)
    n, d = 6000, 5
    X = rng.normal(size=(n, d))
    y = X @ np.arange(d) + 1 + rng.standard_t(2, n)
    y = (y > 1).astype(float) if isinstance(loss, Hinge) else y
    weight = rng.integers(0, 3, n).astype(float)
    for penalty in (None, L2()):
        options = {"penalty": penalty, "alpha": 1e-3, "sample_weight": weight, "fit_intercept": fit_intercept}
        dense = solve(LinearObjective(X, y, loss, **options))
        assert "rounds" in dense.message  # it did go through the reduction
        assert dense.gap <= 1e-9 * dense.value
        in_csr = solve(LinearObjective(sparse.csr_array(X), y, loss, **options))
        assert in_csr.value == pytest.approx(dense.value, rel=1e-9)


def test_a_kinked_loss_with_l2_satisfies_its_subgradient_condition():
    # At the optimum alpha * w = sum weight_i u_i x_i with u_i in the box of row i: checked by a bounded least squares.
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(40, 3)), rng.normal(size=40)
    objective = LinearObjective(X, y, Pinball(0.7), penalty=L2(), alpha=0.05)
    coef, intercept = objective.unpack(solve(objective).params)
    r = y - X @ coef[0] - intercept[0]
    low, high = np.where(r > 1e-9, 0.7, -0.3), np.where(r < -1e-9, -0.3, 0.7)
    A = np.vstack([X.T, np.ones(40)]) / 40
    fit = optimize.lsq_linear(A, np.append(0.05 * coef[0], 0.0), bounds=(low - 1e-12, high + 1e-12), tol=1e-15)
    assert np.sqrt(2 * fit.cost) < 1e-9


# ------------------------------------------------------------------------------------------------ the objective
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("offset", [0.0, 1e6])
@pytest.mark.parametrize("loss", [SquaredError(), Huber(), Poisson(), LogLoss(), SquaredHinge()], ids=repr)
def test_gradient_and_hessian_of_the_objective_agree_with_differences(loss, offset, fit_intercept):
    rng = np.random.default_rng(2)
    X = rng.normal(size=(300, 3)) * [1, 10, 0.1] + offset * fit_intercept
    y = rng.integers(0, 2, 300).astype(float)
    objective = LinearObjective(X, y, loss, penalty=L2(), alpha=0.3, fit_intercept=fit_intercept)
    theta, h = 0.3 * rng.normal(size=objective.n_params), 1e-4
    eye = np.eye(len(theta))
    slope = [
        (objective.value_gradient(theta + h * e)[0] - objective.value_gradient(theta - h * e)[0]) / 2 / h for e in eye
    ]
    np.testing.assert_allclose(objective.value_gradient(theta)[1], slope, rtol=1e-6, atol=1e-7)
    bend = [
        (objective.value_gradient(theta + h * e)[1] - objective.value_gradient(theta - h * e)[1]) / 2 / h for e in eye
    ]
    # A row of a piecewise loss that changes its piece within h counts for 1/300 of the curvature.
    np.testing.assert_allclose(objective.hessian(theta), bend, rtol=1e-5, atol=0.02)


def test_softmax_gradient_and_hessian_agree_with_differences():
    rng = np.random.default_rng(3)
    X, y = rng.normal(size=(50, 2)), rng.integers(0, 3, 50)
    objective = LinearObjective(X, y, LogLoss(), penalty=L2(), alpha=0.3, n_outputs=3)
    theta, h = rng.normal(size=9), 1e-5
    bend = [
        (objective.value_gradient(theta + h * e)[1] - objective.value_gradient(theta - h * e)[1]) / 2 / h
        for e in np.eye(9)
    ]
    # Along a common shift of the intercepts, which have no penalty, the Hessian is made regular: compare without it.
    shift = np.zeros(9)
    shift[[2, 5, 8]] = 1 / np.sqrt(3)
    project = np.eye(9) - np.outer(shift, shift)
    np.testing.assert_allclose(project @ objective.hessian(theta) @ project, bend, rtol=1e-6, atol=1e-8)
    assert np.linalg.eigvalsh(objective.hessian(theta)).min() > 0.01


@pytest.mark.parametrize("layout", [np.asarray, sparse.csr_array])
def test_blocks_do_not_change_the_objective(monkeypatch, layout):
    rng = np.random.default_rng(4)
    X, y = layout(rng.normal(size=(1000, 3))), rng.normal(size=1000)
    weight = rng.integers(0, 2, 1000).astype(float)
    whole = LinearObjective(X, y, Huber(), sample_weight=weight)
    monkeypatch.setattr("sklloss._design.BLOCK_BYTES", 1)  # 256 rows, the least
    blocked = LinearObjective(X, y, Huber(), sample_weight=weight)
    theta = rng.normal(size=4)
    assert blocked.design.block < whole.design.block
    assert blocked.value_gradient(theta)[0] == pytest.approx(whole.value_gradient(theta)[0], rel=1e-14)
    np.testing.assert_allclose(blocked.hessian(theta), whole.hessian(theta), rtol=1e-12)


def test_entries_of_a_sparse_matrix_that_are_given_in_parts_are_added():
    X = sparse.csr_array(([1.0, 2.0, 5.0, 4.0], [1, 1, 0, 1], [0, 2, 3, 4]), shape=(3, 2))
    parts, sums = (LinearObjective(A, np.ones(3), Huber()).design for A in (X, X.toarray()))
    np.testing.assert_allclose(parts.centre, sums.centre, rtol=1e-15)
    np.testing.assert_allclose(parts.spread, sums.spread, rtol=1e-15)
    np.testing.assert_array_equal(X.indices, [1, 1, 0, 1])  # those of the caller are left as they are


def test_rows_of_weight_zero_contribute_nothing_even_where_their_loss_overflows():
    X = np.array([[1.0], [2.0], [1e5]])
    y = np.array([1.0, 3.0, 1.0])
    objective = LinearObjective(X, y, Poisson(), sample_weight=np.array([1.0, 1.0, 0.0]))
    value, gradient = objective.value_gradient(objective.pack(np.array([[1.0]]), np.array([0.0])))
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()


def test_pack_and_unpack_are_inverse():
    rng = np.random.default_rng(5)
    objective = LinearObjective(rng.normal(1e6, 2.0, (50, 3)), rng.normal(size=50), SquaredError())
    coef, intercept = rng.normal(size=(1, 3)), np.array([7.0])
    back = objective.unpack(objective.pack(coef, intercept))
    np.testing.assert_allclose(back[0], coef, rtol=1e-14)
    np.testing.assert_allclose(back[1], intercept, atol=1e-8)  # 1e6 * 3 coefficients, to 16 digits


# ------------------------------------------------------------------------------------------------ single solvers
def test_the_choice_follows_the_facts():
    X, y = np.random.default_rng(6).normal(size=(30, 2)), np.arange(30) % 2.0

    def choice(loss, **options):
        return choose_solver(LinearObjective(X, y, loss, **options))

    assert choice(SquaredError()) == "least_squares"
    assert choice(Huber()) == choice(LogLoss()) == "newton"
    assert choice(Hinge()) == choice(SmoothL1(0.0)) == "kinks"
    wide = LinearObjective(np.random.default_rng(0).normal(size=(20, 1500)), y[:20], LogLoss())
    assert choose_solver(wide) == "lbfgs"
    assert all(SOLVERS[name].name == name for name in SOLVERS)


def test_least_squares_of_nearly_dependent_columns_keeps_its_digits():
    # Powers of t: the Gram matrix has lost all digits, the rows have not.
    t = np.linspace(0, 1, 60)
    X = np.column_stack([t**k for k in range(1, 9)])
    truth = np.array([1, -2, 3, -4, 5, -6, 7, -8.0])
    objective = LinearObjective(X, X @ truth + 2, SquaredError())
    solution = solve(objective)
    assert "singular value" in solution.message
    coef, intercept = objective.unpack(solution.params)
    np.testing.assert_allclose(coef[0], truth, rtol=1e-5)
    assert intercept[0] == pytest.approx(2, abs=1e-8)


def test_newton_descends_where_a_robust_loss_has_no_curvature():
    # From the mean, 99 % of the residuals lie beyond delta: the plain Newton step is worthless.
    rng = np.random.default_rng(7)
    X = rng.normal(size=(500, 5))
    y = 1000 * X[:, 0] + rng.normal(size=500)
    solution = solve(LinearObjective(X, y, Huber(0.5)))
    assert solution.converged
    assert solution.n_iter < 60


@pytest.mark.parametrize("loss", [LogLoss(), SquaredHinge(), Hinge()], ids=repr)
def test_separable_classes_end_in_a_finite_fit(loss):
    X = np.concatenate([np.linspace(-2, -1, 20), np.linspace(1, 2, 20)])[:, None]
    y = np.repeat([0.0, 1.0], 20)
    for options in ({}, {"penalty": L2(), "alpha": 1e-8}):
        solution = solve(LinearObjective(X, y, loss, **options), tol=1e-6)
        assert np.isfinite(solution.params).all()
        assert solution.converged
        assert solution.value < 1e-4


@pytest.mark.parametrize("loss", [LogLoss(), SquaredHinge(), Huber(), Poisson()], ids=repr)
def test_many_rows_and_columns_take_no_hessian_of_all_rows(loss, monkeypatch):
    rng = np.random.default_rng(0)
    units = np.logspace(-2, 2, 30)
    X = rng.normal(size=(30_000, 30)) * units + 3
    f = X @ (rng.normal(size=30) / units) / 2
    y = rng.poisson(np.exp(0.3 * (f - f.mean()))) if isinstance(loss, Poisson) else f + rng.standard_t(3, len(f))
    y = (y > np.median(y)).astype(float) if isinstance(loss, LogLoss | SquaredHinge) else y.astype(float)
    objective = LinearObjective(X, y, loss, penalty=L2(), alpha=1e-3)
    rows_of_hessians = []
    hessian = LinearObjective.hessian

    def counted(self, params):
        rows_of_hessians.append(self.design.n_rows)
        return hessian(self, params)

    monkeypatch.setattr(LinearObjective, "hessian", counted)
    solution = solve(objective, tol=1e-6)
    assert solution.converged
    assert max(rows_of_hessians) == len(X) // 5
    # tol bounds the gradient and what a step promises, which is the suboptimality to second order
    best = solve(objective, "lbfgs", tol=1e-13)
    assert solution.value - best.value <= 2e-6 * best.value
    assert best.value - 1e-13 <= solution.value
    assert solution.value - solution.gap <= best.value


def test_preconditioned_lbfgs_needs_few_passes_on_ill_conditioned_columns():
    rng = np.random.default_rng(8)
    factor = np.linalg.cholesky(0.95 ** np.abs(np.subtract.outer(range(20), range(20))))
    X = rng.normal(size=(4000, 20)) @ factor.T * np.logspace(0, 4, 20)
    y = (X @ rng.normal(size=20) / X.std(axis=0).max() + rng.logistic(size=4000) > 0).astype(float)
    objective = LinearObjective(X, y, LogLoss(), penalty=L2(), alpha=1e-4)
    assert solve(objective, "lbfgs", tol=1e-6).converged
    assert objective.n_passes < 60


def test_lbfgs_that_takes_too_long_goes_on_by_newton():
    X, y = load_digits(return_X_y=True)  # of classes that are far apart
    objective = LinearObjective(X[::2], y[::2], LogLoss(), penalty=L2(), alpha=1e-4, n_outputs=10)
    slow, best = solve(objective, "lbfgs", tol=1e-9), solve(objective, "newton", tol=1e-9)
    assert slow.converged
    assert slow.n_iter < 100
    assert slow.value == pytest.approx(best.value, rel=1e-12)
    assert slow.gap <= 1e-12


def test_the_duality_gap_of_a_smooth_loss_is_a_bound():
    rng = np.random.default_rng(9)
    X, y = rng.normal(size=(100, 4)), rng.integers(0, 2, 100).astype(float)
    objective = LinearObjective(X, y, LogLoss(), penalty=L2(), alpha=0.01, fit_intercept=False)
    best = solve(objective, tol=1e-10).value
    for size in (1e-1, 1e-3, 1e-5):
        theta = solve(objective).params + size * rng.normal(size=4)
        value = objective.value_gradient(theta)[0]
        assert value - best <= objective.gap(theta) * (1 + 1e-9)


def test_a_lost_solver_says_so():
    class Silent(ResidualLoss):
        smooth = False

    objective = LinearObjective(np.ones((3, 1)), np.arange(3.0), Silent())
    with pytest.raises(ValueError, match=r"smoothed\(width\), .* Use solver='auto' or one of \['averaging'\]"):
        get_solver("smoothing", objective)
    with pytest.raises(ValueError, match="must be a name or a callable"):
        get_solver(3, objective)
