"""Worlds with a telephone system: the simulated PBX with callers, customers and agents, and a gateway with a queue in front of it."""

import threading
import urllib.parse

from agent_socket import Desk
from gateway import World, request

CUSTOMER = "+8613800000101"


class Exchange(World):
    """A gateway with a telephone system. `pbx_account`, `pbx_behaviour` and `extensions` are set before it is made."""

    def start_sandbox(self):
        self.sandbox_config["pbx"] = {"listen": "127.0.0.1:0", "users": {"gateway": "secret"}, "agents": self.extensions}
        if self.pbx_behaviour:
            self.sandbox_config["behaviour"] = {"pbx": self.pbx_behaviour}
        super().start_sandbox()

    def write_config(self):
        self.accounts = {"pbx-main": {"adapter": "asterisk_ari", "base_url": "http://" + self.ports["pbx"], "username": "gateway", "password": "secret", "app": "touchgate",
                                      "agent_endpoint": "PJSIP/{extension}", "customer_endpoint": "PJSIP/{number}@trunk", **self.pbx_account}}
        super().write_config()

    def control(self, method, path, body=None):
        answer = request(f"http://{self.ports['listen']}/sandbox/pbx{path}", method, body, key=None)
        assert answer.status < 300, f"{path}: {answer.status} {answer.text}"
        return answer.json if answer.text else None

    def up(self):
        self.wait(lambda: self.get("/v1/accounts").json["items"][0]["health"] == "up", "the telephone system is connected")

    def behaves(self, number, outcome="answer", **more):
        """Of a customer or an extension."""
        self.control("PUT", "/numbers/" + urllib.parse.quote(number.lstrip("+")), {"outcome": outcome, "after": "PT0.2S", **more})

    def legs(self, kind=None):
        return [leg for leg in self.control("GET", "/legs")["items"] if kind in (None, leg["kind"])]

    def hang_up(self, channel, how="party"):
        self.control("POST", f"/legs/{channel}/hangup", {"how": how})

    def ended(self):
        return [event["data"] for event in self.events(types="call.ended")]

    def interaction(self, id):
        return self.get("/v1/interactions/" + id).json


class Telephones(Exchange):
    """With a queue `care` and two agents."""

    def __init__(self, queue=None, account=None, agents=None, pbx=None, extensions=("1001", "1002"), **more):
        self.pbx_account, self.pbx_behaviour, self.extensions = {"inbound": {"queue": "care"}, **(account or {})}, pbx or {}, list(extensions)
        super().__init__(**more)
        assert self.put("/v1/queues/care", {"channels": ["voice"], "wrap_up": "PT30S", "offer_timeout": "PT20S", **(queue or {})}).status == 201
        for n, extension in enumerate(self.extensions, 1):
            document = {"name": f"Agent a{n}", "capacity": {"voice": 1}, "extension": extension, "queues": ["care"], **(agents or {})}
            assert self.put(f"/v1/agents/a{n}", document).status == 201
        self.desks = {}

    def desk(self, agent, ready=True, **more):
        desk = self.desks[agent] = Desk(self, agent, **more)
        if ready:
            desk.ready()
        return desk

    def call_in(self, number="13800000101", did="1000", **more):
        self.up()
        return self.control("POST", "/calls", {"from": number, "to": did, "talk": "PT60S", "patience": "PT60S", **more})["channel"]

    def take(self, desk):
        """The agent accepts what is offered, and is put through: the interaction."""
        offer = desk.wait_push("offer")
        desk.ok("offer.accept", offer=offer["offer"], fence=offer["fence"])
        desk.wait_push("interaction.connected", lambda push: push["interaction"] == offer["interaction"])
        return offer["interaction"]

    def close(self):
        for desk in self.desks.values():
            desk.close()
        super().close()


class Dialer(Exchange):
    """With a queue `sales` and agents whose telephones are answered at once."""

    def __init__(self, agents=2, queue=None, policy=None, account=None, pbx=None):
        self.over, self.reader, self.desks = threading.Event(), None, []
        self.pbx_behaviour, self.pbx_account, self.extensions = pbx or {}, account or {}, [f"10{n:02d}" for n in range(1, agents + 1)]
        super().__init__(policy=policy)
        assert self.put("/v1/queues/sales", {"channels": ["voice"], "wrap_up": "PT0S", "offer_timeout": "PT20S", **(queue or {})}).status == 201
        for extension in self.extensions:
            self.behaves(extension, "answer", after="PT0.05S")
            answer = self.put("/v1/agents/a" + extension, {"name": "Agent", "capacity": {"voice": 1}, "extension": extension, "queues": ["sales"], "rights": ["dial_any"]})
            assert answer.status == 201, answer.text

    def sit_down(self):
        """Agents whose desktops are read, so that their leases go on."""
        for extension in self.extensions:
            desk = Desk(self, "a" + extension)
            desk.ready()
            self.desks.append(desk)
        self.reader = threading.Thread(target=self.read_desks)
        self.reader.start()

    def read_desks(self):
        while not self.over.is_set():
            for desk in self.desks:
                desk.quiet(0.05)

    def campaign(self, numbers, dialing, id="c1", **more):
        body = {"id": id, "purpose": "service", "dialing": {"account": "pbx-main", "queue": "sales", "ring_timeout": "PT5S", **dialing}, **more}
        assert self.post("/v1/campaigns", body).status == 201
        taken = request(f"{self.url}/v1/campaigns/{id}/audience", "POST", "\n".join('{"contact":{"phone":"%s"}}' % number for number in numbers), content_type="application/x-ndjson").json
        assert taken["added"] == len(numbers), taken
        started = self.post(f"/v1/campaigns/{id}/start")
        assert started.status in (200, 202), started.text

    def counts(self, id="c1"):
        return self.get("/v1/campaigns/" + id).json

    def outcomes(self):
        """Outcome by the customer's number, from the events."""
        return {event["data"]["to"]: event["data"]["outcome"] for event in self.events(types="call.ended") if event["data"]["direction"] == "outbound"}

    def stand_up(self):
        self.over.set()
        if self.reader:
            self.reader.join()
        for desk in self.desks:
            desk.cut()
        self.over, self.reader, self.desks = threading.Event(), None, []

    def close(self):
        self.stand_up()
        super().close()
