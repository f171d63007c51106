import assert from 'node:assert/strict';
import { readJson, writeJson } from '../../src/cli/notebook/exact-json.ts';

const again = (text: string): string => writeJson(readJson(text));

describe('JSON that keeps its numbers', () => {
  it('writes each number as Python would write it again', () => {
    for (const [text, written] of [
      ['1', '1'],
      ['-0', '0'],
      ['12345678901234567890', '12345678901234567890'],
      ['-9007199254740993', '-9007199254740993'],
      ['1.0', '1.0'],
      ['2.50', '2.5'],
      ['-0.0', '-0.0'],
      ['0.1', '0.1'],
      ['0.30000000000000004', '0.30000000000000004'],
      ['1e5', '100000.0'],
      ['1E+16', '1e+16'],
      ['1e16', '1e+16'],
      ['1234567890123456.0', '1234567890123456.0'],
      ['12345678901234567.0', '1.2345678901234568e+16'],
      ['0.0001', '0.0001'],
      ['0.00001', '1e-05'],
      ['1.5e-07', '1.5e-07'],
      ['1e22', '1e+22'],
      ['5e-324', '5e-324'],
      ['1e400', '1e400'],
    ] as const) {
      assert.equal(again(text), written, text);
      assert.equal(again(`{"a":[${text}]}`), `{\n "a": [\n  ${written}\n ]\n}`, text);
    }
    assert.equal(again('"1.0 and 12345678901234567890"'), '"1.0 and 12345678901234567890"');
    assert.equal(
      JSON.stringify(readJson('{"a":1.0}')),
      '{"a":1.0}',
      'for whoever writes it without an indent',
    );
  });

  it('sorts keys by their letters, numbers among them too, and escapes what Python escapes', () => {
    assert.equal(
      again('{"\\ud83d\\ude00":1,"\\uff5a":2,"b":{},"a":[],"9":3,"10":4,"Z":5,"é":6}'),
      '{\n "10": 4,\n "9": 3,\n "Z": 5,\n "a": [],\n "b": {},\n "é": 6,\n "ｚ": 2,\n "😀": 1\n}',
    );
    assert.equal(
      again('"\\u00fc\\u2028\\u007f\\u0000\\u001b\\/\\"\\\\\\n"'),
      '"ü\u2028\u007f\\u0000\\u001b/\\"\\\\\\n"',
    );
  });
});
