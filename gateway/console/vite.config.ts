import {fileURLToPath} from 'node:url';
import vue from '@vitejs/plugin-vue';
import {defineConfig} from 'vite';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  base: '/console/',
  plugins: [vue({features: {optionsAPI: false}})],
  resolve: {alias: {'@agent-client': here('../../docs/examples/agent-client/src/index.ts')}},
  define: {global: 'globalThis', __VUE_PROD_DEVTOOLS__: 'false'},
  worker: {format: 'es'},
  server: {fs: {allow: [here('.'), here('../../docs/examples/agent-client')]}},
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,  // the content security policy allows no data: URLs
    modulePreload: {polyfill: false},
    emptyOutDir: true,
    rollupOptions: {input: [here('index.html'), here('sidebar.html')]},
  },
});
