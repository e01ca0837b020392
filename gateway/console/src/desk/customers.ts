// Customers' cards, histories, withdrawals, leads and promised call-backs.
import {reactive} from 'vue';
import {isRecord, listOf, readPromises, recordOf, RequestError, textOf, type Card, type CardPromise, type JsonRecord} from '@agent-client';
import {t, word} from '../texts/texts.ts';
import {shortTime} from '../texts/times.ts';
import {gatewayNow} from '../timing/now.ts';
import type {Desk} from './desk.ts';
import {explain} from './explain.ts';
import {readContact} from './naming.ts';

export interface TimelineLine { id: string; at: string; type: string; channel: string; text: string }
interface History { items: TimelineLine[]; next: string | null; loaded: boolean; loading: boolean }
export interface CustomerEntry { card: Card | null; loading: boolean; missing: string; withdrawn: string[]; history: History }
export type ContactReference = string | {external_userid: string};

export const dncChannels = ['voice', 'sms', 'wecom', 'wecom_kf', 'official_account', 'mini_program', '*'] as const;

function readLine(value: JsonRecord, index: number): TimelineLine {
  const data = recordOf(value['data']);
  return {
    id: textOf(value['id']) || textOf(value['sequence']) || String(index), at: textOf(value['at']) || textOf(value['time']), type: textOf(value['type']) || textOf(value['kind']),
    channel: textOf(value['channel']) || textOf(data['channel']),
    text: textOf(value['text']) || textOf(value['summary']) || textOf(recordOf(value['content'] ?? data['content'])['text']) || textOf(value['state']) || textOf(data['state']),
  };
}

// Which consents forbid a channel for every purpose that sells.
export function isWithdrawn(card: Card | null, channel: string): boolean {
  const latest = card?.consents.filter(each => (each.channel === channel || each.channel === '*') && (each.purpose === '*' || each.purpose === 'marketing' || each.purpose === ''));
  return latest?.some(each => each.status === 'withdrawn') ?? false;
}

export class Customers {
  private readonly entries = reactive(new Map<string, CustomerEntry>());
  readonly promises = reactive<CardPromise[]>([]);

  constructor(private readonly desk: Desk) {
    desk.onOnline(() => {
      this.entries.clear();
      void this.loadPromises();
    });
    desk.onPush(push => {
      if (push.type === 'promise') void this.loadPromises();
      // After a snapshot only the number of the customer is known.
      for (const work of desk.state.works) if (!work.card && work.contactId !== '' && work.stage !== 'closed') this.entry(work.contactId);
    });
    desk.onSignOut(() => {
      this.entries.clear();
      this.promises.splice(0);
    });
  }

  // What is known of a customer; asks for him when nothing is.
  entry(contact: string): CustomerEntry {
    const known = this.entries.get(contact);
    if (known) return known;
    this.entries.set(contact, {card: null, loading: false, missing: '', withdrawn: [], history: {items: [], next: null, loaded: false, loading: false}});
    void this.load(contact);
    return this.entries.get(contact)!;
  }

  // Null when the gateway does not give this customer.
  async load(contact: string, reference: ContactReference = contact): Promise<Card | null> {
    const entry = this.entries.get(contact);
    if (!this.desk.features.has('contact.get')) return null;
    if (entry) entry.loading = true;
    try {
      const reply = await this.desk.tryAsk('contact.get', {contact: reference});
      const card = readContact(reply['contact']);
      const shown = this.entries.get(contact);
      if (shown) shown.card = card ?? shown.card;
      for (const work of this.desk.state.works) if (card && work.contactId === card.id) work.card = card;
      return card;
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      const shown = this.entries.get(contact);
      // A gateway may know customers by their number only.
      const isMissing = typeof reference === 'string' && this.desk.features.failed('contact.get', error);
      if (!isMissing && shown) shown.missing = explain(error, 'contact.get', gatewayNow());
      return null;
    } finally {
      const shown = this.entries.get(contact);
      if (shown) shown.loading = false;
    }
  }

  async loadHistory(contact: string): Promise<void> {
    const {history} = this.entry(contact);
    if (history.loading || (history.loaded && history.next === null)) return;
    history.loading = true;
    const reply = await this.desk.ask('timeline.get', {contact, limit: 20, ...(history.next === null ? {} : {before: history.next})});
    history.loading = false;
    if (!reply) return;
    const lines = listOf(reply['items']).filter(isRecord).map((line, index) => readLine(line, history.items.length + index));
    history.items.push(...lines);
    history.next = textOf(reply['next']) || null;
    history.loaded = true;
  }

  async doNotContact(contact: string, channel: string): Promise<void> {
    const reply = await this.desk.ask('contact.do_not_contact', {contact, channels: [channel]});
    if (!reply) return;
    this.entry(contact).withdrawn.push(channel);
    this.desk.notices.say(t('dnc.done', {channel: word('channel', channel)}));
    void this.load(contact);
  }

  async lead(lead: string, contact: string, step: string, fields: {reason?: string; value?: number} = {}): Promise<boolean> {
    const reply = await this.desk.ask(`lead.${step}`, {lead, ...fields});
    if (!reply) return false;
    const stage = textOf(recordOf(reply['lead'])['stage']) || {accept: 'accepted', qualify: 'qualified', disqualify: 'disqualified'}[step] || step;
    this.desk.state.leads = this.desk.state.leads.filter(each => each.id !== lead);
    this.desk.changed();
    this.desk.notices.say(t('leads.done', {stage: word('lead', stage)}));
    for (const entry of this.entries.values()) {
      const shown = entry.card?.leads.find(each => each.id === lead);
      if (shown) shown.stage = stage;
    }
    if (contact !== '') void this.load(contact);
    return true;
  }

  async loadPromises(): Promise<void> {
    const reply = await this.desk.ask('promises.list', {}, true);
    if (reply) this.promises.splice(0, this.promises.length, ...readPromises(reply['items']));
  }

  async promise(contact: string, at: number, channel: string, note: string): Promise<boolean> {
    const reply = await this.desk.ask('promise.create', {contact, at: new Date(at).toISOString(), channel, note});
    if (!reply) return false;
    this.desk.notices.say(t('promises.saved', {time: shortTime(at, gatewayNow())}));
    await Promise.all([this.loadPromises(), this.load(contact)]);
    return true;
  }

  async promiseDone(promise: CardPromise): Promise<void> {
    if (!await this.desk.ask('promise.done', {promise: promise.id})) return;
    this.promises.splice(0, this.promises.length, ...this.promises.filter(each => each.id !== promise.id));
    this.desk.notices.say(t('promises.marked'));
    if (promise.contact !== '') void this.load(promise.contact);
  }
}
