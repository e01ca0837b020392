"""WeCom and official accounts, against the sandbox's platforms: tasks of employees, reply windows, conversations, callbacks."""

import http.client
import unittest

from gateway import World, request

AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"


class Platforms(World):
    """A gateway with an official account, a WeCom corp and its customer service."""

    def __init__(self, wecom=None, oa=None, kf=None, behaviour=None, policy=None, settings=None, customers=12):
        self.more = {"wecom": wecom or {}, "oa": oa or {}, "kf": kf or {}}
        self.customers = customers
        self.platform_behaviour = behaviour or {}
        super().__init__(policy=policy, settings=settings)
        self.tell_where()

    def tell_where(self):
        """The gateway's address to the platforms: another one after each start."""
        port = self.url.rsplit(":", 1)[1]
        for platform, application, account in (("wecom", "1000002", "wecom-main"), ("official_account", "wx1", "oa-main")):
            self.control("PUT", f"/{platform}/callback", {"application": application, "url": f"http://127.0.0.1:{port}/hooks/{account}"})

    def start_sandbox(self):
        callback = {"token": "callbacktoken", "encoding_aes_key": AES_KEY}
        self.sandbox_config["wecom"] = {"listen": "127.0.0.1:0", "corpid": "ww1", "apps": [{"agentid": 1000002, "secret": "s", "callback": dict(callback)}],
                                        "members": ["alice", "bob"], "customers": self.customers, "groups": 1, "kf_accounts": ["care"]}
        self.sandbox_config["official_account"] = {"listen": "127.0.0.1:0", "apps": [
            {"appid": "wx1", "secret": "s1", "original_id": "gh_1", "kind": "service", "openids": ["oA", "oB", "oC"], "callback": {**callback, "mode": "secure"}}]}
        self.sandbox_config["behaviour"] = {"wecom": {"press": 0, **self.platform_behaviour.get("wecom", {})},
                                            "official_account": {"template_delay": ["PT0S", "PT0.2S"], **self.platform_behaviour.get("official_account", {})}}
        super().start_sandbox()

    def write_config(self):
        people = self.control("GET", "/wecom/people")
        self.people = people
        kf = people["kf_accounts"][0]
        callback = {"token": "callbacktoken", "encoding_aes_key": AES_KEY}
        self.accounts = {
            "oa-main": {"adapter": "official_account", "base_url": "http://" + self.ports["official_account"], "app_id": "wx1", "app_secret": "s1", "mode": "secure", **callback,
                        **self.more["oa"]},
            "wecom-main": {"adapter": "wecom", "base_url": "http://" + self.ports["wecom"], "corp_id": "ww1", "secret": "s", "agent_id": 1000002, "sender": "alice", "sync": False,
                           "poll_interval": "PT0.2S", "batch_window": "PT0.3S", **callback, **self.more["wecom"]},
            "groups-main": {"adapter": "wecom_group", "corp": "wecom-main", "sender": "alice", "poll_interval": "PT0.2S", "batch_window": "PT0.1S"},
            "staff": {"adapter": "wecom_app", "corp": "wecom-main"},
            "kf-main": {"adapter": "wecom_kf", "corp": "wecom-main", "open_kfid": kf if isinstance(kf, str) else kf["open_kfid"], "queue": "care", **self.more["kf"]},
        }
        super().write_config()

    def control(self, method, path, body=None):
        answer = request(f"http://{self.ports['listen']}/sandbox{path}", method, body, key=None)
        assert answer.status < 300, f"{path}: {answer.status} {answer.text}"
        return answer.json if answer.text else None

    def act(self, platform, act, **more):
        return self.control("POST", f"/{platform}/act", {"act": act, **more})

    def to_oa(self, openid, content, **more):
        return self.post("/v1/touches", {"contact": {"openid": openid, "account": "oa-main"}, "purpose": "service", "channels": ["oa-main"], "content": content, **more}).json

    def to_customer(self, customer, text="Hello", **more):
        return self.post("/v1/touches", {"contact": {"external_userid": customer}, "purpose": "service", "channels": ["wecom-main"], "content": {"text": text}, **more}).json

    def touch_of(self, touch):
        return self.get("/v1/touches/" + touch["id"]).json

    def received(self, **query):
        parameters = "&".join(f"{name}={value}" for name, value in query.items())
        return self.control("GET", "/messages?limit=1000&" + parameters)["items"]

    def all_customers(self):
        """Those of the default sender."""
        return [each["external_userid"] for each in self.people["customers"] if any(member["userid"] == "alice" for member in each["members"])]

    def task_of(self, touch):
        attempts = self.touch_of(touch)["attempts"]
        return attempts[-1].get("task") if attempts else None


class OfficialAccount(unittest.TestCase):
    def test_a_customers_message_opens_a_window_of_five_answers(self):
        with Platforms() as world:
            early = world.to_oa("oA", {"text": "nobody asked"})
            self.assertEqual((early["state"], early["decision"]["rule"]), ("blocked", "window:oa-main"))
            world.act("official_account", "follow", appid="wx1", openid="oA")
            world.act("official_account", "write", appid="wx1", openid="oA", text="is anybody there?")
            world.wait(lambda: world.get("/v1/interactions?channel=official_account").json["items"], "a conversation")
            conversation = world.get("/v1/interactions?channel=official_account").json["items"][0]
            self.assertEqual((conversation["state"], conversation["reason"]), ("flowed_out", "no_queue"))
            answers = [world.post(f"/v1/interactions/{conversation['id']}/messages", {"key": str(i), "content": {"text": f"answer {i}"}}) for i in range(6)]
            self.assertEqual([answer.status for answer in answers], [202] * 6)
            self.assertEqual([answer.json["state"] == "blocked" for answer in answers], [False] * 5 + [True])
            self.assertEqual(answers[5].json["decision"]["rule"], "window:oa-main")
            world.wait(lambda: len(world.received(kind="custom")) == 5, "five messages at the platform")
            for answer in answers[:5]:
                world.wait_state(answer.json["id"], "accepted")
            whole = world.get("/v1/interactions/" + conversation["id"]).json
            self.assertEqual([message["direction"] for message in whole["messages"]], ["in"] + ["out"] * 6)
            self.assertEqual(whole["messages"][0]["content"]["text"], "is anybody there?")
            # A further message of the customer begins the count anew.
            world.act("official_account", "write", appid="wx1", openid="oA", text="thank you")
            world.wait(lambda: len(world.get("/v1/interactions/" + conversation["id"]).json["messages"]) == 8, "the second message")
            self.assertNotEqual(world.to_oa("oA", {"text": "welcome"})["state"], "blocked")

    def test_unfollowing_blocks_and_following_again_lifts(self):
        with Platforms() as world:
            world.act("official_account", "follow", appid="wx1", openid="oB", scene="shop-7")
            world.wait(lambda: world.events(types="contact.followed"), "the follow")
            followed = world.events(types="contact.followed")[0]["data"]
            self.assertEqual((followed["source"], followed["account"]), ("shop-7", "oa-main"))
            self.assertEqual(followed["kind"], "subscribe")
            world.act("official_account", "unfollow", appid="wx1", openid="oB")
            world.wait(lambda: world.events(types="suppression.added"), "the suppression")
            added = world.events(types="suppression.added")[0]
            self.assertEqual(added["data"]["list"], "platform:oa-main")
            told = world.events(types="event.received,contact.followed,contact.unfollowed")
            self.assertEqual([(event["type"], event["data"]["kind"]) for event in told],
                             [("event.received", "subscribe"), ("contact.followed", "subscribe"), ("event.received", "unsubscribe"), ("contact.unfollowed", "unsubscribe")])
            self.assertEqual(len({event["data"]["contact_id"] for event in told}), 1)
            # The evidence names the platform's event, wherever the suppression is read.
            self.assertEqual(added["data"]["evidence"], told[2]["sequence"])
            self.assertEqual([entry["evidence"] for entry in world.get("/v1/suppressions?list=platform:oa-main").json["items"]], [told[2]["sequence"]])
            touch = world.to_oa("oB", {"template_message": {"template_id": "T1", "data": {"thing1": {"value": "x"}}}})
            self.assertEqual((touch["state"], touch["decision"]["rule"]), ("blocked", "platform-refusal"))
            world.act("official_account", "follow", appid="wx1", openid="oB")
            world.wait(lambda: world.events(types="suppression.removed"), "the suppression's end")
            touch = world.to_oa("oB", {"template_message": {"template_id": "T1", "data": {"thing1": {"value": "x"}}}})
            world.wait_state(touch["id"], "delivered")

    def test_a_template_message_is_delivered_or_refused_by_its_receipt(self):
        with Platforms() as world:
            for openid in ("oA", "oB"):
                world.act("official_account", "follow", appid="wx1", openid=openid)
            first = world.to_oa("oA", {"template_message": {"template_id": "T1", "data": {"thing1": {"value": "x"}}}})
            world.wait_state(first["id"], "delivered")
            world.behaviour(official_account={"template_result": {"failed:user block": 1}})
            second = world.to_oa("oB", {"template_message": {"template_id": "T1", "data": {"thing1": {"value": "x"}}}})
            world.wait_state(second["id"], "failed")
            lists = world.get("/v1/suppressions?list=platform:oa-main").json["items"]
            self.assertEqual(len(lists), 1)

    def test_a_revoked_token_is_fetched_once_and_the_call_repeated(self):
        with Platforms() as world:
            world.act("official_account", "follow", appid="wx1", openid="oA")
            touch = world.to_oa("oA", {"template_message": {"template_id": "T1", "data": {"thing1": {"value": "1"}}}})
            world.wait_state(touch["id"], "delivered")
            world.control("POST", "/official_account/revoke", {"application": "wx1"})
            touches = [world.to_oa("oA", {"template_message": {"template_id": "T1", "data": {"thing1": {"value": str(i)}}}}) for i in range(20)]
            for touch in touches:
                world.wait_state(touch["id"], "delivered")
            self.assertEqual(len(world.received(kind="template")), 21)

    @staticmethod
    def chunked(world, path, size):
        """A body whose length is not told before: the status."""
        connection = http.client.HTTPConnection(world.url.removeprefix("http://"), timeout=10)
        try:
            connection.putrequest("POST", path)
            connection.putheader("Transfer-Encoding", "chunked")
            connection.endheaders()
            try:
                for _ in range(size // 65_536 + 1):
                    connection.send(b"10000\r\n" + b"x" * 65_536 + b"\r\n")
                connection.send(b"0\r\n\r\n")
            except (BrokenPipeError, ConnectionResetError):
                pass  # it was refused before its end
            return connection.getresponse().status
        finally:
            connection.close()

    def test_forged_stale_and_unencrypted_callbacks_are_refused_alike_and_counted(self):
        with Platforms() as world:
            hook = world.url + "/hooks/oa-main"
            for query in ("?signature=x&timestamp=1&nonce=2&encrypt_type=aes&msg_signature=0000", "?signature=x&timestamp=1&nonce=2"):
                answer = request(hook + query, "POST", "<xml><ToUserName>a</ToUserName><Encrypt>AAAA</Encrypt></xml>", key=None, content_type="text/xml")
                self.assertEqual((answer.status, answer.text), (403, ""))
            self.assertEqual(request(hook + "?signature=x", "POST", "no xml", key=None, content_type="text/xml").status in (400, 403), True)
            self.assertEqual(request(world.url + "/hooks/nobody", "POST", "x", key=None).status, 404)
            refused = [each for each in world.get("/v1/accounts").json["items"] if each["name"] == "oa-main"][0]["hook"]["refused"]
            self.assertGreaterEqual(sum(refused.values()), 2)
            self.assertIn("NOT_ENCRYPTED", refused)
            self.assertEqual(request(hook, "PUT", "x", key=None).status, 405)
            self.assertEqual(request(hook, "HEAD", None, key=None).status, 405)
            self.assertEqual(request(hook, "POST", "x" * (1_100_000), key=None).status, 413)
            self.assertEqual(request(hook, "DELETE", "x" * (1_100_000), key=None).status, 405)
            self.assertEqual(self.chunked(world, "/hooks/oa-main", 1_100_000), 413)
            counted = lambda: [each for each in world.get("/v1/accounts").json["items"] if each["name"] == "oa-main"][0]["hook"]["refused"]
            world.wait(lambda: (counted().get("METHOD"), counted().get("TOO_LARGE")) == (3, 2), "405 and 413 are counted, each once")
            metrics = world.get("/metrics").text
            for reason, times in (("METHOD", 3), ("TOO_LARGE", 2)):
                self.assertIn(f'touchgate_hook_refused_total{{account="oa-main",reason="{reason}"}} {times}', metrics)
            self.assertEqual([event for event in world.events(types="event.received,message.received") if event["data"]["account"] == "oa-main"], [])

    def test_what_is_not_understood_is_kept_once_and_acknowledged(self):
        with Platforms() as world:
            plain = "<xml><ToUserName>gh_1</ToUserName><FromUserName>oA</FromUserName><CreateTime>1900000000</CreateTime><MsgType>event</MsgType><Event>brand_new</Event></xml>"
            for _ in range(2):
                world.control("POST", "/official_account/callbacks", {"application": "wx1", "plaintext": plain})
            world.wait(lambda: len([each for each in world.control("GET", "/official_account/callbacks")["items"] if each["outcome"] == "taken"]) == 2, "both taken")
            unknown = world.events(types="event.unknown")
            self.assertEqual(len(unknown), 1)
            self.assertEqual(unknown[0]["data"]["account"], "oa-main")
            self.assertIn('touchgate_events_unknown_total{account="oa-main"} 1', world.get("/metrics").text)
            self.assertEqual(world.control("POST", "/official_account/verify", {"application": "wx1"}) is None, False)


class WeCom(unittest.TestCase):
    def test_an_employees_task_is_polled_until_he_presses_send(self):
        with Platforms() as world:
            customers = world.all_customers()[:3]
            touches = [world.to_customer(customer) for customer in customers]
            for touch in touches:
                world.wait(lambda touch=touch: world.task_of(touch) is not None, "the task")
            shown = world.touch_of(touches[0])
            self.assertEqual((shown["state"], shown["attempts"][-1]["outcome"], shown["attempts"][-1]["task"]["status"]), ("dispatching", "handed_to_human", "waiting"))
            self.assertEqual(world.received(kind="mass"), [])
            world.control("POST", "/wecom/press", {})
            for touch in touches:
                world.wait_state(touch["id"], "delivered")
            self.assertEqual(world.task_of(touches[0])["status"], "sent")
            self.assertEqual(sorted(message["to"] for message in world.received(kind="mass")), sorted(customers))

    def test_ready_touches_of_the_same_content_share_one_task(self):
        with Platforms() as world:
            touches = world.bulk("/v1/touches/bulk", [{"contact": {"external_userid": customer}, "purpose": "service", "channels": ["wecom-main"], "content": {"text": "same"}}
                                                      for customer in world.all_customers()[:5]])
            for touch in touches:
                world.wait(lambda touch=touch: world.task_of(touch) is not None, "the task")
            by_employee = {(world.task_of(touch)["id"], world.task_of(touch)["employee"]) for touch in touches}
            self.assertLessEqual(len(by_employee), 2)

    def test_a_withdrawal_stops_the_task_and_the_others_get_a_new_one(self):
        policy = {"name": "p", "rules": [{"name": "list", "kind": "suppression", "lists": ["dnc"]}]}
        with Platforms(policy=policy) as world:
            customers = world.all_customers()[:3]
            touches = world.bulk("/v1/touches/bulk", [{"contact": {"external_userid": customer}, "purpose": "marketing", "channels": ["wecom-main"], "content": {"text": "same"}}
                                                      for customer in customers])
            for touch in touches:
                world.wait(lambda touch=touch: world.task_of(touch) is not None, "the task")
            before = {touch["id"]: world.task_of(touch)["id"] for touch in touches}
            contact = world.touch_of(touches[0])["contact_id"]
            answer = world.post(f"/v1/contacts/{contact}/consents", {"channel": "*", "purpose": "marketing", "status": "withdrawn", "source": "test"})
            self.assertIn(answer.status, (200, 201))
            world.wait_state(touches[0]["id"], "blocked", seconds=8)
            self.assertEqual(world.touch_of(touches[0])["decision"]["rule"], "opt-out")
            for touch in touches[1:]:
                if before[touch["id"]] == before[touches[0]["id"]]:
                    world.wait(lambda touch=touch: world.task_of(touch) and world.task_of(touch)["id"] != before[touch["id"]], "a new task")
            world.control("POST", "/wecom/press", {})
            for touch in touches[1:]:
                world.wait_state(touch["id"], "delivered")
            self.assertEqual(sorted(message["to"] for message in world.received(kind="mass")), sorted(customers[1:]))

    def test_a_task_that_nobody_sends_expires_and_cannot_be_sent_any_more(self):
        with Platforms(wecom={"task_expires_after": "PT2S"}) as world:
            touch = world.to_customer(world.all_customers()[0])
            world.wait_state(touch["id"], "expired")
            self.assertEqual(world.task_of(touch)["status"], "expired")
            world.control("POST", "/wecom/press", {})
            self.assertEqual(world.received(kind="mass"), [])

    def test_a_cancelled_touch_is_called_back(self):
        with Platforms() as world:
            touch = world.to_customer(world.all_customers()[0])
            world.wait(lambda: world.task_of(touch) is not None, "the task")
            self.assertEqual(world.post(f"/v1/touches/{touch['id']}/cancel").status, 200)
            world.wait_state(touch["id"], "cancelled")
            world.control("POST", "/wecom/press", {})
            self.assertEqual(world.received(kind="mass"), [])

    def test_tasks_survive_a_crash(self):
        with Platforms() as world:
            touch = world.to_customer(world.all_customers()[0])
            world.wait(lambda: world.task_of(touch) is not None, "the task")
            world.kill()
            world.start()
            self.assertEqual(world.touch_of(touch)["state"], "dispatching")
            world.control("POST", "/wecom/press", {})
            world.wait_state(touch["id"], "delivered")
            self.assertEqual(len(world.received(kind="mass")), 1)

    def test_a_customer_who_left_is_no_friend(self):
        with Platforms() as world:
            customer = world.all_customers()[0]
            touch = world.to_customer(customer)
            world.wait(lambda: world.task_of(touch) is not None, "the task")
            employee = world.task_of(touch)["employee"]
            world.act("wecom", "leave", userid=employee, external_userid=customer)
            world.control("POST", "/wecom/press", {})
            world.wait_state(touch["id"], "failed")
            self.assertEqual(world.touch_of(touch)["reason"], "not_friend")

    def test_a_new_customer_is_greeted_by_the_code_that_he_brings(self):
        with Platforms(wecom={"welcome": {"text": {"content": "Welcome!"}}}) as world:
            world.act("wecom", "follow", userid="bob", name="new", state="shop-3", unionid="u-9")
            world.wait(lambda: world.received(kind="welcome"), "the greeting")
            followed = world.events(types="contact.followed")[0]["data"]
            self.assertEqual((followed["source"], followed["employee"]), ("shop-3", "bob"))

    def test_customers_are_synchronised_and_joined_by_their_unionid(self):
        with Platforms(wecom={"sync": True, "sync_interval": "PT10M"}) as world:
            world.wait(lambda: len(world.events(types="contact.created")) >= 12, "the customers")
            self.assertEqual(world.put("/v1/contacts/known", {"phones": ["+8613800000001"], "unionids": ["u-1"]}).status, 201)
            customer = world.act("wecom", "follow", userid="bob", name="one", unionid="u-1")["external_userid"]
            world.stop()
            world.start()  # which begins with a pull

            def joined():
                known = world.get("/v1/contacts/known").json
                return customer in known["external_userids"] or known.get("merged_with")
            world.wait(joined, "the join by unionid")
            # Synchronised customers are written to by the employee whom they have.
            other = [each for each in world.people["customers"] if [member["userid"] for member in each["members"]] == ["bob"]][0]["external_userid"]
            touch = world.to_customer(other)
            world.wait(lambda: world.task_of(touch) is not None, "the task")
            self.assertEqual(world.task_of(touch)["employee"], "bob")

    def test_merged_contacts_are_counted_as_one_and_can_be_parted(self):
        policy = {"name": "p", "rules": [{"name": "one-a-day", "kind": "cap", "max": 1, "per": "P1D", "by": ["contact"]}]}
        with Platforms(policy=policy) as world:
            for name, customer in zip(("a", "b"), world.all_customers()):
                self.assertEqual(world.put(f"/v1/contacts/{name}", {"external_userids": [customer]}).status, 201)
            self.assertEqual(world.post("/v1/contacts/a/merge", {"with": "b"}).json["merged_with"], ["b"])
            send = {"purpose": "service", "channels": ["wecom-main"], "content": {"text": "x"}}
            self.assertEqual(world.post("/v1/touches", {"contact": {"id": "a"}, **send}).json["state"], "queued")
            second = world.post("/v1/touches", {"contact": {"id": "b"}, **send}).json
            self.assertEqual((second["state"], second["decision"]["rule"]), ("deferred", "one-a-day"))
            self.assertNotIn("merged_with", world.post("/v1/contacts/b/unmerge", {}).json)
            world.wait_state(second["id"], "dispatching")
            self.assertEqual(len(world.events(types="contact.merged,contact.unmerged")), 2)


class Groups(unittest.TestCase):
    def test_a_post_waits_for_the_owner_and_counts_for_every_known_member(self):
        policy = {"name": "p", "rules": [{"name": "week", "kind": "cap", "max": 1, "per": "P7D", "by": ["contact"], "weight": {"wecom_group": 1}}]}
        with Platforms(policy=policy) as world:
            world.wait(lambda: [event for event in world.events(types="contact.synced") if event["data"]["kind"] == "group"], "the group")
            group = world.people["groups"][0]
            chat = group["chat_id"] if isinstance(group, dict) else group
            member = world.all_customers()[0]
            world.put("/v1/contacts/member", {"external_userids": [member]})
            world.act("wecom", "join", chat_id=chat, external_userid=member)

            def is_member():
                groups = [event for event in world.events(types="contact.synced") if event["data"]["kind"] == "group" and member in str(event["data"].get("body"))]
                return bool(groups)
            world.wait(is_member, "the group with its new member")
            post = world.post("/v1/touches", {"contact": {"chat_id": chat}, "purpose": "marketing", "channels": ["groups-main"], "content": {"text": "hello all"}}).json
            world.wait(lambda: world.task_of(post) is not None, "the owner's task")
            self.assertEqual(world.to_customer(member)["decision"]["rule"], "week")
            world.control("POST", "/wecom/press", {})
            world.wait_state(post["id"], "delivered")
            self.assertEqual(len(world.received(kind="mass_group")), 1)
            self.assertEqual(world.to_customer(member)["decision"]["rule"], "week")

    def test_members_of_the_enterprise_get_application_messages(self):
        with Platforms() as world:
            touch = world.post("/v1/touches", {"contact": {"external_userid": "bob"}, "purpose": "service", "channels": ["staff"], "content": {"text": "a new lead"}}).json
            world.wait_state(touch["id"], "accepted")
            self.assertEqual([message["to"] for message in world.received(kind="member")], ["bob"])
            nobody = world.post("/v1/touches", {"contact": {"external_userid": "nobody"}, "purpose": "service", "channels": ["staff"], "content": {"text": "x"}}).json
            world.wait_state(nobody["id"], "failed")


class Trouble(unittest.TestCase):
    """What the platforms answer when something is wrong: each has a clear end in the log."""

    def send(self, world):
        return world.to_oa("oA", {"template_message": {"template_id": "T1", "data": {"thing1": {"value": "x"}}}})

    def storm(self, code, calls, **more):
        world = Platforms(**more)
        self.addCleanup(world.close)
        world.act("official_account", "follow", appid="wx1", openid="oA")
        world.wait(lambda: world.events(types="contact.followed"), "the follow")
        world.control("POST", "/official_account/storm", {"code": code, "calls": calls, "path": "/cgi-bin/message/template/send"})
        return world

    def test_too_fast_is_no_attempt_and_goes_later(self):
        world = self.storm(45011, 2)
        touch = self.send(world)
        world.wait_state(touch["id"], "delivered", seconds=30)
        self.assertEqual(len(world.received(kind="template")), 1)

    def test_codes_that_end_a_touch_say_why(self):
        for code, reason in ((47003, "content_rejected"), (48001, "config")):
            world = self.storm(code, 1)
            touch = self.send(world)
            world.wait_state(touch["id"], "failed")
            whole = world.touch_of(touch)
            self.assertEqual((whole["reason"], whole["attempts"][-1]["error"]["code"]), (reason, str(code)))
            world.close()

    def test_a_quota_holds_its_call_until_the_platform_gives_more(self):
        world = self.storm(45009, 1)
        touch = self.send(world)
        world.wait(lambda: self.account(world).get("quota_until"), "the quota")
        self.assertEqual(list(self.account(world)["quota_until"]), ["api:template"])
        held = self.send(world)
        self.assertEqual((held["state"], held["decision"]["rule"]), ("deferred", "quota:oa-main"))
        self.assertNotEqual(world.touch_of(touch)["state"], "failed")
        # What makes another call goes.
        world.act("official_account", "write", appid="wx1", openid="oA", text="hello")
        world.wait(lambda: world.get("/v1/interactions?channel=official_account").json["items"], "a conversation")
        answer = world.to_oa("oA", {"text": "an answer"})
        world.wait_state(answer["id"], "accepted")
        self.assertEqual(len(world.received(kind="template")), 0)

    def account(self, world, name="oa-main"):
        return [each for each in world.get("/v1/accounts").json["items"] if each["name"] == name][0]

    def test_a_token_error_twice_opens_the_accounts_breaker(self):
        world = self.storm(40001, 2)
        touch = self.send(world)
        world.wait_state(touch["id"], "failed")
        account = [each for each in world.get("/v1/accounts").json["items"] if each["name"] == "oa-main"][0]
        self.assertEqual(account["breaker"], "open")

    def test_an_answer_that_never_comes_is_asked_for_again_as_one_message(self):
        with Platforms(oa={"timeout": "PT1S"}) as world:
            world.act("official_account", "follow", appid="wx1", openid="oA")
            world.control("POST", "/official_account/storm", {"code": -1, "calls": 1, "path": "/cgi-bin/message/template/send", "how": "hang_up"})
            touch = self.send(world)
            world.wait_state(touch["id"], "delivered", seconds=30)
            self.assertEqual(len(world.received(kind="template")), 1)

    def test_a_customer_message_without_an_answer_stays_unknown_and_counts(self):
        with Platforms(oa={"timeout": "PT1S"}) as world:
            world.act("official_account", "follow", appid="wx1", openid="oA")
            world.act("official_account", "write", appid="wx1", openid="oA", text="hi")
            world.wait(lambda: world.events(types="message.received"), "the message")
            world.control("POST", "/official_account/storm", {"code": -1, "calls": 1, "path": "/cgi-bin/message/custom/send", "how": "hang_up"})
            touch = world.to_oa("oA", {"text": "answer"})
            world.wait_state(touch["id"], "unknown")
            states = [world.to_oa("oA", {"text": f"{i}"})["state"] for i in range(5)]
            self.assertEqual([state == "blocked" for state in states], [False] * 4 + [True])


class CustomerService(unittest.TestCase):
    def test_a_message_reaches_the_queue_and_its_answer_the_customer(self):
        with Platforms() as world:
            customer = world.act("wecom", "write", text="my order?")["external_userid"]
            world.wait(lambda: world.get("/v1/interactions?queue=care").json["items"], "the conversation")
            conversation = world.get("/v1/interactions?queue=care").json["items"][0]
            self.assertEqual((conversation["channel"], conversation["state"]), ("wecom_kf", "queued"))
            answers = [world.post(f"/v1/interactions/{conversation['id']}/messages", {"content": {"text": f"answer {i}"}}).json for i in range(6)]
            self.assertEqual([answer["state"] == "blocked" for answer in answers], [False] * 5 + [True])
            self.assertEqual(answers[5]["decision"]["rule"], "window:kf-main")
            world.wait(lambda: len(world.received(kind="kf")) == 5, "the answers")
            self.assertEqual({message["to"] for message in world.received(kind="kf")}, {customer})
            closed = world.post(f"/v1/interactions/{conversation['id']}/close", {"disposition": "solved"})
            self.assertEqual((closed.status, closed.json["state"], closed.json["disposition"]), (200, "completed", "solved"))
            self.assertEqual(world.post(f"/v1/interactions/{conversation['id']}/messages", {"content": {"text": "late"}}).status, 409)

    def test_what_an_employee_has_in_wecoms_own_client_is_not_answered_from_here(self):
        with Platforms() as world:
            customer = world.act("wecom", "write", text="my order?")["external_userid"]
            world.wait(lambda: world.get("/v1/interactions?queue=care").json["items"], "the conversation")
            path = f"/v1/interactions/{world.get('/v1/interactions?queue=care').json['items'][0]['id']}/messages"

            def sessions():
                return [event for event in world.events(types="event.received") if event["data"]["kind"] == "kf.session_status_change"]
            world.act("wecom", "take", external_userid=customer, servicer_userid="alice")
            world.wait(lambda: len(sessions()) == 1, "the employee's taking it")
            for _ in range(2):
                answer = world.post(path, {"content": {"text": "ours"}})
                self.assertEqual((answer.status, answer.json.get("code")), (409, "handled_natively"))
                world.kill()
                world.start()
                world.tell_where()
            self.assertEqual(world.received(kind="kf"), [])
            world.act("wecom", "end", external_userid=customer, servicer_userid="alice")
            world.wait(lambda: len(sessions()) == 2, "the end")
            world.act("wecom", "write", external_userid=customer, text="one more thing")
            world.wait(lambda: len(world.events(types="message.received")) == 2, "the message")
            self.assertEqual(world.post(path, {"content": {"text": "ours again"}}).status, 202)
            world.wait(lambda: len(world.received(kind="kf")) == 1, "the answer")

    def test_messages_are_pulled_once_across_crashes(self):
        with Platforms() as world:
            for i in range(5):
                world.act("wecom", "write", text=f"before {i}")
            world.wait(lambda: len(world.events(types="message.received")) == 5, "five messages")
            world.kill()
            for i in range(5):
                world.act("wecom", "write", text=f"while down {i}")
            world.start()
            world.wait(lambda: len(world.events(types="message.received")) == 10, "ten messages")
            texts = [event["data"]["content"]["text"] for event in world.events(types="message.received")]
            self.assertEqual(len(set(texts)), 10)

    def test_rules_answer_without_a_person(self):
        rules = [{"keywords": ["price"], "content": {"text": "It costs 99."}}, {"first_contact": True, "content": {"text": "We are with you soon."}}]
        with Platforms(kf={"auto_replies": rules}) as world:
            customer = world.act("wecom", "write", text="What is the PRICE?")["external_userid"]
            world.wait(lambda: len(world.received(kind="kf")) == 1, "the answer")
            self.assertIn("99", world.received(kind="kf")[0]["text"])
            world.act("wecom", "write", text="thanks", external_userid=customer)
            world.wait(lambda: len(world.events(types="message.received")) == 2, "the second message")
            self.assertEqual(len(world.received(kind="kf")), 1)


if __name__ == "__main__":
    unittest.main()
