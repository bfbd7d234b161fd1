import { describe, expect, it } from 'vitest';
import { crc32, intoJpeg, intoPng } from './embed';
import { xmp } from './xmp';

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const making = { row: 'img2img', checkpoint: 'embedded', params: { prompt: 'ink & "wash" <1>', seed: 7 }, when: new Date(0) };

describe('xmp', () => {
  it('has the prompt as description and the whole set as JSON, escaped', () => {
    const packet = xmp(making);
    expect(packet).toContain('<rdf:li xml:lang="x-default">ink &amp; &quot;wash&quot; &lt;1&gt;</rdf:li>');
    expect(packet).toContain('limn:params="{&quot;prompt&quot;:&quot;ink &amp; \\&quot;wash\\&quot; &lt;1&gt;&quot;,&quot;seed&quot;:7}"');
    expect(packet).toContain('xmp:CreateDate="1970-01-01T00:00:00.000Z"');
  });
});

describe('intoJpeg', () => {
  it('puts the packet behind JFIF, with its length', () => {
    const jpeg = Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2, 0xff, 0xda, 9);
    const made = intoJpeg(jpeg, 'packet');
    expect([...made.subarray(0, 8)]).toEqual([...jpeg.subarray(0, 8)]);
    expect([...made.subarray(8, 12)]).toEqual([0xff, 0xe1, 0, 2 + 29 + 6]);
    expect(text(made.subarray(12, 12 + 35))).toBe('http://ns.adobe.com/xap/1.0/\0packet');
    expect([...made.subarray(-3)]).toEqual([0xff, 0xda, 9]);
  });

  it('leaves a picture alone whose packet fits no segment', () => {
    const jpeg = Uint8Array.of(0xff, 0xd8, 0xff, 0xda);
    expect(intoJpeg(jpeg, 'x'.repeat(70_000))).toBe(jpeg);
  });
});

describe('intoPng', () => {
  it('puts a chunk with a right check behind the header', () => {
    const png = new Uint8Array(40);
    png[39] = 5;
    const made = intoPng(png, 'packet');
    const length = new DataView(made.buffer).getUint32(33);
    expect(length).toBe(17 + 5 + 6);
    const chunk = made.subarray(37, 41 + length);
    expect(text(chunk)).toBe('iTXtXML:com.adobe.xmp\0\0\0\0\0packet');
    expect(new DataView(made.buffer).getUint32(41 + length)).toBe(crc32(chunk));
    expect(made.at(-1)).toBe(5);
  });

  it('checks as the standard does', () => {
    expect(crc32(new TextEncoder().encode('IEND'))).toBe(0xae426082);
  });
});
