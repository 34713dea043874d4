import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kb.data_directory import ADDRESS_NAME
from kb.errors import DataDirectoryLocked
from kb.knowledge_base import KnowledgeBase
from kb.settings import Settings
from server.client.connection import connect
from server.client.local import Local
from server.client.remote import Remote
from tests.harness import open_fake_knowledge_base, quick_settings, serving


def show_nothing(knowledge_base: KnowledgeBase, answering: bool) -> None:
    pass


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return quick_settings(tmp_path / "home", token="s3cret")


@contextmanager
def stranger(home: Path, pid: int) -> Iterator[socket.socket]:
    """Somebody who listens at the address that is left in a data directory, and whom nobody may connect to."""
    home.mkdir(exist_ok=True)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        (home / ADDRESS_NAME).write_text(json.dumps({"pid": pid, "url": url}))
        listener.setblocking(False)
        yield listener
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_stranger_at_an_address_that_was_left_behind_is_sent_nothing(settings: Settings) -> None:
    # Process id and port are those of somebody who lives and listens: only the lock tells that it is not the owner.
    with stranger(settings.home, os.getpid()), connect(settings, show_nothing) as service:
        assert isinstance(service, Local)


def test_stranger_at_the_address_of_an_owner_who_does_not_listen_is_sent_nothing(settings: Settings) -> None:
    with (
        open_fake_knowledge_base(settings),
        stranger(settings.home, os.getppid()),
        pytest.raises(DataDirectoryLocked, match="does not say where it listens"),
        connect(settings, show_nothing),
    ):
        pass


def test_owner_is_asked_with_the_token(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "papers").mkdir()
    with serving(settings, tmp_path / "papers"), connect(settings, show_nothing) as service:
        assert isinstance(service, Remote)
        assert service.status().documents == 0
