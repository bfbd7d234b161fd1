/** A clock that keeps its pace in a hidden tab, where the page's own timers are slowed to one a second. */

self.onmessage = (event: MessageEvent<{ id: number; ms: number }>) => {
  const { id, ms } = event.data;
  setTimeout(() => self.postMessage(id), ms);
};
