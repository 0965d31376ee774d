"""Whose a new file is: what root makes in the daemon's folder, the daemon can use.

`sudo gatewayd import` before the first start must not leave a store that the service cannot open.
SQLite does the same for the log and the index beside a store.
"""

import os
from pathlib import Path


def to_the_folder(file: Path) -> None:
    """Give a file that root made to whom its folder belongs; a link is not followed. May raise OSError.

    Nothing happens for anybody else: whoever may write there is the daemon or of its group.
    """
    if os.geteuid() != 0:
        return
    folder = file.parent.stat()
    os.chown(file, folder.st_uid, folder.st_gid, follow_symlinks=False)
