"""Stands between the gateway and Asterisk's REST interface, hands everything on, and measures how long after an event the command follows that it causes."""

import asyncio
import json
import struct
import threading
import time
import urllib.parse


class Delays:
    """What an event makes the gateway do: from the moment that the event was handed to it to the first byte of its command, in seconds."""

    def __init__(self):
        self.found = {"arrival → answer": [], "agent's channel → dial": [], "agent answers → bridge": [], "customer is gone → agent hung up": []}
        self.waited = []        # arrival → both in the bridge; in it are the agent's click and the PBX's own work
        self.open = {}          # what is awaited: (name, since)
        self.arrived = {}       # customer's channel → since
        self.agent_of = {}      # interaction → agent's channel
        self.owner_of = {}      # agent's channel → interaction
        self.customer_in = {}   # bridge → customer's channel

    def event(self, text, at):
        event = json.loads(text)
        kind, channel = event["type"], event.get("channel", {}).get("id", "")
        if kind == "StasisStart" and event["args"][:1] == ["inbound"]:
            self.arrived[channel] = at
            self.open[f"POST /channels/{channel}/answer"] = ("arrival → answer", at)
        elif kind == "StasisStart" and channel in self.owner_of:
            self.open[f"POST /channels/{channel}/dial"] = ("agent's channel → dial", at)
        elif kind == "ChannelStateChange" and event["channel"]["state"] == "Up" and channel in self.owner_of:
            self.open["bridge of " + self.owner_of[channel]] = ("agent answers → bridge", at)
        elif kind == "ChannelEnteredBridge":
            members = event["bridge"]["channels"]
            customer = next((each for each in members if each in self.arrived), None)
            if len(members) == 2 and customer:
                self.waited.append(at - self.arrived.pop(customer))
                self.customer_in[customer] = next(each for each in members if each != customer)
        elif kind in ("ChannelDestroyed", "StasisEnd") and channel in self.customer_in:
            # The later of the two: only with it is the end known.
            self.open[f"DELETE /channels/{self.customer_in[channel]}"] = ("customer is gone → agent hung up", at)

    def command(self, line, at):
        method, target, _ = line.split(" ", 2)
        parts = urllib.parse.urlsplit(target)
        path, fields = parts.path.removeprefix("/ari"), urllib.parse.parse_qs(parts.query)
        if (method, path) == ("POST", "/channels/create"):
            owner = fields["appArgs"][0].split(",")[2]
            self.owner_of[fields["channelId"][0]] = owner
            self.agent_of[owner] = fields["channelId"][0]
        if (method, path) == ("POST", "/bridges"):
            awaited = self.open.pop("bridge of " + fields["name"][0].rsplit("/", 1)[1], None)
        else:
            awaited = self.open.pop(f"{method} {path}", None)
        if awaited:
            self.found[awaited[0]].append(at - awaited[1])


class Requests:
    """The request lines in a stream of HTTP/1.1 requests."""

    def __init__(self):
        self.kept, self.body = b"", 0

    def feed(self, data):
        self.kept += data
        lines = []
        while self.kept:
            if self.body:
                taken = min(self.body, len(self.kept))
                self.kept, self.body = self.kept[taken:], self.body - taken
                continue
            end = self.kept.find(b"\r\n\r\n")
            if end < 0:
                break
            head, self.kept = self.kept[:end].decode("latin-1"), self.kept[end + 4:]
            lines.append(head.split("\r\n", 1)[0])
            self.body = next((int(line.split(":")[1]) for line in head.split("\r\n") if line.lower().startswith("content-length:")), 0)
        return lines


class Frames:
    """The texts in a stream of a WebSocket server's frames."""

    def __init__(self):
        self.kept, self.open = b"", False

    def feed(self, data):
        self.kept += data
        texts = []
        if not self.open:  # the answer to the handshake
            end = self.kept.find(b"\r\n\r\n")
            if end < 0:
                return texts
            self.kept, self.open = self.kept[end + 4:], True
        while len(self.kept) >= 2:
            length, at = self.kept[1] & 0x7F, 2
            if length == 126:
                if len(self.kept) < 4:
                    break
                length, at = struct.unpack(">H", self.kept[2:4])[0], 4
            elif length == 127:
                if len(self.kept) < 10:
                    break
                length, at = struct.unpack(">Q", self.kept[2:10])[0], 10
            if len(self.kept) < at + length:
                break
            if self.kept[0] & 0x0F == 1:
                texts.append(self.kept[at:at + length])
            self.kept = self.kept[at + length:]
        return texts


class Tap:
    """`url` stands for the PBX at `port`."""

    def __init__(self, port):
        self.port, self.delays = port, Delays()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        server = asyncio.run_coroutine_threadsafe(asyncio.start_server(self.serve, "127.0.0.1", 0), self.loop).result()
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    async def serve(self, reader, writer):
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            writer.close()
            return
        requests, frames, stream = Requests(), Frames(), []

        def sent(data, at):
            if stream:
                return
            for line in requests.feed(data):
                if "/ari/events" in line:
                    stream.append(True)
                else:
                    self.delays.command(line, at)

        def came(data, at):
            for text in frames.feed(data) if stream else []:
                self.delays.event(text, at)

        await asyncio.gather(self.hand_on(reader, far_writer, sent), self.hand_on(far_reader, writer, came))

    async def hand_on(self, reader, writer, look):
        try:
            while data := await reader.read(1 << 16):
                at = time.monotonic()
                writer.write(data)
                look(data, at)
        except OSError:
            pass
        writer.close()

    def close(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
