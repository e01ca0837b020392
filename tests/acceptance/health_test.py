"""Health names what is wrong although the gateway runs."""

import json
import unittest

from gateway import World, request


class HealthTest(unittest.TestCase):
    def test_damage_that_the_start_does_not_read_is_found_by_the_scrub(self):
        with World() as world:
            touch = world.touch("+8613800000001").json["id"]
            world.wait_state(touch, "delivered")
            self.assertEqual(request(world.url + "/healthz", key=None).json, {"status": "ok"})
            self.assertEqual(world.stop(), 0, "a clean stop leaves a checkpoint behind all of this")
            records = [json.loads(line) for line in world.command("log", "cat", "--config", str(world.config), "--offsets").stdout.splitlines()]
            victim = next(record for record in records if record["type"] == "touch.created")
            path = world.folder / "data" / victim["file"]
            content = bytearray(path.read_bytes())
            content[victim["offset"] + victim["length"] // 2] ^= 1
            path.write_bytes(content)

            world.start()
            health = lambda: request(world.url + "/healthz", key=None)
            world.wait(lambda: health().json.get("status") == "degraded", "health degraded", 20)
            self.assertEqual((health().status, health().json["faults"]), (200, ["log"]))
            self.assertIn('touchgate_fault{fault="log"} 1', request(world.url + "/metrics", key=None).text)
            self.assertIn("damaged: file=" + victim["file"], world.log())
            self.assertEqual(world.touch("+8613800000002").json["state"], "queued", "it goes on")


if __name__ == "__main__":
    unittest.main()
