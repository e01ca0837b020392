import assert from 'node:assert/strict';
import {describe, test} from 'node:test';
import {readInteraction, readPush, type JsonRecord} from '@agent-client';
import {acceptedOffer, applyPush, emptyDesk, findWork, finishWork, mergeMessages, messagesKept, type DeskState} from '../../src/desk/state.ts';

function desk() {
  const state = emptyDesk();
  let now = 1_000_000;
  const push = (frame: JsonRecord) => {
    const read = readPush(frame);
    assert(read, `${JSON.stringify(frame)} cannot be read`);
    now += 1000;
    applyPush(state, read, now);
  };
  return {state, push, now: () => now};
}

const offer = (id: string, channel = 'wecom', more: JsonRecord = {}): JsonRecord => ({
  type: 'offer', offer: id, fence: 3, interaction: `work-${id}`, queue: 'care', channel, contact: {id: 'cust-42', name: '王芳', phones: ['+86138****0000']}, context: {}, expires_at: '2026-01-01T00:00:00Z', ...more});
const message = (interaction: string, direction: string, text: string, more: JsonRecord = {}): JsonRecord => ({type: 'message', interaction, direction, content: {text}, at: '2026-01-01T00:00:00Z', ...more});
const stage = (state: DeskState, id: string) => findWork(state, id)?.stage;

describe('desk state', () => {
  test('an offer becomes work with its customer when it is accepted, whichever of reply and pushes comes first', () => {
    for (const replyFirst of [true, false]) {
      const {state, push, now} = desk();
      push(offer('a'));
      assert.equal(state.offers[0]?.card?.name, '王芳');
      const reply = () => acceptedOffer(state, 'a', readInteraction({id: 'work-a', channel: 'wecom', state: 'assigned', contact_id: 'cust-42', messages: [{direction: 'in', content: {text: '你好'}, at: 'x', provider_id: 'p1'}]}), now());
      if (replyFirst) reply();
      push({type: 'interaction.connected', interaction: 'work-a', channel: 'wecom', contact_id: 'cust-42', queue: 'care'});
      if (!replyFirst) reply();
      assert.equal(state.offers.length, 0);
      assert.equal(state.works.length, 1);
      assert.equal(stage(state, 'work-a'), 'active');
      assert.equal(findWork(state, 'work-a')?.card?.name, '王芳');
      assert.equal(findWork(state, 'work-a')?.messages.length, 1);
    }
  });

  test('the other device of the same agent sees the offer turn into work by the pushes alone', () => {
    const {state, push} = desk();
    push(offer('a', 'voice'));
    push({type: 'call.state', interaction: 'work-a', state: 'dialing_agent'});
    assert.equal(state.offers.length, 0);
    assert.equal(stage(state, 'work-a'), 'connecting');
    push({type: 'call.state', interaction: 'work-a', state: 'connected'});
    assert.equal(stage(state, 'work-a'), 'active');
    assert.equal(findWork(state, 'work-a')?.card?.name, '王芳');
  });

  test('a revoked offer goes, and one that is offered again is a new one', () => {
    const {state, push} = desk();
    push(offer('a'));
    push({type: 'offer.revoked', offer: 'a', interaction: 'work-a', reason: 'timeout'});
    assert.equal(state.offers.length, 0);
    push({...offer('b'), interaction: 'work-a'});
    push({type: 'offer.revoked', offer: 'a', interaction: 'work-a', reason: 'timeout'});
    assert.deepEqual(state.offers.map(each => each.id), ['b']);
  });

  test('a call that is connected automatically was never a choice', () => {
    const {state, push} = desk();
    push(offer('a', 'voice', {auto_answer: true}));
    assert.equal(state.offers.length, 0);
    assert.equal(findWork(state, 'work-a')?.call?.state, 'dialing_agent');
  });

  test('messages are counted as unread, those of one\'s own are not', () => {
    const {state, push} = desk();
    push({type: 'interaction.connected', interaction: 'w', channel: 'sms', contact_id: 'c', queue: 'q'});
    push(message('w', 'in', 'one', {provider_id: 'p1'}));
    push(message('w', 'in', 'one', {provider_id: 'p2'}));
    push(message('w', 'out', 'two', {touch: 't1'}));
    const work = findWork(state, 'w');
    assert.equal(work?.unread, 2);
    assert.equal(work?.messages.length, 3);
  });

  test('two answers of a customer to one touch are two messages', () => {
    const {state, push} = desk();
    push(message('w', 'in', 'first', {provider_id: 'p1', touch: 't1'}));
    push(message('w', 'in', 'second', {provider_id: 'p2', touch: 't1'}));
    assert.equal(findWork(state, 'w')?.messages.length, 2);
  });

  test('a message of one\'s own is shown once, whether the push or the reply comes first', () => {
    const {state, push} = desk();
    push({type: 'interaction.connected', interaction: 'w', channel: 'sms', contact_id: 'c', queue: 'q'});
    const work = findWork(state, 'w')!;
    work.pending.push({key: 'k1', text: 'hello', at: 0, stage: 'sending', touch: ''});
    push(message('w', 'out', 'hello', {touch: 't1'}));
    assert.equal(work.pending.length, 0);
    assert.equal(work.messages.length, 1);
    work.pending.push({key: 'k2', text: 'again', at: 0, stage: 'sent', touch: 't2'}, {key: 'k3', text: 'again', at: 0, stage: 'sending', touch: ''});
    push(message('w', 'out', 'again', {touch: 't2'}));
    assert.deepEqual(work.pending.map(each => each.key), ['k3']);
  });

  test('messages that were asked for and messages that were pushed make one list', () => {
    const {state, push, now} = desk();
    push(message('w', 'in', 'new', {provider_id: 'p2'}));
    const work = findWork(state, 'w')!;
    const fetched = readInteraction({id: 'w', messages: [{direction: 'in', content: {text: 'old'}, provider_id: 'p1'}, {direction: 'in', content: {text: 'new'}, provider_id: 'p2'}]})!;
    mergeMessages(work, fetched.messages, now());
    mergeMessages(work, fetched.messages, now());
    assert.deepEqual(work.messages.map(each => each.providerId), ['p1', 'p2']);
  });

  test('what is kept of a conversation has an end', () => {
    const {state, push} = desk();
    for (let i = 0; i < messagesKept + 20; ++i) push(message('w', 'in', `m${i}`, {provider_id: `p${i}`}));
    assert.equal(findWork(state, 'w')?.messages.length, messagesKept);
    assert.equal(findWork(state, 'w')?.messages.at(-1)?.content['text'], `m${messagesKept + 19}`);
  });

  test('a call that ends leaves the agent in wrap-up until he is done', () => {
    const {state, push} = desk();
    push({type: 'interaction.connected', interaction: 'w', channel: 'voice', contact_id: 'c', queue: 'q'});
    push({type: 'call.state', interaction: 'w', state: 'held'});
    push({type: 'call.state', interaction: 'w', state: 'ended', cause: 'customer'});
    push({type: 'wrap_up', interaction: 'w', deadline: '2099-01-01T00:00:00Z', codes: ['resolved', {code: 'callback', label: 'Call back', promise: true}]});
    push({type: 'interaction.closed', interaction: 'w', reason: 'customer'});
    assert.equal(stage(state, 'w'), 'wrapping');
    assert.deepEqual(findWork(state, 'w')?.wrapUp?.codes.map(each => [each.code, each.promise]), [['resolved', false], ['callback', true]]);
    finishWork(state, 'w', 'agent');
    push({type: 'interaction.closed', interaction: 'w', reason: 'agent'});
    assert.equal(stage(state, 'w'), 'closed');
  });

  test('a wrap-up whose time is over is closed by the gateway', () => {
    const {state, push} = desk();
    push({type: 'wrap_up', interaction: 'w', deadline: '2099-01-01T00:00:00Z', codes: []});
    push({type: 'interaction.closed', interaction: 'w', reason: 'timeout'});
    assert.equal(stage(state, 'w'), 'closed');
  });

  test('the length of a call goes on over a hold', () => {
    const {state, push} = desk();
    push({type: 'call.state', interaction: 'w', state: 'connected'});
    const since = findWork(state, 'w')?.call?.since;
    push({type: 'call.state', interaction: 'w', state: 'held'});
    push({type: 'call.state', interaction: 'w', state: 'connected'});
    assert.equal(findWork(state, 'w')?.call?.since, since);
  });

  test('a snapshot says what there is; messages that are known stay', () => {
    const {state, push} = desk();
    push(offer('a'));
    push({type: 'interaction.connected', interaction: 'old', channel: 'sms', contact_id: 'c', queue: 'q'});
    push(message('kept', 'in', 'hello', {provider_id: 'p1'}));
    push({type: 'snapshot', presence: {state: 'ready', intent: 'ready', slots: {sms: {used: 1, capacity: 5}}}, offers: [offer('b')], interactions: [{id: 'kept', channel: 'sms', state: 'assigned', contact_id: 'c'},
                                                                                                                           {id: 'new', channel: 'voice', state: 'wrapping', wrap_up: {deadline: 'x', codes: ['done']}}]});
    assert.deepEqual(state.offers.map(each => each.id), ['b']);
    assert.deepEqual(state.works.map(each => [each.id, each.stage]), [['kept', 'active'], ['new', 'wrapping']]);
    assert.equal(findWork(state, 'kept')?.messages.length, 1);
    assert.deepEqual(state.presence.slots, {sms: {used: 1, capacity: 5}});
  });

  test('a customer who writes again after the end opens work anew', () => {
    const {state, push} = desk();
    push(message('w', 'in', 'hello', {provider_id: 'p1'}));
    push({type: 'interaction.closed', interaction: 'w', reason: 'customer'});
    assert.equal(stage(state, 'w'), 'closed');
    push(message('w', 'in', 'me again', {provider_id: 'p2'}));
    assert.equal(stage(state, 'w'), 'active');
    assert.equal(state.works.length, 1);
  });

  test('the state survives being written down and read again', () => {
    const {state, push} = desk();
    push(offer('a'));
    push(message('w', 'in', '你好', {provider_id: 'p1'}));
    push({type: 'lead.assigned', lead: 'l1', contact: 'c', due_at: '2026-01-01T00:00:00Z'});
    assert.deepEqual(JSON.parse(JSON.stringify(state)), state);
  });
});
