"""Links between documents, over the running service: they follow what becomes of the files."""

import re
from collections.abc import Iterator

import pytest

from tests.harness import Served
from tests.server.http.routes_harness import document_id, error

MAP = (
    "# Map\n\nSee [[Ferry]], [[Ferry#Time table|the times]], [[The old name]], [[Lost]], ![[Ferry#^first]],"
    " [in words](sub/../boats/Ferry.md#time-table) and [a page](https://example.org).\n"
)
FERRY = "---\naliases: [The old name]\n---\n# Ferry\n\nIt leaves at nine. ^first\n\n## Time table\n\nNine.\n"


@pytest.fixture
def linked(service: Served) -> Iterator[Served]:
    service.write("Map.md", MAP)
    service.write("boats/Ferry.md", FERRY)
    service.sync()
    yield service
    for name in ("Map.md", "Lost.md", "boats/Ferry.md", "boats/Lost.md"):
        (service.folder / name).unlink(missing_ok=True)
    service.sync()


def links(service: Served, source: str, side: str) -> list[dict[str, object]]:
    found = service.client.get(f"/documents/{document_id(service, source)}/links").json()[side]
    assert isinstance(found, list)
    return found


def opened(service: Served, address: object) -> tuple[str, str]:
    """The document that an address opens, and what is marked there."""
    where = re.fullmatch(r"#document=(\w+)&start=(\d+)&end=(\d+)", str(address))
    assert where
    found = service.client.get(f"/documents/{where[1]}?start={where[2]}&end={where[3]}").json()
    return found["source"], found["text"]


def test_links_lead_to_documents_and_to_places_in_them(linked: Served) -> None:
    found = links(linked, "Map.md", "to")
    assert [link["source"] for link in found] == ["boats/Ferry.md"] * 3 + [""] + ["boats/Ferry.md"] * 2
    marked = [opened(linked, link["url"])[1] for link in found if link["url"]]
    assert marked == ["", "## Time table", "", "It leaves at nine. ^first", "## Time table"]
    assert [link["is_embed"] for link in found] == [False, False, False, False, True, False]
    assert found[3]["document_id"] is found[3]["url"] is None


def test_a_document_tells_which_link_to_it(linked: Served) -> None:
    found = links(linked, "boats/Ferry.md", "by")
    assert [opened(linked, link["url"]) for link in found][:2] == [
        ("Map.md", "[[Ferry]]"),
        ("Map.md", "[[Ferry#Time table|the times]]"),
    ]
    assert len(found) == 5
    assert links(linked, "boats/Ferry.md", "to") == []


def test_links_follow_files_that_come_are_renamed_and_go(linked: Served) -> None:
    linked.write("Lost.md", "# Lost\n\nAnd found.\n")
    linked.sync()
    assert [link["source"] for link in links(linked, "Map.md", "to")][3] == "Lost.md"
    (linked.folder / "Lost.md").rename(linked.folder / "boats" / "Lost.md")
    linked.sync()
    assert [link["source"] for link in links(linked, "Map.md", "to")][3] == "boats/Lost.md"
    (linked.folder / "boats" / "Ferry.md").unlink()
    linked.sync()
    assert [link["source"] for link in links(linked, "Map.md", "to")] == ["", "", "", "boats/Lost.md", "", ""]


def test_rendered_links_open_documents_and_nothing_else(linked: Served) -> None:
    html = linked.client.get(f"/documents/{document_id(linked, 'Map.md')}/markdown").json()["html"]
    anchors = {text: attributes for attributes, text in re.findall(r"<a([^>]*)>(.*?)</a>", html)}
    led = {text: found[1] for text, tag in anchors.items() if (found := re.search(r'href="([^"]*)"', tag))}
    own = {text: opened(linked, address.replace("&amp;", "&")) for text, address in led.items() if address[0] == "#"}
    assert own == {
        "Ferry": ("boats/Ferry.md", ""),
        "the times": ("boats/Ferry.md", "## Time table"),
        "The old name": ("boats/Ferry.md", ""),
        "Ferry#^first": ("boats/Ferry.md", "It leaves at nine. ^first"),
        "in words": ("boats/Ferry.md", "## Time table"),
    }
    assert led.keys() - own.keys() == {"a page"}
    assert anchors.keys() - led.keys() == {"Lost"}


def test_links_of_what_is_not_there_are_not_found(linked: Served) -> None:
    assert error(linked.client.get("/documents/none/links")) == (404, "not_found")
