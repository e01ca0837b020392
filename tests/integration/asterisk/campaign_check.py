"""A campaign of 200 recipients through a real Asterisk: what becomes of each, and never more customers' telephones ring than agents are kept for them."""

import collections
import threading
import time
import unittest

from basics import free_port, wait_until
from floor import FOLDER, Floor
from parties import Sipp, answering, answering_by_number
from pbx import Asterisk

from agent_socket import Desk  # of the acceptance tests, which floor.py has made known
from gateway import request

AGENTS = 10
RECIPIENTS = 200
# By the last digit of the number; the others answer.
KINDS = {"56": 486, "78": "never", "9": 603}
OUTCOMES = {"5": "busy", "6": "busy", "7": "no_answer", "8": "no_answer", "9": "rejected"}


class Watch:
    """Counts customers' channels of the PBX, as often as it can be asked. A channel that is only being made is sometimes several times in its list."""

    def __init__(self, pbx):
        self.pbx, self.most, self.looks, self.over = pbx, 0, 0, threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.over.wait(0.03):
            self.most = max(self.most, len({channel["id"] for channel in self.pbx.channels("PJSIP/trunk")}))
            self.looks += 1

    def stop(self):
        self.over.set()
        self.thread.join()


class CampaignTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.phones_port = free_port()
        cls.pbx = Asterisk(FOLDER, agents=AGENTS, desk_phones={f"agent{n}": cls.phones_port for n in range(1, AGENTS + 1)}, rtp_timeout=0).start()

    @classmethod
    def tearDownClass(cls):
        cls.pbx.stop()

    def setUp(self):
        agents = [f"a{n}" for n in range(1, AGENTS + 1)]
        self.world = Floor(self.pbx, agents, queue={"wrap_up": "PT0S"})
        self.addCleanup(self.world.close)
        for party in (Sipp(answering(ring_ms=0), port=self.phones_port), Sipp(answering_by_number(KINDS), port=self.pbx.trunk_port)):
            self.addCleanup(party.stop)
        self.desks = [Desk(self.world, agent) for agent in agents]
        self.over, self.offers = threading.Event(), 0
        for desk in self.desks:
            desk.ready()
        self.reader = threading.Thread(target=self.read_desks)
        self.reader.start()
        self.addCleanup(self.leave)

    def read_desks(self):
        """The agents are present, and end each call as soon as they are connected: so nobody has to guess how long that takes."""
        while not self.over.is_set():
            for desk in self.desks:
                desk.quiet(0.01)
                for push in desk.pushes:
                    if push["type"] == "interaction.connected":
                        desk.ask("call.hangup", interaction=push["interaction"])
                self.offers += sum(push["type"] == "offer" for push in desk.pushes)
                desk.pushes.clear()

    def leave(self):
        self.over.set()
        self.reader.join()
        for desk in self.desks:
            desk.close()

    def test_200_recipients(self):
        numbers = [f"+86138000{n:05d}" for n in range(RECIPIENTS)]
        body = {"id": "c1", "purpose": "service", "dialing": {"mode": "progressive", "account": "pbx-main", "queue": "care", "ring_timeout": "PT3S"}}
        self.assertEqual(self.world.post("/v1/campaigns", body).status, 201)
        taken = request(f"{self.world.url}/v1/campaigns/c1/audience", "POST", "\n".join('{"contact":{"phone":"%s"}}' % number for number in numbers), content_type="application/x-ndjson")
        self.assertEqual(taken.json["added"], RECIPIENTS)
        watch = Watch(self.pbx)
        begin = time.monotonic()
        try:
            self.assertIn(self.world.post("/v1/campaigns/c1/start").status, (200, 202))
            self.world.wait(lambda: self.world.get("/v1/campaigns/c1").json["state"] == "finished", "the campaign is through", 180)
        finally:
            watch.stop()
        took = time.monotonic() - begin

        ended = {event["to"]: event for event in self.world.ended()}
        wanted = {number: OUTCOMES.get(number[-1], "answered") for number in numbers}
        self.assertEqual({number: (ended.get(number, {}).get("outcome"), outcome) for number, outcome in wanted.items() if ended.get(number, {}).get("outcome") != outcome}, {})
        self.assertTrue(all(event["hung_up_by"] == "agent" for event in ended.values() if event["outcome"] == "answered"))
        touches = self.touches()
        self.assertEqual(collections.Counter((touch["state"], touch["attempts"][-1]["outcome"]) for touch in touches),
                         collections.Counter(("completed" if outcome == "answered" else "failed", outcome) for outcome in wanted.values()))
        self.assertEqual(self.offers, list(wanted.values()).count("answered"), "agents see who is on the line, and nobody else")
        self.assertLessEqual(watch.most, AGENTS)
        self.assertLessEqual(self.most_at_once(), AGENTS)
        wait_until("no channel is left", lambda: not self.pbx.channels())
        counted = ", ".join(f"{count} {outcome}" for outcome, count in sorted(collections.Counter(wanted.values()).items()))
        print(f"\n{RECIPIENTS} recipients, {AGENTS} agents: {counted}; {took:.1f} s; at most {watch.most} customers' channels in {watch.looks} looks ... ", end="", flush=True)

    def touches(self):
        found, cursor = [], ""
        while True:
            page = self.world.get(f"/v1/touches?campaign=c1&limit=100{cursor}").json
            found += [self.world.get("/v1/touches/" + item["id"]).json for item in page["items"]]
            if not page["next_cursor"]:
                return found
            cursor = "&cursor=" + page["next_cursor"]

    def most_at_once(self):
        """By the log: calls that had begun and were not over."""
        most = now = 0
        for event in self.world.events(types="call.started,call.ended"):
            now += 1 if event["type"] == "call.started" else -1
            most = max(most, now)
        return most


if __name__ == "__main__":
    unittest.main(verbosity=2)
