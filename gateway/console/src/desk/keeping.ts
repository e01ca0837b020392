// What a tab keeps over a reload: the token, and the desk together with the number of the last push that is in it. Both parts of the latter are written
// in one piece, so that resuming after that number neither loses nor doubles anything. sessionStorage: gone when the tab is closed.
import type {DeskState} from './state.ts';

const tokenKey = 'touchgate.token';
const deskKey = 'touchgate.desk';
const format = 1;

export interface KeptDesk { seq: number; state: DeskState }

function attempt<T>(work: () => T, otherwise: T): T {
  try {
    return work();
  } catch {
    return otherwise;  // storage is refused or full
  }
}

export function keptToken(): string {
  return attempt(() => sessionStorage.getItem(tokenKey) ?? '', '');
}

export function keepToken(token: string): void {
  attempt(() => sessionStorage.setItem(tokenKey, token), undefined);
}

export function forgetAll(): void {
  attempt(() => sessionStorage.removeItem(tokenKey), undefined);
  attempt(() => sessionStorage.removeItem(deskKey), undefined);
}

export function forgetDesk(): void {
  attempt(() => sessionStorage.removeItem(deskKey), undefined);
}

export function keptDesk(): KeptDesk | null {
  return attempt(() => {
    const kept = JSON.parse(sessionStorage.getItem(deskKey) ?? 'null') as {format: number; seq: number; state: DeskState} | null;
    if (kept?.format !== format || !Number.isSafeInteger(kept.seq) || !Array.isArray(kept.state.works) || !Array.isArray(kept.state.offers)) return null;
    return {seq: kept.seq, state: kept.state};
  }, null);
}

export function keepDesk(kept: KeptDesk): void {
  const write = (messagesMax: number) => {
    const works = kept.state.works.map(work => ({...work, messages: work.messages.slice(-messagesMax)}));
    sessionStorage.setItem(deskKey, JSON.stringify({format, seq: kept.seq, state: {...kept.state, works}}));
    return true;
  };
  // Full: with fewer old messages (they can be asked for again), else not at all, and a reload begins with a snapshot.
  if (!attempt(() => write(300), false) && !attempt(() => write(30), false)) forgetDesk();
}
