// What an agent does with offers, conversations and calls.
import {readInteraction, RequestError, recordOf, textOf} from '@agent-client';
import {t} from '../texts/texts.ts';
import {gatewayNow} from '../timing/now.ts';
import type {Desk} from './desk.ts';
import {explain} from './explain.ts';
import {acceptedOffer, finishWork, isVoice, mergeMessages, removeWork, type Offer, type PendingMessage, type Work} from './state.ts';

export async function acceptOffer(desk: Desk, offer: Offer): Promise<void> {
  const reply = await desk.ask('offer.accept', offer.fence === null ? {offer: offer.id} : {offer: offer.id, fence: offer.fence});
  if (!reply) return;
  const id = acceptedOffer(desk.state, offer.id, readInteraction(reply['interaction']), gatewayNow());
  desk.changed();
  if (id) desk.look({kind: 'work', id});
}

export async function rejectOffer(desk: Desk, offer: Offer, reason = ''): Promise<void> {
  const reply = await desk.ask('offer.reject', {offer: offer.id, reason: reason || 'agent'});
  if (!reply) return;
  desk.state.offers = desk.state.offers.filter(each => each.id !== offer.id);
  desk.changed();
}

async function hand(desk: Desk, work: Work, pending: PendingMessage): Promise<void> {
  const find = () => desk.work(work.id)?.pending.find(each => each.key === pending.key);
  try {
    const reply = await desk.tryAsk('message.send', {interaction: work.id, content: {text: pending.text}, key: pending.key});
    const touch = textOf(recordOf(reply['touch'])['id']);
    const waiting = find();
    if (!waiting) return;  // the push came first
    waiting.stage = 'sent';
    waiting.touch = touch;
    const current = desk.work(work.id);
    if (current && touch !== '' && current.messages.some(message => message.touch === touch)) current.pending = current.pending.filter(each => each !== waiting);
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    const waiting = find();
    if (waiting) waiting.stage = error.outcomeUnknown ? 'unsure' : 'failed';
    if (!error.outcomeUnknown) desk.notices.say(explain(error, 'message.send', gatewayNow()), 'refusal');
  } finally {
    desk.changed();
  }
}

export async function sendMessage(desk: Desk, work: Work, text: string): Promise<void> {
  const pending: PendingMessage = {key: crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`, text, at: gatewayNow(), stage: 'sending', touch: ''};
  work.pending.push(pending);
  await hand(desk, work, pending);
}

// Only at the agent's word: what is not confirmed may have arrived.
export async function sendAgain(desk: Desk, work: Work, pending: PendingMessage): Promise<void> {
  pending.stage = 'sending';
  await hand(desk, work, pending);
}

export function discardPending(desk: Desk, work: Work, pending: PendingMessage): void {
  work.pending = work.pending.filter(each => each.key !== pending.key);
  desk.changed();
}

export async function loadMessages(desk: Desk, work: Work): Promise<void> {
  const reply = await desk.ask('interaction.get', {interaction: work.id}, true);
  const view = readInteraction(reply?.['interaction']);
  const current = desk.work(work.id);
  if (!view || !current) return;
  mergeMessages(current, view.messages, gatewayNow());
  current.card ??= view.card;
  current.contactId ||= view.contactId;
  desk.changed();
}

export async function wrapUp(desk: Desk, work: Work, disposition: string, note: string): Promise<boolean> {
  const reply = await desk.ask('interaction.wrap_up', {interaction: work.id, disposition, note});
  if (!reply) return false;
  finishWork(desk.state, work.id, 'agent');
  dismiss(desk, work);
  desk.notices.say(t('wrap_up.saved'));
  return true;
}

export function dismiss(desk: Desk, work: Work): void {
  removeWork(desk.state, work.id);
  const next = desk.state.works.find(each => each.stage !== 'closed') ?? desk.state.works[0];
  desk.look(next ? {kind: 'work', id: next.id} : null);
  desk.changed();
}

export async function transfer(desk: Desk, work: Work, to: string, mode: 'blind' | 'consult', note: string): Promise<boolean> {
  const fields = {interaction: work.id, to, ...(note === '' ? {} : {note})};
  const reply = isVoice(work.channel) ? await desk.ask('call.transfer', {...fields, mode}) : await desk.ask('interaction.transfer', fields);
  if (!reply) return false;
  if (mode === 'consult' && work.call) work.call.consult = to;
  else desk.notices.say(t('transfer.done'));
  desk.changed();
  return true;
}

export async function consult(desk: Desk, work: Work, step: 'complete' | 'cancel' | 'toggle'): Promise<void> {
  const reply = await desk.ask(`call.consult.${step}`, {interaction: work.id});
  if (reply && step !== 'toggle' && work.call) work.call.consult = '';
  desk.changed();
}

export async function conference(desk: Desk, work: Work): Promise<void> {
  if (await desk.ask('call.conference', {interaction: work.id}) && work.call) {
    work.call.conference = true;
    work.call.consult = '';
    desk.changed();
  }
}

export async function toggleHold(desk: Desk, work: Work): Promise<void> {
  if (!work.call) return;
  await desk.ask(work.call.state === 'held' ? 'call.resume' : 'call.hold', {interaction: work.id});
}

// The microphone is closed here at once; the gateway is told, for telephones that are not in this page.
export async function toggleMute(desk: Desk, work: Work, muteHere: (muted: boolean) => boolean): Promise<void> {
  const {call} = work;
  if (!call) return;
  const muted = !call.muted;
  const doneHere = muteHere(muted);
  if (doneHere) call.muted = muted;
  const reply = await desk.ask(muted ? 'call.mute' : 'call.unmute', {interaction: work.id}, doneHere);
  if (reply && work.call) work.call.muted = muted;
  desk.changed();
}

export async function toggleRecording(desk: Desk, work: Work): Promise<void> {
  const {call} = work;
  if (!call) return;
  const pause = !call.recordingPaused;
  if (await desk.ask(pause ? 'call.record_pause' : 'call.record_resume', {interaction: work.id})) call.recordingPaused = pause;
  desk.changed();
}

// The customer waits for whoever of the queue takes him up; this desk is free.
export async function park(desk: Desk, work: Work): Promise<void> {
  if (await desk.ask('call.park', {interaction: work.id})) desk.notices.say(t('parked.done'));
}

export async function pickUp(desk: Desk, interaction: string): Promise<void> {
  const reply = await desk.ask('call.pickup', {interaction});
  if (!reply) return;
  const id = acceptedOffer(desk.state, '', readInteraction(reply['interaction']), gatewayNow());
  desk.changed();
  if (id) desk.look({kind: 'work', id});
}

export async function hangUp(desk: Desk, work: Work): Promise<void> {
  await desk.ask('call.hangup', {interaction: work.id});
}

export async function pressKey(desk: Desk, work: Work, digits: string): Promise<void> {
  await desk.ask('call.dtmf', {interaction: work.id, digits});
}

export async function dial(desk: Desk, target: {contact: string} | {number: string}, purpose: string): Promise<boolean> {
  const reply = await desk.ask('call.dial', {...target, purpose});
  if (!reply) return false;
  const view = readInteraction(reply['interaction']) ?? readInteraction({id: textOf(reply['interaction']), channel: 'voice'});
  if (view) {
    const id = acceptedOffer(desk.state, '', {...view, channel: view.channel || 'voice', direction: 'outbound'}, gatewayNow());
    if (id) desk.look({kind: 'work', id});
    desk.changed();
  }
  return true;
}
