"""The callbacks of scikit-learn in our estimators."""

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklloss import LossClassifier, LossRegressor, compare_losses
from sklloss.losses import Huber

from .common import classification_data, regression_data

callback = pytest.importorskip("sklearn.callback", reason="scikit-learn has callbacks from 1.9 on")


class Recorder:
    """Notes every iteration; stops after some, or raises."""

    def __init__(self, stop_after=np.inf, fail_after=np.inf):
        self.stop_after, self.fail_after = stop_after, fail_after

    def setup(self, estimator, context):
        self.fits, self.models, self.metadata = 0, [], []

    def on_fit_task_begin(self, estimator, context, *, X, y, metadata):
        self.metadata.append(metadata)

    def on_fit_task_end(self, estimator, context, *, X, y, fitted_estimator):
        if context.parent is None:
            self.fits += 1
            return False
        self.models.append(fitted_estimator)
        fitted_estimator.score(X, y)
        if len(self.models) >= self.fail_after:
            raise RuntimeError("enough")
        return len(self.models) >= self.stop_after

    def teardown(self, estimator, context):
        self.torn_down = True


MODELS = [
    LossClassifier(),
    LossClassifier("squared_hinge"),
    LossClassifier("log_loss", "l1", alpha=0.01),
    LossRegressor("huber"),
    LossRegressor(Huber(1.35), scale="joint"),
    LossRegressor("log_cosh", solver="lbfgs"),
]


def data_of(model, n_classes=3):
    return classification_data(n_classes=n_classes) if isinstance(model, LossClassifier) else regression_data()


@pytest.mark.parametrize("model", MODELS, ids=repr)
def test_each_iteration_is_a_task_whose_model_is_fitted(model):
    X, y = data_of(model)
    plain = model.fit(X, y).coef_
    recorder = Recorder()
    model.set_callbacks(recorder).fit(X, y, sample_weight=np.ones(len(y)))
    model.set_callbacks()
    assert recorder.fits == 1
    assert recorder.torn_down
    assert all(set(given) == {"sample_weight"} for given in recorder.metadata)
    assert recorder.models
    for iterate in recorder.models:
        assert iterate.coef_.shape == plain.shape
        assert iterate.n_iter_ >= 1
        assert np.isfinite(iterate.solution_.value)
    np.testing.assert_allclose(model.coef_, plain, atol=1e-8)
    np.testing.assert_allclose(recorder.models[-1].coef_, plain, atol=1e-5 * np.abs(plain).max())


@pytest.mark.parametrize("model", MODELS, ids=repr)
def test_a_callback_can_stop_a_fit_and_its_last_iterate_is_the_model(model):
    X, y = data_of(model)
    recorder = Recorder(stop_after=1)
    model.set_callbacks(recorder)
    with pytest.warns(ConvergenceWarning, match="Stopped by a callback"):
        model.fit(X, y)
    model.set_callbacks()
    np.testing.assert_array_equal(model.coef_, recorder.models[-1].coef_)
    assert not model.solution_.converged
    assert np.isfinite(model.predict(X[:2])).all() if isinstance(model, LossRegressor) else True
    assert model.solution_.message.startswith("Stopped by a callback")


def test_a_callback_that_raises_leaves_the_estimator_as_it_was():
    X, y = regression_data()
    model = LossRegressor("huber").set_callbacks(Recorder(fail_after=1))
    before = set(vars(model))
    with pytest.raises(RuntimeError, match="enough"):
        model.fit(X, y)
    assert set(vars(model)) == before


def test_an_exact_solve_is_one_task():
    X, y = regression_data()
    recorder = Recorder()
    LossRegressor("absolute_error").set_callbacks(recorder).fit(X, y)
    assert (recorder.fits, recorder.models) == (1, [])


def test_progress_bars_and_monitors_work_alone_in_a_pipeline_and_in_a_search(capsys):
    pytest.importorskip("rich")
    X, y = classification_data()

    def pipeline():
        return make_pipeline(StandardScaler(), LossClassifier())

    for model in (LossClassifier(), pipeline(), GridSearchCV(pipeline(), {"lossclassifier__alpha": [0.1, 1.0]}, cv=2)):
        model.set_callbacks(callback.ProgressBar(max_propagation_depth=None)).fit(X, y)
    assert "LossClassifier" in capsys.readouterr().out
    monitor = callback.ScoringMonitor(scoring="accuracy")
    LossClassifier().set_callbacks(monitor).fit(X, y)


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_a_comparison_is_one_bar_over_candidates_and_folds(n_jobs, capsys):
    pytest.importorskip("rich")
    X, y = regression_data()
    bar = callback.ProgressBar(max_propagation_depth=0)
    options = {"param_grid": {"alpha": [0.1, 1.0]}, "cv": 2}
    with_bar = compare_losses(X, y, ["huber", "squared_error"], callbacks=[bar], n_jobs=n_jobs, **options)
    said = capsys.readouterr().out
    assert "Comparison - compare" in said
    assert "100%" in said
    assert "GridSearchCV" not in said
    without = compare_losses(X, y, ["huber", "squared_error"], **options)
    np.testing.assert_array_equal(with_bar.matrix(), without.matrix())


def test_models_without_callbacks_are_not_slowed_down_by_tasks():
    X, y = regression_data()
    model = LossRegressor("huber").fit(X, y)
    assert not [name for name in vars(model) if "callback" in name]
