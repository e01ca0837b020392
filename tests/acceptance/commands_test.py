"""The command line beside a running gateway: import, export, reports, the log, keys."""

import json
import pathlib
import unittest

from gateway import KEY, World


def phone(n):
    return f"+86138{n:08d}"


class CommandsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World(policy={"name": "p", "rules": [{"name": "cap-day", "kind": "cap", "max": 1, "per": "P1D", "by": ["contact"]}]})
        cls.key_file = cls.world.folder / "key"
        cls.key_file.write_text(KEY + "\n")
        cls.sent = cls.world.touch(phone(1), content={"text": "secret words"}).json
        cls.world.wait_state(cls.sent["id"], "delivered")
        cls.deferred = cls.world.touch(phone(1)).json
        cls.world.wait(lambda: cls.world.get("/v1/reports/funnel").json["totals"].get("targeted") == 2, "both counted")

    @classmethod
    def tearDownClass(cls):
        cls.world.close()

    def run_here(self, *words):
        return self.world.command(*words, "--config", str(self.world.config))

    def write(self, name, content):
        path = self.world.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def load(self, kind, path, *words):
        return self.world.command("import", kind, str(path), "--url", self.world.url, "--key-file", str(self.key_file), *words)

    def rejects(self, path):
        return pathlib.Path(str(path) + ".reject" + path.suffix).read_text()

    def test_a_spreadsheet_of_contacts_with_a_mapping(self):
        table = self.write("people.csv", "\ufeff编号,手机号,姓名,城市\na1,１３８０００２０００１,张三,北京\na2,008613800020002,李四,上海\na3,1.38E+10,王五,广州\na4,123,赵六,深圳\na5,138 0002 0005,钱七,\n")
        mapping = self.write("mapping.json", json.dumps({"columns": {"手机号": {"to": "phones[]", "transform": ["digits", "region:CN"]}, "姓名": {"to": "name"}, "城市": {"to": "attributes.city"},
                                                                      "编号": {"to": "id"}}, "constants": {"tags": ["imported"]}}))
        tried = self.load("contacts", table, "--mapping", str(mapping), "--dry-run")
        self.assertEqual((tried.returncode, self.world.get("/v1/contacts/a1").status), (1, 404))
        done = self.load("contacts", table, "--mapping", str(mapping))
        self.assertEqual(done.returncode, 1, "two rows were not taken")
        read = self.world.get("/v1/contacts/a1").json
        self.assertEqual((read["phones"], read["name"], read["attributes"], read["tags"]), ([phone(20001)], "张三", {"city": "北京"}, ["imported"]))
        self.assertEqual([self.world.get(f"/v1/contacts/{one}").status for one in ("a2", "a3", "a4", "a5")], [200, 404, 404, 200])
        rejected = self.rejects(table).splitlines()
        self.assertEqual(rejected[0].lstrip("\ufeff"), "编号,手机号,姓名,城市,_line,_pointer,_reason")
        self.assertIn("spreadsheet", rejected[1])
        self.assertIn("possible phone number", rejected[2])
        repaired = self.write("repaired.csv", "\n".join(line.replace("1.38E+10", "13800020003").replace(",123,", ",13800020004,") for line in rejected) + "\n")
        self.assertEqual(self.load("contacts", repaired, "--mapping", str(mapping)).returncode, 0)
        self.assertEqual(self.world.get("/v1/contacts/a4").json["phones"], [phone(20004)])

    def test_columns_named_like_the_fields_need_no_mapping(self):
        people = self.write("plain.csv", "id;phones;name;tags\np1;13800021001|13800021002;张三;vip|new\n".encode("gb18030"))
        self.assertEqual(self.load("contacts", people).returncode, 0, self.rejects(people) if pathlib.Path(str(people) + ".reject.csv").exists() else "")
        read = self.world.get("/v1/contacts/p1").json
        self.assertEqual((read["phones"], read["name"], read["tags"]), ([phone(21001), phone(21002)], "张三", ["vip", "new"]))
        orders = self.write("orders.csv", "key,phone,kind,value,currency,at\norder-9,13800021001,order,19.90,CNY,2026-01-01T00:00:00Z\n")
        self.assertEqual(self.load("conversions", orders).returncode, 0)
        self.assertEqual([event["data"]["value"] for event in self.world.events(types="conversion.recorded")], [19.9])
        consents = self.write("consents.csv", "contact.id,channel,purpose,status,source\np1,sms,marketing,granted,form\n")
        self.assertEqual(self.load("consents", consents).returncode, 0)

    def test_lines_of_json(self):
        lines = self.write("numbers.ndjson", '{"list":"dnc","phone":"13800022001","reason":"r"}\nnonsense\n{"list":"dnc","phone":"13800022002","reason":"r"}\n')
        done = self.load("suppressions", lines)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(len(self.world.get("/v1/suppressions?list=dnc").json["items"]), 2)
        self.assertEqual(json.loads(self.rejects(lines))["_line"], 2)

    def test_imports_that_cannot_begin(self):
        people = self.write("any.csv", "id,name\nx,y\n")
        self.assertNotEqual(self.load("contacts", self.world.folder / "missing.csv").returncode, 0)
        self.assertNotEqual(self.load("nothing", people).returncode, 0)
        wrong = self.write("wrong-key", "no-such-key-0123456789")
        refused = self.world.command("import", "contacts", str(people), "--url", self.world.url, "--key-file", str(wrong))
        self.assertEqual((refused.returncode, "key" in refused.stderr), (2, True))

    def test_the_log_is_listed_and_verified_beside_the_gateway(self):
        listed = [json.loads(line) for line in self.run_here("log", "cat", "--offsets").stdout.splitlines()]
        self.assertEqual([record["sequence"] for record in listed], list(range(1, len(listed) + 1)))
        self.assertEqual(set(listed[0]), {"sequence", "file", "offset", "length", "type", "time"})
        head = self.world.get("/v1/log/head").json
        self.assertEqual(self.run_here("log", "verify", "--expect", f"{head['sequence']}:{head['hash']}").returncode, 0)
        self.assertTrue(json.loads(self.run_here("log", "verify", "--json").stdout)["ok"])
        self.assertEqual(self.run_here("log", "verify", "--expect", f"{head['sequence'] + 5}:{head['hash']}").returncode, 1)

    def test_reports_and_exports(self):
        for name in ("funnel", "channels", "policy", "cost"):
            report = self.run_here("report", name, "--json")
            self.assertEqual((report.returncode, json.loads(report.stdout)["report"]), (0, name))
        self.assertNotEqual(self.run_here("report", "nothing").returncode, 0)
        cost = self.run_here("report", "cost", "--by", "account,month", "--format", "csv").stdout
        self.assertTrue(cost.startswith("\ufeffaccount,month,"))
        touches = [json.loads(line) for line in self.run_here("export", "touches", "--json").stdout.splitlines()]
        self.assertLessEqual({self.sent["id"], self.deferred["id"]}, {touch["id"] for touch in touches})
        events = self.run_here("export", "events").stdout
        self.assertNotIn("secret words", events)
        self.assertNotIn(phone(1), events)
        self.assertIn("secret words", self.run_here("export", "events", "--content", "--addresses").stdout)
        self.assertTrue(self.run_here("export", "touches", "--format", "csv").stdout.startswith("\ufeffid,"))

    def test_a_decision_is_explained(self):
        explained = self.run_here("policy", "explain", "--touch", self.deferred["id"], "--json")
        decision = json.loads(explained.stdout)
        self.assertEqual((decision["verdict"], decision["rule"], decision["until"]), ("defer", "cap-day", self.deferred["decision"]["until"]))
        self.assertNotEqual(self.run_here("policy", "explain", "--touch", "01939999-0000-7000-8000-000000000000").returncode, 0)

    def test_keys_are_made_for_known_scopes_only(self):
        made = self.world.command("key", "new", "--name", "n", "--scope", "touches@hq", "--scope", "reports", "--json")
        self.assertEqual(json.loads(made.stdout)["config"]["scopes"], ["touches@hq", "reports"])
        self.assertNotIn(json.loads(made.stdout)["key"], json.dumps(json.loads(made.stdout)["config"]))
        self.assertNotEqual(self.world.command("key", "new", "--name", "n", "--scope", "nothing").returncode, 0)

    def test_words_that_are_no_command(self):
        for words in (["nothing"], ["serve"], []):
            self.assertNotEqual(self.world.command(*words).returncode, 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
