"""Who hangs up where: a customer in every state of his call, a telephone that hands its call on, missed calls that are leads."""

import unittest

from gateway import request
from telephones import CUSTOMER, Telephones


class HangUpTest(unittest.TestCase):
    """The customer hangs up; nothing may be left, and the agents are as free as they were."""

    def over(self, world, outcome, hung_up_by="customer"):
        world.wait(lambda: world.ended(), "the call is over")
        (ended,) = world.ended()
        self.assertEqual((ended["outcome"], ended["hung_up_by"]), (outcome, hung_up_by))
        world.wait(lambda: world.legs() == [] and world.control("GET", "/bridges")["items"] == [], "nothing is left")
        return ended

    def test_while_he_is_greeted(self):
        with Telephones(account={"inbound": {"queue": "care", "greeting": "file:hello"}}, pbx={"play": "PT30S"}) as world:
            channel = world.call_in()
            world.wait(lambda: any(event["data"]["stage"] == "greeting" for event in world.events(types="call.stage")), "greeted")
            world.hang_up(channel)
            self.over(world, "abandoned")

    def test_while_nobody_is_there(self):
        with Telephones() as world:
            channel = world.call_in()
            world.wait(lambda: world.get("/v1/interactions?state=queued").json["items"], "he waits")
            world.hang_up(channel)
            self.over(world, "abandoned")
            figures = world.get("/v1/queues/care").json["now"]
            self.assertEqual((figures["waiting"], figures["offered"], figures["abandoned"]), (0, 1, 1))

    def test_while_it_rings_before_it_is_answered(self):
        with Telephones(account={"inbound": {"queue": "care", "ringing": True}}) as world:
            channel = world.call_in()
            world.wait(lambda: world.get("/v1/interactions?state=queued").json["items"], "he waits")
            self.assertEqual(world.legs()[0]["state"], "Ring", "it costs him nothing")
            world.hang_up(channel)
            self.over(world, "abandoned")

    def test_while_the_agents_telephone_rings(self):
        with Telephones() as world:
            world.behaves("1001", "no_answer")
            desk = world.desk("a1")
            channel = world.call_in()
            desk.ok("offer.accept", offer=desk.wait_push("offer")["offer"])
            world.wait(lambda: world.legs("agent"), "his telephone rings")
            world.hang_up(channel)
            self.over(world, "abandoned")
            self.assertEqual(desk.state(), "ready", "it was not his fault, and there is nothing to wrap up")
            self.assertEqual(world.get("/v1/queues/care").json["now"]["rona"], 0)

    def test_while_he_is_on_hold(self):
        with Telephones() as world:
            desk = world.desk("a1")
            channel = world.call_in()
            interaction = world.take(desk)
            desk.ok("call.hold", interaction=interaction)
            desk.quiet(0.4)
            world.hang_up(channel)
            ended = self.over(world, "answered")
            self.assertGreaterEqual(ended["hold_ms"], 300)
            desk.wait_push("wrap_up")

    def test_while_his_agent_asks_a_colleague(self):
        for joined in (False, True):
            with self.subTest(conference=joined), Telephones() as world:
                first, second = world.desk("a1"), world.desk("a2", ready=False)
                channel = world.call_in()
                interaction = world.take(first)
                second.ready()
                first.ok("call.transfer", interaction=interaction, to="agent:a2", mode="consult")
                first.wait_push("call.state", lambda push: push.get("cause") == "consult_private")
                if joined:
                    first.ok("call.conference", interaction=interaction)
                    self.assertEqual(first.state(), "conference")
                world.hang_up(channel)
                self.over(world, "answered")
                self.assertEqual(second.state(), "ready")

    def test_while_it_is_handed_on_to_a_number_outside(self):
        with Telephones(account={"phone_routes": {"lawyer": "+861012345678"}}) as world:
            world.behaves("+861012345678", "no_answer")
            desk = world.desk("a1")
            channel = world.call_in()
            interaction = world.take(desk)
            desk.ok("call.transfer", interaction=interaction, to="phone:lawyer", mode="blind")
            world.wait(lambda: [leg for leg in world.legs("customer") if leg["number"].endswith("1012345678")], "the lawyer's telephone rings")
            world.hang_up(channel)
            self.over(world, "answered")

    def test_while_the_customer_who_is_dialled_rings(self):
        with Telephones(agents={"rights": ["dial_any"]}, queue={"wrap_up": "PT0S"}) as world:
            world.up()
            world.behaves(CUSTOMER, "reject")
            desk = world.desk("a1")
            made = desk.ok("call.dial", number=CUSTOMER, purpose="service")["interaction"]
            desk.wait_push("call.state", lambda push: push["state"] == "ended")
            ended = self.over(world, "rejected")
            self.assertEqual((ended["interaction"], desk.state()), (made["id"], "ready"))


class RightsTest(unittest.TestCase):
    def test_who_has_no_purposes_may_not_dial_and_the_default_is_service(self):
        with Telephones(agents={"rights": ["dial_any"]}) as world:
            world.up()
            world.behaves(CUSTOMER, "busy")
            plain = world.desk("a1")
            self.assertEqual((plain.hello["rights"], plain.hello["dial_purposes"]), (["dial_any"], ["service"]))
            self.assertEqual(plain.code("call.dial", number=CUSTOMER, purpose="transactional"), "not_allowed")
            plain.ok("call.dial", number=CUSTOMER, purpose="service")
            answer = world.put("/v1/agents/a2", {"name": "Listener", "capacity": {"voice": 1}, "extension": "1002", "queues": ["care"], "rights": ["dial_any"], "dial_purposes": []})
            self.assertEqual(answer.status, 200)
            none = world.desk("a2")
            self.assertEqual(none.hello["dial_purposes"], [])
            self.assertEqual(none.code("call.dial", number=CUSTOMER, purpose="service"), "not_allowed")
            # Nor at his telephone.
            channel = world.control("POST", "/calls", {"from": "1002", "to": CUSTOMER, "role": "agent"})["channel"]
            world.wait(lambda: not [leg for leg in world.legs() if leg["channel"] == channel], "turned away")


class DeviceTransferTest(unittest.TestCase):
    """The agent's own telephone hands its call on (REFER)."""

    def test_to_a_colleague_to_a_queue_and_to_a_route(self):
        with Telephones(account={"phone_routes": {"lawyer": "+861012345678"}}) as world:
            world.behaves("+861012345678", "answer", talk="PT30S")
            first, second = world.desk("a1"), world.desk("a2", ready=False)
            world.call_in()
            interaction = world.take(first)
            second.ready()
            leg = lambda: next(each["channel"] for each in world.legs("agent"))
            world.control("POST", f"/legs/{leg()}/transfer", {"to": "1002"})
            self.assertEqual(first.wait_push("wrap_up")["interaction"], interaction)
            first.ok("interaction.wrap_up", interaction=interaction, disposition="done")
            self.assertEqual(first.wait_push("interaction.closed")["reason"], "transfer")
            offer = second.wait_push("offer")
            self.assertEqual(offer["interaction"], interaction)
            second.ok("offer.accept", offer=offer["offer"])
            second.wait_push("interaction.connected")
            world.wait(lambda: len(world.legs("agent")) == 1, "the first telephone is out")

            world.control("POST", f"/legs/{leg()}/transfer", {"to": "care"})
            again = first.wait_push("offer", lambda push: push["offer"] != offer["offer"] and not push.get("taken"))
            first.ok("offer.accept", offer=again["offer"])
            first.wait_push("interaction.connected")

            world.wait(lambda: len(world.legs("agent")) == 1, "the second telephone is out")
            world.control("POST", f"/legs/{leg()}/transfer", {"to": "lawyer"})
            world.wait(lambda: any(event["data"]["stage"] == "outside" for event in world.events(types="call.stage")), "he talks with the lawyer")
            self.assertEqual(world.legs("agent"), [])

    def test_to_a_number_that_he_may_not_dial_changes_nothing(self):
        with Telephones() as world:
            first = world.desk("a1")
            channel = world.call_in()
            interaction = world.take(first)
            (leg,) = [each["channel"] for each in world.legs("agent")]
            world.control("POST", f"/legs/{leg}/transfer", {"to": "+8613900000000"})
            first.quiet(0.5)
            self.assertEqual((first.state(), world.interaction(interaction)["agent"]), ("talking", "a1"))
            self.assertTrue(any(each["channel"] == channel for each in world.legs()))


class LeadTest(unittest.TestCase):
    def test_a_missed_call_is_a_lead_where_a_rule_says_so(self):
        sources = {"lead_routing": {"agents": {"anna": {"external": True}}, "sources": [{"match": "call:missed", "product": "hotline"}]}}
        with Telephones(settings=sources) as world:
            channel = world.call_in()
            world.wait(lambda: world.get("/v1/interactions?state=queued").json["items"], "he waits")
            (missed,) = world.get("/v1/interactions?state=queued").json["items"]
            world.hang_up(channel)
            world.wait(lambda: world.get("/v1/leads").json["items"], "a lead")
            (lead,) = world.get("/v1/leads").json["items"]
            self.assertEqual((lead["source"], lead["product"], lead["contact_id"]), ("call:missed", "hotline", missed["contact_id"]))
            # Who was served is none.
            desk = world.desk("a1")
            other = world.call_in("13800000102")
            interaction = world.take(desk)
            world.hang_up(other)
            world.wait(lambda: len(world.ended()) == 2, "the call is over")
            self.assertEqual(len(world.get("/v1/leads").json["items"]), 1)
            desk.ok("interaction.wrap_up", interaction=interaction, disposition="done")

    def test_without_a_rule_it_is_none(self):
        with Telephones() as world:
            channel = world.call_in()
            world.wait(lambda: world.get("/v1/interactions?state=queued").json["items"], "he waits")
            world.hang_up(channel)
            world.wait(lambda: world.ended(), "the call is over")
            self.assertEqual(world.get("/v1/leads").json["items"], [])


class HandedOnTest(unittest.TestCase):
    def test_a_call_that_a_campaign_made_is_handed_on_like_any_other(self):
        with Telephones() as world:
            world.up()
            world.behaves(CUSTOMER, "answer", talk="PT60S", patience="PT60S")
            body = {"id": "c1", "purpose": "service", "dialing": {"mode": "progressive", "account": "pbx-main", "queue": "care"}}
            self.assertEqual(world.post("/v1/campaigns", body).status, 201)
            request(f"{world.url}/v1/campaigns/c1/audience", "POST", '{"contact":{"phone":"%s"}}' % CUSTOMER, content_type="application/x-ndjson")
            first = world.desk("a1")
            self.assertIn(world.post("/v1/campaigns/c1/start").status, (200, 202))
            connected = first.wait_push("interaction.connected")
            second = world.desk("a2")
            first.ok("presence.set", state="not_ready", reason="lunch")
            first.ok("call.transfer", interaction=connected["interaction"], to="queue:care", mode="blind")
            offer = second.wait_push("offer")
            self.assertEqual((offer["interaction"], offer["auto_answer"], offer["preview"]), (connected["interaction"], False, False))
            second.ok("offer.accept", offer=offer["offer"])
            second.wait_push("interaction.connected")


if __name__ == "__main__":
    unittest.main()
