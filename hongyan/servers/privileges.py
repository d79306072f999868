"""Root for binding low ports and nothing else."""

from __future__ import annotations

__all__ = ["drop_privileges"]

import grp
import os
import pwd

from hongyan.errors import ConfigurationError


def drop_privileges(user: str, group: str | None = None) -> None:
    """Become `user` for good, with that user's groups. Does nothing unless we are root.

    Raises `ConfigurationError` when there is no such user or group, and when root could be had back.
    """
    if os.geteuid() != 0:
        return
    try:
        account = pwd.getpwnam(user)
        gid = grp.getgrnam(group).gr_gid if group else account.pw_gid
    except KeyError as error:
        raise ConfigurationError(f"there is no user {user!r} or no group {group!r} to run as") from error
    if account.pw_uid == 0:
        raise ConfigurationError(f"the user to run as, {user!r}, is root itself")
    os.initgroups(user, gid)
    os.setresgid(gid, gid, gid)
    os.setresuid(account.pw_uid, account.pw_uid, account.pw_uid)
    os.umask(0o077)
    _require_gone()


def _require_gone() -> None:
    try:
        os.setuid(0)
    except PermissionError:
        return
    raise ConfigurationError("root was dropped and could be had back; not going on")
