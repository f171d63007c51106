// Writes the Python that the agent carries as text into its sources, so that the agent stays one bundled file.
// Run it after a change of the Python; a test fails while the two differ.
import { readFileSync, writeFileSync } from 'node:fs';

const source = readFileSync(new URL('hitch_jupyter/__init__.py', import.meta.url), 'utf8');
const quoted = source.replaceAll('\\', '\\\\').replaceAll('`', '\\`').replaceAll('${', '\\${');
writeFileSync(
  new URL('../src/agent/kernels/python-source.ts', import.meta.url),
  `/** Made by python/embed.mjs from python/hitch_jupyter/__init__.py; change that file. */\nexport const HITCH_JUPYTER_SOURCE = \`\\\n${quoted}\`;\n`,
);
