"""
Keeps the newest checkpoint of a job in a bucket, from the machine that the job runs on, by addresses that were signed for it:
no key is on this machine, and nobody has to be awake elsewhere. What counts is complete: a file or folder that nobody has changed
for ten seconds. Two places are written in turn, each whole before the other is touched, the list of it last.

    python keep.py addresses.json

`addresses.json`: folder, pieceBytes, places: [{manifest, pieces: [address, …]}, …], problem. It is read again in each round.
"""

import hashlib
import json
import os
import sys
import time
import urllib.request

QUIET_S = 10.0
LOOK_S = 2.0
ANSWER_S = 300.0
CHUNK = 1024 * 1024


def look(folder):
    """Size and time of each file, by the entry of the folder that it is in and its path from the folder on."""
    entries = {}
    for above, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not os.path.islink(os.path.join(above, name))]
        for name in files:
            path = os.path.join(above, name)
            relative = os.path.relpath(path, folder).replace(os.sep, "/")
            try:
                stat = os.lstat(path)
            except OSError:
                continue
            if not os.path.islink(path):
                entries.setdefault(relative.split("/")[0], {})[relative] = (stat.st_size, stat.st_mtime_ns)
    return entries


class Content:
    """The bytes of all files, one after the other, so many from a place on: what one address is given."""

    def __init__(self, folder, files, start, length):
        self.folder, self.files, self.start, self.left = folder, files, start, length
        self.digest = hashlib.sha256()

    def read(self, most=CHUNK):
        want = min(CHUNK if most is None or most < 0 else most, self.left)
        at = 0
        for path, (size, _) in self.files:
            if want > 0 and self.start < at + size:
                with open(os.path.join(self.folder, path), "rb") as file:
                    file.seek(self.start - at)
                    data = file.read(min(want, at + size - self.start))
                if not data:
                    raise OSError(path + " became shorter while it was read")
                self.start += len(data)
                self.left -= len(data)
                self.digest.update(data)
                return data
            at += size
        return b""


def put(address, body, length):
    request = urllib.request.Request(address, data=body, method="PUT")
    request.add_header("Content-Length", str(length))
    request.add_header("Content-Type", "application/octet-stream")
    with urllib.request.urlopen(request, timeout=ANSWER_S) as answer:
        answer.read()


def put_json(address, value):
    data = json.dumps(value).encode()
    put(address, data, len(data))


def keep(addresses, place, entries):
    """Writes all of them as one checkpoint. Returns whether nothing of it changed meanwhile."""
    folder, piece_bytes = addresses["folder"], addresses["pieceBytes"]
    files = sorted((path, seen) for inside in entries.values() for path, seen in inside.items())
    total = sum(size for _, (size, _) in files)
    count = (total + piece_bytes - 1) // piece_bytes
    if count > len(place["pieces"]):
        most = piece_bytes * len(place["pieces"])
        raise ValueError("The checkpoint has %d bytes, and no more than %d are kept in the bucket." % (total, most))
    pieces = []
    for number in range(count):
        length = min(piece_bytes, total - number * piece_bytes)
        content = Content(folder, files, number * piece_bytes, length)
        put(place["pieces"][number], content, length)
        pieces.append({"bytes": length, "sha256": content.digest.hexdigest()})
    now = look(folder)
    if any(now.get(name, inside) != inside for name, inside in entries.items()):
        return False
    newest = max(entries, key=lambda name: (max(seen[1] for seen in entries[name].values()), len(name), name))
    put_json(
        place["manifest"],
        {
            "format": "hitch-checkpoint/1",
            "name": newest,
            "writtenAtMs": max(seen[1] for _, seen in files) // 1000000,
            "keptAtMs": int(time.time() * 1000),
            "pieces": pieces,
            "files": [
                {"path": path, "bytes": size, "modifiedAtMs": mtime // 1000000} for path, (size, mtime) in files
            ],
        },
    )
    return True


def main(path):
    since, kept, turn, said = {}, None, 0, None
    while True:
        with open(path) as file:
            addresses = json.load(file)
        now = time.monotonic()
        entries = look(addresses["folder"])
        since = {
            name: since[name] if name in since and since[name][0] == inside else (inside, now)
            for name, inside in entries.items()
        }
        quiet = {name: inside for name, (inside, began) in since.items() if now - began >= QUIET_S}
        problem = None
        if quiet and quiet != kept:
            try:
                if keep(addresses, addresses["places"][turn], quiet):
                    kept, turn = quiet, 1 - turn
                    print("kept", ", ".join(sorted(quiet)), flush=True)
            except (OSError, ValueError) as error:
                # An address would be an invitation to whoever reads this.
                problem = str(error).split("http")[0].strip()
                print("not kept:", problem, flush=True)
        if problem != said:
            said = problem
            try:
                put_json(addresses["problem"], {"message": problem or ""})
            except OSError:
                said = None
        time.sleep(LOOK_S)


if __name__ == "__main__":
    main(sys.argv[1])
