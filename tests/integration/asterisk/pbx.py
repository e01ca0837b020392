"""A real Asterisk for tests: its configuration and its process. Only on 127.0.0.1, ports free. Who telephones through it: parties.py.

    pbx.py FOLDER          starts it from the folder that setup.sh made, prints its ports as JSON, and runs until stdin ends"""

import base64
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request

from basics import free_port, wait_until

MODULES = r"""res_(pjproject|timing_timerfd|sorcery_(config|memory|astdb)|geolocation|statsd|http_websocket|websocket_client|crypto|srtp|rtp_asterisk|musiconhold)
    res_format_attr_.* res_ari.* res_stasis(|_answer|_broadcast|_device_state|_playback|_recording|_snoop) res_speech
    res_pjsip(|_(acl|authenticator_digest|caller_id|dlg_options|dtmf_info|empty_info|endpoint_identifier_(anonymous|ip|user)|header_funcs|maintenance|messaging|nat
    |outbound_authenticator_digest|path|refer|registrar|rfc3326|sdp_rtp|session|transport_websocket|pubsub|diversion|sips_contact))
    chan_(pjsip|bridge_media) bridge_(simple|softmix|holding|builtin_features|builtin_interval_features) pbx_config
    app_(stasis|amd|dial|playback|echo|verbose|senddtmf|playtones|record|milliwatt|read) codec_(ulaw|alaw|a_mu|gsm|resample|g722|opus.*) format_(wav|pcm|gsm|sln|wav_gsm|g722)
    func_(callerid|channel|logic|strings|pjsip_.*|talkdetect|timeout|global|hangupcause|db|math|rand|uri|frame_drop)"""


class Asterisk:
    """One Asterisk with an ARI user, agents' endpoints agent1..agentN (SIP over WebSocket; agents named in `desk_phones` are plain SIP at a SIPp), a trunk
    to a SIPp that answers, and the dial plan of docs/voice.md. `rtp_timeout`: seconds without sound after which a party counts as gone; 0: never.
    `tls`: its HTTP side is to be used over TLS, with a certificate that it signed itself."""

    def __init__(self, folder, agents=4, app="touchgate", desk_phones=None, trunk_port=None, rtp_timeout=30, tls=False):
        self.root = os.path.join(folder, "root")
        self.app = app
        self.user, self.password = "touchgate", "secret-of-the-pbx"
        self.http_port = free_port()
        self.tls_port = free_port() if tls else 0
        self.sip_port = free_port()
        self.trunk_port = trunk_port or free_port()
        self.agents = agents
        self.desk_phones = dict(desk_phones or {})  # extension → SIP port
        self.rtp_timeout = rtp_timeout
        os.makedirs(os.path.join(self.root, "run"), exist_ok=True)
        self.work = tempfile.mkdtemp(prefix="touchgate-", dir=os.path.join(self.root, "run"))
        self.inside = "/run/" + os.path.basename(self.work)
        self.process = None
        self.write_configuration()

    def url(self):
        return f"http://127.0.0.1:{self.http_port}"

    def outside(self, scheme="http"):
        """Where clients find its HTTP side, with the scheme's secure form if there is one."""
        return f"{scheme}s://127.0.0.1:{self.tls_port}" if self.tls_port else f"{scheme}://127.0.0.1:{self.http_port}"

    def certificate(self):
        return os.path.join(self.work, "keys/tls.pem")

    def account(self, **more):
        """The settings of an asterisk_ari account."""
        settings = {"base_url": self.outside(), "username": self.user, "password": self.password, "app": self.app, "agent_endpoint": "PJSIP/{extension}",
                    "customer_endpoint": "PJSIP/{number}@trunk", "number_format": "digits", "caller_id": "+862112345678", "amd": {"context": "touchgate-amd"}}
        settings.update(more)
        return settings

    # ---- Configuration

    def write(self, name, text):
        with open(os.path.join(self.work, name), "w", encoding="utf-8") as file:
            file.write(text)

    def modules(self):
        folder = os.path.join(self.root, "usr/lib/x86_64-linux-gnu/asterisk/modules")
        if not os.path.isdir(folder):
            folder = os.path.join(self.root, "usr/lib/asterisk/modules")
        # Patterns are written over several lines: blanks separate them, but for those before a '|'.
        patterns = re.sub(r"\s+\|", "|", MODULES).split()
        names = sorted(name for name in os.listdir(folder) if any(re.fullmatch(pattern + r"\.so", name) for pattern in patterns))
        return "/" + os.path.relpath(folder, self.root), names

    def write_configuration(self):
        folder, names = self.modules()
        at = self.inside
        for part in ("db", "spool", "spool/recording", "log", "keys/keys"):
            os.makedirs(os.path.join(self.work, part), exist_ok=True)
        self.write("asterisk.conf", f"""[directories]
astetcdir => {at}
astmoddir => {folder}
astvarlibdir => /var/lib/asterisk
astdbdir => {at}/db
astkeydir => {at}/keys
astdatadir => /usr/share/asterisk
astagidir => {at}
astspooldir => {at}/spool
astrundir => {at}
astlogdir => {at}/log
astsbindir => /usr/sbin

[options]
nocolor = yes
live_dangerously = no
""")
        self.write("modules.conf", "[modules]\nautoload = no\n" + "".join(f"load = {name}\n" for name in names))
        self.write("logger.conf", "[general]\n[logfiles]\nconsole = warning,error,notice\nmessages = warning,error,notice\n")
        secure = ""
        if self.tls_port:
            subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=pbx.test", "-addext", "subjectAltName=IP:127.0.0.1",
                            "-keyout", os.path.join(self.work, "keys/tls.key"), "-out", self.certificate()], check=True, capture_output=True)
            os.chmod(os.path.join(self.work, "keys/tls.key"), 0o644)
            secure = f"tlsenable = yes\ntlsbindaddr = 127.0.0.1:{self.tls_port}\ntlscertfile = {at}/keys/tls.pem\ntlsprivatekey = {at}/keys/tls.key\n"
        self.write("http.conf", f"[general]\nenabled = yes\nbindaddr = 127.0.0.1\nbindport = {self.http_port}\nsessionlimit = 200\n{secure}")
        self.write("ari.conf", f"""[general]
enabled = yes
channelvars = TOUCHGATE_OWNER,TOUCHGATE_LEG
websocket_write_timeout = 2000

[{self.user}]
type = user
password_format = plain
password = {self.password}

[reader]
type = user
read_only = yes
password_format = plain
password = {self.password}
""")
        low = 20000 + os.getpid() % 6 * 2000
        self.write("rtp.conf", f"[general]\nrtpstart = {low}\nrtpend = {low + 1998}\nstrictrtp = no\n{self.candidates()}")
        for name in ("musiconhold", "features", "cdr", "cel", "stasis", "codecs", "udptl", "sorcery", "pjproject", "ccss", "indications", "acl", "statsd", "geolocation", "websocket_client"):
            self.write(name + ".conf", "")
        self.write("musiconhold.conf", "[default]\nmode = files\ndirectory = /usr/share/asterisk/sounds/en/digits\n")
        self.write("indications.conf", "[general]\ncountry = us\n\n[us]\ndescription = United States\nringcadence = 2000,4000\ndial = 350+440\nbusy = 480+620/500,0/500\n"
                                       "ring = 440+480/2000,0/4000\ncongestion = 480+620/250,0/250\n")
        self.write("manager.conf", "[general]\nenabled = no\n")
        self.write("amd.conf", "[general]\ntotal_analysis_time = 3000\n")
        self.write("pjsip.conf", self.pjsip())
        self.write("extensions.conf", self.dialplan())

    def candidates(self):
        """Asterisk offers a browser no address of the loopback network by itself: the machine's other address is to be shown as 127.0.0.1."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect(("192.0.2.1", 9))  # nothing is sent
                own = probe.getsockname()[0]
            except OSError:
                return ""
        return "" if own.startswith("127.") else f"ice_permit = 127.0.0.0/255.0.0.0\n\n[ice_host_candidates]\n{own} => 127.0.0.1\n"

    def pjsip(self):
        media = f"rtp_timeout = {self.rtp_timeout}\nrtp_timeout_hold = 300\n"
        trunk_media = "rtp_timeout = 30\nrtp_timeout_hold = 300\n" if self.rtp_timeout else ""
        text = f"""[global]
type = global
endpoint_identifier_order = auth_username,username,ip

[udp]
type = transport
protocol = udp
bind = 127.0.0.1:{self.sip_port}

[ws]
type = transport
protocol = {"wss" if self.tls_port else "ws"}
bind = 127.0.0.1

[trunk]
type = endpoint
transport = udp
context = from-trunk
disallow = all
allow = ulaw,alaw
direct_media = no
send_connected_line = no
dtmf_mode = info
trust_id_inbound = yes
send_pai = yes
aors = trunk
{trunk_media}
[trunk]
type = aor
contact = sip:127.0.0.1:{self.trunk_port}
qualify_frequency = 0

[trunk]
type = identify
endpoint = trunk
match_header = User-Agent: /^sipp-customer/
"""
        for number in range(1, self.agents + 1):
            name = f"agent{number}"
            desk = self.desk_phones.get(name)
            text += f"""
[{name}]
type = endpoint
context = from-agents
disallow = all
allow = ulaw,alaw
direct_media = no
aors = {name}
auth = {name}
callerid = "Agent {number}" <{name}>
{media}"""
            text += "transport = udp\n" if desk else "webrtc = yes\n"
            text += f"""
[{name}]
type = auth
auth_type = userpass
username = {name}
password = {name}-secret

[{name}]
type = aor
max_contacts = 1
remove_existing = yes
"""
            if desk:
                text += f"contact = sip:{name}@127.0.0.1:{desk}\n"
        return text

    def dialplan(self):
        return f"""[general]
static = yes

[from-trunk]
exten => _[+0-9].,1,NoOp()
 same => n,Stasis({self.app},inbound,${{EXTEN}})
 same => n,GotoIf($["${{STASISSTATUS}}" = "FAILED"]?emergency,s,1)
 same => n,Hangup()

[from-agents]
exten => _[+0-9].,1,Stasis({self.app},agent,${{EXTEN}})
 same => n,Hangup()

[emergency]
exten => s,1,Set(GLOBAL(TURNED_AWAY)=$[0${{TURNED_AWAY}} + 1])
 same => n,Congestion(1)

[touchgate-amd]
exten => s,1,AMD()
 same => n,Stasis({self.app},amd,${{AMDSTATUS}},${{AMDCAUSE}})
 same => n,Hangup()
"""

    # ---- The process

    def start(self):
        log = open(os.path.join(self.work, "console.log"), "ab")
        self.process = subprocess.Popen(["chroot", self.root, "/usr/sbin/asterisk", "-f", "-C", self.inside + "/asterisk.conf"], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                        cwd="/", env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8"})
        log.close()

        def up():
            if self.process.poll() is not None:
                raise AssertionError("Asterisk ended at once: " + self.log()[-2000:])
            try:
                with socket.create_connection(("127.0.0.1", self.http_port), 1) as probe:
                    probe.sendall(b"GET /ari/asterisk/ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                    return b"401" in probe.recv(200)
            except OSError:
                return False

        wait_until("Asterisk's ARI", up, 60)
        wait_until("Asterisk booted", lambda: "fully booted" in self.cli("core waitfullybooted"), 60)
        return self

    def ask(self, method, path):
        """A request to its REST interface: the JSON that it answers with; None without one, and of what is not there."""
        request = urllib.request.Request(self.url() + "/ari" + path, method=method)
        request.add_header("Authorization", "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode())
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            error.close()
            if error.code not in (404, 409):  # gone already, or about to go
                raise
            return None
        return json.loads(text) if text else None

    def channels(self, kind=""):
        """The channels that are there, of this kind ("PJSIP/trunk")."""
        return [channel for channel in self.ask("GET", "/channels") if channel["name"].startswith(kind)]

    def clear(self):
        """Nothing that an earlier test left behind is to be found by the next one."""
        def is_clear():
            left = [f"/{kind}/{each['id']}" for kind in ("channels", "bridges") for each in self.ask("GET", "/" + kind)]
            for path in left:
                self.ask("DELETE", path)
            return not left

        wait_until("no call is left", is_clear)

    def cli(self, command):
        done = subprocess.run(["chroot", self.root, "/usr/sbin/asterisk", "-C", self.inside + "/asterisk.conf", "-rx", command], capture_output=True, text=True, timeout=20, check=False)
        return done.stdout + done.stderr

    def log(self):
        with open(os.path.join(self.work, "console.log"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def kill(self):
        """As a power cut does."""
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()
        if not os.environ.get("TOUCHGATE_KEEP_PBX"):
            shutil.rmtree(self.work, ignore_errors=True)


if __name__ == "__main__":
    pbx = Asterisk(sys.argv[1])
    try:
        pbx.start()
        print(json.dumps({"ari": pbx.url(), "sip": pbx.sip_port, "trunk": pbx.trunk_port, "user": pbx.user, "password": pbx.password}), flush=True)
        sys.stdin.read()
    finally:
        pbx.stop()
