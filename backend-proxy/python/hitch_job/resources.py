"""
A job's memory as the system counts it. Where a control group can be made, the job lives in one of its own: only there
is it certain who was killed for want of memory, and only there can a job be held to a limit. Both versions are known:
cgroup v2 (Documentation/admin-guide/cgroup-v2.rst: `memory.events`, `memory.peak`, `memory.max`) and v1
(cgroup-v1/memory.rst: `memory.oom_control`, `memory.max_usage_in_bytes`, `memory.limit_in_bytes`).
"""

import os
import signal
import time

ROOT = "/sys/fs/cgroup"
REMOVED_WITHIN_S = 2


def read(path):
    try:
        with open(path, encoding="ascii") as file:
            return file.read()
    except (OSError, ValueError):
        return ""


def figure(path, name):
    for line in read(path).splitlines():
        key, _, value = line.partition(" ")
        if key == name and value.isdigit():
            return int(value)
    return None


def whole(path):
    text = read(path).strip()
    return int(text) if text.isdigit() else None


def own_groups():
    """This process's groups, by the version that counts memory: (folder, is v2), the nearest first."""
    for line in read("/proc/self/cgroup").splitlines():
        _, controllers, path = (line.split(":", 2) + ["", ""])[:3]
        is_v1 = "memory" in controllers.split(",")
        if not is_v1 and controllers != "":
            continue
        base = os.path.join(ROOT, "memory") if is_v1 else ROOT
        if not is_v1 and not os.path.exists(os.path.join(base, "cgroup.controllers")):
            continue
        folder = os.path.normpath(base + path)
        # In a container the path may be the host's, which cannot be seen: the root is this container's own group then.
        while len(folder) >= len(base):
            if os.path.isdir(folder):
                yield folder, not is_v1
            folder = os.path.dirname(folder)


class Memory:
    """One run's control group, or what stands in for it. `is_held`: a limit is kept."""

    def __init__(self, name, limit_bytes):
        self.folder, self.is_v2, self.is_held = None, False, False
        self.around = None
        for folder, is_v2 in own_groups():
            if self.around is None:
                self.around = (folder, is_v2, kills(folder, is_v2))
            # A group of v2 that hands memory on to its children may hold no process itself: those above may do.
            if is_v2 and "memory" not in read(os.path.join(folder, "cgroup.subtree_control")).split():
                continue
            if self.make(os.path.join(folder, name), is_v2, limit_bytes):
                return

    def make(self, folder, is_v2, limit_bytes):
        try:
            os.mkdir(folder)
        except OSError:
            return False
        try:
            # Whether a process may be moved here shows only when one is.
            if not os.access(os.path.join(folder, "cgroup.procs"), os.W_OK):
                raise OSError("not ours")
            if limit_bytes is not None:
                self.limit(folder, is_v2, limit_bytes)
                self.is_held = True
        except OSError:
            self.is_held = False
            os.rmdir(folder)
            return False
        self.folder, self.is_v2 = folder, is_v2
        return True

    @staticmethod
    def limit(folder, is_v2, limit_bytes):
        names = ("memory.max", "memory.swap.max") if is_v2 else (
            "memory.limit_in_bytes",
            "memory.memsw.limit_in_bytes",
        )
        for at, name in enumerate(names):
            try:
                with open(os.path.join(folder, name), "w", encoding="ascii") as file:
                    file.write("0" if name == "memory.swap.max" else str(limit_bytes))
            except OSError:
                # Swap is not counted everywhere.
                if at == 0:
                    raise

    def join(self):
        """Called in the job's process before its program begins."""
        if self.folder is not None:
            try:
                with open(os.path.join(self.folder, "cgroup.procs"), "w", encoding="ascii") as file:
                    file.write("0")
            except OSError:
                if self.is_held:
                    raise

    def members(self):
        return [] if self.folder is None else [
            int(pid) for pid in read(os.path.join(self.folder, "cgroup.procs")).split()
        ]

    def close(self):
        """@returns the most memory at once in bytes (None: not known) and whether anything was killed for want of it."""
        if self.folder is None:
            if self.around is None:
                return None, None
            folder, is_v2, before = self.around
            after = kills(folder, is_v2)
            return None, None if before is None or after is None else after > before
        peak = whole(os.path.join(self.folder, "memory.peak" if self.is_v2 else "memory.max_usage_in_bytes"))
        killed = kills(self.folder, self.is_v2)
        deadline = time.monotonic() + REMOVED_WITHIN_S
        while time.monotonic() < deadline:
            try:
                os.rmdir(self.folder)
                break
            except OSError:
                time.sleep(0.05)
        return peak or None, bool(killed)


def kills(folder, is_v2):
    name = "memory.events" if is_v2 else "memory.oom_control"
    return figure(os.path.join(folder, name), "oom_kill")


def outcome_of_memory(code, was_killed):
    """
    A program that was itself killed for it, or that ended because one of its processes was. Code 137 is how a shell
    says that its command was killed.
    """
    by_kill = code in (-getattr(signal, "SIGKILL", 9), 137)
    return "memory" if was_killed and (by_kill or code != 0) else None
