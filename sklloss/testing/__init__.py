"""A conformance suite for losses: what a loss says of itself is checked against what it computes.

``check_loss(MyLoss())`` is all there is to write in a test of a loss of one's own; `parametrize_losses` makes one
pytest case of each check.  Every check stands alone, takes a loss and draws fixed samples of targets and raw
predictions of the loss's kind; the first property that fails raises an AssertionError that names the check, the
property, the input and both numbers.  A check of something that a loss does not have, or that needs a loss for each
row where it is one of sets of rows (``elementwise = False``), returns at once.
"""

from ..losses._base import get_loss
from . import _derivatives, _estimators, _facts, _interface, _metric, _sets, _values
from ._derivatives import *  # noqa: F403  (each file lists its checks once, in its own __all__)
from ._estimators import *  # noqa: F403
from ._facts import *  # noqa: F403
from ._interface import *  # noqa: F403
from ._machinery import label
from ._metric import *  # noqa: F403
from ._sets import *  # noqa: F403
from ._values import *  # noqa: F403

__all__ = ["CHECKS", "check_loss", "parametrize_losses"]

_FILES = _interface, _derivatives, _facts, _values, _metric, _sets, _estimators
CHECKS = tuple(getattr(file, name) for file in _FILES for name in file.__all__)


def check_loss(loss):
    """Check that a loss is what it claims to be.

    All of `sklloss.testing.CHECKS` are run: parameters, names, domain, shapes, dtypes, inputs left untouched, gradient
    and curvature against differences, subgradients at kinks, the facts convex, smooth, quadratic and elementwise in
    both directions (a fact that claims too little fails as well, unless the loss is not ``definite``), kinks, the
    smoothed loss, majorizer, extremes up to 1e20, values nowhere below 0, the best constant prediction, weights,
    denominators, response and probability, what a set of rows counts in the loss and a row in its set, and a fit and a
    search with the linear model.

    Parameters
    ----------
    loss : str, Loss or callable
        Of a loss of several levels each level is checked.

    Raises
    ------
    AssertionError
        With the failing check and property, the input and the numbers that disagree.

    See Also
    --------
    sklloss.testing.parametrize_losses : One pytest case for each check.

    Examples
    --------
    >>> from sklloss import check_loss
    >>> from sklloss.losses import Huber
    >>> check_loss(Huber(delta=2.0))
    >>> class Wrong(Huber):
    ...     def psi(self, r):
    ...         return 2 * r
    >>> check_loss(Wrong())
    Traceback (most recent call last):
        ...
    AssertionError: Wrong() fails check_gradient: gradient against differences of loss: y_true = ...
    """
    levels = getattr(loss, "levels", None) or ()
    for each in [loss.column(k) for k in range(len(levels))] or [loss]:
        for check in CHECKS:
            check(each)


def parametrize_losses(losses):
    """Pytest decorator: one test case for each loss and each check of `check_loss`.

    Parameters
    ----------
    losses : list of str, Loss or callable

    Returns
    -------
    decorator
        For a test function with the arguments ``loss`` and ``check``.  Its cases are called ``huber-gradient`` where a
        name was given, ``Huber(delta=2.0)-gradient`` where a loss was.

    Examples
    --------
    >>> from sklloss.losses import Huber
    >>> from sklloss.testing import parametrize_losses
    >>> @parametrize_losses(["mae", Huber(delta=2.0)])
    ... def test_losses(loss, check):
    ...     check(loss)
    """
    import pytest  # of all that is installed with the package, only this function needs it

    cases = [
        pytest.param(get_loss(loss), check, id=f"{label(loss)}-{check.__name__.removeprefix('check_')}")
        for loss in losses
        for check in CHECKS
    ]
    return pytest.mark.parametrize(("loss", "check"), cases)
