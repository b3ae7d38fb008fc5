"""A TCP proxy on loopback that breaks connections where a test says."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType


@dataclass
class Cut:
    """Cut a connection when ``pattern`` passes from the client to the server.

    ``deliver`` says whether the server still gets it: False for a cut before, True for a cut after, where only the
    answer is lost. ``times`` is for how many connections this happens, ``then`` is called each time.
    """

    pattern: bytes
    deliver: bool
    times: int = 1
    then: Callable[[], None] = lambda: None
    done: int = field(default=0, init=False)


class Proxy:
    """``with Proxy(port_of_the_server) as proxy: connect(port=proxy.port)``.

    ``cut`` arms a cut; ``cut_after`` cuts every connection once so many bytes have come from the server or been sent to
    it, whose numbers ``passed`` and ``sent`` count; ``refusing`` turns new connections away; ``pause`` lets bytes wait
    in both directions until ``resume``; ``drop`` cuts every connection now.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self.refusing = False
        self.passed = self.sent = 0
        self._most: int | None = None
        self._most_sent: int | None = None
        self._cuts: list[Cut] = []
        self._flowing = threading.Event()
        self._flowing.set()
        self._lock = threading.Lock()
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._closed = False

    def __enter__(self) -> Proxy:
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed = True
        self._flowing.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.drop()
        for thread in self._threads:
            thread.join(10)
            assert not thread.is_alive(), "the proxy did not end"

    def cut(self, pattern: bytes, *, deliver: bool, times: int = 1, then: Callable[[], None] = lambda: None) -> Cut:
        """Arm a cut; it says in ``done`` how often it happened."""
        cut = Cut(pattern, deliver, times, then)
        self._cuts.append(cut)
        return cut

    def cut_after(self, answered: int | None = None, *, sent: int | None = None) -> None:
        """From now on, let this many bytes come, or go, over all connections together, and then cut."""
        self.passed = self.sent = 0
        self._most, self._most_sent = answered, sent

    def pause(self) -> None:
        """Keep bytes back from now on, as a network does that swallows packets."""
        self._flowing.clear()

    def resume(self) -> None:
        """Let them through."""
        self._flowing.set()

    def drop(self) -> None:
        """Cut every connection."""
        with self._lock:
            pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for each in pair:
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)  # which wakes the thread that owns it, and that closes it

    def _start(self, work: object, *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._closed:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                if self.refusing:
                    raise ConnectionRefusedError
                server = socket.create_connection(("127.0.0.1", self._target), timeout=10)
            except OSError:
                _close(client)
                continue
            with self._lock:
                self._pairs.append((client, server))
            self._start(self._pump, client, server)

    def _pump(self, client: socket.socket, server: socket.socket) -> None:
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(client, selectors.EVENT_READ, server)
                selector.register(server, selectors.EVENT_READ, client)
                while all(self._pass(key.fileobj, key.data, client) for key, _ in selector.select()):
                    pass
        except (OSError, ValueError):  # one of them was closed, by its end or by drop()
            pass
        finally:
            _close(client, server)

    def _pass(self, source: object, sink: socket.socket, client: socket.socket) -> bool:
        """Pass on what has come; False at the end of the connection."""
        assert isinstance(source, socket.socket)
        data = source.recv(65536)
        self._flowing.wait()
        cut = self._cut_for(data) if source is client else None
        if cut is None:
            data, over = self._counted(data, sent=source is client)
            sink.sendall(data)
            return bool(data) and not over
        if cut.deliver:
            sink.sendall(data)
            sink.recv(65536)  # so the server has worked on it, and only its answer is lost
        cut.then()
        return False

    def _counted(self, data: bytes, *, sent: bool) -> tuple[bytes, bool]:
        """What may still pass, and whether that was the last."""
        with self._lock:
            most, passed = (self._most_sent, self.sent) if sent else (self._most, self.passed)
            left = len(data) if most is None else max(0, most - passed)
            if sent:
                self.sent += len(data)
            else:
                self.passed += len(data)
            return data[:left], left < len(data)

    def _cut_for(self, data: bytes) -> Cut | None:
        with self._lock:
            for cut in self._cuts:
                if cut.done < cut.times and cut.pattern in data:
                    cut.done += 1
                    return cut
        return None


def _close(*sockets: socket.socket) -> None:
    for each in sockets:
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
        each.close()
