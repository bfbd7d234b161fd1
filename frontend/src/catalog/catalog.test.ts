import { afterEach, describe, expect, it, vi } from 'vitest';
import { choicesOf, defaultRow, fetchCatalog, findRow, type Catalog, type Row } from './catalog';

const row = (id: string, aliases: string[] = []): Row => ({
  id, aliases, title: id, input: 'image', checkpoint: null, schema: {}, defaults: {},
});
const catalog: Catalog = {
  default: 'canny',
  pipelines: [
    { id: 'passthrough', title: 'P', summary: '', input: 'image', runs_on: 'cpu', rows: [row('passthrough')] },
    { id: 'edges', title: 'E', summary: '', input: 'image', runs_on: 'cpu', rows: [row('canny', ['edge']), row('sobel')] },
  ],
};

afterEach(() => vi.unstubAllGlobals());

describe('catalog', () => {
  it('lists rows in order and finds them by name and by alias', () => {
    expect(choicesOf(catalog).map((choice) => choice.row.id)).toEqual(['passthrough', 'canny', 'sobel']);
    expect(findRow(catalog, 'edge')?.row.id).toBe('canny');
    expect(findRow(catalog, 'nothing')).toBeUndefined();
  });

  it('starts with the default, else with the first', () => {
    expect(defaultRow(catalog)?.row.id).toBe('canny');
    expect(defaultRow({ ...catalog, default: 'gone' })?.row.id).toBe('passthrough');
    expect(defaultRow({ default: '', pipelines: [] })).toBeUndefined();
  });

  it('passes on the words of a refusal', async () => {
    const body = JSON.stringify({ error: { code: 'forbidden', message: 'a key is needed', hint: 'open the link you were sent' } });
    vi.stubGlobal('fetch', async () => new Response(body, { status: 403 }));
    await expect(fetchCatalog()).rejects.toThrow('a key is needed (open the link you were sent)');
    vi.stubGlobal('fetch', async () => new Response('<html>', { status: 502 }));
    await expect(fetchCatalog()).rejects.toThrow('the server answered 502');
  });
});
