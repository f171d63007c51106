import assert from 'node:assert/strict';
import { Tickets } from '../../src/agent/ssh/tickets.ts';
import { VirtualClock } from '@hitch/platform/src/clock.ts';

const url = (path: string): URL => new URL(path, 'http://agent');

describe('a ticket to sshd', () => {
  let clock: VirtualClock;
  let tickets: Tickets;
  beforeEach(() => {
    let count = 0;
    clock = new VirtualClock();
    tickets = new Tickets(clock, () => `secret-${(count++).toString()}`);
  });
  const letsIn = (path: string, authorization?: string): boolean =>
    tickets.letsIn(url(path), authorization === undefined ? {} : { authorization });

  it('lets one connection in', () => {
    const ticket = tickets.issue();
    assert.equal(letsIn('/ssh', `Ticket ${ticket}`), true);
    assert.equal(letsIn('/ssh', `Ticket ${ticket}`), false);
  });

  it('opens nothing else, is no bearer, and is not guessed', () => {
    const ticket = tickets.issue();
    for (const [path, authorization] of [
      ['/terminals/1/socket', `Ticket ${ticket}`],
      ['/ssh/x', `Ticket ${ticket}`],
      ['/ssh', `Bearer ${ticket}`],
      ['/ssh', 'Ticket other'],
      ['/ssh', undefined],
    ] as const) {
      assert.equal(letsIn(path, authorization), false, path);
    }
    assert.equal(letsIn('/ssh', `Ticket ${ticket}`), true);
  });

  it('is worth nothing after half a minute', () => {
    const ticket = tickets.issue();
    clock.jump(30_001);
    assert.equal(letsIn('/ssh', `Ticket ${ticket}`), false);
  });
});
