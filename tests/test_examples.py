"""The guide in examples/README.md says what is so, and the examples are what it says they are.

``python -m tests.test_examples`` makes all pictures anew, and small.
"""

import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest
import sklearn
from sklearn.utils import estimator_html_repr
from sklearn.utils.fixes import parse_version

from sklloss import LossRegressor, list_losses, losses

from .test_readme import ROOT, run_blocks

EXAMPLES = ROOT / "examples"
SCRIPTS = sorted(EXAMPLES.glob("*.py"))
GUIDE = (EXAMPLES / "README.md").read_text(encoding="utf-8")


def section(heading):
    """What stands under a heading of the guide."""
    marks, rest = re.search(rf"^(#+) {heading}\n(.*)", GUIDE, flags=re.MULTILINE | re.DOTALL).groups()
    return re.split(rf"^#{{1,{len(marks)}}} ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def test_the_code_blocks_of_the_guide_run_in_order_and_print_what_they_say(capsys, monkeypatch):
    pytest.importorskip("pandas")
    monkeypatch.chdir(ROOT)
    run_blocks(GUIDE[: GUIDE.index("\n## Common errors")], capsys, monkeypatch)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_script_is_short_and_stands_in_the_gallery_with_its_picture(script):
    text = script.read_text(encoding="utf-8")
    assert len(text.splitlines()) < 80
    assert f"Run: python examples/{script.name}\n" in text
    assert f"{script.stem}.png" in text
    assert f'src="images/{script.stem}.png"' in section("Gallery")
    assert f"[{script.name}]({script.name})" in section("Gallery")
    assert f"](images/{script.stem}.png)" in GUIDE.replace(section("Gallery"), "")


def test_what_the_guide_links_to_exists():
    targets = re.findall(r'\]\(([^)]+)\)|src="([^"]+)"', GUIDE)
    headings = re.findall(r"^#+ (.*)$", re.sub("```.*?```", "", GUIDE, flags=re.DOTALL), flags=re.MULTILINE)
    anchors = {"#" + re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}
    for target in map("".join, targets):
        assert target in anchors if target.startswith("#") else (EXAMPLES / target).exists(), target


@pytest.mark.parametrize("kind", ["regression", "classification"])
def test_the_losses_in_the_decision_trees_exist(kind):
    named = set(re.findall(r"`(\w+)`", section(kind.capitalize()))) - {"sample_weight"}
    assert len(named) > 7
    assert named <= set(list_losses(kind))


def test_the_table_of_pitfalls_is_what_the_script_prints():
    pytest.importorskip("matplotlib")
    names = {"__name__": "pitfalls"}
    exec((EXAMPLES / "pitfalls.py").read_text(encoding="utf-8"), names)
    assert names["table"](*names["results"]()) in section("Pitfalls")


def test_the_table_of_bands_is_what_the_script_prints():
    pytest.importorskip("matplotlib")
    pandas = pytest.importorskip("pandas")
    names = {"__name__": "quantile_bands", "__file__": str(EXAMPLES / "quantile_bands.py")}
    exec((EXAMPLES / "quantile_bands.py").read_text(encoding="utf-8"), names)
    cars = pandas.read_csv(EXAMPLES / "data" / "auto_mpg.csv", comment="#")
    assert names["table"](cars) in section("Quantile bands")


@pytest.mark.parametrize("name", ["stackloss", "engel"])
def test_the_data_are_those_of_the_certified_results(name):
    certified = json.loads((ROOT / "tests" / "certified.json").read_text(encoding="utf-8"))
    data = np.loadtxt(EXAMPLES / "data" / f"{name}.csv", delimiter=",", skiprows=2)
    np.testing.assert_allclose(data, certified[name]["data"], rtol=0, atol=5.1e-5)  # four decimals


@pytest.mark.skipif(parse_version(sklearn.__version__) < parse_version("1.7"), reason="it shows parameters from 1.7 on")
def test_a_notebook_shows_the_parameters_of_the_loss():
    model = LossRegressor(losses.Huber(delta=2.5))
    shown = " ".join(re.sub("<[^>]+>", " ", estimator_html_repr(model)).split())
    assert "loss__delta 2.5" in shown.replace("&nbsp;", "")


if __name__ == "__main__":
    from PIL import Image

    for script in SCRIPTS:
        subprocess.run([sys.executable, "-W", "error", script], check=True, env={**os.environ, "MPLBACKEND": "Agg"})
        picture = EXAMPLES / "images" / f"{script.stem}.png"
        Image.open(picture).convert("RGB").quantize(256).save(picture, optimize=True)
