"""HOST:PORT, flags, usage errors: what needs no network."""

import re
import subprocess
import sys

import click
import pytest
from cli_support import environment, kcp, one_sentence

from kcp import Config, cc
from kcp._presets import PRESETS
from kcp_cli import address, files, options
from kcp_cli.errors import Failure


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:4000", "127.0.0.1", 4000),
        ("device.local:1", "device.local", 1),
        ("[::1]:4000", "::1", 4000),
        ("[fe80::1%eth0]:65535", "fe80::1%eth0", 65535),
    ],
)
def test_address(text, host, port):
    assert address.parse(text) == (host, port)
    assert str(address.parse(text)) == text
    assert address.parse(text, listen=True) == (host, port)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("10.0.0.2", "write it as 10.0.0.2:4000"),
        ("host:", "write it as host:4000"),
        ("[::1]", "write it as [::1]:4000"),
        ("[::1]:", "write it as [::1]:4000"),
        ("[::1", "closing bracket"),
        ("::1:4000", "[::1]:4000"),
        ("fe80::1", "[ADDRESS]:PORT"),
        ("host:port", "not a port number"),
        ("host:4000-4010", "ranges"),
        ("host:0", "from 1 to 65535"),
        ("host:65536", "from 1 to 65535"),
        ("host:-1", "not a port number"),
        ("host:٤", "not a port number"),
        (":4000", "127.0.0.1:4000"),
        ("4000", "no port"),
        ("", "no port"),
    ],
)
def test_bad_address_says_how_to_write_it(text, hint):
    with pytest.raises(ValueError) as caught:
        address.parse(text)
    assert hint in str(caught.value)


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [(":4000", "", 4000), ("4000", "", 4000), ("0.0.0.0:0", "0.0.0.0", 0), ("[::]:7", "::", 7)],
)
def test_listening_address(text, host, port):
    assert address.parse(text, listen=True) == (host, port)


def test_listening_address_without_a_port():
    with pytest.raises(ValueError, match=r"write it as 0\.0\.0\.0:4000"):
        address.parse("0.0.0.0", listen=True)


def flags_of(*arguments, **env):
    """What a verb would give the library for these arguments."""
    seen = {}

    @click.command()
    @options.kcp_flags
    def verb(**flags):
        seen.update(flags)

    verb.main(args=list(arguments), standalone_mode=False)
    return {name: value for name, value in seen.items() if value is not None}


def test_flags_not_given_are_left_to_the_library(monkeypatch):
    monkeypatch.delenv("KCP_KEY", raising=False)
    assert flags_of() == {}


def test_flags_have_kcptuns_names(monkeypatch):
    monkeypatch.delenv("KCP_KEY", raising=False)
    numbers = (
        "mtu",
        "sndwnd",
        "rcvwnd",
        "datashard",
        "parityshard",
        "nodelay",
        "interval",
        "resend",
        "nc",
        "dscp",
    )
    words = ("key", "crypt", "mode")
    arguments = [f"--{name}=1" for name in numbers] + [f"--{name}=x" for name in words]
    expected = {**dict.fromkeys(numbers, 1), **dict.fromkeys(words, "x"), "acknodelay": True}
    assert flags_of(*arguments, "--acknodelay") == expected
    assert flags_of("--ratelimit", "5") == {"rate_limit": 5}
    assert flags_of("--keepalive", "2.5") == {"keepalive": 2.5}
    assert options.make_config({"keepalive": 2.5}).keepalive_ms == 2500  # kcptun's unit is seconds
    assert flags_of("--ds", "10", "--ps", "3") == {"datashard": 10, "parityshard": 3}


def test_key_from_the_environment(monkeypatch):
    monkeypatch.setenv("KCP_KEY", "from there")
    assert flags_of() == {"key": "from there"}
    assert flags_of("--key", "from here") == {"key": "from here"}


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        ((), "Which verb"),
        (("fly",), "fly"),
        (("echo", "--fly"), "--fly"),
        (("send", __file__), "Missing argument"),
        (("send", __file__, "10.0.0.2"), "10.0.0.2:4000"),
        (("send", "no such file", "10.0.0.2:1"), "does not exist"),
        (("recv", "--listen", "::1:5"), "[::1]:4000"),
        (("recv", "-o", "no/such/folder/file"), "no/such/folder"),
        (("cat", "10.0.0.2"), "10.0.0.2:4000"),
        (("echo", "--crypt", "rot13"), "rot13"),
        (("echo", "--mode", "slow"), "slow"),
        (("echo", "--mtu", "9"), "mtu"),
        (("echo", "--dscp", "64"), "0..63"),
        (("echo", "--ratelimit", "-1"), "bytes per second"),
        (("send", __file__, "[::1]:1", "--timeout", "0"), "--timeout"),
    ],
)
def test_usage_errors_are_a_sentence_and_code_2(arguments, hint):
    code, out, notes = kcp(*arguments)
    assert (code, out) == (2, b"")
    assert one_sentence(notes), notes
    assert hint in notes[0]
    assert "--help'" in notes[0]


def test_a_cipher_without_a_key_is_refused():
    code, _out, notes = kcp("echo", "--listen", "127.0.0.1:0", "--crypt", "aes-128")
    assert code == 2 and "needs a --key (or KCP_KEY)" in notes[0]


def test_every_cipher_takes_a_passphrase(capsys):
    from kcp.crypt import NAMES, key_for

    for name in NAMES:
        config = options.make_config({"crypt": name, "key": "it's a secret", "mtu": None})
        assert config.crypt == name
        assert (key_for(name, config.key) is None) == (name in ("null", "none"))
    assert capsys.readouterr().err.count("nothing is encrypted") == 2


@pytest.mark.parametrize("flags", [("--datashard", "10"), ("--ps", "3"), ("--crypt", "rot13")])
def test_what_the_library_refuses_is_refused_in_its_words(flags):
    """Half a ratio of FEC would be silently without effect, which is worse than none."""
    from kcp import Config

    names = {"--datashard": "datashard", "--ps": "parityshard", "--crypt": "crypt"}
    value = int(flags[1]) if flags[1].isdigit() else flags[1]
    with pytest.raises(ValueError) as caught:
        Config(**{names[flags[0]]: value})
    code, _out, notes = kcp("echo", "--listen", "127.0.0.1:0", *flags)
    assert code == 2
    assert str(caught.value) in notes[0]


@pytest.mark.parametrize("verb", [(), ("send",), ("recv",), ("echo",), ("cat",)])
def test_help(verb):
    code, out, notes = kcp(*verb, "--help")
    assert (code, notes) == (0, [])
    assert b"Usage: kcp" in out


def test_version():
    code, out, _notes = kcp("--version")
    assert code == 0
    assert out.startswith(b"microkcp 0.")


def test_without_the_command_line_one_sentence_says_what_to_install():
    lib = environment()["PYTHONPATH"].split(":")[0]
    done = subprocess.run(
        [sys.executable, "-S", "-m", "kcp", "--help"],
        env=environment(PYTHONPATH=lib),
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        timeout=20,
    )
    assert done.returncode == 1
    assert "pip install 'microkcp[cli]'" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["a.bin", "Zürich 2.txt", "a" * 255, "x..y", "-o"])
def test_plain_names_are_accepted(name):
    assert files.check_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "", ".", "..", "../a", "a/b", "/etc/passwd", "a\\b", "..\\a", "C:a", ".bashrc", "a\n",
        "a\0b", "\x1b[2J", " a", "a ", "a" * 256, "ü" * 128, "\ud800", "a:b", "con|x",
    ],
)  # fmt: skip
def test_other_names_are_refused(name):
    with pytest.raises(Failure, match="is refused"):
        files.check_name(name)


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"kcp": "file/2", "name": "a", "size": 1},
        {"kcp": "file/1", "name": 5, "size": 1},
        {"kcp": "file/1", "name": "a", "size": -1},
        {"kcp": "file/1", "name": "a", "size": True},
        {"kcp": "file/1", "name": "a", "size": 1.5},
        {"kcp": "file/1", "name": "a", "size": 1 << 60},
    ],
)
def test_headers_that_are_none(header):
    with pytest.raises(Failure, match="does not speak this protocol"):
        files.check_header(header)


def test_text_from_the_network_cannot_drive_a_terminal():
    assert files.printable("a\x1b[31m\r\nb") == "a?[31m??b"
    assert len(files.printable("x" * 10000)) < 400


def test_the_defaults_that_help_states_are_the_librarys():
    config = Config()
    n_stated = 0
    for flag, settings in options._FLAGS.items():
        stated = re.search(r"\[default: (\w+)", settings["help"])
        if stated:
            name = options._NAMES.get(flag, flag[2:])
            value = getattr(config, {"keepalive": "keepalive_ms"}.get(name, name))
            words = {"pacing": "pacing" if value else "no", "fec": value or "off"}
            assert stated[1] == words.get(name, str(value))
            n_stated += 1
    assert n_stated > 8


def test_help_has_three_parts_and_every_preset():
    code, out, _notes = kcp("send", "--help")
    assert code == 0
    text = out.decode()
    places = [text.index(word) for word in ("--name", "--preset", "--mtu", "Output:", "--json")]
    assert places == sorted(places)
    words = set(re.findall(r"\w+", text))
    assert set(PRESETS) | set(cc.NAMES) <= words


@pytest.mark.parametrize(
    ("text", "value"), [("auto", "auto"), ("off", (0, 0)), ("10/3", (10, 3)), ("2/1", (2, 1))]
)
def test_fec(text, value):
    found = options.FecType().convert(text, None, None)
    assert found == value
    Config(preset="satellite", fec=found)


@pytest.mark.parametrize("text", ["", "10", "10/", "/3", "a/b", "10:3", "-1/2"])
def test_fec_that_is_none(text):
    with pytest.raises(click.UsageError, match="10/3"):
        options.FecType().convert(text, None, None)


def test_fec_of_a_preset_can_be_turned_off():
    config = options.make_config({"preset": "satellite", "fec": (0, 0)})
    assert (config.datashard, config.parityshard) == (0, 0)
