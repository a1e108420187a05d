"""What each probe may be told: one model of options a probe, and the modules that every province has.

`Module.options` holds plain values, already checked against `OPTIONS`; a service may lay its own over them.
All durations are seconds. Raises nothing of its own: a wrong option is a `pydantic.ValidationError`.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from inventory.model import Module

Port = Annotated[int, Field(ge=1, le=65535)]
Status = Annotated[int, Field(ge=100, le=599)]


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from error
    return text


Pattern = Annotated[str, AfterValidator(_pattern)]


class _Options(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SecretReference(_Options):
    """A value that is written in secrets.yaml only; YAML: `{secret: name}`."""

    secret: str = Field(min_length=1, description="The name of a value in secrets.yaml.")


class IcmpOptions(_Options):
    """Ping: echo requests a tenth of a second apart; any answer means that the address is alive."""

    count: int = Field(default=1, ge=1, le=20, description="Echo requests to send.")
    wait: float = Field(default=2.0, gt=0, le=10, description="Seconds to wait for the answers.")
    size: int = Field(default=64, ge=36, le=9000, description="Bytes of a packet, its IP header included.")


class TcpOptions(_Options):
    """A TCP port accepts a connection, and says what is expected if anything is."""

    port: Port = Field(description="The port to connect to.")
    expect: Pattern = Field(default="", description="A regular expression that its first words must contain.")


class HttpOptions(_Options):
    """A web page answers with an accepted status and, if asked, the right words in it."""

    port: Port | None = Field(default=None, description="Default: 443 with tls, 80 without.")
    tls: bool = Field(default=False, description="Speak HTTPS.")
    path: str = Field(default="/", pattern=r"^/[!-~]*$", description="Path and query of the page.")
    host: str = Field(default="", description="Name to ask for (Host, SNI). Default: the device's own name.")
    method: Literal["GET", "HEAD", "OPTIONS"] = "GET"
    status: tuple[Status, ...] = Field(default=(), description="Accepted statuses. Default: 200 to 299.")
    body_must_match: Pattern = Field(default="", description="A regular expression the page must contain.")
    body_must_not_match: Pattern = Field(default="", description="One that it must not contain.")
    follow_redirects: bool = Field(default=True, description="Judge the page that a redirect leads to.")
    valid_certificate: bool = Field(default=True, description="Refuse an expired, foreign or misnamed one.")


class CertificateOptions(_Options):
    """The certificate that a TLS port shows: chain, name, days left."""

    port: Port = 443
    server_name: str = Field(default="", description="The name it must be for. Default: the device's own.")
    days_warn: int = Field(default=30, ge=0, le=3650, description="Degraded when fewer days are left.")


class DnsOptions(_Options):
    """A name server answers a question."""

    port: Port = 53
    name: str = Field(default="", description="The name to ask for. Default: the device's own, known or not.")
    type: Literal["A", "AAAA", "CNAME", "MX", "NS", "PTR", "SOA", "SRV", "TXT"] = "A"
    expect: str = Field(default="", description="A record that the answer must hold, for example 10.91.0.5.")


class SshOptions(_Options):
    """An SSH server greets and, when its key is pinned, proves that it holds that key."""

    port: Port = 22


class SnmpOptions(_Options):
    """An SNMP agent answers. There is no default community: it is a secret, and named."""

    port: Port = 161
    version: Literal["2c"] = "2c"
    community: SecretReference
    mib: Literal["system", "interfaces", "ups"] = "system"


class NtpOptions(_Options):
    """A time server is synchronised and agrees with this machine's clock."""

    port: Port = 123
    max_offset: float = Field(default=0.5, gt=0, description="Degraded when it is off by more (seconds).")


OPTIONS: Mapping[str, type[BaseModel]] = {
    "icmp": IcmpOptions,
    "tcp": TcpOptions,
    "http": HttpOptions,
    "certificate": CertificateOptions,
    "dns": DnsOptions,
    "ssh": SshOptions,
    "snmp": SnmpOptions,
    "ntp": NtpOptions,
}

_COMMUNITY = {"community": {"secret": "snmp-community"}}

BUILT_IN: Mapping[str, Module] = {
    module.name: module
    for module in (
        Module("icmp", "icmp", interval=15, timeout=3),
        Module("ssh", "ssh"),
        Module("telnet", "tcp", options={"port": 23}),
        Module("http", "http"),
        Module("https", "http", options={"tls": True}),
        Module("web", "http", options={"status": [200, 401, 403], "valid_certificate": False}),
        Module("certificate", "certificate", interval=3600, timeout=10),
        Module("dns", "dns"),
        Module("ntp", "ntp", interval=300),
        Module("rtsp", "tcp", options={"port": 554}),
        Module("printer", "tcp", interval=120, options={"port": 9100}),
        Module("node", "http", options={"port": 9100, "path": "/metrics"}),
        Module("smb", "tcp", options={"port": 445}),
        Module("rdp", "tcp", options={"port": 3389}),
        Module("snmp", "snmp", interval=120, options=_COMMUNITY),
        Module("interfaces", "snmp", interval=300, timeout=20, options=_COMMUNITY | {"mib": "interfaces"}),
        Module("ups", "snmp", options=_COMMUNITY | {"mib": "ups"}),
    )
}


def options_of(module: Module, extra: Mapping[str, Any] | None = None) -> BaseModel:
    """Return the checked options of `module`, with `extra` laid over them.

    Raises `pydantic.ValidationError` with every wrong option, `KeyError` for a probe not in `OPTIONS`.
    """
    return OPTIONS[module.probe].model_validate({**module.options, **(extra or {})})
