"""Closing the loop from outside: conversions come in, and reports say which touches they are owed to and what an experiment changed."""

import csv
import hashlib
import json
import math
import os
import pathlib
import random
import sqlite3
import statistics
import subprocess
import tempfile
import unittest

from gateway import PROGRAM, World

SAMPLE = pathlib.Path(__file__).resolve().parent / "data" / "experiment_sample.csv"
MODELS = ["last", "first", "linear", "time_decay", "position"]


def phone(n):
    return f"+86138{n:08d}"


def report(*words):
    return subprocess.run([PROGRAM, "report", *words], capture_output=True, text=True)


class ConversionsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World()

    @classmethod
    def tearDownClass(cls):
        cls.world.close()

    def conversion(self, key, **more):
        return self.world.post("/v1/conversions", {"key": key, "contact": {"phone": phone(1)}, "kind": "order", "value": 10, **more})

    def test_a_key_counts_once(self):
        first, again, other = self.conversion("k1"), self.conversion("k1"), self.conversion("k1", contact={"phone": phone(77)}, value=99)
        self.assertEqual((first.status, again.status, other.status), (201, 200, 200))
        self.assertEqual([answer.json["duplicate"] for answer in (first, again, other)], [False, True, True])
        self.assertEqual(first.json["contact_id"], again.json["contact_id"])
        # The duplicate made no contact.
        self.assertIsNone(other.json["contact_id"])

    def test_an_unknown_contact_is_made(self):
        by_phone = self.conversion("k2", contact={"phone": phone(2)})
        self.assertEqual(by_phone.status, 201)
        self.assertEqual(self.world.get("/v1/contacts/" + by_phone.json["contact_id"]).json["phones"], [phone(2)])
        self.assertEqual(self.world.touch(phone(2)).json["contact_id"], by_phone.json["contact_id"])
        by_id = self.conversion("k3", contact={"id": "shop-4711"})
        self.assertEqual((by_id.status, by_id.json["contact_id"]), (201, "shop-4711"))
        self.assertEqual(self.world.get("/v1/contacts/shop-4711").status, 200)

    def test_bulk_answers_every_line(self):
        good = {"contact": {"phone": phone(3)}, "kind": "visit"}
        lines = self.world.bulk("/v1/conversions/bulk", [{**good, "key": "b1"}, {"key": "b2"}, {**good, "key": "b1"}, {**good, "key": "b3", "value": 1.5, "currency": "USD"}])
        self.assertEqual([line["line"] for line in lines], [1, 2, 3, 4])
        self.assertEqual(lines[0]["id"], "b1")
        self.assertEqual({error["pointer"] for error in lines[1]["error"]["errors"]}, {"/contact", "/kind"})
        self.assertTrue(lines[2]["duplicate"])
        self.assertNotIn("error", lines[3])

    def test_amounts_have_the_decimals_of_their_currency(self):
        for key, value, currency in [("m1", 199.9, "CNY"), ("m2", 500, "JPY"), ("m3", 1.234, "KWD")]:
            self.conversion(key, value=value, currency=currency, kind="money")
        found = {event["data"]["key"]: event["data"]["value"] for event in self.world.events(types="conversion.*") if event["data"]["kind"] == "money"}
        self.assertEqual(found, {"m1": 199.9, "m2": 500, "m3": 1.234})

    def test_wrong_fields_are_named(self):
        answer = self.conversion("w", currency="yuan", at="2099-01-01T00:00:00Z", surprise=1)
        self.assertEqual(answer.status, 422)
        self.assertLessEqual({"/currency", "/surprise"}, {error["pointer"] for error in answer.json["errors"]})
        self.assertEqual(self.conversion("w", at="2099-01-01T00:00:00Z").json["errors"][0]["pointer"], "/at")

    def test_a_file_is_imported_and_a_bad_row_set_apart(self):
        path = self.world.folder / "orders.csv"
        path.write_text("key,phone,kind,value,at\ni1,13800000005,import,12.50,2026-01-02T03:04:05Z\ni2,13800000005,import,a lot,\ni3,13800000006,import,,\n")
        key = self.world.folder / "key"
        key.write_text("acceptance-key-0123456789")
        done = self.world.command("import", "conversions", str(path), "--url", self.world.url, "--key-file", str(key))
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("a lot", (self.world.folder / "orders.csv.reject.csv").read_text())
        found = {event["data"]["key"]: event["data"] for event in self.world.events(types="conversion.*") if event["data"]["kind"] == "import"}
        self.assertEqual(set(found), {"i1", "i3"})
        self.assertEqual((found["i1"]["value"], found["i1"]["at"]), (12.5, "2026-01-02T03:04:05.000Z"))


class AttributionTest(unittest.TestCase):
    """Thirty customers, touched up to three times by three campaigns one after the other; all but every fifth buys."""

    @classmethod
    def setUpClass(cls):
        cls.world = world = World()
        cls.touched = {n: 1 + n % 3 for n in range(30)}  # number of touches; 30 and above have none
        for step, campaign in enumerate(["spring", "summer", "autumn"]):
            assert world.post("/v1/campaigns", {"id": campaign, "purpose": "marketing"}).status == 201
            lines = world.bulk("/v1/touches/bulk", [{"contact": {"phone": phone(n)}, "purpose": "marketing", "campaign": campaign, "channels": ["sms"], "content": {"text": "x"}}
                                                    for n, count in cls.touched.items() if step < count])
            assert not [line for line in lines if "error" in line], lines
            for line in lines:
                world.wait_state(line["id"], "delivered")
        cls.buyers = [n for n in range(33) if n % 5 != 4]
        cls.value = {n: 1000 + 37 * n for n in cls.buyers}  # cents
        lines = world.bulk("/v1/conversions/bulk", [{"key": f"o{n}", "contact": {"phone": phone(n)}, "kind": "order", "value": cls.value[n] / 100} for n in cls.buyers])
        assert not [line for line in lines if "error" in line], lines
        cls.seq = world.get("/v1/log/head").json["sequence"]

    @classmethod
    def tearDownClass(cls):
        cls.world.close()

    def report(self, name, **parameters):
        answer = self.world.get(f"/v1/reports/{name}?min_seq={self.seq}&" + "&".join(f"{key}={value}" for key, value in parameters.items()))
        self.assertEqual(answer.status, 200, answer.text)
        return answer.json

    def test_parts_add_up_for_every_model_and_group(self):
        orders, cents = len(self.buyers), sum(self.value.values())
        for model in MODELS:
            for group in ["channel", "campaign", "account", "template", "agent"]:
                with self.subTest(model=model, group=group):
                    made = self.report("attribution", model=model, group_by=group)
                    totals = made["totals"]
                    self.assertEqual((totals["conversions"], round(totals["value"] * 100)), (orders, cents))
                    self.assertAlmostEqual(sum(row["conversions"] for row in made["rows"]) + totals["unattributed"]["conversions"], orders, delta=1e-6 * orders)
                    self.assertEqual(sum(round(row["value"] * 100) for row in made["rows"]) + round(totals["unattributed"]["value"] * 100), cents)
                    untouched = [n for n in self.buyers if n not in self.touched]
                    self.assertEqual(totals["unattributed"]["conversions"], len(untouched))

    def test_each_campaign_gets_what_the_model_says(self):
        names = ["spring", "summer", "autumn"]
        shares = {"last": lambda k: [0] * (k - 1) + [1], "first": lambda k: [1] + [0] * (k - 1), "linear": lambda k: [1 / k] * k,
                  "position": lambda k: {1: [1], 2: [0.5, 0.5], 3: [0.4, 0.2, 0.4]}[k]}
        for model, share in shares.items():
            with self.subTest(model=model):
                expected = dict.fromkeys(names, 0.0)
                for n in self.buyers:
                    if n in self.touched:
                        for campaign, part in zip(names, share(self.touched[n])):
                            expected[campaign] += part
                rows = {row["campaign"]: row["conversions"] for row in self.report("attribution", model=model, group_by="campaign")["rows"]}
                for campaign in names:
                    self.assertAlmostEqual(rows.get(campaign, 0), expected[campaign], delta=1e-9 * len(self.buyers))

    def test_a_window_and_a_half_life_are_taken_and_checked(self):
        made = self.report("attribution", model="time_decay", half_life="PT0.001S", window="P1D")
        self.assertEqual(made["filters"], {"half_life": "PT0.001S", "model": "time_decay", "window": "P1D"})
        answer = self.world.get("/v1/reports/attribution?model=best&window=soon")
        self.assertEqual((answer.status, {error["pointer"] for error in answer.json["errors"]}), (422, {"/model", "/window"}))

    def test_frames_in_json_and_csv(self):
        made = self.report("attribution", tz="UTC")
        self.assertLessEqual({"report", "from", "to", "tz", "filters", "seq", "rows", "totals"}, set(made))
        self.assertEqual((made["tz"], made["from"]), ("UTC", None))
        self.assertGreaterEqual(made["seq"], self.seq)
        text = self.world.get(f"/v1/reports/attribution?format=csv&bom=0&min_seq={self.seq}").text
        rows = list(csv.DictReader(text.splitlines()))
        self.assertEqual([(row["channel"], float(row["value"])) for row in rows], [(row["channel"], row["value"]) for row in made["rows"]])

    def test_the_command_line_tells_the_same_and_verifies_it(self):
        self.report("attribution")
        config = str(self.world.config)
        made = self.world.command("report", "attribution", "--config", config, "--format", "json", "--model", "linear", "--by", "campaign", "--verify")
        self.assertEqual(made.returncode, 0, made.stderr)
        self.assertEqual(json.loads(made.stdout)["rows"], self.report("attribution", model="linear", group_by="campaign")["rows"])
        self.assertIn("verified", made.stderr)
        for name in ["funnel", "channels", "campaign", "cost", "policy", "rfm", "digital_share"]:
            done = self.world.command("report", name, "--config", config, "--verify")
            self.assertEqual(done.returncode, 0, name + ": " + done.stderr)

    def test_the_campaign_report_counts_who_converted(self):
        rows = {row["campaign"]: row for row in self.report("campaign")["rows"]}
        self.assertEqual(rows["spring"]["targeted"], 30)
        self.assertEqual(rows["autumn"]["converted"], len([n for n in self.buyers if self.touched.get(n) == 3]))


class ExperimentTest(unittest.TestCase):
    """A campaign with two arms and a control group: three hundred customers, some of whom buy."""

    ARMS = [("a", 0.6), ("b", 0.4)]
    HOLDOUT = 0.3

    @classmethod
    def setUpClass(cls):
        cls.world = world = World()
        customers = [f"cust-{n}" for n in range(300)]
        assert not [line for line in world.bulk("/v1/contacts/bulk", [{"id": customer, "phones": [phone(n)]} for n, customer in enumerate(customers)]) if "error" in line]
        made = world.post("/v1/campaigns", {"id": "test", "purpose": "marketing", "channels": ["sms"], "content": {"text": "x"}, "holdout": cls.HOLDOUT,
                                            "arms": [{"name": name, "share": share} for name, share in cls.ARMS]})
        assert made.status == 201, made.text
        before = world.post("/v1/conversions", {"key": "before", "contact": {"id": "cust-1"}, "kind": "visit"})
        assert before.status == 201
        lines = "\n".join(json.dumps({"contact": {"id": customer}}) for customer in customers)
        added = world.post("/v1/campaigns/test/audience", lines.encode(), content_type="application/x-ndjson")
        assert added.json["added"] == 300, added.text
        assert world.post("/v1/campaigns/test/start").status == 200
        world.wait(lambda: world.get("/v1/campaigns/test").json["state"] == "finished", "the campaign to finish", 60)
        cls.arm = {customer: cls.arm_of(customer) for customer in customers}
        cls.buyers = [customer for n, customer in enumerate(customers) if n % {"a": 2, "b": 3, "holdout": 5}[cls.arm[customer]] == 0]
        conversions = [{"key": "v" + customer, "contact": {"id": customer}, "kind": "visit"} for customer in cls.buyers]
        conversions += [{"key": f"o{n}{customer}", "contact": {"id": customer}, "kind": "order", "value": 10 + len(customer)} for customer in cls.buyers[::2] for n in range(2)]
        lines = world.bulk("/v1/conversions/bulk", conversions)
        assert not [line for line in lines if "error" in line], lines
        cls.seq = world.get("/v1/log/head").json["sequence"]

    @classmethod
    def tearDownClass(cls):
        cls.world.close()

    @classmethod
    def arm_of(cls, customer):
        def position(word):
            return int.from_bytes(hashlib.sha256(f"{word}\ntest\n{customer}".encode()).digest()[:8], "big")

        if position("holdout") < cls.HOLDOUT * 2**64:
            return "holdout"
        return "a" if position("arm") < 0.6 * 2**64 else "b"

    def report(self, name, **parameters):
        answer = self.world.get(f"/v1/reports/{name}?min_seq={self.seq}&" + "&".join(f"{key}={value}" for key, value in parameters.items()))
        self.assertEqual(answer.status, 200, answer.text)
        return answer.json

    def members(self, arm):
        return [customer for customer, its in self.arm.items() if its == arm]

    def test_the_groups_are_those_of_the_hash_and_every_figure_is_that_of_statistics(self):
        made = self.report("uplift", campaign="test")
        self.assertEqual({(row["arm"], row["outcome"]) for row in made["rows"]}, {(arm, outcome) for arm in "ab" for outcome in ("visit.rate", "order.rate", "order.value")})
        visits, ordered = set(self.buyers), set(self.buyers[::2])
        outcome = {"visit.rate": lambda c: float(c in visits), "order.rate": lambda c: float(c in ordered), "order.value": lambda c: 2.0 * (10 + len(c)) if c in ordered else 0.0}
        for row in made["rows"]:
            arm, control = ([outcome[row["outcome"]](customer) for customer in self.members(name)] for name in (row["arm"], "holdout"))
            with self.subTest(arm=row["arm"], outcome=row["outcome"]):
                self.assertEqual((row["n"], row["n_control"], row["control"]), (len(arm), len(control), "holdout"))
                self.assertAlmostEqual(row["mean"], statistics.fmean(arm), places=12)
                self.assertAlmostEqual(row["mean_control"], statistics.fmean(control), places=12)
                self.assertAlmostEqual(row["difference"]["value"], statistics.fmean(arm) - statistics.fmean(control), places=12)
                # The interval is that of Welch's t: a little wider than the normal one.
                error = math.sqrt(statistics.variance(arm) / len(arm) + statistics.variance(control) / len(control))
                half = row["difference"]["high"] - row["difference"]["value"]
                self.assertTrue(1.9599 * error < half < 2.02 * error, (half / error))
        totals = made["totals"]
        self.assertEqual((totals["assigned"], totals["assigned_by"], totals["contamination"]["touched"]), (300, "hash", 0))
        expected = {"holdout": 300 * self.HOLDOUT, "a": 300 * 0.7 * 0.6, "b": 300 * 0.7 * 0.4}
        statistic = sum((len(self.members(arm)) - size) ** 2 / size for arm, size in expected.items())
        self.assertAlmostEqual(totals["srm_p_value"], math.exp(-statistic / 2), places=9)  # chi-square with two degrees of freedom

    def test_the_campaign_report_has_a_row_for_each_group(self):
        rows = {row["arm"]: row for row in self.report("campaign", campaign="test", kind="visit")["rows"]}
        self.assertEqual(set(rows), {"a", "b", "holdout"})
        for arm, row in rows.items():
            buyers = [customer for customer in self.buyers if self.arm[customer] == arm]
            self.assertEqual((row["assigned"], row["converted"], row["targeted"]), (len(self.members(arm)), len(buyers), len(self.members(arm))))
        self.assertEqual((rows["holdout"]["sent"], rows["holdout"]["held_out"]), (0, len(self.members("holdout"))))
        self.assertAlmostEqual(rows["a"]["difference"]["value"], rows["a"]["conversion_rate"] - rows["holdout"]["conversion_rate"])

    def test_ghost_touches_take_no_credit(self):
        totals = self.report("attribution", kind="visit")["totals"]
        self.assertEqual(totals["unattributed"]["conversions"], 1 + len([customer for customer in self.buyers if self.arm[customer] == "holdout"]))

    def test_the_reports_follow_from_the_log(self):
        self.report("uplift", campaign="test")
        for words in [["uplift", "--campaign", "test"], ["campaign"], ["attribution", "--model", "position"], ["rfm"]]:
            done = self.world.command("report", *words, "--config", str(self.world.config), "--verify")
            self.assertEqual(done.returncode, 0, done.stderr)


class VerifyTest(unittest.TestCase):
    def test_a_changed_figure_is_named_and_the_exit_status_is_1(self):
        with World() as world:
            made = world.post("/v1/conversions", {"key": "k", "contact": {"phone": phone(1)}, "kind": "order", "value": 12.34})
            world.wait(lambda: world.get("/v1/reports/attribution?min_seq=" + made.headers["Touchgate-Seq"]).status == 200, "shown")
            world.stop()
            database = sqlite3.connect(world.folder / "data" / "projection.sqlite")
            database.execute("UPDATE conversions SET value_cents = 9999")
            database.commit()
            database.close()
            done = world.command("--lang", "en", "report", "attribution", "--config", str(world.config), "--verify")
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn("totals, value: the projection says 99.99, the log says 12.34", done.stderr)
            self.assertEqual(world.command("log", "rebuild", "--config", str(world.config)).returncode, 0)
            self.assertEqual(world.command("report", "attribution", "--config", str(world.config), "--verify").returncode, 0)


class ExperimentFileTest(unittest.TestCase):
    """The uplift of an experiment that ran elsewhere. Expected values were computed apart from the program."""

    def check(self, row, expected, places):
        found = [row["mean"], row["mean_control"], row["difference"]["value"], row["difference"]["low"], row["difference"]["high"], row["ratio"]["value"], row["ratio"]["low"],
                 row["ratio"]["high"], row["p_value"]]
        for value, wanted in zip(found, expected):
            self.assertAlmostEqual(value / wanted, 1, delta=10 ** -places)

    def uplift(self, path, *outcomes):
        words = [word for outcome in outcomes for word in ("--outcome", outcome)]
        done = report("uplift", "--input", str(path), "--arm", "segment", "--control", "No E-Mail", *words, "--format", "json")
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def test_a_small_sample_is_compared_by_welchs_t(self):
        made = self.uplift(SAMPLE, "visit", "spend")
        expected = {
            ("Mens E-Mail", "visit"): [0.55, 0.05, 0.5, 0.24388770669035015, 0.7561122933096498, 11.0, 1.3481150260988892, 89.7549524020543, 0.00045141336348109425],
            ("Mens E-Mail", "spend"): [26.455, 8.1585, 18.2965, -7.84027220817605, 44.43327220817605, 3.2426303854875282, 0.3714935377295277, 28.303727384195767, 0.16437563337735908],
            ("Womens E-Mail", "visit"): [0.5, 0.05, 0.45, 0.19277328286630044, 0.7072267171336996, 10.0, 1.2135277761214567, 82.40437670047318, 0.001329097838888044],
            ("Womens E-Mail", "spend"): [14.7665, 8.1585, 6.608, -17.11358676026557, 30.32958676026557, 1.80995280995281, 0.17613401459809452, 18.599071745063785, 0.5761099684282225]}
        self.assertEqual({(row["arm"], row["outcome"]) for row in made["rows"]}, set(expected))
        for row in made["rows"]:
            with self.subTest(arm=row["arm"], outcome=row["outcome"]):
                self.assertEqual((row["control"], row["n"], row["n_control"], row["method"]), ("No E-Mail", 20, 20, "welch_t"))
                self.check(row, expected[row["arm"], row["outcome"]], 10)
        self.assertIsNone(made["totals"]["srm_p_value"])

    def compare_with_statistics(self, path, outcomes):
        groups = {}
        with open(path, newline="") as file:
            for row in csv.DictReader(file):
                for outcome in outcomes:
                    groups.setdefault((row["segment"], outcome), []).append(float(row[outcome]))
        quantile = statistics.NormalDist().inv_cdf(0.975)
        made = self.uplift(path, *outcomes)
        self.assertEqual(len(made["rows"]), len(groups) - len(outcomes))
        for row in made["rows"]:
            arm, control = groups[row["arm"], row["outcome"]], groups["No E-Mail", row["outcome"]]
            mean, base = statistics.fmean(arm), statistics.fmean(control)
            part, base_part = statistics.variance(arm) / len(arm), statistics.variance(control) / len(control)
            error, log_error = math.sqrt(part + base_part), math.sqrt(part / mean**2 + base_part / base**2)
            with self.subTest(arm=row["arm"], outcome=row["outcome"]):
                self.assertEqual((row["n"], row["n_control"], row["method"]), (len(arm), len(control), "normal"))
                self.check(row, [mean, base, mean - base, mean - base - quantile * error, mean - base + quantile * error, mean / base, mean / base * math.exp(-quantile * log_error),
                                 mean / base * math.exp(quantile * log_error), math.erfc(abs(mean - base) / error / math.sqrt(2))], 8)
        return made

    def test_a_large_file_is_compared_by_the_normal_distribution(self):
        with tempfile.TemporaryDirectory() as folder:
            path, source = pathlib.Path(folder) / "large.csv", random.Random(5)
            with open(path, "w", newline="") as file:
                writer = csv.writer(file)
                writer.writerow(["note", "spend", "segment"])
                for n in range(9000):
                    segment = ("Mens E-Mail", "Womens E-Mail", "No E-Mail")[n % 3]
                    writer.writerow([f"a, \"quoted\"\nnote {n}", round(source.expovariate(1 / (50 + 10 * (n % 3))), 2), segment])
            self.compare_with_statistics(path, ["spend"])

    def test_hillstroms_experiment(self):
        path = pathlib.Path(os.environ.get("TOUCHGATE_DATA_SETS", "")) / "hillstrom.csv"
        if not path.is_file():
            self.skipTest("TOUCHGATE_DATA_SETS names no folder with hillstrom.csv")
        made = self.compare_with_statistics(path, ["visit", "conversion", "spend"])
        sizes = {row["arm"]: row["n"] for row in made["rows"]}
        self.assertEqual(sizes, {"Mens E-Mail": 21307, "Womens E-Mail": 21387})
        self.check(next(row for row in made["rows"] if (row["arm"], row["outcome"]) == ("Mens E-Mail", "visit")),
                   [0.18275684047496127, 0.10616727682343002, 0.07658956365153125, 0.06995334548485052, 0.08322578181821197, 1.721404616781399, 1.6403830325731383, 1.8064280084805104,
                    2.740429349829804e-113], 9)

    def test_what_does_not_fit_is_named(self):
        for words, told in [(["--arm", "group", "--control", "x", "--outcome", "visit"], 'no column "group"'),
                            (["--arm", "segment", "--control", "Nobody", "--outcome", "visit"], '"No E-Mail"'),
                            (["--arm", "segment", "--control", "No E-Mail", "--outcome", "region"], "line 2: region is no number"),
                            (["--arm", "segment", "--control", "No E-Mail"], "at least one column")]:
            with self.subTest(told):
                done = report("uplift", "--input", str(SAMPLE), *words)
                self.assertEqual(done.returncode, 2)
                self.assertIn(told, done.stderr)
        self.assertEqual(report("uplift", "--input", "/nowhere.csv", "--arm", "a", "--control", "b", "--outcome", "c").returncode, 2)
        self.assertEqual(report("funnel", "--input", str(SAMPLE)).returncode, 2)
        self.assertEqual(report("funnel").returncode, 2)


if __name__ == "__main__":
    unittest.main()
