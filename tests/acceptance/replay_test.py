"""policy replay and policy explain beside a running gateway: what an operator would see before he puts a new policy in force."""

import json
import unittest

from gateway import World


def phone(n):
    return f"+86139{n:08d}"


CAP = {"name": "in-force", "rules": [{"name": "cap-day", "kind": "cap", "when": {"purposes": ["marketing"]}, "max": 3, "per": "P1D", "by": ["contact"]}]}
STRICT = {"name": "strict", "rules": [{"name": "cap-strict", "kind": "cap", "when": {"purposes": ["marketing"]}, "max": 1, "per": "P1D", "by": ["contact"]},
                                      {"name": "words", "kind": "content", "when": {"purposes": ["care"]}, "forbidden": ["稳赚"]}]}


class ReplayTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = world = World(policy=CAP)
        assert world.post("/v1/campaigns", {"id": "autumn", "purpose": "marketing"}).status == 201
        lines = []
        for n in range(40):
            for turn in range(5):
                campaign = {"campaign": "autumn"} if n % 2 else {}
                lines.append({"contact": {"phone": phone(n)}, "purpose": "marketing", "channels": ["sms"], "content": {"text": f"促销 {turn}"}, **campaign})
        lines += [{"contact": {"phone": phone(n)}, "purpose": "care", "channels": ["sms"], "content": {"text": "稳赚" if n == 3 else "您好"}} for n in range(10)]
        answers = world.bulk("/v1/touches/bulk", lines)
        assert not [answer for answer in answers if "error" in answer], answers
        cls.touches = [answer["id"] for answer in answers]
        (world.folder / "strict.json").write_text(json.dumps(STRICT, ensure_ascii=False))

    @classmethod
    def tearDownClass(cls):
        cls.world.close()

    def replay(self, *words):
        return self.world.command("policy", "replay", "--config", str(self.world.config), "--policy", "strict.json", *words)

    def test_sums_and_rows_tell_what_would_have_changed(self):
        done = self.replay("--json", "--rows", "rows.ndjson")
        self.assertEqual(done.returncode, 0, done.stderr)
        report = json.loads(done.stdout)
        rows = [json.loads(line) for line in (self.world.folder / "rows.ndjson").read_text().splitlines()]
        self.assertEqual(report["touches"], 210)
        self.assertEqual([row["touch"] for row in rows], self.touches)
        self.assertEqual(report["was"], {"allow": 130, "defer": 80, "deny": 0})
        self.assertEqual(report["would"]["allow"], 40 + 9)
        for verdicts in (report["was"], report["would"], {"of campaigns": sum(row["touches"] for row in report["by_campaign"])}):
            self.assertEqual(sum(verdicts.values()), report["touches"])
        self.assertEqual(report["changed"], sum(row["was"] != row["would"] for row in rows))
        self.assertEqual({word: sum(row["would"] == word for row in rows) for word in ("allow", "defer", "deny")}, report["would"])
        by_rule = {row["rule"]: row for row in report["by_rule"]}
        self.assertEqual(by_rule["words"]["deny"], 1)
        self.assertEqual(by_rule["cap-day"]["was_defer"], 80)
        self.assertEqual(by_rule["cap-strict"]["defer"] + by_rule["cap-strict"]["deny"], 160)
        self.assertEqual({row["campaign"]: row["touches"] for row in report["by_campaign"]}, {None: 110, "autumn": 100})
        deferred = next(row for row in rows if row["would"] == "defer")
        self.assertEqual((deferred["would_rule"], deferred["was_rule"]), ("cap-strict", None))
        self.assertGreater(deferred["until"], deferred["at"])
        self.assertEqual(set(deferred), {"touch", "contact_id", "at", "was", "was_rule", "would", "would_rule", "until"})

    def test_the_policy_in_force_changes_nothing_on_the_logged_history(self):
        done = self.world.command("policy", "replay", "--config", str(self.world.config), "--policy", "policy.json", "--history", "logged", "--json")
        report = json.loads(done.stdout)
        self.assertEqual(report["changed"], 0)
        self.assertEqual(report["was"], report["would"])

    def test_a_range_without_touches_counts_none(self):
        report = json.loads(self.replay("--json", "--to", "2020-01-01T00:00:00Z").stdout)
        self.assertEqual((report["touches"], report["by_rule"], report["by_campaign"]), (0, [], []))
        report = json.loads(self.replay("--json", "--from", "2020-01-01T00:00:00Z").stdout)
        self.assertEqual(report["touches"], 210)

    def test_people_get_tables_in_their_language(self):
        english = self.replay()
        self.assertIn("cap-strict", english.stdout)
        self.assertIn("would be deferred", english.stdout)
        chinese = self.world.command("--lang", "zh-CN", "policy", "replay", "--config", str(self.world.config), "--policy", "strict.json")
        self.assertIn("新推迟", chinese.stdout)
        self.assertIn("退出码", self.world.command("--lang", "zh-CN", "policy", "replay", "--help").stdout)

    def test_a_wrong_policy_or_option_is_told_in_full(self):
        (self.world.folder / "wrong.json").write_text(json.dumps({"name": "x", "rules": [{"name": "a", "kind": "cap"}, {"name": "b", "kind": "nothing"}]}))
        done = self.world.command("policy", "replay", "--config", str(self.world.config), "--policy", "wrong.json")
        self.assertEqual(done.returncode, 1)
        for pointer in ("/rules/0/max", "/rules/0/per", "/rules/1/kind"):
            self.assertIn(pointer, done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertEqual(self.world.command("policy", "replay", "--config", str(self.world.config), "--policy", "absent.json").returncode, 2)
        self.assertEqual(self.replay("--from", "yesterday").returncode, 2)
        self.assertEqual(self.replay("--from", "2026-01-02T00:00:00Z", "--to", "2026-01-01T00:00:00Z").returncode, 2)
        self.assertNotEqual(self.replay("--history", "imagined").returncode, 0)

    def test_a_touch_is_explained_as_the_api_decides_it(self):
        asked = self.world.post("/v1/decisions", {"contact": {"phone": phone(2)}, "purpose": "marketing", "channels": ["sms"], "content": {"text": "促销"}}).json
        self.assertEqual(asked["rule"], "cap-day")
        of_contact = self.touches[10:15]
        done = self.world.command("policy", "explain", "--config", str(self.world.config), "--touch", of_contact[4], "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        told = json.loads(done.stdout)
        self.assertEqual(set(told), set(asked))
        self.assertEqual((told["verdict"], told["policy"], told["rule"]), ("defer", "in-force@1", "cap-day"))
        self.assertEqual([set(step) for step in told["trace"]], [set(step) for step in asked["trace"]])
        self.assertEqual(told["trace"][0]["touches"], of_contact[:3])
        self.assertEqual(asked["trace"][0]["touches"], of_contact[:3])
        # A touch that was sent: the decision of its permit, with what counted then, never itself.
        sent = json.loads(self.world.command("policy", "explain", "--config", str(self.world.config), "--touch", of_contact[1], "--json").stdout)
        step = sent["trace"][0]
        self.assertEqual(sent["verdict"], "allow")
        self.assertEqual(step["counted"], len(step["touches"]))
        self.assertLessEqual(set(step["touches"]), {of_contact[0], of_contact[2]})


if __name__ == "__main__":
    unittest.main()
