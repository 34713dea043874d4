from collections.abc import Iterator

import pytest

from tests.fakes import FakeLanguageModel
from tests.harness import Served, quick_settings, serving
from tests.server.http.routes_harness import DOME


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One service for all tests of a file; each uses files of its own."""
    home, folder = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("papers")
    (folder / "dome.md").write_text(DOME)
    settings = quick_settings(home, max_file_bytes=100_000)
    model = FakeLanguageModel("The second dome was repaired in March.", "Look for the dome.")
    with serving(settings, folder, model=model) as service:
        service.sync()
        yield service
