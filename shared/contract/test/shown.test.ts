import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { NASTY } from './support/nasty-strings.ts';
import {
  editorLine,
  editorText,
  markdownLine,
  outputText,
  OutputText,
  shellWord,
  shownJson,
  shownLine,
  shownName,
  shownText,
  TERMINAL_AS_BEFORE,
  TerminalGuard,
} from '../src/shown/index.ts';

/** Nothing that a terminal, a page or a person reads as something else. */
const HIDDEN = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;
/** As VS Code recognises links in messages, which it shows in one line (`parseLinkedText`). */
const LINK = /\[([^\]]+)\]\(((?:https?:\/\/|command:|file:)[^)\s]+)(?: (["'])(.+?)(\3))?\)/i;
/** As it recognises icons (`renderLabelWithIcons`). */
const ICON = /\$\([a-z0-9-]+(?:~[a-z]+)?\)/i;

/** Texts made of what is dangerous, in any order. */
const nastyText = fc
  .array(
    fc.oneof(fc.constantFrom(...NASTY.map(({ text }) => text.slice(0, 200))), fc.string({ unit: 'binary' })),
    {
      maxLength: 6,
    },
  )
  .map(parts => parts.join(''));

/** All ways to cut a text into pieces would be many; these are some. */
const pieces = (text: string, size: number): string[] =>
  Array.from({ length: Math.ceil(text.length / size) }, (_, at) => text.slice(at * size, (at + 1) * size));

describe('hostile text, shown', function suite() {
  // Properties over the whole list, on a machine that may be busy.
  this.timeout(60_000);

  it('is told by at least sixty examples, each of its own kind', () => {
    assert.ok(NASTY.length >= 60);
    assert.equal(new Set(NASTY.map(({ text }) => text)).size, NASTY.length);
  });

  const places = { shownName, shownLine, editorLine, markdownLine };
  for (const [place, show] of Object.entries(places)) {
    it(`is one line without anything hidden, of bounded length: ${place}`, () => {
      for (const { text, attacks } of NASTY) {
        const shown = show(`before ${text} after`);
        assert.doesNotMatch(shown, HIDDEN, attacks);
        assert.ok(shown.length < 10_000, attacks);
      }
    });
  }

  it('keeps the lines of a text, and nothing else that is hidden', () => {
    for (const { text, attacks } of NASTY) {
      assert.doesNotMatch(shownText(text).replace(/[\n\t]/g, ''), HIDDEN, attacks);
      assert.doesNotMatch(editorText(text).replace(/[\n\t]/g, ''), HIDDEN, attacks);
    }
    assert.equal(shownText('one\r\ntwo\tthree'), 'one\ntwo\tthree');
  });

  it('tells every two names apart', () => {
    const shown = new Map(NASTY.map(({ text }) => [shownName(text), text]));
    assert.equal(shown.size, NASTY.length);
    fc.assert(
      fc.property(nastyText, nastyText, (one, other) => {
        if (one !== other && one.length < 300 && other.length < 300) {
          assert.notEqual(shownName(one), shownName(other));
        }
      }),
    );
  });

  it('is not written out twice where a sentence with a name is shown', () => {
    for (const { text, attacks } of NASTY) {
      const name = shownName(text);
      assert.equal(shownText(name), name, attacks);
      assert.equal(shownLine(name), name, attacks);
      assert.equal(editorText(editorText(name)), editorText(name), attacks);
    }
  });

  it('says what it does not show of a long name', () => {
    const [one, other] = NASTY.filter(({ text }) => text.length > 1_000).map(({ text }) => shownName(text));
    assert.match(one ?? '', /^x+…\[99,700 more characters, [0-9a-f]{8}\]…x+$/);
    assert.notEqual(one, other);
  });

  it('leaves ordinary names as they are', () => {
    for (const name of [
      'train.py',
      'résumé final.ipynb',
      '数据/训练.csv',
      'نتائج.txt',
      'C:\\users\\me',
      '$HOME (2)',
      'a[1](b',
      '🙂.png',
    ]) {
      assert.equal(shownName(name), name);
    }
    assert.equal(editorLine('$(not an icon) and [x] (y)'), '$(not an icon) and [x] (y)');
  });
});

describe('hostile text in VS Code', function suite() {
  this.timeout(60_000);

  it('is no link and no icon, alone, in a sentence or beside others', () => {
    fc.assert(
      fc.property(nastyText, text => {
        for (const show of [editorLine, editorText]) {
          assert.doesNotMatch(show(`Not saved: ${text}.`).replace(/\s+/g, ' '), LINK);
          assert.doesNotMatch(show(text), ICON);
        }
      }),
    );
    assert.match('[Keep](command:x)', LINK);
    assert.match('$(zap)', ICON);
  });

  it('has no sign left in markdown that means something', () => {
    for (const { text, attacks } of NASTY) {
      const shown = markdownLine(text);
      assert.doesNotMatch(shown.replace(/\\[!-/:-@[-`{-~]/g, ''), /[!-/:-@[-`{-~]/, attacks);
      assert.doesNotMatch(shown, /^\s/, attacks);
    }
  });
});

describe('hostile output of a program, on a terminal that is not its own', function suite() {
  this.timeout(60_000);

  it('keeps colours, tabs and line breaks, wherever it is cut', () => {
    assert.equal(outputText('\u001b[31mred\u001b[0m\r50%\n', true), '\u001b[31mred\u001b[0m\r50%\n');
    assert.equal(outputText('\u001b[31mred\u001b[0m', false), 'red');
    fc.assert(
      fc.property(nastyText, fc.integer({ min: 1, max: 9 }), (text, size) => {
        const output = new OutputText(true);
        const cut = pieces(text, size)
          .map(piece => output.write(piece))
          .join('');
        assert.equal(cut + output.end(), outputText(text, true));
        assert.doesNotMatch(
          cut.replace(/\u001b\[[0-9;:]*m/g, ''),
          /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/,
        );
      }),
    );
  });

  it('is not swallowed by a sequence that does not end', () => {
    assert.equal(outputText('a\u001b]52;c;eA==\nb', true), 'a\nb');
    assert.equal(outputText('a\u001bP\r\nb', true), 'a\r\nb');
  });

  it('gives back its colours', () => {
    assert.equal(outputText('\u001b[1;31mred', true), '\u001b[1;31mred\u001b[0m');
    assert.equal(outputText('\u001b[31mred\u001b[m', true), '\u001b[31mred\u001b[m');
  });
});

describe('a hostile terminal', function suite() {
  this.timeout(60_000);

  const guard = (text: string): string => new TerminalGuard().write(text);

  it('draws on its screen as it likes', () => {
    for (const drawing of [
      '\u001b[2J\u001b[H\u001b[?1049h\u001b[38;5;12mvim\u001b[0m\r\n',
      '\u001b(0lqqk\u001b(B',
      '\u001b[6n\u001b[c\u001b[>c',
      '\u001b[?1000h\u001b[?1006h\u001b[?2004h',
      '\u001b7\u001b8\u001bM\u001b=',
      '\u001b[1;24r\b\t\u0007',
      '\u001bPq#0;2;0;0;0~~\u001b\\',
      '\u001b]0;vim\u001b\\',
      '\u001b]11;#000000\u001b\\',
      '\u001b]8;;https://example.com/a\u001b\\link\u001b]8;;\u001b\\',
      'über 日本 🙂',
    ]) {
      assert.equal(guard(drawing), drawing);
    }
  });

  it('reaches nothing beyond it, wherever its sequences are cut', () => {
    const beyond =
      /\u001b\](?:52|7|9|50|99|133|633|697|777|1337)|\u001b(?:P(?![0-9;]*q)|_|\^|X|k)|\u001b\[2?[0-9](?:;\d+)*t|\u0005|\u001b\[[?]?\d*i|[\u0080-\u009f]|command:|file:/;
    const window = /^\u001b\[(?:14|15|16|18|19|22|23)/;
    fc.assert(
      fc.property(nastyText, fc.integer({ min: 1, max: 9 }), (text, size) => {
        const terminal = new TerminalGuard();
        const cut = pieces(text.replaceAll(/command:|file:/gi, 'x:'), size)
          .map(piece => terminal.write(piece))
          .join('');
        const found = beyond.exec(cut);
        assert.ok(found === null || window.test(found[0]), JSON.stringify(found?.[0]));
      }),
      { numRuns: 500 },
    );
  });

  for (const [what, sequence] of Object.entries({
    'the clipboard': '\u001b]52;c;eA==\u0007',
    'the clipboard, asked for': '\u001b]52;c;?\u001b\\',
    'the clipboard by C1': '\u009d52;c;eA==\u009c',
    'a download': '\u001b]1337;File=:eA==\u0007',
    'the history of commands': '\u001b]633;E;rm\u0007',
    'a notification': '\u001b]9;hello\u0007',
    'the title, typed': '\u001b[21t',
    'the window, moved': '\u001b[3;0;0t',
    'a setting, typed': '\u001bP$q"p\u001b\\',
    'terminfo, typed': '\u001bP+q544e\u001b\\',
    'keys with new meanings': '\u001bP0;1|17/0a\u001b\\',
    'the answerback': '\u0005',
    'the answerback inside of a sequence': '\u001b[3\u00051m',
    'a palette, asked for': '\u001b]4;1;?\u0007',
    'the printer': '\u001b[5i',
    'a picture by name': '\u001b_Gt=f;eA==\u001b\\',
    'a sequence for tmux': '\u001bPtmux;\u001b\u001b]52;c;eA==\u0007\u001b\\',
    'the character set': '\u001b%@',
  })) {
    it(`does not get ${what}`, () => {
      const { length } = sequence;
      for (let at = 0; at <= length; at++) {
        const terminal = new TerminalGuard();
        const passed = terminal.write(`a${sequence.slice(0, at)}`) + terminal.write(`${sequence.slice(at)}b`);
        assert.equal(passed.replace('\u001b[31m', '').replace('\u001b\u001b', ''), 'ab');
      }
    });
  }

  it('leads its links to the web or nowhere, and has a plain title', () => {
    assert.equal(guard('\u001b]8;;command:x\u0007x'), '\u001b]8;;\u001b\\x');
    assert.equal(guard('\u001b]8;;file:///etc/passwd\u0007x'), '\u001b]8;;\u001b\\x');
    assert.equal(guard('\u001b]0;a\u202eb\u0007'), '\u001b]0;a\\u202eb\u001b\\');
  });

  it('leaves the terminal to its person', () => {
    for (const mode of ['1000', '1002', '1003', '1006', '2004', '1004']) {
      assert.match(TERMINAL_AS_BEFORE, new RegExp(`[?;]${mode}[;l]`));
    }
    assert.doesNotMatch(
      TERMINAL_AS_BEFORE,
      /1049/,
      'it would move the cursor of a screen that was never left',
    );
  });
});

describe('hostile text for other programs', () => {
  it('is the same in JSON, with nothing that a terminal reads', () => {
    for (const { text, attacks } of NASTY) {
      const json = shownJson({ text, [`k${text}`]: [text] }, 2);
      assert.doesNotMatch(json.replaceAll('\n', ''), HIDDEN, attacks);
      assert.deepEqual(JSON.parse(json), { text, [`k${text}`]: [text] }, attacks);
    }
  });

  it('is one word of a command line', () => {
    assert.equal(shellWord('hitch-llm-dev'), 'hitch-llm-dev');
    assert.equal(shellWord("it's $(x)"), `'it'\\''s $(x)'`);
  });
});
