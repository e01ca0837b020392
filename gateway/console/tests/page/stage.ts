// What the page tests play against: the mock gateway, or a running one.
//   TOUCHGATE_URL           a running gateway; left out: the mock
//   TOUCHGATE_KEY           its API key with the scopes agents, touches and contacts: a queue, an agent and messages of customers are made with it
//   TOUCHGATE_AGENT_TOKEN   a token of an agent who serves TOUCHGATE_QUEUE; with it no agent is made
import {randomUUID} from 'node:crypto';
import {join} from 'node:path';
import {MockGateway, type MockOptions} from '../mock-gateway.ts';

export interface Stage {
  url: string;
  token: string;
  mock: MockGateway | null;
  // A customer writes; the agent, who is ready, is offered the conversation.
  customerBegins(text: string): Promise<Customer>;
  stop(): Promise<void>;
}
export interface Customer { writes(text: string): Promise<void> }

export async function mockStage(options: Partial<MockOptions> = {}): Promise<Stage & {mock: MockGateway}> {
  const dist = process.env['CONSOLE_DIST'] ?? join(process.env['CONSOLE_FOLDER'] ?? '.', '../../build/console');
  const mock = new MockGateway({dist, ...options});
  const token = mock.addAgent('agent-1', {name: '李娜'});
  await mock.start();
  return {
    url: mock.url, token, mock,
    customerBegins: async text => {
      const {interaction} = mock.offer('agent-1', {text});
      return {writes: async more => mock.customerWrites(interaction, {text: more})};
    },
    stop: () => mock.stop(),
  };
}

async function gatewayStage(url: string): Promise<Stage> {
  const key = process.env['TOUCHGATE_KEY'] ?? '';
  const queue = process.env['TOUCHGATE_QUEUE'] ?? `console-${randomUUID().slice(0, 8)}`;
  const agent = `console-${randomUUID().slice(0, 8)}`;
  const ask = async (method: string, path: string, body: unknown) => {
    const answer = await fetch(`${url}${path}`, {method, headers: {authorization: `Bearer ${key}`, 'content-type': 'application/json'}, body: JSON.stringify(body)});
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return await answer.json() as Record<string, string>;
  };
  let token = process.env['TOUCHGATE_AGENT_TOKEN'] ?? '';
  if (token === '') {
    await ask('PUT', `/v1/queues/${queue}`, {strategy: 'longest_idle', offer_timeout: 'PT20S', wrap_up: 'PT0S', channels: ['sms']});
    await ask('PUT', `/v1/agents/${agent}`, {name: 'Console Test', capacity: {sms: 5}, queues: [queue]});
    token = (await ask('POST', `/v1/agents/${agent}/token`, {}))['token'] ?? '';
  }
  return {
    url, token, mock: null,
    customerBegins: async text => {
      const phone = `+86139${String(Math.floor(Math.random() * 1e8)).padStart(8, '0')}`;
      const writes = async (words: string) => void await ask('POST', '/v1/events/inbound', {key: randomUUID(), channel: 'sms', contact: {phone}, kind: 'message', content: {text: words}, queue});
      await writes(text);
      return {writes};
    },
    stop: async () => undefined,
  };
}

export function makeStage(): Promise<Stage> {
  const url = process.env['TOUCHGATE_URL'];
  return url ? gatewayStage(url.replace(/\/$/, '')) : mockStage();
}
