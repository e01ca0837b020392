"""What accounts of messaging platforms do beside sending: operations, media, employees who are away, tags, passive replies, old conversations."""

import unittest

from gateway import request
from wechat_test import Platforms

PICTURE = b"\x89PNG\r\n\x1a\n" + b"0" * 1000


def operate(world, account, name, /, **body):
    """Just after the start an account may not be connected yet, which is said: nothing was done."""
    answers = []

    def done():
        answers.append(world.post(f"/v1/accounts/{account}/operations/{name}", body))
        return answers[-1].status != 503 or "cannot be reached now" not in answers[-1].text
    world.wait(done, "the account")
    return answers[-1]


def contact_of(world, customer):
    found = [each for each in world.get("/v1/contacts?limit=1000").json["items"] if customer in each.get("external_userids", [])]
    return found[0] if found else {}


class Operations(unittest.TestCase):
    def test_a_contact_way_is_made_once_for_its_key_and_brings_its_state_with_the_customer(self):
        with Platforms() as world:
            listed = {each["name"]: each for each in world.get("/v1/accounts/wecom-main/operations").json["items"]}
            self.assertIn("state", [field["name"] for field in listed["add_contact_way"]["fields"]])
            way = {"key": "spring", "type": 1, "scene": 2, "user": ["alice"], "state": "spring"}
            first = operate(world, "wecom-main", "add_contact_way", **way)
            self.assertEqual((first.status, first.json["duplicate"]), (200, False), first.text)
            config = first.json["result"]["config_id"]
            again = operate(world, "wecom-main", "add_contact_way", **way)
            self.assertEqual((again.json["result"]["config_id"], again.json["duplicate"]), (config, True))
            self.assertEqual(operate(world, "wecom-main", "add_contact_way", **{**way, "state": "autumn"}).status, 409)
            world.act("wecom", "follow", userid="alice", config_id=config)
            world.wait(lambda: world.events(types="contact.followed"), "the follow")
            self.assertEqual(world.events(types="contact.followed")[0]["data"]["source"], "spring")
            told = [event["data"]["outcome"] for event in world.events(types="account.operation") if event["data"]["operation"] == "add_contact_way"]
            self.assertEqual(told, ["asked", "done"])
            self.assertEqual(operate(world, "wecom-main", "delete_contact_way", config_id=config).status, 200)
            gone = operate(world, "wecom-main", "get_contact_way", config_id=config)
            self.assertEqual(gone.status, 422)
            self.assertIn("41044", gone.json["detail"])
            world.kill()
            world.start()
            again = operate(world, "wecom-main", "add_contact_way", **way)
            self.assertEqual((again.json["result"]["config_id"], again.json["duplicate"]), (config, True))

    def test_wrong_fields_unknown_operations_and_foreign_accounts_are_told_apart(self):
        with Platforms() as world:
            wrong = operate(world, "wecom-main", "add_contact_way", type="one", scene=3, state="x" * 31, colour="red")
            self.assertEqual(wrong.status, 422)
            self.assertEqual(sorted(error["pointer"] for error in wrong.json["errors"]), ["/colour", "/scene", "/state", "/type"])
            self.assertEqual(operate(world, "wecom-main", "fly").status, 404)
            self.assertEqual(operate(world, "nobody", "add_contact_way").status, 404)
            self.assertEqual(request(world.url + "/v1/accounts/wecom-main/operations", key=None).status, 401)

    def test_customers_go_to_a_colleague_and_those_of_one_who_left_to_another(self):
        with Platforms(wecom={"sync": True, "sync_interval": "PT10M"}) as world:
            customer = world.all_customers()[0]
            moved = operate(world, "wecom-main", "transfer_customers", handover_userid="alice", takeover_userid="bob", external_userid=[customer])
            self.assertTrue(moved.json["result"]["customer"][0]["started"], moved.text)
            result = operate(world, "wecom-main", "transfer_result", handover_userid="alice", takeover_userid="bob").json["result"]
            self.assertEqual(result["customer"][0]["state"], "done")
            world.act("wecom", "resign", userid="alice")
            left = operate(world, "wecom-main", "list_unassigned").json["result"]["info"]
            self.assertEqual({each["handover_userid"] for each in left}, {"alice"})
            took = operate(world, "wecom-main", "transfer_resigned_customers", handover_userid="alice", takeover_userid="bob", external_userid=[left[0]["external_userid"]])
            self.assertTrue(took.json["result"]["customer"][0]["started"])

    def test_ways_into_groups_and_group_welcomes(self):
        with Platforms() as world:
            chat = world.people["groups"][0]["chat_id"]
            way = operate(world, "groups-main", "add_join_way", scene=2, chat_id_list=[chat], state="shop")
            self.assertEqual(way.status, 200, way.text)
            shown = operate(world, "groups-main", "get_join_way", config_id=way.json["result"]["config_id"]).json["result"]
            self.assertIn("qr_code", shown["join_way"])
            welcome = operate(world, "groups-main", "add_group_welcome", text={"content": "欢迎 %NICKNAME%"}).json["result"]["template_id"]
            self.assertEqual(operate(world, "groups-main", "get_group_welcome", template_id=welcome).json["result"]["text"]["content"], "欢迎 %NICKNAME%")

    def test_scenes_and_tags_of_an_official_account(self):
        with Platforms() as world:
            world.act("official_account", "follow", appid="wx1", openid="oA")
            code = operate(world, "oa-main", "create_qr_code", scene_str="shop-9", expire_seconds=600)
            self.assertEqual(code.status, 200, code.text)
            self.assertTrue(code.json["result"]["picture_url"].startswith("https://mp.weixin.qq.com/cgi-bin/showqrcode?ticket="))
            tag = operate(world, "oa-main", "create_tag", name="VIP").json["result"]["tag"]["id"]
            self.assertEqual(operate(world, "oa-main", "tag_users", openid_list=["oA"], tagid=tag).status, 200)
            self.assertEqual(operate(world, "oa-main", "tags_of_user", openid="oA").json["result"]["tagid_list"], [tag])
            self.assertEqual(operate(world, "oa-main", "get_user", openid="oA").json["result"]["subscribe"], 1)


class Tags(unittest.TestCase):
    def test_an_employees_tag_becomes_the_contacts_and_goes_with_it(self):
        with Platforms() as world:
            made = operate(world, "wecom-main", "add_tags", group_name="level", tag=[{"name": "gold"}]).json["result"]["tag_group"]["tag"][0]["id"]
            customer = world.all_customers()[0]
            world.act("wecom", "edit", userid="alice", external_userid=customer, tags=[made])
            world.wait(lambda: contact_of(world, customer).get("tags") == ["wecom-main:" + made], "the tag")
            operate(world, "wecom-main", "mark_tags", userid="alice", external_userid=customer, remove_tag=[made])
            world.wait(lambda: contact_of(world, customer).get("tags") == [], "the tag's end")


class Media(unittest.TestCase):
    def test_an_uploaded_picture_is_sent_to_the_platform_once_and_again_when_it_was_forgotten(self):
        with Platforms() as world:
            kept = request(world.url + "/v1/accounts/wecom-main/media?name=offer.png", "POST", PICTURE, content_type="image/png")
            self.assertEqual(kept.status, 201, kept.text)
            media = kept.json["media"]
            customers = world.all_customers()[:3]

            def send(customer, reference, text):
                return world.post("/v1/touches", {"contact": {"external_userid": customer}, "purpose": "service", "channels": ["wecom-main"],
                                                  "content": {"text": text, "attachments": [{"msgtype": "image", "image": {"media": reference}}]}})
            first = send(customers[0], media, "one")
            self.assertEqual(first.status, 202, first.text)
            world.wait(lambda: world.task_of(first.json), "a task")
            second = send(customers[1], media, "two").json
            world.wait(lambda: world.task_of(second), "another task")
            self.assertEqual(world.control("GET", "/stats")["wecom"]["calls"].get("/cgi-bin/media/upload"), 1)
            wrong = send(customers[2], "sha256:" + "0" * 64, "three")
            self.assertEqual((wrong.status, wrong.json["errors"][0]["pointer"]), (422, "/content/attachments/0/image/media"))
            world.control("POST", "/wecom/storm", {"code": 40007, "calls": 1, "path": "/cgi-bin/externalcontact/add_msg_template"})
            third = send(customers[2], media, "four")
            world.wait(lambda: world.task_of(third.json), "the task after a second upload")
            self.assertEqual(world.control("GET", "/stats")["wecom"]["calls"].get("/cgi-bin/media/upload"), 2)


class Employees(unittest.TestCase):
    def test_who_is_away_is_passed_over_and_progress_is_shown(self):
        with Platforms(wecom={"employees": {"bob": {"absent": {"from": "2020-01-01T00:00:00Z", "to": "2120-01-01T00:00:00Z"}, "delegate": "alice"}}}) as world:
            customer = world.all_customers()[0]
            world.act("wecom", "follow", userid="alice", external_userid=customer)
            world.act("wecom", "follow", userid="bob", external_userid=customer)
            world.wait(lambda: len(world.events(types="contact.followed")) == 2, "both follows")
            touch = world.to_customer(customer)
            world.wait(lambda: world.task_of(touch), "a task")
            self.assertEqual(world.task_of(touch)["employee"], "alice")
            people = {each["id"]: each for each in world.get("/v1/accounts/wecom-main/employees").json["items"]}
            self.assertEqual((people["bob"]["state"], people["bob"]["delegate"]), ("absent", "alice"))
            self.assertEqual((people["alice"]["tasks_waiting"], people["alice"]["touches_waiting"]), (1, 1))
            world.control("POST", "/wecom/press", {})
            world.wait_state(touch["id"], "delivered")
            people = {each["id"]: each for each in world.get("/v1/accounts/wecom-main/employees").json["items"]}
            self.assertEqual((people["alice"]["tasks_waiting"], people["alice"]["sent"]), (0, 1))


class Conversations(unittest.TestCase):
    def test_a_rule_answers_in_the_answer_to_the_callback(self):
        rules = [{"keywords": ["price"], "content": {"text": "99 yuan"}}]
        with Platforms(oa={"auto_replies": rules, "passive_replies": True}) as world:
            world.act("official_account", "follow", appid="wx1", openid="oA")
            world.act("official_account", "write", appid="wx1", openid="oA", text="what is the price?")
            world.wait(lambda: world.get("/v1/interactions?channel=official_account").json["items"], "a conversation")
            conversation = world.get("/v1/interactions?channel=official_account").json["items"][0]
            world.wait(lambda: [message.get("state") for message in world.get("/v1/interactions/" + conversation["id"]).json["messages"]][-1] == "accepted", "the answer")
            self.assertEqual(world.received(kind="custom"), [])  # by no call of its own
            self.assertEqual([each["text"] for each in world.received(kind="reply")], ["99 yuan"])

    def test_conversations_are_listed_by_time_from_the_projection(self):
        with Platforms() as world:
            world.act("official_account", "follow", appid="wx1", openid="oA")
            world.act("official_account", "write", appid="wx1", openid="oA", text="hello")
            world.wait(lambda: world.get("/v1/interactions").json["items"], "a conversation")
            shown = [(each["id"], each["state"], each["contact_id"], each["reason"]) for each in world.get("/v1/interactions").json["items"]]

            def kept():
                return [(each["id"], each["state"], each["contact_id"], each["reason"]) for each in world.get("/v1/interactions?from=2020-01-01T00:00:00Z").json["items"]]
            world.wait(lambda: kept() == shown, "the same from the projection")
            self.assertEqual(world.get("/v1/interactions?from=2120-01-01T00:00:00Z").json["items"], [])
            self.assertEqual(world.get("/v1/interactions?from=2020-01-01T00:00:00Z&account=kf-main").json["items"], [])
            self.assertEqual(world.get("/v1/interactions?from=yesterday").status, 422)


if __name__ == "__main__":
    unittest.main()
