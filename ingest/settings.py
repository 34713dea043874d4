"""What can be set of watching folders and reading files, beside what the knowledge base itself reads."""

import os
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from kb.settings import Settings


class IngestSettings(Settings):
    """What `ingest` and `kb` read."""

    folders: tuple[Path, ...] = Field(default=(), description="Watched folders; in the environment with `:` between.")

    max_file_bytes: int = Field(default=200_000_000, ge=1, description="Larger files are listed as failed, not read.")
    parse_seconds: float = Field(default=120.0, gt=0, description="Time limit for reading a file.")
    parse_memory_bytes: int = Field(default=600_000_000, ge=100_000_000, description="Memory limit for reading a file.")
    ocr: Literal["on", "off"] = Field(
        default="on", description="Whether text in pictures is read: scanned pages, photographs."
    )
    settle_seconds: float = Field(default=1.0, ge=0, description="A file is read once it has been still this long.")
    sync_seconds: float = Field(default=600.0, gt=0, description="Time between two full scans of the folders.")

    @field_validator("folders", mode="before")
    @classmethod
    def _split_folders(cls, value: object) -> object:
        return [part for part in value.split(os.pathsep) if part] if isinstance(value, str) else value

    @field_validator("folders", mode="after")
    @classmethod
    def _resolved(cls, folders: tuple[Path, ...]) -> tuple[Path, ...]:
        return tuple(dict.fromkeys(folder.expanduser().resolve() for folder in folders))
