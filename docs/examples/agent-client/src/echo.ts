// An agent that takes every conversation and answers each message with its own words: the shortest useful program over the client.
//
//   npx esbuild src/echo.ts --bundle --platform=node --format=esm --outfile=/tmp/echo.mjs
//   TOUCHGATE_URL=http://127.0.0.1:8080 TOUCHGATE_AGENT_TOKEN=… node /tmp/echo.mjs        (Node 22 or newer: it has WebSocket)
import {AgentClient, agentUrl, textOf, type RequestError} from './index.ts';

declare const process: {env: Record<string, string | undefined>};

const client: AgentClient = new AgentClient({
  url: agentUrl(process.env['TOUCHGATE_URL'] ?? 'http://127.0.0.1:8080'),
  token: process.env['TOUCHGATE_AGENT_TOKEN'] ?? '',
  onStatus: status => {
    console.log(status.kind);
    if (status.kind === 'online') void client.request('presence.set', {state: 'ready'}).catch(complain);
  },
  onPush: push => {
    if (push.type === 'offer') void client.request('offer.accept', {offer: push.offer, fence: push.fence}).catch(complain);
    if (push.type === 'message' && push.message.direction === 'in')
      void client.request('message.send', {interaction: push.interaction, content: {text: textOf(push.message.content['text'])}}).catch(complain);
  },
});

function complain(error: RequestError): void {
  console.error(error.code, error.detail);
}

client.start();
