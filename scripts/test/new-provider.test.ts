import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ts from 'typescript';
import { newNetwork, writeNetwork } from '../new-provider.ts';

const root = join(import.meta.dirname, '..', '..');

/** What the compiler says of files as if they lay in the repository. */
function complaintsOf(folder: string, paths: readonly string[]): string[] {
  const config = join(root, 'test', 'tsconfig.json');
  const { options } = ts.parseJsonConfigFileContent(
    ts.readConfigFile(config, file => ts.sys.readFile(file)).config,
    ts.sys,
    join(root, 'test'),
  );
  const inPlace = new Map(paths.map(path => [join(root, path), join(folder, path)]));
  const host = ts.createCompilerHost({ ...options, composite: false, noEmit: true, rootDir: root });
  const at = (file: string): string => inPlace.get(file) ?? file;
  const program = ts.createProgram({
    rootNames: [...inPlace.keys()],
    options: { ...options, composite: false, incremental: false, noEmit: true, rootDir: root },
    host: {
      ...host,
      directoryExists: place =>
        ts.sys.directoryExists(place) || [...inPlace.keys()].some(path => path.startsWith(`${place}/`)),
      fileExists: file => ts.sys.fileExists(at(file)),
      readFile: file => ts.sys.readFile(at(file)),
      getSourceFile: (file, language) => {
        const text = ts.sys.readFile(at(file));
        return text === undefined ? undefined : ts.createSourceFile(file, text, language);
      },
    },
  });
  return [...inPlace.keys()].flatMap(path => {
    const file = program.getSourceFile(path);
    assert.ok(file, path);
    return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)].map(
      ({ messageText }) => `${path}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`,
    );
  });
}

describe('a new network’s adapter', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hitch-new-provider-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('is written whole, with types that fit the contract, a simulator and the suite', function () {
    this.timeout(60_000);
    const paths = writeNetwork(folder, newNetwork('examplecloud', 'Example Cloud'));
    assert.ok(paths.includes('backend-proxy/src/providers/examplecloud/network.ts'));
    assert.ok(paths.includes('test/contract/examplecloud-provider.contract.test.ts'));
    assert.deepEqual(complaintsOf(folder, paths), []);
  });

  it('replaces nothing that is there', () => {
    const network = newNetwork('examplecloud', undefined);
    const [first = ''] = writeNetwork(folder, network);
    const before = readFileSync(join(folder, first), 'utf8');
    assert.throws(() => writeNetwork(folder, { ...network, title: 'Another' }), /is there already/);
    assert.equal(readFileSync(join(folder, first), 'utf8'), before);
    assert.equal(existsSync(join(root, first)), false, 'nothing is written into the repository itself');
  });

  for (const name of [undefined, '', 'Vast', 'a', '../x', 'two-words', 'x'.repeat(40)]) {
    it(`has no name such as ${JSON.stringify(name) ?? 'none'}`, () => {
      assert.throws(() => newNetwork(name, undefined), /small letters and digits/);
    });
  }
});
