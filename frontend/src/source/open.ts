/** Asking the browser for a camera, a screen, a file. */

import { drawPattern } from './pattern';
import { PictureSource } from './picture';
import type { Source } from './source';
import { VideoSource } from './video';

/** Whether this page may ask at all: browsers give cameras and screens to https and localhost only. */
export function mayCapture(): boolean {
  return window.isSecureContext && navigator.mediaDevices !== undefined;
}

/** Whether this browser can share a screen; phones cannot. */
export function mayShareScreen(): boolean {
  return mayCapture() && 'getDisplayMedia' in navigator.mediaDevices;
}

/** Opens the camera called `deviceId`, or the one that the browser prefers. */
export async function openCamera(deviceId?: string): Promise<VideoSource> {
  if (!mayCapture()) throw new DOMException('not a secure page', 'InsecureError');
  const video: MediaTrackConstraints = {
    width: { ideal: 1280 },
    height: { ideal: 720 },
    frameRate: { ideal: 30 },
    ...(deviceId === undefined ? {} : { deviceId: { exact: deviceId } }),
  };
  const stream = await navigator.mediaDevices.getUserMedia({ video, audio: false });
  return new VideoSource('camera', stream.getVideoTracks()[0]?.label || 'Camera', stream);
}

/** Asks which screen or window to share. */
export async function openScreen(): Promise<VideoSource> {
  if (!mayCapture()) throw new DOMException('not a secure page', 'InsecureError');
  const stream = await navigator.mediaDevices.getDisplayMedia({ video: true, audio: false });
  return new VideoSource('screen', stream.getVideoTracks()[0]?.label || 'Screen', stream);
}

/** Opens a picture, or a clip that plays again and again; throws where the browser cannot read it. */
export async function openFile(file: File): Promise<Source> {
  if (!file.type.startsWith('video/')) return PictureSource.open(file);
  const url = URL.createObjectURL(file);
  const trial = Object.assign(document.createElement('video'), { muted: true, preload: 'auto', src: url });
  await new Promise((done, failed) => {
    trial.addEventListener('loadeddata', done, { once: true });
    trial.addEventListener('error', () => failed(new DOMException(file.name, 'PictureError')), { once: true });
  }).catch((error: unknown) => {
    URL.revokeObjectURL(url);
    throw error;
  });
  return new VideoSource('clip', file.name, { url, moves: true });
}

/** Opens the test pattern, which asks nobody. */
export function openPattern(): Source {
  const canvas = Object.assign(document.createElement('canvas'), { width: 1280, height: 720 });
  const context = canvas.getContext('2d', { alpha: false });
  const stream = canvas.captureStream(30);
  let count = 0;
  const clock = setInterval(() => {
    if (context === null || !stream.active) clearInterval(clock);
    else drawPattern(context, count++, new Date());
  }, 33);
  return new VideoSource('pattern', 'Test pattern', stream);
}

/** A camera that could be chosen. */
export interface Device {
  id: string;
  label: string;
}

/** The cameras; they have names only after one of them was allowed. */
export async function listCameras(): Promise<Device[]> {
  if (!mayCapture()) return [];
  const devices = await navigator.mediaDevices.enumerateDevices();
  return devices
    .filter((device) => device.kind === 'videoinput' && device.deviceId !== '')
    .map((device, index) => ({ id: device.deviceId, label: device.label || `Camera ${index + 1}` }));
}
