import { afterEach, describe, expect, it, vi } from 'vitest';
import { Access } from './access.svelte';

const answers = (...list: [number, object][]) => {
  const fetched = vi.fn(async (_path: string, _init?: RequestInit) => {
    const [status, body] = list.shift() ?? [500, {}];
    return { ok: status < 300, json: async () => body } as Response;
  });
  vi.stubGlobal('fetch', fetched);
  return fetched;
};

afterEach(() => vi.unstubAllGlobals());

describe('Access', () => {
  it('signs in with what stands behind the #, once, and takes it out of the address', async () => {
    const fetched = answers([204, {}], [200, { right: 'operator' }]);
    const forgotten: string[] = [];
    const access = new Access();
    await access.begin({ hash: '#sign=operator.all.9.ab', pathname: '/desk', search: '?x=1' }, (url) => forgotten.push(url));
    expect(forgotten).toEqual(['/desk?x=1']);
    expect(fetched.mock.calls[0]?.[1]?.body).toBe('{"key":"operator.all.9.ab"}');
    expect(access.allows('operator')).toBe(true);
  });

  it('asks for a key where there is none, and says what was wrong with one', async () => {
    answers([200, { right: null }], [403, { error: { message: 'this key opens nothing here' } }], [204, {}], [200, { right: 'player' }]);
    const access = new Access();
    await access.begin({ hash: '', pathname: '/', search: '' });
    expect([access.right, access.allows('viewer')]).toEqual([null, false]);
    await access.signIn('guess');
    expect(access.fault).toBe('this key opens nothing here');
    await access.signIn(' right ');
    expect([access.fault, access.allows('player'), access.allows('operator')]).toEqual([null, true, false]);
  });

  it('leaves a server that is away to the page', async () => {
    vi.stubGlobal('fetch', async () => Promise.reject(new TypeError('away')));
    const access = new Access();
    await access.begin({ hash: '', pathname: '/', search: '' });
    expect(access.allows('player')).toBe(true);
  });
});
