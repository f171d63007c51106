// npm run docs: the documentation site, into dist/docs; a link that leads nowhere is an error.
//   npm run docs -- --serve   shows it on this computer instead, and again with each change, until Ctrl-C
//   … --lay-out FOLDER        only the pages and pictures, as both editors show them
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { layOutPages, writeMadePages } from './docs/pages.ts';

const docs = fileURLToPath(new URL('../docs', import.meta.url));
const generator = fileURLToPath(new URL('../docs/node_modules/vitepress/bin/vitepress.js', import.meta.url));

const { values } = parseArgs({ options: { serve: { type: 'boolean' }, 'lay-out': { type: 'string' } } });
if (values['lay-out'] !== undefined) {
  await layOutPages(values['lay-out']);
} else {
  await writeMadePages(docs);
  const child = spawn(process.execPath, [generator, values.serve === true ? 'dev' : 'build', docs], {
    stdio: 'inherit',
  });
  child.on('exit', code => {
    process.exitCode = code ?? 1;
  });
}
