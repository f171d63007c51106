"""
Runs a program on several nodes of a cluster at once, as one job, until all of them have ended or one has failed.

    python nodes.py --nodes N --grace-s S [--torchrun] [--processes K] -- program argument…

This is the job's first process, on the head: its output is the job's log, its exit code the job's. What runs on the nodes is
started through Ray, which every cluster of several machines has, so that it goes on while the computer of its user sleeps. On
each node an actor holds the node's GPUs, as any other work of Ray's would, and starts the program there:

- with `--torchrun` as `python -m torch.distributed.run` of the node's own environment, with the rendezvous on the head and the
  ranks by node, the head's first;
- otherwise as it stands, once on each node, with what torch's `env://` reads: MASTER_ADDR, MASTER_PORT, RANK, WORLD_SIZE.

The first node whose program fails, or that is gone, is the cause: the others are asked to end, then ended, and the job's
message says which it was. With one node there is no Ray in it.
"""

import argparse
import io
import os
import signal
import socket
import sys
import tarfile
import threading
import time

import one_node

#: The job's folder goes to the other nodes as a whole; data is to be where every node reads it.
MOST_COPIED_BYTES = 256 * 1024 * 1024
#: Nodes may still join when the job begins.
NODES_WITHIN_S = 900
SAY_AGAIN_S = 30
LONGEST_LINE = 64 * 1024
#: Of Ray's block of ports on the head, those that Ray itself does not use (agent/ray/ports.ts).
RENDEZVOUS_OFFSETS = range(11, 20)
UNAVAILABLE_S = 60


class Failure(Exception):
    """Why the job comes to nothing, as a sentence."""


class Here:
    """The one node of a job without Ray."""

    address = "127.0.0.1"

    def __init__(self):
        self.node = one_node.OneNode()
        self.gpus = 1 if os.path.exists("/dev/nvidia0") else 0

    def call(self, name, *arguments):
        return getattr(self.node, name)(*arguments)


class There:
    """A node of the cluster, by its actor."""

    def __init__(self, ray, node):
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        self.ray, self.address = ray, node["NodeManagerAddress"]
        self.gpus = int(node["Resources"].get("GPU", 0))
        where = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
        options = {"num_cpus": 0, "num_gpus": self.gpus, "max_concurrency": 4, "max_restarts": 0}
        self.actor = ray.remote(one_node.OneNode).options(scheduling_strategy=where, **options).remote()

    def wait(self, rank):
        asked = self.actor.ready.remote()
        while not self.ray.wait([asked], timeout=SAY_AGAIN_S)[0]:
            what = "its GPUs, which other work of Ray’s has" if self.gpus else "Ray to start on it"
            say(f"Node {rank + 1} ({self.address}): waiting for {what}.")
        self.ray.get(asked)

    def call(self, name, *arguments):
        # One that cannot be reached for a moment may be there again; Ray says when it is gone.
        until = time.monotonic() + UNAVAILABLE_S
        while True:
            try:
                return self.ray.get(getattr(self.actor, name).remote(*arguments))
            except self.ray.exceptions.ActorUnavailableError:
                if time.monotonic() > until:
                    raise
                time.sleep(1)


class Output:
    """Lines of all nodes, each whole and with its node before it; torchrun names the rank itself."""

    def __init__(self):
        self.lock, self.rests = threading.Lock(), {}

    def write(self, rank, data, ended=False):
        *lines, rest = (self.rests.get(rank, b"") + data).split(b"\n")
        if rest and (ended or len(rest) > LONGEST_LINE):
            lines, rest = [*lines, rest], b""
        self.rests[rank] = rest
        prefix = f"[node {rank + 1}] ".encode()
        text = b"".join((line if line.startswith(b"[rank ") else prefix + line) + b"\n" for line in lines)
        with self.lock:
            sys.stdout.buffer.write(text)
            sys.stdout.buffer.flush()


def say(sentence):
    print(sentence, flush=True)


def connect(count):
    """@returns the nodes, the head first, and where they meet."""
    if count == 1:
        return [Here()], "127.0.0.1", free_port("127.0.0.1", range(29400, 29500))
    try:
        import ray
    except ImportError:
        raise Failure("This cluster has no Ray, by which programs are started on its other nodes.") from None
    ray.init(log_to_driver=False, logging_level="error")
    # Other nodes do not have its file.
    ray.cloudpickle.register_pickle_by_value(one_node)
    own = ray.get_runtime_context().get_node_id()
    until, said = time.monotonic() + NODES_WITHIN_S, 0.0
    while True:
        alive = [node for node in ray.nodes() if node["Alive"]]
        if len(alive) >= count:
            break
        if time.monotonic() > until:
            raise Failure(f"The job wants {count} nodes; after {NODES_WITHIN_S // 60} minutes {len(alive)} are there.")
        if time.monotonic() > said + SAY_AGAIN_S:
            say(f"Waiting for {count} nodes; {len(alive)} of them are there.")
            said = time.monotonic()
        time.sleep(1)
    alive.sort(key=lambda node: (node["NodeID"] != own, node["NodeManagerAddress"], node["NodeID"]))
    nodes = [There(ray, node) for node in alive[:count]]
    for rank, node in enumerate(nodes):
        node.wait(rank)
    address = nodes[0].address
    base = int(os.environ["RAY_ADDRESS"].rpartition(":")[2])
    return nodes, address, free_port(address, [base + offset for offset in RENDEZVOUS_OFFSETS])


def free_port(address, ports):
    for port in ports:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
                return port
            except OSError:
                pass
    raise Failure("No port for the nodes to meet at is free on the head: end another job of several nodes first.")


def packed(place):
    """The folder as one archive. @raises Failure where it is too large."""
    size, target = 0, io.BytesIO()

    def counted(entry):
        nonlocal size
        size += entry.size
        if size > MOST_COPIED_BYTES:
            raise Failure(
                f"The job’s folder has more than {MOST_COPIED_BYTES // 1024 // 1024} MB, which is the most that goes to the "
                "other nodes: keep data and results elsewhere."
            )
        return entry if entry.isfile() or entry.isdir() or entry.issym() else None

    with tarfile.open(fileobj=target, mode="w") as archive:
        archive.add(place, arcname=".", filter=counted)
    return target.getvalue()


def share(nodes, folder):
    if folder == ".":
        if len(nodes) > 1:
            say("The job has no folder of its own: nothing is copied to the other nodes.")
        return
    data = packed(os.getcwd()) if len(nodes) > 1 else b""
    for node in nodes[1:]:
        node.call("unpack", data, folder)


def command_for(rank, nodes, arguments, address, port):
    if not arguments.torchrun:
        return arguments.program
    processes = str(arguments.processes or ("gpu" if nodes[rank].gpus else 1))
    where = ["--nnodes", str(len(nodes)), "--node-rank", str(rank), "--master-addr", address, "--master-port", str(port)]
    return [*where, "--nproc-per-node", processes, "--tee", "3", *arguments.program]


def variables_for(rank, count, address, port):
    """What the job was given, by the names that the agent lists; else the node's own."""
    names = [name for name in os.environ.get("HITCH_JOB_VARIABLES", "").split(",") if name in os.environ]
    given = {name: os.environ[name] for name in [*names, "RAY_ADDRESS"] if name in os.environ}
    return {
        "MASTER_ADDR": address,
        "MASTER_PORT": str(port),
        "RANK": str(rank),
        "WORLD_SIZE": str(count),
        "LOCAL_RANK": "0",
        "LOCAL_WORLD_SIZE": "1",
        "NODE_RANK": str(rank),
        "NNODES": str(count),
        "TORCHELASTIC_LOG_LINE_PREFIX_TEMPLATE": "[rank ${rank}] ",
        **given,
    }


class Run:
    def __init__(self, arguments):
        self.arguments, self.output = arguments, Output()
        self.nodes, self.ended, self.stopping = [], [], False
        self.changed = threading.Condition()

    def main(self):
        signal.signal(signal.SIGTERM, self.stop)
        self.nodes, address, port = connect(self.arguments.nodes)
        folder = os.path.relpath(os.getcwd(), os.environ.get("HITCH_WORK_FOLDER", os.getcwd()))
        share(self.nodes, folder)
        count, job = len(self.nodes), os.environ.get("HITCH_JOB", "job")
        for rank, node in enumerate(self.nodes):
            command = command_for(rank, self.nodes, self.arguments, address, port)
            variables = variables_for(rank, count, address, port)
            tag = f"{job}-{rank}"
            problem = node.call("start", command, folder, variables, self.arguments.torchrun, tag, node.address)
            if problem is not None:
                self.end_all()
                raise Failure(f"{self.named(rank)}: {problem}.")
        for rank in range(count):
            threading.Thread(target=self.follow, args=(rank,), daemon=True).start()
        return self.wait()

    def stop(self, *_):
        self.stopping = True

    def named(self, rank):
        return f"Node {rank + 1} ({self.nodes[rank].address})"

    def follow(self, rank):
        outcome = None
        while outcome is None:
            try:
                data, code = self.nodes[rank].call("read")
                self.output.write(rank, data, ended=code is not None)
                outcome = code
            except Exception as error:  # Ray has many for a node that is gone.
                first = (str(error).strip().splitlines() or [type(error).__name__])[0]
                self.output.write(rank, b"", ended=True)
                outcome = f"is gone: {first}"
        with self.changed:
            self.ended.append((rank, outcome))
            self.changed.notify_all()

    def wait(self):
        """@returns the exit code of the job."""
        with self.changed:
            while True:
                failed = next(((rank, outcome) for rank, outcome in self.ended if outcome != 0), None)
                if failed is not None or self.stopping or len(self.ended) == len(self.nodes):
                    break
                self.changed.wait(timeout=0.2)
        if failed is None and not self.stopping:
            return 0
        left = len(self.nodes) - len(self.ended)
        if self.stopping:
            self.end_all()
            return 128 + signal.SIGTERM
        rank, outcome = failed
        how = outcome if isinstance(outcome, str) else ended_words(outcome)
        others = "" if left == 0 else " The other is ended." if left == 1 else f" The other {left} are ended."
        message = f"{self.named(rank)} {how}.{others}"
        self.end_all()
        tell(message)
        return 1 if isinstance(outcome, str) else outcome if outcome > 0 else 128 - outcome

    def end_all(self):
        def end(node):
            try:
                node.call("end", self.arguments.grace_s)
            except Exception:
                pass  # It is gone, and what ran there with it.

        threads = [threading.Thread(target=end, args=(node,), daemon=True) for node in self.nodes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(self.arguments.grace_s + 5)
        with self.changed:
            # What they printed last.
            self.changed.wait_for(lambda: len(self.ended) == len(self.nodes), timeout=3)


def ended_words(code):
    if code > 0:
        return f"ended with exit code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"


def tell(message):
    """In the log, and for the job's row."""
    say(message)
    path = os.environ.get("HITCH_JOB_MESSAGE")
    if path:
        with open(path, "w", encoding="utf-8") as file:
            file.write(message)


def arguments_of(words):
    parser = argparse.ArgumentParser()
    parser.add_argument("--nodes", type=int, required=True)
    parser.add_argument("--grace-s", type=float, default=10)
    parser.add_argument("--torchrun", action="store_true")
    parser.add_argument("--processes", type=int)
    own, program = (words[: words.index("--")], words[words.index("--") + 1 :])
    arguments = parser.parse_args(own)
    arguments.program = program
    return arguments


if __name__ == "__main__":
    try:
        CODE = Run(arguments_of(sys.argv[1:])).main()
    except Failure as failure:
        tell(str(failure))
        CODE = 1
    sys.stdout.flush()
    # Not by way of Ray's farewell, which may take its time.
    os._exit(CODE)
