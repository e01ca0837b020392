// The mock gateway to look at in a browser: an agent with two conversations, a call, an offer that comes again, and a lead.
import {fileURLToPath} from 'node:url';
import {MockGateway} from './mock-gateway.ts';

const dist = process.env['CONSOLE_DIST'] ?? fileURLToPath(new URL('../../../../../build/console', import.meta.url));
const gateway = new MockGateway({dist, wallboardOverHttp: true});
const token = gateway.addAgent('agent-1', {name: '李娜', role: 'supervisor', rights: ['dial_any']});
gateway.addAgent('agent-2', {name: 'Zhang Wei'});
await gateway.start(Number(process.env['PORT'] ?? 8090));
console.log(`${gateway.url}/console/`);
console.log(token);
setInterval(() => {
  const agent = gateway.agents.get('agent-1')!;
  if (agent.intent === 'ready' && agent.offers.size === 0 && agent.connections.size > 0) gateway.offer('agent-1', {channel: Math.random() < 0.3 ? 'voice' : 'wecom', contact: Math.random() < 0.5 ? 'cust-42' : 'cust-7'});
  for (const interaction of gateway.interactions.values()) if (interaction.call?.state === 'dialing_agent') gateway.callState(interaction.id, 'connected');
}, 4000);
