"""The configuration file: TOML, read once, checked whole, and every error names the file and the remedy.

Without a file: the sandbox trunk, SQLite in a local folder, loopback only.
"""

from __future__ import annotations

import difflib
import ipaddress
import os
import tomllib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

SANDBOX = "sandbox"  # the trunk that exists where none is configured
SANDBOX_NUMBERS = ("79932432781", "74951234567", "78005553535")


class ConfigError(Exception):
    """The configuration cannot be used; the text is one line, for a person."""


def parse_address(text: str, default_port: int | None = None) -> tuple[str, int]:
    """Split HOST:PORT; ValueError with a remedy otherwise."""
    host, colon, port = text.rpartition(":")
    if not colon and default_port is not None:
        return text, default_port
    if not host or not port.isdigit() or int(port) > 65535:
        raise ValueError(f'{text!r} is not HOST:PORT, for example "192.0.2.10:5060"')
    return host.strip("[]"), int(port)


def _address(text: str) -> str:
    parse_address(text)
    return text


def _server(text: str) -> str:
    parse_address(text, 5060)
    return text


def _network(text: str) -> str:
    ipaddress.ip_network(text, strict=False)
    return text


def _digits(text: str) -> str:
    number = text.removeprefix("+")
    if not number.isdigit() or not 3 <= len(number) <= 15:
        raise ValueError(f"{text!r} is not a telephone number: 3 to 15 digits")
    return number


def _ports(text: str) -> str:
    low, dash, high = text.partition("-")
    if not dash or not low.isdigit() or not high.isdigit() or not 1024 <= int(low) < int(high) <= 65535:
        raise ValueError(f'{text!r} is not a range of ports, for example "20000-23999"')
    return text


Address = Annotated[str, AfterValidator(_address)]
Server = Annotated[str, AfterValidator(_server)]
Network = Annotated[str, AfterValidator(_network)]
Number = Annotated[str, AfterValidator(_digits)]
Price = Annotated[Decimal, Field(ge=0, le=100_000, decimal_places=4)]
Prefix = Annotated[str, Field(pattern=r"^\+?[0-9]{1,11}$"), AfterValidator(lambda text: text.removeprefix("+"))]
Codec = Literal["pcma", "pcmu"]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SipConfig(_Section):
    """`[sip]`: where we speak SIP."""

    bind: Address = "127.0.0.1:0"
    public_address: str | None = None  # what Contact, Via and SDP show, behind NAT


class MediaConfig(_Section):
    """`[media]`: RTP."""

    ports: Annotated[str, AfterValidator(_ports)] = "20000-29999"
    public_address: str | None = None
    # How many legs at once: so many ports are bound. A call that is connected to a manager has two.
    calls: int = Field(default=200, ge=1, le=4000)
    hold: Path | None = None  # a clip for those who wait until it rings at the manager's; default: a soft tune

    @property
    def port_range(self) -> tuple[int, int]:
        low, _, high = self.ports.partition("-")
        return int(low), int(high)


class TrunkConfig(_Section):
    """`[[trunk]]`: a carrier's route."""

    name: str = Field(min_length=1)
    server: Server
    username: str | None = None
    password: str | None = Field(default=None, repr=False)
    password_env: str | None = None
    register_: bool = Field(default=False, alias="register")
    numbers: tuple[Number, ...] = ()
    accounts: tuple[str, ...] | None = None
    caller_id: Literal["from", "pai", "both"] = "from"
    plus: bool = False
    codecs: tuple[Codec, ...] = Field(default=("pcma", "pcmu"), min_length=1)
    max_calls: int | None = Field(default=None, ge=1)
    cps: float | None = Field(default=None, gt=0)
    number_max_calls: int | None = Field(default=None, ge=1)  # the same two for each of its numbers
    number_cps: float | None = Field(default=None, gt=0)
    media_networks: tuple[Network, ...] = ()

    @property
    def address(self) -> tuple[str, int]:
        return parse_address(self.server, 5060)

    @property
    def secret(self) -> str | None:
        """The password, from the file or the environment; ConfigError if the variable is not set."""
        if self.password_env is None:
            return self.password
        if self.password_env not in os.environ:
            raise ConfigError(f"trunk {self.name!r}: the environment has no {self.password_env}; set it")
        return os.environ[self.password_env]

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.password is not None and self.password_env is not None:
            raise ValueError("password and password_env exclude each other; keep one")
        if self.register_ and not self.username:
            raise ValueError("register = true needs a username")
        return self


class StoreConfig(_Section):
    """`[store]`: where the service keeps things."""

    url: str = "sqlite:///zvonar-data/zvonar.db"
    secret_file: Path | None = None  # default: secret.key beside the database, made at the first start
    journals: Path | None = None
    folder: Path | None = None  # of the records; default: beside SQLite's file, with PostgreSQL ./zvonar-data
    clips: Path | None = None  # default: in that folder


class ClipsConfig(_Section):
    """`[clips]`: what an upload, or a clip of a script, may be at most."""

    max_mb: int = Field(default=25, ge=1, le=100)
    max_s: int = Field(default=300, ge=1, le=1800)  # all of them together: 18 hours


class RecordingConfig(_Section):
    """`[recording]`: calls that the service records."""

    folder: Path | None = None  # default: `recordings` beside the records
    format: Literal["wav", "ogg"] = "wav"  # 1.9 MB a minute, lossless; Opus in Ogg: a fifth of that or less, more CPU
    keep_days: int = Field(default=30, ge=0, le=36_500)  # 0: for ever


class ApiConfig(_Section):
    """`[api]`: the service."""

    listen: Address = "127.0.0.1:8080"
    public_url: str | None = None  # what links to records begin with
    drain_s: float = Field(default=30.0, ge=0, le=3600)  # calls that go on when the service ends get so long


class WebhookConfig(_Section):
    """`[webhook]`: what may be called back."""

    allow_networks: tuple[Network, ...] = ()  # inside addresses that webhooks may go to


class TariffConfig(_Section):
    """`[tariff]`: what things cost, in the currency of the accounts."""

    step_s: int = Field(default=60, ge=1, le=3600)
    call: Price = Decimal("1.5")  # a started step of the answered time
    prefixes: dict[Prefix, Price] = Field(default_factory=dict)  # the same by the callee's first digits, longest first
    clip: Price = Decimal("0.9")  # a clip made from text, for each started `clip_characters`
    clip_characters: int = Field(default=200, ge=1)


class PiperVoiceConfig(_Section):
    """One of `[speech] piper_voices`: a voice file of piper, and whose voice it is."""

    file: Path  # NAME.onnx, with NAME.onnx.json beside it
    gender: Literal["female", "male"] = "female"

    @model_validator(mode="after")
    def _whole(self) -> Self:
        for file in (self.file, Path(f"{self.file}.json")):
            if not file.is_file():
                raise ValueError(f"{file}: no such file; a voice of piper is NAME.onnx with NAME.onnx.json beside it")
        return self


class SpeechConfig(_Section):
    """`[speech]`: who speaks texts."""

    voices: tuple[Literal["piper", "rhvoice", "espeak"], ...] = ("piper", "rhvoice", "espeak")  # best first
    piper_voices: tuple[PiperVoiceConfig, ...] = ()
    timeout_s: float = Field(default=20.0, ge=1, le=300)  # of one part of a text, and more for a long one

    @model_validator(mode="after")
    def _names(self) -> Self:
        names = [voice.file.stem for voice in self.piper_voices]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two voice files of piper are named {name!r}; rename one")
        return self


class Config(_Section):
    """The whole file."""

    sip: SipConfig = SipConfig()
    media: MediaConfig = MediaConfig()
    trunk: tuple[TrunkConfig, ...] = ()
    store: StoreConfig = StoreConfig()
    clips: ClipsConfig = ClipsConfig()
    recording: RecordingConfig = RecordingConfig()
    api: ApiConfig = ApiConfig()
    webhook: WebhookConfig = WebhookConfig()
    tariff: TariffConfig = TariffConfig()
    speech: SpeechConfig = SpeechConfig()

    @model_validator(mode="after")
    def _trunks(self) -> Self:
        names = [trunk.name for trunk in self.trunk]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two trunks are named {name!r}; rename one")
        return self

    @property
    def sandboxed(self) -> bool:
        """No trunk is configured, so calls go to the sandbox."""
        return not self.trunk

    def trunk_named(self, name: str) -> TrunkConfig | None:
        return next((trunk for trunk in self.trunk if trunk.name == name), None)


def load(path: str | Path | None = None) -> Config:
    """Read the file given, else the one `ZVONAR_CONFIG` names, else the defaults. Raises ConfigError."""
    chosen = path or os.environ.get("ZVONAR_CONFIG")
    if not chosen:
        return Config()
    try:
        table = tomllib.loads(Path(chosen).read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"{chosen}: {error.strerror}; name a file that can be read") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{chosen}: not TOML: {error}") from error
    return parse(table, str(chosen))


def parse(table: Mapping[str, Any], source: str = "configuration") -> Config:
    """A configuration from plain tables; ConfigError for the first thing that is wrong."""
    try:
        return Config.model_validate(table)
    except ValidationError as error:
        raise ConfigError(f"{source}: {_first(error)}") from error


def _first(error: ValidationError) -> str:
    # An unknown key explains a "missing" one beside it, so it is told first.
    problems = sorted(error.errors(include_url=False), key=lambda problem: problem["type"] != "extra_forbidden")
    problem = problems[0]
    place = ".".join(str(part) for part in problem["loc"]) or "file"
    if problem["type"] == "extra_forbidden":
        known = _keys(problem["loc"][:-1])
        near = difflib.get_close_matches(str(problem["loc"][-1]), known, n=1, cutoff=0.4)
        remedy = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(known)}"
        return f"{place}: unknown key; {remedy}"
    if problem["type"] == "missing":
        return f"{place}: is required; add it"
    return f"{place}: {problem['msg'].removeprefix('Value error, ')}"


def _keys(location: Sequence[int | str]) -> list[str]:
    model: type[BaseModel] = Config
    for part in location:
        if isinstance(part, int):
            continue
        annotation = model.model_fields[part].annotation
        candidates = (annotation, *get_args(annotation))
        model = next(kind for kind in candidates if isinstance(kind, type) and issubclass(kind, BaseModel))
    return [spec.alias or name for name, spec in model.model_fields.items()]
