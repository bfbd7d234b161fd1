import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { mint, recall, renew } from './identity';
import { parse, refusedField, told } from './messages';
import { Outbox } from './outbox';

describe('identity', () => {
  const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
  const store = () => {
    const held = new Map<string, string>();
    return { getItem: (key: string) => held.get(key) ?? null, setItem: (key: string, value: string) => held.set(key, value) };
  };

  it('mints version 4 with and without randomUUID', () => {
    expect(mint()).toMatch(UUID);
    const bare = { getRandomValues: (bytes: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(bytes) };
    expect(mint(bare)).toMatch(UUID);
    expect(mint(bare)).not.toBe(mint(bare));
  });

  it('is found again after a reload, and differs after renew', () => {
    const tab = store() as unknown as Storage;
    const first = recall(tab);
    expect(recall(tab)).toBe(first);
    expect(renew(tab)).not.toBe(first);
    expect(recall(tab)).not.toBe(first);
  });

  it('lives without storage', () => {
    const forbidden = { getItem: () => { throw new Error('no'); }, setItem: () => { throw new Error('no'); } };
    expect(recall(forbidden as unknown as Storage)).toMatch(UUID);
    expect(recall(null)).toMatch(UUID);
  });
});

describe('messages', () => {
  it('says reports in words, and knows of those that it has none for', () => {
    expect(told({ kind: 'prompt_truncated', left_out: 'of the hill' }).text).toContain('“of the hill” was not read');
    expect(told({ kind: 'flagged' }).text).toContain('hides');
    expect(told({ kind: 'nonesuch' }).text).toContain('nonesuch');
  });

  it('lets only known statuses through', () => {
    expect(parse('{"status":"wait"}')).toEqual({ status: 'wait' });
    expect(parse('{"status":"queue"}')).toBeNull();
    expect(parse('[1]')).toBeNull();
    expect(parse('nonsense')).toBeNull();
    expect(parse(new ArrayBuffer(0))).toBeNull();
  });

  it('finds the field that a refusal names', () => {
    expect(refusedField('parameter `steps`: 99 is greater than the maximum of 8', ['prompt', 'steps'])).toBe('steps');
    expect(refusedField('the value `9` of `steps` is too large', ['steps'])).toBe('steps');
    expect(refusedField('the picture is no JPEG', ['steps'])).toBeUndefined();
  });
});

describe('Outbox', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it('sends the first at once, then at most thirty a second, newest of each', () => {
    const sent: object[] = [];
    const box = new Outbox((patch) => sent.push(patch), () => Date.now());
    for (let tick = 0; tick < 1000; tick += 1) {
      box.put('strength', tick);
      if (tick === 500) box.put('seed', 7);
      vi.advanceTimersByTime(1);
    }
    vi.advanceTimersByTime(100);
    expect(sent[0]).toEqual({ strength: 0 });
    expect(sent.at(-1)).toEqual({ strength: 999 });
    expect(sent.length).toBeGreaterThan(25);
    expect(sent.length).toBeLessThanOrEqual(31);
    expect(sent.filter((patch) => 'seed' in patch)).toHaveLength(1);
  });

  it('forgets on clear', () => {
    const sent: object[] = [];
    const box = new Outbox((patch) => sent.push(patch), () => Date.now());
    box.put('a', 1);
    box.put('a', 2);
    box.clear();
    vi.advanceTimersByTime(100);
    expect(sent).toEqual([{ a: 1 }]);
  });
});
