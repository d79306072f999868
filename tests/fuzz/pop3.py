"""Any octets lead the server's end of POP3 through its states without an exception.

What it says are status lines and texts that end with a dot; no message is asked for before a login,
nor one that is marked as deleted. The octet 0xFF stands for a pause.
"""

from __future__ import annotations

__all__ = ["CORPUS", "target"]

from hongyan.wire.pop3.events import AuthResponse, AuthStart, Leave, Login, Retrieve
from hongyan.wire.pop3.maildrop import Maildrop
from hongyan.wire.pop3.offer import Offer
from hongyan.wire.pop3.server import ServerConnection

_OFFER = Offer(starttls=True, mechanisms=("PLAIN",), login_without_tls=True)

CORPUS: list[bytes] = [
    b"USER ann\r\nPASS x\r\nSTAT\r\nLIST\r\nUIDL 1\r\nRETR 1\r\nDELE 1\r\nTOP 2 1\r\nRSET\r\nQUIT\r\n",
    b"CAPA\r\nAUTH PLAIN\r\n\xffAGEAYg==\r\n\xffRETR 2\r\nNOOP\r\nDELE 2\r\nRETR 2\r\n",
    b"STLS\r\nUSER evil\r\n\xffUSER ann\r\nPASS x\r\nTOP 1 0\r\n",
    b"AUTH\r\nAUTH PLAIN =\r\nAUTH PLAIN AGEAYg==\r\nLIST 3\r\n",
    b"USER ann\r\nPASS x\r\nRETR 1\nRETR 2\r\n",
    b"LANG zh\r\nUSER ann\r\nXX\r\nPASS x\r\nTOP 1 99999999\r\nLANG\r\nQUIT\r\n",
]
_MESSAGES = (b"a: b\r\n\r\n.dot\r\n..\r\n", b"\n\rbare\r", b"")


def target(octets: bytes) -> None:
    connection = ServerConnection(_OFFER)
    connection.greet()
    deleted: set[int] = set()
    said = b""
    for chunk in octets.split(b"\xff"):
        connection.receive_data(chunk)
        for event in connection.events():
            match event:
                case Login() | AuthResponse():
                    connection.open(Maildrop([len(message) for message in _MESSAGES], ["a", "b", "c"]))
                case AuthStart():
                    connection.challenge(b"")
                case Retrieve(number):
                    assert connection.authenticated
                    assert 1 <= number <= 3
                    connection.begin_message()
                    for position in range(0, len(_MESSAGES[number - 1]), 3):
                        connection.message(_MESSAGES[number - 1][position : position + 3])
                    connection.end_message()
                case Leave(deleted=numbers):
                    assert connection.authenticated
                    deleted = set(numbers)
                    connection.accept()
        said += connection.data_to_send()
        if connection.starttls:
            connection.tls_started()
            assert not connection.buffered
    assert deleted <= {1, 2, 3}
    assert said.endswith(b"\r\n")
    alone = said.replace(b"\r\n", b"")
    assert b"\r" not in alone
    assert b"\n" not in alone
