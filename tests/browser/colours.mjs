// Pictures of one even colour, which a look at one pixel tells apart.

/** Far enough from each other that no JPEG confuses two of them. */
export const COLOURS = [[220, 30, 30], [30, 200, 40], [40, 60, 220], [230, 220, 40], [200, 40, 200], [40, 210, 220]];

/** One JPEG of each colour, 512x512, encoded by the browser of `page`. */
export async function jpegs(page) {
  const encoded = await page.evaluate(async (colours) => {
    const canvas = new OffscreenCanvas(512, 512);
    const context = canvas.getContext('2d');
    const all = [];
    for (const [red, green, blue] of colours) {
      context.fillStyle = `rgb(${red} ${green} ${blue})`;
      context.fillRect(0, 0, 512, 512);
      const blob = await canvas.convertToBlob({ type: 'image/jpeg', quality: 0.95 });
      all.push([...new Uint8Array(await blob.arrayBuffer())]);
    }
    return all;
  }, COLOURS);
  return encoded.map((bytes) => Buffer.from(bytes));
}

/** Which of the colours a pixel has; -1 for none. */
export const colour = (pixel) => COLOURS.findIndex((one) => one.every((value, index) => Math.abs(value - pixel[index]) < 12));

/** Which colour each <img> of the page has; -1 for none, and while it has no picture. */
export async function shown(page) {
  const pixels = await page.evaluate(() =>
    [...document.images].map((image) => {
      if (!image.naturalWidth) return [0, 0, 0];
      const context = new OffscreenCanvas(1, 1).getContext('2d');
      context.drawImage(image, 0, 0, 1, 1);
      return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
    }),
  );
  return pixels.map(colour);
}
