"""Where a request comes from, by the address of its client. Pure."""

import ipaddress
from collections.abc import Collection

from server.settings import Network


def is_loopback(host: str) -> bool:
    """Whether an address can be reached from this machine only."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_within(host: str, networks: Collection[Network]) -> bool:
    """Whether an address lies in one of some networks; what is no address lies in none."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    address = getattr(address, "ipv4_mapped", None) or address  # of a socket for both kinds
    return any(address in network for network in networks)
