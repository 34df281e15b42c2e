"""What `setup.sh` does with a virtual environment that is half made."""

import subprocess
import sys
from pathlib import Path

SETUP = Path(__file__).resolve().parents[1] / "setup.sh"
ONE_FUNCTION = """
say() { printf '%s\\n' "$*"; }
stop() { exit 1; }
venv=$1 python=$2
source <(sed -n '/^make_venv()/,/^}/p' "$3")
make_venv
"""


def made(venv: Path) -> str:
    """What it says when it looks after a virtual environment."""
    command = ["bash", "-euc", ONE_FUNCTION, "bash", str(venv), sys.executable, str(SETUP)]
    return subprocess.check_output(command, text=True, timeout=120)


def test_an_interrupted_virtual_environment_is_made_again_and_a_whole_one_kept(tmp_path: Path):
    """Python is there and pip is not: that is no reason to blame the network."""
    venv = tmp_path / "venv"
    subprocess.check_call([sys.executable, "-m", "venv", "--without-pip", str(venv)])

    assert "creating" in made(venv)

    subprocess.check_call([venv / "bin" / "python", "-m", "pip", "--version"], stdout=subprocess.DEVNULL)
    assert made(venv) == ""
