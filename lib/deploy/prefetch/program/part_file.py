"""A file of a model on its way: what is known of it, and its open, growing part."""

import errno
import fcntl
import hashlib
import os


class File:
    """A file of the model, and how much of it is there."""

    def __init__(self, sibling):
        lfs = sibling.lfs
        self.name = sibling.rfilename
        self.size = sibling.size
        self.sha256 = None if lfs is None else lfs["sha256"] if isinstance(lfs, dict) else lfs.sha256
        # Blobs of the cache are named by the ETag: SHA-256 of large files, git's SHA-1 of small.
        self.blob = self.sha256 or sibling.blob_id
        self.have = 0

    def hasher(self):
        if self.sha256 is not None:
            return hashlib.sha256()
        return hashlib.sha1(b"blob %d\0" % self.size)


class Part:
    """The open file of a download: hashes what is written, and counts it."""

    def __init__(self, file, path):
        self.file = file
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        self.raw = os.fdopen(descriptor, "r+b", buffering=0)
        try:
            fcntl.flock(self.raw, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EAGAIN, errno.EACCES):
                self.raw.close()
                raise OSError(errno.EBUSY, f"another process downloads {file.name}") from None
            # A file system without locks: the checksum is what counts.
        self.restart(os.fstat(descriptor).st_size)

    def restart(self, size):
        self.hash = self.file.hasher()
        if size > self.file.size:
            size = 0
        self.raw.seek(0)
        self.raw.truncate(size)
        left = size
        while left > 0:
            piece = self.raw.read(min(left, 1 << 22))
            if not piece:
                break
            self.hash.update(piece)
            left -= len(piece)
        self.file.have = self.raw.tell()

    # What the library calls:
    def write(self, data):
        view = memoryview(data)
        self.hash.update(view)
        while view:
            view = view[self.raw.write(view):]
        self.file.have = self.raw.tell()

    def tell(self):
        return self.raw.tell()

    def seek(self, position, whence=0):
        return self.raw.seek(position, whence)

    def truncate(self):
        # It begins again, as the server did not go on where it was asked to.
        self.restart(self.raw.tell())

    def flush(self):
        self.raw.flush()

    def close(self):
        self.raw.close()
