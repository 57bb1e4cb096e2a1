"""Published values of other libraries and papers; the source of each case stands beside it in golden.json.

Where a convention differs from ours, the conversion and its reason stand in the tables below: as factors and
parameters, never as another loss.  Expected values come from the file only.
"""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from scipy import special
from sklearn.metrics import jaccard_score

from sklloss import average_loss, d2_loss_score, losses
from sklloss.losses._image import psnr

CASES = json.loads((Path(__file__).parent / "golden.json").read_text(encoding="utf-8"))

# What no test uses, by function, and why.
IMAGE = "a penalty of images, which does not exist here yet"
NOT_OURS = "not in the catalogue"
LEFT_OUT = {
    "lovasz_hinge": "its errors are hinges of the margin, ours are those of a probability",
    "masked_tv": IMAGE,
    "tv": IMAGE,
    "cosine_similarity": NOT_OURS,
    "gaussian_nll": NOT_OURS,
    "hinge_embedding": NOT_OURS,
    "js_divergence": NOT_OURS,
    "kl_divergence": NOT_OURS,
    "kl_divergence_logp": NOT_OURS,
    "kl_sum_keras": NOT_OURS,
    "max_error": NOT_OURS,
    "smape": NOT_OURS,
    "zero_one": NOT_OURS,
}


# ------------------------------------------------ their y_true, y_pred and parameters → our y_true and raw_prediction
def elements(y, f, p):
    """Each element is a row."""
    return y.astype(float).ravel(), f.ravel()


def signs(y, f, p):
    """Labels are -1 / 1 or 0 / 1."""
    return (y > 0).astype(float).ravel(), f.ravel()


def real(y, f, p):
    """No labels: all are compared with one target."""
    return np.full(f.shape, p["target"]), f


def binary_probabilities(y, f, p):
    """PyTorch cuts log(p) off at -100, where it is the logit; Keras cuts p off at 1e-7."""
    limit = 100.0 if "clip" in p else special.logit(1 - 1e-7)
    raw = f if p.get("from_logits") else np.clip(special.logit(f), -limit, limit)
    return elements(y, raw, p)


def class_axis_1(y, f, p):
    """PyTorch's shapes are ours."""
    return y, f


def class_axis_last(y, f, p):
    """Keras has classes last, and cuts probabilities off at 1e-7; it renormalises them as softmax(log(p)) does."""
    raw = f if p.get("from_logits") else np.log(np.clip(f, 1e-7, 1 - 1e-7))
    return y.astype(float) if y.shape == f.shape else y, np.moveaxis(raw, -1, 1)


def pixels(y, f, p):
    """One-hot images with classes on axis 1 → a row for each pixel."""
    return tuple(np.moveaxis(a, 1, -1).reshape(-1, a.shape[1]) for a in (y, f))


def one_vs_rest(y, f, p):
    return np.eye(f.shape[1])[y].ravel(), f.ravel()


def zero_rival(y, f, p):
    """Keras multiplies by a mask, which leaves a 0 among the rivals, and lets a row have no class: a column of 0."""
    y = np.column_stack([y, 1 - y.sum(axis=1)])
    return y.argmax(axis=1), np.column_stack([f, np.zeros(len(f))])


def lead_over_rivals(y, f, p):
    """PyTorch's MultiMarginLoss is a hinge of the lead over each rival, in units of the margin (Weston, Watkins)."""
    lead = np.take_along_axis(f, y[:, None], axis=1) - f
    rivals = np.arange(f.shape[1]) != y[:, None]
    lead = lead[rivals].reshape(len(f), -1) / p["margin"]
    return np.ones(lead.shape), lead


class Convention(NamedTuple):
    """theirs = factor * ours + added, for each row."""

    theirs: str
    ours: Callable  # their parameters → our loss
    inputs: Callable = elements
    factor: Any = 1.0  # a number, or a function of their y_pred and parameters, which may give one for each row
    added: Callable = lambda y, p: 0.0  # what differs by y_true alone
    by_column: bool = False  # one mean for each column


def one_over_c2(f, p):
    """Barron's losses are curved like 1 / c**2 at 0, ours like 1."""
    return p["c"] ** -2.0


def minus_y_log_y(y, p):
    """A negative log-likelihood drops y log y - y from half the deviance; PyTorch also drops eps, added to mu."""
    return y - special.xlogy(y, y) - p.get("eps", 0.0)


CONVENTIONS = [
    # Regression
    Convention("mse", lambda p: losses.SquaredError()),
    Convention("mae", lambda p: losses.AbsoluteError()),
    Convention("huber", lambda p: losses.Huber(p["delta"])),
    Convention("smooth_l1", lambda p: losses.SmoothL1(p["beta"])),
    Convention("log_cosh", lambda p: losses.LogCosh()),
    Convention("pinball", lambda p: losses.Pinball(p["alpha"])),
    Convention("balanced_l1", lambda p: losses.BalancedL1(p["alpha"], p["gamma"], p["beta"])),
    Convention("epsilon_insensitive", lambda p: losses.EpsilonInsensitive(p["epsilon"])),
    Convention("squared_epsilon_insensitive", lambda p: losses.SquaredEpsilonInsensitive(p["epsilon"])),
    Convention("tukey_biweight", lambda p: losses.Tukey(p["c"])),
    Convention("hampel", lambda p: losses.Hampel(p["a"], p["b"], p["c"])),
    Convention("charbonnier", lambda p: losses.Charbonnier(p["eps"] ** 0.5)),  # mmagic adds eps inside the root
    # Barron's family by itself, and its members with their usual scaling: q / 2 = (r / c)**2 / 2 is (r / delta)**2
    Convention("cauchy", lambda p: losses.Barron(p["alpha"], p["c"])),
    Convention("cauchy", lambda p: losses.Cauchy(2**0.5 * p["c"]), factor=one_over_c2),
    Convention("charbonnier_barron", lambda p: losses.Barron(p["alpha"], p["c"])),
    Convention("charbonnier_barron", lambda p: losses.PseudoHuber(p["c"]), factor=one_over_c2),
    Convention("geman_mcclure", lambda p: losses.Barron(p["alpha"], p["c"])),
    Convention("geman_mcclure", lambda p: losses.GemanMcClure(2 * p["c"]), factor=one_over_c2),  # 2 q / (q + 4)
    Convention("welsch", lambda p: losses.Barron(float(p["alpha"]), p["c"])),
    Convention("welsch", lambda p: losses.Welsch(2**0.5 * p["c"]), factor=one_over_c2),
    # Negative log-likelihoods: half our deviance, without its terms of y alone
    Convention("half_poisson_raw", lambda p: losses.Poisson(), factor=0.5, added=minus_y_log_y),
    Convention(
        "poisson_nll",
        lambda p: losses.Poisson(),
        lambda y, f, p: (y, f if p["log_input"] else np.log(f + p["eps"])),
        factor=0.5,
        added=minus_y_log_y,
    ),
    Convention("half_gamma_raw", lambda p: losses.Gamma(), factor=0.5, added=lambda y, p: np.log(y) + 1),
    Convention(
        "half_tweedie_raw",
        lambda p: losses.Tweedie(p["power"]),
        factor=0.5,
        added=lambda y, p: -(y ** (2 - p["power"])) / ((1 - p["power"]) * (2 - p["power"])),
    ),
    Convention(  # this one keeps them
        "half_tweedie_identity",
        lambda p: losses.Tweedie(p["power"]),
        lambda y, f, p: (y.ravel(), np.log(f).ravel()),
        factor=0.5,
    ),
    # Two classes
    Convention("half_binomial_raw", lambda p: losses.LogLoss()),
    Convention("logistic_pm1", lambda p: losses.LogLoss(), signs),
    Convention("bce", lambda p: losses.LogLoss(), binary_probabilities),
    Convention(  # a weight of each row multiplies its loss; the mean stays that over the number of rows
        "bce_with_logits",
        lambda p: losses.LogLoss(class_weight=[1, p["pos_weight"]] if "pos_weight" in p else None),
        factor=lambda f, p: np.asarray(p.get("weight", 1.0)),
    ),
    # Keras has an alpha, 0.25, that is not in use without apply_class_balancing
    Convention("focal_binary", lambda p: losses.Focal(p["gamma"]), binary_probabilities),
    Convention(  # MONAI: one logit for each class, with a weight for each (axis 1)
        "focal_sigmoid",
        lambda p: losses.Focal(2.0, p.get("alpha")),
        factor=lambda f, p: np.reshape(p.get("weight", 1.0), (-1, 1, 1)),
    ),
    Convention("hinge", lambda p: losses.Hinge(), signs),
    Convention("squared_hinge", lambda p: losses.SquaredHinge(), signs),
    Convention("modified_huber", lambda p: losses.ModifiedHuber(), signs),
    Convention("perceptron", lambda p: losses.Perceptron(), signs),
    Convention("lsgan", lambda p: losses.LSGAN(), real, factor=lambda f, p: p["loss_weight"]),
    # More classes
    Convention(
        "cross_entropy",
        lambda p: losses.LogLoss(p.get("label_smoothing", 0.0), p.get("weight"), p.get("ignore_index")),
        class_axis_1,
    ),
    Convention("cce", lambda p: losses.LogLoss(p.get("label_smoothing", 0.0)), class_axis_last),
    Convention("sparse_cce", lambda p: losses.LogLoss(ignore_label=p.get("ignore_class")), class_axis_last),
    # Keras multiplies every class by alpha = 0.25, and has gamma = 2
    Convention("focal_categorical", lambda p: losses.Focal(2.0), class_axis_last, factor=0.25),
    # MONAI's mean is over rows and classes, though all but one class have loss 0
    Convention("focal_softmax_monai", lambda p: losses.Focal(2.0), pixels, factor=lambda f, p: 1 / f.shape[1]),
    Convention("poly_loss", lambda p: losses.Poly1(p["epsilon"]), class_axis_1),
    Convention("ovr_hinge", lambda p: losses.Hinge(), one_vs_rest, by_column=True),
    Convention("categorical_hinge_keras", lambda p: losses.CrammerSinger(), zero_rival),
    Convention(  # max(0, margin - lead)**p = margin**p max(0, 1 - lead / margin)**p, and a mean over K classes
        "multi_margin",
        lambda p: {1: losses.Hinge, 2: losses.SquaredHinge}[p["p"]](),
        lead_over_rivals,
        factor=lambda f, p: p["margin"] ** p["p"] / f.shape[1],
    ),
]


class Metric(NamedTuple):
    """theirs = finish(average_loss(y_true, y_pred, loss=ours, aggregate=...))."""

    theirs: str
    ours: Callable  # their parameters → our loss
    aggregate: str | None = "mean"
    finish: Callable = lambda value, p: value
    inputs: Callable = lambda y, f, p: (y, f)


def clipped(y, f, p):
    """Keras cuts negative values off, for which there is no logarithm; we raise, as scikit-learn does."""
    return np.maximum(y, p.get("clip", -np.inf)), np.maximum(f, p.get("clip", -np.inf))


METRICS = [
    Metric("medae", lambda p: losses.AbsoluteError(), aggregate="median"),
    Metric("mape", lambda p: losses.AbsolutePercentageError(), finish=lambda value, p: value * p.get("scale", 1.0)),
    Metric("rmse", lambda p: losses.SquaredError(), finish=lambda value, p: value**0.5),
    Metric("msle", lambda p: losses.SquaredLogError(), inputs=clipped),
    Metric("rmsle", lambda p: losses.SquaredLogError(), finish=lambda value, p: value**0.5),
    Metric("poisson_deviance", lambda p: losses.Poisson()),
    Metric("gamma_deviance", lambda p: losses.Gamma()),
    Metric("tweedie_deviance", lambda p: losses.Tweedie(p["power"])),
    Metric("log_loss", lambda p: losses.LogLoss()),
    Metric("brier", lambda p: losses.Brier()),
    Metric(  # torchmetrics can square each row's hinge
        "crammer_singer",
        lambda p: losses.CrammerSinger(),
        aggregate=None,
        finish=lambda rows, p: np.mean(rows ** (2 if p.get("squared") else 1)),
    ),
]


# -------------------------------------------------------------------------------------------------------------- tests
def is_nan(case):
    return case["expected"] == "nan"


def pairs(table, *keys):
    """Parametrisation by the cases of a table that have one of the keys."""
    return pytest.mark.parametrize(
        ("case", "convention"),
        [
            pytest.param(case, convention, id=f"{case['name']}-{type(convention.ours(case['params'])).__name__}")
            for convention in table
            for case in CASES
            if case["function"] == convention.theirs and not is_nan(case) and any(key in case for key in keys)
        ],
    )


def converted(case, convention):
    """Our loss, y_true, raw_prediction, and their factor."""
    p, f = case["params"], np.asarray(case["y_pred"], dtype=float)
    factor = convention.factor(f, p) if callable(convention.factor) else convention.factor
    y, raw = convention.inputs(np.asarray(case["y_true"]), f, p)
    return convention.ours(p).check(), y, raw, factor


def reduction(case):
    return case["params"].get("reduction", "none" if np.ndim(case["expected"]) else "mean")


@pairs(CONVENTIONS, "expected")
def test_loss_of_rows_reduces_to_the_published_value(case, convention):
    loss, y, raw, factor = converted(case, convention)
    p, shape, rows = case["params"], np.shape(case["y_pred"]), loss.loss(y, raw)
    if y.shape == rows.shape:
        y = y.ravel()  # class indices of pixels, or elements
    elementwise = rows.size == np.size(case["y_pred"])
    rows = factor * (rows.reshape(shape) if elementwise else rows) + convention.added(np.asarray(case["y_true"]), p)
    if convention.by_column or p.get("multioutput") == "raw_values":
        rows = rows.mean(axis=0)
    elif case["source"].startswith("Keras") and elementwise and len(shape) > 1:
        rows = rows.mean(axis=-1)  # Keras averages over the last axis before it weights and reduces
    rows = np.multiply(rows, 1.0 if p.get("sample_weight") is None else p["sample_weight"])
    total = {
        "none": lambda: rows,
        "sum": rows.sum,
        "mean": lambda: loss.mean(y, rows.ravel(), np.ones(rows.size)),  # PyTorch's denominators for LogLoss
    }[reduction(case)]()
    np.testing.assert_allclose(total, np.asarray(case["expected"], dtype=float), rtol=1e-13, atol=case["atol"])


# scikit-learn's own test allows derivatives an absolute error of 1e-15; these three numbers need it.
ROUGH = {
    "sk_logloss_extreme_1_-37.5": "prints 0 for the curvature exp(-37.5) = 5.2e-17",
    "sk_logloss_extreme_0_232.8": "prints 1.4e-101 for the curvature exp(-232.8) = 7.9e-102",
    "sk_logloss_extreme_1_232.8": "prints 1.4e-101 for the curvature exp(-232.8) = 7.9e-102, and so for the gradient",
}


def assert_derivative_equals(ours, expected, case):
    """To rounding level of the largest entry: the tolerance of a case is for its value, up to 1e20 here."""
    scale = 1.0 if case["name"] in ROUGH else np.abs(expected).max()
    np.testing.assert_allclose(ours, expected, rtol=1e-13, atol=1e-15 * scale)


@pairs(CONVENTIONS, "expected_grad", "psi")
def test_gradient_equals_the_published_one(case, convention):
    loss, y, raw, factor = converted(case, convention)
    # psi is the derivative by the residual
    expected = np.asarray(case["expected_grad"] if "expected_grad" in case else np.negative(case["psi"]), dtype=float)
    expected = expected.reshape(raw.shape)
    ones = np.ones(len(raw))
    if reduction(case) == "mean":
        factor = factor * loss.mean(y, ones, ones) / len(raw)  # 1 / the sum of the denominators
    smooth = np.ones(raw.shape, dtype=bool)
    if not loss.smooth:  # at a kink they take one end of the subdifferential, and we its middle
        left, right = (factor * loss.gradient(y, raw + step) for step in (-1e-9, 1e-9))
        assert np.all((left <= expected) & (expected <= right))
        smooth = left == right
    for gradient in (loss.gradient(y, raw), loss.value_gradient(y, raw, ones)[1]):
        assert_derivative_equals(np.where(smooth, factor * gradient, expected), expected, case)


@pairs(CONVENTIONS, "expected_hess", "psi_deriv")
def test_curvature_equals_the_published_one(case, convention):
    loss, y, raw, factor = converted(case, convention)
    expected = np.ravel(case["expected_hess" if "expected_hess" in case else "psi_deriv"])
    assert_derivative_equals(factor * loss.hessian(y, raw), expected, case)


@pairs(CONVENTIONS, "weights")
def test_majorizer_equals_the_published_weights_of_least_squares(case, convention):
    loss, y, raw, _ = converted(case, convention)
    assert_derivative_equals(loss.majorizer(y, raw), np.array(case["weights"]), case)


@pairs(METRICS, "expected")
def test_average_loss_equals_the_published_metric(case, convention):
    p = case["params"]
    y, f = convention.inputs(np.asarray(case["y_true"]), np.asarray(case["y_pred"], dtype=float), p)
    value = average_loss(y, f, loss=convention.ours(p), aggregate=convention.aggregate)
    assert convention.finish(value, p) == pytest.approx(case["expected"], rel=1e-13, abs=case["atol"])


@pytest.mark.parametrize(
    "case",
    [c for c in CASES if c["function"] == "cross_entropy" and reduction(c) == "mean" and np.ndim(c["y_true"]) == 1],
    ids=lambda case: case["name"],
)
def test_average_loss_of_labels_is_the_mean_of_pytorch(case):
    p, y, raw = case["params"], np.asarray(case["y_true"]), np.asarray(case["y_pred"])
    loss = losses.LogLoss(p.get("label_smoothing", 0.0), p.get("weight"), p["ignore_index"])
    probabilities, labels = loss.response(raw), np.arange(raw.shape[1])
    if not is_nan(case):
        value = average_loss(y, probabilities, loss=loss, labels=labels)
        assert value == pytest.approx(case["expected"], rel=1e-13, abs=case["atol"])
        return
    # All rows are ignored: 0 / 0, where we raise; the sum is 0, as the note of the case says.
    assert loss.loss(y, raw).sum() == 0
    with pytest.raises(ValueError, match="ignores every row"):
        loss.mean(y, loss.loss(y, raw), np.ones(len(y)))
    with pytest.raises(ValueError, match="ignores every row"):
        average_loss(y, probabilities, loss=loss, labels=labels)


# --------------------------------------------------------------------------- skill scores, and losses of sets of rows
ON_THEIR_OWN: set[str] = set()  # the functions that the tests below are for
LEFT_OUT_CASES = {
    "monai_dice_soft": "for soft labels MONAI takes (y + p - |y - p|) / 2 as the intersection, we take y * p",
    "keras_t_ctc": "the target holds the blank, where our rows of blank carry no label",
}


def published(*functions):
    """Parametrisation by the cases of some functions, for a test of their own."""
    ON_THEIR_OWN.update(functions)
    cases = [case for case in CASES if case["function"] in functions and case["name"] not in LEFT_OUT_CASES]
    return pytest.mark.parametrize("case", cases, ids=[case["name"] for case in cases])


def assert_equals_case(value, case):
    np.testing.assert_allclose(value, np.asarray(case["expected"], dtype=float), rtol=1e-13, atol=case["atol"])


@published("r2", "d2_absolute_error", "d2_pinball", "d2_tweedie")
def test_d2_loss_score_equals_the_published_score(case):
    loss = {
        "r2": losses.SquaredError,
        "d2_absolute_error": losses.AbsoluteError,
        "d2_pinball": lambda alpha: losses.Pinball(alpha),
        "d2_tweedie": losses.Tweedie,
    }[case["function"]](**case["params"])
    assert_equals_case(d2_loss_score(case["y_true"], case["y_pred"], loss=loss), case)


def with_smoothing(loss, y, p, numerator, denominator):
    """Losses 1 - (gain + numerator) / (whole + denominator) of the rows of y and p, from ours, where both are equal."""
    sets = np.repeat(np.arange(len(y)), y.shape[1])
    ours = loss.set_values(y.ravel(), loss.raw(p.ravel()), np.ones(y.size), sets)
    a, b = (0.5, 0.5) if isinstance(loss, losses.Dice) else (loss.alpha, loss.beta)
    whole = (y * p + a * (1 - y) * p + b * y * (1 - p)).sum(axis=1) * (2 if isinstance(loss, losses.Dice) else 1)
    return ours + (denominator - numerator) / (whole + denominator)


@published("dice", "tversky")
def test_keras_has_its_epsilon_in_the_denominator_only(case):
    params, y, p = case["params"], np.asarray(case["y_true"], float), np.asarray(case["y_pred"], float)
    eps = 1e-7
    of = {"dice": losses.Dice, "tversky": partial(losses.Tversky, params.get("alpha", 0.5), params.get("beta", 0.5))}
    loss = of[case["function"]](smoothing=eps)
    y, p = (array.reshape(len(y) if "axis" in params else 1, -1) for array in (y, p))
    value = with_smoothing(loss, y, p, 0, eps)
    assert_equals_case(value if "axis" in params else value[0], case)


@published("dice_monai", "tversky_monai")
def test_monai_makes_a_set_of_each_channel_of_each_image(case):
    params, f = case["params"], np.asarray(case["y_pred"], float)
    y = np.asarray(case["y_true"], float)
    if params.get("to_onehot_y"):
        y = np.moveaxis(np.eye(f.shape[1])[y[:, 0].astype(int)], -1, 1)
    p = {"sigmoid": special.expit, "softmax": lambda f: special.softmax(f, axis=1), None: lambda f: f}[
        params.get("activation")
    ](f)
    first = 0 if params.get("include_background", True) else 1
    y, p = (array[:, first:].reshape(len(f) * (f.shape[1] - first), -1) for array in (y, p))
    top, bottom = params.get("smooth_nr", 1e-5), params.get("smooth_dr", 1e-5)
    if params.get("jaccard"):  # (2 I + s) / (2 U + s)
        assert top == bottom
        value = losses.Jaccard(top / 2).set_values(y[0], special.logit(p[0]), np.ones(y.size))
    elif case["function"] == "dice_monai":
        value = with_smoothing(losses.Dice(bottom), y, p, top, bottom)
    else:
        loss = losses.Tversky(params.get("alpha", 0.5), params.get("beta", 0.5), bottom)
        value = with_smoothing(loss, y, p, top, bottom)
    value = value.reshape(len(f), -1)
    assert_equals_case({"none": value, "sum": value.sum(), "mean": value.mean()}[params.get("reduction", "mean")], case)
    if params.get("activation") == "softmax":  # our mean over classes is theirs over channels
        raw = np.moveaxis(f, 1, -1).reshape(-1, f.shape[1])
        labels = np.asarray(case["y_true"])[:, 0].astype(int).ravel()
        images = np.repeat(np.arange(len(f)), f.shape[2])
        loss = losses.Dice(top) if case["function"] == "dice_monai" else losses.Tversky(smoothing=top)
        values = loss.set_values(labels, raw, np.ones(len(raw)), images)
        np.testing.assert_allclose(values, value.mean(axis=1), rtol=1e-12)


@published("jaccard_score")
def test_jaccard_of_labels_is_the_published_score(case):
    y, labels = np.asarray(case["y_true"]), np.asarray(case["y_pred"])
    certain = 1e3 * (2.0 * np.eye(3)[labels] - 1)
    each = [losses.Jaccard(0).set_values(np.eye(3)[y][:, k], certain[:, k], np.ones(len(y)))[0] for k in range(3)]
    assert_equals_case(1 - np.array(each), case)
    np.testing.assert_allclose(1 - np.array(each), jaccard_score(y, labels, average=None), rtol=1e-13)


@published("lovasz_softmax")
def test_lovasz_of_each_class_against_the_rest_is_that_of_all_classes(case):
    # "all" counts absent classes, which we don't; as the one class of two, a class is there anyway
    y, p = np.asarray(case["y_true"]), np.asarray(case["y_pred"])
    ones, loss = np.ones(len(y)), losses.Lovasz()
    each = [loss.set_values(np.eye(3)[y][:, k], loss.raw(p[:, k]), ones)[0] for k in range(3)]
    assert_equals_case(np.mean(each), case)
    ours, present = loss.set_values(y, loss.raw(p), ones)[0], np.isin(np.arange(3), y)
    assert ours == pytest.approx(np.mean(np.array(each)[present]), rel=1e-13)
    if present.all():
        assert_equals_case(ours, case)


@published("ctc")
def test_ctc_equals_the_published_value_and_gradient(case):
    params, f = case["params"], np.asarray(case["y_pred"], float)
    raw = f if params["layout"] == "(N,T,C)" else np.moveaxis(f, 0, 1)
    raw = raw if params.get("from_logits", True) else np.log(raw)
    N, T, K = raw.shape
    y = np.full((N, T), params["blank"])
    for i, target in enumerate(case["y_true"]):
        y[i, : len(target)] = target
    arguments = y.ravel(), raw.reshape(-1, K), np.ones(N * T), np.repeat(np.arange(N), T)
    values = losses.CTC(params["blank"]).set_values(*arguments)
    if params["reduction"] == "mean":
        values = np.mean(values / params["label_lengths"])
    assert_equals_case(values, case)
    if "expected_grad" in case:
        gradient = N * losses.CTC(params["blank"]).value_gradient(*arguments)[1]
        np.testing.assert_allclose(gradient.reshape(raw.shape), case["expected_grad"], rtol=0, atol=case["atol"])
    if np.any(values == np.inf):
        assert losses.CTC(params["blank"], zero_infinity=True).value_gradient(*arguments)[0] == 0


@published("psnr", "psnr_loss", "psnr_loss_nafnet")
def test_psnr_equals_the_published_value(case):
    y, f = np.asarray(case["y_true"], float).ravel(), np.asarray(case["y_pred"], float).ravel()
    data_range = case["params"].get("data_range", 1.0)  # theirs adds 1e-8 to the error, below the tolerance
    value = losses.PSNR(data_range).value_gradient(y, f, np.ones(len(y)))[0]
    assert_equals_case(-value if case["function"] == "psnr" else value, case)
    assert psnr(y, f, data_range) == -value


def test_every_case_is_used_or_named_as_left_out():
    used = {row.theirs for row in [*CONVENTIONS, *METRICS]} | ON_THEIR_OWN
    assert used | set(LEFT_OUT) == {case["function"] for case in CASES}
    assert not used & set(LEFT_OUT)
    # Derivatives are compared in the first table only.
    derived = {case["function"] for case in CASES if {"expected_grad", "expected_hess", "psi"} & set(case)}
    assert derived <= {row.theirs for row in CONVENTIONS} | ON_THEIR_OWN | set(LEFT_OUT)
    assert set(LEFT_OUT_CASES) <= {case["name"] for case in CASES if case["function"] in ON_THEIR_OWN}


def test_every_case_has_a_name_of_its_own_and_a_source():
    assert len({case["name"] for case in CASES}) == len(CASES)
    assert all(case["source"] for case in CASES)
