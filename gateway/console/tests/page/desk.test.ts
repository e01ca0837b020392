// What an agent does all day; against the mock, or against a running gateway (see stage.ts).
import assert from 'node:assert/strict';
import {after, afterEach, before, beforeEach, describe, test} from 'node:test';
import type {Browser, BrowserContext} from 'playwright-core';
import {expectCount, expectText, signIn, startBrowser, until, watchedPage, type Watched} from './browser.ts';
import {makeStage, type Stage} from './stage.ts';

const bothKinds = {timeout: 120_000};

describe('agent desktop', () => {
  let browser: Browser;
  let context: BrowserContext;
  let stage: Stage;
  let watched: Watched;
  before(async () => { browser = await startBrowser(); });
  after(async () => { await browser.close(); });
  beforeEach(async () => {
    stage = await makeStage();
    context = await browser.newContext({locale: 'en-US'});
    watched = await watchedPage(context, stage.url);
  });
  afterEach(async () => {
    await context.close();
    await stage.stop();
    assert.deepEqual(watched.faults, []);
  });
  const begin = async () => {
    await signIn(watched.page, stage.url, stage.token);
    return watched.page;
  };
  const ready = async () => {
    const page = await begin();
    await page.getByRole('button', {name: 'Ready', exact: true}).click();
    await expectText(page.getByTestId('presence'), 'Ready');
    return page;
  };

  test('signs in with a token that is in no URL, and begins as not ready', bothKinds, async () => {
    const page = await begin();
    await expectText(page.getByTestId('presence'), 'Not ready');
    await expectText(page.locator('.connection'), 'Connected');
    assert(watched.urls.some(url => url.endsWith('/v1/agent')));
    assert(watched.urls.every(url => !url.includes(stage.token)), 'the token is in a URL');
    assert(!(await page.content()).includes(stage.token), 'the token is in the page');
  });

  test('a refused token is told and nothing is tried again', bothKinds, async () => {
    const {page} = watched;
    await page.goto(`${stage.url}/console/`);
    await page.getByLabel('Agent token').fill('no-such-token');
    await page.getByRole('button', {name: 'Sign in'}).click();
    await expectText(page.getByRole('status'), 'refused');
    const attempts = watched.urls.filter(url => url.endsWith('/v1/agent')).length;
    await page.getByLabel('Agent token').fill('two words');
    await page.keyboard.press('Enter');
    await expectText(page.getByRole('status'), 'no spaces');
    assert.equal(watched.urls.filter(url => url.endsWith('/v1/agent')).length, attempts);
  });

  test('presence: ready, not ready with a reason, ready again by the keyboard', bothKinds, async () => {
    const page = await ready();
    await page.getByRole('button', {name: 'Not ready …'}).click();
    await page.getByRole('button', {name: 'Lunch'}).click();
    await expectText(page.getByTestId('presence'), /Not ready\s*Lunch/);
    await page.keyboard.press('Alt+r');
    await expectText(page.getByTestId('presence'), /^\s*Ready/);
    await page.keyboard.press('Alt+n');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await expectText(page.getByTestId('presence'), /Not ready\s*Meeting/);
  });

  test('an offer is spoken, counted down and accepted; both sides write', bothKinds, async () => {
    const page = await ready();
    const customer = await stage.customerBegins('Where is my parcel?');
    await expectCount(page.locator('.offer'), 1);
    await expectText(page.locator('[data-live=assertive]'), /New offer/);
    await expectText(page.locator('.offer-count'), /^\s*\d+ s/);
    await page.locator('.offer').getByRole('button', {name: 'Accept'}).click();
    await expectCount(page.locator('.offer'), 0);
    await expectCount(page.locator('.pane'), 1);
    await expectText(page.locator('.bubble.in'), 'Where is my parcel?');
    await page.getByLabel('Write a message').fill('It is on its way.');
    await page.keyboard.press('Enter');
    await expectCount(page.locator('.bubble.out'), 1);
    await expectText(page.locator('.bubble.out'), 'It is on its way.');
    await customer.writes('Thank you!');
    await expectCount(page.locator('.bubble.in'), 2);
    await expectText(page.locator('.bubble.in').nth(1), 'Thank you!');
    await expectCount(page.locator('[data-message]'), 3);
  });

  test('a rejected offer goes away', bothKinds, async () => {
    const page = await ready();
    await stage.customerBegins('Anyone there?');
    await page.locator('.offer').waitFor();
    await page.keyboard.press('Alt+j');
    await expectCount(page.locator('.offer'), 0);
    await expectCount(page.locator('.pane'), 0);
  });

  test('a reload in mid-conversation loses nothing and doubles nothing', bothKinds, async () => {
    const page = await ready();
    const customer = await stage.customerBegins('one');
    await page.keyboard.press('Alt+a').catch(() => undefined);
    await page.locator('.offer, .pane').first().waitFor();
    if (await page.locator('.offer').count() > 0) await page.keyboard.press('Alt+a');
    await page.locator('.pane').waitFor();
    await page.getByLabel('Write a message').fill('two');
    await page.keyboard.press('Enter');
    await expectCount(page.locator('[data-message]'), 2);
    await page.getByLabel('Write a message').fill('half a sentence');
    await page.goto('about:blank').catch(() => undefined);
    watched.faults.length = 0;
    await customer.writes('three');
    await customer.writes('four');
    await page.goto(`${stage.url}/console/`);
    await expectCount(page.locator('[data-message]'), 4);
    await customer.writes('five');
    await expectCount(page.locator('[data-message]'), 5);
    assert.deepEqual((await page.locator('[data-message] .bubble-text').allTextContents()).map(text => text.trim()), ['one', 'two', 'three', 'four', 'five']);
    assert.equal(await page.getByLabel('Write a message').inputValue(), 'half a sentence');
    assert.equal(await page.locator('.pane').count(), 1);
  });

  test('a conversation is finished with an outcome', bothKinds, async () => {
    const page = await ready();
    await stage.customerBegins('Goodbye');
    await page.locator('.offer').getByRole('button', {name: 'Accept'}).click();
    await page.getByRole('button', {name: 'Finish …'}).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', {name: 'Done'}).click();
    await expectText(dialog.getByRole('alert'), 'Choose an outcome');
    await dialog.getByRole('radio').first().check();
    await dialog.getByLabel('Note').fill('all well');
    await dialog.getByRole('button', {name: 'Done'}).click();
    await expectCount(page.locator('.pane'), 0);
    if (stage.mock) assert.deepEqual(stage.mock.asked('interaction.wrap_up').map(each => [each['disposition'], each['note']]), [['resolved', 'all well']]);
  });

  test('two tabs of one agent show the same; what is done in one is done in the other', bothKinds, async () => {
    const page = await ready();
    const other = await watchedPage(context, stage.url);
    await signIn(other.page, stage.url, stage.token);
    const customer = await stage.customerBegins('Hello both');
    await expectCount(page.locator('.offer'), 1);
    await expectCount(other.page.locator('.offer'), 1);
    await other.page.locator('.offer').getByRole('button', {name: 'Accept'}).click();
    for (const each of [page, other.page]) {
      await expectCount(each.locator('.offer'), 0);
      await expectCount(each.locator('.pane'), 1);
    }
    await page.getByLabel('Write a message').fill('from the first');
    await page.keyboard.press('Enter');
    await customer.writes('to both');
    for (const each of [page, other.page]) await until('all messages once', async () => {
      const texts = (await each.locator('[data-message] .bubble-text').allTextContents()).map(text => text.trim()).sort();
      return JSON.stringify(texts) === JSON.stringify(['Hello both', 'from the first', 'to both'].sort());
    });
    assert.deepEqual(other.faults, []);
  });

  test('signing out forgets everything', bothKinds, async () => {
    const page = await ready();
    await page.getByText('Settings').click();
    await page.getByRole('button', {name: 'Sign out'}).click();
    await page.getByLabel('Agent token').waitFor();
    assert.equal(await page.evaluate(() => JSON.stringify(sessionStorage)), '{}');
    await page.reload();
    await page.getByLabel('Agent token').waitFor();
  });
});
