// Short words at the edge of the page, read aloud by screen readers. Refusals stay until they are dismissed or long enough to be read.
import {reactive} from 'vue';

export interface Notice { id: number; text: string; kind: 'plain' | 'refusal' }

export class Notices {
  readonly shown = reactive<Notice[]>([]);
  private nextId = 1;

  say(text: string, kind: Notice['kind'] = 'plain'): void {
    const same = this.shown.find(each => each.text === text);
    if (same) this.dismiss(same.id);
    const id = this.nextId++;
    this.shown.push({id, text, kind});
    if (this.shown.length > 4) this.shown.shift();
    setTimeout(() => this.dismiss(id), kind === 'plain' ? 5000 : 12_000);
  }

  dismiss(id: number): void {
    const at = this.shown.findIndex(each => each.id === id);
    if (at >= 0) this.shown.splice(at, 1);
  }
}
