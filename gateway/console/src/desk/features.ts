// Requests that a gateway may not have: the first `bad_request` to one that never worked hides what it is for.
import {reactive} from 'vue';
import {RequestError} from '@agent-client';

const optional = ['contact.get', 'timeline.get', 'templates.list', 'queues.list', 'agents.list', 'interaction.get', 'wallboard.get', 'wallboard.watch', 'sip.settings', 'promises.list', 'lead.accept', 'calls.parked'];

export class Features {
  private readonly missing = reactive(new Set<string>());
  private readonly worked = new Set<string>();

  has(request: string): boolean { return !this.missing.has(request); }

  succeeded(request: string): void { this.worked.add(request); }

  // Whether the failure says that the gateway has no such request, so that it need not be shown as an error.
  failed(request: string, error: RequestError): boolean {
    if (!optional.includes(request) || this.worked.has(request)) return false;
    if (error.code !== 'bad_request' && error.code !== 'not_configured') return false;
    this.missing.add(request);
    return true;
  }
}
