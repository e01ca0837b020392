"""Faults that the gateway finds when it starts: it ends with a status other than 0 and names the place, or mends what can be rebuilt."""

import json
import os
import shutil
import sqlite3
import unittest

from gateway import World, request


def phone(n):
    return f"+86138{n:08d}"


class ConfigurationTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World()
        cls.good = json.loads(cls.world.config.read_text())

    @classmethod
    def tearDownClass(cls):
        cls.world.close()

    def run_with(self, command, *words, **changes):
        path = self.world.folder / "config" / "changed.json"
        path.write_text(json.dumps({**self.good, "data_dir": "other-data", **changes}))
        return self.world.command(command, "--config", str(path), *words)

    def test_check_names_every_problem_at_once(self):
        account = self.good["accounts"]["sms-main"]
        found = self.run_with("check", "--json", surprise=1, http={"listen": "x"}, default_region="QQ", time_zone="Mars", policy="none.json",
                              api_keys=[{"name": "a", "key": "short", "scopes": ["touches"]}, {"name": "b", "key": "long-enough-key-0001", "scopes": ["nothing"]}],
                              accounts={"a": {"adapter": "none"}, "b": {"adapter": "smpp", "port": "x", "surprise": 1}, "c": {**account, "password": "${ENV:NOT_SET_ANYWHERE}"}})
        self.assertEqual(found.returncode, 1)
        problems = json.loads(found.stdout)["problems"]
        self.assertLessEqual({"/surprise", "/http/listen", "/default_region", "/time_zone", "/policy", "/api_keys/0/key", "/api_keys/1/scopes/0", "/accounts/a/adapter", "/accounts/b/host", "/accounts/b/port",
                              "/accounts/b/surprise", "/accounts/c/password"}, {problem["pointer"] for problem in problems})
        self.assertTrue(all(problem["file"] and problem["detail"] for problem in problems))

    def test_check_is_content_with_what_is_good(self):
        found = self.run_with("check")
        self.assertEqual(found.returncode, 0, found.stdout)

    def test_a_missing_secret_stops_the_start(self):
        for secret in ("${ENV:NOT_SET_ANYWHERE}", "${FILE:/nowhere/at/all}"):
            key = {**self.good["api_keys"][0], "key": secret}
            ended = self.run_with("serve", api_keys=[key])
            self.assertNotEqual(ended.returncode, 0)
            self.assertIn("/api_keys/0/key", ended.stderr)

    def test_a_port_in_use_is_named(self):
        taken = self.world.url.split("//")[1]
        ended = self.run_with("serve", http={"listen": taken})
        self.assertNotEqual(ended.returncode, 0)
        self.assertIn(taken, ended.stderr)

    def test_a_second_gateway_on_the_same_data_is_told_who_holds_the_lock(self):
        ended = self.world.command("serve", "--config", str(self.world.config))
        self.assertNotEqual(ended.returncode, 0)
        self.assertIn("data/lock", ended.stderr)
        self.assertEqual(request(self.world.url + "/readyz", key=None).status, 200)

    def test_a_data_folder_that_cannot_be_made_is_named(self):
        blocked = self.world.folder / "a-file"
        blocked.write_text("")
        ended = self.run_with("serve", data_dir=str(blocked / "data"))
        self.assertNotEqual(ended.returncode, 0)
        self.assertIn(str(blocked), ended.stderr)

    def test_a_master_key_that_is_none_is_refused(self):
        ended = self.run_with("serve", master_key="too short")
        self.assertNotEqual(ended.returncode, 0)
        self.assertIn("master key", ended.stderr)

    def test_a_file_that_is_missing_or_no_json(self):
        self.assertNotEqual(self.world.command("serve", "--config", "/nowhere.json").returncode, 0)
        path = self.world.folder / "config" / "broken.json"
        path.write_text('{ "http": }')
        broken = self.world.command("check", "--config", str(path))
        self.assertEqual(broken.returncode, 1)
        self.assertIn("line 1", broken.stdout)


class DamageTest(unittest.TestCase):
    """One gateway's data, damaged in one place at a time."""

    @classmethod
    def setUpClass(cls):
        cls.world = World()
        cls.touches = [cls.world.touch(phone(n), key=f"k{n}").json["id"] for n in range(10)]
        cls.world.wait(lambda: all(cls.world.state(touch) == "delivered" for touch in cls.touches), "all delivered", 30)
        cls.world.wait(lambda: cls.counted() == 10, "all counted")
        cls.world.stop()
        cls.data, cls.saved = cls.world.folder / "data", cls.world.folder / "saved"
        shutil.copytree(cls.data, cls.saved)

    @classmethod
    def tearDownClass(cls):
        cls.world.close()

    @classmethod
    def counted(cls):
        return cls.world.get("/v1/reports/funnel").json["totals"].get("delivered")

    def setUp(self):
        shutil.rmtree(self.data)
        shutil.copytree(self.saved, self.data)
        (self.world.folder / "gateway.log").write_text("")
        self.log = self.data / "log" / "0000000001.log"

    def tearDown(self):
        if self.world.gateway.poll() is None:
            self.world.kill()

    def records(self):
        listed = self.world.command("log", "cat", "--config", str(self.world.config), "--offsets")
        return [json.loads(line) for line in listed.stdout.splitlines()]

    def damage(self, path, at=None):
        data = bytearray(path.read_bytes())
        data[len(data) // 2 if at is None else at] ^= 0x55
        path.write_bytes(data)

    def assert_refused(self, *words):
        with self.assertRaises(RuntimeError):
            self.world.start()
        for word in words:
            self.assertIn(word, self.world.log())

    def assert_starts_whole(self):
        self.world.start()
        self.world.wait(lambda: self.counted() == 10, "all counted", 30)
        self.assertEqual(self.world.touch(phone(1), key="k1").json["id"], self.touches[1])
        self.assertEqual(self.world.get("/v1/touches/" + self.touches[3]).json["state"], "delivered")

    def test_a_projection_that_is_damaged_or_gone_is_built_anew(self):
        projection = self.data / "projection.sqlite"
        for label, harm in (("garbage", lambda: projection.write_bytes(b"garbage" * 1000)), ("gone", lambda: [file.unlink() for file in self.data.glob("projection.sqlite*")])):
            with self.subTest(label):
                harm()
                self.assert_starts_whole()
                self.world.kill()

    def test_a_projection_newer_than_the_program_is_refused(self):
        with sqlite3.connect(self.data / "projection.sqlite") as database:
            database.execute("pragma user_version = 999")
        database.close()
        self.assert_refused("999")

    def test_a_damaged_checkpoint_is_passed_over(self):
        for checkpoint in (self.data / "checkpoint").iterdir():
            self.damage(checkpoint)
        self.assert_starts_whole()
        self.assertIn("checkpoint", self.world.log())

    def test_a_torn_last_batch_is_cut_and_the_rest_is_kept(self):
        last = self.records()[-1]
        shutil.rmtree(self.data / "checkpoint")
        os.truncate(self.log, last["offset"] + 3)
        self.assert_starts_whole()
        self.assertIn(f"offset={last['offset']}", self.world.log())

    def test_a_changed_record_is_refused_with_its_place(self):
        victim = self.records()[5]
        shutil.rmtree(self.data / "checkpoint")
        self.damage(self.log, victim["offset"] + victim["length"] // 2)
        self.assert_refused(f"file={victim['file']}", f"offset={victim['offset']}", f"sequence={victim['sequence']}")
        found = self.world.command("log", "verify", "--config", str(self.world.config))
        self.assertEqual(found.returncode, 1)
        self.assertRegex(found.stdout, r"damaged: file=log/\S+\.log offset=\d+ sequence=6 reason=(checksum|chain|sequence|length)")

    def test_missing_records_that_the_checkpoint_knows_are_not_forgotten(self):
        os.truncate(self.log, self.records()[-1]["offset"])
        self.assert_refused("newest records are missing")
        self.setUp()
        self.log.unlink()
        self.assert_refused("newest records are missing")

    def test_a_key_store_that_is_damaged_or_gone_is_refused(self):
        shutil.rmtree(self.data / "keys")
        self.assert_refused("key")
        self.setUp()
        self.damage(self.data / "keys" / "contacts.keys")
        self.assert_refused("key store")

    def test_a_master_key_that_is_wrong_or_gone_is_refused(self):
        (self.data / "master.key").unlink()
        self.assert_refused("master.key")
        (self.data / "master.key").write_text("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n")
        self.assert_refused("key")
        self.assertEqual((self.saved / "master.key").stat().st_mode & 0o777, 0o600)

    def test_the_head_tells_of_records_that_were_dropped(self):
        records = self.records()
        verify = lambda *words: self.world.command("log", "verify", "--config", str(self.world.config), *words)
        last = verify().stdout.split("head ")[1].strip()
        self.assertEqual(verify("--expect", last).returncode, 0)
        os.truncate(self.log, records[-1]["offset"])
        self.assertEqual(verify("--expect", last).returncode, 1)
        self.assertEqual(verify("--expect", "nonsense").returncode, 2)


if __name__ == "__main__":
    unittest.main(verbosity=2)
