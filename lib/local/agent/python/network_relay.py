"""A private network for Dynamo's processes, with chosen ports reachable from outside.

    python3 -I network_relay.py STATE

Dynamo 0.4.1 needs an address of global scope and listens on it; 1.6.1 opens event sockets on
all addresses. Neither may be seen from other machines. So the processes run in a network
namespace that has nothing but a loopback interface with one address more, 127.9.9.9, declared
to be of global scope. An ordinary user may make one, inside a user namespace.

Two processes: the outer one stays in the machine's network. It opens listening sockets on
127.0.0.1 there when asked to and hands them to the inner one (a socket belongs to the
namespace it was opened in), which lives in the private network and connects every caller to
the same port number there. One hop, and it goes on while the node agent is away.

STATE is a file: {"outer", "inner": identities, "control": port, "token": secret} when it works,
{"error": text} when the machine does not allow it. Requests to the control port are lines of
JSON with that token: {"op": "open" | "close" | "check" | "list", "port": N}.
"""

import array
import asyncio
import errno
import json
import os
import random
import secrets
import select
import signal
import socket
import struct
import sys

try:
    import uvloop
except ImportError:
    uvloop = None

CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
EXTRA_ADDRESS = "127.9.9.9"
# Below the range from which systems choose ports for outgoing connections.
FIRST_PORT, LAST_PORT = 20000, 31999
CONNECT_TIMEOUT = 5


def started(pid):
    """Start of a process in the form that lib/cli/process_identity.ts has."""
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
        text = stat.read()
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as boot:
        return f"{boot.read().strip()}/{text[text.rindex(')') + 2:].split(' ')[19]}"


def write_state(path, value):
    descriptor = os.open(f"{path}.tmp", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(value, file)
    os.rename(f"{path}.tmp", path)


# --- the private network -------------------------------------------------------------------


def unshare(flags):
    if hasattr(os, "unshare"):
        os.unshare(flags)
        return
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(flags) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def make_private_network():
    """New user and network namespaces; the user keeps its number inside."""
    user, group = os.geteuid(), os.getegid()
    unshare(CLONE_NEWUSER | CLONE_NEWNET)
    for name, text in (
        ("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1"),
    ):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
            file.write(text)
    index = socket.if_nametoindex("lo")
    link_up = struct.pack("=BxHiII", socket.AF_UNSPEC, 0, index, 1, 1)
    netlink(16, 0x5, link_up)  # RTM_NEWLINK, request with acknowledgement; flag IFF_UP
    address = socket.inet_aton(EXTRA_ADDRESS)
    attributes = b"".join(struct.pack("=HH4s", 8, kind, address) for kind in (1, 2))
    # RTM_NEWADDR, create; IFA_ADDRESS and IFA_LOCAL with a 32 bit prefix and scope 0, global.
    netlink(20, 0x405, struct.pack("=BBBBi", socket.AF_INET, 32, 0, 0, index) + attributes)


def netlink(kind, flags, body):
    """One request to the kernel's routing socket (rtnetlink(7)); raises its error."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as route:
        route.send(struct.pack("=IHHII", 16 + len(body), kind, flags, 1, 0) + body)
        answer = route.recv(4096)
        code = -struct.unpack_from("=i", answer, 16)[0]
        if code not in (0, errno.EEXIST):
            raise OSError(code, os.strerror(code))


# --- inner process: callers to ports of the private network -----------------------------------


class Side(asyncio.Protocol):
    """One side of a relayed connection; what it receives goes to its peer."""

    def __init__(self, peer=None):
        self.peer = peer
        self.transport = None

    def connection_made(self, transport):
        self.transport = transport
        connection = transport.get_extra_info("socket")
        if connection is not None:
            # Streams of tokens are many small packets; none of them may wait for the next.
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def data_received(self, data):
        if self.peer.transport is not None and not self.peer.transport.is_closing():
            self.peer.transport.write(data)

    def eof_received(self):
        other = self.peer.transport
        if other is not None and not other.is_closing() and other.can_write_eof():
            other.write_eof()
        return True

    def connection_lost(self, _problem):
        if self.peer is not None and self.peer.transport is not None:
            self.peer.transport.close()

    def pause_writing(self):
        if self.peer.transport is not None:
            self.peer.transport.pause_reading()

    def resume_writing(self):
        if self.peer.transport is not None and not self.peer.transport.is_closing():
            self.peer.transport.resume_reading()


class Caller(Side):
    """The side that called from outside; it waits until the port inside has answered."""

    def __init__(self, port):
        super().__init__()
        self.port = port
        self.connecting = None
        # Not every event loop pauses a transport that has just begun, so early data is kept.
        self.early = []
        self.ended = False

    def connection_made(self, transport):
        super().connection_made(transport)
        transport.pause_reading()
        self.connecting = asyncio.ensure_future(self.connect())

    def data_received(self, data):
        if self.early is None:
            super().data_received(data)
        else:
            self.early.append(data)

    def eof_received(self):
        self.ended = True
        return True if self.early is not None else super().eof_received()

    async def connect(self):
        loop = asyncio.get_running_loop()
        peer = Side(self)
        self.peer = peer
        try:
            await asyncio.wait_for(
                loop.create_connection(lambda: peer, "127.0.0.1", self.port), CONNECT_TIMEOUT,
            )
        except (OSError, asyncio.TimeoutError):
            # A reset: after a mere end kwok waits for the caller to end, too.
            connection = self.transport.get_extra_info("socket")
            if connection is not None:
                reset = struct.pack("ii", 1, 0)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
            self.transport.abort()
            return
        if self.transport.is_closing():
            peer.transport.close()
            return
        early, self.early = self.early, None
        if early:
            peer.transport.write(b"".join(early))
        if self.ended:
            peer.transport.write_eof()
        else:
            self.transport.resume_reading()


async def check(port):
    """Whether something listens on the port inside."""
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection("127.0.0.1", port), 2)
    except (OSError, asyncio.TimeoutError):
        return False
    writer.close()
    return True


async def serve_inside(channel):
    loop = asyncio.get_running_loop()
    servers = {}
    finished = loop.create_future()

    async def handle(request, descriptors):
        port = request["port"]
        if request["op"] == "open":
            listener = socket.socket(fileno=descriptors[0])
            servers[port] = await loop.create_server(lambda: Caller(port), sock=listener)
            return True
        if request["op"] == "close":
            server = servers.pop(port, None)
            if server is not None:
                server.close()
            return True
        return await check(port)

    async def answer(request, descriptors):
        try:
            result = await handle(request, descriptors)
        except Exception as problem:  # the outer process shows it to the caller
            result = f"{type(problem).__name__}: {problem}"
        channel.send(json.dumps({"id": request["id"], "result": result}).encode())

    def readable():
        data, ancillary, _, _ = channel.recvmsg(4096, socket.CMSG_SPACE(4))
        if not data:
            loop.remove_reader(channel.fileno())
            finished.set_result(None)
            return
        descriptors = array.array("i")
        for level, kind, content in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                descriptors.frombytes(content[:4])
        asyncio.ensure_future(answer(json.loads(data), list(descriptors)))

    loop.add_reader(channel.fileno(), readable)
    await finished


def inner(channel):
    try:
        make_private_network()
    except OSError as problem:
        channel.send(json.dumps({"error": str(problem)}).encode())
        return
    channel.send(b"{}")
    if uvloop is not None:
        asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    asyncio.run(serve_inside(channel))


# --- outer process: requests of the node agent ------------------------------------------------


class Control:
    """Listening sockets by port, and the requests that open and close them."""

    def __init__(self, channel):
        self.channel = channel
        self.ports = set()
        self.count = 0

    def ask(self, request, descriptor=None):
        """A request to the inner process and its answer."""
        self.count += 1
        message = [json.dumps({**request, "id": self.count}).encode()]
        rights = [] if descriptor is None else [
            (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [descriptor])),
        ]
        self.channel.sendmsg(message, rights)
        while True:
            if not select.select([self.channel], [], [], 5)[0]:
                return "no answer from the private network"
            data = self.channel.recv(4096)
            if not data:
                raise SystemExit("the private network is gone")
            answer = json.loads(data)
            if answer["id"] == self.count:
                return answer["result"]

    def open(self, port):
        listener = listen(port)
        port = listener.getsockname()[1]
        with listener:
            result = self.ask({"op": "open", "port": port}, listener.fileno())
        if result is not True:
            raise OSError(errno.EIO, str(result))
        self.ports.add(port)
        return port

    def handle(self, request):
        operation, port = request.get("op"), int(request.get("port") or 0)
        if operation == "open":
            return {"port": port if port in self.ports else self.open(port)}
        if operation == "close":
            if port in self.ports:
                self.ports.discard(port)
                self.ask({"op": "close", "port": port})
            return {}
        if operation == "check":
            return {"open": self.ask({"op": "check", "port": port}) is True}
        if operation == "list":
            return {"ports": sorted(self.ports)}
        return {"error": f"unknown operation {operation!r}"}


def listen(port):
    """A listening socket on 127.0.0.1: on that port, or with 0 on a free one."""
    candidates = [port] if port else random.sample(range(FIRST_PORT, LAST_PORT + 1), 200)
    problem = None
    for candidate in candidates:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            listener.bind(("127.0.0.1", candidate))
            listener.listen(1024)
            return listener
        except OSError as error:
            listener.close()
            problem = error
    raise problem


def serve_control(server, token, control):
    connections = {}
    while True:
        ready = select.select([server, control.channel, *connections], [], [])[0]
        for readable in ready:
            if readable is server:
                connection, _ = server.accept()
                connection.settimeout(5)
                connections[connection] = b""
            elif readable is control.channel:
                if not control.channel.recv(4096):
                    return
            elif not serve_connection(readable, connections, token, control):
                readable.close()
                del connections[readable]


def serve_connection(connection, connections, token, control):
    """Whether the connection goes on."""
    try:
        data = connection.recv(65536)
        *lines, rest = (connections[connection] + data).split(b"\n")
        connections[connection] = rest
        for line in lines:
            try:
                request = json.loads(line)
                if not secrets.compare_digest(str(request.get("token")), token):
                    return False
                reply = control.handle(request)
            except (OSError, ValueError) as problem:
                reply = {"error": str(problem)}
            connection.sendall(json.dumps(reply).encode() + b"\n")
    except OSError:
        return False
    return bool(data) and len(connections[connection]) < 65536


def outer(path, child, channel):
    first = json.loads(channel.recv(4096) or b'{"error": "it ended at once"}')
    if "error" in first:
        os.waitpid(child, 0)
        write_state(path, first)
        return
    server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    server.bind(("127.0.0.1", 0))
    server.listen(16)
    token = secrets.token_hex(16)
    write_state(path, {
        "outer": {"pid": os.getpid(), "started": started(os.getpid())},
        "inner": {"pid": child, "started": started(child)},
        "control": server.getsockname()[1],
        "token": token,
    })
    try:
        serve_control(server, token, Control(channel))
    finally:
        if os.path.exists(path):
            os.remove(path)


def main(arguments):
    os.umask(0o077)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    child = os.fork()
    if child == 0:
        ours.close()
        inner(theirs)
        return
    theirs.close()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    outer(arguments[0], child, ours)


if __name__ == "__main__":
    main(sys.argv[1:])
