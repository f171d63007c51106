/** What clients say of accounts at networks and of how often those may be asked. */
import * as format from './format.ts';
import type { NetworkAccount, RouteUse } from './networks.ts';

/** Who that is, what its key may do, and what is left. */
export function networkAccountLines(account: NetworkAccount, nowMs: number): string[] {
  const { id, name, scopes, balanceMicroUsd, spendLimitPerHourMicroUsd, lastsUntilMs } = account;
  const lasts =
    lastsUntilMs === null ? '' : `, lasts until ${format.clock(lastsUntilMs, nowMs)} as it is used now`;
  return [
    `Account: ${accountWords(name, id)}`,
    ...(scopes === null ? [] : [`The key may: ${scopes.length === 0 ? 'nothing' : scopes.join(', ')}`]),
    balanceMicroUsd === null
      ? 'Balance: the network does not say it here; its own pages do'
      : `Balance: ${format.dollars(balanceMicroUsd)}${lasts}`,
    ...(spendLimitPerHourMicroUsd === null
      ? []
      : [`All of it may cost ${format.dollars(spendLimitPerHourMicroUsd)}/h at most`]),
  ];
}

function accountWords(name: string, id: string | null): string {
  if (id === null) {
    return name === '' ? 'the network does not say whose the login is' : name;
  }
  return name === '' || name === id ? id : `${name} (${id})`;
}

/** How often one kind of call may be made, and how much of that is used. */
export function routeLine(use: RouteUse, nowMs: number): string {
  const { route, everyMs, perMinute, perDay, usedThisMinute, usedToday, waiting, pausedUntilMs, why } = use;
  const parts = [
    ...(everyMs === undefined ? [] : [`one every ${(everyMs / 1000).toString()} s`]),
    ...(perMinute === undefined
      ? []
      : [`${usedThisMinute.toString()} of ${perMinute.toString()} this minute`]),
    ...(perDay === undefined ? [] : [`${usedToday.toString()} of ${perDay.toString()} today`]),
    ...(waiting === 0 ? [] : [`${waiting.toString()} waiting`]),
    ...(pausedUntilMs === null
      ? []
      : [`paused until ${format.clock(pausedUntilMs, nowMs)}${why === null ? '' : `: ${why}`}`]),
  ];
  return `${route}: ${parts.length === 0 ? 'no limit' : parts.join(', ')}`;
}

/** What the daemon advises, in an editor: a login is a button there, and no command of a terminal. */
export const adviceInEditor = (advice: string): string =>
  advice.replaceAll(/hitch networks login(?: [a-z][a-z0-9-]*)?(?=[),.]|$)/g, '“Log in…” under Networks');
