"""Pictures show what the losses and the fits say."""

import sys

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklloss import LossClassifier, LossClassifierCV, LossRegressor, LossRegressorCV, compare_losses, loss_path
from sklloss.displays import (
    CoefficientPathDisplay,
    LossComparisonDisplay,
    LossDisplay,
    ResidualWeightDisplay,
    TrainingDisplay,
)
from sklloss.losses import Huber, Pinball, Ramp, Tukey

from .common import CLASSIFICATION, REGRESSION, classification_data, regression_data

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

X, Y = regression_data(n=60, d=3)


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def comparison():
    losses = {"squared": "squared_error", "huber": Huber(1.0)}
    return compare_losses(X, Y, losses, scoring=["mae", "r2"], param_grid={"alpha": [0.1]}, cv=3)


def drawn(display, label):
    """x and y of the curve of that label, without the gaps at kinks."""
    (line,) = (line for line in display.lines_ if line.get_label() == label)
    x, y = line.get_data()
    return x[np.isfinite(y)], y[np.isfinite(y)]


def test_a_curve_of_each_quantity_is_that_of_the_formula():
    expected = {
        "loss": lambda r: np.where(np.abs(r) <= 1, r**2 / 2, np.abs(r) - 0.5),
        "gradient": lambda r: np.clip(r, -1, 1),
        "hessian": lambda r: (np.abs(r) <= 1).astype(float),
        "weight": lambda r: 1 / np.maximum(1, np.abs(r)),
    }
    for quantity, formula in expected.items():
        display = LossDisplay.from_losses([Huber(1.0)], quantity=quantity, limits=(-2.95, 2.95))
        r, values = drawn(display, "huber")
        # Residuals are y_true - (y_true - r), so rounded to 1e-16; the second derivative jumps at 1, not on the grid.
        np.testing.assert_allclose(values, formula(r), atol=1e-14)
        assert display.ax_.get_xlabel() == "residual:  y_true - raw_prediction"


@pytest.mark.parametrize("quantity", ["loss", "gradient", "hessian"])
@pytest.mark.parametrize("names", [REGRESSION, CLASSIFICATION], ids=["regression", "classification"])
def test_every_loss_is_drawn(names, quantity):
    display = LossDisplay.from_losses(names, quantity=quantity)
    assert len(display.lines_) == len(names)
    for name in names:  # the derivatives have a gap at each kink, and nothing else is missing
        gaps = len(display.kinks[name]) if quantity != "loss" else 0
        assert (~np.isfinite(display.curves[name])).sum() == gaps
    looks = {(line.get_color(), str(line.get_linestyle())) for line in display.lines_}
    assert len(looks) == len(names)  # no two curves look the same


@pytest.mark.parametrize(
    ("loss", "kinks"),
    [
        (Pinball(0.9), [0.0]),
        ("epsilon_insensitive", [-0.1, 0.1]),
        ("hinge", [1.0]),
        (Ramp(), [0.0, 1.0]),
        ("huber", []),
    ],
)
def test_kinks_are_marked_where_the_loss_bends(loss, kinks):
    display = LossDisplay.from_losses({"it": loss})
    # atol: the cap of the ramp is found between two points of a grid, exactly so far as rounding goes
    np.testing.assert_allclose(display.kinks["it"], kinks, atol=1e-9)
    markers = [line for line in display.ax_.lines if line.get_marker() == "o"]
    assert len(markers) == len(kinks)
    jumps = LossDisplay.from_losses({"it": loss}, quantity="gradient")
    gaps = np.isnan(jumps.curves["it"])
    np.testing.assert_allclose(jumps.x[gaps], kinks, atol=1e-9)


def test_deviances_are_drawn_against_the_residual_of_the_raw_prediction():
    display = LossDisplay.from_losses(["poisson"], y_true=2.0)
    r, values = drawn(display, "poisson")
    mean = 2.0 * np.exp(-r)
    np.testing.assert_allclose(values, 2 * (2.0 * r - 2.0 + mean), atol=1e-12)
    assert display.ax_.get_xlabel() == "residual:  link(y_true) - raw_prediction,  at y_true = 2"


def test_two_losses_of_a_name_are_two_curves():
    assert list(LossDisplay.from_losses("huber").curves) == ["huber"]
    display = LossDisplay.from_losses([Huber(1.0), Huber(2.0)])
    assert [text.get_text() for text in display.ax_.get_legend().get_texts()] == ["huber", "huber_2"]


def test_a_display_draws_into_given_axes_and_again():
    _, ax = plt.subplots()
    display = LossDisplay.from_losses(["huber"], ax=ax, linewidth=4)
    assert display.ax_ is ax
    assert display.figure_ is ax.figure
    assert display.lines_[0].get_linewidth() == 4
    assert display.plot().ax_ is not ax


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"losses": ["huber", "hinge"]}, "losses must be of regression, or of classification"),
        ({"losses": []}, "at least one"),
        ({"losses": Pinball([0.1, 0.9])}, "is a loss of several levels, each with a curve of its own; pass them apart"),
        ({"losses": ["huber"], "quantity": "slope"}, "quantity must be one of"),
        ({"losses": ["pinball"], "quantity": "weight"}, "gives rows no weights"),
    ],
)
def test_losses_that_cannot_be_drawn_raise(arguments, message):
    with pytest.raises(ValueError, match=message):
        LossDisplay.from_losses(**arguments)


def test_the_heat_map_has_the_numbers_of_the_table(comparison):
    display = comparison.plot()
    texts = [text.get_text() for text in display.ax_.texts]
    numbers = comparison.formatted().ravel()
    assert [text.split()[0] for text in texts[: len(numbers)]] == numbers.tolist()
    bold = [text.get_text().split()[0] for text in display.ax_.texts if text.get_fontweight() == "bold"]
    assert bold == numbers[comparison.matrix("verdict").ravel() == "best"].tolist()
    assert [tick.get_text() for tick in display.ax_.get_yticklabels()] == ["squared", "huber", "Dummy"]
    assert [tick.get_text() for tick in display.ax_.get_xticklabels()] == ["absolute_error", "r2"]
    image = display.ax_.images[0].get_array()
    best, dummy = comparison.matrix()[:, 0].min(), comparison.matrix()[2, 0]
    assert image[2, 0] == pytest.approx(100 * (dummy / best - 1))  # percent worse than the best
    assert (image.min(axis=0) == 0).all()


def test_a_cell_that_is_not_scored_says_so():
    features, labels = classification_data(n=60)
    judged = compare_losses(
        features, labels, ["log_loss", "hinge"], scoring=["log_loss"], param_grid={"alpha": [0.1]}, cv=3
    )
    texts = [text.get_text() for text in judged.plot().ax_.texts]
    assert texts[1] == "not scored"


def test_whiskers_show_the_paired_errors_without_the_dummy(comparison):
    display = comparison.plot(kind="whiskers")
    assert [tick.get_text() for tick in display.ax_.get_yticklabels()] == ["squared", "huber"]
    (mae, _) = display.ax_.containers
    (whiskers,) = mae.lines[2]
    width = [np.ptp(segment[:, 0]) for segment in whiskers.get_segments()]
    best = comparison.matrix()[:, 0].min()
    np.testing.assert_allclose(width, 200 * comparison.matrix("se_difference")[:-1, 0] / best, atol=1e-9)
    with pytest.raises(ValueError, match="kind must be 'heatmap' or 'whiskers', got 'bars'"):
        LossComparisonDisplay(comparison).plot(kind="bars")


def test_residual_weights_are_those_of_the_fit():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(X, index=[f"row {i}" for i in range(len(X))], columns=["a", "b", "c"])
    y = Y.copy()
    y[7] += 1000
    model = LossRegressor(Tukey()).fit(frame, y)
    display = ResidualWeightDisplay.from_estimator(model, frame, y, n_named=1)
    z = (y - model.predict(frame)) / model.scale_
    expected = np.where(np.abs(z) < Tukey().delta, (1 - (z / Tukey().delta) ** 2) ** 2, 0)
    np.testing.assert_allclose(display.weight, expected, atol=1e-12)
    assert [text.get_text() for text in display.ax_.texts] == ["row 7"]
    assert display.weight[7] == 0


def test_a_loss_without_weights_is_refused():
    with pytest.raises(ValueError, match="such as huber and tukey"):
        ResidualWeightDisplay.from_estimator(LossRegressor("absolute_error").fit(X, Y), X, Y)


def test_training_shows_each_iteration():
    models = [LossRegressor("log_cosh").fit(X, Y), LossRegressor("pinball").fit(X, Y)]
    display = TrainingDisplay.from_estimators(models)
    optimality = {line.get_label(): line.get_ydata() for line in display.ax_[1].lines}
    for model in models:
        expected = [max(value, 1e-16) for _, value in model.solution_.history]
        np.testing.assert_array_equal(optimality[model.loss_.label], expected)
    named = TrainingDisplay.from_estimators({"margin": LossClassifier("hinge").fit(*classification_data())})
    assert named.ax_[0].lines[0].get_label() == "margin"


def test_a_path_has_a_line_for_each_feature_and_a_mark_at_the_chosen_alpha():
    pandas = pytest.importorskip("pandas")
    model = LossRegressorCV(alphas=[1.0, 0.1, 0.01]).fit(pandas.DataFrame(X, columns=["one", "two", "three"]), Y)
    display = CoefficientPathDisplay.from_estimator(model)
    for j, name in enumerate(["one", "two", "three"]):
        alphas, values = drawn(display, name)
        np.testing.assert_array_equal(alphas, model.alphas_)
        np.testing.assert_array_equal(values, model.path_.coef[:, j])
    assert display.ax_.xaxis_inverted()
    assert display.ax_.get_xscale() == "log"
    marks = [line for line in display.ax_.lines if line.get_xdata()[0] == line.get_xdata()[-1] == model.alpha_]
    assert len(marks) == 1


def test_only_the_largest_features_are_named():
    path = loss_path(X, Y, alphas=[1.0, 0.1])
    display = CoefficientPathDisplay.from_path(path, n_named=1)
    labels = [line.get_label() for line in display.lines_ if not line.get_label().startswith("_")]
    assert labels == [f"x{np.abs(path.coef[-1]).argmax()}"]
    assert len(display.lines_) == 3


def test_a_path_of_several_classes_is_drawn_by_class_and_a_pipeline_names_its_features():
    points, labels = classification_data(n_classes=3)
    model = make_pipeline(StandardScaler(), LossClassifierCV(alphas=[1.0, 0.0])).fit(points, labels)
    display = CoefficientPathDisplay.from_estimator(model, output=2)
    np.testing.assert_array_equal(drawn(display, "x1")[1], model[-1].path_.coef[:, 2, 1])
    assert display.ax_.get_xscale() == "symlog" or len(display.alphas[display.alphas > 0]) == 1


def test_without_matplotlib_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match="Pictures need matplotlib: pip install matplotlib"):
        LossDisplay.from_losses(["huber"])
