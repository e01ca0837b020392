// Timers that keep going while the tab sleeps.
import type {Timers} from '@agent-client';

export const pageTimers: Timers = {
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

export function workerTimers(): Timers {
  let worker: Worker;
  try {
    worker = new Worker(new URL('./timers.worker.ts', import.meta.url), {type: 'module'});
  } catch {
    return pageTimers;
  }
  const waiting = new Map<number, () => void>();
  let nextId = 1;
  let broken = false;
  worker.onmessage = (event: MessageEvent<number>) => {
    const run = waiting.get(event.data);
    waiting.delete(event.data);
    run?.();
  };
  worker.onerror = () => {
    broken = true;
    const left = [...waiting.values()];
    waiting.clear();
    for (const run of left) setTimeout(run, 1000);
  };
  return {
    after(ms, run) {
      if (broken) return pageTimers.after(ms, run);
      const id = nextId++;
      waiting.set(id, run);
      worker.postMessage({id, ms});
      return () => { waiting.delete(id); };
    },
  };
}
