// Written by scripts/list-networks.ts from the recordings that people handed in. Do not edit.

export const VERIFIED: readonly { readonly network: string; readonly adapterVersion: number }[] = [];
