"""Who answers a command of the terminal: the server that owns the data directory, or else this process.

Only what is needed then is imported, so that a command that cannot go on says so at once.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from kb.data_directory import LOCK_NAME, DataDirectoryLock, find_owner
from server.client.service import Service, ShowLoading
from server.settings import ServerSettings


@contextmanager
def connect(settings: ServerSettings, show_loading: ShowLoading) -> Iterator[Service]:
    """Opens whatever can serve; the token goes to nobody but the owner of the data directory.

    Raises:
        DataDirectoryLocked: Somebody owns the data directory who does not listen.
    """
    owner = find_owner(settings.home)
    service = _remote(owner.url, settings) if owner else _local(settings, show_loading)
    with closing(service):
        yield service


def check_unowned(home: Path) -> None:
    """Finds out before anything heavy is imported that a data directory cannot be opened.

    Raises:
        DataDirectoryLocked: Another process has it open.
        StorageError: It cannot be read or written.
    """
    if (home / LOCK_NAME).exists():
        DataDirectoryLock(home).release()


def _remote(url: str, settings: ServerSettings) -> Service:
    from server.client.remote import Remote

    return Remote(url, settings.token)


def _local(settings: ServerSettings, show_loading: ShowLoading) -> Service:
    check_unowned(settings.home)
    from kb.wiring import open_knowledge_base
    from server.client.local import Local

    return Local(open_knowledge_base(settings), show_loading, settings)
