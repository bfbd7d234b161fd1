/** Ties the page's nouns together: a source, a panel, a session. */

import { Capture, type Wanted } from './capture.svelte';
import { Knobs } from './knobs.svelte';
import { Library } from './library.svelte';
import { Morph } from './morph.svelte';
import { Notices } from './notices.svelte';
import { Panel } from './panel.svelte';
import { Session } from './session.svelte';

export class Studio {
  readonly notices = new Notices();
  readonly panel = new Panel();
  readonly capture = new Capture();
  readonly library = new Library(this.panel);
  readonly knobs = new Knobs(this.panel, this.library);
  readonly morph = new Morph(this.panel);
  readonly session = new Session(this.panel, this.capture, this.notices);

  /** What the row can do with a source. */
  readonly input = $derived(this.panel.choice?.row.input ?? 'image');

  /** Whether the row needs a source that is not there. */
  readonly wanting = $derived.by(() => {
    const kind = this.capture.source?.kind;
    return this.input !== 'text' && (kind === undefined || (kind === 'none' && this.input === 'image'));
  });

  /** Opens a source and, unless one is running already, a session for it. */
  async start(wanted: Wanted): Promise<void> {
    const opened = await this.capture.open(wanted);
    if (opened && !this.session.running) this.session.start();
  }

  /** Lets go of the source and of the session. */
  stop(): void {
    this.capture.stop();
    this.capture.fault = null;
    this.session.stop();
  }

  /** Changes the row, live or not. */
  change(row: string): void {
    if (this.session.link.kind === 'live') this.session.change(row);
    else this.panel.choose(row);
  }

  /** Where anyone can watch this session. */
  get streamUrl(): string {
    return `${location.origin}/api/sessions/${this.session.id}/stream.mjpeg`;
  }
}
