"""The house as it is handed over: the lock file, the wheel, the commands of make."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

HOUSE = Path(__file__).parent.parent
LOCK = (HOUSE / "requirements.lock").read_text("utf-8")
PROJECT = tomllib.loads((HOUSE / "pyproject.toml").read_text("utf-8"))["project"]
MAKEFILE = (HOUSE / "Makefile").read_text("utf-8")

ENTRY = re.compile(r"^([A-Za-z0-9._-]+)==(\S+?)(?: ; .*)? \\$", re.MULTILINE)
PINNED = [(canonicalize_name(name), version) for name, version in ENTRY.findall(LOCK)]  # some twice, by Python version
WANTED = [
    Requirement(text)
    for group in (PROJECT["dependencies"], *PROJECT["optional-dependencies"].values())
    for text in group
]


@pytest.mark.parametrize("requirement", WANTED, ids=str)
def test_lock_has_what_the_project_asks_for(requirement: Requirement) -> None:
    versions = [version for name, version in PINNED if name == canonicalize_name(requirement.name)]
    assert versions, "not in requirements.lock; run `make lock`"
    assert list(requirement.specifier.filter(versions, prereleases=True)) == versions, (
        "locked otherwise; run `make lock`"
    )


def test_lock_pins_by_hash_and_nothing_else() -> None:
    entries = [entry for entry in re.split(r"\n(?=\S)", LOCK) if not entry.startswith("#")]
    assert len(entries) == len(PINNED) > 0
    assert [entry.split("\n")[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_lock_names_no_place() -> None:
    """No registry, no folder of the machine that made it."""
    assert "://" not in LOCK
    assert re.findall(r"(?<![\w.])/\w+", LOCK) == []
    assert set(re.findall(r"--[a-z-]+", LOCK)) == {"--hash"}


def test_wheel_has_the_house_and_its_data(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=HOUSE, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    rooms = {name.split("/")[0] for name in names if ".dist-info/" not in name}
    assert rooms == {"zvonar", "engine", "ivr", "detection", "api", "configs"}
    data = (path for path in (HOUSE / "configs").rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    assert {str(path.relative_to(HOUSE)) for path in data} <= set(names)
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_make_lists_every_target() -> None:
    phony = re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    assert phony is not None
    told = re.findall(r"^([a-z-]+):.*## ", MAKEFILE, re.MULTILINE)
    assert sorted(phony[1].split()) == sorted(told)


def test_readme_says_only_what_make_knows() -> None:
    known = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
    said = set(re.findall(r"\bmake ([a-z-]+)", (HOUSE / "README.md").read_text("utf-8")))
    assert {"demo", "test"} <= said <= known
