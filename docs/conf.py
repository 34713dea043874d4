"""The pages of this folder as a site: `make docs`, without a network."""

import json
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

HERE = Path(__file__).parent

project = "r1-kb"
author = "r1-kb"
html_title = "r1-kb"
html_theme = "furo"
html_show_sphinx = False
extensions = ["myst_parser"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
# To files that are no pages: `tests/test_readme.py` holds that they are there.
suppress_warnings = ["myst.xref_missing", "misc.highlighting_failure"]


def setup(app: Sphinx) -> None:
    """Writes the page of the interface before the pages are read."""
    app.connect("builder-inited", lambda app: (HERE / "api.md").write_text(_api(), "utf-8"))


def _api() -> str:
    described = json.loads((HERE / "openapi.json").read_text("utf-8"))
    lines = ["# API", "", "Made of [openapi.json](openapi.json), which `/openapi.json` gives, too.", ""]
    for path, methods in described["paths"].items():
        for method, route in methods.items():
            lines += [
                f"## `{method.upper()} {path}`",
                "",
                route.get("summary", ""),
                "",
                route.get("description", ""),
                "",
            ]
            lines += _table([(each["name"], each) for each in route.get("parameters", ())])
            body = route.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            name = body.get("$ref", "").rpartition("/")[2]
            if name:
                lines += _table(list(described["components"]["schemas"][name].get("properties", {}).items()))
    return "\n".join(lines)


def _table(fields: list[tuple[str, dict[str, Any]]]) -> list[str]:
    if not fields:
        return []
    rows = [f"| `{name}` | {_cell(field)} |" for name, field in fields]
    return ["| field | meaning |", "| --- | --- |", *rows, ""]


def _cell(field: dict[str, Any]) -> str:
    return " ".join(str(field.get("description", "")).split()).replace("|", "\\|")
