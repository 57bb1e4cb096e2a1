"""compare_losses is nested cross-validation with honest errors; one_standard_error is the textbook's rule."""

import pickle
import sys
from functools import partial

import numpy as np
import pytest
from scipy import stats
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.dummy import DummyRegressor
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import HuberRegressor, Ridge
from sklearn.metrics import make_scorer, mean_absolute_error
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold, LeaveOneGroupOut, ShuffleSplit
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from sklearn.svm import SVC

from sklloss import LossClassifier, LossRegressor, average_loss, compare_losses, loss_scorer, loss_scorers
from sklloss.losses import Hinge, Huber, Pinball
from sklloss.model_selection import LossComparison, _metric, one_standard_error

from .common import classification_data, regression_data

X, Y = regression_data(n=90, d=3)
GRID = {"alpha": [1e-3, 1e-1, 10.0]}
CV = KFold(3, shuffle=True, random_state=0)
FAST = {"param_grid": GRID, "cv": CV}


def rows_of(comparison, candidate, metric):
    """{name: value} of one cell of the matrix."""
    results = comparison.results_
    (row,) = np.flatnonzero((results["candidate"] == candidate) & (results["metric"] == metric))
    return {name: values[row] for name, values in results.items()}


@pytest.fixture(scope="module")
def comparison():
    return compare_losses(X, Y, ["squared_error", "mae", Huber(1.0)], **FAST)


def test_every_cell_equals_a_nested_search_written_as_a_loop(comparison):
    scorers = loss_scorers("squared_error", "mae", Huber(1.0))
    for candidate, loss in {"squared_error": "squared_error", "absolute_error": "mae", "huber": Huber(1.0)}.items():
        pipeline = make_pipeline(StandardScaler(), LossRegressor(loss))
        for fold, (train, test) in enumerate(CV.split(X)):
            grid = {"lossregressor__alpha": GRID["alpha"]}
            search = GridSearchCV(pipeline, grid, scoring=scorers, refit=False, cv=CV).fit(X[train], Y[train])
            for metric, scorer in scorers.items():
                params = search.cv_results_["params"][search.cv_results_[f"mean_test_{metric}"].argmax()]
                model = clone(pipeline).set_params(**params).fit(X[train], Y[train])
                cell = rows_of(comparison, candidate, metric)
                assert cell[f"split{fold}_params"] == params
                for part, rows in {"test": test, "train": train}.items():
                    expected = -scorer(model, X[rows], Y[rows])
                    assert cell[f"split{fold}_{part}"] == pytest.approx(expected, rel=1e-12)


def test_means_are_those_of_the_folds(comparison):
    frame = comparison.to_frame()
    for part in ("test", "train"):
        folds = frame[[f"split{i}_{part}" for i in range(3)]]
        np.testing.assert_allclose(frame[f"mean_{part}"], folds.mean(axis=1), rtol=1e-14)


def test_errors_and_p_values_equal_those_worked_out_from_the_paired_t_test_of_scipy(comparison):
    # Nadeau and Bengio put 1/J + n_test/n_train where the plain paired test has 1/J; here 1/3 and 1/3 + 30/60.
    for metric in comparison.metrics_:
        best = rows_of(comparison, comparison.winners_[metric], metric)
        folds_best = np.array([best[f"split{i}_test"] for i in range(3)])
        for candidate in comparison.candidates_:
            cell = rows_of(comparison, candidate, metric)
            folds = np.array([cell[f"split{i}_test"] for i in range(3)])
            assert cell["se_test"] == pytest.approx(stats.sem(folds) * np.sqrt((1 / 3 + 1 / 2) * 3), rel=1e-12)
            if candidate == comparison.winners_[metric]:
                assert (cell["difference"], cell["p_value"], cell["verdict"]) == (0, 1, "best")
                continue
            plain = stats.ttest_rel(folds, folds_best)
            t = plain.statistic / np.sqrt((1 / 3 + 1 / 2) * 3)
            assert cell["difference"] == pytest.approx((folds - folds_best).mean(), rel=1e-12)
            assert cell["p_value"] == pytest.approx(2 * stats.t.sf(abs(t), 2), rel=1e-9)
            assert cell["verdict"] == ("worse" if cell["p_value"] < 0.05 else "undecided")


def test_the_dummy_is_the_best_constant_of_the_training_part(comparison):
    train, test = next(CV.split(X))
    for metric, constant in {"squared_error": Y[train].mean(), "absolute_error": np.median(Y[train])}.items():
        # On the training part, as the median of an even number of rows is not unique.
        expected = average_loss(Y[train], np.full(len(train), constant), loss=metric)
        assert rows_of(comparison, "Dummy", metric)["split0_train"] == pytest.approx(expected, rel=1e-9)
    expected = ((Y[test] - Y[train].mean()) ** 2).mean()
    assert rows_of(comparison, "Dummy", "squared_error")["split0_test"] == pytest.approx(expected, rel=1e-9)
    assert all(rows_of(comparison, "Dummy", metric)["verdict"] == "worse" for metric in comparison.metrics_)


def test_best_is_fitted_to_all_rows_by_the_search_for_that_metric(comparison):
    for metric in comparison.metrics_:
        loss = {"squared_error": "squared_error", "absolute_error": "mae", "huber": Huber(1.0)}
        pipeline = make_pipeline(StandardScaler(), LossRegressor(loss[comparison.winners_[metric]]))
        scorer = loss_scorer(loss[metric])
        search = GridSearchCV(pipeline, {"lossregressor__alpha": GRID["alpha"]}, scoring=scorer, cv=CV).fit(X, Y)
        np.testing.assert_allclose(comparison.best(metric).predict(X), search.predict(X), rtol=1e-12)
    with pytest.raises(ValueError, match=r"no winner by metric='mse'; there are those by squared_error, absolute"):
        comparison.best("mse")


def test_two_jobs_give_the_same_numbers_as_one(comparison):
    parallel = compare_losses(X, Y, ["squared_error", "mae", Huber(1.0)], n_jobs=2, **FAST)
    for name, values in comparison.results_.items():
        if name.endswith("params"):  # those of the Dummy are losses, here copies
            values, parallel.results_[name] = values.astype(str), parallel.results_[name].astype(str)
        np.testing.assert_array_equal(parallel.results_[name], values)
    np.testing.assert_array_equal(parallel.best("huber").predict(X), comparison.best("huber").predict(X))


def test_a_comparison_survives_pickling(comparison):
    again = pickle.loads(pickle.dumps(comparison))
    assert repr(again) == repr(comparison)
    np.testing.assert_array_equal(again.best("huber").predict(X), comparison.best("huber").predict(X))


def test_print_shows_matrix_and_verdicts(comparison):
    lines = str(comparison).splitlines()
    assert lines[0] == "Nested cross-validation, 3 outer folds: test mean ± standard error (training mean)."
    head, row = next((lines[i], lines[i + 1]) for i, line in enumerate(lines) if line.startswith("trained with"))
    assert head.split()[2:] == comparison.metrics_
    cell = rows_of(comparison, "squared_error", "squared_error")
    assert row.startswith("squared_error")
    assert f"{cell['mean_test']:.3f} ± {cell['se_test']:.3f} ({cell['mean_train']:.3f})" in row
    assert len({len(line) for line in lines[4:8]}) <= 2  # columns are aligned; a mark may end a line
    assert lines[-1] == f"huber: {comparison.verdicts_['huber']}"


def test_html_escapes_labels():
    comparison = compare_losses(X, Y, {"<b>": "squared_error"}, param_grid={"alpha": [0.1]}, cv=CV)
    page = comparison._repr_html_()
    assert "<th>&lt;b&gt;</th>" in page
    assert "<b>" not in page
    assert page.count("<tr>") == 3


def test_verdicts_say_what_is_beaten_and_what_is_not_told_apart():
    rows = [
        ("a", "best", 0.0, 0.0),
        ("b", "worse", 0.0312, 0.0094),
        ("c", "worse", 210.4, 33.0),
        ("d", "undecided", 1, 9),
    ]
    names = ["candidate", "verdict", "difference", "se_difference"]
    results = {
        name: np.array(column, dtype=object) for name, column in zip(names, zip(*rows, strict=True), strict=True)
    }
    comparison = LossComparison({**results, "metric": np.repeat(np.array(["m"], dtype=object), 4)}, {"m": False}, [])
    assert comparison.verdicts_["m"] == (
        "a beats b by 0.0312 ± 0.0094 and c by 210 ± 33; these folds can't tell it from d."
    )


def test_equal_losses_get_a_suffix_and_are_not_told_apart():
    comparison = compare_losses(X, Y, ["mae", "absolute_error", Pinball(0.9)], **FAST)
    assert comparison.candidates_ == ["absolute_error", "absolute_error_2", "pinball", "Dummy"]
    assert comparison.metrics_ == ["absolute_error", "absolute_error_2", "pinball"]
    assert rows_of(comparison, "absolute_error_2", "absolute_error")["p_value"] == 1
    assert "can't tell it from absolute_error_2" in comparison.verdicts_["absolute_error"]


def test_scoring_takes_names_losses_scorers_and_functions():
    def cubed(y_true, y_pred):
        return np.abs(y_true - y_pred) ** 3

    scoring = ["r2", "neg_mean_absolute_error", "mae", Huber(2.0), loss_scorer(Huber(9.0)), cubed,
               make_scorer(mean_absolute_error, greater_is_better=False)]  # fmt: skip
    comparison = compare_losses(X, Y, ["squared_error"], scoring=scoring, **FAST)
    assert comparison.metrics_ == [
        "r2", "mean_absolute_error", "absolute_error", "huber", "huber_2", "cubed", "mean_absolute_error_2",
    ]  # fmt: skip
    assert [name for name, greater in comparison.greater_is_better_.items() if greater] == ["r2"]
    mae = [
        rows_of(comparison, "squared_error", name)["mean_test"] for name in comparison.metrics_ if "absolute" in name
    ]
    np.testing.assert_allclose(mae, mae[0], rtol=1e-13)
    assert mae[0] > 0
    assert rows_of(comparison, "squared_error", "r2")["verdict"] == "best"  # the larger one
    assert "but for r2 higher" in str(comparison)


def test_a_scorer_of_what_has_no_name_is_called_by_its_class():
    assert _metric(make_scorer(partial(mean_absolute_error)), LossRegressor)[0] == "partial"


def test_other_estimators_are_candidates_and_may_have_a_grid():
    candidates = {"ours": "huber", "theirs": HuberRegressor(), "searched": Ridge()}
    grid = {"ours": GRID, "searched": {"alpha": [1e6, 1.0]}}
    comparison = compare_losses(X, Y, candidates, scoring="mae", param_grid=grid, cv=CV)
    assert rows_of(comparison, "searched", "absolute_error")["split0_params"] == {"alpha": 1.0}
    assert rows_of(comparison, "theirs", "absolute_error")["split0_params"] == {}
    train, test = next(CV.split(X))
    expected = mean_absolute_error(Y[test], HuberRegressor().fit(X[train], Y[train]).predict(X[test]))
    assert rows_of(comparison, "theirs", "absolute_error")["split0_test"] == pytest.approx(expected, rel=1e-12)
    listed = compare_losses(X, Y, ["huber", HuberRegressor()], cv=CV, param_grid=GRID)
    assert listed.candidates_ == ["huber", "HuberRegressor", "Dummy"]
    assert listed.metrics_ == ["huber"]


def test_the_model_that_takes_the_loss_may_stand_anywhere_in_the_estimator():
    pipeline = Pipeline([("poly", PolynomialFeatures()), ("inner", Pipeline([("model", LossRegressor(scale=None))]))])
    grid = {"poly__degree": [1, 2], "loss__delta": [0.5, 5.0], "inner__model__alpha": [0.1]}
    comparison = compare_losses(X, Y, ["huber"], estimator=pipeline, scoring="mae", param_grid=grid, cv=CV)
    params = rows_of(comparison, "huber", "absolute_error")["split0_params"]
    assert set(params) == {"poly__degree", "inner__model__loss__delta", "inner__model__alpha"}
    assert comparison.best("absolute_error")[-1][-1].scale is None


def test_a_plain_function_is_a_candidate_of_either_kind():
    def logistic(y_true, raw_prediction):
        return np.logaddexp(0, raw_prediction) - y_true * raw_prediction

    features, labels = classification_data(n=60)
    comparison = compare_losses(features, labels, ["hinge", logistic], scoring="accuracy", **FAST)
    assert comparison.candidates_ == ["hinge", "logistic", "Dummy"]
    assert not comparison.failures_


def test_labels_of_any_kind_and_a_loss_without_probabilities():
    features, index = load_iris(return_X_y=True)
    labels = np.array(["setosa", "versicolor", "virginica"])[index]
    comparison = compare_losses(
        features, labels, ["log_loss", Hinge()], scoring=["log_loss", "hinge", "accuracy"],
        param_grid={"alpha": [1e-3, 1e-1]}, cv=3,
    )  # fmt: skip
    cell = rows_of(comparison, "hinge", "log_loss")
    assert (cell["verdict"], cell["error"]) == ("not scored", "it has no predict_proba")
    assert np.isnan(cell["mean_test"])
    assert not comparison.failures_  # nothing went wrong
    assert "hinge is not scored by log_loss: it has no predict_proba." in str(comparison)
    # The folds of 150 rows hold 50 +- 1 rows: classes differ in size by 3 %, to second order log(3) is right.
    assert rows_of(comparison, "Dummy", "log_loss")["mean_test"] == pytest.approx(np.log(3), rel=1e-2)
    assert comparison.best("accuracy").predict(features).dtype == labels.dtype


def test_groups_stay_together_in_both_splitters():
    groups = np.arange(90) // 6
    calls = []

    class Watched(GroupKFold):
        def split(self, X, y=None, groups=None):
            for train, test in super().split(X, y, groups):
                calls.append((len(X), not set(groups[train]) & set(groups[test])))
                yield train, test

    compare_losses(X, Y, ["squared_error"], groups=groups, param_grid=GRID, cv=Watched(3))
    assert calls == [(90, True), *[(60, True)] * 3] * 3 + [(90, True)] * 3


def test_integer_weights_equal_copies_of_rows():
    # In the fits, in the standardisation, in the scores of both loops: any of them without weights gives other numbers.
    features, y = X[:40], Y[:40]
    weight, groups = np.random.default_rng(0).integers(1, 4, 40), np.arange(40) % 4
    options = {"param_grid": GRID, "cv": LeaveOneGroupOut(), "scoring": [Huber(1.0), "squared_error", "r2"]}
    losses = {"squared_error": "squared_error", "huber": "huber", "ridge": Ridge()}
    weighted = compare_losses(features, y, losses, sample_weight=weight.astype(float), groups=groups, **options)
    features, y, groups = (np.repeat(values, weight, axis=0) for values in (features, y, groups))
    copies = compare_losses(features, y, losses, groups=groups, **options)
    for name in ("mean_train", *(f"split{i}_test" for i in range(4))):
        # R² of the mean is 1 - 1, to rounding.
        np.testing.assert_allclose(weighted.results_[name], copies.results_[name], rtol=1e-6, atol=1e-15)
    for i in range(4):
        chosen = [each.results_[f"split{i}_params"].astype(str) for each in (weighted, copies)]
        np.testing.assert_array_equal(*chosen)
    np.testing.assert_allclose(weighted.best("r2").predict(X), copies.best("r2").predict(X), rtol=1e-6)


def test_fit_params_go_to_the_step_they_name_and_to_no_score():
    weight = np.linspace(0.1, 3, 90)
    options = {"param_grid": {"alpha": [0.1]}, "cv": CV, "fit_params": {"lossregressor__sample_weight": weight}}
    comparison = compare_losses(X, Y, {"ours": "squared_error", "theirs": Ridge()}, **options)
    train, test = next(CV.split(X))
    model = make_pipeline(StandardScaler(), LossRegressor(alpha=0.1))
    model.fit(X[train], Y[train], lossregressor__sample_weight=weight[train])
    expected = ((Y[test] - model.predict(X[test])) ** 2).mean()
    assert rows_of(comparison, "ours", "ours")["split0_test"] == pytest.approx(expected, rel=1e-12)
    with pytest.raises(ValueError, match=r"fit_params has \['lossregressor__weight'\], which no candidate takes"):
        compare_losses(X, Y, ["mae"], fit_params={"lossregressor__weight": weight})


def test_a_candidate_that_takes_no_weights_is_trained_without_and_scored_with_them():
    weight = np.linspace(0.1, 3, 90)
    comparison = compare_losses(X, Y, [KNeighborsRegressor()], scoring="mae", sample_weight=weight, cv=CV)
    train, test = next(CV.split(X))
    y_pred = KNeighborsRegressor().fit(X[train], Y[train]).predict(X[test])
    expected = mean_absolute_error(Y[test], y_pred, sample_weight=weight[test])
    assert rows_of(comparison, "KNeighborsRegressor", "absolute_error")["split0_test"] == pytest.approx(expected)


class FailsOn(DummyRegressor):
    """Fails where a row is in the training part."""

    def __init__(self, row=0.0):
        super().__init__()
        self.row = row

    def fit(self, X, y):
        if self.row in X[:, 0]:
            raise RuntimeError("one row too many")
        return super().fit(X, y)


def test_a_candidate_that_fails_in_some_folds_is_reported_and_the_rest_goes_on(comparison):
    train, _ = next(CV.split(X))
    row = X[np.setdiff1d(np.arange(90), train)[0], 0]  # in two of three training parts
    losses = {"squared_error": "squared_error", "fails": FailsOn(row)}
    with pytest.warns(FitFailedWarning, match="fails, outer fold 1 and 2: RuntimeError: one row too many"):
        failing = compare_losses(X, Y, losses, **FAST)
    cell = rows_of(failing, "fails", "squared_error")
    assert (cell["verdict"], cell["error"]) == ("not scored", "RuntimeError: one row too many")
    assert np.isfinite(cell["split0_test"])
    assert np.isnan([cell["split1_test"], cell["mean_test"], cell["p_value"]]).all()
    assert "fails is not scored by squared_error: RuntimeError: one row too many." in str(failing)
    whole = rows_of(comparison, "squared_error", "squared_error")
    assert rows_of(failing, "squared_error", "squared_error")["mean_test"] == whole["mean_test"]


def test_where_every_candidate_fails_the_reasons_are_raised():
    with pytest.raises(
        ValueError, match=r"No candidate could be scored.\nFailsOn, outer fold 0, 1 and 2: RuntimeError"
    ):
        compare_losses(X, Y, [FailsOn(X[0, 0]), FailsOn(X[1, 0]), FailsOn(X[2, 0])][:1], scoring="mae", cv=[
            (np.arange(60), np.arange(60, 90))] * 3, inner_cv=3)  # fmt: skip


def test_a_metric_that_refuses_the_predictions_is_reported_with_the_value_it_refuses():
    features, counts = regression_data(n=90, d=3, positive=True)
    with pytest.warns(FitFailedWarning, match="squared_error, outer fold"):
        comparison = compare_losses(features, counts, ["squared_error", "poisson"], param_grid={"alpha": [1e-3]}, cv=CV)
    cell = rows_of(comparison, "squared_error", "poisson")
    assert cell["verdict"] == "not scored"
    assert "y_pred must be in (0, inf) for Poisson()" in cell["error"]
    assert rows_of(comparison, "poisson", "squared_error")["verdict"] != "not scored"
    assert comparison.winners_["poisson"] == "poisson"


def test_points_of_a_grid_that_fail_are_left_out_and_reported():
    features, counts = regression_data(n=90, d=3, positive=True)
    # A large alpha keeps the predictions of squared_error positive, so that the poisson deviance can judge it.
    grid = {"alpha": [1e-3, 10.0]}
    with pytest.warns(FitFailedWarning, match="squared_error, outer fold .*y_pred must be in"):
        comparison = compare_losses(features, counts, ["squared_error", "poisson"], param_grid=grid, cv=CV)
    cell = rows_of(comparison, "squared_error", "poisson")
    assert (cell["verdict"] != "not scored", cell["error"]) == (True, "")
    assert cell["split0_params"] == {"lossregressor__alpha": 10.0}
    assert any("y_pred must be in (0, inf) for Poisson()" in failure for failure in comparison.failures_)


def test_a_single_split_gives_no_error_and_tells_nothing_apart():
    comparison = compare_losses(X, Y, ["mae", "huber"], param_grid=GRID, cv=ShuffleSplit(1, random_state=0), inner_cv=3)
    assert np.isnan(comparison.results_["se_test"]).all()
    assert set(comparison.results_["verdict"]) == {"best", "undecided"}


def test_sparse_matrices_and_data_frames_give_the_same_numbers(comparison):
    pd = pytest.importorskip("pandas")
    from scipy import sparse

    losses = ["squared_error", "mae", Huber(1.0)]
    frame = compare_losses(pd.DataFrame(X).add_prefix("x"), pd.Series(Y), losses, **FAST)
    csr = compare_losses(sparse.csr_matrix(X), Y.tolist(), losses, **FAST)
    np.testing.assert_allclose(frame.matrix(), comparison.matrix(), rtol=1e-12)
    np.testing.assert_allclose(csr.matrix(), comparison.matrix(), rtol=1e-6)  # to the tol of the fits


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"losses": []}, "losses is empty"),
        ({"losses": ["hubre"]}, "Unknown loss 'hubre'. Did you mean 'huber'"),
        ({"losses": ["huber", "hinge"]}, "it has huber of the one kind and hinge of the other"),
        ({"losses": ["huber", SVC()]}, "it has huber of the one kind and SVC of the other"),
        ({"losses": ["hinge"], "estimator": LossRegressor()}, "has estimator of the one kind and hinge of"),
        ({"losses": {"scaler": StandardScaler()}}, "'scaler' is neither a regressor nor a classifier"),
        ({"estimator": Ridge()}, "must be, or hold, one LossRegressor or LossClassifier; it holds 0"),
        ({"losses": [Ridge()]}, "these have none; pass scoring"),
        ({"scoring": []}, "scoring is empty"),
        ({"scoring": Ridge()}, r"scoring=Ridge\(\) is an estimator; estimators are candidates"),
        ({"scoring": "hinge"}, "scoring='hinge' does not judge the predictions of a LossRegressor"),
        ({"param_grid": {"huber": GRID, "hubre": GRID}}, r"param_grid names \['hubre'\], the candidates are"),
        ({"param_grid": {"loss__beta": [1]}}, "Invalid parameter 'beta'"),
        ({"cv": [(np.arange(50), np.arange(50, 90))]}, "pass inner_cv"),
        ({"sample_weight": np.ones(3)}, "inconsistent numbers of samples"),
    ],
)  # fmt: skip
def test_errors_name_the_parameter_and_the_remedy(options, message):
    with pytest.raises(ValueError, match=message):
        compare_losses(X, Y, **{"losses": ["huber"], **options})


def test_a_data_frame_without_pandas_is_an_error_that_says_so(comparison, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match="to_frame\\(\\) needs pandas: pip install pandas"):
        comparison.to_frame()


# ---------------------------------------------------------------------------------------------- one standard error
def test_one_standard_error_picks_the_largest_alpha_within_one_error_of_the_best():
    alphas = np.logspace(-4, 2, 13)
    search = GridSearchCV(LossRegressor(), {"alpha": alphas}, refit=one_standard_error, cv=5)
    search.fit(*load_diabetes(return_X_y=True))
    scores = np.array([search.cv_results_[f"split{i}_test_score"] for i in range(5)])
    best = scores.mean(axis=0).argmax()
    within = scores.mean(axis=0) >= scores.mean(axis=0)[best] - stats.sem(scores[:, best])
    assert search.best_params_["alpha"] == alphas[within].max() > alphas[best]
    assert search.best_estimator_.alpha == search.best_params_["alpha"]


def test_one_standard_error_keeps_the_other_parameters_of_the_best():
    points = [("mae", 1.0), ("mae", 10.0), ("mae", 100.0), ("mse", 1000.0)]
    scores = np.array([[-1.0, -1.2, -1.4, -1.2], [-2.0, -2.0, -2.1, -2.0]])  # the best: -1.5 +- 0.5
    results = {
        "params": [{"model__loss": loss, "model__alpha": alpha} for loss, alpha in points],
        "mean_test_r2": scores.mean(axis=0) - [0, 0, 0.3, 0],
        "split0_test_r2": scores[0],
        "split1_test_r2": scores[1],
    }
    assert one_standard_error(results, metric="r2") == 1


def test_one_standard_error_goes_by_the_metric_that_it_is_given():
    scoring = {"mae": loss_scorer("mae"), "high": loss_scorer(Pinball(0.99))}
    grid = {"alpha": np.logspace(-2, 3, 11), "loss": ["squared_error"]}
    chosen = {}
    for metric in scoring:
        search = GridSearchCV(LossRegressor(), grid, scoring=scoring, refit=partial(one_standard_error, metric=metric))
        search.fit(X, Y)
        chosen[metric] = search.best_index_
        assert search.best_index_ == one_standard_error(search.cv_results_, metric=metric)
    assert chosen["mae"] != chosen["high"]


@pytest.mark.parametrize(
    ("grid", "options", "message"),
    [
        ({"tol": [1e-6]}, {}, r"parameter='alpha' must be the end of one parameter of the search; it is that of \[\]"),
        ({"alpha": [1.0]}, {"metric": "r2"}, "by metric='r2' the search has 0"),
    ],
)
def test_one_standard_error_says_what_it_misses(grid, options, message):
    results = GridSearchCV(LossRegressor(), grid, cv=3).fit(X, Y).cv_results_
    with pytest.raises(ValueError, match=message):
        one_standard_error(results, **options)


def test_classifiers_of_another_class_weight_can_be_compared():
    features, labels = classification_data(n=60)
    estimator = LossClassifier(class_weight="balanced")
    comparison = compare_losses(features, labels, ["hinge"], estimator=estimator, scoring="balanced_accuracy", **FAST)
    assert comparison.best("balanced_accuracy").class_weight == "balanced"
