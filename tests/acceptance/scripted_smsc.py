"""A message centre that answers as its test says: SMPP 3.4 over one thread per connection. Standard library only."""

import itertools
import socket
import struct
import threading

SUBMIT, DELIVER, ENQUIRE, UNBIND = 0x04, 0x05, 0x15, 0x06
BINDS = (0x01, 0x02, 0x09)
RESPONSE = 0x80000000


def pdu(command, status, sequence, body=b""):
    return struct.pack(">IIII", 16 + len(body), command, status, sequence) + body


def deliver_body(sender, text, esm_class=0, data_coding=0, parameters=b""):
    return (b"\0\1\1" + sender.encode() + b"\0\1\1" + b"10690000\0" + bytes([esm_class, 0, 0]) + b"\0\0" + bytes([0, 0, data_coding, 0, len(text)]) + text + parameters)


class ScriptedSmsc:
    """`on_submit(centre, connection, text)` gives the status of the answer, or None for no answer. Accepted messages get the ids ID1, ID2 …"""

    def __init__(self, on_submit=lambda centre, connection, text: 0, bind_status=0):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.on_submit, self.bind_status = on_submit, bind_status
        self.connections, self.received, self.submits = [], [], []
        self.binds = 0
        self.sequences = itertools.count(1000)
        self.ids = itertools.count(1)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.listener.close()
        for connection in list(self.connections):
            connection.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    @staticmethod
    def _read(connection, size):
        data = b""
        while len(data) < size:
            more = connection.recv(size - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    def _serve(self, connection):
        try:
            while True:
                length, command, status, sequence = struct.unpack(">IIII", self._read(connection, 16))
                body = self._read(connection, length - 16)
                if command in BINDS:
                    self.binds += 1
                    connection.sendall(pdu(command | RESPONSE, self.bind_status, sequence, b"centre\0" if self.bind_status == 0 else b""))
                    if self.bind_status == 0:
                        self.connections.append(connection)
                elif command == SUBMIT:
                    self.submits.append(body)
                    self._answer(connection, sequence, body)
                elif command in (ENQUIRE, UNBIND):
                    connection.sendall(pdu(command | RESPONSE, 0, sequence))
                else:
                    self.received.append((command, status, sequence))
        except (EOFError, OSError):
            pass
        finally:
            if connection in self.connections:
                self.connections.remove(connection)
            connection.close()

    def _answer(self, connection, sequence, body):
        answer = self.on_submit(self, connection, body)
        if answer is None:
            return
        message_id = f"ID{next(self.ids)}\0".encode() if answer == 0 else b""
        connection.sendall(pdu(SUBMIT | RESPONSE, answer, sequence, message_id))

    @property
    def connection(self):
        return self.connections[-1]

    def send(self, data):
        self.connection.sendall(data)

    def deliver(self, sender, text, connection=None, **more):
        sequence = next(self.sequences)
        (connection or self.connection).sendall(pdu(DELIVER, 0, sequence, deliver_body(sender, text, **more)))
        return sequence

    def receipt(self, message_id, destination, status="DELIVRD", connection=None):
        text = f"id:{message_id} sub:001 dlvrd:001 submit date:2611220000 done date:2611220001 stat:{status} err:000 text:"
        return self.deliver(destination, text.encode(), connection, esm_class=4)

    def answers_to(self, sequence):
        """(command, status) of everything that came back under this sequence number."""
        return [(command, status) for command, status, number in list(self.received) if number == sequence]

    def account(self, **more):
        return {"sms-main": {"adapter": "smpp", "host": "127.0.0.1", "port": self.port, "system_id": "gateway", "password": "secret", "source_address": "10690000",
                             "window": 8, "response_timeout": "PT1S", **more}}
