/**
 * Takes a `multipart/x-mixed-replace` body apart as it arrives.
 *
 * Every part must carry `Content-Length`, which the server writes when asked with `?wire=length`: then a frame is whole
 * when its last byte is here, with no search for a boundary and no wait for the next part.
 */

const HEADERS_END = [13, 10, 13, 10] as const;
/** Longer headers than this mean that the body is something else. */
const MAX_HEADERS = 4096;
const latin = new TextDecoder('latin1');

export class MultipartReader {
  #buffer = new Uint8Array(256 * 1024);
  #start = 0;
  #end = 0;
  /** Bytes of the part that is being read, or null between parts. */
  #length: number | null = null;
  /** Whether that part is a placard: words for readers that have none of their own. */
  #placard = false;

  /** `placards`: they are handed on as well, for a page that has no words of its own. */
  constructor(private readonly placards = false) {}

  /** Takes what arrived and returns the pictures that are whole by now, oldest first, as copies. */
  push(chunk: Uint8Array): Uint8Array<ArrayBuffer>[] {
    this.#append(chunk);
    const parts: Uint8Array<ArrayBuffer>[] = [];
    for (let part = this.#next(); part !== null; part = this.#next()) {
      // An empty part blanks a picture and means nothing.
      if (part.length > 0 && (this.placards || !this.#placard)) parts.push(part);
    }
    return parts;
  }

  #next(): Uint8Array<ArrayBuffer> | null {
    if (this.#length === null && !this.#readHeaders()) return null;
    const length = this.#length ?? 0;
    if (this.#end - this.#start < length) return null;
    const part = this.#buffer.slice(this.#start, this.#start + length);
    this.#start += length;
    this.#length = null;
    return part;
  }

  /** Reads past the boundary and the headers; false where they are not all here yet. */
  #readHeaders(): boolean {
    const at = this.#find();
    if (at < 0) {
      if (this.#end - this.#start > MAX_HEADERS) throw new Error('the stream is not multipart');
      return false;
    }
    const headers = latin.decode(this.#buffer.subarray(this.#start, at));
    const length = /^content-length:\s*(\d+)\s*$/im.exec(headers)?.[1];
    if (length === undefined) throw new Error('a part of the stream has no Content-Length');
    this.#start = at + HEADERS_END.length;
    this.#length = Number(length);
    this.#placard = /^x-limn-placard:/im.test(headers);
    return true;
  }

  #find(): number {
    const last = Math.min(this.#end - HEADERS_END.length, this.#start + MAX_HEADERS);
    for (let at = this.#start; at <= last; at += 1) {
      if (HEADERS_END.every((byte, offset) => this.#buffer[at + offset] === byte)) return at;
    }
    return -1;
  }

  #append(chunk: Uint8Array): void {
    if (this.#end + chunk.length > this.#buffer.length) {
      const held = this.#buffer.subarray(this.#start, this.#end);
      const need = held.length + chunk.length;
      const room = need > this.#buffer.length ? new Uint8Array(need * 2) : this.#buffer;
      room.set(held);
      this.#buffer = room;
      this.#end = held.length;
      this.#start = 0;
    }
    this.#buffer.set(chunk, this.#end);
    this.#end += chunk.length;
  }
}
