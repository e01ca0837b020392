"""What supervisors may do over the socket: hear, whisper, join in, set states, give calls to others, take them over; and for whom."""

import unittest

from agent_socket import Desk
from telephones import Telephones

OTHER = "0193a2b4-0000-7000-8000-000000000001"


class Floor(Telephones):
    """Two agents and a supervisor of their queue with a telephone of his own."""

    def __init__(self, **more):
        super().__init__(extensions=("1001", "1002", "1003"), **more)
        document = {"name": "Boss", "role": "supervisor", "supervises": ["care"], "capacity": {"voice": 1}, "extension": "1003", "queues": []}
        assert self.put("/v1/agents/a3", document).status == 200

    def boss(self, **more):
        desk = self.desks["a3"] = Desk(self, "a3", **more)
        return desk

    def talk(self):
        """An agent in a call: his desk, the interaction and the caller's channel."""
        desk = self.desk("a1")
        channel = self.call_in()
        return desk, self.take(desk), channel

    def bridge_of(self, channel):
        return next(leg["bridge"] for leg in self.legs() if leg["channel"] == channel)

    def supervision(self):
        return [event["data"]["how"] for event in self.events(types="call.supervised")]


class ListeningTest(unittest.TestCase):
    def test_he_hears_whispers_joins_and_leaves(self):
        with Floor() as world:
            desk, interaction, channel = world.talk()
            boss = world.boss()
            boss.ok("supervisor.monitor", interaction=interaction)
            world.wait(lambda: world.legs("snoop"), "he listens")
            (phone,) = [leg for leg in world.legs("agent") if leg["number"] == "1003"]
            talk = world.bridge_of(channel)
            world.wait(lambda: world.bridge_of(phone["channel"]) not in ("", talk), "his telephone is beside the talk, not in it")
            boss.ok("supervisor.whisper", interaction=interaction)
            world.wait(lambda: len(world.legs("snoop")) == 1, "one that whispers in place of the one that listens")
            boss.ok("supervisor.barge", interaction=interaction)
            world.wait(lambda: world.bridge_of(phone["channel"]) == talk, "he is in the talk")
            world.wait(lambda: world.legs("snoop") == [], "nothing listens beside it")
            boss.ok("supervisor.coach_off", interaction=interaction)
            world.wait(lambda: len(world.legs()) == 2, "the two go on alone")
            self.assertEqual(world.supervision(), ["monitor", "whisper", "barge", "coach_off"])
            self.assertEqual(boss.code("supervisor.coach_off", interaction=interaction), "wrong_state")
            self.assertEqual(desk.state(), "talking")
            desk.ok("call.hangup", interaction=interaction)
            world.wait(lambda: world.legs() == [] and world.control("GET", "/bridges")["items"] == [], "nothing is left")

    def test_the_end_of_the_call_ends_the_listening(self):
        with Floor() as world:
            _, interaction, channel = world.talk()
            boss = world.boss()
            boss.ok("supervisor.monitor", interaction=interaction)
            world.wait(lambda: world.legs("snoop"), "he listens")
            world.hang_up(channel)
            world.wait(lambda: world.legs() == [] and world.control("GET", "/bridges")["items"] == [], "nothing is left")

    def test_his_hang_up_ends_only_the_listening(self):
        with Floor() as world:
            desk, interaction, channel = world.talk()
            boss = world.boss()
            boss.ok("supervisor.monitor", interaction=interaction)
            world.wait(lambda: world.legs("snoop"), "he listens")
            (phone,) = [leg for leg in world.legs("agent") if leg["number"] == "1003"]
            world.hang_up(phone["channel"])
            world.wait(lambda: [leg for leg in world.legs("agent") if leg["number"] == "1003"] == [], "he is out")
            self.assertEqual(desk.state(), "talking")
            self.assertTrue(any(leg["channel"] == channel for leg in world.legs()))

    def test_who_may_not_is_told(self):
        with Floor() as world:
            desk, interaction, _ = world.talk()
            other = world.desk("a2")
            for what in ("monitor", "whisper", "barge", "pull"):
                self.assertEqual(other.code("supervisor." + what, interaction=interaction), "not_allowed")
            self.assertEqual(other.code("supervisor.set_presence", agent="a1", state="not_ready"), "not_allowed")
            self.assertEqual(other.code("supervisor.reassign", interaction=interaction, to="agent:a2"), "not_allowed")
            boss = world.boss()
            self.assertEqual(boss.code("supervisor.monitor", interaction=OTHER), "unknown_interaction")
            self.assertEqual(desk.state(), "talking")


class SeeingTest(unittest.TestCase):
    def test_the_socket_tells_him_what_he_may_and_who_has_what(self):
        with Floor() as world:
            desk, interaction, _ = world.talk()
            boss = world.boss()
            self.assertEqual((boss.hello["role"], boss.hello["supervises"], boss.hello["dial_purposes"]), ("supervisor", ["care"], ["service"]))
            lines = {each["id"]: each for each in boss.ok("agents.list")["items"]}
            self.assertEqual((lines["a1"]["state"], lines["a1"]["interactions"]), ("talking", [interaction]))
            self.assertEqual(boss.ok("interaction.get", interaction=interaction)["interaction"]["id"], interaction)
            self.assertTrue(all(each["interactions"] == [] for each in desk.ok("agents.list")["items"]), "colleagues see no work of others")

    def test_a_supervisor_of_another_queue_sees_and_may_nothing(self):
        with Floor() as world:
            assert world.put("/v1/queues/sales", {"channels": ["voice"]}).status == 201
            assert world.put("/v1/agents/a3", {"name": "Boss", "role": "supervisor", "supervises": ["sales"], "capacity": {"voice": 1}, "extension": "1003"}).status == 200
            _, interaction, _ = world.talk()
            boss = world.boss()
            self.assertTrue(all(each["interactions"] == [] for each in boss.ok("agents.list")["items"]))
            self.assertEqual(boss.code("supervisor.barge", interaction=interaction), "not_allowed")
            self.assertEqual(boss.code("interaction.get", interaction=interaction), "not_yours")


class GivingTest(unittest.TestCase):
    def test_a_call_is_given_to_another_agent(self):
        with Floor() as world:
            first, interaction, _ = world.talk()
            boss, second = world.boss(), world.desk("a2")
            boss.ok("supervisor.reassign", interaction=interaction, to="agent:a2")
            self.assertEqual(first.wait_push("wrap_up")["interaction"], interaction, "his part of it")
            offer = second.wait_push("offer")
            self.assertEqual(offer["interaction"], interaction)
            second.ok("offer.accept", offer=offer["offer"])
            second.wait_push("interaction.connected")
            self.assertEqual(world.interaction(interaction)["agent"], "a2")

    def test_a_caller_who_waits_is_given_to_an_agent_of_his_choice(self):
        with Floor() as world:
            world.call_in()
            world.wait(lambda: world.get("/v1/interactions?state=queued").json["items"], "he waits")
            interaction = world.get("/v1/interactions?state=queued").json["items"][0]["id"]
            boss = world.boss()
            boss.ok("supervisor.reassign", interaction=interaction, to="agent:a2")
            second = world.desk("a2")
            self.assertEqual(second.wait_push("offer")["interaction"], interaction)

    def test_he_takes_a_call_over_himself(self):
        with Floor() as world:
            first, interaction, _ = world.talk()
            boss = world.boss()
            boss.ok("presence.set", state="ready")
            boss.ok("supervisor.pull", interaction=interaction)
            self.assertEqual(first.wait_push("wrap_up")["interaction"], interaction, "his part of it")
            offer = boss.wait_push("offer")
            boss.ok("offer.accept", offer=offer["offer"])
            boss.wait_push("interaction.connected")
            self.assertEqual(world.interaction(interaction)["agent"], "a3")

    def test_a_state_that_he_sets_takes_back_what_is_offered(self):
        with Floor() as world:
            first = world.desk("a1")
            world.call_in()
            offer = first.wait_push("offer")
            boss = world.boss()
            boss.ok("supervisor.set_presence", agent="a1", state="not_ready")
            self.assertEqual(first.wait_push("offer.revoked")["reason"], "not_routable")
            self.assertEqual(first.code("offer.accept", offer=offer["offer"]), "stale_offer")
            changed = [event["data"] for event in world.events(types="agent.intent") if event["data"].get("actor")]
            self.assertEqual([(each["agent"], each["actor"]) for each in changed], [("a1", "a3")])
            boss.ok("supervisor.set_presence", agent="a1", state="ready")
            self.assertEqual(first.wait_push("offer", lambda push: push["offer"] != offer["offer"])["interaction"], offer["interaction"])


if __name__ == "__main__":
    unittest.main()
