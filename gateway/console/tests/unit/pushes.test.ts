import assert from 'node:assert/strict';
import {describe, test} from 'node:test';
import {readCard, readMessage, readPush} from '@agent-client';
import {attachmentOf} from '../../src/desk/attachments.ts';
import {setLanguage} from '../../src/texts/texts.ts';

describe('reading pushes', () => {
  test('a card reads its profile, its masked addresses and what was done', () => {
    const card = readCard({id: 'c', name: '', addresses: ['+86138****0000', 'wecom:wm3f…'], attributes: {name: '王芳', score: 7, vip: true, list: ['a', 'b'], deep: {x: 1}}, tags: ['VIP', 3, null],
                           consents: [{channel: 'sms', purpose: 'marketing', granted: false}], touches: [{id: 't', channel: 'sms', campaign: 'double11', state: 'delivered'}],
                           leads: [{id: 'l', stage: 'new', score: 50}, {stage: 'new'}], suggestion: 'keep_promise'});
    assert.equal(card?.name, '王芳');
    assert.deepEqual(card?.phones, ['+86138****0000', 'wecom:wm3f…']);
    assert.deepEqual(card?.attributes, {score: '7', vip: 'true', list: 'a, b'});
    assert.deepEqual(card?.tags, ['VIP', '3']);
    assert.equal(card?.consents[0]?.status, 'withdrawn');
    assert.equal(card?.lastTouches[0]?.text, 'double11');
    assert.deepEqual(card?.leads.map(lead => lead.id), ['l']);
    assert.deepEqual(card?.suggested, [{action: 'keep_promise', text: '', texts: {}}]);
  });

  test('an offer tells whether it is a preview, and what is to be said', () => {
    const offer = {type: 'offer', offer: 'o', interaction: 'i', fence: 1, queue: 'sales', channel: 'voice', context: {campaign: 'c1', variables: {plan: 'Gold', count: 3}}, preview: true};
    const push = readPush(offer);
    assert(push?.type === 'offer');
    assert.deepEqual([push.preview, push.autoAnswer, push.variables], [true, false, {plan: 'Gold', count: '3'}]);
    const plain = readPush({type: 'offer', offer: 'o', interaction: 'i', context: null});
    assert(plain?.type === 'offer');
    assert.deepEqual([plain.preview, plain.variables], [false, {}]);
  });

  test('nothing that is no card reads as one, and nothing throws', () => {
    for (const value of [null, undefined, 7, 'x', [], {}, {id: {}}, {id: ''}]) assert.equal(readCard(value), null);
    for (const value of [null, 7, [], {}, {direction: 'in', content: 7}, {direction: 'in', content: null}]) readMessage(value);
    for (const type of ['presence', 'offer', 'offer.revoked', 'interaction.connected', 'interaction.closed', 'message', 'call.state', 'wrap_up', 'lead.assigned', 'snapshot', 'promise', 'notice', 'x'])
      for (const value of [null, 7, [], {}, 'x']) readPush({type, offer: value, interaction: value, state: value, slots: value, contact: value, presence: value, offers: value, interactions: value, codes: value, lead: value});
  });

  test('attachments are named for what they are and linked only to the web', () => {
    setLanguage('en');
    const of = (content: Record<string, unknown>, kind = '') => attachmentOf(readMessage({direction: 'in', content, kind})!);
    assert.equal(of({text: 'hello'}), null);
    assert.deepEqual(of({image: {media_id: 'm', url: 'https://example.org/a.png'}}), {label: 'Image', lines: [], link: 'https://example.org/a.png'});
    assert.deepEqual(of({file: {filename: 'offer.pdf'}})?.lines, ['offer.pdf']);
    assert.deepEqual(of({location: {latitude: 30.2, longitude: 120.1, address: '西湖'}})?.lines, ['西湖', '30.2, 120.1']);
    assert.deepEqual(of({media_id: 'm', duration: 3}, 'voice'), {label: 'Voice message', lines: ['3 s'], link: ''});
    assert.equal(of({link: {title: 'x', url: 'javascript:alert(1)'}})?.link, '');
    assert.equal(of({hologram: {x: 1}}, 'hologram')?.label, 'Message of the kind hologram');
  });
});
