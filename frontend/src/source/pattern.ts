/** A test picture: colour bars that move, a counter and a clock. */

/** Colour bars at three quarters (SMPTE EG 1). */
const BARS = ['#bfbfbf', '#bfbf00', '#00bfbf', '#00bf00', '#bf00bf', '#bf0000', '#0000bf'];

/** Draws picture number `count` over the whole canvas; the bars move by four pixels a picture. */
export function drawPattern(context: CanvasRenderingContext2D, count: number, now: Date): void {
  const { width, height } = context.canvas;
  const bar = width / BARS.length;
  const shift = (count * 4) % width;
  BARS.forEach((colour, index) => {
    context.fillStyle = colour;
    const left = (index * bar + shift) % width;
    context.fillRect(left, 0, bar + 1, height * 0.7);
    // What leaves on the right comes in on the left.
    if (left + bar > width) context.fillRect(left - width, 0, bar + 1, height * 0.7);
  });
  context.fillStyle = '#181818';
  context.fillRect(0, height * 0.7, width, height * 0.3);
  context.fillStyle = '#f0f0f0';
  context.font = `${height / 9}px monospace`;
  context.textAlign = 'center';
  context.fillText(`${String(count).padStart(6, '0')}  ${now.toISOString().slice(11, 23)}`, width / 2, height * 0.9);
}
