"""One file in, a document or a recorded failure out; nothing else that a file does can stop the others.

Knows nothing of folders and queues: which file is next is the pipeline's business.
"""

import logging
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ingest.chunker import chunk
from ingest.folders import UNREADABLE_CHARACTER, hash_file, stat_file
from ingest.worker import ParserProcess
from kb.errors import KBError, UnreadableFile
from kb.library import KnowledgeBase
from kb.types import Document, FileVersion

logger = logging.getLogger(__name__)


class Indexer:
    """Reads files and puts them into a knowledge base.

    Args:
        library: Nobody else adds to it meanwhile.
        check: Called now and then; what it raises ends the work on a file, and leaves of it what was there before.
    """

    def __init__(self, library: KnowledgeBase, check: Callable[[], None]) -> None:
        self._library = library
        self._settings = library.settings
        self._check = check
        self._parser = ParserProcess()

    def close(self) -> None:
        """Ends the child process that reads files."""
        self._parser.close()

    def index(self, file: FileVersion) -> bool:
        """Indexes a file, or records why it cannot be.

        Args:
            file: As it was seen in the folder, without its hash.

        Returns:
            False if it changed meanwhile and must be looked at again.

        Raises:
            KBError: No file can be indexed now.
        """
        path = Path(file.root, file.source)
        began = time.monotonic()
        try:
            self._check_name_and_size(file)
            file = replace(file, sha256=hash_file(path))
            known = self._library.find(file.root, file.source)
            if known is not None and known.file.sha256 == file.sha256:
                self._library.move(known.id, file)
                return True
            document = self._parse(path)
            if _has_changed(file):
                return False
            chunks = chunk(document, self._library.count_tokens)
            self._library.replace(file, document, chunks, self._check)
        except UnreadableFile as error:
            if _has_changed(file):  # it was being written, or saved anew: what is wrong now need not stay wrong
                return False
            self._fail(file, error)
        except KBError:
            raise
        except Exception as error:  # whatever one file does, the others go on
            logger.exception("%s could not be indexed", file.source)
            self._fail(file, UnreadableFile(f"an unexpected error: {type(error).__name__}: {error}"))
        else:
            seconds = time.monotonic() - began
            logger.info("%s: %d chunks in %.1f s", file.source, len(chunks), seconds)
        return True

    def deserves_another_try(self, failed: FileVersion) -> bool:
        """Whether a file that could not be read at all could be by now, though it is the same.

        Somebody may have changed who may read it, or how large a file may be.
        """
        was_read = failed.sha256 != ""
        too_large = failed.size_bytes > self._settings.max_file_bytes
        return not was_read and not too_large and os.access(Path(failed.root, failed.source), os.R_OK)

    def _check_name_and_size(self, file: FileVersion) -> None:
        if UNREADABLE_CHARACTER in file.source:
            raise UnreadableFile("its name is not valid UTF-8", "rename it")
        limit = self._settings.max_file_bytes
        if file.size_bytes > limit:
            raise UnreadableFile(
                f"the file has {file.size_bytes:,} bytes; the limit is {limit:,}",
                "split it, or raise KB_MAX_FILE_BYTES",
            )

    def _parse(self, path: Path) -> Document:
        seconds, memory_bytes = self._settings.parse_seconds, self._settings.parse_memory_bytes
        return self._parser.parse(path, seconds=seconds, memory_bytes=memory_bytes)

    def _fail(self, file: FileVersion, error: UnreadableFile) -> None:
        self._check()
        logger.warning("%s: %s", file.source, error.message)
        known = self._library.find(file.root, file.source)
        if known is not None:
            self._library.remove(known.id)
        self._library.record_failure(file, error.message, error.hint)


def _has_changed(file: FileVersion) -> bool:
    root = Path(file.root)
    return UNREADABLE_CHARACTER not in file.source and stat_file(root, root / file.source) != replace(file, sha256="")
