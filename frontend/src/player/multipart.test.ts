import { describe, expect, it } from 'vitest';
import { MultipartReader } from './multipart';

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (part: Uint8Array) => new TextDecoder().decode(part);

function part(body: string, extra = 'X-Timestamp: 1.5\r\n'): string {
  return `Content-Type: image/jpeg\r\nContent-Length: ${body.length}\r\n${extra}\r\n${body}\r\n--frame\r\n`;
}

describe('MultipartReader', () => {
  const wire = bytes(`--frame\r\n${part('first')}${part('a\r\n\r\n--frame\r\nb')}${part('third')}`);

  it('gives a part as soon as its last byte is here', () => {
    const reader = new MultipartReader();
    expect(reader.push(bytes('--frame\r\nContent-Type: image/jpeg\r\nContent-Length: 5\r\n\r\nfirs'))).toEqual([]);
    expect(reader.push(bytes('t')).map(text)).toEqual(['first']);
  });

  it.each([1, 2, 3, 7, 50, 10_000])('does not care how the network cuts it: pieces of %d', (size) => {
    const reader = new MultipartReader();
    const parts: string[] = [];
    for (let at = 0; at < wire.length; at += size) parts.push(...reader.push(wire.slice(at, at + size)).map(text));
    expect(parts).toEqual(['first', 'a\r\n\r\n--frame\r\nb', 'third']);
  });

  it('takes parts that are larger than its buffer, and many of them', () => {
    const reader = new MultipartReader();
    const large = 'x'.repeat(700_000);
    for (let round = 0; round < 5; round += 1) {
      expect(reader.push(bytes(`--frame\r\n${part(large)}`)).map((found) => found.length)).toEqual([700_000]);
    }
  });

  it('leaves empty parts out and reads header names in any case', () => {
    const reader = new MultipartReader();
    expect(reader.push(bytes(`--frame\r\n${part('')}content-length: 2\r\n\r\nok\r\n`)).map(text)).toEqual(['ok']);
  });

  it('hands placards on to a page that has no words of its own', () => {
    const parts = new MultipartReader(true).push(bytes(`--frame\r\n${part('words', 'X-Limn-Placard: waiting\r\n')}${part('picture')}`));
    expect(parts).toHaveLength(2);
  });

  it('passes placards over', () => {
    const parts = new MultipartReader().push(bytes(`--frame\r\n${part('words', 'X-Limn-Placard: waiting\r\n')}${part('picture')}`));
    expect(parts.map(text)).toEqual(['picture']);
  });

  it('says so when the body is something else', () => {
    expect(() => new MultipartReader().push(bytes('--frame\r\nContent-Type: image/jpeg\r\n\r\n'))).toThrow(/Content-Length/);
    expect(() => new MultipartReader().push(bytes('x'.repeat(5000)))).toThrow(/multipart/);
  });
});
