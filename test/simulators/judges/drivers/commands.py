"""A client that is a program: run once as its arguments say or, without any, one command after the other as JSON-RPC asks.

Importing such a client takes a second or two, and a test gives twenty commands. So it is imported once; each command runs in a
fork of that process, to its ordinary end, and knows nothing of those before it.
"""

import json
import os
import sys
import tempfile


def run(program, main):
    """`program`: what it is called. `main`: its entry point, which gives back an exit status or exits itself."""
    arguments = sys.argv[1:] or _next_command()
    sys.argv = [program, *arguments]
    sys.exit(main())


def _next_command():
    """Gives back arguments in the fork for each command; the process itself ends with its standard input."""
    answers = os.fdopen(os.dup(1), "w")
    for line in sys.stdin:
        asked = json.loads(line)
        with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as complained:
            pid = os.fork()
            if pid == 0:
                os.dup2(said.fileno(), 1)
                os.dup2(complained.fileno(), 2)
                sys.stdin = open(os.devnull)
                os.dup2(sys.stdin.fileno(), 0)
                return asked["params"]["args"]
            status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            result = {"code": status, "stdout": _all_of(said), "stderr": _all_of(complained)}
        print(json.dumps({"id": asked["id"], "result": result}), file=answers, flush=True)
    sys.exit()


def _all_of(file):
    file.seek(0)
    return file.read().decode()
