"""How the tests of the routes ask a running service, and read what it says."""

import json

import httpx

from kb.values.documents import DocumentInfo, FailureKind
from tests.harness import Served

DOME = "# Dome\n\nThe second dome was repaired in March.\n"
OTTER = "# Otters\n\nOtters sleep\N{LINE SEPARATOR}while they float.\x85\n"


def error(response: httpx.Response) -> tuple[int, str]:
    body = response.json()["error"]
    assert body.keys() == {"code", "message", "hint"}
    assert body["message"]
    return response.status_code, body["code"]


def events(response: httpx.Response) -> list[tuple[str, dict[str, object]]]:
    found = []
    for block in response.content.decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n") if line and not line.startswith(":"))
        if fields:
            found.append((fields["event"], json.loads(fields["data"])))
    return found


def document_id(service: Served, source: str) -> str:
    listed = service.client.get("/documents").json()["documents"]
    return next(str(document["id"]) for document in listed if document["source"] == source)


def give_up(service: Served, source: str, text: str) -> DocumentInfo:
    """Has a file listed as quarantined though it could be read by now."""
    service.write(source, text)
    service.sync()
    document = service.documents[source]
    service.knowledge_base.remove(document.id)
    service.knowledge_base.record_failure(document.file, "its reader ended", "mend it", kind=FailureKind.QUARANTINED)
    return document


def failure_of(service: Served, source: str) -> dict[str, object]:
    failures = service.client.get("/status").json()["failures"]
    return next(failure for failure in failures if failure["source"] == source)


def upload(service: Served, name: str, content: str | bytes) -> httpx.Response:
    return service.client.post("/documents", files={"files": (name, content)})
