import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { backoff } from './backoff';
import { SessionSocket, type Link, type Wire } from './socket';

class FakeWire implements Wire {
  readyState: WebSocket['readyState'] = 1;
  binaryType: BinaryType = 'blob';
  onmessage: Wire['onmessage'] = null;
  onclose: Wire['onclose'] = null;
  sent: unknown[] = [];
  send(data: unknown): void {
    this.sent.push(data);
  }
  close(): void {
    this.readyState = 3;
  }
  say(message: object): void {
    this.onmessage?.call(this as never, { data: JSON.stringify(message) } as MessageEvent);
  }
  async hangUp(code = 1006): Promise<void> {
    this.readyState = 3;
    this.onclose?.call(this as never, { code } as CloseEvent);
    await vi.advanceTimersByTimeAsync(0);
  }
}

function setUp(alive = false) {
  const wires: FakeWire[] = [];
  const links: Link[] = [];
  const seen = { names: 0, messages: [] as string[] };
  const socket = new SessionSocket({
    open: () => wires[wires.push(new FakeWire()) - 1] as FakeWire,
    alive: async () => alive,
    rename: () => (seen.names += 1),
    link: (link) => links.push(link),
    message: (message) => seen.messages.push(message.status),
  });
  socket.start();
  const newest = () => wires.at(-1) as FakeWire;
  return { socket, wires, links, seen, newest, link: () => links.at(-1) };
}

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe('SessionSocket', () => {
  it('is live from the greeting on, and sends nothing before it', () => {
    const { socket, newest, link } = setUp();
    expect(socket.send('early')).toBe(false);
    newest().say({ status: 'connected' });
    expect(link()).toEqual({ kind: 'live' });
    expect(socket.send('a', 'b')).toBe(true);
    expect(newest().sent).toEqual(['a', 'b']);
  });

  it('passes on what it knows and ignores the rest', () => {
    const { newest, seen } = setUp();
    newest().say({ status: 'connected' });
    newest().say({ status: 'something_new' });
    newest().onmessage?.call(newest() as never, { data: 'not json' } as MessageEvent);
    newest().say({ status: 'send_frame' });
    expect(seen.messages).toEqual(['connected', 'send_frame']);
  });

  it('reconnects after 0.5, 1, 2, 5, 5 seconds and keeps its name while the server is away', async () => {
    const { newest, wires, seen, link } = setUp(false);
    for (const wait of [500, 1000, 2000, 5000, 5000]) {
      const before = wires.length;
      await newest().hangUp();
      expect(link()).toMatchObject({ kind: 'away' });
      await vi.advanceTimersByTimeAsync(wait - 1);
      expect(wires.length).toBe(before);
      await vi.advanceTimersByTimeAsync(1);
      expect(wires.length).toBe(before + 1);
    }
    expect(seen.names).toBe(0);
    expect(backoff(0)).toBe(500);
  });

  it('keeps its name after a drop of a live session', async () => {
    const { newest, seen } = setUp(true);
    newest().say({ status: 'connected' });
    for (const wait of [500, 1000, 2000, 5000]) {
      await newest().hangUp();
      await vi.advanceTimersByTimeAsync(wait);
    }
    expect(seen.names).toBe(0);
  });

  it('takes a new name when a server that answers refuses the socket twice', async () => {
    const { newest, seen, wires } = setUp(true);
    await newest().hangUp();
    expect(seen.names).toBe(0);
    await vi.advanceTimersByTimeAsync(500);
    await newest().hangUp(1008);
    expect(seen.names).toBe(1);
    await vi.advanceTimersByTimeAsync(1000);
    expect(wires.length).toBe(3);
  });

  it('asks a full server again every five seconds', async () => {
    const { newest, link, wires } = setUp();
    newest().say({ status: 'error', message: 'Server is full' });
    await newest().hangUp(1000);
    expect(link()).toMatchObject({ kind: 'full', message: 'Server is full' });
    await vi.advanceTimersByTimeAsync(5000);
    expect(wires.length).toBe(2);
  });

  it('stays away when the session has ended', async () => {
    const { newest, link, wires } = setUp();
    newest().say({ status: 'connected' });
    newest().say({ status: 'timeout', message: 'Your session has ended' });
    await newest().hangUp(1000);
    expect(link()).toEqual({ kind: 'ended', message: 'Your session has ended' });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(wires.length).toBe(1);
  });

  it('does nothing more after stop, and tries at once on retry', async () => {
    const { socket, newest, wires } = setUp();
    await newest().hangUp();
    socket.retry();
    expect(wires.length).toBe(2);
    socket.stop();
    await newest().hangUp();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(wires.length).toBe(2);
  });
});
