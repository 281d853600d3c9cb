"""redpost backup · restore"""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from monitor.cli.options import Config, Data


def backup(
    target: Annotated[Path, Parameter(name="TARGET_DIR", help="Folder to make; it must not exist.")], /, *,
    data: Data = None, config: Config = None,
) -> int:
    """Copy a data folder, also while the service runs: alerts, log, kept events and pseudonym keys.

    The copy is consistent and complete, or not there at all. It holds the keys that hide viewers' ids: keep it as
    safe as the data folder. A key that lies elsewhere (pseudonym.key_file) is not in it.

    ```
    redpost backup /backup/redpost-2026-11-23 --data /var/lib/redpost
    ```
    """
    from monitor.adapters.clock import SystemClock
    from monitor.adapters.storage.backup import back_up, note
    from monitor.cli.options import data_folder
    from monitor.cli.terminal import counted, safe, tell
    from monitor.domain.errors import StorageError

    folder, now = data_folder(data, config), SystemClock().now()
    manifest = back_up(folder, target, now=now)
    size = sum(file.bytes for file in manifest.files)
    print(f"{counted(len(manifest.files), 'file')}, {size:,} bytes in {safe(str(target))}")
    try:
        note(folder, now=now)
    except StorageError as error:  # the copy is good; that it is there is not seen by who watches the service
        tell(f"warning: {safe(str(error))}, so redpost_backup_last_success_timestamp_seconds stays", style="yellow")
    return 0


def restore(
    source: Annotated[Path, Parameter(name="BACKUP_DIR", help="What `redpost backup` made.")], /, *,
    data: Data = None, config: Config = None,
) -> int:
    """Make a data folder from a backup, after checking every file of it.

    An existing data folder is never overwritten: move it away first, with the service stopped.

    ```
    redpost restore /backup/redpost-2026-11-23 --data /var/lib/redpost
    ```
    """
    from monitor.adapters.bus import logfile
    from monitor.adapters.storage.backup import restore as restored
    from monitor.cli.options import data_folder
    from monitor.cli.terminal import counted, safe

    folder = data_folder(data, config)
    manifest = restored(source, folder, log_format=logfile.FORMAT)
    print(f"{counted(len(manifest.files), 'file')} in {safe(str(folder))}, as of {manifest.made_at}")
    return 0
