// One softphone for one agent in a browser: a second registration would silently take the calls from the first tab, and leave none when it is closed.
// The tab that holds the lock has the phone; when it closes, the next one gets it by itself.
export interface PhoneLock { takeOver(): void; release(): void }

export function lockPhone(agent: string, changed: (holds: boolean) => void): PhoneLock {
  // Without a secure context there are no locks, and no microphone either.
  if (typeof navigator === 'undefined' || !('locks' in navigator)) {
    changed(true);
    return {takeOver: () => undefined, release: () => changed(false)};
  }
  const name = `touchgate-phone-${agent}`;
  let letGo: () => void = () => undefined;
  let released = false;
  const hold = () => new Promise<void>(resolve => {
    if (released) {
      resolve();
      return;
    }
    letGo = resolve;
    changed(true);
  });
  const wait = () => {
    void navigator.locks.request(name, hold).catch(() => {
      if (released) return;
      changed(false);  // another tab took it over
      wait();
    });
  };
  changed(false);
  wait();
  return {
    takeOver: () => void navigator.locks.request(name, {steal: true}, hold).catch(() => {
      if (released) return;
      changed(false);
      wait();
    }),
    release: () => {
      released = true;
      letGo();
    },
  };
}
