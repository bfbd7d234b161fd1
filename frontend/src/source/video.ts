/** A source that moves: a camera, a shared screen, a test pattern, a clip. */

import { encode } from './encoder';
import type { Preview, Size, Source, SourceKind } from './source';
import { wake } from './wake';

/** How long to wait for a new picture before the last one is taken again: a screen where nothing moves sends none. */
const STALE_MS = 100;
/** In a hidden tab nothing says that a picture is new, so one is taken at a camera's usual pace. */
const HIDDEN_MS = 33;

/** A page that has waited so long for its drawing is not on any screen. */
const UNDRAWN_MS = 250;

export class VideoSource implements Source {
  readonly deviceId?: string;
  onended: (() => void) | null = null;

  readonly #video: HTMLVideoElement;
  #fresh = false;
  #arrived: (() => void) | null = null;
  #stopped = false;
  #taken = 0;
  /** Since when the browser owes this page a drawing. */
  #asked: number | null = null;

  constructor(
    readonly kind: SourceKind,
    readonly label: string,
    readonly preview: Preview,
  ) {
    this.#video = Object.assign(document.createElement('video'), { muted: true, playsInline: true, loop: true });
    if (preview instanceof MediaStream) {
      const track = preview.getVideoTracks()[0];
      const deviceId = track?.getSettings().deviceId;
      if (deviceId !== undefined) this.deviceId = deviceId;
      track?.addEventListener('ended', () => this.onended?.());
      this.#video.srcObject = preview;
    } else {
      this.#video.src = preview.url;
    }
    void this.#video.play().catch(() => {
      // Stopped before the first picture; `jpeg` answers that there is none.
    });
    this.#watch();
  }

  async jpeg(size: Size): Promise<Blob | null> {
    await this.#newest();
    const { videoWidth, readyState } = this.#video;
    if (this.#stopped || readyState < HTMLMediaElement.HAVE_CURRENT_DATA || videoWidth === 0) return null;
    this.#fresh = false;
    this.#taken = performance.now();
    return encode(this.#video, size);
  }

  stop(): void {
    this.#stopped = true;
    this.#arrived?.();
    this.onended = null;
    if (this.preview instanceof MediaStream) {
      for (const track of this.preview.getTracks()) track.stop();
      this.#video.srcObject = null;
    } else {
      this.#video.removeAttribute('src');
      URL.revokeObjectURL(this.preview.url);
    }
  }

  /** Notes each new picture; where the browser cannot say, every picture counts as new. */
  #watch(): void {
    if (!('requestVideoFrameCallback' in this.#video)) return;
    const seen = () => {
      this.#fresh = true;
      this.#arrived?.();
      if (!this.#stopped) this.#video.requestVideoFrameCallback(seen);
    };
    this.#video.requestVideoFrameCallback(seen);
  }

  /** Whether the page is not being drawn: a hidden tab says so, a minimised or covered window only stops drawing. */
  #unseen(): boolean {
    const now = performance.now();
    if (this.#asked === null) {
      this.#asked = now;
      requestAnimationFrame(() => (this.#asked = null));
    }
    return document.hidden || now - this.#asked > UNDRAWN_MS;
  }

  async #newest(): Promise<void> {
    if (this.#fresh) return;
    const hidden = this.#unseen() || !('requestVideoFrameCallback' in this.#video);
    const arrival = new Promise<void>((done) => (this.#arrived = done));
    const wait = hidden ? HIDDEN_MS - (performance.now() - this.#taken) : STALE_MS;
    await Promise.race([arrival, wake(Math.max(0, wait))]);
    this.#arrived = null;
  }
}
