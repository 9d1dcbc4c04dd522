"""Every example runs, on the sandbox, and says what its head promises."""

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
TOLD = {
    "one_call": "answered 1 ['greeting', 'confirmed']",
    "many_calls": "79990000003 busy 486 17\n79990000010 unallocated 404 1\n79990000011 congestion 503 41",
    "give_up": "cancelled 0",
}


def test_every_example_is_tried() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.py")} == set(TOLD)


@pytest.mark.parametrize("name", TOLD)
def test_example(name: str) -> None:
    ran = subprocess.run(
        [sys.executable, str(EXAMPLES / f"{name}.py")], capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert TOLD[name] in ran.stdout
