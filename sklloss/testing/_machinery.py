"""How a check is made, and how it fails.

`check` and `check_of_rows` make a check of a function that looks at a loss; in it `require` and `compare` state one
property each, and fail with the numbers that break it.
"""

import re
import warnings
from functools import partial, wraps

import numpy as np

from ..losses._base import Loss, get_loss


class _Failure(Exception):
    """What a check found, before it is told of which loss and by which check."""


def check(function, of_rows=False):
    """A check: its loss may be a name, a warning is a failure, and every failure is an AssertionError.

    One of rows needs a loss for each row, and has nothing to say of a loss of sets of rows.
    """

    @wraps(function)
    def checked(loss):
        loss = get_loss(loss).check()
        if of_rows and not loss.elementwise:
            return
        head = f"{loss!r} fails {function.__name__}"
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                function(loss)
            except _Failure as failure:
                raise AssertionError(f"{head}: {failure}") from None
            except Exception as error:
                raise AssertionError(f"{head}: {type(error).__name__}: {error}") from error

    return checked


check_of_rows = partial(check, of_rows=True)


def require(ok, what, got, expected, **where):
    """Fail at the first entry of `ok` that is not true, with that entry, or that row, of each number.

    Parameters
    ----------
    ok : bool or ndarray of bool
    what : str
        The property, as a sentence.
    got, expected : object
        The numbers that disagree, or words; arrays whose first axes are those of `ok` are shown at the entry.
    **where : dict
        The input, shown in the same way.
    """
    if np.all(ok):
        return
    at, shape, shown = tuple(np.argwhere(np.logical_not(ok))[0]), np.shape(ok), []
    for key, value in {**where, "got": got, "expected": expected}.items():
        depth = max(d for d in range(len(at) + 1) if np.shape(value)[:d] == shape[:d])
        shown.append(f"{key} = {np.asarray(value)[at[:depth]] if depth else value}")
    raise _Failure(f"{what}: {', '.join(shown)}.")


def compare(what, got, expected, tolerance, slack=0.0, **where):
    """Require equality up to a tolerance relative to each entry, or to the largest where all are below 1.

    Parameters
    ----------
    what, got, expected, **where
        As in `require`.
    tolerance : float
    slack : float or ndarray
        An absolute tolerance on top, as where an expected number is known only so well.
    """
    floor = min(1.0, np.abs(expected).max(initial=0.0))
    ok = np.abs(got - expected) <= tolerance * np.maximum(floor, np.abs(expected)) + slack
    require(ok, what, got, expected, **where)


def label(loss):
    """The name that was given, a function's own, or the loss with its parameters; without addresses."""
    if isinstance(loss, str):
        return loss
    if not isinstance(loss, Loss):
        return getattr(loss, "__name__", type(loss).__name__)
    return re.sub(r"\s+", " ", re.sub(r" at 0x[0-9a-f]+", "", repr(loss)))
