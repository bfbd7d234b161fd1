// One picture of the camera's clip, as a file that a person could choose.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CLIP } from './chromium.mjs';
import { ROOT } from './server.mjs';

const START = Buffer.from([0xff, 0xd8, 0xff]);

/** The file, made anew from the clip. */
export const PHOTOGRAPH = join(ROOT, '.fixtures/photograph.jpg');

const clip = readFileSync(CLIP);
mkdirSync(join(ROOT, '.fixtures'), { recursive: true });
writeFileSync(PHOTOGRAPH, clip.subarray(0, clip.indexOf(START, 1)));
