/**
 * Everything that may go wrong in a run, and what it stands for: the model does nothing that the real thing cannot do.
 * A fault that is not named here makes its run fail, and so does one that is misspelt.
 */
export const SOURCES: Readonly<Record<string, string>> = {
  // The market's own (backend-proxy/src/providers/sandbox/faults.ts).
  vanished_offer: 'an offer that is sold between the list and the purchase (RunPod: 400 for capacity)',
  slow_boot: 'an image that is pulled for minutes (RunPod: RUNNING with no runtime)',
  never_ready: 'Vast: "created" and then an OCI runtime error',
  preempted: 'spot machines of every network',
  reply_lost_after_create: 'a connection that breaks after the request was served',
  reply_lost_before_create: 'a connection that breaks before',
  error_with_id: 'Vast: an error together with new_contract',
  refused_but_rented: 'a gateway that answers for a server it gave up on, while that server goes on',
  shows_late: 'io.net: the detail answers 404 right after the deployment; lists that are copies of copies',
  mislaid: 'lists and details served by a replica that lags, or by one that lost rows for a while',
  other_machine: 'a contract for another machine than the list named (dstack #1890)',
  dearer: 'a price that moved between the list and the contract (dstack #1886)',
  repriced: 'Akash: prices by the block, in a currency that drifts',
  setup_fee: 'a fee for each deployment on top of its hours (Akash: the transaction’s)',
  sold_by_terms: 'io.net: machines are deployed for whole hours that are paid ahead',
  reply_lost_after_more_time: 'a connection that breaks after io.net’s extend was served',
  reply_lost_before_more_time: 'a connection that breaks before',
  minimum_time: 'io.net: the first hour is kept',
  lying_status: 'Nosana: RUNNING with no job; Prime: ACTIVE at 40 %',
  list_fails: '502 of a gateway',
  list_partial: 'pages that end too early (Vast: a list of 25)',
  destroy_fails: '5xx of a destroy',
  destroy_reply_lost: 'a connection that breaks after the destroy was served',
  destroy_slow: 'machines that bill until a queue has come to them',
  rate_limited: '429 of every network',
  slow_reply: 'a network under load',
  outage: 'a network that is down',
  // Networks as they differ (networks.ts).
  'a network without refs': 'capabilities.refVia "none": a network with no place for a mark',
  'a network without a history': 'Provider.history is optional: most networks forget what is over',
  'an answer about somebody else’s machine': 'a cache or a proxy that mixes answers up, doubled replies',
  'an error that names somebody else’s machine': 'the same, with the error of error_with_id',
  'an error that is no error of ours': 'an adapter that meets a shape it does not know: TypeError, a string',
  'words without end': 'a network’s own words about a machine: control characters, 20 kB',
  'another network that asks to wait for minutes': '429 with Retry-After 300',
  'another network that does not answer': 'a network behind a broken route',
  'another network that does not take its key': 'a key that was revoked',
  // Agents (agents.ts).
  'a way in that does not open': 'ssh that is refused or hangs (access/host.ts connect)',
  'a way in that breaks': 'a tunnel that drops in the middle of an answer (access/link-http.ts)',
  'an agent that hangs': 'a machine that is thrashing: the stream stays open and silent',
  'an agent that lies': 'a stranger’s program: every value that its contract allows',
  'an agent that talks nonsense':
    'answers that no contract allows, met as an exception (access/agent-client.ts)',
  // This computer (store-trouble.ts, daemons.ts, laptop-clock.ts).
  'the disk is full':
    'SQLITE_FULL (store/sqlite.ts): commits and the opening of the store are refused for a while',
  'the disk answers an error': 'SQLITE_IOERR of one commit (store/sqlite.ts)',
  'the database is gone': 'a file that somebody removed, a disk that lost it (store/purchase-log.ts)',
  'the disk is slow': 'an fsync that takes seconds on a busy disk',
  'a second daemon': 'a daemon that was suspended while another took over: the lease of store/sql-store.ts',
  'the wall clock jumps': 'a time server’s correction, a wrong clock after a flat battery',
  // Saves (saves.ts).
  'a save that fails': 'a machine that stops answering, a folder that cannot be written (copies/copies.ts)',
  'a save that runs late': 'a save that has not ended when the time kept back for it has (copies/copies.ts)',
  'a save that brings a part': 'files that cannot be read or stored (copies/copy-record.ts)',
};
