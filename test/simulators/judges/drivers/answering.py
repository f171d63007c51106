"""A library as tests ask it: JSON-RPC, a line each way, until standard input ends."""

import json
import sys


def answer(calls):
    """`calls`: what can be asked, by name; each takes the parameters by their names and gives back JSON."""
    answers, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            said = {"result": calls[asked["method"]](**asked["params"])}
        except Exception as error:  # a library's refusal, of whatever kind, is its answer
            said = {"error": {"message": f"{type(error).__name__}: {error}"}}
        print(json.dumps({"id": asked["id"], **said}), file=answers, flush=True)
