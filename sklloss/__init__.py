"""Search over the loss your scikit-learn model is trained with, as over any other parameter."""

from .linear_model import LossClassifier, LossRegressor
from .losses._base import get_loss, list_losses
from .metrics import average_loss, d2_loss_score, loss_scorer, loss_scorers
from .model_selection import compare_losses
from .path import LossClassifierCV, LossRegressorCV, loss_path
from .testing import check_loss

__all__ = [
    "LossClassifier",
    "LossClassifierCV",
    "LossRegressor",
    "LossRegressorCV",
    "__version__",
    "average_loss",
    "check_loss",
    "compare_losses",
    "d2_loss_score",
    "get_loss",
    "list_losses",
    "loss_path",
    "loss_scorer",
    "loss_scorers",
]

__version__ = "0.1.0"
