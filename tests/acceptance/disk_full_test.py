"""A disk that fills up while the gateway runs. Needs the right to mount a small memory disk, and is skipped without it."""

import pathlib
import shutil
import subprocess
import tempfile
import unittest

from gateway import World, days_ahead, request


def phone(n):
    return f"+86138{n:08d}"


class DiskFullTest(unittest.TestCase):
    def setUp(self):
        self.disk = pathlib.Path(tempfile.mkdtemp(prefix="touchgate-disk-"))
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256m", "tmpfs", str(self.disk)], capture_output=True) if shutil.which("mount") else None
        if mounted is None or mounted.returncode != 0:
            self.disk.rmdir()
            self.skipTest("no memory disk can be mounted here")

    def tearDown(self):
        subprocess.run(["umount", "-l", str(self.disk)], check=True)
        self.disk.rmdir()

    def fill(self):
        with open(self.disk / "filler", "wb", buffering=0) as filler:
            try:
                while True:
                    filler.write(bytes(1 << 16))
            except OSError:
                pass

    def test_nothing_is_accepted_nothing_is_lost_and_it_goes_on_by_itself(self):
        with World(settings={"data_dir": str(self.disk / "data")}) as world:
            kept = [world.touch(phone(n), key=f"before-{n}").json["id"] for n in range(5)]
            self.fill()
            # What the log has reserved is still there: large texts use it up.
            filled, later = 0, days_ahead(40)
            while (answer := world.touch(phone(9), key=f"fill-{filled}", content={"text": "长" * 6_000}, not_before=later)).status == 202:
                filled += 1
                self.assertLess(filled, 20_000)
            self.assertEqual(answer.status, 503)
            self.assertGreaterEqual(int(answer.headers["Retry-After"]), 1)
            self.assertEqual(request(world.url + "/healthz", key=None).status, 200)
            self.assertEqual(world.put("/v1/contacts/c", {"phones": [phone(100)]}).status, 503)
            world.inbound(phone(1)[1:], "TD")  # not acknowledged, so the centre sends it again
            (self.disk / "filler").unlink()
            world.wait(lambda: world.touch(phone(10), key="after").status in (200, 202), "accepted again", 30)
            world.wait(lambda: world.touch(phone(1)).json["decision"]["rule"] == "opt-out", "the opt-out that could not be stored", 30)
            world.kill()
            world.start()
            self.assertEqual([world.touch(phone(n), key=f"before-{n}").json["id"] for n in range(5)], kept)
            self.assertEqual(world.touch(phone(9), key=f"fill-{filled - 1}", content={"text": "长" * 6_000}, not_before=later).status, 200)
            self.assertEqual(world.command("log", "verify", "--config", str(world.config)).returncode, 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
