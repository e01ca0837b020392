"""A WebSocket client for the agents' protocol, in the standard library: frames byte by byte, so that bad ones can be sent as well."""

import base64
import hashlib
import json
import os
import socket
import ssl
import struct
import time
import urllib.parse

from agent_contract import Contract
from gateway import PATIENCE

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


class Refused(Exception):
    """The handshake was answered with something else than 101."""

    def __init__(self, status, headers, body):
        super().__init__(f"{status} {body}")
        self.status, self.headers, self.body = status, headers, body


class Closed(Exception):
    """The connection has ended; with the code and reason of the close frame, if there was one."""

    def __init__(self, code=None, reason=""):
        super().__init__(f"closed: {code} {reason}")
        self.code, self.reason = code, reason


class Socket:
    """The connection itself: text frames in and out. Pings are answered unless `answers_pings` is False."""

    def __init__(self, url, token=None, protocols=None, bearer=False, headers=None, receive_buffer=None):
        parts = urllib.parse.urlsplit(url)
        self.answers_pings, self.pings = True, 0
        plain = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if receive_buffer:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        plain.settimeout(20 * PATIENCE)
        plain.connect((parts.hostname, parts.port))
        self.socket = plain
        if parts.scheme == "https":
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            self.socket = context.wrap_socket(plain)
        key = base64.b64encode(os.urandom(16)).decode()
        if protocols is None:
            protocols = ["touchgate.v1"] + ([] if bearer or token is None else ["bearer." + token])
        lines = ["GET /v1/agent HTTP/1.1", f"Host: {parts.netloc}", "Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13"]
        if protocols:
            lines.append("Sec-WebSocket-Protocol: " + ", ".join(protocols))
        if bearer and token is not None:
            lines.append("Authorization: Bearer " + token)
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        self.buffer = b""
        head = self.until(b"\r\n\r\n").decode("latin-1")
        status = int(head.split(" ")[1])
        self.headers = {line.split(": ", 1)[0].lower(): line.split(": ", 1)[1] for line in head.split("\r\n")[1:] if ": " in line}
        if status != 101:
            body = self.exactly(int(self.headers.get("content-length", "0")))
            self.socket.close()
            raise Refused(status, self.headers, body.decode())
        assert self.headers["sec-websocket-accept"] == base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()

    def until(self, mark):
        while mark not in self.buffer:
            self.fill()
        at = self.buffer.index(mark) + len(mark)
        taken, self.buffer = self.buffer[:at], self.buffer[at:]
        return taken

    def exactly(self, count):
        while len(self.buffer) < count:
            self.fill()
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def fill(self):
        try:
            part = self.socket.recv(65536)
        except (ConnectionResetError, BrokenPipeError):
            part = b""
        if not part:
            raise Closed()
        self.buffer += part

    def send_frame(self, opcode, payload, fin=True, masked=True):
        length = len(payload)
        head = bytes([(0x80 if fin else 0) | opcode])
        mark = 0x80 if masked else 0
        if length < 126:
            head += bytes([mark | length])
        elif length < 65536:
            head += bytes([mark | 126]) + struct.pack(">H", length)
        else:
            head += bytes([mark | 127]) + struct.pack(">Q", length)
        mask = os.urandom(4) if masked else b""
        if masked:
            whole = (mask * (length // 4 + 1))[:length]
            payload = (int.from_bytes(payload, "big") ^ int.from_bytes(whole, "big")).to_bytes(length, "big") if length else b""
        try:
            self.socket.sendall(head + mask + payload)
        except (ConnectionResetError, BrokenPipeError):
            raise Closed() from None

    def send_text(self, text):
        self.send_frame(TEXT, text.encode())

    def receive(self, seconds=20):
        """The next text frame; pings are answered on the way. None when nothing came in time."""
        end = time.monotonic() + seconds * PATIENCE
        while True:
            left = end - time.monotonic()
            if left <= 0:
                return None
            self.socket.settimeout(left)
            try:
                opcode, payload = self.frame()
            except (TimeoutError, socket.timeout, ssl.SSLWantReadError):
                return None
            if opcode == TEXT:
                return payload.decode()
            if opcode == PING:
                self.pings += 1
                if self.answers_pings:
                    self.send_frame(PONG, payload)
            elif opcode == CLOSE:
                code = struct.unpack(">H", payload[:2])[0] if len(payload) >= 2 else None
                try:
                    self.send_frame(CLOSE, payload[:2])
                except (Closed, OSError):
                    pass
                self.socket.close()
                raise Closed(code, payload[2:].decode())

    def frame(self):
        """One frame; nothing is taken from the buffer before all of it is there."""
        while True:
            size = len(self.buffer)
            if size >= 2:
                first, length, begin = self.buffer[0], self.buffer[1], 2
                assert not length & 0x80, "a server does not mask"
                assert first & 0x80, "whole frames only"
                if length == 126 and size >= 4:
                    length, begin = struct.unpack(">H", self.buffer[2:4])[0], 4
                elif length == 127 and size >= 10:
                    length, begin = struct.unpack(">Q", self.buffer[2:10])[0], 10
                if (begin > 2 or length < 126) and size >= begin + length:
                    payload, self.buffer = self.buffer[begin:begin + length], self.buffer[begin + length:]
                    return first & 0x0F, payload
            self.fill()

    def cut(self):
        """Ends without good-bye, as a network does."""
        try:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except OSError:
            pass
        self.socket.close()

    def close(self):
        try:
            self.send_frame(CLOSE, struct.pack(">H", 1000))
        except (Closed, OSError):
            pass
        self.socket.close()


class Desk:
    """An agent's desktop: requests with their replies, pushes in order. Every frame must be as docs/asyncapi.yaml describes it."""

    contract = Contract()

    def __init__(self, world, agent, token=None, join="snapshot", **more):
        self.world, self.agent = world, agent
        self.token = token or world.agent_token(agent)
        self.wire = Socket(world.url, self.token, **more)
        self.pushes, self.replies, self.notices = [], {}, []
        self.next_id, self.last_seq, self.types = 1, 0, {}
        self.hello = self.read_until(lambda frame: frame.get("type") == "hello")
        if join == "snapshot":
            self.ask("wallboard.get")
            self.snapshot = self.wait_push("snapshot")
        elif join is not None:
            self.last_seq = join
            self.resumed = self.request("resume", after=join)

    def read_until(self, condition, seconds=20):
        end = time.monotonic() + seconds * PATIENCE
        while True:
            text = self.wire.receive(max(0.01, (end - time.monotonic()) / PATIENCE))
            if text is None:
                raise AssertionError(f"{self.agent} waited in vain; pushes: {[(push['seq'], push['type']) for push in self.pushes]}")
            frame = self.take(text)
            if condition(frame):
                return frame

    def take(self, text):
        frame = json.loads(text)
        if "reply_to" in frame:
            self.contract.check_frame(frame, self.types.get(json.dumps(frame["reply_to"])))
            self.replies.setdefault(json.dumps(frame["reply_to"]), []).append(frame)
            return frame
        self.contract.check_frame(frame)
        if "seq" in frame:
            self.pushes.append(frame)
            self.last_seq = frame["seq"]
        else:
            self.notices.append(frame)
        return frame

    def ask(self, type, **fields):
        """Sends, and does not wait."""
        self.next_id += 1
        self.types[json.dumps(self.next_id)] = type
        self.wire.send_text(json.dumps({"id": self.next_id, "type": type, **fields}, ensure_ascii=False))
        return self.next_id

    def reply_to(self, id, seconds=20):
        waiting = self.replies.get(json.dumps(id))
        if not waiting:
            self.read_until(lambda frame: "reply_to" in frame and frame["reply_to"] == id, seconds)
            waiting = self.replies[json.dumps(id)]
        return waiting.pop(0)

    def request(self, type, **fields):
        return self.reply_to(self.ask(type, **fields))

    def ok(self, type, **fields):
        reply = self.request(type, **fields)
        assert reply["ok"], f"{type}: {reply}"
        return reply

    def code(self, type, **fields):
        """The error's code; None when it went well."""
        reply = self.request(type, **fields)
        return None if reply["ok"] else reply["error"]["code"]

    def wait_push(self, type, where=lambda push: True, seconds=20):
        """The first push of this type that was not taken by an earlier call."""
        fits = lambda push: push.get("type") == type and where(push)
        for push in self.pushes:
            if fits(push) and not push.get("taken"):
                push["taken"] = True
                return push
        found = self.read_until(fits, seconds)
        found["taken"] = True
        return found

    def quiet(self, seconds=0.3):
        """Reads what is there, and what comes within some time."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            text = self.wire.receive(max(0.01, end - time.monotonic()) / PATIENCE)
            if text is None:
                return
            self.take(text)

    def ready(self):
        self.ok("presence.set", state="ready")

    def state(self):
        return next(item["state"] for item in self.ok("agents.list")["items"] if item["id"] == self.agent)

    def cut(self):
        self.wire.cut()

    def close(self):
        self.wire.close()
