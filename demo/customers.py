"""The customers of the demonstration: 20,000, the same in every run, with everything a policy has to look at."""

import csv

COUNT = 20_000
SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗"
GIVEN = ["芳", "伟", "娜", "敏", "静", "强", "磊", "洋", "艳", "勇", "杰", "涛", "明", "超", "秀英", "霞", "平", "刚", "桂英", "建华"]
CITIES = ["上海", "北京", "广州", "深圳", "成都", "杭州", "乌鲁木齐", "武汉"]


class Customer:
    def __init__(self, number):
        self.number = number
        self.id = f"cust-{number:05d}"
        self.phone = f"+86138{number:08d}"
        self.name = SURNAMES[number % 20] + GIVEN[number // 20 % 20]
        self.city = CITIES[number // 7 % len(CITIES)]
        self.tier = "金卡" if number % 10 == 0 else "银卡" if number % 3 == 0 else "普通"
        group = number % 40
        self.on_do_not_contact_list = group in (0, 1)        # 1,000
        self.consents = group not in (2, 3)                  # 1,000 never agreed
        self.tag = "by-day" if group in (4, 5) else "by-night" if group == 6 else ""  # 1,000 and 500
        self.forbidden_text = number % 100 == 37             # 200 get a text that the policy does not let through
        self.account = "sms-aliyun" if number % 5 == 4 else "sms-main"

    def touch(self, campaign):
        body = {"key": f"{campaign}:{self.id}", "contact": {"id": self.id}, "purpose": "marketing", "campaign": campaign, "channels": [self.account]}
        if self.forbidden_text and self.account == "sms-main":
            return {**body, "content": {"text": "【触达示例】稳赚不赔的理财，今晚8点开始。拒收请回复R"}}
        return {**body, "template": "double11-offer", "variables": {"name": self.name}}


def make():
    return [Customer(number) for number in range(COUNT)]


def write_files(customers, folder):
    """Three lists as a company would have them: customers, consents, do-not-contact."""
    def write(name, header, rows):
        with open(folder / name, "w", newline="", encoding="utf-8-sig") as file:
            writer = csv.writer(file)
            writer.writerow(header)
            writer.writerows(rows)
        return folder / name

    return (write("customers.csv", ["客户号", "姓名", "手机号", "城市", "等级", "标签"],
                  ([c.id, c.name, c.phone[3:], c.city, c.tier, c.tag] for c in customers)),
            write("consents.csv", ["id", "channel", "purpose", "status", "source", "evidence"],
                  ([c.id, "*", "marketing", "granted", "form", "membership form 2026"] for c in customers if c.consents)),
            write("do-not-contact.csv", ["list", "phone", "reason"],
                  (["dnc", c.phone, "asked by telephone"] for c in customers if c.on_do_not_contact_list)))
