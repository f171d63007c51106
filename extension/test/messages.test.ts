import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { plainMessage } from '../src/plain-message.ts';

describe('a message', () => {
  // As VS Code recognises links in messages, which it shows in one line.
  const links = (text: string) =>
    /\[([^\]]+)\]\(((?:https?:\/\/|command:|file:)[^)\s]+)(?: (["'])(.+?)(\3))?\)/i.test(
      text.replace(/\r\n|\n|\r/g, ' '),
    );

  it('has no links, whatever a file is called', () => {
    for (const name of [
      '[x](command:evil)',
      '[x](https://evil.example)',
      '[x](file:///etc/passwd "title")',
      '[[x](](command:evil)',
      '[x]\u200b(command:evil)',
    ]) {
      assert.equal(links(plainMessage(`Not copied: ${name}.`)), false, name);
    }
    assert.equal(links('[x](command:evil)'), true);
    assert.equal(plainMessage('[x](command:evil)'), '[x] (command:evil)');
  });

  it('keeps its lines, and hides nothing', () => {
    assert.equal(plainMessage('one\ntwo \u202e\u0007'), 'one\ntwo \\u202e\\u0007');
    assert.equal(plainMessage(plainMessage('a\tb')), plainMessage('a\tb'));
  });

  it('is shown by the one place that makes it plain', () => {
    const folder = fileURLToPath(new URL('../src/', import.meta.url));
    const showing = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
      path => path.endsWith('.ts') && /\.show\w+Message\b/.test(readFileSync(join(folder, path), 'utf8')),
    );
    assert.deepEqual(showing, [join('vscode', 'messages.ts')]);
  });
});
