"""Sums of losses and asymmetric losses: their facts, parameters, and fits."""

import copy
import operator
import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from sklloss import LossClassifier, LossRegressor, average_loss, loss_scorer, loss_scorers
from sklloss.losses import (
    CTC,
    LSGAN,
    AbsoluteError,
    AbsolutePercentageError,
    Asymmetric,
    Brier,
    Cauchy,
    Charbonnier,
    CrammerSinger,
    Dice,
    EpsilonInsensitive,
    Expectile,
    FeatureLoss,
    FunctionLoss,
    Hinge,
    Huber,
    LogLoss,
    LossSum,
    Pinball,
    Poisson,
    SmoothedHinge,
    SquaredError,
    SquaredHinge,
    Tukey,
    Tweedie,
)
from sklloss.penalties import L1

from .common import classification_data, does_not_warn, regression_data

R = np.linspace(-9, 9, 181)


# ------------------------------------------------------------------------------------------------- asymmetric
@pytest.mark.parametrize("q", [0.1, 0.5, 0.8])
@pytest.mark.parametrize(
    ("base", "same"), [(SquaredError(), Expectile), (AbsoluteError(), Pinball)], ids=["expectile", "pinball"]
)
def test_asymmetric_losses_have_names_of_old(base, same, q):
    y, f = R, np.zeros_like(R)
    ours, theirs = Asymmetric(base, q), same(q)
    for method in ("loss", "gradient", "hessian"):
        np.testing.assert_allclose(getattr(ours, method)(y, f), getattr(theirs, method)(y, f), rtol=1e-14)
    X, y = regression_data()
    np.testing.assert_allclose(
        LossRegressor(ours, penalty=None).fit(X, y).coef_,
        LossRegressor(theirs, penalty=None).fit(X, y).coef_,
        rtol=1e-9,
    )


def test_the_quantile_of_huber_is_fitted_at_its_own_scale_and_splits_the_rows():
    X, y = regression_data(n=500)
    low, high = (LossRegressor(Asymmetric(Huber(), q), alpha=0.0).fit(X, y) for q in (0.1, 0.9))
    assert (low.predict(X) < high.predict(X)).all()
    assert low.scale_ == LossRegressor(Huber(), alpha=0.0).fit(X, y).scale_ != 1
    scaled = LossRegressor(Asymmetric(Huber(), 0.9), alpha=0.0).fit(X, 1000 * y)
    np.testing.assert_allclose(scaled.coef_, 1000 * high.coef_, rtol=1e-8)


def test_facts_of_an_asymmetric_loss_are_those_of_its_base():
    assert Asymmetric(EpsilonInsensitive(0.5), 0.2).relu == ((0.2, -0.1), (-0.8, -0.4))
    assert Asymmetric(SquaredError(), 0.5).quadratic
    assert not Asymmetric(SquaredError(), 0.4).quadratic
    assert not Asymmetric(Tukey(), 0.4).convex
    assert Asymmetric(AbsolutePercentageError(), 0.4).positive_only


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (Asymmetric(Huber(), 1.0), "'quantile' parameter of Asymmetric must be .* Got 1.0"),
        (Asymmetric(Huber(-1.0), 0.5), "'delta' parameter of Huber"),
        (Asymmetric(Charbonnier(), 0.5), "must be 0 at residual 0, or the loss jumps there; Charbonnier.* is 0.001"),
        (Asymmetric(Poisson(), 0.5), r"must be a loss of the residual.* got Poisson\(\)"),
        (Asymmetric("huber", 0.5), "must be a loss of the residual.* got 'huber'"),
    ],
)
def test_an_asymmetric_loss_that_makes_no_sense_says_why(loss, message):
    with pytest.raises(ValueError, match=message):
        loss.check()


# ------------------------------------------------------------------------------------------------------- sums
def test_a_sum_is_the_weighted_sum_of_its_parts_in_all_it_computes():
    rng = np.random.default_rng(0)
    y, f, weight, v = rng.normal(size=(4, 50))
    a, b = Huber(2.0), Pinball(0.3)
    total = 0.7 * a + 2 * b
    for method in ("loss", "gradient", "hessian"):
        expected = 0.7 * getattr(a, method)(y, f) + 2 * getattr(b, method)(y, f)
        np.testing.assert_allclose(getattr(total, method)(y, f), expected, rtol=1e-15)
    value, gradient = total.value_gradient(y, f, weight)
    assert value == pytest.approx(weight @ total.loss(y, f), rel=1e-12)
    np.testing.assert_allclose(gradient, weight * total.gradient(y, f), rtol=1e-14)
    np.testing.assert_allclose(
        total.hessian_product(y, f, weight, v), weight * total.hessian(y, f) * v, rtol=1e-14, atol=1e-300
    )


def test_a_sum_with_losses_of_sets_hands_the_sets_to_them_alone():
    rng = np.random.default_rng(1)
    y, f, weight, ids = rng.integers(0, 2, 40) * 1.0, rng.normal(size=40), np.full(40, 1 / 40), rng.integers(0, 4, 40)
    total = 0.7 * LogLoss() + 2 * Dice()
    (a, slope), (b, other) = LogLoss().value_gradient(y, f, weight), Dice().value_gradient(y, f, weight, ids)
    for value, gradient in (total.value_gradient(y, f, weight, ids), total.of_sets(ids).value_gradient(y, f, weight)):
        assert value == pytest.approx(0.7 * a + 2 * b, rel=1e-14)
        np.testing.assert_allclose(gradient, 0.7 * slope + 2 * other, rtol=1e-13)
    assert len(total.sets(ids, 40)) == 4


def test_sums_are_written_as_sums():
    a, b, c = Huber(), Pinball(0.9), SquaredError()
    assert (0.7 * a + 0.3 * b).weights == [0.7, 0.3]
    assert (np.float64(0.7) * a).weights == (a * np.float32(0.5) * 1.4).weights == pytest.approx([0.7])
    nested = 0.5 * (0.5 * a + 2 * b) + c
    assert nested.losses == [a, b, c]
    assert nested.weights == [0.25, 1.0, 1.0]
    assert sum([a, b, c]).losses == [a, b, c]
    assert LossSum([LossSum([a, b], [1, 2]), c], [3, 4]).summands == [(3, a), (6, b), (4, c)]
    for wrong in (lambda: a + 1, lambda: 1 + a, lambda: "2" * a, lambda: a + np.abs):
        with pytest.raises(TypeError):
            wrong()


def test_parts_are_parameters_by_their_names():
    total = 0.5 * LogLoss() + 0.3 * Brier() + 0.2 * LogLoss(0.1)
    assert total.get_params()["log_loss_2__label_smoothing"] == 0.1
    again = clone(total).set_params(log_loss__label_smoothing=0.2, weights=[1, 2, 3], brier=Brier())
    assert again.losses[0].label_smoothing == 0.2
    assert again.weights == [1, 2, 3]
    assert total.losses[0].label_smoothing == 0.0
    assert repr(pickle.loads(pickle.dumps(total))) == repr(total) == repr(copy.deepcopy(total))
    with pytest.raises(ValueError, match="Invalid parameter 'nonsense'"):
        total.set_params(nonsense=1)


def test_parts_and_weights_are_searched_over():
    X, y = classification_data()
    grid = {
        "loss": [0.5 * LogLoss() + 0.5 * Brier()],
        "loss__weights": [[0, 1], [0.2, 0.8]],
        "loss__log_loss__label_smoothing": [0.0, 0.3],
    }
    search = GridSearchCV(LossClassifier(alpha=1e-2), grid, scoring=loss_scorer("brier")).fit(X, y)
    assert (
        len(set(search.cv_results_["mean_test_score"])) == 3
    )  # without weight, smoothing does nothing to the Brier part
    X, y = regression_data()
    ends = GridSearchCV(LossRegressor(), {"loss": [Huber() + Pinball()], "loss__weights": [[0, 1], [1, 0]]}).fit(X, y)
    assert np.isfinite(ends.cv_results_["mean_test_score"]).all()
    grid = {"loss": [Huber() + Pinball()], "loss__huber__delta": [0.5, 3.0], "loss__pinball__quantile": [0.3, 0.7]}
    search = GridSearchCV(LossRegressor(), grid, scoring=loss_scorer("mae")).fit(X, y)
    assert len(set(search.cv_results_["mean_test_score"])) == 4


def test_parts_of_a_sum_have_names_and_wrong_weights_do_not_hide_them():
    loss = FeatureLoss(Huber(), None) + Huber() + Huber(2.0)
    assert [name for name in loss.get_params() if "__" not in name] == [
        "losses", "weights", "feature_loss", "huber", "huber_2",
    ]  # fmt: skip
    assert loss.set_params(weights=[1.0]).get_params()["huber_2__delta"] == 2.0


def test_no_part_hides_another_or_a_parameter():
    class Weights(Huber):
        name = "weights"

    class HuberTwo(Huber):
        name = "huber_2"

    loss = Weights(1.0) + Huber(2.0) + Huber(3.0) + HuberTwo(4.0)
    params = loss.get_params()
    assert params["weights"] == [1.0] * 4
    deltas = {name: params[f"{name}__delta"] for name in ("weights_2", "huber", "huber_2", "huber_2_2")}
    assert list(deltas.values()) == [1.0, 2.0, 3.0, 4.0]
    assert len(loss_scorers(Huber(), Huber(), HuberTwo())) == 3


def test_a_loss_and_a_penalty_do_not_add_up():
    for terms in ((Huber(), L1()), (L1(), Huber()), (Huber(), 1.0), (1.0, L1())):
        with pytest.raises(TypeError, match="unsupported operand"):
            operator.add(*terms)


def test_facts_of_a_sum_are_derived():
    assert (Huber() + Pinball()).convex
    assert not (Huber() + Pinball()).smooth
    assert not (Huber() + Tukey()).convex
    assert LossSum([Huber(), Tukey()], [1, 0]).convex  # what weighs nothing says nothing
    assert (SquaredError() + Tweedie(0)).quadratic
    assert (Huber() + SquaredError()).standardized
    assert (LogLoss() + Brier()).multiclass
    assert (LogLoss() + Brier()).probabilistic
    assert not (Hinge() + SquaredHinge()).probabilistic
    assert (Huber() + AbsolutePercentageError()).positive_only
    assert not (LogLoss() + Dice()).elementwise
    assert (LogLoss() + CTC("-")).needs_sets
    assert (LogLoss() + CTC("-")).blank == "-"
    assert (LogLoss() + Dice()).blank is None
    assert LossSum([LogLoss(), Dice()], [1, 0]).has_curvature
    assert hasattr(LossSum([LogLoss(), Dice()], [1, 0]), "hessian")


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (LossSum([], []), "at least one"),
        (LossSum(None), "losses must be a list of sklloss.losses.Loss instances.* got losses=None"),
        (LossSum([Huber(), L1()]), "losses must be a list of sklloss.losses.Loss"),
        (LossSum(["huber"]), r"must be a list of sklloss.losses.Loss instances.* got losses=\['huber'\]"),
        (LossSum([Huber()], [-1.0]), r"weights must be 1 finite numbers >= 0, .* got .*weights=\[-1.0\]"),
        (LossSum([Huber()], [0.0]), "must not all be 0"),
        (LossSum([Huber(), Pinball()], [1.0]), "weights must be 2 finite numbers"),
        (Huber() + Huber(0.0), "'delta' parameter of Huber"),
        (
            LogLoss() + Hinge(),
            r"same kind of prediction; got LogLoss\(\) \(predict_proba.*Hinge\(\) \(decision",
        ),
        (LSGAN() + Hinge(), "same kind of prediction"),
        (
            SquaredError() + Poisson(),
            r"same kind of prediction; got .*identity link\), Poisson\(\) \(predict, log",
        ),
    ],
)
def test_a_sum_that_makes_no_sense_says_why(loss, message):
    with pytest.raises(ValueError, match=message):
        loss.check()


def test_parts_that_count_rows_differently_are_refused():
    y, p = np.array([0, 1, 2]), np.full((3, 3), 1 / 3)
    weighted = LogLoss(class_weight=[1, 2, 3])
    assert average_loss(y, p, loss=weighted + weighted) == pytest.approx(2 * np.log(3))
    with pytest.raises(ValueError, match="count rows differently in a mean: give all of them the same class_weight"):
        average_loss(y, p, loss=weighted + Brier())


@pytest.mark.parametrize("penalty", ["l2", None])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("loss", "solver"),
    [
        (0.4 * Pinball(0.9) + 0.6 * AbsoluteError(), "kinks"),
        (AbsoluteError() + EpsilonInsensitive(0.5), "kinks"),
        (Pinball(0.2) + 0.3 * AbsolutePercentageError(), "kinks"),
        (0.5 * SquaredError() + 0.5 * AbsoluteError(), "proximal_newton"),
        (0.1 * Huber() + Pinball(0.8), "proximal_newton"),
        (SquaredError() + 1e-3 * AbsolutePercentageError(), "proximal_newton"),
        (0.5 * SquaredError() + 0.5 * Tweedie(0), "least_squares"),
        (Huber() + Asymmetric(Huber(), 0.8), "newton"),
    ],
    ids=repr,
)
def test_convex_sums_are_fitted_to_a_certified_optimum(loss, solver, weighted, penalty):
    X, y = regression_data(n=150)
    y = y + 0.01 * np.sign(y)  # away from 0, for the percentages
    weight = np.random.default_rng(1).integers(0, 4, len(y)).astype(float) if weighted else None
    with does_not_warn():
        model = LossRegressor(loss, penalty=penalty, alpha=1e-2, scale=None, tol=1e-8).fit(X, y, sample_weight=weight)
    solution = model.solution_
    assert solution.solver == solver
    assert solution.gap is None or solution.gap <= 1e-8 * solution.value
    alpha = 1e-2 if penalty else 0.0

    def objective(params):
        rows = loss.loss(y, X @ params[:-1] + params[-1])
        return np.average(rows, weights=weight) + alpha / 2 * params[:-1] @ params[:-1]

    best = np.append(model.coef_, model.intercept_)
    assert objective(best) == pytest.approx(solution.value, rel=1e-12)
    rng = np.random.default_rng(2)
    for size in (1.0, 1e-2, 1e-4, 1e-6):
        for _ in range(30):
            assert objective(best + size * rng.normal(size=len(best))) >= solution.value * (1 - 2e-8)


def test_weights_of_a_mixed_loss_count_as_copies():
    X, y = regression_data()
    weight = np.random.default_rng(3).integers(0, 3, len(y)).astype(float)
    copies = np.repeat(np.arange(len(y)), weight.astype(int))
    loss = 0.5 * SquaredError() + 0.5 * AbsoluteError()
    weighted = LossRegressor(loss).fit(X, y, sample_weight=weight)
    repeated = LossRegressor(loss).fit(X[copies], y[copies])
    np.testing.assert_allclose(repeated.coef_, weighted.coef_, rtol=1e-9)


def test_a_sum_with_a_loss_that_is_not_convex_ends_at_a_local_minimum():
    X, y = regression_data(n=200)
    for loss, solver in ((0.5 * Tukey() + 0.5 * AbsoluteError(), "proximal_newton"), (Cauchy() + Huber(), "lbfgs")):
        model = LossRegressor(loss).fit(X, y)
        assert model.solution_.solver == solver
        assert "local minimum" in model.solution_.certificate
        assert model.solution_.gap is None


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize(
    "loss",
    [
        0.7 * LogLoss() + 0.3 * Brier(),
        Hinge() + SquaredHinge(),
        SquaredHinge() + SmoothedHinge(2.0),
        0.5 * CrammerSinger() + 0.5 * CrammerSinger(),
    ],
    ids=repr,
)
def test_sums_of_classification_losses_are_fitted(loss, n_classes):
    X, y = classification_data(n_classes=n_classes)
    with does_not_warn():
        model = LossClassifier(loss, alpha=0.05).fit(X, y)
    assert model.score(X, y) > 0.6
    method = getattr(model, loss.response_method)
    parts = sum(w * average_loss(y, method(X), loss=part) for w, part in loss.summands)
    assert average_loss(y, method(X), loss=loss) == pytest.approx(parts, rel=1e-12)


def test_a_sum_takes_functions_too():
    X, y = regression_data()
    one = FunctionLoss(lambda y, f: np.abs(y - f)) + SquaredError()
    np.testing.assert_allclose(
        LossRegressor(one).fit(X, y).coef_, LossRegressor(AbsoluteError() + SquaredError()).fit(X, y).coef_, rtol=1e-8
    )
