import assert from 'node:assert/strict';
import { offerPageSchema } from '@hitch/contract';
import { offer } from '../store/records.ts';
import { CliHarness } from './harness.ts';

describe('hitch offers', () => {
  let harness: CliHarness;
  before(async () => {
    harness = await CliHarness.start();
  });
  after(() => harness.close());

  it('shows the columns of the offer table and a footer that counts', async () => {
    const { code, stdout } = await harness.run(['offers']);
    assert.equal(code, 0);
    assert.match(stdout, /GPU +\$\/h all-in +\$\/GPU-h +Network +Machine +Market +Trust/);
    assert.match(stdout, /1× RTX 4090, 24 GB +\$0\.42 +\$0\.42 +sandbox NO/);
    assert.match(stdout, /1 of 1; price includes disk and fees/);
  });

  it('puts practice offers under a banner that says what is not real', async () => {
    const { lines } = await harness.run(['offers']);
    assert.match(lines[0] ?? '', /^Practice: nobody is charged.*without CUDA/);
  });

  it('fits a narrow terminal by leaving out columns, never wider than it is', async () => {
    const { lines } = await harness.run(['offers'], { tty: true, columns: 60, env: { NO_COLOR: '1' } });
    const table = lines.filter(line => line.includes('RTX 4090') || line.startsWith('GPU'));
    assert.equal(table.length, 2);
    assert.ok(table.every(line => line.length <= 60));
    assert.match(table[1] ?? '', /\$0\.42/);
    assert.match(table[1] ?? '', /sandbox:1/, 'the id that --offer takes stays');
  });

  it('shows just the columns that are named, in their order, and names them all where one is wrong', async () => {
    const { lines } = await harness.run(['offers', '--columns', 'Offer, gpu,price'], {
      tty: true,
      columns: 20,
      env: { NO_COLOR: '1' },
    });
    assert.ok(
      lines.some(line => /^Offer +GPU +\$\/h all-in$/.test(line)),
      lines.join('\n'),
    );
    const wrong = await harness.run(['offers', '--columns', 'gpu,nothing']);
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /"nothing" is no column: choose among gpu, price, .*, way-in\./);
  });

  it('says of a network that cannot be one what was typed, and where their ids stand', async () => {
    const { code, stderr } = await harness.run(['offers', '--provider', 'Prime Intellect']);
    assert.equal(code, 2);
    assert.match(stderr, /--provider: "Prime Intellect" is not the id of a network.*hitch networks ls/);
  });

  it('does not take rows that are skipped for rows that do not match', async () => {
    const { code, stdout } = await harness.run(['offers', '--offset', '7']);
    assert.equal(code, 0);
    assert.match(stdout, /There is no row after --offset 7/);
    assert.doesNotMatch(stdout, /No offer matches/);
  });

  it('writes no colours to a pipe and none under NO_COLOR', async () => {
    const piped = await harness.run(['offers']);
    const asked = await harness.run(['offers'], { tty: true, env: { NO_COLOR: '1' } });
    const coloured = await harness.run(['offers'], { tty: true });
    assert.doesNotMatch(piped.stdout + asked.stdout, /\u001b\[/);
    assert.match(coloured.stdout, /\u001b\[/);
  });

  it('answers in JSON with the page as the API has it', async () => {
    const { json } = await harness.run(['offers', '--json']);
    assert.equal(offerPageSchema.parse(json()).offers[0]?.id, offer.id);
  });

  it('filters by each option and says what to do when nothing passes', async () => {
    const none = await harness.run([
      'offers',
      '--gpu',
      'rtx4090',
      '--country',
      'de',
      '--max-price',
      '$1.50',
      '--reliability',
      '98%',
    ]);
    assert.equal(none.code, 0);
    assert.match(none.stdout, /No offer matches these filters/);
    const unknown = await harness.run(['offers', '--gpu', 'RTX 4900']);
    assert.equal(unknown.code, 2);
    assert.match(unknown.stderr, /No network offers a GPU called “RTX 4900” now; near it is RTX 4090\./);
    const elsewhere = await harness.run(['offers', '--provider', 'vast', '--json']);
    assert.equal(elsewhere.code, 2);
    assert.match(String(offerPageSchema.parse(elsewhere.json()).hint), /There is no network “vast” here/);
    const one = await harness.run([
      'offers',
      'rtx',
      '--vram',
      '24',
      '--gpus',
      '1',
      '--multi-node',
      '--kind',
      'process',
      '--sort',
      'vram',
      '--descending',
    ]);
    assert.match(one.stdout, /RTX 4090/);
  });

  for (const [argv, sentence] of [
    [
      ['offers', '--max-price', '1e3'],
      /--max-price: "1e3" is not an amount of dollars: write it like 2 or 0\.42\./,
    ],
    [['offers', '--max-price', '-1'], /--max-price: "-1" is not an amount of dollars/],
    [['offers', '--vram', 'lots'], /--vram: "lots" is not a whole number from 0/],
    [['offers', '--reliability', '120'], /--reliability: "120" is not a percentage from 0 to 100\./],
    [['offers', '--kind', 'toaster'], /--kind: "toaster" is not one of vm, container, bare_metal, process\./],
    [['offers', '--sort', 'colour'], /--sort: "colour" is not one of best, pricePerHour/],
    [['offers', '--country', 'Norway'], /--country: a country is two letters/],
    [['offers', '--limit', '5000'], /--limit: "5000" is not a whole number from 1 to 1,000\./],
    [['offers', '--cheap'], /Unknown option '--cheap'/],
  ] as const) {
    it(`refuses ${argv.slice(1).join(' ')} with a sentence and exit code 2`, async () => {
      const { code, stdout, stderr } = await harness.run(argv);
      assert.equal(code, 2);
      assert.equal(stdout, '');
      assert.match(stderr, sentence);
    });
  }
});
