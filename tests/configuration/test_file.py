"""A configuration file is read, or refused with all that is wrong in it: where, and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from hongyan.config import Config, Service
from hongyan.configuration.file import ConfigurationFaults, find_doubts_in, load_config, read_config
from hongyan.configuration.places import VARIABLE, find_data, find_file
from hongyan.errors import ConfigurationError
from hongyan.queue.security import TlsPolicy

FILE = Path("/etc/geese/hongyan.toml")
CERTIFICATE = '[[certificates]]\nchain = "c.pem"\nkey = "k.pem"\n'


def read(text: str) -> Config:
    return read_config(text, FILE)


def faults(text: str) -> list[tuple[int, str]]:
    with pytest.raises(ConfigurationFaults) as caught:
        read(text)
    assert all(fault.file == str(FILE) for fault in caught.value.faults)
    return [(fault.line, fault.sentence) for fault in caught.value.faults]


def test_an_empty_file_means_every_default() -> None:
    config = read("")
    assert config.server.data == "/etc/geese/var/data"
    assert config.limits == Config().limits


def test_what_is_set_is_set_and_all_else_keeps_its_default_also_within_a_section() -> None:
    config = read(
        f"""{CERTIFICATE}
[server]
hostname = "mail.geese.test"
drain = 5
[listen.imaps]
port = 2993
[admission.imap]
connections = 7
[log]
areas = {{ imap = "debug" }}
[schedule]
pauses = [1, 2]
[route]
smart_host_tls = "verified"
"""
    )
    assert config.server.drain == 5.0
    assert isinstance(config.server.drain, float)
    assert config.listen["imaps"].port == 2993
    assert (config.admission.imap.connections, config.admission.imap.new_per_minute) == (7, 50)
    assert config.log.areas == {"imap": "debug"}
    assert config.schedule.pauses == (1, 2)
    assert config.route.smart_host_tls is TlsPolicy.VERIFIED


def test_relative_paths_start_at_the_file(tmp_path: Path) -> None:
    config = read(f'{CERTIFICATE}[server]\ndata = "../data"\n')
    assert config.server.data == "/etc/geese/../data"
    assert config.certificates[0].chain == "/etc/geese/c.pem"
    assert read('[server]\ndata = "/srv/mail"\n').server.data == "/srv/mail"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('\n[server]\nhostnme = "x"\n', 3, 'Did you mean "hostname"?'),
        ("[serber]\n", 1, 'Did you mean "server"?'),
        ("[listen.imapz]\n", 1, 'Did you mean "imap"?'),
        ("[queue]\nmax_message = 1\n", 2, '"smtp.max_message"'),
        ("[server]\nzzz = 1\n", 2, "Here may stand: hostname, data, user, drain."),
        ("[server]\nhostname = 3\n", 2, "server.hostname is a text, and not the number 3."),
        ("[queue]\nbatch = true\n", 2, "a whole number, and not true"),
        ('[limits]\nenabled = "yes"\n', 2, 'true or false, and not the text "yes"'),
        ('[listen.smtp]\nhosts = "::"\n', 2, "a list, each element a text"),
        ("[listen.smtp]\nhosts = [\n 1]\n", 3, "listen.smtp.hosts[0] is a text"),
        ("server = 1\n", 1, "server is a table"),
        ('[log]\nlevel = "loud"\n', 2, 'one of "debug", "info", "warning", "error"'),
        ('[route]\nsmart_host_tls = "maybe"\n', 2, 'one of "never", "opportunistic"'),
        ("[queue]\n\nbatch = 0\n", 3, "limits of the queue are 1 or more"),
        ('[server]\nhostname = "no name"\n', 2, "server: "),
        ('[database]\nengine = "postgres"\n', 2, "postgres needs it"),
        ('[[certificates]]\nchain = "a"\n', 2, "certificates[0]: a certificate needs both"),
        ('[dns]\nservers = ["nonsense"]\n', 2, "is not the address of a DNS server"),
        ("[listen.imaps]\n", 1, "imaps begins with TLS and there is no certificate. Add [[certificates]]."),
        ("[listen.pop3]\n", 1, "Nobody can log in to pop3"),
        (f"{CERTIFICATE}[listen.imap]\n[listen.imaps]\nport = 143\n", 5, "both listen on port 143"),
        (f'{CERTIFICATE}[listen.smtp]\ntls = "modern"\n', 5, "On port 25 TLS 1.3 cannot be asked for"),
        ("x = \n", 1, "This is not TOML: Invalid value."),
        ("x = 1\ny = [1,\n", 3, "This is not TOML"),
        ("[a]\n[a]\n", 2, "This is not TOML"),
    ],
)
def test_what_is_wrong_is_told_with_its_line_and_remedy(text: str, line: int, words: str) -> None:
    found = faults(text)
    assert [at for at, _ in found] == [line]
    assert words in found[0][1]


def test_all_that_is_wrong_is_told_at_once_in_order() -> None:
    found = faults('[queue]\nbatch = "x"\nlese = 1\n[server]\ndata = 1\n')
    assert [line for line, _ in found] == [2, 3, 5]


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none\.toml cannot be read: No such file"):
        load_config(tmp_path / "none.toml")
    latin = tmp_path / "latin.toml"
    latin.write_bytes(b"# caf\n# caf\xe9\n")
    with pytest.raises(ConfigurationFaults, match=r"latin\.toml:2: This is not UTF-8"):
        load_config(latin)


def test_what_gives_pause_is_no_fault(tmp_path: Path) -> None:
    file = tmp_path / "hongyan.toml"
    file.write_text(f"{CERTIFICATE}[listen.imaps]\n[limits]\nenabled = false\n")
    doubts = [doubt.sentence for doubt in find_doubts_in(file)]
    assert any("Other servers do not find" in doubt for doubt in doubts)
    assert any("No mail comes in" in doubt for doubt in doubts)
    assert any("not limited" in doubt for doubt in doubts)


def test_the_file_is_the_one_that_is_named_or_that_of_the_environment_or_of_the_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(VARIABLE, raising=False)
    assert find_file() in (None, Path("/etc/hongyan/hongyan.toml"))
    (tmp_path / "hongyan.toml").write_text('[server]\ndata = "mail"\n')
    assert find_file() == Path("hongyan.toml")
    assert find_data(Path("hongyan.toml")) == tmp_path / "mail"
    monkeypatch.setenv(VARIABLE, "/elsewhere.toml")
    assert find_file() == Path("/elsewhere.toml")
    assert find_file(FILE) == FILE


def test_every_service_can_be_listened_for() -> None:
    services: tuple[Service, ...] = ("smtp", "submission", "submissions", "imap", "imaps", "pop3", "pop3s", "http")
    config = read(CERTIFICATE + "".join(f"[listen.{service}]\n" for service in services))
    assert tuple(config.listen) == services
