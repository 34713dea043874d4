"""What `pip install` would bring works without the checkout: modules, the page, the data, the command."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.harness import PATIENCE_SECONDS

ROOT = Path(__file__).parents[1]
PACKAGES = ("kb", "ingest", "server")

SERVE = """
import json, sys
import server
from pathlib import Path
from tests.harness import quick_settings, serving
with serving(quick_settings(Path(sys.argv[1])), Path(sys.argv[2])) as served:
    served.sync()
    paths = ["/", "/static/main.js", "/status", "/openapi.json"]
    print(json.dumps([server.__file__, [served.client.get(path).status_code for path in paths], served.sources]))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--wheel-dir",
        folder,
    ]
    subprocess.run([*build, "--wheel-dir", folder, ROOT], check=True, timeout=120)
    (built,) = folder.glob("*.whl")
    return built


def test_wheel_holds_all_that_the_packages_hold_and_nothing_else(wheel: Path) -> None:
    files = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *PACKAGES]
    listed = subprocess.run(files, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert held == set(listed.splitlines())


@pytest.mark.slow
def test_service_runs_from_the_wheel_alone(wheel: Path, tmp_path: Path) -> None:
    site, papers = tmp_path / "site", tmp_path / "papers"
    papers.mkdir()
    (papers / "lease.md").write_text("# Lease\n\nThe rent is 840 euros.")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    (site / "tests").symlink_to(ROOT / "tests")  # the fakes
    done = subprocess.run(
        [sys.executable, "-c", SERVE, tmp_path / "home", papers],
        env=os.environ | {"PYTHONPATH": str(site)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=4 * PATIENCE_SECONDS,
        check=True,
    )
    where, codes, sources = json.loads(done.stdout.splitlines()[-1])
    assert Path(where).is_relative_to(site)
    assert codes == [200] * 4
    assert sources == ["lease.md"]
