/** Asking the browser for a camera or a screen. */

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
  return new VideoSource('camera', await navigator.mediaDevices.getUserMedia({ video, audio: false }));
}

/** Asks which screen or window to share. */
export async function openScreen(): Promise<VideoSource> {
  if (!mayCapture()) throw new DOMException('not a secure page', 'InsecureError');
  return new VideoSource('screen', await navigator.mediaDevices.getDisplayMedia({ video: true, audio: false }));
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
