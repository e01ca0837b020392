"""A whole call center: the gateway in front of a real Asterisk, with a queue and agents."""

import os
import pathlib
import sys
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "acceptance"))
from basics import free_port  # noqa: E402
from gateway import KEY, PATIENCE, PROGRAM, SCOPES, World  # noqa: E402,F401

FOLDER = os.environ.get("TOUCHGATE_ASTERISK", "")


class Floor(World):
    """`agents`: their ids; their telephones are agent1, agent2 … of the PBX."""

    def __init__(self, pbx, agents, queue=None, account=None, settings=None, agent=None):
        self.pbx, self.pbx_account = pbx, account or {}
        # A port that stays: browsers come back to it after a restart.
        more = {"http": {"listen": f"127.0.0.1:{free_port()}"}, "api_keys": [{"name": "test", "key": KEY, "scopes": [*SCOPES, "recordings"]}],
                "agents": {"lease": "PT6S", "softphone": {"uri": "sip:{extension}@127.0.0.1", "websocket": pbx.outside("ws") + "/ws", "password": "{extension}-secret"}}}
        super().__init__(settings={**more, **(settings or {})})
        assert self.put("/v1/queues/care", {"channels": ["voice"], "wrap_up": "PT60S", "offer_timeout": "PT30S", **(queue or {})}).status == 201
        for number, name in enumerate(agents, 1):
            document = {"name": "Agent " + name, "capacity": {"voice": 1}, "extension": f"agent{number}", "queues": ["care"], **(agent or {})}
            answer = self.put("/v1/agents/" + name, document)
            assert answer.status == 201, answer.text
        self.up()

    def write_config(self):
        self.accounts = {"pbx-main": {"adapter": "asterisk_ari", **self.pbx.account(inbound={"queue": "care"}), **self.pbx_account}}
        super().write_config()

    def up(self, seconds=40):
        self.wait(lambda: self.get("/v1/accounts").json["items"][0]["health"] == "up", "the telephone system is connected", seconds)

    def interaction(self, id):
        return self.get("/v1/interactions/" + id).json

    def data(self, types):
        return [event["data"] for event in self.events(types=types)]

    def ended(self):
        return self.data("call.ended")

    def recording(self, id):
        """The bytes of the whole recording."""
        made = urllib.request.Request(f"{self.url}/v1/interactions/{id}/recording")
        made.add_header("Authorization", "Bearer " + KEY)
        with urllib.request.urlopen(made, timeout=30 * PATIENCE) as answer:
            return answer.read()

    def wait_for(self, what, found, seconds=20):
        """What `found` gives as soon as it is true."""
        box = []

        def look():
            box[:] = [found()]
            return box[0]

        self.wait(look, what, seconds)
        return box[0]
