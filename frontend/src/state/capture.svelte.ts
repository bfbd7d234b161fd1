/** The source that is open in this browser, and why one is not. */

import { faultOf, type Fault } from '../source/fault';
import { listCameras, openCamera, openFile, openPattern, openScreen, type Device } from '../source/open';
import { noSource, type Source } from '../source/source';

/** What to open. */
export type Wanted =
  | { kind: 'camera'; deviceId?: string }
  | { kind: 'screen' }
  | { kind: 'file'; file: File }
  | { kind: 'pattern' }
  | { kind: 'none' };

export class Capture {
  source = $state.raw<Source | null>(null);
  /** The browser is asking the person, or the device is starting. */
  opening = $state(false);
  fault = $state.raw<Fault | null>(null);
  devices = $state.raw<Device[]>([]);

  /** Opens what is wanted in place of what is open; says whether it did. */
  async open(wanted: Wanted): Promise<boolean> {
    if (this.opening) return false;
    this.opening = true;
    this.fault = null;
    // Many devices refuse to open a second camera while the first is held.
    if (wanted.kind === 'camera' && this.source?.kind === 'camera') this.stop();
    try {
      const source = await begin(wanted);
      this.stop();
      source.onended = () => this.#ended(source);
      this.source = source;
      if (source.kind === 'camera') await this.refresh();
      return true;
    } catch (error) {
      if (wanted.kind !== 'none' && wanted.kind !== 'pattern') this.fault = faultOf(error, wanted.kind, location.host);
      return false;
    } finally {
      this.opening = false;
    }
  }

  /** Lets go of the source. */
  stop(): void {
    this.source?.stop();
    this.source = null;
  }

  /** Looks again at which cameras there are. */
  async refresh(): Promise<void> {
    this.devices = await listCameras();
  }

  #ended(source: Source): void {
    if (this.source !== source) return;
    this.stop();
    this.fault =
      source.kind === 'screen'
        ? { title: 'Screen sharing was stopped.', hint: 'Share it again, or choose another source.' }
        : { title: `“${source.label}” went away.`, hint: 'Connect it again, or choose another source.' };
    void this.refresh();
  }
}

function begin(wanted: Wanted): Promise<Source> {
  switch (wanted.kind) {
    case 'camera':
      return openCamera(wanted.deviceId);
    case 'screen':
      return openScreen();
    case 'file':
      return openFile(wanted.file);
    case 'pattern':
      return Promise.resolve(openPattern());
    case 'none':
      return Promise.resolve(noSource());
  }
}
