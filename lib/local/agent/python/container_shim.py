"""Parent of one container's process: keeps its log and its end.

    python3 -I -S container_shim.py STATE LOGS [--network PID] [--cwd DIR] -- PROGRAM [ARGUMENT...]

The node agent may go and come back; the container must not notice, and how it ended must not
be lost. So each container has this small parent in a session of its own. It

- writes STATE/process.json: who it is and who the container's process is (number and start,
  because numbers are reused),
- copies the process's output to LOGS/current.log in the CRI format, with a cap on its size;
  an earlier current.log becomes previous.log,
- passes SIGTERM on to the process,
- writes STATE/exit.json when the process has ended, and kills what it left behind.

The environment is the container's own. With --network it first enters the user and network
namespace of process PID.
"""

import errno
import json
import os
import select
import signal
import subprocess
import sys
import time

LOG_LIMIT = 10 * 1024 * 1024
# Longest piece of a line; longer lines are split, as container runtimes do.
LINE_LIMIT = 16 * 1024
CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000


def started(pid):
    """Start of a process in the form that lib/cli/process_identity.ts has; None when it is gone."""
    if sys.platform == "linux":
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
                text = stat.read()
        except OSError:
            return None
        fields = text[text.rindex(")") + 2:].split(" ")
        if fields[0] in ("Z", "X"):
            return None
        try:
            with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as boot:
                return f"{boot.read().strip()}/{fields[19]}"
        except OSError:
            return f"unknown-boot/{fields[19]}"
    listing = subprocess.run(
        ["ps", "-o", "state=,lstart=", "-p", str(pid)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False,
    ).stdout.strip()
    state, _, rest = listing.partition(" ")
    return None if listing == "" or state.startswith("Z") else rest.strip()


def identity(pid):
    return {"pid": pid, "started": started(pid) or "gone"}


def now():
    seconds, rest = divmod(time.time_ns(), 1_000_000_000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{rest:09d}Z"


def write_json(path, value):
    temporary = f"{path}.tmp"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(value, file)
    os.rename(temporary, path)


def enter_namespaces(pid):
    """Joins the user namespace first: that gives the right to join the other."""
    kinds = (("user", CLONE_NEWUSER), ("net", CLONE_NEWNET))
    files = [(os.open(f"/proc/{pid}/ns/{name}", os.O_RDONLY), flag) for name, flag in kinds]
    for descriptor, flag in files:
        if hasattr(os, "setns"):
            os.setns(descriptor, flag)
        else:
            import ctypes

            libc = ctypes.CDLL(None, use_errno=True)
            if libc.setns(descriptor, flag) != 0:
                raise OSError(ctypes.get_errno(), "setns")
        os.close(descriptor)


class Log:
    """A log in the CRI format that never grows beyond twice its limit."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "current.log")
        os.makedirs(folder, mode=0o700, exist_ok=True)
        if os.path.exists(self.path):
            os.replace(self.path, os.path.join(folder, "previous.log"))
        self.open()

    def open(self):
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        self.descriptor = os.open(self.path, flags, 0o600)
        self.size = os.fstat(self.descriptor).st_size

    def write(self, stream, lines):
        """Lines are pairs of bytes and whether the line is complete."""
        stamp = f"{now()} {stream} ".encode()
        block = b"".join(stamp + (b"F " if full else b"P ") + text + b"\n" for text, full in lines)
        if self.size + len(block) > LOG_LIMIT and self.size > 0:
            os.close(self.descriptor)
            os.replace(self.path, f"{self.path}.1")
            self.open()
        view = memoryview(block)
        try:
            while view:
                view = view[os.write(self.descriptor, view):]
        except OSError as problem:
            # A full disk must not stop the container: its output is lost instead.
            if problem.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
                raise
        self.size += len(block)


class Lines:
    """Cuts a stream of bytes into lines."""

    def __init__(self):
        self.rest = b""

    def feed(self, data):
        parts = (self.rest + data).split(b"\n")
        self.rest = parts.pop()
        lines = []
        for part in parts:
            while len(part) > LINE_LIMIT:
                lines.append((part[:LINE_LIMIT], False))
                part = part[LINE_LIMIT:]
            lines.append((part, True))
        while len(self.rest) >= LINE_LIMIT:
            lines.append((self.rest[:LINE_LIMIT], False))
            self.rest = self.rest[LINE_LIMIT:]
        return lines

    def end(self):
        rest, self.rest = self.rest, b""
        return [(rest, True)] if rest else []


def copy_output(process, log):
    """Copies until both streams are closed, or a second after the process has ended."""
    streams = {process.stdout.fileno(): "stdout", process.stderr.fileno(): "stderr"}
    lines = {descriptor: Lines() for descriptor in streams}
    poll = select.poll()
    for descriptor in streams:
        poll.register(descriptor, select.POLLIN | select.POLLHUP)
    # A signal for the child's end wakes the poll, also while something else holds its output open.
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    poll.register(reader, select.POLLIN)
    deadline = None
    while streams:
        if deadline is None and process.poll() is not None:
            deadline = time.monotonic() + 1
            kill_group(process.pid)
        wait = None if deadline is None else max(0, int((deadline - time.monotonic()) * 1000))
        ready = poll.poll(wait)
        if not ready and deadline is not None:
            break
        for descriptor, _ in ready:
            if descriptor == reader:
                os.read(reader, 512)
                continue
            data = os.read(descriptor, 65536)
            written = lines[descriptor].feed(data) if data else lines[descriptor].end()
            if written:
                log.write(streams[descriptor], written)
            if not data:
                poll.unregister(descriptor)
                del streams[descriptor]
    for descriptor, stream in streams.items():
        written = lines[descriptor].end()
        if written:
            log.write(stream, written)
    return process.wait()


def kill_group(group):
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass


def main(arguments):
    state, logs = arguments[0], arguments[1]
    split = arguments.index("--")
    options = dict(zip(arguments[2:split:2], arguments[3:split:2]))
    command = arguments[split + 1:]
    os.umask(0o077)
    end_path = os.path.join(state, "exit.json")
    if os.path.exists(end_path):
        os.remove(end_path)
    record = {"shim": identity(os.getpid())}
    path = os.path.join(state, "process.json")
    write_json(path, record)
    log = Log(logs)

    stopping = []
    process = None

    def stop(*_):
        stopping.append(True)
        if process is not None and process.poll() is None:
            process.terminate()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    # Not SIG_IGN, which the container's process would inherit.
    signal.signal(signal.SIGHUP, lambda *_: None)
    begun = now()
    try:
        if "--network" in options:
            enter_namespaces(int(options["--network"]))
        process = subprocess.Popen(
            command, cwd=options.get("--cwd"), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0, start_new_session=True,
        )
    except OSError as problem:
        text = f"cannot start {command[0]}: {problem.strerror}"
        log.write("stderr", [(text.encode(), True)])
        write_json(end_path, {
            "code": 128, "error": text, "startedAt": begun, "finishedAt": now(),
        })
        return
    record.update(process=identity(process.pid), startedAt=begun)
    write_json(path, record)
    if stopping:
        process.terminate()
    code = copy_output(process, log)
    end = {"code": code, "startedAt": begun, "finishedAt": now()}
    if code < 0:
        end.update(code=128 - code, signal=-code)
    write_json(end_path, end)


if __name__ == "__main__":
    main(sys.argv[1:])
