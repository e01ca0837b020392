// The gateway's time, as well as this machine knows it: deadlines are the gateway's, and an agent's clock may be wrong.
import {ref} from 'vue';

export const now = ref(Date.now());  // moves four times a second while the page is shown
let skew = 0;

export function gatewayNow(): number {
  return Date.now() + skew;
}

export function startClock(): () => void {
  const tick = () => { now.value = gatewayNow(); };
  const timer = setInterval(tick, 250);
  tick();
  return () => clearInterval(timer);
}

// From the Date header of a small answer: whole seconds, so only a clear difference counts.
export async function measureSkew(): Promise<void> {
  const before = Date.now();
  const answer = await fetch('/healthz', {cache: 'no-store'}).catch(() => null);
  const told = Date.parse(answer?.headers.get('date') ?? '');
  if (Number.isNaN(told)) return;
  const here = (before + Date.now()) / 2;
  const difference = told + 500 - here;
  skew = Math.abs(difference) > 2000 ? difference : 0;
}
