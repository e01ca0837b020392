// One agent's connection to the gateway: opens the WebSocket, resumes after breaks, numbers requests, hands pushes on in order and each once.
//
//   const client = new AgentClient({url: agentUrl('https://gateway.example'), token, onPush: push => …});
//   client.start();
//   await client.request('presence.set', {state: 'ready'});
//
// The token travels as a WebSocket sub-protocol, never in the URL. `lastSeq` is the number of the last push that was taken; who keeps it together with
// what he made of the pushes, and starts the next client with it, loses nothing and gets nothing twice.
import {readPush, type Push} from './pushes.ts';
import {countOf, isRecord, textOf, textsOf, type JsonRecord} from './reading.ts';

// The part of a browser's WebSocket that is used; the package `ws` has it too.
export interface SocketLike {
  onopen: ((event: never) => void) | null;
  onmessage: ((event: {data: unknown}) => void) | null;
  onclose: ((event: {code: number; reason: string}) => void) | null;
  onerror: ((event: never) => void) | null;
  send(text: string): void;
  close(code?: number, reason?: string): void;
}

// Timers of one's own: a page that must work while its tab sleeps gives timers of a worker.
export interface Timers {
  after(ms: number, run: () => void): () => void;  // the result cancels
}

// `dialPurposes`: what he may dial for; empty: he may not dial. `raw`: the frame, with what a newer gateway tells.
export interface Hello { agent: string; session: string; lastSeq: number; role: string; rights: string[]; dialPurposes: string[]; raw: JsonRecord }

export type ConnectionStatus =
  | {kind: 'stopped'}
  | {kind: 'connecting'; attempt: number}
  | {kind: 'online'}
  | {kind: 'waiting'; attempt: number; ms: number}  // until the next attempt
  | {kind: 'refused'};                              // the token is not, or no longer, valid

export type RequestFields = {[name: string]: unknown};
export type Reply = JsonRecord;

// The gateway said no (its code), or could not be asked: `offline` (not sent), `connection_lost` and `timeout` (perhaps done).
export class RequestError extends Error {
  readonly code: string;
  readonly detail: string;
  readonly reply: JsonRecord;
  constructor(code: string, detail = '', reply: JsonRecord = {}) {
    super(detail === '' ? code : `${code}: ${detail}`);
    this.name = 'RequestError';
    this.code = code;
    this.detail = detail;
    this.reply = reply;
  }
  get outcomeUnknown(): boolean { return this.code === 'connection_lost' || this.code === 'timeout'; }
}

export interface AgentClientOptions {
  url: string;
  token: string;
  lastSeq?: number | null;                                     // null: begin with a snapshot
  onPush?: (push: Push) => void;
  onFrame?: (frame: JsonRecord) => void;                       // every push as it came, also of unknown types and without a number
  onSequence?: (seq: number) => void;                          // after the push with this number was handed on
  onHello?: (hello: Hello) => void;
  onStatus?: (status: ConnectionStatus) => void;
  heartbeat?: (rttMs: number | null) => RequestFields;         // fields of `health.report`, sent every `heartbeatMs`
  heartbeatMs?: number;                                        // 10,000
  isRefused?: () => Promise<boolean>;                          // asked when handshakes fail: a browser does not tell why
  socket?: (url: string, protocols: string[]) => SocketLike;   // the global WebSocket
  timers?: Timers;
  random?: () => number;                                       // 0 ≤ r < 1, spreads the attempts to connect again
  clock?: () => number;                                        // milliseconds, for round trips
}

const requestTimeoutMs = 10_000;
const waitMinMs = 500;
const waitMaxMs = 10_000;
const closeGap = 4000;  // our own close codes: pushes are missing, or the other side went silent
const closeSilent = 4001;
const refusedCodes = new Set([4401, 4403]);  // the token is over, the agent was removed

export function agentUrl(base: string): string {
  return new URL('/v1/agent', base).href.replace(/^http/, 'ws');
}

const plainTimers: Timers = {
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

interface Waiting { resolve(reply: Reply): void; reject(error: RequestError): void; cancelTimeout(): void }

export class AgentClient {
  private readonly options: AgentClientOptions;
  private readonly timers: Timers;
  private socket: SocketLike | null = null;
  private current: ConnectionStatus = {kind: 'stopped'};
  private lastSeqTaken: number | null;
  private nextId = 1;
  private readonly waiting = new Map<number, Waiting>();
  private attempt = 0;
  private everOpen = false;
  private shakenHands = false;  // on the current connection
  private gapAskedFor: number | null = null;
  private unnumberedSnapshot = 0;
  private cancelTimer: () => void = () => undefined;
  private cancelHeartbeat: () => void = () => undefined;
  private rtt: number | null = null;

  constructor(options: AgentClientOptions) {
    this.options = options;
    this.timers = options.timers ?? plainTimers;
    this.lastSeqTaken = options.lastSeq ?? null;
  }

  get status(): ConnectionStatus { return this.current; }
  get lastSeq(): number | null { return this.lastSeqTaken; }
  get rttMs(): number | null { return this.rtt; }

  start(): void {
    if (this.current.kind !== 'stopped' && this.current.kind !== 'refused') return;
    this.attempt = 0;
    this.connect();
  }

  // Closes without signing out: the gateway keeps the agent's work for the length of the lease.
  stop(): void {
    this.set({kind: 'stopped'});
    this.drop(1000);
  }

  // Does not wait any longer: the network is back, or the tab is looked at again.
  wake(): void {
    if (this.current.kind === 'waiting') this.connect();
    else if (this.current.kind === 'online') this.beat();
  }

  // Sends a request and gives the reply's fields. Rejects with a RequestError.
  request(type: string, fields: RequestFields = {}, timeoutMs = requestTimeoutMs): Promise<Reply> {
    if (this.current.kind !== 'online') return Promise.reject(new RequestError('offline'));
    return this.ask(type, fields, timeoutMs);
  }

  private ask(type: string, fields: RequestFields, timeoutMs = requestTimeoutMs): Promise<Reply> {
    const socket = this.socket;
    if (!socket) return Promise.reject(new RequestError('offline'));
    const id = this.nextId++;
    return new Promise<Reply>((resolve, reject) => {
      const cancelTimeout = this.timers.after(timeoutMs, () => {
        this.waiting.delete(id);
        reject(new RequestError('timeout'));
      });
      this.waiting.set(id, {resolve, reject, cancelTimeout});
      try {
        socket.send(JSON.stringify({...fields, id, type}));
      } catch {
        this.waiting.delete(id);
        cancelTimeout();
        reject(new RequestError('offline'));
      }
    });
  }

  private set(status: ConnectionStatus): void {
    this.current = status;
    this.options.onStatus?.(status);
  }

  private connect(): void {
    this.cancelTimer();
    this.attempt += 1;
    this.set({kind: 'connecting', attempt: this.attempt});
    let socket: SocketLike;
    try {
      const open = this.options.socket ?? ((url: string, protocols: string[]) => new WebSocket(url, protocols) as unknown as SocketLike);
      socket = open(this.options.url, ['touchgate.v1', `bearer.${this.options.token}`]);
    } catch {
      // A token with characters that no sub-protocol may have.
      this.set({kind: 'refused'});
      return;
    }
    this.socket = socket;
    this.shakenHands = false;
    const isCurrent = () => this.socket === socket;
    socket.onopen = () => { if (isCurrent()) this.shakenHands = true; };
    socket.onmessage = event => { if (isCurrent()) this.take(event.data); };
    socket.onclose = event => { if (isCurrent()) this.closed(event.code); };
    socket.onerror = () => undefined;  // a close follows
    // A handshake that hangs, or a gateway that does not say hello.
    this.cancelTimer = this.timers.after(requestTimeoutMs, () => { if (isCurrent()) this.drop(closeSilent, true); });
  }

  private take(data: unknown): void {
    if (typeof data !== 'string') return;
    let frame: unknown;
    try {
      frame = JSON.parse(data);
    } catch {
      return;
    }
    if (!isRecord(frame)) return;
    if ('reply_to' in frame) this.takeReply(frame);
    else if (frame['type'] === 'hello') this.greeted(frame);
    else this.takePush(frame);
  }

  private takeReply(frame: JsonRecord): void {
    const id = frame['reply_to'];
    const waiting = typeof id === 'number' ? this.waiting.get(id) : undefined;
    if (typeof id !== 'number' || !waiting) return;
    this.waiting.delete(id);
    waiting.cancelTimeout();
    if (frame['ok'] === true) {
      waiting.resolve(frame);
      return;
    }
    const error = isRecord(frame['error']) ? frame['error'] : {};
    waiting.reject(new RequestError(textOf(error['code']) || 'unknown', textOf(error['detail']), frame));
  }

  private greeted(frame: JsonRecord): void {
    this.cancelTimer();
    this.everOpen = true;
    const lastSeq = countOf(frame['last_seq']) ?? 0;
    this.options.onHello?.({agent: textOf(frame['agent']), session: textOf(frame['session']), lastSeq, role: textOf(frame['role']), rights: textsOf(frame['rights']),
                           dialPurposes: textsOf(frame['dial_purposes']), raw: frame});
    const after = this.lastSeqTaken;
    // The gateway never takes back a number: one below ours is another gateway, or another log.
    if (after === null || after > lastSeq) {
      this.lastSeqTaken = null;
      this.unnumberedSnapshot = lastSeq;
      this.online();
      return;
    }
    this.ask('resume', {after}).then(() => this.online(), (error: RequestError) => {
      if (error.code === 'connection_lost' || error.code === 'offline') return;
      if (error.code === 'timeout') {
        this.drop(closeSilent, true);
        return;
      }
      this.lastSeqTaken = null;  // not kept any more: a snapshot comes
      this.unnumberedSnapshot = lastSeq;
      this.online();
    });
  }

  private online(): void {
    if (!this.socket || this.current.kind === 'online') return;
    this.attempt = 0;
    this.set({kind: 'online'});
    this.beat();
  }

  private takePush(frame: JsonRecord): void {
    const seq = countOf(frame['seq']);
    const isSnapshot = frame['type'] === 'snapshot';
    if (seq === null && !isSnapshot) {
      this.options.onFrame?.(frame);
      return;
    }
    const last = this.lastSeqTaken;
    if (seq !== null && last !== null && !isSnapshot) {
      if (seq <= last) return;  // has been taken
      if (seq > last + 1 && this.gapAskedFor !== last) {
        this.gapAskedFor = last;  // once: a second answer with the same gap is how it is
        this.drop(closeGap, true);
        return;
      }
    }
    this.options.onFrame?.(frame);
    const push = readPush(frame);
    if (push) this.options.onPush?.(push);
    this.lastSeqTaken = seq ?? Math.max(last ?? 0, this.unnumberedSnapshot);
    this.options.onSequence?.(this.lastSeqTaken);
  }

  // health.report is also the sign that the other side is there: a browser does not show the gateway's pings to a page.
  private beat(): void {
    this.cancelHeartbeat();
    if (this.current.kind !== 'online') return;
    const clock = this.options.clock ?? (() => performance.now());
    const sentAt = clock();
    const socket = this.socket;
    const again = () => { this.cancelHeartbeat = this.timers.after(this.options.heartbeatMs ?? 10_000, () => this.beat()); };
    const answered = () => {
      this.rtt = Math.max(0, Math.round(clock() - sentAt));
      again();
    };
    this.ask('health.report', this.options.heartbeat?.(this.rtt) ?? (this.rtt === null ? {} : {rtt_ms: this.rtt})).then(answered, (error: RequestError) => {
      if (this.socket !== socket) return;
      if (error.code === 'timeout') this.drop(closeSilent, true);
      else if (this.current.kind === 'online') answered();
    });
  }

  private closed(code: number): void {
    this.drop(code, true);
  }

  // Ends the connection; all that waits for an answer learns that it may have been done.
  private drop(code: number, again = false): void {
    const socket = this.socket;
    this.socket = null;
    this.cancelTimer();
    this.cancelHeartbeat();
    this.rtt = null;
    try {
      socket?.close(code >= 3000 || code === 1000 ? code : 1000);
    } catch {
      // It is closed already.
    }
    const lost = [...this.waiting.values()];
    this.waiting.clear();
    for (const waiting of lost) {
      waiting.cancelTimeout();
      waiting.reject(new RequestError('connection_lost'));
    }
    if (!again || this.current.kind === 'stopped') return;
    if (refusedCodes.has(code)) {
      this.set({kind: 'refused'});
      return;
    }
    this.wait();
    if (!this.shakenHands && (!this.everOpen || (this.attempt > 0 && this.attempt % 4 === 0))) {
      void this.options.isRefused?.().then(refused => {
        if (refused && this.current.kind === 'waiting') {
          this.cancelTimer();
          this.set({kind: 'refused'});
        }
      }, () => undefined);
    }
  }

  private wait(): void {
    const spread = 0.75 + 0.5 * (this.options.random ?? Math.random)();
    const ms = Math.round(Math.min(waitMaxMs, waitMinMs * 2 ** Math.min(10, this.attempt > 0 ? this.attempt - 1 : 0)) * spread);
    this.set({kind: 'waiting', attempt: this.attempt, ms});
    this.cancelTimer = this.timers.after(ms, () => this.connect());
  }
}
