"""What became of every touch, folded from the events feed alone, so that the gateway's own counts can be checked against it."""

from collections import Counter, defaultdict

STATES = {"touch.queued": "queued", "touch.dispatching": "dispatching", "touch.accepted": "accepted", "touch.delivered": "delivered", "touch.read": "read",
          "touch.replied": "replied", "touch.completed": "completed", "touch.failed": "failed", "touch.unknown": "unknown", "touch.blocked": "blocked",
          "touch.deferred": "deferred", "touch.cancelled": "cancelled", "touch.expired": "expired"}


class Touch:
    def __init__(self, data):
        self.contact, self.campaign, self.phone = data["contact_id"], data["campaign"], data.get("to")
        self.state, self.decision, self.reason, self.code = data["state"], data["decision"], None, None
        self.sent = 0                 # attempts that the provider accepted
        self.delivered = False

    def take(self, kind, data):
        # The provider's answer may come after the receipt, where a machine is slow: what was delivered stays delivered.
        further = STATES.get(kind, self.state)
        if further != "accepted" or self.state not in ("delivered", "read", "replied", "completed"):
            self.state = further
        self.decision = data.get("decision") or self.decision
        self.phone = data.get("to") or self.phone
        if kind == "touch.accepted":
            self.sent += 1
        if kind in ("touch.delivered", "touch.replied"):
            self.delivered = True
        if kind == "touch.attempt_ended":
            self.code = data.get("code") or data.get("outcome")
        if kind == "touch.failed":
            self.reason = data.get("reason")
            self.code = data.get("raw") or self.code


class Ledger:
    def __init__(self, events):
        self.touches, self.opted_out = {}, set()
        for event in events:
            kind, data = event["type"], event["data"]
            if kind == "touch.created":
                self.touches[data["touch_id"]] = Touch(data)
            elif kind == "consent.withdrawn":
                if data.get("source") == "reply":
                    self.opted_out.add(data["contact_id"])
            elif data.get("touch_id") in self.touches:
                self.touches[data["touch_id"]].take(kind, data)

    def of(self, campaign):
        return [touch for touch in self.touches.values() if touch.campaign == campaign]

    def states(self, campaign):
        return Counter(touch.state for touch in self.of(campaign))

    def outcome(self, touch):
        """(group, detail): exactly one for every touch."""
        decision = touch.decision or {}
        if touch.state == "blocked":
            return "blocked", decision.get("rule")
        if touch.state == "deferred":
            return "deferred", (decision.get("rule"), decision.get("until"))
        if touch.state == "failed":
            return "failed", " ".join(part for part in (touch.reason, f"({touch.code})" if touch.code and touch.code != touch.reason else "") if part)
        if touch.state == "replied" and touch.contact in self.opted_out:
            return "opted_out", None
        return touch.state, None

    def table(self, campaign):
        rows = defaultdict(Counter)
        for touch in self.of(campaign):
            group, detail = self.outcome(touch)
            rows[group][detail] += 1
        return rows
