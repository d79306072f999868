"""The service that a command speaks to: one that runs, by its control socket, or the data themselves.

When no server runs, the command takes the lock of the data directory and does the same itself, without listeners.
"""

from __future__ import annotations

__all__ = ["find_service", "open_backend"]

import contextlib
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from hongyan.cli.calls import Backend, Document, Progress, make_fault
from hongyan.cli.commands import Where
from hongyan.cli.fault import CommandFault, UsageFault
from hongyan.configuration.places import find_data, find_file

_SOCKET = "control.sock"
_DEVELOPMENT = Path("var/development")


@contextlib.contextmanager
def open_backend(where: Where) -> Iterator[Backend]:
    """Open the service that is meant."""
    file, data = find_service(where)
    connection = None if data is None else _connect(data)
    if connection is not None:
        with connection:
            yield _Remote(connection)
        return
    from hongyan.cli.local import open_local  # here: it imports the whole service, which a running one has done

    with open_local(file, data) as local:
        yield local


def find_service(where: Where) -> tuple[Path | None, Path | None]:
    """Return the configuration file, if there is one, and the data directory, if it is known without reading it all."""
    if where.data is not None:
        return where.config, where.data
    file = find_file(where.config)
    if file is not None:
        return file, find_data(file)
    if _DEVELOPMENT.is_dir():
        return None, _DEVELOPMENT
    raise UsageFault("Which service? Name its configuration with --config, or its data with --data.")


def _connect(data: Path) -> socket.socket | None:
    """Return a connection to the server that runs on the data, if one does."""
    try:
        directory = os.open(data, os.O_RDONLY | os.O_DIRECTORY)
    except PermissionError:
        raise _of_another_user(data) from None
    except OSError:
        return None
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(f"/proc/self/fd/{directory}/{_SOCKET}")  # short enough, wherever the directory is
    except (FileNotFoundError, ConnectionRefusedError):
        connection.close()
        return None
    except PermissionError:
        connection.close()
        raise _of_another_user(data) from None
    finally:
        os.close(directory)
    return connection


def _of_another_user(data: Path) -> CommandFault:
    return CommandFault("refused", f"{data} belongs to another user. Try it as that user or as root.")


class _Remote:
    """A server that runs."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lines = connection.makefile("rb")

    def call(self, method: str, parameters: Document, progress: Progress) -> Document:
        request = json.dumps({"method": method, "parameters": parameters}, ensure_ascii=False)
        self._connection.sendall(request.encode() + b"\n")
        for line in self._lines:
            answer = json.loads(line)
            if "progress" in answer:
                progress(*answer["progress"])
            elif "error" in answer:
                raise make_fault(answer["error"]["kind"], answer["error"]["sentence"])
            else:
                return dict(answer["result"])
        raise CommandFault("gone", "The server has hung up. Its log may say why.")
