"""`hitch` on the command line: the program of this package, on the Node of this environment."""

import os
import subprocess
import sys

from .daemon import Unreachable, program


def main():
    try:
        command = [*program(), *sys.argv[1:]]
    except Unreachable as error:
        sys.exit(f"{error} {error.next}")
    # A daemon that this starts makes practice machines with this environment's Jupyter.
    environment = {"HITCH_PYTHON": sys.executable, **os.environ}
    if sys.platform == "win32":
        sys.exit(subprocess.call(command, env=environment))
    os.execve(command[0], command, environment)
