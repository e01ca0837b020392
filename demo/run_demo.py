#!/usr/bin/env python3
"""The demonstration: sandbox and gateway are started, 20,000 customers are imported and touched twice, and every one of them is accounted for.

  run_demo.py --program build/touchgate [--once]

Exit status 0 when all numbers agree, 1 when they do not. Language: TOUCHGATE_LANG or LANG (zh… or anything else: English).
"""

import argparse
import os
import signal
import sys
import time

import customers as customer_list
from ledger import Ledger
from world import ROOT, World

CHINESE = (os.environ.get("TOUCHGATE_LANG") or os.environ.get("LC_ALL") or os.environ.get("LANG") or "").lower().startswith("zh")
FIRST, SECOND = "double11", "double11-reminder"
SECOND_WAVE = 4_000

GROUPS = [
    ("delivered", "delivered", "已送达"), ("read", "read", "已读"), ("replied", "delivered, and the customer replied", "已送达，客户回复"),
    ("opted_out", "delivered, and the customer opted out", "已送达，客户退订"), ("accepted", "sent, no receipt came", "已发送，未收到回执"),
    ("unknown", "sent or not: unknown, waits for a receipt", "结果未知，等待回执"), ("failed", "failed", "失败"), ("deferred", "deferred", "推迟"),
    ("blocked", "blocked", "拦截"), ("queued", "queued", "排队"), ("dispatching", "dispatching", "发送中"), ("cancelled", "cancelled", "已取消"),
    ("expired", "expired", "已过期"), ("completed", "completed", "已完成")]


def pick(english, chinese):
    return chinese if CHINESE else english


def say(english, chinese, more=""):
    print(pick(english, chinese) + more, flush=True)


class Checks:
    def __init__(self):
        self.failed = 0

    def equal(self, english, chinese, first, second):
        well = first == second
        self.failed += not well
        print(f"  {'✓' if well else '✗'} {pick(english, chinese)}: {first}" + ("" if well else f" ≠ {second}"), flush=True)


def import_lists(world, people):
    contacts, consents, refusals = customer_list.write_files(people, world.folder)
    for kind, file, more in (("contacts", contacts, ["--mapping", str(ROOT / "demo" / "customers.mapping.json")]), ("consents", consents, []),
                             ("suppressions", refusals, [])):
        done = world.command("import", kind, str(file), "--url", world.url, *more)
        if done.returncode != 0:
            raise RuntimeError(f"import {kind} failed: {done.stdout}{done.stderr}")
        print(f"  {file.name}: {done.stdout.strip()}", flush=True)


def send_wave(world, campaign, people, checks):
    world.post("/v1/campaigns", {"id": campaign, "purpose": "marketing"})
    began = time.monotonic()
    answers = world.bulk("/v1/touches/bulk", [person.touch(campaign) for person in people])
    took = time.monotonic() - began
    say(f"  {len(answers)} touches decided and logged in {took:.1f} s; sending …", f"  {len(answers)} 次触达已判定并落盘，用时 {took:.1f} 秒；正在发送……")
    checks.equal("touches that were refused as bad input", "因格式错误未受理的触达", sum("error" in answer for answer in answers), 0)
    wait_settled(world, campaign)


def wait_settled(world, campaign, seconds=90):
    """Until nothing is under way and neither the counts nor the sandbox have moved for two seconds (receipts and replies come later than the sends)."""
    end, last, since = time.monotonic() + seconds, None, time.monotonic()
    while time.monotonic() < end:
        counts = world.get(f"/v1/campaigns/{campaign}")["direct"]
        stats = world.sandbox_stats()
        moving = (counts, stats["smsc"]["messages_answered"], stats["smsc"]["receipts_answered"], stats["aliyun"]["callbacks"])
        busy = counts["queued"] + counts["dispatching"] + stats["smsc"]["deliveries_waiting"] + stats["aliyun"]["callbacks"]["waiting"]
        if moving != last or busy:
            last, since = moving, time.monotonic()
        elif time.monotonic() - since > 2.5:
            return
        time.sleep(0.25)
    say("  (not everything has settled in time)", "  （未在限定时间内全部完成）")


def print_table(ledger, campaign):
    table, total = ledger.table(campaign), 0
    for group, english, chinese in GROUPS:
        details = table.pop(group, None)
        if not details:
            continue
        print(f"  {sum(details.values()):>7,}  {pick(english, chinese)}")
        total += sum(details.values())
        for detail, count in sorted(summarised(group, details), key=lambda each: -each[1]):
            print(f"           {count:>7,}  {detail}")
    for group, details in table.items():
        print(f"  {sum(details.values()):>7,}  {group}")
        total += sum(details.values())
    print(f"  {'─' * 7}\n  {total:>7,}  {pick('in all', '合计')}")
    touches = ledger.of(campaign)
    steps = [("allowed", "放行", sum(touch.state not in ("blocked", "deferred") for touch in touches)), ("sent", "已发送", sum(touch.sent > 0 for touch in touches)),
             ("delivered", "送达", sum(touch.delivered for touch in touches)), ("replied", "回复", sum(touch.state == "replied" for touch in touches)),
             ("of these opted out", "其中退订", sum(touch.state == "replied" and touch.contact in ledger.opted_out for touch in touches))]
    print("  " + " → ".join(f"{pick(english, chinese)} {count:,}" for english, chinese, count in steps))
    return total


def summarised(group, details):
    if group == "blocked":
        return [(f"{pick('by rule', '规则')} {rule}", count) for rule, count in details.items()]
    if group == "deferred":
        by_rule = {}
        for (rule, until), count in details.items():
            by_rule.setdefault(rule, []).append((until, count))
        rows = []
        for rule, found in by_rule.items():
            first, last = min(until for until, _ in found), max(until for until, _ in found)
            rows.append((f"{pick('by rule', '规则')} {rule}{pick(', until ', '，至 ')}{first}" + ("" if first == last else f" … {last}"), sum(count for _, count in found)))
        return rows
    if group == "failed":
        return list(details.items())
    return []


def cross_check(world, ledger, people, checks):
    """The same numbers from five places that do not share code: the feed, the campaign's counts, the funnel, the policy report, the sandbox."""
    for campaign, size in ((FIRST, len(people)), (SECOND, SECOND_WAVE)):
        touches = ledger.of(campaign)
        checks.equal(f"{campaign}: customers with exactly one touch", f"{campaign}：恰有一次触达的客户", len({touch.contact for touch in touches}), size)
        counts = {state: count for state, count in world.get(f"/v1/campaigns/{campaign}")["direct"].items() if count}
        checks.equal(f"{campaign}: states by the feed and by the campaign", f"{campaign}：事件流与活动计数一致", dict(sorted(ledger.states(campaign).items())), dict(sorted(counts.items())))
        funnel = world.get(f"/v1/reports/funnel?campaign={campaign}")["totals"]
        ours = {"targeted": len(touches), "sent": sum(touch.sent > 0 for touch in touches), "delivered": sum(touch.delivered for touch in touches),
                "replied": sum(touch.state == "replied" for touch in touches)}
        checks.equal(f"{campaign}: the feed and the funnel report", f"{campaign}：事件流与漏斗报表一致", ours, {name: funnel[name] for name in ours})

    held = world.get("/v1/reports/policy")["totals"]
    states = ledger.states(FIRST) + ledger.states(SECOND)
    checks.equal("touches that are blocked by the feed and the policy report", "拦截数：事件流与策略报表", states["blocked"], held["blocked"])

    received = [message["to"].lstrip("+") for message in world.sandbox_messages()]
    received = sorted(number if number.startswith("86") else "86" + number for number in received)
    sent = sorted(touch.phone.lstrip("+") for touch in ledger.touches.values() for _ in range(touch.sent))
    checks.equal("messages that the providers took, and those we know as sent", "服务商收到的与我方记为已发送的", len(received), len(sent))
    checks.equal("  … customer by customer, differences", "  ……逐客户核对，差异", sum(a != b for a, b in zip(received, sent)), 0)
    forbidden = {person.phone.lstrip("+") for person in people if person.on_do_not_contact_list or not person.consents}
    checks.equal("messages to customers without consent or on the do-not-contact list", "发给未同意或免打扰客户的短信", len(forbidden & set(received)), 0)
    stats = world.sandbox_stats()
    checks.equal("messages that reached a customer after their opt-out was taken", "退订受理之后仍收到的短信", late_messages(ledger), 0)
    refusals = stats["smsc"]["customers"]["opt_outs"] + stats["aliyun"]["customers"]["opt_outs"]
    checks.equal("opt-outs that customers sent, and those in force", "客户发出的退订与已生效的退订", refusals, len(ledger.opted_out))


def late_messages(ledger):
    """Second-wave sends to customers who had opted out before the wave began: all opt-outs of the first were in by then."""
    return sum(touch.sent > 0 and touch.contact in ledger.first_opt_outs for touch in ledger.of(SECOND))


def run(world, once):
    checks = Checks()
    people = customer_list.make()
    say("1. start: sandbox (message centre, SMS cloud, customers) and gateway", "1. 启动：沙箱（短信中心、云短信、客户）与网关")
    world.start()
    say("2. import: customers, consents, do-not-contact list", "2. 导入：客户、同意记录、免打扰名单")
    import_lists(world, people)
    say(f"3. first wave: campaign {FIRST}, one marketing SMS to each of {len(people):,} customers", f"3. 第一波：活动 {FIRST}，向 {len(people):,} 位客户各发一条营销短信")
    send_wave(world, FIRST, people, checks)
    first_opt_outs = Ledger(world.events("touch.created,consent.withdrawn")).opted_out
    say(f"4. second wave: campaign {SECOND}, once more to {SECOND_WAVE:,} of them; the policy allows one a day", f"4. 第二波：活动 {SECOND}，再次触达其中 {SECOND_WAVE:,} 位；策略每天只允许一次")
    send_wave(world, SECOND, people[:SECOND_WAVE], checks)

    ledger = Ledger(world.events("touch.*,consent.withdrawn"))
    ledger.first_opt_outs = first_opt_outs
    say(f"\nWhat became of each customer: {FIRST}", f"\n每位客户的结果：{FIRST}")
    first_total = print_table(ledger, FIRST)
    say(f"\nWhat became of each customer: {SECOND}", f"\n每位客户的结果：{SECOND}")
    second_total = print_table(ledger, SECOND)
    say("\nDo the numbers agree?", "\n数字是否一致？")
    checks.equal("customers accounted for", "已交代的客户", (first_total, second_total), (len(people), SECOND_WAVE))
    cross_check(world, ledger, people, checks)

    if not once:
        print()
        say("The gateway stays up. ", "网关继续运行。", world.url)
        print(f"  export TOUCHGATE_KEY={world.key}")
        print(f"  curl -s -H \"Authorization: Bearer $TOUCHGATE_KEY\" '{world.url}/v1/reports/funnel?campaign={FIRST}'")
        print(f"  curl -s -H \"Authorization: Bearer $TOUCHGATE_KEY\" {world.url}/v1/contacts/cust-00010/timeline")
        token = world.post("/v1/agents/agent-1/token", {})["token"]
        say("An agent's desktop (sign in with this token, be ready, then let a customer call): ", "坐席工作台（用此令牌登录并就绪，再让客户来电）：", world.url + "/console/")
        print(f"  {token}")
        print(f"  curl -s {world.sandbox_url}/sandbox/pbx/calls -d '{{\"from\": \"13800000010\", \"to\": \"4001\", \"talk\": \"PT2M\"}}'")
        print(f"  {world.url}/openapi.json   {world.url}/metrics   {world.sandbox_url}/sandbox/stats")
        say("Ctrl-C ends it. ", "按 Ctrl-C 结束。")
        try:
            while world.gateway.poll() is None:
                time.sleep(0.5)
        except KeyboardInterrupt:
            print()
    return checks


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=os.environ.get("TOUCHGATE", str(ROOT / "build" / "touchgate")))
    parser.add_argument("--once", action="store_true", help="end after the report")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: both processes are ended in order
    world = World(options.program, say)
    checks = None
    try:
        checks = run(world, options.once)
    except KeyboardInterrupt:
        print()
    except RuntimeError as error:
        print(error, file=sys.stderr)
    finally:
        stopped = world.stop()
    if checks is None:
        return 1
    verified = world.command("log", "verify", "--config", str(world.config))
    say("\nThe log: ", "\n日志校验：", verified.stdout.strip() + verified.stderr.strip())
    say("Configuration and data: ", "配置与数据：", str(world.folder))
    if not stopped:
        say("the gateway or the sandbox did not end with 0", "网关或沙箱未正常退出")
    if checks.failed:
        say(f"{checks.failed} checks failed", f"{checks.failed} 项核对失败")
    return 0 if not checks.failed and verified.returncode == 0 and stopped else 1


if __name__ == "__main__":
    sys.exit(main())
