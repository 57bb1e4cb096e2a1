"""The estimators: parameters, shapes, weights, bad input."""

import pickle

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning, DataConversionWarning, NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklloss import LossClassifier, LossRegressor, average_loss, get_loss, loss_scorer
from sklloss.losses import Hinge, Huber, MarginLoss, Pinball, ResidualLoss
from sklloss.penalties import L2, Penalty

from .common import (
    CLASSIFICATION,
    REGRESSION,
    classification_data,
    data_for,
    does_not_warn,
    estimator_for,
    regression_data,
)


# ------------------------------------------------------------------------------------------------ parameters
def test_a_string_becomes_its_object_when_a_nested_parameter_comes_with_it():
    model = LossRegressor("huber").set_params(loss__delta=2.0)
    assert model.loss.delta == 2.0
    assert LossRegressor().set_params(loss="pinball", loss__quantile=0.9).loss.quantile == 0.9
    assert LossRegressor().set_params(penalty__weights=[1.0]).penalty.weights == [1.0]
    assert LossRegressor().set_params(loss="nonsense").loss == "nonsense"  # fit says what is wrong
    with pytest.raises(ValueError, match="Invalid parameter 'delta' for estimator SquaredError"):
        LossRegressor().set_params(loss__delta=2.0)


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_a_search_over_losses_and_their_parameters_runs(n_jobs):
    X, y = load_diabetes(return_X_y=True)
    grid = {"loss": ["squared_error", "absolute_error", "huber"]}
    search = GridSearchCV(LossRegressor(), grid, scoring=loss_scorer("absolute_error"), n_jobs=n_jobs).fit(X, y)
    assert search.best_params_["loss"] in grid["loss"]
    grid = {"loss": ["huber"], "loss__delta": [1.0, 1.35, 2.0]}
    search = GridSearchCV(LossRegressor(), grid, scoring=loss_scorer("absolute_error"), n_jobs=n_jobs).fit(X, y)
    assert len(set(search.cv_results_["mean_test_score"])) == 3
    grid = {"lossregressor__loss": [Huber(), Pinball(0.4)], "lossregressor__alpha": [0.0, 1e-3]}
    search = GridSearchCV(make_pipeline(StandardScaler(), LossRegressor()), grid, n_jobs=n_jobs).fit(X, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_fit_leaves_parameters_alone_and_keeps_a_copy_of_the_loss():
    loss = Huber(2.0)
    model = LossRegressor(loss).fit(*regression_data())
    assert model.loss is loss
    assert model.loss_ is not loss
    assert model.loss_.delta == 2.0


class Quartic(ResidualLoss):
    """Defined here, used everywhere: no registration beyond its name."""

    name = "test_quartic"
    use = "between mean and midrange, for tests"

    def __init__(self, scale=1.0):
        self.scale = scale

    def rho(self, r):
        return (r / self.scale) ** 4

    def psi(self, r):
        return 4 * (r / self.scale) ** 3 / self.scale

    def psi_prime(self, r):
        return 12 * (r / self.scale) ** 2 / self.scale**2


class Steep(MarginLoss):
    """A hinge with its kink elsewhere; without a name it is used as an instance."""

    smooth = False

    def __init__(self, at=2.0):
        self.at = at

    @property
    def relu(self):
        return ((-1.0, self.at),)


def test_a_custom_loss_works_the_moment_it_is_defined():
    X, y = regression_data()
    grid = {"loss": ["test_quartic"], "loss__scale": [1.0, 2.0]}
    search = GridSearchCV(LossRegressor(), grid, scoring=loss_scorer("test_quartic", scale=2.0)).fit(X, y)
    assert search.best_estimator_.solution_.converged
    X, y = classification_data(n_classes=3)
    assert np.isfinite(cross_val_score(LossClassifier(Steep(1.5)), X, y, scoring=loss_scorer(Steep(1.5)))).all()
    hinge = LossClassifier(Hinge(), alpha=0.1).fit(X, y)
    same = LossClassifier(Steep(1.0), alpha=0.1).fit(X, y)
    np.testing.assert_allclose(same.coef_, hinge.coef_, rtol=1e-12)


# ------------------------------------------------------------------------------------------------ invariances
@pytest.mark.parametrize("penalty", ["l2", None])
@pytest.mark.parametrize("name", REGRESSION + CLASSIFICATION)
def test_weights_count_as_copies_and_only_by_their_ratios(name, penalty):
    X, y = data_for(name)
    weight = np.random.default_rng(3).integers(0, 3, len(y)).astype(float)
    copies = np.repeat(np.arange(len(y)), weight.astype(int))
    weighted = estimator_for(name, penalty=penalty).fit(X, y, sample_weight=weight)
    repeated = estimator_for(name, penalty=penalty).fit(X[copies], y[copies])
    rescaled = estimator_for(name, penalty=penalty).fit(X, y, sample_weight=1000 * weight)
    assert weighted.solution_.value == pytest.approx(repeated.solution_.value, rel=1e-9)
    if name == "ramp" and penalty is None:
        return  # the rows below the cap are separable: its minimum is flat, any of its points will do
    np.testing.assert_allclose(repeated.coef_, weighted.coef_, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(rescaled.coef_, weighted.coef_, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", REGRESSION + CLASSIFICATION)
def test_sparse_frames_orders_and_float32_give_the_same_model(name):
    X, y = data_for(name)
    X[np.abs(X) < 0.3] = 0
    dense = estimator_for(name).fit(X, y)
    for other in (sparse.csr_array(X), sparse.csc_matrix(X), np.asfortranarray(X)):
        model = estimator_for(name).fit(other, y)
        np.testing.assert_allclose(model.coef_, dense.coef_, rtol=1e-7, atol=1e-9)
        np.testing.assert_allclose(model.predict(other), dense.predict(X), rtol=1e-7)
    # The columns of float32 differ from those of float64 by 6e-8, and so may the coefficients, up to conditioning.
    small = estimator_for(name).fit(X.astype(np.float32), y)
    assert small.coef_.dtype == np.float32
    assert small.solution_.params.dtype == np.float64
    np.testing.assert_allclose(small.coef_, dense.coef_, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", REGRESSION + CLASSIFICATION)
def test_two_fits_give_the_same_bits(name):
    X, y = data_for(name)
    first, second = (estimator_for(name).fit(X, y) for _ in range(2))
    assert np.array_equal(first.coef_, second.coef_)
    assert np.array_equal(first.intercept_, second.intercept_)


def test_a_float_scale_is_a_scaled_delta():
    X, y = regression_data()
    by_scale = LossRegressor(Huber(1.5), scale=2.0).fit(X, y)
    by_delta = LossRegressor(Huber(3.0), scale=None).fit(X, y)
    np.testing.assert_allclose(by_scale.coef_, by_delta.coef_, rtol=1e-12)
    assert by_scale.scale_ == 2.0
    assert by_delta.scale_ == 1.0
    assert LossRegressor("smooth_l1").fit(X, y).scale_ == 1.0


def test_the_automatic_scale_is_that_of_its_definition():
    X, y = regression_data(n=101)
    median = LossRegressor("absolute_error", penalty=None).fit(X, y)
    largest = np.sort(np.abs(y - median.predict(X)))[X.shape[1] + 1 :]
    assert LossRegressor("huber", penalty=None).fit(X, y).scale_ == pytest.approx(np.median(largest) / 0.6745, rel=1e-9)


def test_several_outputs_are_as_if_fitted_one_by_one():
    X, y = regression_data()
    Y = np.column_stack([y, y**2, -y])
    for name in ("squared_error", "absolute_error", "huber", "log_cosh"):
        together = LossRegressor(name).fit(X, Y)
        assert together.coef_.shape == (3, X.shape[1])
        assert together.intercept_.shape == (3,)
        for k in range(3):
            alone = LossRegressor(name).fit(X, Y[:, k])
            np.testing.assert_allclose(together.coef_[k], alone.coef_, rtol=1e-10)
        assert together.predict(X).shape == Y.shape


def test_one_vs_rest_is_one_problem_and_equals_scikit_learns():
    X, y = classification_data(n_classes=3)
    for name in ("hinge", "squared_hinge"):
        ours = LossClassifier(name, alpha=0.01).fit(X, y)
        theirs = OneVsRestClassifier(LossClassifier(name, alpha=0.01)).fit(X, y)
        np.testing.assert_allclose(ours.decision_function(X), theirs.decision_function(X), rtol=1e-6, atol=1e-8)


def test_softmax_intercepts_sum_to_zero():
    X, y = classification_data(n_classes=4)
    model = LossClassifier().fit(X, y)
    assert abs(model.intercept_.sum()) < 1e-12
    assert np.abs(LossClassifier(penalty=None).fit(X, y).coef_.sum(axis=0)).max() < 1e-12
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1, rtol=1e-14)


def test_class_weight_balanced_counts_weighted_rows():
    X, y = classification_data()
    weight = np.where(y == 1, 3.0, 1.0)
    balanced = LossClassifier(class_weight="balanced").fit(X, y, sample_weight=weight)
    n1, n0 = weight[y == 1].sum(), weight[y == 0].sum()
    by_hand = LossClassifier(class_weight={0: 1 / n0, 1: 1 / n1}).fit(X, y, sample_weight=weight)
    np.testing.assert_allclose(balanced.coef_, by_hand.coef_, rtol=1e-9)


@pytest.mark.parametrize("name", ["huber", "absolute_error", "log_loss", "hinge"])
def test_without_an_intercept_the_model_goes_through_zero(name):
    X, y = data_for(name)
    model = estimator_for(name, fit_intercept=False).fit(X, y)
    assert np.all(np.asarray(model.intercept_) == 0)
    assert model.solution_.converged


def test_a_column_of_time_stamps_is_fitted_right():
    X = (1.7e12 + 60_000.0 * np.arange(400)).reshape(-1, 1)
    y = 0.002 * (X[:, 0] - 1.7e12) + np.random.default_rng(0).normal(size=400)
    for name in ("squared_error", "huber", "absolute_error", "log_cosh"):
        assert LossRegressor(name, penalty=None).fit(X, y).coef_[0] == pytest.approx(0.002, rel=1e-4)


def test_column_scales_over_ten_decades_do_not_matter():
    X, y = regression_data(n=200)
    units = np.array([1e-5, 1.0, 1e3, 1e5])
    for name in ("squared_error", "huber", "absolute_error"):
        model = LossRegressor(name, penalty=None).fit(X, y)
        np.testing.assert_allclose(
            LossRegressor(name, penalty=None).fit(X * units, y).coef_ * units, model.coef_, rtol=1e-7
        )


# ------------------------------------------------------------------------------------------------ predictions
def test_poisson_predicts_the_mean_and_not_its_logarithm():
    X, y = regression_data(positive=True, n=400)
    model = LossRegressor("poisson", alpha=0).fit(X, y)
    assert model.predict(X).min() > 0
    assert model.predict(X).mean() == pytest.approx(y.mean(), rel=1e-9)  # the score equation of the intercept


def test_a_rate_with_exposure_equals_a_count_in_that_exposure():
    X, y = regression_data(positive=True)
    exposure = np.random.default_rng(1).uniform(0.5, 3.0, len(y))
    model = LossRegressor("poisson", alpha=0).fit(X, y / exposure, sample_weight=exposure)
    mu = model.predict(X) * exposure  # the counts satisfy the score equations of a log offset
    np.testing.assert_allclose(X.T @ (y - mu), 0, atol=1e-6)


@pytest.mark.parametrize("name", ["log_loss", "squared_hinge", "modified_huber"])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_probabilities_are_those_of_the_loss(name, n_classes):
    X, y = classification_data(n_classes=n_classes)
    model = LossClassifier(name).fit(X, y)
    p = model.predict_proba(X)
    assert p.shape == (len(y), n_classes)
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-12)
    with np.errstate(divide="ignore"):
        np.testing.assert_array_equal(model.predict_log_proba(X), np.log(p))
    f = model.decision_function(X)
    if name != "log_loss" and n_classes == 2:
        np.testing.assert_array_equal(p[:, 1], np.clip((1 + f) / 2, 0, 1))


def test_all_columns_at_zero_give_uniform_probabilities():
    X, y = classification_data(n_classes=3)
    model = LossClassifier("modified_huber").fit(X, y)
    model.coef_, model.intercept_ = np.zeros_like(model.coef_), np.full(3, -2.0)
    np.testing.assert_allclose(model.predict_proba(X[:2]), 1 / 3)


def test_hinge_has_no_probability_and_says_what_to_use():
    for model in (LossClassifier("hinge"), LossClassifier("hinge").fit(*classification_data())):
        assert not hasattr(model, "predict_proba")
        assert not hasattr(model, "predict_log_proba")
        with pytest.raises(AttributeError) as error:
            _ = model.predict_proba
        assert "CalibratedClassifierCV" in str(error.value.__cause__ or error.value)
    X, y = classification_data()
    assert CalibratedClassifierCV(LossClassifier("hinge")).fit(X, y).predict_proba(X).shape == (len(y), 2)


@pytest.mark.parametrize("labels", [["no", "yes"], [-1, 1], [False, True], ["a", "b", "c"], [10, 20, 30]])
def test_labels_of_any_kind(labels):
    X, index = classification_data(n_classes=len(labels))
    model = LossClassifier().fit(X, np.array(labels)[index])
    assert model.classes_.tolist() == labels
    assert set(model.predict(X).tolist()) <= set(labels)


def test_fitted_shapes_are_those_of_scikit_learn():
    X, y = regression_data()
    model = LossRegressor().fit(X, y)
    assert model.coef_.shape == (4,)
    assert isinstance(model.intercept_, float)
    X, y = classification_data()
    model = LossClassifier().fit(X, y)
    assert model.coef_.shape == (1, 4)
    assert model.intercept_.shape == (1,)
    assert LossClassifier().fit(*classification_data(n_classes=3)).coef_.shape == (3, 4)
    assert model.n_iter_ >= 1
    assert model.n_features_in_ == 4


def test_fitted_models_pickle_and_clone():
    X, y = regression_data()
    model = LossRegressor(Huber(2.0)).fit(X, y)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), model.predict(X))
    assert not hasattr(clone(model), "coef_")
    assert clone(model).loss.delta == 2.0


# ------------------------------------------------------------------------------------------------ certificates
@pytest.mark.parametrize("penalty", ["l2", None])
@pytest.mark.parametrize("name", REGRESSION + CLASSIFICATION)
def test_every_fit_carries_a_certificate(name, penalty):
    X, y = data_for(name)
    with does_not_warn():
        solution = estimator_for(name, penalty=penalty).fit(X, y).solution_
    assert solution.converged
    assert solution.optimality <= 1e-6
    assert len(solution.certificate) > 20
    assert not solution.certificate.startswith("not")
    assert len(solution.history) == solution.n_iter >= 1
    assert solution.n_passes >= 2
    assert solution.history[-1][0] == pytest.approx(solution.value, rel=1e-6)
    if penalty == "l2" and get_loss(name).convex:
        assert 0 <= solution.gap <= 1e-6 * max(1.0, solution.value)


def test_the_certified_value_is_the_objective_of_the_fitted_coefficients():
    X, y = regression_data()
    for name in REGRESSION:
        target = 1 + np.abs(np.round(y)) if get_loss(name).positive_only else y
        model = LossRegressor(name, alpha=0.1, scale=None).fit(X, target)
        mean = average_loss(target, model.predict(X), loss=name)
        assert model.solution_.value == pytest.approx(mean + 0.05 * model.coef_ @ model.coef_, rel=1e-9)


def test_too_few_iterations_warn_once_with_solver_optimality_and_remedy():
    X, y = classification_data()
    with pytest.warns(
        ConvergenceWarning, match=r"'lbfgs' stopped after 1 iterations at optimality .* Increase max_iter"
    ) as w:
        model = LossClassifier(solver="lbfgs", max_iter=1).fit(X, y)
    assert len(w) == 1
    assert not model.solution_.converged
    assert model.solution_.certificate.startswith("not")
    assert np.isfinite(model.coef_).all()


def test_a_warm_start_begins_at_the_last_solution():
    X, y = regression_data()
    model = LossRegressor("log_cosh", warm_start=True).fit(X, y)
    cold = model.n_iter_
    assert model.fit(X, y).n_iter_ < cold


def test_verbose_prints_each_iteration(capsys):
    model = LossRegressor("log_cosh", verbose=1).fit(*regression_data())
    assert capsys.readouterr().out.count("objective") == model.n_iter_


@pytest.mark.parametrize("solver", ["newton", "lbfgs", "BFGS", "trust-exact", "cg"])
def test_solvers_agree(solver):
    X, y = classification_data()
    best = LossClassifier(alpha=0.01, tol=1e-8).fit(X, y)
    other = LossClassifier(alpha=0.01, tol=1e-5, solver=solver).fit(X, y)
    np.testing.assert_allclose(other.coef_, best.coef_, atol=1e-4)  # tol over the least curvature, 0.1


def test_a_callable_with_the_interface_of_scipy_is_a_solver():
    def descent(fun, x0, args=(), jac=None, callback=None, **options):
        x = x0
        for _ in range(5000):
            x = x - 0.5 * jac(x)
            callback(x)

    X, y = classification_data()
    model = LossClassifier(alpha=0.01, solver=descent, tol=1e-4).fit(X, y)
    assert model.solution_.solver == "descent"
    assert model.solution_.optimality <= 1e-4


# ------------------------------------------------------------------------------------------------ bad input
X2, Y2 = regression_data(n=10)
XC, YC = classification_data(n=30)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (LossRegressor(alpha=-1), "'alpha' parameter of LossRegressor must be .* Got -1"),
        (LossRegressor(tol=0), "'tol' parameter"),
        (LossRegressor(max_iter=0), "'max_iter' parameter"),
        (LossRegressor(scale=0.0), "'scale' parameter"),
        (LossRegressor(scale="mads"), "'scale' parameter"),
        (LossRegressor(penalty="l3"), "Unknown penalty 'l3'"),
        (LossRegressor(penalty=L2(weights=[1.0])), "weights of L2 must be 4 finite numbers"),
        (LossRegressor(penalty=L2(weights=[1.0, -1.0, 0, 0])), "minimum -1"),
        (LossRegressor("hubber"), "Did you mean 'huber'"),
        (LossRegressor("hinge"), "'hinge' is a classification loss and does not fit LossRegressor; use LossClassifier"),
        (LossRegressor(Huber(-2.0)), "'delta' parameter of Huber must be .* Got -2.0"),
        (LossRegressor(Pinball(1.0)), "'quantile' parameter of Pinball"),
        (LossRegressor(solver="newtn"), "Unknown solver 'newtn'; .* newton"),
        (LossRegressor("mae", solver="newton"), "AbsoluteError.. is not smooth. Use solver='auto' or one of .'kinks'"),
        (LossRegressor("huber", solver="kinks"), "declares its kinks as relu"),
        (LossRegressor("huber", solver="least_squares"), "is not quadratic"),
        (LossRegressor("mae", solver="BFGS"), "needs a smooth objective"),
    ],
)
def test_bad_parameters_are_refused_by_name_value_and_remedy(model, message):
    with pytest.raises(ValueError, match=message):
        model.fit(X2, Y2)


def test_bad_parameters_of_the_classifier_are_refused():
    with pytest.raises(ValueError, match="'huber' is a regression loss and does not fit LossClassifier; use LossReg"):
        LossClassifier("huber").fit(XC, YC)
    with pytest.raises(ValueError, match="'class_weight' parameter"):
        LossClassifier(class_weight="even").fit(XC, YC)
    with pytest.raises(TypeError, match="is a class; pass an instance"):
        LossRegressor(Huber).fit(X2, Y2)


def test_bad_data_is_refused():
    bad = X2.copy()
    bad[3, 1] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        LossRegressor().fit(bad, Y2)
    with pytest.raises(ValueError, match="infinity"):
        LossRegressor().fit(X2, np.where(np.arange(10) == 2, np.inf, Y2))
    with pytest.raises(ValueError, match=r"y_true must be in \[0, inf\) for Poisson\(\); row 4 has -3.0"):
        LossRegressor("poisson").fit(X2, np.where(np.arange(10) == 4, -3.0, 1.0))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        LossRegressor().fit(X2, Y2[:5])
    with pytest.raises(ValueError, match="only one class"):
        LossClassifier().fit(X2, np.ones(10))
    with pytest.raises(ValueError, match="Unknown label type"):
        LossClassifier().fit(X2, Y2)
    with pytest.raises(ValueError, match="1d array"):
        LossRegressor("poisson").fit(X2, np.ones((10, 2)))
    with pytest.warns(DataConversionWarning):
        assert LossRegressor().fit(X2, Y2[:, None]).coef_.shape == (4,)
    with pytest.raises(NotFittedError):
        LossRegressor().predict(X2)


@pytest.mark.parametrize("model", [LossRegressor("huber"), LossClassifier("hinge")], ids=repr)
def test_bad_weights_are_refused(model):
    X, y = (X2, Y2) if isinstance(model, LossRegressor) else (XC, YC)
    with pytest.raises(ValueError, match="row 2 has weight -1"):
        model.fit(X, y, sample_weight=np.where(np.arange(len(y)) == 2, -1.0, 1.0))
    with pytest.raises(ValueError, match="at least one non-zero"):
        model.fit(X, y, sample_weight=np.zeros(len(y)))
    with pytest.raises(ValueError, match="shape"):
        model.fit(X, y, sample_weight=np.ones(len(y) - 1))


def test_a_penalty_of_ones_own_needs_two_lines():
    class Half(Penalty):
        def l2_matrix(self, n_features):
            return np.full(n_features, 0.5)

    X, y = regression_data()
    half = LossRegressor(penalty=Half(), alpha=0.2).fit(X, y)
    np.testing.assert_allclose(half.coef_, LossRegressor(alpha=0.1).fit(X, y).coef_, rtol=1e-12)
    free = LossRegressor(penalty=L2(weights=[0, 1, 1, 1]), alpha=1e6).fit(X, y)
    assert abs(free.coef_[0]) > 0.1
    assert np.abs(free.coef_[1:]).max() < 1e-4


@pytest.mark.parametrize("name", REGRESSION + CLASSIFICATION)
def test_difficult_shapes_end_in_a_finite_fit_with_a_certificate_or_a_warning(name, recwarn):
    X, y = data_for(name, n=30, d=6)
    cases = {
        "constant column": np.column_stack([X, np.full(30, 7.0)]),
        "duplicate columns": np.column_stack([X, X[:, :2]]),
        "more columns than rows": np.random.default_rng(0).normal(size=(30, 50)),
        "one column": X[:, :1],
    }
    for penalty in ("l2", None):
        for what, data in cases.items():
            model = estimator_for(name, penalty=penalty).fit(data, y)
            assert np.isfinite(model.coef_).all(), what
            assert np.isfinite(model.intercept_).all(), what
            warned = any(issubclass(w.category, ConvergenceWarning) for w in recwarn)
            assert model.solution_.converged or warned, what
    if get_loss(name).response_method == "predict":
        assert np.isfinite(estimator_for(name).fit(X[:1], y[:1]).predict(X)).all()
