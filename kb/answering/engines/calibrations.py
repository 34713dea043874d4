"""Calibrations of all models: those that ship, and those that were made on this machine, kept in the models directory.

A file that is damaged or cannot be written costs a calibration, never an answer.
"""

import hashlib
import logging
from importlib.resources import files
from pathlib import Path

from kb.atomic_write import write_atomically
from kb.judging.calibration import Calibration
from kb.values.chat import LanguageModelInfo

logger = logging.getLogger(__name__)

FOLDER_NAME = "calibrations"
"""In the models directory."""

_VERSION = 1
"""Of what the models are asked, and of the files: what another version wrote counts for nothing."""

_SHIPPED = files("kb.judging") / "data" / "calibrations"


class Calibrations:
    """Finds and keeps calibrations; each is read once.

    Args:
        models: The models directory.
    """

    def __init__(self, models: Path) -> None:
        self._folder = models / FOLDER_NAME
        self._read: dict[str, Calibration] = {}

    def find(self, model: LanguageModelInfo) -> Calibration | None:
        """The calibration of a model; None if there is none yet."""
        if model.identity not in self._read:
            name = _file_name(model.identity)
            for file in (self._folder / name, _SHIPPED / name):
                try:
                    found = Calibration.from_json(file.read_text("utf-8"))
                except FileNotFoundError:
                    continue
                except (OSError, ValueError) as error:
                    logger.warning("%s cannot be read (%s): it is passed over", file, error)
                    continue
                if found.model == model.identity:
                    self._read[model.identity] = found
                    break
        return self._read.get(model.identity)

    def keep(self, calibration: Calibration) -> None:
        """Notes a calibration, and writes it into a file if that can be done."""
        self._read[calibration.model] = calibration
        path = self._folder / _file_name(calibration.model)
        try:
            write_atomically(path, calibration.to_json())
        except OSError as error:
            logger.warning("%s cannot be written (%s): the model is calibrated again next time", path, error.strerror)


def _file_name(identity: str) -> str:
    return hashlib.sha256(f"{_VERSION} {identity}".encode()).hexdigest()[:16] + ".json"
