import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'
import { digestPlugin } from './digest.ts'

/** Where the run API is while the page is worked on: `upwell console --port 8765`, or the fixtures of the tests. */
const API = process.env.UPWELL_CONSOLE ?? 'http://127.0.0.1:8765'

export default defineConfig({
  plugins: [react(), digestPlugin()],
  build: {
    outDir: '../sdk/upwell/_console/static',
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { host: '127.0.0.1', proxy: { '/api': { target: API, changeOrigin: true } } },
})
