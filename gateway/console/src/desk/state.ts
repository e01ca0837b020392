// What an agent's desk shows, as the fold of what the gateway pushed. Pure: takes the time as an argument and does no input or output, so that it can be
// kept beside the number of the last push and taken up again after a reload.
import type {Card, Disposition, InteractionView, LeadPush, Message, OfferPush, PresencePush, Push, Slot} from '@agent-client';

export interface Presence { agent: string; state: string; intent: string; reason: string; slots: Record<string, Slot>; since: number }
export interface Offer {
  id: string; fence: number | null; interaction: string; queue: string; channel: string; card: Card | null; subject: string; expiresAt: string; preview: boolean;
  variables: Record<string, string>;
}
export interface ShownMessage extends Message { receivedAt: number }
// A message of one's own that no push has shown yet.
export interface PendingMessage { key: string; text: string; at: number; stage: 'sending' | 'sent' | 'unsure' | 'failed'; touch: string }
export interface Call { state: string; cause: string; since: number; muted: boolean; recordingPaused: boolean; consult: string; conference: boolean }
export interface WrapUp { deadline: string; codes: Disposition[] }
export type Stage = 'connecting' | 'active' | 'wrapping' | 'closed';
export interface Work {
  id: string; channel: string; queue: string; direction: string; contactId: string; card: Card | null; stage: Stage; openedAt: number;
  messages: ShownMessage[]; pending: PendingMessage[]; unread: number; draft: string; call: Call | null; wrapUp: WrapUp | null; closedReason: string;
}
export interface AssignedLead { id: string; contact: string; dueAt: string; product: string; grade: string }
export interface DeskState { presence: Presence; offers: Offer[]; works: Work[]; leads: AssignedLead[] }

export const messagesKept = 300;

export function emptyDesk(): DeskState {
  return {presence: {agent: '', state: 'offline', intent: '', reason: '', slots: {}, since: 0}, offers: [], works: [], leads: []};
}

export function isVoice(channel: string): boolean {
  return channel === 'voice' || channel === 'call' || channel === 'phone';
}

export function findWork(state: DeskState, id: string): Work | undefined {
  return state.works.find(work => work.id === id);
}

function newWork(id: string, now: number): Work {
  return {id, channel: '', queue: '', direction: '', contactId: '', card: null, stage: 'connecting', openedAt: now, messages: [], pending: [], unread: 0, draft: '', call: null, wrapUp: null,
          closedReason: ''};
}

// The work with this id; made if there is none. An offer of it has been decided then, here or on another device of the same agent.
function takeWork(state: DeskState, id: string, now: number): Work {
  let work = findWork(state, id);
  if (!work || work.stage === 'closed') {
    state.works = state.works.filter(each => each.id !== id);
    state.works.push(newWork(id, now));
    work = state.works[state.works.length - 1]!;
  }
  const offer = state.offers.find(each => each.interaction === id);
  if (offer) {
    work.channel ||= offer.channel;
    work.queue ||= offer.queue;
    work.card ??= offer.card;
    work.contactId ||= offer.card?.id ?? '';
    state.offers = state.offers.filter(each => each.interaction !== id);
  }
  return work;
}

function newCall(state: string, now: number): Call {
  return {state, cause: '', since: now, muted: false, recordingPaused: false, consult: '', conference: false};
}

function subjectOf(offer: OfferPush): string {
  const context = offer.context;
  for (const name of ['summary', 'subject', 'text', 'campaign', 'reason']) {
    const value = context[name];
    if (typeof value === 'string' && value !== '') return value;
  }
  return '';
}

function setPresence(state: DeskState, push: PresencePush, now: number): void {
  const changed = state.presence.state !== push.state || state.presence.reason !== push.reason;
  state.presence = {agent: push.agent || state.presence.agent, state: push.state, intent: push.intent, reason: push.reason, slots: push.slots,
                    since: changed ? now : state.presence.since};
  // What the gateway says about the agent as a whole ends what this page believed about a consultation.
  const call = state.works.find(work => work.call && work.stage === 'active')?.call;
  if (call) {
    if (push.state === 'talking' || push.state === 'held') call.consult = '';
    if (push.state === 'conference') {
      call.conference = true;
      call.consult = '';
    } else if (push.state === 'talking') {
      call.conference = false;
    }
  }
}

function addOffer(state: DeskState, push: OfferPush, now: number): void {
  const work = findWork(state, push.interaction);
  if (push.autoAnswer || (work && work.stage !== 'closed')) {
    const taken = takeWork(state, push.interaction, now);
    taken.channel ||= push.channel;
    taken.queue ||= push.queue;
    taken.card = push.card ?? taken.card;
    taken.contactId ||= push.card?.id ?? '';
    if (isVoice(taken.channel)) taken.call ??= newCall('dialing_agent', now);
    return;
  }
  const offer: Offer = {id: push.offer, fence: push.fence, interaction: push.interaction, queue: push.queue, channel: push.channel, card: push.card, subject: subjectOf(push),
                        expiresAt: push.expiresAt, preview: push.preview, variables: push.variables};
  state.offers = [...state.offers.filter(each => each.id !== push.offer && each.interaction !== push.interaction), offer];
}

function isSame(one: Message, other: Message): boolean {
  if (one.direction !== other.direction) return false;
  // The touch of a message that came in is the one that it answers; several may answer one.
  if (one.direction === 'out' && one.touch !== '' && one.touch === other.touch) return true;
  if (one.providerId !== '' || other.providerId !== '') return one.providerId === other.providerId;
  return one.at !== '' && one.at === other.at && JSON.stringify(one.content) === JSON.stringify(other.content);
}

function textIn(message: Message): string {
  const text = message.content['text'];
  return typeof text === 'string' ? text : '';
}

// The one of one's own messages that this push shows, if any: by key, by touch, else the oldest unconfirmed with the same words.
function settlePending(work: Work, message: Message): void {
  const {pending} = work;
  const match = pending.find(each => (message.key !== '' && each.key === message.key) || (message.touch !== '' && each.touch === message.touch))
    ?? pending.find(each => each.touch === '' && each.stage !== 'failed' && message.key === '' && each.text === textIn(message));
  if (match) work.pending = pending.filter(each => each !== match);
}

export function addMessage(work: Work, message: Message, now: number): void {
  if (message.direction === 'out') settlePending(work, message);
  const known = work.messages.findIndex(each => isSame(each, message));
  if (known >= 0) {
    work.messages[known] = {...message, receivedAt: work.messages[known]!.receivedAt};
    return;
  }
  work.messages.push({...message, receivedAt: now});
  if (work.messages.length > messagesKept) work.messages.splice(0, work.messages.length - messagesKept);
}

// Earlier messages that were asked for, before the ones that were pushed.
export function mergeMessages(work: Work, fetched: Message[], now: number): void {
  const own = work.messages;
  const missing = own.filter(each => !fetched.some(other => isSame(other, each)));
  work.messages = [...fetched.map(each => ({...each, receivedAt: own.find(other => isSame(other, each))?.receivedAt ?? now})), ...missing].slice(-messagesKept);
  for (const message of work.messages) if (message.direction === 'out') settlePending(work, message);
}

function fillFrom(work: Work, view: InteractionView, now: number): void {
  work.channel = view.channel || work.channel;
  work.queue = view.queue || work.queue;
  work.direction = view.direction || work.direction;
  work.contactId = view.contactId || work.contactId;
  work.card = view.card ?? work.card;
  if (view.messages.length > 0) mergeMessages(work, view.messages, now);
  if (view.wrapUp) work.wrapUp = view.wrapUp;
  if (view.state === 'wrapping') work.stage = 'wrapping';
  else if (view.state === 'completed' || view.state === 'abandoned') work.stage = 'closed';
  else if (!isVoice(work.channel)) work.stage = 'active';
  if (isVoice(work.channel)) {
    work.call ??= newCall(view.callState || (view.state === 'assigned' ? 'connected' : 'dialing_agent'), now);
    if (view.callState !== '' && view.callState !== work.call.state) work.call = {...work.call, state: view.callState, since: now};
    if (work.stage === 'connecting' && (work.call.state === 'connected' || work.call.state === 'held')) work.stage = 'active';
  }
}

// The reply to an accepted offer. It may come before or after the pushes that the acceptance caused.
export function acceptedOffer(state: DeskState, offerId: string, view: InteractionView | null, now: number): string | null {
  const offer = state.offers.find(each => each.id === offerId);
  const id = view?.id || offer?.interaction;
  if (!id) return null;
  const known = findWork(state, id);
  if (known?.stage === 'closed' && !offer) return id;  // accepted, and over already
  const work = takeWork(state, id, now);
  if (view && (work.stage === 'connecting' || work.stage === 'active')) fillFrom(work, view, now);
  else if (!isVoice(work.channel) && work.stage === 'connecting') work.stage = 'active';
  return id;
}

function setCall(state: DeskState, id: string, callState: string, cause: string, now: number): void {
  const existing = findWork(state, id);
  if (callState === 'ended' && (!existing || existing.stage === 'closed')) return;
  const work = takeWork(state, id, now);
  work.channel ||= 'voice';
  const before = work.call;
  work.call = before ? {...before, state: callState, cause, since: before.state === 'held' || callState === 'held' ? before.since : now} : {...newCall(callState, now), cause};
  if (before?.state === callState) work.call.since = before.since;
  if (callState === 'connected' || callState === 'held') work.stage = work.stage === 'wrapping' ? 'wrapping' : 'active';
  else if (callState === 'ended') {
    work.call.consult = '';
    if (work.stage === 'active' || work.stage === 'connecting') {
      work.stage = 'closed';  // a wrap-up, if there is one, follows
      work.closedReason ||= cause;
    }
  }
}

function closeWork(state: DeskState, id: string, reason: string, now: number): void {
  state.offers = state.offers.filter(each => each.interaction !== id);
  const work = findWork(state, id);
  if (!work) return;
  work.closedReason = reason;
  if (work.call) work.call.state = 'ended';
  // A call's end by the customer leaves the agent in wrap-up; his own word or the clock ends that too.
  const deadline = work.wrapUp ? Date.parse(work.wrapUp.deadline) : Number.NaN;
  const goesOn = work.stage === 'wrapping' && reason !== 'agent' && reason !== 'timeout' && !(deadline < now);
  if (!goesOn) work.stage = 'closed';
}

function wrapUp(state: DeskState, id: string, deadline: string, codes: Disposition[], now: number): void {
  let work = findWork(state, id);
  if (!work) work = takeWork(state, id, now);
  state.offers = state.offers.filter(each => each.interaction !== id);
  work.wrapUp = {deadline, codes};
  work.stage = 'wrapping';
  if (work.call) work.call.state = 'ended';
}

function toLead(push: LeadPush): AssignedLead {
  return {id: push.lead, contact: push.contact, dueAt: push.dueAt, product: push.product, grade: push.grade};
}

function replaceBySnapshot(state: DeskState, push: Extract<Push, {type: 'snapshot'}>, now: number): void {
  if (push.presence) setPresence(state, push.presence, now);
  const before = state.works;
  state.offers = [];
  state.works = push.interactions.map(view => {
    const known = before.find(work => work.id === view.id && work.stage !== 'closed');
    const work = known ?? newWork(view.id, now);
    fillFrom(work, view, now);
    return work;
  });
  for (const offer of push.offers) addOffer(state, offer, now);
}

// Changes the state as the push says.
export function applyPush(state: DeskState, push: Push, now: number): void {
  switch (push.type) {
    case 'presence': setPresence(state, push, now); break;
    case 'offer': addOffer(state, push, now); break;
    case 'offer.revoked': state.offers = state.offers.filter(each => each.id !== push.offer); break;
    case 'interaction.connected': {
      const work = takeWork(state, push.interaction, now);
      work.channel = push.channel || work.channel;
      work.contactId = push.contactId || work.contactId;
      work.queue = push.queue || work.queue;
      work.direction = push.direction || work.direction;
      work.card = push.card ?? work.card;
      if (work.stage === 'connecting') work.stage = 'active';
      if (isVoice(work.channel)) {
        work.call ??= newCall('connected', now);
        if (work.call.state !== 'connected' && work.call.state !== 'held') work.call = {...work.call, state: 'connected', since: now};
      }
      break;
    }
    case 'message': {
      const work = takeWork(state, push.interaction, now);
      if (work.stage === 'connecting') work.stage = 'active';
      const before = work.messages.length;
      addMessage(work, push.message, now);
      if (push.message.direction === 'in' && (work.messages.length > before || before === messagesKept)) work.unread += 1;
      break;
    }
    case 'call.state': setCall(state, push.interaction, push.state, push.cause, now); break;
    case 'wrap_up': wrapUp(state, push.interaction, push.deadline, push.codes, now); break;
    case 'interaction.closed': closeWork(state, push.interaction, push.reason, now); break;
    case 'lead.assigned': state.leads = [...state.leads.filter(each => each.id !== push.lead), toLead(push)].slice(-50); break;
    case 'promise': case 'notice': break;  // told once, not kept
    case 'snapshot': replaceBySnapshot(state, push, now); break;
  }
}

// A wrap-up that the agent has finished, or whose time has long been over without a word from the gateway.
export function finishWork(state: DeskState, id: string, reason: string): void {
  const work = findWork(state, id);
  if (!work) return;
  work.stage = 'closed';
  work.closedReason ||= reason;
  work.wrapUp = null;
  if (work.call) work.call.state = 'ended';
}

export function removeWork(state: DeskState, id: string): void {
  state.works = state.works.filter(work => work.id !== id);
}
