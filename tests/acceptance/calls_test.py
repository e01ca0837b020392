"""Calls, against the simulated PBX: callers are offered and put through, agents dial, hold and hand on, and all of it survives a restart."""

import time
import unittest

from agent_socket import Desk
from gateway import SCOPES
from telephones import CUSTOMER, Telephones


class InboundTest(unittest.TestCase):
    def test_a_caller_is_offered_put_through_and_wrapped_up(self):
        with Telephones() as world:
            desk = world.desk("a1")
            channel = world.call_in()
            offer = desk.wait_push("offer")
            self.assertEqual((offer["channel"], offer["queue"]), ("voice", "care"))
            self.assertNotIn(CUSTOMER, str(offer), "agents see no numbers")
            time.sleep(1)
            desk.ok("offer.accept", offer=offer["offer"], fence=offer["fence"])
            desk.wait_push("interaction.connected")
            self.assertEqual(desk.state(), "talking")
            time.sleep(1.5)
            world.control("POST", f"/legs/{channel}/hangup", {"how": "party"})
            wrap_up = desk.wait_push("wrap_up")
            self.assertEqual(wrap_up["interaction"], offer["interaction"])
            desk.ok("interaction.wrap_up", interaction=offer["interaction"], disposition="solved")
            shown = world.interaction(offer["interaction"])
            desk.wait_push("presence", lambda push: push["state"] == "ready" and push["seq"] > wrap_up["seq"])
            self.assertEqual((shown["state"], shown["disposition"], shown["agent"]), ("completed", "solved", "a1"))
            self.assertEqual((shown["call"]["from"], shown["call"]["did"]), (CUSTOMER, "1000"))
            self.assertEqual([push["state"] for push in desk.pushes if push["type"] == "call.state"], ["dialing_agent", "ringing", "connected", "ended"])
            shown = [push["state"] for push in desk.pushes if push["type"] == "presence"]
            self.assertEqual([state for state, before in zip(shown, [None, *shown]) if state != before][-5:], ["ready", "ringing", "talking", "wrapup", "ready"])
            (ended,) = world.ended()
            self.assertEqual({name: ended[name] for name in ("interaction", "direction", "from", "did", "agent", "queue", "outcome", "hung_up_by", "hold_ms")},
                             {"interaction": offer["interaction"], "direction": "inbound", "from": CUSTOMER, "did": "1000", "agent": "a1", "queue": "care", "outcome": "answered",
                              "hung_up_by": "customer", "hold_ms": 0})
            (of_pbx,) = [leg for leg in world.control("GET", "/calls")["items"] if leg["channel"] == channel]
            self.assertAlmostEqual(ended["talk_ms"], of_pbx["talk_ms"], delta=500)
            self.assertGreaterEqual(ended["wait_ms"], 1000)
            self.assertEqual(world.legs(), [])
            self.assertEqual(desk.state(), "ready")

    def test_numbers_in_events_are_masked_without_the_scope(self):
        keys = [{"name": "all", "key": "acceptance-key-0123456789", "scopes": SCOPES}, {"name": "few", "key": "key-without-addresses", "scopes": ["reports", "agents"]}]
        with Telephones(settings={"api_keys": keys}) as world:
            desk = world.desk("a1")
            channel = world.call_in()
            interaction = world.take(desk)
            world.control("POST", f"/legs/{channel}/hangup", {"how": "party"})
            world.wait(lambda: world.ended(), "the call is over")
            masked = [item["data"] for item in world.get("/v1/events?types=call.ended", key="key-without-addresses").json["items"]]
            self.assertEqual((masked[0]["from"], masked[0]["to"], masked[0]["did"]), ("+86138****0101", "****", "1000"))
            self.assertEqual(world.get("/v1/interactions/" + interaction, key="key-without-addresses").json["call"]["from"], "+86138****0101")

    def test_who_hangs_up_while_he_waits_has_abandoned_and_it_is_no_fault_of_the_agent(self):
        with Telephones() as world:
            desk = world.desk("a1")
            channel = world.call_in()
            offer = desk.wait_push("offer")
            world.control("POST", f"/legs/{channel}/hangup", {"how": "party"})
            self.assertEqual(desk.wait_push("offer.revoked")["reason"], "cancelled")
            world.wait(lambda: world.interaction(offer["interaction"])["state"] == "abandoned", "abandoned")
            self.assertEqual(world.ended()[0]["outcome"], "abandoned")
            self.assertEqual(desk.state(), "ready")

    def test_a_telephone_that_is_not_answered_counts_as_an_offer_that_was_not(self):
        with Telephones(account={"agent_ring_timeout": "PT1S"}) as world:
            world.behaves("1001", "no_answer")
            first = world.desk("a1")
            world.call_in()
            offer = first.wait_push("offer")
            first.ok("offer.accept", offer=offer["offer"])
            second = world.desk("a2")
            again = second.wait_push("offer")
            self.assertEqual(again["interaction"], offer["interaction"])
            self.assertGreater(again["fence"], offer["fence"])
            self.assertEqual(world.get("/v1/agents/a1").json["state"], "rona_blocked")
            second.ok("offer.accept", offer=again["offer"])
            second.wait_push("interaction.connected")

    def test_when_the_agents_device_drops_the_customer_is_first_in_the_queue(self):
        with Telephones() as world:
            desk = world.desk("a1")
            channel = world.call_in()
            interaction = world.take(desk)
            (leg,) = [leg["channel"] for leg in world.legs() if leg["kind"] == "agent"]
            world.control("POST", f"/legs/{leg}/hangup", {"how": "media"})
            offer = desk.wait_push("offer", lambda push: push["interaction"] == interaction)
            desk.ok("offer.accept", offer=offer["offer"])
            desk.wait_push("interaction.connected")
            self.assertTrue(any(event["data"]["interaction_id"] == interaction for event in world.events(types="interaction.recovering")))
            world.control("POST", f"/legs/{channel}/hangup", {"how": "party"})
            world.wait(lambda: world.ended(), "the call is over")
            self.assertEqual(world.ended()[0]["outcome"], "answered")


class AgentTest(unittest.TestCase):
    def test_hold_resume_digits_and_hang_up(self):
        with Telephones() as world:
            desk = world.desk("a1")
            world.call_in()
            interaction = world.take(desk)
            desk.ok("call.hold", interaction=interaction)
            self.assertEqual(desk.state(), "held")
            time.sleep(1)
            desk.ok("call.resume", interaction=interaction)
            desk.ok("call.mute", interaction=interaction)
            desk.ok("call.unmute", interaction=interaction)
            desk.ok("call.dtmf", interaction=interaction, digits="12#")
            self.assertEqual(desk.code("call.hold", interaction="0193a2b4-0000-7000-8000-000000000001"), "unknown_interaction")
            desk.ok("call.hangup", interaction=interaction)
            desk.wait_push("wrap_up")
            world.wait(lambda: world.ended(), "the call is over")
            ended = world.ended()[0]
            self.assertEqual(ended["hung_up_by"], "agent")
            self.assertGreaterEqual(ended["hold_ms"], 900)
            self.assertGreaterEqual(ended["talk_ms"], ended["hold_ms"])
            world.wait(lambda: world.legs() == [], "no leg is left")

    def test_a_call_is_handed_to_another_agent_and_after_a_consultation(self):
        for consult in (False, True):
            with self.subTest(consult=consult), Telephones() as world:
                first, second = world.desk("a1"), world.desk("a2", ready=False)
                world.call_in()
                interaction = world.take(first)
                second.ready()
                first.ok("call.transfer", interaction=interaction, to="agent:a2", mode="consult" if consult else "blind")
                if consult:
                    world.wait(lambda: len([leg for leg in world.legs() if leg["kind"] == "agent"]) == 2, "the colleague rings")
                    first.wait_push("call.state", lambda push: push.get("cause") == "consult_private")
                    first.ok("call.consult.complete", interaction=interaction)
                else:
                    offer = second.wait_push("offer")
                    second.ok("offer.accept", offer=offer["offer"])
                second.wait_push("interaction.connected", lambda push: push["interaction"] == interaction)
                self.assertEqual(world.interaction(interaction)["agent"], "a2")
                self.assertEqual(first.wait_push("wrap_up")["interaction"], interaction)
                self.assertEqual(first.state(), "wrapup")
                first.ok("interaction.wrap_up", interaction=interaction, disposition="handed_on", note="he knows")
                self.assertEqual(first.wait_push("interaction.closed")["reason"], "transfer")
                self.assertEqual(first.state(), "ready")
                (part,) = world.events(types="interaction.part_completed")
                self.assertEqual((part["data"]["interaction_id"], part["subject"], part["data"]["disposition"]), (interaction, interaction, "handed_on"))
                self.assertNotIn(interaction, [event["subject"] for event in world.events(types="interaction.completed")], "the interaction goes on")
                world.wait(lambda: len(world.legs()) == 2, "the first agent is out")
                second.ok("call.hangup", interaction=interaction)

    def test_a_dial_passes_the_policy_and_is_a_touch(self):
        cap = {"name": "cap", "rules": [{"name": "one-call", "kind": "cap", "max": 1, "per": "P1D", "by": ["contact"], "when": {"purposes": ["service"]}}]}
        with Telephones(agents={"rights": ["dial_any"]}, queue={"wrap_up": "PT0S"}, policy=cap) as world:
            world.up()
            world.behaves(CUSTOMER, "answer", talk="PT1S")
            desk = world.desk("a1")
            self.assertEqual(desk.code("call.dial", number=CUSTOMER, purpose="marketing"), "not_allowed")
            made = desk.ok("call.dial", number=CUSTOMER, purpose="service")["interaction"]
            desk.wait_push("interaction.connected", lambda push: push["interaction"] == made["id"])
            world.wait(lambda: world.ended(), "the call is over")
            ended = world.ended()[0]
            self.assertEqual((ended["direction"], ended["to"], ended["outcome"], ended["agent"]), ("outbound", CUSTOMER, "answered", "a1"))
            world.wait_state(ended["touch"], "completed")
            self.assertEqual(world.get("/v1/touches/" + ended["touch"]).json["attempts"][-1]["outcome"], "answered")
            self.assertEqual(desk.code("call.dial", number=CUSTOMER, purpose="service"), "policy_denied")

    def test_a_touch_is_played_and_its_outcome_told(self):
        with Telephones() as world:
            world.up()
            world.behaves(CUSTOMER, "answer", patience="PT20S", talk="PT20S")
            played = world.touch(CUSTOMER, channels=["voice"], purpose="service", content={"voice": {"play": "file:reminder"}})
            self.assertEqual(played.status, 202, played.text)
            world.wait_state(played.json["id"], "delivered")
            busy = "+8613800000102"
            world.behaves(busy, "busy")
            touch = world.touch(busy, channels=["voice"], purpose="service", content={"voice": {"play": "file:reminder"}}).json["id"]
            world.wait_state(touch, "failed")
            shown = world.get("/v1/touches/" + touch).json
            self.assertEqual((shown["reason"], shown["attempts"][-1]["outcome"]), ("busy", "busy"))
            for voice, pointer in (({}, "/content/voice"), ({"play": "你好"}, "/content/voice/play"), ({"queue": "nope"}, "/content/voice/queue"), ({"ivr": "nope"}, "/content/voice/ivr")):
                wrong = world.touch(CUSTOMER, channels=["voice"], purpose="service", content={"voice": voice})
                self.assertEqual((wrong.status, wrong.json["errors"][0]["pointer"]), (422, pointer))
            for name in ("hello-world", "sound:hello"):
                played = world.touch(CUSTOMER, channels=["voice"], purpose="service", content={"voice": {"play": name}})
                world.wait_state(played.json["id"], "delivered")

    def test_a_caller_without_a_queue_is_hung_up_and_has_flowed_out(self):
        with Telephones(account={"inbound": {"queue": "nowhere"}}) as world:
            world.call_in()
            world.wait(lambda: world.ended(), "the call is over")
            (ended,) = world.ended()
            self.assertEqual((ended["outcome"], ended["hung_up_by"]), ("cancelled", "gateway"))
            shown = world.interaction(ended["interaction"])
            self.assertEqual((shown["state"], shown["reason"]), ("flowed_out", "no_queue"))
            world.wait(lambda: world.legs() == [], "no leg is left")


class RestartTest(unittest.TestCase):
    def test_a_call_goes_on_after_the_gateway_was_killed(self):
        with Telephones() as world:
            desk = world.desk("a1")
            world.call_in()
            interaction = world.take(desk)
            begun = time.monotonic()
            seen = max(push["seq"] for push in desk.pushes)
            world.kill()
            desk.cut()
            time.sleep(1)
            world.start()
            world.wait(lambda: world.interaction(interaction)["state"] == "assigned", "the call goes on", 5)
            self.assertTrue(any(event["data"]["interaction_id"] == interaction for event in world.events(types="interaction.recovering")))
            again = Desk(world, "a1", join=seen)
            again.wait_push("call.state", lambda push: push["state"] == "connected")
            again.ok("call.hangup", interaction=interaction)
            talked = (time.monotonic() - begun) * 1000
            world.wait(lambda: world.ended(), "the call is over")
            self.assertAlmostEqual(world.ended()[0]["talk_ms"], talked, delta=1000)
            again.close()

    def test_who_hung_up_meanwhile_is_found_out(self):
        with Telephones() as world:
            desk = world.desk("a1")
            channel = world.call_in()
            world.take(desk)
            world.kill()
            desk.cut()
            world.control("POST", f"/legs/{channel}/hangup", {"how": "party"})
            world.start()
            world.wait(lambda: world.ended(), "the end is known", 10)
            self.assertEqual((world.ended()[0]["hung_up_by"], world.ended()[0]["estimated"]), ("customer", True))
            world.wait(lambda: world.legs() == [], "no leg is left")


class LossTest(unittest.TestCase):
    def promises(self, world):
        return [event["data"] for event in world.events(types="promise.made")]

    def test_who_talked_or_waited_when_the_pbx_was_lost_is_promised_a_call_once(self):
        with Telephones() as world:
            desk = world.desk("a1")
            world.call_in()
            talking = world.take(desk)
            world.call_in("13800000102")
            world.wait(lambda: len(world.get("/v1/interactions?state=queued").json["items"]) == 1, "the second one waits")
            waiting = world.get("/v1/interactions?state=queued").json["items"][0]["id"]
            world.control("POST", "/restart", {"for": "PT0.5S"})
            world.wait(lambda: len(world.ended()) == 2, "both calls are over")
            self.assertEqual({(end["hung_up_by"], end["estimated"]) for end in world.ended()}, {("network", True)})
            made = {promise["interaction_id"]: promise for promise in self.promises(world)}
            self.assertEqual(set(made), {talking, waiting})
            self.assertEqual(made[talking]["agent"], "a1")
            self.assertEqual(made[waiting]["queue"], "care")
            self.assertEqual((world.interaction(waiting)["state"], world.interaction(talking)["state"]), ("flowed_out", "wrapping"))
            desk.wait_push("promise.due")
            world.kill()
            desk.cut()
            world.start()
            world.up()
            self.assertEqual(len(self.promises(world)), 2)


class RecordingTest(unittest.TestCase):
    def test_a_recording_is_read_and_is_gone_with_its_contact(self):
        keys = [{"name": "all", "key": "acceptance-key-0123456789", "scopes": SCOPES + ["recordings"]}]
        with Telephones(account={"recording": {"calls": "all"}}, settings={"api_keys": keys}) as world:
            desk = world.desk("a1")
            channel = world.call_in()
            interaction = world.take(desk)
            time.sleep(0.5)
            world.control("POST", f"/legs/{channel}/hangup", {"how": "party"})
            path = f"/v1/interactions/{interaction}/recording"
            world.wait(lambda: world.get(path).status == 200, "the recording is here")
            desk.wait_push("wrap_up")
            desk.ok("interaction.wrap_up", interaction=interaction, disposition="solved")
            contact = world.interaction(interaction)["contact_id"]
            self.assertEqual(world.delete("/v1/contacts/" + contact).status, 204)
            gone = world.get(path)
            self.assertEqual(gone.status, 410)
            self.assertIn("erased", gone.json["detail"])
            (event,) = world.events(types="recording.deleted")
            self.assertEqual((event["data"]["interaction"], event["data"]["reason"]), (interaction, "erased"))
            self.assertEqual(world.get("/v1/interactions/01890a5d-ac96-774b-bcce-b302099a8057/recording").status, 404)


if __name__ == "__main__":
    unittest.main()
