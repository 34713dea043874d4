"""A disk of some megabytes, in memory, that fills up and has room again."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class SmallDisk:
    """A file system of its own.

    Attributes:
        path: Where it is mounted.
    """

    path: Path

    @property
    def free_bytes(self) -> int:
        return shutil.disk_usage(self.path).free

    def fill(self, left_bytes: int = 0) -> None:
        """Takes what is free but so much, whoever else is writing."""
        with self._ballast.open("ab") as ballast:
            while (excess := self.free_bytes - left_bytes) > 0:
                with contextlib.suppress(OSError):
                    os.posix_fallocate(ballast.fileno(), ballast.seek(0, os.SEEK_END), excess)

    def make_room(self) -> None:
        """Gives back what `fill` has taken."""
        self._ballast.unlink()

    @property
    def _ballast(self) -> Path:
        return self.path / "ballast"


@contextmanager
def mounted(path: Path, size: str) -> Iterator[SmallDisk]:
    """Mounts a disk until the block ends; skips the test for a user who may not.

    Args:
        path: Made; takes the disk.
        size: As `mount` writes it, such as `100k` or `8m`.
    """
    path.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(path)]
    if not shutil.which("mount") or subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("this user may not mount anything")
    try:
        yield SmallDisk(path)
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)
