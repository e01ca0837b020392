"""Campaigns of mode preview, against the simulated PBX: an agent sees a recipient first, and only his word lets the number be dialled."""

import json
import unittest

from agent_socket import Desk
from gateway import request
from telephones import Dialer

FIRST, SECOND, THIRD = "+8613800000101", "+8613800000102", "+8613800000103"


class Previewer(Dialer):
    """A campaign's recipients come with variables; agents sit down one by one."""

    def sits(self, n=1, ready=True):
        desk = Desk(self, f"a10{n:02d}")
        if ready:
            desk.ready()
        self.desks.append(desk)
        return desk

    def previews(self, numbers, id="c1", **more):
        for number in numbers:
            self.behaves(number, "answer", talk="PT20S", patience="PT20S")
        body = {"id": id, "purpose": "service", "dialing": {"mode": "preview", "account": "pbx-main", "queue": "sales", "ring_timeout": "PT5S", **more}}
        assert self.post("/v1/campaigns", body).status == 201
        lines = [json.dumps({"contact": {"phone": number}, "variables": {"plan": "B" + number[-1]}}) for number in numbers]
        taken = request(f"{self.url}/v1/campaigns/{id}/audience", "POST", "\n".join(lines), content_type="application/x-ndjson").json
        assert taken["added"] == len(numbers), taken
        assert self.post(f"/v1/campaigns/{id}/start").status in (200, 202)

    def dialled(self):
        """Customers whose telephones the PBX was asked to ring, over all time."""
        return [leg["number"] for leg in self.control("GET", "/calls")["items"] if leg["kind"] == "customer"] + [leg["number"] for leg in self.legs("customer")]

    def touches(self):
        return {touch["id"]: touch for touch in self.get("/v1/touches?campaign=c1").json["items"]}


def shown_again(desk, before=None):
    """Who is shown after the desk was opened again: in its snapshot, or pushed since."""
    offers = [offer for offer in desk.snapshot["offers"] if before is None or offer["offer"] != before["offer"]]
    desk.snapshot["offers"] = []
    return offers[0] if offers else desk.wait_push("offer", lambda push: before is None or push["offer"] != before["offer"])


def plan_of(offer):
    return offer["context"]["variables"]["plan"]


class ShownTest(unittest.TestCase):
    def test_who_is_shown_is_dialled_when_the_agent_says_so_and_not_before(self):
        with Previewer(agents=1) as world:
            desk = world.sits()
            world.previews([FIRST])
            offer = desk.wait_push("offer")
            self.assertEqual((offer["preview"], offer["auto_answer"], offer["channel"], offer["queue"]), (True, False, "voice", "sales"))
            self.assertEqual((offer["context"]["campaign"], offer["context"]["direction"], offer["context"]["variables"]), ("c1", "outbound", {"plan": "B1"}))
            self.assertEqual((offer["contact"]["addresses"], offer["context"]["to"]), (["+86138****0101"], "+86138****0101"))
            self.assertNotIn(FIRST, str(offer), "agents see no numbers")
            self.assertEqual(desk.state(), "ringing")
            self.assertEqual(world.dialled() + world.legs(), [])
            self.assertEqual(world.counts()["counts"]["queued"], 1)
            self.assertEqual(world.events(types="touch.dispatching"), [], "a permit is not given before")

            accepted = desk.ok("offer.accept", offer=offer["offer"], fence=offer["fence"])["interaction"]
            self.assertEqual((accepted["id"], accepted["direction"], accepted["campaign"]), (offer["interaction"], "outbound", "c1"))
            desk.wait_push("interaction.connected", lambda push: push["interaction"] == offer["interaction"])
            self.assertEqual(desk.state(), "talking")
            desk.ok("call.hangup", interaction=offer["interaction"])
            world.wait(lambda: world.counts()["state"] == "finished", "the campaign is through", 30)
            (ended,) = world.ended()
            (touch,) = world.touches()
            self.assertEqual((ended["outcome"], ended["agent"], ended["to"], ended["touch"]), ("answered", "a1001", FIRST, touch))
            world.wait_state(touch, "completed")
            self.assertEqual(world.dialled(), [FIRST])
            desk.wait_push("call.state", lambda push: push["state"] == "ended")
            states = [push["state"] for push in desk.pushes if push["type"] == "call.state"]
            self.assertEqual(states[:2] + states[-2:], ["dialing_agent", "ringing", "connected", "ended"], states)

    def test_a_skipped_recipient_goes_to_another_agent_and_the_reason_is_on_record(self):
        with Previewer(agents=2, queue={"backoff": {"reject": "PT60S"}}) as world:
            one, two = world.sits(1), world.sits(2)
            world.previews([FIRST])
            offered = {}
            world.wait(lambda: [offered.setdefault(desk.agent, push) for desk in (one, two) for push in (desk.quiet(0.05) or desk.pushes) if push["type"] == "offer"], "shown")
            (holder,) = offered
            asked, other = (one, two) if holder == one.agent else (two, one)
            asked.ok("offer.reject", offer=offered[holder]["offer"], reason="knows the customer")
            again = other.wait_push("offer")
            self.assertEqual((plan_of(again), again["preview"]), ("B1", True))
            self.assertGreater(again["fence"], offered[holder]["fence"])
            self.assertEqual(asked.code("offer.accept", offer=offered[holder]["offer"]), "stale_offer")
            rejected = [event["data"] for event in world.events(types="offer.rejected")]
            self.assertEqual([(each["agent"], each["reason"]) for each in rejected], [(holder, "knows the customer")])
            other.ok("offer.accept", offer=again["offer"])
            other.wait_push("interaction.connected")
            self.assertEqual(world.dialled(), [FIRST])

    def test_without_another_agent_the_next_recipient_comes_first_and_the_skipped_one_later(self):
        with Previewer(agents=1, queue={"backoff": {"reject": "PT1S"}}) as world:
            desk = world.sits()
            world.previews([FIRST, SECOND])
            first = desk.wait_push("offer")
            self.assertEqual(plan_of(first), "B1")
            desk.ok("offer.reject", offer=first["offer"], reason="later")
            second = desk.wait_push("offer")
            self.assertEqual(plan_of(second), "B2")
            desk.ok("offer.accept", offer=second["offer"])
            desk.wait_push("interaction.connected")
            desk.ok("call.hangup", interaction=second["interaction"])
            third = desk.wait_push("offer")
            self.assertEqual(plan_of(third), "B1")
            desk.ok("offer.accept", offer=third["offer"])
            desk.wait_push("interaction.connected", lambda push: push["interaction"] == third["interaction"])
            desk.ok("call.hangup", interaction=third["interaction"])
            world.wait(lambda: world.counts()["state"] == "finished", "the campaign is through", 30)
            self.assertEqual(world.counts()["counts"]["completed"], 2)
            self.assertEqual(sorted(world.dialled()), [FIRST, SECOND])

    def test_who_does_not_answer_is_blocked_and_somebody_else_is_asked(self):
        with Previewer(agents=2, queue={"offer_timeout": "PT1S", "strategy": "top_down"}) as world:
            silent = world.sits(1)
            world.previews([FIRST])
            offer = silent.wait_push("offer")
            self.assertEqual(silent.wait_push("offer.revoked")["reason"], "timeout")
            self.assertEqual(world.get("/v1/agents/a1001").json["state"], "rona_blocked")
            other = world.sits(2)
            again = other.wait_push("offer")
            self.assertEqual(plan_of(again), "B1")
            self.assertEqual(silent.code("offer.accept", offer=offer["offer"]), "stale_offer")
            other.ok("offer.accept", offer=again["offer"])
            other.wait_push("interaction.connected")
            self.assertEqual(world.dialled(), [FIRST])

    def test_one_recipient_is_never_shown_to_two_agents(self):
        for strategy in ("ring_all", "ring_progressively"):
            with self.subTest(strategy=strategy), Previewer(agents=3, queue={"strategy": strategy, "progressive_step": "PT1S"}) as world:
                desks = [world.sits(n) for n in (1, 2, 3)]
                world.previews([FIRST, SECOND])
                for desk in desks:
                    desk.quiet(0.6)
                offers = [push for desk in desks for push in desk.pushes if push["type"] == "offer"]
                self.assertEqual(sorted(map(plan_of, offers)), ["B1", "B2"])
                self.assertEqual(len({offer["interaction"] for offer in offers}), 2)

    def test_no_answer_is_tried_again_as_the_plan_says_and_shown_again_first(self):
        with Previewer(agents=1) as world:
            desk = world.sits()
            world.previews([FIRST], retry={"busy": {"after": "PT0.5S", "max": 1}}, max_attempts=2)
            world.behaves(FIRST, "busy")
            for _ in range(2):
                offer = desk.wait_push("offer")
                desk.ok("offer.accept", offer=offer["offer"])
                self.assertEqual(desk.wait_push("call.state", lambda push: push["state"] == "ended" and push["interaction"] == offer["interaction"])["cause"], "busy")
            world.wait(lambda: world.counts()["state"] == "finished", "the campaign is through", 30)
            (id,) = world.touches()
            world.wait_state(id, "failed")
            touch = world.get("/v1/touches/" + id).json
            self.assertEqual((touch["reason"], len(touch["attempts"])), ("busy", 2))
            self.assertEqual([each["outcome"] for each in world.ended()], ["busy", "busy"])


class WithdrawnTest(unittest.TestCase):
    def test_a_recipient_who_opts_out_is_taken_back_and_not_dialled(self):
        with Previewer(agents=1) as world:
            desk = world.sits()
            world.previews([FIRST, SECOND])
            offer = desk.wait_push("offer")
            told = world.post("/v1/events/inbound", {"key": "stop", "channel": "voice", "contact": {"phone": FIRST}, "kind": "opt_out", "channels": ["voice"], "purposes": ["service"]})
            self.assertEqual(told.status, 202, told.text)
            self.assertEqual(desk.wait_push("offer.revoked")["reason"], "cancelled")
            self.assertEqual(desk.code("offer.accept", offer=offer["offer"]), "stale_offer")
            self.assertEqual(plan_of(desk.wait_push("offer", lambda push: push["offer"] != offer["offer"])), "B2")
            states = sorted(touch["state"] for touch in world.touches().values())
            self.assertEqual(states, ["blocked", "queued"])
            self.assertEqual(world.dialled(), [])

    def test_what_the_policy_forbids_since_is_refused_at_the_accept(self):
        with Previewer(agents=1, policy={"name": "open", "rules": []}) as world:
            desk = world.sits()
            world.previews([FIRST])
            offer = desk.wait_push("offer")
            hold = world.post("/v1/holds", {"channels": ["voice"], "reason": "quiet"})
            self.assertEqual(hold.status, 201, hold.text)
            code = desk.code("offer.accept", offer=offer["offer"])
            self.assertIn(code, ("policy_denied", "stale_offer"))
            self.assertEqual(desk.wait_push("offer.revoked")["reason"], "cancelled")
            self.assertEqual(world.dialled(), [])
            self.assertEqual(desk.state(), "ready")
            self.assertEqual(world.delete("/v1/holds/" + hold.json["id"]).status, 204)
            again = desk.wait_push("offer")
            desk.ok("offer.accept", offer=again["offer"])
            desk.wait_push("interaction.connected")

    def test_a_pause_takes_back_who_is_shown_and_a_resume_shows_him_again(self):
        with Previewer(agents=1) as world:
            desk = world.sits()
            world.previews([FIRST])
            desk.wait_push("offer")
            self.assertEqual(world.post("/v1/campaigns/c1/pause").status, 200)
            self.assertEqual(desk.wait_push("offer.revoked")["reason"], "cancelled")
            self.assertEqual(world.post("/v1/campaigns/c1/resume").status, 200)
            offer = desk.wait_push("offer")
            desk.ok("offer.accept", offer=offer["offer"])
            desk.wait_push("interaction.connected")
            desk.ok("call.hangup", interaction=offer["interaction"])
            world.wait(lambda: world.counts()["state"] == "finished", "the campaign is through", 30)

    def test_a_cancelled_campaign_shows_nobody_any_more(self):
        with Previewer(agents=1) as world:
            desk = world.sits()
            world.previews([FIRST, SECOND])
            desk.wait_push("offer")
            self.assertEqual(world.post("/v1/campaigns/c1/cancel").status, 200)
            self.assertEqual(desk.wait_push("offer.revoked")["reason"], "cancelled")
            world.wait(lambda: all(touch["state"] == "cancelled" for touch in world.touches().values()), "called off")
            desk.quiet(0.8)
            self.assertEqual(len([push for push in desk.pushes if push["type"] == "offer"]), 1)
            self.assertEqual(desk.state(), "ready")

    def test_who_goes_not_ready_gives_the_recipient_back(self):
        with Previewer(agents=2) as world:
            one = world.sits(1)
            world.previews([FIRST])
            one.wait_push("offer")
            one.ok("presence.set", state="not_ready", reason="lunch")
            self.assertEqual(one.wait_push("offer.revoked")["reason"], "not_routable")
            two = world.sits(2)
            self.assertEqual(plan_of(two.wait_push("offer")), "B1")


class TelephoneTest(unittest.TestCase):
    def test_an_agent_whose_telephone_stays_silent_costs_no_attempt(self):
        with Previewer(agents=2, account={"agent_ring_timeout": "PT1S"}, queue={"strategy": "top_down", "wrap_up": "PT30S"}) as world:
            world.behaves("1001", "no_answer")
            one = world.sits(1)
            world.previews([FIRST])
            offer = one.wait_push("offer")
            one.ok("offer.accept", offer=offer["offer"])
            one.wait_push("interaction.closed", lambda push: push["interaction"] == offer["interaction"])
            world.wait(lambda: world.get("/v1/agents/a1001").json["state"] == "rona_blocked", "blocked")
            self.assertEqual([push for push in one.pushes if push["type"] == "wrap_up"], [], "there was no customer")
            self.assertEqual(world.dialled(), [])
            two = world.sits(2)
            again = two.wait_push("offer")
            two.ok("offer.accept", offer=again["offer"])
            two.wait_push("interaction.connected")
            self.assertEqual(world.dialled(), [FIRST])
            (touch,) = world.touches().values()
            self.assertEqual(len(touch["attempts"]), 1)

    def test_an_agent_may_call_it_off_before_the_customer_is_dialled(self):
        with Previewer(agents=1, queue={"backoff": {"no_answer": "PT0S"}}) as world:
            world.behaves("1001", "answer", after="PT2S")
            desk = world.sits()
            world.previews([FIRST])
            offer = desk.wait_push("offer")
            desk.ok("offer.accept", offer=offer["offer"])
            desk.ok("call.hangup", interaction=offer["interaction"])
            again = desk.wait_push("offer", lambda push: push["offer"] != offer["offer"])
            self.assertEqual(plan_of(again), "B1")
            self.assertEqual(world.dialled(), [])

    def test_a_hang_up_while_the_customer_rings_is_a_cancelled_attempt(self):
        with Previewer(agents=1) as world:
            desk = world.sits()
            world.previews([FIRST])
            world.behaves(FIRST, "no_answer")
            offer = desk.wait_push("offer")
            desk.ok("offer.accept", offer=offer["offer"])
            world.wait(lambda: world.legs("customer"), "the customer rings")
            desk.ok("call.hangup", interaction=offer["interaction"])
            world.wait(lambda: world.counts()["state"] == "finished", "the campaign is through", 30)
            (id,) = world.touches()
            world.wait_state(id, "failed")
            self.assertEqual(world.get("/v1/touches/" + id).json["reason"], "cancelled")
            world.wait(lambda: world.legs() == [], "no leg is left")


class RestartTest(unittest.TestCase):
    def test_a_kill_while_a_recipient_is_shown_loses_and_doubles_nothing(self):
        with Previewer(agents=1) as world:
            desk = world.sits()
            world.previews([FIRST, SECOND])
            offer = desk.wait_push("offer")
            world.kill()
            desk.cut()
            world.desks.clear()
            world.start()
            world.up()
            desk = world.sits(ready=False)
            self.assertEqual(desk.code("offer.accept", offer=offer["offer"]), "stale_offer")
            for plan in ("B1", "B2"):
                again = shown_again(desk, offer)
                self.assertEqual(plan_of(again), plan)
                desk.ok("offer.accept", offer=again["offer"])
                desk.wait_push("interaction.connected", lambda push: push["interaction"] == again["interaction"])
                desk.ok("call.hangup", interaction=again["interaction"])
            world.wait(lambda: world.counts()["state"] == "finished", "the campaign is through", 30)
            self.assertEqual(world.dialled(), [FIRST, SECOND])
            self.assertEqual(world.counts()["counts"]["completed"], 2)

    def test_a_kill_after_the_accept_dials_nobody_twice(self):
        # While the agent's telephone rings, while the customer's rings, while they talk.
        for moment in ("agent", "customer", "talk"):
            with self.subTest(moment=moment), Previewer(agents=1) as world:
                world.behaves("1001", "answer", after="PT3S" if moment == "agent" else "PT0.05S")
                desk = world.sits()
                world.previews([FIRST], ring_timeout="PT60S")
                world.behaves(FIRST, "answer", after="PT8S" if moment == "customer" else "PT0.05S", talk="PT8S", patience="PT20S")
                offer = desk.wait_push("offer")
                desk.ok("offer.accept", offer=offer["offer"])
                if moment == "talk":
                    desk.wait_push("interaction.connected")
                else:
                    world.wait(lambda: world.legs(moment), "it rings")
                world.kill()
                desk.cut()
                world.desks.clear()
                world.start()
                world.up()
                desk = world.sits(ready=False)
                if moment == "agent":
                    # The customer was not dialled: somebody is asked about him again.
                    again = shown_again(desk, offer)
                    self.assertEqual(plan_of(again), "B1")
                    world.behaves("1001", "answer", after="PT0.05S")
                    desk.ok("offer.accept", offer=again["offer"])
                    desk.wait_push("interaction.connected", lambda push: push["interaction"] == again["interaction"])
                world.wait(lambda: desk.quiet(0.05) or world.counts()["state"] == "finished", "the campaign is through", 40)
                self.assertEqual(world.dialled(), [FIRST])
                (id,) = world.touches()
                world.wait_state(id, "completed")
                self.assertEqual(len(world.get("/v1/touches/" + id).json["attempts"]), 1)

    def test_a_clean_stop_keeps_the_list_and_its_order(self):
        with Previewer(agents=1) as world:
            desk = world.sits()
            world.previews([FIRST, SECOND, THIRD])
            desk.wait_push("offer")
            world.stop()
            world.desks.clear()
            world.start()
            world.up()
            desk = world.sits(ready=False)
            self.assertEqual(plan_of(shown_again(desk)), "B1")


class ReportTest(unittest.TestCase):
    def test_who_was_only_shown_is_in_no_figure_of_the_queue(self):
        with Previewer(agents=1, queue={"backoff": {"reject": "PT60S"}}) as world:
            desk = world.sits()
            world.previews([FIRST])
            desk.ok("offer.reject", offer=desk.wait_push("offer")["offer"], reason="skip")
            queue = world.get("/v1/queues/sales").json["now"]
            self.assertEqual((queue["waiting"], queue["offered"], queue["abandoned"]), (0, 0, 0))
            (offer,) = [push for push in desk.pushes if push["type"] == "offer"]
            self.assertEqual(world.interaction(offer["interaction"])["state"], "cancelled")


if __name__ == "__main__":
    unittest.main()
