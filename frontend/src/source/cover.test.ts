import { expect, it } from 'vitest';
import { cover } from './cover';

it('cuts the sides of a wide picture evenly', () => {
  expect(cover({ width: 1280, height: 720 }, { width: 512, height: 512 })).toEqual({ x: 280, y: 0, width: 720, height: 720 });
});

it('cuts top and bottom of a tall picture evenly', () => {
  expect(cover({ width: 720, height: 1280 }, { width: 512, height: 256 })).toEqual({ x: 0, y: 460, width: 720, height: 360 });
});

it('keeps all of a picture that has the shape already, even when it is smaller', () => {
  expect(cover({ width: 64, height: 64 }, { width: 512, height: 512 })).toEqual({ x: 0, y: 0, width: 64, height: 64 });
});

it.each([[1920, 1080, 768, 512], [333, 777, 1024, 64]])('never stretches %d x %d into %d x %d', (w, h, tw, th) => {
  const rect = cover({ width: w, height: h }, { width: tw, height: th });
  expect(rect.width / rect.height).toBeCloseTo(tw / th, 6);
  expect(rect.x).toBeGreaterThanOrEqual(0);
  expect(rect.y + rect.height).toBeLessThanOrEqual(h + 1e-9);
});
