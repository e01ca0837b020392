"""What leaves the gateway about its work: the events feed (pages, long polls, server-sent events), callbacks, reports, conversions."""

import hmac
import http.server
import json
import socket
import threading
import unittest

from gateway import KEY, World

SECRET = "a-secret-of-sixteen-bytes"


def phone(n):
    return f"+86138{n:08d}"


class Receiver:
    """The caller's side of callbacks: keeps what came, and refuses the first call."""

    def __init__(self):
        outer = self
        self.calls, self.refused = [], 0

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                first = outer.refused == 0
                if first:
                    outer.refused += 1
                else:
                    outer.calls.append((dict(self.headers), body))
                self.send_response(500 if first else 204)
                self.end_headers()

            def log_message(self, *words):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/callback"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def events(self):
        return [event for _, body in self.calls for event in json.loads(body)]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class FeedTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.receiver = Receiver()
        cls.world = World(policy={"name": "p", "rules": [{"name": "cap-day", "kind": "cap", "max": 1, "per": "P1D", "by": ["contact"]}]},
                          settings={"callbacks": {"scheduler": {"url": cls.receiver.url, "secret": SECRET, "events": ["final", "deferred", "replied"]}}})

    @classmethod
    def tearDownClass(cls):
        cls.world.close()
        cls.receiver.close()

    def sent(self, n, **more):
        touch = self.world.touch(phone(n), **more).json
        self.world.wait_state(touch["id"], "delivered")
        return touch

    def stream(self, path, until, headers=""):
        host, port = self.world.url.split("//")[1].split(":")
        with socket.create_connection((host, int(port)), timeout=15) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\nAccept: text/event-stream\r\n{headers}\r\n".encode())
            received = ""
            while until not in received:
                part = connection.recv(65536)
                if not part:
                    break
                received += part.decode()
        return received

    def test_every_event_is_a_cloud_event_and_the_sequence_has_no_gap(self):
        self.sent(1)
        events = self.world.events()
        self.assertEqual([event["sequence"] for event in events], list(range(1, len(events) + 1)))
        for event in events:
            self.assertLessEqual({"specversion", "id", "source", "type", "time", "data", "sequence"}, set(event))
            self.assertEqual(event["specversion"], "1.0")

    def test_filters_and_limits(self):
        touch = self.sent(2)
        self.assertEqual({event["type"] for event in self.world.events(types="touch.delivered")}, {"touch.delivered"})
        self.assertTrue({"contact.created", "touch.created"} <= {event["type"] for event in self.world.events(types="touch.*,contact.created")})
        self.assertIn(touch["id"], {event["subject"] for event in self.world.events(key_name="acceptance")})
        self.assertEqual(self.world.events(campaign="none"), [])
        self.assertEqual(len(self.world.get("/v1/events?limit=2").json["items"]), 2)
        end = self.world.get("/v1/events?after=99999999").json
        self.assertEqual((end["items"], end["last_seq"]), ([], self.world.get("/v1/log/head").json["sequence"]))
        for query, pointer in (("after=x", "/after"), ("limit=1001", "/limit"), ("wait=5", "/wait")):
            answer = self.world.get("/v1/events?" + query)
            self.assertEqual((answer.status, answer.json["errors"][0]["pointer"]), (422, pointer))

    def test_a_long_poll_answers_as_soon_as_something_happens(self):
        last = self.world.get("/v1/log/head").json["sequence"]
        answers = []
        waiting = threading.Thread(target=lambda: answers.append(self.world.get(f"/v1/events?after={last}&types=touch.created&wait=PT20S").json))
        waiting.start()
        made = self.world.touch(phone(3)).json["id"]
        waiting.join(20)
        self.assertEqual(answers[0]["items"][0]["subject"], made)
        self.assertEqual(self.world.get("/v1/events?after=99999999&wait=PT0.1S").json["items"], [])

    def test_a_stream_brings_what_is_there_and_what_comes_and_resumes(self):
        first = self.sent(4)
        streamed = self.stream("/v1/events?types=touch.delivered", first["id"])
        self.assertIn("Content-Type: text/event-stream", streamed)
        self.assertIn("event: touch.delivered", streamed)
        last = self.world.get("/v1/log/head").json["sequence"]
        live = []
        watching = threading.Thread(target=lambda: live.append(self.stream("/v1/events", "contact.created", f"Last-Event-ID: {last}\r\n")))
        watching.start()
        self.world.touch(phone(5))
        watching.join(20)
        identifiers = [int(line.split(": ")[1]) for line in live[0].splitlines() if line.startswith("id: ")]
        self.assertGreater(min(identifiers), last)

    def test_callbacks_are_signed_complete_and_tried_again(self):
        touch = self.sent(6, callback="scheduler", metadata={"order": 7})
        deferred = self.world.touch(phone(6), callback="scheduler", metadata={"order": 8}).json
        self.world.inbound(phone(6)[1:], "谢谢")
        self.world.wait(lambda: {"touch.delivered", "touch.deferred", "touch.replied"} <= {event["type"] for event in self.receiver.events()}, "the callbacks", 20)
        self.assertEqual(self.receiver.refused, 1)
        for headers, body in self.receiver.calls:
            signature = hmac.new(SECRET.encode(), headers["Touchgate-Timestamp"].encode() + b"." + body, "sha256").hexdigest()
            self.assertEqual(headers["Touchgate-Signature"], "v1=" + signature)
            self.assertEqual(headers["Content-Type"], "application/cloudevents-batch+json")
        found = {(event["subject"], event["type"]): event["data"] for event in self.receiver.events()}
        self.assertEqual(found[touch["id"], "touch.delivered"]["metadata"], {"order": 7})
        self.assertEqual(found[deferred["id"], "touch.deferred"]["metadata"], {"order": 8})
        self.assertEqual(found[deferred["id"], "touch.deferred"]["decision"]["until"], deferred["decision"]["until"])
        self.assertEqual(self.world.get("/v1/callbacks/scheduler/dead-letters").json["items"], [])
        self.assertEqual((self.world.post("/v1/callbacks/scheduler/replay").status, self.world.post("/v1/callbacks/nobody/replay").status), (200, 404))

    def test_report_frames(self):
        self.sent(7)
        for name in ("funnel", "channels", "policy", "cost"):
            with self.subTest(name):
                report = self.world.get("/v1/reports/" + name).json
                self.assertEqual(report["report"], name)
                self.assertLessEqual({"from", "to", "filters", "seq", "rows", "totals"}, set(report))
        funnel = self.world.get("/v1/reports/funnel").json["totals"]
        self.assertGreaterEqual(funnel["targeted"], funnel["sent"])
        self.assertGreaterEqual(funnel["sent"], funnel["delivered"])
        table = self.world.get("/v1/reports/funnel?format=csv").text
        self.assertTrue(table.startswith("\ufeffgroup,") and "\r\n" in table)
        self.assertTrue(self.world.get("/v1/reports/funnel?format=csv&bom=0").text.startswith("group,"))
        self.assertEqual(self.world.get("/v1/reports/nothing").status, 404)
        self.assertEqual(self.world.get("/v1/reports/funnel?format=xml").json["errors"][0]["pointer"], "/format")

    def test_conversions(self):
        conversion = {"key": "order-1", "contact": {"phone": phone(8)}, "at": "2026-01-01T00:00:00Z", "kind": "order", "value": 199.0, "currency": "CNY"}
        first, again = (self.world.post("/v1/conversions", conversion) for _ in range(2))
        self.assertEqual((first.status, again.status, again.json["duplicate"]), (201, 200, True))
        wrong = self.world.post("/v1/conversions", {"contact": {"phone": "1"}, "value": "x", "currency": "Yuan", "at": "z", "surprise": 1})
        self.assertEqual({error["pointer"] for error in wrong.json["errors"]}, {"/key", "/contact/phone", "/kind", "/value", "/currency", "/at", "/surprise"})
        lines = self.world.bulk("/v1/conversions/bulk", [{"key": "o2", "contact": {"phone": phone(8)}, "kind": "visit"}, {"kind": "x"}])
        self.assertEqual([line["line"] for line in lines], [1, 2])
        self.assertIn("error", lines[1])


if __name__ == "__main__":
    unittest.main(verbosity=2)
