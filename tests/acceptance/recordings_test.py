"""Recordings over HTTP: whole and in parts, who may hear them, what is left out of them; and the messages that callers leave."""

import unittest
import urllib.error
import urllib.request

from gateway import KEY, SCOPES, request
from telephones import CUSTOMER, Telephones

EARS, EAST = "key-of-the-listener-01", "key-of-the-east-0000001"
KEYS = [{"name": "acceptance", "key": KEY, "scopes": SCOPES}, {"name": "auditor", "key": EARS, "scopes": ["recordings"]},
        {"name": "east", "key": EAST, "scopes": ["recordings@hq/east"]}]


class Recorder(Telephones):
    def __init__(self, account=None, **more):
        self.begun = {}  # recordings by interaction
        super().__init__(account={"recording": {"calls": "all"}, **(account or {})}, settings={"api_keys": KEYS}, pbx={"play": "PT0.2S"}, **more)

    def hear(self, interaction, key=EARS, query="", **more):
        """The answer with its bytes."""
        made = urllib.request.Request(f"{self.url}/v1/interactions/{interaction}/recording{query}", headers={"Authorization": "Bearer " + key, **more})
        try:
            with urllib.request.urlopen(made) as answer:
                return answer.status, dict(answer.headers), answer.read()
        except urllib.error.HTTPError as error:
            return error.code, dict(error.headers), error.read()

    def stored(self, interaction):
        return [event["data"] for event in self.events(types="call.recording") if event["data"]["interaction"] == interaction and event["data"]["state"] == "stored"]

    def live_recording(self, interaction, method="GET"):
        """What the telephone system answers of it; none before it is in the log."""
        if interaction not in self.begun:
            self.begun.update({event["data"]["interaction"]: event["data"]["recording"] for event in self.events(types="call.recording")})
        if interaction in self.begun:
            return request(f"http://{self.ports['pbx']}/ari/recordings/live/{self.begun[interaction]}?api_key=gateway:secret", method, key=None)

    def is_recording(self, interaction):
        answer = self.live_recording(interaction)
        return answer and answer.status == 200

    def killed_while_recording(self):
        """The gateway is dead, and the telephone system records: the customer's channel, and the interaction."""
        desk = self.desk("a1")
        channel = self.call_in()
        interaction = self.take(desk)
        self.wait(lambda: self.is_recording(interaction), "the telephone system records")
        self.kill()
        desk.cut()
        return channel, interaction

    def recorded_call(self):
        desk = self.desk("a1")
        channel = self.call_in()
        interaction = self.take(desk)
        desk.quiet(1.2)
        self.hang_up(channel)
        self.wait(lambda: self.stored(interaction), "the recording is kept")
        return desk, interaction


class RecordingTest(unittest.TestCase):
    def test_a_call_is_recorded_and_heard_whole_and_in_parts(self):
        with Recorder() as world:
            _, interaction = world.recorded_call()
            (kept,) = world.stored(interaction)
            status, headers, whole = world.hear(interaction, query="?reason=complaint")
            self.assertEqual((status, headers["Content-Type"], headers["Accept-Ranges"]), (200, "audio/wav", "bytes"))
            self.assertEqual((whole[:4], len(whole)), (b"RIFF", kept["bytes"]))
            status, headers, part = world.hear(interaction, Range="bytes=100-299")
            self.assertEqual((status, headers["Content-Range"], part), (206, f"bytes 100-299/{len(whole)}", whole[100:300]))
            status, headers, rest = world.hear(interaction, Range=f"bytes={len(whole) - 50}-")
            self.assertEqual((status, rest), (206, whole[-50:]))
            status, headers, _ = world.hear(interaction, Range=f"bytes={len(whole)}-")
            self.assertEqual((status, headers["Content-Range"]), (416, f"bytes */{len(whole)}"))
            self.assertEqual(world.hear(interaction, query="?recording=" + kept["recording"])[2], whole)
            self.assertEqual(world.hear(interaction, query="?recording=nothing")[0], 404)
            accessed = [event["data"] for event in world.events(types="recording.accessed")]
            self.assertEqual((accessed[0]["by"], accessed[0]["reason"]), ("auditor", "complaint"))
            self.assertGreaterEqual(len(accessed), 3)
            self.assertEqual(world.interaction(interaction)["call"]["recording"], kept["recording"])

    def test_only_the_scope_and_the_unit_open_it(self):
        with Recorder() as world:
            _, interaction = world.recorded_call()
            self.assertEqual(world.hear(interaction, key=KEY)[0], 403, "no other scope includes it")
            self.assertEqual(request(f"{world.url}/v1/interactions/{interaction}/recording", key=None).status, 401)
            self.assertEqual(world.hear(interaction, key=EAST)[0], 404, "the contact is of no unit of this key")
            self.assertEqual(world.hear("0193a2b4-0000-7000-8000-000000000001")[0], 404)
            self.assertEqual(world.hear("nonsense")[0], 404)

    def test_a_pause_keeps_what_is_secret_out(self):
        with Recorder() as world:
            desk = world.desk("a1")
            channel = world.call_in()
            interaction = world.take(desk)
            desk.ok("call.record_pause", interaction=interaction)
            live = lambda: [event["data"]["state"] for event in world.events(types="call.recording")]
            self.assertEqual(live(), ["begun", "paused"])
            desk.ok("call.record_pause", interaction=interaction)
            self.assertEqual(live(), ["begun", "paused"], "a second time is no news")
            desk.ok("call.record_resume", interaction=interaction)
            self.assertEqual(live(), ["begun", "paused", "resumed"])
            world.hang_up(channel)
            world.wait(lambda: world.stored(interaction), "the recording is kept")
            self.assertEqual(desk.code("call.record_pause", interaction=interaction), "wrong_state")

    def test_only_calls_of_the_named_queues_are_recorded(self):
        with Recorder(account={"recording": {"queues": ["sales"]}}) as world:
            desk = world.desk("a1")
            channel = world.call_in()
            interaction = world.take(desk)
            self.assertEqual(desk.code("call.record_pause", interaction=interaction), "wrong_state")
            world.hang_up(channel)
            world.wait(lambda: world.ended(), "the call is over")
            self.assertEqual((world.events(types="call.recording"), world.hear(interaction)[0]), ([], 404))

    def test_erasure_makes_it_unreadable(self):
        with Recorder() as world:
            _, interaction = world.recorded_call()
            contact = world.interaction(interaction)["contact_id"]
            self.assertEqual(world.delete("/v1/contacts/" + contact).status, 204)
            self.assertEqual(world.hear(interaction)[0], 410)

    def test_a_recording_that_was_not_fetched_is_fetched_after_a_restart(self):
        with Recorder() as world:
            channel, interaction = world.killed_while_recording()
            world.hang_up(channel)
            world.start()
            world.wait(lambda: world.stored(interaction), "the recording is kept", 20)
            self.assertEqual(world.hear(interaction)[0], 200)

    def test_a_recording_that_was_ordered_in_vain_begins_when_the_gateway_is_back(self):
        with Recorder() as world:
            channel, interaction = world.killed_while_recording()
            # As if the order had never arrived.
            self.assertEqual(world.live_recording(interaction, "DELETE").status, 204)
            world.start()
            world.wait(lambda: world.is_recording(interaction), "the telephone system records again")
            world.hang_up(channel)
            world.wait(lambda: world.stored(interaction), "the recording is kept")


class VoicemailTest(unittest.TestCase):
    account = {"inbound": {"ivr": "main"}, "ivr": {"main": {"start": "message", "nodes": {"message": {"voicemail": True}}}}, "sounds": {"voicemail": "file:after-the-tone", "goodbye": "file:bye"},
               "recording": {"calls": "none"}}

    def test_a_message_is_kept_and_heard(self):
        with Recorder(account=self.account) as world:
            channel = world.call_in()
            world.wait(lambda: any(event["data"]["state"] == "begun" for event in world.events(types="call.recording")), "he speaks")
            world.desk("a1", ready=False).quiet(0.6)
            world.hang_up(channel)
            (item,) = world.get("/v1/interactions").json["items"]
            world.wait(lambda: world.stored(item["id"]), "the message is kept")
            (kept,) = world.stored(item["id"])
            self.assertEqual((kept["voicemail"], world.hear(item["id"])[2][:4]), (True, b"RIFF"))
            self.assertEqual(world.ended()[0]["hung_up_by"], "customer")
            self.assertEqual(world.legs(), [])

    def test_who_is_not_served_in_time_may_leave_a_message(self):
        account = {**self.account, "inbound": {"queue": "care"}}
        account.pop("ivr")
        with Recorder(account=account, queue={"max_wait": "PT1S", "overflow": {"to": "voicemail"}}) as world:
            channel = world.call_in()
            world.wait(lambda: any(event["data"]["state"] == "begun" for event in world.events(types="call.recording")), "he speaks", 20)
            (item,) = world.get("/v1/interactions").json["items"]
            self.assertEqual((item["state"], item["reason"]), ("flowed_out", "max_wait"))
            world.hang_up(channel)
            world.wait(lambda: world.stored(item["id"]), "the message is kept")

    def test_a_caller_who_says_nothing_after_the_tone_leaves_no_call_behind(self):
        with Recorder(account={**self.account, "longest_message": "PT1S"}) as world:
            world.call_in(number=CUSTOMER)
            world.wait(lambda: world.ended(), "the message was long enough", 30)
            world.wait(lambda: world.legs() == [], "no leg is left")
            self.assertEqual(world.ended()[0]["hung_up_by"], "gateway")


if __name__ == "__main__":
    unittest.main()
