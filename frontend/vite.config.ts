import { svelte } from '@sveltejs/vite-plugin-svelte';
import tailwindcss from '@tailwindcss/vite';
import { defineConfig } from 'vitest/config';

// While the page is being worked on, Vite serves it and the running server answers for the rest.
const server = 'http://127.0.0.1:7860';

export default defineConfig({
  plugins: [tailwindcss(), svelte()],
  build: { target: 'es2022', reportCompressedSize: true, rollupOptions: { input: ['index.html', 'watch.html', 'desk.html'] } },
  worker: { format: 'es' },
  server: {
    proxy: {
      '/api': { target: server, ws: true },
      '/health': server,
      '/stream.mjpeg': server,
    },
  },
  // Components are tried in a real browser; here the logic runs as it would there, so Svelte's client build is asked for.
  resolve: process.env.VITEST ? { conditions: ['browser'] } : {},
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
});
