"""Keys of servers in the keyring of the operating system, each under the name of its host.

The package `keyring` is imported when a key is asked for, and only where the settings name a keyring.
"""

from kb.errors import SettingsError


def key_in_keyring(service: str, host: str) -> str:
    """The key for a host; empty: there is none.

    Args:
        service: Under which the keys lie.

    Raises:
        SettingsError: The package is missing, or the keyring cannot be read.
    """
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError as error:
        raise SettingsError(
            "KB_KEYRING is set, but the package keyring is not installed",
            "`pip install 'r1-kb[keyring]'`, or put the key into a file, and name that in KB_API_KEY_FILE",
        ) from error
    try:
        return (keyring.get_password(service, host) or "").strip()
    except (KeyringError, RuntimeError, OSError) as error:
        raise SettingsError(
            f"the keyring of this system cannot be read: {error}",
            "unlock it, or put the key into a file, and name that in KB_API_KEY_FILE",
        ) from error
