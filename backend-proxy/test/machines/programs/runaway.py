"""Leaves its parent in every way Unix has: a session of its own, two forks, deaf to SIGTERM; optionally without any
environment. Writes its last pid into the file it is given."""
import os
import signal
import sys
import time

path, mode = sys.argv[1], sys.argv[2]
if mode == "bare" and len(sys.argv) < 4:
    os.execve(sys.executable, [sys.executable, __file__, path, mode, "again"], {})
if os.fork():
    os._exit(0)
os.setsid()
if os.fork():
    os._exit(0)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.signal(signal.SIGHUP, signal.SIG_IGN)
with open(path + ".part", "w") as file:
    file.write(str(os.getpid()))
os.rename(path + ".part", path)
time.sleep(600)
