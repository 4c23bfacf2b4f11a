"""Locks and fragments that dead processes left behind: such locks would be waited for without end."""

import errno
import fcntl
import os
import time

STALE_LOCK_SECONDS = 600
STALE_FRAGMENT_SECONDS = 86_400


def remove_leftovers(locks, blobs):
    """Removes what is old and nobody holds; returns how much that was."""
    now, removed = time.time(), 0
    for folder, suffix, age in (
        (locks, ".lock", STALE_LOCK_SECONDS),
        (blobs, ".incomplete", STALE_FRAGMENT_SECONDS),
    ):
        if not os.path.isdir(folder):
            continue
        for name in os.listdir(folder):
            path = os.path.join(folder, name)
            # Ours are gone on with.
            if not name.endswith(suffix) or name.endswith(".dynamo-eks.incomplete"):
                continue
            try:
                if now - os.path.getmtime(path) > age and not held(path):
                    os.remove(path)
                    removed += 1
            except FileNotFoundError:
                pass
    return removed


def held(path):
    """Whether a living process has the lock."""
    with open(path, "rb+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return False
        except OSError as error:
            return error.errno in (errno.EAGAIN, errno.EACCES)
