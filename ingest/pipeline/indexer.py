"""One reading in, a document or a recorded failure out; nothing else that a file does can stop the others.

Knows nothing of folders and queues: which file is next is the pipeline's business.
"""

import datetime
import logging
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ingest.folders.listing import UNREADABLE_CHARACTER, stat_file
from ingest.pipeline.document_index import DocumentIndex
from ingest.pipeline.in_hand import MAX_DEATHS
from ingest.pipeline.progress import ProgressMeter
from ingest.pipeline.reading import Reading, ServiceEnded
from ingest.sandbox.parser import ReaderDied
from kb.errors import KBError, UnreadableFile
from kb.values.documents import Failure, FailureKind, FileVersion
from kb.values.happenings import FileEnded

logger = logging.getLogger(__name__)

RETRY_AFTER = datetime.timedelta(minutes=1)
"""Time until a file that has ended its reader is tried again."""


class Indexer:
    """Puts what was read from files into a knowledge base.

    Args:
        knowledge_base: Nobody else adds to it meanwhile.
        check: Called now and then; what it raises ends the work on a file, and leaves of it what was there before.
        meter: Is told of the chunks.
    """

    def __init__(self, knowledge_base: DocumentIndex, check: Callable[[], None], meter: ProgressMeter) -> None:
        self._knowledge_base = knowledge_base
        self._check = check
        self._meter = meter

    def index(
        self,
        file: FileVersion,
        read: Callable[[], Reading],
        *,
        as_it_is: bool = False,
        between: Callable[[], None] = lambda: None,
    ) -> bool:
        """Indexes a file, or records why it cannot be.

        Args:
            file: As it was seen in the folder before it was read.
            read: Gives what was read.
            as_it_is: Whether it is indexed though it has changed since.
            between: Called between batches; what it raises ends the work, as does a change of the file.

        Returns:
            False if it changed meanwhile, or is gone, and must be looked at again.

        Raises:
            KBError: No file can be indexed now.
        """

        def check() -> None:
            self._check()
            between()
            if _has_changed(file, as_it_is):
                raise _Superseded("the file is not what it was")

        try:
            reading = read()
            if _has_changed(file, as_it_is):
                return False  # it was being written, or saved anew: what is wrong now need not stay wrong
            if reading.error is None:
                return self._store(reading, check)
            self._fail(reading.file, reading.error, may_pass=isinstance(reading.error, ReaderDied))
        except _Superseded:
            return False
        except KBError:
            raise
        except Exception as error:  # whatever one file does, the others go on
            logger.exception("%s could not be indexed", file.source)
            self._fail(file, UnreadableFile(f"an unexpected error: {type(error).__name__}: {error}"), may_pass=True)
        return True

    def _store(self, reading: Reading, check: Callable[[], None]) -> bool:
        began = time.monotonic()
        file, document = reading.file, reading.document
        if document is not None:
            document_id = self._knowledge_base.replace(file, document, reading.chunks, check, recipe=reading.recipe)
            self._meter.chunks_done(len(reading.chunks))
            seconds = time.monotonic() - began
            count = len(reading.chunks)
            self._knowledge_base.observe(
                FileEnded("indexed", document_id, count, file.size_bytes, reading.seconds, seconds)
            )
            chunks = "1 chunk" if count == 1 else f"{count:,} chunks"
            logger.info("%s: %s, read in %.1f s, indexed in %.1f s", file.source, chunks, reading.seconds, seconds)
            return True
        known = self._knowledge_base.find(file.root, file.source)
        if known is None or known.file.sha256 != file.sha256:
            return False  # it was taken out of the index since
        self._knowledge_base.move(known.id, file)
        self._knowledge_base.observe(FileEnded("moved", known.id, size_bytes=file.size_bytes))
        return True

    def _fail(self, file: FileVersion, error: UnreadableFile, *, may_pass: bool) -> None:
        self._check()
        logger.warning("%s: %s", file.source, error.message)
        known = self._knowledge_base.find(file.root, file.source)
        if known is not None:
            self._knowledge_base.remove(known.id)
        kind, next_try_at = FailureKind.UNREADABLE, None
        if may_pass and not isinstance(error, ServiceEnded) and self._deaths(file) + 1 < MAX_DEATHS:
            next_try_at = datetime.datetime.now(datetime.UTC) + RETRY_AFTER
        elif may_pass:
            kind = FailureKind.QUARANTINED
        self._knowledge_base.record_failure(file, error.message, error.hint, kind=kind, next_try_at=next_try_at)
        is_given_up = kind is FailureKind.QUARANTINED
        self._knowledge_base.observe(
            FileEnded("quarantined" if is_given_up else "unreadable", size_bytes=file.size_bytes)
        )

    def _deaths(self, file: FileVersion) -> int:
        """How often this version of a file has ended its reader before."""
        return next(
            (
                failure.attempts
                for failure in self._knowledge_base.failures()
                if failure.next_try_at is not None and replace(failure.file, sha256="") == replace(file, sha256="")
            ),
            0,
        )


def deserves_another_try(failure: Failure, max_file_bytes: int) -> bool:
    """Whether a file that is the same could be read by now.

    It may have been a passing trouble; somebody may have changed who may read it, or how large a file may be.
    """
    if failure.next_try_at is not None:
        return failure.next_try_at <= datetime.datetime.now(datetime.UTC)
    file = failure.file
    was_opened = file.sha256 != "" or failure.kind is not FailureKind.UNREADABLE
    too_large = file.size_bytes > max_file_bytes
    return not was_opened and not too_large and os.access(Path(file.root, file.source), os.R_OK)


class _Superseded(KBError):
    """Work on a file is given up, as the file has changed or is gone."""


def _has_changed(file: FileVersion, as_it_is: bool) -> bool:
    if UNREADABLE_CHARACTER in file.source:
        return False
    now = stat_file(Path(file.root), Path(file.root, file.source))
    return now is None if as_it_is else now != replace(file, sha256="")
