"""Routes: the first whose condition holds chooses the accounts of a channel; healthy before cheap before weight; shares are kept."""

import collections
import unittest

from gateway import World

MOBILE, UNICOM = "+86138000000{:02d}", "+86130000000{:02d}"


def account(world_port, **more):
    return {"adapter": "smpp", "host": "127.0.0.1", "port": world_port, "system_id": "gateway", "password": "secret", "source_address": "10690000", "tls": False, **more}


class RoutedWorld(World):
    """Accounts are written when the sandbox's port is known."""

    def __init__(self, accounts, routes):
        self.wanted = accounts
        super().__init__(settings={"routes": {"sms": routes}})

    def write_config(self):
        port = int(self.ports["smsc"].rsplit(":", 1)[1])
        self.accounts = {name: account(port, **more) for name, more in self.wanted.items()}
        super().write_config()


class RouteTest(unittest.TestCase):
    def accounts_used(self, world, numbers, **more):
        touches = [world.touch(number, **more).json["id"] for number in numbers]
        for touch in touches:
            world.wait_state(touch, "delivered")
        return [world.get("/v1/touches/" + touch).json["attempts"][0] for touch in touches]

    def test_the_carrier_decides_and_the_attempt_says_so(self):
        routes = [{"when": {"carriers": ["cucc"]}, "accounts": [{"account": "b"}]}, {"when": {"purposes": ["service"]}, "accounts": [{"account": "c"}]},
                  {"accounts": [{"account": "a"}]}]
        with RoutedWorld({"a": {}, "b": {}, "c": {}}, routes) as world:
            world.wait(lambda: all(item["health"] == "up" for item in world.get("/v1/accounts").json["items"]), "all up")
            used = self.accounts_used(world, [MOBILE.format(1), UNICOM.format(1)])
            self.assertEqual([(attempt["account"], attempt["route_reason"]) for attempt in used], [("a", "route sms/2"), ("b", "route sms/0")])
            self.assertEqual(self.accounts_used(world, [MOBILE.format(2)], purpose="service")[0]["account"], "c")
            self.assertEqual(world.touch(MOBILE.format(3), channels=["b"]).json["account"], "b", "an account that is named is no matter of routes")

    def test_cheap_goes_before_weight_and_shares_are_kept(self):
        price = {"currency": "CNY", "price": "0.030", "per": "segment"}
        dear = {"currency": "CNY", "price": "0.050", "per": "segment"}
        with RoutedWorld({"cheap": {"billing": price}, "dear": {"billing": dear}},
                         [{"accounts": [{"account": "dear", "weight": 100}, {"account": "cheap", "weight": 1, "max_share": 0.8}]}]) as world:
            world.wait(lambda: all(item["health"] == "up" for item in world.get("/v1/accounts").json["items"]), "all up")
            used = self.accounts_used(world, [MOBILE.format(n) for n in range(20)])
            self.assertEqual(collections.Counter(attempt["account"] for attempt in used), {"cheap": 16, "dear": 4})
            self.assertIn("price 0.03 CNY", used[0]["route_reason"])

    def test_a_down_account_is_passed_over(self):
        with RoutedWorld({"a": {"password": "wrong"}, "b": {}}, [{"accounts": [{"account": "a", "weight": 1000}, {"account": "b"}]}]) as world:
            world.wait(lambda: {item["name"]: item["health"] for item in world.get("/v1/accounts").json["items"]}["b"] == "up", "b up")
            self.assertEqual(self.accounts_used(world, [MOBILE.format(1)])[0]["account"], "b")

    def test_a_wrong_condition_is_named_by_check(self):
        with World() as world:
            world.settings = {"routes": {"sms": [{"when": {"carrier": ["cucc"]}, "accounts": [{"account": "sms-main"}]}]}}
            world.write_config()
            checked = world.command("check", "--config", str(world.config))
            self.assertEqual(checked.returncode, 1)
            self.assertIn("/routes/sms/0/when/carrier", checked.stdout + checked.stderr)


if __name__ == "__main__":
    unittest.main()
