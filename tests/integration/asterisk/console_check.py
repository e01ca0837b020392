"""A day at the console: the whole gateway, a real Asterisk, customers at SIPp, agents in Chromium whose telephone is the page's own."""

import array
import io
import unittest
import wave

import desktop
from basics import wait_until
from desktop import Browsers, Desktop
from floor import FOLDER, PROGRAM, Floor
from parties import Sipp, calling
from pbx import Asterisk

CUSTOMER, NUMBER = "13900000001", "+8613900000001"
VANISHED = 4  # seconds after which the PBX gives up a telephone that sends nothing any more


@unittest.skipIf(desktop.why_not(PROGRAM), desktop.why_not(PROGRAM))
class ConsoleCase(unittest.TestCase):
    tls = False

    @classmethod
    def setUpClass(cls):
        cls.pbx = Asterisk(FOLDER, agents=3, rtp_timeout=VANISHED, tls=cls.tls).start()

    @classmethod
    def tearDownClass(cls):
        cls.pbx.stop()

    def setUp(self):
        self.pbx.clear()
        self.world = Floor(self.pbx, ["a1", "a2"], queue={"dispositions": [{"code": "solved", "label": "Solved"}, {"code": "open", "label": "Still open"}]},
                           account={"recording": {"calls": "all"}, **({"ca_file": self.pbx.certificate()} if self.tls else {})})
        self.addCleanup(self.world.close)
        self.browsers = Browsers()
        self.addCleanup(self.browsers.close)

    def desk(self, agent, ready=True):
        desk = Desktop(self.browsers, self.world, agent)
        self.addCleanup(lambda: self.assertEqual(desk.do("faults"), []))
        if ready:
            desk.ready()
        return desk

    def caller(self, **more):
        party = Sipp(calling("1000", CUSTOMER, **more), remote=self.pbx.sip_port, calls=1)
        self.addCleanup(party.stop)
        return party

    def talking(self, desk):
        """A customer calls and this agent takes it: the customer and the interaction."""
        customer = self.caller()
        desk.sees("care", ".offer")
        desk.accept()
        return customer, self.world.wait_for("the log tells of it", lambda: self.world.data("call.bridged"))[-1]["interaction"]


class ConsoleTest(ConsoleCase):
    def test_a_call_from_the_offer_to_the_wrap_up(self):
        self.assertEqual(self.world.put("/v1/contacts/wang", {"name": "王芳", "phones": [NUMBER], "tags": ["vip"]}).status, 201)
        first, second = self.desk("a1"), self.desk("a2", ready=False)
        customer = self.caller()
        first.sees("王芳", ".offer")
        first.sees("vip", ".offer")
        first.sees("王芳", ".card-head")
        first.accept()
        interaction = self.world.wait_for("the log tells of it", lambda: self.world.data("call.bridged"))[0]["interaction"]

        first.press("Hold")
        first.sees("On hold", "[data-testid=call-state]")
        # Nothing is heard while the customer has music: what comes in stands still.
        wait_until("silence on hold", lambda: self.is_silent(first))
        first.press("Retrieve")
        first.talks()

        first.press("Keypad")
        for key in "5", "#":
            first.press("Key " + key)
        wait_until("the customer's telephone has got the digits", lambda: customer.digits() == "5#")

        # Handed to a colleague at once, who hands it back after a word.
        second.ready()
        first.hand_over("a2", "Transfer now")
        first.wrap_up("Solved", "his part of it")
        second.sees("王芳", ".offer")
        second.accept()
        second.hand_over("a1", "Consult first")
        first.sees("Your phone is ringing", ".phone-bar")
        first.press("Answer", ".phone-bar")
        first.hears()
        second.sees("Consulting", ".call-state")
        second.press("Complete transfer")
        first.talks()

        first.press("Hang up")
        self.assertEqual(customer.wait(), 0, customer.errors())
        first.wrap_up("Solved", "all is well")

        shown = self.world.wait_for("the interaction is over", lambda: (lambda now: now if now["state"] == "completed" else None)(self.world.interaction(interaction)))
        self.assertEqual((shown["agent"], shown["disposition"], shown["channel"], shown["direction"]), ("a1", "solved", "voice", "inbound"))
        self.assertEqual((shown["call"]["from"], shown["call"]["did"], shown["contact_id"]), (NUMBER, "1000", "wang"))
        (ended,) = self.world.ended()
        self.assertEqual({name: ended[name] for name in ("interaction", "direction", "from", "did", "agent", "outcome", "hung_up_by")},
                         {"interaction": interaction, "direction": "inbound", "from": NUMBER, "did": "1000", "agent": "a1", "outcome": "answered", "hung_up_by": "agent"})
        self.assertGreater(ended["hold_ms"], 0)
        self.assertGreater(ended["talk_ms"], ended["hold_ms"])
        self.assertGreater(shown["durations"]["wrap_ms"], 0)
        self.in_order(interaction, ["call.started", "call.bridged", "call.held", "call.held", "call.bridged", "call.consult", "call.consult", "call.ended"])
        wait_until("no channel is left", lambda: not self.pbx.channels())
        self.has_sound(interaction)

    def is_silent(self, desk):
        """Whether nothing comes in while half a second of sound goes out."""
        before = desk.sound()
        after = wait_until("sound goes out", lambda: (lambda now: now if now["sent"] > before["sent"] + 4_000 else None)(desk.sound()))
        return after["received"] - before["received"] < 500

    def in_order(self, interaction, wanted):
        """These events of the call are in the log in this order, others may lie between them."""
        kinds = [event["type"] for event in self.world.events() if event["data"].get("interaction") == interaction or event["data"].get("interaction_id") == interaction]
        rest = iter(kinds)
        for kind in wanted:
            self.assertIn(kind, rest, kinds)

    def has_sound(self, interaction):
        def states():
            """The last one of each of the call's recordings."""
            return {event["recording"]: event["state"] for event in self.world.data("call.recording") if event["interaction"] == interaction}

        self.world.wait(lambda: states() and set(states().values()) == {"stored"}, "all recordings are kept")
        with wave.open(io.BytesIO(self.world.recording(interaction))) as sound:
            samples = array.array("h", sound.readframes(sound.getnframes()))
            self.assertGreater(len(samples) / sound.getframerate(), 1)
        self.assertGreater(max(abs(sample) for sample in samples), 1_000)

    # ---- Several together

    def together(self, count):
        """Whether so many channels hear one another in one bridge, as the PBX says it."""
        return any(len(bridge["channels"]) == count for bridge in self.pbx.ask("GET", "/bridges"))

    def test_three_talk_together(self):
        first, second = self.desk("a1"), self.desk("a2", ready=False)
        customer, interaction = self.talking(first)
        second.ready()
        first.hand_over("a2", "Consult first")
        second.sees("Your phone is ringing", ".phone-bar")
        second.press("Answer", ".phone-bar")
        second.hears()
        first.press("Conference")
        first.sees("Conference", ".call-state")
        self.world.wait(lambda: self.together(3), "all three are in one bridge")
        first.hears()
        second.hears()
        self.world.wait(lambda: [self.world.get("/v1/agents/" + agent).json["state"] for agent in ("a1", "a2")] == ["conference"] * 2, "both are shown so")
        first.press("Hang up")
        self.assertEqual(customer.wait(), 0, customer.errors())
        first.wrap_up("Solved")
        self.world.wait(lambda: self.world.interaction(interaction)["state"] == "completed", "the interaction is over")

    def test_a_supervisor_listens_whispers_and_joins(self):
        self.assertEqual(self.world.put("/v1/contacts/wang", {"name": "王芳", "phones": [NUMBER]}).status, 201)
        document = {"name": "Boss", "role": "supervisor", "supervises": ["care"], "capacity": {"voice": 1}, "extension": "agent3", "queues": []}
        self.assertEqual(self.world.put("/v1/agents/boss", document).status, 201)
        boss, first = self.desk("boss", ready=False), self.desk("a1")
        customer, interaction = self.talking(first)
        boss.press("Supervisor", ".views")
        boss.sees("王芳", "[data-agent=a1]")
        boss.press("Monitor", "[data-agent=a1]")
        boss.sees("Your phone is ringing", ".phone-bar")
        boss.press("Answer", ".phone-bar")
        boss.hears()
        for how, word in ("Whisper", "whisper"), ("Barge in", "barge"):
            boss.press(how, "[data-agent=a1]")
            self.world.wait(lambda: self.world.data("call.supervised")[-1]["how"] == word, word)
            boss.hears()
            first.hears()
        self.world.wait(lambda: self.together(3), "he is in the bridge with both")
        first.press("Hang up")
        self.assertEqual(customer.wait(), 0, customer.errors())
        self.world.wait(lambda: not self.pbx.channels(), "no channel is left, his neither")
        boss.sees("Phone ready", ".phone-bar")
        first.wrap_up("Solved")
        self.assertEqual(self.world.interaction(interaction)["agent"], "a1")

    # ---- Losing one another

    def test_a_browser_that_dies_gives_the_customer_to_the_next_agent_first_of_all(self):
        first = self.desk("a1")
        customer, interaction = self.talking(first)
        waiting = self.caller()  # was here later
        second = self.desk("a2", ready=False)
        self.world.wait(lambda: len(self.world.data("call.started")) == 2, "a second customer waits")
        first.do("kill")
        # Both must be known: before the desktop's lease ends the customer could be offered to it.
        self.world.wait(lambda: self.world.data("interaction.recovering"), "the telephone counts as gone", VANISHED + 20)
        self.world.wait(lambda: self.world.get("/v1/agents/a1").json["state"] == "fault", "the desktop counts as gone", 20)
        second.ready()
        second.sees("care", ".offer")
        second.accept()
        (bridged,) = self.world.wait_for("the log tells of it", lambda: [event for event in self.world.data("call.bridged") if event["agent"] == "a2"])
        self.assertEqual(bridged["interaction"], interaction)
        second.press("Hang up")
        self.assertEqual(customer.wait(), 0, customer.errors())
        self.assertFalse(waiting.is_over())

    def test_a_call_goes_on_while_the_gateway_is_killed_and_started_again(self):
        desk = self.desk("a1")
        customer, interaction = self.talking(desk)
        self.world.kill()
        desk.sees("Trying again", ".connection")
        desk.hears()
        self.world.start()
        desk.sees("Connected", ".connection", 40)
        self.world.wait(lambda: self.world.interaction(interaction)["state"] == "assigned", "the call goes on")
        desk.talks()
        self.assertFalse(customer.is_over())
        desk.press("Hold")
        desk.sees("On hold", "[data-testid=call-state]")
        desk.press("Retrieve")
        desk.talks()
        desk.press("Hang up")
        self.assertEqual(customer.wait(), 0, customer.errors())
        desk.wrap_up("Solved")
        (ended,) = self.world.wait_for("the end of the call", self.world.ended)
        self.assertEqual((ended["interaction"], ended["outcome"], ended["hung_up_by"]), (interaction, "answered", "agent"))
        self.has_sound(interaction)

    def test_a_page_that_is_loaded_again_gets_its_customer_back(self):
        desk = self.desk("a1")
        customer, interaction = self.talking(desk)
        desk.do("reload")
        desk.sees("Phone ready", ".phone-bar")
        # The sound went with the page: once its telephone counts as gone, the customer is offered first of all.
        desk.sees("care", ".offer", VANISHED + 20)
        desk.accept()
        self.assertEqual(self.world.interaction(interaction)["agent"], "a1")
        desk.press("Hang up")
        self.assertEqual(customer.wait(), 0, customer.errors())

    def test_after_a_restart_of_the_telephone_system_its_calls_have_ended_and_new_ones_come(self):
        desk = self.desk("a1")
        _, interaction = self.talking(desk)
        self.pbx.kill()
        self.world.wait(lambda: self.world.get("/v1/accounts").json["items"][0]["health"] != "up", "the loss is seen")
        desk.sees("Phone connecting", ".phone-bar")
        self.pbx.start()
        self.world.up()
        (ended,) = self.world.wait_for("the end of the call", self.world.ended)
        self.assertEqual((ended["interaction"], ended["outcome"], ended["estimated"]), (interaction, "answered", True))
        desk.wrap_up("Still open")
        desk.sees("Phone ready", ".phone-bar", 60)
        again, _ = self.talking(desk)
        desk.press("Hang up")
        self.assertEqual(again.wait(), 0, again.errors())


class SecureTest(ConsoleCase):
    """Everything that is not sound over TLS."""
    tls = True

    def test_a_call_with_the_telephone_system_behind_tls(self):
        desk = self.desk("a1")
        customer, interaction = self.talking(desk)
        desk.press("Hang up")
        self.assertEqual(customer.wait(), 0, customer.errors())
        desk.wrap_up("Solved")
        self.world.wait(lambda: self.world.interaction(interaction)["state"] == "completed", "the interaction is over")

    def test_a_certificate_that_nobody_vouches_for_is_refused_where_it_is_verified(self):
        self.world.stop()
        del self.world.pbx_account["ca_file"]
        self.world.write_config()
        self.world.start()
        health = self.world.wait_for("it is told", lambda: (lambda of: of if of["last_error"] else None)(self.world.get("/v1/accounts").json["items"][0]))
        self.assertEqual(health["health"], "down")
        self.assertIn("certificate", str(health["last_error"]))


if __name__ == "__main__":
    unittest.main(verbosity=2)
