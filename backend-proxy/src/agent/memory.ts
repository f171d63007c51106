/** Imported before everything else: kernels and jobs, which the agent starts, are to have the allocator that they expect. */
import { forgetAllocatorSettings } from '@hitch/platform/src/memory.ts';

forgetAllocatorSettings();
