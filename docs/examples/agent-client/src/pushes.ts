// What the gateway pushes to an agent, as types, and how a frame is read into them.
//
// A frame of an unknown type, or one that lacks what its type cannot do without, reads as null: a newer gateway must not break an older client.
// Fields beyond the ones named here are kept where a person may want to see them (a customer's attributes) and left out elsewhere.
import {countOf, isRecord, listOf, numberOf, recordOf, textOf, textsOf, type Json, type JsonRecord} from './reading.ts';

export type PresenceState =
  | 'offline' | 'not_ready' | 'ready' | 'reserved' | 'ringing' | 'talking' | 'held' | 'consulting' | 'conference' | 'wrapup' | 'rona_blocked' | 'fault';

export type CallState = 'dialing_agent' | 'ringing' | 'connected' | 'held' | 'ended';

export interface Slot { used: number; capacity: number }

export interface PresencePush {
  type: 'presence';
  agent: string;
  state: string;   // a PresenceState, or a word of a newer gateway
  intent: string;  // ready, not_ready, after_current
  reason: string;
  slots: Record<string, Slot>;
}

// A line of a card's history: a touch or an interaction.
export interface CardRecord { id: string; at: string; channel: string; kind: string; state: string; direction: string; text: string }
export interface CardLead { id: string; product: string; stage: string; grade: string; score: number | null; dueAt: string; owner: string }
export interface CardPromise { id: string; at: string; channel: string; note: string; contact: string; state: string }
export interface Consent { channel: string; purpose: string; status: string; at: string }
// `texts`: by language, where the gateway has words for it.
export interface SuggestedAction { action: string; text: string; texts: Record<string, string> }

// The customer as an agent may see him; numbers come masked.
export interface Card {
  id: string;
  name: string;
  phones: string[];     // and other addresses, all masked
  tags: string[];
  attributes: Record<string, string>;
  locale: string;
  timeZone: string;
  owner: string;
  unit: string;
  consents: Consent[];
  lastTouches: CardRecord[];
  lastInteractions: CardRecord[];
  leads: CardLead[];
  promises: CardPromise[];
  suggested: SuggestedAction[];
}

export type Content = JsonRecord;

export interface Message {
  direction: 'in' | 'out';
  content: Content;
  kind: string;        // text, image, file …; '' when not told
  at: string;
  providerId: string;
  touch: string;
  key: string;         // the sender's own key, of messages that went out
  state: string;       // of the touch, of messages that went out
  origin: string;      // reply, bot …
}

export interface Disposition { code: string; label: string; promise: boolean; doNotContact: boolean; outcome: string }

export interface OfferPush {
  type: 'offer';
  offer: string;
  fence: number | null;
  interaction: string;
  queue: string;
  channel: string;
  card: Card | null;
  context: JsonRecord;
  expiresAt: string;
  autoAnswer: boolean;
  preview: boolean;                   // a recipient of a campaign: accepting lets him be dialled
  variables: Record<string, string>;  // of what a campaign wants to say to him
}

export interface LeadPush { type: 'lead.assigned'; lead: string; contact: string; dueAt: string; product: string; grade: string }

// An interaction in a snapshot or a reply.
export interface InteractionView {
  id: string;
  channel: string;
  queue: string;
  state: string;
  direction: string;
  contactId: string;
  card: Card | null;
  messages: Message[];
  callState: string;
  wrapUp: {deadline: string; codes: Disposition[]} | null;
}

export type Push =
  | PresencePush
  | OfferPush
  | {type: 'offer.revoked'; offer: string; interaction: string; reason: string}
  | {type: 'interaction.connected'; interaction: string; channel: string; contactId: string; queue: string; direction: string; card: Card | null}
  | {type: 'interaction.closed'; interaction: string; reason: string}
  | {type: 'message'; interaction: string; message: Message}
  | {type: 'call.state'; interaction: string; state: string; cause: string}
  | {type: 'wrap_up'; interaction: string; deadline: string; codes: Disposition[]}
  | LeadPush
  | {type: 'promise'; promise: CardPromise}                                      // it is due
  | {type: 'notice'; kind: string; interaction: string; text: string}           // reply_due, reply_late …
  | {type: 'snapshot'; presence: PresencePush | null; offers: OfferPush[]; interactions: InteractionView[]};

function readSlots(value: unknown): Record<string, Slot> {
  const slots: Record<string, Slot> = {};
  for (const [channel, slot] of Object.entries(recordOf(value))) {
    const {used, capacity} = recordOf(slot);
    slots[channel] = {used: countOf(used) ?? 0, capacity: countOf(capacity) ?? 0};
  }
  return slots;
}

function readPresence(frame: JsonRecord): PresencePush | null {
  const state = textOf(frame['state']);
  if (state === '') return null;
  return {type: 'presence', agent: textOf(frame['agent']), state, intent: textOf(frame['intent']), reason: textOf(frame['reason']), slots: readSlots(frame['slots'])};
}

function firstText(record: JsonRecord, ...names: string[]): string {
  for (const name of names) {
    const text = textOf(record[name]);
    if (text !== '') return text;
  }
  return '';
}

function readRecords(value: unknown): CardRecord[] {
  return listOf(value).filter(isRecord).map(each => ({
    id: firstText(each, 'id', 'touch', 'interaction'),
    at: firstText(each, 'at', 'queued_at', 'created_at', 'time'),
    channel: textOf(each['channel']),
    kind: firstText(each, 'kind', 'type', 'purpose'),
    state: firstText(each, 'state', 'status', 'outcome'),
    direction: textOf(each['direction']),
    text: firstText(each, 'text', 'summary', 'campaign', 'disposition', 'detail'),
  }));
}

function readLeads(value: unknown): CardLead[] {
  return listOf(value).filter(isRecord).map(each => ({
    id: firstText(each, 'id', 'lead'), product: textOf(each['product']), stage: textOf(each['stage']), grade: textOf(each['grade']),
    score: numberOf(each['score']), dueAt: textOf(each['due_at']), owner: textOf(each['owner']),
  })).filter(lead => lead.id !== '');
}

export function readPromises(value: unknown): CardPromise[] {
  return listOf(value).filter(isRecord).map(each => ({
    id: firstText(each, 'id', 'promise'), at: firstText(each, 'at', 'due_at'), channel: textOf(each['channel']), note: textOf(each['note']),
    contact: firstText(each, 'contact', 'contact_id'), state: textOf(each['state']),
  })).filter(promise => promise.id !== '');
}

function readSuggested(value: unknown): SuggestedAction[] {
  const one = (each: unknown): SuggestedAction =>
    isRecord(each) ? {action: firstText(each, 'key', 'action'), text: firstText(each, 'text', 'why'), texts: {en: textOf(each['en']), 'zh-CN': textOf(each['zh-CN'])}}
      : /^[a-z_]+$/.test(textOf(each)) ? {action: textOf(each), text: '', texts: {}} : {action: '', text: textOf(each), texts: {}};
  return (Array.isArray(value) ? value : [value]).map(one).filter(each => each.action !== '' || each.text !== '');
}

function shown(value: Json): string {
  if (typeof value === 'boolean') return value ? 'true' : 'false';
  if (Array.isArray(value)) return value.map(shown).filter(text => text !== '').join(', ');
  return textOf(value);
}

// The customer of an offer or of `contact.get`; null without an id.
export function readCard(value: unknown): Card | null {
  if (!isRecord(value)) return null;
  const profile = isRecord(value['profile']) ? {...value, ...value['profile']} : value;
  const id = firstText(profile, 'id', 'contact_id', 'contact');
  if (id === '') return null;
  const attributes: Record<string, string> = {};
  for (const [name, each] of Object.entries(recordOf(profile['attributes']))) {
    const text = shown(each);
    if (text !== '') attributes[name] = text;
  }
  const name = firstText(profile, 'name', 'display_name') || attributes['name'] || '';
  delete attributes['name'];
  const phones = [...textsOf(profile['phones']), ...textsOf(profile['addresses']), ...textsOf([profile['phone'] ?? null])];
  const consents = listOf(profile['consents'] ?? profile['consent']).filter(isRecord).map(each => (
    {channel: textOf(each['channel']), purpose: textOf(each['purpose']), status: textOf(each['status']) || (each['granted'] === true ? 'granted' : 'withdrawn'), at: textOf(each['at'])}));
  return {
    id, name, phones: [...new Set(phones)], tags: textsOf(profile['tags']), attributes, locale: textOf(profile['locale']),
    timeZone: textOf(profile['time_zone']), owner: textOf(profile['owner']), unit: textOf(profile['unit']), consents,
    lastTouches: readRecords(profile['last_touches'] ?? profile['touches']), lastInteractions: readRecords(profile['last_interactions'] ?? profile['interactions']),
    leads: readLeads(profile['open_leads'] ?? profile['leads']), promises: readPromises(profile['promises']),
    suggested: readSuggested(profile['suggestion'] ?? null),
  };
}

// A message of a push, of an interaction, of a reply; null without a direction.
export function readMessage(value: unknown): Message | null {
  if (!isRecord(value)) return null;
  const direction = textOf(value['direction']);
  if (direction !== 'in' && direction !== 'out') return null;
  const content = value['content'];
  return {
    direction, content: isRecord(content) ? content : {text: textOf(content)}, kind: textOf(value['kind']), at: textOf(value['at']), providerId: textOf(value['provider_id']),
    touch: isRecord(value['touch']) ? textOf(value['touch']['id']) : textOf(value['touch']), key: textOf(value['key']), state: textOf(value['state']), origin: textOf(value['origin']),
  };
}

export function readDispositions(value: unknown): Disposition[] {
  return listOf(value).map(each => isRecord(each)
    ? {code: textOf(each['code']), label: textOf(each['label']), promise: each['promise'] !== undefined && each['promise'] !== null && each['promise'] !== false,
       doNotContact: isRecord(each['dnc']), outcome: textOf(each['outcome'])}
    : {code: textOf(each), label: '', promise: false, doNotContact: false, outcome: ''}).filter(each => each.code !== '');
}

function readWrapUp(value: unknown): InteractionView['wrapUp'] {
  return isRecord(value) ? {deadline: textOf(value['deadline']), codes: readDispositions(value['codes'])} : null;
}

export function readInteraction(value: unknown): InteractionView | null {
  if (!isRecord(value)) return null;
  const id = firstText(value, 'id', 'interaction');
  if (id === '') return null;
  const contact = value['contact'];
  const card = readCard(contact);
  return {
    id, channel: textOf(value['channel']), queue: textOf(value['queue']), state: textOf(value['state']), direction: textOf(value['direction']),
    contactId: textOf(value['contact_id']) || card?.id || textOf(contact), card,
    messages: listOf(value['messages']).map(readMessage).filter(message => message !== null),
    callState: firstText(value, 'call_state') || textOf(recordOf(value['call'])['state']), wrapUp: readWrapUp(value['wrap_up']),
  };
}

function readOffer(frame: JsonRecord): OfferPush | null {
  const offer = firstText(frame, 'offer', 'id');
  const interaction = textOf(frame['interaction']);
  if (offer === '' || interaction === '') return null;
  return {
    type: 'offer', offer, interaction, fence: numberOf(frame['fence']), queue: textOf(frame['queue']), channel: textOf(frame['channel']), card: readCard(frame['contact']),
    context: {...recordOf(frame['context']), ...(textOf(frame['last_text']) === '' ? {} : {text: textOf(frame['last_text'])})}, expiresAt: textOf(frame['expires_at']), autoAnswer: frame['auto_answer'] === true, preview: frame['preview'] === true,
    variables: Object.fromEntries(Object.entries(recordOf(recordOf(frame['context'])['variables'])).map(([name, value]) => [name, shown(value)])),
  };
}

export function readPush(frame: JsonRecord): Push | null {
  const type = textOf(frame['type']);
  if (type === 'presence') return readPresence(frame);
  if (type === 'offer') return readOffer(frame);
  if (type === 'snapshot') {
    return {
      type, presence: isRecord(frame['presence']) ? readPresence(frame['presence']) : null,
      offers: listOf(frame['offers']).filter(isRecord).map(readOffer).filter(offer => offer !== null),
      interactions: listOf(frame['interactions']).map(readInteraction).filter(interaction => interaction !== null),
    };
  }
  if (type === 'lead.assigned') {
    const lead = textOf(frame['lead']) || textOf(recordOf(frame['lead'])['id']);
    const contact = textOf(frame['contact']) || textOf(recordOf(frame['contact'])['id']);
    if (lead === '') return null;
    return {type, lead, contact, dueAt: textOf(frame['due_at']), product: textOf(frame['product']), grade: textOf(frame['grade'])};
  }
  const interaction = textOf(frame['interaction']);
  if (type === 'promise' || type === 'promise.due') {
    const promise = readPromises([{...frame, id: frame['promise'] ?? null}])[0];
    return promise ? {type: 'promise', promise} : null;
  }
  if (type === 'notice') {
    const kind = textOf(frame['kind']);
    return kind === '' ? null : {type, kind, interaction, text: textOf(frame['text'])};
  }
  if (type === 'offer.revoked') {
    const offer = textOf(frame['offer']);
    return offer === '' ? null : {type, offer, interaction, reason: textOf(frame['reason'])};
  }
  if (interaction === '') return null;
  switch (type) {
    case 'interaction.connected':
      return {type, interaction, channel: textOf(frame['channel']), contactId: textOf(frame['contact_id']), queue: textOf(frame['queue']), direction: textOf(frame['direction']),
              card: readCard(frame['contact'])};
    case 'interaction.closed': return {type, interaction, reason: textOf(frame['reason'])};
    case 'message': {
      const message = readMessage(frame);
      return message && {type, interaction, message};
    }
    case 'call.state': {
      const state = textOf(frame['state']);
      return state === '' ? null : {type, interaction, state, cause: textOf(frame['cause'])};
    }
    case 'wrap_up': return {type, interaction, deadline: textOf(frame['deadline']), codes: readDispositions(frame['codes'])};
    default: return null;
  }
}
