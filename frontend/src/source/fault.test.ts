import { describe, expect, it } from 'vitest';
import { faultOf } from './fault';

const named = (name: string) => Object.assign(new Error('detail'), { name });

describe('faultOf', () => {
  it.each([
    ['NotAllowedError', /refused/],
    ['NotFoundError', /No camera/],
    ['NotReadableError', /in use/],
    ['OverconstrainedError', /gone/],
    ['SomethingElse', /did not start/],
  ])('says what %s means for a camera', (name, words) => {
    const fault = faultOf(named(name), 'camera', 'h');
    expect(fault?.title).toMatch(words);
    expect(fault?.hint).not.toBe('');
  });

  it('names the address and the ways out on a page without encryption', () => {
    const fault = faultOf(named('InsecureError'), 'camera', 'studio.local:7860');
    expect(fault?.hint).toMatch(/studio\.local:7860.*localhost.*https.*picture/s);
  });

  it('says nothing when somebody closed the screen dialogue', () => {
    expect(faultOf(named('NotAllowedError'), 'screen', 'h')).toBeNull();
    expect(faultOf(named('NotSupportedError'), 'screen', 'h')?.title).toMatch(/screen/);
  });

  it('names the file that is no picture', () => {
    expect(faultOf(Object.assign(new Error('notes.txt'), { name: 'PictureError' }), 'file', 'h')?.title).toContain('notes.txt');
  });
});
