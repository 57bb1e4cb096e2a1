"""scikit-learn's own checks, for every loss with every penalty."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from sklloss import LossClassifierCV, LossRegressorCV, get_loss

from .common import CLASSIFICATION, REGRESSION, estimator_for

ESTIMATORS = [
    estimator_for(name, penalty=penalty)
    for name in REGRESSION + CLASSIFICATION
    for penalty in ("l2", "l1", "elasticnet", None)
]
SEARCHES = [
    LossRegressorCV(alphas=4, cv=3),
    LossRegressorCV("huber", "l1", alphas=4, cv=3),
    LossRegressorCV("absolute_error", alphas=4, cv=3),
    LossClassifierCV(alphas=4, cv=3),
    LossClassifierCV("squared_hinge", "elasticnet", alphas=4, l1_ratio=[0.5, 1.0], cv=3),
    LossClassifierCV("hinge", alphas=4, cv=3),
]
WEIGHT_CHECKS = ("check_sample_weight_equivalence_on_dense_data", "check_sample_weight_equivalence_on_sparse_data")


def expected_failures(estimator):
    """Where a check of scikit-learn asks for what no solver can give, all without a penalty.

    Its weight checks have 15 rows and 30 columns, so there are many minimisers, or none: a loss with kinks, and one
    that stands on a median regression, stops at one of them, and a flat one at the first that is good to tol.  The
    ramp loss has one at each start.  The perceptron loss has one that stands out, the model of zeros.
    """
    loss, failures = get_loss(estimator.loss), {}
    if estimator.penalty is None and (loss.standardized or not loss.convex or not (loss.smooth or loss.poor_score)):
        failures |= dict.fromkeys(WEIGHT_CHECKS, "several minimisers, or an automatic scale of 0")
    if estimator.penalty is None and estimator.loss == "brier":
        failures["check_class_weight_classifiers"] = (
            "the minimum sets four rows of the class of weight 1e-7 apart, too many for the check"
        )
    return failures


@parametrize_with_checks(ESTIMATORS, expected_failed_checks=expected_failures)
def test_scikit_learn_accepts_every_loss(estimator, check):
    check(estimator)


@parametrize_with_checks(SEARCHES)
def test_scikit_learn_accepts_the_estimators_that_search(estimator, check):
    check(estimator)
