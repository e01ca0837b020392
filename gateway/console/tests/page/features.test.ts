// Calls, customers, supervisors, languages, the keyboard, the sidebar. Against the mock only.
import assert from 'node:assert/strict';
import {after, afterEach, before, beforeEach, describe, test} from 'node:test';
import type {Browser, BrowserContext, Page} from 'playwright-core';
import type {MockGateway} from '../mock-gateway.ts';
import {expectCount, expectText, signIn, startBrowser, until, watchedPage, type Watched} from './browser.ts';
import {mockStage} from './stage.ts';

const mockOnly = {skip: process.env['TOUCHGATE_URL'] ? 'needs the mock gateway' : false};

describe('features', mockOnly, () => {
  let browser: Browser;
  let context: BrowserContext;
  let mock: MockGateway;
  let token: string;
  let watched: Watched;
  before(async () => { browser = await startBrowser(); });
  after(async () => { await browser.close(); });
  beforeEach(async () => {
    ({mock, token} = await mockStage({wallboardOverHttp: true}));
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
  const talking = async (): Promise<[Page, string]> => {
    const page = await ready();
    const {interaction} = mock.offer('agent-1', {channel: 'voice'});
    await page.locator('.offer').waitFor();
    await page.keyboard.press('Alt+a');
    await expectText(page.getByTestId('call-state'), 'Calling your phone');
    mock.callState(interaction, 'connected');
    await expectText(page.getByTestId('call-state'), 'Connected');
    return [page, interaction];
  };
  const asked = (type: string) => until(`${type} was asked`, () => mock.asked(type).length > 0);

  test('a call: hold, mute, keys, recording, hang up, wrap-up with a promised call-back', async () => {
    const [page] = await talking();
    await expectText(page.getByTestId('presence'), 'Talking');
    await page.keyboard.press('Alt+h');
    await expectText(page.getByTestId('call-state'), 'On hold');
    await page.keyboard.press('Alt+h');
    await expectText(page.getByTestId('call-state'), 'Connected');
    await page.keyboard.press('Alt+m');
    await expectText(page.locator('.call-state'), 'muted');
    await page.getByRole('button', {name: 'Unmute'}).click();
    await page.getByRole('button', {name: 'Keypad'}).click();
    await page.getByRole('button', {name: 'Key 4'}).click();
    await page.getByRole('group', {name: 'Keypad'}).press('2');
    await until('two keys', () => mock.asked('call.dtmf').map(each => each['digits']).join('') === '42');
    await page.getByRole('button', {name: 'Pause recording'}).click();
    await expectText(page.locator('.call-state'), 'recording paused');
    await page.keyboard.press('Alt+k');
    await expectText(page.locator('.wrap-up-head'), /\d+ s left/);
    await page.getByRole('radio', {name: 'Call back'}).check();
    await page.getByLabel('Note').fill('asks for the price');
    await page.getByRole('button', {name: 'Done'}).click();
    await expectCount(page.locator('.pane'), 0);
    assert.deepEqual(mock.asked('interaction.wrap_up').map(each => each['disposition']), ['callback']);
    assert.deepEqual(mock.asked('promise.create').map(each => [each['contact'], each['note']]), [['cust-42', 'asks for the price']]);
    await expectText(page.getByRole('region', {name: 'Promised call-backs'}), 'asks for the price');
  });

  test('a transfer after a consultation, and one at once', async () => {
    mock.addAgent('agent-2', {name: 'Zhang Wei'});
    const [page] = await talking();
    await page.keyboard.press('Alt+t');
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('radio', {name: 'Agent'}).check();
    await dialog.getByRole('combobox').selectOption('agent-2');
    await dialog.getByRole('button', {name: 'Consult first'}).click();
    await expectText(page.locator('.call-state'), 'Consulting agent:agent-2');
    await page.getByRole('button', {name: 'Toggle'}).click();
    await asked('call.consult.toggle');
    await page.getByRole('button', {name: 'Cancel consultation'}).click();
    await expectCount(page.getByText('Consulting agent:agent-2'), 0);
    await page.keyboard.press('Alt+t');
    await dialog.getByRole('combobox').selectOption('sales');
    await dialog.getByRole('button', {name: 'Transfer now'}).click();
    await expectText(page.locator('.wrap-up-head'), 'Wrap-up');
    assert.deepEqual(mock.asked('call.transfer').map(each => [each['to'], each['mode']]), [['agent:agent-2', 'consult'], ['queue:sales', 'blind']]);
  });

  test('a customer is called from his card, and only his masked number is ever in the page or on the wire', async () => {
    const page = await ready();
    mock.offer('agent-1');
    await page.keyboard.press('Alt+a');
    await page.locator('.offer, .pane').first().waitFor();
    if (await page.locator('.offer').count() > 0) await page.keyboard.press('Alt+a');
    await page.locator('.pane').waitFor();
    await page.locator('.card').getByRole('button', {name: 'Call', exact: true}).click();
    await asked('call.dial');
    assert.deepEqual(mock.asked('call.dial').map(each => [each['contact'], each['purpose'], each['number']]), [['cust-42', 'service', undefined]]);
    await expectText(page.locator('.card'), '+86138****0000');
    assert(watched.frames.every(frame => !/\+861[0-9]{10}/.test(frame)));
    assert.equal(await page.getByLabel('Phone number').count(), 0, 'a number may be dialled without the right to');
  });

  test('a recipient of a campaign is dialled, or skipped with a reason', async () => {
    const page = await ready();
    mock.offer('agent-1', {channel: 'voice', preview: true, variables: {plan: 'Gold'}});
    const offer = page.locator('.offer');
    await expectText(offer, 'nothing is dialled before you say so');
    await expectText(offer.locator('.details'), 'Gold');
    await offer.getByLabel('Reason for skipping').fill('on holiday');
    await offer.getByRole('button', {name: 'Skip'}).click();
    await expectCount(offer, 0);
    assert.deepEqual(mock.asked('offer.reject').map(each => each['reason']), ['on holiday']);
    mock.offer('agent-1', {channel: 'voice', preview: true});
    await offer.getByRole('button', {name: 'Dial'}).click();
    await expectText(page.getByTestId('call-state'), 'Calling your phone');
  });

  test('the card: suggestion, leads, history by pages, do not contact again with one click', async () => {
    const page = await ready();
    mock.offer('agent-1');
    const card = page.locator('.card');
    await expectText(card, 'Go on with the open lead');
    await card.getByRole('button', {name: 'Accept'}).click();
    await card.getByRole('button', {name: 'Contacted'}).waitFor();
    await card.getByText('History').click();
    await expectCount(card.locator('.timeline li'), 20);
    await card.getByRole('button', {name: 'Show more'}).click();
    await expectCount(card.locator('.timeline li'), 40);
    await card.getByRole('button', {name: 'Show more'}).click();
    await expectCount(card.locator('.timeline li'), 43);
    await expectCount(card.getByRole('button', {name: 'Show more'}), 0);
    await card.getByRole('button', {name: 'Do not contact again by: SMS'}).click();
    await expectText(page.locator('.notices'), 'no more contact by SMS');
    assert.deepEqual(mock.asked('contact.do_not_contact').map(each => [each['contact'], each['channels']]), [['cust-42', ['sms']]]);
    assert(await card.locator('[data-dnc=sms]').isDisabled());
    await expectText(card.locator('[data-dnc=sms]'), 'withdrawn');
  });

  test('a promised call-back is made, shown and kept', async () => {
    const page = await ready();
    mock.offer('agent-1');
    const card = page.locator('.card');
    await card.getByRole('button', {name: 'Promise', exact: true}).click();
    await card.getByRole('button', {name: 'in 60 min'}).click();
    await card.getByLabel('What about').fill('price of the plan');
    await page.keyboard.press('Enter');
    const mine = page.getByRole('region', {name: 'Promised call-backs'});
    await expectText(mine, 'price of the plan');
    const at = Date.parse(String(mock.asked('promise.create')[0]!['at']));
    assert(Math.abs(at - Date.now() - 3_600_000) < 120_000, 'the promise is for another time');
    await mine.getByRole('button', {name: 'Kept'}).click();
    await expectText(mine, 'Nothing is promised');
  });

  test('a lead that is assigned is shown, opened and accepted', async () => {
    const page = await ready();
    mock.assignLead('agent-1', 'lead-9', 'cust-7');
    const lead = page.locator('.left [data-lead=lead-9]');
    await lead.getByRole('button', {name: 'Savings plan'}).click();
    await expectText(page.locator('.card'), 'Li Lei');
    await lead.getByRole('button', {name: 'Accept'}).click();
    await expectCount(lead, 0);
    assert.deepEqual(mock.asked('lead.accept').map(each => each['lead']), ['lead-9']);
  });

  test('conversations stand side by side; what is not looked at is marked as unread', async () => {
    const page = await ready();
    const works: string[] = [];
    for (const [channel, contact] of [['wecom', 'cust-42'], ['sms', 'cust-7']] as const) {
      works.push(mock.offer('agent-1', {channel, contact, text: `by ${channel}`}).interaction);
      await page.locator('.offer').waitFor();
      await page.keyboard.press('Alt+a');
      await expectCount(page.locator('.offer'), 0);
    }
    await expectCount(page.locator('.pane'), 2);
    const [first, second] = works as [string, string];
    mock.customerWrites(first, {text: 'one'});
    mock.customerWrites(first, {text: 'two'});
    await expectText(page.locator(`[data-work="${first}"] .unread`), '2');
    assert.match(await page.title(), /^\(2\)/);
    await page.keyboard.press('Alt+o');
    await expectCount(page.locator('.unread'), 0);
    assert(await page.locator(`[data-pane="${first}"]`).evaluate(pane => pane === document.activeElement));
    await expectText(page.locator('.card-head'), '王芳');
    await page.locator(`[data-work="${second}"]`).click();
    await expectText(page.locator('.card-head'), 'Li Lei');
  });

  test('attachments are named, templates are filled in before they are sent', async () => {
    const page = await ready();
    const {interaction} = mock.offer('agent-1');
    await page.locator('.offer').getByRole('button', {name: 'Accept'}).click();
    mock.customerWrites(interaction, {image: {media_id: 'm1'}});
    mock.customerWrites(interaction, {location: {address: '西湖', latitude: 30.2, longitude: 120.1}});
    mock.customerWrites(interaction, {link: {title: 'My order', url: 'https://shop.example/o/1'}});
    await expectText(page.locator('.attachment').nth(0), 'Image');
    await expectText(page.locator('.attachment').nth(1), '西湖');
    assert.equal(await page.locator('.attachment a').getAttribute('rel'), 'noopener noreferrer');
    await page.getByRole('button', {name: 'Templates'}).click();
    await page.getByLabel('Find a template').fill('order');
    await page.keyboard.press('Enter');
    await expectText(page.locator('.composer'), 'Fill in {{order}}');
    assert(await page.getByRole('button', {name: 'Send', exact: true}).isDisabled());
    await page.keyboard.type('A-7');
    await page.keyboard.press('Enter');
    await expectText(page.locator('.bubble.out'), '您的订单 A-7 已发货');
  });

  test('the whole work can be done with the keyboard alone', async () => {
    const {page} = watched;
    await page.goto(`${mock.url}/console/`);
    await page.keyboard.type(token);
    await page.keyboard.press('Enter');
    await page.locator('.top-bar').waitFor();
    await page.keyboard.press('Alt+r');
    await expectText(page.getByTestId('presence'), /^\s*Ready/);
    mock.offer('agent-1', {text: 'hello'});
    await page.locator('.offer').waitFor();
    await page.keyboard.press('Alt+a');
    await page.locator('.composer').waitFor();
    await page.keyboard.press('Alt+u');
    await page.keyboard.type('Good morning');
    await page.keyboard.press('Enter');
    await expectText(page.locator('.bubble.out'), 'Good morning');
    await page.keyboard.press('F1');
    await expectText(page.getByRole('dialog'), 'Keyboard shortcuts');
    assert(await page.evaluate(() => document.querySelector('dialog')!.contains(document.activeElement)));
    await page.keyboard.press('Escape');
    await expectCount(page.getByRole('dialog'), 0);
    assert.equal(await page.evaluate(() => document.activeElement?.tagName), 'TEXTAREA');
    await page.keyboard.press('Alt+w');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Space');
    await page.keyboard.press('Enter');
    await expectCount(page.locator('.pane'), 0);
    assert.equal(mock.asked('interaction.wrap_up').length, 1);
  });

  test('every control is reached by Tab, shows its focus and has a name', async () => {
    const page = await ready();
    mock.offer('agent-1');
    await page.locator('.offer').getByRole('button', {name: 'Accept'}).click();
    await page.locator('.composer').waitFor();
    await page.locator('.card .dnc').waitFor();
    mock.offer('agent-1', {contact: 'cust-7', timeoutMs: 60_000});
    await page.locator('.offer').waitFor();
    const wanted = await page.evaluate(() => [...document.querySelectorAll('button, select, input, textarea, summary, a[href]')].filter(each => (each as HTMLElement).checkVisibility() && !(each as HTMLButtonElement).disabled).length);
    await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
    const reached = new Set<string>();
    for (let i = 0; i < wanted + 30; ++i) {
      await page.keyboard.press('Tab');
      const seen = await page.evaluate(() => {
        const element = document.activeElement as HTMLElement;
        const all = [...document.querySelectorAll('*')];
        const style = getComputedStyle(element);
        const labels = 'labels' in element ? [...(element as HTMLInputElement).labels ?? []].map(label => label.textContent).join('') : '';
        return {at: all.indexOf(element), tag: element.tagName, name: element.getAttribute('aria-label') ?? (labels || element.textContent || ''), outline: style.outlineStyle, width: parseFloat(style.outlineWidth)};
      });
      if (seen.tag === 'BODY' || seen.tag === 'HTML') continue;
      reached.add(`${seen.at}`);
      assert(seen.name.trim() !== '', `a ${seen.tag} without a name`);
      assert(seen.outline !== 'none' && seen.width > 0, `${seen.tag} "${seen.name.trim()}" does not show the focus`);
    }
    assert(reached.size >= wanted, `${reached.size} of ${wanted} controls are reached`);
  });

  test('the browser\'s language is taken, and can be changed; nothing is left in the other one', async () => {
    const chinese = await browser.newContext({locale: 'zh-CN'});
    const {page, faults} = await watchedPage(chinese, mock.url);
    mock.agents.get('agent-1')!.name = 'Agent 7';
    await signIn(page, mock.url, token);
    assert.equal(await page.evaluate(() => document.documentElement.lang), 'zh-CN');
    await page.keyboard.press('Alt+r');
    await expectText(page.getByTestId('presence'), '就绪');
    mock.addContact({id: '77', name: '77', phones: [], tags: [], attributes: {}, consents: [], last_touches: [], last_interactions: [], open_leads: [], promises: []});
    mock.offer('agent-1', {contact: '77', queue: '1', text: '1'});
    await page.keyboard.press('Alt+a');
    await page.locator('.offer, .pane').first().waitFor();
    if (await page.locator('.offer').count() > 0) await page.keyboard.press('Alt+a');
    await page.locator('.composer').waitFor();
    await page.locator('.card .dnc').waitFor();
    await page.locator('summary').first().click();
    // Names that are the same in every language.
    const names = /Touchgate|Agent 7|English|Alt\+|F1|Tab|Enter|Shift|Esc|SMS|WeCom|external_userid|Queue 1/g;
    const visible = () => page.evaluate(() => [document.querySelector('.desktop')!, ...document.querySelectorAll('dialog')].map(each => (each as HTMLElement).innerText
      + [...each.querySelectorAll('[aria-label], [placeholder], [title]')].map(one => `\n${one.getAttribute('aria-label') ?? ''} ${one.getAttribute('placeholder') ?? ''} ${one.getAttribute('title') ?? ''}`).join('')).join('\n'));
    const check = async (foreign: RegExp) => {
      const text = (await visible()).replace(names, '');
      assert.deepEqual(text.split('\n').filter(line => foreign.test(line)), []);
    };
    await page.waitForFunction(() => !document.querySelector('.notice'));
    await check(/[A-Za-z]{3,}/);
    await page.keyboard.press('Alt+/');
    await page.getByRole('dialog').waitFor();
    await check(/[A-Za-z]{3,}/);
    await page.keyboard.press('Escape');
    await page.getByLabel('语言').selectOption('en');
    await expectText(page.getByTestId('presence'), 'Ready');
    assert.equal(await page.evaluate(() => document.documentElement.lang), 'en');
    await page.waitForFunction(() => document.querySelector('[data-live=assertive]') !== null);
    const english = (await visible()).replaceAll('中文', '').split('\n').filter(line => /\p{Script=Han}/u.test(line));
    assert.deepEqual(english.filter(line => !line.includes('新任务')), []);
    await page.reload();
    await page.locator('.top-bar').waitFor();
    assert.equal(await page.evaluate(() => document.documentElement.lang), 'en');
    assert.deepEqual(faults, []);
    await chinese.close();
  });

  test('a supervisor listens, forces a state and reassigns; an agent has no such view', async () => {
    const page = await ready();
    await expectCount(page.getByRole('button', {name: 'Supervisor'}), 0);
    const other = mock.addAgent('agent-2', {name: 'Zhang Wei'});
    const boss = mock.addAgent('boss', {name: 'Boss', role: 'supervisor'});
    const agent = await watchedPage(await browser.newContext({locale: 'en-US'}), mock.url);
    await signIn(agent.page, mock.url, other);
    const {interaction} = mock.offer('agent-2', {channel: 'voice', autoAnswer: true});
    mock.callState(interaction, 'connected');
    const chief = await watchedPage(await browser.newContext({locale: 'en-US'}), mock.url);
    await signIn(chief.page, mock.url, boss);
    await chief.page.getByRole('button', {name: 'Supervisor'}).click();
    const row = chief.page.locator('[data-agent=agent-2]');
    await expectText(row, '王芳');
    await row.getByRole('button', {name: 'Monitor'}).click();
    await expectText(chief.page.locator('.notices'), 'Done: Monitor');
    assert.deepEqual(mock.asked('supervisor.monitor').map(each => each['interaction']), [interaction]);
    await row.getByRole('button', {name: 'Reassign …'}).click();
    await chief.page.getByRole('combobox', {name: 'To'}).selectOption('queue:sales');
    await chief.page.locator('.supervisor-form').getByRole('button', {name: 'Transfer'}).click();
    await asked('supervisor.reassign');
    await row.getByRole('combobox').selectOption('not_ready');
    await asked('supervisor.set_presence');
    assert.deepEqual(mock.asked('supervisor.set_presence').map(each => [each['agent'], each['state']]), [['agent-2', 'not_ready']]);
    await agent.page.context().close();
    await chief.page.context().close();
    assert.deepEqual([...agent.faults, ...chief.faults], []);
  });

  test('the wallboard follows the stream of figures', async () => {
    const page = await ready();
    await page.getByRole('button', {name: 'Wallboard'}).click();
    await expectText(page.locator('[data-queue=care]'), /care\s*3\s*1:05\s*87 %/);
    await expectText(page.getByTestId('wallboard-source'), 'live');
    mock.setWallboard({queues: [{id: 'care', waiting: 9, longest_wait_ms: 5000, offered: 1, answered: 1, abandoned: 0, service_level: 1}], agents: {ready: 1}, seq: 8});
    await expectText(page.locator('[data-queue=care]'), /care\s*9\s*0:05\s*100 %/);
    await expectCount(page.locator('[data-queue]'), 1);
  });

  test('without the stream the wallboard asks over the socket', async () => {
    const {mock: closed, token: key} = await mockStage();
    const {page, faults} = await watchedPage(context, closed.url);
    await signIn(page, closed.url, key);
    await page.getByRole('button', {name: 'Wallboard'}).click();
    await expectText(page.getByTestId('wallboard-source'), 'live');
    await expectText(page.locator('[data-queue=care]'), '3');
    await page.reload();
    closed.missing.add('wallboard.watch');
    await page.locator('.top-bar').waitFor();
    await page.getByRole('button', {name: 'Wallboard'}).click();
    await expectText(page.getByTestId('wallboard-source'), 'every 5 s');
    await expectText(page.locator('[data-queue=care]'), '3');
    await page.close();
    await closed.stop();
    assert.deepEqual(faults, []);
  });

  test('one tab has the phone; another takes it over, and gets it when the first is closed', async () => {
    const sip = {uri: 'sip:agent-1@127.0.0.1', websocket: 'ws://127.0.0.1:9/ws', password: 'x'};
    const {mock: phones, token: key} = await mockStage({sip});
    const first = await watchedPage(context, phones.url);
    await signIn(first.page, phones.url, key);
    await expectText(first.page.locator('.phone-bar'), 'Phone connecting');
    const second = await watchedPage(context, phones.url);
    await signIn(second.page, phones.url, key);
    await expectText(second.page.locator('.phone-bar'), 'Phone in another tab');
    await second.page.getByRole('button', {name: 'Use the phone here'}).click();
    await expectText(second.page.locator('.phone-bar'), 'Phone connecting');
    await expectText(first.page.locator('.phone-bar'), 'Phone in another tab');
    await second.page.close();
    await expectText(first.page.locator('.phone-bar'), 'Phone connecting');
    await until('health of the phone', () => phones.asked('health.report').some(each => each['microphone'] === true && each['registered'] === false));
    await first.page.close();
    await phones.stop();
  });

  test('the sidebar shows one customer, by either number, from the same parts', async () => {
    const {page} = watched;
    await signIn(page, mock.url, token, '/console/sidebar.html#external_userid=wm-42');
    await expectText(page.locator('.card-head'), '王芳');
    await expectText(page.locator('.card'), 'Last touches');
    await page.getByRole('button', {name: 'Do not contact again by: WeCom'}).click();
    await expectText(page.locator('.notices'), 'no more contact by WeCom');
    await page.getByLabel('Customer number or external_userid').fill('cust-7');
    await page.keyboard.press('Enter');
    await expectText(page.locator('.card-head'), 'Li Lei');
    await page.getByLabel('Customer number or external_userid').fill('nobody');
    await page.keyboard.press('Enter');
    await expectText(page.locator('.card'), 'no such customer');
    assert(watched.urls.every(url => !url.includes(token)));
  });
});
