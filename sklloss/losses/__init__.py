"""The losses, one class each, what is built from them, and the base classes of your own."""

from . import _adversarial, _compose, _deviance, _function, _margin, _probability, _residual, _robust
from ._adversarial import *  # noqa: F403  (each family file lists its classes once, in its own __all__)
from ._base import Loss as Loss
from ._base import MarginLoss as MarginLoss
from ._base import ResidualLoss as ResidualLoss
from ._compose import *  # noqa: F403
from ._deviance import *  # noqa: F403
from ._function import *  # noqa: F403
from ._margin import *  # noqa: F403
from ._probability import *  # noqa: F403
from ._residual import *  # noqa: F403
from ._robust import *  # noqa: F403

_FAMILIES = _adversarial, _compose, _deviance, _function, _margin, _probability, _residual, _robust
__all__ = sorted({"Loss", "MarginLoss", "ResidualLoss"}.union(*(family.__all__ for family in _FAMILIES)))
