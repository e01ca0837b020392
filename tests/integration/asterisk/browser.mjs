// Agents' browsers, driven by lines of JSON:   node browser.mjs FOLDER   FOLDER holds the npm package playwright-core (gateway/console)
//   in   {"id": 1, "page": "a1", "do": "open", "url": …, "token": …} and the other words of `acts`
//   out  {"id": 1, "value": …} or {"id": 1, "error": …}
// Each page is alone in a browser of its own with a microphone that beeps, so that one can be killed. Ends when stdin does.
import {existsSync} from 'node:fs';
import {createRequire} from 'node:module';
import {createInterface} from 'node:readline';

const {chromium} = createRequire(`${process.argv[2]}/package.json`)('playwright-core');
const patience = 15_000 * Number(process.env['TOUCHGATE_TEST_PATIENCE'] ?? 1);
const executablePath = [process.env['CHROMIUM'], '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(path => path && existsSync(path));
const pages = new Map();  // by name: {server, page, faults}

// A locator of what a person would look for: {role, name, exact}, {label} or {css}, inside of {within}.
function find(page, what) {
  const from = what.within ? page.locator(what.within) : page;
  if (what.role) return from.getByRole(what.role, {name: what.name, exact: what.exact ?? true}).first();
  if (what.label) return from.getByLabel(what.label, {exact: what.exact ?? true}).first();
  return from.locator(what.css).first();
}

// Runs in the page before its own scripts: its connections are remembered, so that what they carry can be counted.
function rememberConnections() {
  const Native = window.RTCPeerConnection;
  window.connectionsOfTest = [];
  window.RTCPeerConnection = class extends Native {
    constructor(...given) {
      super(...given);
      window.connectionsOfTest.push(this);
    }
  };
}

// Of the connection that is open; zeros without one.
async function countSound() {
  const open = window.connectionsOfTest.filter(each => each.connectionState === 'connected').at(-1);
  const sound = {open: Boolean(open), sent: 0, received: 0, lost: 0, energy: 0};
  for (const [, each] of open ? await open.getStats() : []) {
    if (each.type === 'outbound-rtp') sound.sent += each.bytesSent;
    if (each.type === 'inbound-rtp') {
      sound.received += each.bytesReceived;
      sound.lost += each.packetsLost;
      sound.energy += each.totalAudioEnergy ?? 0;
    }
  }
  return sound;
}

const acts = {
  async open(name, {url, token}) {
    const server = await chromium.launchServer({
      executablePath,
      args: ['--mute-audio', '--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream', '--allow-loopback-in-peer-connection', '--disable-features=WebRtcHideLocalIpsWithMdns', '--ignore-certificate-errors',
             ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])],
    });
    const browser = await chromium.connect(server.wsEndpoint());
    const page = await (await browser.newContext({locale: 'en-US'})).newPage();
    page.setDefaultTimeout(patience);
    const faults = [];
    page.on('pageerror', error => faults.push(error.stack ?? error.message));
    page.on('console', message => { if (/Content Security Policy|Refused to|\[Vue warn\]/.test(message.text())) faults.push(message.text()); });
    page.on('dialog', dialog => void dialog.accept());  // "leave the page?"
    await page.addInitScript(rememberConnections);
    pages.set(name, {server, page, faults});
    await page.goto(`${url}/console/`);
    await page.locator('input[type=password]').fill(token);
    await page.keyboard.press('Enter');
    await page.locator('.top-bar').waitFor();
  },
  click: (name, {what}) => find(pages.get(name).page, what).click(),
  fill: (name, {what, text}) => find(pages.get(name).page, what).fill(text),
  choose: (name, {what, value}) => find(pages.get(name).page, what).selectOption(value),
  text: (name, {css}) => pages.get(name).page.evaluate(wanted => document.querySelector(wanted)?.textContent.replace(/\s+/g, ' ').trim() ?? null, css),
  sound: name => pages.get(name).page.evaluate(countSound),
  reload: async name => {
    await pages.get(name).page.reload();
    await pages.get(name).page.locator('.top-bar').waitFor();
  },
  faults: name => pages.get(name)?.faults ?? [],
  look: async (name, {path}) => { await pages.get(name).page.screenshot({path, fullPage: true}); },
  // Without a word to anybody, as a crash.
  kill: async name => {
    const {server} = pages.get(name);
    pages.delete(name);
    await server.kill();
  },
};

const say = answer => process.stdout.write(`${JSON.stringify(answer)}\n`);
const lines = createInterface({input: process.stdin});
lines.on('line', async line => {
  const {id, page, do: what, ...more} = JSON.parse(line);
  try {
    say({id, value: await acts[what](page, more) ?? null});
  } catch (error) {
    say({id, error: String(error.message ?? error)});
  }
});
lines.on('close', async () => {
  await Promise.allSettled([...pages.values()].map(({server}) => server.close()));
  process.exit(0);
});
