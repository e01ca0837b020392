"""Leads: captured once, given to somebody, answered in time, followed to their end; restarts, races and forgeries included."""

import datetime
import hashlib
import hmac
import http.server
import json
import threading
import time
import unittest
import urllib.parse

from gateway import PATIENCE, World, request

SECRET = "form-secret-0123456789"
# Employees without a desk here: what they get and do is asked over the API.
PEOPLE = {"anna": {"external": True, "unit": "hq/east/a", "skills": {"suv": 3}, "supervisor": "boss"},
          "bo": {"external": True, "unit": "hq/east/a", "skills": {"suv": 5}, "supervisor": "boss"},
          "chen": {"external": True, "unit": "hq/west", "max_open": 1}}


def routing(**more):
    return {"lead_routing": {"agents": PEOPLE, **more}}


def lead(phone="13800138000", **more):
    return {"contact": {"phone": phone}, "source": "web:form", "product": "suv", "unit": "hq/east/a", **more}


def sign(body, secret=SECRET, at=None):
    timestamp = str(int(time.time()) if at is None else at)
    signature = "v1=" + hmac.new(secret.encode(), (timestamp + "." + body).encode(), hashlib.sha256).hexdigest()
    return {"Touchgate-Timestamp": timestamp, "Touchgate-Signature": signature}


class Capture(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World(settings=routing(
            score=[{"name": "web", "when": {"sources": ["web:*"]}, "points": 40, "half_life": "P7D"},
                   {"name": "budget", "when": {"attributes": {"budget": {"gte": 200000}}}, "points": 45}],
            keywords=[{"words": ["试驾"], "channels": ["sms"], "source": "sms:test-drive", "product": "suv", "unit": "hq/east/a"}],
            sources=["call:missed", {"match": "call:inbound", "product": "hotline"}],
            forms={"shop": {"secret": SECRET, "window": "PT1M", "product": "suv", "unit": "hq/east/a", "rest": "attributes",
                            "fields": {"mobile": "contact.phone", "name": "name"}}}))

    @classmethod
    def tearDownClass(cls):
        cls.world.close()

    def post(self, body):
        return self.world.post("/v1/leads", body)

    def test_a_lead_gets_a_score_an_owner_and_a_deadline_and_says_why(self):
        answer = self.post(lead("13800000001", key="one", attributes={"budget": 250000, "city": "上海"}))
        self.assertEqual(answer.status, 201, answer.text)
        made = answer.json
        self.assertEqual((made["score"], made["grade"], made["stage"], made["duplicate_of"]), (85, "A", "assigned", None))
        self.assertIn(made["owner"], ("anna", "bo"))
        self.assertTrue(made["due_at"])
        shown = self.world.get("/v1/leads/" + made["id"]).json
        self.assertEqual({part["rule"]: round(part["points"]) for part in shown["score_parts"]}, {"web": 40, "budget": 45})
        self.assertEqual(shown["attributes"], {"budget": 250000, "city": "上海"})
        trace = shown["assignment"]
        self.assertEqual((trace["cause"], trace["agents"], trace["in_unit"], trace["with_room"]), ("capture", 3, 2, 2))
        self.assertEqual(sorted(trace["considered"]), ["anna", "bo"])
        events = [event for event in self.world.events(types="lead.*") if event["subject"] == made["id"]]
        self.assertEqual([event["type"] for event in events], ["lead.created", "lead.assigned"])
        self.assertEqual(events[1]["data"]["agent_id"], made["owner"])

    def test_the_same_key_is_the_same_lead_and_with_another_body_a_conflict(self):
        first = self.post(lead("13800000002", key="two")).json
        again = self.post(lead("13800000002", key="two"))
        self.assertEqual((again.status, again.json["id"], again.json["duplicate"]), (200, first["id"], True))
        other = self.post(lead("13800000002", key="two", product="van"))
        self.assertEqual(other.status, 409)
        self.assertEqual(other.json["lead_id"], first["id"])

    def test_the_same_interest_is_one_lead_whose_second_source_is_kept(self):
        first = self.post(lead("13800000003")).json
        second = self.post(lead("+86 138 0000 0003", source="media:banner", attributes={"budget": 300000}))
        self.assertEqual((second.status, second.json["duplicate_of"], second.json["id"]), (200, first["id"], first["id"]))
        shown = self.world.get("/v1/leads/" + first["id"]).json
        self.assertEqual([point["source"] for point in shown["touchpoints"]], ["web:form", "media:banner"])
        self.assertEqual(shown["score"], 85)
        van = self.post(lead("13800000003", product="van"))
        self.assertEqual((van.status, van.json["duplicate_of"]), (201, None))
        self.assertEqual(len(self.world.get("/v1/leads?contact=" + first["contact_id"]).json["items"]), 2)

    def test_twins_at_the_same_time_make_one_lead(self):
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(self.post(lead("13800000004")))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sorted(answer.status for answer in answers), [200] * 7 + [201])
        self.assertEqual(len({answer.json["id"] for answer in answers}), 1)

    def test_the_owner_of_the_contact_gets_his_customers_leads(self):
        self.world.put("/v1/contacts/owned", {"phones": ["13800000005"], "owner": "chen"})
        made = self.post(lead("13800000005")).json
        self.assertEqual(made["owner"], "chen")
        self.assertEqual(self.world.get("/v1/leads/" + made["id"]).json["assignment"]["by"], "owner")

    def test_bad_input_is_named_all_of_it(self):
        answer = self.post({"contact": {"phone": "12"}, "source": "", "attributes": {"a": [1]}, "colour": "red", "at": "soon"})
        self.assertEqual(answer.status, 422)
        self.assertEqual({error["pointer"] for error in answer.json["errors"]}, {"/contact/phone", "/source", "/attributes/a", "/colour", "/at"})
        self.assertEqual(self.world.post("/v1/leads", "{").status, 400)
        self.assertEqual(self.post({"source": "x"}).json["errors"][0]["pointer"], "/contact")
        self.assertEqual(self.post(lead(callback="nobody")).json["errors"][0]["pointer"], "/callback")
        self.assertEqual(self.world.get("/v1/leads/none").status, 404)
        self.assertEqual(self.world.get("/v1/leads?stage=sold").status, 422)
        self.assertEqual(request(self.world.url + "/v1/leads", "POST", lead(), key=None).status, 401)

    def test_bulk_answers_line_by_line(self):
        lines = self.world.bulk("/v1/leads/bulk", [lead("13800000006", key="b1"), {"source": "x"}, lead("13800000006", source="web:two"), lead("13800000006", key="b1")])
        self.assertEqual([line["line"] for line in lines], [1, 2, 3, 4])
        self.assertEqual(lines[1]["error"]["status"], 422)
        self.assertEqual(lines[2]["duplicate_of"], lines[0]["id"])
        self.assertTrue(lines[3]["duplicate"])

    def test_a_reply_by_sms_with_a_word_of_a_rule_is_a_lead(self):
        self.world.inbound("8613800000007", "我想预约试驾")
        self.world.inbound("8613800000008", "你好")
        self.world.wait(lambda: [item for item in self.world.get("/v1/leads?source=sms:*").json["items"]], "a lead of the reply")
        found = self.world.get("/v1/leads?source=sms:*").json["items"]
        self.assertEqual([(item["source"], item["product"], item["unit"]) for item in found], [("sms:test-drive", "suv", "hq/east/a")])

    def test_calls_that_the_configuration_names_are_leads(self):
        for number, more in ((1, {"source": "missed"}), (2, {})):
            told = self.world.post("/v1/events/inbound", {"key": f"call-{number}", "channel": "voice", "contact": {"phone": f"1380000005{number}"}, "kind": "call", **more})
            self.assertEqual(told.status, 202, told.text)
        found = {item["source"]: item["product"] for item in self.world.get("/v1/leads?source=call:*").json["items"]}
        self.assertEqual(found, {"call:missed": None, "call:inbound": "hotline"})

    def test_a_signed_form_is_a_lead_and_a_forged_or_stale_one_is_not(self):
        body = json.dumps({"mobile": "13800000020", "name": "王芳", "city": "上海"}, ensure_ascii=False)
        url = self.world.url + "/v1/forms/shop"

        def send(text, headers, kind="application/json"):
            return request(url, "POST", text, key=None, content_type=kind, headers=headers)

        signed = sign(body)
        first = send(body, signed)
        self.assertEqual(first.status, 201, first.text)
        shown = self.world.get("/v1/leads/" + first.json["id"]).json
        self.assertEqual((shown["source"], shown["attributes"]), ("form:shop", {"city": "上海"}))
        self.assertEqual(self.world.get("/v1/contacts/" + shown["contact_id"]).json["name"], "王芳")
        again = send(body, signed)  # a retry of the same request has no second effect
        self.assertEqual((again.status, again.json["id"], again.json["duplicate"]), (200, first.json["id"], True))
        self.assertEqual(len(self.world.get("/v1/leads/" + first.json["id"]).json["touchpoints"]), 1)
        for headers in ({}, sign(body, "another-secret-012345"), sign(body, at=int(time.time()) - 3600), {**signed, "Touchgate-Timestamp": str(int(time.time()) + 1)}):
            self.assertEqual(send(body, headers).status, 403, headers)
        self.assertEqual(send(body.replace("20", "21"), signed).status, 403)
        form = urllib.parse.urlencode({"mobile": "13800000022", "city": "北京"})
        self.assertEqual(send(form, sign(form), "application/x-www-form-urlencoded").status, 201)
        bad = json.dumps({"city": "x"})
        self.assertEqual(send(bad, sign(bad)).json["errors"][0]["pointer"], "/contact")
        self.assertEqual(send("[", sign("[")).status, 400)
        self.assertEqual(request(self.world.url + "/v1/forms/none", "POST", body, key=None, headers=sign(body)).status, 404)

    def test_an_erased_contact_leaves_no_open_lead_and_no_attributes(self):
        made = self.post(lead("13800000030", attributes={"wish": "red"})).json
        self.assertEqual(self.world.delete("/v1/contacts/" + made["contact_id"]).status, 204)
        shown = self.world.get("/v1/leads/" + made["id"]).json
        self.assertEqual((shown["stage"], shown["reason"], shown["attributes"]), ("disqualified", "contact_erased", {}))


class Steps(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World(settings=routing(conversions={"won": "order", "visited": "visit"}, max_open=1000))

    @classmethod
    def tearDownClass(cls):
        cls.world.close()

    def make(self, phone):
        return self.world.post("/v1/leads", lead(phone)).json

    def act(self, made, step, body=None):
        return self.world.post(f"/v1/leads/{made['id']}/{step}", body if body is not None else {})

    def test_a_lead_goes_its_way_and_no_other(self):
        made = self.make("13900000001")
        for step, body, stage in (("accept", {"agent": made["owner"]}, "accepted"), ("contacted", {"note": "friendly"}, "contacted"), ("qualify", {}, "qualified"),
                                  ("won", {"value": 199000.5}, "won")):
            answer = self.act(made, step, body)
            self.assertEqual((answer.status, answer.json.get("stage")), (200, stage), answer.text)
        self.assertEqual((answer.json["value"], answer.json["currency"]), (199000.50, "CNY"))
        refused = self.act(made, "contacted")
        self.assertEqual((refused.status, refused.json["lead_id"]), (409, made["id"]))
        self.assertIn("won", refused.json["detail"])
        types = [event["type"] for event in self.world.events(types="lead.*") if event["subject"] == made["id"]]
        self.assertEqual(types, ["lead.created", "lead.assigned", "lead.accepted", "lead.contacted", "lead.qualified", "lead.won"])
        conversions = self.world.events(types="conversion.recorded")
        self.assertEqual([(event["data"]["kind"], float(event["data"]["value"])) for event in conversions if event["data"]["key"].startswith("lead:" + made["id"])], [("order", 199000.5)])

    def test_a_wrong_step_names_the_stage_and_what_is_allowed(self):
        made = self.make("13900000002")
        refused = self.act(made, "won", {"value": 1})
        self.assertEqual(refused.status, 409)
        self.assertEqual(refused.json["detail"], "the lead is assigned; allowed: accepted, contacted, disqualified, lost, recycled")
        self.assertEqual(self.act(made, "accept", {"agent": "chen"}).status, 409)
        self.assertEqual(self.act(made, "lost").status, 422)
        self.assertEqual(self.act(made, "lost", {"reason": ""}).json["errors"][0]["pointer"], "/reason")
        self.assertEqual(self.act(made, "accept").status, 200)
        self.assertEqual(self.act(made, "accept").status, 409)
        self.assertEqual(self.act(made, "disqualify", {"reason": "wrong number"}).json["reason"], "wrong number")
        (told,) = [event["data"] for event in self.world.events(types="lead.lost") if event["data"]["lead_id"] == made["id"]]
        self.assertEqual((told["stage"], told["reason"]), ("disqualified", "wrong number"), "no lost sale: it never was one")

    def test_reports_of_stores_take_the_steps_in_between(self):
        one, two, three = (self.make("1390000001" + str(n)) for n in range(3))
        self.world.post("/v1/leads", lead("13900000019", key="k-19"))
        lines = self.world.bulk("/v1/lead-results/bulk", [
            {"lead": one["id"], "result": "won", "value": "88.80"}, {"lead": two["id"], "result": "lost"}, {"lead": three["id"], "result": "visited"},
            {"key": "k-19", "unit": "hq/east/a", "result": "reached"}, {"lead": "x", "result": "sold"}, {"lead": one["id"], "result": "won", "value": "88.80"}])
        self.assertEqual([line.get("stage") for line in lines], ["won", None, "qualified", "contacted", None, "won"])
        self.assertEqual(lines[1]["error"]["errors"][0]["pointer"], "/reason")
        self.assertEqual({error["pointer"] for error in lines[4]["error"]["errors"]}, {"/lead", "/result"})
        kinds = [event["data"]["kind"] for event in self.world.events(types="conversion.recorded") if three["id"] in event["data"]["key"]]
        self.assertEqual(kinds, ["visit"])
        self.assertEqual(len([event for event in self.world.events(types="lead.won") if event["subject"] == one["id"]]), 1)

    def test_the_link_page_reports_without_a_login(self):
        made = self.make("13900000030")
        link = self.act(made, "link").json
        path = urllib.parse.urlparse(link["url"]).path
        page = request(self.world.url + path + "?lang=en", key=None)
        self.assertEqual(page.status, 200)
        self.assertTrue(page.headers["Content-Type"].startswith("text/html"))
        self.assertIn("default-src 'none'", page.headers["Content-Security-Policy"])
        self.assertIn("frame-ancestors 'none'", page.headers["Content-Security-Policy"])
        self.assertIn("+86139****0030", page.text)
        self.assertNotIn("13900000030", page.text)
        self.assertIn("线索结果反馈", request(self.world.url + path, key=None).text)

        def send(**fields):
            return request(self.world.url + path + "?lang=en", "POST", urllib.parse.urlencode(fields), key=None, content_type="application/x-www-form-urlencoded")

        self.assertEqual(send().status, 422)
        self.assertEqual(send(result="lost").status, 422)
        self.assertEqual(send(result="won", value="much").status, 422)
        self.assertEqual(send(result="reached", note="<script>").status, 200)
        self.assertEqual(self.world.get("/v1/leads/" + made["id"]).json["stage"], "contacted")
        self.assertEqual(send(result="won", value="120.5").status, 200)
        shown = self.world.get("/v1/leads/" + made["id"]).json
        self.assertEqual((shown["stage"], shown["value"]), ("won", 120.5))
        self.assertEqual(send(result="lost", reason="late").status, 409)
        self.assertIn("Nothing more", request(self.world.url + path + "?lang=en", key=None).text)
        token = path.split("/")[-1]
        for wrong in (token[:30] + ("A" if token[30] != "A" else "B") + token[31:], "x", token + "AAAA"):
            self.assertEqual(request(self.world.url + "/l/" + wrong, key=None).status, 404, wrong)

    def test_the_link_ends_with_the_assignment(self):
        made = self.make("13900000031")
        path = urllib.parse.urlparse(self.act(made, "link").json["url"]).path
        other = "bo" if made["owner"] == "anna" else "anna"
        self.assertEqual(self.act(made, "assign", {"agent": other}).status, 409)  # protected
        moved = self.act(made, "assign", {"agent": other, "force": True, "reason": "holiday"})
        self.assertEqual((moved.status, moved.json["owner"]), (200, other))
        self.assertEqual(request(self.world.url + path, key=None).status, 410)

    def test_the_reports_count_leads_and_how_soon_they_were_answered(self):
        with World(settings=routing()) as world:
            made = [world.post("/v1/leads", lead(f"1370000000{n}", source="web:a" if n < 3 else "media:b")).json for n in range(4)]
            world.post(f"/v1/leads/{made[0]['id']}/contacted")
            world.post(f"/v1/leads/{made[0]['id']}/won", {"value": 10})
            world.post(f"/v1/leads/{made[1]['id']}/contacted")
            world.post(f"/v1/leads/{made[1]['id']}/qualify")
            done = world.post(f"/v1/leads/{made[2]['id']}/lost", {"reason": "price"})
            seq = done.headers["Touchgate-Seq"]
            report = world.get("/v1/reports/leads?group_by=source&min_seq=" + seq).json
            rows = {row["source"]: row for row in report["rows"]}
            web = rows["web:a"]
            self.assertEqual((web["leads"], web["won"], web["lost"], web["qualified"], web["answered"]), (3, 1, 1, 2, 2))
            self.assertEqual((web["sla_kept"], round(web["conversion"], 4)), (1, 0.3333))
            self.assertLess(web["response_median_ms"], 60_000 * PATIENCE)
            self.assertLessEqual(web["response_median_ms"], web["response_p90_ms"])
            self.assertEqual(rows["media:b"]["assigned"], 1)
            self.assertEqual(report["totals"]["leads"], 4)
            for group in ("unit", "agent", "product", "day"):
                self.assertEqual(world.get(f"/v1/reports/leads?group_by={group}").json["totals"]["leads"], 4, group)
            self.assertEqual(world.get("/v1/reports/leads?source=media:*").json["totals"]["leads"], 1)
            funnel = world.get("/v1/reports/funnel").json
            self.assertEqual([(row["group"], row["leads"], row["qualified"], row["won"]) for row in funnel["rows"]], [("all", 4, 2, 1)])

    def test_leads_and_results_are_imported_from_files(self):
        key = self.world.folder / "key"
        key.write_text("acceptance-key-0123456789")
        leads = self.world.folder / "leads.csv"
        leads.write_text("key,phone,source,product,unit,attributes.city\nf1,13900000041,file:expo,suv,hq/east/a,上海\nf2,13900000042,file:expo,suv,hq/east/a,北京\nf3,12,file:expo,suv,,x\n")
        done = self.world.command("import", "leads", str(leads), "--url", self.world.url, "--key-file", str(key))
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("_reason", (self.world.folder / "leads.csv.reject.csv").read_text())
        results = self.world.folder / "results.csv"
        results.write_text("key,unit,result,reason,value\nf1,hq/east/a,won,,99.90\nf2,hq/east/a,lost,price,\n")
        done = self.world.command("import", "lead-results", str(results), "--url", self.world.url, "--key-file", str(key))
        self.assertEqual(done.returncode, 0, done.stderr + done.stdout)
        found = {item["source"] + item["stage"]: item for item in self.world.get("/v1/leads?source=file:*").json["items"]}
        self.assertEqual(found["file:expowon"]["value"], 99.9)
        self.assertEqual(found["file:expolost"]["reason"], "price")


class Deadlines(unittest.TestCase):
    def kinds(self, world, made):
        return [(event["type"], event["data"].get("step")) for event in world.events(types="lead.*") if event["subject"] == made["id"]]

    def test_no_answer_is_reminded_reported_given_to_somebody_else_and_then_to_the_pool(self):
        terms = {"first_response": "PT30S", "remind_after": "PT0.3S", "supervisor_after": "PT0.6S", "reassign_after": "PT0.9S", "max_reassigns": 1}
        with World(settings=routing(sla=terms)) as world:
            made = world.post("/v1/leads", lead()).json
            world.wait(lambda: world.get("/v1/leads/" + made["id"]).json["stage"] == "recycled", "the pool", 30)
            steps = [("lead.overdue", "reminder"), ("lead.overdue", "supervisor"), ("lead.overdue", "reassign")]
            self.assertEqual(self.kinds(world, made), [("lead.created", None), ("lead.assigned", None), *steps, ("lead.assigned", None), *steps, ("lead.recycled", None)])
            events = [event["data"] for event in world.events(types="lead.*") if event["subject"] == made["id"]]
            self.assertEqual({events[1]["agent_id"], events[5]["agent_id"]}, {"anna", "bo"})
            self.assertEqual((events[2]["told"], events[3]["told"]), ([made["owner"]], ["boss"]))
            self.assertEqual(events[5]["cause"], "overdue")
            shown = world.get("/v1/leads/" + made["id"]).json
            self.assertEqual((shown["owner"], shown["reason"]), (None, "unanswered"))

    def test_deadlines_survive_a_kill_and_those_that_passed_meanwhile_are_kept(self):
        terms = {"first_response": "PT3S", "remind_after": "PT1S", "supervisor_after": "PT2S", "reassign_after": None}
        with World(settings=routing(sla=terms)) as world:
            made = world.post("/v1/leads", lead()).json
            due = [event["data"]["remind_at"] for event in world.events(types="lead.assigned") if event["subject"] == made["id"]][0]
            world.kill()
            world.wait(lambda: datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f") > due, "the first deadline, while nobody is there")
            world.start()
            world.wait(lambda: ("lead.overdue", "supervisor") in self.kinds(world, made), "both steps")
            self.assertEqual(self.kinds(world, made), [("lead.created", None), ("lead.assigned", None), ("lead.overdue", "reminder"), ("lead.overdue", "supervisor")])
            after = world.get("/v1/leads/" + made["id"]).json
            self.assertEqual((after["owner"], after["due_at"]), (made["owner"], made["due_at"]))
            self.assertEqual(world.post("/v1/leads", lead(source="again")).json["duplicate_of"], made["id"])

    def test_a_clean_stop_keeps_leads_in_the_checkpoint(self):
        with World(settings=routing()) as world:
            made = world.post("/v1/leads", lead(key="c", attributes={"budget": 5})).json
            self.assertEqual(world.stop(), 0)
            world.start()
            shown = world.get("/v1/leads/" + made["id"]).json
            self.assertEqual((shown["owner"], shown["attributes"], shown["stage"]), (made["owner"], {"budget": 5}, "assigned"))
            again = world.post("/v1/leads", lead(key="c", attributes={"budget": 5}))
            self.assertEqual((again.status, again.json["id"]), (200, made["id"]))

    def test_silence_recycles_and_what_came_back_too_often_is_given_up(self):
        with World(settings=routing(recycle={"after": "PT0.5S", "max": 1}, sla={"reassign_after": None, "supervisor_after": None, "remind_after": None})) as world:
            made = world.post("/v1/leads", lead()).json
            world.wait(lambda: world.get("/v1/leads/" + made["id"]).json["stage"] == "recycled", "recycled")
            self.assertEqual([item["id"] for item in world.get("/v1/leads?pool=true").json["items"]], [made["id"]])
            self.assertEqual(world.post(f"/v1/leads/{made['id']}/claim", {"agent": "bo"}).status, 200)
            world.wait(lambda: world.get("/v1/leads/" + made["id"]).json["stage"] == "lost", "given up")
            self.assertEqual(world.get("/v1/leads/" + made["id"]).json["reason"], "recycled_too_often")

    def test_a_claim_is_one_agents_only(self):
        with World(settings=routing(rules=[{"pool": True}])) as world:
            made = world.post("/v1/leads", lead()).json
            self.assertEqual((made["stage"], made["owner"]), ("new", None))
            self.assertEqual(world.post(f"/v1/leads/{made['id']}/claim", {"agent": "nobody"}).status, 422)
            answers = []
            threads = [threading.Thread(target=lambda agent=agent: answers.append((agent, world.post(f"/v1/leads/{made['id']}/claim", {"agent": agent}))))
                       for agent in ("anna", "bo", "chen")]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            winners = [agent for agent, answer in answers if answer.status == 200]
            self.assertEqual(sorted(answer.status for _, answer in answers), [200, 409, 409])
            claimed = [answer.json for _, answer in answers if answer.status == 200][0]
            self.assertEqual((claimed["stage"], claimed["owner"]), ("accepted", winners[0]))
            self.assertTrue(all("protected until" in answer.json["detail"] for _, answer in answers if answer.status == 409))

    def test_a_callback_is_told_of_the_leads_that_name_it_and_of_no_others(self):
        told = []

        class Receiver(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                expected = sign(body, at=self.headers["Touchgate-Timestamp"])["Touchgate-Signature"]
                if self.headers["Touchgate-Signature"] == expected:
                    told.extend(json.loads(body))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            callbacks = {"crm": {"url": f"http://127.0.0.1:{server.server_port}/", "secret": SECRET, "events": ["lead"]}}
            with World(settings={**routing(), "callbacks": callbacks}) as world:
                world.post("/v1/leads", lead("13800138001"))
                made = world.post("/v1/leads", lead("13800138002", callback="crm")).json
                world.post(f"/v1/leads/{made['id']}/contacted")
                world.wait(lambda: len(told) >= 3, "three events")
                self.assertEqual([(event["type"], event["subject"]) for event in told],
                                 [(kind, made["id"]) for kind in ("lead.created", "lead.assigned", "lead.contacted")])
        finally:
            server.shutdown()
            server.server_close()

    def test_agents_of_the_call_center_get_leads_and_work_for_their_unit(self):
        with World(settings={"lead_routing": {}}) as world:
            for name, unit in (("anna", "hq/east"), ("bo", "hq/west")):
                self.assertEqual(world.put("/v1/agents/" + name, {"name": name, "unit": unit, "capacity": {"sms": 1}}).status, 201)
            self.assertEqual(world.post("/v1/leads", lead("13800138001", unit="hq/west")).json["owner"], "bo")
            east = [world.post("/v1/leads", lead(f"1380013801{n}", unit="hq/east")).json["owner"] for n in range(3)]
            self.assertEqual(east, ["anna"] * 3)
            self.assertIsNone(world.post("/v1/leads", lead("13800138020", unit="hq/north")).json["owner"])

    def test_stock_limits_hold_and_what_nobody_can_take_waits_and_is_tried_again(self):
        with World(settings=routing(rules=[{"when": {"products": ["west"]}, "unit": "hq/west"}])) as world:
            first = world.post("/v1/leads", lead("13800138001", product="west")).json
            second = world.post("/v1/leads", lead("13800138002", product="west")).json
            self.assertEqual((first["owner"], second["owner"], second["stage"]), ("chen", None, "new"))
            self.assertTrue(second["due_at"])
            self.assertEqual(world.post(f"/v1/leads/{second['id']}/claim", {"agent": "chen"}).status, 409)
            self.assertEqual(world.post(f"/v1/leads/{second['id']}/accept").status, 409)
            world.post(f"/v1/leads/{first['id']}/disqualify", {"reason": "x"})
            world.wait(lambda: world.get("/v1/leads/" + second["id"]).json["owner"] == "chen", "a free place")

    def test_weights_share_the_leads(self):
        people = {name: {"external": True, "unit": "hq", "weight": weight} for name, weight in (("one", 1), ("two", 2), ("three", 3))}
        with World(settings={"lead_routing": {"agents": people}}) as world:
            lines = world.bulk("/v1/leads/bulk", [lead(f"138001{n:05d}", unit="hq") for n in range(60)])
            self.assertTrue(all("id" in line for line in lines))
            counts = {name: len(world.get(f"/v1/leads?owner={name}").json["items"]) for name in people}
            self.assertEqual(counts, {"one": 10, "two": 20, "three": 30})


if __name__ == "__main__":
    unittest.main()
