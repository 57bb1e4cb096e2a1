"""The losses, one class each, what is built from them, and the base classes of your own."""

from ._adversarial import *  # noqa: F403  (each family file lists its classes once, in its own __all__)
from ._audio import *  # noqa: F403
from ._base import Loss as Loss
from ._base import MarginLoss as MarginLoss
from ._base import ResidualLoss as ResidualLoss
from ._compose import *  # noqa: F403
from ._derived import *  # noqa: F403
from ._deviance import *  # noqa: F403
from ._features import *  # noqa: F403
from ._function import *  # noqa: F403
from ._image import *  # noqa: F403
from ._margin import *  # noqa: F403
from ._overlap import *  # noqa: F403
from ._probability import *  # noqa: F403
from ._redescending import *  # noqa: F403
from ._residual import *  # noqa: F403
from ._robust import *  # noqa: F403
from ._sequence import *  # noqa: F403
from ._sets import SetLoss as SetLoss
from ._variation import *  # noqa: F403

__all__ = sorted(name for name, value in globals().items() if isinstance(value, type) and issubclass(value, Loss))
