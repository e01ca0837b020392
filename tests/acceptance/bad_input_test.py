"""Bad input gets a clear answer, the gateway goes on, and nothing of it is kept. Faults at the start are in start_test.py, hostile peers in smpp_test.py."""

import concurrent.futures
import json
import socket
import unittest

from gateway import KEY, World, days_ahead, request


def phone(n):
    return f"+86138{n:08d}"


GOOD = {"contact": {"phone": phone(1)}, "purpose": "marketing", "channels": ["sms"], "content": {"text": "x"}}


class SharedWorld(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World()

    @classmethod
    def tearDownClass(cls):
        cls.world.close()

    def made(self):
        return len(self.world.events(types="touch.created,contact.created,contact.updated"))

    def setUp(self):
        self.made_before = self.made()

    def assert_nothing_happened(self):
        self.assertEqual(self.made(), self.made_before)
        self.assertEqual(request(self.world.url + "/healthz", key=None).status, 200)

    def pointers(self, **wrong):
        answer = self.world.post("/v1/touches", {**GOOD, **wrong})
        self.assertEqual(answer.status, 422, answer.text)
        self.assertEqual(answer.headers["Content-Type"], "application/problem+json")
        self.assertTrue(all(error["detail"] for error in answer.json["errors"]))
        return {error["pointer"] for error in answer.json["errors"]}

    def raw(self, data, half_close=False, timeout=10):
        host, port = self.world.url.split("//")[1].split(":")
        with socket.create_connection((host, int(port)), timeout=timeout) as connection:
            connection.sendall(data)
            if half_close:
                connection.shutdown(socket.SHUT_WR)
            return connection.recv(65536).decode(errors="replace")


class TouchFieldTest(SharedWorld):
    def test_each_wrong_field_is_named(self):
        for wrong, pointer in [
            ({"contact": None}, "/contact"), ({"contact": "x"}, "/contact"), ({"contact": {}}, "/contact"), ({"contact": {"phone": phone(1), "id": "x"}}, "/contact"),
            ({"contact": {"id": "nobody"}}, "/contact/id"), ({"contact": {"phone": "123"}}, "/contact/phone"), ({"contact": {"phone": "abc"}}, "/contact/phone"),
            ({"contact": {"phone": 13800000001}}, "/contact/phone"), ({"contact": {"phone": phone(1) + "999999"}}, "/contact/phone"), ({"purpose": None}, "/purpose"), ({"purpose": 5}, "/purpose"),
            ({"purpose": "nothing"}, "/purpose"), ({"channels": "sms"}, "/channels"), ({"channels": []}, "/channels"), ({"channels": ["fax"]}, "/channels/0"), ({"channels": ["sms", "sms"]}, "/channels/1"),
            ({"template": "none", "content": None}, "/template"), ({"template": "none"}, "/content"), ({"content": None}, "/content"), ({"content": {}}, "/content"),
            ({"content": {"text": ""}}, "/content/text"), ({"content": {"text": 5}}, "/content/text"), ({"content": {"texts": "x"}}, "/content/texts"), ({"content": {"template_code": "SMS_1"}}, "/content"),
            ({"campaign": "none"}, "/campaign"), ({"priority": 101}, "/priority"), ({"priority": -1}, "/priority"), ({"priority": "5"}, "/priority"), ({"priority": 5.5}, "/priority"),
            ({"not_before": "tomorrow"}, "/not_before"), ({"not_before": "2027-01-01T00:00:00"}, "/not_before"), ({"expires_at": "2020-01-01T00:00:00Z"}, "/expires_at"),
            ({"expires_at": days_ahead(370)}, "/expires_at"), ({"not_before": days_ahead(41), "expires_at": days_ahead(40)}, "/expires_at"), ({"fallback_after": "30m"}, "/fallback_after"),
            ({"delivery": "exactly_once"}, "/delivery"), ({"key": 5}, "/key"), ({"unit": 5}, "/unit"), ({"metadata": "x"}, "/metadata"), ({"metadata": {"x": "y" * 2100}}, "/metadata"),
            ({"callback": "none"}, "/callback"), ({"variables": [1]}, "/variables"), ({"content": {"text": "{{a}}"}, "variables": {"b": "c"}}, "/variables/a"), ({"surprise": 1}, "/surprise"),
        ]:
            with self.subTest(json.dumps(wrong)):
                self.assertIn(pointer, self.pointers(**wrong))
        self.assert_nothing_happened()

    def test_all_faults_are_told_at_once(self):
        self.assertEqual(self.pointers(contact={"phone": "123"}, purpose="nothing", campaign="none", channels=["fax", "sms", "voice"], priority=101, expires_at="2020-01-01T00:00:00Z", callback="none", surprise=1, more=2),
                         {"/contact/phone", "/purpose", "/campaign", "/channels/0", "/channels/2", "/priority", "/expires_at", "/callback", "/surprise", "/more"})
        self.assert_nothing_happened()


class BodyTest(SharedWorld):
    def test_bodies_that_are_no_json(self):
        for label, body in [("empty", b""), ("cut", b"{"), ("two documents", b"{} {}"), ("a comment", b"{/*x*/}"), ("NaN", b'{"priority": NaN}'), ("too deep", b"[" * 100_000),
                            ("invalid UTF-8", b'{"content":{"text":"\xff\xfe"}}'), ("half a surrogate pair", b'{"content":{"text":"\\ud800"}}'), ("a key twice", b'{"purpose":"a","purpose":"b"}')]:
            with self.subTest(label):
                answer = self.world.post("/v1/touches", body)
                self.assertEqual((answer.status, answer.headers["Content-Type"]), (400, "application/problem+json"))
                self.assertTrue(answer.json["detail"])
        self.assert_nothing_happened()

    def test_bodies_that_are_no_object(self):
        for body in ("[1]", '"x"', "null", "5"):
            with self.subTest(body):
                answer = self.world.post("/v1/touches", body)
                self.assertEqual((answer.status, answer.json["errors"][0]["pointer"]), (422, ""))

    def test_size_and_media_type(self):
        self.assertEqual(self.world.post("/v1/touches", b'{"x":"' + b"a" * (1 << 20) + b'"}').status, 413)
        self.assertIn("413", self.raw(f"POST /v1/touches HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n\r\n".encode()))
        for media_type in ("text/plain", "application/xml", "application/x-www-form-urlencoded"):
            self.assertEqual(self.world.post("/v1/touches", GOOD, content_type=media_type).status, 415)
        self.assertEqual(self.world.post("/v1/touches/bulk", "x", content_type="application/json").status, 415)
        self.assert_nothing_happened()

    def test_a_bad_line_in_the_middle_of_bulk(self):
        lines = [json.dumps({**GOOD, "key": "a"}).encode(), b"\xff\xfe", b'{"x":"' + b"a" * (1 << 20) + b'"}', b"[]", b"", json.dumps({**GOOD, "contact": {"id": "nobody"}}).encode(), json.dumps({**GOOD, "key": "b"}).encode()]
        answered = request(self.world.url + "/v1/touches/bulk", "POST", b"\n".join(lines), content_type="application/x-ndjson").lines
        self.assertEqual([line["line"] for line in answered], [1, 2, 3, 4, 6, 7])
        self.assertEqual(["id" in line for line in answered], [True, False, False, False, False, True])
        for line in answered[1:5]:
            self.assertTrue(line["error"]["title"] and line["error"]["detail"])


class HttpTest(SharedWorld):
    def test_keys(self):
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic eDp5"}, {"Authorization": "Bearer "}):
            with self.subTest(headers):
                answer = request(self.world.url + "/v1/touches", key=None, headers=headers)
                self.assertEqual((answer.status, answer.headers["WWW-Authenticate"]), (401, "Bearer"))

    def test_paths_and_methods(self):
        self.assertEqual([request(self.world.url + path).status for path in ("/", "/v1/nothing", "/v1/contacts/%zz")], [404] * 3)
        answer = request(self.world.url + "/v1/touches", "DELETE")
        self.assertEqual((answer.status, "POST" in answer.headers["Allow"]), (405, True))

    def test_requests_that_are_none(self):
        post = f"POST /v1/touches HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\nContent-Type: application/json\r\n"
        for label, data, half_close, status in [
            ("TLS to a plain port", b"\x16\x03\x01\x00garbage\r\n\r\n", False, "400"), ("a negative length", b"POST /v1/touches HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n", False, "400"),
            ("a long header", b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 100_000 + b"\r\n\r\n", False, "431"), ("half a body", (post + "Content-Length: 100\r\n\r\n{").encode(), True, "400"),
        ]:
            with self.subTest(label):
                self.assertIn(status, self.raw(data, half_close).split("\r\n")[0])
        self.assert_nothing_happened()

    def test_a_caller_who_dawdles_holds_up_nobody(self):
        host, port = self.world.url.split("//")[1].split(":")
        dawdlers = [socket.create_connection((host, int(port))) for _ in range(50)]
        try:
            for dawdler in dawdlers:
                dawdler.sendall(f"POST /v1/touches HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\nContent-Type: application/json\r\nContent-Length: 200\r\n\r\n{{".encode())
            with concurrent.futures.ThreadPoolExecutor(8) as pool:
                answers = list(pool.map(lambda n: self.world.post("/v1/touches", {**GOOD, "key": f"dawdle-{n}"}).status, range(20)))
            self.assertEqual(answers, [202] * 20)
        finally:
            for dawdler in dawdlers:
                dawdler.close()

    def test_a_bulk_request_that_breaks_off_keeps_what_was_answered(self):
        host, port = self.world.url.split("//")[1].split(":")
        with socket.create_connection((host, int(port)), timeout=20) as connection:
            connection.sendall(f"POST /v1/touches/bulk HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
            line = json.dumps({**GOOD, "key": "broken-off"}).encode() + b"\n"
            connection.sendall(f"{len(line):x}\r\n".encode() + line + b"\r\n")
            received = b""
            while b'"line":1' not in received:  # answered while the request still streams
                received += connection.recv(65536)
        self.assertEqual(self.world.post("/v1/touches", {**GOOD, "key": "broken-off"}).status, 200)


class HookTest(SharedWorld):
    @classmethod
    def setUpClass(cls):
        account = {"adapter": "http_sms", "base_url": "http://127.0.0.1:9", "request": {"path": "/", "body": {"text": "{{text}}"}}, "accept": {"id": "/id"},
                   "receipt": {"token": "receipt-token", "id": "/id", "status": "/status", "map": {"OK": "delivered"}}, "mo": {"token": "message-token", "id": "/id", "from": "/from", "text": "/text"}}
        cls.world = World(accounts={"sms-http": account})

    def hook(self, path, body, method="POST"):
        return request(self.world.url + "/hooks/" + path, method, body if method == "POST" else None, key=None).status

    def test_forged_and_broken_callbacks(self):
        before = len(self.world.events())
        self.assertEqual(self.hook("sms-http/wrong-token", {"id": "1", "status": "OK"}), 404)
        self.assertEqual(self.hook("sms-http", {"id": "1", "status": "OK"}), 404)
        self.assertEqual(self.hook("nobody/receipt-token", {}), 404)
        self.assertEqual(self.hook("sms-http/receipt-token", b"\xff\xfe"), 400)
        self.assertEqual(self.hook("sms-http/receipt-token", b"x" * (1 << 21)), 413)
        self.assertEqual(self.hook("sms-http/receipt-token", None, "GET"), 405)
        self.assertEqual(len(self.world.events()), before, "nothing refused reaches the log")
        self.assertGreaterEqual(sum(self.world.get("/v1/accounts").json["items"][0]["hook"]["refused"].values()), 4)

    def test_a_receipt_for_an_unknown_id_is_kept(self):
        self.assertEqual(self.hook("sms-http/receipt-token", {"id": "nobody-knows", "status": "OK"}), 200)
        self.assertTrue([event for event in self.world.events(types="receipt.received") if event["data"]["provider_id"] == "nobody-knows"])

    def test_a_repeated_message_counts_once(self):
        for _ in range(2):
            self.assertEqual(self.hook("sms-http/message-token", {"id": "mo-1", "from": phone(5)[1:], "text": "TD"}), 200)
        self.assertEqual(len(self.world.events(types="message.received")), 1)
        self.assertEqual(self.world.post("/v1/touches", {**GOOD, "contact": {"phone": phone(5)}}).json["decision"]["rule"], "opt-out")


class OverloadTest(unittest.TestCase):
    def test_a_full_queue_refuses_with_a_time_to_come_again_and_then_goes_on(self):
        with World(account={"rate": 0.5}, settings={"limits": {"waiting_touches": 20}}) as world:
            answers = [world.touch(phone(n)) for n in range(25)]
            refused = [answer for answer in answers if answer.status == 503]
            self.assertTrue(refused)
            self.assertGreaterEqual(int(refused[0].headers["Retry-After"]), 1)
            self.assertEqual({answer.status for answer in answers}, {202, 503})
            taken = next(answer for answer in reversed(answers) if answer.status == 202).json["id"]
            world.post(f"/v1/touches/{taken}/cancel")
            self.assertEqual(world.touch(phone(100)).status, 202)


if __name__ == "__main__":
    unittest.main(verbosity=2)
