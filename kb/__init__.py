"""Knowledge: documents in, cited answers out. Knows nothing about watched folders, HTTP or terminals.

`kb.library.open_library` is the way in.
"""
