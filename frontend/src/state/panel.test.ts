import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Catalog } from '../catalog/catalog';
import { Panel } from './panel.svelte';

const prompt = { type: 'string', default: 'a fox' };
const catalog: Catalog = {
  default: 'two',
  pipelines: [
    {
      id: 'p', title: 'P', summary: '', input: 'image', runs_on: 'cpu',
      rows: [
        {
          id: 'one', aliases: [], title: 'One', input: 'image', checkpoint: null, defaults: { steps: 4 },
          schema: { properties: { prompt, steps: { type: 'integer', default: 4, minimum: 1, maximum: 8 } } },
        },
        {
          id: 'two', aliases: [], title: 'Two', input: 'text', checkpoint: null, defaults: { width: 640 },
          schema: { properties: { prompt, width: { type: 'integer', minimum: 64, maximum: 1024, 'x-advanced': true }, kept: { default: 3, 'x-field': 'hidden' } } },
        },
      ],
    },
  ],
};

const held = new Map<string, string>();
beforeEach(() => {
  const sessionStorage = { getItem: (key: string) => held.get(key) ?? null, setItem: (key: string, value: string) => held.set(key, value) };
  vi.stubGlobal('window', { sessionStorage });
  vi.stubGlobal('fetch', async () => new Response(JSON.stringify(catalog)));
});
afterEach(() => {
  held.clear();
  vi.unstubAllGlobals();
});

async function loaded(): Promise<Panel> {
  const panel = new Panel();
  await panel.load();
  return panel;
}

describe('Panel', () => {
  it('starts with the default row; hidden parameters are sent though none sees them', async () => {
    const panel = await loaded();
    expect(panel.choice?.row.id).toBe('two');
    expect(panel.full()).toEqual({ prompt: 'a fox', width: 640, kept: 3 });
    expect(panel.basic.map((control) => control.name)).toEqual(['prompt']);
    expect(panel.advanced.map((control) => control.name)).toEqual(['width']);
    expect(panel.size()).toEqual({ width: 640, height: 512 });
  });

  it('finds its row and values again after a reload', async () => {
    const before = await loaded();
    before.choose('one');
    before.set('steps', 7);
    const after = await loaded();
    expect(after.choice?.row.id).toBe('one');
    expect(after.full()).toEqual({ prompt: 'a fox', steps: 7 });
  });

  it('takes no value from before that the row would not have now', async () => {
    held.set('limn.panel', JSON.stringify({ row: 'one', values: { steps: 99, prompt: 'ok', gone: 1 } }));
    expect((await loaded()).full()).toEqual({ prompt: 'ok', steps: 4 });
  });

  it('carries a changed prompt to another row, and takes what the server says of it', async () => {
    const panel = await loaded();
    panel.set('prompt', 'glass');
    panel.choose('one');
    expect(panel.full()).toEqual({ prompt: 'glass', steps: 4 });
    panel.pending = 'two';
    panel.adopt('two', { width: 128 });
    expect(panel.pending).toBeNull();
    expect(panel.full()).toEqual({ prompt: 'glass', width: 128, kept: 3 });
  });

  it('keeps its own values when the server is ready with the row that is shown', async () => {
    const panel = await loaded();
    panel.set('prompt', 'newer');
    panel.adopt('two', { prompt: 'older' });
    expect(panel.values.prompt).toBe('newer');
  });

  it('leaves a refused value out until it is changed, and resets', async () => {
    const panel = await loaded();
    const told: unknown[] = [];
    panel.onchange = (name, value) => told.push([name, value]);
    panel.refused = { width: 'too wide' };
    expect(panel.full()).not.toHaveProperty('width');
    panel.set('width', 64);
    expect(panel.full()).toHaveProperty('width', 64);
    panel.reset('width');
    expect(told).toEqual([['width', 64], ['width', 640]]);
  });
});
