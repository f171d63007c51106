// Writes the programs for far machines into the sources as text, so that a bundle carries them. Run it after a change of one;
// a test fails while the two differ.
import { readFileSync, writeFileSync } from 'node:fs';

/** The constant's name, and the files that it is made of. */
const programs = {
  LOOK: ['common.sh', 'look.sh'],
  PREPARE: ['common.sh', 'prepare.sh'],
  READY: ['common.sh', 'ready.sh'],
  LAUNCH: ['common.sh', 'launch.sh'],
  FOLLOW: ['common.sh', 'follow.sh'],
  BOOTSTRAP: ['common.sh', 'bootstrap.sh'],
  START: ['common.sh', 'start.sh'],
  LOOP: ['common.sh', 'loop.sh'],
  LOG: ['common.sh', 'log.sh'],
  END: ['common.sh', 'end.sh'],
  CLEAN: ['common.sh', 'clean.sh'],
  FETCH: ['fetch.py'],
};

const read = name => readFileSync(new URL(name, import.meta.url), 'utf8');
const quoted = text => text.replaceAll('\\', '\\\\').replaceAll('`', '\\`').replaceAll('${', '\\${');

const common = read('common.sh');
const parts = Object.entries(programs).map(([name, files]) => {
  const own = files
    .filter(file => file !== 'common.sh')
    .map(read)
    .join('');
  const text = files.includes('common.sh') ? `\${COMMON}\n${quoted(own)}` : quoted(own);
  return `export const ${name} = \`${files.includes('common.sh') ? '' : '\\\n'}${text}\`;\n`;
});

/** What the file of the sources has to hold. */
export const source = `/** Made by far/embed.mjs from the programs beside it; change those. */\n\nconst COMMON = \`\\\n${quoted(common)}\`;\n\n${parts.join('\n')}`;

if (process.argv[1] === new URL(import.meta.url).pathname) {
  writeFileSync(new URL('../src/machines/far/programs.ts', import.meta.url), source);
}
