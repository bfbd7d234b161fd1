/** The page `/watch/ID`: one session's picture and nothing else, or the program's at `/watch/program`. */

import { canPlay, Player } from './player/player';

const name = location.pathname.split('/').filter(Boolean).at(-1) ?? '';
const stream = name === 'program' ? '/stream.mjpeg' : `/api/sessions/${name}/stream.mjpeg`;
// A signed address lets its page's stream in as well.
const sign = new URLSearchParams(location.search).get('sign');
const url = sign === null ? stream : `${stream}?sign=${sign}`;

if (canPlay()) {
  const canvas = Object.assign(document.createElement('canvas'), { width: 1, height: 1 });
  canvas.setAttribute('aria-label', 'Painted picture');
  document.body.append(canvas);
  const player = new Player(canvas, {
    shown: () => {},
    size: (width, height) => (canvas.dataset.size = `${width}x${height}`),
    // Asked for again by itself; the last picture stays meanwhile.
    broken: () => {},
  });
  // Placards are part of what viewers see, so they are played too.
  player.play(`${url}${sign === null ? '?' : '&'}wire=length`, true);
} else {
  document.body.append(Object.assign(document.createElement('img'), { src: url, alt: 'Painted stream' }));
}
