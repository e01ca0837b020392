// Timers in a worker: browsers slow a page's own timers down to one a minute when its tab is not looked at, a worker's they do not.
interface Order { id: number; ms: number }

self.onmessage = (event: MessageEvent<Order>) => {
  const {id, ms} = event.data;
  setTimeout(() => self.postMessage(id), ms);
};
