"""A share of the random problems of examples/benchmarks/fuzz.py, each compared with independent solvers.

``pytest -s tests/test_fuzz.py`` prints the table.
"""

import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from sklloss import LossRegressor, get_loss
from sklloss.losses import Pinball

from .common import CLASSIFICATION, REGRESSION

pytest.importorskip("cvxpy", reason="cvxpy is in the extra 'oracle'")
sys.path.insert(0, str(Path(__file__).parents[1] / "examples" / "benchmarks"))

import fuzz

SHARE = 0.2


@pytest.fixture(scope="module")
def results():
    found = [fuzz.check(fuzz.problem(seed)) for seed in fuzz.seeds(SHARE)]
    print("\n" + fuzz.table(found))
    return found


def test_no_value_and_no_bound_is_proved_wrong_by_an_independent_solver(results):
    assert [str(result) for result in results if result.faults] == []


def test_nearly_all_fits_converge(results):
    # What is left are fits with more columns than rows and next to no penalty, and classes that are separable.
    assert sum(result.warned for result in results) <= 0.05 * len(results)


def test_the_independent_solvers_come_as_far(results):
    assert sum(result.weak for result in results) <= 0.03 * len(results)  # else the comparison proves little


def test_a_wrong_model_is_found_out():
    class Wrong(LossRegressor):
        def fit(self, X, y, sample_weight=None):
            super().fit(X, y, sample_weight)
            self.coef_ = self.coef_ * (1 + 1e-3)
            return self

    class Overconfident(LossRegressor):
        def fit(self, X, y, sample_weight=None):
            super().fit(X, y, sample_weight)
            self.solution_.value *= 1 + 1e-6
            self.solution_.gap = 0.0
            return self

    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 3))
    y = X.sum(axis=1) + rng.normal(size=50)
    for cls, faults in ((LossRegressor, []), (Wrong, ["objective", "value"]), (Overconfident, ["value", "bound"])):
        model = cls(Pinball(0.3), alpha=1e-3, tol=1e-8)
        assert fuzz.check(fuzz.Problem(0, model, X, y, None, "normal")).faults == faults


def test_the_problems_are_as_hard_as_they_say():
    problems = [fuzz.problem(seed) for seed in fuzz.seeds()]
    assert len(problems) >= 800
    n, d = np.array([problem.X.shape for problem in problems]).T
    assert n.min() < 35
    assert n.max() > 90_000
    assert d.min() == 1
    assert d.max() > 250
    assert (d > n).sum() > 40
    assert all(problem.model.alpha > 0 for problem in problems if problem.X.shape[1] >= problem.X.shape[0])
    levels = [problem.model.loss.quantile for problem in problems if isinstance(problem.model.loss, Pinball)]
    assert min(levels) == 0.01
    assert max(levels) == 0.99
    weights = [problem.sample_weight for problem in problems if problem.sample_weight is not None]
    assert any(w.min() == 0 and w.max() > 1e6 * w[w > 0].min() for w in weights)
    spreads = [problem.X.std(axis=0) for problem in problems if not sparse.issparse(problem.X)]
    assert any(s.min() > 0 and s.max() > 1e6 * s.min() for s in spreads)
    kinds = " ".join(problem.kind for problem in problems)
    for kind in (*fuzz.COLUMNS, "Cauchy noise", "2 classes, separable", "3 classes, separable"):
        assert kind in kinds


def test_every_convex_loss_meets_every_penalty():
    met = {
        (type(part).__name__, problem.model.penalty)
        for problem in map(fuzz.problem, fuzz.seeds())
        for _, part in problem.model.loss.summands
    }
    convex = [type(loss).__name__ for loss in map(get_loss, REGRESSION + CLASSIFICATION) if loss.convex]
    assert {(name, penalty) for name in convex for penalty in fuzz.PENALTIES} <= met
