"""Published values of other libraries and papers; the source of each case stands beside it in golden.json.

Where a library's convention differs from ours, the factor is here.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from sklloss import average_loss, get_loss

CASES = json.loads((Path(__file__).parent / "golden.json").read_text(encoding="utf-8"))
RAW = {  # their function → our loss, their value / ours, and the names of their parameters
    "mse": ("squared_error", 1.0, {}),
    "mae": ("absolute_error", 1.0, {}),
    "huber": ("huber", 1.0, {"delta": "delta"}),
    "smooth_l1": ("smooth_l1", 1.0, {"beta": "beta"}),
    "pinball": ("pinball", 1.0, {"alpha": "quantile"}),
    "log_cosh": ("log_cosh", 1.0, {}),
    "hinge": ("hinge", 1.0, {}),
    "squared_hinge": ("squared_hinge", 1.0, {}),
    "modified_huber": ("modified_huber", 1.0, {}),
    "bce_with_logits": ("log_loss", 1.0, {}),
    "half_binomial_raw": ("log_loss", 1.0, {}),
    "cross_entropy": ("log_loss", 1.0, {}),
}


def case_id(case):
    return case["name"]


def rows_of(case):
    """(loss, y_true, raw_prediction, factor) with all elements of the case as rows."""
    name, factor, names = RAW[case["function"]]
    loss = get_loss(
        name, **{ours: case["params"][theirs] for theirs, ours in names.items() if theirs in case["params"]}
    )
    y, f = np.asarray(case["y_true"]), np.asarray(case["y_pred"], dtype=float)
    if case["function"] == "cross_entropy":
        return loss, y, f, factor
    y = y.astype(float).ravel()
    if not loss.response_method.startswith("predict"):
        y = np.where(y > 0, 1.0, 0.0)  # labels -1 / 1 or 0 / 1
    return loss, y, f.ravel(), factor


@pytest.mark.parametrize("case", [case for case in CASES if case["function"] in RAW], ids=case_id)
def test_value_and_gradient_equal_the_published_ones(case):
    loss, y, raw, factor = rows_of(case)
    rows = factor * loss.loss(y, raw)
    expected, how = np.asarray(case["expected"], dtype=float), case["params"].get("reduction", "mean")
    if "sample_weight" in case["params"]:  # Keras: weights multiply, and the mean is over the number of rows
        shape = np.shape(case["y_true"])
        rows = rows.reshape(shape).mean(axis=1) * case["params"]["sample_weight"]
    elif expected.ndim == 1:
        how = "none"
        rows = rows.reshape(len(expected), -1).mean(axis=1)
    elif "keras" in case["params"].get("weighting", ""):
        rows = rows.reshape(np.shape(case["y_true"])).mean(axis=1)
    total = {"none": rows, "mean": rows.mean(), "sum": rows.sum()}[how]
    np.testing.assert_allclose(total, expected, rtol=1e-13, atol=case["atol"])
    if case.get("expected_grad") is not None:
        gradient = factor * loss.gradient(y, raw) / (len(raw) if how == "mean" and np.ndim(case["y_true"]) else 1)
        if case["function"] in ("modified_huber", "squared_hinge"):
            gradient = gradient * np.where(y > 0, 1, 1)
        expected = np.asarray(case["expected_grad"], dtype=float)
        np.testing.assert_allclose(gradient.reshape(expected.shape), expected, rtol=1e-13, atol=1e-12)


@pytest.mark.parametrize(
    "case",
    [c for c in CASES if c["function"] in ("cce", "sparse_cce", "log_loss", "ovr_hinge", "poisson_deviance")],
    ids=case_id,
)
def test_average_loss_equals_the_published_metric(case):
    name = {"ovr_hinge": "hinge", "poisson_deviance": "poisson"}.get(case["function"], "log_loss")
    y, p = np.asarray(case["y_true"]), np.asarray(case["y_pred"], dtype=float)
    if case["function"] == "cce":  # one-hot
        y = y.argmax(axis=1)
    labels = None if name == "poisson" or case["function"] == "log_loss" else np.arange(p.shape[1])
    if case["function"] == "ovr_hinge":  # torchmetrics prints the columns' means one by one, we add them up
        assert average_loss(y, p, loss=name) == pytest.approx(sum(case["expected"]), abs=3 * case["atol"])
        return
    how = case["params"].get("reduction", "mean")
    assert average_loss(y, p, loss=name, labels=labels, aggregate=how) == pytest.approx(
        case["expected"], abs=case["atol"]
    )


def test_half_poisson_is_half_our_deviance_up_to_a_term_of_y():
    # scikit-learn's HalfPoissonLoss drops y log y - y, which does not depend on the prediction.
    case = next(c for c in CASES if c["function"] == "half_poisson_raw")
    y, raw = np.array([case["y_true"]]), np.array([case["y_pred"]])
    dropped = y * np.log(y) - y
    loss = get_loss("poisson")
    assert (loss.loss(y, raw) / 2 - dropped)[0] == pytest.approx(case["expected"], abs=case["atol"])
    assert loss.gradient(y, raw)[0] / 2 == pytest.approx(case["expected_grad"], abs=case["atol"])


def test_every_case_has_a_source():
    assert all(case["source"] for case in CASES)
