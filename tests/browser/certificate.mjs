// A certificate that nobody but its maker trusts, for a server of the loopback.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Files `cert` and `key` of a self-signed certificate, gone when the test `t` is over. */
export function certificate(t) {
  const folder = mkdtempSync(join(tmpdir(), 'limn-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const [cert, key] = ['cert.pem', 'key.pem'].map((name) => join(folder, name));
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'];
  const name = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  execFileSync('openssl', ['req', '-x509', ...kind, ...name, '-out', cert, '-keyout', key], { stdio: 'pipe' });
  return { cert, key };
}
