"""Menus that callers are led through, as they are configured: what is pressed, what is not, who calls and when, and where each of it leads."""

import json
import unittest

from telephones import CUSTOMER, Telephones

ALWAYS, NEVER = {"from": "00:00", "to": "24:00"}, []
SILENCE = "PT5S"  # within which a digit is expected
MENU = {"start": "welcome", "nodes": {
    "welcome": {"say": ["file:welcome"], "collect": {"digits": 1, "timeout": SILENCE, "tries": 2, "wrong": ["file:again"], "failed": "care",
                                                     "choices": {"1": "sales", "2": "message", "3": "call-me", "4": "ask-pin", "5": "who", "9": "bye"}}},
    "sales": {"queue": "sales", "priority": 70},
    "care": {"queue": "care"},
    "message": {"voicemail": True},
    "call-me": {"promise": True},
    "ask-pin": {"say": ["file:pin"], "collect": {"name": "pin", "digits": 4, "timeout": SILENCE, "tries": 1, "next": "check", "failed": "bye"}},
    "check": {"branch": [{"when": {"entered": "pin", "digits": "1234"}, "to": "sales"}], "otherwise": "bye"},
    "who": {"branch": [{"when": {"hours": NEVER}, "to": "bye"}, {"when": {"tag": "vip", "hours": ALWAYS}, "to": "sales"}, {"when": {"attribute": "tier", "equals": "gold"}, "to": "message"},
                       {"when": {"lead": True}, "to": "call-me"}, {"when": {"known": False}, "to": "bye"}], "otherwise": "care"},
    "bye": {"say": ["file:bye"], "hang_up": True}}}


class MenuWorld(Telephones):
    """The menu answers, and each agent serves one queue: where the caller has come to is who is offered him."""

    def __init__(self, silence=SILENCE, **account):
        menu = json.loads(json.dumps(MENU).replace(SILENCE, silence))
        super().__init__(account={"inbound": {"ivr": "main"}, "ivr": {"main": menu}, "sounds": {"voicemail": "file:tone", "goodbye": "file:goodbye", "promised": "file:promised"}, **account},
                         pbx={"play": "PT0.2S"}, settings={"lead_routing": {"agents": {"anna": {"external": True}}}})
        assert self.put("/v1/queues/sales", {"channels": ["voice"], "wrap_up": "PT0S"}).status == 201
        assert self.put("/v1/agents/a2", {"name": "Seller", "capacity": {"voice": 1}, "extension": "1002", "queues": ["sales"]}).status == 200

    def call(self, digits="", number="13800000101", each="", **more):
        """The caller's channel; he presses the digits once, or after each sound."""
        return self.call_in(number, **({"digits": digits, "digits_after": "PT0.4S"} if digits else {}), **({"digits_each": each, "digits_after": "PT0.3S"} if each else {}), **more)

    def only(self):
        """The one interaction that there is."""
        self.wait(lambda: self.get("/v1/interactions").json["items"], "an interaction")
        (item,) = self.get("/v1/interactions").json["items"]
        return item


class ChoiceTest(unittest.TestCase):
    def test_a_digit_leads_to_a_queue_with_its_priority(self):
        with MenuWorld() as world:
            seller = world.desk("a2")
            world.call("1")
            offer = seller.wait_push("offer")
            self.assertEqual((offer["queue"], offer["channel"]), ("sales", "voice"))
            self.assertEqual(world.interaction(offer["interaction"])["priority"], 70)
            seller.ok("offer.accept", offer=offer["offer"])
            seller.wait_push("interaction.connected")

    def test_who_knows_the_menu_need_not_hear_it(self):
        with MenuWorld() as world:
            world.behaviour(pbx={"play": "PT30S"})
            seller = world.desk("a2")
            world.call("1")
            self.assertEqual(seller.wait_push("offer", seconds=10)["queue"], "sales")

    def test_wrong_digits_are_asked_again_and_then_somebody_answers(self):
        with MenuWorld() as world:
            agent = world.desk("a1")
            world.call(each="7")
            self.assertEqual(agent.wait_push("offer")["queue"], "care")

    def test_a_wrong_digit_may_be_put_right(self):
        with MenuWorld() as world:
            seller = world.desk("a2")
            agent = world.desk("a1")
            channel = world.call("7")
            agent.quiet(1)
            world.control("POST", f"/legs/{channel}/digits", {"digits": "1"})
            self.assertEqual(seller.wait_push("offer")["queue"], "sales")
            agent.quiet(0.2)
            self.assertEqual([push for push in agent.pushes if push["type"] == "offer"], [])

    def test_silence_is_asked_again_and_then_somebody_answers(self):
        with MenuWorld(silence="PT1S") as world:
            agent = world.desk("a1")
            world.call()
            self.assertEqual(agent.wait_push("offer")["queue"], "care")

    def test_several_digits_are_collected_and_compared(self):
        for digits, queue in (("41234", "sales"), ("49999", None)):
            with self.subTest(digits=digits), MenuWorld() as world:
                seller = world.desk("a2")
                channel = world.call("4")
                world.wait(lambda: world.legs("caller"), "he is there")
                seller.quiet(1.2)
                world.control("POST", f"/legs/{channel}/digits", {"digits": digits[1:]})
                if queue:
                    self.assertEqual(seller.wait_push("offer")["queue"], queue)
                else:
                    world.wait(lambda: world.ended(), "he is told good-bye")
                    self.assertEqual((world.ended()[0]["outcome"], world.ended()[0]["hung_up_by"]), ("cancelled", "gateway"))

    def test_who_hangs_up_in_the_menu_has_abandoned_and_nothing_is_left(self):
        with MenuWorld() as world:
            agent = world.desk("a1")
            channel = world.call()
            item = world.only()
            world.hang_up(channel)
            world.wait(lambda: world.ended(), "the call is over")
            self.assertEqual((world.ended()[0]["outcome"], world.ended()[0]["hung_up_by"]), ("abandoned", "customer"))
            self.assertEqual(world.interaction(item["id"])["state"], "abandoned")
            self.assertEqual(world.legs(), [])
            agent.quiet(0.3)
            self.assertEqual([push for push in agent.pushes if push["type"] == "offer"], [])
            queue = world.get("/v1/queues/care").json["now"]
            self.assertEqual((queue["offered"], queue["abandoned"]), (0, 0), "he never came to the queue")


class BranchTest(unittest.TestCase):
    def test_who_is_known_how_goes_where_he_belongs(self):
        with MenuWorld() as world:
            for id, number, body in (("gold", "+8613800000202", {"attributes": {"tier": "gold"}}), ("vip", "+8613800000201", {"tags": ["vip"]}), ("plain", "+8613800000203", {"name": "王芳"})):
                self.assertIn(world.put("/v1/contacts/" + id, {"phones": [number], **body}).status, (200, 201))
            self.assertEqual(world.post("/v1/leads", {"contact": {"phone": "+8613800000204"}, "source": "web:form", "product": "suv"}).status, 201)
            seller, agent = world.desk("a2"), world.desk("a1")

            world.call("5", number="13800000201")
            self.assertEqual(seller.wait_push("offer")["contact"]["id"], "vip")
            world.call("5", number="13800000203")
            self.assertEqual(agent.wait_push("offer")["contact"]["id"], "plain")
            gold = world.call("5", number="13800000202")
            world.wait(lambda: any(event["data"]["stage"] == "voicemail" for event in world.events(types="call.stage")), "he leaves a message")
            world.hang_up(gold)
            world.call("5", number="13800000204")
            world.wait(lambda: any(item["reason"] == "promise" for item in world.get("/v1/interactions?state=flowed_out").json["items"]), "he is promised a call")
            world.call("5", number="13800000299")  # nobody knows him
            world.wait(lambda: any(each["from"] == "+8613800000299" and each["outcome"] == "cancelled" for each in world.ended()), "he is told good-bye")


class EndTest(unittest.TestCase):
    def test_a_promise_is_made_and_told_to_whoever_serves_the_queue(self):
        with MenuWorld(inbound={"ivr": "main", "queue": "care"}) as world:
            agent = world.desk("a1")
            world.call("3")
            due = agent.wait_push("promise.due")
            item = world.only()
            self.assertEqual((item["state"], item["reason"]), ("flowed_out", "promise"))
            self.assertEqual((due["channel"], due["contact"]), ("voice", item["contact_id"]))
            world.wait(lambda: world.ended(), "he is told and let go")
            self.assertEqual((world.ended()[0]["outcome"], world.legs()), ("cancelled", []))
            agent.ok("promise.done", promise=due["promise"])
            self.assertEqual(agent.ok("promises.list")["items"], [])

    def test_a_route_leads_past_the_menu(self):
        with MenuWorld(inbound={"ivr": "main", "routes": [{"did": "2000", "queue": "care"}, {"did": "3000", "ivr": "main"}]}) as world:
            agent, seller = world.desk("a1"), world.desk("a2")
            world.call(did="2000")
            self.assertEqual(agent.wait_push("offer")["queue"], "care")
            world.call("1", number="13800000102", did="3000")
            self.assertEqual(seller.wait_push("offer")["queue"], "sales")

    def test_after_a_restart_in_the_menu_the_caller_is_served(self):
        with MenuWorld(inbound={"ivr": "main", "queue": "care"}) as world:
            world.behaviour(pbx={"play": "PT30S"})
            channel = world.call()
            item = world.only()
            world.kill()
            world.start()
            agent = world.desk("a1")
            offer = agent.wait_push("offer")
            self.assertEqual(offer["interaction"], item["id"])
            agent.ok("offer.accept", offer=offer["offer"])
            agent.wait_push("interaction.connected")
            world.hang_up(channel)


class ConfigurationTest(unittest.TestCase):
    def test_a_menu_with_faults_does_not_start(self):
        with MenuWorld() as world:
            world.stop()
            broken = {"main": {"start": "a", "nodes": {"a": {"say": ["file:x"], "next": "nowhere"}, "island": {"hang_up": True}}}}
            world.pbx_account["ivr"] = broken
            world.write_config()
            checked = world.command("check", "--config", str(world.config))
            self.assertEqual(checked.returncode, 1)
            for pointer in ("/accounts/pbx-main/ivr/main/nodes/a", "/accounts/pbx-main/ivr/main/nodes/island"):
                self.assertIn(pointer, checked.stdout + checked.stderr)


class TouchTest(unittest.TestCase):
    def test_a_touch_leads_whom_it_calls_through_a_menu(self):
        with MenuWorld() as world:
            world.up()
            seller = world.desk("a2")
            world.behaves(CUSTOMER, "answer", talk="PT60S", digits="1", digits_after="PT0.5S")
            touch = world.touch(CUSTOMER, channels=["voice"], purpose="service", content={"voice": {"ivr": "main"}}).json["id"]
            offer = seller.wait_push("offer")
            self.assertEqual((offer["queue"], offer["context"]["direction"]), ("sales", "outbound"))
            seller.ok("offer.accept", offer=offer["offer"])
            seller.wait_push("interaction.connected")
            seller.ok("call.hangup", interaction=offer["interaction"])
            world.wait_state(touch, "completed")
            self.assertEqual(world.get("/v1/touches/" + touch).json["attempts"][-1]["outcome"], "answered")

    def test_who_hangs_up_in_the_menu_of_a_touch_has_answered_and_was_not_dropped(self):
        with MenuWorld() as world:
            world.up()
            world.behaves(CUSTOMER, "answer", talk="PT0.4S")
            touch = world.touch(CUSTOMER, channels=["voice"], purpose="service", content={"voice": {"ivr": "main"}}).json["id"]
            world.wait(lambda: world.ended(), "the call is over")
            self.assertEqual((world.ended()[0]["outcome"], world.ended()[0]["hung_up_by"]), ("answered", "customer"))
            self.assertNotEqual(world.get("/v1/touches/" + touch).json["reason"], "dropped")

    def test_a_touch_to_a_queue_brings_whom_it_calls_to_an_agent(self):
        with Telephones() as world:
            world.up()
            agent = world.desk("a1")
            world.behaves(CUSTOMER, "answer", talk="PT60S", patience="PT60S")
            touch = world.touch(CUSTOMER, channels=["voice"], purpose="service", content={"voice": {"queue": "care"}}).json["id"]
            interaction = world.take(agent)
            self.assertEqual(world.interaction(interaction)["touch"], touch)
            agent.ok("call.hangup", interaction=interaction)
            world.wait_state(touch, "completed")

    def test_who_hangs_up_in_the_queue_of_a_touch_was_dropped(self):
        with Telephones() as world:
            world.up()
            world.behaves(CUSTOMER, "answer", talk="PT0.5S")
            touch = world.touch(CUSTOMER, channels=["voice"], purpose="service", content={"voice": {"queue": "care"}}).json["id"]
            world.wait_state(touch, "failed")
            self.assertEqual(world.get("/v1/touches/" + touch).json["reason"], "dropped")

    def test_content_that_names_nothing_is_refused_with_its_pointer(self):
        with Telephones() as world:
            for voice, pointer in (({"ivr": "nowhere"}, "/voice/ivr"), ({"play": "file:a", "queue": "care"}, "/voice"), ({"sing": "la"}, "/voice/sing")):
                answer = world.touch(CUSTOMER, channels=["voice"], purpose="service", content={"voice": voice})
                self.assertEqual(answer.status, 422, voice)
                self.assertTrue(any(each["pointer"].endswith(pointer) for each in answer.json["errors"]), answer.text)


if __name__ == "__main__":
    unittest.main()
