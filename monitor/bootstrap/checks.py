"""What keeps a service from starting, beside its rules and keys; `redpost check-config` asks the same."""

import os
import socket
from ipaddress import ip_address
from pathlib import Path

from monitor.domain.errors import ConfigError
from monitor.settings import Settings

_PARTS = ("store.db", "log.db", "archive", "keys", "models", "cache")


def check_folder(folder: Path) -> None:
    """Raises ConfigError where the data folder can be neither made nor written. Changes nothing."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not there.is_dir():
        raise ConfigError(f"the data folder {folder} can't be made: {there} is no folder", hint="name another data.dir")
    if not os.access(there, os.W_OK | os.X_OK):
        raise ConfigError(f"{there} may not be written by this user", hint="change its owner or its mode")
    closed = [name for name in _PARTS
              if (folder / name).exists() and not os.access(folder / name, os.R_OK | os.W_OK)]
    if closed:
        raise ConfigError(f"{', '.join(closed)} in {folder} may not be written by this user", hint="change the owner")


def is_open(settings: Settings) -> bool:
    """Whether programs of this machine, and only they, reach the service, and need no token."""
    return _is_loopback(settings.http.host) and not settings.http.require_token


def check_address(settings: Settings) -> None:
    """Raises ConfigError where the address is taken, or is none of this machine."""
    host, port = settings.http.host, settings.http.port
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, kind, protocol, _, address in found:
            with socket.socket(family, kind, protocol) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                probe.bind(address)
    except OSError as error:
        raise cannot_listen(settings, error) from error


def cannot_listen(settings: Settings, error: OSError) -> ConfigError:
    known = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
    return ConfigError(f"can't listen on {settings.http.host}:{settings.http.port}: {known}",
                       hint="choose another http.port or http.host, or stop what listens there")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
