import assert from 'node:assert/strict';
import { shownText } from '@hitch/contract';
import { NASTY } from '../../shared/contract/test/support/nasty-strings.ts';
import { clusterRow, kernelRow, nodeRow } from '../src/clusters/rows.ts';
import { stopQuestion } from '../src/clusters/stop.ts';
import { accountText, conflictQuestion } from '../src/files/copy-texts.ts';
import { FileRows, fileRowId } from '../src/files/rows.ts';
import { entryOf } from '../src/kernel/servers.ts';
import { logWords, shownItem, shownRow, shownTooltip } from '../src/shown/items.ts';
import { tooltip } from '../src/status/status-bar.ts';
import { problemReport } from '@hitch/client-node/src/report/problem-report.ts';
import { TerminalSession } from '../src/terminals/session.ts';
import { lossesOf } from '@hitch/contract/src/stop-plan.ts';
import { editorText } from '@hitch/contract/src/shown/places.ts';
import type { TerminalEvents } from '@hitch/client-node/src/terminal-socket.ts';
import type { Row } from '../src/tree/row.ts';
import { cluster, CLUSTER_ID, kernel, node, NOW } from './sample.ts';

const HIDDEN = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;
/** What VS Code makes something of: `parseLinkedText` and `renderLabelWithIcons`. */
const LINK = /\[([^\]]+)\]\(((?:https?:\/\/|command:|file:)[^)\s]+)(?: (["'])(.+?)(\3))?\)/i;
const ICON = /\$\([a-z0-9-]+(?:~[a-z]+)?\)/i;
const titleOf = (): string => 'Vast';
const context = { titleOf, nowMs: NOW };

/** One line, with nothing in it that is hidden, a link or an icon. */
function isPlain(text: string, attacks: string): void {
  assert.doesNotMatch(text, HIDDEN, attacks);
  assert.doesNotMatch(text, LINK, attacks);
  assert.doesNotMatch(text, ICON, attacks);
}

function isPlainRow(row: Row, attacks: string): void {
  Object.values(shownRow(row)).forEach((text: string) => isPlain(text, attacks));
  const lines = shownTooltip(row).split('\n');
  assert.equal(lines.length, row.tooltip().length, attacks);
  lines.forEach(line => isPlain(line, attacks));
}

describe('hostile text in the extension', function suite() {
  // The whole list goes through each place, on a machine that may be busy.
  this.timeout(60_000);

  it('is plain in every row of its trees', async () => {
    for (const { text, attacks } of NASTY) {
      const machine = node({ title: text, message: text });
      const evil = cluster({ message: text, nodes: [machine], phase: 'failed' });
      isPlainRow(clusterRow(evil, context), attacks);
      isPlainRow(nodeRow(evil, machine, NOW), attacks);
      isPlainRow(kernelRow(evil, kernel({ name: text, path: text }), NOW), attacks);
      const files = new FileRows({
        list: async () => [
          { path: text, name: text, kind: 'file', sizeBytes: 1, modifiedAtMs: NOW, writable: true },
        ],
        now: () => NOW,
        changed: () => undefined,
      });
      const top = fileRowId({ clusterId: CLUSTER_ID, kind: 'files', path: '' });
      files.below(top);
      await new Promise(resolve => setImmediate(resolve));
      const [row] = files.below(top);
      assert.ok(row);
      isPlainRow(row, attacks);
    }
  });

  it('is plain in pickers, whose own icons stay', () => {
    for (const { text, attacks } of NASTY) {
      const shown = shownItem({ icon: 'chip', label: text, description: text, detail: text });
      assert.ok(shown.label.startsWith('$(chip) '), attacks);
      [shown.label.slice('$(chip) '.length), shown.description, shown.detail].forEach(part =>
        isPlain(part, attacks),
      );
      isPlain(entryOf(cluster({ nodes: [node({ title: text })] })).label, attacks);
    }
  });

  it('is plain in what is asked before a stop, and makes no line of its own', async () => {
    for (const { text, attacks } of NASTY) {
      const list = async () => [
        { path: text, name: text, kind: 'file', sizeBytes: 7, modifiedAtMs: NOW, writable: true } as const,
      ];
      const losses = await lossesOf({ files: { list } } as never, cluster());
      const { detail } = stopQuestion(cluster(), losses, null);
      const lines = editorText(detail).split('\n');
      lines.forEach(line => isPlain(line, attacks));
      assert.equal(lines.length, 3, attacks);
    }
  });

  it('is plain in the questions and accounts of copies', () => {
    for (const { text, attacks } of NASTY) {
      const { detail } = conflictQuestion({ files: 1, bytes: 1, inTheWay: { count: 1, names: [text] } });
      const lines = editorText(detail).split('\n');
      assert.equal(lines.length, 3, attacks);
      lines.forEach(line => isPlain(line, attacks));
      const account = {
        copiedFiles: 1,
        copiedBytes: 1,
        sameFiles: 0,
        outcomes: { unreadable: { count: 1, names: [{ path: text, detail: text }] } },
      };
      const shown = accountText('Saved', account, new Map([['unreadable', [{ path: text, detail: text }]]]));
      assert.equal(shown, shownText(shown), attacks);
      assert.equal(shown.split('\n').length, 5, attacks);
    }
  });

  it('has no markup in the tooltip of the status bar', () => {
    for (const { text, attacks } of NASTY) {
      const evil = cluster({ nodes: [node({ title: text })] });
      const shown = tooltip([evil], {
        ...context,
        monthMicroUsd: null,
        lastHourOf: () => null,
        kernelsOf: () => [kernel({ state: 'busy', path: text || 'x' })],
      });
      // What is left are the parts of our own: two signs for bold, and the links.
      const rest = shown
        .replace(/\\[!-/:-@[-`{-~]/g, '')
        .replace(/\[[^\]]+\]\(command:hitch\.cluster\.\w+\?[^)]*\)/g, '');
      assert.doesNotMatch(rest.replace('**', '').replace('**', ''), /[[\]()<>`!*_#|~&$]/, attacks);
      assert.equal(rest.split('\n').length, 3, attacks);
    }
  });

  it('is one line of its log, and none that a place in a stack makes', () => {
    for (const { text, attacks } of NASTY) {
      isPlain(logWords(text), attacks);
      const lines = logWords(new Error(text)).split('\n');
      lines.forEach(line => isPlain(line, attacks));
      assert.ok(
        lines.slice(1).every(line => /^\s+at /.test(line)),
        attacks,
      );
    }
  });

  it('is the same in the report of a problem, with nothing hidden in it', async () => {
    const machines = NASTY.map(({ text }, index) => node({ index, title: text, message: text }));
    const { text } = await problemReport({
      api: () => {
        throw new Error('\u001b]0;x\u0007');
      },
      clusters: [cluster({ nodes: machines })],
      client: {},
      logs: { own: '\u009b2J' },
      nowMs: NOW,
      sentence: String,
    });
    assert.doesNotMatch(text.replaceAll('\n', ''), HIDDEN);
    JSON.parse(text);
  });

  it('draws on its terminal and reaches nothing beyond it, also after the way broke', () => {
    const wrote: string[] = [];
    let events: TerminalEvents | undefined;
    const session = new TerminalSession({
      clusterName: 'llm-dev',
      state: () => Promise.resolve('runs'),
      open: given => {
        events = given;
        return Promise.resolve({ stdin: () => undefined, resize: () => undefined, close: () => undefined });
      },
      write: text => wrote.push(text),
      ended: () => undefined,
      setTimer: () => ({ cancel: () => undefined }),
    });
    session.start(null);
    events?.begins?.();
    events?.stdout('\u001b[31mred \u001b]52;c;');
    events?.stdout('eA==\u0007\u001b[21t\u0005!');
    events?.begins?.();
    events?.stdout('again');
    session.dispose();
    assert.equal(wrote.join(''), '\u001b[31mred !\u001bcagain');
  });
});
