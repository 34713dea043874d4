import json

import pytest

from kb.data_directory import ADDRESS_NAME
from kb.errors import (
    DataDirectoryLocked,
)
from kb.settings import Settings
from server.client.connection import connect
from server.client.local import Local
from tests.harness import open_fake_knowledge_base
from tests.server.client.watching import show_nothing


def test_address_left_by_a_server_that_was_killed_is_passed_over(settings: Settings) -> None:
    settings.home.mkdir()
    address = {"pid": 1, "url": "http://127.0.0.1:9"}  # a process that lives, and a port on which nobody listens
    (settings.home / ADDRESS_NAME).write_text(json.dumps(address))
    with connect(settings, show_nothing) as service:
        assert isinstance(service, Local)
        assert service.status().documents == 0


def test_data_directory_that_another_has_open_cannot_be_opened(settings: Settings) -> None:
    with (
        open_fake_knowledge_base(settings),
        pytest.raises(DataDirectoryLocked, match="has the data directory"),
        connect(settings, show_nothing),
    ):
        pass
