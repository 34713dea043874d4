"""What `make run` installs: beside each other, and what is not done when llama.cpp is, the service does."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# Writes down what it is called for, in place of Python; compiling ends when all else has begun, a download never does.
PYTHON = """#!/bin/sh
echo "$*" >>calls
case "$*" in
    *" wheel "*) until grep -q "models pull" calls; do sleep 0.05; done; echo "{said}"; exit {status};;
    *"models pull"*) exec sleep 300;;
    -c*) echo "numpy>=2";;
esac
"""


def make(folder: Path, said: str, status: int = 0) -> subprocess.CompletedProcess[str]:
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, folder)
    python = folder / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(PYTHON.format(said=said, status=status))
    python.chmod(0o755)
    return subprocess.run(
        ["make", ".venv/installed"], cwd=folder, capture_output=True, text=True, check=False, timeout=25
    )


@pytest.mark.parametrize(
    ("said", "told"),
    [("Building wheel for llama-cpp-python", "was compiled"), ("Using cached llama_cpp_python.whl", "came as a wheel")],
)
def test_all_else_is_installed_while_llama_cpp_is_compiled(tmp_path: Path, said: str, told: str) -> None:
    made = make(tmp_path, said)
    assert made.returncode == 0, made.stderr
    assert f"llama.cpp {told}" in made.stdout
    calls = (tmp_path / "calls").read_text().splitlines()
    assert calls[-1].endswith("--find-links .venv/wheels --constraint constraints.txt --editable .")
    (others,) = (call for call in calls if "--requirement" in call)
    assert calls.index(others) < next(i for i, call in enumerate(calls) if "models pull" in call)
    assert (tmp_path / ".venv" / "installed").exists()


def test_what_does_not_compile_ends_it_with_what_was_said(tmp_path: Path) -> None:
    made = make(tmp_path, "error: no C++ compiler", 1)
    assert made.returncode
    assert "no C++ compiler" in made.stdout
    assert not (tmp_path / ".venv" / "installed").exists()
