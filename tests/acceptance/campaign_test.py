"""Campaigns from outside: audiences, experiments, pause and resume, cancel, preview, a killed gateway, racing clients, the command line."""

import collections
import hashlib
import json
import threading
import time
import unittest

from gateway import World, request


def phone(number):
    return "+86138%08d" % number


def lines_of(items):
    return "\n".join(json.dumps(item, ensure_ascii=False) for item in items)


def upload(world, campaign, items, path="audience"):
    return request(f"{world.url}/v1/campaigns/{campaign}/{path}", "POST", lines_of(items), content_type="application/x-ndjson")


def hash_below(kind, campaign, contact, share):
    return int.from_bytes(hashlib.sha256(f"{kind}\n{campaign}\n{contact}".encode()).digest()[:8], "big") < share * 2**64


def total(campaign):
    return sum(campaign["counts"].values())


CAP = {"name": "capped", "rules": [{"name": "cap", "kind": "cap", "max": 1, "per": "P7D", "by": ["contact"]}]}


class CampaignTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World(policy=CAP)

    @classmethod
    def tearDownClass(cls):
        cls.world.close()

    def make(self, campaign, **more):
        answer = self.world.post("/v1/campaigns", {"id": campaign, "purpose": "marketing", "channels": ["sms"], "content": {"text": "你好 {{name}}"}, **more})
        self.assertEqual(answer.status, 201, answer.text)
        return answer.json

    def show(self, campaign):
        return self.world.get(f"/v1/campaigns/{campaign}").json

    def act(self, campaign, action, status=200):
        answer = self.world.post(f"/v1/campaigns/{campaign}/{action}")
        self.assertEqual(answer.status, status, answer.text)
        return answer.json

    def wait_done(self, campaign, seconds=60):
        self.world.wait(lambda: self.show(campaign)["state"] == "finished", f"{campaign} to finish, is {self.show(campaign)}", seconds)

    def test_definition_and_audience(self):
        self.make("definition", rate="500/minute", holdout=0.1)
        same = self.world.post("/v1/campaigns", {"holdout": 0.1, "rate": "500/minute", "content": {"text": "你好 {{name}}"}, "channels": ["sms"], "purpose": "marketing", "id": "definition"})
        self.assertEqual(same.status, 200)
        self.assertEqual(self.world.post("/v1/campaigns", {"id": "definition", "purpose": "service"}).status, 409)
        wrong = self.world.post("/v1/campaigns", {"id": "wrong", "rate": "fast", "window": {"from": "2026-11-02T00:00:00Z", "to": "2026-11-01T00:00:00Z"}, "zz": 1})
        self.assertEqual(wrong.status, 422)
        self.assertEqual({error["pointer"] for error in wrong.json["errors"]}, {"/rate", "/window/to", "/zz"})

        answer = upload(self.world, "definition", [{"contact": {"phone": phone(1)}, "variables": {"name": "王"}}, {"contact": {"phone": phone(1)}},
                                                   {"contact": {"id": "nobody"}}, {"contact": {"phone": "1"}}, {"contact": {"phone": phone(2)}, "arm": "x"}])
        self.assertEqual(answer.status, 200, answer.text)
        self.assertEqual((answer.json["added"], answer.json["duplicates"], answer.json["rejected"]), (1, 1, 3))
        self.assertEqual([error["line"] for error in answer.json["errors"]], [3, 4, 5])
        self.assertTrue(all(error["title"] and error["detail"] for error in answer.json["errors"]))
        self.assertEqual(upload(self.world, "definition", [{"contact": {"phone": phone(1)}}], "audience/remove").json["removed"], 1)
        self.assertEqual(upload(self.world, "none", [{"contact": {"phone": phone(1)}}]).status, 404)
        self.assertEqual(upload(self.world, "none", []).status, 404)
        self.act("definition", "start", 409)
        listed = self.world.get("/v1/campaigns?state=draft&limit=1000").json["items"]
        self.assertIn("definition", [campaign["id"] for campaign in listed])

    def test_experiment_is_recomputed(self):
        arms = [{"name": "a", "share": 0.5, "content": {"text": "A {{name}}"}}, {"name": "b", "share": 0.5, "content": {"text": "B {{name}}"}}]
        self.world.post("/v1/campaigns", {"id": "experiment", "purpose": "marketing", "channels": ["sms"], "holdout": 0.25, "arms": arms})
        contacts = [f"exp-{number}" for number in range(400)]
        made = self.world.bulk("/v1/contacts/bulk", [{"id": contact, "phones": [phone(1_000 + number)]} for number, contact in enumerate(contacts)])
        self.assertFalse([line for line in made if "error" in line])
        upload(self.world, "experiment", [{"contact": {"id": contact}, "variables": {"name": contact}} for contact in contacts[:390]])
        upload(self.world, "experiment", [{"contact": {"id": contact}, "variables": {"name": contact}, "arm": "holdout" if number % 2 else "b"}
                                          for number, contact in enumerate(contacts[390:])])
        started = self.act("experiment", "start")
        expected_hash = hashlib.sha256("".join(f"{contact}\t{'' if number < 390 else 'holdout' if number % 2 else 'b'}\n" for number, contact in enumerate(contacts)).encode()).hexdigest()
        self.assertEqual((started["audience"]["size"], started["audience"]["sha256"]), (400, expected_hash))
        self.wait_done("experiment")
        expected = {}
        for number, contact in enumerate(contacts):
            expected[contact] = "holdout" if hash_below("holdout", "experiment", contact, 0.25) else "a" if hash_below("arm", "experiment", contact, 0.5) else "b"
            if number >= 390:
                expected[contact] = "holdout" if number % 2 else "b"
        held = sum(arm == "holdout" for arm in expected.values())
        shown = self.show("experiment")
        self.assertEqual(shown["counts"]["held_out"], held)
        self.assertEqual(shown["counts"]["blocked"], 0)
        self.assertEqual(shown["by_arm"], {"a": sum(arm == "a" for arm in expected.values()), "b": sum(arm == "b" for arm in expected.values())})
        self.assertEqual(total(shown), 400)
        texts = {message["to"].lstrip("+"): message["text"] for message in self.world.messages()}
        for number, contact in enumerate(contacts):
            got = texts.get(phone(1_000 + number).lstrip("+"))
            self.assertEqual(got, None if expected[contact] == "holdout" else f"{expected[contact].upper()} {contact}")
        events = self.world.events(types="touch.held_out", campaign="experiment")
        self.assertEqual({event["data"]["contact_id"] for event in events}, {contact for contact, arm in expected.items() if arm == "holdout"})
        self.assertTrue(all(event["data"]["arm"] == "holdout" and event["data"]["campaign"] == "experiment" for event in events))
        ghost = self.world.get("/v1/touches/" + events[0]["data"]["touch_id"]).json
        self.assertEqual((ghost["state"], ghost["decision"]["rule"], ghost["arm"]), ("blocked", "holdout", "holdout"))
        self.assertEqual(ghost["key"], "campaign:experiment:" + ghost["contact_id"])

    def test_pause_resume_cancel(self):
        self.make("pausing", rate="20/second")
        upload(self.world, "pausing", [{"contact": {"phone": phone(5_000 + number)}, "variables": {"name": number}} for number in range(2_000)])
        self.act("pausing", "start")
        self.world.wait(lambda: self.show("pausing")["counts"]["accepted"] + self.show("pausing")["counts"]["delivered"] > 10, "some sent")
        self.assertEqual(self.act("pausing", "pause")["state"], "paused")
        self.world.wait(lambda: self.show("pausing")["counts"]["queued"] + self.show("pausing")["counts"]["dispatching"] == 0, "nothing queued")
        paused = self.show("pausing")
        self.assertEqual(total(paused), 2_000)
        self.assertGreater(paused["counts"]["deferred"], 0)
        self.assertLessEqual(paused["counts"]["deferred"], 1_000)
        self.assertGreaterEqual(paused["counts"]["pending"], 900)
        # Lists follow a little behind.
        self.world.wait(lambda: self.world.get("/v1/touches?campaign=pausing&state=deferred&limit=1").json["items"], "the list to show it")
        waiting = self.world.get("/v1/touches?campaign=pausing&state=deferred&limit=1").json["items"][0]
        self.assertEqual((waiting["decision"]["reason"], waiting["decision"]["until"], waiting["state"]), ("paused", None, "deferred"))
        # Its slot is free for another touch.
        other = self.world.post("/v1/touches", {"contact": {"id": waiting["contact_id"]}, "purpose": "service", "channels": ["sms"], "content": {"text": "service"}})
        self.assertEqual(other.json["decision"]["verdict"], "allow", other.text)
        sent_while_paused = len(self.world.messages())
        self.assertEqual(self.act("pausing", "resume")["state"], "running")
        self.world.wait(lambda: len(self.world.messages()) > sent_while_paused + 20, "sending again")
        self.assertEqual(self.act("pausing", "cancel")["state"], "cancelled")
        self.world.wait(lambda: sum(self.show("pausing")["counts"][word] for word in ("pending", "queued", "deferred", "dispatching")) == 0, "all cancelled")
        self.assertEqual(total(self.show("pausing")), 2_000)
        self.act("pausing", "start", 409)

    def test_preview(self):
        self.make("previewed", holdout=0.1, rate="100/second")
        people = [phone(20_000 + number) for number in range(20_000)]
        answer = upload(self.world, "previewed", [{"contact": {"phone": one}, "variables": {"name": "x"}} for one in people])
        self.assertEqual(answer.json["added"], 20_000)
        self.world.touch(people[3], purpose="service")
        head = self.world.get("/v1/log/head").json["sequence"]
        began = time.monotonic()
        answers = []
        racing = threading.Thread(target=lambda: answers.append(self.world.post("/v1/campaigns/previewed/preview")))
        racing.start()
        slowest = 0
        while racing.is_alive():
            at = time.monotonic()
            self.world.get("/v1/campaigns/previewed")
            slowest = max(slowest, time.monotonic() - at)
        preview = answers[0].json
        took = time.monotonic() - began
        self.assertEqual(answers[0].status, 200)
        self.assertLess(took, 60)
        self.assertLess(slowest, 2)
        counts = preview["counts"]
        self.assertEqual(sum(counts.values()), 20_000)
        self.assertAlmostEqual(counts["held_out"], 2_000, delta=300)
        self.assertLessEqual(counts["defer"] + counts["deny"], 1)
        self.assertEqual(preview["messages"], counts["allow"] + counts["defer"])
        self.assertIsNotNone(preview["earliest_finish"])
        self.assertEqual(self.world.get(f"/v1/events?after={head}&campaign=previewed").json["items"], [])

    def test_direct_touches_and_reserved_keys(self):
        self.make("direct")
        touch = self.world.touch(phone(50_001), campaign="direct").json
        self.world.wait_state(touch["id"], "accepted", "delivered")
        shown = self.show("direct")
        self.assertEqual(total(shown), 0)
        self.assertEqual(sum(shown["direct"].values()), 1)
        self.assertEqual(self.world.touch(phone(50_002), key="campaign:direct:x").status, 422)

    def test_command_line(self):
        key_file = self.world.folder / "key"
        key_file.write_text("acceptance-key-0123456789\n")
        definition = self.world.folder / "cli.json"
        definition.write_text('{"id": "cli", "purpose": "marketing", "channels": ["sms"], "content": {"text": "hi {{name}}"}}  // by hand')
        audience = self.world.folder / "cli.ndjson"
        audience.write_text(lines_of([{"contact": {"phone": phone(60_000 + number)}, "variables": {"name": "n"}} for number in range(50)]))
        common = ["--url", self.world.url, "--key-file", str(key_file)]
        made = self.world.command("campaign", "create", str(definition), *common)
        self.assertEqual(made.returncode, 0, made.stderr)
        added = self.world.command("campaign", "audience", "cli", str(audience), *common)
        self.assertEqual(added.returncode, 0, added.stderr)
        self.assertIn("50", added.stdout)
        preview = self.world.command("campaign", "preview", "cli", "--json", *common)
        self.assertEqual(json.loads(preview.stdout)["counts"]["allow"], 50)
        started = self.world.command("campaign", "start", "cli", "--watch", *common)
        self.assertEqual(started.returncode, 0, started.stderr)
        self.assertIn("100 %", started.stdout)
        listed = self.world.command("campaign", "list", "--json", *common)
        self.assertIn("cli", [json.loads(line)["id"] for line in listed.stdout.splitlines()])
        chinese = self.world.command("--lang", "zh-CN", "campaign", "show", "cli", *common)
        self.assertIn("已完成", chinese.stdout)
        self.assertEqual(self.world.command("campaign", "start", "none", *common).returncode, 1)


class KilledInTheMiddle(unittest.TestCase):
    def test_no_double_and_no_gap(self):
        """50,000 recipients; the gateway is killed several times while it sends. The message centre counts."""
        size = 50_000
        with World(policy=CAP, behaviour={"smsc": {"receipts": {"DELIVRD": 1.0}}}) as world:
            world.post("/v1/campaigns", {"id": "big", "purpose": "marketing", "channels": ["sms"], "content": {"text": "n{{n}}"}})
            for part in range(0, size, 10_000):
                answer = upload(world, "big", [{"contact": {"phone": phone(number)}, "variables": {"n": number}} for number in range(part, part + 10_000)])
                self.assertEqual(answer.json["added"], 10_000)
            self.assertEqual(world.post("/v1/campaigns/big/start").status, 200)

            def reached():
                counts = world.get("/v1/campaigns/big").json["counts"]
                return counts["accepted"] + counts["delivered"] + counts["unknown"]

            for step in (5_000, 20_000, 35_000):
                world.wait(lambda: reached() >= step, f"{step} sent", 240)
                world.kill()
                world.start()
                shown = world.get("/v1/campaigns/big").json
                self.assertEqual(total(shown), size)
            world.wait(lambda: world.get("/v1/campaigns/big").json["state"] == "finished", "finished", 300)
            shown = world.get("/v1/campaigns/big").json
            self.assertEqual(total(shown), size)
            received = collections.Counter(message["to"].lstrip("+") for message in world.messages())
            self.assertEqual([to for to, times in received.items() if times > 1], [])
            # Whoever got nothing is one of those whose outcome the kill left unknown.
            self.assertGreaterEqual(len(received) + shown["counts"]["unknown"], size)
            self.assertEqual(shown["counts"]["failed"] + shown["counts"]["expired"] + shown["counts"]["blocked"], 0)


class Race(unittest.TestCase):
    def test_eight_clients_race_for_the_same_contacts(self):
        """Under a running campaign eight clients send touches to its contacts: no one gets more than the cap allows."""
        policy = {"name": "two", "rules": [{"name": "cap", "kind": "cap", "max": 2, "per": "P1D", "by": ["contact"]}]}
        contacts = 1_000
        with World(policy=policy) as world:
            world.post("/v1/campaigns", {"id": "race", "purpose": "marketing", "channels": ["sms"], "content": {"text": "campaign"}, "priority": 40})
            upload(world, "race", [{"contact": {"phone": phone(number)}} for number in range(contacts)])
            world.post("/v1/campaigns/race/start")

            def client(seed):
                for round_ in range(3):
                    touches = [{"contact": {"phone": phone((number * 7 + seed * 13 + round_) % contacts)}, "purpose": ("marketing", "service")[seed % 2], "channels": ["sms"],
                                "content": {"text": f"client {seed}"}, "priority": 10 * seed} for number in range(contacts // 2)]
                    world.bulk("/v1/touches/bulk", touches)

            threads = [threading.Thread(target=client, args=(seed,)) for seed in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

            def calm():
                head = world.get("/v1/log/head").json["sequence"]
                lists = [world.get(f"/v1/touches?state={state}&limit=1&min_seq={head}") for state in ("queued", "dispatching")]
                return all(page.status == 200 and not page.json["items"] for page in lists)

            world.wait(calm, "nothing under way", 60)
            received = collections.Counter(message["to"] for message in world.messages())
            self.assertLessEqual(max(received.values()), 2)
            self.assertEqual(len(received), contacts)
            self.assertEqual(total(world.get("/v1/campaigns/race").json), contacts)


if __name__ == "__main__":
    unittest.main()
