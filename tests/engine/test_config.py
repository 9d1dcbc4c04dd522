"""The configuration: what is wrong is named, with a remedy."""

import re
from pathlib import Path

import pytest

from engine.config import Config, ConfigError, load, parse

TRUNK = {"name": "carrier", "server": "192.0.2.10:5060"}


def test_without_a_file_it_is_the_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ZVONAR_CONFIG", raising=False)
    assert load() == Config()
    assert load().sandboxed


def test_a_whole_file(tmp_path: Path) -> None:
    file = tmp_path / "zvonar.toml"
    file.write_text("""
        [sip]
        bind = "0.0.0.0:5060"
        public_address = "198.51.100.7"
        [media]
        ports = "20000-20999"
        [[trunk]]
        name = "carrier"
        server = "sip.example.net"
        username = "u"
        password_env = "CARRIER_PASSWORD"
        register = true
        numbers = ["+74951234567"]
        caller_id = "both"
        codecs = ["pcmu"]
        max_calls = 30
        cps = 5
        [webhook]
        allow_networks = ["127.0.0.0/8"]
    """)
    config = load(file)
    assert config.trunk[0].address == ("sip.example.net", 5060)
    assert config.trunk[0].numbers == ("74951234567",)
    assert config.trunk[0].register_
    assert not config.sandboxed


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ({"sipp": {}}, "sipp: unknown key; did you mean 'sip'?"),
        ({"trunk": [{**TRUNK, "sever": "x"}]}, "trunk.0.sever: unknown key; did you mean 'server'?"),
        ({"trunk": [{"name": "a"}]}, "trunk.0.server: is required; add it"),
        ({"sip": {"bind": "5060"}}, "is not HOST:PORT"),
        ({"media": {"ports": "9-3"}}, "is not a range of ports"),
        ({"trunk": [{**TRUNK, "codecs": ["opus"]}]}, "trunk.0.codecs.0"),
        ({"trunk": [{**TRUNK, "register": True}]}, "register = true needs a username"),
        ({"trunk": [{**TRUNK, "password": "p", "password_env": "P"}]}, "exclude each other"),
        ({"trunk": [TRUNK, TRUNK]}, "two trunks are named 'carrier'"),
        ({"trunk": [{**TRUNK, "numbers": ["12ab"]}]}, "is not a telephone number"),
        ({"webhook": {"allow_networks": ["10.0.0.0/99"]}}, "webhook.allow_networks.0"),
    ],
)
def test_an_error_names_the_place_and_the_remedy(table: dict[str, object], told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(table, "zvonar.toml")
    assert told in str(caught.value)
    assert str(caught.value).startswith("zvonar.toml: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["[sip", "a = \x00", "\xff"])
def test_no_toml(tmp_path: Path, text: str) -> None:
    file = tmp_path / "zvonar.toml"
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigError, match="not TOML"):
        load(file)


def test_no_file() -> None:
    with pytest.raises(ConfigError, match="No such file"):
        load("/nowhere/zvonar.toml")


def test_a_secret_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARRIER_PASSWORD", "s3cret")
    trunk = parse({"trunk": [{**TRUNK, "password_env": "CARRIER_PASSWORD"}]}).trunk[0]
    assert trunk.secret == "s3cret"
    open_one = parse({"trunk": [{**TRUNK, "password": "s3cret"}]})
    assert "s3cret" not in repr(open_one)
    monkeypatch.delenv("CARRIER_PASSWORD")
    with pytest.raises(ConfigError, match="CARRIER_PASSWORD"):
        _ = trunk.secret


def test_clips() -> None:
    assert (Config().clips.max_mb, Config().clips.max_s) == (25, 300)
    assert parse({"clips": {"max_mb": 5, "max_s": 60}}).clips.max_s == 60
    for wrong in ({"max_s": 0}, {"max_s": 1801}, {"max_mb": 101}):
        with pytest.raises(ConfigError, match=r"^configuration: clips\.max_"):
            parse({"clips": wrong})


def test_who_speaks(tmp_path: Path) -> None:
    file = tmp_path / "irina.onnx"
    file.touch()
    Path(f"{file}.json").touch()
    speech = parse({"speech": {"voices": ["espeak", "piper"], "piper_voices": [{"file": str(file)}]}}).speech
    assert speech.voices == ("espeak", "piper")
    assert (speech.piper_voices[0].file, speech.piper_voices[0].gender) == (file, "female")
    for wrong, told in (
        ({"voices": ["siri"]}, "'piper', 'rhvoice' or 'espeak'"),
        ({"piper_voices": [{"file": str(file)}, {"file": str(file)}]}, "two voice files of piper are named 'irina'"),
        ({"timeout_s": 0}, "greater than or equal to 1"),
        ({"piper_voices": [{"file": str(file), "gendre": "male"}]}, "did you mean 'gender'?"),
    ):
        with pytest.raises(ConfigError, match=re.escape(told)):
            parse({"speech": wrong})
