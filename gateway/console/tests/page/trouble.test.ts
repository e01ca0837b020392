// What goes wrong: lost connections, refusals, silence, frames that nobody understands. Against the mock only.
import assert from 'node:assert/strict';
import {after, afterEach, before, beforeEach, describe, test} from 'node:test';
import type {Browser, BrowserContext, Page} from 'playwright-core';
import type {MockGateway} from '../mock-gateway.ts';
import {expectCount, expectText, signIn, startBrowser, until, watchedPage, type Watched} from './browser.ts';
import {mockStage} from './stage.ts';

const mockOnly = {skip: process.env['TOUCHGATE_URL'] ? 'needs the mock gateway' : false};

describe('trouble', mockOnly, () => {
  let browser: Browser;
  let context: BrowserContext;
  let mock: MockGateway;
  let token: string;
  let watched: Watched;
  before(async () => { browser = await startBrowser(); });
  after(async () => { await browser.close(); });
  beforeEach(async () => {
    ({mock, token} = await mockStage({wrapUpMs: 1500}));
    context = await browser.newContext({locale: 'en-US'});
    watched = await watchedPage(context, mock.url);
  });
  afterEach(async () => {
    await context.close();
    await mock.stop();
    assert.deepEqual(watched.faults, []);
  });
  const ready = async (): Promise<Page> => {
    await signIn(watched.page, mock.url, token);
    await watched.page.keyboard.press('Alt+r');
    await expectText(watched.page.getByTestId('presence'), /^\s*Ready/);
    return watched.page;
  };
  const conversation = async (): Promise<[Page, string]> => {
    const page = await ready();
    const {interaction} = mock.offer('agent-1', {text: 'one'});
    await page.locator('.offer').getByRole('button', {name: 'Accept'}).click();
    await page.locator('.pane').waitFor();
    return [page, interaction];
  };
  const texts = async (page: Page) => (await page.locator('[data-message] .bubble-text').allTextContents()).map(text => text.trim());

  test('an offer that is not answered goes back, and the agent is told why he gets no more', async () => {
    const page = await ready();
    mock.offer('agent-1', {timeoutMs: 1200});
    await expectCount(page.locator('.offer'), 1);
    await expectCount(page.locator('.offer'), 0);
    await expectText(page.locator('.notices'), 'not answered in time');
    await expectText(page.getByTestId('presence'), 'Did not answer');
    await page.keyboard.press('Alt+r');
    await expectText(page.getByTestId('presence'), /^\s*Ready/);
  });

  test('an offer that someone else took cannot be taken', async () => {
    const page = await ready();
    const {offer} = mock.offer('agent-1');
    await page.locator('.offer').waitFor();
    mock.agents.get('agent-1')!.offers.get(offer)!.fence += 1;
    await page.locator('.offer').getByRole('button', {name: 'Accept'}).click();
    await expectText(page.locator('.notice.refusal'), 'no longer open');
    mock.revoke('agent-1', offer, 'accepted_elsewhere');
    await expectText(page.locator('.notices'), 'took the offer');
    await expectCount(page.locator('.offer'), 0);
  });

  test('after a break everything that came meanwhile is there, each once', async () => {
    const [page, interaction] = await conversation();
    for (let round = 0; round < 3; ++round) {
      mock.dropConnections('agent-1');
      mock.customerWrites(interaction, {text: `while away ${round}`});
      await expectCount(page.locator('[data-message]'), 2 + round);
    }
    assert.deepEqual(await texts(page), ['one', 'while away 0', 'while away 1', 'while away 2']);
    await expectText(page.locator('.connection'), 'Connected');
    await expectText(page.locator('.notices'), 'Nothing was missed');
  });

  test('pushes that the gateway has forgotten are replaced by what holds now', async () => {
    const [page, interaction] = await conversation();
    const before = mock.agents.get('agent-1')!;
    await page.goto('about:blank');
    mock.customerWrites(interaction, {text: 'two'});
    mock.offer('agent-1', {contact: 'cust-7', text: 'another'});
    mock.forgetPushes('agent-1');
    assert.equal(before.kept.length, 0);
    watched.faults.length = 0;
    await page.goto(`${mock.url}/console/`);
    await expectCount(page.locator('.offer'), 1);
    await expectCount(page.locator('[data-message]'), 2);
    assert.deepEqual(await texts(page), ['one', 'two']);
  });

  test('a message whose answer is missing is not sent again by itself', async () => {
    const [page] = await conversation();
    mock.breaking.add('message.send');
    await page.getByLabel('Write a message').fill('did it arrive?');
    await page.keyboard.press('Enter');
    await expectText(page.locator('[data-pending=unsure]'), 'may have been sent');
    assert.equal(mock.asked('message.send').length, 0);
    await expectText(page.locator('.connection'), 'Connected');
    await page.getByRole('button', {name: 'Send again'}).click();
    await expectCount(page.locator('.bubble.pending'), 0);
    assert.deepEqual(await texts(page), ['one', 'did it arrive?']);
    const sent = mock.asked('message.send');
    assert.equal(sent.length, 1);
    assert(sent[0]!['key']);
  });

  test('a message whose push comes without a reply is sent', async () => {
    const [page] = await conversation();
    mock.silent.add('message.send');
    await page.getByLabel('Write a message').fill('two');
    await page.keyboard.press('Enter');
    await expectCount(page.locator('[data-message]'), 2);
    await expectCount(page.locator('.bubble.pending'), 0);
  });

  test('a denied message is explained in plain words, in either language, and can be discarded', async () => {
    const [page] = await conversation();
    mock.denyNextSend = {verdict: 'deny', policy: 'p@1', rule: 'night', until: '2099-01-01T01:00:00.000Z', trace: [{rule: 'night', verdict: 'deny', why: {en: 'No messages after nine in the evening.', 'zh-CN': '晚上九点后不发送消息。'}}]};
    await page.getByLabel('Write a message').fill('Good night');
    await page.keyboard.press('Enter');
    const notice = page.locator('.notice.refusal');
    await expectText(notice, 'The contact policy does not allow this message.');
    await expectText(notice, 'No messages after nine in the evening.');
    await expectText(notice, 'Possible again at');
    await expectCount(page.locator('[data-pending=failed]'), 1);
    await page.getByRole('button', {name: 'Discard'}).click();
    await expectCount(page.locator('.bubble.pending'), 0);
    await page.getByText('Settings').click();
    await page.getByLabel('Language').selectOption('zh-CN');
    mock.denyNextSend = {verdict: 'deny', rule: 'opt-out', until: null, trace: []};
    await page.getByLabel('输入消息').fill('再见');
    await page.keyboard.press('Enter');
    await expectText(page.locator('.notice.refusal').last(), '客户已拒绝通过该渠道联系');
  });

  test('malformed and unknown pushes are ignored', async () => {
    const [page, interaction] = await conversation();
    for (const text of ['{', '[]', 'null', '"x"', '{"seq":"many","type":"offer"}', '{"type":"offer","offer":"x","interaction":"y"}', '{"reply_to":12345,"ok":true}']) mock.sendText('agent-1', text);
    for (const frame of [{type: 'weather'}, {type: 'offer'}, {type: 'offer', offer: {}, interaction: []}, {type: 'message', interaction}, {type: 'message', interaction, direction: 'in', content: 7, at: {}},
                         {type: 'presence', state: 7}, {type: 'call.state', interaction: 'nobody', state: 'ended'}, {type: 'wrap_up'}, {type: 'interaction.closed', interaction: 'nobody'}, {type: 'lead.assigned'},
                         {type: 'offer.revoked', offer: 'nobody'}, {type: 42}, {}]) mock.pushRaw('agent-1', frame as Record<string, unknown>);
    mock.customerWrites(interaction, {text: 'still there?'});
    await expectText(page.locator('.bubble.in').last(), 'still there?');
    await expectCount(page.locator('.offer'), 0);
    await expectText(page.locator('.connection'), 'Connected');
  });

  test('requests that the gateway does not have hide what they are for', async () => {
    for (const type of ['templates.list', 'timeline.get', 'promises.list', 'contact.get', 'interaction.get', 'agents.list', 'queues.list', 'wallboard.get', 'sip.settings']) mock.missing.add(type);
    const [page] = await conversation();
    await expectText(page.locator('.card'), '王芳');  // from the offer
    await page.getByRole('button', {name: 'Templates'}).click();
    await expectCount(page.getByRole('button', {name: 'Templates'}), 0);
    await page.getByText('History').click();
    await expectCount(page.getByText('History'), 0);
    await expectCount(page.getByText('Promised call-backs'), 0);
    await expectCount(page.locator('.notice.refusal'), 0);
  });

  test('a token that has expired leads back to the sign-in, with nothing left behind', async () => {
    const page = await ready();
    mock.expireToken('agent-1');
    await expectText(page.getByRole('status'), 'may have expired');
    assert.equal(await page.evaluate(() => JSON.stringify(sessionStorage)), '{}');
  });

  test('a gateway that cannot be reached is tried again until it can', async () => {
    const page = await ready();
    await context.setOffline(true);
    mock.dropConnections('agent-1');
    await expectText(page.locator('.connection'), 'Trying again');
    await page.getByLabel('Language').or(page.getByText('Settings')).first().waitFor();
    await page.getByRole('button', {name: 'Not ready …'}).click();
    await page.getByRole('button', {name: 'Lunch'}).click();
    await expectText(page.locator('.notice.refusal'), 'nothing was done');
    await context.setOffline(false);
    await expectText(page.locator('.connection'), 'Connected');
    watched.faults.length = 0;
  });

  test('the time of a wrap-up runs out by the gateway\'s clock', async () => {
    const page = await ready();
    const {interaction} = mock.offer('agent-1', {channel: 'voice'});
    await page.locator('.offer').getByRole('button', {name: 'Accept'}).click();
    mock.callState(interaction, 'connected');
    await expectText(page.getByTestId('call-state'), 'Connected');
    mock.customerHangsUp(interaction);
    await expectText(page.locator('.wrap-up-head'), /s left/);
    await expectText(page.locator('.pane-closed'), 'the time was up');
    await page.getByRole('button', {name: 'Remove from the desk'}).click();
    await expectCount(page.locator('.pane'), 0);
  });

  test('timers run in a worker, so that a sleeping tab stays signed in', async () => {
    const page = await ready();
    assert.equal(page.workers().length, 1);
    await until('health reports', () => mock.asked('health.report').length > 0);
  });
});
