// Calls that wait for somebody of their queue to take them up.
import {reactive} from 'vue';
import {isRecord, listOf, readCard, textOf, type Card} from '@agent-client';
import {parseTime} from '../texts/times.ts';
import type {Desk} from './desk.ts';

export interface ParkedCall { interaction: string; queue: string; until: number | null; card: Card | null }

const askAgainMs = 3_000;  // while there are any: others may take them up

export class ParkedCalls {
  readonly calls = reactive<ParkedCall[]>([]);
  private timer: ReturnType<typeof setTimeout> | null = null;

  constructor(private readonly desk: Desk) {
    desk.onOnline(() => void this.load());
    desk.onPush(push => { if (push.type === 'notice' && push.kind === 'parked') void this.load(); });
    desk.onSignOut(() => this.show([]));
  }

  async load(): Promise<void> {
    if (!this.desk.features.has('calls.parked')) return;
    const reply = await this.desk.ask('calls.parked', {}, true);
    this.show(listOf(reply?.['items'] ?? null).filter(isRecord).map(each => (
      {interaction: textOf(each['interaction']), queue: textOf(each['queue']), until: parseTime(textOf(each['until'])), card: readCard(each['contact'] ?? null)})));
  }

  private show(calls: ParkedCall[]): void {
    this.calls.splice(0, this.calls.length, ...calls);
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = calls.length > 0 ? setTimeout(() => void this.load(), askAgainMs) : null;
  }
}
