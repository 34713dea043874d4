"""What is shipped for those who run the service for others fits the service, and itself."""

import plistlib
import re
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from typer.testing import CliRunner

from server.cli.main import app
from server.settings import ServerSettings

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
MANIFESTS = [yaml.safe_load(path.read_text("utf-8")) for path in sorted((DEPLOY / "kubernetes").glob("*.yaml"))]


def test_each_setting_that_is_named_exists() -> None:
    files = [ROOT / "Dockerfile", *(path for path in DEPLOY.rglob("*") if path.is_file())]
    named = {name for path in files for name in re.findall(r"\bKB_([A-Z_]+)\b", path.read_text("utf-8"))}
    of_compose = {"MEMORY"}
    assert named - of_compose <= {name.upper() for name in ServerSettings.model_fields}


def test_container_holds_all_that_is_installed() -> None:
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line.startswith("!")}
    copied = {
        source for line in re.findall(r"^COPY (?!--)(.*) /src", DOCKERFILE, re.MULTILINE) for source in line.split()
    }
    assert copied == kept
    assert all((ROOT / name).exists() for name in copied)


def test_the_services_agree_on_user_port_version_and_places() -> None:
    (stateful_set,) = (each for each in MANIFESTS if each["kind"] == "StatefulSet")
    pod = stateful_set["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    kb = COMPOSE["services"]["kb"]
    port = ServerSettings.model_fields["port"].default
    assert f"USER {pod['securityContext']['runAsUser']}" in DOCKERFILE
    assert f"EXPOSE {port}" in DOCKERFILE
    assert container["ports"] == [{"name": "http", "containerPort": port}]
    assert kb["ports"] == [f"127.0.0.1:{port}:{port}"]
    assert container["image"] == kb["image"]
    volumes = re.search(r"^VOLUME (.*)$", DOCKERFILE, re.MULTILINE)
    assert volumes
    places = set(yaml.safe_load(volumes[1]))
    assert {mount["mountPath"] for mount in container["volumeMounts"]} == places | {"/tmp"}
    assert {volume.rpartition(":")[2] for volume in kb["volumes"]} == places


def test_nothing_runs_with_more_rights_than_it_needs() -> None:
    (stateful_set,) = (each for each in MANIFESTS if each["kind"] == "StatefulSet")
    assert stateful_set["spec"]["replicas"] == 1
    context = stateful_set["spec"]["template"]["spec"]["containers"][0]["securityContext"]
    assert (context["allowPrivilegeEscalation"], context["readOnlyRootFilesystem"]) == (False, True)
    assert COMPOSE["services"]["kb"]["read_only"] is True
    assert "build-essential" not in DOCKERFILE.split("\nFROM ")[2]


def test_probes_ask_what_exists() -> None:
    routes = (ROOT / "server" / "http" / "routes.py").read_text("utf-8")
    text = DOCKERFILE + (DEPLOY / "kubernetes" / "stateful-set.yaml").read_text("utf-8")
    for path in set(re.findall(r"/(?:healthz|readyz)\b", text)):
        assert f'"{path}"' in routes


def test_what_a_system_starts_is_a_command() -> None:
    with (DEPLOY / "launchd" / "r1-kb.plist").open("rb") as file:
        agent = plistlib.load(file)
    unit = (DEPLOY / "systemd" / "r1-kb.service").read_text("utf-8")
    (started,) = re.findall(r"^ExecStart=\S+/kb (\w+)", unit, re.MULTILINE)
    assert agent["ProgramArguments"][1] == started
    assert CliRunner().invoke(app, [started, "--help"]).exit_code == 0


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not there")
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    unit = (DEPLOY / "systemd" / "r1-kb.service").read_text("utf-8")
    path = tmp_path / "r1-kb.service"
    path.write_text(re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", unit, flags=re.MULTILINE), "utf-8")
    done = subprocess.run(["systemd-analyze", "verify", path], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_each_licence_of_what_is_installed_goes_with_ours() -> None:
    done = subprocess.run(
        [sys.executable, DEPLOY / "licences.py"], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, [line for line in done.stdout.splitlines() if line.startswith("!")]) == (0, [])


def test_what_is_pinned_installs_on_each_python_that_we_promise() -> None:
    """The oldest release of the oldest version counts: some systems still have it."""
    least = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["requires-python"]
    oldest = f"{least.removeprefix('>=')}.0"
    asking = {each.metadata["Name"]: each.metadata.get("Requires-Python", "") for each in metadata.distributions()}
    assert {name: wanted for name, wanted in asking.items() if not SpecifierSet(wanted or "").contains(oldest)} == {}


def pins(path: Path) -> dict[str, Requirement]:
    """The requirements in a file, by name; hashes aside."""
    text = path.read_text("utf-8").replace("\\\n", "")
    lines = [line.partition("--hash")[0].strip() for line in text.splitlines() if not line.startswith("#")]
    return {canonicalize_name(pin.name): pin for pin in map(Requirement, lines)}


def test_the_lock_has_hashes_and_agrees_with_what_was_tried_together() -> None:
    text = (DEPLOY / "requirements.txt").read_text("utf-8")
    locked, tried = pins(DEPLOY / "requirements.txt"), pins(ROOT / "constraints.txt")
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    for requirement in map(Requirement, wanted):
        (pin,) = locked[canonicalize_name(requirement.name)].specifier
        assert requirement.specifier.contains(pin.version), f"run `make lock`: {requirement}"
    everywhere = {name: str(pin.specifier) for name, pin in locked.items() if pin.marker is None}
    assert everywhere.items() <= {name: str(pin.specifier) for name, pin in tried.items()}.items()
    assert all(locked[name].specifier == tried[name].specifier for name in locked.keys() & tried.keys())
    assert all("--hash=sha256:" in each for each in text.replace("\\\n", "").splitlines() if not each.startswith("#"))
    assert "://" not in text


def test_version_is_the_same_everywhere() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    changes = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert re.findall(r"^## (\S+)", changes, re.MULTILINE)[0] == version
    assert COMPOSE["services"]["kb"]["image"] == f"r1-kb:{version}"
