// Runs the console's tests: `node tests/run.mjs unit` or `node tests/run.mjs page`; `--mock` starts the mock gateway with an agent and work to look at.
// Each test file is bundled (TypeScript, and the alias of the agent client) and given to Node's own test runner. The last line counts the checks.
import {spawn} from 'node:child_process';
import {existsSync, mkdirSync, readdirSync, rmSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {build} from 'esbuild';

const here = fileURLToPath(new URL('.', import.meta.url));
const bundles = join(here, '../node_modules/.tests');
const kind = process.argv[2] ?? 'unit';

async function bundle(files, folder) {
  rmSync(folder, {recursive: true, force: true});
  mkdirSync(folder, {recursive: true});
  await build({
    entryPoints: files, outdir: folder, bundle: true, platform: 'node', format: 'esm', target: 'node18', sourcemap: 'inline', outExtension: {'.js': '.mjs'}, logLevel: 'error',
    packages: 'external', alias: {'@agent-client': join(here, '../../../docs/examples/agent-client/src/index.ts')},
  });
}

if (kind === '--mock') {
  await bundle([join(here, 'mock-session.ts')], join(bundles, 'mock'));
  await import(join(bundles, 'mock/mock-session.mjs'));
} else {
  const wanted = process.argv[3] ?? '';
  const files = readdirSync(join(here, kind)).filter(name => name.endsWith('.test.ts') && name.includes(wanted));
  await bundle(files.map(name => join(here, kind, name)), join(bundles, kind));
  const outputs = files.map(name => join(bundles, kind, name.replace(/\.ts$/, '.mjs'))).filter(existsSync);
  // One file after the other: a page test starts a browser.
  const child = spawn(process.execPath, ['--enable-source-maps', '--test', '--test-concurrency=1', '--test-reporter=tap', ...outputs], {stdio: ['ignore', 'pipe', 'inherit'], env: {...process.env, CONSOLE_FOLDER: join(here, '..')}});
  let output = '';
  child.stdout.on('data', data => {
    output += data;
    process.stdout.write(data);
  });
  child.on('close', status => {
    const count = name => Number(new RegExp(`^# ${name} (\\d+)$`, 'm').exec(output)?.[1] ?? 0);
    const run = count('tests') - count('skipped');
    console.log(`${count('pass')} of ${run} checks passed`);
    if (count('skipped') > 0) console.log(`${count('skipped')} skipped`);
    process.exitCode = status === 0 && run > 0 ? 0 : 1;
  });
}
