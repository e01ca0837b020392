"""What the feed tells of conversations, offers and agents, and what the API says of closing and of queues."""

import unittest

from agents_test import Centre, conversation


class FeedTest(unittest.TestCase):
    def test_each_step_of_a_conversation_is_an_event_about_its_thing(self):
        with Centre() as world:
            desk = world.ready("a1")
            interaction = conversation(world, desk)
            desk.ok("interaction.wrap_up", interaction=interaction, disposition="done")
            world.wait(lambda: world.events(types="interaction.completed"), "the end")
            told = world.events(types="interaction.*,offer.*")
            types = [event["type"] for event in told]
            for wanted in ("interaction.queued", "interaction.reserved", "offer.created", "offer.accepted", "interaction.assigned", "interaction.completed"):
                self.assertEqual(types.count(wanted), 1, types)
            order = [types.index(name) for name in ("interaction.queued", "offer.created", "interaction.reserved", "offer.accepted", "interaction.assigned", "interaction.completed")]
            self.assertEqual(order, sorted(order), types)
            offers = {event["subject"] for event in told if event["type"].startswith("offer.")}
            self.assertEqual({event["subject"] for event in told if event["type"].startswith("interaction.")}, {interaction})
            self.assertEqual(offers, {event["data"]["offer_id"] for event in told if event["type"].startswith("offer.")})
            for event in told:
                self.assertEqual(event["data"]["interaction_id"], interaction)
                self.assertTrue(event["data"]["contact_id"])
            self.assertEqual([event["data"]["agent_id"] for event in told if event["type"] == "offer.accepted"], ["a1"])
            states = world.events(types="agent.state")
            self.assertEqual({event["subject"] for event in states} & {"a1"}, {"a1"})
            self.assertEqual({event["data"]["agent_id"] for event in states if event["subject"] == "a1"}, {"a1"})

    def test_a_filter_by_how_it_ended_leaves_the_others_out(self):
        with Centre() as world:
            desk = world.ready("a1")
            world.write()
            offer = desk.wait_push("offer")
            desk.ok("offer.reject", offer=offer["offer"], reason="busy")
            world.wait(lambda: world.events(types="offer.rejected"), "the refusal")
            self.assertEqual([event["subject"] for event in world.events(types="offer.rejected")], [offer["offer"]])
            self.assertEqual(world.events(types="offer.accepted,interaction.assigned"), [])
            self.assertEqual([event["data"]["cause"] for event in world.events(types="interaction.queued")], ["arrived", "rejected"])

    def test_a_message_without_a_queue_has_flowed_out(self):
        with Centre() as world:
            answer = world.post("/v1/events/inbound", {"key": "w-1", "channel": "wecom", "contact": {"phone": "+8613800000077"}, "kind": "message", "content": {"text": "hello"}})
            (event,) = world.events(types="interaction.flowed_out")
            self.assertEqual((event["subject"], event["data"]["reason"]), (answer.json["interaction"], "no_queue"))


class InboundTest(unittest.TestCase):
    def test_a_queue_that_is_not_there_is_refused_and_a_repeat_names_the_first_interaction(self):
        with Centre() as world:
            body = {"key": "i-1", "channel": "sms", "contact": {"phone": "+8613800000078"}, "kind": "message", "content": {"text": "hello"}}
            refused = world.post("/v1/events/inbound", {**body, "queue": "nope"})
            self.assertEqual((refused.status, refused.json["errors"][0]["pointer"]), (422, "/queue"))
            first = world.post("/v1/events/inbound", body).json
            again = world.post("/v1/events/inbound", body).json
            self.assertEqual((again["interaction"], again["duplicate"]), (first["interaction"], True))

    def test_the_first_queue_of_the_configuration_takes_what_no_account_gives_away(self):
        queues = [{"id": "zz", "channels": ["web"]}, {"id": "aa", "channels": ["web"]}]
        with Centre(settings={"queues": queues}) as world:
            answer = world.post("/v1/events/inbound", {"key": "q-1", "channel": "web", "contact": {"phone": "+8613800000079"}, "kind": "message", "content": {"text": "hello"}})
            self.assertEqual(world.interaction(answer.json["interaction"])["queue"], "zz")

    def test_who_waits_too_long_goes_to_the_other_queue_with_his_age(self):
        with Centre(queue={"max_wait": "PT1S", "overflow": {"to": "queue:second"}}, agents=()) as world:
            self.assertEqual(world.put("/v1/queues/second", {"channels": ["sms"]}).status, 201)
            world.agent("b1", queues=["second"])
            desk = world.ready("b1")
            interaction = world.write()
            self.assertEqual(desk.wait_push("offer")["interaction"], interaction)
            shown = world.interaction(interaction)
            self.assertEqual(shown["queue"], "second")
            self.assertEqual([event["data"].get("cause") for event in world.events(types="interaction.queued") if event["data"].get("queue") == "second" and "cause" in event["data"]], ["overflow"])


class CloseTest(unittest.TestCase):
    def test_closing_leaves_the_wrap_up_and_keeps_what_was_said(self):
        with Centre(queue={"wrap_up": "PT1S", "dispositions": ["ok", {"code": "dnc", "dnc": {"channels": ["sms"], "purposes": ["marketing"]}}]}) as world:
            desk = world.ready("a1")
            interaction = conversation(world, desk)
            refused = world.post(f"/v1/interactions/{interaction}/close", {"disposition": "nope"})
            self.assertEqual((refused.status, refused.json["errors"][0]["pointer"]), (422, "/disposition"))
            closed = world.post(f"/v1/interactions/{interaction}/close", {"disposition": "dnc", "note": "asked for it"})
            self.assertEqual((closed.status, closed.json["state"], closed.json["disposition"]), (200, "wrapping", "dnc"))
            world.wait(lambda: world.interaction(interaction)["state"] == "completed", "the end of the wrap-up")
            shown = world.interaction(interaction)
            self.assertEqual((shown["disposition"], shown["reason"]), ("dnc", "api"))
            (event,) = world.events(types="interaction.completed")
            self.assertEqual(event["data"]["disposition"], "dnc")
            (withdrawn,) = world.events(types="consent.withdrawn")
            self.assertEqual((withdrawn["data"]["channel"], withdrawn["data"]["purpose"]), ("sms", "marketing"))
            self.assertIn(desk.wait_push("interaction.closed")["reason"], ("agent", "customer", "api", "timeout", "transfer"))

    def test_an_id_that_none_of_ours_can_be_is_unknown(self):
        with Centre() as world:
            desk = world.ready("a1")
            self.assertEqual(desk.request("offer.accept", offer="none")["error"]["code"], "unknown_offer")
            self.assertEqual(desk.request("message.send", interaction="none", content={"text": "x"})["error"]["code"], "unknown_interaction")


if __name__ == "__main__":
    unittest.main()
