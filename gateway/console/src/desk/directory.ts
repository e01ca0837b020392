// Who and what is there to transfer to, templates to pick, and the wallboard's figures.
import {reactive, ref} from 'vue';
import {countOf, isRecord, readInteraction, listOf, numberOf, readDispositions, recordOf, textOf, type Disposition, type JsonRecord} from '@agent-client';
import {language} from '../texts/texts.ts';
import type {Desk} from './desk.ts';
import {customerName, readContact} from './naming.ts';

export interface AgentLine { id: string; name: string; state: string; interactions: {id: string; channel: string; customer: string}[] }
export interface Template { name: string; text: string }
export interface QueueLine { id: string; dispositions: Disposition[] }
export interface QueueFigures {
  id: string; waiting: number; longestWaitMs: number; offered: number; answered: number; abandoned: number; serviceLevel: number | null;
}
export interface WallboardFigures { queues: QueueFigures[]; agents: [state: string, count: number][] }

export class Directory {
  readonly agents = reactive<AgentLine[]>([]);
  readonly queues = reactive<QueueLine[]>([]);
  private readonly templates = reactive(new Map<string, Template[]>());
  private readonly known = new Map<string, {channel: string; customer: string}>();  // of conversations and calls of others

  constructor(private readonly desk: Desk) {
    desk.onOnline(() => void this.loadQueues());
    desk.onSignOut(() => {
      this.agents.splice(0);
      this.queues.splice(0);
      this.templates.clear();
      this.known.clear();
    });
  }

  async loadQueues(): Promise<void> {
    const reply = await this.desk.ask('queues.list', {}, true);
    if (!reply) return;
    const lines = listOf(reply['items']).filter(isRecord).map(each => ({id: textOf(each['id']), dispositions: readDispositions(each['dispositions'])}));
    this.queues.splice(0, this.queues.length, ...lines.filter(each => each.id !== ''));
  }

  async loadAgents(): Promise<void> {
    const reply = await this.desk.ask('agents.list', {}, true);
    if (!reply) return;
    const lines = listOf(reply['items']).filter(isRecord).map(each => ({
      id: textOf(each['id']), name: textOf(each['name']) || textOf(each['id']), state: textOf(each['state']),
      interactions: listOf(each['interactions']).map(textOf).filter(id => id !== '').map(id => ({id, channel: '', customer: '', ...this.known.get(id)})),
    }));
    this.agents.splice(0, this.agents.length, ...lines.filter(each => each.id !== ''));
    for (const line of this.agents) for (const item of line.interactions) if (!this.known.has(item.id)) void this.name(item);
  }

  // The list tells ids: whose they are and over which channel is asked for once.
  private async name(item: AgentLine['interactions'][number]): Promise<void> {
    const reply = await this.desk.ask('interaction.get', {interaction: item.id}, true);
    const view = readInteraction(reply?.['interaction']);
    if (!view) return;
    const card = view.card ?? readContact((await this.desk.ask('contact.get', {contact: view.contactId}, true))?.['contact']);
    if (this.known.size > 1_000) this.known.clear();
    const found = {channel: view.channel, customer: customerName(card, view.contactId)};
    this.known.set(item.id, found);
    Object.assign(item, found);
  }

  templatesOf(channel: string): Template[] {
    const known = this.templates.get(channel);
    if (known) return known;
    this.templates.set(channel, []);
    void this.desk.ask('templates.list', {channel}, true).then(reply => {
      const items = listOf(reply?.['items']).filter(isRecord).map(each => ({name: textOf(each['name']), text: wordingOf(each, channel)}));
      if (reply) this.templates.set(channel, items.filter(each => each.text !== ''));
      else this.templates.delete(channel);
    });
    return this.templates.get(channel) ?? [];
  }

  dispositionsOf(queue: string): Disposition[] {
    return this.queues.find(each => each.id === queue)?.dispositions ?? [];
  }
}

// The words of a template: as told, or of the channel's wordings the one in the page's language, else any.
function wordingOf(template: JsonRecord, channel: string): string {
  const wordings = recordOf(recordOf(template['channels'])[channel]);
  const text = (each: unknown) => textOf(recordOf(each)['text']);
  return textOf(template['text']) || text(wordings[language.value]) || Object.values(wordings).map(text).find(each => each !== '') || text(wordings);
}

export function readWallboard(value: JsonRecord): WallboardFigures | null {
  if (!Array.isArray(value['queues'])) return null;
  const queues = listOf(value['queues']).filter(isRecord).map(each => ({
    id: textOf(each['id']), waiting: countOf(each['waiting']) ?? 0, longestWaitMs: numberOf(each['longest_wait_ms']) ?? 0, offered: countOf(each['offered']) ?? 0,
    answered: countOf(each['answered']) ?? 0, abandoned: countOf(each['abandoned']) ?? 0, serviceLevel: numberOf(each['service_level']),
  }));
  const agents = Object.entries(recordOf(value['agents'])).map(([state, count]): [string, number] => [state, countOf(count) ?? 0]).filter(([, count]) => count > 0);
  return {queues, agents};
}

// The figures as they change: as a stream of events over HTTP where the agent's token may read it, else as pushes over the socket, else asked for every
// five seconds.
export class WallboardFeed {
  readonly figures = ref<WallboardFigures | null>(null);
  readonly source = ref<'none' | 'live' | 'polled'>('none');
  private stopped = true;
  private abort = new AbortController();
  private streamRefused = false;
  private watched = false;

  constructor(private readonly desk: Desk) {
    desk.onFrame(frame => {
      if (this.stopped || frame['type'] !== 'wallboard') return;
      this.take(recordOf(frame['wallboard']));
      this.source.value = 'live';
    });
  }

  start(): void {
    if (!this.stopped) return;
    this.stopped = false;
    this.abort = new AbortController();
    void this.run(this.abort.signal);
  }

  stop(): void {
    this.stopped = true;
    this.abort.abort();
    if (this.watched) void this.desk.ask('wallboard.watch', {on: false}, true);
    this.watched = false;
    this.source.value = 'none';
  }

  private async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (!this.streamRefused) await this.stream(signal).catch(() => undefined);
      if (signal.aborted) return;
      this.watched = await this.desk.ask('wallboard.watch', {on: true}, true) !== null;
      if (!this.watched) await this.poll();
      await new Promise(resolve => setTimeout(resolve, 5000));
    }
  }

  private take(value: JsonRecord): void {
    const figures = readWallboard(value);
    if (figures) this.figures.value = figures;
  }

  private show(text: string): void {
    try {
      this.take(recordOf(JSON.parse(text)));
    } catch {
      // A part that cannot be read is left out; the next one is whole again.
    }
  }

  private async poll(): Promise<void> {
    this.source.value = 'none';
    const reply = await this.desk.ask('wallboard.get', {}, true);
    const figures = readWallboard(isRecord(reply?.['wallboard']) ? reply['wallboard'] : reply ?? {});
    if (!figures) return;
    this.figures.value = figures;
    this.source.value = 'polled';
  }

  private async stream(signal: AbortSignal): Promise<void> {
    const answer = await fetch('/v1/wallboard', {headers: {authorization: `Bearer ${this.desk.token}`, accept: 'text/event-stream'}, signal, cache: 'no-store'});
    if (!answer.ok || !answer.body || !(answer.headers.get('content-type') ?? '').startsWith('text/event-stream')) {
      this.streamRefused = answer.status >= 400 && answer.status < 500 && answer.status !== 429;
      await answer.body?.cancel();
      return;
    }
    this.source.value = 'live';
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = '';
    let data: string[] = [];
    for (;;) {
      const {done, value} = await reader.read();
      if (done) return;
      const lines = (rest + value).split(/\r\n|\n|\r/);
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (line.startsWith('data:')) data.push(line.slice(5).trimStart());
        else if (line === '' && data.length > 0) {
          this.show(data.join('\n'));
          data = [];
        }
      }
    }
  }
}
