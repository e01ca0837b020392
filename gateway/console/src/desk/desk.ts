// The desk of one agent in one tab: the connection, the state that follows from its pushes, and what can be asked for. Components show it and call it.
import {inject, reactive, ref, shallowRef, type InjectionKey} from 'vue';
import {AgentClient, agentUrl, RequestError, textOf, textsOf, type ConnectionStatus, type Hello, type JsonRecord, type Push, type Reply, type RequestFields, type Timers} from '@agent-client';
import {t} from '../texts/texts.ts';
import {gatewayNow} from '../timing/now.ts';
import {explain} from './explain.ts';
import {Features} from './features.ts';
import {forgetAll, forgetDesk, keepDesk, keepToken, keptDesk, keptToken} from './keeping.ts';
import {Notices} from './notices.ts';
import {applyPush, emptyDesk, findWork, type DeskState, type Offer, type Work} from './state.ts';

export type Phase = 'signed_out' | 'signing_in' | 'signed_in';

// Who is signed in and what he may do, as far as the gateway says it; null: it does not, and requests that are not allowed are refused.
export interface Self { agent: string; name: string; role: string | null; rights: string[] | null; dialPurposes: string[] | null }

// What the customer card shows.
export type Focus = {kind: 'work' | 'offer' | 'contact'; id: string} | null;

export class Desk {
  readonly state: DeskState = reactive(emptyDesk());
  readonly connection = shallowRef<ConnectionStatus>({kind: 'stopped'});
  readonly phase = ref<Phase>('signed_out');
  readonly refused = ref(false);
  readonly rttMs = ref<number | null>(null);
  readonly self = shallowRef<Self>({agent: '', name: '', role: null, rights: null, dialPurposes: null});
  readonly focus = shallowRef<Focus>(null);
  readonly features = new Features();
  readonly notices = new Notices();
  health: () => RequestFields = () => ({});
  private readonly pushListeners: ((push: Push) => void)[] = [];
  private readonly frameListeners: ((frame: JsonRecord) => void)[] = [];
  private readonly onlineListeners: (() => void)[] = [];
  private readonly signOutListeners: (() => void)[] = [];
  private client: AgentClient | null = null;
  private currentToken = '';
  private cancelSave: (() => void) | null = null;
  private wasOnline = false;

  constructor(private readonly timers: Timers) {
    window.addEventListener('pagehide', () => this.save());
    window.addEventListener('online', () => this.client?.wake());
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible') this.client?.wake();
      else this.save();
    });
  }

  // For endpoints outside the socket; the token goes into a header.
  get token(): string { return this.currentToken; }

  onPush(listener: (push: Push) => void): void { this.pushListeners.push(listener); }
  onFrame(listener: (frame: JsonRecord) => void): void { this.frameListeners.push(listener); }
  onOnline(listener: () => void): void { this.onlineListeners.push(listener); }
  onSignOut(listener: () => void): void { this.signOutListeners.push(listener); }

  // Takes up where a reload broke off.
  resumeKept(): void {
    const token = keptToken();
    if (token === '') return;
    const kept = keptDesk();
    if (kept) Object.assign(this.state, kept.state);
    this.open(token, kept?.seq ?? null);
  }

  signIn(token: string): void {
    forgetDesk();
    Object.assign(this.state, emptyDesk());
    keepToken(token);
    this.open(token, null);
  }

  async signOut(): Promise<void> {
    await this.client?.request('presence.set', {state: 'offline'}).catch(() => null);
    this.leave();
  }

  retry(): void { this.client?.wake(); }

  // Asks the gateway. A refusal is told to the agent, unless the gateway has no such request; null then.
  async ask(request: string, fields: RequestFields = {}, quiet = false): Promise<Reply | null> {
    try {
      return await this.tryAsk(request, fields);
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      if (this.features.failed(request, error) || quiet) return null;
      this.notices.say(explain(error, request, gatewayNow()), 'refusal');
      return null;
    }
  }

  // Asks the gateway; throws the refusal.
  async tryAsk(request: string, fields: RequestFields = {}): Promise<Reply> {
    const {client} = this;
    if (!client) throw new RequestError('offline');
    const reply = await client.request(request, fields);
    this.features.succeeded(request);
    return reply;
  }

  // What was changed here and not by a push has to be kept too.
  changed(): void {
    if (this.cancelSave || this.phase.value === 'signed_out') return;
    this.cancelSave = this.timers.after(200, () => this.save());
  }

  work(id: string): Work | undefined { return findWork(this.state, id); }

  focusedWork(): Work | undefined {
    const focus = this.focus.value;
    return focus?.kind === 'work' ? this.work(focus.id) : undefined;
  }

  focusedOffer(): Offer | undefined {
    const focus = this.focus.value;
    return focus?.kind === 'offer' ? this.state.offers.find(offer => offer.id === focus.id) : undefined;
  }

  look(focus: Focus): void {
    this.focus.value = focus;
    const work = this.focusedWork();
    if (work && work.unread > 0 && document.visibilityState === 'visible') {
      work.unread = 0;
      this.changed();
    }
  }

  private open(token: string, lastSeq: number | null): void {
    this.client?.stop();
    this.currentToken = token;
    this.refused.value = false;
    this.wasOnline = false;
    this.phase.value = 'signing_in';
    const client = new AgentClient({
      url: agentUrl(location.origin), token, lastSeq, timers: this.timers,
      heartbeat: rttMs => {
        this.rttMs.value = rttMs;
        return {...this.health(), ...(rttMs === null ? {} : {rtt_ms: rttMs})};
      },
      onHello: hello => this.greeted(hello),
      onStatus: status => { if (this.client === client || !this.client) this.statusChanged(status); },
      onPush: push => this.take(push),
      onFrame: frame => { for (const listener of this.frameListeners) listener(frame); },
      onSequence: () => this.changed(),
      isRefused: async () => {
        const options: RequestInit = {headers: {authorization: `Bearer ${token}`}, cache: 'no-store'};
        const {status} = await fetch('/v1/agent', options);
        if (status === 401 || status === 403) return true;
        // A gateway that takes connections and not this one.
        return status === 426 && (await fetch('/readyz', {cache: 'no-store'})).ok;
      },
    });
    this.client = client;
    client.start();
  }

  private greeted(hello: Hello): void {
    const {raw} = hello;
    const list = (value: unknown) => Array.isArray(value) ? textsOf(value) : null;
    this.self.value = {agent: hello.agent, name: textOf(raw['name']) || hello.agent, role: textOf(raw['role']) || null, rights: list(raw['rights']), dialPurposes: list(raw['dial_purposes'])};
  }

  private take(push: Push): void {
    applyPush(this.state, push, gatewayNow());
    if (push.type === 'message') {
      const work = this.focusedWork();
      if (work?.id === push.interaction && document.visibilityState === 'visible' && document.hasFocus()) work.unread = 0;
    }
    this.keepFocusSensible(push);
    for (const listener of this.pushListeners) listener(push);
  }

  // The card stays with the customer whose offer was accepted, and goes to the next work when this one is gone.
  private keepFocusSensible(push: Push): void {
    const focus = this.focus.value;
    if (focus?.kind === 'offer' && !this.focusedOffer()) this.focus.value = null;
    if (focus?.kind === 'work' && !this.focusedWork()) this.focus.value = null;
    if (this.focus.value !== null) return;
    if (push.type === 'offer') {
      this.focus.value = {kind: 'offer', id: push.offer};
      return;
    }
    const work = this.state.works.find(each => each.stage !== 'closed');
    if (work) this.look({kind: 'work', id: work.id});
    else if (this.state.offers[0]) this.focus.value = {kind: 'offer', id: this.state.offers[0].id};
  }

  private statusChanged(status: ConnectionStatus): void {
    this.connection.value = status;
    if (status.kind === 'online') {
      this.phase.value = 'signed_in';
      if (this.wasOnline) this.notices.say(t('connection.restored'));
      this.wasOnline = true;
      for (const listener of this.onlineListeners) listener();
    } else if (status.kind === 'refused') {
      this.leave();
      this.refused.value = true;
    }
  }

  private leave(): void {
    const {client} = this;
    this.client = null;
    client?.stop();
    this.cancelSave?.();
    this.cancelSave = null;
    this.currentToken = '';
    forgetAll();
    Object.assign(this.state, emptyDesk());
    this.focus.value = null;
    this.phase.value = 'signed_out';
    for (const listener of this.signOutListeners) listener();
  }

  private save(): void {
    this.cancelSave?.();
    this.cancelSave = null;
    const seq = this.client?.lastSeq;
    if (this.phase.value !== 'signed_out' && seq !== null && seq !== undefined) keepDesk({seq, state: this.state});
  }
}

export const deskKey: InjectionKey<Desk> = Symbol('desk');

export function useDesk(): Desk {
  const desk = inject(deskKey);
  if (!desk) throw new Error('no desk is provided');
  return desk;
}
