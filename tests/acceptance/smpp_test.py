"""A message centre that answers well, badly, late or never: what becomes of a touch, and of a hostile PDU."""

import struct
import unittest

from gateway import World
from scripted_smsc import DELIVER, RESPONSE, ScriptedSmsc, pdu

NACK = RESPONSE


def phone(n):
    return f"+86138{n:08d}"


def answer_by_text(centre, connection, body):
    for word, answer in ((b"THROTTLED", 0x58), (b"BUSY", 0x08)):
        if word in body:
            first_two = sum(word in earlier for earlier in centre.submits) <= 2
            return answer if first_two else 0
    for word, answer in ((b"INVALID", 0x0B), (b"REFUSED", 0x45), (b"SILENT", None)):
        if word in body:
            return answer
    return 0


class AnswersTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.centre = ScriptedSmsc(answer_by_text)
        cls.world = World(accounts=cls.centre.account())
        cls.world.wait(lambda: cls.centre.connections, "bound")

    @classmethod
    def tearDownClass(cls):
        cls.world.close()
        cls.centre.close()

    def send(self, n, text, *states):
        touch = self.world.touch(phone(n), content={"text": text}).json["id"]
        self.world.wait_state(touch, *states)
        return self.world.get("/v1/touches/" + touch).json

    def test_too_fast_is_no_attempt_and_is_tried_again(self):
        touch = self.send(1, "THROTTLED", "accepted")
        self.assertEqual([attempt["outcome"] for attempt in touch["attempts"]], ["accepted"])

    def test_a_busy_centre_is_tried_again(self):
        touch = self.send(2, "BUSY", "accepted")
        self.assertEqual([attempt["outcome"] for attempt in touch["attempts"]], ["not_sent", "not_sent", "accepted"])

    def test_refusals_are_final_and_name_the_code(self):
        for n, (text, reason, code) in enumerate([("INVALID", "recipient_invalid", "0x0B"), ("REFUSED", "refused:0x45", "0x45")]):
            with self.subTest(text):
                touch = self.send(10 + n, text, "failed")
                self.assertEqual((touch["reason"], touch["final"]), (reason, True))
                self.assertEqual(touch["attempts"][-1]["error"]["code"], code)

    def test_no_answer_is_unknown_and_a_receipt_for_its_number_settles_it(self):
        touch = self.send(20, "SILENT", "unknown")
        self.assertFalse(touch["final"])
        self.centre.receipt("SOMETHING", phone(20)[1:])
        self.world.wait_state(touch["id"], "delivered")

    def test_a_receipt_that_came_before_the_time_out_settles_it_too(self):
        touch = self.world.touch(phone(21), content={"text": "SILENT"}).json["id"]
        self.world.wait_state(touch, "dispatching")
        self.centre.receipt("EARLY", phone(21)[1:])
        self.world.wait_state(touch, "delivered")

    def test_receipts_move_a_touch_forward_and_never_back(self):
        for n, (word, state, reason) in enumerate([("DELIVRD", "delivered", None), ("UNDELIV", "failed", "undeliv"), ("REJECTD", "failed", "rejectd"), ("EXPIRED", "failed", "expired"),
                                                    ("DELETED", "failed", "deleted"), ("MK:0001", "failed", "mk:0001"), ("ACCEPTD", "accepted", None), ("ENROUTE", "accepted", None),
                                                    ("UNKNOWN", "accepted", None)]):
            with self.subTest(word):
                touch = self.send(30 + n, "receipt " + word, "accepted")
                provider_id = touch["attempts"][0]["provider_ids"][0]
                receipts = lambda: self.world.get("/v1/touches/" + touch["id"]).json["attempts"][0]["receipts"]
                self.centre.receipt(provider_id, phone(30 + n)[1:], word)
                self.world.wait(lambda: len(receipts()) == 1, "the receipt of " + word)
                now = self.world.get("/v1/touches/" + touch["id"]).json
                self.assertEqual((now["state"], now["reason"]), (state, reason))
                self.centre.receipt(provider_id, phone(30 + n)[1:], "UNDELIV" if word == "DELIVRD" else "DELIVRD")
                self.world.wait(lambda: len(receipts()) == 2, "the second receipt of " + word)
                self.assertEqual(self.world.state(touch["id"]), "delivered", "delivered overwrites failed, failed never overwrites delivered")

    def test_a_long_text_is_one_touch_with_three_parts(self):
        touch = self.send(50, "长" * 150, "accepted")
        self.assertEqual((touch["attempts"][0]["parts"], len(touch["attempts"][0]["provider_ids"])), (3, 3))
        for provider_id in touch["attempts"][0]["provider_ids"]:
            self.assertEqual(self.world.state(touch["id"]), "accepted")
            self.centre.receipt(provider_id, phone(50)[1:])
        self.world.wait_state(touch["id"], "delivered")


class HostilePeerTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.centre = ScriptedSmsc()
        cls.world = World(accounts=cls.centre.account())
        cls.world.wait(lambda: cls.centre.connections, "bound")

    @classmethod
    def tearDownClass(cls):
        cls.world.close()
        cls.centre.close()

    def messages(self):
        return [event["data"]["content"]["text"] for event in self.world.events(types="message.received")]

    def assert_still_sends(self, n):
        self.world.wait(lambda: self.centre.connections, "bound again", 30)
        touch = self.world.touch(phone(n)).json["id"]
        self.world.wait_state(touch, "accepted", seconds=30)

    def test_an_unknown_command_is_refused_and_the_session_goes_on(self):
        binds = self.centre.binds
        self.centre.send(pdu(0x777, 0, 77, b"abc"))
        self.world.wait(lambda: (NACK, 0x03) in self.centre.answers_to(77), "generic_nack")
        self.assertEqual(self.centre.binds, binds)
        self.assert_still_sends(1)

    def test_an_unknown_parameter_is_passed_over(self):
        self.centre.deliver("8613800000100", b"with an unknown parameter", parameters=struct.pack(">HH", 0x1FFF, 3) + b"abc")
        self.world.wait(lambda: "with an unknown parameter" in self.messages(), "the message")

    def test_a_parameter_that_is_cut_off_does_not_cost_the_message(self):
        sequence = self.centre.deliver("8613800000101", b"overrun", parameters=struct.pack(">HH", 0x1FFF, 300) + b"abc")
        self.world.wait(lambda: "overrun" in self.messages(), "the message")
        self.world.wait(lambda: (DELIVER | RESPONSE, 0) in self.centre.answers_to(sequence), "the acknowledgement")
        self.assert_still_sends(2)

    def test_an_unreadable_delivery_is_refused(self):
        self.centre.send(pdu(DELIVER, 0, 501, b"\xff" * 40))
        self.world.wait(lambda: self.centre.answers_to(501), "an answer")
        self.assertEqual(self.centre.answers_to(501), [(DELIVER | RESPONSE, 0x65)])

    def test_a_receipt_for_an_unknown_id_is_kept_and_harms_nothing(self):
        sequence = self.centre.receipt("NOSUCHID", "8613999999999")
        self.world.wait(lambda: (DELIVER | RESPONSE, 0) in self.centre.answers_to(sequence), "the acknowledgement")
        parked = [event for event in self.world.events(types="receipt.received") if event["data"].get("provider_id") == "NOSUCHID"]
        self.assertEqual([event["data"]["parked"] for event in parked], [True])

    def test_impossible_lengths_and_bytes_that_are_no_pdu_end_the_connection_only(self):
        for label, data in (("too short", struct.pack(">IIII", 8, DELIVER, 0, 1)), ("too long", struct.pack(">IIII", 0x7FFFFFFF, DELIVER, 0, 1)), ("HTTP", b"GET / HTTP/1.1\r\n\r\n" + b"x" * 50)):
            with self.subTest(label):
                self.world.wait(lambda: self.centre.connections, "bound", 30)
                binds = self.centre.binds
                self.centre.send(data)
                self.world.wait(lambda: self.centre.binds > binds, "a new connection", 30)
        self.assert_still_sends(3)

    def test_a_message_in_ucs2_is_read_for_opt_outs(self):
        self.centre.deliver("8613800000110", "退订".encode("utf-16-be"), data_coding=8)
        self.world.wait(lambda: self.world.touch(phone(110)).json["decision"]["rule"] == "opt-out", "the opt-out")


class DroppedConnectionTest(unittest.TestCase):
    def test_a_centre_that_hangs_up_now_and_then_gets_everything_once(self):
        with World(account={"window": 2}, behaviour={"smsc": {"drop_after": 8}}) as world:
            touches = [world.touch(phone(n), content={"text": f"message {n}"}).json["id"] for n in range(24)]
            world.wait(lambda: not {world.state(touch) for touch in touches} & {"queued", "dispatching"}, "all handed over", 60)
            texts = [message["text"] for message in world.messages()]
            self.assertEqual(len(texts), len(set(texts)), "a message was sent twice")
            unknown = sum(world.state(touch) == "unknown" for touch in touches)
            self.assertGreaterEqual(len(texts), 24 - unknown)

    def test_accounts_of_a_channel_are_taken_in_the_order_of_the_file(self):
        first, second = ScriptedSmsc(), ScriptedSmsc()
        accounts = {"z-first": first.account()["sms-main"], "a-second": second.account()["sms-main"]}
        with World(accounts=accounts) as world:
            world.wait(lambda: first.connections and second.connections, "both bound")
            self.assertEqual(world.touch(phone(1)).json["account"], "z-first")
            self.assertEqual(world.touch(phone(1), channels=["a-second"]).json["account"], "a-second")
        first.close()
        second.close()


class SharedCentreTest(unittest.TestCase):
    def test_a_receipt_may_come_over_another_account_of_the_same_customer(self):
        submitted_over = []
        centre = ScriptedSmsc(lambda _, connection, body: submitted_over.append(connection) or 0)
        account = centre.account()["sms-main"]
        with World(accounts={"one": account, "two": {**account, "system_id": "other"}}) as world:
            world.wait(lambda: len(centre.connections) == 2, "both bound")
            touch = world.touch(phone(1), channels=["one"]).json["id"]
            world.wait_state(touch, "accepted")
            other = next(connection for connection in centre.connections if connection is not submitted_over[0])
            provider_id = world.get("/v1/touches/" + touch).json["attempts"][0]["provider_ids"][0]
            strange = centre.receipt(provider_id, "8613999999999", connection=other)
            world.wait(lambda: centre.answers_to(strange), "the receipt for another number")
            self.assertEqual(world.state(touch), "accepted", "an id alone proves nothing at another account")
            centre.receipt(provider_id, phone(1)[1:], connection=other)
            world.wait_state(touch, "delivered")
        centre.close()


class RefusedBindTest(unittest.TestCase):
    def test_a_wrong_password_makes_no_attempt_and_is_named(self):
        centre = ScriptedSmsc(bind_status=0x0E)
        with World(accounts=centre.account()) as world:
            touch = world.touch(phone(1)).json["id"]
            world.wait(lambda: "ESME_RINVPASWD" in (world.get("/v1/accounts").json["items"][0]["last_error"] or ""), "the account's error")
            self.assertEqual(world.get("/v1/accounts").json["items"][0]["health"], "down")
            read = world.get("/v1/touches/" + touch).json
            self.assertEqual((read["state"], read["attempts"]), ("queued", []))
            probed = world.command("check", "--config", str(world.config), "--probe")
            self.assertEqual(probed.returncode, 1)
            self.assertIn("/accounts/sms-main", probed.stdout)
        centre.close()


if __name__ == "__main__":
    unittest.main(verbosity=2)
