import assert from 'node:assert/strict';
import { portPlace, PRINTED_ADDRESS, printedAddress, portsInOrder } from '../src/port-words.ts';

describe('ports in words', () => {
  it('puts dashboards first, then what is on one node beside each other', () => {
    const port = (nodeIndex: number, number: number, known: 'ray' | null = null) => {
      return { nodeIndex, port: number, process: 'x', known };
    };
    const order = portsInOrder([port(1, 80), port(0, 9000), port(0, 8265, 'ray'), port(0, 443)]);
    assert.deepEqual(
      order.map(entry => portPlace(entry, 2)),
      ['port 8265, node 0', 'port 443, node 0', 'port 9000, node 0', 'port 80, node 1'],
    );
    assert.equal(portPlace(port(0, 80), 1), 'port 80');
  });

  it('reads the addresses that programs print of their own machine, and no others', () => {
    assert.deepEqual(printedAddress('http://localhost:6006/#scalars'), { port: 6006, path: '/#scalars' });
    assert.deepEqual(printedAddress('http://0.0.0.0:7860'), { port: 7860, path: '/' });
    assert.deepEqual(printedAddress('http://[::1]:80801/'), null);
    assert.deepEqual(printedAddress('http://127.0.0.1:8501//evil.example'), { port: 8501, path: '/' });
    for (const other of ['https://localhost:6006/', 'http://localhost/', 'http://10.0.0.1:80/', 'x']) {
      assert.equal(printedAddress(other), null, other);
    }
  });

  it('finds them in a line of output', () => {
    const line =
      'TensorBoard 2.20 at http://localhost:6006/ (Press CTRL+C to quit), app: http://127.0.0.1:7860.';
    assert.deepEqual(line.match(PRINTED_ADDRESS), ['http://localhost:6006/', 'http://127.0.0.1:7860']);
    assert.deepEqual("see 'http://0.0.0.0:8501/a?b=c#d'".match(PRINTED_ADDRESS), [
      'http://0.0.0.0:8501/a?b=c#d',
    ]);
    assert.equal('http://example.org:80/'.match(PRINTED_ADDRESS), null);
  });
});
