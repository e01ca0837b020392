import assert from 'node:assert/strict';
import {describe, test} from 'node:test';
import {AgentClient, agentUrl, RequestError, type ConnectionStatus, type Push, type SocketLike} from '@agent-client';

// Time that moves when told.
class ManualTimers {
  private waiting: {at: number; run: () => void}[] = [];
  now = 0;
  after(ms: number, run: () => void): () => void {
    const entry = {at: this.now + ms, run};
    this.waiting.push(entry);
    return () => { this.waiting = this.waiting.filter(each => each !== entry); };
  }
  advance(ms: number): void {
    const until = this.now + ms;
    for (;;) {
      const next = this.waiting.filter(each => each.at <= until).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.waiting = this.waiting.filter(each => each !== next);
      this.now = next.at;
      next.run();
    }
    this.now = until;
  }
}

class FakeSocket implements SocketLike {
  onopen: ((event: never) => void) | null = null;
  onmessage: ((event: {data: unknown}) => void) | null = null;
  onclose: ((event: {code: number; reason: string}) => void) | null = null;
  onerror: ((event: never) => void) | null = null;
  readonly sent: Record<string, unknown>[] = [];
  closedWith: number | null = null;
  constructor(readonly url: string, readonly protocols: string[]) {}
  send(text: string): void { this.sent.push(JSON.parse(text) as Record<string, unknown>); }
  close(code?: number): void { this.closedWith = code ?? 1000; }
  receive(frame: unknown): void { this.onmessage?.({data: typeof frame === 'string' ? frame : JSON.stringify(frame)}); }
  hello(lastSeq: number): void { this.receive({type: 'hello', agent: 'agent-1', session: 's', last_seq: lastSeq, lease: 'PT15S'}); }
  asked(type: string): Record<string, unknown>[] { return this.sent.filter(each => each['type'] === type); }
  answer(type: string, reply: Record<string, unknown> = {ok: true}): void {
    const request = this.asked(type).at(-1);
    assert(request, `${type} was not asked`);
    this.receive({reply_to: request['id'], ...reply});
  }
  break(code = 1006): void { this.onclose?.({code, reason: ''}); }
}

function rig(lastSeq: number | null = null, isRefused: () => Promise<boolean> = async () => false) {
  const timers = new ManualTimers();
  const sockets: FakeSocket[] = [];
  const pushes: Push[] = [];
  const statuses: ConnectionStatus[] = [];
  const client = new AgentClient({
    url: agentUrl('https://gateway.example/console/'), token: 'secret', lastSeq, timers, random: () => 0.5, clock: () => timers.now, isRefused,
    socket: (url, protocols) => {
      const socket = new FakeSocket(url, protocols);
      sockets.push(socket);
      return socket;
    },
    onPush: push => pushes.push(push), onStatus: status => statuses.push(status),
  });
  client.start();
  return {timers, sockets, pushes, statuses, client, socket: () => sockets[sockets.length - 1]!};
}

// Promises settle between two steps of a test.
const settle = () => new Promise<void>(resolve => setImmediate(resolve));
const offer = (seq: number, id = `offer-${seq}`) => ({seq, type: 'offer', offer: id, fence: seq, interaction: `i-${id}`, channel: 'wecom', queue: 'care', contact: {id: 'c'}, context: {}, expires_at: '2026-01-01T00:00:00Z'});

describe('agent client', () => {
  test('the token travels as a sub-protocol and never in the URL', () => {
    const {socket} = rig();
    assert.deepEqual(socket().protocols, ['touchgate.v1', 'bearer.secret']);
    assert.equal(socket().url, 'wss://gateway.example/v1/agent');
  });

  test('a first connection begins with a snapshot and counts from its number', () => {
    const {client, socket, pushes} = rig();
    socket().hello(41);
    assert.equal(client.status.kind, 'online');
    assert.equal(socket().asked('resume').length, 0);
    assert.equal(socket().sent[0]?.['type'], 'health.report');  // the first other request brings the snapshot
    socket().receive({type: 'snapshot', presence: {state: 'ready'}, offers: [], interactions: []});
    assert.equal(client.lastSeq, 41);
    socket().receive(offer(42));
    assert.deepEqual(pushes.map(push => push.type), ['snapshot', 'offer']);
    assert.equal(client.lastSeq, 42);
  });

  test('after a break it resumes, asks nothing before, and takes each push once and in order', async () => {
    const {client, socket, sockets, timers, pushes, statuses} = rig(5);
    socket().hello(7);
    assert.deepEqual(socket().asked('resume').map(each => each['after']), [5]);
    await assert.rejects(client.request('presence.set', {state: 'ready'}), (error: RequestError) => error.code === 'offline');
    socket().receive(offer(6));
    socket().receive(offer(7));
    socket().receive(offer(7));
    socket().answer('resume');
    await settle();
    assert.equal(client.status.kind, 'online');
    socket().break();
    assert.equal(client.status.kind, 'waiting');
    timers.advance(600);
    assert.equal(sockets.length, 2);
    socket().hello(8);
    assert.equal(socket().asked('resume')[0]?.['after'], 7);
    socket().receive(offer(8));
    socket().answer('resume');
    await settle();
    assert.deepEqual(pushes.map(push => push.type === 'offer' ? push.offer : push.type), ['offer-6', 'offer-7', 'offer-8']);
    assert.deepEqual(statuses.map(each => each.kind), ['connecting', 'online', 'waiting', 'connecting', 'online']);
  });

  test('what is not kept any more is replaced by a snapshot', async () => {
    const {client, socket, pushes} = rig(5);
    socket().hello(90_000);
    socket().answer('resume', {ok: false, error: {code: 'resume_too_old'}});
    await settle();
    socket().receive({seq: 90_001, type: 'snapshot', presence: {state: 'ready'}, offers: [], interactions: []});
    assert.equal(client.lastSeq, 90_001);
    assert.equal(pushes[0]?.type, 'snapshot');
  });

  test('a number below its own means another log: it begins anew', () => {
    const {client, socket} = rig(500);
    socket().hello(3);
    assert.equal(socket().asked('resume').length, 0);
    socket().receive(offer(4));
    assert.equal(client.lastSeq, 4);
  });

  test('a gap makes it resume once, and is accepted when it is the same again', async () => {
    const {client, socket, sockets, timers, pushes} = rig(1);
    socket().hello(1);
    socket().answer('resume');
    await settle();
    socket().receive(offer(4));
    assert.equal(pushes.length, 0);
    assert.equal(socket().closedWith, 4000);
    timers.advance(1000);
    socket().hello(4);
    assert.equal(socket().asked('resume')[0]?.['after'], 1);
    socket().receive(offer(4));
    socket().answer('resume');
    await settle();
    assert.equal(sockets.length, 2);
    assert.equal(client.lastSeq, 4);
    assert.equal(pushes.length, 1);
  });

  test('malformed frames, unknown pushes and pushes that lack what they need change nothing but the number', () => {
    const {client, socket, pushes} = rig();
    socket().hello(0);
    for (const frame of ['', '{', '[]', 'null', '7', '"x"', {}, {seq: 'x', type: 'offer'}, {type: 'offer'}, {seq: -1, type: 'offer'}, {reply_to: 99, ok: true}, {reply_to: null, ok: false}]) socket().receive(frame);
    assert.equal(client.lastSeq, null);
    socket().receive({seq: 1, type: 'weather', sun: true});
    socket().receive({seq: 2, type: 'offer'});
    socket().receive({seq: 3, type: 'message', interaction: 'i', direction: 'sideways'});
    socket().receive({seq: 4, type: 'presence', state: {deep: 1}, slots: [1, 2]});
    socket().receive({seq: 5, type: 'wrap_up', interaction: 7, codes: 'none'});
    assert.equal(client.lastSeq, 5);
    assert.deepEqual(pushes.map(push => push.type), ['wrap_up']);
  });

  test('a reply finds its request, an error has its code, and a lost connection says that the outcome is unknown', async () => {
    const {client, socket, timers} = rig();
    socket().hello(0);
    const first = client.request('offer.accept', {offer: 'a'});
    const second = client.request('offer.reject', {offer: 'b'});
    socket().answer('offer.reject', {ok: false, error: {code: 'stale_offer', detail: 'too late'}});
    socket().answer('offer.accept', {ok: true, interaction: {id: 'i'}});
    assert.deepEqual((await first)['interaction'], {id: 'i'});
    await assert.rejects(second, (error: RequestError) => error.code === 'stale_offer' && error.detail === 'too late' && !error.outcomeUnknown);
    const third = client.request('message.send');
    socket().break();
    await assert.rejects(third, (error: RequestError) => error.code === 'connection_lost' && error.outcomeUnknown);
    timers.advance(1000);
    socket().hello(0);
    const fourth = client.request('message.send', {}, 3000);
    timers.advance(3000);
    await assert.rejects(fourth, (error: RequestError) => error.code === 'timeout' && error.outcomeUnknown);
  });

  test('health reports go out at intervals with the round trip; without an answer it connects again', async () => {
    const {client, socket, sockets, timers} = rig();
    socket().hello(0);
    timers.advance(40);
    socket().answer('health.report');
    await settle();
    assert.equal(client.rttMs, 40);
    timers.advance(10_000);
    assert.deepEqual(socket().asked('health.report').map(each => each['rtt_ms']), [undefined, 40]);
    timers.advance(10_000);
    await settle();
    assert.equal(socket().closedWith, 4001);
    timers.advance(1000);
    assert.equal(sockets.length, 2);
  });

  test('attempts are spread out up to ten seconds, and not waited for when the network is back', () => {
    const {client, socket, sockets, timers} = rig();
    const waits: number[] = [];
    for (let i = 0; i < 7; ++i) {
      socket().break();
      assert.equal(client.status.kind, 'waiting');
      if (client.status.kind === 'waiting') waits.push(client.status.ms);
      timers.advance(10_000);
    }
    assert.deepEqual(waits, [500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
    socket().break();
    const before = sockets.length;
    client.wake();
    assert.equal(sockets.length, before + 1);
  });

  test('a refused token ends the attempts', async () => {
    const {client, socket, sockets, timers} = rig(null, async () => true);
    socket().break();
    await settle();
    assert.equal(client.status.kind, 'refused');
    timers.advance(60_000);
    assert.equal(sockets.length, 1);
    const closed = rig();
    closed.socket().hello(0);
    closed.socket().break(4401);
    assert.equal(closed.client.status.kind, 'refused');
    const slow = rig();
    slow.socket().hello(0);
    slow.socket().break(1008);
    assert.equal(slow.client.status.kind, 'waiting');
  });

  test('a handshake that hangs is given up', () => {
    const {socket, sockets, timers} = rig();
    timers.advance(10_000);
    assert.equal(socket().closedWith, 4001);
    timers.advance(1000);
    assert.equal(sockets.length, 2);
  });

  test('stopping ends everything and signs nobody out', () => {
    const {client, socket, sockets, timers} = rig();
    socket().hello(0);
    client.stop();
    assert.equal(socket().closedWith, 1000);
    assert.equal(socket().asked('presence.set').length, 0);
    timers.advance(60_000);
    assert.equal(sockets.length, 1);
  });
});
