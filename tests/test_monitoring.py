"""The alerts and the dashboard, with a real Prometheus that looks at the real service."""

import json
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from kb.values.chat import Generated, GenerationOptions, Heartbeat, Looked, Message
from kb.values.happenings import ChildRestarted, EngineFailed
from tests.fakes import FakeLanguageModel
from tests.harness import Served, eventually, quick_settings, serving

DEPLOY = Path(__file__).parents[1] / "deploy"
ALERTS = DEPLOY / "prometheus" / "alerts.yml"
DASHBOARD = json.loads((DEPLOY / "grafana" / "dashboards" / "r1-kb.json").read_text("utf-8"))
DOME = "# Dome\n\nThe second dome was repaired in March.\n"
QUESTION = "When was the second dome repaired?"
FIRE_SECONDS = 60.0

IMPATIENT = {"> 120": "> 0.001", "< 2e9": "< 1e15", "> 3600": "> 0"}
"""Limits that a test would wait too long for; each stands once in the rules."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(
        not (shutil.which("prometheus") and shutil.which("promtool")),
        reason="prometheus and promtool are not installed",
    ),
]


class QueuedModel(FakeLanguageModel):
    """Stands behind others until it may go on."""

    def _reply(
        self, messages: Sequence[Message], options: GenerationOptions, looked: Looked | None
    ) -> Generator[Generated, None, None]:
        while self._goes_on and not self._goes_on.wait(0.05):
            yield Heartbeat(1)
        yield from super()._reply(messages, options, looked)


@dataclass
class Prometheus:
    """One that runs."""

    client: httpx.Client

    def firing(self) -> set[str]:
        """The names of the alerts that fire."""
        alerts = self._get("/api/v1/alerts")["alerts"]
        return {alert["labels"]["alertname"] for alert in alerts if alert["state"] == "firing"}

    def data(self, query: str) -> list[Any]:
        """The series of a query, without those that are no numbers."""
        found = self._get("/api/v1/query", query=query)["result"]
        return [series for series in found if series["value"][1] != "NaN"]

    def _get(self, path: str, **parameters: str) -> dict[str, Any]:
        data: dict[str, Any] = self.client.get(path, params=parameters).raise_for_status().json()["data"]
        return data


@contextmanager
def watched_by_prometheus(service: Served, folder: Path) -> Iterator[Prometheus]:
    """Has Prometheus look at a service twice a second, with the rules as they are shipped, some sixty times as fast."""
    rules = re.sub(r"\b(\d+)[mh]\b", lambda found: f"{max(5, int(found[1]))}s", ALERTS.read_text("utf-8"))
    rules = re.sub(r"for: \d+s", "for: 1s", rules)
    for limit, impatient in IMPATIENT.items():
        assert rules.count(limit) == 1
        rules = rules.replace(limit, impatient)
    (folder / "alerts.yml").write_text(rules, "utf-8")
    config = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text("utf-8"))
    config["global"] = {"scrape_interval": "500ms", "scrape_timeout": "500ms", "evaluation_interval": "500ms"}
    job = config["scrape_configs"][0]
    job["authorization"]["credentials_file"] = str(folder / "token")
    (folder / "token").write_text("secret")
    job["static_configs"][0]["targets"] = [service.url.removeprefix("http://")]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config), "utf-8")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
    arguments = [f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            ["prometheus", *arguments, f"--web.listen-address={address}"], stdout=log, stderr=subprocess.STDOUT
        )
    try:
        with httpx.Client(base_url=f"http://{address}", timeout=20, trust_env=False) as client:
            assert eventually(lambda: _is_ready(client)), (folder / "log").read_text()
            yield Prometheus(client)
    finally:
        process.kill()
        process.wait()


def _is_ready(client: httpx.Client) -> bool:
    try:
        return client.get("/-/ready").status_code == 200
    except httpx.TransportError:
        return False


def test_promtool_accepts_the_rules() -> None:
    checked = subprocess.run(["promtool", "check", "rules", str(ALERTS)], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


@dataclass
class Monitored:
    """A service, who looks at it, and what makes the model wait."""

    service: Served
    prometheus: Prometheus
    goes_on: threading.Event
    stop_service: Callable[[], None]
    fired: set[str] = field(default_factory=set)

    def until(self, *alerts: str, doing: Callable[[], object] = lambda: None) -> None:
        """Does something again and again until alerts have fired."""

        def have_fired() -> bool:
            doing()
            self.fired |= self.prometheus.firing()
            return self.fired.issuperset(alerts)

        assert eventually(have_fired, FIRE_SECONDS), set(alerts) - self.fired

    def ask(self) -> int:
        return self.service.client.post("/ask", json={"question": QUESTION}).status_code

    def have_things_fail(self) -> None:
        """Has happen what only a broken engine does."""
        self.service.knowledge_base.observe(EngineFailed("model_unreachable"))
        self.service.knowledge_base.observe(ChildRestarted("engine"))
        self.ask()


@pytest.fixture
def monitored(tmp_path: Path) -> Iterator[Monitored]:
    folder, place, goes_on = tmp_path / "papers", tmp_path / "prometheus", threading.Event()
    folder.mkdir()
    place.mkdir()
    (folder / "dome.md").write_text(DOME)
    goes_on.set()
    model = QueuedModel("The second dome was repaired in March.", "Look for the dome.", goes_on=goes_on)
    settings = quick_settings(tmp_path / "home", queue_size=1, token="secret", sync_seconds=1)
    with ExitStack() as stack:
        service = stack.enter_context(serving(settings, folder, model=model))
        service.sync()
        with watched_by_prometheus(service, place) as prometheus:
            yield Monitored(service, prometheus, goes_on, stack.close)
            goes_on.set()


def test_every_query_of_the_dashboard_has_data(monitored: Monitored) -> None:
    queries = {target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]}
    lacking = {query.replace("$__rate_interval", "10s").replace("$job", ".+") for query in queries}

    def all_have_data() -> bool:
        monitored.have_things_fail()
        monitored.service.write("dome.md", f"{DOME}\nIt was {time.monotonic()}.\n")
        lacking.difference_update([query for query in lacking if monitored.prometheus.data(query)])
        return not lacking

    assert eventually(all_have_data, FIRE_SECONDS), lacking


def test_every_alert_fires(monitored: Monitored, tmp_path: Path) -> None:
    service = monitored.service
    slow_and_broken = ("KbAnswersSlow", "KbDiskShort", "KbChildrenEnd", "KbRemoteEngineFails")
    monitored.until(*slow_and_broken, doing=monitored.have_things_fail)
    monitored.goes_on.clear()
    with ThreadPoolExecutor() as threads:
        waiting = threads.submit(monitored.ask)
        monitored.until("KbQueueFull")
        monitored.goes_on.set()
        assert waiting.result() == 200
    (service.folder / "dome.md").unlink()
    service.sync()
    monitored.until("KbManyDeclined", doing=monitored.ask)
    shutil.move(service.folder, tmp_path / "elsewhere")
    monitored.until("KbIndexBehind")
    shutil.move(tmp_path / "elsewhere", service.folder)
    service.write("dome.md", DOME)
    service.sync()
    service.knowledge_base.models.answering_model.close()
    monitored.until("KbQuestionsFail", "KbEngineDown", doing=monitored.ask)
    monitored.stop_service()
    monitored.until("KbDown")
    assert monitored.fired == {
        rule["alert"] for rule in yaml.safe_load(ALERTS.read_text())["groups"][0]["rules"] if "alert" in rule
    }
