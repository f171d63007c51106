/**
 * Imported before everything else. An agent waits most of its life beside programs that need the memory more: its
 * young generation stays at its first size (1 MB a half) instead of growing to 16 while the modules load.
 */
import { setFlagsFromString } from 'node:v8';

setFlagsFromString('--semi-space-growth-factor=1');
