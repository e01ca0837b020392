"""Campaigns that dial, against the simulated PBX: agents are kept, outcomes are told, recipients are tried again, dropped calls stay under the bound."""

import threading
import time
import unittest

from gateway import request
from telephones import Dialer


class ProgressiveTest(unittest.TestCase):
    def test_every_outcome_is_told_and_never_more_customers_ring_than_agents_are_kept(self):
        with Dialer(agents=2) as world:
            kinds = ["answer", "busy", "no_answer", "reject", "invalid", "congestion"]
            numbers = [f"+86138000001{n:02d}" for n in range(18)]
            wanted = {}
            words = {"answer": "answered", "busy": "busy", "no_answer": "no_answer", "reject": "rejected", "invalid": "invalid_number", "congestion": "congestion"}
            for n, number in enumerate(numbers):
                world.behaves(number, kinds[n % 6], talk="PT2S")
                wanted[number] = words[kinds[n % 6]]
            most, seen = [0], threading.Event()

            def watch():
                while not seen.is_set():
                    most[0] = max(most[0], len([leg for leg in world.control("GET", "/legs")["items"] if leg["kind"] == "customer"]))
                    time.sleep(0.02)
            watcher = threading.Thread(target=watch)
            watcher.start()
            world.sit_down()
            try:
                world.campaign(numbers, {"mode": "progressive", "no_agent_within": "PT10S"})
                world.wait(lambda: world.counts()["state"] == "finished", "the campaign is through", 90)
            finally:
                seen.set()
                watcher.join()
            self.assertLessEqual(most[0], 2)
            self.assertEqual(world.outcomes(), wanted)
            counts = world.counts()["counts"]
            self.assertEqual((counts["completed"], counts["failed"]), (3, 15))
            offers = [push for desk in world.desks for push in desk.pushes if push["type"] == "offer"]
            self.assertEqual(len(offers), 3, "only who is on the line is shown")
            self.assertTrue(all(offer["auto_answer"] for offer in offers))
            # In the audience's order.
            dialled = [event["data"]["to"] for event in world.events(types="call.started")]
            self.assertEqual(dialled, numbers)

    def test_while_one_talks_the_others_are_dialled_for(self):
        with Dialer(agents=2) as world:
            numbers = [f"+86138000001{n:02d}" for n in range(5)]
            for n, number in enumerate(numbers):
                world.behaves(number, "answer" if n == 0 else "busy", talk="PT60S", patience="PT60S")
            world.sit_down()
            world.campaign(numbers, {"mode": "progressive"})
            world.wait(lambda: len(world.outcomes()) == 4, "the others are dialled", 20)
            self.assertEqual(set(world.outcomes().values()), {"busy"})
            self.assertEqual(len(world.legs("customer")), 1, "the first still talks")

    def test_nobody_is_dialled_while_nobody_is_ready(self):
        with Dialer(agents=1) as world:
            number = "+8613800000101"
            world.behaves(number, "answer", talk="PT1S")
            world.campaign([number], {"mode": "progressive"})
            time.sleep(1)
            self.assertEqual(world.control("GET", "/legs")["items"], [])
            self.assertEqual(world.counts()["counts"]["queued"], 1)
            world.sit_down()
            world.wait(lambda: world.counts()["state"] == "finished", "the campaign is through", 30)
            self.assertEqual(world.outcomes(), {number: "answered"})

    def test_who_was_busy_is_tried_again_as_the_plan_says_and_each_dial_counts(self):
        with Dialer(agents=1) as world:
            number = "+8613800000101"
            world.behaves(number, "busy")
            world.sit_down()
            world.campaign([number], {"mode": "progressive", "max_attempts": 3, "retry": {"busy": {"after": "PT1S", "max": 2}}})
            world.wait(lambda: len([e for e in world.events(types="call.ended")]) == 2, "dialled again", 30)
            world.behaves(number, "answer", talk="PT1S")
            world.wait(lambda: world.counts()["state"] == "finished", "the campaign is through", 30)
            self.assertEqual([event["data"]["outcome"] for event in world.events(types="call.ended")], ["busy", "busy", "answered"])
            touch = world.get("/v1/touches?campaign=c1").json["items"][0]["id"]
            self.assertEqual(world.state(touch), "completed")
            self.assertEqual(len([event for event in world.events(types="touch.dispatching") if event["data"]["touch_id"] == touch]), 3)

    def test_an_agent_whose_telephone_stays_silent_drops_the_customer_and_is_blocked(self):
        with Dialer(agents=1, account={"agent_ring_timeout": "PT1S"}) as world:
            number = "+8613800000101"
            world.behaves(number, "answer", talk="PT20S", patience="PT20S")
            world.behaves(world.extensions[0], "no_answer")
            world.sit_down()
            world.campaign([number], {"mode": "progressive"})
            world.wait(lambda: world.outcomes() == {number: "dropped"}, "dropped", 30)
            self.assertEqual(world.get("/v1/agents/a" + world.extensions[0]).json["state"], "rona_blocked")
            world.wait(lambda: world.counts()["state"] == "finished", "the campaign is through", 30)
            self.assertEqual(world.counts()["counts"]["failed"], 1)


    def test_a_customer_whose_agent_is_not_with_him_in_time_is_dropped(self):
        with Dialer(agents=1, account={"agent_ring_timeout": "PT15S"}) as world:
            number = "+8613800000101"
            world.behaves(number, "answer", talk="PT20S", patience="PT20S")
            world.behaves(world.extensions[0], "no_answer")
            world.sit_down()
            begun = time.monotonic()
            world.campaign([number], {"mode": "progressive", "no_agent_within": "PT1S"})
            world.wait(lambda: world.outcomes() == {number: "dropped"}, "dropped", 30)
            self.assertLess(time.monotonic() - begun, 14, "not only when his telephone has rung for its time")
            touch = world.get("/v1/touches?campaign=c1").json["items"][0]["id"]
            world.wait_state(touch, "failed")
            self.assertEqual(world.get("/v1/touches/" + touch).json["reason"], "dropped")

    def test_customers_who_ring_when_the_gateway_dies_are_served_or_told_of_by_the_next_one(self):
        with Dialer(agents=2) as world:
            answers, busy = "+8613800000301", "+8613800000302"
            world.behaves(answers, "answer", after="PT10S", talk="PT2S", patience="PT60S")
            world.behaves(busy, "busy", after="PT10S")
            world.sit_down()
            world.campaign([answers, busy], {"mode": "progressive", "ring_timeout": "PT60S", "no_agent_within": "PT30S"})
            world.wait(lambda: len([leg for leg in world.control("GET", "/legs")["items"] if leg["kind"] == "customer"]) == 2, "both ring", 8)
            world.kill()
            world.stand_up()
            world.start()
            world.sit_down()
            world.wait(lambda: world.counts()["state"] == "finished", "the campaign is through", 90)
            self.assertEqual(world.outcomes(), {answers: "answered", busy: "busy"})
            world.wait(lambda: world.control("GET", "/legs")["items"] == [], "no leg is left")


class PredictiveTest(unittest.TestCase):
    def test_more_lines_than_agents_when_few_answer_and_whom_nobody_serves_is_dropped(self):
        with Dialer(agents=2) as world:
            numbers = [f"+86138000002{n:02d}" for n in range(12)]
            for n, number in enumerate(numbers):
                world.behaves(number, "answer" if n < 3 else "no_answer", talk="PT6S", patience="PT20S")
            world.sit_down()
            world.campaign(numbers, {"mode": "power", "lines_per_agent": 3, "no_agent_within": "PT2S"})
            world.wait(lambda: world.counts()["state"] == "finished", "the campaign is through", 90)
            ends = list(world.outcomes().values())
            self.assertEqual(ends.count("answered") + ends.count("dropped"), 3)
            self.assertEqual(ends.count("answered"), 2)
            self.assertEqual(ends.count("no_answer"), 9)


class BadInputTest(unittest.TestCase):
    def test_a_plan_that_cannot_be_dialled_is_refused_at_the_start_with_all_its_faults(self):
        with Dialer(agents=1) as world:
            body = {"id": "bad", "purpose": "service", "dialing": {"mode": "shout", "account": "nobody", "queue": "nowhere", "max_lines": 0}}
            assert world.post("/v1/campaigns", body).status == 201
            request(f"{world.url}/v1/campaigns/bad/audience", "POST", '{"contact":{"phone":"+8613800000101"}}', content_type="application/x-ndjson")
            answer = world.post("/v1/campaigns/bad/start")
            self.assertEqual(answer.status, 422)
            pointers = {each["pointer"] for each in answer.json["errors"]}
            self.assertLessEqual({"/dialing/mode", "/dialing/account", "/dialing/queue", "/dialing/max_lines"}, pointers)


if __name__ == "__main__":
    unittest.main()
