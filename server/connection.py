"""Who answers a command of the terminal: the server that owns the data directory, or else this process."""

import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from urllib.parse import urlsplit

from kb.library import open_library
from kb.lock import find_owner
from kb.settings import Settings
from server.local import Local
from server.remote import Remote
from server.service import Service, ShowLoading

_CONNECT_SECONDS = 2.0


@contextmanager
def connect(settings: Settings, show_loading: ShowLoading) -> Iterator[Service]:
    """Opens whatever can serve.

    Raises:
        DataDirectoryLocked: Somebody owns the data directory who does not listen.
    """
    owner = find_owner(settings.home)
    # A server that was killed leaves its address, and its process id may be another's by now.
    service: Service = (
        Remote(owner.url, settings.token)
        if owner and _listens(owner.url)
        else Local(open_library(settings), show_loading)
    )
    with closing(service):
        yield service


def _listens(url: str) -> bool:
    address = urlsplit(url)
    try:
        socket.create_connection((address.hostname, address.port), _CONNECT_SECONDS).close()
    except OSError:
        return False
    return True
