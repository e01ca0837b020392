// A browser, a page that is watched for what it must never do, and small words for what the tests do with it.
import assert from 'node:assert/strict';
import {existsSync} from 'node:fs';
import {chromium, type Browser, type BrowserContext, type Locator, type Page} from 'playwright-core';

export const patience = Number(process.env['TOUCHGATE_TEST_PATIENCE'] ?? 1) * 15_000;

export function browserPath(): string | null {
  return [process.env['CHROMIUM'], '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(path => path && existsSync(path)) ?? null;
}

export async function startBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: browserPath()!,
    args: ['--mute-audio', '--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream', ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])],
  });
}

export interface Watched { page: Page; faults: string[]; urls: string[]; frames: string[] }

export async function watchedPage(context: BrowserContext, origin: string): Promise<Watched> {
  const page = await context.newPage();
  page.setDefaultTimeout(patience);
  const watched: Watched = {page, faults: [], urls: [], frames: []};
  page.on('pageerror', error => watched.faults.push(`error: ${error.stack ?? error.message}`));
  page.on('console', message => {
    if (/Content Security Policy|violates|Refused to/.test(message.text())) watched.faults.push(message.text());
    if (message.type() === 'warning' && message.text().includes('[Vue warn]')) watched.faults.push(message.text());
  });
  page.on('request', request => {
    watched.urls.push(request.url());
    if (!request.url().startsWith(origin)) watched.faults.push(`asks outside: ${request.url()}`);
  });
  page.on('websocket', socket => {
    watched.urls.push(socket.url());
    socket.on('framereceived', frame => watched.frames.push(String(frame.payload)));
  });
  return watched;
}

export async function signIn(page: Page, url: string, token: string, path = '/console/'): Promise<void> {
  await page.goto(`${url}${path}`);
  await page.locator('input[type=password]').fill(token);
  await page.keyboard.press('Enter');
  await page.locator('.top-bar, .sidebar-head').waitFor();
}

export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + patience;
  while (!await holds()) {
    assert(Date.now() < end, `waited in vain: ${what}`);
    await new Promise(resolve => setTimeout(resolve, 20));
  }
}

export async function expectText(locator: Locator, wanted: string | RegExp): Promise<void> {
  let seen = '';
  await until(`the text ${wanted}`, async () => {
    seen = (await locator.first().textContent({timeout: patience}).catch(() => '')) ?? '';
    return typeof wanted === 'string' ? seen.includes(wanted) : wanted.test(seen);
  }).catch((error: Error) => { throw new Error(`${error.message}; it says: ${seen}`); });
}

export async function expectCount(locator: Locator, wanted: number): Promise<void> {
  let seen = -1;
  await until(`${wanted} of these`, async () => {
    seen = await locator.count();
    return seen === wanted;
  }).catch((error: Error) => { throw new Error(`${error.message}; there are ${seen}`); });
}
