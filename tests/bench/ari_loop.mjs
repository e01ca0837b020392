// The least that can run calls on an Asterisk: the same requests as the gateway makes for a caller and an agent, nothing decided and nothing kept.
//   node ari_loop.mjs URL USER PASSWORD APP AGENTS     prints a line when it listens; ends when stdin does
import {request, Agent} from 'node:http';
import {randomBytes, randomUUID} from 'node:crypto';

const [url, user, password, app, agents] = process.argv.slice(2);
const base = new URL(url);
const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
const connections = new Agent({keepAlive: true, maxSockets: 8});  // as many as the gateway has
const unused = ['ChannelVarset', 'ChannelDialplan', 'ChannelConnectedLine', 'ChannelCallerId', 'Dial', 'ChannelTalkingStarted', 'ChannelTalkingFinished', 'DeviceStateChanged', 'PlaybackStarted',
                'PlaybackContinuing', 'RecordingStarted'];
const free = Array.from({length: Number(agents)}, (_, number) => `agent${number + 1}`);
const waiting = [];      // callers without an agent
const calls = new Map();  // by either channel

function ask(method, path, body) {
  const text = body ? JSON.stringify(body) : '';
  return new Promise((done, failed) => {
    const made = request({host: base.hostname, port: base.port, path: `/ari${path}`, method, agent: connections,
                          headers: {authorization, 'content-length': Buffer.byteLength(text), ...(text ? {'content-type': 'application/json'} : {})}}, answer => {
      answer.resume();
      answer.on('end', () => done(answer.statusCode));
    });
    made.on('error', failed);
    made.end(text);
  });
}

async function serve(caller) {
  const call = {caller, agent: randomUUID(), mix: randomUUID(), extension: free.pop(), ready: false, joined: 0};
  calls.set(call.caller, call);
  calls.set(call.agent, call);
  await ask('POST', `/channels/create?endpoint=PJSIP%2F${call.extension}&app=${app}&appArgs=leg%2Cagent%2C${call.mix}%2C${call.extension}&channelId=${call.agent}`,
            {variables: {TOUCHGATE_OWNER: call.mix, TOUCHGATE_LEG: `${app},agent,${call.extension}`, 'PJSIP_HEADER(add,X-Touchgate-Interaction)': call.mix}});
  dial(call);
}

// Once the channel is there and in the application.
function dial(call) {
  if (call.ready) void ask('POST', `/channels/${call.agent}/dial?timeout=15`);
  call.ready = true;
}

async function arrive(caller) {
  await ask('POST', `/channels/${caller}/answer`);
  void ask('POST', `/channels/${caller}/moh`);
  if (free.length > 0) void serve(caller);
  else waiting.push(caller);
}

async function join(call) {
  await ask('POST', `/bridges?type=mixing&bridgeId=${call.mix}&name=bare%2F${call.mix}`);
  void ask('POST', `/bridges/${call.mix}/addChannel?channel=${call.agent}`);
  await ask('DELETE', `/channels/${call.caller}/moh`);
  void ask('POST', `/bridges/${call.mix}/addChannel?channel=${call.caller}`);
}

async function end(call) {
  await Promise.all([ask('DELETE', `/channels/${call.agent}?reason=normal`), ask('DELETE', `/channels/${call.caller}?reason=normal`)]);
  await ask('DELETE', `/bridges/${call.mix}`);
  calls.delete(call.caller);
  calls.delete(call.agent);
  free.push(call.extension);
  if (waiting.length > 0) void serve(waiting.shift());
}

function take(event) {
  const id = event.channel?.id;
  if (event.type === 'StasisStart' && event.args[0] === 'inbound') return void arrive(id);
  const call = calls.get(id);
  if (!call) return;
  if (event.type === 'StasisStart' && id === call.agent) dial(call);
  else if (event.type === 'ChannelStateChange' && id === call.agent && event.channel.state === 'Up') void join(call);
  else if (event.type === 'ChannelEnteredBridge' && ++call.joined === 2) void end(call);
}

// Frames of a server: not masked, and these are never in pieces.
function frames(socket) {
  let kept = Buffer.alloc(0);
  socket.on('data', data => {
    kept = kept.length > 0 ? Buffer.concat([kept, data]) : data;
    while (kept.length >= 2) {
      let [length, at] = [kept[1], 2];
      if (length === 126) {
        if (kept.length < 4) return;
        [length, at] = [kept.readUInt16BE(2), 4];
      } else if (length === 127) {
        if (kept.length < 10) return;
        [length, at] = [Number(kept.readBigUInt64BE(2)), 10];
      }
      if (kept.length < at + length) return;
      if ((kept[0] & 15) === 1) take(JSON.parse(kept.toString('utf8', at, at + length)));
      kept = kept.subarray(at + length);
    }
  });
}

const opening = request({host: base.hostname, port: base.port, path: `/ari/events?app=${app}`,
                         headers: {authorization, connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': randomBytes(16).toString('base64')}});
opening.on('upgrade', async (_, socket, head) => {
  frames(socket);
  if (head.length > 0) socket.unshift(head);
  const status = await ask('PUT', `/applications/${app}/eventFilter`, {disallowed: unused.map(type => ({type}))});
  console.log(JSON.stringify({listens: true, filter: status}));
});
opening.end();
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
