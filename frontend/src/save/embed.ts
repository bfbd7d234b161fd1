/** Puts an XMP packet into a picture's bytes, as XMP's part 3 says where. */

type Bytes = Uint8Array<ArrayBuffer>;

const JPEG_NAME = 'http://ns.adobe.com/xap/1.0/\0';
const PNG_NAME = 'XML:com.adobe.xmp';
/** A segment's length has two bytes, and counts itself. */
const LONGEST_SEGMENT = 0xffff - 2;

/** A JPEG with the packet in a segment APP1 behind its start, or as it was where the packet is too long for one. */
export function intoJpeg(jpeg: Bytes, packet: string): Bytes {
  const body = new TextEncoder().encode(JPEG_NAME + packet);
  if (jpeg[0] !== 0xff || jpeg[1] !== 0xd8 || body.length > LONGEST_SEGMENT) return jpeg;
  const length = body.length + 2;
  // JFIF wants to be the first segment.
  const jfif = jpeg[2] === 0xff && jpeg[3] === 0xe0 ? 2 + ((jpeg[4] ?? 0) << 8) + (jpeg[5] ?? 0) : 0;
  return joined(jpeg.subarray(0, 2 + jfif), Uint8Array.of(0xff, 0xe1, length >> 8, length & 0xff), body, jpeg.subarray(2 + jfif));
}

/** A PNG with the packet in a chunk iTXt behind its header. */
export function intoPng(png: Bytes, packet: string): Bytes {
  // The signature has 8 bytes, the header chunk 25.
  const header = 33;
  const text = new TextEncoder();
  // The keyword ends with a zero; not compressed (two zeros), no language, no translated keyword (a zero each).
  const chunk = joined(text.encode(`iTXt${PNG_NAME}\0\0\0\0\0`), text.encode(packet));
  return joined(png.subarray(0, header), number(chunk.length - 4), chunk, number(crc32(chunk)), png.subarray(header));
}

function joined(...parts: Uint8Array[]): Bytes {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function number(value: number): Bytes {
  return Uint8Array.of(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff);
}

/** The check of PNG's chunks (ISO 15948, annex D). */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}
