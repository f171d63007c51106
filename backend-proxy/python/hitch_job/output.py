"""What a run of a job prints, from its pipe into numbered files."""

import os
import threading

READ_BYTES = 256 * 1024


def private(path, flags):
    return os.open(path, flags, 0o600)


class Log:
    """Files of a run's output, each named by the number of its first byte. The first and the newest ones are kept."""

    def __init__(self, folder, most_bytes):
        os.makedirs(folder, mode=0o700, exist_ok=True)
        self.folder = folder
        self.most = most_bytes
        self.file_bytes = max(64 * 1024, min(4 * 1024 * 1024, most_bytes // 16))
        self.end = 0
        self.files = []
        self.file = None

    def write(self, data):
        while data:
            try:
                if self.file is None or self.files[-1][1] >= self.file_bytes:
                    self.begin()
                taken = self.file.write(data[: self.file_bytes - self.files[-1][1]])
            except OSError:
                # The disk is full: the job goes on, and what it printed meanwhile is a gap.
                self.end += len(data)
                self.close()
                return
            self.files[-1][1] += taken
            self.end += taken
            data = data[taken:]

    def begin(self):
        self.close()
        while len(self.files) > 2 and sum(size for _, size in self.files) + self.file_bytes > self.most:
            first, _ = self.files[1]
            try:
                os.remove(self.path(first))
            except OSError:
                pass
            del self.files[1]
        self.file = open(self.path(self.end), "wb", buffering=0, opener=private)
        self.files.append([self.end, 0])

    def path(self, first):
        return os.path.join(self.folder, f"{first:016d}.log")

    def close(self):
        if self.file is not None:
            self.file.close()
            self.file = None


class Pump(threading.Thread):
    """From the pipe into the log until all writers have closed it."""

    def __init__(self, reader, log):
        super().__init__(daemon=True)
        self.reader, self.log = reader, log
        self.start()

    def run(self):
        while True:
            try:
                data = os.read(self.reader, READ_BYTES)
            except OSError:
                data = b""
            if not data:
                return
            self.log.write(data)
