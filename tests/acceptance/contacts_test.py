"""Contacts, consent, suppression and opt-outs: whom the gateway may write to, and that a "no" holds at once and for everyone it binds."""

import hashlib
import json
import unittest

from gateway import KEY, SCOPES, World, days_ahead, request

PLAIN = "key-without-compliance"
POLICY = {"name": "guarded", "default_channels": {"*": ["sms"]},
          "rules": [{"name": "dnc", "kind": "suppression", "lists": ["*"]}, {"name": "opt-in", "kind": "consent", "basis": "opt_in", "when": {"purposes": ["care"]}},
                    {"name": "cap-day", "kind": "cap", "max": 2, "per": "P1D", "by": ["contact"], "when": {"purposes": ["collection"]}}]}


def phone(n):
    return f"+86138{n:08d}"


class SharedWorld(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World(policy=POLICY, settings={"api_keys": [{"name": "acceptance", "key": KEY, "scopes": SCOPES},
                                                                {"name": "plain", "key": PLAIN, "scopes": ["contacts", "touches"]}]})

    @classmethod
    def tearDownClass(cls):
        cls.world.close()

    def contact(self, contact_id, *phones, query="", **more):
        answer = self.world.put(f"/v1/contacts/{contact_id}{query}", {"phones": list(phones), **more})
        self.assertIn(answer.status, (200, 201), answer.text)
        return answer

    def consent(self, contact_id, status, channel="sms", purpose="marketing", **more):
        return self.world.post(f"/v1/contacts/{contact_id}/consents", {"channel": channel, "purpose": purpose, "status": status, "source": "form", **more})

    def verdict(self, contact, purpose="marketing"):
        """The rule that stands in the way of this contact, asked without sending anything."""
        contact = {"phone": contact} if contact.startswith("+") else {"id": contact}
        return self.world.post("/v1/decisions", {"contact": contact, "purpose": purpose, "content": {"text": "x"}}).json["rule"]

    def patch(self, contact_id, change, **more):
        return request(f"{self.world.url}/v1/contacts/{contact_id}", "PATCH", change, **more)


class ContactTest(SharedWorld):
    def test_a_contact_is_written_read_and_replaced(self):
        whole = {"phones": ["138 0000 0001"], "external_userids": ["wm1"], "openids": [{"account": "oa", "openid": "o1"}], "unionids": ["u1"], "locale": "zh-CN", "time_zone": "Asia/Shanghai",
                 "tags": ["vip"], "attributes": {"tier": "gold", "orders": 5, "member": True}, "owner": "agent-7", "unit": "hq/east", "name": "王芳"}
        self.assertEqual(self.world.put("/v1/contacts/whole", whole).status, 201)
        read = self.world.get("/v1/contacts/whole").json
        self.assertEqual({name: read[name] for name in whole}, {**whole, "phones": [phone(1)]})
        self.assertEqual(self.world.put("/v1/contacts/whole", {"phones": [phone(1)]}).status, 200)
        self.assertEqual(self.world.get("/v1/contacts/whole").json["tags"], [])
        self.assertEqual(self.world.put("/v1/contacts/whole", {"id": "other", "phones": []}).json["errors"][0]["pointer"], "/id")

    def test_a_patch_merges_and_an_old_etag_is_refused(self):
        old = self.contact("patched", attributes={"a": 1}).headers["ETag"]
        self.assertEqual(self.patch("patched", {"attributes": {"b": 2}, "tags": ["x"]}).json["attributes"], {"a": 1, "b": 2})
        now = self.patch("patched", {"attributes": {"a": None}, "tags": None})
        self.assertEqual((now.json["attributes"], now.json["tags"]), ({"b": 2}, []))
        self.assertEqual(self.patch("patched", {"name": "x"}, headers={"If-Match": old}).status, 412)
        self.assertEqual(self.patch("patched", {"name": "x"}, headers={"If-Match": now.headers["ETag"]}).status, 200)
        self.assertEqual(self.patch("nobody", {"name": "x"}).status, 404)

    def test_every_wrong_field_of_a_contact_is_named(self):
        answer = self.world.put("/v1/contacts/wrong", {"phones": ["123", 5], "time_zone": "Mars/Base", "locale": 5, "tags": "x", "attributes": [1], "surprise": 1})
        self.assertEqual((answer.status, {error["pointer"] for error in answer.json["errors"]}),
                         (422, {"/phones/0", "/phones/1", "/time_zone", "/locale", "/tags", "/attributes", "/surprise"}))

    def test_addresses_that_several_contacts_claim(self):
        self.contact("first", phone(10))
        refused = self.world.put("/v1/contacts/second", {"phones": [phone(10)]})
        self.assertEqual((refused.status, refused.json["contact_id"]), (409, "first"))
        self.contact("second", phone(10), query="?on_conflict=share")
        self.assertEqual(self.world.get("/v1/contacts/first").json["phones"], [phone(10)])
        self.contact("third", phone(10), query="?on_conflict=move")
        self.assertEqual((self.world.get("/v1/contacts/first").json["phones"], self.world.get("/v1/contacts/second").json["phones"]), ([], []))

    def test_who_shares_an_address_shares_its_opt_out(self):
        self.contact("mother", phone(11))
        self.contact("father", phone(11), query="?on_conflict=share")
        self.consent("mother", "withdrawn")
        self.assertEqual((self.verdict("mother"), self.verdict("father")), ("opt-out", "opt-out"))

    def test_bulk_lines_patch_unless_told_to_replace_and_share_addresses(self):
        lines = self.world.bulk("/v1/contacts/bulk", [{"id": "b1", "phones": [phone(12)], "name": "N"}, {"id": "b1", "tags": ["x"]}, {"phones": ["1"]}, {"id": "b2", "phones": [phone(12)]}])
        self.assertEqual([line["line"] for line in lines], [1, 2, 3, 4])
        self.assertEqual({error["pointer"] for error in lines[2]["error"]["errors"]}, {"/id", "/phones/0"})
        self.assertEqual((self.world.get("/v1/contacts/b1").json["name"], self.world.get("/v1/contacts/b2").json["phones"]), ("N", [phone(12)]))
        self.world.bulk("/v1/contacts/bulk?replace=true", [{"id": "b1", "tags": ["y"]}])
        self.assertEqual(self.world.get("/v1/contacts/b1").json["name"], None)

    def test_the_timeline_is_newest_first(self):
        self.contact("seen", phone(13))
        self.consent("seen", "granted")
        self.assertEqual([event["type"] for event in self.world.get("/v1/contacts/seen/timeline").json["items"]], ["consent.granted", "contact.created"])

    def test_erasing_restricting_and_a_legal_hold(self):
        self.contact("kept", phone(14), legal_hold=True)
        self.assertEqual(self.world.delete("/v1/contacts/kept").status, 409)
        self.contact("still", phone(15))
        self.assertEqual(self.world.delete("/v1/contacts/still?mode=restrict").status, 204)
        self.assertEqual((self.verdict("still"), self.verdict("still", "transactional")), ("restricted", "restricted"))
        self.assertIn(self.world.get("/v1/contacts/still", key=PLAIN).status, (403, 404))
        self.assertEqual(self.world.get("/v1/contacts/still").status, 200)
        self.contact("gone", phone(16), name="Secret Name")
        waiting = self.world.post("/v1/touches", {"contact": {"id": "gone"}, "purpose": "service", "content": {"text": "x"}, "not_before": days_ahead(40)}).json["id"]
        self.consent("gone", "withdrawn")
        self.assertEqual(self.world.delete("/v1/contacts/gone").status, 204)
        self.assertEqual(self.world.get("/v1/contacts/gone").status, 404)
        self.assertEqual(self.world.state(waiting), "cancelled")
        self.assertNotIn("Secret Name", self.world.get("/v1/events?limit=1000").text)
        self.assertEqual((self.verdict(phone(16)), self.verdict(phone(16), "service")), ("erased", None))
        self.assertEqual(self.world.delete("/v1/contacts/gone?mode=nothing").status, 422)

    def test_erasing_does_not_empty_a_cap(self):
        self.contact("capped", phone(17))
        for _ in range(2):
            touch = self.world.post("/v1/touches", {"contact": {"id": "capped"}, "purpose": "collection", "content": {"text": "x"}}).json["id"]
            self.world.wait_state(touch, "delivered")
        self.consent("capped", "withdrawn")
        self.world.delete("/v1/contacts/capped")
        self.assertEqual(self.verdict(phone(17), "collection"), "cap-day")


class ConsentTest(SharedWorld):
    def test_opt_in_needs_a_grant(self):
        self.contact("asks", phone(1))
        self.assertEqual(self.verdict("asks", "care"), "opt-in")
        self.assertEqual(self.consent("asks", "granted", purpose="care").status, 201)
        self.assertIsNone(self.verdict("asks", "care"))

    def test_what_ends_a_withdrawal(self):
        self.contact("regrants", phone(2))
        withdraw = lambda channel: self.consent("regrants", "withdrawn", channel=channel)
        withdraw("*")
        for label, grant in (("no evidence", {}), ("a source that may not", {"source": "crm", "evidence": "e"}), ("an older one", {"evidence": "e", "at": "2026-01-01T00:00:00Z"})):
            with self.subTest(label):
                answer = self.world.post("/v1/contacts/regrants/consents", {"channel": "*", "purpose": "marketing", "status": "granted", "source": "form", **grant})
                self.assertEqual((answer.status, answer.json.get("kept")), (201, "withdrawn"))
                self.assertEqual(self.verdict("regrants"), "opt-out")
        self.assertNotIn("kept", self.consent("regrants", "granted", channel="*", evidence="e").json)
        self.assertIsNone(self.verdict("regrants"))
        withdraw("sms")
        bulk = self.world.bulk("/v1/consents/bulk", [{"contact": {"id": "regrants"}, "channel": "sms", "purpose": "marketing", "status": "granted", "source": "form", "evidence": "e"}])
        self.assertEqual((bulk[0]["kept"], self.verdict("regrants")), ("withdrawn", "opt-out"), "a bulk row never ends one")

    def test_a_wrong_consent_is_named(self):
        self.contact("wrong", phone(3))
        for fields, pointer in (({"purpose": "marketting"}, "/purpose"), ({"channel": "fax"}, "/channel"), ({"at": days_ahead(1)}, "/at"), ({"surprise": 1}, "/surprise")):
            with self.subTest(pointer):
                answer = self.consent("wrong", **{"status": "withdrawn", **fields})
                self.assertEqual((answer.status, [error["pointer"] for error in answer.json["errors"]]), (422, [pointer]))
        self.assertEqual(self.consent("wrong", "perhaps").json["errors"][0]["pointer"], "/status")
        self.assertEqual(self.consent("nobody", "withdrawn").status, 404)

    def test_waiting_touches_are_blocked_by_a_withdrawal(self):
        self.contact("waits", phone(4))
        touch = self.world.post("/v1/touches", {"contact": {"id": "waits"}, "purpose": "marketing", "content": {"text": "x"}, "not_before": days_ahead(40)}).json["id"]
        self.consent("waits", "withdrawn")
        self.world.wait_state(touch, "blocked", seconds=5)
        self.assertEqual(self.world.get("/v1/touches/" + touch).json["decision"]["rule"], "opt-out")


class ReplyTest(SharedWorld):
    OPT_OUTS = ["R", "T", "td", "N", "退订", "拒收", "STOP", "StopAll", "UNSUBSCRIBE", "cancel", "END", "QUIT", "ＴＤ", "退订！", "回复TD", "回T", " stop ", "Td."]
    NEAR_MISSES = ["退定", "我要退订", "请退订", "怎么退订", "stop sending", "unsubscribe me"]
    OTHERS = ["T恤有货吗", "谢谢", "OK", "N95", "don't stop"]

    def test_words(self):
        expected = {word: "opt-out" for word in self.OPT_OUTS} | {word: "opt-out-review" for word in self.NEAR_MISSES} | {word: None for word in self.OTHERS}
        numbers = {word: phone(100 + n) for n, word in enumerate(expected)}
        for word, number in numbers.items():
            self.world.inbound(number[1:], word)
        self.world.wait(lambda: len(self.world.events(types="message.received")) >= len(numbers), "all messages")
        self.assertEqual({word: self.verdict(number) for word, number in numbers.items()}, expected)
        self.assertEqual({self.verdict(number, "service") for number in numbers.values()}, {None}, "only the configured purposes are withdrawn")
        for word, number in (("START", numbers["STOP"]), ("恢复", numbers["退订"])):
            self.world.inbound(number[1:], word)
            self.world.wait(lambda: self.verdict(number) is None, "opted in again by " + word)

    def test_an_unknown_sender_gets_a_contact_and_his_wish(self):
        self.world.inbound("8613900000001", "退订")
        self.world.wait(lambda: self.verdict("+8613900000001") == "opt-out", "the opt-out of a stranger")

    def test_a_trusted_system_reports_an_opt_out_once(self):
        report = {"key": "crm-1", "channel": "sms", "contact": {"phone": phone(300)}, "kind": "opt_out", "source": "crm"}
        first, again = (self.world.post("/v1/events/inbound", report) for _ in range(2))
        self.assertEqual((first.status, first.json["duplicate"], again.json["duplicate"], again.json["id"]), (202, False, True, first.json["id"]))
        self.assertEqual(self.verdict(phone(300)), "opt-out")
        message = {"key": "crm-2", "channel": "sms", "contact": {"phone": phone(301)}, "kind": "message", "content": {"text": "hello"}}
        first, again = (self.world.post("/v1/events/inbound", message) for _ in range(2))
        self.assertEqual((first.json["duplicate"], again.json["duplicate"], again.json["id"]), (False, True, first.json["id"]))
        self.assertEqual(sum(event["data"]["contact_id"] == first.json["contact_id"] for event in self.world.events(types="message.received")), 1)


class SuppressionTest(SharedWorld):
    def add(self, **entry):
        return self.world.post("/v1/suppressions", {"reason": "asked", **entry})

    def replace(self, name, entries, query=""):
        return request(f"{self.world.url}/v1/suppressions/{name}{query}", "PUT", "\n".join(json.dumps(entry) for entry in entries), content_type="application/x-ndjson")

    def test_an_entry_comes_and_goes(self):
        self.assertEqual([self.add(list="dnc", phone="13800000001").status for _ in range(2)], [201, 200])
        self.assertEqual(self.verdict(phone(1)), "dnc")
        item = self.world.get("/v1/suppressions?list=dnc").json["items"][0]
        for member in ("list", "phone", "reason", "source", "by", "at", "evidence", "expires_at"):
            self.assertIn(member, item)
        self.assertEqual(self.world.delete("/v1/suppressions/dnc/%2B8613800000001").status, 204)
        self.assertIsNone(self.verdict(phone(1)))
        self.add(list="dnc", phone=phone(2))
        self.assertEqual(self.world.post("/v1/suppressions/remove", {"list": "dnc", "phone": phone(2)}).status, 200)
        self.assertIsNone(self.verdict(phone(2)))

    def test_an_entry_may_be_for_some_purposes_or_channels_or_over(self):
        self.add(list="dnc", phone=phone(3), purposes=["care"])
        self.add(list="dnc", phone=phone(4), channels=["voice"])
        self.add(list="dnc", phone=phone(5), expires_at="2020-01-01T00:00:00Z")
        self.assertEqual([self.verdict(phone(n)) for n in (3, 4, 5)], [None] * 3)
        for entry, pointer in (({"purposes": ["carre"]}, "/purposes/0"), ({"channels": ["fax"]}, "/channels/0"), ({"list": "erased"}, "/list")):
            answer = self.add(**{"list": "dnc", "phone": phone(6), **entry})
            self.assertEqual((answer.status, answer.json["errors"][0]["pointer"]), (422, pointer))

    def test_hashed_entries_of_a_third_party(self):
        forms = {"md5": "13800000010", "sha256": phone(11), "sm3": "8613800000012"}
        for algorithm, written in forms.items():
            digest = hashlib.new(algorithm, written.encode()).hexdigest()
            self.assertEqual(self.add(list="third", phone_hash=digest, algorithm=algorithm).status, 201)
        self.assertEqual([self.verdict(phone(n)) for n in (10, 11, 12, 13)], ["dnc", "dnc", "dnc", None])
        listed = self.world.get("/v1/suppressions?list=third&limit=2").json
        rest = self.world.get("/v1/suppressions?list=third&limit=2&cursor=" + listed["next_cursor"]).json
        self.assertEqual({item["algorithm"] for item in listed["items"] + rest["items"]}, set(forms))
        self.assertEqual(self.add(list="third", phone_hash="abc", algorithm="md5").json["errors"][0]["pointer"], "/phone_hash")

    def test_a_list_is_replaced_at_once_or_not_at_all(self):
        entries = [{"phone": phone(100 + n)} for n in range(10)]
        self.assertEqual(self.replace("whole", entries).json["entries"], 10)
        self.assertEqual(self.replace("whole", entries[1:] + [{"phone": phone(120)}]).json["entries"], 10)
        self.assertEqual([self.verdict(phone(n)) for n in (100, 101, 120)], [None, "dnc", "dnc"])
        self.assertEqual(self.replace("whole", entries[:2]).status, 409, "smaller by more than a fifth")
        bad = self.replace("whole", entries[:9] + [{"phone": "1"}])
        self.assertEqual((bad.status, bad.json["errors"][0]["pointer"], self.verdict(phone(120))), (422, "/10/phone", "dnc"))
        self.assertEqual(self.replace("whole", entries[:1], "?force=true").json["entries"], 1)
        self.assertEqual([self.verdict(phone(n)) for n in (100, 101, 120)], ["dnc", None, None])

    def test_a_platform_list_is_a_built_in_rule(self):
        self.add(list="platform:sms-main", phone=phone(200))
        self.assertEqual(self.verdict(phone(200)), "platform-refusal")

    def test_bulk(self):
        lines = self.world.bulk("/v1/suppressions/bulk", [{"list": "b", "phone": phone(300)}, {"list": "b"}, {"list": "b", "phone": phone(300)}])
        self.assertEqual([line["line"] for line in lines], [1, 2, 3])
        self.assertEqual((lines[1]["error"]["status"], lines[2]["duplicate"]), (422, True))


if __name__ == "__main__":
    unittest.main(verbosity=2)
