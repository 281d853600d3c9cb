"""redpost serve"""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from monitor.cli.options import Config, Data, Rules
from monitor.cli.running import ignore_hangups, settings_of


def serve(
    *,
    data: Data = None,
    host: Annotated[str | None, Parameter(help="Address to listen on. Default: the setting http.host.")] = None,
    port: Annotated[int | None, Parameter(help="Port to listen on; 0 takes a free one and prints it.")] = None,
    rules: Rules = None,
    rooms: Annotated[Path | None, Parameter(help="File that says what rules may know of the rooms.")] = None,
    config: Config = None,
    demo: Annotated[bool, Parameter(help="Let four invented rooms talk in a loop.")] = False,
) -> int:
    """Run the service: take events, judge them, show alerts live. Ctrl+C or SIGTERM stops it, SIGHUP reloads rules.

    Options go before the environment, and that before the file; docs/settings.md lists all settings.

    ```
    redpost serve --demo
    redpost serve --data /var/lib/redpost --config /etc/redpost.toml
    redpost serve --host 0.0.0.0 --rules my-rules --rooms rooms.yml
    ```
    """
    ignore_hangups()
    from monitor.bootstrap import serve as run

    return run(settings_of(config, {
        "data.dir": data, "http.host": host, "http.port": port, "rules.dir": rules, "rules.rooms": rooms,
    }), demo=demo)
