"""Everything that can be set: what the service itself reads, beside what `ingest` and `kb` do."""

from typing import ClassVar, Literal

from pydantic import Field, IPvAnyNetwork, field_validator

from ingest.settings import IngestSettings

Network = IPvAnyNetwork
"""An address, or a network such as `10.0.0.0/8`."""

Right = Literal["read", "ask", "write", "admin"]
"""Each is apart from the others; but `admin` may all."""


class ServerSettings(IngestSettings):
    """All settings there are."""

    knows_every_key: ClassVar[bool] = True

    host: str = Field(default="127.0.0.1", description="Address to listen on; any but loopback needs a token.")
    port: int = Field(default=8321, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    token: str = Field(default="", description="Clients must send it as `Authorization: Bearer …`; empty: no check.")
    allowed_hosts: tuple[str, ...] = Field(
        default=(), description="Further host names under which browsers may reach the service."
    )

    proxy_from: tuple[Network, ...] = Field(
        default=(),
        description="Addresses or networks of proxies whose `X-Forwarded-…` and user header are believed; empty: this"
        " machine, without a user header.",
    )
    proxy_user_header: str = Field(
        default="",
        pattern=r"^([A-Za-z][A-Za-z0-9-]*)?$",
        description="Header in which these proxies name the user they have let in; empty: none.",
    )
    proxy_rights: tuple[Right, ...] = Field(
        default=("read", "ask"), description="What such users may: `read`, `ask`, `write`, `admin`."
    )
    client_requests: int = Field(
        default=600, ge=0, description="Requests of one client in a minute; this machine without a token aside; 0: any."
    )
    client_open: int = Field(
        default=32, ge=0, description="Requests of one client that are answered at a time, streams too; 0: any."
    )
    client_upload_bytes: int = Field(
        default=2_000_000_000, ge=0, description="Bytes that one client may upload in an hour; 0: any."
    )
    uploading_bytes: int = Field(
        default=1_000_000_000, ge=0, description="Bytes that all clients together may be uploading at a time; 0: any."
    )
    min_free_bytes: int = Field(
        default=500_000_000, ge=0, description="Uploads that would leave less room on their disk are refused."
    )
    metrics_from: tuple[Network, ...] = Field(
        default=(), description="Addresses or networks that may read `/metrics` without a token."
    )

    log_format: Literal["text", "json"] = Field(
        default="text", description="What `kb serve` logs: text for people, or json: one object a line."
    )
    otlp_endpoint: str = Field(
        default="",
        pattern=r"^(https?://\S+)?$",
        description="Where traces of questions go, by OTLP over gRPC, say `http://127.0.0.1:4317`; empty: nowhere.",
    )

    public_url: str = Field(
        default="",
        pattern=r"^(https?://[^/?#]+[^?#]*)?$",
        description="Address of the page, for links in the answers that other programs show; empty: as they call it.",
    )
    footnotes: Literal["auto", "on", "off"] = Field(
        default="auto",
        description="Whether answers over /v1 end with links to their sources: on, off, or auto: where a client is"
        " known to show none otherwise.",
    )

    @field_validator("allowed_hosts", "metrics_from", "proxy_from", "proxy_rights", mode="before")
    @classmethod
    def _split_lists(cls, value: object) -> object:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value
