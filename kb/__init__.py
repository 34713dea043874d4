"""Knowledge: documents in, cited answers out. Knows nothing about watched folders, HTTP or terminals.

`kb.wiring.open_library` is the way in, `kb.knowledge_base` what it opens. Rooms, each of which uses only those after
it: `asking` (a question becomes an answer), `index` (kept in step with the catalog), `search` and `citing`, then the
adapters `storage`, `encoders` and `engine`, then `models` (their files) and `language` (text, in Chinese and English).
"""
