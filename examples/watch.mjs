// Reads a stream without a browser: node watch.mjs http://127.0.0.1:7860/stream.mjpeg 10 writes ten pictures to
// picture-0.jpg and so on, with how late each was.

import { writeFile } from 'node:fs/promises';

const [url, count = '10'] = process.argv.slice(2);

/** The parts of a multipart body: headers by lower-case name, and the bytes. */
async function* parts(body) {
  let held = Buffer.alloc(0);
  for await (const chunk of body) {
    held = Buffer.concat([held, chunk]);
    for (;;) {
      const end = held.indexOf('\r\n\r\n');
      if (end < 0) break;
      const lines = held.toString('latin1', 0, end).split('\r\n');
      const headers = Object.fromEntries(lines.filter((line) => line.includes(':')).map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]));
      const length = Number(headers['content-length']);
      if (held.length < end + 4 + length) break;
      yield { headers, bytes: held.subarray(end + 4, end + 4 + length) };
      held = held.subarray(end + 4 + length);
    }
  }
}

// `wire=length` puts a length before each picture, `times=1` says when it was taken.
const answer = await fetch(`${url}?wire=length&times=1`);
if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
let seen = 0;
for await (const { headers, bytes } of parts(answer.body)) {
  // Words where there is no picture are no picture.
  if (headers['x-limn-placard'] !== undefined) continue;
  await writeFile(`picture-${seen}.jpg`, bytes);
  console.log(`picture-${seen}.jpg`, `${Math.round(Date.now() - Number(headers['x-limn-captured']) * 1000)} ms old`);
  seen += 1;
  if (seen === Number(count)) break;
}
process.exit();
