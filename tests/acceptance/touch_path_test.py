"""The touch path from outside, through the API and the sandbox's SMSC: what a scheduler, an operator and a customer would see."""

import json
import unittest

from gateway import KEY, World, request


def phone(n):
    return f"+86138{n:08d}"


class SendingTest(unittest.TestCase):
    def test_a_touch_is_sent_and_its_receipt_comes_back(self):
        with World() as world:
            made = world.touch(phone(1), key="k1", metadata={"order": "7"})
            self.assertEqual(made.status, 202)
            self.assertEqual(made.json["decision"]["policy"], "open@1")
            world.wait_state(made.json["id"], "delivered")
            read = world.get("/v1/touches/" + made.json["id"]).json
            self.assertEqual(read["attempts"][-1]["outcome"], "accepted")
            self.assertEqual(read["attempts"][-1]["receipts"][0]["raw"], "DELIVRD")
            self.assertEqual(read["metadata"], {"order": "7"})
            self.assertEqual([event["type"] for event in read["events"]][:2], ["touch.created", "touch.dispatching"])
            self.assertEqual([(m["to"], m["text"]) for m in world.messages()], [("8613800000001", "你好")])

    def test_a_repeated_key_is_the_same_touch_and_another_body_a_conflict(self):
        with World() as world:
            first = world.touch(phone(1), key="k")
            again = world.touch(phone(1), key="k")
            other = world.touch(phone(2), key="k")
            self.assertEqual((first.status, again.status, other.status), (202, 200, 409))
            self.assertTrue(again.json["duplicate"])
            self.assertEqual(again.json["id"], first.json["id"])
            self.assertEqual(other.json["touch_id"], first.json["id"])
            world.wait_state(first.json["id"], "delivered")
            self.assertEqual(len(world.messages()), 1)
            world.kill()
            world.start()
            self.assertEqual(world.touch(phone(1), key="k").status, 200)

    def test_bulk_answers_every_line_in_order_and_a_bad_line_stops_nobody(self):
        with World() as world:
            good = {"contact": {"phone": phone(1)}, "purpose": "marketing", "channels": ["sms"], "content": {"text": "a"}}
            body = "\n".join([json.dumps({**good, "key": "1"}), "{nonsense", "", json.dumps({**good, "purpose": "nothing"}), json.dumps({**good, "key": "1"}),
                              json.dumps({**good, "key": "1", "priority": 7}), json.dumps({**good, "key": "2"})])
            lines = request(world.url + "/v1/touches/bulk", "POST", body, content_type="application/x-ndjson").lines
            self.assertEqual([line["line"] for line in lines], [1, 2, 4, 5, 6, 7])
            self.assertIn("id", lines[0])
            self.assertEqual(lines[2]["error"]["status"], 422)
            self.assertEqual(lines[2]["error"]["errors"][0]["pointer"], "/purpose")
            self.assertTrue(lines[3]["duplicate"])
            self.assertEqual(lines[4]["error"]["status"], 409)
            self.assertEqual(lines[5]["state"], "queued")

    def test_twenty_thousand_touches_are_all_accounted_for(self):
        with World() as world:
            for start in range(0, 20000, 5000):
                lines = world.bulk("/v1/touches/bulk", [{"key": str(n), "contact": {"phone": phone(n)}, "purpose": "marketing", "channels": ["sms"], "content": {"text": "促销"}}
                                                         for n in range(start, start + 5000)])
                self.assertEqual(len(lines), 5000)
                self.assertFalse([line for line in lines if "error" in line])
            world.wait(lambda: world.get("/v1/reports/funnel").json["totals"].get("delivered") == 20000, "20000 delivered", 60)
            received = world.messages()
            self.assertEqual(len(received), 20000)
            self.assertEqual(len({message["to"] for message in received}), 20000)


class BadInputTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World()

    @classmethod
    def tearDownClass(cls):
        cls.world.close()

    def test_every_wrong_field_is_named(self):
        answer = self.world.post("/v1/touches", {"contact": {"phone": "123"}, "purpose": "nothing", "campaign": "none", "channels": ["fax"], "content": {"text": "x"}, "priority": 101,
                                                 "expires_at": "2020-01-01T00:00:00Z", "surprise": 1})
        self.assertEqual(answer.status, 422)
        self.assertEqual(answer.headers["Content-Type"], "application/problem+json")
        pointers = {error["pointer"] for error in answer.json["errors"]}
        for pointer in ("/contact/phone", "/priority", "/surprise"):
            self.assertIn(pointer, pointers)
        known = self.world.touch(phone(1), purpose="nothing", campaign="none")
        self.assertEqual({error["pointer"] for error in known.json["errors"]}, {"/purpose", "/campaign"})

    def test_status_codes(self):
        url = self.world.url
        for label, answer, status in [
            ("no key", request(url + "/v1/touches", "POST", {}, key=None), 401),
            ("wrong key", request(url + "/v1/touches", "POST", {}, key="wrong"), 401),
            ("not JSON", request(url + "/v1/touches", "POST", "{", key=KEY), 400),
            ("no such path", request(url + "/v1/nothing"), 404),
            ("no such method", request(url + "/v1/touches", "PATCH", {}), 405),
            ("media type", request(url + "/v1/touches", "POST", "x", content_type="text/csv"), 415),
            ("too large", request(url + "/v1/touches", "POST", b" " * (1 << 20) + b"{}"), 413),
            ("unknown contact", self.world.post("/v1/touches", {"contact": {"id": "nobody"}, "purpose": "marketing", "channels": ["sms"], "content": {"text": "x"}}), 422),
            ("unknown touch", self.world.get("/v1/touches/01939999-0000-7000-8000-000000000000"), 404),
        ]:
            with self.subTest(label):
                self.assertEqual(answer.status, status, answer.text)


class PolicyTest(unittest.TestCase):
    CAP = {"name": "cap", "rules": [{"name": "cap-day", "kind": "cap", "max": 2, "per": "P1D", "by": ["contact"]}]}

    def test_a_cap_defers_the_third_touch_and_says_why(self):
        with World(policy=self.CAP) as world:
            answers = [world.touch(phone(1)).json for _ in range(3)]
            self.assertEqual([a["decision"]["verdict"] for a in answers], ["allow", "allow", "defer"])
            self.assertEqual(answers[2]["decision"]["rule"], "cap-day")
            self.assertEqual(answers[2]["state"], "deferred")
            self.assertIsNotNone(answers[2]["decision"]["until"])
            asked = world.post("/v1/decisions", {"contact": {"phone": phone(1)}, "purpose": "marketing", "channels": ["sms"], "content": {"text": "x"}}).json
            step = [s for s in asked["trace"] if s["rule"] == "cap-day"][0]
            self.assertEqual((step["counted"], step["max"]), (2, 2))
            self.assertEqual(step["touches"], [answers[0]["id"], answers[1]["id"]])

    def test_a_cap_holds_under_concurrent_bulk_and_a_kill(self):
        with World(policy=self.CAP) as world:
            lines = world.bulk("/v1/touches/bulk", [{"contact": {"phone": phone(n % 50)}, "purpose": "marketing", "channels": ["sms"], "content": {"text": "x"}} for n in range(500)])
            queued = [line["id"] for line in lines if line["state"] == "queued"]
            self.assertEqual(len(queued), 100)
            world.kill()
            world.start()
            lines = world.bulk("/v1/touches/bulk", [{"contact": {"phone": phone(n)}, "purpose": "marketing", "channels": ["sms"], "content": {"text": "x"}} for n in range(50)])
            self.assertEqual({line["state"] for line in lines}, {"deferred"})
            # What was on the wire at the kill is unknown and is not sent again; all the rest must arrive.
            world.wait(lambda: {world.state(touch) for touch in queued} <= {"accepted", "delivered", "unknown"}, "the 100 settled", 30)
            per_phone = {}
            for message in world.messages():
                per_phone[message["to"]] = per_phone.get(message["to"], 0) + 1
            self.assertLessEqual(max(per_phone.values()), 2)
            unknown = sum(world.state(touch) == "unknown" for touch in queued)
            self.assertGreaterEqual(sum(per_phone.values()), 100 - unknown)
            self.assertLessEqual(unknown, 32, "no more than the window of the session was on the wire")

    def test_a_new_version_is_in_force_from_the_answer_on(self):
        with World() as world:
            answer = world.put("/v1/policies/open", {"name": "open", "rules": [{"name": "never", "kind": "cap", "max": 0, "per": "P1D", "by": ["contact"]}]})
            self.assertEqual((answer.status, answer.json["version"]), (200, 2))
            blocked = world.touch(phone(1)).json
            self.assertEqual((blocked["state"], blocked["decision"]["rule"], blocked["decision"]["policy"]), ("blocked", "never", "open@2"))
            bad = world.put("/v1/policies/open", {"name": "open", "rules": [{"name": "x", "kind": "nothing"}, {"name": "Y!", "kind": "cap"}]})
            self.assertEqual(bad.status, 422)
            self.assertGreaterEqual(len(bad.json["errors"]), 2)
            world.kill()
            world.start()
            self.assertEqual(world.touch(phone(2)).json["decision"]["policy"], "open@2")


class OptOutTest(unittest.TestCase):
    def test_a_reply_stops_everything_that_waits(self):
        with World(account={"rate": 1}) as world:
            first = world.touch(phone(1)).json
            world.wait_state(first["id"], "delivered")
            waiting = [world.touch(phone(1)).json["id"] for _ in range(5)]
            world.inbound("8613800000001", "ｔｄ。")
            world.wait(lambda: {world.state(touch) for touch in waiting} <= {"blocked", "delivered", "replied", "accepted"} and world.state(waiting[-1]) == "blocked", "blocked", 6)
            self.assertEqual(world.get("/v1/touches/" + waiting[-1]).json["decision"]["rule"], "opt-out")
            after = world.touch(phone(1)).json
            self.assertEqual((after["state"], after["decision"]["rule"]), ("blocked", "opt-out"))
            self.assertEqual(world.touch(phone(1), purpose="transactional").json["state"], "queued")

    def test_words_inside_a_sentence_are_no_opt_out(self):
        with World() as world:
            first = world.touch(phone(1)).json
            world.wait_state(first["id"], "delivered")
            world.inbound("8613800000001", "T恤有货吗")
            world.wait_state(first["id"], "replied")
            self.assertEqual(world.touch(phone(1)).json["state"], "queued")

    def test_a_suppression_list_bites_through_its_rule(self):
        with World(policy={"name": "dnc", "rules": [{"name": "dnc", "kind": "suppression", "lists": ["*"]}]}) as world:
            self.assertEqual(world.post("/v1/suppressions", {"list": "dnc", "phone": phone(1), "reason": "asked"}).status, 201)
            self.assertEqual(world.post("/v1/suppressions", {"list": "dnc", "phone": phone(1), "reason": "asked"}).status, 200)
            self.assertEqual(world.touch(phone(1)).json["decision"]["rule"], "dnc")
            self.assertEqual(world.delete("/v1/suppressions/dnc/%2B8613800000001").status, 204)
            self.assertEqual(world.touch(phone(1)).json["state"], "queued")

    def test_erasing_keeps_what_was_withdrawn(self):
        with World() as world:
            self.assertEqual(world.put("/v1/contacts/c1", {"phones": [phone(1)], "name": "王芳"}).status, 201)
            answer = world.post("/v1/contacts/c1/consents", {"channel": "sms", "purpose": "marketing", "status": "withdrawn", "source": "form", "evidence": "f1"})
            self.assertEqual(answer.status, 201)
            self.assertIn(world.delete("/v1/contacts/c1").status, (200, 204))
            self.assertEqual(world.get("/v1/contacts/c1").status, 404)
            self.assertEqual(world.touch(phone(1)).json["decision"]["rule"], "erased")
            world.kill()
            world.start()
            self.assertEqual(world.touch(phone(1)).json["decision"]["rule"], "erased")


class DurabilityTest(unittest.TestCase):
    def test_killed_in_the_middle_nothing_is_lost_and_nothing_is_sent_twice(self):
        with World(behaviour={"smsc": {"response_delay": "PT0.02S"}}) as world:
            ids = []
            for round_number in range(3):
                lines = world.bulk("/v1/touches/bulk", [{"key": f"{round_number}-{n}", "contact": {"phone": phone(round_number * 1000 + n)}, "purpose": "marketing", "channels": ["sms"],
                                                          "content": {"text": f"{round_number}-{n}"}} for n in range(1000)])
                ids += [line["id"] for line in lines]
                world.kill()
                world.start()
            world.wait(lambda: world.get("/v1/reports/funnel").json["totals"].get("targeted") == 3000, "all counted", 30)
            world.wait(lambda: not world.get("/v1/touches?state=queued&limit=1").json["items"], "queue empty", 60)
            texts = [message["text"] for message in world.messages()]
            self.assertEqual(len(texts), len(set(texts)), "a message was sent twice")
            missing = 3000 - len(texts)
            unknown = sum(world.state(touch) == "unknown" for touch in ids)
            self.assertLessEqual(missing, unknown)
            verified = world.command("log", "verify", "--config", str(world.config))
            self.assertEqual(verified.returncode, 0, verified.stdout)

    def test_sigterm_drains_and_the_next_start_goes_on(self):
        with World(account={"rate": 5}) as world:
            ids = [world.touch(phone(n)).json["id"] for n in range(20)]
            self.assertEqual(world.stop(), 0)
            world.start()
            world.wait(lambda: all(world.state(touch) == "delivered" for touch in ids), "all delivered", 20)
            self.assertEqual(len(world.messages()), 20)

    def test_verify_names_a_changed_byte_and_serve_refuses_it(self):
        with World() as world:
            for n in range(20):
                world.touch(phone(n))
            head = world.get("/v1/log/head").json
            world.kill()
            ok = world.command("log", "verify", "--config", str(world.config), "--expect", f"{head['sequence']}:{head['hash']}")
            self.assertEqual(ok.returncode, 0, ok.stdout)
            records = [json.loads(line) for line in world.command("log", "cat", "--config", str(world.config), "--offsets").stdout.splitlines()]
            self.assertEqual([record["sequence"] for record in records], list(range(1, len(records) + 1)))
            victim = records[10]
            path = world.folder / "data" / victim["file"]
            bytes_ = bytearray(path.read_bytes())
            bytes_[victim["offset"] + victim["length"] // 2] ^= 1
            path.write_bytes(bytes_)
            found = world.command("log", "verify", "--config", str(world.config))
            self.assertEqual(found.returncode, 1)
            self.assertIn("damaged: file=" + victim["file"], found.stdout)
            with self.assertRaises(RuntimeError):
                world.start()


if __name__ == "__main__":
    unittest.main(verbosity=2)
