"""
Looks after one job of a node: starts it, writes down what it prints, holds it to its limits, and says how it ended.

    python runner.py <folder of the job>

It outlives the agent, which starts it and reads what it writes: a job's exit code can be learnt by its parent alone.
In the folder lie, all 0600:

- `job.json`, from the agent: what to run (see agent/jobs/jobs.ts);
- `environment.json`, from the agent: variables for the job, secrets among them;
- `runner.json`, from here: this process, written before all else. There is never a second one for a job;
- `stop`, from the agent: `{"graceMs": …, "cause": "stopped" | "cluster"}`; a SIGTERM to this process says to look;
- `state.json`, from here, replaced as a whole: the runs so far;
- `message`, from the job: a sentence on its end beside its exit code (nodes.py), for one of its runs;
- `runs/<number>/<first byte>.log`: what the run printed (output.py). Both streams go through one pipe, so that lines stand in the
  order in which they were written. A byte's number is its place in all that the run has printed: what the bound or a
  full disk takes away leaves a gap between two files and moves no number.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time

from output import Log, Pump, private
from resources import Memory, outcome_of_memory

IS_WINDOWS = os.name == "nt"
#: What a job leaves behind when its first process has ended.
LEFTOVER_GRACE_S = 2
#: Output of what was left behind is waited for so long.
DRAIN_S = 2
LOOK_EVERY_S = 1
RETRY_PAUSE_S = 1
#: The job goes before the agent and this process when the machine runs out of memory: somebody has to say why.
OOM_SCORE = "200"


def now_ms():
    return int(time.time() * 1000)


def write_whole(path, text):
    """As a whole or not at all; on a full disk it is tried until there is room, since the end of a job must be known."""
    while True:
        try:
            with open(path + ".new", "w", encoding="utf-8", opener=private) as file:
                file.write(text)
            os.replace(path + ".new", path)
            return
        except OSError:
            time.sleep(1)


class Runner:
    def __init__(self, folder):
        self.folder = folder
        with open(os.path.join(folder, "job.json"), encoding="utf-8") as file:
            self.job = json.load(file)
        self.runs = []
        self.woken = threading.Event()
        self.asked = None

    # -- what is said ------------------------------------------------------------------------------------------------

    def say(self, state):
        write_whole(os.path.join(self.folder, "state.json"), json.dumps({"state": state, "runs": self.runs}))

    def wake(self, *_):
        self.woken.set()

    def look_for_stop(self, signalled=False):
        if self.asked is None:
            try:
                with open(os.path.join(self.folder, "stop"), encoding="utf-8") as file:
                    self.asked = json.load(file)
            except (OSError, ValueError):
                if signalled:
                    # Somebody else than the agent ends all that runs on this node.
                    self.asked = {"graceMs": 2000, "cause": "cluster"}
        return self.asked

    def claim(self):
        """@returns False where another process looks after this job already, or did."""
        path = os.path.join(self.folder, "runner.json")
        own = f"{path}.{os.getpid()}"
        with open(own, "w", encoding="utf-8", opener=private) as file:
            json.dump({"pid": os.getpid(), "startTime": start_time()}, file)
        try:
            # Whole as soon as it is there, and never in the place of another.
            os.link(own, path)
            return True
        except FileExistsError:
            return False
        finally:
            os.remove(own)

    # -- runs --------------------------------------------------------------------------------------------------------

    def main(self):
        if not IS_WINDOWS:
            signal.signal(signal.SIGTERM, self.on_term)
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
        retries = self.job["retries"]
        while True:
            run = self.run_once(len(self.runs) + 1)
            again = retries > 0 and run["cause"] in ("exit", "signal", "memory") and self.look_for_stop() is None
            if not again:
                self.say("ended")
                return
            retries -= 1
            self.say("again")
            self.woken.clear()
            self.woken.wait(RETRY_PAUSE_S)
            if self.look_for_stop() is not None:
                self.say("ended")
                return

    def on_term(self, *_):
        self.look_for_stop(signalled=True)
        self.wake()

    def run_once(self, number):
        run = {
            "number": number,
            "startedAtMs": now_ms(),
            "endedAtMs": None,
            "cause": None,
            "exitCode": None,
            "signal": None,
            "peakBytes": None,
            "message": "",
            "leftBehind": 0,
        }
        self.runs.append(run)
        self.take_message()
        log = Log(os.path.join(self.folder, "runs", str(number)), self.job["logBytes"])
        memory = Memory(f"hitch-{self.job['id']}-{number}", self.job["memoryBytes"])
        if self.job["memoryBytes"] is not None and not memory.is_held:
            return self.not_started(run, log, "This machine lets no program be held to a memory limit.")
        self.say("running")
        reader, writer = os.pipe()
        try:
            process = self.start(writer, memory)
        except OSError as error:
            os.close(reader)
            memory.close()
            return self.not_started(run, log, f"{self.named()} cannot be started: {error.strerror or error}.")
        finally:
            os.close(writer)
        pump = Pump(reader, log)
        waiter = Waiter(process, self.woken)
        why = self.follow(run, process, waiter)
        run["leftBehind"] = self.end_leftovers(process, memory)
        pump.join(DRAIN_S)
        if pump.is_alive():
            # Somebody who is not of the job holds the pipe; what the job wrote is in the log by now.
            run["message"] = "Something that the job started elsewhere still holds its output."
        log.close()
        peak, was_killed = memory.close()
        run["peakBytes"] = peak if peak is not None else waiter.peak_bytes
        code = waiter.code
        run["exitCode"] = code if code >= 0 else None
        run["signal"] = None if code >= 0 else signal_name(-code)
        run["cause"] = why or outcome_of_memory(code, was_killed) or (
            "finished" if code == 0 else "exit" if code > 0 else "signal"
        )
        said = self.take_message()
        if run["cause"] in ("exit", "signal") and said:
            run["message"] = said
        run["endedAtMs"] = now_ms()
        return run

    def take_message(self):
        path = os.path.join(self.folder, "message")
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                said = file.read(2000).strip()
            os.remove(path)
            return said
        except OSError:
            return ""

    def not_started(self, run, log, message):
        log.write((message + "\n").encode())
        log.close()
        run.update(cause="environment", message=message, endedAtMs=now_ms())
        return run

    def named(self):
        return self.job["command"][0]

    def start(self, writer, memory):
        with open(os.path.join(self.folder, "environment.json"), encoding="utf-8") as file:
            environment = {**os.environ, **json.load(file)}
        options = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP} if IS_WINDOWS else {}

        def prepare():
            memory.join()
            try:
                with open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
                    file.write(OOM_SCORE)
            except OSError:
                pass

        if not IS_WINDOWS:
            options = {"start_new_session": True, "preexec_fn": prepare}
        return subprocess.Popen(
            self.job["command"],
            stdin=subprocess.DEVNULL,
            stdout=writer,
            stderr=writer,
            cwd=self.job["folder"],
            env=environment,
            close_fds=True,
            **options,
        )

    def follow(self, run, process, waiter):
        """Until the first process has ended. @returns why it was ended; None: by itself."""
        limit_ms = self.job["timeLimitMs"]
        limit = None if limit_ms is None else time.monotonic() + limit_ms / 1000
        why, kill_at = None, None
        while not waiter.has_ended:
            now = time.monotonic()
            if why is None:
                asked = self.look_for_stop()
                if asked is not None:
                    why, grace_ms = asked["cause"], asked["graceMs"]
                elif limit is not None and now >= limit:
                    why, grace_ms = "limit", self.job["graceMs"]
                if why is not None:
                    kill_at = now + grace_ms / 1000
                    self.say("stopping")
                    signal_group(process, signal.SIGTERM)
            elif now >= kill_at:
                signal_group(process, getattr(signal, "SIGKILL", signal.SIGTERM))
            ends = [moment - now for moment in (limit if why is None else None, kill_at) if moment is not None]
            self.woken.wait(max(0.05, min([LOOK_EVERY_S, *ends])))
            self.woken.clear()
        return why

    def end_leftovers(self, process, memory):
        """A job ends with its first process: what it left would hold the GPU, unseen. @returns how many there were."""
        found = set()
        deadline = time.monotonic() + LEFTOVER_GRACE_S
        asked = False
        while True:
            left = self.left(process, memory)
            found |= left
            if not left:
                return len(found)
            late = time.monotonic() > deadline
            for pid in left:
                try:
                    if late or not asked:
                        os.kill(pid, signal.SIGKILL if late else signal.SIGTERM)
                except OSError:
                    pass
            asked = True
            if time.monotonic() > deadline + DRAIN_S:
                return len(found)
            time.sleep(0.05)

    def left(self, process, memory):
        if IS_WINDOWS:
            return set()
        tag = f"HITCH_JOB={self.job['id']}".encode()
        left = set(memory.members())
        try:
            pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
        except OSError:
            # Without /proc (macOS) the group is all that is known.
            signal_group(process, signal.SIGKILL)
            return left
        for pid in pids:
            try:
                with open(f"/proc/{pid}/environ", "rb") as file:
                    tagged = tag in file.read().split(b"\0")
                if tagged or os.getpgid(pid) == process.pid:
                    left.add(pid)
            except OSError:
                pass
        return {pid for pid in left if pid != os.getpid() and lives(pid)}


def start_time():
    """As the agent names it (agent/processes/identity.ts): a pid is used again, a pid with its start time is not."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            boot = file.read().strip()
        with open("/proc/self/stat", "rb") as file:
            ticks = file.read().rpartition(b") ")[2].split()[19].decode()
        return f"{boot}:{ticks}"
    except OSError:
        return None


def lives(pid):
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b") ")[2][:1] not in (b"Z", b"X", b"")
    except OSError:
        return False


class Waiter(threading.Thread):
    """Waits for the job's first process, and hears what the system says of it."""

    def __init__(self, process, woken):
        super().__init__(daemon=True)
        self.process, self.woken = process, woken
        self.has_ended, self.code, self.peak_bytes = False, 0, None
        self.start()

    def run(self):
        if IS_WINDOWS:
            self.code = self.process.wait()
        else:
            _, status, usage = os.wait4(self.process.pid, 0)
            self.code = os.waitstatus_to_exitcode(status)
            self.process.returncode = self.code
            self.peak_bytes = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        self.has_ended = True
        self.woken.set()


def signal_group(process, which):
    try:
        if IS_WINDOWS:
            subprocess.run(["taskkill", "/PID", str(process.pid), "/T", "/F"], capture_output=True, check=False)
        else:
            os.killpg(process.pid, which)
    except OSError:
        pass


def signal_name(number):
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"SIG{number}"


if __name__ == "__main__":
    RUNNER = Runner(sys.argv[1])
    if RUNNER.claim():
        RUNNER.main()
