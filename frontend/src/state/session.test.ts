import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Input, Row } from '../catalog/catalog';
import type { Source, SourceKind } from '../source/source';
import { Capture } from './capture.svelte';
import { Notices } from './notices.svelte';
import { Panel } from './panel.svelte';
import { Session } from './session.svelte';

class FakeSocket {
  static all: FakeSocket[] = [];
  readyState = 1;
  onmessage: ((event: { data: string }) => void) | null = null;
  sent: (string | Blob)[] = [];
  constructor(readonly url: string) {
    FakeSocket.all.push(this);
  }
  send(data: string | Blob): void {
    this.sent.push(data);
  }
  closed = false;
  close(): void {
    this.closed = true;
  }
  async say(message: object): Promise<void> {
    this.onmessage?.({ data: JSON.stringify(message) });
    await vi.waitFor(() => {});
    await new Promise((done) => setTimeout(done, 5));
  }
}

/** A clock for `wake` that does not let a test wait. */
class FakeWorker {
  onmessage: ((event: { data: number }) => void) | null = null;
  postMessage({ id }: { id: number }): void {
    queueMicrotask(() => this.onmessage?.({ data: id }));
  }
}

beforeEach(() => {
  FakeSocket.all = [];
  vi.stubGlobal('WebSocket', FakeSocket);
  vi.stubGlobal('Worker', FakeWorker);
  vi.stubGlobal('window', {});
  vi.stubGlobal('location', { protocol: 'https:', host: 'limn.test', origin: 'https://limn.test' });
  vi.stubGlobal('fetch', async () => new Response());
});
afterEach(() => vi.unstubAllGlobals());

function source(kind: SourceKind, picture: Blob | null): Source {
  return { kind, label: '', preview: null, jpeg: async () => picture, onended: null, stop: () => {} };
}

async function live(input: Input, from: Source | null) {
  const panel = new Panel();
  const capture = new Capture();
  const notices = new Notices();
  const row: Row = { id: 'a b', aliases: [], title: '', input, checkpoint: null, schema: {}, defaults: {} };
  panel.choice = { pipeline: { id: 'p', title: '', summary: '', input, runs_on: 'cpu', rows: [row] }, row };
  panel.values = { prompt: 'x', steps: 2 };
  capture.source = from;
  const session = new Session(panel, capture, notices);
  session.start();
  const socket = FakeSocket.all[0] as FakeSocket;
  await socket.say({ status: 'connected', message: 'Connected' });
  return { panel, session, notices, socket };
}

describe('Session', () => {
  const jpeg = new Blob(['jpeg']);
  const asked = (picture: boolean) => [`{"status":"next_frame","picture":${picture}}`, '{"prompt":"x","steps":2}'];

  it('names itself and its row, and answers send_frame with three messages', async () => {
    const { socket, session } = await live('image', source('camera', jpeg));
    expect(socket.url).toBe(`wss://limn.test/api/ws/${session.id}?row=a%20b`);
    await socket.say({ status: 'send_frame' });
    expect(socket.sent).toEqual([...asked(true), jpeg]);
  });

  it('sends no picture to a row that paints from text, or where no source was wanted', async () => {
    for (const [input, from] of [['text', source('camera', jpeg)], ['either', source('none', null)]] as const) {
      FakeSocket.all = [];
      const { socket } = await live(input, from);
      await socket.say({ status: 'send_frame' });
      expect(socket.sent).toEqual(asked(false));
    }
  });

  it('sends an empty message while there is no picture yet', async () => {
    const { socket } = await live('image', source('camera', null));
    await socket.say({ status: 'send_frame' });
    expect(socket.sent).toHaveLength(3);
    expect((socket.sent[2] as Blob).size).toBe(0);
  });

  it('sends a change at once and shows a refusal at its control', async () => {
    const { socket, panel, notices } = await live('image', source('camera', jpeg));
    panel.set('steps', 99);
    expect(socket.sent).toEqual(['{"status":"params","params":{"steps":99}}']);
    await socket.say({ status: 'refused', code: 'params', message: 'parameter `steps`: 99 is too many', hint: 'up to 8' });
    expect(panel.refused).toEqual({ steps: 'parameter `steps`: 99 is too many' });
    expect(notices.list).toMatchObject([{ tone: 'warn', hint: 'up to 8' }]);
    await socket.say({ status: 'send_frame' });
    expect(socket.sent[2]).toBe('{"prompt":"x"}');
  });

  it('asks for another row and waits until the server is ready', async () => {
    const { socket, session, panel } = await live('image', source('camera', jpeg));
    session.change('canny');
    expect(socket.sent).toEqual(['{"status":"pipeline","row":"canny"}']);
    expect(panel.pending).toBe('canny');
    await socket.say({ status: 'refused', code: 'row', message: 'no row `canny`' });
    expect(panel.pending).toBeNull();
  });

  it('closes its socket when it is stopped, and takes another name', async () => {
    const { session, socket } = await live('image', source('camera', jpeg));
    const before = session.id;
    session.stop();
    expect(socket.closed).toBe(true);
    expect(session.id).not.toBe(before);
  });
});
