"""Parked calls: the customer waits, the agent is free, anybody of the queue takes him up."""

import unittest

from telephones import Telephones


class ParkingTest(unittest.TestCase):
    def test_a_parked_call_is_taken_up_by_a_colleague(self):
        with Telephones() as world:
            first, second = world.desk("a1"), world.desk("a2", ready=False)
            channel = world.call_in()
            interaction = world.take(first)
            first.ok("call.park", interaction=interaction)
            self.assertEqual(first.wait_push("interaction.closed")["reason"], "transfer")
            self.assertEqual(first.state(), "ready", "no wrap-up: it is not over")
            world.wait(lambda: world.legs("agent") == [], "his telephone is free")
            self.assertEqual(second.wait_push("notice", lambda push: push["kind"] == "parked")["interaction"], interaction)
            (parked,) = second.ok("calls.parked")["items"]
            self.assertEqual((parked["interaction"], parked["queue"], parked["parked_by"]), (interaction, "care", "a1"))
            self.assertTrue(next(leg for leg in world.legs() if leg["channel"] == channel)["music"], "he hears music")
            first.quiet(0.5)
            self.assertEqual([push["interaction"] for push in first.pushes if push["type"] == "offer"], [interaction], "it is offered to nobody")
            figures = world.get("/v1/queues/care").json["now"]
            self.assertEqual((figures["waiting"], figures["offered"]), (0, 1))

            taken = second.ok("call.pickup", interaction=interaction)["interaction"]
            self.assertEqual((taken["id"], taken["agent"]), (interaction, "a2"))
            second.wait_push("interaction.connected")
            self.assertEqual(second.ok("calls.parked")["items"], [])
            self.assertEqual(first.code("call.pickup", interaction=interaction), "wrong_state")
            second.ok("call.hangup", interaction=interaction)
            second.wait_push("wrap_up")
            world.wait(lambda: world.ended(), "the call is over")
            self.assertEqual((world.ended()[0]["outcome"], world.ended()[0]["agent"]), ("answered", "a2"))

    def test_of_two_who_take_it_up_one_gets_it(self):
        with Telephones() as world:
            first, second = world.desk("a1"), world.desk("a2")
            second.ok("presence.set", state="not_ready", reason="busy")
            world.call_in()
            interaction = world.take(first)
            first.ok("call.park", interaction=interaction)
            codes = sorted(str(desk.code("call.pickup", interaction=interaction)) for desk in (second, first))
            self.assertEqual(codes, ["None", "wrong_state"])

    def test_nobody_takes_it_up_and_it_is_in_front_of_the_queue(self):
        with Telephones(account={"longest_park": "PT1S"}) as world:
            first = world.desk("a1")
            world.call_in()
            interaction = world.take(first)
            first.ok("call.park", interaction=interaction)
            again = first.wait_push("offer", lambda push: push["interaction"] == interaction and not push.get("taken"))
            self.assertEqual(first.code("call.pickup", interaction=interaction), "wrong_state")
            first.ok("offer.accept", offer=again["offer"])
            first.wait_push("interaction.connected")

    def test_who_hangs_up_while_parked_has_been_served(self):
        with Telephones() as world:
            first = world.desk("a1")
            channel = world.call_in()
            interaction = world.take(first)
            first.ok("call.park", interaction=interaction)
            world.hang_up(channel)
            world.wait(lambda: world.ended(), "the call is over")
            self.assertEqual((world.ended()[0]["outcome"], world.ended()[0]["hung_up_by"]), ("answered", "customer"))
            self.assertEqual(world.interaction(interaction)["state"], "completed")
            self.assertEqual(first.code("call.pickup", interaction=interaction), "wrong_state")
            self.assertEqual(world.legs(), [])

    def test_who_does_not_serve_the_queue_may_not(self):
        with Telephones() as world:
            assert world.put("/v1/queues/sales", {"channels": ["voice"]}).status == 201
            assert world.put("/v1/agents/a2", {"name": "Seller", "capacity": {"voice": 1}, "extension": "1002", "queues": ["sales"]}).status == 200
            first, second = world.desk("a1"), world.desk("a2")
            world.call_in()
            interaction = world.take(first)
            self.assertEqual(second.code("call.park", interaction=interaction), "not_yours")
            first.ok("call.park", interaction=interaction)
            self.assertEqual(second.ok("calls.parked")["items"], [])
            self.assertEqual(second.code("call.pickup", interaction=interaction), "not_allowed")

    def test_it_is_parked_still_after_a_kill_and_after_a_checkpoint(self):
        for end in ("kill", "stop"):
            with self.subTest(end=end), Telephones() as world:
                first = world.desk("a1")
                world.call_in()
                interaction = world.take(first)
                first.ok("call.park", interaction=interaction)
                getattr(world, end)()
                world.desks.clear()
                world.start()
                world.up()
                again = world.desk("a1")
                again.quiet(0.5)
                self.assertEqual([push for push in again.pushes if push["type"] == "offer"], [])
                again.ok("call.pickup", interaction=interaction)
                again.wait_push("interaction.connected")


if __name__ == "__main__":
    unittest.main()
