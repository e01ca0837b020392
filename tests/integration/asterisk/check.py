"""The Asterisk adapter against a real Asterisk, with SIPp as customers and as agents' desk telephones.

    run.sh CONSOLE       sets everything up; CONSOLE is build/touchgate-call-console"""

import json
import os
import queue
import subprocess
import threading
import time
import unittest

from basics import PATIENCE, free_port, wait_until
from parties import Sipp, answering, calling
from pbx import Asterisk

CONSOLE = os.environ["TOUCHGATE_CALL_CONSOLE"]
FOLDER = os.environ["TOUCHGATE_ASTERISK"]


class Console:
    """The adapter in a process of its own."""

    def __init__(self, account):
        self.process = subprocess.Popen([CONSOLE, json.dumps(account)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.events = queue.Queue()
        self.seen = []
        self.next = 1
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        with self.process.stdout:
            for line in self.process.stdout:
                self.events.put(json.loads(line))

    def do(self, what, **fields):
        number, self.next = self.next, self.next + 1
        self.process.stdin.write(json.dumps({"id": number, "do": what, **fields}) + "\n")
        self.process.stdin.flush()
        return number

    def wait(self, event, seconds=15, **fields):
        """The next event of this kind with these fields; those before it stay in `seen`."""
        end = time.monotonic() + seconds * PATIENCE
        while True:
            try:
                got = self.events.get(timeout=max(0.01, end - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no {event} {fields}; seen: {self.seen[-12:]}") from None
            self.seen.append(got)
            if got["event"] == event and all(got.get(key) == value for key, value in fields.items()):
                return got

    def saw(self, event, **fields):
        return any(got["event"] == event and all(got.get(key) == value for key, value in fields.items()) for got in self.seen)

    def close(self):
        if self.process.poll() is None:
            self.process.stdin.close()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.reader.join(10)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.reader.join(10)


class AsteriskTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.desk = free_port()
        cls.pbx = Asterisk(FOLDER, desk_phones={"agent1": cls.desk}, rtp_timeout=0).start()

    @classmethod
    def tearDownClass(cls):
        cls.pbx.stop()

    def setUp(self):
        self.pbx.clear()
        self.console = self.connect()

    def connect(self, **more):
        console = Console(self.pbx.account(**more))
        self.addCleanup(console.close)
        console.up = console.wait("pbx_up")
        return console

    def customers(self, *arguments, **more):
        """Who answers calls to the trunk."""
        party = Sipp(answering(*arguments, **more), port=self.pbx.trunk_port)
        self.addCleanup(party.stop)
        return party

    def agent_phone(self, **more):
        party = Sipp(answering(**more), port=self.desk)
        self.addCleanup(party.stop)
        return party

    def caller(self, number, **more):
        party = Sipp(calling(number, "13900000001", **more), remote=self.pbx.sip_port, calls=1)
        self.addCleanup(party.stop)
        return party

    def call_customer(self, leg, **more):
        return self.console.do("make_leg", leg=leg, owner="call-" + leg, target="+8613800000000", **more)

    # ---- Outbound

    def test_a_customer_answers_and_is_hung_up(self):
        self.customers()
        self.call_customer("c1")
        self.console.wait("leg_ringing", leg="c1")
        self.console.wait("leg_answered", leg="c1")
        self.console.do("end_leg", leg="c1")
        ended = self.console.wait("leg_ended", leg="c1")
        self.assertEqual((ended["outcome"], ended["cause"], ended["by_far_end"]), ("answered", 16, False))

    def test_a_customer_hangs_up_himself(self):
        self.customers(talk_ms=500)
        self.call_customer("c2")
        self.console.wait("leg_answered", leg="c2")
        ended = self.console.wait("leg_ended", leg="c2")
        self.assertEqual((ended["outcome"], ended["by_far_end"]), ("answered", True))

    def test_refusals_are_the_outcomes_of_the_table(self):
        for status, outcome in ((486, "busy"), (603, "rejected"), (403, "rejected"), (404, "invalid_number"), (480, "no_answer"), (503, "congestion"), (500, "failed"), (484, "invalid_number")):
            with self.subTest(status=status):
                party = self.customers(status=status)
                leg = f"r{status}"
                self.call_customer(leg)
                ended = self.console.wait("leg_ended", leg=leg)
                self.assertEqual((ended["outcome"], ended["tech_cause"], ended["was_answered"]), (outcome, status, False))
                party.stop()

    def test_nobody_answers_in_time(self):
        self.customers(status="never")
        self.call_customer("n1", ring_timeout=1500)
        ended = self.console.wait("leg_ended", leg="n1")
        self.assertEqual((ended["outcome"], ended["was_answered"], ended["by_far_end"]), ("no_answer", False, False))

    def test_a_call_that_is_withdrawn_while_it_rings_is_cancelled(self):
        self.customers(status="never")
        self.call_customer("w1")
        self.console.wait("leg_ringing", leg="w1")
        self.console.do("end_leg", leg="w1", reason="answered_elsewhere")
        self.assertEqual(self.console.wait("leg_ended", leg="w1")["outcome"], "cancelled")

    def test_nothing_is_dialled_after_the_permit(self):
        command = self.call_customer("p1", permit_for=-1)
        failed = self.console.wait("command_failed", command=command)
        self.assertTrue(failed["unwritten"])

    def test_a_machine_or_a_human(self):
        self.customers()
        self.call_customer("m1", detect_machine=True)
        answered = self.console.wait("leg_answered", leg="m1", seconds=20)
        self.assertIn(answered["by"], ("human", "machine", "unsure"))
        self.console.do("end_leg", leg="m1")
        self.console.wait("leg_ended", leg="m1")

    def test_a_phone_that_is_not_registered(self):
        command = self.console.do("make_leg", leg="u1", owner="x", role="agent", target="agent2")
        failed = self.console.wait("command_failed", command=command)
        self.assertIn("not registered", failed["detail"])
        self.assertFalse(failed["unknown"])

    # ---- A whole call

    def talk(self, name):
        """A caller and an agent in one mix; returns the caller's leg."""
        self.agent_phone()
        self.customer_process = self.caller("1000")
        arrived = self.console.wait("leg_arrived")
        self.assertEqual((arrived["to"], arrived["from"]), ("1000", "13900000001"))
        caller = arrived["leg"]
        self.console.do("ring_leg", leg=caller)
        self.console.do("answer_leg", leg=caller)
        self.console.do("start_music", leg=caller)
        self.console.do("make_leg", leg=name, owner=name, role="agent", target="agent1", caller_id="+8613900000001", caller_name="王芳")
        self.console.wait("leg_answered", leg=name)
        self.console.do("make_mix", mix="mix-" + name, owner=name)
        self.console.do("join_leg", mix="mix-" + name, leg=caller)
        self.console.do("join_leg", mix="mix-" + name, leg=name)
        self.console.wait("leg_joined", leg=name)
        self.assertTrue(self.console.saw("leg_joined", leg=caller))
        return caller

    def test_a_call_comes_in_and_is_recorded(self):
        caller = self.talk("t1")
        self.console.do("start_recording", recording="rec-t1", mix="mix-t1")
        time.sleep(1)  # of talk, so that there is something to hear
        self.console.do("play", play="tone", mix="mix-t1", media=["file:beep"])
        self.assertTrue(self.console.wait("play_ended", play="tone")["completed"])
        self.console.do("stop_recording", recording="rec-t1")
        self.assertEqual(self.console.wait("recording_ended", recording="rec-t1")["failure"], "")
        self.console.do("fetch_recording", recording="rec-t1")
        fetched = self.console.wait("recording_fetched", recording="rec-t1")
        self.assertEqual(fetched["begins"], "RIFF")
        self.assertGreater(fetched["bytes"], 8_000)
        self.console.do("drop_recording", recording="rec-t1")
        # The agent is taken away: the caller stays, hears music, and is hung up last.
        self.console.do("end_leg", leg="t1")
        self.assertEqual(self.console.wait("leg_ended", leg="t1")["outcome"], "answered")
        self.assertFalse(self.console.saw("leg_ended", leg=caller))
        self.console.do("part_leg", mix="mix-t1", leg=caller)
        self.console.do("end_mix", mix="mix-t1")
        self.console.do("end_leg", leg=caller)
        self.console.wait("leg_ended", leg=caller)
        self.assertEqual(self.customer_process.wait(), 0)
        self.assertFalse(self.console.saw("command_failed"), self.console.seen)

    def test_a_caller_who_hangs_up_is_told_as_such(self):
        self.caller("1000", talk_ms=300)
        caller = self.console.wait("leg_arrived")["leg"]
        self.console.do("answer_leg", leg=caller)
        self.console.wait("leg_answered", leg=caller)
        ended = self.console.wait("leg_ended", leg=caller)
        self.assertEqual((ended["outcome"], ended["by_far_end"]), ("answered", True))

    def test_a_supervisor_listens(self):
        caller = self.talk("s1")
        self.console.do("snoop_leg", leg="spy-s1", of="s1", owner="s1", whisper=True)
        self.console.wait("leg_answered", leg="spy-s1")
        for leg in ("spy-s1", "s1", caller):
            self.console.do("end_leg", leg=leg)
            self.console.wait("leg_ended", leg=leg)
        self.console.do("end_mix", mix="mix-s1")

    # ---- Losing one another

    def test_after_a_crash_of_the_gateway_its_calls_are_found_again(self):
        caller = self.talk("f1")
        self.console.kill()
        second = self.connect()
        legs = {leg["leg"]: leg for leg in second.up["snapshot"]["legs"]}
        self.assertEqual(set(legs), {caller, "f1"})
        self.assertEqual((legs["f1"]["owner"], legs["f1"]["role"], legs["f1"]["answered"], legs["f1"]["arrived"]), ("f1", "agent", True, False))
        self.assertEqual((legs[caller]["arrived"], legs[caller]["number"]), (True, "13900000001"))
        mixes = {mix["mix"]: mix for mix in second.up["snapshot"]["mixes"]}
        self.assertEqual((mixes["mix-f1"]["owner"], set(mixes["mix-f1"]["legs"])), ("f1", {caller, "f1"}))
        second.do("end_leg", leg="f1")
        self.assertEqual(second.wait("leg_ended", leg="f1")["outcome"], "answered")
        second.do("end_leg", leg=caller)
        second.wait("leg_ended", leg=caller)
        second.do("end_mix", mix="mix-f1")

    def test_a_call_while_nobody_listens_takes_the_emergency_route(self):
        self.console.close()
        party = self.caller("1000")
        wait_until("the dial plan's own answer", lambda: party.process.poll() is not None)
        self.assertNotEqual(party.process.returncode, 0)
        self.assertIn("503", party.errors())

    def test_a_second_client_takes_over_and_the_first_does_not_fight(self):
        second = self.connect()
        down = self.console.wait("pbx_down")
        self.assertIn("took over", down["reason"])
        self.caller("1000", talk_ms=100)
        caller = second.wait("leg_arrived")["leg"]
        second.do("answer_leg", leg=caller)
        second.wait("leg_ended", leg=caller)

    def test_the_pbx_is_killed_and_comes_back(self):
        self.customers()
        self.call_customer("k1")
        self.console.wait("leg_answered", leg="k1")
        self.pbx.kill()
        self.console.wait("pbx_down")
        self.pbx.start()
        up = self.console.wait("pbx_up", seconds=40)
        self.assertEqual(up["snapshot"]["legs"], [])

    def test_probe_says_what_is_wrong(self):
        def probe(**more):
            done = subprocess.run([CONSOLE, "--probe", json.dumps(self.pbx.account(**more))], capture_output=True, text=True, timeout=60, check=False)
            return done.returncode, done.stdout
        self.assertEqual(probe()[0], 0)
        for more, words in (({"password": "wrong"}, "refuses the user name or password"), ({"username": "nobody"}, "refuses the user name or password"),
                            ({"username": "reader"}, "lets this user only read"), ({"base_url": f"http://127.0.0.1:{free_port()}"}, "cannot connect"),
                            ({"base_url": self.pbx.url() + "/elsewhere"}, "no ARI there")):
            with self.subTest(**more):
                status, said = probe(**more)
                self.assertEqual(status, 1)
                self.assertIn(words, said)
        # A gateway that is connected is not disturbed by it.
        self.console.do("ask_snapshot")
        self.console.wait("snapshot")
        self.assertFalse(self.console.saw("pbx_down"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
