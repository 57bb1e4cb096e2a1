"""The common errors of the guide: the code there raises the very message, and the remedy there works."""

import builtins
import re

import pytest
from sklearn.exceptions import ConvergenceWarning

from .test_readme import BLOCK, ROOT, pattern

GUIDE = (ROOT / "examples" / "README.md").read_text(encoding="utf-8")
BEGINNING, *ERRORS = [block for block, _ in BLOCK.findall(GUIDE[GUIDE.index("\n## Common errors") :])]
# Code that fails, the name of the error, its message, the code that does what was meant.
SAID = re.compile(r"(.*?)^# (\w+(?:Error|Warning)): (.*?\n)((?!# ).*)", flags=re.DOTALL | re.MULTILINE)
KINDS = {"ConvergenceWarning": ConvergenceWarning, "InvalidParameterError": ValueError}  # and those of Python


@pytest.fixture(scope="module")
def beginning():
    pytest.importorskip("pandas")
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    names = {}
    exec(BEGINNING, names)
    yield names
    matplotlib.pyplot.close("all")


@pytest.mark.parametrize("block", ERRORS, ids=lambda block: block.splitlines()[0])
def test_a_common_error_says_what_the_guide_says_and_its_remedy_works(block, beginning):
    code, name, message, remedy = SAID.fullmatch(block).groups()
    names = dict(beginning)
    with pytest.raises(KINDS.get(name) or getattr(builtins, name)) as caught:  # pytest makes errors of warnings
        exec(code, names)
    error = caught.value.__cause__ or caught.value  # scikit-learn hides the reason why there is no predict_proba
    assert type(error).__name__ == name
    said = " ".join(message.replace("\n# ", " ").split())
    assert re.fullmatch(pattern(said), " ".join(str(error).split()))
    exec(remedy, names)


def test_every_block_of_the_common_errors_is_one():
    assert len(ERRORS) > 20
    assert all(SAID.fullmatch(block) for block in ERRORS)
