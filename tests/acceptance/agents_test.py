"""Agents at work, from outside: sockets, offers, conversations, restarts, limits, the wallboard."""

import concurrent.futures
import datetime
import http.client
import json
import threading
import time
import unittest
import urllib.parse

from agent_socket import BINARY, TEXT, Closed, Desk, Refused, Socket
from gateway import KEY, PATIENCE, SCOPES, World, request

EAST = "key-of-the-east-0001"
QUEUE = {"channels": ["sms"], "offer_timeout": "PT20S", "backoff": {"reject": "PT0S", "no_answer": "PT0S"}}
ACCOUNT = {"queue": "care"}


class Centre(World):
    """A gateway with a queue and some agents; customers write by POST /v1/events/inbound."""

    def __init__(self, queue=None, agents=("a1", "a2"), settings=None, **more):
        self.desks = []
        super().__init__(account=ACCOUNT, settings=settings, **more)
        self.written = 0
        assert self.put("/v1/queues/care", {**QUEUE, **(queue or {})}).status == 201
        for agent in agents:
            self.agent(agent)

    def agent(self, agent, **more):
        answer = self.put("/v1/agents/" + agent, {"name": "Agent " + agent, "capacity": {"sms": 2}, "queues": ["care"], **more})
        assert answer.status in (200, 201), answer.text
        return answer.json

    def write(self, n=1, text="我的订单在哪里", **more):
        """A customer writes; the id of the interaction."""
        self.written += 1
        answer = self.post("/v1/events/inbound", {"key": f"in-{self.written}", "channel": "sms", "account": "sms-main", "contact": {"phone": f"+86138{n:08d}"}, "kind": "message",
                                                  "content": {"text": text}, **more})
        assert answer.status == 202, answer.text
        return answer.json["interaction"]

    def interaction(self, id):
        return self.get("/v1/interactions/" + id).json

    def desk(self, agent, **more):
        self.desks.append(Desk(self, agent, **more))
        return self.desks[-1]

    def close(self):
        for desk in self.desks:
            desk.close()
        super().close()

    def ready(self, agent, **more):
        desk = self.desk(agent, **more)
        desk.ready()
        return desk


def conversation(world, desk, n=1, **more):
    """A customer writes, the agent takes it: the interaction."""
    interaction = world.write(n, **more)
    offer = desk.wait_push("offer", lambda push: push["interaction"] == interaction)
    desk.ok("offer.accept", offer=offer["offer"], fence=offer["fence"])
    desk.wait_push("interaction.connected", lambda push: push["interaction"] == interaction)
    return interaction


class HandshakeTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = Centre(settings={"agents": {"origins": ["https://desk.example.com"]}})

    @classmethod
    def tearDownClass(cls):
        cls.world.close()

    def refused(self, **more):
        with self.assertRaises(Refused) as caught:
            Socket(self.world.url, **more)
        return caught.exception

    def test_the_token_goes_as_a_header_or_as_a_sub_protocol(self):
        token = self.world.agent_token("a1")
        for bearer in (True, False):
            wire = Socket(self.world.url, token, bearer=bearer)
            self.assertEqual(wire.headers["sec-websocket-protocol"], "touchgate.v1", "the token is not repeated")
            hello = json.loads(wire.receive())
            self.assertEqual({name: hello[name] for name in ("type", "agent", "name", "role", "lease")},
                             {"type": "hello", "agent": "a1", "name": "Agent a1", "role": "agent", "lease": "PT15S"})
            self.assertNotIn("seq", hello)
            self.assertIn("last_seq", hello)
            wire.close()

    def test_who_has_no_valid_token_gets_401_before_the_upgrade(self):
        token = self.world.agent_token("a1")
        payload, signature = token.split(".")
        bad = [None, "", "x", payload + "." + "0" * 64, payload[:-2] + "62." + signature, KEY, token + "0", "." + signature, payload + "."]
        for each in bad:
            for bearer in (True, False):
                if each is not None and not each.strip():
                    continue
                self.assertEqual(self.refused(token=each, bearer=bearer).status, 401, each)
        short = self.world.post("/v1/agents/a1/token", {"ttl": "PT1S"}).json
        self.world.wait(lambda: self.refused_status(short["token"]) == 401, "the token expired")

    def refused_status(self, token):
        try:
            Socket(self.world.url, token).close()
            return 101
        except Refused as refused:
            return refused.status

    def test_an_agent_who_is_not_there_or_disabled_cannot_connect(self):
        self.world.agent("leaver")
        token = self.world.agent_token("leaver")
        desk = self.world.desk("leaver", token=token)
        self.assertEqual(self.world.delete("/v1/agents/leaver").status, 204)
        with self.assertRaises(Closed) as closed:
            desk.read_until(lambda frame: False)
        self.assertEqual(closed.exception.code, 4403)
        self.assertEqual(self.refused_status(token), 401)
        self.assertEqual(self.world.post("/v1/agents/leaver/token").status, 409)
        self.assertEqual(self.world.post("/v1/agents/nobody/token").status, 404)
        self.world.agent("leaver")
        self.assertEqual(self.refused_status(token), 101, "enabled again")

    def test_the_sub_protocol_must_be_offered(self):
        token = self.world.agent_token("a1")
        self.assertEqual(self.refused(token=token, bearer=True, protocols=[]).status, 400)
        self.assertEqual(self.refused(token=token, bearer=True, protocols=["touchgate.v9"]).status, 400)

    def test_what_is_no_handshake_is_told_how(self):
        answer = request(self.world.url + "/v1/agent", key=self.world.agent_token("a1"))
        self.assertEqual((answer.status, answer.headers["Upgrade"], answer.headers["Sec-WebSocket-Version"]), (426, "websocket", "13"))
        self.assertEqual(self.world.post("/v1/agent").status, 405)
        for bad in (None, KEY, "x.y"):
            self.assertEqual(request(self.world.url + "/v1/agent", key=bad).status, 401, "who may come in is asked first")

    def test_only_pages_of_the_named_origins_may_connect(self):
        token = self.world.agent_token("a1")
        self.assertEqual(self.refused(token=token, headers={"Origin": "https://elsewhere.example.com"}).status, 403)
        Socket(self.world.url, token, headers={"Origin": "https://desk.example.com"}).close()

    def test_an_agent_has_a_limited_number_of_connections(self):
        self.world.agent("crowd")
        token = self.world.agent_token("crowd")
        wires = [Socket(self.world.url, token) for _ in range(8)]
        self.assertEqual(self.refused(token=token).status, 429)
        wires[0].close()
        self.world.wait(lambda: self.refused_status(token) == 101, "a place was free again")
        for wire in wires[1:]:
            wire.close()


class ResourceTest(unittest.TestCase):
    """Agents, queues, the wallboard over HTTP."""

    @classmethod
    def setUpClass(cls):
        keys = [{"name": "acceptance", "key": KEY, "scopes": SCOPES}, {"name": "east", "key": EAST, "scopes": ["agents@hq/east"]}]
        cls.world = Centre(settings={"api_keys": keys})

    @classmethod
    def tearDownClass(cls):
        cls.world.close()

    def test_an_agent_as_put_and_as_read(self):
        document = {"name": "王芳", "unit": "hq/east", "skills": {"english": 3}, "capacity": {"voice": 1, "sms": 5}, "extension": "1001", "queues": ["care"]}
        made = self.world.put("/v1/agents/fang", document)
        self.assertEqual(made.status, 201, made.text)
        self.assertEqual(self.world.put("/v1/agents/fang", document).status, 200)
        read = self.world.get("/v1/agents/fang").json
        for member, value in document.items():
            self.assertEqual(read[member], value, member)
        self.assertEqual((read["id"], read["state"], read["interactions"], read["connections"]), ("fang", "offline", [], 0))
        bad = self.world.put("/v1/agents/fang", {"capacity": {"sms": -1}, "queues": ["nowhere"], "surprise": 1})
        self.assertEqual(bad.status, 422)
        self.assertIn("/surprise", {error["pointer"] for error in bad.json["errors"]})
        self.assertEqual(self.world.put("/v1/agents/fang", {"id": "other"}).json["errors"][0]["pointer"], "/id")
        self.assertEqual(self.world.get("/v1/agents/nobody").status, 404)

    def test_agents_come_in_pages(self):
        found, cursor = [], ""
        while True:
            page = self.world.get(f"/v1/agents?limit=1&cursor={cursor}").json
            found += [item["id"] for item in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        self.assertEqual(found, sorted(found))
        self.assertLessEqual({"a1", "a2"}, set(found))

    def test_a_queue_as_put_and_as_read(self):
        document = {"channels": ["sms"], "strategy": "best_skill", "service_level": {"percent": 80, "within": "PT20S"}, "wrap_up": "PT30S"}
        self.assertEqual(self.world.put("/v1/queues/vip", document).status, 201)
        read = self.world.get("/v1/queues/vip").json
        for member, value in document.items():
            self.assertEqual(read[member], value)
        self.assertEqual(read["now"]["waiting"], 0)
        self.assertIn("vip", [item["id"] for item in self.world.get("/v1/queues").json["items"]])
        self.assertEqual(self.world.get("/v1/queues/none").status, 404)
        self.assertIn("/strategy", [error["pointer"] for error in self.world.put("/v1/queues/vip", {"strategy": "worst"}).json["errors"]])

    def test_a_key_that_is_limited_to_units_sees_only_theirs(self):
        put = lambda path, document: request(self.world.url + path, "PUT", document, key=EAST)
        self.assertEqual(put("/v1/queues/east", {"channels": ["sms"]}).status, 201)
        self.assertEqual(put("/v1/agents/e1", {"capacity": {"sms": 1}, "queues": ["east"]}).status, 201)
        self.assertEqual(self.world.get("/v1/agents/e1").json["unit"], "hq/east")
        self.assertEqual(put("/v1/agents/a1", {"capacity": {"sms": 1}}).status, 404)
        self.assertEqual(put("/v1/agents/e2", {"unit": "hq/west"}).status, 403)
        self.assertEqual(put("/v1/queues/care", {"channels": ["sms"]}).status, 404)
        self.assertEqual([item["id"] for item in self.world.get("/v1/queues", key=EAST).json["items"]], ["east"])
        self.assertNotIn("a1", [item["id"] for item in self.world.get("/v1/agents", key=EAST).json["items"]])
        board = self.world.get("/v1/wallboard", key=EAST).json
        self.assertEqual([queue["id"] for queue in board["queues"]], ["east"])
        self.assertEqual(request(self.world.url + "/v1/agents/a1/token", "POST", {}, key=EAST).status, 404)

    def test_tokens_last_as_long_as_asked(self):
        now = datetime.datetime.now(datetime.timezone.utc)
        hours = lambda answer: (datetime.datetime.fromisoformat(answer.json["expires_at"].replace("Z", "+00:00")) - now).total_seconds() / 3600
        self.assertAlmostEqual(hours(self.world.post("/v1/agents/a1/token", {})), 8, delta=0.1)
        self.assertAlmostEqual(hours(self.world.post("/v1/agents/a1/token", {"ttl": "PT2H"})), 2, delta=0.1)
        self.assertEqual(self.world.post("/v1/agents/a1/token", {"ttl": "soon"}).status, 422)


class OfferTest(unittest.TestCase):
    def setUp(self):
        self.world = Centre()
        self.addCleanup(self.world.close)

    def test_a_conversation_from_the_first_word_to_the_end(self):
        desk = self.world.desk("a1")
        self.assertEqual((desk.snapshot["presence"]["state"], desk.snapshot["offers"], desk.snapshot["interactions"]), ("not_ready", [], []))
        desk.ready()
        self.assertEqual(desk.wait_push("presence")["state"], "ready")
        interaction = self.world.write(7, "我的订单在哪里")
        offer = desk.wait_push("offer")
        self.assertEqual((offer["interaction"], offer["queue"], offer["channel"], offer["auto_answer"]), (interaction, "care", "sms", False))
        self.assertEqual(offer["contact"]["addresses"], ["+86138****0007"], "agents see masked numbers")
        self.assertEqual(offer["context"]["last_text"], "我的订单在哪里")
        accepted = desk.ok("offer.accept", offer=offer["offer"], fence=offer["fence"])["interaction"]
        self.assertEqual((accepted["id"], accepted["state"], accepted["agent"], accepted["messages"][0]["content"]), (interaction, "assigned", "a1", {"text": "我的订单在哪里"}))
        connected = desk.wait_push("interaction.connected")
        self.assertEqual((connected["interaction"], connected["queue"]), (interaction, "care"))

        sent = desk.ok("message.send", interaction=interaction, content={"text": "今天下午送到"})
        self.assertEqual(sent["touch"]["purpose"], "service")
        self.world.wait(lambda: any(message["text"] == "今天下午送到" for message in self.world.messages()), "the customer got the answer")
        out = desk.wait_push("message", lambda push: push["direction"] == "out")
        self.assertEqual(out["touch"], sent["touch"]["id"])
        self.world.write(7, "谢谢")
        self.assertEqual(desk.wait_push("message", lambda push: push["direction"] == "in")["content"], {"text": "谢谢"})

        closed = desk.ok("interaction.wrap_up", interaction=interaction, disposition="solved", note="二次确认")["interaction"]
        self.assertEqual((closed["state"], closed["disposition"]), ("completed", "solved"))
        self.assertEqual(desk.wait_push("interaction.closed")["interaction"], interaction)
        read = self.world.interaction(interaction)
        self.assertEqual((read["state"], read["agent"], read["disposition"], len(read["messages"])), ("completed", "a1", "solved", 3))
        self.assertIsNotNone(read["assigned_at"])
        numbers = [push["seq"] for push in desk.pushes]
        self.assertEqual(numbers, list(range(numbers[0], numbers[0] + len(numbers))), "each number once, without gaps")

    def test_a_rejected_offer_goes_to_the_next(self):
        first = self.world.ready("a1")
        second = self.world.ready("a2")
        interaction = self.world.write()
        taker, other = first, second
        try:
            offer = first.wait_push("offer", seconds=2)
        except AssertionError:
            taker, other = second, first
            offer = second.wait_push("offer")
        taker.ok("offer.reject", offer=offer["offer"], reason="busy")
        self.assertEqual(taker.wait_push("offer.revoked")["reason"], "rejected")
        again = other.wait_push("offer")
        self.assertEqual(again["interaction"], interaction)
        self.assertGreater(again["fence"], offer["fence"])
        self.assertEqual(taker.code("offer.accept", offer=offer["offer"]), "stale_offer")

    def test_an_offer_that_is_not_answered_comes_back_and_blocks_the_agent(self):
        self.world.put("/v1/queues/care", {**QUEUE, "offer_timeout": "PT1S", "rona": 1})
        desk = self.world.ready("a1")
        interaction = self.world.write()
        offer = desk.wait_push("offer")
        self.assertEqual(desk.wait_push("offer.revoked")["reason"], "timeout")
        self.assertEqual(desk.wait_push("presence", lambda push: push["state"] == "rona_blocked")["agent"], "a1")
        self.assertEqual(desk.code("offer.accept", offer=offer["offer"], fence=offer["fence"]), "stale_offer")
        self.assertEqual(self.world.interaction(interaction)["state"], "queued")
        desk.ready()
        self.assertEqual(desk.wait_push("offer")["interaction"], interaction)

    def test_errors_have_their_codes(self):
        desk = self.world.ready("a1")
        other = self.world.desk("a2")
        interaction = self.world.write()
        offer = desk.wait_push("offer")
        nothing = "01939999-0000-7000-8000-000000000000"
        self.assertEqual(other.code("offer.accept", offer=offer["offer"]), "not_yours")
        self.assertEqual(other.code("offer.accept", offer=nothing), "unknown_offer")
        self.assertEqual(desk.code("offer.accept", offer=offer["offer"], fence=offer["fence"] + 1), "stale_offer")
        self.assertEqual(other.code("message.send", interaction=interaction, content={"text": "x"}), "not_yours")
        self.assertEqual(desk.code("message.send", interaction=nothing, content={"text": "x"}), "unknown_interaction")
        self.assertEqual(desk.code("interaction.get", interaction=nothing), "unknown_interaction")
        for type, fields in (("offer.accept", {}), ("presence.set", {}), ("presence.set", {"state": "happy"}), ("message.send", {"interaction": interaction}),
                             ("no.such.thing", {}), ("call.dial", {"purpose": "service"}), ("call.dial", {"purpose": "service", "number": "x"}), ("promise.create", {"contact": "x"}),
                             ("resume", {}), ("resume", {"after": -1}), ("resume", {"after": "1"}), ("call.dtmf", {"interaction": interaction, "digits": "x"})):
            reply = desk.request(type, **fields)
            self.assertEqual((reply["ok"], reply["error"]["code"]), (False, "bad_request"), (type, fields))
        self.assertEqual(desk.code("sip.settings"), "not_configured")
        self.assertEqual(desk.code("supervisor.set_presence", agent="a2", state="not_ready"), "not_allowed")
        desk.ok("offer.accept", offer=offer["offer"])
        self.assertEqual(desk.code("offer.accept", offer=offer["offer"]), "stale_offer", "decided already")
        self.assertEqual(desk.code("call.hold", interaction=interaction), "wrong_state")

    def test_an_answer_that_the_policy_forbids_is_told_with_the_decision(self):
        policy = {"name": "open", "default_channels": {"*": ["sms"]}, "rules": [{"name": "dnc", "kind": "suppression", "lists": ["*"]}]}
        with Centre(policy=policy) as world:
            desk = world.ready("a1")
            interaction = conversation(world, desk, 5)
            self.assertEqual(world.post("/v1/suppressions", {"list": "complainers", "phone": "+8613800000005", "reason": "asked"}).status, 201)
            reply = desk.request("message.send", interaction=interaction, content={"text": "hello"})
            self.assertEqual((reply["ok"], reply["error"]["code"], reply["decision"]["rule"]), (False, "policy_denied", "dnc"), reply)

    def test_two_sockets_of_one_agent_see_the_same(self):
        one = self.world.ready("a1")
        two = self.world.desk("a1")
        interaction = self.world.write()
        offers = [desk.wait_push("offer") for desk in (one, two)]
        self.assertEqual({(offer["seq"], offer["offer"], offer["interaction"]) for offer in offers}, {(offers[0]["seq"], offers[0]["offer"], interaction)})
        two.ok("offer.accept", offer=offers[1]["offer"], fence=offers[1]["fence"])
        self.assertEqual({desk.wait_push("interaction.connected")["seq"] for desk in (one, two)}, {two.pushes[-1]["seq"]})
        self.assertEqual(one.code("offer.accept", offer=offers[0]["offer"]), "stale_offer")
        two.cut()
        one.ok("message.send", interaction=interaction, content={"text": "still here"})
        self.assertEqual(self.world.get("/v1/agents/a1").json["state"], "ready")

    def test_transfers_by_the_agent_and_by_the_api(self):
        self.world.put("/v1/queues/second", {**QUEUE})
        self.world.agent("b1", queues=["second"])
        first, second = self.world.ready("a1"), self.world.ready("b1")
        interaction = conversation(self.world, first)
        first.ok("interaction.transfer", interaction=interaction, to="queue:second", note="需要专家")
        self.assertEqual(first.wait_push("interaction.closed")["reason"], "transfer")
        offer = second.wait_push("offer")
        self.assertEqual((offer["interaction"], offer["queue"]), (interaction, "second"))
        second.ok("offer.accept", offer=offer["offer"])
        moved = self.world.post(f"/v1/interactions/{interaction}/transfer", {"to": "agent:a1", "note": "zurück"})
        self.assertEqual(moved.status, 200, moved.text)
        self.assertEqual(first.wait_push("offer")["interaction"], interaction)
        for body, pointer in (({"to": "queue:none"}, "/to"), ({}, "/to"), ({"to": "queue:care", "x": 1}, "/x")):
            bad = self.world.post(f"/v1/interactions/{interaction}/transfer", body)
            self.assertEqual((bad.status, bad.json["errors"][0]["pointer"]), (422, pointer))
        self.assertEqual(self.world.post("/v1/interactions/01939999-0000-7000-8000-000000000000/transfer", {"to": "queue:care"}).status, 404)

    def test_a_supervisor_sets_presence_and_takes_work_from_one_to_another(self):
        self.world.agent("boss", role="supervisor", supervises=["care"])
        desk, boss = self.world.ready("a1"), self.world.desk("boss")
        self.assertEqual(boss.hello["role"], "supervisor")
        interaction = conversation(self.world, desk)
        other = self.world.ready("a2")
        boss.ok("supervisor.reassign", interaction=interaction, to="agent:a2")
        self.assertEqual(other.wait_push("offer")["interaction"], interaction)
        boss.ok("supervisor.set_presence", agent="a1", state="not_ready")
        self.assertEqual(desk.wait_push("presence", lambda push: push["intent"] == "not_ready")["reason"], "supervisor")

    def test_wrap_up_time_is_pushed_with_the_codes(self):
        self.world.put("/v1/queues/care", {**QUEUE, "wrap_up": "PT1S", "dispositions": ["solved", {"code": "dnc", "label": "勿扰", "dnc": {"channels": ["*"]}}]})
        desk = self.world.ready("a1")
        interaction = conversation(self.world, desk)
        self.assertEqual(self.world.post(f"/v1/interactions/{interaction}/close", {}).status, 200)
        wrap_up = desk.wait_push("wrap_up")
        self.assertEqual((wrap_up["interaction"], wrap_up["codes"]), (interaction, ["solved", "dnc"]))
        self.assertEqual(desk.code("interaction.wrap_up", interaction=interaction, disposition="unheard of"), "bad_request")
        desk.ok("interaction.wrap_up", interaction=interaction, disposition="solved")
        self.assertEqual(self.world.interaction(interaction)["state"], "completed")

    def test_what_there_is_to_choose_from(self):
        desk = self.world.ready("a1")
        interaction = conversation(self.world, desk, 9)
        contact = self.world.interaction(interaction)["contact_id"]
        self.assertEqual([item["id"] for item in desk.ok("queues.list")["items"]], ["care"])
        self.assertEqual({item["id"]: item["state"] for item in desk.ok("agents.list")["items"]}, {"a1": "ready", "a2": "offline"})
        self.assertEqual(desk.ok("contact.get", contact=contact)["contact"]["id"], contact)
        self.assertEqual(desk.ok("interaction.get", interaction=interaction)["interaction"]["id"], interaction)
        timeline = desk.ok("timeline.get", contact=contact, limit=1)
        self.assertEqual(len(timeline["items"]), 1)
        older = desk.ok("timeline.get", contact=contact, before=timeline["next"], limit=100)
        self.assertIn("message.received", {item["type"] for item in older["items"]} | {item["type"] for item in timeline["items"]})
        self.assertNotIn("+86138000", json.dumps(timeline) + json.dumps(older))
        self.assertEqual(desk.ok("templates.list", channel="sms")["items"], [])
        stranger = self.world.put("/v1/contacts/stranger", {"phones": ["+8613900000000"]})
        self.assertEqual(stranger.status, 201)
        self.assertEqual((desk.code("contact.get", contact="stranger"), desk.code("timeline.get", contact="stranger")), ("not_yours", "not_yours"))
        self.assertEqual(self.world.put("/v1/contacts/chat", {"external_userids": ["wmHt8CBwAA"], "owner": "a1"}).status, 201)
        self.assertEqual(desk.ok("contact.get", contact={"external_userid": "wmHt8CBwAA"})["contact"]["id"], "chat")
        self.assertEqual(desk.code("contact.get", contact={"external_userid": "wmNobody"}), "not_yours")
        self.assertEqual(desk.code("contact.get", contact={"external_userid": 7}), "bad_request")
        at = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
        promise = desk.ok("promise.create", contact=contact, at=at, channel="sms", note="回电")["promise"]
        self.assertEqual([item["id"] for item in desk.ok("promises.list")["items"]], [promise["id"]])
        desk.ok("promise.done", promise=promise["id"])
        desk.ok("contact.do_not_contact", contact=contact, channels=["sms"])
        self.assertEqual(self.world.touch("+8613800000009").json["state"], "blocked")


class ReconnectTest(unittest.TestCase):
    def setUp(self):
        self.world = Centre(settings={"agents": {"lease": "PT2M"}})
        self.addCleanup(self.world.close)

    def test_what_was_missed_follows_in_order_each_once(self):
        desk = self.world.ready("a1")
        interaction = conversation(self.world, desk)
        seen = desk.last_seq
        desk.cut()
        for n in range(5):
            self.world.write(1, f"message {n}")
        self.world.wait(lambda: len(self.world.interaction(interaction)["messages"]) == 6, "all messages")
        again = self.world.desk("a1", join=seen)
        self.assertTrue(again.resumed["ok"])
        self.assertGreaterEqual(again.hello["last_seq"], seen + 5)
        texts = [again.wait_push("message")["content"]["text"] for _ in range(5)]
        self.assertEqual(texts, [f"message {n}" for n in range(5)])
        self.world.write(1, "live")
        self.assertEqual(again.wait_push("message")["content"]["text"], "live")
        self.assertEqual([push["seq"] for push in again.pushes], list(range(seen + 1, again.last_seq + 1)))

    def test_a_number_that_was_never_given_gets_a_snapshot(self):
        desk = self.world.ready("a1")
        interaction = conversation(self.world, desk)
        desk.cut()
        again = self.world.desk("a1", join=desk.last_seq + 1000)
        self.assertEqual(again.resumed["error"]["code"], "resume_too_old")
        snapshot = again.wait_push("snapshot")
        self.assertEqual(([each["id"] for each in snapshot["interactions"]], snapshot["presence"]["state"]), ([interaction], "ready"))

    def test_a_desktop_that_says_nothing_gets_a_snapshot(self):
        desk = self.world.desk("a1", join=None)
        self.assertEqual(desk.wait_push("snapshot")["presence"]["state"], "not_ready")

    def test_no_push_is_lost_or_doubled_by_a_crash(self):
        desk = self.world.ready("a1")
        interaction = conversation(self.world, desk)
        stop = threading.Event()
        written = []

        def customer():
            n = 0
            while not stop.is_set():
                try:
                    self.world.write(1, f"message {n}")
                    written.append(n)
                    n += 1
                except OSError:
                    return

        for _ in range(3):
            stop.clear()
            thread = threading.Thread(target=customer)
            before = len(written)
            thread.start()
            self.world.wait(lambda: len(written) > before + 20, "some messages")
            self.world.kill()
            stop.set()
            thread.join()
            try:
                desk.quiet(0.2)
            except (Closed, OSError):
                pass
            known = desk.pushes
            self.world.start()
            desk = self.world.desk("a1", join=known[-1]["seq"])
            desk.pushes = known + desk.pushes
            self.assertEqual(desk.ok("interaction.get", interaction=interaction)["interaction"]["agent"], "a1", "what was accepted stays")
        desk.ok("presence.set", state="after_current")
        desk.wait_push("presence", lambda push: push["intent"] == "after_current")
        numbers = [push["seq"] for push in desk.pushes]
        self.assertEqual(numbers, list(range(numbers[0], numbers[0] + len(numbers))))
        pushed = [push["content"]["text"] for push in desk.pushes if push["type"] == "message"]
        read = [message["content"]["text"] for message in self.world.interaction(interaction)["messages"][1:]]
        self.assertEqual(pushed, read[-len(pushed):])

    def test_ready_before_a_crash_is_ready_after_it(self):
        desk = self.world.ready("a1")
        self.world.kill()
        self.world.start()
        desk = self.world.desk("a1", join=desk.last_seq)
        interaction = self.world.write()
        self.assertEqual(desk.wait_push("offer")["interaction"], interaction)

    def test_a_pending_offer_is_taken_back_by_a_restart_and_made_again(self):
        desk = self.world.ready("a1")
        interaction = self.world.write()
        offer = desk.wait_push("offer")
        self.world.kill()
        self.world.start()
        desk = self.world.desk("a1", join=desk.last_seq)
        again = desk.wait_push("offer", lambda push: push["fence"] > offer["fence"])
        self.assertEqual(again["interaction"], interaction)
        self.assertEqual(desk.code("offer.accept", offer=offer["offer"], fence=offer["fence"]), "stale_offer")
        desk.ok("offer.accept", offer=again["offer"], fence=again["fence"])

    def test_a_clean_stop_says_good_bye(self):
        desk = self.world.desk("a1")
        self.assertEqual(self.world.stop(), 0)
        with self.assertRaises(Closed) as closed:
            desk.read_until(lambda frame: False)
        self.assertEqual(closed.exception.code, 1012)

    def test_a_lease_that_is_over_takes_the_work_back(self):
        with Centre(settings={"agents": {"lease": "PT6S", "grace": "PT1S"}}) as world:
            desk = world.ready("a1")
            desk.wire.answers_pings = False
            desk.cut()
            world.wait(lambda: world.get("/v1/agents/a1").json["state"] == "offline", "signed out", 30)

    def test_pongs_keep_the_lease_and_are_asked_for_faster_if_it_is_shorter(self):
        for lease, longer, pings in ("PT6S", 8, 1), ("PT2S", 3, 3):
            with self.subTest(lease), Centre(settings={"agents": {"lease": lease, "grace": "PT0S"}}) as world:
                desk = world.ready("a1")
                desk.quiet(longer)
                self.assertGreaterEqual(desk.wire.pings, pings)
                self.assertEqual(world.get("/v1/agents/a1").json["state"], "ready")


class LimitTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = Centre()

    @classmethod
    def tearDownClass(cls):
        cls.world.close()

    def test_malformed_frames_are_answered_and_the_socket_stays_open(self):
        desk = self.world.desk("a1")
        for text in ("", "x", "[1]", "{", "7", '{"type":"presence.set"}', '{"id":{},"type":"x"}', '{"id":null,"type":"x"}', '{"id":1,"id":2,"type":"x"}', "[" * 5000, '{"id":"' + "x" * 300 + '","type":"x"}'):
            desk.wire.send_text(text)
            reply = desk.reply_to(None)
            self.assertEqual((reply["reply_to"], reply["ok"], reply["error"]["code"]), (None, False, "bad_request"), text[:50])
        desk.wire.send_text('{"id":"seven"}')
        self.assertEqual(desk.reply_to("seven")["error"]["code"], "bad_request")
        desk.wire.send_text('{"id":1.5,"type":"queues.list"}')
        self.assertTrue(desk.reply_to(1.5)["ok"])

    def test_a_request_in_parts_is_one_request(self):
        desk = self.world.desk("a1")
        desk.wire.send_frame(TEXT, b'{"id":"in parts",', fin=False)
        desk.wire.send_frame(0, b'"type":"queues.list"}')
        self.assertTrue(desk.reply_to("in parts")["ok"])

    def closed(self, desk):
        with self.assertRaises(Closed) as closed:
            desk.read_until(lambda frame: False)
        return closed.exception

    def test_frames_that_are_too_large_binary_or_no_text_end_the_connection(self):
        desk = self.world.desk("a1")
        fits = json.dumps({"id": "large", "type": "queues.list", "x": ""})
        desk.wire.send_text(fits.replace('""', '"' + "x" * (65536 - len(fits)) + '"'))
        self.assertTrue(desk.reply_to("large")["ok"])
        desk.wire.send_text("x" * 65537)
        closed = self.closed(desk)
        self.assertEqual((closed.code, closed.reason), (1009, "a frame may have 64 KiB"))
        desk = self.world.desk("a1")
        desk.wire.send_frame(BINARY, b"{}")
        self.assertEqual(self.closed(desk).code, 1003)
        desk = self.world.desk("a1")
        desk.wire.send_frame(TEXT, b"\xff\xfe")
        self.assertEqual(self.closed(desk).code, 1007)

    def test_more_requests_than_may_wait_for_their_replies_are_read_later(self):
        for _ in range(20):
            desk = self.world.desk("a1")
            ids = [desk.ask("queues.list") for _ in range(90)]
            self.assertTrue(all(desk.reply_to(id)["ok"] for id in ids))
            desk.close()

    def test_who_asks_too_fast_is_told_and_who_goes_on_is_cut_off(self):
        desk = self.world.desk("a1")
        ids = [desk.ask("queues.list") for _ in range(150)]
        replies = [desk.reply_to(id) for id in ids]
        refused = [reply for reply in replies if not reply["ok"]]
        self.assertTrue(30 <= len(refused) <= 60, len(refused))
        self.assertEqual({reply["error"]["code"] for reply in refused}, {"rate_limited"})
        desk.quiet(1)
        self.assertTrue(desk.request("queues.list")["ok"])
        with self.assertRaises(Closed) as closed:
            for _ in range(2000):
                desk.ask("queues.list")
            desk.read_until(lambda frame: False)
        self.assertIn(closed.exception.code, (1008, None))

    def test_a_desktop_that_does_not_read_loses_nothing_and_holds_up_nobody(self):
        world = self.world
        slow = world.desk("a1", receive_buffer=4096)
        slow.ready()
        interaction = conversation(world, slow, 77)
        other = world.desk("a2")
        slow.quiet()
        begin, slow.pushes = slow.last_seq, []
        count, text = 700, "很长的消息" * 800
        with concurrent.futures.ThreadPoolExecutor(8) as customers:
            list(customers.map(lambda n: world.write(77, f"{n} {text}", key=f"slow-{n}"), range(count)))
        self.assertTrue(other.ok("queues.list"))
        pushes = []
        while sum(push["type"] == "message" for push in pushes) < count:
            try:
                slow.read_until(lambda frame: "seq" in frame)
            except Closed:  # it read nothing for so long that it was cut off: on a slow machine
                slow = world.desk("a1", join=(pushes or [{"seq": begin}])[-1]["seq"])
            pushes += slow.pushes
            slow.pushes = []
        self.assertEqual({int(push["content"]["text"].split(" ")[0]) for push in pushes if push["type"] == "message"}, set(range(count)))
        pushes = [push for push in pushes if push["seq"] > begin]
        self.assertEqual([push["seq"] for push in pushes], list(range(begin + 1, begin + 1 + len(pushes))))
        slow.ok("interaction.wrap_up", interaction=interaction)


class TokenTest(unittest.TestCase):
    def setUp(self):
        self.world = Centre()
        self.addCleanup(self.world.close)

    def test_a_token_that_ends_is_told_and_ends_the_connection(self):
        desk = self.world.desk("a1", token=self.world.agent_token("a1", ttl="PT3S"))
        desk.quiet(0.2)
        self.assertEqual([notice["type"] for notice in desk.notices], ["hello", "token.expiring"])
        with self.assertRaises(Closed) as closed:
            desk.read_until(lambda frame: False)
        self.assertEqual((closed.exception.code, closed.exception.reason), (4401, "the token has expired"))

    def test_a_new_token_goes_on(self):
        desk = self.world.desk("a1", token=self.world.agent_token("a1", ttl="PT2S"))
        self.assertEqual(desk.code("token.renew", token=self.world.agent_token("a2")), "not_allowed")
        self.assertEqual(desk.code("token.renew", token="x"), "not_allowed")
        self.assertEqual(desk.code("token.renew"), "not_allowed")
        desk.ok("token.renew", token=self.world.agent_token("a1"))
        desk.quiet(4)
        self.assertTrue(desk.ok("queues.list"))

    def test_an_open_conversation_is_not_cut_off(self):
        desk = self.world.ready("a1", token=self.world.agent_token("a1", ttl="PT3S"))
        interaction = conversation(self.world, desk)
        desk.quiet(4)
        desk.ok("message.send", interaction=interaction, content={"text": "still here"})
        self.assertEqual(desk.code("presence.set", state="ready"), "not_allowed")
        desk.ok("interaction.wrap_up", interaction=interaction)
        with self.assertRaises(Closed) as closed:
            desk.read_until(lambda frame: False)
        self.assertEqual(closed.exception.code, 4401)


class Stream:
    """Server-sent events, as they come."""

    def __init__(self, world, path, key=KEY):
        parts = urllib.parse.urlsplit(world.url)
        self.connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20 * PATIENCE)
        self.connection.request("GET", path, headers={"Authorization": "Bearer " + key, "Accept": "text/event-stream"})
        self.answer = self.connection.getresponse()

    def next(self):
        event = {}
        while True:
            line = self.answer.readline().decode().rstrip("\n")
            if line.startswith(":"):
                continue
            if not line and event:
                return event
            if ": " in line:
                name, value = line.split(": ", 1)
                event[name] = value

    def close(self):
        self.connection.close()


class WallboardTest(unittest.TestCase):
    def setUp(self):
        self.world = Centre()
        self.addCleanup(self.world.close)

    def waiting(self, board):
        return {queue["id"]: queue["waiting"] for queue in board["queues"]}

    def test_the_board_as_a_page(self):
        desk = self.world.ready("a1")
        conversation(self.world, desk, 1)
        desk.ok("presence.set", state="not_ready")
        self.world.write(2)
        board = self.world.get("/v1/wallboard").json
        self.assertEqual(set(board), {"queues", "agents", "seq"})
        queue = board["queues"][0]
        self.assertEqual((queue["id"], queue["waiting"], queue["offered"], queue["answered"], queue["abandoned"]), ("care", 1, 2, 1, 0))
        self.assertLessEqual({"id", "waiting", "longest_wait_ms", "offered", "answered", "abandoned", "service_level"}, set(queue))
        self.assertEqual(board["agents"]["offline"], 1)

    def test_the_board_as_a_stream(self):
        stream = Stream(self.world, "/v1/wallboard")
        self.assertEqual((stream.answer.status, stream.answer.headers["Content-Type"]), (200, "text/event-stream"))
        first = stream.next()
        self.assertEqual((first["event"], self.waiting(json.loads(first["data"]))), ("wallboard", {"care": 0}))
        for n in range(5):
            self.world.write(n)
        boards = []
        while not boards or self.waiting(boards[-1])["care"] < 5:
            boards.append(json.loads(stream.next()["data"]))
        self.assertLessEqual(len(boards), 5)
        second = Stream(self.world, "/v1/wallboard")
        self.assertEqual(self.waiting(json.loads(second.next()["data"])), {"care": 5}, "who comes later sees what holds")
        self.world.touch("+8613900000001")  # an event that changes nothing here
        self.world.write(99)
        self.assertEqual(self.waiting(json.loads(stream.next()["data"])), {"care": 6}, "only what has changed")
        stream.close()
        second.close()

    def test_agents_watch_the_board(self):
        desk = self.world.desk("a1")
        desk.ok("wallboard.watch")
        board = lambda waiting: desk.read_until(lambda frame: frame.get("type") == "wallboard" and self.waiting(frame["wallboard"]) == {"care": waiting})
        board(0)
        self.world.write()
        self.assertNotIn("seq", board(1))
        desk.ok("wallboard.watch", on=False)
        desk.notices.clear()
        self.world.write(2)
        desk.quiet(0.6)
        self.assertEqual(desk.notices, [])

    def test_streams_end_with_the_server(self):
        stream = Stream(self.world, "/v1/wallboard")
        stream.next()
        self.assertEqual(self.world.stop(), 0)
        stream.close()


class ReportTest(unittest.TestCase):
    def test_the_report_has_the_seconds_of_each_displayed_state_by_its_name(self):
        with Centre() as world:
            desk = world.ready("a1")
            desk.quiet(1.2)
            desk.ok("presence.set", state="not_ready", reason="lunch")
            world.wait(lambda: [event["data"]["to"] for event in world.events(types="agent.state")][-1] == "not_ready", "his states are logged")
            seq = world.events()[-1]["sequence"]
            row = next(row for row in world.get(f"/v1/reports/agents?min_seq={seq}").json["rows"] if row["agent"] == "a1")
            self.assertLessEqual({"ready", "not_ready", "talking", "held", "wrapup", "rona_blocked", "fault", "offline", "handled"}, set(row))
            self.assertGreaterEqual(row["ready"], 1)
            self.assertEqual((row["talking"], row["handled"]), (0, 0))


class DescriptionTest(unittest.TestCase):
    """docs/asyncapi.yaml: its examples are requests that the gateway understands, and every frame of it is as described (agent_socket.py)."""

    @classmethod
    def setUpClass(cls):
        cls.world = Centre()

    @classmethod
    def tearDownClass(cls):
        cls.world.close()

    def test_every_example_is_understood(self):
        desk = self.world.ready("a1")
        conversation(self.world, desk)
        for name, message in Desk.contract.requests.items():
            for example in message["examples"]:
                payload = example["payload"]
                Desk.contract.check(payload, "request." + name)
                reply = desk.request(**{key: value for key, value in payload.items() if key != "id"})
                with self.subTest(name):
                    if not reply["ok"]:
                        self.assertTrue("errors" not in reply["error"] and "there is no request" not in reply["error"]["detail"], reply)

    def test_every_request_without_its_fields_is_refused_by_name(self):
        desk = self.world.desk("a2")
        for name, message in Desk.contract.requests.items():
            for field in set(message["payload"]["required"]) - {"id", "type"}:
                payload = {key: value for key, value in message["examples"][0]["payload"].items() if key not in ("id", field)}
                self.assertEqual(desk.code(**payload), "not_allowed" if name == "token.renew" else "bad_request", (name, field))
            time.sleep(0.03)  # below the rate of requests

    def test_all_operations_name_messages_that_are_there(self):
        document = Desk.contract.document
        named = set()
        for operation in document["operations"].values():
            for message in operation["messages"] + operation.get("reply", {}).get("messages", []):
                named.add(message["$ref"].removeprefix("#/channels/agent/messages/"))
        self.assertEqual(named, set(document["channels"]["agent"]["messages"]))
        self.assertEqual(named, set(document["components"]["messages"]))


class ConfiguredTest(unittest.TestCase):
    def test_queues_and_agents_of_the_configuration_are_put_at_the_start(self):
        with World(settings={"queues": [{"id": "care", **QUEUE}]}) as world:
            self.assertEqual(world.get("/v1/queues/care").json["channels"], ["sms"])
            (world.folder / "agents.json").write_text(json.dumps([{"id": "a1", "capacity": {"sms": 1}, "queues": ["care"]}]))
            world.settings = {"queues": [{"id": "care", **QUEUE}], "agents_file": "agents.json"}
            world.stop()
            world.write_config()
            world.start()
            world.wait(lambda: world.get("/v1/agents/a1").status == 200, "the agent")
            puts = lambda: len(world.events(types="queue.put,agent.put"))
            before = puts()
            world.stop()
            world.start()
            self.assertEqual(puts(), before, "what did not change is not put again")

    def test_every_fault_is_named(self):
        with World() as world:
            (world.folder / "agents.json").write_text(json.dumps([{"id": "a1", "capacity": {"sms": -1}}, {"name": "no id"}, {"id": "a1"}]))
            document = json.loads(world.config.read_text())
            document.update({"queues": [{"id": "care", "strategy": "worst"}, {}], "agents_file": "agents.json", "agents": {"lease": "soon", "surprise": 1, "softphone": {}}})
            bad = world.folder / "config" / "bad.json"
            bad.write_text(json.dumps(document))
            checked = world.command("check", "--config", str(bad))
            self.assertEqual(checked.returncode, 1)
            for place in ("/queues/0/strategy", "/queues/1/id", "/0/capacity", "/1/id", "/2/id", "/agents/lease", "/agents/surprise", "/agents/softphone/uri"):
                self.assertIn(place, checked.stdout + checked.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
