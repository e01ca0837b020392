"""Cascades from outside: steps with conditions and times, what follows a step and what does not, the cheapest account, a killed gateway."""

import json
import unittest

from gateway import request
from route_test import RoutedWorld

PHONE = "+86138111100{:02d}"
PRICES = {"a": {"billing": {"currency": "CNY", "price": "0.050", "per": "segment"}}, "b": {"billing": {"currency": "CNY", "price": "0.045", "per": "segment"}}}


def steps(until, within=None):
    first = {"channel": "a", "until": until}
    if within:
        first["within"] = within
    return [first, {"channel": "b"}]


class CascadeTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = RoutedWorld(PRICES, [{"accounts": [{"account": "a"}, {"account": "b"}]}])
        cls.world.wait(lambda: all(item["health"] == "up" for item in cls.world.get("/v1/accounts").json["items"]), "all up")

    @classmethod
    def tearDownClass(cls):
        cls.world.close()

    def send(self, number, **more):
        body = {"contact": {"phone": PHONE.format(number)}, "purpose": "marketing", "content": {"text": "你好"}, **more}
        answer = self.world.post("/v1/touches", body)
        self.assertEqual(answer.status, 202, answer.text)
        return answer.json["id"]

    def show(self, touch):
        return self.world.get("/v1/touches/" + touch).json

    def wait_final(self, touch):
        self.world.wait(lambda: self.show(touch)["final"], f"the end of {self.show(touch)}")
        return self.show(touch)

    def received(self, number):
        return [message for message in self.world.messages() if message["to"].lstrip("+") == PHONE.format(number).lstrip("+")]

    def test_what_is_not_read_in_time_goes_over_the_next_step(self):
        touch = self.send(1, steps=steps("read", "PT0.5S"))
        shown = self.wait_final(touch)
        self.assertEqual(shown["state"], "delivered")
        self.assertEqual([attempt["account"] for attempt in shown["attempts"]], ["a", "b"])
        self.assertEqual(shown["steps"], [{"channel": "sms", "accounts": ["a"], "until": "read", "within": "PT0.5S"}, {"channel": "sms", "accounts": ["b"], "until": "delivered"}])
        types = [event["type"] for event in shown["events"]]
        self.assertIn("touch.settled", types)
        self.assertLess(types.index("touch.delivered"), types.index("touch.settled"))
        self.world.wait(lambda: len(self.received(1)) == 2, "two messages")

    def test_what_came_far_enough_is_followed_by_nothing(self):
        touch = self.send(2, steps=steps("delivered", "PT2S"))
        self.assertEqual(self.wait_final(touch)["state"], "delivered")
        # The time of another touch, asked for later, is over when its second message is there.
        other = self.send(3, steps=steps("read", "PT2S"))
        self.wait_final(other)
        self.assertEqual(len(self.received(2)), 1)
        self.assertEqual(len(self.show(touch)["attempts"]), 1)

    def test_a_reply_ends_it(self):
        touch = self.send(4, steps=steps("replied", "PT30S"))
        self.world.wait_state(touch, "delivered")
        self.assertFalse(self.show(touch)["final"])
        self.world.inbound(PHONE.format(4), "好的")
        self.assertEqual(self.wait_final(touch)["state"], "replied")
        self.assertEqual(len(self.received(4)), 1)

    def test_a_killed_gateway_goes_on_where_it_was(self):
        touch = self.send(5, steps=steps("read", "PT4S"))
        self.world.wait_state(touch, "delivered")
        self.world.kill()
        self.world.start()
        shown = self.wait_final(touch)
        self.assertEqual([attempt["account"] for attempt in shown["attempts"]], ["a", "b"])
        self.world.wait(lambda: len(self.received(5)) == 2, "two messages")

    def test_the_cheapest_account_goes_first_and_the_attempt_says_why(self):
        touch = self.send(6, channels=["a", "b"], first="cheapest")
        attempt = self.wait_final(touch)["attempts"][0]
        self.assertEqual(attempt["account"], "b")
        self.assertIn("cheapest first: b 0.045 CNY for 1 segment, a 0.05 CNY for 1 segment", attempt["route_reason"])

    def test_wrong_steps_are_named(self):
        def pointers(**more):
            answer = self.world.post("/v1/touches", {"contact": {"phone": PHONE.format(7)}, "purpose": "marketing", "content": {"text": "x"}, **more})
            self.assertEqual(answer.status, 422, answer.text)
            return {error["pointer"] for error in answer.json["errors"]}
        self.assertEqual(pointers(steps=steps("read"), channels=["a"]), {"/channels"})
        self.assertEqual(pointers(steps=steps("read"), fallback_after="PT1M"), {"/fallback_after"})
        self.assertEqual(pointers(steps=[{"channel": "a", "until": "seen", "within": "soon", "x": 1}]), {"/steps/0/until", "/steps/0/within", "/steps/0/x"})
        self.assertEqual(pointers(steps=[{"channel": "a"}, {"channel": "a"}]), {"/steps/1/channel"})
        self.assertEqual(pointers(steps=[{"channel": "a"}, {"channel": "pigeon"}]), {"/steps/1/channel"})
        self.assertEqual(pointers(steps=[]), {"/steps"})
        self.assertEqual(pointers(first="best"), {"/first"})

    def test_steps_belong_to_the_body_of_a_key(self):
        body = {"key": "cascade-1", "contact": {"phone": PHONE.format(8)}, "purpose": "marketing", "content": {"text": "x"}, "steps": steps("delivered", "PT1M")}
        first = self.world.post("/v1/touches", body)
        self.assertEqual(first.status, 202)
        self.assertTrue(self.world.post("/v1/touches", body).json["duplicate"])
        self.assertEqual(self.world.post("/v1/touches", {**body, "steps": steps("read", "PT1M")}).status, 409)

    def test_a_campaign_has_steps(self):
        definition = {"id": "steps", "purpose": "marketing", "content": {"text": "你好"}, "steps": steps("read", "PT0.5S"), "first": "cheapest"}
        self.assertEqual(self.world.post("/v1/campaigns", definition).status, 201)
        lines = "\n".join(json.dumps({"contact": {"phone": PHONE.format(number)}}) for number in (20, 21))
        self.assertEqual(request(f"{self.world.url}/v1/campaigns/steps/audience", "POST", lines, content_type="application/x-ndjson").json["added"], 2)
        self.assertEqual(self.world.post("/v1/campaigns/steps/start").status, 200)
        self.world.wait(lambda: len(self.received(20)) == 2 and len(self.received(21)) == 2, "two messages each")
        wrong = self.world.post("/v1/campaigns", {**definition, "id": "wrong", "channels": ["sms"]})
        self.assertEqual({error["pointer"] for error in wrong.json["errors"]}, {"/channels"})


if __name__ == "__main__":
    unittest.main()
