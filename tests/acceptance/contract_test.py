"""The outside contract of the touch path, sentence by sentence: what a caller may rely on. Each class shares one gateway."""

import concurrent.futures
import datetime
import hashlib
import json
import time
import unittest
import urllib.parse

from gateway import KEY, SCOPES, World, days_ahead, request

EAST, WEST, REPORTS, CONTACTS, PLAIN, SLOW, HASHED = ("key-of-the-east-0001", "key-of-the-west-0001", "key-of-reports-00001", "key-of-contacts-0001",
                                                      "key-of-touches-00001", "key-that-is-slow-0001", "key-kept-as-hash-0001")
KEYS = [{"name": "acceptance", "key": KEY, "scopes": SCOPES}, {"name": "east", "key": EAST, "scopes": ["touches@hq/east", "contacts@hq/east"]},
        {"name": "west", "key": WEST, "scopes": ["touches@hq/west", "contacts@hq/west"]}, {"name": "reports", "key": REPORTS, "scopes": ["reports"]},
        {"name": "contacts", "key": CONTACTS, "scopes": ["contacts"]}, {"name": "plain", "key": PLAIN, "scopes": ["touches"]},
        {"name": "slow", "key": SLOW, "scopes": ["touches"], "rate": "2/second"},
        {"name": "hashed", "key_hash": hashlib.sha256(HASHED.encode()).hexdigest(), "scopes": ["touches"]}]

ONE_A_DAY = {"name": "daily", "default_channels": {"*": ["sms"]},
             "rules": [{"name": "cap-day", "kind": "cap", "max": 1, "per": "P1D", "by": ["contact"], "when": {"purposes": ["marketing"]}},
                       {"name": "dnc", "kind": "suppression", "lists": ["*"]},
                       {"name": "opt-in", "kind": "consent", "basis": "opt_in", "when": {"purposes": ["care"]}}]}


def phone(n):
    return f"+86138{n:08d}"


def body(n, **more):
    return {"contact": {"phone": phone(n)}, "purpose": "service", "content": {"text": "你好"}, **more}


class SharedWorld(unittest.TestCase):
    settings, policy = {}, ONE_A_DAY

    @classmethod
    def setUpClass(cls):
        cls.world = World(policy=cls.policy, settings={"api_keys": KEYS, **cls.settings})

    @classmethod
    def tearDownClass(cls):
        cls.world.close()

    def post(self, n, **more):
        return self.world.post("/v1/touches", body(n, **more))


class TouchTest(SharedWorld):
    def test_the_touch_as_made_and_as_read(self):
        made = self.post(1, key="as-read", priority=70, metadata={"order": 7, "tags": ["a"], "who": "x"})
        self.assertEqual(made.status, 202)
        self.assertTrue(int(made.headers["Touchgate-Seq"]) > 0)
        self.assertEqual((made.json["key"], made.json["state"], made.json["channel"], made.json["account"], made.json["duplicate"]), ("as-read", "queued", "sms", "sms-main", False))
        self.assertRegex(made.json["created_at"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.assertEqual(set(made.json["decision"]), {"verdict", "policy", "rule", "until", "trace"})
        self.assertEqual(made.json["metadata"], {"order": 7, "tags": ["a"], "who": "x"})
        self.world.wait_state(made.json["id"], "delivered")
        read = self.world.get("/v1/touches/" + made.json["id"]).json
        for member in ("id", "key", "contact_id", "state", "channel", "account", "decision", "duplicate", "created_at", "reason", "purpose", "campaign", "arm", "expires_at", "updated_at", "final"):
            self.assertIn(member, read)
        self.assertEqual((read["final"], read["metadata"]), (True, made.json["metadata"]))
        attempt = read["attempts"][0]
        for member in ("number", "channel", "account", "outcome", "state", "permitted_at", "handed_over_at", "answered_at", "provider_ids", "parts", "error", "receipts"):
            self.assertIn(member, attempt)
        self.assertEqual(set(attempt["receipts"][0]), {"status", "raw", "at", "received_at", "duplicate"})
        self.assertEqual([event["type"] for event in read["events"]], ["touch.created", "touch.dispatching", "touch.accepted", "receipt.received", "touch.delivered"])

    def test_default_expiry_follows_the_purpose(self):
        def hours(touch):
            parse = lambda text: time.mktime(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S"))
            return (parse(touch["expires_at"]) - parse(touch["created_at"])) / 3600
        self.assertAlmostEqual(hours(self.post(2, purpose="transactional").json), 0.25, places=2)
        self.assertAlmostEqual(hours(self.post(2).json), 72, places=2)

    def test_a_future_not_before_defers_without_a_rule(self):
        start = days_ahead(40)
        made = self.post(3, not_before=start).json
        self.assertEqual((made["state"], made["decision"]["rule"], made["decision"]["until"]), ("deferred", None, start))
        self.assertEqual(made["expires_at"][10:], start[10:], "three days after not_before")
        in_shanghai = datetime.datetime.fromisoformat(start.replace("Z", "+00:00")).astimezone(datetime.timezone(datetime.timedelta(hours=8))).isoformat()
        asked = self.world.post("/v1/decisions", body(3, not_before=in_shanghai)).json
        self.assertEqual((asked["verdict"], asked["rule"], asked["until"]), ("defer", None, start))

    def test_numbers_are_normalised_however_they_are_written(self):
        written = ["138 0000 0004", "13800000004", "0086 138-0000-0004", "１３８０００００００４", "+86 138 0000 0004"]
        contacts = {self.post(0, contact={"phone": each}).json["contact_id"] for each in written}
        self.assertEqual(len(contacts), 1)

    def test_text_is_literal_without_variables_and_a_template_with_them(self):
        literal = self.post(5, content={"text": "{{name}}"}).json["id"]
        rendered = self.post(6, content={"text": "{{name}} hello"}, variables={"name": "王芳"}).json["id"]
        for touch in (literal, rendered):
            self.world.wait_state(touch, "delivered")
        texts = {message["to"]: message["text"] for message in self.world.messages()}
        self.assertEqual((texts[phone(5)[1:]], texts[phone(6)[1:]]), ("{{name}}", "王芳 hello"))
        missing = self.post(6, content={"text": "{{name}} {{other}}"}, variables={"name": "x"})
        self.assertEqual((missing.status, missing.json["errors"][0]["pointer"]), (422, "/variables/other"))

    def test_a_denied_touch_is_no_error(self):
        blocked = self.post(7, purpose="care")
        self.assertEqual((blocked.status, blocked.json["state"], blocked.json["decision"]["rule"], blocked.json["final"]), (202, "blocked", "opt-in", True))
        event = self.world.events(types="touch.blocked")[-1]
        self.assertEqual(event["data"]["decision"]["rule"], "opt-in")

    def test_a_decision_writes_nothing(self):
        before = self.world.get("/v1/log/head").json["sequence"]
        asked = self.world.post("/v1/decisions", body(900_000))
        self.assertEqual((asked.status, asked.json["verdict"]), (200, "allow"))
        self.assertEqual(self.world.post("/v1/decisions", body(900_000, at="nonsense")).status, 422)
        self.assertFalse([event for event in self.world.events(after=before) if event["data"].get("to") == phone(900_000)])

    def test_a_cap_frees_at_the_instant_that_a_later_decision_confirms(self):
        first = self.post(8, purpose="marketing").json
        second = self.post(8, purpose="marketing").json
        self.assertEqual((second["state"], second["decision"]["rule"]), ("deferred", "cap-day"))
        until = second["decision"]["until"]
        ask = lambda **at: self.world.post("/v1/decisions", body(8, purpose="marketing", **at)).json
        self.assertEqual(ask(at=until)["verdict"], "allow")
        now = ask()
        self.assertEqual([step["touches"] for step in now["trace"] if step["rule"] == "cap-day"], [[first["id"]]])
        self.assertEqual(set(now["trace"][0]["why"]), {"en", "zh-CN"})


class KeyTest(SharedWorld):
    def test_concurrent_twins_make_one_touch(self):
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(lambda _: self.post(1, key="twins"), range(16)))
        self.assertEqual(sorted(answer.status for answer in answers), [200] * 15 + [202])
        self.assertEqual(len({answer.json["id"] for answer in answers}), 1)
        self.assertEqual(sum(answer.json["duplicate"] for answer in answers), 15)

    def test_equal_is_what_is_equal_after_parsing(self):
        first = {"contact": {"phone": phone(2)}, "purpose": "service", "key": "equal", "content": {"text": "{{a}}{{b}}"}, "variables": {"a": "1", "b": "2"}}
        self.assertEqual(self.world.post("/v1/touches", first).status, 202)
        self.assertEqual(self.world.post("/v1/touches", {**first, "variables": {"b": "2", "a": "1"}}).status, 200)
        self.assertEqual(self.world.post("/v1/touches", {**first, "contact": {"phone": "13800000002"}}).status, 200)
        self.assertEqual(self.world.post("/v1/touches", {**first, "priority": 51}).status, 409)
        self.assertEqual(self.world.post("/v1/touches", {**first, "surprise": 1}).status, 422)

    def test_keys_have_1_to_200_bytes_and_one_reserved_prefix(self):
        for key, status in (("x" * 200, 202), ("x" * 201, 422), ("中" * 66, 202), ("中" * 67, 422), ("", 422), ("campaign:a:b", 422)):
            with self.subTest(key=key[:8], length=len(key.encode())):
                answer = self.post(3, key=key)
                self.assertEqual(answer.status, status)
                if status == 422:
                    self.assertEqual(answer.json["errors"][0]["pointer"], "/key")

    def test_keys_belong_to_the_top_level_unit(self):
        self.assertEqual(self.post(4, key="by-unit", unit="hq/east").status, 202)
        self.assertEqual(self.post(4, key="by-unit", unit="hq/west").status, 409)
        self.assertEqual(self.post(4, key="by-unit", unit="other").status, 202)


class ListTest(SharedWorld):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.first, cls.second, *_ = [cls.world.post("/v1/touches", body(n, key=f"list-{n}")).json for n in range(7)]
        cls.cancelled = cls.world.post("/v1/touches", body(0, key="later", not_before=days_ahead(40))).json
        cls.world.post(f"/v1/touches/{cls.cancelled['id']}/cancel")

    def keys(self, query):
        return [item["key"] for item in self.world.get("/v1/touches?" + query).json["items"]]

    def test_filters(self):
        self.assertEqual(self.keys("key=list-3"), ["list-3"])
        self.assertEqual(self.keys("state=cancelled"), ["later"])
        self.assertEqual(self.keys("contact=" + self.first["contact_id"]), ["list-0", "later"])
        self.assertEqual(len(self.keys("channel=sms")), 8)
        self.assertEqual(self.keys("campaign=none"), [])
        self.assertIn("list-0", self.keys("from=" + self.first["created_at"]), "from is inclusive")
        self.assertNotIn("list-0", self.keys("to=" + self.first["created_at"]), "to is exclusive")

    def test_pages_show_everything_once_oldest_first(self):
        found, cursor = [], None
        while True:
            page = self.world.get("/v1/touches?limit=3" + ("&cursor=" + urllib.parse.quote(cursor) if cursor else "")).json
            found += [item["key"] for item in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        self.assertEqual(found, [f"list-{n}" for n in range(7)] + ["later"])

    def test_a_bad_query_is_named(self):
        for query, pointer in (("limit=0", "/limit"), ("limit=1001", "/limit"), ("limit=x", "/limit"), ("state=none", "/state"), ("from=x", "/from"), ("cursor=zzz", "/cursor")):
            with self.subTest(query):
                answer = self.world.get("/v1/touches?" + query)
                self.assertEqual((answer.status, answer.json["errors"][0]["pointer"]), (422, pointer))


class CancelAndHoldTest(SharedWorld):
    LATER = {"not_before": days_ahead(40)}

    def test_cancelling(self):
        touch = self.post(1, key="to-cancel", **self.LATER).json["id"]
        for _ in range(2):
            answer = self.world.post(f"/v1/touches/{touch}/cancel")
            self.assertEqual((answer.status, answer.json["state"], answer.json["key"]), (200, "cancelled", "to-cancel"))
        sent = self.post(2).json["id"]
        self.world.wait_state(sent, "delivered")
        self.assertEqual(self.world.post(f"/v1/touches/{sent}/cancel").status, 409)
        self.assertEqual(self.world.post("/v1/touches/01939999-0000-7000-8000-000000000000/cancel").status, 404)
        self.assertEqual(self.world.post("/v1/touches/nonsense/cancel").status, 404)

    def test_cancelling_in_bulk(self):
        for n in range(3):
            self.post(3, key=f"batch:{n}", metadata={"order": n}, **self.LATER)
        cancel = lambda filter: self.world.post("/v1/touches/cancel", filter)
        self.assertEqual(cancel({"metadata": {"order": 1}, "key_prefix": "batch:"}).json["cancelled"], 1)
        self.assertEqual(cancel({"contact": {"phone": phone(3)}}).json["cancelled"], 2)
        self.assertEqual(cancel({}).status, 422)
        self.assertEqual(cancel({"surprise": 1}).json["errors"][0]["pointer"], "/surprise")

    def test_a_hold_stops_everything_and_lifting_it_lets_it_go(self):
        hold = self.world.post("/v1/holds", {"reason": "stop"})
        self.assertEqual(hold.status, 201)
        touch = self.post(4).json
        self.assertEqual((touch["state"], touch["decision"]["rule"]), ("deferred", "hold:" + hold.json["id"]))
        self.assertEqual(self.world.delete("/v1/holds/" + hold.json["id"]).status, 204)
        self.world.wait_state(touch["id"], "delivered")
        self.assertEqual(self.world.delete("/v1/holds/" + hold.json["id"]).status, 404)
        self.assertEqual([event["data"]["hold_id"] for event in self.world.events(types="hold.set,hold.lifted") if event["data"]["hold_id"] == hold.json["id"]], [hold.json["id"]] * 2)

    def test_a_hold_for_a_purpose_leaves_the_others(self):
        hold = self.world.post("/v1/holds", {"purposes": ["marketing"], "reason": "stop"}).json["id"]
        self.assertEqual(self.post(5, purpose="marketing").json["state"], "deferred")
        self.assertEqual(self.post(5).json["state"], "queued")
        self.assertIn(hold, [item["id"] for item in self.world.get("/v1/holds").json["items"]])
        self.world.delete("/v1/holds/" + hold)

    def test_a_typing_error_in_a_hold_is_named(self):
        answer = self.world.post("/v1/holds", {"reason": "x", "purposes": ["marketting"], "channels": ["fax"], "accounts": ["none"], "until": "2020-01-01T00:00:00Z"})
        self.assertEqual((answer.status, {error["pointer"] for error in answer.json["errors"]}), (422, {"/purposes/0", "/channels/0", "/accounts/0", "/until"}))
        self.assertEqual(self.world.post("/v1/holds", {"purposes": ["marketing"]}).json["errors"][0]["pointer"], "/reason")


class ScopeTest(SharedWorld):
    def test_each_scope_opens_its_own_doors(self):
        get, url = self.world.get, self.world.url
        self.assertEqual(request(url + "/v1/touches", "POST", body(1), key=REPORTS).status, 403)
        for path, key, status in (("/v1/reports/funnel", PLAIN, 403), ("/v1/reports/funnel", REPORTS, 200), ("/v1/log/head", REPORTS, 200), ("/v1/accounts", REPORTS, 403),
                                  ("/v1/contacts/nobody", PLAIN, 403), ("/v1/contacts/nobody", CONTACTS, 404), ("/v1/policies", PLAIN, 403), ("/v1/touches", HASHED, 200)):
            with self.subTest(path=path, key=key):
                self.assertEqual(get(path, key=key).status, status)
        for path in ("/healthz", "/readyz", "/metrics", "/openapi.json"):
            self.assertEqual(request(url + path, key=None).status, 200, path)

    def test_addresses_and_content_need_their_scopes(self):
        touch = self.world.post("/v1/touches", body(2, content={"text": "secret words"}), key=PLAIN).json["id"]
        self.world.wait_state(touch, "delivered")
        narrow = request(self.world.url + "/v1/events?limit=1000", key=REPORTS).text
        self.assertNotIn(phone(2), narrow)
        self.assertNotIn("secret words", narrow)
        wide = self.world.get("/v1/events?limit=1000").text
        self.assertIn(phone(2), wide)
        self.assertIn("secret words", wide)

    def test_the_scope_touches_reads_the_events_of_its_own_touches(self):
        own = self.world.post("/v1/touches", body(3), key=PLAIN).json["id"]
        self.post(3)
        seen = self.world.get("/v1/events?limit=1000", key=PLAIN).json["items"]
        self.assertTrue(all(event["type"].startswith("touch.") for event in seen))
        self.assertIn(own, {event["subject"] for event in seen})
        self.assertEqual({event["data"].get("key_name", "plain") for event in seen}, {"plain"})
        self.assertEqual(self.world.get("/v1/events?types=contact.*", key=PLAIN).json["items"], [])

    def test_a_unit_is_a_wall(self):
        mine = self.world.post("/v1/touches", body(4), key=EAST)
        self.assertEqual((mine.status, mine.json["unit"]), (202, "hq/east"))
        self.assertEqual(self.world.post("/v1/touches", body(4, unit="hq/east/store-1"), key=EAST).status, 202)
        for unit in ("hq/west", "hq/eastern", "hq"):
            self.assertEqual(self.world.post("/v1/touches", body(4, unit=unit), key=EAST).status, 403)
        foreign = "/v1/touches/" + mine.json["id"]
        self.assertEqual((self.world.get(foreign, key=WEST).status, self.world.post(foreign + "/cancel", key=WEST).status), (404, 404))
        self.assertEqual(self.world.get("/v1/touches", key=WEST).json["items"], [])
        self.world.put("/v1/contacts/of-west", {"phones": [phone(400)], "unit": "hq/west"})
        for method in ("GET", "PUT", "DELETE"):
            answer = request(self.world.url + "/v1/contacts/of-west", method, {"phones": []} if method == "PUT" else None, key=EAST)
            self.assertEqual(answer.status, 404, method)
        self.assertEqual(self.world.post("/v1/touches", body(0, contact={"id": "of-west"}), key=EAST).status, 422)

    def test_a_key_that_sends_too_fast_is_told_when_to_come_again(self):
        answers = [self.world.post("/v1/touches", body(5), key=SLOW) for _ in range(4)]
        refused = [answer for answer in answers if answer.status == 429]
        self.assertTrue(refused)
        self.assertGreaterEqual(int(refused[0].headers["Retry-After"]), 1)


class OperationsTest(SharedWorld):
    def test_accounts(self):
        item = self.world.get("/v1/accounts").json["items"][0]
        for member in ("name", "adapter", "channel", "health", "breaker", "backlog", "in_flight", "rate", "last_error"):
            self.assertIn(member, item)
        self.assertEqual((item["name"], item["adapter"], item["channel"], item["breaker"]), ("sms-main", "smpp", "sms", "closed"))

    def test_metrics_are_prometheus_text_without_numbers_of_customers(self):
        self.post(77)
        text = request(self.world.url + "/metrics", key=None).text
        self.assertIn("# TYPE touchgate_http_requests_total counter", text)
        self.assertIn('touchgate_account_up{account="sms-main"}', text)
        self.assertNotIn("13800000077", text)

    def test_the_description_names_every_path_of_this_contract(self):
        paths = request(self.world.url + "/openapi.json", key=None).json["paths"]
        for path in ("/v1/touches", "/v1/touches/bulk", "/v1/touches/{id}", "/v1/decisions", "/v1/contacts/{id}", "/v1/contacts/{id}/consents", "/v1/suppressions/{list}", "/v1/holds",
                     "/v1/events", "/v1/policies/{name}", "/v1/accounts", "/v1/reports/{name}", "/hooks/{account}", "/healthz"):
            self.assertIn(path, paths)

    def test_reasons_are_told_in_both_languages(self):
        reasons = self.world.get("/v1/reasons").json["items"]
        self.assertTrue(all(reason["en"] and reason["zh-CN"] for reason in reasons))
        self.assertTrue({"opt-out", "address-gone", "restricted", "opt-out-review", "platform-refusal"} <= {reason["code"] for reason in reasons})

    def test_traceparent_is_handed_on(self):
        parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        answer = self.world.post("/v1/touches", body(6), headers={"traceparent": parent})
        self.assertEqual(answer.headers["traceparent"].split("-")[1], parent.split("-")[1])

    def test_a_read_waits_for_a_sequence_at_most_five_seconds(self):
        written = self.post(1, key="seen")
        shown = self.world.get("/v1/touches?key=seen&min_seq=" + written.headers["Touchgate-Seq"]).json["items"]
        self.assertEqual([item["id"] for item in shown], [written.json["id"]])
        never = self.world.get("/v1/touches?min_seq=999999")
        self.assertEqual(never.status, 503)
        self.assertGreaterEqual(int(never.headers["Retry-After"]), 1)

    def test_no_phone_number_reaches_the_program_log(self):
        self.world.delete("/v1/suppressions/dnc/" + urllib.parse.quote(phone(123)))
        self.assertNotIn("138000", self.world.log())


class PolicyVersionTest(SharedWorld):
    def test_versions(self):
        put = lambda document, query="": self.world.put("/v1/policies/daily" + query, document)
        same = put(json.dumps(ONE_A_DAY, ensure_ascii=False))
        self.assertEqual((same.status, same.json["policy"], same.json["active"]), (200, "daily@1", True))
        stored = put({**ONE_A_DAY, "title": {"en": "stored"}}, "?activate=false")
        self.assertEqual((stored.json["version"], stored.json["active"]), (2, False))
        self.assertEqual(self.post(1).json["decision"]["policy"], "daily@1")
        nameless = put({"rules": [], "default_channels": {"*": ["sms"]}})
        self.assertEqual((nameless.status, nameless.json["policy"], nameless.json["active"]), (200, "daily@3", True))
        self.assertEqual(self.post(1).json["decision"]["policy"], "daily@3")
        self.assertEqual([item["policy"] for item in self.world.get("/v1/policies").json["items"] if item["active"]], ["daily@3"])
        other = put({"name": "another", "rules": []})
        self.assertEqual((other.status, other.json["errors"][0]["pointer"]), (422, "/name"))
        back = put(ONE_A_DAY)
        self.assertTrue(back.json["active"])
        self.assertEqual(self.post(1, purpose="care").json["decision"]["rule"], "opt-in")
        self.assertIn("policy.activated", {event["type"] for event in self.world.events(types="policy.*")})

    def test_every_fault_of_a_policy_is_named(self):
        bad = {"name": "daily", "surprise": 1, "rules": [{"name": "a", "kind": "none"}, {"name": "a", "kind": "cap", "max": -1, "per": "P1M", "by": ["nobody"]}, {"name": "B", "kind": "hours"}]}
        answer = self.world.put("/v1/policies/daily", bad)
        self.assertEqual(answer.status, 422)
        self.assertLessEqual({"/surprise", "/rules/0/kind", "/rules/1/name", "/rules/1/max", "/rules/1/per", "/rules/1/by/0", "/rules/2/name", "/rules/2/open"},
                             {error["pointer"] for error in answer.json["errors"]})
        self.assertEqual(self.world.put("/v1/policies/daily", b"{").status, 400)


if __name__ == "__main__":
    unittest.main(verbosity=2)
