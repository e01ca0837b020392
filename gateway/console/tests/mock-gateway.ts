// A gateway for the console's development and tests: speaks the agent WebSocket as the real one does (numbered pushes, resume, offers with fences and
// deadlines, error codes), serves the built pages, and lets a test play the customers, the telephone system and trouble.
import {randomUUID} from 'node:crypto';
import {readFile} from 'node:fs/promises';
import {createServer, type IncomingMessage, type Server, type ServerResponse} from 'node:http';
import type {AddressInfo} from 'node:net';
import {extname, join, normalize} from 'node:path';
import {WebSocketServer, type WebSocket} from 'ws';

type Fields = {[name: string]: any};  // eslint-disable-line @typescript-eslint/no-explicit-any
type Json = Fields;

// Equal to the policy that the real gateway sends; a test compares them.
export const securityPolicy =
  "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; img-src 'self'; media-src 'self' blob:; font-src 'self'; "
  + "connect-src 'self' wss: ws://127.0.0.1:* ws://localhost:*; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const types: Record<string, string> = {'.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8', '.svg': 'image/svg+xml'};

class Refusal extends Error {
  constructor(readonly code: string, readonly detail = '', readonly more: Json = {}) { super(code); }
}

interface Offer { id: string; fence: number; interaction: string; expiresAt: number; timer: NodeJS.Timeout | null }
interface Interaction {
  id: string; channel: string; queue: string; contact: string; state: string; agent: string | null; messages: Json[]; call: {state: string} | null; wrapUp: {deadline: string; codes: (Json | string)[]} | null;
  wrapUpTimer: NodeJS.Timeout | null;
}
interface Connection { socket: WebSocket; live: boolean; timer: NodeJS.Timeout }
interface Agent {
  id: string; name: string; token: string; role: 'agent' | 'supervisor'; rights: string[]; dialPurposes: string[]; signedIn: boolean; intent: string; reason: string; blocked: boolean; capacity: Record<string, number>;
  offers: Map<string, Offer>; lastSeq: number; kept: Json[]; connections: Set<Connection>;
}

export interface MockOptions { dist: string; features?: string[]; wrapUpMs?: number; keptMax?: number; wallboardOverHttp?: boolean; sip?: Json | null }

export class MockGateway {
  url = '';
  readonly requests: {agent: string; type: string; fields: Json}[] = [];
  readonly agents = new Map<string, Agent>();
  readonly interactions = new Map<string, Interaction>();
  readonly contacts = new Map<string, Json>();
  readonly promises = new Map<string, Json>();
  readonly missing = new Set<string>();           // requests that this gateway does not know
  readonly silent = new Set<string>();            // requests that are carried out and never answered
  readonly breaking = new Set<string>();          // requests that are lost with the connection, once
  denyNextSend: Json | null = null;               // the decision of a denied answer
  dispositions: (Json | string)[] = ['resolved', {code: 'callback', label: 'Call back', promise: true}, {code: 'no_more', label: 'No more', dnc: {channels: ['*']}}];
  wallboard: Json = {queues: [{id: 'care', waiting: 3, longest_wait_ms: 65_000, offered: 120, answered: 110, abandoned: 4, service_level: 0.87},
                              {id: 'sales', waiting: 0, longest_wait_ms: 0, offered: 58, answered: 57, abandoned: 1, service_level: 0.95}],
                     agents: {ready: 4, talking: 3, wrapup: 1, not_ready: 2}, seq: 7};
  private server: Server | null = null;
  private sockets: WebSocketServer | null = null;
  private fence = 0;
  private readonly streams = new Set<ServerResponse>();

  constructor(private readonly options: MockOptions) {
    this.addContact({id: 'cust-42', name: '王芳', phones: ['+86138****0000'], tags: ['VIP', '双十一'], locale: 'zh-CN', time_zone: 'Asia/Shanghai', owner: 'agent-1', unit: 'hq/east',
                     attributes: {city: '杭州', level: 'gold'}, consents: [{channel: 'sms', purpose: 'marketing', status: 'granted', at: '2026-05-02T08:00:00.000Z'}],
                     last_touches: [{id: 't1', at: '2026-11-20T02:00:00.000Z', channel: 'sms', purpose: 'marketing', campaign: 'double11', state: 'delivered'}],
                     last_interactions: [{id: 'i1', at: '2026-11-18T02:00:00.000Z', channel: 'voice', state: 'completed', disposition: 'resolved'}],
                     open_leads: [{id: 'lead-7', product: 'Savings plan', stage: 'assigned', grade: 'B', score: 72, due_at: '2026-11-30T02:00:00.000Z'}], promises: [],
                     suggestion: {key: 'contact_lead', en: 'Go on with the open lead', 'zh-CN': '跟进未结线索'}});
    this.addContact({id: 'cust-7', name: 'Li Lei', phones: ['+86139****1111'], tags: [], attributes: {}, consents: [], last_touches: [], last_interactions: [], open_leads: [], promises: []});
  }

  async start(port = 0): Promise<void> {
    this.server = createServer((request, response) => void this.serve(request, response));
    this.sockets = new WebSocketServer({noServer: true, handleProtocols: () => 'touchgate.v1'});
    this.server.on('upgrade', (request, socket, head) => {
      const agent = this.agentOf(request);
      if (!agent || !request.url?.startsWith('/v1/agent')) {
        socket.end('HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n');
        return;
      }
      this.sockets!.handleUpgrade(request, socket, head, opened => this.connected(agent, opened));
    });
    await new Promise<void>(resolve => this.server!.listen(port, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    for (const agent of this.agents.values()) {
      for (const connection of agent.connections) connection.socket.terminate();
      for (const offer of agent.offers.values()) if (offer.timer) clearTimeout(offer.timer);
    }
    for (const interaction of this.interactions.values()) if (interaction.wrapUpTimer) clearTimeout(interaction.wrapUpTimer);
    for (const stream of this.streams) stream.end();
    this.sockets?.close();
    this.server?.closeAllConnections();
    await new Promise(resolve => this.server?.close(resolve));
  }

  // ---- what a test plays

  addAgent(id: string, more: Partial<Pick<Agent, 'name' | 'role' | 'rights' | 'capacity'>> = {}): string {
    const token = `token-${id}-${randomUUID().slice(0, 8)}`;
    this.agents.set(id, {id, name: more.name ?? id, token, role: more.role ?? 'agent', rights: more.rights ?? [], dialPurposes: ['service'], signedIn: false, intent: 'not_ready', reason: 'login',
                         blocked: false, capacity: more.capacity ?? {voice: 1, sms: 5, wecom: 5}, offers: new Map(), lastSeq: 0, kept: [], connections: new Set()});
    return token;
  }

  addContact(card: Json): void { this.contacts.set(card['id'], card); }

  offer(agentId: string, {channel = 'wecom', contact = 'cust-42', queue = 'care', text = '你好，请问订单什么时候发货？', timeoutMs = 20_000, autoAnswer = false, preview = false, variables = {} as Record<string, string>} = {}): {offer: string; interaction: string} {
    const agent = this.agents.get(agentId)!;
    const interaction: Interaction = {id: randomUUID(), channel, queue, contact, state: 'reserved', agent: null, call: null, wrapUp: null, wrapUpTimer: null,
                                      messages: channel === 'voice' ? [] : [this.message('in', {text})]};
    this.interactions.set(interaction.id, interaction);
    const made: Offer = {id: randomUUID(), fence: ++this.fence, interaction: interaction.id, expiresAt: Date.now() + timeoutMs, timer: null};
    made.timer = setTimeout(() => this.timeOut(agent, made), timeoutMs);
    agent.offers.set(made.id, made);
    const view = this.offerView(made);
    this.push(agent, {...view, context: {...view['context'], variables}, auto_answer: autoAnswer, preview});
    this.presence(agent);
    if (autoAnswer) this.accept(agent, made);
    return {offer: made.id, interaction: interaction.id};
  }

  revoke(agentId: string, offerId: string, reason: string): void {
    const agent = this.agents.get(agentId)!;
    const offer = agent.offers.get(offerId);
    if (!offer) return;
    this.drop(agent, offer);
    this.push(agent, {type: 'offer.revoked', offer: offer.id, interaction: offer.interaction, reason});
    this.presence(agent);
  }

  customerWrites(interactionId: string, content: Json): void {
    const interaction = this.interactions.get(interactionId)!;
    const message = this.message('in', content);
    interaction.messages.push(message);
    if (interaction.agent) this.push(this.agents.get(interaction.agent)!, {type: 'message', interaction: interactionId, ...message});
  }

  callState(interactionId: string, state: string, cause = ''): void {
    const interaction = this.interactions.get(interactionId)!;
    interaction.call = {state};
    const agent = this.agents.get(interaction.agent!)!;
    this.push(agent, {type: 'call.state', interaction: interactionId, state, cause});
    if (state === 'connected') this.push(agent, {type: 'interaction.connected', interaction: interactionId, channel: 'voice', contact_id: interaction.contact, queue: interaction.queue});
    this.presence(agent);
  }

  customerHangsUp(interactionId: string): void { this.endCall(this.interactions.get(interactionId)!, 'customer'); }

  assignLead(agentId: string, lead: string, contact: string): void {
    this.push(this.agents.get(agentId)!, {type: 'lead.assigned', lead, contact, due_at: new Date(Date.now() + 600_000).toISOString(), product: 'Savings plan', grade: 'A'});
  }

  // A push with a number of its own, whatever is in it.
  pushRaw(agentId: string, frame: Json): void { this.push(this.agents.get(agentId)!, frame); }

  // A frame as it is, number or not.
  sendText(agentId: string, text: string): void {
    for (const connection of this.agents.get(agentId)!.connections) connection.socket.send(text);
  }

  dropConnections(agentId: string): void {
    for (const connection of this.agents.get(agentId)!.connections) connection.socket.terminate();
  }

  forgetPushes(agentId: string): void { this.agents.get(agentId)!.kept = []; }

  expireToken(agentId: string): void {
    this.agents.get(agentId)!.token = randomUUID();
    this.dropConnections(agentId);
  }

  setWallboard(figures: Json): void {
    this.wallboard = figures;
    for (const stream of this.streams) stream.write(`id: ${figures['seq']}\nevent: wallboard\ndata: ${JSON.stringify(figures)}\n\n`);
  }

  stateOf(agentId: string): string { return this.shownState(this.agents.get(agentId)!); }
  asked(type: string): Json[] { return this.requests.filter(each => each.type === type).map(each => each.fields); }

  // ---- HTTP

  private agentOf(request: IncomingMessage): Agent | undefined {
    const protocols = String(request.headers['sec-websocket-protocol'] ?? '').split(',').map(each => each.trim());
    const token = protocols.find(each => each.startsWith('bearer.'))?.slice(7) ?? String(request.headers['authorization'] ?? '').replace(/^Bearer /, '');
    return [...this.agents.values()].find(agent => agent.token === token);
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? '/', 'http://x').pathname;
    if (path === '/healthz') return void response.writeHead(200, {'content-type': 'application/json'}).end('{"status":"ok"}');
    if (path === '/v1/agent') return void response.writeHead(426).end();
    if (path === '/readyz') return void response.writeHead(200, {'content-type': 'application/json'}).end('{"status":"ready"}');
    if (path === '/v1/wallboard') return this.serveWallboard(request, response);
    if (!path.startsWith('/console/')) return void response.writeHead(404).end();
    const name = normalize(decodeURIComponent(path.slice('/console/'.length)) || 'index.html');
    const bytes = name.startsWith('..') ? null : await readFile(join(this.options.dist, name)).catch(() => null);
    if (!bytes) return void response.writeHead(404).end();
    response.writeHead(200, {'content-type': types[extname(name)] ?? 'application/octet-stream', 'content-security-policy': securityPolicy, 'cache-control': 'no-cache'}).end(bytes);
  }

  private serveWallboard(request: IncomingMessage, response: ServerResponse): void {
    if (!this.agentOf(request)) return void response.writeHead(401).end();
    if (!this.options.wallboardOverHttp) return void response.writeHead(403).end();
    response.writeHead(200, {'content-type': 'text/event-stream'});
    this.streams.add(response);
    response.on('close', () => this.streams.delete(response));
    response.write(`data: ${JSON.stringify(this.wallboard)}\n\n`);
  }

  // ---- the socket

  private connected(agent: Agent, socket: WebSocket): void {
    const connection: Connection = {socket, live: false, timer: setTimeout(() => this.begin(agent, connection), 2000)};
    agent.connections.add(connection);
    socket.on('close', () => {
      clearTimeout(connection.timer);
      agent.connections.delete(connection);
    });
    socket.on('message', data => this.take(agent, connection, String(data)));
    if (!agent.signedIn) {
      Object.assign(agent, {signedIn: true, intent: 'not_ready', reason: 'login', blocked: false});
      this.presence(agent);
    }
    socket.send(JSON.stringify({type: 'hello', agent: agent.id, name: agent.name, role: agent.role, rights: agent.rights, dial_purposes: agent.dialPurposes, session: randomUUID(), last_seq: agent.lastSeq,
                                lease: 'PT15S'}));
  }

  // The snapshot, for a connection that did not resume.
  private begin(agent: Agent, connection: Connection): void {
    if (connection.live) return;
    clearTimeout(connection.timer);
    connection.live = true;
    const interactions = [...this.interactions.values()].filter(each => each.agent === agent.id && each.state !== 'completed').map(each => this.view(each));
    connection.socket.send(JSON.stringify({type: 'snapshot', seq: agent.lastSeq, presence: this.presenceView(agent), offers: [...agent.offers.values()].map(each => this.offerView(each)), interactions}));
  }

  private push(agent: Agent, body: Json): void {
    const frame = {seq: ++agent.lastSeq, ...body};
    agent.kept.push(frame);
    agent.kept.splice(0, agent.kept.length - (this.options.keptMax ?? 10_000));
    for (const connection of agent.connections) if (connection.live) connection.socket.send(JSON.stringify(frame));
  }

  private take(agent: Agent, connection: Connection, text: string): void {
    let frame: Json;
    try {
      frame = JSON.parse(text) as Json;
    } catch {
      connection.socket.send('{"reply_to":null,"ok":false,"error":{"code":"bad_request"}}');
      return;
    }
    const {id, type, ...fields} = frame;
    if (type === 'resume') {
      this.resume(agent, connection, id, fields['after']);
      return;
    }
    this.begin(agent, connection);
    if (this.breaking.delete(type)) {
      connection.socket.terminate();
      return;
    }
    this.requests.push({agent: agent.id, type, fields});
    let reply: Json;
    try {
      reply = {reply_to: id, ok: true, ...this.carryOut(agent, type, fields)};
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      reply = {reply_to: id, ok: false, error: {code: error.code, ...(error.detail === '' ? {} : {detail: error.detail})}, ...error.more};
    }
    if (!this.silent.has(type)) connection.socket.send(JSON.stringify(reply));
  }

  private resume(agent: Agent, connection: Connection, id: unknown, after: number): void {
    const oldest = agent.kept[0]?.['seq'] ?? agent.lastSeq + 1;
    if (after > agent.lastSeq || after + 1 < oldest) {
      connection.socket.send(JSON.stringify({reply_to: id, ok: false, error: {code: 'resume_too_old'}}));
      this.begin(agent, connection);
      return;
    }
    clearTimeout(connection.timer);
    connection.live = true;
    connection.socket.send(JSON.stringify({reply_to: id, ok: true}));
    for (const frame of agent.kept) if (frame['seq'] > after) connection.socket.send(JSON.stringify(frame));
  }

  // ---- what is behind it

  private message(direction: 'in' | 'out', content: Json, more: Json = {}): Json {
    return {direction, content, at: new Date().toISOString(), provider_id: direction === 'in' ? randomUUID() : null, touch: null, ...more};
  }

  private view(interaction: Interaction): Json {
    return {id: interaction.id, channel: interaction.channel, queue: interaction.queue, state: interaction.state, contact_id: interaction.contact, contact: this.contacts.get(interaction.contact) ?? null,
            messages: interaction.messages, ...(interaction.call ? {call: interaction.call} : {}), ...(interaction.wrapUp ? {wrap_up: interaction.wrapUp} : {})};
  }

  private offerView(offer: Offer): Json {
    const interaction = this.interactions.get(offer.interaction)!;
    return {type: 'offer', offer: offer.id, fence: offer.fence, interaction: interaction.id, queue: interaction.queue, channel: interaction.channel,
            contact: this.contacts.get(interaction.contact) ?? null, context: {text: interaction.messages[0]?.['content']?.text ?? ''}, expires_at: new Date(offer.expiresAt).toISOString(), auto_answer: false};
  }

  private shownState(agent: Agent): string {
    if (!agent.signedIn) return 'offline';
    const calls = [...this.interactions.values()].filter(each => each.agent === agent.id && each.channel === 'voice');
    if (calls.some(each => each.call?.state === 'connected')) return 'talking';
    if (calls.some(each => each.call?.state === 'held')) return 'held';
    if (calls.some(each => each.state === 'wrapping')) return 'wrapup';
    if (agent.offers.size > 0) return 'ringing';
    if (agent.blocked) return 'rona_blocked';
    return agent.intent === 'ready' ? 'ready' : 'not_ready';
  }

  private presenceView(agent: Agent): Json {
    const slots: Json = {};
    for (const [channel, capacity] of Object.entries(agent.capacity)) {
      const used = [...this.interactions.values()].filter(each => each.agent === agent.id && each.channel === channel && each.state !== 'completed').length
        + [...agent.offers.values()].filter(each => this.interactions.get(each.interaction)?.channel === channel).length;
      slots[channel] = {used, capacity};
    }
    return {type: 'presence', agent: agent.id, state: this.shownState(agent), intent: agent.intent, reason: agent.reason, slots};
  }

  private presence(agent: Agent): void { this.push(agent, this.presenceView(agent)); }

  private drop(agent: Agent, offer: Offer): void {
    if (offer.timer) clearTimeout(offer.timer);
    agent.offers.delete(offer.id);
  }

  private timeOut(agent: Agent, offer: Offer): void {
    this.drop(agent, offer);
    agent.blocked = true;
    this.interactions.get(offer.interaction)!.state = 'queued';
    this.push(agent, {type: 'offer.revoked', offer: offer.id, interaction: offer.interaction, reason: 'timeout'});
    this.presence(agent);
  }

  private accept(agent: Agent, offer: Offer): Interaction {
    this.drop(agent, offer);
    const interaction = this.interactions.get(offer.interaction)!;
    interaction.agent = agent.id;
    interaction.state = 'assigned';
    if (interaction.channel === 'voice') {
      this.callState(interaction.id, 'dialing_agent');
    } else {
      this.push(agent, {type: 'interaction.connected', interaction: interaction.id, channel: interaction.channel, contact_id: interaction.contact, queue: interaction.queue});
      this.presence(agent);
    }
    return interaction;
  }

  private endCall(interaction: Interaction, by: string): void {
    interaction.call = {state: 'ended'};
    const agent = this.agents.get(interaction.agent!)!;
    this.push(agent, {type: 'call.state', interaction: interaction.id, state: 'ended', cause: by});
    interaction.state = 'wrapping';
    interaction.wrapUp = {deadline: new Date(Date.now() + (this.options.wrapUpMs ?? 30_000)).toISOString(), codes: this.dispositions};
    interaction.wrapUpTimer = setTimeout(() => this.complete(interaction, 'timeout'), this.options.wrapUpMs ?? 30_000);
    this.push(agent, {type: 'wrap_up', interaction: interaction.id, ...interaction.wrapUp});
    this.presence(agent);
  }

  private complete(interaction: Interaction, reason: string): void {
    if (interaction.wrapUpTimer) clearTimeout(interaction.wrapUpTimer);
    interaction.state = 'completed';
    const agent = this.agents.get(interaction.agent!)!;
    this.push(agent, {type: 'interaction.closed', interaction: interaction.id, reason});
    this.presence(agent);
  }

  private own(agent: Agent, id: unknown): Interaction {
    const interaction = this.interactions.get(String(id));
    if (!interaction) throw new Refusal('unknown_interaction');
    if (interaction.agent !== agent.id && agent.role !== 'supervisor') throw new Refusal('not_yours');
    return interaction;
  }

  private carryOut(agent: Agent, type: string, fields: Json): Json {
    if (this.missing.has(type)) throw new Refusal('bad_request', `unknown request ${type}`);
    if (type.startsWith('supervisor.')) return this.supervise(agent, type, fields);
    if (type.startsWith('call.')) return this.call(agent, type, fields);
    if (type.startsWith('lead.')) {
      const stage = {accept: 'accepted', qualify: 'qualified', disqualify: 'disqualified'}[type.slice(5)] ?? type.slice(5);
      for (const card of this.contacts.values()) for (const lead of card['open_leads']) if (lead['id'] === fields['lead']) lead['stage'] = stage;
      return {lead: {id: fields['lead'], stage}};
    }
    switch (type) {
      case 'presence.set': return this.setPresence(agent, fields);
      case 'health.report': return {};
      case 'offer.accept': {
        const offer = agent.offers.get(fields['offer']);
        if (!offer || (fields['fence'] !== undefined && fields['fence'] !== offer.fence)) throw new Refusal('stale_offer');
        return {interaction: this.view(this.accept(agent, offer))};
      }
      case 'offer.reject': {
        const offer = agent.offers.get(fields['offer']);
        if (!offer) throw new Refusal('stale_offer');
        this.drop(agent, offer);
        this.interactions.get(offer.interaction)!.state = 'queued';
        this.push(agent, {type: 'offer.revoked', offer: offer.id, interaction: offer.interaction, reason: 'rejected'});
        this.presence(agent);
        return {};
      }
      case 'message.send': return this.sendMessage(agent, fields);
      case 'interaction.wrap_up': {
        const interaction = this.own(agent, fields['interaction']);
        if (interaction.state === 'completed') throw new Refusal('wrong_state');
        if (interaction.wrapUp && !this.dispositions.some(each => (typeof each === 'string' ? each : each['code']) === fields['disposition'])) throw new Refusal('bad_request', 'no such disposition');
        this.complete(interaction, 'agent');
        return {interaction: this.view(interaction)};
      }
      case 'interaction.transfer': {
        const interaction = this.own(agent, fields['interaction']);
        interaction.agent = null;
        interaction.state = 'queued';
        this.push(agent, {type: 'interaction.closed', interaction: interaction.id, reason: 'transfer'});
        return {};
      }
      case 'interaction.get': {
        const {contact: _card, ...view} = this.view(this.own(agent, fields['interaction']));
        return {interaction: view};
      }
      case 'contact.get': {
        const id = typeof fields['contact'] === 'object' ? (fields['contact']['external_userid'] === 'wm-42' ? 'cust-42' : '') : fields['contact'];
        const card = this.contacts.get(id);
        if (!card) throw new Refusal('not_found');
        return {contact: {card}};
      }
      case 'contact.do_not_contact': {
        const card = this.contacts.get(fields['contact']);
        if (!card) throw new Refusal('not_found');
        for (const channel of fields['channels']) card['consents'] = [...card['consents'].filter((each: Json) => each['channel'] !== channel), {channel, purpose: 'marketing', status: 'withdrawn', at: new Date().toISOString()}];
        return {};
      }
      case 'timeline.get': {
        const from = Number(fields['before'] ?? 0);
        const items = Array.from({length: 20}, (_, i) => ({id: `e${from + i}`, at: new Date(Date.UTC(2026, 10, 20) - (from + i) * 3_600_000).toISOString(), type: 'touch.delivered', channel: 'sms', text: `double11 #${from + i}`}));
        return {items: from < 40 ? items : items.slice(0, 3), next: from < 40 ? String(from + 20) : null};
      }
      case 'templates.list': return {items: [{name: 'greeting', text: '您好，请问有什么可以帮您？'}, {name: 'order-sent', channels: {[String(fields['channel'])]: {'zh-CN': {text: '您的订单 {{order}} 已发货。'}}}}]};
      case 'queues.list': return {items: [{id: 'care', dispositions: this.dispositions}, {id: 'sales'}]};
      case 'agents.list': return {items: [...this.agents.values()].map(each => ({id: each.id, name: each.name, state: this.shownState(each),
        interactions: [...this.interactions.values()].filter(item => item.agent === each.id && item.state !== 'completed').map(item => item.id)}))};
      case 'wallboard.get': return {wallboard: this.wallboard};
      case 'wallboard.watch': {
        if (fields['on'] !== false) setTimeout(() => this.sendText(agent.id, JSON.stringify({type: 'wallboard', wallboard: this.wallboard})), 0);
        return {};
      }
      case 'sip.settings': {
        if (!this.options.sip) throw new Refusal('not_configured');
        return {sip: this.options.sip};
      }
      case 'promises.list': return {items: [...this.promises.values()]};
      case 'promise.create': {
        const promise = {id: randomUUID(), contact: fields['contact'], at: fields['at'], channel: fields['channel'], note: fields['note'], state: 'open'};
        this.promises.set(promise.id, promise);
        const card = this.contacts.get(fields['contact']);
        if (card) card['promises'] = [...card['promises'], promise];
        return {promise};
      }
      case 'promise.done': {
        const promise = this.promises.get(fields['promise']);
        if (!promise) throw new Refusal('bad_request', 'no such promise');
        this.promises.delete(promise['id']);
        const card = this.contacts.get(promise['contact']);
        if (card) card['promises'] = card['promises'].filter((each: Json) => each['id'] !== promise['id']);
        return {};
      }
      default: throw new Refusal('bad_request', `unknown request ${type}`);
    }
  }

  private setPresence(agent: Agent, fields: Json): Json {
    const state = fields['state'];
    if (!['ready', 'not_ready', 'after_current', 'offline'].includes(state)) throw new Refusal('bad_request', 'state');
    if (state === 'offline') agent.signedIn = false;
    else Object.assign(agent, {intent: state, reason: fields['reason'] ?? '', blocked: false});
    this.presence(agent);
    return {};
  }

  private sendMessage(agent: Agent, fields: Json): Json {
    const interaction = this.own(agent, fields['interaction']);
    if (interaction.state !== 'assigned') throw new Refusal('wrong_state');
    const decision = this.denyNextSend;
    this.denyNextSend = null;
    if (decision) throw new Refusal('policy_denied', '', {decision});
    const touch = randomUUID();
    const message = this.message('out', fields['content'], {touch, state: 'delivered'});
    interaction.messages.push(message);
    this.push(agent, {type: 'message', interaction: interaction.id, ...message});
    return {touch: {id: touch, state: 'queued'}};
  }

  private call(agent: Agent, type: string, fields: Json): Json {
    if (type === 'call.dial') {
      if ('number' in fields && !agent.rights.includes('dial_any')) throw new Refusal('not_allowed');
      const interaction: Interaction = {id: randomUUID(), channel: 'voice', queue: '', contact: fields['contact'] ?? 'cust-7', state: 'assigned', agent: agent.id, messages: [], call: null, wrapUp: null, wrapUpTimer: null};
      this.interactions.set(interaction.id, interaction);
      this.callState(interaction.id, 'dialing_agent');
      return {interaction: this.view(interaction)};
    }
    const interaction = this.own(agent, fields['interaction']);
    const {call} = interaction;
    if (!call || call.state === 'ended') throw new Refusal('wrong_state');
    if (type === 'call.hangup') this.endCall(interaction, 'agent');
    else if (type === 'call.hold') this.callState(interaction.id, 'held');
    else if (type === 'call.resume') this.callState(interaction.id, 'connected');
    else if (type === 'call.transfer' && fields['mode'] === 'blind') this.endCall(interaction, 'transfer');
    else if (type === 'call.consult.complete') this.endCall(interaction, 'transfer');
    return {};
  }

  private supervise(agent: Agent, type: string, fields: Json): Json {
    if (agent.role !== 'supervisor') throw new Refusal('not_allowed');
    if (type === 'supervisor.set_presence') {
      const other = this.agents.get(fields['agent']);
      if (!other) throw new Refusal('bad_request', 'no such agent');
      this.setPresence(other, {state: fields['state'], reason: 'supervisor'});
    } else if (!this.interactions.has(fields['interaction'])) {
      throw new Refusal('unknown_interaction');
    }
    return {};
  }
}
