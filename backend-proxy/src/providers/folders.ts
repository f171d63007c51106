// Written by scripts/list-networks.ts, one line for each folder beside this file. Do not edit.
import { network as akash } from './akash/network.ts';
import { network as ionet } from './ionet/network.ts';
import { network as local } from './local/network.ts';
import { network as nosana } from './nosana/network.ts';
import { network as prime } from './prime/network.ts';
import { network as runpod } from './runpod/network.ts';
import { network as sandbox } from './sandbox/network.ts';
import { network as ssh } from './ssh/network.ts';
import { network as vast } from './vast/network.ts';

export const NETWORKS = [akash, ionet, local, nosana, prime, runpod, sandbox, ssh, vast];
