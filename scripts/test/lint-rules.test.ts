import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ESLint, Linter } from 'eslint';
import tseslint from 'typescript-eslint';

const root = fileURLToPath(new URL('../..', import.meta.url));
const zoneRules = [
  'no-restricted-imports',
  '@typescript-eslint/no-restricted-imports',
  'no-restricted-globals',
  'no-restricted-properties',
  'no-restricted-syntax',
];

/** The zone rules that a line of code breaks when it stands in this file, which need not exist. */
async function broken(file: string, code: string): Promise<string[]> {
  const eslint = new ESLint({ cwd: root });
  const config = (await eslint.calculateConfigForFile(file)) as Linter.Config;
  const rules = Object.fromEntries(
    Object.entries(config.rules ?? {}).filter(([name]) => zoneRules.includes(name)),
  );
  const parser = tseslint.parser as Linter.Parser;
  const plugins = { '@typescript-eslint': tseslint.plugin as ESLint.Plugin };
  const messages = new Linter().verify(
    code,
    [{ files: ['**/*.ts'], languageOptions: { parser }, plugins, rules }],
    file,
  );
  return messages.map(message => message.ruleId ?? message.message);
}

describe('the lint zones', function () {
  this.timeout(60_000);

  it('keep time, chance and ids inside shared/platform', async () => {
    const lines = [
      'Date.now();',
      'Math.random();',
      'new Date();',
      'setTimeout(f, 1);',
      'crypto.randomUUID();',
      "import { randomUUID } from 'node:crypto';",
      "import { setTimeout as sleep } from 'node:timers/promises';",
    ];
    for (const line of lines) {
      for (const place of [
        'clusters/launch.ts',
        'store/worker.ts',
        'providers/local/index.ts',
        'providers/registry.ts',
      ]) {
        assert.equal((await broken(`backend-proxy/src/${place}`, line)).length, 1, `${line} in ${place}`);
      }
      assert.deepEqual(await broken('shared/platform/src/clock.ts', line), [], `${line} in platform`);
      assert.deepEqual(await broken('backend-proxy/test/x.test.ts', line), [], `${line} in a test`);
    }
    assert.deepEqual(
      await broken('backend-proxy/src/clusters/x.ts', "import { createHmac } from 'node:crypto';"),
      [],
    );
  });

  it('keep the database inside the store', async () => {
    for (const line of ["import { Kysely } from 'kysely';", "import { DatabaseSync } from 'node:sqlite';"]) {
      assert.equal((await broken('backend-proxy/src/api/x.ts', line)).length, 1);
      assert.deepEqual(await broken('backend-proxy/src/store/x.ts', line), []);
    }
  });

  it('let only the list of folders import a provider’s folder', async () => {
    const fromOutside = "import { x } from '../providers/sandbox/index.ts';";
    assert.equal((await broken('backend-proxy/src/clusters/x.ts', fromOutside)).length, 1);
    assert.equal(
      (await broken('backend-proxy/src/providers/contract.ts', "import './local/index.ts';")).length,
      1,
    );
    assert.deepEqual(
      await broken('backend-proxy/src/providers/folders.ts', "import './local/index.ts';"),
      [],
    );
    assert.deepEqual(
      await broken('backend-proxy/src/clusters/x.ts', "import '../providers/provider.ts';"),
      [],
    );
    assert.deepEqual(await broken('backend-proxy/src/providers/local/a.ts', "import './b.ts';"), []);
  });

  it('let each floor of the daemon import only from those below it', async () => {
    const upward: Readonly<Record<string, readonly string[]>> = {
      'ledger/x.ts': ['../store/open.ts', '../access/host.ts'],
      'store/x.ts': ['../clusters/limits.ts', '../spend/cost.ts'],
      'access/ssh/x.ts': ['../../clusters/limits.ts', '../../api/server.ts'],
      'agent/kernels/x.ts': ['../../ledger/records.ts'],
      'spend/x.ts': ['../clusters/parts.ts'],
      'clusters/x.ts': ['../api/server.ts', '../daemon/run.ts'],
      'daemon/x.ts': ['../cli/context.ts'],
    };
    for (const [place, specifiers] of Object.entries(upward)) {
      for (const specifier of specifiers) {
        for (const line of [`import '${specifier}';`, `import type { X } from '${specifier}';`]) {
          const rules = await broken(`backend-proxy/src/${place}`, line);
          assert.deepEqual(rules, ['@typescript-eslint/no-restricted-imports'], `${line} in ${place}`);
        }
      }
    }
    const downward: Readonly<Record<string, string>> = {
      'store/x.ts': '../ledger/store.ts',
      'access/ssh/x.ts': '../hosts.ts',
      'cli/commands/x.ts': '../../daemon/run.ts',
      'daemon/x.ts': '../main.ts',
      'main.ts': './daemon/run.ts',
    };
    for (const [place, specifier] of Object.entries(downward)) {
      const line = `import '${specifier}';`;
      assert.deepEqual(await broken(`backend-proxy/src/${place}`, line), [], `${line} in ${place}`);
    }
  });

  it('let nothing in shared import the daemon', async () => {
    for (const line of [
      "import '@hitch/proxy/src/main.ts';",
      "import '../../../backend-proxy/src/main.ts';",
    ]) {
      for (const place of ['client-node', 'platform', 'transfer', 'views']) {
        assert.deepEqual(await broken(`shared/${place}/src/x.ts`, line), [
          '@typescript-eslint/no-restricted-imports',
        ]);
      }
    }
  });

  it('give each folder of the daemon a floor', async () => {
    const folders = readdirSync(join(root, 'backend-proxy/src'), { withFileTypes: true })
      .filter(entry => entry.isDirectory() && entry.name !== 'cli')
      .map(({ name }) => name);
    for (const folder of folders) {
      const rules = await broken(`backend-proxy/src/${folder}/x.ts`, "import '../cli/main.ts';");
      assert.equal(rules.length, 1, `${folder} is none of the floors in eslint.config.mjs`);
    }
  });

  it('let nothing of a hostile machine be shown past the places that make it plain', async () => {
    const shows: Readonly<Record<string, readonly string[]>> = {
      'extension/src/vscode/x.ts': [
        'vscode.window.showWarningMessage(name);',
        'vscode.window.showQuickPick(items);',
        'const { showInputBox } = vscode.window;',
        'new vscode.MarkdownString(name);',
        'vscode.window.withProgress(options, run);',
        'vscode.window.createTerminal({ name });',
        'vscode.window.createOutputChannel(name);',
      ],
      'backend-proxy/src/cli/commands/x.ts': [
        'io.stdout.write(name);',
        'process.stderr.write(name);',
        'console.log(name);',
      ],
      'jupyter-plugin/src/panel/x.ts': [
        'node.textContent = name;',
        'node.innerHTML = name;',
        'node.title = name;',
        'widget.title.label = name;',
        "import { html } from 'lit/html.js';",
        "import { unsafeHTML } from 'lit/directives/unsafe-html.js';",
        "import { Notification } from '@jupyterlab/apputils';",
        "import { showDialog } from '@jupyterlab/apputils';",
      ],
      'shared/views/src/offers/x.ts': ["import { html } from 'lit';", 'text.data = name;'],
      'extension/src/page/x.ts': ["import { html, render } from 'lit';"],
    };
    for (const [place, lines] of Object.entries(shows)) {
      for (const line of lines) {
        assert.equal((await broken(place, line)).length, 1, `${line} in ${place}`);
      }
    }
    assert.deepEqual(
      await broken('extension/src/vscode/messages.ts', 'vscode.window.showErrorMessage(x);'),
      [],
    );
    assert.deepEqual(await broken('backend-proxy/src/cli/screen/io.ts', 'this.stdout.write(x);'), []);
  });

  it('keep fetch away from Ray', async () => {
    assert.equal((await broken('shared/ray-client-ts/src/x.ts', "fetch('http://127.0.0.1');")).length, 1);
    assert.equal(
      (await broken('shared/ray-client-ts/src/x.ts', "import { fetch } from 'undici';")).length,
      1,
    );
  });
});
