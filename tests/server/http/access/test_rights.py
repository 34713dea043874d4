from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from starlette.routing import BaseRoute, Mount

from ingest.pipeline.pipeline import Pipeline
from server.http.access.rights import RIGHTS, ROUTES, need_of
from server.http.access.tokens import TokenFile
from server.http.app import create_app
from server.settings import ServerSettings
from tests.harness import Served, open_fake_knowledge_base, quick_settings, serving


def walked(routes: list[BaseRoute]) -> Iterator[str]:
    """All routes, as method and path; those of included routers, too."""
    for route in routes:
        if router := getattr(route, "original_router", None):
            yield from walked(router.routes)
        elif isinstance(route, Mount):
            yield f"GET {route.path}/x"
        else:
            methods: set[str] = getattr(route, "methods", None) or {"GET", "POST", "DELETE"}
            yield from (f"{method} {route.path}" for method in methods)  # type: ignore[attr-defined]


def test_every_route_says_which_right_it_needs(settings: ServerSettings, tmp_path: Path) -> None:
    with open_fake_knowledge_base(settings) as knowledge_base:
        app = create_app(knowledge_base, Pipeline(knowledge_base, [tmp_path], settings), settings)
        found = set(walked(app.routes))
    assert len(found) > 25
    named = {need for need in ROUTES if not any(place in need for place in ("{path", "{document"))}
    assert named <= found | {"GET /static/{path:path}"}
    for route in found:
        method, path = route.split(" ")
        concrete = path.replace("{", "").replace("}", "").replace(":path", "")
        known = [each for each in ROUTES if need_of(*_example(each)) == need_of(method, concrete)]
        assert known, route
        if need_of(method, concrete) == "admin":
            assert route == "POST /reindex", f"{route} is not in ROUTES"


def _example(route: str) -> tuple[str, str]:
    method, path = route.split(" ")
    return method, path.replace("{path:path}", "x").replace("{document_id}", "x")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    home, folder = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("papers")
    (folder / "dome.md").write_text("# Dome\n\nThe second dome was repaired in March.\n")
    with serving(quick_settings(home, token="all"), folder) as service:
        service.sync()
        yield service


@pytest.mark.parametrize("right", RIGHTS)
def test_a_token_opens_what_its_right_is_for_and_nothing_else(service: Served, right: str) -> None:
    token = TokenFile(service.knowledge_base.settings.home).add(right, [right])
    headers = {"authorization": f"Bearer {token}"}
    with httpx.Client(base_url=service.url, headers=headers, timeout=20, trust_env=False) as client:
        for route, need in ROUTES.items():
            method, path = _example(route)
            may = need in ("none", "known", right) or right == "admin"
            if path in ("/events", "/mcp", "/reindex", "/sync") and may:
                continue  # they would take long, or be done
            status = client.request(method, path, json={}).status_code
            assert (status == 403) != may, (route, status)
            assert status != 401


def test_nothing_opens_without_a_token_but_what_needs_none(service: Served) -> None:
    with httpx.Client(base_url=service.url, timeout=20, trust_env=False) as client:
        for route, need in ROUTES.items():
            assert (client.request(*_example(route), json={}).status_code == 401) == (need != "none"), route
        assert client.get("/nothing").status_code == 401
