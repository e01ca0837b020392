"""Who calls and who is called: customers, outside lines and plain telephones, played by SIPp. They echo the sound that they hear."""

import os
import re
import shutil
import subprocess
import tempfile

from basics import free_port, wait_until

SDP = """v=0
o=user1 53655765 2353687637 IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 0
a=rtpmap:0 PCMU/8000
"""

HEADERS = """[last_Via:]
[last_From:]
[last_To:];tag=[pid]SIPpTag01[call_number]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:[local_ip]:[local_port]>
"""

REMEMBER = "".join(f'<ereg regexp="{pattern}" search_in="hdr" header="{header}:" assign_to="{name}"/>' for header, name, pattern in
                   (("From", "from", ".*"), ("To", "to", ".*"), ("Contact", "all,contact", "&lt;(.*)&gt;")))

# Of a party that was called and ends the call itself.
BYE = """<send retrans="500"><![CDATA[
BYE [$contact] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From:[$to];tag=[pid]SIPpTag01[call_number]
To:[$from]
[last_Call-ID:]
CSeq: 1 BYE
Max-Forwards: 70
Content-Length: 0

]]></send>
<recv response="200"/>
"""

OK = "<![CDATA[\nSIP/2.0 200 OK\n[last_Via:]\n[last_From:]\n[last_To:]\n[last_Call-ID:]\n[last_CSeq:]\nContent-Length: 0\n\n]]>"

# Waits to be hung up; the digits that the other side presses meanwhile go to the log.
TALK = f"""<label id="talking"/>
<recv request="INFO" optional="true" next="digit"><action>
<ereg regexp="Signal= *([0-9*#])" search_in="body" assign_to="signal,digit"/><log message="digit [$digit]"/></action></recv>
<recv request="BYE"/>
<send next="over">{OK}</send>
<label id="digit"/>
<send next="talking">{OK}</send>
<label id="over"/>
<nop/>
<Reference variables="signal"/>
"""


def reply(status, words, with_sdp=False, retransmit=""):
    body = "Content-Type: application/sdp\nContent-Length: [len]\n\n" + SDP if with_sdp else "Content-Length: 0\n\n"
    return f"<send{retransmit}><![CDATA[\nSIP/2.0 {status} {words}\n{HEADERS}{body}]]></send>\n"


def pause(ms):
    return f'<pause milliseconds="{ms}"/>\n' if ms else ""


def refusal(status):
    return reply(status, "Refused", retransmit=' retrans="500"') + '<recv request="ACK"/>\n'


CANCELLED = '<recv request="CANCEL"/>\n' + reply(200, "OK") + reply(487, "Request Terminated", retransmit=' retrans="500"') + '<recv request="ACK"/>\n'
ANSWER = reply(200, "OK", True, ' retrans="500"') + '<recv request="ACK"/>\n'


def answering(ring_ms=200, talk_ms=None, status=None):
    """A party that is called: rings, then answers, or refuses with this status, or rings on ("never"). With `talk_ms` it hangs up by itself, else it waits to be."""
    text = f'<?xml version="1.0"?>\n<scenario name="called">\n<recv request="INVITE" rrs="true"><action>{REMEMBER}</action></recv>\n<Reference variables="from,to,all,contact"/>\n'
    text += reply(180, "Ringing") + pause(ring_ms)
    if status == "never":
        return text + CANCELLED + "</scenario>\n"
    if status:
        return text + refusal(status) + "</scenario>\n"
    return text + ANSWER + (TALK if talk_ms is None else pause(talk_ms) + BYE) + "</scenario>\n"


def answering_by_number(kinds, ring_ms=150, talk_ms=None):
    """Many parties behind one trunk. `kinds`: last digits of a number → a status, or "never"; all others answer, and hang up after `talk_ms`, or never by themselves."""
    names = {digits: f"kind{n}" for n, digits in enumerate(kinds)}
    choose = "".join(f'<ereg regexp="sip:[+0-9]*[{digits}]@" search_in="hdr" header="To:" assign_to="{name}"/>' for digits, name in names.items())
    text = f'<?xml version="1.0"?>\n<scenario name="many">\n<recv request="INVITE" rrs="true"><action>{REMEMBER}{choose}</action></recv>\n'
    text += '<Reference variables="from,to,all,contact"/>\n' + reply(180, "Ringing") + pause(ring_ms)
    text += "".join(f'<nop next="{name}" test="{name}"/>\n' for name in names.values())
    bye = '<recv request="BYE"/>\n' + f"<send>{OK}</send>\n"
    text += ANSWER + (bye if talk_ms is None else pause(talk_ms) + BYE) + '<nop next="over"/>\n'
    for digits, name in names.items():
        text += f'<label id="{name}"/>\n' + (CANCELLED if kinds[digits] == "never" else refusal(kinds[digits])) + '<nop next="over"/>\n'
    return text + '<label id="over"/>\n<nop/>\n</scenario>\n'


def calling(number, caller, talk_ms=None):
    """A party that calls `number`. With `talk_ms` it hangs up by itself after the answer, else it waits to be hung up."""
    who = f"From: \"{caller}\" <sip:{caller}@[local_ip]:[local_port]>;tag=[pid]SIPpTag00[call_number]"
    text = f"""<?xml version="1.0"?>
<scenario name="caller">
<send retrans="500"><![CDATA[
INVITE sip:{number}@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
{who}
To: <sip:{number}@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: <sip:{caller}@[local_ip]:[local_port]>
User-Agent: sipp-customer
Max-Forwards: 70
Content-Type: application/sdp
Content-Length: [len]

{SDP}]]></send>
<recv response="100" optional="true"/>
<recv response="180" optional="true"/>
<recv response="183" optional="true"/>
<recv response="200" rrs="true"/>
<send><![CDATA[
ACK [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
{who}
[last_To:]
Call-ID: [call_id]
CSeq: 1 ACK
Max-Forwards: 70
Content-Length: 0

]]></send>
"""
    if talk_ms is None:
        return text + TALK + "</scenario>\n"
    return text + f"""<pause milliseconds="{talk_ms}"/>
<send retrans="500"><![CDATA[
BYE [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
{who}
[last_To:]
Call-ID: [call_id]
CSeq: 2 BYE
Max-Forwards: 70
Content-Length: 0

]]></send>
<recv response="200"/>
</scenario>
"""


class Sipp:
    """One sipp process. `port`: where it listens; `remote`: whom it calls, with `calls` calls in all, at most `at_once` at one time, `rate` new ones
    a second (as fast as it can)."""

    def __init__(self, scenario, port=None, remote=None, calls=None, at_once=None, rate=None, echo=True):
        self.port = port or free_port()
        self.work = tempfile.mkdtemp(prefix="touchgate-sipp-")
        path = self.file("scenario.xml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(scenario)
        command = ["sipp", "-sf", path, "-i", "127.0.0.1", "-p", str(self.port), "-mi", "127.0.0.1", "-mp", str(free_port()), "-nostdin", "-trace_err", "-error_file", self.file("errors.log"),
                   "-trace_logs", "-log_file", self.file("digits.log"), "-timeout", "600"]
        if echo:
            command.append("-rtp_echo")
        if calls:
            command += ["-m", str(calls)]
        if at_once:
            command += ["-l", str(at_once), "-r", str(rate or 1000)]
        if remote:
            command.append(f"127.0.0.1:{remote}")
        with open(self.file("screen.log"), "wb") as screen:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=screen, stderr=screen, cwd=self.work)
        # What is sent to it before it listens is lost.
        wait_until("sipp listens", lambda: self.process.poll() is not None or self.listens())
        if not remote and self.process.poll() is not None:
            raise AssertionError(f"sipp ended at once with {self.process.returncode}: {self.errors()}{self.text('screen.log')[-500:]}")

    def listens(self):
        with open("/proc/net/udp", encoding="ascii") as table:
            return any(line.split()[1].endswith(f":{self.port:04X}") for line in table.readlines()[1:])

    def wait(self, seconds=30):
        return self.process.wait(seconds)

    def is_over(self):
        return self.process.poll() is not None

    def file(self, name):
        return os.path.join(self.work, name)

    def text(self, name):
        try:
            with open(self.file(name), encoding="utf-8", errors="replace") as file:
                return file.read()
        except OSError:
            return ""

    def errors(self):
        return self.text("errors.log")

    def digits(self):
        """What the other side has pressed."""
        return "".join(re.findall(r"digit ([0-9*#])", self.text("digits.log")))

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.work, ignore_errors=True)
