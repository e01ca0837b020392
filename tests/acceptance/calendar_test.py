"""Calendars put by the API: in force at once, in the feed, kept across a restart, refused when they are not valid."""

import datetime
import unittest

from gateway import World

SHANGHAI = datetime.timezone(datetime.timedelta(hours=8))
OFFICE = {"name": "office", "rules": [{"name": "open-days", "kind": "hours", "zone": "Asia/Shanghai", "calendar": "shop",
                                       "open": [{"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "from": "00:00", "to": "24:00"}]}]}


def calendar(holidays):
    return {"covers": ["2026-01-01", "2060-12-31"], "holidays": [{"date": day.isoformat(), "name": "closed"} for day in holidays]}


class CalendarTest(unittest.TestCase):
    def test_a_holiday_put_now_defers_now_and_lifting_it_releases(self):
        with World() as world:
            self.assertEqual(world.put("/v1/policies/office", OFFICE).status, 422, "the rule names a calendar that is not there")
            put = world.put("/v1/calendars/shop", calendar([]))
            self.assertEqual((put.status, put.json["id"], put.json["holidays"]), (200, "shop", 0))
            self.assertEqual(world.put("/v1/policies/office", OFFICE).status, 200)
            self.assertEqual(world.touch("+8613800000001").json["decision"]["verdict"], "allow")

            today = datetime.datetime.now(SHANGHAI).date()
            closed = [today + datetime.timedelta(days=n) for n in range(3)]
            self.assertEqual(world.put("/v1/calendars/shop", calendar(closed)).json["holidays"], 3)
            waiting = world.touch("+8613800000002", expires_at=(datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=20)).isoformat()).json
            opens = datetime.datetime.combine(today + datetime.timedelta(days=3), datetime.time(), SHANGHAI).astimezone(datetime.timezone.utc)
            self.assertEqual(waiting["decision"]["rule"], "open-days")
            self.assertEqual(waiting["decision"]["until"], opens.strftime("%Y-%m-%dT%H:%M:%S.000Z"))

            world.kill()
            world.start()
            self.assertEqual(world.touch("+8613800000003").json["state"], "deferred", "what was put survives a restart")
            self.assertEqual(world.get("/v1/calendars/shop").json["document"]["holidays"][0]["date"], today.isoformat())
            self.assertEqual([item["id"] for item in world.get("/v1/calendars").json["items"]], ["shop"])
            updates = [event["data"]["calendar"] for event in world.events(types="calendar.updated")]
            self.assertEqual(updates, ["shop", "shop"])

            world.put("/v1/calendars/shop", calendar([]))
            world.wait_state(waiting["id"], "delivered")

    def test_a_wrong_calendar_changes_nothing_and_every_fault_is_named(self):
        with World() as world:
            bad = world.put("/v1/calendars/shop", {"covers": ["2026-01-01", "2026-12-31"], "holidays": ["2027-01-01", "2026-02-30"], "surprise": 1})
            self.assertEqual(bad.status, 422)
            self.assertEqual({error["pointer"] for error in bad.json["errors"]}, {"/holidays/0", "/holidays/1", "/surprise"})
            self.assertEqual(world.get("/v1/calendars/shop").status, 404)
            self.assertEqual(world.get("/v1/calendars").json["items"], [])


if __name__ == "__main__":
    unittest.main()
